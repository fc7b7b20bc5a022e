"""Predict before the run, compare after it, and keep the tally.

`predict` shows a widget and stores what the learner locks in; `reveal`, in a cell after the run,
compares; `tally` says how often the learner was right when guessing, fairly sure, and sure.
Nothing here fails for want of a front end or of a prediction: each has a plain-text twin.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import ipywidgets
import numpy as np

from utils.exercises.display import Displayable, Notice, box, number, table
from utils.exercises.learners import learner_key
from utils.exercises.state import store

SURE = ("guessing", "fairly sure", "sure")
_ID = re.compile(r"P\d\d\.[1-9]\d?")
_ENOUGH = 3  # fewer predictions of one kind say nothing about how well sureness fits
_DECLARED: dict[str, tuple[tuple[str, ...] | None, str]] = {}  # this kernel's choices and units


@dataclass(frozen=True)
class Stored:
    """A prediction as it was locked in."""

    value: str | float
    sure: str
    unit: str = ""
    hit: bool | None = None

    def words(self) -> str:
        """Return the prediction in words."""
        return f"“{self.value}”" if isinstance(self.value, str) else number(self.value, self.unit)


class Prediction(Displayable):
    """A question with a widget to lock in a prediction.

    Attributes
    ----------
    stored : Stored or None
        What the learner has locked in.
    widget : ipywidgets.VBox
        The controls, each with a label and in reach of the keyboard.
    """

    def __init__(
        self, prediction_id: str, question: str, choices: tuple[str, ...] | None, unit: str
    ) -> None:
        self.id, self.question, self.choices, self.unit = prediction_id, question, choices, unit
        wide = {"description_width": "initial"}
        full = ipywidgets.Layout(width="auto", max_width="46em")
        if choices is None:
            label = f"Your prediction in {unit}:" if unit else "Your prediction:"
            self.control = ipywidgets.Text(
                description=label, placeholder="a number", style=wide, layout=full
            )
        else:
            self.control = ipywidgets.RadioButtons(
                options=choices, value=None, description="Your prediction:", style=wide, layout=full
            )
        self.sure = ipywidgets.RadioButtons(
            options=SURE, value=None, description="How sure are you?", style=wide, layout=full
        )
        self.button = ipywidgets.Button(description="Lock in", tooltip="Lock in this prediction")
        self.status = ipywidgets.HTML()
        heading = ipywidgets.HTML(box("say", (prediction_id, "predict"), (question,), role="group"))
        self.widget = ipywidgets.VBox(
            [heading, self.control, self.sure, self.button, self.status], layout=full
        )
        self.button.on_click(self._lock)
        self._show_stored()

    @property
    def stored(self) -> Stored | None:
        """What the learner has locked in, if it still fits the question."""
        return _stored(self.id, self.choices)

    def plain(self) -> str:
        """Return question and choices."""
        if self.choices is None:
            unit = f" (a number, in {self.unit})" if self.unit else " (a number)"
            return f"{self.id} · predict · {self.question}{unit}"
        options = " / ".join(self.choices)
        return f"{self.id} · predict · {self.question} {options}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, "text/plain": self.plain()}

    def _lock(self, _button: object) -> None:
        """Store what the controls say; the button's callback, so it shows and never prints."""
        stored = self.stored
        if stored is not None and stored.hit is not None:
            self._show_stored()  # the answer was revealed since this widget was drawn
            return
        value = self.control.value if self.choices else _typed(self.control.value)
        if value is None:
            self._say("open", "Not locked in: " + self._missing())
        elif self.sure.value is None:
            self._say("open", "Not locked in: say how sure you are.")
        else:
            entry = {"value": value, "sure": self.sure.value, "unit": self.unit, "hit": None}
            _write(self.id, entry)
            self._show_stored()

    def _missing(self) -> str:
        if self.choices:
            return "choose one of the answers."
        if not self.control.value.strip():
            return "no number yet."
        return "that is no number; write it as 3.2 or -3.2, without the unit."

    def _show_stored(self) -> None:
        stored = self.stored
        if stored is None:
            self._say("open", "No prediction yet.")
            return
        if self.choices is None:
            self.control.value = f"{stored.value:.12g}"
        else:
            self.control.value = stored.value
        self.sure.value = stored.sure
        revealed = stored.hit is not None
        for control in (self.control, self.sure, self.button):
            control.disabled = revealed
        self.button.description = "Change"
        after = (
            "The answer has been shown, so it stands."
            if revealed
            else "You can change it until the answer is shown."
        )
        self._say("good", f"Locked in: {stored.words()}, {stored.sure}. {after}")

    def _say(self, tone: str, text: str) -> None:
        self.status.value = box(tone, (self.id,), (text, store().remark()))


