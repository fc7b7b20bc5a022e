"""All about a data set that does not depend on the prior of tau, and what a prior makes of it.

`Rows` holds, on an even lattice of log tau, the likelihood of tau with all other parameters
integrated out, and the conclusions that would hold if tau were known. A prior of tau then only
weighs the rows. The integral over log tau runs over Gauss-Kronrod panels between the rows: the log
likelihood and all conditional quantities are smooth in log tau on the lattice's scale, so that
six-point interpolation is exact far below the tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from utils._exact_curves import Marginal, solve_hermite
from utils._exact_quadrature import Grid
from utils._exact_rules import GAUSS, KRONROD, NODES
from utils.widgets._sensitivity_priors import TauPrior

Floats = NDArray[np.float64]

__all__ = [
    "Improper",
    "Rows",
    "Weighed",
    "between",
    "cumulative",
    "curve_at",
    "curve_quantiles",
    "weigh",
]

TOLERANCE = 1e-3  # posterior SDs, of means and of log tau; the picture shows far less
DEPTH = 20.0  # log units below the peak at which the mass of log tau is cut


class Improper(ValueError):
    """Raised where a choice of priors gives no posterior; the text says why."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A data set seen from each of many values of tau.

    Attributes
    ----------
    log_tau : ndarray, shape (R,)
        Even lattice. Below it nothing changes any more; above it everything is linear.
    log_likelihood : ndarray, shape (R,)
        log p(y | tau), up to a constant, with the priors of all other parameters.
    mean, variance : ndarray, shape (R,)
        Of the effect, given tau.
    at : ndarray, shape (G,)
        Values of the effect, ascending.
    below, density : ndarray, shape (R, G)
        Distribution function and density of the effect at `at`, given tau.
    exponents : tuple of float
        The posterior's tails fall as value ** -(k + prior's own a): for tau, and for tau and
        sigma at once.
    weight : ndarray, shape (R, J)
        Weight of each hospital's own data, given tau.
    finer : int
        Steps of the lattice for sums over log tau in a step of the rows: the more hospitals, the
        narrower the posterior.
    """

    log_tau: Floats
    log_likelihood: Floats
    mean: Floats
    variance: Floats
    at: Floats
    below: Floats
    density: Floats
    exponents: tuple[float, float]
    weight: Floats
    finer: int = 2

    @cached_property
    def step(self) -> float:
        """Distance between rows."""
        return float(self.log_tau[1] - self.log_tau[0])

    @cached_property
    def slope(self) -> float:
        """Slope of the log likelihood beyond the last row."""
        return float(self.log_likelihood[-1] - self.log_likelihood[-2]) / self.step

    def place(self, log_tau: Floats) -> tuple[NDArray[np.intp], Floats]:
        """Return the six rows around each value, and their weights, shape (n, 6)."""
        return _six((log_tau - self.log_tau[0]) / self.step, len(self.log_tau))

    def likelihood_at(self, log_tau: Floats, rows: NDArray, weight: Floats) -> Floats:
        """Return the log likelihood at values whose place is known."""
        inside = (self.log_likelihood[rows] * weight).sum(-1)
        return inside + self.slope * np.maximum(log_tau - self.log_tau[-1], 0)

    @cached_property
    def fine(self) -> tuple[Floats, Floats]:
        """A finer and longer lattice: log tau and log likelihood."""
        step = self.step / self.finer
        t = self.log_tau[0] + step * np.arange(len(self.from_fine)) - step * round(9 / step)
        beyond = self.slope * np.maximum(t - self.log_tau[-1], 0)
        return t, self.from_fine @ self.log_likelihood + beyond

    @property
    def from_fine(self) -> Floats:
        """Matrix that turns weights of the fine lattice into weights of the rows."""
        step = self.step / self.finer
        return between(len(self.log_tau), round(9 / step), round(8 / step), self.finer)


_DENOMINATORS = np.array([np.prod([k - i for i in range(6) if i != k]) for k in range(6)], float)


def _six(place: Floats, rows: int) -> tuple[NDArray[np.intp], Floats]:
    """Return the six rows around each place, counted in rows, and their weights, shape (n, 6)."""
    u = np.clip(place, 0, rows - 1)
    start = np.clip(np.floor(u).astype(int) - 2, 0, rows - 6)
    gap = (u - start)[..., None] - np.arange(6.0)
    left = np.ones(gap.shape)
    np.cumprod(gap[..., :-1], axis=-1, out=left[..., 1:])
    right = np.ones(gap.shape)
    right[..., :-1] = np.cumprod(gap[..., :0:-1], axis=-1)[..., ::-1]
    return start[..., None] + np.arange(6), left * right / _DENOMINATORS


@lru_cache(8)
def between(rows: int, before: int, after: int, finer: int) -> Floats:
    """Return the matrix from rows to a finer lattice, with more places at both ends.

    Parameters
    ----------
    rows : int
    before, after : int
        Places of the finer lattice beyond the ends, where the end rows stand.
    finer : int
        Steps of the finer lattice in a step of the rows.
    """
    index, share = _six(np.arange(-before, finer * (rows - 1) + 1 + after) / finer, rows)
    dense = np.zeros((len(index), rows))
    np.put_along_axis(dense, index, share, axis=1)
    return dense


@dataclass(frozen=True, eq=False)
class Weighed:
    """The posterior of tau under one prior, and the weight it gives to each row.

    Attributes
    ----------
    rows : Rows
    weight : ndarray, shape (R,)
        Adds up to 1; a few weights may be slightly negative, as in any interpolation.
    nodes, node_weight : ndarray, shape (n,)
        Log tau and posterior mass of the quadrature's nodes.
    error : float
        Estimate of the error of mean log tau and of the effect's mean, in posterior SDs.
    """

    rows: Rows
    weight: Floats
    nodes: Floats
    node_weight: Floats
    edges: Floats = field(repr=False)
    error: float

    @cached_property
    def tau(self) -> Marginal:
        """Density, distribution function and quantiles of log tau."""
        blank = np.zeros((0, 0))
        mass = self.node_weight[:, None]
        grid = Grid(self.nodes, mass, mass, mass, mass, mass, 0.0, self.edges, blank, blank, 0.0)
        return Marginal(grid)

    def tau_quantiles(self, probability: Floats) -> Floats:
        """Return quantiles of tau."""
        return np.exp(self.tau.quantile(np.asarray(probability, float)))

    def tau_density(self, tau: Floats) -> Floats:
        """Return the posterior density of tau."""
        tau = np.maximum(tau, 1e-300)
        return self.tau.density(np.log(tau)) / tau

    @cached_property
    def below(self) -> Floats:
        """Distribution function of the effect at `rows.at`."""
        return np.clip(np.maximum.accumulate(self.weight @ self.rows.below), 0, 1)

    @cached_property
    def density(self) -> Floats:
        """Density of the effect at `rows.at`."""
        return np.maximum(self.weight @ self.rows.density, 0)

    def moments(self) -> tuple[float, float]:
        """Return mean and SD of the effect; NaN or infinite where they do not exist."""
        rows = self.rows
        mean = float(self.weight @ rows.mean)
        square = self.weight @ (rows.variance + (rows.mean - mean) ** 2)
        return mean, math.sqrt(max(float(square), 0.0))


def weigh(rows: Rows, prior: TauPrior, panels: int = 6) -> Weighed:
    """Return what a prior of tau makes of the rows.

    Parameters
    ----------
    rows : Rows
    prior : TauPrior
    panels : int
        Panels to begin with; they are doubled while the error estimate is above TOLERANCE.

    Raises
    ------
    Improper
        If the posterior of tau has no end.
    """
    for k in rows.exponents:
        if not k + prior.tail > 1e-6:
            raise Improper("the prior of τ leaves its upper tail without end")
    t, f = _look(rows, prior)
    for _ in range(4):
        edges = _edges(t, f, panels)
        half = np.diff(edges) / 2
        nodes = ((edges[1:] + edges[:-1])[:, None] / 2 + half[:, None] * NODES).ravel()
        index, share = rows.place(nodes)
        g = rows.likelihood_at(nodes, index, share) + prior.log_density(nodes)
        height = np.exp(g - g.max()) * np.repeat(half, 21)
        mass, coarse = height * np.tile(KRONROD, panels), height * np.tile(GAUSS, panels)
        mass, coarse = mass / mass.sum(), coarse / coarse.sum()
        effect = (rows.mean[index] * share).sum(-1)
        error = 0.0
        for value, spread in ((nodes, 0.0), (effect, rows.variance.min())):
            mean = mass @ value
            sd = math.sqrt(max(mass @ (value - mean) ** 2 + spread, 1e-30))
            error = max(error, abs(float(coarse @ value - mean)) / sd)
        if error < TOLERANCE:
            break
        panels *= 2
    size = len(rows.log_tau)
    weight = np.bincount(index.ravel(), (mass[:, None] * share).ravel(), size)
    return Weighed(rows, weight, nodes, mass, edges, error)


def _look(rows: Rows, prior: TauPrior) -> tuple[Floats, Floats]:
    """Return a lattice of log tau that holds the posterior mass, and its log density there."""
    t, f = rows.fine[:2]
    f = f + prior.log_density(t)
    if prior.family in ("half-normal", "half-t", "half-Cauchy", "exponential", "inverse-gamma"):
        extra = np.empty(0)
    else:  # edges, and whatever a learner's own prior may do
        ends = [math.log(end) for end in (prior.low, prior.high) if 0 < end < math.inf]
        near = prior.marks[:, None] + np.array([-1.0, -0.3, -0.1, 0.0, 0.1, 0.3, 1.0])
        extra = np.concatenate([near.ravel(), ends])
    for _ in range(60):
        if len(extra):
            g = rows.likelihood_at(extra, *rows.place(extra)) + prior.log_density(extra)
            t, first = np.unique(np.concatenate([t, extra]), return_index=True)
            f = np.concatenate([f, g])[first]
        top = f.max()
        if not np.isfinite(top):
            raise Improper("the prior of τ has no mass where the data could meet it")
        extra = np.empty(0)
        if f[0] > top - DEPTH and t[0] > -600:
            extra = t[0] - np.geomspace(0.5, 16, 12)
        if f[-1] > top - DEPTH and t[-1] < 300:
            extra = np.concatenate([extra, t[-1] + np.geomspace(0.5, 16, 12)])
        if not len(extra):
            if f[0] > top - DEPTH:
                raise Improper("the prior of τ leaves its lower tail without end")
            return t, f
    raise Improper("the posterior of τ does not fall away")


def _edges(t: Floats, f: Floats, panels: int) -> Floats:
    """Return panel edges that share out the fourth root of the density."""
    inside = np.flatnonzero(f > f.max() - DEPTH)
    a, b = max(inside[0] - 1, 0), min(inside[-1] + 1, len(t) - 1)
    t, f = t[a : b + 1], f[a : b + 1]
    t, f = t[np.isfinite(f)], f[np.isfinite(f)]
    height = np.exp((f - f.max()) / 4)
    area = np.concatenate([[0], np.cumsum((height[1:] + height[:-1]) / 2 * np.diff(t))])
    return np.interp(np.linspace(0, area[-1], panels + 1), area, t)


def curve_at(at: Floats, height: Floats, places: Floats) -> Floats:
    """Return a curve between its values, by cubics through four of them; 0 beyond the ends."""
    cell = np.searchsorted(at, places) - 1
    start = np.clip(cell - 1, 0, len(at) - 4)
    gap = places - at[start + np.arange(4)[:, None]]
    out = np.zeros(len(places))
    for k in range(4):
        share = height[start + k]
        for i in range(4):
            if i != k:
                share = share * gap[i] / (gap[i] - gap[k])
        out += share
    return np.where((places >= at[0]) & (places <= at[-1]), out, 0.0)


def cumulative(height: Floats, step: float) -> Floats:
    """Return the distribution functions of densities on an even lattice, shape (S, G).

    The trapezium rule with its correction for the slopes at both ends of each cell.
    """
    ends = height[:, [1, -1]] - height[:, [0, -2]]
    pieces = (height[:, 1:] + height[:, :-1]) / 2
    bend = (height[:, 2:] - height[:, :-2]) / 24  # slopes at inner places, over 12
    pieces[:, 1:] += bend
    pieces[:, :-1] -= bend
    pieces[:, [0, -1]] += ends * [[1 / 12, -1 / 12]]
    np.maximum(pieces, 0, out=pieces)
    below = np.zeros(height.shape)
    np.cumsum(pieces, axis=1, out=below[:, 1:])
    below /= below[:, -1:]
    return below


def curve_quantiles(at: Floats, below: Floats, density: Floats, probability: Floats) -> Floats:
    """Return quantiles from a distribution function and its density, row by row.

    Parameters
    ----------
    at : ndarray, shape (G,)
    below, density : ndarray, shape (S, G)
    probability : ndarray, shape (Q,)

    Returns
    -------
    ndarray, shape (S, Q)
    """
    target = np.broadcast_to(probability, (len(below), len(probability)))
    here = np.arange(len(below))[:, None]
    # All rows in one search: each stands two above the one before.
    found = np.searchsorted((below + 2 * here).ravel(), target + 2 * here)
    cell = np.clip(found - len(at) * here - 1, 0, len(at) - 2)
    step = at[cell + 1] - at[cell]
    share = solve_hermite(
        target, below[here, cell], below[here, cell + 1],
        density[here, cell] * step, density[here, cell + 1] * step,
    )  # fmt: skip
    return at[cell] + share * step
