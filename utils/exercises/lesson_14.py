"""The checks of lesson 14, beyond the normal."""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.special import expit, logit

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number
from utils.marginal import average_risk
from utils.simulate import Study, med_trial

__all__ = ["EXERCISES", "own_hospitals"]

# The settings of E14.1, E14.3, E14.4 and E14.5, as the lesson states them.
TOGETHER, CALM = 0.50, 0.40
RISK, ODDS_RATIO = 0.20, 0.60
LOG_ODDS, SPREAD = -3.0, 1.2
RATE, RATIO, DAYS = 0.004, 0.75, 90


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own trial, in which treated patients scatter less.

    Trials in which a wrong way happens to give the right number are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=12,
            patients_per_hospital=rng.integers(24, 41, size=12),
            treatment_effect=-8,
            hospital_sd=round(float(rng.uniform(7, 10)), 1),
            patient_sd=round(float(rng.uniform(9, 13)), 1),
            error_law="grows with mean",
            treated_share=0.5,
            rng=rng,
        )
        right = _ratio(study)
        if all(abs(wrong(study) - right) > 0.03 for wrong in (_inverse, _variances, _raw)):
            return study


def _sds(study: Study, *, within: bool = True) -> np.ndarray:
    """Return the SDs of untreated and treated patients around their own means."""
    data = study.data
    y, treated = data["sbp"].to_numpy(float), data["treated"].to_numpy(int)
    hospital = data["hospital"].cat.codes.to_numpy(int) if within else np.zeros(len(y), int)
    cell = 2 * hospital + treated
    size = np.bincount(cell)
    squares = (y - (np.bincount(cell, y) / np.maximum(size, 1))[cell]) ** 2
    means = np.bincount(np.flatnonzero(size) % 2, minlength=2)
    return np.sqrt(np.bincount(treated, squares) / (np.bincount(treated) - means))


def _ratio(study: Study) -> float:
    untreated, treated = _sds(study)
    return float(treated / untreated)


def _inverse(study: Study) -> float:
    return 1 / _ratio(study)


def _variances(study: Study) -> float:
    return _ratio(study) ** 2


def _raw(study: Study) -> float:
    untreated, treated = _sds(study, within=False)
    return float(treated / untreated)


