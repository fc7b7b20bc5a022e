"""What surrounds the course: workflows, forms, hooks, citation, changelog, the record of a run."""

import os
import re
import subprocess
import sys
import time
import tomllib

import psutil
import pytest
import yaml

from tests import latest, record, run_all
from tests.binder.__main__ import peak_of_the_server
from tests.binder.one import Watch
from utils import ROOT, __version__

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PINS = latest.pins((ROOT / "requirements.txt").read_text(encoding="utf-8"))


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def commands(workflow):
    return [
        step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step
    ]


def test_there_is_a_workflow_for_push_latest_and_release():
    assert [path.stem for path in WORKFLOWS] == ["latest", "push", "release"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_cover_machines_and_pythons_and_may_only_read(path):
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    (matrix,) = [j["strategy"]["matrix"] for j in workflow["jobs"].values() if "strategy" in j]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    assert matrix["python"] == ["3.12", "3.13", "3.14"]
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_workflows_call_is_there(path):
    stages = {stage.name for stage in run_all.STAGES}
    for line in commands(read(path)):
        if match := re.search(r"tests\.run_all ([a-z ]+)$", line):
            assert set(match.group(1).split()) <= stages
        if match := re.match(r"make (\w+)", line):
            assert re.search(rf"^{match.group(1)}:", MAKEFILE, re.M)
        if line.startswith("."):
            assert os.access(ROOT / line, os.X_OK)


def test_a_push_runs_everything_once():
    assert ".ci/run" in commands(read(WORKFLOWS[1]))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_forms_ask_for_something(path):
    form = read(path)
    assert {"name", "description", "body"} <= set(form)
    ids = [part["id"] for part in form["body"]]
    assert len(set(ids)) == len(ids)
    assert any(part.get("validations", {}).get("required") for part in form["body"])


def test_three_forms_and_their_command_works():
    assert len(FORMS) == 3
    assert "python -m utils.environment" in FORMS[0].read_text(encoding="utf-8")


def test_the_hook_is_make_quick():
    (repo,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    (hook,) = repo["hooks"]
    assert hook["entry"] == "make quick"
    stages = re.search(r"^quick: .*\n\t.*run_all (.*)$", MAKEFILE, re.M).group(1)
    assert sorted(stages.split()) == sorted(re.findall(r"lint|unit|contract|sync", hook["name"]))


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    citation = read(ROOT / "CITATION.cff")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert project["project"]["version"] == citation["version"] == __version__
    assert f"## {__version__} ({citation['date-released']})" in changelog
    assert "## Unreleased" in changelog


def test_post_build_is_a_script_that_can_run():
    path = ROOT / "postBuild"
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0
    for pattern in re.findall(r"notebooks/\d\d_\*\.ipynb", path.read_text(encoding="utf-8")):
        assert len(list(ROOT.glob(pattern))) == 1


def test_memory_of_what_a_kernel_starts_is_seen():
    """A process that holds 200 MB, and lets go of them before we look at the server's peak."""
    code = "x = b'1' * 200_000_000; print(flush=True); input(); del x; print(flush=True); input()"
    watch = Watch(interval=0.05)
    watch.start()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        started.stdout.readline()
        deadline = time.monotonic() + 30
        while watch.peak < 190 and time.monotonic() < deadline:
            time.sleep(0.05)
        started.stdin.write("\n")
        started.stdin.flush()
        started.stdout.readline()
        peak = peak_of_the_server(psutil.Process(started.pid))
        started.communicate("\n")
    assert watch.stop() > 190  # other tests may have left workers, which count as well
    if sys.platform == "linux":
        assert 190 < peak < 400


OUTCOMES = [{"name": "unit", "passed": 1200, "failed": 0, "skipped": 0, "seconds": 61.4}]


def test_the_record_has_counts_and_versions():
    text = record.section(OUTCOMES, PINS, "2026-01-02", "Linux")
    assert "| unit | 1200 | 61 |" in text
    assert f"pymc {PINS['pymc']}" in text
    readme = record.filled(f"a\n{record.BEGIN}\nold\n{record.END}\nb\n", text)
    assert readme == f"a\n{record.BEGIN}\n{text}\n{record.END}\nb\n"
    assert record.filled(readme, text) == readme


def test_a_bad_run_is_not_recorded():
    for key in ("failed", "skipped"):
        with pytest.raises(ValueError, match="without failed"):
            record.section([{**OUTCOMES[0], key: 1}], PINS, "2026-01-02", "Linux")
    with pytest.raises(ValueError, match="once each"):
        record.filled("nothing", "text")


def test_versions_in_readme_are_those_of_the_lock():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.split(record.BEGIN)[1].split(record.END)[0]
    if not shown.strip():
        return  # nothing is recorded since the locks changed
    told = re.search(r"It ran on (.*)\.$", shown, re.M)
    expected = ", ".join(f"{name} {PINS[name]}" for name in record.SHOWN)
    assert told.group(1) == expected


def test_only_a_whole_run_is_remembered(tmp_path, monkeypatch):
    outcome = run_all.Outcome("unit", 3, 0, 0, 1.0)
    monkeypatch.setattr(run_all, "run_stage", lambda stage, root: outcome)
    run_all.main(["unit"], root=tmp_path)
    assert not (tmp_path / "build").exists()
    monkeypatch.setenv("COURSE_LOCKS", str(tmp_path))  # on other versions than the locked ones
    run_all.main([], root=tmp_path)
    assert not (tmp_path / "build").exists()
    monkeypatch.delenv("COURSE_LOCKS")
    run_all.main([], root=tmp_path)
    assert (tmp_path / "build" / "last_run.json").is_file()


def test_the_newest_versions_are_tested_against_their_own_locks(tmp_path, monkeypatch, capsys):
    folder, ran = tmp_path / "build" / "latest", {}
    names = ("requirements.txt", "requirements-dev.txt")
    for name in names:
        (tmp_path / name).write_text("numpy==1.0\n", encoding="utf-8")

    def newest(to, wanted, root):
        for name in wanted:
            (to / name).write_text("numpy==2.0\n", encoding="utf-8")

    def run(command, **options):
        ran.update(command=command, **options)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(latest.locks, "write", newest)
    monkeypatch.setattr(latest, "_environment", lambda to: str(to / "python"))
    monkeypatch.setattr(latest, "_pip", lambda *arguments: None)
    monkeypatch.setattr(latest.subprocess, "run", run)
    assert latest.main(["lint"], tmp_path) == 3
    assert ran["command"][1:] == ["-m", "tests.run_all", "lint"]
    assert ran["env"]["COURSE_LOCKS"] == str(folder)
    assert (folder / "changes.txt").read_text(encoding="utf-8") == "numpy 1.0 -> 2.0\n"
    assert "numpy 1.0 -> 2.0" in capsys.readouterr().out


def test_what_changed_against_the_locks():
    assert latest.changes(PINS, PINS) == []
    newer = {**PINS, "numpy": "99.0"}
    assert latest.changes(PINS, newer) == [f"numpy {PINS['numpy']} -> 99.0"]
    assert len(PINS) > 100
