"""Grade a class: run each submission shut in, mark its answers here, keep the results."""

from __future__ import annotations

import base64
import hashlib
import json
import pickle
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from queue import Queue
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from utils.exercises.grade import grade
from utils.exercises.registry import all_exercises
from utils.grading import keys, marks
from utils.grading.collect import remark_of
from utils.grading.folder import Folder, GradingError
from utils.grading.isolate import Limits
from utils.grading.pool import Runner
from utils.grading.values import decode

_ATTEMPTS = 8
_ENDED = {
    "finished": "",
    "time": "ran out of time",
    "stopped": "ended before its last cell",
}


def submission(folder: Folder, name: str, student: str) -> NotebookNode:
    """Return the clean copy of a submission."""
    path = folder.path("submitted", student, name, f"{name}.ipynb")
    if not path.exists():
        raise GradingError(f"{student} has handed in nothing for {name}")
    return nbformat.read(path, as_version=4)


def submitted(folder: Folder, name: str) -> list[str]:
    """Return who has handed in an assignment, by id."""
    found = folder.path("submitted").glob(f"*/{name}/{name}.ipynb")
    return sorted(path.parents[1].name for path in found)


def cells_of(notebook: NotebookNode) -> list[dict]:
    """Return the code cells of a notebook as a job has them; checks are not run, only read."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        course = cell.metadata.get("course", {})
        is_check = course.get("role") == "check"
        found.append(
            {
                "id": cell.id,
                "source": "" if is_check else cell.source,
                "exercise": course.get("exercise") if is_check else None,
                "name": course.get("name") if is_check else None,
            }
        )
    return found


class Grader:
    """Grades the submissions of one assignment.

    Parameters
    ----------
    folder : Folder
        The class.
    name : str
        The assignment.
    """

    def __init__(self, folder: Folder, name: str) -> None:
        self.folder, self.name = folder, name
        self.spec = folder.assignment(name)
        self.limits = Limits(**self.spec["limits"])
        self.roster = {student.id for student in folder.students()}
        self.expected: dict[str, Any] = {}

    def prepare(self, runner: Runner) -> None:
        """Run the lesson's own solutions on other data, where exercises are graded by them."""
        if any(entry["rerun"] == marks.OTHER for entry in self.spec["exercises"]):
            hidden = self.studies(keys.EVERYONE, keys.HIDDEN)
            self.expected, _ = self._answers(runner, self.master(), hidden, again=True)

    def master(self) -> NotebookNode:
        """Return the instructor's notebook, with the solutions."""
        path = self.folder.path("source", self.name, f"{self.name}.ipynb")
        return nbformat.read(path, as_version=4)

    def differs(self, exercise_id: str, value: Any) -> bool:
        """Tell whether the right answer on other data is wrong on the lesson's own."""
        entry = next(e for e in self.spec["exercises"] if e["id"] == exercise_id)
        if entry["rerun"] != marks.OTHER:
            return True
        return grade(all_exercises()[exercise_id], decode(value)).status == "not yet"

    def _whose(self, student: str) -> str:
        return student if student in self.roster else keys.EVERYONE

    def studies(self, student: str, purpose: str) -> dict[int, Any]:
        """Return a student's hospitals by lesson."""
        entries = self.spec["exercises"]
        lessons = {entry["lesson"] for entry in entries if entry["rerun"] == marks.OWN}
        if purpose == keys.HIDDEN:
            return {lesson: self._hidden(student, lesson) for lesson in sorted(lessons)}
        secret, whose = self.folder.secret, self._whose(student)
        return {n: keys.study(secret, whose, self.name, n, purpose) for n in sorted(lessons)}

    def _hidden(self, student: str, lesson: int) -> Any:
        """Return hospitals on which the right answers to the student's own are wrong."""
        secret, whose, declared = self.folder.secret, self._whose(student), all_exercises()
        exercises = [
            declared[entry["id"]]
            for entry in self.spec["exercises"]
            if entry["lesson"] == lesson and entry["rerun"] == marks.OWN
        ]
        own = keys.study(secret, whose, self.name, lesson)
        rights = [exercise.answer.reference(own) for exercise in exercises]
        for attempt in range(_ATTEMPTS):
            purpose = f"{keys.HIDDEN} {attempt}"
            hidden = keys.study(secret, whose, self.name, lesson, purpose)
            pairs = zip(exercises, rights, strict=True)
            if all(grade(item, right, hidden).status != "right" for item, right in pairs):
                break
        return hidden

    def _answers(
        self, runner: Runner, notebook: NotebookNode, studies: Mapping[int, Any], *, again: bool
    ) -> tuple[dict[str, Any], dict]:
        """Run a notebook on hospitals by lesson; return exercise -> value, and what was said."""
        attempt = self.spec["attempt"]
        other = keys.key(self.folder.secret, keys.EVERYONE, self.name, attempt, keys.OTHER)
        job = {
            "cells": cells_of(notebook),
            "studies": {n: base64.b64encode(pickle.dumps(s)).decode() for n, s in studies.items()},
            "other_data": other if again else None,
            "limits": asdict(self.limits),
        }
        said = runner.run(job)
        known = {entry["id"] for entry in self.spec["exercises"]}
        values: dict[str, Any] = {}
        for record in said["records"]:
            exercise = record.get("exercise")
            if isinstance(exercise, str) and exercise in known:
                values.setdefault(exercise, record.get("value"))
        return values, said

    def grade(self, runner: Runner, notebook: NotebookNode, student: str) -> dict:
        """Grade one notebook; nothing is written."""
        own, hidden = (self.studies(student, purpose) for purpose in (keys.OWN, keys.HIDDEN))
        values, said = self._answers(runner, notebook, own, again=False)
        entries = self.spec["exercises"]
        again, said_again = {}, {"ended": "finished"}
        if any(entry["rerun"] for entry in entries) and values:
            again, said_again = self._answers(runner, notebook, hidden, again=True)
        declared = all_exercises()
        found = []
        for entry in entries:
            exercise = declared[entry["id"]]
            marked = marks.mark(
                exercise,
                entry,
                values.get(entry["id"]),
                again.get(entry["id"]),
                study=own.get(entry["lesson"]),
                other_study=hidden.get(entry["lesson"]),
                expected=self.expected.get(entry["id"]),
            )
            reached = entry["id"] in values
            found.append({**asdict(marked), "score": marked.score, "reached": reached})
        return {
            "student": student,
            "assignment": self.name,
            "exercises": found,
            "ended": _ENDED[said["ended"]],
            "ended_again": _ENDED[said_again["ended"]],
            "outputs": _outputs(said["records"]),
        }

    def fingerprint(self, notebook: NotebookNode, student: str) -> str:
        """Return a hash of all that a result depends on, save the course's own code."""
        key = keys.key(self.folder.secret, self._whose(student), self.name, 0, keys.HIDDEN)
        parts = [cells_of(notebook), self.spec, key]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _outputs(records: Sequence[Mapping]) -> dict[str, str]:
    found = {}
    for record in records:
        cell, said = record.get("cell"), record.get("said")
        if isinstance(cell, str) and isinstance(said, str) and said:
            found[cell] = said[:5000]
    return found


