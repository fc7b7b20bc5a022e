"""Residuals, QQ plots and influence, against dense matrices, refits and closed forms."""

import doctest

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from utils import diagnostics, mixedlm
from utils.simulate import med_trial


@pytest.fixture(scope="module")
def model():
    data = med_trial(n_hospitals=9, patients_per_hospital=(4, 15), rng=3).data
    return mixedlm.fit("sbp ~ treated + age", data, groups="hospital")


def dense(model):
    """Return V's inverse projected off X, Z and y, as full matrices."""
    x, codes = model._design.x, model._design.codes
    z = np.eye(codes.max() + 1)[codes]
    v = model.hospital_sd**2 * z @ z.T + model.patient_sd**2 * np.eye(len(x))
    inverse = np.linalg.inv(v)
    p = inverse - inverse @ x @ np.linalg.inv(x.T @ inverse @ x) @ x.T @ inverse
    return p, z, np.asarray(model._design.model.endog)


def test_residuals_and_their_sds_are_those_of_the_full_matrices(model):
    p, _, y = dense(model)
    table = diagnostics.patient_residuals(model)
    np.testing.assert_allclose(table["residual"], model.patient_sd**2 * p @ y, atol=1e-5)
    np.testing.assert_allclose(table["sd"], model.patient_sd**2 * np.sqrt(np.diag(p)), rtol=1e-7)
    np.testing.assert_allclose(table["residual"] / table["sd"], table["standardised"])
    np.testing.assert_allclose(table["fitted"] + table["residual"], y)


def test_effects_and_their_sds_are_those_of_the_full_matrices(model):
    p, z, y = dense(model)
    table = diagnostics.hospital_effects(model)
    np.testing.assert_allclose(table["prediction"], model.hospital_sd**2 * z.T @ p @ y, atol=1e-5)
    sd = model.hospital_sd**2 * np.sqrt(np.diag(z.T @ p @ z))
    np.testing.assert_allclose(table["sd"], sd, rtol=1e-7)
    np.testing.assert_allclose(table["standardised"], table["prediction"] / sd, atol=1e-6)
    assert (table["sd"] < model.hospital_sd).all()


def test_standardised_numbers_have_sd_one_over_many_hospitals():
    data = med_trial(n_hospitals=600, patients_per_hospital=(3, 30), hospital_sd=4, rng=1).data
    model = mixedlm.fit("sbp ~ treated", data, groups="hospital")
    table = diagnostics.hospital_effects(model)
    small = table["n"] < 12
    for part in (table[small], table[~small]):
        assert part["standardised"].std() == pytest.approx(1, abs=5 / np.sqrt(2 * len(part)))
    assert (table["prediction"] / model.hospital_sd)[small].std() < 0.8
    assert diagnostics.patient_residuals(model)["standardised"].std() == pytest.approx(1, abs=0.03)


def test_leaving_out_is_fitting_without(model):
    without = diagnostics.leave_one_hospital_out(model, "treated")
    data = med_trial(n_hospitals=9, patients_per_hospital=(4, 15), rng=3).data
    for name in ("H01", "H06"):
        again = mixedlm.fit(
            "sbp ~ treated + age", data[data["hospital"] != name], groups="hospital"
        )
        row = without.loc[name]
        assert row["estimate"] == pytest.approx(again.fixed.loc["treated", "estimate"], abs=1e-5)
        assert row["se"] == pytest.approx(again.fixed.loc["treated", "se"], rel=1e-4)
        assert row["df"] == pytest.approx(again.fixed.loc["treated", "df"], rel=1e-3)
        assert row["hospital_sd"] == pytest.approx(again.hospital_sd, rel=1e-3)
        assert row["patient_sd"] == pytest.approx(again.patient_sd, rel=1e-4)
    whole = model.fixed.loc["treated"]
    np.testing.assert_allclose(without["change"], without["estimate"] - whole["estimate"])
    np.testing.assert_allclose(without["change_in_se"], without["change"] / whole["se"])


