"""The instructors' page: notes on every lesson, keys that are those of the checks, tracks."""

import pytest

from tests.unit.sample_lesson import KNOWN, sample
from utils import ROOT
from utils.authoring import teaching
from utils.authoring.builder import read_sources
from utils.authoring.source import AuthoringError
from utils.exercises.declare import Flaw
from utils.exercises.registry import all_exercises

SOURCES = read_sources(ROOT)
EXERCISES = all_exercises()
PAGE = teaching.teaching_page(SOURCES, EXERCISES, teaching.notes())


def test_every_lesson_has_notes_in_sentences():
    notes = teaching.notes()
    assert list(notes) == [source.number for source in SOURCES]
    for parts in notes.values():
        assert all(text.endswith((".", "?")) and len(text) > 15 for text in parts.values())


def test_every_exercise_is_there_and_every_flaw_has_its_key():
    flaws = [exercise for exercise in EXERCISES.values() if isinstance(exercise.answer, Flaw)]
    assert len(flaws) >= len(SOURCES)
    for exercise in EXERCISES.values():
        assert PAGE.count(f"**{exercise.id} ·") == 1
    for exercise in flaws:
        part = PAGE.split(f"**{exercise.id} ·")[1].split("**E")[0]
        key = f"sentence {exercise.answer.sentence}, reason {exercise.answer.reason}."
        assert key in part
        assert part.count("\n- Sentence") == len(exercise.answer.sentences)


def test_misconceptions_stand_in_the_words_of_the_checks():
    for exercise in EXERCISES.values():
        for wrong in getattr(exercise.answer, "misconceptions", ()):
            assert f"- {wrong.says}" in PAGE


def test_minutes_of_a_track_are_those_of_the_index():
    text = teaching.tracks([sample()], KNOWN.exercises)
    week = text.split("### A term of ten weeks")[1]
    work = sum(exercise.minutes for exercise in KNOWN.exercises.values())
    reading = sample().course["reading_minutes"]
    assert f"07_a_small_lesson.ipynb) | {reading} | {work} | {reading + work} |\n" in week
    assert f"| in all |  |  |  | {reading + work} |" in week


def test_the_term_holds_every_lesson_and_each_track_is_in_order(monkeypatch):
    _, sessions = teaching.TRACKS["A term of ten weeks"]
    assert [n for _, numbers in sessions for n in numbers] == [s.number for s in SOURCES]
    assert teaching.tracks(SOURCES, EXERCISES).count("| in all |") == len(teaching.TRACKS)
    monkeypatch.setattr(teaching, "TRACKS", {"wrong": ("", (("day", (3, 2)),))})
    with pytest.raises(AuthoringError, match="out of order"):
        teaching.tracks(SOURCES, EXERCISES)


def test_notes_are_whole(tmp_path):
    path = tmp_path / "notes.toml"
    path.write_text('[3]\nask = "What?"\n')
    with pytest.raises(AuthoringError, match="lesson 3 must have ask, hear, land"):
        teaching.notes(path)
    with pytest.raises(AuthoringError, match="no notes on lesson 7"):
        teaching.teaching_page([sample()], KNOWN.exercises, {})
