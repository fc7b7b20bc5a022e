"""Intercepts and slopes of hospitals: each hospital's own line, and the population they come from.

A hospital's line is a point: its intercept across, its slope up. The model of random slopes
says that the true points are drawn from one normal distribution in two dimensions,

    (intercept_j, slope_j) ~ N(mean, covariance),

and that a hospital's own least-squares line misses its true point by noise whose covariance is
patient_sd² (Z_j'Z_j)⁻¹, Z_j being the columns 1 and x of its patients.

Examples
--------
>>> from utils.simulate import med_trial
>>> data = med_trial(n_hospitals=8, patients_per_hospital=20, rng=1).data
>>> own = own_lines(data["sbp"], data["treated"], data["hospital"])
>>> own.columns.tolist(), len(own)
(['n', 'intercept', 'slope'], 8)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from utils._slopes_figures import cloud, effects_curve, fan, rejection_dots

if TYPE_CHECKING:
    from utils.mixedlm import LMMFit

__all__ = [
    "cloud",
    "contour",
    "effects_curve",
    "fan",
    "own_lines",
    "population",
    "rejection_dots",
    "sds_and_correlation",
    "shrunken_lines",
    "spread_of",
]


def own_lines(y: ArrayLike, x: ArrayLike, hospital: ArrayLike) -> pd.DataFrame:
    """Fit a least-squares line to the patients of each hospital: no pooling.

    Parameters
    ----------
    y, x : array-like, shape (n_patients,)
        Outcome and covariate. For a treatment (0 or 1) the intercept is the mean of a hospital's
        untreated patients and the slope its difference, treated less untreated.
    hospital : array-like, shape (n_patients,)
        The hospital of each patient. Categories without patients are left out.

    Returns
    -------
    DataFrame, one row a hospital
        `n` patients, `intercept` (unit of y, where x is 0) and `slope` (unit of y per unit of x);
        the last two are missing where a hospital's patients all have one x. Its
        ``attrs["patient_sd"]`` is the standard deviation around the lines, pooled: the root of
        their squared residuals over N less two for each line.

    Raises
    ------
    ValueError
        If lengths differ, a value is missing, or the lines fit so exactly that nothing is left.

    Examples
    --------
    >>> lines = own_lines([140, 150, 130, 136, 128, 131], [0, 0, 1, 0, 1, 1], list("AAABBB"))
    >>> lines.round(1).to_dict("list")
    {'n': [3, 3], 'intercept': [145.0, 136.0], 'slope': [-15.0, -6.5]}
    """
    y, x = np.asarray(y, dtype=float), np.asarray(x, dtype=float)
    hospital = np.asarray(hospital)
    if not (y.ndim == 1 and y.shape == x.shape == hospital.shape):
        raise ValueError(
            "y, x and hospital must have one entry per patient, "
            f"got shapes {y.shape}, {x.shape} and {hospital.shape}"
        )
    frame = pd.DataFrame({"y": y, "x": x, "hospital": hospital})
    if not (np.isfinite(frame[["y", "x"]]).all(axis=None) and frame["hospital"].notna().all()):
        raise ValueError("y, x and hospital must not be missing or infinite")
    groups = frame.groupby("hospital")
    across = frame["x"] - groups["x"].transform("mean")
    up = frame["y"] - groups["y"].transform("mean")
    sums = pd.DataFrame({"xx": across**2, "xy": across * up}).groupby(frame["hospital"]).sum()
    slope = sums["xy"] / sums["xx"].where(sums["xx"] > 1e-12 * (frame["x"] ** 2).sum())
    means = groups.mean()
    own = pd.DataFrame(
        {"n": groups.size(), "intercept": means["y"] - slope * means["x"], "slope": slope}
    )
    left = up - across * frame["hospital"].map(slope).fillna(0)
    df = len(frame) - len(own) - int(slope.notna().sum())
    if df < 1 or not (left**2).sum() > 0:
        raise ValueError(f"there must be patients off the lines to tell patient_sd, got {df} left")
    own.attrs["patient_sd"] = float(np.sqrt((left**2).sum() / df))
    return own


def population(model: LMMFit) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a fitted model says of the population of hospitals: where it is, how it spreads.

    Parameters
    ----------
    model : LMMFit
        From `utils.mixedlm.fit`, with ``re_formula="1 + x"`` for a column x that is a fixed
        effect too.

    Returns
    -------
    mean : array, shape (2,)
        Fixed effects: intercept, and slope of x.
    covariance : array, shape (2, 2)
        Of the hospitals' true intercepts and slopes.

    Raises
    ------
    ValueError
        If the model is another one.

    Examples
    --------
    >>> from utils import mixedlm
    >>> from utils.simulate import med_trial
    >>> data = med_trial(treatment_effect_sd=5, rng=1).data
    >>> model = mixedlm.fit("sbp ~ treated", data, groups="hospital", re_formula="1 + treated")
    >>> mean, covariance = population(model)
    >>> bool(np.isclose(covariance[0, 0] ** 0.5, model.hospital_sd))
    True
    """
    table, terms = model._plain_variances["estimate"], _terms(model)
    between, slope = table.iloc[:2]
    correlation = table.iloc[3] if min(between, slope) > 0 else 0.0
    crossed = correlation * between * slope
    mean = model.fixed.loc[["Intercept", terms[1]], "estimate"].to_numpy()
    return mean, np.array([[between**2, crossed], [crossed, slope**2]])