def test_leaving_out_of_equal_hospitals_in_closed_form():
    data = med_trial(n_hospitals=8, patients_per_hospital=10, assignment="hospital", rng=5).data
    model = mixedlm.fit("sbp ~ treated", data, groups="hospital")
    without = diagnostics.leave_one_hospital_out(model, "treated")
    means = data.groupby("hospital", observed=True)[["treated", "sbp"]].mean()
    arm = means.groupby("treated")["sbp"].transform("mean")
    sign = np.where(means["treated"] == 1, 1, -1)
    np.testing.assert_allclose(without["change"], sign * (arm - means["sbp"]) / 3, atol=1e-7)


def test_qq_band_is_the_law_of_order_statistics():
    expected, ordered, low, high = diagnostics.qq_points(np.arange(9.0)[::-1])
    assert ordered.tolist() == list(range(9))
    np.testing.assert_allclose(expected, -expected[::-1], atol=1e-12)
    samples = np.sort(np.random.default_rng(1).standard_normal((20_000, 9)), axis=1)
    inside = ((samples > low) & (samples < high)).mean(axis=0)
    np.testing.assert_allclose(inside, 0.95, atol=5 * np.sqrt(0.95 * 0.05 / 20_000))


def test_qq_plot_draws_values_as_they_are_or_scaled():
    values = stats.norm.rvs(5, 3, size=40, random_state=1)
    fig, (left, right) = plt.subplots(1, 2)
    diagnostics.qq_plot(values, left, markersize=2)
    drawn = left.lines[-1].get_ydata()
    np.testing.assert_allclose(drawn, np.sort((values - values.mean()) / values.std(ddof=1)))
    diagnostics.qq_plot(values, right, scale=False)
    np.testing.assert_allclose(right.lines[-1].get_ydata(), np.sort(values))
    plt.close(fig)


def test_refuses(model):
    data = med_trial(n_hospitals=6, patients_per_hospital=8, rng=1).data
    slope = mixedlm.fit("sbp ~ treated", data, groups="hospital", re_formula="1 + treated")
    for function in (diagnostics.patient_residuals, diagnostics.hospital_effects):
        with pytest.raises(ValueError, match="a random intercept alone, got hospital, treated"):
            function(slope)
    with pytest.raises(ValueError, match="term must be one of Intercept, treated, age; got 'dose'"):
        diagnostics.leave_one_hospital_out(model, "dose")
    two = med_trial(n_hospitals=4, patients_per_hospital=8, assignment="hospital",
                    treated_share=0.25, rng=1).data  # fmt: skip
    lonely = mixedlm.fit("sbp ~ treated", two, groups="hospital")
    with pytest.raises(ValueError, match="cannot be fitted without H0"):
        diagnostics.leave_one_hospital_out(lonely, "treated")
    flat = pd.DataFrame({"hospital": np.repeat(list("abc"), 4), "sbp": np.tile([1.0, 2, 3, 4], 3)})
    with pytest.raises(ValueError, match="hospital_sd must be above 0"):
        diagnostics.hospital_effects(mixedlm.fit("sbp ~ 1", flat, groups="hospital"))
    with pytest.raises(ValueError, match="at least 3 finite numbers, got 2"):
        diagnostics.qq_points([1, 2])
    with pytest.raises(ValueError, match="at least 3 finite"):
        diagnostics.qq_points([1, 2, np.nan])
    fig, ax = plt.subplots()
    with pytest.raises(ValueError, match="values must vary, got 3"):
        diagnostics.qq_plot([1, 1, 1], ax)
    with pytest.raises(ValueError, match=r"thing must be one of .*; got 'ghost'"):
        diagnostics.qq_plot([1, 2, 3], ax, thing="ghost")
    plt.close(fig)


def test_the_examples_run():
    assert doctest.testmod(diagnostics).failed == 0
