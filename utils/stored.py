"""Results of studies too long for a lesson: a small table, the code that made it, a check on load.

A study is a module of `utils.fits` that holds a `Study` named `STUDY`; its table is
data/fits/NAME.csv. Whenever a table is loaded, some of its rows are computed afresh. A table that
no longer agrees with its code is refused. `make refit` (`python -m utils.stored`) rebuilds all
tables, `python -m utils.stored NAME` one of them.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from utils import DATA, fits

FOLDER = DATA / "fits"


class StaleResultError(ValueError):
    """A stored table does not agree with the code that is said to have made it."""


@dataclass(frozen=True)
class Study:
    """How a stored table was made, and how to tell that it still holds.

    Parameters
    ----------
    make : callable
        Returns the whole table, a `pandas.DataFrame`. May take minutes.
    part : callable
        Returns some rows of the same table, computed afresh within a few seconds: by the same code
        and seeds, or by another engine.
    key : tuple of str
        Columns that together name a row.
    absolute : float
        The largest difference, in the unit of each column, that rounding, another processor or (if
        `part` samples) Monte Carlo error may bring.
    """

    make: Callable[[], pd.DataFrame]
    part: Callable[[], pd.DataFrame]
    key: tuple[str, ...]
    absolute: float


def names() -> tuple[str, ...]:
    """Return the names of the studies, in alphabetical order."""
    return tuple(
        sorted(module.name for module in pkgutil.iter_modules(fits.__path__) if not module.ispkg)
    )


def study(name: str) -> Study:
    """Return the study `name`.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in names():
        raise ValueError(f"no study is stored as {name!r}; there are {', '.join(names())}")
    return importlib.import_module(f"{fits.__name__}.{name}").STUDY


def check(recipe: Study, table: pd.DataFrame) -> None:
    """Compare a table with the rows that its study computes afresh.

    Raises
    ------
    StaleResultError
        If a fresh row is not in the table once, or a value differs.
    """
    key = list(recipe.key)
    fresh = recipe.part()
    if list(fresh.columns) != list(table.columns):
        raise StaleResultError(
            f"the table has the columns {list(table.columns)}, its code makes {list(fresh.columns)}"
        )
    stored = table.set_index(key)
    if not stored.index.is_unique:
        raise StaleResultError(f"the table's rows are not told apart by {key}")
    for label, row in fresh.set_index(key).iterrows():
        if label not in stored.index:
            raise StaleResultError(f"the table has no row {label}, its code makes one")
        for column, value in row.items():
            old = stored.loc[label, column]
            if not _agree(old, value, recipe.absolute):
                raise StaleResultError(
                    f"the stored {column} of {label} is {old}, computed afresh it is {value}: "
                    f"they may differ by {recipe.absolute}"
                )


def load(name: str, *, folder: Path = FOLDER) -> pd.DataFrame:
    """Return a stored table, after a part of it was computed afresh and agreed.

    Parameters
    ----------
    name : str
        One of `names()`.
    folder : Path
        Where the tables are.

    Raises
    ------
    ValueError
        If no study has that name, or its table was never made.
    StaleResultError
        If the table does not agree with its code (a `ValueError` too).

    Examples
    --------
    >>> from utils import stored
    >>> stored.load("no_such_study")
    Traceback (most recent call last):
        ...
    ValueError: no study is stored as 'no_such_study'; there are ...
    """
    recipe = study(name)
    path = Path(folder, f"{name}.csv")
    if not path.exists():
        raise ValueError(f"the study {name!r} has no table yet: `make refit` makes it")
    table = pd.read_csv(path)
    try:
        check(recipe, table)
    except StaleResultError as error:
        raise StaleResultError(f"{name}: {error}; `make refit` makes the table anew") from None
    return table


def refit(name: str, *, folder: Path = FOLDER) -> Path:
    """Make a study's table anew and return the file that holds it."""
    path = Path(folder, f"{name}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    study(name).make().to_csv(path, index=False, lineterminator="\n")
    return path


def _agree(old: object, new: object, absolute: float) -> bool:
    if isinstance(new, str | bool | np.bool_):
        return bool(old == new)
    old, new = float(old), float(new)
    return abs(old - new) <= absolute or (np.isnan(old) and np.isnan(new))


def main(arguments: Sequence[str] | None = None) -> None:
    """Rebuild the tables named on the command line, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m utils.stored", description=refit.__doc__)
    parser.add_argument("name", nargs="*", help="which tables (default: all)")
    chosen = parser.parse_args(arguments).name or names()
    for name in sorted(set(chosen) - set(names())):
        parser.error(f"no study is stored as {name!r}; there are {', '.join(names())}")
    for name in chosen:
        started = time.perf_counter()
        path = refit(name)
        print(f"{path.name}: {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
