"""Fit MixedLM in two stages, and hold it to the optimum of the course's own likelihood."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from statsmodels.regression.mixed_linear_model import MixedLMParams

from utils import _likelihood_blocks as engine
from utils import _likelihood_solve as solve
from utils._likelihood_blocks import Floats
from utils._mixedlm_design import Design

CLOSE = 1e-4  # log-likelihoods nearer than this are one optimum


class FitError(RuntimeError):
    """MixedLM did not reach the optimum, so that its numbers would be wrong."""


@dataclass(frozen=True)
class Solution:
    """MixedLM's result, the optimum, and what is worth knowing about the way there."""

    result: Any
    optimum: engine.Optimum
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def solve_model(design: Design, *, reml: bool, start: str) -> Solution:
    """Fit MixedLM, and check its end against the own likelihood.

    Where the own optimum is known beforehand and `start` is "likelihood", MixedLM begins there:
    its own gradient must find nothing to improve. Otherwise it runs by powell from where it
    starts by itself, and by bfgs from powell's end.

    Raises
    ------
    FitError
        If no stage ends within 1e-4 of the largest log-likelihood.
    """
    blocks = solve.as_many(design.blocks)
    own = None
    if design.kind == "intercept":
        own = solve.find_intercept(blocks, reml)
    elif design.kind == "slope":
        own = solve.find_slope(blocks, reml)

    def begin_there(found: engine.Optimum, **how: Any) -> tuple[Any, list[str]]:
        params = _params(design, found)
        return _stage(design, reml, method="bfgs", start_params=params, **how)

    result = None
    if own is not None and start == "likelihood":
        only, said = begin_there(own)
        result = _best([only], blocks, own)
    if result is None or abs(_gap(own, result)) > CLOSE:
        first, said = _stage(design, reml, method="powell", ftol=1e-6)
        stages = [result, first]
        if first is not None:
            second, said = _stage(design, reml, method="bfgs", start_params=first.params_object)
            stages.append(second)
        result = _best(stages, blocks, own)
    if own is None or (result is not None and _gap(own, result) < -CLOSE):
        own = _from_starts(design, blocks, result, reml)
    notes = []
    if result is None or _gap(own, result) > CLOSE:
        reached = "no usable result" if result is None else f"{_gap(own, result):.3g} below"
        third, said = begin_there(own)
        result = _best([result, third], blocks, own)
        if result is None or _gap(own, result) > CLOSE:
            # At a boundary MixedLM may run into a variance of 0, where it breaks: held there.
            held, said = begin_there(own, free=_none(design))
            result = _best([result, held], blocks, own)
        if result is None or _gap(own, result) > CLOSE:
            gap = np.inf if result is None else _gap(own, result)
            raise FitError(
                "MixedLM did not reach the optimum: its log-likelihood is "
                f"{gap:.3g} below {-own.state.deviance[0] / 2:.6f}; rescale the columns, or use "
                "a simpler model"
            )
        notes.append(
            f"MixedLM's two stages ended away from the optimum ({reached}); it was started again "
            "there."
        )
    return Solution(result, own, tuple(notes), tuple(said))


def _stage(design: Design, reml: bool, **how: Any) -> tuple[Any, list[str]]:
    """Run one fit; return its result, or None if it broke, and the warnings it gave."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            result = design.model.fit(reml=reml, **how)
        except (np.linalg.LinAlgError, ValueError, ZeroDivisionError, FloatingPointError) as error:
            return None, [f"{type(error).__name__}: {error}"]
    return result, [str(warning.message).strip() for warning in caught]


def _best(results: list[Any], blocks: engine.Blocks, own: engine.Optimum | None) -> Any:
    """Return the usable result with the largest likelihood."""
    usable = []
    for result in results:
        if result is None:
            continue
        numbers = np.concatenate(
            [result.fe_params, np.ravel(result.cov_re), result.vcomp, [result.scale, result.llf]]
        )
        # A variance below 1e-10 makes MixedLM return fixed effects of exactly 0, or infinity.
        ols = np.abs(blocks.ols[0])
        zeros = np.any((np.asarray(result.fe_params) == 0) & (ols > 1e-9 * ols.max()))
        if np.all(np.isfinite(numbers)) and result.scale > 0 and not zeros:
            usable.append(result)
    if own is not None:
        # A likelihood above the largest one is not a better fit but a broken one.
        usable = [result for result in usable if _gap(own, result) > -1]
    return max(usable, key=lambda result: result.llf, default=None)


def _gap(own: engine.Optimum, result: Any) -> float:
    return float(-own.state.deviance[0] / 2 - result.llf)


def _theta(design: Design, result: Any) -> Floats:
    """Return MixedLM's covariances as the parameters of the own likelihood."""
    blocks, k = design.blocks, design.k_re
    inside = np.linalg.inv(blocks.to_effect)
    theta = []
    if k:
        turn = inside[:k, :k]
        relative = turn @ (np.asarray(result.cov_re) / result.scale) @ turn.T
        roots, axes = np.linalg.eigh(relative)
        half = axes * np.sqrt(np.maximum(roots, 1e-12))
        lower = np.linalg.qr(half.T, mode="r").T
        lower = lower * np.where(np.diag(lower) < 0, -1, 1)
        theta += [lower[a, b] for a in range(k) for b in range(a + 1)]
    for c, variance in enumerate(result.vcomp):
        at = int(
            np.flatnonzero(np.diag(blocks.basis[len(blocks.basis) - len(result.vcomp) + c]))[0]
        )
        theta.append(np.sqrt(max(variance, 0) / result.scale) * inside[at, at])
    return np.array(theta)


def _from_starts(design: Design, blocks: engine.Blocks, result: Any, reml: bool) -> engine.Optimum:
    """Return the best optimum from MixedLM's end and from two starts of the course's own."""
    diagonal = np.array([np.any(np.diagonal(basis)) for basis in blocks.basis])
    starts = [np.where(diagonal, size, 0.0) for size in (0.2, 1.0)]
    if result is not None:
        starts.insert(0, _theta(design, result))
    found = [engine.minimise(blocks, start[None], reml=reml) for start in starts]
    return min(found, key=lambda optimum: optimum.state.deviance[0])


def _params(design: Design, own: engine.Optimum) -> MixedLMParams:
    """Return the own optimum as MixedLM's parameters, a hair inside the boundary."""
    blocks, k = design.blocks, design.k_re
    factor = blocks.to_effect @ blocks.factor(own.theta[0])
    relative = factor @ factor.T
    params = MixedLMParams(design.model.k_fe, design.model.k_re, design.model.k_vc)
    params.fe_params = np.zeros(design.model.k_fe)
    covariance = relative[:k, :k]
    floor = np.diag(np.maximum(1e-8 * np.diag(covariance), 1e-8))
    params.cov_re = covariance + floor
    first = [
        int(np.flatnonzero(np.diag(basis))[0])
        for basis in blocks.basis[len(blocks.basis) - design.model.k_vc :]
    ]
    params.vcomp = np.maximum(np.diag(relative)[first], 1e-8) if first else np.zeros(0)
    return params


def _none(design: Design) -> MixedLMParams:
    """Return the mask that holds every covariance parameter where it is."""
    model = design.model
    return MixedLMParams.from_components(
        np.ones(model.k_fe),
        cov_re=np.zeros((model.k_re, model.k_re)),
        vcomp=np.zeros(model.k_vc),
    )
