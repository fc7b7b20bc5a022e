"""The funnel in closed form: one hospital's effect and the SD between hospitals, two ways.

With the overall mean and the patients' SD known, a hospital's own mean lies d from the overall
mean, d ~ N(u, s²), u ~ N(0, hospital_sd²), s = patient_sd / √n. The posterior of hospital_sd and
u is then known up to a constant, and so is that of hospital_sd and z = u / hospital_sd. A sampler
walks in one set of coordinates or the other: centred (u) or non-centred (z). With the shrinkage
weight w = hospital_sd² / (hospital_sd² + s²),

    given hospital_sd:   u ~ N(w d, s² w)         z ~ N(w d / hospital_sd, 1 - w)

so the centred coordinate is narrow where w is small, the non-centred one where w is near 1.

Examples
--------
>>> funnel(patients_per_hospital=4, hospital_sd=4).rounder
'non-centred'
>>> funnel(patients_per_hospital=100, hospital_sd=4).rounder
'centred'
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr

__all__ = [
    "ACROSS",
    "PATIENT_SD",
    "PRIOR_SD",
    "SHADES",
    "UP",
    "Coordinates",
    "Funnel",
    "funnel",
    "shades",
]

PATIENT_SD = 12.0  # mmHg, taken as known
PRIOR_SD = 5.0  # scale of the half-normal prior of hospital_sd, mmHg
SHADES = (0.95, 0.8, 0.5)  # share of the posterior that each shade holds, outermost first
ACROSS = np.linspace(-4, 4, 161)  # the coordinate, in SDs from its mean
UP = np.linspace(-4.5, 3, 151)  # log hospital_sd, in SDs from its mean
_FINE = np.geomspace(1e-4, 400, 1201)  # hospital_sd for the moments, mmHg
_ENDS = (0.05, 0.5, 0.95)
_PLACE = 1.5  # the hospital that is shown lies about this many SDs above the overall mean

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The posterior in one set of coordinates.

    Attributes
    ----------
    name : str
        "centred" or "non-centred".
    density : array, shape (151, 161)
        Of log hospital_sd (`UP`) and the coordinate (`ACROSS`), each in SDs from its mean, as a
        sampler sees them once it has learned their scales. Averaged over each cell, relative to
        the highest.
    widths : tuple of three float
        SD of the coordinate given hospital_sd, where that is at its posterior 5 %, 50 % and 95 %
        points.
    overall : float
        SD of the coordinate, whatever hospital_sd. In mmHg for u; z has no unit.
    correlation : float
        Of the coordinate with log hospital_sd.
    """

    name: str
    density: Floats
    widths: tuple[float, float, float]
    overall: float
    correlation: float

    @property
    def roundness(self) -> float:
        """The narrowest width over the SD overall: 1 if round, near 0 in a funnel."""
        return min(self.widths) / self.overall


@dataclass(frozen=True, eq=False)
class Funnel:
    """One posterior, in two sets of coordinates.

    Attributes
    ----------
    patients_per_hospital, hospital_sd, n_hospitals
        What was set; hospital_sd in mmHg.
    own_mean : float
        How far the own mean of the hospital that is shown lies above the overall mean, mmHg.
    sd_points : tuple of three float
        Posterior 5 %, 50 % and 95 % points of hospital_sd, mmHg.
    places : tuple of three float
        Where these points lie in `UP`: SDs of log hospital_sd from its mean.
    weights : tuple of three float
        The shrinkage weight at these points.
    centred, noncentred : Coordinates
    """

    patients_per_hospital: int
    hospital_sd: float
    n_hospitals: int
    own_mean: float
    sd_points: tuple[float, float, float]
    places: tuple[float, float, float]
    weights: tuple[float, float, float]
    centred: Coordinates
    noncentred: Coordinates

    @property
    def rounder(self) -> str:
        """Which coordinates are rounder; "neither" within 10 %."""
        ratio = self.centred.roundness / self.noncentred.roundness
        if 1 / 1.1 < ratio < 1.1:
            return "neither"
        return "centred" if ratio > 1 else "non-centred"


