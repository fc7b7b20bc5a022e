"""What a lesson holds, counted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from utils.authoring.execution import calls
from utils.authoring.python import Code
from utils.authoring.source import CHECKED, Source


def facts(source: Source) -> dict[str, str]:
    """Count cells, words, figures and so on; the navigation cell is not counted.

    Words are those of the Markdown cells. Explorers are not counted among the figures.
    """
    code = [Code(cell) for cell in source.cells if cell.kind == "code"]
    prose = " ".join(cell.source for cell in source.cells if cell.kind == "markdown")
    return {
        "cells": f"{len(source.cells)}",
        "code": f"{len(code)}",
        "words": f"{len(re.findall(r'[^\W_][\w’-]*', prose))}",
        "figures": f"{sum(cell.shows_figure for cell in code)}",
        "widgets": f"{sum(cell.is_explorer for cell in code)}",
        "predictions": f"{sum(len(calls(cell.text, 'predict')) for cell in code)}",
        "exercises": f"{len({e for cell in code for e in calls(cell.text, 'check')})}",
        "checked": f"{sum(CHECKED in cell.tags for cell in source.cells)}",
    }


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows with the same keys as a Markdown table, aligned to be read as text.

    Examples
    --------
    >>> print(table([{"lesson": "2", "cells": "53"}]))
    | lesson | cells |
    | ------ | ----- |
    | 2      | 53    |
    """
    if not rows:
        return "no lessons"
    head = list(rows[0])
    lines = [head, *([row[key] for key in head] for row in rows)]
    width = [max(len(line[i]) for line in lines) for i in range(len(head))]
    lines.insert(1, ["-" * w for w in width])
    return "\n".join(
        "| " + " | ".join(text.ljust(w) for text, w in zip(line, width, strict=True)) + " |"
        for line in lines
    )
