"""The checks of lesson 11, The same data, a posterior."""

from __future__ import annotations

from functools import cache
from math import sqrt

import numpy as np
from scipy import stats

from utils import datasets, likelihood
from utils.exercises._own_posterior import MISTAKES, own_hospitals, probabilities
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.posterior_trials import worth_in_hospitals

__all__ = ["EXERCISES", "own_hospitals"]

# ---------------------------------------------------------------- lungs in 51 centres

CENTRE_SCALE = 5.0  # of the half-normal prior in E11.1
_GRID = np.linspace(0, 25, 2501)


@cache
def _profile() -> np.ndarray:
    """Return the restricted log-likelihood of the centres' SD, below its top."""
    lungs = datasets.load("rhdnase")
    columns = np.column_stack([np.ones(len(lungs)), lungs["trt"]])
    curve = likelihood.profile_loglik(likelihood.sums(lungs["fev"], columns, lungs["inst"]), _GRID)
    return curve - curve.max()


def _posterior(scale: float = CENTRE_SCALE) -> np.ndarray:
    """Return posterior shares of the grid; an infinite scale is a flat prior."""
    weight = np.exp(_profile() - (_GRID / scale) ** 2 / 2)
    return weight / weight.sum()


def _mean(weight: np.ndarray) -> float:
    return float(_GRID @ weight / weight.sum())


_prior = stats.halfnorm(scale=CENTRE_SCALE).pdf(_GRID)


# ---------------------------------------------------------------- a statement becomes a prior

SURPRISE = 8.0  # mmHg: less salt would move the mean by more in 5 % of the cases, in E11.2


# ---------------------------------------------------------------- what a prior is worth

_WORTH = {"patients_per_hospital": 24, "hospital_sd": 4.0, "patient_sd": 12.0}
_EFFECT_SD = 4.0


