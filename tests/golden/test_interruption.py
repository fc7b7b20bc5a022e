"""A study on two processes, interrupted as a hand on the keyboard would, goes on where it was."""

import os
import signal
import subprocess
import sys
import time

import pytest

from utils import ROOT

SLOW_STUDY = """
import os, signal, sys, time
from utils.studies import Interrupted, replicate

# A shell that starts us in the background has interrupts ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

def slow(rng):
    time.sleep(float(os.environ["PAUSE"]))
    return {"value": rng.random()}

try:
    replicate(slow, 60, rng=3, workers=2, progress=False, store=sys.argv[1])
except Interrupted as stopped:
    sys.exit(7)
"""


@pytest.mark.skipif(os.name == "nt", reason="a console interrupt cannot be sent to one process")
def test_two_processes_interrupted_by_hand_keep_what_is_done(tmp_path):
    script, store = tmp_path / "study.py", tmp_path / "study.jsonl"
    script.write_text(SLOW_STUDY, "utf-8")
    command = [sys.executable, str(script), str(store)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}

    def kept():
        return len(store.read_text("utf-8").splitlines()) - 1 if store.exists() else 0

    slowly = {**environ, "PAUSE": "0.5"}  # 15 seconds in all: time enough to interrupt
    with subprocess.Popen(command, env=slowly, start_new_session=True) as study:
        deadline = time.monotonic() + 60
        while kept() < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        study.send_signal(signal.SIGINT)
        assert study.wait(timeout=60) == 7
    before = store.read_text("utf-8")
    assert 5 <= kept() < 60
    subprocess.run(command, env={**environ, "PAUSE": "0"}, check=True)  # goes on from there
    assert store.read_text("utf-8").startswith(before)
    assert kept() == 60
