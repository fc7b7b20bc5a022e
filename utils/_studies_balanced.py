"""The random-intercept model of balanced trials, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class BalancedFit:
    """The random-intercept model of balanced trials; every array has one entry a trial.

    Attributes
    ----------
    estimate, standard_error : array
        Of the treatment effect, mmHg.
    degrees_of_freedom : array
        Satterthwaite's.
    hospital_sd, patient_sd : array
        REML estimates, mmHg. `hospital_sd` is 0 exactly where REML puts it there.
    """

    estimate: np.ndarray
    standard_error: np.ndarray
    degrees_of_freedom: np.ndarray
    hospital_sd: np.ndarray
    patient_sd: np.ndarray


def balanced_reml(
    control: np.ndarray,
    treated: np.ndarray,
    within: np.ndarray,
    patients: int,
    *,
    assignment: str,
) -> BalancedFit:
    """Fit the random-intercept model by REML to balanced trials, without iteration.

    Parameters
    ----------
    control, treated, within, patients, assignment
        As for `utils.studies.analyse_sums`.

    Raises
    ------
    ValueError
        If `assignment` is not "patient" or "hospital".

    Notes
    -----
    In a balanced trial with J hospitals of n patients, N = Jn, the restricted likelihood
    depends on two independent sums of squares only (Searle, Casella and McCulloch, *Variance
    Components*, 1992, section 4.5),

    -2 loglik = a log(v) + A / v + b log(s²) + B / s² + constant,   v = s² + n hospital_sd²,

    where A, with a degrees of freedom, is the sum of squares between hospitals, and B, with b,
    that within them:

    * by hospital: A = n sum (hospital mean - mean of its arm)², a = J - 2; B is that of the
      patients around their hospital's mean, b = N - J;
    * by patient: A = n sum (hospital mean - mean of all)², a = J - 1; B is that of the patients
      around their hospital's mean once the treatment effect is taken off, b = N - J - 1.

    Each term is least at v = A/a and s² = B/b. That is the solution where A/a > B/b, and it is
    that of analysis of variance. Elsewhere the best v allowed is s²: hospital_sd = 0, and both
    terms share s² = (A + B) / (N - 2). The treatment effect is the difference of the arms' means
    with variance 4v/N (by hospital) or 4s²/N (by patient). So Satterthwaite's degrees of freedom
    are a or b, and N - 2 where hospital_sd = 0.
    """
    if assignment not in ("patient", "hospital"):
        raise ValueError(f"assignment is 'patient' or 'hospital'; got {assignment!r}.")
    columns = control.shape[1]
    n_total = 2 * patients * columns
    residual_0 = control - control.mean(axis=1, keepdims=True)
    residual_1 = treated - treated.mean(axis=1, keepdims=True)
    if assignment == "hospital":
        size, between_df = patients, 2 * columns - 2
        between = patients * (residual_0**2 + residual_1**2).sum(axis=1)
        inside = within
    else:
        size, between_df = 2 * patients, columns - 1
        between = patients / 2 * ((residual_0 + residual_1) ** 2).sum(axis=1)
        inside = within + patients / 2 * ((residual_1 - residual_0) ** 2).sum(axis=1)
    inside_df = n_total - 2 - between_df
    mean_between, mean_inside = between / between_df, inside / inside_df
    vary = mean_between > mean_inside
    pooled = (between + inside) / (n_total - 2)
    own = mean_between if assignment == "hospital" else mean_inside
    own_df = between_df if assignment == "hospital" else inside_df
    return BalancedFit(
        estimate=treated.mean(axis=1) - control.mean(axis=1),
        standard_error=np.sqrt(np.where(vary, own, pooled) * 4 / n_total),
        degrees_of_freedom=np.where(vary, float(own_df), float(n_total - 2)),
        hospital_sd=np.sqrt(np.where(vary, mean_between - mean_inside, 0.0) / size),
        patient_sd=np.sqrt(np.where(vary, mean_inside, pooled)),
    )
