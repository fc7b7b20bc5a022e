"""What four estimators make of confounding by hospital: large-sample limits and many registries.

A registry has J hospitals of n patients each. Hospital j has the score z_j, standard normal, and
the intercept effect hospital_sd · z_j. Its patients get the drug with chance
expit(confounding · z_j), as in `utils.simulate.med_trial` with "sicker hospitals more". All
estimators are functions of six sums of squares, three within hospitals and three between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri, expit, ndtri

Floats = NDArray[np.float64]

_WIDEST = np.log(1e4)  # of the variance ratio that is searched
_SCORES = ndtri((np.arange(400) + 0.5) / 400)  # stand for the normal law of hospitals


@dataclass(frozen=True)
class Sums:
    """Sums of squares of a registry with equal hospitals, or of many; arrays of one shape.

    Attributes
    ----------
    within : array
        Of treatment, around the hospitals' shares.
    slope : array
        Effect estimated within hospitals, mmHg.
    rest : array
        Of the outcome within hospitals, once that effect is taken off, mmHg².
    between, cross, outcome : array
        Between hospitals, each counted n times: of the shares, of shares with means (mmHg), of
        the means (mmHg²).
    """

    within: Floats
    slope: Floats
    rest: Floats
    between: Floats
    cross: Floats
    outcome: Floats

    def pooled(self) -> Estimate:
        """Return the least squares estimate: both comparisons, weighted by sums of squares."""
        return self._at(np.ones_like(self.within))

    def random_intercept(
        self, patients: ArrayLike, hospitals: float, *, reml: bool = True
    ) -> Estimate:
        """Return the random intercept's estimate at the most likely variances.

        Parameters
        ----------
        patients : int or array
            Patients of each hospital.
        hospitals : float
            Number of hospitals; 1 for the limit of many, with sums per hospital and ``reml=False``.
        reml : bool
            Restricted or plain likelihood.

        Notes
        -----
        With v = (patient_sd² + n hospital_sd²) / patient_sd², b(v) the generalised least squares
        estimate and rss(v) its sum of squares, REML minimises over v >= 1

        (N - 2) log rss(v) + (J - 1) log v + log(within + between / v),

        since the n - 1 contrasts within a hospital have variance patient_sd² and its mean, times
        the root of n, has variance v patient_sd². ML: N log rss + J log v.
        """
        total = np.asarray(patients) * hospitals - 2 * reml

        def deviance(log_v: Floats) -> Floats:
            weight = np.exp(-log_v)
            strength = self.within + self.between * weight
            b = (self.within * self.slope + self.cross * weight) / strength
            rss = (
                self.rest
                + self.within * (self.slope - b) ** 2
                + (self.outcome - 2 * b * self.cross + b**2 * self.between) * weight
            )
            value = total * np.log(rss) + (hospitals - reml) * log_v
            return value + np.log(strength) if reml else value

        return self._at(np.exp(-_lowest(deviance, self.within.shape)))

    def _at(self, weight: Floats) -> Estimate:
        strength = self.within + self.between * weight
        return Estimate(
            (self.within * self.slope + self.cross * weight) / strength,
            self.between * weight / strength,
        )


class Estimate(NamedTuple):
    """An estimated effect (mmHg), and the weight (0 to 1) of the comparison between hospitals."""

    effect: Floats
    between: Floats


def _lowest(function: Callable[[Floats], Floats], shape: tuple[int, ...]) -> Floats:
    """Return where each of many functions of [0, _WIDEST] is lowest: a grid, then golden cuts."""
    grid = np.linspace(0, _WIDEST, 25)
    best = np.argmin([function(np.full(shape, at)) for at in grid], axis=0)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, len(grid) - 1)]
    golden = (np.sqrt(5) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(14):
        down = at_left < at_right
        low, high = np.where(down, low, left), np.where(down, right, high)
        new = np.where(down, high - golden * (high - low), low + golden * (high - low))
        value = function(new)
        left, right = np.where(down, new, right), np.where(down, left, new)
        at_left, at_right = np.where(down, value, at_right), np.where(down, at_left, value)
    middle = (low + high) / 2
    # The deviance falls towards 0 where hospitals do not differ; there the best is 0 exactly.
    return np.where(function(np.zeros(shape)) <= function(middle), 0.0, middle)


@dataclass(frozen=True)
class Luck:
    """Random numbers of many registries, kept so that each setting meets the same luck.

    Attributes
    ----------
    score, rounding, mean_error : array, shape (registries, hospitals)
        Hospitals' scores; uniform numbers that round the treated up or down; errors of means.
    slope_error, rest : array, shape (registries,)
        Error of the slope within hospitals, normal; uniform numbers for the rest.
    """

    score: Floats
    rounding: Floats
    mean_error: Floats
    slope_error: Floats
    rest: Floats

    @classmethod
    def draw(cls, registries: int, hospitals: int, seed: int) -> Luck:
        """Draw the numbers; slope errors in pairs of opposite sign, so that they average to 0."""
        rng = np.random.default_rng(seed)
        shape = (2 * (registries // 2), hospitals)
        half = rng.standard_normal(registries // 2)
        return cls(
            rng.standard_normal(shape),
            rng.random(shape),
            rng.standard_normal(shape),
            np.concatenate([half, -half]),
            rng.random(shape[0]),
        )


def registries(
    luck: Luck, *, confounding: float, patients: int, hospital_sd: float, patient_sd: float,
    treatment_effect: float,
) -> Sums:  # fmt: skip
    """Return the sums of registries drawn from their exact distributions.

    Parameters
    ----------
    luck : Luck
        The random numbers.
    confounding : float
        Rise in the log-odds of treatment per SD of the hospital effects.
    patients : int
        Of each hospital, 2 or more.
    hospital_sd, patient_sd, treatment_effect : float
        mmHg.

    Notes
    -----
    Given who is treated, the slope within hospitals, the residuals within and the hospitals'
    means are independent: the first is normal with variance patient_sd² / within, the second
    patient_sd² times chi-square with J(n - 1) - 1 degrees of freedom.
    """
    hospitals = luck.score.shape[1]
    expected = patients * expit(confounding * luck.score)
    treated = np.floor(expected + luck.rounding)
    share = treated / patients
    mean = treatment_effect * share + hospital_sd * luck.score
    mean += patient_sd / np.sqrt(patients) * luck.mean_error
    within = (treated * (1 - share)).sum(1)
    dx, dy = share - share.mean(1, keepdims=True), mean - mean.mean(1, keepdims=True)
    return Sums(
        within=within,
        slope=treatment_effect + patient_sd * luck.slope_error / np.sqrt(within),
        rest=patient_sd**2 * chdtri(hospitals * (patients - 1) - 1, luck.rest),
        between=patients * (dx**2).sum(1),
        cross=patients * (dx * dy).sum(1),
        outcome=patients * (dy**2).sum(1),
    )


def limits(
    *, confounding: float, patients: ArrayLike, hospital_sd: float, patient_sd: float,
    treatment_effect: float,
) -> Sums:  # fmt: skip
    """Return the sums per hospital that a registry of very many hospitals tends to.

    Parameters
    ----------
    confounding, patients, hospital_sd, patient_sd, treatment_effect
        See `registries`; `patients` may be an array.
    """
    n = np.asarray(patients, dtype=float)
    chance = expit(confounding * _SCORES)
    part = np.multiply.outer(n, chance) % 1
    rounding = (part * (1 - part)).mean(-1) / n**2  # variance that whole patients add to a share
    spread = chance.var() + rounding
    covariance = hospital_sd * (_SCORES * chance).mean()
    between = n * spread
    cross = n * (treatment_effect * spread + covariance)
    outcome = n * (
        treatment_effect**2 * spread + 2 * treatment_effect * covariance
        + hospital_sd**2 * _SCORES.var()
    ) + patient_sd**2  # fmt: skip
    return Sums(
        within=n * ((chance * (1 - chance)).mean() - rounding),
        slope=np.full(n.shape, float(treatment_effect)),
        rest=(n - 1) * patient_sd**2,
        between=between,
        cross=cross,
        outcome=outcome,
    )
