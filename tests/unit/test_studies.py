"""Simulation studies against statsmodels, scipy and exact distributions."""

import doctest

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from utils import (
    _studies_balanced,
    _studies_draw,
    _studies_many,
    _studies_slopes,
    likelihood,
    mixedlm,
    studies,
)
from utils.simulate import med_trial


def raw_trial(assignment, n_hospitals, size, rng):
    """Build one balanced trial patient by patient, as a learner would."""
    hospital = np.repeat(np.arange(n_hospitals), size)
    if assignment == "patient":
        treated = np.tile(np.repeat([0, 1], size // 2), n_hospitals)
    else:
        treated = (hospital >= n_hospitals // 2).astype(int)
    sbp = 140 + rng.normal(0, 4, n_hospitals)[hospital] + rng.normal(0, 12, hospital.size)
    return pd.DataFrame({"hospital": hospital, "treated": treated, "sbp": sbp - 3 * treated})


def sums_of(data, assignment):
    """Reduce a raw trial to the sums that the studies use."""
    by = ["hospital", "treated"]
    cells = data.groupby(by)["sbp"]
    within = ((data["sbp"] - cells.transform("mean")) ** 2).sum()
    means = cells.mean().unstack("treated")
    control, treated = means[0].dropna(), means[1].dropna()
    return (
        control.to_numpy()[None],
        treated.to_numpy()[None],
        np.array([within]),
        int(cells.size().iloc[0]),
    )


@pytest.mark.parametrize("assignment", ["patient", "hospital"])
@pytest.mark.parametrize(("n_hospitals", "size"), [(4, 2), (10, 6), (20, 30)])
def test_the_three_analyses_are_those_of_statsmodels_and_scipy(assignment, n_hospitals, size):
    data = raw_trial(assignment, n_hospitals, size, np.random.default_rng(n_hospitals))
    sums = sums_of(data, assignment)
    estimate, errors, freedom = studies.analyse_sums(*sums, assignment=assignment)

    model = smf.ols("sbp ~ treated", data)
    naive = model.fit()
    robust = model.fit(cov_type="cluster", cov_kwds={"groups": data["hospital"]}, use_t=True)
    assert estimate[0] == pytest.approx(naive.params["treated"])
    assert errors["naive"][0] == pytest.approx(naive.bse["treated"])
    assert freedom["naive"] == naive.df_resid
    assert errors["cluster-robust"][0] == pytest.approx(robust.bse["treated"])
    robust_p = 2 * stats.t.sf(abs(estimate / errors["cluster-robust"]), freedom["cluster-robust"])
    assert robust_p[0] == pytest.approx(robust.pvalues["treated"])

    if assignment == "hospital":
        reference = stats.ttest_ind(sums[1][0], sums[0][0])
    else:
        reference = stats.ttest_1samp(sums[1][0] - sums[0][0], 0)
    assert estimate[0] / errors["hospital means"][0] == pytest.approx(reference.statistic)
    assert freedom["hospital means"] == reference.df


@pytest.mark.parametrize("assignment", ["patient", "hospital"])
def test_drawn_sums_have_the_moments_of_raw_trials(assignment):
    trials = studies.two_arm_trials(
        20_000, assignment=assignment, n_hospitals=8, patients_per_hospital=10,
        hospital_sd=5, patient_sd=9, treatment_effect=-4, rng=1,
    )  # fmt: skip
    naive = trials[trials["method"] == "naive"]
    hospital_part = 0 if assignment == "patient" else 4 * 25 / 8
    variance = hospital_part + 4 * 81 / 80
    assert naive["estimate"].mean() == pytest.approx(-4, abs=5 * (variance / 20_000) ** 0.5)
    assert naive["estimate"].var() == pytest.approx(variance, rel=5 * (2 / 20_000) ** 0.5)
    # Ordinary least squares puts the hospital effects that treatment does not explain in its error.
    freedom = 7 if assignment == "patient" else 6
    expected = 4 / 80 * (81 + 25 * 10 * freedom / 78)
    assert (naive["standard_error"] ** 2).mean() == pytest.approx(expected, rel=0.01)


def test_hospital_means_hold_their_level_exactly_and_the_naive_test_does_not():
    trials = studies.two_arm_trials(10_000, assignment="hospital", n_hospitals=6, rng=5)
    rejected = trials["p_value"].lt(0.05).groupby(trials["method"], observed=True).mean()
    assert rejected["hospital means"] == pytest.approx(0.05, abs=4 * 0.0022)
    assert rejected["naive"] > 0.25


def test_coverage_follows_the_level():
    trials = studies.two_arm_trials(
        8000, assignment="patient", treatment_effect=-5, level=0.8, rng=3
    )
    right = trials[trials["method"] == "hospital means"]
    assert right.eval("lower < -5 < upper").mean() == pytest.approx(0.8, abs=4 * 0.0045)


def test_same_seed_same_rows():
    first = studies.two_arm_trials(5, assignment="hospital", rng=7)
    pd.testing.assert_frame_equal(first, studies.two_arm_trials(5, assignment="hospital", rng=7))


def test_grid_has_one_row_a_cell_and_its_monte_carlo_error():
    grid = studies.rejection_grid(icc=[0, 0.1], patients_per_hospital=[2, 10], n_trials=400, rng=2)
    assert len(grid) == 2 * 2 * 2 * 3
    share = grid["rejected"]
    assert np.allclose(grid["monte_carlo_error"], np.sqrt(share * (1 - share) / 400))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"assignment": "ward"}, "assignment is 'patient' or 'hospital'; got 'ward'"),
        ({"n_hospitals": 7}, "n_hospitals must be even .* got 7"),
        ({"n_hospitals": 2}, "n_hospitals must be at least 4; got 2"),
        ({"assignment": "patient", "patients_per_hospital": 5}, "must be even .* got 5"),
        ({"patients_per_hospital": 1}, "at least 2; got 1"),
        ({"hospital_sd": -1}, "must not be negative; got -1"),
        ({"patient_sd": 0}, "must be positive; got 0"),
        ({"level": 95}, "between 0 and 1; got 95"),
        ({"n_trials": 0}, "at least 1; got 0"),
    ],
)
def test_refusals_name_the_rule_and_the_value(change, message):
    arguments = {"n_trials": 10, "assignment": "hospital", "rng": 1} | change
    with pytest.raises(ValueError, match=message):
        studies.two_arm_trials(arguments.pop("n_trials"), **arguments)


