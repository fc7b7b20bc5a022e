"""Reading and refusing input of the exact posteriors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from utils._exact_gaussian import BetaPrior
from utils._patients import as_float, numbers

Floats = NDArray[np.float64]


def number_list(name: str, given: object) -> Floats:
    """Return finite numbers, shape (n,), or say what is wrong."""
    values = numbers(name, given)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name} must be a list of numbers, got shape {values.shape}")
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
    x = numbers("X", given)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"X must have shape (rows, columns), got {x.shape}")
    if len(x) != n:
        raise ValueError(f"y and X must have as many rows, got {n} and {len(x)}")
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
    q = np.atleast_1d(as_float("probability", given))
    if q.ndim != 1 or not np.all((q > 0) & (q < 1)):
        raise ValueError(f"probabilities must lie between 0 and 1, got {given!r}")
    return q
