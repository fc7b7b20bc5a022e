"""Causal graphs and estimates against the truth, as drawn."""

import doctest

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from utils import graphs
from utils.plots import PALETTE

PLACES = {"drug": (0.2, 0.2), "pressure": (0.8, 0.2), "illness": (0.5, 0.8)}
ARROWS = [("illness", "drug"), ("illness", "pressure"), ("drug", "pressure")]


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


def test_arrows_run_from_frame_to_frame_and_touch_no_word(ax):
    graphs.causal_graph(PLACES, ARROWS, ax, asked=ARROWS[2], unseen=["illness"])
    ax.figure.canvas.draw()
    renderer = ax.figure.canvas.get_renderer()
    words = [text.get_window_extent(renderer) for text in ax.texts]
    for arrow, (cause, effect) in zip(ax.patches, ARROWS, strict=True):
        tips = arrow.get_path().transformed(arrow.get_transform()).vertices
        assert not any(box.contains(*tip) for box in words for tip in tips[[0, -1]])
        start, end = (ax.transData.transform(PLACES[name]) for name in (cause, effect))
        assert np.linalg.norm(tips[0] - start) < np.linalg.norm(tips[0] - end)
    assert to_hex(ax.patches[2].get_edgecolor()) == PALETTE["treated"].lower()
    assert [t.get_bbox_patch().get_linestyle() for t in ax.texts] == ["-", "-", "--"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arrows": [("drug", "death")]}, "must name places .* got 'death'"),
        ({"unseen": ["habit"]}, "got 'habit'"),
        ({"asked": ("pressure", "drug")}, "asked must be one of the arrows"),
        ({"arrows": [*ARROWS, ("pressure", "illness")]}, "circle"),
    ],
)
def test_what_is_no_causal_graph_is_refused(ax, change, message):
    arguments = {"places": PLACES, "arrows": ARROWS, "ax": ax} | change
    with pytest.raises(ValueError, match=message):
        graphs.causal_graph(**arguments)
    assert not ax.texts


def test_estimates_are_drawn_where_they_lie_in_order(ax):
    rng = np.random.default_rng(1)
    names = ["within-between", "random intercept, t"]
    trials = pd.DataFrame(
        {"method": names * 500, "estimate": rng.normal([1, 3] * 500, 1), "trial": range(1000)}
    )
    trials["method"] = pd.Categorical(trials["method"], names[::-1])
    graphs.estimates_against_truth(trials, ax, truth=1.5)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["random intercept", "within-between"]
    truth, *lines = ax.lines  # then a range and a dot of each method
    dots = [dot.get_xdata()[0] for dot in lines[1::2]]
    means = trials.groupby("method", observed=True)["estimate"].mean()
    assert dots == pytest.approx(means.tolist())
    for line, mean in zip(lines[::2], [3, 1], strict=True):
        assert line.get_xdata() == pytest.approx([mean - 1.96, mean + 1.96], abs=0.3)
    assert list(truth.get_xdata()) == [1.5, 1.5]
    assert [dot.get_color() for dot in lines[1::2]] == [
        PALETTE["random intercept"], PALETTE["within-between"]
    ]  # fmt: skip
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_estimates_refuse_what_they_cannot_draw(ax):
    with pytest.raises(ValueError, match=r"missing \{'estimate'\}"):
        graphs.estimates_against_truth(pd.DataFrame({"method": ["naive"]}), ax, truth=0)
    with pytest.raises(ValueError, match="got 'oracle'"):
        graphs.estimates_against_truth(
            pd.DataFrame({"method": ["oracle"], "estimate": [1.0]}), ax, truth=0
        )


def test_docstrings_run():
    assert doctest.testmod(graphs).failed == 0
