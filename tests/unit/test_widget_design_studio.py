"""The design studio, held to independent calculations."""

import itertools
import math
import time

import ipywidgets
import numpy as np
import pytest
from explorers import find
from scipy import stats

from utils.studies import two_arm_trials
from utils.widgets import design_studio as st
from utils.widgets import (
    design_studio_explorer,
)

STUDIO = {
    "treatment_by": "hospital", "n_hospitals": 12, "patients_per_hospital": 20, "icc": 0.2,
    "effect": 6.0, "effect_sd": 0.0, "cost_per_hospital": 3000, "cost_per_patient": 150,
    "budget": 80_000,
}  # fmt: skip


def test_studio_against_textbook_formulas():
    result = st.compute(**STUDIO)
    sd = math.sqrt(144 / 4 + 144 / 20)  # of a hospital's mean: ICC .2 is a fourth of 12²
    nct = stats.nct(10, 6 / (sd * math.sqrt(1 / 6 + 1 / 6)))
    limit = stats.t.isf(0.025, 10)
    assert result.plan.power == pytest.approx(nct.sf(limit) + nct.cdf(-limit))
    assert result.cost == 12 * 3000 + 240 * 150
    assert result.affordable == 24  # 80,000/12 - 3,000 pays 24.4 patients
    assert result.within_budget.loc[12, "patients_per_hospital"] == 24
    assert (result.within_budget["cost"] <= 80_000).all()
    assert result.plan.source == "exact"


def test_studio_says_where_its_numbers_come_from():
    explorer = design_studio_explorer()
    assert explorer.description.count("(exact)") == 1
    assert explorer.description.count("(simulated, 4,000 trials)") == 1
    explorer.set_state(effect_sd=3)
    assert explorer.description.count("(simulated, 4,000 trials)") == 2
    assert "varying with an SD of 3.0 mmHg" in explorer.description
    explorer.set_state(treatment_by="patient")
    assert explorer.description.count("(exact)") == 1


@pytest.mark.parametrize("by", ["hospital", "patient"])
def test_studio_z_test_against_the_older_engine(by):
    state = STUDIO | {"treatment_by": by, "n_hospitals": 6, "icc": 0.1}
    result = st.compute(**state)
    trials = two_arm_trials(
        20_000, assignment=by, n_hospitals=6, patients_per_hospital=20, hospital_sd=4,
        patient_sd=12, methods=("random intercept, z",), rng=3,
    )  # fmt: skip
    p = trials["p_value"].lt(0.05).mean()
    assert result.plan.z_type_1_error == pytest.approx(p, abs=0.01)
    assert result.z_error[1] == result.plan.z_type_1_error  # the curve at 6 hospitals


@pytest.mark.parametrize("name", ["design_studio"])
def test_studio_dots_and_curves_show_the_result(explorer):
    drawing = explorer._draw.__self__
    for state in ({}, {"effect_sd": 2.0}, {"treatment_by": "patient"}):
        explorer.set_state(n_hospitals=16, **state)
        find(explorer, ipywidgets.Button, "Spend the budget on patients").click()
        result = explorer.result
        assert result.patients_per_hospital == result.affordable
        assert 0 <= result.budget - result.cost < 2 * 16 * result.cost_per_patient
        found = result.plan
        heights = [found.power, found.half_width, found.z_type_1_error]
        assert [dot.get_data()[1][0] for dot in drawing.dots] == heights
        x, y = drawing.paid.get_data()
        assert np.interp(16, x, y) == pytest.approx(found.power, abs=0.02)  # one patient apart
        x, y = drawing.z.get_data()
        assert np.interp(16, x, y) == pytest.approx(found.z_type_1_error, rel=0.01)


@pytest.mark.parametrize("name", ["design_studio"])
def test_studio_keeps_its_dots_on_the_axes(explorer):
    least = {"n_hospitals": 4, "patients_per_hospital": 2, "icc": 0.3, "effect_sd": 6.0}
    most = {"n_hospitals": 60, "patients_per_hospital": 200, "icc": 0.0, "effect_sd": 0.0}
    for by, state in itertools.product(["hospital", "patient"], [least, most]):
        explorer.set_state(treatment_by=by, **state)
        for dot in explorer._draw.__self__.dots:
            low, high = dot.axes.get_ylim()
            assert low < dot.get_ydata()[0] < high


@pytest.mark.parametrize("name", ["design_studio"])
def test_studio_copes_with_a_budget_that_pays_nothing(explorer):
    explorer.set_state(budget=10_000, cost_per_hospital=10_000)
    assert explorer.result.affordable == 0
    assert len(explorer.result.within_budget) == 0
    assert "does not pay for 4 hospitals" in explorer.description
    find(explorer, ipywidgets.Button, "Spend the budget on patients").click()
    assert explorer.state["patients_per_hospital"] == 20
    with pytest.raises(ValueError, match="icc must be at least 0 and below 1, got 1"):
        st.compute(**(STUDIO | {"icc": 1}))


@pytest.mark.parametrize("name", ["design_studio"])
def test_studio_redraws_without_waiting(explorer):
    seconds = []
    for size in range(2, 62, 4):
        start = time.process_time()
        explorer.set_state(patients_per_hospital=size, effect_sd=3.0)
        seconds.append(time.process_time() - start)
    assert np.median(seconds) < 0.1  # 0.02 on a quiet machine
