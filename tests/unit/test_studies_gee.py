"""GEE of many data sets, against statsmodels one by one."""

import numpy as np
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from utils.studies import analyse_many, draw_trials

UNEVEN = {"n_hospitals": 12, "patients_per_hospital": (2, 20), "hospital_sd": 6, "patient_sd": 8}


@pytest.mark.parametrize("predictors", [["treated"], ["baseline", "treated"]], ids="+".join)
@pytest.mark.parametrize("assignment", ["patient", "hospital", "sicker hospitals more"])
def test_gee_is_that_of_statsmodels(assignment, predictors):
    trials = draw_trials(6, assignment=assignment, baseline_effect=0.3, **UNEVEN, rng=1)
    table = analyse_many(trials, predictors=predictors, effect="treated", methods=["GEE"])
    table = table.set_index("trial")
    for k, data in enumerate(trials):
        formula = f"sbp ~ {' + '.join(predictors)}"
        model = smf.gee(formula, "hospital", data, cov_struct=sm.cov_struct.Exchangeable())
        fit = model.fit(maxiter=200, ctol=1e-10)
        assert table.loc[k, "estimate"] == pytest.approx(fit.params["treated"], rel=1e-6)
        assert table.loc[k, "standard_error"] == pytest.approx(fit.bse["treated"], rel=1e-6)
        assert table.loc[k, "p_value"] == pytest.approx(fit.pvalues["treated"], rel=1e-4)
        interval = fit.conf_int().loc["treated"].to_numpy()
        np.testing.assert_allclose(table.loc[k, ["lower", "upper"]].astype(float), interval, 1e-5)
        assert table.loc[k, "patient_sd"] == pytest.approx(fit.scale**0.5, rel=1e-6)


def test_confounded_hospitals_bias_gee_and_not_the_dummies():
    trials = draw_trials(
        300, n_hospitals=20, patients_per_hospital=8, assignment="sicker hospitals more", rng=5
    )
    table = analyse_many(trials, methods=["GEE", "hospital dummies"])
    error = (table["estimate"] + 8).groupby(table["method"], observed=True).agg(["mean", "sem"])
    assert abs(error.loc["hospital dummies", "mean"]) < 4 * error.loc["hospital dummies", "sem"]
    assert error.loc["GEE", "mean"] > 8 * error.loc["GEE", "sem"]
