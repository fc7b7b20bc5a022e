"""The checks of lesson 19, from thirty hospitals to thirty thousand."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pandas as pd

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.simulate import Study, med_trial

# E19.1: five sums of a hospital: patients, sum of pressures less 140, and sum of their squares.
N, SUM, SQUARES = 40, 120.0, 6000.0
# E19.3: seconds at two sizes, for extrapolation.
SMALL, LARGE, SECONDS_SMALL, SECONDS_LARGE, ASKED = 1e4, 1e5, 3.0, 12.0, 1e7

_TOLERANCE, _APART = 0.06, 0.12  # mmHg


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own register: several thousand patients in many hospitals.

    Registers in which a wrong way comes near the right numbers are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=int(rng.integers(100, 201)),
            patients_per_hospital=(5, 60),
            treatment_effect=-round(float(rng.uniform(3, 9)), 1),
            hospital_sd=round(float(rng.uniform(3, 7)), 1),
            patient_sd=round(float(rng.uniform(9, 14)), 1),
            assignment="sicker hospitals more",
            confounding=1.0,
            rng=rng,
        )
        right = _two(study)
        if all((value(study) - right).abs().max() > _APART for _, value in _MISTAKES):
            return study


def _sums(study: Study) -> tuple[np.ndarray, ...]:
    """Return n and the sums of treatment, pressure, their product and squares by hospital."""
    data = study.data
    codes = data["hospital"].cat.codes.to_numpy()
    t, y = data["treated"].to_numpy(dtype=float), data["sbp"].to_numpy() - 140
    return tuple(np.bincount(codes, value) for value in (np.ones_like(y), t, y, t * y, y * y))


def _pair(effect: float, sd: float) -> pd.Series:
    return pd.Series({"treatment_effect": effect, "patient_sd": sd})


def _spread(study: Study, *, hospitals: bool = True, explained: bool = True) -> pd.Series:
    """Return effect and SD; without hospitals in the divisor, or with treatment's share left in."""
    n, t, y, ty, yy = _sums(study)
    ty_in = (ty - t * y / n).sum()
    effect = ty_in / (t - t**2 / n).sum()
    left = (yy - y**2 / n).sum() - explained * effect * ty_in
    return _pair(effect, sqrt(left / (n.sum() - (len(n) + 1 if hospitals else 2))))


def _two(study: Study) -> pd.Series:
    return _spread(study)


def _pooled(study: Study) -> pd.Series:
    """Return the answer from the sums over everybody, hospitals forgotten."""
    n, t, y, ty, yy = (part.sum() for part in _sums(study))
    tt, ty, yy = t - t**2 / n, ty - t * y / n, yy - y**2 / n
    return _pair(ty / tt, sqrt((yy - ty**2 / tt) / (n - 2)))


def _plain_average(study: Study) -> pd.Series:
    """Return the effect as the average of the hospitals' own differences."""
    n, t, y, ty, _ = _sums(study)
    both = (t > 0) & (t < n)
    own = (ty / np.maximum(t, 1) - (y - ty) / np.maximum(n - t, 1))[both]
    return _pair(own.mean(), _two(study)["patient_sd"])


_MISTAKES: tuple[tuple[str, Callable[[Study], pd.Series]], ...] = (
    (
        "You summed over everybody first: hospitals are forgotten, and sicker ones treat more. "
        "Take each hospital's own means off: Σty − Σt Σy / n, hospital by hospital, then add up.",
        _pooled,
    ),
    (
        "The first is the plain average of the hospitals' own differences. Large hospitals count "
        "for more: add up the products, then divide.",
        _plain_average,
    ),
    (
        "In the second, each hospital's own mean counts too: divide by patients − hospitals − 1.",
        lambda study: _spread(study, hospitals=False),
    ),
    (
        "In the second, what the treatment explains is still inside: take the effect times the "
        "first sum off.",
        lambda study: _spread(study, explained=False),
    ),
    (
        "The second is the variance. Take the root.",
        lambda study: _pair(_two(study).iloc[0], _two(study).iloc[1] ** 2),
    ),
    (
        "The first has the wrong sign: treated less untreated.",
        lambda study: _pair(-_two(study).iloc[0], _two(study).iloc[1]),
    ),
)

_MEAN = SUM / N

