"""How often analyses reject a mean effect of 0 when the effect differs between hospitals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from utils._studies_draw import draw_trials
from utils._studies_many import analyse_many
from utils.pooling import design_effect

COMPARED = ("naive", "random intercept, t", "random slope, t")


def varying_effect_grid(
    *,
    effect_sd: Sequence[float],
    patients_per_hospital: Sequence[int],
    n_hospitals: int = 20,
    hospital_sd: float = 6.0,
    patient_sd: float = 12.0,
    n_trials: int = 1000,
    alpha: float = 0.05,
    methods: Sequence[str] = COMPARED,
    rng: int | np.random.Generator,
) -> pd.DataFrame:
    """Type-I error for the mean effect, over the SD of the effects and the hospitals' size.

    Half of the patients of every hospital are treated, by lot. The hospitals' own effects have
    mean 0, so that every rejection is an error.

    Parameters
    ----------
    effect_sd : sequence of float
        SDs of the hospitals' effects, mmHg.
    patients_per_hospital : sequence of int
        Hospital sizes, even.
    n_hospitals, n_trials : int
        Hospitals in each trial, and trials in each cell.
    hospital_sd, patient_sd : float
        SDs of hospitals and of patients within them, mmHg.
    alpha : float
        Nominal type-I error.
    methods : sequence of str
        The analyses, see `utils.studies.analyse_many`.
    rng : int or numpy.random.Generator
        Seed or generator.

    Returns
    -------
    pandas.DataFrame
        ``effect_sd``, ``patients_per_hospital``, ``method``, ``rejected`` (share of the trials
        with p < alpha), ``monte_carlo_error`` (its standard error) and ``foreseen`` (see Notes;
        missing for other methods).

    Raises
    ------
    ValueError
        If a size is odd, or an argument breaks a rule of `utils.simulate.med_trial`.

    Notes
    -----
    A model without the slope takes a hospital's deviation d from the mean effect for noise of its
    patients: plus d/2 for the treated, minus d/2 for the untreated. With n patients in a hospital
    the variance of the estimate is that model's own, times the design effect 1 + (n - 1) icc with
    icc = (effect_sd / 2)² / ((effect_sd / 2)² + patient_sd²). ``foreseen`` is what a normal test
    then rejects; it leaves out what the hospitals and degrees of freedom, being few, add.

    Examples
    --------
    >>> grid = varying_effect_grid(effect_sd=[5], patients_per_hospital=[30], n_trials=200, rng=1)
    >>> rejected = grid.set_index("method")["rejected"]
    >>> bool(rejected["random intercept, t"] > 0.1 > rejected["random slope, t"])
    True
    """
    odd = [n for n in patients_per_hospital if n % 2]
    if odd:
        raise ValueError(f"patients_per_hospital must be even, got {odd[0]!r}")
    rng = np.random.default_rng(rng)
    critical = stats.norm.isf(alpha / 2)
    cells = []
    for sd in effect_sd:
        for n in patients_per_hospital:
            trials = draw_trials(
                n_trials, n_hospitals=n_hospitals, patients_per_hospital=n, treatment_effect=0,
                treatment_effect_sd=sd, hospital_sd=hospital_sd, patient_sd=patient_sd, rng=rng,
            )  # fmt: skip
            table = analyse_many(trials, methods=methods)
            share = table["p_value"].lt(alpha).groupby(table["method"], observed=True).mean()
            cell = share.rename("rejected").reset_index()
            icc = (sd / 2) ** 2 / ((sd / 2) ** 2 + patient_sd**2)
            foreseen = 2 * stats.norm.sf(critical / np.sqrt(design_effect(icc, n)))
            known = cell["method"].astype(str).str.startswith("random intercept")
            cell = cell.assign(effect_sd=sd, patients_per_hospital=n)
            cells.append(cell.assign(foreseen=np.where(known, foreseen, np.nan)))
    grid = pd.concat(cells, ignore_index=True)
    grid["monte_carlo_error"] = np.sqrt(grid["rejected"] * (1 - grid["rejected"]) / n_trials)
    order = ["effect_sd", "patients_per_hospital", "method", "rejected", "monte_carlo_error"]
    return grid[[*order, "foreseen"]]
