"""Run submissions, each shut in a process of its own: `python -m utils.grading.runner`.

This process imports the libraries once. For each job it forks; the child shuts itself in and runs
the cells; the parent copies what the child says, up to a limit, and ends it when its time is up.
The child says what each cell printed and what each answer's value is. It knows no right answer, no
secret and no other submission, so that nothing it says can be worth more than an answer.

The only folder that a submission can write to is this process's home, which is empty at the start
of each run. A job is a line of JSON on standard input, with the keys that `run` names; the answer
is a line of JSON on standard output: `{"records": [...], "ended": "finished"}`.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import Any

from utils import DATA, ROOT
from utils.grading import isolate, sandbox

LOUDEST = 8 * 2**20  # bytes that one run may say
_SYSTEM = (
    *("/usr", "/lib", "/lib64", "/bin", "/etc/fonts", "/etc/localtime", "/etc/ld.so.cache"),
    *("/dev/urandom", "/dev/zero", "/sys/devices/system/cpu"),
)
_UNREADABLE = {"exercises", "grading", "authoring"}  # right answers, and how they are graded


def readable() -> list[Path]:
    """Return what a submission may read: Python, its libraries, the course's package and data."""
    package = ROOT / "utils"
    own = [path for path in package.iterdir() if path.name not in _UNREADABLE]
    python = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent}
    return [*map(Path, _SYSTEM), *python, *own, DATA]


def serve(lines: Any, answer: Any) -> None:
    """Answer each job, one after another."""
    for line in lines:
        answer.write(json.dumps(run(json.loads(line))) + "\n")
        answer.flush()


def run(job: dict) -> dict:
    """Run one job in a child and return its records and how it ended.

    Parameters
    ----------
    job : dict
        `cells`, `studies`, `other_data` and `limits`: see `utils.grading.sandbox.run_cells`.

    Returns
    -------
    dict
        `records`, a list, and `ended`: "finished", "time" or "stopped".
    """
    limits = isolate.Limits(**job["limits"])
    box = Path.home()
    shutil.rmtree(box, ignore_errors=True)
    box.mkdir(exist_ok=True)
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_submission(job, box, into, limits)
    os.close(into)
    said, ended = _listen(out, limits.seconds)
    os.close(out)
    _end(child)
    return {"records": _records(said), "ended": ended}


def _be_the_submission(job: dict, box: Path, into: int, limits: isolate.Limits) -> None:
    """Never return: shut in, run, leave."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        isolate.die_with_parent()
        nothing = os.open(os.devnull, os.O_RDWR)
        into = os.dup2(into, 3)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        os.closerange(4, 1024)
        os.environ.update(TMPDIR=str(box), IPYTHONDIR=str(box / "ipython"))
        tempfile.tempdir = str(box)
        isolate.shut_in(box, readable(), [ROOT / "utils"], limits)
        with os.fdopen(into, "w", encoding="utf-8", errors="replace") as pipe:
            sandbox.run_cells(job, pipe, limits.cell_seconds)
    except BaseException:  # noqa: BLE001 - whatever happens, this process must not go on as a grader
        os._exit(1)
    os._exit(0)


def _listen(out: int, seconds: float) -> tuple[bytes, str]:
    """Collect what a child says until it ends, says too much, or its time is up."""
    said, deadline = bytearray(), time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([out], [], [], left)[0]:
            continue
        piece = os.read(out, 2**16)
        if not piece:
            return bytes(said), "finished" if said.endswith(b'{"end": true}\n') else "stopped"
        said += piece
        if len(said) > LOUDEST:
            return bytes(said[:LOUDEST]), "stopped"
    return bytes(said), "time"


def _end(child: int) -> None:
    """End a child and, where it has no space of its own for processes, its group."""
    for end in (lambda: os.killpg(child, signal.SIGKILL), lambda: os.kill(child, signal.SIGKILL)):
        try:
            end()
        except (ProcessLookupError, PermissionError):
            continue
    os.waitpid(child, 0)


def _records(said: bytes) -> list[dict]:
    found = []
    for line in said.decode("utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


def warm(modules: list[str]) -> None:
    """Import what submissions will import, once for all of them; faults show up there."""
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - the submission's own import will say it
            print(f"{name}: {error}", file=sys.stderr)


def main() -> None:
    """Warm up with the modules named on the command line, then serve."""
    warm([*sandbox.NEEDED, *sys.argv[1:]])
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing else may write where the answers go
    sys.modules.setdefault("__main__", types.ModuleType("__main__"))
    serve(sys.stdin, answer)


if __name__ == "__main__":
    main()
