import dataclasses
import doctest

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given
from hypothesis import strategies as st

from utils import pooling
from utils.pooling import (
    anova_icc,
    design_effect,
    effective_sample_size,
    icc,
    shrinkage_weight,
    three_poolings,
)

SD = st.floats(0.01, 100)
INF = float("inf")


def hospitals(sizes, hospital_sd=6.0, patient_sd=12.0, mean=140.0, seed=1):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    y = mean + hospital_sd * rng.standard_normal(len(sizes))[codes]
    y = y + patient_sd * rng.standard_normal(len(codes))
    return y, np.array([f"H{code + 1:02d}" for code in codes])


def test_doctests_pass():
    results = doctest.testmod(pooling)
    assert results.attempted >= 8
    assert results.failed == 0


# --- icc ----------------------------------------------------------------------------------


@given(SD, SD)
def test_icc_is_the_share_of_variance(hospital_sd, patient_sd):
    expected = hospital_sd**2 / (hospital_sd**2 + patient_sd**2)
    assert icc(hospital_sd, patient_sd) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("hospital_sd", "patient_sd", "expected"),
    [(0, 12, 0.0), (6, 0, 1.0), (INF, 12, 1.0), (6, INF, 0.0), (1e200, 1e200, 0.5)],
)
def test_icc_limits_are_exact(hospital_sd, patient_sd, expected):
    value = icc(hospital_sd, patient_sd)
    assert isinstance(value, float)
    assert value == expected


def test_icc_is_the_correlation_of_two_patients_of_one_hospital():
    y, _ = hospitals([2] * 40_000)
    first, second = y[::2], y[1::2]
    # The standard error of a correlation of .2 from 40,000 pairs is .0048.
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(icc(6, 12), abs=5 * 0.0048)


def test_icc_takes_arrays():
    assert np.array_equal(icc([0, 6, 12], 12), [0.0, 0.2, 0.5])


@pytest.mark.parametrize(
    ("hospital_sd", "patient_sd", "message"),
    [
        (-1, 12, "hospital_sd must be 0 or more, got -1"),
        (6, -0.5, "patient_sd must be 0 or more, got -0.5"),
        (float("nan"), 12, "hospital_sd must be 0 or more, got nan"),
        (0, 0, "must not both be 0"),
        (INF, INF, "both be infinite"),
        ("six", 12, "hospital_sd must be numeric, got 'six'"),
        ([6, 0], [12, 0], "must not both be 0"),
    ],
)
def test_impossible_standard_deviations_are_refused(hospital_sd, patient_sd, message):
    with pytest.raises(ValueError, match=message):
        icc(hospital_sd, patient_sd)
    with pytest.raises(ValueError, match=message):
        shrinkage_weight(10, hospital_sd, patient_sd)


# --- design effect ------------------------------------------------------------------------


def test_design_effect_of_equal_sizes():
    assert design_effect(0.05, 21) == pytest.approx(2.0, rel=1e-12)
    assert design_effect(0, 21) == 1.0
    assert design_effect(0.3, 1) == 1.0
    assert design_effect(0.05, [21, 21, 21]) == pytest.approx(2.0, rel=1e-12)


def test_design_effect_takes_a_curve_of_icc():
    assert np.allclose(design_effect([0, 0.05, 1], 21), [1, 2, 21])


@given(SD, SD, st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_design_effect_is_the_exact_variance_of_the_plain_mean(hospital_sd, patient_sd, sizes):
    # Dense linear algebra: variance of the mean under the model, over that of as many
    # independent patients with the same total variance.
    codes = np.repeat(np.arange(len(sizes)), sizes)
    same = codes[:, None] == codes[None, :]
    covariance = hospital_sd**2 * same + patient_sd**2 * np.eye(len(codes))
    expected = covariance.mean() * len(codes) / (hospital_sd**2 + patient_sd**2)
    assert design_effect(icc(hospital_sd, patient_sd), sizes) == pytest.approx(expected, rel=1e-9)


def test_unequal_sizes_cost_more_than_their_mean_size():
    assert design_effect(0.1, [5, 35]) > design_effect(0.1, 20)


def test_negative_icc_is_allowed_down_to_its_limit():
    assert design_effect(-0.1, 11) == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ValueError, match=r"icc must be from -0\.1 to 1 .* got -0\.11"):
        design_effect(-0.11, 11)


