"""Distribution functions from quadrature nodes: densities, quantiles and random values."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from utils._exact_quadrature import Grid
from utils._exact_rules import KRONROD, NODES, reference_rule

Floats = NDArray[np.float64]
FINE = 64  # intervals per panel at which a marginal is tabulated


@cache
def _panel_matrices() -> tuple[Floats, Floats, Floats]:
    """Return the matrices from 21 nodal values to values and integrals at the fine points.

    The third turns them into coefficients of Legendre polynomials.
    """
    fine = np.linspace(-1, 1, FINE + 1)
    legendre = np.polynomial.legendre
    coefficients = np.linalg.inv(legendre.legvander(NODES, 20))
    integral = legendre.legint(np.eye(21), lbnd=-1)
    values = legendre.legvander(fine, 20) @ coefficients
    return values, legendre.legval(fine, integral).T @ coefficients, coefficients


class Marginal:
    """Density, distribution function and quantiles of the outer parameter of a grid.

    The polynomial through the Kronrod nodes of each panel is what the quadrature rule integrates;
    the curves are that polynomial, so they agree with the moments.
    """

    def __init__(self, grid: Grid) -> None:
        values, integrals, coefficients = _panel_matrices()
        panels = len(grid.edges) - 1
        half = np.diff(grid.edges) / 2
        mass = grid.weight.sum(1).reshape(panels, 21)
        height = mass / (KRONROD[None] * half[:, None])
        self.x = grid.edges[:-1, None] + half[:, None] * (np.linspace(0, 2, FINE + 1))
        self.coefficients = height @ coefficients.T
        self.height = np.maximum(height @ values.T, 0)
        steps = height @ integrals.T * half[:, None]
        before = np.concatenate([[0], np.cumsum(steps[:, -1])[:-1]])
        below = np.maximum.accumulate((steps + before[:, None]).ravel())
        self.below = (below / below[-1]).reshape(panels, FINE + 1)
        self.step = 2 * half / FINE

    def density(self, log_value: Floats) -> Floats:
        """Return the density of the log of the parameter."""
        value = np.asarray(log_value, float)
        panel = np.clip(np.searchsorted(self.x[:, 0], value, side="right") - 1, 0, len(self.x) - 1)
        place = 2 * (value - self.x[panel, 0]) / (FINE * self.step[panel]) - 1
        inside = np.abs(place) <= 1 + 1e-9
        terms = np.polynomial.legendre.legvander(np.where(inside, place, 0), 20)
        return np.maximum(np.sum(terms * self.coefficients[panel], axis=-1), 0) * inside

    def cdf(self, log_value: Floats) -> Floats:
        """Return the probability of being below exp(log_value)."""
        value = np.clip(np.asarray(log_value, float), self.x[0, 0], self.x[-1, -1])
        panel = np.clip(np.searchsorted(self.x[:, 0], value, side="right") - 1, 0, len(self.x) - 1)
        place = (value - self.x[panel, 0]) / self.step[panel]
        cell = np.clip(place.astype(int), 0, FINE - 1)
        return np.clip(_hermite(place - cell, *self._cell(panel, cell)), 0, 1)

    def quantile(self, probability: Floats) -> Floats:
        """Return logs of quantiles."""
        probability = np.asarray(probability, float)
        ends = self.below[:, -1]
        panel = np.minimum(np.searchsorted(ends, probability), len(ends) - 1)
        cell = (self.below[panel, 1:] < probability[..., None]).sum(-1)
        cell = np.minimum(cell, FINE - 1)
        share = solve_hermite(probability, *self._cell(panel, cell))
        return self.x[panel, cell] + share * self.step[panel]

    def _cell(self, panel: NDArray, cell: NDArray) -> tuple[Floats, Floats, Floats, Floats]:
        step = self.step[panel]
        return (
            self.below[panel, cell],
            self.below[panel, cell + 1],
            self.height[panel, cell] * step,
            self.height[panel, cell + 1] * step,
        )


def _hermite(s: Floats, f0: Floats, f1: Floats, d0: Floats, d1: Floats) -> Floats:
    """Return the cubic with values f0, f1 and slopes d0, d1 at the ends of the unit interval."""
    rise = f1 - f0
    return f0 + s * (d0 + s * (3 * rise - 2 * d0 - d1 + s * (d0 + d1 - 2 * rise)))


def solve_hermite(target: Floats, f0: Floats, f1: Floats, d0: Floats, d1: Floats) -> Floats:
    """Return s in [0, 1] where that cubic reaches the target, by safeguarded Newton steps."""
    rise = np.maximum(f1 - f0, 1e-300)
    limit = 3 * rise  # slopes beyond this would make the cubic fold back
    d0, d1 = np.minimum(d0, limit), np.minimum(d1, limit)
    cubic, square, start = d0 + d1 - 2 * rise, 3 * rise - 2 * d0 - d1, f0 - target
    cubic_3, square_2, least = 3 * cubic, 2 * square, 1e-3 * rise
    low, high = np.zeros_like(rise), np.ones_like(rise)
    s = np.clip(-start / rise, 0, 1)
    for _ in range(12):
        gap = start + s * (d0 + s * (square + s * cubic))
        short = gap < 0
        low, high = np.where(short, s, low), np.where(short, high, s)
        newton = s - gap / np.maximum(d0 + s * (square_2 + s * cubic_3), least)
        new = np.where((newton >= low) & (newton <= high), newton, (low + high) / 2)
        moved, s = np.abs(new - s).max(initial=0.0), new
        if moved < 1e-6:  # the next Newton step would be of order 1e-12
            break
    return s


def draw_inner(z: Floats, f: Floats, low: Floats, high: Floats, hard: bool, u: Floats) -> Floats:
    """Draw one inner value per row from log densities f at nodes z, given uniform numbers u."""
    rows, nodes = f.shape
    v, weight, _ = reference_rule(nodes, hard)
    slope = weight.copy()
    slope[[0, -1]] *= 2  # density per node step, also at the ends
    height = np.exp(f - f.max(1, keepdims=True)) * slope
    bend = np.gradient(height, axis=1)
    pieces = (height[:, 1:] + height[:, :-1]) / 2 + (bend[:, :-1] - bend[:, 1:]) / 12
    below = np.concatenate([np.zeros((rows, 1)), np.cumsum(np.maximum(pieces, 0), axis=1)], axis=1)
    target = u * below[:, -1]
    cell = np.minimum((below[:, 1:] < target[:, None]).sum(1), nodes - 2)
    here = np.arange(rows)
    share = solve_hermite(
        target, below[here, cell], below[here, cell + 1], height[here, cell], height[here, cell + 1]
    )
    if hard:
        t = -1 + (cell + share) * 2 / (nodes - 1)
        place = np.tanh(np.pi / 2 * np.sinh(3.0 * t))
    else:
        place = v[cell] + share * (v[1] - v[0])
    return (low + high) / 2 + (high - low) / 2 * place


def mixture_cdf(value: Floats, mean: Floats, sd: Floats, weight: Floats) -> Floats:
    """Return P(mixture of normals <= value), one mixture per row of mean and sd."""
    return ndtr((value[..., None] - mean) / sd) @ weight


def mixture_density(value: Floats, mean: Floats, sd: Floats, weight: Floats) -> Floats:
    """Return the density of mixtures of normals, one mixture per row of mean and sd."""
    scaled = (value[..., None] - mean) / sd
    return (np.exp(-0.5 * scaled**2) / sd) @ weight / np.sqrt(2 * np.pi)


def mixture_quantiles(
    mean: Floats, sd: Floats, weight: Floats, probability: Floats, last_step: float = 1e-6
) -> Floats:
    """Return quantiles (rows, probabilities) of mixtures of normals by safeguarded Newton steps.

    Parameters
    ----------
    mean, sd : ndarray, shape (rows, components)
    weight : ndarray, shape (components,)
        Adds up to 1.
    probability : ndarray, shape (n,)
        Strictly between 0 and 1.
    last_step : float
        Stop when no quantile moves further than this, in SDs of its mixture. What is left is of
        the order of its square.
    """
    centre = mean @ weight
    spread = np.sqrt((sd**2 + (mean - centre[:, None]) ** 2) @ weight)
    target = np.asarray(probability, float)[:, None]  # (probabilities, rows) from here on
    ends = [mean + sd * point for point in ndtri(target[:, 0])]  # a quantile lies between those
    low, high = (np.stack([f(each, axis=1) for each in ends]) for f in (np.min, np.max))
    x = np.clip(centre + spread * ndtri(target), low, high)
    for _ in range(80):
        scaled = (x[..., None] - mean) / sd
        gap = ndtr(scaled) @ weight - target
        low, high = np.where(gap < 0, x, low), np.where(gap >= 0, x, high)
        slope = (np.exp(-0.5 * scaled**2) / sd) @ weight / np.sqrt(2 * np.pi)
        new = x - gap / np.maximum(slope, 1e-300)
        new = np.where((new >= low) & (new <= high), new, (low + high) / 2)
        moved = np.max(np.abs(new - x) / spread)
        x = new
        if moved < last_step:
            break
    return x.T


def few_nodes(grid: Grid, order: int = 4) -> tuple[Floats, Floats, Floats]:
    """Return (x, z, weight) of a grid that keeps 2 * order - 1 moments of z in every row.

    Each row is a discrete distribution of z. Its Gauss rule, from the recurrence of its
    orthogonal polynomials, replaces it (Golub GH, Welsch JH, Mathematics of Computation 1969).
    """
    mass = grid.weight.sum(1)
    keep = mass > 1e-9 * mass.max()
    x, z, mass = grid.x[keep], grid.z[keep], mass[keep]
    if z.shape[1] <= order:
        return np.repeat(x, z.shape[1]), z.ravel(), grid.weight[keep].ravel() / mass.sum()
    w = grid.weight[keep] / mass[:, None]
    centre = (w * z).sum(1, keepdims=True)
    spread = np.sqrt((w * (z - centre) ** 2).sum(1, keepdims=True))
    t = (z - centre) / spread
    jacobi = np.zeros((len(x), order, order))
    older, now, norm = np.zeros_like(t), np.ones_like(t), np.ones((len(x), 1))
    beta = np.zeros((len(x), 1))
    for k in range(order):
        alpha = (w * t * now**2).sum(1, keepdims=True) / norm
        jacobi[:, k, k] = alpha[:, 0]
        older, now = now, (t - alpha) * now - beta * older
        fresh = (w * now**2).sum(1, keepdims=True)
        beta, norm = fresh / norm, fresh
        if k + 1 < order:
            jacobi[:, k, k + 1] = jacobi[:, k + 1, k] = np.sqrt(beta[:, 0])
    points, vectors = np.linalg.eigh(jacobi)
    weight = vectors[:, 0, :] ** 2 * mass[:, None]
    return np.repeat(x, order), (centre + spread * points).ravel(), weight.ravel() / weight.sum()
