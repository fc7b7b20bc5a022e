"""Exact posterior of events among patients, with a normal hospital effect on the logit scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline
from scipy.special import expit, logit

from utils import _exact_curves as curves
from utils._exact_checks import beta_prior, number_list, probabilities
from utils._exact_counts import Counts, count_tables
from utils._exact_gaussian import LOG_2PI, BetaPrior
from utils._exact_priors import ScalePrior
from utils._exact_pymc import binomial_code
from utils._exact_quadrature import Axis, Grid, Integrator, QuadratureError

Floats = NDArray[np.float64]
TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class BinomialPosterior:
    """Exact posterior of events among patients. Made by `binomial`.

    Attributes
    ----------
    parameters : DataFrame
        Posterior mean and sd of mu, of tau, and of `typical`, the probability in a hospital whose
        effect is 0.
    hospitals : DataFrame
        One row per hospital: events, patients, posterior mean and sd of its probability.
    log_marginal_likelihood : float
        log p(events), with density 1 for a flat prior.
    error : float
        Largest difference, in posterior SDs, that halving the nodes makes to any mean or SD.
    """

    parameters: pd.DataFrame
    hospitals: pd.DataFrame
    log_marginal_likelihood: float
    error: float
    _integrator: Integrator = field(repr=False)
    _grid: Grid = field(repr=False)
    _counts: Counts = field(repr=False)
    _priors: tuple[ScalePrior, BetaPrior] = field(repr=False)

    def quantile(self, name: str, probability: ArrayLike) -> float | Floats:
        """Return posterior quantiles of "mu", "tau" or "typical"."""
        q = probabilities(probability)
        if name not in self.parameters.index:
            raise ValueError(f"no parameter {name!r}; there are {list(self.parameters.index)}")
        if name == "tau":
            value = np.exp(self._tau_marginal.quantile(q))
        else:
            value = self._mu_marginal.quantile(q)
            value = expit(value) if name == "typical" else value
        return float(value[0]) if np.ndim(probability) == 0 else value

    def summary(self, interval: float = 0.95) -> pd.DataFrame:
        """Return mean, sd, median and an equal-tailed interval of every parameter."""
        (level,) = probabilities(interval)
        q = [0.5, (1 - level) / 2, (1 + level) / 2]
        table = np.array([self.quantile(name, q) for name in self.parameters.index])
        names = ["median", "low", "high"]
        return self.parameters.join(pd.DataFrame(table, self.parameters.index, names))

    def hospital_quantiles(self, probability: ArrayLike) -> pd.DataFrame:
        """Return posterior quantiles of every hospital's probability."""
        q = probabilities(probability)
        rows = []
        for pair in range(len(self._counts.y)):
            theta, height = self._logit_density(pair)
            rows.append(expit(_quantiles(theta, height, q)))
        table = np.array(rows)[self._counts.which]
        return pd.DataFrame(table, index=self.hospitals.index, columns=list(q))

    def hospital_density(self, hospital: object, at: ArrayLike | None = None) -> pd.DataFrame:
        """Return the posterior density of one hospital's probability: value and density."""
        if hospital not in self.hospitals.index:
            raise ValueError(f"no hospital {hospital!r}; the first is {self.hospitals.index[0]!r}")
        pair = self._counts.which[self.hospitals.index.get_loc(hospital)]
        theta, height = self._logit_density(int(pair))
        area = np.sum((height[1:] + height[:-1]) / 2) * (theta[1] - theta[0])
        at = expit(theta[height > 1e-5 * height.max()]) if at is None else np.asarray(at, float)
        inside = (at > 0) & (at < 1)
        place = logit(np.where(inside, at, 0.5))
        curve = CubicSpline(theta, height / area, extrapolate=False)
        density = np.nan_to_num(curve(place)) / (at * (1 - at) + ~inside)
        return pd.DataFrame({"value": at, "density": np.maximum(density * inside, 0)})

    def density(self, name: str, at: ArrayLike | None = None) -> pd.DataFrame:
        """Return the marginal posterior density of "mu" or "tau": columns value and density."""
        if name not in ("mu", "tau"):
            raise ValueError(f"density is given for 'mu' and 'tau', not {name!r}")
        if at is None:
            at = np.linspace(*self.quantile(name, [0.0005, 0.9995]), 201)
        at = np.asarray(at, float)
        if name == "mu":
            height = self._mu_marginal.density(at)
        else:
            height = self._tau_marginal.density(np.log(np.maximum(at, 1e-300)))
            height = height / np.maximum(at, 1e-300)
        return pd.DataFrame({"value": at, "density": height})

    def draws(self, n: int, rng: int | np.random.Generator) -> dict[str, Floats]:
        """Return independent draws: mu (n,), tau (n,) and p (n, J)."""
        if not (isinstance(n, int | np.integer) and n > 0):
            raise ValueError(f"n must be a whole number above 0, got {n!r}")
        rng = np.random.default_rng(rng)
        log_tau = self._tau_marginal.quantile(rng.random(n))
        one = self._integrator
        z, f, low, high = one.panel_rows(log_tau, 41)
        mu = curves.draw_inner(z, f, low, high, one.hard, rng.random(n))
        tau = np.exp(log_tau)
        peak, width = self._counts.peaks(mu, tau)
        p = np.empty((n, len(self._counts.which)))
        reach = np.linspace(-1, 1, 81)
        for j, k in enumerate(self._counts.which):
            # The integrand is at most as wide as the standard normal, to the side of its peak.
            span = np.minimum(9 * width[:, k] * (1 + 2 * tau), 9.0)
            zeta = peak[:, k, None] + span[:, None] * reach
            theta = mu[:, None] + tau[:, None] * zeta
            y, size = self._counts.y[k], self._counts.n[k]
            g = y * theta - size * np.logaddexp(0, theta) - 0.5 * zeta**2
            ends = peak[:, k] - span, peak[:, k] + span
            drawn = curves.draw_inner(zeta, g, *ends, False, rng.random(n))
            p[:, j] = expit(mu + tau * drawn)
        return {"mu": mu, "tau": tau, "p": p}

    def to_pymc(self) -> str:
        """Return the same model as PyMC code, to run where `events` and `patients` exist."""
        return binomial_code(self._priors[0].given, self._priors[1])

    @cached_property
    def _tau_marginal(self) -> curves.Marginal:
        return curves.Marginal(self._grid)

    @cached_property
    def _mu_marginal(self) -> curves.Marginal:
        one, grid = self._integrator, self._grid
        keep = grid.weight.sum(1) > 1e-8
        scan = np.linspace(grid.low[keep].min(), grid.high[keep].max(), 16)
        other = Integrator(
            lambda x, z: one.log_rows(None, None, log_tau=z, mu=x[:, None]),
            Axis(scan),
            Axis(one.mesh, one.outer.low, one.outer.high),
            one.tolerance,
        )
        return curves.Marginal(other.solve())

    @cached_property
    def _pair_likelihoods(self) -> Floats:
        grid = self._grid
        mu, tau = grid.z.ravel(), np.repeat(np.exp(grid.x), grid.z.shape[1])
        return self._counts.log_likelihood(mu, tau).reshape(*grid.z.shape, -1)

    def _logit_density(self, pair: int) -> tuple[Floats, Floats]:
        """Return a grid of one hospital's logit and its posterior density, up to a constant.

        Given tau it is the binomial likelihood times the normal law around mu, averaged over what
        the other hospitals say of mu. That average is a sum over the nodes of mu where tau is
        wider than their spacing, and a Gauss-Hermite sum around theta where it is narrower.
        """
        grid, counts = self._grid, self._counts
        mass = grid.weight.sum(1)
        rows = np.flatnonzero(mass > 1e-9 * mass.max())
        others = grid.log_density - self._pair_likelihoods[:, :, pair]
        scale = grid.weight / np.exp(grid.log_density - grid.log_density.max())
        low, high = self._logit_range(pair)
        # A heavy-tailed prior takes a hospital without events hundreds of logits down.
        points = int(np.clip((high - low) / 0.05, 801, 16001))
        theta = np.linspace(low, high, points)
        total = np.zeros(points)
        nodes, weights = np.polynomial.hermite_e.hermegauss(21)
        top = others[rows].max()
        for i in rows:
            tau, mu = np.exp(grid.x[i]), grid.z[i]
            if tau > 0.8 * (mu[1] - mu[0]):
                kernel = np.exp(-0.5 * ((theta[:, None] - mu) / tau) ** 2) / tau
                total += kernel @ (scale[i] * np.exp(others[i] - top))
            else:
                curve = CubicSpline(mu, others[i] - top, extrapolate=False)
                at = np.nan_to_num(curve(theta[:, None] - tau * nodes), nan=-np.inf)
                # The row's own rule spreads its weight over (mu[-1] - mu[0]) in equal steps.
                step = np.median(scale[i]) / (mu[1] - mu[0])
                total += step * (np.exp(at) @ weights)
        y, n = counts.y[pair], counts.n[pair]
        own = y * theta - n * np.logaddexp(0, theta)
        return theta, total * np.exp(own - own.max())

    def _logit_range(self, pair: int) -> tuple[float, float]:
        grid, counts = self._grid, self._counts
        mass = grid.weight.sum(1)
        rows = mass > 1e-9 * mass.max()
        mu, tau = (grid.weight[rows] * grid.z[rows]).sum(1) / mass[rows], np.exp(grid.x[rows])
        theta, log_w = counts.integrands(mu, tau)
        theta, log_w = theta[:, pair], log_w[:, pair]
        weight = np.exp(log_w - log_w.max(1, keepdims=True))
        weight *= (mass[rows] / weight.sum(1))[:, None]
        keep = weight > 1e-11
        spread = np.ptp(grid.z[grid.weight > 1e-7 * grid.weight.max()]) / 4
        return float(theta[keep].min() - spread), float(theta[keep].max() + spread)


