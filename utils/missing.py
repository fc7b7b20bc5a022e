"""Missing outcomes and missing covariates: imputing them by hospital, and putting results together.

The analysis is always ``sbp ~ treated + baseline`` with a random intercept. The imputer is a mixed
model too, since values of one hospital are alike.

Examples
--------
>>> from utils.simulate import med_trial
>>> data = med_trial(missing="covariate", baseline_effect=0.5, rng=1).data
>>> filled = impute(data, rng=1, imputations=5)
>>> filled.shape == (5, len(data)), bool(np.isnan(filled).any())
(True, False)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from utils import likelihood

__all__ = ["TERMS", "Pooled", "analyse", "analyse_imputed", "impute", "pool", "sums_of"]

TERMS = ("intercept", "treatment_effect", "baseline_effect")


def _parts(data: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return outcome, treatment, baseline less 150, and hospital codes."""
    y, treated, baseline = (
        data[name].to_numpy(dtype=float) for name in ("sbp", "treated", "baseline")
    )
    return y, treated, baseline - 150, pd.factorize(data["hospital"])[0]


def _columns(treated: np.ndarray, x: np.ndarray) -> np.ndarray:
    constant, treated = np.broadcast_to(1.0, x.shape), np.broadcast_to(treated, x.shape)
    return np.stack([constant, treated, x], axis=-1)


def sums_of(data: pd.DataFrame, *, baseline: bool = True) -> likelihood.Sums:
    """Return the likelihood's sums over the rows that have all the model needs.

    Parameters
    ----------
    data : DataFrame
        Columns sbp, treated, baseline, hospital, with gaps.
    baseline : bool
        Whether baseline is in the model. Without it, rows without a baseline count.

    Returns
    -------
    Sums
        For `utils.likelihood.fit_intercept`. Coefficients come in the order of `TERMS`; the
        intercept is for a baseline of 150.
    """
    y, treated, x, codes = _parts(data)
    columns = _columns(treated, x) if baseline else np.column_stack([np.ones_like(y), treated])
    use = ~np.isnan(y) & ~np.isnan(columns).any(axis=1)
    return likelihood.sums(y[use], columns[use], codes[use])


def analyse(data: pd.DataFrame, *, baseline: bool = True) -> likelihood.InterceptFit:
    """Fit the random-intercept model by REML to the rows that have all it needs.

    Parameters
    ----------
    data, baseline
        As for `sums_of`.
    """
    return likelihood.fit_intercept(sums_of(data, baseline=baseline))


def impute(
    data: pd.DataFrame, *, rng: int | np.random.Generator, imputations: int = 20
) -> np.ndarray:
    """Return the column that has gaps, filled in several times.

    Parameters
    ----------
    data : DataFrame
        As for `analyse`; sbp or baseline has gaps, not both.
    rng : int or Generator
    imputations : int
        At least 2.

    Returns
    -------
    ndarray, shape (imputations, n)
        Observed values as they are. The others are drawn: coefficients and SDs of a
        random-intercept model of the column on the two others from their approximate posterior,
        then the hospital's effect, then the patient. A baseline's model has the hospital's mean
        outcome too.

    Raises
    ------
    ValueError
        If both columns or neither have gaps, or `imputations` is below 2.

    Notes
    -----
    The analysis gives hospitals their own levels of the outcome, so an outcome says one thing about
    its patient's baseline and another about its hospital. Without the hospital's mean outcome the
    imputer would mix the two, and the filled data would have hospitals that are too alike.

    Coefficients are drawn from their normal approximation, the residual variance as df s²/chi²,
    hospital effects from their conditional law. The SD between hospitals is held at its estimate,
    so the imputations vary a little too little where hospitals are few. Rubin DB, Multiple
    Imputation for Nonresponse in Surveys, Wiley 1987; hierarchical imputers: van Buuren S, Flexible
    Imputation of Missing Data, 2nd edition, CRC Press 2018, chapter 7.
    """
    gaps = {name: data[name].isna().to_numpy() for name in ("sbp", "baseline")}
    which = [name for name, lost in gaps.items() if lost.any()]
    if len(which) != 1:
        raise ValueError(f"one of sbp and baseline must have gaps; {' and '.join(which) or 'none'}")
    if imputations < 2:
        raise ValueError(f"imputations must be at least 2, got {imputations}")
    rng = np.random.default_rng(rng)
    y, treated, x, codes = _parts(data)
    target, other = (y, x) if which[0] == "sbp" else (x, y)
    columns, lost = _columns(treated, other), gaps[which[0]]
    if which[0] == "baseline":
        hospital_mean = np.bincount(codes, other) / np.bincount(codes)
        columns = np.column_stack([columns, hospital_mean[codes]])
    seen = ~lost
    sums = likelihood.sums(target[seen], columns[seen], codes[seen])
    fit = likelihood.fit_intercept(sums)
    position = {int(name): k for k, name in enumerate(sums.hospitals)}
    effects = np.zeros((imputations, codes.max() + 1))
    sd = np.full(codes.max() + 1, fit.hospital_sd)  # a hospital without observed values
    for hospital, k in position.items():
        effects[:, hospital], sd[hospital] = fit.effects[k], fit.effect_sd[k]
    effects += sd * rng.standard_normal(effects.shape)
    beta = rng.multivariate_normal(fit.beta, fit.covariance, size=imputations)
    df = seen.sum() - len(fit.beta)
    sigma = fit.patient_sd * np.sqrt(df / rng.chisquare(df, imputations))[:, None]
    drawn = beta @ columns.T + effects[:, codes]
    drawn += sigma * rng.standard_normal(drawn.shape)
    shift = 0 if which[0] == "sbp" else 150
    return np.where(lost, drawn, target) + shift


