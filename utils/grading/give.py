"""Make each student's copy of a released assignment."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import nbformat
from nbformat.notebooknode import NotebookNode

from utils.grading import keys
from utils.grading.assignment import handout_source, notebook_text
from utils.grading.folder import Folder, GradingError

_EPOCH = (2020, 1, 1, 0, 0, 0)  # so that the same handouts are the same zip


def released(folder: Folder, name: str) -> NotebookNode:
    """Return the released notebook: no solution, no hidden test.

    Raises
    ------
    GradingError
        If the assignment was not released yet.
    """
    path = folder.path("release", name, f"{name}.ipynb")
    if not path.exists():
        raise GradingError(f"{name} is not released: `python -m utils.grading release {name}`")
    return nbformat.read(path, as_version=4)


def keys_of(folder: Folder, spec: Mapping, student: str) -> dict[int, str]:
    """Return a student's keys by lesson: those of the assignment's exercises on own hospitals."""
    lessons = {entry["lesson"] for entry in spec["exercises"] if entry["rerun"] == "own"}
    whose = student if student in {s.id for s in folder.students()} else keys.EVERYONE
    return {n: keys.key(folder.secret, whose, spec["name"], n) for n in sorted(lessons)}


def handout_notebook(folder: Folder, spec: Mapping, student: str) -> NotebookNode:
    """Return a student's copy: the release, with the student's keys."""
    notebook = released(folder, spec["name"])
    source = handout_source(spec["name"], student, keys_of(folder, spec, student), spec["checks"])
    for cell in notebook.cells:
        if cell.metadata.get("course", {}).get("role") == "handout":
            cell.source = source
    return notebook


def give(folder: Folder, name: str) -> list[str]:
    """Write every student's copy to `handouts/`, and all of them as one zip.

    Returns
    -------
    list of str
        The students; without a roster one copy for everyone, called "everyone".
    """
    spec = folder.assignment(name)
    students = [student.id for student in folder.students()] or ["everyone"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in students:
            text = notebook_text(handout_notebook(folder, spec, student))
            folder.write(f"handouts/{name}/{student}/{name}.ipynb", text)
            archive.writestr(zipfile.ZipInfo(f"{student}/{name}.ipynb", _EPOCH), text)
    folder.write(f"handouts/{name}.zip", packed.getvalue())
    return students
