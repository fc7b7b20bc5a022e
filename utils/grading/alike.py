"""Find reasoning texts that are more alike than chance makes them.

Two people who answer one question share its words and the lesson's. So sequences of four words
that stand in the question, or that a good part of the class used, count for nothing. What is left
is each writer's own; texts written apart share next to none of it. Who shares a lot is shown side
by side. Why, the numbers cannot say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

_WORDS = 4  # in a sequence
_FEWEST = 6  # sequences that must be shared: two runs of words, or one of nine
_SHARE = 0.3  # of the shorter text's own sequences


@dataclass(frozen=True)
class Pair:
    """Two alike texts.

    Parameters
    ----------
    exercise : str
        Whose reasons these are.
    students : tuple of str
        The two.
    texts : tuple of str
        What they wrote.
    shared, of : int
        How many of the shorter text's own word sequences the other has, too.
    """

    exercise: str
    students: tuple[str, str]
    texts: tuple[str, str]
    shared: int
    of: int


def sequences(text: str) -> set[tuple[str, ...]]:
    """Return all runs of four words; capitals and punctuation do not count.

    Examples
    --------
    >>> sorted(sequences("The ICC is a share."))
    [('icc', 'is', 'a', 'share'), ('the', 'icc', 'is', 'a')]
    """
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[i : i + _WORDS]) for i in range(len(words) - _WORDS + 1)}


def alike(exercise: str, texts: Mapping[str, str], question: str = "") -> list[Pair]:
    """Return the pairs of students whose texts are alike, the most alike first.

    Parameters
    ----------
    exercise : str
        Id of the exercise.
    texts : mapping of str to str
        What each student wrote.
    question : str
        The exercise's own text: what stands there counts for nobody.
    """
    asked = sequences(question)
    used = {student: sequences(text) - asked for student, text in texts.items()}
    count = Counter(run for runs in used.values() for run in runs)
    common = max(2, round(0.15 * len(texts)))  # used by more: a phrase of the lesson
    own = {s: {run for run in runs if count[run] <= common} for s, runs in used.items()}
    found = []
    for first, second in combinations(sorted(own), 2):
        shared = len(own[first] & own[second])
        shorter = min(len(own[first]), len(own[second]))
        if shared >= _FEWEST and shared >= _SHARE * shorter:
            pair = (texts[first], texts[second])
            found.append(Pair(exercise, (first, second), pair, shared, shorter))
    return sorted(found, key=lambda pair: (-pair.shared / pair.of, pair.students))
