"""The contract, second half: exercises, names, links, claims, terms, and the whole course."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from utils.authoring.lesson import EXERCISE_HEADING, Lesson, Section, headings, text_of
from utils.authoring.python import Code, argument, string
from utils.authoring.source import CHECKED

EXERCISES = (4, 8)
QUESTIONS = 2

_OPTION = re.compile(r"^- \*\*([a-z])\*\* \S", re.MULTILINE)
_NUMBERED = re.compile(r"^(\d+)\. \S", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|(?:href|src)=\"([^\"]+)\"")
_CODE = re.compile(r"`[^`]*`|\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL)


def exercises(lesson: Lesson) -> list[str]:
    """Four to eight exercises, E02.1 and on, the same in lesson and registry, each with a check."""
    found = [section.id for section in lesson.sections]
    declared = [exercise.id for exercise in lesson.exercises]
    low, high = EXERCISES
    if low <= len(found) <= high:
        return []
    return [f"{len(found)} exercises ({len(declared)} declared); a lesson has {low} to {high}"]


def exercise_ids(lesson: Lesson) -> list[str]:
    """Exercises are numbered in order, declared in the same order, under the same titles."""
    found = [section.id for section in lesson.sections]
    wanted = [f"E{lesson.number:02d}.{k}" for k in range(1, len(found) + 1)]
    declared = {exercise.id: exercise for exercise in lesson.exercises}
    faults = []
    if found != wanted:
        faults.append(f"exercises must be {wanted}, in order, got {found}")
    if list(declared) != found:
        faults.append(f"the registry declares {list(declared)}, the lesson has {found}")
    for section in lesson.sections:
        title = declared[section.id].title if section.id in declared else section.title
        if title != section.title:
            faults.append(f"{section.id} is {title!r} in the registry, {section.title!r} here")
    checks = Counter(_checked(code) for code in lesson.code if _checked(code))
    for name in checks.keys() - set(found):
        faults.append(f"check({name!r}) without a heading '### Exercise {name} · Title'")
    for cell in lesson.source.cells:
        many = len(EXERCISE_HEADING.findall(cell.source)) if cell.kind == "markdown" else 0
        if many > 1:
            faults.append(f"{many} exercises in one cell; each needs a cell of its own")
    return faults


def exercise_cells(lesson: Lesson) -> list[str]:
    """Each exercise has a blank and, in a cell of its own, a check that the blank reaches."""
    faults = []
    given: set[str] = set()
    by_cell = {id_: s for s in lesson.sections for id_ in (cell.id for cell in s.cells)}
    for code in lesson.code:
        section = by_cell.get(code.cell.id)
        if section and _checked(code) == section.id:
            if len(code.tree.body) != 1 or not code.is_machine:
                faults.append(f"the check of {section.id} must be a cell of its own")
            missing = code.reads - given - {"check"}
            if missing:
                faults.append(
                    f"the check of {section.id} reads {', '.join(sorted(missing))}, "
                    "which the learner's copy never sets"
                )
        given |= code.blank_names
    for section in lesson.sections:
        if not any(code.cell.regions for code in section.code):
            faults.append(f"{section.id} has no region # BEGIN SOLUTION ... # END SOLUTION")
        if not any(_checked(code) == section.id for code in section.code):
            faults.append(f"{section.id} has no check before the next heading")
    return faults


def exercise_kinds(lesson: Lesson) -> list[str]:
    """One to interpret, one flaw to spot, and the last on the learner's own hospitals."""
    kinds = {exercise.kind for exercise in lesson.exercises}
    faults = [
        f"no exercise of kind {k!r}" for k in ("interpret", "spot the flaw") if k not in kinds
    ]
    if not lesson.exercises or not lesson.exercises[-1].own:
        faults.append("the last exercise must be on the learner's own hospitals")
    return faults


def options(lesson: Lesson) -> list[str]:
    """Options and sentences in the lesson are those that the registry declares."""
    declared = {exercise.id: exercise for exercise in lesson.exercises}
    faults = []
    for section in lesson.sections:
        answer = getattr(declared.get(section.id), "answer", None)
        letters = getattr(answer, "options", None)
        if letters is None:
            continue
        shown = _OPTION.findall(section.text)
        if shown != list(letters):
            faults.append(f"{section.id} lists options {shown}, the registry {list(letters)}")
        numbers = getattr(answer, "numbers", None)
        listed = [int(number) for number in _NUMBERED.findall(section.text)]
        if numbers is not None and listed != list(numbers):
            faults.append(f"{section.id} lists sentences {listed}, the registry {list(numbers)}")
    return faults


def independence(lesson: Lesson) -> list[str]:
    """No cell outside an exercise reads a name that only the exercise's solution sets."""
    given = set().union(*(code.given_names for code in lesson.code))
    faults = []
    own: dict[str, Section] = {}
    for section in lesson.sections:
        own |= {cell.id: section for cell in section.cells}
    for code in lesson.code:
        if not code.cell.regions:
            continue
        secret = code.names - given
        section = own.get(code.cell.id)
        for other in lesson.code:
            inside = other is code or (section and own.get(other.cell.id) is section)
            read = sorted(secret & other.reads) if not inside else []
            if read:
                faults.append(
                    f"{other.text.splitlines()[0][:60]!r} reads {', '.join(read)}, "
                    f"set only by the solution of {section.id if section else 'an exercise'}"
                )
    return faults


