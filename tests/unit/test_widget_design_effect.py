"""The design effect explorer, held to independent calculations."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from utils.simulate import med_trial
from utils.widgets import design_effect as de


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
