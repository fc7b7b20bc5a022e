"""Predict, reveal, tally: through the widget's own controls, and without any front end."""

import numpy as np
import pytest

from utils.exercises import predict, predictions, reveal, set_learner, state, tally

CHOICES = ["larger", "smaller"]


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(predictions, "_DECLARED", {})


def lock(prediction, value, sure="sure"):
    prediction.control.value = value
    prediction.sure.value = sure
    prediction.button.click()
    return prediction.status.value


def test_plain_twins():
    choice = predict("P92.1", "Which is it?", choices=CHOICES)
    assert choice.plain() == "P92.1 · predict · Which is it? larger / smaller"
    asked = predict("P92.2", "How much?", unit="mmHg")
    assert asked.plain() == "P92.2 · predict · How much? (a number, in mmHg)"
    assert predict("P92.3", "How many?").plain() == "P92.3 · predict · How many? (a number)"
    bundle = choice._repr_mimebundle_()
    assert bundle["text/plain"] == choice.plain()
    view = bundle["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == choice.widget.model_id


def test_twin_does_not_depend_on_what_is_stored():
    before = predict("P92.1", "Which?", choices=CHOICES).plain()
    lock(predict("P92.1", "Which?", choices=CHOICES), "larger")
    assert predict("P92.1", "Which?", choices=CHOICES).plain() == before


def test_controls_are_labelled_and_none_is_chosen_beforehand():
    prediction = predict("P92.1", "Which?", choices=CHOICES)
    assert prediction.control.description == "Your prediction:"
    assert prediction.sure.description == "How sure are you?"
    assert prediction.button.description == "Lock in"
    assert prediction.control.value is None
    assert prediction.sure.value is None
    assert "mmHg" in predict("P92.2", "How much?", unit="mmHg").control.description


def test_question_is_escaped():
    html = predict("P92.1", "Is a <b> & c?", choices=CHOICES).widget.children[0].value
    assert "Is a &lt;b&gt; &amp; c?" in html


def test_lock_in_needs_both_answers(capsys):
    prediction = predict("P92.1", "Which?", choices=CHOICES)
    prediction.button.click()
    assert "choose one of the answers" in prediction.status.value
    prediction.control.value = "larger"
    prediction.button.click()
    assert "say how sure you are" in prediction.status.value
    assert prediction.stored is None
    assert "Locked in: “larger”, sure." in lock(prediction, "larger")
    assert prediction.stored == predictions.Stored("larger", "sure")
    assert capsys.readouterr().out == ""  # nbval takes a print in a callback for an output


NUMBERS = [("-8.5", -8.5), ("−8,5", -8.5), (" 12 ", 12.0), ("1e2", 100.0), ("1234567.5", 1234567.5)]


@pytest.mark.parametrize(("text", "value"), NUMBERS)
def test_numbers_as_typed(text, value):
    prediction = predict("P92.2", "How much?", unit="mmHg")
    assert "Locked in" in lock(prediction, text, "guessing")
    assert prediction.stored == predictions.Stored(value, "guessing", "mmHg")
    assert float(predict("P92.2", "How much?", unit="mmHg").control.value) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "no number yet"), ("  ", "no number yet"), ("about 8", "that is no number")]
    + [(text, "that is no number") for text in ("nan", "inf", "8 mmHg", "1,000,000")],
)
def test_no_number_yet(text, says):
    prediction = predict("P92.2", "How much?", unit="mmHg")
    assert says in lock(prediction, text)
    assert prediction.stored is None


def test_prediction_can_be_changed_until_the_reveal_and_then_stands():
    prediction = predict("P92.1", "Which?", choices=CHOICES)
    assert "You can change it" in lock(prediction, "larger")
    assert prediction.button.description == "Change"
    lock(prediction, "smaller", "guessing")
    assert "miss" in reveal("P92.1", "larger").plain()
    assert "it stands" in lock(prediction, "larger")  # the widget on screen knows of no reveal
    assert prediction.stored.value == "smaller"
    assert prediction.control.value == "smaller"
    assert prediction.button.disabled


def test_rerun_shows_what_is_stored():
    lock(predict("P92.1", "Which?", choices=CHOICES), "smaller", "fairly sure")
    again = predict("P92.1", "Which?", choices=CHOICES)
    assert (again.control.value, again.sure.value) == ("smaller", "fairly sure")
    assert "Locked in: “smaller”, fairly sure." in again.status.value
    assert not again.button.disabled
    reveal("P92.1", "smaller")
    assert predict("P92.1", "Which?", choices=CHOICES).button.disabled


def test_reveal_of_a_choice():
    predict("P92.1", "Which?", choices=CHOICES)
    text = reveal("P92.1", "larger").plain()
    assert text == "P92.1 · no prediction · The answer is “larger”. You made no prediction."
    lock(predict("P92.1", "Which?", choices=CHOICES), "larger", "fairly sure")
    text = reveal("P92.1", "larger", because="It counts hospitals.").plain()
    expected = "You predicted “larger” (fairly sure). The answer is “larger”. It counts hospitals."
    assert text == f"P92.1 · hit · {expected}"


