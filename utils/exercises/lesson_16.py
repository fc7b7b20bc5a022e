"""The checks of lesson 16, what is missing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import sqrt

import numpy as np
import pandas as pd

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.missing import analyse, analyse_imputed, impute, pool
from utils.simulate import Study, med_trial

# E16.2, mmHg: five imputed data sets.
ESTIMATES, ERROR = np.array([-5.0, -6.4, -5.6, -4.6, -6.9]), 1.2
# E16.4: share of the treated without an outcome, and the shift that would change the decision.
SHARE, SHIFT = 0.3, 2.4

_TOLERANCE, _APART = 0.5, 0.8  # mmHg


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own trial: baselines are missing more often where the outcome is high.

    Trials in which a wrong way comes near the right numbers are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=int(rng.integers(12, 19)),
            patients_per_hospital=(15, 30),
            intercept=round(float(rng.uniform(132, 148)), 0),
            treatment_effect=-round(float(rng.uniform(3, 9)), 1),
            baseline_effect=round(float(rng.uniform(0.4, 0.7)), 2),
            hospital_sd=round(float(rng.uniform(3, 6)), 1),
            patient_sd=round(float(rng.uniform(9, 12)), 1),
            missing="covariate",
            missing_mechanism="by outcome",
            missing_share=round(float(rng.uniform(0.3, 0.45)), 2),
            missing_strength=2.0,
            rng=rng,
        )
        right = _answer(study)
        if right["complete rows"] > right["without baseline"] - 2:
            continue  # the gaps must be felt
        if all((value(study) - right).abs().max() > _APART for _, value in _MISTAKES):
            return study


def _three(complete: float, without: float, imputed: float) -> pd.Series:
    return pd.Series(
        {"complete rows": complete, "without baseline": without, "multiple imputation": imputed}
    )


@functools.lru_cache(maxsize=8)
def _answer(study: Study) -> pd.Series:
    data = study.data
    fits = analyse_imputed(data, impute(data, rng=16))
    return _three(
        analyse(data).beta[0],
        analyse(data, baseline=False).beta[0],
        pool(fits.beta, fits.se).estimate[0],
    )


def _filled_with(study: Study, values: np.ndarray) -> float:
    data = study.data
    return float(analyse(data.assign(baseline=data["baseline"].fillna(pd.Series(values)))).beta[0])


def _mean_imputation(study: Study) -> pd.Series:
    """Return the answer with one and the same value for all gaps."""
    right, column = _answer(study), study.data["baseline"]
    filled = _filled_with(study, np.full(len(column), column.mean()))
    return _three(right.iloc[0], right.iloc[1], filled)


def _without_outcome(study: Study) -> pd.Series:
    """Return the answer with an imputer that does not look at the outcome."""
    right, column = _answer(study), study.data["baseline"]
    rng = np.random.default_rng(16)
    drawn = rng.normal(column.mean(), column.std(), len(column))
    return _three(right.iloc[0], right.iloc[1], _filled_with(study, drawn))


def _at_zero(study: Study) -> pd.Series:
    """Return the intercepts where baseline was not taken less 150."""
    data, right = study.data, _answer(study)
    fits = analyse_imputed(data, impute(data, rng=16))
    slopes = analyse(data).beta[2], pool(fits.beta, fits.se).estimate[2]
    return _three(right.iloc[0] - 150 * slopes[0], right.iloc[1], right.iloc[2] - 150 * slopes[1])


def _hospital_forgotten(study: Study) -> pd.Series:
    """Return the means of all untreated patients that the analyses use."""
    data = study.data.query("treated == 0")
    complete = data.dropna()
    right = _answer(study)
    return _three(complete["sbp"].mean(), data["sbp"].mean(), right.iloc[2])


_MISTAKES: tuple[tuple[str, Callable[[Study], pd.Series]], ...] = (
    (
        "The first and the last are exchanged.",
        lambda study: pd.Series(_answer(study).to_numpy()[[2, 1, 0]], index=_answer(study).index),
    ),
    (
        "The last comes from one value put into all gaps. That value knows nothing of the patient. "
        "Draw each gap from a model, several times.",
        _mean_imputation,
    ),
    (
        "The last comes from an imputer that does not look at the outcome. The outcome must be in "
        "it: it tells most about what is missing.",
        _without_outcome,
    ),
    (
        "Those intercepts are for a baseline of 0 mmHg. Take 150 off the baseline first.",
        _at_zero,
    ),
    (
        "The first is the mean of untreated patients with complete rows, whatever their baseline. "
        "Asked for is the intercept of the model with baseline less 150.",
        _hospital_forgotten,
    ),
)

_BETWEEN = float(ESTIMATES.var(ddof=1))

EXERCISES = (
    Exercise(
        id="E16.1",
        title="Which mechanism?",
        objective="read a mechanism off a story",
        kind="interpret",
        minutes=4,
        difficulty=1,
        answer=Choice(
            correct="c",
            why="What decides is the missing value itself, after all that was recorded. The data "
            "cannot show it: you see only the pressures that were measured.",
            reasons={
                "a": "The laboratory did not look at the patient: that gap is by chance.",
                "b": "Age was recorded for all. Given age, those who came are like those who did "
                "not: missing at random.",
                "d": "The baseline was recorded for everybody, and decides: missing at random.",
            },
        ),
    ),
    Exercise(
        id="E16.2",
        title="Rubin's rules by hand",
        objective="put several imputed analyses together",
        kind="code",
        minutes=6,
        difficulty=2,
        answer=Number(
            quantity="the standard error",
            unit="mmHg",
            reference=lambda: sqrt(ERROR**2 + (1 + 1 / 5) * _BETWEEN),
            absolute=0.006,
            tolerance_reason="closed form; two decimals",
            low=0,
            misconceptions=(
                Misconception(
                    "That is the error within the filled data sets, as if what you filled in had "
                    "been measured.",
                    lambda: ERROR,
                ),
                Misconception(
                    "That is the spread between the imputations alone.",
                    lambda: sqrt(_BETWEEN),
                ),
                Misconception(
                    "You left out the 1/m: five imputations do not average their own noise away.",
                    lambda: sqrt(ERROR**2 + _BETWEEN),
                ),
                Misconception(
                    "The variance between estimates divides by 4, not 5: `ddof=1`.",
                    lambda: sqrt(ERROR**2 + (1 + 1 / 5) * float(ESTIMATES.var())),
                ),
                Misconception(
                    "That is the standard error of a mean of five independent estimates. They come "
                    "from the same patients.",
                    lambda: ERROR / sqrt(5),
                ),
                Misconception(
                    "That is the variance. Take the root.",
                    lambda: ERROR**2 + (1 + 1 / 5) * _BETWEEN,
                ),
            ),
        ),
    ),
    Exercise(
        id="E16.3",
        title="When the covariate hides itself",
        objective="choose an analysis from the mechanism, not by habit",
        kind="interpret",
        minutes=5,
        difficulty=3,
        answer=Choice(
            correct="a",
            why="Who is in the complete rows depends on smoking alone, and the model is given "
            "smoking. Among people who smoke alike nobody was picked by the outcome.",
            reasons={
                "b": "The imputer learns from the low amounts that were recorded, and fills in "
                "values that are too low.",
                "c": "The joint model needs the same assumption as the imputer, and it is wrong "
                "here: the gaps are not at random.",
                "d": "It makes every gap the same patient, and every interval too short.",
            },
        ),
    ),
    Exercise(
        id="E16.4",
        title="The tipping point",
        objective="say how different the missing must be to change a decision",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="delta",
            unit="mmHg",
            reference=lambda: SHIFT / SHARE,
            absolute=0.06,
            tolerance_reason="closed form; one decimal",
            misconceptions=(
                Misconception(
                    "That is the shift of the effect if delta were 2.4. Asked for is the delta "
                    "that shifts it by 2.4.",
                    lambda: SHIFT * SHARE,
                ),
                Misconception(
                    "Delta is added to the missing only, not to all treated patients.",
                    lambda: SHIFT,
                ),
                Misconception(
                    "You divided by the share that was *observed*.",
                    lambda: SHIFT / (1 - SHARE),
                ),
            ),
        ),
    ),
    Exercise(
        id="E16.5",
        title="Spot the flaw",
        objective="notice imputed outcomes that are counted as information",
        kind="spot the flaw",
        minutes=6,
        difficulty=3,
        answer=Flaw(
            sentence=3,
            reason="b",
            sentences={
                1: "The gaps are counted by arm: as it should be.",
                2: "A model of the outcome with what predicts both outcome and gaps: sound.",
                4: "The sensitivity analysis is what MNAR calls for.",
                5: "A tipping point, given to the reader to judge.",
            },
            reasons={
                "a": "PyMC can draw missing outcomes; there is nothing wrong with the program.",
                "c": "Rubin's rules belong to multiple imputation. Draws of a joint posterior need "
                "none.",
                "d": "Patients without an outcome were randomised; leaving them unmentioned would "
                "be the mistake.",
            },
            why="An outcome that was drawn from the model tells the model nothing. The information "
            "is that of 312 outcomes, and the posterior is the same as without the other 88.",
        ),
    ),
    Exercise(
        id="E16.6",
        title="Your own hospitals",
        objective="analyse gaps three ways, and say which to sign",
        kind="code",
        minutes=12,
        difficulty=3,
        own=True,
        answer=Vector(
            quantity="your three means",
            unit="mmHg",
            each="mean",
            reference=_answer,
            absolute=_TOLERANCE,
            tolerance_reason="20 imputations: their mean has a Monte Carlo error of about .12",
            misconceptions=tuple(Misconception(says, value) for says, value in _MISTAKES),
        ),
        insight="The truth is own_hospitals(16).truth.intercept. Complete rows kept the low "
        "outcomes. The other two use every outcome and may be signed: name one before you look.",
    ),
)
