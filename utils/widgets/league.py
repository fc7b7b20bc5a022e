"""A league of hospitals: how wide its places are, and how often the top one is the right one."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist

from utils.league import SIZES, League, league
from utils.plots import PALETTE
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Number

__all__ = ["league_explorer"]

_HEIGHT = 400
_MOST = 40


class _Drawing:
    """The artists: the places of one league, and the chance that its top is right.

    Places run from 0, the lowest, to 1, whatever the number of hospitals.
    """

    def __init__(self, first: League) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            grid = figure.add_gridspec(
                1, 2, left=0.085, right=0.985, bottom=0.13, top=0.88, wspace=0.24
            )
            self.left, right = (figure.add_subplot(place) for place in grid)
            rows, ends = np.arange(_MOST), np.zeros(_MOST)
            self.bars = self.left.hlines(
                rows, ends, ends, color=PALETTE["posterior"], linewidth=3, alpha=0.7
            )
            (self.truths,) = self.left.plot([], [], "d", color=PALETTE["truth"], markersize=5)
            words = ["lowest", "middle", "highest"]
            self.left.set_xticks([0, 0.5, 1], words)
            self.left.set_yticks([0, 0.5, 1], words, rotation=90)
            for label, side in zip(
                self.left.get_yticklabels(), ["bottom", "center", "top"], strict=True
            ):
                label.set_verticalalignment(side)
            self.left.set(xlabel="true place, and its 95 % interval", ylabel="place in the table")
            self.left.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
            (self.curve,) = right.plot(
                SIZES, np.zeros(SIZES.size), color=PALETTE["posterior"], marker="o", markersize=4
            )
            (self.now,) = right.plot([], [], "o", color="black", markersize=9, zorder=3)
            right.set(xlabel="patients per hospital", ylabel="top of the table is right (%)")
            right.set(xscale="log", xlim=(4, 600), ylim=(0, 100))
            right.set_xticks([5, 10, 20, 50, 100, 200, 500], [5, 10, 20, 50, 100, 200, 500])
            right.minorticks_off()
            figure.legend(
                [self.bars, self.truths, self.now],
                ["95 % interval of the place", "true place", "your league"],
                loc="upper center", ncols=3, frameon=False,
            )  # fmt: skip
            moving: list[Artist] = [self.bars, self.truths, self.curve, self.now]
            alt = (
                "Left: for each hospital of one simulated league, in the order of the table, the "
                "95 % interval of its place and its true place. Right: the chance that the "
                "hospital on top of the table is truly the highest, against patients per "
                "hospital. The text below gives the numbers."
            )
            self.draw(first)
            self.picture = Picture(figure, moving, alt)

    def draw(self, result: League) -> None:
        last = result.n_hospitals - 1
        at = np.arange(last + 1) / last
        low, high, truth = (result.places[name] - 1 for name in ("low", "high", "truth"))
        ends = zip((low - 0.15) / last, (high + 0.15) / last, at, strict=True)
        self.bars.set_segments([[(a, y), (b, y)] for a, b, y in ends])
        self.truths.set_data(truth / last, at)
        self.truths.set_visible(result.icc > 0)  # equal hospitals have no true place
        self.curve.set_ydata(100 * result.curve)
        self.now.set_data([result.patients], [100 * result.chance])


def _describe(result: League) -> str:
    top = result.places.iloc[-1]
    league_is = (
        f"{result.n_hospitals} hospitals with {result.patients} patients each, ICC "
        f"{result.icc:.2f}: shrinkage weight {result.weight:.2f}. "
    )
    if result.icc == 0:
        return (
            f"{league_is}All hospitals are the same. A table ranks them all the same, by chance "
            f"alone, and every interval runs over {result.mean_width:.1f} places on average: from "
            "end to end."
        )
    return (
        f"{league_is}In such leagues the hospital on "
        f"top of the table is truly the highest in {100 * result.chance:.0f} % "
        f"(± {100 * 2 * (result.chance * (1 - result.chance) / 2000) ** 0.5:.0f}); a coin with "
        f"{result.n_hospitals} sides would find it in {100 / result.n_hospitals:.0f} %. The 95 % "
        f"intervals of the places are {result.mean_width:.1f} places wide on average. In this "
        f"league the top hospital's place is {top['low']:.0f} to {top['high']:.0f}, and in truth "
        f"{top['truth']:.0f} (1 is the lowest)."
    )


def league_explorer() -> Explorer:
    """Return sliders for the size of a league, its hospitals, and how much they differ.

    Returns
    -------
    Explorer
        Its state is `n_hospitals`, `patients` and `icc`; its `result` a `utils.league.League`.

    Examples
    --------
    >>> explorer = league_explorer()
    >>> explorer.set_state(icc=0.0)
    >>> explorer.result.weight
    0.0
    """
    controls = [
        Number("n_hospitals", "Hospitals", 17, 2, _MOST, 1, digits=0),
        Number("patients", "Patients per hospital", 50, 5, 500, 5, digits=0),
        Number("icc", "Intraclass correlation (ICC)", 0.03, 0.0, 0.3, 0.01, digits=2),
    ]
    drawing = _Drawing(league(**{control.name: control.start for control in controls}))
    return Explorer(
        controls,
        compute=league,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