def links(lesson: Lesson, root: Path) -> list[str]:
    """Relative links of both copies lead to a file that is there, anchors to a heading."""
    faults = []
    for folder, notebook in (("notebooks", lesson.learner), ("solutions", lesson.solution)):
        here = root / folder / f"{lesson.source.name}.ipynb"
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                faults += [
                    f"in {folder}: {fault}" for fault in broken_links(text_of(cell), here, root)
                ]
    return list(dict.fromkeys(faults))


def broken_links(markdown: str, here: Path, root: Path) -> list[str]:
    """Return what is wrong with the relative links of a Markdown text in the file `here`."""
    faults = []
    for match in _LINK.finditer(_CODE.sub("", markdown)):
        target = match.group(1) or match.group(2)
        if re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
            continue
        path, _, anchor = target.partition("#")
        file = (here.parent / unquote(path)).resolve() if path else here
        if not file.exists():
            faults.append(f"link to {target!r}: there is no such file")
        elif not file.is_relative_to(root.resolve()):
            faults.append(f"link to {target!r} leaves the repository")
        elif anchor and unquote(anchor) not in _anchors(file):
            faults.append(f"link to {target!r}: {file.name} has no such heading")
    return faults


def claims(lesson: Lesson) -> list[str]:
    """Each claim planned for the lesson has a verdict: checked, computed, and no other claim."""
    faults, ruled = [], []
    for code in lesson.code:
        for name, call in code.calls:
            if name != "verdict":
                continue
            claim = string(call.args[0] if call.args else None)
            ruled.append(claim)
            if CHECKED not in code.cell.tags:
                faults.append(f"the verdict on {claim} is not checked: tag it {CHECKED}")
            if claim not in lesson.plan.claims:
                faults.append(f"a verdict on {claim}, which is not planned for this lesson")
            if string(argument(call, 1, "ruling")) is not None:
                faults.append(f"the ruling on {claim} must be computed, not written down")
    faults += [f"claim {c} has no verdict" for c in lesson.plan.claims if c not in ruled]
    faults += [f"claim {c} has {n} verdicts" for c, n in Counter(ruled).items() if n > 1]
    return faults


def widget(lesson: Lesson) -> list[str]:
    """Require an explorer, with numbered questions in the text before or after it."""
    cells = lesson.source.cells
    shown = [
        position
        for position, cell in enumerate(cells)
        if cell.kind == "code" and Code(cell).is_explorer
    ]
    if not shown:
        return ["no explorer"]
    for position in shown:
        around = [cells[i] for i in (position - 1, position + 1) if 0 <= i < len(cells)]
        for cell in around:
            asked = re.findall(r"^\d+\. .*?(?=^\d+\. |\Z)", cell.source, re.MULTILINE | re.DOTALL)
            if cell.kind == "markdown" and sum("?" in text for text in asked) >= QUESTIONS:
                return []
    return [f"no explorer has {QUESTIONS} numbered questions in the cell before or after it"]


def terms(lessons: Sequence[Lesson]) -> list[str]:
    """Require that a term is defined once in the course."""
    where: dict[str, list[int]] = {}
    for lesson in lessons:
        for term in re.findall(r"<dfn>(.*?)</dfn>", lesson.prose, re.DOTALL):
            where.setdefault(" ".join(term.lower().split()), []).append(lesson.number)
    return [
        f"{term!r} is defined {len(numbers)} times, in lessons {numbers}"
        for term, numbers in where.items()
        if len(numbers) > 1
    ]


def unclaimed(exercise_lessons: Mapping[str, int], written: Sequence[int]) -> list[str]:
    """Exercises are declared for written lessons only."""
    return [
        f"{name} is declared, but lesson {number} is not written"
        for name, number in exercise_lessons.items()
        if number not in written
    ]


# Written in two pieces, so that this file does not match itself.
_FORBIDDEN = {
    "a path of somebody's machine": re.compile(
        "/" + r"(work|root)/[A-Za-z.]|" + "/" + r"(home|Users)/[a-z]\w*/|[A-Z]:\\+" + r"Users\\"
    ),
    "a note to do something": re.compile(r"\bTO" + r"DO\b"),
    "a folder outside of the repository": re.compile(r"\bshar" + r"ed/"),
}


def forbidden(text: str) -> list[str]:
    """Return what a file of the repository must not say, with its line."""
    return [
        f"line {number}: {what}: {match.group(0)!r}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in _FORBIDDEN.items()
        if (match := pattern.search(line))
    ]


def _checked(code: Code) -> str | None:
    name, call = code.last_call or (None, None)
    return string(call.args[0]) if name == "check" and call.args else None


def _anchors(file: Path) -> set[str]:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        found = [h for c in cells if c["cell_type"] == "markdown" for h in headings(text_of(c))]
        return {heading.replace(" ", "-") for _, heading in found}
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for _, heading in headings(text))
    return {heading.replace(" ", "-") for heading in plain}