def shrunken_lines(model: LMMFit) -> pd.DataFrame:
    """Return each hospital's line by partial pooling: fixed effects plus predicted effects.

    Parameters
    ----------
    model : LMMFit
        As for `population`. The lines are those of patients whose other predictors are 0.

    Returns
    -------
    DataFrame, one row a hospital
        `intercept` and `slope`.

    Raises
    ------
    ValueError
        If the model is another one.
    """
    terms = _terms(model)
    mean = model.fixed.loc[["Intercept", terms[1]], "estimate"].to_numpy()
    lines = model.hospitals["prediction"].unstack("term")[terms] + mean
    return lines.set_axis(["intercept", "slope"], axis=1)


def _terms(model: LMMFit) -> list[str]:
    """Return the names of the two effects that vary."""
    hospitals = model.hospitals
    terms = list(hospitals.index.unique("term")) if hospitals.index.nlevels == 2 else []
    if len(terms) != 2 or not {"Intercept", terms[-1]} <= set(model.fixed.index):
        raise ValueError(
            "model must have an intercept and one slope that vary, of a column that is a fixed "
            f'effect too, as by re_formula="1 + treated"; got effects {terms} and fixed effects '
            f"{list(model.fixed.index)}"
        )
    return terms


def sds_and_correlation(covariance: ArrayLike) -> NDArray[np.float64]:
    """Return the two standard deviations and the correlation that a covariance matrix holds.

    Parameters
    ----------
    covariance : array-like, shape (..., 2, 2)
        One matrix, or many.

    Returns
    -------
    array, shape (..., 3)
        SD, SD, correlation; the correlation is missing where an SD is 0.

    Raises
    ------
    ValueError
        If the shape is another one, or a variance is negative.

    Examples
    --------
    >>> sds_and_correlation([[36, -15], [-15, 25]]).tolist()
    [6.0, 5.0, -0.5]
    """
    matrix = np.asarray(covariance, dtype=float)
    if matrix.shape[-2:] != (2, 2):
        raise ValueError(f"covariance must have the shape (..., 2, 2), got {matrix.shape}")
    variances = np.diagonal(matrix, axis1=-2, axis2=-1)
    if np.any(variances < 0):
        raise ValueError(f"a variance must be 0 or more, got {variances.min():g}")
    sds = np.sqrt(variances)
    product = sds.prod(axis=-1)
    correlation = np.full(product.shape, np.nan)
    np.divide(matrix[..., 0, 1], product, out=correlation, where=product > 0)
    return np.concatenate([sds, correlation[..., None]], axis=-1)


def spread_of(points: ArrayLike) -> NDArray[np.float64]:
    """Return how sets of points spread: two standard deviations and the correlation of each set.

    Parameters
    ----------
    points : array-like, shape (..., hospitals, 2)
        Intercepts and slopes of at least 2 hospitals.

    Returns
    -------
    array, shape (..., 3)
        SD of intercepts and of slopes (dividing by hospitals - 1), and their correlation.

    Raises
    ------
    ValueError
        If the shape is another one.

    Examples
    --------
    >>> spread_of([[138, -4], [140, -6], [142, -8]]).round(6).tolist()
    [2.0, 2.0, -1.0]
    """
    array = np.asarray(points, dtype=float)
    if array.ndim < 2 or array.shape[-1] != 2 or array.shape[-2] < 2:
        raise ValueError(f"points must have the shape (..., hospitals, 2), got {array.shape}")
    away = array - array.mean(axis=-2, keepdims=True)
    return sds_and_correlation(np.swapaxes(away, -1, -2) @ away / (array.shape[-2] - 1))


def contour(
    mean: ArrayLike, covariance: ArrayLike, *, share: float = 0.95, points: int = 121
) -> NDArray[np.float64]:
    """Return the ellipse that holds a share of a normal distribution in two dimensions.

    Parameters
    ----------
    mean : array-like, shape (2,)
        Its centre: intercept and slope.
    covariance : array-like, shape (2, 2)
        Their covariance matrix.
    share : float
        Between 0 and 1.
    points : int
        Points on the ellipse, 3 or more; the last is the first.

    Returns
    -------
    array, shape (2, points)
        Intercepts and slopes along the ellipse.

    Raises
    ------
    ValueError
        If a shape or the share breaks its rule, or no distribution has such a covariance.

    Notes
    -----
    The points m + C v with C C' = covariance and v on a circle whose squared radius is the
    quantile of chi-squared on 2 degrees of freedom, -2 log(1 - share).

    Examples
    --------
    >>> contour([140, -6], [[36, 0], [0, 25]]).max(axis=1).round(1).tolist()
    [154.7, 6.2]
    """
    centre, matrix = np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float)
    if centre.shape != (2,) or matrix.shape != (2, 2):
        raise ValueError(
            f"mean has 2 numbers and covariance 2 x 2, got shapes {centre.shape}, {matrix.shape}"
        )
    if not 0 < share < 1:
        raise ValueError(f"share must be between 0 and 1, got {share!r}")
    if points < 3:
        raise ValueError(f"points must be 3 or more, got {points!r}")
    roots, axes = np.linalg.eigh((matrix + matrix.T) / 2)
    size = np.abs(matrix).max()
    if np.abs(matrix - matrix.T).max() > 1e-9 * size or roots[0] < -1e-9 * size:
        raise ValueError(f"covariance must be that of a distribution, got {matrix.tolist()}")
    angle = np.linspace(0, 2 * np.pi, points)
    circle = np.sqrt(stats.chi2.ppf(share, 2)) * np.stack([np.cos(angle), np.sin(angle)])
    return centre[:, None] + axes @ (np.sqrt(np.maximum(roots, 0))[:, None] * circle)
