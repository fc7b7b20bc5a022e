"""Hostile students: each tries to get points that it has not earned, or to harm the others."""

from __future__ import annotations

import json
import random

from tests.grading.roles import BLANK, RIGHT, WRONG, Due, Paper, Role, as_file, nothing, right


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
