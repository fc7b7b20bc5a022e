import base64
import io
import itertools
import math
import re

import ipywidgets
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances
from PIL import Image
from scipy import stats

from utils.pooling import three_poolings
from utils.simulate import med_trial
from utils.widgets import (
    Explorer,
    cracks_explorer,
    design_effect_explorer,
    least_squares_explorer,
    pooling_explorer,
)
from utils.widgets import design_effect as de
from utils.widgets import least_squares as ls
from utils.widgets import pooling as po
from utils.widgets._controls import Steps

EXPLORERS = {
    "least_squares": (
        least_squares_explorer,
        [{"slope": 0.8}, {"slope": -3.0, "intercept": 175}, {"slope": 3.0}],
    ),
    "design_effect": (
        design_effect_explorer,
        [
            {"icc": 0.3, "patients_per_hospital": 200, "n_hospitals": 60},
            {"icc": 0.0, "patients_per_hospital": 2, "n_hospitals": 4},
            {"treatment_by": "patient", "icc": 0.2, "patients_per_hospital": 30},
        ],
    ),
    "pooling": (pooling_explorer, [{"hospital_sd": 0}, {"hospital_sd": 4}, {"hospital_sd": 30}]),
    "cracks": (
        cracks_explorer,
        [
            {"crack": "outliers", "strength": "extreme"},
            {"crack": "sd_arms", "strength": "extreme", "n_hospitals": 60},
            {"crack": "skewed", "strength": "mild", "n_hospitals": 60},
        ],
    ),
}
EVERY = pytest.mark.parametrize("name", EXPLORERS)


@pytest.fixture(scope="module")
def built():
    return {name: make() for name, (make, _) in EXPLORERS.items()}


@pytest.fixture
def explorer(built, name):
    built[name].reset()
    return built[name]


def find(explorer, kind, text=None):
    """Return the control of a kind whose row or button carries a text."""
    for row in explorer.widget.children:
        inside = [row, *getattr(row, "children", ())]
        if text is None or any(getattr(w, "description", "").startswith(text) for w in inside):
            for control in inside:
                if isinstance(control, kind) and (
                    kind is not ipywidgets.Button or control.description == text
                ):
                    return control
    raise AssertionError(f"no {kind.__name__} for {text!r}")


def slider(explorer, text):
    kinds = (ipywidgets.FloatSlider, ipywidgets.IntSlider)
    for row in explorer.widget.children:
        inside = getattr(row, "children", ())
        if any(getattr(w, "description", "").startswith(text) for w in inside):
            return next(w for w in inside if isinstance(w, kinds))
    raise AssertionError(f"no slider for {text!r}")


