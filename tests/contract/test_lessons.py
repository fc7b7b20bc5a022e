"""Every lesson keeps the contract; every generated file is what its source gives."""

import json

import pytest
import textstat

from tests.contract.reading import prose
from utils import ROOT
from utils.authoring import glossary
from utils.authoring.builder import stale
from utils.authoring.contract import RULES, faults
from utils.authoring.course import LESSONS
from utils.authoring.lesson import text_of
from utils.authoring.rules_content import broken_links, links, terms, unclaimed

# Flesch-Kincaid grade. The lessons lie between 3.8 and 6.1; a newspaper lies near 10.
HARDEST = 7.0
NAMES = sorted(path.stem for path in (ROOT / "solutions").glob("[0-9]*.py"))


def report(found):
    return "\n".join(["", *found])


def test_every_copy_is_what_its_source_gives(known):
    found = [f"{s.path.relative_to(ROOT)}: {s.why}. Run: {s.command}" for s in stale(ROOT, known)]
    assert not found, report(found)


def test_lessons_are_named_as_planned():
    assert set(NAMES) <= {plan.name for plan in LESSONS}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", NAMES)
def test_contract(lessons, name, rule):
    assert name in lessons, f"{name} is not built. Run: python -m utils.authoring {int(name[:2])}"
    found = faults(lessons[name], rule)
    assert not found, report(found)


@pytest.mark.parametrize("name", NAMES)
def test_links_resolve(lessons, name):
    found = links(lessons[name], ROOT)
    assert not found, report(found)


@pytest.mark.parametrize("name", NAMES)
def test_the_text_is_easy_to_read(lessons, name):
    grade = textstat.flesch_kincaid_grade(prose(lessons[name].source))
    assert grade <= HARDEST, f"grade {grade:.1f}: shorter sentences, plainer words"


def test_hard_prose_would_be_noticed():
    hard = (
        "Notwithstanding considerable methodological heterogeneity, multidimensional hierarchical "
        "parameterisations necessitate computationally demanding approximations."
    )
    assert textstat.flesch_kincaid_grade(hard) > 2 * HARDEST


def test_each_term_is_defined_once(lessons):
    found = terms(tuple(lessons.values()))
    assert not found, report(found)


def test_the_glossary_holds_the_terms_of_the_lessons(lessons, known):
    found = glossary.faults([lesson.source for lesson in lessons.values()], known.terms)
    assert not found, report(found)


def test_links_of_the_glossary_resolve(lessons):
    page = ROOT / "notebooks" / f"{glossary.NAME}.ipynb"
    text = "\n".join(text_of(cell) for cell in json.loads(page.read_text("utf-8"))["cells"])
    found = broken_links(text, page, ROOT)
    assert not found, report(found)


def test_exercises_belong_to_written_lessons(known):
    declared = {exercise.id: exercise.lesson for exercise in known.exercises.values()}
    found = unclaimed(declared, [int(name[:2]) for name in NAMES])
    assert not found, report(found)


def test_every_claim_is_planned_and_known(known):
    planned = {claim for plan in LESSONS for claim in plan.claims}
    assert planned == set(known.claims)


def test_lessons_need_earlier_lessons_that_exist(lessons):
    for lesson in lessons.values():
        needs = lesson.source.course["needs"]
        assert all(0 <= number < lesson.number for number in needs), lesson.source.name


def test_no_lesson_is_exempt_from_a_rule_that_it_keeps(lessons):
    unneeded = [
        f"{lesson.source.name}: {rule}"
        for lesson in lessons.values()
        for rule in lesson.plan.exempt
        if not RULES[rule](lesson)
    ]
    assert not unneeded, report(unneeded)
