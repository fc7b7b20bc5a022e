"""Read what a learner hands in: a number, numbers by hospital, a letter, a sentence with a letter.

An answer may be anything, and its own code may raise, print or be slow. So types are told by
`type(answer)`, never by `isinstance` (which may run the object's `__class__`); methods of an
answer are called only where its type is known; and sizes are looked at before values.
"""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Hashable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

_TYPE_NAME = type.__dict__["__name__"].__get__  # a metaclass cannot intercept this
_MRO = type.__dict__["__mro__"].__get__
_VARS = type.__dict__["__dict__"].__get__
_FUNCTIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodWrapperType,
    np.ufunc,
)
_DATES = (np.datetime64, np.timedelta64)


class Unreadable(Exception):
    """An answer is not of the form asked for; the message says why, in words for a learner."""


def is_blank(answer: object) -> bool:
    """Tell whether nothing was handed in: None, `...`, an empty text, or a pair of those."""
    if answer is None or answer is Ellipsis:
        return True
    kind = type(answer)
    if issubclass(kind, str):
        return str.strip(answer) in ("", "...", "…")
    if kind is list or kind is tuple:  # not `kind in (list, tuple)`: a metaclass may define ==
        return 1 <= len(answer) <= 100 and all(
            item is None or item is Ellipsis or (type(item) is str and not item.strip())
            for item in answer
        )
    return False


def type_name(answer: object) -> str:
    """Return the name of an answer's type, short enough for a message."""
    return _TYPE_NAME(type(answer))[:40]


def read_number(answer: object) -> float:
    """Read one number: a Python or NumPy scalar, or anything that holds exactly one.

    Parameters
    ----------
    answer : object
        Whatever was handed in.

    Returns
    -------
    float
        Possibly NaN or infinite.

    Raises
    ------
    Unreadable
        If no single real number can be read from it.

    Examples
    --------
    >>> read_number([np.float64(3.2)])
    3.2
    """
    for _ in range(8):  # [[[3.2]]] is still one number; a list that holds itself is none
        held = _held(answer)
        if held is None:
            return _scalar(answer)
        shape, take = held
        size = math.prod(shape)
        if size != 1:
            raise Unreadable(f"One number is asked for; you gave {_shape(shape, answer)}.")
        answer = take()[0]
    raise Unreadable("One number is asked for; you gave lists within lists.")


def read_vector(
    answer: object, hospitals: Sequence[Hashable], each: str = "hospital"
) -> np.ndarray:
    """Read one number per hospital, in the order of `hospitals`.

    A Series, dict, one-column DataFrame or labelled DataArray is aligned by its labels; anything
    without labels of its own is read in order.

    Parameters
    ----------
    answer : object
        Whatever was handed in.
    hospitals : sequence of labels, length n
        The hospitals in the order of the reference.
    each : str
        What they are, where they are not hospitals.

    Returns
    -------
    ndarray, shape (n,)
        Float values, possibly NaN or infinite.

    Raises
    ------
    Unreadable
        If the answer holds no n numbers, or labels that are not the hospitals.
    """
    n = len(hospitals)
    wanted = f"One number for each of the {n} {each}s is asked for"
    if issubclass(type(answer), dict):
        shape: tuple[int, ...] = (dict.__len__(answer),)
        take, labels = (lambda: list(dict.values(answer))), (lambda: list(dict.keys(answer)))
    else:
        held = _held(answer)
        if held is None:
            raise Unreadable(f"{wanted}; you gave {_what(answer)}.")
        shape, take = held
        labels = _labels_of(answer)
    if max(shape, default=1) != math.prod(shape) or math.prod(shape) != n:
        raise Unreadable(f"{wanted}; you gave {_shape(shape, answer)}.")
    values = take()
    names = labels() if labels is not None else None
    if names is not None:
        values = _aligned(values, names, hospitals, each)
    return np.array(
        [_element(value, f"{each} {name}") for value, name in zip(values, hospitals, strict=True)]
    )


