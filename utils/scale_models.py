"""The trial of `utils.scale` in PyMC: patient by patient, and from summaries."""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np
import nutpie
import pandas as pd
import pymc as pm

from utils import bayes
from utils.scale import ZERO

__all__ = ["Sampler", "by_rows", "by_summaries"]

_TOP = ("intercept", "treatment_effect", "hospital_sd", "patient_sd")


def _parameters() -> tuple:
    return (
        pm.Normal("intercept", 140, 30),
        pm.Normal("treatment_effect", 0, 20),
        pm.HalfNormal("hospital_sd", 10),
        pm.HalfNormal("patient_sd", 20),
    )


def by_rows(data: pd.DataFrame) -> pm.Model:
    """Return the model with a term for each patient, in centred form (lesson 12).

    Parameters
    ----------
    data : DataFrame
        Columns hospital, treated and sbp.
    """
    codes, names = pd.factorize(data["hospital"])
    with pm.Model(coords={"hospital": names}) as model:
        intercept, effect, tau, sigma = _parameters()
        level = pm.Normal("level", intercept, tau, dims="hospital")
        hospital = pm.Data("hospital_of", codes)
        treated = pm.Data("treated", data["treated"].to_numpy(dtype=float))
        sbp = pm.Data("pressure", data["sbp"].to_numpy())
        pm.Normal("sbp", level[hospital] + effect * treated, sigma, observed=sbp)
    return model


def by_summaries(table: pd.DataFrame, *, centre: float = 0.0) -> pm.Model:
    """Return the same model from five sums a hospital, the hospitals' effects summed out.

    Parameters
    ----------
    table : DataFrame
        As `utils.scale.summaries` gives it.
    centre : float
        The intercept is the mean pressure at this value of treatment: 0 untreated, 0.5 midway.

    Notes
    -----
    With r the residuals of hospital j, the log density of its patients is
    -n/2 log(sigma²) - log(1 + n lam)/2 - (sum r² - lam (sum r)²/(1 + n lam))/(2 sigma²),
    lam = tau²/sigma². Four parameters remain, whatever the number of hospitals.
    """
    with pm.Model() as model:
        n, t, y = (pm.Data(f"sum_{name}", table[name].to_numpy(dtype=float)) for name in "nty")
        whole = pm.Data("totals", table[["n", "t", "y", "ty", "yy"]].sum().to_numpy(dtype=float))
        all_n, all_t, all_y, all_ty, all_yy = (whole[k] for k in range(5))
        intercept, effect, tau, sigma = _parameters()
        a, lam = intercept - centre * effect - ZERO, tau**2 / sigma**2
        squares = all_yy - 2 * a * all_y - 2 * effect * all_ty + a**2 * all_n
        squares += (2 * a + effect) * effect * all_t
        total, grown = y - a * n - effect * t, 1 + n * lam
        inside = squares - lam * (total**2 / grown).sum()
        logs = all_n * pm.math.log(2 * np.pi * sigma**2) + pm.math.log(grown).sum()
        pm.Potential("sbp", -(logs + inside / sigma**2) / 2)
    return model


class Sampler:
    """A model made ready for NUTS, and the chains it drew.

    Parameters
    ----------
    model : pymc.Model
        As `by_rows` or `by_summaries` gives it.

    Attributes
    ----------
    compile_seconds : float
        What compiling took. A model of the same form (the same parameters) is compiled once in a
        process, and given new data after that; the seconds are those of that one time.

    Notes
    -----
    4 chains of 1,000 draws after 1,000 of warm-up, by nutpie.
    """

    _compiled: ClassVar[dict[tuple, tuple[object, float]]] = {}

    def __init__(self, model: pm.Model) -> None:
        bayes.set_up()
        data = {variable.name: variable.get_value() for variable in model.data_vars}
        form = (*data, *((name, at.shape) for name, at in model.initial_point().items()))
        if form not in self._compiled:
            began = time.perf_counter()
            self._compiled[form] = (
                nutpie.compile_pymc_model(model), time.perf_counter() - began
            )  # fmt: skip
        compiled, self.compile_seconds = self._compiled[form]
        self._model, self._drawn = compiled.with_data(**data), None

    def __call__(self) -> float:
        """Draw, and return the posterior mean of the treatment effect."""
        self._drawn = nutpie.sample(
            self._model, draws=1000, tune=1000, chains=4, cores=2, seed=1, progress_bar=False
        )
        return float(self._drawn.posterior["treatment_effect"].mean())

    def trusted(self) -> bool:
        """Return whether `utils.bayes.diagnose` finds no fault in the four top parameters."""
        return bayes.diagnose(self._drawn, var_names=list(_TOP)).ok
