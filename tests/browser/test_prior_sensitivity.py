"""Every control of the sensitivity explorer, in a real JupyterLab, at three widths of the page."""

import json
import re
import statistics

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.lab import FOCUSED_NAME
from tests.browser.test_widgets import TOO_SLOW, next_picture

CELLS = (
    "from utils.simulate import med_trial\n"
    "from utils.widgets import prior_sensitivity_explorer\n"
    "ward = med_trial(n_hospitals=12, patients_per_hospital=(4, 30), rng=3).data",
    "explorer = prior_sensitivity_explorer(ward, threshold=-5)\nexplorer",
    "print(explorer.state['scale'], explorer.state['n_hospitals'], explorer.message)",
)
BOXES = {  # accessible name of the number box, a value to type, what the text then says
    "Its scale (mmHg), or ε": ("2.2", "half-normal prior of τ, scale 2.2 mmHg"),
    "Prior SD of the effect (mmHg)": ("7", "N(0, 7²) on the effect"),
    "Prior scale of σ (mmHg)": ("15", "half-normal on σ, scale 15 mmHg"),
    "Threshold of the effect (mmHg)": ("-3", "P(below -3)"),
    "Hospitals kept": ("5", "The first 5 of 12 hospitals"),
}


@pytest.fixture(scope="module")
def lesson(lab, browser):
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": python}, cells=cells)
    nbformat.write(notebook, lab.course / "notebooks" / "check_of_the_explorer.ipynb")
    opened = lab.open(browser, "notebooks/check_of_the_explorer.ipynb", height=1500)
    opened.run_all()
    yield opened
    opened.page.close()


@pytest.fixture
def output(lesson):
    cell = lesson.cell("explorer = prior_sensitivity_explorer(")
    shown = cell.locator(".jp-Cell-outputArea")
    expect(shown.locator("img")).to_be_visible()
    shown.get_by_role("button", name="Reset").click()
    # All of the first state, or a test would begin before the last one's is gone.
    start = "half-normal prior of τ, scale 6.5 mmHg; flat on the effect; flat on σ"
    for part in ("All 12 hospitals", start, "P(below -5)"):
        expect(shown.get_by_role("status").last).to_contain_text(part)
    return shown


def status(output):
    return output.get_by_role("status").last


def test_every_slider_moves_by_keyboard_in_time_and_without_a_blank(output, record_property):
    sliders, waits = output.get_by_role("slider"), []
    assert sliders.count() == len(BOXES)
    for i in range(sliders.count()):
        slider = sliders.nth(i)
        before = output.locator("img").get_attribute("src")
        at_end = slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")
        slider.focus()
        for _ in range(6):
            key = "ArrowLeft" if at_end else "ArrowRight"
            seen = next_picture(output, lambda slider=slider, key=key: slider.press(key))
            waits.append(seen["ms"])
            assert seen["blank"] == 0
        assert output.locator("img").get_attribute("src") != before
    record_property("median_redraw_ms", round(statistics.median(waits)))
    assert statistics.median(waits) < TOO_SLOW


@pytest.mark.parametrize("name", BOXES)
def test_every_number_can_be_typed(output, name):
    value, said = BOXES[name]
    field = output.get_by_label(name, exact=True)
    field.fill(value)
    field.press("Enter")
    expect(status(output)).to_contain_text(said)
    expect(field).to_have_value(value)


def test_families_hospitals_and_a_choice_without_an_answer(output):
    menu = output.get_by_label("Prior of τ", exact=True)
    for family in ("half-Cauchy", "exponential", "uniform", "half-t, 3 df"):
        menu.select_option(label=family)
        expect(status(output)).to_contain_text(f"{family} prior of τ")
    output.get_by_role("button", name="at random").click()
    field = output.get_by_label("Hospitals kept", exact=True)
    field.fill("6")
    field.press("Enter")
    expect(status(output)).to_contain_text("6 of 12 hospitals, drawn with seed 1")
    field.fill("2")
    field.press("Enter")
    menu.select_option(label="flat")
    expect(status(output)).to_contain_text("2 hospitals are too few for a flat prior")
    assert output.locator("img").get_attribute("alt").startswith("Not up to date")
    menu.select_option(label="half-normal")
    expect(status(output)).not_to_contain_text("too few")
    assert not output.locator("img").get_attribute("alt").startswith("Not up to date")


