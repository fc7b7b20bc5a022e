"""The random-intercept likelihood with coefficients and hospital effects integrated out.

    y_ij = x_ij' beta + u_j + e_ij,  u_j ~ N(0, tau²),  e_ij ~ N(0, sigma²)

Everything follows from sums within and between hospitals. With lam = tau² / sigma², the
generalised least squares sums are (within + sum_j n_j m_j m_j' / (1 + lam n_j)) / sigma², where
m_j is hospital j's mean of (x, y): only positive terms, so nothing cancels (Searle SR, Casella G,
McCulloch CE, Variance Components, 1992, chapter 3). Hospitals of the same size share a term.
Normal means with known standard errors are the same sums with sigma = 1 and n_j = 1 / se_j².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utils._patients import Totals

Floats = NDArray[np.float64]
LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class BetaPrior:
    """Independent normal priors for the coefficients; precision 0 is a flat prior.

    `mean` and `precision` have shape (p,); `flat` counts the flat ones.
    """

    mean: Floats
    precision: Floats

    @property
    def flat(self) -> int:
        """Number of coefficients with a flat prior."""
        return int(np.sum(self.precision == 0))

    @property
    def log_constant(self) -> float:
        """Log of the normalising constant of the proper ones."""
        proper = self.precision[self.precision > 0]
        return float(0.5 * np.sum(np.log(proper) - LOG_2PI))


@dataclass(frozen=True)
class Sums:
    """Sums of one data set, in coordinates where the coefficients are near 0 and uncorrelated.

    beta = centre + rotation @ gamma, and y is replaced by its least squares residual, so that
    no digits are lost however large the outcome's mean is.

    Attributes
    ----------
    within : ndarray, shape (p + 1, p + 1)
        Cross products of (columns, outcome) about the hospital means.
    between : ndarray, shape (sizes, p + 1, p + 1)
        n_j m_j m_j' summed over the hospitals of one size.
    size, count : ndarray, shape (sizes,)
        The different hospital sizes, and how many hospitals have each.
    which : ndarray, shape (J,)
        Index of each hospital's size in `size`.
    means : ndarray, shape (J, p + 1)
        Hospital means of (columns, outcome).
    n_total : int
        Number of outcomes.
    log_scale : float
        Sum of log known variances (normal means), else 0.
    endless : int
        Directions of coefficients with a flat prior that only hospitals can tell apart.
    """

    within: Floats
    between: Floats
    size: Floats
    count: Floats
    which: NDArray[np.intp]
    means: Floats
    n_total: int
    log_scale: float
    centre: Floats
    rotation: Floats
    residual_sd: float
    within_sd: float
    within_df: int
    endless: int

    @property
    def n_hospitals(self) -> int:
        """Number of hospitals."""
        return len(self.which)


@dataclass(frozen=True, eq=False)
class Blocks:
    """Hospitals whose patients were turned into a few rows with the same sums.

    An orthogonal matrix for each hospital turns its patients into one row, the root of its size
    times its mean, and p + 1 rows about that mean at most. Squares and products stay what they are.

    Attributes
    ----------
    sizes : ndarray, shape (J,)
        Patients of each hospital.
    """

    sizes: NDArray[np.intp]

    @property
    def hospitals(self) -> int:
        """Number of hospitals."""
        return len(self.sizes)

    def split(self, columns: Floats) -> tuple[Floats, Floats]:
        """Return the means of (k, rows) in each hospital, (k, J), and the rows about them."""
        j = self.hospitals
        return columns[:, :j] / np.sqrt(self.sizes), columns[:, j:].copy()


def blocks(y: Floats, x: Floats, hospitals: Totals) -> tuple[Floats, Floats]:
    """Return the rows of `Blocks`: those of the means (J, p + 1), and those about them.

    Parameters
    ----------
    y : ndarray, shape (N,)
    x : ndarray, shape (N, p)
    hospitals : Totals

    Returns
    -------
    means : ndarray, shape (J, p + 1)
        Of (columns, outcome), times the root of the hospital's size.
    about : ndarray, shape (J, p + 1, p + 1)
        Triangular, with zeros where a hospital has fewer patients.
    """
    columns, sizes = np.vstack([x.T, y]), hospitals.sizes
    means, about = hospitals.split(columns)
    k = len(columns)
    about, found = about.T[np.argsort(hospitals.codes, kind="stable")], np.zeros((len(sizes), k, k))
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    for size in np.unique(sizes):  # all hospitals of one size at once
        which = np.flatnonzero(sizes == size)
        rows = about[first[which, None] + np.arange(size)]
        found[which, : min(size, k)] = np.linalg.qr(rows, mode="r")
    return means.T * np.sqrt(sizes)[:, None], found


def patient_sums(y: Floats, x: Floats, hospitals: Totals | Blocks, flat: NDArray[np.bool_]) -> Sums:
    """Return the sums of patients in hospitals.

    Parameters
    ----------
    y : ndarray, shape (N,)
        Outcome of each patient, or of each row of the blocks.
    x : ndarray, shape (N, p)
        Full column rank.
    hospitals : Totals or Blocks
        The hospitals of these patients or rows.
    flat : ndarray of bool, shape (p,)
        Which coefficients have a flat prior.
    """
    n, n_total = hospitals.sizes.astype(float), int(hospitals.sizes.sum())
    centre, rotation, columns = _rotate(y, x, flat)
    means, inside = hospitals.split(columns)
    within, residual, means = inside @ inside.T, columns[-1], means.T
    p = x.shape[1]
    total = within[:p, :p] + (means[:, :p] * n[:, None]).T @ means[:, :p]
    # Coordinates in which comparisons within hospitals are uncorrelated, flat coefficients first.
    # Directions that only comparisons between hospitals can tell get exact zeros, or rounding
    # would stand in for them where tau is far above sigma.
    first, vectors, tiny = int(flat.sum()), np.eye(p), 1e-10 * np.trace(total) / p
    size = np.zeros(p)
    size[:first], vectors[:first, :first] = np.linalg.eigh(within[:first, :first])
    told = np.flatnonzero(size[:first] > tiny)
    if first < p:
        if len(told):
            cross = vectors[:, told].T @ within[:p, first:p] / size[told, None]
            vectors[:, first:] -= vectors[:, told] @ cross
        apart = vectors[:, first:].T @ inside[:p]
        size[first:], turn = np.linalg.eigh(apart @ apart.T)
        vectors[:, first:] = vectors[:, first:] @ turn
    size = np.where(size > tiny, size, 0.0)
    rank, lost = int(np.sum(size > 0)), first - len(told)
    means = np.column_stack([means[:, :p] @ vectors, means[:, p]])
    rotation = rotation @ vectors
    # The outcome is centred at the estimate within hospitals: where tau is far above sigma, least
    # squares is too far from it, and the squares would cancel.
    for _ in range(2):
        shift = vectors.T @ (inside[:p] @ inside[p])
        shift = np.where(size > 0, shift / np.where(size > 0, size, 1.0), 0.0)
        inside[p] -= (vectors @ shift) @ inside[:p]
        means[:, p] -= means[:, :p] @ shift
        centre = centre + rotation @ shift
    left = float(inside[p] @ inside[p])
    within = np.zeros((p + 1, p + 1))
    within[np.arange(p + 1), np.arange(p + 1)] = [*size, left]
    # A coefficient that patients can tell does not depend on what only hospitals can, which may
    # be uncertain by many orders more.
    rotation[np.abs(rotation) < 1e-12 * np.abs(rotation).max(1, keepdims=True)] = 0.0
    df = n_total - hospitals.hospitals - rank
    return Sums(
        within=within,
        **_by_size(n, means),
        n_total=n_total,
        log_scale=0.0,
        centre=centre,
        rotation=rotation,
        residual_sd=float(np.sqrt(residual @ residual / max(n_total - p, 1))),
        within_sd=float(np.sqrt(left / df)) if df > 0 else 0.0,
        within_df=df,
        endless=lost,
    )


def means_sums(y: Floats, se: Floats, x: Floats, flat: NDArray[np.bool_]) -> Sums:
    """Return the sums of estimates y with known standard errors se, one per hospital."""
    centre, rotation, columns = _rotate(y / se, x / se[:, None], flat)
    means = (columns * se).T
    p = x.shape[1]
    return Sums(
        within=np.zeros((p + 1, p + 1)),
        **_by_size(1 / se**2, means),
        n_total=len(y),
        log_scale=float(2 * np.sum(np.log(se))),
        centre=centre,
        rotation=rotation,
        residual_sd=float(np.std(means[:, p])),
        within_sd=1.0,
        within_df=0,
        endless=int(flat.sum()),
    )


def _rotate(y: Floats, x: Floats, flat: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Return least squares coefficients, the rotation, and (p + 1, N): columns, residual of y.

    The rotation is triangular with the flat coefficients first, so that the priors of the others
    do not touch the coordinates of the flat ones, not even by rounding.
    """
    order = np.argsort(~flat, kind="stable")
    rows = np.ascontiguousarray(x.T[order])
    unit = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    gram = (rows @ rows.T) / np.outer(unit, unit)
    if np.linalg.eigvalsh(gram)[0] > 1e-6:  # any near-orthogonal coordinates serve
        r = np.linalg.cholesky(gram).T
    else:
        r = np.linalg.qr(x[:, order] / unit, mode="r")
    root = np.sqrt(len(y))
    rotation = np.triu(np.linalg.solve(r, np.eye(x.shape[1]))) * root / unit[:, None]
    columns = np.empty((len(rows) + 1, len(y)))
    np.matmul(rotation.T, rows, out=columns[:-1])  # rows in the order of the rotation
    centre, residual = np.zeros(len(rows)), y
    for _ in range(3):  # the first pass rounds at the size of y, the later ones do not
        step = columns[:-1] @ residual / len(y)
        centre = centre + step
        residual = residual - step @ columns[:-1]
    columns[-1] = residual
    rotation = rotation[np.argsort(order)]
    return rotation @ centre, rotation, columns


