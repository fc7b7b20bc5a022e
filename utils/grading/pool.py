"""The grader's end of a runner: start it with nothing of the instructor's, and replace it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from utils import ROOT

_KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH")
_ENDINGS = ("finished", "time", "stopped")
_GRACE = 30  # seconds beyond a run's own limit, after which the runner itself must be hung


class Runner:
    """A process that runs submissions, one at a time.

    Parameters
    ----------
    modules : sequence of str
        What it imports beforehand.
    """

    def __init__(self, modules: Sequence[str] = ()) -> None:
        self._modules = list(modules)
        self._home = tempfile.TemporaryDirectory(prefix="runner-", ignore_cleanup_errors=True)
        self._process = self._start()

    def _start(self) -> subprocess.Popen:
        """Start it in an empty folder, with an environment that holds nothing of the grader's."""
        environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environ |= {
            "PYTHONPATH": str(ROOT),
            "HOME": str(Path(self._home.name, "box")),  # where libraries keep what they compile
            "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": self._home.name,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONWARNINGS": "ignore",
        }
        return subprocess.Popen(
            [sys.executable, "-m", "utils.grading.runner", *self._modules],
            cwd=self._home.name,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )

    def run(self, job: dict) -> dict:
        """Run a job; a runner that does not answer counts as a submission that stopped."""
        timer = threading.Timer(job["limits"]["seconds"] + _GRACE, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            return self._believed(json.loads(self._process.stdout.readline()))
        except (OSError, ValueError):
            self._replace()
            return {"records": [], "ended": "stopped"}
        finally:
            timer.cancel()

    @staticmethod
    def _believed(answer: object) -> dict:
        if not isinstance(answer, dict) or answer.get("ended") not in _ENDINGS:
            raise ValueError("a runner's answer has records and how the run ended")
        records = answer.get("records")
        kept = [r for r in records if isinstance(r, dict)] if isinstance(records, list) else []
        return {"records": kept, "ended": answer["ended"]}

    def _replace(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()
        self._process.kill()
        self._process.wait()
        self._home.cleanup()

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
