"""Own hospitals of lesson 11: a trial by hospital, posterior probabilities, wrong ways to them."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pandas as pd
from scipy import stats

from utils.posterior_trials import EffectPosterior, Priors, effect_posterior
from utils.simulate import Study, med_trial

__all__ = ["MISTAKES", "own_hospitals", "probabilities"]

PRIORS = Priors(effect_sd=5, hospital_sd=5, patient_sd=20)
LIMITS = np.array([0.0, 3.0, 6.0])  # mmHg: does the treatment lower the mean by more?
_APART = 0.07  # what each wrong way must differ by, somewhere


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own trial: few hospitals of one size, treated as a whole.

    Trials in which a wrong way comes close to the right probabilities are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=2 * int(rng.integers(3, 6)),
            patients_per_hospital=int(rng.integers(14, 25)),
            treatment_effect=-round(float(rng.uniform(0, 9)), 1),
            hospital_sd=round(float(rng.uniform(3, 6)), 1),
            patient_sd=round(float(rng.uniform(9, 13)), 1),
            assignment="hospital",
            rng=rng,
        )
        own = _Own(study)
        right = own.chances()
        if 0.08 < right[1] < 0.97 and all(
            np.abs(value(own) - right).max() > _APART for _, value in _WAYS
        ):
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

    def posterior(self, effect_sd: float = PRIORS.effect_sd) -> EffectPosterior:
        """Return the posterior of the effect."""
        priors = Priors(
            effect_sd=effect_sd, hospital_sd=PRIORS.hospital_sd, patient_sd=PRIORS.patient_sd
        )
        return effect_posterior(
            self.estimate, self.between, self.within,
            arms=self.arms, patients_per_hospital=self.size, priors=priors,
        )  # fmt: skip

    def chances(
        self, at: np.ndarray = -LIMITS, *, effect_sd: float = PRIORS.effect_sd
    ) -> np.ndarray:
        """Return the posterior probabilities of an effect below each value."""
        found = self.posterior(effect_sd)
        return np.array([float(found.cdf(value)[0]) for value in at])

    def t_test(self) -> np.ndarray:
        """Return one minus the one-sided p-values of the t-test on hospital means."""
        df = self.hospitals - 2
        error = sqrt(self.between / df / self.size * self.share)
        return stats.t.cdf((-LIMITS - self.estimate) / error, df)

    def naive(self) -> np.ndarray:
        """Return the probabilities if hospitals did not differ and the prior were flat."""
        patients = self.size * self.hospitals
        variance = (self.between + self.within) / (patients - 2)
        error = sqrt(variance / self.size * self.share)
        return stats.norm.cdf((-LIMITS - self.estimate) / error)


_WAYS: tuple[tuple[str, Callable[[_Own], np.ndarray]], ...] = (
    (
        "Those are the probabilities of the other side: effects *above* 0, −3 and −6. Lowering by "
        "more than 3 means an effect below −3.",
        lambda own: 1 - own.chances(),
    ),
    (
        "Those are the probabilities of an effect below 0, +3 and +6 mmHg. Lowering is negative: "
        "ask for below −3.",
        lambda own: own.chances(LIMITS),
    ),
    (
        "That is the answer with a flat, or a very wide, prior for the effect. The question gives "
        "it an SD of 5 mmHg.",
        lambda own: own.chances(effect_sd=1e5),
    ),
    (
        "That is the answer with this lesson's own prior for the effect, SD 10 mmHg. The question "
        "gives it an SD of 5 mmHg.",
        lambda own: own.chances(effect_sd=10),
    ),
    (
        "Your prior for the effect is much narrower than asked: √5 in place of 5? `beta` takes "
        "standard deviations.",
        lambda own: own.chances(effect_sd=sqrt(PRIORS.effect_sd)),
    ),
    (
        "That agrees with a t-test on the hospitals' means. It uses no prior, and its p-value is "
        "not a probability of the effect.",
        _Own.t_test,
    ),
    (
        "You counted patients as if hospitals did not differ. The model needs the hospitals, and "
        "the priors.",
        _Own.naive,
    ),
    (
        "Those are the probabilities under the prior alone. They have not seen your patients.",
        lambda own: stats.norm.cdf(-LIMITS, PRIORS.effect_mean, PRIORS.effect_sd),
    ),
)


def _by_limit(value: Callable[[_Own], np.ndarray]) -> Callable[[Study], pd.Series]:
    names = [f"{limit:.0f} mmHg" for limit in LIMITS]
    return lambda study: pd.Series(value(_Own(study)), index=names)


probabilities = _by_limit(_Own.chances)

MISTAKES = tuple((says, _by_limit(value)) for says, value in _WAYS)
