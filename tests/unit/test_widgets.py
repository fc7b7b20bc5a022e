import itertools
import math
import re
import time

import ipywidgets
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from explorers import EXPLORERS, find, picture, slider
from ipywidgets.widgets.widget import _instances
from scipy import stats

from utils import mixedlm
from utils.likelihood import profile_loglik
from utils.pooling import three_poolings
from utils.simulate import med_trial
from utils.studies import two_arm_trials
from utils.widgets import (
    Explorer,
    design_studio_explorer,
    least_squares_explorer,
    likelihood_explorer,
    pooling_explorer,
)
from utils.widgets import covariance as co
from utils.widgets import design_effect as de
from utils.widgets import design_studio as st
from utils.widgets import least_squares as ls
from utils.widgets import levels as lv
from utils.widgets import likelihood as li
from utils.widgets import pooling as po
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


# ---------------------------------------------------------------- covariance


def test_covariance_by_hand():
    result = co.compute(hospital_sd=6, effect_sd=5, patient_sd=8, correlation=-0.4)
    both = 36 - 0.4 * 6 * 5  # one untreated, one treated
    treated = 36 - 2 * 0.4 * 6 * 5 + 25
    block = [[100, 36, both, both], [36, 100, both, both]]
    block += [[both, both, treated + 64, treated], [both, both, treated, treated + 64]]
    np.testing.assert_allclose(result.V, np.kron(np.eye(2), block), atol=1e-12)
    assert (result.sd_control, result.sd_treated) == pytest.approx((10, math.sqrt(treated + 64)))
    assert result.same_control == pytest.approx(0.36)
    assert result.same_treated == pytest.approx(treated / (treated + 64))
    assert result.same_mixed == pytest.approx(both / (10 * math.sqrt(treated + 64)))


@pytest.mark.parametrize("correlation", [-1, -0.3, 0, 1])
def test_drawn_hospitals_have_the_spread_that_the_sliders_say(correlation):
    result = co.compute(hospital_sd=7, effect_sd=4, patient_sd=9, correlation=correlation)
    control, effect = result.means[0], result.means[1] - result.means[0]
    assert (control.mean(), effect.mean()) == pytest.approx((140, -8))
    assert (control.std(), effect.std()) == pytest.approx((7, 4))
    assert np.corrcoef(control, effect)[0, 1] == pytest.approx(correlation, abs=1e-9)
    again = co.compute(hospital_sd=0, effect_sd=0, patient_sd=2, correlation=0)
    np.testing.assert_allclose(
        (again.patients - again.means[..., None]) / 2,
        (result.patients - result.means[..., None]) / 9,
    )


@pytest.mark.parametrize("name", ["covariance"])
def test_cells_bars_and_dots_show_the_result(explorer):
    explorer.set_state(hospital_sd=4, effect_sd=10, patient_sd=14, correlation=-0.9)
    drawing, result = explorer._draw.__self__, explorer.result
    assert len(drawing.cells) == 32
    for row, column, text in drawing.cells:
        assert text.get_text().replace("−", "-") == f"{result.V[row, column]:.0f}"
    shown = drawing.image.get_array()
    assert np.all(shown.mask == (np.kron(np.eye(2), np.ones((4, 4))) == 0))
    np.testing.assert_array_equal(shown.compressed(), result.V[~shown.mask])
    everyone, one = (np.ptp(bar.get_ydata()) for bar in drawing.bars[1])
    assert everyone == pytest.approx(2 * 1.96 * result.sd_treated)
    assert one == pytest.approx(2 * 1.96 * 14)
    np.testing.assert_allclose(drawing.dots[0].get_ydata(), result.patients[0].ravel())
    assert "both untreated .08, both treated .18, one of each −.09" in explorer.description


