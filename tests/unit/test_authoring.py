"""The builder gives the same bytes, says what is wrong, and hides what it must."""

import ast
import doctest
import importlib
import json
import shutil
import textwrap
from pathlib import Path

import nbformat
import pytest

from tests.unit.sample_lesson import KNOWN, NAME, SAID, SAMPLE, make_root, sample
from utils.authoring import builder, indexes
from utils.authoring.__main__ import main
from utils.authoring.builder import build, stale
from utils.authoring.execution import text_only
from utils.authoring.notebook import HASH, learner_notebook, plain, solutions_notebook, to_text
from utils.authoring.python import Code
from utils.authoring.source import AuthoringError, blanked, last_names, parse_source

HEADER = '# ---\n# jupyter:\n#   course: {question: "Why?"}\n# ---\n\n'


def parse(*cells, name="07_a_test"):
    return parse_source(HEADER + "\n\n".join(cells), Path(f"{name}.py"))


def code(text, tags=""):
    return f"# %%{tags}\n{textwrap.dedent(text).strip()}"


def prose(text):
    return "# %% [markdown]\n" + "\n".join(f"# {line}" for line in text.splitlines())


# --- reading a source ---------------------------------------------------------------------


def test_ids_are_the_same_on_every_reading():
    assert [c.id for c in sample().cells] == [c.id for c in sample().cells]


def test_ids_are_unique_though_cells_repeat():
    source = parse(code("x = 1"), code("x = 1"), prose("x = 1"))
    assert len({cell.id for cell in source.cells}) == 3


def test_a_new_cell_leaves_the_other_ids_alone():
    before = parse(prose("# 7 A test"), code("x = 1"), code("y = 2"), code("x = 1"))
    after = parse(prose("# 7 A test"), prose("new"), code("x = 1"), code("y = 2"), code("x = 1"))
    kept = [cell.id for cell in after.cells if cell.source != "new"]
    assert kept == [cell.id for cell in before.cells]


def test_ids_differ_between_lessons():
    here, there = parse(code("x = 1")), parse(code("x = 1"), name="08_a_test")
    assert here.cells[0].id != there.cells[0].id


def test_the_hash_is_of_what_runs():
    base = parse(prose("one"), code("x = 1"))
    assert parse(prose("another"), code("x = 1")).code_hash == base.code_hash
    assert parse(prose("one"), code("x = 2")).code_hash != base.code_hash
    checked = code("x = 1", ' tags=["nbval-check-output"]')
    assert parse(prose("one"), checked).code_hash != base.code_hash


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("# BEGIN SOLUTION\nx = 1", 7, "without END"),
        ("x = 1\n# END SOLUTION", 8, "without BEGIN"),
        (
            "# BEGIN SOLUTION\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION",
            8,
            "inside the one of line 7",
        ),
        ("# BEGIN SOLUTION\nx = 1\n\n# %%\ny = 1\n# END SOLUTION", 7, "without END"),
        ("# BEGIN SOLUTIONS\nx = 1\n# END SOLUTION", 7, "line of its own"),
        ("x = 1  # BEGIN SOLUTION\n# END SOLUTION", 7, "line of its own"),
        ("# begin solution\nx = 1\n# end solution", 7, "line of its own"),
        ("x = (\n# BEGIN SOLUTION\n1 +\n# END SOLUTION\n1)", 8, "whole statements"),
    ],
)
def test_bad_markers_are_refused_with_file_and_line(text, line, says):
    with pytest.raises(ValueError, match=rf"07_a_test\.py, line {line}: .*{says}"):
        parse(f"# %%\n{text}")


def test_a_file_name_that_is_no_lesson_is_refused():
    with pytest.raises(AuthoringError, match="NN_name"):
        parse(code("x = 1"), name="notes")


def test_what_is_not_python_is_refused():
    with pytest.raises(AuthoringError, match="Python"):
        parse("# %%\nx = = 1")


def test_a_header_that_is_not_yaml_is_refused():
    with pytest.raises(AuthoringError, match=r"07_a\.py: its header"):
        parse_source(HEADER.replace('"Why?"', "Why?"), Path("07_a.py"))


