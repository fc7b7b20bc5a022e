"""The hidden test, as it stands in the instructor's notebook.

Running the instructor's notebook runs these tests on its solutions. Submissions are never graded
by them inside their own process: `utils.grading.grade` does that outside, on the answers' values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from utils.exercises.grade import grade
from utils.exercises.registry import all_exercises

if TYPE_CHECKING:
    from utils.simulate import Study


def accept(
    exercise_id: str, answer: object, own_hospitals: Callable[[int], Study] | None = None
) -> None:
    """Raise unless an answer is right.

    Raises
    ------
    AssertionError
        With what the check says.
    """
    exercise = all_exercises()[exercise_id]
    study = own_hospitals(exercise.lesson) if exercise.own else None
    feedback = grade(exercise, answer, study)
    if feedback.status != "right":
        raise AssertionError(str(feedback))
