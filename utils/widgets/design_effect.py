"""What likeness within hospitals costs: the design effect, and what a naive test makes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from utils.plots import PALETTE
from utils.pooling import design_effect, effective_sample_size
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Choice, Number

__all__ = ["DesignEffectResult", "compute", "design_effect_explorer", "naive_type_1_error"]

_HEIGHT = 440
_SIZES = np.unique(np.geomspace(2, 200, 60).round())
_BY = {"patient": "Treatment by patient", "hospital": "Treatment by hospital"}


@dataclass(frozen=True, eq=False)
class DesignEffectResult:
    """What one design with equal hospitals can tell about the effect of treatment.

    Attributes
    ----------
    treatment_by : str
        "hospital": whole hospitals are randomised, half and half. "patient": half the patients
        of every hospital are.
    icc : float
        Intraclass correlation.
    patients_per_hospital, n_hospitals, n_patients : int
        Size of the trial.
    hospital_sd, patient_sd : float
        Standard deviations between and within hospitals, mmHg.
    design_effect : float
        Variance of the estimated treatment effect, over what it would be if all patients were
        independent.
    effective_sample_size : float
        Independent patients that would tell as much.
    ceiling : float
        What the effective sample size tends to as hospitals grow; infinite by patient.
    true_se, naive_se : float
        Standard error of the treatment effect, mmHg; and the root mean square of what ordinary
        least squares reports for it.
    type_1_error : float
        How often the naive test at the 5 % level rejects a treatment that does nothing.
    """

    treatment_by: str
    icc: float
    patients_per_hospital: int
    n_hospitals: int
    n_patients: int
    hospital_sd: float
    patient_sd: float
    design_effect: float
    effective_sample_size: float
    ceiling: float
    true_se: float
    naive_se: float
    type_1_error: float


def compute(
    *,
    icc: float,
    patients_per_hospital: int,
    n_hospitals: int,
    treatment_by: str,
    total_sd: float = 12.65,
) -> DesignEffectResult:
    """Return what a balanced trial knows, and what a naive analysis of it claims.

    Parameters
    ----------
    icc : float
        Intraclass correlation, from 0 up to, not including, 1.
    patients_per_hospital : int
        The same in every hospital, 2 or more; even where `treatment_by` is "patient".
    n_hospitals : int
        4 or more; even where `treatment_by` is "hospital".
    treatment_by : {"patient", "hospital"}
        Who is randomised.
    total_sd : float
        Standard deviation of a patient's outcome over all hospitals, mmHg.

    Returns
    -------
    DesignEffectResult
        All in closed form; nothing is simulated.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    With J hospitals of n patients, N = J n, the estimate is the difference of the two arms'
    means. By hospital it carries the hospitals' effects, and its variance is
    4/N total_sd² (1 + (n - 1) icc). By patient these cancel, and it is 4/N patient_sd², so its
    design effect is 1 - icc, below 1. Ordinary least squares reports 4/N times the residual
    variance, which is close to total_sd² in both designs.

    Examples
    --------
    >>> result = compute(
    ...     icc=0.1, patients_per_hospital=30, n_hospitals=20, treatment_by="hospital"
    ... )
    >>> round(result.design_effect, 1), round(result.effective_sample_size)
    (3.9, 154)
    """
    _check(icc, patients_per_hospital, n_hospitals, treatment_by)
    if not (math.isfinite(total_sd) and total_sd > 0):
        raise ValueError(f"total_sd must be above 0, got {total_sd!r}")
    n_patients = n_hospitals * patients_per_hospital
    effect, ceiling = 1 - icc, math.inf
    if treatment_by == "hospital":
        effect = design_effect(icc, patients_per_hospital)
        ceiling = n_hospitals / icc if icc > 0 else math.inf
    true_se = total_sd * math.sqrt(4 * effect / n_patients)
    ratio, _ = _naive_variance(icc, patients_per_hospital, n_hospitals, treatment_by)
    return DesignEffectResult(
        treatment_by=treatment_by,
        icc=float(icc),
        patients_per_hospital=patients_per_hospital,
        n_hospitals=n_hospitals,
        n_patients=n_patients,
        hospital_sd=total_sd * math.sqrt(icc),
        patient_sd=total_sd * math.sqrt(1 - icc),
        design_effect=effect,
        effective_sample_size=effective_sample_size(n_patients, effect),
        ceiling=ceiling,
        true_se=true_se,
        naive_se=true_se * math.sqrt(float(ratio)),
        type_1_error=float(
            naive_type_1_error(icc, patients_per_hospital, n_hospitals, treatment_by)
        ),
    )


def naive_type_1_error(
    icc: float, patients_per_hospital: int | np.ndarray, n_hospitals: int, treatment_by: str
) -> float | np.ndarray:
    """Return how often ordinary least squares rejects at 5 % when the treatment does nothing.

    Parameters
    ----------
    icc, n_hospitals, treatment_by
        See `compute`.
    patients_per_hospital : int or ndarray
        Hospital size, or several to compute at once.

    Returns
    -------
    float or ndarray
        Probability that |estimate / reported standard error| exceeds the t quantile with N - 2
        degrees of freedom, normal outcomes assumed.

    Notes
    -----
    The residual sum of squares is independent of the estimate and a sum of two scaled chi-square
    variables, one between and one within hospitals. It is replaced by one chi-square variable
    with the same mean and variance (Satterthwaite FE, Biometrics Bulletin 1946; 2: 110-114), so
    that the test statistic is a scaled t. From 4 hospitals on, and for an icc up to 0.3, this is
    within 0.002 of the exact probability; a test compares them. For many hospitals treated as a
    whole it tends to P(|Z| > 1.96 / sqrt(design effect)).

    Examples
    --------
    >>> round(float(naive_type_1_error(0.0, 30, 20, "hospital")), 4)
    0.05
    >>> float(naive_type_1_error(0.1, 30, 20, "hospital").round(2))
    0.32
    """
    mean, freedom = _naive_variance(icc, patients_per_hospital, n_hospitals, treatment_by)
    n_patients = np.asarray(patients_per_hospital) * n_hospitals
    return 2 * stats.t.sf(stats.t.isf(0.025, n_patients - 2) * np.sqrt(mean), freedom)


def _naive_variance(
    icc: float, size: int | np.ndarray, n_hospitals: int, treatment_by: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of (reported / true variance), and its Satterthwaite degrees of freedom."""
    size = np.asarray(size, dtype=float)
    n_patients = n_hospitals * size
    # Mean square between hospitals over that within them.
    between = 1 + size * icc / (1 - icc)
    if treatment_by == "hospital":
        scales = 1 / between, np.ones_like(size)
        freedoms = n_hospitals * (size - 1), n_hospitals - 2
    else:
        scales = np.ones_like(size), between
        freedoms = n_patients - n_hospitals - 1, n_hospitals - 1
    parts = list(zip(scales, freedoms, strict=True))
    mean = sum(scale * freedom for scale, freedom in parts) / (n_patients - 2)
    variance = 2 * sum(scale**2 * freedom for scale, freedom in parts) / (n_patients - 2) ** 2
    return mean, 2 * mean**2 / variance


