"""The report of a league table: a template to fill, a checklist, and a rubric for its reader.

Examples
--------
>>> fill("$n patients of $hospitals hospitals.", n=3589, hospitals=17)
'3589 patients of 17 hospitals.'
"""

from __future__ import annotations

from string import Template

import pandas as pd
from IPython.display import HTML

__all__ = ["EVIDENCE", "TEMPLATE", "checklist", "fill", "in_full", "rubric"]

TEMPLATE = """\
### $title

**Question.** $question

**Plan.** $plan

**Patients.** $patients patients of $hospitals hospitals, $smallest to $largest in each. $missing

**What a number means.** $estimand It is not $not_estimand.

**Model.** $model Priors: $priors

**Checks.** $checks

**Result.** SD between hospitals (log scale): $hospital_sd. Of $pairs pairs of hospitals, $apart \
can be told apart (probability of the order above .95). The longest, as a ratio to the typical \
stay and as a place, with 95 % intervals: $longest. Probability that $highest is truly the \
longest: $p_highest.

**Decision.** $rule Visit: $visit. Expected saving: $saving bed-days, and with probability \
$p_loss it is a loss; by the old rule ($old_rule): $old_saving.

**If we are wrong about the model.** $sensitivity

**What this cannot say.** $limits

**Not done.** $not_done
"""

EVIDENCE = """\
### $title

**Question.** $question

**Plan.** $plan

**Patients.** $trial_patients in $trial_hospitals hospitals of a trial, $registry_patients in \
$registry_hospitals hospitals of a registry. $missing

**What a number means.** $estimand

**Model.** $model Priors: $priors

**Checks.** $checks

**Result.** Trial: $effect mmHg (95 % interval $low to $high). Registry: $crude mmHg crude, \
$within mmHg within hospitals (95 % interval $within_low to $within_high). \
We sign $signed, because $why.

**Hospitals.** $highest has the highest pressure with probability $p_highest; its place is \
$place_low to $place_high of $trial_hospitals (95 % interval).

**Decision.** $rule Expected saving: $saving bed-days, so: $decision.

**If we are wrong about the model.** $sensitivity

**What this cannot say.** $limits

**Not done.** $not_done
"""

_CHECKLIST = (
    ("question", "the question, who asked, and what will be decided by the answer"),
    ("estimand", "what one number of the table means, and for which patients"),
    ("plan", "the plan, with its date: before or after the outcomes were seen"),
    ("patients", "who is in and who is not, how many, how many in each hospital"),
    ("missing", "what is missing, why, and what was done about it"),
    ("graph", "what differs between hospitals, what was measured of it, and what was not"),
    ("model", "the model in one line, both levels, with the scale of the outcome"),
    ("priors", "each prior as a statement about patients, and why"),
    ("engine", "software with versions, chains, draws, and their diagnostics"),
    ("checks", "checks of patients and of hospitals, those that failed as well"),
    ("result", "estimates with intervals, never places without intervals"),
    ("sensitivity", "what another prior, model or hospital left out would change"),
    ("decision", "the rule, its costs, and what it decides"),
    ("limits", "what was not done, and what the table must not be used for"),
    ("rerun", "data and code with which a stranger gets the same numbers"),
)

_RUBRIC = (
    (
        "question and estimand",
        "a reader can say what one number means, and for whom",
        "there, but vague about patients or comparison",
    ),
    (
        "plan",
        "written before the fit; what changed since is said",
        "there, but without a decision rule",
    ),
    (
        "cause",
        "says what was randomised and what was not, and what may still bias each number",
        "names a confounder, draws no conclusion",
    ),
    (
        "uncertainty",
        "every estimate with an interval; places with intervals",
        "intervals for some",
    ),
    (
        "checks",
        "one check at each level that could have failed, with its outcome",
        "checks that could not fail",
    ),
    (
        "sensitivity",
        "another prior and another model, and whether the decision moved",
        "one of them",
    ),
    (
        "decision",
        "follows from probabilities and stated costs",
        "a decision without its costs",
    ),
    (
        "plain words",
        "the director of a hospital would understand it, on one page",
        "right, but only for a statistician",
    ),
)


def fill(template: str, **numbers: object) -> str:
    """Return the template with each ``$name`` replaced.

    Parameters
    ----------
    template : str
        Text with names such as ``$hospital_sd``; ``$$`` is a dollar sign.
    **numbers
        A value for each name, as it shall be read: round before.

    Raises
    ------
    ValueError
        If a name of the template has no value, a value has no place, or a ``$`` has no name.
    """
    pattern = Template(template)
    if not pattern.is_valid():
        raise ValueError("a $ of the template has no name after it; write $$ for a dollar sign")
    wanted = set(pattern.get_identifiers())
    without, unused = sorted(wanted - set(numbers)), sorted(set(numbers) - wanted)
    if without:
        raise ValueError(f"the report needs a value for each name; missing: {', '.join(without)}")
    if unused:
        raise ValueError(f"the template has no place for: {', '.join(unused)}")
    return pattern.substitute(numbers)


def checklist() -> pd.DataFrame:
    """Return what a report of a mixed model must say: 15 items, with an empty column to tick."""
    table = pd.DataFrame(_CHECKLIST, columns=["item", "what the reader must find"])
    return table.set_index("item").assign(found="")


def rubric() -> pd.DataFrame:
    """Return the rubric for a reader of the report: 2, 1 or 0 points for each of 8 criteria.

    0 points are for what is not there.
    """
    names = ["criterion", "2 points", "1 point"]
    return pd.DataFrame(_RUBRIC, columns=names).set_index("criterion").assign(points="")


def in_full(table: pd.DataFrame) -> HTML:
    """Return a table of sentences to be read: whole, at the left, and not cut to 50 characters.

    Parameters
    ----------
    table : DataFrame

    Examples
    --------
    >>> "on one page" in in_full(rubric()).data
    True
    """
    with pd.option_context("display.max_colwidth", None):
        page = table.rename_axis(index=None).to_html(border=0, justify="left")
    return HTML(page.replace("<td>", '<td style="text-align: left">'))
