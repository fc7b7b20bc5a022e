"""The check that a learner calls. It never raises, and never changes what it is given."""

from __future__ import annotations

import dataclasses

from utils.exercises import learners, registry
from utils.exercises.answers import is_blank, one_of, type_name
from utils.exercises.display import Feedback
from utils.exercises.grade import grade
from utils.exercises.state import store


def check(exercise_id: str, answer: object = ...) -> Feedback:
    """Check your answer to an exercise.

    Parameters
    ----------
    exercise_id : str
        Such as "E02.3", as in the exercise's heading.
    answer : object
        Your answer. It is only looked at.

    Returns
    -------
    Feedback
        Not attempted, right, or not yet, with the reason. Every answer gets one, also an
        impossible answer or an unknown exercise.

    Examples
    --------
    >>> check("E99.1", 3.2)
    E99.1 · not yet · There is no exercise E99.1: lesson 99 has none.
    """
    name = exercise_id if type(exercise_id) is str else "check"
    try:
        return _check(name.strip().upper(), exercise_id, answer)
    # A learner must never be stopped by a check. What comes here is a fault of the course, since
    # grade() handles a faulty answer itself; it is said, and it is never taken for "right".
    except Exception as error:  # noqa: BLE001
        return Feedback(
            name[:20],
            "not yet",
            "This check could not be run. That is a fault of the course, not of your answer: "
            f"please report it, with the words {type_name(error)} in {name[:20]}.",
        )


def _check(name: str, given: object, answer: object) -> Feedback:
    if type(given) is not str:
        text = "The first thing in the brackets is the exercise's id, such as 'E02.1', in quotes."
        return Feedback("check", "not yet", text)
    exercise = registry.exercise(name)
    if exercise is None:
        return Feedback(name[:20] or "check", "not yet", _unknown(name))
    if not exercise.own or is_blank(answer):
        return grade(exercise, answer)
    feedback = grade(exercise, answer, learners.own_hospitals(exercise.lesson))
    whose = f"(The hospitals are those of {learners.learner()!r}.)"
    notes = ("" if feedback.status == "right" else whose, store().remark())
    return dataclasses.replace(feedback, note=" ".join(filter(None, notes)))


def _unknown(name: str) -> str:
    """Say which exercises there are in the lesson that the id points to."""
    lesson = int(name[1:3]) if name[1:3].isdecimal() and name[:1] == "E" else None
    if lesson is None:
        return "There is no such exercise: an id looks like 'E02.1'."
    known = [item.id for item in registry.lesson_exercises(lesson)]
    if not known:
        return f"There is no exercise {name[:20]}: lesson {lesson} has none."
    listed = one_of(known) if len(known) > 1 else known[0]
    return f"There is no exercise {name[:20]}: lesson {lesson} has {listed}."
