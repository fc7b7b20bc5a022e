"""Simulated trials with several levels, analysed by mixed models that keep them or leave them out.

Nested or crossed levels, balanced trials only: all follows from one mean square for each level, so
no patient is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from utils.levels import check_given, design, mean_squares, merged, require, treatment_se

__all__ = ["level_scoreboard", "level_trials"]

Floats = NDArray[np.float64]


def level_scoreboard(
    n_trials: int,
    *,
    sds: Mapping[str, float],
    counts: Mapping[str, int],
    models: Mapping[str, Sequence[str]],
    crossed: bool = False,
    treatment_effect: float = 0.0,
    rng: int | np.random.Generator,
) -> pd.DataFrame:
    """Hold models to the truth, for a treatment given at each level in turn.

    Parameters
    ----------
    n_trials, sds, counts, models, crossed, treatment_effect, rng
        As `level_trials`.

    Returns
    -------
    DataFrame
        Indexed by ``given by`` and ``model``: ``bias`` and ``scatter`` (mean error and standard
        deviation of the estimates), ``formula`` (the standard error in closed form), ``claimed``
        (the mean of the standard errors that the model reports) and ``coverage`` (% of the 95 %
        intervals that hold the truth).

    Raises
    ------
    ValueError
        As `level_trials`.

    Examples
    --------
    >>> table = level_scoreboard(
    ...     200, sds={"hospital": 6, "patient": 12}, counts={"hospital": 10, "patient": 8},
    ...     models={"both": ["hospital"]}, rng=1)
    >>> table.index.tolist()
    [('hospital', 'both'), ('patient', 'both')]
    """
    generator, rows = np.random.default_rng(rng), []
    for level in sds:
        trials = level_trials(
            n_trials, sds=sds, counts=counts, given_by=level, models=models,
            crossed=crossed, treatment_effect=treatment_effect, rng=generator,
        )  # fmt: skip
        inside = (trials["lower"] < treatment_effect) & (treatment_effect < trials["upper"])
        by_model = trials.assign(inside=inside).groupby("model", observed=True)
        rows += [
            {
                "given by": level,
                "model": model,
                "bias": part["estimate"].mean() - treatment_effect,
                "scatter": part["estimate"].std(),
                "formula": treatment_se(sds, counts, level, crossed=crossed),
                "claimed": part["standard_error"].mean(),
                "coverage": 100 * part["inside"].mean(),
            }
            for model, part in by_model
        ]
    return pd.DataFrame(rows).set_index(["given by", "model"])


def level_trials(
    n_trials: int,
    *,
    sds: Mapping[str, float],
    counts: Mapping[str, int],
    given_by: str,
    models: Mapping[str, Sequence[str]],
    crossed: bool = False,
    treatment_effect: float = 0.0,
    level: float = 0.95,
    rng: int | np.random.Generator,
) -> pd.DataFrame:
    """Draw many balanced trials with several levels, and analyse each by several mixed models.

    Parameters
    ----------
    n_trials : int
        Number of trials, at least 1.
    sds, counts, given_by
        As `treatment_se`.
    models : mapping of str to sequence of str
        Name of a model -> the levels that have random intercepts in it. The patient is in every
        model; with no other level it is ordinary least squares.
    crossed : bool
        Whether all levels but the patient are crossed with each other; or else each is nested in
        the one before.
    treatment_effect : float
        The truth, in the unit of the SDs.
    level : float
        Level of the confidence intervals, between 0 and 1.
    rng : int or numpy.random.Generator
        Seed or generator.

    Returns
    -------
    DataFrame
        One row a trial and model: ``trial``, ``model``, ``estimate``, ``standard_error``,
        ``degrees_of_freedom``, ``p_value``, ``lower``, ``upper`` and ``deviance``, -2 times the
        restricted log-likelihood but for a constant that all models share.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    In a balanced trial the mean squares of the levels are independent, each its expectation times
    a chi-square over its degrees of freedom, so no patient is drawn. A level that a model leaves
    out gives its sum of squares to the next lower level of the model; below crossed levels that
    is the patient. REML fits each mean square by itself, unless a lower level has the larger one:
    then a variance is estimated as 0, and the two are pooled (Thompson WA, Annals of Mathematical
    Statistics 1962; 33: 273-289). The squared
    standard error is 4/N times the fitted mean square of the treated level, or of that which took
    it over; the degrees of freedom are those of the sums of squares that went into it, as
    Satterthwaite's are where no variance is 0.

    Examples
    --------
    >>> trials = level_trials(
    ...     500, sds={"hospital": 6, "ward": 6, "patient": 12},
    ...     counts={"hospital": 10, "ward": 4, "patient": 9}, given_by="ward",
    ...     models={"all": ["hospital", "ward"], "no wards": ["hospital"]}, rng=1)
    >>> rejected = (trials["p_value"] < 0.05).groupby(trials["model"], observed=True).mean()
    >>> bool(rejected["no wards"] > 0.1 > rejected["all"])
    True
    """
    sd, count = design(sds, counts)
    check_given(given_by, count)
    whole = isinstance(n_trials, Integral) and not isinstance(n_trials, bool)
    require(whole and n_trials >= 1, "n_trials must be a whole number of 1 or more", n_trials)
    require(0 < level < 1, "level must be between 0 and 1", level)
    require(isinstance(models, Mapping) and len(models) > 0, "models must name one", models)
    names = list(sd)
    units = np.cumprod(list(count.values()))
    freedom = np.diff(units, prepend=1)
    if crossed:
        freedom = np.array(list(count.values())) - 1
        freedom[-1] = units[-1] - 1 - freedom[:-1].sum()
    freedom = freedom - (np.array(names) == given_by)
    require(
        np.all(freedom > 0), f"each level needs a degree of freedom, by {names}", freedom.tolist()
    )
    n_patients = int(units[-1])
    generator = np.random.default_rng(rng)
    expected = mean_squares(sd, count, crossed=crossed)
    true_se = treatment_se(sd, count, given_by, crossed=crossed)
    estimate = generator.normal(treatment_effect, true_se, size=int(n_trials))
    squares = (
        expected.to_numpy()
        / freedom
        * generator.chisquare(freedom, size=(int(n_trials), len(names)))
    )
    tables = []
    for model, kept in models.items():
        fitted, used, deviance = _fit(squares, freedom, names, kept, given_by, crossed=crossed)
        tables.append(
            pd.DataFrame(
                {
                    "trial": np.arange(n_trials),
                    "model": model,
                    "estimate": estimate,
                    "standard_error": np.sqrt(4 / n_patients * fitted),
                    "degrees_of_freedom": used,
                    "deviance": deviance,
                }
            )
        )
    table = pd.concat(tables, ignore_index=True)
    table["model"] = pd.Categorical(table["model"], categories=list(models))
    df, se = table["degrees_of_freedom"], table["standard_error"]
    half = se * stats.t.ppf((1 + level) / 2, df)
    table["p_value"] = 2 * stats.t.sf((table["estimate"] / se).abs(), df)
    table["lower"], table["upper"] = table["estimate"] - half, table["estimate"] + half
    order = ["trial", "model", "estimate", "standard_error", "degrees_of_freedom", "p_value"]
    return table[[*order, "lower", "upper", "deviance"]]


def _fit(
    squares: Floats,
    freedom: Floats,
    names: Sequence[str],
    kept: Sequence[str],
    given_by: str,
    *,
    crossed: bool = False,
) -> tuple[Floats, Floats, Floats]:
    """Fit one model to the mean squares of trials.

    Parameters
    ----------
    squares : array, shape (n_trials, levels)
        Mean squares, the top level first; that of the treated level without its effect.
    freedom : array, shape (levels,)
        Their degrees of freedom.
    names, kept : sequence of str
        All levels, and those of the model.
    given_by : str
        The treated level.
    crossed : bool
        Whether all levels but the last are crossed.

    Returns
    -------
    fitted, used, deviance : arrays, shape (n_trials,)
        The mean square under the treatment's effect, the degrees of freedom behind it, and the
        deviance.
    """
    into = merged(names, kept)
    if crossed:
        into = np.where([name in kept for name in names], into, len(names) - 1)
    places = np.unique(into)
    share = (into[:, None] == places).astype(float)
    df = freedom @ share
    fit = _above_the_last if crossed else _falling
    fitted, used, deviance = fit((squares * freedom) @ share / df, df)
    at = int(np.flatnonzero(places == into[list(names).index(given_by)])[0])
    return fitted[:, at], used[:, at], deviance


def _falling(squares: Floats, freedom: Floats) -> tuple[Floats, Floats, Floats]:
    """Fit mean squares that may not rise from the top down, by restricted likelihood.

    Parameters
    ----------
    squares : array, shape (n_trials, k)
        Mean squares, the top level first.
    freedom : array, shape (k,)
        Their degrees of freedom.

    Returns
    -------
    fitted, used : arrays, shape (n_trials, k)
        The isotonic fit, min over a <= k of max over b >= k of the pooled mean square of a to b,
        and the degrees of freedom pooled into it.
    deviance : array, shape (n_trials,)
        Sum of freedom (log fitted + mean square / fitted).
    """
    k = len(freedom)
    ends = np.cumsum(np.pad(freedom, (1, 0)))
    sums = np.cumsum(np.pad(squares * freedom, ((0, 0), (1, 0))), axis=1)
    fitted, used = np.empty_like(squares), np.empty_like(squares)
    for place in range(k):
        best, best_df = np.full(len(squares), np.inf), np.zeros(len(squares))
        for a in range(place + 1):
            high, df = np.full(len(squares), -np.inf), np.zeros(len(squares))
            for b in range(place, k):
                width = ends[b + 1] - ends[a]
                pooled = (sums[:, b + 1] - sums[:, a]) / width
                df = np.where(pooled > high, width, df)
                high = np.maximum(pooled, high)
            best_df = np.where(high < best, df, best_df)
            best = np.minimum(high, best)
        fitted[:, place], used[:, place] = best, best_df
    deviance = (freedom * (np.log(fitted) + squares / fitted)).sum(axis=1)
    return fitted, used, deviance


def _above_the_last(squares: Floats, freedom: Floats) -> tuple[Floats, Floats, Floats]:
    """Fit mean squares none of which may lie below the last, by restricted likelihood.

    Parameters and returns are those of `_falling`. Those below the last are pooled with it, the
    smallest first, until none is left below.
    """
    fitted, used = squares.copy(), np.broadcast_to(freedom, squares.shape).astype(float)
    rows, order = np.arange(len(squares)), np.argsort(squares[:, :-1], axis=1)
    last, df = squares[:, -1].copy(), np.full(len(squares), float(freedom[-1]))
    pooled = np.zeros(squares.shape, dtype=bool)
    pooled[:, -1] = True
    for at in order.T:
        low = squares[rows, at] < last
        width = df + freedom[at]
        joined = (df * last + freedom[at] * squares[rows, at]) / width
        last, df = np.where(low, joined, last), np.where(low, width, df)
        pooled[rows, at] = low
    fitted = np.where(pooled, last[:, None], fitted)
    used = np.where(pooled, df[:, None], used)
    deviance = (freedom * (np.log(fitted) + squares / fitted)).sum(axis=1)
    return fitted, used, deviance
