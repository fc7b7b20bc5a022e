"""The arithmetic behind utils.likelihood and utils.mixedlm: a linear mixed model from its sums.

The model of hospital j is y_j = X_j b + Z_j u_j + e_j with u_j ~ N(0, s² L L') and
e_j ~ N(0, s² I). Everything that its likelihood needs of the data are the sums Z_j'Z_j,
Z_j'X_j and Z_j'y_j of each hospital, and X'X, X'y and y'y of all patients. A million rows
become a few numbers a hospital, once; each further evaluation costs hospitals, not patients.

Two changes of coordinates, which leave the likelihood as it is, keep the numbers small: y is
replaced by its residuals from least squares, and the columns of X by orthonormal ones.

Leading axes of every array are data sets: all are evaluated in one call.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EDGE = 1e-5  # a relative SD this near to 0 is tried at 0 exactly


@dataclass(frozen=True)
class Blocks:
    """Sums of one or many data sets, and what L is made of.

    Attributes
    ----------
    n_rows : array, shape (...)
        Patients.
    zz : array, shape (..., q, q, hospitals)
        Z'Z of each hospital.
    zxy : array, shape (..., q, p + 1, hospitals)
        Z'X of each hospital, and Z'y in the last column.
    yy : array, shape (...)
        Sum of squares of y, as residuals from least squares.
    ols : array, shape (..., p)
        The least squares estimates.
    to_beta : array, shape (..., p, p)
        From coefficients of the orthonormal columns to those of X.
    log_det_xx : array, shape (...)
        log |X'X|.
    basis : array, shape (m, q, q)
        L = sum of theta_k basis_k: the model's m covariance parameters, relative to s.
    to_effect : array, shape (..., q, q)
        From effects of the columns used inside to effects of the user's Z.
    """

    n_rows: Floats
    zz: Floats
    zxy: Floats
    yy: Floats
    ols: Floats
    to_beta: Floats
    log_det_xx: Floats
    basis: Floats
    to_effect: Floats

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return self.zxy.shape[-2] - 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the data sets: () for one."""
        return self.yy.shape

    def degrees(self, reml: bool) -> Floats:
        """Return N - p under REML and N under ML."""
        return self.n_rows - self.p if reml else self.n_rows

    def take(self, which: NDArray) -> Blocks:
        """Return some of the data sets, along the first axis."""
        parts = ("n_rows", "zz", "zxy", "yy", "ols", "to_beta", "log_det_xx", "to_effect")
        return replace(self, **{name: getattr(self, name)[which] for name in parts})

    def factor(self, theta: Floats) -> Floats:
        """Return L."""
        return np.tensordot(theta, self.basis, axes=(-1, 0))


@dataclass(frozen=True)
class State:
    """The likelihood of each data set at one theta.

    Attributes
    ----------
    deviance : array, shape (...)
        -2 log-likelihood with the coefficients and s profiled out, constants included.
    logs, rss : array, shape (...)
        Its two log-determinants together, and the sum of squares: s² = rss / degrees.
    gamma, inverse : array, shapes (..., p) and (..., p, p)
        Coefficients of the orthonormal columns, and their covariance over s².
    weights : array, shape (..., q, q, hospitals)
        W = L (I + L'Z'Z L)^-1 L': the effects' conditional covariance over s².
    slope : array, shape (..., m), or None
        Derivative of the deviance with respect to theta.
    """

    deviance: Floats
    logs: Floats
    rss: Floats
    gamma: Floats
    inverse: Floats
    weights: Floats
    slope: Floats | None


@dataclass(frozen=True)
class Optimum:
    """Where the deviance of each data set is smallest, and its second derivatives there."""

    theta: Floats
    state: State
    hessian: Floats
    converged: NDArray[np.bool_]


