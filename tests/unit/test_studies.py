"""Simulation studies against statsmodels, scipy and exact distributions."""

import doctest

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from utils import studies


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
