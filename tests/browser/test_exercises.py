"""A learner predicts, gets an exercise wrong, then right, in a real JupyterLab."""

import pytest
from playwright.sync_api import expect

LESSON = "notebooks/02_patients_share_a_hospital.ipynb"


@pytest.fixture(scope="module")
def lesson(lab, browser):
    opened = lab.open(browser, LESSON)
    opened.run_all()
    yield opened
    opened.page.close()


def test_a_prediction_is_locked_in_and_answered(lesson):
    question = lesson.cell('"P02.1",')
    question.scroll_into_view_if_needed()
    question.get_by_label("about 5 %").check()
    question.get_by_label("sure", exact=True).check()
    question.get_by_role("button", name="Lock in").click()
    expect(question).to_contain_text("about 5 %")
    answer = lesson.cell('reveal("P02.1"')
    lesson.execute(answer)
    expect(answer.locator(".jp-OutputArea")).to_contain_text("about 30 %")
    score = lesson.cell("tally()")
    lesson.execute(score)
    expect(score.locator(".jp-OutputArea")).to_contain_text("sure")


def test_a_wrong_answer_names_the_misconception_and_the_right_one_passes(lesson):
    answer, check = lesson.cell("icc_registry = ..."), lesson.cell('check("E02.1"')
    message = check.locator(".jp-OutputArea")
    expect(message).to_contain_text("not attempted")

    lesson.execute(answer, "icc_registry = 3 / (3 + 9)")
    lesson.execute(check)
    expect(message).to_contain_text("not yet")
    expect(message).to_contain_text("You divided standard deviations")

    answer = lesson.cell("icc_registry = 3")
    lesson.execute(answer, "icc_registry = 3**2 / (3**2 + 9**2)")
    lesson.execute(check)
    expect(message).to_contain_text("right")
    expect(message.get_by_role("status")).to_have_count(1)
