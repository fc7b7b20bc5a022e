"""What one submission can do to the machine: each is stopped, and the next one runs."""

import os
import sys

import pytest

from utils.grading.isolate import Limits, missing
from utils.grading.pool import Runner

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or bool(missing()), reason="this machine cannot shut a process in"
)
LIMITS = {"seconds": 6, "cell_seconds": 2, "megabytes": 3000, "file_megabytes": 2, "processes": 128}


@pytest.fixture(scope="module")
def runner():
    with Runner() as started:
        yield started


def run(runner, *sources, **limits):
    """Run cells; return the answers `x` by cell number, the errors, and how the run ended."""
    cells = [
        {"id": str(number), "source": source, "exercise": f"E00.{number}", "name": "x"}
        for number, source in enumerate(sources)
    ]
    job = {"cells": cells, "studies": {}, "other_data": None, "limits": {**LIMITS, **limits}}
    said = runner.run(job)
    answers = {r["exercise"]: r["value"] for r in said["records"] if "exercise" in r}
    errors = {r["cell"]: r["error"] for r in said["records"] if "cell" in r}
    return answers, errors, said["ended"]


def test_a_cell_that_loops_is_stopped_and_the_next_one_runs(runner):
    answers, errors, ended = run(runner, "x = 1\nwhile True: pass", "x = 2")
    assert ended == "finished"
    assert "stopped after 2 s" in errors["0"]
    assert errors["1"] == ""
    assert len(answers) == 2


def test_a_loop_that_catches_everything_ends_with_the_run(runner):
    loop = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    answers, _, ended = run(runner, "x = 1", loop, "x = 3", seconds=3)
    assert ended == "time"
    assert set(answers) == {"E00.0"}


def test_memory_is_refused_and_the_next_cell_runs(runner):
    _, errors, ended = run(runner, "x = bytearray(2**33)", "x = 2")
    assert ended == "finished"
    assert errors["0"].startswith("MemoryError")
    assert errors["1"] == ""


def test_a_large_file_is_refused(runner):
    _, errors, ended = run(runner, "open('big', 'wb').write(bytes(2**23))", "x = 2")
    assert ended in ("finished", "stopped")
    assert ended == "stopped" or errors["0"].startswith("OSError")


def test_what_a_submission_starts_ends_with_it(runner):
    mark = "a-child-of-a-submission"
    sleep = f"[sys.executable, '-c', 'import time; time.sleep(60)', {mark!r}]"
    start = f"import subprocess, sys\nsubprocess.Popen({sleep})\nx = 1"
    answers, errors, ended = run(runner, start)
    assert (ended, errors["0"], len(answers)) == ("finished", "", 1)
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                assert mark.encode() not in file.read()
        except (FileNotFoundError, ProcessLookupError):
            continue


def test_there_is_no_network_and_no_file_of_the_grader(runner, tmp_path):
    secret = tmp_path / "secret.key"
    secret.write_text("secret")
    net = "import socket\nsocket.create_connection(('127.0.0.1', 9), 1)"
    file = f"open({str(secret)!r}).read()"
    answers_of_course = "import utils.exercises.lesson_02"
    _, errors, ended = run(runner, net, file, answers_of_course, "x = 1")
    assert ended == "finished"
    assert errors["0"].startswith(("OSError", "PermissionError"))
    assert errors["1"].startswith(("PermissionError", "FileNotFoundError"))
    assert errors["2"].startswith(("ImportError", "ModuleNotFoundError"))
    assert errors["3"] == ""


def test_leaving_hard_keeps_what_was_answered_before_and_harms_no_later_run(runner):
    answers, _, ended = run(runner, "x = 1", "import os\nos._exit(0)", "x = 3")
    assert ended == "stopped"
    assert set(answers) == {"E00.0"}
    answers, _, ended = run(runner, "x = 4")
    assert ended == "finished"
    assert set(answers) == {"E00.0"}


def test_limits_must_be_above_zero():
    with pytest.raises(ValueError, match=r"limit seconds must be above 0; got 0"):
        Limits(seconds=0)
