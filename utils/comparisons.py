"""Estimates by several methods, one below another, each in its colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from utils.plots import PALETTE

__all__ = ["method_rows"]


def method_rows(
    rows: pd.DataFrame,
    ax: Axes,
    *,
    truth: float,
    order: Sequence[str] | None = None,
    notes: Mapping[str, str] | pd.Series | None = None,
    missing: str = "cannot say",
) -> Axes:
    """Draw one row a method: the estimate as a dot, its range as a line, the truth dashed.

    Parameters
    ----------
    rows : DataFrame
        Indexed by method, names in `utils.plots.PALETTE`; columns `estimate`, `lower`, `upper`.
    ax : matplotlib Axes
        Where to draw.
    truth : float
        Where to draw the dashed line.
    order : sequence of str, optional
        The methods from top to bottom; by default those of `rows`. A method that is not in
        `rows`, or whose numbers are missing, gets the word `missing`.
    notes : mapping or Series of str to str, optional
        Method -> a few words at the right end of its line.
    missing : str
        See `order`.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If a column is missing, or a method has no colour.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> rows = pd.DataFrame({"estimate": -7.0, "lower": -9.0, "upper": -5.0}, index=["GEE"])
    >>> ax = method_rows(rows, ax, truth=-8, order=["GEE", "hospital dummies"])
    >>> [label.get_text() for label in ax.get_yticklabels()], ax.texts[0].get_text()
    (['GEE', 'hospital dummies'], 'cannot say')
    >>> plt.close(fig)
    """
    columns = ["estimate", "lower", "upper"]
    absent = [column for column in columns if column not in rows]
    if absent:
        raise ValueError(f"rows must have the columns {', '.join(columns)}; missing: {absent}")
    names = list(rows.index if order is None else order)
    unknown = [name for name in names if name not in PALETTE]
    if unknown:
        raise ValueError(f"a method must be one of {', '.join(PALETTE)}; got {unknown[0]!r}")
    ax.axvline(truth, color=PALETTE["truth"], linestyle="--", linewidth=1.5, zorder=0)
    white = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none"}
    for place, name in enumerate(names):
        estimate, low, high = rows.reindex([name])[columns].to_numpy(dtype=float)[0]
        if np.isnan([estimate, low, high]).any():
            ax.text(truth, place, missing, ha="center", va="center", bbox=white)
            continue
        ax.plot([low, high], [place, place], color=PALETTE[name], linewidth=3)
        ax.plot(estimate, place, "o", markersize=8, color=PALETTE[name])
        if notes is not None and name in notes:
            look = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
            ax.annotate(notes[name], (high, place), bbox=white, **look)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    return ax
