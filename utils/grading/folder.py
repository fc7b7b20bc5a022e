"""The folder of a class: where things lie, the secret, the roster, and copies of what changes."""

from __future__ import annotations

import csv
import json
import os
import re
import secrets
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_README = """What lies here was made by `python -m utils.grading`. Keep it private: `secret.key`,
`source/`, `results/` and `inbox/` are for the instructor. Hand out only what is in `handouts/`.
"""


class GradingError(ValueError):
    """Something that the instructor can put right; the message says what."""


@dataclass(frozen=True)
class Student:
    """A line of the roster."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""


class Folder:
    """The folder of one class.

    Parameters
    ----------
    root : Path
        Where it is, or is to be.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def path(self, *parts: str) -> Path:
        """Return a path inside the folder."""
        return self.root.joinpath(*parts)

    def prepare(self) -> None:
        """Make the folder and its secret where they do not exist."""
        self.root.mkdir(parents=True, exist_ok=True)
        key = self.path("secret.key")
        if not key.exists():
            handle = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
        self.write("README.txt", _README)
        ignore = self.path(".gitignore")
        if not ignore.exists():
            ignore.write_text("*\n", encoding="ascii")

    @property
    def secret(self) -> bytes:
        """The course's secret, 256 bits."""
        try:
            return bytes.fromhex(self.path("secret.key").read_text(encoding="ascii").strip())
        except FileNotFoundError:
            raise GradingError(
                f"{self.root} is no class folder: it has no secret.key. Make an assignment with "
                "`python -m utils.grading new`, or name the folder with --course"
            ) from None

    def write(self, name: str, content: str | bytes) -> bool:
        """Write a file whole; what it held before, if different, is kept in `copies/`.

        Returns
        -------
        bool
            Whether anything changed.
        """
        data = content.encode() if isinstance(content, str) else content
        target = self.path(*name.split("/"))
        if target.exists():
            if target.read_bytes() == data:
                return False
            self.keep_copy(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o644)
        os.replace(temporary, target)
        return True

    def keep_copy(self, name: str) -> Path | None:
        """Copy a file to `copies/` under a free number; None where the last is the same."""
        source = self.path(*name.split("/"))
        folder = self.path("copies", *name.split("/"))
        folder.mkdir(parents=True, exist_ok=True)
        data = source.read_bytes()
        numbers = sorted(int(p.name) for p in folder.iterdir() if p.name.isdecimal())
        if numbers and (folder / f"{numbers[-1]:04d}").read_bytes() == data:
            return None
        copy = folder / f"{(numbers[-1] if numbers else 0) + 1:04d}"
        copy.write_bytes(data)
        return copy

    def write_json(self, name: str, content: Any) -> bool:
        """Write JSON in one fixed form, so that the same content is the same file."""
        return self.write(name, json.dumps(content, indent=1, sort_keys=True) + "\n")

    def read_json(self, name: str) -> Any:
        """Read JSON that `write_json` wrote."""
        return json.loads(self.path(*name.split("/")).read_text(encoding="utf-8"))

    def assignment(self, name: str) -> dict:
        """Return what an assignment consists of.

        Raises
        ------
        GradingError
            If there is no such assignment.
        """
        require_name("an assignment's name", name)
        if not self.path("assignments", f"{name}.json").exists():
            known = ", ".join(self.assignments()) or "none yet"
            raise GradingError(f"there is no assignment {name!r} in {self.root}; known: {known}")
        return self.read_json(f"assignments/{name}.json")

    def assignments(self) -> list[str]:
        """Return the names of the assignments."""
        return sorted(path.stem for path in self.path("assignments").glob("*.json"))

    def students(self) -> list[Student]:
        """Return the roster, in its order; empty where there is none."""
        path = self.path("roster.csv")
        return read_roster(path) if path.exists() else []


def read_roster(path: Path) -> list[Student]:
    """Read a roster: a CSV with a column `id`, and perhaps first_name, last_name and email.

    Raises
    ------
    GradingError
        If there is no such column, an id has other characters than letters, digits, `.`, `_`
        and `-`, or an id is there twice.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or "id" not in rows[0]:
        raise GradingError(f"{path.name} must have a column named id, and a line per student")
    found: dict[str, Student] = {}
    for row in rows:
        name = (row["id"] or "").strip()
        require_name("a student's id", name)
        if name.casefold() in found:
            raise GradingError(f"{path.name} has the id {name!r} twice (capitals do not count)")
        texts = {k: (row.get(k) or "").strip() for k in ("first_name", "last_name", "email")}
        found[name.casefold()] = Student(name, **texts)
    return list(found.values())


def require_name(what: str, name: str) -> None:
    """Refuse a name that could be a path, or that a file system would not keep."""
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise GradingError(
            f"{what} has 1 to 64 letters, digits, '.', '_' or '-' and begins with a letter or "
            f"digit; got {name!r}"
        )


def now() -> str:
    """Return the time in UTC, as nbgrader writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
