"""Take the pictures of the README anew: `python -m tests.browser.pictures`."""

from __future__ import annotations

from playwright.sync_api import Locator, sync_playwright

from tests.browser.chromium import require_chromium
from tests.browser.lab import CHROMIUM_ARGUMENTS, Lab, Lesson
from utils import ROOT

IMAGES = ROOT / ".github" / "images"
MARGIN = 12


def shot(lesson: Lesson, name: str, first: Locator, last: Locator) -> None:
    """Save what lies between the top of one cell and the bottom of another."""
    lesson.page.mouse.click(5, 990)  # take the focus out of the cells
    first.scroll_into_view_if_needed()
    top, bottom = first.bounding_box(), last.bounding_box()
    lesson.page.screenshot(
        path=IMAGES / name,
        clip={
            "x": top["x"] - MARGIN,
            "y": top["y"] - MARGIN,
            "width": top["width"] + 2 * MARGIN,
            "height": bottom["y"] + bottom["height"] - top["y"] + 2 * MARGIN,
        },
    )


def main() -> None:
    """Open lessons 2 and 3, bring them into a state worth showing, and photograph them."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    lab = Lab()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=require_chromium(), args=CHROMIUM_ARGUMENTS
            )
            lesson = lab.open(browser, "notebooks/02_patients_share_a_hospital.ipynb", height=2400)
            lesson.command("application:toggle-left-area")
            lesson.run_all()
            question = lesson.cell('"P02.1",')
            question.get_by_label("about 10 %").check()
            question.get_by_label("fairly sure").check()
            question.get_by_role("button", name="Lock in").click()
            lesson.execute(lesson.cell('reveal("P02.1"'))
            shot(lesson, "lesson.png", question, lesson.cell("p-value of the test that ignores"))

            answer, check = lesson.cell("icc_registry = ..."), lesson.cell('check("E02.1"')
            lesson.execute(answer, "icc_registry = 3 / (3 + 9)")
            lesson.execute(check)
            shot(lesson, "check.png", lesson.cell("icc_registry = 3"), check)
            lesson.page.close()

            lesson = lab.open(browser, "notebooks/03_three_ways_to_pool.ipynb", height=2400)
            lesson.command("application:toggle-left-area")
            lesson.run_all()
            cell = lesson.cell("pooling_explorer(")
            field = cell.get_by_label("Supposed hospital SD (mmHg)", exact=True)
            field.fill("4")
            field.press("Enter")
            lesson.page.wait_for_timeout(1000)
            shot(lesson, "widget.png", cell, cell)
            browser.close()
    finally:
        lab.stop()


if __name__ == "__main__":
    main()
