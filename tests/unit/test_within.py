"""Effects within hospitals, the scoreboard and the choosing test, against statsmodels."""

import doctest

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from utils import _studies_score, _studies_within, mixedlm, studies
from utils._simulate_build import _treatment_start
from utils._simulate_streams import logit_intercept, normal_grid
from utils.simulate import med_trial

BOTH = ["hospital dummies", "within-between"]


def confounded(seed, **settings):
    return med_trial(
        **{"n_hospitals": 12, "assignment": "sicker hospitals more", "age_effect": 0.3} | settings,
        rng=seed,
    ).data


def one(table, method):
    return table[table["method"] == method].iloc[0]


@pytest.mark.parametrize("predictors", [["treated"], ["age", "treated"], ["treated", "beds"]])
def test_dummies_are_those_of_statsmodels(predictors):
    data = confounded(3)
    formula = f"sbp ~ {' + '.join(p for p in predictors if p != 'beds')} + C(hospital)"
    reference = smf.ols(formula, data).fit()  # beds are constant within hospitals
    row = one(
        studies.analyse_many(
            [data], predictors=predictors, effect="treated", methods=BOTH[:1], level=0.9
        ),
        "hospital dummies",
    )
    assert row["estimate"] == pytest.approx(reference.params["treated"], rel=1e-9)
    assert row["standard_error"] == pytest.approx(reference.bse["treated"], rel=1e-9)
    assert row["degrees_of_freedom"] == reference.df_resid
    assert row["p_value"] == pytest.approx(reference.pvalues["treated"], rel=1e-6)
    ends = reference.conf_int(alpha=0.1).loc["treated"].to_numpy()
    assert [row["lower"], row["upper"]] == pytest.approx(ends, rel=1e-8)
    assert row["patient_sd"] == pytest.approx(reference.mse_resid**0.5, rel=1e-9)
    assert np.isnan(row["hospital_sd"])


@pytest.mark.parametrize("predictors", [["treated"], ["age", "treated"]])
def test_within_between_is_the_mixed_model_with_the_hospital_mean(predictors):
    data = confounded(5, region_sd=6, n_regions=12)  # hospitals differ beyond their shares
    data["share"] = data.groupby("hospital", observed=True)["treated"].transform("mean")
    formula = f"sbp ~ {' + '.join(predictors)} + share"
    row = one(
        studies.analyse_many([data], predictors=predictors, effect="treated", methods=BOTH[1:]),
        "within-between",
    )
    raw = smf.mixedlm(formula, data, groups="hospital").fit(method="powell")
    assert row["estimate"] == pytest.approx(raw.fe_params["treated"], rel=1e-4)
    assert row["standard_error"] == pytest.approx(raw.bse_fe["treated"], rel=1e-3)
    assert row["hospital_sd"] == pytest.approx(raw.cov_re.iloc[0, 0] ** 0.5, rel=1e-3)
    fit = mixedlm.fit(formula, data, groups="hospital")
    assert row["degrees_of_freedom"] == pytest.approx(fit.fixed.loc["treated", "df"], rel=1e-4)
    assert row["p_value"] == pytest.approx(fit.fixed.loc["treated", "p"], rel=1e-4)


def test_with_one_predictor_both_give_the_same_estimate_whatever_the_sizes():
    sets = [confounded(k, patients_per_hospital=(3, 40)) for k in range(4)]
    table = studies.analyse_many(sets, methods=BOTH).pivot(
        index="trial", columns="method", values="estimate"
    )
    assert np.allclose(table[BOTH[0]], table[BOTH[1]], rtol=1e-8)


def test_a_share_that_is_the_same_everywhere_is_left_out_and_mixes_with_others():
    even = med_trial(n_hospitals=8, patients_per_hospital=10, rng=1).data
    odd = confounded(2)
    table = studies.analyse_many([odd, even, odd], methods=["random intercept, t", *BOTH])
    table = table.set_index(["trial", "method"])
    columns = ["estimate", "standard_error", "degrees_of_freedom", "hospital_sd"]
    assert np.allclose(
        table.loc[(1, "within-between"), columns].astype(float),
        table.loc[(1, "random intercept, t"), columns].astype(float),
    )
    assert table.loc[(0, "within-between")].equals(table.loc[(2, "within-between")])
    alone = studies.analyse_many([odd], methods=BOTH[1:]).iloc[0]
    assert table.loc[(0, "within-between"), "estimate"] == pytest.approx(alone["estimate"])


def test_together_and_one_by_one_are_the_same():
    trials = studies.draw_trials(
        4, n_hospitals=9, patients_per_hospital=11, assignment="sicker hospitals more", rng=2
    )
    together = studies.analyse_many(trials, methods=BOTH)
    frames = [*trials, confounded(1)]
    singly = studies.analyse_many(frames, methods=BOTH)
    singly = singly[singly["trial"] < 4].reset_index(drop=True)
    pd.testing.assert_frame_equal(together, singly, rtol=1e-8)


def test_rows_may_stand_in_any_order():
    data = confounded(4)
    mixed_up = data.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        studies.analyse_many([data], methods=BOTH),
        studies.analyse_many([mixed_up], methods=BOTH),
        rtol=1e-8,
    )


