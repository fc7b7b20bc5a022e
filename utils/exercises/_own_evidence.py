"""A learner's own evidence of lesson 18: a registry and a trial, and the answers they hold.

What the checks of the lesson ask is computed here, the right way and in each wrong way.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
from scipy import special, stats

from utils import exact, likelihood
from utils.simulate import Study, med_trial

__all__ = [
    "BED_DAYS", "CHANCE", "GAIN", "LEAGUE_MISTAKES", "PRICE", "REPORT_MISTAKES", "SAVING_MISTAKES",
    "TOLERANCE", "highest", "own_hospitals", "report", "saving",
]  # fmt: skip

PRIORS = {"tau": 8.0, "sigma": 20.0}  # half-normal scales of the own hospitals, mmHg
_APART = 0.3  # mmHg: what a wrong way's numbers must differ by, somewhere
TOLERANCE, CHANCE = 0.2, 0.05
# E18.7: the drug saves GAIN bed-days if it lowers by more than WANTED mmHg, and costs PRICE.
WANTED, GAIN, PRICE = 5.0, 500.0, 200.0
BED_DAYS = 15.0
_KEPT = 256  # learners whose answers are kept: the proof asks three times after each of 200


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own evidence: a registry, and a trial in other hospitals.

    The column `part` says which. Evidence in which a wrong way comes near the right numbers is
    drawn again.
    """
    while True:
        common = {
            "treatment_effect": -round(float(rng.uniform(3.5, 6.5)), 1),
            "hospital_sd": round(float(rng.uniform(3, 5)), 1),
            "patient_sd": round(float(rng.uniform(10, 14)), 1),
        }
        trial = med_trial(
            n_hospitals=int(rng.integers(8, 13)), patients_per_hospital=(4, 30), rng=rng, **common
        )
        registry = med_trial(
            n_hospitals=int(rng.integers(16, 25)), patients_per_hospital=(10, 25),
            assignment="sicker hospitals more", confounding=1.2, rng=rng, **common,
        )  # fmt: skip
        if _may_be_clear(_arrays(registry.data), _arrays(trial.data)):
            study = Study(_joined(registry.data, trial.data), trial.truth, None)
            if _clear(study):
                return study


def _joined(registry: pd.DataFrame, trial: pd.DataFrame) -> pd.DataFrame:
    keep = ["treated", "age", "sbp"]
    labels = []
    for letter, data in (("R", registry), ("T", trial)):
        names = np.array([letter + name[1:] for name in data["hospital"].cat.categories])
        labels.append(names[data["hospital"].cat.codes])
    data = pd.concat([registry[keep], trial[keep]], ignore_index=True)
    data.insert(0, "hospital", pd.Categorical(np.concatenate(labels)))
    data.insert(0, "part", np.repeat(["registry", "trial"], [len(registry), len(trial)]))
    return data


@dataclass(frozen=True, eq=False)
class _Part:
    """One part of the evidence in arrays: pressure, treatment, hospital's code, names, sizes."""

    y: np.ndarray
    x: np.ndarray
    code: np.ndarray
    names: list[str]
    n: np.ndarray

    def means(self, values: np.ndarray) -> np.ndarray:
        """Return each hospital's mean of a value."""
        return np.bincount(self.code, values, len(self.names)) / self.n

    @property
    def crude(self) -> float:
        """Mean of the treated less mean of the untreated."""
        return float(self.y[self.x == 1].mean() - self.y[self.x == 0].mean())

    @property
    def squares(self) -> tuple[float, float]:
        """Sums within hospitals: treatment times pressure, and treatment squared."""
        x = self.x - self.means(self.x)[self.code]
        return float(x @ self.y), float(x @ x)

    @property
    def design(self) -> np.ndarray:
        return np.column_stack([np.ones(len(self.x)), self.x])


def _arrays(data: pd.DataFrame) -> _Part:
    code, hospitals = pd.factorize(data["hospital"], sort=True)
    names = [str(name) for name in hospitals]
    y, x = (data[column].to_numpy(dtype=float) for column in ("sbp", "treated"))
    return _Part(y, x, code, names, np.bincount(code))