def grade_class(
    folder: Folder,
    name: str,
    students: Iterable[str] | None = None,
    *,
    workers: int = 1,
    again: bool = False,
    say: Any = print,
) -> dict[str, float]:
    """Grade all submissions, or those of some students, and write `results/`.

    Parameters
    ----------
    folder, name
        The class and the assignment.
    students : iterable of str, optional
        Whose; all who handed in, by default.
    workers : int
        Submissions at a time.
    again : bool
        Grade also what was graded and has not changed.
    say : callable
        Gets a line for each submission.

    Returns
    -------
    dict of str to float
        Seconds for each submission that was run.
    """
    grader = Grader(folder, name)
    todo = [s for s in (students or submitted(folder, name)) if again or _is_stale(grader, s)]
    if not todo:
        return {}
    seconds: dict[str, float] = {}
    runners: Queue[Runner] = Queue()

    def one(student: str) -> None:
        runner = runners.get()
        started = time.monotonic()
        try:
            notebook = submission(folder, name, student)
            result = grader.grade(runner, notebook, student)
            result["fingerprint"] = grader.fingerprint(notebook, student)
        except Exception as error:  # noqa: BLE001 - one submission must not stop the others
            result = _failed(grader, student, error)
        finally:
            runners.put(runner)
        seconds[student] = time.monotonic() - started
        result["remark"] = remark_of(folder, name, student)
        _keep(folder, name, student, result)
        earned = sum(item["score"] for item in result["exercises"])
        say(f"{student}: {earned:g} ({seconds[student]:.1f} s) {result['ended']}".rstrip())

    everyone = [Runner(grader.spec["modules"]) for _ in range(min(workers, len(todo)))]
    try:
        grader.prepare(everyone[0])
        for runner in everyone:
            runners.put(runner)
        with ThreadPoolExecutor(len(everyone)) as pool:
            list(pool.map(one, todo))
    finally:
        for runner in everyone:
            runner.close()
    return seconds


def _failed(grader: Grader, student: str, error: Exception) -> dict:
    """Return a result without points, for a submission that the grader itself could not take."""
    found = [
        {
            **asdict(marks.Marks(entry["id"], {}, "not attempted", "This could not be graded.")),
            "score": 0.0,
            "reached": False,
        }
        for entry in grader.spec["exercises"]
    ]
    ended = f"could not be graded ({type(error).__name__}): look at it by hand"
    common = {"ended": ended, "ended_again": "", "outputs": {}, "fingerprint": ""}
    return {"student": student, "assignment": grader.name, "exercises": found, **common}


def _is_stale(grader: Grader, student: str) -> bool:
    result = result_of(grader.folder, grader.name, student)
    if result is None:
        return True
    notebook = submission(grader.folder, grader.name, student)
    return result.get("fingerprint") != grader.fingerprint(notebook, student)


def result_of(folder: Folder, name: str, student: str) -> dict | None:
    """Return a submission's result, None where it was not graded."""
    path = folder.path("results", name, f"{student}.json")
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def results(folder: Folder, name: str) -> list[dict]:
    """Return all results of an assignment, by student."""
    found = (result_of(folder, name, student) for student in submitted(folder, name))
    return [result for result in found if result is not None]


def _keep(folder: Folder, name: str, student: str, result: dict) -> None:
    """Write a result, unless it says the same as before but for what cells printed."""
    before = result_of(folder, name, student)
    if before is not None and {**before, "outputs": {}} == _as_read({**result, "outputs": {}}):
        return
    folder.write_json(f"results/{name}/{student}.json", result)


def _as_read(result: dict) -> dict:
    return json.loads(json.dumps(result))
