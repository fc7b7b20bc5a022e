"""Own hospitals of lesson 7: a trial by hospital, its honest interval, and the known wrong ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from utils.simulate import Study, med_trial

__all__ = ["MISTAKES", "half_width", "own_hospitals"]

# The half widths that a learner may confuse must differ by this share in own hospitals.
_APART = 0.008


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own trial: few equal hospitals, treated as a whole.

    Trials in which a wrong way happens to give the right number, or in which the mixed model's
    hospital_sd is 0, so that its own interval is another one, are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=2 * int(rng.integers(3, 6)),
            patients_per_hospital=int(rng.integers(14, 21)),
            treatment_effect=-round(float(rng.uniform(4, 10)), 1),
            hospital_sd=round(float(rng.uniform(3, 6)), 1),
            patient_sd=round(float(rng.uniform(9, 13)), 1),
            assignment="hospital",
            rng=rng,
        )
        own = _Own(study)
        right = half_width(study)
        wrong = [value(study) for _, value in MISTAKES]
        clear = all(abs(value / right - 1) > _APART for value in wrong)
        if clear and own.between > 1.1 * own.within:
            return study


class _Own:
    """What the checks of an own trial need, by plain sums."""

    def __init__(self, study: Study) -> None:
        data = study.data
        codes = data["hospital"].cat.codes.to_numpy()
        y, treated = data["sbp"].to_numpy(), data["treated"].to_numpy()
        n = np.bincount(codes)
        means = np.bincount(codes, y) / n
        arm = np.bincount(codes, treated) / n > 0.5
        self.hospitals, self.patients = len(n), len(y)
        self.variances = [means[side].var(ddof=1) for side in (arm, ~arm)]
        self.counts = [arm.sum(), (~arm).sum()]
        freedom = [count - 1 for count in self.counts]
        pooled = np.average(self.variances, weights=freedom)
        share = sum(1 / count for count in self.counts)
        self.se = float(np.sqrt(pooled * share))
        size = self.patients / self.hospitals
        inside = ((y - means[codes]) ** 2).sum()
        self.between, self.within = size * pooled, inside / (self.patients - self.hospitals)
        residual = inside + size * pooled * sum(freedom)
        self.naive_se = float(np.sqrt(residual / (self.patients - 2) * share / size))
        self.one_arm_se = float(np.sqrt(pooled / self.counts[0]))
        parts = np.divide(self.variances, self.counts)
        self.welch_df = float(parts.sum() ** 2 / (parts**2 / freedom).sum())
        self.biased_se = float(np.sqrt((parts * freedom / self.counts).sum()))
        self.all_means_se = float(means.std(ddof=1) * np.sqrt(share))

    @staticmethod
    def t(df: float, tail: float = 0.975) -> float:
        return float(stats.t.ppf(tail, df))


def _own(value: Callable[[_Own], float]) -> Callable[[Study], float]:
    return lambda study: float(value(_Own(study)))


MISTAKES = (
    (
        "That is z: 1.96 standard errors. It takes the standard error for known. Yours is made "
        "from a few hospitals: use a t quantile.",
        _own(lambda own: own.se * 1.96),
    ),
    (
        "You counted patients for the degrees of freedom. The standard error is made from the "
        "hospitals' means: count hospitals.",
        _own(lambda own: own.se * own.t(own.patients - 2)),
    ),
    (
        "You took one degree of freedom too many. A mean was estimated in each of the two arms: "
        "take away 2.",
        _own(lambda own: own.se * own.t(own.hospitals - 1)),
    ),
    (
        "You took away no degree of freedom for the two arms' means: take away 2.",
        _own(lambda own: own.se * own.t(own.hospitals)),
    ),
    (
        "That is the half width of the regression that ignores hospitals. Whole hospitals were "
        "treated: start from one mean per hospital.",
        _own(lambda own: own.naive_se * own.t(own.patients - 2)),
    ),
    (
        "That is the whole width, from end to end. The half width is asked for.",
        _own(lambda own: 2 * own.se * own.t(own.hospitals - 2)),
    ),
    (
        "That is the standard error. Multiply it by the quantile that makes it a 95 % interval.",
        _own(lambda own: own.se),
    ),
    (
        "You took the 95 % quantile. A two-sided 95 % interval leaves 2.5 % at either end.",
        _own(lambda own: own.se * own.t(own.hospitals - 2, 0.95)),
    ),
    (
        "You used the standard error of one arm's mean. The effect is a difference of two arms: "
        "add the variances of both.",
        _own(lambda own: own.one_arm_se * own.t(own.hospitals - 2)),
    ),
    (
        "You let the two arms have variances of their own (Welch). With so few hospitals their "
        "ratio is mostly noise: pool the two variances, as in lesson 2.",
        _own(lambda own: own.se * own.t(own.welch_df)),
    ),
    (
        "Your variance divides by the number of hospitals of an arm. Divide by one less "
        "(`ddof=1`).",
        _own(lambda own: own.biased_se * own.t(own.hospitals - 2)),
    ),
    (
        "You took the spread of all hospital means together. A real effect would count as noise: "
        "take the variance within each arm.",
        _own(lambda own: own.all_means_se * own.t(own.hospitals - 2)),
    ),
)


def half_width(study: Study) -> float:
    """Return the half width of the 95 % interval of the t-test on hospital means, mmHg."""
    own = _Own(study)
    return own.se * own.t(own.hospitals - 2)
