"""Simulation-based calibration of the exact posterior.

Run from the root of the repository: ``python benchmarks/exact_calibration.py [simulations]``.
Parameters are drawn from the priors, data from the parameters, and the posterior's distribution
function is read at the true value: those levels are uniform if and only if the posterior is right
on average (Talts S and others, arXiv:1804.06788, 2018). Reading the distribution function needs
no draws, so there is no second source of noise. `draws` checks the random numbers likewise, by
the rank of the truth among 99 draws. Kolmogorov-Smirnov p-values below 0.001 would be a failure.
"""

import sys
import time

import numpy as np
from scipy import stats

from utils.exact import binomial, normal_means, posterior

SETTINGS = {
    "unbalanced, half-Cauchy": ([1, 3, 5, 2, 8, 4], stats.halfcauchy(scale=3)),
    "3 hospitals, half-normal": ([10] * 3, stats.halfnorm(scale=5)),
    "1 patient each": ([1] * 8, stats.halfnorm(scale=5)),
    "40 hospitals, uniform": ([25] * 40, stats.uniform(0, 12)),
}


def patients(sizes, tau_prior, rng):
    sigma_prior = stats.halfnorm(scale=6)
    group = np.repeat(np.arange(len(sizes)), sizes)
    x = np.column_stack([np.ones(len(group)), rng.normal(size=len(group))])
    tau, sigma = (float(p.rvs(random_state=rng)) for p in (tau_prior, sigma_prior))
    beta, u = rng.normal(0, 10, 2), rng.normal(0, tau, len(sizes))
    y = x @ beta + u[group] + rng.normal(0, sigma, len(group))
    fit = posterior(y, x, group, tau=tau_prior, sigma=sigma_prior, beta=(0, 10))
    ranks = fit.draws(99, rng)
    return {
        "tau": fit.cdf("tau", tau),
        "sigma": fit.cdf("sigma", sigma),
        "intercept": fit.cdf("beta[0]", beta[0]),
        "slope": fit.cdf("beta[1]", beta[1]),
        "tau, draws": jittered(ranks["tau"] < tau, rng),
        "sigma, draws": jittered(ranks["sigma"] < sigma, rng),
        "hospital, draws": jittered(ranks["effect"][:, 0] < u[0], rng),
    }


def schools(rng):
    se, prior = np.array([15, 10, 16, 11, 9, 11, 10, 18.0]), stats.halfcauchy(scale=5)
    tau, mu = float(prior.rvs(random_state=rng)), rng.normal(0, 5)
    theta = rng.normal(mu, tau, 8)
    fit = normal_means(rng.normal(theta, se), se, tau=prior, beta=(0, 5))
    ranks = fit.draws(99, rng)
    return {
        "tau": fit.cdf("tau", tau),
        "mu": fit.cdf("intercept", mu),
        "theta, draws": jittered(ranks["effect"][:, 0] < theta[0], rng),
    }


def counts(rng):
    n, prior = np.array([9, 20, 40, 15]), stats.halfnorm(scale=1)
    tau, mu = float(prior.rvs(random_state=rng)), rng.normal(-2, 1)
    p = 1 / (1 + np.exp(-rng.normal(mu, tau, 4)))
    fit = binomial(rng.binomial(n, p), n, tau=prior, mu=(-2, 1))
    ranks = fit.draws(99, rng)
    return {
        "tau, draws": jittered(ranks["tau"] < tau, rng),
        "mu, draws": jittered(ranks["mu"] < mu, rng),
        "p, draws": jittered(ranks["p"][:, 0] < p[0], rng),
    }


def jittered(below, rng):
    return (below.sum() + rng.random()) / (len(below) + 1)


def main(n: int) -> None:
    jobs = {
        name: (lambda rng, given=given: patients(*given, rng), n)
        for name, given in SETTINGS.items()
    }
    jobs |= {"normal means": (schools, n), "binomial": (counts, max(n // 10, 20))}
    print(f"{'setting':<26}{'n':>6}{'quantity':>18}{'KS p':>8}{'outside 95 %':>14}{'seconds':>9}")
    for name, (job, count) in jobs.items():
        rng = np.random.default_rng(20261122)
        start = time.perf_counter()
        rows = [job(rng) for _ in range(count)]
        seconds = time.perf_counter() - start
        for key in rows[0]:
            level = np.array([row[key] for row in rows])
            outside = np.mean((level < 0.025) | (level > 0.975))
            p = stats.kstest(level, "uniform").pvalue
            print(f"{name:<26}{count:>6}{key:>18}{p:>8.3f}{outside:>14.1%}{seconds:>9.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