def test_patients_of_every_setting_stay_in_the_panel():
    drawing = co._Drawing()
    low, high = drawing.dots[0].axes.get_ylim()
    for hospital_sd, effect_sd, correlation in itertools.product((0, 12), (0, 10), (-1, 0, 1)):
        result = co.compute(
            hospital_sd=hospital_sd, effect_sd=effect_sd, patient_sd=14, correlation=correlation
        )
        assert low < result.patients.min() and result.patients.max() < high
        assert low < 132 - 1.96 * result.sd_treated and 140 + 1.96 * result.sd_control < high


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patient_sd": 0}, "patient_sd must be above 0, got 0"),
        ({"hospital_sd": -1}, "hospital_sd must be 0 or more, got -1"),
        ({"correlation": 2}, "correlation must be from -1 to 1, got 2"),
    ],
)
def test_covariance_refuses(change, message):
    good = {"hospital_sd": 6, "effect_sd": 5, "patient_sd": 8, "correlation": 0}
    with pytest.raises(ValueError, match=message):
        co.compute(**{**good, **change})


# ---------------------------------------------------------------- design studio


STUDIO = {
    "treatment_by": "hospital", "n_hospitals": 12, "patients_per_hospital": 20, "icc": 0.2,
    "effect": 6.0, "effect_sd": 0.0, "cost_per_hospital": 3000, "cost_per_patient": 150,
    "budget": 80_000,
}  # fmt: skip


def test_studio_against_textbook_formulas():
    result = st.compute(**STUDIO)
    sd = math.sqrt(144 / 4 + 144 / 20)  # of a hospital's mean: ICC .2 is a fourth of 12²
    nct = stats.nct(10, 6 / (sd * math.sqrt(1 / 6 + 1 / 6)))
    limit = stats.t.isf(0.025, 10)
    assert result.plan.power == pytest.approx(nct.sf(limit) + nct.cdf(-limit))
    assert result.cost == 12 * 3000 + 240 * 150
    assert result.affordable == 24  # 80,000/12 - 3,000 pays 24.4 patients
    assert result.within_budget.loc[12, "patients_per_hospital"] == 24
    assert (result.within_budget["cost"] <= 80_000).all()
    assert result.plan.source == "exact"


def test_studio_says_where_its_numbers_come_from():
    explorer = design_studio_explorer()
    assert explorer.description.count("(exact)") == 1
    assert explorer.description.count("(simulated, 4,000 trials)") == 1
    explorer.set_state(effect_sd=3)
    assert explorer.description.count("(simulated, 4,000 trials)") == 2
    assert "varying with an SD of 3.0 mmHg" in explorer.description
    explorer.set_state(treatment_by="patient")
    assert explorer.description.count("(exact)") == 1


@pytest.mark.parametrize("by", ["hospital", "patient"])
def test_studio_z_test_against_the_older_engine(by):
    state = STUDIO | {"treatment_by": by, "n_hospitals": 6, "icc": 0.1}
    result = st.compute(**state)
    trials = two_arm_trials(
        20_000, assignment=by, n_hospitals=6, patients_per_hospital=20, hospital_sd=4,
        patient_sd=12, methods=("random intercept, z",), rng=3,
    )  # fmt: skip
    p = trials["p_value"].lt(0.05).mean()
    assert result.plan.z_type_1_error == pytest.approx(p, abs=0.01)
    assert result.z_error[1] == result.plan.z_type_1_error  # the curve at 6 hospitals


@pytest.mark.parametrize("name", ["design_studio"])
def test_studio_dots_and_curves_show_the_result(explorer):
    drawing = explorer._draw.__self__
    for state in ({}, {"effect_sd": 2.0}, {"treatment_by": "patient"}):
        explorer.set_state(n_hospitals=16, **state)
        find(explorer, ipywidgets.Button, "Spend the budget on patients").click()
        result = explorer.result
        assert result.patients_per_hospital == result.affordable
        assert 0 <= result.budget - result.cost < 2 * 16 * result.cost_per_patient
        found = result.plan
        heights = [found.power, found.half_width, found.z_type_1_error]
        assert [dot.get_data()[1][0] for dot in drawing.dots] == heights
        x, y = drawing.paid.get_data()
        assert np.interp(16, x, y) == pytest.approx(found.power, abs=0.02)  # one patient apart
        x, y = drawing.z.get_data()
        assert np.interp(16, x, y) == pytest.approx(found.z_type_1_error, rel=0.01)


