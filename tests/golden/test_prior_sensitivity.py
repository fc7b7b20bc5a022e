"""The sensitivity explorer's numbers against NUTS, which shares no algebra with them.

Twelve combinations of family, scale and hospitals run on one compiled model, to which data and
priors are passed anew; it samples log tau and the hospitals' effects (non-centred). Each number
of the explorer is turned into a statement whose probability it claims to know, and the share of
draws for which it holds must agree within 5 Monte Carlo standard errors. Four more run the code
that the explorer writes, as a learner would.
"""

import math

import arviz as az
import numpy as np
import pytest
from scipy.special import ndtr

from utils import datasets
from utils.simulate import med_trial
from utils.widgets import prior_sensitivity as ps

MOST = 12  # hospitals of the compiled model
KINDS = {"half-normal": 1e6, "half-t": 3.0, "half-Cauchy": 1.0}  # degrees of freedom
INF = 1e4  # mmHg: as good as a flat prior of the effect

# family, scale, hospital sizes, tau, sigma, sd of the effect's prior, scale of sigma's
COMBINATIONS = [
    ("half-normal", 5.0, [20] * 12, 6, 12, INF, 20.0),
    ("half-normal", 0.5, [20] * 12, 6, 12, INF, 20.0),
    ("half-normal", 40.0, [15] * 4, 6, 12, INF, 20.0),
    ("half-normal", 5.0, [1] * 12, 5, 5, INF, 8.0),
    ("half-t", 3.0, [4, 30, 9, 12, 5, 8], 6, 12, 10.0, 20.0),
    ("half-t", 10.0, [25] * 5, 0, 12, INF, 20.0),
    ("half-Cauchy", 5.0, [10] * 8, 4, 12, 5.0, 20.0),
    ("half-Cauchy", 2.0, [30] * 4, 3, 12, INF, 20.0),
    ("exponential", 4.0, [1, 1, 8, 14, 5, 1, 9], 6, 12, INF, 20.0),
    ("exponential", 0.5, [1] * 12, 5, 5, 10.0, 8.0),
    ("inverse-gamma", 1.0, [15] * 4, 6, 12, INF, 20.0),
    ("inverse-gamma", 0.1, [12] * 10, 2, 12, 8.0, 20.0),
]


def patients(sizes, tau, sigma):
    return med_trial(
        n_hospitals=len(sizes), patients_per_hospital=sizes, hospital_sd=tau, patient_sd=sigma,
        rng=len(sizes),
    ).data  # fmt: skip


def columns(data):
    code = data["hospital"].cat.codes.to_numpy().astype(int)
    return data["sbp"].to_numpy(), data["treated"].to_numpy(float), code


@pytest.fixture(scope="module")
def compiled():
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    y, treated, code = columns(patients([20] * 12, 6, 12))
    prior = np.array([0.0, 3.0, 5.0, 20.0, 20.0])
    with pm.Model() as model:
        data = {"y_data": y, "treated_data": treated, "code": code, "prior": prior}
        y, treated, code, prior = (pm.Data(name, value) for name, value in data.items())
        kind, df, scale = prior[0], prior[1], prior[2]
        log_tau = pm.Flat("log_tau", initval=1.0)
        tau = pm.Deterministic("tau", pt.exp(log_tau))
        laws = [
            -0.5 * (df + 1) * pt.log1p((tau / scale) ** 2 / df),
            -tau / scale,
            -(2 * scale + 1) * log_tau - scale / tau**2,
        ]
        law = pt.switch(pt.eq(kind, 0), laws[0], pt.switch(pt.eq(kind, 1), laws[1], laws[2]))
        pm.Potential("law", law + log_tau)
        sigma = pm.HalfNormal("sigma", prior[4])
        intercept = pm.Normal("intercept", 140, 1e4)
        effect = pm.Normal("effect", 0, prior[3])
        u = pm.Deterministic("u", tau * pm.Normal("z", 0, 1, shape=MOST))
        pm.Normal("y", intercept + effect * treated + u[code], sigma, observed=y)
    return nutpie.compile_pymc_model(model)


