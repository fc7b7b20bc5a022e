"""The figures of lesson 15 draw the numbers that they are given."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from utils.structure_figures import draw_averages, draw_correlation, draw_targets


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_correlation_s_prior_and_interval_are_where_they_were_told():
    ax = Figure().subplots()
    draw_correlation(ax, np.linspace(-0.5, 0.5, 100), np.full(5, 0.5), (-0.4, 0.1, 0.6))
    prior, interval, middle = ax.lines
    assert prior.get_xdata().tolist() == [-1, -0.5, 0, 0.5, 1]
    assert set(prior.get_ydata()) == {0.5}
    assert interval.get_xdata().tolist() == [-0.4, 0.6]
    assert middle.get_xdata() == [0.1]
    assert middle.get_ydata()[0] < 0  # below the hill
    area = sum(bar.get_height() * bar.get_width() for bar in ax.patches)
    assert area == pytest.approx(1)
    assert labels(ax) == ["posterior", "prior", "REML, 95 % interval"]


def test_averages_share_their_bins_and_one_is_an_outline():
    ax, wide = Figure().subplots(), np.random.default_rng(1).normal(size=2000)
    draw_averages(ax, {"six": wide / 5, "six again": wide / 5, "all": wide}, "six again")
    assert labels(ax) == ["six", "six again", "all"]
    filled = [patch for patch in ax.patches if patch.get_fill()]
    assert len(filled) == 160  # two histograms of 80 bars
    assert len(ax.patches) == 161


def test_levels_are_drawn_over_their_predictor_and_targets_in_its_order():
    axes = Figure().subplots(1, 2)
    x, own = [3.0, 1.0, 2.0], [5.0, 6.0, 7.0]
    shrunken = {"flat": [5.5, 6.0, 6.5], "line": [5.1, 6.1, 6.9]}
    draw_targets(axes, x, own, shrunken, {"flat": [6.0] * 3, "line": [3.0, 1.0, 2.0]})
    crosses, target, diamonds = axes[1].lines
    assert crosses.get_ydata().tolist() == own
    assert target.get_xdata().tolist() == target.get_ydata().tolist() == [1.0, 2.0, 3.0]
    assert diamonds.get_ydata().tolist() == shrunken["line"]
    assert [ax.get_title() for ax in axes] == ["flat", "line"]
