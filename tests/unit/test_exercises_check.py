"""The check: what it says of every sort of answer, and that nothing can make it fail."""

import math
import pickle
import re
import sys
import tracemalloc
import types
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import statsmodels.api as sm
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from utils.exercises import check, learners, set_learner
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.exercises.grade import grade

HOSPITALS = ("H01", "H02", "H03", "H04")
MEANS = pd.Series([131.0, 142.5, 138.25, 150.0], index=list(HOSPITALS))
BASE = {"title": "t", "objective": "compute it", "kind": "code", "minutes": 3, "difficulty": 1}
LOOSE = {"absolute": 0.05, "tolerance_reason": "rounded to one decimal"}


def _interrupt():
    raise KeyboardInterrupt


EXERCISES = (
    Exercise(
        id="E90.1",
        answer=Number(
            quantity="the standard deviation between hospitals",
            unit="mmHg",
            reference=lambda: 6.0,
            misconceptions=(
                Misconception("That is the variance: take its root.", lambda: 36.0),
                Misconception("That is the pooled one.", lambda: 13.4),
                Misconception("Hidden behind the right value.", lambda: 6.04),
            ),
            low=0,
            **LOOSE,
        ),
        insight="Hospitals differ.",
        **BASE,
    ),
    Exercise(
        id="E90.2",
        answer=Number(
            quantity="the intraclass correlation",
            reference=lambda: 0.2,
            absolute=0.005,
            tolerance_reason="rounded to two decimals",
            percent=True,
            low=0,
            high=1,
            misconceptions=(Misconception("That is the ratio of variances.", lambda: 0.25),),
        ),
        **BASE,
    ),
    Exercise(
        id="E90.3",
        answer=Vector(
            quantity="the hospital means",
            unit="mmHg",
            reference=lambda: MEANS,
            misconceptions=(Misconception("Those are the ranks.", MEANS.rank),),
            **LOOSE,
        ),
        **BASE,
    ),
    Exercise(
        id="E90.4",
        answer=Choice(correct="b", why="they share it.", reasons={"a": "No.", "c": "Not so."}),
        **BASE,
    ),
    Exercise(
        id="E90.5",
        answer=Flaw(
            sentence=3,
            reason="b",
            why="Patients are not independent.",
            sentences={1: "That is the design.", 2: "That is a count.", 4: "Good advice."},
            reasons={"a": "The sample is large enough.", "c": "The test is two-sided."},
        ),
        **BASE,
    ),
    Exercise(
        id="E90.6",
        own=True,
        answer=Number(
            quantity="the mean pressure",
            reference=lambda study: study.data["sbp"].mean(),
            absolute=1e-6,
            tolerance_reason="closed form",
            misconceptions=(Misconception("The median.", lambda s: s.data["sbp"].median()),),
        ),
        **BASE,
    ),
    Exercise(
        id="E90.7",
        answer=Number(reference=lambda: 50.0, relative=0.01, tolerance_reason="Monte Carlo"),
        **BASE,
    ),
    Exercise(id="E90.8", answer=Number(reference=lambda: 1 / 0, **LOOSE), **BASE),
    Exercise(id="E90.9", answer=Number(reference=lambda: np.nan, **LOOSE), **BASE),
    Exercise(id="E90.10", answer=Number(reference=_interrupt, **LOOSE), **BASE),
)


def _own_hospitals(rng):
    data = pd.DataFrame({"hospital": np.repeat(HOSPITALS, 5), "sbp": rng.normal(140, 10, 20)})
    return types.SimpleNamespace(data=data)


@pytest.fixture(autouse=True)
def lesson(monkeypatch, tmp_path):
    module = types.ModuleType("utils.exercises.lesson_90")
    module.EXERCISES = EXERCISES
    module.own_hospitals = _own_hospitals
    monkeypatch.setitem(sys.modules, "utils.exercises.lesson_90", module)
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    learners._cached_study.cache_clear()
    return module


BLANKS = [None, ..., "", "   ", "...", (None, None), [..., ...], (..., ""), [None]]


def in_words(length):
    """Name a value in a test's id: alike in every process, so without its address."""
    return lambda value: re.sub(r" at 0x\w+|0x\w+", "", repr(value))[:length]


@pytest.mark.parametrize("blank", BLANKS, ids=repr)
@pytest.mark.parametrize("name", [f"E90.{i}" for i in range(1, 8)])
def test_blank_is_not_attempted(name, blank):
    feedback = check(name, blank)
    assert feedback.status == "not attempted"
    assert "three dots" in feedback.message


