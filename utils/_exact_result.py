"""The exact posterior of the random-intercept model, and what can be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from utils import _exact_curves as curves
from utils._exact_checks import probabilities
from utils._exact_gaussian import BetaPrior
from utils._exact_moments import Moments
from utils._exact_priors import ScalePrior
from utils._exact_pymc import gaussian_code, means_code
from utils._exact_quadrature import Axis, Grid, Integrator

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Posterior:
    """Exact posterior of a random-intercept model. Made by `posterior` and `normal_means`.

    Attributes
    ----------
    names : tuple of str
        The parameters: coefficients, then tau and sigma.
    parameters : DataFrame
        Posterior `mean` and `sd` of each coefficient, tau and sigma. Infinite where the moment
        does not exist, NaN where it is not defined.
    hospitals : DataFrame
        One row per hospital: `n` patients (or `se`), posterior `mean` and `sd` of its effect (of
        its true mean, for normal means), and `weight`, the posterior mean of its shrinkage weight
        n tau² / (n tau² + sigma²).
    coefficient_cov : ndarray, shape (p, p)
        Posterior covariance of the coefficients.
    log_marginal_likelihood : float
        log p(y). Flat priors count as density 1, so with them only differences between models
        with the same flat priors mean anything.
    improper : tuple of str
        The parameters with a flat prior.
    error : float
        Largest difference, in posterior SDs, that halving the nodes makes to any mean or SD. The
        true error is smaller, usually by orders of magnitude.
    """

    names: tuple[str, ...]
    coefficient_cov: Floats
    log_marginal_likelihood: float
    improper: tuple[str, ...]
    error: float
    _table: Floats = field(repr=False)
    _hospital: tuple[list, dict[str, Floats]] = field(repr=False)
    _integrator: Integrator = field(repr=False)
    _grid: Grid = field(repr=False)
    _moments: Moments = field(repr=False)
    _priors: tuple[ScalePrior, ScalePrior | None, BetaPrior] = field(repr=False)
    _given_design: bool = field(repr=False)

    # ------------------------------------------------------------------ summaries
    @cached_property
    def parameters(self) -> pd.DataFrame:
        """Posterior mean and sd of every parameter."""
        return pd.DataFrame(self._table, index=list(self.names), columns=["mean", "sd"])

    @cached_property
    def hospitals(self) -> pd.DataFrame:
        """Posterior mean and sd of every hospital's effect, and its shrinkage weight."""
        labels, columns = self._hospital
        return pd.DataFrame(columns, index=pd.Index(labels, name="hospital"))

    def summary(self, interval: float = 0.95) -> pd.DataFrame:
        """Return mean, sd, median and an equal-tailed interval of every parameter.

        Parameters
        ----------
        interval : float
            Posterior probability that the interval holds, between 0 and 1.
        """
        (level,) = probabilities(interval)
        q = [0.5, (1 - level) / 2, (1 + level) / 2]
        table = [self.quantile(name, q) for name in self.names]
        columns = pd.DataFrame(
            np.array(table), index=self.parameters.index, columns=["median", "low", "high"]
        )
        return self.parameters.join(columns)

    def quantile(self, name: str, probability: ArrayLike) -> float | Floats:
        """Return posterior quantiles of one parameter: a coefficient, "tau" or "sigma"."""
        q = probabilities(probability)
        self._known(name)
        if name in ("tau", "sigma"):
            value = np.exp(self._marginal(name).quantile(q))
        else:
            value = curves.mixture_quantiles(*self._coefficient(name), q)[0]
        return float(value[0]) if np.ndim(probability) == 0 else value

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Return the equal-tailed posterior interval of one parameter."""
        (level,) = probabilities(level)
        low, high = self.quantile(name, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def cdf(self, name: str, value: ArrayLike) -> float | Floats:
        """Return the posterior probability that a parameter lies at or below a value."""
        at = np.atleast_1d(np.asarray(value, float))
        self._known(name)
        if name in ("tau", "sigma"):
            below = np.where(at > 0, self._marginal(name).cdf(_log(at)), 0.0)
        else:
            below = curves.mixture_cdf(at[None], *_one_row(*self._coefficient(name)))[0]
        return float(below[0]) if np.ndim(value) == 0 else below

    def density(self, name: str, at: ArrayLike | None = None) -> pd.DataFrame:
        """Return the marginal posterior density of one parameter on a grid.

        Parameters
        ----------
        name : str
            A coefficient, "tau" or "sigma".
        at : array-like, optional
            Values at which to give it; by default 201 from the 0.05 % to the 99.95 % quantile,
            and from 0 for an SD that may be near it.

        Returns
        -------
        DataFrame with columns value and density.
        """
        self._known(name)
        if at is None:
            low, high = self.quantile(name, [0.0005, 0.9995])
            if name in ("tau", "sigma") and low < 0.1 * high:
                low = 1e-3 * high
            at = np.linspace(low, high, 201)
        at = np.asarray(at, float)
        if name in ("tau", "sigma"):
            height = self._marginal(name).density(_log(at)) / np.maximum(at, 1e-300)
        else:
            height = curves.mixture_density(at[None], *_one_row(*self._coefficient(name)))[0]
        return pd.DataFrame({"value": at, "density": height})

    def hospital_quantiles(self, probability: ArrayLike) -> pd.DataFrame:
        """Return posterior quantiles of every hospital's effect, one column per probability."""
        q = probabilities(probability)
        mean, sd, weight = self._moments.effects(*self._few)
        out = np.empty((len(mean), len(q)))
        rows = max(1, 2_000_000 // mean.shape[1])
        for start in range(0, len(mean), rows):
            part = slice(start, start + rows)
            out[part] = curves.mixture_quantiles(mean[part], sd[part], weight, q)
        return pd.DataFrame(out, index=self.hospitals.index, columns=list(q))

    def hospital_density(self, hospital: object, at: ArrayLike | None = None) -> pd.DataFrame:
        """Return the posterior density of one hospital's effect: columns value and density."""
        if hospital not in self.hospitals.index:
            raise ValueError(f"no hospital {hospital!r}; the first is {self.hospitals.index[0]!r}")
        row = np.array([self.hospitals.index.get_loc(hospital)])
        mean, sd, weight = self._moments.effects(*self._few, hospitals=row)
        if at is None:
            at = np.linspace(*curves.mixture_quantiles(mean, sd, weight, _ENDS)[0], 201)
        at = np.asarray(at, float)
        height = curves.mixture_density(at[None], *_one_row(mean, sd, weight))[0]
        return pd.DataFrame({"value": at, "density": height})

    # ------------------------------------------------------------------ draws and code
    def draws(self, n: int, rng: int | np.random.Generator) -> dict[str, Floats]:
        """Return independent draws from the joint posterior.

        Parameters
        ----------
        n : int
            Number of draws.
        rng : int or numpy Generator

        Returns
        -------
        dict with tau (n,), sigma (n,), beta (n, p) and effect (n, J). Hospitals and coefficients
        are in the order of the tables.
        """
        if not (isinstance(n, int | np.integer) and n > 0):
            raise ValueError(f"n must be a whole number above 0, got {n!r}")
        rng = np.random.default_rng(rng)
        log_tau = self._marginal("tau").quantile(rng.random(n))
        log_sigma = np.zeros(n)
        u = rng.random(n)
        for start in range(0, n if self._priors[1] is not None else 0, 1000):
            part = slice(start, start + 1000)
            z, f, low, high = self._integrator.panel_rows(log_tau[part], 129)
            hard = self._integrator.hard
            log_sigma[part] = curves.draw_inner(z, f, low, high, hard, u[part])
        beta, effect = self._moments.draw(log_tau, log_sigma, rng)
        out = {"tau": np.exp(log_tau), "sigma": np.exp(log_sigma), "beta": beta, "effect": effect}
        if self._priors[1] is None:
            del out["sigma"]
        return out

    def to_pymc(self) -> str:
        """Return the same model as PyMC code.

        The text runs where `y`, `X` (unless there is none) and `group` are the arguments given to
        `posterior`, or `y`, `se` and `X` those given to `normal_means`. It makes `model`.
        """
        tau, sigma, beta = self._priors
        names = [name for name in self.names if name not in ("tau", "sigma")]
        if sigma is None:
            return means_code(tau.given, beta, names, self._given_design)
        centred = float(self.hospitals["weight"].median()) > 0.5
        return gaussian_code(tau.given, sigma.given, beta, names, self._given_design, centred)

    # ------------------------------------------------------------------ inside
    def _known(self, name: str) -> None:
        if name not in self.names:
            raise ValueError(f"no parameter {name!r}; there are {list(self.names)}")

    def _marginal(self, name: str) -> curves.Marginal:
        return self._tau_marginal if name == "tau" else self._sigma_marginal

    @cached_property
    def _tau_marginal(self) -> curves.Marginal:
        return curves.Marginal(self._grid)

    @cached_property
    def _sigma_marginal(self) -> curves.Marginal:
        """The same integral the other way round: sigma outside, tau inside."""
        one = self._integrator
        grid = self._grid
        low = grid.low[grid.weight.sum(1) > 1e-8].min()
        high = grid.high[grid.weight.sum(1) > 1e-8].max()
        scan = np.union1d(np.linspace(low, high, 12), one.inner.scan)
        other = Integrator(
            lambda x, z: one.log_rows(None, None, log_tau=z, log_sigma=x[:, None]),
            Axis(scan, one.inner.low, one.inner.high, one.inner.power),
            Axis(np.union1d(one.outer.scan, one.mesh), one.outer.low, one.outer.high, 0),
            one.tolerance,
        )
        return curves.Marginal(other.solve())

    @cached_property
    def _all(self) -> tuple[Floats, Floats, Floats]:
        grid = self._grid
        keep = grid.weight > 1e-9 * grid.weight.max()
        x = np.broadcast_to(grid.x[:, None], grid.z.shape)[keep]
        return x, grid.z[keep], grid.weight[keep] / grid.weight[keep].sum()

    @cached_property
    def _few(self) -> tuple[Floats, Floats, Floats]:
        """Nodes for the hospitals: if they are many, fewer nodes with the same moments.

        Only where that changes no quantile of the smallest, the largest and a middle hospital.
        """
        every, effects = self._all, self._moments.effects
        if len(self._hospital[0]) * len(every[0]) < 10_000:
            return every
        sums = self._moments.likelihood.sums
        n = sums.size[sums.which]
        some = np.unique([n.argmin(), n.argmax(), len(n) // 2])
        q = np.array([0.001, 0.025, 0.25, 0.5, 0.975])
        here = curves.mixture_quantiles(*effects(*every, hospitals=some), q)
        for order in (4, 8, 16, 32):
            few = curves.few_nodes(self._grid, order)
            there = curves.mixture_quantiles(*effects(*few, hospitals=some), q)
            gap = np.abs(there - here).max(1) / (here[:, 4] - here[:, 1])
            if gap.max() < self._integrator.tolerance / 4:
                return few
        return every

    @cached_property
    def _mixture(self) -> tuple[Floats, Floats, Floats]:
        return self._moments.coefficients(*self._all)

    def _coefficient(self, name: str) -> tuple[Floats, Floats, Floats]:
        k = self.names.index(name)
        mean, sd, weight = self._mixture
        return mean[k : k + 1], sd[k : k + 1], weight


_ENDS = np.array([0.0005, 0.9995])


def _log(at: Floats) -> Floats:
    return np.log(np.maximum(at, 1e-300))


def _one_row(mean: Floats, sd: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    return mean[:, None, :], sd[:, None, :], weight
