"""Few hospitals: closed forms against the likelihood, MixedLM, patients, and brute force."""

import doctest

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

from utils import (
    _balanced_squares,
    _few_hospitals_figure,
    few_hospitals,
    likelihood,
    mixedlm,
    plots,
    studies,
)
from utils._balanced_squares import Squares, Trial, standard_errors
from utils.few_hospitals import (
    METHODS,
    chance_of_zero,
    compare_intervals,
    draw_coverage,
    draw_fits,
)
from utils.simulate import med_trial

SPINE = {"patients_per_hospital": 20, "hospital_sd": 3, "patient_sd": 12}


def raw(assignment, rng, hospitals=6, size=20, hospital_sd=3.0):
    """Return one trial patient by patient, as a plan, its data, its squares and its estimate."""
    data = med_trial(
        n_hospitals=hospitals, patients_per_hospital=size, treatment_effect=-4,
        hospital_sd=hospital_sd, patient_sd=12, assignment=assignment, rng=rng,
    ).data  # fmt: skip
    trial = Trial(assignment, hospitals, size, hospital_sd, 12)
    return trial, data, *squares_of(trial, data)


def squares_of(trial, data):
    """Compute the sums of squares by their definition."""
    means = data.groupby("hospital", observed=True)["sbp"].mean()
    arms = data.groupby("hospital", observed=True)["treated"].first()
    by_arm = data.groupby("treated")["sbp"].mean()
    estimate = by_arm[1] - by_arm[0]
    size = trial.patients_per_hospital
    if trial.by_hospital:
        between = size * ((means - means.groupby(arms).transform("mean")) ** 2).sum()
        own = between
        clean = data["sbp"]
    else:
        between = size * ((means - means.mean()) ** 2).sum()
        cells = data.groupby(["hospital", "treated"], observed=True)["sbp"].mean().unstack()
        difference = cells[1] - cells[0]
        own = size / 4 * ((difference - difference.mean()) ** 2).sum()
        clean = data["sbp"] - estimate * data["treated"]
    within = ((clean - clean.groupby(data["hospital"], observed=True).transform("mean")) ** 2).sum()
    return Squares(*(np.array([x]) for x in (between, within, own))), np.array([estimate])


def reml_sums(data, effect=None):
    X = np.column_stack([np.ones(len(data)), data["treated"]])
    if effect is None:
        return likelihood.sums(data["sbp"], X, data["hospital"])
    return likelihood.sums(data["sbp"] - effect * data["treated"], X[:, :1], data["hospital"])


@pytest.mark.parametrize("assignment", ["hospital", "patient"])
@pytest.mark.parametrize("seed", range(6))
def test_fits_are_those_of_the_likelihood_and_of_mixedlm(assignment, seed):
    trial, data, squares, estimate = raw(assignment, seed)
    row = few_hospitals._fits(trial, squares, estimate).iloc[0]
    sums = reml_sums(data)
    fit = likelihood.fit_intercept(sums)
    assert row["estimate"] == pytest.approx(fit.beta[1])
    assert row["hospital_sd"] == pytest.approx(fit.hospital_sd, abs=1e-4)
    assert row["patient_sd"] == pytest.approx(fit.patient_sd, rel=1e-6)
    zero = likelihood.ratio_loglik(sums, 0.0)
    assert row["lr_zero"] == pytest.approx(2 * (fit.loglik - zero), abs=1e-6)
    truth = likelihood.profile_loglik(sums, [3.0])[0]
    assert row["lr_truth"] == pytest.approx(2 * (fit.loglik - truth), abs=1e-6)
    model = mixedlm.fit("sbp ~ treated", data, groups="hospital")
    for column, df in {
        "p_z": "normal", "p_satterthwaite": "satterthwaite", "p_between_within": "between-within"
    }.items():  # fmt: skip
        assert row[column] == pytest.approx(model.fixed_table(df=df).loc["treated", "p"], rel=1e-3)


