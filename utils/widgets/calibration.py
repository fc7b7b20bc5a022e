"""A rank histogram, and the program behind it: too narrow, too wide, or beside the point."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from scipy import stats

from utils.calibration import BINS, DRAWS, Calibration, calibration
from utils.plots import PALETTE
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Number

__all__ = ["calibration_explorer"]

_HEIGHT = 360
_GRID = np.linspace(-4, 4, 161)


class _Drawing:
    """The artists: the two posteriors, and the ranks."""

    def __init__(self, first: Calibration) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            grid = figure.add_gridspec(
                1, 2, left=0.05, right=0.975, bottom=0.14, top=0.9, wspace=0.24
            )
            left, right = (figure.add_subplot(place) for place in grid)
            (exact_line,) = left.plot(
                _GRID, stats.norm.pdf(_GRID), color=PALETTE["truth"], linewidth=1.5
            )
            (self.program,) = left.plot(_GRID, _GRID * 0, color=PALETTE["posterior"], linewidth=2.5)
            left.set(xlim=(-4, 4), ylim=(0, 1.1), yticks=[])
            left.set_xlabel("parameter (SDs of the right posterior)")
            figure.legend(
                [exact_line, self.program], ["right posterior", "the program's"],
                loc="upper left", ncols=2, frameon=False, bbox_to_anchor=(0.03, 1.0),
            )  # fmt: skip
            width = (DRAWS + 1) / BINS
            self.bars = right.bar(
                np.arange(BINS) * width, np.zeros(BINS), width=width, align="edge",
                color=PALETTE["posterior"], edgecolor="white",
            )  # fmt: skip
            self.band = [
                right.plot([0, DRAWS + 1], [0, 0], "--", color="0.3", linewidth=1)[0]
                for _ in range(2)
            ]
            right.set(xlim=(0, DRAWS + 1), ylim=(0, 20), yticks=[0, 5, 10, 15, 20])
            right.set(xlabel="rank of the truth among 99 draws", ylabel="trials (%)")
            moving: list[Artist] = [self.program, *self.bars, *self.band]
            alt = (
                "Left: the right posterior and that of the program. Right: histogram of the rank "
                "of the truth among 99 draws, with dashed lines between which 95 % of the bins of "
                "a right program lie. The text below gives the numbers."
            )
            self.draw(first)
            self.picture = Picture(figure, moving, alt)

    def draw(self, result: Calibration) -> None:
        self.program.set_ydata(stats.norm.pdf(_GRID, result.shift, result.width))
        for bar, count in zip(self.bars, result.counts, strict=True):
            bar.set_height(min(100 * count / result.trials, 20))
        for line, value in zip(self.band, (result.low, result.high), strict=True):
            line.set_ydata([100 * value / result.trials] * 2)


def _describe(result: Calibration) -> str:
    ends = 100 * (result.counts[0] + result.counts[-1]) / result.trials
    return (
        f"The program's posterior has {result.width:.2f} times the right SD and lies "
        f"{result.shift:+.1f} SDs off. In {ends:.0f} % of {result.trials} trials the truth is in "
        f"one of the two end bins (a right program: 10 %). Bins outside the band of a right "
        f"program: {result.outside} of {BINS}; about 1 is to be expected. "
        f"The program's 95 % intervals hold the truth in {result.coverage:.0f} %."
    ).replace("-", "−")


def calibration_explorer() -> Explorer:
    """Return sliders for what is wrong with a program, and for the number of trials.

    Returns
    -------
    Explorer
        Its state is `width`, `shift` and `trials`; its `result` a
        `utils.calibration.Calibration`.

    Examples
    --------
    >>> explorer = calibration_explorer()
    >>> explorer.set_state(width=1.0, shift=0.0)
    >>> round(explorer.result.coverage)
    95
    """
    controls = [
        Number("width", "Width (times the right SD)", 0.6, 0.4, 2.0, 0.05, digits=2),
        Number("shift", "Shift (SDs)", 0.0, -1.5, 1.5, 0.1),
        Number("trials", "Simulated trials", 400, 20, 2000, 20, digits=0),
    ]  # fmt: skip
    start = {control.name: control.start for control in controls}
    drawing = _Drawing(calibration(**start))
    return Explorer(
        controls,
        compute=calibration,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
