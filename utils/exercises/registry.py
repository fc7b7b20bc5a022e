"""Find the exercises that the lessons declare.

Lesson modules are imported when an exercise is asked for, and no earlier: a fault in one lesson
cannot stop the checks of another.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from types import ModuleType

from utils.exercises.declare import Exercise

_PACKAGE = "utils.exercises"
_MODULE = re.compile(r"lesson_(\d\d)")


def lessons() -> tuple[int, ...]:
    """Return the numbers of the lessons that declare exercises, in order."""
    package = importlib.import_module(_PACKAGE)
    found = (_MODULE.fullmatch(info.name) for info in pkgutil.iter_modules(package.__path__))
    return tuple(sorted(int(match.group(1)) for match in found if match))


def lesson_module(lesson: int) -> ModuleType | None:
    """Import the module that declares a lesson's exercises.

    Parameters
    ----------
    lesson : int
        Number of the lesson.

    Returns
    -------
    module or None
        None where the lesson declares no exercises.
    """
    name = f"{_PACKAGE}.lesson_{lesson:02d}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:  # the lesson exists, and something that it imports does not
            raise
        return None


def lesson_exercises(lesson: int) -> tuple[Exercise, ...]:
    """Return the exercises of one lesson, in the order of the lesson.

    Raises
    ------
    ValueError
        If ids repeat, or carry another lesson's number, or if an exercise on own hospitals
        stands in a module without `own_hospitals`.
    """
    module = lesson_module(lesson)
    if module is None:
        return ()
    seen: set[str] = set()
    for item in module.EXERCISES:
        if item.lesson != lesson:
            raise ValueError(f"lesson {lesson} declares {item.id}, an id of lesson {item.lesson}")
        if item.id in seen:
            raise ValueError(f"exercise ids must be unique; {item.id} is declared twice")
        if item.own and not hasattr(module, "own_hospitals"):
            raise ValueError(f"{item.id} needs own_hospitals(rng) in {module.__name__}")
        seen.add(item.id)
    return tuple(module.EXERCISES)


@functools.cache
def all_exercises() -> dict[str, Exercise]:
    """Return every exercise of the course by its id, in order of the lessons."""
    return {item.id: item for lesson in lessons() for item in lesson_exercises(lesson)}


def exercise(exercise_id: str) -> Exercise | None:
    """Return the exercise with this id, or None; only its own lesson is imported.

    Examples
    --------
    >>> exercise("E99.9") is None
    True
    """
    match = re.fullmatch(r"E(\d\d)\.\d+", exercise_id)
    if match is None:
        return None
    declared = lesson_exercises(int(match.group(1)))
    return next((item for item in declared if item.id == exercise_id), None)
