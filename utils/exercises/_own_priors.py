"""Own hospitals of lesson 13: a trial by hospital, three priors, and the known wrong ways."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtr

from utils.simulate import Study, med_trial

__all__ = ["MISTAKES", "PRIORS", "own_hospitals", "worst_upper_end"]

PRIORS = {
    "tight": stats.halfnorm(scale=2),
    "middle": stats.halfnorm(scale=5),
    "wide": stats.halfcauchy(scale=25),
    "moved": stats.halfcauchy(25),  # a mistake: it starts at 25
}
# Wrong ways must differ from the right one by this many mmHg in own hospitals.
_APART = 0.8

_AT = (0.025, 0.5, 0.95, 0.975)
_LOW, _MIDDLE, _HIGH_95, _HIGH = range(4)

_KNOWN: WeakKeyDictionary = WeakKeyDictionary()  # study -> _Own


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own trial: few hospitals of unequal size, treated as a whole.

    Trials in which a wrong way happens to give the right number are drawn again.
    """
    while True:
        half = int(rng.integers(3, 5))
        study = med_trial(
            n_hospitals=2 * half,
            patients_per_hospital=rng.integers(12, 29, size=2 * half),
            treatment_effect=-round(float(rng.uniform(3, 9)), 1),
            hospital_sd=round(float(rng.uniform(2.5, 5)), 1),
            patient_sd=round(float(rng.uniform(10, 13)), 1),
            assignment="hospital",
            rng=rng,
        )
        right = worst_upper_end(study)
        wrong = [value(study) for _, value in MISTAKES]
        if all(abs(value - right) > _APART for value in wrong):
            return study


class _Own:
    """The posterior of a trial by hospital under each prior, by plain sums on a lattice.

    A hundred times as fast as `utils.exact`, which a test holds it to.
    """

    def __init__(self, study: Study) -> None:
        code = study.data["hospital"].cat.codes.to_numpy()
        y, treated = study.data["sbp"].to_numpy(), study.data["treated"].to_numpy(float)
        n = np.bincount(code)
        mean, t = np.bincount(code, y) / n, np.bincount(code, treated) / n
        inside, df = ((y - mean[code]) ** 2).sum(), len(y) - len(n)
        x, rule = np.polynomial.hermite_e.hermegauss(7)
        log_sigma = 0.5 * np.log(inside / df) + x / np.sqrt(2 * df)
        sigma2 = np.exp(2 * log_sigma)
        tau = np.exp(np.linspace(np.log(0.01), np.log(2000), 161))
        w = 1 / (tau[:, None, None] ** 2 + sigma2[:, None] / n)  # tau, sigma, hospital
        # Normal equations of mean (prior N(140, 50²)) and effect (N(0, 20²)).
        a, b, c = w.sum(2) + 1 / 50**2, w @ t, w @ t**2 + 1 / 20**2
        d = mean - 140
        p, q = w @ d, w @ (t * d)
        det = a * c - b**2
        middle, spread = (a * q - b * p) / det, np.sqrt(a / det)
        fit = (c * p**2 - 2 * b * p * q + a * q**2) / det
        f = 0.5 * (np.log(w).sum(2) - np.log(det) - w @ d**2 + fit)
        f += -df * log_sigma - inside / 2 / sigma2 - sigma2 / 800 + log_sigma  # half-normal(20)
        f += 0.5 * x**2 + np.log(rule)
        self.effect, self.sd = {}, {}
        for name, prior in PRIORS.items():
            with np.errstate(divide="ignore"):
                law = prior.logpdf(tau) + np.log(tau)
            law[0] -= np.log(1 - tau[0] / tau[1])  # below the lattice densities are constant
            weight = np.exp(f + law[:, None] - (f + law[:, None]).max())
            weight /= weight.sum()
            self.effect[name] = [_quantile(middle, spread, weight, p) for p in _AT]
            rows = weight.sum(1)
            ends = np.interp(_AT, np.cumsum(rows) - rows / 2, np.log(tau))
            self.sd[name] = np.exp(ends).tolist()
        # Without hospitals: the tau of the lattice that is next to nothing.
        weight = np.exp(f[0] - f[0].max())
        weight /= weight.sum()
        self.effect["no hospitals"] = [_quantile(middle[0], spread[0], weight, p) for p in _AT]


def _quantile(middle: np.ndarray, spread: np.ndarray, weight: np.ndarray, p: float) -> float:
    keep = weight > 1e-9
    middle, spread, weight = middle[keep], spread[keep], weight[keep]
    return float(brentq(lambda at: weight @ ndtr((at - middle) / spread) - p, -300, 300))


def _own(study: Study) -> _Own:
    if study not in _KNOWN:
        _KNOWN[study] = _Own(study)
    return _KNOWN[study]


def worst_upper_end(study: Study) -> float:
    """Return the largest upper end of the effect's 95 % interval over the three priors, mmHg."""
    effect = _own(study).effect
    return max(effect[name][_HIGH] for name in ("tight", "middle", "wide"))


def _effect(name: str, which: int) -> Callable[[Study], float]:
    return lambda study: _own(study).effect[name][which]


MISTAKES: tuple[tuple[str, Callable[[Study], float]], ...] = (
    (
        "That is the *lower* end of the widest interval. The upper end is asked for.",
        _effect("wide", _LOW),
    ),
    (
        "That is the upper end under half-normal(2), the smallest of the three. The worst case is "
        "asked for.",
        _effect("tight", _HIGH),
    ),
    (
        "That is the upper end under half-normal(5). One of the other two reaches further.",
        _effect("middle", _HIGH),
    ),
    (
        "That is where 5 % of the posterior are left above. A 95 % interval leaves 2.5 % at either "
        "end.",
        _effect("wide", _HIGH_95),
    ),
    (
        "That is the middle of the posterior. The upper end of the interval is asked for.",
        _effect("wide", _MIDDLE),
    ),
    (
        "That is the width of the interval. Its upper end is asked for.",
        lambda study: _own(study).effect["wide"][_HIGH] - _own(study).effect["wide"][_LOW],
    ),
    (
        "That is the upper end for hospital_sd. The effect is asked for.",
        lambda study: _own(study).sd["wide"][_HIGH],
    ),
    (
        "That leaves out the hospitals, as if all patients were independent. Whole hospitals were "
        "treated.",
        _effect("no hospitals", _HIGH),
    ),
    (
        "`stats.halfcauchy(25)` moves the prior up so that it starts at 25. Write "
        "`stats.halfcauchy(scale=25)`.",
        _effect("moved", _HIGH),
    ),
)