def read_letter(answer: object, options: Sequence[str]) -> str:
    """Read a letter in any of the forms `b`, `B`, ` b `, `b)`, `(b)`, `b.`.

    Raises
    ------
    Unreadable
        If it is not one of the options.
    """
    wanted = f"Answer with one letter in quotation marks: {one_of(options)}"
    held = None if issubclass(type(answer), str) else _held(answer)
    if held is not None:
        shape, take = held
        if math.prod(shape) != 1:
            raise Unreadable(f"{wanted}; you gave {_shape(shape, answer)}.")
        answer = take()[0]
    if not issubclass(type(answer), str):
        raise Unreadable(f"{wanted}; you gave {_what(answer)}.")
    letter = str.strip(answer).strip("().:*").strip().casefold()
    if letter not in options:
        raise Unreadable(f"{wanted}; you gave {quoted(answer)}.")
    return letter


def read_pair(answer: object, numbers: Sequence[int], options: Sequence[str]) -> tuple[int, str]:
    """Read a sentence's number and a reason's letter: `(3, "b")`, `["3", "B"]`, `"3b"`.

    Raises
    ------
    Unreadable
        If it is not such a pair.
    """
    wanted = f'Answer with a pair, the number of the sentence and the letter: ({numbers[0]}, "a")'
    if issubclass(type(answer), str):
        text = "".join(character for character in str.strip(answer) if character.isalnum())
        parts: list[Any] = [text[:-1], text[-1:]]
    else:
        held = _held(answer)
        if held is None:
            raise Unreadable(f"{wanted}; you gave {_what(answer)}.")
        shape, take = held
        if math.prod(shape) != 2:
            raise Unreadable(f"{wanted}; you gave {_shape(shape, answer)}.")
        parts = take()
    first, second = parts
    if is_blank(first) or is_blank(second):
        raise Unreadable(f"{wanted}; one half is still blank.")
    if issubclass(type(first), str):
        digits = str.strip(first).strip("().:")
        number = float(digits) if digits.isdecimal() and len(digits) < 5 else math.nan
    else:
        number = read_number(first)
    if number not in numbers:
        raise Unreadable(f"{wanted}; the sentences are numbered {numbers[0]} to {numbers[-1]}.")
    return int(number), read_letter(second, options)


def one_of(options: Sequence[str]) -> str:
    """Return the options as they stand in a sentence: `a, b or c`."""
    return f"{', '.join(options[:-1])} or {options[-1]}"


def quoted(text: str) -> str:
    """Return a text in quotation marks, on one line, cut to a length that fits a message."""
    line = " ".join(str.__getitem__(text, slice(200)).split())
    return f"'{line[:30]}…'" if len(line) > 30 else f"'{line}'"


