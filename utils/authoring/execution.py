"""Run a lesson's source once, as a learner would, and refuse what learners must not meet."""

from __future__ import annotations

import ast
import json
import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.notebooknode import NotebookNode
from traitlets import default

from utils.authoring.notebook import plain
from utils.authoring.source import CHECKED, RAISES, AuthoringError, Cell, Source

CELL_SECONDS = 120
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class _ThisPython(KernelSpecManager):
    """Whatever kernels are installed on this machine, run the interpreter that runs the build."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


class _Kernel(AsyncKernelManager):
    """A kernel that nbclient starts, and therefore also shuts down."""

    @default("kernel_spec_manager")
    def _this_python(self) -> KernelSpecManager:
        return _ThisPython(parent=self)


@dataclass(frozen=True)
class Cost:
    """What a cold run costs: from starting the kernel to the last output."""

    seconds: float
    peak_megabytes: float


def run(source: Source, folder: Path) -> dict[str, list[dict]]:
    """Run every cell in a fresh kernel and return the text outputs of the checked cells.

    Parameters
    ----------
    source : Source
        The lesson.
    folder : Path
        Working directory of the kernel.

    Raises
    ------
    AuthoringError
        If a cell raises, or takes longer than 120 s; if a cell writes to stderr; if a checked
        cell gives no text; if a check does not come out right; or if a cell tagged
        `raises-exception` does not raise. All faults of a run are reported together.
    """
    executed = _execute(source, folder, [cell.source for cell in source.cells])
    faults, kept = [], {}
    for cell, done in zip(source.cells, executed.cells, strict=True):
        if cell.kind != "code":
            continue
        faults += [f"{source.name}.py, {place(cell)}: {text}" for text in _faults(cell, done)]
        if CHECKED in cell.tags:
            kept[cell.id] = text_only(done.outputs)
    faults += [f"{source.name}.py, {text}" for text in _wrong_checks(source, executed)]
    if faults:
        raise AuthoringError("\n".join(faults))
    return kept


def measure(source: Source, folder: Path) -> Cost:
    """Run a lesson cold, in a fresh process, and return its time and its peak memory."""
    started = time.perf_counter()
    executed = _execute(source, folder, [*(cell.source for cell in source.cells), _PEAK])
    seconds = time.perf_counter() - started
    return Cost(seconds, float(plain(executed.cells[-1].outputs)))


_PEAK = """import sys as _sys
if _sys.platform == "win32":
    import psutil as _psutil
    print(_psutil.Process().memory_info().peak_wset / 2**20)
else:
    import resource as _resource
    _unit = 2**20 if _sys.platform == "darwin" else 2**10
    print(_resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss / _unit)
"""


def run_cells(notebook: NotebookNode, folder: Path, *, widgets: bool = False) -> None:
    """Run a notebook in place, in a fresh kernel, as a learner who has not been here before.

    Parameters
    ----------
    notebook : NotebookNode
        Gets the outputs.
    folder : Path
        Working directory of the kernel.
    widgets : bool
        Whether to keep in its metadata what each widget showed at the end.

    Raises
    ------
    nbclient.exceptions.CellExecutionError, CellTimeoutError, DeadKernelError
        If a cell raises, takes longer than 120 s, or ends the kernel.
    """
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=_Kernel,
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=widgets,
        extra_arguments=["--log-level=40"],  # each kernel would warn of its own connection
    )
    with tempfile.TemporaryDirectory(prefix="course-build-") as learner:
        environ = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
        client.execute(env={**environ, "COURSE_DATA_DIR": learner})


def _execute(source: Source, folder: Path, texts: list[str]) -> NotebookNode:
    cells = []
    for position, text in enumerate(texts):
        cell = source.cells[position] if position < len(source.cells) else None
        if cell is not None and cell.kind == "markdown":
            cells.append(nbformat.v4.new_markdown_cell(text))
        else:
            tags = list(cell.tags) if cell else []
            cells.append(nbformat.v4.new_code_cell(text, metadata={"tags": tags}))
    notebook = nbformat.v4.new_notebook(cells=cells)
    try:
        run_cells(notebook, folder)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise AuthoringError(_why_stopped(source, notebook, error)) from error
    return notebook


def _why_stopped(source: Source, notebook: NotebookNode, error: Exception) -> str:
    for cell, done in zip(source.cells, notebook.cells, strict=False):
        for output in done.get("outputs", []):
            if output.output_type == "error" and RAISES not in cell.tags:
                trace = _ANSI.sub("", "\n".join(output.traceback[-3:]))
                return (
                    f"{source.name}.py, {place(cell)} raised {output.ename}: {output.evalue}\n"
                    f"{_indented(trace)}"
                )
    return f"{source.name}.py: {type(error).__name__}: {error}"


def _faults(cell: Cell, done: NotebookNode) -> list[str]:
    faults = []
    streams = [output for output in done.outputs if output.output_type == "stream"]
    stderr = "".join(stream.text for stream in streams if stream.name == "stderr")
    if stderr.strip():
        faults.append(f"writes to stderr, which learners would see:\n{_indented(stderr)}")
    if CHECKED in cell.tags and not plain(text_only(done.outputs)):
        faults.append(f"is tagged {CHECKED} but gives no text")
    if RAISES in cell.tags and not any(o.output_type == "error" for o in done.outputs):
        faults.append(f"is tagged {RAISES} but does not raise")
    return faults


def _wrong_checks(source: Source, executed: NotebookNode) -> list[str]:
    """Say which exercises the lesson's own solution does not get right, by their last check."""
    last: dict[str, tuple[Cell, str]] = {}
    for cell, done in zip(source.cells, executed.cells, strict=True):
        if cell.kind == "code":
            for exercise in calls(cell.source, "check"):
                last[exercise] = (cell, plain(text_only(done.outputs)))
    return [
        f"{place(cell)}: the solution of {exercise} must come out right, got: {text or 'no text'}"
        for exercise, (cell, text) in last.items()
        if not re.search(rf"^{re.escape(exercise)} · right\b", text, re.MULTILINE)
    ]


def calls(code: str, function: str) -> list[str]:
    """Return the first arguments, where they are plain strings, of a function's calls in code."""
    found = [
        node.args[0].value
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == function
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    return [text for text in found if isinstance(text, str)]


def text_only(outputs: list[Mapping]) -> list[dict]:
    """Keep what nbval compares and git can read: printed text, and plain twins."""
    kept: list[dict] = []
    for output in outputs:
        if output["output_type"] == "stream" and output["name"] == "stdout":
            streams = [item for item in kept if item["output_type"] == "stream"]
            if streams:  # where the kernel cuts a stream is a matter of timing
                streams[0]["text"] += output["text"]
            else:
                kept.append({"output_type": "stream", "name": "stdout", "text": output["text"]})
        elif "text/plain" in output.get("data", {}):
            item = {
                "output_type": output["output_type"],
                "data": {"text/plain": output["data"]["text/plain"]},
                "metadata": {},
            }
            if item["output_type"] == "execute_result":
                item["execution_count"] = None
            kept.append(item)
    return json.loads(json.dumps(kept))


def place(cell: Cell) -> str:
    """Name a cell by its first line that says something."""
    lines = (line.strip() for line in cell.source.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "(empty)")
    return f"cell {first[:60]!r}"


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.rstrip().splitlines())
