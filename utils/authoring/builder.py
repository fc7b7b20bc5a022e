"""Build what changed, and say what is stale."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.authoring import glossary, indexes, teaching
from utils.authoring.execution import run
from utils.authoring.notebook import (
    Outputs,
    filled,
    learner_notebook,
    solutions_notebook,
    stored_outputs,
    to_text,
    write_text,
)
from utils.authoring.source import AuthoringError, Source, read_source

#: Folder -> the glossary, seen from there.
PAGES = {
    "notebooks": f"{glossary.NAME}.ipynb",
    "solutions": f"../notebooks/{glossary.NAME}.ipynb",
}


@dataclass(frozen=True)
class Stale:
    """A generated file that is not what its sources give."""

    path: Path
    why: str
    command: str = "python -m utils.authoring"


@dataclass(frozen=True)
class Registers:
    """What is taken from the package: exercises, claims, what terms mean, what to discuss."""

    exercises: Mapping
    claims: Mapping[str, str]
    terms: Mapping[str, str]
    discussion: Mapping[int, Mapping[str, str]]


def registers() -> Registers:
    """Import the exercises, the claims and the terms; slow, so only when a table is made."""
    registry = importlib.import_module("utils.exercises.registry")
    claims = importlib.import_module("utils.exercises.claims")
    return Registers(registry.all_exercises(), claims.CLAIMS, glossary.meanings(), teaching.notes())


def read_sources(root: Path) -> list[Source]:
    """Read all lesson sources under `root`, in order.

    Raises
    ------
    AuthoringError
        If a source is not as it should be, or two lessons share a number.
    """
    sources = [read_source(path) for path in sorted((root / "solutions").glob("*.py"))]
    for one, other in itertools.pairwise(sources):
        if one.number == other.number:
            raise AuthoringError(f"{one.name} and {other.name} share the number {one.number}")
    return sources


def render(
    root: Path,
    sources: Sequence[Source],
    executed: Mapping[int, tuple[Outputs, str | None]],
    known: Registers,
) -> dict[Path, str]:
    """Return path -> text of every generated file.

    Parameters
    ----------
    root : Path
        The repository.
    sources : sequence of Source
        All lessons.
    executed : mapping
        Lesson -> its outputs, and the hash of the code that gave them.
    known : Registers
        Exercises, claims and terms.
    """
    outputs = {number: pair[0] for number, pair in executed.items()}
    generated = {
        indexes.LEDGER: indexes.ledger(sources, outputs, known.claims),
        indexes.MAP: indexes.course_map(sources),
    }
    files: dict[Path, str] = {}
    for source in sources:
        stored, code_hash = executed[source.number]
        for folder, page in PAGES.items():
            linked = glossary.linker(known.terms, page)

            def written(text: str, linked=linked) -> str:
                return linked(filled(text, generated))

            below = [glossary.foot(source, known.terms, page)]
            below.append(indexes.navigation(sources, source.number))
            bar = "\n\n".join(part for part in below if part)
            copy = (
                learner_notebook(source, written, bar)
                if folder == "notebooks"
                else solutions_notebook(source, stored, code_hash or "not run", written, bar)
            )
            files[root / folder / f"{source.name}.ipynb"] = to_text(copy)
    page = root / "notebooks" / f"{glossary.NAME}.ipynb"
    files[page] = to_text(glossary.notebook(sources, known.terms))
    readme = root / "README.md"
    if not readme.is_file():
        raise AuthoringError(f"there is no {readme.name} to put the table of lessons in")
    table = indexes.lesson_table(sources, known.exercises)
    files[readme] = indexes.fill_readme(readme.read_text(encoding="utf-8"), table)
    index = indexes.exercise_index(sources, known.exercises)
    suggested = teaching.tracks(sources, known.exercises)
    files[root / "solutions" / "README.md"] = f"{index}\n{suggested}\n"
    files[root / "solutions" / "TEACHING.md"] = teaching.teaching_page(
        sources, known.exercises, known.discussion
    )
    return files


def stale(root: Path, known: Registers | None = None) -> list[Stale]:
    """Return every generated file that is not, to the byte, what its sources give.

    Nothing is executed: the outputs stored in the executed copies are taken as they are, and
    nbval compares them with a run.
    """
    sources = read_sources(root)
    executed = _stored(root, sources)
    found: list[Stale] = []
    for source in sources:
        if executed[source.number][1] != source.code_hash:
            path = root / "solutions" / f"{source.name}.ipynb"
            why = "its code has not been run since it changed" if path.exists() else "not built"
            found.append(Stale(path, why, f"python -m utils.authoring {source.number}"))
    named = {item.path for item in found}
    files = render(root, sources, executed, known or registers())
    for path, text in files.items():
        if path not in named and _bytes(path) != text.encode():
            found.append(Stale(path, "differs from its source" if path.exists() else "not built"))
    for folder in ("notebooks", "solutions"):
        for path in sorted((root / folder).glob("*.ipynb")):
            if path not in files:
                found.append(Stale(path, "has no source", f"delete {folder}/{path.name}"))
    return found


def build(
    root: Path,
    numbers: Collection[int] = (),
    *,
    force: bool = False,
    known: Registers | None = None,
    say=lambda text: None,
) -> list[Path]:
    """Run the lessons whose code changed, and write every generated file that differs.

    Parameters
    ----------
    root : Path
        The repository.
    numbers : collection of int
        Lessons to run; all when empty. A lesson left out that is itself stale keeps its old copies.
    force : bool
        Run them even where their code did not change.
    known : Registers or None
        Exercises, claims and terms; None takes the package's.
    say : callable
        Is told, in a line, what is being done.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    AuthoringError
        If a lesson cannot be built. The others are built all the same, and the message
        holds all faults.
    """
    sources = read_sources(root)
    unknown = set(numbers) - {source.number for source in sources}
    if unknown:
        raise AuthoringError(f"no lesson has the number {', '.join(map(str, sorted(unknown)))}")
    executed = _stored(root, sources)
    faults, behind = [], set()
    for source in sources:
        current = executed[source.number][1] == source.code_hash
        wanted = not numbers or source.number in numbers
        if wanted and (force or not current):
            say(f"running {source.name}")
            try:
                executed[source.number] = (run(source, root / "solutions"), source.code_hash)
            except AuthoringError as error:
                faults.append(str(error))
                behind.add(source.name)
        elif not current:
            behind.add(source.name)
    written = []
    for path, text in render(root, sources, executed, known or registers()).items():
        if path.stem not in behind and _bytes(path) != text.encode():
            write_text(path, text)
            written.append(path)
            say(f"wrote {path.relative_to(root)}")
    if faults:
        raise AuthoringError("\n".join(faults))
    return written


def _stored(root: Path, sources: Sequence[Source]) -> dict[int, tuple[Outputs, str | None]]:
    return {
        source.number: stored_outputs(root / "solutions" / f"{source.name}.ipynb")
        for source in sources
    }


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
