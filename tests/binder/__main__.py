"""`python -m tests.binder [LESSON ...]`: what Binder does, replayed here, on one core.

A clean copy of the last commit, a fresh environment made by the pip lines of environment.yml,
postBuild, JupyterLab's server, and then every lesson (or those named) with one core. The table has,
per lesson, the seconds until the first cell answers (from the kernel's start), the seconds of the
whole, and the peak memory of kernel and server together. Nothing of Docker is needed or used.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.run_all import ROOT

FIRST_ANSWER, MEMORY = 15.0, 1200.0  # seconds, MB: what we promise
_PORT = 8917


def copy_of_the_commit(folder: Path) -> None:
    """Unpack the last commit into a folder."""
    archive = subprocess.run(
        ["git", "archive", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)


def install(course: Path, environment: Path) -> float:
    """Do what environment.yml asks of pip, in a fresh environment; return the seconds."""
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = str(environment / "bin" / "python")
    quiet = ("install", "--quiet", "--disable-pip-version-check")
    lines = ("-r", "requirements.txt", "-e", ".")
    subprocess.run([python, "-m", "pip", *quiet, *lines], cwd=course, check=True)
    return time.monotonic() - started


@contextmanager
def server(course: Path, environ: dict[str, str]) -> Iterator[psutil.Process]:
    """Run JupyterLab's server, as Binder does, until the block ends."""
    command = ["jupyter", "lab", "--no-browser", "--allow-root", f"--port={_PORT}"]
    free = ["--IdentityProvider.token=", "--ServerApp.password="]
    running = subprocess.Popen(
        [*command, *free], cwd=course, env=environ, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{_PORT}/api", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        else:
            raise RuntimeError("JupyterLab did not answer within 120 s")
        yield psutil.Process(running.pid)
    finally:
        running.terminate()
        running.wait(30)


def run(path: Path, python: str, environ: dict[str, str]) -> dict[str, float]:
    """Run a notebook in the environment that is measured."""
    command = [python, str(Path(__file__).with_name("one.py")), str(path)]
    done = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def peak_of_the_server(running: psutil.Process) -> float:
    """Return the most memory that a process held so far, in MB, where Linux tells; else now's."""
    status = Path(f"/proc/{running.pid}/status")
    if status.is_file():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"))
        if found:
            return int(found.group(1)) / 2**10
    return running.memory_info().rss / 2**20


def main() -> int:
    """Replay, measure, print the table; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.binder", description=__doc__)
    parser.add_argument("lessons", nargs="*", help="numbers, such as 11; all by default")
    wanted = [f"{int(number):02d}" for number in parser.parse_args().lessons]
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core, for all that follows
    folder = ROOT / "build" / "binder"
    shutil.rmtree(folder, ignore_errors=True)
    course, environment = folder / "course", folder / "venv"
    copy_of_the_commit(course)
    print(f"pip: {install(course, environment):.0f} s", flush=True)
    with tempfile.TemporaryDirectory(prefix="course-binder-") as home:
        environ = {
            **os.environ,
            "HOME": home,
            "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(environment),
        }
        for name in ("PYTHONPATH", "MPLBACKEND", "PYTENSOR_FLAGS", "NUMBA_CACHE_DIR"):
            environ.pop(name, None)
        started = time.monotonic()
        subprocess.run(["./postBuild"], cwd=course, env=environ, check=True)
        print(f"postBuild: {time.monotonic() - started:.0f} s", flush=True)
        return _lessons(course, str(environment / "bin" / "python"), environ, wanted)


def _lessons(course: Path, python: str, environ: dict[str, str], wanted: list[str]) -> int:
    broken = 0
    with server(course, environ) as running:
        print("lesson  first answer, s  whole, s  kernel + server, MB", flush=True)
        for path in sorted((course / "notebooks").glob("[0-9][0-9]_*.ipynb")):
            if wanted and path.name[:2] not in wanted:
                continue
            took = run(path, python, environ)
            memory = took["peak"] + peak_of_the_server(running)
            broken += took["first"] > FIRST_ANSWER or memory > MEMORY
            line = f"{path.name[:2]:>6}  {took['first']:>15.1f}  {took['whole']:>8.1f}"
            print(f"{line}  {memory:>19.0f}", flush=True)
    print(f"{broken} promises broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
