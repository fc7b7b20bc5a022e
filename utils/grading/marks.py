"""Turn answers into points, part by part. Everything here runs in the grader, on plain data.

What is graded, by the sort of exercise:

- a letter: the letter.
- a flaw: the sentence, and the reason; half each.
- a number or numbers from given figures: the value.
- numbers from data: the value on the student's (or the lesson's) data, and the value that the same
  code gives on other data; half each. A number that was typed in, or taken from a neighbour, fails
  the second part, and a neighbour's number the first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from utils.exercises import answers
from utils.exercises.declare import Choice, Exercise, Flaw, Number, Vector
from utils.exercises.display import Feedback
from utils.exercises.grade import grade
from utils.grading.values import Other, decode

if TYPE_CHECKING:
    from utils.simulate import Study

#: How an exercise's code is run again: on other own hospitals, on other data, or not at all.
OWN, OTHER, NOT = "own", "other", ""


def rerun_of(exercise: Exercise, *, has_data: bool) -> str:
    """Return how an exercise is run again."""
    if not isinstance(exercise.answer, Number):
        return NOT
    return OWN if exercise.own else OTHER if has_data else NOT


def parts_of(exercise: Exercise, rerun: str, points: float) -> list[dict]:
    """Return the parts of an exercise, with their points."""
    half = points / 2
    if isinstance(exercise.answer, Flaw):
        return [_part("sentence", "the sentence", half), _part("reason", "the reason", half)]
    if rerun == OWN:
        return [
            _part("value", "the value on your hospitals", half),
            _part("again", "your code, run on other hospitals", half),
        ]
    if rerun == OTHER:
        return [
            _part("value", "the value", half),
            _part("again", "your code, run on other data", half),
        ]
    return [_part("value", "the answer", points)]


def _part(key: str, what: str, points: float) -> dict:
    return {"key": key, "what": what, "points": points}


@dataclasses.dataclass(frozen=True)
class Marks:
    """What an exercise got.

    Parameters
    ----------
    exercise : str
        Its id.
    earned : mapping of str to float
        Points by part.
    status : {"right", "not yet", "not attempted"}
        The ruling on the value.
    message : str
        What the check says about the value.
    misconception : str or None
        The known mistake behind the value, where there is one.
    again : str
        What came of running the code again; empty where it was not.
    """

    exercise: str
    earned: Mapping[str, float]
    status: str
    message: str
    misconception: str | None = None
    again: str = ""

    @property
    def score(self) -> float:
        """Points of all parts."""
        return float(sum(self.earned.values()))


def mark(
    exercise: Exercise,
    entry: Mapping,
    value: Any,
    again: Any = None,
    *,
    study: Study | None = None,
    other_study: Study | None = None,
    expected: Any = None,
) -> Marks:
    """Mark an exercise.

    Parameters
    ----------
    exercise : Exercise
        The declaration.
    entry : mapping
        Its entry in the assignment: `parts` and `rerun`.
    value, again : JSON-ready data
        The answer, and the one that the same code gave on other data, as `encode` gave them.
    study, other_study : Study, optional
        The own hospitals, and the others; where the exercise is on own hospitals.
    expected : JSON-ready data
        What the lesson's own solution gives on the other data, where others replaced the lesson's.
    """
    answer = decode(value)
    points = {part["key"]: part["points"] for part in entry["parts"]}
    feedback = grade(exercise, _readable(answer), study)
    if isinstance(exercise.answer, Flaw):
        earned = _flaw(exercise.answer, answer, points)
        return _marks(exercise, earned, feedback)
    right = feedback.status == "right"
    earned = {"value": points["value"] if right else 0.0}
    said = ""
    if entry["rerun"]:
        ruling = _again(exercise, entry, decode(again), other_study, decode(expected))
        # A wrong number can be the right one elsewhere by chance: it earns nothing there either.
        earned["again"] = points["again"] if right and ruling.status == "right" else 0.0
        said = _said_again(ruling, right=right)
    return _marks(exercise, earned, feedback, said)


def _marks(exercise: Exercise, earned: dict, feedback: Feedback, again: str = "") -> Marks:
    return Marks(
        exercise.id, earned, feedback.status, feedback.message, feedback.misconception, again
    )


def _readable(answer: Any) -> Any:
    """Let the check say that a value of an unknown type cannot be read."""
    return object() if isinstance(answer, Other) else answer


def _flaw(spec: Flaw, answer: Any, points: Mapping[str, float]) -> dict[str, float]:
    earned = {"sentence": 0.0, "reason": 0.0}
    try:
        sentence, reason = answers.read_pair(answer, spec.numbers, spec.options)
    except Exception:  # noqa: BLE001 - what cannot be read earns nothing
        return earned
    if sentence == spec.sentence:
        earned["sentence"] = points["sentence"]
        # A reason counts for the sentence that it is about, and for no other.
        if reason == spec.reason:
            earned["reason"] = points["reason"]
    return earned


def _again(
    exercise: Exercise, entry: Mapping, answer: Any, study: Study | None, expected: Any
) -> Feedback:
    if entry["rerun"] == OWN:
        return grade(exercise, _readable(answer), study)
    return grade(pinned_to(exercise, expected), _readable(answer))


def pinned_to(exercise: Exercise, expected: Any) -> Exercise:
    """Return an exercise whose right answer is what the lesson's solution gave on other data."""
    changes: dict[str, Any] = {"misconceptions": ()}
    if isinstance(exercise.answer, Vector):
        right = exercise.answer.reference()
        changes["reference"] = lambda: right.__class__(_flat(expected), index=right.index)
    else:
        changes["reference"] = lambda: answers.read_number(expected)
    answer = dataclasses.replace(exercise.answer, **changes)
    return dataclasses.replace(exercise, answer=answer)


def _flat(expected: Any) -> list[float]:
    return [float(item) for item in expected]


def _said_again(ruling: Feedback, *, right: bool) -> str:
    if ruling.status == "right":
        if not right:
            return ""
        return "Run on other data, your code gave the right value."
    if ruling.status == "not attempted":
        return "Run on other data, your code gave no value."
    if right:
        return (
            "Run on other data, your code did not give the right value: it holds a number that was "
            "read off your own data, or typed in."
        )
    return "Run on other data, your code did not give the right value."


def letter(exercise: Exercise) -> bool:
    """Tell whether an exercise asks for letters only."""
    return isinstance(exercise.answer, Choice | Flaw)
