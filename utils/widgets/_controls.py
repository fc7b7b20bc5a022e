"""The controls of an explorer: what may be set, and the row on the page that sets it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import ipywidgets as widgets

_LABEL_WIDTH = 225  # CSS pixels; all rows line up

__all__ = [
    "Choice",
    "Menu",
    "Number",
    "Remembered",
    "Scale",
    "Steps",
    "row_of",
    "slider_names",
    "text_box",
]


def _real(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        try:
            value = float(value) if not isinstance(value, (bool, str, bytes)) else math.nan
        except (TypeError, ValueError):
            value = math.nan
    number = float(value)
    if math.isnan(number):
        raise ValueError(f"{name} must be a number, got {value!r}")
    return number


@dataclass(frozen=True)
class Number:
    """A number to drag or to type, between two ends.

    Parameters
    ----------
    name : str
        Its key in the explorer's state.
    label : str
        What the learner reads, unit included.
    start, low, high, step : float
        First value, ends, and the slider's step.
    digits : int
        Decimals shown. With 0 the value is a whole number, and a multiple of `step`.
    """

    name: str
    label: str
    start: float
    low: float
    high: float
    step: float
    digits: int = 1

    def check(self, value: object) -> float:
        """Return the value as it is kept, or refuse it."""
        number = _real(self.name, value)
        if not self.low <= number <= self.high:
            raise ValueError(
                f"{self.name} must lie between {self.low:g} and {self.high:g}, got {number:g}"
            )
        if self.digits:
            return number
        if (number - self.low) % self.step:
            raise ValueError(
                f"{self.name} must be {self.low:g}, {self.low + self.step:g}, "
                f"{self.low + 2 * self.step:g} ... {self.high:g}, got {number:g}"
            )
        return int(number)

    def from_screen(self, value: float) -> float:
        """Return the nearest allowed value: a learner at the screen is never refused."""
        if self.digits == 0:
            value = self.low + self.step * round((value - self.low) / self.step)
        return self.check(min(max(round(value, self.digits + 1), self.low), self.high))

    def build(self, change: Callable[[object], None]) -> tuple[widgets.Widget, Callable]:
        """Return the row of controls, and what sets them to a value."""
        box = widgets.BoundedFloatText(
            min=self.low, max=self.high, step=self.step, **_described(self.label)
        )
        slider = widgets.FloatSlider(
            min=self.low, max=self.high, step=self.step, readout=False, layout=_slider_layout()
        )

        def put(value: float) -> None:
            # The browser moves a slider to its nearest step and reports that as if a learner had
            # done it; so the slider is only ever put on a step. The box shows the value itself.
            step = self.low + self.step * round((value - self.low) / self.step)
            for control, shown in ((box, round(value, self.digits)), (slider, step)):
                if abs(control.value - shown) > 1e-6 * self.step:
                    control.value = shown
                put_last[control] = shown

        def heard(event: Mapping) -> None:
            # Dust such as 0.30000000000000004 is not a move either.
            if abs(event["new"] - put_last.get(event["owner"], math.inf)) > 1e-6 * self.step:
                change(self.from_screen(event["new"]))

        put_last: dict[widgets.Widget, float] = {}
        for control in (box, slider):
            control.observe(heard, names="value")

        return row_of(box, slider), put


@dataclass(frozen=True)
class Steps:
    """A number that the slider takes in steps of growing size, up to infinity.

    Parameters
    ----------
    name, label : str
        As for `Number`.
    start : float
        First value, 0 or more; may be infinite.
    grid : tuple of float
        The slider's steps, ascending to infinity. Between them any number can be typed.
    low : float
        The least value.
    """

    name: str
    label: str
    start: float
    grid: tuple[float, ...]
    low: float = 0.0

    def check(self, value: object) -> float:
        """Return the value as it is kept, or refuse it."""
        number = _real(self.name, value)
        if number < self.low:
            raise ValueError(
                f"{self.name} must be {self.low:g} or more (math.inf is allowed), got {number:g}"
            )
        return number

    def from_screen(self, value: float) -> float:
        """Return the nearest allowed value: a learner at the screen is never refused."""
        return max(value, self.low)

    def position(self, value: float) -> float:
        """Return where a value lies along the slider, in steps."""
        if math.isinf(value):
            return len(self.grid) - 1.0
        last = len(self.grid) - 2
        if value <= self.grid[0]:
            return 0.0
        if value >= self.grid[last]:  # from the last finite step, infinity is one step away
            return last + 1 - self.grid[last] / value
        right = next(i for i, step in enumerate(self.grid) if step > value)
        left = self.grid[right - 1]
        return right - 1 + (value - left) / (self.grid[right] - left)

    def build(self, change: Callable[[object], None]) -> tuple[widgets.Widget, Callable]:
        """Return the row of controls, and what sets them to a value."""
        box = widgets.Text(continuous_update=False, **_described(self.label))
        slider = widgets.IntSlider(
            min=0, max=len(self.grid) - 1, readout=False, layout=_slider_layout()
        )
        shown = {"value": self.start}

        def put(value: float) -> None:
            shown["value"] = value
            box.value = "infinite" if math.isinf(value) else f"{value:.4g}"
            slider.value = round(self.position(value))

        def typed(event: Mapping) -> None:
            text = event["new"].strip().lower()
            try:
                value = math.inf if text.startswith("inf") else float(text.replace(",", "."))
                value = shown["value"] if math.isnan(value) else self.from_screen(value)
            except ValueError:
                value = shown["value"]  # not a number: the box goes back to what was
            change(value)

        box.observe(typed, names="value")
        slider.observe(lambda event: change(self.grid[event["new"]]), names="value")
        return row_of(box, slider), put


@dataclass(frozen=True)
class Scale(Steps):
    """A positive number that the slider takes in steps of constant ratio, without infinity.

    Parameters
    ----------
    name, label, start
        As for `Steps`.
    grid : tuple of float
        The slider's steps, ascending, above 0. Between them any number can be typed.
    """

    def check(self, value: object) -> float:
        """Return the value as it is kept, or refuse it."""
        number = _real(self.name, value)
        if not self.grid[0] <= number <= self.grid[-1]:
            raise ValueError(
                f"{self.name} must lie between {self.grid[0]:g} and {self.grid[-1]:g}, "
                f"got {number:g}"
            )
        return number

    def from_screen(self, value: float) -> float:
        """Return the nearest allowed value: a learner at the screen is never refused."""
        return min(max(value, self.grid[0]), self.grid[-1])

    def position(self, value: float) -> float:
        """Return where a value lies along the slider, in steps."""
        logs = [math.log(step) for step in self.grid]
        right = next((i for i, step in enumerate(logs) if step >= math.log(value)), len(logs) - 1)
        if right == 0:
            return 0.0
        return right - (logs[right] - math.log(value)) / (logs[right] - logs[right - 1])


@dataclass(frozen=True)
class Choice:
    """One of a few words.

    Parameters
    ----------
    name : str
        As for `Number`.
    start : str
        First value.
    options : mapping of str to str
        Value -> what the button says.
    """

    name: str
    start: str
    options: Mapping[str, str] = field(default_factory=dict)

    def check(self, value: object) -> str:
        """Return the value as it is kept, or refuse it."""
        if not isinstance(value, str) or value not in self.options:
            raise ValueError(f"{self.name} must be one of {', '.join(self.options)}, got {value!r}")
        return value

    def build(self, change: Callable[[object], None]) -> tuple[widgets.Widget, Callable]:
        """Return the buttons, and what sets them to a value."""
        buttons = widgets.ToggleButtons(
            options=[(text, value) for value, text in self.options.items()],
            value=self.start,
            style={"button_width": "auto"},
            layout=widgets.Layout(margin=f"2px 0 2px {_LABEL_WIDTH + 8}px"),
        )
        buttons.observe(lambda event: change(event["new"]), names="value")

        def put(value: str) -> None:
            buttons.value = value

        return buttons, put


@dataclass(frozen=True)
class Menu(Choice):
    """One of several words, from a menu that drops down.

    Parameters
    ----------
    name, start, options
        As for `Choice`.
    label : str
        What the learner reads beside it.
    """

    label: str = ""

    def build(self, change: Callable[[object], None]) -> tuple[widgets.Widget, Callable]:
        """Return the menu, and what sets it to a value."""
        menu = widgets.Dropdown(
            options=[(text, value) for value, text in self.options.items()],
            value=self.start,
            **_described(self.label, 190),
        )
        menu.observe(lambda event: change(event["new"]), names="value")

        def put(value: str) -> None:
            menu.value = value

        return row_of(menu), put


@dataclass(frozen=True)
class Remembered:
    """Something in the state that has no control of its own: a button or code sets it.

    Parameters
    ----------
    name : str
        Its key in the explorer's state.
    start : object
        First value.
    check : callable
        Returns a value as it is kept, or raises ValueError.
    """

    name: str
    start: object
    check: Callable[[object], object]

    def build(self, change: Callable[[object], None]) -> tuple[None, Callable]:
        """Return no row, and nothing to set."""
        return None, lambda value: None


# Gives each slider's handle the name of its row. They may appear a little after this runs.
_NAME_SLIDERS = """
(() => {
  const name = (left) => {
    const handles = ".course-explorer .noUi-handle:not([aria-label])";
    for (const handle of document.querySelectorAll(handles)) {
      const row = handle.closest(".course-row");
      const label = row && row.querySelector("label");
      if (label) handle.setAttribute("aria-label", label.textContent + ", slider");
    }
    if (left > 0) setTimeout(() => name(left - 1), 250);
  };
  name(60);
})();
"""


def slider_names() -> widgets.Output:
    """Return an output without size that names the sliders, for readers with a screen reader.

    ipywidgets gives a slider's handle no name that a screen reader could say.
    """
    script = {"application/javascript": _NAME_SLIDERS, "text/plain": ""}
    shown = {"output_type": "display_data", "data": script, "metadata": {}}
    return widgets.Output(outputs=(shown,), layout=widgets.Layout(height="0", margin="0"))


def text_box(label: str) -> widgets.Textarea:
    """Return a box of several lines, to read from and to paste into."""
    return widgets.Textarea(
        description=label,
        continuous_update=False,
        rows=4,
        style={"description_width": f"{_LABEL_WIDTH}px"},
        layout=widgets.Layout(width="auto"),
    )


def _described(label: str, width: int = 95) -> dict:
    # The label sits on the number box: a slider's handle cannot be given a name.
    return {
        "description": label,
        "style": {"description_width": f"{_LABEL_WIDTH}px"},
        "layout": widgets.Layout(
            width=f"{_LABEL_WIDTH + width}px", max_width="100%", flex="0 0 auto"
        ),
    }


def _slider_layout() -> widgets.Layout:
    return widgets.Layout(flex="1 1 220px", width="auto", min_width="180px")


def row_of(*children: widgets.Widget) -> widgets.HBox:
    """Return a row that wraps where the page is narrow."""
    row = widgets.HBox(children, layout=widgets.Layout(flex_flow="row wrap", width="100%"))
    row.add_class("course-row")
    return row
