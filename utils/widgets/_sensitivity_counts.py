"""Rows of the binomial model: events among patients, a normal hospital effect on the logit scale.

Given tau and mu the hospitals are independent, so one table of every hospital's likelihood serves
for any choice of hospitals and any prior of mu. A hospital's own logit is the others' prediction,
a normal law of variance tau² around mu, times its own likelihood; on an even lattice of logits
that convolution is a product of Fourier transforms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.interpolate import CubicSpline
from scipy.special import expit, logit

from utils._exact_counts import Counts
from utils._exact_gaussian import LOG_2PI
from utils.widgets._sensitivity_rows import (
    Improper,
    Rows,
    Weighed,
    between,
    cumulative,
    curve_quantiles,
)

Floats = NDArray[np.float64]

__all__ = ["CountModel", "CountPart", "CountTable"]

LOG_TAU = np.arange(-7.0, 3.01, 0.2)
REACH = 8.0  # logits to either side of the pooled one
ORDER = 21  # of the Gauss-Hermite rules
WIDE = 1.5  # tau from which on they are not used
SHOWN = 60  # hospitals at most
DEEP = 40.0  # log units below a peak: nothing is left


class CountTable:
    """log p(events_j | mu, tau) of every hospital, on a lattice of both.

    Parameters
    ----------
    events, patients : array-like of whole numbers, shape (J,)

    Attributes
    ----------
    mu : ndarray, shape (M,)
        Even lattice of the mean logit.
    log_likelihood : ndarray, shape (J, R, M)
    """

    def __init__(self, events: Floats, patients: Floats) -> None:
        self.events, self.patients = np.asarray(events, float), np.asarray(patients, float)
        y, n = self.events, self.patients
        p = (y.sum() + 0.5) / (n.sum() + 1)
        step = min(max(0.5 / math.sqrt(n.sum() * p * (1 - p)), 2 * REACH / 1500), 0.15)
        centre = float(logit(p))
        self.mu = np.arange(centre - REACH, centre + REACH, step)
        near = np.exp(LOG_TAU) < WIDE
        rough = np.linspace(self.mu[0], self.mu[-1], 121)
        counts = Counts(y, n, ORDER)
        t, m = np.meshgrid(np.exp(LOG_TAU[near]), rough, indexing="ij")
        each = counts.log_likelihood(m.ravel(), t.ravel()).reshape(*t.shape, -1)
        fine = CubicSpline(rough, each, axis=1)(self.mu)
        fine = np.concatenate([fine, self._far(counts, np.exp(LOG_TAU[~near]))])
        self.log_likelihood = np.moveaxis(fine[:, :, counts.which], 2, 0).copy()

    def _far(self, counts: Counts, tau: Floats) -> Floats:
        """Return the log likelihoods where tau is wide, shape (tau, mu, pairs).

        Without events the integrand has no peak there, and a Gauss-Hermite rule fails: the
        likelihood of the logit is convolved with the normal law on a lattice instead.
        """
        step = self.mu[1] - self.mu[0]
        pad = math.ceil(7 * tau.max() / step)
        theta = self.mu[0] + step * np.arange(-pad, len(self.mu) + pad)
        y, n = counts.y[:, None], counts.n[:, None]
        own = y * theta - n * np.logaddexp(0, theta)
        top = own.max(1, keepdims=True)
        size = fft.next_fast_len(len(theta), real=True)
        wave = fft.rfft(np.exp(own - top), size, axis=-1)
        omega = 2 * np.pi * fft.rfftfreq(size, step)
        blur = np.exp(-0.5 * (tau[:, None, None] * omega) ** 2)
        held = fft.irfft(wave * blur, size, axis=-1)[..., pad : pad + len(self.mu)]
        constant = (counts.constant + 0.5 * LOG_2PI)[:, None]
        return np.moveaxis(np.log(np.maximum(held, 1e-300)) + top + constant, 1, 2)


@dataclass(frozen=True, eq=False)
class CountPart:
    """The hospitals kept: what no prior changes.

    Parameters
    ----------
    table : CountTable
    kept : ndarray of int, shape (J,)
        The hospitals in use.
    """

    table: CountTable
    kept: NDArray[np.intp]

    @cached_property
    def shown(self) -> NDArray[np.intp]:
        """Hospitals by their own rate."""
        return np.argsort(self.own, kind="stable")[:SHOWN]

    @cached_property
    def own(self) -> Floats:
        """Each hospital's own share of events."""
        return self.table.events[self.kept] / self.table.patients[self.kept]

    @cached_property
    def log_likelihood(self) -> Floats:
        """Log likelihood of (log tau, mu), shape (R, M)."""
        each = self.table.log_likelihood
        which = np.bincount(self.kept, minlength=len(each)).astype(float)
        return (which @ each.reshape(len(each), -1)).reshape(each.shape[1:])

    @cached_property
    def log_likelihoods(self) -> Floats:
        """Those of the hospitals shown in every other row, shape (J, rows, M)."""
        # Seven digits will do for each height, and come at a fraction of the price.
        return self.table.log_likelihood[self.kept[self.shown], ::2].astype(np.float32)

    @cached_property
    def own_likelihood(self) -> Floats:
        """Likelihood of each shown hospital's own logit, shape (J, M), up to constants."""
        table, kept = self.table, self.kept[self.shown]
        y, n = table.events[kept][:, None], table.patients[kept][:, None]
        own = y * table.mu - n * np.logaddexp(0, table.mu)
        return np.exp(own - own.max(1, keepdims=True))


