"""Where a simulation study keeps the replicates that are done, so that it can go on later.

One text file. Its first line says which study it is; each further line is one replicate, as JSON.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections.abc import Callable
from numbers import Integral, Real
from pathlib import Path
from types import CodeType, FunctionType, TracebackType
from typing import Any

import numpy as np
import pandas as pd

FORMAT = "replicates 1"
OWN_COLUMNS = ("replicate", "seed")
PLAIN = (bool, int, float, str, bytes, type(None))

Rows = list[dict[str, Any]]


def rows_of(result: object) -> Rows:
    """Turn what an experiment returned into rows of plain numbers, text and truth values.

    Raises
    ------
    ValueError
        If it is not a dict, a Series or a DataFrame, or holds anything else.
    """
    if isinstance(result, pd.DataFrame):
        rows = result.to_dict("records")
    elif isinstance(result, pd.Series | dict):
        rows = [dict(result)]
    else:
        raise ValueError(
            "an experiment returns a dict, a Series or a DataFrame of rows; "
            f"got {type(result).__name__}"
        )
    return [{_column(name): _plain(name, value) for name, value in row.items()} for row in rows]


def _column(name: object) -> str:
    if not isinstance(name, str):
        raise ValueError(f"a row's columns have names that are text; got {name!r}")
    if name in OWN_COLUMNS:
        raise ValueError(f"a row must not have a column {name!r}: `replicate` adds it")
    return name


def _plain(name: object, value: object) -> bool | int | float | str | None:
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return _plain(name, value.item())
    if value is pd.NA:
        return None
    raise ValueError(
        f"a row holds numbers, text and truth values; column {name!r} got "
        f"{type(value).__name__}: give one row, or one column, to each of its values"
    )


def fingerprint(experiment: Callable[..., object]) -> str:
    """Return a digest of what the experiment does: its code and the constants it uses.

    Comments, names of files and line numbers do not count. Values of globals, of enclosing
    functions and of defaults count where they are plain, and functions of the same module are
    followed. What it cannot see: data frames, arrays, and code in other modules.
    """
    parts: list[str] = []
    _describe(experiment, parts, {})
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _describe(thing: object, parts: list[str], seen: dict[int, object]) -> None:
    if isinstance(thing, PLAIN):
        parts.append(repr(thing))
        return
    # Equal tuples may be one object or two, so a tuple is described each time.
    if id(thing) in seen and not isinstance(thing, tuple):
        return
    seen[id(thing)] = thing  # kept alive, lest another thing get its id
    if isinstance(thing, tuple | list):
        for item in thing:
            _describe(item, parts, seen)
    elif isinstance(thing, dict):
        for key in sorted(thing, key=repr):
            parts.append(repr(key))
            _describe(thing[key], parts, seen)
    elif isinstance(thing, functools.partial):
        for item in (thing.func, thing.args, thing.keywords):
            _describe(item, parts, seen)
    elif isinstance(thing, FunctionType):
        _describe_function(thing, parts, seen)
    elif hasattr(thing, "__func__"):  # a bound method: its code, and the object it belongs to
        _describe(thing.__func__, parts, seen)
        _describe(thing.__self__, parts, seen)
    else:
        parts.append(f"{type(thing).__module__}.{getattr(thing, '__qualname__', type(thing))}")
        if isinstance(getattr(type(thing), "__call__", None), FunctionType):  # noqa: B004
            _describe(type(thing).__call__, parts, seen)
            _describe(getattr(thing, "__dict__", None), parts, seen)


def _describe_function(thing: FunctionType, parts: list[str], seen: dict[int, object]) -> None:
    names = _describe_code(thing.__code__, parts)
    _describe((thing.__defaults__, thing.__kwdefaults__), parts, seen)
    cells = inspect.getclosurevars(thing).nonlocals
    _describe(cells, parts, seen)
    for name in sorted(names & thing.__globals__.keys()):
        value = thing.__globals__[name]
        own = isinstance(value, FunctionType) and value.__module__ == thing.__module__
        if own or isinstance(value, (*PLAIN, tuple, list, dict, functools.partial)):
            parts.append(name)
            _describe(value, parts, seen)


def _describe_code(code: CodeType, parts: list[str]) -> set[str]:
    """Describe code and the code inside it; return the names that it looks up."""
    parts += [code.co_code.hex(), repr(code.co_names), repr(code.co_varnames)]
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _describe_code(constant, parts)
        else:
            held = sorted(constant, key=repr) if isinstance(constant, frozenset) else constant
            parts.append(repr(held))
    return names


class Store:
    """The file of one study, open for more rows.

    Parameters
    ----------
    path : path-like
        Made if it is not there.
    study : dict
        What tells this study from others: see `header`.

    Raises
    ------
    ValueError
        If the file is of another study, or is no store at all. It is left as it is.
    """

    def __init__(self, path: object, study: dict[str, str]):
        self.path = Path(path)
        self.study = {"format": FORMAT, **study}
        if self.path.is_dir():
            raise ValueError(f"store must be a file, not a folder; got {str(self.path)!r}")
        self.done: dict[int, Rows] = {}
        whole = self._read() if self.path.exists() else 0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.path.open("ab")
        self.file.truncate(whole)  # a line cut short by a crash
        if whole == 0:
            self._write(self.study)

    def _read(self) -> int:
        """Read what is done; return the length of the file's whole lines."""
        text = self.path.read_bytes()
        whole = text.rfind(b"\n") + 1
        lines = text[:whole].splitlines()
        if not lines:
            if text and not json.dumps(self.study).encode().startswith(text):
                raise ValueError(f"store {str(self.path)!r} is not a store of replicates")
            return 0
        found = self._parse(1, lines[0])
        if found.get("format") != FORMAT:
            raise ValueError(f"store {str(self.path)!r} is not a store of replicates")
        for key in ("rng", "experiment"):
            if found.get(key) != self.study[key]:
                raise ValueError(
                    f"store {str(self.path)!r} is of another study: its {key} differs. "
                    f"Give the same {key} to go on, or another file; it has "
                    f"{found.get(key)!r}, got {self.study[key]!r}"
                )
        for number, line in enumerate(lines[1:], start=2):
            entry = self._parse(number, line)
            if not isinstance(entry.get("replicate"), int) or "rows" not in entry:
                raise ValueError(f"store {str(self.path)!r}, line {number} is not a replicate")
            self.done[entry["replicate"]] = entry["rows"]
        return whole

    def _parse(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise ValueError(
                f"store {str(self.path)!r} is not a store of replicates: line {number} is not JSON"
            )
        return entry

    def add(self, replicate: int, rows: Rows) -> None:
        """Write one replicate, at once."""
        self._write({"replicate": replicate, "rows": rows})

    def _write(self, entry: dict[str, Any]) -> None:
        self.file.write(json.dumps(entry).encode() + b"\n")
        self.file.flush()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()
