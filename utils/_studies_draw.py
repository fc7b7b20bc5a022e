"""Many MedTrial data sets, drawn without the tables that no analysis needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from utils._simulate_build import (
    BASELINE_MEAN,
    BEDS_CENTRE,
    TEACHING_SHARE,
    draw_baseline,
    draw_outcome,
    draw_sizes,
    draw_treated,
)
from utils._simulate_check import check
from utils._simulate_streams import Streams, hospital_scores
from utils._simulate_truth import Parameters
from utils.simulate import med_trial

# What the quick path does not draw: then med_trial itself does the work.
SLOW = {
    "outcome": "continuous",
    "age_effect": 0,
    "age_treatment_effect": 0,
    "n_wards": 0,
    "n_surgeons": 0,
    "missing": None,
    "n_noise_predictors": 0,
    "n_noise_hospital_predictors": 0,
}

Floats = NDArray[np.float64]
Drawn = tuple[Floats, NDArray[np.int64], NDArray[np.intp], Floats, Floats]


@dataclass(frozen=True, eq=False, repr=False)
class Trials:
    """Drawn MedTrial data sets, as arrays: what an analysis of the treatment needs of them.

    Attributes
    ----------
    sbp, treated : tuple of arrays
        Of each data set: outcome (mmHg) and treatment (0 or 1) of its patients.
    hospital : tuple of arrays
        The codes of its patients' hospitals, 0, 1, ...
    seed : array, shape (n_trials,)
        ``med_trial(rng=seed, ...)`` gives the data set with all of its columns.
    effect : tuple of arrays
        Of each data set: the true treatment effects of its hospitals, mmHg, in the order of
        their codes.
    baseline : tuple of arrays, or None
        Of each data set: the pressure before treatment (mmHg) of its patients. None where it
        matters to neither outcome nor treatment.
    """

    sbp: tuple[Floats, ...]
    treated: tuple[NDArray[np.int64], ...]
    hospital: tuple[NDArray[np.intp], ...]
    seed: NDArray[np.int64]
    effect: tuple[Floats, ...] = ()
    baseline: tuple[Floats, ...] | None = None

    def __len__(self) -> int:
        return len(self.seed)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        for k, sbp in enumerate(self.sbp):
            columns = {"hospital": self.hospital[k], "treated": self.treated[k], "sbp": sbp}
            if self.baseline is not None:
                columns["baseline"] = self.baseline[k]
            yield pd.DataFrame(columns)

    def __repr__(self) -> str:
        return f"Trials: {len(self)} data sets, {sum(map(len, self.sbp)):,} patients"


def draw_trials(n_trials: int, *, rng: int | np.random.Generator, **settings: object) -> Trials:
    """Draw many MedTrial data sets quickly.

    Parameters
    ----------
    n_trials : int
        Number of data sets, at least 1.
    rng : int or numpy.random.Generator
        Seed or generator.
    **settings
        Keywords of `utils.simulate.med_trial`; the outcome must be continuous and complete.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    Outcome, treatment and hospitals are those of ``med_trial(**settings, rng=seed)``, to the
    last bit: the same streams of random numbers, without the columns and tables that the
    analysis of the treatment does not use. Settings that the quick way does not know (age, wards,
    surgeons) take the long way round by themselves.

    Examples
    --------
    >>> from utils.simulate import med_trial
    >>> trials = draw_trials(3, n_hospitals=10, rng=1)
    >>> trials
    Trials: 3 data sets, 714 patients
    >>> same = med_trial(n_hospitals=10, rng=int(trials.seed[1])).data
    >>> bool((same["sbp"] == trials.sbp[1]).all())
    True
    """
    if not isinstance(n_trials, Integral) or isinstance(n_trials, bool) or n_trials < 1:
        raise ValueError(f"n_trials must be a whole number >= 1; got {n_trials!r}")
    defaults = med_trial.__kwdefaults__
    unknown = sorted(settings.keys() - (defaults.keys() - {"rng"}))
    if unknown:
        raise ValueError(f"settings are keywords of med_trial; got {', '.join(unknown)}")
    p = Parameters(
        **check(
            {name: settings.get(name, value) for name, value in defaults.items() if name != "rng"}
        )
    )
    if p.outcome != "continuous" or p.missing is not None:
        raise ValueError(
            "the outcome must be continuous and complete: draw with med_trial, and replicate; "
            f"got outcome={p.outcome!r}, missing={p.missing!r}"
        )
    seeds = np.random.default_rng(rng).integers(0, 2**63 - 1, size=int(n_trials))
    quick = all(getattr(p, name) == value for name, value in SLOW.items())
    drawn = [_draw(p, int(seed)) if quick else _slow(settings, int(seed)) for seed in seeds]
    sbp, treated, hospital, effect, baseline = zip(*drawn, strict=True)
    kept = baseline if _needs_baseline(p) else None
    return Trials(sbp, treated, hospital, seeds, effect, kept)


def _needs_baseline(p: Parameters) -> bool:
    return p.baseline_effect != 0 or p.assignment == "sicker patients more"


@dataclass
class _Arrays:
    """Stand in for the simulator's layout, with arrays for its table."""

    sizes: NDArray[np.int64]
    hospital: NDArray[np.intp]
    columns: dict[str, Floats]

    def column(self, name: str) -> Floats:
        return self.columns[name]

    def spread(self, column: str) -> Floats:
        return np.repeat(self.columns[column], self.sizes)


