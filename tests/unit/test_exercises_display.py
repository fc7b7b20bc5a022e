"""Boxes and their twins, verdicts, the registry, and declarations that refuse nonsense."""

import sys
import types
from html.parser import HTMLParser

import pytest

from utils.exercises import CLAIMS, Feedback, all_exercises, exercise, registry, verdict
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number
from utils.exercises.display import Notice, number

NUMBER = {"reference": lambda: 1.0, "tolerance_reason": "rounding"}
CHOICE = {"correct": "b", "why": "w", "reasons": {"a": "no"}}
FLAW = {"sentence": 2, "reason": "a", "sentences": {1: "s"}, "reasons": {"b": "no"}}
EXERCISE = {
    "id": "E94.1",
    "title": "t",
    "objective": "compute it",
    "kind": "code",
    "minutes": 3,
    "difficulty": 1,
    "answer": Number(**NUMBER, absolute=1),
}


class _Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def _text(html):
    parser = _Balanced()
    parser.feed(html)
    assert parser.open == []
    return parser.text


@pytest.mark.parametrize("status", ["right", "not yet", "not attempted"])
def test_feedback_says_its_status_in_word_symbol_and_border(status):
    feedback = Feedback("E02.3", status, "A <b> & reason.", note="A note.")
    assert feedback.plain() == f"E02.3 · {status} · A <b> & reason. · A note."
    assert repr(feedback) == feedback.plain()
    bundle = feedback._repr_mimebundle_()
    assert bundle == {"text/plain": feedback.plain(), "text/html": feedback.html()}
    text = _text(feedback.html())
    assert f"E02.3 · {status}" in text
    assert "A <b> & reason." in text
    assert "A note." in text
    assert 'role="status"' in feedback.html()
    assert 'aria-hidden="true"' in feedback.html()


def test_the_three_statuses_differ_without_colour():
    boxes = [Feedback("E", s, "m").html() for s in ("right", "not yet", "not attempted")]
    assert len({box.split("border:1px ")[1].split()[0] for box in boxes}) == 3
    assert len({box.split('aria-hidden="true">')[1][0] for box in boxes}) == 3


def test_unknown_status_is_refused():
    with pytest.raises(ValueError, match="maybe"):
        Feedback("E02.3", "maybe", "m")


def test_notice_leaves_the_quotation_out_of_the_twin():
    notice = Notice(("C4", "half true"), "Found.", quote="As <often> written.")
    assert notice.plain() == "C4 · half true · Found."
    assert "As <often> written." in _text(notice.html())


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (-8.01234, "mmHg", "−8.012 mmHg"),
        (0.1, "", "0.1"),
        (140, "", "140"),
        (12345.6, "", "12,346"),
        (1e12, "", "1e+12"),
        (1.5e-7, "", "1.5e−07"),
        (float("nan"), "", "nan"),
    ],
)
def test_number(value, unit, text):
    assert number(value, unit) == text


def test_claims_are_whole_sentences_in_order():
    assert list(CLAIMS) == [f"C{i}" for i in range(1, 15)]
    assert all(text[0].isupper() and text.endswith(".") for text in CLAIMS.values())
    assert len(set(CLAIMS.values())) == 14


def test_verdict_quotes_the_claim():
    shown = verdict("C4", "half true", "The naive test rejected .26 of true hypotheses.")
    assert shown.plain() == "C4 · half true · The naive test rejected .26 of true hypotheses."
    assert CLAIMS["C4"] in _text(shown.html())


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (("C15", "r", "s"), "C15"),
        ((["C4"], "r", "s"), "claim must be"),
        (("C4", "", "s"), "ruling"),
        (("C4", "r", " "), "sentence"),
        (("C4", True, "s"), "True"),
    ],
)
def test_verdict_refuses(given, rule):
    with pytest.raises(ValueError, match=rule):
        verdict(*given)


def test_registry_agrees_with_itself():
    for name, item in all_exercises().items():
        assert name == item.id
        assert exercise(name) is item


