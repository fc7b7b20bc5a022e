"""Three ways to pool, as one slide: hospitals move from their own means to the common one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from utils.pooling import anova_icc, three_poolings
from utils.simulate import Study, med_trial
from utils.widgets._base import Explorer
from utils.widgets._controls import Steps
from utils.widgets._pooling_figure import PoolingFigure

__all__ = ["Errors", "Hospitals", "PoolingResult", "compute", "pooling_explorer", "prepare"]


@dataclass(frozen=True, eq=False)
class Hospitals:
    """The patients to pool, and the truth where it is known.

    Attributes
    ----------
    y, hospital : Series
        Outcome and hospital of each patient.
    patient_sd : float
        Standard deviation within hospitals, in the unit of y.
    hospital_sd : float
        That between hospitals: the true one where it is known, else the estimate by analysis
        of variance.
    truth : Series or None
        True mean of each hospital, given its own share of treated patients.
    name : str
        Name of the outcome.
    """

    y: pd.Series
    hospital: pd.Series
    patient_sd: float
    hospital_sd: float
    truth: pd.Series | None
    name: str


@dataclass(frozen=True)
class Errors:
    """Root mean square distance of the hospitals' estimates from their true means."""

    no_pooling: float
    complete_pooling: float
    partial_pooling: float


@dataclass(frozen=True, eq=False)
class PoolingResult:
    """The hospitals' estimates for one supposed hospital_sd.

    Attributes
    ----------
    hospital_sd : float
        Supposed standard deviation between hospitals; 0 or infinite at the ends.
    table : DataFrame
        As `utils.pooling.three_poolings`, by hospital.
    gls_mean : float
        Where partial pooling pulls to.
    errors : Errors or None
        None where the truth is not known.
    """

    hospital_sd: float
    table: pd.DataFrame
    gls_mean: float
    errors: Errors | None


def prepare(
    study: Study | pd.DataFrame | None = None,
    *,
    y: str = "sbp",
    hospital: str = "hospital",
    patient_sd: float | None = None,
) -> Hospitals:
    """Return the patients, checked, with whatever is known about the truth.

    Parameters
    ----------
    study : Study or DataFrame, optional
        Without it, 24 simulated hospitals of 3 to 40 patients, all without an effect of treatment.
    y, hospital : str
        Columns. Patients without an outcome are left out.
    patient_sd : float, optional
        Standard deviation within hospitals; by default the true one of a Study, or else the
        estimate by analysis of variance.

    Returns
    -------
    Hospitals
        For `compute`.

    Raises
    ------
    ValueError
        If a column is missing, the outcome is not continuous or does not vary, or there are
        fewer than two hospitals.
    """
    if study is None:
        study = med_trial(n_hospitals=24, patients_per_hospital=(3, 40), treatment_effect=0, rng=16)
    truth = study.truth if isinstance(study, Study) else None
    data = study.data if isinstance(study, Study) else study
    if not isinstance(data, pd.DataFrame):
        raise ValueError(f"study must be a Study or a DataFrame, got {type(study).__name__}")
    if truth is not None and truth.outcome != "continuous":
        raise ValueError(f"the study's outcome must be continuous, got {truth.outcome!r}")
    for column in (y, hospital):
        if column not in data:
            raise ValueError(f"the data must have the column {column!r}, got {list(data.columns)}")
    data = data[[y, hospital]].dropna()
    if data[hospital].nunique() < 2:
        raise ValueError(f"there must be 2 hospitals or more, got {data[hospital].nunique()}")
    estimate = anova_icc(data[y], data[hospital])
    means = None
    if truth is not None and y == "sbp":
        table = truth.hospitals
        # A hospital's patients are a mix of treated and untreated; so is its mean.
        means = table["mean"] + table["treatment_effect"] * table["treated_share"].fillna(0)
        means = means[means.index.isin(data[hospital])]
    if patient_sd is None:
        patient_sd = estimate.patient_sd if means is None else truth.patient_sd
    if not (math.isfinite(patient_sd) and patient_sd > 0):
        raise ValueError(f"patient_sd must be above 0, got {patient_sd!r}")
    return Hospitals(
        y=data[y],
        hospital=data[hospital],
        patient_sd=float(patient_sd),
        hospital_sd=float(estimate.hospital_sd if means is None else truth.hospital_sd),
        truth=means,
        name=y,
    )


def compute(hospitals: Hospitals, *, hospital_sd: float) -> PoolingResult:
    """Return every hospital's estimate if hospitals differed by `hospital_sd`.

    Parameters
    ----------
    hospitals : Hospitals
        See `prepare`.
    hospital_sd : float
        Supposed standard deviation between hospitals, 0 to infinity, in the unit of y.

    Returns
    -------
    PoolingResult
        Estimates, and their errors where the truth is known.

    Raises
    ------
    ValueError
        If `hospital_sd` is negative.

    Examples
    --------
    >>> compute(prepare(), hospital_sd=0).table["weight"].max()
    np.float64(0.0)
    """
    table = three_poolings(
        hospitals.y, hospitals.hospital, hospital_sd=hospital_sd, patient_sd=hospitals.patient_sd
    )
    errors = None
    if hospitals.truth is not None:
        truth = hospitals.truth.reindex(table.index)
        errors = Errors(
            *(
                float(np.sqrt(np.mean((table[how] - truth) ** 2)))
                for how in ("no_pooling", "complete_pooling", "partial_pooling")
            )
        )
    return PoolingResult(float(hospital_sd), table, table.attrs["gls_mean"], errors)