def test_no_answer_at_all_is_not_attempted():
    assert check("E90.1").status == "not attempted"
    assert "mmHg" in check("E90.1").message


RIGHT = [
    ("E90.1", 6),
    ("E90.1", 6.05),
    ("E90.1", 5.95),
    ("E90.1", np.float32(6)),
    ("E90.1", np.int8(6)),
    ("E90.1", np.array(6.0)),
    ("E90.1", np.array([[6.0]])),
    ("E90.1", np.array(6.0, dtype=object)),
    ("E90.1", np.ma.array([6.0])),
    ("E90.1", [[6.0]]),
    ("E90.1", (6.0,)),
    ("E90.1", pd.Series([6.0], index=["treated"])),
    ("E90.1", pd.Series([6], dtype="Int64")),
    ("E90.1", pd.DataFrame({"sd": [6.0]})),
    ("E90.1", pd.Index([6.0])),
    ("E90.1", xr.DataArray(6.0)),
    ("E90.1", Decimal("6.0")),
    ("E90.1", Fraction(6)),
    ("E90.2", 0.2),
    ("E90.2", 20),
    ("E90.2", 20.4),
    ("E90.3", MEANS),
    ("E90.3", MEANS.iloc[[2, 0, 3, 1]]),
    ("E90.3", MEANS.set_axis(pd.Categorical(HOSPITALS))),
    ("E90.3", MEANS.reset_index(drop=True)),
    ("E90.3", MEANS.to_frame("mean")),
    ("E90.3", dict(reversed(MEANS.to_dict().items()))),
    ("E90.3", MEANS.tolist()),
    ("E90.3", tuple(MEANS)),
    ("E90.3", MEANS.to_numpy()),
    ("E90.3", MEANS.to_numpy()[:, None]),
    ("E90.3", MEANS.to_numpy()[None, :]),
    ("E90.3", [np.array(131.0), Decimal("142.5"), 138.25, [150]]),
    ("E90.3", xr.DataArray(MEANS.to_numpy()[::-1], coords={"hospital": list(HOSPITALS[::-1])})),
    ("E90.3", xr.DataArray(MEANS.to_numpy(), dims="hospital")),
    *(("E90.4", form) for form in ("b", "B", " b ", "b)", "(b)", "B.", "**b**", ["b"])),
    ("E90.4", np.str_("b")),
    ("E90.4", np.array("b")),
    *(("E90.5", form) for form in ((3, "b"), [3, "B"], ("3", "b"), (3.0, "b)"))),
    *(("E90.5", form) for form in ("3b", "3 b", "(3, b)", np.array(["3", "b"]), (np.int8(3), "b"))),
    ("E90.7", 50.49),
    (" e90.1 ", 6.0),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT, ids=in_words(40))
def test_right_in_every_sensible_form(name, answer):
    feedback = check(name, answer)
    assert feedback.status == "right", feedback
    assert feedback.misconception is None


def test_right_answer_is_said_with_its_unit_and_the_insight():
    text = check("E90.1", 6.012345).plain()
    expected = "The standard deviation between hospitals: 6 mmHg. Hospitals differ."
    assert text == f"E90.1 · right · {expected}"


MISCONCEPTIONS = [
    ("E90.1", 36.04, "That is the variance: take its root."),
    ("E90.1", 13.4, "That is the pooled one."),
    ("E90.2", 0.25, "That is the ratio of variances."),
    ("E90.2", 25, "That is the ratio of variances."),
    ("E90.3", [1, 3, 2, 4], "Those are the ranks."),
    ("E90.4", "a", "No."),
    ("E90.5", (2, "b"), "That is a count."),
    ("E90.5", (3, "c"), "The test is two-sided."),
]


@pytest.mark.parametrize(("name", "answer", "says"), MISCONCEPTIONS)
def test_misconception_is_named(name, answer, says):
    feedback = check(name, answer)
    assert (feedback.status, feedback.misconception) == ("not yet", says)
    assert says in feedback.message


def test_right_wins_over_a_misconception_within_tolerance():
    assert check("E90.1", 6.04).status == "right"


def test_flaw_separates_the_wrong_sentence_from_the_wrong_reason():
    assert "The mistake is not made in sentence 2" in check("E90.5", (2, "b")).message
    assert "Sentence 3 is the flawed one, but reason a" in check("E90.5", (3, "a")).message


