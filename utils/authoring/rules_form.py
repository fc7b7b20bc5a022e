"""The contract, first half: form, rhythm, figures, predictions, and what is stored.

Each rule takes a lesson and returns its faults, in words; no faults is an empty list.
"""

from __future__ import annotations

import ast
import re
from collections import Counter

from utils.authoring.lesson import Lesson, text_of
from utils.authoring.notebook import plain
from utils.authoring.python import MACHINE, Code, argument, string
from utils.authoring.source import CHECKED, SOLUTION, TAGS

CELLS = (25, 45)
CODE_LINES = 12
CODE_RUN = 2
CODE_PER_FIGURE = 4
CHECKED_CELLS = (3, 8)
PREDICTIONS = 3
ALT_WORDS = 8

_CLOSING = ["Key points", "Limits", "Further reading"]
_OPENING = "What you will be able to do"


def tags(lesson: Lesson) -> list[str]:
    """Only tags that the builder and nbval know."""
    return [
        f"tag {tag!r} is not one of {', '.join(sorted(TAGS))}"
        for cell in lesson.source.cells
        for tag in cell.tags
        if tag not in TAGS
    ]


def opening(lesson: Lesson) -> list[str]:
    """Require that the first cell says title, question, minutes, as the header and the plan do."""
    first = lesson.source.cells[0].source
    course, faults = lesson.source.course, []
    title = f"# {lesson.number} {lesson.plan.title}"
    if first.splitlines()[:1] != [title]:
        faults.append(f"the first cell must begin with {title!r}")
    question = course.get("question")
    quoted = " ".join(re.findall(r"^> ?(.*)$", first, re.MULTILINE))
    if not question or " ".join(quoted.split()) != " ".join(str(question).split()):
        faults.append("the header's question must stand in the first cell, as a block quote")
    for key in ("reading_minutes", "exercise_minutes"):
        minutes = course.get(key)
        if not isinstance(minutes, int) or not re.search(rf"\b{minutes} minutes\b", first):
            faults.append(f"the first cell must say the header's {key}, got {minutes!r}")
    if not isinstance(course.get("needs"), list):
        faults.append("the header must list the lessons that this one needs")
    return faults


def headings(lesson: Lesson) -> list[str]:
    """Require the fixed headings, once each, in order, no level left out."""
    levels = [level for level, _ in lesson.headings]
    second = [text for level, text in lesson.headings if level == 2]
    faults = []
    if levels.count(1) != 1 or levels[:1] != [1]:
        faults.append("there must be one heading of level 1, the first")
    if second[:1] != [_OPENING]:
        faults.append(f"the first section must be {_OPENING!r}")
    if second[-3:] != _CLOSING:
        faults.append(f"the last sections must be {', '.join(_CLOSING)}, got {second[-3:]}")
    for (above, _), (level, text) in zip(lesson.headings, lesson.headings[1:], strict=False):
        if level > above + 1:
            faults.append(f"heading {text!r} skips a level")
    for text, count in Counter(text for _, text in lesson.headings).items():
        if count > 1:
            faults.append(f"heading {text!r} stands {count} times, so a link to it is ambiguous")
    return faults


def length(lesson: Lesson) -> list[str]:
    """25 to 45 cells, not counting those that ask, check and rule, nor exercises."""
    count = counted_cells(lesson)
    low, high = CELLS
    return [] if low <= count <= high else [f"{count} cells; the course has {low} to {high}"]


def counted_cells(lesson: Lesson) -> int:
    """Return the number of cells of exposition: prose, code and figures."""
    apart = {cell.id for section in lesson.sections for cell in section.cells}
    apart |= {code.cell.id for code in lesson.code if code.is_machine}
    return sum(cell.id not in apart for cell in lesson.source.cells)


def code_lines(lesson: Lesson) -> list[str]:
    """No code cell of more than 12 lines; a cell of imports may be longer."""
    return [
        f"a code cell has {code.lines} lines, more than {CODE_LINES}: {_begin(code)}"
        for code in lesson.code
        if code.lines > CODE_LINES and not code.is_setup
    ]


def code_runs(lesson: Lesson) -> list[str]:
    """At most two code cells in a row; those that ask, check and rule do not count."""
    faults, run = [], 0
    for cell in lesson.source.cells:
        if cell.kind == "markdown":
            run = 0
            continue
        code = Code(cell)
        run += not code.is_machine
        if run > CODE_RUN and not code.is_machine:
            faults.append(f"more than {CODE_RUN} code cells in a row: {_begin(code)}")
    return faults


def figures(lesson: Lesson) -> list[str]:
    """Require a figure or explorer for every four code cells of exposition."""
    drawn = sum(code.shows_figure or code.is_explorer for code in lesson.code)
    apart = {cell.id for section in lesson.sections for cell in section.cells}
    others = [
        code
        for code in lesson.code
        if not (code.is_machine or code.is_setup or code.cell.id in apart)
    ]
    if drawn * CODE_PER_FIGURE >= len(others):
        return []
    return [f"{drawn} figures for {len(others)} code cells: one for every {CODE_PER_FIGURE}"]


def figure_cells(lesson: Lesson) -> list[str]:
    """Require that a cell that draws ends with `plots.show(fig, alt=...)`, alt in words."""
    faults = []
    for code in lesson.code:
        names = [name for name, _ in code.calls]
        if "plt.show" in names:
            faults.append(f"plt.show() has no alternative text; use plots.show: {_begin(code)}")
        if (code.draws or "plots.show" in names) and not code.shows_figure:
            faults.append(f"a figure cell must end with plots.show(fig, alt=...): {_begin(code)}")
        for name, call in code.calls:
            if name == "plots.show":
                alt = string(argument(call, -1, "alt"))
                if alt is None or len(alt.split()) < ALT_WORDS:
                    faults.append(
                        f"alt must say what the figure shows in {ALT_WORDS} words or more, "
                        f"got {alt!r}: {_begin(code)}"
                    )
    return faults