def picture(explorer):
    data = re.search(r'base64,([^"]+)"', explorer._image.value)[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


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
    for row in explorer.widget.children[:-3]:  # buttons, picture and text come last
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
    ("least_squares", "Intercept", "intercept", 150.0),
    ("least_squares", "Slope", "slope", 1.25),
    ("design_effect", "Intraclass", "icc", 0.07),
    ("design_effect", "Patients", "patients_per_hospital", 44),
    ("design_effect", "Hospitals", "n_hospitals", 12),
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


# ---------------------------------------------------------------- least squares


def test_squared_errors_against_polyfit_and_the_identity():
    rng = np.random.default_rng(1)
    x, y = rng.normal(60, 9, 25), rng.normal(140, 12, 25)
    slope, at_zero = np.polyfit(x, y, 1)
    result = ls.compute(x, y, intercept=130, slope=0.4)
    assert result.best_slope == pytest.approx(slope)
    assert result.best_intercept == pytest.approx(at_zero + slope * x.mean())
    assert result.best_sse == pytest.approx(np.sum((y - at_zero - slope * x) ** 2))
    assert result.sse == pytest.approx(np.sum((y - 130 - 0.4 * (x - x.mean())) ** 2))
    apart = 25 * (130 - y.mean()) ** 2 + 25 * x.var() * (0.4 - slope) ** 2
    assert result.sse == pytest.approx(result.best_sse + apart)
    assert result.excess == pytest.approx(apart / result.best_sse)


def test_a_perfect_line_has_no_finite_excess():
    assert ls.compute([1, 2, 3], [1, 2, 3], intercept=2, slope=1).excess == 0
    assert ls.compute([1, 2, 3], [1, 2, 3], intercept=2, slope=0).excess == math.inf


@pytest.mark.parametrize("name", ["least_squares"])
def test_squares_are_square_and_add_up(explorer):
    explorer.set_state(intercept=140, slope=0.5)
    drawing = explorer._draw.__self__
    corners = np.array([p.vertices[:4] for p in drawing.squares.get_paths()])
    sides = np.ptp(corners[:, :, 1], axis=1)
    assert np.sum(sides**2) == pytest.approx(explorer.result.sse)
    on_page = drawing.main.transData.transform(corners.reshape(-1, 2)).reshape(corners.shape)
    np.testing.assert_allclose(np.ptp(on_page[:, :, 0], axis=1), np.ptp(on_page[:, :, 1], axis=1))
    slopes, curve = drawing.curve.get_data()
    (at,), (height,) = drawing.dot.get_data()
    assert (at, height) == (0.5, explorer.result.sse / explorer.result.best_sse)
    assert np.interp(0.5, slopes, curve) == pytest.approx(height, rel=1e-3)


def test_least_squares_takes_other_data():
    frame = pd.DataFrame({"dose": [0.0, 1, 2, 3], "effect": [0.001, 0.002, 0.004, 0.003]})
    explorer = least_squares_explorer(frame, x="dose", y="effect")
    find(explorer, ipywidgets.Button, "Snap to least squares").click()
    assert explorer.result.slope == pytest.approx(0.0008)
    assert "effect per dose" in explorer.description
    study = med_trial(n_hospitals=1, patients_per_hospital=8, rng=1)
    assert least_squares_explorer(study, x="baseline").result.residuals.shape == (8,)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame({"age": [1.0, 2, 3]}), "must have the column 'sbp'"),
        (pd.DataFrame({"age": [1.0, 2], "sbp": [1.0, 2]}), "3 or more"),
        (pd.DataFrame({"age": [1.0, 1, 1], "sbp": [1.0, 2, 3]}), "x must vary, got 3"),
        (pd.DataFrame({"age": [1.0, 2, 3], "sbp": [5.0, 5, 5]}), "sbp must vary"),
        (pd.DataFrame({"age": [1.0, 2, np.nan], "sbp": [1.0, 2, 3]}), "must be finite"),
        (pd.DataFrame({"age": ["a", "b", "c"], "sbp": [1.0, 2, 3]}), "must be numeric"),
        ([1, 2, 3], "must be a DataFrame or a Study, got list"),
    ],
)
def test_least_squares_refuses(data, message):
    with pytest.raises(ValueError, match=message):
        least_squares_explorer(data)


# ---------------------------------------------------------------- design effect


def test_design_effects_in_closed_form():
    by_hospital = de.compute(
        icc=0.2, patients_per_hospital=16, n_hospitals=10, treatment_by="hospital", total_sd=10
    )
    assert by_hospital.design_effect == pytest.approx(4)
    assert by_hospital.effective_sample_size == pytest.approx(40)
    assert by_hospital.ceiling == pytest.approx(50)
    # Two arms of 5 hospitals: variance of a hospital mean 20 + 80 / 16 = 25, over 5, twice.
    assert by_hospital.true_se == pytest.approx(math.sqrt(10))
    by_patient = de.compute(
        icc=0.2, patients_per_hospital=16, n_hospitals=10, treatment_by="patient", total_sd=10
    )
    assert by_patient.design_effect == pytest.approx(0.8)
    assert by_patient.effective_sample_size == pytest.approx(200)
    assert by_patient.true_se == pytest.approx(math.sqrt(80 / 80 * 2))
    assert by_patient.ceiling == math.inf
    assert by_patient.type_1_error < 0.05 < by_hospital.type_1_error
    assert by_patient.hospital_sd**2 + by_patient.patient_sd**2 == pytest.approx(100)


def exact_type_1_error(icc, n, hospitals, by, nodes=120):
    """Average P(|Z| > t sqrt(W)) over the exact law of W, by Gauss-Legendre quadrature."""
    between = 1 + n * icc / (1 - icc)
    if by == "hospital":
        parts = [(1 / between, hospitals * (n - 1)), (1.0, hospitals - 2)]
    else:
        parts = [(1.0, hospitals * n - hospitals - 1), (between, hospitals - 1)]
    p, w = np.polynomial.legendre.leggauss(nodes)
    p, w = (p + 1) / 2, w / 2
    a, b = (scale * stats.chi2.ppf(p, freedom) for scale, freedom in parts)
    ratio = (a[:, None] + b) / (hospitals * n - 2)
    tail = 2 * stats.norm.sf(stats.t.isf(0.025, hospitals * n - 2) * np.sqrt(ratio))
    return float(w @ tail @ w)


@pytest.mark.parametrize("by", ["hospital", "patient"])
def test_type_1_error_is_within_two_thousandths_of_exact(by):
    for icc, n, hospitals in itertools.product(
        (0, 0.01, 0.1, 0.3), (2, 10, 60, 200), (4, 6, 20, 60)
    ):
        got = float(de.naive_type_1_error(icc, n, hospitals, by))
        assert got == pytest.approx(exact_type_1_error(icc, n, hospitals, by), abs=0.002)
        if icc == 0:
            assert got == pytest.approx(0.05, abs=1e-9)


