"""Generalised estimating equations of many data sets: lines with robust errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from utils._studies_within import Part, WithinFit

_ROUNDS, _SETTLED = 60, 1e-10  # of the working correlation

Floats = NDArray[np.float64]


def gee(parts: list[Part], place: int) -> WithinFit:
    """Fit a line to each data set, one working correlation for all pairs of a hospital.

    Parameters
    ----------
    parts : list of (y, X, codes)
        As for `utils._studies_within.hospital_dummies`.
    place : int
        Column of X whose coefficient is wanted.

    Notes
    -----
    With residuals e, N patients, P = sum n_j (n_j - 1) / 2 pairs and p coefficients,

        phi = sum e² / (N - p),   alpha = sum over pairs of e e' / (phi (P - p)),

    and beta solves the weighted least squares of the correlation alpha, in turn until alpha
    settles; then the sandwich of Liang KY, Zeger SL (Biometrika 1986; 73: 13-22) without a
    correction for few hospitals. These are the defaults of statsmodels.

    Examples
    --------
    >>> X = np.column_stack([np.ones(6), [0, 1, 0, 1, 0, 1]])
    >>> y, codes = np.array([1.0, 3.0, 11.0, 14.0, 5.0, 8.0]), np.array([0, 0, 1, 1, 2, 2])
    >>> round(float(gee([(y, X, codes)], 1).estimate[0]), 3)
    2.667
    """
    columns = np.array([_fit(y, X, codes, place) for y, X, codes in parts]).T
    estimate, error, sd = columns
    none = np.full(len(parts), np.nan)
    return WithinFit(estimate, error, np.full(len(parts), np.inf), none, sd, none, none)


def _fit(y: Floats, X: Floats, codes: NDArray[np.intp], place: int) -> tuple[float, float, float]:
    """Return estimate, robust standard error and residual SD."""
    n = np.bincount(codes).astype(float)
    p = X.shape[1]
    totals = np.column_stack([np.bincount(codes, column) for column in X.T])
    xx, xy, total_y = X.T @ X, X.T @ y, np.bincount(codes, y)
    pairs = (n * (n - 1)).sum() / 2

    def solve(alpha: float) -> tuple[Floats, Floats, Floats]:
        # The inverse of the correlation is (I - w 11') / (1 - alpha).
        w = alpha / (1 + (n - 1) * alpha)
        bread = xx - totals.T @ (w[:, None] * totals)
        return np.linalg.solve(bread, xy - totals.T @ (w * total_y)), bread, w

    alpha = 0.0
    for _ in range(_ROUNDS):
        beta, bread, w = solve(alpha)
        residual = y - X @ beta
        phi = residual @ residual / (len(y) - p)
        by_hospital = np.bincount(codes, residual)
        products = (by_hospital @ by_hospital - residual @ residual) / 2
        before, alpha = alpha, products / phi / (pairs - p)
        if abs(alpha - before) < _SETTLED:
            break
    beta, bread, w = solve(alpha)
    residual = y - X @ beta
    by_hospital = np.bincount(codes, residual)
    score = np.column_stack([np.bincount(codes, column * residual) for column in X.T])
    score -= (w * by_hospital)[:, None] * totals
    half = np.linalg.solve(bread, score.T)
    return beta[place], np.sqrt((half[place] ** 2).sum()), np.sqrt(phi)
