"""The checks of lesson 18, the capstone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import sqrt

import numpy as np
import pandas as pd
from scipy import special, stats

from utils import exact, likelihood
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.simulate import Study, med_trial

# E18.2, bed-days: a visit costs, saves where the hospital is long, and costs more where it is not.
VISIT, SAVED, UNREST = 150.0, 600.0, 50.0
# E18.3, mmHg: two posteriors.
FIRST, SECOND, SD = 4.0, 0.0, 2.0

PRIORS = {"tau": 8.0, "sigma": 20.0}  # half-normal scales of the own hospitals, mmHg
_APART = 0.3  # mmHg: what a wrong way's numbers must differ by, somewhere
_TOLERANCE, _CHANCE = 0.2, 0.05


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own evidence: a registry, and a trial in other hospitals.

    The column `part` says which. Evidence in which a wrong way comes near the right numbers is
    drawn again.
    """
    while True:
        common = {
            "treatment_effect": -round(float(rng.uniform(3, 9)), 1),
            "hospital_sd": round(float(rng.uniform(3.5, 6)), 1),
            "patient_sd": round(float(rng.uniform(10, 14)), 1),
        }
        registry = med_trial(
            n_hospitals=int(rng.integers(16, 25)), patients_per_hospital=(10, 25),
            assignment="sicker hospitals more", confounding=1.2, rng=rng, **common,
        )  # fmt: skip
        trial = med_trial(
            n_hospitals=int(rng.integers(8, 13)), patients_per_hospital=(6, 30), rng=rng, **common
        )
        study = Study(_joined(registry.data, trial.data), trial.truth, None)
        if _clear(study):
            return study


def _joined(registry: pd.DataFrame, trial: pd.DataFrame) -> pd.DataFrame:
    keep = ["hospital", "treated", "age", "sbp"]
    parts = [
        data[keep].assign(hospital=letter + data["hospital"].astype(str).str[1:], part=part)
        for part, letter, data in (("registry", "R", registry), ("trial", "T", trial))
    ]
    data = pd.concat(parts, ignore_index=True)
    data["hospital"] = data["hospital"].astype("category")
    return data[["part", *keep]]


@functools.lru_cache(maxsize=8)
def _part(study: Study, part: str) -> pd.DataFrame:
    data = study.data[(study.data["part"] == part).to_numpy()]
    return data.assign(hospital=data["hospital"].cat.remove_unused_categories())


@functools.lru_cache(maxsize=4)
def _posterior(study: Study) -> exact.Posterior:
    trial = _part(study, "trial")
    design = pd.DataFrame({"intercept": 1.0, "treatment_effect": trial["treated"].astype(float)})
    sds = {name: stats.halfnorm(scale=scale) for name, scale in PRIORS.items()}
    return exact.posterior(trial["sbp"], design, trial["hospital"], **sds)


def _within(data: pd.DataFrame) -> float:
    x = data["treated"] - data.groupby("hospital", observed=True)["treated"].transform("mean")
    return float((x * data["sbp"]).sum() / (x**2).sum())


def _crude(data: pd.DataFrame) -> float:
    arms = data.groupby("treated")["sbp"].mean()
    return float(arms[1] - arms[0])


ROWS = ["trial: effect", "trial: lower", "trial: upper", "registry: crude", "registry: within"]


def _numbers(study: Study) -> np.ndarray:
    post, registry = _posterior(study), _part(study, "registry")
    ends = post.interval("treatment_effect")
    middle = post.parameters.loc["treatment_effect", "mean"]
    return np.array([middle, *ends, _crude(registry), _within(registry)])


def _report(change: Callable[[Study, np.ndarray], np.ndarray]) -> Callable[[Study], pd.Series]:
    return lambda study: pd.Series(change(study, _numbers(study)), index=ROWS)


def _random_intercept(study: Study, right: np.ndarray) -> np.ndarray:
    """Return the report of one who fits a random intercept to the registry, too."""
    data = _part(study, "registry")
    columns = np.column_stack([np.ones(len(data)), data["treated"].to_numpy(dtype=float)])
    codes = data["hospital"].cat.codes.to_numpy()
    sums = likelihood.sums(data["sbp"].to_numpy(), columns, codes)
    return np.array([*right[:4], likelihood.fit_intercept(sums).beta[1]])


def _swapped(study: Study, right: np.ndarray) -> np.ndarray:
    return right[[0, 1, 2, 4, 3]]


def _one_sd(study: Study, right: np.ndarray) -> np.ndarray:
    sd = _posterior(study).parameters.loc["treatment_effect", "sd"]
    return np.array([right[0], right[0] - sd, right[0] + sd, *right[3:]])


def _other_sign(study: Study, right: np.ndarray) -> np.ndarray:
    return -right[[0, 2, 1, 3, 4]]


