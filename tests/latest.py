"""`python -m tests.latest [STAGE ...]`: does the course run on today's newest libraries?

Makes an environment of its own in build/latest, with the newest versions that the requirements
allow instead of the locked ones, runs the stages named (or all) in it, and says what changed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests import locks
from tests.run_all import ROOT

_INSTALLED = ("requirements.txt", "requirements-dev.txt")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    """Return package -> version of a lock's text.

    Examples
    --------
    >>> pins("numpy==2.4.1\\npywinpty==3.0.2 ; os_name == 'nt'\\n")
    {'numpy': '2.4.1', 'pywinpty': '3.0.2'}
    """
    return dict(_PIN.findall(lock))


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return a line for each package whose version differs, is new, or is gone.

    Examples
    --------
    >>> changes({"a": "1", "b": "1"}, {"a": "2", "c": "1"})
    ['a 1 -> 2', 'b 1 -> gone', 'c new -> 1']
    """
    return [
        f"{name} {old.get(name, 'new')} -> {new.get(name, 'gone')}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def main(stages: Sequence[str] = (), root: Path = ROOT) -> int:
    """Resolve, install, run; return the exit code of the run."""
    folder = root / "build" / "latest"
    folder.mkdir(parents=True, exist_ok=True)
    locks.write(folder, _INSTALLED, root)
    found = [
        line
        for name in _INSTALLED
        for line in changes(pins((root / name).read_text()), pins((folder / name).read_text()))
    ]
    text = "\n".join(dict.fromkeys(found)) or "nothing: the locks are the newest versions"
    (folder / "changes.txt").write_text(text + "\n", encoding="utf-8")
    python = _environment(folder)
    for lock in _INSTALLED:
        _pip(python, "-r", str(folder / lock))
    _pip(python, "--no-deps", "--no-build-isolation", "-e", str(root))
    environ = {**os.environ, "COURSE_LOCKS": str(folder)}  # what is installed here
    command = [python, "-m", "tests.run_all", *stages]
    done = subprocess.run(command, cwd=root, env=environ, check=False)
    print(f"\nChanged against the locks:\n{text}")
    return done.returncode


def _environment(folder: Path) -> str:
    venv.create(folder / "venv", with_pip=True, clear=True)
    inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    return str(folder / "venv" / inside)


def _pip(python: str, *arguments: str) -> None:
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *arguments], check=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
