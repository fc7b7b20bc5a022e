"""Each rule of the contract fails a lesson that breaks it; the sample lesson keeps them all."""
# ruff: noqa: E501 - a broken lesson a line reads best as a table

import copy
import json
from dataclasses import replace

import pytest
from nbformat import v4

from tests.unit.sample_lesson import EXERCISES, NAME, SAID, SAMPLE, sample
from utils.authoring import rules_content as content
from utils.authoring.contract import RULES, faults
from utils.authoring.course import LESSONS, Plan
from utils.authoring.lesson import Lesson
from utils.authoring.notebook import learner_notebook, solutions_notebook
from utils.authoring.rules_form import counted_cells
from utils.authoring.source import CHECKED
from utils.exercises.declare import Choice

PLAN = Plan(
    7, "a_small_lesson", "The mean of a ward", 2, "?", ("C7",), exempt={"length": "it is a sample"}
)
TAG = f' tags=["{CHECKED}"]'
CHART = '\n\n# %%\nplots.show(fig, alt="A chart that says something in a dozen words or more.")\n'


def lesson(*changes, exercises=EXERCISES, plan=PLAN):
    """Return the sample lesson with some text replaced: (old, new) pairs."""
    text = SAMPLE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    source = sample(text)
    said = iter([*SAID, *["more"] * 20])
    outputs = {
        cell.id: [{"output_type": "stream", "name": "stdout", "text": next(said) + "\n"}]
        for cell in source.cells
        if CHECKED in cell.tags
    }
    solution = json.loads(v4.writes(solutions_notebook(source, outputs, "h", str, "bar")))
    learner = json.loads(v4.writes(learner_notebook(source, str, "bar")))
    return Lesson(source, learner, solution, exercises, plan)


def section(number, after):
    """Return the text of the sample from one exercise's heading to before the next thing."""
    start = SAMPLE.index(f"# %% [markdown]\n# ### Exercise E07.{number}")
    return SAMPLE[start : SAMPLE.index(after, start)]


FIRST = section(1, '# %% tags=["solution"]')
LAST = section(4, '# %%\npredict("P07.3"')
WITHOUT_LAST = {"exercises": EXERCISES[:3]}

