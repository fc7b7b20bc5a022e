"""Each learner's notebook runs from top to bottom in a real JupyterLab, alone on this machine."""

import pytest
from playwright.sync_api import expect

from utils import ROOT

NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))


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


def test_a_term_leads_to_the_glossary_and_back(lab, browser):
    lesson = lab.open(browser, "notebooks/02_patients_share_a_hospital.ipynb")
    page = lesson.page
    term = page.locator("a:has(dfn)", has_text="design effect")
    assert "larger the variance of an estimate" in term.get_attribute("title")
    term.click()  # opens the page; JupyterLab scrolls only a page that is open already
    entry = page.locator("h3[data-jupyter-id='design-effect']")
    entry.wait_for()
    page.get_by_role("tab", name="02_patients").click()
    term.click()
    expect(entry).to_be_in_viewport()
    meaning = entry.locator("xpath=following-sibling::p[1]")
    assert "larger the variance of an estimate" in meaning.inner_text()
    meaning.get_by_role("link").click()
    expect(term).to_be_visible()
    assert lesson.errors == []
    assert lesson.left_the_machine() == []
    page.close()
