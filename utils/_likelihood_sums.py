"""From patients to the sums of utils._likelihood_blocks, with every check of the input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from utils._likelihood_blocks import Blocks, Floats
from utils._patients import Totals

RANK = 1e-9  # a column that others explain to this fraction of its length adds nothing


def orthonormal(columns: Floats, names: Sequence[str], what: str) -> tuple[Floats, Floats]:
    """Return orthonormal columns that span the same, and the triangle that makes the old ones.

    Raises
    ------
    ValueError
        If a column is a combination of those before it.
    """
    q, r = np.linalg.qr(columns)
    diagonal = np.diagonal(r, axis1=-2, axis2=-1)
    length = np.sqrt((r**2).sum(-2))
    bad = np.abs(diagonal) <= RANK * np.where(length > 0, length, 1)
    bad |= ~np.isfinite(diagonal)
    if bad.any():
        k = int(np.flatnonzero(bad.reshape(-1, bad.shape[-1]).any(0))[0])
        flat = columns.reshape(-1, *columns.shape[-2:])[
            int(bad.reshape(-1, bad.shape[-1])[:, k].argmax())
        ]
        kind = "is constant" if np.ptp(flat[:, k]) == 0 else "is a combination of the others"
        raise ValueError(
            f"the columns of {what} must each add something; {names[k]!r} {kind} "
            f"(the columns are {', '.join(map(repr, names))})"
        )
    sign = np.sign(diagonal)
    return q * sign[..., None, :], r * sign[..., :, None]


def make_blocks(
    y: Floats,
    x: Floats,
    codes: NDArray[np.intp],
    z: Floats | None,
    *,
    components: Sequence[Sequence[Floats]] = (),
    correlated: bool = True,
    names: Sequence[str] | None = None,
    z_names: Sequence[str] | None = None,
) -> Blocks:
    """Return the sums of one data set or, with leading axes, of many.

    Parameters
    ----------
    y : array, shape (..., n)
        The outcome, or many outcomes of the same patients.
    x : array, shape (n, p) or (..., n, p)
        The fixed effects' columns.
    codes : array, shape (n,)
        Hospital of each patient, from 0, none left out.
    z : array, shape (n, q) or (..., n, q)
        Columns of the hospitals' effects, with any covariance.
    components : sequence of sequences of arrays
        For each further variance component its columns for the patients of each hospital:
        independent effects with one variance. One data set only.
    """
    n, p = x.shape[-2:]
    if n <= p:
        raise ValueError(f"there must be more patients than fixed effects, got {n} and {p}")
    names = names or [f"column {k}" for k in range(p)]
    q_x, r = orthonormal(x, names, "the fixed effects")
    project = np.swapaxes(q_x, -1, -2)
    fitted = (project @ y[..., None])[..., 0] if x.ndim > 2 else y @ q_x
    residual = y - ((q_x @ fitted[..., None])[..., 0] if x.ndim > 2 else fitted @ q_x.T)
    with np.errstate(over="ignore"):
        yy = (residual**2).sum(-1)
        size = (y**2).sum(-1)
    if not np.all(np.isfinite(size)):
        raise ValueError(f"y is too large to square: its largest value is {np.abs(y).max():.3g}")
    if np.any(yy <= 1e-24 * size) or np.any(yy == 0):
        raise ValueError("y must not be an exact function of the fixed effects: nothing is left")
    to_beta = np.linalg.inv(r)
    hospitals = int(codes.max()) + 1
    batch = yy.shape
    total = Totals(codes, hospitals)
    columns = [*np.moveaxis(np.broadcast_to(q_x, (*x.shape[:-2], n, p)), -1, 0), residual]
    zz = np.zeros((*batch, 0, 0, hospitals))
    zxy = np.zeros((*batch, 0, p + 1, hospitals))
    to_effect = np.zeros((*batch, 0, 0))
    basis: list[Floats] = []
    if z is not None:
        k_re = z.shape[-1]
        z_names = z_names or [f"column {k}" for k in range(k_re)]
        if correlated:
            q_z, r_z = orthonormal(z, z_names, "the hospitals' effects")
            inside = q_z * np.sqrt(n)
            back = np.linalg.inv(r_z) * np.sqrt(n)
        else:
            inside, back = z, np.broadcast_to(np.eye(k_re), (*z.shape[:-2], k_re, k_re))
        parts = np.moveaxis(inside, -1, 0)
        zz = np.empty((*batch, k_re, k_re, hospitals))
        zxy = np.empty((*batch, k_re, p + 1, hospitals))
        for a in range(k_re):
            for b in range(a, k_re):
                zz[..., a, b, :] = zz[..., b, a, :] = total(parts[a] * parts[b])
            for c, column in enumerate(columns):
                zxy[..., a, c, :] = total(parts[a] * column)
        to_effect = np.broadcast_to(back, (*batch, k_re, k_re)).copy()
        for a in range(k_re):
            for b in range(a + 1):
                unit = np.zeros((k_re, k_re))
                unit[a, b] = 1
                basis.append(unit)
    if components:
        zz, zxy, to_effect, basis = _with_components(
            codes, np.stack(columns, -1), None if z is None else inside, components,
            zz, zxy, to_effect, basis,
        )  # fmt: skip
    return Blocks(
        n_rows=np.full(batch, float(n)),
        zz=zz,
        zxy=zxy,
        yy=yy,
        ols=(to_beta @ fitted[..., None])[..., 0],
        to_beta=np.broadcast_to(to_beta, (*batch, p, p)),
        log_det_xx=np.broadcast_to(
            2 * np.log(np.diagonal(r, axis1=-2, axis2=-1)).sum(-1), batch
        ).copy(),
        basis=np.stack(basis),
        to_effect=to_effect,
    )


def _with_components(codes, columns, inside, components, zz, zxy, to_effect, basis):
    """Append the columns of further variance components, padded to one width for all."""
    hospitals = zz.shape[-1]
    p1 = columns.shape[-1]
    k_re = zz.shape[-2]
    widths = [max(mat.shape[1] for mat in mats) for mats in components]
    q = k_re + sum(widths)
    big_zz = np.zeros((q, q, hospitals))
    big_zxy = np.zeros((q, p1, hospitals))
    scales = [
        np.sqrt(sum((mat**2).sum() for mat in mats) / len(codes)) or 1.0 for mats in components
    ]
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    for j, rows in enumerate(np.split(order, ends[:-1])):
        z_j = np.zeros((len(rows), q))
        if inside is not None:
            z_j[:, :k_re] = inside[rows]
        at = k_re
        for mats, width, scale in zip(components, widths, scales, strict=True):
            z_j[:, at : at + mats[j].shape[1]] = mats[j] / scale
            at += width
        big_zz[..., j] = z_j.T @ z_j
        big_zxy[..., j] = z_j.T @ columns[rows]
    big_back = np.zeros((q, q))
    big_back[:k_re, :k_re] = to_effect
    units = []
    for unit in basis:
        big = np.zeros((q, q))
        big[:k_re, :k_re] = unit
        units.append(big)
    at = k_re
    for width, scale in zip(widths, scales, strict=True):
        slots = np.arange(at, at + width)
        unit = np.zeros((q, q))
        unit[slots, slots] = 1
        units.append(unit)
        big_back[slots, slots] = 1 / scale
        at += width
    return big_zz, big_zxy, big_back, units


def check_sizes(sizes: Floats, effects: int) -> None:
    """Refuse too few hospitals, or as many hospital effects as patients."""
    if len(sizes) < 2:
        raise ValueError("there must be at least 2 hospitals, got 1: nothing varies between them")
    if effects * len(sizes) >= sizes.sum():
        raise ValueError(
            "there must be more patients than hospital effects, got "
            f"{sizes.sum():g} patients and {effects * len(sizes)} effects: hospital_sd and "
            "patient_sd cannot be told apart"
        )


def check_hospitals(blocks: Blocks, effects: int) -> None:
    """Refuse fixed effects that leave nothing between, or nothing within, the hospitals."""
    zz, zx = blocks.zz[..., 0, 0, :], blocks.zxy[..., 0, :-1, :]
    left = zz.sum(-1) - (zx**2).sum((-1, -2))
    if np.any(left < 1e-7 * blocks.n_rows):
        raise ValueError(
            "the fixed effects already hold every hospital apart: leave hospital out of them, or "
            "use fewer columns that are constant within hospitals"
        )
    sizes = np.maximum(zz, 1)
    between = np.einsum("...aj,...bj->...ab", zx / sizes[..., None, :], zx)
    roots = np.linalg.eigvalsh(np.eye(blocks.p) - between)
    within = (roots > 1e-9).sum(-1)
    hospitals = (zz > 0).sum(-1)
    if np.any(blocks.n_rows - hospitals - within < 1):
        raise ValueError(
            "patient_sd cannot be estimated: with the fixed effects and the hospitals nothing is "
            f"left within hospitals ({int(blocks.n_rows.max())} patients, "
            f"{int(hospitals.max())} hospitals)"
        )
