"""How an engine's seconds grow with patients and hospitals, from a few runs that were timed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize

__all__ = ["Costs", "costs", "fit_costs"]

PATIENTS = np.logspace(3, 7, 41)


def fit_costs(measured: pd.DataFrame) -> pd.DataFrame:
    """Return what a start, a patient and a hospital cost each engine.

    Parameters
    ----------
    measured : DataFrame
        Columns engine, patients, hospitals and seconds, at least two runs of each engine.

    Returns
    -------
    DataFrame
        Index engine; ``start``, ``per_patient`` and ``per_hospital`` in seconds, none below 0:
        the non-negative least squares fit of relative errors, so that the quick runs count too.

    Raises
    ------
    ValueError
        If a column is missing, a number is not above 0, or an engine was timed once.

    Examples
    --------
    >>> runs = pd.DataFrame({"engine": "A", "patients": [1e3, 1e4], "hospitals": [10, 10],
    ...                      "seconds": [1.0, 10.0]})
    >>> fit_costs(runs)["per_patient"].round(4).tolist()
    [0.001]
    """
    wanted = ["engine", "patients", "hospitals", "seconds"]
    if missing := [name for name in wanted if name not in measured]:
        raise ValueError(f"measured must have the columns {wanted}; missing: {missing}")
    rows = {}
    for engine, runs in measured.groupby("engine", sort=False):
        numbers = runs[wanted[1:]].to_numpy(dtype=float)
        if len(runs) < 2 or not (np.isfinite(numbers).all() and (numbers > 0).all()):
            raise ValueError(
                f"each engine needs at least two runs with numbers above 0; {engine!r} has "
                f"{len(runs)}"
            )
        columns = np.column_stack([np.ones(len(runs)), numbers[:, :2]])
        rows[engine] = optimize.nnls(columns / numbers[:, 2:], np.ones(len(runs)))[0]
    return pd.DataFrame(rows, index=["start", "per_patient", "per_hospital"]).T.rename_axis(
        "engine"
    )


@dataclass(frozen=True, eq=False)
class Costs:
    """Seconds of each engine for one size, and curves over patients.

    Attributes
    ----------
    patients, hospitals : float
        As asked for.
    seconds : Series
        Index engine.
    curves : DataFrame
        Index patients (1,000 to 10 million), a column for each engine, at the same hospitals.
    """

    patients: float
    hospitals: float
    seconds: pd.Series
    curves: pd.DataFrame


def costs(fitted: pd.DataFrame, *, patients: float, hospitals: float) -> Costs:
    """Return what each engine would need.

    Parameters
    ----------
    fitted : DataFrame
        As `fit_costs` gives it.
    patients, hospitals : float
        Above 0.
    """
    if not (patients > 0 and hospitals > 0):
        raise ValueError(f"patients and hospitals must be above 0, got {patients!r}, {hospitals!r}")

    def at(size: float) -> pd.Series:
        return fitted["start"] + fitted["per_patient"] * size + fitted["per_hospital"] * hospitals

    curves = pd.DataFrame({size: at(size) for size in PATIENTS}).T
    return Costs(float(patients), float(hospitals), at(patients), curves)
