"""Choose exercises, and for each the cells of its lesson that it needs in order to run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from utils import ROOT
from utils.authoring.builder import read_sources
from utils.authoring.course import plan
from utils.authoring.lesson import Lesson, Section
from utils.authoring.python import MACHINE, Code, bound_names
from utils.authoring.source import Cell
from utils.exercises.registry import all_exercises
from utils.grading.folder import GradingError

if TYPE_CHECKING:
    from utils.exercises.declare import Exercise

_ID = re.compile(r"E\d\d\.\d+")
# Libraries that every notebook gets where its lesson uses them; others only where they are needed.
_ALWAYS = {"np", "pd", "plt", "smf", "stats"}
_SETS_UP = {"plots.set_style", "bayes.set_up"}
_OURS = ("utils.exercises", "utils.widgets")


@dataclass(frozen=True)
class Chosen:
    """An exercise with the cells that it needs.

    Parameters
    ----------
    exercise : Exercise
        The declaration.
    section : Section
        Its cells in the lesson, from the heading to the check.
    given : tuple of Cell
        Cells from earlier in the lesson, in order, without what they show.
    imports : tuple of str
        Import statements and set-up calls.
    name : str
        The name that the check looks at.
    source : str
        File name of the lesson, without suffix.
    heading : str
        The lesson's number and title.
    """

    exercise: Exercise
    section: Section
    given: tuple[Cell, ...]
    imports: tuple[str, ...]
    name: str
    source: str
    heading: str

    @property
    def has_data(self) -> bool:
        """Whether its cells simulate or load data, which others can replace."""
        cells = [*self.given, *(c.cell for c in self.section.code if not c.cell.regions)]
        called = {name for cell in cells for name, _ in Code(cell).calls}
        return bool(called & {"med_trial", "datasets.load"})


def choose(
    exercises: Sequence[str] = (), lessons: Sequence[int] = (), root: Path = ROOT
) -> list[Chosen]:
    """Return the exercises asked for, in the order of the course.

    Raises
    ------
    GradingError
        If an id or a lesson is unknown, or nothing was asked for.
    """
    declared = all_exercises()
    sources = {source.number: source for source in read_sources(root)}
    known = {name: item for name, item in declared.items() if item.lesson in sources}
    unknown = sorted(set(exercises) - set(known))
    if unknown:
        raise GradingError(f"unknown exercises: {', '.join(unknown)}; see solutions/README.md")
    strange = sorted(set(lessons) - {item.lesson for item in known.values()})
    if strange:
        raise GradingError(f"lessons without exercises: {', '.join(map(str, strange))}")
    wanted = [n for n, item in known.items() if n in set(exercises) or item.lesson in set(lessons)]
    if not wanted:
        raise GradingError("name exercises (--exercises E02.3 E05.1) or lessons (--lessons 4 5)")
    parsed = {
        number: Lesson(sources[number], {}, {}, (), plan(number))
        for number in {known[name].lesson for name in wanted}
    }
    return [_chosen(known[name], parsed[known[name].lesson]) for name in wanted]


def _chosen(exercise: Exercise, lesson: Lesson) -> Chosen:
    section = next((s for s in lesson.sections if s.id == exercise.id), None)
    if section is None:
        raise GradingError(f"{exercise.id} stands in no section of {lesson.source.name}.py")
    given = _given(section, lesson)
    inside = [*(Code(cell) for cell in given), *section.code]
    read = set().union(_named(section), *(code.reads for code in inside))
    source = lesson.source
    return Chosen(
        exercise=exercise,
        section=section,
        given=given,
        imports=tuple(_imports(lesson, read)),
        name=_checked_name(section),
        source=source.name,
        heading=f"{source.number} {source.title}",
    )


def _checked_name(section: Section) -> str:
    """Return the name in the second place of the exercise's check."""
    for code in section.code:
        for name, call in code.calls:
            if name == "check" and len(call.args) == 2 and isinstance(call.args[1], ast.Name):
                return call.args[1].id
    raise GradingError(f"{section.id}: its check must look at one name")


def _given(section: Section, lesson: Lesson) -> tuple[Cell, ...]:
    """Go back from an exercise, keeping each cell that makes or changes what later ones read."""
    needed: set[str] = set()
    for code in reversed(section.code):
        needed = (needed - _made(code.tree)) | code.reads
    defined = (node for code in lesson.code for node in code.tree.body)
    needed |= _named(section) & {n.name for n in defined if isinstance(n, ast.FunctionDef)}
    kept: list[Cell] = []
    cells = lesson.source.cells
    first = next(i for i, cell in enumerate(cells) if cell.id == section.cells[0].id)
    for cell in reversed(cells[:first]):
        if cell.kind != "code" or cell.regions:
            continue
        if Code(cell).is_explorer:
            continue
        stripped = without_shows(cell)
        tree = ast.parse(stripped.source)
        if needed & _touched(tree):
            kept.append(stripped)
            needed = (needed - _made(tree)) | Code(stripped).reads
    return tuple(reversed(kept))


def _named(section: Section) -> set[str]:
    """Return the names that an exercise's text puts in code: functions that may be used."""
    return set(re.findall(r"`([A-Za-z_]\w*)", section.text))


def without_shows(cell: Cell) -> Cell:
    """Return a cell without its imports, figures' `plots.show`, predictions and verdicts."""
    lines = cell.source.split("\n")
    code = Code(cell)
    for node in code.tree.body:
        called = [n for n, c in code.calls if isinstance(node, ast.Expr) and c is node.value]
        shows = called and called[0] in MACHINE | _SETS_UP | {"plots.show"}
        if shows or isinstance(node, ast.Import | ast.ImportFrom):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
    return Cell(cell.id, cell.kind, text, ())


def _made(tree: ast.Module) -> set[str]:
    """Return the names that a cell's top level binds anew."""
    made: set[str] = set()
    for node in tree.body:
        match node:
            case ast.Assign() | ast.Import() | ast.ImportFrom() | ast.With() | ast.For():
                made |= bound_names(node)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                made.add(name)
    return made


def _touched(tree: ast.Module) -> set[str]:
    """Return the names that a cell binds or changes: `x = `, `x["a"] = `, `x.columns = `."""
    found = _made(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            base: ast.expr = node
            while isinstance(base, ast.Attribute | ast.Subscript):
                base = base.value
            if isinstance(base, ast.Name):
                found.add(base.id)
    return found


def _imports(lesson: Lesson, read: set[str]) -> Iterable[str]:
    """Yield the imports that are read, the usual libraries, and the calls that set them up."""
    nodes = [node for code in lesson.code for node in code.tree.body]
    kept: set[str] = set()
    for node in nodes:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if (getattr(node, "module", None) or "").startswith(_OURS):
            continue
        for alias in node.names:
            bound = alias.asname or alias.name.split(".")[0]
            if bound in read | _ALWAYS | {"plots"} or (bound == "bayes" and _samples(read)):
                kept.add(bound)
                yield _import(node, alias)
    for call in sorted(_SETS_UP):
        if call.split(".")[0] in kept and any(ast.unparse(n) == f"{call}()" for n in nodes):
            yield f"{call}()"


def _samples(read: set[str]) -> bool:
    return bool(read & {"pm", "nutpie", "bayes"})


def _import(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    one = ast.Import([alias]) if isinstance(node, ast.Import) else None
    return ast.unparse(one or ast.ImportFrom(node.module, [alias], node.level))
