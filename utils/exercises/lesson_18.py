"""The checks of lesson 18, the capstone."""

from __future__ import annotations

from math import sqrt

from scipy import stats

from utils.exercises import _own_evidence as own
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector

# E18.2, bed-days: a visit costs, saves where the hospital is long, and costs more where it is not.
VISIT, SAVED, UNREST = 150.0, 600.0, 50.0
# E18.3, mmHg: two posteriors.
FIRST, SECOND, SD = 4.0, 0.0, 2.0

own_hospitals = own.own_hospitals

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
                    "That is the probability of *not* being long at which a visit stops paying. "
                    "The probability of being long is asked for.",
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
            why="Its interval of places runs over half of the table, so the table does not say "
            "that K is among the best. The bonus would pay for luck as much as for work.",
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
            reference=own.report(lambda study, right: right),
            absolute=own.TOLERANCE,
            tolerance_reason="the exact posterior; 4,000 draws of PyMC find the ends of an "
            "interval to .15 mmHg",
            misconceptions=tuple(
                Misconception(says, own.report(change)) for says, change in own.REPORT_MISTAKES
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
            reference=own.highest,
            absolute=own.CHANCE,
            tolerance_reason="4,000 draws: a Monte Carlo error of at most .008 where they are "
            "independent, .016 where they are worth a quarter",
            percent=True,
            low=0,
            high=1,
            misconceptions=tuple(Misconception(says, value) for says, value in own.LEAGUE_MISTAKES),
        ),
        insight="They add up to 1: somebody must be on top, whatever the hospitals do.",
    ),
    Exercise(
        id="E18.7",
        title="Your own decision",
        objective="average what a decision costs and saves over a posterior",
        kind="code",
        minutes=6,
        difficulty=3,
        own=True,
        answer=Number(
            quantity="the expected saving",
            unit="bed-days",
            reference=own.saving,
            absolute=own.BED_DAYS,
            tolerance_reason="4,000 draws: a Monte Carlo error of 4 bed-days where they are "
            "independent, 8 where they are worth a quarter",
            low=-own.PRICE,
            high=own.GAIN - own.PRICE,
            misconceptions=tuple(Misconception(says, value) for says, value in own.SAVING_MISTAKES),
        ),
        insight="What is bought is a chance. The sign of the saving decides, not a p-value.",
    ),
)
