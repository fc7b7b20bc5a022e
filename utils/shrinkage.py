"""Priors for many coefficients: what each says before data, and regressions that use them.

Predictors and outcome are in units of their SDs, so a coefficient is in residual SDs per SD.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pymc as pm
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from utils.plots import PALETTE

__all__ = [
    "FAMILIES",
    "PriorShape",
    "draw_study",
    "effective_number",
    "prior_draws",
    "prior_scales",
    "prior_shape",
    "regression",
]

FAMILIES = ("wide", "ridge", "horseshoe", "R2D2")
SLAB = 2.0  # no coefficient of the horseshoe is much larger, in residual SDs per SD
_DRAWS, _MOST = 2000, 40
_WIDE, _RIDGE, _R2 = 3.0, 1.0, 2**-0.5  # scales of the regressions


def regression(y: ArrayLike, x: ArrayLike, prior: str, *, expected: float = 2.0) -> pm.Model:
    """Return a linear regression whose coefficients have one of four priors.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcomes.
    x : array-like, shape (n, p)
        Predictors, each with mean 0 and SD 1. Both are data of the model (`y` and `x`), so a
        compiled model can be used again with other numbers of the same shape.
    prior : {"wide", "ridge", "horseshoe", "R2D2"}
        See `prior_draws`.
    expected : float
        For the horseshoe: how many of the p coefficients are expected to matter, between 0 and p.

    Raises
    ------
    ValueError
        For an unknown prior, shapes that do not fit, or `expected` outside its range.

    Notes
    -----
    The horseshoe is the regularised one of Piironen and Vehtari (2017), Electronic Journal of
    Statistics 11(2):5018-5051, its global scale ``expected / (p - expected) * sigma / sqrt(n)``;
    local scales are half-t with 3 degrees of freedom, which samples with fewer divergences than a
    half-Cauchy. R2D2: Zhang, Naughton, Bondell and Reich (2022), Journal of the American
    Statistical Association 117:862-874, with a flat Dirichlet and R² ~ Beta(1, 2).

    Examples
    --------
    >>> x = [[0.0, 1.0], [1.0, 0.0], [0.0, 2.0]]
    >>> model = regression([0.0, 1.0, 2.0], x, "R2D2", expected=1)
    >>> "R2" in model.named_vars
    True
    """
    y, x = np.asarray(y, dtype=float), np.asarray(x, dtype=float)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(f"x must have a row for each y; got shapes {x.shape} and {y.shape}")
    _known(prior)
    n, p = x.shape
    if not 0 < expected < p:
        raise ValueError(f"expected must lie between 0 and p = {p}, got {expected!r}")
    with pm.Model() as model:
        seen_y, seen_x = pm.Data("y", y), pm.Data("x", x)
        intercept, sigma = pm.Normal("intercept", 0, 3), pm.HalfNormal("sigma", 2)
        z = pm.Normal("z", 0, 1, shape=p)
        if prior == "wide":
            scale = _WIDE
        elif prior == "ridge":
            scale = pm.HalfNormal("ridge_sd", _RIDGE)
        elif prior == "horseshoe":
            whole = pm.HalfCauchy("global", expected / (p - expected) / np.sqrt(n))
            local = pm.HalfStudentT("local", 3, 1, shape=p)
            width = whole * sigma * local
            scale = SLAB * width / pm.math.sqrt(SLAB**2 + width**2)
        else:
            r2 = pm.Beta("R2", 1, 1 / _R2**2)
            share = pm.Dirichlet("share", np.ones(p))
            scale = sigma * pm.math.sqrt(share * r2 / (1 - r2))
        beta = pm.Deterministic("beta", scale * z)
        pm.Normal("outcome", intercept + (seen_x * beta).sum(axis=1), sigma, observed=seen_y)
    return model


def prior_scales(
    prior: str, rows: int, predictors: int, rng: np.random.Generator, *, expected: float = 2.0
) -> np.ndarray:
    """Return 2,000 draws of the SDs that a prior of `regression` gives to the coefficients.

    Given its SD a coefficient is normal around 0. In units of the residual SD, taken as 1.

    Parameters
    ----------
    prior : {"wide", "ridge", "horseshoe", "R2D2"}
    rows : int
        Patients or hospitals, >= 1: the horseshoe's global scale depends on them.
    predictors : int
        >= 1.
    rng : Generator
    expected : float
        As for `regression`.

    Returns
    -------
    ndarray, shape (2000, predictors)

    Raises
    ------
    ValueError
        For an unknown prior or a number outside its range.

    Examples
    --------
    >>> prior_scales("wide", 20, 3, np.random.default_rng(1))[0].tolist()
    [3.0, 3.0, 3.0]
    """
    _known(prior)
    if rows < 1 or predictors < 1:
        raise ValueError(f"rows and predictors must be 1 or more, got {rows} and {predictors}")
    if not 0 < expected < predictors:
        raise ValueError(f"expected must lie between 0 and p = {predictors}, got {expected!r}")
    shape, one = (_DRAWS, predictors), (_DRAWS, 1)
    if prior == "wide":
        return np.full(shape, _WIDE)
    if prior == "ridge":
        return np.broadcast_to(_RIDGE * np.abs(rng.standard_normal(one)), shape)
    if prior == "horseshoe":
        whole = expected / (predictors - expected) / np.sqrt(rows)
        width = whole * np.abs(rng.standard_cauchy(one) * rng.standard_t(3, shape))
        return _held(width)
    return _dealt_out(1 / _R2**2, predictors, rng)


def effective_number(scales: ArrayLike, rows: int) -> np.ndarray:
    """Return how many coefficients a prior leaves to the data.

    Each counts by its shrinkage weight s²/(s² + 1/rows): s is the SD of its prior and 1/√rows the
    standard error of its own estimate, in residual SDs, for standardised independent predictors.
    Piironen and Vehtari (2017), Electronic Journal of Statistics 11(2):5018-5051, section 3.1.

    Parameters
    ----------
    scales : array-like, shape (..., predictors)
    rows : int
        Patients or hospitals.

    Returns
    -------
    ndarray, shape (...)

    Examples
    --------
    >>> effective_number([1.0, 0.0, 0.5], 4).item()
    1.3
    """
    squares = np.asarray(scales, float) ** 2
    return (squares / (squares + 1 / rows)).sum(axis=-1)


def _held(width: np.ndarray) -> np.ndarray:
    """Return the horseshoe's SDs, held below the slab's."""
    return SLAB * width / np.sqrt(SLAB**2 + width**2)


def _dealt_out(b: float, predictors: int, rng: np.random.Generator) -> np.ndarray:
    """Return R2D2's SDs: a share R² ~ Beta(1, b), dealt out by a flat Dirichlet."""
    r2 = rng.beta(1, b, (_DRAWS, 1))
    share = rng.dirichlet(np.ones(predictors), _DRAWS)
    return np.sqrt(share * r2 / np.maximum(1 - r2, 1e-12))