def test_grid_refuses_an_impossible_icc():
    with pytest.raises(ValueError, match=r"icc lies in \[0, 1\); got 1"):
        studies.rejection_grid(icc=[1], patients_per_hospital=[10], rng=1)


def test_docstrings_run():
    assert doctest.testmod(studies).failed == 0


def test_the_default_rows_are_those_of_lesson_2():
    """Written down before further methods came: what the lesson shows must not move."""
    trials = studies.two_arm_trials(2, assignment="hospital", rng=1)
    more = studies.two_arm_trials(
        2, assignment="hospital", methods=(*studies.METHODS, *studies.RANDOM_INTERCEPT), rng=1
    )
    assert list(trials["method"]) == [m for m in studies.METHODS for _ in range(2)]
    first = more[more["method"].isin(studies.METHODS)].drop(columns="method")
    pd.testing.assert_frame_equal(first, trials.drop(columns="method"), check_dtype=False)
    assert trials["degrees_of_freedom"].dtype == int
    written = [0.11314736127958726, 0.0411093879386121, 0.2521697099236981, 0.42186960237776777,
               0.2650028368386354, 0.4343128006522998]  # fmt: skip
    assert trials["p_value"].tolist() == pytest.approx(written, rel=1e-10)


@pytest.mark.parametrize("assignment", ["patient", "hospital"])
@pytest.mark.parametrize(("n_hospitals", "size"), [(4, 2), (6, 4), (20, 30)])
def test_closed_form_reml_is_the_optimum_of_the_likelihood(assignment, n_hospitals, size):
    rng = np.random.default_rng(17)
    boundary = 0
    for _ in range(12):
        data = raw_trial(assignment, n_hospitals, size, rng)
        found = studies.balanced_reml(*sums_of(data, assignment), assignment=assignment)
        X = np.column_stack([np.ones(len(data)), data["treated"]])
        fit = likelihood.fit_intercept(likelihood.sums(data["sbp"], X, data["hospital"]))
        assert found.estimate[0] == pytest.approx(fit.beta[1], rel=1e-8)
        assert found.patient_sd[0] == pytest.approx(fit.patient_sd, rel=1e-6)
        assert found.hospital_sd[0] == pytest.approx(fit.hospital_sd, rel=1e-5, abs=1e-8)
        assert found.standard_error[0] == pytest.approx(fit.se[1], rel=1e-6)
        assert found.degrees_of_freedom[0] == pytest.approx(fit.df[1], rel=1e-3)
        # At the closed form the likelihood is as high as the optimiser could get it.
        ratio = found.hospital_sd[0] / found.patient_sd[0]
        s = likelihood.sums(data["sbp"], X, data["hospital"])
        assert likelihood.ratio_loglik(s, ratio) >= fit.loglik - 1e-10
        boundary += found.hospital_sd[0] == 0
    assert boundary > 0 or size == 30


