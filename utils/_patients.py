"""From patients to their hospitals: what every engine reads, checks and sums in the same way."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LARGEST = 1e100  # squares of larger numbers, and their sums, may overflow


def numbers(name: str, given: object) -> Floats:
    """Return an array of finite numbers, of any shape, or say what is wrong with it."""
    array = as_float(name, given)
    finite = np.isfinite(array)
    if not finite.all():
        row = int(np.argwhere(~np.atleast_1d(finite))[0][0])
        raise ValueError(
            f"{name} must be finite, got {int((~finite).sum())} missing or infinite of "
            f"{array.size}, first in row {row}"
        )
    if array.size and max(array.max(), -array.min()) > LARGEST:
        raise ValueError(f"{name} must lie within 1e100 of 0, got {np.abs(array).max():.3g}")
    return array


def as_float(name: str, given: object) -> Floats:
    """Return an array of real numbers, missing ones allowed."""
    values = np.asarray(given)
    if values.dtype.kind in "USMmc" or (
        values.dtype.kind == "O" and any(isinstance(v, str) for v in values.ravel())
    ):
        raise ValueError(f"{name} must be numeric, got {_short(given)}")
    try:
        return values.astype(float, copy=False)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numeric, got {_short(given)}") from None


def codes_of(hospital: object, name: str = "hospital") -> tuple[NDArray[np.intp], NDArray]:
    """Return the code of each patient's hospital, and the hospitals that occur, in order.

    Raises
    ------
    ValueError
        If it is not one list, a value is missing, or the values cannot be put in order.
    """
    values = hospital if isinstance(hospital, pd.Series | pd.Categorical) else np.asarray(hospital)
    if np.ndim(values) != 1:
        raise ValueError(f"{name} must be one list, got shape {np.shape(values)}")
    n = len(values)
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu" and n > 0:
        first, last = int(values.min()), int(values.max())
        if last - first < 4 * n:  # the fast way for plain codes
            found = np.bincount(values - first) > 0
            place = np.cumsum(found) - 1
            return place[values - first], np.flatnonzero(found) + first
    if isinstance(getattr(values, "dtype", None), pd.CategoricalDtype):
        categories = values.array if isinstance(values, pd.Series) else values
        code = np.asarray(categories.codes)
        names = categories.categories
        if n > 0 and code.min() >= 0 and np.bincount(code, minlength=len(names)).all():
            return code.astype(np.intp), np.asarray(names)  # nothing missing, none unused
    groups = pd.Series(values).reset_index(drop=True)
    missing = groups.isna()
    if missing.any():
        raise ValueError(
            f"{name} must not be missing, got {int(missing.sum())} missing, "
            f"first in row {int(np.argmax(missing))}"
        )
    if isinstance(groups.dtype, pd.CategoricalDtype):
        present = groups.cat.remove_unused_categories().cat
        return present.codes.to_numpy().astype(np.intp), np.asarray(present.categories)
    try:
        codes, found = pd.factorize(groups, sort=True)
    except TypeError as problem:
        raise ValueError(f"{name} mixes kinds of values: {problem}") from problem
    return codes, np.asarray(found)


class Totals:
    """Sums over the patients of each hospital, along the last axis.

    Parameters
    ----------
    codes : array, shape (n_patients,)
        Hospital of each patient, from 0, none left out.
    hospitals : int
        Their number.

    Attributes
    ----------
    sizes : array, shape (hospitals,)
        Patients of each hospital.
    """

    def __init__(self, codes: NDArray[np.intp], hospitals: int) -> None:
        self.codes, self.hospitals = codes, hospitals
        self.sizes = np.bincount(codes, minlength=hospitals)
        self._sorted = bool(np.all(codes[1:] >= codes[:-1]))
        self._order = None if self._sorted else np.argsort(codes, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    def __call__(self, values: Floats) -> Floats:
        """Return sums of shape (..., hospitals) of values of shape (..., n_patients)."""
        if values.ndim == 1:
            return np.bincount(self.codes, values, self.hospitals)
        if self._order is not None:
            values = values[..., self._order]
        return np.add.reduceat(values, self._starts, axis=-1)

    def split(self, columns: Floats) -> tuple[Floats, Floats]:
        """Return means of shape (k, hospitals) of (k, n_patients) columns, and what is about them.

        Row by row: that sums better than all rows at once.
        """
        means = np.stack([self(row) for row in columns]) / self.sizes
        return means, columns - means.take(self.codes, axis=1)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