OTHERS = [
    ("E90.1", "3.2", "you gave text, '3.2'"),
    ("E90.1", b"3.2", "you gave bytes"),
    ("E90.1", True, "true or false"),
    ("E90.1", np.True_, "true or false"),
    ("E90.1", 6 + 0j, "a complex number"),
    ("E90.1", np.complex64(6), "a complex number"),
    ("E90.1", [], "you gave 0 values"),
    ("E90.1", [6.0, 6.0], "you gave 2 values"),
    ("E90.1", np.ones((2, 3)), "a table of 2 × 3 (ndarray)"),
    ("E90.1", pd.DataFrame({"a": [1, 2]}), "a table of 2 × 1 (DataFrame)"),
    ("E90.1", {"H01": 6.0}, "a dict: pick the value out of it"),
    ("E90.1", {6.0}, "a set"),
    ("E90.1", MEANS.mean, "the function itself: call it"),
    ("E90.1", np.mean, "call it"),
    ("E90.1", np.sqrt, "the function itself: call it"),
    ("E90.1", float, "a type, not a value"),
    ("E90.1", map(float, "6"), "an iterator (map)"),
    ("E90.1", scipy.sparse.eye_array(2), "a sparse matrix"),
    ("E90.1", np.array(["2020-01-01"], dtype="M8[ns]"), "a date or time"),
    ("E90.1", np.timedelta64(6, "s"), "a date or time"),
    ("E90.1", object(), "an object of type object"),
    ("E90.1", np.nan, "is not a number (NaN)"),
    ("E90.1", pd.NA, "is not a number (NaN)"),
    ("E90.1", np.ma.masked, "is not a number (NaN)"),
    ("E90.1", Decimal("sNaN"), "is not a number (NaN)"),
    ("E90.1", np.inf, "infinite"),
    ("E90.1", 10**400, "infinite"),
    ("E90.1", Fraction(10**400), "infinite"),
    ("E90.1", -3.3, "cannot be below 0 mmHg; you gave −3.3"),
    ("E90.1", 6.1, "That is close"),
    ("E90.1", 600.0, "100 times as large"),
    ("E90.1", 0.006, "a thousandth"),
    ("E90.1", 6**0.5, "square root of what is asked"),
    ("E90.1", 1 / 6, "turn the ratio round"),
    ("E90.1", 99.0, "you gave 99 mmHg. That is not it"),
    ("E90.2", 130, "must lie between 0 and 1; you gave 130"),
    ("E90.7", -50, "right but for its sign"),
    ("E90.7", 2500, "That is the square"),
    ("E90.3", 140.0, "each of the 4 hospitals is asked for; you gave a number"),
    ("E90.3", "H01", "you gave text"),
    ("E90.3", MEANS.iloc[:3], "you gave 3 values"),
    ("E90.3", MEANS.to_frame("a").assign(b=1), "a table of 4 × 2 (DataFrame)"),
    ("E90.3", MEANS.to_numpy().reshape(2, 2), "a table of 2 × 2"),
    ("E90.3", MEANS.set_axis([1, 2, 3, 4]), "yours lack H01 and 3 more"),
    ("E90.3", MEANS.set_axis(["H01", "H01", "H02", "H03"]), "yours lack H04."),
    ("E90.3", {**MEANS, "H04": None}, "Hospital H04 is still blank"),
    ("E90.3", {**MEANS, "H04": "150"}, "Hospital H04: A number is asked for; you gave text"),
    ("E90.3", MEANS.where(MEANS < 150), "for hospital H04 is not a number (NaN)"),
    ("E90.3", [*MEANS[:3], np.inf], "for hospital H04 is infinite"),
    ("E90.3", [*MEANS[:3], 149.0], "3 of 4 hospitals agree. Look at H04, where you have 149 mmHg"),
    ("E90.3", (MEANS - 140) * 7, "0 of 4 hospitals agree"),
    ("E90.3", -MEANS, "right but for its sign"),
    ("E90.3", sorted(MEANS), "not at their own hospitals"),
    ("E90.3", {name: ... for name in HOSPITALS}, "Hospital H01 is still blank"),
    ("E90.4", "d", "a, b or c; you gave 'd'"),
    ("E90.4", 2, "you gave a number"),
    ("E90.4", ("a", "b"), "you gave 2 values"),
    ("E90.4", "they share it" * 99, "…'"),
    ("E90.5", 3, "a pair"),
    ("E90.5", (3,), "a pair"),
    ("E90.5", (3, "b", 1), "you gave 3 values"),
    ("E90.5", (3, ...), "one half is still blank"),
    ("E90.5", (9, "b"), "numbered 1 to 4"),
    ("E90.5", (3, "d"), "a, b or c; you gave 'd'"),
    ("E90.5", ("b", 3), "numbered 1 to 4"),
    ("E90.5", {3}, "a set"),
    ("E90.99", 3, "lesson 90 has E90.1, E90.2"),
    ("E99.1", 3, "lesson 99 has none"),
    ("three", 3, "an id looks like"),
    (3.2, "E90.1", "the exercise's id"),
]


