"""Run every check of the course, stage by stage, and end with a count.

`python -m tests.run_all` runs all stages; `python -m tests.run_all lint unit` runs two.
A stage that fails does not stop the next. A skipped test fails the run: what was not checked
is not right. The counts come from pytest's own JUnit reports. A stage that fails outside of
its tests (lint, sync, a crash, nothing collected) counts as one failure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

Command = tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """Commands that must succeed in turn, and perhaps a pytest run after them."""

    name: str
    commands: tuple[Command, ...] = ()
    pytest: Command = ()


@dataclass(frozen=True)
class Outcome:
    """What a stage came to."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float

    @property
    def good(self) -> bool:
        """Whether nothing failed and nothing was skipped."""
        return self.failed == 0 and self.skipped == 0


# Over the machine's cores; what runs samplers or a browser uses them by itself. Of notebooks two
# run at a time: most cells use one core, and each kernel holds up to a GB.
SPREAD = ("--numprocesses=logical", "--maxprocesses=8", "--dist=worksteal")

STAGES = (
    Stage("lint", (("ruff", "check", "."), ("ruff", "format", "--check", "."))),
    Stage("sync", (("utils.authoring", "--check"),)),
    Stage("unit", pytest=(*SPREAD, "tests/unit")),
    Stage("contract", pytest=("tests/contract",)),
    Stage("proof", pytest=(*SPREAD, "tests/proof")),
    Stage("golden", pytest=("tests/golden",)),
    Stage(
        "nbval",
        pytest=(
            *("--numprocesses=logical", "--maxprocesses=2", "--dist=loadfile"),
            "--nbval-lax",
            "--nbval-current-env",
            "--nbval-cell-timeout=120",
            "notebooks",
            "solutions",
        ),
    ),
    Stage("canary", pytest=("tests/nbval",)),
    Stage("grading", pytest=("tests/grading",)),
    Stage("site", (("tests.browser.chromium",),), pytest=("tests/site",)),
    Stage("browser", (("tests.browser.chromium",),), pytest=("tests/browser",)),
)


def count(report: Path) -> tuple[int, int, int]:
    """Return how many tests of a JUnit report passed, failed and were skipped.

    An expected failure counts as skipped: it is a check that does not hold.
    """
    passed = failed = skipped = 0
    for case in ET.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def run_stage(stage: Stage, root: Path = ROOT) -> Outcome:
    """Run one stage in the folder `root`, with a learner's state of its own."""
    started = time.monotonic()
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="course-tests-") as folder:
        # Neither read nor write the predictions of the person who runs the tests.
        environ = {**os.environ, "COURSE_DATA_DIR": str(Path(folder, "learner"))}

        def call(command: Command) -> int:
            return subprocess.run(
                [sys.executable, "-m", *command], cwd=root, env=environ, check=False
            ).returncode

        for command in stage.commands:
            failed += call(command) != 0
        if stage.pytest and not failed:
            report = Path(folder, "report.xml")
            options = ("-q", "-p", "no:cacheprovider", f"--junitxml={report}")
            code = call(("pytest", *options, *stage.pytest))
            if report.is_file():
                passed, failed, skipped = count(report)
            if (code != 0 and failed == 0) or passed == 0:
                failed += 1
    return Outcome(stage.name, passed, failed, skipped, time.monotonic() - started)


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return a line per stage, and the count as the last line."""
    lines = [f"{'stage':<10}{'':<8}{'seconds':>8}{'passed':>8}{'failed':>8}{'skipped':>8}"]
    for outcome in outcomes:
        verdict = "ok" if outcome.good else "FAILED"
        lines.append(
            f"{outcome.name:<10}{verdict:<8}{outcome.seconds:>8.1f}{outcome.passed:>8}"
            f"{outcome.failed:>8}{outcome.skipped:>8}"
        )
    seconds = sum(outcome.seconds for outcome in outcomes)
    lines += ["", f"{seconds:.0f} s in all; a skipped test fails the run"]
    totals = [sum(getattr(o, key) for o in outcomes) for key in ("passed", "failed", "skipped")]
    lines.append("{} passed, {} failed, {} skipped".format(*totals))
    return "\n".join(lines)


def main(wanted: Sequence[str] = (), stages: Sequence[Stage] = STAGES, root: Path = ROOT) -> int:
    """Run the stages named, or all, in their order; return the exit code."""
    unknown = set(wanted) - {stage.name for stage in stages}
    if unknown:
        known = ", ".join(stage.name for stage in stages)
        raise ValueError(f"a stage must be one of {known}; got {', '.join(sorted(unknown))}")
    outcomes = []
    for stage in stages:
        if wanted and stage.name not in wanted:
            continue
        print(f"\n=== {stage.name} ===", flush=True)
        outcomes.append(run_stage(stage, root))
    print("\n" + summary(outcomes), flush=True)
    if not wanted and "COURSE_LOCKS" not in os.environ:  # a run on other versions is not on record
        _remember(outcomes, root)
    return 0 if outcomes and all(outcome.good for outcome in outcomes) else 1


def _remember(outcomes: Sequence[Outcome], root: Path) -> None:
    """Leave what a whole run came to for `tests.record`."""
    folder = root / "build"
    folder.mkdir(exist_ok=True)
    text = json.dumps([asdict(outcome) for outcome in outcomes], indent=1)
    (folder / "last_run.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
