"""League tables of hospitals: how sure their places are, and how often the top one is right.

Examples
--------
>>> drawn = np.random.default_rng(1).normal([0, 0, 3], 1, (4000, 3))
>>> table = rank_table(drawn, ["A", "B", "C"])
>>> int(table.loc["C", "high"]), bool(table.loc["C", "P(highest)"] > 0.9)
(3, True)
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from utils.plots import PALETTE

__all__ = ["SIZES", "League", "draw_places", "league", "rank_table", "top_is_true"]

SIZES = np.array([5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 400, 500])  # patients per hospital
_LEAGUES, _MOST, _DRAWS = 2000, 60, 1000


def rank_table(effects: ArrayLike, names: Sequence[str]) -> pd.DataFrame:
    """Return what posterior draws say of each hospital's place.

    Parameters
    ----------
    effects : array-like, shape (n_draws, n_hospitals)
        Draws of the hospitals' effects, a joint draw in each row.
    names : sequence of str
        Names of the hospitals.

    Returns
    -------
    DataFrame
        Index ``names``. ``place`` (median; 1 is the lowest effect), ``low`` and ``high`` (95 %
        interval of the place, whole numbers), ``P(highest)``, ``P(lowest)``.

    Raises
    ------
    ValueError
        If `effects` is not a finite table with a column for each name, of at least two hospitals.
    """
    drawn = np.asarray(effects, dtype=float)
    if drawn.ndim != 2 or drawn.shape[1] != len(names) or drawn.shape[1] < 2 or not len(drawn):
        raise ValueError(
            "effects must have a row for each draw and a column for each of at least two "
            f"hospitals; got shape {drawn.shape} for {len(names)} names"
        )
    if not np.isfinite(drawn).all():
        raise ValueError("effects must be finite numbers; at least one is not")
    places = _places(drawn)
    low, middle, high = np.quantile(places, [0.025, 0.5, 0.975], axis=0, method="nearest")
    return pd.DataFrame(
        {
            "place": middle.astype(int),
            "low": low.astype(int),
            "high": high.astype(int),
            "P(highest)": (places == drawn.shape[1]).mean(axis=0),
            "P(lowest)": (places == 1).mean(axis=0),
        },
        index=pd.Index(names, name="hospital"),
    )


def _places(drawn: np.ndarray) -> np.ndarray:
    """Return the place of each hospital in each row, 1 for the lowest."""
    return drawn.argsort(axis=1).argsort(axis=1) + 1


@functools.cache
def _normals() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return fixed normal numbers: true effects, noise, and draws for one league.

    The same numbers serve every setting, so that a slider moves what it says and nothing else.
    """
    rng = np.random.default_rng(18)
    shape = (_LEAGUES, _MOST)
    true, noise = rng.standard_normal(shape), rng.standard_normal(shape)
    return true, noise, rng.standard_normal((_DRAWS, _MOST))


def _weight(icc: float, patients: ArrayLike) -> np.ndarray:
    """Return the shrinkage weight: the share of a mean's variance that is the hospital's own."""
    n = np.asarray(patients, dtype=float)
    return n * icc / (n * icc + 1 - icc)


def top_is_true(n_hospitals: int, icc: float, patients: ArrayLike) -> np.ndarray:
    """Return the chance that the hospital on top of the table is the one that is truly highest.

    Parameters
    ----------
    n_hospitals : int
        2 to 60 hospitals of equal size.
    icc : float
        Intraclass correlation, 0 to below 1.
    patients : array-like
        Patients per hospital, one or several numbers, each at least 1.

    Returns
    -------
    ndarray
        A chance for each number of patients: the share of 2,000 simulated leagues. Its Monte
        Carlo standard error is .011 at most.

    Notes
    -----
    A hospital's mean and its true effect are normal with correlation sqrt(weight). For two
    hospitals the chance is 1/2 + arcsin(sqrt(weight))/pi, by Sheppard's formula for a quadrant.

    Examples
    --------
    >>> chance = top_is_true(2, 0.1, [20])
    >>> weight = 20 * 0.1 / (20 * 0.1 + 0.9)
    >>> bool(abs(chance[0] - (0.5 + np.arcsin(weight**0.5) / np.pi)) < 0.03)
    True
    """
    _check(n_hospitals, icc, patients)
    true, noise, _ = (part[:, :n_hospitals] for part in _normals())
    best = true.argmax(axis=1)
    weights = np.atleast_1d(_weight(icc, patients))
    shown = (
        (np.sqrt(w) * true + np.sqrt(1 - w) * noise).argmax(axis=1) for w in weights
    )  # one at a time: a league fits into the cache
    return np.array([(top == best).mean() for top in shown])


