"""One hospital's odds ratio and that of the averages: the same model, two numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtri

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(101)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
HOSPITALS = ndtri((np.arange(21) + 0.5) / 21)  # standard normal places of 21 hospitals

__all__ = ["HOSPITALS", "Marginal", "average_risk", "marginal", "odds"]


@dataclass(frozen=True, eq=False)
class Marginal:
    """Risks of untreated and treated patients, in one hospital and on average.

    Attributes
    ----------
    typical_risk, odds_ratio, hospital_sd : float
        What was asked for; the risk in per cent.
    hospitals : ndarray, shape (21, 2)
        Risks in 21 hospitals from the lowest to the highest, untreated and treated.
    typical, average : ndarray, shape (2,)
        Risk in the hospital with u = 0, and averaged over all hospitals.
    marginal_odds_ratio : float
        Odds ratio of the two average risks.
    """

    typical_risk: float
    odds_ratio: float
    hospital_sd: float
    hospitals: Floats
    typical: Floats
    average: Floats
    marginal_odds_ratio: float


def odds(risk: ArrayLike) -> Floats:
    """Return risk / (1 - risk).

    Examples
    --------
    >>> float(odds(0.2))
    0.25
    """
    risk = np.asarray(risk, float)
    return risk / (1 - risk)


def average_risk(log_odds: ArrayLike, hospital_sd: ArrayLike) -> Floats:
    """Return the risk averaged over hospitals whose log odds are normal.

    E[expit(log_odds + u)] with u ~ N(0, hospital_sd²), by Gauss-Hermite quadrature.

    Parameters
    ----------
    log_odds : array-like
        In the hospital with u = 0.
    hospital_sd : array-like
        SD of u, 0 to 5; broadcast against log_odds, such as draws of both.

    Returns
    -------
    ndarray, of the two shapes broadcast

    Raises
    ------
    ValueError
        If hospital_sd is out of its range: beyond 5 the quadrature is not accurate.

    Examples
    --------
    >>> average_risk(0.0, 2.0).round(3).item()
    0.5
    """
    sd = np.asarray(hospital_sd, float)
    bad = sd[~((sd >= 0) & (sd <= 5))]
    if bad.size:
        raise ValueError(f"hospital_sd must lie between 0 and 5, got {bad.flat[0]:g}")
    places = np.asarray(log_odds, float)[..., None] + sd[..., None] * _NODES
    return expit(places) @ _WEIGHTS


def marginal(*, typical_risk: float, odds_ratio: float, hospital_sd: float) -> Marginal:
    """Return what an odds ratio that is the same in every hospital means on average.

    Parameters
    ----------
    typical_risk : float
        Risk of an untreated patient in the hospital with u = 0, per cent, between 0 and 100.
    odds_ratio : float
        Of the treatment, in each hospital; above 0.
    hospital_sd : float
        SD of the hospitals' log odds.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> found = marginal(typical_risk=20, odds_ratio=0.5, hospital_sd=1.5)
    >>> round(found.marginal_odds_ratio, 2)
    0.6
    """
    if not 0 < typical_risk < 100:
        raise ValueError(f"typical_risk must lie between 0 and 100 %, got {typical_risk:g}")
    if not (0 < odds_ratio < np.inf):
        raise ValueError(f"odds_ratio must be a number above 0, got {odds_ratio:g}")
    log_odds = logit(typical_risk / 100) + np.array([0.0, np.log(odds_ratio)])
    average = average_risk(log_odds, hospital_sd)
    untreated, treated = odds(average)
    return Marginal(
        typical_risk, odds_ratio, hospital_sd,
        expit(log_odds + hospital_sd * HOSPITALS[:, None]), expit(log_odds), average,
        float(treated / untreated),
    )  # fmt: skip
