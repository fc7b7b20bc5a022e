"""The slopes explorer, held to linear algebra and to simulation."""

import math

import ipywidgets
import numpy as np
import pytest
from scipy import stats

from utils.widgets import slopes as sl


def test_typical_hospitals_have_exactly_the_moments_that_were_set():
    found = sl.compute(hospital_sd=6, effect_sd=5, correlation=-0.4, patients_per_hospital=20)
    truth = np.array([[36, -12], [-12, 25]])
    noise = 144 * np.array([[1 / 10, -1 / 10], [-1 / 10, 1 / 10 + 1 / 10]])
    np.testing.assert_allclose(found.covariance, truth)
    np.testing.assert_allclose(found.noise, noise)
    np.testing.assert_allclose(np.cov(found.truth.T, ddof=0), truth)
    np.testing.assert_allclose(np.cov(found.own.T, ddof=0), truth + noise)
    np.testing.assert_allclose(np.cov((found.own - found.truth).T, ddof=0), noise)
    np.testing.assert_allclose(found.own.mean(axis=0), [140, -6])
    seen = truth @ np.linalg.inv(truth + noise) @ truth
    np.testing.assert_allclose(np.cov(found.shrunken.T, ddof=0), seen)
    left = truth - seen  # the variance of a truth, once its own line is known
    assert found.errors["shrunken"] == pytest.approx(left[1, 1] ** 0.5)
    assert found.errors["own"] == pytest.approx(noise[1, 1] ** 0.5)
    assert found.errors["mean"] == pytest.approx(5)


def test_without_a_correlation_own_and_shrunken_lean_in_opposite_directions():
    for n in (8, 30, 100):
        spreads = sl.compute(
            hospital_sd=3, effect_sd=7, correlation=0, patients_per_hospital=n
        ).spreads
        assert spreads["truth"].correlation == pytest.approx(0, abs=1e-12)
        assert spreads["own"].correlation < 0
        assert spreads["shrunken"].correlation == pytest.approx(-spreads["own"].correlation)


def test_shrunken_lines_are_those_of_the_whole_covariance_matrix():
    """Patients whose own lines are those of the explorer, predicted without any shortcut."""
    n, settings = 10, {"hospital_sd": 5, "effect_sd": 4, "correlation": 0.3}
    found = sl.compute(**settings, patients_per_hospital=n)
    z = np.column_stack([np.ones(n), np.repeat([0, 1], n // 2)])
    wiggle = np.tile([1.0, -2.0, 0.0, 2.0, -1.0], 2)  # cancels in each arm
    g = np.array([[25, 6], [6, 16]])
    v = np.linalg.inv(z @ g @ z.T + 144 * np.eye(n))
    for own, shrunken in zip(found.own, found.shrunken, strict=True):
        y = z @ own + wiggle
        predicted = [140, -6] + g @ z.T @ v @ (y - z @ [140, -6])
        np.testing.assert_allclose(shrunken, predicted)


def test_moving_zero_leaves_lines_effects_and_errors_alone():
    settings = {"hospital_sd": 6, "effect_sd": 5, "correlation": -0.6, "patients_per_hospital": 12}
    start, moved = (sl.compute(**settings, zero=zero) for zero in ("untreated", "middle"))
    for name in ("truth", "own", "shrunken"):
        before, after = getattr(start, name), getattr(moved, name)
        np.testing.assert_allclose(after[:, 1], before[:, 1])
        np.testing.assert_allclose(after[:, 0], before[:, 0] + before[:, 1] / 2)
    assert moved.errors == pytest.approx(start.errors)
    assert moved.spreads["truth"].intercept_sd == pytest.approx(math.sqrt(36 - 18 + 25 / 4))
    assert moved.noise[0, 1] == pytest.approx(0)  # the middle's noise tells nothing of the effect


@pytest.mark.parametrize("name", ["slopes"])
def test_points_ellipse_and_bars_show_the_result(explorer):
    explorer.set_state(correlation=0.5, patients_per_hospital=40)
    drawing, result = explorer._draw.__self__, explorer.result
    np.testing.assert_allclose(drawing.own.get_offsets(), result.own)
    np.testing.assert_allclose(drawing.truth.get_offsets(), result.truth)
    way = np.column_stack([drawing.arrows.U, drawing.arrows.V])
    np.testing.assert_allclose(drawing.arrows.XY + way, result.shrunken)
    ellipse = np.array(drawing.ellipse.get_data())
    away = ellipse - result.mean[:, None]
    distance = (away * (np.linalg.inv(result.covariance) @ away)).sum(axis=0)
    np.testing.assert_allclose(distance, stats.chi2.ppf(0.95, 2))
    widths = [bar.get_width() for bar in drawing.bars[2]]
    assert widths == pytest.approx([result.spreads[k].correlation for k in sl._THINGS])
    assert f"{result.spreads['own'].effect_sd:.1f}" == drawing.numbers[1][0].get_text()


@pytest.mark.parametrize("name", ["slopes"])
def test_no_spread_has_no_correlation(explorer):
    explorer.set_state(effect_sd=0)
    assert math.isnan(explorer.result.spreads["truth"].correlation)
    assert np.ptp(explorer.result.shrunken[:, 1]) < 1e-12
    assert "6.0 and 0.0, no correlation" in explorer.description
    assert "nan" not in explorer.description
    buttons = next(w for w in explorer.widget.children if isinstance(w, ipywidgets.ToggleButtons))
    buttons.value = "middle"
    assert explorer.result.zero == "middle"
    assert "the middle of both arms" in explorer.description


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hospital_sd": -1}, "hospital_sd must be 0 or more, got -1"),
        ({"effect_sd": math.inf}, "effect_sd must be 0 or more, got inf"),
        ({"correlation": 1.1}, "correlation must be between -1 and 1, got 1.1"),
        ({"patients_per_hospital": 7}, "patients_per_hospital must be even and 2 or more, got 7"),
        ({"zero": "left"}, "zero must be 'untreated' or 'middle', got 'left'"),
    ],
)
def test_slopes_refuses(change, message):
    good = {"hospital_sd": 6, "effect_sd": 5, "correlation": 0, "patients_per_hospital": 12}
    with pytest.raises(ValueError, match=message):
        sl.compute(**{**good, **change})
