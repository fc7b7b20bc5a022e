"""Lines of hospitals and the population they come from, against fits made in other ways."""

import doctest

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from matplotlib.collections import PathCollection
from scipy import stats

from utils import _slopes_figures, mixedlm, slopes
from utils.simulate import med_trial


@pytest.fixture(scope="module")
def data():
    return med_trial(
        n_hospitals=14, patients_per_hospital=(6, 40), treatment_effect_sd=5,
        intercept_effect_correlation=-0.5, rng=11,
    ).data  # fmt: skip


@pytest.fixture(scope="module")
def model(data):
    return mixedlm.fit("sbp ~ treated", data, groups="hospital", re_formula="1 + treated")


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


@pytest.mark.parametrize("x", ["treated", "age"])
def test_own_lines_are_separate_regressions(data, x):
    own = slopes.own_lines(data["sbp"], data[x], data["hospital"])
    residual, df = 0.0, 0
    for hospital, rows in data.groupby("hospital", observed=True):
        fit = smf.ols(f"sbp ~ {x}", rows).fit()
        assert own.loc[hospital, "intercept"] == pytest.approx(fit.params["Intercept"])
        assert own.loc[hospital, "slope"] == pytest.approx(fit.params[x])
        assert own.loc[hospital, "n"] == len(rows)
        residual, df = residual + fit.ssr, df + fit.df_resid
    assert own.attrs["patient_sd"] == pytest.approx((residual / df) ** 0.5)


def test_a_hospital_that_treats_nobody_has_no_own_line_and_still_counts_for_the_spread():
    y = [140.0, 150, 130, 134, 120, 130]
    own = slopes.own_lines(y, [0, 0, 1, 1, 0, 0], list("AAAABB"))
    assert own.loc["A"].tolist() == [4, 145, -13]
    assert own.loc["B", ["intercept", "slope"]].isna().all()
    # A: 50 + 8 around two means; B: 50 around one. Six patients, three means.
    assert own.attrs["patient_sd"] == pytest.approx((108 / 3) ** 0.5)


@pytest.mark.parametrize(
    ("y", "x", "hospital", "message"),
    [
        ([1, 2, 3], [0, 1], list("AAA"), "one entry per patient"),
        ([1, 2, np.nan, 4], [0, 1, 0, 1], list("AABB"), "must not be missing"),
        ([1, 2, 3, 4], [0, 1, 0, 1], ["A", "A", None, "B"], "must not be missing"),
        ([1, 2, 3, 4], [0, 1, 0, 1], list("AABB"), "patients off the lines .* got 0 left"),
    ],
)
def test_own_lines_refuse(y, x, hospital, message):
    with pytest.raises(ValueError, match=message):
        slopes.own_lines(y, x, hospital)


def test_population_is_what_the_model_says(model):
    mean, covariance = slopes.population(model)
    assert mean == pytest.approx(model.fixed["estimate"].to_numpy())
    sds = slopes.sds_and_correlation(covariance)
    names = ["hospital_sd", "treated_sd", "correlation(hospital, treated)"]
    assert sds == pytest.approx(model.variances.loc[names, "estimate"].to_numpy())
    np.testing.assert_allclose(covariance, model.result.cov_re.to_numpy(), rtol=2e-3)


def test_shrunken_lines_are_the_weighted_own_lines(data, model):
    """W = G (G + N)⁻¹ hospital by hospital: no mixed model's prediction is used."""
    own = slopes.own_lines(data["sbp"], data["treated"], data["hospital"])
    mean, g = slopes.population(model)
    shrunken = slopes.shrunken_lines(model)
    for hospital, rows in data.groupby("hospital", observed=True):
        z = np.column_stack([np.ones(len(rows)), rows["treated"]])
        n = model.patient_sd**2 * np.linalg.inv(z.T @ z)
        line = own.loc[hospital, ["intercept", "slope"]].to_numpy()
        expected = mean + g @ np.linalg.inv(g + n) @ (line - mean)
        assert shrunken.loc[hospital].to_numpy() == pytest.approx(expected, rel=1e-6)


def test_lines_of_a_model_with_other_predictors_are_told_apart_by_name(data):
    model = mixedlm.fit("sbp ~ age + treated", data, groups="hospital", re_formula="1 + treated")
    mean, _ = slopes.population(model)
    assert mean[1] == model.fixed.loc["treated", "estimate"]
    lines = slopes.shrunken_lines(model)
    effects = model.hospitals["prediction"].xs("treated", level="term")
    np.testing.assert_allclose(lines["slope"] - mean[1], effects)


@pytest.mark.parametrize("re_formula", ["1", "1 + treated + age"])
def test_models_without_one_slope_are_refused(data, re_formula):
    other = mixedlm.fit("sbp ~ treated + age", data, groups="hospital", re_formula=re_formula)
    for function in (slopes.population, slopes.shrunken_lines):
        with pytest.raises(ValueError, match="an intercept and one slope that vary"):
            function(other)


