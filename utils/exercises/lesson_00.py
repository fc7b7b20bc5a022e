"""The checks of lesson 0, start here, and its placement quiz."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number
from utils.exercises.display import Displayable, box
from utils.simulate import Study, med_trial


def trial() -> Study:
    """Return the trial that lesson 0 looks at."""
    return med_trial(patients_per_hospital=(8, 24), treatment_effect=-5, hospital_sd=5, rng=12)


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own hospitals: some large, some small, all given the drug by patient."""
    return med_trial(
        n_hospitals=int(rng.integers(10, 17)),
        patients_per_hospital=(8, 24),
        treatment_effect=-round(float(rng.uniform(3, 9)), 1),
        hospital_sd=round(float(rng.uniform(3, 8)), 1),
        patient_sd=round(float(rng.uniform(9, 14)), 1),
        rng=rng,
    )


def _groups(data: pd.DataFrame) -> pd.Series:
    return data.groupby("treated")["sbp"].mean()


def _effect(data: pd.DataFrame) -> float:
    groups = _groups(data)
    return float(groups[1] - groups[0])


def _median_effect(data: pd.DataFrame) -> float:
    groups = data.groupby("treated")["sbp"].median()
    return float(groups[1] - groups[0])


def _mean_of_hospitals(data: pd.DataFrame) -> float:
    arms = data.groupby(["hospital", "treated"], observed=True)["sbp"].mean().unstack()
    return float((arms[1] - arms[0]).mean())


def _means(data: pd.DataFrame) -> pd.Series:
    return data.groupby("hospital", observed=True)["sbp"].mean()


def _gap(values: pd.Series) -> float:
    return float(values.max() - values.min())


