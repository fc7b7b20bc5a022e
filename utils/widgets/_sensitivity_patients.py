"""Rows of the random-intercept model: patients in hospitals, a normal outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from utils._exact_curves import few_nodes, mixture_quantiles
from utils._exact_gaussian import (
    BetaPrior,
    Blocks,
    Likelihood,
    Sums,
    patient_sums,
    tail_exponents,
)
from utils._exact_moments import Moments
from utils._exact_quadrature import CUT, Axis, Grid, Integrator
from utils._exact_rules import reference_rule
from utils.widgets._sensitivity_rows import Improper, Rows, Weighed

Floats = NDArray[np.float64]

__all__ = ["PatientModel", "Patients"]

# Hospitals up to which rows of log tau may be so far apart: the more, the narrower the posterior.
# Where little is known of sigma, it is tied to tau, and the widest step is too wide.
STEPS = ((60, 0.25), (500, 0.2), (math.inf, 0.1))
FINE = 1.1  # steps of sums over log tau, times the root of the number of hospitals, at most;
WIDEST = 0.1  # and no wider than that
PLENTY = 20  # degrees of freedom within hospitals, from which on sigma is well known
FEW = ((200, 2), (60, 3), (PLENTY, 4), (0, 10))  # degrees of freedom: nodes of sigma that do
EFFECTS = 121  # values at which the effect's distribution is tabulated
MOST_POINTS = 80  # of log sigma, in one look
SHOWN = 40  # hospitals whose intervals are computed at most


@dataclass(frozen=True, eq=False)
class Patients:
    """The patients of the hospitals kept: what no prior changes.

    Parameters
    ----------
    y : ndarray, shape (rows,)
        Outcome of each row of the blocks.
    x : ndarray, shape (rows, p)
        Design matrix with its intercept.
    hospitals : Blocks
    effect : int
        Column of x whose coefficient is the effect.
    """

    y: Floats
    x: Floats
    hospitals: Blocks
    effect: int
    _sums: dict = field(default_factory=dict, repr=False)
    _ranges: dict = field(default_factory=dict, repr=False)

    def sums(self, flat: bool) -> Sums:
        """Return the sums of the likelihood, for a flat prior of the effect or a normal one.

        Raises
        ------
        Improper
            If these patients cannot tell the coefficients or sigma.
        """
        if flat not in self._sums:
            n, p = int(self.hospitals.sizes.sum()), self.x.shape[1]
            if n <= p:
                raise Improper(f"there are {n} patients for {p} coefficients")
            gram = self.x.T @ self.x
            unit = np.sqrt(np.diag(gram))
            if unit.min() == 0 or np.linalg.eigvalsh(gram / np.outer(unit, unit))[0] < 1e-10:
                raise Improper("the patients kept cannot tell the effect from the other columns")
            which = np.ones(p, bool)
            which[self.effect] = flat
            sums = patient_sums(self.y, self.x, self.hospitals, which)
            smallest = 1e-13 * np.abs(self.y).max()
            if not sums.residual_sd > smallest or (
                sums.within_df > 0 and not sums.within_sd > smallest
            ):
                raise Improper("the patients of one hospital do not differ: σ would be 0")
            self._sums[flat] = sums
        return self._sums[flat]

    def ranges(self, flat: bool, mesh: Floats, scan: Floats) -> tuple[Floats, Floats]:
        """Return where the mass of log sigma lies at some values of log tau, with flat priors.

        A first guess for any others.
        """
        if flat not in self._ranges:
            sums, p = self.sums(flat), self.x.shape[1]
            likelihood = Likelihood(sums, BetaPrior(np.zeros(p), np.zeros(p)))

            def log_rows(x: Floats, z: Floats) -> Floats:
                return likelihood.log_likelihood(x[:, None], z) + z

            # One look, an SD of log sigma from point to point, from well below the SD within
            # hospitals to well above that of all patients.
            width = 1 / math.sqrt(2 * sums.within_df)
            low, high = math.log(sums.within_sd), math.log(sums.residual_sd)
            z = np.arange(min(low, high) - 12 * width, max(low, high) + 12 * width, width)
            found = None
            if len(z) <= MOST_POINTS:
                found = _held(log_rows(mesh, np.tile(z, (len(mesh), 1))), z)
            if found is None:
                search = Integrator(log_rows, Axis(mesh), Axis(scan, power=0), 1e-4)
                found = search.ranges(mesh, np.tile(scan, (len(mesh), 1)))[:2]
            self._ranges[flat] = found
        return self._ranges[flat]


@dataclass(frozen=True, eq=False)
class PatientModel:
    """The likelihood of one set of hospitals with the priors of the effect and of sigma.

    Parameters
    ----------
    patients : Patients
    effect_sd : float
        SD of its normal prior with mean 0; infinite for a flat one. All others are flat.
    sigma_scale : float
        Scale of the half-normal prior of sigma; infinite for a flat one.
    """

    patients: Patients
    effect_sd: float
    sigma_scale: float

    @cached_property
    def _likelihood(self) -> Likelihood:
        precision = np.zeros(self.patients.x.shape[1])
        precision[self.patients.effect] = 1 / self.effect_sd**2
        prior = BetaPrior(np.zeros(len(precision)), precision)
        sums = self.patients.sums(math.isinf(self.effect_sd))
        sigma_tail = 0.0 if math.isinf(self.sigma_scale) else math.inf
        _, sigma, _ = tail_exponents(sums, prior, math.inf, sigma_tail)
        if not sigma > 1e-6:
            raise Improper("too few patients for a flat prior of σ")
        return Likelihood(sums, prior)

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Patients of each hospital."""
        sums = self._likelihood.sums
        return sums.size[sums.which].astype(int)

    def _log_sigma_prior(self, s: Floats) -> Floats:
        if math.isinf(self.sigma_scale):
            return s
        u = np.exp(np.minimum(2 * (s - math.log(self.sigma_scale)), 600))
        return s - 0.5 * u

    def _integrator(self, log_tau: Floats) -> Integrator:
        """Return the integrator over sigma, with ranges known at every sixth row or so."""
        likelihood = self._likelihood
        sums = likelihood.sums

        def log_rows(x: Floats, z: Floats) -> Floats:
            return likelihood.log_likelihood(x[:, None], z) + self._log_sigma_prior(z)

        df = sums.within_df if sums.within_df > 0 else sums.n_total - 1
        noise = sums.within_sd if sums.within_df > 0 else sums.residual_sd
        width = 1 / math.sqrt(2 * max(df, 1))
        steps = width * 2.0 ** np.arange(-1, math.log2(8 / width))
        near = [math.log(noise), math.log(sums.residual_sd)]
        plenty = sums.within_df >= PLENTY
        if math.isfinite(self.sigma_scale) and not plenty:
            near += [math.log(self.sigma_scale), math.log(self.sigma_scale) - 2]
        scan = np.unique(np.concatenate([near[0] - steps, near, near[0] + steps]))
        found = Integrator(log_rows, Axis(log_tau), Axis(scan, power=0), 1e-4)
        found.mesh = mesh = np.unique(np.concatenate([log_tau[::6], log_tau[-1:]]))
        if plenty:  # a row for which this will not do is found out when it is integrated
            seen = self.patients.ranges(math.isinf(self.effect_sd), mesh, scan)
        else:
            seen = found.ranges(mesh, np.tile(scan, (len(mesh), 1)))[:2]
        found.mesh_low, found.mesh_high = seen
        return found

    @cached_property
    def _grid(self) -> tuple[Grid, Floats]:
        """Return rows with their nodes of sigma, each row's weights adding up to 1."""
        sums = self._likelihood.sums
        noise = sums.within_sd if sums.within_df > 0 else sums.residual_sd
        low = math.log(noise) - 0.5 * math.log(sums.size.max()) - 5
        high = math.log(sums.residual_sd) + 4.5
        steps = STEPS if sums.within_df >= PLENTY else STEPS[1:]
        step = next(step for most, step in steps if sums.n_hospitals <= most)
        t = np.arange(low, high + step, step)
        nodes = 17 if sums.within_df >= PLENTY else 65
        z, f, low_z, high_z = self._integrator(t).panel_rows(t, nodes)
        _, rule, _ = reference_rule(nodes, False)
        top = f.max(1, keepdims=True)
        weight = np.exp(f - top) * rule
        total = weight.sum(1)
        log_likelihood = top[:, 0] + np.log(total * (high_z - low_z) / 2)
        weight /= total[:, None]
        grid = Grid(t, z, f, weight, weight, weight, 0.0, t, low_z, high_z, 0.0)
        return grid, log_likelihood

    @cached_property
    def _few(self) -> tuple[Floats, Floats, Floats]:
        """Return (log tau, log sigma, weight) of a few nodes per row, row by row."""
        df = self._likelihood.sums.within_df
        few = next(nodes for least, nodes in FEW if df >= least)
        x, z, weight = few_nodes(self._grid[0], few)
        return x, z, weight.reshape(-1, few) * len(self._grid[0].x)

    @cached_property
    def _conditional(self) -> tuple[Floats, Floats]:
        """Return mean and covariance of the rotated coefficients at those nodes."""
        return self._likelihood.conditional(*self._few[:2])

    @cached_property
    def _moments(self) -> Moments:
        return Moments(self._likelihood, level=False)

    @cached_property
    def rows(self) -> Rows:
        """The rows: see `Rows`."""
        grid, log_likelihood = self._grid
        x, z, weight = self._few
        likelihood = self._likelihood
        sums = likelihood.sums
        gamma, cov = self._conditional
        effect = self.patients.effect
        turn = sums.rotation[effect]
        mean = (sums.centre[effect] + gamma @ turn).reshape(weight.shape)
        variance = np.einsum("a,mab,b->m", turn, cov, turn).reshape(weight.shape)
        row_mean = (weight * mean).sum(1)
        row_variance = (weight * (variance + (mean - row_mean[:, None]) ** 2)).sum(1)
        at = _places(row_mean, np.sqrt(row_variance))
        sd = np.sqrt(variance)
        scaled = (at - mean[..., None]) / sd[..., None]
        below = np.einsum("rk,rkg->rg", weight, ndtr(scaled))
        height = np.exp(-0.5 * scaled**2) / (sd[..., None] * math.sqrt(2 * math.pi))
        density = np.einsum("rk,rkg->rg", weight, height)
        lam = np.exp(2 * (x - z)).reshape(weight.shape)
        n = sums.size
        own = np.einsum("rk,rkn->rn", weight, n * lam[..., None] / (1 + n * lam[..., None]))
        tail = 0.0 if math.isinf(self.sigma_scale) else math.inf
        k = tail_exponents(sums, likelihood.prior, 0.0, tail)
        step = grid.x[1] - grid.x[0]
        finer = math.ceil(step / min(WIDEST, FINE / math.sqrt(sums.n_hospitals)) - 1e-6)
        return Rows(
            grid.x, log_likelihood, row_mean, row_variance, at, below, density, (k[0], k[2]),
            own[:, sums.which], finer,
        )  # fmt: skip

    @cached_property
    def _gamma(self) -> Floats:
        """Mean of the rotated coefficients in each row, shape (R, p)."""
        weight, gamma = self._few[2], self._conditional[0]
        return np.einsum("rk,rkp->rp", weight, gamma.reshape(*weight.shape, -1))

    @cached_property
    def shown(self) -> NDArray[np.intp]:
        """Hospitals that are shown, by their own mean: all, or SHOWN of them, evenly spaced."""
        own = self.own(np.full(len(self._gamma), 1 / len(self._gamma)))
        order = np.argsort(own, kind="stable")
        if len(order) <= SHOWN:
            return order
        return order[np.linspace(0, len(order) - 1, SHOWN).round().astype(int)]

    @cached_property
    def _effects(self) -> tuple[Floats, Floats]:
        x, z, _ = self._few
        mean, sd, _ = self._moments.effects(
            x, z, np.ones(len(x)), hospitals=self.shown, law=self._conditional
        )
        return mean, sd

    def own(self, weight: Floats) -> Floats:
        """Return each hospital's own mean less what the coefficients explain, shape (J,)."""
        return self._moments.outcome - self._moments.columns @ (weight @ self._gamma)

    def hospitals(self, weighed: Weighed, probability: Floats) -> tuple[Floats, Floats]:
        """Return means and quantiles of the effects of the hospitals shown."""
        mean, sd = self._effects
        weight = (weighed.weight[:, None] * self._few[2]).ravel()
        keep = np.abs(weight) > 1e-6 * np.abs(weight).max()
        mean, sd, weight = mean[:, keep], sd[:, keep], weight[keep]
        weight = weight / weight.sum()
        return mean @ weight, mixture_quantiles(mean, sd, weight, probability, 1e-3)


def _held(f: Floats, z: Floats) -> tuple[Floats, Floats] | None:
    """Return the ends of what matters in each row of log densities; None if it is cut off."""
    near = f > f.max(1, keepdims=True) - CUT
    first, last = near.argmax(1), len(z) - 1 - near[:, ::-1].argmax(1)
    if first.min() == 0 or last.max() == len(z) - 1:
        return None
    return z[first - 1], z[last + 1]


def _places(mean: Floats, sd: Floats) -> Floats:
    """Return values that resolve the narrowest row and reach the tails of the widest."""
    centre, narrow = float(np.median(mean)), float(sd.min())
    reach = max(float(np.max(np.abs(mean - centre) + 7 * sd)), 8 * narrow)
    end = math.asinh(reach / (2 * narrow))
    return centre + 2 * narrow * np.sinh(np.linspace(-end, end, EFFECTS))
