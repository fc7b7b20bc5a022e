"""How the conclusion moves over the scales of one family of priors, and a verdict on that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from utils._exact_curves import _hermite
from utils.widgets._sensitivity_priors import FAMILIES
from utils.widgets._sensitivity_rows import Rows, curve_quantiles

Floats = NDArray[np.float64]
Q = np.array([0.025, 0.5, 0.975])
NOTHING = 40.0  # log units below a peak
TAIL = 1e-9  # a probability that nobody sees

__all__ = ["Course", "Criterion", "Strip", "Verdict", "course", "curve_value", "decades", "verdict"]


@dataclass(frozen=True)
class Criterion:
    """When two priors lead to the same conclusion.

    Both 95 % intervals of the effect must lie on the same side of 0, or both hold it; the
    estimates (posterior medians) must differ by at most `shift` posterior SDs (a quarter of the
    present interval's width); the intervals' widths by at most the factor `width`; and the
    probability of an effect beyond the threshold by at most `probability`.
    """

    shift: float = 0.25
    width: float = 1.25
    probability: float = 0.10


@dataclass(frozen=True, eq=False)
class Strip:
    """The conclusion at each of many scales.

    Attributes
    ----------
    scales : ndarray, shape (S,)
    effect, tau : ndarray, shape (S, 3)
        2.5 %, 50 % and 97.5 % quantiles.
    negative : ndarray, shape (S,)
        P(effect < 0); NaN where the effect is a rate.
    beyond : ndarray, shape (S,)
        P(effect beyond the threshold).
    trusted : ndarray of bool, shape (S,)
        False where the answer does not exist or cannot be trusted.
    """

    scales: Floats
    effect: Floats
    tau: Floats
    negative: Floats
    beyond: Floats
    trusted: NDArray[np.bool_]


@dataclass(frozen=True)
class Verdict:
    """Over which scales the conclusion is the present one.

    Attributes
    ----------
    low, high : float
        Ends of the range of scales, those of the strip at most.
    whole : bool
        Whether that is the whole strip.
    below, above : str
        What changes first beyond either end; empty at the strip's own ends.
    criterion : Criterion
    """

    low: float
    high: float
    whole: bool
    below: str
    above: str
    criterion: Criterion


@dataclass(frozen=True, eq=False)
class Course:
    """The posterior at each scale of a family, whatever the threshold.

    Attributes
    ----------
    scales, effect, tau, trusted
        As in `Strip`.
    at : ndarray, shape (G,)
        Values of the effect.
    below, density : ndarray, shape (S, G)
        Its distribution function and density.
    """

    scales: Floats
    effect: Floats
    tau: Floats
    trusted: NDArray[np.bool_]
    at: Floats
    below: Floats
    density: Floats

    def strip(self, threshold: float, above: bool, rate: bool) -> Strip:
        """Return the strip for a threshold; beyond means above it or below it."""
        beyond = curve_value(self.at, self.below, self.density, threshold)
        negative = np.full(len(beyond), np.nan)
        if not rate:
            negative = curve_value(self.at, self.below, self.density, 0.0)
        return Strip(
            self.scales, self.effect, self.tau, negative, 1 - beyond if above else beyond,
            self.trusted,
        )  # fmt: skip


def course(rows: Rows, family: str, scales: Floats) -> Course:
    """Return the posterior at each scale of a family, all at once.

    Parameters
    ----------
    rows : Rows
    family : str
        A key of FAMILIES with a scale.
    scales : ndarray, shape (S,)
        Ascending.

    Notes
    -----
    The trapezium rule on an even lattice of log tau, twice as fine as the rows. It converges
    geometrically; the cell that a bounded prior cuts is filled in proportion.
    """
    kind = FAMILIES[family]
    t, f = rows.fine
    step = t[1] - t[0]
    s = np.log(scales)[:, None]
    g = f + _log_priors(family, tuple(scales), float(t[0]), float(step), len(t))
    g -= g.max(1, keepdims=True)
    # Many hospitals end the lattice early: beyond here no scale has any mass.
    end = len(t) - int((g[:, ::-1] > -NOTHING).any(0).argmax()) + 1
    t, f, g = t[:end], f[:end], g[:, :end]
    mass = np.exp(g, out=g)
    if kind.bounded:
        cell = np.clip(np.searchsorted(t, s[:, 0] + 1e-12, side="right") - 1, 0, len(t) - 2)
        part = np.clip((s[:, 0] - t[cell]) / step, 0, 1)
        here = np.arange(len(scales))
        left, jump = mass[here, cell], np.exp(np.minimum(f[cell + 1] - f[cell] + step, 50))
        mass[here, cell] = left * (0.5 + part - part**2 / 2)
        mass[here, cell + 1] = left * jump * part**2 / 2
    mass /= mass.sum(1, keepdims=True)
    weight = mass @ rows.from_fine[:end]
    below = weight @ rows.below
    held = np.flatnonzero((below.max(0) > TAIL) & (below.min(0) < 1 - TAIL))
    held = slice(max(int(held[0]) - 1, 0), int(held[-1]) + 2)
    at, below = rows.at[held], below[:, held]
    below = np.clip(np.maximum.accumulate(below, axis=1), 0, 1)
    density = np.maximum(weight @ rows.density[:, held], 0)
    half = np.cumsum(mass, axis=1) - mass / 2
    tau = np.exp(curve_quantiles(t, half, mass, Q))
    tails = np.array([kind.tail(scale) for scale in scales])
    trusted = min(rows.exponents) + tails > 1e-6
    effect = curve_quantiles(at, below, density, Q)
    return Course(scales, effect, tau, trusted, at, below, density)


@lru_cache(8)
def _log_priors(family: str, scales: tuple, first: float, step: float, count: int) -> Floats:
    """Return the log densities of log tau on a lattice, one row a scale."""
    t = first + step * np.arange(count)
    return FAMILIES[family].log_density(t, np.log(np.array(scales))[:, None]) + t


def curve_value(at: Floats, below: Floats, density: Floats, value: float) -> Floats:
    """Return the distribution functions at one value, row by row."""
    if value <= at[0] or value >= at[-1]:
        return np.full(len(below), float(value >= at[-1]))
    cell = int(np.searchsorted(at, value)) - 1
    step = at[cell + 1] - at[cell]
    s = (value - at[cell]) / step
    curve = _hermite(
        s, below[:, cell], below[:, cell + 1], density[:, cell] * step, density[:, cell + 1] * step
    )
    return np.clip(curve, below[:, cell], below[:, cell + 1])


def verdict(
    seen: Strip, effect: Floats, beyond: float, scale: float, *, rate: bool,
    criterion: Criterion | None = None,
) -> Verdict:  # fmt: skip
    """Return over which scales around the present one the conclusion is the same.

    Parameters
    ----------
    seen : Strip
    effect : ndarray, shape (3,)
        Quantiles under the present prior.
    beyond : float
        P(beyond the threshold) under it.
    scale : float
        Its scale.
    rate : bool
        Whether the effect is a rate, for which 0 means nothing.
    criterion : Criterion, optional
    """
    criterion = criterion or Criterion()
    sd = (effect[2] - effect[0]) / 4
    ratio = (seen.effect[:, 2] - seen.effect[:, 0]) / (effect[2] - effect[0])
    reasons = {
        "the answer is not defined or not to be trusted": ~seen.trusted,
        "the 95 % interval no longer says the same about 0": np.zeros(len(seen.scales), bool)
        if rate
        else _side(seen.effect) != _side(effect[None]),
        "the estimate moves": np.abs(seen.effect[:, 1] - effect[1]) > criterion.shift * sd,
        "the interval's width changes": np.maximum(ratio, 1 / ratio) > criterion.width,
        "the probability beyond the threshold moves": np.abs(seen.beyond - beyond)
        > criterion.probability,
    }
    differs = np.any(list(reasons.values()), axis=0)
    here = int(np.argmin(np.abs(np.log(seen.scales / scale))))
    low, high = here, here
    while low > 0 and not differs[low - 1]:
        low -= 1
    while high < len(differs) - 1 and not differs[high + 1]:
        high += 1

    def first(place: int) -> str:
        if not 0 <= place < len(differs):
            return ""
        return " and ".join(text for text, which in reasons.items() if which[place])

    ends = seen.scales[low], seen.scales[high]
    return Verdict(
        float(min(ends[0], scale)), float(max(ends[1], scale)),
        bool(low == 0 and high == len(differs) - 1), first(low - 1), first(high + 1), criterion,
    )  # fmt: skip


def _side(effect: Floats) -> NDArray[np.int_]:
    """Return -1 or 1 where the interval lies below or above 0, else 0."""
    return np.where(effect[:, 2] < 0, -1, np.where(effect[:, 0] > 0, 1, 0))


def decades(low: float, high: float) -> Floats:
    """Return ten round scales per factor of ten, from low to high, both powers of ten."""
    steps = np.array([1, 1.25, 1.6, 2, 2.5, 3, 4, 5, 6.5, 8])
    powers = range(round(math.log10(low)), round(math.log10(high)))
    grid = [float(f"{step * 10.0**k:.6g}") for k in powers for step in steps]
    return np.array([*grid, float(f"{high:.6g}")])
