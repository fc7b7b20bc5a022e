"""Inference with few hospitals: a hospital_sd of 0, tests at the boundary, honest intervals.

Trials are balanced and come as sums of squares (`utils._balanced_squares`), so that every
analysis has a closed form and thousands of trials take milliseconds.

Examples
--------
>>> round(chance_of_zero(assignment="hospital", n_hospitals=6, patients_per_hospital=20,
...                      hospital_sd=3, patient_sd=12), 3)
0.224
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from utils._balanced_squares import Squares, Trial, standard_errors
from utils._few_hospitals_figure import draw_coverage

__all__ = ["METHODS", "chance_of_zero", "compare_intervals", "draw_coverage", "draw_fits"]

Floats = NDArray[np.float64]

METHODS = (
    "z",
    "profile",
    "parametric bootstrap",
    "Satterthwaite",
    "between-within",
    "hospital means",
)
_BOOTSTRAPS = 20_000


def chance_of_zero(
    *,
    assignment: str,
    n_hospitals: int,
    patients_per_hospital: int,
    hospital_sd: float,
    patient_sd: float,
) -> float:
    """Return how often REML puts hospital_sd at exactly 0.

    Parameters
    ----------
    assignment, n_hospitals, patients_per_hospital, hospital_sd, patient_sd
        As for `utils._balanced_squares.Trial`.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    The estimate is 0 where the mean square between hospitals is not above that within them.
    Their ratio is 1 + n hospital_sd²/patient_sd² times an F variable, so the chance is a value
    of the F distribution function (Searle, Casella and McCulloch, *Variance Components*, 1992,
    chapter 3).

    Examples
    --------
    >>> p = chance_of_zero(assignment="patient", n_hospitals=200, patients_per_hospital=10,
    ...                    hospital_sd=0, patient_sd=12)
    >>> round(p, 2)  # without any differences, about one time in two
    0.51
    """
    trial = Trial(assignment, n_hospitals, patients_per_hospital, hospital_sd, patient_sd)
    ratio = 1 + patients_per_hospital * hospital_sd**2 / patient_sd**2
    return float(stats.f.cdf(1 / ratio, trial.between_df, trial.within_df))


def draw_fits(
    n_trials: int,
    *,
    assignment: str,
    n_hospitals: int,
    patients_per_hospital: int,
    hospital_sd: float,
    patient_sd: float,
    treatment_effect: float = 0.0,
    rng: int | np.random.Generator,
) -> pd.DataFrame:
    """Draw many balanced trials and fit the random-intercept model to each by REML.

    Parameters
    ----------
    n_trials : int
        At least 1.
    assignment, n_hospitals, patients_per_hospital, hospital_sd, patient_sd
        As for `utils._balanced_squares.Trial`.
    treatment_effect : float
        The truth, the same in every hospital, mmHg.
    rng : int or numpy.random.Generator
        Seed or generator.

    Returns
    -------
    pandas.DataFrame
        One row a trial: ``estimate`` (of the treatment effect, mmHg), ``hospital_sd`` and
        ``patient_sd`` (REML estimates, mmHg), ``lr_zero`` and ``lr_truth`` (twice the drop of the
        restricted log-likelihood from its top to hospital_sd = 0, and to the true hospital_sd),
        and the p-values of a zero treatment effect: ``p_naive`` (least squares), ``p_z``,
        ``p_satterthwaite`` and ``p_between_within`` (random intercept) and ``p_hospital_means``
        (t-test on hospitals); see `compare_intervals`.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    The likelihood is that of `utils.studies.balanced_reml`. A profile interval for hospital_sd
    holds the truth where ``lr_truth`` is not above the quantile of chi-square with 1 degree of
    freedom. `tests/unit/test_few_hospitals.py` holds each column to `utils.likelihood`.

    Examples
    --------
    >>> fits = draw_fits(500, assignment="hospital", n_hospitals=6, patients_per_hospital=20,
    ...                  hospital_sd=3, patient_sd=12, rng=1)
    >>> bool(0.1 < (fits["hospital_sd"] == 0).mean() < 0.35)
    True
    """
    if n_trials < 1:
        raise ValueError(f"n_trials must be at least 1, got {n_trials!r}")
    trial = Trial(assignment, n_hospitals, patients_per_hospital, hospital_sd, patient_sd)
    generator = np.random.default_rng(rng)
    squares = trial.draw(n_trials, generator)
    estimate = treatment_effect + np.sqrt(trial.variance) * generator.standard_normal(n_trials)
    return _fits(trial, squares, estimate)


def _fits(trial: Trial, squares: Squares, estimate: Floats) -> pd.DataFrame:
    """Return the table of `draw_fits`, from sums of squares and estimated effects."""
    errors = standard_errors(trial, squares)
    top = _deviance(squares.between, trial.between_df, squares.within, trial.within_df)
    fit = trial.fit(squares)
    table = pd.DataFrame(
        {
            "estimate": estimate,
            "hospital_sd": fit.hospital_sd,
            "patient_sd": fit.patient_sd,
            "lr_zero": np.where(fit.vary, (trial.n_patients - 2) * np.log(fit.pooled) - top, 0.0),
            "lr_truth": _profile_at(trial, squares) - top,
        }
    )
    for name, (how, df) in {
        "p_naive": ("naive", None),
        "p_z": ("REML", np.inf),
        "p_satterthwaite": ("REML", None),
        "p_between_within": ("REML", trial.own_df),
        "p_hospital_means": ("hospital means", None),
    }.items():
        error, own_df = errors[how]
        table[name] = 2 * stats.t.sf(np.abs(estimate) / error, own_df if df is None else df)
    return table


def compare_intervals(
    n_hospitals: Sequence[int],
    *,
    assignment: str,
    patients_per_hospital: int,
    hospital_sd: float,
    patient_sd: float,
    treatment_effect: float = 0.0,
    effect_sd: float = 0.0,
    level: float = 0.95,
    n_trials: int = 20_000,
    rng: int | np.random.Generator,
) -> pd.DataFrame:
    """Score six intervals for the treatment effect against the truth, by number of hospitals.

    Parameters
    ----------
    n_hospitals : sequence of int
        Numbers of hospitals to try, each 4 or more.
    assignment, patients_per_hospital, hospital_sd, patient_sd
        As for `utils._balanced_squares.Trial`.
    treatment_effect : float
        The truth: the mean effect over all hospitals, mmHg.
    effect_sd : float
        SD of the hospitals' own effects around it, mmHg, of which no model here knows.
    level : float
        Level of the intervals, between 0 and 1.
    n_trials : int
        Trials for each number of hospitals; all methods see the same ones.
    rng : int or numpy.random.Generator
        Seed or generator.

    Returns
    -------
    pandas.DataFrame
        By ``hospitals`` and ``method``: ``bias`` of the estimate and its ``scatter`` (SD), mmHg,
        ``coverage`` of the truth (1 - coverage is the type-I error of the test that belongs to
        the interval), ``monte_carlo_error`` of the coverage, and mean ``half_width``, mmHg.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    All but the last are of the random-intercept model:

    * *z*: REML standard error, normal law, as MixedLM prints it;
    * *profile*: the effects that a likelihood-ratio test by maximum likelihood and chi-square
      with 1 degree of freedom does not reject;
    * *parametric bootstrap*: those that are not rejected when |estimate - effect| / standard
      error is compared with its law in trials drawn from the model fitted under that effect;
    * *Satterthwaite*, *between-within*: REML standard error, t with those degrees of freedom
      (see `utils.mixedlm`);
    * *hospital means*: the t-test on hospital means (by hospital, J - 2 degrees of freedom) or
      on each hospital's difference of its arms (by patient, J - 1).

    In balanced trials the bootstrap's law depends on the fitted ratio of the two variances only,
    so one simulation over a grid of ratios serves all trials.

    Examples
    --------
    >>> scores = compare_intervals([6], assignment="hospital", patients_per_hospital=20,
    ...                            hospital_sd=3, patient_sd=12, n_trials=2000, rng=1)
    >>> coverage = scores.loc[6, "coverage"]
    >>> bool(coverage["z"] < 0.93 < coverage["hospital means"])
    True
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level!r}")
    if n_trials < 2:
        raise ValueError(f"n_trials must be at least 2, got {n_trials!r}")
    generator = np.random.default_rng(rng)
    parts = {}
    for hospitals in n_hospitals:
        trial = Trial(
            assignment, hospitals, patients_per_hospital, hospital_sd, patient_sd, effect_sd
        )
        squares = trial.draw(n_trials, generator)
        error = np.sqrt(trial.variance) * generator.standard_normal(n_trials)
        half = _half_widths(trial, squares, level, generator)
        rows = pd.DataFrame(
            {
                "bias": error.mean(),
                "scatter": error.std(ddof=1),
                "coverage": {name: (np.abs(error) <= wide).mean() for name, wide in half.items()},
                "half_width": {name: wide.mean() for name, wide in half.items()},
            }
        )
        rows.insert(
            3, "monte_carlo_error", np.sqrt(rows["coverage"] * (1 - rows["coverage"]) / n_trials)
        )
        parts[hospitals] = rows.loc[list(METHODS)]
    return pd.concat(parts, names=["hospitals", "method"])