def _check(icc: float, size: int, n_hospitals: int, treatment_by: str) -> None:
    if treatment_by not in _BY:
        raise ValueError(f"treatment_by must be 'patient' or 'hospital', got {treatment_by!r}")
    if not 0 <= icc < 1:
        raise ValueError(f"icc must be at least 0 and below 1, got {icc!r}")
    for name, value, least in (
        ("patients_per_hospital", size, 2),
        ("n_hospitals", n_hospitals, 4),
    ):
        if value != int(value) or value < least:
            raise ValueError(f"{name} must be a whole number of {least} or more, got {value!r}")
    name, halved = "n_hospitals", n_hospitals
    if treatment_by == "patient":
        name, halved = "patients_per_hospital", size
    if halved % 2:
        raise ValueError(
            f"{name} must be even when treatment is given by {treatment_by}, got {halved!r}"
        )


class _Drawing:
    """The artists: effective sample size on the left, type-I error on the right."""

    def __init__(self) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            self.left, self.right = left, right = figure.subplots(1, 2)
            figure.subplots_adjust(left=0.07, right=0.985, bottom=0.13, top=0.79, wspace=0.22)
            for axes in (left, right):
                axes.set(xscale="log", xlim=(1.85, 220), xlabel="patients per hospital")
                axes.set_xticks([2, 5, 10, 20, 50, 100, 200], ["2", "5", "10", "20", "50", "100",
                                                               "200"])  # fmt: skip
                axes.minorticks_off()
            left.set(yscale="log", ylim=(6, 30000))
            left.set_yticks([10, 100, 1000, 10000], ["10", "100", "1,000", "10,000"])
            left.minorticks_off()
            right.set(ylim=(0, 0.92))
            right.set_yticks([0, 0.2, 0.4, 0.6, 0.8], ["0", ".20", ".40", ".60", ".80"])
            left.set_title("Effective sample size (patients)", y=1.17)
            right.set_title("Type-I error of the naive test", y=1.17)
            lines = {"color": "#222222", "lw": 2}
            (self.all,) = left.plot([], [], color="#9A9A9A", lw=5, alpha=0.55)
            (self.ceiling,) = left.plot([], [], color="#222222", lw=1.4, ls=":")
            (self.n_hospital,) = left.plot([], [], **lines)
            (self.n_patient,) = left.plot([], [], ls=(0, (5, 2)), **lines)
            (self.dot_n,) = left.plot([], [], "o", ms=11, color=PALETTE["yours"])
            naive = {"color": PALETTE["naive"], "lw": 2.6}
            right.axhline(0.05, color="#222222", lw=1.4, ls=":")
            (self.e_hospital,) = right.plot([], [], **naive)
            (self.e_patient,) = right.plot([], [], ls=(0, (5, 2)), **naive)
            (self.dot_e,) = right.plot([], [], "o", ms=11, color=PALETTE["yours"])
            nominal = right.get_lines()[0]
            # The keys stand above the axes, where no curve can reach.
            place = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0), "ncol": 2,
                     "frameon": False, "fontsize": 11, "handlelength": 2.4, "borderpad": 0,
                     "columnspacing": 1.2, "labelspacing": 0.3}  # fmt: skip
            left.legend(
                [self.n_hospital, self.n_patient, self.all, self.ceiling],
                ["treatment by hospital", "by patient", "all patients", "ceiling"], **place
            )  # fmt: skip
            right.legend(
                [self.e_hospital, self.e_patient, nominal],
                ["treatment by hospital", "by patient", "nominal .05"], **place
            )  # fmt: skip
            self.picture = Picture(
                figure,
                [self.all, self.ceiling, self.n_hospital, self.n_patient, self.dot_n,
                 self.e_hospital, self.e_patient, self.dot_e],
                alt=(
                    "Two panels over the number of patients per hospital, from 2 to 200. Left: "
                    "the effective sample size. Treated by hospital it bends away from the number "
                    "of patients towards a ceiling; by patient it does not. Right: how often the "
                    "naive test rejects without a true effect, for both designs, with a line at "
                    ".05. A dot marks your design; the text below gives its numbers."
                ),
            )  # fmt: skip

    def draw(self, result: DesignEffectResult) -> None:
        everyone = result.n_hospitals * _SIZES
        by_hospital = [design_effect(result.icc, size) for size in _SIZES]
        self.all.set_data(_SIZES, everyone)
        self.n_hospital.set_data(_SIZES, effective_sample_size(everyone, by_hospital))
        self.n_patient.set_data(_SIZES, effective_sample_size(everyone, 1 - result.icc))
        ceiling = result.n_hospitals / result.icc if result.icc else math.nan
        self.ceiling.set_data([_SIZES[0], _SIZES[-1]], [ceiling, ceiling])
        for line, by in ((self.e_hospital, "hospital"), (self.e_patient, "patient")):
            error = naive_type_1_error(result.icc, _SIZES, result.n_hospitals, by)
            line.set_data(_SIZES, error)
        self.dot_n.set_data([result.patients_per_hospital], [result.effective_sample_size])
        self.dot_e.set_data([result.patients_per_hospital], [result.type_1_error])


