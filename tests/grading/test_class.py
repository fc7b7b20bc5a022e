"""A small class from `new` to `report`: every score as it must be, and nothing given away."""

import json
import zipfile

import pytest

from tests.grading import classroom, hostile
from utils import ROOT
from utils.grading import bridge, keys
from utils.grading.__main__ import main as command
from utils.grading.folder import Folder, GradingError
from utils.grading.grade import grade_class, result_of
from utils.grading.new import new

pytestmark = pytest.mark.filterwarnings("ignore")  # of nbgrader's own code

EXERCISES = ["E02.1", "E02.3", "E02.4", "E02.5", "E02.6"]
HOSTILE = (
    *("edits-the-tests", "overwrites-the-check", "prints-a-score", "exits", "deletes-cells"),
    *("deletes-its-answers", "steals", "strange-values", "strange-metadata", "no-notebook"),
)


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    everyone = classroom.whole_class()
    chosen = {s: item for s, item in everyone.items() if "wrong" not in item[0]}
    chosen = {s: i for s, i in chosen.items() if i[0] not in hostile.HOSTILE or i[0] in HOSTILE}
    chosen |= classroom.wrong_ways(range(3))
    root = tmp_path_factory.mktemp("class")
    return classroom.simulate(root, {"ps2": EXERCISES}, chosen)


def test_every_score_and_every_line_of_the_report_is_as_it_must_be(simulation):
    assert classroom.faults(simulation) == []


def test_the_class_had_every_sort_of_student(simulation):
    scores = [sum(due.scores.values()) for due in simulation.dues.values()]
    assert max(scores) == sum(e["points"] for e in simulation.folder.assignment("ps2")["exercises"])
    assert min(scores) == 0
    assert len(set(scores)) >= 4


def _artefacts(folder):
    """Everything that students get, by name, as text."""
    found = {}
    for place in ("release", "handouts", "feedback"):
        for path in sorted(folder.path(place).rglob("*")):
            if path.suffix == ".zip":
                with zipfile.ZipFile(path) as archive:
                    found |= {f"{path.name}!{n}": archive.read(n) for n in archive.namelist()}
            elif path.is_file():
                found[path.relative_to(folder.root).as_posix()] = path.read_bytes()
    return {name: data.decode() for name, data in found.items()}


def test_nothing_that_students_get_holds_a_secret_a_hidden_test_or_a_solution(simulation):
    folder = simulation.folder
    artefacts = _artefacts(folder)
    assert len(artefacts) > 2 * len(simulation.roles)
    own = {s: keys.key(folder.secret, s, "ps2", 2) for s in simulation.roles}
    hidden = [
        keys.key(folder.secret, student, "ps2", lesson, purpose)
        for student in [*simulation.roles, keys.EVERYONE]
        for lesson in range(20)
        for purpose in (keys.OTHER, keys.HIDDEN, *(f"{keys.HIDDEN} {k}" for k in range(8)))
    ]
    solutions = json.loads(folder.path("source", "ps2", "ps2.ipynb").read_text())
    lines = {
        line.strip()
        for cell in solutions["cells"]
        if cell["metadata"].get("course", {}).get("role") == "answer"
        for line in "".join(cell["source"]).splitlines()
        if "=" in line and "= ..." not in line
    }
    assert lines
    for name, text in artefacts.items():
        assert folder.secret.hex() not in text, name
        assert not [key for key in hidden if key in text], name
        if name.startswith("feedback"):
            continue
        assert "HIDDEN" not in text, name
        assert "accept(" not in text, name
        assert not [line for line in lines if json.dumps(line)[1:-1] in text], name
        whose = next((student for student in own if f"{student}/" in name), None)
        others = [key for student, key in own.items() if student != whose]
        assert not [key for key in others if key in text], name


def test_the_public_notebooks_hold_no_hidden_test_and_no_secret(simulation):
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert len(paths) > 20
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for secret in ("HIDDEN", "utils.grading", "accept(", simulation.folder.secret.hex()):
            assert secret not in text, path.name


def test_feedback_is_the_students_own(simulation):
    folder = simulation.folder
    for student in {student for _, student in simulation.dues}:
        text = folder.path("feedback", student, "ps2", "ps2.html").read_text()
        for other in simulation.roles:
            if other != student:
                assert f"First {other}" not in text


def test_grading_again_gives_the_same_and_keeps_what_was_given_by_hand(simulation):
    folder = simulation.folder
    whose = [s for s, (what, _) in simulation.roles.items() if what in ("right", "wrong way 1")]
    before = {s: folder.path("results", "ps2", f"{s}.json").read_bytes() for s in whose}
    with bridge._gradebook(folder) as book:
        grade = book.find_grade("E02-3-reason", "ps2", "ps2", whose[0])
        grade.manual_score = 1
        book.db.commit()
    grade_class(folder, "ps2", whose, again=True, say=lambda text: None)
    bridge.autograde(folder, "ps2")
    assert {s: folder.path("results", "ps2", f"{s}.json").read_bytes() for s in whose} == before
    assert not folder.path("copies", "results").exists()
    scores = bridge.gradebook_scores(folder, "ps2")[whose[0]]
    assert scores["by_hand"] == {"E02-3-reason": 1}
    assert folder.path("copies", "gradebook.db").exists()


def test_what_has_not_changed_is_not_run_again(simulation, capsys):
    assert command(["grade", "ps2", "--course", str(simulation.folder.root)]) == 0
    assert capsys.readouterr().out.startswith("0 submissions run")


def test_a_later_version_is_graded_and_the_earlier_one_is_kept(simulation, tmp_path):
    folder = simulation.folder
    student = next(s for s, (what, _) in simulation.roles.items() if what == "blank")
    old = result_of(folder, "ps2", student)
    data = next(folder.path("inbox", "ps2", student).glob("*.ipynb")).read_bytes()
    changed = data.replace(b'"answer = ...', b"\"answer = 'b'")
    assert changed != data
    (tmp_path / f"{student}_ps2.ipynb").write_bytes(changed)
    course = ["--course", str(folder.root)]
    assert command(["collect", "ps2", str(tmp_path), *course]) == 0
    assert command(["collect", "ps2", str(tmp_path), *course]) == 0
    assert len(list(folder.path("inbox", "ps2", student).glob("*.ipynb"))) == 2
    grade_class(folder, "ps2", say=lambda text: None)
    new_one = result_of(folder, "ps2", student)
    assert sum(i["score"] for i in old["exercises"]) == 0
    assert {i["exercise"]: i["score"] for i in new_one["exercises"]}["E02.3"] > 0
    copies = list(folder.path("copies", "results", "ps2", f"{student}.json").iterdir())
    assert [json.loads(path.read_text()) for path in copies] == [old]


def test_an_assignment_is_not_replaced_unless_told(simulation):
    with pytest.raises(GradingError, match="exists"):
        new(simulation.folder, "ps2", exercises=EXERCISES)


def test_a_folder_that_is_no_class_is_named(tmp_path, capsys):
    assert command(["release", "ps1", "--course", str(tmp_path / "nowhere")]) == 1
    assert "there is no assignment" in capsys.readouterr().err
    with pytest.raises(GradingError, match="is no class folder"):
        _ = Folder(tmp_path).secret
