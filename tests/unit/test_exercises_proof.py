"""The proof itself: it must see an exercise that grades otherwise than it declares."""

import sys
import types

import numpy as np
import pandas as pd
import pytest

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.exercises.grade import grade
from utils.exercises.proof import leaks, own_rates, pinned, right_forms, wrong_answers

BASE = {"title": "t", "objective": "compute it", "kind": "code", "minutes": 3, "difficulty": 1}
EXACT = {"absolute": 1e-6, "tolerance_reason": "closed form"}


def _number(reference, *wrong, own=False, exercise_id="E91.1", **spec):
    misconceptions = tuple(Misconception(f"wrong way {i}", value) for i, value in enumerate(wrong))
    answer = Number(reference=reference, misconceptions=misconceptions, **{**EXACT, **spec})
    return Exercise(id=exercise_id, own=own, answer=answer, **BASE)


@pytest.fixture
def lesson(monkeypatch):
    module = types.ModuleType("utils.exercises.lesson_91")
    module.EXERCISES = ()
    module.own_hospitals = lambda rng: types.SimpleNamespace(
        data=pd.DataFrame({"sbp": rng.normal(140, 10, 20)})
    )
    monkeypatch.setitem(sys.modules, "utils.exercises.lesson_91", module)


def _rates(exercise):
    return {rate.method: rate for rate in own_rates(exercise, 40)}


def test_rates_of_a_sound_exercise(lesson):
    sound = _number(lambda s: s.data["sbp"].mean(), lambda s: s.data["sbp"].median(), own=True)
    rates = _rates(sound)
    assert rates["reference"].right == 1
    assert (rates["wrong way 0"].right, rates["wrong way 0"].named) == (0, 1)
    assert rates["a neighbour's answer"].right == 0
    assert rates["a neighbour's answer"].learners == 39


def test_rates_see_a_misconception_that_passes(lesson):
    loose = _number(
        lambda s: s.data["sbp"].mean(), lambda s: s.data["sbp"].median(), own=True, absolute=2
    )
    assert _rates(loose)["wrong way 0"].right > 0.3


def test_rates_see_a_neighbour_who_passes(lesson):
    constant = _number(lambda s: 5.0, lambda s: 6.0, own=True)
    assert _rates(constant)["a neighbour's answer"].right == 1


def test_rates_are_for_numbers_on_own_hospitals():
    with pytest.raises(ValueError, match=r"E91\.1"):
        own_rates(_number(lambda: 1.0))


def test_pinned_computes_once():
    calls = []
    fixed = pinned(_number(lambda: calls.append(1) or 3.0, lambda: calls.append(1) or 4.0))
    for _ in range(5):
        grade(fixed, 4.0)
    assert len(calls) == 2


def test_wrong_answers_avoid_the_listed_ones():
    # the shifts that the proof would try first are themselves listed
    listed = [lambda k=k: 5.0 + k * 1e-6 for k in (1.5, -1.5, 7.3)]
    wrong = wrong_answers(_number(lambda: 5.0, *listed))
    assert len(wrong) == 3
    assert all(abs(value - 5.0) > 1e-6 for value in wrong)


def test_forms_cover_every_kind_of_answer():
    means = pd.Series([1.0, 2.0], index=["H01", "H02"])
    choice = Choice(correct="a", why="w", reasons={"b": "no"})
    flaw = Flaw(sentence=1, reason="a", sentences={2: "sound"}, reasons={"b": "no"})
    vector = Vector(reference=lambda: means, **EXACT)
    for answer in (choice, flaw, vector):
        exercise = Exercise(id="E91.2", answer=answer, **BASE)
        assert all(grade(exercise, f).status == "right" for f in right_forms(exercise).values())
        assert all(grade(exercise, w).status == "not yet" for w in wrong_answers(exercise))
    percent = _number(lambda: 0.2, percent=True)
    assert right_forms(percent)["percent"] == 20


@pytest.mark.parametrize(
    ("message", "leaked"),
    [
        ("It should be −8.012 mmHg.", True),
        ("It should be −8.01.", True),
        ("you gave −8.0125 mmHg.", False),
        ("you gave −8.0 mmHg.", False),
        ("you gave 18.012", False),
        ("It is about −8.", False),
    ],
)
def test_leaks(message, leaked):
    assert leaks(_number(lambda: np.float64(-8.0119)), message) is leaked


def test_a_longer_number_is_no_leak():
    exercise = _number(lambda: 144.04)
    assert leaks(exercise, "about 144.")
    assert not leaks(exercise, "you gave −144 mmHg.")
    assert not leaks(exercise, "you gave 144.1 mmHg.")
