"""The figure of the likelihood explorer: two hills, a standard error, and the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from utils.plots import PALETTE
from utils.widgets._base import Picture, look, new_figure

if TYPE_CHECKING:
    from utils.widgets.likelihood import LikelihoodResult, Trial

_HEIGHT = 470
_FLOOR = 6.0  # how far below the top the left panel reaches


class LikelihoodFigure:
    """The artists: log-likelihoods on the left, standard error and weights on the right."""

    def __init__(self, trials: Mapping[str, Trial], grid: NDArray[np.float64], drop: float) -> None:
        self.grid = grid
        blue, yours, ink = PALETTE["random intercept"], PALETTE["yours"], "#222222"
        sizes = np.concatenate([trial.n for trial in trials.values()])
        steepest = max(trial.se_curve.max() for trial in trials.values())
        with look():
            figure = new_figure(_HEIGHT)
            spec = figure.add_gridspec(
                2, 2, width_ratios=(1.35, 1),
                left=0.075, right=0.985, bottom=0.12, top=0.86, wspace=0.24, hspace=0.72,
            )  # fmt: skip
            hill = figure.add_subplot(spec[:, 0])
            hill.set(xlim=(0, grid[-1]), ylim=(-_FLOOR, 0.35), xlabel="hospital SD (mmHg)")
            hill.set_ylabel("log-likelihood, below its top")
            hill.set_yticks(range(-6, 1), ["−6", "−5", "−4", "−3", "−2", "−1", "0"])
            hill.set_title("How well each hospital SD fits the data", y=1.075)
            cut = hill.axhline(-drop, color=ink, lw=1.2, ls=":")
            (self.reml,) = hill.plot([], [], color=blue, lw=2.6)
            (self.ml,) = hill.plot([], [], color=blue, lw=2, ls=(0, (4, 2)))
            (self.interval,) = hill.plot([], [], color=ink, lw=5, solid_capstyle="butt")
            (self.here,) = hill.plot([], [], color=yours, lw=1.4)
            (self.dot,) = hill.plot([], [], "o", ms=11, color=yours, clip_on=False)
            hill.legend(
                [self.reml, self.ml, self.interval, cut],
                ["REML", "ML", "95 % interval", "1.92 below"],
                loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncol=4, frameon=False, fontsize=11,
                handlelength=1.8, borderpad=0, columnspacing=1.0,
            )  # fmt: skip
            error = figure.add_subplot(spec[0, 1])
            error.set(xlim=(0, grid[-1]), ylim=(0, 1.05 * steepest), xlabel="hospital SD (mmHg)")
            error.set_xticks([0, 5, 10, 15])
            error.set_title("Standard error of the effect (mmHg)")
            (self.se,) = error.plot([], [], color=blue, lw=2.4)
            (self.dot_se,) = error.plot([], [], "o", ms=10, color=yours, clip_on=False)
            weight = figure.add_subplot(spec[1, 1])
            weight.set(
                xlim=(0, 1.05 * sizes.max()), ylim=(0, 1.05), xlabel="patients of the hospital"
            )
            weight.set_yticks([0, 0.5, 1], ["0", ".5", "1"])
            weight.set_title("Weight of a hospital's own mean")
            (self.weights,) = weight.plot([], [], "D", ms=6, color=blue, clip_on=False)
            self.picture = Picture(
                figure,
                [self.reml, self.ml, self.interval, self.here, self.dot, self.se, self.dot_se,
                 self.weights],
                alt=(
                    "Left: the log-likelihood of the hospital SD below its top, from 0 to 15 "
                    "mmHg, by REML and, with its top further left, by ML. A dotted line lies 1.92 "
                    "below the top; a bar on it is the 95 % profile interval, and a dot is your "
                    "hospital SD. Right: the standard error of the effect, which rises with the "
                    "hospital SD, and the weight of each hospital's own mean by its size. The "
                    "text below gives the numbers."
                ),
            )  # fmt: skip

    def draw(self, result: LikelihoodResult) -> None:
        """Move the artists."""
        trial, sd = result.trial, result.hospital_sd
        self.reml.set_data(self.grid, -trial.reml_curve)
        self.ml.set_data(self.grid, -trial.ml_curve)
        self.interval.set_data([trial.lower, min(trial.upper, self.grid[-1])], [-1.92, -1.92])
        height = -min(result.reml_drop, _FLOOR)  # a dot on the floor lies below it
        self.here.set_data([sd, sd], [-_FLOOR, height])
        self.dot.set_data([sd], [height])
        self.se.set_data(self.grid, trial.se_curve)
        self.dot_se.set_data([sd], [result.se])
        self.weights.set_data(trial.n, result.weights)
