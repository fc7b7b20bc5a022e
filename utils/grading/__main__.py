"""`python -m utils.grading`: make assignments, hand them out, collect, grade, report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from utils.grading.folder import Folder, GradingError

_COURSE = "class"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options, Folder(Path(options.course)))
    except GradingError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m utils.grading", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=text, description=text)
        found.add_argument("assignment", help="the assignment's id, such as ps1")
        found.add_argument("--course", default=_COURSE, help="folder of the class (default: class)")
        found.set_defaults(run=run)
        return found

    made = command("new", _new, "Make an assignment from exercises of the course.")
    made.add_argument("--exercises", nargs="+", default=[], metavar="ID", help="such as E02.3")
    made.add_argument("--lessons", nargs="+", type=int, default=[], metavar="N", help="all of them")
    made.add_argument("--roster", type=Path, help="CSV: id, first_name, last_name, email")
    made.add_argument(
        "--points", nargs="+", default=[], metavar="P", help="3 for all, or E02.6=4 for one"
    )
    made.add_argument(
        "--reasons", type=float, default=1, help="points, by hand, for reasons; 0: none"
    )
    made.add_argument("--due", default="", help="such as '2026-11-30 12:00 UTC'")
    made.add_argument("--title", default="", help="heading of the notebook")
    made.add_argument(
        "--checks", choices=("form", "full"), default="form", help="what the visible check says"
    )
    made.add_argument("--seconds", type=float, help="for one run of a submission")
    made.add_argument("--megabytes", type=int, help="memory of one run")
    made.add_argument("--force", action="store_true", help="replace it; a copy is kept")

    command("release", _release, "Make the students' notebooks, in handouts/.")

    taken = command("collect", _collect, "Take in submissions from a folder or a zip.")
    taken.add_argument("source", type=Path, help="the folder or zip")

    graded = command("grade", _grade, "Grade what is new or changed.")
    graded.add_argument("--students", nargs="+", metavar="ID", help="only these")
    graded.add_argument("--again", action="store_true", help="also what has not changed")
    graded.add_argument(
        "--workers", type=int, default=0, help="at a time (default: half the cores)"
    )
    graded.add_argument(
        "--weaker", action="store_true", help="go on where this machine lacks a protection"
    )

    command("feedback", _feedback, "Write each student's feedback as HTML.")
    command("report", _report, "Write grades.csv and report.html.")
    return parser


def _new(options: argparse.Namespace, folder: Folder) -> int:
    from utils.grading.bridge import write_config  # noqa: PLC0415 - each command loads its own
    from utils.grading.isolate import Limits  # noqa: PLC0415
    from utils.grading.new import new  # noqa: PLC0415

    limits = None
    if options.seconds or options.megabytes:
        usual = Limits()
        seconds = options.seconds or usual.seconds
        memory = options.megabytes or usual.megabytes
        limits = Limits(seconds=seconds, cell_seconds=seconds / 2, megabytes=memory)
    spec = new(
        folder,
        options.assignment,
        exercises=options.exercises,
        lessons=options.lessons,
        roster=options.roster,
        title=options.title,
        due=options.due,
        points=points_of(options.points),
        reasons=options.reasons,
        checks=options.checks,
        limits=limits,
        force=options.force,
    )
    write_config(folder)
    minutes = sum(entry["minutes"] for entry in spec["exercises"])
    points = sum(entry["points"] + entry["reason_points"] for entry in spec["exercises"])
    print(
        f"{spec['name']}: {len(spec['exercises'])} exercises, {minutes} minutes, {points:g} "
        "points. The lessons' solutions got all of those that are not given by hand. Look at "
        f"{folder.path('source', spec['name'])}, then: release"
    )
    return 0


def points_of(given: Sequence[str]) -> dict[str, float]:
    """Read `3` and `E02.6=4`.

    Examples
    --------
    >>> points_of(["3", "E02.6=4"])
    {'': 3.0, 'E02.6': 4.0}
    """
    points = {}
    for text in given:
        exercise, _, number = text.rpartition("=")
        try:
            points[exercise] = float(number)
        except ValueError:
            raise GradingError(f"points are written 3 or E02.6=4; got {text!r}") from None
    return points


def _release(options: argparse.Namespace, folder: Folder) -> int:
    from utils.grading import bridge  # noqa: PLC0415
    from utils.grading.give import give  # noqa: PLC0415

    bridge.release(folder, options.assignment)
    students = give(folder, options.assignment)
    print(f"{len(students)} notebooks in {folder.path('handouts', options.assignment)}, and a zip")
    return 0


def _collect(options: argparse.Namespace, folder: Folder) -> int:
    from utils.grading.collect import collect  # noqa: PLC0415

    taken, strays = collect(folder, options.assignment, options.source)
    for item in taken:
        news = "new" if item.new else "known already"
        print(f"{item.student}: {news}" + (f"; {item.remark}" if item.remark else ""))
    for text in strays:
        print(f"not taken: {text}", file=sys.stderr)
    print(f"{len(taken)} submissions, {sum(item.new for item in taken)} of them new")
    return 0


def _grade(options: argparse.Namespace, folder: Folder) -> int:
    from utils.grading import bridge  # noqa: PLC0415
    from utils.grading.grade import grade_class  # noqa: PLC0415
    from utils.grading.isolate import missing  # noqa: PLC0415

    lacks = missing()
    if lacks and not options.weaker:
        raise GradingError(
            f"this machine cannot give: {', '.join(lacks)}. Students' code would run without it. "
            "Grade on Linux (a server, a container, WSL), or say --weaker if you trust the class"
        )
    workers = options.workers or max(1, (os.cpu_count() or 2) // 2)
    seconds = grade_class(
        folder,
        options.assignment,
        options.students,
        workers=workers,
        again=options.again,
    )
    if seconds or not bridge.is_taken_over(folder, options.assignment):
        bridge.autograde(folder, options.assignment)
    print(f"{len(seconds)} submissions run; the gradebook is up to date")
    return 0


def _feedback(options: argparse.Namespace, folder: Folder) -> int:
    from utils.grading import bridge  # noqa: PLC0415

    written = bridge.feedback(folder, options.assignment)
    print(f"{len(written)} pages in {folder.path('feedback')}")
    return 0


def _report(options: argparse.Namespace, folder: Folder) -> int:
    from utils.grading.report import write_report  # noqa: PLC0415

    for path in write_report(folder, options.assignment):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
