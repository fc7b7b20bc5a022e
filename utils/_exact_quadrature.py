"""Adaptive quadrature for posteriors with one or two parameters that are not in closed form.

The outer parameter runs over Gauss-Kronrod panels, which split where they are not yet right. For
each outer node the inner parameter has a range of its own, found by search, and a trapezium rule,
which converges geometrically for a density that falls away on both sides (Trefethen LN, Weideman
JAC, SIAM Review 2014; 56: 385-458). Where the inner prior stops at an edge inside the mass, the
same rule runs on the double-exponential scale instead. Both rules are nested, so half of the
nodes give a second answer for nothing, and the distance between the two is the error estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from utils._exact_rules import GAUSS, KRONROD, NODES, reference_rule

Floats = NDArray[np.float64]

CUT = 17.0  # log units below the peak at which a density is cut: 4e-8 of it
SURVEY = 12  # nodes per row while ranges are being searched
HOPELESS = 1e5  # log units below the best row at which a row is not looked at more closely
LIMIT = 320.0  # log of the largest and smallest scale that is searched, from the data's scale


class QuadratureError(ArithmeticError):
    """Raised where a posterior could not be integrated to the accuracy that is promised."""


@dataclass(frozen=True)
class Axis:
    """One parameter to integrate over, on a scale without bounds (the log of an SD).

    Attributes
    ----------
    scan : ndarray, shape (n,)
        Where to look first, sorted.
    low, high : float
        Edges of the support on this scale; infinite where there is none.
    power : int
        The density has to be followed until its product with exp(power * value) is small too,
        so that this moment is right.
    limit : float
        A range wider than this is taken for a density that does not fall away.
    """

    scan: Floats
    low: float = -np.inf
    high: float = np.inf
    power: int = 0
    limit: float = LIMIT


@dataclass(frozen=True)
class Grid:
    """Nodes and normalised weights of a posterior, with the two coarser rules nested in it.

    `x` (outer nodes) has shape (R,); `z`, `log_density`, `weight`, `outer_weight` and
    `inner_weight` have shape (R, K). `edges` has shape (panels + 1,); `low` and `high` (R,).
    """

    x: Floats
    z: Floats
    log_density: Floats
    weight: Floats
    outer_weight: Floats
    inner_weight: Floats
    log_total: float
    edges: Floats
    low: Floats
    high: Floats
    error: float


class Integrator:
    """Integrate exp(log_rows(x, z)) over both parameters, or over x alone."""

    def __init__(
        self,
        log_rows: Callable[[Floats, Floats], Floats],
        outer: Axis,
        inner: Axis | None,
        tolerance: float,
    ) -> None:
        self.log_rows, self.outer, self.inner = log_rows, outer, inner
        self.tolerance = tolerance
        self.hard = False
        self.mesh = self.mesh_low = self.mesh_high = self.mesh_value = np.empty(0)

    # ------------------------------------------------------------------ ranges of the inner one
    def ranges(self, x: Floats, z: Floats) -> tuple[Floats, Floats, Floats]:
        """Return (low, high, log integral) of each row, from first guesses z (rows, nodes)."""
        rows = len(x)
        if self.inner is None:
            zero = np.zeros(rows)
            return zero, zero, self.log_rows(x, zero[:, None])[:, 0]
        edge_low, edge_high = self.inner.low, self.inner.high
        z = np.clip(z, edge_low, edge_high)
        low, high, value = np.empty(rows), np.empty(rows), np.full(rows, -np.inf)
        todo, uniform = np.arange(rows), False
        for turn in range(200):
            f = self.log_rows(x[todo], z)
            keep = _relevant(f, z, self.inner.power)
            count = z.shape[1]
            here = np.arange(len(todo))
            first, last = keep.argmax(1), count - 1 - keep[:, ::-1].argmax(1)
            span = np.maximum(z[:, -1] - z[:, 0], 1e-12)
            a = np.where(first > 0, z[here, first - 1], z[:, 0] - span)
            b = np.where(
                last < count - 1, z[here, np.minimum(last + 1, count - 1)], z[:, -1] + span
            )
            a, b = np.maximum(a, edge_low), np.minimum(b, edge_high)
            closed = ((first > 0) | (z[:, 0] <= edge_low + 1e-9)) & (
                (last < count - 1) | (z[:, -1] >= edge_high - 1e-9)
            )
            done = closed & (last - first >= count // 2) if uniform else np.zeros(len(todo), bool)
            done |= ~keep.any(1)
            if turn == 0:  # hopeless rows, where rounding may be all that is left of the density
                top = f.max(1)
                done |= top < top.max() - HOPELESS
            if done.any():
                index = todo[done]
                value[index] = _log_sum(f[done], z[done])
                low[index], high[index] = np.minimum(a[done], b[done]), np.maximum(a[done], b[done])
                if self.inner.high < np.inf or self.inner.low > -np.inf:
                    self._note_edges(f[done], z[done])
            todo, a, b = todo[~done], a[~done], b[~done]
            if len(todo) == 0:
                return low, high, value
            if np.max(b - a) > self.inner.limit:
                raise QuadratureError("the posterior does not fall away: it may be improper")
            z, uniform = a[:, None] + (b - a)[:, None] * np.linspace(0, 1, SURVEY), True
        raise QuadratureError("no range was found that holds the posterior of a parameter")

    def _note_edges(self, f: Floats, z: Floats) -> None:
        """Remember that the density is cut off by an edge of the prior, inside the mass."""
        drop = _relevance(f, z, 0)
        at_edge = (drop[:, 0] > -CUT + 5) & (z[:, 0] <= self.inner.low + 1e-9)
        at_edge |= (drop[:, -1] > -CUT + 5) & (z[:, -1] >= self.inner.high - 1e-9)
        self.hard = self.hard or bool(at_edge.any())

    # ------------------------------------------------------------------ where the mass is
    def survey(self) -> None:
        """Find a mesh of outer values that shows where the posterior mass is."""
        outer = self.outer
        x = np.unique(np.clip(outer.scan, outer.low, outer.high))
        scan = (
            np.zeros((len(x), 1)) if self.inner is None else np.tile(self.inner.scan, (len(x), 1))
        )
        low, high, value = self.ranges(x, scan)
        for _ in range(60):
            if not np.isfinite(value).any():
                raise QuadratureError("the posterior density is zero wherever it was looked for")
            new = self._more_points(x, value)
            if len(new) == 0:
                break
            if self.inner is None:
                guess = np.zeros((len(new), 1))
            else:
                a, b = np.interp(new, x, low), np.interp(new, x, high)
                guess = a[:, None] + (b - a)[:, None] * np.linspace(-0.1, 1.1, SURVEY)
            new_low, new_high, new_value = self.ranges(new, guess)
            x = np.concatenate([x, new])
            order = np.argsort(x)
            x = x[order]
            low, high = (np.concatenate(p)[order] for p in ((low, new_low), (high, new_high)))
            value = np.concatenate([value, new_value])[order]
        self.mesh, self.mesh_low, self.mesh_high, self.mesh_value = x, low, high, value

    def _more_points(self, x: Floats, value: Floats) -> Floats:
        """Return the outer values that the mesh still needs: beyond its ends, and at jumps."""
        outer = self.outer
        relevance = _relevance(value[None], x[None], outer.power)[0]
        inside = relevance > -CUT
        new = []
        span = max(x[-1] - x[0], 1.0)
        for end, edge, sign in ((0, outer.low, -1), (-1, outer.high, 1)):
            if inside[end] and sign * (edge - x[end]) > 0:
                if abs(x[end]) > 2 * LIMIT:
                    raise QuadratureError("the posterior does not fall away: it may be improper")
                new.append(
                    np.clip(x[end] + sign * span * np.array([0.25, 0.5]), outer.low, outer.high)
                )
        touched = inside[1:] | inside[:-1]
        floor = np.maximum(relevance, -CUT - 20)
        jump = np.abs(np.diff(floor)) > 10
        hidden = self._hidden_peaks(x, value) & np.isfinite(value[1:] + value[:-1])
        wide = np.diff(x) > 1e-9 * (1 + np.abs(x[1:]))
        split = ((touched & jump) | hidden) & wide
        new.append(((x[1:] + x[:-1]) / 2)[split])
        return np.unique(np.concatenate(new))

    @staticmethod
    def _hidden_peaks(x: Floats, value: Floats) -> NDArray[np.bool_]:
        """Return the intervals where the lines of both neighbours meet well above their ends.

        A log density that is concave there lies below both lines, so the meeting point bounds a
        peak that the mesh has stepped over.
        """
        hidden = np.zeros(len(x) - 1, bool)
        if len(x) < 4:
            return hidden
        seen = np.maximum(value, value.max() - 1e7)
        slope = np.diff(seen) / np.diff(x)
        up, down = np.maximum(slope[:-2], 0), np.minimum(slope[2:], 0)
        left, right, step = seen[1:-2], seen[2:-1], np.diff(x)[1:-1]
        meet = np.clip((right - left - down * step) / np.maximum(up - down, 1e-300), 0, step)
        height = np.minimum(left + up * meet, right - down * (step - meet))
        gain = height - np.maximum(left, right)
        hidden[1:-1] = (gain > 1.5) & (height > value.max() - CUT)
        return hidden

    def first_edges(self, panels: int = 2) -> Floats:
        """Return panel edges that share out the fourth root of the density, from end to end."""
        x = self.mesh
        relevance = _relevance(self.mesh_value[None], x[None], self.outer.power)[0]
        inside = np.flatnonzero(relevance > -CUT)
        a, b = max(inside[0] - 1, 0), min(inside[-1] + 1, len(x) - 1)
        ends = []
        for end, near in ((a, inside[0]), (b, inside[-1])):
            if end == near or not np.isfinite(relevance[end]):
                ends.append(x[end])
            else:  # where the straight line between the two mesh points crosses the cut
                share = (relevance[near] + CUT) / (relevance[near] - relevance[end])
                ends.append(x[near] + share * (x[end] - x[near]))
        fine = np.linspace(ends[0], ends[1], 400)
        height = np.exp(np.interp(fine, x, np.maximum(relevance, -1e3)) / 4)
        area = np.concatenate([[0], np.cumsum((height[1:] + height[:-1]) / 2)])
        inner = np.interp(np.linspace(0, area[-1], panels + 1)[1:-1], area, fine)
        return np.concatenate([[ends[0]], inner, [ends[1]]])

    # ------------------------------------------------------------------ the rule itself
    def panel_rows(self, x: Floats, nodes: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Return (z, log density, low, high) of outer values x, each over its own range."""
        if self.inner is None:
            z = np.zeros((len(x), 1))
            return z, self.log_rows(x, z), z[:, 0], z[:, 0]
        low = np.interp(x, self.mesh, self.mesh_low)
        high = np.interp(x, self.mesh, self.mesh_high)
        v = reference_rule(nodes, self.hard)[0]
        z = (low + high)[:, None] / 2 + (high - low)[:, None] / 2 * v
        f = self.log_rows(x, z)
        relevance = _relevance(f, z, self.inner.power)
        bad = (relevance[:, 0] > -CUT + 4) & (z[:, 0] > self.inner.low + 1e-9)
        bad |= (relevance[:, -1] > -CUT + 4) & (z[:, -1] < self.inner.high - 1e-9)
        bad |= (relevance > -CUT).sum(1) < 0.4 * nodes
        if bad.any():
            step = np.linspace(-0.2, 1.2, SURVEY)
            guess = low[bad, None] + (high - low)[bad, None] * step
            was_hard = self.hard
            low[bad], high[bad], _ = self.ranges(x[bad], guess)
            if self.hard and not was_hard:  # all rows have to follow the other rule then
                return self.panel_rows(x, nodes)
            z[bad] = (low + high)[bad, None] / 2 + (high - low)[bad, None] / 2 * v
            f[bad] = self.log_rows(x[bad], z[bad])
        return z, f, low, high

    def solve(self, *, panels: int = 2, nodes: int = 25) -> Grid:
        """Integrate, splitting panels and doubling inner nodes until the estimates agree."""
        if len(self.mesh) == 0:
            self.survey()
        if self.hard and nodes < 49:
            nodes = 49
        edges = self.first_edges(panels)
        pending, done = list(pairwise(edges)), []
        for _ in range(40):
            hard = self.hard
            ends = np.array(pending)
            if len(ends):
                half = np.diff(ends, axis=1) / 2
                x = (ends.mean(1, keepdims=True) + half * NODES).ravel()
                z, f, low, high = self.panel_rows(x, nodes)
                done += [
                    (*end, *(a[21 * i : 21 * i + 21] for a in (x, z, f, low, high)))
                    for i, end in enumerate(pending)
                ]
            if self.hard and not hard:
                pending, done = [d[:2] for d in done], []
                nodes = max(nodes, 49)
                continue
            done.sort(key=lambda d: d[0])
            grid, outer_error, inner_error = self._assemble(done, nodes)
            if inner_error > self.tolerance / 2:
                if nodes > 1600:
                    raise QuadratureError(
                        f"{nodes} nodes across the inner parameter leave an error of "
                        f"{inner_error:.1g} posterior SD"
                    )
                pending, done, nodes = [d[:2] for d in done], [], 2 * nodes - 1
            elif outer_error.sum() > self.tolerance / 2:
                if len(done) > 150:
                    raise QuadratureError(
                        f"{len(done)} panels leave an error of {outer_error.sum():.1g} posterior SD"
                    )
                split = outer_error > self.tolerance / (4 * len(done))
                pending = []
                for (a, b, *_), bad in zip(done, split, strict=True):
                    pending += [(a, (a + b) / 2), ((a + b) / 2, b)] if bad else []
                done = [d for d, bad in zip(done, split, strict=True) if not bad]
            else:
                return grid
        raise QuadratureError("the quadrature did not settle")

    def _assemble(self, done: list, nodes: int) -> tuple[Grid, Floats, float]:
        edges = np.array([d[0] for d in done] + [done[-1][1]])
        x, z, f, low, high = (np.concatenate([d[i] for d in done]) for i in range(2, 7))
        half = np.repeat(np.diff(edges) / 2, 21)
        if self.inner is None:
            rule = coarse = np.ones(1)
            width = np.ones(len(x))
        else:
            _, rule, coarse = reference_rule(nodes, self.hard)
            width = (high - low) / 2
        top = f.max()
        base = np.exp(f - top) * width[:, None]
        kronrod, gauss = half * np.tile(KRONROD, len(done)), half * np.tile(GAUSS, len(done))
        full = base * rule * kronrod[:, None]
        total = full.sum()
        outer, inner = base * rule * gauss[:, None], base * coarse * kronrod[:, None]
        phi = self._gauge(x, z, full / total)
        gap = np.einsum("rk,crk->cr", (full - outer) / total, phi)
        gap = np.abs(gap.reshape(len(phi), len(done), 21).sum(2)).max(0)
        inner_error = float(np.abs(np.einsum("rk,crk->c", (full - inner) / total, phi)).max())
        grid = Grid(
            x, z, f, full / total, outer / outer.sum(), inner / inner.sum(),
            float(top + np.log(total)), edges, low, high, float(gap.sum() + inner_error),
        )  # fmt: skip
        return grid, gap, inner_error

    def _gauge(self, x: Floats, z: Floats, weight: Floats) -> Floats:
        """Return what has to be integrated rightly: 1, and two moments of each parameter."""
        columns = [np.ones_like(z)]
        axes = ((self.outer, x[:, None]),) + (() if self.inner is None else ((self.inner, z),))
        for axis, values in axes:
            scale = np.exp(values - values.max()) if axis.power == 2 else values
            scale = np.broadcast_to(scale, z.shape)
            mean = np.sum(weight * scale)
            standard = (scale - mean) / np.sqrt(max(np.sum(weight * (scale - mean) ** 2), 1e-300))
            columns += [standard, standard**2]
        return np.stack(columns)


def _relevance(f: Floats, z: Floats, power: int) -> Floats:
    """Return how far the density is below its peak, or its moment's density if that is nearer."""
    top = f.max(1, keepdims=True)
    drop = f - np.where(np.isfinite(top), top, 0)
    if power:
        lifted = f + power * z
        top = lifted.max(1, keepdims=True)
        drop = np.maximum(drop, lifted - np.where(np.isfinite(top), top, 0))
    return drop


def _relevant(f: Floats, z: Floats, power: int) -> NDArray[np.bool_]:
    return _relevance(f, z, power) > -CUT


def _log_sum(f: Floats, z: Floats) -> Floats:
    """Return the log of the trapezium integral of exp(f) over each row of z."""
    top = f.max(1)
    safe = np.where(np.isfinite(top), top, 0)
    height = np.exp(f - safe[:, None])
    area = ((height[:, 1:] + height[:, :-1]) * np.diff(z, axis=1)).sum(1) / 2
    return safe + np.log(np.maximum(area, 1e-300)) + np.where(np.isfinite(top), 0, -np.inf)
