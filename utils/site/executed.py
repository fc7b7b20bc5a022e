"""Learners' notebooks with their outputs, run once and kept until something they use changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from utils.authoring.execution import run_cells

#: Parts of the package that no lesson imports: a change there leaves outputs as they are.
_NOT_USED = ("authoring", "grading", "site")


def what_lessons_use(root: Path) -> str:
    """Return a hash of all that a lesson's outputs depend on, other than its own code."""
    package = sorted(
        path
        for path in (root / "utils").rglob("*")
        if path.suffix == ".py" and path.relative_to(root / "utils").parts[0] not in _NOT_USED
    )
    data = sorted(path for path in (root / "data").rglob("*") if path.is_file())
    return _hash(
        part
        for path in (*package, *data, root / "requirements.txt")
        for part in (path.relative_to(root).as_posix().encode(), path.read_bytes())
    )


def fresh(notebook: NotebookNode, used: str) -> str:
    """Return the name under which a notebook's outputs are kept."""
    code = [[c.source, c.metadata] for c in notebook.cells if c.cell_type == "code"]
    return _hash([json.dumps(code, sort_keys=True).encode(), used.encode()])[:32]


def with_outputs(path: Path, used: str, cache: Path, *, run: bool) -> tuple[NotebookNode, bool]:
    """Return a learner's notebook with outputs, and whether it has them.

    Parameters
    ----------
    path : Path
        The notebook.
    used : str
        `what_lessons_use`.
    cache : Path
        Folder of outputs, made where there is none.
    run : bool
        Whether to run the notebook where no outputs are kept.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises.
    """
    notebook = nbformat.read(path, as_version=4)
    if not any(cell.cell_type == "code" for cell in notebook.cells):
        return notebook, True
    kept = cache / f"{path.stem}-{fresh(notebook, used)}.json"
    if not kept.is_file():
        if not run:
            return notebook, False
        executed = nbformat.from_dict(notebook)
        run_cells(executed, path.parent, widgets=True)
        code = [cell for cell in executed.cells if cell.cell_type == "code"]
        text = {"outputs": [c.outputs for c in code], "widgets": executed.metadata.get("widgets")}
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob(f"{path.stem}-*.json"):
            old.unlink()
        kept.write_text(json.dumps(text), encoding="utf-8")
    text = nbformat.from_dict(json.loads(kept.read_text(encoding="utf-8")))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell, outputs in zip(code, text.outputs, strict=True):
        cell.outputs = outputs
    notebook.metadata.widgets = text.widgets or {}
    return notebook, True


def _hash(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()
