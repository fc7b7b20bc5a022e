"""Trials whose assumptions are broken, with the patients and hospitals they did not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from numbers import Integral

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from utils import _likelihood_blocks as engine
from utils import _likelihood_solve as solve
from utils import likelihood
from utils._studies_replicate import replicate
from utils.simulate import med_trial

Floats = NDArray[np.float64]

SETTINGS = (
    "n_hospitals",
    "patients_per_hospital",
    "intercept",
    "treatment_effect",
    "hospital_sd",
    "patient_sd",
    "assignment",
    "treated_share",
    "hospital_law",
    "error_law",
    "error_df",
    "error_spread",
    "outlier_share",
    "outlier_scale",
    "n_noise_predictors",
    "n_noise_hospital_predictors",
)
HELD_OUT = 2  # patients of each hospital that the fit does not see


def crack_experiment(
    *, n_trials: int = 100, level: float = 0.95, **settings: object
) -> Callable[[np.random.Generator], pd.DataFrame]:
    """Return an experiment for `replicate`: trials, their fits, and how the promises are kept.

    Each trial is analysed by the random-intercept model (REML, Satterthwaite), which supposes
    normal hospitals, normal errors and one patient SD, whatever the settings say. Its intervals
    are then held against the truth, against patients of the same hospitals that the fit did not
    see, and against as many new hospitals.

    Parameters
    ----------
    n_trials : int
        Trials of one replicate, at least 1. They are drawn and fitted together, which is quick.
    level : float
        Level of all intervals, between 0 and 1.
    **settings
        Keywords of `utils.simulate.med_trial`: those of `SETTINGS`. `assignment` is "patient" or
        "hospital"; `patients_per_hospital` is one number, of patients that the fit sees.

    Returns
    -------
    callable
        ``experiment(rng) -> DataFrame``, one row a trial:

        ``estimate``, ``standard_error``, ``degrees_of_freedom``, ``lower``, ``upper`` of the
        treatment effect (mmHg), ``hospital_sd``, ``patient_sd`` (mmHg);

        shares of intervals that hold what they are for: ``covered`` (the true effect, 0 or 1),
        ``hospitals`` (the true mean of each hospital's untreated patients), ``highest`` (that of
        the truly highest hospital, 0 or 1), ``patients`` (a new patient of a known hospital),
        ``noisy`` and ``calm`` (the same, for the fifth of them with the largest and with the
        smallest true SD), ``new_hospitals`` (the true mean of a new hospital), ``new_patients``
        (a patient of a new hospital);

        ``new_above``: of the new hospitals, the share whose mean lies above its interval;
        ``patient_width``, ``new_hospital_width``: mean width of these intervals (mmHg).

    Raises
    ------
    ValueError
        If a setting is unknown or cannot be met, or if a hospital has patients of one arm only
        where treatment is given by patient.

    Notes
    -----
    One call of `med_trial` draws the hospitals of all trials, and they are dealt out: MedTrial's
    hospitals are exchangeable within an arm. Intervals for hospitals and patients are those of
    `utils.mixedlm`'s ``predict``.

    Examples
    --------
    >>> experiment = crack_experiment(n_trials=50, error_law="student_t", error_df=3)
    >>> rows = experiment(np.random.default_rng(1))
    >>> len(rows), bool(rows["covered"].mean() > 0.85)
    (50, True)
    """
    if not isinstance(n_trials, Integral) or isinstance(n_trials, bool) or n_trials < 1:
        raise ValueError(f"n_trials must be a whole number >= 1; got {n_trials!r}")
    if not 0 < level < 1:
        raise ValueError(f"level lies between 0 and 1; got {level!r}")
    unknown = sorted(settings.keys() - set(SETTINGS))
    if unknown:
        raise ValueError(f"settings are among {', '.join(SETTINGS)}; got {', '.join(unknown)}")
    defaults = {name: med_trial.__kwdefaults__[name] for name in SETTINGS}
    defaults |= {"n_hospitals": 30, "patients_per_hospital": 20}
    given = {**defaults, **settings}
    for name, least in (("n_hospitals", 3), ("patients_per_hospital", 2)):
        value = given[name]
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} must be one whole number >= {least} here; got {value!r}")
    if given["assignment"] not in ("patient", "hospital"):
        raise ValueError(f"assignment is 'patient' or 'hospital' here; got {given['assignment']!r}")
    return partial(_run, int(n_trials), level, given)


def crack_dashboard(
    cracks: Mapping[str, Mapping[str, object]],
    *,
    n_trials: int = 1000,
    rng: int,
    workers: int = 1,
) -> pd.DataFrame:
    """Run `crack_experiment` for several settings, with the same seeds, and sum up.

    Parameters
    ----------
    cracks : mapping of str to mapping
        Name of each crack -> settings of `crack_experiment`.
    n_trials : int
        Trials for each, a multiple of 100.
    rng : int
        Seed, the same for each: what differs between cracks is not luck, as far as it can be.
    workers : int
        Processes, as in `replicate`.

    Returns
    -------
    pandas.DataFrame
        Indexed by crack and measure: `value`, and `monte_carlo_error`, its standard error over
        trials. Measures: ``bias`` and ``scatter`` (SD) of the estimated effect, ``width`` of its
        interval (mmHg), and those of `crack_experiment`. Shares are between 0 and 1.

    Raises
    ------
    ValueError
        If `n_trials` breaks its rule, or as `crack_experiment`.

    Examples
    --------
    >>> board = crack_dashboard({"none": {}}, n_trials=100, rng=1)
    >>> bool(board.loc[("none", "covered"), "value"] > 0.85)
    True
    """
    if not isinstance(n_trials, Integral) or n_trials < 100 or n_trials % 100:
        raise ValueError(f"n_trials must be 100, 200, 300 ...; got {n_trials!r}")
    tables = {}
    for name, settings in cracks.items():
        experiment = crack_experiment(n_trials=100, **settings)
        rows = replicate(experiment, n_trials // 100, rng=rng, workers=workers, progress=False)
        effect = settings.get("treatment_effect", med_trial.__kwdefaults__["treatment_effect"])
        rows["bias"], rows["width"] = rows["estimate"] - effect, rows["upper"] - rows["lower"]
        rows = rows.drop(columns=["replicate", "seed", "estimate", "lower", "upper"]).astype(float)
        table = pd.DataFrame({"value": rows.mean(), "monte_carlo_error": rows.sem()})
        scatter = rows["bias"].std()
        # The SD of an SD, whatever the law: by the fourth moment.
        fourth = ((rows["bias"] - rows["bias"].mean()) ** 4).mean()
        error = np.sqrt((fourth - scatter**4) / n_trials) / (2 * scatter)
        table.loc["scatter"] = [scatter, error]
        tables[name] = table
    return pd.concat(tables, names=["crack", "measure"])


@dataclass(frozen=True)
class _Dealt:
    """Trials as arrays of shape (trials, hospitals, patients), with what is true of them."""

    y: Floats
    x: Floats  # (..., p)
    sd: Floats  # true SD of each patient
    mean: Floats  # true mean of untreated patients, (trials, hospitals)


def _run(
    n_trials: int, level: float, settings: dict[str, object], rng: np.random.Generator
) -> pd.DataFrame:
    seen, new = _deal(n_trials, settings, rng)
    n_hospitals = seen.y.shape[1]
    kept = slice(1, -1)  # sorted by treatment: the first and the last patient are held out
    p = seen.x.shape[-1]
    y, x = seen.y[..., kept].reshape(n_trials, -1), seen.x[:, :, kept].reshape(n_trials, -1, p)
    codes = np.repeat(np.arange(n_hospitals), seen.y.shape[2] - HELD_OUT)
    sums = likelihood.sums(y, x, codes)
    fit = _Fit(sums, level)

    low, high = fit.effect
    effect = float(settings["treatment_effect"])
    rows = {
        "estimate": fit.beta[:, 1],
        "standard_error": fit.se,
        "degrees_of_freedom": fit.df,
        "lower": low,
        "upper": high,
        "hospital_sd": fit.hospital_sd,
        "patient_sd": fit.patient_sd,
        "covered": (low <= effect) & (effect <= high),
    }

    place = np.arange(n_hospitals)
    untreated = seen.x[:, :, 0].copy()
    untreated[..., 1 : 2 + int(settings["n_noise_predictors"])] = 0
    low, high = fit.predict(untreated, place, of="mean")
    inside = (low <= seen.mean) & (seen.mean <= high)
    top = seen.mean.argmax(axis=1)
    rows["hospitals"] = inside.mean(axis=1)
    rows["highest"] = inside[np.arange(n_trials), top]

    out = [0, -1]
    low, high = fit.predict(
        seen.x[:, :, out].reshape(n_trials, -1, p), np.repeat(place, HELD_OUT), of="patient"
    )
    value = seen.y[..., out].reshape(n_trials, -1)
    inside = (low <= value) & (value <= high)
    rank = seen.sd[..., out].reshape(n_trials, -1).argsort(axis=1, kind="stable")
    inside_by_sd = np.take_along_axis(inside, rank, axis=1)
    fifth = max(1, inside.shape[1] // 5)
    rows["patients"] = inside.mean(axis=1)
    rows["noisy"] = inside_by_sd[:, -fifth:].mean(axis=1)
    rows["calm"] = inside_by_sd[:, :fifth].mean(axis=1)
    rows["patient_width"] = (high - low).mean(axis=1)

    untreated = new.x[:, :, 0].copy()
    untreated[..., 1 : 2 + int(settings["n_noise_predictors"])] = 0
    low, high = fit.predict(untreated, None, of="mean")
    rows["new_hospitals"] = ((low <= new.mean) & (new.mean <= high)).mean(axis=1)
    rows["new_above"] = (new.mean > high).mean(axis=1)
    rows["new_hospital_width"] = (high - low).mean(axis=1)
    low, high = fit.predict(new.x[:, :, out].reshape(n_trials, -1, p), None, of="patient")
    value = new.y[..., out].reshape(n_trials, -1)
    rows["new_patients"] = ((low <= value) & (value <= high)).mean(axis=1)
    return pd.DataFrame(rows)


def _deal(
    n_trials: int, settings: dict[str, object], rng: np.random.Generator
) -> tuple[_Dealt, _Dealt]:
    """Draw the hospitals of all trials at once; return those of the trials, and new ones."""
    wanted, n = int(settings["n_hospitals"]), int(settings["patients_per_hospital"]) + HELD_OUT
    by_hospital = settings["assignment"] == "hospital"
    pool = wanted + wanted % 2 if by_hospital else wanted
    study = med_trial(
        **{**settings, "n_hospitals": 2 * n_trials * pool, "patients_per_hospital": n}, rng=rng
    )
    data, truth = study.data, study.truth.hospitals
    treated = data["treated"].to_numpy().reshape(-1, n)
    if not by_hospital and not (0 < treated.sum(axis=1).min() <= treated.sum(axis=1).max() < n):
        raise ValueError(
            "each hospital must have patients of both arms, or there is none to hold out; got "
            f"treated_share={settings['treated_share']!r} of {n} patients"
        )
    order = np.argsort(treated, axis=1, kind="stable")
    columns = ["treated"]
    columns += [f"noise_{k + 1}" for k in range(int(settings["n_noise_predictors"]))]
    columns += [
        f"hospital_noise_{k + 1}" for k in range(int(settings["n_noise_hospital_predictors"]))
    ]
    x = np.ones((*treated.shape, 1 + len(columns)))
    for k, name in enumerate(columns, start=1):
        values = data[name].to_numpy().reshape(-1, n)
        x[..., k] = np.take_along_axis(values, order, axis=1)
    y = np.take_along_axis(data["sbp"].to_numpy().reshape(-1, n), order, axis=1)
    mean, sd = truth["mean"].to_numpy(), truth["patient_sd"].to_numpy()[:, None]
    if settings["error_law"] == "grows with mean":
        above = mean[:, None] + settings["treatment_effect"] * x[..., 1] - settings["intercept"]
        sd = sd * np.exp(settings["error_spread"] * above / 10)
    sd = np.broadcast_to(sd, y.shape)
    arm = treated.max(axis=1) if by_hospital else np.zeros(len(y), dtype=np.int64)
    # Hospitals of one arm are alike, so any of them may go to any trial.
    seats = np.argsort(arm, kind="stable").reshape(1 + by_hospital, n_trials, -1)
    half = seats.shape[-1] // 2
    known = np.concatenate([part[:, :half] for part in seats], axis=1)[:, :wanted]
    rest = np.concatenate([part[:, half:] for part in seats], axis=1)[:, :wanted]
    return tuple(_Dealt(y[who], x[who], sd[who], mean[who]) for who in (known, rest))


class _Fit:
    """REML fits of many trials, and their intervals."""

    def __init__(self, sums: likelihood.Sums, level: float):
        self.blocks, self.level = sums.blocks, level
        best = solve.find_intercept(self.blocks, True)
        if not np.all(best.converged):
            raise ValueError(f"REML did not converge in {np.sum(~best.converged)} trials")
        self.theta, self.state = best.theta, best.state
        self.joint = engine.curvature(self.blocks, best, reml=True).joint
        self.sigma = self.patient_sd = np.sqrt(self.state.rss / self.blocks.degrees(True))
        self.hospital_sd = self.theta[:, 0] * self.sigma
        self.beta = self.blocks.ols + (self.blocks.to_beta @ self.state.gamma[..., None])[..., 0]
        row = np.zeros((len(self.beta), 1, self.blocks.p))
        row[:, 0, 1] = 1
        share, df = self._share(row, None, between=False, own=0.0)
        self.df = df[:, 0]
        self.se = self.sigma * np.sqrt(share[:, 0])
        half = self._quantile(self.df) * self.se
        self.effect = self.beta[:, 1] - half, self.beta[:, 1] + half

    def predict(self, x: Floats, hospital: NDArray | None, *, of: str) -> tuple[Floats, Floats]:
        """Return intervals for rows of x in hospitals of the fit, or in new ones (None)."""
        share, df = self._share(
            x, hospital, between=hospital is None, own=1.0 if of == "patient" else 0.0
        )
        center = (x @ self.beta[..., None])[..., 0]
        if hospital is not None:
            center = center + engine.effects(self.blocks, self.state)[:, 0, hospital]
        half = self._quantile(df) * self.sigma[:, None] * np.sqrt(share)
        return center - half, center + half

    def _quantile(self, df: Floats) -> Floats:
        return stats.t.ppf(0.5 + self.level / 2, df)

    def _share(
        self, x: Floats, hospital: NDArray | None, *, between: bool, own: float
    ) -> tuple[Floats, Floats]:
        """Return variances of errors over sigma², and Satterthwaite's degrees of freedom."""
        inside = x @ self.blocks.to_beta

        def share(state: engine.State, theta: Floats) -> Floats:
            a, out = inside, own
            if hospital is not None:  # the error of b reaches the predicted effect too
                weight = state.weights[:, 0, 0, hospital]
                sums = np.moveaxis(self.blocks.zxy[:, 0, :-1, :][..., hospital], 1, -1)
                a, out = inside - weight[..., None] * sums, own + weight
            elif between:
                out = own + theta**2
            return ((a @ state.inverse) * a).sum(-1) + out

        here = share(self.state, self.theta)
        step = 1e-4 * (0.1 + np.abs(self.theta))
        ends = []
        for moved in (self.theta + step, self.theta - step):
            state = engine.evaluate(self.blocks, moved, reml=True, slope=False)
            ends.append(share(state, moved))
        slope = (ends[0] - ends[1]) / (2 * step)
        df = engine.satterthwaite(self.joint, here, slope[:, None, :])
        return here, np.maximum(df, 1.0)
