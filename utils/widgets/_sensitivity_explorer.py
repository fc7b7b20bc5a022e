"""The widget of the sensitivity explorer: controls, buttons, saved states, PyMC code."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from matplotlib.figure import Figure

from utils.widgets._base import Explorer
from utils.widgets._controls import Choice as Buttons
from utils.widgets._controls import Menu, Number, Remembered, Scale, Steps
from utils.widgets._sensitivity_code import pymc_code
from utils.widgets._sensitivity_compute import (
    Sensitivity,
    Source,
    compute,
    nice,
)
from utils.widgets._sensitivity_exact import ExactSource
from utils.widgets._sensitivity_figure import SensitivityFigure
from utils.widgets._sensitivity_priors import FAMILIES
from utils.widgets._sensitivity_rows import Improper
from utils.widgets._sensitivity_words import Labels, Words

__all__ = ["SensitivityExplorer", "still_figure"]

PIN = ("family", "scale", "effect_sd", "sigma_scale")
HOLDS = (
    "the choices of priors, the threshold, the hospitals kept and the pinned choice; no patient's "
    "data and no prior of your own: pass both to the explorer again"
)


class SensitivityExplorer(Explorer):
    """The prior-sensitivity explorer; see `prior_sensitivity_explorer`."""

    def __init__(
        self,
        source: Source,
        labels: Labels,
        words: Words,
        threshold: float | None = None,
        state: Mapping | str | None = None,
        data_name: str = "",
    ) -> None:
        self.source, self._labels, self._words, self._name = source, labels, words, data_name
        controls = _controls(source, labels, threshold)
        drawing = SensitivityFigure(source.view, labels)
        writers = {"Save the state": self.to_json}
        if isinstance(source, ExactSource):
            writers = {"Write PyMC code": self.pymc, **writers}
        super().__init__(
            controls,
            compute=lambda **state: compute(source, **state),
            draw=drawing.draw,
            picture=drawing.picture,
            describe=words.describe,
            actions={"Pin this prior": pin_of, "Remove the pin": lambda _: {"pin": None}},
            refusals=(Improper,),
            writers=writers,
            readers={"Load the state": self.load},
        )
        if state is not None:
            self.set_state(**(read_state(state)[0] if isinstance(state, str) else state))
            if not self.message:
                self._start = self.state  # Reset brings back what the reader saw first
            if isinstance(state, str):
                self.load(state)  # says so if it was saved with other data

    def pymc(self) -> str:
        """Return the present model as PyMC code that runs in the notebook.

        Raises
        ------
        ValueError
            If PyMC has no distribution like your own prior, or there is no posterior.
        """
        return pymc_code(self.source.data, self.state, self._name)

    def to_json(self) -> str:
        """Return the state as JSON, with what is needed to see whether data are the same."""
        state = {
            name: _spoken(value) if name != "pin" else value and _spoken_pin(value)
            for name, value in self.state.items()
        }
        saved = {
            "explorer": "prior sensitivity", "version": 1, "state": state,
            "data": self.source.identity, "holds": HOLDS,
        }  # fmt: skip
        return json.dumps(saved, indent=1, ensure_ascii=False)

    def load(self, text: str) -> None:
        """Take over a saved state; a message says so if it was saved with other data.

        Raises
        ------
        ValueError
            If the text is not a saved state, or holds values that this explorer cannot take.
        """
        state, identity = read_state(text)
        self.set_state(**state)
        if identity and identity != self.source.identity:
            self._say(
                "This state was saved with other data: the same choices are shown for these.",
                self._said,
            )

    def figure(self) -> tuple[Figure, str]:
        """Return the present picture as a figure to keep, and its text alternative."""
        return still_figure(self.source, self._labels, self._words, None, self.state)


def still_figure(
    source: Source,
    labels: Labels,
    words: Words,
    threshold: float | None,
    state: Mapping | str | None,
) -> tuple[Figure, str]:
    """Return the explorer's picture in one state, and its text alternative."""
    changes = read_state(state)[0] if isinstance(state, str) else dict(state or {})
    controls = {control.name: control for control in _controls(source, labels, threshold)}
    for name in changes:
        if name not in controls:
            raise ValueError(f"the state has {', '.join(controls)}, got {name!r}")
    full = {
        name: control.check(changes[name]) if name in changes else control.start
        for name, control in controls.items()
    }
    result = compute(source, **full)
    drawing = SensitivityFigure(source.view, labels)
    drawing.draw(result)
    return drawing.still(), f"{words.describe(result)} {drawing.picture.alt}"