def claims(answer, source, tau, effect, u, sigma=None):
    """Return (name, statement for each draw, claimed mean) of all that the explorer says."""
    threshold = 0.07 if source.rate else -5.0
    rows = [("beyond", effect > threshold if source.rate else effect < threshold, answer.beyond)]
    if not source.rate:
        rows.append(("negative", effect < 0, answer.negative))
    for name, values, at in (("tau", tau, answer.tau), ("effect", effect, answer.effect)):
        rows += [
            (f"{name} {p}", values < q, p) for p, q in zip((0.025, 0.5, 0.975), at, strict=True)
        ]
    new = 2 * ndtr(answer.new_posterior / tau) - 1
    rows.append(("new hospital", new, 0.95))
    place = {label: k for k, label in enumerate(source.data.labels)}
    for label, seen in answer.hospitals.iterrows():
        values = u[..., place[label]]
        rows += [
            (f"{label} low", values < seen["low"], 0.025),
            (f"{label} high", values > seen["high"], 0.025),
            (f"{label} mean", values, seen["estimate"]),
        ]
        if sigma is not None:
            lam = seen["n"] * (tau / sigma) ** 2
            rows.append((f"{label} weight", lam / (1 + lam), seen["weight"]))
    return rows


def worst(rows):
    """Return the largest distance in Monte Carlo standard errors, and where it is."""
    z = {}
    for name, statement, claimed in rows:
        values = np.asarray(statement, float)
        error = float(az.mcse(values, method="mean"))
        if np.asarray(statement).dtype == bool:  # nor less than independent draws would have
            error = max(error, 1.5 * math.sqrt(claimed * (1 - claimed) / values.size))
        z[name] = abs(values.mean() - claimed) / error
    where = max(z, key=z.get)
    return z[where], where


@pytest.mark.parametrize(
    "case", COMBINATIONS, ids=[f"{c[0]} {c[1]:g} J={len(c[2])}" for c in COMBINATIONS]
)
def test_explorer_agrees_with_nuts(case, compiled, record_property):
    import nutpie

    family, scale, sizes, tau, sigma, effect_sd, sigma_scale = case
    data = patients(sizes, tau, sigma)
    source = ps.prepare(data)
    choice = {"family": family, "scale": scale, "effect_sd": effect_sd}
    answer = ps.compute(source, **choice, sigma_scale=sigma_scale, threshold=-5.0).answer
    y, treated, code = columns(data)
    kind = {"exponential": 1.0, "inverse-gamma": 2.0}.get(family, 0.0)
    prior = np.array([kind, KINDS.get(family, 1.0), scale, effect_sd, sigma_scale])
    ready = compiled.with_data(y_data=y, treated_data=treated, code=code, prior=prior)
    # One patient in each hospital: tau and sigma trade places, which NUTS finds hard.
    draws, accept = (8000, 0.99) if max(sizes) == 1 else (1500, 0.95)
    run = nutpie.sample(
        ready, draws=draws, tune=1000, chains=4, cores=2, seed=7, target_accept=accept,
        progress_bar=False,
    ).posterior  # fmt: skip
    drawn = {name: run[name].to_numpy() for name in ("tau", "effect", "u", "sigma")}
    distance, where = worst(claims(answer, source, **drawn))
    record_property("mcse", round(distance, 2))
    assert distance < 5, where


# state, and arguments of the explorer's data
WRITTEN = {
    "uniform": {"family": "uniform", "scale": 6.0, "n_hospitals": 6, "sigma_scale": 20.0},
    "inverse-gamma, 4 at random": {
        "family": "inverse-gamma", "scale": 1.0, "n_hospitals": 4, "kept": "random",
        "effect_sd": 10.0,
    },
    "flat": {"family": "flat", "effect_sd": 5.0},
    "rates": {"family": "half-Cauchy", "scale": 1.0, "effect_sd": 1.5},
}  # fmt: skip


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", WRITTEN)
def test_written_code_runs_and_agrees(name, record_property):
    rates = name == "rates"
    ward = datasets.load("surgical") if rates else patients([20] * 8, 5, 10)
    columns = {"events": "deaths", "patients": "operations"} if rates else {}
    threshold = 0.07 if rates else -5.0
    explorer = ps.prior_sensitivity_explorer(ward, threshold=threshold, **columns)
    explorer.set_state(**WRITTEN[name])
    assert explorer.message == ""
    cell = {"ward": ward}
    exec(explorer.pymc(), cell)
    run = cell["idata"].posterior
    answer, source = explorer.result.answer, explorer.source
    tau = run["tau"].to_numpy()
    if rates:
        effect, u = 1 / (1 + np.exp(-run["mu"].to_numpy())), run["p"].to_numpy()
    else:
        effect, u = run["treated"].to_numpy(), run["u"].to_numpy()
        kept = run["hospital"].to_numpy().tolist()
        places = [kept.index(x) if x in kept else 0 for x in source.data.labels]
        u = u[..., places]
    distance, where = worst(claims(answer, source, tau, effect, u))
    record_property("mcse", round(distance, 2))
    assert distance < 5, where
    assert math.isfinite(distance)
