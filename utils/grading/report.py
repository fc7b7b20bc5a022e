"""What the instructor reads: a CSV for the gradebook, and a page that shows who is stuck where."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from utils.exercises.predictions import SURE
from utils.grading.alike import Pair, alike
from utils.grading.assignment import REASON
from utils.grading.folder import Folder, Student
from utils.grading.grade import results, submission

_PREDICTION = re.compile(r"P\d\d\.[1-9]\d?")
_MOST_PREDICTIONS = 500


@dataclass(frozen=True)
class Row:
    """One student's line."""

    student: Student
    scores: Mapping[str, float]
    automatic: float
    by_hand: float
    to_read: int
    late: bool
    status: str

    @property
    def total(self) -> float:
        """All points so far."""
        return self.automatic + self.by_hand


@dataclass(frozen=True)
class Summary:
    """All that the report shows.

    Parameters
    ----------
    spec : mapping
        The assignment.
    rows : list of Row
        Every student of the roster, and who else handed in.
    rulings : mapping
        Exercise -> how many were right, not yet, not attempted.
    misconceptions : mapping
        Exercise -> (what the check says of it, students), the most frequent first.
    calibration : list
        How sure, predictions, hits; over the class.
    trouble : list
        Student, and what went wrong with the submission.
    pairs : list of Pair
        Alike reasons.
    """

    spec: Mapping
    rows: list[Row]
    rulings: Mapping[str, Counter]
    misconceptions: Mapping[str, list[tuple[str, list[str]]]]
    calibration: list[tuple[str, int, int]]
    trouble: list[tuple[str, str]]
    pairs: list[Pair]


def summarise(folder: Folder, name: str, books: Mapping[str, Mapping] | None = None) -> Summary:
    """Gather the report of an assignment.

    Parameters
    ----------
    folder, name
        The class and the assignment.
    books : mapping, optional
        What `utils.grading.bridge.gradebook_scores` returned: points by hand, and who was late.
    """
    spec = folder.assignment(name)
    graded = {result["student"]: result for result in results(folder, name)}
    roster = {student.id: student for student in folder.students()}
    everyone = {**roster, **{s: Student(s) for s in graded if s not in roster}}
    rulings: dict[str, Counter] = defaultdict(Counter)
    wrong: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for student, result in graded.items():
        for item in result["exercises"]:
            rulings[item["exercise"]][item["status"]] += 1
            if item["misconception"]:
                wrong[item["exercise"]][item["misconception"]].append(student)
    ranked = {
        exercise: sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        for exercise, found in wrong.items()
    }
    return Summary(
        spec=spec,
        rows=[
            _row(student, graded.get(s), (books or {}).get(s)) for s, student in everyone.items()
        ],
        rulings=rulings,
        misconceptions=ranked,
        calibration=calibration(folder, name, list(graded)),
        trouble=_trouble(graded),
        pairs=_pairs(folder, spec, list(graded)),
    )


def _row(student: Student, result: Mapping | None, book: Mapping | None) -> Row:
    scores = {i["exercise"]: i["score"] for i in result["exercises"]} if result else {}
    book = book or {}
    return Row(
        student=student,
        scores=scores,
        automatic=float(sum(scores.values())),
        by_hand=float(sum(book.get("by_hand", {}).values())),
        to_read=int(book.get("to_read", 0)),
        late=book.get("late", 0) > 0,
        status="not handed in" if result is None else result["ended"] or "graded",
    )


def _trouble(graded: Mapping[str, Mapping]) -> list[tuple[str, str]]:
    found = []
    for student, result in sorted(graded.items()):
        again = result["ended_again"]
        texts = [
            result["ended"],
            f"run on other data, it {again}" if again and again != result["ended"] else "",
            result.get("remark", ""),
        ]
        if any(texts):
            found.append((student, "; ".join(filter(None, texts))))
    return found


def calibration(folder: Folder, name: str, students: list[str]) -> list[tuple[str, int, int]]:
    """Return, for each degree of sureness, the class's predictions and hits.

    What students handed in is read with care: anything that is no prediction is left out.
    """
    counts = {sure: [0, 0] for sure in SURE}
    for student in students:
        path = folder.path("inbox", name, student, "predictions.json")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            entries = list(content["predictions"].items())[:_MOST_PREDICTIONS]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        for key, entry in entries:
            known = isinstance(entry, dict) and _PREDICTION.fullmatch(key)
            if known and entry.get("sure") in SURE and isinstance(entry.get("hit"), bool):
                counts[entry["sure"]][0] += 1
                counts[entry["sure"]][1] += entry["hit"]
    return [(sure, n, hits) for sure, (n, hits) in counts.items()]


def _pairs(folder: Folder, spec: Mapping, students: list[str]) -> list[Pair]:
    written: dict[str, dict[str, str]] = defaultdict(dict)
    questions: dict[str, str] = {}
    for student in students:
        text = ""
        for cell in submission(folder, spec["name"], student).cells:
            course = cell.metadata.get("course", {})
            if course.get("role") == "reason" and cell.source.strip() != REASON:
                written[course["exercise"]][student] = cell.source
                questions[course["exercise"]] = text
            elif cell.cell_type == "markdown" and not course:
                text = cell.source
    found = [alike(e, texts, questions[e]) for e, texts in sorted(written.items())]
    return [pair for pairs in found for pair in pairs]


def grades_csv(summary: Summary) -> str:
    """Return the CSV: a line for each student, a column for each exercise."""
    exercises = [entry["id"] for entry in summary.spec["exercises"]]
    head = ["id", "last_name", "first_name", "email", *exercises]
    head += ["automatic", "by_hand", "total", "out_of", "to_read", "late", "status"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for row in summary.rows:
        who = row.student
        scores = [f"{row.scores.get(exercise, 0):g}" for exercise in exercises]
        last = [f"{row.automatic:g}", f"{row.by_hand:g}", f"{row.total:g}"]
        last += [f"{out_of(summary.spec):g}", row.to_read, "late" if row.late else "", row.status]
        names = map(_harmless, (who.id, who.last_name, who.first_name, who.email))
        writer.writerow([*names, *scores, *last])
    return out.getvalue()


def out_of(spec: Mapping) -> float:
    """Return the points of an assignment, those given by hand included."""
    return float(sum(entry["points"] + entry["reason_points"] for entry in spec["exercises"]))


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def write_report(folder: Folder, name: str) -> list[Path]:
    """Write `reports/NAME/grades.csv` and `report.html`; return their paths."""
    from utils.grading.page import page  # noqa: PLC0415 - only here

    books: Mapping[str, Mapping] = {}
    if folder.path("gradebook.db").exists():
        from utils.grading.bridge import gradebook_scores  # noqa: PLC0415 - slow to import

        books = gradebook_scores(folder, name)
    summary = summarise(folder, name, books)
    files = {"grades.csv": grades_csv(summary), "report.html": page(summary)}
    for file, text in files.items():
        folder.write(f"reports/{name}/{file}", text)
    return [folder.path("reports", name, file) for file in files]
