"""Own hospitals of lesson 11: a trial by hospital, a posterior probability, wrong ways to it."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
from scipy import stats

from utils.posterior_trials import Priors, effect_posterior
from utils.simulate import Study, med_trial

__all__ = ["MISTAKES", "own_hospitals", "probability"]

PRIORS = Priors(effect_sd=5, hospital_sd=5, patient_sd=20)
LIMIT = -3.0  # mmHg
_APART = 0.05  # what each wrong way must differ by


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own trial: few hospitals of one size, treated as a whole.

    Trials in which a wrong way comes close to the right probability are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=2 * int(rng.integers(3, 6)),
            patients_per_hospital=int(rng.integers(14, 25)),
            treatment_effect=-round(float(rng.uniform(3, 12)), 1),
            hospital_sd=round(float(rng.uniform(3, 6)), 1),
            patient_sd=round(float(rng.uniform(9, 13)), 1),
            assignment="hospital",
            rng=rng,
        )
        right = probability(study)
        wrong = [value(study) for _, value in MISTAKES]
        if 0.15 < right < 0.97 and all(abs(value - right) > _APART for value in wrong):
            return study


class _Own:
    """What the checks need of an own trial, by plain sums."""

    def __init__(self, study: Study) -> None:
        data = study.data
        codes = data["hospital"].cat.codes.to_numpy()
        y, treated = data["sbp"].to_numpy(), data["treated"].to_numpy()
        n = np.bincount(codes)
        means, arm = np.bincount(codes, y) / n, np.bincount(codes, treated) / n > 0.5
        self.size, self.hospitals = int(n[0]), len(n)
        self.arms = (int((~arm).sum()), int(arm.sum()))
        self.estimate = float(means[arm].mean() - means[~arm].mean())
        around = means - np.where(arm, means[arm].mean(), means[~arm].mean())
        self.between = float(self.size * (around**2).sum())
        self.within = float(((y - means[codes]) ** 2).sum())
        self.share = 1 / self.arms[0] + 1 / self.arms[1]

    def below(self, limit: float, *, effect_sd: float = PRIORS.effect_sd) -> float:
        """Return the posterior probability of an effect below a limit."""
        priors = Priors(
            effect_sd=effect_sd, hospital_sd=PRIORS.hospital_sd, patient_sd=PRIORS.patient_sd
        )
        found = effect_posterior(
            self.estimate, self.between, self.within,
            arms=self.arms, patients_per_hospital=self.size, priors=priors,
        )  # fmt: skip
        return float(found.cdf(limit)[0])

    def t_test(self) -> float:
        """Return the one-sided p-value of the t-test on hospital means, against the limit."""
        df = self.hospitals - 2
        error = sqrt(self.between / df / self.size * self.share)
        return float(stats.t.cdf((LIMIT - self.estimate) / error, df))

    def naive(self) -> float:
        """Return the probability if hospitals did not differ and the prior were flat."""
        patients = self.size * self.hospitals
        variance = (self.between + self.within) / (patients - 2)
        error = sqrt(variance / self.size * self.share)
        return float(stats.norm.cdf((LIMIT - self.estimate) / error))


def _own(value: Callable[[_Own], float]) -> Callable[[Study], float]:
    return lambda study: value(_Own(study))


probability = _own(lambda own: own.below(LIMIT))

MISTAKES = (
    (
        "That is the probability of the other side: an effect *above* −3 mmHg. Lowering by more "
        "than 3 means an effect below −3.",
        _own(lambda own: 1 - own.below(LIMIT)),
    ),
    (
        "That is the probability of any lowering at all, an effect below 0. The question asks for "
        "more than 3 mmHg.",
        _own(lambda own: own.below(0)),
    ),
    (
        "That is the probability of an effect below +3 mmHg. Lowering is negative: ask for "
        "below −3.",
        _own(lambda own: own.below(-LIMIT)),
    ),
    (
        "That is the answer with a flat, or a very wide, prior for the effect. The question gives "
        "it an SD of 5 mmHg.",
        _own(lambda own: own.below(LIMIT, effect_sd=1e5)),
    ),
    (
        "That is the answer with this lesson's own prior for the effect, SD 10 mmHg. The question "
        "gives it an SD of 5 mmHg.",
        _own(lambda own: own.below(LIMIT, effect_sd=10)),
    ),
    (
        "Your prior for the effect is much narrower than asked: √5 in place of 5? `beta` takes "
        "standard deviations.",
        _own(lambda own: own.below(LIMIT, effect_sd=sqrt(PRIORS.effect_sd))),
    ),
    (
        "That agrees with a t-test on the hospitals' means. It uses no prior, and its p-value is "
        "not a probability of the effect.",
        _own(lambda own: own.t_test()),
    ),
    (
        "You counted patients as if hospitals did not differ. The model needs the hospitals, and "
        "the priors.",
        _own(lambda own: own.naive()),
    ),
)
