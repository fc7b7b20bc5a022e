"""The prose of a lesson as a reader meets it, without code, formulas, tables and references."""

import re

from utils.authoring.source import Source

_FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$|`[^`]*`", re.DOTALL)
_BLOCK = re.compile(r"\n\s*\n|\n(?=[-*#>|]|\d+\. )")
_SHORTEST = 5  # words: less is a label, not a sentence


def prose(source: Source) -> str:
    """Return a lesson's sentences as one text; a formula or a piece of code counts as one word."""
    found = []
    for cell in source.cells:
        if cell.kind != "markdown":
            continue
        text = cell.source.split("## Further reading")[0]
        text = re.sub(r"<[^>]+>", "", text)
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", _FORMULA.sub("it", text))
        for block in _BLOCK.split(text):
            words = re.sub(r"^([-*>]|\d+\.) |[*_]", "", " ".join(block.split()))
            if words.startswith(("#", "|")) or len(words.split()) < _SHORTEST:
                continue
            found.append(words if words[-1] in ".?!" else f"{words}.")
    return " ".join(found)