def checked_cells(lesson: Lesson) -> list[str]:
    """Three to eight checked cells."""
    count = sum(CHECKED in cell.tags for cell in lesson.source.cells)
    low, high = CHECKED_CELLS
    return [] if low <= count <= high else [f"{count} checked cells; a lesson has {low} to {high}"]


def stored(lesson: Lesson) -> list[str]:
    """Require a count and text of checked cells, and neither of others."""
    faults = []
    for cell in lesson.solution["cells"]:
        if cell["cell_type"] != "code":
            continue
        name = text_of(cell).strip().splitlines()[:1]
        outputs, count = cell["outputs"], cell["execution_count"]
        if CHECKED not in cell["metadata"].get("tags", []):
            if outputs or count is not None:
                faults.append(f"an unchecked cell keeps outputs or a count: {name}")
            continue
        joined = [
            {
                **output,
                "text": "".join(output.get("text", "")),
                "data": {k: "".join(v) for k, v in output.get("data", {}).items()},
            }
            for output in outputs
        ]
        if count is None or not plain(joined):
            faults.append(f"a checked cell has no stored text, so nbval compares nothing: {name}")
        if any(set(output["data"]) - {"text/plain"} for output in joined):
            faults.append(f"a checked cell keeps more than text: {name}")
    return faults


def predictions(lesson: Lesson) -> list[str]:
    """Three or more predictions, numbered in order."""
    asked = [_id(call) for _, call in _named(lesson, "predict")]
    wanted = [f"P{lesson.number:02d}.{k}" for k in range(1, len(asked) + 1)]
    faults = []
    if len(asked) < PREDICTIONS:
        faults.append(f"{len(asked)} predictions; a lesson has {PREDICTIONS} or more")
    if asked != wanted:
        faults.append(f"predictions must be {wanted}, in order, got {asked}")
    return faults


def reveals(lesson: Lesson) -> list[str]:
    """Each prediction is revealed once, in a later cell, with an outcome that can be predicted."""
    faults = []
    asked, shown = _named(lesson, "predict"), _named(lesson, "reveal")
    where = {_id(call): at for at, call in asked}
    offered = {_id(call): _literal(argument(call, 2, "choices")) for _, call in asked}
    for at, call in shown:
        name = _id(call)
        if name not in where:
            faults.append(f"reveal({name!r}) without a prediction")
        elif at <= where[name]:
            faults.append(f"{name} is revealed in the cell that asks, or before it")
        value, choices = argument(call, 1, "value"), offered.get(name)
        outcome = value.value if isinstance(value, ast.Constant) else None
        if outcome is not None and choices and outcome not in choices:
            faults.append(f"{name} reveals {outcome!r}, which is not among its choices")
    counts = Counter(_id(call) for _, call in shown)
    faults += [f"{name} is revealed {counts[name]} times" for name in where if counts[name] != 1]
    return faults


def shown(lesson: Lesson) -> list[str]:
    """Whatever speaks to the learner ends its cell: a notebook shows a cell's last value only."""
    faults = []
    for code in lesson.code:
        last = code.last_call[1] if code.last_call else None
        lost = [f"{name}(...)" for name, call in code.calls if name in MACHINE and call is not last]
        lost += [
            ast.unparse(node)
            for node in code.tree.body[:-1]
            if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call | ast.Constant)
        ]
        faults += [f"{name} is not the last line of its cell, so nobody sees it" for name in lost]
    return faults


def leaks(lesson: Lesson) -> list[str]:
    """Require a learner's copy without outputs, telling tags, or a line of a solution."""
    faults, outside, inside = [], Counter(), Counter()
    for cell in lesson.source.cells:
        hidden = SOLUTION in cell.tags
        outside.update([] if hidden else _lines(cell.outside))
        inside.update(_lines(cell.source if hidden else "\n".join(cell.regions)))
    given = Counter(line for cell in lesson.learner["cells"] for line in _lines(text_of(cell)))
    for line in inside:
        if given[line] > outside[line]:
            faults.append(f"a line of a solution stands in the learner's copy: {line!r}")
    for cell in lesson.learner["cells"]:
        told = set(cell["metadata"].get("tags", [])) & {SOLUTION, CHECKED}
        if told:
            faults.append(f"the learner's copy carries the tag {', '.join(sorted(told))}")
        if re.search(r"(BEGIN|END) SOLUTION", text_of(cell)):
            faults.append("the learner's copy carries a solution marker")
        if cell.get("outputs") or cell.get("execution_count") is not None:
            faults.append(f"the learner's copy carries outputs: {text_of(cell)[:50]!r}")
    return faults


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if len(line) > 3 and not line.startswith("#")]


def _named(lesson: Lesson, function: str) -> list[tuple[int, ast.Call]]:
    """Return (position of the code cell, call), in order."""
    return [
        (position, call)
        for position, code in enumerate(lesson.code)
        for name, call in code.calls
        if name == function
    ]


def _id(call: ast.Call) -> str:
    return string(call.args[0] if call.args else None) or "an id that is not a plain string"


def _literal(node: ast.expr | None) -> list[str] | None:
    try:
        return list(ast.literal_eval(node)) if node is not None else None
    except ValueError:
        return None


def _begin(code: Code) -> str:
    lines = [line for line in code.text.splitlines() if line.strip()]
    return repr(lines[0][:60] if lines else "")
