"""The plan of the course: its lessons, their questions, and the claims that each puts on trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

PARTS = (
    "Start",
    "Part I: ordinary regression",
    "Part II: mixed models",
    "Part III: Bayesian hierarchical models",
)


@dataclass(frozen=True)
class Plan:
    """One lesson as it is planned, written or not.

    Parameters
    ----------
    number : int
        0 to 19.
    slug : str
        The rest of the file name.
    title : str
        The lesson's heading, without the number.
    part : int
        Index into `PARTS`.
    question : str
        The question from the ward. Once the lesson is written, its own header is what counts.
    claims : tuple of str
        Ids of the claims that the lesson's verdict cells rule on.
    exempt : mapping of str to str
        Name of a rule in `utils.authoring.contract` -> why this lesson need not follow it.
    """

    number: int
    slug: str
    title: str
    part: int
    question: str
    claims: tuple[str, ...] = ()
    exempt: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def name(self) -> str:
        """File name without its suffix, such as `02_patients_share_a_hospital`."""
        return f"{self.number:02d}_{self.slug}"


_START = MappingProxyType(
    {"length": "it shows how things work and teaches no statistics of its own"}
)

LESSONS = (
    Plan(
        0,
        "start_here",
        "Start here",
        0,
        "Does everything work, and at which lesson should you begin?",
        exempt=_START,
    ),
    Plan(
        1,
        "a_line_through_the_ward",
        "A line through the ward",
        1,
        "By how much does the drug lower blood pressure in one hospital, and how sure can you be?",
    ),
    Plan(
        2,
        "patients_share_a_hospital",
        "Patients share a hospital",
        1,
        "You have 600 patients in 20 hospitals. How many patients do you really have?",
        ("C3", "C4"),
    ),
    Plan(
        3,
        "three_ways_to_pool",
        "Three ways to pool",
        1,
        "A small hospital comes last in the league table. Is it bad, or is it small?",
        ("C1",),
    ),
    Plan(
        4,
        "reading_and_writing_a_mixed_model",
        "Reading and writing a mixed model",
        2,
        "What does a mixed model say about two patients of one hospital?",
        ("C1", "C2", "C3"),
    ),
    Plan(
        5,
        "mixedlm_in_practice",
        "MixedLM in practice",
        2,
        "Which numbers of the model's printed summary can you trust?",
        ("C4",),
    ),
    Plan(
        6,
        "slopes_that_vary",
        "Slopes that vary",
        2,
        "The drug works better in some hospitals than in others. What is 'the' effect then?",
        ("C2",),
    ),
    Plan(
        7,
        "few_hospitals_honest_inference",
        "Few hospitals, honest inference",
        2,
        "Only six hospitals took part. What can you still say, and what should you have planned?",
        ("C7",),
    ),
    Plan(
        8,
        "cause_and_cluster",
        "Cause and cluster",
        2,
        "Sicker hospitals prescribe more of the drug. Does a mixed model adjust for that?",
        ("C5",),
    ),
    Plan(
        9,
        "more_than_two_levels",
        "More than two levels",
        2,
        "Patients lie in wards, wards in hospitals, and surgeons work in several. Who varies?",
        ("C13",),
    ),
    Plan(
        10,
        "when_assumptions_crack",
        "When assumptions crack",
        2,
        "The errors are not normal and one hospital is odd. Which of your numbers still hold?",
        ("C6", "C7"),
    ),
    Plan(
        11,
        "the_same_data_a_posterior",
        "The same data, a posterior",
        3,
        "What do you gain when you say beforehand which effects you find believable?",
        ("C8", "C10"),
    ),
    Plan(
        12,
        "when_the_sampler_struggles",
        "When the sampler struggles",
        3,
        "The sampler warns of divergences. Is the answer wrong, and what do you do?",
    ),
    Plan(
        13,
        "priors_under_pressure",
        "Priors under pressure",
        3,
        "A colleague would have chosen another prior. Would the decision have been another?",
        ("C10",),
    ),
    Plan(
        14,
        "beyond_the_normal",
        "Beyond the normal",
        3,
        "Deaths are counted, and some pressures are wild. Which model fits such outcomes?",
        ("C9",),
    ),
    Plan(
        15,
        "complex_structures_complex_priors",
        "Complex structures, complex priors",
        3,
        "Many effects vary together and many predictors compete. What keeps them in check?",
        ("C7", "C13", "C14"),
    ),
    Plan(
        16,
        "what_is_missing",
        "What is missing",
        3,
        "Some patients never came back. When can you ignore that, and when must you model it?",
        ("C11", "C12"),
    ),
    Plan(
        17,
        "which_model",
        "Which model?",
        3,
        "Two models fit the data. Which one should predict the next patient, or the next hospital?",
    ),
    Plan(
        18,
        "capstone_a_league_table_you_can_defend",
        "Capstone: a league table you can defend",
        3,
        "The ministry wants a ranking of hospitals. What can you sign?",
    ),
    Plan(
        19,
        "from_thirty_hospitals_to_thirty_thousand",
        "From thirty hospitals to thirty thousand",
        3,
        "The registry holds a million patients. What still runs before lunch?",
    ),
)


def plan(number: int) -> Plan:
    """Return the plan of one lesson.

    Raises
    ------
    ValueError
        If the course has no such lesson.

    Examples
    --------
    >>> plan(2).name
    '02_patients_share_a_hospital'
    """
    for lesson in LESSONS:
        if lesson.number == number:
            return lesson
    raise ValueError(f"a lesson's number must be 0 to {LESSONS[-1].number}, got {number!r}")
