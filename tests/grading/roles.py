"""Students for a simulated class: what each hands in, and what it must be worth.

A role takes a student's own copy of an assignment and returns the file that is handed in, with the
points that each exercise must get. It knows the right answers from the instructor's notebook and
the wrong ones from the exercises' declarations; it does not ask the grader.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from utils.exercises.declare import Choice, Flaw, Number, Vector
from utils.exercises.grade import expected, tolerance
from utils.exercises.registry import all_exercises

BLANK, RIGHT, WRONG = "not attempted", "right", "not yet"


@dataclass
class Paper:
    """What a role works on: a student's copy, the solutions, and the student's hospitals."""

    student: str
    notebook: dict
    spec: Mapping
    solutions: Mapping[str, str]
    studies: Mapping[int, object]
    neighbours: Mapping[int, object]
    course: str  # where the class folder is, for those who look for it

    def cell(self, role: str, exercise: str) -> dict:
        return next(
            cell
            for cell in self.notebook["cells"]
            if cell["metadata"].get("course", {}).get("role") == role
            and cell["metadata"]["course"].get("exercise") == exercise
        )

    def answer(self, exercise: str, source: str) -> None:
        self.cell("answer", exercise)["source"] = source

    def study(self, exercise: str) -> object:
        return self.studies.get(int(exercise[1:3]))


@dataclass
class Due:
    """What a submission must get."""

    scores: dict[str, float]
    statuses: dict[str, str] = field(default_factory=dict)
    misconceptions: dict[str, str] = field(default_factory=dict)
    trouble: str = ""  # must stand in the report's line on trouble


Role = Callable[[Paper], tuple[bytes, Due]]


def as_file(notebook: dict) -> bytes:
    return json.dumps(notebook).encode()


def all_of(paper: Paper, share: float = 1.0) -> dict[str, float]:
    return {entry["id"]: share * entry["points"] for entry in paper.spec["exercises"]}


def nothing(paper: Paper) -> Due:
    names = [entry["id"] for entry in paper.spec["exercises"]]
    return Due(dict.fromkeys(names, 0.0), dict.fromkeys(names, BLANK))


def right(paper: Paper) -> tuple[bytes, Due]:
    for exercise, source in paper.solutions.items():
        paper.answer(exercise, source)
    return as_file(paper.notebook), Due(all_of(paper), dict.fromkeys(paper.solutions, RIGHT))


def right_in_cells_of_its_own(paper: Paper) -> tuple[bytes, Due]:
    """Work in added cells before the answer, drop all ids, and hand in with outputs."""
    data, due = right(paper)
    notebook = json.loads(data)
    cells = []
    for cell in notebook["cells"]:
        if cell["metadata"].get("course", {}).get("role") == "answer":
            added = copy.deepcopy(cell)
            added["metadata"] = {}
            cells.append(added)
            name = paper_name(paper, cell)
            cell["source"] = f"{name} = {name}"
        cell.pop("id", None)
        cells.append(cell)
    for cell in cells:
        cell.pop("id", None)
        if cell["cell_type"] == "code":
            output = {"output_type": "stream", "name": "stdout", "text": "12.3"}
            cell["outputs"], cell["execution_count"] = [output], 7
    return as_file({**notebook, "cells": cells, "nbformat_minor": 4}), due


def paper_name(paper: Paper, cell: dict) -> str:
    exercise = cell["metadata"]["course"]["exercise"]
    return next(e["name"] for e in paper.spec["exercises"] if e["id"] == exercise)


def typed(paper: Paper) -> tuple[bytes, Due]:
    """Type in the right numbers, so that the code gives the same on any data."""
    due = Due({}, {})
    for entry in paper.spec["exercises"]:
        exercise = all_exercises()[entry["id"]]
        if isinstance(exercise.answer, Number):
            value = _value(exercise, exercise.answer.reference, paper.study(entry["id"]))
            paper.answer(entry["id"], f"{entry['name']} = {value!r}")
        else:
            paper.answer(entry["id"], paper.solutions[entry["id"]])
        parts = {part["key"]: part["points"] for part in entry["parts"]}
        due.scores[entry["id"]] = sum(v for key, v in parts.items() if key != "again")
        due.statuses[entry["id"]] = RIGHT
    return as_file(paper.notebook), due


def neighbour(paper: Paper) -> tuple[bytes, Due]:
    """Hand in a neighbour's numbers where there are own hospitals, and nothing else."""
    due = nothing(paper)
    for entry in paper.spec["exercises"]:
        exercise = all_exercises()[entry["id"]]
        if exercise.own:
            value = _value(exercise, exercise.answer.reference, paper.neighbours[exercise.lesson])
            paper.answer(entry["id"], f"{entry['name']} = {value!r}")
            due.statuses[entry["id"]] = WRONG
    return as_file(paper.notebook), due


def wrong(number: int) -> Role:
    """Go wrong in each exercise in its listed way of this number, round and round."""

    def role(paper: Paper) -> tuple[bytes, Due]:
        due = Due({}, {})
        for entry in paper.spec["exercises"]:
            exercise = all_exercises()[entry["id"]]
            value, says, share = wrong_way(exercise, number, paper.study(entry["id"]))
            paper.answer(entry["id"], f"{entry['name']} = {value!r}")
            due.scores[entry["id"]] = share * entry["points"]
            due.statuses[entry["id"]] = WRONG
            if says:
                due.misconceptions[entry["id"]] = says
        return as_file(paper.notebook), due

    return role


def wrong_way(exercise, number: int, study) -> tuple[object, str | None, float]:
    """Return a wrong answer, what the check must call it, and its share of the points."""
    spec = exercise.answer
    if isinstance(spec, Choice):
        letter = sorted(spec.reasons)[number % len(spec.reasons)]
        return letter, spec.reasons[letter], 0.0
    if isinstance(spec, Flaw):
        ways = [((n, spec.reason), text, 0.0) for n, text in sorted(spec.sentences.items())]
        ways += [
            ((spec.sentence, letter), text, 0.5) for letter, text in sorted(spec.reasons.items())
        ]
        return ways[number % len(ways)]
    ways = []
    right_value, _ = expected(exercise, spec.reference, study)
    for item in spec.misconceptions:
        value, _ = expected(exercise, item.value, study)
        if (np.abs(value - right_value) > tolerance(spec, right_value)).any():
            ways.append((_value(exercise, item.value, study), item.says, 0.0))
    value, says, share = ways[number % len(ways)]
    # Where two known ways give the same number, the check may name either.
    return value, says, share


def _value(exercise, function, study) -> object:
    """Return a reference or a wrong value as a literal that a student could type."""
    result = function(study) if exercise.own else function()
    if isinstance(exercise.answer, Vector):
        return [float(number) for number in pd.Series(result)]
    return float(result)


def blank(paper: Paper) -> tuple[bytes, Due]:
    return as_file(paper.notebook), nothing(paper)
