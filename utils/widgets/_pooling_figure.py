"""The figure of the pooling explorer: hospitals on their way, and their errors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from utils.plots import LABELS, PALETTE
from utils.widgets._base import Picture, look, new_figure
from utils.widgets._controls import Steps

if TYPE_CHECKING:
    from utils.widgets.pooling import Errors, Hospitals, PoolingResult

_HEIGHT = 470


class PoolingFigure:
    """The artists: hospitals on the left; where the truth is known, its errors on the right."""

    def __init__(
        self,
        hospitals: Hospitals,
        ends: PoolingResult,
        steps: Steps,
        best: float | None,
        curve: list[float] | None,
    ) -> None:
        first = ends.table.sort_values("n", kind="stable")
        self.order = first.index
        self.steps = steps
        moving: list[Artist] = []
        with look():
            figure = new_figure(_HEIGHT)
            known = hospitals.truth is not None
            grid = figure.add_gridspec(
                2, 2, width_ratios=(1.9, 1) if known else (1, 0), height_ratios=(0.5, 1),
                left=0.075, right=0.985, bottom=0.12, top=0.86, wspace=0.26, hspace=0.95,
            )  # fmt: skip
            self.main = figure.add_subplot(grid[:, 0] if known else grid[:, :])
            moving += self._hospitals(first, hospitals)
            if known:
                moving += self._meter(figure.add_subplot(grid[0, 1]), ends.errors)
                moving += self._curve(
                    figure.add_subplot(grid[1, 1]), hospitals.hospital_sd, best, curve
                )
            alt = (
                f"{len(first)} hospitals from the smallest to the largest. For each an open circle "
                "at its own mean, an arrow to its estimate, a filled dot as large as the hospital"
                + (", and a cross at its true mean" if known else "")
                + ". A line marks the mean they are pulled to. "
                + ("Right: the error of no, complete and partial pooling as bars, and that of "
                   "partial pooling as a curve over the supposed hospital SD. " if known else "")
                + "The text below says how far the hospitals have moved."
            )  # fmt: skip
            self.picture = Picture(figure, moving, alt)

    def _hospitals(self, first: pd.DataFrame, hospitals: Hospitals) -> list[Artist]:
        axes, own = self.main, first["no_pooling"].to_numpy()
        n = first["n"].to_numpy()
        self.own, self.x = own, np.arange(len(own))
        shown = own if hospitals.truth is None else np.append(own, hospitals.truth)
        pad = 0.08 * (np.ptp(shown) or 1.0)
        axes.set_ylim(shown.min() - pad, shown.max() + pad)
        axes.set_xlim(-0.8, len(own) - 0.2)
        axes.set_xticks([])
        axes.set(
            xlabel=(
                f"hospitals, from the smallest ({n[0]} patient{'' if n[0] == 1 else 's'}) "
                f"to the largest ({n[-1]})"
            ),
            ylabel=LABELS.get(hospitals.name, hospitals.name),
        )
        axes.set_title("From the own mean to the estimate", y=1.075)
        width, height = axes.get_window_extent().size
        largest = min(17.0, 0.72 * 0.85 * width / len(own))  # points; a dot keeps to its column
        diameter = np.maximum(largest * np.sqrt(n / n.max()), min(4.5, largest))
        # Arrows end at the rim of the dot, or its head would hide under it.
        self.rim = diameter / 2 / 72 * axes.figure.dpi * np.ptp(axes.get_ylim()) / height
        size = diameter**2
        raw, now = PALETTE["hospital means"], PALETTE["partial pooling"]
        self.mean = axes.axhline(own.mean(), color=PALETTE["complete pooling"], lw=2.2, zorder=1)
        start = axes.scatter(self.x, own, s=size, facecolor="none", edgecolor=raw, lw=1.3)
        dot = axes.figure.dpi / 72  # a point, in the pixels of the picture
        self.arrows = axes.quiver(
            self.x, own, np.zeros(len(own)), np.zeros(len(own)), color=raw, angles="xy",
            scale_units="xy", scale=1, units="dots", width=1.1 * dot, headwidth=5, headlength=6,
            headaxislength=5, minlength=0,
        )  # fmt: skip
        self.dots = axes.scatter(self.x, own, s=size, color=now, alpha=0.85, lw=0)
        keys = [start, self.dots, self.mean]
        names = ["own mean", "estimate", "pulled to"]
        moving = [self.mean, self.arrows, start, self.dots]
        if hospitals.truth is not None:
            cross = axes.scatter(
                self.x, hospitals.truth.reindex(self.order), s=42, marker="x",
                color=PALETTE["truth"], lw=1.7, zorder=5,
            )  # fmt: skip
            keys.append(cross)
            names.append("truth")
            moving.append(cross)
        legend = axes.legend(
            keys, names, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncol=4, frameon=False,
            fontsize=11, borderpad=0, handletextpad=0.4, columnspacing=1.3, handlelength=1.6,
        )  # fmt: skip
        for handle in legend.legend_handles[:2] + legend.legend_handles[3:]:
            handle.set_sizes([60])
        return moving

    def _meter(self, axes: Axes, errors: Errors) -> list[Artist]:
        values = [errors.no_pooling, errors.complete_pooling, errors.partial_pooling]
        names = ["no pooling", "complete pooling", "partial pooling"]
        bars = axes.barh(["none", "complete", "partial"], values, height=0.66,
                         color=[PALETTE[name] for name in names])  # fmt: skip
        axes.invert_yaxis()
        axes.set(xlim=(0, 1.3 * max(values)), xticks=[])
        axes.set_title("Error to the truth (RMSE)", y=1.02)
        axes.tick_params(length=0)
        axes.spines["bottom"].set_visible(False)
        texts = [
            axes.text(value, row, f" {value:.2f}", va="center", fontsize=11.5)
            for row, value in enumerate(values)
        ]
        self.bar, self.bar_text = bars.patches[2], texts[2]
        return [self.bar, self.bar_text]

    def _curve(self, axes: Axes, true_sd: float, best: float, errors: list[float]) -> list[Artist]:
        steps = self.steps
        axes.plot(range(len(errors)), errors, color=PALETTE["partial pooling"], lw=2)
        truth = axes.axvline(steps.position(true_sd), color=PALETTE["truth"], lw=1.5)
        aim = axes.axvline(
            steps.position(best), color=PALETTE["partial pooling"], lw=1.8, ls=(0, (2, 1.5))
        )
        ticks = [*(steps.grid[k] for k in (0, 5, 10, 20, 30)), math.inf]
        axes.set_xticks(
            [steps.position(sd) for sd in ticks],
            ["∞" if math.isinf(sd) else f"{sd:g}" for sd in ticks],
        )
        low, high = min(errors), max(errors)
        axes.set_ylim(0, high + 0.12 * (high - low or 1))
        axes.set_xlim(-1, len(errors))
        axes.set(xlabel="supposed hospital SD", ylabel="RMSE")
        axes.set_title("Error along the slider", y=1.14)
        shown = "∞" if math.isinf(best) else f"{best:.3g}"
        axes.legend(
            [truth, aim], [f"true {true_sd:.3g}", f"best here {shown}"],
            loc="lower left", bbox_to_anchor=(-0.04, 1.0), ncol=2, frameon=False, fontsize=11,
            borderpad=0, handlelength=1.4, columnspacing=1.2,
        )  # fmt: skip
        (self.place,) = axes.plot([], [], "o", ms=10, color=PALETTE["partial pooling"])
        return [self.place]

    def draw(self, result: PoolingResult) -> None:
        now = result.table["partial_pooling"].reindex(self.order).to_numpy()
        way = now - self.own
        self.arrows.set_UVC(np.zeros(len(way)), np.sign(way) * np.maximum(abs(way) - self.rim, 0))
        self.dots.set_offsets(np.column_stack([self.x, now]))
        self.mean.set_ydata([result.gls_mean, result.gls_mean])
        if result.errors is not None:
            error = result.errors.partial_pooling
            self.bar.set_width(error)
            self.bar_text.set(x=error, text=f" {error:.2f}")
            self.place.set_data([self.steps.position(result.hospital_sd)], [error])
