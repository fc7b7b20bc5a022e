"""What happens inside the shut-in process: the course's stand-ins, then the submission's cells.

Here a submission can change whatever it likes. Only its answers leave, as plain data.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import importlib.abc
import json
import pickle
import re
import signal
import sys
import types
from typing import Any, TextIO

from utils.grading.values import encode

#: What every run needs; imported before the fork.
NEEDED = ("IPython.core.interactiveshell", "matplotlib.pyplot", "numpy", "pandas", "utils.simulate")
_LONGEST = 4000  # characters kept of what a cell prints
_HIDDEN = re.compile(r"utils\.(exercises|grading|authoring)(\.|$)")


class CellTimeout(BaseException):
    """A cell took too long. Not an Exception, so that `except Exception` does not catch it."""


def run_cells(job: dict, pipe: TextIO, cell_seconds: float) -> None:
    """Run the cells of a job, saying on the pipe what each gave.

    Parameters
    ----------
    job : dict
        `cells`: a list of `{"id", "source", "exercise", "name"}`; where a cell has an exercise, the
        value of `name` is handed over after it. `studies`: lesson -> own hospitals, pickled by the
        grader. `other_data`: a text, or None; with a text, data that the cells simulate with a
        fixed seed, or load, are others.
    pipe : text stream
        Gets a line of JSON for each cell and answer.
    cell_seconds : float
        Time for one cell.
    """
    _stand_in({int(k): pickle.loads(base64.b64decode(v)) for k, v in job["studies"].items()})
    if job["other_data"]:
        _other_data(job["other_data"])

    def say(record: dict) -> None:
        pipe.write(json.dumps(record) + "\n")
        pipe.flush()

    shell = _shell()
    for cell in job["cells"]:
        said, error = _run_cell(shell, cell["source"], cell_seconds)
        say({"cell": cell["id"], "said": said, "error": error})
        if cell["exercise"]:
            say({"exercise": cell["exercise"], "value": _answer(shell, cell["name"])})
    say({"end": True})


def _answer(shell: Any, name: str) -> dict:
    try:
        return encode(shell.user_ns.get(name))
    except BaseException:  # noqa: BLE001 - the answer's own code may raise anything
        return {"other": "unreadable"}


def _run_cell(shell: Any, source: str, seconds: float) -> tuple[str, str]:
    """Run a cell; return what it said, cut, and the error that stopped it."""
    from IPython.utils.capture import capture_output  # noqa: PLC0415 - only inside

    def too_long(*_: object) -> None:
        raise CellTimeout(f"stopped after {seconds:g} s")

    try:
        signal.signal(signal.SIGALRM, too_long)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        with capture_output(display=False) as caught:
            result = shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        said = str(caught.stdout)
    except BaseException as stop:  # noqa: BLE001 - a cell must not stop the next
        error, said = stop, ""
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    # Keep the end of a traceback: it says what happened.
    said = (
        said if len(said) <= _LONGEST else f"{said[: _LONGEST // 2]}\n...\n{said[-_LONGEST // 2 :]}"
    )
    return said, "" if error is None else f"{type(error).__name__}: {error}"[:500]


def _shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell  # noqa: PLC0415 - only inside
    from traitlets.config import Config  # noqa: PLC0415

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Minimal"
    return InteractiveShell.instance(config=config)


class _Closed(importlib.abc.MetaPathFinder):
    """Refuse to import what holds right answers."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if _HIDDEN.match(name):
            raise ImportError(f"{name} cannot be used while an assignment is graded")


def _stand_in(studies: dict[int, Any]) -> None:
    """Put a stand-in where the notebook looks for the course's teaching machine."""
    for name in [name for name in sys.modules if _HIDDEN.match(name)]:
        del sys.modules[name]

    def own_hospitals(lesson: int) -> Any:
        return copy.deepcopy(studies[int(lesson)])

    def nothing(*_: object, **__: object) -> None:
        return None

    handed_out = types.SimpleNamespace(check=nothing, own_hospitals=own_hospitals, hand_in=nothing)
    machine = types.ModuleType("utils.exercises")
    for name in ("check", "predict", "reveal", "tally", "verdict", "set_learner", "learner"):
        setattr(machine, name, nothing)
    machine.own_hospitals = own_hospitals
    paper = types.ModuleType("utils.handout")
    paper.handout = lambda *_, **__: handed_out
    sys.modules["utils.exercises"], sys.modules["utils.handout"] = machine, paper
    sys.meta_path.insert(0, _Closed())


def _other_data(key: str) -> None:
    """Let the notebook's own calls for data give other data: the same for the same key."""
    import numpy as np  # noqa: PLC0415 - only inside

    from utils import datasets, simulate  # noqa: PLC0415

    med_trial, load = simulate.med_trial, datasets.load

    def seed(*parts: object) -> int:
        digest = hashlib.sha256("|".join(map(str, (key, *parts))).encode()).digest()
        return int.from_bytes(digest[:8], "big")

    def other_trial(*, rng: Any, **settings: Any) -> Any:
        if isinstance(rng, (int, np.integer)):
            rng = seed("trial", int(rng))
        return med_trial(rng=rng, **settings)

    def other_rows(name: str) -> Any:
        data = load(name)
        keep = np.random.default_rng(seed("rows", name)).random(len(data)) < 0.7
        return data[keep].reset_index(drop=True)

    simulate.med_trial, datasets.load = other_trial, other_rows
