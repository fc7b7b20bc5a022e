"""Proof that an exercise grades as it declares: what must pass, what must not, and how often.

`tests/unit/test_every_exercise.py` runs this over every exercise of every lesson;
`python -m utils.exercises.proof` prints the rates on simulated learners.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from utils.exercises import registry
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.exercises.display import number
from utils.exercises.grade import expected, grade, tolerance
from utils.exercises.learners import study_for

if TYPE_CHECKING:
    from utils.simulate import Study

REFERENCE = "reference"
NEIGHBOUR = "a neighbour's answer"


def pinned(exercise: Exercise, study: Study | None = None) -> Exercise:
    """Return the exercise with its values computed once, and so quick to grade many times.

    Parameters
    ----------
    exercise : Exercise
        Any exercise.
    study : Study, optional
        The own hospitals, where it is on them.

    Returns
    -------
    Exercise
        No longer on own hospitals: the values of this study are built in.
    """
    spec = exercise.answer
    if not isinstance(spec, Number):
        return dataclasses.replace(exercise, own=False)

    def constant(function: Any) -> Any:
        values, hospitals = expected(exercise, function, study)
        kept = values[0] if hospitals is None else pd.Series(values, index=hospitals)
        return lambda: kept

    fixed = dataclasses.replace(
        spec,
        reference=constant(spec.reference),
        misconceptions=tuple(
            Misconception(item.says, constant(item.value)) for item in spec.misconceptions
        ),
    )
    return dataclasses.replace(exercise, own=False, answer=fixed)


def right_forms(exercise: Exercise) -> dict[str, Any]:
    """Return the right answer of a pinned exercise in the forms in which it must pass."""
    spec = exercise.answer
    if isinstance(spec, Choice):
        b = spec.correct
        return {
            repr(form): form
            for form in (b, b.upper(), f" {b} ", f"{b})", f"({b})", f"{b}.", np.str_(b), [b])
        }
    if isinstance(spec, Flaw):
        n, b = spec.sentence, spec.reason
        pairs = (
            *((n, b), [n, b.upper()], (str(n), b), (float(n), f"{b})"), (np.int64(n), b)),
            *(f"{n}{b}", f"({n}, {b})", np.array([str(n), b])),
        )
        return {repr(pair): pair for pair in pairs}
    right = spec.reference()
    return _vector_forms(right) if isinstance(spec, Vector) else _number_forms(spec, float(right))


def _number_forms(spec: Number, right: float) -> dict[str, Any]:
    edge = 0.9 * tolerance(spec, np.array([right]))[0]
    forms = {
        "float": right,
        "float64": np.float64(right),
        "0-d array": np.array(right),
        "list": [right],
        "tuple": (right,),
        "array of one": np.array([[right]]),
        "Series of one": pd.Series([right], index=["treated"]),
        "DataFrame of one": pd.DataFrame({"value": [right]}),
        "masked array": np.ma.array([right]),
        "Decimal": Decimal(repr(right)),
        "upper edge": right + edge,
        "lower edge": right - edge,
    }
    if spec.percent:
        forms["percent"] = 100 * right
    return forms


def _vector_forms(right: pd.Series) -> dict[str, Any]:
    return {
        "Series": right,
        "Series turned round": right[::-1],
        "Series by category": pd.Series(right.to_numpy(), index=pd.Categorical(right.index)),
        "Series without labels": right.reset_index(drop=True),
        "DataFrame": right.to_frame("value"),
        "dict": right[::-1].to_dict(),
        "list": right.tolist(),
        "array": right.to_numpy(),
        "column": right.to_numpy()[:, None],
    }


def wrong_answers(exercise: Exercise) -> list[Any]:
    """Return answers to a pinned exercise that are wrong without being a listed misconception."""
    spec = exercise.answer
    if isinstance(spec, Choice):
        return [*spec.reasons, chr(ord(spec.options[-1]) + 1), f"{spec.options}", 2]
    if isinstance(spec, Flaw):
        pairs = [(n, letter) for n in spec.numbers for letter in spec.options]
        pairs.remove((spec.sentence, spec.reason))
        return [*pairs, (spec.reason, spec.sentence), spec.sentence]
    right = spec.reference()
    values = np.atleast_1d(np.asarray(right, dtype=float))
    width = tolerance(spec, values)
    known = [np.atleast_1d(item.value()) for item in spec.misconceptions]
    found = []
    for shift in (1.5, -1.5, 7.3, -11.7, 23.9, -31.3):
        wrong = values.copy()
        wrong[-1] += shift * width[-1]  # one hospital is enough to be wrong
        if not any((np.abs(wrong - k) <= 1.1 * tolerance(spec, k)).all() for k in known):
            found.append(
                pd.Series(wrong, index=right.index) if isinstance(spec, Vector) else wrong[0]
            )
    return found


def leaks(exercise: Exercise, message: str) -> bool:
    """Tell whether a message to a pinned exercise states the right value, to three digits."""
    spec = exercise.answer
    if isinstance(spec, Vector) or not isinstance(spec, Number):
        return False
    right = float(spec.reference())
    shown = {number(right), f"{right:.3g}".replace("-", "−")}
    texts = (text for text in shown if len(re.sub(r"\D", "", text).lstrip("0")) >= 3)
    return any(re.search(rf"(?<![\d.,−]){re.escape(text)}(?!\d|\.\d)", message) for text in texts)


@dataclasses.dataclass(frozen=True)
class Rate:
    """How one method fared over simulated learners.

    Parameters
    ----------
    exercise : str
        Id of the exercise.
    method : str
        "reference", what the misconception says, or "a neighbour's answer".
    learners : int
        How many learner ids were tried.
    right : float
        Share of them for whom the method's answer was graded right.
    named : float
        Share for whom the method was named as a misconception.
    """

    exercise: str
    method: str
    learners: int
    right: float
    named: float


@functools.lru_cache(maxsize=256)
def _study(name: str, lesson: int) -> Study:
    """Return a learner's hospitals; they are drawn once for all exercises of a lesson."""
    return study_for(name, lesson)


