"""Figures of predictive checks: what replicated data say, and what was observed."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from utils.plots import PALETTE

__all__ = ["draw_check", "tail_share"]


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