@pytest.mark.parametrize("assignment", ["patient", "hospital"])
def test_closed_form_reml_agrees_with_statsmodels(assignment):
    data = raw_trial(assignment, 10, 8, np.random.default_rng(3))
    found = studies.balanced_reml(*sums_of(data, assignment), assignment=assignment)
    reference = smf.mixedlm("sbp ~ treated", data, groups="hospital").fit(method="powell")
    assert found.estimate[0] == pytest.approx(reference.fe_params["treated"], rel=1e-8)
    assert found.patient_sd[0] == pytest.approx(reference.scale**0.5, rel=1e-4)
    assert found.hospital_sd[0] == pytest.approx(reference.cov_re.iloc[0, 0] ** 0.5, rel=1e-3)
    assert found.standard_error[0] == pytest.approx(reference.bse_fe["treated"], rel=1e-4)


def test_random_intercept_keeps_its_level_with_t_and_not_with_z():
    trials = studies.two_arm_trials(
        20_000, assignment="hospital", n_hospitals=6, hospital_sd=6.0,
        methods=studies.RANDOM_INTERCEPT, rng=8,
    )  # fmt: skip
    rejected = trials["p_value"].lt(0.05).groupby(trials["method"], observed=True).mean()
    assert rejected["random intercept, t"] == pytest.approx(0.05, abs=0.008)
    assert rejected["random intercept, z"] > 0.1


