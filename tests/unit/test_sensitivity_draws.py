"""Draws reweighted to other priors: what the explorer says of them, and power-scaling."""

import math

import arviz as az
import numpy as np
import pytest
from scipy import stats

from utils import exact
from utils._bayes_powerscale import exact_sensitivity
from utils._bayes_reweight import k_in_words
from utils.bayes import Powered, power_scaling, reweight
from utils.simulate import med_trial
from utils.widgets import from_posterior, prior_sensitivity_explorer

TAU, SIGMA = stats.halfnorm(scale=10), stats.halfnorm(scale=20)
PRIORS = {"effect_sd": 20.0, "sigma_scale": 20.0}


@pytest.fixture(scope="module")
def data():
    return med_trial(n_hospitals=12, patients_per_hospital=(5, 25), rng=3).data


@pytest.fixture(scope="module")
def model(data):
    x = np.column_stack([np.ones(len(data)), data["treated"]])
    return {
        "y": data["sbp"].to_numpy(), "X": x, "group": data["hospital"].to_numpy(), "tau": TAU,
        "sigma": SIGMA, "beta": ([140, 0], [50, 20]),
    }  # fmt: skip


@pytest.fixture(scope="module")
def idata(model):
    drawn = exact.posterior(**model).draws(8000, 1)
    shape = {"tau": (), "sigma": (), "beta": (2,), "effect": (12,)}
    posterior = {name: drawn[name].reshape(4, 2000, *size) for name, size in shape.items()}
    posterior["beta[0]"], posterior["beta[1]"] = (posterior["beta"][..., k] for k in (0, 1))
    log_prior = {
        "tau": TAU.logpdf(posterior["tau"]), "sigma": SIGMA.logpdf(posterior["sigma"]),
        "beta": stats.norm([140, 0], [50, 20]).logpdf(posterior["beta"]),
    }  # fmt: skip
    mean = posterior["beta"] @ model["X"].T + posterior["effect"][..., _codes(model)]
    log_likelihood = stats.norm(mean, posterior["sigma"][..., None]).logpdf(model["y"])
    return az.from_dict(
        {"posterior": posterior, "log_prior": log_prior, "log_likelihood": {"y": log_likelihood}}
    )


def _codes(model):
    return np.unique(model["group"], return_inverse=True)[1]


@pytest.fixture(scope="module")
def explorers(data, idata):
    draws = from_posterior(
        idata, tau_prior=TAU, effect="beta[1]", effect_prior=(0, 20), sigma="sigma",
        sigma_prior=SIGMA, hospitals="effect", unit="mmHg", effect_name="treated", threshold=-5,
        sizes=data["hospital"].value_counts(sort=False).to_numpy(),
    )  # fmt: skip
    return draws, prior_sensitivity_explorer(data, threshold=-5, state=PRIORS)


def test_it_starts_at_the_priors_of_the_draws(explorers):
    draws, _ = explorers
    draws.reset()
    assert draws.state["family"] == "half-normal" and draws.state["scale"] == 10
    assert {name: draws.state[name] for name in PRIORS} == PRIORS
    answer = draws.result.answer
    assert answer.trust.ok and "all weights are equal" in answer.trust.sentence
    assert draws.description.startswith("These numbers can be used")
    assert "Write PyMC code" not in str(draws.widget.children)


@pytest.mark.parametrize(
    "change",
    [
        {"family": "half-Cauchy", "scale": 2.0},
        {"family": "exponential", "scale": 4.0, "effect_sd": 5.0},
        {"family": "uniform", "scale": 8.0},
        {"family": "inverse-gamma", "scale": 1.0},
        {"family": "flat"},
        {"family": "half-t", "scale": 3.0, "sigma_scale": math.inf},
    ],
)
def test_reweighted_draws_agree_with_exact(explorers, change):
    for explorer in explorers:
        explorer.set_state(**{"family": "half-normal", "scale": 10.0, **PRIORS, **change})
    seen, known = (explorer.result.answer for explorer in explorers)
    assert seen.trust.ok
    error = 5 / math.sqrt(seen.trust.ess)
    tau_sd, effect_sd = ((q[2] - q[0]) / 4 for q in (known.tau, known.effect))
    np.testing.assert_allclose(seen.tau, known.tau, atol=4 * error * tau_sd)
    np.testing.assert_allclose(seen.effect, known.effect, atol=3 * error * effect_sd)
    assert seen.beyond == pytest.approx(known.beyond, abs=error / 2)
    assert seen.new_posterior == pytest.approx(known.new_posterior, rel=0.1)
    order = known.hospitals.index
    found = seen.hospitals.set_axis(
        [explorers[1].source.data.labels[int(k)] for k in seen.hospitals.index]
    ).reindex(order)
    sd = (known.hospitals["high"] - known.hospitals["low"]) / 4
    assert ((found["estimate"] - known.hospitals["estimate"]) / sd).abs().max() < error
    assert (found["weight"] - known.hospitals["weight"]).abs().max() < 0.05
    gap = np.abs(seen.tau_posterior - known.tau_posterior)[2:]
    assert gap.max() < 0.25 * known.tau_posterior.max()


