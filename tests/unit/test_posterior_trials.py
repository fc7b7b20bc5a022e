"""Posteriors of many trials, held to the exact posterior, to closed forms and to calibration."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from utils import exact
from utils.posterior_trials import (
    Priors,
    coverage_by_size,
    draw_posteriors,
    effect_posterior,
    worth_in_hospitals,
)
from utils.simulate import med_trial

PRIORS = Priors(effect_sd=5, hospital_sd=5, patient_sd=20)


def squares(data):
    """Return estimate, between, within and arms of a trial by hospital, by pandas."""
    by_hospital = data.groupby("hospital", observed=True)
    table = by_hospital.agg(n=("sbp", "size"), mean=("sbp", "mean"), arm=("treated", "first"))
    arms = table.groupby("arm")["mean"]
    between = (table["n"] * (table["mean"] - arms.transform("mean")) ** 2).sum()
    within = ((data["sbp"] - by_hospital["sbp"].transform("mean")) ** 2).sum()
    sizes = (int((table["arm"] == 0).sum()), int((table["arm"] == 1).sum()))
    return arms.mean()[1] - arms.mean()[0], between, within, sizes


@pytest.mark.parametrize(
    ("n_hospitals", "size", "hospital_sd", "effect_sd", "effect_mean"),
    [(5, 20, 4, 5, 0), (6, 20, 12, 3, -2), (40, 20, 4, 5, 5), (10, 10, 0, 1, 0), (100, 8, 4, 9, 0)],
)
def test_posterior_of_the_effect_is_the_exact_one(
    n_hospitals, size, hospital_sd, effect_sd, effect_mean
):
    data = med_trial(
        n_hospitals=n_hospitals, patients_per_hospital=size, hospital_sd=hospital_sd,
        treatment_effect=-6, assignment="hospital", rng=n_hospitals,
    ).data  # fmt: skip
    estimate, between, within, arms = squares(data)
    priors = Priors(effect_mean=effect_mean, effect_sd=effect_sd, hospital_sd=5, patient_sd=20)
    found = effect_posterior(
        estimate, between, within, arms=arms, patients_per_hospital=size, priors=priors
    )
    judge = exact.posterior(
        data["sbp"], np.column_stack([np.ones(len(data)), data["treated"]]), data["hospital"],
        tau=stats.halfnorm(scale=5), sigma=stats.halfnorm(scale=20),
        beta=([0, effect_mean], [np.inf, effect_sd]),
    )  # fmt: skip
    mean, sd = judge.parameters.loc["beta[1]"]
    assert found.mean[0] == pytest.approx(mean, abs=2e-4 * sd)
    assert found.sd[0] == pytest.approx(sd, rel=5e-4)
    for probability in (0.025, 0.5, 0.975):
        value = judge.quantile("beta[1]", probability)
        assert found.quantile(probability)[0] == pytest.approx(value, abs=5e-4 * sd)
        assert found.cdf(value)[0] == pytest.approx(probability, abs=2e-4)


def test_with_tiny_hospital_sd_and_endless_patients_the_weight_is_that_of_lesson_3():
    """Where patient_sd is known from thousands of patients and hospital_sd is 0 by the prior."""
    priors = Priors(effect_mean=2, effect_sd=1.5, hospital_sd=1e-6, patient_sd=50)
    j, n, sigma = 8, 20_000, 12.0
    within = sigma**2 * j * (n - 1)
    found = effect_posterior(
        -1.0, (j - 2) * sigma**2, within, arms=(4, 4), patients_per_hospital=n, priors=priors
    )
    v = 4 / j * sigma**2 / n
    weight = 1.5**2 / (1.5**2 + v)
    assert found.mean[0] == pytest.approx(2 + weight * (-3), abs=1e-6)
    assert found.sd[0] == pytest.approx(np.sqrt(weight * v), rel=1e-3)


def test_intervals_keep_their_promise_where_truths_come_from_the_prior():
    trials = draw_posteriors(6000, n_hospitals=6, patients_per_hospital=20, priors=PRIORS, rng=4)
    assert trials["posterior_holds"].mean() == pytest.approx(0.95, abs=0.011)
    assert trials["t_holds"].mean() == pytest.approx(0.95, abs=0.011)
    below = stats.norm.cdf(0, 0, 5)  # the prior's, which is .5
    assert trials["below_zero"].mean() == pytest.approx(below, abs=0.02)
    sure = trials[trials["below_zero"] > 0.9]
    share = (sure["treatment_effect"] < 0).mean()
    assert share == pytest.approx(sure["below_zero"].mean(), abs=0.02)


def test_a_fixed_truth_is_drawn_as_it_is_and_the_t_interval_is_the_textbooks():
    truth = {"treatment_effect": -4.0, "hospital_sd": 3.0, "patient_sd": 10.0}
    trials = draw_posteriors(
        4000, n_hospitals=7, patients_per_hospital=10, priors=PRIORS, truth=truth, rng=5
    )
    assert (trials[list(truth)] == list(truth.values())).all(axis=None)
    spread = np.sqrt((9 + 100 / 10) * (1 / 3 + 1 / 4))
    assert trials["estimate"].std() == pytest.approx(spread, rel=0.03)
    assert trials["estimate"].mean() == pytest.approx(-4, abs=4 * spread / np.sqrt(4000))
    assert trials["t_holds"].mean() == pytest.approx(0.95, abs=0.014)
    assert (trials["t_upper"] + trials["t_lower"] - 2 * trials["estimate"]).abs().max() < 1e-9
    half = (trials["t_upper"] - trials["t_lower"]) / 2
    mean_square = (half / stats.t.ppf(0.975, 5)) ** 2
    assert mean_square.mean() == pytest.approx(spread**2, rel=0.05)


def test_quantile_turns_cdf_round_also_far_out():
    found = effect_posterior(
        [-30.0, 0.1], [1e6, 20.0], [16_000.0, 9000.0], arms=(2, 3), patients_per_hospital=20,
        priors=PRIORS,
    )  # fmt: skip
    for probability in (1e-4, 0.3, 0.999):
        np.testing.assert_allclose(found.cdf(found.quantile(probability)), probability, atol=1e-6)


def test_a_prior_is_worth_as_many_hospitals_as_estimate_the_effect_as_well():
    worth = worth_in_hospitals(5, patients_per_hospital=20, hospital_sd=4, patient_sd=12)
    variance = 4 / worth * (4**2 + 12**2 / 20)
    assert variance == pytest.approx(25)
    many = worth_in_hospitals([5, 10], patients_per_hospital=20, hospital_sd=4, patient_sd=12)
    np.testing.assert_allclose(many, [worth, worth / 4])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Priors(effect_sd=0, hospital_sd=5, patient_sd=5), "effect_sd must be a finite"),
        (
            lambda: Priors(effect_mean=np.nan, effect_sd=1, hospital_sd=5, patient_sd=5),
            "effect_mean must be a finite number, got nan",
        ),
        (
            lambda: draw_posteriors(
                0, n_hospitals=6, patients_per_hospital=5, priors=PRIORS, rng=1
            ),
            "n_trials must be at least 1, got 0",
        ),
        (
            lambda: draw_posteriors(
                5, n_hospitals=2, patients_per_hospital=5, priors=PRIORS, rng=1
            ),
            r"3 hospitals or more, at least one in each arm, got \(1, 1\)",
        ),
        (
            lambda: draw_posteriors(
                5, n_hospitals=6, patients_per_hospital=1, priors=PRIORS, rng=1
            ),
            "patients_per_hospital must be a whole number of 2 or more, got 1",
        ),
        (
            lambda: draw_posteriors(
                5, n_hospitals=6, patients_per_hospital=5, priors=PRIORS, truth={"tau": 1}, rng=1
            ),
            "truth has treatment_effect, hospital_sd, patient_sd, got 'tau'",
        ),
        (
            lambda: draw_posteriors(
                5, n_hospitals=6, patients_per_hospital=5, priors=PRIORS, level=1, rng=1
            ),
            "level must lie between 0 and 1, got 1",
        ),
        (
            lambda: draw_posteriors(
                5,
                n_hospitals=6,
                patients_per_hospital=5,
                priors=PRIORS,
                truth={"hospital_sd": -1},
                rng=1,
            ),
            "the true hospital_sd cannot be -1",
        ),
        (
            lambda: effect_posterior(
                0.0, 5.0, 0.0, arms=(3, 3), patients_per_hospital=5, priors=PRIORS
            ),
            "within must be above 0",
        ),
        (
            lambda: worth_in_hospitals(0, patients_per_hospital=5, hospital_sd=1, patient_sd=1),
            "effect_sd must be a finite number above 0, got 0",
        ),
        (
            lambda: worth_in_hospitals(2, patients_per_hospital=5, hospital_sd=-1, patient_sd=1),
            "hospital_sd must be 0 or more, got -1",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_quantile_refuses_a_probability_of_one():
    found = effect_posterior(0.0, 5.0, 9.0, arms=(3, 3), patients_per_hospital=5, priors=PRIORS)
    with pytest.raises(ValueError, match="probability must lie between 0 and 1, got 1"):
        found.quantile(1)


def test_coverage_by_size_counts_trials_in_classes():
    trials = pd.DataFrame(
        {
            "estimate": [0.0, -1.0, 2.0, 2.5, -9.0],
            "t_holds": [True, False, True, True, False],
            "posterior_holds": [True, True, True, False, False],
        }
    )
    found = coverage_by_size(trials, "estimate", [0, 1, 2])
    assert list(found.index) == ["to 1", "to 2", "beyond"]
    assert found["confidence"].tolist() == [0.5, 1.0, 0.5]
    assert found["posterior"].tolist() == [1.0, 1.0, 0.0]
    assert found["trials"].tolist() == [2, 1, 2]
    with pytest.raises(ValueError, match=r"edges must ascend from 0, two or more, got \[1, 2\]"):
        coverage_by_size(trials, "estimate", [1, 2])
    with pytest.raises(ValueError, match="'treatment_effect' is not"):
        coverage_by_size(trials, "treatment_effect", [0, 2])