def _held(answer: Any):  # noqa: PLR0911 - one return for each kind of container
    """Return the shape of a known container and a function that lists its items, or None."""
    kind = type(answer)
    if issubclass(kind, np.ma.MaskedArray):
        return np.ma.MaskedArray.view(answer, np.ndarray).shape, lambda: _unmasked(answer)
    if issubclass(kind, np.ndarray):
        base = np.ndarray.view(answer, np.ndarray)  # a subclass has no say in what follows
        return base.shape, lambda: _listed(base)
    if issubclass(kind, pd.DataFrame):
        return answer.shape, lambda: [x for row in answer.itertuples(index=False) for x in row]
    if issubclass(kind, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        return answer.shape, lambda: list(answer)
    if issubclass(kind, list):
        return (list.__len__(answer),), lambda: list(list.__iter__(answer))
    if issubclass(kind, tuple):
        return (tuple.__len__(answer),), lambda: list(tuple.__iter__(answer))
    if kind is range:
        return (len(answer),), lambda: list(answer)
    if _is_data_array(kind):
        return answer.shape, lambda: _listed(np.asarray(answer.values))
    return None


def _listed(base: np.ndarray) -> list[Any]:
    # tolist() turns dates into bare integers, which would then pass for numbers
    return list(base.reshape(-1)) if base.dtype.kind in "mM" else base.reshape(-1).tolist()


def _unmasked(answer: np.ma.MaskedArray) -> list[Any]:
    values = np.ma.MaskedArray.view(answer, np.ndarray).reshape(-1).tolist()
    hidden = np.ma.getmaskarray(answer).reshape(-1).tolist()
    return [pd.NA if mask else value for value, mask in zip(values, hidden, strict=True)]


def _labels_of(answer: Any):
    """Return a function that lists the labels of a container, or None where it is in order."""
    if issubclass(type(answer), (pd.Series, pd.DataFrame)):
        index = answer.index
        plain = issubclass(type(index), pd.RangeIndex) and index.equals(pd.RangeIndex(len(index)))
        return None if plain else lambda: list(index)
    if _is_data_array(type(answer)) and len(answer.dims) == 1 and answer.dims[0] in answer.coords:
        return answer.coords[answer.dims[0]].values.tolist
    return None


def _is_data_array(kind: type) -> bool:
    xarray = sys.modules.get("xarray")  # who never imported it cannot hand one in
    return xarray is not None and issubclass(kind, xarray.DataArray)


def _aligned(values: list, names: list, hospitals: Sequence[Hashable], each: str) -> list:
    found = dict(zip(names, values, strict=True))
    missing = [name for name in hospitals if name not in found]
    if missing:
        raise Unreadable(
            f"The labels must be the {each}s, {hospitals[0]} to {hospitals[-1]}; yours lack "
            f"{missing[0]}" + (f" and {len(missing) - 1} more." if missing[1:] else ".")
        )
    return [found[name] for name in hospitals]


def _element(value: object, place: str) -> float:
    if value is None or value is Ellipsis:
        raise Unreadable(f"{place[:1].upper()}{place[1:]} is still blank.")
    try:
        return read_number(value)
    except Unreadable as error:
        raise Unreadable(f"{place[:1].upper()}{place[1:]}: {error}") from None


def _scalar(answer: Any) -> float:  # noqa: PLR0911 - one return for each kind of number
    """Read a number that stands alone, or say what stands there instead."""
    kind = type(answer)
    if kind is bool or issubclass(kind, (np.bool_, str, complex, np.complexfloating, *_DATES)):
        raise Unreadable(f"A number is asked for; you gave {_what(answer)}.")
    if issubclass(kind, float):
        return float.__float__(answer)
    if issubclass(kind, int):
        try:
            return int.__float__(answer)
        except OverflowError:
            return math.inf
    if issubclass(kind, (np.floating, np.integer)):
        return float(answer)
    if kind is Decimal or kind is Fraction:
        try:
            return float(answer)
        except OverflowError:
            return math.inf
        except ValueError:  # a signalling NaN
            return math.nan
    if answer is pd.NA or answer is pd.NaT:
        return math.nan
    raise Unreadable(f"A number is asked for; you gave {_what(answer)}.")


def _what(answer: Any) -> str:  # noqa: PLR0911 - one return for each kind of thing
    """Say in a few words what was handed in instead, and what to do about it."""
    kind = type(answer)
    name = type_name(answer)
    module = sys.modules.get("scipy.sparse")
    if issubclass(kind, str):
        return f"text, {quoted(answer)}"
    if kind is Decimal or kind is Fraction:
        return "a number"
    for family, words in (
        ((bool, np.bool_), "true or false"),
        (_DATES, "a date or time"),  # before the numbers: a timedelta64 counts as an integer
        ((int, float, np.floating, np.integer), "a number"),
        ((bytes, bytearray), "bytes"),
        ((complex, np.complexfloating), "a complex number"),
        ((dict,), "a dict: pick the value out of it"),
        ((set, frozenset), "a set, which has no order: use a list"),
        (_FUNCTIONS, "the function itself: call it, with brackets after its name"),
        ((type,), "a type, not a value"),
    ):
        if issubclass(kind, family):
            return words
    if module is not None and issubclass(kind, (module.spmatrix, module.sparray)):
        return "a sparse matrix: turn it into an array with .toarray()"
    bases = _MRO(kind)
    if any("__next__" in _VARS(base) for base in bases):
        return f"an iterator ({name}): make a list of it with list(...)"
    if any(_module(base).startswith("statsmodels.") for base in bases):
        return f"a fitted model or its results ({name}): pick the number out of it"
    if any("__call__" in _VARS(base) for base in bases):
        return f"something to be called ({name}): call it, with brackets after its name"
    return f"an object of type {name}"


def _module(kind: type) -> str:
    name = _VARS(kind).get("__module__")
    return name if type(name) is str else ""


def _shape(shape: tuple[int, ...], answer: object) -> str:
    if len(shape) == 1:
        return f"{shape[0]} values" if shape[0] != 1 else "one value"
    if math.prod(shape) == 1:
        return "one value"
    size = " × ".join(str(length) for length in shape)
    return f"a table of {size} ({type_name(answer)})"
