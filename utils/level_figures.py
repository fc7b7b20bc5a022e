"""Figures of patients with several levels above them: axes in, axes out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from utils.plots import LABELS, PALETTE

__all__ = ["count_table", "nested_means", "sd_intervals", "staircase"]


def nested_means(data: pd.DataFrame, ax: Axes, *, levels: list[str], outcome: str = "sbp") -> Axes:
    """Draw every patient above the lowest unit, and the mean of each unit of each level.

    Parameters
    ----------
    data : DataFrame, one row a patient
        Columns of the levels and the outcome. Labels of a lower level may repeat in another
        unit above.
    ax : matplotlib Axes
        Where to draw.
    levels : list of str
        Columns, the top level first; each has its colour in PALETTE.
    outcome : str
        Column on the vertical axis.

    Returns
    -------
    matplotlib Axes
        The same axes; one tick for each unit of the top level.

    Raises
    ------
    ValueError
        If a column is missing, or a level has no colour.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> table = pd.DataFrame({"hospital": list("AAB"), "ward": list("121"), "sbp": [1, 2, 3]})
    >>> fig, ax = plt.subplots()
    >>> ax = nested_means(table, ax, levels=["hospital", "ward"])
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['A', 'B']
    >>> plt.close(fig)
    """
    missing = sorted({*levels, outcome} - set(data.columns))
    if missing:
        raise ValueError(f"data must have the columns {levels} and {outcome!r}; missing: {missing}")
    strange = sorted(set(levels) - set(PALETTE))
    if strange or not levels:
        raise ValueError(f"levels must be columns that have a colour in PALETTE; got {levels}")
    table = data[[*levels, outcome]].astype({level: str for level in levels})
    table = table.sort_values(levels, kind="stable")
    # One step to the right for each unit of the lowest level, and a gap between units above.
    first = table.groupby(levels, sort=True)[outcome].size().index.to_frame(index=False)
    gaps = [first[levels[: k + 1]].ne(first[levels[: k + 1]].shift()).any(axis=1)
            for k in range(len(levels))]  # fmt: skip
    place = np.cumsum(1 + 0.6 * sum(gap.astype(float) for gap in gaps[:-1]))
    where = pd.Series(np.asarray(place), index=pd.MultiIndex.from_frame(first))
    across = where.reindex(pd.MultiIndex.from_frame(table[levels])).to_numpy()
    sideways = np.random.default_rng(0).uniform(-0.25, 0.25, len(table))  # for the eye, no more
    ax.scatter(across + sideways, table[outcome], s=10, color=PALETTE["patients"], alpha=0.7)
    for k in range(len(levels) - 1, -1, -1):
        units = table.assign(across=across).groupby(levels[: k + 1], sort=True)
        ends = units["across"].agg(["min", "max"])
        ax.hlines(
            units[outcome].mean(), ends["min"] - 0.45, ends["max"] + 0.45,
            color=PALETTE[levels[k]], linewidth=2.2 + 0.6 * (len(levels) - k),
            label=f"mean of a {levels[k]}",
        )  # fmt: skip
    middle = table.assign(across=across).groupby(levels[0], sort=True)["across"]
    ax.set_xticks((middle.min() + middle.max()) / 2, list(middle.groups))
    ax.set(ylabel=LABELS.get(outcome, outcome), xlabel=levels[0])
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(levels))
    return ax


def staircase(matrix: np.ndarray, ax: Axes, *, words: dict[float, str]) -> Axes:
    """Draw a matrix of a few values in shades of grey, with what each value means.

    Parameters
    ----------
    matrix : array, shape (n, n)
        For instance the correlations of n patients.
    ax : matplotlib Axes
        Where to draw; the legend stands at the right.
    words : dict of float to str
        Value -> what it means, for every value in the matrix (to two decimals), ascending.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If the matrix holds a value that has no words.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> ax = staircase(np.eye(2), ax, words={0: "strangers", 1: "the same"})
    >>> len(ax.get_legend().get_texts())
    2
    >>> plt.close(fig)
    """
    values = np.array(sorted(words))
    distance = np.abs(np.asarray(matrix, dtype=float)[..., None] - values)
    if distance.min(axis=-1).max() > 0.005:
        raise ValueError(f"every value must have words, got {np.unique(matrix)} for {list(words)}")
    shades = [str(shade) for shade in 0.97 - 0.92 * np.sqrt(np.abs(values) / np.abs(values).max())]
    ax.imshow(distance.argmin(axis=-1), cmap=ListedColormap(shades), vmin=-0.5,
              vmax=len(values) - 0.5)  # fmt: skip
    for value, shade in zip(values, shades, strict=True):
        ax.plot([], [], "s", ms=13, mfc=shade, mec="#444444", label=f"{value:.2f}  {words[value]}")
    ax.legend(loc="center left", bbox_to_anchor=(1.03, 0.5), labelspacing=0.9)
    ax.set(xticks=[], yticks=[])
    return ax


def count_table(rows: pd.Series, columns: pd.Series, ax: Axes, *, thing: str = "ward") -> Axes:
    """Draw which labels of two columns occur together: a square for each pair that does.

    Parameters
    ----------
    rows, columns : Series of the same length
        The labels, one entry a row of the data; their names become the axes' labels.
    ax : matplotlib Axes
        Where to draw.
    thing : str
        A name in PALETTE, for the colour.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> batch, cask = pd.Series(list("AAB"), name="batch"), pd.Series([1, 2, 3], name="cask")
    >>> ax = count_table(batch, cask, ax)
    >>> ax.get_ylabel()
    'batch'
    >>> plt.close(fig)
    """
    table = pd.crosstab(rows.astype(str), columns.astype(str))
    ax.imshow(table > 0, cmap=ListedColormap(["white", PALETTE[thing]]), vmin=0, vmax=1,
              aspect="auto")  # fmt: skip
    for axis, labels in ((ax.xaxis, table.columns), (ax.yaxis, table.index)):
        axis.set_ticks(np.arange(len(labels) + 1) - 0.5, minor=True)
        shown = range(len(labels)) if len(labels) <= 12 else []
        axis.set_ticks(list(shown), [labels[i] for i in shown])
    ax.grid(which="minor", color="#CCCCCC", linewidth=0.8)
    ax.tick_params(which="both", length=0)
    ax.set(xlabel=columns.name, ylabel=rows.name)
    return ax


def sd_intervals(table: pd.DataFrame, ax: Axes) -> Axes:
    """Draw estimated SDs of levels with their intervals, and the truth if it is known.

    Parameters
    ----------
    table : DataFrame
        As `LMMFit.variances`: rows such as "ward_sd", with `estimate`, `lower`, `upper`, and
        perhaps `truth`. Rows that are not SDs are left out.
    ax : matplotlib Axes
        Where to draw; the first row stands at the top.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> table = pd.DataFrame({"estimate": [5.0], "lower": [3.0], "upper": [8.0]}, index=["ward_sd"])
    >>> [label.get_text() for label in sd_intervals(table, ax).get_yticklabels()]
    ['ward']
    >>> plt.close(fig)
    """
    rows = table[table.index.str.endswith("_sd")]
    names = rows.index.str.removesuffix("_sd")
    for place, (name, row) in enumerate(zip(names, rows.itertuples(), strict=True)):
        colour = PALETTE.get("patients" if name == "patient" else name, "#444444")
        ax.hlines(place, row.lower, row.upper, color=colour, linewidth=4)
        ax.plot(row.estimate, place, "D", color=colour, markersize=9)
        if "truth" in rows:
            ax.plot(row.truth, place, "x", color=PALETTE["truth"], markersize=9, mew=2)
    ax.set_yticks(range(len(rows)), names)
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, None))
    ax.set_xlabel("SD (mmHg): estimate, 95 % interval" + (", truth ×" if "truth" in rows else ""))
    return ax
