"""The checks of lesson 5, MixedLM in practice."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2

from utils import datasets, likelihood
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.pooling import shrinkage_weight
from utils.simulate import Study, med_trial

Floats = NDArray[np.float64]

# The printed lines of E05.3, as the lesson states them.
SCALE, HOSPITAL_VAR, PATIENTS = 100.0, 8.0, 25

# In own hospitals each wrong way must be this far off somewhere (mmHg).
_APART = 0.06


# ---------------------------------------------------------------- lungs in 51 centres


@cache
def _centres() -> likelihood.Sums:
    lungs = datasets.load("rhdnase")
    return likelihood.sums(lungs["fev"], np.ones((len(lungs), 1)), lungs["inst"])


def _end(drop: float, *, upper: bool = True, reml: bool = True) -> float:
    """Return the end of a profile interval, `drop` below the top."""
    found = likelihood.fit_intercept(_centres(), reml=reml)

    def above(sd: float) -> float:
        return likelihood.profile_loglik(_centres(), sd, reml=reml) - found.loglik + drop

    return float(brentq(above, found.hospital_sd, 40.0 if upper else 0.0))


_CUT = chi2.ppf(0.95, 1) / 2  # 1.92, as in the lesson


# ---------------------------------------------------------------- own hospitals


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own trial: unequal hospitals, treated as a whole.

    Trials in which a wrong way comes close to the right predictions are drawn again.
    """
    while True:
        n_hospitals = 2 * int(rng.integers(4, 7))
        study = med_trial(
            n_hospitals=n_hospitals,
            patients_per_hospital=rng.integers(6, 41, size=n_hospitals),
            treatment_effect=-round(float(rng.uniform(5, 12)), 1),
            hospital_sd=round(float(rng.uniform(4, 7)), 1),
            patient_sd=round(float(rng.uniform(9, 13)), 1),
            assignment="hospital",
            rng=rng,
        )
        right, *wrong = _answers(study)
        if all(np.abs(one - right).max() > _APART for one in wrong):
            return study


def _answers(study: Study) -> Floats:
    """Return the right predictions and, row by row, those of `_MISTAKES`: shape (7, hospitals)."""
    sbp, treated = (study.data[name].to_numpy(float) for name in ("sbp", "treated"))
    codes = study.data["hospital"].cat.codes.to_numpy(np.int64)
    return _computed(sbp.tobytes(), treated.tobytes(), codes.tobytes())


@lru_cache(maxsize=8)
def _computed(sbp: bytes, treated: bytes, codes: bytes) -> Floats:
    """Fit the same patients once, however many answers are asked for."""
    y, arm, hospital = (
        np.frombuffer(b, k) for b, k in ((sbp, "f8"), (treated, "f8"), (codes, "i8"))
    )
    together = likelihood.sums(y, np.column_stack([np.ones(len(y)), arm]), hospital)
    reml, ml = (likelihood.fit_intercept(together, reml=which) for which in (True, False))
    n = np.bincount(hospital)
    own, x = np.bincount(hospital, y) / n, np.bincount(hospital, arm) / n
    line, u = reml.beta[0] + reml.beta[1] * x, reml.effects
    by_ml = ml.beta[0] + ml.beta[1] * x + ml.effects
    return np.array([line + u, line, own, u, reml.beta[0] + u, line + 2 * u, by_ml])


def _answer(row: int) -> Callable[[Study], pd.Series]:
    """Return one row of `_answers` by hospital."""
    return lambda study: pd.Series(_answers(study)[row], study.data["hospital"].cat.categories)


_MISTAKES = (
    "That is the line, one number for each arm: what `predict()` of MixedLM gives. The question is "
    "about these hospitals, so add each one's predicted effect.",
    "Those are the hospitals' own means: no pooling. The model pulls each towards the line.",
    "Those are the predicted effects alone (the BLUPs). Add the line to get a mean.",
    "You left out the protocol: the treated hospitals are to be predicted as they were treated. "
    "Use the whole line, not only the intercept.",
    "You added the predicted effects twice: `fittedvalues` holds them already.",
    "Those are the predictions of a fit by ML. Its hospital_sd is too small, so it pulls too hard. "
    "The question asks for REML.",
)