def test_the_six_seeds_reach_both_sides_of_the_boundary():
    zeros = [
        few_hospitals._fits(trial, squares, estimate)["hospital_sd"].iloc[0] == 0
        for trial, _, squares, estimate in (raw("hospital", seed) for seed in range(6))
    ]
    assert 0 < sum(zeros) < 6


@pytest.mark.parametrize("assignment", ["hospital", "patient"])
@pytest.mark.parametrize("seed", [5, 1])
def test_profile_interval_ends_where_maximum_likelihood_drops(assignment, seed):
    trial, data, squares, estimate = raw(assignment, seed)
    half = few_hospitals._half_widths(trial, squares, 0.95, np.random.default_rng(1))["profile"][0]
    best = likelihood.fit_intercept(reml_sums(data), reml=False).loglik
    for end in (estimate[0] - half, estimate[0] + half):
        held = likelihood.fit_intercept(reml_sums(data, end), reml=False).loglik
        assert 2 * (best - held) == pytest.approx(stats.chi2.ppf(0.95, 1), abs=1e-5)


@pytest.mark.parametrize("assignment", ["hospital", "patient"])
def test_bootstrap_interval_ends_where_patients_drawn_anew_say_so(assignment):
    trial, data, squares, estimate = raw(assignment, 1)
    rng = np.random.default_rng(2)
    half = few_hospitals._half_widths(trial, squares, 0.95, rng)["parametric bootstrap"][0]
    null = likelihood.fit_intercept(reml_sums(data, estimate[0] - half))
    codes = data["hospital"].cat.codes.to_numpy()
    y = null.patient_sd * rng.standard_normal((4000, len(data)))
    y += null.hospital_sd * rng.standard_normal((4000, trial.n_hospitals))[:, codes]
    X = np.column_stack([np.ones(len(data)), data["treated"]])
    again = likelihood.fit_intercept(likelihood.sums(y, X, codes))
    observed = half / likelihood.fit_intercept(reml_sums(data)).se[1]
    p = np.mean(np.abs(again.beta[:, 1] / again.se[:, 1]) >= observed)
    assert p == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 4000) + 0.003)


@pytest.mark.parametrize("assignment", ["hospital", "patient"])
@pytest.mark.parametrize("hospital_sd", [0, 3])
def test_chance_of_zero_against_patients(assignment, hospital_sd):
    design = {
        "n_hospitals": 6, "patients_per_hospital": 20, "hospital_sd": hospital_sd, "patient_sd": 12
    }  # fmt: skip
    p = chance_of_zero(assignment=assignment, **design)
    tolerance = 4 * np.sqrt(p * (1 - p) / 1500)
    trials = studies.draw_trials(1500, assignment=assignment, treatment_effect=-4, rng=3, **design)
    fits = studies.analyse_many(trials, methods=["random intercept, t"])
    assert (fits["hospital_sd"] == 0).mean() == pytest.approx(p, abs=tolerance)
    quick = draw_fits(1500, assignment=assignment, rng=4, **design)
    assert (quick["hospital_sd"] == 0).mean() == pytest.approx(p, abs=tolerance)


def test_chance_of_zero_falls_with_hospitals_and_with_differences():
    def chance(**changes):
        return chance_of_zero(**({"assignment": "hospital", "n_hospitals": 6, **SPINE} | changes))

    assert chance() > chance(n_hospitals=10) > chance(n_hospitals=40)
    assert chance() > chance(hospital_sd=6)
    assert chance(n_hospitals=2000, hospital_sd=0) == pytest.approx(0.5, abs=0.02)


def test_the_test_of_zero_is_the_exact_f_test_in_disguise():
    """Without differences, lr_zero exceeds a limit as often as the F variable it grows with."""
    fits = draw_fits(
        40_000, assignment="hospital", n_hospitals=6, patients_per_hospital=20, hospital_sd=0,
        patient_sd=12, rng=5,
    )  # fmt: skip
    a, b = 4, 114
    f = np.linspace(1, 30, 20_000)
    lr = (a + b) * np.log((a * f + b) / (a + b)) - a * np.log(f)
    for limit in (2.706, 3.841):
        p = stats.f.sf(np.interp(limit, lr, f), a, b)
        assert (fits["lr_zero"] > limit).mean() == pytest.approx(p, abs=4 * np.sqrt(p / 40_000))


