"""Each learner's notebook runs from top to bottom in a real JupyterLab, alone on this machine."""

import pytest

from utils import ROOT

NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    assert "00_start_here.ipynb" in NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_lesson_runs_clean_and_asks_nothing_of_the_network(lab, browser, name):
    lesson = lab.open(browser, f"notebooks/{name}")
    lesson.run_all()
    assert lesson.outputs("application/vnd.jupyter.error") == []
    assert lesson.outputs("application/vnd.jupyter.stderr") == []
    assert lesson.page.get_by_text("Error displaying widget").count() == 0
    images = lesson.page.locator(".jp-OutputArea-output img")
    assert images.count() >= 3
    assert all(images.nth(i).get_attribute("alt") for i in range(images.count()))
    assert lesson.errors == []
    assert lesson.left_the_machine() == []
    lesson.page.close()
