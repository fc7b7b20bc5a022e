"""The checks of lesson 7, few hospitals, honest inference."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
from scipy import stats

from utils.design import designs_within, power_of_t
from utils.exercises._own_interval import MISTAKES, half_width, own_hospitals
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number
from utils.few_hospitals import chance_of_zero

__all__ = ["EXERCISES", "own_hospitals"]

# The settings of E07.1, E07.3, E07.4 and E07.5, as the lesson states them.
ZERO = {"n_hospitals": 12, "patients_per_hospital": 25, "hospital_sd": 2, "patient_sd": 12}
DROP = 1206.0 - 1204.6  # of the restricted log-likelihood
PLAN = {"hospitals": 10, "patients": 30, "hospital_sd": 3, "patient_sd": 12, "effect": 7}
BUDGET = 80_000
PRICES = {"per_hospital": 4000, "per_patient": 150}
HOPED = {"hospital_sd": 3, "patient_sd": 12, "effect": 8}


def _zero(ratio: float, *, between: int = 10, within: int = 288) -> float:
    return float(stats.f.cdf(1 / ratio, between, within))


def _share(what: str) -> float:
    """Return n times a ratio of variances, or of what is taken for them."""
    n, tau, sigma = (ZERO[k] for k in ("patients_per_hospital", "hospital_sd", "patient_sd"))
    return {
        "right": n * tau**2 / sigma**2,
        "sds": n * tau / sigma,
        "no n": tau**2 / sigma**2,
        "icc": n * tau**2 / (tau**2 + sigma**2),
        "design effect": (n - 1) * tau**2 / (tau**2 + sigma**2),
    }[what]


def _standard_error() -> float:
    """Return the true standard error of E07.4, mmHg."""
    variance = PLAN["hospital_sd"] ** 2 + PLAN["patient_sd"] ** 2 / PLAN["patients"]
    return float(np.sqrt(4 / PLAN["hospitals"] * variance))


def _power(
    *,
    variance: float | None = None,
    df: float | None = None,
    arms: int = 4,
    alpha: float = 0.05,
) -> float:
    """Return the power of E07.4, right or with one part of it mistaken."""
    hospitals, n = PLAN["hospitals"], PLAN["patients"]
    if variance is None:
        variance = PLAN["hospital_sd"] ** 2 + PLAN["patient_sd"] ** 2 / n
    df = hospitals - 2 if df is None else df
    return power_of_t(PLAN["effect"], np.sqrt(arms / hospitals * variance), df, alpha=alpha)


@cache
def _designs() -> pd.DataFrame:
    return designs_within(BUDGET, assignment="hospital", **PRICES, **HOPED)


def _best_by(power: Callable[[pd.DataFrame], np.ndarray]) -> float:
    table = _designs()
    return float(table.index[int(np.argmax(power(table)))])


EXERCISES = (
    Exercise(
        id="E07.1",
        title="Will it be zero?",
        objective="compute the chance that hospital_sd is estimated as 0, before any data",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="the chance of an estimate of 0",
            reference=lambda: chance_of_zero(assignment="hospital", **ZERO),
            absolute=0.002,
            tolerance_reason="closed form; three decimals are asked for",
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "That is the chance of an estimate above 0. Take the other side.",
                    lambda: 1 - _zero(1 + _share("right")),
                ),
                Misconception(
                    "You asked whether F lies below the expected ratio. The estimate is 0 where F "
                    "lies below 1 *divided by* that ratio.",
                    lambda: _zero(1 / (1 + _share("right"))),
                ),
                Misconception(
                    "You took 12 − 1 degrees of freedom. Two arms have two means: take away 2.",
                    lambda: _zero(1 + _share("right"), between=11, within=288),
                ),
                Misconception(
                    "You used standard deviations. The ratio is one of variances: square both.",
                    lambda: _zero(1 + _share("sds")),
                ),
                Misconception(
                    "You left out n. The means of 25 patients show hospital differences 25 times "
                    "as well as single patients do.",
                    lambda: _zero(1 + _share("no n")),
                ),
                Misconception(
                    "That is n times the intraclass correlation. The formula divides by "
                    "patient_sd² alone, not by the sum of both variances.",
                    lambda: _zero(1 + _share("icc")),
                ),
                Misconception(
                    "That is the design effect. The expected ratio is 1 + n × hospital_sd² / "
                    "patient_sd².",
                    lambda: _zero(1 + _share("design effect")),
                ),
                Misconception(
                    "You left out the 1: patients' noise is in the mean square between hospitals "
                    "too.",
                    lambda: _zero(_share("right")),
                ),
                Misconception(
                    "That is the chance if hospitals did not differ at all. Here they differ.",
                    lambda: _zero(1.0),
                ),
                Misconception(
                    "You swapped the two degrees of freedom. The first are those between "
                    "hospitals.",
                    lambda: _zero(1 + _share("right"), between=288, within=10),
                ),
            ),
        ),
        insight="Twelve hospitals that do differ, and more than one such trial in six shows none "
        "of it.",
    ),
    Exercise(
        id="E07.2",
        title="A singular fit",
        objective="say what a variance of 0 means, and what to do with a singular fit",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="d",
            why="eight hospitals may well give 0 although hospitals differ. At 0 the model has "
            "become the ordinary regression, which is just what must not be reported: give the "
            "profile interval, and test with the degrees of freedom of the design.",
            reasons={
                "a": "The likelihood is highest at 0, but it is hardly lower at values that do "
                "harm. Eight hospitals cannot tell the two apart.",
                "b": "The best value allowed *is* 0. An optimiser that stops above it has stopped "
                "too early; its numbers are worse, not better.",
                "c": "Every hospital is treated as a whole or not at all, so hospital dummies hold "
                "all there is to know of the treatment: nothing would be left to compare.",
            },
        ),
    ),
    Exercise(
        id="E07.3",
        title="A p-value at the edge",
        objective="compute the p-value of a variance of 0 with the reference that suits the edge",
        kind="code",
        minutes=4,
        difficulty=2,
        answer=Number(
            quantity="the p-value",
            reference=lambda: stats.chi2.sf(2 * DROP, 1) / 2,
            absolute=0.0006,
            tolerance_reason="closed form; three decimals are asked for",
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "That is χ²₁ without the edge. In half of such trials the drop is exactly 0: "
                    "what does that do to the p-value?",
                    lambda: stats.chi2.sf(2 * DROP, 1),
                ),
                Misconception(
                    "You used the drop of the log-likelihood. The statistic is twice that drop.",
                    lambda: stats.chi2.sf(DROP, 1) / 2,
                ),
                Misconception(
                    "You used the drop once, and no edge. The statistic is twice the drop, and the "
                    "reference at the edge is half of χ²₁.",
                    lambda: stats.chi2.sf(DROP, 1),
                ),
                Misconception(
                    "You doubled at the edge. The half that is exactly 0 makes large values rarer, "
                    "not more frequent.",
                    lambda: 2 * stats.chi2.sf(2 * DROP, 1),
                ),
                Misconception(
                    "You used two degrees of freedom. One number, hospital_sd, is held at 0.",
                    lambda: stats.chi2.sf(2 * DROP, 2),
                ),
                Misconception(
                    "You used two degrees of freedom, and halved. One number, hospital_sd, is held "
                    "at 0.",
                    lambda: stats.chi2.sf(2 * DROP, 2) / 2,
                ),
                Misconception(
                    "That is the share of the mixture *below* the statistic. A p-value is the "
                    "share at or beyond it.",
                    lambda: 1 - stats.chi2.sf(2 * DROP, 1) / 2,
                ),
                Misconception(
                    "That is the share of χ²₁ *below* the statistic. A p-value is the share at or "
                    "beyond it, and here is an edge as well.",
                    lambda: stats.chi2.cdf(2 * DROP, 1),
                ),
                Misconception(
                    "You halved the statistic. It is the p-value that is halved.",
                    lambda: stats.chi2.sf(4 * DROP, 1),
                ),
            ),
        ),
        insight="Just below .05. That is no reason to keep the term, and above it would be none to "
        "drop it.",
    ),
    Exercise(
        id="E07.4",
        title="Plan before you recruit",
        objective="compute the power of a trial that randomises whole hospitals",
        kind="code",
        minutes=6,
        difficulty=2,
        answer=Number(
            quantity="the power",
            reference=_power,
            absolute=0.004,
            tolerance_reason="closed form; three digits are asked for, and a central t that is "
            "moved, a common shortcut, comes as close",
            percent=True,
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "You counted patients for the degrees of freedom. The t-test on hospital means "
                    "counts hospitals: 10 − 2.",
                    lambda: _power(df=PLAN["hospitals"] * PLAN["patients"] - 2),
                ),
                Misconception(
                    "You used z, which takes the standard error for known. The t-test on hospital "
                    "means has 10 − 2 degrees of freedom.",
                    lambda: _power(df=1e7),
                ),
                Misconception(
                    "Your limit is 1.96. That of a t distribution lies further out.",
                    lambda: float(stats.nct(8, PLAN["effect"] / _standard_error()).sf(1.96)),
                ),
                Misconception(
                    "That is effect / standard error, by which t is moved. The power is the share "
                    "of the moved t outside of the limits.",
                    lambda: PLAN["effect"] / _standard_error(),
                ),
                Misconception(
                    "You took 10 − 1 degrees of freedom. Two arms have two means: take away 2.",
                    lambda: _power(df=PLAN["hospitals"] - 1),
                ),
                Misconception(
                    "That power ignores hospitals: all 300 patients as independent. The "
                    "differences between hospitals do not average out with patients.",
                    lambda: _power(variance=(9 + 144) / 30, df=298),
                ),
                Misconception(
                    "You left hospital_sd out of the standard error. Hospitals differ, and each "
                    "arm has only five of them.",
                    lambda: _power(variance=144 / 30),
                ),
                Misconception(
                    "You did not divide patient_sd² by the number of patients of a hospital.",
                    lambda: _power(variance=9 + 144),
                ),
                Misconception(
                    "Your standard error has 2/J in place of 4/J: each arm has only half of the "
                    "hospitals.",
                    lambda: _power(arms=2),
                ),
                Misconception(
                    "You tested on one side. A 5 % test on two sides leaves 2.5 % at either end.",
                    lambda: _power(alpha=0.1),
                ),
                Misconception(
                    "You added standard deviations. Variances add up: square first.",
                    lambda: _power(variance=(3 + 12 / 30**0.5) ** 2),
                ),
                Misconception(
                    "That is the chance to *miss* the effect. The power is the chance to find it.",
                    lambda: 1 - _power(),
                ),
            ),
        ),
        insight="For an effect as large as 7 mmHg, ten hospitals give three chances in four.",
    ),
    Exercise(
        id="E07.5",
        title="The best trial for the money",
        objective="find the design with the most power that a budget pays",
        kind="code",
        minutes=8,
        difficulty=3,
        answer=Number(
            quantity="the best number of hospitals",
            unit="hospitals",
            reference=lambda: _best_by(lambda table: table["power"].to_numpy()),
            absolute=0.4,
            tolerance_reason="a whole number, found by listing all affordable designs",
            low=4,
            misconceptions=(
                Misconception(
                    "That is the design with the most patients. Patients of one hospital repeat "
                    "each other, and two hospitals in each arm leave a t-test next to nothing.",
                    lambda: _best_by(lambda table: table["n_patients"].to_numpy()),
                ),
                Misconception(
                    "That is the most hospitals that the budget pays. Each then has so few "
                    "patients that their noise drowns the effect.",
                    lambda: float(_designs().index[-1]),
                ),
                Misconception(
                    "That design has the smallest standard error, and would be best by z. A t-test "
                    "also pays for every degree of freedom that is missing: compare powers.",
                    lambda: _best_by(lambda table: -table["standard_error"].to_numpy()),
                ),
                Misconception(
                    "That is the number of patients in each hospital of the best design. The "
                    "number of hospitals is asked for.",
                    lambda: float(
                        _designs().loc[_designs()["power"].idxmax(), "patients_per_hospital"]
                    ),
                ),
                Misconception(
                    "That is the number of hospitals in one arm. Give the number of both arms "
                    "together.",
                    lambda: _best_by(lambda table: table["power"].to_numpy()) / 2,
                ),
            ),
        ),
        insight="Its neighbours are nearly as good, so other reasons may decide between them.",
    ),
    Exercise(
        id="E07.6",
        title="Spot the flaw",
        objective="find the place in a report where a test took a term of the design away",
        kind="spot the flaw",
        minutes=6,
        difficulty=2,
        answer=Flaw(
            sentence=3,
            reason="b",
            why="A test with eight hospitals says little about their variance. Without the term "
            "160 patients are counted where eight hospitals were randomised, and the interval is "
            "too narrow.",
            sentences={
                1: "Randomising few hospitals is allowed. The analysis must count them.",
                2: "That is a description, and complete follow-up is a strength.",
                4: "The interval inherits the mistake, which is made earlier.",
                5: "To say so is good reporting. It costs precision, not honesty.",
            },
            reasons={
                "a": "Halved, it is still above .05. And a smaller p-value would not have made it "
                "right to choose the model by it.",
                "c": "There is no such threshold. A t-test on eight means keeps its promise.",
                "d": "REML may compare models that differ in their variances only, as here.",
            },
        ),
    ),
    Exercise(
        id="E07.7",
        title="Your own hospitals",
        objective="give an honest interval with few hospitals, on data that nobody else has",
        kind="code",
        minutes=10,
        difficulty=3,
        own=True,
        answer=Number(
            quantity="the half width",
            unit="mmHg",
            reference=half_width,
            relative=0.003,
            tolerance_reason="closed form; two decimals are enough",
            low=0,
            misconceptions=tuple(Misconception(says, value) for says, value in MISTAKES),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)
