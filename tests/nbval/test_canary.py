"""nbval must notice one altered digit; if it does not, every green run of it means nothing."""

import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from utils import ROOT
from utils.authoring.source import CHECKED


def shortest_stretch():
    """Return the notebook and the number of cells that reach a checked cell with a digit soonest.

    What follows the checked cell cannot change what it gives, so it is left out, to save time.
    """
    found = []
    for path in sorted((ROOT / "solutions").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for position, cell in enumerate(cells):
            if CHECKED in cell["metadata"].get("tags", []) and digit(cell):
                code = [c for c in cells[: position + 1] if c["cell_type"] == "code"]
                found.append((len(code), position + 1, path))
                break
    assert found, "no executed lesson has a checked cell with a digit"
    return min(found)


def lines_of(cell):
    output = cell["outputs"][0]
    return output["text"] if output["output_type"] == "stream" else output["data"]["text/plain"]


def digit(cell):
    return re.search(r"\d", "".join(lines_of(cell))) if cell["outputs"] else None


def alter(notebook):
    """Change the last digit of the last cell's stored text by one."""
    lines = lines_of(notebook["cells"][-1])
    row = max(i for i, line in enumerate(lines) if re.search(r"\d", line))
    at = max(match.start() for match in re.finditer(r"\d", lines[row]))
    other = str((int(lines[row][at]) + 1) % 10)
    lines[row] = lines[row][:at] + other + lines[row][at + 1 :]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Run nbval, as configured here, over a true and an altered copy: (file, cell) -> failure."""
    root = tmp_path_factory.mktemp("canary")
    folder = root / "solutions"
    folder.mkdir()
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    count, length, path = shortest_stretch()
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"] = notebook["cells"][:length]
    (folder / "true.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    alter(notebook)
    (folder / "altered.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    report = root / "report.xml"
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120", "-q"]
    command = [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", "solutions"]
    run = subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 1, run.stdout + run.stderr
    cases = ET.parse(report).iter("testcase")
    found = {
        (case.get("classname").split(".")[-2], case.get("name")): case.find("failure")
        for case in cases
    }
    return count, found, run.stdout


def test_the_unaltered_copy_passes(outcomes):
    count, found, said = outcomes
    true = {name: failure for (file, name), failure in found.items() if file == "true"}
    assert len(true) == count
    assert not any(failure is not None for failure in true.values()), said


def test_one_altered_digit_fails_that_cell_and_no_other(outcomes):
    count, found, said = outcomes
    altered = {name: failure for (file, name), failure in found.items() if file == "altered"}
    assert len(altered) == count
    failed = [name for name, failure in altered.items() if failure is not None]
    assert failed == [f"Cell {count - 1}"], said
    assert "Cell outputs differ" in (altered[failed[0]].text or "")
