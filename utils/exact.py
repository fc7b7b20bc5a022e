"""Exact posteriors of hierarchical models: no chains, no warm-up, no Monte Carlo error.

Three models, each with hospital effects u_j ~ N(0, tau²):

- `posterior`: patients in hospitals, y_ij = x_ij' beta + u_j + e_ij, e_ij ~ N(0, sigma²);
- `normal_means`: one estimate per hospital with a known standard error (eight schools);
- `binomial`: events among patients, logit p_j = mu + u_j (surgical mortality).

What can be integrated in closed form is; the one or two parameters that are left are integrated
by adaptive quadrature, which refines itself until its error estimate is below 1e-4 posterior SD
and raises `QuadratureError` if it cannot get there. A prior for a standard deviation is any
object with a method ``logpdf``: ``scipy.stats.halfnorm(scale=5)``, ``HalfStudentT(3, 5)``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from utils._exact_binomial import BinomialPosterior, binomial
from utils._exact_checks import beta_prior, design, number_list, same_rows
from utils._exact_gaussian import (
    BetaPrior,
    Likelihood,
    Sums,
    means_sums,
    patient_sums,
    tail_exponents,
)
from utils._exact_moments import Moments, Table
from utils._exact_priors import HalfStudentT, InverseGammaVariance, ScalePrior
from utils._exact_quadrature import Axis, Grid, Integrator, QuadratureError
from utils._exact_result import Posterior
from utils._patients import Totals, codes_of

__all__ = [
    "BinomialPosterior",
    "HalfStudentT",
    "InverseGammaVariance",
    "Posterior",
    "QuadratureError",
    "binomial",
    "normal_means",
    "posterior",
]

TOLERANCE = 1e-4  # posterior standard deviations


def posterior(
    y: ArrayLike,
    X: ArrayLike | pd.DataFrame | None,
    group: ArrayLike,
    *,
    tau: object,
    sigma: object,
    beta: tuple[ArrayLike, ArrayLike] | None = None,
) -> Posterior:
    """Return the exact posterior of the random-intercept model.

    Parameters
    ----------
    y : array-like, shape (N,)
        Outcome of each patient.
    X : array-like or DataFrame, shape (N, p), or None
        Design matrix, its intercept included. None is an intercept alone.
    group : array-like, shape (N,)
        Hospital of each patient.
    tau, sigma : object with a method logpdf, or "flat"
        Priors of the SD between hospitals and between patients of one hospital, in the unit of
        the outcome. "flat" is the improper uniform density on the SD.
    beta : (mean, sd) or None
        Independent normal priors of the coefficients, each one number or p of them; an infinite
        sd is a flat prior. None is flat for all.

    Returns
    -------
    Posterior

    Raises
    ------
    ValueError
        If the data cannot be used (the message says what is wrong), or the posterior would be
        improper.
    QuadratureError
        If the error estimate stays above 1e-4 posterior SD.

    Notes
    -----
    beta and u are integrated out in closed form (Searle SR, Casella G, McCulloch CE, Variance
    Components, 1992, chapter 9), tau and sigma by adaptive quadrature on log scales. With a flat
    prior on tau the posterior is proper if the hospitals outnumber by two or more the coefficients
    with a flat prior that only comparisons between hospitals can tell: three hospitals for an
    intercept (Gelman A, Bayesian Analysis 2006; 1: 515-534). One more is needed for the posterior
    mean of tau, and one more for its SD, to be finite.

    Examples
    --------
    >>> from scipy import stats
    >>> y, hospital = [118, 126, 131, 139, 148, 150], ["A", "A", "B", "B", "C", "C"]
    >>> sigma = stats.expon(scale=10)
    >>> fit = posterior(y, None, hospital, tau=stats.halfnorm(scale=15), sigma=sigma)
    >>> fit.parameters.round(1)
                mean   sd
    intercept  135.3  9.6
    tau         14.0  6.9
    sigma        7.1  3.9
    """
    same_rows(y=y, X=X, group=group)
    outcome = number_list("y", y)
    x, names = design(X, len(outcome))
    code, labels = codes_of(group, "group")
    if len(code) != len(outcome):
        raise ValueError(f"y and group must have as many rows, got {len(outcome)} and {len(code)}")
    prior = beta_prior(beta, names)
    hospitals = Totals(code, len(labels))
    sums = patient_sums(outcome, x, hospitals, prior.precision == 0)
    smallest = 1e-13 * np.abs(outcome).max()
    if not sums.residual_sd > smallest:
        raise ValueError("y has no variation that X leaves unexplained: sigma would be 0")
    if sums.within_df > 0 and not sums.within_sd > smallest:
        raise ValueError(
            "patients of one hospital do not differ once X is allowed for: sigma would be 0 and "
            "the posterior improper"
        )
    scale = sums.residual_sd
    tau_prior, sigma_prior = ScalePrior("tau", tau, scale), ScalePrior("sigma", sigma, scale)
    exponents = tail_exponents(sums, prior, tau_prior.tail, sigma_prior.tail)
    _refuse_improper(sums, prior, tau_prior, sigma_prior, exponents)
    args = (names, labels.tolist(), {"n": hospitals.sizes}, X is not None)
    return _solve(sums, prior, tau_prior, sigma_prior, exponents, *args)


def normal_means(
    y: ArrayLike,
    se: ArrayLike,
    X: ArrayLike | pd.DataFrame | None = None,
    *,
    tau: object,
    beta: tuple[ArrayLike, ArrayLike] | None = None,
    labels: ArrayLike | None = None,
) -> Posterior:
    """Return the exact posterior of normal means with known standard errors.

    y_j ~ N(theta_j, se_j²), theta_j ~ N(x_j' beta, tau²): eight schools, random-effects
    meta-analysis.

    Parameters
    ----------
    y, se : array-like, shape (J,)
        Estimates and their standard errors.
    X : array-like or DataFrame, shape (J, p), optional
        Design matrix with its intercept; by default an intercept alone, named "intercept".
    tau : object with a method logpdf, or "flat"
        Prior of the SD between the true means.
    beta : (mean, sd) or None
        As in `posterior`.
    labels : array-like, shape (J,), optional
        Names of the hospitals; by default 0, 1, ...

    Returns
    -------
    Posterior
        Its `hospitals` describe theta_j. There is no sigma.

    Raises
    ------
    ValueError, QuadratureError
        As in `posterior`.

    Examples
    --------
    >>> from scipy import stats
    >>> effect, se = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]
    >>> fit = normal_means(effect, se, tau=stats.halfcauchy(scale=5), beta=(0, 5))
    >>> fit.parameters.round(2)
               mean    sd
    intercept   4.4  3.32
    tau         3.6  3.22
    """
    same_rows(y=y, se=se, X=X)
    outcome, error = number_list("y", y), number_list("se", se)
    if len(error) != len(outcome):
        raise ValueError(f"y and se must be equally long, got {len(outcome)} and {len(error)}")
    if np.any(error <= 0):
        raise ValueError(f"se must be above 0, got {error.min():g}")
    x, names = design(X, len(outcome))
    prior = beta_prior(beta, names)
    index = np.arange(len(outcome)) if labels is None else np.asarray(labels)
    if len(index) != len(outcome) or len(set(index.tolist())) != len(index):
        raise ValueError(f"labels must be {len(outcome)} different names, got {list(index)}")
    sums = means_sums(outcome, error, x, prior.precision == 0)
    tau_prior = ScalePrior("tau", tau, max(sums.residual_sd, float(np.median(error))))
    exponents = tail_exponents(sums, prior, tau_prior.tail, np.inf)
    _refuse_improper(sums, prior, tau_prior, None, exponents)
    args = (names, index.tolist(), {"se": error}, X is not None)
    return _solve(sums, prior, tau_prior, None, exponents, *args)


def _refuse_improper(
    sums: Sums,
    prior: BetaPrior,
    tau: ScalePrior,
    sigma: ScalePrior | None,
    exponents: tuple[float, float, float],
) -> None:
    for name, scale, k in (("tau", tau, exponents[0]), ("sigma", sigma, exponents[1])):
        if scale is None or min(k, exponents[2]) > 1e-6:
            continue
        kind = "flat" if scale.flat else "heavy-tailed"
        raise ValueError(
            f"the posterior would be improper: with {sums.n_hospitals} hospitals, "
            f"{sums.n_total} outcomes and {prior.flat} coefficients with a flat prior, a {kind} "
            f"prior for {name} leaves its upper tail without end. "
            + (
                "A flat prior for tau needs 3 hospitals or more (Gelman 2006), and one more for "
                "each further coefficient that only hospitals can tell apart. "
                if name == "tau"
                else ""
            )
            + f"Give {name} a proper prior, such as scipy.stats.halfnorm"
        )


def _solve(
    sums: Sums,
    prior: BetaPrior,
    tau: ScalePrior,
    sigma: ScalePrior | None,
    exponents: tuple[float, float, float],
    names: list[str],
    labels: list,
    hospital: dict[str, np.ndarray],
    given_design: bool,
) -> Posterior:
    likelihood = Likelihood(sums, prior)
    power = [_moments_that_exist(min(k, exponents[2])) for k in exponents[:2]]

    def log_rows(x, z, *, log_tau=None, log_sigma=None):
        log_tau = x[:, None] if log_tau is None else log_tau
        log_sigma = z if log_sigma is None else log_sigma
        f = likelihood.log_likelihood(log_tau, log_sigma) + tau.log_density(log_tau)
        return f + sigma.log_density(log_sigma) if sigma is not None else f

    integrator = Integrator(log_rows, *_axes(sums, tau, sigma, power), TOLERANCE)
    moments = Moments(likelihood, level=sigma is None)
    panels, nodes = 2, 25
    for _ in range(4):
        grid = integrator.solve(panels=panels, nodes=nodes)
        table, error = _tables(grid, moments, power, sigma is not None)
        if error < TOLERANCE:
            break
        panels, nodes = 2 * panels, 2 * nodes - 1
    else:
        raise QuadratureError(f"the error estimate stays at {error:.1g} posterior SD")
    beta_sd = np.sqrt(np.diag(table.beta_cov))
    gone = _endless(moments, exponents, sigma is None) if min(exponents) <= 2.001 else None
    means, sds = _existing(table.beta, beta_sd, gone, 0)
    effect, effect_sd = _existing(table.effect, table.effect_sd, gone, 1)
    columns = {**hospital, "mean": effect, "sd": effect_sd, "weight": table.shrinkage}
    scales = [scale for scale in (tau, sigma) if scale is not None]
    return Posterior(
        names=(*names, *(scale.name for scale in scales)),
        coefficient_cov=table.beta_cov,
        log_marginal_likelihood=grid.log_total,
        improper=(
            *(name for name, flat in zip(names, prior.precision == 0, strict=True) if flat),
            *(scale.name for scale in scales if scale.flat),
        ),
        error=error,
        _table=np.array(_with_scales(grid, power, means, sds, sigma is not None)),
        _hospital=(labels, columns),
        _integrator=integrator,
        _grid=grid,
        _moments=moments,
        _priors=(tau, sigma, prior),
        _given_design=given_design,
    )


def _moments_that_exist(k: float) -> int:
    """Return 2, 1 or 0: whether a tail that falls as t ** -k has an SD, a mean or neither."""
    return 2 if k > 2.001 else int(k > 1.001)


def _endless(moments: Moments, exponents: tuple[float, float, float], known: bool) -> dict:
    """Return which coefficients and effects have no SD (1) or no mean (0), as boolean arrays.

    These grow without end in a direction, tau or sigma or both, in which the tail is too heavy.
    """
    sums = moments.likelihood.sums
    out: dict = {}
    base = np.log(np.array([sums.residual_sd, 1.0 if known else sums.residual_sd]) + 1e-300)
    for direction, k in zip(((1, 0), (0, 1), (1, 1)), exponents, strict=True):
        exists = _moments_that_exist(k)
        if exists == 2 or (known and direction[1]):
            continue
        far = base + np.outer([8.0, 12.0], direction)
        for kind, law in enumerate((moments.coefficients, moments.effects)):
            _, sd, _ = law(far[:, 0], far[:, 1], np.ones(2))
            for level in range(exists, 2):
                grows = sd[:, 1] > 5 * sd[:, 0]
                out[kind, level] = out.get((kind, level), False) | grows
    return out


def _existing(mean: np.ndarray, sd: np.ndarray, gone: dict | None, kind: int) -> tuple:
    """Return means and SDs, NaN or infinite where they do not exist."""
    if gone is None:
        return mean, sd
    return (
        np.where(gone.get((kind, 0), False), np.nan, mean),
        np.where(gone.get((kind, 1), False), np.inf, sd),
    )


def _axes(
    sums: Sums, tau: ScalePrior, sigma: ScalePrior | None, power: list[int]
) -> tuple[Axis, Axis | None]:
    """Return where to look for tau and sigma first."""
    total = np.log(max(sums.residual_sd, 1e-300))
    typical = float(np.median(1 / np.sqrt(sums.size)))
    noise = sums.within_sd if sums.within_df > 0 or sigma is None else sums.residual_sd
    low = np.log(noise * typical) - 4
    if sigma is None:
        total = max(total, np.log(typical))
    scan = np.concatenate([np.linspace(low, max(total, low + 4) + 2, 24), tau.landmarks])
    outer = Axis(np.unique(scan), _log(tau.low), _log(tau.high), power[0])
    if sigma is None:
        return outer, None
    df = sums.within_df if sums.within_df > 0 else sums.n_total - 1
    width = 1 / np.sqrt(2 * max(df, 1))
    steps = width * 2.0 ** np.arange(-1, np.log2(8 / width))
    centre = np.log(noise)
    near = np.concatenate([centre - steps, [centre], centre + steps, [total], sigma.landmarks])
    return outer, Axis(np.unique(near), _log(sigma.low), _log(sigma.high), power[1])


def _log(value: float) -> float:
    return float(np.log(value)) if value > 0 else -np.inf


def _damping(values: np.ndarray, weight: np.ndarray, power: int) -> np.ndarray:
    """Return factors that make second moments finite, where the posterior's are not."""
    if power == 2:
        return np.ones_like(values)
    centre = np.sum(weight * values)
    return 1 / (1 + np.exp(np.minimum(4 * (values - centre - 2), 600)))


