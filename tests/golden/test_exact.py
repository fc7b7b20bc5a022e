"""The exact posterior, held to brute force, to closed forms and to independent references."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import expit

from utils import ROOT, exact, likelihood
from utils._exact_checks import beta_prior
from utils._exact_curves import mixture_quantiles
from utils._exact_gaussian import Likelihood, patient_sums
from utils._exact_priors import ScalePrior, pymc_prior
from utils._exact_rules import GAUSS, KRONROD, NODES
from utils._patients import Totals

GOLDEN = json.loads((Path(ROOT) / "tests/golden/exact_reference.json").read_text("utf-8"))
TOLERANCE = 1e-4  # posterior SDs, as promised
QUANTILES = {"q2_5": 0.025, "q25": 0.25, "median": 0.5, "q75": 0.75, "q97_5": 0.975}


class BugsPrior:
    """Precision ~ Gamma(0.001, rate 0.001), as a density of the SD."""

    def logpdf(self, x):
        precision = stats.gamma(0.001, scale=1000)
        return precision.logpdf(1.0 / x**2) + np.log(2) - 3 * np.log(x)

    def support(self):
        return 0.0, np.inf


def simulate(rng, sizes, tau, sigma, slope=1.0):
    rng = np.random.default_rng(rng)
    group = np.repeat(np.arange(len(sizes)), sizes)
    x = np.column_stack([np.ones(len(group)), rng.normal(size=len(group))])
    y = x @ [3.0, slope] + rng.normal(0, 1, len(sizes))[group] * tau
    return y + rng.normal(0, sigma, len(group)), x, group


def dense(y, x, group, tau, sigma, beta):
    """Log p(y | tau, sigma), and the normal law of (beta, u), by dense linear algebra."""
    zed = np.eye(group.max() + 1)[group]
    mean, precision = (np.zeros(2), np.zeros(2)) if beta is None else (beta[0], 1 / beta[1] ** 2)
    v = tau**2 * zed @ zed.T + sigma**2 * np.eye(len(y))
    inverse = np.linalg.inv(v)
    a = x.T @ inverse @ x + np.diag(precision)
    b = x.T @ inverse @ y + precision * mean
    cov = np.linalg.inv(a)
    m = cov @ b
    proper = precision[precision > 0]
    log_p = -0.5 * (
        np.linalg.slogdet(v)[1]
        + np.linalg.slogdet(a)[1]
        - np.sum(np.log(proper))
        + y @ inverse @ y
        + mean @ (precision * mean)
        - b @ m
        + (len(y) - 2 + len(proper)) * np.log(2 * np.pi)
    )
    gain = tau**2 * zed.T @ inverse
    u = gain @ (y - x @ m)
    u_cov = tau**2 * np.eye(zed.shape[1]) - gain @ zed * tau**2 + gain @ x @ cov @ x.T @ gain.T
    return log_p, m, np.diag(cov), u, np.diag(u_cov)


def brute(y, x, group, tau, sigma, beta, tau_range, sigma_range, n=(121, 81)):
    """Return moments on a log grid by the trapezium rule, which is exact for smooth densities."""
    s, t = (np.linspace(*np.log(r), k) for r, k in ((sigma_range, n[1]), (tau_range, n[0])))
    f, rows = np.empty((n[0], n[1])), []
    for i, log_tau in enumerate(t):
        for k, log_sigma in enumerate(s):
            log_p, *law = dense(y, x, group, np.exp(log_tau), np.exp(log_sigma), beta)
            f[i, k] = log_p + log_tau + log_sigma
            rows.append([np.r_[law[0], law[2]], np.r_[law[1], law[3]]])
    f += tau.logpdf(np.exp(t))[:, None] + sigma.logpdf(np.exp(s))
    w = np.exp(f - f.max())
    assert max(w[0].max(), w[-1].max(), w[:, 0].max(), w[:, -1].max()) < 1e-5
    total = w.sum()
    w = w.ravel() / total
    mean, variance = (np.array([r[k] for r in rows]) for k in (0, 1))
    scale = np.column_stack([np.repeat(np.exp(t), n[1]), np.tile(np.exp(s), n[0])])
    mean, variance = np.column_stack([mean, scale]), np.column_stack([variance, 0 * scale])
    centre = w @ mean
    sd = np.sqrt(w @ (variance + (mean - centre) ** 2))
    log_ml = f.max() + np.log(total * (t[1] - t[0]) * (s[1] - s[0]))
    return centre, sd, log_ml


HALF_NORMAL, HALF_CAUCHY = stats.halfnorm, stats.halfcauchy
CASES = {
    "ordinary": ([3, 5, 2, 4, 6, 4], 6, 12, HALF_NORMAL(scale=8), HALF_NORMAL(scale=20), None),
    "three hospitals": ([4, 6, 9], 6, 12, HALF_NORMAL(scale=8), HALF_NORMAL(scale=20), (0, 30)),
    "one patient each": ([1] * 9, 3, 4, HALF_NORMAL(scale=5), HALF_NORMAL(scale=5), (0, 20)),
    "two modes": (
        [1] * 9, 3, 4, stats.lognorm(s=0.4, scale=3), stats.lognorm(s=0.4, scale=0.3), (0, 20),
    ),
    "tau is 0": ([5] * 8, 0, 12, HALF_CAUCHY(scale=5), HALF_NORMAL(scale=20), None),
    "prior far below tau": ([4] * 8, 20, 6, HALF_CAUCHY(scale=0.01), HALF_NORMAL(scale=9), None),
    "prior far from beta": ([4] * 6, 3, 6, HALF_NORMAL(scale=9), HALF_NORMAL(scale=9), (60, 1)),
    "prior far from sigma": ([4] * 6, 3, 30, HALF_NORMAL(scale=9), HALF_NORMAL(scale=1), None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_brute_force(name):
    sizes, tau, sigma, tau_prior, sigma_prior, beta = CASES[name]
    y, x, group = simulate(11, sizes, tau, sigma)
    fit = exact.posterior(y, x, group, tau=tau_prior, sigma=sigma_prior, beta=beta)
    grid = fit._grid
    keep = grid.weight.sum(1) > 1e-7
    sigma_range = np.exp([grid.low[keep].min() - 0.2, grid.high[keep].max() + 0.2])
    wide = None if beta is None else (np.full(2, float(beta[0])), np.full(2, float(beta[1])))
    steps = (111, 101) if len(set(sizes)) == 1 and sizes[0] == 1 else (81, 41)
    mean, sd, log_ml = brute(
        y, x, group, tau_prior, sigma_prior, wide,
        np.exp(grid.edges[[0, -1]] + [-0.5, 0.3]), sigma_range, steps,
    )  # fmt: skip
    table = fit.parameters.to_numpy()
    got = np.vstack([table[:2], fit.hospitals[["mean", "sd"]].to_numpy(), table[2:]])
    assert np.max(np.abs(got[:, 0] - mean) / sd) < 2e-5
    assert np.max(np.abs(got[:, 1] / sd - 1)) < 2e-5
    assert fit.log_marginal_likelihood == pytest.approx(log_ml, abs=2e-5)
    assert fit.error < TOLERANCE


def close(row, reference, quantiles=None):
    if "mean" in reference:
        assert abs(row["mean"] - reference["mean"]) < TOLERANCE * reference["sd"]
        assert abs(row["sd"] - reference["sd"]) < TOLERANCE * reference["sd"]
    if quantiles is not None and "q2_5" in reference:  # the reference reads these off a grid
        wanted = [reference[key] for key in QUANTILES]
        assert np.max(np.abs(quantiles - wanted)) < 5e-3 * reference.get("sd", row["sd"])


@pytest.mark.parametrize(
    ("entry", "tau", "mu"),
    [
        ("surgical/logit_bugs", BugsPrior(), (0, 1000)),
        ("surgical/logit_hn1", HALF_NORMAL(scale=1), (-2.5, 1.5)),
    ],
)
def test_surgical(entry, tau, mu):
    data = pd.read_csv(ROOT / "data/surgical.csv")
    fit = exact.binomial(data.deaths, data.operations, tau=tau, mu=mu, labels=data.hospital)
    reference = GOLDEN["entries"][entry]["posterior"]
    q = list(QUANTILES.values())
    for name, theirs in (("mu", "mu"), ("tau", "sigma"), ("typical", "pop_mean")):
        close(fit.parameters.loc[name], reference[theirs], fit.quantile(name, q))
    quantiles = fit.hospital_quantiles(q)
    for hospital, row in fit.hospitals.iterrows():
        close(row, reference[f"p[{hospital}]"], quantiles.loc[hospital].to_numpy())
    assert fit.error < TOLERANCE


@pytest.mark.parametrize(
    ("entry", "tau", "beta"),
    [
        ("eight_schools/pdb", HALF_CAUCHY(scale=5), (0, 5)),
        ("eight_schools/bda_flat", "flat", None),
    ],
)
def test_eight_schools(entry, tau, beta):
    data = pd.read_csv(ROOT / "data/eight_schools.csv")
    effect, se = data.effect.round(), [15, 10, 16, 11, 9, 11, 10, 18]
    fit = exact.normal_means(effect, se, tau=tau, beta=beta, labels=data.school)
    reference = GOLDEN["entries"][entry]["posterior"]
    q = list(QUANTILES.values())
    close(fit.parameters.loc["intercept"], reference["mu"], fit.quantile("intercept", q))
    close(fit.parameters.loc["tau"], reference["tau"], fit.quantile("tau", q))
    quantiles = fit.hospital_quantiles(q)
    for school, row in fit.hospitals.iterrows():
        close(row, reference[f"theta[{school}]"], quantiles.loc[school].to_numpy())


@pytest.mark.parametrize("sizes", [(1, 4, 9, 30), (25,) * 12], ids=["unbalanced", "balanced"])
def test_with_a_flat_beta_it_is_the_likelihood_that_the_frequentist_fits_use(sizes):
    y, x, group = simulate(8, sizes, 2.0, 3.0)
    patients, prior = Totals(group, len(sizes)), beta_prior(None, ["a", "b"])
    ours = Likelihood(patient_sums(y, x, patients, prior.precision == 0), prior)
    tau, sigma = np.meshgrid([1e-3, 0.4, 2.0, 30.0], [0.5, 3.0, 20.0])
    theirs = likelihood.joint_loglik(likelihood.sums(y, x, group), tau, sigma)
    np.testing.assert_allclose(
        ours.log_likelihood(np.log(tau), np.log(sigma)), theirs, rtol=1e-11, atol=1e-9
    )


def test_radon():
    data = pd.read_csv(ROOT / "data/radon.csv")
    x = pd.DataFrame({"one": 1.0, "floor": data.floor, "log_uranium": data.log_uranium})
    prior = HALF_NORMAL(scale=1)

    class FromTheFirstGridPoint:  # the reference's grid leaves out what lies below
        def logpdf(self, x):
            return np.where(x >= 0.002, prior.logpdf(x), -np.inf)

        def support(self):
            return 0.002, np.inf

    tau = FromTheFirstGridPoint()
    fit = exact.posterior(data.log_radon, x, data.county, tau=tau, sigma=prior, beta=(0, 10))
    reference = GOLDEN["entries"]["radon/uranium"]["posterior"]
    q = list(QUANTILES.values())
    theirs = ["beta[0]", "beta[1]", "beta[2]", "sigma_county", "sigma_y"]
    for name, other in zip(fit.names, theirs, strict=True):
        close(fit.parameters.loc[name], reference[other], fit.quantile(name, q))
    quantiles = fit.hospital_quantiles(q)
    for key in (key for key in reference if key.startswith("a[")):
        close(fit.hospitals.loc[key[2:-1]], reference[key], quantiles.loc[key[2:-1]].to_numpy())


# ---------------------------------------------------------------------- closed forms
def test_one_hospital_returns_the_prior_of_tau():
    prior = HALF_NORMAL(scale=10)
    y = np.random.default_rng(5).normal(3, 5, 10)
    fit = exact.posterior(y, None, np.zeros(10), tau=prior, sigma=HALF_CAUCHY(scale=5))
    q = np.array([0.025, 0.25, 0.5, 0.75, 0.975])
    assert fit.parameters.loc["tau", "mean"] == pytest.approx(prior.mean(), rel=1e-6)
    assert fit.parameters.loc["tau", "sd"] == pytest.approx(prior.std(), rel=1e-6)
    np.testing.assert_allclose(fit.quantile("tau", q), prior.ppf(q), rtol=2e-5)
    np.testing.assert_allclose(fit.cdf("tau", prior.ppf(q)), q, atol=1e-6)
    table = fit.density("tau")
    np.testing.assert_allclose(table.density, prior.pdf(table.value), atol=1e-4 * prior.pdf(0))


def test_no_spread_between_hospitals_is_a_t_posterior():
    rng = np.random.default_rng(6)
    y = rng.normal(10, 4, 12)
    tiny = stats.uniform(0, 1e-7)
    fit = exact.posterior(y, None, np.repeat(range(4), 3), tau=tiny, sigma="flat")
    law = stats.t(10, y.mean(), np.sqrt(y.var() * 12 / 10 / 12))  # p(sigma) flat: N - 2 df
    q = np.array([0.025, 0.5, 0.9])
    np.testing.assert_allclose(fit.quantile("intercept", q), law.ppf(q), rtol=1e-5)
    assert fit.parameters.loc["intercept", "sd"] == pytest.approx(law.std(), rel=1e-4)
    squares = np.sum((y - y.mean()) ** 2)
    variance = stats.invgamma(5, scale=squares / 2)
    np.testing.assert_allclose(fit.quantile("sigma", q), np.sqrt(variance.ppf(q)), rtol=1e-5)
    assert fit.improper == ("intercept", "sigma")


def test_known_scales_are_generalised_least_squares():
    y, x, group = simulate(7, [4, 7, 2, 5], 3, 5)
    near = [stats.uniform(v * (1 - 1e-6), 2e-6 * v) for v in (3.0, 5.0)]
    fit = exact.posterior(y, x, group, tau=near[0], sigma=near[1], beta=None)
    log_p, mean, variance, u, u_variance = dense(y, x, group, 3.0, 5.0, None)
    np.testing.assert_allclose(fit.parameters["mean"][:2], mean, rtol=1e-6)
    np.testing.assert_allclose(fit.parameters["sd"][:2], np.sqrt(variance), rtol=1e-5)
    np.testing.assert_allclose(fit.hospitals["mean"], u, rtol=1e-4)
    np.testing.assert_allclose(fit.hospitals["sd"], np.sqrt(u_variance), rtol=1e-5)
    n = fit.hospitals["n"]
    np.testing.assert_allclose(fit.hospitals["weight"], 9 * n / (9 * n + 25), rtol=1e-5)
    assert fit.log_marginal_likelihood == pytest.approx(log_p, abs=1e-4)


def test_edge_of_a_uniform_prior_inside_the_mass():
    y, x, group = simulate(8, [4] * 6, 3, 6)
    tau, sigma = stats.uniform(0, 4), stats.uniform(0, 5.5)

    def part(power):
        def f(s, t):
            law = dense(y, x, group, t, s, None)
            return np.exp(law[0] + 60) * t**power

        return integrate.dblquad(f, 1e-9, 4, 2.5, 5.5, epsabs=0, epsrel=1e-7)[0]

    fit = exact.posterior(y, x, group, tau=tau, sigma=sigma)
    zero = part(0)
    assert fit.log_marginal_likelihood == pytest.approx(np.log(zero / 22) - 60, abs=1e-5)
    assert fit.parameters.loc["tau", "mean"] == pytest.approx(part(1) / zero, rel=1e-5)


def test_normal_means_are_the_same_as_patients_with_known_sigma():
    near = stats.uniform(5 * (1 - 1e-7), 1e-6)
    y, _, group = simulate(9, [3, 8, 5, 6], 4, 5, slope=0)
    n = np.bincount(group)
    patients = exact.posterior(y, None, group, tau=HALF_CAUCHY(scale=4), sigma=near)
    means = exact.normal_means(np.bincount(group, y) / n, 5 / np.sqrt(n), tau=HALF_CAUCHY(scale=4))
    np.testing.assert_allclose(
        patients.parameters.loc[["intercept", "tau"]], means.parameters, rtol=1e-5
    )
    np.testing.assert_allclose(patients.hospitals["weight"], means.hospitals["weight"], rtol=1e-5)


def test_binomial_against_brute_force():
    y, n = np.array([0, 5, 2]), np.array([9, 12, 20])
    prior = HALF_NORMAL(scale=1.5)
    fit = exact.binomial(y, n, tau=prior, mu=(-1, 1))
    mu, t = np.linspace(-5, 3, 61), np.linspace(-15, 2.4, 121)
    zeta = np.linspace(-8, 8, 201)
    normal = np.exp(-0.5 * zeta**2) / np.sqrt(2 * np.pi) * (zeta[1] - zeta[0])
    p = expit(mu[:, None, None] + np.exp(t)[:, None] * zeta)
    like = [stats.binom.pmf(a, b, p) * normal for a, b in zip(y, n, strict=True)]
    each = [part.sum(-1) for part in like]
    weight = np.prod(each, axis=0) * np.exp(-0.5 * (mu[:, None] + 1) ** 2) / np.sqrt(2 * np.pi)
    weight = weight * prior.pdf(np.exp(t)) * np.exp(t)
    total = weight.sum()
    first = [(part * p).sum(-1) / one for part, one in zip(like, each, strict=True)]
    expected = [(weight * f).sum() / total for f in first]
    np.testing.assert_allclose(fit.hospitals["mean"], expected, rtol=1e-5)
    log_ml = np.log(total * (mu[1] - mu[0]) * (t[1] - t[0]))
    assert fit.log_marginal_likelihood == pytest.approx(log_ml, abs=1e-5)
    below = 0.3  # the distribution function of one hospital's probability
    chance = sum(((like[1] * (p < below)).sum(-1) / each[1] * weight / total).ravel())
    level = fit.hospital_quantiles(chance).iloc[1, 0]
    assert level == pytest.approx(below, abs=2e-3)  # the step in brute force is that coarse


# ---------------------------------------------------------------------- parts
def test_kronrod_rule_is_exact():
    for degree in (0, 2, 8, 18):
        assert KRONROD @ NODES**degree == pytest.approx(2 / (degree + 1), rel=1e-13)
        assert GAUSS @ NODES**degree == pytest.approx(2 / (degree + 1), rel=1e-13)
    assert KRONROD @ NODES**30 == pytest.approx(2 / 31, rel=1e-12)


@pytest.mark.parametrize("sizes", [[3, 30] * 100, [1] * 200])
def test_fewer_nodes_serve_where_quantiles_stay(sizes):
    y, x, group = simulate(12, sizes, 3, 4)
    prior = HALF_NORMAL(scale=5)
    fit = exact.posterior(y, x, group, tau=prior, sigma=prior)
    q = np.array([0.01, 0.5, 0.9])
    every = mixture_quantiles(*fit._moments.effects(*fit._all, hospitals=slice(0, 12)), q)
    gap = np.abs(fit.hospital_quantiles(q).iloc[:12].to_numpy() - every).max(axis=1)
    assert np.max(gap / fit.hospitals["sd"][:12]) < TOLERANCE
    assert len(fit._few[0]) < len(fit._all[0])


def test_densities_integrate_to_one_and_agree_with_the_distribution_function():
    y, x, group = simulate(13, [4, 6, 5, 3], 4, 6)
    tau = stats.invgamma(2, scale=5)  # near tau = 0 the hospitals' densities would have a spike
    fit = exact.posterior(y, x, group, tau=tau, sigma=HALF_CAUCHY(scale=5))
    for name in fit.names:
        low, high = fit.quantile(name, [0.01, 0.99])
        at = np.linspace(low, high, 401)
        table = fit.density(name, at)
        area = integrate.simpson(table.density, x=at)
        assert area == pytest.approx(fit.cdf(name, high) - fit.cdf(name, low), abs=1e-5)
        assert area == pytest.approx(0.98, abs=1e-5)
    table = fit.hospital_density(2)
    assert integrate.simpson(table.density, x=table.value) == pytest.approx(0.999, abs=1e-4)
    assert list(fit.summary(0.9).columns) == ["mean", "sd", "median", "low", "high"]
    assert fit.summary(0.9).loc["tau", "high"] == pytest.approx(fit.quantile("tau", 0.95))


def test_draws_are_from_the_posterior():
    y, x, group = simulate(14, [1, 6, 5, 3, 8], 4, 6)
    prior = HALF_NORMAL(scale=6)
    fit = exact.posterior(y, x, group, tau=prior, sigma=prior, beta=(0, 20))
    n = 10_000
    draws = fit.draws(n, 1)
    for name in ("tau", "sigma"):
        assert stats.kstest(fit.cdf(name, draws[name]), "uniform").pvalue > 1e-3
    for k in range(2):
        assert stats.kstest(fit.cdf(fit.names[k], draws["beta"][:, k]), "uniform").pvalue > 1e-3
    z = (draws["effect"].mean(0) - fit.hospitals["mean"]) / fit.hospitals["sd"] * np.sqrt(n)
    assert np.max(np.abs(z)) < 4
    np.testing.assert_allclose(draws["effect"].std(0), fit.hospitals["sd"], rtol=0.04)
    np.testing.assert_allclose(np.cov(draws["beta"].T), fit.coefficient_cov, rtol=0.08, atol=0.04)
    again = fit.draws(n, np.random.default_rng(1))
    np.testing.assert_array_equal(draws["effect"], again["effect"])


def test_binomial_draws_are_from_the_posterior():
    fit = exact.binomial([0, 18, 8], [47, 148, 119], tau=HALF_NORMAL(scale=1), mu=(-2.5, 1.5))
    draws = fit.draws(8_000, 3)
    z = (draws["p"].mean(0) - fit.hospitals["mean"]) / fit.hospitals["sd"] * np.sqrt(8_000)
    assert np.max(np.abs(z)) < 4
    np.testing.assert_allclose(draws["p"].std(0), fit.hospitals["sd"], rtol=0.03)
    levels = np.mean(draws["p"][:, :, None] < fit.hospital_quantiles([0.1, 0.9]).to_numpy(), axis=0)
    np.testing.assert_allclose(levels, np.tile([0.1, 0.9], (3, 1)), atol=0.015)


def test_simulation_based_calibration():
    """Ranks of the truth among draws are uniform (Talts S and others, arXiv:1804.06788, 2018)."""
    rng = np.random.default_rng(2026)
    tau_prior, sigma_prior = HALF_CAUCHY(scale=3), HALF_NORMAL(scale=6)
    group = np.repeat(np.arange(6), [1, 3, 5, 2, 8, 4])
    x = np.column_stack([np.ones(len(group)), rng.normal(size=len(group))])
    levels = []
    for _ in range(300):
        tau, sigma = (float(p.rvs(random_state=rng)) for p in (tau_prior, sigma_prior))
        beta = rng.normal(0, 10, 2)
        u = rng.normal(0, tau, 6)
        y = x @ beta + u[group] + rng.normal(0, sigma, len(group))
        fit = exact.posterior(y, x, group, tau=tau_prior, sigma=sigma_prior, beta=(0, 10))
        effect = fit._moments.effects(*fit._few)
        hospital = float(np.sum(effect[2] * stats.norm.cdf((u[0] - effect[0][0]) / effect[1][0])))
        levels.append(
            [fit.cdf("tau", tau), fit.cdf("sigma", sigma), fit.cdf("beta[1]", beta[1]), hospital]
        )
    for column in np.array(levels).T:
        assert stats.kstest(column, "uniform").pvalue > 2e-3


# ---------------------------------------------------------------------- priors and properness
@pytest.mark.parametrize(
    "prior",
    [
        stats.halfnorm(scale=3), stats.halfcauchy(scale=2), stats.expon(scale=4),
        stats.gamma(2, scale=3), stats.invgamma(2, scale=3), stats.lognorm(s=1, scale=2),
        stats.uniform(1, 6), stats.weibull_min(2, scale=5), exact.HalfStudentT(3, 5),
    ],
)  # fmt: skip
def test_a_prior_is_read_as_it_is(prior):
    read = ScalePrior("tau", prior, 2.0)
    x = np.linspace(-3, 3, 50)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(read.log_density(x), prior.logpdf(np.exp(x)) + x, rtol=1e-12)
    assert pymc_prior("tau", prior).startswith("pm.")


def test_a_prior_without_a_support_is_searched_for_its_edges():
    class Bare:
        def logpdf(self, x):
            return stats.uniform(2, 5).logpdf(x)

    read = ScalePrior("tau", Bare(), 2.0)
    assert (read.low, read.high) == (pytest.approx(2), pytest.approx(7))
    y, x, group = simulate(15, [4] * 6, 3, 6)
    fits = [
        exact.posterior(y, x, group, tau=prior, sigma=HALF_NORMAL(scale=9))
        for prior in (Bare(), stats.uniform(2, 5))
    ]
    np.testing.assert_allclose(fits[0].parameters, fits[1].parameters, rtol=1e-5)


def test_half_student_t_is_half_cauchy_at_one_degree_of_freedom():
    x = np.linspace(0, 30, 7)
    ours = exact.HalfStudentT(1, 3).logpdf(x)
    np.testing.assert_allclose(ours, stats.halfcauchy(scale=3).logpdf(x))
    assert exact.HalfStudentT(4, 3).logpdf(-1.0) == -np.inf


@pytest.mark.parametrize(
    ("hospitals", "between", "proper"),
    [(2, 0, False), (3, 0, True), (3, 1, False), (4, 1, True), (1, 0, False)],
)
def test_flat_tau_needs_enough_hospitals(hospitals, between, proper):
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(hospitals), 5)
    columns = [np.ones(len(group)), rng.normal(size=len(group))]
    columns += [rng.normal(size=hospitals)[group] for _ in range(between)]
    x, y = np.column_stack(columns), rng.normal(size=len(group)) * 3
    if proper:
        fit = exact.posterior(y, x, group, tau="flat", sigma="flat")
        assert fit.parameters.loc["tau", "mean"] == np.inf  # proper, and no more than that
        assert np.isinf(fit.parameters.loc["beta[0]", "sd"])
        assert np.isfinite(fit.parameters.loc["beta[1]"]).all()
        assert np.isfinite(fit.summary()[["median", "low", "high"]]).all(axis=None)
    else:
        with pytest.raises(ValueError, match="improper"):
            exact.posterior(y, x, group, tau="flat", sigma="flat")


def test_flat_tau_quantiles_with_three_hospitals():
    y, se = np.array([1.0, 4.0, 9.0]), np.array([2.0, 3.0, 2.0])
    fit = exact.normal_means(y, se, tau="flat")

    def density(t):
        v = se**2 + t**2
        m = np.sum(y / v) / np.sum(1 / v)
        return np.exp(-0.5 * (np.log(v).sum() + np.log(np.sum(1 / v)) + np.sum((y - m) ** 2 / v)))

    total = integrate.quad(density, 0, np.inf, limit=500)[0]
    for q in (0.1, 0.5, 0.9):
        below = integrate.quad(density, 0, fit.quantile("tau", q), limit=500)[0]
        assert below / total == pytest.approx(q, abs=1e-5)


def test_moments_that_do_not_exist_are_said_not_to():
    y = np.array([1.0, 4.0, 2.0, 7.0])
    x = np.column_stack([np.ones(4), [0.3, -1.0, 0.5, 0.9]])
    fit = exact.posterior(y, x, [0] * 4, tau=HALF_NORMAL(scale=1), sigma="flat")
    table = fit.parameters  # N - p - 1 = 1 degree of freedom: a Cauchy tail
    assert table["mean"].isna().tolist() == [True, True, False, False]
    assert table.loc["sigma", "mean"] == np.inf
    assert table.loc["tau", "sd"] == pytest.approx(HALF_NORMAL().std(), rel=1e-4)
    assert np.isfinite(fit.hospitals["sd"]).all()
    proper = exact.posterior(y, x, [0] * 4, tau=HALF_NORMAL(scale=1), sigma="flat", beta=(0, 9))
    assert np.isfinite(proper.parameters.loc[["beta[0]", "beta[1]"]]).all(axis=None)


def test_proper_beta_makes_two_hospitals_enough():
    y, x, group = simulate(4, [5, 5], 3, 3)
    fit = exact.posterior(y, x, group, tau="flat", sigma="flat", beta=(0, [10, np.inf]))
    assert np.isfinite(fit.quantile("tau", 0.5))
    assert fit.improper == ("beta[1]", "tau", "sigma")


@pytest.mark.parametrize(
    "prior",
    [3.0, "half-normal", None, stats.norm(0, 5), stats.t(3), object(), stats.uniform(-1, 3)],
)
def test_refused_priors(prior):
    y, x, group = simulate(4, [5, 5, 5], 3, 3)
    with pytest.raises(ValueError, match="tau"):
        exact.posterior(y, x, group, tau=prior, sigma=HALF_NORMAL(scale=3))


# ---------------------------------------------------------------------- bad input
def one(**changes):
    y, x, group = simulate(4, [5, 5, 5], 3, 3)
    given = dict(y=y, X=x, group=group, tau=HALF_NORMAL(scale=3), sigma=HALF_NORMAL(scale=3))
    given |= changes
    return exact.posterior(given.pop("y"), given.pop("X"), given.pop("group"), **given)


Y15 = np.arange(15.0)
TWICE = np.column_stack([np.ones(15), np.arange(15.0), 3 - 2 * np.arange(15.0)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": np.r_[np.nan, Y15[1:]]}, "first in row 0"),
        ({"y": np.r_[Y15[:-1], np.inf]}, "first in row 14"),
        ({"y": ["a"] * 15}, "y must be numeric"),
        ({"y": Y15[:-1]}, "as many rows"),
        ({"y": []}, "list of numbers"),
        ({"y": Y15 * 0 + 4}, "no variation"),
        ({"y": np.repeat([1.0, 5.0, 2.0], 5), "X": None}, "do not differ"),
        ({"y": Y15 * 1e200}, "within 1e100"),
        ({"X": np.ones((15, 2))}, "collinear"),
        ({"X": TWICE}, "collinear"),
        ({"X": np.zeros((15, 1))}, "zero throughout"),
        ({"X": np.full((15, 1), np.nan)}, "X must be finite"),
        ({"X": np.eye(16)[:15]}, "too many"),
        ({"group": [None] * 15}, "got 15 missing"),
        ({"group": np.arange(14)}, "as many rows"),
        ({"beta": 3}, "beta must be None"),
        ({"beta": (0, 0)}, "sds above 0"),
        ({"beta": (0, -1)}, "sds above 0"),
        ({"beta": (np.nan, 1)}, "finite"),
        ({"beta": ([0, 0, 0], 1)}, "each one number or 2"),
        ({"y": pd.Series(Y15, index=range(1, 16)), "group": pd.Series([0, 1, 2] * 5)}, "indexes"),
    ],
)
def test_bad_input_is_refused_with_the_reason(changes, message):
    if changes.get("group") is not None and len(changes["group"]) == 15:
        changes = {"group": np.array(changes["group"], dtype=object), **changes}
    with pytest.raises(ValueError, match=message):
        one(**changes)


def test_questions_that_have_no_answer():
    fit = one()
    with pytest.raises(ValueError, match="no parameter 'rho'"):
        fit.quantile("rho", 0.5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        fit.quantile("tau", 1.5)
    with pytest.raises(ValueError, match="no hospital"):
        fit.hospital_density("H99")
    with pytest.raises(ValueError, match="whole number"):
        fit.draws(0, 1)


def test_unused_categories_and_duplicated_index():
    y, x, group = simulate(4, [5, 5, 5], 3, 3)
    labels = pd.Categorical.from_codes(group + 1, ["none", "B", "A", "C", "never"])
    index = np.zeros(15, int)
    given = pd.DataFrame({"one": x[:, 0], "age": x[:, 1]}, index=index)
    fit = one(y=pd.Series(y, index=index), X=given, group=pd.Series(labels, index=index))
    assert list(fit.hospitals.index) == ["B", "A", "C"]
    assert fit.names == ("one", "age", "tau", "sigma")
    np.testing.assert_allclose(fit.parameters, one().parameters, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e12, 1e-9])
def test_units_of_the_outcome_do_not_matter(scale):
    y, x, group = simulate(4, [5, 1, 5, 3], 3, 3)
    fits = [
        exact.posterior(
            y * k, x, group, tau=HALF_NORMAL(scale=3 * k), sigma=HALF_CAUCHY(scale=3 * k)
        )
        for k in (1.0, scale)
    ]
    np.testing.assert_allclose(fits[1].parameters, fits[0].parameters * scale, rtol=1e-5)
    change = fits[1].log_marginal_likelihood - fits[0].log_marginal_likelihood
    assert change == pytest.approx(-(14 - 2) * np.log(scale), abs=1e-4)


def test_a_large_mean_costs_no_digits():
    y, x, group = simulate(4, [5, 2, 5, 3], 3, 3)
    prior = HALF_NORMAL(scale=3)
    near, far = (
        exact.posterior(np.round(y, 3) + shift, x, group, tau=prior, sigma=prior)
        for shift in (0.0, 1e9)
    )
    np.testing.assert_allclose(far.parameters[1:], near.parameters[1:], rtol=1e-4)


def test_a_million_patients():
    rng = np.random.default_rng(1)
    group = rng.integers(0, 2000, 1_000_000)
    y = 140 + 6 * rng.normal(size=2000)[group] + 12 * rng.normal(size=1_000_000)
    prior = HALF_NORMAL(scale=20)
    fit = exact.posterior(y, None, group, tau=prior, sigma=prior)
    assert abs(fit.parameters.loc["sigma", "mean"] - 12) < 0.05
    assert abs(fit.parameters.loc["tau", "mean"] - 6) < 0.5


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    tau=st.sampled_from([0.0, 1e-6, 1.0, 1e4]),
    sigma=st.sampled_from([1e-6, 1.0, 1e4]),
    shift=st.sampled_from([0.0, -1e6]),
    priors=st.lists(
        st.sampled_from(
            ["flat", stats.halfnorm(scale=5), stats.halfcauchy(scale=0.1), stats.uniform(0, 50)]
        ),
        min_size=2,
        max_size=2,
    ),
    proper=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_any_design_gets_an_answer_or_a_reason(sizes, tau, sigma, shift, priors, proper, seed):
    y, x, group = simulate(seed, sizes, tau, sigma)
    beta = (0, 100) if proper else None
    try:
        fit = exact.posterior(y + shift, x, group, tau=priors[0], sigma=priors[1], beta=beta)
    except ValueError as reason:
        assert any(
            word in str(reason) for word in ("improper", "no variation", "too many", "do not")
        )
        alike = "do not differ" in str(reason)  # to the last digit, whatever the priors
        assert alike or "improper" not in str(reason) or "flat" in priors
        return
    except exact.QuadratureError:
        # Scales that differ by six orders and more: refused rather than wrong.
        assert shift or 1e-6 in (tau, sigma) or 1e4 in (tau, sigma)
        return
    assert fit.error < TOLERANCE
    assert not fit.parameters["sd"].isna().any()
    assert (fit.parameters["sd"] > 0).all()
    assert fit.hospitals["weight"].between(0, 1).all()
    q = fit.quantile("tau", [0.05, 0.5, 0.95])
    assert 0 < q[0] < q[1] < q[2]
    below = fit.cdf("sigma", fit.quantile("sigma", 0.5))
    assert below == pytest.approx(0.5, abs=1e-4)


def test_a_hospital_without_events_under_a_heavy_tail():
    """Its logit has a tail of hundreds; its interval must not suffer from that."""
    prior = exact.InverseGammaVariance(0.1, 0.1)
    fit = exact.binomial([0, 18, 8, 46, 8], [47, 148, 119, 810, 211], tau=prior, mu=(0, 1.5))
    levels = fit.hospital_quantiles([0.025, 0.5, 0.975]).iloc[0]
    drawn = fit.draws(4000, 1)["p"][:, 0]
    below = np.mean(drawn[:, None] < levels.to_numpy(), axis=0)
    np.testing.assert_allclose(below, [0.025, 0.5, 0.975], atol=0.03)


@pytest.mark.parametrize(
    ("events", "patients", "message"),
    [
        ([1, 2], [3], "equally long"),
        ([4, 2, 1], [3, 3, 3], "0 <= events"),
        ([1.5, 2, 1], [3, 3, 3], "whole"),
        ([0, 0, 0], [3, 3, 3], "with and without"),
        ([-1, 2, 1], [3, 3, 3], "0 <= events"),
    ],
)
def test_bad_counts(events, patients, message):
    with pytest.raises(ValueError, match=message):
        exact.binomial(events, patients, tau=HALF_NORMAL(scale=1))


@pytest.mark.parametrize("kind", ["posterior", "means", "binomial"])
def test_pymc_code_is_the_same_model(kind):
    """The text runs, and its log density differs from ours by a constant."""
    y, x, group = simulate(4, [5, 2, 5, 3], 3, 3)
    if kind == "posterior":
        prior = exact.HalfStudentT(3, 4)
        fit = exact.posterior(y, x, group, tau=prior, sigma=HALF_NORMAL(scale=3), beta=(1, 9))
        names = {"y": y, "X": x, "group": group}
    elif kind == "means":
        names = {"y": [1.0, 3.0, 8.0], "se": [2.0, 1.0, 3.0]}
        fit = exact.normal_means(**names, tau=HALF_CAUCHY(scale=4))
    else:
        names = {"events": [0, 3, 2], "patients": [9, 8, 7]}
        fit = exact.binomial(**names, tau=stats.expon(scale=1), mu=(0, 2))
    compile(fit.to_pymc(), "<model>", "exec")
    exec(fit.to_pymc(), names)
    drawn = fit.draws(3, 1)
    model = names["model"]
    point = {}
    for variable in model.free_RVs:
        name = variable.name
        value = drawn.get(name, drawn.get("p"))
        if name in ("u", "z"):
            effect = drawn["effect"] if "effect" in drawn else None
            if kind == "means":
                effect = effect - drawn["beta"][:, :1]
            elif kind == "binomial":
                effect = np.log(drawn["p"] / (1 - drawn["p"])) - drawn["mu"][:, None]
            value = effect / drawn["tau"][:, None] if name == "z" else effect
        elif name in fit.parameters.index and name not in drawn:
            value = drawn["beta"][:, list(fit.parameters.index).index(name)]
        point[name] = value
    joint = []
    for i in range(3):
        at = {name: value[i] for name, value in point.items()}
        joint.append(_log_density(model, at))
    each = [{key: value[i] for key, value in drawn.items()} for i in range(3)]
    ours = [_our_log_density(kind, names, at) for at in each]
    jacobian = 0
    if "z" in point:
        size = point["z"].shape[1]
        jacobian = size * np.log(drawn["tau"])
    np.testing.assert_allclose(np.diff(np.array(joint) - jacobian), np.diff(ours), atol=1e-6)


def _log_density(model, at):
    """Evaluate the model's log density without compiling it."""
    import pytensor

    variables = model.free_RVs
    values = [model.rvs_to_values[v] for v in variables]
    graphs = model.logp(jacobian=False, sum=True)
    with pytensor.config.change_flags(cxx="", mode="FAST_COMPILE"):
        inputs = {}
        for variable, value in zip(variables, values, strict=True):
            transform = model.rvs_to_transforms[variable]
            raw = np.asarray(at[variable.name], float)
            inputs[value] = np.log(raw) if transform is not None else raw
        return float(graphs.eval(inputs))


def _our_log_density(kind, names, at):
    if kind == "binomial":
        logit = np.log(at["p"] / (1 - at["p"]))
        total = stats.binom.logpmf(names["events"], names["patients"], at["p"]).sum()
        total += stats.norm(at["mu"], at["tau"]).logpdf(logit).sum()
        return total + stats.expon(scale=1).logpdf(at["tau"]) + stats.norm(0, 2).logpdf(at["mu"])
    if kind == "means":
        total = stats.norm(at["effect"], names["se"]).logpdf(names["y"]).sum()
        total += stats.norm(at["beta"][0], at["tau"]).logpdf(at["effect"]).sum()
        return total + HALF_CAUCHY(scale=4).logpdf(at["tau"])
    fixed = np.asarray(names["X"]) @ at["beta"] + at["effect"][names["group"]]
    total = stats.norm(fixed, at["sigma"]).logpdf(names["y"]).sum()
    total += stats.norm(0, at["tau"]).logpdf(at["effect"]).sum()
    total += stats.norm(1, 9).logpdf(at["beta"]).sum()
    total += float(exact.HalfStudentT(3, 4).logpdf(at["tau"]))
    return total + HALF_NORMAL(scale=3).logpdf(at["sigma"])
