"""Every exercise of every lesson: blank, right, misconceived and wrong.

This file knows no lesson: a new `utils/exercises/lesson_NN.py` is proved as soon as it exists.
"""

import functools

import pytest

from utils.exercises import all_exercises
from utils.exercises.declare import Number
from utils.exercises.grade import grade
from utils.exercises.learners import study_for
from utils.exercises.proof import leaks, pinned, right_forms, wrong_answers
from utils.exercises.registry import lesson_exercises, lessons

EVERY = list(all_exercises().values())


def by_id(exercises):
    return pytest.mark.parametrize("exercise", exercises, ids=lambda item: item.id)


def _study(exercise):
    return study_for("guest", exercise.lesson) if exercise.own else None


@functools.cache
def _pinned(exercise):
    return pinned(exercise, _study(exercise))


def test_there_are_exercises():
    assert EVERY


@pytest.mark.parametrize("lesson", lessons())
def test_ids_count_up_and_the_last_is_on_own_hospitals(lesson):
    declared = lesson_exercises(lesson)
    assert [item.id for item in declared] == [
        f"E{lesson:02d}.{i}" for i in range(1, len(declared) + 1)
    ]
    if lesson > 0:  # the start lesson has no data of its own yet
        assert declared[-1].own


@by_id(EVERY)
@pytest.mark.parametrize("blank", [None, ..., "", [None], (..., ...)], ids=repr)
def test_blank_is_not_attempted(exercise, blank):
    assert grade(exercise, blank).status == "not attempted"


@by_id(EVERY)
def test_right_answer_passes_in_every_form(exercise):
    fixed = _pinned(exercise)
    for name, form in right_forms(fixed).items():
        assert grade(fixed, form).status == "right", name


@by_id(EVERY)
def test_reference_gives_the_same_twice_and_leaves_the_study_alone(exercise):
    study = _study(exercise)
    before = None if study is None else study.data.copy()
    first = right_forms(pinned(exercise, study))
    second = right_forms(pinned(exercise, study))
    assert repr(first) == repr(second)
    if before is not None:
        assert before.equals(study.data)


@by_id([item for item in EVERY if isinstance(item.answer, Number)])
def test_each_misconception_is_named(exercise):
    fixed = _pinned(exercise)
    for item in fixed.answer.misconceptions:
        feedback = grade(fixed, item.value())
        assert feedback.misconception == item.says
        assert not leaks(fixed, feedback.message)


@by_id([item for item in EVERY if not isinstance(item.answer, Number)])
def test_each_wrong_option_gets_its_own_words(exercise):
    wrong = [grade(exercise, answer) for answer in wrong_answers(exercise)]
    assert {feedback.status for feedback in wrong} == {"not yet"}
    spec = exercise.answer
    texts = [*spec.reasons.values(), *getattr(spec, "sentences", {}).values()]
    assert {feedback.misconception for feedback in wrong} - {None} == set(texts)
    assert len(set(texts)) == len(texts)


@by_id(EVERY)
def test_unlisted_wrong_answers_fail_and_tell_nothing(exercise):
    fixed = _pinned(exercise)
    wrong = wrong_answers(fixed)
    assert len(wrong) >= 2
    for answer in wrong:
        feedback = grade(fixed, answer)
        assert feedback.status == "not yet", answer
        assert not leaks(fixed, feedback.message), feedback
        if isinstance(fixed.answer, Number):
            assert feedback.misconception is None
