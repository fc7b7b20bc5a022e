"""The figure of the sensitivity explorer: tau, the effect, the hospitals, the strip of scales."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray
from scipy.special import expit, logit

from utils.plots import PALETTE
from utils.widgets._base import Picture, look, new_figure
from utils.widgets._sensitivity_compute import Answer, Sensitivity, View
from utils.widgets._sensitivity_strip import Strip
from utils.widgets._sensitivity_words import Labels

Floats = NDArray[np.float64]

__all__ = ["SensitivityFigure"]

_HEIGHT = 690
_PIN = "#333333"
_OWN = PALETTE["no pooling"]
_PRIOR, _POST = PALETTE["prior"], PALETTE["posterior"]


class SensitivityFigure:
    """The artists, and how they follow a result."""

    def __init__(self, view: View, labels: Labels) -> None:
        self.view, self.labels = view, labels
        with look():
            self.figure = new_figure(_HEIGHT)
            self.moving: list[Artist] = []
            self._legend()
            self._tau(self._axes(0.045, 0.695, 0.4, 0.235))
            self._effect(self._axes(0.525, 0.695, 0.455, 0.235))
            self._hospitals(
                self._axes(0.075, 0.395, 0.725, 0.21), self._axes(0.075, 0.318, 0.725, 0.05)
            )
            self._new(self._axes(0.865, 0.395, 0.115, 0.21))
            self._strip(
                self._axes(0.075, 0.075, 0.26, 0.155), self._axes(0.415, 0.075, 0.235, 0.155),
                self._axes(0.72, 0.075, 0.26, 0.155),
            )  # fmt: skip
            self.picture = Picture(self.figure, self.moving, self._alt())

    def _axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        return self.figure.add_axes((left, bottom, width, height))

    def _add(self, *artists: Artist) -> tuple[Artist, ...]:
        self.moving += artists
        return artists

    def _alt(self) -> str:
        effect = self.labels.effect
        own = "an open circle at its own mean, " if self.labels.own_known else ""
        return (
            "Top left: prior and posterior density of τ, the standard deviation between "
            f"hospitals. Top right: posterior density of the {effect}, with the threshold as a "
            f"dashed line. Middle: for each hospital {own}a dot at its estimate and a line for "
            "its 95 % interval, below it a bar for the weight of its own data; at the right the "
            "range in which a new hospital lies, before and after the data. Bottom: how the "
            f"{effect}, its probabilities and τ change over the scales of this family of priors; "
            "grey where the conclusion is the same. A pinned prior is drawn in dashes. The text "
            "below says what is seen now."
        )

    # ------------------------------------------------------------------ what stands still
    def _legend(self) -> None:
        keys = [
            Line2D([], [], color=_PRIOR, lw=2.5),
            Line2D([], [], color=_POST, lw=2.5),
            Line2D([], [], color=_PIN, lw=1.6, ls=(0, (4, 2))),
        ]
        names = ["prior", "posterior", "pinned, to compare"]
        self.figure.legend(
            keys, names, loc="upper right", bbox_to_anchor=(0.99, 1.004), ncol=3, frameon=False,
            fontsize=11.5, handlelength=2, columnspacing=1.5, borderpad=0.2,
        )  # fmt: skip

    def _tau(self, axes: Axes) -> None:
        axes.set_title(self.labels.with_unit("τ, SD between hospitals", tau=True), pad=4)
        axes.set(xlim=(0, self.view.tau_max), ylim=(-0.17, 1.1), yticks=[])
        axes.spines["left"].set_visible(False)
        _ticks(axes.xaxis, 0, self.view.tau_max, 6)
        x = self.view.tau_at
        self.tau_fill = axes.fill_between(x, 0, 0 * x, color=_POST, alpha=0.25, lw=0)
        self.tau_pin_prior = axes.plot(x, 0 * x, color=_PIN, lw=1.1, ls=(0, (1, 1.5)))[0]
        self.tau_pin = axes.plot(x, 0 * x, color=_PIN, lw=1.6, ls=(0, (4, 2)))[0]
        self.tau_prior = axes.plot(x, 0 * x, color=_PRIOR, lw=2.5)[0]
        self.tau_post = axes.plot(x, 0 * x, color=_POST, lw=2.5)[0]
        self.tau_bar, self.tau_pin_bar = self._bars(axes)
        self._add(
            self.tau_fill, self.tau_pin_prior, self.tau_pin, self.tau_prior, self.tau_post,
            self.tau_bar, self.tau_pin_bar,
        )  # fmt: skip

    @staticmethod
    def _bars(axes: Axes) -> tuple[Line2D, Line2D]:
        """Return the 95 % intervals under the densities, with a mark at the median."""
        (bar,) = axes.plot([], [], "-|", color=_POST, lw=3, ms=9, mew=2.5, markevery=[1])
        (pin,) = axes.plot(
            [], [], marker="|", color=_PIN, lw=1.6, ls=(0, (4, 2)), ms=8, mew=2, markevery=[1]
        )
        return bar, pin

    def _effect(self, axes: Axes) -> None:
        labels = self.labels
        axes.set_title(labels.with_unit(f"The {labels.effect}"), pad=4)
        axes.set(xlim=self.view.effect, ylim=(-0.17, 1.1), yticks=[])
        axes.spines["left"].set_visible(False)
        x = self.view.effect_at
        if labels.rate:
            axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        else:
            axes.axvline(0, color="#777777", lw=1)
        _ticks(axes.xaxis, *self.view.effect, 7)
        self.effect_fill = axes.fill_between(x, 0, 0 * x, color=_POST, alpha=0.25, lw=0)
        self.effect_line = axes.axvline(0, color="black", lw=1.4, ls=(0, (3, 2)))
        self.effect_pin = axes.plot(x, 0 * x, color=_PIN, lw=1.6, ls=(0, (4, 2)))[0]
        self.effect_post = axes.plot(x, 0 * x, color=_POST, lw=2.5)[0]
        self.effect_bar, self.effect_pin_bar = self._bars(axes)
        self._add(
            self.effect_fill, self.effect_line, self.effect_pin, self.effect_post,
            self.effect_bar, self.effect_pin_bar,
        )  # fmt: skip

    def _hospitals(self, axes: Axes, below: Axes) -> None:
        labels = self.labels
        if labels.rate:
            title = "Hospitals' rates"
        else:
            title = labels.with_unit("Hospitals, from the average")
        own = ": own mean ○, estimate ●, 95 % interval" if labels.own_known else ": 95 % interval"
        axes.set_title(title + (own.replace("mean", "rate") if labels.rate else own), pad=4)
        axes.set(xlim=(0, 1), ylim=self.view.hospitals, xticks=[])
        if labels.rate:
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        else:
            axes.axhline(0, color="#777777", lw=1)
        _ticks(axes.yaxis, *self.view.hospitals, 5)
        self.spans = LineCollection([], color=_POST, lw=2.2)
        self.pin_spans = LineCollection([], color=_PIN, lw=1.2, ls=(0, (3, 1.5)))
        axes.add_collection(self.spans)
        axes.add_collection(self.pin_spans)
        self.own = axes.plot([], [], "o", mfc="none", mec=_OWN, mew=1.3, ms=6, ls="none")[0]
        self.estimates = axes.plot([], [], "o", color=_POST, ms=5.5, ls="none")[0]
        below.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[0, 1])
        order = "own rate" if labels.rate else "own mean" if labels.own_known else "estimate"
        below.set_xlabel(
            f"hospitals by their {order}; bars: weight of a hospital's own data", labelpad=3
        )
        self.bars = PolyCollection([], color=_OWN, alpha=0.75)
        below.add_collection(self.bars)
        self._add(self.pin_spans, self.spans, self.own, self.estimates, self.bars)

    def _new(self, axes: Axes) -> None:
        axes.set_title("New hospital", pad=4)
        axes.set(xlim=(-0.6, 1.6), ylim=self.view.hospitals, yticks=[])
        axes.set_xticks([0, 1], ["prior", "post."])
        if not self.labels.rate:
            axes.axhline(0, color="#777777", lw=1)
        axes.spines["left"].set_visible(False)
        self.new_bars = LineCollection([], colors=[_PRIOR, _POST], lw=9, capstyle="butt")
        self.new_pin = LineCollection([], color=_PIN, lw=1.6, ls=(0, (4, 2)))
        axes.add_collection(self.new_bars)
        axes.add_collection(self.new_pin)
        self.new_text = [
            axes.text(x, 0, "", ha="center", va="bottom", fontsize=11, transform=axes.transData,
                      bbox=dict(facecolor="white", alpha=0.85, pad=1, lw=0))
            for x in (0, 1)
        ]  # fmt: skip
        self.new_axes = axes
        self._add(self.new_bars, self.new_pin, *self.new_text)

    def _strip(self, effect: Axes, chance: Axes, tau: Axes) -> None:
        labels, view = self.labels, self.view
        x = np.log10(view.scales)
        ticks = np.arange(round(x[0]), round(x[-1]) + 1)
        self.same, self.here, self.bands, self.middles = [], [], [], []
        ranges = (view.effect, (0, 1), (0, view.tau_max))
        for axes, ends in zip((effect, chance, tau), ranges, strict=True):
            axes.set(xlim=(x[0], x[-1]), ylim=ends)
            axes.set_xticks(ticks, [f"{10.0**tick:g}" for tick in ticks])
            _ticks(axes.yaxis, *ends, 4)
            span = Rectangle((0, 0), 0, 1, transform=axes.get_xaxis_transform(), color="#E4E4E4")
            axes.add_patch(span)
            self.same.append(span)
            self.here.append(axes.axvline(x[0], color=_PRIOR, lw=2.2))
        for axes in (effect, tau):
            band = PolyCollection([], color=_POST, alpha=0.3, lw=0)
            axes.add_collection(band)
            self.bands.append(band)
            self.middles.append(axes.plot([], [], color=_POST, lw=2.2)[0])
        if labels.rate:
            effect.yaxis.set_major_formatter(PercentFormatter(1.0))
        else:
            effect.axhline(0, color="#777777", lw=1)
        self.strip_line = effect.axhline(0, color="black", lw=1.4, ls=(0, (3, 2)))
        self.chances = [
            chance.plot([], [], color=colour, lw=2.2, ls=ls)[0]
            for colour, ls in (("#777777", "-"), ("black", (0, (3, 1.5))))
        ]
        chance.set(ylim=(-0.03, 1.03), yticks=[0, 0.5, 1])
        names = ["P(beyond)"] if labels.rate else ["P(below 0)", "P(beyond)"]
        chance.legend(
            self.chances[-len(names) :], names, loc="lower left", bbox_to_anchor=(-0.1, 1.0),
            ncol=2, frameon=False, fontsize=11, borderpad=0, handlelength=1.4,
            handletextpad=0.4, columnspacing=0.9,
        )  # fmt: skip
        effect.set_title("Over the scales: " + ("rate" if labels.rate else "effect"), pad=4)
        tau.set_title("τ", pad=4)
        chance.set_xlabel(
            labels.with_unit("scale of the prior of τ", tau=True) + "; grey: same conclusion",
            labelpad=3,
        )
        self.no_scale = chance.text(
            0.5, 0.5, "", ha="center", va="center", transform=chance.transAxes, fontsize=11
        )
        self._add(
            *self.same, *self.bands, *self.middles, self.strip_line, *self.chances, *self.here,
            self.no_scale,
        )  # fmt: skip

    # ------------------------------------------------------------------ what moves
    def draw(self, result: Sensitivity) -> None:
        """Move the artists to a result."""
        answer, pinned = result.answer, result.pinned
        self._draw_tau(answer, pinned)
        self._draw_effect(answer, pinned, result)
        self._draw_hospitals(answer, pinned)
        self._draw_new(answer, pinned)
        self._draw_strip(result)

    def _draw_tau(self, answer: Answer, pinned: Answer | None) -> None:
        x = self.view.tau_at
        top = max(a.tau_posterior.max() for a in (answer, pinned) if a is not None)
        top = max(top, 1e-300)  # all of it may lie beyond the axis
        post = answer.tau_posterior / top
        prior = answer.tau_prior / top
        if answer.choice.family == "flat":
            prior = np.full(len(x), 0.15)
        self.tau_prior.set_ydata(np.minimum(prior, 1.08))
        self.tau_post.set_ydata(post)
        self.tau_fill.set_data(x, 0, post)
        _bar(self.tau_bar, answer.tau, -0.06)
        for line in (self.tau_pin, self.tau_pin_prior, self.tau_pin_bar):
            line.set_visible(pinned is not None)
        if pinned is not None:
            self.tau_pin.set_ydata(pinned.tau_posterior / top)
            flat = pinned.choice.family == "flat"
            prior = np.full(len(x), 0.15) if flat else pinned.tau_prior / top
            self.tau_pin_prior.set_ydata(np.minimum(prior, 1.08))
            _bar(self.tau_pin_bar, pinned.tau, -0.13)

    def _draw_effect(self, answer: Answer, pinned: Answer | None, result: Sensitivity) -> None:
        x = self.view.effect_at
        top = max(a.effect_density.max() for a in (answer, pinned) if a is not None)
        top = max(top, 1e-300)
        post = answer.effect_density / top
        self.effect_post.set_ydata(post)
        beyond = x >= result.threshold if result.above else x <= result.threshold
        self.effect_fill.set_data(x, 0, np.where(beyond, post, 0))
        self.effect_line.set_xdata([result.threshold] * 2)
        _bar(self.effect_bar, answer.effect, -0.06)
        self.effect_pin.set_visible(pinned is not None)
        self.effect_pin_bar.set_visible(pinned is not None)
        if pinned is not None:
            self.effect_pin.set_ydata(pinned.effect_density / top)
            _bar(self.effect_pin_bar, pinned.effect, -0.13)

    def _draw_hospitals(self, answer: Answer, pinned: Answer | None) -> None:
        table = answer._hospitals
        if len(table["n"]) == 0:
            return
        x = (np.arange(len(table["n"])) + 0.5) / len(table["n"])
        shift = min(0.18 / len(x), 0.006) if pinned is not None else 0.0
        self.spans.set_segments(_upright(x - shift, table["low"], table["high"]))
        self.pin_spans.set_visible(pinned is not None)
        if pinned is not None:
            other = pinned._hospitals
            self.pin_spans.set_segments(_upright(x + shift, other["low"], other["high"]))
        self.own.set_data(x, table["own"])
        self.estimates.set_data(x - shift, table["estimate"])
        half = min(0.32 / len(x), 0.02)
        weight = np.nan_to_num(table["weight"])
        corners = np.stack([x - half, x - half, x + half, x + half], axis=1)
        heights = np.stack([0 * x, weight, weight, 0 * x], axis=1)
        self.bars.set_verts(np.stack([corners, heights], axis=2))

    def _draw_new(self, answer: Answer, pinned: Answer | None) -> None:
        widths = (answer.new_prior, answer.new_posterior)
        ends = [self._reach(h, answer) for h in widths]
        self.new_bars.set_segments([[(k, a), (k, b)] for k, (a, b) in enumerate(ends)])
        self.new_pin.set_visible(pinned is not None)
        if pinned is not None:
            pins = [self._reach(h, pinned) for h in (pinned.new_prior, pinned.new_posterior)]
            self.new_pin.set_segments(
                [[(k + 0.32, a), (k + 0.32, b)] for k, (a, b) in enumerate(pins)]
            )
        low, high = self.view.hospitals
        for text, h, (_, top) in zip(self.new_text, widths, ends, strict=True):
            text.set_text(self._width_text(h))
            text.set_y(min(max(top, low), high - 0.13 * (high - low)))

    def _reach(self, h: float, answer: Answer) -> tuple[float, float]:
        """Return the ends of a new hospital's range on the hospitals' axis."""
        if self.labels.rate:
            middle = logit(np.clip(answer.effect[1], 1e-9, 1 - 1e-9))
            return float(expit(middle - min(h, 700))), float(expit(middle + min(h, 700)))
        far = 10 * (self.view.hospitals[1] - self.view.hospitals[0])
        return -min(h, far), min(h, far)

    def _width_text(self, h: float) -> str:
        if math.isinf(h):
            return "±∞"
        if self.labels.rate:
            return f"×{_short(math.exp(h))}" if h < 20 else "×∞"
        return f"±{_short(h)}"

    def _draw_strip(self, result: Sensitivity) -> None:
        seen: Strip | None = result.strip
        for artist in (*self.same, *self.bands, *self.middles, *self.chances, *self.here):
            artist.set_visible(seen is not None)
        self.no_scale.set_text("" if seen is not None else "this prior\nhas no scale")
        self.strip_line.set_ydata([result.threshold] * 2)
        if seen is None:
            return
        x = np.log10(seen.scales)
        ok = seen.trusted
        for band, middle, values in zip(
            self.bands, self.middles, (seen.effect, seen.tau), strict=True
        ):
            low, centre, high = np.where(ok[:, None], values, np.nan).T
            edge = np.concatenate([np.stack([x, low], 1)[ok], np.stack([x, high], 1)[ok][::-1]])
            band.set_verts([edge] if ok.any() else [])
            middle.set_data(x, centre)
        for line, values in zip(self.chances, (seen.negative, seen.beyond), strict=True):
            line.set_data(x, np.where(ok, values, np.nan))
        self.chances[0].set_visible(not self.labels.rate)
        found = result.verdict
        for span in self.same:
            span.set_x(math.log10(found.low))
            span.set_width(math.log10(found.high / found.low))
        for line in self.here:
            line.set_xdata([math.log10(result.answer.choice.scale)] * 2)

    def still(self) -> Figure:
        """Return the figure with everything drawn as usual, for printing."""
        for artist in self.moving:
            artist.set_animated(False)
        return self.figure


def _ticks(axis: Axis, low: float, high: float, count: int) -> None:
    """Set round ticks inside the limits."""
    places = MaxNLocator(count).tick_values(low, high)
    axis.set_ticks(places[(places >= low) & (places <= high)])


def _bar(line: Line2D, quantiles: Floats, height: float) -> None:
    line.set_data(quantiles, [height] * 3)


def _upright(x: Floats, low: Floats, high: Floats) -> Floats:
    return np.stack([np.stack([x, low], 1), np.stack([x, high], 1)], axis=1)


def _short(value: float) -> str:
    if value >= 9999.5:
        return f"10^{round(math.log10(value))}"
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}"