@pytest.mark.parametrize(("name", "answer", "fragment"), OTHERS, ids=in_words(30))
def test_not_yet_says_what_is_wrong(name, answer, fragment):
    feedback = check(name, answer)
    assert feedback.status == "not yet"
    assert fragment in feedback.message
    assert feedback.misconception is None


@pytest.mark.parametrize("answer", [answer for name, answer, _ in OTHERS if name == "E90.7"])
def test_the_right_value_is_never_said(answer):
    assert " 50" not in check("E90.7", answer).message.replace("−50", "")


def test_fitted_results_are_told_apart():
    result = sm.OLS(np.arange(9.0), np.ones(9)).fit()
    assert "pick the number out of it" in check("E90.1", result).message


def test_generator_is_not_consumed():
    generator = (x for x in [6.0])
    assert "an iterator (generator)" in check("E90.1", generator).message
    assert next(generator) == 6.0


def test_huge_array_is_refused_without_a_copy():
    huge = np.broadcast_to(np.float64(6.0), (10**8,))
    check("E90.1", 1.0)
    tracemalloc.start()
    messages = [check(f"E90.{i}", huge).message for i in (1, 3, 4, 5)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert all("100000000 values" in message for message in messages)
    assert peak < 1e6


def test_list_that_holds_itself():
    endless = [1.0]
    endless[0] = endless
    assert check("E90.1", endless).status == "not yet"


@pytest.mark.parametrize("name", ["E90.8", "E90.9"])
def test_fault_of_the_course_is_owned(name):
    feedback = check(name, 3.2)
    assert feedback.status == "not yet"
    assert "fault of the course, not of your answer" in feedback.message
    with pytest.raises((ZeroDivisionError, ValueError)):  # an author calls grade, and sees it
        grade(next(item for item in EXERCISES if item.id == name), 3.2)


def test_fault_of_a_lesson_module_is_owned(lesson):
    lesson.EXERCISES = None
    assert "fault of the course" in check("E90.1", 6.0).message


def test_interrupt_passes_through():
    with pytest.raises(KeyboardInterrupt):
        check("E90.10", 3.2)


def _loud(name):
    def method(*args, **kwargs):
        print(name)
        raise RuntimeError(name)

    return method


_DUNDERS = (
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __repr__ __str__ __format__ __bool__ "
    "__len__ __iter__ __getitem__ __contains__ __float__ __int__ __index__ __complex__ __abs__ "
    "__add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __array__ __array_ufunc__ __getattr__ "
    "__getattribute__ __copy__ __deepcopy__ __reduce__ __reduce_ex__ __dir__ __sizeof__"
).split()
_BODY = {name: _loud(name) for name in _DUNDERS}
Evil = type("Evil", (), {**_BODY, "__class__": property(_loud("__class__"))})
EvilFloat = type("EvilFloat", (float,), _BODY)
EvilText = type("EvilText", (str,), {**_BODY, "strip": _loud("strip"), "split": _loud("split")})
EvilList = type("EvilList", (list,), _BODY)
EvilDict = type("EvilDict", (dict,), {**_BODY, "keys": _loud("keys"), "values": _loud("values")})
_META_BODY = {name: _BODY[name] for name in ("__getattribute__", "__repr__", "__eq__", "__hash__")}
EvilType = type("EvilType", (type,), _META_BODY)
OfEvilType = EvilType("OfEvilType", (), {})


class EvilArray(np.ndarray):
    __getattribute__ = _loud("__getattribute__")


def _evils():
    mixed = np.array([None, 1.0, 2.0, 3.0], dtype=object)
    mixed[0] = Evil()
    return [
        Evil(),
        EvilFloat(99.0),
        EvilText("x"),
        EvilList([99.0]),
        EvilDict({"H01": 99.0}),
        type.__call__(OfEvilType),
        np.ones(3).view(EvilArray),
        [Evil()],
        (Evil(), Evil()),
        mixed,
        pd.Series([1.0, 2.0, 3.0, None], index=list(HOSPITALS), dtype=object),
        dict.fromkeys(HOSPITALS, Evil()),
    ]


@pytest.mark.parametrize("name", [f"E90.{i}" for i in range(1, 8)])
def test_hostile_objects_neither_raise_nor_print(name, capsys):
    for evil in _evils():
        feedback = check(name, evil)
        assert feedback.status == "not yet", feedback
        assert "fault of the course" not in feedback.message
    assert capsys.readouterr().out == ""


def test_answer_whose_own_code_raises_is_told_so():
    class Bad(pd.Series):
        @property
        def shape(self):
            raise OSError("disk")

    message = check("E90.1", Bad([1.0])).message
    assert "its own code stopped with OSError" in message


def test_interrupt_inside_an_answer_passes_through():
    class Rude(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("E90.3", {Rude("H01"): 1.0, **MEANS.iloc[1:].to_dict()})


_leaves = st.one_of(
    st.none(),
    st.just(...),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=8),
    st.binary(max_size=4),
    st.decimals(),
    st.fractions(),
    st.dates(),
    st.sampled_from(HOSPITALS),
    hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, max_dims=2, min_side=0)),
)
_anything = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.tuples(inner, inner),
        st.dictionaries(st.sampled_from(HOSPITALS), inner, min_size=3),
        st.lists(inner, max_size=4).map(lambda items: pd.Series(items, dtype=object)),
        st.lists(inner, max_size=4).map(lambda items: pd.DataFrame({"x": items}, dtype=object)),
    ),
    max_leaves=8,
)
_quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_quick
@given(answer=_anything, i=st.integers(1, 7))
def test_any_value_gets_feedback_and_stays_unchanged(answer, i):
    before = pickle.dumps(answer)
    feedback = check(f"E90.{i}", answer)
    assert feedback.status in ("right", "not yet", "not attempted")
    assert feedback.message
    assert "fault of the course" not in feedback.message
    assert pickle.dumps(answer) == before


