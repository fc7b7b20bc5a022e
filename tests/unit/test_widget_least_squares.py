"""The least squares explorer, held to independent calculations."""

import math

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from explorers import find

from utils.simulate import med_trial
from utils.widgets import least_squares as ls
from utils.widgets import (
    least_squares_explorer,
)


def test_squared_errors_against_polyfit_and_the_identity():
    rng = np.random.default_rng(1)
    x, y = rng.normal(60, 9, 25), rng.normal(140, 12, 25)
    slope, at_zero = np.polyfit(x, y, 1)
    result = ls.compute(x, y, intercept=130, slope=0.4)
    assert result.best_slope == pytest.approx(slope)
    assert result.best_intercept == pytest.approx(at_zero + slope * x.mean())
    assert result.best_sse == pytest.approx(np.sum((y - at_zero - slope * x) ** 2))
    assert result.sse == pytest.approx(np.sum((y - 130 - 0.4 * (x - x.mean())) ** 2))
    apart = 25 * (130 - y.mean()) ** 2 + 25 * x.var() * (0.4 - slope) ** 2
    assert result.sse == pytest.approx(result.best_sse + apart)
    assert result.excess == pytest.approx(apart / result.best_sse)


def test_a_perfect_line_has_no_finite_excess():
    assert ls.compute([1, 2, 3], [1, 2, 3], intercept=2, slope=1).excess == 0
    assert ls.compute([1, 2, 3], [1, 2, 3], intercept=2, slope=0).excess == math.inf


@pytest.mark.parametrize("name", ["least_squares"])
def test_squares_are_square_and_add_up(explorer):
    explorer.set_state(intercept=140, slope=0.5)
    drawing = explorer._draw.__self__
    corners = np.array([p.vertices[:4] for p in drawing.squares.get_paths()])
    sides = np.ptp(corners[:, :, 1], axis=1)
    assert np.sum(sides**2) == pytest.approx(explorer.result.sse)
    on_page = drawing.main.transData.transform(corners.reshape(-1, 2)).reshape(corners.shape)
    np.testing.assert_allclose(np.ptp(on_page[:, :, 0], axis=1), np.ptp(on_page[:, :, 1], axis=1))
    slopes, curve = drawing.curve.get_data()
    (at,), (height,) = drawing.dot.get_data()
    assert (at, height) == (0.5, explorer.result.sse / explorer.result.best_sse)
    assert np.interp(0.5, slopes, curve) == pytest.approx(height, rel=1e-3)


def test_least_squares_takes_other_data():
    frame = pd.DataFrame({"dose": [0.0, 1, 2, 3], "effect": [0.001, 0.002, 0.004, 0.003]})
    explorer = least_squares_explorer(frame, x="dose", y="effect")
    find(explorer, ipywidgets.Button, "Snap to least squares").click()
    assert explorer.result.slope == pytest.approx(0.0008)
    assert "effect per dose" in explorer.description
    study = med_trial(n_hospitals=1, patients_per_hospital=8, rng=1)
    assert least_squares_explorer(study, x="baseline").result.residuals.shape == (8,)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame({"age": [1.0, 2, 3]}), "must have the column 'sbp'"),
        (pd.DataFrame({"age": [1.0, 2], "sbp": [1.0, 2]}), "3 or more"),
        (pd.DataFrame({"age": [1.0, 1, 1], "sbp": [1.0, 2, 3]}), "x must vary, got 3"),
        (pd.DataFrame({"age": [1.0, 2, 3], "sbp": [5.0, 5, 5]}), "sbp must vary"),
        (pd.DataFrame({"age": [1.0, 2, np.nan], "sbp": [1.0, 2, 3]}), "must be finite"),
        (pd.DataFrame({"age": ["a", "b", "c"], "sbp": [1.0, 2, 3]}), "must be numeric"),
        ([1, 2, 3], "must be a DataFrame or a Study, got list"),
    ],
)
def test_least_squares_refuses(data, message):
    with pytest.raises(ValueError, match=message):
        least_squares_explorer(data)
