"""The random-intercept model of balanced trials, in closed form.

All of it rests on two sums of squares: `SquaresFit` fits them, wherever they come from.
`balanced_reml` takes them from trials; `utils._balanced_squares` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class SquaresFit:
    """The random-intercept model by REML, from the two sums of squares of balanced trials.

    Parameters
    ----------
    between, within : array
        Sums of squares between and within hospitals, A and B of `balanced_reml`, mmHg²; one
        entry a trial.
    between_df, within_df : int
        Their degrees of freedom, a and b.
    size : int
        Patients of a hospital.
    by_hospital : bool
        Whether whole hospitals were randomised.

    Attributes
    ----------
    mean_between, mean_within, pooled : array
        A/a, B/b and (A + B)/(a + b), mmHg².
    vary : array of bool
        Whether the estimated hospital_sd is above 0.

    Notes
    -----
    Properties are computed when asked for; the formulas are those of `balanced_reml`.

    Examples
    --------
    >>> fit = SquaresFit(np.array([440.0, 1296.0]), np.array([15960.0, 16416.0]), 4, 114,
    ...                  size=20, by_hospital=True)
    >>> fit.hospital_sd.round(1).tolist(), fit.degrees_of_freedom.tolist()
    ([0.0, 3.0], [118.0, 4.0])
    """

    def __init__(
        self,
        between: np.ndarray,
        within: np.ndarray,
        between_df: int,
        within_df: int,
        *,
        size: int,
        by_hospital: bool,
    ) -> None:
        self.mean_between, self.mean_within = between / between_df, within / within_df
        self.vary = self.mean_between > self.mean_within
        self._total_df = between_df + within_df
        self.pooled = (between + within) / self._total_df
        self._own = self.mean_between if by_hospital else self.mean_within
        self._own_df = between_df if by_hospital else within_df
        self._size = size

    @property
    def standard_error(self) -> np.ndarray:
        """Of the treatment effect, mmHg."""
        return np.sqrt(np.where(self.vary, self._own, self.pooled) * 4 / (self._total_df + 2))

    @property
    def degrees_of_freedom(self) -> np.ndarray:
        """Satterthwaite's."""
        return np.where(self.vary, float(self._own_df), float(self._total_df))

    @property
    def hospital_sd(self) -> np.ndarray:
        """REML estimate, mmHg; 0 exactly where REML puts it there."""
        above = np.where(self.vary, self.mean_between - self.mean_within, 0.0)
        return np.sqrt(above / self._size)

    @property
    def patient_sd(self) -> np.ndarray:
        """REML estimate, mmHg."""
        return np.sqrt(np.where(self.vary, self.mean_within, self.pooled))


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
    Components*, 1992, chapter 4),

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
    fit = SquaresFit(
        between,
        inside,
        between_df,
        n_total - 2 - between_df,
        size=size,
        by_hospital=assignment == "hospital",
    )
    return BalancedFit(
        estimate=treated.mean(axis=1) - control.mean(axis=1),
        standard_error=fit.standard_error,
        degrees_of_freedom=fit.degrees_of_freedom,
        hospital_sd=fit.hospital_sd,
        patient_sd=fit.patient_sd,
    )
