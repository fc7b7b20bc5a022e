"""The prior predictive explorer, held to sums, closed forms and simulation."""

import math

import ipywidgets
import numpy as np
import pytest
from scipy import stats

from tests.unit.explorers import find
from utils.widgets import prior_predictive as pp

CONSIDERED = {"intercept_sd": 20, "effect_sd": 10, "hospital_sd": 5, "patient_sd": 20}
VAGUE = {"intercept_sd": 100, "effect_sd": 100, "hospital_sd": 100, "patient_sd": 100}


def share_by_summation(centre, low, high, intercept_sd, effect_sd, hospital_sd, patient_sd):
    """Return a share of patients by a fine sum over both standard deviations."""
    t = (np.arange(1500) + 0.5) / 1500 * 7  # in scales of the half-normal laws
    weight = stats.halfnorm.pdf(t) * (t[1] - t[0])
    between = (hospital_sd * t[:, None]) ** 2 + (patient_sd * t) ** 2 + intercept_sd**2
    shares = []
    for extra in (0, effect_sd**2):
        spread = np.sqrt(between + extra)
        outside = stats.norm.cdf((low - centre) / spread) + stats.norm.sf((high - centre) / spread)
        shares.append(weight @ outside @ weight)
    return sum(shares) / 2


@pytest.mark.parametrize(("centre", "prior"), [("140", CONSIDERED), ("0", VAGUE)])
def test_share_of_impossible_patients_is_that_of_a_fine_sum(centre, prior):
    found = pp.compute(centre=centre, **prior)
    expected = share_by_summation(float(centre), 40, 300, **prior)
    assert found.impossible == pytest.approx(expected, abs=2e-5)


def test_middle_95_percent_and_density_agree_with_a_million_patients():
    rng = np.random.default_rng(3)
    prior = {"intercept_sd": 30, "effect_sd": 40, "hospital_sd": 25, "patient_sd": 15}
    n = 1_000_000
    z = rng.standard_normal((6, n))
    pressure = 140 + 30 * z[0] + 40 * z[1] * (np.arange(n) % 2)
    pressure += np.abs(25 * z[2]) * z[3] + np.abs(15 * z[4]) * z[5]
    found = pp.compute(**prior)
    np.testing.assert_allclose(found.middle, np.quantile(pressure, [0.025, 0.975]), atol=0.6)
    near = np.abs(pressure - 140) < 2  # the grid has a point at 138 and one at 142
    at_140 = np.interp(140, pp._PRESSURES, found.density)
    assert at_140 == pytest.approx(near.mean() / 4, rel=0.02)
    wide = pp.compute(centre="0", **CONSIDERED)
    assert np.trapezoid(wide.density, pp._PRESSURES) == pytest.approx(1, abs=0.001)


def test_effects_are_the_tails_of_a_normal_law():
    found = pp.compute(**{**CONSIDERED, "effect_sd": 80 / stats.norm.ppf(0.975)})
    assert found.absurd_effects == pytest.approx(0.05)


def test_simulated_trials_are_rescaled_draws():
    one, ten = (pp.compute(**dict.fromkeys(CONSIDERED, k)) for k in (1, 10))
    np.testing.assert_allclose(ten.means - 140, 10 * (one.means - 140))
    np.testing.assert_allclose(ten.patients - 140, 10 * (one.patients - 140))
    still = pp.compute(**{**CONSIDERED, "effect_sd": 60})
    before = pp.compute(**CONSIDERED)
    moved = (still.patients - before.patients)[:, :, 6:]
    np.testing.assert_allclose(still.patients[:, :, :6], before.patients[:, :, :6])
    np.testing.assert_allclose(moved, np.broadcast_to(moved[:, :1, :1], moved.shape))


@pytest.mark.parametrize("name", ["prior_predictive"])
def test_picture_and_text_show_the_result(explorer):
    explorer.set_state(centre="140", **CONSIDERED)
    drawing, result = explorer._draw.__self__, explorer.result
    np.testing.assert_allclose(drawing.dots.get_ydata(), result.patients.ravel())
    np.testing.assert_allclose(drawing.dashes.get_offsets()[:, 1], result.means.ravel())
    assert drawing.share.get_text() == "impossible:\n0.23 %"
    assert "0.23 % of the patients" in explorer.description
    assert "between −20 and 20 mmHg" in explorer.description
    buttons = find(explorer, ipywidgets.ToggleButtons)
    buttons.value = "0"
    assert explorer.result.centre == 0
    assert explorer.result.impossible > 0.9


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "under 0.01 %"),
        (0.00994, "0.99 %"),
        (0.00996, "1.0 %"),
        (0.0994, "9.9 %"),
        (0.0996, "10 %"),
        (1.0, "100 %"),
    ],
)
def test_shares_get_the_digits_they_deserve(share, words):
    assert pp._percent(share) == words


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"centre": "100"}, "centre must be '140' or '0', got '100'"),
        ({"effect_sd": 0}, "effect_sd must be a number above 0, got 0"),
        ({"patient_sd": math.inf}, "patient_sd must be a number above 0, got inf"),
    ],
)
def test_prior_predictive_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        pp.compute(**{**CONSIDERED, **change})