@_quick
@given(
    plan=st.recursive(
        st.integers(0, 11),  # built inside the test: Hypothesis itself looks at what it draws
        lambda inner: st.lists(inner, min_size=1, max_size=4) | st.tuples(inner, inner),
        max_leaves=4,
    ),
    i=st.integers(1, 7),
)
def test_any_hostile_value_gets_feedback(plan, i):
    def built(part):
        return type(part)(map(built, part)) if isinstance(part, (list, tuple)) else _evils()[part]

    assert check(f"E90.{i}", built(plan)).status == "not yet"


@_quick
@given(value=st.floats(allow_nan=True))
def test_right_exactly_within_tolerance(value):
    right = check("E90.1", value).status == "right"
    assert right == (abs(value - 6.0) <= 0.05 * (1 + 1e-9) + 1e-13)


def test_own_exercise_uses_the_learners_data():
    set_learner("Ana")
    ana = learners.own_hospitals(90).data["sbp"].mean()
    assert check("E90.6", ana).status == "right"
    set_learner("Bo")
    feedback = check("E90.6", ana)
    assert feedback.status == "not yet"
    assert "hospitals are those of 'Bo'" in feedback.plain()
    assert "hospitals are those of 'Bo'" in feedback.html().replace("&#x27;", "'")


def test_changing_own_data_does_not_spoil_the_check():
    study = learners.own_hospitals(90)
    right = study.data["sbp"].mean()
    study.data["sbp"] = 0.0
    assert check("E90.6", right).status == "right"
    assert learners.own_hospitals(90).data["sbp"].mean() == right


def test_own_exercise_named_misconception():
    feedback = check("E90.6", learners.own_hospitals(90).data["sbp"].median())
    assert feedback.misconception == "The median."


def test_a_vector_says_what_its_numbers_are_for(exercise_of_limits):
    for answer, words in (
        ([0.9, 0.5, 0.2], "2 of 3 limits agree. Look at 3 mmHg, where you have 0.5"),
        ([0.9, 0.7], "One number for each of the 3 limits is asked for"),
        ([0.9, None, 0.2], "Limit 3 mmHg is still blank"),
        ([0.2, 0.7, 0.9], "not at their own limits"),
        ([0.9, math.inf, 0.2], "what you gave for limit 3 mmHg is infinite"),
        ({"3 mmHg": 0.7, "6 mmHg": 0.2, "9 mmHg": 0.1}, "The labels must be the limits"),
        (..., "one number for each limit"),
    ):
        feedback = grade(exercise_of_limits, answer)
        assert words in str(feedback)
        assert feedback.status != "right"
    assert "all 3 limits agree" in str(grade(exercise_of_limits, [90, 70, 20]))


@pytest.fixture
def exercise_of_limits():
    right = pd.Series([0.9, 0.7, 0.2], index=["0 mmHg", "3 mmHg", "6 mmHg"])
    spec = Vector(
        quantity="the probabilities", each="limit", reference=lambda: right, percent=True, **LOOSE
    )
    return Exercise(id="E90.9", answer=spec, **BASE)
