"""The sampler's draws are read, and are the same from an empty compile cache and a filled one."""

import os
import subprocess
import sys

import numpy as np
import pymc as pm
import pytest

from utils import ROOT, bayes

SET_UP = """
import warnings
warnings.simplefilter("error")
from utils import bayes
bayes.set_up()
import arviz as az
import numpy as np
import pymc as pm
rng = np.random.default_rng(1)
age = rng.normal(50, 10, 200)
y = 118 + 0.4 * age + rng.normal(0, 10, 200)
hospital = np.repeat(np.arange(20), 10)
with pm.Model():  # without set_up, the intercept's mean differs in the fourth digit
    intercept, age_effect = pm.Normal("intercept", 120, 30), pm.Normal("age_effect", 0, 2)
    hospital_sd, patient_sd = pm.HalfNormal("hospital_sd", 5), pm.HalfNormal("patient_sd", 20)
    z = pm.Normal("z", 0, 1, shape=20)
    pm.Normal("y", intercept + hospital_sd * z[hospital] + age_effect * age, patient_sd, observed=y)
    draws = pm.sample(500, tune=500, chains=2, cores=1, nuts_sampler="nutpie", random_seed=1,
                      progressbar=False, quiet=True)
print(repr(float(draws.posterior["intercept"].mean())), az.rcParams["stats.round_to"])
"""


def test_set_up_gives_the_same_chains_cold_and_warm_and_says_nothing(tmp_path):
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTENSOR_FLAGS": f"base_compiledir={tmp_path}",
    }
    seen = [
        subprocess.run(
            [sys.executable, "-c", SET_UP], env=environ, capture_output=True, text=True, check=True
        )
        for _ in range(2)
    ]
    assert seen[0].stdout == seen[1].stdout
    assert seen[0].stdout.endswith(" 4g\n")
    assert seen[0].stderr == seen[1].stderr == ""


def test_a_real_fit_by_nutpie_is_read():
    y = np.random.default_rng(1).normal(1, 2, 50)
    with pm.Model():
        mu, sigma = pm.Normal("mu", 0, 5), pm.HalfNormal("sigma", 5)
        pm.Normal("y", mu, sigma, observed=y)
        idata = pm.sample(
            500, tune=500, chains=4, cores=1, random_seed=1, nuts_sampler="nutpie",
            progressbar=False, quiet=True,
        )  # fmt: skip
    verdict = bayes.diagnose(idata)
    # Another machine draws another chain: what was recorded is certain, that it passes is not.
    assert None not in set(verdict.table["ok"])
    assert verdict.table.loc["R-hat", "worst"] < 1.05
    assert bayes.summary(idata).loc["mu", "mean"] == pytest.approx(y.mean(), abs=0.2)
