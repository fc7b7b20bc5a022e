"""What the notebook of an assignment calls: your hospitals, a check of form, and handing in.

An instructor makes such notebooks with `python -m utils.grading`. The check here says whether an
answer can be read: a number that can be what is asked for, a letter that stands there. Whether it
is right is found when the assignment is graded.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from utils.exercises import registry
from utils.exercises.display import Feedback, Notice
from utils.exercises.grade import form, grade
from utils.exercises.learners import study_for
from utils.exercises.predictions import settled

if TYPE_CHECKING:
    from utils.simulate import Study

CHECKS = ("form", "full")


def handout(
    assignment: str, student: str, keys: Mapping[int, str] | None = None, checks: str = "form"
) -> Handout:
    """Return what an assignment's notebook uses.

    Parameters
    ----------
    assignment, student : str
        Their ids.
    keys : mapping of int to str, optional
        For each lesson the key to the student's own hospitals.
    checks : {"form", "full"}
        "form": the check says whether an answer can be read. "full": it checks as in the lesson.

    Raises
    ------
    ValueError
        If `checks` is neither.
    """
    if checks not in CHECKS:
        raise ValueError(f"checks must be one of {CHECKS}; got {checks!r}")
    return Handout(assignment, student, dict(keys or {}), checks)


@dataclass(frozen=True)
class Handout:
    """One student's copy of an assignment."""

    assignment: str
    student: str
    keys: Mapping[int, str] = field(default_factory=dict, repr=False)
    checks: str = "form"

    def own_hospitals(self, lesson: int) -> Study:
        """Return your own hospitals of this assignment; a fresh copy at each call.

        Raises
        ------
        ValueError
            If the assignment has none for this lesson.
        """
        if lesson not in self.keys:
            known = ", ".join(map(str, sorted(self.keys))) or "none"
            raise ValueError(f"lesson must be one with own hospitals here: {known}; got {lesson!r}")
        return copy.deepcopy(study_of(self.keys[lesson], lesson))

    def check(self, exercise_id: str, answer: object = ...) -> Feedback:
        """Say whether an answer can be read; whether it is right, only with `checks="full"`."""
        name = str(exercise_id).strip().upper()
        exercise = registry.exercise(name)
        if exercise is None:
            return Feedback(name[:20], "not yet", "There is no such exercise.")
        study = study_of(self.keys[exercise.lesson], exercise.lesson) if exercise.own else None
        try:
            look = grade if self.checks == "full" else form
            return look(exercise, answer, study)
        except Exception as error:  # noqa: BLE001 - a student must never be stopped by a check
            text = f"This check could not be run ({type(error).__name__}): tell your instructor."
            return Feedback(name, "not yet", text)

    def hand_in(self, folder: str | Path = ".") -> Notice:
        """Write your predictions beside the notebook, to be handed in with it if you wish.

        They show your instructor how well the class's sureness fits. They are not graded.
        """
        path = Path(folder, f"{self.assignment}-predictions.json")
        content = {"student": self.student, "predictions": settled()}
        path.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
        text = (
            f"{len(content['predictions'])} predictions written to {path.name}. Save this notebook "
            "now, and hand in both files."
        )
        return Notice((self.assignment, "hand in"), text, tone="good")


@functools.lru_cache(maxsize=64)
def study_of(key: str, lesson: int) -> Study:
    """Return the hospitals that belong to a key: a pure function of key and lesson."""
    return study_for(f"key {key}", lesson)
