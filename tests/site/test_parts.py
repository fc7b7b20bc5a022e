"""The parts of the site's build that need neither Sphinx nor a browser."""

import base64
import doctest
import io

import nbformat
import pytest
from PIL import Image

from utils.site import check, executed, extension, pages, static

README = "# Title\n\nWhat it is, see [a file](x.txt).\n\n## Start\n\n[binder]: https://b/?urlpath=lab/tree/notebooks/00_a.ipynb\n"


def picture():
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), "white").save(buffer, "PNG")
    return f'src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"'


def notebook(*outputs, state=None):
    cell = nbformat.v4.new_code_cell("1", outputs=[nbformat.from_dict(o) for o in outputs])
    made = nbformat.v4.new_notebook(cells=[cell])
    made.metadata.widgets = nbformat.from_dict({static.STATE: {"state": state or {}}})
    return made


def shown(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def test_a_widget_becomes_its_picture_its_words_and_how_its_controls_stand(tmp_path):
    model = {"model_name": "HTMLModel", "state": {"value": f'<img alt="dots" {picture()}>'}}
    slider = {"description": "Hospitals <n>", "value": 20.0}
    choice = {"description": "Way:", "_options_labels": ["z", "t"], "index": 1}
    state = {
        "box": {"model_name": "VBoxModel", "state": {"children": ["IPY_MODEL_s", "IPY_MODEL_c"]}},
        "s": {"model_name": "BoundedFloatTextModel", "state": slider},
        "c": {"model_name": "ToggleButtonsModel", "state": choice},
        "top": {"model_name": "VBoxModel", "state": {"children": ["IPY_MODEL_box", "IPY_MODEL_p"]}},
        "p": model,
    }
    made = notebook(shown(**{static.VIEW: {"model_id": "top"}, "text/plain": "words"}), state=state)
    static.still_notebook(made, tmp_path)
    data = made.cells[0].outputs[0].data
    assert static.VIEW not in data
    assert "They stand at: Hospitals &lt;n&gt;, 20; Way, t." in data["text/html"]
    (file,) = tmp_path.iterdir()
    assert f'src="{static.FIGURES}/{file.name}"' in data["text/html"]
    with Image.open(file) as image:
        assert image.size == (30, 20)
    assert "widgets" not in made.metadata


def test_a_question_becomes_a_list_of_its_answers():
    values = {"description": "Your prediction:", "_options_labels": ["a < b", "no"], "index": None}
    state = {"r": {"model_name": "RadioButtonsModel", "state": values}}
    state["s"] = {"model_name": "RadioButtonsModel", "state": {"description": "How sure are you?"}}
    state["h"] = {"model_name": "HTMLModel", "state": {"value": "<p>No prediction yet.</p>"}}
    children = [f"IPY_MODEL_{name}" for name in "rsh"]
    state["top"] = {"model_name": "VBoxModel", "state": {"children": children}}
    text = static.widget_html(state, "top")
    assert text == "<p>Your prediction</p><ul><li>a &lt; b</li><li>no</li></ul>"


def test_what_is_true_of_every_unfilled_page_is_left_out(tmp_path):
    made = notebook(
        shown(**{"text/plain": "E02.1 · not attempted · x", "text/html": "<p>x</p>"}),
        {"output_type": "stream", "name": "stdout", "text": "kept\n"},
    )
    static.still_notebook(made, tmp_path)
    (output,) = made.cells[0].outputs
    assert output.text == "kept\n"


def test_a_table_loses_its_own_style_and_can_be_reached_by_keyboard(tmp_path):
    text = static.page_html('<style scoped>a{}</style><table border="1"><tr></table>', tmp_path)
    assert text.startswith('<div class="course-table" role="region" aria-label="Table" tabindex')
    assert "style" not in text
    assert "border" not in text


def test_the_way_to_binder_is_readmes_own():
    assert pages.binder_link(README, "03_b.ipynb").endswith("lab/tree/notebooks/03_b.ipynb")
    with pytest.raises(ValueError, match=r"\[binder\]: "):
        pages.binder_link("# Title", "03_b.ipynb")


def test_an_anchor_is_plain_on_both_sides():
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# 1 A\n\n[x](g.ipynb#R%C2%B2) [y](b.ipynb#a-%22b%22)")
        ]
    )
    pages.plain_anchors(made)
    pages.lesson_page(made, "01_a.ipynb", README, has_outputs=False)
    text = made.cells[0].source
    assert text.startswith("# 1 A\n\n[Try it: run this page in Binder](https://b/")
    assert "was not run" in text
    assert "(g.ipynb#R²) [y](b.ipynb#a-b)" in text
    assert pages.anchor('a "b"') == "a-b"


