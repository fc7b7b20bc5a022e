"""Predicting what was left out: a patient of a known hospital, or a whole hospital.

Log predictive densities of the random-intercept model from draws of its exact posterior. A
hospital's effect is summed out in closed form, so a hospital that was left out needs no draw of it.

Examples
--------
>>> from scipy import stats
>>> y, hospital = [1.0, 2.0, 4.0, 5.0, 9.0, 8.0], ["A", "A", "B", "B", "C", "C"]
>>> priors = dict(tau=stats.halfnorm(scale=5), sigma=stats.halfnorm(scale=5), beta=(0, 10))
>>> leave_hospitals_out(y, np.ones((6, 1)), hospital, **priors).round(0).tolist()
[-5.0, -4.0, -5.0]
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from utils import exact
from utils.plots import PALETTE

__all__ = [
    "draw_comparison",
    "hospital_log_density",
    "leave_hospitals_out",
    "log_mean_exp",
    "patient_log_densities",
]

Draws = Mapping[str, np.ndarray]


def log_mean_exp(values: ArrayLike, axis: int = 0) -> np.ndarray:
    """Return the log of the mean of exp(values) along an axis, without overflow.

    Examples
    --------
    >>> float(log_mean_exp([-1000.0, -1000.0]))
    -1000.0
    """
    values = np.asarray(values, dtype=float)
    return np.logaddexp.reduce(values, axis=axis) - np.log(values.shape[axis])


def patient_log_densities(draws: Draws, y: ArrayLike, X: ArrayLike, index: ArrayLike) -> np.ndarray:
    """Return each patient's log density given the hospital's effect, for each draw.

    Parameters
    ----------
    draws : mapping
        sigma (s,), beta (s, p) and effect (s, J), as `exact.Posterior.draws` gives them.
    y, X : array-like, shapes (n,) and (n, p)
    index : array-like of int, shape (n,)
        Position of each patient's hospital among the effects.

    Returns
    -------
    ndarray, shape (s, n)
    """
    y, x = np.asarray(y, dtype=float), np.asarray(X, dtype=float)
    mean = draws["beta"] @ x.T + draws["effect"][:, np.asarray(index)]
    sigma = draws["sigma"][:, None]
    return -0.5 * np.log(2 * np.pi * sigma**2) - (y - mean) ** 2 / (2 * sigma**2)


def hospital_log_density(draws: Draws, y: ArrayLike, X: ArrayLike) -> np.ndarray:
    """Return the joint log density of one hospital's patients, its effect summed out, per draw.

    Parameters
    ----------
    draws : mapping
        tau (s,), sigma (s,) and beta (s, p).
    y, X : array-like, shapes (n,) and (n, p)
        The patients of one hospital.

    Returns
    -------
    ndarray, shape (s,)

    Notes
    -----
    The patients are normal with covariance sigma² I + tau² 11', whose determinant is
    sigma^(2n) (1 + n tau²/sigma²).
    """
    y, x = np.asarray(y, dtype=float), np.asarray(X, dtype=float)
    residual = y - draws["beta"] @ x.T
    n, sigma2 = y.size, draws["sigma"] ** 2
    ratio = draws["tau"] ** 2 / sigma2
    squares = (residual**2).sum(axis=1) - ratio / (1 + n * ratio) * residual.sum(axis=1) ** 2
    return -0.5 * (n * np.log(2 * np.pi * sigma2) + np.log1p(n * ratio) + squares / sigma2)


def leave_hospitals_out(
    y: ArrayLike, X: ArrayLike, hospital: ArrayLike, *, draws: int = 400, **priors: object
) -> pd.Series:
    """Return each hospital's log predictive density from a fit to all the others.

    Parameters
    ----------
    y, X, hospital : array-like, shapes (n,), (n, p) and (n,)
    draws : int
        Draws of each fit's posterior. The density is their average; 400 give the sum over
        the 17 hospitals of azpro to about 0.5.
    **priors
        tau, sigma and beta of `exact.posterior`.

    Returns
    -------
    Series
        Index: the hospitals. Its sum is the expected log predictive density for a new hospital.
    """
    y, x, names = np.asarray(y, dtype=float), np.asarray(X, dtype=float), np.asarray(hospital)
    found = {}
    for name in np.unique(names):
        out = names == name
        fit = exact.posterior(y[~out], x[~out], names[~out], **priors)
        found[name] = float(
            log_mean_exp(hospital_log_density(fit.draws(draws, rng=17), y[out], x[out]))
        )
    return pd.Series(found, name="log density")


def draw_comparison(ax: Axes, table: pd.DataFrame) -> None:
    """Draw differences of expected log predictive densities with twice their standard errors.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        Index: models. Columns difference and se.
    """
    at = np.arange(len(table))
    ax.errorbar(
        table["difference"],
        at,
        xerr=2 * table["se"],
        fmt="o",
        color=PALETTE["posterior"],
        capsize=4,
    )
    ax.axvline(0, color="0.4", linestyle="--", linewidth=1)
    ax.set_yticks(at, table.index)
    ax.set(ylim=(len(table) - 0.5, -0.5), xlabel="difference of log predictive density")
