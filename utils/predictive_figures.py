"""Figures of predictive checks: what replicated data say, what was observed, who was held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from utils.plots import PALETTE

__all__ = ["draw_check", "draw_coverage", "draw_intervals", "tail_share"]


def tail_share(replicated: ArrayLike, observed: float) -> float:
    """Return the share of replicates on the smaller side of what was observed.

    Parameters
    ----------
    replicated : array-like, shape (R,)
        A number computed from each replicated data set.
    observed : float
        The same number of the data. A replicate that equals it counts half.

    Examples
    --------
    >>> tail_share([1, 2, 3, 4], 3.5)
    0.25
    """
    replicated = np.asarray(replicated, float)
    above = (replicated > observed).mean() + (replicated == observed).mean() / 2
    return float(min(above, 1 - above))


def draw_check(ax: Axes, replicated: ArrayLike, observed: float, *, bins: int = 30) -> None:
    """Draw replicates as a histogram and the observed number as a line, both in view.

    Parameters
    ----------
    ax : matplotlib Axes
    replicated : array-like, shape (R,)
    observed : float
    bins : int
    """
    replicated = np.asarray(replicated, float)
    ax.hist(replicated, bins, color=PALETTE["posterior"], alpha=0.5, label="replicates")
    ax.axvline(observed, color=PALETTE["truth"], linewidth=2.5, label="observed")
    room = 0.08 * (max(replicated.max(), observed) - min(replicated.min(), observed))
    ax.set_xlim(min(replicated.min(), observed) - room, max(replicated.max(), observed) + room)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def draw_coverage(ax: Axes, table: pd.DataFrame, colours: Sequence[str]) -> None:
    """Draw shares of intervals that hold, a row for each group, beside the 95 % promised.

    Parameters
    ----------
    ax : matplotlib Axes
    table : DataFrame
        Per cent; one row per group, from the bottom up, one column per model.
    colours : sequence of str
        One for each column.
    """
    places = np.arange(len(table))
    shifts = np.linspace(-0.1, 0.1, table.shape[1])
    for name, marker, colour, shift in zip(table, "osD^", colours, shifts, strict=False):
        ax.plot(table[name], places + shift, marker, color=colour, markersize=9, label=name)
    ax.axvline(95, color=PALETTE["truth"], linestyle="--", linewidth=1.2)
    low = np.floor(min(table.to_numpy().min(), 88) / 4) * 4 - 4
    ax.set(yticks=places, yticklabels=table.index, ylim=(-0.5, len(table) - 0.5), xlim=(low, 100))
    ax.legend(loc="lower left")


def draw_intervals(
    ax: Axes,
    rows: Mapping[str, ArrayLike],
    colours: Mapping[str, str] | None = None,
    *,
    numbers: bool = True,
) -> None:
    """Draw an interval and its middle for each row, from the top down, and a line at 1.

    Parameters
    ----------
    ax : matplotlib Axes
    rows : mapping of str to (low, middle, high)
        Ratios.
    colours : mapping of str to str, optional
        Colours of rows that are no posteriors.
    numbers : bool
        Whether the middles are written out.
    """
    for place, (name, (low, middle, high)) in enumerate(rows.items()):
        colour = (colours or {}).get(name, PALETTE["posterior"])
        ax.plot([low, high], [place, place], color=colour, linewidth=4)
        ax.plot(middle, place, "o", color="white", markeredgecolor=colour)
        if numbers:
            ax.text(high + 0.01, place, f"{middle:.2f}", va="center")
    ax.axvline(1, color="0.6", linewidth=1)
    ax.set(yticks=range(len(rows)), yticklabels=list(rows), ylim=(len(rows) - 0.4, -0.6))