def pin_of(result: Sensitivity) -> dict:
    """Return the change of state that pins a result's priors."""
    return {"pin": result.answer.choice.as_dict()}


def read_state(text: str) -> tuple[dict, dict]:
    """Return the state and the identity of the data from saved text."""
    try:
        saved = json.loads(text)
        state, identity = dict(saved["state"]), dict(saved.get("data", {}))
        known = saved["explorer"] == "prior sensitivity" and saved["version"] == 1
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as problem:
        raise ValueError("this is not a saved state of the prior-sensitivity explorer") from problem
    if not known:
        raise ValueError("this state was saved by another explorer, or a later version of it")
    if isinstance(state.get("pin"), dict):
        state["pin"] = {name: _heard(value) for name, value in state["pin"].items()}
    return {name: _heard(value) for name, value in state.items()}, identity


def _spoken(value: object) -> object:
    return "infinite" if isinstance(value, float) and math.isinf(value) else value


def _spoken_pin(pin: Mapping) -> dict:
    return {name: _spoken(value) for name, value in pin.items()}


def _heard(value: object) -> object:
    return math.inf if value == "infinite" else value


def _controls(source: Source, labels: Labels, threshold: float | None) -> list:
    view = source.view
    scales = tuple(float(value) for value in view.scales)
    middle = scales[len(scales) // 2]
    start = min(scales, key=lambda value: abs(math.log(value / (0.5 * source.spread))))
    wide = (*(value for value in scales if value >= middle / 10), math.inf)
    named = {key: family.name for key, family in FAMILIES.items()}
    if source.has_own:
        named["yours"] = "yours"
    unit = labels.with_unit
    low, high = view.effect
    step = nice((high - low) / 150)
    digits = max(1, -math.floor(math.log10(step)))
    low, high = (step * f(v / step) for f, v in ((math.floor, low), (math.ceil, high)))
    if threshold is None:
        threshold = step * round(source.typical / step)
    if not (isinstance(threshold, (int, float)) and math.isfinite(threshold)):
        raise ValueError(f"threshold must be a number, got {threshold!r}")
    low, high = min(low, float(threshold)), max(high, float(threshold))
    effect_start = source.start.get("effect_sd", math.inf)
    controls = [
        Menu("family", source.start.get("family", "half-normal"), named, "Prior of τ"),
        Scale(
            "scale", unit("Its scale", tau=True) + ", or ε",
            source.start.get("scale", start), scales,
        ),
        Steps(
            "effect_sd",
            "Prior SD of the mean logit" if labels.rate else unit("Prior SD of the effect"),
            effect_start, wide, wide[0],
        ),
    ]  # fmt: skip
    if source.has_sigma:
        controls.append(
            Steps(
                "sigma_scale", unit("Prior scale of σ"),
                source.start.get("sigma_scale", math.inf), wide, wide[0],
            )
        )  # fmt: skip
    else:
        controls.append(Remembered("sigma_scale", math.inf, _only_infinite))
    label = "Threshold (a rate, 0 to 1)" if labels.rate else unit("Threshold of the effect")
    controls.append(Number("threshold", label, float(threshold), low, high, step, digits))
    if source.can_keep:
        controls += [
            Number("n_hospitals", "Hospitals kept", source.of, 2, source.of, 1, 0),
            Buttons(
                "kept", "first",
                {"first": "the first ones", "random": f"at random (seed {source.seed})"},
            ),
        ]  # fmt: skip
    controls.append(Remembered("pin", None, _checker(controls[:4])))
    return controls


def _only_infinite(value: object) -> float:
    if value != math.inf:
        raise ValueError(f"sigma_scale can only be infinite here, got {value!r}")
    return math.inf


def _checker(controls: list) -> object:
    def check(pin: object) -> dict | None:
        if pin is None:
            return None
        if not isinstance(pin, Mapping) or set(pin) - set(PIN) or "family" not in pin:
            raise ValueError(f"pin must be None or a dict with {', '.join(PIN)}, got {pin!r}")
        return {
            control.name: control.check(pin[control.name]) if control.name in pin else control.start
            for control in controls
        }

    return check
