"""What every explorer promises: figure and words follow the state, whoever sets it."""

import itertools
import math
import re

import ipywidgets
import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from explorers import EXPLORERS, find, picture, slider
from ipywidgets.widgets.widget import _instances

from utils.widgets import (
    Explorer,
)
from utils.widgets._controls import Steps

EVERY = pytest.mark.parametrize("name", EXPLORERS)


# ---------------------------------------------------------------- every explorer


@EVERY
def test_text_and_picture_follow_the_state(name, explorer):
    seen = [(explorer.description, explorer._image.value)]
    for state in EXPLORERS[name][1]:
        explorer.set_state(**state)
        assert {k: explorer.state[k] for k in state} == state
        seen.append((explorer.description, explorer._image.value))
    for (words, image), (other_words, other_image) in itertools.combinations(seen, 2):
        assert words != other_words
        assert image != other_image


@EVERY
def test_reset_brings_everything_back(name, explorer):
    start = explorer.state, explorer.description, explorer._image.value
    for state in EXPLORERS[name][1]:
        explorer.set_state(**state)
    explorer.reset()
    assert (explorer.state, explorer.description, explorer._image.value) == start
    explorer.set_state(**EXPLORERS[name][1][0])
    find(explorer, ipywidgets.Button, "Reset").click()
    assert (explorer.state, explorer.description, explorer._image.value) == start


@EVERY
def test_fifty_redraws_leave_nothing_behind(name, explorer):
    def count():
        return (
            len(explorer._picture.figure.findobj()),
            len(_instances),
            len(plt.get_fignums()),
            picture(explorer).shape,
        )

    states = EXPLORERS[name][1]
    explorer.set_state(**states[0])
    before = count()
    for state in itertools.islice(itertools.cycle(states), 48):
        explorer.set_state(**state)
    explorer.reset()
    explorer.set_state(**states[0])
    assert count() == before


@EVERY
def test_state_is_a_copy(name, explorer):
    explorer.state.clear()
    assert explorer.state


@EVERY
def test_shown_without_a_front_end(name, explorer, capsys):
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == explorer.description == repr(explorer)
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert isinstance(explorer, Explorer)
    explorer.set_state(**EXPLORERS[name][1][0])
    assert capsys.readouterr() == ("", "")  # a print in a callback would surprise nbval


@EVERY
def test_readable_without_eyes(name, explorer):
    image = explorer._image.value
    alt = re.search(r'alt="([^"]+)"', image)[1]
    assert len(alt.split()) > 20 and "<" not in alt
    assert 'decoding="sync"' in image and 'width="1125"' in image
    assert 'role="status" aria-live="polite"' in explorer._text.value
    for row in explorer._control_rows:
        named = [w for w in getattr(row, "children", [row]) if getattr(w, "description", "")]
        assert named or isinstance(row, ipywidgets.ToggleButtons), row


@EVERY
def test_unknown_names_are_refused_and_change_nothing(name, explorer):
    before = explorer.state
    with pytest.raises(ValueError, match=r"the state has .*, got 'nonsense'"):
        explorer.set_state(nonsense=1)
    good = EXPLORERS[name][1][0]
    with pytest.raises(ValueError, match="nonsense"):
        explorer.set_state(**good, nonsense=1)
    assert explorer.state == before


@EVERY
def test_a_learners_style_does_not_reach_the_picture(name, explorer):
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "text.color": "white"}):
        other = EXPLORERS[name][0]()
    assert other._image.value == explorer._image.value