def test_reveal_of_a_number_says_how_far_off():
    lock(predict("P92.2", "How much?", unit="mmHg"), "-5", "sure")
    assert reveal("P92.2", np.float64(-8), within=1).plain() == (
        "P92.2 · miss · You predicted −5 mmHg (sure). It came out as −8 mmHg. You were 3 mmHg "
        "off; a hit is within 1 mmHg."
    )
    assert reveal("P92.2", -6, within=1).heading[1] == "hit"  # the edge counts


def test_reveal_before_predict_does_not_spoil_the_prediction():
    reveal("P92.1", "larger")
    prediction = predict("P92.1", "Which?", choices=CHOICES)
    assert "Locked in" in lock(prediction, "larger")
    assert reveal("P92.1", "larger").heading[1] == "hit"


def test_prediction_from_another_kernel_is_compared():
    lock(predict("P92.2", "How much?", unit="mmHg"), "-5")
    predictions._DECLARED.clear()
    state._STORES.clear()
    assert "−5 mmHg" in reveal("P92.2", -5.5, within=1).plain()


def test_stored_prediction_that_no_longer_fits_is_left_out():
    lock(predict("P92.1", "Which?", choices=CHOICES), "larger")
    other = predict("P92.1", "Which?", choices=["up", "down"])
    assert other.stored is None
    assert other.control.value is None
    assert reveal("P92.1", "up").heading[1] == "no prediction"
    asked = predict("P92.1", "How much?")
    assert asked.stored is None
    assert reveal("P92.1", 3.0, within=1).heading[1] == "no prediction"


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (lambda: predict("Q1", "q", choices=CHOICES), "looks like 'P02.1'; got 'Q1'"),
        (lambda: predict(None, "q", choices=CHOICES), "got None"),
        (lambda: predict("P92.1", " ", choices=CHOICES), "non-empty text"),
        (lambda: predict("P92.1", "q", choices=["one"]), "at least two"),
        (lambda: predict("P92.1", "q", choices="ab"), "at least two"),
        (lambda: predict("P92.1", "q", choices=["a", "a"]), "different"),
        (lambda: predict("P92.1", "q", choices=["a", 2]), "texts"),
        (lambda: predict("P92.1", "q", choices=CHOICES, unit="mmHg"), "unit belongs to a number"),
        (lambda: predict("P92.1", "q", unit=3), "unit must be a text"),
        (lambda: reveal("P92.9", 3.0), "within must be a finite number; got None"),
        (lambda: reveal("P92.9", 3.0, within=0), "within must be above 0"),
        (lambda: reveal("P92.9", np.nan, within=1), "value must be a finite number; got nan"),
        (lambda: reveal("P92.9", True, within=1), "value must be a finite number"),
        (lambda: reveal("P92.9", None), "value must be a finite number"),
        (lambda: reveal("P92.9", "yes", within=1), "within belongs to a number"),
        (lambda: reveal("x", "yes"), "looks like"),
    ],
)
def test_authors_mistakes_are_value_errors(call, rule):
    with pytest.raises(ValueError) as raised:
        call()
    assert rule in str(raised.value)


def test_reveal_must_fit_the_question():
    predict("P92.1", "Which?", choices=CHOICES)
    with pytest.raises(ValueError, match="one of the choices"):
        reveal("P92.1", "equal")
    with pytest.raises(ValueError, match="one of the choices"):
        reveal("P92.1", 3.0, within=1)
    predict("P92.2", "How much?")
    with pytest.raises(ValueError, match="number"):
        reveal("P92.2", "larger")


def settle(*hits, sure, start=1):
    for i, hit in enumerate(hits, start):
        lock(predict(f"P93.{i}", "Which?", choices=CHOICES), "larger" if hit else "smaller", sure)
        reveal(f"P93.{i}", "larger")


def test_tally_of_nothing():
    assert "None of your predictions" in tally().plain()
    lock(predict("P92.1", "Which?", choices=CHOICES), "larger")
    assert "1 prediction not yet compared" in tally().plain()


def test_tally_too_few_to_say():
    settle(True, False, sure="sure")
    text = tally().plain()
    assert "You were right 1 time out of 2." in text
    assert "too few to say" in text


def test_tally_reads_itself_aloud():
    settle(True, True, False, True, sure="sure")
    text = tally().plain()
    assert text == "tally · When you were sure, you were right 3 times out of 4."
    settle(True, False, False, sure="guessing", start=11)
    text = tally().plain()
    assert "When you were guessing, you were right 1 time out of 3." in text
    assert "The surer you were, the more often you were right" in text
    html = tally().html()
    for part in ("<caption", 'scope="col"', "guessing</th>", ">4</td>", ">3</td>"):
        assert part in html


def test_tally_tells_when_sureness_does_not_fit():
    settle(False, False, True, sure="sure")
    settle(True, True, False, sure="guessing", start=11)
    assert "did not go with being right" in tally().plain()


def test_tally_counts_over_lessons_and_by_learner():
    set_learner("Ana")
    settle(True, True, True, sure="sure")
    set_learner("Bo")
    assert "None" in tally().plain()
    set_learner("ana")
    assert "3 times out of 3" in tally().plain()


def test_unusable_folder_is_said_in_the_widget(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "file" / "x"))
    prediction = predict("P92.1", "Which?", choices=CHOICES)
    shown = prediction.status.value + lock(prediction, "larger")
    assert shown.count("cannot be used") == 1
    assert reveal("P92.1", "larger").heading[1] == "hit"
