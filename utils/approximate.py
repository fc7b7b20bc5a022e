"""Short cuts to a posterior of a treatment effect, to be held against the exact one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pymc as pm
from scipy import optimize, stats
from statsmodels.tools.numdiff import approx_hess

from utils import bayes, exact
from utils.crossval import hospital_log_density
from utils.scale import summaries
from utils.scale_models import by_summaries

__all__ = ["PRIORS", "advi", "exact_interval", "laplace"]

PRIORS = {"intercept": (140.0, 30.0), "treatment_effect": (0.0, 20.0), "tau": 10.0, "sigma": 20.0}
_Z = stats.norm.ppf(0.975)
_STILL = 0.1  # of the interval's width


def _parts(data: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcome, columns (1, treated), and hospital codes."""
    treated = data["treated"].to_numpy(dtype=float)
    x = np.column_stack([np.ones_like(treated), treated])
    return data["sbp"].to_numpy(), x, pd.factorize(data["hospital"])[0]


def exact_interval(data: pd.DataFrame) -> tuple[float, float]:
    """Return the exact 95 % posterior interval of the treatment effect.

    Parameters
    ----------
    data : DataFrame
        Columns hospital, treated and sbp.
    """
    y, x, codes = _parts(data)
    centre, spread = zip(PRIORS["intercept"], PRIORS["treatment_effect"], strict=True)
    fit = exact.posterior(
        y, pd.DataFrame(x, columns=["intercept", "treatment_effect"]), codes,
        tau=stats.halfnorm(scale=PRIORS["tau"]), sigma=stats.halfnorm(scale=PRIORS["sigma"]),
        beta=(centre, spread),
    )  # fmt: skip
    return fit.interval("treatment_effect")


def laplace(data: pd.DataFrame) -> tuple[float, float]:
    """Return the 95 % interval of a Laplace approximation.

    Parameters
    ----------
    data : DataFrame
        As for `exact_interval`.

    Notes
    -----
    Hospital effects are summed out; a normal curve is fitted at the top of the posterior of
    (intercept, treatment effect, log tau, log sigma), from its curvature there.
    """
    y, x, codes = _parts(data)
    groups = [codes == code for code in range(codes.max() + 1)]

    def minus_log_posterior(values: np.ndarray) -> float:
        tau, sigma = np.exp(values[2:])
        draws = {"tau": np.array([tau]), "sigma": np.array([sigma]), "beta": values[None, :2]}
        total = sum(hospital_log_density(draws, y[group], x[group])[0] for group in groups)
        total += stats.norm.logpdf(values[0], *PRIORS["intercept"])
        total += stats.norm.logpdf(values[1], *PRIORS["treatment_effect"])
        total += stats.halfnorm.logpdf(tau, scale=PRIORS["tau"]) + values[2]
        return -(total + stats.halfnorm.logpdf(sigma, scale=PRIORS["sigma"]) + values[3])

    start = np.array([y.mean(), 0.0, np.log(4.0), np.log(y.std())])
    top = optimize.minimize(minus_log_posterior, start, method="Nelder-Mead",
                            options={"xatol": 1e-5, "fatol": 1e-8, "maxiter": 4000})  # fmt: skip
    covariance = np.linalg.inv(approx_hess(top.x, minus_log_posterior))
    half = _Z * np.sqrt(covariance[1, 1])
    return float(top.x[1] - half), float(top.x[1] + half)


def advi(data: pd.DataFrame, *, seed: int, rewritten: bool = False) -> tuple[float, float]:
    """Return the 95 % interval of mean-field ADVI.

    Parameters
    ----------
    data : DataFrame
        As for `exact_interval`.
    seed : int
    rewritten : bool
        False: hospital effects are parameters, non-centred. True: they are summed out, and the
        intercept is the pressure midway between treated and untreated, so that the posterior's
        parameters hardly depend on each other.

    Raises
    ------
    RuntimeError
        If, in the last 10,000 of 30,000 steps, an end of the interval still moved by a tenth of
        its width or more.

    Notes
    -----
    Steps are ten times PyMC's default rate: at the default, means had not arrived after 30,000.
    """
    bayes.set_up()
    with by_summaries(summaries([data]), centre=0.5) if rewritten else _non_centred(data):
        inference, step = pm.ADVI(random_seed=seed), pm.adagrad_window(learning_rate=0.01)
        inference.fit(20_000, obj_optimizer=step, progressbar=False)
        before = _ends(inference.approx, seed)
        inference.refine(10_000, progressbar=False)
        after = _ends(inference.approx, seed)
    moved = np.abs(after - before).max() / np.diff(after)[0]
    if not moved < _STILL:
        raise RuntimeError(f"ADVI has not settled: the interval moved by {moved:.2f} of its width")
    return float(after[0]), float(after[1])


def _ends(approx: pm.Approximation, seed: int) -> np.ndarray:
    drawn = approx.sample(4000, random_seed=seed).posterior["treatment_effect"].to_numpy()
    return np.quantile(drawn, [0.025, 0.975])


def _non_centred(data: pd.DataFrame) -> pm.Model:
    y, x, codes = _parts(data)
    with pm.Model() as model:
        intercept = pm.Normal("intercept", *PRIORS["intercept"])
        effect = pm.Normal("treatment_effect", *PRIORS["treatment_effect"])
        tau, sigma = pm.HalfNormal("tau", PRIORS["tau"]), pm.HalfNormal("sigma", PRIORS["sigma"])
        z = pm.Normal("z", 0, 1, shape=int(codes.max()) + 1)
        pm.Normal("sbp", intercept + effect * x[:, 1] + (tau * z)[codes], sigma, observed=y)
    return model
