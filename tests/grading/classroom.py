"""A simulated class, from `new` to `report`, with every score compared with what it must be.

`python -m tests.grading.classroom` runs thirty students through three assignments and prints what
it took; `tests/grading/test_class.py` runs a smaller class. Run by hand it takes some minutes.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from tests.grading import hostile, roles
from tests.grading.roles import Due, Paper, Role
from utils.grading import bridge, keys
from utils.grading.__main__ import main as command
from utils.grading.folder import Folder
from utils.grading.grade import result_of
from utils.grading.isolate import Limits
from utils.grading.new import new
from utils.grading.report import summarise

LIMITS = Limits(seconds=25, cell_seconds=8, megabytes=3000)
ASSIGNMENTS = {
    "ps1": ["E00.1", "E01.1", "E02.1", "E02.3", "E02.4", "E02.5", "E02.6"],
    "ps2": ["E03.1", "E03.3", "E03.4", "E03.5", "E03.6", "E04.7", "E05.2", "E05.6"],
    "ps3": ["E06.3", "E06.6", "E07.2", "E07.4", "E07.6", "E07.7", "E08.7", "E10.7"],
}
WRONG_WAYS = 14  # the longest list of misconceptions in the assignments
WORDS = (
    "hospital mean variance patient cluster effect error interval sample shrink pool model data "
    "number count average between within treated control trial design slope random fixed simple "
    "larger smaller because therefore however although every several single whole half double"
).split()


@dataclass
class Simulation:
    """What was handed in, what it must get, and how long each step took."""

    folder: Folder
    roles: Mapping[str, tuple[str, Role | None]]
    dues: dict[tuple[str, str], Due] = field(default_factory=dict)
    sure: dict[str, Counter] = field(default_factory=lambda: defaultdict(Counter))
    seconds: dict[str, float] = field(default_factory=dict)
    per_submission: list[float] = field(default_factory=list)

    def timed(self, step: str, function, *arguments, **settings):
        started = time.monotonic()
        result = function(*arguments, **settings)
        self.seconds[step] = time.monotonic() - started
        return result


def whole_class() -> dict[str, tuple[str, Role | None]]:
    """Return thirty students: id -> what they do, and the role that does it."""
    found: list[tuple[str, Role | None]] = [
        ("right", roles.right),
        ("right, copied reasons", roles.right),
        ("right, in cells of its own", roles.right_in_cells_of_its_own),
        ("typed in", roles.typed),
        ("a neighbour's numbers", roles.neighbour),
        ("blank", roles.blank),
        ("absent", None),
    ]
    found += [(f"wrong way {k + 1}", roles.wrong(k)) for k in range(30 - 7 - len(hostile.HOSTILE))]
    found += list(hostile.HOSTILE.items())
    return {f"s{number:02d}": item for number, item in enumerate(found, start=1)}


def wrong_ways(numbers: Sequence[int]) -> dict[str, tuple[str, Role | None]]:
    """Return students who go wrong in these ways."""
    return {f"w{k:02d}": (f"wrong way {k + 1}", roles.wrong(k)) for k in numbers}


def simulate(
    root: Path, assignments: Mapping[str, Sequence[str]], who: Mapping, *, workers: int = 2
) -> Simulation:
    """Run a class through its assignments, as an instructor would."""
    simulation = Simulation(Folder(root / "class"), who)
    roster = root / "roster.csv"
    with roster.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "first_name", "last_name", "email"])
        writer.writerows([s, f"First {s}", f"Last, {s}", f"{s}@example.org"] for s in who)
    for name, exercises in assignments.items():
        folder = simulation.folder
        simulation.timed(
            f"{name} new", new, folder, name, exercises=exercises, roster=roster, limits=LIMITS
        )
        bridge.write_config(folder)
        course = ["--course", str(folder.root)]
        simulation.timed(f"{name} release", _call, ["release", name, *course])
        source = _hand_in(simulation, name, root)
        simulation.timed(f"{name} collect", _call, ["collect", name, str(source), *course])
        grade = ["grade", name, "--workers", str(workers), *course]
        simulation.timed(f"{name} grade", _call, grade)
        simulation.timed(f"{name} feedback", _call, ["feedback", name, *course])
        simulation.timed(f"{name} report", _call, ["report", name, *course])
    return simulation


def _call(arguments: list[str]) -> None:
    if command(arguments) != 0:
        raise AssertionError(f"python -m utils.grading {' '.join(arguments)} failed")


def _hand_in(simulation: Simulation, name: str, root: Path) -> Path:
    """Write what the class hands in: a folder, or for ps2 a zip."""
    folder, spec = simulation.folder, simulation.folder.assignment(name)
    source = nbformat.read(folder.path("source", name, f"{name}.ipynb"), as_version=4)
    solutions = {
        cell.metadata.course.exercise: cell.source
        for cell in source.cells
        if cell.metadata.get("course", {}).get("role") == "answer"
    }
    ids = list(simulation.roles)
    target = root / f"in-{name}"
    for number, (student, (_, role)) in enumerate(simulation.roles.items()):
        if role is None:
            continue
        path = folder.path("handouts", name, student, f"{name}.ipynb")
        paper = Paper(
            student=student,
            notebook=json.loads(path.read_text(encoding="utf-8")),
            spec=spec,
            solutions=solutions,
            studies=_studies(folder, name, spec, student),
            neighbours=_studies(folder, name, spec, ids[number - 1]),
            course=str(folder.root),
        )
        _give_reasons(paper, 2 if number == 1 else number + 1)
        data, due = role(paper)
        simulation.dues[name, student] = due
        place = target / student
        place.mkdir(parents=True)
        (place / f"{name}.ipynb").write_bytes(data)
        _predictions(simulation, place, name, student, number)
    if name != "ps2":
        return target
    packed = root / f"in-{name}.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(target.rglob("*")):
            if path.is_file():
                archive.write(path, f"hand-ins/{path.relative_to(target).as_posix()}")
        archive.writestr("../../../evil.ipynb", b"{}")
    return packed


def _studies(folder: Folder, name: str, spec: Mapping, student: str) -> dict[int, object]:
    lessons = {entry["lesson"] for entry in spec["exercises"] if entry["rerun"] == "own"}
    return {n: keys.study(folder.secret, student, name, n) for n in lessons}


def _give_reasons(paper: Paper, seed: int) -> None:
    """Write reasons: everybody's own, but the first two students' are the same."""
    for cell in paper.notebook["cells"]:
        course = cell["metadata"].get("course", {})
        if course.get("role") == "reason":
            rng = random.Random(f"{1 if seed == 2 else seed} {course['exercise']}")
            cell["source"] = " ".join(rng.choices(WORDS, k=40))


def _predictions(simulation: Simulation, place: Path, name: str, student: str, number: int) -> None:
    entries: dict[str, object] = {}
    for k, sure in enumerate(("guessing", "fairly sure", "sure")):
        hit = (number + k) % 3 < k + 1
        entries[f"P02.{k + 1}"] = {"sure": sure, "hit": hit}
        simulation.sure[name][sure, hit] += 1
    entries |= {"nonsense": 3, "P02.9": {"sure": "very", "hit": True}, "P02.8": {"hit": "yes"}}
    content = {"student": "somebody else", "predictions": entries}
    (place / f"{name}-predictions.json").write_text(json.dumps(content), encoding="utf-8")


def faults(simulation: Simulation) -> list[str]:
    """Compare everything with what it must be; return what differs."""
    return [
        fault
        for name in simulation.folder.assignments()
        for check in (_scores, _csv, _gradebook, _report, _feedback)
        for fault in check(simulation, name)
    ]


def _scores(simulation: Simulation, name: str) -> list[str]:
    found = []
    for (assignment, student), due in simulation.dues.items():
        if assignment != name:
            continue
        who = f"{name} {student} ({simulation.roles[student][0]})"
        result = result_of(simulation.folder, name, student)
        if result is None:
            found.append(f"{who}: not graded")
            continue
        for item in result["exercises"]:
            exercise = item["exercise"]
            for what, must, got in (
                ("points", due.scores.get(exercise, item["score"]), item["score"]),
                ("status", due.statuses.get(exercise, item["status"]), item["status"]),
            ):
                if must != got:
                    text = f"{item['message']} {item['again']}"
                    found.append(f"{who} {exercise}: {what} {got!r}, must be {must!r}: {text}")
            must_say = due.misconceptions.get(exercise)
            if must_say and item["misconception"] != must_say:
                found.append(f"{who} {exercise}: named {item['misconception']!r}, not {must_say!r}")
        told = f"{result['ended']} {result['ended_again']} {result['remark']}"
        if due.trouble not in told:
            found.append(f"{who}: must say {due.trouble!r}, says {told!r}")
        printed = json.dumps(result["outputs"])
        if "LOOT" in printed and "LOOT []" not in printed:
            found.append(f"{who}: got at something: {printed[:300]}")
    return found


def _csv(simulation: Simulation, name: str) -> list[str]:
    path = simulation.folder.path("reports", name, "grades.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    found = []
    if list(rows) != list(simulation.roles):
        found.append(f"{name}: the CSV has other students: {list(rows)}")
    for student, row in rows.items():
        due = simulation.dues.get((name, student))
        if due is None:
            if row["status"] != "not handed in" or float(row["total"]) != 0:
                found.append(f"{name} {student}: handed in nothing, but has {row}")
        elif due.scores and float(row["automatic"]) != sum(due.scores.values()):
            found.append(f"{name} {student}: CSV has {row['automatic']}")
    return found


def _gradebook(simulation: Simulation, name: str) -> list[str]:
    books = bridge.gradebook_scores(simulation.folder, name)
    found = []
    for (assignment, student), due in simulation.dues.items():
        if assignment != name or not due.scores:
            continue
        auto = {k: v for k, v in books[student]["auto"].items() if not k.endswith("-reason")}
        must = {exercise.replace(".", "-"): score for exercise, score in due.scores.items()}
        if auto != must:
            found.append(f"{name} {student}: the gradebook has {auto}, must be {must}")
    return found


def _report(simulation: Simulation, name: str) -> list[str]:
    summary = summarise(simulation.folder, name)
    found = []
    must: dict[str, Counter] = defaultdict(Counter)
    unsure = {s for (a, s), due in simulation.dues.items() if a == name and not due.scores}
    for (assignment, student), due in simulation.dues.items():
        if assignment == name and student not in unsure:
            for exercise, says in due.misconceptions.items():
                must[exercise][says] += 1
    for exercise, ranked in summary.misconceptions.items():
        wrong = [s for s, (_, role) in simulation.roles.items() if role and s not in unsure]
        named = {
            says: len([s for s in students if s in wrong and (name, s) in simulation.dues
                       and exercise in simulation.dues[name, s].misconceptions])
            for says, students in ranked
        }  # fmt: skip
        named = {says: n for says, n in named.items() if n}
        if named != dict(must[exercise]):
            found.append(f"{name} {exercise}: misconceptions {named}, must be {must[exercise]}")
    sure = simulation.sure[name]
    levels = [(s, sure[s, True] + sure[s, False], sure[s, True]) for s, _, _ in summary.calibration]
    if levels != summary.calibration:
        found.append(f"{name}: calibration {summary.calibration}, must be {levels}")
    first_two = tuple(list(simulation.roles)[:2])
    copied = simulation.roles[first_two[1]][0] == "right, copied reasons"
    asked = sum(entry["reason_points"] > 0 for entry in summary.spec["exercises"])
    pairs = Counter(pair.students for pair in summary.pairs)
    if pairs != (Counter({first_two: asked}) if copied else Counter()):
        found.append(f"{name}: alike {pairs}")
    return found


def _feedback(simulation: Simulation, name: str) -> list[str]:
    handed = {student for assignment, student in simulation.dues if assignment == name}
    folder = simulation.folder.path("feedback")
    got = {path.parents[1].name for path in folder.glob(f"*/{name}/{name}.html")}
    return [] if got == handed else [f"{name}: feedback for {sorted(got ^ handed)} is amiss"]


def main() -> int:
    """Run the whole class, print the times and what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="leave the class in this folder")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = options.keep or Path(temporary)
        root.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        simulation = simulate(root, ASSIGNMENTS, whole_class(), workers=options.workers)
        took = time.monotonic() - started
        found = faults(simulation)
        for step, seconds in simulation.seconds.items():
            print(f"{step:<14}{seconds:8.1f} s")
        graded = sum(s for step, s in simulation.seconds.items() if step.endswith("grade"))
        number = len(simulation.dues)
        print(f"{number} submissions, {took:.0f} s in all, {graded / number:.1f} s to grade each")
        print("\n".join(found) or "every score is as it must be")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
