import doctest
import time

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from tests.golden import MODELS, reference
from utils import _likelihood_blocks as engine
from utils import likelihood
from utils.likelihood import (
    fit_intercept,
    fit_slope,
    joint_loglik,
    profile_loglik,
    ratio_loglik,
    slope_loglik,
    stack,
    sums,
)

GOLDEN = {"azpro/ri", "rhdnase/fev", "radon/uranium", "lung/wtloss", "lung/karno", "medpar/ri"}


def trial(sizes, *, hospital_sd=6.0, slope_sd=0.0, patient_sd=12.0, seed=1):
    """Return y, X (constant, treated, age) and codes of hospitals of these sizes."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    n = len(codes)
    treated = rng.permutation(np.arange(n) % 2).astype(float)
    x = np.column_stack([np.ones(n), treated, rng.normal(60, 10, n)])
    y = x @ [140, -8, 0.2] + hospital_sd * rng.standard_normal(len(sizes))[codes]
    y += slope_sd * rng.standard_normal(len(sizes))[codes] * treated
    return y + patient_sd * rng.standard_normal(n), x, codes


def dense_loglik(y, x, covariance, reml):
    """Return the log-likelihood by algebra on the whole covariance matrix of y."""
    inverse = np.linalg.inv(covariance)
    information = x.T @ inverse @ x
    beta = np.linalg.solve(information, x.T @ inverse @ y)
    value = stats.multivariate_normal(x @ beta, covariance).logpdf(y)
    if reml:
        value += 0.5 * x.shape[1] * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(information)[1]
    return value, beta, np.linalg.inv(information)


SIZES = st.lists(st.integers(1, 9), min_size=3, max_size=9).filter(
    lambda sizes: sum(sizes) >= len(sizes) + 4
)


def test_doctests_pass():
    results = doctest.testmod(likelihood)
    assert results.attempted >= 6
    assert results.failed == 0


# --- one data set -------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(SIZES, st.floats(0, 3), st.floats(0.1, 50), st.booleans(), st.integers(0, 10_000))
def test_the_likelihood_is_that_of_the_whole_matrix(sizes, ratio, patient_sd, reml, seed):
    y, x, codes = trial(sizes, seed=seed)
    same = codes[:, None] == codes
    covariance = patient_sd**2 * (np.eye(len(y)) + ratio**2 * same)
    expected = dense_loglik(y, x, covariance, reml)[0]
    found = joint_loglik(sums(y, x, codes), ratio * patient_sd, patient_sd, reml=reml)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(SIZES, st.floats(0, 15), st.booleans(), st.integers(0, 10_000))
def test_the_optimum_is_above_every_other_point(sizes, hospital_sd, reml, seed):
    y, x, codes = trial(sizes, hospital_sd=hospital_sd, seed=seed)
    s = sums(y, x, codes)
    found = fit_intercept(s, reml=reml)
    assert found.converged
    grid = np.concatenate([[0], np.geomspace(1e-4, 1e4, 400)])
    assert found.loglik >= ratio_loglik(s, grid, reml=reml).max() - 1e-8
    at = joint_loglik(s, found.hospital_sd, found.patient_sd, reml=reml)
    assert at == pytest.approx(found.loglik, abs=1e-8)
    top = profile_loglik(s, found.hospital_sd, reml=reml)
    assert top == pytest.approx(found.loglik, abs=1e-7)


@pytest.mark.parametrize("reml", [True, False])
def test_fixed_effects_and_their_errors_are_generalised_least_squares(reml):
    y, x, codes = trial([3, 8, 1, 12, 5, 7])
    found = fit_intercept(sums(y, x, codes), reml=reml)
    same = codes[:, None] == codes
    covariance = found.patient_sd**2 * np.eye(len(y)) + found.hospital_sd**2 * same
    value, beta, variance = dense_loglik(y, x, covariance, reml)
    np.testing.assert_allclose(found.beta, beta, rtol=1e-9)
    np.testing.assert_allclose(found.covariance, variance, rtol=1e-7)
    np.testing.assert_allclose(found.se, np.sqrt(np.diag(variance)), rtol=1e-8)
    assert found.loglik == pytest.approx(value, abs=1e-8)


def test_balanced_data_give_the_analysis_of_variance():
    y, _, codes = trial([10] * 12)
    found = fit_intercept(sums(y, np.ones((120, 1)), codes))
    means = y.reshape(12, 10).mean(1)
    within = y.reshape(12, 10).var(1, ddof=1).mean()
    assert found.patient_sd**2 == pytest.approx(within, rel=1e-9)
    assert found.hospital_sd**2 == pytest.approx(means.var(ddof=1) - within / 10, rel=1e-8)
    assert found.df[0] == pytest.approx(11, rel=1e-6)
    weight = found.hospital_sd**2 / (found.hospital_sd**2 + within / 10)
    np.testing.assert_allclose(found.weight, weight, rtol=1e-9)
    np.testing.assert_allclose(found.effects, weight * (means - y.mean()), rtol=1e-7)
    assert found.icc == pytest.approx(found.hospital_sd**2 / (found.hospital_sd**2 + within))


def test_no_variance_between_hospitals_is_exactly_least_squares():
    y, x, codes = trial([10] * 8, hospital_sd=0, seed=1)
    y -= np.bincount(codes, y)[codes] / 10  # equal means: less alike than by chance
    found = fit_intercept(sums(y, x[:, :2], codes))
    ols = sm.OLS(y, x[:, :2]).fit()
    assert found.hospital_sd == 0
    assert np.all(found.effects == 0)
    np.testing.assert_allclose(found.beta, ols.params, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.se, ols.bse, rtol=1e-9)
    np.testing.assert_allclose(found.df, 78, rtol=1e-6)
    low, high = found.interval(0.9)
    np.testing.assert_allclose(np.stack([low, high], 1), ols.conf_int(0.1), atol=1e-8)


@pytest.mark.parametrize(("factor", "shift"), [(1e12, 0.0), (1e-12, 0.0), (1.0, 1e8), (1e6, -1e13)])
def test_units_and_origin_of_the_outcome_do_not_matter(factor, shift):
    y, x, codes = trial([3, 8, 1, 12, 5, 7])
    one, other = fit_intercept(sums(y, x, codes)), fit_intercept(sums(factor * y + shift, x, codes))
    assert other.hospital_sd == pytest.approx(factor * one.hospital_sd, rel=1e-5)
    assert other.patient_sd == pytest.approx(factor * one.patient_sd, rel=1e-6)
    np.testing.assert_allclose(other.beta[1:], factor * one.beta[1:], rtol=1e-5)
    np.testing.assert_allclose(other.se, factor * one.se, rtol=1e-5)
    np.testing.assert_allclose(other.df, one.df, rtol=1e-4)


@pytest.mark.parametrize("key", sorted(GOLDEN))
@pytest.mark.parametrize("method", ["REML", "ML"])
def test_the_random_intercept_model_agrees_with_lme4(key, method):
    model = next(model for model in MODELS if model.key == key)
    expected = reference()["fits"][f"{key}/{method}"]
    outcome, _, right = model.formula.replace('Q("', "").replace('")', "").partition(" ~ ")
    columns = right.split(" + ")
    data = model.data().dropna(subset=[outcome, model.groups, *columns])
    x = np.column_stack([np.ones(len(data)), data[columns]])
    found = fit_intercept(sums(data[outcome], x, data[model.groups]), reml=method == "REML")
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-6)
    np.testing.assert_allclose(found.beta, list(expected["fixed"].values()), atol=1e-5)
    np.testing.assert_allclose(found.se, list(expected["se"].values()), rtol=1e-5)
    between, within = expected["components"]["sdcor"]
    assert found.hospital_sd == pytest.approx(between, rel=1e-5, abs=1e-12)
    assert found.patient_sd == pytest.approx(within, rel=1e-6)
    np.testing.assert_allclose(found.effects, expected["random"]["effect"], atol=1e-6 * within)
    if method == "REML":
        freedom = list(expected["satterthwaite"].values())
        np.testing.assert_allclose(found.df, freedom, rtol=1e-4)


def test_a_million_patients():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 1000, 1_000_000)
    x = np.column_stack([np.ones(len(codes)), rng.integers(0, 2, len(codes))])
    y = x @ [140, -8] + rng.normal(0, 6, 1000)[codes] + rng.normal(0, 12, len(codes))
    start = time.perf_counter()
    found = fit_intercept(sums(y, x, codes))
    assert time.perf_counter() - start < 5
    assert found.hospital_sd == pytest.approx(6, rel=0.1)
    assert found.patient_sd == pytest.approx(12, rel=0.01)
    assert abs(found.beta[1] + 8) < 4 * found.se[1]


def test_a_profile_is_a_curve_with_its_top_at_the_fit():
    y, x, codes = trial([12] * 10)
    s = sums(y, x, codes)
    grid = np.linspace(0, 20, 81)
    for reml in (True, False):
        curve = profile_loglik(s, grid, reml=reml)
        found = fit_intercept(s, reml=reml)
        assert curve.shape == grid.shape
        assert abs(grid[curve.argmax()] - found.hospital_sd) <= 0.25
        beaten = joint_loglik(s, grid, found.patient_sd, reml=reml)
        assert np.all(curve >= beaten - 1e-9)
    assert isinstance(profile_loglik(s, 3.0), float)


# --- many data sets -----------------------------------------------------------------------


def test_many_outcomes_are_fitted_as_one_by_one():
    rng = np.random.default_rng(2)
    _, x, codes = trial([3, 8, 1, 12, 5, 7])
    shuffled = rng.permutation(len(codes))
    y = rng.normal(0, 6, (2, 5, 6))[..., codes] + rng.normal(0, 12, (2, 5, len(codes)))
    many = fit_intercept(sums(y[..., shuffled], x[shuffled], codes[shuffled]))
    assert many.beta.shape == (2, 5, 3)
    assert many.effects.shape == (2, 5, 6)
    for a in range(2):
        for b in range(5):
            one = fit_intercept(sums(y[a, b], x, codes))
            assert many.loglik[a, b] == pytest.approx(one.loglik, abs=1e-8)
            np.testing.assert_allclose(many.se[a, b], one.se, rtol=1e-5)
            np.testing.assert_allclose(many.effects[a, b], one.effects, rtol=1e-4, atol=1e-4)


def test_data_sets_with_their_own_design_are_stacked():
    parts = [trial(sizes, seed=k) for k, sizes in enumerate([[5, 6, 7], [9, 1, 4, 8], [20, 3]])]
    one_by_one = [sums(*part) for part in parts]
    together = fit_intercept(stack(one_by_one))
    for k, single in enumerate(one_by_one):
        one = fit_intercept(single)
        assert together.loglik[k] == pytest.approx(one.loglik, abs=1e-8)
        np.testing.assert_allclose(together.beta[k], one.beta, rtol=1e-6)
        np.testing.assert_allclose(together.df[k], one.df, rtol=1e-3)


def test_columns_that_differ_between_data_sets():
    y, x, codes = trial([5, 6, 7, 8])
    other = np.stack([x, x[:, [0, 2, 1]]])
    found = fit_intercept(sums(y, other, codes))
    np.testing.assert_allclose(found.beta[0], found.beta[1][[0, 2, 1]], rtol=1e-8)


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(3)
    codes = np.repeat(np.arange(8), 15)
    treated = np.repeat([1.0, 0.0], 60)  # given to hospitals: few degrees of freedom
    x = np.column_stack([np.ones(120), treated])
    y = rng.normal(0, 6, (2000, 8))[:, codes] + rng.normal(0, 12, (2000, 120))
    low, high = fit_intercept(sums(y, x, codes)).interval()
    covered = np.mean((low[:, 1] < 0) & (high[:, 1] > 0))
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 2000)


# --- intercept and slope ------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(3, 12), min_size=6, max_size=10), st.booleans(), st.integers(0, 9999))
def test_the_slope_model_is_at_an_optimum_of_the_whole_matrix(sizes, reml, seed):
    y, x, codes = trial(sizes, slope_sd=5, seed=seed)
    found = fit_slope(sums(y, x, codes, slope=x[:, 1]), reml=reml)
    assert found.converged
    same = codes[:, None] == codes
    z = x[:, :2]

    def value(hospital_sd, slope_sd, correlation, patient_sd):
        crossed = correlation * hospital_sd * slope_sd
        effects = np.array([[hospital_sd**2, crossed], [crossed, slope_sd**2]])
        covariance = same * (z @ effects @ z.T) + patient_sd**2 * np.eye(len(y))
        return dense_loglik(y, x, covariance, reml)

    correlation = np.nan_to_num(found.correlation)
    best = (found.hospital_sd, found.slope_sd, correlation, found.patient_sd)
    top, beta, variance = value(*best)
    assert found.loglik == pytest.approx(top, abs=1e-6)
    np.testing.assert_allclose(found.beta, beta, rtol=1e-6)
    np.testing.assert_allclose(found.covariance, variance, rtol=1e-5, atol=1e-9)
    for k in range(4):
        for step in (0.9, 1.1):
            near = list(best)
            near[k] = np.clip(near[k] * step, -1, 1) if k == 2 else near[k] * step + 0.01
            assert value(*near)[0] <= top + 1e-6


@pytest.mark.parametrize("reml", [True, False])
def test_the_surface_of_the_slope_model_is_that_of_the_whole_matrix(reml):
    y, x, codes = trial([5, 6, 7, 8, 9, 10], slope_sd=5, seed=3)
    s = sums(y, x, codes, slope=x[:, 1])
    found = fit_slope(s, reml=reml)
    ratios = np.array([found.hospital_sd, found.slope_sd]) / found.patient_sd
    top = slope_loglik(s, *ratios, found.correlation, reml=reml)
    assert top == pytest.approx(found.loglik, abs=1e-9)
    rho, b = np.array([[-1.0], [0.0], [0.7], [1.0]]), np.array([0.0, 0.3, 0.9])
    surface = slope_loglik(s, 0.5, b, rho, reml=reml)
    assert surface.shape == (4, 3)
    assert surface.max() <= found.loglik + 1e-9
    same, z = codes[:, None] == codes, x[:, :2]
    for i, j in np.ndindex(4, 3):
        crossed = rho[i, 0] * 0.5 * b[j]
        shape = np.eye(len(y)) + same * (z @ [[0.25, crossed], [crossed, b[j] ** 2]] @ z.T)
        # The surface has patient_sd² in closed form; here it is searched for.
        best = optimize.minimize_scalar(
            lambda variance, shape=shape: -dense_loglik(y, x, variance * shape, reml)[0],
            bounds=(30, 800), method="bounded", options={"xatol": 1e-3},
        )  # fmt: skip
        assert surface[i, j] == pytest.approx(-best.fun, abs=1e-6)


def test_the_surface_refuses_what_it_cannot_mean():
    y, x, codes = trial([5, 6, 7], seed=3)
    s = sums(y, x, codes, slope=x[:, 1])
    with pytest.raises(ValueError, match="with a slope, got Sums"):
        slope_loglik(sums(y, x, codes), 0.5, 0.5, 0)
    with pytest.raises(ValueError, match=r"correlation must be -1 to 1, got 1\.5"):
        slope_loglik(s, 0.5, 0.5, 1.5)
    with pytest.raises(ValueError, match="slope_ratio must be 0 or more, got -1"):
        slope_loglik(s, 0.5, -1, 0)


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize(
    ("key", "slope"), [("radon/rs", "floor"), ("sleepstudy/rs", "Days"), ("azpro/raw_los", "cabg")]
)
def test_the_slope_model_agrees_with_lme4(key, slope, method):
    model = next(model for model in MODELS if model.key == key)
    expected = reference()["fits"][f"{key}/{method}"]
    data = model.data()
    outcome, _, right = model.formula.partition(" ~ ")
    columns = [data[name] for name in right.replace(" * ", " + ").split(" + ")]
    if "*" in right:
        columns.append(columns[0] * columns[1])
    x = np.column_stack([np.ones(len(data)), *columns])
    s = sums(data[outcome], x, data[model.groups], slope=data[slope])
    found = fit_slope(s, reml=method == "REML")
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-6)
    sds = [found.hospital_sd, found.slope_sd, found.correlation, found.patient_sd]
    np.testing.assert_allclose(sds, expected["components"]["sdcor"], rtol=1e-5)
    np.testing.assert_allclose(found.se, list(expected["se"].values()), rtol=1e-5)
    tolerance = 1e-4 * found.hospital_sd
    np.testing.assert_allclose(found.effects.ravel(), expected["random"]["effect"], atol=tolerance)
    if method == "REML":
        freedom = list(expected["satterthwaite"].values())
        np.testing.assert_allclose(found.df, freedom, rtol=1e-4)


def test_coding_of_the_slope_does_not_matter():
    # lme4's default optimiser stops at a false boundary for one of these codings.
    data = next(model for model in MODELS if model.key == "radon/rs").data()
    floor, uranium = data["floor"].to_numpy(float), data["log_uranium"]
    found = []
    for coded in (floor, 1 - floor, 1000 * floor + 1e6):
        x = np.column_stack([np.ones(len(data)), coded, uranium, coded * uranium])
        found.append(fit_slope(sums(data["log_radon"], x, data["county"], slope=coded)))
    assert found[1].loglik == pytest.approx(found[0].loglik, abs=1e-6)
    assert found[2].loglik + 2 * np.log(1000) == pytest.approx(found[0].loglik, abs=1e-4)
    assert found[1].slope_sd == pytest.approx(found[0].slope_sd, rel=1e-4)
    assert 1000 * found[2].slope_sd == pytest.approx(found[0].slope_sd, rel=1e-3)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_lme4s_default_for_radon_stopped_where_intercepts_do_not_vary(method):
    # Lesson 6 says so: the deviance that lme4's default missed is the height of that edge.
    data = next(model for model in MODELS if model.key == "radon/rs").data()
    floor, uranium, reml = data["floor"].to_numpy(float), data["log_uranium"], method == "REML"
    x = np.column_stack([np.ones(len(data)), floor, uranium, floor * uranium])
    s = sums(data["log_radon"], x, data["county"], slope=floor)
    edge = slope_loglik(s, 0, np.linspace(0, 1, 2001), 0, reml=reml).max()
    missed = reference()["fits"][f"radon/rs/{method}"]["default_excess"]
    assert 2 * (fit_slope(s, reml=reml).loglik - edge) == pytest.approx(missed, abs=1e-4)


def test_the_boundary_of_the_slope_model_is_found_and_said():
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(15), 12)
    treated = np.tile([0.0, 1.0], 90)
    x = np.column_stack([np.ones(180), treated])
    y = rng.normal(0, 6, (200, 15))[:, codes] + rng.normal(0, 12, (200, 180))
    found = fit_slope(sums(y, x, codes, slope=treated))
    single = fit_intercept(sums(y, x, codes))
    assert found.converged.all()
    assert 0.3 < found.singular.mean() < 0.95
    assert np.all(found.loglik >= single.loglik - 1e-7)
    edge = np.abs(np.nan_to_num(found.correlation, nan=1.0)[found.singular])
    np.testing.assert_allclose(edge, 1, atol=1e-6)


def test_no_start_finds_a_better_optimum_and_none_is_stuck_on_an_edge():
    rng = np.random.default_rng(7)
    codes = np.repeat(np.arange(8), 8)
    treated = rng.permutation(np.arange(64) % 2).astype(float)
    x = np.column_stack([np.ones(64), treated])
    y = rng.normal(0, 4, (150, 8))[:, codes] + rng.normal(0, 5, (150, 8))[:, codes] * treated
    s = sums(y + rng.normal(0, 12, (150, 64)), x, codes, slope=treated)
    found = fit_slope(s)
    assert found.converged.all()
    for k in range(4):
        # Where theta is 0 the first derivative is 0 too, whether or not it is the optimum.
        start = np.zeros((150, 3)) if k == 0 else rng.exponential(0.5, (150, 3))
        other = engine.minimise(s.blocks, start, reml=True)
        assert np.all(-other.state.deviance / 2 <= found.loglik + 1e-6)
        if k == 0:
            assert np.mean(-other.state.deviance / 2 > found.loglik - 1e-5) > 0.97


# --- bad input ----------------------------------------------------------------------------

ONES = np.ones((6, 1))
HOSPITALS = ["H01", "H01", "H01", "H02", "H02", "H02"]
OUTCOME = [140.0, 150, 161, 120, 131, 128]
BAD = {
    "one entry per patient": (OUTCOME[:5], ONES, HOSPITALS),
    "finite, got 1 missing": ([*OUTCOME[:5], np.nan], ONES, HOSPITALS),
    "y must be numeric": (["a"] * 6, ONES, HOSPITALS),
    "at least 2 hospitals": (OUTCOME, ONES, ["H01"] * 6),
    "hospital must not be missing": (OUTCOME, ONES, [None, *HOSPITALS[1:]]),
    "more patients than hospital effects": (OUTCOME, ONES, list("abcdef")),
    "'column 1' is constant": (OUTCOME, np.column_stack([ONES, 3 * ONES]), HOSPITALS),
    "'column 2' is a combination": (
        OUTCOME,
        np.column_stack([np.ones(6), np.arange(6), 2 * np.arange(6) - 1]),
        HOSPITALS,
    ),
    "hold every hospital apart": (
        OUTCOME,
        np.column_stack([np.ones(6), np.repeat([0, 1], 3)]),
        HOSPITALS,
    ),
    "nothing is left": (np.full(6, 3.0), ONES, HOSPITALS),
    "at least one column": (OUTCOME, np.ones((6, 0)), HOSPITALS),
    "more patients than fixed effects": (OUTCOME, np.eye(6), HOSPITALS),
    "within 1e100 of 0": (1e200 * np.arange(6), ONES, HOSPITALS),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_with_the_reason(message):
    with pytest.raises(ValueError, match=message):
        sums(*BAD[message])


def test_an_outcome_that_does_not_vary_within_hospitals_is_refused():
    with pytest.raises(ValueError, match="vary within hospitals"):
        fit_intercept(sums([1, 1, 1, 2, 2, 2.0], ONES, HOSPITALS))


def test_a_slope_and_its_fit_must_match():
    y, x, codes = trial([8] * 5)
    with pytest.raises(ValueError, match="no slope"):
        fit_slope(sums(y, x, codes))
    with pytest.raises(ValueError, match="has a slope"):
        fit_intercept(sums(y, x, codes, slope=x[:, 1]))
    with pytest.raises(ValueError, match="'slope' is constant"):
        sums(y, x, codes, slope=np.ones(40))
    with pytest.raises(ValueError, match="0 or more"):
        profile_loglik(sums(y, x, codes), -1)
    with pytest.raises(ValueError, match="one data set"):
        ratio_loglik(sums(np.stack([y, y + 1]), x, codes), 1)
    with pytest.raises(ValueError, match="got 0 of 0 kinds"):
        stack([])


def test_unused_categories_and_odd_indices_change_nothing():
    y, x, codes = trial([5, 6, 7])
    names = pd.Categorical([f"H{code}" for code in codes], ["H9", "H0", "H1", "H2"])
    odd = pd.Series(y, index=np.zeros(len(y), dtype=int))
    found = fit_intercept(sums(odd, x, pd.Series(names, index=odd.index)))
    assert found.loglik == fit_intercept(sums(y, x, codes)).loglik
    assert found.effects.shape == (3,)