def evaluate(
    blocks: Blocks,
    theta: Floats | None,
    *,
    reml: bool,
    slope: bool = True,
    factor: Floats | None = None,
) -> State:
    """Return the likelihood of each data set at its theta.

    Parameters
    ----------
    blocks : Blocks
        The sums of data sets of shape S.
    theta : array, shape S + (m,)
        Or, for one data set, (K, m): K points at once.
    reml : bool
        Restricted or plain likelihood.
    slope : bool
        Whether the derivative is wanted, which costs as much again.
    factor : array, shape S + (q, q), optional
        L itself, in place of theta.
    """
    p = blocks.p
    factor = blocks.factor(theta) if factor is None else factor
    weights, logs = _weights(blocks.zz, factor)
    weighted = _product(weights, blocks.zxy)
    total = _gram(blocks.zxy, weighted)
    a = np.eye(p) - total[..., :p, :p]
    b = -total[..., :p, p]
    inverse = np.linalg.inv(a)
    gamma = (inverse @ b[..., None])[..., 0]
    rss = blocks.yy - total[..., p, p] - (b * gamma).sum(-1)
    df = blocks.degrees(reml)
    if reml:
        logs = logs + np.linalg.slogdet(a)[1] + blocks.log_det_xx
    with np.errstate(divide="ignore", invalid="ignore"):
        deviance = logs + df * (np.log(rss / df) + np.log(2 * np.pi) + 1)
    derivative = None
    if slope:
        # G is the derivative of the deviance by the relative covariance LL', U = I - Z'Z W.
        u_zxy = blocks.zxy - _product(blocks.zz, weighted)
        u_zz = blocks.zz - _product(blocks.zz, _product(weights, blocks.zz))
        contrast = np.concatenate([-gamma, np.ones((*gamma.shape[:-1], 1))], -1)
        v = (contrast[..., None, None, :] @ u_zxy)[..., 0, :]
        g = u_zz.sum(-1) - (df / rss)[..., None, None] * (v @ np.swapaxes(v, -1, -2))
        if reml:
            u_zx = u_zxy[..., :p, :]
            flat = (*u_zx.shape[:-2], p * u_zx.shape[-1])
            spread = (inverse[..., None, :, :] @ u_zx).reshape(flat)
            g = g - u_zx.reshape(flat) @ np.swapaxes(spread, -1, -2)
        derivative = 2 * np.einsum("...ij,kij->...k", g @ factor, blocks.basis)
    return State(deviance, logs, rss, gamma, inverse, weights, derivative)


def effects(blocks: Blocks, state: State) -> Floats:
    """Return the predicted effects of the user's Z, shape (..., q, hospitals)."""
    contrast = np.concatenate([-state.gamma, np.ones((*state.gamma.shape[:-1], 1))], -1)
    residual = (contrast[..., None, None, :] @ blocks.zxy)[..., 0, :]
    inside = (state.weights * residual[..., None, :, :]).sum(-2)
    return blocks.to_effect @ inside


def spread(blocks: Blocks, state: State) -> Floats:
    """Return the effects' conditional covariance over s², shape (..., hospitals, q, q)."""
    inside = np.moveaxis(state.weights, -1, -3)
    outer = blocks.to_effect[..., None, :, :]
    return outer @ inside @ np.swapaxes(outer, -1, -2)


def hessian(blocks: Blocks, theta: Floats, *, reml: bool) -> Floats:
    """Return second derivatives by theta, from differences of the exact first ones."""
    m = theta.shape[-1]
    out = np.empty((*theta.shape, m))
    for k in range(m):
        step = np.zeros_like(theta)
        step[..., k] = 1e-4 * (0.1 + np.abs(theta[..., k]))
        above = evaluate(blocks, theta + step, reml=reml).slope
        below = evaluate(blocks, theta - step, reml=reml).slope
        out[..., k] = (above - below) / (2 * step[..., k, None])
    return (out + np.swapaxes(out, -1, -2)) / 2


