"""An odds ratio in each hospital, and what it becomes when hospitals are averaged."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from scipy.special import logit

from utils.marginal import Marginal, marginal
from utils.plots import PALETTE
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Number

__all__ = ["marginal_explorer"]

_HEIGHT = 380
_TICKS = [0.001, 0.01, 0.1, 1, 10, 50, 90, 99, 99.9]  # per cent


class _Drawing:
    """The artists: 21 hospitals, the typical one and the average, on two scales."""

    def __init__(self, first: Marginal) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            grid = figure.add_gridspec(
                1, 2, left=0.085, right=0.985, bottom=0.1, top=0.88, wspace=0.24
            )
            axes = [figure.add_subplot(place) for place in grid]
            self.lines = [self._panel(ax) for ax in axes]
            axes[0].set(ylim=(-12, 8), ylabel="risk, on the log odds scale (%)")
            axes[0].set_yticks(logit(np.array(_TICKS) / 100), [f"{tick:g}" for tick in _TICKS])
            axes[1].set(ylim=(0, 100), ylabel="risk (%)")
            figure.legend(
                [self.lines[1][k] for k in (-1, -2, 0)],
                ["average of all hospitals", "typical hospital", "21 hospitals"],
                loc="upper center", ncols=3, frameon=False,
            )  # fmt: skip
            moving: list[Artist] = [line for lines in self.lines for line in lines]
            alt = (
                "Two panels with a line for each of 21 hospitals from its untreated to its treated "
                "patients: on the left on the scale of log odds, where all lines are parallel, on "
                "the right as risks, where they are not. Dashed: the typical hospital. Thick: the "
                "average over hospitals. The text below gives the numbers."
            )
            self.draw(first)
            self.picture = Picture(figure, moving, alt)

    def _panel(self, axes: Axes) -> list:
        grey = {"color": PALETTE["patients"], "linewidth": 1}
        lines = [axes.plot([0, 1], [0, 0], **grey)[0] for _ in range(21)]
        lines += axes.plot([0, 1], [0, 0], "--", color=PALETTE["random intercept"], linewidth=2.5)
        lines += axes.plot([0, 1], [0, 0], color=PALETTE["GEE"], linewidth=4)
        axes.set(xlim=(-0.15, 1.15))
        axes.set_xticks([0, 1], ["untreated", "treated"])
        return lines

    def draw(self, result: Marginal) -> None:
        rows = [*result.hospitals, result.typical, result.average]
        for lines, scale in zip(self.lines, (logit, lambda risk: 100 * risk), strict=True):
            for line, row in zip(lines, rows, strict=True):
                line.set_ydata(scale(row))


def _describe(result: Marginal) -> str:
    typical, average = 100 * result.typical, 100 * result.average
    ends = 100 * result.hospitals[[0, -1], 0]
    return (
        f"In every hospital the treatment multiplies the odds by {result.odds_ratio:.2f}. "
        f"Typical hospital: risk {typical[0]:.1f} % untreated, {typical[1]:.1f} % treated. "
        f"Untreated patients of the 21 hospitals shown: {ends[0]:.1f} to {ends[1]:.1f} %. "
        f"Average over all hospitals: {average[0]:.1f} % untreated, {average[1]:.1f} % treated. "
        f"Odds ratio of these averages, the marginal one: {result.marginal_odds_ratio:.2f}. "
        f"Difference of the risks: {typical[1] - typical[0]:+.1f} percentage points in the typical "
        f"hospital, {average[1] - average[0]:+.1f} on average."
    ).replace("-", "−")


def marginal_explorer() -> Explorer:
    """Return sliders for the typical risk, the odds ratio, and how much hospitals differ.

    Returns
    -------
    Explorer
        Its state is `typical_risk` (per cent), `odds_ratio` and `hospital_sd`; its `result` a
        `utils.marginal.Marginal`.

    Examples
    --------
    >>> explorer = marginal_explorer()
    >>> explorer.set_state(hospital_sd=0)
    >>> round(explorer.result.marginal_odds_ratio, 6)
    0.5
    """
    controls = [
        Number("typical_risk", "Untreated risk, typical hospital (%)", 20, 1, 80, 1, digits=0),
        Number("odds_ratio", "Odds ratio in each hospital", 0.5, 0.1, 3.0, 0.05, digits=2),
        Number("hospital_sd", "hospital_sd (log odds)", 1.5, 0.0, 3.0, 0.1),
    ]

    drawing = _Drawing(marginal(**{control.name: control.start for control in controls}))
    return Explorer(
        controls,
        compute=marginal,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