def own_rates(exercise: Exercise, learners: int = 200) -> list[Rate]:
    """Grade every method of an exercise on own hospitals, over many learner ids.

    Parameters
    ----------
    exercise : Exercise
        One with `own=True` that asks for numbers.
    learners : int
        How many ids to try, at least 2.

    Returns
    -------
    list of Rate
        The reference, each misconception, and the answer of the learner before.

    Raises
    ------
    ValueError
        If the exercise is not on own hospitals, or there are too few learners.
    """
    if not exercise.own or not isinstance(exercise.answer, Number):
        raise ValueError(f"rates need numbers on own hospitals; {exercise.id} has none")
    if learners < 2:
        raise ValueError(f"learners must be at least 2; got {learners}")
    counts: dict[str, list[int]] = {}
    neighbour = None
    for i in range(learners):
        fixed = pinned(exercise, _study(f"learner {i}", exercise.lesson))
        spec = fixed.answer
        methods = [
            (REFERENCE, spec.reference()),
            *((m.says, m.value()) for m in spec.misconceptions),
        ]
        if neighbour is not None:
            methods.append((NEIGHBOUR, neighbour))
        for name, value in methods:
            feedback = grade(fixed, value)
            count = counts.setdefault(name, [0, 0, 0])
            count[0] += 1
            count[1] += feedback.status == "right"
            count[2] += feedback.misconception == name
        neighbour = spec.reference()
    return [
        Rate(exercise.id, name, tried, right / tried, named / tried)
        for name, (tried, right, named) in counts.items()
    ]


def rates(learners: int = 200) -> pd.DataFrame:
    """Return the rates of every exercise on own hospitals, one method a row."""
    found = [
        rate
        for item in registry.all_exercises().values()
        if item.own and isinstance(item.answer, Number)
        for rate in own_rates(item, learners)
    ]
    return pd.DataFrame(found, columns=[field.name for field in dataclasses.fields(Rate)])


def main() -> None:
    """Print the rates as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", type=int, default=200)
    shown = rates(parser.parse_args().learners)
    shown["method"] = shown["method"].str.slice(0, 60)
    print(shown.to_string(index=False, float_format=lambda share: f"{share:.3f}"))


if __name__ == "__main__":
    main()
