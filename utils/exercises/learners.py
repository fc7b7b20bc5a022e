"""Who the learner is, and the learner's own hospitals.

Own hospitals are a pure function of learner id and lesson number: the same id gives the same data
on every machine, and a neighbour's id gives others.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import operator
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

from utils.exercises import registry
from utils.exercises.display import Notice
from utils.exercises.state import store

if TYPE_CHECKING:
    from utils.simulate import Study

GUEST = "guest"
_LONGEST = 80


def set_learner(name: str) -> Notice:
    """Remember who you are: any text, such as a nickname. It never leaves this computer.

    Capital letters and extra spaces make no difference.

    Parameters
    ----------
    name : str
        1 to 80 characters, on one line.

    Returns
    -------
    Notice
        Says the id, for the end of a cell.

    Raises
    ------
    ValueError
        If the id is no text, empty, too long, or holds characters that cannot be seen.
    """
    tidy = _tidy(name)
    store().update(lambda state: state.update(learner=tidy))
    remark = store().remark()
    text = f"You are {tidy!r}. Your own hospitals and predictions belong to this id."
    return Notice(("learner", tidy), f"{text} {remark}".strip(), tone="good")


def learner() -> str:
    """Return the learner's id, or "guest" where none is set."""
    name = store().read().get("learner", GUEST)
    try:
        return _tidy(name)
    except ValueError:  # a file altered by hand
        return GUEST


def learner_key(name: str | None = None) -> str:
    """Return the id as it counts: without capitals and compatibility forms."""
    return unicodedata.normalize("NFKC", learner() if name is None else _tidy(name)).casefold()


def own_hospitals(lesson: int) -> Study:
    """Return your own hospitals for a lesson, simulated from your learner id.

    Each call hands out a fresh copy: change it as you like, the check keeps its own.

    Parameters
    ----------
    lesson : int
        Number of the lesson.

    Returns
    -------
    Study
        `data`, one row a patient, and `truth`, what the data were made from.

    Raises
    ------
    ValueError
        If the lesson is no whole number or has no own hospitals.
    """
    try:
        number = None if isinstance(lesson, (bool, np.bool_)) else operator.index(lesson)
    except TypeError:
        number = None
    if number is None or not 0 <= number <= 99:
        raise ValueError(f"lesson must be a whole number from 0 to 99, such as 2; got {lesson!r}")
    return copy.deepcopy(_cached_study(learner_key(), number))


def study_for(name: str, lesson: int) -> Study:
    """Return the own hospitals of any learner id: a pure function of id and lesson.

    Raises
    ------
    ValueError
        If the lesson has no own hospitals, or the id breaks the rule of `set_learner`.
    """
    module = registry.lesson_module(lesson)
    if module is None or not hasattr(module, "own_hospitals"):
        raise ValueError(f"lesson must be one that has own hospitals; got {lesson}")
    return module.own_hospitals(np.random.default_rng(_seed(learner_key(name), lesson)))


@functools.lru_cache(maxsize=16)
def _cached_study(key: str, lesson: int) -> Study:
    return study_for(key, lesson)


def _seed(key: str, lesson: int) -> int:
    """Return a seed of 128 bits; a hash, since Python's own `hash` differs between runs."""
    digest = hashlib.sha256(f"{key}|lesson {lesson:02d}".encode()).digest()
    return int.from_bytes(digest[:16], "big")


def _tidy(name: object) -> str:
    """Return the id without outer and double spaces, in one Unicode form."""
    if not isinstance(name, str):
        raise ValueError(f"a learner id must be a text in quotation marks; got {name!r}")
    tidy = unicodedata.normalize("NFC", " ".join(name.split()))
    if not 1 <= len(tidy) <= _LONGEST or not tidy.isprintable():
        raise ValueError(
            f"a learner id must have 1 to {_LONGEST} visible characters on one line; got {name!r}"
        )
    return tidy
