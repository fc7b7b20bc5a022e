"""The binomial likelihood of a hospital with its effect integrated out, and its moments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, logit

from utils._exact_gaussian import LOG_2PI
from utils._exact_quadrature import Grid

Floats = NDArray[np.float64]


class Counts:
    """log p(events_j | mu, tau) by Gauss-Hermite rules centred on each integrand's peak.

    theta_j = mu + tau zeta is the hospital's logit and zeta is standard normal (Liu Q, Pierce DA,
    Biometrika 1994; 81: 624-629).
    """

    def __init__(self, events: Floats, patients: Floats, order: int) -> None:
        pairs, self.which, count = np.unique(
            np.column_stack([events, patients]), axis=0, return_inverse=True, return_counts=True
        )
        self.y, self.n, self.count = pairs[:, 0], pairs[:, 1], count.astype(float)
        self.nodes, weights = np.polynomial.hermite_e.hermegauss(order)
        self.log_weights = np.log(weights) + 0.5 * self.nodes**2
        y, n = self.y, self.n
        self.constant = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1) - 0.5 * LOG_2PI

    def peaks(self, mu: Floats, tau: Floats) -> tuple[Floats, Floats]:
        """Return peak and width of each integrand in zeta, shape (M, pairs)."""
        y, n = self.y, self.n
        mu, tau = mu[:, None], tau[:, None]
        observed = logit((y + 0.5) / (n + 1))
        information = (y + 0.5) * (n - y + 0.5) / (n + 1)
        zeta = tau * information * (observed - mu) / (1 + tau**2 * information)
        for _ in range(60):
            p = expit(mu + tau * zeta)
            bend = 1 + tau**2 * n * p * (1 - p)
            step = (tau * (y - n * p) - zeta) / bend
            limit = np.maximum(1.5 / tau, 1e-3)
            zeta = zeta + np.clip(step, -limit, limit)
            if np.max(np.abs(step)) < 1e-6:
                break
        return zeta, 1 / np.sqrt(bend)

    def integrands(self, mu: Floats, tau: Floats) -> tuple[Floats, Floats]:
        """Return theta and log weight at the nodes, shape (M, pairs, order)."""
        peak, width = self.peaks(mu, tau)
        zeta = peak[..., None] + width[..., None] * self.nodes
        theta = mu[:, None, None] + tau[:, None, None] * zeta
        log_f = self.y[:, None] * theta - self.n[:, None] * np.logaddexp(0, theta)
        log_f += self.log_weights - 0.5 * zeta**2
        return theta, log_f + (np.log(width) + self.constant)[..., None]

    def log_likelihood(self, mu: Floats, tau: Floats) -> Floats:
        """Return the log likelihood of each pair, shape (M, pairs)."""
        parts = []
        rows = max(1, 400_000 // (len(self.y) * len(self.nodes)))
        for start in range(0, len(mu), rows):
            _, f = self.integrands(mu[start : start + rows], tau[start : start + rows])
            top = f.max(-1)
            parts.append(top + np.log(np.exp(f - top[..., None]).sum(-1)))
        return np.concatenate(parts)


def count_tables(
    grid: Grid, counts: Counts, finer: Counts
) -> tuple[tuple[Floats, Floats], float, float]:
    """Return the moments, and how far coarser rules and a finer inner rule move them, in SDs."""
    keep = grid.weight > 1e-12 * grid.weight.max()
    mu, tau = grid.z[keep], np.broadcast_to(np.exp(grid.x)[:, None], grid.z.shape)[keep]
    rules = [rule[keep] for rule in (grid.weight, grid.outer_weight, grid.inner_weight)]
    first, likelihood = _hospital_moments(counts, mu, tau)
    second, other = _hospital_moments(finer, mu, tau)
    shifted = rules[0] * np.exp((other - likelihood) @ counts.count)
    answers = []
    sets = [(rules[0], first), (rules[1], first), (rules[2], first), (shifted, second)]
    for weight, moments in sets:
        w = weight / weight.sum()
        mean = np.einsum("m,kmj->kj", w, moments)
        hospitals = np.column_stack([mean[0], np.sqrt(np.maximum(mean[1] - mean[0] ** 2, 0))])
        values = np.stack([mu, tau, expit(mu)])
        centre = values @ w
        sd = np.sqrt((values - centre[:, None]) ** 2 @ w)
        answers.append((np.column_stack([centre, sd]), hospitals))
    best = answers[0]
    errors = [
        max(float(np.max(np.abs(a - b) / b[:, 1:])) for a, b in zip(answer, best, strict=True))
        for answer in answers[1:]
    ]
    return best, errors[0] + errors[1], errors[2]


def _hospital_moments(counts: Counts, mu: Floats, tau: Floats) -> tuple[Floats, Floats]:
    """Return E p and E p² given (mu, tau), shape (2, M, pairs), and the log likelihoods."""
    out, log_likelihood = np.empty((2, len(mu), len(counts.y))), np.empty((len(mu), len(counts.y)))
    rows = max(1, 400_000 // (len(counts.y) * len(counts.nodes)))
    for start in range(0, len(mu), rows):
        part = slice(start, start + rows)
        theta, f = counts.integrands(mu[part], tau[part])
        top = f.max(-1, keepdims=True)
        weight = np.exp(f - top)
        total = weight.sum(-1)
        p = expit(theta)
        out[0, part] = (weight * p).sum(-1) / total
        out[1, part] = (weight * p * p).sum(-1) / total
        log_likelihood[part] = top[..., 0] + np.log(total)
    return out, log_likelihood
