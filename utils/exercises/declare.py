"""The words in which a lesson declares its exercises.

A lesson module `utils/exercises/lesson_NN.py` holds `EXERCISES`, a tuple of `Exercise`, and, where
an exercise is on the learner's own hospitals, `own_hospitals(rng) -> Study`. Everything that
grades, shows and proves the exercises reads these declarations; no lesson writes its own check.

Declarations are compared by identity: two exercises are never "equal", so each can be a dict key.

Examples
--------
>>> Exercise(
...     id="E02.1",
...     title="The design effect",
...     objective="compute a design effect from an ICC and a cluster size",
...     kind="code",
...     minutes=4,
...     difficulty=1,
...     answer=Number(
...         quantity="the design effect",
...         reference=lambda: 1 + (20 - 1) * 0.1,
...         absolute=0.01,
...         tolerance_reason="closed form; the answer may be rounded to two decimals",
...         low=1,
...         misconceptions=(
...             Misconception("You multiplied by n, not by n - 1.", lambda: 1 + 20 * 0.1),
...         ),
...     ),
... ).lesson
2
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = ("code", "interpret", "spot the flaw")
_ID = re.compile(r"E\d\d\.[1-9]\d?")
_LETTER = re.compile(r"[a-z]")


@dataclass(frozen=True, eq=False)
class Misconception:
    """A known wrong way to the answer.

    Parameters
    ----------
    says : str
        What the learner reads: the idea behind the wrong value and the next step. It must not
        state the right value.
    value : callable
        Computes the wrong value: `value()`, or `value(study)` where the exercise is on own
        hospitals. A float for `Number`, a Series by hospital for `Vector`.
    """

    says: str
    value: Callable[..., Any]

    def __post_init__(self) -> None:
        _require_text("Misconception.says", self.says)
        _require_callable("Misconception.value", self.value)


@dataclass(frozen=True, eq=False, kw_only=True)
class Number:
    """One number is asked for.

    Parameters
    ----------
    reference : callable
        `reference()`, or `reference(study)` where the exercise is on own hospitals, gives the
        right value as a float.
    unit : str
        Unit shown in messages, such as "mmHg"; empty for a pure number.
    quantity : str
        What the number is, as it stands in a sentence: "the intraclass correlation".
    absolute, relative : float, optional
        The tolerance, in units of the quantity or as a share of the reference. Exactly one.
    tolerance_reason : str
        Where the tolerance comes from: rounding, numerical or Monte Carlo error.
    misconceptions : tuple of Misconception
        Known wrong ways, most likely first. The right answer wins where both are in tolerance.
    percent : bool
        True where the question allows 0.31 and 31 for the same share.
    low, high : float, optional
        The values that the quantity can possibly have, ends included.
    """

    reference: Callable[..., Any]
    tolerance_reason: str
    unit: str = ""
    quantity: str = "the answer"
    absolute: float | None = None
    relative: float | None = None
    misconceptions: tuple[Misconception, ...] = ()
    percent: bool = False
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        _require_callable("reference", self.reference)
        _require_text("quantity", self.quantity)
        _require_text("tolerance_reason", self.tolerance_reason)
        given = [t for t in (self.absolute, self.relative) if t is not None]
        if len(given) != 1 or not (math.isfinite(given[0]) and given[0] > 0):
            raise ValueError(
                "give exactly one tolerance, absolute or relative, finite and above 0; got "
                f"absolute={self.absolute!r}, relative={self.relative!r}"
            )
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low must be below high; got low={self.low!r}, high={self.high!r}")
        object.__setattr__(self, "misconceptions", tuple(self.misconceptions))
        for item in self.misconceptions:
            if not isinstance(item, Misconception):
                raise ValueError(f"misconceptions must be Misconception objects; got {item!r}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Vector(Number):
    """One number for each hospital is asked for, or for each of something else.

    As `Number`, except that `reference` and the misconceptions give a pandas Series indexed by
    hospital. Answers labelled by hospital are aligned by label; others are read in the
    reference's order. The tolerance holds for every hospital.

    Parameters
    ----------
    each : str
        What the numbers are for, in the singular, as messages say it.
    """

    each: str = "hospital"

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_text("each", self.each)


@dataclass(frozen=True, eq=False, kw_only=True)
class Choice:
    """One letter is asked for; the options stand in the lesson as `- **a** ...`.

    Parameters
    ----------
    correct : str
        The right letter.
    why : str
        Why it is right: shown with the right answer.
    reasons : mapping of str to str
        For each wrong letter, why it is not right.
    """

    correct: str
    why: str
    reasons: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_text("why", self.why)
        _require_letters(self.correct, self.reasons)

    @property
    def options(self) -> tuple[str, ...]:
        """The letters that may be chosen, in order."""
        return tuple(sorted({self.correct, *self.reasons}))


@dataclass(frozen=True, eq=False, kw_only=True)
class Flaw:
    """A pair is asked for: the flawed sentence of a short report, and the reason.

    Parameters
    ----------
    sentence : int
        Number of the flawed sentence in the lesson's list.
    reason : str
        Letter of the right reason.
    sentences : mapping of int to str
        For each sound sentence, why it is sound.
    reasons : mapping of str to str
        For each wrong reason, why it is not what is wrong.
    why : str
        What is wrong with the sentence: shown with the right answer.
    """

    sentence: int
    reason: str
    sentences: Mapping[int, str]
    reasons: Mapping[str, str]
    why: str = ""

    def __post_init__(self) -> None:
        _require_letters(self.reason, self.reasons)
        if self.sentence in self.sentences:
            raise ValueError(
                f"sentences holds the sound sentences only; it also holds {self.sentence}, the flaw"
            )
        numbers = sorted([self.sentence, *self.sentences])
        if len(numbers) < 2 or numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(f"sentences must be numbered 1, 2, ... without a gap; got {numbers}")
        for number, text in self.sentences.items():
            _require_text(f"sentences[{number}]", text)

    @property
    def options(self) -> tuple[str, ...]:
        """The letters of the reasons, in order."""
        return tuple(sorted({self.reason, *self.reasons}))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the sentences, in order."""
        return tuple(sorted({self.sentence, *self.sentences}))


