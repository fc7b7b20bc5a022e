"""The sampler gives the same draws from an empty compile cache and from a filled one."""

import os
import subprocess
import sys

from utils import ROOT

SET_UP = """
import warnings
warnings.simplefilter("error")
from utils import bayes
bayes.set_up()
import arviz as az
import numpy as np
import pymc as pm
with pm.Model():
    mean = pm.Normal("mean", 140, 10)
    hospital_sd = pm.HalfNormal("hospital_sd", 10)
    u = pm.Normal("u", 0, hospital_sd, shape=8)
    y = np.random.default_rng(1).normal(140, 12, 80)
    pm.Normal("y", mean + u[np.repeat(np.arange(8), 10)], 12, observed=y)
    draws = pm.sample(200, tune=300, chains=2, cores=1, nuts_sampler="nutpie", random_seed=1,
                      progressbar=False, quiet=True)
print(repr(float(draws.posterior["hospital_sd"].mean())), az.rcParams["stats.round_to"])
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
