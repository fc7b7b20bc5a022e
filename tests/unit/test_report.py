"""The report's template: no gap is left open, no number is lost."""

import doctest
from string import Template

import pytest

from utils import report


def test_the_template_is_filled_whole():
    names = Template(report.TEMPLATE).get_identifiers()
    text = report.fill(report.TEMPLATE, **{name: f"<{name}>" for name in names})
    assert "$" not in text
    assert all(f"<{name}>" in text for name in names)


def test_a_gap_a_surplus_and_a_bare_dollar_are_refused():
    with pytest.raises(ValueError, match="missing: rule, visit"):
        report.fill("$visit by $rule and $cost", cost=3)
    with pytest.raises(ValueError, match="no place for: saving"):
        report.fill("$visit", visit="H01", saving=3)
    with pytest.raises(ValueError, match=r"\$\$"):
        report.fill("$ 5")


def test_the_checklist_and_the_rubric_are_complete_tables():
    items, criteria = report.checklist(), report.rubric()
    assert len(items) == 15 and items.index.is_unique and (items["found"] == "").all()
    assert len(criteria) == 8 and (criteria[["2 points", "1 point"]] != "").all(axis=None)


def test_the_examples_run():
    assert doctest.testmod(report).failed == 0
