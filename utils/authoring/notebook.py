"""Write a notebook file so that the same lesson always gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from utils.authoring.source import CHECKED, RAISES, SOLUTION, Cell, Source, blanked

#: Cell id -> the text outputs of a checked cell.
Outputs = Mapping[str, list[dict]]

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
HASH = "code_sha256"


def solutions_notebook(
    source: Source,
    outputs: Outputs,
    code_hash: str,
    written: Callable[[str], str],
    navigation: str,
) -> NotebookNode:
    """Return the executed copy, with the outputs of its checked cells.

    Parameters
    ----------
    source : Source
        The lesson.
    outputs : mapping
        What `utils.authoring.execution.run` returned, or `stored_outputs`.
    code_hash : str
        `Source.code_hash` of the code that gave these outputs.
    written : callable
        Turns a cell's Markdown into what the reader gets: `filled`, and links to the glossary.
    navigation : str
        Markdown of the last cell.

    Notes
    -----
    Only cells that keep an output get an execution count, 1 to n. nbval compares nothing where
    the count is null, and fails where a cell without a count has outputs. All other cells read
    as not yet run, which is true of the file.
    """
    cells, count = [], 0
    for cell in source.cells:
        if cell.kind == "markdown":
            cells.append(_markdown(cell.id, written(cell.source)))
            continue
        kept = [dict(output) for output in outputs.get(cell.id, [])]
        kept = kept if CHECKED in cell.tags else []
        count += bool(kept)
        for output in kept:
            if output["output_type"] == "execute_result":
                output["execution_count"] = count
        cells.append(_code(cell, cell.source, cell.tags, kept, count if kept else None))
    cells.append(_markdown(f"{source.name[:2]}-navigation", navigation))
    return _notebook(cells, {**source.course, HASH: code_hash})


def learner_notebook(
    source: Source, written: Callable[[str], str], navigation: str
) -> NotebookNode:
    """Return the learner's copy: blanks for solutions, nothing run, nothing given away."""
    cells = []
    for cell in source.cells:
        if SOLUTION in cell.tags:
            continue
        if cell.kind == "markdown":
            cells.append(_markdown(cell.id, written(cell.source)))
        else:
            tags = [tag for tag in cell.tags if tag == RAISES]
            cells.append(_code(cell, blanked(cell.source), tags, [], None))
    cells.append(_markdown(f"{source.name[:2]}-navigation", navigation))
    return _notebook(cells, source.course)


def pages(name: str, cells: Mapping[str, str]) -> NotebookNode:
    """Return a notebook of Markdown alone: cell -> its text."""
    return _notebook([_markdown(f"{name}-{key}", text) for key, text in cells.items()], {})


def filled(source: str, generated: Mapping[str, str]) -> str:
    """Return a text with each marker, such as `<!-- map -->`, replaced by what is generated."""
    for marker, text in generated.items():
        source = source.replace(marker, text)
    return source


def to_text(notebook: NotebookNode) -> str:
    """Return the file's text: valid nbformat 4.5, keys sorted, one final line break."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def write_text(path: Path, text: str) -> None:
    """Write with Unix line ends on every platform."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def stored_outputs(path: Path) -> tuple[dict[str, list[dict]], str | None]:
    """Return the outputs and the code hash stored in an executed copy; none where there is none.

    A file that cannot be read as a notebook counts as none: the build writes it anew.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        outputs = {cell["id"]: [_joined(output) for output in cell["outputs"]] for cell in cells}
        return outputs, notebook["metadata"].get("course", {}).get(HASH)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, None


def plain(outputs: Iterable[Mapping]) -> str:
    """Return the text of stored outputs: what was printed, and the plain twin of what was shown."""
    texts = []
    for output in outputs:
        if output["output_type"] == "stream" and output["name"] == "stdout":
            texts.append(output["text"])
        elif "data" in output:
            texts.append(output["data"].get("text/plain", ""))
    return "\n".join(text.rstrip("\n") for text in texts if text.strip())


def _joined(output: dict) -> dict:
    """Undo the file format's cutting of texts into lines."""
    output = dict(output)
    if "text" in output:
        output["text"] = "".join(output["text"])
    if "data" in output:
        output["data"] = {
            kind: "".join(value) if isinstance(value, list) else value
            for kind, value in output["data"].items()
        }
    return output


def _markdown(cell_id: str, source: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source, id=cell_id)


def _code(
    cell: Cell, source: str, tags: Iterable[str], outputs: list[dict], count: int | None
) -> NotebookNode:
    tags = sorted(tags)
    return nbformat.v4.new_code_cell(
        source,
        id=cell.id,
        metadata={"tags": tags} if tags else {},
        outputs=[nbformat.from_dict(output) for output in outputs],
        execution_count=count,
    )


def _notebook(cells: list[NotebookNode], course: Mapping) -> NotebookNode:
    notebook = nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            **({"course": dict(course)} if course else {}),
            "kernelspec": dict(_KERNEL),
            "language_info": {"name": "python"},
        },
    )
    notebook.nbformat_minor = 5
    return notebook
