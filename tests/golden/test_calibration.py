"""Ranks of a right program are flat, those of a wrong one are not; the explorer's closed forms."""

import doctest

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from utils import calibration as module
from utils.calibration import BINS, DRAWS, band, calibration, draw_ranks, trial_ranks
from utils.widgets import calibration_explorer


def test_the_exact_posterior_passes_and_mixed_up_hospitals_fail():
    right, wrong = trial_ranks(300), trial_ranks(300, shuffled=True)

    def p_value(ranks):
        return stats.chisquare(np.histogram(ranks, np.linspace(0, DRAWS + 1, 11))[0]).pvalue

    assert p_value(right) > 0.01
    assert p_value(wrong) < 1e-4
    assert ((right >= 0) & (right <= DRAWS)).all()


def test_a_right_program_has_flat_ranks_and_honest_intervals():
    found = calibration(width=1.0, shift=0.0, trials=2000)
    assert found.coverage == pytest.approx(95)
    assert stats.chisquare(found.counts).pvalue > 0.01
    assert found.outside <= 3


@pytest.mark.parametrize(("width", "shift"), [(0.6, 0.0), (1.5, 0.4), (1.0, -1.0)])
def test_coverage_is_the_normal_integral(width, shift):
    z = np.random.default_rng(1).standard_normal(400_000)
    held = np.abs(z - shift) < 1.959964 * width
    assert calibration(width=width, shift=shift, trials=20).coverage == pytest.approx(
        100 * held.mean(), abs=0.3
    )


def test_shapes_are_a_valley_a_hill_and_a_slope():
    valley, hill = (calibration(width=w, shift=0, trials=2000).counts for w in (0.6, 1.6))
    slope = calibration(width=1, shift=0.7, trials=2000).counts
    assert valley[[0, -1]].min() > 2 * valley[8:12].mean()
    assert hill[[0, -1]].max() < hill[8:12].mean() / 2
    assert slope[:5].sum() > 2 * slope[-5:].sum()


def test_the_band_holds_95_percent_of_bins():
    low, high = band(400)
    inside = stats.binom.cdf(high, 400, 1 / BINS) - stats.binom.cdf(low - 1, 400, 1 / BINS)
    assert 0.95 <= inside < 0.98


def test_the_picture_counts_every_rank():
    axes = Figure().subplots()
    draw_ranks(axes, np.array([0, 4, 5, 99]))
    heights = [bar.get_height() for bar in axes.patches if bar.get_width() == 5]
    assert (heights[0], heights[1], heights[-1], sum(heights)) == (2, 1, 1, 4)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"width": 0}, "width must be above 0, got 0"),
        ({"shift": float("nan")}, "shift must be a finite number, got nan"),
        ({"trials": 5}, "trials must lie between 20 and 2,000, got 5"),
    ],
)
def test_impossible_settings_are_refused(change, told):
    with pytest.raises(ValueError) as caught:
        calibration(**{"width": 1, "shift": 0, "trials": 100, **change})
    assert told in str(caught.value)


def test_the_explorer_shows_the_result():
    explorer = calibration_explorer()
    explorer.set_state(width=0.5, shift=0.3, trials=800)
    wanted = calibration(width=0.5, shift=0.3, trials=800)
    assert f"program: {wanted.outside} of 20" in explorer.description
    assert f"hold the truth in {wanted.coverage:.0f} %" in explorer.description


def test_the_examples_run():
    assert doctest.testmod(module).failed == 0