def _half_widths(
    trial: Trial, squares: Squares, level: float, rng: np.random.Generator
) -> dict[str, Floats]:
    """Return the half width of each method's interval; all are symmetric about the estimate."""
    errors = standard_errors(trial, squares)
    se, satterthwaite = errors["REML"]
    means, means_df = errors["hospital means"]
    tail = (1 + level) / 2
    limit = stats.chi2.ppf(level, 1)
    ratios, critical = _bootstrap_law(trial, level, rng)

    def rejected_by_bootstrap(half: Floats) -> Floats:
        between, within, df = _under(trial, squares, half, extra_df=1)
        ratio = np.maximum(between / df[0] / (within / df[1]), 1.0)
        return half / se - np.interp(np.log(ratio), ratios, critical)

    def rejected_by_profile(half: Floats) -> Floats:
        return _ml_deviance(trial, squares, half) - _ml_deviance(trial, squares, 0 * half) - limit

    return {
        "z": stats.norm.ppf(tail) * se,
        "profile": _root(rejected_by_profile, 40 * se),
        "parametric bootstrap": _root(rejected_by_bootstrap, 40 * se),
        "Satterthwaite": stats.t.ppf(tail, satterthwaite) * se,
        "between-within": stats.t.ppf(tail, trial.own_df) * se,
        "hospital means": stats.t.ppf(tail, means_df) * means,
    }


