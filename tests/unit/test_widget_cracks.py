"""The explorer of broken assumptions: its stored study, its residuals, its picture."""

import doctest
import itertools

import numpy as np
import pytest

from utils import diagnostics, mixedlm
from utils.simulate import med_trial
from utils.widgets import _cracks_study as study
from utils.widgets import cracks
from utils.widgets.cracks import compute, cracks_explorer

EVERY = list(itertools.product(cracks._CRACKS, study.STRENGTHS, study.HOSPITALS))


def test_the_table_holds_every_setting_and_nothing_else():
    assert list(study.stored().index) == list(study.cells())
    for crack, strength, hospitals in EVERY:
        assert study.key(study.settings(crack, strength, hospitals)) in study.stored().index
        assert study.key(study.sound(crack, strength, hospitals)) in study.stored().index
    assert study.stored().notna().all().all()


@pytest.mark.parametrize(
    ("crack", "strength", "hospitals"),
    [("none", "mild", 30), ("outliers", "strong", 15), ("sd_arms", "extreme", 20),
     ("skewed", "mild", 35), ("predictors", "extreme", 15)],
)  # fmt: skip
def test_the_stored_study_is_what_the_study_gives(crack, strength, hospitals):
    """400 of the 2,000 trials again: the same seeds, so within the error of the other 1,600."""
    given = study.settings(crack, strength, hospitals)
    again = study.run({study.key(given): given}, n_trials=400).iloc[0]
    kept = study.stored().loc[study.key(given)]
    for name in ("covered", "highest"):
        error = np.sqrt(kept[name] * (100 - kept[name]) / 400)
        assert again[name] == pytest.approx(kept[name], abs=4 * error), name
    for name in ("hospitals", "patients", "noisy", "calm", "new_hospitals"):
        assert again[name] == pytest.approx(kept[name], abs=2), name
    for name in ("width", "patient_width", "new_hospital_width"):
        assert again[name] == pytest.approx(kept[name], rel=0.1), name


def test_without_a_crack_every_interval_keeps_its_promise():
    for hospitals in study.HOSPITALS:
        row = compute(crack="none", strength="mild", n_hospitals=hospitals)
        for name in ("covered", "patients", "noisy", "calm", "new_hospitals"):
            assert row.shares[name] == pytest.approx(95, abs=2)
        assert row.shares == row.sound_shares and row.widths == row.sound_widths


@pytest.mark.parametrize("crack", ["tails", "sd_hospital", "bimodal", "predictors"])
def test_residuals_are_those_of_diagnostics(crack):
    result = compute(crack=crack, strength="strong", n_hospitals=15)
    data = med_trial(**study.settings(crack, "strong", 15), rng=cracks._SEED).data
    extra = [name for name in data if name.startswith("hospital_noise_")]
    model = mixedlm.fit("sbp ~ " + " + ".join(["treated", *extra]), data, groups="hospital")
    patients = diagnostics.patient_residuals(model)["standardised"]
    hospitals = diagnostics.hospital_effects(model)["standardised"]
    np.testing.assert_allclose(result.patients, patients, atol=1e-3)
    np.testing.assert_allclose(result.hospitals, hospitals, atol=1e-3)


def test_every_result_lies_within_the_axes():
    drawing = cracks_explorer()._draw.__self__
    table = study.stored()
    low, high = drawing.right.get_xlim()
    assert table[list(cracks._SHARES)].gt(low).all().all()
    assert table[list(cracks._SHARES)].lt(high).all().all()
    low, high = drawing.low.get_xlim()
    for place in EVERY:
        row = table.loc[study.key(study.settings(*place))]
        ratios = row[list(cracks._WIDTHS)] / table.loc[study.key(study.sound(*place))]
        assert ratios.dropna().between(low, high).all(), place


def test_settings_can_be_drawn_one_after_the_other():
    explorer = cracks_explorer()
    for crack, strength, hospitals in EVERY[::11]:
        explorer.set_state(crack=crack, strength=strength, n_hospitals=hospitals)
        result = explorer.result
        assert len(result.patients) == 20 * hospitals and len(result.hospitals) == hospitals
        assert f"{hospitals} hospitals of 20 patients" in explorer.description


def test_dots_and_points_show_the_result():
    explorer = cracks_explorer()
    explorer.set_state(crack="outliers", strength="extreme", n_hospitals=45)
    drawing, result = explorer._draw.__self__, explorer.result
    assert list(drawing.after[0].get_xdata()) == [result.shares[k] for k in cracks._SHARES]
    assert list(drawing.before[0].get_xdata()) == [result.sound_shares[k] for k in cracks._SHARES]
    ratios = [result.widths[k] / result.sound_widths[k] for k in cracks._WIDTHS]
    assert list(drawing.after[1].get_xdata()) == ratios
    drawn = drawing.points[0].get_ydata()
    np.testing.assert_allclose(drawn, np.clip(np.sort(result.patients), -5, 5))
    assert "5 % of the patients have 8 times the SD" in explorer.description
    assert f"{result.shares['covered']:.1f} %" in explorer.description
    assert "Monte Carlo error" in explorer.description


def test_what_the_lesson_says_of_the_explorer_holds():
    def at(**state):
        return compute(**{"crack": "none", "strength": "extreme", "n_hospitals": 30, **state})

    assert at(crack="sd_hospital", strength="mild").shares["noisy"] == pytest.approx(86, abs=1)
    for hospitals in study.HOSPITALS:
        share = at(crack="sd_arms", n_hospitals=hospitals).shares["covered"]
        assert share == pytest.approx(85, abs=2)
        highest = [at(crack="skewed", strength=k, n_hospitals=hospitals).shares["highest"]
                   for k in study.STRENGTHS]  # fmt: skip
        assert highest == sorted(highest)
    few = at(crack="predictors", n_hospitals=15)
    ratio = few.widths["new_hospital_width"] / few.sound_widths["new_hospital_width"]
    assert ratio == pytest.approx(2.6, abs=0.05)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crack": "hole"}, "crack must be one of none, .*, got 'hole'"),
        ({"strength": 3}, "strength must be one of mild, strong, extreme, got 3"),
        ({"n_hospitals": 17}, "n_hospitals must be one of 15, 20, .*, 60, got 17"),
    ],
)
def test_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        compute(**{"crack": "none", "strength": "mild", "n_hospitals": 30, **change})


def test_the_examples_run():
    assert doctest.testmod(cracks).failed == doctest.testmod(study).failed == 0
