"""One look for every figure of the course: colours, style, and figures with a text alternative.

A thing keeps its colour from lesson 1 to the capstone, so that a reader who has met partial
pooling once finds it again. The colours start from Okabe and Ito's set; colours that meet in
one figure stay apart for every kind of colour blindness, and in grey (a test computes it).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike

from utils._figure_image import CSS_DPI, FIGURE_DPI, FigureImage, show

__all__ = [
    "CSS_DPI",
    "FIGURE_DPI",
    "LABELS",
    "PALETTE",
    "FigureImage",
    "caterpillar",
    "log_axis",
    "patients_by_hospital",
    "pooling_moves",
    "set_style",
    "show",
]

_COLOURS = {
    "truth": "#000000",
    "patients": "#999999",
    "no pooling": "#A83200",
    "hospital means": "#A83200",  # no pooling is the hospitals' own means
    "complete pooling": "#E1A118",
    "naive": "#E1A118",  # a naive analysis is one that pools completely
    "hospital dummies": "#A83200",  # and so is a coefficient for each hospital
    "partial pooling": "#2D70B2",
    "random intercept": "#2D70B2",  # the model that pools partially
    "random slope": "#332288",
    "within-between": "#872154",
    "cluster-robust": "#009965",
    "GEE": "#009965",  # a pooled line, too, with cluster-robust errors
    "prior": "#59B6EB",
    "posterior": "#E175AE",
    "centred": "#CE6B00",  # two ways to write one model
    "non-centred": "#117733",
    "treated": "#782876",
    "control": "#4FA7DB",
    "yours": "#5B2C9F",  # what the learner has set by hand
    "region": "#54301A",  # levels, from the top down; surgeons cross them
    "hospital": "#A83200",
    "ward": "#A57F5B",
    "surgeon": "#255247",
}

#: Thing -> colour, read-only. Things that never differ share one colour on purpose.
PALETTE: Mapping[str, str] = MappingProxyType(_COLOURS)

#: Column of a study -> axis label with its unit.
LABELS: Mapping[str, str] = MappingProxyType(
    {
        "sbp": "systolic blood pressure (mmHg)",
        "baseline": "systolic blood pressure before (mmHg)",
        "age": "age (years)",
        "treated": "treated (0 = no, 1 = yes)",
        "beds": "beds",
        "hospital": "hospital",
    }
)

# An estimate keeps its marker too, for readers who cannot go by colour.
_MARKERS = {"no pooling": "o", "partial pooling": "D", "truth": "x"}

_STYLE = {
    "figure.figsize": (8.0, 4.2),
    "figure.dpi": CSS_DPI,
    "savefig.dpi": FIGURE_DPI,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.titlelocation": "left",
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "lines.linewidth": 2.0,
    "axes.prop_cycle": mpl.cycler(
        color=[_COLOURS[k] for k in ("partial pooling", "no pooling", "cluster-robust", "treated")]
    ),
}


def set_style() -> None:
    """Set matplotlib's defaults for the course: white ground, text of 11 points or more.

    Examples
    --------
    >>> set_style()
    >>> float(mpl.rcParams["font.size"])
    12.0
    """
    mpl.rcParams.update(_STYLE)


def patients_by_hospital(data: pd.DataFrame, ax: Axes, *, outcome: str = "sbp") -> Axes:
    """Draw every patient above his hospital, hospitals sorted by their mean.

    Hospitals treated as a whole get the colour of their arm; where both arms share a hospital,
    its mean is drawn in the colour of no pooling.

    Parameters
    ----------
    data : DataFrame, one row a patient
        Columns `hospital`, `treated` and the outcome.
    ax : matplotlib Axes
        Where to draw.
    outcome : str
        Column on the vertical axis.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from utils.simulate import med_trial
    >>> fig, ax = plt.subplots()
    >>> patients_by_hospital(med_trial(n_hospitals=3, rng=1).data, ax).get_ylabel()
    'systolic blood pressure (mmHg)'
    >>> plt.close(fig)
    """
    _need(data, "data", "hospital", "treated", outcome)
    means = data.groupby("hospital", observed=True)[["treated", outcome]].mean()
    means = means.sort_values(outcome)
    place = pd.Series(np.arange(len(means)), index=means.index.astype(str))
    sideways = np.random.default_rng(0).uniform(-0.2, 0.2, len(data))  # the eye needs it, no more
    across = data["hospital"].astype(str).map(place).to_numpy() + sideways
    ax.scatter(across, data[outcome], s=8, color=PALETTE["patients"], alpha=0.5)
    arms = {"control": means["treated"].eq(0), "treated": means["treated"].eq(1)}
    arms["no pooling"] = ~(arms["control"] | arms["treated"])
    for name, rows in arms.items():
        if rows.any():
            label = "mean of a hospital" if name == "no pooling" else f"mean of a {name} hospital"
            look = {"color": PALETTE[name], "label": label, "marker": "_", "linewidth": 4}
            ax.scatter(place[rows.to_numpy()], means.loc[rows, outcome], s=90, **look)
    ax.set(xlabel="hospital, sorted by its mean", xticks=[], ylabel=LABELS.get(outcome, outcome))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return ax


def caterpillar(
    estimate: pd.Series,
    low: ArrayLike,
    high: ArrayLike,
    ax: Axes,
    *,
    thing: str = "partial pooling",
    patients: ArrayLike | None = None,
) -> Axes:
    """Draw the estimates of hospitals with their intervals, from left to right as given.

    Sort the estimates first to get a ranking. The horizontal axis knows the hospitals by name:
    `ax.plot(estimate.index, ...)` adds to the figure.

    Parameters
    ----------
    estimate : Series, one value a hospital
        The index holds the hospitals' names.
    low, high : array-like, as long as estimate
        Ends of the intervals.
    ax : matplotlib Axes
        Where to draw.
    thing : str
        What was estimated: a name in PALETTE. It gives colour and legend label.
    patients : array-like, as long as estimate, optional
        Patients of each hospital: larger dots for more, and the number below the name.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If `thing` has no colour, lengths differ, or an interval ends below its start.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> means = pd.Series({"H02": 138.0, "H01": 144.0})
    >>> ax = caterpillar(means, means - 5, means + 3, ax, patients=[20, 55])
    >>> [label.get_text().split() for label in ax.get_xticklabels()]
    [['H02', '20'], ['H01', '55']]
    >>> plt.close(fig)
    """
    if thing not in PALETTE:
        raise ValueError(f"thing must be one of {', '.join(PALETTE)}; got {thing!r}")
    sizes = 10 if patients is None else patients
    columns = {"estimate": estimate, "low": low, "high": high, "n": sizes}
    rows = pd.DataFrame(columns, index=estimate.index)
    if rows.isna().any(axis=None):
        raise ValueError(f"estimate, low, high and patients must not be missing, got\n{rows}")
    if (rows["low"] > rows["high"]).any():
        raise ValueError(f"low must not exceed high, got\n{rows.query('low > high')}")
    names = rows.index.astype(str)
    area = 20 + 150 * rows["n"] / max(120, rows["n"].max())
    colour, marker = PALETTE[thing], _MARKERS.get(thing, "o")
    ax.vlines(names, rows["low"], rows["high"], color=colour, linewidth=1.5)
    ax.scatter(names, rows["estimate"], s=area, color=colour, marker=marker, label=thing)
    if patients is not None:
        ax.set_xticks(range(len(names)), names + "\n" + rows["n"].astype(str))
    return ax


def pooling_moves(table: pd.DataFrame, ax: Axes) -> Axes:
    """Draw how far partial pooling moves each hospital from its own mean, and the truth if known.

    Parameters
    ----------
    table : DataFrame, one row a hospital, drawn from left to right
        As `utils.pooling.three_poolings` returns it: `n`, `no_pooling`, `complete_pooling` and
        `partial_pooling`, and in its attrs the middle `gls_mean`. A column `truth`, if there is
        one, is drawn as crosses.
    ax : matplotlib Axes
        Where to draw.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from utils.pooling import three_poolings
    >>> y, hospital = [140, 150, 160, 120], ["H01", "H01", "H01", "H02"]
    >>> fig, ax = plt.subplots()
    >>> ax = pooling_moves(three_poolings(y, hospital, hospital_sd=10, patient_sd=10), ax)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['no pooling', 'partial pooling', 'complete pooling', 'middle']
    >>> plt.close(fig)
    """
    _need(table, "table", "n", "no_pooling", "complete_pooling", "partial_pooling")
    names = table.index.astype(str)
    ax.vlines(names, table["no_pooling"], table["partial_pooling"], color=PALETTE["patients"])
    for name, marker in _MARKERS.items():
        if (column := name.replace(" ", "_")) in table:
            look = {"marker": marker, "color": PALETTE[name], "label": name}
            ax.scatter(names, table[column], s=45, zorder=3, **look)
    look = {"color": PALETTE["complete pooling"], "label": "complete pooling", "zorder": 1}
    ax.axhline(table["complete_pooling"].iloc[0], **look)
    if (middle := table.attrs.get("gls_mean")) is not None:
        ax.axhline(middle, zorder=1, color=PALETTE["partial pooling"], ls=":", label="middle")
    ax.set_xticks(range(len(names)), [f"{name}\n{n}" for name, n in table["n"].items()])
    ax.set_xlabel("hospital and its patients")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=5, columnspacing=1)
    return ax


def log_axis(ax: Axes, ticks: ArrayLike, label: str, *, axis: str = "x") -> Axes:
    """Make an axis logarithmic, with plain numbers at the ticks: 100, not 10².

    Parameters
    ----------
    ax : matplotlib Axes
        Whose axis to change.
    ticks : array-like of positive numbers
        Where to put a number.
    label : str
        Label of the axis, with its unit.
    axis : {"x", "y"}
        Which axis.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Raises
    ------
    ValueError
        If a tick is not above 0, or the axis is neither x nor y.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> ax = log_axis(ax, [4, 10, 100], "patients of the hospital")
    >>> ax.get_xscale(), [text.get_text() for text in ax.get_xticklabels()]
    ('log', ['4', '10', '100'])
    >>> plt.close(fig)
    """
    if axis not in {"x", "y"}:
        raise ValueError(f"axis must be 'x' or 'y', got {axis!r}")
    places = np.atleast_1d(np.asarray(ticks, dtype=float))
    if not (places > 0).all():
        raise ValueError(f"ticks of a logarithmic axis must be above 0, got {ticks}")
    ax.set(**{f"{axis}scale": "log", f"{axis}label": label})
    lines = ax.xaxis if axis == "x" else ax.yaxis
    lines.set_ticks(places, [f"{place:g}" for place in places])
    lines.set_minor_formatter(NullFormatter())
    return ax


def _need(data: pd.DataFrame, what: str, *columns: str) -> None:
    """Refuse a table that lacks one of the columns."""
    missing = sorted(set(columns) - set(data.columns))
    if missing:
        raise ValueError(f"{what} must have the columns {', '.join(columns)}; missing: {missing}")
