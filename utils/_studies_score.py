"""What many analyses are worth against the truth, and what a test that chooses makes of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats


def scoreboard(trials: pd.DataFrame, truth: float, *, alpha: float = 0.05) -> pd.DataFrame:
    """Score each method against the truth.

    Parameters
    ----------
    trials : DataFrame
        As `analyse_many` or `two_arm_trials` returns it.
    truth : float
        The true effect, in the unit of the estimates.
    alpha : float
        Level of the test in ``rejects_%``.

    Returns
    -------
    DataFrame
        One row a method: ``bias`` (mean estimate less truth), ``scatter`` (SD of the estimates,
        which is their true standard error), ``claimed`` (mean reported standard error),
        ``coverage_%`` (intervals that hold the truth), ``rejects_%`` (p-values below alpha: the
        type-I error where the truth is 0, else the power) and ``df`` (median degrees of freedom).

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> from utils.studies import two_arm_trials
    >>> trials = two_arm_trials(400, assignment="hospital", treatment_effect=-5, rng=1)
    >>> scoreboard(trials, -5).loc[["naive", "hospital means"], "coverage_%"].round(-1).tolist()
    [70.0, 90.0]
    """
    _need(trials, "estimate", "standard_error", "lower", "upper", "p_value", "degrees_of_freedom")
    scored = pd.DataFrame(
        {
            "method": trials["method"],
            "estimate": trials["estimate"],
            "claimed": trials["standard_error"],
            "covered": (trials["lower"] < truth) & (truth < trials["upper"]),
            "rejected": trials["p_value"] < alpha,
            "df": trials["degrees_of_freedom"],
        }
    ).groupby("method", observed=True, sort=False)
    board = pd.DataFrame({"bias": scored["estimate"].mean() - truth})
    board["scatter"] = scored["estimate"].std()
    board["claimed"] = scored["claimed"].mean()
    board["coverage_%"] = 100 * scored["covered"].mean()
    board["rejects_%"] = 100 * scored["rejected"].mean()
    board["df"] = scored["df"].median()
    return board


def chosen_by_hausman(
    trials: pd.DataFrame,
    *,
    precise: str = "random intercept, t",
    cautious: str = "hospital dummies",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Let Hausman's test choose between two analyses of each data set.

    Parameters
    ----------
    trials : DataFrame
        As `analyse_many` returns it, with both methods.
    precise, cautious : str
        The method that is kept unless the two differ significantly, and the one taken then.
    alpha : float
        Level of the test.

    Returns
    -------
    DataFrame
        The rows of the chosen analyses, one a data set: ``method`` is "chosen by test", and
        ``prefers`` the method that was chosen.

    Raises
    ------
    ValueError
        If a method or a column is missing.

    Notes
    -----
    The statistic is (difference of the estimates)² over the difference of their squared standard
    errors, chi-square with 1 degree of freedom if the precise method is right (Hausman JA,
    Econometrica 1978; 46: 1251-1271). In a sample the difference of squared standard errors may
    be 0 or negative. There is no test then, and the precise method is kept.

    Examples
    --------
    >>> columns = {"trial": [0, 0], "estimate": [1.0, 5.0], "standard_error": [1.0, 1.2]}
    >>> trials = pd.DataFrame(columns | {"method": ["random intercept, t", "hospital dummies"]})
    >>> chosen_by_hausman(trials)["estimate"].tolist()
    [5.0]
    """
    _need(trials, "trial", "estimate", "standard_error")
    lost = {precise, cautious} - set(trials["method"].astype(str))
    if lost:
        raise ValueError(f"trials must hold the methods {precise!r} and {cautious!r}; not {lost}")
    first, second = (
        trials[trials["method"].astype(str) == name].set_index("trial").sort_index()
        for name in (precise, cautious)
    )
    extra = second["standard_error"] ** 2 - first["standard_error"] ** 2
    difference = second["estimate"] - first["estimate"]
    differs = (extra > 0) & (difference**2 > stats.chi2.isf(alpha, 1) * extra)
    chosen = first.where(~differs, second).assign(method="chosen by test")
    return chosen.assign(prefers=np.where(differs, cautious, precise)).reset_index()


def _need(trials: pd.DataFrame, *columns: str) -> None:
    lost = sorted({"method", *columns} - set(trials.columns))
    if lost:
        raise ValueError(f"trials must have the columns {', '.join(columns)}; missing: {lost}")
