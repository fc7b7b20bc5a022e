"""Build the site to read: build/site/, which any web server, or none, can show."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import nbformat
from playwright.sync_api import Browser
from sphinx.application import Sphinx
from sphinx.util.console import nocolor

from utils.authoring import glossary
from utils.authoring.builder import read_sources
from utils.site import cheat_sheet, pages
from utils.site.executed import what_lessons_use, with_outputs
from utils.site.static import FIGURES, still_notebook

HERE = Path(__file__).parent


class SiteError(RuntimeError):
    """A site that is not as it should be; the message says where and why."""


def build(
    root: Path,
    out: Path,
    browser: Browser,
    *,
    run: Collection[int] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Path:
    """Build the site.

    Parameters
    ----------
    root : Path
        The repository.
    out : Path
        Folder of the pages. Beside it, `out`-source keeps what Sphinx reads.
    browser : Browser
        Chromium, which prints the cheat sheet.
    run : collection of int or None
        Lessons to run where no outputs are kept; None runs all. The others' pages then say that
        they were not run.
    say : callable
        Is told, in a line, what is being done.

    Returns
    -------
    Path
        The start page.

    Raises
    ------
    SiteError
        If Sphinx has something to warn of.
    """
    source = out.with_name(f"{out.name}-source")
    sources = read_sources(root)
    readme = (root / "README.md").read_text(encoding="utf-8")
    used, cache = what_lessons_use(root), root / "build" / "site-outputs"
    names = {f"{s.name}.ipynb": s.number for s in sources} | {f"{glossary.NAME}.ipynb": None}
    for name, number in names.items():
        wanted = run is None or number in run
        say(f"page {name}")
        notebook, complete = with_outputs(root / "notebooks" / name, used, cache, run=wanted)
        still_notebook(notebook, source / FIGURES)
        pages.plain_anchors(notebook)
        if number is not None:
            pages.lesson_page(notebook, name, readme, has_outputs=complete)
        pages.write(source / name, nbformat.writes(notebook))
    _remove_others(source, set(names))
    pages.write(source / "index.md", pages.start_page(sources, readme))
    pages.write(source / "cheat_sheet.md", pages.sheet_page(sources))
    style = (HERE / "site.css").read_text(encoding="utf-8")
    pages.write(source / "_static" / "site.css", style)
    (source / "extra").mkdir(exist_ok=True)
    text = cheat_sheet.TEXT.read_text(encoding="utf-8")
    cheat_sheet.write_pdf(browser, text, source / "extra" / "cheat_sheet.pdf")
    _remove_old_figures(source, source / FIGURES, out / FIGURES)
    say("Sphinx")
    _sphinx(source, out)
    return out / "index.html"


def _sphinx(source: Path, out: Path) -> None:
    said = io.StringIO()
    nocolor()
    app = Sphinx(
        source,
        HERE,  # conf.py
        out,
        source / ".doctrees",
        "html",
        confoverrides={
            "html_static_path": [str(source / "_static")],
            "html_extra_path": [str(source / "extra")],
        },
        status=None,
        warning=said,
    )
    app.build()
    if app.statuscode or said.getvalue().strip():
        shutil.rmtree(source / ".doctrees")  # what is kept would not be warned of again
        raise SiteError(said.getvalue().strip() or f"Sphinx ended with {app.statuscode}")


def _remove_old_figures(source: Path, *folders: Path) -> None:
    """Remove figures that no page shows any more: they are named by what they show."""
    pages_text = "".join(path.read_text(encoding="utf-8") for path in source.glob("*.ipynb"))
    for folder in folders:
        for path in folder.glob("*"):
            if path.name not in pages_text:
                path.unlink()


def _remove_others(source: Path, names: Collection[str]) -> None:
    for path in source.glob("*.ipynb"):
        if path.name not in names:
            path.unlink()
