"""How utils.likelihood finds the optimum of both models, for many data sets in step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from utils import _likelihood_blocks as engine
from utils._likelihood_blocks import Blocks, Floats


def find_intercept(blocks: Blocks, reml: bool) -> engine.Optimum:
    """Return the optimum of random-intercept models: a grid from 0 up, then Newton steps."""
    typical = blocks.n_rows / np.maximum((blocks.zz[:, 0, 0, :] > 0).sum(-1), 1)
    grid = np.concatenate([[0], np.geomspace(1e-3, 1e10, 40)])
    start, top = _best_start(blocks, np.sqrt(grid / typical[:, None])[..., None], reml)
    if np.any(top == len(grid) - 1):
        raise ValueError("y must vary within hospitals, got values that do not (patient_sd is 0)")
    return engine.minimise(blocks, start, reml=reml)


def intercepts(blocks: Blocks, reml: bool) -> dict[str, Floats]:
    """Fit random-intercept models."""
    best = find_intercept(blocks, reml)
    common = _common(blocks, best, reml)
    theta = best.theta[:, 0]
    sizes = blocks.zz[:, 0, 0, :]
    weight = sizes * best.state.weights[:, 0, 0, :]
    sigma = common["patient_sd"]
    return common | {
        "hospital_sd": theta * sigma,
        "icc": theta**2 / (1 + theta**2),
        "effects": engine.effects(blocks, best.state)[:, 0, :],
        "effect_sd": np.sqrt(best.state.weights[:, 0, 0, :]) * sigma[:, None],
        "weight": weight,
    }


def find_slope(blocks: Blocks, reml: bool) -> engine.Optimum:
    """Return the optimum of models with intercepts and slopes: a grid, then Newton steps."""
    scale = (0.05, 0.2, 0.6, 2.0)
    grid = [
        (a, lean * c, c * np.sqrt(1 - lean**2))
        for a in scale
        for c in scale
        for lean in (-0.7, -0.1, 0.1, 0.7)
    ]
    many = np.broadcast_to(np.array(grid), (len(blocks.yy), len(grid), 3))
    start = _best_start(blocks, many, reml)[0]
    # Towards a correlation of -1 or 1 the valley is flat and the way long.
    return engine.minimise(blocks, start, reml=reml, steps=200)


def slopes(blocks: Blocks, reml: bool) -> dict[str, Floats]:
    """Fit models with intercepts and slopes."""
    best = find_slope(blocks, reml)
    common = _common(blocks, best, reml)
    sigma = common["patient_sd"]
    factor = blocks.to_effect @ blocks.factor(best.theta)
    covariance = factor @ np.swapaxes(factor, -1, -2) * sigma[:, None, None] ** 2
    sds = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    # The intercepts' SD at 0 is what is left of a difference: below rounding it is 0.
    product = sds[:, 0] * sds[:, 1]
    correlation = np.full(len(sigma), np.nan)
    np.divide(covariance[:, 0, 1], product, out=correlation, where=product > 0)
    spread = np.diagonal(engine.spread(blocks, best.state), axis1=-2, axis2=-1)
    return common | {
        "hospital_sd": sds[:, 0],
        "slope_sd": sds[:, 1],
        "correlation": np.clip(correlation, -1, 1),
        "singular": (best.theta[:, 0] == 0) | (best.theta[:, 2] == 0),
        "effects": engine.effects(blocks, best.state),
        "effect_sd": np.sqrt(np.moveaxis(spread, -2, -1)) * sigma[:, None, None],
    }


def _common(blocks: Blocks, best: engine.Optimum, reml: bool) -> dict[str, Floats]:
    """Return what both models report of the fixed effects, in the user's coordinates."""
    state = best.state
    variance = state.rss / blocks.degrees(reml)
    known = engine.curvature(blocks, best, reml=reml)
    back = blocks.to_beta
    inside = back @ state.inverse @ np.swapaxes(back, -1, -2)
    share = np.diagonal(inside, axis1=-2, axis2=-1)
    turned = back[:, None] @ known.inverse_slope @ np.swapaxes(back[:, None], -1, -2)
    follows = np.diagonal(turned, axis1=-2, axis2=-1)
    return {
        "beta": blocks.ols + (back @ state.gamma[..., None])[..., 0],
        "se": np.sqrt(share * variance[:, None]),
        "df": engine.satterthwaite(known.joint, share, follows),
        "covariance": inside * variance[:, None, None],
        "patient_sd": np.sqrt(variance),
        "loglik": -state.deviance / 2,
        "converged": best.converged,
    }


def _best_start(blocks: Blocks, grids: Floats, reml: bool) -> tuple[Floats, NDArray[np.intp]]:
    """Return the lowest point of each data set's grid, shape (S, K, m), and which one it is."""
    heights = np.stack(
        [
            engine.evaluate(blocks, grids[:, k], reml=reml, slope=False).deviance
            for k in range(grids.shape[1])
        ],
        -1,
    )
    lowest = np.argmin(np.where(np.isfinite(heights), heights, np.inf), -1)
    return grids[np.arange(len(grids)), lowest], lowest


def by_parts(
    solve: Callable[[Blocks, bool], dict[str, Floats]], blocks: Blocks, reml: bool
) -> dict[str, Floats]:
    """Fit data sets some at a time, so that what is in work stays in the processor's cache."""
    blocks = as_many(blocks)
    total = len(blocks.yy)
    size = max(1, 5000 // blocks.zz.shape[-1])
    if total <= size:
        return solve(blocks, reml)
    parts = [
        solve(blocks.take(np.arange(at, min(at + size, total))), reml)
        for at in range(0, total, size)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def as_many(blocks: Blocks) -> Blocks:
    """Give the data sets one axis."""
    lost = len(blocks.shape)
    names = ("n_rows", "zz", "zxy", "yy", "ols", "to_beta", "log_det_xx", "to_effect")
    flat = {name: getattr(blocks, name) for name in names}
    return replace(
        blocks, **{name: value.reshape(-1, *value.shape[lost:]) for name, value in flat.items()}
    )


def shaped(values: dict[str, Floats], shape: tuple[int, ...]) -> dict[str, Floats]:
    """Give the results the shape of the data sets."""
    shaped = {name: value.reshape((*shape, *value.shape[1:])) for name, value in values.items()}
    return {name: value[()] if value.ndim == 0 else value for name, value in shaped.items()}
