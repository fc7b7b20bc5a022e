"""Imputing, pooling and the missingness lab, against closed forms, simulation and limits."""

import doctest

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from matplotlib.figure import Figure

from utils import missing as module
from utils import missing_lab, stored
from utils.fits import missing as study
from utils.missing import analyse, analyse_imputed, impute, pool
from utils.missing_figures import ANALYSES, draw_bias, draw_delta, draw_imputed, draw_means
from utils.missing_lab import lab
from utils.mixedlm import fit
from utils.simulate import med_trial
from utils.widgets import missing_explorer


def trial(**change):
    design = dict(n_hospitals=15, patients_per_hospital=20, baseline_effect=0.5, rng=5)
    return med_trial(
        **design, **{"missing": "covariate", "missing_mechanism": "by outcome", **change}
    )


# ---------------------------------------------------------------- analyses


def test_an_analysis_is_mixedlm_s_on_the_rows_it_can_use():
    data = trial().data
    wanted = fit(
        "sbp ~ treated + b",
        data.assign(b=data["baseline"] - 150),
        groups="hospital",
        missing="drop",
    ).fixed["estimate"]
    np.testing.assert_allclose(analyse(data).beta, wanted, atol=1e-5)
    wanted = fit("sbp ~ treated", data, groups="hospital").fixed["estimate"]
    np.testing.assert_allclose(analyse(data, baseline=False).beta, wanted, atol=1e-5)


def test_rubin_s_rules_by_hand():
    values, errors = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]]), np.full((3, 2), 0.5)
    found = pool(values, errors)
    between = (4 / 3) * values[:, 0].var(ddof=1)
    assert found.estimate[0] == pytest.approx(7 / 3)
    assert found.se[0] == pytest.approx(np.sqrt(0.25 + between))
    share = between / (0.25 + between)
    assert found.df[0] == pytest.approx(2 / share**2)
    assert found.se[1] == 0.5 and np.isinf(found.df[1])  # they agree: nothing was lost


def test_imputed_values_follow_the_law_of_those_that_went_missing():
    complete = med_trial(
        n_hospitals=200, patients_per_hospital=40, baseline_effect=0.5, missing="covariate",
        missing_mechanism="by outcome", missing_share=0.4, rng=7,
    )  # fmt: skip
    data, truth = complete.data, complete.truth.complete_data
    gap = data["baseline"].isna().to_numpy()
    filled = impute(data, rng=1, imputations=2)
    assert (filled[:, ~gap] == truth["baseline"][~gap].to_numpy()).all()
    for one in filled:
        assert one[gap].mean() == pytest.approx(truth["baseline"][gap].mean(), abs=0.8)
        assert one[gap].std() == pytest.approx(truth["baseline"][gap].std(), abs=0.8)
        slopes = [
            np.polyfit(values[gap], data["sbp"][gap], 1)[0]
            for values in (one, truth["baseline"].to_numpy())
        ]
        assert slopes[0] == pytest.approx(slopes[1], abs=0.03)


def test_imputed_outcomes_keep_hospitals_apart():
    data = med_trial(
        n_hospitals=60, patients_per_hospital=30, hospital_sd=12, patient_sd=6, missing="outcome",
        missing_share=0.5, rng=8,
    ).data  # fmt: skip
    filled = pd.Series(impute(data, rng=1, imputations=2)[0]).groupby(
        data["hospital"], observed=True
    )
    seen = data.groupby("hospital", observed=True)["sbp"].mean()
    assert np.corrcoef(filled.mean(), seen)[0, 1] > 0.95


def test_imputing_outcomes_at_random_leaves_the_estimate_where_it_was():
    data = trial(missing="outcome", missing_mechanism="MAR").data
    fits = analyse_imputed(data, impute(data, rng=2, imputations=400))
    pooled, rows = pool(fits.beta, fits.se), analyse(data)
    np.testing.assert_allclose(
        pooled.estimate, rows.beta, atol=4 * fits.beta.std(axis=0).max() / 20
    )
    assert pooled.se[1] == pytest.approx(rows.se[1], rel=0.1)


