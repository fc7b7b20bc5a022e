"""The figures of the lesson on large data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import ArrayLike

from utils.plots import PALETTE

__all__ = ["draw_curves", "draw_runs", "draw_shortcuts"]

_COLOURS = ("random intercept", "posterior", "GEE", "no pooling", "naive", "truth")


def draw_curves(ax: Axes, ratios: ArrayLike, from_rows: ArrayLike, from_sums: ArrayLike) -> None:
    """Draw two deviances above their least values, against the ratio of the SDs."""
    for values, look, label in (
        (from_rows, {"linewidth": 6, "alpha": 0.3}, "1,000 rows"),
        (from_sums, {"color": "black", "linestyle": "--", "linewidth": 1.5}, "20 × 5 sums"),
    ):
        above = np.asarray(values) - np.min(values)
        ax.plot(ratios, above, **{"color": PALETTE["random intercept"], **look}, label=label)
    ax.set(xscale="log", ylim=(0, 30), xlabel="hospital_sd / patient_sd")
    ax.set_ylabel("deviance above its least")
    ax.set_xticks([0.1, 0.3, 1], ["0.1", "0.3", "1"])
    ax.minorticks_off()
    ax.legend()


def draw_runs(axes: Sequence[Axes], runs: pd.DataFrame) -> None:
    """Draw seconds against patients, and against hospitals, a line for each engine.

    Parameters
    ----------
    axes : sequence of two Axes
        Left: runs with the fewest hospitals. Right: runs with the most patients.
    runs : DataFrame
        Columns engine, patients, hospitals and seconds.
    """
    fewest, most = runs["hospitals"].min(), runs["patients"].max()
    panels = (
        ("patients", runs[runs["hospitals"] == fewest], f"{fewest:,.0f} hospitals"),
        ("hospitals", runs[runs["patients"] == most], f"{most:,.0f} patients"),
    )
    for ax, (along, part, title) in zip(axes, panels, strict=True):
        lines = part.sort_values(along, kind="stable").groupby("engine")
        for colour, engine in zip(_COLOURS, runs["engine"].unique(), strict=False):
            one = lines.get_group(engine)
            ax.plot(one[along], one["seconds"], "o-", color=PALETTE[colour], label=engine)
        ax.set(xscale="log", yscale="log", xlabel=along)
        ax.set_title(title, loc="left")
        at = sorted(part[along].unique())
        ax.set_xticks(at, [f"{value:,.0f}" for value in at])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes[0].set_ylabel("seconds, once compiled")
    axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))


def draw_shortcuts(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the widths of short cuts' intervals, the exact posterior's being 1.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        Indexed by hospitals and method, with width and width_se.
    """
    colour = PALETTE["posterior"]
    for shift, inside, (hospitals, one) in zip(
        (-0.1, 0.1), ("white", colour), table.groupby(level="hospitals"), strict=True
    ):
        ax.errorbar(
            one["width"], np.arange(len(one)) + shift, xerr=2 * one["width_se"], fmt="o",
            color=colour, markerfacecolor=inside, label=f"{hospitals} hospitals",
        )  # fmt: skip
    ax.axvline(1, color="0.4", linestyle="--", linewidth=1)
    names = list(table.index.get_level_values("method").unique())
    ax.set_yticks(range(len(names)), names)
    ax.set(xlim=(0, 1.15), ylim=(-0.5, len(names) - 0.5))
    ax.set_xlabel("width of the 95 % interval, exact posterior = 1")
    ax.legend(loc="upper left")
