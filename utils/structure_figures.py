"""Figures of lesson 15: a correlation before and after data, averages, lines to shrink to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from utils.plots import PALETTE

__all__ = ["draw_averages", "draw_correlation", "draw_targets"]


def draw_correlation(
    ax: Axes, draws: ArrayLike, density: ArrayLike, reml: tuple[float, float, float]
) -> None:
    """Draw prior and posterior of a correlation, and REML's estimate with its interval below.

    Parameters
    ----------
    ax : matplotlib Axes
    draws : array-like, shape (S,)
        Of the posterior.
    density : array-like, shape (G,)
        Of the prior, at G even steps from -1 to 1.
    reml : (low, estimate, high)
    """
    ax.hist(
        np.ravel(draws), np.linspace(-1, 1, 41), density=True, color=PALETTE["posterior"],
        alpha=0.6, label="posterior",
    )  # fmt: skip
    at = np.linspace(-1, 1, len(density))
    ax.plot(at, density, color=PALETTE["prior"], linewidth=2.5, label="prior")
    low, middle, high = reml
    look = {"color": PALETTE["random slope"], "label": "REML, 95 % interval"}
    below = -0.12 * ax.get_ylim()[1]
    ax.plot([low, high], [below, below], linewidth=3, **look)
    ax.plot(middle, below, "o", color="white", markeredgecolor=PALETTE["random slope"])
    ax.set(xlim=(-1.02, 1.02), ylim=(2 * below, None), yticks=[])
    ax.spines["left"].set_visible(False)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def draw_averages(ax: Axes, draws: Mapping[str, ArrayLike], outlined: str) -> None:
    """Draw posteriors of averages as histograms, one of them as a dashed outline.

    Parameters
    ----------
    ax : matplotlib Axes
    draws : mapping of str to array-like
        From the narrowest to the widest.
    outlined : str
        The one that is an outline.
    """
    widest = np.ravel(list(draws.values())[-1])
    low, high = np.quantile(widest, [0.002, 0.998])
    bins = np.linspace(low, high, 81)
    shades = iter((0.8, 0.35))
    for name, values in draws.items():
        look: dict = {"bins": bins, "density": True, "label": name}
        if name == outlined:
            look |= {"histtype": "step", "color": "0.3", "linestyle": "--", "linewidth": 1.5}
        else:
            look |= {"color": PALETTE["posterior"], "alpha": next(shades)}
        ax.hist(np.ravel(values), **look)
    ax.set(yticks=[])
    ax.spines["left"].set_visible(False)
    ax.legend(title="average of")


def draw_targets(
    axes: Sequence[Axes],
    predictor: ArrayLike,
    own: ArrayLike,
    shrunken: Mapping[str, ArrayLike],
    targets: Mapping[str, ArrayLike],
) -> None:
    """Draw hospitals' own and shrunken levels, and what they are shrunk to, a panel a model.

    Parameters
    ----------
    axes : sequence of matplotlib Axes
    predictor, own : array-like, shape (J,)
        A predictor of hospitals, and each hospital's level from its own patients alone.
    shrunken, targets : mapping of str to array-like, shape (J,)
        By title of the panel: the shrunken levels, and the level expected from the predictors.
    """
    x = np.asarray(predictor, float)
    order = np.argsort(x)
    for ax, title in zip(axes, shrunken, strict=True):
        level, target = np.asarray(shrunken[title], float), np.asarray(targets[title], float)
        ax.vlines(x, own, level, color="0.85", linewidth=1, zorder=1)
        ax.plot(x, own, "x", color=PALETTE["no pooling"], markersize=4, label="its own houses")
        ax.plot(x[order], target[order], color=PALETTE["complete pooling"], label="shrunk to")
        ax.plot(x, level, "D", color=PALETTE["partial pooling"], markersize=4, label="shrunken")
        ax.set(title=title)