@pytest.fixture
def lesson(monkeypatch):
    module = types.ModuleType("utils.exercises.lesson_94")
    monkeypatch.setitem(sys.modules, "utils.exercises.lesson_94", module)
    return module


def test_one_exercise_imports_its_own_lesson_only(lesson, monkeypatch):
    asked = []
    real = registry.importlib.import_module
    monkeypatch.setattr(
        registry.importlib, "import_module", lambda name: asked.append(name) or real(name)
    )
    lesson.EXERCISES = (Exercise(**EXERCISE),)
    assert exercise("E94.1") is lesson.EXERCISES[0]
    assert asked == ["utils.exercises.lesson_94"]


@pytest.mark.parametrize(
    ("ids", "own", "rule"),
    [
        (["E94.1", "E94.1"], False, "declared twice"),
        (["E95.1"], False, "an id of lesson 95"),
        (["E94.1"], True, r"needs own_hospitals\(rng\)"),
    ],
)
def test_registry_refuses(lesson, ids, own, rule):
    lesson.EXERCISES = tuple(Exercise(**{**EXERCISE, "id": i, "own": own}) for i in ids)
    with pytest.raises(ValueError, match=rule):
        registry.lesson_exercises(94)


def test_lesson_that_lacks_a_library_is_a_fault_and_not_an_absence(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError("No module named 'nothere'", name="nothere")

    monkeypatch.setattr(registry.importlib, "import_module", missing)
    with pytest.raises(ModuleNotFoundError, match="nothere"):
        registry.lesson_module(94)


def _number(**change):
    return lambda: Number(**{**NUMBER, "absolute": 1, **change})


def _choice(**change):
    return lambda: Choice(**{**CHOICE, **change})


def _flaw(**change):
    return lambda: Flaw(**{**FLAW, **change})


def _exercise(**change):
    return lambda: Exercise(**{**EXERCISE, **change})


@pytest.mark.parametrize(
    ("declare", "rule"),
    [
        (_number(absolute=None), "exactly one tolerance"),
        (_number(relative=0.1), "exactly one tolerance"),
        (_number(absolute=0), "above 0"),
        (_number(absolute=float("nan")), "finite"),
        (_number(reference=1.0), "reference must be a function"),
        (_number(tolerance_reason=""), "tolerance_reason"),
        (_number(quantity=" "), "quantity"),
        (_number(low=1, high=0), "low must be below high"),
        (_number(misconceptions=("text",)), "Misconception objects"),
        (lambda: Misconception("", lambda: 1), "says"),
        (lambda: Misconception("text", 36.0), "must be a function"),
        (_choice(correct="B"), "one small letter"),
        (_choice(correct="a"), "wrong options"),
        (_choice(correct="d"), "without a gap"),
        (_choice(reasons={}), "without a gap"),
        (_choice(reasons={"a": ""}), "reasons"),
        (_choice(why=""), "why"),
        (_flaw(sentence=1), "the flaw"),
        (_flaw(sentence=3), "without a gap"),
        (_flaw(sentences={}), "without a gap"),
        (_flaw(sentences={1: ""}), "sentences"),
        (_exercise(id="E2.1"), "looks like"),
        (_exercise(id="P02.1"), "looks like"),
        (_exercise(title=""), "title"),
        (_exercise(objective=""), "objective"),
        (_exercise(kind="quiz"), "kind"),
        (_exercise(minutes=0), "minutes"),
        (_exercise(minutes=2.5), "minutes"),
        (_exercise(difficulty=4), "difficulty"),
        (_exercise(answer="b"), "answer must be"),
    ],
)
def test_declarations_refuse_nonsense(declare, rule):
    with pytest.raises(ValueError, match=rule):
        declare()


def test_options_and_numbers_are_in_order():
    assert Choice(correct="b", why="w", reasons={"c": "x", "a": "y"}).options == ("a", "b", "c")
    flaw = Flaw(sentence=2, reason="a", sentences={3: "s", 1: "s"}, reasons={"b": "no"})
    assert (flaw.numbers, flaw.options) == ((1, 2, 3), ("a", "b"))
