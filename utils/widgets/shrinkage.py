"""Priors for many coefficients: what they say of R² and of the sizes of the coefficients."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist

from utils.plots import PALETTE
from utils.shrinkage import FAMILIES, PriorShape, prior_shape
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Choice, Number

__all__ = ["shrinkage_explorer"]

_HEIGHT = 360
_BINS = np.linspace(0, 1, 21)
_MOST = 40


class _Drawing:
    """The artists: R² before data, and the coefficients by size."""

    def __init__(self, first: PriorShape) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            grid = figure.add_gridspec(
                1, 2, left=0.085, right=0.955, bottom=0.14, top=0.9, wspace=0.24
            )
            left, right = (figure.add_subplot(place) for place in grid)
            self.bars = left.bar(
                _BINS[:-1], np.zeros(20), width=0.05, align="edge", color=PALETTE["prior"],
                edgecolor="white",
            )  # fmt: skip
            left.set(xlim=(0, 1), ylim=(0, 100), xlabel="R², before any data")
            left.set_ylabel("prior draws (%)")
            (self.sizes,) = right.plot([], [], "o-", color=PALETTE["prior"], markersize=5)
            right.set(xlim=(0, 1.04), ylim=(0.001, 20), yscale="log")
            right.set_yticks([0.001, 0.01, 0.1, 1, 10], ["0.001", "0.01", "0.1", "1", "10"])
            right.set_xticks([0, 1], ["largest", "smallest"])
            right.set(xlabel="coefficients, sorted by size")
            right.set_ylabel("median size (residual SDs per SD)")
            moving: list[Artist] = [*self.bars, self.sizes]
            alt = (
                "Left: histogram of the share of variance that the predictors explain according "
                "to the prior. Right: median size of the largest coefficient, of the second "
                "largest and so on, on a logarithmic scale. The text below gives the numbers."
            )
            self.draw(first)
            self.picture = Picture(figure, moving, alt)

    def draw(self, result: PriorShape) -> None:
        share = 100 * np.histogram(result.r2, _BINS)[0] / result.r2.size
        for bar, height in zip(self.bars, share, strict=True):
            bar.set_height(height)
        self.sizes.set_data(np.linspace(0, 1, result.predictors), result.sizes)


def _describe(result: PriorShape) -> str:
    beyond = 100 * (result.r2 > 0.9).mean()
    below = 100 * (result.r2 < 0.1).mean()
    return (
        f"{result.predictors} predictors, {result.family} prior of scale {result.scale:.2f}. "
        f"Before any data it expects an R² of {result.r2_middle:.2f} (median), below 0.1 with "
        f"probability {below:.0f} % and above 0.9 with probability {beyond:.0f} %. The largest "
        f"coefficient is {result.sizes[0]:.2f} residual SDs per SD (median), the smallest "
        f"{result.sizes[-1]:.3f}. The largest has {100 * result.largest_share:.0f} % of the "
        "explained variance on average."
    )


def shrinkage_explorer() -> Explorer:
    """Return controls for the family of a prior, its scale, and the number of predictors.

    Returns
    -------
    Explorer
        Its state is `family`, `predictors` and `scale`; its `result` a
        `utils.shrinkage.PriorShape`.

    Examples
    --------
    >>> explorer = shrinkage_explorer()
    >>> explorer.set_state(family="R2D2", scale=1.0)
    >>> bool(0.2 < explorer.result.r2_middle < 0.6)
    True
    """
    controls = [
        Choice("family", "wide", {name: name for name in FAMILIES}),
        Number("predictors", "Predictors", 10, 2, _MOST, 1, digits=0),
        Number("scale", "Scale (residual SDs per SD)", 1.0, 0.05, 3.0, 0.05, digits=2),
    ]
    start = {control.name: control.start for control in controls}
    drawing = _Drawing(prior_shape(**start))
    return Explorer(
        controls,
        compute=prior_shape,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
