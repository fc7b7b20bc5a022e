"""Posteriors of lesson 15 against references computed elsewhere, within 5 Monte Carlo errors."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm
import pytest

from utils import ROOT, bayes, datasets
from utils.fits import shrinkage as study
from utils.shrinkage import SLAB, regression

FOLDER = Path(ROOT) / "tests/golden"
REFERENCE = json.loads((FOLDER / "lesson_15_reference.json").read_text("utf-8"))["entries"]
SAMPLE = dict(draws=1000, tune=1000, chains=4, cores=2, nuts_sampler="nutpie", random_seed=1)
QUIET = {"progressbar": False, "quiet": True}


def agree(fit, entry, names):
    assert bayes.diagnose(fit).ok
    table = bayes.summary(fit)
    for name, reference in names.items():
        wanted, row = REFERENCE[entry]["posterior"][reference], table.loc[name]
        mcse = row["sd"] / np.sqrt(row["ess_bulk"])
        assert abs(row["mean"] - wanted["mean"]) < 5 * np.hypot(mcse, wanted.get("mcse_mean", 0)), (
            name, row["mean"], wanted["mean"],
        )  # fmt: skip


def test_sleepstudy_has_stan_s_posterior():
    bayes.set_up()
    sleep = datasets.load("sleepstudy")
    who, names = pd.factorize(sleep["Subject"])
    with pm.Model(coords={"person": names}):
        intercept, slope = pm.Normal("intercept", 250, 100), pm.Normal("days", 0, 50)
        sd_level, sd_slope = pm.HalfNormal("sd_intercept", 50), pm.HalfNormal("sd_days", 20)
        rho = pm.Deterministic("rho", 2 * pm.Beta("rho_01", 1, 1) - 1)
        z0, z1 = pm.Normal("z0", 0, 1, dims="person"), pm.Normal("z1", 0, 1, dims="person")
        own_slope = slope + sd_slope * (rho * z0 + pm.math.sqrt(1 - rho**2) * z1)
        centre = (intercept + sd_level * z0)[who] + own_slope[who] * sleep["Days"].to_numpy(float)
        sigma = pm.HalfNormal("sigma", 50)
        pm.Normal("reaction", centre, sigma, observed=sleep["Reaction"].to_numpy())
        fit = pm.sample(**SAMPLE, **QUIET)
    same = {name: name for name in ("intercept", "days", "sd_intercept", "sd_days", "rho")}
    agree(fit, "sleepstudy/rs/stan", same | {"sigma": "sigma_y"})


def test_radon_with_a_county_s_predictor_has_the_posterior_of_quadrature():
    bayes.set_up()
    radon = datasets.load("radon")
    county, names = pd.factorize(radon["county"])
    uranium = radon.groupby(county)["log_uranium"].first().to_numpy()
    with pm.Model(coords={"county": names}):
        intercept, floor = pm.Normal("intercept", 0, 10), pm.Normal("floor", 0, 10)
        slope, county_sd = pm.Normal("uranium", 0, 10), pm.HalfNormal("county_sd", 1)
        z, sigma = pm.Normal("z", 0, 1, dims="county"), pm.HalfNormal("sigma", 1)
        level = intercept + slope * uranium + county_sd * z
        centre = level[county] + floor * radon["floor"].to_numpy(float)
        pm.Normal("log_radon", centre, sigma, observed=radon["log_radon"].to_numpy())
        fit = pm.sample(**SAMPLE | {"draws": 2000}, **QUIET)
    names = {"intercept": "beta[0]", "floor": "beta[1]", "uranium": "beta[2]"}
    agree(
        fit, "radon/uranium/quadrature", names | {"county_sd": "sigma_county", "sigma": "sigma_y"}
    )


def sds_from_the_prior(prior, n, p, rng, draws):
    """Residual SD and the coefficients' SDs, from the sentences of `regression`'s docstring."""
    sigma = 2 * np.abs(rng.standard_normal((draws, 1)))
    if prior == "horseshoe":
        global_scale = 2 / (p - 2) / np.sqrt(n) * np.abs(rng.standard_cauchy((draws, 1)))
        width = global_scale * sigma * np.abs(rng.standard_t(3, (draws, p)))
        return sigma, 1 / np.sqrt(width**-2 + SLAB**-2)
    r2 = rng.beta(1, 2, (draws, 1))
    share = rng.dirichlet(np.ones(p), draws)
    return sigma, sigma * np.sqrt(share * r2 / (1 - r2))


@pytest.mark.parametrize("prior", ["horseshoe", "R2D2"])
def test_shrinkage_priors_have_the_posterior_of_weighted_draws_from_the_prior(prior):
    """Given the SDs the coefficients are normal: weigh draws of the SDs by the likelihood."""
    y, x = next(study._data("hospitals"))
    rng, n, p = np.random.default_rng(15), *x.shape
    log_weights, means = [], []
    for _ in range(20):
        sigma, sds = sds_from_the_prior(prior, n, p, rng, 10_000)
        spread = (x * sds[:, None, :] ** 2) @ x.T + 9 + sigma[:, :, None] ** 2 * np.eye(n)
        solved = np.linalg.solve(spread, np.broadcast_to(y[:, None], (len(sds), n, 1)))[..., 0]
        log_weights.append(-(np.linalg.slogdet(spread)[1] + solved @ y) / 2)
        means.append(sds**2 * (solved @ x))
    weight = np.exp(np.concatenate(log_weights) - np.max(log_weights))
    weight /= weight.sum()
    mean = weight @ np.concatenate(means)
    error = np.sqrt(weight**2 @ (np.concatenate(means) - mean) ** 2)
    assert 1 / (weight**2).sum() > 2000
    bayes.set_up()
    with regression(y, x, prior):
        accept = 0.99 if prior == "horseshoe" else 0.9
        fit = pm.sample(**SAMPLE | {"draws": 2000}, **QUIET, target_accept=accept)
    table = bayes.summary(fit).loc[[f"beta[{k}]" for k in range(p)]]
    apart = np.abs(table["mean"] - mean) / np.hypot(table["sd"] / np.sqrt(table["ess_bulk"]), error)
    assert (apart < 5).all()
