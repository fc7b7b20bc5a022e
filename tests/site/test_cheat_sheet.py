"""The cheat sheet: each line of code runs, and it is two pages that can be read."""

import ast
import doctest
import warnings

import numpy as np
import pytest

from utils.authoring.course import LESSONS
from utils.simulate import med_trial
from utils.site import cheat_sheet

TEXT = cheat_sheet.TEXT.read_text(encoding="utf-8")
CODE = cheat_sheet.code(TEXT)
MODEL = next(piece for piece in CODE if "pm.Model" in piece)


def patients():
    """Return what the sheet's first sentence describes."""
    data = med_trial(
        n_hospitals=30,
        patients_per_hospital=8,
        n_wards=2,
        ward_sd=3,
        n_surgeons=10,
        surgeon_sd=2,
        assignment="sicker hospitals more",
        rng=1,
    ).data
    rng = np.random.default_rng(1)
    return data.assign(
        died=rng.binomial(1, 0.2, len(data)),
        infections=rng.poisson(1, len(data)),
        days=rng.integers(1, 9, len(data)),
    )


def replaces(piece):
    """Say how the line of the model starts that this line stands in for; None for any other."""
    if piece.startswith("u = pm."):
        return "    u = "
    return '    pm.Normal("sbp"' if "pm." in piece and "line" in piece and piece != MODEL else None


ALTERNATIVES = [piece for piece in CODE if replaces(piece)]


def test_every_line_of_the_sheet_runs_in_the_order_of_the_page():
    names = {"data": patients()}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        for piece in CODE:
            if piece not in ALTERNATIVES:
                exec(compile(piece, piece.strip(), "exec"), names)
    given = names["bayes"].summary(names["idata"]).loc["effect", "mean"]
    assert abs(given - names["model"].fixed.loc["treated", "estimate"]) < 1
    assert names["bayes"].diagnose(names["idata"]).ok  # as the sheet asks
    assert set(names["data"]["all"]) == {1}


@pytest.mark.parametrize("piece", ALTERNATIVES)
def test_every_other_line_of_the_model_gives_a_model(piece):
    lines = [line for line in MODEL.splitlines() if "pm.sample" not in line]
    (old,) = (line for line in lines if line.startswith(replaces(piece)))
    changed = "\n".join(line if line != old else f"    {piece}" for line in lines)
    # On the link's scale, as the sheet says: e to the power of 140 is no rate.
    if "observed=data" in piece:
        changed = changed.replace('"intercept", 140, 20', '"intercept", 0, 2')
    names = {"data": patients()}
    exec(CODE[0], names)
    exec(changed, names)
    model = names["hierarchy"]
    assert np.isfinite(model.compile_logp()(model.initial_point()))
    assert len(model.observed_RVs) == 1


def test_the_alternatives_are_those_of_the_table():
    assert len(ALTERNATIVES) == 4


def test_all_code_is_found_and_a_single_word_is_none():
    assert len(CODE) > 30
    assert all(ast.parse(piece) for piece in CODE)
    assert not doctest.testmod(cheat_sheet).failed


def test_every_lesson_after_the_first_is_referred_to_and_no_other():
    assert cheat_sheet.references(TEXT) == {plan.number for plan in LESSONS} - {0}


def test_a_trap_names_its_lesson():
    traps = TEXT.split("## Traps")[1].strip().splitlines()
    assert len(traps) >= 12
    for trap in traps:
        assert trap.startswith("- *")
        assert cheat_sheet.references(trap), trap


def test_two_a4_pages(browser, tmp_path):
    path = tmp_path / "sheet.pdf"
    cheat_sheet.write_pdf(browser, TEXT, path)
    pdf = path.read_bytes()
    assert cheat_sheet.number_of_pages(pdf) == 2
    assert pdf.count(b"/MediaBox [0 0 594") + pdf.count(b"/MediaBox [0 0 595") == 2
    assert b"file:" not in pdf


def test_no_letter_is_small_and_nothing_is_cut_off(browser):
    page = browser.new_page(viewport={"width": 718, "height": 1060})
    page.emulate_media(media="print")
    page.set_content(cheat_sheet.to_print(TEXT))
    size = "e => parseFloat(getComputedStyle(e).fontSize)"
    sizes = page.evaluate(f"[...document.body.querySelectorAll('*')].map({size})")
    assert min(sizes) >= cheat_sheet.SMALLEST_PT * 96 / 72 - 0.01
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    page.close()