def test_a_delta_moves_imputed_outcomes_only():
    data = trial(missing="outcome", missing_mechanism="MAR").data
    filled = impute(data, rng=2, imputations=5)
    share = data.query("treated == 1")["sbp"].isna().mean()
    effect = [
        analyse_imputed(data, filled, added=delta * data["treated"].to_numpy()).beta[:, 1].mean()
        for delta in (0.0, 10.0)
    ]
    assert effect[1] - effect[0] == pytest.approx(10 * share, rel=0.15)


def test_what_cannot_be_imputed_or_pooled_is_refused():
    data = trial().data
    with pytest.raises(ValueError, match="must have gaps; none"):
        impute(data.dropna(), rng=1)
    with pytest.raises(ValueError, match="must have gaps; sbp and baseline"):
        impute(data.assign(sbp=data["sbp"].mask(data["patient"] < 5)), rng=1)
    with pytest.raises(ValueError, match="at least 2, got 1"):
        impute(data, rng=1, imputations=1)
    with pytest.raises(ValueError, match="same shape"):
        pool([1.0, 2.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="above 0, got 0"):
        pool([[1.0], [2.0]], [[1.0], [0.0]])


# ---------------------------------------------------------------- the stored study


def test_the_joint_model_s_density_is_the_integral_over_the_missing_baseline():
    data = trial().data.iloc[:6].assign(baseline=[150.0, np.nan, 140.0, np.nan, 160.0, 155.0])
    data["hospital"] = data["hospital"].cat.remove_unused_categories()
    model = study.joint_model(data)
    given = study._joint_data(data)
    for name, value in given.items():
        model.set_data(name, value) if name != "treated" else None
    point = {**model.initial_point(), "baseline_effect": np.array(0.7), "x_mean": np.array(2.0)}
    found = model.point_logps(point, round_vals=12)["outcome"]
    slope, x_mean, x_sd, sd = (
        0.7,
        2.0,
        np.exp(point["x_sd_log__"]),
        np.exp(point["patient_sd_log__"]),
    )
    rng, total = np.random.default_rng(1), 0.0
    for k, row in enumerate(data.itertuples()):
        x = (
            row.baseline - 150
            if not np.isnan(row.baseline)
            else rng.normal(x_mean, x_sd, 2_000_000)
        )
        error = row.sbp - point["intercept"] - slope * x - point["u"][0]
        error = error - point["treatment_effect"] * given["treated"][k]
        total += np.log(np.mean(np.exp(-0.5 * (error / sd) ** 2) / sd))
    assert found == pytest.approx(total, abs=0.01)


def test_the_stored_study_says_what_the_theory_says():
    table = stored.load("missing").set_index(["missing", "mechanism", "analysis", "term"])
    table = table.sort_index()
    for way in study.WAYS:  # a randomised effect without a covariate needs no covariate
        if way[0] == "covariate":
            row = table.loc[(*way, "without baseline", "treatment_effect")]
            assert abs(row["bias"]) < 4 * row["bias_mcse"]
    for mechanism in ("MCAR", "MAR", "MNAR"):  # imputing outcomes changes nothing
        for term in study.TERMS:
            pair = table.loc["outcome", mechanism].loc[["complete rows", "multiple imputation"]]
            both = pair.xs(term, level="term")
            assert np.ptp(both["bias"]) < both["bias_mcse"].max()


# ---------------------------------------------------------------- the lab


def test_the_lab_agrees_with_regressions_by_another_library():
    trial_ = missing_lab._trial()
    lost = missing_lab._lost(trial_, "baseline", "MAR", 0.35, 1.5)
    within = pd.DataFrame({name: trial_[name] for name in ("y", "x", "treated")})[~lost]
    within = within - within.groupby(trial_["codes"][~lost]).transform("mean")
    wanted = sm.OLS(within["y"], within[["treated", "x"]]).fit().params
    found = missing_lab._estimates(trial_, "baseline", lost, "complete rows")
    assert found[0] == pytest.approx(wanted["treated"])


@pytest.mark.parametrize(
    ("missing", "mechanism", "right", "wrong"),
    [
        ("outcome", "MCAR", {0, 1, 2}, set()),
        ("outcome", "MAR", {1, 2}, {0}),
        ("outcome", "MNAR", set(), {0, 1, 2}),
        ("baseline", "MCAR", {0, 1, 2}, set()),
        ("baseline", "MAR", {0, 2}, {1}),
        ("baseline", "MNAR", {0, 1}, {2}),
    ],
)
def test_the_lab_finds_who_is_right_about_the_mean(missing, mechanism, right, wrong):
    found = lab(missing=missing, mechanism=mechanism, share=40, strength=2.0)
    off = np.abs(found.means - 140)
    assert all(off[k] < 0.5 for k in right) and all(off[k] > 1.5 for k in wrong)


def test_the_lab_loses_the_share_that_was_asked_for_and_nothing_at_0():
    trial_ = missing_lab._trial()
    for mechanism in missing_lab.MECHANISMS:
        assert missing_lab._lost(trial_, "outcome", mechanism, 0.35, 2.0).mean() == pytest.approx(
            0.35, abs=0.01
        )
    none = lab(missing="baseline", mechanism="MAR", share=0, strength=2.0)
    np.testing.assert_allclose(none.effects, -6)
    np.testing.assert_allclose(none.means, 140)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"missing": "age"}, "missing must be outcome or baseline, got 'age'"),
        ({"mechanism": "chance"}, "mechanism must be MCAR, MAR, MNAR; got 'chance'"),
        ({"share": 90}, "share must lie between 0 and 80 %, got 90"),
        ({"strength": -1}, "strength must lie between 0 and 3, got -1"),
    ],
)
def test_impossible_settings_are_refused(change, told):
    with pytest.raises(ValueError) as caught:
        lab(**{"missing": "outcome", "mechanism": "MAR", "share": 30, "strength": 1.0, **change})
    assert told in str(caught.value)


