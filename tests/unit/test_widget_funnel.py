"""The funnel in closed form, held to the exact posterior and to draws, and its explorer."""

import math

import numpy as np
import pytest
from scipy import stats

from utils import exact, funnel
from utils.funnel import ACROSS, UP, shades

SETTINGS = [(4, 4.0, 20), (100, 4.0, 20), (1, 0.0, 5), (30, 9.0, 60)]


def judged(n, sd, hospitals):
    """The explorer's data given to another engine: the overall mean 0, standard errors known."""
    places = stats.norm.ppf((np.arange(hospitals) + 0.5) / hospitals)
    means = places * math.sqrt((sd**2 + 144 / n) / np.mean(places**2))
    fit = exact.normal_means(
        means,
        np.full(hospitals, 12 / math.sqrt(n)),
        tau=stats.halfnorm(scale=funnel.PRIOR_SD),
        beta=(0, 1e-6),
    )
    return fit, int(np.argmin(np.abs(places - 1.5)))


@pytest.mark.parametrize(("n", "sd", "hospitals"), SETTINGS)
def test_moments_are_those_of_the_exact_posterior(n, sd, hospitals):
    found = funnel.funnel(patients_per_hospital=n, hospital_sd=sd, n_hospitals=hospitals)
    fit, shown = judged(n, sd, hospitals)
    np.testing.assert_allclose(found.sd_points, fit.quantile("tau", [0.05, 0.5, 0.95]), rtol=0.01)
    assert found.centred.overall == pytest.approx(fit.hospitals["sd"].iloc[shown], rel=1e-3)


@pytest.mark.parametrize(("n", "sd", "hospitals"), SETTINGS)
def test_both_coordinates_are_those_of_independent_draws(n, sd, hospitals):
    found = funnel.funnel(patients_per_hospital=n, hospital_sd=sd, n_hospitals=hospitals)
    fit, shown = judged(n, sd, hospitals)
    drawn = fit.draws(40_000, rng=3)
    log_sd, u = np.log(drawn["tau"]), drawn["effect"][:, shown]
    for one, values in ((found.centred, u), (found.noncentred, u / drawn["tau"])):
        assert one.overall == pytest.approx(values.std(), rel=0.03)
        assert one.correlation == pytest.approx(np.corrcoef(values, log_sd)[0, 1], abs=0.02)
        # A shaded area holds the share of draws that it promises.
        column = np.searchsorted(ACROSS, (values - values.mean()) / values.std()) - 1
        row = np.searchsorted(UP, (log_sd - log_sd.mean()) / log_sd.std()) - 1
        inside = (column >= 0) & (column < 160) & (row >= 0) & (row < 150)
        level = shades(one.density)[row[inside], column[inside]]
        for k, share in enumerate(funnel.SHADES):
            assert (level > k).mean() == pytest.approx(share, abs=0.04)


def test_widths_follow_the_shrinkage_weight():
    found = funnel.funnel(patients_per_hospital=9, hospital_sd=5)
    for sd, weight, u, z in zip(
        found.sd_points, found.weights, found.centred.widths, found.noncentred.widths, strict=True
    ):
        assert weight == pytest.approx(sd**2 / (sd**2 + 16))  # 144 / 9
        assert u == pytest.approx(4 * math.sqrt(weight))
        assert u == pytest.approx((1 / sd**2 + 9 / 144) ** -0.5)
        assert z == pytest.approx(math.sqrt(1 - weight))


def test_roundness_turns_over_once_as_patients_become_many():
    sizes = [1, 2, 4, 8, 16, 32, 64, 128]
    found = [funnel.funnel(patients_per_hospital=n, hospital_sd=4) for n in sizes]
    centred = [one.centred.roundness for one in found]
    noncentred = [one.noncentred.roundness for one in found]
    assert centred == sorted(centred)
    assert noncentred[0] > 0.8 and noncentred[-1] < 0.65
    assert 0 < centred[0] < 0.1 and 0.95 < centred[-1] < 1
    words = [one.rounder for one in found]
    assert words[:3] == ["non-centred"] * 3 and words[-3:] == ["centred"] * 3
    # Where they change places, the middle shrinkage weight is about .6, whatever the SD.
    for sd, n in ((2, 60), (4, 15), (8, 4)):
        one = funnel.funnel(patients_per_hospital=n, hospital_sd=sd)
        assert one.rounder == "neither"
        assert 0.55 < one.weights[1] < 0.7


def test_shades_hold_their_shares_and_no_cell_too_many():
    rng = np.random.default_rng(5)
    density = rng.gamma(0.3, size=(40, 50))
    level = shades(density)
    for k, share in enumerate(funnel.SHADES):
        inside = density[level > k]
        assert inside.sum() >= share * density.sum()
        assert inside.sum() - inside.min() < share * density.sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patients_per_hospital": 0}, "patients_per_hospital must be a whole number .*got 0"),
        ({"patients_per_hospital": 2.5}, "patients_per_hospital must be a whole number .*got 2.5"),
        ({"hospital_sd": -1}, "hospital_sd must be 0 or more, got -1"),
        ({"hospital_sd": math.inf}, "hospital_sd must be 0 or more, got inf"),
        ({"hospital_sd": math.nan}, "hospital_sd must be 0 or more, got nan"),
        ({"n_hospitals": 1}, "n_hospitals must be a whole number of 2 or more, got 1"),
    ],
)
def test_funnel_refuses(change, message):
    good = {"patients_per_hospital": 4, "hospital_sd": 4, "n_hospitals": 20}
    with pytest.raises(ValueError, match=message):
        funnel.funnel(**{**good, **change})


@pytest.mark.parametrize("name", ["funnel"])
def test_pictures_lines_and_bars_show_the_result(explorer):
    explorer.set_state(patients_per_hospital=60, hospital_sd=7, n_hospitals=30)
    drawing, result = explorer._draw.__self__, explorer.result
    for form, one in (("centred", result.centred), ("non-centred", result.noncentred)):
        np.testing.assert_array_equal(drawing.images[form].get_array(), shades(one.density))
        low, high, below, above = drawing.points[form]
        assert [low.get_ydata()[0], high.get_ydata()[0]] == [result.places[0], result.places[2]]
        assert below.get_text() == f"{result.sd_points[0]:.2g} mmHg"
        assert above.get_text() == f"{result.sd_points[2]:.2g} mmHg"
    heights = [bar.get_height() for bar in drawing.bars.patches]
    assert heights == [result.centred.roundness, result.noncentred.roundness]
    assert drawing.numbers[0].get_text() == f"{heights[0]:.2f}"


@pytest.mark.parametrize("name", ["funnel"])
@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"patients_per_hospital": 1}, "with 1 patient each"),
        ({"patients_per_hospital": 4}, "The non-centred coordinates are rounder."),
        ({"patients_per_hospital": 15}, "Neither is clearly rounder."),
        ({"patients_per_hospital": 100}, "The centred coordinates are rounder."),
    ],
)
def test_words_say_which_coordinates_are_rounder(explorer, state, words):
    explorer.set_state(**state)
    assert words in explorer.description
    assert "nan" not in explorer.description
