"""The figures of utils.slopes: hospitals as lines, as points, and their effects as a curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from scipy import stats

from utils.plots import PALETTE


def fan(ax: Axes, lines: pd.DataFrame, *, names: Sequence[str] = ("untreated", "treated")) -> Axes:
    """Draw one line a hospital from x = 0 to x = 1, and their mean.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    lines : DataFrame, one row a hospital
        Columns `intercept` and `slope`, as `own_lines` returns them.
    names : sequence of two str
        What x = 0 and x = 1 are.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> len(fan(ax, pd.DataFrame({"intercept": [138.0, 144.0], "slope": [-3.0, -9.0]})).lines)
    3
    >>> plt.close(fig)
    """
    ends = np.stack([lines["intercept"], lines["intercept"] + lines["slope"]])
    ax.plot([0, 1], ends, color=PALETTE["no pooling"], alpha=0.45, linewidth=1.2)
    middle = np.nanmean(ends, axis=1)
    ax.plot([0, 1], middle, color=PALETTE["random slope"], linewidth=4)
    ax.text(
        1.03, middle[1], f"mean of\nthe {len(lines)} lines", va="center",
        color=PALETTE["random slope"],
    )  # fmt: skip
    ax.set_xticks([0, 1], list(names))
    ax.set_xlim(-0.1, 1.3)
    return ax


def effects_curve(ax: Axes, *, mean: float, sd: float, interval: Sequence[float]) -> Axes:
    """Draw the normal curve of hospitals' effects, with what is known of its mean.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    mean, sd : float
        Of the hospitals' true effects, as estimated.
    interval : sequence of two float
        Confidence interval of the mean.

    Returns
    -------
    matplotlib Axes
        The same axes: the share of effects above 0 is shaded; bar 1 is the interval of the mean,
        bar 2 holds 95 % of the hospitals' effects.

    Raises
    ------
    ValueError
        If `sd` is not above 0.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> ax = effects_curve(ax, mean=-6, sd=4, interval=(-8, -4))
    >>> [text.get_text().split("  ")[-1] for text in ax.texts]
    ['7 % of hospitals: above 0', 'mean effect, 95 % interval', "95 % of hospitals' effects"]
    >>> plt.close(fig)
    """
    if not sd > 0:
        raise ValueError(f"sd must be above 0, got {sd!r}")
    colour = PALETTE["random slope"]
    x = np.linspace(mean - 3.4 * sd, mean + 3.4 * sd, 400)
    top = stats.norm.pdf(0) / sd
    density = stats.norm.pdf(x, mean, sd)
    ax.plot(x, density, color=colour)
    ax.fill_between(x, density, where=x > 0, color=colour, alpha=0.4)
    share = 100 * stats.norm.sf(0, mean, sd)
    height = stats.norm.pdf(max(0, mean), mean, sd) + 0.06 * top
    ax.text(max(0, mean), height, f"  {share:.0f} % of hospitals: above 0")
    bars = {
        "1  mean effect, 95 % interval": interval,
        "2  95 % of hospitals' effects": (mean - 1.96 * sd, mean + 1.96 * sd),
    }
    for row, (words, ends) in enumerate(bars.items()):
        place = -top * (0.16 + 0.26 * row)
        ax.plot(ends, [place, place], color=colour, linewidth=5)
        ax.text(ends[1] + 0.15 * sd, place, words, va="center")
    ax.set(ylim=(-0.55 * top, 1.08 * top), yticks=[], xlim=(x[0], mean + 5.6 * sd))
    ax.spines["left"].set_visible(False)
    return ax


def rejection_dots(ax: Axes, grid: pd.DataFrame, x: str, *, nominal: float = 0.05) -> Axes:
    """Draw the type-I error of several analyses as dots, and what is foreseen of it as a line.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    grid : DataFrame
        As `utils.studies.varying_effect_grid` returns it.
    x : str
        Its column on the horizontal axis.
    nominal : float
        The level asked for, drawn dashed.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    absent = {x, "method", "rejected", "foreseen"} - set(grid.columns)
    if absent:
        raise ValueError(f"grid must have the columns {sorted(absent)}, has {list(grid.columns)}")
    for method, line in grid.groupby("method", observed=True):
        name = str(method).partition(",")[0]
        look = {"color": PALETTE[name], "label": name}
        ax.plot(line[x], line["rejected"], "o", **look)
        ax.plot(line[x], line["foreseen"], color=PALETTE[name], linewidth=1.2)
    ax.axhline(nominal, color=PALETTE["truth"], linestyle="--")
    return ax


def cloud(
    ax: Axes,
    *,
    own: pd.DataFrame | None = None,
    shrunken: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    ellipse: ArrayLike | None = None,
    mean: ArrayLike | None = None,
) -> Axes:
    """Draw hospitals as points, intercept across and slope up.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    own, shrunken, truth : DataFrame, optional
        Columns `intercept` and `slope`, one row a hospital. Where own and shrunken are both
        given, an arrow leads from one to the other. A column `n` in own makes larger dots.
    ellipse : array-like, shape (2, k), optional
        The population contour, see `contour`.
    mean : array-like, shape (2,), optional
        The population's centre, drawn as a plus.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If a table lacks a column.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> points = pd.DataFrame({"intercept": [138.0, 144.0], "slope": [-3.0, -9.0]})
    >>> labels = [text.get_text() for text in cloud(ax, own=points).get_legend().get_texts()]
    >>> labels
    ['own line']
    >>> plt.close(fig)
    """
    tables = {"own": own, "shrunken": shrunken, "truth": truth}
    for name, table in tables.items():
        absent = {"intercept", "slope"} - set(() if table is None else table.columns)
        if table is not None and absent:
            raise ValueError(f"{name} must have the columns intercept and slope, lacks {absent}")
    if own is not None and shrunken is not None:
        start = own[["intercept", "slope"]].dropna()
        start = start[start.index.isin(shrunken.index)]
        way = shrunken.loc[start.index, ["intercept", "slope"]] - start
        ax.quiver(
            start["intercept"], start["slope"], way["intercept"], way["slope"], angles="xy",
            scale_units="xy", scale=1, color=PALETTE["patients"], width=0.003, headwidth=5,
            zorder=2,
        )  # fmt: skip
    if own is not None:
        n = own["n"] if "n" in own else pd.Series(20.0, index=own.index)
        size = 14 + 70 * n / max(60, n.max())
        look = {"facecolor": "none", "edgecolor": PALETTE["no pooling"], "linewidth": 1.5}
        ax.scatter(own["intercept"], own["slope"], s=size, label="own line", zorder=3, **look)
    looks = {
        "shrunken": (shrunken, {"marker": "D", "s": 26, "color": PALETTE["partial pooling"]}),
        "truth": (truth, {"marker": "x", "s": 34, "color": PALETTE["truth"], "linewidth": 1.4}),
    }
    for name, (table, look) in looks.items():
        if table is not None:
            ax.scatter(table["intercept"], table["slope"], label=name, zorder=4, **look)
    colour = PALETTE["random slope"]
    if ellipse is not None:
        ax.plot(*np.asarray(ellipse), color=colour, label="population contour", zorder=1)
    if mean is not None:
        ax.plot(*mean, "+", color=colour, markersize=14, markeredgewidth=2.5, zorder=5)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, columnspacing=1,
            handletextpad=0.3, handlelength=1.4,
        )  # fmt: skip
    return ax
