"""The data of the sensitivity explorer: read, checked, and cut down to the hospitals kept."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
import patsy
from numpy.typing import NDArray

from utils._exact_gaussian import Blocks, blocks
from utils._exact_priors import ScalePrior
from utils._patients import Totals, codes_of
from utils.simulate import Study, med_trial
from utils.widgets._sensitivity_counts import CountModel, CountPart, CountTable
from utils.widgets._sensitivity_patients import PatientModel, Patients
from utils.widgets._sensitivity_rows import Rows, Weighed

Floats = NDArray[np.float64]

__all__ = ["HospitalData", "Model", "example_data", "read"]

FEWEST = 2  # hospitals
STORED = 6  # of the models last used, with all that they have worked out


class Model(Protocol):
    """What the explorer asks of a model: `PatientModel`, `CountModel` or a set of draws."""

    @property
    def rows(self) -> Rows: ...
    @property
    def sizes(self) -> NDArray: ...
    @property
    def shown(self) -> NDArray: ...
    def own(self, weight: Floats) -> Floats: ...
    def hospitals(self, weighed: Weighed, probability: Floats) -> tuple[Floats, Floats]: ...


@dataclass(frozen=True, eq=False)
class HospitalData:
    """Hospitals, whatever was recorded of them.

    Attributes
    ----------
    kind : {"patients", "events"}
    labels : ndarray, shape (J,)
        Names of the hospitals, in order.
    y : ndarray, shape (N,) or (J,)
        Outcome of each patient, or events of each hospital.
    x : ndarray, shape (N, p) or (J, 1)
        Design matrix, or patients of each hospital.
    code : ndarray, shape (N,) or (J,)
        Hospital of each row, 0 to J - 1.
    names : tuple of str
        Columns of x.
    effect : str
        The column whose coefficient is the conclusion; "rate" for events.
    unit : str
        Of the outcome.
    seed : int
        Of the random choice of hospitals.
    recipe : dict
        How to read the same data again: formula, hospital, effect, events, patients.
    own : ScalePrior or None
        The learner's own prior of tau.
    """

    kind: str
    labels: NDArray
    y: Floats
    x: Floats
    code: NDArray[np.intp]
    names: tuple[str, ...]
    effect: str
    unit: str
    seed: int
    recipe: dict
    own: ScalePrior | None
    _models: OrderedDict = field(default_factory=OrderedDict, repr=False)
    _parts: OrderedDict = field(default_factory=OrderedDict, repr=False)

    @property
    def rate(self) -> bool:
        """Whether the conclusion is a rate, between 0 and 1."""
        return self.kind == "events"

    @property
    def fingerprint(self) -> str:
        """What tells these data from others, without giving any of them away."""
        digest = hashlib.sha256()
        for part in (self.y, self.x, self.code.astype(float)):
            digest.update(np.ascontiguousarray(np.round(part, 9) + 0.0).tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def spread(self) -> float:
        """Rough SD of the outcome, to choose axes and scales by; 1 for events (logits)."""
        if self.rate:
            return 1.0
        residual = self.y - self.x @ np.linalg.lstsq(self.x, self.y, rcond=None)[0]
        return float(residual.std()) or 1.0

    @cached_property
    def _order(self) -> dict[str, NDArray[np.intp]]:
        every = np.arange(len(self.labels))
        return {"first": every, "random": np.random.default_rng(self.seed).permutation(every)}

    @cached_property
    def _totals(self) -> Totals:
        return Totals(self.code, len(self.labels))

    @cached_property
    def _blocks(self) -> tuple[Floats, Floats]:
        return blocks(self.y, self.x, self._totals)

    @cached_property
    def _table(self) -> CountTable:
        return CountTable(self.y, self.x[:, 0])

    def hospitals(self, n_hospitals: int, kept: str) -> NDArray[np.intp]:
        """Return which hospitals are kept, in the data's order."""
        return np.sort(self._order[kept][:n_hospitals])

    def part(self, n_hospitals: int, kept: str) -> tuple[Floats, Floats, NDArray[np.intp]]:
        """Return (y, x, code) of the hospitals kept, with codes from 0."""
        which = self.hospitals(n_hospitals, kept)
        place = np.full(len(self.labels), -1)
        place[which] = np.arange(len(which))
        code = place[self.code]
        rows = code >= 0
        return self.y[rows], self.x[rows], code[rows]

    def model(self, n_hospitals: int, kept: str, effect_sd: float, sigma_scale: float) -> Model:
        """Return everything that does not depend on the prior of tau, from a small store."""

        def make() -> Model:
            part = _stored(self._parts, (n_hospitals, kept), lambda: self._part(n_hospitals, kept))
            if self.rate:
                made = CountModel(part, effect_sd)
            else:
                made = PatientModel(part, effect_sd, sigma_scale)
            made.rows  # an impossible choice raises here, and is not kept  # noqa: B018
            return made

        return _stored(self._models, (n_hospitals, kept, effect_sd, sigma_scale), make)

    def _part(self, n_hospitals: int, kept: str) -> Patients | CountPart:
        """Return everything about the hospitals kept that depends on no prior."""
        if self.rate:
            return CountPart(self._table, self.hospitals(n_hospitals, kept))
        which = self.hospitals(n_hospitals, kept)
        means, about = (part[which] for part in self._blocks)
        rows = np.vstack([means, about.reshape(-1, means.shape[1])])
        sizes = Blocks(self._totals.sizes[which])
        return Patients(rows[:, -1], rows[:, :-1], sizes, self.names.index(self.effect))


