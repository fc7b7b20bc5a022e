"""A lesson as the contract reads it: source, both copies, declared exercises, all parsed."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from utils.authoring.course import Plan, plan
from utils.authoring.python import Code
from utils.authoring.source import Cell, Source

if TYPE_CHECKING:
    from utils.exercises.declare import Exercise

EXERCISE_HEADING = re.compile(r"^### Exercise (E\d\d\.\d+) · (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """An exercise as it stands in the lesson: from its heading to its check, included."""

    id: str
    title: str
    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """The Markdown after the heading."""
        prose = "\n\n".join(cell.source for cell in self.cells if cell.kind == "markdown")
        return prose[EXERCISE_HEADING.search(prose).end() :]

    @property
    def code(self) -> tuple[Code, ...]:
        """The code cells."""
        return tuple(Code(cell) for cell in self.cells if cell.kind == "code")


@dataclass(frozen=True)
class Lesson:
    """One lesson, parsed.

    Parameters
    ----------
    source : Source
        What the author wrote.
    learner, solution : dict
        The two notebooks, as JSON.
    exercises : tuple of Exercise
        What the registry declares for this lesson.
    plan : Plan
        What the course has planned.
    """

    source: Source
    learner: Mapping
    solution: Mapping
    exercises: tuple[Exercise, ...]
    plan: Plan

    @property
    def number(self) -> int:
        """Number of the lesson."""
        return self.source.number

    @functools.cached_property
    def code(self) -> tuple[Code, ...]:
        """The code cells, in order."""
        return tuple(Code(cell) for cell in self.source.cells if cell.kind == "code")

    @functools.cached_property
    def prose(self) -> str:
        """All Markdown, without fenced code."""
        parts = [cell.source for cell in self.source.cells if cell.kind == "markdown"]
        return _FENCE.sub("", "\n\n".join(parts))

    @functools.cached_property
    def headings(self) -> tuple[tuple[int, str], ...]:
        """(level, text) of every heading."""
        return headings(self.prose)

    @functools.cached_property
    def sections(self) -> tuple[Section, ...]:
        """The exercises, in order; a section ends at its last check, or at the next heading."""
        found: list[Section] = []
        open_cells: list[Cell] = []
        for cell in self.source.cells:
            match = EXERCISE_HEADING.search(cell.source) if cell.kind == "markdown" else None
            if match:
                open_cells = []
                found.append(Section(match.group(1), match.group(2), ()))
            elif cell.kind == "markdown" and _HEADING.search(_FENCE.sub("", cell.source)):
                open_cells = []
                continue
            elif not open_cells:
                continue
            open_cells.append(cell)
            if match or _checks(cell, found[-1].id):
                found[-1] = Section(found[-1].id, found[-1].title, tuple(open_cells))
        return tuple(found)


def headings(markdown: str) -> tuple[tuple[int, str], ...]:
    r"""Return (level, text) of every heading of a Markdown text.

    Examples
    --------
    >>> headings("# One\n\ntext\n\n## Two")
    ((1, 'One'), (2, 'Two'))
    """
    found = _HEADING.finditer(_FENCE.sub("", markdown))
    return tuple((len(match.group(1)), match.group(2)) for match in found)


def read_lesson(root: Path, source: Source, exercises: Sequence[Exercise]) -> Lesson:
    """Read the copies that belong to a source; `exercises` may hold those of other lessons."""

    def load(folder: str) -> dict:
        return json.loads((root / folder / f"{source.name}.ipynb").read_text(encoding="utf-8"))

    own = tuple(exercise for exercise in exercises if exercise.lesson == source.number)
    return Lesson(source, load("notebooks"), load("solutions"), own, plan(source.number))


def text_of(cell: Mapping) -> str:
    """Return the text of a notebook cell as stored in JSON."""
    return "".join(cell["source"])


def _checks(cell: Cell, exercise: str) -> bool:
    return cell.kind == "code" and re.search(rf"check\(\s*[\"']{exercise}[\"']", cell.source)