EXERCISES = (
    Exercise(
        id="E19.1",
        title="A hospital in three numbers",
        objective="get a mean and an SD back from sums",
        kind="code",
        minutes=4,
        difficulty=1,
        answer=Number(
            quantity="the SD",
            unit="mmHg",
            reference=lambda: sqrt((SQUARES - N * _MEAN**2) / (N - 1)),
            absolute=0.06,
            tolerance_reason="closed form; one decimal",
            low=0,
            misconceptions=(
                Misconception(
                    "You forgot to take off the mean: n times its square.",
                    lambda: sqrt(SQUARES / (N - 1)),
                ),
                Misconception(
                    "You took off the square of the mean once, not n times.",
                    lambda: sqrt((SQUARES - _MEAN**2) / (N - 1)),
                ),
                Misconception(
                    "You divided by n. The SD of a sample divides by n − 1.",
                    lambda: sqrt((SQUARES - N * _MEAN**2) / N),
                ),
                Misconception(
                    "That is the variance. Take the root.",
                    lambda: (SQUARES - N * _MEAN**2) / (N - 1),
                ),
            ),
        ),
    ),
    Exercise(
        id="E19.2",
        title="What may be thrown away?",
        objective="say for which model five sums are enough",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="With normal errors the likelihood sees a patient only through sums and squares. "
            "Student-t errors look at every single one.",
            reasons={
                "a": "Group them by hospital and ward: sums of smaller groups do.",
                "b": "Its sums by arm and hospital are enough: cross products with treatment.",
                "d": "A known, different variance in each hospital only weights its sums.",
            },
        ),
    ),
    Exercise(
        id="E19.3",
        title="Before lunch?",
        objective="extrapolate a cost from two runs",
        kind="code",
        minutes=4,
        difficulty=2,
        answer=Number(
            quantity="the time",
            unit="s",
            reference=lambda: (
                SECONDS_SMALL + (SECONDS_LARGE - SECONDS_SMALL) / (LARGE - SMALL) * (ASKED - SMALL)
            ),
            relative=0.01,
            tolerance_reason="closed form; three digits",
            low=0,
            misconceptions=(
                Misconception(
                    "You took all of it to grow with patients. Part of it is a start that every "
                    "run pays: use both runs.",
                    lambda: SECONDS_LARGE * ASKED / LARGE,
                ),
                Misconception(
                    "That lets the seconds grow four-fold for every factor of ten. The two runs "
                    "lie on a straight line with a start.",
                    lambda: SECONDS_LARGE * (SECONDS_LARGE / SECONDS_SMALL) ** 2,
                ),
            ),
        ),
    ),
    Exercise(
        id="E19.4",
        title="Which short cut?",
        objective="choose an engine by what it gets wrong",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="a",
            why="With few hospitals hospital_sd is uncertain and skewed, and it decides the width "
            "of the effect's interval. A normal curve at the top misses that.",
            reasons={
                "b": "With 10,000 hospitals the posterior is close to a normal curve, and that is "
                "what Laplace draws.",
                "c": "With patients randomised inside hospitals the effect hardly hangs on "
                "hospital_sd.",
                "d": "A posterior mode alone gives no interval at all, so nothing can be too "
                "short. It is no answer either.",
            },
        ),
    ),
    Exercise(
        id="E19.5",
        title="Spot the flaw",
        objective="notice a million patients that hide a handful of hospitals",
        kind="spot the flaw",
        minutes=5,
        difficulty=3,
        answer=Flaw(
            sentence=4,
            reason="b",
            sentences={
                1: "Sums by hospital are all that this model needs.",
                2: "REML from sums is REML: nothing is approximated.",
                3: "Checking a fast route against a slow one, on a part, is good practice.",
                5: "The time is a fact. It is no argument, but no mistake either.",
            },
            reasons={
                "a": "Sums lose nothing for a normal random-intercept model.",
                "c": "REML needs no prior.",
                "d": "Chunks add up to the same sums, in any order.",
            },
            why="The programme was given by hospital. Eight hospitals say how much hospitals "
            "differ, whatever the number of patients: the error does not shrink with them.",
        ),
    ),
    Exercise(
        id="E19.6",
        title="Your own hospitals, in sums",
        objective="estimate an effect and an SD from sums by hospital alone",
        kind="code",
        minutes=10,
        difficulty=3,
        own=True,
        answer=Vector(
            quantity="your two numbers",
            unit="mmHg",
            each="row",
            reference=_two,
            absolute=_TOLERANCE,
            tolerance_reason="closed forms; one decimal",
            misconceptions=tuple(Misconception(says, value) for says, value in _MISTAKES),
        ),
        insight="Nobody needs to see a patient's pressure for that. Hospitals can send sums.",
    ),
)