def binomial(
    events: ArrayLike,
    patients: ArrayLike,
    *,
    tau: object,
    mu: tuple[float, float] | None = None,
    labels: ArrayLike | None = None,
) -> BinomialPosterior:
    """Return the exact posterior of events among patients with a normal hospital effect.

    events_j ~ Binomial(patients_j, p_j), logit p_j = mu + u_j, u_j ~ N(0, tau²).

    Parameters
    ----------
    events, patients : array-like of whole numbers, shape (J,)
    tau : object with a method logpdf, or "flat"
        Prior of the SD between hospitals on the logit scale. "flat" needs three hospitals or
        more that have both patients with and without the event.
    mu : (mean, sd) or None
        Normal prior of mu; None is flat.
    labels : array-like, shape (J,), optional
        Names of the hospitals; by default 0, 1, ...

    Raises
    ------
    ValueError
        If the counts are impossible or the posterior would be improper.
    QuadratureError
        If the error estimate stays above 1e-4 posterior SD.

    Notes
    -----
    As tau grows, a hospital with both kinds of patients costs the likelihood a factor 1 / tau and
    a flat prior on mu gives one back, as in `posterior`; hospitals with none or all can only help.

    Examples
    --------
    >>> from scipy import stats
    >>> fit = binomial([0, 18, 8], [47, 148, 119], tau=stats.halfnorm(scale=1), mu=(-2.5, 1.5))
    >>> fit.hospitals["mean"].round(3).tolist()
    [0.03, 0.113, 0.067]
    """
    y, n = number_list("events", events), number_list("patients", patients)
    if len(y) != len(n):
        raise ValueError(f"events and patients must be equally long, got {len(y)} and {len(n)}")
    if np.any(y != np.round(y)) or np.any(n != np.round(n)):
        raise ValueError("events and patients must be whole numbers")
    if np.any(y < 0) or np.any(y > n) or np.any(n < 1):
        raise ValueError("every hospital needs 0 <= events <= patients and 1 patient or more")
    index = np.arange(len(y)) if labels is None else np.asarray(labels)
    if len(index) != len(y) or len(set(index.tolist())) != len(index):
        raise ValueError(f"labels must be {len(y)} different names, got {list(index)}")
    prior = beta_prior(mu, ["mu"])
    tau_prior = ScalePrior("tau", tau, 1.0)
    both = int(np.sum((y > 0) & (y < n)))
    if prior.flat and y.sum() in (0, n.sum()):
        raise ValueError("with a flat prior for mu there must be patients with and without events")
    k = both - prior.flat - 1 + tau_prior.tail
    if not k > 2.001:
        raise ValueError(
            f"the posterior of tau would be improper or have no SD: {both} hospitals have both "
            "kinds of patients. Give tau a proper prior, such as scipy.stats.halfnorm, or mu one"
        )
    counts = {"events": y.astype(int), "patients": n.astype(int)}
    return _solve(y, n, tau_prior, prior, counts, pd.Index(index, name="hospital"))