def predict(
    prediction_id: str, question: str, choices: Sequence[str] | None = None, *, unit: str = ""
) -> Prediction:
    """Ask for a prediction; the last expression of its cell.

    Parameters
    ----------
    prediction_id : str
        Such as "P02.1".
    question : str
        The question.
    choices : sequence of str, optional
        At least two answers to choose from. Without them a number is asked for.
    unit : str
        Unit of the number.

    Returns
    -------
    Prediction
        Displayable: the widget in a notebook, question and choices elsewhere.

    Raises
    ------
    ValueError
        If the id, the question, the choices or the unit break the rules above.

    Examples
    --------
    >>> predict("P02.1", "Is the standard error larger?", choices=["yes", "no"])
    P02.1 · predict · Is the standard error larger? yes / no
    """
    _require_id(prediction_id)
    if not isinstance(question, str) or not question.strip():
        raise ValueError(f"question must be a non-empty text; got {question!r}")
    if not isinstance(unit, str):
        raise ValueError(f"unit must be a text such as 'mmHg'; got {unit!r}")
    if choices is not None:
        choices = tuple(choices) if not isinstance(choices, str) else (choices,)
        texts = all(isinstance(choice, str) and choice.strip() for choice in choices)
        if len(set(choices)) < 2 or len(set(choices)) != len(choices) or not texts:
            raise ValueError(f"choices must be at least two different texts; got {choices!r}")
        if unit:
            raise ValueError(f"a unit belongs to a number, not to choices; got {unit!r}")
    _DECLARED[prediction_id] = (choices, unit)
    return Prediction(prediction_id, question, choices, unit)


def reveal(
    prediction_id: str, value: str | float, *, within: float | None = None, because: str = ""
) -> Notice:
    """Compare the prediction with what happened; the last expression of a cell after the run.

    Parameters
    ----------
    prediction_id : str
        As in `predict`.
    value : str or float
        The choice that turned out right, or the number that came out.
    within : float, optional
        For a number: the distance up to which a prediction is a hit, in the number's unit.
    because : str
        A sentence of explanation.

    Returns
    -------
    Notice
        What was predicted, what happened, hit or miss; or that nothing was predicted.

    Raises
    ------
    ValueError
        If the author's part is wrong: the id, a choice that was not offered, a number that is not
        finite or without `within`. Whatever the learner did or did not do is no error.

    Examples
    --------
    >>> reveal("P99.1", -8.0, within=1)
    P99.1 · no prediction · It came out as −8. You made no prediction.
    """
    _require_id(prediction_id)
    choices, unit = _DECLARED.get(prediction_id, (None, ""))
    if isinstance(value, str):
        if within is not None:
            raise ValueError(f"within belongs to a number, not to a choice; got {within!r}")
        if prediction_id in _DECLARED and choices is None:
            raise ValueError(f"{prediction_id} asks for a number; got {value!r}")
        if choices is not None and value not in choices:
            raise ValueError(f"value must be one of the choices {choices}; got {value!r}")
        answer: str | float = str(value)
        outcome = f"The answer is “{answer}”."
    else:
        answer, within = _require_number(value, within)
        if choices is not None:
            raise ValueError(f"value must be one of the choices {choices}; got {value!r}")
        outcome = f"It came out as {number(answer, unit)}."
    stored = _stored(prediction_id, choices)
    if stored is not None and isinstance(stored.value, str) is not isinstance(answer, str):
        stored = None  # an entry from an older form of the question
    if stored is None:
        text = f"{outcome} You made no prediction. {because}".strip()
        return Notice((prediction_id, "no prediction"), _with_remark(text), tone="open")
    if isinstance(answer, str):
        hit, comparison = stored.value == answer, ""
    else:
        distance = abs(stored.value - answer)
        hit = bool(distance <= within * (1 + 1e-9))
        comparison = (
            f" You were {number(distance, unit)} off; a hit is within {number(within, unit)}."
        )
    entry = {"value": stored.value, "sure": stored.sure, "unit": stored.unit, "hit": hit}
    if stored.hit is not hit:
        _write(prediction_id, entry)
    text = f"You predicted {stored.words()} ({stored.sure}). {outcome}{comparison} {because}"
    heading = (prediction_id, "hit" if hit else "miss")
    return Notice(heading, _with_remark(text.strip()), tone="good" if hit else "again")


