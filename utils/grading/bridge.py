"""Hand over to nbgrader what it does well: release, gradebook, formgrader, feedback.

The only part of nbgrader that is replaced is the one that runs submissions: in its place `FillIn`
puts the marks that this package gave, so that nbgrader never runs a student's code.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    LimitOutput,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from traitlets import Unicode
from traitlets.config import Config

from utils.grading.assignment import REASON
from utils.grading.folder import Folder, GradingError
from utils.grading.grade import grade_class, result_of, submitted

_PREPROCESSORS = (LimitOutput, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata)
_CONFIG = '''"""Where nbgrader finds this class. Written by `python -m utils.grading`."""

from pathlib import Path

from utils.grading.bridge import config

c = get_config()  # noqa: F821 - nbgrader provides it
c.merge(config(Path(__file__).parent))
'''


class FillIn(NbGraderPreprocessor):
    """Put the outputs and the marks of a graded submission into its notebook."""

    course_folder = Unicode("", help="The folder of the class").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Fill in a notebook; a submission that was not graded yet is graded now."""
        about = resources["nbgrader"]
        folder = Folder(Path(self.course_folder))
        name, student = about["assignment"], about["student"]
        grade_class(folder, name, [student], say=lambda text: None)
        result = result_of(folder, name, student)
        return filled_in(nb, result, folder.assignment(name)), resources


def filled_in(notebook: NotebookNode, result: Mapping, spec: Mapping) -> NotebookNode:
    """Return a notebook with what its cells printed, and each check's marks as its output."""
    marked = {item["exercise"]: item for item in result["exercises"]}
    entries = {entry["id"]: entry for entry in spec["exercises"]}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        course = cell.metadata.get("course", {})
        if course.get("role") == "check" and course.get("exercise") in marked:
            item = marked[course["exercise"]]
            text = _said(item, entries[item["exercise"]], result)
            cell.outputs = [
                nbformat.v4.new_output("stream", name="stdout", text=text),
                nbformat.v4.new_output(
                    "execute_result",
                    data={"text/plain": repr(float(item["score"]))},
                    execution_count=1,
                ),
            ]
            cell.execution_count = 1
        elif cell.id in result["outputs"]:
            text = result["outputs"][cell.id]
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    return notebook


def _said(item: Mapping, entry: Mapping, result: Mapping) -> str:
    """Return the feedback on an exercise: part by part, then in words."""
    lines = [
        f"{part['what']}: {item['earned'].get(part['key'], 0):g} of {part['points']:g}"
        for part in entry["parts"]
    ]
    ended = "" if item["reached"] else result["ended"]
    lines += [item["message"], item["again"], f"Your notebook {ended}." if ended else ""]
    return "\n".join(filter(None, lines)) + "\n"


def config(root: Path) -> Config:
    """Return nbgrader's configuration for a class folder."""
    root = root.resolve()
    settings = Config()
    settings.CourseDirectory.root = str(root)
    settings.CourseDirectory.course_id = root.name
    settings.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    settings.ClearSolutions.code_stub = {"python": "# Or end with that name, here."}
    settings.ClearSolutions.text_stub = REASON
    settings.Autograde.autograde_preprocessors = [FillIn, *_PREPROCESSORS]
    settings.FillIn.course_folder = str(root)
    settings.LimitOutput.max_lines = 200
    return settings


def write_config(folder: Folder) -> None:
    """Write `nbgrader_config.py`, which formgrader and nbgrader's own commands read."""
    folder.write("nbgrader_config.py", _CONFIG)


def release(folder: Folder, name: str) -> None:
    """Make the release: no solutions, no hidden tests; and the gradebook's entry."""
    spec = folder.assignment(name)
    _convert(GenerateAssignment, folder, name, ".")
    with _gradebook(folder) as book:
        due = spec["due"] or None
        book.update_or_create_assignment(name, duedate=due)
        for student in folder.students():
            names = {"first_name": student.first_name, "last_name": student.last_name}
            book.update_or_create_student(student.id, email=student.email, **names)


def autograde(folder: Folder, name: str) -> None:
    """Let nbgrader take over the marks: gradebook and autograded notebooks."""
    book = folder.path("gradebook.db")
    if book.exists():
        folder.keep_copy("gradebook.db")
    _convert(Autograde, folder, name, "*")


def is_taken_over(folder: Folder, name: str) -> bool:
    """Tell whether nbgrader has every submission's marks."""
    names = [f"{student}/{name}/{name}.ipynb" for student in submitted(folder, name)]
    return all(folder.path("autograded", path).exists() for path in names)


def feedback(folder: Folder, name: str) -> list[Path]:
    """Write the HTML that each student gets back; return the files."""
    _convert(GenerateFeedback, folder, name, "*")
    return sorted(folder.path("feedback").glob(f"*/{name}/{name}.html"))


def gradebook_scores(folder: Folder, name: str) -> dict[str, dict]:
    """Return, by student, the scores that the gradebook holds, those given by hand included."""
    found = {}
    with _gradebook(folder) as book:
        for entry in book.assignment_submissions(name):
            cells = [grade for notebook in entry.notebooks for grade in notebook.grades]
            found[entry.student.id] = {
                "score": float(entry.score),
                "auto": {grade.name: grade.auto_score for grade in cells},
                "by_hand": {g.name: g.manual_score for g in cells if g.manual_score is not None},
                "to_read": sum(bool(grade.needs_manual_grade) for grade in cells),
                "late": float(entry.total_seconds_late or 0),
            }
    return found


def _gradebook(folder: Folder) -> Gradebook:
    _find_alembic()
    settings = config(folder.root)
    return Gradebook(settings.CourseDirectory.db_url, settings.CourseDirectory.course_id)


def _find_alembic() -> None:
    """Let nbgrader find `alembic`, which it calls by name, beside this Python."""
    here = str(Path(sys.executable).parent)
    if here not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])


def _convert(kind: type, folder: Folder, name: str, student: str) -> None:
    _find_alembic()
    settings = config(folder.root)
    course = CourseDirectory(config=settings)
    course.assignment_id, course.student_id = name, student
    log = logging.getLogger("utils.grading.nbgrader")
    log.setLevel(logging.CRITICAL)
    converter = kind(coursedir=course, config=settings, force=True, log=log)
    lines: list[str] = []
    handler = _Keep(lines)
    log.addHandler(handler)
    log.setLevel(logging.ERROR)
    log.propagate = False
    try:
        with warnings.catch_warnings():  # of nbgrader's own code, which is not ours to change
            warnings.simplefilter("ignore")
            converter.start()
    except Exception as error:
        told = "\n".join(_last(lines))
        raise GradingError(f"nbgrader could not do it: {error}\n{told}".rstrip()) from error
    finally:
        log.removeHandler(handler)


class _Keep(logging.Handler):
    """Keep what nbgrader logs, for the case that it fails."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self._lines.append(record.getMessage())


def _last(lines: Iterable[str]) -> list[str]:
    return list(lines)[-5:]