def _check(n_hospitals: int, icc: float, patients: ArrayLike) -> None:
    if not (isinstance(n_hospitals, int | np.integer) and 2 <= n_hospitals <= _MOST):
        raise ValueError(
            f"n_hospitals must be a whole number from 2 to {_MOST}, got {n_hospitals!r}"
        )
    if not 0 <= icc < 1:
        raise ValueError(f"icc must lie from 0 to below 1, got {icc!r}")
    if not np.all(np.asarray(patients, dtype=float) >= 1):
        raise ValueError(f"patients must be at least 1, got {patients!r}")


@dataclass(frozen=True, eq=False)
class League:
    """One league of hospitals, and what such leagues are worth.

    Attributes
    ----------
    n_hospitals, patients, icc : int, int, float
        As asked for.
    weight : float
        The shrinkage weight of each hospital.
    places : DataFrame
        As `rank_table`, sorted by the table's order, lowest first, with ``truth``: the true place.
    chance : float
        That the hospital on top is the one that is truly highest.
    curve : ndarray, shape (12,)
        The same chance for each of `SIZES` patients per hospital.
    mean_width : float
        Mean width of the hospitals' 95 % intervals, in places.
    """

    n_hospitals: int
    patients: int
    icc: float
    weight: float
    places: pd.DataFrame
    chance: float
    curve: np.ndarray
    mean_width: float


def league(*, n_hospitals: int, patients: int, icc: float) -> League:
    """Return a simulated league with its places, and the worth of such leagues.

    Parameters
    ----------
    n_hospitals, patients, icc
        As for `top_is_true`; `patients` is one number.

    Notes
    -----
    Mean and SD between hospitals are taken as known. A hospital's effect, in units of that SD, is
    then normal with mean weight times its mean's deviation and variance 1 − weight.
    """
    n_hospitals, patients = int(n_hospitals), int(patients)
    chances = top_is_true(n_hospitals, icc, [patients, *SIZES])
    true, noise, draws = (part[:, :n_hospitals] for part in _normals())
    weight = float(_weight(icc, patients))
    middle = weight * true[0] + np.sqrt(weight * (1 - weight)) * noise[0]  # posterior means
    order = middle.argsort() if weight > 0 else noise[0].argsort()
    drawn = (middle + np.sqrt(1 - weight) * draws)[:, order]
    places = rank_table(drawn, [f"H{k + 1:02d}" for k in order])
    places["truth"] = _places(true[:1])[0, order]
    return League(
        n_hospitals, patients, float(icc), weight, places,
        float(chances[0]), chances[1:], float((places["high"] - places["low"]).mean()),
    )  # fmt: skip


def draw_places(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the 95 % interval of each hospital's place, in the order of the table.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        As `rank_table` gives it.
    """
    at = np.arange(len(table))
    ax.hlines(at, table["low"], table["high"], color=PALETTE["posterior"], linewidth=3)
    ax.plot(table["place"], at, "o", color="white", markeredgecolor=PALETTE["posterior"])
    ax.set_yticks(at, table.index)
    ax.set(xlim=(0.3, len(table) + 0.7), ylim=(-0.7, len(table) - 0.3))
