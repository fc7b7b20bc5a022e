"""Make a new assignment, and prove it on the lesson's own solutions before anybody gets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from utils.grading import give, keys, marks
from utils.grading.assignment import (
    handout_source,
    notebook_text,
    source_notebook,
    spec_of,
)
from utils.grading.choose import Chosen, choose
from utils.grading.folder import Folder, GradingError, read_roster, require_name
from utils.grading.grade import Grader
from utils.grading.isolate import Limits
from utils.grading.pool import Runner

_ATTEMPTS = 3


def new(
    folder: Folder,
    name: str,
    *,
    exercises: Sequence[str] = (),
    lessons: Sequence[int] = (),
    roster: Path | None = None,
    title: str = "",
    due: str = "",
    points: Mapping[str, float] | None = None,
    reasons: float = 1,
    checks: str = "form",
    limits: Limits | None = None,
    force: bool = False,
) -> dict:
    """Make the source notebook of an assignment, and return what it consists of.

    Before it is written, the lessons' own solutions are graded as a submission would be: they must
    get all points. An exercise whose right answer does not change with the data is not run again.

    Parameters
    ----------
    folder : Folder
        The class; made where it does not exist.
    name : str
        The assignment's id.
    exercises, lessons
        What to choose: see `utils.grading.choose.choose`.
    roster : Path, optional
        A CSV; it replaces the class's roster, of which a copy is kept.
    title, due, points, reasons, checks, limits
        See `utils.grading.assignment.spec_of`.
    force : bool
        Replace an assignment of this name; a copy is kept.

    Raises
    ------
    GradingError
        If the assignment exists, or a solution does not get its points.
    """
    require_name("an assignment's name", name)
    if folder.path("assignments", f"{name}.json").exists() and not force:
        raise GradingError(f"assignment {name!r} exists; --force replaces it and keeps a copy")
    chosen = choose(exercises, lessons)
    folder.prepare()
    if roster is not None:
        read_roster(roster)
        folder.write("roster.csv", roster.read_bytes())
    settings = {"title": title, "due": due, "points": points, "reasons": reasons}
    spec = spec_of(name, chosen, **settings, checks=checks, limits=limits)
    try:
        for spec["attempt"] in range(_ATTEMPTS):
            _write(folder, spec, chosen)
            dull = _prove(folder, name)
            if not dull:
                return spec
        for entry, item in zip(spec["exercises"], chosen, strict=True):
            if entry["id"] in dull:
                entry["rerun"] = marks.NOT
                entry["parts"] = marks.parts_of(item.exercise, marks.NOT, entry["points"])
        _write(folder, spec, chosen)
    except GradingError:
        folder.path("assignments", f"{name}.json").unlink()
        raise
    return spec


def _write(folder: Folder, spec: dict, chosen: Sequence[Chosen]) -> None:
    name = spec["name"]
    folder.write_json(f"assignments/{name}.json", spec)
    own = give.keys_of(folder, spec, keys.EVERYONE)
    handout = handout_source(name, "everyone", own, spec["checks"])
    text = notebook_text(source_notebook(spec, chosen, handout))
    folder.write(f"source/{name}/{name}.ipynb", text)


def _prove(folder: Folder, name: str) -> set[str]:
    """Grade the solutions; return the exercises that are run again on other data in vain."""
    grader = Grader(folder, name)
    with Runner(grader.spec["modules"]) as runner:
        grader.prepare(runner)
        result = grader.grade(runner, grader.master(), keys.EVERYONE)
    dull = {e for e, value in grader.expected.items() if not grader.differs(e, value)}
    lost = [
        f"{entry['id']} ({item['message']} {item['again']})"
        for entry, item in zip(grader.spec["exercises"], result["exercises"], strict=True)
        if item["score"] < entry["points"] - 1e-9 and entry["id"] not in dull
    ]
    if lost:
        raise GradingError(
            "the lessons' own solutions do not get their points, so nobody could: "
            f"{'; '.join(lost)} {result['ended']}"
        )
    return dull
