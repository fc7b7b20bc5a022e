"""Is my environment right? One table that says so, and what to do where it is not.

Only the standard library is imported here, and nothing that the course fits models with is ever
loaded: the report must come at once, and also where a library is missing or broken.

Examples
--------
>>> from utils.environment import report
>>> report().rows[0].what
'Python'
"""

from __future__ import annotations

import html
import importlib
import importlib.metadata
import math
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from utils import ROOT

__all__ = ["Report", "Row", "report"]

PYTHON_RANGE = ((3, 12), (3, 14))
LITTLE_MEMORY = 4.0  # GB: from lesson 11 on, a sampler and a browser want more than this
_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;]+)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SYMBOLS = {"as expected": "✓", "note": "○", "differs": "↻"}


@dataclass(frozen=True)
class Row:
    """One line of the report.

    Parameters
    ----------
    what : str
        What was looked at.
    found : str
        What is there.
    expected : str
        What the course expects; empty where anything will do.
    state : {"as expected", "note", "differs"}
        A note needs no action; a difference does.
    advice : str
        What a note means, or what to do about a difference.
    """

    what: str
    found: str
    expected: str = ""
    state: str = "as expected"
    advice: str = ""


@dataclass(frozen=True, repr=False)
class Report:
    """What `report` found: a table in a notebook, a few lines of text elsewhere."""

    rows: tuple[Row, ...]

    @property
    def as_expected(self) -> bool:
        """True where nothing needs to be done."""
        return all(row.state != "differs" for row in self.rows)

    @property
    def summary(self) -> str:
        """One plain sentence; where something differs, how many things do."""
        count = sum(row.state == "differs" for row in self.rows)
        if not count:
            return "Everything is as the course expects."
        things = "One thing differs" if count == 1 else f"{count} things differ"
        return f"{things} from what the course expects."

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do about differences, then the notes; each once."""
        order = sorted(self.rows, key=lambda row: row.state != "differs")
        return tuple(dict.fromkeys(row.advice for row in order if row.advice))

    def __repr__(self) -> str:
        lines = [self.summary, *self.advice]
        for row in self.rows:
            expected = f" (expected {row.expected})" if row.state == "differs" else ""
            lines.append(f"  {_SYMBOLS[row.state]} {row.what}: {row.found}{expected}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cell = 'style="padding:.15em .7em;text-align:left"'
        head = "".join(
            f'<th scope="col" {cell}>{name}</th>' for name in ("", "found", "expected", "")
        )
        body = "".join(
            f'<tr><th scope="row" style="padding:.15em .7em;text-align:left;font-weight:normal">'
            f"{html.escape(row.what)}</th><td {cell}>{html.escape(row.found)}</td>"
            f"<td {cell}>{html.escape(row.expected)}</td>"
            f'<td {cell}><span aria-hidden="true">{_SYMBOLS[row.state]}</span> {row.state}</td>'
            "</tr>"
            for row in self.rows
        )
        advice = "".join(f"<div>{html.escape(text)}</div>" for text in self.advice)
        return (
            f'<div role="status" style="max-width:46em;line-height:1.45"><strong>'
            f"{html.escape(self.summary)}</strong>{advice}</div>"
            f'<table style="margin:.4em 0"><caption style="text-align:left">What the report looked '
            f"at</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def report(
    root: Path = ROOT, *, where: Path | None = None, environ: Mapping[str, str] | None = None
) -> Report:
    """Look at Python, the libraries, the course folder, the learner's folder and the machine.

    It never fails: what cannot be found out is shown as a note.

    Parameters
    ----------
    root : Path
        The course folder.
    where : Path, optional
        The folder of the notebook; the current one where it is not given.
    environ : mapping, optional
        Environment variables; those of this process where they are not given.

    Returns
    -------
    Report
        Displayable; `report().as_expected` says the same in one word.
    """
    environ = os.environ if environ is None else environ
    on_binder = any(name.startswith("BINDER_") for name in environ)
    return Report(
        (
            _python(sys.version_info[:3]),
            *_libraries(Path(root)),
            _course_folder(Path(root), where),
            _learner_folder(),
            _cores(environ),
            _memory(environ),
            *([_binder()] if on_binder else []),
        )
    )


def _python(version: tuple[int, ...]) -> Row:
    low, high = PYTHON_RANGE
    fits = low <= tuple(version[:2]) <= high
    return Row(
        "Python",
        ".".join(map(str, version)),
        f"{low[0]}.{low[1]} to {high[0]}.{high[1]}",
        "as expected" if fits else "differs",
        "" if fits else "Install Python 3.13 from python.org, then set the course up again.",
    )


def _libraries(root: Path) -> list[Row]:
    """Return one row a library of requirements.in, against the lock in requirements.txt."""
    wanted = [
        match.group()
        for line in _lines(root / "requirements.in")
        if (match := _NAME.match(line.strip()))
    ]
    if not wanted:
        text = "The list requirements.in was not found, so versions could not be compared."
        return [Row("libraries", "no list of them", "", "note", text)]
    locked: dict[str, list[str]] = {}
    for line in _lines(root / "requirements.txt"):
        if match := _PIN.match(line):
            locked.setdefault(_normal(match.group(1)), []).append(match.group(2))
    return [_library(name, locked.get(_normal(name), [])) for name in wanted]


def _library(name: str, locked: list[str]) -> Row:
    expected = " or ".join(locked) or "any version"
    install = (
        "To get the libraries that the course was tested with: close JupyterLab, open a terminal "
        f'in the course folder, and run  "{sys.executable}" -m pip install -r requirements.txt -e .'
    )
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Row(name, "missing", expected, "differs", install)
    if not found or (locked and found not in locked):
        return Row(name, found or "unreadable", expected, "differs", install)
    return Row(name, found, expected)


def _course_folder(root: Path, where: Path | None) -> Row:
    """Return whether `utils` comes from the folder that the notebook stands in."""
    try:
        here = Path.cwd() if where is None else Path(where)
        above = [here.resolve(), *here.resolve().parents]
        home = next((folder for folder in above if _is_course(folder)), None)
        same = home is None or home.samefile(root)
    except OSError as error:
        return Row("course folder", "cannot be read", "", "note", f"The reason: {error.strerror}.")
    if not same:
        advice = (
            f"This notebook stands in {home}, but its tools come from {root}: you have two copies "
            "of the course. Set this one up too, or work in the other."
        )
        return Row("course folder", str(root), str(home), "differs", advice)
    return Row("course folder", str(root))


def _is_course(folder: Path) -> bool:
    return (folder / "requirements.in").is_file() and (folder / "utils" / "__init__.py").is_file()


def _learner_folder() -> Row:
    """Return whether predictions can be kept: the tools load, and their file can be written."""
    try:
        folder = importlib.import_module("utils.exercises.state").folder()
    except Exception as error:  # noqa: BLE001  a broken library may raise anything at import
        advice = f"The course's tools do not load ({type(error).__name__}: {error})."
        return Row("your learner folder", "not looked at", "", "differs", advice)
    kept = "Your predictions will be forgotten when the kernel stops; all else works."
    if folder is None:
        return Row("your learner folder", "none on this computer", "", "note", kept)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        found = f"{folder} ({error.strerror or type(error).__name__})"
        return Row("your learner folder", found, "", "note", kept)
    return Row("your learner folder", str(folder))


def _cores(environ: Mapping[str, str]) -> Row:
    count = getattr(os, "process_cpu_count", os.cpu_count)() or 1  # the first is new in 3.13
    limit = _positive(environ.get("CPU_LIMIT"))  # set by JupyterHub, on Binder too
    if limit is not None:
        count = max(1, min(count, int(limit)))
    if count == 1:
        advice = "One core: everything works, but from lesson 11 on models are fitted more slowly."
        return Row("cores", "1", "", "note", advice)
    return Row("cores", str(count))


def _memory(environ: Mapping[str, str]) -> Row:
    try:
        total = importlib.import_module("psutil").virtual_memory().total
    except Exception as error:  # noqa: BLE001  psutil reads the system, which may refuse
        advice = f"The size of the memory could not be read ({type(error).__name__})."
        return Row("memory", "unknown", "", "note", advice)
    limit = _positive(environ.get("MEM_LIMIT"))
    size = min(total, limit or total) / 1e9
    if size < LITTLE_MEMORY:
        advice = "Little memory: shut down the other notebooks before a lesson from 11 on."
        return Row("memory", f"{size:.1f} GB", "", "note", advice)
    return Row("memory", f"{size:.0f} GB")


def _binder() -> Row:
    advice = (
        "You are on Binder: a session ends after some minutes without work, and your notebooks go "
        "with it. Download what you want to keep (File, Download)."
    )
    return Row("Binder", "yes", "", "note", advice)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _normal(name: str) -> str:
    """Return a package's name as the index knows it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


if __name__ == "__main__":
    print(report())
