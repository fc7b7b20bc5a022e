"""Make the source notebook of an assignment, in nbgrader's form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

import nbformat
from nbformat.notebooknode import NotebookNode

from utils.authoring.lesson import EXERCISE_HEADING
from utils.authoring.notebook import to_text
from utils.authoring.source import blanked
from utils.grading.choose import Chosen
from utils.grading.folder import GradingError
from utils.grading.isolate import Limits
from utils.grading.marks import parts_of, rerun_of

_RELATIVE_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")
REASON = "*Why? Two or three sentences of your own, in place of this one.*"
_ASKS_WHY = ("interpret", "spot the flaw")
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_INTRODUCTION = """# {title}

{due}Work from top to bottom. Put your answers in place of the three dots, and run each check: it
says whether your answer can be read. Whether it is right is found when the assignment is graded.

Your hospitals are yours alone: a neighbour has others, with other answers. Some code is run again
on other data, as each exercise says: let it compute everything from the data, and type in no number
that you read off them. Only the cells for answers are taken from what you hand in, and cells that
you add. Everything else is put back as it was.
"""


def spec_of(
    name: str,
    chosen: Sequence[Chosen],
    *,
    title: str = "",
    due: str = "",
    points: Mapping[str, float] | None = None,
    reasons: float = 1,
    checks: str = "form",
    limits: Limits | None = None,
) -> dict:
    """Return what an assignment consists of, ready for JSON.

    Parameters
    ----------
    name, title, due : str
        Its id, its heading, and when it is to be handed in, as text.
    chosen : sequence of Chosen
        Its exercises.
    points : mapping of str to float, optional
        Points by exercise; "" for all that are not named. Without it, twice the difficulty.
    reasons : float
        Points, given by hand, for the reasoning asked for in some exercises; 0 for none.
    checks : {"form", "full"}
        What the visible check says.
    limits : Limits, optional
        What one run of a submission may use.

    Raises
    ------
    GradingError
        If points are not above 0, or are for exercises that are not in the assignment.
    """
    points = dict(points or {})
    strange = sorted(set(points) - {""} - {item.exercise.id for item in chosen})
    if strange:
        raise GradingError(f"points for exercises that are not chosen: {', '.join(strange)}")
    if any(not value > 0 for value in points.values()) or reasons < 0:
        raise GradingError("points must be above 0, and points for reasons not below it")
    modules = sorted(_modules(line for item in chosen for line in item.imports))
    exercises = []
    for item in chosen:
        exercise = item.exercise
        worth = float(points.get(exercise.id, points.get("", 2 * exercise.difficulty)))
        asks = reasons > 0 and (exercise.own or exercise.kind in _ASKS_WHY)
        rerun = rerun_of(exercise, has_data=item.has_data)
        exercises.append(
            {
                "id": exercise.id,
                "lesson": exercise.lesson,
                "title": exercise.title,
                "minutes": exercise.minutes,
                "name": item.name,
                "points": worth,
                "rerun": rerun,
                "parts": parts_of(exercise, rerun, worth),
                "reason_points": float(reasons) if asks else 0.0,
            }
        )
    return {
        "name": name,
        "title": title or name,
        "due": due,
        "checks": checks,
        "attempt": 0,  # which other data: the first on which every right answer is another one
        "limits": asdict(limits or _limits(modules)),
        "exercises": exercises,
        "modules": modules,
    }


def _limits(modules: Sequence[str]) -> Limits:
    """Give more time where models are compiled and sampled."""
    samples = {"pymc", "nutpie"} & set(modules)
    return Limits(seconds=360, cell_seconds=180) if samples else Limits()


def _modules(imports: Iterable[str]) -> set[str]:
    """Return the modules that import statements name, for the grader to have ready."""
    found = set()
    for line in imports:
        if match := re.match(r"(?:import|from) ([\w.]+)", line):
            found.add(match.group(1))
        if match := re.match(r"from utils import (\w+)", line):
            found.add(f"utils.{match.group(1)}")
    return found


def handout_source(name: str, student: str, keys: Mapping[int, str], checks: str) -> str:
    """Return the cell that says whose notebook this is."""
    said = "" if checks == "form" else f", checks={checks!r}"
    return (
        "from utils.handout import handout\n\n"
        f"HANDOUT = handout({name!r}, {student!r}, {dict(keys)!r}{said})\n"
        "check, own_hospitals = HANDOUT.check, HANDOUT.own_hospitals"
    )


def source_notebook(spec: Mapping, chosen: Sequence[Chosen], handout: str) -> NotebookNode:
    """Return the instructor's notebook: solutions, visible checks, hidden tests.

    Parameters
    ----------
    spec : mapping
        From `spec_of`.
    chosen : sequence of Chosen
        The same exercises.
    handout : str
        From `handout_source`, for a student who stands for everyone.
    """
    name = spec["name"]
    due = f"To be handed in by {spec['due']}. " if spec["due"] else ""
    cells = [
        _text(f"{name}-introduction", _INTRODUCTION.format(title=spec["title"], due=due)),
        _code(f"{name}-imports", _merged_imports(chosen), "given"),
        _code(f"{name}-handout", handout, "handout"),
    ]
    lesson = None
    seen: set[str] = set()
    for item, entry in zip(chosen, spec["exercises"], strict=True):
        if item.exercise.lesson != lesson:
            lesson = item.exercise.lesson
            cells.append(_text(f"{name}-lesson-{lesson:02d}", f"## Lesson {item.heading}"))
            seen = set()
        cells += _exercise_cells(name, item, entry, seen)
    cells += [
        _text(
            f"{name}-end",
            "## Hand in\n\nSave this notebook. The next cell also writes your predictions to a "
            "small file, to hand in with it if you wish: they are not graded.",
        ),
        _code(f"{name}-hand-in", "HANDOUT.hand_in()", "given"),
    ]
    _require_unique(cells)
    return nbformat.from_dict(
        {
            "cells": cells,
            "metadata": {"kernelspec": _KERNEL, "language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


def notebook_text(notebook: NotebookNode) -> str:
    """Return a notebook's file, the same bytes for the same notebook."""
    return to_text(notebook)


