"""The checks of lesson 2, patients share a hospital."""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.api import OLS, add_constant

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number
from utils.pooling import design_effect, effective_sample_size, icc
from utils.simulate import Study, med_trial

# The registry of E02.1 and the discharge trial of E02.2, as the lesson states them.
REGISTRY = {"hospital_sd": 3, "patient_sd": 9}
DISCHARGE = {"hospitals": 12, "patients": 50, "icc": 0.06}


def trial() -> Study:
    """Return the trial that lesson 2 analyses."""
    return med_trial(
        n_hospitals=20,
        patients_per_hospital=30,
        treatment_effect=0,
        hospital_sd=4,
        patient_sd=12,
        assignment="hospital",
        rng=277,
    )


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own trial: equal hospitals, treated as a whole.

    Trials in which a wrong way happens to give the right number are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=2 * int(rng.integers(6, 11)),
            patients_per_hospital=int(rng.integers(20, 41)),
            treatment_effect=-round(float(rng.uniform(6, 14)), 1),
            hospital_sd=round(float(rng.uniform(4, 7)), 1),
            patient_sd=round(float(rng.uniform(9, 13)), 1),
            assignment="hospital",
            rng=rng,
        )
        right = _error_of_means(study.data)
        near_misses = (_error_of_mean_sd(study.data), _error_ignoring_arms(study.data))
        if all(abs(wrong / right - 1) > 0.01 for wrong in near_misses):
            return study


def _hospital_means(data: pd.DataFrame) -> pd.DataFrame:
    return data.groupby("hospital", observed=True)[["treated", "sbp"]].mean()


def _error_of_means(data: pd.DataFrame) -> float:
    """Return the standard error from hospital means; the arms may differ in number."""
    arms = _hospital_means(data).groupby("treated")["sbp"]
    freedom = arms.size() - 1
    pooled = (arms.var() * freedom).sum() / freedom.sum()
    return float(np.sqrt(pooled * (1 / arms.size()).sum()))


def _naive_error(data: pd.DataFrame) -> float:
    return float(_line(data).fit().bse[1])


def _robust_error(data: pd.DataFrame) -> float:
    groups = data["hospital"].cat.codes.to_numpy()
    fit = _line(data).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    return float(fit.bse[1])


def _line(data: pd.DataFrame) -> OLS:
    """Return the regression of the outcome on treatment, without the cost of a formula."""
    return OLS(data["sbp"].to_numpy(), add_constant(data["treated"].to_numpy()))


def _error_of_one_arm(data: pd.DataFrame) -> float:
    arms = _hospital_means(data).groupby("treated")["sbp"]
    return float(np.sqrt(arms.var().mean() / arms.size().iloc[0]))


def _error_of_mean_sd(data: pd.DataFrame) -> float:
    arms = _hospital_means(data).groupby("treated")["sbp"]
    return float(arms.std().mean() * np.sqrt((1 / arms.size()).sum()))


def _error_ignoring_arms(data: pd.DataFrame) -> float:
    means = _hospital_means(data)["sbp"]
    return float(means.std() * np.sqrt(4 / len(means)))


_ERROR_MISTAKES = (
    (
        "That is the standard error of the analysis that ignores hospitals. It counts patients; "
        "count hospitals: start from one mean per hospital.",
        _naive_error,
    ),
    (
        "That is the variance of the estimate, in mmHg². Take its square root.",
        lambda data: _error_of_means(data) ** 2,
    ),
    (
        "That is the standard error of one arm's mean. The effect is a difference of two arms: "
        "add the variances of both.",
        _error_of_one_arm,
    ),
    (
        "That is the cluster-robust standard error: honest, and close. The question asks for the "
        "one from the hospital means, as in a t-test.",
        _robust_error,
    ),
    (
        "You took the spread of all hospital means together. A real effect would count as noise: "
        "take the variance within each arm.",
        _error_ignoring_arms,
    ),
    (
        "You averaged standard deviations. Variances add up: average the two variances, then "
        "take the root.",
        _error_of_mean_sd,
    ),
    (
        "That is the standard deviation of the hospital means, not the standard error of the "
        "effect. Divide by the number of hospitals, not of patients.",
        lambda data: float(np.sqrt(_hospital_means(data).groupby("treated")["sbp"].var().mean())),
    ),
)


