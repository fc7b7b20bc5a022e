"""What a prior of hospital_sd is worth against the truth: many trials, the posterior of each.

Trials are balanced, whole hospitals are randomised, and they come as sums of squares
(`utils._balanced_squares`), so that a thousand posteriors take a second. The prior of hospital_sd
may be of any kind (`utils.posterior_trials` has half-normal ones). `utils.exact` gives the same
numbers one trial at a time.

Examples
--------
>>> from scipy import stats
>>> table = posterior_study(
...     200, priors={"half-normal(5)": stats.halfnorm(scale=5)}, n_hospitals=20,
...     patients_per_hospital=20, hospital_sd=3, patient_sd=12, treatment_effect=-5, rng=1,
... )
>>> bool(table["mean"].between(-12, 2).all())
True
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from utils._balanced_squares import Squares, Trial
from utils._effect_posterior import EffectPosterior
from utils._exact_priors import ScalePrior

__all__ = ["posterior_study", "score_priors"]

Floats = NDArray[np.float64]
_SIGMA_NODES = 5
_TAU_NODES = 121
_NOTHING = 1e-10


def posterior_study(
    n_trials: int,
    *,
    priors: Mapping[str, object],
    n_hospitals: int,
    patients_per_hospital: int,
    hospital_sd: float,
    patient_sd: float,
    treatment_effect: float,
    effect_prior_sd: float = 20.0,
    patient_prior_scale: float = 20.0,
    t_test: bool = False,
    rng: int | np.random.Generator,
) -> pd.DataFrame:
    """Draw trials of whole hospitals, and give the posterior of each under several priors.

    Parameters
    ----------
    n_trials : int
        At least 1.
    priors : mapping of str to object with a method logpdf
        Name and prior of hospital_sd. All see the same trials.
    n_hospitals, patients_per_hospital, hospital_sd, patient_sd
        As for `utils._balanced_squares.Trial`; half of the hospitals are treated as a whole.
    treatment_effect : float
        The truth, mmHg.
    effect_prior_sd, patient_prior_scale : float
        The effect's prior is N(0, effect_prior_sd²), that of patient_sd half-normal with this
        scale, that of the mean flat. mmHg.
    t_test : bool
        Add the t-test on hospital means, as the prior ``"t-test"``: its 95 % confidence interval,
        and 1 less its one-sided p-value for ``below_zero``. Nothing of hospital_sd.
    rng : int or numpy.random.Generator
        Seed or generator.

    Returns
    -------
    DataFrame
        One row a trial and prior: ``trial``, ``prior``; of the effect ``below_zero`` (posterior
        probability that it is negative), ``mean``, ``lower`` and ``upper`` (95 % interval, equal
        tails); ``sd_lower`` and ``sd_upper`` (that of hospital_sd).

    Raises
    ------
    ValueError
        If an argument breaks its rule, or a prior is flat or has mass below 0.

    Notes
    -----
    Given lambda = patient_sd² + n hospital_sd², the difference of the arms is N(effect, 4
    lambda / N), the sum of squares between hospitals lambda times chi-square with J - 2, that
    within patient_sd² times chi-square with N - J degrees of freedom, all independent
    (`utils.studies.balanced_reml`). The two standard deviations are integrated on a lattice of
    log hospital_sd (trapezium rule) and by Gauss-Hermite in log patient_sd.
    """
    if n_trials != int(n_trials) or n_trials < 1:
        raise ValueError(f"n_trials must be a whole number of 1 or more, got {n_trials!r}")
    for name, value in (
        ("effect_prior_sd", effect_prior_sd),
        ("patient_prior_scale", patient_prior_scale),
    ):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a number above 0, got {value!r}")
    if not priors:
        raise ValueError("priors must name at least one prior")
    rng = np.random.default_rng(rng)
    trial = Trial("hospital", n_hospitals, patients_per_hospital, hospital_sd, patient_sd)
    squares = trial.draw(n_trials, rng)
    difference = rng.normal(treatment_effect, math.sqrt(trial.variance), n_trials)
    log_tau = np.linspace(math.log(2e-3 * patient_sd), math.log(100 * patient_sd), _TAU_NODES)
    laws = {name: _law(given, log_tau, patient_sd) for name, given in priors.items()}
    likelihood, lam = _likelihood(
        trial, squares, difference, log_tau, effect_prior_sd, patient_prior_scale
    )
    gain = effect_prior_sd**2 / (effect_prior_sd**2 + 4 / trial.n_patients * lam)
    middle = gain * difference[:, None, None]
    spread = np.sqrt(gain * 4 / trial.n_patients * lam)
    parts = []
    for name, law in laws.items():
        weight = likelihood * law[None, :, None]
        weight /= weight.sum((1, 2), keepdims=True)
        sd_low, sd_high = _sd_quantiles(np.exp(log_tau), weight.sum(2), (0.025, 0.975))
        keep = (weight.sum(2) > _NOTHING).any(0)  # a light-tailed prior needs half of the lattice
        found = EffectPosterior(
            *(part[:, keep].reshape(n_trials, -1) for part in (middle, spread, weight))
        )
        parts.append(
            pd.DataFrame(
                {
                    "trial": np.arange(n_trials),
                    "prior": name,
                    "below_zero": found.cdf(0.0),
                    "mean": found.mean,
                    "lower": found.quantile(0.025),
                    "upper": found.quantile(0.975),
                    "sd_lower": sd_low,
                    "sd_upper": sd_high,
                }
            )
        )
    if t_test:
        parts.append(_t_tests(trial, squares, difference))
    return pd.concat(parts, ignore_index=True)


def score_priors(study: pd.DataFrame, truth: float) -> pd.DataFrame:
    """Score each prior against the truth.

    Parameters
    ----------
    study : DataFrame
        As `posterior_study` returns it.
    truth : float
        The true effect, mmHg.

    Returns
    -------
    DataFrame
        One row a prior, in the order of the study: ``bias`` and ``error`` (root mean squared) of
        the posterior mean, ``coverage_%`` and ``width`` (mean) of the 95 % interval, and
        ``adopted_%``: trials with a posterior probability of .95 or more that the effect is
        negative.

    Examples
    --------
    >>> study = pd.DataFrame({"prior": ["a", "a"], "mean": [-1.0, 3.0], "lower": [-4.0, 1.0],
    ...                       "upper": [2.0, 5.0], "below_zero": [0.96, 0.4]})
    >>> score_priors(study, 0.0).round(2).values.tolist()
    [[1.0, 2.24, 50.0, 5.0, 50.0]]
    """
    scored = pd.DataFrame(
        {
            "prior": study["prior"],
            "bias": study["mean"] - truth,
            "error": (study["mean"] - truth) ** 2,
            "coverage_%": 100.0 * study["lower"].le(truth) * study["upper"].ge(truth),
            "width": study["upper"] - study["lower"],
            "adopted_%": 100.0 * study["below_zero"].ge(0.95),
        }
    )
    board = scored.groupby("prior", sort=False).mean()
    board["error"] **= 0.5
    return board


def _t_tests(trial: Trial, squares: Squares, difference: Floats) -> pd.DataFrame:
    law = stats.t(trial.between_df)
    se = np.sqrt(4 / trial.n_patients * squares.between / trial.between_df)
    margin = law.ppf(0.975) * se
    columns = {"below_zero": law.cdf(-difference / se), "mean": difference}
    columns |= {"lower": difference - margin, "upper": difference + margin}
    return pd.DataFrame({"trial": np.arange(len(se)), "prior": "t-test", **columns})


def _law(given: object, log_tau: Floats, scale: float) -> Floats:
    prior = ScalePrior("hospital_sd", given, scale)
    if prior.flat:
        raise ValueError("a flat prior of hospital_sd has no scale to be scored by: give it an end")
    law = np.exp(prior.log_density(log_tau))
    if not law.sum() * (log_tau[1] - log_tau[0]) > 0:
        raise ValueError(
            "a prior of hospital_sd must be spread over more than a factor of 1.1 between "
            f"{math.exp(log_tau[0]):.2g} and {math.exp(log_tau[-1]):.2g} mmHg to be scored"
        )
    law[0] /= 1 - math.exp(log_tau[0] - log_tau[1])  # below the lattice densities are constant
    return law


def _likelihood(
    trial: Trial,
    squares: Squares,
    difference: Floats,
    log_tau: Floats,
    effect_sd: float,
    sigma_scale: float,
) -> tuple[Floats, Floats]:
    """Return the likelihood, times sigma's prior and rule, and lambda: (trials, tau, sigma)."""
    x, rule = np.polynomial.hermite_e.hermegauss(_SIGMA_NODES)
    centre = 0.5 * np.log(squares.within / trial.within_df)
    log_sigma = centre[:, None] + x / math.sqrt(2 * trial.within_df)
    f = -trial.within_df * log_sigma - squares.within[:, None] / 2 * np.exp(-2 * log_sigma)
    f += log_sigma - 0.5 * np.exp(2 * log_sigma) / sigma_scale**2 + 0.5 * x**2 + np.log(rule)
    n = trial.patients_per_hospital
    lam = np.exp(2 * log_sigma)[:, None, :] + n * np.exp(2 * log_tau)[None, :, None]
    variance = 4 / trial.n_patients * lam + effect_sd**2
    f = f[:, None, :] - trial.between_df / 2 * np.log(lam)
    f -= squares.between[:, None, None] / 2 / lam
    f -= 0.5 * np.log(variance) + 0.5 * difference[:, None, None] ** 2 / variance
    return np.exp(f - f.max((1, 2), keepdims=True)), lam


def _sd_quantiles(tau: Floats, weight: Floats, probability: tuple[float, ...]) -> list[Floats]:
    """Return quantiles of hospital_sd, interpolated in log hospital_sd."""
    below = np.cumsum(weight, axis=1) - weight / 2
    rows = [np.interp(probability, row, np.log(tau)) for row in below]
    return list(np.exp(np.array(rows)).T)