def _under(
    trial: Trial, squares: Squares, distance: Floats, *, extra_df: int
) -> tuple[Floats, Floats, tuple[int, int]]:
    """Return the two sums of squares once the effect is held at a distance from its estimate."""
    moved = trial.n_patients / 4 * distance**2
    if trial.by_hospital:
        df = trial.between_df + extra_df, trial.within_df
        return squares.between + moved, squares.within, df
    return squares.between, squares.within + moved, (trial.between_df, trial.within_df + extra_df)


def _ml_deviance(trial: Trial, squares: Squares, distance: Floats) -> Floats:
    """Return -2 log-likelihood at an effect, the overall mean and both variances at their best."""
    between, within, _ = _under(trial, squares, distance, extra_df=0)
    hospitals = trial.n_hospitals
    return _deviance(between, hospitals, within, trial.n_patients - hospitals)


def _deviance(between: Floats, a: int, within: Floats, b: int) -> Floats:
    """Return min over v >= s² of a log v + between / v + b log s² + within / s², less a + b."""
    apart = a * np.log(between / a) + b * np.log(within / b)
    together = (a + b) * np.log((between + within) / (a + b))
    return np.where(between / a > within / b, apart, together)


def _profile_at(trial: Trial, squares: Squares) -> Floats:
    """Return the restricted deviance at the true hospital_sd, patient_sd at its best."""
    a, b = trial.between_df, trial.within_df
    extra = trial.patients_per_hospital * trial.hospital_sd**2

    def height(log_s2: Floats) -> Floats:
        s2 = np.exp(log_s2)
        v = s2 + extra
        return a * np.log(v) + squares.between / v + b * log_s2 + squares.within / s2 - a - b

    middle = np.log((squares.between + squares.within) / (a + b))
    low, high = middle - 4, middle + 2
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - golden * (high - low), low + golden * (high - low)
        down = height(left) < height(right)
        low, high = np.where(down, low, left), np.where(down, right, high)
    return height((low + high) / 2)


def _bootstrap_law(trial: Trial, level: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the quantile of |estimate| / standard error over a grid of log v/s²."""
    ratios = np.geomspace(1, 1e4, 40)
    a, b = trial.between_df, trial.within_df
    between, within = rng.chisquare(a, _BOOTSTRAPS), rng.chisquare(b, _BOOTSTRAPS)
    draws = np.abs(rng.standard_normal(_BOOTSTRAPS)) * np.sqrt(4 / trial.n_patients)
    critical = np.empty(len(ratios))
    for k, ratio in enumerate(ratios):
        squares = Squares(ratio * between, within, ratio * between)
        se = standard_errors(trial, squares)["REML"][0]
        scale = np.sqrt(ratio) if trial.by_hospital else 1.0
        critical[k] = np.quantile(scale * draws / se, level)
    return np.log(ratios), critical


def _root(rejected: Callable[[Floats], Floats], high: Floats) -> Floats:
    """Return where a function of the half width changes sign, by bisection for all trials."""
    low = np.zeros_like(high)
    for _ in range(40):
        middle = (low + high) / 2
        above = rejected(middle) > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2
