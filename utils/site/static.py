"""Outputs of a run notebook as a still page shows them: widgets as text, figures as files."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
from collections.abc import Mapping
from pathlib import Path

from nbformat.notebooknode import NotebookNode
from PIL import Image

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
FIGURES = "_static/figures"

_PICTURE = re.compile(r'src="data:image/png;base64,([^"]+)"')
_STYLE = re.compile(r"<style\b.*?</style>\s*", re.DOTALL)
_LIVE = re.compile(r' role="(?:status|group)"| aria-(?:live|atomic)="[^"]*"')
_NOT_ATTEMPTED = re.compile(r"^E\d\d\.\d+ · not attempted\b")
_ONLY_LIVE = ("How sure are you?", "No prediction yet.")  # to a page, nobody answers
_STILL = (
    '<p class="course-still">A still picture. In the notebook, the controls move it. '
    "They stand at: {settings}.</p>"
)


def still_notebook(notebook: NotebookNode, figures: Path) -> None:
    """Turn the outputs of a notebook, in place, into what a page without a kernel can show.

    Parameters
    ----------
    notebook : NotebookNode
        With its outputs, and in its metadata the widgets' states.
    figures : Path
        Folder for the pictures, which become files.
    """
    state = notebook.metadata.pop("widgets", {}).get(STATE, {}).get("state", {})
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.execution_count = None
        kept = []
        for output in cell.outputs:
            data = output.get("data", {})
            if _NOT_ATTEMPTED.match(data.get("text/plain", "")):
                continue  # true of every exercise of a page that nobody fills in
            if VIEW in data:
                data["text/html"] = widget_html(state, data.pop(VIEW)["model_id"])
            if "text/html" in data:
                data["text/html"] = page_html(data["text/html"], figures)
            data.pop("application/javascript", None)
            if output.output_type == "execute_result":
                output.execution_count = None
            if output.output_type not in ("display_data", "execute_result") or data:
                kept.append(output)
        cell.outputs = kept


def widget_html(state: Mapping, model_id: str) -> str:
    """Return what a widget showed, without what only a kernel can do: choices become lists.

    Parameters
    ----------
    state : mapping
        Model id -> model, as nbclient stores them.
    model_id : str
        The widget.
    """
    parts: list[str] = []
    settings: list[str] = []
    _walk(state, model_id, parts, settings)
    if settings:
        parts.append(_STILL.format(settings="; ".join(settings)))
    return "\n".join(parts)


def _walk(state: Mapping, model_id: str, parts: list[str], settings: list[str]) -> None:
    model = state.get(model_id.removeprefix("IPY_MODEL_"))
    if model is None:
        return
    kind, values = model["model_name"], model["state"]
    label = html.escape(values.get("description", "").rstrip(":"))
    for child in values.get("children", ()):
        _walk(state, child, parts, settings)
    said = f"{values.get('description')} {values.get('value')}"
    if any(text in said for text in _ONLY_LIVE):
        return
    if kind == "HTMLModel":
        parts.append(values["value"])
    elif kind == "RadioButtonsModel":
        options = (f"<li>{html.escape(text)}</li>" for text in values["_options_labels"])
        parts.append(f"<p>{label}</p><ul>{''.join(options)}</ul>")
    elif "_options_labels" in values and values.get("index") is not None and label:
        settings.append(f"{label}, {html.escape(values['_options_labels'][values['index']])}")
    elif label and isinstance(values.get("value"), (int, float)):
        number = values["value"]
        shown = f"{number:.6g}" if not isinstance(number, bool) else ("yes" if number else "no")
        settings.append(f"{label}, {shown}")


def page_html(text: str, figures: Path) -> str:
    """Return an output's HTML with its pictures as files, and without its own style.

    Parameters
    ----------
    text : str
        HTML that a cell displayed.
    figures : Path
        Where the pictures go.
    """
    text = _LIVE.sub("", _STYLE.sub("", text)).replace(' border="1"', "")
    text = re.sub(
        r"<table\b.*?</table>",
        r'<div class="course-table" role="region" aria-label="Table" tabindex="0">\g<0></div>',
        text,
        flags=re.DOTALL,
    )
    return _PICTURE.sub(lambda match: _to_file(base64.b64decode(match.group(1)), figures), text)


def _to_file(png: bytes, figures: Path) -> str:
    """Write a picture as lossless WebP, half the size, under a name made from what it shows."""
    path = figures / f"{hashlib.sha256(png).hexdigest()[:20]}.webp"
    if not path.is_file():
        figures.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(png)) as image:
            image.convert("RGB").save(buffer, "WEBP", lossless=True, quality=60, method=4)
        path.write_bytes(buffer.getvalue())
    return f'loading="lazy" src="{FIGURES}/{path.name}"'