@pytest.mark.parametrize("name", ["design_studio"])
def test_studio_keeps_its_dots_on_the_axes(explorer):
    least = {"n_hospitals": 4, "patients_per_hospital": 2, "icc": 0.3, "effect_sd": 6.0}
    most = {"n_hospitals": 60, "patients_per_hospital": 200, "icc": 0.0, "effect_sd": 0.0}
    for by, state in itertools.product(["hospital", "patient"], [least, most]):
        explorer.set_state(treatment_by=by, **state)
        for dot in explorer._draw.__self__.dots:
            low, high = dot.axes.get_ylim()
            assert low < dot.get_ydata()[0] < high


@pytest.mark.parametrize("name", ["design_studio"])
def test_studio_copes_with_a_budget_that_pays_nothing(explorer):
    explorer.set_state(budget=10_000, cost_per_hospital=10_000)
    assert explorer.result.affordable == 0
    assert len(explorer.result.within_budget) == 0
    assert "does not pay for 4 hospitals" in explorer.description
    find(explorer, ipywidgets.Button, "Spend the budget on patients").click()
    assert explorer.state["patients_per_hospital"] == 20
    with pytest.raises(ValueError, match="icc must be at least 0 and below 1, got 1"):
        st.compute(**(STUDIO | {"icc": 1}))


@pytest.mark.parametrize("name", ["design_studio"])
def test_studio_redraws_without_waiting(explorer):
    seconds = []
    for size in range(2, 62, 4):
        start = time.perf_counter()
        explorer.set_state(patients_per_hospital=size, effect_sd=3.0)
        seconds.append(time.perf_counter() - start)
    assert np.median(seconds) < 0.1  # 0.02 on a quiet machine


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


# ---------------------------------------------------------------- likelihood


def _trial(n_hospitals=8, rng=3, **settings):
    return med_trial(n_hospitals=n_hospitals, assignment="hospital", rng=rng, **settings)


@pytest.mark.parametrize("n_hospitals", [5, 8, 20])
def test_hill_and_interval_against_the_library(n_hospitals):
    data = _trial(n_hospitals).data
    trial = li.prepare(data)
    for reml, curve, sd in [
        (True, trial.reml_curve, trial.reml_sd),
        (False, trial.ml_curve, trial.ml_sd),
    ]:
        model = mixedlm.fit("sbp ~ treated", data, groups="hospital", reml=reml)
        heights = profile_loglik(trial.sums, li.GRID, reml=reml)
        np.testing.assert_allclose(curve, model.loglik - heights, atol=2e-5)
        assert sd == pytest.approx(model.hospital_sd, abs=1e-4)
    ends = mixedlm.fit("sbp ~ treated", data, groups="hospital").variances.loc["hospital_sd"]
    assert trial.lower == pytest.approx(ends["lower"], abs=2e-3)
    assert trial.upper == pytest.approx(ends["upper"], abs=2e-3)


def _dense(data, hospital_sd, patient_sd):
    """Return effect, standard error and REML height (up to a constant), patient by patient."""
    same = data["hospital"].to_numpy()[:, None] == data["hospital"].to_numpy()
    v = hospital_sd**2 * same + patient_sd**2 * np.eye(len(data))
    x, y = np.column_stack([np.ones(len(data)), data["treated"]]), data["sbp"].to_numpy()
    information = x.T @ np.linalg.solve(v, x)
    beta = np.linalg.solve(information, x.T @ np.linalg.solve(v, y))
    logs = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    height = -(logs + (y - x @ beta) @ np.linalg.solve(v, y - x @ beta)) / 2
    return beta[1], np.linalg.inv(information)[1, 1] ** 0.5, height