@pytest.mark.parametrize("bad", [0, [], [5, 0], [5, float("nan")], INF, np.ones((2, 2))])
def test_impossible_sizes_are_refused(bad):
    with pytest.raises(ValueError, match="patients_per_hospital must be"):
        design_effect(0.1, bad)


@pytest.mark.parametrize("bad", [1.01, -1.5, float("nan")])
def test_impossible_icc_is_refused(bad):
    with pytest.raises(ValueError, match="icc must be from"):
        design_effect(bad, 10)


def test_effective_sample_size():
    assert effective_sample_size(480, 4) == 120.0
    assert np.array_equal(effective_sample_size(480, [1, 2]), [480, 240])
    with pytest.raises(ValueError, match="n_patients must be 0 or more, got -1"):
        effective_sample_size(-1, 2)
    with pytest.raises(ValueError, match="design_effect must be above 0, got 0"):
        effective_sample_size(100, 0)


# --- shrinkage weight ---------------------------------------------------------------------


@given(st.integers(1, 10_000), SD, SD)
def test_weight_is_its_formula(n, hospital_sd, patient_sd):
    expected = hospital_sd**2 / (hospital_sd**2 + patient_sd**2 / n)
    assert shrinkage_weight(n, hospital_sd, patient_sd) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("n", "hospital_sd", "patient_sd", "expected"),
    [
        (10, 0, 12, 0.0),
        (10, INF, 12, 1.0),
        (10, 6, 0, 1.0),
        (10, 6, INF, 0.0),
        (0, 6, 12, 0.0),
        (0, INF, 12, 0.0),
        (0, 6, 0, 0.0),
        (4, 6, 12, 0.5),
    ],
)
def test_weight_limits_are_exact(n, hospital_sd, patient_sd, expected):
    value = shrinkage_weight(n, hospital_sd, patient_sd)
    assert isinstance(value, float)
    assert value == expected


def test_weight_is_vectorised_and_rises_with_n_and_hospital_sd():
    by_n = shrinkage_weight(np.arange(1, 50), 6, 12)
    by_sd = shrinkage_weight(10, np.linspace(0, 30, 50), 12)
    assert by_n.shape == (49,)
    assert np.all(np.diff(by_n) > 0)
    assert np.all(np.diff(by_sd) > 0)


@pytest.mark.parametrize("bad", [-1, INF, float("nan"), "ten"])
def test_impossible_n_is_refused(bad):
    with pytest.raises(ValueError, match="n must be"):
        shrinkage_weight(bad, 6, 12)


# --- one-way analysis of variance ---------------------------------------------------------


def test_anova_icc_matches_statsmodels_mean_squares():
    y, hospital = hospitals([3, 8, 15, 21, 4])
    table = smf.ols("y ~ C(hospital)", pd.DataFrame({"y": y, "hospital": hospital})).fit()
    ms_between, ms_within = table.mse_model, table.mse_resid
    n = np.array([3, 8, 15, 21, 4])
    n0 = (n.sum() - (n**2).sum() / n.sum()) / 4
    result = anova_icc(y, hospital)
    assert result.n0 == pytest.approx(n0, rel=1e-12)
    assert result.patient_sd == pytest.approx(np.sqrt(ms_within), rel=1e-9)
    assert result.hospital_sd == pytest.approx(np.sqrt((ms_between - ms_within) / n0), rel=1e-9)
    assert result.icc == pytest.approx(icc(result.hospital_sd, result.patient_sd), rel=1e-9)


def test_anova_equals_reml_where_sizes_are_equal():
    y, hospital = hospitals([12] * 20)
    data = pd.DataFrame({"y": y, "hospital": hospital})
    fit = smf.mixedlm("y ~ 1", data, groups="hospital").fit(reml=True, method="powell")
    result = anova_icc(y, hospital)
    assert result.n0 == pytest.approx(12)
    assert result.hospital_sd**2 == pytest.approx(fit.cov_re.iloc[0, 0], rel=1e-3)
    assert result.patient_sd**2 == pytest.approx(fit.scale, rel=1e-3)


