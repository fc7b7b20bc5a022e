"""The figures of the lesson on missing data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from utils.plots import PALETTE

__all__ = ["ANALYSES", "WAYS", "draw_bias", "draw_delta", "draw_imputed", "draw_means"]

WAYS = {"MCAR": (), "MAR": ("baseline",), "MNAR": ("pressure",)}  # what leads to a gap
ANALYSES = {
    "without baseline": ("patients", "v"),
    "complete rows": ("no pooling", "s"),
    "multiple imputation": ("random intercept", "o"),
    "joint Bayes": ("posterior", "D"),
}
_CASES = (
    ("outcome", "MCAR"), ("outcome", "MAR"), ("outcome", "MNAR"),
    ("covariate", "MCAR"), ("covariate", "by outcome"), ("covariate", "MNAR"),
)  # fmt: skip


def draw_means(ax: Axes, table: Mapping[str, Sequence[float]], *, truth: float) -> None:
    """Draw estimates with their intervals, one row an analysis, the first on top.

    Parameters
    ----------
    ax : Axes
    table : mapping of str to (estimate, low, high)
        Names are among `ANALYSES`.
    truth : float
    """
    for row, (name, (middle, low, high)) in enumerate(table.items()):
        colour, mark = PALETTE[ANALYSES[name][0]], ANALYSES[name][1]
        ax.hlines(row, low, high, color=colour, linewidth=3)
        ax.plot(middle, row, mark, color=colour, markersize=8)
    ax.axvline(truth, color=PALETTE["truth"], linewidth=1.2)
    ax.set_yticks(range(len(table)), table)
    ax.set(ylim=(len(table) - 0.4, -0.6), xlabel="mean, untreated, baseline 150 (mmHg)")


def draw_bias(ax: Axes, grid: pd.DataFrame, title: str) -> None:
    """Draw the bias of each analysis in each way of losing values.

    Parameters
    ----------
    ax : Axes
    grid : DataFrame
        Indexed by missing, mechanism and analysis, with bias and bias_mcse (mmHg) of one number.
    title : str
    """
    for shift, (name, (colour, mark)) in zip(
        (-0.27, -0.09, 0.09, 0.27), ANALYSES.items(), strict=True
    ):
        rows = grid.loc[[(*case, name) for case in _CASES]]
        ax.errorbar(
            rows["bias"], np.arange(6) + shift, xerr=2 * rows["bias_mcse"], fmt=mark,
            color=PALETTE[colour], label=name, markersize=6,
        )  # fmt: skip
    ax.axvline(0, color=PALETTE["truth"], linewidth=1.2)
    for edge in np.arange(0.5, 5):
        ax.axhline(edge, color="0.9", linewidth=0.8)
    ax.set_yticks(range(6), [f"{what}, {why}" for what, why in _CASES])
    ax.set(ylim=(5.6, -0.6), xlabel="bias (mmHg)", title=title)
    if not ax.get_subplotspec().is_first_col():
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def draw_delta(ax: Axes, path: pd.DataFrame) -> None:
    """Draw an effect with its interval against delta.

    Parameters
    ----------
    ax : Axes
    path : DataFrame
        Index delta, columns effect, low, high; mmHg.
    """
    colour = PALETTE["random intercept"]
    ax.fill_between(path.index, path["low"], path["high"], color=colour, alpha=0.2, linewidth=0)
    ax.plot(path.index, path["effect"], "o-", color=colour)
    ax.axhline(0, color="0.3", linestyle="--", linewidth=1)
    ax.set(
        xlabel="delta added to imputed outcomes of the treated (mmHg)",
        ylabel="treatment effect (mmHg)",
        xlim=(path.index[0], path.index[-1]),
    )


def draw_imputed(ax: Axes, data: pd.DataFrame, filled: np.ndarray) -> None:
    """Draw outcome against baseline; imputed baselines are hollow.

    Parameters
    ----------
    ax : Axes
    data : DataFrame
        Columns sbp and baseline, the latter with gaps.
    filled : ndarray, shape (n,)
        The baselines of one imputed data set.
    """
    gap = data["baseline"].isna().to_numpy()
    kinds = {"observed": (~gap, PALETTE["patients"]), "imputed": (gap, "white")}
    for name, (use, inside) in kinds.items():
        edge = PALETTE["patients" if name == "observed" else "random intercept"]
        ax.plot(
            filled[use], data["sbp"].to_numpy()[use], "o", color=edge, markerfacecolor=inside,
            markersize=5, label=name,
        )  # fmt: skip
    ax.set(xlabel="baseline (mmHg)", ylabel="sbp (mmHg)")
    ax.legend(title="baseline")