def test_the_explorer_shows_the_result():
    explorer = missing_explorer()
    explorer.set_state(missing="baseline", mechanism="MNAR", share=50)
    wanted = lab(missing="baseline", mechanism="MNAR", share=50, strength=1.5)
    assert (
        f"imputed: effect −{-wanted.effects[2]:.1f}, mean {wanted.means[2]:.1f}"
        in explorer.description
    )
    assert "more often where the baseline is high itself" in explorer.description


# ---------------------------------------------------------------- figures


def test_figures_show_their_numbers():
    axes = Figure().subplots(1, 2)
    draw_means(axes[0], {"complete rows": (1.0, 0.0, 2.0)}, truth=1.5)
    assert axes[0].collections[0].get_segments()[0][:, 0].tolist() == [0.0, 2.0]
    path = pd.DataFrame(
        {"effect": [-5.0, -1.0], "low": [-7.0, -3.0], "high": [-3.0, 1.0]}, index=[0.0, 10.0]
    )
    draw_delta(axes[1], path)
    assert axes[1].lines[0].get_ydata().tolist() == [-5.0, -1.0]
    table = stored.load("missing").query("term == 'intercept'")
    table = table.set_index(["missing", "mechanism", "analysis"]).sort_index()
    ax = Figure().subplots()
    draw_bias(ax, table, "mean")
    shown = [container.lines[0].get_xdata()[4] for container in ax.containers]
    wanted = [table.loc[("covariate", "by outcome", name), "bias"] for name in ANALYSES]
    assert shown == wanted
    data = trial().data
    ax = Figure().subplots()
    draw_imputed(ax, data, impute(data, rng=1, imputations=2)[0])
    assert len(ax.lines[1].get_xdata()) == data["baseline"].isna().sum()


def test_the_examples_run():
    assert doctest.testmod(module).failed == 0