# --- the learner's copy -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "blank"),
    [
        ("x = 1", "x = ..."),
        ("x = 1\ny = x + 1\nprint(y)", "y = ..."),
        ("a, b = 1, 2", "a = b = ..."),
        ("total: float = 1.0", "total = ..."),
        ("count += 1", "count = ..."),
        ("def double(x):\n    y = 2 * x\n    return y", "double = ..."),
        ("for i in range(3):\n    last = i", "last = ..."),
        ("if True:\n    x = 1\nelse:\n    z = 2", "z = ..."),
        ("table['a'] = 1", "..."),
        ("print(1)", "..."),
        ("", "..."),
    ],
)
def test_a_solution_becomes_what_the_learner_fills_in(inside, blank):
    text = f"before = 0\n# BEGIN SOLUTION\n{inside}\n# END SOLUTION\nafter = 1"
    assert blanked(text) == f"before = 0\n{blank}\nafter = 1"
    ast.parse(blanked(text))


def test_a_blank_keeps_its_indentation():
    text = "def f(x):\n    # BEGIN SOLUTION\n    y = 2 * x\n    # END SOLUTION\n    return y"
    assert blanked(text) == "def f(x):\n    y = ...\n    return y"


def test_two_solutions_in_one_cell():
    text = "# BEGIN SOLUTION\na = 1\n# END SOLUTION\nb = 2\n# BEGIN SOLUTION\nc = 3\n# END SOLUTION"
    assert blanked(text) == "a = ...\nb = 2\nc = ..."


def test_names_are_read_in_the_order_of_the_text():
    assert last_names("with open('f') as f:\n    z = 1\n    a = 2") == ["a"]


def test_the_learner_gets_no_solution_no_output_and_no_telling_tag():
    source = sample()
    notebook = json.loads(to_text(learner_notebook(source, str, "bar")))
    text = json.dumps(notebook)
    assert "SOLUTION" not in text and "secret_route" not in text and "only for teachers" not in text
    assert all(
        cell["outputs"] == [] and cell["execution_count"] is None and cell["metadata"] == {}
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    )
    assert "".join(notebook["cells"][-1]["source"]) == "bar"


def test_both_copies_share_their_ids():
    source = sample()
    learner = learner_notebook(source, str, "bar").cells
    solution = solutions_notebook(source, {}, "h", str, "bar").cells
    assert {cell.id for cell in learner} < {cell.id for cell in solution}


# --- bytes --------------------------------------------------------------------------------


def test_a_file_is_sorted_indented_by_one_and_ends_with_one_line_break():
    text = to_text(learner_notebook(sample(), str, "bar"))
    notebook = json.loads(text)
    assert text == json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert set(notebook["metadata"]) == {"course", "kernelspec", "language_info"}
    assert notebook["metadata"]["language_info"] == {"name": "python"}


def test_only_checked_cells_keep_outputs_and_counts():
    source = parse(
        code("print(1)"),
        code("print(2)", ' tags=["nbval-check-output"]'),
        code("3", ' tags=["nbval-check-output"]'),
    )
    stream = {"output_type": "stream", "name": "stdout", "text": "2\n"}
    result = {
        "output_type": "execute_result",
        "data": {"text/plain": "3"},
        "metadata": {},
        "execution_count": None,
    }
    given = [[stream], [stream], [result]]
    outputs = {cell.id: out for cell, out in zip(source.cells, given, strict=True)}
    cells = solutions_notebook(source, outputs, "h", str, "bar").cells[:3]
    assert [cell.execution_count for cell in cells] == [None, 1, 2]
    assert [len(cell.outputs) for cell in cells] == [0, 1, 1]
    assert cells[2].outputs[0].execution_count == 2


def test_text_only_drops_pictures_html_and_stderr_and_joins_what_was_printed():
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "a\n"},
        {"output_type": "stream", "name": "stderr", "text": "warning\n"},
        {
            "output_type": "display_data",
            "metadata": {"x": 1},
            "data": {"text/plain": "Figure: f", "image/png": "…", "text/html": "<img>"},
        },
        {"output_type": "stream", "name": "stdout", "text": "b\n"},
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": "…"}},
    ]
    kept = text_only(outputs)
    assert kept == [
        {"output_type": "stream", "name": "stdout", "text": "a\nb\n"},
        {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "Figure: f"}},
    ]
    assert plain(kept) == "a\nb\nFigure: f"


