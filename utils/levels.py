"""Patients in wards in hospitals in regions: closed formulas, for equal units at each level.

The model behind all of them, for two levels or more above the patient, is

    y = mean + effect of the region + of the hospital + of the ward + of the patient,

all independent, with a standard deviation (SD) for each level. `sds` and `counts` list the levels
from the top down, the patient last. `counts` says how many units stand in each unit above: 5
regions, 4 hospitals in each, 3 wards in each of those, 10 patients in each ward.

Where groupings are crossed, `counts` says how many units each has in all, and last how many
patients each combination has: 20 hospitals, 12 surgeons, 2 patients of every surgeon in every
hospital.

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
    "prediction_errors",
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


def mean_squares(
    sds: Mapping[str, float], counts: Mapping[str, int], *, crossed: bool = False
) -> pd.Series:
    """Return the expected mean square of each level, in the squared unit of the outcome.

    Parameters
    ----------
    sds, counts : mapping
        SDs and numbers of units, by level from the top down; see the module. At least two units
        at each level.
    crossed : bool
        Whether all levels but the patient are crossed with each other; or else each is nested in
        the one before.

    Raises
    ------
    ValueError
        If levels differ, an SD is negative, or a count is below 2.

    Notes
    -----
    A level's mean square is the variance of its units' means around their mean in the unit
    above, times the patients in a unit. Its expectation is the sum, over this level and those
    below, of variance times patients in a unit. Of crossed levels none lies below another, so
    each has its own part and the patient's (Searle SR, Casella G, McCulloch CE, Variance
    Components, 1992, chapter 4).
    """
    sd, count = design(sds, counts)
    variance = np.array(list(sd.values())) ** 2
    if crossed:
        sizes = math.prod(count.values()) / np.array(list(count.values()))
        parts = sizes * variance + variance[-1]
        return pd.Series([*parts[:-1], variance[-1]], index=list(sd))
    parts = _patients_in_a_unit(count) * variance
    return pd.Series(np.cumsum(parts[::-1])[::-1], index=list(sd))


def treatment_se(
    sds: Mapping[str, float], counts: Mapping[str, int], given_by: str, *, crossed: bool = False
) -> float:
    """Return the true standard error of the effect of a treatment given at one level.

    Parameters
    ----------
    sds, counts, crossed
        As `mean_squares`.
    given_by : str
        The level whose units are treated: half of the units in each unit above, by lot.

    Raises
    ------
    ValueError
        If `given_by` is not one of the levels, or its count is odd; as `mean_squares`.

    Notes
    -----
    The effect is the difference of the two arms' means. What lies above the treated level, or
    crosses it, is the same in both arms and cancels; what is left has variance 4/N times the
    level's expected mean square, with N patients in all.

    Examples
    --------
    >>> sds, counts = {"hospital": 4, "patient": 12}, {"hospital": 20, "patient": 30}
    >>> [round(treatment_se(sds, counts, level), 2) for level in sds]
    [2.04, 0.98]
    """
    sd, count = design(sds, counts)
    check_given(given_by, count)
    square = mean_squares(sd, count, crossed=crossed)[given_by]
    return math.sqrt(4 / math.prod(count.values()) * square)


def prediction_errors(
    sds: Mapping[str, float],
    counts: Mapping[str, int],
    models: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """Return the typical error of models that predict the true mean of a unit such as a ward.

    Parameters
    ----------
    sds, counts : mapping
        As `mean_squares`, nested, with two levels or more above the patient.
    models : mapping of str to sequence of str
        Name of a model -> the levels that have random intercepts in it.

    Returns
    -------
    DataFrame
        Root mean squared error by model, in the unit of the SDs: ``seen``, for a unit of the
        lowest level above the patient that is in the data, and ``new``, for one that is not, in
        a unit above that is.

    Raises
    ------
    ValueError
        If there is one level above the patient only, or a model has an unknown level; as
        `mean_squares`.

    Notes
    -----
    The prediction is the best linear one with variances as if known: each level's units are
    pulled towards their unit above by 1 minus a ratio of mean squares, and the mean of all is
    estimated. A model that lacks a level uses the variances that it finds on average: the squares
    of that level are pooled with those of the next lower one that it has.

    Examples
    --------
    >>> sds = {"hospital": 6, "ward": 6, "patient": 12}
    >>> counts = {"hospital": 20, "ward": 4, "patient": 6}
    >>> models = {"hospitals only": ["hospital"], "both": ["hospital", "ward"]}
    >>> prediction_errors(sds, counts, models).round(1)
                    seen  new
    hospitals only   5.7  6.9
    both             4.0  6.8
    """
    sd, count = design(sds, counts)
    names, last = list(sd), len(sd) - 2
    require(last > 0, "predictions need two levels above the patient, or more", names)
    units = np.cumprod(list(count.values()))
    of_mean = np.array(list(sd.values())) ** 2 / units  # of the mean of a level's units
    freedom = np.diff(units, prepend=1)
    squares = freedom * mean_squares(sd, count).to_numpy()
    rows = {}
    for model, kept in models.items():
        into = merged(names, kept)
        fitted = np.array([squares[into == k].sum() / freedom[into == k].sum() for k in into])
        rows[model] = {}
        for target, lowest in (("seen", last), ("new", last - 1)):
            known = max((k for k in range(lowest + 1) if names[k] in kept), default=-1)
            weight = np.where(
                np.arange(lowest + 1) <= known, 1 - fitted[known + 1] / fitted[: lowest + 1], 0
            )
            error = of_mean[lowest + 1 :].sum()  # of the mean of all
            for k in range(lowest + 1):  # of each level's units about their unit above
                parts = of_mean * freedom[k]
                true, noise = parts[k : lowest + 1].sum(), parts[lowest + 1 :].sum()
                error += (1 - weight[k]) ** 2 * true + weight[k] ** 2 * noise
            if target == "new":
                error += sd[names[last]] ** 2
            rows[model][target] = math.sqrt(error)
    return pd.DataFrame.from_dict(rows, orient="index")


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


def merged(names: Sequence[str], kept: Sequence[str]) -> NDArray[np.intp]:
    """Return, for each nested level, the place of the level that holds its squares in a model."""
    unknown = isinstance(kept, str) or set(kept) - set(names)
    require(not unknown, f"a model is a list of levels, some of {list(names)}", kept)
    into, at = [], len(names) - 1
    for place in range(len(names) - 1, -1, -1):
        at = place if names[place] in kept else at
        into.append(at)
    return np.array(into[::-1])


def check_given(given_by: str, count: Mapping[str, int]) -> None:
    known = isinstance(given_by, str) and given_by in count
    require(known, f"given_by must be one of {list(count)}", given_by)
    even = count[given_by] % 2 == 0
    require(even, f"half of the {given_by}s are treated, so their count must be even",
             count[given_by])  # fmt: skip


def require(holds: bool, rule: str, value: object) -> None:
    if not holds:
        raise ValueError(f"{rule}; got {value!r}")
