"""The exact posterior beside long NUTS runs on 20 simulated designs.

Run from the root of the repository: ``python benchmarks/exact_nuts.py [draws per chain]``. J goes
from 3 to 1,000, balanced and not, with hospitals of one patient, tau = 0 and heavy-tailed priors.
NUTS samples the effects themselves (non-centred), so that it shares no algebra with the exact
engine. The model is compiled once, for 1,000 hospitals, of which a design uses the first J: data
and priors (half-t, by degrees of freedom and scale) are passed to it anew. The table gives, per
design, the largest |z| over posterior means and over standard deviations, z being the difference
from the exact value in Monte Carlo standard errors (MCSE); the aim is at most 5.
"""

import sys
import time

import arviz as az
import numpy as np
import nutpie
import pymc as pm

from utils.exact import HalfStudentT, posterior

MOST = 1000
NORMAL = 1e6  # a half-t with so many degrees of freedom is half-normal

# (hospital sizes, tau, sigma, tau's prior df and scale, sigma's prior df and scale)
DESIGNS = [
    ([10] * 3, 6, 12, NORMAL, 8, NORMAL, 20),
    ([4, 20, 9], 6, 12, 3, 8, 3, 20),
    ([30] * 4, 0, 12, NORMAL, 5, NORMAL, 20),
    ([5, 1, 1, 14, 8], 4, 12, NORMAL, 5, NORMAL, 20),
    ([25] * 6, 2, 12, 3, 5, 3, 20),
    ([1] * 8, 5, 5, NORMAL, 6, NORMAL, 6),
    ([3, 5, 9, 17, 33, 65, 20, 11], 8, 12, 3, 6, 3, 20),
    ([12] * 10, 0, 12, 1, 2, NORMAL, 20),
    ([2] * 12, 10, 4, NORMAL, 10, NORMAL, 10),
    ([6] * 15, 20, 6, 3, 4, NORMAL, 20),
    ([4, 40] * 10, 3, 12, NORMAL, 5, 3, 20),
    ([1] * 25, 4, 6, NORMAL, 5, NORMAL, 8),
    ([8] * 30, 1, 12, NORMAL, 5, NORMAL, 20),
    (list(range(1, 41)), 5, 12, 3, 10, NORMAL, 30),
    ([25] * 40, 6, 12, NORMAL, 10, NORMAL, 30),
    ([3] * 60, 0, 10, 3, 2, NORMAL, 20),
    ([1, 2, 5] * 33, 3, 9, NORMAL, 5, 3, 20),
    ([10] * 150, 4, 12, 1, 3, NORMAL, 20),
    ([2, 10] * 200, 3, 12, NORMAL, 5, NORMAL, 20),
    ([5] * 1000, 4, 12, NORMAL, 10, NORMAL, 20),
]


def data(design, rng):
    sizes, tau, sigma, *_ = design
    group = np.repeat(np.arange(len(sizes)), sizes)
    age = rng.normal(size=len(group))
    y = 10 + 2 * age + rng.normal(0, 1, len(sizes))[group] * tau
    return y + rng.normal(0, sigma, len(group)), age, group


def model(y, age, group, prior):
    with pm.Model() as built:
        y, age, index = pm.Data("y_data", y), pm.Data("age", age), pm.Data("group", group)
        prior = pm.Data("prior", prior)
        tau = pm.HalfStudentT("tau", nu=prior[0], sigma=prior[1])
        sigma = pm.HalfStudentT("sigma", nu=prior[2], sigma=prior[3])
        intercept, slope = pm.Normal("intercept", 0, 50), pm.Normal("slope", 0, 50)
        effect = pm.Deterministic("effect", tau * pm.Normal("z", 0, 1, shape=MOST))
        pm.Normal("y", intercept + slope * age + effect[index], sigma, observed=y)
    return built


def compare(trace, fit):
    """Return the largest |z| of posterior means and of SDs, and how many were compared."""
    worst_mean = worst_sd = 0.0
    exact = [(name, *row) for name, row in zip(fit.names, fit.parameters.to_numpy(), strict=True)]
    names = {"beta[0]": "intercept", "beta[1]": "slope"}
    pairs = [(trace[names.get(n, n)].to_numpy(), mean, sd) for n, mean, sd in exact]
    effect = trace["effect"].to_numpy()
    some = np.unique(np.linspace(0, len(fit.hospitals) - 1, 40).astype(int))
    table = fit.hospitals[["mean", "sd"]].to_numpy()
    pairs += [(effect[..., j], *table[j]) for j in some]
    for values, mean, sd in pairs:
        worst_mean = max(worst_mean, abs(values.mean() - mean) / az.mcse(values, method="mean"))
        worst_sd = max(worst_sd, abs(values.std() - sd) / az.mcse(values, method="sd"))
    return worst_mean, worst_sd, 2 * len(pairs)


def main(draws: int) -> None:
    rng = np.random.default_rng(20261122)
    compiled, worst = None, 0.0
    print(f"{'design':>6}{'J':>6}{'N':>7}{'exact ms':>10}{'NUTS s':>8}{'compared':>9}", end="")
    print(f"{'div.':>6}{'|z| mean':>10}{'|z| sd':>8}")
    for number, design in enumerate(DESIGNS, start=1):
        y, age, group = data(design, rng)
        hospitals, prior = len(design[0]), np.array(design[3:], float)
        if compiled is None:
            compiled = nutpie.compile_pymc_model(model(y, age, group, prior))
        ready = compiled.with_data(y_data=y, age=age, group=group, prior=prior)
        start = time.perf_counter()
        run = nutpie.sample(
            ready, draws=draws, tune=1000, chains=4, seed=number, target_accept=0.95,
            progress_bar=False, cores=2,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        start = time.perf_counter()
        fit = posterior(
            y, np.column_stack([np.ones(len(y)), age]), group,
            tau=HalfStudentT(*prior[:2]), sigma=HalfStudentT(*prior[2:]), beta=(0, 50),
        )  # fmt: skip
        milliseconds = 1000 * (time.perf_counter() - start)
        mean, sd, count = compare(run.posterior, fit)
        divergent = int(run.sample_stats["diverging"].sum())
        worst = max(worst, mean, sd)
        print(
            f"{number:>6}{hospitals:>6}{len(y):>7}{milliseconds:>10.1f}{seconds:>8.1f}{count:>9}"
            f"{divergent:>6}{mean:>10.2f}{sd:>8.2f}",
            flush=True,
        )
    print(f"largest |z|: {worst:.2f} MCSE (aim: at most 5)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