def _describe(result: DesignEffectResult) -> str:
    share = result.naive_se / result.true_se
    if abs(share - 1) < 0.02:
        verdict = "about right"
    else:
        verdict = f"{100 * abs(1 - share):.0f} % too {'small' if share < 1 else 'large'}"
    if math.isfinite(result.ceiling):
        bound = f" (never above {result.ceiling:,.0f}, however large the hospitals)"
    else:
        bound = ""
    rejected = 100 * result.type_1_error
    return (
        f"Treatment by {result.treatment_by}: {result.n_patients:,} patients in "
        f"{result.n_hospitals} hospitals of {result.patients_per_hospital}, "
        f"ICC {result.icc:.2f} (hospital SD {result.hospital_sd:.1f}, "
        f"patient SD {result.patient_sd:.1f} mmHg). "
        f"Design effect {result.design_effect:.2f}: the trial tells as much as "
        f"{result.effective_sample_size:,.0f} independent patients{bound}. "
        f"True standard error {result.true_se:.2f} mmHg; the naive one is about "
        f"{result.naive_se:.2f}, {verdict}. The naive test at the 5 % level rejects a "
        f"treatment that does nothing in {rejected:.1f} % of such trials."
    )


def design_effect_explorer(*, total_sd: float = 12.65) -> Explorer:
    """Return sliders for the likeness of patients and the size of a trial.

    Parameters
    ----------
    total_sd : float
        Standard deviation of a patient's outcome over all hospitals, mmHg. By default that of
        hospitals with an SD of 4 and patients with an SD of 12.

    Returns
    -------
    Explorer
        Its state is `treatment_by` ("patient" or "hospital"), `icc`, `patients_per_hospital`
        (even) and `n_hospitals` (even).

    Raises
    ------
    ValueError
        If `total_sd` is not above 0.

    Examples
    --------
    >>> explorer = design_effect_explorer()
    >>> explorer.set_state(icc=0.01, patients_per_hospital=200, treatment_by="hospital")
    >>> round(explorer.result.design_effect, 2)
    2.99
    """
    drawing = _Drawing()
    return Explorer(
        [
            Choice("treatment_by", "hospital", _BY),
            Number("icc", "Intraclass correlation", 0.1, 0.0, 0.3, 0.01, digits=2),
            Number("patients_per_hospital", "Patients per hospital", 30, 2, 200, 2, digits=0),
            Number("n_hospitals", "Hospitals", 20, 4, 60, 2, digits=0),
        ],
        compute=lambda **state: compute(**state, total_sd=total_sd),
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
