"""Simulation studies: many trials drawn and analysed at once.

- `two_arm_trials` and `rejection_grid`: balanced trials. Every analysis is a function of a few
  sums per hospital and arm, which are drawn from their exact distributions; no patient is ever
  stored.
- `draw_trials` and `analyse_many`: any trials of `utils.simulate.med_trial`, patient by patient,
  all of them analysed together by any of ten methods.
- `varying_effect_grid`: what the methods reject when effects differ between hospitals.
- `scoreboard`: bias, coverage and error rates of many analyses against the truth.
- `crack_experiment` and `crack_dashboard`: trials whose assumptions are broken, fitted as if they
  held, and what becomes of every interval.
- `replicate`: any experiment, over cores or a cluster; `failures` lists what went wrong.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from utils._studies_balanced import BalancedFit, balanced_reml
from utils._studies_cracks import crack_dashboard, crack_experiment
from utils._studies_draw import Trials, draw_trials
from utils._studies_many import ANALYSES, analyse_many
from utils._studies_replicate import Interrupted, failures, replicate
from utils._studies_score import chosen_by_hausman, scoreboard
from utils._studies_slopes import varying_effect_grid

__all__ = [
    "ANALYSES",
    "METHODS",
    "RANDOM_INTERCEPT",
    "BalancedFit",
    "Interrupted",
    "Trials",
    "analyse_many",
    "analyse_sums",
    "balanced_reml",
    "chosen_by_hausman",
    "crack_dashboard",
    "crack_experiment",
    "draw_trials",
    "failures",
    "rejection_grid",
    "replicate",
    "scoreboard",
    "two_arm_trials",
    "varying_effect_grid",
]

METHODS = ("naive", "cluster-robust", "hospital means")
RANDOM_INTERCEPT = ("random intercept, t", "random intercept, z")


def two_arm_trials(
    n_trials: int,
    *,
    assignment: str,
    n_hospitals: int = 20,
    patients_per_hospital: int = 30,
    hospital_sd: float = 4.0,
    patient_sd: float = 12.0,
    treatment_effect: float = 0.0,
    level: float = 0.95,
    methods: tuple[str, ...] = METHODS,
    rng: int | np.random.Generator,
) -> pd.DataFrame:
    """Draw many two-arm trials with equal hospitals and analyse each in several ways.

    Parameters
    ----------
    n_trials : int
        Number of trials, at least 1.
    assignment : {"patient", "hospital"}
        Who is randomised. By patient, half of every hospital is treated, so
        ``patients_per_hospital`` must be even. By hospital, half of the hospitals are, so
        ``n_hospitals`` must be even.
    n_hospitals, patients_per_hospital : int
        At least 4 hospitals, at least 2 patients in each.
    hospital_sd, patient_sd : float
        Standard deviations of the hospital effects (>= 0) and of the patients around their
        hospital (> 0), mmHg.
    treatment_effect : float
        The truth, mmHg.
    level : float
        Level of the confidence intervals, between 0 and 1.
    methods : tuple of str
        The analyses, among those of `METHODS` and of `RANDOM_INTERCEPT`. They do not change
        what is drawn.
    rng : int or numpy.random.Generator
        Seed or generator.

    Returns
    -------
    pandas.DataFrame
        One row a trial and method: ``trial``, ``method``, ``estimate`` (mmHg, the difference of
        the arms' means), ``standard_error`` (mmHg), ``degrees_of_freedom``, ``p_value``,
        ``lower``, ``upper`` (mmHg).

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    With J hospitals of n patients, hospital effects u ~ N(0, hospital_sd²) and errors
    e ~ N(0, patient_sd²):

    * *naive*: ordinary least squares, pooled variance, N - 2 degrees of freedom;
    * *cluster-robust*: the sandwich of Liang and Zeger (1986) with the factor
      J/(J-1) · (N-1)/(N-2), and J - 1 degrees of freedom, as statsmodels has it;
    * *hospital means*: a t-test on the hospital means with J - 2 degrees of freedom
      (treatment by hospital), or on each hospital's own difference between treated and control,
      with J - 1 degrees of freedom (treatment by patient);
    * *random intercept*: REML, see `balanced_reml`, with Satterthwaite's degrees of freedom
      ("t") or a normal law ("z").

    Examples
    --------
    >>> trials = two_arm_trials(500, assignment="hospital", rng=1)
    >>> rejected = (trials["p_value"] < 0.05).groupby(trials["method"], observed=True).mean()
    >>> bool(rejected["naive"] > 0.2 > rejected["hospital means"])
    True
    """
    _require(n_trials >= 1, "n_trials must be at least 1", n_trials)
    _require(
        assignment in ("patient", "hospital"), "assignment is 'patient' or 'hospital'", assignment
    )
    _require(n_hospitals >= 4, "n_hospitals must be at least 4", n_hospitals)
    _require(
        patients_per_hospital >= 2,
        "patients_per_hospital must be at least 2",
        patients_per_hospital,
    )
    _require(hospital_sd >= 0, "hospital_sd must not be negative", hospital_sd)
    _require(patient_sd > 0, "patient_sd must be positive", patient_sd)
    _require(0 < level < 1, "level lies between 0 and 1", level)
    _check_methods(methods)
    halved = patients_per_hospital if assignment == "patient" else n_hospitals
    name = "patients_per_hospital" if assignment == "patient" else "n_hospitals"
    _require(
        halved % 2 == 0, f"{name} must be even when treatment is given by {assignment}", halved
    )

    rng = np.random.default_rng(rng)
    sums = _draw_sums(
        n_trials, assignment, n_hospitals, patients_per_hospital, hospital_sd, patient_sd,
        treatment_effect, rng,
    )  # fmt: skip
    estimate, errors, freedom = analyse_sums(*sums, assignment=assignment, methods=methods)

    table = pd.concat(
        [
            pd.DataFrame(
                {
                    "trial": np.arange(n_trials),
                    "method": method,
                    "estimate": estimate,
                    "standard_error": errors[method],
                    "degrees_of_freedom": freedom[method],
                }
            )
            for method in methods
        ],
        ignore_index=True,
    )
    table["method"] = pd.Categorical(table["method"], categories=methods)
    t = table["estimate"] / table["standard_error"]
    half_width = table["standard_error"] * stats.t.ppf((1 + level) / 2, table["degrees_of_freedom"])
    table["p_value"] = 2 * stats.t.sf(t.abs(), table["degrees_of_freedom"])
    table["lower"] = table["estimate"] - half_width
    table["upper"] = table["estimate"] + half_width
    return table


def rejection_grid(
    *,
    icc: list[float],
    patients_per_hospital: list[int],
    assignment: tuple[str, ...] = ("hospital", "patient"),
    n_hospitals: int = 20,
    n_trials: int = 2000,
    alpha: float = 0.05,
    total_sd: float = 12.65,
    methods: tuple[str, ...] = METHODS,
    rng: int | np.random.Generator,
) -> pd.DataFrame:
    """Type-I error over intraclass correlation, hospital size and level of randomisation.

    The treatment does nothing in every trial; the total variance is the same in every cell.

    Parameters
    ----------
    icc : list of float
        Intraclass correlations, each from 0 up to, not including, 1.
    patients_per_hospital : list of int
        Hospital sizes, even.
    assignment : tuple of str
        Levels of randomisation, see `two_arm_trials`.
    n_hospitals, n_trials : int
        Hospitals in each trial, and trials in each cell.
    alpha : float
        Nominal type-I error.
    total_sd : float
        Standard deviation of a patient's outcome over all hospitals, mmHg.
    methods : tuple of str
        The analyses, see `two_arm_trials`.
    rng : int or numpy.random.Generator
        Seed or generator.

    Returns
    -------
    pandas.DataFrame
        ``assignment``, ``icc``, ``patients_per_hospital``, ``method``, ``rejected`` (share of the
        trials with p < alpha) and ``monte_carlo_error`` (its standard error).

    Raises
    ------
    ValueError
        If an intraclass correlation is outside [0, 1), or as `two_arm_trials`.

    Examples
    --------
    >>> grid = rejection_grid(icc=[0.0, 0.1], patients_per_hospital=[10], n_trials=50, rng=1)
    >>> len(grid)
    12
    """
    for value in icc:
        _require(0 <= value < 1, "an icc lies in [0, 1)", value)
    rng = np.random.default_rng(rng)
    cells = []
    for how in assignment:
        for value in icc:
            for size in patients_per_hospital:
                trials = two_arm_trials(
                    n_trials,
                    assignment=how,
                    n_hospitals=n_hospitals,
                    patients_per_hospital=size,
                    hospital_sd=total_sd * value**0.5,
                    patient_sd=total_sd * (1 - value) ** 0.5,
                    methods=methods,
                    rng=rng,
                )
                rejected = trials["p_value"].lt(alpha).groupby(trials["method"], observed=True)
                cells.append(
                    rejected.mean()
                    .rename("rejected")
                    .reset_index()
                    .assign(assignment=how, icc=value, patients_per_hospital=size)
                )
    grid = pd.concat(cells, ignore_index=True)
    grid["monte_carlo_error"] = np.sqrt(grid["rejected"] * (1 - grid["rejected"]) / n_trials)
    order = ["assignment", "icc", "patients_per_hospital", "method", "rejected"]
    return grid[[*order, "monte_carlo_error"]]


def analyse_sums(
    control: np.ndarray,
    treated: np.ndarray,
    within: np.ndarray,
    patients: int,
    *,
    assignment: str,
    methods: tuple[str, ...] = METHODS,
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, int | float | np.ndarray]]:
    """Analyse balanced trials from their arm means.

    Parameters
    ----------
    control, treated : ndarray
        By patient: (n_trials, J) means of each hospital's control and treated patients, mmHg.
        By hospital: (n_trials, J/2) means of the control and of the treated hospitals, mmHg.
    within : ndarray, shape (n_trials,)
        Sum of squares of the patients around the mean of their hospital and arm, mmHg².
    patients : int
        Number of patients behind each of those means.
    assignment : {"patient", "hospital"}
        Level of randomisation.
    methods : tuple of str
        The analyses, see `two_arm_trials`.

    Returns
    -------
    estimate : ndarray, shape (n_trials,)
        Difference of the arms' means, mmHg.
    errors : dict of str to ndarray
        Standard error of the estimate by method, mmHg.
    freedom : dict of str to int, float or ndarray
        Degrees of freedom by method.

    Raises
    ------
    ValueError
        If a method is not known.
    """
    _check_methods(methods)
    hospitals = control.shape[1] * (1 if assignment == "patient" else 2)
    n_total = 2 * patients * control.shape[1]
    estimate = treated.mean(axis=1) - control.mean(axis=1)
    residual_0 = control - control.mean(axis=1, keepdims=True)
    residual_1 = treated - treated.mean(axis=1, keepdims=True)

    residual_squares = within + patients * (residual_0**2 + residual_1**2).sum(axis=1)
    naive = np.sqrt(residual_squares / (n_total - 2) * 4 / n_total)

    # A hospital's score for the difference is (2/N) times its treated minus its control residuals.
    if assignment == "patient":
        score = 2 * patients / n_total * (residual_1 - residual_0)
        spread = (score**2).sum(axis=1)
        difference = treated - control
        means = difference.std(axis=1, ddof=1) / np.sqrt(hospitals)
    else:
        score = 2 * patients / n_total * np.concatenate([residual_0, residual_1], axis=1)
        spread = (score**2).sum(axis=1)
        pooled = (residual_0**2 + residual_1**2).sum(axis=1) / (hospitals - 2)
        means = np.sqrt(pooled * 4 / hospitals)
    correction = hospitals / (hospitals - 1) * (n_total - 1) / (n_total - 2)

    errors = {
        "naive": naive,
        "cluster-robust": np.sqrt(correction * spread),
        "hospital means": means,
    }
    freedom = {
        "naive": n_total - 2,
        "cluster-robust": hospitals - 1,
        "hospital means": hospitals - (1 if assignment == "patient" else 2),
    }
    if set(methods) & set(RANDOM_INTERCEPT):
        fit = balanced_reml(control, treated, within, patients, assignment=assignment)
        errors |= dict.fromkeys(RANDOM_INTERCEPT, fit.standard_error)
        freedom |= dict(zip(RANDOM_INTERCEPT, (fit.degrees_of_freedom, np.inf), strict=True))
    return (
        estimate,
        {method: errors[method] for method in methods},
        {method: freedom[method] for method in methods},
    )


def _draw_sums(
    n_trials: int,
    assignment: str,
    n_hospitals: int,
    size: int,
    hospital_sd: float,
    patient_sd: float,
    treatment_effect: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Draw arm means and the within sum of squares from their exact distributions."""
    hospital = rng.normal(0, hospital_sd, (n_trials, n_hospitals))
    if assignment == "patient":
        patients, columns = size // 2, n_hospitals
        hospital_0 = hospital_1 = hospital
    else:
        patients, columns = size, n_hospitals // 2
        hospital_0, hospital_1 = hospital[:, :columns], hospital[:, columns:]
    mean_sd = patient_sd / np.sqrt(patients)
    control = hospital_0 + rng.normal(0, mean_sd, (n_trials, columns))
    treated = hospital_1 + treatment_effect + rng.normal(0, mean_sd, (n_trials, columns))
    freedom = 2 * columns * (patients - 1)
    within = patient_sd**2 * rng.chisquare(freedom, n_trials) if freedom else np.zeros(n_trials)
    return control, treated, within, patients


def _check_methods(methods: tuple[str, ...]) -> None:
    known = (*METHODS, *RANDOM_INTERCEPT)
    ok = not isinstance(methods, str) and len(methods) > 0 and len(set(methods)) == len(methods)
    _require(
        ok and all(method in known for method in methods),
        f"methods are some of {known}, each once",
        methods,
    )


def _require(holds: bool, rule: str, value: object) -> None:
    if not holds:
        raise ValueError(f"{rule}; got {value!r}.")
