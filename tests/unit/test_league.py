"""Places of hospitals and the worth of a league table, against closed forms and limits."""

import doctest

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from utils import league as module
from utils.league import SIZES, draw_places, league, rank_table, top_is_true
from utils.widgets import league_explorer


@pytest.mark.parametrize(("icc", "patients"), [(0.05, 10), (0.1, 50), (0.3, 200)])
def test_for_two_hospitals_sheppard_has_the_answer(icc, patients):
    weight = patients * icc / (patients * icc + 1 - icc)
    wanted = 0.5 + np.arcsin(np.sqrt(weight)) / np.pi
    assert top_is_true(2, icc, patients)[0] == pytest.approx(wanted, abs=4 * 0.011)


def test_without_differences_the_top_is_a_die_and_with_endless_patients_it_is_right():
    assert top_is_true(10, 0.0, 100)[0] == pytest.approx(0.1, abs=4 * 0.007)
    assert top_is_true(10, 0.5, 1e9)[0] == 1.0


def test_the_top_is_right_more_often_with_more_patients_and_fewer_hospitals():
    assert np.all(np.diff(top_is_true(17, 0.05, [5, 50, 500])) > 0.1)
    assert top_is_true(5, 0.05, 50)[0] > top_is_true(40, 0.05, 50)[0] + 0.1


def test_places_are_those_of_each_draw():
    drawn = np.array([[3.0, 1.0, 2.0], [3.0, 2.0, 1.0], [9.0, 0.0, 1.0], [0.0, 1.0, 2.0]])
    table = rank_table(drawn, ["A", "B", "C"])
    assert table["P(highest)"].tolist() == [0.75, 0.0, 0.25]
    assert table["P(lowest)"].tolist() == [0.25, 0.5, 0.25]
    assert table.loc["A", ["low", "place", "high"]].tolist() == [1, 3, 3]


def test_two_independent_normal_hospitals_have_the_closed_form():
    drawn = np.random.default_rng(1).normal([4, 0], 2, (40_000, 2))
    wanted = stats.norm.cdf(4 / np.sqrt(8))
    assert rank_table(drawn, ["A", "B"]).loc["A", "P(highest)"] == pytest.approx(wanted, abs=0.007)


def test_a_place_s_interval_holds_the_true_place_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    weight, held = 0.6, []
    for _ in range(200):
        true = rng.standard_normal(15)
        middle = weight * true + np.sqrt(weight * (1 - weight)) * rng.standard_normal(15)
        drawn = middle + np.sqrt(1 - weight) * rng.standard_normal((500, 15))
        table = rank_table(drawn, [f"H{k}" for k in range(15)])
        place = true.argsort().argsort() + 1
        held.append(np.mean((table["low"] <= place) & (place <= table["high"])))
    assert 0.94 < np.mean(held) < 0.99  # whole places: an interval holds a little more


def test_the_shown_league_follows_its_settings():
    one = league(n_hospitals=12, patients=100, icc=0.1)
    assert one.weight == pytest.approx(100 * 0.1 / (100 * 0.1 + 0.9))
    assert sorted(one.places["truth"]) == list(range(1, 13))
    assert one.curve.shape == SIZES.shape
    assert one.curve[list(SIZES).index(100)] == one.chance
    same = league(n_hospitals=12, patients=100, icc=0.0)
    assert same.mean_width > 10.5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"n_hospitals": 1}, "n_hospitals must be a whole number from 2 to 60, got 1"),
        ({"icc": 1.0}, "icc must lie from 0 to below 1, got 1.0"),
        ({"patients": 0}, "patients must be at least 1"),
    ],
)
def test_impossible_leagues_are_refused(change, told):
    with pytest.raises(ValueError, match=told):
        league(**{"n_hospitals": 5, "patients": 10, "icc": 0.1, **change})


@pytest.mark.parametrize(
    ("effects", "told"),
    [([1.0, 2.0], "got shape"), ([[1.0], [2.0]], "got shape"), ([[1.0, np.nan]], "finite")],
)
def test_draws_that_cannot_be_ranked_are_refused(effects, told):
    with pytest.raises(ValueError, match=told):
        rank_table(effects, ["A", "B"])


def test_the_picture_has_a_bar_for_each_hospital():
    axes = Figure().subplots()
    table = rank_table(np.random.default_rng(1).normal(size=(100, 4)), list("ABCD"))
    draw_places(axes, table)
    bars = [segment[:, 0].tolist() for segment in axes.collections[0].get_segments()]
    assert bars == table[["low", "high"]].astype(float).to_numpy().tolist()
    assert [label.get_text() for label in axes.get_yticklabels()] == list("ABCD")


def test_the_explorer_shows_the_result():
    explorer = league_explorer()
    explorer.set_state(n_hospitals=25, patients=80, icc=0.05)
    wanted = league(n_hospitals=25, patients=80, icc=0.05)
    assert f"truly the highest in {100 * wanted.chance:.0f} %" in explorer.description
    explorer.set_state(icc=0.0)
    assert "All hospitals are the same" in explorer.description


def test_the_examples_run():
    assert doctest.testmod(module).failed == 0
