"""Read a lesson's source: cells with stable ids, and the regions that hold solutions."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import textwrap
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import jupytext
import yaml

CHECKED = "nbval-check-output"
SOLUTION = "solution"
RAISES = "raises-exception"
TAGS = frozenset({CHECKED, SOLUTION, RAISES})

_NAME = re.compile(r"(\d\d)_([a-z0-9_]+)")
_CELL = re.compile(r"# %%")
_MARKER = re.compile(r"\s*#+\s*(BEGIN|END) SOLUTION\s*")


class AuthoringError(ValueError):
    """A lesson that cannot be built; the message says where and why."""


@dataclass(frozen=True)
class Cell:
    """One cell of a source.

    Parameters
    ----------
    id : str
        Made from the lesson, the content, and which of equal cells it is. Another cell put
        before it does not change it.
    kind : {"markdown", "code"}
        Cells of other kinds are refused.
    source : str
        Text without a final line break.
    tags : tuple of str
        As in the source.
    """

    id: str
    kind: str
    source: str
    tags: tuple[str, ...] = ()

    @property
    def regions(self) -> tuple[str, ...]:
        """The texts between solution markers."""
        return tuple(text for inside, text in _split(self.source) if inside)

    @property
    def outside(self) -> str:
        """The text without its solution regions."""
        return "\n".join(text for inside, text in _split(self.source) if not inside)


@dataclass(frozen=True)
class Source:
    """The source of one lesson.

    Parameters
    ----------
    name : str
        File name without suffix.
    cells : tuple of Cell
        In order.
    course : dict
        The header's `course` block: question, reading_minutes, exercise_minutes, needs.
    """

    name: str
    cells: tuple[Cell, ...]
    course: dict

    @property
    def number(self) -> int:
        """Number of the lesson."""
        return int(self.name[:2])

    @property
    def title(self) -> str:
        """The lesson's heading, without its number."""
        first = self.cells[0].source.splitlines()[0] if self.cells else ""
        return re.sub(r"^#\s+(\d+\s+)?", "", first)

    @property
    def code_hash(self) -> str:
        """Changes where what is executed changes; a new word in the prose leaves it alone."""
        code = [[c.source, sorted(c.tags)] for c in self.cells if c.kind == "code"]
        return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:32]


def read_source(path: Path) -> Source:
    """Read `solutions/NN_name.py`.

    Raises
    ------
    AuthoringError
        If the file's name, its solution markers or its cells are not as they should be.
    """
    return parse_source(path.read_text(encoding="utf-8"), path)


def parse_source(text: str, path: Path) -> Source:
    """Parse a source's text; `path` gives the lesson's name and is what messages name."""
    match = _NAME.fullmatch(path.stem)
    if match is None:
        raise AuthoringError(f"{path.name}: a lesson is named NN_name.py, NN its two-digit number")
    require_balanced(text, path)
    try:
        notebook = jupytext.reads(text, fmt="py:percent")
    except yaml.YAMLError as error:
        raise AuthoringError(f"{path.name}: its header must be YAML: {error}") from error
    seen: Counter[tuple[str, str]] = Counter()
    cells = []
    for cell in notebook.cells:
        kind, source = cell.cell_type, cell.source.rstrip()
        if kind not in ("markdown", "code"):
            raise AuthoringError(f"{path.name}: a cell is markdown or code, got {kind!r}")
        if kind == "code":
            _require_python(source, f"{path.name}, cell {source.splitlines()[:1]}")
        key = (kind, source)
        made_from = json.dumps([path.stem[:2], kind, source, seen[key]])
        digest = hashlib.sha256(made_from.encode()).hexdigest()[:12]
        seen[key] += 1
        tags = tuple(cell.metadata.get("tags", ()))
        cells.append(Cell(f"{path.stem[:2]}-{digest}", kind, source, tags))
    return Source(path.stem, tuple(cells), dict(notebook.metadata.get("course", {})))


def require_balanced(text: str, path: Path) -> None:
    """Refuse solution markers that are nested, unbalanced, misspelt, or cross a cell's end.

    Raises
    ------
    AuthoringError
        Naming file and line.
    """
    opened = 0
    lines = text.splitlines()
    for number, line in enumerate([*lines, "# %%"], start=1):
        where = f"{path.name}, line {number}"
        if _CELL.match(line):
            if opened:
                raise AuthoringError(
                    f"{path.name}, line {opened}: BEGIN SOLUTION without END SOLUTION in its cell"
                )
            continue
        match = _MARKER.fullmatch(line)
        if match is None:
            if re.search(r"(BEGIN|END)[ _]SOLUTION", line, re.IGNORECASE):
                raise AuthoringError(
                    f"{where}: a marker stands on a line of its own, as '# BEGIN SOLUTION'"
                )
        elif match.group(1) == "BEGIN":
            if opened:
                raise AuthoringError(f"{where}: BEGIN SOLUTION inside the one of line {opened}")
            opened = number
        else:
            if not opened:
                raise AuthoringError(f"{where}: END SOLUTION without BEGIN SOLUTION")
            region = textwrap.dedent("\n".join(lines[opened : number - 1]))
            _require_python(region, f"{path.name}, line {opened}")
            opened = 0


def _require_python(code: str, where: str) -> None:
    try:
        ast.parse(code)
    except SyntaxError as error:
        raise AuthoringError(f"{where}: must be whole statements in Python: {error}") from error


def _split(source: str) -> list[tuple[bool, str]]:
    """Cut a cell's text at its markers into (inside a solution?, text)."""
    parts: list[tuple[bool, list[str]]] = [(False, [])]
    for line in source.split("\n"):
        match = _MARKER.fullmatch(line)
        if match:
            parts.append((match.group(1) == "BEGIN", []))
        else:
            parts[-1][1].append(line)
    return [(inside, "\n".join(lines)) for inside, lines in parts if lines or inside]


def blanked(source: str) -> str:
    r"""Return a code cell's text with each solution replaced by what the learner fills in.

    A solution becomes `name = ...` with the name that it assigns last, at its own indentation,
    or `...` where it assigns none.

    Examples
    --------
    >>> print(blanked("n = 4\n# BEGIN SOLUTION\nhalf = n / 2\n# END SOLUTION"))
    n = 4
    half = ...
    """
    return "\n".join(_blank(text) if inside else text for inside, text in _split(source))


def _blank(region: str) -> str:
    lines = [line for line in region.split("\n") if line.strip()]
    indent = min((line[: len(line) - len(line.lstrip())] for line in lines), key=len, default="")
    names = last_names(textwrap.dedent(region))
    return indent + " = ".join([*names, "..."])


def last_names(code: str) -> list[str]:
    r"""Return the names that the last binding statement of some code binds.

    Examples
    --------
    >>> last_names("a = 1\nb = a + 1\nprint(b)")
    ['b']
    """
    for statement in reversed(ast.parse(code).body):
        match statement:
            case ast.Assign(targets=targets):
                found = targets
            case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
                found = [target]
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                return [name]
            case ast.If() | ast.For() | ast.While() | ast.With() | ast.Try():
                found = [statement]
            case _:
                continue
        stored = [
            (node.lineno, node.col_offset, node.id)
            for target in found
            for node in ast.walk(target)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
        names = [name for _, _, name in sorted(stored)]
        if names:
            block = not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign)
            return names[-1:] if block else list(dict.fromkeys(names))
    return []