EXERCISES = (
    Exercise(
        id="E05.1",
        title="Two answers to one question",
        objective="choose between ML and REML, for the right reason",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="the line was fitted to lie close to these 8 hospitals, and ML measures their "
            "distances from it as if it were the true line. REML allows for that.",
            reasons={
                "a": "The number is right, the reason is not: heights of ML and REML hills are on "
                "different scales and cannot be compared. In other data ML's may be the higher.",
                "c": "Most likely is not the same as right on average: by ML the hospital "
                "variance came out too small in the scoreboard.",
                "d": "Each method found the top of its own hill. The two hills differ, most of all "
                "with few hospitals.",
            },
        ),
    ),
    Exercise(
        id="E05.2",
        title="Lungs in 51 centres",
        objective="read a profile interval off a likelihood",
        kind="code",
        minutes=8,
        difficulty=2,
        answer=Number(
            quantity="the upper end",
            unit="% of predicted",
            reference=lambda: _end(_CUT),
            absolute=0.02,
            tolerance_reason="one decimal, from a grid with steps of .01",
            low=0,
            misconceptions=(
                Misconception(
                    "That is the lower end of the interval. The upper one is asked for.",
                    lambda: _end(_CUT, upper=False),
                ),
                Misconception(
                    "You went down by 3.84. That is the limit for twice the log-likelihood; for "
                    "the log-likelihood itself it is half of it.",
                    lambda: _end(2 * _CUT),
                ),
                Misconception(
                    "That is the end on the ML curve. The interval asked for is by REML.",
                    lambda: _end(_CUT, reml=False),
                ),
                Misconception(
                    "That is the top of the hill, the estimate. The interval ends where the hill "
                    "has fallen by 1.92.",
                    lambda: float(likelihood.fit_intercept(_centres()).hospital_sd),
                ),
                Misconception(
                    "You went down by 1.96, which counts standard errors. The hill has fallen by "
                    "1.96²/2 = 1.92 there.",
                    lambda: _end(1.96),
                ),
                Misconception(
                    "You went down by 1. That interval holds the truth in about 84 % of cases.",
                    lambda: _end(1.0),
                ),
                Misconception(
                    "You went down by 1.35: that is a 90 % interval.",
                    lambda: _end(chi2.ppf(0.9, 1) / 2),
                ),
                Misconception(
                    "That is the upper end for the variance. Take its root.",
                    lambda: _end(_CUT) ** 2,
                ),
                Misconception(
                    "That is the patients' standard deviation. The centres' one is asked for.",
                    lambda: float(likelihood.fit_intercept(_centres()).patient_sd),
                ),
            ),
        ),
        insight="It lies further from the estimate than the lower end does. With 51 centres the "
        "interval is far shorter, for its size, than with ten.",
    ),
    Exercise(
        id="E05.3",
        title="From the printed lines to a weight",
        objective="use the printed variances of a summary",
        kind="code",
        minutes=4,
        difficulty=1,
        answer=Number(
            quantity="the shrinkage weight",
            reference=lambda: shrinkage_weight(PATIENTS, HOSPITAL_VAR**0.5, SCALE**0.5),
            absolute=0.004,
            tolerance_reason="closed form; two decimals are enough",
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "You squared the printed numbers. They are variances already.",
                    lambda: shrinkage_weight(PATIENTS, HOSPITAL_VAR, SCALE),
                ),
                Misconception(
                    "That is the intraclass correlation, right for a hospital with one patient. "
                    "Divide Scale by the number of patients.",
                    lambda: shrinkage_weight(1, HOSPITAL_VAR**0.5, SCALE**0.5),
                ),
                Misconception(
                    "That is the weight of the line. The weight of the own mean is the rest.",
                    lambda: 1 - shrinkage_weight(PATIENTS, HOSPITAL_VAR**0.5, SCALE**0.5),
                ),
                Misconception(
                    "You took roots first. A weight is a share of variance.",
                    lambda: HOSPITAL_VAR**0.5 / (HOSPITAL_VAR**0.5 + SCALE**0.5 / PATIENTS),
                ),
                Misconception(
                    "You took roots first, and divided by the root of n. A weight is a share of "
                    "variance.",
                    lambda: HOSPITAL_VAR**0.5 / (HOSPITAL_VAR**0.5 + (SCALE / PATIENTS) ** 0.5),
                ),
                Misconception(
                    "You mixed a standard deviation with a variance. Use both lines as they are "
                    "printed.",
                    lambda: HOSPITAL_VAR / (HOSPITAL_VAR + SCALE**0.5 / PATIENTS),
                ),
                Misconception(
                    "You left out the hospital variance. In n/(n + k), k is Scale over it.",
                    lambda: PATIENTS / (PATIENTS + SCALE),
                ),
                Misconception(
                    "That is the variance of the hospital's mean that is due to its patients. The "
                    "weight compares it with the printed hospital variance.",
                    lambda: SCALE / PATIENTS,
                ),
            ),
        ),
    ),
    Exercise(
        id="E05.4",
        title="Spot the flaw",
        objective="find the line of a printed summary that was taken at its word",
        kind="spot the flaw",
        minutes=6,
        difficulty=2,
        answer=Flaw(
            sentence=3,
            reason="c",
            why="Write the pressures in kPa and its share of the variance changes. A profile "
            "interval would be far longer, and not symmetric.",
            sentences={
                1: "That is a sound analysis, and what MixedLM does by default.",
                2: "Two routes to the same height are the best evidence that a top was found.",
                4: "With 24 clinics t is the careful choice, and the degrees of freedom are named.",
                5: "That is how it should be: restricted likelihoods of different fixed effects "
                "are not comparable.",
            },
            reasons={
                "a": "It can, though not precisely. There is no magic number of clinics.",
                "b": "REML is made for the variances: it estimates them better than ML.",
                "d": "A variance cannot be below 0, so z is no test for it; and a number may be "
                "reported without a test.",
            },
        ),
    ),
    Exercise(
        id="E05.5",
        title="Three intervals",
        objective="choose the prediction interval that answers the question",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="thousands of patients tell the new hospital's own mean, and that mean lies away "
            "from the average by its own effect, whose standard deviation is hospital_sd.",
            reasons={
                "a": "With thousands of patients the noise of the patients averages out. The "
                "hospital's own effect does not: it is shared by all of them.",
                "c": "That is for a single patient. The board asks about the mean of many.",
                "d": "It can: the model says how hospitals differ, so it says where one more is "
                "likely to lie, if it comes from the same population.",
            },
        ),
    ),
    Exercise(
        id="E05.6",
        title="Your own hospitals",
        objective="predict for known hospitals from a fitted mixed model, on data that nobody "
        "else has",
        kind="code",
        minutes=12,
        difficulty=3,
        own=True,
        answer=Vector(
            quantity="the predicted means",
            unit="mmHg",
            reference=_answer(0),
            absolute=0.03,
            tolerance_reason="two decimals; MixedLM's optimisers agree to less than .01 mmHg",
            misconceptions=tuple(
                Misconception(says, _answer(row)) for row, says in enumerate(_MISTAKES, start=1)
            ),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)
