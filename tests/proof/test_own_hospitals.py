"""Exercises on own hospitals, graded for 200 simulated learners each."""

import pytest

from utils.exercises import all_exercises
from utils.exercises.declare import Number
from utils.exercises.proof import NEIGHBOUR, REFERENCE, own_rates

LEARNERS = 200
OWN = [item for item in all_exercises().values() if item.own and isinstance(item.answer, Number)]


@pytest.mark.parametrize("exercise", OWN, ids=lambda item: item.id)
def test_own_hospitals_pass_by_the_method_and_by_nothing_else(exercise, record_property):
    rates = own_rates(exercise, LEARNERS)
    for rate in rates:
        record_property(rate.method, f"right {rate.right:.3f}, named {rate.named:.3f}")
    shown = "\n".join(f"{r.method}: right {r.right:.3f}, named {r.named:.3f}" for r in rates)
    reference = next(rate for rate in rates if rate.method == REFERENCE)
    assert reference.right == 1, f"false fails\n{shown}"
    neighbour = next(rate for rate in rates if rate.method == NEIGHBOUR)
    assert neighbour.right < 0.1, f"a neighbour's answer passes\n{shown}"
    wrong = [rate for rate in rates if rate.method not in (REFERENCE, NEIGHBOUR)]
    assert wrong, "an exercise on own hospitals needs a misconception to be proved against"
    assert all(rate.right < 0.02 for rate in wrong), f"false passes\n{shown}"
    # Two misconceptions may give one number now and then; as a rule each is told apart.
    assert all(rate.named > 0.9 for rate in wrong), f"misconceptions not named\n{shown}"
