"""Many small trials at once, each with its posterior: what posterior intervals promise.

Whole hospitals are treated, all hospitals have one size, so three numbers hold what a trial knows
of the effect: the difference of the arms' means and two sums of squares. The posterior of the
effect is then a mixture of normal curves over a grid of the two standard deviations. Thousands of
trials take seconds; `utils.exact` gives the same for one trial of any shape.

Examples
--------
>>> priors = Priors(effect_sd=10, hospital_sd=5, patient_sd=20)
>>> trials = draw_posteriors(2000, n_hospitals=6, patients_per_hospital=20, priors=priors, rng=1)
>>> bool(abs(trials["posterior_holds"].mean() - 0.95) < 0.02)
True
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from utils._effect_posterior import EffectPosterior, Priors, check_design, effect_posterior

__all__ = [
    "EffectPosterior",
    "Priors",
    "coverage_by_size",
    "draw_posteriors",
    "effect_posterior",
    "worth_in_hospitals",
]

Floats = NDArray[np.float64]

_CHUNK = 2000  # trials at a time, to save memory
_TRUTHS = ("treatment_effect", "hospital_sd", "patient_sd")


def draw_posteriors(
    n_trials: int,
    *,
    n_hospitals: int,
    patients_per_hospital: int,
    priors: Priors,
    truth: Mapping[str, float] | None = None,
    level: float = 0.95,
    rng: int | np.random.Generator,
) -> pd.DataFrame:
    """Draw many trials, and give each its posterior interval and its confidence interval.

    Parameters
    ----------
    n_trials : int
        At least 1.
    n_hospitals : int
        3 or more; half of them treated (one more where their number is odd).
    patients_per_hospital : int
        2 or more.
    priors : Priors
        Of the analysis. What `truth` does not hold is drawn from them, anew for each trial.
    truth : mapping, optional
        Fixed true values of "treatment_effect", "hospital_sd", "patient_sd", mmHg.
    level : float
        Of both intervals, between 0 and 1. The posterior's has equal tails.
    rng : int or numpy.random.Generator
        Seed or generator.

    Returns
    -------
    pandas.DataFrame
        One row a trial: the true ``treatment_effect``, ``hospital_sd`` and ``patient_sd``; the
        ``estimate`` (difference of the arms' means), ``t_lower``, ``t_upper`` and ``t_holds``
        (the truth) of the t-test on hospital means; ``posterior_mean``, ``posterior_lower``,
        ``posterior_upper``, ``posterior_holds``; and ``below_zero``, the posterior probability
        of an effect below 0.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Examples
    --------
    >>> trials = draw_posteriors(1000, n_hospitals=6, patients_per_hospital=20, rng=1,
    ...                          priors=Priors(effect_sd=3, hospital_sd=5, patient_sd=20),
    ...                          truth={"treatment_effect": -12})
    >>> bool(trials["posterior_holds"].mean() < 0.8 < 0.93 < trials["t_holds"].mean())
    True
    """
    if n_trials < 1:
        raise ValueError(f"n_trials must be at least 1, got {n_trials!r}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level!r}")
    arms = (n_hospitals // 2, n_hospitals - n_hospitals // 2)
    check_design(arms, patients_per_hospital)
    generator = np.random.default_rng(rng)
    true = _truths(n_trials, priors, dict(truth or {}), generator)
    n, df = patients_per_hospital, n_hospitals - 2
    total = n * true["hospital_sd"] ** 2 + true["patient_sd"] ** 2
    between = total * generator.chisquare(df, n_trials)
    within = true["patient_sd"] ** 2 * generator.chisquare(n_hospitals * (n - 1), n_trials)
    share = 1 / arms[0] + 1 / arms[1]
    noise = generator.standard_normal(n_trials)
    estimate = true["treatment_effect"] + np.sqrt(total / n * share) * noise
    half = stats.t.ppf((1 + level) / 2, df) * np.sqrt(between / df / n * share)
    tails = ((1 - level) / 2, (1 + level) / 2)
    parts = []
    for start in range(0, n_trials, _CHUNK):
        some = slice(start, start + _CHUNK)
        found = effect_posterior(
            estimate[some], between[some], within[some],
            arms=arms, patients_per_hospital=n, priors=priors,
        )  # fmt: skip
        parts.append([found.mean, *(found.quantile(tail) for tail in tails), found.cdf(0.0)])
    mean, lower, upper, below = np.concatenate(parts, axis=1)

    def holds(low: Floats, high: Floats) -> NDArray[np.bool_]:
        return (low <= true["treatment_effect"]) & (true["treatment_effect"] <= high)

    return pd.DataFrame(
        {
            **true,
            "estimate": estimate,
            "t_lower": estimate - half,
            "t_upper": estimate + half,
            "t_holds": holds(estimate - half, estimate + half),
            "posterior_mean": mean,
            "posterior_lower": lower,
            "posterior_upper": upper,
            "posterior_holds": holds(lower, upper),
            "below_zero": below,
        }
    )


def coverage_by_size(trials: pd.DataFrame, column: str, edges: Sequence[float]) -> pd.DataFrame:
    """Return how often both intervals hold the truth, trials sorted by the size of something.

    Parameters
    ----------
    trials : DataFrame
        From `draw_posteriors`.
    column : str
        What they are sorted by, without its sign: such as "estimate" or "treatment_effect".
    edges : sequence of float
        Ascending. Sizes from each to the next form a class (the lower edge is not in it, the upper
        is); sizes above the last form one more.

    Returns
    -------
    pandas.DataFrame
        One row a class that has trials, in words: ``confidence`` and ``posterior`` (share of
        trials whose interval holds the truth), and ``trials`` (their number).

    Raises
    ------
    ValueError
        If the edges do not ascend from 0, or the trials lack a column.

    Examples
    --------
    >>> trials = draw_posteriors(500, n_hospitals=6, patients_per_hospital=20, rng=1,
    ...                          priors=Priors(effect_sd=5, hospital_sd=5, patient_sd=20))
    >>> list(coverage_by_size(trials, "estimate", [0, 5, 10]).index)
    ['to 5', 'to 10', 'beyond']
    """
    bounds = [float(edge) for edge in edges]
    if bounds[:1] != [0.0] or len(bounds) < 2 or sorted(set(bounds)) != bounds:
        raise ValueError(f"edges must ascend from 0, two or more, got {list(edges)}")
    for name in (column, "t_holds", "posterior_holds"):
        if name not in trials.columns:
            raise ValueError(f"trials must have the columns of draw_posteriors; {name!r} is not")
    labels = [*(f"to {edge:g}" for edge in bounds[1:]), "beyond"]
    size = pd.cut(trials[column].abs(), [*bounds, np.inf], labels=labels, include_lowest=True)
    by_size = trials.groupby(size, observed=True)
    return pd.DataFrame(
        {
            "confidence": by_size["t_holds"].mean(),
            "posterior": by_size["posterior_holds"].mean(),
            "trials": by_size.size(),
        }
    )


def worth_in_hospitals(
    effect_sd: ArrayLike, *, patients_per_hospital: int, hospital_sd: float, patient_sd: float
) -> float | Floats:
    """Return how many hospitals a prior of the treatment effect is worth.

    Parameters
    ----------
    effect_sd : float or array-like
        SD of the normal prior, mmHg, above 0.
    patients_per_hospital : int
        1 or more.
    hospital_sd, patient_sd : float
        Standard deviations, mmHg, 0 or more.

    Raises
    ------
    ValueError
        If a number breaks its rule.

    Notes
    -----
    A trial of J hospitals, half of them treated, estimates the effect with variance
    4/J (hospital_sd² + patient_sd²/n). The prior is worth the J for which that is effect_sd².
    With known standard deviations a trial's weight in the posterior mean is J/(J + that number).

    Examples
    --------
    >>> round(worth_in_hospitals(10, patients_per_hospital=20, hospital_sd=4, patient_sd=12), 2)
    0.93
    """
    sd = np.asarray(effect_sd, float)
    if not np.all(np.isfinite(sd) & (sd > 0)):
        raise ValueError(f"effect_sd must be a finite number above 0, got {effect_sd!r}")
    for name, value, least in (
        ("patients_per_hospital", patients_per_hospital, 1),
        ("hospital_sd", hospital_sd, 0),
        ("patient_sd", patient_sd, 0),
    ):
        if not (math.isfinite(value) and value >= least):
            raise ValueError(f"{name} must be {least} or more, got {value!r}")
    worth = 4 * (hospital_sd**2 + patient_sd**2 / patients_per_hospital) / sd**2
    return float(worth) if worth.ndim == 0 else worth


def _truths(
    n_trials: int, priors: Priors, fixed: dict[str, float], rng: np.random.Generator
) -> dict[str, Floats]:
    """Return true values of each trial: those that are fixed, the others drawn from the priors."""
    for name, value in fixed.items():
        if name not in _TRUTHS:
            raise ValueError(f"truth has {', '.join(_TRUTHS)}, got {name!r}")
        least = {"hospital_sd": 0.0, "patient_sd": 1e-12}.get(name, -math.inf)
        if not (math.isfinite(value) and value >= least):
            raise ValueError(f"the true {name} cannot be {value!r}")
    drawn = {
        "treatment_effect": priors.effect_mean + priors.effect_sd * rng.standard_normal(n_trials),
        "hospital_sd": np.abs(priors.hospital_sd * rng.standard_normal(n_trials)),
        "patient_sd": np.abs(priors.patient_sd * rng.standard_normal(n_trials)),
    }
    return {
        name: np.full(n_trials, float(fixed[name])) if name in fixed else values
        for name, values in drawn.items()
    }
