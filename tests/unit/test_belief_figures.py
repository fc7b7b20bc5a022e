"""Figures of beliefs show the numbers that they are given."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy import stats

from utils import exact
from utils.belief_figures import draw_beliefs, draw_chains
from utils.plots import PALETTE


@pytest.fixture
def posterior():
    wide = stats.halfnorm(scale=20)
    y, hospital = [118, 126, 131, 139, 148, 150], ["A", "A", "B", "B", "C", "C"]
    return exact.posterior(y, None, hospital, tau=wide, sigma=wide)


def test_prior_and_posterior_keep_their_colours_and_values(posterior):
    at, prior = np.linspace(0.5, 40, 50), stats.halfnorm(scale=20)
    ax = Figure().subplots()
    draw_beliefs(ax, posterior, "tau", prior, at, label="ours", dash="--")
    before, after = ax.lines
    np.testing.assert_array_equal(before.get_ydata(), prior.pdf(at))
    np.testing.assert_array_equal(after.get_ydata(), posterior.density("tau", at)["density"])
    colours = [to_hex(line.get_color()).upper() for line in ax.lines]
    assert colours == [PALETTE["prior"], PALETTE["posterior"]]
    assert {line.get_linestyle() for line in ax.lines} == {"--"}
    assert ax.get_legend_handles_labels()[1] == ["ours"]
    assert ax.get_ylim()[0] == 0


def test_two_chains_are_drawn_from_their_beginning():
    draws = np.arange(600.0).reshape(3, 200)
    ax = draw_chains(Figure().subplots(), draws, first=50)
    assert len(ax.lines) == 2
    for line, chain in zip(ax.lines, draws, strict=False):
        np.testing.assert_array_equal(line.get_ydata(), chain[:50])
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()


def test_beliefs_need_a_known_parameter_and_ascending_values(posterior):
    ax, prior = Figure().subplots(), stats.halfnorm(scale=20)
    with pytest.raises(ValueError, match="no parameter 'rho'"):
        draw_beliefs(ax, posterior, "rho", prior, [1, 2])
    with pytest.raises(ValueError, match="at must be two values or more, ascending"):
        draw_beliefs(ax, posterior, "tau", prior, [2, 1])


@pytest.mark.parametrize(
    ("draws", "first", "message"),
    [
        (np.ones(50), 20, r"two chains or more, got shape \(50,\)"),
        (np.ones((2, 50)), 51, "first must be 2 to 50, got 51"),
    ],
)
def test_chains_refuse(draws, first, message):
    with pytest.raises(ValueError, match=message):
        draw_chains(Figure().subplots(), draws, first=first)