def _solve(y, n, tau_prior, prior, columns, index) -> BinomialPosterior:
    precision, centre = prior.precision[0], prior.mean[0]
    pooled = logit((y.sum() + 0.5) / (n.sum() + 1))
    se = 1 / np.sqrt((y.sum() + 0.5) * (n.sum() - y.sum() + 0.5) / (n.sum() + 1))
    steps = se * 2.0 ** np.arange(0, np.log2(20 / se))
    guess = np.concatenate([pooled - steps, [pooled], pooled + steps])
    if precision > 0:
        guess = np.concatenate([guess, centre + np.array([-3, 0, 3]) / np.sqrt(precision)])
    scan = np.concatenate([np.linspace(-7, 1.6, 14), np.clip(tau_prior.landmarks, -30, 5)])
    low = np.log(tau_prior.low) if tau_prior.low > 0 else -np.inf
    outer = Axis(np.unique(scan), low, float(np.log(tau_prior.high)), 2)
    order, panels, nodes = 17, 2, 25
    for _ in range(6):
        counts = Counts(y, n, order)

        def log_rows(x, z, *, log_tau=None, mu=None, counts=counts):
            log_tau = x[:, None] if log_tau is None else log_tau
            mu = z if mu is None else mu
            t, m = np.broadcast_arrays(log_tau, mu)
            each = counts.log_likelihood(m.ravel(), np.exp(t.ravel()))
            f = (each @ counts.count).reshape(t.shape) + tau_prior.log_density(log_tau)
            if precision > 0:
                f = f - 0.5 * precision * (mu - centre) ** 2 + 0.5 * (np.log(precision) - LOG_2PI)
            return f

        integrator = Integrator(log_rows, outer, Axis(np.unique(guess), limit=1e9), TOLERANCE)
        grid = integrator.solve(panels=panels, nodes=nodes)
        table, grid_error, rule_error = count_tables(grid, counts, Counts(y, n, 2 * order + 1))
        error = grid_error + rule_error
        if error < TOLERANCE:
            break
        if rule_error > TOLERANCE / 4:
            order = 2 * order + 1
        if grid_error > TOLERANCE / 2:
            panels, nodes = 2 * panels, 2 * nodes - 1
    else:
        raise QuadratureError(f"the error estimate stays at {error:.1g} posterior SD")
    scales, hospitals = table
    frame = pd.DataFrame(columns, index=index)
    where = counts.which
    return BinomialPosterior(
        parameters=pd.DataFrame(scales, ["mu", "tau", "typical"], ["mean", "sd"]),
        hospitals=frame.assign(mean=hospitals[where, 0], sd=hospitals[where, 1]),
        log_marginal_likelihood=grid.log_total,
        error=error,
        _integrator=integrator,
        _grid=grid,
        _counts=counts,
        _priors=(tau_prior, prior),
    )


def _quantiles(theta: Floats, height: Floats, q: Floats) -> Floats:
    """Return quantiles of a density tabulated on an even grid."""
    step = theta[1] - theta[0]
    bend = np.gradient(height)
    pieces = (height[1:] + height[:-1]) / 2 + (bend[:-1] - bend[1:]) / 12
    below = np.concatenate([[0], np.cumsum(np.maximum(pieces, 0))])
    target = q * below[-1]
    cell = np.clip(np.searchsorted(below, target) - 1, 0, len(theta) - 2)
    ends = below[cell], below[cell + 1], height[cell], height[cell + 1]
    return theta[cell] + step * curves.solve_hermite(target, *ends)
