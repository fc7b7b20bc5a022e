"""Reading and refusing input of the exact posteriors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from utils._exact_gaussian import BetaPrior

Floats = NDArray[np.float64]


def numbers(name: str, given: object) -> Floats:
    """Return finite numbers, shape (n,), or say what is wrong."""
    values = _as_float(name, given)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name} must be a list of numbers, got shape {values.shape}")
    _finite(name, values)
    return values


def design(given: object, n: int) -> tuple[Floats, list[str]]:
    """Return the design matrix (n, p) and the names of its columns; None is an intercept."""
    if given is None:
        return np.ones((n, 1)), ["intercept"]
    names = None
    if isinstance(given, pd.DataFrame):
        names = [str(column) for column in given.columns]
    elif hasattr(given, "design_info"):
        names = list(given.design_info.column_names)
    elif isinstance(given, pd.Series):
        names = [str(given.name or "beta[0]")]
    x = _as_float("X", given)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"X must have shape (rows, columns), got {x.shape}")
    if len(x) != n:
        raise ValueError(f"y and X must have as many rows, got {n} and {len(x)}")
    _finite("X", x)
    names = names or [f"beta[{k}]" for k in range(x.shape[1])]
    taken = [name for name in names if name in ("tau", "sigma") or names.count(name) > 1]
    if taken:
        raise ValueError(f"columns of X need names of their own, other than tau and sigma: {taken}")
    if x.shape[1] > n:
        raise ValueError(f"X has {x.shape[1]} columns for {n} rows: too many")
    largest = np.array([np.abs(column).max() for column in x.T])
    if np.any(largest == 0):
        raise ValueError(f"column {names[int(np.argmin(largest))]!r} of X is zero throughout")
    x_scaled = x / largest
    gram = x_scaled.T @ x_scaled
    length = np.sqrt(np.diag(gram))
    if np.linalg.eigvalsh(gram / np.outer(length, length))[0] > 1e-8:
        return x, names
    pivot = np.abs(np.diag(np.linalg.qr(x_scaled / length, mode="r")))
    if np.any(pivot < 1e-10):
        raise ValueError(
            f"X is collinear: column {names[int(np.argmax(pivot < 1e-10))]!r} is a constant or a "
            "combination of the columns before it"
        )
    return x, names


def codes(given: object, n: int) -> tuple[NDArray[np.intp], list]:
    """Return hospital codes 0.. of each row, and the hospitals that occur, in order."""
    values = given if isinstance(given, pd.Series | pd.Categorical) else np.asarray(given)
    if np.ndim(values) != 1:
        raise ValueError(f"group must be one list, got shape {np.shape(values)}")
    if len(values) != n:
        raise ValueError(f"y and group must have as many rows, got {n} and {len(values)}")
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu" and n > 0:
        first, last = int(values.min()), int(values.max())
        if last - first < 4 * n:  # the fast way for plain codes
            found = np.bincount(values - first) > 0
            place = np.cumsum(found) - 1
            return place[values - first], (np.flatnonzero(found) + first).tolist()
    if isinstance(getattr(values, "dtype", None), pd.CategoricalDtype):
        categories = values.array if isinstance(values, pd.Series) else values
        code = np.asarray(categories.codes)
        if (
            n > 0
            and code.min() >= 0
            and np.bincount(code, minlength=len(categories.categories)).all()
        ):
            return code.astype(np.intp), list(categories.categories)  # nothing missing, none unused
    series = pd.Series(values).reset_index(drop=True)
    if series.isna().any():
        row = int(np.argmax(series.isna().to_numpy()))
        raise ValueError(f"group is missing in {int(series.isna().sum())} rows, first in row {row}")
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.cat.remove_unused_categories()
        return series.cat.codes.to_numpy().astype(np.intp), list(series.cat.categories)
    try:
        code, labels = pd.factorize(series, sort=True)
    except TypeError as problem:
        raise ValueError(f"group mixes kinds of values: {problem}") from problem
    return code, list(labels)


def same_rows(**columns: object) -> None:
    """Refuse pandas columns whose indexes differ: rows would be matched wrongly."""
    indexed = [(k, v.index) for k, v in columns.items() if isinstance(v, pd.Series | pd.DataFrame)]
    for name, index in indexed[1:]:
        if len(index) == len(indexed[0][1]) and not index.equals(indexed[0][1]):
            raise ValueError(
                f"{indexed[0][0]} and {name} have different indexes, and rows are matched by "
                "position: put them in one order, or pass to_numpy()"
            )


def beta_prior(given: object, names: list[str]) -> BetaPrior:
    """Return normal or flat priors of the coefficients."""
    p = len(names)
    if given is None:
        return BetaPrior(np.zeros(p), np.zeros(p))
    try:
        mean, sd = given
        mean = np.broadcast_to(np.asarray(mean, float), (p,)).copy()
        sd = np.broadcast_to(np.asarray(sd, float), (p,)).copy()
    except (TypeError, ValueError) as problem:
        raise ValueError(
            f"beta must be None (flat) or (mean, sd), each one number or {p}, got {given!r}"
        ) from problem
    if not np.isfinite(mean).all() or np.isnan(sd).any() or np.any(sd <= 0):
        raise ValueError(
            "beta's means must be finite and its sds above 0 (infinite for a flat prior), "
            f"got {given!r}"
        )
    return BetaPrior(mean, 1 / sd**2)


def probabilities(given: object) -> Floats:
    """Return probabilities strictly between 0 and 1."""
    q = np.atleast_1d(_as_float("probability", given))
    if q.ndim != 1 or not np.all((q > 0) & (q < 1)):
        raise ValueError(f"probabilities must lie between 0 and 1, got {given!r}")
    return q


def _as_float(name: str, given: object) -> Floats:
    values = np.asarray(given)
    if values.dtype.kind in "USMmc" or (
        values.dtype.kind == "O" and any(isinstance(v, str) for v in values.ravel())
    ):
        raise ValueError(f"{name} must hold real numbers, got {values.dtype} {values.ravel()[:1]}")
    try:
        return values.astype(float)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{name} must hold numbers, and they must be present: {problem}") from None


def _finite(name: str, values: Floats) -> None:
    if not np.isfinite(values).all():
        bad = ~np.isfinite(values)
        row = int(np.argwhere(bad)[0][0])
        raise ValueError(
            f"{name} must be finite: {int(bad.sum())} values are missing or infinite, "
            f"first in row {row}"
        )
    largest = max(values.max(), -values.min())
    if largest > 1e100:
        raise ValueError(f"{name} must lie within 1e100 of 0, got {largest:.3g}")
