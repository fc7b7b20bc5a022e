"""Averages over hospitals on the scale of risks, against sums, draws and limits; its explorer."""

import doctest

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import integrate, stats
from scipy.special import expit, logit

from utils import marginal as module
from utils import predictive_figures
from utils.marginal import average_risk, marginal, odds
from utils.widgets import marginal_explorer


@pytest.mark.parametrize(("at", "sd"), [(-2.5, 0.4), (0.3, 1.5), (-6.0, 3.0), (2.0, 5.0)])
def test_average_risk_is_the_integral(at, sd):
    wanted = integrate.quad(
        lambda u: expit(at + u) * stats.norm.pdf(u, 0, sd), -10 * sd, 10 * sd, points=[-at, 0]
    )[0]
    assert average_risk(at, sd) == pytest.approx(wanted, abs=2e-5)


def test_draws_are_averaged_one_by_one():
    at, sd = np.array([[-1.0, 0.5, 2.0], [0.0, 1.0, 3.0]]), np.array([0.0, 1.0, 4.0])
    wanted = [[average_risk(a, s) for a, s in zip(row, sd, strict=True)] for row in at]
    np.testing.assert_allclose(average_risk(at, sd), wanted)
    with pytest.raises(ValueError, match="got -2"):
        average_risk(at, [0.0, 1.0, -2.0])


def test_without_differences_between_hospitals_the_two_odds_ratios_are_one():
    found = marginal(typical_risk=13, odds_ratio=2.7, hospital_sd=0)
    assert found.marginal_odds_ratio == pytest.approx(2.7)
    np.testing.assert_allclose(found.hospitals, np.tile(found.typical, (21, 1)))
    assert odds(found.typical[1]) / odds(found.typical[0]) == pytest.approx(2.7)


def test_averages_are_those_of_many_simulated_patients():
    rng = np.random.default_rng(1)
    u = rng.normal(0, 2, 400_000)
    found = marginal(typical_risk=10, odds_ratio=0.4, hospital_sd=2)
    seen = [rng.binomial(1, expit(logit(0.1) + effect + u)).mean() for effect in (0, np.log(0.4))]
    np.testing.assert_allclose(found.average, seen, atol=0.003)
    assert 0.4 < found.marginal_odds_ratio < 1


@pytest.mark.parametrize("swap", [False, True])
def test_dying_and_surviving_are_mirror_images(swap):
    one = marginal(typical_risk=30, odds_ratio=0.5, hospital_sd=1.2)
    other = marginal(typical_risk=70, odds_ratio=2.0, hospital_sd=1.2)
    np.testing.assert_allclose(one.average, 1 - other.average)
    assert one.marginal_odds_ratio == pytest.approx(1 / other.marginal_odds_ratio)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"typical_risk": 0}, "typical_risk must lie between 0 and 100 %, got 0"),
        ({"odds_ratio": 0}, "odds_ratio must be a number above 0, got 0"),
        ({"odds_ratio": float("nan")}, "got nan"),
        ({"hospital_sd": -1}, "hospital_sd must lie between 0 and 5, got -1"),
    ],
)
def test_impossible_numbers_are_refused(change, told):
    with pytest.raises(ValueError) as caught:
        marginal(**{"typical_risk": 20, "odds_ratio": 0.5, "hospital_sd": 1, **change})
    assert told in str(caught.value)


def test_the_explorer_shows_the_result():
    explorer = marginal_explorer()
    explorer.set_state(typical_risk=10, odds_ratio=0.3, hospital_sd=2.0)
    wanted = marginal(typical_risk=10, odds_ratio=0.3, hospital_sd=2.0)
    assert explorer.result.marginal_odds_ratio == pytest.approx(wanted.marginal_odds_ratio)
    assert f"the marginal one: {wanted.marginal_odds_ratio:.2f}" in explorer.description


def test_a_check_counts_the_smaller_tail_and_halves_ties():
    assert predictive_figures.tail_share([0, 0, 1, 2], 0) == pytest.approx(0.25)
    assert predictive_figures.tail_share(np.arange(100), 200) == 0


def test_intervals_and_shares_are_drawn_where_they_lie():
    left, right = Figure().subplots(1, 2)
    rows = {"a": (0.5, 0.7, 0.9), "b": (0.8, 1.0, 1.3)}
    predictive_figures.draw_intervals(left, rows, {"b": "green"})
    assert [tuple(line.get_xdata()) for line in left.lines[:4:2]] == [(0.5, 0.9), (0.8, 1.3)]
    assert left.lines[2].get_color() == "green" != left.lines[0].get_color()
    assert [text.get_text() for text in left.texts] == ["0.70", "1.00"]
    table = pd.DataFrame({"one": [95.0, 60.0], "two": [90.0, 99.0]}, index=["all", "lowest"])
    predictive_figures.draw_coverage(right, table, ["red", "blue"])
    assert [list(line.get_xdata()) for line in right.lines[:2]] == [[95, 60], [90, 99]]
    assert right.get_xlim()[0] < 60 and right.get_xlim()[1] == 100
    assert [tick.get_text() for tick in right.get_yticklabels()] == ["all", "lowest"]


def test_doctests():
    for each in (module, predictive_figures):
        assert doctest.testmod(each).failed == 0
