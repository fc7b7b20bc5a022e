"""The cheat sheet: cheat_sheet.md as a page of the site, and as two printed pages.

What stands in backticks and is not a plain word is code; a test runs every line of it. `L5` is
a reference to lesson 5, and becomes a link where that lesson is written. `<!-- page -->` is
where the second page begins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from utils.authoring.source import Source

FOLDER = Path(__file__).parent
TEXT = FOLDER / "cheat_sheet.md"
STYLE = FOLDER / "cheat_sheet.css"
BREAK = "<!-- page -->"
SMALLEST_PT = 8.5

_REFERENCE = re.compile(r"\bL(\d+)\b")
_CODE = re.compile(r"^```python\n(.*?)^```$|`([^`\n]+)`", re.MULTILINE | re.DOTALL)


def linked(text: str, lessons: Mapping[int, str]) -> str:
    """Return the text with each reference to a lesson in `lessons` (number -> target) linked.

    Examples
    --------
    >>> linked("Count hospitals. L2 L19", {2: "02_patients.ipynb"})
    'Count hospitals. [L2](02_patients.ipynb) L19'
    """

    def link(match: re.Match) -> str:
        target = lessons.get(int(match.group(1)))
        return f"[{match.group(0)}]({target})" if target else match.group(0)

    return _REFERENCE.sub(link, text)


def targets(sources: Sequence[Source]) -> dict[int, str]:
    """Return lesson -> its notebook."""
    return {source.number: f"{source.name}.ipynb" for source in sources}


def references(text: str) -> set[int]:
    """Return the lessons that a text refers to."""
    return {int(number) for number in _REFERENCE.findall(text)}


def code(text: str) -> list[str]:
    r"""Return the blocks and lines of code of a Markdown text, in order, without plain words.

    Examples
    --------
    >>> code("See `x` and `f(x)`.\n```python\na = 1\n```")
    ['f(x)', 'a = 1\n']
    """
    found = [match.group(1) or match.group(2) for match in _CODE.finditer(text)]
    return [piece for piece in found if not piece.strip().isidentifier()]


def to_print(text: str) -> str:
    """Return the sheet as an HTML page of its own, for A4, with nothing to load."""
    render = MarkdownIt("commonmark").enable("table").render
    pages = "\n".join(f"<section>\n{render(page)}</section>" for page in text.split(BREAK))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<title>Mixed models on trial: the cheat sheet</title>\n"
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head>\n<body>\n{pages}\n"
        "<footer>Text: CC BY 4.0. Code: MIT. Every line of code here is run by a test.</footer>\n"
        "</body></html>\n"
    )


def write_pdf(browser: Browser, text: str, path: Path) -> None:
    """Print the sheet to a PDF file, with tags and an outline for those who hear it."""
    page = browser.new_page()
    try:
        page.set_content(to_print(text))
        page.pdf(path=path, prefer_css_page_size=True, tagged=True, outline=True)
    finally:
        page.close()


def number_of_pages(pdf: bytes) -> int:
    """Return how many pages a PDF by Chromium has."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))
