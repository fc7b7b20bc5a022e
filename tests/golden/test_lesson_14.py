"""Posteriors of lesson 14 against references computed elsewhere, within 5 Monte Carlo errors."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import optimize, stats
from scipy.special import expit

from utils import ROOT, bayes, datasets, exact
from utils.marginal import average_risk

FOLDER = Path(ROOT) / "tests/golden"
REFERENCE = json.loads((FOLDER / "lesson_14_reference.json").read_text("utf-8"))
SURGICAL = json.loads((FOLDER / "exact_reference.json").read_text("utf-8"))["entries"]
SAMPLE = dict(draws=1000, tune=1000, chains=4, cores=2, nuts_sampler="nutpie", random_seed=1)
QUIET = {"progressbar": False, "quiet": True}
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


def nuts(model):
    bayes.set_up()
    with model:
        fit = pm.sample(**SAMPLE, **QUIET)
    assert bayes.diagnose(fit).ok
    return fit


def agree(fit, name, mean, error=0.0):
    """Means within 5 Monte Carlo errors, those of the reference included."""
    row = bayes.summary(fit).loc[name]
    mcse = row["sd"] / np.sqrt(row["ess_bulk"])
    assert abs(row["mean"] - mean) < 5 * np.hypot(mcse, error), name


def rhdnase():
    trial = datasets.load("rhdnase")
    return trial.assign(lungs=(trial["fev"] - 60) / 10)


# ---------------------------------------------------------------- deaths


def test_surgical_published_mean_rate_by_quadrature():
    surgical = datasets.load("surgical")
    vague = exact.InverseGammaVariance(0.001, 0.001)
    fit = exact.binomial(surgical["deaths"], surgical["operations"], tau=vague, mu=(0, 1000))
    assert round(fit.parameters.loc["typical", "mean"], 4) == 0.0728
    wanted = SURGICAL["surgical/logit_bugs"]["posterior"]
    assert fit.parameters.loc["tau", "mean"] == pytest.approx(wanted["sigma"]["mean"], abs=1e-4)
    draws = fit.draws(20_000, rng=1)
    by_hand = expit(
        draws["mu"][:, None]
        + draws["tau"][:, None] * stats.norm.rvs(size=(20_000, 50), random_state=1)
    )
    average = average_risk(draws["mu"], draws["tau"])
    assert average.mean() == pytest.approx(by_hand.mean(), abs=5e-4)
    assert average.mean() > wanted["pop_mean"]["mean"]


def test_surgical_by_nuts():
    surgical = datasets.load("surgical")
    with pm.Model() as model:
        mu, hospital_sd = pm.Normal("mu", 0, 1000), pm.HalfNormal("hospital_sd", 1)
        log_odds = mu + hospital_sd * pm.Normal("z", 0, 1, shape=12)
        pm.Deterministic("typical", pm.math.sigmoid(mu))
        risk = pm.Deterministic("risk", pm.math.sigmoid(log_odds))
        pm.Binomial("deaths", surgical["operations"].to_numpy(), risk, observed=surgical["deaths"])
    fit = nuts(model)
    wanted = SURGICAL["surgical/logit_hn1"]["posterior"]
    pairs = {"mu": "mu", "hospital_sd": "sigma", "typical": "pop_mean"}
    pairs |= {f"risk[{k}]": f"p[{letter}]" for k, letter in enumerate("ABCDEFGHIJKL")}
    for ours, theirs in pairs.items():
        agree(fit, ours, wanted[theirs]["mean"])


# ---------------------------------------------------------------- infections: any, and how many


def test_rhdnase_any_course_by_nuts_and_gee():
    trial = rhdnase()
    centre_of, centres = pd.factorize(trial["inst"])
    with pm.Model(coords={"centre": centres}) as model:
        intercept, lung_effect = pm.Normal("intercept", 0, 2.5), pm.Normal("lung_effect", 0, 2.5)
        treatment_effect = pm.Normal("treatment_effect", 0, 2.5)
        centre_sd, z = pm.HalfNormal("centre_sd", 1), pm.Normal("z", 0, 1, dims="centre")
        slopes = (
            treatment_effect * trial["trt"].to_numpy() + lung_effect * trial["lungs"].to_numpy()
        )
        log_odds = intercept + slopes + (centre_sd * z)[centre_of]
        pm.Bernoulli("any_course", logit_p=log_odds, observed=trial["any_exac"].to_numpy())
    fit = nuts(model)
    for name, wanted in REFERENCE["rhdnase/any"]["posterior"].items():
        agree(fit, name, wanted["mean"], wanted["se_mean"])
    gee = smf.gee(
        "any_exac ~ trt + lungs", "inst", trial, family=sm.families.Binomial(),
        cov_struct=sm.cov_struct.Exchangeable(),
    ).fit()  # fmt: skip
    wanted = REFERENCE["rhdnase/gee"]
    assert gee.params["trt"] == pytest.approx(wanted["treatment_effect"], abs=1e-6)
    assert gee.bse["trt"] == pytest.approx(wanted["se"], abs=1e-6)


def loglik(values, trial, offset):
    """Poisson log likelihood without constants, centres integrated by 40 nodes each.

    values: intercept, treatment, lungs, centre_sd; of one row a draw.
    """
    values = np.atleast_2d(values)
    rate = values[:, :1] + values[:, 1:2] * trial["trt"].to_numpy()
    rate = rate + values[:, 2:3] * trial["lungs"].to_numpy() + offset
    centre_of, centres = pd.factorize(trial["inst"])
    member = np.eye(len(centres))[centre_of]
    courses = trial["n_exac"].to_numpy()
    expected, seen = np.exp(rate) @ member, courses @ member
    u = values[:, 3:, None] * NODES  # draw, 1, node
    inner = seen[:, None] * u - expected[..., None] * np.exp(u) + np.log(WEIGHTS / WEIGHTS.sum())
    top = inner.max(axis=2)
    return rate @ courses + (np.log(np.exp(inner - top[..., None]).sum(axis=2)) + top).sum(axis=1)


def test_rhdnase_rates_of_courses_by_maximum_likelihood():
    trial = rhdnase().query("risk_days > 0")
    assert len(trial) == 645
    offset = np.log(trial["risk_days"].to_numpy() / 169)
    found = optimize.minimize(
        lambda x: -loglik(x, trial, offset)[0], [-0.5, -0.2, -0.2, 0.4], method="BFGS"
    )
    wanted = REFERENCE["rhdnase/count"]
    names = ["intercept", "treatment_effect", "lung_effect", "centre_sd"]
    np.testing.assert_allclose(found.x, [wanted[name] for name in names], atol=2e-4)


def test_rhdnase_rates_of_courses_by_nuts():
    """The lesson's negative binomial, its excess squeezed to 0, is the Poisson.

    The judge draws by importance from a t around the mode, and weighs by the exact likelihood.
    """
    trial = rhdnase().query("risk_days > 0")
    centre_of, centres = pd.factorize(trial["inst"])
    offset = np.log(trial["risk_days"].to_numpy() / 168)
    with pm.Model(coords={"centre": centres}) as model:
        intercept, lung_effect = pm.Normal("intercept", 0, 1), pm.Normal("lung_effect", 0, 1)
        treatment_effect = pm.Normal("treatment_effect", 0, 1)
        centre_sd, z = pm.HalfNormal("centre_sd", 1), pm.Normal("z", 0, 1, dims="centre")
        excess = pm.HalfNormal("excess_z", 1) * 0.0005
        slopes = (
            treatment_effect * trial["trt"].to_numpy() + lung_effect * trial["lungs"].to_numpy()
        )
        log_rate = intercept + slopes + (centre_sd * z)[centre_of] + offset
        pm.NegativeBinomial(
            "courses", pm.math.exp(log_rate), alpha=1 / excess, observed=trial["n_exac"].to_numpy()
        )
    fit = nuts(model)

    names = ["intercept", "treatment_effect", "lung_effect", "centre_sd"]
    draws = np.column_stack([fit.posterior[name].to_numpy().ravel() for name in names])
    law = stats.multivariate_t(draws.mean(axis=0), 1.3 * np.cov(draws.T), df=7, seed=14)
    proposed = law.rvs(8000)
    proposed = proposed[proposed[:, 3] > 0]
    log_weight = np.concatenate(
        [loglik(part, trial, offset) for part in np.split(proposed, [2000, 4000, 6000])]
    )
    log_weight += stats.norm.logpdf(proposed).sum(axis=1) - law.logpdf(proposed)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    means = weight @ proposed
    errors = np.sqrt(weight**2 @ (proposed - means) ** 2)
    assert 1 / np.sum(weight**2) > 2000
    for name, mean, error in zip(names, means, errors, strict=True):
        agree(fit, name, mean, error)


# ---------------------------------------------------------------- days in hospital


def test_azpro_two_residual_sds():
    """Dense normal likelihood of the lesson's model; nlme's has a random slope as well."""
    azpro = datasets.load("azpro")
    y, cabg = np.log(azpro["los"].to_numpy(float)), azpro["cabg"].to_numpy(int)
    x = sm.add_constant(azpro[["cabg", "male", "urgent", "age75"]].to_numpy(float))
    rows = [np.flatnonzero(azpro["hospital"] == name) for name in azpro["hospital"].unique()]

    def minus(values):
        tau, sds = np.exp(values[0]), np.exp(values[1:])
        information, score, square, log_det = np.zeros((5, 5)), np.zeros(5), 0.0, 0.0
        for at in rows:
            v = np.diag(sds[cabg[at]] ** 2) + tau**2
            inverse = np.linalg.inv(v)
            information += x[at].T @ inverse @ x[at]
            score += x[at].T @ inverse @ y[at]
            square += y[at] @ inverse @ y[at]
            log_det += np.linalg.slogdet(v)[1]
        return (log_det + square - score @ np.linalg.solve(information, score)) / 2

    found = optimize.minimize(
        minus,
        np.log([0.1, 0.65, 0.4]),
        method="Nelder-Mead",
        options={"xatol": 1e-3, "fatol": 1e-3},
    )
    wanted = REFERENCE["azpro/hetero"]
    np.testing.assert_allclose(
        np.exp(found.x[1:]), [wanted["angioplasty"], wanted["bypass"]], atol=0.01
    )
