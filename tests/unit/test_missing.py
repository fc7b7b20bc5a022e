"""Imputing, pooling and the missingness lab, against closed forms, simulation and limits."""

import doctest

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from matplotlib.figure import Figure

from utils import missing as module
from utils import missing_lab, stored
from utils._simulate_build import logit_intercept
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
        assert slopes[0] == pytest.approx(slopes[1], abs=0.04)  # two draws' error: .017


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


def test_filled_baselines_leave_hospitals_as_far_apart_as_they_are():
    spread = []
    for seed in range(60):
        data = med_trial(
            n_hospitals=20, patients_per_hospital=20, baseline_effect=0.5, hospital_sd=5,
            patient_sd=10, missing="covariate", missing_share=0.5, rng=seed,
        )  # fmt: skip
        fits = analyse_imputed(data.data, impute(data.data, rng=seed))
        whole = analyse(data.truth.complete_data)
        spread.append(fits.hospital_sd.mean() - whole.hospital_sd)
    error = np.std(spread, ddof=1) / np.sqrt(len(spread))
    assert abs(np.mean(spread)) < 0.2 and error < 0.1  # -0.5 without hospitals' mean outcomes


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


def test_the_joint_model_s_density_is_the_integral_over_gaps_and_hospitals():
    data = trial().data.iloc[[0, 1, 2, 20, 21, 22]]
    data = data.assign(baseline=[150.0, np.nan, 140.0, np.nan, 160.0, 155.0])
    data.iloc[5, data.columns.get_loc("sbp")] = np.nan
    data["hospital"] = data["hospital"].cat.remove_unused_categories()
    assert data["hospital"].nunique() == 2
    model, given = study.joint_model(data), study._joint_data(data)
    for name, value in given.items():
        model.set_data(name, value) if name != "treated" else None
    point = {**model.initial_point(), "baseline_effect": np.array(0.7), "x_mean": np.array(2.0)}
    found = model.point_logps(point, round_vals=12)["outcome"]
    x_sd, sd, tau = (
        np.exp(point[f"{name}_log__"]) for name in ("x_sd", "patient_sd", "hospital_sd")
    )
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights, total = weights / weights.sum(), 0.0
    for _, rows in data.assign(t=given["treated"]).groupby("hospital", observed=True):
        likelihood = np.ones(len(nodes))  # for each effect of the hospital
        for row in rows.dropna(subset="sbp").itertuples():
            x = 2.0 + x_sd * nodes if np.isnan(row.baseline) else np.full(80, row.baseline - 150)
            error = row.sbp - point["intercept"] - point["treatment_effect"] * row.t - 0.7 * x
            error = error - tau * nodes[:, None]
            likelihood *= (np.exp(-0.5 * (error / sd) ** 2) / sd) @ weights
        total += np.log(likelihood @ weights)
    assert found == pytest.approx(total, abs=1e-6)


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


def test_the_stored_imputations_come_out_again():
    way, key = ("covariate", "by outcome"), ["missing", "mechanism", "analysis", "term"]
    table = stored.load("missing").set_index(key)
    made = pd.DataFrame(study._rows(way, "multiple imputation", study._imputed(way)))
    made = made.set_index(key)
    np.testing.assert_allclose(table.loc[made.index], made, atol=study.STUDY.absolute)


# ---------------------------------------------------------------- the lab


@pytest.mark.parametrize("missing", ["outcome", "baseline"])
@pytest.mark.parametrize("mechanism", ["MAR", "MNAR"])
def test_the_lab_is_the_limit_of_large_trials(missing, mechanism):
    change = {"missing": missing, "mechanism": mechanism, "share": 40, "strength": 2.0}
    found = lab(**change)
    rng, n = np.random.default_rng(3), 400_000
    hospital = np.arange(n) // 1000
    treated, x = np.arange(n) % 2, rng.normal(0, 15, n)
    u = rng.normal(0, 5, 400)
    y = 140 - 6 * treated + 0.5 * x + (u - u.mean())[hospital] + rng.normal(0, 10, n)
    reason = {"outcome": {"MAR": x, "MNAR": y}, "baseline": {"MAR": y, "MNAR": x}}[missing]
    reason = (reason[mechanism] - reason[mechanism].mean()) / reason[mechanism].std()
    start = logit_intercept(0.4, 2.0, reason[::7])
    lost = rng.random(n) < 1 / (1 + np.exp(-start - 2 * reason))

    def regress(target, columns, use):
        frame = pd.DataFrame(dict(zip("abc", [target, *columns], strict=False)))[use]
        means = frame.groupby(hospital[use]).mean()
        within = frame - means.loc[hospital[use]].to_numpy()
        slopes = sm.OLS(within["a"], within.drop(columns="a")).fit()
        own = means["a"] - means.drop(columns="a") @ slopes.params
        return slopes.params.to_numpy(), own.to_numpy(), np.sqrt(slopes.scale)

    slopes, own, _ = regress(y, [treated, x], ~lost)
    assert found.effects[1] == pytest.approx(slopes[0], abs=0.15)
    assert found.means[1] == pytest.approx(own.mean(), abs=0.3)
    target, other = (y, x) if missing == "outcome" else (x, y)
    slopes, own, sd = regress(target, [treated, other], ~lost)
    drawn = own[hospital] + slopes[0] * treated + slopes[1] * other + rng.normal(0, sd, n)
    filled = np.where(lost, drawn, target)
    y, x = (filled, x) if missing == "outcome" else (y, filled)
    slopes, own, _ = regress(y, [treated, x], np.ones(n, dtype=bool))
    assert found.effects[2] == pytest.approx(slopes[0], abs=0.15)
    assert found.means[2] == pytest.approx(own.mean(), abs=0.3)


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
    assert all(off[k] < 1e-3 for k in right) and all(off[k] > 1.5 for k in wrong)


def test_the_lab_loses_the_share_that_was_asked_for_and_nothing_at_0():
    weight = missing_lab._population()["weight"]
    for mechanism in missing_lab.MECHANISMS:
        everybody, shown = missing_lab._chances("outcome", mechanism, 0.35, 2.0)
        assert (weight * everybody).sum() == pytest.approx(0.35)
        assert shown.mean() == pytest.approx(0.35, abs=0.05)
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
