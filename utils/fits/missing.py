"""Six ways for values to go missing, five analyses: bias, coverage and width of three numbers.

240 trials of 20 hospitals with 20 patients each for each way (80 for the Bayesian analysis). A fit
by sampling that fails the checks of `bayes.diagnose` is sampled again, for longer. The rows of two
analyses of one way are computed afresh on load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import nutpie
import pandas as pd
import pymc as pm

from utils import bayes, likelihood
from utils._usable_draws import usable_draws
from utils.missing import TERMS, analyse_imputed, impute, pool, sums_of
from utils.simulate import med_trial
from utils.stored import Study

DESIGN = {
    "n_hospitals": 20, "patients_per_hospital": 20, "treatment_effect": -6.0,
    "baseline_effect": 0.5, "hospital_sd": 5.0, "patient_sd": 10.0,
}  # fmt: skip
LOST = {"missing_share": 0.35, "missing_strength": 1.5}
WAYS = (
    ("outcome", "MCAR"), ("outcome", "MAR"), ("outcome", "MNAR"),
    ("covariate", "MCAR"), ("covariate", "by outcome"), ("covariate", "MNAR"),
)  # fmt: skip
TRUTH = np.array([140.0, -6.0, 0.5])
TRIALS, BAYES_TRIALS = 240, 80
# Draws, tune and target_accept of the joint model's chains, and what is tried where they fail.
_TRIES = ((1000, 1000, 0.9), (4000, 1000, 0.95), (16_000, 1000, 0.99))

Ends = tuple[np.ndarray, ...]  # estimates, lower and upper ends, each (trials, terms)


def trials(way: tuple[str, str], n: int) -> Iterator[tuple[int, pd.DataFrame, pd.DataFrame]]:
    """Yield seed, data with gaps, and the complete data."""
    for seed in range(n):
        study = med_trial(
            **DESIGN, **LOST, missing=way[0], missing_mechanism=way[1],
            rng=16_000 + 1000 * WAYS.index(way) + seed,
        )  # fmt: skip
        yield seed, study.data, study.truth.complete_data


# Analyses that are one fit of some rows; all their trials are fitted in one call.
PLAIN: dict[str, Callable[[pd.DataFrame, pd.DataFrame], likelihood.Sums]] = {
    "nothing missing": lambda data, complete: sums_of(complete),
    "without baseline": lambda data, complete: sums_of(data, baseline=False),
    "complete rows": lambda data, complete: sums_of(data),
}


def _plain(way: tuple[str, str], names: list[str]) -> dict[str, Ends]:
    """Return estimates and ends of some plain analyses, each of shape (trials, terms)."""
    gathered: dict[str, list[likelihood.Sums]] = {name: [] for name in names}
    for _, data, complete in trials(way, TRIALS):
        for name in names:
            gathered[name].append(PLAIN[name](data, complete))
    found = {}
    for name, sums in gathered.items():
        fit = likelihood.fit_intercept(likelihood.stack(sums))
        found[name] = (fit.beta, *fit.interval())
    return found


def _imputed(way: tuple[str, str]) -> Ends:
    """Return 20 imputations by a hierarchical model, put together, for each trial."""
    found = []
    for seed, data, _ in trials(way, TRIALS):
        fits = analyse_imputed(data, impute(data, rng=seed))
        pooled = pool(fits.beta, fits.se)
        found.append((pooled.estimate, *pooled.interval()))
    return tuple(np.array(part) for part in zip(*found, strict=True))


def joint_model(data: pd.DataFrame) -> pm.Model:
    """Return the joint model of outcome and baseline, with gaps and hospitals summed out.

    A missing outcome has no term. Where the baseline is missing, the outcome's mean and variance
    are those over the baseline's own law. This is the model in which PyMC would draw each missing
    value and each hospital's effect, without the draws (and so without their funnel).
    """
    codes = pd.factorize(data["hospital"])[0]
    belongs = (np.arange(codes.max() + 1)[:, None] == codes).astype(float)
    with pm.Model() as model:
        y, x = pm.Data("y", np.zeros(len(data))), pm.Data("x", np.zeros(len(data)))
        has_y, has_x = pm.Data("has_y", np.ones(len(data))), pm.Data("has_x", np.ones(len(data)))
        treated = pm.Data("treated", data["treated"].to_numpy(dtype=float))
        intercept = pm.Normal("intercept", 140, 30)
        effect, slope = pm.Normal("treatment_effect", 0, 20), pm.Normal("baseline_effect", 0, 2)
        hospital_sd, patient_sd = pm.HalfNormal("hospital_sd", 10), pm.HalfNormal("patient_sd", 20)
        x_mean, x_sd = pm.Normal("x_mean", 0, 20), pm.HalfNormal("x_sd", 30)
        at = has_x * x + (1 - has_x) * x_mean
        variance = patient_sd**2 + (1 - has_x) * slope**2 * x_sd**2
        error = y - intercept - effect * treated - slope * at
        # One hospital's outcomes: normal, with hospital_sd² added to each of their covariances.
        patients = (has_y * (pm.math.log(variance) + error**2 / variance)).sum()
        known, pull = belongs @ (has_y / variance), belongs @ (has_y * error / variance)
        shared = 1 + hospital_sd**2 * known
        hospitals = (pm.math.log(shared) - hospital_sd**2 * pull**2 / shared).sum()
        pm.Potential("outcome", -0.5 * (patients + hospitals))
        spread = (x - x_mean) ** 2 / x_sd**2
        pm.Potential("baseline", -0.5 * (has_x * (2 * pm.math.log(x_sd) + spread)).sum())
    return model


def _joint_data(data: pd.DataFrame) -> dict[str, np.ndarray]:
    y, x = data["sbp"].to_numpy(dtype=float), data["baseline"].to_numpy(dtype=float) - 150
    return {
        "y": np.nan_to_num(y), "x": np.nan_to_num(x), "has_y": 1.0 - np.isnan(y),
        "has_x": 1.0 - np.isnan(x), "treated": data["treated"].to_numpy(dtype=float),
    }  # fmt: skip


def _joint(way: tuple[str, str]) -> Ends:
    found, program = [], None
    for seed, data, _ in trials(way, BAYES_TRIALS):
        program = program or nutpie.compile_pymc_model(joint_model(data))
        here = program.with_data(**_joint_data(data))
        fit = usable_draws(here, _TRIES, seed=seed, what=f"trial {seed}")
        drawn = np.stack([fit.posterior[name].to_numpy().ravel() for name in TERMS])
        found.append((drawn.mean(axis=1), *np.quantile(drawn, [0.025, 0.975], axis=1)))
    return tuple(np.array(part) for part in zip(*found, strict=True))


def _rows(way: tuple[str, str], analysis: str, found: Ends) -> list[dict]:
    estimate, low, high = found
    rows = []
    for k, term in enumerate(TERMS[: estimate.shape[1]]):
        off, n = estimate[:, k] - TRUTH[k], len(estimate)
        held = np.mean((low[:, k] < TRUTH[k]) & (TRUTH[k] < high[:, k]))
        rows.append(
            {
                "missing": way[0], "mechanism": way[1], "analysis": analysis, "term": term,
                "bias": round(float(off.mean()), 4),
                "bias_mcse": round(float(off.std(ddof=1) / np.sqrt(n)), 4),
                "coverage": round(float(held), 4),
                "coverage_mcse": round(float(np.sqrt(max(held * (1 - held), 0.5 / n) / n)), 4),
                "width": round(float((high[:, k] - low[:, k]).mean()), 4),
                "trials": n,
            }
        )  # fmt: skip
    return rows


def make() -> pd.DataFrame:
    """Return the whole table: 1,440 trials and 480 fits by sampling; about ten minutes."""
    bayes.set_up()
    rows = []
    for way in WAYS:
        found = _plain(way, list(PLAIN))
        found |= {"multiple imputation": _imputed(way), "joint Bayes": _joint(way)}
        rows += [row for name, ends in found.items() for row in _rows(way, name, ends)]
    return pd.DataFrame(rows)


def part() -> pd.DataFrame:
    """Return the rows of two quick analyses for a covariate that is missing by the outcome."""
    way = ("covariate", "by outcome")
    found = _plain(way, ["without baseline", "complete rows"])
    return pd.DataFrame([row for name, ends in found.items() for row in _rows(way, name, ends)])


STUDY = Study(
    make=make, part=part, key=("missing", "mechanism", "analysis", "term"), absolute=0.0015
)
