"""The files of the repository, as git would hand them to a newcomer."""

import subprocess
from pathlib import Path

from utils import ROOT


def tracked_files() -> list[Path]:
    """Return the files that are, or would be, in git, in order."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        encoding="utf-8",
    ).stdout
    return sorted({ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()})