EXERCISES = (
    Exercise(
        id="E02.1",
        title="From two standard deviations to an ICC",
        objective="compute an intraclass correlation from two standard deviations",
        kind="code",
        minutes=3,
        difficulty=1,
        answer=Number(
            quantity="the intraclass correlation",
            reference=lambda: icc(**REGISTRY),
            absolute=0.002,
            tolerance_reason="closed form; two decimals are enough",
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "You divided standard deviations. The ICC is a share of variance: square both "
                    "first.",
                    lambda: 3 / (3 + 9),
                ),
                Misconception(
                    "That is the ratio of the two standard deviations. The ICC is a share of the "
                    "total variance.",
                    lambda: 3 / 9,
                ),
                Misconception(
                    "That is the variance between hospitals divided by the variance within. "
                    "Divide by the sum of both.",
                    lambda: 9 / 81,
                ),
                Misconception(
                    "That is the share of the variance within hospitals. The ICC is the other "
                    "share.",
                    lambda: 81 / 90,
                ),
                Misconception(
                    "You took a square root at the end. The ICC is itself a share of variance: "
                    "no root.",
                    lambda: (9 / 90) ** 0.5,
                ),
            ),
        ),
        insight="Standard deviations in a ratio of 1 to 3 make a small share of variance.",
    ),
    Exercise(
        id="E02.2",
        title="What is the trial worth?",
        objective="turn an intraclass correlation into an effective sample size",
        kind="code",
        minutes=4,
        difficulty=1,
        answer=Number(
            quantity="the effective sample size",
            unit="patients",
            reference=lambda: effective_sample_size(
                DISCHARGE["hospitals"] * DISCHARGE["patients"],
                design_effect(DISCHARGE["icc"], DISCHARGE["patients"]),
            ),
            absolute=0.6,
            tolerance_reason="closed form; a whole number of patients is enough",
            low=0,
            misconceptions=(
                Misconception(
                    "That is the design effect. Divide the number of patients by it.",
                    lambda: 1 + 49 * 0.06,
                ),
                Misconception(
                    "You used n × ICC in the design effect. A patient is not correlated with a "
                    "copy of himself: use n − 1.",
                    lambda: 600 / (1 + 50 * 0.06),
                ),
                Misconception(
                    "You divided by the square root of the design effect. That is right for a "
                    "standard error; patients count like variances.",
                    lambda: 600 / (1 + 49 * 0.06) ** 0.5,
                ),
                Misconception(
                    "You multiplied by the design effect. Likeness makes a trial worth less, not "
                    "more.",
                    lambda: 600 * (1 + 49 * 0.06),
                ),
                Misconception(
                    "That is the worth of one hospital's patients. The trial has twelve hospitals.",
                    lambda: 50 / (1 + 49 * 0.06),
                ),
                Misconception(
                    "You used the number of hospitals for n. In the design effect n is the number "
                    "of patients in a hospital.",
                    lambda: 600 / (1 + 11 * 0.06),
                ),
                Misconception(
                    "You used all patients of the trial for n. In the design effect n is the "
                    "number of patients in one hospital.",
                    lambda: 600 / (1 + 599 * 0.06),
                ),
            ),
        ),
    ),
    Exercise(
        id="E02.3",
        title="A p-value of .07",
        objective="say what ignoring hospitals does when patients are randomised within them",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="treated and untreated patients share each hospital, so hospital differences "
            "cancel in the effect. The naive standard error still holds them: it is too large.",
            reasons={
                "a": "That holds when whole hospitals are treated. Here the comparison is made "
                "inside each hospital, where the hospital's part cancels.",
                "c": "Likeness does not bias the estimate in a randomised trial. It is the "
                "standard error that is wrong.",
                "d": "Randomisation protects the estimate. It does not tell the analysis which "
                "variance is noise.",
            },
        ),
    ),
    Exercise(
        id="E02.4",
        title="The standard error by hand",
        objective="compute the standard error of a treatment given by hospital, from hospital "
        "means",
        kind="code",
        minutes=8,
        difficulty=2,
        answer=Number(
            quantity="the standard error",
            unit="mmHg",
            reference=lambda: _error_of_means(trial().data),
            relative=0.004,
            tolerance_reason="closed form; two decimals are enough",
            low=0,
            misconceptions=tuple(
                Misconception(says, lambda value=value: value(trial().data))
                for says, value in _ERROR_MISTAKES
            ),
        ),
        insight="It is about twice what the naive analysis claims, as the design effect said.",
    ),
    Exercise(
        id="E02.5",
        title="Spot the flaw",
        objective="find the place in a report where hospitals were forgotten",
        kind="spot the flaw",
        minutes=6,
        difficulty=2,
        answer=Flaw(
            sentence=3,
            reason="b",
            why="The design effect is 1 + 49 × .03 = 2.47: the standard error should be about 1.6 "
            "times as large, and the p-value with it.",
            sentences={
                1: "Randomising hospitals is sound. It has to be remembered in the analysis.",
                2: "That is a description. The number becomes a problem only if it is taken for "
                "800 independent patients.",
                4: "It inherits the mistake, which is made earlier.",
                5: "Confirmation elsewhere is good advice.",
            },
            reasons={
                "a": "A test of the ICC would not help: with few hospitals it misses harmful ICCs, "
                "and design decides, not a p-value.",
                "c": "Sixteen hospitals are few, but a trial can be analysed honestly with them.",
                "d": "It can: the likeness is computed within the arms.",
            },
        ),
    ),
    Exercise(
        id="E02.6",
        title="Your own hospitals",
        objective="analyse a trial by hospital honestly, on data that nobody else has",
        kind="code",
        minutes=10,
        difficulty=3,
        own=True,
        answer=Number(
            quantity="the standard error",
            unit="mmHg",
            reference=lambda study: _error_of_means(study.data),
            relative=0.004,
            tolerance_reason="closed form; two decimals are enough",
            low=0,
            misconceptions=tuple(
                Misconception(says, lambda study, value=value: value(study.data))
                for says, value in _ERROR_MISTAKES
            ),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)
