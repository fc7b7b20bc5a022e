"""The posterior of a treatment's effect on whole hospitals of one size, of many trials at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import ndtr, ndtri

__all__ = ["EffectPosterior", "Priors", "check_design", "effect_posterior"]

Floats = NDArray[np.float64]

_TAU_NODES, _SIGMA_NODES = 40, 6


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
    check_design(arms, n)
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


def check_design(arms: tuple[int, int], patients_per_hospital: int) -> None:
    """Raise ValueError unless there are hospitals and patients enough for a posterior."""
    if min(arms) < 1 or sum(arms) < 3:
        raise ValueError(
            f"there must be 3 hospitals or more, at least one in each arm, got {tuple(arms)}"
        )
    if patients_per_hospital != int(patients_per_hospital) or patients_per_hospital < 2:
        raise ValueError(
            "patients_per_hospital must be a whole number of 2 or more, "
            f"got {patients_per_hospital!r}"
        )
