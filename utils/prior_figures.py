"""Figures of lesson 13: one posterior under many priors, and what priors say before any data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import colors
from matplotlib.axes import Axes

from utils.exact import Posterior
from utils.plots import PALETTE, log_axis

__all__ = ["draw_gaps", "draw_log_densities", "draw_posteriors", "draw_scores", "looks"]

_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (2.5, 2.5)))
_MARKERS = ("o", "D", "^", "v", "P")
_TINTS = (0.5, 0.75, 1.0, 1.25, 1.6)


def looks(names: Sequence[str], thing: str = "posterior") -> dict[str, dict]:
    """Return how to draw the lines of up to five priors: one colour from pale to dark, in dashes.

    Parameters
    ----------
    names : sequence of str
        Names of the priors, the tightest first.
    thing : str
        A name in PALETTE.

    Raises
    ------
    ValueError
        If there are more than five.

    Examples
    --------
    >>> looks(["tight", "wide"])["tight"]["linestyle"]
    '-'
    """
    names = list(names)
    if len(names) > len(_DASHES):
        raise ValueError(f"at most {len(_DASHES)} priors can be told apart, got {len(names)}")
    base = np.array(colors.to_rgb(PALETTE[thing]))
    shades = [1 - (1 - base) * tint if tint <= 1 else base * (2 - tint) for tint in _TINTS]
    return {
        name: {"color": tuple(shade), "linestyle": dash, "label": name}
        for name, shade, dash in zip(names, shades, _DASHES, strict=False)
    }


def draw_posteriors(
    fits: Mapping[str, Posterior], parameter: str, at: np.ndarray, ax: Axes
) -> Axes:
    """Draw the posterior density of one parameter under several priors.

    Parameters
    ----------
    fits : mapping of str to Posterior
        Name of the prior -> posterior.
    parameter : str
        A name in the posteriors.
    at : ndarray
        Where to draw it.
    ax : matplotlib Axes

    Returns
    -------
    matplotlib Axes
        The same axes, without a scale of density.
    """
    styles = looks(list(fits))
    for name, fit in fits.items():
        ax.plot(at, fit.density(parameter, at)["density"], **styles[name])
    ax.set(ylim=(0, None), yticks=[])
    ax.spines["left"].set_visible(False)
    return ax


def draw_scores(boards: Mapping[float, pd.DataFrame], axes: Sequence[Axes]) -> None:
    """Draw coverage against width of each prior, one panel for each true hospital_sd.

    Parameters
    ----------
    boards : mapping of float to DataFrame
        True hospital_sd -> what `utils.prior_study.score_priors` returns, perhaps with a row
        "t-test".
    axes : sequence of matplotlib Axes
        As many as boards.
    """
    for ax, (spread, board) in zip(axes, boards.items(), strict=True):
        ax.axhline(95, color=PALETTE["truth"], linestyle="--", linewidth=1)
        names = [name for name in board.index if name != "t-test"]
        styles = zip(names, looks(names).values(), _MARKERS, strict=False)
        for name, look, marker in styles:
            width, coverage = board.loc[name, ["width", "coverage_%"]]
            ax.plot(width, coverage, marker, markersize=9, color=look["color"], label=name)
        if "t-test" in board.index:
            width, coverage = board.loc["t-test", ["width", "coverage_%"]]
            look = {"color": PALETTE["hospital means"], "label": "t-test, no prior"}
            ax.plot(width, coverage, "s", markersize=8, **look)
        ax.set(title=f"true hospital_sd {spread:g} mmHg", xlabel="mean width (mmHg)")
        ax.margins(0.12)
    axes[0].set_ylabel("coverage (%)")


def draw_log_densities(left: Axes, left_title: str, right: Axes, right_title: str) -> None:
    """Finish two panels of densities of log hospital_sd: the same axis, no scale of density."""
    for ax, title in ((left, left_title), (right, right_title)):
        ax.set(title=title, yticks=[], ylim=(0, None))
        ax.spines["left"].set_visible(False)
        log_axis(ax, [0.01, 0.1, 1, 10], "hospital_sd (mmHg)")
        ax.legend(loc="upper left")


def draw_gaps(shares: pd.DataFrame, ax: Axes) -> Axes:
    """Draw shares that add up to 100 % as one bar a row, from believable (left) to absurd.

    Parameters
    ----------
    shares : DataFrame
        One row a prior, one column a kind of outcome; in %.
    ax : matplotlib Axes

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If a row does not add up to 100.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> table = pd.DataFrame({"few mmHg": [80.0], "more": [20.0]}, index=["half-normal(5)"])
    >>> [text.get_text() for text in draw_gaps(table, ax).texts]
    ['80', '20']
    >>> plt.close(fig)
    """
    if not np.allclose(shares.sum(axis=1), 100, atol=0.01):
        raise ValueError(f"every row must add up to 100 %, got\n{shares.sum(axis=1)}")
    base = np.array(colors.to_rgb(PALETTE["prior"]))
    tints = np.linspace(0.35, 1, max(shares.shape[1] - 1, 1))
    fills = [*(tuple(1 - (1 - base) * tint) for tint in tints), "#333333"][: shares.shape[1]]
    fills[-1] = "#333333"
    left = np.zeros(len(shares))
    for column, fill in zip(shares, fills, strict=True):
        width = shares[column].to_numpy()
        ax.barh(shares.index, width, left=left, color=fill, label=column, height=0.7)
        for place, (start, length) in enumerate(zip(left, width, strict=True)):
            if length >= 4:
                ink = "white" if fill == "#333333" else "black"
                ax.text(start + length / 2, place, f"{length:.0f}", ha="center", va="center",
                        color=ink)  # fmt: skip
        left = left + width
    ax.set(xlim=(0, 100))
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.legend(loc="lower center", bbox_to_anchor=(0.42, 1), ncols=shares.shape[1])
    return ax
