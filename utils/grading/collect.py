"""Take in what students hand in, from a folder or a zip, and believe none of it.

What comes is kept as it came, in `inbox/`, each version under its time and the hash of its content.
From it and the released notebook a clean one is made, in `submitted/`: every cell that is not the
student's to change is as it was handed out.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nbformat.notebooknode import NotebookNode

from utils.grading.assignment import notebook_text
from utils.grading.clean import Unusable, clean
from utils.grading.folder import Folder, GradingError, now, require_name
from utils.grading.give import handout_notebook

LARGEST = 20 * 2**20  # bytes of one file
_MOST = 20_000  # files looked at


@dataclass(frozen=True)
class Found:
    """A file that may be somebody's."""

    path: PurePosixPath
    data: bytes


@dataclass(frozen=True)
class Collected:
    """What came of one student's files."""

    student: str
    new: bool
    remark: str


def collect(folder: Folder, name: str, source: Path) -> tuple[list[Collected], list[str]]:
    """Take in the submissions of an assignment.

    A file belongs to the student whose id is the name of a folder that it lies in, or begins the
    file's name (as in `ann_ps1.ipynb`). With a roster, other names are not taken.

    Returns
    -------
    collected : list of Collected
        By student.
    strays : list of str
        Files that could not be given to a student, with the reason.
    """
    folder.assignment(name)
    roster = [student.id for student in folder.students()]
    mine: dict[str, list[Found]] = {}
    strays: list[str] = []
    for found, fault in _files(source):
        wanted = found.path.suffix == ".ipynb" or found.path.name.endswith("-predictions.json")
        if not wanted or ".ipynb_checkpoints" in found.path.parts:
            continue
        student = None if fault else _whose(found.path, name, roster)
        if student is None:
            strays.append(f"{found.path}: {fault or 'belongs to no student of the roster'}")
        else:
            mine.setdefault(student, []).append(found)
    results = []
    for student, files in sorted(mine.items()):
        notebooks = [file for file in files if file.path.suffix == ".ipynb"]
        best = _best(notebooks, name)
        for other in notebooks:
            if other is not best:
                strays.append(f"{other.path}: not taken; {best.path} is the one that is graded")
        others = [file for file in files if file.path.suffix != ".ipynb"]
        if best is not None:
            results.append(take_in(folder, name, student, best.data))
        for file in others[:1]:
            folder.write(f"inbox/{name}/{student}/predictions.json", file.data)
    return results, strays


def take_in(folder: Folder, name: str, student: str, data: bytes) -> Collected:
    """Keep a submission as it came, and write its clean copy.

    A submission that cannot be read as a notebook gives a clean copy without answers, so that it
    gets its line in the report.
    """
    require_name("a student's id", student)
    digest = hashlib.sha256(data).hexdigest()
    inbox = folder.path("inbox", name, student)
    kept = sorted(inbox.glob("*.ipynb")) if inbox.exists() else []
    known = [path for path in kept if path.stem.endswith(digest[:16])]
    if not known:
        stamp = re.sub(r"\D", "", now())[:20]
        folder.write(f"inbox/{name}/{student}/{stamp}-{digest[:16]}.ipynb", data)
        folder.write(f"submitted/{student}/{name}/timestamp.txt", now() + "\n")
    spec = folder.assignment(name)
    master = handout_notebook(folder, spec, student)
    remark = ""
    try:
        notebook, remarks = clean(data, master)
        remark = "; ".join(remarks)
    except Unusable as error:
        notebook, remark = _without_answers(master), str(error)
    folder.write(f"submitted/{student}/{name}/{name}.ipynb", notebook_text(notebook))
    folder.write_json(f"inbox/{name}/{student}/remark.json", {"sha256": digest, "remark": remark})
    return Collected(student, not known, remark)


def _without_answers(master: NotebookNode) -> NotebookNode:
    return clean(notebook_text(master).encode(), master)[0]


def _best(notebooks: list[Found], name: str) -> Found | None:
    """Choose among several notebooks the one with the assignment's name."""
    ranked = sorted(notebooks, key=lambda f: (f.path.stem != name, name not in f.path.stem, f.path))
    return ranked[0] if ranked else None


def _whose(path: PurePosixPath, name: str, roster: list[str]) -> str | None:
    """Return the student whose file this is, by folder and then by file name."""
    stem = path.name.removesuffix("-predictions.json").removesuffix(".ipynb")
    begins = re.split(r"[_ ]", stem, maxsplit=1)[0]
    candidates = [*reversed(path.parts[:-1]), stem, begins]
    if roster:
        by_key = {student.casefold(): student for student in roster}
        return next((by_key[c.casefold()] for c in candidates if c.casefold() in by_key), None)
    folders = [part for part in path.parts[:-1] if part != name]
    last = folders[-1] if folders else begins
    try:
        require_name("a student's id", last)
    except GradingError:
        return None
    return last


def _files(source: Path) -> Iterator[tuple[Found, str]]:
    """Yield each file with a reason not to take it, which is empty where there is none."""
    if source.is_dir():
        paths = sorted(path for path in source.rglob("*") if path.is_file())
        for path in paths[:_MOST]:
            inside = PurePosixPath(path.relative_to(source).as_posix())
            if path.is_symlink():
                yield Found(inside, b""), "is a link"
            elif path.stat().st_size > LARGEST:
                yield Found(inside, b""), f"is larger than {LARGEST // 2**20} MB"
            else:
                yield Found(inside, path.read_bytes()), ""
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist()[:_MOST]:
                inside = PurePosixPath(member.filename.replace("\\", "/"))
                if member.is_dir():
                    continue
                # Nothing is unpacked to disk, so a name such as ../../x leads nowhere.
                with archive.open(member) as file:
                    data = file.read(LARGEST + 1)
                too_large = len(data) > LARGEST
                fault = f"is larger than {LARGEST // 2**20} MB" if too_large else ""
                yield Found(inside, b"" if too_large else data), fault
    else:
        raise GradingError(f"{source} is neither a folder nor a zip")


def remark_of(folder: Folder, name: str, student: str) -> str:
    """Return what was noted when a submission was taken in."""
    path = folder.path("inbox", name, student, "remark.json")
    return json.loads(path.read_text(encoding="utf-8"))["remark"] if path.exists() else ""
