"""What a code cell does, read from its syntax tree and never run."""

from __future__ import annotations

import ast
import functools
import re

from utils.authoring.source import Cell, blanked

MACHINE = frozenset({"check", "predict", "reveal", "verdict", "tally"})
_DRAWS = frozenset(
    {
        *("plt.subplots", "plt.figure", "plt.subplot_mosaic", "sns.relplot", "sns.lmplot"),
        *("sns.catplot", "sns.displot", "sns.jointplot", "sns.pairplot", "sns.FacetGrid"),
    }
)


class Code:
    """A code cell, its solution included.

    Parameters
    ----------
    cell : Cell
        A cell of kind "code".
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.text = cell.source
        self.tree = ast.parse(cell.source)

    @functools.cached_property
    def calls(self) -> list[tuple[str, ast.Call]]:
        """Every call, by its dotted name."""
        return [(name, c) for c in ast.walk(self.tree) if (name := _called(c)) is not None]

    @property
    def last_call(self) -> tuple[str, ast.Call] | None:
        """The call that the cell ends with, if it ends with one."""
        last = self.tree.body[-1] if self.tree.body else None
        if isinstance(last, ast.Expr) and (name := _called(last.value)) is not None:
            return name, last.value
        return None

    @property
    def lines(self) -> int:
        """Lines of code. Blank lines and comments do not count.

        A call whose lines are mostly words to the learner (a question, a figure's alternative
        text) counts as one line, so that nobody shortens the words to save lines.
        """
        lines = self.text.splitlines()
        for node in self.tree.body:
            if isinstance(node, ast.Expr) and _called(node.value) in MACHINE | {"plots.show"}:
                lines[node.lineno : node.end_lineno] = [""] * (node.end_lineno - node.lineno)
        stripped = (line.strip() for line in lines)
        return sum(bool(line) and not line.startswith("#") for line in stripped)

    @property
    def is_machine(self) -> bool:
        """Whether the cell ends by asking, revealing, checking or ruling."""
        return self.last_call is not None and self.last_call[0] in MACHINE

    @property
    def is_explorer(self) -> bool:
        """Whether the cell shows an explorer."""
        return any(name.endswith("_explorer") for name, _ in self.calls)

    @property
    def is_setup(self) -> bool:
        """Whether the cell only imports, and calls such as `plots.set_style()`."""
        imports = [isinstance(node, ast.Import | ast.ImportFrom) for node in self.tree.body]
        others = [n for n, is_import in zip(self.tree.body, imports, strict=True) if not is_import]
        return any(imports) and all(
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in others
        )

    @property
    def draws(self) -> bool:
        """Whether the cell makes a figure."""
        return any(name in _DRAWS for name, _ in self.calls)

    @property
    def shows_figure(self) -> bool:
        """Whether the cell ends with `plots.show(...)`."""
        return self.last_call is not None and self.last_call[0] == "plots.show"

    @property
    def reads(self) -> set[str]:
        """Names that the cell takes from elsewhere: read, and bound nowhere in the cell.

        Names after `@` in a string count: pandas looks them up in the notebook.
        """
        bound = bound_names(self.tree)
        read = {
            node.id
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)
        }
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                read |= set(re.findall(r"@([A-Za-z_]\w*)", node.value))
        return read - bound

    @property
    def given_names(self) -> set[str]:
        """Names that the cell binds outside of its solutions."""
        return bound_names(ast.parse(self.cell.outside)) if self.cell.regions else self.names

    @property
    def names(self) -> set[str]:
        """Names that the cell binds, its solutions included."""
        return bound_names(self.tree)

    @property
    def blank_names(self) -> set[str]:
        """Names that the learner's copy of the cell binds, blanks included."""
        return bound_names(ast.parse(blanked(self.text)))


def bound_names(tree: ast.AST) -> set[str]:
    r"""Return every name that some code binds, at any depth.

    Examples
    --------
    >>> sorted(bound_names(ast.parse("import numpy as np\nf = lambda x: np.sqrt(x)")))
    ['f', 'np', 'x']
    """
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                names.add(name)
            case ast.alias(name=name, asname=asname):
                names.add(asname or name.split(".")[0])
            case ast.ExceptHandler(name=str(name)):
                names.add(name)
    return names


def string(node: ast.expr | None) -> str | None:
    """Return the text of a string literal; of an f-string, its fixed parts."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(string(part) or "…" for part in node.values)
    return None


def argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    """Return an argument given by position or by keyword."""
    if position is not None and 0 <= position < len(call.args):
        return call.args[position]
    return next((item.value for item in call.keywords if item.arg == keyword), None)


def _called(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    parts, function = [], node.func
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return None
    return ".".join([function.id, *reversed(parts)])
