"""Posterior moments of coefficients and hospital effects from nodes of (tau, sigma).

Given tau and sigma, gamma (the coefficients in the coordinates of `Sums`) is normal with mean m
and covariance V, and hospital j's effect is normal with mean w_j (ybar_j - xbar_j' gamma) and
variance tau² / (1 + n_j lam), where w_j = n_j lam / (1 + n_j lam). The moments over all nodes need
sums per hospital size only, never hospitals times nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utils._exact_gaussian import Likelihood

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """Posterior moments under one set of weights."""

    beta: Floats
    beta_cov: Floats
    effect: Floats
    effect_sd: Floats
    shrinkage: Floats


class Moments:
    """Moments, mixtures and draws of everything that is normal given tau and sigma.

    `level` says that a hospital's effect includes its fixed part (normal means).
    """

    def __init__(self, likelihood: Likelihood, *, level: bool) -> None:
        self.likelihood, self.level = likelihood, level
        sums, p = likelihood.sums, likelihood.p
        self.p = p
        self.columns, self.outcome = sums.means[:, :p], sums.means[:, p]
        # x_j = columns_j rotation⁻¹, so that x_j' centre is this:
        back = np.linalg.solve(sums.rotation.T, self.columns.T).T if level else None
        self.offset = back @ sums.centre if level else np.zeros(sums.n_hospitals)

    def tables(self, log_tau: Floats, log_sigma: Floats, weights: list[Floats]) -> list[Table]:
        """Return the moments under several sets of weights on the same nodes."""
        p, sums = self.p, self.likelihood.sums
        mean, cov = self.likelihood.conditional(log_tau, log_sigma)
        centre = weights[0] @ mean
        delta = mean - centre
        second = (delta[:, :, None] * delta[:, None, :] + cov).reshape(len(mean), p * p)
        q = np.column_stack([np.ones(len(mean)), delta, second])
        lam = np.exp(2 * (log_tau - log_sigma))
        swell = 1 + sums.size[:, None] * lam
        w = sums.size[:, None] * lam / swell
        left = np.exp(2 * log_tau) / swell
        return [self._table(weight, centre, q, w, left) for weight in weights]

    def _table(self, weight: Floats, centre: Floats, q: Floats, w: Floats, left: Floats) -> Table:
        p, sums = self.p, self.likelihood.sums
        q = q * weight[:, None]
        once, twice, none = w @ q, (w * w) @ q, q.sum(0)
        shift, square = none[1 : 1 + p], none[1 + p :].reshape(p, p)
        which, x = sums.which, self.columns
        a = x if self.level else np.zeros_like(x)
        residual = self.outcome - x @ centre
        once_j, twice_j = once[which], twice[which]
        slope = once_j[:, 1 : 1 + p]
        effect = once_j[:, 0] * residual - (x * slope).sum(1) + a @ shift
        form = twice_j[:, 1 + p :].reshape(-1, p, p)
        e2 = twice_j[:, 0] * residual**2 - 2 * residual * (x * twice_j[:, 1 : 1 + p]).sum(1)
        e2 += np.einsum("jab,ja,jb->j", form, x, x)
        if self.level:
            e2 += 2 * residual * (a * slope).sum(1) + np.einsum("ab,ja,jb->j", square, a, a)
            form = once_j[:, 1 + p :].reshape(-1, p, p)
            e2 -= 2 * np.einsum("jab,ja,jb->j", form, a, x)
        variance = (left @ weight)[which] + e2 - effect**2
        rotation = sums.rotation
        return Table(
            beta=sums.centre + rotation @ (centre + shift),
            beta_cov=rotation @ (square - np.outer(shift, shift)) @ rotation.T,
            effect=effect + self.offset + a @ centre,
            effect_sd=np.sqrt(np.maximum(variance, 0)),
            shrinkage=np.minimum(once_j[:, 0], 1.0),
        )

    def coefficients(
        self, log_tau: Floats, log_sigma: Floats, weight: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Return every coefficient as a mixture of normals: mean (p, M), sd (p, M), weight (M)."""
        mean, cov = self.likelihood.conditional(log_tau, log_sigma)
        rotation, centre = self.likelihood.sums.rotation, self.likelihood.sums.centre
        variance = np.einsum("ka,mab,kb->km", rotation, cov, rotation, optimize=True)
        return centre[:, None] + rotation @ mean.T, np.sqrt(variance), weight

    def effects(
        self,
        log_tau: Floats,
        log_sigma: Floats,
        weight: Floats,
        hospitals: NDArray[np.intp] | slice = slice(None),
        law: tuple[Floats, Floats] | None = None,
    ) -> tuple[Floats, Floats, Floats]:
        """Return hospital effects as mixtures of normals: mean (J, M), sd (J, M), weight (M).

        `law` is what `Likelihood.conditional` returns there, where that is known already.
        """
        sums = self.likelihood.sums
        mean, cov = law or self.likelihood.conditional(log_tau, log_sigma)
        lam = np.exp(2 * (log_tau - log_sigma))
        n, x = sums.size[sums.which][hospitals], self.columns[hospitals]
        w = n[:, None] * lam / (1 + n[:, None] * lam)
        middle = w * (self.outcome[hospitals][:, None] - x @ mean.T)
        # Var(slope' gamma), slope = -w x (or (1 - w) x where the level belongs to the effect)
        spread = np.einsum("ja,mab,jb->jm", x, cov, x, optimize=True)
        factor = (1 - w) if self.level else w
        if self.level:
            middle += x @ mean.T + self.offset[hospitals][:, None]
        variance = np.exp(2 * log_tau) / (1 + n[:, None] * lam) + factor**2 * spread
        return middle, np.sqrt(variance), weight

    def draw(
        self, log_tau: Floats, log_sigma: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Draw coefficients (n, p) and hospital effects (n, J) given tau and sigma."""
        sums = self.likelihood.sums
        mean, cov = self.likelihood.conditional(log_tau, log_sigma)
        root = np.linalg.cholesky(cov)
        gamma = mean + np.einsum("mij,mj->mi", root, rng.standard_normal(mean.shape))
        swell = 1 + np.exp(2 * (log_tau - log_sigma))[:, None] * sums.size
        w = (1 - 1 / swell)[:, sums.which]
        sd = (np.exp(log_tau)[:, None] / np.sqrt(swell))[:, sums.which]
        fixed = gamma @ self.columns.T
        effect = w * (self.outcome - fixed) + sd * rng.standard_normal(w.shape)
        if self.level:
            effect += fixed + self.offset
        return sums.centre + gamma @ sums.rotation.T, effect