@pytest.mark.parametrize("assignment", ["hospital", "patient"])
def test_coverage_is_that_of_the_older_engine(assignment):
    scores = compare_intervals([6, 20], assignment=assignment, n_trials=20_000, rng=6, **SPINE)
    names = {
        "hospital means": "hospital means",
        "Satterthwaite": "random intercept, t",
        "z": "random intercept, z",
    }
    for hospitals in (6, 20):
        trials = studies.two_arm_trials(
            20_000, assignment=assignment, n_hospitals=hospitals, methods=tuple(names.values()),
            rng=7, **SPINE,
        )  # fmt: skip
        held = trials["p_value"].ge(0.05).groupby(trials["method"], observed=True).mean()
        width = ((trials["upper"] - trials["lower"]) / 2).groupby(trials["method"], observed=True)
        for here, there in names.items():
            row = scores.loc[(hospitals, here)]
            assert row["coverage"] == pytest.approx(held[there], abs=0.01)
            assert row["half_width"] == pytest.approx(width.mean()[there], rel=0.02)


def test_scores_have_the_known_order_and_the_known_limits():
    scores = compare_intervals([6, 400], assignment="hospital", treatment_effect=-4, rng=8, **SPINE)
    assert list(scores.loc[6].index) == list(METHODS)
    few, many = scores.loc[6, "coverage"], scores.loc[400, "coverage"]
    assert few["hospital means"] == pytest.approx(0.95, abs=0.007)  # exact
    assert few["between-within"] > few["hospital means"] > few["z"]
    assert many.sub(0.95).abs().max() < 0.007
    trial = Trial("hospital", 6, 20, 3, 12)
    assert scores.loc[6, "scatter"].iloc[0] == pytest.approx(trial.variance**0.5, rel=0.02)
    assert scores.loc[6, "bias"].abs().max() < 4 * (trial.variance / 20_000) ** 0.5
    # Where patients are very many, z is t with J - 2 degrees of freedom, misread as normal.
    much = compare_intervals(
        [6],
        assignment="hospital",
        patients_per_hospital=20_000,
        hospital_sd=3,
        patient_sd=12,
        rng=9,
    )
    assert 1 - much.loc[(6, "z"), "coverage"] == pytest.approx(2 * stats.t.sf(1.96, 4), abs=0.009)


