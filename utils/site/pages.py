"""The text of the site's pages: lessons, the start page, the cheat sheet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from nbformat.notebooknode import NotebookNode

from utils.authoring.course import PARTS, plan
from utils.authoring.source import Source
from utils.site import cheat_sheet

_BINDER = re.compile(r"^\[binder\]: (\S+)$", re.MULTILINE)
_ANCHOR = re.compile(r"(\]\([\w./-]*?#)([^)\s]+)")
_ABOUT = re.compile(r"\A# (?P<title>.+?)\n+(?P<text>.+?)(?=\n!\[|\n## )", re.DOTALL)
_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?!https?:|#)[^)]*\)")


def binder_link(readme: str, notebook: str) -> str:
    """Return the address that opens a notebook in Binder, from README's own link.

    Raises
    ------
    ValueError
        If README has no line `[binder]: address`.
    """
    match = _BINDER.search(readme)
    if match is None:
        raise ValueError("README.md must have a line that begins with '[binder]: '")
    return re.sub(r"notebooks/[\w.]+$", f"notebooks/{notebook}", match.group(1))


def plain_anchors(notebook: NotebookNode) -> None:
    """Make the links of a notebook, in place, lead to headings as the site names them."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _ANCHOR.sub(
                lambda m: m.group(1) + anchor(unquote(m.group(2))), cell.source
            )


def lesson_page(notebook: NotebookNode, name: str, readme: str, *, has_outputs: bool) -> None:
    """Give a notebook, in place, what its page needs: a way to try it.

    Parameters
    ----------
    notebook : NotebookNode
        The learner's copy.
    name : str
        Its file name.
    readme : str
        The text of README.md.
    has_outputs : bool
        Whether the notebook was run.
    """
    first = notebook.cells[0]
    title, _, rest = first.source.partition("\n")
    address = binder_link(readme, name)
    note = f"[Try it: run this page in Binder]({address}), with nothing to install."
    if not has_outputs:
        note += " This copy was not run, and shows no results."
    first.source = f"{title}\n\n{note}\n{rest}"


def start_page(sources: Sequence[Source], readme: str) -> str:
    """Return the start page: what the course is, its lessons by part, its two companions."""
    about = _ABOUT.search(readme)
    if about is None:
        raise ValueError("README.md must begin with a title and an introduction")
    introduction = _OUTSIDE.sub(r"\1", about.group("text").strip())
    blocks = [f"# {about.group('title')}", introduction, "## The lessons", _NOTE]
    for part, name in enumerate(PARTS):
        inside = [source for source in sources if plan(source.number).part == part]
        if not inside:
            continue
        rows = "\n".join(
            f"- [{s.number} {s.title}]({s.name}.ipynb). {s.course.get('question', '')}"
            for s in inside
        )
        blocks.append(f"### {name}\n\n{rows}\n\n{_toctree(name, [s.name for s in inside])}")
    blocks += [_COMPANIONS, _toctree("To keep", ["glossary", "Cheat sheet <cheat_sheet>"])]
    return "\n\n".join(blocks) + "\n"


def anchor(heading: str) -> str:
    """Return a heading's anchor as JupyterLab makes it, without quotation marks."""
    return heading.replace(" ", "-").replace('"', "")


def sheet_page(sources: Sequence[Source]) -> str:
    """Return the cheat sheet as a page of the site."""
    text = cheat_sheet.linked(
        cheat_sheet.TEXT.read_text(encoding="utf-8"), cheat_sheet.targets(sources)
    )
    title, _, rest = text.replace(cheat_sheet.BREAK, "").partition("\n")
    to_print = '<a href="cheat_sheet.pdf">The same on two pages to print (PDF)</a>'
    return f"{title}\n\n{to_print}\n{rest}"


def write(path: Path, text: str) -> None:
    """Write a file, and leave one that says the same untouched, for Sphinx to skip it."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def _toctree(caption: str, names: Sequence[str]) -> str:
    inside = "\n".join(names)
    return f"```{{toctree}}\n:caption: {caption}\n:hidden:\n:maxdepth: 1\n\n{inside}\n```"


_NOTE = """\
These pages show the lessons with their results, for reading. Each has a link that opens its
notebook, where you predict before you see, change the code, move the sliders, and have your
exercises checked."""

_COMPANIONS = """## To keep beside you

- [The glossary](glossary.ipynb): what each term means, and where it is defined.
- [The cheat sheet](cheat_sheet.md): which model, which function, which check, which traps."""
