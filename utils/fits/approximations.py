"""How wide intervals of short cuts are, beside the exact posterior's.

8 trials of each of two designs with treatment by hospital: 6 hospitals, and 60. Columns: the mean
ratio of a short cut's 95 % interval to the exact one's, its standard error over trials. The
row of the Laplace approximation with few hospitals is computed afresh on load. ADVI is mean-field:
with hospital effects as parameters, and rewritten without them (`utils.approximate.advi`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from utils.approximate import advi, exact_interval, laplace
from utils.simulate import med_trial
from utils.stored import Study

HOSPITALS, TRIALS = (6, 60), 8
METHODS = {
    "Laplace": lambda data, seed: laplace(data),
    "ADVI": lambda data, seed: advi(data, seed=seed),
    "ADVI, rewritten": lambda data, seed: advi(data, seed=seed, rewritten=True),
}


def _trial(hospitals: int, seed: int) -> pd.DataFrame:
    return med_trial(
        n_hospitals=hospitals, patients_per_hospital=12, assignment="hospital", hospital_sd=5,
        patient_sd=12, treatment_effect=-6, rng=1900 + seed,
    ).data  # fmt: skip


def _rows(methods: list[str], designs: tuple[int, ...] = HOSPITALS) -> pd.DataFrame:
    rows = []
    for hospitals in designs:
        for method in methods:
            ratios = []
            for seed in range(TRIALS):
                data = _trial(hospitals, seed)
                low, high = METHODS[method](data, seed)
                ratios.append((high - low) / np.diff(exact_interval(data))[0])
            rows.append(
                {
                    "hospitals": hospitals, "method": method,
                    "width": round(float(np.mean(ratios)), 3),
                    "width_se": round(float(np.std(ratios, ddof=1) / np.sqrt(TRIALS)), 4),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def make() -> pd.DataFrame:
    """Return the whole table: 32 fits by ADVI that must settle, some minutes."""
    return _rows(list(METHODS))


def part() -> pd.DataFrame:
    """Return the row of the Laplace approximation with few hospitals."""
    return _rows(["Laplace"], HOSPITALS[:1])


STUDY = Study(make=make, part=part, key=("hospitals", "method"), absolute=0.005)