def test_the_contour_holds_its_share():
    mean, covariance = [140, -6], [[36, -18], [-18, 25]]
    for share in (0.5, 0.95):
        away = slopes.contour(mean, covariance, share=share) - np.array(mean)[:, None]
        distance = (away * (np.linalg.inv(covariance) @ away)).sum(axis=0)
        np.testing.assert_allclose(distance, stats.chi2.ppf(share, 2))
    np.testing.assert_allclose(away[:, 0], away[:, -1])
    edge = np.sqrt(stats.chi2.ppf(0.95, 2))
    assert away.max(axis=1) == pytest.approx([6 * edge, 5 * edge], rel=2e-3)
    flat = slopes.contour(mean, [[36, 0], [0, 0]])
    assert np.ptp(flat[1]) == 0 and np.ptp(flat[0]) == pytest.approx(12 * edge, rel=1e-3)


@pytest.mark.parametrize(
    ("mean", "covariance", "how", "message"),
    [
        ([1], np.eye(2), {}, "mean has 2 numbers"),
        ([1, 2], np.eye(3), {}, "covariance 2 x 2"),
        ([1, 2], [[1, 2], [2, 1]], {}, "must be that of a distribution"),
        ([1, 2], [[1, 0.5], [0, 1]], {}, "must be that of a distribution"),
        ([1, 2], np.eye(2), {"share": 1}, "share must be between 0 and 1, got 1"),
        ([1, 2], np.eye(2), {"points": 2}, "points must be 3 or more, got 2"),
    ],
)
def test_contour_refuses(mean, covariance, how, message):
    with pytest.raises(ValueError, match=message):
        slopes.contour(mean, covariance, **how)


def test_spread_is_that_of_numpy():
    points = np.random.default_rng(1).normal(size=(3, 7, 2)) @ [[2, 1], [0, 3]]
    for set_, found in zip(points, slopes.spread_of(points), strict=True):
        assert found[:2] == pytest.approx(set_.std(axis=0, ddof=1))
        assert found[2] == pytest.approx(np.corrcoef(set_.T)[0, 1])
    assert np.isnan(slopes.sds_and_correlation([[4, 0], [0, 0]])[2])
    with pytest.raises(ValueError, match=r"shape \(..., 2, 2\), got \(2,\)"):
        slopes.sds_and_correlation([1, 2])
    with pytest.raises(ValueError, match="0 or more, got -1"):
        slopes.sds_and_correlation([[-1, 0], [0, 1]])
    with pytest.raises(ValueError, match=r"hospitals, 2\), got \(2,\)"):
        slopes.spread_of([1, 2])


def test_the_cloud_draws_what_it_is_given(ax):
    own = pd.DataFrame(
        {"n": [8, 60, 9], "intercept": [130.0, 150, np.nan], "slope": [2.0, -9, np.nan]},
        index=list("ABC"),
    )
    shrunken = pd.DataFrame(
        {"intercept": [136.0, 149, 140], "slope": [-4.0, -8, -6]}, index=list("ABC")
    )
    slopes.cloud(ax, own=own, shrunken=shrunken, truth=shrunken, mean=[140, -6])
    arrows = next(item for item in ax.collections if hasattr(item, "U"))
    np.testing.assert_allclose(arrows.XY, [[130, 2], [150, -9]])
    np.testing.assert_allclose(np.column_stack([arrows.U, arrows.V]), [[6, -6], [-1, 1]])
    points = [item for item in ax.collections if isinstance(item, PathCollection)]
    assert [len(item.get_offsets()) for item in points] == [3, 3, 3]
    sizes = points[0].get_sizes()
    assert sizes[1] > sizes[0]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["own line", "shrunken", "truth"]
    with pytest.raises(ValueError, match="truth must have the columns intercept and slope"):
        slopes.cloud(ax, truth=shrunken[["slope"]])


def test_the_curve_shades_the_share_above_zero(ax):
    slopes.effects_curve(ax, mean=-6.0, sd=4.0, interval=(-8.0, -4.0))
    words = [text.get_text() for text in ax.texts]
    assert any("7 % of hospitals" in text for text in words)
    bars = [line.get_xdata() for line in ax.lines if line.get_linewidth() == 5]
    np.testing.assert_allclose(bars, [[-8, -4], [-6 - 7.84, -6 + 7.84]])
    with pytest.raises(ValueError, match="sd must be above 0, got 0"):
        slopes.effects_curve(ax, mean=-6.0, sd=0, interval=(-8, -4))


def test_dots_refuse_a_grid_without_its_columns(ax):
    with pytest.raises(ValueError, match="foreseen"):
        slopes.rejection_dots(ax, pd.DataFrame({"effect_sd": [1]}), "effect_sd")


def test_docstrings_run():
    for module in (slopes, _slopes_figures):
        assert doctest.testmod(module).failed == 0