def test_a_fast_drag_loses_nothing(lesson, output):
    handle = output.get_by_role("slider").first
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = lesson.page.mouse
    mouse.move(x, y)
    mouse.down()
    for step in range(60):
        mouse.move(x - 2 * step, y)
    mouse.up()
    # What the kernel has last heard is where the handle stands, and the text says it.
    field = output.get_by_label("Its scale (mmHg), or ε", exact=True)
    expect(field).not_to_have_value("6.5")
    lesson.page.wait_for_timeout(1500)
    value = field.input_value()
    expect(status(output)).to_contain_text(f"scale {value} mmHg")
    told = lesson.cell("print(explorer.state")
    lesson.execute(told)
    expect(told.locator(".jp-Cell-outputArea")).to_contain_text(f"{float(value)} 12")
    image = output.locator("img").get_attribute("src")
    lesson.page.wait_for_timeout(800)
    assert output.locator("img").get_attribute("src") == image  # nothing is still under way


def test_pin_code_and_states(output):
    output.get_by_role("button", name="Pin this prior").click()
    expect(status(output)).to_contain_text("Pinned: half-normal")
    box = output.get_by_label("Code, or a saved state")
    output.get_by_role("button", name="Write PyMC code").click()
    expect(box).to_have_value(re.compile("pm.Model"))
    output.get_by_role("button", name="Save the state").click()
    expect(box).to_have_value(re.compile("fingerprint"))
    saved = json.loads(box.input_value())
    saved["state"]["scale"] = 3.0
    box.fill(json.dumps(saved))
    box.press("Tab")
    output.get_by_role("button", name="Load the state").click()
    expect(status(output)).to_contain_text("scale 3 mmHg")
    box.fill("not a state")
    box.press("Tab")
    output.get_by_role("button", name="Load the state").click()
    expect(status(output)).to_contain_text("not a saved state")
    output.get_by_role("button", name="Remove the pin").click()
    expect(status(output)).not_to_contain_text("Pinned")


def test_every_control_is_reached_by_tab_and_has_a_name(lesson, output):
    output.get_by_label("Prior of τ", exact=True).focus()
    names = []
    for _ in range(24):
        names.append(lesson.page.evaluate(FOCUSED_NAME))
        lesson.page.keyboard.press("Tab")
    for name in (*BOXES, *(f"{box}, slider" for box in BOXES), "Pin this prior", "Reset"):
        assert name in names


@pytest.mark.parametrize("width", [760, 1000, 1700])
def test_nothing_is_cut_off_and_axe_finds_no_serious_fault(lesson, output, width):
    lesson.page.set_viewport_size({"width": width, "height": 1500})
    if width == 760:
        lesson.command("application:toggle-left-area")
    lesson.page.wait_for_timeout(500)
    box = output.locator("img").bounding_box()
    assert box["width"] == pytest.approx(min(900, output.bounding_box()["width"]), abs=80)
    assert box["height"] / box["width"] == pytest.approx(690 / 900, abs=0.02)
    spilled = output.evaluate(
        """root => [...root.querySelectorAll('img, [role=status], textarea, input, button, select')]
        .filter(e => e.getBoundingClientRect().right > root.getBoundingClientRect().right + 1)
        .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert spilled == []
    found = Axe().run(lesson.page, context=".course-explorer").response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_nothing_went_wrong_and_nothing_was_asked_of_the_network(lesson, output):
    assert lesson.outputs("application/vnd.jupyter.error") == []
    assert lesson.outputs("application/vnd.jupyter.stderr") == []
    assert lesson.errors == []
    assert lesson.left_the_machine() == []