@dataclass(frozen=True, eq=False)
class CountModel:
    """The likelihood of one choice of hospitals with the prior of the mean logit.

    Parameters
    ----------
    part : CountPart
    effect_sd : float
        SD of the normal prior of the mean logit, with mean 0; infinite for a flat one.
    """

    part: CountPart
    effect_sd: float

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Patients of each hospital."""
        return self.part.table.patients[self.part.kept].astype(int)

    @cached_property
    def _total(self) -> Floats:
        """Log posterior density of (log tau, mu) with a flat prior of log tau, less its peak."""
        total = self.part.log_likelihood
        if math.isfinite(self.effect_sd):
            total = total - 0.5 * (self.part.table.mu / self.effect_sd) ** 2
        return total - total.max()

    @cached_property
    def rows(self) -> Rows:
        """The rows: see `Rows`. The effect is the rate of a typical hospital."""
        table, kept = self.part.table, self.part.kept
        y, n, mu = table.events[kept], table.patients[kept], table.mu
        both, flat = int(np.sum((y > 0) & (y < n))), math.isinf(self.effect_sd)
        if flat and y.sum() in (0, n.sum()):
            raise Improper("with a flat prior of the rate there must be patients of both kinds")
        step = mu[1] - mu[0]
        top = self._total.max(1, keepdims=True)
        height = np.exp(self._total - top)
        area = height.sum(1, keepdims=True) * step
        height = height / area
        rate = expit(mu)
        below = cumulative(height, step)
        mean = height @ rate * step
        about = rate - mean[0]  # squares about one place; from any other they differ little
        variance = height @ about**2 * step - (mean - mean[0]) ** 2
        information = n[None] * (mean * (1 - mean))[:, None] * np.exp(2 * LOG_TAU)[:, None]
        k = both - flat - 1 - 2.001  # the SD of tau has to exist
        return Rows(
            LOG_TAU, (top + np.log(area))[:, 0], mean, variance, rate, below,
            height / (rate * (1 - rate)), (k, k), information / (1 + information),
        )  # fmt: skip

    @property
    def shown(self) -> NDArray[np.intp]:
        """Hospitals by their own rate."""
        return self.part.shown

    def own(self, weight: Floats | None) -> Floats:
        """Return each hospital's own share of events."""
        return self.part.own

    @cached_property
    def _store(self) -> tuple[NDArray, Floats, NDArray[np.bool_], int]:
        """What the others say of each hospital: transforms and their scales, and rows done."""
        hospitals, rows, size = self.part.log_likelihoods.shape
        size = fft.next_fast_len(int(1.25 * size), real=True)
        waves = np.empty((hospitals, rows, size // 2 + 1), complex)
        return waves, np.empty((hospitals, rows)), np.zeros(rows, bool), size

    def _others(self, rows: slice) -> tuple[NDArray, Floats, int]:
        """Return what the others say of each hospital's logit, transformed.

        Of `rows`, a range among every other one.
        """
        waves, scale, done, size = self._store
        mu = self.part.table.mu
        if not done[rows].all():
            new = np.flatnonzero(~done[rows]) + rows.start
            new = slice(new[0], new[-1] + 1)
            total = self._total[::2][new].astype(np.float32)
            log_height = total - self.part.log_likelihoods[:, new]
            top = log_height.max(2)
            log_height -= top[:, :, None]
            held = np.flatnonzero(log_height.max((0, 1)) > -DEEP)
            held = slice(held[0], held[-1] + 1)
            height = np.zeros(log_height.shape)
            height[..., held] = np.exp(log_height[..., held])
            omega = 2 * np.pi * fft.rfftfreq(size, mu[1] - mu[0])
            blur = np.exp(-0.5 * np.exp(2 * LOG_TAU[::2][new])[:, None] * omega**2)
            waves[:, new] = fft.rfft(height, size, axis=-1) * blur
            scale[:, new], done[new] = top, True
        return waves[:, rows], scale[:, rows], size

    def hospitals(self, weighed: Weighed, probability: Floats) -> tuple[Floats, Floats]:
        """Return means and quantiles of the rates of the hospitals shown."""
        # A hospital's law changes so slowly with log tau that every other row will do.
        weight = weighed.weight @ between(len(LOG_TAU) // 2 + 1, 0, 0, 2)
        alike = np.flatnonzero(self.rows.weight[::2].max(1) < 1e-3)  # tau is as good as 0
        if len(alike):
            weight[alike[-1]] = weight[alike].sum()
            weight[alike[:-1]] = 0.0
        keep = np.flatnonzero(np.abs(weight) > 1e-4)
        keep = slice(keep[0], keep[-1] + 1)
        waves, scale, size = self._others(keep)
        # A row's weight holds the likelihood of all hospitals; here the prior's share is wanted.
        scale = scale - self.rows.log_likelihood[::2][keep]
        share = weight[keep] * np.exp(scale - scale.max(1, keepdims=True))
        mu, step = self.part.table.mu, self.part.table.mu[1] - self.part.table.mu[0]
        mixed = np.matmul(share[:, None], waves)[:, 0]
        density = np.maximum(fft.irfft(mixed, size, axis=-1)[:, : len(mu)], 0)
        density *= self.part.own_likelihood
        density /= density.sum(1, keepdims=True) * step
        mean = density @ expit(mu) * step
        return mean, expit(curve_quantiles(mu, cumulative(density, step), density, probability))
