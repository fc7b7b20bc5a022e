"""Each student's own data, from the course's secret: nobody can compute a neighbour's.

A key is HMAC-SHA-256 of student, assignment and lesson under the course's secret, cut to 128 bits.
The handout holds the student's key and nothing else of the secret. The data are a pure function of
the key, so the grader makes them anew when it grades.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from utils.handout import study_of

if TYPE_CHECKING:
    from utils.simulate import Study

EVERYONE = "(everyone)"  # not a possible id: the data of a class without a roster
OWN, HIDDEN, OTHER = "own", "hidden", "other data"


def key(secret: bytes, student: str, assignment: str, lesson: int, purpose: str = OWN) -> str:
    """Return a key as 32 hexadecimal digits.

    Parameters
    ----------
    secret : bytes
        The course's secret.
    student, assignment : str
        Their ids.
    lesson : int
        The lesson whose own hospitals are meant: the exercises of a lesson share them.
    purpose : str
        `OWN`: what the student gets. `HIDDEN`: the hospitals on which the student's code is run
        again. `OTHER`: for other data in place of the lesson's.

    Examples
    --------
    >>> key(b"secret", "ann", "ps1", 2) == key(b"secret", "bob", "ps1", 2)
    False
    """
    parts = [part.encode() for part in (purpose, assignment, f"{lesson:02d}", student)]
    text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(secret, text, "sha256").hex()[:32]


def study(secret: bytes, student: str, assignment: str, lesson: int, purpose: str = OWN) -> Study:
    """Return the hospitals that belong to a key."""
    return study_of(key(secret, student, assignment, lesson, purpose), lesson)
