"""The sums of squares of balanced two-arm trials, drawn from their exact distributions.

A balanced trial with normal hospitals and patients tells all it knows in a handful of sums of
squares. Drawing those, and no patients, makes thousands of trials a matter of milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from utils._studies_balanced import SquaresFit

__all__ = ["ASSIGNMENTS", "Squares", "Trial", "standard_errors"]

Floats = NDArray[np.float64]
ASSIGNMENTS = ("hospital", "patient")


@dataclass(frozen=True)
class Trial:
    """A balanced two-arm trial as it is planned.

    Parameters
    ----------
    assignment : {"hospital", "patient"}
        Who is randomised: half of the hospitals as a whole (then their number is even), or half
        of the patients of each hospital (then that is).
    n_hospitals, patients_per_hospital : int
        4 or more, and 2 or more.
    hospital_sd, patient_sd : float
        Standard deviations of hospitals (>= 0) and of patients within a hospital (> 0), mmHg.
    effect_sd : float
        Standard deviation of the hospitals' own treatment effects around their mean (>= 0),
        mmHg; they do not depend on the hospitals' levels.

    Raises
    ------
    ValueError
        If a number breaks its rule.
    """

    assignment: str
    n_hospitals: int
    patients_per_hospital: int
    hospital_sd: float
    patient_sd: float
    effect_sd: float = 0.0

    def __post_init__(self) -> None:
        if self.assignment not in ASSIGNMENTS:
            raise ValueError(f"assignment must be 'hospital' or 'patient', got {self.assignment!r}")
        for name, least in (("n_hospitals", 4), ("patients_per_hospital", 2)):
            value = getattr(self, name)
            if value != int(value) or value < least:
                raise ValueError(f"{name} must be a whole number of {least} or more, got {value!r}")
        name = "n_hospitals" if self.assignment == "hospital" else "patients_per_hospital"
        if getattr(self, name) % 2:
            raise ValueError(
                f"{name} must be even when treatment is given by {self.assignment}, "
                f"got {getattr(self, name)!r}"
            )
        for name in ("hospital_sd", "effect_sd"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be 0 or more, got {value!r}")
        if not (math.isfinite(self.patient_sd) and self.patient_sd > 0):
            raise ValueError(f"patient_sd must be above 0, got {self.patient_sd!r}")

    @property
    def by_hospital(self) -> bool:
        """Whether whole hospitals are randomised."""
        return self.assignment == "hospital"

    @property
    def n_patients(self) -> int:
        """Patients in the trial."""
        return self.n_hospitals * self.patients_per_hospital

    @property
    def between_df(self) -> int:
        """Degrees of freedom of the sum of squares between hospitals."""
        return self.n_hospitals - (2 if self.by_hospital else 1)

    @property
    def within_df(self) -> int:
        """Degrees of freedom of the sum of squares within hospitals."""
        return self.n_patients - 2 - self.between_df

    @property
    def own_df(self) -> int:
        """Degrees of freedom of the mean square that the effect's standard error is made of."""
        return self.between_df if self.by_hospital else self.within_df

    @property
    def arm_squares(self) -> tuple[float, float]:
        """Expected mean square between the control, and between the treated hospitals, mmHg²."""
        size = self.patients_per_hospital
        control = self.patient_sd**2 + size * self.hospital_sd**2
        return control, control + size * self.effect_sd**2

    @property
    def variance(self) -> float:
        """Variance of the estimated treatment effect, mmHg².

        By hospital the arms' variances add up. By patient a hospital's level cancels, and its
        own effect, seen with the noise of two half samples, remains.
        """
        if self.by_hospital:
            return 2 / self.n_patients * sum(self.arm_squares)
        own = self.effect_sd**2 + 4 * self.patient_sd**2 / self.patients_per_hospital
        return own / self.n_hospitals

    def draw(self, n_trials: int, rng: np.random.Generator) -> Squares:
        """Draw the sums of squares of many such trials.

        Notes
        -----
        By patient, hospital j has the mean m_j of its patients and the difference d_j of its
        arms, with covariance effect_sd²/2: their sums of squares are the diagonal of a Wishart
        matrix, drawn by Bartlett's decomposition (Proceedings of the Royal Society of Edinburgh
        1933; 53: 260-283).
        """
        size, noise = self.patients_per_hospital, self.patient_sd**2
        if self.by_hospital:
            half = self.n_hospitals // 2 - 1
            control, treated = self.arm_squares
            between = control * rng.chisquare(half, n_trials)
            between += treated * rng.chisquare(half, n_trials)
            within = noise * rng.chisquare(self.within_df, n_trials)
            return Squares(between, within, between)
        freedom = self.n_hospitals - 1
        own = noise + size * self.effect_sd**2 / 4  # of the differences, times size / 4
        first = np.sqrt(own * rng.chisquare(freedom, n_trials))
        together = size * self.effect_sd**2 / 4  # of levels and differences
        level = noise + size * (self.hospital_sd**2 + self.effect_sd**2 / 4)
        rest = (level - together**2 / own) * rng.chisquare(freedom - 1, n_trials)
        shared = math.sqrt(level - together**2 / own) * rng.standard_normal(n_trials)
        between = (first * together / own + shared) ** 2 + rest
        within = first**2
        inside = self.n_patients - 2 * self.n_hospitals
        if inside:
            within = within + noise * rng.chisquare(inside, n_trials)
        return Squares(between, within, first**2)

    def fit(self, squares: Squares) -> SquaresFit:
        """Fit the random-intercept model to such trials by REML."""
        return SquaresFit(
            squares.between,
            squares.within,
            self.between_df,
            self.within_df,
            size=self.patients_per_hospital,
            by_hospital=self.by_hospital,
        )


class Squares(NamedTuple):
    """Sums of squares of many trials, mmHg², each of shape (n_trials,).

    `between` and `within` are what the random-intercept model's likelihood knows (see
    `utils.studies.balanced_reml`); `own` is what a t-test on the hospitals knows: their means
    around that of their arm (by hospital), or their differences around the mean one (by patient).
    All are on the scale of a single patient.
    """

    between: Floats
    within: Floats
    own: Floats


def standard_errors(trial: Trial, squares: Squares) -> dict[str, tuple[Floats, Floats | float]]:
    """Return standard error (mmHg) and degrees of freedom of the estimate, by analysis.

    Returns
    -------
    dict of str to (array, array or float)
        "naive": least squares. "hospital means": the t-test on hospitals, of `own`. "REML": the
        random intercept, with Satterthwaite's degrees of freedom: those of the mean square that
        it uses, and N - 2 where the estimated hospital_sd is 0.
    """
    n = trial.n_patients
    fit = trial.fit(squares)
    return {
        "naive": (np.sqrt(4 / n * fit.pooled), n - 2.0),
        "hospital means": (np.sqrt(4 / n * squares.own / trial.between_df), trial.between_df),
        "REML": (fit.standard_error, fit.degrees_of_freedom),
    }
