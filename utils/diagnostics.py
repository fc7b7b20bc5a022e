"""Look at a fitted random-intercept model: residuals at both levels, QQ plots, influence.

Examples
--------
>>> from utils import mixedlm
>>> from utils.simulate import med_trial
>>> data = med_trial(n_hospitals=12, patients_per_hospital=20, rng=1).data
>>> model = mixedlm.fit("sbp ~ treated", data, groups="hospital")
>>> bool(0.9 < patient_residuals(model)["standardised"].std() < 1.1)
True
>>> without = leave_one_hospital_out(model, "treated")
>>> without.index[0], list(without.columns)[:3]
('H01', ['estimate', 'se', 'change'])
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from utils import likelihood
from utils.mixedlm import LMMFit
from utils.plots import PALETTE

__all__ = [
    "hospital_effects",
    "leave_one_hospital_out",
    "patient_residuals",
    "qq_plot",
    "qq_points",
    "scatter",
]

Floats = NDArray[np.float64]


def patient_residuals(model: LMMFit) -> pd.DataFrame:
    """Return the patients' residuals, and the same divided by their own standard deviation.

    Parameters
    ----------
    model : LMMFit
        With a random intercept alone, hospital_sd above 0.

    Returns
    -------
    DataFrame
        One row a patient of the fit: `fitted` (hospital effect included), `residual`, `sd` (both
        in the unit of the outcome) and `standardised`.

    Raises
    ------
    ValueError
        If the model has other random effects.

    Notes
    -----
    With the variances taken as known, residuals of patient i in hospital j with n patients and
    shrinkage weight w have variance

    patient_sd² (1 - w / n) - a' C a,   a = x_ij - w (mean of x in hospital j),

    C the covariance of the fixed effects: the diagonal of patient_sd⁴ P with
    P = V⁻¹ - V⁻¹X C X'V⁻¹ (Searle SR, Casella G, McCulloch CE, Variance Components, 1992,
    chapter 7). The first term is all but the whole of it.
    """
    x, codes = _parts(model)
    residual = model.residuals.to_numpy()
    sd, _ = scatter(x, codes, model.covariance, model.hospital_sd, model.patient_sd)
    return pd.DataFrame(
        {
            "fitted": model.fitted.to_numpy(),
            "residual": residual,
            "sd": sd,
            "standardised": residual / sd,
        },
        index=model.fitted.index,
    )


def hospital_effects(model: LMMFit) -> pd.DataFrame:
    """Return the predicted hospital effects, and the same divided by their standard deviation.

    Parameters
    ----------
    model : LMMFit
        With a random intercept alone, hospital_sd above 0.

    Returns
    -------
    DataFrame
        By hospital: `n`, `weight`, `prediction` (BLUP), `sd` (how much such predictions scatter
        over trials, in the unit of the outcome) and `standardised`.

    Raises
    ------
    ValueError
        If the model has other random effects, or hospital_sd is 0: then all predictions are 0.

    Notes
    -----
    The scatter of a prediction is not its uncertainty. With the variances taken as known it has
    variance

    weight hospital_sd² - weight² m' C m,   m the mean of x in the hospital,

    C the covariance of the fixed effects; what is left to know about the hospital has variance
    (1 - weight) hospital_sd², and a little more (Searle, Casella and McCulloch, as above).
    """
    x, codes = _parts(model)
    if model.hospital_sd == 0:
        raise ValueError("hospital_sd must be above 0, or all predicted effects are 0; got 0")
    table = model.hospitals[["n", "weight", "prediction"]].copy()
    _, of_means = scatter(x, codes, model.covariance, model.hospital_sd, model.patient_sd)
    table["sd"] = table["weight"] * of_means
    table["standardised"] = table["prediction"] / table["sd"]
    return table


def leave_one_hospital_out(model: LMMFit, term: str) -> pd.DataFrame:
    """Fit the model again without each hospital in turn.

    Parameters
    ----------
    model : LMMFit
        With a random intercept alone.
    term : str
        The fixed effect to follow, as in `model.fixed`.

    Returns
    -------
    DataFrame
        By the hospital left out: `estimate` and `se` of the term, `change` (estimate without the
        hospital less that with all), `change_in_se` (the same in standard errors of the fit with
        all), `df` (Satterthwaite), `hospital_sd` and `patient_sd`.

    Raises
    ------
    ValueError
        If the model has other random effects, no such term, or cannot be fitted without one of
        the hospitals.

    Notes
    -----
    Nothing is approximated: the variances are estimated anew each time, from the sums of
    `utils.likelihood`, all fits in one call.
    """
    x, codes = _parts(model)
    if term not in model.fixed.index:
        raise ValueError(f"term must be one of {', '.join(model.fixed.index)}; got {term!r}")
    y, labels = np.asarray(model._design.model.endog), model._design.labels
    parts = []
    for j, label in enumerate(labels):
        kept = codes != j
        try:
            parts.append(likelihood.sums(y[kept], x[kept], codes[kept]))
        except ValueError as error:
            raise ValueError(f"the model cannot be fitted without {label}: {error}") from error
    fit = likelihood.fit_intercept(likelihood.stack(parts), reml=model.reml)
    place = list(model.fixed.index).index(term)
    whole = model.fixed.loc[term]
    change = fit.beta[:, place] - whole["estimate"]
    return pd.DataFrame(
        {
            "estimate": fit.beta[:, place],
            "se": fit.se[:, place],
            "change": change,
            "change_in_se": change / whole["se"],
            "df": fit.df[:, place],
            "hospital_sd": fit.hospital_sd,
            "patient_sd": fit.patient_sd,
        },
        index=pd.Index(labels, name=model.groups),
    )


def qq_points(values: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    """Return what a normal QQ plot draws.

    Parameters
    ----------
    values : array-like, shape (n,)
        At least 3 finite numbers.

    Returns
    -------
    expected, ordered, low, high : array, shape (n,)
        The quantile that a standard normal law has at (i - 1/2) / n; the values in order; and
        the band that holds each point of a standard normal sample by itself in 95 % of samples.

    Raises
    ------
    ValueError
        If there are fewer than 3 values, or one is not finite.

    Notes
    -----
    The i-th of n ordered uniform numbers has a beta law with parameters i and n + 1 - i; the
    band is its 2.5 and 97.5 % quantiles, on the normal scale.

    Examples
    --------
    >>> expected, ordered, low, high = qq_points([1.0, -1.0, 0.0])
    >>> expected.round(2).tolist(), ordered.tolist()
    ([-0.97, 0.0, 0.97], [-1.0, 0.0, 1.0])
    """
    ordered = np.sort(np.asarray(values, dtype=float).ravel())
    n = ordered.size
    if n < 3 or not np.isfinite(ordered).all():
        raise ValueError(f"values must be at least 3 finite numbers, got {n} values")
    place = np.arange(1, n + 1)
    low, high = (stats.norm.ppf(stats.beta.ppf(q, place, n + 1 - place)) for q in (0.025, 0.975))
    return stats.norm.ppf((place - 0.5) / n), ordered, low, high


def qq_plot(
    values: ArrayLike, ax: Axes, *, thing: str = "patients", scale: bool = True, **look: object
) -> Axes:
    """Draw a normal QQ plot with the line and the band of a normal sample.

    Parameters
    ----------
    values : array-like, shape (n,)
        At least 3 numbers.
    ax : matplotlib Axes
        Where to draw.
    thing : str
        What the values belong to: a name in PALETTE. It gives the colour.
    scale : bool
        Whether to take off the values' mean and divide by their SD first. Without it they must
        be standardised already: the line is the diagonal.
    **look
        More for ``ax.plot``, such as ``markersize``.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If there are fewer than 3 values, one is not finite, they do not vary, or `thing` has no
        colour.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> ax = qq_plot([3.0, 1.0, 2.0], ax)
    >>> ax.lines[-1].get_ydata().tolist()
    [-1.0, 0.0, 1.0]
    >>> plt.close(fig)
    """
    if thing not in PALETTE:
        raise ValueError(f"thing must be one of {', '.join(PALETTE)}; got {thing!r}")
    values = np.asarray(values, dtype=float).ravel()
    if scale:
        sd = values.std(ddof=1) if values.size > 1 else 0.0
        if not sd > 0:
            raise ValueError(f"values must vary, got {values.size} values with SD {sd:g}")
        values = (values - values.mean()) / sd
    expected, ordered, low, high = qq_points(values)
    ax.fill_between(expected, low, high, color=PALETTE["truth"], alpha=0.1, linewidth=0)
    ax.plot(expected[[0, -1]], expected[[0, -1]], color=PALETTE["truth"], ls="--", lw=1.2)
    style = {"marker": "o", "ls": "", "markersize": 4, "color": PALETTE[thing]} | look
    ax.plot(expected, ordered, **style)
    return ax


def scatter(
    x: Floats, codes: NDArray, covariance: ArrayLike, hospital_sd: float, patient_sd: float
) -> tuple[Floats, Floats]:
    """Return how much residuals scatter over trials, the variances taken as known.

    Parameters
    ----------
    x : array, shape (n_patients, p)
        The fixed effects' columns.
    codes : int array, shape (n_patients,)
        Hospital of each patient, from 0, none left out.
    covariance : array-like, shape (p, p)
        Of the fixed effects, (X'V⁻¹X)⁻¹.
    hospital_sd, patient_sd : float
        In the unit of the outcome; 0 or more and above 0.

    Returns
    -------
    patients : array, shape (n_patients,)
        SD of each patient's residual, the hospital's predicted effect taken off.
    means : array, shape (hospitals,)
        SD of each hospital's mean residual from the fixed effects. The predicted effect is its
        shrinkage weight times this mean.
    """
    sizes = np.bincount(codes).astype(float)
    middle = np.stack([np.bincount(codes, column) / sizes for column in x.T], -1)
    of_mean = hospital_sd**2 + patient_sd**2 / sizes
    weight = hospital_sd**2 / of_mean
    inside = x - weight[codes, None] * middle[codes]
    c = np.asarray(covariance)
    patients = patient_sd**2 * (1 - weight / sizes)[codes] - ((inside @ c) * inside).sum(-1)
    return np.sqrt(patients), np.sqrt(of_mean - ((middle @ c) * middle).sum(-1))


def _parts(model: LMMFit) -> tuple[Floats, NDArray]:
    """Return the fixed effects' columns and the hospital codes of a random-intercept model."""
    design = model._design
    if design.kind != "intercept":
        raise ValueError(
            f"the model must have a random intercept alone, got {', '.join(design.re_names)}"
            + (f" and {', '.join(design.vc_formula)}" if design.vc_formula else "")
        )
    return design.x, design.codes
