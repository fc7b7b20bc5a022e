"""`python -m tests.locks`: write the locks anew, with the newest versions that are allowed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.run_all import ROOT

#: Lock -> what it locks, and the locks that it must agree with, which come before it.
LOCKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "requirements.txt": ("requirements.in", ()),
    "requirements-dev.txt": ("requirements-dev.in", ("requirements.txt",)),
    "requirements-instructor.txt": (
        "requirements-instructor.in",
        ("requirements.txt", "requirements-dev.txt"),
    ),
}
_COMPILE = (
    *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.12"),
    *("--fork-strategy", "fewest", "--no-header", "--no-annotate", "--no-emit-index-url"),
)


def write(folder: Path, names: Sequence[str] = tuple(LOCKS), root: Path = ROOT) -> None:
    """Write locks, by default all, into a folder."""
    for name in names:
        asked, others = LOCKS[name]
        agree = [part for other in others for part in ("-c", str(folder / other))]
        command = [sys.executable, "-m", *_COMPILE, "--upgrade", *agree, "-o", str(folder / name)]
        subprocess.run([*command, asked], cwd=root, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    write(ROOT)
