"""The checks of lesson 17, which model."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pandas as pd

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.simulate import Study, med_trial

# E17.2: a patient's density in four draws of the posterior.
DENSITIES = np.array([0.20, 0.10, 0.40, 0.02])
# E17.3: differences of log density, one a hospital.
DIFFERENCES = np.array([3.0, -1.0, 4.0, 0.5, 2.5, -2.0, 6.0, 1.0])

_TOLERANCE, _APART = 0.06, 0.1  # mmHg


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own register, without treatment, in hospitals of very unequal size.

    Registers in which a wrong way gives nearly the right numbers are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=int(rng.integers(14, 25)),
            patients_per_hospital=(4, 40),
            treated_share=0,
            hospital_sd=round(float(rng.uniform(3, 7)), 1),
            patient_sd=round(float(rng.uniform(9, 14)), 1),
            rng=rng,
        )
        right = _two(study)
        if all((value(study) - right).abs().max() > _APART for _, value in _MISTAKES):
            return study


def _means(study: Study) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sizes and means of hospitals, and all pressures."""
    by = study.data.groupby("hospital", observed=True)["sbp"]
    return by.size().to_numpy(), by.mean().to_numpy(), study.data["sbp"].to_numpy()


def _pair(seen: float, expected: float) -> pd.Series:
    return pd.Series({"observed": seen, "expected": expected})


def _two(study: Study) -> pd.Series:
    n, means, y = _means(study)
    return _pair(means.std(ddof=1), y.std(ddof=1) * sqrt(np.mean(1 / n)))


def _within(study: Study) -> pd.Series:
    n, means, y = _means(study)
    codes = study.data["hospital"].cat.codes.to_numpy()
    within = sqrt(((y - means[codes]) ** 2).sum() / (len(y) - len(n)))
    return _pair(means.std(ddof=1), within * sqrt(np.mean(1 / n)))


def _mean_size(study: Study) -> pd.Series:
    n, means, y = _means(study)
    return _pair(means.std(ddof=1), y.std(ddof=1) / sqrt(n.mean()))


def _all_patients(study: Study) -> pd.Series:
    _, means, y = _means(study)
    return _pair(means.std(ddof=1), y.std(ddof=1) / sqrt(len(y)))


def _of_patients(study: Study) -> pd.Series:
    return _pair(_means(study)[2].std(ddof=1), _two(study)["expected"])


_MISTAKES: tuple[tuple[str, Callable[[Study], pd.Series]], ...] = (
    (
        "The second uses the patients' SD within hospitals. The model on trial knows no hospitals: "
        "its SD is that of all patients.",
        _within,
    ),
    (
        "The second uses the mean size. Small hospitals' means scatter more: average 1/n, not n.",
        _mean_size,
    ),
    (
        "The second is the standard error of the overall mean. Asked for is the SD of hospitals' "
        "means.",
        _all_patients,
    ),
    ("The first is the SD of patients. Take the hospitals' means first.", _of_patients),
    (
        "The two are exchanged: first what you observed, then what the model expects.",
        lambda study: _pair(*_two(study).iloc[::-1]),
    ),
    ("Those are variances. Take roots.", lambda study: _two(study) ** 2),
)