def analyse_imputed(
    data: pd.DataFrame, filled: np.ndarray, *, added: ArrayLike = 0.0
) -> likelihood.InterceptFit:
    """Fit the model to each filled data set in one call.

    Parameters
    ----------
    data : DataFrame
        The data with gaps.
    filled : ndarray, shape (imputations, n)
        As `impute` gives it.
    added : float or array, shape (n,)
        Added to the values that were imputed: the delta of a sensitivity analysis, mmHg.
    """
    y, treated, x, codes = _parts(data)
    name = "sbp" if np.isnan(y).any() else "baseline"
    values = filled + np.where(data[name].isna().to_numpy(), added, 0.0)
    y, x = (values, np.broadcast_to(x, values.shape)) if name == "sbp" else (y, values - 150)
    return likelihood.fit_intercept(likelihood.sums(y, _columns(treated, x), codes))


@dataclass(frozen=True, eq=False)
class Pooled:
    """Several analyses put together.

    Attributes
    ----------
    estimate, se, df : ndarray, shape (p,)
        Mean of the estimates, standard error and degrees of freedom by Rubin's rules.
    lost_share : ndarray, shape (p,)
        Share of the variance that comes from what is missing.
    """

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    lost_share: np.ndarray

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return lower and upper ends of the t intervals."""
        half = stats.t.ppf(0.5 + level / 2, self.df) * self.se
        return self.estimate - half, self.estimate + half


def pool(estimates: ArrayLike, errors: ArrayLike) -> Pooled:
    """Put estimates from several imputed data sets together by Rubin's rules.

    Parameters
    ----------
    estimates, errors : array-like, shape (imputations, p)
        Estimates and their standard errors.

    Raises
    ------
    ValueError
        If shapes differ, there are fewer than 2 rows, or an error is not above 0.

    Notes
    -----
    Total variance = mean of the squared errors + (1 + 1/m) variance of the estimates; degrees of
    freedom (m − 1) / lost_share². Rubin DB (1987), as for `impute`.

    Examples
    --------
    >>> pool([[-6.0], [-4.0]], [[1.0], [1.0]]).se.round(3)
    array([2.])
    """
    values, errors = np.asarray(estimates, dtype=float), np.asarray(errors, dtype=float)
    if values.ndim != 2 or values.shape != errors.shape or len(values) < 2:
        raise ValueError(
            "estimates and errors must have the same shape (imputations, p), with at least 2 "
            f"imputations; got {values.shape} and {errors.shape}"
        )
    if not np.all(errors > 0):
        raise ValueError(f"errors must be above 0, got {errors.min():g}")
    m = len(values)
    between = (1 + 1 / m) * values.var(axis=0, ddof=1)
    total = (errors**2).mean(axis=0) + between
    share = between / total
    with np.errstate(divide="ignore"):
        df = np.where(share > 0, (m - 1) / share**2, np.inf)
    return Pooled(values.mean(axis=0), np.sqrt(total), df, share)
