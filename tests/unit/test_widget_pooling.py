"""The pooling explorer, held to independent calculations."""

import math

import numpy as np
import pandas as pd
import pytest

from utils.pooling import three_poolings
from utils.simulate import med_trial
from utils.widgets import pooling as po
from utils.widgets import (
    pooling_explorer,
)


def test_pooling_agrees_with_the_formula_and_the_truth():
    study = med_trial(n_hospitals=9, patients_per_hospital=(3, 30), treatment_effect=0, rng=2)
    result = po.compute(po.prepare(study), hospital_sd=5)
    table = three_poolings(study.data["sbp"], study.data["hospital"], hospital_sd=5, patient_sd=12)
    pd.testing.assert_frame_equal(result.table, table)
    truth = study.truth.hospitals["mean"]
    for how in ("no_pooling", "complete_pooling", "partial_pooling"):
        rmse = math.sqrt(((table[how] - truth) ** 2).mean())
        assert getattr(result.errors, how) == pytest.approx(rmse)


@pytest.mark.parametrize("name", ["pooling"])
def test_ends_of_the_slider_are_the_two_poolings(explorer):
    assert explorer.state == {"hospital_sd": math.inf}
    table = explorer.result.table
    np.testing.assert_allclose(table["partial_pooling"], table["no_pooling"])
    assert explorer.result.errors.partial_pooling == explorer.result.errors.no_pooling
    explorer.set_state(hospital_sd=0)
    errors = explorer.result.errors
    assert np.ptp(explorer.result.table["partial_pooling"]) < 1e-9
    assert errors.partial_pooling == pytest.approx(errors.complete_pooling)


def test_truth_counts_the_treated():
    """A drug that lowers by 50 mmHg must not look like an error of the hospitals' means."""
    study = med_trial(
        n_hospitals=6, patients_per_hospital=400, treatment_effect=-50, hospital_sd=5,
        patient_sd=1, rng=3,
    )  # fmt: skip
    errors = po.compute(po.prepare(study), hospital_sd=math.inf).errors
    assert errors.no_pooling < 0.2


@pytest.mark.parametrize("name", ["pooling"])
def test_best_hospital_sd_beats_its_neighbours(explorer):
    hospitals = po.prepare()
    grid = explorer._controls["hospital_sd"].grid
    best = po.best_hospital_sd(hospitals, grid)
    error = po.compute(hospitals, hospital_sd=best).errors.partial_pooling
    for sd in (*grid, best * 0.9, best * 1.1):
        assert error <= po.compute(hospitals, hospital_sd=sd).errors.partial_pooling + 1e-6
    assert f"the best on these data is {best:.3g} mmHg" in explorer.description


@pytest.mark.parametrize("name", ["pooling"])
def test_dots_arrows_and_bar_show_the_result(explorer):
    explorer.set_state(hospital_sd=3)
    drawing = explorer._draw.__self__
    now = explorer.result.table["partial_pooling"].reindex(drawing.order).to_numpy()
    np.testing.assert_allclose(drawing.dots.get_offsets()[:, 1], now)
    sizes = explorer.result.table["n"].reindex(drawing.order)
    assert sizes.is_monotonic_increasing
    assert np.all(np.diff(drawing.dots.get_sizes()) >= 0)
    reach = drawing.arrows.V
    way = now - drawing.own
    assert np.all(np.abs(reach) <= np.abs(way) + 1e-12)  # to the rim, never past the dot
    assert np.all(reach * way >= 0) and np.abs(reach).max() > 1
    assert drawing.bar.get_width() == explorer.result.errors.partial_pooling
    assert drawing.mean.get_ydata()[0] == explorer.result.gls_mean


def test_data_without_a_truth_get_no_crosses_and_no_meter():
    data = med_trial(n_hospitals=5, patients_per_hospital=(1, 9), rng=5).data
    explorer = pooling_explorer(data)
    assert explorer.result.errors is None
    assert len(explorer._picture.figure.axes) == 1
    explorer.set_state(hospital_sd=4)
    assert "The truth is not known here" in explorer.description
    assert "RMSE" not in explorer.description
    assert "cross" not in explorer._picture.alt
    labels = [t.get_text() for t in explorer._picture.figure.axes[0].get_legend().get_texts()]
    assert labels == ["own mean", "estimate", "pulled to"]


def test_pooling_takes_other_columns_and_scales():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"county": np.repeat(list("abcdef"), 5), "log_radon": rng.normal(0, 1, 30)})
    data["log_radon"] = data["log_radon"] / 1000
    data.loc[0, "log_radon"] = np.nan
    explorer = pooling_explorer(data, y="log_radon", hospital="county", patient_sd=0.001)
    assert explorer.result.table["n"].sum() == 29
    grid = explorer._controls["hospital_sd"].grid
    assert grid[0] == 0 and grid[-1] == math.inf and 0.0001 < grid[5] < 0.01
    assert "mmHg" not in explorer.description


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: pooling_explorer(d.drop(columns="sbp")), "must have the column 'sbp'"),
        (lambda d: pooling_explorer(d[d["hospital"] == "H01"]), "2 hospitals or more, got 1"),
        (lambda d: pooling_explorer(d, patient_sd=0), "patient_sd must be above 0, got 0"),
        (lambda d: pooling_explorer("sbp"), "must be a Study or a DataFrame, got str"),
    ],
)
def test_pooling_refuses(make, message):
    data = med_trial(n_hospitals=3, patients_per_hospital=5, rng=1).data
    with pytest.raises(ValueError, match=message):
        make(data)
    with pytest.raises(ValueError, match="hospital_sd must be 0 or more"):
        po.compute(po.prepare(data), hospital_sd=-1)