def best_hospital_sd(hospitals: Hospitals, grid: tuple[float, ...]) -> float:
    """Return the supposed hospital_sd with the smallest error on these very data.

    Only who knows the truth can do so: it is a mark to aim at, not an estimator.
    """
    errors = [compute(hospitals, hospital_sd=sd).errors.partial_pooling for sd in grid]
    lowest = int(np.argmin(errors))
    if math.isinf(grid[lowest]):
        return math.inf
    low, high = grid[max(lowest - 1, 0)], grid[min(lowest + 1, len(grid) - 2)]
    found = minimize_scalar(
        lambda sd: compute(hospitals, hospital_sd=sd).errors.partial_pooling,
        bounds=(low, high), method="bounded", options={"maxiter": 12},
    )  # fmt: skip
    return float(found.x) if found.fun < errors[lowest] else grid[lowest]


def _grid(hospitals: Hospitals) -> tuple[float, ...]:
    """Return the slider's steps: fine where pooling changes most, then wider, then infinity."""
    sizes = hospitals.hospital.value_counts()
    typical = hospitals.patient_sd / math.sqrt(sizes[sizes > 0].median())
    power = 10.0 ** math.floor(math.log10(typical / 4))
    unit = min((power * k for k in (1, 2, 5, 10)), key=lambda u: abs(math.log(u * 4 / typical)))
    steps = [*range(21), *range(22, 41, 2), 45, 50, 60, 80, 100, 150, 200]
    return (*(float(f"{unit * k:.6g}") for k in steps), math.inf)


def _patients(n: int) -> str:
    return f"{n} patient" if n == 1 else f"{n} patients"


def _describe(result: PoolingResult, hospitals: Hospitals, best: float | None, unit: str) -> str:
    table, sd = result.table, result.hospital_sd
    moved = (table["partial_pooling"] - table["no_pooling"]).abs()
    unit = f" {unit}" if unit else ""
    if sd == 0:
        start = "Hospital SD 0: complete pooling. Every hospital gets the mean of all patients, "
        start += f"{result.gls_mean:.4g}{unit}."
    elif math.isinf(sd):
        start = "Hospital SD infinite: no pooling. Every hospital keeps its own mean."
    else:
        small, large = table["n"].idxmin(), table["n"].idxmax()
        start = (
            f"Hospital SD {sd:.3g}{unit}, patient SD {hospitals.patient_sd:.3g}{unit}. Weight of "
            f"the own mean: {table.loc[small, 'weight']:.2f} in the smallest hospital "
            f"({_patients(table.loc[small, 'n'])}), {table.loc[large, 'weight']:.2f} in the "
            f"largest ({table.loc[large, 'n']}). The furthest to move is {moved.idxmax()}, with "
            f"{_patients(table.loc[moved.idxmax(), 'n'])}, by {moved.max():.2g}{unit}."
        )
    if result.errors is None:
        return (
            f"{start} Estimated from the data by analysis of variance, the hospital SD is "
            f"{hospitals.hospital_sd:.3g}{unit}. The truth is not known here."
        )
    errors = result.errors
    aim = "infinite" if math.isinf(best) else f"{best:.3g}{unit}"
    return (
        f"{start} Error to the truth (RMSE): {errors.partial_pooling:.2f}{unit}; no pooling "
        f"{errors.no_pooling:.2f}, complete pooling {errors.complete_pooling:.2f}. The true "
        f"hospital SD is {hospitals.hospital_sd:.3g}{unit}; the best on these data is {aim}."
    )


def pooling_explorer(
    study: Study | pd.DataFrame | None = None,
    *,
    y: str = "sbp",
    hospital: str = "hospital",
    patient_sd: float | None = None,
    unit: str | None = None,
) -> Explorer:
    """Return a slider that pools hospitals, from not at all to completely.

    Parameters
    ----------
    study : Study or DataFrame, optional
        A Study brings its truth: crosses, an error meter and two marks to aim at. A DataFrame
        is shown without. Without either, 24 simulated hospitals.
    y, hospital, patient_sd
        See `prepare`.
    unit : str, optional
        Unit of y; by default mmHg for sbp, none otherwise.

    Returns
    -------
    Explorer
        Its state is `hospital_sd`, the supposed standard deviation between hospitals, from 0
        (complete pooling) to ``math.inf`` (no pooling, where it starts).

    Raises
    ------
    ValueError
        See `prepare`.

    Examples
    --------
    >>> explorer = pooling_explorer()
    >>> explorer.set_state(hospital_sd=6)
    >>> errors = explorer.result.errors
    >>> errors.partial_pooling < min(errors.no_pooling, errors.complete_pooling)
    True
    """
    hospitals = prepare(study, y=y, hospital=hospital, patient_sd=patient_sd)
    unit = ("mmHg" if y == "sbp" else "") if unit is None else unit
    label = f"Supposed hospital SD ({unit})" if unit else "Supposed hospital SD"
    steps = Steps("hospital_sd", label, math.inf, _grid(hospitals))
    best = None if hospitals.truth is None else best_hospital_sd(hospitals, steps.grid)
    ends = compute(hospitals, hospital_sd=math.inf)
    curve = None
    if ends.errors is not None:
        curve = [compute(hospitals, hospital_sd=sd).errors.partial_pooling for sd in steps.grid]
    drawing = PoolingFigure(hospitals, ends, steps, best, curve)
    return Explorer(
        [steps],
        compute=lambda **state: compute(hospitals, **state),
        draw=drawing.draw,
        picture=drawing.picture,
        describe=lambda result: _describe(result, hospitals, best, unit),
    )
