"""`python one.py NOTEBOOK`: run a notebook with this Python; say what it took, as JSON.

A script, not a part of the package: it runs in the environment that is measured.
"""

import json
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

_PEAK = """import resource as _resource
print("PEAK", _resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss / 1024)"""


def run(path: Path) -> dict[str, float]:
    """Return seconds to the first answer and of the whole, and the kernel's peak in MB."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(_PEAK))
    answered: list[float] = []

    def note(cell, **_: object) -> None:
        if cell.cell_type == "code":
            answered.append(time.monotonic())

    client = NotebookClient(
        notebook, kernel_name="python3", timeout=300, on_cell_executed=note,
        resources={"metadata": {"path": str(path.parent)}},
    )  # fmt: skip
    started = time.monotonic()
    client.execute()
    said = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    return {
        "first": answered[0] - started,
        "whole": answered[-1] - started,
        "peak": float(said.split()[-1]),
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]))))
