"""The glossary: every term that a lesson defines, with what it means, linked both ways.

A lesson marks the place where it defines a term with `<dfn>`. What the term means, in a sentence
that stands alone, is written in glossary.toml. From the two come the notebook glossary.ipynb, the
link at each mark, and the list of terms at the foot of each lesson.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from nbformat.notebooknode import NotebookNode

from utils.authoring.lesson import headings
from utils.authoring.notebook import pages
from utils.authoring.source import Source

NAME = "glossary"
FILE = Path(__file__).with_name("glossary.toml")
MARK = re.compile(r"<dfn>(.*?)</dfn>", re.DOTALL)
LONGEST = 25

_INTRO = """# Glossary

The {number} terms of the course, in alphabetical order. Each is defined once, in the lesson named
under it: follow the link to see it at work. In the lessons, a term's own link leads here.

Start: [0 Start here](00_start_here.ipynb)
"""


@dataclass(frozen=True)
class Entry:
    """A term at the place where a lesson defines it.

    Parameters
    ----------
    term : str
        As the glossary spells it.
    meaning : str
        One sentence.
    source : Source
        The lesson.
    section : str
        The heading above the mark.
    """

    term: str
    meaning: str
    source: Source
    section: str


@cache
def meanings(path: Path = FILE) -> dict[str, str]:
    """Return term -> meaning, as written in glossary.toml."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def marks(source: Source) -> list[tuple[str, str]]:
    """Return (term as marked, heading above it) for each mark of a lesson, in order."""
    found, above = [], source.title
    for cell in source.cells:
        if cell.kind != "markdown":
            continue
        for line in re.split(r"(?=^#{1,6} )", cell.source, flags=re.MULTILINE):
            above = next((text for _, text in headings(line)), above)
            found += [(" ".join(term.split()), above) for term in MARK.findall(line)]
    return found


def entries(sources: Sequence[Source], known: Mapping[str, str]) -> list[Entry]:
    """Return the marked terms that have a meaning, in alphabetical order."""
    spelt = {term.casefold(): term for term in known}
    found = [
        Entry(spelt[term.casefold()], known[spelt[term.casefold()]], source, section)
        for source in sources
        for term, section in marks(source)
        if term.casefold() in spelt
    ]
    return sorted(found, key=lambda entry: (entry.term.casefold(), entry.term))


def faults(sources: Sequence[Source], known: Mapping[str, str]) -> list[str]:
    """Return where the glossary and the lessons' marks disagree, and meanings out of form."""
    marked = {term.casefold(): f"lesson {s.number}" for s in sources for term, _ in marks(s)}
    listed = {term.casefold() for term in known}
    wrong = [
        f"{where} defines {term!r}: give it a meaning in {FILE.name}"
        for term, where in marked.items()
        if term not in listed
    ]
    wrong += [
        f"{FILE.name} lists {term!r}, which no lesson marks with <dfn>"
        for term in listed - set(marked)
    ]
    for term, meaning in known.items():
        if (
            not meaning.endswith(".")
            or len(meaning.split()) > LONGEST
            or re.search(r'["<|]', meaning)
        ):
            wrong.append(
                f"{term!r}: a meaning is at most {LONGEST} words, ends with a full stop and holds "
                f"no double quote, < or |; got {len(meaning.split())} words: {meaning}"
            )
    return wrong


def linker(known: Mapping[str, str], page: str) -> Callable[[str], str]:
    """Return a function that turns each mark of a Markdown text into a link to its entry.

    Parameters
    ----------
    known : mapping
        Term -> meaning, which becomes the link's tooltip. A mark without meaning stays as it is.
    page : str
        The glossary, seen from the file that holds the text.
    """
    spelt = {term.casefold(): term for term in known}

    def linked(match: re.Match) -> str:
        term = spelt.get(" ".join(match.group(1).split()).casefold())
        if term is None:
            return match.group(0)
        return f'[{match.group(0)}]({page}#{_anchor(term)} "{known[term]}")'

    return lambda text: MARK.sub(linked, text)


def foot(source: Source, known: Mapping[str, str], page: str) -> str:
    """Return the line at a lesson's end that lists its terms; empty where it defines none."""
    found = [entry.term for entry in entries([source], known)]
    if not found:
        return ""
    terms = ", ".join(f"[{term}]({page}#{_anchor(term)})" for term in found)
    return f"Terms of this lesson, in the glossary: {terms}."


def notebook(sources: Sequence[Source], known: Mapping[str, str]) -> NotebookNode:
    """Return the glossary as a notebook: an introduction, then a cell for each letter."""
    found = entries(sources, known)
    cells = {"intro": _INTRO.format(number=len(found)).strip()}
    for letter, group in groupby(found, key=lambda entry: entry.term[0].casefold()):
        cells[letter] = "\n\n".join([f"## {letter.upper()}", *map(_entry, group)])
    return pages(NAME, cells)


def _entry(entry: Entry) -> str:
    target = f"{entry.source.name}.ipynb#{_anchor(entry.section)}"
    where = f"[{entry.source.number} {entry.source.title}: {entry.section}]({target})"
    return f"### {entry.term}\n\n{_capital(entry.meaning)} Lesson {where}"


def _anchor(heading: str) -> str:
    """Return the anchor that JupyterLab gives a heading."""
    return quote(heading.replace(" ", "-"), safe="-_.,:;!?'*")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