# --- build and check ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small repository with one lesson, built once, by really running it."""
    root = make_root(tmp_path_factory.mktemp("course"))
    build(root, known=KNOWN)
    return root


@pytest.fixture
def course(built, tmp_path):
    return Path(shutil.copytree(built, tmp_path / "course"))


def source_of(course):
    return course / "solutions" / f"{NAME}.py"


def notebook_of(course, folder="solutions"):
    return course / folder / f"{NAME}.ipynb"


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")


def no_run(*_):
    raise AssertionError("nothing should be run")


def test_a_build_is_in_step_and_a_second_one_writes_nothing(course, monkeypatch):
    assert stale(course, KNOWN) == []
    monkeypatch.setattr(builder, "run", no_run)
    assert build(course, known=KNOWN) == []


def test_the_executed_copy_holds_text_of_the_checked_cells_only(course):
    cells = nbformat.read(notebook_of(course), as_version=4).cells
    kept = [cell for cell in cells if cell.get("outputs")]
    assert [plain(cell["outputs"]) for cell in kept] == SAID
    assert [cell["execution_count"] for cell in kept] == [1, 2, 3]


def test_a_forced_build_gives_the_same_bytes(course):
    before = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    assert build(course, force=True, known=KNOWN) == []
    assert before == {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}


def test_new_prose_is_built_without_a_run(course, monkeypatch):
    replace(source_of(course), "A mean moves.", "A mean may move.")
    assert {item.path.name for item in stale(course, KNOWN)} == {f"{NAME}.ipynb"}
    monkeypatch.setattr(builder, "run", no_run)
    build(course, known=KNOWN)
    assert stale(course, KNOWN) == []


def test_new_code_is_stale_until_it_is_run(course):
    replace(source_of(course), "/ 4:.1f}", "/ 4:.2f}")
    found = {item.path: item for item in stale(course, KNOWN)}
    assert "not been run" in found[notebook_of(course)].why
    assert found[notebook_of(course)].command.endswith("utils.authoring 7")
    build(course, known=KNOWN)
    assert stale(course, KNOWN) == []
    assert "the mean is 2.50" in notebook_of(course).read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", ["notebooks", "solutions"])
def test_one_byte_too_many_is_stale(course, folder):
    with notebook_of(course, folder).open("a") as file:
        file.write(" ")
    assert [item.path for item in stale(course, KNOWN)] == [notebook_of(course, folder)]


@pytest.mark.parametrize("name", ["README.md", "solutions/README.md", "solutions/TEACHING.md"])
def test_tables_are_checked(course, name):
    replace(course / name, "The mean of a ward", "The median of a ward")
    assert [item.path for item in stale(course, KNOWN)] == [course / name]


def test_a_forged_hash_does_not_pass(course):
    path = notebook_of(course)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"]["course"][HASH] = "0" * 32
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert "not been run" in stale(course, KNOWN)[0].why


def test_a_notebook_without_a_source_is_named(course):
    shutil.copy(notebook_of(course, "notebooks"), course / "notebooks" / "99_left_over.ipynb")
    assert [item.command for item in stale(course, KNOWN)] == [
        "delete notebooks/99_left_over.ipynb"
    ]


def test_a_broken_copy_is_built_anew(course):
    notebook_of(course).write_text("<<<<<<< HEAD", encoding="utf-8")
    build(course, known=KNOWN)
    assert stale(course, KNOWN) == []


def test_check_fails_with_the_file_and_the_command(course, monkeypatch, capsys):
    monkeypatch.setattr(builder, "registers", lambda: KNOWN)
    assert main(["--check"], course) == 0
    notebook_of(course, "notebooks").unlink()
    assert main(["--check"], course) == 1
    said = capsys.readouterr().out
    assert f"notebooks/{NAME}.ipynb" in said and "python -m utils.authoring" in said