def minimise(blocks: Blocks, start: Floats, *, reml: bool, steps: int = 60) -> Optimum:
    """Go down to the nearest optimum of each data set by Newton steps.

    Every Newton step is bent downhill (absolute eigenvalues), limited in length and halved
    until the deviance falls. A point where the first derivative is zero but a second one is
    negative, as on an edge that is not the optimum, is left along that direction.

    Parameters
    ----------
    blocks : Blocks
        Data sets of shape (S,).
    start : array, shape (S, m)
        Where to begin.
    """
    theta = np.array(start, dtype=float)
    value = evaluate(blocks, theta, reml=reml, slope=False).deviance
    active = np.arange(len(theta))
    last = np.zeros(len(theta))
    for _ in range(steps):
        part = blocks.take(active)
        now = theta[active]
        slope = evaluate(part, now, reml=reml).slope
        second = hessian(part, now, reml=reml)
        roots, axes = np.linalg.eigh(second)
        floor = 1e-6 * np.abs(roots).max(-1, keepdims=True) + 1e-10
        inside = (np.swapaxes(axes, -1, -2) @ slope[..., None])[..., 0]
        move = -inside / np.maximum(np.abs(roots), floor)
        gain = np.abs(inside * move).sum(-1)
        last[active] = gain
        saddle = (gain < 1e-7) & (roots[:, 0] < -1e-3)
        move[saddle, 0] = 0.1
        move = (axes @ move[..., None])[..., 0]
        reach = np.abs(move).max(-1, keepdims=True)
        move *= np.minimum(1, (0.5 + np.abs(now).max(-1, keepdims=True)) / np.maximum(reach, 1e-30))
        todo = np.flatnonzero((gain > 1e-13) | saddle)
        moved = np.zeros(len(active), dtype=bool)
        for length in (1.0, 0.5, 0.25, 0.1, 0.02, 0.002):
            if not len(todo):
                break
            tried = now[todo] + length * move[todo]
            found = evaluate(part.take(todo), tried, reml=reml, slope=False).deviance
            better = found < value[active[todo]]
            hit = active[todo[better]]
            theta[hit], value[hit] = tried[better], found[better]
            moved[todo[better]] = True
            todo = todo[~better]
        active = active[moved & ((gain > 1e-11) | saddle)]
        if not len(active):
            break
    converged = last < 1e-6  # twice what a last step would have gained
    theta = _onto_edges(blocks, theta, value, reml)
    second = hessian(blocks, theta, reml=reml)
    return Optimum(theta, evaluate(blocks, theta, reml=reml), second, converged)


def _onto_edges(blocks: Blocks, theta: Floats, value: Floats, reml: bool) -> Floats:
    """Set SDs that are next to nothing to 0 where that is no worse, and make the rest positive."""
    diagonal = np.array([np.any(np.diagonal(basis)) for basis in blocks.basis])
    tried = np.where(diagonal & (np.abs(theta) < EDGE), 0.0, theta)
    found = evaluate(blocks, tried, reml=reml, slope=False).deviance
    theta = np.where((found <= value + 1e-8)[:, None], tried, theta)
    for k in np.flatnonzero(diagonal):
        # Turning the sign of a column of L leaves LL' as it is.
        columns = np.flatnonzero(np.diagonal(blocks.basis[k]))
        same = [j for j, basis in enumerate(blocks.basis) if basis[:, columns].any()]
        negative = np.ix_(theta[:, k] < 0, same)
        theta[negative] = -theta[negative]
    return theta


def _gram(a: Floats, b: Floats) -> Floats:
    """Return the sum over hospitals of a'b."""
    parts = (a[..., k, :, :] @ np.swapaxes(b[..., k, :, :], -1, -2) for k in range(a.shape[-3]))
    total = next(parts)
    for part in parts:
        total = total + part
    return total


def _product(a: Floats, b: Floats) -> Floats:
    """Multiply matrices that have hospitals as their last axis."""
    if a.shape[-2] <= 2:
        out = a[..., :, 0, None, :] * b[..., None, 0, :, :]
        if a.shape[-2] == 2:
            out += a[..., :, 1, None, :] * b[..., None, 1, :, :]
        return out
    return np.moveaxis(np.moveaxis(a, -1, -3) @ np.moveaxis(b, -1, -3), -3, -1)