@functools.lru_cache(maxsize=8)
def _part(study: Study, part: str) -> _Part:
    return _arrays(study.data[(study.data["part"] == part).to_numpy()])


@functools.lru_cache(maxsize=2)
def _posterior(study: Study) -> exact.Posterior:
    trial = _part(study, "trial")
    design = pd.DataFrame(trial.design, columns=["intercept", "treatment_effect"])
    sds = {name: stats.halfnorm(scale=scale) for name, scale in PRIORS.items()}
    return exact.posterior(trial.y, design, np.array(trial.names)[trial.code], **sds)


def _within(*parts: _Part) -> float:
    """Return the estimate within the hospitals of one or more parts."""
    products, squares = zip(*(part.squares for part in parts), strict=True)
    return sum(products) / sum(squares)


ROWS = ["trial: effect", "trial: lower", "trial: upper", "registry: crude", "registry: within"]


@functools.lru_cache(maxsize=_KEPT)
def _facts(study: Study) -> dict[str, float]:
    """Return what the exercises ask of the trial's posterior."""
    post = _posterior(study)
    low, high = post.interval("treatment_effect")
    useful, any_effect = post.cdf("treatment_effect", [-WANTED, 0.0])
    table = post.parameters
    return {
        "mean": float(table.loc["treatment_effect", "mean"]), "low": low, "high": high,
        "sd": float(table.loc["treatment_effect", "sd"]),
        "sigma": float(table.loc["sigma", "mean"]),
        "P(useful)": float(useful), "P(any)": float(any_effect),
    }  # fmt: skip


@functools.lru_cache(maxsize=_KEPT)
def _numbers(study: Study) -> np.ndarray:
    fact, registry = _facts(study), _part(study, "registry")
    trial = [fact[name] for name in ("mean", "low", "high")]
    return np.array([*trial, registry.crude, _within(registry)])


def report(change: Callable[[Study, np.ndarray], np.ndarray]) -> Callable[[Study], pd.Series]:
    return lambda study: pd.Series(change(study, _numbers(study)), index=ROWS)


@functools.lru_cache(maxsize=_KEPT)
def _by_random_intercept(study: Study) -> float:
    part = _part(study, "registry")
    return float(likelihood.fit_intercept(likelihood.sums(part.y, part.design, part.code)).beta[1])


def _random_intercept(study: Study, right: np.ndarray) -> np.ndarray:
    """Return the report of one who fits a random intercept to the registry, too."""
    return np.array([*right[:4], _by_random_intercept(study)])


def _swapped(study: Study, right: np.ndarray) -> np.ndarray:
    return right[[0, 1, 2, 4, 3]]


def _one_sd(study: Study, right: np.ndarray) -> np.ndarray:
    sd = _facts(study)["sd"]
    return np.array([right[0], right[0] - sd, right[0] + sd, *right[3:]])


def _other_sign(study: Study, right: np.ndarray) -> np.ndarray:
    return -right[[0, 2, 1, 3, 4]]


def _pooled(study: Study, right: np.ndarray) -> np.ndarray:
    return np.array([*right[:4], _within(_part(study, "registry"), _part(study, "trial"))])