def _tables(grid: Grid, moments: Moments, power: list[int], two: bool) -> tuple[Table, float]:
    """Return the moments, and how far they are from those with half of the nodes, in SDs."""
    log_tau = np.broadcast_to(grid.x[:, None], grid.z.shape)
    damping = _damping(log_tau, grid.weight, power[0])
    if two:
        damping = damping * _damping(grid.z, grid.weight, power[1])
    keep = grid.weight > 1e-14 * grid.weight.max()
    for values, order in ((log_tau, power[0]), (grid.z, power[1]))[: 1 + two]:
        if order:  # what counts in a heavy tail may weigh next to nothing
            lifted = grid.weight * np.exp(order * (values - values.max()))
            keep |= lifted > 1e-14 * lifted.max()
    rules = [grid.weight, grid.outer_weight] + ([grid.inner_weight] if two else [])
    weights = [(rule * damping)[keep] for rule in rules]
    weights = [w / w.sum() for w in weights]
    tables = moments.tables(log_tau[keep], grid.z[keep], weights)
    scales = []
    for w in weights:
        row = []
        for values, order in ((log_tau, power[0]), (grid.z, power[1]))[: 1 + two]:
            v = np.exp(values[keep]) if order == 2 else values[keep]
            mean = w @ v
            row += [mean, np.sqrt(w @ (v - mean) ** 2)]
        scales.append(row)
    best, error = tables[0], 0.0
    sd = np.concatenate([np.sqrt(np.diag(best.beta_cov)), best.effect_sd])
    for other, row in zip(tables[1:], scales[1:], strict=True):
        gap = np.concatenate([other.beta - best.beta, other.effect - best.effect])
        other_sd = np.concatenate([np.sqrt(np.diag(other.beta_cov)), other.effect_sd])
        worst = max(np.max(np.abs(gap / sd)), np.max(np.abs(other_sd / sd - 1)))
        for k in range(0, len(row), 2):
            worst = max(worst, *(abs(np.subtract(row, scales[0])[k : k + 2]) / scales[0][k + 1]))
        error += float(worst)
    if min(power) < 2:  # the table itself is of the posterior, not of the damped one
        whole = grid.weight[keep] / grid.weight[keep].sum()
        best = moments.tables(log_tau[keep], grid.z[keep], [whole])[0]
    return best, error


def _with_scales(grid: Grid, power: list[int], means: list, sds: list, two: bool) -> list:
    rows = list(zip(means, sds, strict=True))
    for values, order in ((grid.x[:, None], power[0]), (grid.z, power[1]))[: 1 + two]:
        scale = np.broadcast_to(np.exp(values), grid.z.shape)
        mean = float(np.sum(grid.weight * scale))
        sd = float(np.sqrt(np.sum(grid.weight * (scale - mean) ** 2)))
        rows.append((mean if order >= 1 else np.inf, sd if order == 2 else np.inf))
    return rows
