"""The trial of `utils.scale` in PyMC: patient by patient, and from summaries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pymc as pm

from utils import bayes
from utils.scale import ZERO

__all__ = ["by_rows", "by_summaries", "sample"]


def _parameters() -> tuple:
    return (
        pm.Normal("intercept", 140, 30),
        pm.Normal("treatment_effect", 0, 20),
        pm.HalfNormal("hospital_sd", 10),
        pm.HalfNormal("patient_sd", 20),
    )


def by_rows(data: pd.DataFrame) -> pm.Model:
    """Return the model with a term for each patient, hospital means centred.

    Parameters
    ----------
    data : DataFrame
        Columns hospital, treated and sbp.
    """
    codes, names = pd.factorize(data["hospital"])
    with pm.Model(coords={"hospital": names}) as model:
        intercept, effect, tau, sigma = _parameters()
        level = pm.Normal("level", intercept, tau, dims="hospital")
        centre = level[codes] + effect * data["treated"].to_numpy(dtype=float)
        pm.Normal("sbp", centre, sigma, observed=data["sbp"].to_numpy())
    return model


def by_summaries(table: pd.DataFrame) -> pm.Model:
    """Return the same model from five sums a hospital, the hospitals' effects summed out.

    Parameters
    ----------
    table : DataFrame
        As `utils.scale.summaries` gives it.

    Notes
    -----
    With r the residuals of hospital j, the log density of its patients is
    -n/2 log(sigma²) - log(1 + n lam)/2 - (sum r² - lam (sum r)²/(1 + n lam))/(2 sigma²),
    lam = tau²/sigma². Four parameters remain, whatever the number of hospitals.
    """
    n, t, y, ty, yy = (table[name].to_numpy(dtype=float) for name in ("n", "t", "y", "ty", "yy"))
    with pm.Model() as model:
        intercept, effect, tau, sigma = _parameters()
        a, lam = intercept - ZERO, tau**2 / sigma**2
        total = y - a * n - effect * t
        squares = yy - 2 * a * y - 2 * effect * ty + a**2 * n + (2 * a * effect + effect**2) * t
        inside = squares - lam * total**2 / (1 + n * lam)
        logs = -n / 2 * pm.math.log(2 * np.pi * sigma**2) - pm.math.log(1 + n * lam) / 2
        pm.Potential("sbp", (logs - inside / (2 * sigma**2)).sum())
    return model


def sample(model: pm.Model) -> float:
    """Draw 4 chains of 1,000 with nutpie; return the posterior mean of the treatment effect."""
    bayes.set_up()
    with model:
        idata = pm.sample(
            draws=1000, tune=1000, chains=4, cores=2, nuts_sampler="nutpie", random_seed=1,
            progressbar=False, quiet=True,
        )  # fmt: skip
    return float(idata.posterior["treatment_effect"].mean())