Answer = Number | Vector | Choice | Flaw


@dataclass(frozen=True, eq=False, kw_only=True)
class Exercise:
    """One exercise, as the lesson, the check, the index and the proof see it.

    Parameters
    ----------
    id : str
        Stable id: "E02.3" is the third exercise of lesson 2.
    title : str
        As in the lesson's heading.
    objective : str
        What the learner can do after it; starts with a verb.
    kind : {"code", "interpret", "spot the flaw"}
        The sort of exercise.
    minutes : int
        A learner's time.
    difficulty : {1, 2, 3}
        1 applies one idea, 2 joins two, 3 asks for judgement.
    answer : Number, Vector, Choice or Flaw
        What is asked for, and how it is graded.
    own : bool
        True where the exercise is on the learner's own hospitals.
    insight : str
        A sentence added to the message when the answer is right.
    """

    id: str
    title: str
    objective: str
    kind: str
    minutes: int
    difficulty: int
    answer: Answer
    own: bool = False
    insight: str = ""

    def __post_init__(self) -> None:
        if not (isinstance(self.id, str) and _ID.fullmatch(self.id)):
            raise ValueError(f"an exercise id looks like 'E02.3'; got {self.id!r}")
        _require_text(f"{self.id}: title", self.title)
        _require_text(f"{self.id}: objective", self.objective)
        if self.kind not in KINDS:
            raise ValueError(f"{self.id}: kind must be one of {KINDS}; got {self.kind!r}")
        if not (isinstance(self.minutes, int) and 1 <= self.minutes <= 60):
            raise ValueError(f"{self.id}: minutes must be 1 to 60; got {self.minutes!r}")
        if self.difficulty not in (1, 2, 3):
            raise ValueError(f"{self.id}: difficulty must be 1, 2 or 3; got {self.difficulty!r}")
        if not isinstance(self.answer, Answer):
            raise ValueError(
                f"{self.id}: answer must be a Number, Vector, Choice or Flaw; got {self.answer!r}"
            )

    @property
    def lesson(self) -> int:
        """The number of the lesson that the exercise belongs to."""
        return int(self.id[1:3])


def _require_text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be a non-empty text; got {value!r}")


def _require_callable(name: str, value: object) -> None:
    if not callable(value):
        raise ValueError(f"{name} must be a function that computes the value; got {value!r}")


def _require_letters(correct: str, reasons: Mapping[str, str]) -> None:
    """Check that options are the letters a, b, ... and that each wrong one has its reason."""
    if not (isinstance(correct, str) and _LETTER.fullmatch(correct)):
        raise ValueError(f"the right option must be one small letter; got {correct!r}")
    if correct in reasons:
        raise ValueError(f"reasons are for the wrong options; it also holds {correct!r}, the right")
    letters = sorted([correct, *reasons])
    expected = [chr(ord("a") + i) for i in range(len(letters))]
    if len(letters) < 2 or letters != expected:
        raise ValueError(f"options must be a, b, ... without a gap, at least two; got {letters}")
    for letter, text in reasons.items():
        _require_text(f"reasons[{letter!r}]", text)