def test_type_1_error_tends_to_the_normal_formula():
    many = float(de.naive_type_1_error(0.1, 30, 10_000, "hospital"))
    assert many == pytest.approx(2 * stats.norm.sf(1.96 / math.sqrt(3.9)), abs=1e-3)
    many = float(de.naive_type_1_error(0.1, 30, 10_000, "patient"))
    assert many == pytest.approx(2 * stats.norm.sf(1.96 / math.sqrt(0.9)), abs=1e-3)


@pytest.mark.parametrize("by", ["hospital", "patient"])
def test_design_effect_against_simulated_trials(by):
    """MedTrial patients, dealt into 3,000 trials of 8 hospitals of 10, no effect of treatment."""
    trials, hospitals, n = 3000, 8, 10
    data = med_trial(
        n_hospitals=trials * hospitals, patients_per_hospital=n, treatment_effect=0,
        hospital_sd=6, patient_sd=12, assignment=by, rng=21,
    ).data  # fmt: skip
    y = data.sort_values(["treated", "hospital"], kind="stable")["sbp"].to_numpy()
    shape = (2, trials, hospitals * n // 2)
    control, treated = y.reshape(shape)  # by patient: half of each hospital, hospitals in order
    estimate = treated.mean(1) - control.mean(1)
    residual = (control.var(1) + treated.var(1)) * shape[2] / (hospitals * n - 2)
    se = np.sqrt(residual * 4 / (hospitals * n))
    rejected = np.mean(np.abs(estimate / se) > stats.t.isf(0.025, hospitals * n - 2))
    expected = de.compute(
        icc=0.2, patients_per_hospital=n, n_hospitals=hospitals, treatment_by=by,
        total_sd=math.sqrt(180),
    )  # fmt: skip
    assert estimate.std() == pytest.approx(expected.true_se, rel=4 / math.sqrt(2 * trials))
    assert math.sqrt(np.mean(se**2)) == pytest.approx(expected.naive_se, rel=0.03)
    p = expected.type_1_error
    assert rejected == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / trials) + 0.002)
    assert (p > 0.2) if by == "hospital" else (p < 0.04)


