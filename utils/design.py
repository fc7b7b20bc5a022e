"""What a trial can show before it is run: power, width and price, and the best for a budget.

Balanced two-arm trials, analysed by a t-test on hospitals: on their means where whole hospitals
are randomised (J - 2 degrees of freedom), on their differences between treated and control
where patients are (J - 1). Its power and width have closed forms, with one exception, which is
simulated: `Plan.source` says so. The z-test of a random-intercept model is simulated too.

Examples
--------
>>> found = plan(assignment="hospital", n_hospitals=20, patients_per_hospital=30,
...              hospital_sd=3, patient_sd=12, effect=5)
>>> round(found.power, 2), found.source
(0.81, 'exact')
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from utils._balanced_squares import Squares, Trial, standard_errors

__all__ = [
    "Plan",
    "Trial",
    "cost",
    "designs_within",
    "half_width_of_t",
    "plan",
    "power_of_t",
    "z_type_1_error",
]

N_TRIALS = 4000
SIMULATED = f"simulated, {N_TRIALS:,} trials"
_SEED = 7


@dataclass(frozen=True)
class Plan:
    """What one balanced trial can be expected to show.

    Attributes
    ----------
    trial : Trial
        Hospitals, patients, standard deviations and who is randomised.
    effect : float
        The true mean effect that is hoped for, mmHg.
    standard_error : float
        True standard deviation of the estimated effect, mmHg; exact.
    degrees_of_freedom : int
        Of the t-test on hospitals.
    power, type_1_error, half_width : float
        Of that test: how often it finds the effect, how often it claims one where the mean effect
        is 0, and the mean half width of its interval, mmHg.
    source : str
        Where these three come from: "exact", or "simulated, 4,000 trials".
    z_power, z_type_1_error, z_half_width : float
        The same of the z-test of a random-intercept model, as MixedLM prints it. Always simulated.
    """

    trial: Trial
    effect: float
    standard_error: float
    degrees_of_freedom: int
    power: float
    type_1_error: float
    half_width: float
    source: str
    z_power: float
    z_type_1_error: float
    z_half_width: float


def power_of_t(
    effect: ArrayLike, standard_error: ArrayLike, df: ArrayLike, *, alpha: float = 0.05
) -> float | NDArray[np.float64]:
    """Return the power of a two-sided t-test.

    Parameters
    ----------
    effect, standard_error : float or array-like
        True effect and true standard deviation of its estimate, in the same unit.
    df : float or array-like
        Degrees of freedom of the standard error, above 0.
    alpha : float
        Level of the test, between 0 and 1.

    Raises
    ------
    ValueError
        If a number breaks its rule.

    Notes
    -----
    Estimate / standard error follows the noncentral t law with noncentrality
    effect / standard_error (Johnson NL, Kotz S, Balakrishnan N, *Continuous Univariate
    Distributions* volume 2, 1995, chapter 31).

    Examples
    --------
    >>> power_of_t(0.0, 1.0, 4)
    0.05
    >>> round(power_of_t(2.8, 1.0, 1e6), 2)
    0.8
    """
    ratio = np.abs(np.asarray(effect, dtype=float)) / _positive("standard_error", standard_error)
    ratio, df = np.broadcast_arrays(ratio, _positive("df", df))
    limit = special.stdtrit(df, 1 - _level(alpha) / 2)
    found = 1 - special.nctdtr(df, ratio, limit) + special.nctdtr(df, ratio, -limit)
    lost = ~np.isfinite(found)  # far out, the library's sum may lose its footing
    if lost.any():
        found = np.where(lost, _power_by_quadrature(ratio, df, limit), found)
    return _as_given(np.clip(np.where(ratio == 0, alpha, found), 0.0, 1.0))


def half_width_of_t(
    standard_error: ArrayLike, df: ArrayLike, *, level: float = 0.95
) -> float | NDArray[np.float64]:
    """Return the mean half width of a t interval.

    Parameters
    ----------
    standard_error : float or array-like
        True standard deviation of the estimate.
    df : float or array-like
        Degrees of freedom of the estimated standard error, above 0.
    level : float
        Level of the interval, between 0 and 1.

    Raises
    ------
    ValueError
        If a number breaks its rule.

    Notes
    -----
    The t quantile times the mean of the estimated standard error, which is the true one times
    sqrt(2/df) Gamma((df + 1)/2) / Gamma(df/2), a little below 1.

    Examples
    --------
    >>> round(half_width_of_t(1.0, 4), 2), round(half_width_of_t(1.0, 1e6), 2)
    (2.61, 1.96)
    """
    df = _positive("df", df)
    shrink = np.exp(special.gammaln((df + 1) / 2) - special.gammaln(df / 2)) * np.sqrt(2 / df)
    quantile = special.stdtrit(df, 1 - _level(1 - level) / 2)
    return _as_given(quantile * shrink * _positive("standard_error", standard_error))


def cost(
    n_hospitals: ArrayLike,
    patients_per_hospital: ArrayLike,
    *,
    per_hospital: float,
    per_patient: float,
) -> float | NDArray[np.float64]:
    """Return the price of a trial: so much for each hospital, and so much for each patient.

    Examples
    --------
    >>> cost(10, 30, per_hospital=2000, per_patient=100)
    50000.0
    """
    hospitals = np.asarray(n_hospitals, dtype=float)
    return _as_given(hospitals * (per_hospital + per_patient * np.asarray(patients_per_hospital)))


def plan(
    *,
    assignment: str,
    n_hospitals: int,
    patients_per_hospital: int,
    hospital_sd: float,
    patient_sd: float,
    effect: float,
    effect_sd: float = 0.0,
    alpha: float = 0.05,
) -> Plan:
    """Return what a balanced trial can be expected to show.

    Parameters
    ----------
    assignment : {"hospital", "patient"}
        Who is randomised: half of the hospitals, or half the patients of each hospital.
    n_hospitals, patients_per_hospital : int
        4 or more (even, by hospital), and 2 or more (even, by patient).
    hospital_sd, patient_sd, effect_sd : float
        Standard deviations of hospitals, of patients within a hospital, and of the hospitals' own
        effects around their mean, mmHg.
    effect : float
        True mean effect, mmHg.
    alpha : float
        Level of the tests, between 0 and 1; intervals have 1 - alpha.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    Var(estimate) = 4/J (hospital_sd² + effect_sd²/2 + patient_sd²/n) by hospital, and
    1/J (effect_sd² + 4 patient_sd²/n) by patient. Closed forms hold where all hospitals that
    enter a variance have the same: always by patient; by hospital where the effect does not vary.
    Where it does, treated hospitals vary more than control ones, and the t-test is simulated.

    Simulated numbers come from sums of squares drawn from their exact law, with a seed of their
    own, so that a plan gives the same numbers each time. Given its sums of squares, a trial's
    chance to reject is known exactly, and that chance is averaged.
    """
    trial = Trial(
        assignment, n_hospitals, patients_per_hospital, hospital_sd, patient_sd, effect_sd
    )
    df = trial.between_df
    found = _t_test(trial, effect, alpha)
    error = standard_errors(trial, _draw(trial))["REML"][0]
    z = _average(error * special.ndtri(1 - alpha / 2), effect, trial)
    return Plan(trial, float(effect), math.sqrt(trial.variance), df, *found, *z)


def z_type_1_error(trial: Trial, *, alpha: float = 0.05) -> float:
    """Return the type-I error of the z-test of a random-intercept model, simulated as in `plan`.

    Examples
    --------
    >>> few = z_type_1_error(Trial("hospital", 6, 200, 3, 12))
    >>> many = z_type_1_error(Trial("hospital", 60, 200, 3, 12))
    >>> few > 0.1 > 0.07 > many
    True
    """
    error = standard_errors(trial, _draw(trial))["REML"][0]
    return _average(error * special.ndtri(1 - _level(alpha) / 2), 0.0, trial)[1]


def designs_within(
    budget: float,
    *,
    per_hospital: float,
    per_patient: float,
    assignment: str,
    hospital_sd: float,
    patient_sd: float,
    effect: float,
    effect_sd: float = 0.0,
    alpha: float = 0.05,
    hospitals: Iterable[int] | None = None,
    max_patients: int = 1000,
) -> pd.DataFrame:
    """List the designs that a budget can pay: for each number of hospitals, all it leaves.

    Parameters
    ----------
    budget : float
        Money for the trial, in any currency.
    per_hospital, per_patient : float
        Price of each hospital (>= 0) and of each patient (> 0).
    assignment, hospital_sd, patient_sd, effect, effect_sd, alpha
        As for `plan`.
    hospitals : iterable of int, optional
        The numbers of hospitals to try, as for `plan`. By default all from 4 up, in steps of two
        by hospital.
    max_patients : int
        No hospital can recruit more patients than this.

    Returns
    -------
    pandas.DataFrame
        One row for each affordable number of hospitals:
        ``patients_per_hospital`` (as many as the rest of the money pays; even, by patient),
        ``n_patients``, ``cost``, ``standard_error``, ``power``, ``half_width`` (mmHg) of the
        t-test on hospitals, indexed by ``n_hospitals``. Where closed forms do not hold, power and
        width are simulated, as in `plan`.

    Raises
    ------
    ValueError
        If an argument breaks its rule, or the budget does not pay for 4 hospitals of 2 patients.

    Examples
    --------
    >>> table = designs_within(60_000, per_hospital=2000, per_patient=100, assignment="hospital",
    ...                        hospital_sd=3, patient_sd=12, effect=6)
    >>> table["power"].idxmax()
    16
    """
    for name, value in (("budget", budget), ("per_patient", per_patient)):
        _positive(name, value)
    if not (math.isfinite(per_hospital) and per_hospital >= 0):
        raise ValueError(f"per_hospital must be 0 or more, got {per_hospital!r}")
    by_patient = assignment == "patient"
    each = 2 if by_patient else 1
    trials = []
    for number in itertools.count(4, 1 if by_patient else 2) if hospitals is None else hospitals:
        size = int((budget / number - per_hospital) / per_patient + 1e-9)
        if size < 2 and hospitals is None:
            break
        if size >= 2:
            size = min(size, max_patients) // each * each
            trials.append(Trial(assignment, number, size, hospital_sd, patient_sd, effect_sd))
    if not trials:
        raise ValueError(f"budget must pay for 4 hospitals of 2 patients, got {budget!r}")
    table = pd.DataFrame(
        {
            "n_hospitals": [trial.n_hospitals for trial in trials],
            "patients_per_hospital": [trial.patients_per_hospital for trial in trials],
            "n_patients": [trial.n_patients for trial in trials],
        }
    ).set_index("n_hospitals")
    table["cost"] = cost(
        table.index, table["patients_per_hospital"], per_hospital=per_hospital,
        per_patient=per_patient,
    )  # fmt: skip
    error = np.sqrt([trial.variance for trial in trials])
    table["standard_error"] = error
    if _is_exact(trials[0]):
        df = [trial.between_df for trial in trials]
        table["power"] = power_of_t(effect, error, df, alpha=alpha)
        table["half_width"] = half_width_of_t(error, df, level=1 - alpha)
    else:
        found = [_t_test(trial, effect, alpha) for trial in trials]
        table["power"], table["half_width"] = ([row[k] for row in found] for k in (0, 2))
    return table


def _is_exact(trial: Trial) -> bool:
    """Tell whether all hospitals that enter the effect's variance have the same."""
    return not trial.by_hospital or trial.effect_sd == 0


