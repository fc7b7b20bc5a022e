"""The checks of lesson 3, three ways to pool."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.pooling import shrinkage_weight, three_poolings
from utils.simulate import Study, med_trial

# The new clinic of E03.1 and the two hospitals of E03.4, as the lesson states them.
CLINIC = {"n": 4, "hospital_sd": 3, "patient_sd": 9}
CLINIC_MEAN, MIDDLE = 152, 140
SOUTH, NORTH = (146, 5), (143, 2)  # pooled mean and conditional standard deviation

# The middles that a learner may confuse must differ by this much (mmHg) in own hospitals.
_MIDDLES_APART = 0.1


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own league table: very unequal hospitals, nobody on a new drug."""
    while True:
        sizes = rng.integers(6, 91, size=rng.integers(9, 15))
        sizes[rng.integers(sizes.size)] = rng.integers(3, 6)  # one that pooling moves for sure
        study = med_trial(
            n_hospitals=sizes.size,
            patients_per_hospital=sizes,
            treatment_effect=0,
            treated_share=0,
            hospital_sd=round(float(rng.uniform(3, 6)), 1),
            patient_sd=round(float(rng.uniform(10, 14)), 1),
            rng=rng,
        )
        table = _pooled(study)
        own = table["no_pooling"]
        wrong = (table["complete_pooling"].iloc[0], own.mean(), own.median(), 140)
        if all(abs(middle - table.attrs["gls_mean"]) > _MIDDLES_APART for middle in wrong):
            return study


def _pooled(study: Study) -> pd.DataFrame:
    truth = study.truth
    return three_poolings(
        study.data["sbp"],
        study.data["hospital"],
        hospital_sd=truth.hospital_sd,
        patient_sd=truth.patient_sd,
    )


def _towards(middle: float, own: float, weight: float) -> float:
    return middle + weight * (own - middle)


def _clinic(weight: float) -> float:
    return _towards(MIDDLE, CLINIC_MEAN, weight)


def _own(weight: Callable[[Study, pd.Series], pd.Series | float]) -> Callable[[Study], pd.Series]:
    """Return the pooled means of own hospitals under another weight, in the lesson's steps."""

    def value(study: Study) -> pd.Series:
        table = _pooled(study)
        wrong = weight(study, table["n"])
        return _towards(table.attrs["gls_mean"], table["no_pooling"], wrong)

    return value


def _own_middle(middle: Callable[[pd.DataFrame], float]) -> Callable[[Study], pd.Series]:
    """Return the pooled means of own hospitals when they are pulled towards another middle."""

    def value(study: Study) -> pd.Series:
        table = _pooled(study)
        return _towards(middle(table), table["no_pooling"], table["weight"])

    return value


def _sds(study: Study) -> tuple[float, float]:
    return study.truth.hospital_sd, study.truth.patient_sd


def _right_weight(study: Study, n: pd.Series) -> pd.Series:
    return pd.Series(shrinkage_weight(n, *_sds(study)), index=n.index)


def _sd_weight(study: Study, n: pd.Series) -> pd.Series:
    between, within = _sds(study)
    return between / (between + within / np.sqrt(n))


def _undivided_weight(study: Study, n: pd.Series) -> float:
    between, within = _sds(study)
    return between**2 / (between**2 + within**2)


def _chance(difference: float, sd: float) -> float:
    return float(stats.norm.cdf(difference / sd))


_WRONG_SIDE = (
    "The weight is on the wrong side: you gave the middle what belongs to the hospital's own "
    "mean. Check it on a hospital with very many patients."
)
_SD_NOT_VARIANCE = (
    "You weighted by standard deviations. Variances add up, standard deviations do not: square "
    "hospital_sd and patient_sd first."
)
_NOT_DIVIDED = (
    "You did not divide patient_sd² by n: that weight is the intraclass correlation, right for a "
    "hospital with one patient. A mean of n patients is less noisy than one patient."
)
_UNWEIGHTED = (
    "That is half the way from the middle to the hospital's own mean. How far to go depends on n "
    "and on both standard deviations: compute the weight."
)