REPORT_MISTAKES = (
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


@functools.lru_cache(maxsize=_KEPT)
def _chances(study: Study) -> dict[str, np.ndarray]:
    """Return for each hospital the chances of the highest and lowest place, and of lying above 0.

    Given tau, sigma and beta, hospitals are independent and normal, so a place's chance is an
    integral over a line. It is averaged over 250 draws of the three.
    """
    trial, drawn = _part(study, "trial"), _posterior(study).draws(250, rng=18)
    tau2, noise2 = drawn["tau"][:, None] ** 2, drawn["sigma"][:, None] ** 2 / trial.n
    weight = tau2 / (tau2 + noise2)
    intercept, effect = drawn["beta"].T[:, :, None]
    mean = weight * (trial.means(trial.y) - intercept - effect * trial.means(trial.x))
    sd = np.sqrt(weight * noise2)
    grid = np.linspace((mean - 4 * sd).min(axis=1), (mean + 4 * sd).max(axis=1), 61)[:, :, None]
    z = (grid - mean) / sd
    below, density = special.ndtr(z), np.exp(-(z**2) / 2) / sd
    found = {"above": special.ndtr(mean / sd).mean(axis=0)}
    for name, share in (("highest", below), ("lowest", 1 - below)):
        others = share.prod(axis=2, keepdims=True) / np.maximum(share, 1e-300)
        chance = (density * others).sum(axis=0)
        found[name] = (chance / chance.sum(axis=1, keepdims=True)).mean(axis=0)
    return found


def _by_hospital(name: str) -> Callable[[Study], pd.Series]:
    return lambda study: pd.Series(_chances(study)[name], index=_part(study, "trial").names)


highest, _lowest, _above_zero = (_by_hospital(name) for name in ("highest", "lowest", "above"))


def _certain(study: Study) -> pd.Series:
    top = highest(study)
    return (top == top.max()).astype(float)


@functools.lru_cache(maxsize=_KEPT)
def _unpooled_chances(study: Study) -> np.ndarray:
    trial = _part(study, "trial")
    fact = _facts(study)
    mean, sigma = trial.means(trial.y - fact["mean"] * trial.x), fact["sigma"]
    z = np.random.default_rng(18).standard_normal((4000, len(mean)))
    top = (mean + sigma / np.sqrt(trial.n) * z).argmax(axis=1)
    return np.bincount(top, minlength=len(mean)) / len(z)


def _unpooled(study: Study) -> pd.Series:
    """Return the chances from each hospital's own mean and standard error, without shrinkage."""
    return pd.Series(_unpooled_chances(study), index=_part(study, "trial").names)


LEAGUE_MISTAKES = (
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


def _net(probability: float) -> float:
    return GAIN * probability - PRICE


def saving(study: Study) -> float:
    return _net(_facts(study)["P(useful)"])


def _any_effect(study: Study) -> float:
    return _net(_facts(study)["P(any)"])


def _as_if_known(study: Study) -> float:
    return _net(float(_facts(study)["mean"] < -WANTED))


def _price_if_useful(study: Study) -> float:
    return (GAIN - PRICE) * _facts(study)["P(useful)"]


def _for_nothing(study: Study) -> float:
    return GAIN * _facts(study)["P(useful)"]


SAVING_MISTAKES = (
    (
        "You forgot the price, which is paid in any case.",
        _for_nothing,
    ),
    (
        "You took the posterior mean for the truth. The effect may lie on the other side of the "
        "threshold: average over the posterior.",
        _as_if_known,
    ),
    (
        "You counted any lowering. Only one by more than the threshold saves bed-days.",
        _any_effect,
    ),
    (
        "You charged the price only where the drug does enough. It is paid in any case.",
        _price_if_useful,
    ),
)


def _may_be_clear(registry: _Part, trial: _Part) -> bool:
    """Return whether `_clear` can hold, by what needs no posterior: this saves most of its time.

    The probability that the drug does enough is guessed from the trial's estimate within
    hospitals; the rest is exact.
    """
    product, square = trial.squares
    guess = special.ndtr((-WANTED - product / square) * sqrt(square) / 12)
    within = _within(registry)
    return bool(
        0.06 < guess < 0.92
        and abs(_within(registry, trial) - within) >= _APART
        and abs(registry.crude - within) >= _APART
    )


def _clear(study: Study) -> bool:
    """Return whether every wrong way gives other numbers; what is quick is tried first."""
    right = saving(study)
    if any(abs(value(study) - right) < 1.5 * BED_DAYS for _, value in SAVING_MISTAKES):
        return False
    right = _numbers(study)
    if any(
        np.abs(change(study, right) - right).max() < _APART
        for _, change in reversed(REPORT_MISTAKES)
    ):
        return False
    top = highest(study).to_numpy()
    return top.max() < 0.9 and all(
        np.abs(value(study).to_numpy() - top).max() > 1.5 * CHANCE for _, value in LEAGUE_MISTAKES
    )