def test_it_says_when_draws_cannot_answer(explorers):
    draws, known = explorers
    for scale in (0.01, 0.1, 0.5):
        for explorer in (draws, known):
            explorer.set_state(family="exponential", scale=scale, **PRIORS)
        assert not draws.result.answer.trust.ok
        assert draws.description.startswith("Do not trust these numbers")
        assert "no verdict" in draws.description
    strip = draws.result.strip
    assert not strip.trusted[:10].any() and strip.trusted[-10:].all()
    truth = known.result.strip
    sd = (truth.effect[:, 2] - truth.effect[:, 0]) / 4
    gap = np.abs(strip.effect[:, 1] - truth.effect[:, 1]) / sd
    assert gap[strip.trusted].max() < 0.15 < gap[~strip.trusted].max()
    draws.set_state(family="uniform", scale=0.011)
    assert "draws" in draws.message or not draws.result.answer.trust.ok


def test_state_survives_json_and_figure(explorers):
    draws, _ = explorers
    draws.reset()
    draws.set_state(family="half-t", scale=4.0)
    saved = draws.to_json()
    draws.reset()
    draws.load(saved)
    assert draws.state["family"] == "half-t" and draws.message == ""
    fig, alt = draws.figure()
    assert "Draws, reweighted" in alt and len(fig.axes) == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tau": "psi"}, "no parameter 'psi' in the posterior"),
        ({"hospitals": "z"}, "no variable 'z'"),
        ({"hospitals": "effect", "sizes": [1, 2]}, "sizes must be 12 numbers"),
        ({"tau_prior": 3}, "method logpdf"),
    ],
)
def test_posteriors_that_cannot_be_read_are_refused(idata, options, message):
    with pytest.raises(ValueError, match=message):
        from_posterior(idata, **{"tau_prior": TAU, "effect": "beta[1]", **options})
    with pytest.raises(ValueError, match="group 'posterior'"):
        from_posterior(3, tau_prior=TAU)


# ---------------------------------------------------------------- weights


def test_weights_of_a_shifted_normal():
    draws = np.random.default_rng(2).normal(size=20_000)
    seen = reweight(0.5 * draws)
    assert seen.ok and seen.weight.sum() == pytest.approx(1)
    assert seen.weight @ draws == pytest.approx(0.5, abs=0.03)
    # The weights of N(d, 1) over N(0, 1) have effective size n exp(-d²).
    assert seen.ess == pytest.approx(20_000 * math.exp(-0.25), rel=0.05)
    assert reweight(0.5 * draws, relative_ess=0.1).ess == pytest.approx(seen.ess / 10, rel=0.05)
    far = reweight(4.0 * draws)
    assert not far.ok and far.k_hat > 0.7 and "Fit the model anew" in far.sentence


def test_a_small_k_does_not_hide_few_draws():
    """Bounded weights, so k is small; but hardly any draw is where the new density is."""
    draws = np.abs(np.random.default_rng(1).normal(4, 1.4, 4000))
    seen = reweight(stats.halfnorm(scale=0.8).logpdf(draws))
    assert seen.k_hat < 0.7 and seen.ess < 400 and not seen.ok
    assert "though no weight is extreme" in seen.sentence


def test_a_chain_that_stood_still_is_not_an_error():
    """The only draws that the new density knows are one draw, eight times over."""
    ratio = np.full(4000, -1e6)
    ratio[:40] = np.r_[np.zeros(8), np.linspace(-50, -2, 32)]
    seen = reweight(ratio)
    assert not seen.ok and seen.k_hat == math.inf
    assert "next to no draws are left" in seen.sentence


