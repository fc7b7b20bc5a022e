"""Own hospitals of lesson 13: a trial by hospital under two priors, and the known wrong ways."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtr

from utils.simulate import Study, med_trial

__all__ = ["MISTAKES", "own_hospitals", "times_as_wide"]

WIDE, TIGHT = stats.halfcauchy(scale=25), stats.halfnorm(scale=2)
# Wrong ways must differ from the right one by this share in own hospitals.
_APART = 0.09

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
        right = times_as_wide(study)
        wrong = [value(study) for _, value in MISTAKES]
        if right > 1.25 and all(abs(value / right - 1) > _APART for value in wrong):
            return study


class _Own:
    """The posterior of a trial by hospital under both priors, by plain sums on a lattice.

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
        self.widths, self.sds, self.tau_widths = {}, {}, {}
        for name, prior in (("wide", WIDE), ("tight", TIGHT)):
            law = prior.logpdf(tau) + np.log(tau)
            law[0] -= np.log(1 - tau[0] / tau[1])  # below the lattice densities are constant
            weight = np.exp(f + law[:, None] - (f + law[:, None]).max())
            weight /= weight.sum()
            low, high = (_quantile(middle, spread, weight, k) for k in (0.025, 0.975))
            self.widths[name] = high - low
            centre = (weight * middle).sum()
            second = (weight * (spread**2 + (middle - centre) ** 2)).sum()
            self.sds[name] = float(np.sqrt(second))
            rows = weight.sum(1)
            ends = np.interp([0.025, 0.975], np.cumsum(rows) - rows / 2, np.log(tau))
            self.tau_widths[name] = float(np.ptp(np.exp(ends)))

    def ratio(self, what: dict[str, float]) -> float:
        return what["wide"] / what["tight"]


def _quantile(middle: np.ndarray, spread: np.ndarray, weight: np.ndarray, p: float) -> float:
    keep = weight > 1e-9
    middle, spread, weight = middle[keep], spread[keep], weight[keep]
    return float(brentq(lambda at: weight @ ndtr((at - middle) / spread) - p, -300, 300))


def _own(study: Study) -> _Own:
    if study not in _KNOWN:
        _KNOWN[study] = _Own(study)
    return _KNOWN[study]


def times_as_wide(study: Study) -> float:
    """Return how many times as wide the effect's interval is under the wide prior."""
    own = _own(study)
    return own.ratio(own.widths)


MISTAKES: tuple[tuple[str, Callable[[Study], float]], ...] = (
    (
        "That is the narrow interval over the wide one. Turn the ratio round.",
        lambda study: 1 / times_as_wide(study),
    ),
    (
        "That is by how many mmHg the interval grows. A ratio is asked for.",
        lambda study: _own(study).widths["wide"] - _own(study).widths["tight"],
    ),
    (
        "That is the share by which the interval grows. Add 1: how many *times* as wide is asked "
        "for.",
        lambda study: times_as_wide(study) - 1,
    ),
    (
        "That is the ratio of the variances. Widths go with standard deviations.",
        lambda study: _own(study).ratio(_own(study).sds) ** 2,
    ),
    (
        "That is the ratio for hospital_sd. The interval of the effect is asked for.",
        lambda study: _own(study).ratio(_own(study).tau_widths),
    ),
    (
        "That is the ratio of the two scales of the priors. How far the *posterior* follows is "
        "the question.",
        lambda study: 12.5,
    ),
    (
        "Both intervals are the same in your answer. Did both fits get the same prior, or did "
        "the model leave out the hospitals?",
        lambda study: 1.0,
    ),
)