def _pooled(study: Study, right: np.ndarray) -> np.ndarray:
    return np.array([*right[:4], _within(study.data)])


_REPORT_MISTAKES = (
    (
        "The last number is a random intercept's. Where sicker hospitals prescribe more it is "
        "biased (lesson 8). Give each hospital a coefficient of its own.",
        _random_intercept,
    ),
    ("The last two are exchanged: first crude, then within hospitals.", _swapped),
    (
        "The ends of the interval lie one posterior SD from the middle. 95 % is asked for.",
        _one_sd,
    ),
    ("The signs are turned: treated less untreated is asked for.", _other_sign),
    (
        "The last number holds the trial's patients as well. It is to come from the registry "
        "alone.",
        _pooled,
    ),
)


@functools.lru_cache(maxsize=4)
def _chances(study: Study) -> dict[str, np.ndarray]:
    """Return for each hospital the chances of the highest and lowest place, and of lying above 0.

    Given tau, sigma and beta, hospitals are independent and normal, so a place's chance is an
    integral over a line. It is averaged over 250 draws of the three.
    """
    trial = _part(study, "trial")
    drawn = _posterior(study).draws(250, rng=18)
    by = trial.groupby("hospital", observed=True)
    n, y, x = (by["sbp"].size(), by["sbp"].mean(), by["treated"].mean())
    tau2, noise2 = drawn["tau"][:, None] ** 2, drawn["sigma"][:, None] ** 2 / n.to_numpy()
    weight = tau2 / (tau2 + noise2)
    intercept, effect = drawn["beta"].T[:, :, None]
    mean = weight * (y.to_numpy() - intercept - effect * x.to_numpy())
    sd = np.sqrt(weight * noise2)
    grid = np.linspace((mean - 4 * sd).min(axis=1), (mean + 4 * sd).max(axis=1), 101)[:, :, None]
    z = (grid - mean) / sd
    below, density = special.ndtr(z), np.exp(-(z**2) / 2) / sd
    found = {}
    for name, share in (("highest", below), ("lowest", 1 - below)):
        others = share.prod(axis=2, keepdims=True) / np.maximum(share, 1e-300)
        chance = (density * others).sum(axis=0)
        found[name] = (chance / chance.sum(axis=1, keepdims=True)).mean(axis=0)
    found["above"] = special.ndtr(mean / sd).mean(axis=0)
    return found


def _names(study: Study) -> list[str]:
    return list(_part(study, "trial")["hospital"].cat.categories)


def _by_hospital(name: str) -> Callable[[Study], pd.Series]:
    return lambda study: pd.Series(_chances(study)[name], index=_names(study))


_highest, _lowest, _above_zero = (_by_hospital(name) for name in ("highest", "lowest", "above"))


def _certain(study: Study) -> pd.Series:
    top = _highest(study)
    return (top == top.max()).astype(float)


def _unpooled(study: Study) -> pd.Series:
    """Return the chances from each hospital's own mean and standard error, without shrinkage."""
    trial, effect = _part(study, "trial"), _numbers(study)[0]
    rest = (trial["sbp"] - effect * trial["treated"]).groupby(trial["hospital"], observed=True)
    table = rest.agg(["mean", "size"])
    sigma = _posterior(study).parameters.loc["sigma", "mean"]
    z = np.random.default_rng(18).standard_normal((2000, len(table)))
    drawn = table["mean"].to_numpy() + sigma / np.sqrt(table["size"].to_numpy()) * z
    top = np.bincount(drawn.argmax(axis=1), minlength=len(table))
    return pd.Series(top / len(drawn), index=table.index.astype(str))


_LEAGUE_MISTAKES = (
    (
        "Those are the probabilities of the *lowest* pressure. The highest is asked for.",
        _lowest,
    ),
    (
        "Those are the probabilities of lying above the average. A place compares a hospital with "
        "all others, draw by draw.",
        _above_zero,
    ),
    (
        "A table with a 1 in it claims to know. Count in how many draws each hospital is on top.",
        _certain,
    ),
    (
        "Those come from means and standard errors of each hospital alone, without shrinkage. "
        "Small hospitals are on top by chance too often.",
        _unpooled,
    ),
)


def _clear(study: Study) -> bool:
    """Return whether every wrong way gives other numbers; what is quick is tried first."""
    right = _numbers(study)
    if any(np.abs(change(study, right) - right).max() < _APART for _, change in _REPORT_MISTAKES):
        return False
    top = _highest(study)
    return top.max() < 0.9 and all(
        (value(study) - top).abs().max() > 1.5 * _CHANCE for _, value in _LEAGUE_MISTAKES
    )