def test_anova_icc_may_be_negative_and_is_right_on_average():
    estimates = [anova_icc(*hospitals([5] * 8, hospital_sd=0, seed=seed)) for seed in range(400)]
    values = np.array([estimate.icc for estimate in estimates])
    assert (values < 0).mean() > 0.4
    assert abs(values.mean()) < 5 * values.std() / np.sqrt(400)
    below = [estimate for estimate in estimates if estimate.icc < 0]
    assert all(estimate.hospital_sd == 0 for estimate in below)
    assert values.min() >= -1 / 4


def test_anova_icc_lower_bound_is_met_where_hospital_means_agree():
    result = anova_icc([1, 2, 3, 1, 2, 3], list("aaabbb"))
    assert result.icc == pytest.approx(-1 / 2)
    assert result.hospital_sd == 0


def test_anova_icc_ignores_location_order_and_unused_categories():
    y, hospital = hospitals([4, 9, 2])
    plain = anova_icc(y, hospital)
    shuffled = np.random.default_rng(3).permutation(len(y))
    category = pd.Categorical(hospital, categories=["H03", "H99", "H01", "H02"])
    moved = anova_icc(y[shuffled] + 1e6, pd.Series(category[shuffled]))
    assert dataclasses.astuple(moved) == pytest.approx(dataclasses.astuple(plain), rel=1e-6)


def test_anova_icc_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        anova_icc([1, 2, 5, 6], list("aabb")).icc = 0.5


@pytest.mark.parametrize(
    ("y", "hospital", "message"),
    [
        ([1, 2], ["a", "a"], "two hospitals or more, got 1"),
        ([1, 2], ["a", "b"], "more patients than hospitals, got 2 patients in 2"),
        ([1, 2, 3], ["a", "b"], "same length"),
        ([], [], "same length"),
        ([1, np.nan, 3], ["a", "a", "b"], "y must be finite, got 1"),
        ([1, 2, 3], ["a", None, "b"], "hospital must not be missing, got 1"),
        ([5, 5, 5], ["a", "a", "b"], "y must vary"),
        (["x", "y", "z"], ["a", "a", "b"], "y must be numeric"),
    ],
)
def test_impossible_anovas_are_refused(y, hospital, message):
    with pytest.raises(ValueError, match=message):
        anova_icc(y, hospital)


# --- three poolings -----------------------------------------------------------------------


def dense_blup(y, hospital, hospital_sd, patient_sd):
    """Henderson's answer, with the full covariance matrix of the patients."""
    names, codes = np.unique(hospital, return_inverse=True)
    z = np.eye(len(names))[codes]
    precision = np.linalg.inv(hospital_sd**2 * z @ z.T + patient_sd**2 * np.eye(len(y)))
    ones = np.ones(len(y))
    mean = ones @ precision @ y / (ones @ precision @ ones)
    return mean, mean + hospital_sd**2 * z.T @ precision @ (y - mean)


@pytest.mark.parametrize("seed", range(5))
def test_partial_pooling_is_the_blup(seed):
    y, hospital = hospitals([1, 2, 7, 30, 12], seed=seed)
    mean, blup = dense_blup(y, hospital, 6, 12)
    table = three_poolings(y, hospital, hospital_sd=6, patient_sd=12)
    assert table.attrs["gls_mean"] == pytest.approx(mean, rel=1e-10)
    assert np.allclose(table["partial_pooling"], blup, rtol=1e-10)


def test_partial_pooling_matches_mixedlm_at_its_own_estimates():
    y, hospital = hospitals([5, 9, 14, 22, 31, 8, 11, 6], seed=4)
    data = pd.DataFrame({"y": y, "hospital": hospital})
    fit = smf.mixedlm("y ~ 1", data, groups="hospital").fit(reml=True, method="powell")
    table = three_poolings(
        y, hospital, hospital_sd=np.sqrt(fit.cov_re.iloc[0, 0]), patient_sd=np.sqrt(fit.scale)
    )
    effects = pd.Series({name: value.iloc[0] for name, value in fit.random_effects.items()})
    assert table.attrs["gls_mean"] == pytest.approx(fit.fe_params["Intercept"], rel=1e-6)
    assert np.allclose(table["partial_pooling"], fit.fe_params["Intercept"] + effects, rtol=1e-6)


