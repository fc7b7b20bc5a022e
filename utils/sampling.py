"""Posterior draws held to the exact posterior, and the figures that show where a sampler fails.

Examples
--------
>>> import arviz as az
>>> from scipy import stats
>>> from utils import exact
>>> effect, se = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]
>>> judge = exact.normal_means(effect, se, tau=stats.halfcauchy(scale=5), beta=(0, 5))
>>> drawn = judge.draws(4000, rng=1)
>>> fair = {"intercept": drawn["beta"][:, 0], "tau": drawn["tau"]}
>>> fair = {name: values.reshape(4, 1000) for name, values in fair.items()}
>>> off = against_exact(az.from_dict({"posterior": fair}), judge)["off_in_sd"]
>>> bool(off.abs().max() < 0.1)
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
import xarray as xr

from utils import bayes
from utils._sampling_figures import (
    chain_lines,
    energy_lines,
    ess_lines,
    funnel_cloud,
    funnel_shades,
    run_dots,
)
from utils.exact import Posterior

__all__ = [
    "against_exact",
    "chain_lines",
    "energy_lines",
    "ess_lines",
    "funnel_cloud",
    "funnel_shades",
    "run_dots",
    "scoreboard",
]

_OURS = MappingProxyType({"hospital_sd": "tau", "patient_sd": "sigma"})


def against_exact(
    idata: xr.DataTree,
    judge: Posterior,
    *,
    names: Mapping[str, str] = _OURS,
    effects: str | None = None,
) -> pd.DataFrame:
    """Return how far the means of posterior draws lie from the exact posterior means.

    Parameters
    ----------
    idata : xarray.DataTree
        Draws, with a group ``posterior``.
    judge : Posterior
        The exact posterior of the same model, from `utils.exact`.
    names : mapping of str to str
        What a variable of the draws is called in `judge`, where that differs. What the draws
        lack is left out.
    effects : str, optional
        The variable of the draws that holds `judge.hospitals`, in the same order.

    Returns
    -------
    DataFrame
        One row a parameter: `mean` and `mcse` of the draws, `exact` mean, `exact_sd`, and the
        difference `off_in_sd` (in exact posterior SDs) and `off_in_mcse`.

    Raises
    ------
    ValueError
        If the draws and the exact posterior have no parameter in common, or `effects` has another
        number of hospitals.

    Notes
    -----
    An honest run is off by few Monte Carlo errors (MCSE). A run that misses a part of the
    posterior may claim a small MCSE all the same, so look at the SDs too.
    """
    back = {exact: ours for ours, exact in names.items()}
    known = judge.parameters.rename(index=lambda name: back.get(name, name))
    drawn = list(idata.posterior.data_vars)
    known = known[known.index.isin(drawn)]
    wanted = [*known.index, *([] if effects is None else [effects])]
    if not wanted:
        raise ValueError(
            f"no parameter in common: the draws have {drawn}, the exact posterior "
            f"{list(judge.names)}; say in names which is which"
        )
    summary = bayes.summary(idata, var_names=wanted)
    if effects is not None:
        ours = summary.index[summary.index.str.startswith(f"{effects}[")]
        if len(ours) != len(judge.hospitals):
            raise ValueError(
                f"{effects} must have one entry for each of the {len(judge.hospitals)} hospitals "
                f"of the exact posterior, got {len(ours)}"
            )
        known = pd.concat([known, judge.hospitals[["mean", "sd"]].set_axis(ours)])
    table = summary.loc[known.index, ["mean", "mcse"]]
    table[["exact", "exact_sd"]] = known[["mean", "sd"]]
    gap = table["mean"] - table["exact"]
    table["off_in_sd"] = gap / table["exact_sd"]
    with np.errstate(divide="ignore", invalid="ignore"):
        table["off_in_mcse"] = gap / table["mcse"]
    return table


def scoreboard(
    runs: Mapping[str, Sequence[xr.DataTree]],
    judge: Posterior,
    *,
    names: Mapping[str, str] = _OURS,
    effects: str | None = None,
) -> pd.DataFrame:
    """Return how several ways to sample one posterior do, judged by the exact one.

    Parameters
    ----------
    runs : mapping of str to sequence of xarray.DataTree
        A way to sample -> its runs, at least one, alike but for their seeds.
    judge, names, effects
        As for `against_exact`.

    Returns
    -------
    DataFrame
        One row a way. `runs that pass` every check of `utils.bayes.diagnose`; `divergences`,
        `R-hat` and `bulk ESS` of the worst parameter, each in the middle run; for each parameter
        but the effects `... off`, the root mean square over the runs of the mean's error in
        posterior SDs; and over all means of all runs `most off (SD)` and `most off (MCSE)`, the
        largest error, effects included.

    Raises
    ------
    ValueError
        If a way has no run, or as in `against_exact`.

    Examples
    --------
    >>> import arviz as az
    >>> from scipy import stats
    >>> from utils import exact
    >>> judge = exact.normal_means([0, 4, 8], [3, 3, 3], tau=stats.halfnorm(scale=5), beta=(0, 5))
    >>> drawn = judge.draws(4000, rng=1)
    >>> run = az.from_dict({"posterior": {"hospital_sd": drawn["tau"].reshape(4, 1000)}})
    >>> scoreboard({"exact draws": [run]}, judge)["runs that pass"].tolist()
    [1]
    """
    rows = {}
    for way, group in runs.items():
        if len(group) == 0:
            raise ValueError(f"a way to sample must have at least one run; {way!r} has none")
        verdicts = [bayes.diagnose(run) for run in group]
        worst = pd.concat([verdict.table["worst"] for verdict in verdicts], axis=1).median(axis=1)
        gaps = [against_exact(run, judge, names=names, effects=effects) for run in group]
        off = pd.concat([gap["off_in_sd"] for gap in gaps], axis=1)
        own = [name for name in off.index if effects is None or not name.startswith(f"{effects}[")]
        typical = np.sqrt((off.loc[own] ** 2).mean(axis=1))
        rows[way] = {
            "runs that pass": sum(verdict.ok for verdict in verdicts),
            **worst[["divergences", "R-hat", "bulk ESS"]],
            **{f"{name} off": value for name, value in typical.items()},
            "most off (SD)": off.abs().max(axis=None),
            "most off (MCSE)": max(gap["off_in_mcse"].abs().max() for gap in gaps),
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.astype({"runs that pass": int})