@pytest.mark.parametrize("methods", [(), "naive", ("naive", "naive"), ("bayes",)])
def test_unknown_methods_are_refused(methods):
    with pytest.raises(ValueError, match="methods are some of"):
        studies.two_arm_trials(3, assignment="hospital", methods=methods, rng=1)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"patients_per_hospital": 7, "treated_share": 0.3},
        {"assignment": "hospital", "hospital_law": "skewed", "beds_effect": 1.0},
        {"assignment": "sicker hospitals more", "region_sd": 2.0, "teaching_effect": 3.0},
        {"assignment": "sicker patients more", "baseline_effect": 0.5},
        {"error_law": "differs by hospital", "hospital_sd": 0.0},
        {"error_law": "student_t", "hospital_law": "bimodal", "n_regions": 30, "region_sd": 1.0},
        {"error_law": "outliers", "n_hospitals": 2, "region_sd": 1.0},
        {"error_law": "grows with mean"},
        {"treatment_effect_sd": 3.0, "age_effect": 0.4, "n_wards": 2, "ward_sd": 1.0},
        {"treatment_effect_sd": 3.0, "intercept_effect_correlation": -0.6, "region_sd": 1.0},
        {"treatment_effect_sd": 3.0, "hospital_law": "skewed", "hospital_sd": 0.0},
    ],
)
def test_quick_draws_are_those_of_med_trial_to_the_last_bit(settings):
    trials = studies.draw_trials(3, rng=6, **settings)
    for k, seed in enumerate(trials.seed):
        data = med_trial(**settings, rng=int(seed)).data
        assert np.array_equal(trials.sbp[k], data["sbp"])
        assert np.array_equal(trials.treated[k], data["treated"])
        assert np.array_equal(trials.hospital[k], data["hospital"].cat.codes)
        truth = med_trial(**settings, rng=int(seed)).truth.hospitals
        assert np.array_equal(trials.effect[k], truth["treatment_effect"])


def test_many_analyses_are_those_of_statsmodels_and_the_likelihood():
    data_sets = [
        med_trial(n_hospitals=j, patients_per_hospital=(3, 30), age_effect=0.3, rng=j)
        for j in (5, 9, 14)
    ]
    table = studies.analyse_many(
        data_sets, predictors=["age", "treated"], effect="treated", methods=studies.ANALYSES,
        level=0.9,
    ).set_index(["trial", "method"])  # fmt: skip
    for k, study in enumerate(data_sets):
        data = study.data
        model = smf.ols("sbp ~ age + treated", data)
        codes = data["hospital"].cat.codes.to_numpy()
        robust = model.fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
        for method, reference in (("naive", model.fit()), ("cluster-robust", robust)):
            row = table.loc[(k, method)]
            assert row["estimate"] == pytest.approx(reference.params["treated"], rel=1e-8)
            assert row["standard_error"] == pytest.approx(reference.bse["treated"], rel=1e-8)
            assert row["p_value"] == pytest.approx(reference.pvalues["treated"], rel=1e-6)
            ends = reference.conf_int(alpha=0.1).loc["treated"].to_numpy()
            assert [row["lower"], row["upper"]] == pytest.approx(ends, rel=1e-8)
        X = np.column_stack([np.ones(len(data)), data["age"], data["treated"]])
        fit = likelihood.fit_intercept(likelihood.sums(data["sbp"], X, data["hospital"]))
        row = table.loc[(k, "random intercept, t")]
        assert row["estimate"] == pytest.approx(fit.beta[2], rel=1e-8)
        assert row["standard_error"] == pytest.approx(fit.se[2], rel=1e-8)
        assert row["degrees_of_freedom"] == pytest.approx(fit.df[2], rel=1e-5)
        assert row["hospital_sd"] == pytest.approx(fit.hospital_sd, rel=1e-6, abs=1e-9)
        assert row["lower"] == pytest.approx(fit.interval(0.9)[0][2], rel=1e-6)
        z = table.loc[(k, "random intercept, z")]
        assert z["p_value"] == pytest.approx(
            2 * stats.norm.sf(abs(fit.beta[2] / fit.se[2])), rel=1e-6
        )


