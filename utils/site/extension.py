"""The site's Sphinx extension: maths as MathML, and HTML that is valid.

Browsers draw MathML and read it aloud without a script.
"""

from __future__ import annotations

import re

from latex2mathml.converter import convert

#: Where the converter's sign is not the one that mathematicians mean.
_SIGNS = {"<mi>&#x0007E;</mi>": "<mo>&#x223C;</mo>"}


def to_mathml(latex: str, *, block: bool = False) -> str:
    r"""Return a formula as MathML.

    Examples
    --------
    >>> "<mo>&#x223C;</mo>" in to_mathml(r"u \sim v")
    True
    """
    text = convert(latex, display="block" if block else "inline")
    for wrong, right in _SIGNS.items():
        text = text.replace(wrong, right)
    return text


def _inline(translator, node) -> None:
    translator.body.append(to_mathml(node.astext()))
    _skip()


def _block(translator, node) -> None:
    formula = to_mathml(node.astext(), block=True)
    translator.body.append(
        f'<div class="math" role="region" aria-label="Formula" tabindex="0">{formula}</div>\n'
    )
    _skip()


def _skip() -> None:
    from docutils.nodes import SkipNode  # noqa: PLC0415 - the site's dependency, not the course's

    raise SkipNode


_WRAPPED = re.compile(r"<p>(<details>.*?</details>)</p>", re.DOTALL)


def unwrapped(body: str) -> str:
    """Return a page's HTML without paragraphs around `<details>`, which may not stand in one.

    Examples
    --------
    >>> unwrapped("<td><p><details>a</details></p></td>")
    '<td><details>a</details></td>'
    """
    return _WRAPPED.sub(r"\1", body)


def _on_page(app, pagename, templatename, context, doctree) -> None:
    if "body" in context:
        context["body"] = unwrapped(context["body"])
    if "furo_navigation_tree" in context:  # a heading must say its level
        tree = context["furo_navigation_tree"]
        context["furo_navigation_tree"] = tree.replace(
            'role="heading"', 'role="heading" aria-level="2"'
        )


def setup(app) -> dict:
    """Register with Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("html-page-context", _on_page, priority=900)  # after the theme
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
