"""Figures about cause: what causes what, and what estimators make of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch

from utils.comparisons import method_rows
from utils.plots import PALETTE

__all__ = ["causal_graph", "estimates_against_truth"]

_INK = "#333333"


def causal_graph(
    places: Mapping[str, tuple[float, float]],
    arrows: Sequence[tuple[str, str]],
    ax: Axes,
    *,
    asked: tuple[str, str] | None = None,
    unseen: Collection[str] = (),
) -> Axes:
    """Draw a causal graph: an arrow leads from each cause to what it changes.

    Parameters
    ----------
    places : mapping of str to (x, y)
        Words of each node, and where its middle lies; both axes run from 0 to 1.
    arrows : sequence of (str, str)
        Cause and effect, by their words. There must be no way round in a circle.
    ax : matplotlib Axes
        Where to draw. Its frame and ticks are taken off.
    asked : (str, str), optional
        The arrow whose effect is asked for: drawn in the colour of treatment.
    unseen : collection of str
        Nodes that are not in the data: drawn with a dashed frame.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If a name is not among the places, `asked` is not among the arrows, or arrows run in a
        circle, so that something would be its own cause.

    Notes
    -----
    Such a graph is a directed acyclic graph: Pearl J, Biometrika 1995; 82: 669-688.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> places = {"drug": (0.2, 0.3), "pressure": (0.8, 0.3), "illness": (0.5, 0.8)}
    >>> arrows = [("illness", "drug"), ("illness", "pressure"), ("drug", "pressure")]
    >>> ax = causal_graph(places, arrows, ax, asked=("drug", "pressure"), unseen=["illness"])
    >>> len(ax.patches), [text.get_text() for text in ax.texts]
    (3, ['drug', 'pressure', 'illness'])
    >>> plt.close(fig)
    """
    _check(places, arrows, asked, unseen)
    boxes = {}
    for words, (x, y) in places.items():
        frame = {
            "boxstyle": "round,pad=0.35",
            "facecolor": "white",
            "edgecolor": _INK,
            "linestyle": "--" if words in unseen else "-",
        }
        text = ax.text(x, y, words, ha="center", va="center", bbox=frame, zorder=3)
        boxes[words] = text.get_bbox_patch()
    for cause, effect in arrows:
        wanted = (cause, effect) == asked
        # Drawn after the words, whose frames are where the arrow begins and ends.
        ax.add_patch(
            FancyArrowPatch(
                places[cause], places[effect], patchA=boxes[cause], patchB=boxes[effect],
                arrowstyle="-|>", mutation_scale=16, shrinkA=2, shrinkB=2, zorder=4,
                color=PALETTE["treated"] if wanted else _INK, linewidth=3 if wanted else 1.6,
            )
        )  # fmt: skip
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_axis_off()
    return ax


def estimates_against_truth(trials: pd.DataFrame, ax: Axes, *, truth: float) -> Axes:
    """Draw where the estimates of each method lie: their mean, the middle 95 %, and the truth.

    Parameters
    ----------
    trials : DataFrame
        `method` and `estimate`, one row a data set and method, as `utils.studies.analyse_many`
        returns it. A method's name up to its first comma is its name in PALETTE.
    ax : matplotlib Axes
        Where to draw: one row a method, from top to bottom in order of first appearance, or of
        the categories.
    truth : float
        In the unit of the estimates; a dashed line.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If a column is missing or a method has no colour.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> trials = pd.DataFrame({"method": ["naive"] * 3, "estimate": [1.0, 2.0, 6.0]})
    >>> ax = estimates_against_truth(trials, ax, truth=2)
    >>> [label.get_text() for label in ax.get_yticklabels()], float(ax.lines[2].get_xdata()[0])
    (['naive'], 3.0)
    >>> plt.close(fig)
    """
    lost = {"method", "estimate"} - set(trials.columns)
    if lost:
        raise ValueError(f"trials must have the columns method and estimate; missing {lost}")
    by_method = trials.groupby("method", observed=True, sort=False)["estimate"]
    order = trials["method"].drop_duplicates()
    if isinstance(order.dtype, pd.CategoricalDtype):
        order = order.sort_values()
    rows = by_method.quantile([0.025, 0.975]).unstack().reindex(order)
    rows.columns = ["lower", "upper"]
    rows["estimate"] = by_method.mean()
    rows.index = order.astype(str).str.split(",").str[0]
    return method_rows(rows, ax, truth=truth)


def _check(places, arrows, asked, unseen) -> None:
    """Refuse a graph that is none, or that could not be one of causes."""
    names = [*(name for arrow in arrows for name in arrow), *unseen]
    lost = [name for name in names if name not in places]
    if lost:
        raise ValueError(f"arrows and unseen must name places {list(places)}; got {lost[0]!r}")
    if asked is not None and asked not in list(arrows):
        raise ValueError(f"asked must be one of the arrows {list(arrows)}; got {asked!r}")
    left = set(places)
    while left:
        first = {name for name in left if not any(b == name and a in left for a, b in arrows)}
        if not first:
            raise ValueError(f"arrows must not run in a circle; got one among {sorted(left)}")
        left -= first