EXERCISES = (
    Exercise(
        id="E03.1",
        title="How far should you believe the clinic?",
        objective="compute a partially pooled mean from a hospital's own mean by hand",
        kind="code",
        minutes=5,
        difficulty=1,
        answer=Number(
            quantity="the clinic's partially pooled mean",
            unit="mmHg",
            reference=lambda: _clinic(shrinkage_weight(**CLINIC)),
            absolute=0.06,
            tolerance_reason="closed form; one decimal is enough",
            misconceptions=(
                Misconception(_WRONG_SIDE, lambda: _clinic(1 - shrinkage_weight(**CLINIC))),
                Misconception(_NOT_DIVIDED, lambda: _clinic(9 / (9 + 81))),
                Misconception(_SD_NOT_VARIANCE, lambda: _clinic(3 / (3 + 9 / 2))),
                Misconception(
                    "You weighted by standard deviations, and did not divide by n. Square both "
                    "first, then divide patient_sd² by n.",
                    lambda: _clinic(3 / (3 + 9)),
                ),
                Misconception(
                    "You weighted by standard deviations, and divided one of them by n. Square "
                    "both first: it is the variance of a mean that falls as 1/n.",
                    lambda: _clinic(3 / (3 + 9 / 4)),
                ),
                Misconception(
                    "You divided patient_sd by n before squaring it. The variance of a mean is "
                    "patient_sd²/n: square first, then divide.",
                    lambda: _clinic(9 / (9 + (9 / 4) ** 2)),
                ),
                Misconception(
                    "Your weight is the ratio of the two variances. A weight is a share: divide "
                    "by the sum of both.",
                    lambda: _clinic(9 / (81 / 4)),
                ),
                Misconception(_UNWEIGHTED, lambda: _clinic(0.5)),
                Misconception(
                    "That is the weight. Use it: middle + weight × (own mean − middle).",
                    lambda: shrinkage_weight(**CLINIC),
                ),
                Misconception(
                    "That is how far the estimate lies above the middle. Add the middle.",
                    lambda: _clinic(shrinkage_weight(**CLINIC)) - MIDDLE,
                ),
            ),
        ),
        insight="Four patients earn the clinic less than a third of the way to its own mean.",
    ),
    Exercise(
        id="E03.2",
        title="How much do hospitals differ?",
        objective="tell the spread of shrunken means from the spread of the hospitals",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="each shrunken mean is the best guess for its hospital, and best guesses stay on "
            "the safe side. Their spread is below hospital_sd, own means' spread is above it. "
            "Estimate hospital_sd itself.",
            reasons={
                "a": "Shrunken means are pulled together: in the scoreboard they spread less than "
                "the true means did. Good guesses one by one are not a good picture of the "
                "spread.",
                "b": "The raw means hold the patients' noise as well: in the scoreboard they "
                "spread more than the true means did.",
                "d": "Two biases in opposite directions need not cancel: each depends on the sizes "
                "of the hospitals.",
            },
        ),
    ),
    Exercise(
        id="E03.3",
        title="Who moves furthest?",
        objective="tell the weight of an estimate from the distance that it moves",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="Fern keeps 16/(16 + 144/6) = .40 of its deviation and moves .60 × 2 = 1.2 mmHg. "
            "Oak keeps .82 and moves .18 × 14 = 2.6 mmHg. Distance is (1 − weight) × deviation.",
            reasons={
                "a": "Fern has the smallest weight on its own mean, but it is already close to the "
                "middle: there is little way to go. Compute (1 − weight) × deviation.",
                "c": "Elm has the largest weight on its own mean, and so moves only a small part "
                "of its deviation. Compute (1 − weight) × deviation for each.",
                "d": "Pooling pulls every hospital by the *share* that its weight leaves, not by "
                "the same number of mmHg.",
            },
        ),
    ),
    Exercise(
        id="E03.4",
        title="How sure is the ranking?",
        objective="turn two conditional distributions into the chance that a ranking is right",
        kind="code",
        minutes=6,
        difficulty=2,
        answer=Number(
            quantity="the chance that South is truly higher",
            reference=lambda: _chance(SOUTH[0] - NORTH[0], np.hypot(SOUTH[1], NORTH[1])),
            absolute=0.012,
            tolerance_reason="two decimals, or 10,000 simulated pairs (standard error .004)",
            percent=True,
            low=0,
            misconceptions=(
                Misconception(
                    "A pooled mean is a best guess with an uncertainty, so no ranking is certain. "
                    "Use both standard deviations.",
                    lambda: 1.0,
                ),
                Misconception(
                    "That is the chance that North is higher. Mind which way you subtract.",
                    lambda: _chance(NORTH[0] - SOUTH[0], np.hypot(SOUTH[1], NORTH[1])),
                ),
                Misconception(
                    "You added standard deviations. The *variances* of independent quantities "
                    "add up: square, add, take the root.",
                    lambda: _chance(3, SOUTH[1] + NORTH[1]),
                ),
                Misconception(
                    "You used the variance of the difference where its standard deviation "
                    "belongs: take the square root.",
                    lambda: _chance(3, SOUTH[1] ** 2 + NORTH[1] ** 2),
                ),
                Misconception(
                    "You subtracted variances. The uncertainty of a difference holds both "
                    "hospitals' uncertainty: add them.",
                    lambda: _chance(3, np.sqrt(SOUTH[1] ** 2 - NORTH[1] ** 2)),
                ),
                Misconception(
                    "You used South's uncertainty only. North's mean is not known exactly either.",
                    lambda: _chance(3, SOUTH[1]),
                ),
                Misconception(
                    "You used North's uncertainty only. South's mean is not known exactly either.",
                    lambda: _chance(3, NORTH[1]),
                ),
            ),
        ),
        insight="The table ranks them without a doubt, and is wrong more than one time in four.",
    ),
    Exercise(
        id="E03.5",
        title="Spot the flaw",
        objective="find the place in a report where an extreme rate was taken at face value",
        kind="spot the flaw",
        minutes=6,
        difficulty=2,
        answer=Flaw(
            sentence=3,
            reason="c",
            why="If the clinic's true rate were the region's 6 %, it would still see no death in "
            "30 operations about one time in six. With several small units in the region, one "
            "with none is to be expected.",
            sentences={
                1: "That is a description of the data.",
                2: "Counting deaths within a fixed time is a sound and common outcome.",
                4: "It inherits the mistake, which is made earlier.",
                5: "Saying what was not adjusted for is good reporting.",
            },
            reasons={
                "a": "A rate of zero can be computed and compared. What it lacks is information.",
                "b": "Raw rates can be compared, if their uncertainty is compared as well.",
                "d": "Partial pooling does not drop small units. It gives each the weight that its "
                "numbers earn.",
            },
        ),
    ),
    Exercise(
        id="E03.6",
        title="Your own hospitals",
        objective="pool a league table partially, on hospitals that nobody else has",
        kind="code",
        minutes=10,
        difficulty=3,
        own=True,
        answer=Vector(
            quantity="the partially pooled means",
            unit="mmHg",
            reference=lambda study: _pooled(study)["partial_pooling"],
            absolute=0.02,
            tolerance_reason="closed form; two decimals are enough",
            misconceptions=(
                Misconception(_WRONG_SIDE, _own(lambda study, n: 1 - _right_weight(study, n))),
                Misconception(_NOT_DIVIDED, _own(_undivided_weight)),
                Misconception(_SD_NOT_VARIANCE, _own(_sd_weight)),
                Misconception(_UNWEIGHTED, _own(lambda study, n: 0.5)),
                Misconception(
                    "Those are the hospitals' own means: no pooling. Pull each towards the middle.",
                    _own(lambda study, n: 1.0),
                ),
                Misconception(
                    "You pulled towards the plain mean of all patients. It listens to large "
                    "hospitals too much: use the weighted middle, as `shrink` does.",
                    _own_middle(lambda table: table["complete_pooling"].iloc[0]),
                ),
                Misconception(
                    "You pulled towards the plain average of the hospitals' means. It listens to "
                    "tiny hospitals too much: use the weighted middle, as `shrink` does.",
                    _own_middle(lambda table: table["no_pooling"].mean()),
                ),
            ),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)
