"""Patients in wards in hospitals in regions: closed formulas, for equal units at each level.

The model behind all of them, for two levels or more above the patient, is

    y = mean + effect of the region + of the hospital + of the ward + of the patient,

all independent, with a standard deviation (SD) for each level. `sds` and `counts` list the levels
from the top down, the patient last. `counts` says how many units stand in each unit above: 5
regions, 4 hospitals in each, 3 wards in each of those, 10 patients in each ward.

Examples
--------
>>> sds = {"region": 3, "hospital": 6, "ward": 6, "patient": 12}
>>> correlations(sds).to_dict()
{'region': 0.04, 'hospital': 0.2, 'ward': 0.36}
>>> counts = {"region": 5, "hospital": 4, "ward": 4, "patient": 9}
>>> mean_squares(sds, counts).to_dict()
{'region': 3060.0, 'hospital': 1764.0, 'ward': 468.0, 'patient': 144.0}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "correlations",
    "mean_squares",
    "pair_correlations",
    "treatment_se",
    "variance_shares",
]

Floats = NDArray[np.float64]


def variance_shares(sds: Mapping[str, float]) -> pd.Series:
    """Return the share of the total variance that lies at each level.

    Parameters
    ----------
    sds : mapping of str to float
        Standard deviation of each level's effects, in one unit. Not all may be 0.

    Raises
    ------
    ValueError
        If an SD is negative or not finite, or all are 0.

    Examples
    --------
    >>> variance_shares({"hospital": 3, "ward": 4, "patient": 12}).round(3).tolist()
    [0.053, 0.095, 0.852]
    """
    variance = pd.Series(_sds(sds)) ** 2
    return variance / variance.sum()


def correlations(sds: Mapping[str, float]) -> pd.Series:
    """Return the correlation of two patients who share a level, and with it all levels above.

    Parameters
    ----------
    sds : mapping of str to float
        SDs of nested levels from the top down, the patient last.

    Returns
    -------
    Series
        One correlation for each level but the last: of two patients who share this unit, and
        none below it.

    Raises
    ------
    ValueError
        As `variance_shares`.

    Notes
    -----
    The covariance of two patients is the variance of what they share: the sum of the variances
    from the top down to the lowest level that they share.
    """
    return variance_shares(sds).cumsum().iloc[:-1]


def mean_squares(sds: Mapping[str, float], counts: Mapping[str, int]) -> pd.Series:
    """Return the expected mean square of each level, in the squared unit of the outcome.

    Parameters
    ----------
    sds, counts : mapping
        SDs and numbers of units, by level from the top down; see the module. At least two units
        at each level.

    Raises
    ------
    ValueError
        If levels differ, an SD is negative, or a count is below 2.

    Notes
    -----
    A level's mean square is the variance of its units' means around their mean in the unit
    above, times the patients in a unit. Its expectation is the sum, over this level and those
    below, of variance times patients in a unit (Searle SR, Casella G, McCulloch CE, Variance
    Components, 1992, chapter 4).
    """
    sd, count = design(sds, counts)
    patients = _patients_in_a_unit(count)
    parts = [size * value**2 for size, value in zip(patients, sd.values(), strict=True)]
    return pd.Series(np.cumsum(parts[::-1])[::-1], index=list(sd))


def treatment_se(sds: Mapping[str, float], counts: Mapping[str, int], given_by: str) -> float:
    """Return the true standard error of the effect of a treatment given at one level.

    Parameters
    ----------
    sds, counts : mapping
        As `mean_squares`.
    given_by : str
        The level whose units are treated: half of the units in each unit above, by lot.

    Raises
    ------
    ValueError
        If `given_by` is not one of the levels, or its count is odd; as `mean_squares`.

    Notes
    -----
    The effect is the difference of the two arms' means. What lies above the treated level is the
    same in both arms and cancels; what is left has variance 4/N times the level's expected mean
    square, with N patients in all.

    Examples
    --------
    >>> sds, counts = {"hospital": 4, "patient": 12}, {"hospital": 20, "patient": 30}
    >>> [round(treatment_se(sds, counts, level), 2) for level in sds]
    [2.04, 0.98]
    """
    sd, count = design(sds, counts)
    check_given(given_by, count)
    return math.sqrt(4 / math.prod(count.values()) * mean_squares(sd, count)[given_by])


def pair_correlations(
    data: pd.DataFrame, levels: Sequence[str], *, outcome: str = "sbp"
) -> pd.DataFrame:
    """Return the correlation of all pairs of patients, by the lowest level that they share.

    Parameters
    ----------
    data : DataFrame, one row a patient
        Columns of the levels, with labels that are unique at each level, and the outcome.
    levels : sequence of str
        Columns of nested levels from the top down. Pairs are made within the units of the first.
    outcome : str
        The column whose correlation is wanted.

    Returns
    -------
    DataFrame
        Indexed by level: ``pairs``, their number, and ``correlation``, each pair counted both
        ways round.

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> data = pd.DataFrame({"hospital": list("AAAB"), "ward": list("1123"), "sbp": [1, 2, 3, 9]})
    >>> pair_correlations(data, ["hospital", "ward"])["pairs"].to_dict()
    {'hospital': 2, 'ward': 1}
    """
    missing = sorted({*levels, outcome} - set(data.columns))
    require(not missing, f"data must have the columns {[*levels, outcome]}", missing)
    table = data[[*levels, outcome]].assign(row=np.arange(len(data)))
    both = table.merge(table, on=levels[0], suffixes=("", "_2"))
    both = both[both["row"] != both["row_2"]]
    lowest = np.zeros(len(both), dtype=int)
    for depth, level in enumerate(levels[1:], start=1):
        same = both[level].to_numpy() == both[f"{level}_2"].to_numpy()
        lowest[same & (lowest == depth - 1)] = depth
    rows = {}
    for depth, level in enumerate(levels):
        pair = both.loc[lowest == depth, [outcome, f"{outcome}_2"]]
        rows[level] = {"pairs": len(pair) // 2, "correlation": pair.corr().iloc[0, 1]}
    return pd.DataFrame.from_dict(rows, orient="index").astype({"pairs": int})


def _patients_in_a_unit(count: Mapping[str, int]) -> Floats:
    below = [*list(count.values())[1:], 1]
    return np.cumprod(below[::-1])[::-1].astype(float)


def _sds(sds: Mapping[str, float]) -> dict[str, float]:
    require(isinstance(sds, Mapping) and len(sds) >= 2, "sds must name two levels or more", sds)
    for name, value in sds.items():
        fits = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
        require(fits and value >= 0, f"the SD of {name} must be 0 or more, and finite", value)
    require(any(sds.values()), "one SD at least must be above 0", dict(sds))
    return {name: float(value) for name, value in sds.items()}


def design(
    sds: Mapping[str, float], counts: Mapping[str, int]
) -> tuple[dict[str, float], dict[str, int]]:
    sd = _sds(sds)
    same = isinstance(counts, Mapping) and list(counts) == list(sd)
    require(same, f"counts must name the levels of sds in their order, {list(sd)}", counts)
    for name, value in counts.items():
        fits = isinstance(value, Integral) and not isinstance(value, bool) and value >= 2
        require(fits, f"the count of {name} must be a whole number of 2 or more", value)
    return sd, {name: int(value) for name, value in counts.items()}


def check_given(given_by: str, count: Mapping[str, int]) -> None:
    known = isinstance(given_by, str) and given_by in count
    require(known, f"given_by must be one of {list(count)}", given_by)
    even = count[given_by] % 2 == 0
    require(even, f"half of the {given_by}s are treated, so their count must be even",
             count[given_by])  # fmt: skip


def require(holds: bool, rule: str, value: object) -> None:
    if not holds:
        raise ValueError(f"{rule}; got {value!r}")
