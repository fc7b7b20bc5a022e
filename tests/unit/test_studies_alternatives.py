"""Hospital dummies and GEE of many data sets, against statsmodels one by one."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from utils.studies import ALTERNATIVES, analyse_alternatives, analyse_many, draw_trials

UNEVEN = {"n_hospitals": 12, "patients_per_hospital": (2, 20), "hospital_sd": 6, "patient_sd": 8}


@pytest.mark.parametrize("assignment", ["patient", "hospital", "sicker hospitals more"])
def test_gee_is_that_of_statsmodels(assignment):
    trials = draw_trials(6, assignment=assignment, **UNEVEN, rng=1)
    table = analyse_alternatives(trials, methods=["GEE"]).set_index("trial")
    for k, data in enumerate(trials):
        model = smf.gee("sbp ~ treated", "hospital", data, cov_struct=sm.cov_struct.Exchangeable())
        fit = model.fit(maxiter=200, ctol=1e-10)
        assert table.loc[k, "estimate"] == pytest.approx(fit.params["treated"], rel=1e-6)
        assert table.loc[k, "standard_error"] == pytest.approx(fit.bse["treated"], rel=1e-6)
        assert table.loc[k, "p_value"] == pytest.approx(fit.pvalues["treated"], rel=1e-4)
        interval = fit.conf_int().loc["treated"].to_numpy()
        np.testing.assert_allclose(table.loc[k, ["lower", "upper"]].astype(float), interval, 1e-5)
        assert table.loc[k, "patient_sd"] == pytest.approx(fit.scale**0.5, rel=1e-6)


@pytest.mark.parametrize("assignment", ["patient", "sicker hospitals more"])
def test_dummies_are_least_squares_with_a_column_for_each_hospital(assignment):
    trials = draw_trials(6, assignment=assignment, **UNEVEN, rng=2)
    table = analyse_alternatives(trials, methods="hospital dummies", level=0.9).set_index("trial")
    for k, data in enumerate(trials):
        fit = smf.ols("sbp ~ treated + C(hospital)", data).fit()
        assert table.loc[k, "estimate"] == pytest.approx(fit.params["treated"])
        assert table.loc[k, "standard_error"] == pytest.approx(fit.bse["treated"])
        assert table.loc[k, "degrees_of_freedom"] == fit.df_resid
        assert table.loc[k, "upper"] == pytest.approx(fit.conf_int(0.1).loc["treated", 1])


def test_dummies_say_nothing_where_whole_hospitals_are_treated():
    trials = draw_trials(3, assignment="hospital", **UNEVEN, rng=3)
    table = analyse_alternatives(trials)
    silent = table["estimate"].isna()
    assert (silent == (table["method"] == "hospital dummies")).all()
    assert table.loc[silent, ["standard_error", "p_value", "lower"]].isna().all(axis=None)


def test_tables_can_be_joined_with_those_of_analyse_many():
    trials = draw_trials(2, n_hospitals=8, rng=4)
    here, there = analyse_alternatives(trials), analyse_many(trials)
    assert list(here.columns) == list(there.columns)
    assert list(here["method"].cat.categories) == list(ALTERNATIVES)
    assert len(pd.concat([here, there])) == 2 * 5


def test_confounded_hospitals_bias_gee_and_not_the_dummies():
    trials = draw_trials(
        300, n_hospitals=20, patients_per_hospital=8, assignment="sicker hospitals more", rng=5
    )
    error = analyse_alternatives(trials).assign(error=lambda t: t["estimate"] + 8)
    by = error.groupby("method", observed=True)["error"].agg(["mean", "sem"])
    assert abs(by.loc["hospital dummies", "mean"]) < 4 * by.loc["hospital dummies", "sem"]
    assert by.loc["GEE", "mean"] > 8 * by.loc["GEE", "sem"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trials": [1]}, "must be Trials, from draw_trials; got list"),
        ({"methods": ["GLS"]}, r"methods are some of .* got \['GLS'\]"),
        ({"methods": []}, "methods are some of"),
        ({"methods": ["GEE", "GEE"]}, "each once"),
        ({"level": 1}, "level lies between 0 and 1; got 1"),
    ],
)
def test_wrong_arguments_are_refused(change, message):
    good = {"trials": draw_trials(1, n_hospitals=5, rng=6)}
    with pytest.raises(ValueError, match=message):
        analyse_alternatives(**{**good, **change})


def test_a_trial_without_a_contrast_is_refused():
    trials = draw_trials(2, n_hospitals=5, treated_share=0, rng=7)
    with pytest.raises(ValueError, match=r"treated must vary .* in trial 0"):
        analyse_alternatives(trials)
