"""Arithmetic of patients in hospitals: likeness, what it costs, and how means are pooled.

Every function here is a closed formula. Nothing is fitted by iteration, so a learner can
repeat each number by hand. The model behind all of them is

    y_ij = mean + u_j + e_ij,   u_j ~ (0, hospital_sd²),   e_ij ~ (0, patient_sd²),

for patient i in hospital j, with all u_j and e_ij independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from utils._patients import as_float, codes_of, numbers

__all__ = [
    "AnovaICC",
    "anova_icc",
    "design_effect",
    "effective_sample_size",
    "icc",
    "shrinkage_weight",
    "three_poolings",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AnovaICC:
    """What a one-way analysis of variance says about likeness within hospitals.

    Attributes
    ----------
    icc : float
        Intraclass correlation. Negative where patients of one hospital are less alike than
        patients drawn at random, by chance or by design; never below -1 / (n0 - 1).
    hospital_sd : float
        Standard deviation between hospitals, in the unit of the outcome. 0 where the
        estimated variance is negative.
    patient_sd : float
        Standard deviation between patients of one hospital, in the unit of the outcome.
    n0 : float
        The patients per hospital that count, given that hospitals differ in size.
    """

    icc: float
    hospital_sd: float
    patient_sd: float
    n0: float


def icc(hospital_sd: ArrayLike, patient_sd: ArrayLike) -> float | Floats:
    """Return the intraclass correlation that two standard deviations imply.

    Parameters
    ----------
    hospital_sd, patient_sd : float or array-like
        Standard deviations between hospitals and between patients of one hospital, in the
        same unit. Arrays are broadcast against each other.

    Raises
    ------
    ValueError
        If a standard deviation is negative or not a number, or if both are zero or both
        infinite, where the correlation is not defined.

    Notes
    -----
    icc = hospital_sd² / (hospital_sd² + patient_sd²): the share of the variance that lies
    between hospitals, and the correlation of two patients of one hospital (Donner A,
    International Statistical Review 1986; 54: 67-82).

    Examples
    --------
    >>> icc(6, 12)
    0.2
    """
    between, within = _two_sds(hospital_sd, patient_sd)
    return _as_given(_share(between, within))


def design_effect(icc: ArrayLike, patients_per_hospital: ArrayLike) -> float | Floats:
    """Return how many times likeness within hospitals multiplies the variance of a mean.

    Parameters
    ----------
    icc : float or array-like
        Intraclass correlation, at most 1. It may be negative, down to
        -1 / (largest hospital - 1).
    patients_per_hospital : float or array-like, shape (n_hospitals,)
        One number where all hospitals have the same size. An array is the sizes of the
        hospitals of one study: it gives one design effect, not one per entry.

    Raises
    ------
    ValueError
        If a size is below 1, if there is none, or if `icc` is outside its range.

    Notes
    -----
    Equal sizes: 1 + (n - 1) icc (Kish L, Survey Sampling, 1965, section 5.4). Unequal sizes:
    n is replaced by sum n_j² / sum n_j, the size of the hospital of a patient drawn at random
    (Kerry SM, Bland JM, Statistics in Medicine 2001; 20: 377-390). This is exact for the plain
    mean of all patients, and so for treatments given to whole hospitals. It is not the price of
    a comparison made within hospitals.

    Examples
    --------
    >>> design_effect(0.25, 17)
    5.0
    >>> design_effect(0.25, [8, 24])
    5.75
    """
    sizes = as_float("patients_per_hospital", patients_per_hospital)
    if sizes.ndim > 1 or sizes.size == 0:
        raise ValueError(
            "patients_per_hospital must be one number or a list of hospital sizes, "
            f"got an array of shape {sizes.shape}"
        )
    if not np.all(np.isfinite(sizes) & (sizes >= 1)):
        raise ValueError(f"patients_per_hospital must be 1 or more, got {patients_per_hospital!r}")
    rho = as_float("icc", icc)
    largest = float(sizes.max())
    lowest = -1 / (largest - 1) if largest > 1 else -1.0
    if not np.all((rho >= lowest) & (rho <= 1)):
        raise ValueError(
            f"icc must be from {lowest:.3g} to 1 for hospitals of up to {largest:g} patients, "
            f"got {icc!r}"
        )
    size = float(np.sum(sizes**2) / np.sum(sizes))
    return _as_given(1 + (size - 1) * rho)


def effective_sample_size(n_patients: ArrayLike, design_effect: ArrayLike) -> float | Floats:
    """Return how many independent patients would tell as much: n_patients / design_effect.

    Parameters
    ----------
    n_patients : float or array-like
        Patients in the study, 0 or more.
    design_effect : float or array-like
        Design effect, above 0: see the function `design_effect`.

    Raises
    ------
    ValueError
        If `n_patients` is negative or `design_effect` is not above 0.

    Examples
    --------
    >>> effective_sample_size(480, design_effect=4)
    120.0
    """
    patients = as_float("n_patients", n_patients)
    effect = as_float("design_effect", design_effect)
    if not np.all(np.isfinite(patients) & (patients >= 0)):
        raise ValueError(f"n_patients must be 0 or more, got {n_patients!r}")
    if not np.all(np.isfinite(effect) & (effect > 0)):
        raise ValueError(f"design_effect must be above 0, got {design_effect!r}")
    return _as_given(patients / effect)


def shrinkage_weight(n: ArrayLike, hospital_sd: ArrayLike, patient_sd: ArrayLike) -> float | Floats:
    """Return the weight of a hospital's own mean in its partially pooled estimate.

    Parameters
    ----------
    n : float or array-like
        Patients of the hospital, 0 or more. A hospital without patients has weight 0.
    hospital_sd, patient_sd : float or array-like
        Standard deviations between hospitals and between patients of one hospital, in the
        same unit. The limits are exact: `hospital_sd=0` gives 0 (complete pooling) and
        `hospital_sd=inf` gives 1 (no pooling). 1 - weight goes to the mean of all hospitals.

    Raises
    ------
    ValueError
        If `n` is negative or infinite, if a standard deviation is negative, or if both are
        zero or both infinite.

    Notes
    -----
    weight = hospital_sd² / (hospital_sd² + patient_sd² / n), the reliability of the mean of
    n patients (Robinson GK, Statistical Science 1991; 6: 15-32).

    Examples
    --------
    >>> shrinkage_weight([1, 4, 36], hospital_sd=6, patient_sd=12)
    array([0.2, 0.5, 0.9])
    >>> shrinkage_weight(4, hospital_sd=float("inf"), patient_sd=12)
    1.0
    """
    patients = as_float("n", n)
    if not np.all(np.isfinite(patients) & (patients >= 0)):
        raise ValueError(f"n must be 0 or more patients, and finite, got {n!r}")
    between, within = _two_sds(hospital_sd, patient_sd)
    some = patients > 0
    weight = _share(between, within, np.where(some, patients, 1.0))
    return _as_given(np.where(some, weight, 0.0))


def anova_icc(y: ArrayLike, hospital: ArrayLike) -> AnovaICC:
    """Estimate the intraclass correlation by a one-way analysis of variance.

    Parameters
    ----------
    y : array-like, shape (n_patients,)
        The outcome, without missing values.
    hospital : array-like, shape (n_patients,)
        The hospital of each patient; at least two hospitals, and more patients than hospitals.

    Returns
    -------
    AnovaICC
        `icc` may be negative: cutting it off at 0 would make it too large on average.

    Raises
    ------
    ValueError
        If lengths differ, values are missing, there are too few hospitals or patients, or y
        does not vary.

    Notes
    -----
    With mean squares between (MSB) and within (MSW) J hospitals of n_j patients, N in all,

        n0 = (N - sum n_j² / N) / (J - 1),
        hospital_sd² = (MSB - MSW) / n0,   patient_sd² = MSW,
        icc = (MSB - MSW) / (MSB + (n0 - 1) MSW)

    (Donner A, International Statistical Review 1986; 54: 67-82; for unequal sizes also Searle
    SR, Casella G, McCulloch CE, Variance Components, 1992, section 3.6).

    Examples
    --------
    >>> anova_icc([1, 2, 5, 6], ["H01", "H01", "H02", "H02"]).n0
    2.0
    >>> anova_icc([1, 6, 2, 5], ["H01", "H01", "H02", "H02"]).icc
    -1.0
    """
    outcome, codes, hospitals = _grouped(y, hospital)
    n_hospitals, n_patients = len(hospitals), len(outcome)
    if n_hospitals < 2:
        raise ValueError(f"hospital must name two hospitals or more, got {n_hospitals}")
    if n_patients <= n_hospitals:
        raise ValueError(
            "there must be more patients than hospitals, "
            f"got {n_patients} patients in {n_hospitals} hospitals"
        )
    # Deviations from the mean: a large mean (say a year) must not cost digits.
    centred = outcome - outcome.mean()
    n = np.bincount(codes).astype(float)
    means = np.bincount(codes, weights=centred) / n
    ms_between = float(np.sum(n * means**2)) / (n_hospitals - 1)
    ms_within = float(np.sum((centred - means[codes]) ** 2)) / (n_patients - n_hospitals)
    n0 = float((n_patients - np.sum(n**2) / n_patients) / (n_hospitals - 1))
    total = ms_between + (n0 - 1) * ms_within
    if np.ptp(outcome) == 0 or total <= 0:
        raise ValueError(f"y must vary, got {n_patients} values equal to {outcome[0]:g}")
    return AnovaICC(
        icc=(ms_between - ms_within) / total,
        hospital_sd=float(np.sqrt(max(ms_between - ms_within, 0.0) / n0)),
        patient_sd=float(np.sqrt(ms_within)),
        n0=n0,
    )


def three_poolings(
    y: ArrayLike, hospital: ArrayLike, *, hospital_sd: float, patient_sd: float
) -> pd.DataFrame:
    """Estimate every hospital's mean three ways, for known standard deviations.

    Parameters
    ----------
    y : array-like, shape (n_patients,)
        The outcome, without missing values.
    hospital : array-like, shape (n_patients,)
        The hospital of each patient. Categories without patients are left out.
    hospital_sd, patient_sd : float
        Standard deviations between hospitals and between patients of one hospital, in the
        unit of y. `hospital_sd` may be 0 or infinite.

    Returns
    -------
    DataFrame
        Indexed by hospital, with the columns `n` (patients), `no_pooling` (the hospital's own
        mean), `complete_pooling` (the plain mean of all patients, the same for every
        hospital), `partial_pooling` and `weight` (of the own mean: see `shrinkage_weight`).
        `attrs["gls_mean"]` is the mean that partial pooling pulls towards.

    Raises
    ------
    ValueError
        If lengths differ, values are missing, or the standard deviations are impossible.

    Notes
    -----
    partial_pooling = gls_mean + weight (no_pooling - gls_mean). gls_mean weights each hospital
    mean by its precision, 1 / (hospital_sd² + patient_sd² / n): generalised least squares. It
    equals complete_pooling where `hospital_sd` is 0 or all sizes are equal. The result is the
    best linear unbiased prediction (Robinson GK, Statistical Science 1991; 6: 15-32), and the
    posterior mean under a flat prior for the mean and normal laws.

    Examples
    --------
    >>> y = [140, 150, 160, 120]
    >>> table = three_poolings(y, ["H01", "H01", "H01", "H02"], hospital_sd=10, patient_sd=10)
    >>> table["weight"].to_dict()
    {'H01': 0.75, 'H02': 0.5}
    >>> table["partial_pooling"].round(2).to_dict()
    {'H01': 147.0, 'H02': 129.0}
    """
    outcome, codes, hospitals = _grouped(y, hospital)
    for name, value in (("hospital_sd", hospital_sd), ("patient_sd", patient_sd)):
        if np.ndim(value) != 0:
            raise ValueError(f"{name} must be one number, got {value!r}")
    n = np.bincount(codes)
    middle = outcome.mean()
    own = middle + np.bincount(codes, weights=outcome - middle) / n
    weight = np.asarray(shrinkage_weight(n, hospital_sd, patient_sd))
    # Precisions up to a common factor: n where hospitals do not differ, else the weights.
    precision = n.astype(float) if not np.any(weight > 0) else weight
    gls_mean = float(middle + np.sum(precision * (own - middle)) / np.sum(precision))
    table = pd.DataFrame(
        {
            "n": n,
            "no_pooling": own,
            "complete_pooling": middle,
            "partial_pooling": gls_mean + weight * (own - gls_mean),
            "weight": weight,
        },
        index=pd.Index(hospitals, name="hospital"),
    )
    table.attrs["gls_mean"] = gls_mean
    return table


def _two_sds(hospital_sd: ArrayLike, patient_sd: ArrayLike) -> tuple[Floats, Floats]:
    between = as_float("hospital_sd", hospital_sd)
    within = as_float("patient_sd", patient_sd)
    for name, value in (("hospital_sd", between), ("patient_sd", within)):
        if not np.all(value >= 0):
            raise ValueError(f"{name} must be 0 or more, got {value}")
    if np.any((between == within) & np.isin(between, (0.0, np.inf))):
        raise ValueError(
            "hospital_sd and patient_sd must not both be 0 or both be infinite, "
            f"got {hospital_sd!r} and {patient_sd!r}"
        )
    return between, within


def _share(between: Floats, within: Floats, n: ArrayLike = 1.0) -> Floats:
    """Return n between² / (n between² + within²), without overflow and exact at the limits."""
    larger = np.maximum(between, within)
    finite = np.isfinite(larger)
    scale = np.where(finite & (larger > 0), larger, 1.0)
    a = n * np.where(finite, between / scale, between == np.inf) ** 2
    b = np.where(finite, within / scale, within == np.inf) ** 2
    return a / (a + b)


def _as_given(value: Floats) -> float | Floats:
    return float(value) if np.ndim(value) == 0 else value


def _grouped(
    y: ArrayLike, hospital: ArrayLike
) -> tuple[Floats, NDArray[np.intp], NDArray[np.object_]]:
    """Return the outcome, the code of each patient's hospital, and the hospitals' names."""
    if isinstance(y, pd.Series) and isinstance(hospital, pd.Series):
        if len(y) == len(hospital) and not y.index.equals(hospital.index):
            raise ValueError("y and hospital must have the same index, got two that differ")
    outcome = numbers("y", y)
    codes, names = codes_of(hospital)
    if outcome.shape != codes.shape or len(codes) == 0:
        raise ValueError(
            "y and hospital must be lists of the same length with one entry per patient, "
            f"got shapes {outcome.shape} and {codes.shape}"
        )
    return outcome, codes, names
