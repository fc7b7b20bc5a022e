"""The likelihood of the normal model with hospital effects, from sums over each hospital.

    y_ij = x_ij' beta + u_j + e_ij,   u_j ~ N(0, hospital_sd²),   e_ij ~ N(0, patient_sd²),

for patient i of hospital j; and the same with a slope that differs between hospitals. The data
enter through a few sums per hospital. Given the ratio hospital_sd / patient_sd all else has a
closed form, so that the model is a curve in one dimension. Many data sets are fitted in one call.

Examples
--------
>>> import numpy as np
>>> from utils.simulate import med_trial
>>> data = med_trial(n_hospitals=30, patients_per_hospital=20, rng=1).data
>>> X = np.column_stack([np.ones(len(data)), data["treated"]])
>>> found = fit_intercept(sums(data["sbp"], X, data["hospital"]))
>>> bool(4 < found.hospital_sd < 8), bool(11 < found.patient_sd < 13)
(True, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from utils import _likelihood_blocks as engine
from utils import _likelihood_solve as solve
from utils._likelihood_blocks import Blocks, Floats
from utils._likelihood_fits import InterceptFit, SlopeFit
from utils._likelihood_sums import check_hospitals, check_sizes, make_blocks
from utils._patients import codes_of, numbers

__all__ = [
    "InterceptFit",
    "SlopeFit",
    "Sums",
    "fit_intercept",
    "fit_slope",
    "joint_loglik",
    "profile_loglik",
    "ratio_loglik",
    "slope_loglik",
    "stack",
    "sums",
]


@dataclass(frozen=True, repr=False)
class Sums:
    """What the likelihood needs of one data set, or of many.

    Attributes
    ----------
    n : array, shape (..., hospitals)
        Patients of each hospital. Leading axes are data sets.
    hospitals : array, shape (hospitals,)
        Their names, in order.
    slope : bool
        Whether a slope may differ between hospitals.
    blocks : object
        The sums, in coordinates that keep them accurate.
    """

    n: Floats
    hospitals: NDArray
    slope: bool
    blocks: Blocks

    def __repr__(self) -> str:
        """Return the sizes."""
        sets = "x".join(map(str, self.blocks.shape)) or "1"
        return (
            f"Sums({sets} data set{'s' * (sets != '1')}, {self.n.shape[-1]} hospitals, "
            f"{self.blocks.p} fixed effects, slope={self.slope})"
        )


def sums(
    y: ArrayLike, X: ArrayLike, hospital: ArrayLike, *, slope: ArrayLike | None = None
) -> Sums:
    """Return the sums that the likelihood needs.

    Parameters
    ----------
    y : array-like, shape (n_patients,) or (..., n_patients)
        The outcome, or many outcomes of the same patients (simulated, say).
    X : array-like, shape (n_patients, p) or (..., n_patients, p)
        The fixed effects' columns, a constant among them if there is to be an intercept.
    hospital : array-like, shape (n_patients,)
        The hospital of each patient. Categories without patients are left out.
    slope : array-like, shape (n_patients,) or (..., n_patients), optional
        A covariate whose slope differs between hospitals, for `fit_slope`.

    Raises
    ------
    ValueError
        If shapes do not fit, numbers are missing or infinite, a column of X is a combination
        of others, there is one hospital only, or the hospitals cannot be told from patients.

    Examples
    --------
    >>> s = sums([140, 150, 160, 120, 131], np.ones((5, 1)), ["H01", "H01", "H01", "H02", "H02"])
    >>> s.n.tolist()
    [3.0, 2.0]
    """
    outcome, columns = numbers("y", y), numbers("X", X)
    codes, names = codes_of(hospital)
    n = len(codes)
    if columns.ndim < 2 or outcome.ndim < 1 or outcome.shape[-1] != n or columns.shape[-2] != n:
        raise ValueError(
            "y, X and hospital must have one entry per patient, "
            f"got shapes {outcome.shape}, {columns.shape} and {codes.shape}"
        )
    if columns.shape[-1] == 0:
        raise ValueError("X must have at least one column, got none")
    batch = np.broadcast_shapes(outcome.shape[:-1], columns.shape[:-2])
    z = np.ones((n, 1))
    if slope is not None:
        covariate = numbers("slope", slope)
        if covariate.shape[-1:] != (n,):
            raise ValueError(f"slope must have one entry per patient, got {covariate.shape}")
        z = np.stack([np.ones_like(covariate), covariate], -1)
    if columns.ndim > 2:
        columns = np.broadcast_to(columns, (*batch, *columns.shape[-2:]))
    outcome = np.broadcast_to(outcome, (*batch, n))
    sizes = np.bincount(codes).astype(float)
    check_sizes(sizes, z.shape[-1])
    blocks = make_blocks(outcome, columns, codes, z, z_names=["the intercept", "slope"])
    check_hospitals(blocks, z.shape[-1])
    return Sums(np.broadcast_to(sizes, (*batch, len(sizes))), names, slope is not None, blocks)


def stack(data_sets: Sequence[Sums]) -> Sums:
    """Return the sums of several single data sets as one object, to be fitted in one call.

    Parameters
    ----------
    data_sets : sequence of Sums
        Of single data sets with the same number of fixed effects. Where they differ in the
        number of hospitals, the shorter ones are filled up with hospitals without patients,
        which change nothing.

    Raises
    ------
    ValueError
        If there is none, or if they differ in their fixed effects or their slope.
    """
    parts = list(data_sets)
    kinds = {(s.blocks.shape, s.blocks.p, s.slope) for s in parts}
    if len(kinds) != 1 or parts[0].blocks.shape != ():
        raise ValueError(
            "data_sets must be single data sets with the same number of fixed effects and all "
            f"with or all without a slope, got {len(parts)} of {len(kinds)} kinds"
        )
    longest = max(parts, key=lambda s: s.n.shape[-1])
    hospitals = longest.n.shape[-1]

    def fill(arrays: list[Floats]) -> Floats:
        out = np.zeros((len(arrays), *arrays[0].shape[:-1], hospitals))
        for k, array in enumerate(arrays):
            out[k, ..., : array.shape[-1]] = array
        return out

    names = ("n_rows", "yy", "ols", "to_beta", "log_det_xx", "to_effect")
    together = {name: np.stack([getattr(s.blocks, name) for s in parts]) for name in names}
    together |= {name: fill([getattr(s.blocks, name) for s in parts]) for name in ("zz", "zxy")}
    return replace(
        longest, n=fill([s.n for s in parts]), blocks=replace(parts[0].blocks, **together)
    )


def ratio_loglik(sums: Sums, ratio: ArrayLike, *, reml: bool = True) -> float | Floats:
    """Return the log-likelihood as a curve of hospital_sd / patient_sd, all else profiled out.

    Parameters
    ----------
    sums : Sums
        Of one data set, without slope.
    ratio : float or array-like
        hospital_sd / patient_sd, 0 or more.
    reml : bool
        Restricted or plain likelihood.

    Raises
    ------
    ValueError
        If `sums` is not of one data set without slope, or a ratio is negative.

    Notes
    -----
    With r = ratio², W_j = r / (1 + n_j r), A = X'X - sum W_j s_j s_j' where s_j is the sum of
    x over hospital j, and rss the generalised least squares sum of squares:

    -2 loglik = sum log(1 + n_j r) + [log |A|] + d (log(2 pi rss / d) + 1),

    d = N - p with the bracket for REML, d = N without it for ML (Bates D and others, Journal of
    Statistical Software 2015; 67 (1), equations 35 and 42).
    """
    _single(sums)
    points = _positive("ratio", ratio)
    state = engine.evaluate(sums.blocks, points.reshape(-1, 1), reml=reml, slope=False)
    return _as_given((-state.deviance / 2).reshape(points.shape))


def joint_loglik(
    sums: Sums, hospital_sd: ArrayLike, patient_sd: ArrayLike, *, reml: bool = True
) -> float | Floats:
    """Return the log-likelihood of both standard deviations, with beta profiled or integrated out.

    Parameters
    ----------
    sums : Sums
        Of one data set, without slope.
    hospital_sd, patient_sd : float or array-like
        In the unit of y; 0 or more and above 0. Broadcast against each other.
    reml : bool
        True: beta integrated out under a flat prior. False: beta at its best value.

    Raises
    ------
    ValueError
        If `sums` is not of one data set without slope, or a standard deviation is impossible.
    """
    _single(sums)
    tau, sigma = np.broadcast_arrays(
        _positive("hospital_sd", hospital_sd), _positive("patient_sd", patient_sd)
    )
    if np.any(sigma == 0):
        raise ValueError("patient_sd must be above 0, got 0")
    theta = (tau / sigma).reshape(-1, 1)
    state = engine.evaluate(sums.blocks, theta, reml=reml, slope=False)
    return _as_given(-_unprofiled(sums.blocks, state, sigma.ravel(), reml).reshape(tau.shape) / 2)


def profile_loglik(sums: Sums, hospital_sd: ArrayLike, *, reml: bool = True) -> float | Floats:
    """Return the log-likelihood as a curve of hospital_sd, patient_sd and beta profiled out.

    Parameters
    ----------
    sums : Sums
        Of one data set, without slope.
    hospital_sd : float or array-like
        In the unit of y, 0 or more.
    reml : bool
        Restricted or plain likelihood.

    Raises
    ------
    ValueError
        If `sums` is not of one data set without slope, or a standard deviation is negative.
    """
    _single(sums)
    tau = _positive("hospital_sd", hospital_sd).ravel()
    blocks = sums.blocks

    def height(log_sigma: Floats) -> Floats:
        sigma = np.exp(log_sigma)
        state = engine.evaluate(blocks, (tau / sigma)[:, None], reml=reml, slope=False)
        return _unprofiled(blocks, state, sigma, reml)

    # Golden section: one valley in log sigma, from far below to far above the residual SD.
    middle = 0.5 * np.log(blocks.yy / blocks.n_rows)
    low, high = np.full_like(tau, middle - 8), np.full_like(tau, middle + 2)
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(50):
        left, right = high - golden * (high - low), low + golden * (high - low)
        down = height(left) < height(right)
        low, high = np.where(down, low, left), np.where(down, right, high)
    return _as_given(-height((low + high) / 2).reshape(np.shape(hospital_sd)) / 2)


def slope_loglik(
    sums: Sums,
    hospital_ratio: ArrayLike,
    slope_ratio: ArrayLike,
    correlation: ArrayLike,
    *,
    reml: bool = True,
) -> float | Floats:
    """Return the log-likelihood with a slope that varies, patient_sd and beta profiled out.

    Parameters
    ----------
    sums : Sums
        Of one data set, with a slope.
    hospital_ratio, slope_ratio : float or array-like
        hospital_sd and slope_sd, each divided by patient_sd; 0 or more.
    correlation : float or array-like
        Of intercepts and slopes, -1 to 1. The three are broadcast against each other.
    reml : bool
        Restricted or plain likelihood.

    Raises
    ------
    ValueError
        If `sums` is not of one data set with a slope, or a value breaks its rule.
    """
    if sums.blocks.shape != () or not sums.slope:
        raise ValueError(f"sums must be of one data set with a slope, got {sums!r}")
    tau, slope = _positive("hospital_ratio", hospital_ratio), _positive("slope_ratio", slope_ratio)
    rho = numbers("correlation", correlation)
    if np.any(np.abs(rho) > 1):
        raise ValueError(f"correlation must be -1 to 1, got {rho[np.abs(rho) > 1].ravel()[0]:g}")
    tau, slope, rho = np.broadcast_arrays(tau, slope, rho)
    lower = np.zeros((tau.size, 2, 2))
    lower[:, 0, 0], lower[:, 1, 0] = tau.ravel(), (rho * slope).ravel()
    lower[:, 1, 1] = (np.sqrt(1 - rho**2) * slope).ravel()
    factor = np.linalg.inv(sums.blocks.to_effect) @ lower
    parts = np.array_split(factor, 1 + tau.size * sums.n.shape[-1] // 100_000)  # to save memory
    states = (
        engine.evaluate(sums.blocks, None, reml=reml, slope=False, factor=part) for part in parts
    )
    deviance = np.concatenate([state.deviance for state in states])
    return _as_given((-deviance / 2).reshape(tau.shape))


def fit_intercept(sums: Sums, *, reml: bool = True) -> InterceptFit:
    """Fit the random-intercept model to one data set, or to many in one call.

    Parameters
    ----------
    sums : Sums
        Without slope.
    reml : bool
        Restricted or plain maximum likelihood.

    Raises
    ------
    ValueError
        If `sums` has a slope, or if y does not vary within hospitals.

    Notes
    -----
    The deviance is laid out on a grid of hospital_sd / patient_sd from 0 up, then followed down
    from its lowest point by Newton steps with exact first derivatives. At 0 it is the model
    without hospitals, exactly. Degrees of freedom: Satterthwaite FE, Biometrics Bulletin 1946;
    2: 110-114, as in lmerTest.
    """
    if sums.slope:
        raise ValueError("sums has a slope: fit_slope fits it")
    found = solve.by_parts(solve.intercepts, sums.blocks, reml)
    return InterceptFit(reml=reml, **solve.shaped(found, sums.blocks.shape))


def fit_slope(sums: Sums, *, reml: bool = True) -> SlopeFit:
    """Fit the model with correlated intercepts and slopes to one data set, or to many.

    Parameters
    ----------
    sums : Sums
        With a slope.
    reml : bool
        Restricted or plain maximum likelihood.

    Raises
    ------
    ValueError
        If `sums` has no slope.

    Notes
    -----
    Inside, intercepts are taken where the covariate has its mean: the same model, but with a
    likelihood that is rounder, so that a false boundary is seldom in the way. The deviance is
    laid out on a grid of the three covariance parameters and followed down from its lowest
    point; a boundary is left if the deviance falls anywhere from there.
    """
    if not sums.slope:
        raise ValueError("sums has no slope: fit_intercept fits it, or call sums(..., slope=)")
    found = solve.by_parts(solve.slopes, sums.blocks, reml)
    return SlopeFit(reml=reml, **solve.shaped(found, sums.blocks.shape))


def _unprofiled(blocks: Blocks, state: engine.State, sigma: Floats, reml: bool) -> Floats:
    df = blocks.degrees(reml)
    return state.logs + df * np.log(2 * np.pi * sigma**2) + state.rss / sigma**2


def _single(sums: Sums) -> None:
    if sums.blocks.shape != () or sums.slope:
        raise ValueError(f"sums must be of one data set without slope, got {sums!r}")


def _positive(name: str, value: ArrayLike) -> Floats:
    array = numbers(name, value)
    if np.any(array < 0):
        raise ValueError(f"{name} must be 0 or more, got {array.min():g}")
    return array


def _as_given(value: Floats) -> float | Floats:
    return float(value) if np.ndim(value) == 0 else value
