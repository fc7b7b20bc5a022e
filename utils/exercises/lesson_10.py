"""The checks of lesson 10, when assumptions crack."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number
from utils.simulate import Study, med_trial

# Elm of E10.1, the registry of E10.2, the trials of E10.4 and E10.5, as the lesson states them.
ELM = {"effect": 9, "hospital_sd": 5, "patient_sd": 12, "n": 16}
REGISTRY = {"hospital_sd": 4, "patient_sd": 12, "n": 6, "skewness": 2}
ODD = {"treated": 131, "control": 138, "hospital": 151, "arm": 9}
ADJUSTED = {"hospitals": 20, "predictors": 15}

# In own hospitals the answers of unlike ways must differ by this much (mmHg).
_APART = 0.1


def _weight(hospital_sd: float, patient_sd: float, n: int) -> float:
    return hospital_sd**2 / (hospital_sd**2 + patient_sd**2 / n)


_ELM_WEIGHT = _weight(ELM["hospital_sd"], ELM["patient_sd"], ELM["n"])
_REGISTRY_WEIGHT = _weight(REGISTRY["hospital_sd"], REGISTRY["patient_sd"], REGISTRY["n"])
_REGISTRY_ICC = _weight(REGISTRY["hospital_sd"], REGISTRY["patient_sd"], 1)


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own trial: equal hospitals, half treated as a whole, one of them odd.

    The odd one is moved towards the other arm, so that among all hospitals it looks ordinary.
    Trials in which a wrong way happens to give the right number are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=2 * int(rng.integers(5, 9)),
            patients_per_hospital=int(rng.integers(15, 31)),
            treatment_effect=-round(float(rng.uniform(9, 13)), 1),
            hospital_sd=round(float(rng.uniform(2.5, 4)), 1),
            patient_sd=round(float(rng.uniform(9, 13)), 1),
            assignment="hospital",
            rng=rng,
        )
        data = study.data
        names = data["hospital"].cat.categories
        rows = (data["hospital"] == names[int(rng.integers(len(names)))]).to_numpy()
        shift = round(float(rng.uniform(14, 18)), 1)
        sign = 1 if data["treated"].to_numpy()[rows][0] else -1
        data["sbp"] = data["sbp"].to_numpy() + sign * shift * rows
        right = _effect_without(data, _most_influential)
        wrong = [way(data) for _, way in _OWN_MISTAKES]
        if all(abs(abs(value) - abs(right)) > _APART for value in wrong) and _clear(data):
            return study


def _means(data: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return each hospital's arm and mean, in the order of the hospitals."""
    codes = data["hospital"].cat.codes.to_numpy()
    sizes = np.bincount(codes)
    treated = np.bincount(codes, data["treated"].to_numpy()) / sizes
    return treated == 1, np.bincount(codes, data["sbp"].to_numpy()) / sizes


def _effect(treated: np.ndarray, mean: np.ndarray) -> float:
    return float(mean[treated].mean() - mean[~treated].mean())