def test_without_sigma_its_prior_is_not_named(idata):
    common = {"tau_prior": TAU, "effect": "beta[1]", "effect_prior": (0, 20)}
    assert "on σ" not in from_posterior(idata, **common).description
    known = from_posterior(idata, **common, sigma="sigma", sigma_prior=SIGMA)
    assert "half-normal on σ, scale 20" in known.description


def test_power_scaling_knows_the_spelled_out_names(idata, model):
    names = {"hospital_sd": "tau", "patient_sd": "sigma"}
    groups = {
        group: {new: idata[group][old].to_numpy() for new, old in names.items()}
        for group in ("posterior", "log_prior")
    }
    seen = power_scaling(az.from_dict(groups), list(names), model=model).table["exact"]
    assert seen.tolist() == [exact_sensitivity(model)[old] for old in names.values()]


@pytest.mark.parametrize(
    ("ratio", "message"),
    [
        ([0.0] * 3, "25 numbers or more"),
        ([np.nan] * 30, "NaN"),
        ([np.inf] * 30, "inf"),
        ([-np.inf] * 30, "excludes every draw"),
    ],
)
def test_ratios_that_mean_nothing_are_refused(ratio, message):
    with pytest.raises(ValueError, match=message):
        reweight(ratio)


def test_k_in_words_names_its_ranges():
    said = [k_in_words(k) for k in (-np.inf, 0.1, 0.6, 0.9, 1.5, np.inf)]
    assert len(set(said)) == 6


# ---------------------------------------------------------------- power-scaling


def test_power_scaling_agrees_with_the_exact_answer(idata, model):
    names = ["tau", "sigma", "beta[0]", "beta[1]"]
    seen = power_scaling(idata, ["tau", "sigma", "beta"], var_names=names, model=model)
    table = seen.table
    assert list(table.index) == names
    assert (table["prior"] - table["exact"]).abs().max() < 0.012
    assert (table.loc[["tau", "sigma", "beta[1]"], "likelihood"] > 0.05).all()
    assert seen.weights.loc[[0.99, 1.01], "ok"].all()
    assert "hardly depends" in table.loc["beta[1]", "meaning"]


def test_a_tight_prior_is_noticed(model):
    tight = {**model, "tau": stats.halfnorm(scale=0.5)}
    drawn = exact.posterior(**tight).draws(8000, 2)
    posterior = {name: drawn[name].reshape(4, 2000) for name in ("tau", "sigma")}
    log_prior = {
        "tau": tight["tau"].logpdf(posterior["tau"]),
        "sigma": SIGMA.logpdf(posterior["sigma"]),
    }
    idata = az.from_dict({"posterior": posterior, "log_prior": log_prior})
    seen = power_scaling(idata, ["tau", "sigma"], model=tight)
    assert seen.table.loc["tau", "prior"] > 0.05
    assert seen.table.loc["tau", "prior"] == pytest.approx(seen.table.loc["tau", "exact"], abs=0.03)
    assert "tau" in seen.sentence and "Worth a look" in seen.sentence
    assert seen.table["likelihood"].isna().all()


def test_exact_sensitivity_falls_as_a_prior_widens():
    y, group = [118, 126, 131, 139, 148, 150, 128, 133], list("AABBCCDD")
    model = {"y": y, "X": None, "group": group, "tau": stats.halfnorm(scale=5), "sigma": SIGMA}
    found = [
        exact_sensitivity({**model, "beta": ([0.0], [sd])})["intercept"] for sd in (1e6, 300, 60)
    ]
    assert found[0] < found[1] < found[2]


def test_powered_prior_counts_for_more_or_less():
    sharper = Powered(stats.halfnorm(scale=4), 4.0)
    at = np.array([0.5, 2.0, 6.0])
    gap = sharper.logpdf(at) - stats.halfnorm(scale=2).logpdf(at)
    np.testing.assert_allclose(gap, gap[0])
    assert sharper.support() == (0.0, math.inf)


@pytest.mark.parametrize(
    ("priors", "message"),
    [(["z"], "no variable 'z' in log_prior"), ([], "at least one variable")],
)
def test_power_scaling_refuses(idata, priors, message):
    with pytest.raises(ValueError, match=message):
        power_scaling(idata, priors)
    with pytest.raises(ValueError, match="compute_log_prior"):
        power_scaling(az.from_dict({"posterior": {"tau": np.ones((4, 50))}}), ["tau"])
