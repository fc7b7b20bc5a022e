"""What a number earns by itself, and by running its code again on other data."""

import pytest

from utils.exercises.registry import all_exercises
from utils.grading.marks import OTHER, mark
from utils.grading.values import encode

PARTS = [{"key": "value", "points": 1.0}, {"key": "again", "points": 1.0}]
ENTRY = {"parts": PARTS, "rerun": OTHER}
EXERCISE = all_exercises()["E01.1"]
RIGHT = float(EXERCISE.answer.reference())
ELSEWHERE = 2 * RIGHT


@pytest.mark.parametrize(
    ("value", "again", "earned"),
    [
        (RIGHT, ELSEWHERE, (1.0, 1.0)),  # computed
        (RIGHT, RIGHT, (1.0, 0.0)),  # typed in
        (ELSEWHERE, ELSEWHERE, (0.0, 0.0)),  # wrong, and right elsewhere by chance
        (ELSEWHERE, RIGHT, (0.0, 0.0)),
    ],
)
def test_other_data_count_only_after_a_right_value(value, again, earned):
    marks = mark(EXERCISE, ENTRY, encode(value), encode(again), expected=encode(ELSEWHERE))
    assert (marks.earned["value"], marks.earned["again"]) == earned
    assert ("gave the right value" in marks.again) == (earned == (1.0, 1.0))