def test_a_treatment_of_whole_hospitals_has_no_effect_within():
    sets = [confounded(1), med_trial(n_hospitals=8, assignment="hospital", rng=1).data]
    for method in BOTH:
        with pytest.raises(ValueError, match=r"data set 1 .*must vary within hospitals"):
            studies.analyse_many(sets, methods=[method])


def test_dummies_need_patients_left_over():
    data = pd.DataFrame({"hospital": [0, 0, 1], "treated": [0, 1, 0], "sbp": [1.0, 2.0, 4.0]})
    part = (data["sbp"].to_numpy(), np.column_stack([np.ones(3), data["treated"]]),
            data["hospital"].to_numpy())  # fmt: skip
    with pytest.raises(ValueError, match="3 patients, 2 hospitals and 1 predictors"):
        _studies_within.hospital_dummies([part], 1)


def test_baseline_comes_with_the_trials_where_it_matters():
    settings = {"assignment": "sicker patients more", "baseline_effect": 0.5, "n_hospitals": 6}
    trials = studies.draw_trials(3, rng=1, **settings)
    for k, (frame, seed) in enumerate(zip(trials, trials.seed, strict=True)):
        data = med_trial(**settings, rng=int(seed)).data
        assert np.array_equal(frame["baseline"], data["baseline"])
        assert np.array_equal(trials.baseline[k], data["baseline"])
    slow = studies.draw_trials(2, rng=1, age_effect=0.2, **settings)
    assert np.array_equal(
        slow.baseline[0],
        med_trial(age_effect=0.2, **settings, rng=int(slow.seed[0])).data["baseline"],
    )
    assert studies.draw_trials(2, n_hospitals=4, rng=1).baseline is None
    methods = [*studies.ANALYSES]
    quick = studies.analyse_many(trials, predictors=["treated", "baseline"], methods=methods)
    frames = studies.analyse_many(list(trials), predictors=["treated", "baseline"], methods=methods)
    pd.testing.assert_frame_equal(quick, frames, rtol=1e-9)


def test_the_kept_start_is_the_computed_one():
    for share, slope in [(0.5, 1.0), (0.3, 0.4)]:
        assert _treatment_start(share, slope, "normal") == logit_intercept(
            share, slope, normal_grid()
        )


def test_adjusting_for_the_patients_confounder_removes_its_bias_and_dummies_do_not():
    trials = studies.draw_trials(
        300, n_hospitals=15, patients_per_hospital=12, treatment_effect=-4,
        assignment="sicker patients more", baseline_effect=0.5, rng=3,
    )  # fmt: skip
    without = studies.scoreboard(studies.analyse_many(trials, methods=BOTH), -4)
    adjusted = studies.scoreboard(
        studies.analyse_many(trials, predictors=["treated", "baseline"], methods=BOTH), -4
    )
    assert (without["bias"] > 5).all()
    assert (adjusted["bias"].abs() < 5 * adjusted["scatter"] / 300**0.5).all()


def test_scoreboard_by_hand():
    trials = pd.DataFrame(
        {
            "method": ["a", "b", "a", "b"],
            "estimate": [1.0, 2.0, 3.0, 5.0],
            "standard_error": [1.0, 1.0, 2.0, 1.0],
            "lower": [-1.0, 1.0, 2.5, 4.0],
            "upper": [3.0, 3.0, 9.0, 6.0],
            "p_value": [0.04, 0.5, 0.06, 0.2],
            "degrees_of_freedom": [3.0, 3.0, 5.0, 3.0],
        }
    )
    board = studies.scoreboard(trials, 2)
    assert board.index.tolist() == ["a", "b"]
    assert board.loc["a"].tolist() == pytest.approx([0, 2**0.5, 1.5, 50, 50, 4])
    assert board.loc["b", ["bias", "coverage_%", "rejects_%"]].tolist() == [1.5, 50, 0]
    assert studies.scoreboard(trials, 2, alpha=0.3).loc["b", "rejects_%"] == 50
    with pytest.raises(ValueError, match=r"missing: .'p_value'"):
        studies.scoreboard(trials.drop(columns="p_value"), 2)


def test_hausman_chooses_by_its_statistic():
    trials = studies.analyse_many(
        [confounded(k, n_hospitals=8, patients_per_hospital=8) for k in range(30)],
        methods=["random intercept, t", "hospital dummies"],
    )
    wide = trials.pivot(index="trial", columns="method")
    extra = wide["standard_error"].pow(2) @ [-1, 1]
    statistic = (wide["estimate"] @ [-1, 1]) ** 2 / extra
    p = np.where(extra > 0, stats.chi2.sf(statistic, 1), 1)
    chosen = studies.chosen_by_hausman(trials)
    assert 0 < (p < 0.05).sum() < 30
    assert (chosen["prefers"].eq("hospital dummies") == (p < 0.05)).all()
    expected = np.where(
        p < 0.05, wide["estimate"]["hospital dummies"], wide["estimate"]["random intercept, t"]
    )
    assert np.allclose(chosen["estimate"], expected)
    assert chosen["trial"].tolist() == list(range(30))
    with pytest.raises(ValueError, match="hospital dummies"):
        studies.chosen_by_hausman(trials[trials["method"] != "hospital dummies"])


def test_docstrings_run():
    for module in (_studies_score, _studies_within):
        assert doctest.testmod(module).failed == 0