# rule -> what breaks it: replacements, keywords of `lesson`, and words of the fault
BROKEN = [
    ("tags", [(TAG, ' tags=["nbval_check_output"]')], {}, "nbval_check_output"),
    ("tags", [(TAG, ' tags=["hide-input"]')], {}, "hide-input"),
    ("opening", [("# # 7 The mean", "# # 7 A mean")], {}, "must begin with"),
    ("opening", [("# > By how much does", "# > How does")], {}, "block quote"),
    ("opening", [("Reading: 12", "Reading: 13")], {}, "reading_minutes"),
    ("opening", [("exercise_minutes: 9", "exercise_minutes: soon")], {}, "exercise_minutes"),
    ("opening", [("needs: [2]", "need: [2]")], {}, "needs"),
    ("headings", [("## Limits", "## Limit")], {}, "last sections"),
    ("headings", [("## Key points", "## Limits"), ("# ## Limits\n#\n# One", "# ## Key points\n#\n# One")], {}, "last sections"),
    ("headings", [("## What you will", "## What they will")], {}, "first section"),
    ("headings", [("# ## A mean by hand", "# # A mean by hand")], {}, "level 1"),
    ("headings", [("# ## A mean by hand", "# #### A mean by hand")], {}, "skips"),
    ("headings", [("# ## A mean by hand", "# ## Limits")], {}, "ambiguous"),
    ("length", [], {"plan": replace(PLAN, exempt={})}, "25 to 45"),
    ("code_lines", [("ward = [1, 2, 3, 4]", "ward = [1, 2, 3, 4]\n" + "x = 1\n" * 11)], {}, "13 lines"),
    ("code_runs", [("small_explorer()\n", "small_explorer()\n\n# %%\nx = 1\n\n# %%\ny = 1\n")], {}, "in a row"),
    ("figures", [("small_explorer()\n", "small_explorer()\n" + "\n# %% [markdown]\n# more\n\n# %%\nx = 1\n" * 9)], {}, "figures for"),
    ("figure_cells", [("fig = None", "plt = fig = None"), ("plots.show(fig, alt=", "plt.show(fig, alt=")], {}, "plt.show"),
    ("figure_cells", [("plots.show(fig, alt=", "fig = plt.subplots()\nprint(fig, ")], {}, "must end with"),
    ("figure_cells", [("third.\")", "third.\")\nprint(ward)")], {}, "must end with"),
    ("figure_cells", [("Four patients as dots, their mean as a line between the second and the third.", "Four dots.")], {}, "words or more"),
    ("figure_cells", [(', alt="Four', ', text="Four')], {}, "words or more"),
    ("checked_cells", [(TAG + "\nward[-1]", "\nward[-1]")], {}, "2 checked cells"),
    ("checked_cells", [(TAG + "\nward[-1]", (TAG + "\nprint(1)\n\n# %%") * 6 + TAG + "\nward[-1]")], {}, "9 checked"),
    ("predictions", [('predict("P07.3"', 'print("P07.3"')], {}, "2 predictions"),
    ("predictions", [("P07.2", "P07.5")], {}, "in order"),
    ("predictions", [("P07.", "P08.")], {}, "in order"),
    ("reveals", [('reveal("P07.2", 2)', "print(2)")], {}, "P07.2 is revealed 0 times"),
    ("reveals", [('reveal("P07.2"', 'reveal("P07.9"')], {}, "without a prediction"),
    ("reveals", [('unit="mmHg")\n\n# %%\n', 'unit="mmHg")\n')], {}, "in the cell that asks"),
    ("reveals", [('reveal("P07.1", "up")', 'reveal("P07.1", "Up")')], {}, "'Up'"),
    ("shown", [('reveal("P07.1", "up")', 'reveal("P07.1", "up")\nprint(1)')], {}, "reveal(...) is not the last"),
    ("shown", [("ward = [1, 2, 3, 4]", "ward = [1, 2, 3, 4]\nward[0]\nprint(1)")], {}, "ward[0] is not the last"),
    ("exercises", [(LAST, "")], WITHOUT_LAST, "3 exercises"),
    ("exercise_ids", [("E07.2 ·", "E07.7 ·"), ('"E07.2"', '"E07.7"')], {}, "in order"),
    ("exercise_ids", [("E07.2 ·", "E07.1 ·")], {}, "in order"),
    ("exercise_ids", [(LAST, "")], {}, "registry declares"),
    ("exercise_ids", [], WITHOUT_LAST, "registry declares"),
    ("exercise_ids", [("E07.2 · A reading", "E07.2 · Another")], {}, "'A reading' in the registry"),
    ("exercise_ids", [("### Exercise E07.1 ·", "### Task E07.1:")], {}, "without a heading"),
    ("exercise_ids", [("# - **b** It stays.\n", "# - **b** It stays.\n#\n# ### Exercise E07.9 · Another\n")], {}, "2 exercises in one cell"),
    ("exercise_cells", [('# END SOLUTION\n\n# %%\ncheck("E07.1"', '# END SOLUTION\ncheck("E07.1"')], {}, "cell of its own"),
    ("exercise_cells", [('check("E07.1", mean)', 'check("E07.1", secret_route / 4)')], {}, "secret_route"),
    ("exercise_cells", [('# BEGIN SOLUTION\nletter = "b"\n# END SOLUTION', 'letter = "b"')], {}, "no region"),
    ("exercise_cells", [('check("E07.3", flaw)', "flaw")], {}, "no check"),
    ("exercise_kinds", [], {"exercises": tuple(e for e in EXERCISES if e.kind != "interpret")}, "interpret"),
    ("exercise_kinds", [], {"exercises": tuple(e for e in EXERCISES if e.kind != "spot the flaw")}, "spot the flaw"),
    ("exercise_kinds", [], WITHOUT_LAST, "own hospitals"),
    ("options", [("# - **b** It stays.\n", "")], {}, "options"),
    ("options", [("# - **b** It stays.\n", "# - **b** It stays.\n# - **c** It goes.\n")], {}, "options"),
    ("options", [("# 2. Their mean is exact.\n", "")], {}, "sentences"),
    ("options", [("# - **b** A mean has an error.\n", "")], {}, "E07.3 lists options"),
    ("independence", [("small_explorer()", "small_explorer(mean)"), (FIRST, ""), ("# ## A mean by hand\n", "# ## A mean by hand\n\n" + FIRST)], {}, "reads mean"),
    ("independence", [('remark = "only', 'remark = str(secret_route) + "only')], {}, "reads secret_route"),
    ("independence", [('remark = "only for', 'remark = "sbp > @mean for')], {}, "reads mean"),
    ("claims", [(TAG + "\nruling", "\nruling")], {}, "not checked"),
    ("claims", [('verdict("C7", ruling', 'verdict("C6", ruling')], {}, "not planned"),
    ("claims", [('verdict("C7", ruling', 'verdict("C7", "true"')], {}, "computed"),
    ("claims", [('verdict("C7", ruling, "four patients are few.")', "print(ruling)")], {}, "C7 has no verdict"),
    ("widget", [("small_explorer()", "small_table()")], {}, "no explorer"),
    ("widget", [("# 2. How far does it move?", "# Play with it.")], {}, "numbered questions"),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_the_sample_keeps_the_rule(rule):
    assert faults(lesson(), rule) == []


@pytest.mark.parametrize(
    ("rule", "changes", "keywords", "says"),
    BROKEN,
    ids=[f"{r[0]}-{i}" for i, r in enumerate(BROKEN)],
)
def test_a_broken_lesson_fails_the_rule(rule, changes, keywords, says):
    found = faults(lesson(*changes, **keywords), rule)
    assert found, f"{rule} did not notice"
    assert any(says in fault for fault in found), found


def break_learner(change):
    broken = lesson()
    learner = copy.deepcopy(broken.learner)
    change([cell for cell in learner["cells"] if cell["cell_type"] == "code"])
    return replace(broken, learner=learner)


def break_solution(change):
    broken = lesson()
    solution = copy.deepcopy(broken.solution)
    change([cell for cell in solution["cells"] if cell["cell_type"] == "code"])
    return replace(broken, solution=solution)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda cells: cells[0]["source"].append("\nsecret_route = sum(ward)"),
            "line of a solution",
        ),
        (lambda cells: cells[0]["source"].append('\nremark = "only for teachers"'), "line of a"),
        (lambda cells: cells[0]["source"].append("\n# BEGIN SOLUTION"), "marker"),
        (lambda cells: cells[0]["metadata"].update(tags=["solution"]), "tag solution"),
        (lambda cells: cells[0]["metadata"].update(tags=[CHECKED]), f"tag {CHECKED}"),
        (lambda cells: cells[0].update(execution_count=1), "outputs"),
        (lambda cells: cells[0]["outputs"].append({"output_type": "stream"}), "outputs"),
    ],
)
def test_a_learners_copy_that_tells_fails(change, says):
    found = faults(break_learner(change), "leaks")
    assert len(found) == 1 and says in found[0]


