"""The report's template: no gap is left open, no number is lost."""

import doctest
import html
from string import Template

import pytest

from utils import report


@pytest.mark.parametrize("template", [report.TEMPLATE, report.EVIDENCE])
def test_the_template_is_filled_whole(template):
    names = Template(template).get_identifiers()
    text = report.fill(template, **{name: f"<{name}>" for name in names})
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


@pytest.mark.parametrize("table", [report.checklist(), report.rubric()])
def test_a_table_of_sentences_is_shown_without_cutting_any(table):
    page = html.unescape(report.in_full(table).data)
    assert "..." not in page
    assert all(sentence in page for sentence in table.to_numpy().ravel())
    assert "..." in table._repr_html_()  # what in_full is for


def test_the_examples_run():
    assert doctest.testmod(report).failed == 0
