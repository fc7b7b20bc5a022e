"""Many posteriors at once, against `utils.exact` trial by trial and against closed forms."""

import doctest
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from utils import exact, prior_study
from utils._balanced_squares import Squares, Trial
from utils.exercises import _own_priors
from utils.prior_study import posterior_study, score_priors

PRIORS = {
    "half-normal(2)": stats.halfnorm(scale=2),
    "half-Cauchy(25)": stats.halfcauchy(scale=25),
    "uniform(0, 100)": stats.uniform(0, 100),
    "inverse-gamma": exact.InverseGammaVariance(0.001, 0.001),
}
SIX = {"n_hospitals": 6, "patients_per_hospital": 8, "hospital_sd": 4, "patient_sd": 10}


def patients(trial, squares, difference):
    """Return patients who have just these sums of squares and this difference of arms."""
    half, n = trial.n_hospitals // 2, trial.patients_per_hospital
    wave = np.arange(half) - (half - 1) / 2
    means = np.tile(wave, 2) * math.sqrt(squares.between / n / (2 * (wave**2).sum()))
    means[half:] += difference
    inside = np.arange(n) - (n - 1) / 2
    inside = inside * math.sqrt(squares.within / trial.n_hospitals / (inside**2).sum())
    y = (140 + means[:, None] + inside).ravel()
    hospital = np.repeat(np.arange(2 * half), n)
    return y, pd.DataFrame({"mean": 1.0, "effect": (hospital >= half).astype(float)}), hospital


@pytest.mark.parametrize("name", PRIORS)
def test_each_trial_agrees_with_the_exact_posterior(name):
    study = posterior_study(3, priors=PRIORS, **SIX, treatment_effect=-5, rng=4)
    rng = np.random.default_rng(4)  # the same trials again, in the same order
    trial = Trial("hospital", *SIX.values())
    squares = trial.draw(3, rng)
    difference = rng.normal(-5, math.sqrt(trial.variance), 3)
    rows = study[study["prior"] == name].set_index("trial")
    for k in range(3):
        one = Squares(squares.between[k], squares.within[k], squares.own[k])
        y, x, hospital = patients(trial, one, difference[k])
        fit = exact.posterior(
            y, x, hospital, tau=PRIORS[name], sigma=stats.halfnorm(scale=20),
            beta=([0, 0], [np.inf, 20]),
        )  # fmt: skip
        sd = fit.parameters.loc["effect", "sd"]
        got = rows.loc[k]
        assert got["below_zero"] == pytest.approx(fit.cdf("effect", 0), abs=0.002)
        assert got["mean"] == pytest.approx(fit.parameters.loc["effect", "mean"], abs=0.01 * sd)
        for column, want in zip(("lower", "upper"), fit.interval("effect"), strict=True):
            assert got[column] == pytest.approx(want, abs=0.02 * sd)
        ends = fit.interval("tau")
        assert got["sd_upper"] == pytest.approx(ends[1], rel=0.02)
        assert got["sd_lower"] == pytest.approx(ends[0], rel=0.2)  # one step of the lattice


def test_a_prior_that_knows_the_truth_is_calibrated_and_a_t_test_keeps_its_promise():
    known = {"right": stats.lognorm(0.1, scale=4), "far too small": stats.lognorm(0.1, scale=0.3)}
    study = posterior_study(
        4000, priors=known, **SIX, treatment_effect=-5, effect_prior_sd=1e4, t_test=True, rng=5
    )
    board = score_priors(study, -5)
    assert board.loc["right", "coverage_%"] == pytest.approx(95, abs=1.4)
    assert board.loc["t-test", "coverage_%"] == pytest.approx(95, abs=1.4)
    assert board.loc["far too small", "coverage_%"] < 86
    assert board.loc["right", "width"] < board.loc["t-test", "width"]
    # Known standard deviations: the width in closed form, but for patient_sd, which is estimated.
    se = math.sqrt(4 / 6 * (4**2 + 10**2 / 8))
    assert board.loc["right", "width"] == pytest.approx(2 * 1.96 * se, rel=0.03)


def test_the_score_adopts_at_95_percent():
    study = posterior_study(50, priors=PRIORS, **SIX, treatment_effect=0, rng=6)
    for name, rows in study.groupby("prior"):
        assert score_priors(study, 0).loc[name, "adopted_%"] == pytest.approx(
            100 * (rows["below_zero"] >= 0.95).mean()
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_trials": 0}, "n_trials must be a whole number of 1 or more, got 0"),
        ({"priors": {}}, "priors must name at least one"),
        ({"priors": {"flat": "flat"}}, "flat prior of hospital_sd"),
        ({"priors": {"normal": stats.norm(0, 3)}}, "must lie above 0"),
        ({"priors": {"a point": stats.uniform(3, 1e-6)}}, "spread over more than a factor"),
        ({"effect_prior_sd": 0}, "effect_prior_sd must be a number above 0, got 0"),
        ({"n_hospitals": 7}, "must be even"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    arguments = {"n_trials": 2, "priors": PRIORS, **SIX, "treatment_effect": 0, "rng": 1} | change
    with pytest.raises(ValueError, match=message):
        posterior_study(arguments.pop("n_trials"), **arguments)


def test_docstrings_run():
    assert doctest.testmod(prior_study).failed == 0


def test_priors_of_the_course_can_be_drawn_from():
    draws = exact.HalfStudentT(3, 5).rvs(40_000, random_state=1)
    assert np.median(draws) == pytest.approx(stats.t(3).ppf(0.75) * 5, rel=0.02)
    draws = exact.InverseGammaVariance(2.0, 3.0).rvs(40_000, random_state=1)
    assert np.mean(draws**2 < 3) == pytest.approx(stats.invgamma(2, scale=3).cdf(3), abs=0.01)
    absurd = exact.InverseGammaVariance(0.001, 0.001).rvs(2000, random_state=1)
    assert 0.4 < np.isinf(absurd).mean() < 0.55


def test_own_hospitals_of_lesson_13_are_those_of_the_exact_posterior():
    at = _own_priors._AT
    for seed in range(4):
        study = _own_priors.own_hospitals(np.random.default_rng(seed))
        data, own = study.data, _own_priors._Own(study)
        x = pd.DataFrame({"intercept": 1.0, "effect": data["treated"].astype(float)})
        ends = []
        for name, tau in _own_priors.PRIORS.items():
            fit = exact.posterior(
                data["sbp"], x, data["hospital"].astype(str), tau=tau,
                sigma=stats.halfnorm(scale=20), beta=([140, 0], [50, 20]),
            )  # fmt: skip
            if name == "moved":  # 25 mmHg is an edge, which the lattice of logs blurs
                assert own.effect[name][3] == pytest.approx(fit.quantile("effect", 0.975), abs=1)
                continue
            assert own.effect[name] == pytest.approx(fit.quantile("effect", at), abs=0.02)
            assert own.sd[name] == pytest.approx(fit.quantile("tau", at), rel=0.02, abs=0.02)
            ends.append(fit.interval("effect")[1])
        assert _own_priors.worst_upper_end(study) == pytest.approx(max(ends), abs=0.02)