def _draw(p: Parameters, seed: int) -> Drawn:
    """Draw what `med_trial` draws, in its order of operations, without its tables."""
    streams, n = Streams(seed), p.n_hospitals
    sizes = draw_sizes(p, streams)
    score = hospital_scores(streams["hospital intercept"].standard_normal(n), p.hospital_law)
    predictor = p.intercept + (p.hospital_sd * score + 0.0)
    if p.region_sd:
        shift = p.region_sd * streams["region"].standard_normal(p.n_regions) + 0.0
        predictor = predictor + shift[np.arange(n) % min(p.n_regions, n)]
    if p.beds_effect:
        beds = 10 * streams["beds"].integers(10, 90, size=n, endpoint=True)
        predictor = predictor + p.beds_effect * (beds - BEDS_CENTRE) / 100
    if p.teaching_effect:
        teaching = (streams["teaching"].random(n) < TEACHING_SHARE).astype(np.int64)
        predictor = predictor + p.teaching_effect * teaching
    effect = np.full(n, float(p.treatment_effect))
    if p.treatment_effect_sd:
        rho, own = p.intercept_effect_correlation, streams["hospital effect"].standard_normal(n)
        effect = p.treatment_effect + p.treatment_effect_sd * (
            rho * score + np.sqrt(1 - rho**2) * own
        )
    columns = {"score": score, "predictor": predictor, "effect": effect}
    if p.error_law == "differs by hospital":
        spread = streams["hospital variance"].standard_normal(n)
        columns["patient_sd"] = p.patient_sd * np.exp(p.error_spread * spread - p.error_spread**2)
    layout = _Arrays(sizes, np.repeat(np.arange(n), sizes), columns)
    baseline = np.empty(layout.hospital.size)
    if _needs_baseline(p):
        baseline = draw_baseline(layout.hospital.size, streams)
    treated = draw_treated(p, layout, baseline, streams)
    mean = layout.spread("predictor")
    mean += (layout.spread("effect") if p.treatment_effect_sd else p.treatment_effect) * treated
    if p.baseline_effect:
        mean += p.baseline_effect * (baseline - BASELINE_MEAN)
    return draw_outcome(p, layout, mean, streams), treated, layout.hospital, effect, baseline


def _slow(settings: dict[str, object], seed: int) -> Drawn:
    study = med_trial(**settings, rng=seed)
    data = study.data
    codes = data["hospital"].cat.codes.to_numpy().astype(np.intp)
    effect = study.truth.hospitals["treatment_effect"].to_numpy()
    sbp, treated, baseline = (data[name].to_numpy() for name in ("sbp", "treated", "baseline"))
    return sbp, treated, codes, effect, baseline
