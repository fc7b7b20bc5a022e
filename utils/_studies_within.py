"""The effect within hospitals: least squares with hospital dummies, and hospital means."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from utils._likelihood_sums import orthonormal

Floats = NDArray[np.float64]
Part = tuple[Floats, Floats, NDArray[np.intp]]  # outcome, design matrix, hospital codes

_FLAT = 1e-9  # variation below this fraction of a column's size is rounding


class WithinFit(NamedTuple):
    """One coefficient in each data set; every array has shape (n_data_sets,).

    Attributes
    ----------
    estimate, standard_error, degrees_of_freedom : array
        Of the coefficient.
    hospital_sd, patient_sd, slope_sd, correlation : array
        In the unit of the outcome, but for the correlation; missing where the model has none.
    """

    estimate: Floats
    standard_error: Floats
    degrees_of_freedom: Floats
    hospital_sd: Floats
    patient_sd: Floats
    slope_sd: Floats
    correlation: Floats


def hospital_dummies(parts: list[Part], place: int) -> WithinFit:
    """Fit least squares with a coefficient for each hospital, without ever building them.

    Parameters
    ----------
    parts : list of (y, X, codes)
        Of each data set: outcome, shape (n,); design matrix with a constant first, shape (n, p);
        hospital of each patient, 0, 1, ..., none left out.
    place : int
        Column of X whose coefficient is wanted, 1 or more.

    Raises
    ------
    ValueError
        If that column does not vary within hospitals, if the others hold it, or if nothing is
        left to estimate the error from; the message says in which data set.

    Notes
    -----
    Deviations from hospital means on deviations from hospital means give the coefficients and
    residuals of the regression with dummies (Frisch R, Waugh FV, Econometrica 1933; 1: 387-401).

    Examples
    --------
    >>> X = np.column_stack([np.ones(4), [0, 1, 0, 1]])
    >>> y, codes = np.array([1.0, 3.0, 11.0, 14.0]), np.array([0, 0, 1, 1])
    >>> float(hospital_dummies([(y, X, codes)], 1).estimate[0])
    2.5
    """
    codes = parts[0][2]
    if len(parts) > 1 and all(np.array_equal(codes, part[2]) for part in parts[1:]):
        y, X = np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts])
        try:
            return _dummies(y, X, codes, place)
        except ValueError:  # one by one, it will be known which; or all are well
            pass
    fits = []
    for k, (y, X, codes_k) in enumerate(parts):
        try:
            fits.append(_dummies(y[None], X[None], codes_k, place))
        except ValueError as error:
            raise ValueError(f"data set {k} cannot be analysed with dummies: {error}") from error
    return WithinFit(*(np.concatenate(column) for column in zip(*fits, strict=True)))


def add_means(parts: list[Part], place: int) -> tuple[list[Part], NDArray[np.bool_]]:
    """Add the hospital means of one predictor as a last column, where they differ.

    Parameters
    ----------
    parts, place
        As for `hospital_dummies`.

    Returns
    -------
    parts : list of (y, X, codes)
        With the further column, or as they were where all hospitals have the same mean.
    has_mean : array of bool, shape (n_data_sets,)
        Whether the column was added.

    Raises
    ------
    ValueError
        If the predictor does not vary within hospitals: it is then its own mean.
    """
    extended, has_mean = [], np.zeros(len(parts), dtype=bool)
    for k, (y, X, codes) in enumerate(parts):
        x = X[:, place]
        mean = (np.bincount(codes, x) / np.bincount(codes))[codes]
        size = _FLAT * np.abs(x).max()
        if np.abs(x - mean).max() <= size:
            raise ValueError(f"data set {k} cannot be analysed: {_CONSTANT}")
        has_mean[k] = np.ptp(mean) > size
        extended.append((y, np.column_stack([X, mean]), codes) if has_mean[k] else parts[k])
    return extended, has_mean


_CONSTANT = (
    "the effect's predictor must vary within hospitals; it is constant in each of them, so "
    "nothing can be compared inside a hospital"
)


def _dummies(y: Floats, X: Floats, codes: NDArray[np.intp], place: int) -> WithinFit:
    """Fit data sets of one layout; y has shape (S, n), X (S, n, p)."""
    inside = _Deviations(codes)
    columns = np.swapaxes(X[..., 1:], -1, -2)
    deviations = inside(columns)
    varies = np.abs(deviations).max(-1) > _FLAT * np.abs(columns).max(-1)
    if not varies[:, place - 1].all():
        raise ValueError(_CONSTANT)
    if np.any(varies != varies[0]):
        raise ValueError("a predictor is constant within hospitals in some data sets only")
    kept = np.flatnonzero(varies[0])
    df = len(codes) - inside.hospitals - len(kept)
    if df < 1:
        raise ValueError(
            "there must be more patients than hospitals and predictors together, got "
            f"{len(codes)} patients, {inside.hospitals} hospitals and {len(kept)} predictors"
        )
    names = [f"predictor {k + 1}" for k in kept]
    z = np.swapaxes(deviations[:, kept], -1, -2)
    q, r = orthonormal(z, names, "the predictors within hospitals")
    outcome = inside(y)
    fitted = (np.swapaxes(q, -1, -2) @ outcome[..., None])[..., 0]
    rss = (outcome**2).sum(-1) - (fitted**2).sum(-1)
    residual_sd = np.sqrt(np.maximum(rss, 0) / df)
    row = np.linalg.inv(r)[:, int(np.flatnonzero(kept == place - 1)[0])]
    none = np.full(len(y), np.nan)
    return WithinFit(
        estimate=(row * fitted).sum(-1),
        standard_error=residual_sd * np.sqrt((row**2).sum(-1)),
        degrees_of_freedom=np.full(len(y), float(df)),
        hospital_sd=none,
        patient_sd=residual_sd,
        slope_sd=none,
        correlation=none,
    )


class _Deviations:
    """Deviations from hospital means, along the last axis."""

    def __init__(self, codes: NDArray[np.intp]) -> None:
        self.codes = codes
        self.sizes = np.bincount(codes)
        self.hospitals = len(self.sizes)
        self.order = np.argsort(codes, kind="stable")
        self.starts = np.cumsum(self.sizes) - self.sizes

    def __call__(self, values: Floats) -> Floats:
        totals = np.add.reduceat(values[..., self.order], self.starts, axis=-1)
        return values - (totals / self.sizes)[..., self.codes]
