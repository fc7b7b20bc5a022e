"""What a simulated study hands back: its parameters, its truth and its data."""

from dataclasses import dataclass, field, fields

import numpy as np
import pandas as pd

ALWAYS_SHOWN = (
    "n_hospitals",
    "patients_per_hospital",
    "intercept",
    "treatment_effect",
    "hospital_sd",
    "patient_sd",
    "assignment",
)


@dataclass(frozen=True, eq=False)
class Parameters:
    """Every keyword of `med_trial`, checked; the docstring of `med_trial` explains each."""

    n_hospitals: int = 30
    patients_per_hospital: int | tuple[int, int] | np.ndarray = (10, 40)
    intercept: float = 140.0
    treatment_effect: float = -8.0
    treatment_effect_sd: float = 0.0
    intercept_effect_correlation: float = 0.0
    hospital_sd: float = 6.0
    patient_sd: float = 12.0
    age_effect: float = 0.0
    baseline_effect: float = 0.0
    age_treatment_effect: float = 0.0
    beds_effect: float = 0.0
    teaching_effect: float = 0.0
    n_regions: int = 4
    region_sd: float = 0.0
    n_wards: int = 0
    ward_sd: float = 0.0
    n_surgeons: int = 0
    surgeon_sd: float = 0.0
    assignment: str = "patient"
    treated_share: float = 0.5
    confounding: float = 1.0
    hospital_law: str = "normal"
    error_law: str = "normal"
    error_df: float = 4.0
    error_spread: float = 0.5
    outlier_share: float = 0.05
    outlier_scale: float = 5.0
    outcome: str = "continuous"
    overdispersion: float = 0.0
    missing: str | None = None
    missing_mechanism: str = "MCAR"
    missing_share: float = 0.2
    missing_strength: float = 1.5
    n_noise_predictors: int = 0
    n_noise_hospital_predictors: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class Truth(Parameters):
    """All that a real study would hide: the parameters and each hospital's own effects.

    Every keyword of `med_trial` is an attribute of the same name. The tables are handed out as
    copies (lazy ones, so they cost nothing): changing one does not change the truth.
    """

    _tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def _table(self, name: str) -> pd.DataFrame | None:
        table = self._tables.get(name)
        # Under pandas 3 a shallow copy is copied for good at the first write to it.
        return None if table is None else table.copy(deep=False)

    @property
    def hospitals(self) -> pd.DataFrame:
        """One row a hospital, indexed by its name; the columns are listed in `med_trial`."""
        return self._table("hospitals")

    @property
    def wards(self) -> pd.DataFrame | None:
        """Ward effects, indexed by ward; None without wards."""
        return self._table("wards")

    @property
    def surgeons(self) -> pd.DataFrame | None:
        """Surgeon effects, indexed by surgeon; None without surgeons."""
        return self._table("surgeons")

    @property
    def complete_data(self) -> pd.DataFrame | None:
        """The data before values were made missing; None where nothing was."""
        return self._table("complete_data")

    @property
    def icc(self) -> float | None:
        """Correlation of two untreated patients of one hospital with the same covariates.

        Notes
        -----
        ``(hospital_sd**2 + region_sd**2) / total variance``, the total being hospital, region,
        ward, surgeon and patient variance; the two patients share neither ward nor surgeon. It
        is None for a binary or count outcome, where error variances that depend on the mean
        leave no single value, and where nothing varies. See Snijders and Bosker (2012),
        *Multilevel Analysis*, section 3.3.
        """
        shared = self.hospital_sd**2 + self.region_sd**2
        total = shared + self.ward_sd**2 + self.surgeon_sd**2 + self.patient_sd**2
        if self.outcome != "continuous" or self.error_law == "grows with mean" or total == 0:
            return None
        return shared / total

    def __repr__(self) -> str:
        lines = ["Truth"]
        for item in fields(Parameters):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value = f"{value.size} sizes from {value.min()} to {value.max()}"
            elif item.name not in ALWAYS_SHOWN and value == item.default:
                continue
            lines.append(f"  {item.name} = {value}")
        if self.icc is not None:
            lines.append(f"  icc = {self.icc:.3g}")
        lines.append("  every other keyword of med_trial: at its default")
        lines.append("  tables: " + ", ".join(f".{name}" for name in self._tables))
        return "\n".join(lines)


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """A simulated study: what was observed, and what is true.

    Attributes
    ----------
    data : pandas.DataFrame
        One row a patient. It is yours: add columns as you like, `truth` does not change.
    truth : Truth
        Every parameter and every hospital's own effects.
    seed : int or None
        The number that gives this study again; None where a Generator was passed.
    """

    data: pd.DataFrame
    truth: Truth
    seed: int | None

    def __repr__(self) -> str:
        hospitals, patients = self.truth.n_hospitals, len(self.data)
        seed = "drawn from a Generator" if self.seed is None else f"seed {self.seed}"
        return (
            f"Study: {hospitals} hospital{'s' * (hospitals != 1)}, "
            f"{patients} patient{'s' * (patients != 1)}, {seed}"
        )
