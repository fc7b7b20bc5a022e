"""The contract of a lesson: every rule by its name. `tests/contract` holds the lessons to it."""

from __future__ import annotations

from collections.abc import Callable

from utils.authoring import rules_content as content
from utils.authoring import rules_form as form
from utils.authoring.lesson import Lesson

Rule = Callable[[Lesson], list[str]]

RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        form.tags,
        form.opening,
        form.headings,
        form.length,
        form.code_lines,
        form.code_runs,
        form.figures,
        form.figure_cells,
        form.checked_cells,
        form.stored,
        form.predictions,
        form.reveals,
        form.shown,
        form.leaks,
        content.exercises,
        content.exercise_ids,
        content.exercise_cells,
        content.exercise_kinds,
        content.options,
        content.independence,
        content.claims,
        content.widget,
    )
}


def faults(lesson: Lesson, rule: str) -> list[str]:
    """Return what a lesson has against one rule; nothing where its plan exempts it.

    Raises
    ------
    ValueError
        If the plan exempts the lesson from a rule that does not exist, or gives no reason.
    """
    for name, reason in lesson.plan.exempt.items():
        if name not in RULES or not reason.strip():
            raise ValueError(f"lesson {lesson.number} is exempt from {name!r}: {reason!r}")
    return [] if rule in lesson.plan.exempt else RULES[rule](lesson)