def _exercise_cells(name: str, item: Chosen, entry: Mapping, seen: set[str]) -> list[NotebookNode]:
    """Return an exercise's cells; `seen` holds the given cells that stand there already."""
    cells = []
    for cell in item.given:
        if cell.id not in seen:
            seen.add(cell.id)
            cells.append(_code(f"{name}-{cell.id}", cell.source, "given"))
    where = item.exercise.id.replace(".", "-")
    worth = f"\n\n*{_worth(entry)}*"
    for number, cell in enumerate(item.section.cells):
        if cell.kind == "markdown":
            text = cell.source
            if match := EXERCISE_HEADING.search(text):
                text = text[match.start() :]
            cells.append(_text(f"{name}-{cell.id}", _RELATIVE_LINK.sub(r"\1", text) + worth))
            worth = ""
        elif cell.regions:
            text = f"{blanked(cell.source)}\n{cell.source}"
            meta = {"role": "answer", "exercise": item.exercise.id}
            solution = _nbgrader(f"{where}-answer-{number}", solution=True)
            cells.append(_code(f"{name}-{cell.id}", text, **meta, nbgrader=solution))
        elif f"check({item.exercise.id!r}" in cell.source.replace('"', "'"):
            cells += _reason(name, where, entry)
            cells.append(_check(name, where, item, entry))
        else:
            cells.append(_code(f"{name}-{cell.id}", cell.source, "given"))
    return cells


def _check(name: str, where: str, item: Chosen, entry: Mapping) -> NotebookNode:
    """Return the graded cell: a visible check of form, and the hidden test of what is right."""
    exercise = item.exercise.id
    own = ", own_hospitals" if item.exercise.own else ""
    source = (
        f'check("{exercise}", {item.name})\n'
        "### BEGIN HIDDEN TESTS\n"
        "from utils.grading.hidden import accept\n\n"
        f'accept("{exercise}", {item.name}{own})\n'
        "### END HIDDEN TESTS"
    )
    meta = {"role": "check", "exercise": exercise, "name": item.name}
    graded = _nbgrader(where, grade=True, locked=True, points=entry["points"])
    return _code(f"{name}-{where}", source, **meta, nbgrader=graded)


def _reason(name: str, where: str, entry: Mapping) -> list[NotebookNode]:
    if not entry["reason_points"]:
        return []
    cell = _text(f"{name}-{where}-reason", REASON)
    cell["metadata"] = {
        "course": {"role": "reason", "exercise": entry["id"]},
        "nbgrader": _nbgrader(
            f"{where}-reason", grade=True, solution=True, points=entry["reason_points"]
        ),
    }
    return [cell]


def _worth(entry: Mapping) -> str:
    """Say what an exercise is worth, part by part."""
    total = _points(entry["points"])
    parts = entry["parts"]
    text = f"{total}."
    if len(parts) > 1:
        text = f"{total}: {', '.join(f'{p["points"]:g} for {p["what"]}' for p in parts)}."
    if entry["reason_points"]:
        text += f" {_points(entry['reason_points'])} more for your reasons, which are read."
    return text


def _points(number: float) -> str:
    return f"{number:g} point" if number == 1 else f"{number:g} points"


def _merged_imports(chosen: Sequence[Chosen]) -> str:
    """Return all imports, each once, and then the set-up calls."""
    lines = list(dict.fromkeys(line for item in chosen for line in item.imports))
    bound: dict[str, str] = {}
    for line in lines:
        if match := re.search(r"(?:import|as) (\w+)$", line):
            other = bound.setdefault(match.group(1), line)
            if other != line:
                raise GradingError(f"two lessons mean different things: {other!r} and {line!r}")
    calls = [line for line in lines if line.endswith("()")]
    plain = sorted(line for line in lines if line.startswith("import"))
    froms = sorted(line for line in lines if line.startswith("from"))
    return "\n".join([*plain, *froms, *([""] if calls else []), *calls])


def _nbgrader(grade_id: str, **changes: object) -> dict:
    base = {"schema_version": 3, "grade_id": grade_id, "grade": False, "solution": False}
    return {**base, "locked": False, "task": False, **changes}


def _text(cell_id: str, source: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source.strip(), id=_short(cell_id))


def _code(cell_id: str, source: str, role: str, **more: object) -> NotebookNode:
    nbgrader = more.pop("nbgrader", None)
    metadata: dict = {"course": {"role": role, **more}}
    if nbgrader:
        metadata["nbgrader"] = nbgrader
    return nbformat.v4.new_code_cell(source, id=_short(cell_id), metadata=metadata)


def _short(cell_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", cell_id)[-64:]


def _require_unique(cells: Sequence[NotebookNode]) -> None:
    ids = [cell["id"] for cell in cells]
    twice = {name for name in ids if ids.count(name) > 1}
    if twice:
        raise GradingError(f"cells with the same id: {', '.join(sorted(twice))}")
