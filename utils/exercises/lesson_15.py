"""The checks of lesson 15, complex structures and complex priors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import sqrt

import numpy as np
import pandas as pd
from scipy import stats

from utils import exact
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.simulate import Study, med_trial

# E15.3, mmHg: the design whose two averages are compared.
HOSPITALS, SIZE, HOSPITAL_SD, PATIENT_SD = 9, 16, 6.0, 12.0
_EIGHTY = 80  # E15.5: hospitals

PRIOR = {
    "intercept": np.inf,
    "treatment_effect": np.inf,
    "teaching_effect": 4.0,
    "beds_effect": 1.0,
}
_SDS = {"tau": stats.halfnorm(scale=8), "sigma": stats.halfnorm(scale=20)}
_TOLERANCE, _APART = 0.25, 0.4  # mmHg


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own trial, in teaching hospitals and others of many sizes.

    Trials in which a wrong way comes near the right numbers are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=int(rng.integers(12, 19)),
            patients_per_hospital=(10, 30),
            treatment_effect=-round(float(rng.uniform(3, 8)), 1),
            teaching_effect=round(float(rng.choice([-1, 1]) * rng.uniform(4, 9)), 1),
            beds_effect=round(float(rng.uniform(-1.5, 1.5)), 1),
            hospital_sd=round(float(rng.uniform(3, 5)), 1),
            patient_sd=round(float(rng.uniform(10, 13)), 1),
            rng=rng,
        )
        teaching = study.truth.hospitals["teaching"].sum()
        if not 3 <= teaching <= len(study.truth.hospitals) - 3:
            continue
        right = _answer(study)
        if all((value(study) - right).abs().max() > _APART for _, value in _MISTAKES):
            return study


def _design(study: Study) -> pd.DataFrame:
    data = study.data
    return pd.DataFrame(
        {
            "intercept": 1.0,
            "treatment_effect": data["treated"].astype(float),
            "teaching_effect": data["teaching"].astype(float),
            "beds_effect": (data["beds"] - 500) / 100,
        }
    )


@functools.lru_cache(maxsize=16)
def _posterior(study: Study, flat: bool = False, beds: bool = True) -> exact.Posterior:
    design = _design(study)
    if not beds:
        design = design.drop(columns="beds_effect")
    sds = [np.inf if flat else PRIOR[name] for name in design]
    beta = None if flat else (np.zeros(len(sds)), np.array(sds))
    return exact.posterior(study.data["sbp"], design, study.data["hospital"], **_SDS, beta=beta)


def _three(middle: float, low: float, high: float) -> pd.Series:
    return pd.Series({"mean": middle, "lower": low, "upper": high})


def _of(posterior: exact.Posterior) -> pd.Series:
    middle = posterior.parameters.loc["teaching_effect", "mean"]
    return _three(middle, *posterior.interval("teaching_effect"))


def _answer(study: Study) -> pd.Series:
    return _of(_posterior(study))


def _as_patients(study: Study) -> pd.Series:
    design, y = _design(study).to_numpy(), study.data["sbp"].to_numpy()
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ y
    error = sqrt(((y - design @ beta) ** 2).sum() / (len(y) - 4) * inverse[2, 2])
    return _three(beta[2], beta[2] - 1.96 * error, beta[2] + 1.96 * error)


def _one_sd(study: Study) -> pd.Series:
    middle, sd = _posterior(study).parameters.loc["teaching_effect", ["mean", "sd"]]
    return _three(middle, middle - sd, middle + sd)


_MISTAKES: tuple[tuple[str, Callable[[Study], pd.Series]], ...] = (
    (
        "You counted patients as if they were hospitals: the interval is too short. Teaching is a "
        "hospital's property, so the model needs `hospital`.",
        _as_patients,
    ),
    (
        "That is the answer with flat priors for the effects. The question gives them SDs.",
        lambda study: _of(_posterior(study, flat=True)),
    ),
    (
        "That is the answer without beds in the model.",
        lambda study: _of(_posterior(study, beds=False)),
    ),
    ("The ends lie one posterior SD from the mean. A 95 % interval is asked for.", _one_sd),
    (
        "The signs are turned: teaching less non-teaching is asked for.",
        lambda study: _three(*-_answer(study)[["mean", "upper", "lower"]]),
    ),
)


def _population() -> float:
    return sqrt(HOSPITAL_SD**2 / HOSPITALS + PATIENT_SD**2 / (HOSPITALS * SIZE))


def _kept(noise: float, coefficients: int = 10) -> float:
    """Return what a ridge of learned SD leaves of 0.5; noise is a squared standard error."""
    square = (0.5**2 + 0.3**2) / coefficients
    return 0.5 * square / (square + noise)


EXERCISES = (
    Exercise(
        id="E15.1",
        title="What LKJ(2) says",
        objective="turn a prior for a correlation into a probability",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="the probability",
            reference=lambda: 2 * float(stats.beta.cdf(0.25, 2, 2)),
            absolute=0.008,
            tolerance_reason="closed form; or 20,000 draws, whose Monte Carlo error is .003",
            percent=True,
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "That counts one side only. A correlation below −0.5 is larger than 0.5 in "
                    "size, too.",
                    lambda: float(stats.beta.cdf(0.25, 2, 2)),
                ),
                Misconception(
                    "That is LKJ(1), which is flat for two effects. (Or you took the beta law on "
                    "0 to 1 for the correlation: stretch it to −1 to 1 first.)",
                    lambda: 0.5,
                ),
                Misconception(
                    "That is the probability of a size *below* 0.5.",
                    lambda: 1 - 2 * float(stats.beta.cdf(0.25, 2, 2)),
                ),
            ),
        ),
    ),
    Exercise(
        id="E15.2",
        title="Which average?",
        objective="choose the constraint that fits the question",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="The insurer pays these nine hospitals and no others. Their own average is known "
            "far better than that of a population of hospitals.",
            reasons={
                "a": "It knows less, since nine hospitals are few, but it answers a question about "
                "all hospitals, those not in the data included.",
                "c": "The prior of `hospital_sd` moves both averages a little. What separates them "
                "is whose average it is.",
                "d": "Both are right, each about its own average. A tighter interval of another "
                "quantity is no gain.",
            },
        ),
    ),
    Exercise(
        id="E15.3",
        title="How far apart are they?",
        objective="compute the uncertainty of two averages of the same data",
        kind="code",
        minutes=6,
        difficulty=2,
        answer=Number(
            quantity="the ratio",
            reference=lambda: _population() / (PATIENT_SD / sqrt(HOSPITALS * SIZE)),
            absolute=0.02,
            tolerance_reason="closed form; two decimals",
            low=0,
            misconceptions=(
                Misconception(
                    "That is the ratio of the variances. SDs are asked for.",
                    lambda: (_population() / (PATIENT_SD / sqrt(HOSPITALS * SIZE))) ** 2,
                ),
                Misconception(
                    "The population's average is uncertain by its patients, too, not by the "
                    "hospitals alone.",
                    lambda: HOSPITAL_SD / sqrt(HOSPITALS) / (PATIENT_SD / sqrt(HOSPITALS * SIZE)),
                ),
                Misconception(
                    "It is the other way up: population over these hospitals.",
                    lambda: PATIENT_SD / sqrt(HOSPITALS * SIZE) / _population(),
                ),
                Misconception(
                    "You divided hospital_sd² by the number of patients. Hospitals are nine.",
                    lambda: (
                        sqrt((HOSPITAL_SD**2 + PATIENT_SD**2) / (HOSPITALS * SIZE))
                        / (PATIENT_SD / sqrt(HOSPITALS * SIZE))
                    ),
                ),
            ),
        ),
    ),
    Exercise(
        id="E15.4",
        title="A sentence about R²",
        objective="choose the SD of a prior from what predictors can explain together",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="the SD of the prior",
            reference=lambda: sqrt(0.25 / 0.75 / 12),
            absolute=0.006,
            tolerance_reason="closed form; two decimals",
            low=0,
            misconceptions=(
                Misconception(
                    "You set the explained variance to R² itself. R² is explained/(explained + 1).",
                    lambda: sqrt(0.25 / 12),
                ),
                Misconception(
                    "That is a variance. Take the root.",
                    lambda: 0.25 / 0.75 / 12,
                ),
                Misconception(
                    "That lets each predictor alone explain a quarter. All 12 together shall.",
                    lambda: sqrt(0.25 / 0.75),
                ),
                Misconception(
                    "You divided the SD by 12. Variances add: divide the variance.",
                    lambda: sqrt(0.25 / 0.75) / 12,
                ),
            ),
        ),
    ),
    Exercise(
        id="E15.5",
        title="How many hospitals would do?",
        objective="foresee how far a learned ridge pulls a coefficient",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="the mean of the coefficient",
            reference=lambda: _kept(1 / _EIGHTY),
            absolute=0.006,
            tolerance_reason="closed form; two decimals",
            low=-1,
            high=1,
            misconceptions=(
                Misconception(
                    "That is with 20 hospitals. Here there are 80.",
                    lambda: _kept(1 / 20),
                ),
                Misconception(
                    "That is the weight. Multiply the coefficient by it.",
                    lambda: _kept(1 / _EIGHTY) / 0.5,
                ),
                Misconception(
                    "You took the standard error, 1/√80, where the weight has its square, 1/80.",
                    lambda: _kept(1 / sqrt(_EIGHTY)),
                ),
                Misconception(
                    "You averaged over the two that matter. The ridge learns its SD from all ten.",
                    lambda: _kept(1 / _EIGHTY, 2),
                ),
                Misconception(
                    "You did not divide the sum of squares by ten: a *mean* square is asked for.",
                    lambda: _kept(1 / _EIGHTY, 1),
                ),
                Misconception(
                    "That is the part that is lost. What is left of 0.5?",
                    lambda: 0.5 - _kept(1 / _EIGHTY),
                ),
            ),
        ),
        insight="Even 80 hospitals leave the true coefficient a good deal too small on average.",
    ),
    Exercise(
        id="E15.6",
        title="Spot the flaw",
        objective="count the hospitals, not the patients, behind a hospital's predictors",
        kind="spot the flaw",
        minutes=6,
        difficulty=3,
        answer=Flaw(
            sentence=3,
            reason="c",
            sentences={
                1: "Random intercepts for hospitals, the outcome at the level of patients: sound.",
                2: "A prior stated for standardised predictors, as a sentence: as it should be.",
                4: "A probability from the posterior. What it is worth hangs on sentence 3.",
                5: "Saying what another prior does is what lesson 13 asks for.",
            },
            reasons={
                "a": "The horseshoe may be used at any level. It cannot make information.",
                "b": "A correlation between predictors would make things worse, but is not the "
                "reason that 12,000 is the wrong number.",
                "d": "MixedLM takes such predictors, too (lesson 5). It is not a matter of Bayes.",
            },
            why="What a hospital's staffing does is learned from 14 hospitals, with 10 predictors "
            "among them. 12,000 patients make each hospital's mean sharp and add no hospital.",
        ),
    ),
    Exercise(
        id="E15.7",
        title="Your own hospitals",
        objective="estimate the effect of a hospital's property, with priors that are stated",
        kind="code",
        minutes=10,
        difficulty=3,
        own=True,
        answer=Vector(
            quantity="your three numbers",
            unit="mmHg",
            each="row",
            reference=_answer,
            absolute=_TOLERANCE,
            tolerance_reason="the exact posterior; 4,000 draws of PyMC find the ends of an "
            "interval to .2 mmHg",
            misconceptions=tuple(Misconception(says, value) for says, value in _MISTAKES),
        ),
        insight="The truth is in own_hospitals(15).truth.teaching_effect. A dozen hospitals see it "
        "through a fog.",
    ),
)