def tally() -> Notice:
    """Show how often you were right, by how sure you were, over all lessons so far.

    Returns
    -------
    Notice
        One sentence for each level with enough predictions, and a small table.
    """
    entries = [_entry(raw) for raw in _mine(store().read()).values()]
    settled = [entry for entry in entries if entry is not None and entry.hit is not None]
    waiting = sum(entry is not None and entry.hit is None for entry in entries)
    waits = f" {_count(waiting, 'prediction')} not yet compared." if waiting else ""
    if not settled:
        text = "None of your predictions has been compared with an answer yet."
        return Notice(("tally",), _with_remark(text + waits), tone="open")
    counts = {level: [entry.hit for entry in settled if entry.sure == level] for level in SURE}
    read = [
        f"When you were {level}, you were right {_count(sum(hits), 'time')} out of {len(hits)}."
        for level, hits in reversed(counts.items())
        if len(hits) >= _ENOUGH
    ]
    total = f"You were right {_count(sum(e.hit for e in settled), 'time')} out of {len(settled)}."
    if not read:
        read = [total, "These are too few to say how well your sureness fits."]
    rows = [(level, len(hits), sum(hits)) for level, hits in counts.items()]
    extra = table(("how sure", "predictions", "hits"), rows, "Your predictions so far")
    text = " ".join((*read, *_calibration(counts))) + waits
    return Notice(("tally",), _with_remark(text), tone="say", extra_html=extra)


def settled() -> dict[str, dict]:
    """Return this learner's predictions that were compared with an answer: id -> sure, hit."""
    entries = {key: _entry(raw) for key, raw in _mine(store().read()).items()}
    return {
        key: {"sure": entry.sure, "hit": entry.hit}
        for key, entry in sorted(entries.items())
        if entry is not None and entry.hit is not None and _ID.fullmatch(key)
    }


def _calibration(counts: dict[str, list[bool]]) -> list[str]:
    """Compare the surest with the least sure, where both have enough predictions."""
    rates = [sum(hits) / len(hits) for hits in counts.values() if len(hits) >= _ENOUGH]
    if len(rates) < 2:
        return []
    if rates[-1] > rates[0]:
        return ["The surer you were, the more often you were right, as it should be."]
    return ["Being surer did not go with being right more often: look again at the misses."]


def _typed(text: str) -> float | None:
    """Read a typed number; a decimal comma and a true minus sign are understood."""
    try:
        value = float(text.strip().replace("−", "-").replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _finite(value: int | float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the largest float
        return False


def _mine(state: dict) -> dict:
    """Return this learner's predictions, whatever the file holds."""
    found = state.get("predictions")
    found = found.get(learner_key()) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _entry(raw: object) -> Stored | None:
    """Read one entry of the state file, or None where it is not one of ours."""
    if not isinstance(raw, dict) or raw.get("sure") not in SURE:
        return None
    value, unit, hit = raw.get("value"), raw.get("unit", ""), raw.get("hit")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if not isinstance(value, str) and not _finite(value):
        return None
    if not isinstance(unit, str) or not (hit is None or isinstance(hit, bool)):
        return None
    return Stored(value, raw["sure"], unit, hit)


def _stored(prediction_id: str, choices: tuple[str, ...] | None) -> Stored | None:
    entry = _entry(_mine(store().read()).get(prediction_id))
    if entry is None or (choices is not None and entry.value not in choices):
        return None  # nothing, or a choice that is no longer offered
    if choices is None and prediction_id in _DECLARED and isinstance(entry.value, str):
        return None  # the question asked for a choice once and asks for a number now
    return entry


def _write(prediction_id: str, entry: dict) -> None:
    key = learner_key()

    def change(state: dict) -> None:
        mine = {**_mine(state), prediction_id: entry}
        everyone = state.get("predictions")
        state["predictions"] = {**(everyone if isinstance(everyone, dict) else {}), key: mine}

    store().update(change)


def _with_remark(text: str) -> str:
    return f"{text} {store().remark()}".strip()


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _require_id(prediction_id: object) -> None:
    if not (isinstance(prediction_id, str) and _ID.fullmatch(prediction_id)):
        raise ValueError(f"a prediction's id looks like 'P02.1'; got {prediction_id!r}")


def _require_number(value: object, within: object) -> tuple[float, float]:
    for name, given in (("value", value), ("within", within)):
        number_like = isinstance(given, (int, float, np.number)) and not isinstance(given, bool)
        if not number_like or not _finite(given):
            raise ValueError(f"{name} must be a finite number; got {given!r}")
    if within <= 0:
        raise ValueError(f"within must be above 0; got {within!r}")
    return float(value), float(within)