@pytest.mark.parametrize("assignment", ["hospital", "patient"])
def test_drawn_squares_have_the_law_of_patients_where_effects_vary(assignment):
    """MedTrial patients, dealt into 4,000 trials of 6 hospitals of 8, effects with an SD of 5."""
    trials, hospitals, size = 4000, 6, 8
    data = med_trial(
        n_hospitals=trials * hospitals, patients_per_hospital=size, treatment_effect=-4,
        treatment_effect_sd=5, hospital_sd=4, patient_sd=9, assignment=assignment, rng=31,
    ).data  # fmt: skip
    trial = Trial(assignment, hospitals, size, 4, 9, 5)
    y = data.sort_values(["treated", "hospital"], kind="stable")["sbp"].to_numpy()
    if assignment == "hospital":
        y = y.reshape(2, trials, hospitals // 2, size)
        means = y.mean(-1)
        estimate = means[1].mean(-1) - means[0].mean(-1)
        between = size * means.var(-1).sum(0) * hospitals / 2
        own = between
    else:
        y = y.reshape(2, trials, hospitals, size // 2)
        means = y.mean(-1)
        estimate = (means[1] - means[0]).mean(-1)
        between = size * means.mean(0).var(-1) * hospitals
        own = size / 4 * (means[1] - means[0]).var(-1) * hospitals
    inside = ((y - means[..., None]) ** 2).sum((0, 2, 3))
    within = inside + (0 if assignment == "hospital" else own)
    drawn = trial.draw(40_000, np.random.default_rng(1))
    assert estimate.var() == pytest.approx(trial.variance, rel=5 * (2 / trials) ** 0.5)
    for mine, theirs in zip(drawn, (between, within, own), strict=True):
        assert mine.mean() == pytest.approx(theirs.mean(), rel=0.03)
        assert mine.std() == pytest.approx(theirs.std(), rel=0.1)
    together = np.corrcoef(drawn.between, drawn.own)[0, 1]
    assert together == pytest.approx(np.corrcoef(between, own)[0, 1], abs=0.06)
    se = standard_errors(trial, Squares(between, within, own))
    assert np.mean(se["hospital means"][0] ** 2) == pytest.approx(trial.variance, rel=0.08)


def test_effects_that_vary_break_the_model_but_not_the_hospitals_own_differences():
    scores = compare_intervals([6], assignment="patient", effect_sd=5, rng=10, **SPINE)
    assert scores.loc[(6, "hospital means"), "coverage"] == pytest.approx(0.95, abs=0.007)
    assert scores.loc[(6, "Satterthwaite"), "coverage"] < 0.9


def test_the_same_seed_gives_the_same_table():
    calls = [draw_fits(50, assignment="patient", n_hospitals=5, rng=1, **SPINE) for _ in range(2)]
    assert calls[0].equals(calls[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"assignment": "ward"}, "assignment must be 'hospital' or 'patient', got 'ward'"),
        ({"n_hospitals": 5}, "n_hospitals must be even .* got 5"),
        ({"n_hospitals": 2}, "n_hospitals must be a whole number of 4 or more, got 2"),
        ({"patients_per_hospital": 1}, "patients_per_hospital must be a whole number of 2"),
        ({"assignment": "patient", "patients_per_hospital": 5}, "must be even .* got 5"),
        ({"hospital_sd": -1}, "hospital_sd must be 0 or more, got -1"),
        ({"patient_sd": 0}, "patient_sd must be above 0, got 0"),
    ],
)
def test_impossible_trials_are_refused(change, message):
    good = {"assignment": "hospital", "n_hospitals": 6, **SPINE}
    with pytest.raises(ValueError, match=message):
        chance_of_zero(**(good | change))


def test_impossible_numbers_of_trials_and_levels_are_refused():
    good = {"assignment": "hospital", "rng": 1, **SPINE}
    with pytest.raises(ValueError, match="n_trials must be at least 1, got 0"):
        draw_fits(0, n_hospitals=6, **good)
    with pytest.raises(ValueError, match="n_trials must be at least 2, got 1"):
        compare_intervals([6], n_trials=1, **good)
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 1"):
        compare_intervals([6], level=1, **good)


def test_coverage_is_drawn_as_it_is_computed():
    table = compare_intervals([6, 20], assignment="hospital", n_trials=500, rng=1, **SPINE)
    with plt.rc_context({"figure.constrained_layout.use": True}):
        fig = plt.figure()
        draw_coverage({"one": table, "two": table}, fig)
    assert [ax.get_title() or ax.get_title(loc="left") for ax in fig.axes] == ["one", "two"]
    drawn = {line.get_label(): line for line in fig.axes[1].get_lines()}
    for method in METHODS:
        expected = 100 * table["coverage"].unstack("method")[method]
        np.testing.assert_allclose(drawn[method].get_ydata(), expected)
        np.testing.assert_array_equal(drawn[method].get_xdata(), [6, 20])
    assert drawn["hospital means"].get_color() == plots.PALETTE["hospital means"]
    assert {drawn[m].get_color() for m in METHODS[:5]} == {plots.PALETTE["random intercept"]}
    looks = {(drawn[m].get_linestyle(), drawn[m].get_marker()) for m in METHODS}
    assert len(looks) == len(METHODS)  # told apart without colour
    plt.close(fig)
    with pytest.raises(ValueError, match="tables with a column coverage, got"):
        draw_coverage({}, plt.figure())
    plt.close("all")


@pytest.mark.parametrize("module", [few_hospitals, _balanced_squares, _few_hospitals_figure])
def test_examples(module):
    assert doctest.testmod(module).failed == 0
