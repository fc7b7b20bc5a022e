"""`python one.py NOTEBOOK`: run a notebook with this Python; say what it took, as JSON.

A script, not a part of the package: it runs in the environment that is measured.
"""

import json
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

_PEAK = """import resource as _resource
print("PEAK", _resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss / 1024)"""


def memory_of_children() -> float:
    """Return the MB that the kernel and the processes it started hold now; shared pages once."""
    held = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            info = process.memory_full_info()
            held += getattr(info, "pss", info.uss)  # Linux alone can share out shared pages
        except psutil.Error:  # it ended as we looked
            continue
    return held / 2**20


class Watch(threading.Thread):
    """Note the most that the kernel and its children held together, until `stop`."""

    def __init__(self, interval: float = 0.5) -> None:
        super().__init__(daemon=True)
        self.interval, self.peak, self._ended = interval, 0.0, threading.Event()

    def run(self) -> None:
        """Look again and again."""
        while not self._ended.wait(self.interval):
            self.peak = max(self.peak, memory_of_children())

    def stop(self) -> float:
        """End, and return the peak in MB."""
        self._ended.set()
        self.join()
        return self.peak


def run(path: Path) -> dict[str, float]:
    """Return seconds to the first answer and of the whole, and the peak in MB.

    The kernel's own peak is exact; that of it and its children is seen twice a second.
    """
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
    watch = Watch()
    watch.start()
    started = time.monotonic()
    client.execute()
    seen = watch.stop()
    said = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    return {
        "first": answered[0] - started,
        "whole": answered[-1] - started,
        "peak": max(seen, float(said.split()[-1])),
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]))))
