"""Many data sets analysed without random effects: hospital dummies, and GEE."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from utils._studies_draw import Trials

ALTERNATIVES = ("hospital dummies", "GEE")
_ROUNDS, _SETTLED = 60, 1e-10  # of the GEE's working correlation

Floats = NDArray[np.float64]


def analyse_alternatives(
    trials: Trials, *, methods: Sequence[str] = ALTERNATIVES, level: float = 0.95
) -> pd.DataFrame:
    """Estimate the effect of `treated` in many data sets without a random effect.

    Parameters
    ----------
    trials : Trials
        As `draw_trials` gives them.
    methods : sequence of str
        Some of "hospital dummies" (least squares with a coefficient for each hospital) and "GEE"
        (exchangeable working correlation, robust standard errors, normal law).
    level : float
        Level of the confidence intervals, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        The columns of `analyse_many`, so that the two tables can be joined. Where all patients
        of each hospital have the same treatment, hospital dummies say nothing about it: missing.

    Raises
    ------
    ValueError
        If an argument breaks its rule, or nobody or everybody is treated in a data set.

    Notes
    -----
    *Hospital dummies*: y and x less their hospital means, least squares, N - J - 1 degrees of
    freedom (the within estimator).

    *GEE*: with residuals e, N patients, P = sum n_j (n_j - 1) / 2 pairs and p = 2 coefficients,

        phi = sum e² / (N - p),   alpha = sum over pairs of e e' / (phi (P - p)),

    and beta solves the weighted least squares of the correlation alpha, in turn until alpha
    settles; then the sandwich of Liang KY, Zeger SL (Biometrika 1986; 73: 13-22) without a
    correction for few hospitals. These are the defaults of statsmodels; a test holds the two
    together.

    Examples
    --------
    >>> from utils.studies import draw_trials
    >>> table = analyse_alternatives(draw_trials(2, n_hospitals=10, rng=1))
    >>> table["method"].tolist()
    ['hospital dummies', 'hospital dummies', 'GEE', 'GEE']
    """
    if not isinstance(trials, Trials):
        raise ValueError(f"trials must be Trials, from draw_trials; got {type(trials).__name__}")
    names = [methods] if isinstance(methods, str) else list(methods)
    if not names or len(set(names)) < len(names) or not set(names) <= set(ALTERNATIVES):
        raise ValueError(f"methods are some of {ALTERNATIVES}, each once; got {methods!r}")
    if not 0 < level < 1:
        raise ValueError(f"level lies between 0 and 1; got {level!r}")
    analyses = {"hospital dummies": _dummies, "GEE": _gee}
    tables = []
    for name in names:
        rows = []
        for k, (y, x, codes) in enumerate(
            zip(trials.sbp, trials.treated, trials.hospital, strict=True)
        ):
            if np.ptp(x) == 0:
                raise ValueError(f"treated must vary between patients; it does not in trial {k}")
            rows.append(analyses[name](y, x.astype(float), codes))
        columns = ["estimate", "standard_error", "degrees_of_freedom", "patient_sd"]
        table = pd.DataFrame(rows, columns=columns)
        tables.append(table.assign(trial=np.arange(len(rows)), method=name, hospital_sd=np.nan))
    table = pd.concat(tables, ignore_index=True)
    table["method"] = pd.Categorical(table["method"], categories=names)
    df = table["degrees_of_freedom"]
    half = table["standard_error"] * stats.t.ppf((1 + level) / 2, df)
    table["p_value"] = 2 * stats.t.sf((table["estimate"] / table["standard_error"]).abs(), df)
    table["lower"], table["upper"] = table["estimate"] - half, table["estimate"] + half
    order = ["trial", "method", "estimate", "standard_error", "degrees_of_freedom", "p_value"]
    return table[[*order, "lower", "upper", "hospital_sd", "patient_sd"]]


def _dummies(y: Floats, x: Floats, codes: NDArray[np.intp]) -> tuple[float, float, float, float]:
    """Return estimate, standard error, degrees of freedom and residual SD."""
    n = np.bincount(codes)
    hospitals = int((n > 0).sum())
    size = np.maximum(n, 1)
    inner_y = y - (np.bincount(codes, y) / size)[codes]
    inner_x = x - (np.bincount(codes, x) / size)[codes]
    spread, df = inner_x @ inner_x, len(y) - hospitals - 1
    if spread < 1e-9 or df < 1:
        return np.nan, np.nan, np.nan, np.nan
    estimate = inner_x @ inner_y / spread
    sd = np.sqrt(np.sum((inner_y - estimate * inner_x) ** 2) / df)
    return estimate, sd / np.sqrt(spread), float(df), sd


def _gee(y: Floats, x: Floats, codes: NDArray[np.intp]) -> tuple[float, float, float, float]:
    """Return estimate, robust standard error, infinite degrees of freedom and residual SD."""
    n = np.bincount(codes).astype(float)
    X = np.column_stack([np.ones(len(y)), x])
    totals = np.column_stack([n, np.bincount(codes, x)])  # sums of X over each hospital
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
        phi = residual @ residual / (len(y) - 2)
        by_hospital = np.bincount(codes, residual)
        products = (by_hospital @ by_hospital - residual @ residual) / 2
        before, alpha = alpha, products / phi / (pairs - 2)
        if abs(alpha - before) < _SETTLED:
            break
    beta, bread, w = solve(alpha)
    residual = y - X @ beta
    by_hospital = np.bincount(codes, residual)
    score = np.column_stack([by_hospital, np.bincount(codes, x * residual)])
    score -= (w * by_hospital)[:, None] * totals
    half = np.linalg.solve(bread, score.T)
    return beta[1], np.sqrt((half[1] ** 2).sum()), np.inf, np.sqrt(phi)