def test_together_and_one_by_one_are_the_same():
    """Equal layouts take the quick way; a data set of another layout forces the other way."""
    trials = studies.draw_trials(4, n_hospitals=8, patients_per_hospital=10, rng=2)
    frames = list(trials)
    other = med_trial(n_hospitals=9, rng=1).data
    together = studies.analyse_many(trials)
    singly = studies.analyse_many([*frames, other])
    singly = singly[singly["trial"] < 4].reset_index(drop=True)
    pd.testing.assert_frame_equal(together, singly, rtol=1e-8)
    pd.testing.assert_frame_equal(together, studies.analyse_many(frames), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: studies.draw_trials(0, rng=1), "n_trials must be .* got 0"),
        (
            lambda: studies.draw_trials(2, rng=1, hospitals=3),
            "keywords of med_trial; got hospitals",
        ),
        (lambda: studies.draw_trials(2, rng=1, n_hospitals=0), "received 0"),
        (lambda: studies.draw_trials(2, rng=1, missing="outcome"), "missing='outcome'"),
        (lambda: studies.analyse_many([]), "at least one data set"),
        (lambda: studies.analyse_many(3), "got int"),
        (lambda: studies.analyse_many([1]), "data set 0 must be a Study"),
        (lambda: studies.analyse_many([pd.DataFrame({"sbp": [1]})]), "no column 'treated'"),
    ],
)
def test_many_refuse_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["bayes"]}, "got 'bayes'"),
        ({"effect": "age"}, "got 'age'"),
        ({"level": 1}, "got 1"),
        ({"predictors": []}, "predictors must be names"),
        ({"predictors": ["treated", "twice"]}, "data set 1 cannot be analysed: the columns"),
        ({"predictors": ["treated", "lost"]}, "data set 1 cannot be analysed: lost must be finite"),
    ],
)
def test_the_data_set_that_fails_is_named(change, message):
    good, bad = studies.draw_trials(2, n_hospitals=6, patients_per_hospital=8, rng=1)
    rng = np.random.default_rng(1)
    good["twice"] = good["lost"] = rng.normal(size=len(good))
    bad["twice"] = 2 * bad["treated"]
    bad["lost"] = np.nan
    with pytest.raises(ValueError, match=message):
        studies.analyse_many([good, bad], **change)


def test_docstrings_of_the_parts_run():
    for module in (_studies_balanced, _studies_draw, _studies_many, _studies_slopes):
        assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("predictors", [["treated"], ["age", "treated"]])
def test_the_random_slope_is_that_of_mixedlm(predictors):
    data_sets = [
        med_trial(
            n_hospitals=j, patients_per_hospital=(4, 40), treatment_effect_sd=6, age_effect=0.3,
            intercept_effect_correlation=-0.4, rng=j,
        )
        for j in (8, 15, 24)
    ]  # fmt: skip
    table = studies.analyse_many(
        data_sets, predictors=predictors, effect="treated", level=0.9,
        methods=["random slope, t", "random slope, z"],
    ).set_index(["trial", "method"])  # fmt: skip
    for k, study in enumerate(data_sets):
        model = mixedlm.fit(
            f"sbp ~ {' + '.join(predictors)}", study.data, groups="hospital",
            re_formula="1 + treated", start="powell",
        )  # fmt: skip
        fixed, sds = model.fixed_table(confidence=0.9).loc["treated"], model.variances["estimate"]
        row = table.loc[(k, "random slope, t")]
        assert row["estimate"] == pytest.approx(fixed["estimate"], rel=1e-5)
        assert row["standard_error"] == pytest.approx(fixed["se"], rel=1e-5)
        assert row["degrees_of_freedom"] == pytest.approx(fixed["df"], rel=1e-3)
        assert row["p_value"] == pytest.approx(fixed["p"], rel=1e-3)
        assert row["lower"] == pytest.approx(fixed["lower"], rel=1e-3)
        assert row["hospital_sd"] == pytest.approx(sds["hospital_sd"], rel=1e-4, abs=1e-3)
        assert row["slope_sd"] == pytest.approx(sds["treated_sd"], rel=1e-4)
        assert row["patient_sd"] == pytest.approx(sds["patient_sd"], rel=1e-5)
        assert row["correlation"] == pytest.approx(sds["correlation(hospital, treated)"], abs=1e-3)
        z = table.loc[(k, "random slope, z")]
        assert z["p_value"] == pytest.approx(
            2 * stats.norm.sf(abs(fixed["estimate"] / fixed["se"])), rel=1e-3
        )


