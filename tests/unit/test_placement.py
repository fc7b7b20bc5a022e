import itertools
import re

import pytest

from utils import ROOT
from utils.exercises.lesson_00 import AFTER_ALL, QUESTIONS, placement

RIGHT = {number: question.correct for number, question in QUESTIONS.items()}


def test_none_missed_goes_straight_past_the_quiz():
    found = placement(RIGHT)
    assert found.lesson == AFTER_ALL == 4
    assert "your start is lesson 4" in found.plain()
    assert sum(" · right · " in line for line in found.feedback) == len(QUESTIONS)


@pytest.mark.parametrize("missed", tuple(itertools.combinations(RIGHT, 2)))
def test_you_start_with_the_first_lesson_of_which_you_missed_a_question(missed):
    wrong = {n: next(a for a in QUESTIONS[n].says if a != RIGHT[n]) for n in missed}
    found = placement(RIGHT | wrong)
    assert found.lesson == min(QUESTIONS[number].lesson for number in missed)
    assert f"lesson {found.lesson}" in found.sentence
    for number in missed:
        assert found.feedback[number - 1].endswith(QUESTIONS[number].says[wrong[number]])


@pytest.mark.parametrize("blank", [..., None, "", "z", 2, ["b"], float("nan")])
def test_what_is_no_letter_counts_as_open(blank):
    found = placement(RIGHT | {3: blank})
    assert found.lesson == 2
    assert " · open · " in found.feedback[2]


class Odd:
    def __eq__(self, other):
        raise RuntimeError("compared")

    __hash__ = object.__hash__


@pytest.mark.parametrize(
    "answers",
    [None, ..., "b", [], ["b", "c"], {}, {1: ...}, {Odd(): Odd()}, {(1, 2): "a"}, {99: "a"}],
)
def test_no_answer_is_not_placed_and_nothing_is_raised(answers):
    found = placement(answers)
    assert found.lesson is None
    assert found.plain().startswith("placement · No answer yet")
    assert "No answer yet" in found.html()


def test_other_ways_to_write_the_same_answers():
    written = {str(number): f" {letter.upper()}) " for number, letter in RIGHT.items()}
    assert placement(written) == placement(RIGHT)


def test_the_answers_are_not_changed():
    answers = {1: "B ", 2: ...}
    placement(answers)
    assert answers == {1: "B ", 2: ...}


def test_the_lesson_asks_the_same_questions_with_the_same_letters():
    text = (ROOT / "solutions" / "00_start_here.py").read_text(encoding="utf-8")
    quiz = text.split("## Where should you start?")[1].split("# %%")[0]
    asked = re.split(r"(?m)^# (\d)\. ", quiz)[1:]
    numbers = [int(number) for number in asked[::2]]
    assert numbers == list(QUESTIONS)
    for number, body in zip(numbers, asked[1::2], strict=True):
        assert re.findall(r"\*\*([a-z])\*\*", body) == list(QUESTIONS[number].says)
        assert QUESTIONS[number].topic.split()[-1].lower() in body.lower()
