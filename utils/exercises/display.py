"""What the teaching machine shows: HTML boxes, each with a plain-text twin.

The box says its state three times over, by border, symbol and word, so that nothing hangs on
colour. Colours are JupyterLab's own variables with a fallback, readable in light and dark themes.
The twin is what screen readers of the notebook file, nbval and a terminal see.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# tone -> (symbol, border style, border colour)
_TONES = {
    "good": ("✓", "solid", "var(--jp-success-color1, #388e3c)"),
    "again": ("↻", "dashed", "var(--jp-warn-color1, #e65100)"),
    "open": ("○", "dotted", "var(--jp-border-color1, #757575)"),
    "say": ("§", "double", "var(--jp-info-color1, #0277bd)"),
}
_STATUS_TONES = {"right": "good", "not yet": "again", "not attempted": "open", "received": "say"}


class Displayable:
    """Base of what is shown: `html()` for a front end, `plain()` for everything else."""

    def plain(self) -> str:
        """Return the plain-text twin."""
        raise NotImplementedError

    def html(self) -> str:
        """Return the HTML box."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.plain()

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/plain": self.plain(), "text/html": self.html()}


@dataclass(frozen=True, repr=False)
class Feedback(Displayable):
    """What a check says about an answer.

    Parameters
    ----------
    exercise : str
        Id of the exercise.
    status : {"not attempted", "right", "not yet", "received"}
        The ruling; "received" where an assignment is only looked at for its form.
    message : str
        The reason, in plain text.
    misconception : str or None
        What the known misconception behind the answer says, where there is one.
    note : str
        A word on the side, such as a learner file that cannot be written.
    """

    exercise: str
    status: str
    message: str
    misconception: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.status not in _STATUS_TONES:
            raise ValueError(f"status must be one of {tuple(_STATUS_TONES)}; got {self.status!r}")

    def plain(self) -> str:
        """Return `E02.3 · not yet · message`."""
        return " · ".join(filter(None, (self.exercise, self.status, self.message, self.note)))

    def html(self) -> str:
        """Return the box, announced by screen readers as a status."""
        texts = tuple(filter(None, (self.message, self.note)))
        return box(_STATUS_TONES[self.status], (self.exercise, self.status), texts)


@dataclass(frozen=True, repr=False)
class Notice(Displayable):
    """A titled remark.

    Parameters
    ----------
    heading : tuple of str
        Joined by a middle dot, in text and in the box.
    message : str
        The remark.
    tone : {"good", "again", "open", "say"}
        Symbol and border of the box.
    extra_html : str
        Trusted HTML below the message, such as a table that the message says in words.
    quote : str
        A text that the box shows as a quotation; left out of the twin.
    """

    heading: tuple[str, ...]
    message: str
    tone: str = "say"
    extra_html: str = ""
    quote: str = ""

    def plain(self) -> str:
        """Return heading and message, joined by middle dots."""
        return " · ".join(filter(None, (*self.heading, self.message)))

    def html(self) -> str:
        """Return the box."""
        return box(self.tone, self.heading, (self.message,), self.extra_html, self.quote)


def box(
    tone: str,
    heading: Sequence[str],
    texts: Iterable[str],
    extra: str = "",
    quote: str = "",
    role: str = "status",
) -> str:
    """Return an HTML box; every text is escaped, `extra` is trusted HTML.

    `role` is "status" for what answers the learner, which screen readers then announce, and
    "group" for a question.
    """
    symbol, border, colour = _TONES[tone]
    quoted = (
        f'<blockquote style="margin:.3em 0;font-style:italic">{html.escape(quote)}</blockquote>'
        if quote
        else ""
    )
    paragraphs = "".join(
        f'<div style="margin-top:.25em">{html.escape(text)}</div>' for text in texts if text
    )
    return (
        f'<div role="{role}" style="border:1px {border} {colour};border-left:6px {border} {colour};'
        "padding:.5em .8em;margin:.3em 0;max-width:46em;line-height:1.45;"
        'color:var(--jp-ui-font-color1, #1f1f1f);background:var(--jp-layout-color1, #ffffff)">'
        f'<strong><span aria-hidden="true">{symbol}</span> '
        f"{html.escape(' · '.join(heading))}</strong>{quoted}{paragraphs}{extra}</div>"
    )


def table(header: Sequence[str], rows: Iterable[Sequence[object]], caption: str) -> str:
    """Return a small HTML table; the first cell of a row is the row's header."""
    cell = "padding:.15em .7em;text-align:left"
    head = "".join(f'<th scope="col" style="{cell}">{html.escape(name)}</th>' for name in header)
    body = "".join(
        f'<tr><th scope="row" style="{cell};font-weight:normal">{html.escape(str(row[0]))}</th>'
        + "".join(f'<td style="{cell}">{html.escape(str(item))}</td>' for item in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        '<table style="margin:.4em 0;color:inherit;font-size:inherit">'
        f'<caption style="text-align:left">{html.escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def number(value: float, unit: str = "") -> str:
    """Return a number rounded to four significant digits, with its unit and a true minus sign.

    Examples
    --------
    >>> number(-8.01234, "mmHg")
    '−8.012 mmHg'
    >>> number(12000.4)
    '12,000'
    """
    value = float(value)
    if not math.isfinite(value):
        text = str(value)
    elif 1e4 <= abs(value) < 1e9:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.4g}"
    text = text.replace("-", "−")
    return f"{text} {unit}" if unit else text


def sentence(text: str) -> str:
    """Return a text with a capital first letter, as a sentence begins.

    Examples
    --------
    >>> sentence("the design effect is a ratio")
    'The design effect is a ratio'
    """
    return text[:1].upper() + text[1:]
