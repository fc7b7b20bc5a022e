"""The priors that the sensitivity explorer offers, as densities of a standard deviation.

A family is a formula with one number, its scale, so that a whole strip of scales is computed at
once. `make` returns the same prior as the object that `utils.exact` takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.optimize import brentq
from scipy.special import gammaln, ndtr

from utils._exact_priors import HalfStudentT, InverseGammaVariance, ScalePrior

Floats = NDArray[np.float64]

__all__ = ["FAMILIES", "Family", "TauPrior", "half_width", "make"]

_LOG_2 = math.log(2)
_LOG_PI = math.log(math.pi)


@dataclass(frozen=True)
class Family:
    """One kind of prior for tau.

    Attributes
    ----------
    name : str
        What the learner reads.
    scale : str
        What its number is, as text; empty for a flat prior.
    log_density : callable
        (log tau, log scale) -> log density of tau, broadcasting.
    tail : callable
        scale -> a where the density falls as tau ** -a; infinite if faster than any power.
    bounded : bool
        Whether tau cannot exceed the scale.
    """

    name: str
    scale: str
    log_density: Callable[[Floats, Floats], Floats]
    tail: Callable[[float], float]
    bounded: bool = False


def _half_normal(t: Floats, s: Floats) -> Floats:
    return 0.5 * (_LOG_2 - _LOG_PI) - s - 0.5 * np.exp(np.minimum(2 * (t - s), 600))


def _half_t3(t: Floats, s: Floats) -> Floats:
    nu = 3.0
    constant = _LOG_2 + gammaln(2.0) - gammaln(1.5) - 0.5 * math.log(nu * math.pi)
    return constant - s - 2.0 * np.log1p(np.exp(np.minimum(2 * (t - s), 600)) / nu)


def _half_cauchy(t: Floats, s: Floats) -> Floats:
    return _LOG_2 - _LOG_PI - s - np.log1p(np.exp(np.minimum(2 * (t - s), 600)))


def _exponential(t: Floats, s: Floats) -> Floats:
    return -s - np.exp(np.minimum(t - s, 600))


def _uniform(t: Floats, s: Floats) -> Floats:
    return np.where(t <= s + 1e-12, -s, -np.inf)


def _inverse_gamma(t: Floats, s: Floats) -> Floats:
    a = np.exp(s)
    body = a * s - gammaln(a) + _LOG_2 - (2 * a + 1) * t
    return body - a * np.exp(np.minimum(-2 * t, 600))


def _flat(t: Floats, s: Floats) -> Floats:
    return np.zeros(np.broadcast_shapes(np.shape(t), np.shape(s)))


#: Key in the state -> family.
FAMILIES: dict[str, Family] = {
    "half-normal": Family("half-normal", "scale", _half_normal, lambda s: math.inf),
    "half-t": Family("half-t, 3 df", "scale", _half_t3, lambda s: 4.0),
    "half-Cauchy": Family("half-Cauchy", "scale", _half_cauchy, lambda s: 2.0),
    "exponential": Family("exponential", "mean", _exponential, lambda s: math.inf),
    "uniform": Family("uniform", "upper end", _uniform, lambda s: math.inf, bounded=True),
    "inverse-gamma": Family("inverse-gamma(ε, ε) on τ²", "ε", _inverse_gamma, lambda s: 2 * s + 1),
    "flat": Family("flat", "", _flat, lambda s: 0.0),
}


def make(family: str, scale: float, own: object = None) -> object:
    """Return the prior as `utils.exact` and `to_pymc` take it.

    Parameters
    ----------
    family : str
        A key of FAMILIES, or "yours".
    scale : float
        Its number, in the unit of tau (for "inverse-gamma" the ε of both its parameters).
    own : object with a method logpdf
        What "yours" is.

    Examples
    --------
    >>> float(make("exponential", 5.0).mean())
    5.0
    """
    if family == "yours":
        return own
    return {
        "half-normal": lambda: stats.halfnorm(scale=scale),
        "half-t": lambda: HalfStudentT(3, scale),
        "half-Cauchy": lambda: stats.halfcauchy(scale=scale),
        "exponential": lambda: stats.expon(scale=scale),
        "uniform": lambda: stats.uniform(0, scale),
        "inverse-gamma": lambda: InverseGammaVariance(scale, scale),
        "flat": lambda: "flat",
    }[family]()


class TauPrior:
    """One prior of tau, or one per scale of a strip.

    Parameters
    ----------
    family : str
        A key of FAMILIES, or "yours".
    scale : float
        Ignored by "flat" and "yours".
    own : ScalePrior, optional
        The learner's own prior, looked through.

    Attributes
    ----------
    tail, low, high : float
        How its density falls far out, and the support of tau.
    marks : ndarray
        Logs of values near which the density may change abruptly.
    """

    def __init__(self, family: str, scale: float, own: ScalePrior | None = None) -> None:
        self.family, self.scale, self.own = family, scale, own
        self.flat = family == "flat"
        if family == "yours":
            self.tail, self.low, self.high = own.tail, own.low, own.high
            self.marks = own.landmarks
        else:
            kind = FAMILIES[family]
            self.tail, self.low = kind.tail(scale), 0.0
            self.high = scale if kind.bounded else math.inf
            self.marks = np.array([math.log(scale)])

    def log_density(self, log_tau: Floats) -> Floats:
        """Return the log density of log tau (of tau itself, times tau)."""
        if self.family == "yours":
            return self.own.log_density(log_tau)
        return FAMILIES[self.family].log_density(log_tau, math.log(self.scale)) + log_tau

    def density(self, tau: ArrayLike) -> Floats:
        """Return the density of tau; 1 throughout for a flat one."""
        log_tau = np.log(np.maximum(np.asarray(tau, float), 1e-300))
        return np.exp(self.log_density(log_tau) - log_tau)

    def new_hospital(self) -> float:
        """Return h such that a new hospital lies within h of the average with probability .95.

        Infinite for a flat prior, which says nothing of a new hospital.
        """
        if self.flat:
            return math.inf
        if self.family == "inverse-gamma":  # a normal law whose variance is so is a t law
            with np.errstate(over="ignore"):
                return float(stats.t(2 * self.scale).ppf(0.975))
        if self.family == "yours":
            return _half_width_of(self)
        return self.scale * _unit_half_width(self.family)


@lru_cache
def _unit_half_width(family: str) -> float:
    return _half_width_of(TauPrior(family, 1.0))


def _half_width_of(prior: TauPrior) -> float:
    """Return the half-width for a proper prior, by a fine sum over log tau."""
    middle = float(np.median(prior.marks))
    t = np.linspace(min(prior.marks.min(), middle) - 25, max(prior.marks.max(), middle) + 25, 8001)
    if np.isfinite(prior.high):
        t = np.linspace(t[0], math.log(prior.high), 8001)
    f = prior.log_density(t)
    weight = np.exp(f - f.max())
    weight[[0, -1]] /= 2
    return half_width(np.exp(t), weight / weight.sum())


def half_width(sd: Floats, weight: Floats, probability: float = 0.95) -> float:
    """Return h with P(|u| < h) = probability, where u is a mixture of N(0, sd²).

    Parameters
    ----------
    sd : ndarray, shape (n,)
        Positive.
    weight : ndarray, shape (n,)
        Adds up to 1.

    Examples
    --------
    >>> round(half_width(np.array([10.0]), np.array([1.0])), 2)
    19.6
    """
    tail = (1 - probability) / 2

    def beyond(log_h: float) -> float:
        return float(ndtr(-math.exp(log_h) / sd) @ weight) - tail

    low = high = math.log(float(sd[np.searchsorted(np.cumsum(weight), 0.5).clip(0, len(sd) - 1)]))
    while beyond(low) < 0 and low > -700:
        low -= 1.5
    while beyond(high) > 0:
        high += 1.5
        if high > 700:
            return math.inf
    return math.exp(brentq(beyond, low, high, xtol=1e-10))
