"""One look for every figure of the course: colours, style, and figures with a text alternative.

A thing keeps its colour from lesson 1 to the capstone, so that a reader who has met partial
pooling once finds it again. The colours start from Okabe and Ito's set; colours that meet in
one figure stay apart for readers with red-green colour blindness (a test computes it).
"""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Mapping
from types import MappingProxyType

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "CSS_DPI",
    "FIGURE_DPI",
    "LABELS",
    "PALETTE",
    "FigureImage",
    "patients_by_hospital",
    "set_style",
    "show",
]

_COLOURS = {
    "truth": "#000000",
    "patients": "#9A9A9A",
    "no pooling": "#B8400B",
    "hospital means": "#B8400B",  # no pooling is the hospitals' own means
    "complete pooling": "#D99300",
    "naive": "#D99300",  # a naive analysis is one that pools completely
    "partial pooling": "#0072B2",
    "cluster-robust": "#009E73",
    "prior": "#56B4E9",
    "posterior": "#C2649A",
    "treated": "#7A2A78",
    "control": "#4FA7DB",
    "yours": "#5B2C9F",  # what the learner has set by hand
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

CSS_DPI = 96  # a CSS pixel is 1/96 inch, by definition
FIGURE_DPI = 2 * CSS_DPI  # two image pixels per CSS pixel: sharp on today's screens

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


class FigureImage:
    """A finished picture of a figure that every front end can show, and a reader can hear.

    Parameters
    ----------
    png : bytes
        The picture.
    alt : str
        What the figure shows, in words.
    width, height : int
        Size on the page in CSS pixels. A narrower page scales the picture down.

    Examples
    --------
    >>> FigureImage(b"", "a line that falls with age", 400, 300)
    Figure: a line that falls with age
    """

    def __init__(self, png: bytes, alt: str, width: int, height: int) -> None:
        self.png, self.alt, self.width, self.height = png, alt, width, height

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode("ascii")
        return (
            f'<img alt="{html.escape(self.alt, quote=True)}" width="{self.width}" '
            f'height="{self.height}" style="max-width:100%;height:auto;background:#fff" '
            f'src="data:image/png;base64,{data}">'
        )


def show(fig: Figure, *, alt: str) -> None:
    """Show a figure with its text alternative, then close it.

    Parameters
    ----------
    fig : matplotlib Figure
        The finished figure. Its width in inches, times 96, is its width in CSS pixels.
    alt : str
        What a reader who does not see the figure needs to know: what is drawn, and what it
        says. Line breaks become spaces.

    Raises
    ------
    ValueError
        If `fig` is not a figure, or `alt` is not text or is empty.

    Examples
    --------
    >>> fig, ax = plt.subplots(figsize=(2, 1))
    >>> show(fig, alt="An empty pair of axes.")
    Figure: An empty pair of axes.
    """
    if not isinstance(fig, Figure):
        raise ValueError(f"fig must be a matplotlib Figure, got {type(fig).__name__}")
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt must say in words what the figure shows, got {alt!r}")
    buffer = io.BytesIO()
    try:
        fig.savefig(buffer, format="png", dpi=FIGURE_DPI, facecolor="white")
    finally:
        plt.close(fig)  # or the notebook would draw it a second time
    width, height = (math.ceil(inches * CSS_DPI) for inches in fig.get_size_inches())
    display(FigureImage(buffer.getvalue(), " ".join(alt.split()), width, height))


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
    >>> from utils.simulate import med_trial
    >>> fig, ax = plt.subplots()
    >>> patients_by_hospital(med_trial(n_hospitals=3, rng=1).data, ax).get_ylabel()
    'systolic blood pressure (mmHg)'
    >>> plt.close(fig)
    """
    missing = {"hospital", "treated", outcome} - set(data.columns)
    if missing:
        raise ValueError(
            f"data must have the columns hospital, treated and {outcome}; "
            f"missing: {sorted(missing)}"
        )
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
            ax.scatter(
                place[rows.to_numpy()],
                means.loc[rows, outcome],
                s=90,
                marker="_",
                linewidth=4,
                color=PALETTE[name],
                label=label,
            )
    ax.set(xlabel="hospital, sorted by its mean", xticks=[], ylabel=LABELS.get(outcome, outcome))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return ax