def test_outputs_are_kept_until_code_or_what_it_uses_changes(tmp_path, monkeypatch):
    path, cache = tmp_path / "01_a.ipynb", tmp_path / "kept"
    runs = []

    def run_cells(made, folder, *, widgets):
        runs.append(folder)
        made.cells[0].outputs = [nbformat.v4.new_output("stream", text="1\n")]

    monkeypatch.setattr(executed, "run_cells", run_cells)

    def read(code, used, *, run=True):
        cell = nbformat.v4.new_code_cell(code, id="a")
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
        made, complete = executed.with_outputs(path, used, cache, run=run)
        return complete, [output.text for output in made.cells[0].outputs]

    assert read("print(1)", "x", run=False) == (False, [])
    assert read("print(1)", "x") == (True, ["1\n"])
    assert read("print(1)", "x", run=False) == (True, ["1\n"])
    assert len(runs) == 1
    assert read("print(1)", "y", run=False) == (False, [])
    read("print(2)", "x")
    assert len(runs) == 2
    assert len(list(cache.iterdir())) == 1


def test_what_a_lesson_uses_is_package_data_and_versions(tmp_path):
    for name in ("utils/a.py", "utils/site/b.py", "data/c.csv", "requirements.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    seen = {executed.what_lessons_use(tmp_path)}
    (tmp_path / "utils/site/b.py").write_text("2")
    seen.add(executed.what_lessons_use(tmp_path))
    assert len(seen) == 1
    for name in ("utils/a.py", "data/c.csv", "requirements.txt"):
        (tmp_path / name).write_text("2")
        seen.add(executed.what_lessons_use(tmp_path))
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ('<a href="gone.html">x</a>', "leads to gone.html, which is not there"),
        ('<a href="#gone">x</a>', "no such place"),
        ('<img alt="x" src="https://a.b/c.png">', "from elsewhere"),
        ('<p style="background:url(//a.b/c.png)">x</p>', "from elsewhere"),
        ('<script src="//a.b/c.js"></script>', "from elsewhere"),
        ('<a href="file:///etc/hosts">x</a>', "a link of another kind"),
        ('<img src="p.html">', "without alternative text"),
        ('<p id="a">x</p><p id="a">y</p>', "'a' stands 2 times"),
        ("<p>x</p></div>", "is not valid HTML"),
    ],
)
def test_a_fault_of_a_page_is_found_and_named(tmp_path, inside, told):
    head = '<!doctype html><html lang="en"><head><title>t</title></head><body>'
    (tmp_path / "p.html").write_text(f"{head}{inside}</body></html>")
    (fault,) = check.faults(tmp_path)
    assert fault.startswith("p.html: ")
    assert told in fault


def test_a_sound_page_has_no_fault(tmp_path):
    head = '<!doctype html><html lang="en"><head><title>t</title></head><body>'
    body = '<a href="p.html#%C3%A9">x</a><p id="é">y</p><a href="https://a.b/">z</a>'
    (tmp_path / "p.html").write_text(f"{head}{body}</body></html>", encoding="utf-8")
    assert check.faults(tmp_path) == []
    (tmp_path / "s.css").write_text("@import 'https://a.b/c.css';")
    assert check.faults(tmp_path) == ["s.css loads https://a.b/c.css"]


def test_examples_hold():
    assert not doctest.testmod(extension).failed


def test_every_sign_of_a_formula_is_a_sign():
    assert "~" not in extension.to_mathml(r"u_j \sim \text{Normal}(0, 1)")
    assert 'display="block"' in extension.to_mathml("a", block=True)