@EVERY
@pytest.mark.parametrize("which", range(-1, 3))
def test_text_is_legible_and_never_in_the_way(name, explorer, which):
    if which >= 0:
        explorer.set_state(**EXPLORERS[name][1][which])
    figure, canvas = explorer._picture.figure, explorer._picture._canvas
    renderer = canvas.get_renderer()
    texts = [t for t in figure.findobj(mpl.text.Text) if t.get_text().strip() and t.get_visible()]
    ticks = {t for a in figure.axes for axis in (a.xaxis, a.yaxis) for t in axis.get_ticklabels()}
    inside = [a.get_window_extent(renderer) for a in figure.axes]
    boxes = []
    for text in texts:
        assert text.get_fontsize() >= 11, text
        box = text.get_window_extent(renderer)
        out = ticks and text in ticks and not any(_near(box, a) for a in inside)
        if out:
            continue  # a tick outside its limits is not drawn
        assert box.x0 >= 0 and box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, text
        boxes.append((text.get_text(), box))
    assert len(boxes) > 8
    for (text, a), (other, b) in itertools.combinations(boxes, 2):
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(overlap) < 1.5, (text, other)
    for axes in figure.axes:
        if axes.get_legend():
            legend = axes.get_legend().get_window_extent(renderer)
            assert legend.y0 >= axes.get_window_extent(renderer).y1 - 1
            assert legend.x1 <= figure.bbox.x1


def _near(box, axes):
    middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return (axes.x0 - 2 <= middle[0] <= axes.x1 + 2) or (axes.y0 - 2 <= middle[1] <= axes.y1 + 2)


# ---------------------------------------------------------------- number boxes and sliders

NUMBERS = [
    ("shrinkage", "Predictors", "predictors", 23),
    ("shrinkage", "Scale", "scale", 0.35),
    ("missing", "Missing (%)", "share", 55),
    ("missing", "Strength", "strength", 0.7),
    ("calibration", "Width (times", "width", 1.25),
    ("calibration", "Shift", "shift", 0.7),
    ("calibration", "Simulated trials", "trials", 1200),
    ("league", "Hospitals", "n_hospitals", 9),
    ("league", "Patients", "patients", 120),
    ("league", "Intraclass", "icc", 0.11),
    ("marginal", "Untreated risk", "typical_risk", 35),
    ("marginal", "Odds ratio", "odds_ratio", 1.45),
    ("marginal", "hospital_sd", "hospital_sd", 0.7),
    ("least_squares", "Intercept", "intercept", 150.0),
    ("least_squares", "Slope", "slope", 1.25),
    ("design_effect", "Intraclass", "icc", 0.07),
    ("design_effect", "Patients", "patients_per_hospital", 44),
    ("design_effect", "Hospitals", "n_hospitals", 12),
    ("likelihood", "Hospital SD", "hospital_sd", 2.5),
    ("confounding", "Confounding", "confounding", 0.4),
    ("confounding", "Patients", "patients_per_hospital", 33),
    ("confounding", "Hospital SD", "hospital_sd", 6.5),
    ("confounding", "True effect", "treatment_effect", -2.5),
    ("covariance", "Hospital SD", "hospital_sd", 7.5),
    ("covariance", "SD of treatment", "effect_sd", 3.5),
    ("covariance", "Patient SD", "patient_sd", 9.5),
    ("covariance", "Correlation", "correlation", -0.4),
    ("design_studio", "Hospitals", "n_hospitals", 20),
    ("design_studio", "SD of the effect", "effect_sd", 2.5),
    ("design_studio", "Budget", "budget", 95_000),
    *(
        ("levels", name.capitalize(), f"{name}_sd", 7.5)
        for name in ("region", "hospital", "ward", "surgeon")
    ),
    ("levels", "Patient SD", "patient_sd", 9.5),
    ("levels", "Patients", "patients_per_ward", 24),
    ("levels", "Wards", "wards_per_hospital", 6),
    ("slopes", "SD of untreated means", "hospital_sd", 3.0),
    ("slopes", "SD of effects", "effect_sd", 7.5),
    ("slopes", "Their correlation", "correlation", -0.25),
    ("slopes", "Patients", "patients_per_hospital", 44),
]


@pytest.mark.parametrize(("name", "label", "key", "value"), NUMBERS)
def test_box_slider_and_code_agree(explorer, label, key, value):
    box = find(explorer, ipywidgets.BoundedFloatText, label)
    bar = slider(explorer, label)
    box.value = value
    assert explorer.state[key] == getattr(explorer.result, key) == pytest.approx(value)
    assert bar.value == pytest.approx(value)
    bar.value = bar.min + 4 * bar.step
    assert explorer.state[key] == box.value == pytest.approx(bar.min + 4 * bar.step)
    explorer.set_state(**{key: value})
    assert (box.value, bar.value) == (pytest.approx(value), pytest.approx(value))


