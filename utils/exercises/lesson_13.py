"""The checks of lesson 13, priors under pressure."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import integrate, stats

from utils.exercises._own_priors import (
    MISTAKES,
    own_hospitals,
    worst_upper_end,
)
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number

__all__ = ["EXERCISES", "own_hospitals"]

# The settings of E13.1 and E13.3, as the lesson states them.
SCALE, GAP = 8, 10
PRIOR_MEAN, PRIOR_SD, ESTIMATE, SE = -10, 4, -1, 3


@lru_cache
def _apart(*, factor: float = 2.0, scale: float = SCALE, loc: float = 0.0) -> float:
    """Return P(|gap| > GAP): the gap is N(0, factor hospital_sd²), hospital_sd half-normal."""
    prior = stats.halfnorm(loc=loc, scale=scale)

    def rate(sd: float) -> float:
        return 2 * stats.norm.sf(GAP / (np.sqrt(factor) * sd)) * prior.pdf(sd) if sd > 0 else 0.0

    return integrate.quad(rate, loc, loc + 12 * scale, epsabs=1e-8, limit=200)[0]


def _far(sd: float, *, sides: int = 2) -> float:
    return float(sides * stats.norm.sf(abs(ESTIMATE - PRIOR_MEAN) / sd))


def _wrong(value: Callable[..., float], says: str) -> Misconception:
    return Misconception(says, value)


EXERCISES = (
    Exercise(
        id="E13.1",
        title="What does this prior say?",
        objective="turn a prior of hospital_sd into a statement about hospitals by simulation",
        kind="code",
        minutes=6,
        difficulty=2,
        answer=Number(
            quantity="the share of pairs more than 10 mmHg apart",
            reference=_apart,
            absolute=0.012,
            tolerance_reason="20,000 simulated pairs have a standard error of .003; four of them",
            percent=True,
            low=0,
            high=1,
            misconceptions=(
                _wrong(
                    lambda: _apart(factor=1.0),
                    "You compared one hospital with the average. Two hospitals are asked for: "
                    "each has a deviation of its own.",
                ),
                _wrong(
                    lambda: float(2 * stats.norm.sf(GAP / (np.sqrt(2) * SCALE))),
                    "You set hospital_sd to 8. That is the scale of its prior: draw hospital_sd "
                    "anew for each pair.",
                ),
                _wrong(
                    lambda: float(2 * stats.norm.sf(GAP / SCALE)),
                    "That is how often hospital_sd itself exceeds 10. It is the gap between two "
                    "hospitals' means that is asked for.",
                ),
                _wrong(
                    lambda: _apart() / 2,
                    "You counted one direction only. Either hospital may be the higher one: take "
                    "the absolute gap.",
                ),
                _wrong(
                    lambda: 1 - _apart(),
                    "That is the share of pairs that are closer than 10 mmHg.",
                ),
                _wrong(
                    lambda: _apart(scale=1.0, loc=8.0),
                    "`stats.halfnorm(8)` moves the prior up so that it starts at 8. Write "
                    "`stats.halfnorm(scale=8)`.",
                ),
                _wrong(
                    lambda: _apart(factor=4.0),
                    "You gave both hospitals the same deviation, with opposite signs or twice. "
                    "Draw two independent ones.",
                ),
                _wrong(
                    lambda: _apart(scale=np.sqrt(SCALE)),
                    "You took 8 for a variance. It is the scale of the SD, in mmHg.",
                ),
            ),
        ),
        insight="By integration it is .243: one pair in four. If that is too many for you, take "
        "a tighter prior.",
    ),
    Exercise(
        id="E13.2",
        title="The reviewer's rule",
        objective="tell the questions that hang on the prior from those that do not",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="patients were randomised within hospitals, so hospital_sd cancels from the "
            "effect. How much hospitals differ is another question, and for that one eight "
            "hospitals leave much to the prior: vary it, and show the range.",
            reasons={
                "a": "Nothing happens at 20: in the figure the priors draw together bit by bit. "
                "And in the trial by patient six hospitals gave one answer under five priors.",
                "c": "A flat prior is a choice like others. It puts much weight on absurd "
                "hospitals, and with few of them its answer is one of the extreme ones.",
                "d": "It is the other way round: patients were randomised within hospitals. Look "
                "at the middle and the right panel of the first figure.",
            },
        ),
    ),
    Exercise(
        id="E13.3",
        title="Would the prior have expected this?",
        objective="check an estimate against what the prior expected of it",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="the probability of an estimate at least so far out",
            reference=lambda: _far(np.hypot(PRIOR_SD, SE)),
            absolute=0.0006,
            tolerance_reason="closed form; three decimals are asked for",
            low=0,
            high=1,
            misconceptions=(
                _wrong(
                    lambda: _far(SE),
                    "You used the standard error alone. The prior is not certain of the true "
                    "effect either: its variance adds to that of the estimate.",
                ),
                _wrong(
                    lambda: _far(PRIOR_SD),
                    "You used the prior SD alone. An estimate also misses the true effect by its "
                    "standard error.",
                ),
                _wrong(
                    lambda: _far(PRIOR_SD + SE),
                    "You added standard deviations. Variances add up: square, add, take the root.",
                ),
                _wrong(
                    lambda: _far(PRIOR_SD**2 + SE**2),
                    "You divided by the variance. Take the square root.",
                ),
                _wrong(
                    lambda: _far(np.hypot(PRIOR_SD, SE), sides=1),
                    "That is one direction. An estimate as far below the prior's mean would be as "
                    "much of a surprise.",
                ),
                _wrong(
                    lambda: 1 - _far(np.hypot(PRIOR_SD, SE)),
                    "That is the probability of an estimate that is *closer* to the prior's mean.",
                ),
                _wrong(
                    lambda: abs(ESTIMATE - PRIOR_MEAN) / np.hypot(PRIOR_SD, SE),
                    "That is how many SDs out the estimate lies. Turn it into a probability.",
                ),
                _wrong(
                    lambda: float(2 * stats.norm.sf(abs(ESTIMATE) / np.hypot(PRIOR_SD, SE))),
                    "You measured the distance from 0. The prior expected −10.",
                ),
                _wrong(
                    lambda: float(2 * stats.norm.sf(abs(ESTIMATE) / SE)),
                    "That is the p-value of 'no effect'. It is the prior that is on trial here: "
                    "measure from −10.",
                ),
            ),
        ),
        insight="No clear conflict. −1 looks far from −10, but prior and trial are both wide.",
    ),
    Exercise(
        id="E13.4",
        title="What do you do with this k?",
        objective="read Pareto k and the number of draws left, and act on them",
        kind="interpret",
        minutes=3,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="above .7 a handful of draws decides, and here 35 effective ones are left. The "
            "new prior asks for values of hospital_sd where there are hardly any draws: only a "
            "new fit has them.",
            reasons={
                "a": "4,000 draws with these weights are worth 35. Count what is left, not what "
                "you started with.",
                "b": "With k near 1 the weights have next to no mean: an estimate from ten times "
                "as many draws is again in the hands of the few largest.",
                "d": "Failing weights say nothing of the answer, neither that it moves nor that "
                "it stays. They say that these draws cannot know.",
            },
        ),
    ),
    Exercise(
        id="E13.5",
        title="Spot the flaw",
        objective="find the place in a report where a prior was taken for none",
        kind="spot the flaw",
        minutes=6,
        difficulty=2,
        answer=Flaw(
            sentence=3,
            reason="b",
            why="No prior is silent, and this one is loud where hospitals are few and treated as "
            "a whole. It pulls hospital_sd towards 0 and makes the interval narrow. The .97 has to "
            "be shown under priors that say something believable about hospitals.",
            sentences={
                1: "That is a description of the design: whole hospitals, drawn by lot.",
                2: "These priors are wide and in the units of the ward. With 140 patients or so "
                "they matter little.",
                4: "It inherits the mistake, which is made earlier.",
                5: "To say so is good reporting. It says that the posterior was computed well.",
            },
            reasons={
                "a": "It is proper, if barely: it integrates to 1, and there is a posterior.",
                "c": "A uniform prior of hospital_sd says that 50 to 100 mmHg are as likely as 0 "
                "to 50. No prior is uninformative.",
                "d": "Diagnostics say whether the posterior was computed well, not whether the "
                "prior is harmless.",
            },
        ),
    ),
    Exercise(
        id="E13.6",
        title="Your own hospitals",
        objective="find the worst case of an interval over priors, on data that nobody else has",
        kind="code",
        minutes=12,
        difficulty=3,
        own=True,
        answer=Number(
            quantity="the largest upper end",
            unit="mmHg",
            reference=worst_upper_end,
            absolute=0.35,
            tolerance_reason="exact.posterior gives it to two decimals; from 20,000 good draws the "
            "end has a Monte Carlo error of some 0.17 mmHg, and this is twice that",
            misconceptions=tuple(Misconception(says, value) for says, value in MISTAKES),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)
