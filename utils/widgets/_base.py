"""What every explorer shares: a picture that redraws fast, and words that change with it.

An explorer's state is kept here in Python. Sliders, number boxes and code all go through
`Explorer.set_state`, so they cannot disagree.
"""

from __future__ import annotations

import base64
import html
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from utils.plots import CSS_DPI
from utils.widgets._controls import (
    Choice,
    Number,
    Remembered,
    Steps,
    row_of,
    slider_names,
    text_box,
)

__all__ = ["WIDTH", "Choice", "Explorer", "Number", "Picture", "Steps", "look", "new_figure"]

_STYLE = {
    "font.size": 11.5,
    "axes.titlesize": 12.5,
    "axes.labelsize": 11.5,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "figure.constrained_layout.use": False,
    "figure.autolayout": False,
}
WIDTH = 900  # CSS pixels, what JupyterLab gives a cell by default
_SHARPNESS = 1.25  # image pixels per CSS pixel


class Picture:
    """A figure drawn once, of which only the moving artists are drawn again.

    Parameters
    ----------
    figure : matplotlib Figure
        With axes of fixed limits.
    moving : sequence of Artist
        What a new state changes, back to front. Everything else is drawn once, here.
    alt : str
        What the figure shows, whatever the state.
    """

    def __init__(self, figure: Figure, moving: Sequence[Artist], alt: str) -> None:
        self.figure, self.moving, self.alt = figure, tuple(moving), alt
        for artist in self.moving:
            artist.set_animated(True)  # left out when the canvas draws itself
        self._canvas = FigureCanvasAgg(figure)
        self._canvas.draw()
        self._still = self._canvas.copy_from_bbox(figure.bbox)

    def png(self) -> bytes:
        """Return the figure as it is now."""
        self._canvas.restore_region(self._still)
        for artist in self.moving:
            self.figure.draw_artist(artist)
        return _png(np.asarray(self._canvas.buffer_rgba())[..., :3])

    def html(self, *, stale: bool = False) -> str:
        """Return the figure as an image element of constant proportions, so nothing jumps.

        A stale one, which does not show the present state, is pale and says so.
        """
        width, height = self._canvas.get_width_height()
        data = base64.b64encode(self.png()).decode("ascii")
        alt = f"Not up to date: {self.alt}" if stale else self.alt
        pale = "opacity:0.35;" if stale else ""
        return (
            f'<img alt="{html.escape(alt, quote=True)}" width="{width}" height="{height}" '
            f'decoding="sync" style="display:block;width:100%;height:auto;{pale}background:#fff" '
            f'src="data:image/png;base64,{data}">'
        )


@contextmanager
def look() -> Iterator[None]:
    """Draw in the course's look, whatever a learner has done to matplotlib's defaults."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def new_figure(height: float) -> Figure:
    """Return an empty figure of the explorers' width; `height` is in CSS pixels."""
    return Figure(
        figsize=(WIDTH / CSS_DPI, height / CSS_DPI), dpi=CSS_DPI * _SHARPNESS, facecolor="white"
    )


def _png(pixels: np.ndarray) -> bytes:
    """Return an image (height, width, 3) as PNG, with little compression and no filters.

    The picture travels a few centimetres and must not keep one waiting: this takes two thirds
    of the time of an encoder that looks for the best filter of each line.
    """
    height, width, _ = pixels.shape
    lines = np.zeros((height, 1 + 3 * width), np.uint8)
    lines[:, 1:] = pixels.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