EXERCISES = (
    Exercise(
        id="E00.1",
        title="What does the drug do?",
        objective="compute a difference of means, with its sign",
        kind="code",
        minutes=3,
        difficulty=1,
        answer=Number(
            quantity="the difference",
            unit="mmHg",
            reference=lambda: _effect(trial().data),
            absolute=0.03,
            tolerance_reason="closed form; one decimal is enough",
            misconceptions=(
                Misconception(
                    "You subtracted the other way round: untreated minus treated. Start from the "
                    "treated; a drug that lowers pressure then has a negative effect.",
                    lambda: -_effect(trial().data),
                ),
                Misconception(
                    "That is the mean of the treated patients. Subtract the mean of the untreated.",
                    lambda: float(_groups(trial().data)[1]),
                ),
                Misconception(
                    "That is the mean of the untreated patients. It is what the treated are "
                    "compared with.",
                    lambda: float(_groups(trial().data)[0]),
                ),
                Misconception(
                    "That is the truth from which the trial was made. The trial's own patients "
                    "give another number: compute theirs.",
                    lambda: trial().truth.treatment_effect,
                ),
                Misconception(
                    "That is the mean of the 30 hospitals' differences, where a hospital of 8 "
                    "counts as much as one of 24. Here each patient counts once.",
                    lambda: _mean_of_hospitals(trial().data),
                ),
                Misconception(
                    "That is a difference of medians. The question asks for means.",
                    lambda: _median_effect(trial().data),
                ),
                Misconception(
                    "That is the difference in per cent of the untreated mean. The question asks "
                    "for mmHg.",
                    lambda: 100 * _effect(trial().data) / float(_groups(trial().data)[0]),
                ),
            ),
        ),
        insight="It is near the true effect and not equal to it, as an estimate should be.",
    ),
    Exercise(
        id="E00.2",
        title="In which order?",
        objective="tell from the cell numbers what a kernel remembers",
        kind="interpret",
        minutes=3,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="the number 2 is missing, so a cell that ran second was run again later. That is "
            "the middle one: it ran before the print, which shows 25, and once more after it.",
            reasons={
                "a": "The middle cell ran after the first one and changed it.",
                "b": "25 was true when it was printed, as run number 3. The middle cell shows [4]: "
                "it ran once more after that.",
                "d": "One can. The page shows which cell ran last, and the print shows what beds "
                "was just before.",
            },
        ),
        insight="Restart Kernel and Run All Cells, and page and memory agree again.",
    ),
    Exercise(
        id="E00.3",
        title="Spot the flaw",
        objective="tell a difference between means from a difference between patients",
        kind="spot the flaw",
        minutes=5,
        difficulty=2,
        answer=Flaw(
            sentence=4,
            reason="b",
            why="The placebo mean lies 8/12 of a standard deviation above the drug's mean. In a "
            "bell-shaped group about a quarter of the patients lie above that.",
            sentences={
                1: "A lot makes the groups comparable. Nothing is wrong with that.",
                2: "Two means, plainly stated.",
                3: "A report should say how much patients differ. This one does.",
                5: "The standard error is 12 × √(1/200 + 1/200) = 1.2, and 132 − 140 is −8.",
            },
            reasons={
                "a": "That is for doctors and patients to judge, and no sentence rests on it.",
                "c": "A lot is the best reason there is to compare groups by their means.",
                "d": "That would give the standard error of a mean. Single patients scatter by the "
                "standard deviation itself.",
            },
        ),
    ),
    Exercise(
        id="E00.4",
        title="Your own hospitals",
        objective="get an answer from data that nobody else has",
        kind="code",
        minutes=4,
        difficulty=1,
        own=True,
        answer=Number(
            quantity="the gap",
            unit="mmHg",
            reference=lambda study: _gap(_means(study.data)),
            absolute=0.11,
            tolerance_reason="closed form; the table shows one decimal, and two roundings differ "
            "by at most 0.1",
            low=0,
            misconceptions=(
                Misconception(
                    "That is the gap between your highest and your lowest patient. Take the "
                    "hospitals' means.",
                    lambda study: _gap(study.data["sbp"]),
                ),
                Misconception(
                    "That is the highest mean. Subtract the lowest.",
                    lambda study: float(_means(study.data).max()),
                ),
                Misconception(
                    "That is the lowest mean. Subtract it from the highest.",
                    lambda study: float(_means(study.data).min()),
                ),
                Misconception(
                    "That is the standard deviation of the means. Here the question is about the "
                    "two ends only.",
                    lambda study: float(_means(study.data).std()),
                ),
                Misconception(
                    "You took the first and the last hospital of the list. Take the highest and "
                    "the lowest mean.",
                    lambda study: abs(
                        float(_means(study.data).iloc[-1] - _means(study.data).iloc[0])
                    ),
                ),
            ),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)


@dataclass(frozen=True)
class Question:
    """A question of the placement quiz: where it belongs, and what each letter means."""

    lesson: int
    topic: str
    correct: str
    says: Mapping[str, str]


QUESTIONS: dict[int, Question] = {
    1: Question(
        1,
        "standard error",
        "b",
        {
            "a": "That is the standard deviation, 12 mmHg here: ten times as large.",
            "b": "It is about the mean, not about patients.",
            "c": "Such an interval is about the true mean. Patients scatter far more widely.",
        },
    ),
    2: Question(
        1,
        "interaction",
        "c",
        {
            "a": "That would be the coefficient of age, and it holds for the untreated.",
            "b": "A coefficient says nothing about who was treated.",
            "c": "An interaction is a difference between effects.",
        },
    ),
    3: Question(
        2,
        "intraclass correlation",
        "a",
        {
            "a": "It is a share of variance, and also the correlation of two patients of a "
            "hospital.",
            "b": "It is a share of the variance, not of the hospitals.",
            "c": "It measures how much hospitals differ. It is not a p-value.",
        },
    ),
    4: Question(
        2,
        "treatment by hospital",
        "c",
        {
            "a": "The lot protects the estimate from bias. Its error is another matter.",
            "b": "That happens when the lot is drawn for each patient within a hospital.",
            "c": "Twenty hospitals were drawn, not 1,000 patients.",
        },
    ),
    5: Question(
        3,
        "shrinkage",
        "b",
        {
            "a": "Unbiased for one hospital. But the top of thirty is there partly by luck.",
            "b": "And the fewer its patients, the harder the pull.",
            "c": "Even five patients say something. No hospital is dropped.",
        },
    ),
    6: Question(
        3,
        "fixed or random",
        "c",
        {
            "a": "Fixed effects and robust errors deal with likeness too. It is a symptom, not the "
            "reason.",
            "b": "Any category can have fixed effects.",
            "c": "Random effects share what is known among the hospitals.",
        },
    ),
}
AFTER_ALL = 4  # the lesson to start with where nothing was missed


@dataclass(frozen=True, repr=False)
class Placement(Displayable):
    """Where to start, and why.

    Attributes
    ----------
    lesson : int or None
        The lesson to start with; None before the first answer.
    sentence : str
        The advice in words.
    feedback : tuple of str
        One line a question.
    """

    lesson: int | None
    sentence: str
    feedback: tuple[str, ...] = ()

    def plain(self) -> str:
        """Return the advice, then a line for each question."""
        return "\n".join((f"placement · {self.sentence}", *self.feedback))

    def html(self) -> str:
        """Return the box, with the questions as a list."""
        items = "".join(f"<li>{html.escape(line)}</li>" for line in self.feedback)
        listed = f'<ul style="margin:.3em 0;padding-left:1.2em">{items}</ul>' if items else ""
        tone = "open" if self.lesson is None else "good"
        return box(tone, ("placement",), (self.sentence,), listed)


def placement(answers: object) -> Placement:
    """Say which lesson to start with, from the answers to the placement quiz.

    You start with the first lesson of which you missed a question or left one open. Whatever it
    is given, it gives advice and raises nothing.

    Parameters
    ----------
    answers : mapping
        Number of the question to a letter. What is no letter of that question counts as open.

    Returns
    -------
    Placement
        Displayable.

    Examples
    --------
    >>> placement({1: "b", 2: "c", 3: "b"}).lesson
    2
    """
    letters = _letters(answers)
    if not letters:
        return Placement(
            None, 'No answer yet. Put letters in place of the dots, such as 1: "a", and run again.'
        )
    feedback, missed = [], []
    for number, question in QUESTIONS.items():
        letter = letters.get(number)
        right = letter == question.correct
        if not right:
            missed.append(question.lesson)
        says = question.says[letter] if letter else f"It comes up in lesson {question.lesson}."
        ruling = "right" if right else "not yet" if letter else "open"
        feedback.append(f"{number} {question.topic} · {ruling} · {says}")
    if not missed:
        sentence = f"All six right: your start is lesson {AFTER_ALL}."
        return Placement(AFTER_ALL, sentence, tuple(feedback))
    lesson = min(missed)
    sentence = "Start with lesson 1." if lesson == 1 else f"Go straight to lesson {lesson}."
    return Placement(lesson, sentence, tuple(feedback))


def _letters(answers: object) -> dict[int, str]:
    """Return the valid letters by question; keys and letters may be written in any way."""
    if not isinstance(answers, Mapping):
        return {}
    found = {}
    for key, value in answers.items():
        name = str(key).strip() if isinstance(key, (int, str)) else ""
        number = int(name) if name.isdecimal() and len(name) <= 2 else 0
        letter = value.strip().strip("()*.").lower() if isinstance(value, str) else ""
        if number in QUESTIONS and letter in QUESTIONS[number].says:
            found[number] = letter
    return found
