"""The missingness lab: what goes missing and why, and what three analyses make of it."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist

from utils.missing_lab import ANALYSES, TRUTH, Lab, lab
from utils.plots import PALETTE
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Choice, Number

__all__ = ["missing_explorer"]

_HEIGHT = 420


class _Drawing:
    """The artists: patients with and without gaps, and three analyses of each of two numbers."""

    def __init__(self, first: Lab) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            grid = figure.add_gridspec(
                2, 2, left=0.085, right=0.975, bottom=0.12, top=0.9, wspace=0.5, hspace=0.6
            )
            left = figure.add_subplot(grid[:, 0])
            grey = PALETTE["patients"]
            (self.seen,) = left.plot([], [], "o", color=grey, markersize=4)
            (self.lost,) = left.plot(
                [], [], "o", color="black", markersize=4, markerfacecolor="white"
            )
            left.set(xlabel="baseline (mmHg)", ylabel="outcome (mmHg)")
            left.set(xlim=(100, 200), ylim=(90, 190))
            figure.legend(
                [self.seen, self.lost], ["complete", "with a gap"],
                loc="upper left", ncols=2, frameon=False, bbox_to_anchor=(0.07, 1.0),
            )  # fmt: skip
            self.dots = []
            titles = {"effect": "treatment effect (mmHg)", "mean": "mean, untreated (mmHg)"}
            for row, (key, title) in enumerate(titles.items()):
                ax = figure.add_subplot(grid[row, 1])
                ax.axvline(TRUTH[key], color=PALETTE["truth"], linewidth=1.2)
                (dots,) = ax.plot([], [], "s", color=PALETTE["random intercept"], markersize=8)
                ax.set_yticks(range(3), ANALYSES)
                low, high, step = {"effect": (-2, 4, 2), "mean": (-18, 10, 6)}[key]
                ax.set_xticks(TRUTH[key] + np.arange(low, high + 1, step))
                ax.set(xlim=(TRUTH[key] + low, TRUTH[key] + high), ylim=(2.6, -0.6), title=title)
                self.dots.append(dots)
            moving: list[Artist] = [self.seen, self.lost, *self.dots]
            alt = (
                "Left: outcome against baseline of 250 patients before anything went missing; "
                "patients with a gap are hollow. Right: treatment effect and mean of untreated "
                "patients by three analyses, with a line at the truth. The text below gives the "
                "numbers."
            )
            self.draw(first)
            self.picture = Picture(figure, moving, alt)

    def draw(self, result: Lab) -> None:
        for line, use in ((self.seen, ~result.lost), (self.lost, result.lost)):
            line.set_data(result.baseline[use], result.outcome[use])
        for dots, values in zip(self.dots, (result.effects, result.means), strict=True):
            dots.set_data(values, np.arange(3))


def _why(result: Lab) -> str:
    column = {"outcome": "the outcome", "baseline": "the baseline"}
    if result.mechanism == "MCAR" or result.strength == 0:
        return "by chance alone"
    other = "baseline" if result.missing == "outcome" else "outcome"
    reason = column[result.missing] if result.mechanism == "MNAR" else column[other]
    return f"more often where {reason} is high" + (" itself" if result.mechanism == "MNAR" else "")


def _describe(result: Lab) -> str:
    parts = [
        f"{name}: effect {effect:.1f}, mean {mean:.1f}"
        for name, effect, mean in zip(ANALYSES, result.effects, result.means, strict=True)
    ]
    return (
        f"{result.share:.0f} % of the values of the {result.missing} are missing, {_why(result)}. "
        f"Truth: effect {TRUTH['effect']:.1f}, mean of untreated patients {TRUTH['mean']:.1f}. "
        f"With patients without end the analyses find, in mmHg: {'; '.join(parts)}."
    ).replace("-", "−")


def missing_explorer() -> Explorer:
    """Return controls for what is missing, why, how much, and how strongly the reason counts.

    Returns
    -------
    Explorer
        Its state is `missing`, `mechanism`, `share` (per cent) and `strength`; its `result` a
        `utils.missing_lab.Lab`.

    Examples
    --------
    >>> explorer = missing_explorer()
    >>> explorer.set_state(missing="baseline", mechanism="MNAR")
    >>> bool(abs(explorer.result.effects[1] + 6) < 0.3)
    True
    """
    mechanisms = {
        "MCAR": "by chance", "MAR": "by the other column", "MNAR": "by its own value",
    }  # fmt: skip
    controls = [
        Choice(
            "missing", "outcome", {"outcome": "Outcome missing", "baseline": "Baseline missing"}
        ),
        Choice("mechanism", "MAR", mechanisms),
        Number("share", "Missing (%)", 35, 0, 80, 5, digits=0),
        Number("strength", "Strength (log odds per SD)", 1.5, 0.0, 3.0, 0.1),
    ]
    start = {control.name: control.start for control in controls}
    drawing = _Drawing(lab(**start))
    return Explorer(
        controls,
        compute=lab,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