def _stored(store: OrderedDict, key: tuple, make: Callable[[], object]) -> object:
    """Return what is in the store, made where it is not; the STORED last used stay."""
    if key not in store:
        store[key] = make()
        while len(store) > STORED:
            store.popitem(last=False)
    store.move_to_end(key)
    return store[key]


def example_data() -> pd.DataFrame:
    """Return the explorer's own data: 16 simulated hospitals of 3 to 20 patients."""
    return med_trial(n_hospitals=16, patients_per_hospital=(3, 20), rng=5).data


def read(
    data: Study | pd.DataFrame | None,
    *,
    formula: str,
    hospital: str,
    effect: str,
    events: str | None,
    patients: str | None,
    unit: str | None,
    seed: int,
    own: object,
) -> HospitalData:
    """Return the data, checked. Rows with a missing value in a column in use are left out.

    Raises
    ------
    ValueError
        If a column is missing or not what it should be; the message says which.
    """
    if data is None:
        data = example_data()
    frame = data.data if isinstance(data, Study) else data
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(f"data must be a Study or a DataFrame, got {type(data).__name__}")
    frame = frame.reset_index(drop=True)
    if hospital not in frame:
        raise ValueError(f"the data must have the column {hospital!r}, got {list(frame.columns)}")
    recipe = {"formula": formula, "hospital": hospital, "effect": effect}
    if (events is None) != (patients is None):
        raise ValueError("events and patients are columns that go together: give both or neither")
    if events is not None:
        recipe = {"events": events, "patients": patients, "hospital": hospital}
        return _read_events(frame, recipe, unit or "", seed, _own(own, 1.0))
    try:
        y, x = patsy.dmatrices(formula, frame, return_type="dataframe")
    except (patsy.PatsyError, NameError, TypeError, ValueError) as problem:
        raise ValueError(f"formula {formula!r} does not fit the data: {problem}") from problem
    if y.shape[1] != 1:
        raise ValueError(f"the outcome of {formula!r} must be one column of numbers")
    if effect not in x.columns:
        raise ValueError(f"effect must be one of {list(x.columns)}, got {effect!r}")
    rows = x.index.isin(frame.index[frame[hospital].notna()])
    y, x = y[rows], x[rows]
    code, labels = codes_of(frame.loc[y.index, hospital], "hospital")
    values = y.to_numpy(float)[:, 0], x.to_numpy(float)
    if not all(np.isfinite(part).all() for part in values):
        raise ValueError(f"{formula!r} gives values that are not finite")
    if len(labels) < FEWEST:
        raise ValueError(f"there must be {FEWEST} hospitals or more, got {len(labels)}")
    outcome = str(y.columns[0])
    unit = ("mmHg" if outcome in ("sbp", "baseline") else "") if unit is None else unit
    read_in = HospitalData(
        "patients", labels, *values, code, tuple(map(str, x.columns)), effect, unit, seed,
        recipe, None,
    )  # fmt: skip
    return read_in if own is None else _replace_own(read_in, own)


def _replace_own(data: HospitalData, own: object) -> HospitalData:
    fields = {name: getattr(data, name) for name in data.__dataclass_fields__}
    return HospitalData(**{**fields, "own": _own(own, data.spread)})


def _own(own: object, scale: float) -> ScalePrior | None:
    if own is None:
        return None
    if isinstance(own, str):
        raise ValueError(f"own must be an object with a method logpdf, got {own!r}")
    return ScalePrior("tau", own, scale)


def _read_events(
    frame: pd.DataFrame, recipe: dict, unit: str, seed: int, own: ScalePrior | None
) -> HospitalData:
    hospital, events, patients = recipe["hospital"], recipe["events"], recipe["patients"]
    for column in (events, patients):
        if column not in frame:
            raise ValueError(f"the data must have the column {column!r}, got {list(frame)}")
        if not pd.api.types.is_numeric_dtype(frame[column]):
            raise ValueError(f"{column!r} must be whole numbers, got {frame[column].dtype}")
    table = frame[[hospital, events, patients]].dropna()
    table = table.groupby(hospital, observed=True, sort=False)[[events, patients]].sum()
    y, n = table[events].to_numpy(float), table[patients].to_numpy(float)
    if np.any(y != np.round(y)) or np.any(n != np.round(n)):
        raise ValueError(f"{events!r} and {patients!r} must be whole numbers")
    if np.any(y < 0) or np.any(y > n) or np.any(n < 1):
        raise ValueError("every hospital needs 0 <= events <= patients and 1 patient or more")
    if len(table) < FEWEST:
        raise ValueError(f"there must be {FEWEST} hospitals or more, got {len(table)}")
    return HospitalData(
        "events", table.index.to_numpy(), y, n[:, None], np.arange(len(table)), (patients,),
        "rate", unit, seed, recipe, own,
    )  # fmt: skip
