"""Real data of the course: load a file that is surely the right one, and say what it is.

Everything that is known of a file (source, licence, columns, units, SHA-256) stands in
data/manifest.toml. `python -m utils.datasets` writes the tables of data/README.md from it.

Examples
--------
>>> from utils import datasets
>>> trial = datasets.load("rhdnase")
>>> len(trial), trial["inst"].nunique(), trial.attrs["units"]["risk_days"]
(647, 51, 'days')
"""

from __future__ import annotations

import gzip
import hashlib
import io
import textwrap
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from utils import DATA

__all__ = ["DataNote", "catalogue", "load", "names", "note"]

README_BEGIN = "<!-- datasets:begin -->"
README_END = "<!-- datasets:end -->"


@dataclass(frozen=True, repr=False)
class DataNote:
    """What is known of one data file.

    Attributes
    ----------
    name, title, file : str
        The name that `load` takes, a line that says what it is, and the file in data/.
    source, licence, licence_text : str
        Where it comes from, its licence, and the licence's text in data/licences/. The
        licence is the data's own, apart from the course's.
    rows : int
        Rows of the table.
    columns : mapping of str to (str, str)
        Each column's unit and meaning. An empty unit: a label.
    quirks : tuple of str
        What has misled others, and what the data cannot tell.
    edits : str
        How the file differs from its source.
    sha256 : str
        Fingerprint of the file as shipped.
    """

    name: str
    title: str
    file: str
    source: str
    licence: str
    licence_text: str
    rows: int
    columns: Mapping[str, tuple[str, str]]
    quirks: tuple[str, ...]
    edits: str
    sha256: str

    def __repr__(self) -> str:
        """Return the note as text of 88 columns."""
        width = max(len(column) for column in self.columns)
        lines = [f"{self.name}: {self.title} ({self.rows} rows)", ""]
        for column, (unit, meaning) in self.columns.items():
            text = f"{meaning} [{unit}]" if unit else meaning
            lines += _wrap(text, f"  {column:<{width}}  ", " " * (width + 4))
        lines += ["", *(line for quirk in self.quirks for line in _wrap(quirk, "  - ", "    "))]
        lines += ["", *_wrap(f"Source: {self.source}.", "  ", "  ")]
        lines += [*_wrap(f"Licence: {self.licence}. Edits: {self.edits}", "  ", "  ")]
        return "\n".join(lines)

    def to_markdown(self) -> str:
        """Return the note as a section of data/README.md."""
        lines = [
            f"## {self.name}: {self.title}",
            "",
            f"- File: `{self.file}`, {self.rows} rows",
            f"- Source: {self.source}",
            f"- Licence: {self.licence} ([text](licences/{self.licence_text}))",
            f"- Edits: {self.edits}",
            "",
            "| column | unit | meaning |",
            "| --- | --- | --- |",
        ]
        for column, (unit, meaning) in self.columns.items():
            lines.append(f"| `{column}` | {unit or '(label)'} | {meaning} |")
        lines += ["", *(f"- {quirk}" for quirk in self.quirks), ""]
        return "\n".join(lines)


def names() -> tuple[str, ...]:
    """Return the names that `load` and `note` take.

    Examples
    --------
    >>> "azpro" in names()
    True
    """
    return tuple(_manifest())


def note(name: str) -> DataNote:
    """Return what is known of a data set.

    Raises
    ------
    ValueError
        If there is no data set of this name.

    Examples
    --------
    >>> note("surgical").columns["deaths"]
    ('deaths', 'deaths')
    >>> note("azpro").licence
    'GPL-2'
    """
    entry = _entry(name)
    return DataNote(
        name=name,
        title=entry["title"],
        file=entry["file"],
        source=entry["source"],
        licence=entry["licence"],
        licence_text=entry["licence_text"],
        rows=entry["rows"],
        columns=MappingProxyType(
            {column: (unit, meaning) for column, _, unit, meaning in entry["columns"]}
        ),
        quirks=tuple(entry["quirks"]),
        edits=entry["edits"],
        sha256=entry["sha256"],
    )


def load(name: str, *, folder: Path = DATA) -> pd.DataFrame:
    """Read a data set, after checking that its file is the one the course was written with.

    Parameters
    ----------
    name : str
        One of `names()`.
    folder : Path
        Where the file is.

    Returns
    -------
    DataFrame
        Labels are categorical, in their natural order; counts, codes and indicators are
        integers. `attrs["units"]` gives each column's unit, `attrs["source"]` the source.

    Raises
    ------
    ValueError
        If there is no data set of this name, or if the file was altered.
    FileNotFoundError
        If the file is not there.

    Examples
    --------
    >>> load("surgical")["operations"].sum()
    np.int64(2814)
    """
    entry = _entry(name)
    path = Path(folder) / entry["file"]
    if not path.is_file():
        raise FileNotFoundError(
            f"data/{entry['file']} is missing; `git checkout -- data` brings it back"
        )
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != entry["sha256"]:
        raise ValueError(
            f"data/{entry['file']} was altered: its SHA-256 must be {entry['sha256']}, "
            f"got {found}; `git checkout -- data` brings the file back"
        )
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    labels = [column for column, kind, _, _ in entry["columns"] if kind == "category"]
    table = pd.read_csv(io.BytesIO(content), dtype=dict.fromkeys(labels, "str"))
    kinds: dict[str, Any] = {}
    for column, kind, _, _ in entry["columns"]:
        if kind == "category":
            kinds[column] = pd.CategoricalDtype(sorted(table[column].dropna().unique(), key=_order))
        else:
            kinds[column] = "float64" if kind == "float" else "int64"
    table = table.astype(kinds)
    table.attrs["name"] = name
    table.attrs["source"] = entry["source"]
    table.attrs["units"] = {column: unit for column, _, unit, _ in entry["columns"]}
    return table


def catalogue() -> str:
    """Return the notes of all data sets as markdown: the generated part of data/README.md."""
    lines = [
        "| name | rows | what | licence | SHA-256 of the file |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in names():
        item = note(name)
        lines.append(
            f"| [`{name}`](#{_anchor(item)}) | {item.rows} | {item.title} | {item.licence} "
            f"| `{item.sha256}` |"
        )
    return "\n".join([*lines, "", *(note(name).to_markdown() for name in names())])


def update_readme(text: str) -> str:
    """Return data/README.md's text with its generated part written anew."""
    before, begin, rest = text.partition(README_BEGIN)
    _, end, after = rest.partition(README_END)
    if not (begin and end):
        raise ValueError(f"data/README.md must hold {README_BEGIN} and {README_END}")
    return f"{before}{begin}\n{catalogue()}\n{end}{after}"


def _anchor(item: DataNote) -> str:
    heading = f"{item.name}: {item.title}".lower()
    kept = "".join(letter for letter in heading if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def _wrap(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(text, 88, initial_indent=first, subsequent_indent=rest)


def _order(label: str) -> tuple[int, str]:
    """Sort 9 before 10 where labels are numbers, and by the alphabet otherwise."""
    return (int(label), label) if label.isdecimal() else (0, label)


@cache
def _manifest() -> dict[str, dict[str, Any]]:
    return tomllib.loads((DATA / "manifest.toml").read_text(encoding="utf-8"))


def _entry(name: str) -> dict[str, Any]:
    if not isinstance(name, str) or name not in _manifest():
        raise ValueError(f"name must be one of {', '.join(names())}; got {name!r}")
    return _manifest()[name]


if __name__ == "__main__":
    readme = DATA / "README.md"
    readme.write_text(
        update_readme(readme.read_text(encoding="utf-8")), encoding="utf-8", newline="\n"
    )
