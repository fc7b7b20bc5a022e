"""The learner's small file: who the learner is, and what was predicted.

One JSON file in the user's data directory, or in the folder that the environment variable
`COURSE_DATA_DIR` names. It is read afresh at each use and replaced whole, so that two open
lessons see each other's entries and a crash cannot leave half a file. A broken file is set aside;
a folder that cannot be used is replaced by memory. Either is said once, by the next thing shown,
and never stops a learner.
"""

from __future__ import annotations

import copy
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs

FILE_NAME = "learner.json"
ENVIRONMENT = "COURSE_DATA_DIR"
_APPLICATION = "mixed-models-course"


class Store:
    """One state file, or memory where the file cannot be used.

    Parameters
    ----------
    folder : Path or None
        None keeps everything in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self.path = None if folder is None else folder / FILE_NAME
        self._memory: dict[str, Any] | None = None
        self._remark = ""
        self._said: set[str] = set()
        if folder is None:
            self._use_memory({}, "this computer names no folder for your data")

    def read(self) -> dict[str, Any]:
        """Return the state; an empty one where there is none, or none that can be read."""
        if self._memory is not None:
            return copy.deepcopy(self._memory)
        try:
            state = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested beyond reason
            state = None
        except OSError as error:
            self._use_memory({}, _reason(error))
            return {}
        if not isinstance(state, dict):
            self._set_aside()
            return {}
        return state

    def update(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Read the state, let `change` alter it, and write it back whole."""
        state = self.read()
        change(state)
        if self._memory is not None:
            self._memory = state
            return
        try:
            _replace(self.path, json.dumps(state, indent=1, sort_keys=True))
        except OSError as error:
            self._use_memory(state, _reason(error))

    def remark(self) -> str:
        """Return what a learner should know about the file: once, then an empty text."""
        text, self._remark = self._remark, ""
        return text

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._remark = text

    def _use_memory(self, state: dict[str, Any], reason: str) -> None:
        self._memory = state
        self._say(
            f"Your learner file cannot be used ({reason}). Everything works, but your id and "
            "predictions are forgotten when this kernel stops."
        )

    def _set_aside(self) -> None:
        """Keep a broken file beside the new one: it may hold a learner's predictions."""
        aside = self.path.with_suffix(".broken.json")
        try:
            os.replace(self.path, aside)
        except OSError as error:
            self._use_memory({}, _reason(error))
            return
        self._say(f"Your learner file could not be read: a new one is begun, the old is {aside}.")


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".learner-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        _rename(name, path)
    except BaseException:  # also when the kernel is interrupted: leave no litter
        Path(name).unlink(missing_ok=True)
        raise


def _rename(name: str, path: Path) -> None:
    """Put the new file in the old one's place; on Windows another kernel may be reading it."""
    for wait in (0.02, 0.1):
        try:
            os.replace(name, path)
            return
        except PermissionError:
            time.sleep(wait)
    os.replace(name, path)


_STORES: dict[Path | None, Store] = {}


def folder() -> Path | None:
    """Return the folder of the state file: `COURSE_DATA_DIR`, or the user's data directory."""
    named = os.environ.get(ENVIRONMENT, "").strip()
    if named:
        return Path(named)
    try:
        return platformdirs.user_data_path(_APPLICATION, appauthor=False)
    except (OSError, RuntimeError, KeyError):  # a user without a home, as in some containers
        return None


def store() -> Store:
    """Return the store of the current folder."""
    where = folder()
    if where not in _STORES:
        _STORES[where] = Store(where)
    return _STORES[where]
