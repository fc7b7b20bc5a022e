import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from utils.comparisons import method_rows
from utils.plots import PALETTE

ROWS = pd.DataFrame(
    {"estimate": [-7.0, 2.0, np.nan], "lower": [-9.0, 1, 0], "upper": [-5.0, 4, 1]},
    index=["GEE", "random intercept", "hospital dummies"],
)


@pytest.fixture
def ax():
    fig, axes = plt.subplots()
    yield axes
    plt.close(fig)


def test_lines_and_dots_are_the_numbers_in_the_colour_of_the_method(ax):
    method_rows(ROWS, ax, truth=-8, notes={"GEE": "93 %"})
    truth, line, dot, other_line, other_dot = ax.get_lines()
    assert truth.get_xdata() == [-8, -8]
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([-9, -5], [0, 0])
    assert (list(dot.get_xdata()), list(other_dot.get_ydata())) == ([-7], [1])
    assert line.get_color() == dot.get_color() == PALETTE["GEE"]
    assert other_line.get_color() == PALETTE["random intercept"]
    assert [t.get_text() for t in ax.texts] == ["93 %", "cannot say"]
    assert ax.texts[1].get_position() == (-8, 2)
    assert ax.yaxis_inverted()


def test_order_decides_the_rows_and_absent_methods_are_named(ax):
    order = ["cluster-robust", "random intercept"]
    method_rows(ROWS, ax, truth=0, order=order, missing="left out", notes=pd.Series(dtype=str))
    assert [t.get_text() for t in ax.get_yticklabels()] == order
    assert ax.texts[0].get_text() == "left out" and ax.texts[0].get_position()[1] == 0
    assert list(ax.get_lines()[1].get_xdata()) == [1, 4]


def test_method_rows_refuse(ax):
    with pytest.raises(ValueError, match=r"missing: \['upper'\]"):
        method_rows(ROWS.drop(columns="upper"), ax, truth=0)
    with pytest.raises(ValueError, match=r"a method must be one of .* got 'magic'"):
        method_rows(ROWS.rename(index={"GEE": "magic"}), ax, truth=0)