def checked(cells):
    return next(cell for cell in cells if CHECKED in cell["metadata"].get("tags", []))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda cells: checked(cells).update(execution_count=None), "compares nothing"),
        (lambda cells: checked(cells).update(outputs=[]), "compares nothing"),
        (lambda cells: checked(cells)["outputs"][0].update(text=["\n"]), "compares nothing"),
        (
            lambda cells: checked(cells)["outputs"].append(
                {"output_type": "display_data", "data": {"image/png": "…"}, "metadata": {}}
            ),
            "more than text",
        ),
        (lambda cells: cells[0].update(execution_count=3), "unchecked"),
        (lambda cells: cells[0].update(outputs=[{"output_type": "stream"}]), "unchecked"),
    ],
)
def test_stored_outputs_that_nbval_would_not_compare_fail(change, says):
    found = faults(break_solution(change), "stored")
    assert found and says in found[0]


def test_an_exercise_may_use_what_it_sets_and_its_check_what_it_blanks():
    changed = lesson(('check("E07.1", mean)', 'check("E07.1", mean)\n\n# %%\ncheck("E07.1", mean)'))
    assert faults(changed, "independence") == [] == faults(changed, "exercise_cells")


def test_a_name_that_a_cell_binds_itself_is_not_read_from_a_solution():
    changed = lesson(('remark = "only', 'remark = [mean for mean in ward], "only'))
    assert faults(changed, "independence") == []


