"""The likelihood explorer, held to independent calculations."""

import ipywidgets
import numpy as np
import pytest
from explorers import find

from utils import mixedlm
from utils.likelihood import profile_loglik
from utils.simulate import med_trial
from utils.widgets import likelihood as li
from utils.widgets import (
    likelihood_explorer,
)


def _trial(n_hospitals=8, rng=3, **settings):
    return med_trial(n_hospitals=n_hospitals, assignment="hospital", rng=rng, **settings)


@pytest.mark.parametrize("n_hospitals", [5, 8, 20])
def test_hill_and_interval_against_the_library(n_hospitals):
    data = _trial(n_hospitals).data
    trial = li.prepare(data)
    for reml, curve, sd in [
        (True, trial.reml_curve, trial.reml_sd),
        (False, trial.ml_curve, trial.ml_sd),
    ]:
        model = mixedlm.fit("sbp ~ treated", data, groups="hospital", reml=reml)
        heights = profile_loglik(trial.sums, li.GRID, reml=reml)
        np.testing.assert_allclose(curve, model.loglik - heights, atol=2e-5)
        assert sd == pytest.approx(model.hospital_sd, abs=1e-4)
    ends = mixedlm.fit("sbp ~ treated", data, groups="hospital").variances.loc["hospital_sd"]
    assert trial.lower == pytest.approx(ends["lower"], abs=2e-3)
    assert trial.upper == pytest.approx(ends["upper"], abs=2e-3)


def _dense(data, hospital_sd, patient_sd):
    """Return effect, standard error and REML height (up to a constant), patient by patient."""
    same = data["hospital"].to_numpy()[:, None] == data["hospital"].to_numpy()
    v = hospital_sd**2 * same + patient_sd**2 * np.eye(len(data))
    x, y = np.column_stack([np.ones(len(data)), data["treated"]]), data["sbp"].to_numpy()
    information = x.T @ np.linalg.solve(v, x)
    beta = np.linalg.solve(information, x.T @ np.linalg.solve(v, y))
    logs = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    height = -(logs + (y - x @ beta) @ np.linalg.solve(v, y - x @ beta)) / 2
    return beta[1], np.linalg.inv(information)[1, 1] ** 0.5, height


@pytest.mark.parametrize("hospital_sd", [0, 2.3, 11])
def test_effect_and_error_against_generalised_least_squares(hospital_sd):
    data = _trial(6).data
    result = li.compute(li.prepare(data), hospital_sd=hospital_sd)
    effect, se, height = _dense(data, hospital_sd, result.patient_sd)
    assert result.effect == pytest.approx(effect)
    assert result.se == pytest.approx(se)
    for sd in result.patient_sd * np.array([0.99, 1.01]):  # the best patient SD
        assert height > _dense(data, hospital_sd, sd)[2]


def test_at_zero_it_is_the_naive_analysis():
    data = _trial(10).data
    result = li.compute(li.prepare(data), hospital_sd=0)
    arms = data.groupby("treated")["sbp"]
    assert result.effect == pytest.approx(arms.mean().diff().iloc[1])
    pooled = (arms.var() * (arms.size() - 1)).sum() / (len(data) - 2)
    assert result.patient_sd == pytest.approx(pooled**0.5, rel=1e-4)
    assert result.se == pytest.approx((pooled * (1 / arms.size()).sum()) ** 0.5, rel=1e-4)
    assert np.all(result.weights == 0)


@pytest.mark.parametrize("name", ["likelihood"])
def test_buttons_go_to_the_tops(explorer):
    for data in ("6 hospitals", "10 hospitals", "40 hospitals"):
        explorer.set_state(data=data)
        find(explorer, ipywidgets.Button, "To the top of REML").click()
        assert explorer.result.reml_drop == pytest.approx(0, abs=1e-4)
        assert explorer.state["hospital_sd"] == explorer.result.trial.reml_sd
        assert explorer.result.inside
        find(explorer, ipywidgets.Button, "To the top of ML").click()
        assert explorer.result.ml_drop == pytest.approx(0, abs=1e-4)
        assert explorer.result.reml_drop > 0
        assert explorer.state["hospital_sd"] < explorer.result.trial.reml_sd


@pytest.mark.parametrize("name", ["likelihood"])
def test_likelihood_drawing_shows_the_result(explorer):
    explorer.set_state(data="10 hospitals", hospital_sd=5.0)
    drawing, result = explorer._draw.__self__, explorer.result
    assert list(map(list, drawing.dot.get_data())) == [[5.0], [-result.reml_drop]]
    assert drawing.dot_se.get_ydata()[0] == result.se
    np.testing.assert_array_equal(drawing.weights.get_ydata(), result.weights)
    assert list(drawing.interval.get_xdata()) == [result.trial.lower, result.trial.upper]
    assert np.interp(5, *drawing.se.get_data()) == pytest.approx(result.se, rel=1e-3)
    explorer.set_state(data="40 hospitals", hospital_sd=0)
    assert explorer.result.reml_drop > 6
    assert drawing.dot.get_ydata()[0] == -6  # kept on the page
    assert "outside the 95 % profile interval" in explorer.description


def test_the_answers_in_lesson_5_to_the_explorers_questions():
    trials = {name: li.prepare(study) for name, study in li.default_trials().items()}
    drops = [li.compute(trial, hospital_sd=0).reml_drop for trial in trials.values()]
    assert [round(drop, 1) for drop in drops] == [1.6, 5.0, 23.2]
    six, ten, forty = trials.values()
    assert six.lower == 0 < ten.lower < forty.lower
    assert six.reml_sd - six.ml_sd > 1.4 and forty.reml_sd - forty.ml_sd < 0.2
    low, high = (li.compute(ten, hospital_sd=sd) for sd in (ten.lower, ten.upper))
    assert round(high.se / low.se, 1) == 2.7
    assert low.weights[-1] > 0.5 and np.all(np.diff(low.weights) > 0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: li.prepare("sbp"), "must be a Study or a DataFrame, got str"),
        (lambda d: li.prepare(d.drop(columns="treated")), "must have the column 'treated'"),
        (lambda d: li.prepare(med_trial(n_hospitals=4, rng=1)), "treatment must be given by hosp"),
        (lambda d: likelihood_explorer({}), "one trial or more, got none"),
        (lambda d: li.compute(li.prepare(d), hospital_sd=-1), "hospital_sd must be 0 or more"),
    ],
)
def test_likelihood_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make(_trial(4).data)