def _known(prior: str) -> None:
    if prior not in FAMILIES:
        raise ValueError(f"prior must be one of {', '.join(FAMILIES)}; got {prior!r}")


def prior_draws(family: str, predictors: int, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Return 2,000 draws of all coefficients from a prior, in residual SDs per SD.

    Parameters
    ----------
    family : {"wide", "ridge", "horseshoe", "R2D2"}
        "wide": each coefficient normal with SD `scale`, on its own. "ridge": normal with one SD
        for all, half-normal(`scale`). "horseshoe": a global scale of `scale` times a half-t(3) of
        each coefficient's own, held below about 2. "R2D2": the predictors together explain a
        share R², Beta(1, 1 / scale²), so scale² / (1 + scale²) on average; it is dealt out to
        them by a flat Dirichlet.
    predictors : int
        1 to 40.
    scale : float
        Above 0.
    rng : Generator

    Returns
    -------
    ndarray, shape (2000, predictors)

    Raises
    ------
    ValueError
        For an unknown family or a number outside its range.

    Examples
    --------
    >>> draws = prior_draws("wide", 10, 1.0, np.random.default_rng(1))
    >>> bool(abs((draws**2).sum(axis=1).mean() - 10) < 0.3)
    True
    """
    _known(family)
    if not (isinstance(predictors, int | np.integer) and 1 <= predictors <= _MOST):
        raise ValueError(f"predictors must be a whole number from 1 to {_MOST}, got {predictors!r}")
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale must be a number above 0, got {scale!r}")
    shape = (_DRAWS, predictors)
    z, first = rng.standard_normal(shape), rng.standard_normal((_DRAWS, 1))
    if family == "wide":
        return scale * z
    if family == "ridge":
        return scale * np.abs(first) * z
    if family == "horseshoe":
        width = scale * np.abs(rng.standard_t(3, shape))
        return _held(width) * z
    return _dealt_out(scale**-2, predictors, rng) * z


@dataclass(frozen=True, eq=False)
class PriorShape:
    """What a prior for many coefficients says before data.

    Attributes
    ----------
    family, predictors, scale : str, int, float
        As asked for.
    r2 : ndarray, shape (2000,)
        Share of the outcome's variance that independent predictors explain, for each draw.
    r2_middle : float
        Its median.
    sizes : ndarray, shape (predictors,)
        Median size of the largest coefficient, of the second largest, and so on.
    largest_share : float
        The largest coefficient's part of the explained variance, on average.
    """

    family: str
    predictors: int
    scale: float
    r2: np.ndarray
    r2_middle: float
    sizes: np.ndarray
    largest_share: float


def prior_shape(*, family: str, predictors: int, scale: float) -> PriorShape:
    """Return what a prior says: of R², and of the sizes of the coefficients.

    Parameters
    ----------
    family, predictors, scale
        As for `prior_draws`.
    """
    predictors = int(predictors)
    squares = prior_draws(family, predictors, scale, np.random.default_rng(15)) ** 2
    explained = squares.sum(axis=1)
    squares.sort(axis=1)
    r2 = explained / (1 + explained)
    return PriorShape(
        family, predictors, float(scale), r2, float(np.median(r2)),
        np.sqrt(np.median(squares, axis=0))[::-1], float((squares[:, -1] / explained).mean()),
    )  # fmt: skip


def draw_study(axes: Sequence[Axes], study: pd.DataFrame, priors: list[str]) -> None:
    """Draw the stored study of the four priors: an estimate, an error, and a coverage.

    Parameters
    ----------
    axes : sequence of three Axes
        They share their y axis.
    study : DataFrame
        The stored table, indexed by level and prior.
    priors : list of str
        In the order in which they are drawn, from below.
    """
    panels = {
        "first": ("mean estimate of 0.5", 0.5, 1),
        "miss_noise": ("typical error, needless ones", None, 1),
        "held_true": ("95 % intervals that hold,\ntrue ones (%)", 95, 100),
    }
    levels = {"patients": ("400 patients", "o", True), "hospitals": ("20 hospitals", "D", False)}
    at = np.arange(len(priors))
    for ax, (column, (title, line, factor)) in zip(axes, panels.items(), strict=True):
        for shift, (level, (label, mark, full)) in zip((-0.12, 0.12), levels.items(), strict=True):
            rows = study.loc[level].loc[priors]
            ax.errorbar(
                factor * rows[column], at + shift, xerr=2 * factor * rows[f"{column}_mcse"],
                fmt=mark, label=label, color=PALETTE["posterior"],
                markerfacecolor=PALETTE["posterior"] if full else "white",
            )  # fmt: skip
        if line is not None:
            ax.axvline(line, color="0.4", linestyle="--", linewidth=1)
        ax.set(title=title)
    axes[0].set_yticks(at, priors)
    axes[1].legend(loc="upper right")