def test_in_balanced_trials_the_random_slope_is_a_t_test_of_the_hospitals_own_differences():
    """An engine of its own: no likelihood, no matrices."""
    trials = studies.draw_trials(
        40, n_hospitals=12, patients_per_hospital=20, treatment_effect_sd=8, rng=4
    )
    table = studies.analyse_many(trials, methods=["random slope, t"])
    agree = 0
    for k, data in enumerate(trials):
        means = data.groupby(["hospital", "treated"])["sbp"].mean().unstack()
        test = stats.ttest_1samp(means[1] - means[0], 0)
        row = table.iloc[k]
        if row["slope_sd"] > 0 and abs(row["correlation"]) < 1 - 1e-6:
            assert row["p_value"] == pytest.approx(test.pvalue, rel=1e-4)
            assert row["degrees_of_freedom"] == pytest.approx(11, rel=1e-5)
            agree += 1
    assert agree > 25


def test_random_slopes_together_and_one_by_one_are_the_same():
    settings = {"n_hospitals": 8, "patients_per_hospital": 10, "treatment_effect_sd": 5}
    trials = studies.draw_trials(4, rng=2, **settings)
    other = med_trial(n_hospitals=9, rng=1).data
    together = studies.analyse_many(trials, methods=["random slope, t"])
    singly = studies.analyse_many([*trials, other], methods=["random slope, t"])
    singly = singly[singly["trial"] < 4].reset_index(drop=True)
    pd.testing.assert_frame_equal(together, singly, rtol=1e-5)


def test_a_slope_needs_an_effect_that_varies_within_hospitals():
    by_patient, by_hospital = (
        med_trial(n_hospitals=8, patients_per_hospital=10, assignment=how, rng=1)
        for how in ("patient", "hospital")
    )
    with pytest.raises(ValueError, match=r"data set 1 has no random slope: .* vary within"):
        studies.analyse_many([by_patient, by_hospital], methods=["random slope, t"])


def test_a_long_way_to_the_edge_is_gone_to_its_end():
    """With four patients in a hospital REML may creep towards a correlation of -1."""
    trials = studies.draw_trials(
        1500, n_hospitals=12, patients_per_hospital=4, treatment_effect=0, treatment_effect_sd=8,
        hospital_sd=3, rng=12,
    )  # fmt: skip
    frames = list(trials)[1380:1390]
    table = studies.analyse_many(frames, methods=["random slope, t"])
    assert table["correlation"].iloc[5] == pytest.approx(-1)


def test_what_leaving_the_slope_out_does_is_foreseen():
    grid = studies.varying_effect_grid(
        effect_sd=[0, 5], patients_per_hospital=[30], n_trials=1000, rng=5
    ).set_index(["effect_sd", "method"])
    rejected, foreseen = grid["rejected"], grid["foreseen"]
    for sd in (0, 5):
        assert rejected[sd, "random slope, t"] == pytest.approx(0.05, abs=0.02)
        assert rejected[sd, "random intercept, t"] == pytest.approx(
            foreseen[sd, "random intercept, t"], abs=0.035
        )
    # By hand: the estimate's variance over what the model without the slope takes it for.
    ratio = (5**2 + 4 * 144 / 30) / (4 / 30 * (144 + 5**2 / 4))
    assert foreseen[5, "random intercept, t"] == pytest.approx(
        2 * stats.norm.sf(stats.norm.isf(0.025) / ratio**0.5)
    )
    assert foreseen[0, "random intercept, t"] == pytest.approx(0.05)
    assert foreseen.isna().sum() == 4
    assert grid["monte_carlo_error"].between(0.004, 0.016).all()


def test_the_grid_refuses_odd_sizes():
    with pytest.raises(ValueError, match="must be even, got 7"):
        studies.varying_effect_grid(effect_sd=[1], patients_per_hospital=[7], rng=1)