@pytest.mark.parametrize(("name", "label", "key", "value"), NUMBERS)
def test_the_screen_is_clamped_where_code_is_refused(explorer, label, key, value):
    box = find(explorer, ipywidgets.BoundedFloatText, label)
    box.value = 1e9
    assert explorer.state[key] == pytest.approx(box.max)
    box.value = -1e9
    assert explorer.state[key] == pytest.approx(box.min)
    for bad in (box.max * 2 + 1, box.min - 1, math.nan, math.inf, "3", None, True, [1]):
        with pytest.raises(ValueError, match=f"{key} must .*, got"):
            explorer.set_state(**{key: bad})
    assert explorer.state[key] == pytest.approx(box.min)


@pytest.mark.parametrize("name", ["design_effect"])
def test_whole_even_numbers_only(explorer):
    find(explorer, ipywidgets.BoundedFloatText, "Patients").value = 33.2
    assert explorer.state["patients_per_hospital"] == 34
    assert find(explorer, ipywidgets.BoundedFloatText, "Patients").value == 34
    for bad in (33, 30.5):
        with pytest.raises(ValueError, match=r"must be 2, 4, 6 \.\.\. 200, got"):
            explorer.set_state(patients_per_hospital=bad)
    buttons = next(w for w in explorer.widget.children if isinstance(w, ipywidgets.ToggleButtons))
    buttons.value = "patient"
    assert explorer.result.treatment_by == "patient"
    explorer.set_state(treatment_by="hospital")
    assert buttons.value == "hospital"
    with pytest.raises(ValueError, match="must be one of patient, hospital, got 'ward'"):
        explorer.set_state(treatment_by="ward")


@pytest.mark.parametrize("name", ["least_squares"])
def test_what_the_browser_reports_back_does_not_spoil_an_exact_state(explorer):
    find(explorer, ipywidgets.Button, "Snap to least squares").click()
    exact = explorer.state["slope"]
    bar = slider(explorer, "Slope")
    steps = (bar.value - bar.min) / bar.step
    assert steps == pytest.approx(round(steps))  # or the browser would move it to a step
    bar.value += 1e-12
    assert explorer.state["slope"] == exact == explorer.result.best_slope
    assert explorer.result.excess == pytest.approx(0, abs=1e-12)
    assert "the least that any line can have" in explorer.description


@pytest.mark.parametrize("name", ["pooling"])
def test_supposed_sd_can_be_typed_dragged_or_infinite(explorer):
    box, bar = find(explorer, ipywidgets.Text, "Supposed"), slider(explorer, "Supposed")
    assert (box.value, bar.value) == ("infinite", bar.max)
    for typed, value in [("6.2", 6.2), ("2,5", 2.5), (" INF ", math.inf), ("0", 0), ("-3", 0)]:
        box.value = typed
        assert explorer.state == {"hospital_sd": value}
    box.value = "6.2"
    for nonsense in ("six", "", "nan"):
        box.value = nonsense
        assert explorer.state == {"hospital_sd": 6.2}
        assert box.value == "6.2"
    bar.value = 0
    assert (explorer.result.hospital_sd, box.value) == (0, "0")
    bar.value = bar.max
    assert (explorer.result.hospital_sd, box.value) == (math.inf, "infinite")
    for bad in (-1, math.nan, "6", None):
        with pytest.raises(ValueError, match=r"hospital_sd must be .*, got"):
            explorer.set_state(hospital_sd=bad)


def test_positions_along_the_steps_rise_to_the_end():
    steps = Steps("sd", "SD", 0, (0, 1, 2, 5, math.inf))
    values = [0, 0.5, 1, 1.9, 2, 3.5, 5, 10, 1e6, math.inf]
    positions = [steps.position(v) for v in values]
    assert positions == sorted(set(positions))
    assert [steps.position(v) for v in steps.grid] == [0, 1, 2, 3, 4]
    assert steps.position(3.5) == 2.5