EXERCISES = (
    Exercise(
        id="E18.1",
        title="What one number means",
        objective="state the estimand of a league table",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="It names the comparison, the patients, and that it is the hospital's mean, not a "
            "patient's stay. It does not say why the stays are longer.",
            reasons={
                "a": "Nobody sent patients to hospitals by lot. How ill they are was not measured, "
                "and differs between hospitals too.",
                "b": "A single patient's stay varies far more than the hospitals' means.",
                "d": "The raw mean mixes the hospital with its patients: H01 operates on nearly "
                "all of them.",
            },
        ),
    ),
    Exercise(
        id="E18.2",
        title="From costs to a rule",
        objective="turn the costs of a decision into the probability at which to act",
        kind="code",
        minutes=6,
        difficulty=2,
        answer=Number(
            quantity="the probability",
            reference=lambda: (VISIT + UNREST) / (SAVED + UNREST),
            absolute=0.006,
            tolerance_reason="closed form; two decimals are enough",
            percent=True,
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "You forgot the unrest that a needless visit brings.", lambda: VISIT / SAVED
                ),
                Misconception(
                    "You charged the unrest to every visit. It comes only where the hospital was "
                    "not long.",
                    lambda: (VISIT + UNREST) / SAVED,
                ),
                Misconception(
                    "You took the unrest off the saving of a useful visit. It comes with a "
                    "useless one.",
                    lambda: VISIT / (SAVED - UNREST),
                ),
                Misconception(
                    "That is the probability below which you stay at home, seen from the other "
                    "side: one minus it is asked for.",
                    lambda: 1 - (VISIT + UNREST) / (SAVED + UNREST),
                ),
            ),
        ),
    ),
    Exercise(
        id="E18.3",
        title="Two intervals overlap",
        objective="compare two hospitals by the probability of their order",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="the probability",
            reference=lambda: float(stats.norm.cdf((FIRST - SECOND) / (SD * sqrt(2)))),
            absolute=0.006,
            tolerance_reason="closed form; or 20,000 draws, whose Monte Carlo error is .002",
            percent=True,
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "You compared with the other hospital's middle as if it were known. Both are "
                    "uncertain.",
                    lambda: float(stats.norm.cdf((FIRST - SECOND) / SD)),
                ),
                Misconception(
                    "You added the SDs. Of independent things variances add.",
                    lambda: float(stats.norm.cdf((FIRST - SECOND) / (2 * SD))),
                ),
                Misconception(
                    "That is the probability of the other order.",
                    lambda: float(stats.norm.sf((FIRST - SECOND) / (SD * sqrt(2)))),
                ),
            ),
        ),
        insight="The two intervals overlap by half, and still the order is known at better than "
        "nine to one.",
    ),
    Exercise(
        id="E18.4",
        title="Spot the flaw",
        objective="notice a reward for noise in a league table",
        kind="spot the flaw",
        minutes=6,
        difficulty=3,
        answer=Flaw(
            sentence=4,
            reason="b",
            sentences={
                1: "A plan with date, written before the outcomes: as it should be.",
                2: "The estimand is stated, and so is what was adjusted for.",
                3: "Intervals of places, from a joint posterior.",
                5: "It says what was not measured, and what follows from that.",
            },
            reasons={
                "a": "The table is adjusted for the patients, as far as they were measured.",
                "c": "Wide intervals do not make a model wrong. They say what is not known.",
                "d": "Shrinkage does not punish small hospitals. It says how little their own "
                "patients tell.",
            },
            why="Its interval of places runs over half of the table: the next year's places will "
            "be others, by chance. Being lowest this year is mostly luck, and the bonus pays it.",
        ),
    ),
    Exercise(
        id="E18.5",
        title="Your own evidence: the effect",
        objective="report an effect from a trial and from a registry, with what each can tell",
        kind="code",
        minutes=12,
        difficulty=3,
        own=True,
        answer=Vector(
            quantity="your report's numbers",
            unit="mmHg",
            each="row",
            reference=_report(lambda study, right: right),
            absolute=_TOLERANCE,
            tolerance_reason="the exact posterior; 4,000 draws of PyMC find the ends of an "
            "interval to .15 mmHg",
            misconceptions=tuple(
                Misconception(says, _report(change)) for says, change in _REPORT_MISTAKES
            ),
        ),
        insight="The trial compares what chance made alike; the registry's crude number does not.",
    ),
    Exercise(
        id="E18.6",
        title="Your own league",
        objective="give each hospital its probability of being the highest",
        kind="code",
        minutes=8,
        difficulty=3,
        own=True,
        answer=Vector(
            quantity="the probabilities",
            each="hospital",
            reference=_highest,
            absolute=_CHANCE,
            tolerance_reason="4,000 draws: a Monte Carlo error of at most .008 where they are "
            "independent, .016 where they are worth a quarter",
            percent=True,
            low=0,
            high=1,
            misconceptions=tuple(Misconception(says, value) for says, value in _LEAGUE_MISTAKES),
        ),
        insight="They add up to 1: somebody must be on top, whatever the hospitals do.",
    ),
)