def test_an_unknown_lesson_is_refused(course, capsys):
    assert main(["42"], course) == 1
    assert "42" in capsys.readouterr().err


def test_readme_without_markers_is_refused(course):
    (course / "README.md").write_text("# A course\n", encoding="utf-8")
    with pytest.raises(AuthoringError, match="lessons:begin"):
        stale(course, KNOWN)


def test_a_run_that_learners_must_not_meet_is_refused(tmp_path):
    """One kernel for all faults that do not stop it: it is the kernel that costs time."""
    bad = SAMPLE + textwrap.dedent(
        """
        # %%
        import warnings
        warnings.warn("this will go away", stacklevel=1)

        # %% tags=["nbval-check-output"]
        nothing = 1

        # %% tags=["raises-exception"]
        fine = 2

        # %%
        check("E07.1", 1)
        """
    )
    root = make_root(tmp_path, bad)
    with pytest.raises(AuthoringError) as caught:
        build(root, known=KNOWN)
    said = str(caught.value)
    assert "stderr" in said and "this will go away" in said
    assert "'nothing = 1': is tagged nbval-check-output but gives no text" in said
    assert "'fine = 2': is tagged raises-exception but does not raise" in said
    assert "E07.1 must come out right" in said
    assert not notebook_of(root).exists() and not notebook_of(root, "notebooks").exists()


def test_a_cell_that_raises_is_named(tmp_path):
    text = HEADER + "# %% [markdown]\n# # 7 A test\n\n# %%\n# why\n1 / 0\n"
    root = make_root(tmp_path, text)
    with pytest.raises(AuthoringError, match=r"cell '1 / 0' raised ZeroDivisionError"):
        build(root, known=KNOWN)


# --- generated text -----------------------------------------------------------------------


def test_navigation_links_what_is_written_and_names_what_is_not():
    two, three = (parse(prose(f"# {n} T"), name=f"0{n}_t") for n in (2, 3))
    start = parse(prose("# 0 S"), name="00_s")
    bar = indexes.navigation([start, two, three], 2)
    assert "Start: [0 S](00_s.ipynb)" in bar and "Next: [3 T](03_t.ipynb)" in bar
    assert "Previous" not in bar
    bar = indexes.navigation([start, two, three], 3)
    assert "Previous: [2 T](02_t.ipynb)" in bar and "Next: 4 " in bar and "(not yet written)" in bar


def test_the_ledger_takes_the_verdict_from_the_run_and_folds_it():
    tag = ' tags=["nbval-check-output"]'
    source = parse(
        prose("# 2 T"),
        code('verdict("C4", ruling, "words")', tag),
        name="02_patients_share_a_hospital",
    )
    said = {
        "output_type": "execute_result",
        "data": {"text/plain": "C4 · half true · it depends on the design."},
    }
    claims = {"C4": "They account | for it.", "C5": "They adjust."}
    text = indexes.ledger([source], {2: {source.cells[1].id: [said]}}, claims)
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if "|" in line}
    assert "*half true*. It depends on the design." in rows["C4"]
    assert (
        "<details>" in rows["C4"] and "[lesson 2](02_patients_share_a_hospital.ipynb)" in rows["C4"]
    )
    assert "on trial in lesson 5, not yet written" in rows["C4"] and "account \\| for" in rows["C4"]
    assert "on trial in lesson 8, not yet written" in rows["C5"] and "<details>" not in rows["C5"]


def test_the_map_links_written_lessons_only():
    source = parse(prose("# 7 A test"), name="07_few_hospitals_honest_inference")
    text = indexes.course_map([source])
    assert "[A test](07_few_hospitals_honest_inference.ipynb) | Why?" in text
    assert "MixedLM in practice (not yet written)" in text
    assert text.count("](") == 1


def test_reading_code():
    cell = parse(code("import a.b as c\nx = [y for y in z]\ndf.query('q > @limit')")).cells[0]
    assert Code(cell).reads == {"z", "df", "limit"}
    assert Code(cell).names == {"c", "x", "y"}


@pytest.mark.parametrize("name", ["course", "facts", "lesson", "python", "source"])
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(f"utils.authoring.{name}"))
    assert result.attempted > 0 and result.failed == 0