@pytest.mark.parametrize("name", ["design_effect"])
def test_dots_lie_on_their_curves(explorer):
    drawing = explorer._draw.__self__
    for by in ("hospital", "patient"):
        explorer.set_state(treatment_by=by, patients_per_hospital=50, icc=0.2)
        for dot, curve in (
            (drawing.dot_n, getattr(drawing, f"n_{by}")),
            (drawing.dot_e, getattr(drawing, f"e_{by}")),
        ):
            (x,), (y,) = dot.get_data()
            assert x == 50
            assert np.interp(x, *curve.get_data()) == pytest.approx(y, rel=0.01)
    assert drawing.ceiling.get_ydata()[0] == pytest.approx(100)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"icc": 1}, "icc must be at least 0 and below 1, got 1"),
        ({"icc": -0.1}, "icc must be"),
        ({"patients_per_hospital": 1}, "patients_per_hospital must be a whole number of 2"),
        ({"patients_per_hospital": 3, "treatment_by": "patient"}, "must be even .* got 3"),
        ({"n_hospitals": 5}, "n_hospitals must be even .* got 5"),
        ({"n_hospitals": 2}, "n_hospitals must be a whole number of 4"),
        ({"treatment_by": "ward"}, "treatment_by must be 'patient' or 'hospital', got 'ward'"),
        ({"total_sd": 0}, "total_sd must be above 0, got 0"),
    ],
)
def test_design_effect_refuses(change, message):
    good = {
        "icc": 0.1, "patients_per_hospital": 10, "n_hospitals": 10, "treatment_by": "hospital"
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        de.compute(**{**good, **change})


# ---------------------------------------------------------------- pooling


def test_pooling_agrees_with_the_formula_and_the_truth():
    study = med_trial(n_hospitals=9, patients_per_hospital=(3, 30), treatment_effect=0, rng=2)
    result = po.compute(po.prepare(study), hospital_sd=5)
    table = three_poolings(study.data["sbp"], study.data["hospital"], hospital_sd=5, patient_sd=12)
    pd.testing.assert_frame_equal(result.table, table)
    truth = study.truth.hospitals["mean"]
    for how in ("no_pooling", "complete_pooling", "partial_pooling"):
        rmse = math.sqrt(((table[how] - truth) ** 2).mean())
        assert getattr(result.errors, how) == pytest.approx(rmse)


@pytest.mark.parametrize("name", ["pooling"])
def test_ends_of_the_slider_are_the_two_poolings(explorer):
    assert explorer.state == {"hospital_sd": math.inf}
    table = explorer.result.table
    np.testing.assert_allclose(table["partial_pooling"], table["no_pooling"])
    assert explorer.result.errors.partial_pooling == explorer.result.errors.no_pooling
    explorer.set_state(hospital_sd=0)
    errors = explorer.result.errors
    assert np.ptp(explorer.result.table["partial_pooling"]) < 1e-9
    assert errors.partial_pooling == pytest.approx(errors.complete_pooling)


def test_truth_counts_the_treated():
    """A drug that lowers by 50 mmHg must not look like an error of the hospitals' means."""
    study = med_trial(
        n_hospitals=6, patients_per_hospital=400, treatment_effect=-50, hospital_sd=5,
        patient_sd=1, rng=3,
    )  # fmt: skip
    errors = po.compute(po.prepare(study), hospital_sd=math.inf).errors
    assert errors.no_pooling < 0.2


@pytest.mark.parametrize("name", ["pooling"])
def test_best_hospital_sd_beats_its_neighbours(explorer):
    hospitals = po.prepare()
    grid = explorer._controls["hospital_sd"].grid
    best = po.best_hospital_sd(hospitals, grid)
    error = po.compute(hospitals, hospital_sd=best).errors.partial_pooling
    for sd in (*grid, best * 0.9, best * 1.1):
        assert error <= po.compute(hospitals, hospital_sd=sd).errors.partial_pooling + 1e-6
    assert f"the best on these data is {best:.3g} mmHg" in explorer.description


@pytest.mark.parametrize("name", ["pooling"])
def test_dots_arrows_and_bar_show_the_result(explorer):
    explorer.set_state(hospital_sd=3)
    drawing = explorer._draw.__self__
    now = explorer.result.table["partial_pooling"].reindex(drawing.order).to_numpy()
    np.testing.assert_allclose(drawing.dots.get_offsets()[:, 1], now)
    sizes = explorer.result.table["n"].reindex(drawing.order)
    assert sizes.is_monotonic_increasing
    assert np.all(np.diff(drawing.dots.get_sizes()) >= 0)
    reach = drawing.arrows.V
    way = now - drawing.own
    assert np.all(np.abs(reach) <= np.abs(way) + 1e-12)  # to the rim, never past the dot
    assert np.all(reach * way >= 0) and np.abs(reach).max() > 1
    assert drawing.bar.get_width() == explorer.result.errors.partial_pooling
    assert drawing.mean.get_ydata()[0] == explorer.result.gls_mean


def test_data_without_a_truth_get_no_crosses_and_no_meter():
    data = med_trial(n_hospitals=5, patients_per_hospital=(1, 9), rng=5).data
    explorer = pooling_explorer(data)
    assert explorer.result.errors is None
    assert len(explorer._picture.figure.axes) == 1
    explorer.set_state(hospital_sd=4)
    assert "The truth is not known here" in explorer.description
    assert "RMSE" not in explorer.description
    assert "cross" not in explorer._picture.alt
    labels = [t.get_text() for t in explorer._picture.figure.axes[0].get_legend().get_texts()]
    assert labels == ["own mean", "estimate", "pulled to"]


def test_pooling_takes_other_columns_and_scales():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"county": np.repeat(list("abcdef"), 5), "log_radon": rng.normal(0, 1, 30)})
    data["log_radon"] = data["log_radon"] / 1000
    data.loc[0, "log_radon"] = np.nan
    explorer = pooling_explorer(data, y="log_radon", hospital="county", patient_sd=0.001)
    assert explorer.result.table["n"].sum() == 29
    grid = explorer._controls["hospital_sd"].grid
    assert grid[0] == 0 and grid[-1] == math.inf and 0.0001 < grid[5] < 0.01
    assert "mmHg" not in explorer.description


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: pooling_explorer(d.drop(columns="sbp")), "must have the column 'sbp'"),
        (lambda d: pooling_explorer(d[d["hospital"] == "H01"]), "2 hospitals or more, got 1"),
        (lambda d: pooling_explorer(d, patient_sd=0), "patient_sd must be above 0, got 0"),
        (lambda d: pooling_explorer("sbp"), "must be a Study or a DataFrame, got str"),
    ],
)
def test_pooling_refuses(make, message):
    data = med_trial(n_hospitals=3, patients_per_hospital=5, rng=1).data
    with pytest.raises(ValueError, match=message):
        make(data)
    with pytest.raises(ValueError, match="hospital_sd must be 0 or more"):
        po.compute(po.prepare(data), hospital_sd=-1)