def _by_size(n: Floats, means: Floats) -> dict[str, object]:
    size, which, count = np.unique(n, return_inverse=True, return_counts=True)
    k = means.shape[1]
    products = (means[:, :, None] * means[:, None, :]).reshape(len(n), k * k) * n[:, None]
    between = np.stack([np.bincount(which, row, len(size)) for row in products.T], axis=1)
    return dict(
        between=between.reshape(len(size), k, k),
        size=size,
        count=count.astype(float),
        which=which,
        means=means,
    )


class Likelihood:
    """log p(y | tau, sigma) and the conditional law of the coefficients, at many points."""

    def __init__(self, sums: Sums, prior: BetaPrior) -> None:
        self.sums, self.prior = sums, prior
        p = self.p = len(prior.mean)
        self.pairs = [(i, j) for i in range(p + 1) for j in range(i + 1)]
        self.within = np.array([sums.within[i, j] for i, j in self.pairs])
        self.between = np.stack([sums.between[:, i, j] for i, j in self.pairs])
        rotated = sums.rotation.T * prior.precision
        shift = prior.mean - sums.centre
        penalty = np.zeros((p + 1, p + 1))
        penalty[:p, :p] = rotated @ sums.rotation
        penalty[p, :p] = penalty[:p, p] = rotated @ shift
        penalty[p, p] = shift @ (prior.precision * shift)
        self.penalty = np.array([penalty[i, j] for i, j in self.pairs])
        self.constant = (
            prior.log_constant
            + np.linalg.slogdet(sums.rotation)[1]
            + 0.5 * (p - sums.n_total) * LOG_2PI
            - 0.5 * sums.log_scale
        )
        self.penalised = bool(prior.precision.any())

    def log_likelihood(self, log_tau: Floats, log_sigma: Floats) -> Floats:
        """Return log p(y | tau, sigma) at points that broadcast against each other."""
        log_tau, log_sigma = np.broadcast_arrays(log_tau, log_sigma)
        return self._factor(log_tau.ravel(), log_sigma.ravel())[0].reshape(log_tau.shape)

    def conditional(self, log_tau: Floats, log_sigma: Floats) -> tuple[Floats, Floats]:
        """Return mean (M, p) and covariance (M, p, p) of gamma given tau and sigma."""
        _, low = self._factor(log_tau, log_sigma)
        p, points = self.p, len(log_tau)
        mean, inverse = np.zeros((p, points)), np.zeros((p, p, points))
        for i in range(p - 1, -1, -1):
            value = low[p][i].copy()
            for k in range(i + 1, p):
                value -= low[k][i] * mean[k]
            mean[i] = value / low[i][i]
        for i in range(p):
            inverse[i, i] = 1 / low[i][i]
            for j in range(i):
                value = sum(low[i][k] * inverse[k, j] for k in range(j, i))
                inverse[i, j] = -value / low[i][i]
        inverse = np.moveaxis(inverse, -1, 0)
        return mean.T, np.swapaxes(inverse, 1, 2) @ inverse

    def _factor(self, log_tau: Floats, log_sigma: Floats) -> tuple[Floats, list]:
        """Return the log likelihood and the Cholesky factor of the bordered normal equations."""
        p, sums = self.p, self.sums
        ratio = np.exp(np.minimum(2 * (log_tau - log_sigma), 600.0))
        swell = 1 + sums.size[:, None] * ratio
        flat = self.between @ (1 / swell)
        flat += self.within[:, None]
        flat *= np.exp(np.minimum(-2 * log_sigma, 600.0))
        if self.penalised:
            flat += self.penalty[:, None]
        low: list[list] = [[None] * (p + 1) for _ in range(p + 1)]
        for index, (i, j) in enumerate(self.pairs):
            low[i][j] = flat[index]
        for j in range(p + 1):
            for i in range(j, p + 1):
                for k in range(j):
                    low[i][j] = low[i][j] - low[i][k] * low[j][k]
            if j < p:
                low[j][j] = np.sqrt(np.maximum(low[j][j], 1e-300))
                for i in range(j + 1, p + 1):
                    low[i][j] = low[i][j] / low[j][j]
        log_det = 2 * sums.n_total * log_sigma + sums.count @ np.log(swell)
        for j in range(p):
            log_det = log_det + 2 * np.log(low[j][j])
        return self.constant - 0.5 * (log_det + np.maximum(low[p][p], 0)), low


def tail_exponents(
    sums: Sums, prior: BetaPrior, tau_tail: float, sigma_tail: float
) -> tuple[float, float, float]:
    """Return k for tau, sigma and both at once: far out, P(tau > t) falls as t ** -k.

    Notes
    -----
    As tau grows, the likelihood falls as tau ** -(J - q), where q counts the coefficients with a
    flat prior that only comparisons between hospitals can tell: each of those costs a factor tau.
    A prior that falls as tau ** -a gives k = J - q - 1 + a. With a flat prior (a = 0) and an
    intercept (q = 1) the posterior is proper, k > 0, from J = 3 hospitals on (Gelman A, Bayesian
    Analysis 2006; 1: 515-534, section 3.2); the mean needs k > 1, the standard deviation k > 2.
    """
    tau = sums.n_hospitals - sums.endless - 1 + tau_tail
    sigma = sums.n_total - prior.flat - 1 + sigma_tail
    together = sums.n_total - prior.flat - 2 + tau_tail + sigma_tail
    return tau, sigma, together