EXERCISES = (
    Exercise(
        id="E17.1",
        title="What will you leave out?",
        objective="match a cross-validation to the question",
        kind="interpret",
        minutes=4,
        difficulty=1,
        answer=Choice(
            correct="b",
            why="The model will be used in a hospital that has given it no patient. So it must be "
            "tried on hospitals that have given it none.",
            reasons={
                "a": "Then each left-out patient has colleagues from the same hospital in the fit. "
                "The new hospital will not.",
                "c": "A tenth of all patients, drawn by lot, leaves nearly every hospital in.",
                "d": "In-sample, the model has seen everything. It always looks good.",
            },
        ),
    ),
    Exercise(
        id="E17.2",
        title="Leave one out, without a refit",
        objective="compute a leave-one-out density from draws of the full posterior",
        kind="code",
        minutes=6,
        difficulty=3,
        answer=Number(
            quantity="the log density",
            reference=lambda: float(-np.log(np.mean(1 / DENSITIES))),
            absolute=0.01,
            tolerance_reason="closed form; two decimals",
            misconceptions=(
                Misconception(
                    "That is the in-sample density: the plain mean over draws that have seen the "
                    "patient.",
                    lambda: float(np.log(DENSITIES.mean())),
                ),
                Misconception(
                    "You averaged the logs. Densities are averaged, then logged.",
                    lambda: float(np.log(DENSITIES).mean()),
                ),
                Misconception(
                    "That is the density. Its log is asked for.",
                    lambda: float(1 / np.mean(1 / DENSITIES)),
                ),
                Misconception(
                    "The sign: dividing by the mean of 1/density gives a minus.",
                    lambda: float(np.log(np.mean(1 / DENSITIES))),
                ),
            ),
        ),
        insight="One draw that finds the patient absurd has nearly all the weight: this is where "
        "Pareto k comes from.",
    ),
    Exercise(
        id="E17.3",
        title="A difference and its error",
        objective="compute a paired standard error of a comparison",
        kind="code",
        minutes=6,
        difficulty=2,
        answer=Number(
            quantity="the standard error",
            reference=lambda: float(sqrt(len(DIFFERENCES)) * DIFFERENCES.std(ddof=1)),
            absolute=0.06,
            tolerance_reason="closed form; ddof 1, one decimal",
            low=0,
            misconceptions=(
                Misconception(
                    "That is the standard error of the *mean* difference. The sum is compared: "
                    "multiply by the number of hospitals.",
                    lambda: float(DIFFERENCES.std(ddof=1) / sqrt(len(DIFFERENCES))),
                ),
                Misconception(
                    "That is the SD of one hospital's difference. The sum of eight varies more.",
                    lambda: float(DIFFERENCES.std(ddof=1)),
                ),
                Misconception(
                    "You multiplied the SD by the number. Variances add: take the root of it.",
                    lambda: float(len(DIFFERENCES) * DIFFERENCES.std(ddof=1)),
                ),
                Misconception(
                    "You divided by n, not by n − 1, in the SD. With eight hospitals it shows.",
                    lambda: float(sqrt(len(DIFFERENCES)) * DIFFERENCES.std()),
                ),
            ),
        ),
    ),
    Exercise(
        id="E17.4",
        title="Read the ranks",
        objective="say from a rank histogram what is wrong with a program",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="d",
            why="The truth lies outside of most draws too often, on both sides: the program is too "
            "sure.",
            reasons={
                "a": "A shift heaps ranks at one end and thins them out at the other.",
                "b": "Too wide a posterior keeps the truth in the middle of the draws: a hill.",
                "c": "Flat is what you hope for; this is far from flat.",
            },
        ),
    ),
    Exercise(
        id="E17.5",
        title="Spot the flaw",
        objective="notice a comparison that answers another question",
        kind="spot the flaw",
        minutes=6,
        difficulty=3,
        answer=Flaw(
            sentence=4,
            reason="a",
            sentences={
                1: "Both models and the data are stated.",
                2: "LOO with its diagnostics: as it should be.",
                3: "The difference is given with its paired standard error.",
                5: "A check of what matters for planning, at the right level.",
            },
            reasons={
                "b": "Few large k are no ground for rejecting LOO; there were none here.",
                "c": "More than twice its standard error is a difference, as far as patients go.",
                "d": "They may be compared: both give each patient a density. This lesson did it.",
            },
            why="LOO left single patients out. For hospitals not in the data leave hospitals out. "
            "Separate coefficients know nothing of a new hospital.",
        ),
    ),
    Exercise(
        id="E17.6",
        title="Your own hospitals",
        objective="check a model where it could fail",
        kind="code",
        minutes=9,
        difficulty=2,
        own=True,
        answer=Vector(
            quantity="your two SDs",
            unit="mmHg",
            each="row",
            reference=_two,
            absolute=_TOLERANCE,
            tolerance_reason="closed forms; one decimal, and ddof 0 or 1 for the patients",
            low=0,
            misconceptions=tuple(Misconception(says, value) for says, value in _MISTAKES),
        ),
        insight="The model without hospitals fails here, though it has each patient's mean and SD "
        "right.",
    ),
)
