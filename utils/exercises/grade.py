"""Grade an answer: a pure function of exercise, answer and study.

The order of what is looked at is the order in which a teacher would: nothing handed in, wrong
type, wrong shape, not finite or not possible, right, a known misconception, a slip of unit or
scale, and only then a plain "not yet". No message states the right value.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from utils.exercises import answers
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number, Vector
from utils.exercises.display import Feedback, number, sentence

if TYPE_CHECKING:
    from utils.simulate import Study

_SCALES = (
    ("100 times as large as it should be: is it a percentage where a share is asked for?", 1e-2),
    ("a hundredth of what it should be: is it a share where a percentage is asked for?", 1e2),
    ("1,000 times as large as it should be: check the unit.", 1e-3),
    ("a thousandth of what it should be: check the unit.", 1e3),
    ("right but for its sign: check what is taken away from what.", -1.0),
)


def grade(exercise: Exercise, answer: object, study: Study | None = None) -> Feedback:
    """Grade an answer to an exercise.

    Parameters
    ----------
    exercise : Exercise
        The declaration.
    answer : object
        Whatever was handed in. It is not changed, and of unknown types nothing is called.
    study : Study, optional
        The learner's own hospitals; needed where the exercise is on them.

    Returns
    -------
    Feedback
        Status, message, and the misconception where a known one was met.

    Raises
    ------
    ValueError
        If the exercise, not the answer, is at fault: no study where one is needed, a reference
        that is not finite. Other errors of a reference pass through. `check` catches them all.
    """
    spec = exercise.answer
    if answers.is_blank(answer):
        return Feedback(exercise.id, "not attempted", _asked(spec))
    reference, hospitals = None, None
    if isinstance(spec, Number):
        reference, hospitals = expected(exercise, spec.reference, study)
    read, problem = _read_or_say(exercise, answer, hospitals)
    if problem is not None:
        return problem
    if isinstance(spec, Choice):
        return _grade_choice(exercise, spec, read)
    if isinstance(spec, Flaw):
        return _grade_flaw(exercise, spec, *read)
    with np.errstate(all="ignore"):  # an answer near the largest float may overflow, rightly
        return _grade_values(exercise, read, reference, hospitals, study)


def form(exercise: Exercise, answer: object, study: Study | None = None) -> Feedback:
    """Look at the form of an answer only: can it be read, and be what is asked for.

    Parameters
    ----------
    exercise, answer, study
        As in `grade`.

    Returns
    -------
    Feedback
        "not attempted", "not yet" with the reason, or "received". Nothing in it tells a right
        answer from a wrong one that can be read.
    """
    spec = exercise.answer
    if answers.is_blank(answer):
        return Feedback(exercise.id, "not attempted", _asked(spec))
    hospitals = None
    if isinstance(spec, Vector):
        _, hospitals = expected(exercise, spec.reference, study)
    read, problem = _read_or_say(exercise, answer, hospitals)
    if problem is not None:
        return problem
    if isinstance(spec, Number):
        forms = (read, read / 100) if spec.percent else (read,)
        why = _not_finite(spec, read, hospitals) or _impossible(spec, read, forms, hospitals)
        if why:
            return Feedback(exercise.id, "not yet", why)
    text = "Your answer can be read. Whether it is right is found when it is graded."
    return Feedback(exercise.id, "received", text)


def _read_or_say(
    exercise: Exercise, answer: object, hospitals: list | None
) -> tuple[Any, Feedback | None]:
    """Return what was read, and the feedback on an answer that cannot be."""
    try:
        return _read(exercise.answer, answer, hospitals), None
    except answers.Unreadable as error:
        return None, Feedback(exercise.id, "not yet", str(error))
    except Exception as error:  # noqa: BLE001 - an answer's own code may raise anything
        return None, _unreadable(exercise, error)


def _read(spec: Number | Choice | Flaw, answer: object, hospitals: list | None) -> Any:
    """Read the answer in the form that is asked for."""
    if isinstance(spec, Choice):
        return answers.read_letter(answer, spec.options)
    if isinstance(spec, Flaw):
        return answers.read_pair(answer, spec.numbers, spec.options)
    if hospitals is None:
        return np.array([answers.read_number(answer)])
    return answers.read_vector(answer, hospitals, spec.each)


def expected(
    exercise: Exercise, function: Any, study: Study | None = None
) -> tuple[np.ndarray, list | None]:
    """Compute a reference or a misconceived value.

    Returns
    -------
    values : ndarray
        One number, or one for each hospital.
    hospitals : list or None
        The labels, where the answer is a `Vector`.

    Raises
    ------
    ValueError
        If the values are not finite, or not a Series where the answer is a `Vector`.
    """
    if exercise.own and study is None:
        raise ValueError(f"{exercise.id} is on own hospitals and must be given a study; got None")
    result = function(study) if exercise.own else function()
    hospitals = None
    if isinstance(exercise.answer, Vector):
        if not isinstance(result, pd.Series) or result.empty or not result.index.is_unique:
            raise ValueError(f"{exercise.id}: a Vector needs a Series by hospital; got {result!r}")
        hospitals = list(result.index)
        values = np.array(result, dtype=float)
    else:
        values = np.array([float(result)])
    if not np.isfinite(values).all():
        raise ValueError(f"{exercise.id}: every computed value must be finite; got {result!r}")
    return values, hospitals


def tolerance(spec: Number, reference: np.ndarray) -> np.ndarray:
    """Return the tolerance for each value, with room for the last bit of rounding.

    Raises
    ------
    ValueError
        If the tolerance is relative to a value of 0.
    """
    if spec.relative is not None and not np.abs(reference).all():
        raise ValueError("a relative tolerance needs a value that is not 0; use an absolute one")
    if spec.absolute is not None:
        wide = np.full(reference.shape, spec.absolute)
    else:
        wide = spec.relative * np.abs(reference)
    return wide * (1 + 1e-9) + 1e-14 * np.abs(reference)


def _grade_values(
    exercise: Exercise,
    values: np.ndarray,
    reference: np.ndarray,
    hospitals: list | None,
    study: Study | None,
) -> Feedback:
    """Grade finite or infinite numbers of the right shape."""
    spec = exercise.answer
    problem = _not_finite(spec, values, hospitals)
    if problem:
        return Feedback(exercise.id, "not yet", problem)
    forms = (values, values / 100) if spec.percent else (values,)
    width = tolerance(spec, reference)
    if any((np.abs(form - reference) <= width).all() for form in forms):
        return Feedback(exercise.id, "right", _praise(exercise, values, width))
    impossible = _impossible(spec, values, forms, hospitals)
    known = _known(exercise, forms, hospitals, study)
    if known is not None:
        start = impossible or _received(spec, values)
        return Feedback(exercise.id, "not yet", f"{start} {known.says}", known.says)
    if impossible:
        return Feedback(exercise.id, "not yet", impossible)
    slip = _slip(forms[0], reference, width, getattr(spec, "each", ""))
    if slip:
        return Feedback(exercise.id, "not yet", f"{_received(spec, values)} {slip}")
    text = _plain_not_yet(spec, values, reference, width, hospitals)
    return Feedback(exercise.id, "not yet", text)


def _not_finite(spec: Number, values: np.ndarray, hospitals: list | None) -> str:
    bad = np.flatnonzero(~np.isfinite(values))
    if not bad.size:
        return ""
    where = "" if hospitals is None else f" for {spec.each} {hospitals[bad[0]]}"
    if np.isnan(values[bad[0]]):
        return (
            f"{sentence(spec.quantity)}: what you gave{where} is not a number (NaN). "
            "Look for missing values, or zero divided by zero."
        )
    return (
        f"{sentence(spec.quantity)}: what you gave{where} is infinite or too large to be held. "
        "Look for a division by zero."
    )


def _impossible(
    spec: Number, values: np.ndarray, forms: tuple[np.ndarray, ...], hospitals: list | None
) -> str:
    low = -math.inf if spec.low is None else spec.low
    high = math.inf if spec.high is None else spec.high
    outside = np.all([(form < low) | (form > high) for form in forms], axis=0)
    if not outside.any():
        return ""
    first = int(np.flatnonzero(outside)[0])
    where = "" if hospitals is None else f" for {spec.each} {hospitals[first]}"
    if math.isinf(high):
        rule = f"cannot be below {number(low, spec.unit)}"
    elif math.isinf(low):
        rule = f"cannot be above {number(high, spec.unit)}"
    else:
        rule = f"must lie between {number(low)} and {number(high, spec.unit)}"
    return f"{sentence(spec.quantity)} {rule}; you gave {number(values[first])}{where}."


def _known(
    exercise: Exercise,
    forms: tuple[np.ndarray, ...],
    hospitals: list | None,
    study: Study | None,
) -> Misconception | None:
    """Return the misconception whose value is nearest to the answer, if any is in tolerance."""
    best: tuple[float, Misconception | None] = (math.inf, None)
    for item in exercise.answer.misconceptions:
        wrong, labels = expected(exercise, item.value, study)
        if labels != hospitals:
            raise ValueError(f"{exercise.id}: a misconception must give the reference's hospitals")
        for form in forms:
            gap = np.abs(form - wrong)
            if (gap <= tolerance(exercise.answer, wrong)).all() and gap.max() < best[0]:
                best = (float(gap.max()), item)
    return best[1]


def _slip(values: np.ndarray, reference: np.ndarray, width: np.ndarray, each: str) -> str:
    """Name a slip of unit, scale or sign, where exactly one explains the answer."""
    if np.abs(reference).max() <= 4 * width.max():
        return ""  # a tolerance as wide as the value: anything would seem to fit
    changed = [(f"That is {text}", values * factor) for text, factor in _SCALES]
    squared = "That is the square of what is asked for: a variance is not a standard deviation."
    rooted = "That is the square root of what is asked for: a standard deviation is not a variance."
    turned = "That is one over what is asked for: turn the ratio round."
    changed += [(squared, np.sqrt(values)), (rooted, values**2), (turned, 1 / values)]
    if values.size > 1:
        ordered = np.empty_like(values)
        ordered[np.argsort(reference, kind="stable")] = np.sort(values)
        mixed = (
            f"The numbers are right, but not at their own {each}s: keep the labels, or the order."
        )
        changed.append((mixed, ordered))
    fits = [text for text, changed_values in changed if _agree(changed_values, reference, width)]
    return fits[0] if len(fits) == 1 else ""


def _agree(values: np.ndarray, reference: np.ndarray, width: np.ndarray) -> bool:
    return bool(np.isfinite(values).all() and (np.abs(values - reference) <= width).all())


def _plain_not_yet(
    spec: Number,
    values: np.ndarray,
    reference: np.ndarray,
    width: np.ndarray,
    hospitals: list | None,
) -> str:
    if hospitals is not None:
        wrong = np.flatnonzero(np.abs(values - reference) > width)
        first = int(wrong[0])
        return (
            f"{sentence(spec.quantity)}: {values.size - wrong.size} of {values.size} {spec.each}s "
            f"agree. Look at {hospitals[first]}, where you have "
            f"{number(values[first], spec.unit)}."
        )
    if np.abs(values - reference)[0] <= 4 * width[0]:
        return (
            f"{_received(spec, values)} That is close, but further off than rounding or chance "
            "explain: hand in the number as computed, and check the last step."
        )
    return (
        f"{_received(spec, values)} That is not it, and it is no slip that this check knows: go "
        "back to the definition and compute the parts one by one."
    )


def _received(spec: Number, values: np.ndarray) -> str:
    if isinstance(spec, Vector):
        return f"{sentence(spec.quantity)}: you gave {values.size} values."
    return f"{sentence(spec.quantity)}: you gave {number(values[0], spec.unit)}."


def _praise(exercise: Exercise, values: np.ndarray, width: np.ndarray) -> str:
    spec = exercise.answer
    if isinstance(spec, Vector):
        text = f"{sentence(spec.quantity)}: all {values.size} {spec.each}s agree."
    else:
        # No more digits than the tolerance vouches for, so that the text is the same everywhere.
        digits = -math.ceil(math.log10(width[0]) - 1e-6)
        text = f"{sentence(spec.quantity)}: {number(round(values[0], digits) + 0.0, spec.unit)}."
    return f"{text} {exercise.insight}".strip()


def _grade_choice(exercise: Exercise, spec: Choice, letter: str) -> Feedback:
    if letter == spec.correct:
        return Feedback(exercise.id, "right", f"{letter}: {spec.why} {exercise.insight}".strip())
    says = spec.reasons[letter]
    return Feedback(exercise.id, "not yet", f"{letter}: {says}", says)


def _grade_flaw(exercise: Exercise, spec: Flaw, chosen: int, reason: str) -> Feedback:
    if chosen != spec.sentence:
        says = spec.sentences[chosen]
        return Feedback(
            exercise.id, "not yet", f"The mistake is not made in sentence {chosen}: {says}", says
        )
    if reason != spec.reason:
        says = spec.reasons[reason]
        text = f"Sentence {chosen} is the flawed one, but reason {reason} is not why: {says}"
        return Feedback(exercise.id, "not yet", text, says)
    text = f"Sentence {chosen}, reason {reason}. {spec.why} {exercise.insight}"
    return Feedback(exercise.id, "right", " ".join(text.split()))


def _asked(spec: Number | Choice | Flaw) -> str:
    """Say what is to be handed in, for who has not begun."""
    if isinstance(spec, Choice):
        form = f"one letter in quotation marks, {answers.one_of(spec.options)}"
    elif isinstance(spec, Flaw):
        form = 'a pair: the number of the sentence and the letter of the reason, as (1, "a")'
    else:
        unit = f", in {spec.unit}" if spec.unit else ""
        each = f" for each {spec.each}" if isinstance(spec, Vector) else ""
        form = f"{spec.quantity}, one number{each}{unit}"
    return f"Put your answer in place of the three dots: {form}."


def _unreadable(exercise: Exercise, error: Exception) -> Feedback:
    return Feedback(
        exercise.id,
        "not yet",
        f"What you gave cannot be read: its own code stopped with {answers.type_name(error)}. "
        "Hand in a plain number, text or list.",
    )
