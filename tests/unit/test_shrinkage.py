"""Priors for many coefficients against closed forms; the regressions against densities by hand."""

import doctest

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from matplotlib.figure import Figure
from scipy import stats

from utils import shrinkage as module
from utils.fits import shrinkage as study
from utils.shrinkage import (
    FAMILIES,
    SLAB,
    draw_study,
    effective_number,
    prior_draws,
    prior_scales,
    prior_shape,
    regression,
)
from utils.widgets import shrinkage_explorer


def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("family", ["wide", "ridge"])
def test_normal_priors_explain_p_times_the_variance(family):
    explained = (prior_draws(family, 12, 0.5, rng()) ** 2).sum(axis=1)
    error = explained.std() / np.sqrt(explained.size)
    assert explained.mean() == pytest.approx(12 * 0.25, abs=4 * error)


def test_ridge_coefficients_share_their_size_and_wide_ones_do_not():
    def together(family):
        sizes = np.abs(prior_draws(family, 10, 1.0, rng()))
        return np.corrcoef(sizes[:, :5].mean(axis=1), sizes[:, 5:].mean(axis=1))[0, 1]

    assert together("ridge") > 0.7
    assert abs(together("wide")) < 0.1


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_r2d2_expects_the_r2_that_it_was_asked_for(scale):
    found = prior_shape(family="R2D2", predictors=40, scale=scale).r2
    wanted = stats.beta(1, scale**-2)
    assert found.mean() == pytest.approx(wanted.mean(), abs=0.03)


def test_r2_of_the_wide_prior_does_not_follow_that_of_r2d2_as_predictors_are_added():
    medians = {
        family: [prior_shape(family=family, predictors=p, scale=0.5).r2_middle for p in (3, 40)]
        for family in ("wide", "R2D2")
    }
    assert medians["wide"][1] > medians["wide"][0] + 0.3
    assert abs(medians["R2D2"][1] - medians["R2D2"][0]) < 0.1


def test_a_horseshoe_of_any_scale_ends_at_the_slab():
    draws = prior_draws("horseshoe", 10, 1e6, rng())
    assert draws.std() == pytest.approx(SLAB, rel=0.02)
    assert np.quantile(np.abs(prior_draws("horseshoe", 10, 0.01, rng())), 0.99) < 0.2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"family": "flat"}, "prior must be one of wide, ridge, horseshoe, R2D2; got 'flat'"),
        ({"predictors": 0}, "predictors must be a whole number from 1 to 40, got 0"),
        ({"scale": 0.0}, "scale must be a number above 0, got 0.0"),
    ],
)
def test_impossible_priors_are_refused(change, told):
    with pytest.raises(ValueError) as caught:
        prior_draws(**{"family": "wide", "predictors": 3, "scale": 1.0, "rng": rng(), **change})
    assert told in str(caught.value)


def _scale(prior, point, sigma):
    """Return the coefficients' SDs at a model's first point, where R2D2's shares are equal."""
    if prior == "wide":
        return 3.0
    if prior == "ridge":
        return np.exp(point["ridge_sd_log__"])
    if prior == "horseshoe":
        width = np.exp(point["global_log__"] + point["local_log__"]) * sigma
        return 1 / np.sqrt(1 / width**2 + 1 / SLAB**2)
    odds = np.exp(point["R2_logodds__"])  # of R²: explained over residual variance
    return sigma * np.sqrt(odds / 3)


@pytest.mark.parametrize("prior", FAMILIES)
def test_the_regression_has_the_density_that_is_written_down(prior):
    x, y = rng().normal(size=(6, 3)), np.arange(6.0)
    model = regression(y, x, prior)
    point, z = dict(model.initial_point()), np.array([0.4, -1.0, 0.2])
    point["z"] = z
    sigma = np.exp(point["sigma_log__"])
    beta = _scale(prior, point, sigma) * z
    wanted = {
        "z": stats.norm.logpdf(z).sum(),
        "intercept": stats.norm.logpdf(point["intercept"], 0, 3),
        "sigma": stats.halfnorm.logpdf(sigma, scale=2) + np.log(sigma),
        "outcome": stats.norm.logpdf(y, point["intercept"] + x @ beta, sigma).sum(),
    }
    found = model.point_logps(point, round_vals=12)
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value), name


def test_a_regression_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="got shapes"):
        regression([1.0, 2.0], np.ones((3, 2)), "wide")
    with pytest.raises(ValueError, match="expected must lie between 0 and p = 2, got 2"):
        regression([1.0, 2.0], np.ones((2, 2)), "horseshoe", expected=2)


