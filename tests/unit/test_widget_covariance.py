"""The covariance explorer, held to independent calculations."""

import itertools
import math

import numpy as np
import pytest

from utils.widgets import covariance as co


def test_covariance_by_hand():
    result = co.compute(hospital_sd=6, effect_sd=5, patient_sd=8, correlation=-0.4)
    both = 36 - 0.4 * 6 * 5  # one untreated, one treated
    treated = 36 - 2 * 0.4 * 6 * 5 + 25
    block = [[100, 36, both, both], [36, 100, both, both]]
    block += [[both, both, treated + 64, treated], [both, both, treated, treated + 64]]
    np.testing.assert_allclose(result.V, np.kron(np.eye(2), block), atol=1e-12)
    assert (result.sd_control, result.sd_treated) == pytest.approx((10, math.sqrt(treated + 64)))
    assert result.same_control == pytest.approx(0.36)
    assert result.same_treated == pytest.approx(treated / (treated + 64))
    assert result.same_mixed == pytest.approx(both / (10 * math.sqrt(treated + 64)))


@pytest.mark.parametrize("correlation", [-1, -0.3, 0, 1])
def test_drawn_hospitals_have_the_spread_that_the_sliders_say(correlation):
    result = co.compute(hospital_sd=7, effect_sd=4, patient_sd=9, correlation=correlation)
    control, effect = result.means[0], result.means[1] - result.means[0]
    assert (control.mean(), effect.mean()) == pytest.approx((140, -8))
    assert (control.std(), effect.std()) == pytest.approx((7, 4))
    assert np.corrcoef(control, effect)[0, 1] == pytest.approx(correlation, abs=1e-9)
    again = co.compute(hospital_sd=0, effect_sd=0, patient_sd=2, correlation=0)
    np.testing.assert_allclose(
        (again.patients - again.means[..., None]) / 2,
        (result.patients - result.means[..., None]) / 9,
    )


@pytest.mark.parametrize("name", ["covariance"])
def test_cells_bars_and_dots_show_the_result(explorer):
    explorer.set_state(hospital_sd=4, effect_sd=10, patient_sd=14, correlation=-0.9)
    drawing, result = explorer._draw.__self__, explorer.result
    assert len(drawing.cells) == 32
    for row, column, text in drawing.cells:
        assert text.get_text().replace("−", "-") == f"{result.V[row, column]:.0f}"
    shown = drawing.image.get_array()
    assert np.all(shown.mask == (np.kron(np.eye(2), np.ones((4, 4))) == 0))
    np.testing.assert_array_equal(shown.compressed(), result.V[~shown.mask])
    everyone, one = (np.ptp(bar.get_ydata()) for bar in drawing.bars[1])
    assert everyone == pytest.approx(2 * 1.96 * result.sd_treated)
    assert one == pytest.approx(2 * 1.96 * 14)
    np.testing.assert_allclose(drawing.dots[0].get_ydata(), result.patients[0].ravel())
    assert "both untreated .08, both treated .18, one of each −.09" in explorer.description


def test_patients_of_every_setting_stay_in_the_panel():
    drawing = co._Drawing()
    low, high = drawing.dots[0].axes.get_ylim()
    for hospital_sd, effect_sd, correlation in itertools.product((0, 12), (0, 10), (-1, 0, 1)):
        result = co.compute(
            hospital_sd=hospital_sd, effect_sd=effect_sd, patient_sd=14, correlation=correlation
        )
        assert low < result.patients.min() and result.patients.max() < high
        assert low < 132 - 1.96 * result.sd_treated and 140 + 1.96 * result.sd_control < high


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patient_sd": 0}, "patient_sd must be above 0, got 0"),
        ({"hospital_sd": -1}, "hospital_sd must be 0 or more, got -1"),
        ({"correlation": 2}, "correlation must be from -1 to 1, got 2"),
    ],
)
def test_covariance_refuses(change, message):
    good = {"hospital_sd": 6, "effect_sd": 5, "patient_sd": 8, "correlation": 0}
    with pytest.raises(ValueError, match=message):
        co.compute(**{**good, **change})