def _t_test(trial: Trial, effect: float, alpha: float) -> tuple[float, float, float, str]:
    """Return power, type-I error and mean half width of the t-test on hospitals, and the source."""
    df = trial.between_df
    if _is_exact(trial):
        error = math.sqrt(trial.variance)
        width = half_width_of_t(error, df, level=1 - alpha)
        return power_of_t(effect, error, df, alpha=alpha), alpha, width, "exact"
    error = standard_errors(trial, _draw(trial))["hospital means"][0]
    quantile = special.stdtrit(df, 1 - _level(alpha) / 2)
    return *_average(error * quantile, effect, trial), SIMULATED


def _draw(trial: Trial) -> Squares:
    return trial.draw(N_TRIALS, np.random.default_rng([_SEED, trial.n_hospitals]))


def _average(half: NDArray[np.float64], effect: float, trial: Trial) -> tuple[float, float, float]:
    """Return power, type-I error and mean half width of intervals with these half widths."""
    true_error = math.sqrt(trial.variance)
    reach, shift = half / true_error, abs(effect) / true_error
    alarm = 2 * special.ndtr(-reach).mean()
    power = alarm
    if shift:
        power = (special.ndtr(shift - reach) + special.ndtr(-shift - reach)).mean()
    return float(power), float(alarm), float(half.mean())


def _power_by_quadrature(ratio: ArrayLike, df: ArrayLike, limit: ArrayLike) -> ArrayLike:
    """Return the power as a mean over the law of the estimated error, good to 4e-5."""
    nodes, weights = np.polynomial.legendre.leggauss(100)
    p = (nodes + 1) / 2
    spread = np.sqrt(stats.chi2.ppf(p, np.expand_dims(df, -1)) / np.expand_dims(df, -1))
    reach = spread * np.expand_dims(limit, -1)
    shift = np.expand_dims(ratio, -1)
    return (special.ndtr(shift - reach) + special.ndtr(-shift - reach)) @ (weights / 2)


def _level(value: float) -> float:
    if not 0 < value < 1:
        raise ValueError(f"alpha and level must lie between 0 and 1, got {value!r}")
    return value


def _positive(name: str, value: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(value, dtype=float)
    if not np.all(np.isfinite(array) & (array > 0)):
        raise ValueError(f"{name} must be above 0, got {value!r}")
    return array


def _as_given(value: NDArray[np.float64]) -> float | NDArray[np.float64]:
    return float(value) if np.ndim(value) == 0 else value