def test_sums_over_the_grid_are_the_posterior_of_one_data_set(monkeypatch):
    """With the residual SD nearly known the wide prior's posterior is in closed form."""
    monkeypatch.setattr(study, "DATA_SETS", 2)
    row = study._summed("patients", ridge=False)
    off = []
    for y, x in study._data("patients"):
        sigma2 = 1.0
        precision = x.T @ x / sigma2 + np.eye(10) / 9
        off.append(np.linalg.solve(precision, x.T @ y / sigma2)[0])
    assert row["first"] == pytest.approx(np.mean(off), abs=0.002)


def test_the_study_s_picture_shows_each_level_and_prior():
    axes = Figure().subplots(1, 3, sharey=True)
    rows = [
        {
            "level": level,
            "prior": prior,
            **{name: k for name in ("first", "miss_noise", "held_true")},
        }
        for level in ("patients", "hospitals")
        for k, prior in enumerate(FAMILIES)
    ]
    table = pd.DataFrame(rows).set_index(["level", "prior"])
    for name in ("first", "miss_noise", "held_true"):
        table[f"{name}_mcse"] = 0.1
    draw_study(axes, table, list(FAMILIES))
    assert [label.get_text() for label in axes[0].get_yticklabels()] == list(FAMILIES)
    assert axes[2].lines[0].get_xdata().tolist() == [0, 100, 200, 300]


def test_the_explorer_shows_the_result():
    explorer = shrinkage_explorer()
    explorer.set_state(family="R2D2", predictors=20, scale=0.5)
    wanted = prior_shape(family="R2D2", predictors=20, scale=0.5)
    assert f"an R² of {wanted.r2_middle:.2f} (median)" in explorer.description


@pytest.mark.parametrize("prior", ["ridge", "horseshoe", "R2D2"])
def test_scales_drawn_by_hand_are_those_of_the_regression_s_prior(prior):
    x = rng().normal(size=(20, 6))
    model = pm.do(regression(x[:, 0], x, prior), {"sigma": 1.0})
    beta, z = pm.draw([model["beta"], model["z"]], draws=2000, random_seed=4, mode="FAST_COMPILE")
    by_hand = prior_scales(prior, 20, 6, rng())
    for found, wanted in zip((beta / z).T[:2], by_hand.T[:2], strict=True):
        assert stats.ks_2samp(found, wanted).pvalue > 1e-3


def test_the_horseshoe_s_number_grows_with_what_is_expected_and_others_know_no_such_thing():
    def number(prior, expected):
        scales = prior_scales(prior, 100, 10, rng(), expected=expected)
        return effective_number(scales, 100).mean()

    assert number("horseshoe", 1) + 1 < number("horseshoe", 4)
    assert number("R2D2", 1) == number("R2D2", 4)


def test_the_effective_number_is_the_trace_of_the_ridge_s_hat_matrix():
    x = np.linalg.qr(rng().normal(size=(50, 4)))[0] * np.sqrt(50)  # independent, of mean square 1
    scales = np.array([0.05, 0.2, 0.4, 3.0])
    hat = x @ np.linalg.solve(x.T @ x + np.diag(scales**-2.0), x.T)
    assert effective_number(scales, 50) == pytest.approx(np.trace(hat))


def test_scales_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="rows and predictors must be 1 or more, got 0 and 3"):
        prior_scales("wide", 0, 3, rng())
    with pytest.raises(ValueError, match="expected must lie between 0 and p = 2, got 2"):
        prior_scales("horseshoe", 5, 2, rng(), expected=2)


def test_the_study_samples_for_longer_where_the_first_draws_cannot_be_used(monkeypatch):
    asked = []
    monkeypatch.setattr(
        study.nutpie, "sample", lambda program, **how: asked.append(how["draws"]) or len(asked)
    )
    verdict = type("Verdict", (), {})
    monkeypatch.setattr(
        study.bayes, "diagnose", lambda fit, var_names: _with(verdict(), ok=fit == 2)
    )
    assert study._usable(None, 0, "ridge") == 2
    assert asked == [1000, 4000]
    monkeypatch.setattr(study.bayes, "diagnose", lambda fit, var_names: _with(verdict(), ok=False))
    with pytest.raises(RuntimeError, match="ridge, data set 7: no usable draws"):
        study._usable(None, 7, "ridge")


def _with(thing, **attributes):
    for name, value in attributes.items():
        setattr(thing, name, value)
    return thing


def test_the_examples_run():
    assert doctest.testmod(module).failed == 0