def _from_arm(treated: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return how far each hospital lies from the mean of its arm."""
    return np.abs(mean - np.where(treated, mean[treated].mean(), mean[~treated].mean()))


def _most_influential(treated: np.ndarray, mean: np.ndarray) -> int:
    """Return the hospital whose absence moves the effect most; the arms are of one size."""
    return int(_from_arm(treated, mean).argmax())


def _far_from_all(treated: np.ndarray, mean: np.ndarray) -> int:
    return int(np.abs(mean - mean.mean()).argmax())


def _clear(data: pd.DataFrame) -> bool:
    """Tell whether no other hospital moves the effect nearly as much."""
    away = np.sort(_from_arm(*_means(data)))
    return bool(away[-1] > 1.1 * away[-2])


def _effect_without(data: pd.DataFrame, which: Callable[[np.ndarray, np.ndarray], int]) -> float:
    treated, mean = _means(data)
    place = which(treated, mean)
    return _effect(np.delete(treated, place), np.delete(mean, place))


def _not_removed_from_count(data: pd.DataFrame) -> float:
    """Take the odd hospital out of the sum, and still divide by all hospitals of its arm."""
    treated, mean = _means(data)
    mean[_most_influential(treated, mean)] = 0
    return _effect(treated, mean)


_OWN_MISTAKES = (
    (
        "That is the effect with all hospitals. Find the one whose absence moves it most, and "
        "leave it out.",
        lambda data: _effect(*_means(data)),
    ),
    (
        "You left out the hospital that lies furthest from the mean of *all* hospitals. The drug "
        "moves half of them: compare each with the mean of its own arm, or refit without each.",
        lambda data: _effect_without(data, _far_from_all),
    ),
    (
        "That is how far the estimate moves. Asked for is the estimate itself, without the "
        "hospital.",
        lambda data: _effect_without(data, _most_influential) - _effect(*_means(data)),
    ),
    (
        "You took the hospital out of the sum, but still divided by all hospitals of its arm. One "
        "hospital less is left to divide by.",
        _not_removed_from_count,
    ),
)


def _odd_effect(treated: float) -> float:
    return treated - ODD["control"]


def _growth(df_adjusted: float, df_plain: float) -> float:
    return float(stats.t.ppf(0.975, df_adjusted) / stats.t.ppf(0.975, df_plain))


_LEFT = ADJUSTED["hospitals"] - 2 - ADJUSTED["predictors"]
_PLAIN = ADJUSTED["hospitals"] - 2


EXERCISES = (
    Exercise(
        id="E10.1",
        title="Standardise a hospital",
        objective="divide a predicted hospital effect by how much such predictions scatter",
        kind="code",
        minutes=4,
        difficulty=1,
        answer=Number(
            quantity="the standardised effect",
            reference=lambda: ELM["effect"] / (ELM["hospital_sd"] * _ELM_WEIGHT**0.5),
            absolute=0.012,
            tolerance_reason="closed form; two decimals are enough",
            misconceptions=(
                Misconception(
                    "You divided by what is still unknown of the hospital, hospital_sd × √(1 − w). "
                    "That belongs in an interval. Divide by how much predictions scatter.",
                    lambda: 9 / (5 * (1 - _ELM_WEIGHT) ** 0.5),
                ),
                Misconception(
                    "You divided by hospital_sd. True effects scatter that much; predictions are "
                    "shrunken and scatter less.",
                    lambda: 9 / 5,
                ),
                Misconception(
                    "You multiplied hospital_sd by the weight. The SD of the predictions holds "
                    "the square root of the weight.",
                    lambda: 9 / (5 * _ELM_WEIGHT),
                ),
                Misconception(
                    "That is the standard deviation to divide by. Divide the predicted effect by "
                    "it.",
                    lambda: 5 * _ELM_WEIGHT**0.5,
                ),
                Misconception(
                    "You divided by the variance of the predictions. Take its square root first.",
                    lambda: 9 / (25 * _ELM_WEIGHT),
                ),
                Misconception(
                    "You divided by the SD of a mean of 16 patients, patient_sd/√n. A predicted "
                    "effect scatters because hospitals differ, too.",
                    lambda: 9 / (12 / 4),
                ),
                Misconception(
                    "You divided by the SD of a hospital's *own* mean, hospital_sd/√w. A predicted "
                    "effect is w times that deviation, so it scatters w times as much.",
                    lambda: 9 / (5 / _ELM_WEIGHT**0.5),
                ),
                Misconception(
                    "Your weight does not divide patient_sd² by n: it is right for a hospital "
                    "with one patient.",
                    lambda: 9 / (5 * (25 / (25 + 144)) ** 0.5),
                ),
            ),
        ),
        insight="Two SDs out: with thirty hospitals one such hospital is no surprise.",
    ),
    Exercise(
        id="E10.2",
        title="How much shape is left?",
        objective="compute how much of the hospitals' skewness their predictions can show",
        kind="code",
        minutes=4,
        difficulty=2,
        answer=Number(
            quantity="the skewness of the predictions",
            reference=lambda: 2 * _REGISTRY_WEIGHT**1.5,
            absolute=0.012,
            tolerance_reason="closed form; two decimals are enough",
            low=0,
            misconceptions=(
                Misconception(
                    "You multiplied by the weight. Skewness is a cube over a cube: the power is "
                    "1.5.",
                    lambda: 2 * _REGISTRY_WEIGHT,
                ),
                Misconception(
                    "You squared the weight. That is what happens to excess kurtosis; for skewness "
                    "the power is 1.5.",
                    lambda: 2 * _REGISTRY_WEIGHT**2,
                ),
                Misconception(
                    "You cubed the weight. The weight is a ratio of variances, so its square root "
                    "is a ratio of SDs; cube that.",
                    lambda: 2 * _REGISTRY_WEIGHT**3,
                ),
                Misconception(
                    "You took the square root of the weight. Skewness is about cubes: the power "
                    "is 1.5.",
                    lambda: 2 * _REGISTRY_WEIGHT**0.5,
                ),
                Misconception(
                    "You used 1 − weight, the share of noise. The shape that is left goes with "
                    "the share of truth.",
                    lambda: 2 * (1 - _REGISTRY_WEIGHT) ** 1.5,
                ),
                Misconception(
                    "You did not divide patient_sd² by the number of patients: that weight is the "
                    "intraclass correlation, right for one patient.",
                    lambda: 2 * _REGISTRY_ICC**1.5,
                ),
                Misconception(
                    "That is the skewness of the true effects. The patients' noise is still in "
                    "the predictions, and hides part of it.",
                    lambda: 2.0,
                ),
                Misconception(
                    "That is the weight raised to 1.5. Multiply it by the skewness of the true "
                    "effects.",
                    lambda: _REGISTRY_WEIGHT**1.5,
                ),
            ),
        ),
        insight="A quarter of the skewness is left, too little to see in a few dozen hospitals.",
    ),
    Exercise(
        id="E10.3",
        title="A straight QQ plot",
        objective="say what a QQ plot of shrunken predictions can and cannot show",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="a weight of .4 means that the other .6 of a prediction's variance is averaged "
            "patients' noise, which is close to normal whatever the hospitals are. A straight "
            "plot is no evidence here, for or against.",
            reasons={
                "a": "They would say so for bimodal hospitals too: with low weights the test found "
                "them hardly more often than it cried wolf. Look at the weights first.",
                "c": "A large p-value is never evidence of a departure. The trouble is the other "
                "one: the test could hardly have found anything.",
                "d": "What is still unknown belongs in an interval. And with equal sizes any "
                "divisor gives the same shape.",
            },
        ),
    ),
    Exercise(
        id="E10.4",
        title="Without one hospital",
        objective="compute by hand what one hospital does to an estimated effect",
        kind="code",
        minutes=4,
        difficulty=2,
        answer=Number(
            quantity="the effect without that hospital",
            unit="mmHg",
            reference=lambda: _odd_effect((9 * 131 - 151) / 8),
            absolute=0.06,
            tolerance_reason="closed form; one decimal is enough",
            misconceptions=(
                Misconception(
                    "That is the effect with all hospitals. Take the odd one out of the treated "
                    "mean first.",
                    lambda: _odd_effect(131),
                ),
                Misconception(
                    "You divided the deviation of 20 by 9. Eight hospitals are left, and the mean "
                    "of eight moves by 20/8.",
                    lambda: _odd_effect(131 - 20 / 9),
                ),
                Misconception(
                    "You moved the treated mean up. The odd hospital lies above it, so without it "
                    "the mean falls.",
                    lambda: _odd_effect(131 + 20 / 8),
                ),
                Misconception(
                    "You took the hospital out of the sum, but still divided by nine hospitals.",
                    lambda: _odd_effect((9 * 131 - 151) / 9),
                ),
                Misconception(
                    "That is how far the effect moves. Asked for is the effect itself.",
                    lambda: -20 / 8,
                ),
                Misconception(
                    "You took the whole deviation of 20 mmHg off the mean. It is shared by the "
                    "hospitals that are left.",
                    lambda: _odd_effect(131 - 20),
                ),
                Misconception(
                    "That is the treated hospitals' mean without the odd one. Take the others' "
                    "mean from it.",
                    lambda: (9 * 131 - 151) / 8,
                ),
                Misconception(
                    "You divided by all eighteen hospitals. The odd one sits among the treated, "
                    "and only their mean moves.",
                    lambda: _odd_effect(131 - 20 / 17),
                ),
            ),
        ),
        insight="One of nine hospitals had hidden more than a quarter of the effect.",
    ),
    Exercise(
        id="E10.5",
        title="Degrees of freedom",
        objective="count the degrees of freedom that predictors of hospitals leave",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="the growth of the t quantile",
            unit="times",
            reference=lambda: _growth(_LEFT, _PLAIN),
            absolute=0.012,
            tolerance_reason="closed form; two decimals are enough",
            low=0,
            misconceptions=(
                Misconception(
                    "You counted patients. The treatment and the characteristics are constant "
                    "within hospitals: count hospitals.",
                    lambda: _growth(20 * 50 - 2 - 15, 20 * 50 - 2),
                ),
                Misconception(
                    "You forgot the 2: the intercept and the treatment are estimated as well.",
                    lambda: _growth(20 - 15, 20),
                ),
                Misconception(
                    "You took away 1 for what is estimated anyway. There are two: the intercept "
                    "and the treatment.",
                    lambda: _growth(20 - 1 - 15, 20 - 1),
                ),
                Misconception(
                    "That is the ratio the other way round: no adjustment over adjustment.",
                    lambda: _growth(_PLAIN, _LEFT),
                ),
                Misconception(
                    "That is the quantile with adjustment. Divide it by the one without.",
                    lambda: float(stats.t.ppf(0.975, _LEFT)),
                ),
                Misconception(
                    "You used 0.95. A 95 % interval leaves 2.5 % on each side: 0.975.",
                    lambda: float(stats.t.ppf(0.95, _LEFT) / stats.t.ppf(0.95, _PLAIN)),
                ),
                Misconception(
                    "That is the ratio of the degrees of freedom. Put each into stats.t.ppf first.",
                    lambda: _PLAIN / _LEFT,
                ),
            ),
        ),
        insight="The standard error grows too: by chance the columns resemble the treatment.",
    ),
    Exercise(
        id="E10.6",
        title="Spot the flaw",
        objective="find the place in a report where patients paid for predictors of hospitals",
        kind="spot the flaw",
        minutes=6,
        difficulty=2,
        answer=Flaw(
            sentence=3,
            reason="b",
            why="Ten columns of noise explain on average 10/13, or 77 %, of the variance of "
            "fourteen means. The 560 patients have no say in it.",
            sentences={
                1: "That is a sound design, if a small one.",
                2: "The interval for a mean effect survives heavy tails, and equal arms are the "
                "safest place for it. A robust method might have made it narrower.",
                4: "Leaving out each hospital in turn, and saying what happens, is good practice.",
                5: "An unadjusted effect of a randomised treatment is a sound main result.",
            },
            reasons={
                "a": "It keeps its coverage: the mean of hundreds of patients is close to normal. "
                "It may be wider than it need be.",
                "c": "Every hospital moves the estimate a little. Influence asks a question; it is "
                "no reason to drop anyone.",
                "d": "They can, with t and few predictors of hospitals. Lesson 7 did it with "
                "fewer.",
            },
        ),
    ),
    Exercise(
        id="E10.7",
        title="Your own hospitals",
        objective="find the most influential hospital of a trial, on data that nobody else has",
        kind="code",
        minutes=10,
        difficulty=3,
        own=True,
        answer=Number(
            quantity="the effect without the most influential hospital",
            unit="mmHg",
            reference=lambda study: _effect_without(study.data, _most_influential),
            absolute=0.012,
            tolerance_reason="closed form; two decimals are enough",
            misconceptions=tuple(
                Misconception(says, lambda study, way=way: way(study.data))
                for says, way in _OWN_MISTAKES
            ),
        ),
        insight="Another learner id gives other patients, and another odd hospital.",
    ),
)