@pytest.mark.parametrize("hospital_sd", [0, 2.3, 11])
def test_effect_and_error_against_generalised_least_squares(hospital_sd):
    data = _trial(6).data
    result = li.compute(li.prepare(data), hospital_sd=hospital_sd)
    effect, se, height = _dense(data, hospital_sd, result.patient_sd)
    assert result.effect == pytest.approx(effect)
    assert result.se == pytest.approx(se)
    for sd in result.patient_sd * np.array([0.99, 1.01]):  # the best patient SD
        assert height > _dense(data, hospital_sd, sd)[2]


def test_at_zero_it_is_the_naive_analysis():
    data = _trial(10).data
    result = li.compute(li.prepare(data), hospital_sd=0)
    arms = data.groupby("treated")["sbp"]
    assert result.effect == pytest.approx(arms.mean().diff().iloc[1])
    pooled = (arms.var() * (arms.size() - 1)).sum() / (len(data) - 2)
    assert result.patient_sd == pytest.approx(pooled**0.5, rel=1e-4)
    assert result.se == pytest.approx((pooled * (1 / arms.size()).sum()) ** 0.5, rel=1e-4)
    assert np.all(result.weights == 0)


@pytest.mark.parametrize("name", ["likelihood"])
def test_buttons_go_to_the_tops(explorer):
    for data in ("6 hospitals", "10 hospitals", "40 hospitals"):
        explorer.set_state(data=data)
        find(explorer, ipywidgets.Button, "To the top of REML").click()
        assert explorer.result.reml_drop == pytest.approx(0, abs=1e-4)
        assert explorer.state["hospital_sd"] == explorer.result.trial.reml_sd
        assert explorer.result.inside
        find(explorer, ipywidgets.Button, "To the top of ML").click()
        assert explorer.result.ml_drop == pytest.approx(0, abs=1e-4)
        assert explorer.result.reml_drop > 0
        assert explorer.state["hospital_sd"] < explorer.result.trial.reml_sd


@pytest.mark.parametrize("name", ["likelihood"])
def test_likelihood_drawing_shows_the_result(explorer):
    explorer.set_state(data="10 hospitals", hospital_sd=5.0)
    drawing, result = explorer._draw.__self__, explorer.result
    assert list(map(list, drawing.dot.get_data())) == [[5.0], [-result.reml_drop]]
    assert drawing.dot_se.get_ydata()[0] == result.se
    np.testing.assert_array_equal(drawing.weights.get_ydata(), result.weights)
    assert list(drawing.interval.get_xdata()) == [result.trial.lower, result.trial.upper]
    assert np.interp(5, *drawing.se.get_data()) == pytest.approx(result.se, rel=1e-3)
    explorer.set_state(data="40 hospitals", hospital_sd=0)
    assert explorer.result.reml_drop > 6
    assert drawing.dot.get_ydata()[0] == -6  # kept on the page
    assert "outside the 95 % profile interval" in explorer.description


def test_the_answers_in_lesson_5_to_the_explorers_questions():
    trials = {name: li.prepare(study) for name, study in li.default_trials().items()}
    drops = [li.compute(trial, hospital_sd=0).reml_drop for trial in trials.values()]
    assert [round(drop, 1) for drop in drops] == [1.6, 5.0, 23.2]
    six, ten, forty = trials.values()
    assert six.lower == 0 < ten.lower < forty.lower
    assert six.reml_sd - six.ml_sd > 1.4 and forty.reml_sd - forty.ml_sd < 0.2
    low, high = (li.compute(ten, hospital_sd=sd) for sd in (ten.lower, ten.upper))
    assert round(high.se / low.se, 1) == 2.7
    assert low.weights[-1] > 0.5 and np.all(np.diff(low.weights) > 0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: li.prepare("sbp"), "must be a Study or a DataFrame, got str"),
        (lambda d: li.prepare(d.drop(columns="treated")), "must have the column 'treated'"),
        (lambda d: li.prepare(med_trial(n_hospitals=4, rng=1)), "treatment must be given by hosp"),
        (lambda d: likelihood_explorer({}), "one trial or more, got none"),
        (lambda d: li.compute(li.prepare(d), hospital_sd=-1), "hospital_sd must be 0 or more"),
    ],
)
def test_likelihood_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make(_trial(4).data)


