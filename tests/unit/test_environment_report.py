import html.parser
import importlib
import importlib.metadata
import subprocess
import sys
import types

import pytest

from utils import ROOT, environment
from utils.environment import Report, Row, report


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course folder with two libraries, whose installed versions the test decides."""
    (tmp_path / "utils").mkdir()
    (tmp_path / "utils" / "__init__.py").write_text("")
    (tmp_path / "requirements.in").write_text("# by name\nnumpy\nplatformdirs  # folders\n")
    (tmp_path / "requirements.txt").write_text(
        "numpy==2.5.5\nplatformdirs==4.14.7 ; sys_platform != 'win32'\nplatformdirs==4.0\n"
    )
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "learner"))
    versions = {"numpy": "2.5.5", "platformdirs": "4.14.7"}

    def version(name):
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    return types.SimpleNamespace(root=tmp_path, versions=versions)


def look(course, **more):
    more = {"where": course.root, "environ": {}} | more
    return report(course.root, **more)


def row(found: Report, what: str) -> Row:
    return next(row for row in found.rows if row.what == what)


def test_all_as_expected_is_one_sentence(course):
    found = look(course)
    assert found.as_expected
    assert repr(found).splitlines()[0] == "Everything is as the course expects."
    assert row(found, "numpy") == Row("numpy", "2.5.5", "2.5.5")


def test_every_library_of_requirements_in_is_looked_at_in_this_course():
    named = {
        line.strip()
        for line in (ROOT / "requirements.in").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    }
    rows = {row.what: row for row in report().rows}
    assert named <= set(rows)
    assert all(rows[name].expected not in ("", "any version") for name in named)


@pytest.mark.parametrize(("installed", "shown"), [("2.4.0", "2.4.0"), (None, "missing")])
def test_another_version_or_none_is_said_with_what_to_type(course, installed, shown):
    course.versions.pop("numpy")
    if installed:
        course.versions["numpy"] = installed
    found = look(course)
    assert not found.as_expected
    assert row(found, "numpy").found == shown
    assert row(found, "numpy").expected == "2.5.5"
    assert found.summary == "One thing differs from what the course expects."
    assert f'"{sys.executable}" -m pip install -r requirements.txt -e .' in found.advice[0]


def test_the_same_advice_is_given_once(course):
    course.versions.clear()
    found = look(course)
    assert found.summary.startswith("2 things differ")
    assert len(found.advice) == len(set(found.advice))
    assert sum("pip install" in text for text in found.advice) == 1


def test_a_lock_that_differs_by_platform_accepts_any_of_its_pins(course):
    course.versions["platformdirs"] = "4.0"
    assert look(course).as_expected
    course.versions["platformdirs"] = "3.9"
    assert row(look(course), "platformdirs").expected == "4.14.7 or 4.0"


def test_without_a_lock_any_version_will_do(course):
    (course.root / "requirements.txt").unlink()
    assert look(course).as_expected
    (course.root / "requirements.in").write_bytes(b"\xff\xfe")
    found = look(course)
    assert found.as_expected
    assert row(found, "libraries").state == "note"


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ((3, 11, 9), "differs"),
        ((3, 12, 0), "as expected"),
        ((3, 14, 2), "as expected"),
        ((3, 15, 0), "differs"),
    ],
)
def test_python_versions(version, state):
    found = environment._python(version)
    assert found.state == state
    assert ("python.org" in found.advice) == (state == "differs")


def test_a_notebook_in_another_copy_of_the_course_is_told(course, tmp_path):
    other = tmp_path / "other"
    (other / "utils").mkdir(parents=True)
    (other / "notebooks").mkdir()
    (other / "utils" / "__init__.py").write_text("")
    (other / "requirements.in").write_text("numpy\n")
    found = look(course, where=other / "notebooks")
    assert row(found, "course folder").state == "differs"
    assert "two copies" in row(found, "course folder").advice
    assert look(course, where=course.root / "utils").as_expected


def test_a_learner_folder_that_cannot_be_written_is_a_note(course, monkeypatch):
    blocked = course.root / "a file"
    blocked.write_text("")
    monkeypatch.setenv("COURSE_DATA_DIR", str(blocked / "learner"))
    found = look(course)
    assert found.as_expected
    assert row(found, "your learner folder").state == "note"
    assert "forgotten" in row(found, "your learner folder").advice


def test_the_learner_folder_is_left_empty(course):
    look(course)
    assert list((course.root / "learner").iterdir()) == []


@pytest.mark.parametrize("error", [ImportError("no ipywidgets"), AttributeError("np.float")])
def test_tools_that_do_not_load_are_said_and_do_not_stop_the_report(course, monkeypatch, error):
    def broken(name):
        raise error

    monkeypatch.setattr(importlib, "import_module", broken)
    found = look(course)
    assert str(error) in row(found, "your learner folder").advice
    assert row(found, "memory").found == "unknown"


def test_binder_and_one_core_are_notes(course):
    limits = {"BINDER_SERVICE_HOST": "x", "CPU_LIMIT": "1.0", "MEM_LIMIT": "2147483648"}
    found = look(course, environ=limits)
    assert found.as_expected
    assert row(found, "cores") == Row("cores", "1", "", "note", row(found, "cores").advice)
    assert row(found, "memory").found == "2.1 GB"
    assert row(found, "Binder").state == "note"
    assert "Download" in repr(found)
    assert not any(row.what == "Binder" for row in look(course).rows)


@pytest.mark.parametrize("limit", ["", "many", "0", "-1", "nan", "inf"])
def test_limits_that_make_no_sense_are_passed_over(course, limit):
    odd = look(course, environ={"CPU_LIMIT": limit, "MEM_LIMIT": limit})
    assert odd.rows == look(course).rows


def test_html_is_escaped_well_formed_and_says_the_same(course):
    course.versions["numpy"] = "<2>"
    text = look(course)._repr_html_()
    assert "&lt;2&gt;" in text and "<2>" not in text
    opened = []

    class Parser(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            opened.append(tag)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Parser().feed(text)
    assert opened == []
    assert "differs" in text and 'scope="row"' in text and "<caption" in text


def test_it_loads_none_of_the_heavy_libraries():
    code = (
        "import sys; from utils.environment import report; repr(report()); "
        "print(sorted({'pymc', 'pytensor', 'bambi', 'arviz', 'statsmodels', 'seaborn', 'nutpie'}"
        " & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "[]"
