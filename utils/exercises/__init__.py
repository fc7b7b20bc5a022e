"""The teaching machine: predictions, checks, verdicts, and each learner's own hospitals.

Lessons import the names below. Authors of exercises import `Exercise`, `Number`, `Vector`,
`Choice`, `Flaw` and `Misconception` from `utils.exercises.declare`.
"""

from utils.exercises.checks import check
from utils.exercises.claims import CLAIMS, verdict
from utils.exercises.display import Feedback
from utils.exercises.learners import learner, own_hospitals, set_learner
from utils.exercises.predictions import predict, reveal, tally
from utils.exercises.registry import all_exercises, exercise

__all__ = [
    "CLAIMS",
    "Feedback",
    "all_exercises",
    "check",
    "exercise",
    "learner",
    "own_hospitals",
    "predict",
    "reveal",
    "set_learner",
    "tally",
    "verdict",
]