EXERCISES = (
    Exercise(
        id="E11.1",
        title="Lungs in 51 centres, with a prior",
        objective="turn a likelihood curve and a prior into a posterior on a grid",
        kind="code",
        minutes=7,
        difficulty=2,
        answer=Number(
            quantity="the posterior mean",
            unit="% of predicted",
            reference=lambda: _mean(_posterior()),
            absolute=0.04,
            tolerance_reason="one decimal still passes; the median, .05 away, does not",
            low=0,
            misconceptions=(
                Misconception(
                    "That is the mean of the likelihood alone, as under a flat prior. Multiply by "
                    "the prior before you make the shares sum to 1.",
                    lambda: _mean(_posterior(np.inf)),
                ),
                Misconception(
                    "That is the top of the likelihood: the REML estimate. The posterior mean is "
                    "an average over the whole grid, prior included.",
                    lambda: float(_GRID[_profile().argmax()]),
                ),
                Misconception(
                    "That is where the posterior is highest. The mean weighs each value of the "
                    "grid with its share.",
                    lambda: float(_GRID[_posterior().argmax()]),
                ),
                Misconception(
                    "That is the value with half of the posterior below it, the median. The mean "
                    "is asked for.",
                    lambda: float(np.interp(0.5, _posterior().cumsum(), _GRID)),
                ),
                Misconception(
                    "That is the mean of the prior. It has not seen the data: multiply it by the "
                    "likelihood.",
                    lambda: _mean(_prior),
                ),
                Misconception(
                    "You added the prior to the likelihood. Bayes' rule multiplies them. (Logs are "
                    "added: the log-likelihood and the *log* of the prior.)",
                    lambda: _mean(np.exp(_profile()) + _prior),
                ),
                Misconception(
                    "You took the 5 for a variance. `scale` is in the unit of the outcome.",
                    lambda: _mean(_posterior(sqrt(CENTRE_SCALE))),
                ),
                Misconception(
                    "You multiplied the prior by the *log*-likelihood. Take `np.exp` of it first.",
                    lambda: _mean(_prior * (_profile() - _profile().min())),
                ),
            ),
        ),
        insight="51 centres say much, but not everything: a prior that finds 10 surprising still "
        "moves the estimate by more than half a unit.",
    ),
    Exercise(
        id="E11.2",
        title="From a sentence to a prior",
        objective="turn a statement about patients into the SD of a normal prior",
        kind="code",
        minutes=3,
        difficulty=1,
        answer=Number(
            quantity="the SD of the prior",
            unit="mmHg",
            reference=lambda: SURPRISE / stats.norm.ppf(0.975),
            absolute=0.1,
            tolerance_reason="one decimal; 2 in place of 1.96 (4.0 and 4.08) is a fair shortcut",
            low=0,
            misconceptions=(
                Misconception(
                    "You took the surprising value itself for the SD. Then a third of the effects "
                    "would lie beyond it.",
                    lambda: SURPRISE,
                ),
                Misconception(
                    "You left 5 % at *one* end. The sentence has 5 % in all, half at each end.",
                    lambda: SURPRISE / stats.norm.ppf(0.95),
                ),
                Misconception(
                    "That is the variance. Priors here are written with standard deviations.",
                    lambda: (SURPRISE / stats.norm.ppf(0.975)) ** 2,
                ),
                Misconception(
                    "You took the whole width, from end to end, for one side.",
                    lambda: 2 * SURPRISE / stats.norm.ppf(0.975),
                ),
                Misconception(
                    "You multiplied by 1.96. The SD is smaller than the surprising value: divide.",
                    lambda: SURPRISE * stats.norm.ppf(0.975),
                ),
            ),
        ),
    ),
    Exercise(
        id="E11.3",
        title="Two errors",
        objective="tell the Monte Carlo error from the posterior SD",
        kind="interpret",
        minutes=3,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="0.06 says how well 4,000 draws give the posterior's mean; draw four times as many "
            "and it halves. 3.2 says how little the trial tells about the effect; only more "
            "hospitals or a firmer prior change it.",
            reasons={
                "a": "0.06 is the error of the computer's average, not the uncertainty about the "
                "effect. That is the posterior SD.",
                "b": "More draws make the Monte Carlo error smaller. The posterior SD belongs to "
                "data and prior, and would stay at 3.2.",
                "d": "They measure two things, so they need not agree: one the draws, the other "
                "the effect.",
            },
        ),
    ),
    Exercise(
        id="E11.4",
        title="Which sentence is allowed?",
        objective="say what a posterior interval and a confidence interval each promise",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="a posterior interval is a statement about this effect, given these data, and it "
            "holds for those who share the prior.",
            reasons={
                "a": "That is the promise of a confidence interval: for each fixed truth, over "
                "repeated trials. A posterior interval breaks it where the truth is one that the "
                "prior found surprising.",
                "c": "That sentence is about effects, and it needs a prior. A confidence interval "
                "comes without one, and says how often such intervals hold the truth.",
                "d": "The two came close here, but they are answers to two questions, and with few "
                "hospitals they can lie far apart.",
            },
        ),
    ),
    Exercise(
        id="E11.5",
        title="What is a prior worth?",
        objective="express a prior as a number of hospitals",
        kind="code",
        minutes=4,
        difficulty=2,
        answer=Number(
            quantity="the worth of the prior",
            unit="hospitals",
            reference=lambda: worth_in_hospitals(_EFFECT_SD, **_WORTH),
            absolute=0.06,
            tolerance_reason="closed form; one decimal",
            low=0,
            misconceptions=(
                Misconception(
                    "You left out the 4. The effect is a difference of two arms with J/2 hospitals "
                    "each.",
                    lambda: worth_in_hospitals(_EFFECT_SD, **_WORTH) / 4,
                ),
                Misconception(
                    "You divided by the SD of the prior, not by its variance.",
                    lambda: worth_in_hospitals(_EFFECT_SD, **_WORTH) * _EFFECT_SD,
                ),
                Misconception(
                    "You left out the hospitals' own differences: `hospital_sd`² does not shrink "
                    "with patients.",
                    lambda: worth_in_hospitals(_EFFECT_SD, **{**_WORTH, "hospital_sd": 0}),
                ),
                Misconception(
                    "You left out the noise of the patients: patient_sd² divided by their number.",
                    lambda: worth_in_hospitals(_EFFECT_SD, **{**_WORTH, "patient_sd": 0}),
                ),
                Misconception(
                    "You did not divide patient_sd² by the patients of a hospital.",
                    lambda: worth_in_hospitals(
                        _EFFECT_SD, **{**_WORTH, "patients_per_hospital": 1}
                    ),
                ),
                Misconception(
                    "You turned the fraction round: the narrower the prior, the more it is worth.",
                    lambda: 1 / worth_in_hospitals(_EFFECT_SD, **_WORTH),
                ),
                Misconception(
                    "You added standard deviations. Variances add up: square them first.",
                    lambda: 4 * (4 + 12 / 24) / _EFFECT_SD**2,
                ),
                Misconception(
                    "That is the worth in patients. Divide by the patients of a hospital.",
                    lambda: 24 * worth_in_hospitals(_EFFECT_SD, **_WORTH),
                ),
            ),
        ),
        insight="So with 6 hospitals this prior counts for about as much as the whole trial.",
    ),
    Exercise(
        id="E11.6",
        title="Spot the flaw",
        objective="notice a prior that was made from the data it meets",
        kind="spot the flaw",
        minutes=5,
        difficulty=3,
        answer=Flaw(
            sentence=2,
            reason="d",
            why="The same patients then count twice: once as prior, once as likelihood. The "
            "interval comes out too short, and the prior says nothing that was known beforehand.",
            sentences={
                1: "That is a fair description of the design. Six hospitals are few; that is why "
                "the prior matters.",
                3: "Half of a normal curve with scale 5 finds an SD above 10 mmHg surprising: a "
                "statement that can be judged.",
                4: "The checks are named, and they are the right ones.",
                5: "That is what a posterior interval may say, if its prior is sound. The sentence "
                "is careful; what it rests on is not.",
            },
            reasons={
                "a": "A prior may be narrow where knowledge from elsewhere is firm. That is not "
                "the mistake.",
                "b": "A flat prior is no remedy: it finds absurd effects as believable as others. "
                "And it is not what is wrong here.",
                "c": "Nothing forbids a normal prior for an effect that may be positive or "
                "negative.",
            },
        ),
    ),
    Exercise(
        id="E11.7",
        title="Your own hospitals",
        objective="ask one posterior several questions, on data that nobody else has",
        kind="code",
        minutes=9,
        difficulty=3,
        own=True,
        answer=Vector(
            quantity="the probabilities",
            each="limit",
            reference=probabilities,
            absolute=0.03,
            tolerance_reason="1,500 independent draws, from 4 chains that agree: a Monte Carlo "
            "error of at most .013, three times; the exact answer to .001",
            percent=True,
            low=0,
            high=1,
            misconceptions=tuple(Misconception(says, value) for says, value in MISTAKES),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)