# ---------------------------------------------------------------- levels


def test_levels_against_drawn_patients():
    """Surgeons crossed with wards in hospitals in regions, every cell one patient."""
    state = {
        "region_sd": 2, "hospital_sd": 4, "ward_sd": 3, "surgeon_sd": 5, "patient_sd": 6,
        "patients_per_ward": 12, "wards_per_hospital": 2,
    }  # fmt: skip
    result = lv.compute(**state)
    rng, shape = np.random.default_rng(1), (8, 4, 2, 12)
    surgeon = rng.normal(0, 5, (3000, 1, 1, 1, 12))
    parts = [(2, (8, 1, 1, 1)), (4, (8, 4, 1, 1)), (3, (8, 4, 2, 1)), (6, shape)]
    effects = [rng.normal(0, sd, (3000, *units)) for sd, units in parts]
    y = sum(effects) + surgeon
    at = np.indices(shape)
    arms = {
        "region": at[0] % 2, "hospital": at[1] % 2, "ward": at[2] % 2, "surgeon": at[3] % 2,
        # By patient every surgeon has treated and untreated patients: in turn by ward.
        "patient": (at[3] + at[2]) % 2,
    }  # fmt: skip
    for level, arm in arms.items():
        estimate = y[:, arm == 1].mean(axis=1) - y[:, arm == 0].mean(axis=1)
        assert estimate.std() == pytest.approx(result.treatment_se[level], rel=0.06), level
    mean = y.mean(axis=(3, 4)) - effects[0][..., 0, 0] - effects[1][..., 0, 0]
    mean = mean - surgeon.mean(axis=(3, 4))
    assert mean.std() == pytest.approx(result.hospital_mean_se, rel=0.03)
    total = 4 + 16 + 9 + 25 + 36
    expected = {
        "same region": 4, "same hospital": 20, "same ward": 29, "same ward and surgeon": 54,
        "same surgeon only": 25,
    }  # fmt: skip
    assert result.correlations.to_dict() == pytest.approx(
        {pair: value / total for pair, value in expected.items()}
    )
    assert result.shares.sum() == pytest.approx(1)
    assert result.n_patients == math.prod(shape)


@pytest.mark.parametrize("name", ["levels"])
def test_bars_and_dots_show_the_levels(explorer):
    explorer.set_state(ward_sd=9, surgeon_sd=3)
    drawing, result = explorer._draw.__self__, explorer.result
    widths = [bar.get_width() for bar in drawing.bars]
    assert widths == pytest.approx(result.shares.tolist())
    assert [bar.get_x() for bar in drawing.bars[1:]] == pytest.approx(np.cumsum(widths)[:-1])
    assert [bar.get_width() for bar in drawing.pairs] == pytest.approx(result.correlations.tolist())
    shown = drawing.dots.get_offsets()[:, 0]
    assert shown == pytest.approx([*result.treatment_se, result.hospital_mean_se])
    assert drawing.words[0].get_text() == ""  # a share too narrow for its number
    assert drawing.words[2].get_text() == f"{100 * result.shares['ward']:.0f} %"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patient_sd": 0}, "patient_sd must be above 0, got 0"),
        ({"ward_sd": -1}, "SD of ward must be 0 or more"),
        ({"patients_per_ward": 3}, "patients_per_ward must be an even number .* got 3"),
        ({"wards_per_hospital": 0}, "wards_per_hospital must be an even number .* got 0"),
    ],
)
def test_levels_refuse(change, message):
    good = {f"{name}_sd": 5 for name in ("region", "hospital", "ward", "surgeon", "patient")}
    good |= {"patients_per_ward": 4, "wards_per_hospital": 2}
    with pytest.raises(ValueError, match=message):
        lv.compute(**{**good, **change})
