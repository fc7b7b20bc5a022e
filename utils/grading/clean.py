"""Make a clean notebook from a submission: the handout's cells, with the student's answers in."""

from __future__ import annotations

import copy
import json
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

_LONGEST = 100_000  # characters of one cell
_MOST = 500  # cells that a student may add


class Unusable(ValueError):
    """A submission that is no notebook."""


def clean(data: bytes, master: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """Return the handout with the student's answers, reasons and added cells.

    Parameters
    ----------
    data : bytes
        The file that was handed in.
    master : NotebookNode
        What was handed out to this student.

    Returns
    -------
    notebook : NotebookNode
        Every cell of the handout, in its order. Answers and reasons have the student's text; after
        each cell come the code cells that the student added there.
    remarks : list of str
        What was put back.

    Raises
    ------
    Unusable
        If the file is not a notebook.
    """
    cells = _cells(data)
    places = {cell.id: i for i, cell in enumerate(master.cells)}
    grade_ids = {
        cell.metadata.nbgrader.grade_id: i
        for i, cell in enumerate(master.cells)
        if "nbgrader" in cell.metadata
    }
    given = {
        cell.source.strip(): i for i, cell in enumerate(master.cells) if not _is_students(cell)
    }
    theirs: dict[int, str] = {}
    added: dict[int, list[str]] = {}
    here = -1
    for cell_id, grade_id, kind, source in cells:
        place = grade_ids.get(grade_id, places.get(cell_id))
        if place is None:  # some editors drop the ids
            place = given.get(source.strip())
            if place in theirs:
                continue
        if place is not None and place not in theirs:
            theirs[place] = source
            here = max(here, place)
        elif kind == "code" and source.strip():
            added.setdefault(here, []).append(source)
    return _put_together(master, theirs, added), _remarks(master, theirs, added)


def _put_together(
    master: NotebookNode, theirs: dict[int, str], added: dict[int, list[str]]
) -> NotebookNode:
    notebook = nbformat.from_dict({**master, "cells": []})
    budget = _MOST

    def add(place: int) -> None:
        nonlocal budget
        for number, source in enumerate(added.get(place, [])[:budget]):
            budget -= 1
            cell = nbformat.v4.new_code_cell(source, id=f"added-{place + 1}-{number}")
            cell.metadata = {"course": {"role": "added"}}
            notebook.cells.append(nbformat.from_dict(cell))

    # What stands before the first known cell would run before the imports: it goes after them.
    added[0] = [*added.pop(-1, []), *added.get(0, [])]
    for place, original in enumerate(master.cells):
        cell = copy.deepcopy(original)
        if _is_students(cell) and place in theirs:
            cell.source = theirs[place]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        notebook.cells.append(cell)
        add(place)
    return notebook


def _remarks(
    master: NotebookNode, theirs: dict[int, str], added: dict[int, list[str]]
) -> list[str]:
    gone = changed = 0
    for place, cell in enumerate(master.cells):
        if cell.cell_type == "markdown" and not _is_students(cell):
            continue
        gone += place not in theirs
        same = theirs.get(place, cell.source).strip() == cell.source.strip()
        changed += not (_is_students(cell) or same)
    remarks = []
    if gone:
        remarks.append(f"{gone} deleted {'cell' if gone == 1 else 'cells'} put back")
    if changed:
        remarks.append(f"{changed} changed {'cell' if changed == 1 else 'cells'} put back")
    if number := sum(map(len, added.values())):
        remarks.append(f"{number} {'cell' if number == 1 else 'cells'} added")
    return remarks


def _is_students(cell: NotebookNode) -> bool:
    return cell.metadata.get("course", {}).get("role") in ("answer", "reason")


def _cells(data: bytes) -> list[tuple[str, str, str, str]]:
    """Return (cell id, grade id, kind, source) of each cell of what may be a notebook."""
    try:
        content: Any = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Unusable("the file is no notebook: it cannot be read as JSON") from error
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise Unusable("the file is no notebook: it has no list of cells")
    return [_cell(cell) for cell in cells if isinstance(cell, dict)]


def _cell(cell: dict) -> tuple[str, str, str, str]:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else ""
    text = source[:_LONGEST] if isinstance(source, str) else ""
    # A lone surrogate cannot be written to a file.
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
    return _text(cell.get("id")), _text(grade_id), _text(cell.get("cell_type")), text


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
