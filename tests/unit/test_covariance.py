import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from scipy import stats

from utils import mixedlm
from utils.covariance import COLOURS, entry, heat_map, implied_covariance, ink, patient_rows
from utils.simulate import med_trial


def by_matrices(hospital, treated, hospital_sd, patient_sd, effect_sd, correlation):
    """Return ZGZ' + R, by the matrices of the definition."""
    names = list(dict.fromkeys(hospital))
    at = np.array([[name == h for h in names] for name in hospital], dtype=float)
    Z = np.hstack([at, at * np.asarray(treated)[:, None]])
    both = correlation * hospital_sd * effect_sd
    G = np.kron([[hospital_sd**2, both], [both, effect_sd**2]], np.eye(len(names)))
    return Z @ G @ Z.T + patient_sd**2 * np.eye(len(hospital))


@pytest.mark.parametrize("correlation", [-1, -0.4, 0, 0.7, 1])
@pytest.mark.parametrize("effect_sd", [0, 5])
def test_entries_are_those_of_the_matrices(effect_sd, correlation):
    hospital = ["B", "A", "B", "C", "A", "B"]
    treated = [0, 1, 1, 0, 0, 1]
    settings = {"hospital_sd": 6, "patient_sd": 8, "effect_sd": effect_sd}
    V = implied_covariance(hospital, treated=treated, correlation=correlation, **settings)
    expected = by_matrices(hospital, treated, correlation=correlation, **settings)
    np.testing.assert_allclose(V, expected, atol=1e-12)
    assert np.linalg.eigvalsh(V).min() >= 64 - 1e-9  # patient_sd² and something not negative


def test_simulated_hospitals_have_this_covariance():
    study = med_trial(
        n_hospitals=40_000, patients_per_hospital=2, hospital_sd=6, patient_sd=8,
        treatment_effect_sd=5, intercept_effect_correlation=-0.5, treatment_effect=-8, rng=1,
    )  # fmt: skip
    data = study.data.sort_values(["hospital", "treated"])
    pairs = data["sbp"].to_numpy().reshape(-1, 2)  # one untreated and one treated in each
    V = implied_covariance(
        ["H", "H"], treated=[0, 1], hospital_sd=6, patient_sd=8, effect_sd=5, correlation=-0.5
    )
    np.testing.assert_allclose(np.cov(pairs, rowvar=False), V, atol=4 * 100 / np.sqrt(20_000))


@pytest.mark.parametrize("re_formula", [None, "1 + treated"])
def test_it_is_the_covariance_that_mixedlm_fits(re_formula):
    data = med_trial(
        n_hospitals=15, patients_per_hospital=(4, 9), treatment_effect_sd=5, rng=2
    ).data
    fit = mixedlm.fit("sbp ~ treated", data, groups="hospital", re_formula=re_formula, reml=False)
    estimate = fit.variances["estimate"]
    V = implied_covariance(
        data["hospital"], treated=data["treated"], hospital_sd=estimate["hospital_sd"],
        patient_sd=estimate["patient_sd"], effect_sd=estimate.get("treated_sd", 0.0),
        correlation=estimate.get("correlation(hospital, treated)", 0.0),
    )  # fmt: skip
    X = np.column_stack([np.ones(len(data)), data["treated"]])
    density = stats.multivariate_normal(X @ fit.fixed["estimate"], V).logpdf(data["sbp"])
    assert density == pytest.approx(fit.result.llf, abs=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hospital_sd": -1}, "hospital_sd must be 0 or more, got -1"),
        ({"patient_sd": float("nan")}, "patient_sd must be 0 or more"),
        ({"effect_sd": float("inf")}, "effect_sd must be 0 or more"),
        ({"correlation": 1.1}, "correlation must be from -1 to 1, got 1.1"),
        ({"effect_sd": 2, "treated": None}, "treated must be given .* got 2"),
        ({"treated": [0]}, "one entry per patient, got 2"),
        ({"hospital": [["A", "B"]]}, r"list of names, got shape \(1, 2\)"),
    ],
)
def test_impossible_covariances_are_refused(change, message):
    good = {"hospital": ["A", "B"], "treated": [0, 1], "hospital_sd": 6, "patient_sd": 8}
    with pytest.raises(ValueError, match=message):
        implied_covariance(**{**good, **change})


@pytest.fixture
def ax():
    fig, axes = plt.subplots()
    yield axes
    plt.close(fig)


def test_heat_map_shows_each_number_where_it_belongs(ax):
    matrix = np.array([[9.0, -4.4, 0], [-4.4, 7, -0.2], [0, -0.2, 1]])
    image, texts = heat_map(matrix, ax, edges=[1, 2])
    np.testing.assert_array_equal(image.get_array(), matrix)
    assert [t.get_text() for t in texts] == ["9", "−4", "0", "−4", "7", "0", "0", "0", "1"]
    assert texts[5].get_position() == (2, 1)
    assert (image.norm.vmin, image.norm.vmax) == (-9, 9)
    assert len(ax.get_lines()) == 4
    assert heat_map(matrix, ax, largest=20)[0].norm.vmax == 20


def test_numbers_can_be_read_on_every_cell():
    def luminance(rgb):
        c = np.asarray(rgb)
        c = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return float(c @ [0.2126, 0.7152, 0.0722])

    for value in np.linspace(-1, 1, 81):
        ground, text = luminance(COLOURS((value + 1) / 2)[:3]), luminance(to_rgb(ink(value, 1)))
        assert (max(ground, text) + 0.05) / (min(ground, text) + 0.05) > 4.5, value


def test_entries_have_a_true_minus_and_no_minus_zero():
    assert [entry(v) for v in (-12.6, -0.4, 0.0, 0.4, 99.5)] == ["−13", "0", "0", "0", "100"]


@pytest.mark.parametrize(
    ("matrix", "options", "message"),
    [
        ([[1, 2]], {}, r"square and finite, got shape \(1, 2\)"),
        ([[np.nan]], {}, "square and finite"),
        ([[1.0]], {"largest": 0}, "largest must be above 0, got 0"),
    ],
)
def test_heat_map_refuses(ax, matrix, options, message):
    with pytest.raises(ValueError, match=message):
        heat_map(matrix, ax, **options)


def test_patients_stand_in_their_rows(ax):
    data = pd.DataFrame({"hospital": ["A", "A", "B"], "treated": [0, 1, 1], "sbp": [150, 130, 128]})
    patient_rows(data, [145, 137, 131], ax)
    expected, control, treated = (c.get_offsets() for c in ax.collections[1:])
    np.testing.assert_allclose(expected, [[145, 0], [137, 1], [131, 2]])
    np.testing.assert_allclose(control, [[150, 0]])
    np.testing.assert_allclose(treated, [[130, 1], [128, 2]])
    assert ax.yaxis_inverted()
    with pytest.raises(ValueError, match=r"one entry per patient, got shape \(2,\) for 3"):
        patient_rows(data, [145, 137], ax)
    with pytest.raises(ValueError, match=r"missing: \['treated'\]"):
        patient_rows(data.drop(columns="treated"), [1, 2, 3], ax)