def test_a_question_of_many_lines_does_not_make_a_cell_long():
    alt = "Four patients as dots,"
    assert (
        faults(lesson((alt, alt + '"\n' + '    "and words "\n' * 14 + '    "')), "code_lines") == []
    )


def test_cells_that_ask_check_and_rule_do_not_make_a_lesson_long():
    more = lesson(("# %%\nsmall_explorer()", "# %%\ntally()\n\n# %%\nsmall_explorer()"))
    assert counted_cells(more) == counted_cells(lesson())
    assert counted_cells(lesson(("# %%\nsmall_explorer()", f"{CHART.strip()}\n\n# %%\nsmall_explorer()"))) == (
        counted_cells(lesson()) + 1
    )  # fmt: skip


def test_a_lesson_of_more_cells_than_allowed_is_too_long():
    long = lesson(
        ("# %%\nsmall_explorer()", CHART * 40 + "\n# %%\nsmall_explorer()"),
        plan=replace(PLAN, exempt={}),
    )
    assert "25 to 45" in faults(long, "length")[0]


def test_an_option_list_of_another_exercise_does_not_count():
    wrong = Choice(correct="a", why="it moves", reasons={"b": "no", "c": "no"})
    exercises = (EXERCISES[0], replace(EXERCISES[1], answer=wrong), *EXERCISES[2:])
    assert "E07.2" in faults(lesson(exercises=exercises), "options")[0]


@pytest.mark.parametrize("exempt", [{"lenght": "a slip"}, {"length": " "}])
def test_an_exemption_names_a_rule_and_a_reason(exempt):
    with pytest.raises(ValueError, match="exempt"):
        faults(lesson(plan=replace(PLAN, exempt=exempt)), "tags")


def test_every_exemption_of_the_course_names_a_rule():
    assert {name for plan in LESSONS for name in plan.exempt} <= set(RULES)


# --- links, terms, files ------------------------------------------------------------------


@pytest.fixture
def root(tmp_path):
    for folder in ("notebooks", "solutions"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{NAME}.ipynb").write_text(json.dumps(lesson().learner))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "README.md").write_text("# Data\n\n## The surgical data\n")
    return tmp_path


def test_links_of_the_sample_resolve(root):
    assert content.links(lesson(), root) == []


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ("[x](08_next.ipynb)", "no such file"),
        ("[x](#A-mean-by-foot)", "no such heading"),
        (f"[x]({NAME}.ipynb#a-mean-by-hand)", "no such heading"),
        ("[x](../data/README.md#The-surgical-data)", "no such heading"),
        ("[x](../../..)", "leaves the repository"),
        ('<img src="figure.png">', "no such file"),
        ("![x](figure.png)", "no such file"),
    ],
)
def test_a_link_to_nowhere_fails(root, link, says):
    found = content.links(
        lesson(("# ## A mean by hand\n", f"# ## A mean by hand\n#\n# {link}\n")), root
    )
    assert found and all(says in fault for fault in found), found


@pytest.mark.parametrize(
    "link",
    [
        f"[x]({NAME}.ipynb#A-mean-by-hand)",
        "[x](../data/README.md#the-surgical-data)",
        "[x](https://example.org/none)",
        "`[x](nowhere.ipynb)`",
        "$f[x](y)$",
    ],
)
def test_a_link_that_leads_somewhere_passes(root, link):
    assert (
        content.links(
            lesson(("# ## A mean by hand\n", f"# ## A mean by hand\n#\n# {link}\n")), root
        )
        == []
    )


def test_a_term_defined_twice_fails_whatever_its_case():
    again = lesson(("<dfn>mean</dfn>", "<dfn>Mean</dfn>"))
    assert "'mean' is defined 2 times" in content.terms([lesson(), again])[0]
    assert content.terms([lesson()]) == []


def test_an_exercise_of_an_unwritten_lesson_fails():
    assert content.unclaimed({"E07.1": 7}, [7]) == []
    assert "lesson 7 is not written" in content.unclaimed({"E07.1": 7}, [1, 2])[0]
