"""A finished figure as a picture that every front end shows and a reader can hear."""

from __future__ import annotations

import base64
import html
import io
import math

import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure

__all__ = ["CSS_DPI", "FIGURE_DPI", "FigureImage", "show"]

CSS_DPI = 96  # a CSS pixel is 1/96 inch, by definition
FIGURE_DPI = 2 * CSS_DPI  # two image pixels per CSS pixel: sharp on today's screens


class FigureImage:
    """A finished picture of a figure that every front end can show, and a reader can hear.

    Parameters
    ----------
    png : bytes
        The picture.
    alt : str
        What the figure shows, in words.
    width, height : int
        Size on the page in CSS pixels. A narrower page scales the picture down.

    Examples
    --------
    >>> FigureImage(b"", "a line that falls with age", 400, 300)
    Figure: a line that falls with age
    """

    def __init__(self, png: bytes, alt: str, width: int, height: int) -> None:
        self.png, self.alt, self.width, self.height = png, alt, width, height

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode("ascii")
        return (
            f'<img alt="{html.escape(self.alt, quote=True)}" width="{self.width}" '
            f'height="{self.height}" style="max-width:100%;height:auto;background:#fff" '
            f'src="data:image/png;base64,{data}">'
        )


def show(fig: Figure, *, alt: str) -> None:
    """Show a figure with its text alternative, then close it.

    Parameters
    ----------
    fig : matplotlib Figure
        The finished figure. Its width in inches, times 96, is its width in CSS pixels.
    alt : str
        What a reader who does not see the figure needs to know: what is drawn, and what it
        says. Line breaks become spaces.

    Raises
    ------
    ValueError
        If `fig` is not a figure, or `alt` is not text or is empty.

    Examples
    --------
    >>> fig, ax = plt.subplots(figsize=(2, 1))
    >>> show(fig, alt="An empty pair of axes.")
    Figure: An empty pair of axes.
    """
    if not isinstance(fig, Figure):
        raise ValueError(f"fig must be a matplotlib Figure, got {type(fig).__name__}")
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt must say in words what the figure shows, got {alt!r}")
    buffer = io.BytesIO()
    try:
        fig.savefig(buffer, format="png", dpi=FIGURE_DPI, facecolor="white")
    finally:
        plt.close(fig)  # or the notebook would draw it a second time
    width, height = (math.ceil(inches * CSS_DPI) for inches in fig.get_size_inches())
    display(FigureImage(buffer.getvalue(), " ".join(alt.split()), width, height))
