"""The checks of lesson 12, when the sampler struggles."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from utils import exact
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.simulate import Study, med_trial

# E12.1: a hospital, as the lesson states it (mmHg).
PATIENTS, HOSPITAL_SD, PATIENT_SD = 4, 3.0, 12.0
# E12.3: posterior SD and wanted Monte Carlo error (mmHg), draws and what they were worth.
SD, WANTED, DRAWS, WORTH = 1.8, 0.05, 4000, 60

LIMIT, BY = 2.0, 6.0  # mmHg, of E12.6: hospital_sd below, pressure lowered by more than
N_HOSPITALS = 20  # as in the lesson, so that its compiled models can be used
_TOLERANCE = 0.05
_PRIOR_SD = 5.0


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own pilot: 20 hospitals with few patients each, half of them treated.

    Pilots in which a wrong way gives nearly the right probabilities are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=N_HOSPITALS,
            patients_per_hospital=2 * int(rng.integers(2, 4)),
            treatment_effect=-round(float(rng.uniform(3, 10)), 1),
            hospital_sd=round(float(rng.uniform(3.5, 5)), 1),
            patient_sd=round(float(rng.uniform(10, 13)), 1),
            rng=rng,
        )
        if _ratio(study) > 2.0:  # the probability would be very small; this is quicker to see
            continue
        right = _answer(study)
        wrong = [value(study) for _, value in _MISTAKES]
        if right.iloc[0] > 0.1 and all(
            (value - right).abs().max() > 1.2 * _TOLERANCE for value in wrong
        ):
            return study


def _ratio(study: Study) -> float:
    """Return the mean square between hospitals over that within, the treatment taken out."""
    data = study.data  # hospital by hospital, all with the same number of patients
    y, x = (data[name].to_numpy().reshape(N_HOSPITALS, -1) for name in ("sbp", "treated"))
    rest = y - x * (y[x == 1].mean() - y[x == 0].mean())
    means, n = rest.mean(axis=1), y.shape[1]
    within = ((rest - means[:, None]) ** 2).sum() / (N_HOSPITALS * (n - 1) - 1)
    return float(n * means.var(ddof=1) / within)


@functools.lru_cache(maxsize=4)
def _posterior(study: Study) -> exact.Posterior:
    data = study.data
    design = pd.DataFrame({"intercept": 1.0, "treatment_effect": data["treated"]})
    sds = {"tau": stats.halfnorm(scale=_PRIOR_SD), "sigma": stats.halfnorm(scale=20)}
    return exact.posterior(data["sbp"], design, data["hospital"], **sds, beta=([140, 0], [20, 10]))


def _below(study: Study, limit: float) -> float:
    return float(_posterior(study).cdf("tau", limit))


def _lowers(study: Study, by: float) -> float:
    return float(_posterior(study).cdf("treatment_effect", -by))


def _both(hospital_sd: float, effect: float) -> pd.Series:
    return pd.Series({f"hospital_sd < {LIMIT:.0f}": hospital_sd, f"effect < −{BY:.0f}": effect})


def _answer(study: Study) -> pd.Series:
    return _both(_below(study, LIMIT), _lowers(study, BY))


_MISTAKES: tuple[tuple[str, Callable[[Study], pd.Series]], ...] = (
    (
        "The first is the probability that hospital_sd lies above the limit. Asked for is below.",
        lambda study: _both(1 - _below(study, LIMIT), _lowers(study, BY)),
    ),
    (
        "The second is the probability of an effect above −6 mmHg. Lowering by more than 6 means "
        "an effect below −6.",
        lambda study: _both(_below(study, LIMIT), 1 - _lowers(study, BY)),
    ),
    (
        "Both are probabilities of the other side. Asked for are hospital_sd below 2, and an "
        "effect below −6.",
        lambda study: 1 - _answer(study),
    ),
    (
        "The second is the probability of an effect below +6 mmHg. Lowering is negative: ask for "
        "below −6.",
        lambda study: _both(_below(study, LIMIT), _lowers(study, -BY)),
    ),
    (
        "The first is the probability of less than 1 mmHg, the limit of the lesson. Here it is "
        "2 mmHg.",
        lambda study: _both(_below(study, 1.0), _lowers(study, BY)),
    ),
    (
        "The first is the prior's probability. Use draws of the posterior.",
        lambda study: _both(float(stats.halfnorm(scale=_PRIOR_SD).cdf(LIMIT)), _lowers(study, BY)),
    ),
    (
        "The first is the probability that hospital_sd lies between 1 and 2 mmHg. The neck below "
        "1 belongs to it too.",
        lambda study: _both(_below(study, LIMIT) - _below(study, 1.0), _lowers(study, BY)),
    ),
)


def _local_variance(patients: int = PATIENTS) -> float:
    return 1 / (1 / HOSPITAL_SD**2 + patients / PATIENT_SD**2)


def _draws(ess: float) -> float:
    return DRAWS * ess / WORTH


EXERCISES = (
    Exercise(
        id="E12.1",
        title="The longest step",
        objective="find the width of a funnel at one height, and the longest step that it allows",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="the longest step",
            unit="mmHg",
            reference=lambda: 2 * _local_variance() ** 0.5,
            absolute=0.06,
            tolerance_reason="closed form; one decimal is enough",
            low=0,
            misconceptions=(
                Misconception(
                    "That is the width of u at this hospital_sd. How long may a step be, "
                    "measured in widths?",
                    lambda: _local_variance() ** 0.5,
                ),
                Misconception(
                    "You used hospital_sd alone. The hospital's patients tell about u too, and "
                    "make it narrower.",
                    lambda: 2 * HOSPITAL_SD,
                ),
                Misconception(
                    "You used the standard error of the hospital's mean alone. hospital_sd holds "
                    "u together too.",
                    lambda: 2 * PATIENT_SD / PATIENTS**0.5,
                ),
                Misconception(
                    "You added the variances. What is known from two sides is narrower than "
                    "either: add the precisions, 1/variance.",
                    lambda: 2 * (HOSPITAL_SD**2 + PATIENT_SD**2 / PATIENTS) ** 0.5,
                ),
                Misconception(
                    "That is twice the variance. Take its square root first.",
                    lambda: 2 * _local_variance(),
                ),
                Misconception(
                    "You counted one patient. The hospital has more, and its mean is as much "
                    "more precise.",
                    lambda: 2 * _local_variance(1) ** 0.5,
                ),
                Misconception(
                    "You divided the patients' SD by n. The variance of a mean is the variance "
                    "divided by n.",
                    lambda: 2 / (1 / HOSPITAL_SD**2 + (PATIENTS / PATIENT_SD) ** 2) ** 0.5,
                ),
            ),
        ),
        insight="Ten times further down the neck, the longest step is about ten times shorter.",
    ),
    Exercise(
        id="E12.2",
        title="Which rewriting keeps the prior?",
        objective="tell a change of coordinates from a change of the model",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="a standard normal number, multiplied by hospital_sd and moved by the intercept, "
            "is a normal number with that mean and SD. Nothing else was touched.",
            reasons={
                "a": "Here z already has SD hospital_sd, and is multiplied by it once more: the "
                "hospitals' SD would be its square.",
                "c": "The coordinates are new, and so is the prior of hospital_sd. Whatever "
                "changes in the answer, you would not know which of the two did it.",
                "d": "z now has a heavier tail than a normal number: another claim about "
                "hospitals, not another way to write this one.",
            },
        ),
    ),
    Exercise(
        id="E12.3",
        title="Draw longer?",
        objective="foresee how many draws a slow chain needs for a given Monte Carlo error",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="the number of draws",
            reference=lambda: _draws((SD / WANTED) ** 2),
            relative=0.03,
            tolerance_reason="closed form; two digits are enough",
            low=1,
            misconceptions=(
                Misconception(
                    "That is the effective sample size you need. These chains need many draws "
                    "for each independent one.",
                    lambda: (SD / WANTED) ** 2,
                ),
                Misconception(
                    "The Monte Carlo error falls with the square root of the effective sample "
                    "size: square the ratio.",
                    lambda: _draws(SD / WANTED),
                ),
                Misconception(
                    "You put the posterior SD where its square belongs: ESS = (SD / error)².",
                    lambda: _draws(SD / WANTED**2),
                ),
                Misconception(
                    "You put the Monte Carlo error where its square belongs: ESS = (SD / error)².",
                    lambda: _draws(SD**2 / WANTED),
                ),
                Misconception(
                    "That is how many draws you need on top of the first. Asked for is the total.",
                    lambda: _draws((SD / WANTED) ** 2) - DRAWS,
                ),
                Misconception(
                    "That is how many times as many draws you need. Multiply by the draws you had.",
                    lambda: (SD / WANTED) ** 2 / WORTH,
                ),
                Misconception(
                    "You scaled by one chain's draws. The effective sample size is that of all "
                    "four chains together.",
                    lambda: _draws((SD / WANTED) ** 2) / 4,
                ),
            ),
        ),
        insight="And that supposes that the chains see the whole posterior. In other coordinates "
        "about as many draws as you have would do.",
    ),
    Exercise(
        id="E12.4",
        title="A registry",
        objective="choose the form by how much each hospital's own data say",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="with 400 patients the shrinkage weight is about .96: a hospital's mean is known "
            "from its own patients, whatever hospital_sd. Those are the coordinates that do not "
            "move when hospital_sd does.",
            reasons={
                "a": "No step diverged: the steps are short enough. The chains are slow because z "
                "and hospital_sd must move together, and shorter steps are slower still.",
                "c": "That changes the question to please the sampler. And hospital_sd is well "
                "known here: the data, not the prior, decide it.",
                "d": "It would get there in the end, at many times the cost. Find out first why "
                "the chains are slow.",
            },
        ),
    ),
    Exercise(
        id="E12.5",
        title="Spot the flaw",
        objective="find the place in a report where a sampler's trouble changed the model",
        kind="spot the flaw",
        minutes=6,
        difficulty=3,
        answer=Flaw(
            sentence=4,
            reason="b",
            why="The form and the prior were changed in one go. A half-normal prior of scale 1 "
            "says, before any data, that hospitals hardly differ, and with 3 patients in each the "
            "data cannot object. The small answer may be the prior's. Change the form, hold the "
            "prior fixed.",
            sentences={
                1: "The model, its prior and the reason for it are stated, and were chosen before "
                "the data were seen.",
                2: "Divergences and R-hat are reported, and the draws are not used. That is sound.",
                3: "With 3 patients in each hospital the non-centred form is the one to try.",
                5: "Convergence is shown for the fit that is used. It cannot show that the model "
                "is the one that was meant.",
            },
            reasons={
                "a": "A non-centred model is the same model in other coordinates, so its results "
                "can stand for the centred one's.",
                "c": "R-hat below 1.01 and an ESS above 400 are what this course asks for.",
                "d": "Draws from a fit with divergences may have missed a part of the posterior. "
                "Leaving them aside was right.",
            },
        ),
    ),
    Exercise(
        id="E12.6",
        title="Your own hospitals",
        objective="choose a form for hospitals that nobody else has, and report what it finds",
        kind="code",
        minutes=10,
        difficulty=3,
        own=True,
        answer=Vector(
            quantity="the probabilities",
            each="question",
            reference=_answer,
            absolute=_TOLERANCE,
            tolerance_reason="the reference is exact; six Monte Carlo errors or more of the 16,000 "
            "draws that the lesson asks for, at least three of 4,000",
            percent=True,
            low=0,
            high=1,
            misconceptions=tuple(Misconception(says, value) for says, value in _MISTAKES),
        ),
        insight="Draws that cannot enter the neck give another first number at each run.",
    ),
)
