"""Terms and meanings are joined: links both ways, nothing left over on either side."""

import doctest
import json

import pytest
from sample_lesson import NAME, SAMPLE, sample

from utils.authoring import glossary
from utils.authoring.notebook import to_text

KNOWN = {"Mean": "all values added up, divided by their number.", "t-test": "A test."}


def test_a_mark_becomes_a_link_that_says_what_the_term_means():
    linked = glossary.linker({"random slope": "One for each hospital."}, "glossary.ipynb")
    text = "A **<dfn>Random\nslope</dfn>** and a <dfn>quark</dfn>."
    assert linked(text) == (
        "A **[<dfn>Random\nslope</dfn>](glossary.ipynb#random-slope "
        '"One for each hospital.")** and a <dfn>quark</dfn>.'
    )


def test_a_term_is_found_with_the_heading_above_it():
    assert glossary.marks(sample()) == [("mean", "What you will be able to do")]
    (entry,) = glossary.entries([sample()], KNOWN)
    assert (entry.term, entry.section) == ("Mean", "What you will be able to do")


def test_the_page_leads_to_the_lesson_and_the_lesson_to_the_page():
    page = json.loads(to_text(glossary.notebook([sample()], KNOWN)))
    intro, letter = ("".join(cell["source"]) for cell in page["cells"])
    assert "The 1 terms" in intro
    assert letter.startswith("## M\n\n### Mean\n\nAll values added up, divided by their number. ")
    assert f"({NAME}.ipynb#What-you-will-be-able-to-do)" in letter
    foot = glossary.foot(sample(), KNOWN, "../notebooks/glossary.ipynb")
    assert foot.endswith("glossary: [Mean](../notebooks/glossary.ipynb#Mean).")
    assert glossary.foot(sample(SAMPLE.replace("dfn>", "em>")), KNOWN, "glossary.ipynb") == ""


def test_terms_are_in_alphabetical_order_whatever_their_case():
    source = sample(SAMPLE.replace("<dfn>mean</dfn>", "<dfn>NUTS</dfn> <dfn>mean</dfn>"))
    found = glossary.entries([source], {"NUTS": "A sampler.", **KNOWN})
    assert [entry.term for entry in found] == ["Mean", "NUTS"]


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({}, "lesson 7 defines 'mean': give it a meaning"),
        (KNOWN, "lists 't-test', which no lesson marks"),
        ({"mean": "No full stop"}, "ends with a full stop"),
        ({"mean": " ".join(["word"] * 26) + "."}, "got 26 words"),
        ({"mean": 'The "middle".'}, "no double quote"),
    ],
)
def test_what_does_not_fit_is_named(known, told):
    (fault,) = glossary.faults([sample()], known)
    assert told in fault


def test_what_fits_has_no_fault():
    assert glossary.faults([sample()], {"mean": KNOWN["Mean"]}) == []


def test_doctests():
    assert doctest.testmod(glossary).failed == 0
