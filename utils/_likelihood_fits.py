"""What utils.likelihood returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from utils._likelihood_blocks import Floats


@dataclass(frozen=True)
class Fit:
    """What both fits have.

    Attributes
    ----------
    beta, se, df : array, shape (..., p)
        Generalised least squares estimates, their standard errors (X'V⁻¹X)⁻¹ to the half, and
        Satterthwaite's degrees of freedom.
    covariance : array, shape (..., p, p)
        Of beta.
    hospital_sd, patient_sd : float or array, shape (...)
        Standard deviations, in the unit of y. `hospital_sd` is 0 exactly where the likelihood
        is largest there.
    loglik : float or array, shape (...)
        Log-likelihood, or restricted log-likelihood, with all constants: lme4's convention.
    converged : bool or array, shape (...)
        Whether no step could improve the fit any more.
    """

    beta: Floats
    se: Floats
    df: Floats
    covariance: Floats
    hospital_sd: Floats
    patient_sd: Floats
    loglik: Floats
    converged: NDArray[np.bool_]
    reml: bool

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return lower and upper ends of the t intervals of beta, each of shape (..., p).

        Raises
        ------
        ValueError
            If `level` is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ValueError(f"level must be between 0 and 1, got {level!r}")
        half = stats.t.ppf(0.5 + level / 2, self.df) * self.se
        return self.beta - half, self.beta + half


@dataclass(frozen=True)
class InterceptFit(Fit):
    """A fitted random-intercept model, or many.

    Besides the attributes that follow it has `beta`, `se`, `df`, `covariance`, `hospital_sd`,
    `patient_sd`, `loglik`, `converged`, `reml` and `interval(level)`.

    Attributes
    ----------
    icc : float or array, shape (...)
        Intraclass correlation.
    effects, effect_sd, weight : array, shape (..., hospitals)
        Predicted hospital effects (BLUPs), their conditional standard deviations, and the
        weights of the hospitals' own residual means.
    """

    icc: Floats
    effects: Floats
    effect_sd: Floats
    weight: Floats


@dataclass(frozen=True)
class SlopeFit(Fit):
    """A fitted model with correlated intercepts and slopes, or many.

    Besides the attributes that follow it has `beta`, `se`, `df`, `covariance`, `hospital_sd`,
    `patient_sd`, `loglik`, `converged`, `reml` and `interval(level)`.

    Attributes
    ----------
    slope_sd, correlation : float or array, shape (...)
        Standard deviation of the slopes, in units of y per unit of the covariate, and the
        correlation of intercepts and slopes (not a number where either does not vary).
    singular : bool or array, shape (...)
        Whether the optimum lies on the boundary: an SD of 0 or a correlation of -1 or 1.
    effects, effect_sd : array, shape (..., 2, hospitals)
        Predicted intercepts and slopes of the hospitals, and conditional standard deviations.
    """

    slope_sd: Floats
    correlation: Floats
    singular: NDArray[np.bool_]
    effects: Floats
    effect_sd: Floats