EXERCISES = (
    Exercise(
        id="E14.1",
        title="Who falls out of the common interval?",
        objective="compute what one SD for everybody does to a group that scatters less",
        kind="code",
        minutes=5,
        difficulty=1,
        answer=Number(
            quantity="the share of the calm patients outside of the interval",
            reference=lambda: float(2 * stats.norm.sf(1.96 * TOGETHER / CALM)),
            absolute=0.001,
            tolerance_reason="closed form; three decimals are asked for",
            percent=True,
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "You took the calm patients' SD for the interval. It was made with the common "
                    "one.",
                    lambda: float(2 * stats.norm.sf(1.96)),
                ),
                Misconception(
                    "You divided the other way round. The calm patients' SD is the smaller: they "
                    "lie more SDs of their own from the ends.",
                    lambda: float(2 * stats.norm.sf(1.96 * CALM / TOGETHER)),
                ),
                Misconception(
                    "That is one end. Patients fall out at both.",
                    lambda: float(stats.norm.sf(1.96 * TOGETHER / CALM)),
                ),
                Misconception(
                    "You took the ratio of variances. An interval is measured in SDs.",
                    lambda: float(2 * stats.norm.sf(1.96 * (TOGETHER / CALM) ** 2)),
                ),
                Misconception(
                    "That is the share inside of the interval.",
                    lambda: float(1 - 2 * stats.norm.sf(1.96 * TOGETHER / CALM)),
                ),
            ),
        ),
        insight="Fewer than 5 in 100: an interval that is too wide for them is no gift, it is "
        "paid for by the others.",
    ),
    Exercise(
        id="E14.2",
        title="A check that passed",
        objective="choose a predictive check that can fail",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="the mean is among the things that the model fits, so its replicates have it, "
            "whatever else is wrong. A check bites where the model had no parameter to bend.",
            reasons={
                "a": "The mean was fitted. Its agreement says nothing of tails, of spreads, or of "
                "groups.",
                "b": "A tail share near .5 is the best that a check can give. It is the choice of "
                "the quantity that is at fault.",
                "d": "More replicates make the histogram smoother. They agree on the mean as well.",
            },
        ),
    ),
    Exercise(
        id="E14.3",
        title="From an odds ratio to a risk",
        objective="apply an odds ratio to a risk",
        kind="code",
        minutes=4,
        difficulty=1,
        answer=Number(
            quantity="the risk of a treated patient",
            reference=lambda: float(expit(logit(RISK) + np.log(ODDS_RATIO))),
            absolute=0.001,
            tolerance_reason="closed form; three decimals are asked for",
            percent=True,
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "You multiplied the risk. An odds ratio multiplies the odds, risk/(1 − risk).",
                    lambda: RISK * ODDS_RATIO,
                ),
                Misconception(
                    "Those are the odds. Turn them into a risk: odds/(1 + odds).",
                    lambda: RISK / (1 - RISK) * ODDS_RATIO,
                ),
                Misconception(
                    "You divided the odds. The ratio is of treated to untreated.",
                    lambda: float(expit(logit(RISK) - np.log(ODDS_RATIO))),
                ),
                Misconception(
                    "You added the odds ratio to the log odds. Take its logarithm first.",
                    lambda: float(expit(logit(RISK) + ODDS_RATIO)),
                ),
                Misconception(
                    "That is the risk of surviving without the event.",
                    lambda: float(1 - expit(logit(RISK) + np.log(ODDS_RATIO))),
                ),
            ),
        ),
    ),
    Exercise(
        id="E14.4",
        title="The average of the hospitals",
        objective="average risks, not log odds, over hospitals",
        kind="code",
        minutes=7,
        difficulty=2,
        answer=Number(
            quantity="the average death rate",
            reference=lambda: float(average_risk(LOG_ODDS, SPREAD)),
            absolute=0.0012,
            tolerance_reason="100,000 simulated hospitals have a standard error of .0003; four of "
            "them",
            percent=True,
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "That is the death rate of the typical hospital. The bad hospitals add more "
                    "deaths than the good ones save: average the rates.",
                    lambda: float(expit(LOG_ODDS)),
                ),
                Misconception(
                    "You averaged with 1.2 as the variance. It is the SD.",
                    lambda: float(average_risk(LOG_ODDS, np.sqrt(SPREAD))),
                ),
                Misconception(
                    "That is the rate of a hospital one SD above the typical one.",
                    lambda: float(expit(LOG_ODDS + SPREAD)),
                ),
                Misconception(
                    "That is the average of the odds. Average the rates.",
                    lambda: float(np.exp(LOG_ODDS + SPREAD**2 / 2)),
                ),
            ),
        ),
        insight="The average is higher than the rate of the typical hospital, as below 50 % it "
        "must be.",
    ),
    Exercise(
        id="E14.5",
        title="How many courses to expect",
        objective="use a rate ratio and an offset",
        kind="code",
        minutes=4,
        difficulty=1,
        answer=Number(
            quantity="the expected number of courses",
            reference=lambda: RATE * RATIO * DAYS,
            absolute=0.001,
            tolerance_reason="closed form; three decimals are asked for",
            low=0,
            high=50,
            misconceptions=(
                Misconception(
                    "That is an untreated patient. Multiply by the rate ratio.",
                    lambda: RATE * DAYS,
                ),
                Misconception(
                    "That is the rate for one day. Multiply by the days of follow-up.",
                    lambda: RATE * RATIO,
                ),
                Misconception(
                    "You divided by the rate ratio. It is treated over untreated.",
                    lambda: RATE / RATIO * DAYS,
                ),
                Misconception(
                    "You took the logarithm of the days as a factor. The offset adds log days to "
                    "the log rate, so the days multiply the rate.",
                    lambda: RATE * RATIO * float(np.log(DAYS)),
                ),
                Misconception(
                    "You took e to the power of the rate ratio. It is a ratio already.",
                    lambda: RATE * float(np.exp(RATIO)) * DAYS,
                ),
            ),
        ),
    ),
    Exercise(
        id="E14.6",
        title="Spot the flaw",
        objective="find the sentence of a report that says more than the model gave",
        kind="spot the flaw",
        minutes=6,
        difficulty=2,
        answer=Flaw(
            sentence=4,
            reason="b",
            why="the odds ratio of a model with hospital effects compares patients of one "
            "hospital. Hospitals differ a lot here (hospital_sd 1.6), so the odds ratio of the "
            "averages, which a health service would see, lies nearer to 1.",
            sentences={
                1: "That describes the design.",
                2: "Counts of deaths among patients, with a hospital effect on the log odds: the "
                "model fits the data.",
                3: "That is the conditional odds ratio, reported as what it is, with its interval.",
                5: "A check of this kind can fail, and this one did not. It is about deaths by "
                "hospital, and the sentence says no more.",
            },
            reasons={
                "a": "With 0 deaths in a hospital the log odds of its own rate are infinite, but "
                "the model's are not: it pulls them in.",
                "c": "A half-normal prior of scale 1 is wide for log odds. And the report states "
                "it.",
                "d": "The check compares data with replicates of the fitted model. It is about "
                "the model, not about another data set.",
            },
        ),
    ),
    Exercise(
        id="E14.7",
        title="Your own hospitals",
        objective="estimate how much less treated patients scatter, on data that nobody else has",
        kind="code",
        minutes=10,
        difficulty=3,
        own=True,
        answer=Number(
            quantity="the ratio of the SDs, treated to untreated",
            reference=_ratio,
            absolute=0.012,
            tolerance_reason="closed form to two decimals; a posterior mean differs by less than "
            "half of the tolerance",
            low=0,
            high=10,
            misconceptions=(
                Misconception(
                    "You divided the other way round: treated patients' SD over untreated "
                    "patients'.",
                    _inverse,
                ),
                Misconception(
                    "That is the ratio of the variances. Take the root.",
                    _variances,
                ),
                Misconception(
                    "You took the patients of all hospitals together, so the differences between "
                    "hospitals are in both SDs. Take each patient's distance from the mean of the "
                    "same arm in the same hospital.",
                    _raw,
                ),
            ),
        ),
        insight="Another learner id gives other patients, and another ratio.",
    ),
)