def test_the_other_two_poolings_are_plain_means():
    y, hospital = hospitals([3, 10, 27])
    table = three_poolings(y, hospital, hospital_sd=6, patient_sd=12)
    own = pd.Series(y).groupby(hospital).mean()
    assert list(table.columns) == [
        "n",
        "no_pooling",
        "complete_pooling",
        "partial_pooling",
        "weight",
    ]
    assert table.index.name == "hospital"
    assert table["n"].tolist() == [3, 10, 27]
    assert np.allclose(table["no_pooling"], own)
    assert np.allclose(table["complete_pooling"], y.mean())
    assert np.allclose(table["weight"], shrinkage_weight(np.array([3, 10, 27]), 6, 12))


def test_partial_pooling_has_the_other_two_as_limits():
    y, hospital = hospitals([3, 10, 27])
    none = three_poolings(y, hospital, hospital_sd=INF, patient_sd=12)
    complete = three_poolings(y, hospital, hospital_sd=0, patient_sd=12)
    assert np.array_equal(none["partial_pooling"], none["no_pooling"])
    assert np.allclose(complete["partial_pooling"], complete["complete_pooling"], rtol=1e-14)
    assert np.all(complete["weight"] == 0)


@given(SD, SD, st.integers(0, 1000))
def test_partial_pooling_lies_between_own_mean_and_gls_mean(hospital_sd, patient_sd, seed):
    y, hospital = hospitals([1, 4, 20], seed=seed)
    table = three_poolings(y, hospital, hospital_sd=hospital_sd, patient_sd=patient_sd)
    centre = table.attrs["gls_mean"]
    moved = (table["partial_pooling"] - centre) * (table["no_pooling"] - centre)
    assert np.all(moved >= 0)
    farther = (table["no_pooling"] - centre).abs() + 1e-9
    assert np.all((table["partial_pooling"] - centre).abs() <= farther)


def test_partial_pooling_has_the_smallest_error_where_hospitals_are_drawn_from_the_model():
    rng = np.random.default_rng(7)
    sizes = np.tile([2, 5, 20], 200)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    truth = 140 + 6 * rng.standard_normal(len(sizes))
    y = truth[codes] + 12 * rng.standard_normal(len(codes))
    table = three_poolings(y, codes, hospital_sd=6, patient_sd=12)
    errors = table[["no_pooling", "complete_pooling", "partial_pooling"]].sub(truth, axis=0)
    rmse = np.sqrt((errors**2).mean())
    assert rmse.idxmin() == "partial_pooling"
    # In theory the root of the mean of 36 (1 - weight), plus little for the unknown mean.
    expected = np.sqrt(np.mean(36 * (1 - shrinkage_weight(sizes, 6, 12))))
    assert rmse["partial_pooling"] == pytest.approx(expected, rel=0.1)


def test_hospitals_keep_the_order_of_their_categories():
    y, hospital = hospitals([3, 10, 27])
    category = pd.Series(hospital, dtype=pd.CategoricalDtype(["H03", "H02", "H00", "H01"]))
    table = three_poolings(y, category, hospital_sd=6, patient_sd=12)
    assert table.index.tolist() == ["H03", "H02", "H01"]
    assert table["n"].tolist() == [27, 10, 3]


def test_series_with_different_indexes_are_refused():
    y, hospital = hospitals([2, 2])
    with pytest.raises(ValueError, match="same index"):
        three_poolings(
            pd.Series(y),
            pd.Series(hospital, index=[3, 2, 1, 0]),
            hospital_sd=6,
            patient_sd=12,
        )


def test_standard_deviations_of_three_poolings_must_be_single_numbers():
    with pytest.raises(ValueError, match="hospital_sd must be one number"):
        three_poolings([1, 2], ["a", "b"], hospital_sd=[6, 7], patient_sd=12)
