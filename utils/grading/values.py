"""Carry answers from a submission to the grader as plain data: JSON, never pickle.

`encode` runs beside the submission's code and may be lied to; it decides nothing. `decode` runs in
the grader and believes nothing: whatever it is given, it returns plain Python, NumPy or pandas.
"""

from __future__ import annotations

import math
import types
from typing import Any

import numpy as np
import pandas as pd

LARGEST = 100_000  # numbers in one answer
_DEEPEST = 4


class Other:
    """An answer of a type that cannot be carried over; the check says that it cannot be read."""


def encode(value: Any, depth: int = 0) -> dict:  # noqa: PLR0911, PLR0912 - one return for each type
    """Return an answer as JSON-ready data, tagged with its type.

    Examples
    --------
    >>> encode(np.float64(1.5))
    {'number': 1.5}
    >>> encode((1, "a"))
    {'tuple': [{'number': 1}, {'text': 'a'}]}
    """
    if value is None or value is Ellipsis:
        return {"blank": True}
    if isinstance(value, (bool, np.bool_)):
        return {"truth": bool(value)}
    if isinstance(value, (int, np.integer)):
        whole = int(value)
        return {"number": whole} if abs(whole) < 2**63 else {"number": _float(whole)}
    if isinstance(value, (float, np.floating)):
        return {"number": float(value)}
    if isinstance(value, str):
        return {"text": str(value)[:LARGEST]}
    if depth >= _DEEPEST:
        return {"other": "nested"}
    if isinstance(value, (list, tuple)) and len(value) <= LARGEST:
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [encode(item, depth + 1) for item in value]}
    if isinstance(value, dict) and len(value) <= LARGEST:
        items = list(value.items())
        return {"dict": [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in items]}
    if isinstance(value, pd.Series) and value.size <= LARGEST:
        return {"series": _list(value.index), "values": _list(value)}
    if isinstance(value, pd.DataFrame) and value.size <= LARGEST:
        columns = [_list(value.iloc[:, i]) for i in range(value.shape[1])]
        return {"frame": _list(value.index), "columns": _list(value.columns), "values": columns}
    if isinstance(value, pd.Index) and value.size <= LARGEST:
        return {"array": _list(value), "shape": [value.size]}
    if isinstance(value, np.ndarray) and value.size <= LARGEST:
        return {"array": _list(np.asarray(value).ravel()), "shape": list(value.shape)}
    try:  # a scalar of another library, such as a DataArray of one number or a Decimal
        if not isinstance(value, type | types.FunctionType):
            return {"number": float(value)}
    except Exception:  # noqa: BLE001 - the answer's own code may raise anything
        pass
    return {"other": type(value).__name__[:40]}


def decode(data: Any, depth: int = 0) -> Any:
    """Return the answer that `encode` described, as far as it can be believed.

    Examples
    --------
    >>> decode({"tuple": [{"number": 1}, {"text": "a"}]})
    (1, 'a')
    >>> type(decode("anything else")).__name__
    'Other'
    """
    if data is None:  # the submission never came to this answer
        return None
    try:
        return _decode(data, depth)
    except (ValueError, TypeError, KeyError, OverflowError, IndexError, RecursionError):
        return Other()


def _decode(data: Any, depth: int) -> Any:  # noqa: PLR0911 - as above
    if not isinstance(data, dict) or depth > _DEEPEST:
        return Other()
    match data:
        case {"blank": True}:
            return None
        case {"truth": bool(value)} | {"text": str(value)}:
            return value
        case {"number": int(value) | float(value)}:
            return value if not isinstance(value, int) or abs(value) < 2**63 else _float(value)
        case {"list": list(items)}:
            return [_decode(item, depth + 1) for item in items[:LARGEST]]
        case {"tuple": list(items)}:
            return tuple(_decode(item, depth + 1) for item in items[:LARGEST])
        case {"dict": list(items)}:
            return {_decode(k, depth + 1): _decode(v, depth + 1) for k, v in items[:LARGEST]}
        case {"series": list(index), "values": list(values)}:
            return pd.Series(_plain(values), index=_plain(index))
        case {"frame": list(index), "columns": list(names), "values": list(values)}:
            columns = [pd.Series(_plain(column), index=_plain(index)) for column in values]
            return pd.concat(columns, axis=1, keys=_plain(names)) if columns else pd.DataFrame()
        case {"array": list(values), "shape": list(shape)}:
            return np.array(_plain(values)).reshape([int(n) for n in shape])
    return Other()


def _list(values: Any) -> list:
    return [_scalar(value) for value in np.asarray(values, dtype=object).tolist()]


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return value if isinstance(value, float) or abs(value) < 2**63 else _float(value)
    if isinstance(value, np.generic):
        return _scalar(value.item())
    return str(value)[:200]


def _plain(values: list) -> list:
    """Keep scalars only: a container inside an array is not an answer."""
    if len(values) > LARGEST:
        raise ValueError(f"an answer has at most {LARGEST} values; got {len(values)}")
    return [v if v is None or isinstance(v, (bool, int, float, str)) else "?" for v in values]


def _float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return math.inf if whole > 0 else -math.inf
