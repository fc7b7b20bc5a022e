"""Students for a simulated class: what each hands in, and what it must be worth.

A role takes a student's own copy of an assignment and returns the file that is handed in, with the
points that each exercise must get. It knows the right answers from the instructor's notebook and
the wrong ones from the exercises' declarations; it does not ask the grader.
"""

from __future__ import annotations

import copy
import json
import random
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


# --- hostile: each tries to get points that it has not earned, or to harm the others -------------


def edits_the_tests(paper: Paper) -> tuple[bytes, Due]:
    for cell in paper.notebook["cells"]:
        if cell["metadata"].get("course", {}).get("role") == "check":
            cell["source"] = "100.0"
            cell["metadata"]["nbgrader"] |= {"points": 100, "locked": False, "checksum": "0"}
            cell["metadata"]["course"] |= {"name": "True", "exercise": "E02.1"}
    return as_file(paper.notebook), nothing(paper)


def overwrites_the_check(paper: Paper) -> tuple[bytes, Due]:
    _prepend(
        paper,
        "import sys, types, json, builtins\n"
        "import utils.exercises\n"
        "check = lambda *a, **k: 'right'\n"
        "utils.exercises.check = check\n"
        "for m in list(sys.modules.values()):\n"
        "    for n in ('grade', 'mark', 'encode', 'decode', 'check', '_answer'):\n"
        "        if hasattr(m, n):\n"
        "            try: setattr(m, n, check)\n"
        "            except Exception: pass\n"
        'json.dumps = lambda *a, **k: \'{"score": 100, "status": "right"}\'\n',
    )
    return as_file(paper.notebook), nothing(paper)


def prints_a_score(paper: Paper) -> tuple[bytes, Due]:
    for cell in paper.notebook["cells"]:
        if cell["cell_type"] == "code":
            score = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
            cell["outputs"] = [{**score, "data": {"text/plain": "100.0"}}]
    source = (
        "import os, json\n"
        "print(100.0, 'right')\n"
        "for number in range(3, 64):\n"
        '    try: os.write(number, b\'{"exercise": "E02.1", "score": 100}\\n{"end": true}\\n\')\n'
        "    except OSError: pass\n"
        "100.0"
    )
    _prepend(paper, source)
    return as_file(paper.notebook), nothing(paper)


def exits(paper: Paper) -> tuple[bytes, Due]:
    """Answer rightly, and leave hard in the third exercise."""
    right(paper)
    return _break_off(paper, "import os\nos._exit(0)", "ended before its last cell")


def loops_for_ever(paper: Paper) -> tuple[bytes, Due]:
    """Answer rightly, and loop in the third exercise so that no exception ends it."""
    right(paper)
    loop = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    return _break_off(paper, loop, "ran out of time")


def loops_honestly(paper: Paper) -> tuple[bytes, Due]:
    """Answer rightly, but for one cell that does not end: the others must count."""
    _, due = right(paper)
    spoilt = list(paper.solutions)[2]
    paper.answer(spoilt, "while True: pass")
    due.scores[spoilt], due.statuses[spoilt] = 0.0, BLANK
    return as_file(paper.notebook), due


def fills_memory(paper: Paper) -> tuple[bytes, Due]:
    _, due = right(paper)
    spoilt = list(paper.solutions)[1]
    paper.answer(spoilt, "hoard = []\nwhile True: hoard.append(bytearray(2**26))")
    due.scores[spoilt], due.statuses[spoilt] = 0.0, BLANK
    return as_file(paper.notebook), due


def deletes_cells(paper: Paper) -> tuple[bytes, Due]:
    """Delete everything but the right answers: they must count as if all were there."""
    _, due = right(paper)
    keep = [
        cell
        for cell in paper.notebook["cells"]
        if cell["metadata"].get("course", {}).get("role") == "answer"
    ]
    due.trouble = "put back"
    return as_file({**paper.notebook, "cells": keep[::-1]}), due


def deletes_its_answers(paper: Paper) -> tuple[bytes, Due]:
    keep = [
        cell
        for cell in paper.notebook["cells"]
        if cell["metadata"].get("course", {}).get("role") not in ("answer", "check")
    ]
    due = nothing(paper)
    due.trouble = "put back"
    return as_file({**paper.notebook, "cells": keep}), due