def funnel(*, patients_per_hospital: int, hospital_sd: float, n_hospitals: int = 20) -> Funnel:
    """Return the posterior of hospital_sd and one hospital's effect, in both coordinates.

    The data are typical: the own means of the hospitals are normal quantiles, scaled so that
    their mean square is exactly hospital_sd² + patient_sd² / n.

    Parameters
    ----------
    patients_per_hospital : int
        1 or more, the same in each hospital.
    hospital_sd : float
        The true SD between hospitals, mmHg, 0 or more.
    n_hospitals : int
        2 or more.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    The overall mean and the patients' SD (12 mmHg) are taken as known. hospital_sd has a
    half-normal prior of scale 5 mmHg. The moments are sums over 1,201 values of hospital_sd
    between 0.0001 and 400 mmHg. Betancourt M, Girolami M, arXiv:1312.0906, show the two
    coordinates in a hierarchical model.

    Examples
    --------
    >>> found = funnel(patients_per_hospital=4, hospital_sd=4)
    >>> round(found.centred.roundness, 1), round(found.noncentred.roundness, 1)
    (0.1, 0.7)
    """
    n = patients_per_hospital
    if n != int(n) or n < 1:
        raise ValueError(f"patients_per_hospital must be a whole number of 1 or more, got {n!r}")
    if not 0 <= hospital_sd < np.inf:
        raise ValueError(f"hospital_sd must be 0 or more, got {hospital_sd!r}")
    if n_hospitals != int(n_hospitals) or n_hospitals < 2:
        raise ValueError(f"n_hospitals must be a whole number of 2 or more, got {n_hospitals!r}")
    error = PATIENT_SD**2 / n
    places = stats.norm.ppf((np.arange(n_hospitals) + 0.5) / n_hospitals)
    means = places * np.sqrt((hospital_sd**2 + error) / np.mean(places**2))
    shown = int(np.argmin(np.abs(places - _PLACE)))
    own, squares = float(means[shown]), float(means @ means)

    problem = _Problem(own, error, squares, int(n_hospitals))
    points = np.exp(np.interp(_ENDS, np.cumsum(problem.weight), np.log(_FINE)))
    return Funnel(
        patients_per_hospital=int(n),
        hospital_sd=float(hospital_sd),
        n_hospitals=int(n_hospitals),
        own_mean=own,
        sd_points=_three(points),
        places=_three((np.log(points) - problem.middle) / problem.spread),
        weights=_three(points**2 / (points**2 + error)),
        centred=problem.coordinates("centred", points),
        noncentred=problem.coordinates("non-centred", points),
    )


def shades(density: Floats) -> NDArray[np.intp]:
    """Return for each cell in how many of the `SHADES` it lies: 3 in the densest half, 0 outside.

    Parameters
    ----------
    density : array
        On a grid of equal cells; any scale.

    Examples
    --------
    >>> shades(np.array([0.01, 0.29, 0.6, 0.1])).tolist()
    [0, 2, 3, 1]
    """
    flat = np.sort(density, axis=None)[::-1]
    held = np.cumsum(flat)
    before = (held - flat) / held[-1]  # the share in cells that are denser still
    limits = flat[[np.searchsorted(before, share) - 1 for share in SHADES]]
    return (density[..., None] >= limits).sum(axis=-1)


def _three(values: Floats) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third


class _Problem:
    """The posterior of log hospital_sd, and of a coordinate given hospital_sd."""

    def __init__(self, own: float, error: float, squares: float, hospitals: int) -> None:
        self.own, self.error, self.squares, self.hospitals = own, error, squares, hospitals
        height = self.log_height(_FINE)
        weight = np.exp(height - height.max())
        self.weight = weight / weight.sum()
        self.middle = float(self.weight @ np.log(_FINE))
        self.away = np.log(_FINE) - self.middle
        self.spread = float(np.sqrt(self.weight @ self.away**2))

    def log_height(self, sd: Floats) -> Floats:
        """Return the log density of log hospital_sd, all effects integrated out."""
        variance = sd**2 + self.error
        prior = -0.5 * (sd / PRIOR_SD) ** 2 + np.log(sd)  # of the logarithm
        return prior - 0.5 * (self.hospitals * np.log(variance) + self.squares / variance)

    def conditional(self, name: str, sd: Floats) -> tuple[Floats, Floats]:
        """Return mean and SD of the coordinate, given hospital_sd."""
        weight = sd**2 / (sd**2 + self.error)
        if name == "centred":
            return weight * self.own, np.sqrt(self.error * weight)
        return weight * self.own / sd, np.sqrt(self.error / (sd**2 + self.error))

    def coordinates(self, name: str, points: Floats) -> Coordinates:
        mean, sd = self.conditional(name, _FINE)
        middle = self.weight @ mean
        overall = np.sqrt(self.weight @ (sd**2 + (mean - middle) ** 2))
        covariance = self.weight @ ((mean - middle) * self.away)

        at = np.exp(self.middle + self.spread * UP)
        mean, sd = self.conditional(name, at)
        # What a cell holds, not the height at its middle: the neck may be narrower than a cell.
        half = (ACROSS[1] - ACROSS[0]) / 2
        edges = middle + overall * np.append(ACROSS - half, ACROSS[-1] + half)
        inside = np.diff(ndtr((edges - mean[:, None]) / sd[:, None]), axis=1)
        height = self.log_height(at)
        held = np.exp(height - height.max())[:, None] * inside
        return Coordinates(
            name=name,
            density=held / held.max(),
            widths=_three(self.conditional(name, points)[1]),
            overall=float(overall),
            correlation=float(covariance / (overall * self.spread)),
        )
