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
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import ndtr, ndtri

__all__ = [
    "EffectPosterior",
    "Priors",
    "coverage_by_size",
    "draw_posteriors",
    "effect_posterior",
    "worth_in_hospitals",
]

Floats = NDArray[np.float64]

_TAU_NODES, _SIGMA_NODES = 40, 6
_CHUNK = 2000  # trials at a time, to save memory
_TRUTHS = ("treatment_effect", "hospital_sd", "patient_sd")


@dataclass(frozen=True, kw_only=True)
class Priors:
    """What was believed of a trial's parameters beforehand.

    Parameters
    ----------
    effect_mean, effect_sd : float
        Normal prior of the treatment effect, mmHg; its SD is above 0.
    hospital_sd, patient_sd : float
        Scales of the half-normal priors (the right half of a normal curve around 0) of the
        standard deviations between hospitals and between patients of one hospital, mmHg, above 0.

    Raises
    ------
    ValueError
        If a number breaks its rule.

    Notes
    -----
    The intercept has a flat prior; the effect's posterior then does not depend on its value.
    """

    effect_mean: float = 0.0
    effect_sd: float
    hospital_sd: float
    patient_sd: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.effect_mean):
            raise ValueError(f"effect_mean must be a finite number, got {self.effect_mean!r}")
        for name in ("effect_sd", "hospital_sd", "patient_sd"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be a finite number above 0, got {value!r}")


@dataclass(frozen=True, eq=False)
class EffectPosterior:
    """Posterior of the treatment effect, of many trials: mixtures of normal curves.

    Attributes
    ----------
    centre, spread, weight : array, shape (trials, parts)
        Means and SDs of the normal curves (mmHg), and their shares, which sum to 1.
    """

    centre: Floats
    spread: Floats
    weight: Floats

    @property
    def mean(self) -> Floats:
        """Posterior means, mmHg, shape (trials,)."""
        return (self.weight * self.centre).sum(1)

    @property
    def sd(self) -> Floats:
        """Posterior SDs, mmHg, shape (trials,)."""
        away = (self.centre - self.mean[:, None]) ** 2
        return np.sqrt((self.weight * (self.spread**2 + away)).sum(1))

    def cdf(self, value: ArrayLike) -> Floats:
        """Return the probability of an effect at or below a value (one, or one a trial)."""
        at = np.asarray(value, float).reshape(-1, 1)
        return (self.weight * ndtr((at - self.centre) / self.spread)).sum(1)

    def quantile(self, probability: float) -> Floats:
        """Return the value that the effect lies below with a given probability, a trial.

        Raises
        ------
        ValueError
            If the probability is not between 0 and 1.
        """
        if not 0 < probability < 1:
            raise ValueError(f"probability must lie between 0 and 1, got {probability!r}")
        z, mean, sd = float(ndtri(probability)), self.mean, self.sd
        value, reach = mean + z * sd, 40 * sd
        low, high = mean - reach, mean + reach
        for _ in range(60):  # Newton's steps, halved where they would leave the bracket
            away = (value[:, None] - self.centre) / self.spread
            gap = (self.weight * ndtr(away)).sum(1) - probability
            slope = (self.weight / self.spread * np.exp(-(away**2) / 2)).sum(1) / math.sqrt(
                2 * math.pi
            )
            far = np.abs(gap) > 1e-7
            if not far.any():
                break
            low, high = np.where(gap < 0, value, low), np.where(gap < 0, high, value)
            step = value - gap / np.maximum(slope, 1e-300)
            step = np.where((step > low) & (step < high), step, (low + high) / 2)
            value = np.where(far, step, value)
        return value


def effect_posterior(
    estimate: ArrayLike,
    between: ArrayLike,
    within: ArrayLike,
    *,
    arms: tuple[int, int],
    patients_per_hospital: int,
    priors: Priors,
) -> EffectPosterior:
    """Return the posterior of the effect of a treatment given to whole hospitals of one size.

    Parameters
    ----------
    estimate : float or array, shape (trials,)
        Mean of the treated hospitals less that of the others, mmHg.
    between : float or array, shape (trials,)
        Patients per hospital times the sum of squares of the hospitals' means around the mean of
        their arm, mmHg².
    within : float or array, shape (trials,)
        Sum of squares of the patients around the mean of their hospital, mmHg², above 0.
    arms : (int, int)
        Hospitals without and with the treatment, 1 or more each, 3 or more together.
    patients_per_hospital : int
        2 or more.
    priors : Priors
        The intercept has a flat prior.

    Raises
    ------
    ValueError
        If a number breaks its rule.

    Notes
    -----
    With V = n hospital_sd² + patient_sd²: between/V and within/patient_sd² are chi-square with
    J - 2 and J (n - 1) degrees of freedom, and the estimate is normal around the effect with
    variance v = V/n (1/J0 + 1/J1), all three independent (Searle SR, Casella G, McCulloch CE,
    *Variance Components*, 1992, chapter 3). Given both SDs the effect is normal with mean
    m + w (estimate - m) and variance w v, where w = s²/(s² + v) is lesson 3's weight with the
    prior N(m, s²) in the place of the population of hospitals. The nodes of patient_sd follow the
    data, those of hospital_sd its prior, with a heavier tail.

    Examples
    --------
    >>> priors = Priors(effect_sd=1e6, hospital_sd=5, patient_sd=20)
    >>> found = effect_posterior(-6.0, 5000.0, 16000.0, arms=(3, 3), patients_per_hospital=20,
    ...                          priors=priors)
    >>> found.mean.round(3).tolist()  # a flat prior leaves the estimate alone
    [-6.0]
    """
    d, b, w = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, float)) for x in (
        estimate, between, within)))  # fmt: skip
    n = patients_per_hospital
    _check_design(arms, n)
    if np.any(w <= 0) or np.any(b < 0):
        raise ValueError(
            f"within must be above 0 and between 0 or more, got {w.min():g} and {b.min():g}"
        )
    hospitals = sum(arms)
    p, share = _legendre(_SIGMA_NODES)
    q = stats.chi2.ppf(p, hospitals * (n - 1) - 1)
    sigma2 = (w[:, None] / q)[:, :, None]  # trials x sigma x 1
    tau, log_tau_share = _tau_nodes(priors.hospital_sd)
    total = n * tau**2 + sigma2  # V
    v = total / n * (1 / arms[0] + 1 / arms[1])
    s2, m = priors.effect_sd**2, priors.effect_mean
    away = (d - m)[:, None, None]
    log_weight = (
        np.log(share)[:, None]
        + log_tau_share
        - sigma2 / (2 * priors.patient_sd**2)
        - (hospitals - 2) / 2 * np.log(total)
        - b[:, None, None] / (2 * total)
        - np.log(v + s2) / 2
        - away**2 / (2 * (v + s2))
    ).reshape(len(d), -1)
    weight = np.exp(log_weight - log_weight.max(1, keepdims=True))
    pull = s2 / (s2 + v)
    return EffectPosterior(
        centre=(m + pull * away).reshape(len(d), -1),
        spread=np.sqrt(pull * v).reshape(len(d), -1),
        weight=weight / weight.sum(1, keepdims=True),
    )


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
    _check_design(arms, patients_per_hospital)
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


