import subprocess
import sys

import pytest

from tests import run_all
from tests.run_all import Outcome, Stage, main, run_stage, summary

GOOD = "def test_a(): pass\ndef test_b(): pass\n"
SEVEN = """
import pytest
@pytest.fixture
def leaves_a_mess():
    yield
    raise OSError
def test_good(): pass
def test_good_too(): pass
def test_bad(): assert False
def test_bad_twice(leaves_a_mess): assert False
def test_skipped(): pytest.skip("not today")
@pytest.mark.xfail
def test_expected(): assert False
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    # The plugins of the course would only make these small runs slow.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return tmp_path


def counts(outcome):
    return outcome.passed, outcome.failed, outcome.skipped


def test_counts_are_those_of_pytest(folder):
    (folder / "test_it.py").write_text(SEVEN, encoding="utf-8")
    outcome = run_stage(Stage("unit", pytest=("test_it.py",)), folder)
    # test_bad_twice fails in itself and in its fixture.
    assert counts(outcome) == (2, 3, 2)
    assert not outcome.good


def test_a_skip_alone_fails_the_run(folder):
    (folder / "test_it.py").write_text(
        f"{GOOD}def test_c():\n    import pytest\n    pytest.skip('no')\n", encoding="utf-8"
    )
    stage = Stage("unit", pytest=("test_it.py",))
    assert counts(run_stage(stage, folder)) == (2, 0, 1)
    assert main(stages=[stage], root=folder) == 1


@pytest.mark.parametrize("content", ["", "import no_such_module_here\n"])
def test_nothing_collected_is_a_failure(folder, content):
    (folder / "test_it.py").write_text(content, encoding="utf-8")
    passed, failed, skipped = counts(run_stage(Stage("unit", pytest=("test_it.py",)), folder))
    assert (passed, skipped) == (0, 0)
    assert failed > 0


def test_a_crash_without_a_report_is_a_failure(folder):
    (folder / "test_it.py").write_text("import os\nos._exit(3)\n", encoding="utf-8")
    assert counts(run_stage(Stage("unit", pytest=("test_it.py",)), folder)) == (0, 1, 0)


def test_a_failed_command_stops_its_own_stage_only(folder, capfd):
    (folder / "test_it.py").write_text(GOOD, encoding="utf-8")
    (folder / "fails.py").write_text("raise SystemExit(4)\n", encoding="utf-8")
    stages = (
        Stage("lint", (("fails",), ("fails",))),
        Stage("browser", (("fails",),), pytest=("test_it.py",)),
        Stage("unit", pytest=("test_it.py",)),
    )
    assert main(stages=stages, root=folder) == 1
    said = capfd.readouterr().out
    assert said.splitlines()[-1] == "2 passed, 3 failed, 0 skipped"
    assert said.index("=== lint ===") < said.index("=== browser ===") < said.index("=== unit ===")
    assert main(["unit"], stages=stages, root=folder) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "2 passed, 0 failed, 0 skipped"


def test_a_stage_has_a_learner_of_its_own(folder, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(folder))
    (folder / "looks.py").write_text(
        "import os\nfrom pathlib import Path\n"
        "assert Path(os.environ['COURSE_DATA_DIR']).resolve() != Path.cwd().resolve()\n",
        encoding="utf-8",
    )
    assert run_stage(Stage("lint", (("looks",),)), folder).good


def test_summary_names_each_stage_and_ends_with_the_count():
    outcomes = [Outcome("lint", 0, 0, 0, 1.25), Outcome("unit", 1234, 0, 2, 40.0)]
    lines = summary(outcomes).splitlines()
    assert lines[1].split() == ["lint", "ok", "1.2", "0", "0", "0"]
    assert lines[2].split() == ["unit", "FAILED", "40.0", "1234", "0", "2"]
    assert lines[-1] == "1234 passed, 0 failed, 2 skipped"


def test_unknown_stages_are_refused():
    with pytest.raises(ValueError, match=r"a stage must be one of lint, .* got units"):
        main(["units"])


def test_all_stages_are_there_in_order_and_their_folders_exist():
    assert [stage.name for stage in run_all.STAGES] == [
        "lint",
        "sync",
        "unit",
        "contract",
        "proof",
        "golden",
        "nbval",
        "canary",
        "grading",
        "site",
        "browser",
    ]
    folders = [part for stage in run_all.STAGES for part in stage.pytest if part[0] != "-"]
    assert folders == [
        "tests/unit",
        "tests/contract",
        "tests/proof",
        "tests/golden",
        "notebooks",
        "solutions",
        "tests/nbval",
        "tests/grading",
        "tests/site",
        "tests/browser",
    ]
    assert all((run_all.ROOT / folder).is_dir() for folder in folders)


def test_exit_code_of_the_command():
    run = subprocess.run(
        [sys.executable, "-m", "tests.run_all", "no-such-stage"],
        cwd=run_all.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "a stage must be one of" in run.stderr