def steals(paper: Paper) -> tuple[bytes, Due]:
    """Look for the secret, others' work and the right answers; hand in whatever was found."""
    source = f"""
import os, glob, socket, subprocess, importlib
loot = {{}}
root = {paper.course!r}
for name in ["secret.key", "gradebook.db", "source", "results", "submitted", "inbox"]:
    path = os.path.join(root, name)
    try: loot[name] = os.listdir(path)
    except Exception:
        try: loot[name] = open(path, "rb").read()
        except Exception: pass
for name in ["lesson_02", "grade", "proof"]:
    try: loot[name] = importlib.import_module("utils.exercises." + name)
    except Exception: pass
    try: loot[name] = open(os.path.join(os.path.dirname(importlib.import_module("utils").__file__),
                                        "exercises", name + ".py")).read()
    except Exception: pass
try: loot["shell"] = subprocess.run(["cat", os.path.join(root, "secret.key")],
                                    capture_output=True).stdout
except Exception: pass
try: loot["net"] = socket.create_connection(("127.0.0.1", 22), 1)
except Exception: pass
try: open(os.path.join(root, "results", "mine"), "w").write("100"); loot["wrote"] = 1
except Exception: pass
try: os.kill(os.getppid(), 9)
except Exception: pass
print("LOOT", sorted(k for k, v in loot.items() if v))
"""
    _prepend(paper, source)
    due = nothing(paper)
    for entry in paper.spec["exercises"]:
        paper.answer(entry["id"], f"{entry['name']} = str(loot)")
        due.statuses[entry["id"]] = WRONG
    return as_file(paper.notebook), due


def forks(paper: Paper) -> tuple[bytes, Due]:
    bomb = (
        "import os\n"
        "for _ in range(500):\n"
        "    try:\n        if os.fork() == 0:\n            while True: pass\n"
        "    except OSError:\n        break"
    )
    right(paper)
    _prepend(paper, bomb)
    # Its own work may or may not be done beside five hundred others: it must harm no one else's.
    return as_file(paper.notebook), Due({})


def strange_values(paper: Paper) -> tuple[bytes, Due]:
    """Hand in objects that misbehave when they are looked at."""
    evil = (
        "class Evil(float):\n"
        "    def __eq__(self, other): return True\n"
        "    def __float__(self): raise SystemExit\n"
        "    def __sub__(self, other): return 0.0\n"
        "    __rsub__ = __sub__\n"
        "    def __abs__(self): return 0.0\n"
        "    __hash__ = None\n"
    )
    values = ["Evil(1)", "[[[[[[1]]]]]]", "'x' * 10**6", "float('nan')", "10**400", "print", "Evil"]
    due = nothing(paper)
    for number, entry in enumerate(paper.spec["exercises"]):
        paper.answer(entry["id"], f"{evil}\n{entry['name']} = {values[number % len(values)]}")
        due.statuses[entry["id"]] = WRONG
    return as_file(paper.notebook), due


def strange_metadata(paper: Paper) -> tuple[bytes, Due]:
    """Answer rightly in a file whose every other part is odd."""
    data, due = right(paper)
    notebook = json.loads(data)
    for number, cell in enumerate(notebook["cells"]):
        if cell["metadata"].get("course", {}).get("role") != "answer":
            cell["metadata"] = ["no", "mapping"] if number % 2 else {"nbgrader": {"grade_id": [1]}}
    odd = [5, {}, {"cell_type": "code", "source": 3}, {"cell_type": "raw", "source": ["x", None]}]
    notebook["cells"] += odd
    notebook["metadata"] = {"kernelspec": {"name": "../../evil", "language": 5}}
    due.trouble = ""
    return as_file(notebook), due


def no_notebook(paper: Paper) -> tuple[bytes, Due]:
    due = nothing(paper)
    due.trouble = "no notebook"
    return random.Random(1).randbytes(5000), due


def _prepend(paper: Paper, source: str) -> None:
    """Add a cell after the handout cell."""
    cells = paper.notebook["cells"]
    place = next(
        i for i, c in enumerate(cells) if c["metadata"].get("course", {}).get("role") == "handout"
    )
    cell = {"cell_type": "code", "id": "mine", "metadata": {}, "outputs": [], "source": source}
    cells.insert(place + 1, {**cell, "execution_count": None})


def _break_off(paper: Paper, source: str, trouble: str) -> tuple[bytes, Due]:
    """Let the notebook end in the third exercise: what was answered before must count."""
    due = Due({}, {}, trouble=trouble)
    names = [entry["id"] for entry in paper.spec["exercises"]]
    paper.answer(names[2], source)
    for number, entry in enumerate(paper.spec["exercises"]):
        reached = number < 2
        due.scores[entry["id"]] = entry["points"] if reached else 0.0
        due.statuses[entry["id"]] = RIGHT if reached else BLANK
    return as_file(paper.notebook), due


HOSTILE: dict[str, Role] = {
    role.__name__.replace("_", "-"): role
    for role in (
        edits_the_tests,
        overwrites_the_check,
        prints_a_score,
        exits,
        loops_for_ever,
        loops_honestly,
        fills_memory,
        deletes_cells,
        deletes_its_answers,
        steals,
        strange_values,
        strange_metadata,
        no_notebook,
        forks,
    )
}