def _weights(zz: Floats, factor: Floats) -> tuple[Floats, Floats]:
    """Return W = L (I + L'Z'Z L)^-1 L' of each hospital and the sum of log |I + L'Z'Z L|."""
    q = factor.shape[-1]
    if q == 1:
        ratio = factor[..., 0, 0, None] ** 2
        scale = 1 + ratio * zz[..., 0, 0, :]
        return (ratio / scale)[..., None, None, :], np.log(scale).sum(-1)
    if q == 2:
        a, b, c, d = (factor[..., i, j, None] for i in (0, 1) for j in (0, 1))
        z00, z01, z11 = zz[..., 0, 0, :], zz[..., 0, 1, :], zz[..., 1, 1, :]
        m00 = 1 + a * a * z00 + 2 * a * c * z01 + c * c * z11
        m11 = 1 + b * b * z00 + 2 * b * d * z01 + d * d * z11
        m01 = a * b * z00 + (a * d + b * c) * z01 + c * d * z11
        det = m00 * m11 - m01 * m01
        w00 = (a * a * m11 - 2 * a * b * m01 + b * b * m00) / det
        w11 = (c * c * m11 - 2 * c * d * m01 + d * d * m00) / det
        w01 = (a * c * m11 - (a * d + b * c) * m01 + b * d * m00) / det
        rows = np.stack([np.stack([w00, w01], -2), np.stack([w01, w11], -2)], -3)
        return rows, np.log(det).sum(-1)
    inner = np.swapaxes(factor, -1, -2)[..., None, :, :]
    middle = np.eye(q) + inner @ np.moveaxis(zz, -1, -3) @ np.swapaxes(inner, -1, -2)
    lower = np.linalg.cholesky(middle)
    half = np.linalg.solve(lower, np.broadcast_to(inner, middle.shape))
    log_det = 2 * np.log(np.diagonal(lower, axis1=-2, axis2=-1)).sum((-1, -2))
    return np.moveaxis(np.swapaxes(half, -1, -2) @ half, -3, -1), log_det


@dataclass(frozen=True)
class Curvature:
    """How surely theta and log s² are known, and how the coefficients' variances follow them.

    `joint` is the covariance of (theta, log s²), shape (..., m + 1, m + 1), and `inverse_slope`
    the derivative of `State.inverse` by theta, shape (..., m, p, p).
    """

    joint: Floats
    inverse_slope: Floats


def curvature(blocks: Blocks, optimum: Optimum, *, reml: bool) -> Curvature:
    """Return the inverse of half the Hessian of the deviance, with s² not profiled out."""
    theta, state = optimum.theta, optimum.state
    m = theta.shape[-1]
    df = np.broadcast_to(blocks.degrees(reml), state.rss.shape)
    inverse_slope = np.empty((*theta.shape, blocks.p, blocks.p))
    cross = np.empty_like(theta)
    for k in range(m):
        step = np.zeros_like(theta)
        step[..., k] = 1e-4 * (0.1 + np.abs(theta[..., k]))
        above = evaluate(blocks, theta + step, reml=reml, slope=False)
        below = evaluate(blocks, theta - step, reml=reml, slope=False)
        width = 2 * step[..., k]
        inverse_slope[..., k, :, :] = (above.inverse - below.inverse) / width[..., None, None]
        cross[..., k] = (above.rss - below.rss) / width * df / state.rss
    whole = np.empty((*theta.shape[:-1], m + 1, m + 1))
    whole[..., :m, :m] = (
        optimum.hessian + cross[..., :, None] * cross[..., None, :] / df[..., None, None]
    )
    whole[..., :m, m] = whole[..., m, :m] = -cross
    whole[..., m, m] = df
    roots, axes = np.linalg.eigh(whole)
    kept = roots > 1e-9 * roots[..., -1:]
    inverted = np.where(kept, 2 / np.where(kept, roots, 1), 0)
    joint = (axes * inverted[..., None, :]) @ np.swapaxes(axes, -1, -2)
    return Curvature(joint, inverse_slope)


def satterthwaite(joint: Floats, variance: Floats, slope: Floats) -> Floats:
    """Return Satterthwaite's degrees of freedom of variances s² h(theta).

    Parameters
    ----------
    joint : array, shape (..., m + 1, m + 1)
        From `curvature`.
    variance : array, shape (..., r)
        h, for r quantities.
    slope : array, shape (..., m, r)
        Its derivative by theta.
    """
    gradient = np.concatenate([slope, variance[..., None, :]], -2)
    noise = (gradient * (joint @ gradient)).sum(-2)
    with np.errstate(divide="ignore"):
        return 2 * variance**2 / noise