@lru_cache(maxsize=4)
def _legendre(nodes: int) -> tuple[Floats, Floats]:
    """Return nodes and weights of Gauss-Legendre's rule on 0 to 1."""
    x, weight = np.polynomial.legendre.leggauss(nodes)
    return (x + 1) / 2, weight / 2


@lru_cache(maxsize=16)
def _tau_nodes(scale: float) -> tuple[Floats, Floats]:
    """Return nodes of hospital_sd, and the log of rule's weight times prior density over theirs.

    They are quantiles of a half-t law with 4 degrees of freedom and the prior's scale.
    """
    p, weight = _legendre(_TAU_NODES)
    t = stats.t.ppf((1 + p) / 2, 4)
    ratio = -(t**2) / 2 - stats.t.logpdf(t, 4)
    return scale * t, np.log(weight) + ratio


def _check_design(arms: tuple[int, int], patients_per_hospital: int) -> None:
    if min(arms) < 1 or sum(arms) < 3:
        raise ValueError(
            f"there must be 3 hospitals or more, at least one in each arm, got {tuple(arms)}"
        )
    if patients_per_hospital != int(patients_per_hospital) or patients_per_hospital < 2:
        raise ValueError(
            "patients_per_hospital must be a whole number of 2 or more, "
            f"got {patients_per_hospital!r}"
        )