class Explorer:
    """Sliders, a figure and a sentence that follow one another.

    Display it as the last line of a cell. Everything can be done from code too.

    Parameters
    ----------
    controls : sequence of Number, Steps, Choice and their kin
        What can be changed, in the order of the page.
    compute : callable
        State as keywords -> result (frozen).
    draw : callable
        Result -> None: moves the artists of `picture`.
    picture : Picture
        The figure.
    describe : callable
        Result -> text that says what the figure shows now.
    actions : mapping of str to callable, optional
        What a further button says -> function from the result to the changes of state it makes.
    refusals : tuple of exception types, optional
        What `compute` may raise for a choice that has no answer. Its text is shown to the learner
        in place of the description, and the last good picture stays, marked as out of date.
    writers : mapping of str to callable, optional
        What a button says -> function without arguments that returns text for a box below.
    readers : mapping of str to callable, optional
        What a button says -> function that takes the box's text and acts on it.

    Attributes
    ----------
    result : object
        What was computed for the present state, or for the last one that had an answer.
    description : str
        The text under the figure.
    message : str
        Why the present state has no answer, or why a button could not do its work; else empty.
    widget : ipywidgets.VBox
        What is displayed.
    """

    def __init__(
        self,
        controls: Sequence[Number | Steps | Choice | Remembered],
        *,
        compute: Callable[..., object],
        draw: Callable[[object], None],
        picture: Picture,
        describe: Callable[[object], str],
        actions: Mapping[str, Callable[[object], dict]] | None = None,
        refusals: tuple[type[Exception], ...] = (),
        writers: Mapping[str, Callable[[], str]] | None = None,
        readers: Mapping[str, Callable[[str], None]] | None = None,
    ) -> None:
        self._controls = {control.name: control for control in controls}
        self._compute, self._draw, self._picture = compute, draw, picture
        self._describe, self._refusals = describe, refusals
        self.message = self._said = ""
        self._start = {name: control.start for name, control in self._controls.items()}
        self._moving_controls = False
        rows, self._put = [], {}
        for name, control in self._controls.items():
            row, self._put[name] = control.build(self._listener(name))
            rows += [] if row is None else [row]
        self._image = widgets.HTML(layout=widgets.Layout(width="100%", margin="4px 0"))
        self._text = widgets.HTML(layout=widgets.Layout(width="auto"))
        buttons = [
            self._button(text, lambda find=find: find(self.result))
            for text, find in (actions or {}).items()
        ]
        buttons.append(self._button("Reset", lambda: self._start))
        self._control_rows = tuple(rows)
        below = [*self._box(writers, readers), slider_names()]
        self.widget = widgets.VBox(
            [*rows, row_of(*buttons), self._image, self._text, *below],
            layout=widgets.Layout(max_width=f"{WIDTH}px", width="100%", padding="0 6px 0 0"),
        )
        self.widget.add_class("course-explorer")
        self._state: dict = {}
        self._apply(self._start)
        if self.message:  # without a first answer there is nothing to show
            raise ValueError(self.message)

    @property
    def state(self) -> dict:
        """The present state, as a new dict."""
        return dict(self._state)

    def set_state(self, **changes: object) -> None:
        """Change the state from code.

        Parameters
        ----------
        **changes
            New values by name, as in `state`. What is not named stays.

        Raises
        ------
        ValueError
            If a name is unknown or a value breaks its rule. The state then stays as it was.
        """
        for name in changes:
            if name not in self._controls:
                raise ValueError(f"the state has {', '.join(self._controls)}, got {name!r}")
        checked = {name: self._controls[name].check(value) for name, value in changes.items()}
        self._apply({**self._state, **checked})

    def reset(self) -> None:
        """Go back to the first state."""
        self._apply(self._start)

    def _listener(self, name: str) -> Callable[[object], None]:
        def heard(value: object) -> None:
            if not self._moving_controls:
                self._apply({**self._state, name: value})

        return heard

    def _button(self, text: str, find: Callable[[], dict]) -> widgets.Button:
        button = widgets.Button(description=text, layout=widgets.Layout(width="auto"))
        button.on_click(lambda _: self._apply({**self._state, **find()}))
        return button

    def _box(
        self,
        writers: Mapping[str, Callable[[], str]] | None,
        readers: Mapping[str, Callable[[str], None]] | None,
    ) -> list[widgets.Widget]:
        """Return the box of text and its buttons; nothing, where there are none."""
        if not (writers or readers):
            return []
        self.box = text_box("Code, or a saved state")
        buttons = []

        def button(text: str, work: Callable[[], None]) -> None:
            def clicked(_: object) -> None:
                try:
                    work()
                except (ValueError, ArithmeticError) as problem:
                    self._say(str(problem), self._said)

            made = widgets.Button(description=text, layout=widgets.Layout(width="auto"))
            made.on_click(clicked)
            buttons.append(made)

        for text, write in (writers or {}).items():
            button(text, lambda write=write: setattr(self.box, "value", write()))
        for text, read in (readers or {}).items():
            button(text, lambda read=read: read(self.box.value))
        return [row_of(*buttons), self.box]

    def _apply(self, state: dict) -> None:
        self._state = dict(state)
        try:
            self.result = self._compute(**state)
        except self._refusals as problem:
            self._image.value = self._picture.html(stale=True) if self._said else ""
            self._say(str(problem), f"The pale picture is of the last answer: {self._said}")
        else:
            self._draw(self.result)
            self._image.value = self._picture.html()
            self._said = self._describe(self.result)
            self._say("", self._said)
        self._moving_controls = True
        try:
            for name, put in self._put.items():
                put(state[name])
        finally:
            self._moving_controls = False

    def _say(self, message: str, text: str) -> None:
        """Show a text under the picture, after a message where there is one."""
        self.message = message
        self.description = f"{message} {text}".strip()
        words = html.escape(text).replace(" %", "&nbsp;%").replace("\n", "<br>")
        if message:
            frame = "border-left:4px solid #B8400B;padding:.2em .7em;margin:0 0 .4em"
            words = f'<p style="{frame}">{html.escape(message)}</p>{words}'
        self._text.value = (
            '<div role="status" aria-live="polite" aria-atomic="true" style="line-height:1.5">'
            f"{words}</div>"
        )

    def __repr__(self) -> str:
        return self.description

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        return {**self.widget._repr_mimebundle_(**kwargs), "text/plain": self.description}
