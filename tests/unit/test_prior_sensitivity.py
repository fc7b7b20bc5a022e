"""The sensitivity explorer's numbers against `utils.exact` and closed forms, and its behaviour."""

import json
import math
import statistics
import time

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit
from threadpoolctl import threadpool_limits

from utils import datasets
from utils._exact_gaussian import BetaPrior, Blocks, Likelihood, blocks, patient_sums
from utils._exact_priors import InverseGammaVariance, ScalePrior, pymc_prior
from utils._patients import Totals
from utils.simulate import med_trial
from utils.widgets import (
    _sensitivity_patients,
    prior_sensitivity_explorer,
    prior_sensitivity_figure,
)
from utils.widgets import prior_sensitivity as ps
from utils.widgets._sensitivity_code import exact_of
from utils.widgets._sensitivity_counts import LOG_TAU, CountTable
from utils.widgets._sensitivity_priors import FAMILIES, TauPrior, half_width, make
from utils.widgets._sensitivity_rows import curve_quantiles
from utils.widgets._sensitivity_strip import Criterion, Strip, decades, verdict

INF = math.inf
Q = [0.025, 0.5, 0.975]
PROPER = [name for name in FAMILIES if name != "flat"]
BASE = {"family": "half-normal", "scale": 5.0, "effect_sd": INF, "sigma_scale": 20.0}


def trial(sizes, tau=6, sigma=12, by="patient", rng=1):
    return med_trial(
        n_hospitals=len(sizes), patients_per_hospital=list(sizes), hospital_sd=tau,
        patient_sd=sigma, assignment=by, rng=rng,
    ).data  # fmt: skip


# ---------------------------------------------------------------- priors


@pytest.mark.parametrize("family", PROPER)
def test_families_are_the_priors_that_exact_takes(family):
    at = np.geomspace(0.05, 40, 30)
    for scale in (0.3, 5.0, 60.0):
        prior = TauPrior(family, scale)
        given = make(family, scale)
        np.testing.assert_allclose(prior.density(at), np.exp(given.logpdf(at)), atol=1e-12)
        seen = ScalePrior("tau", given, 5.0)
        assert min(seen.tail, 1e6) == pytest.approx(min(prior.tail, 1e6), rel=1e-3)
        assert '"tau"' in pymc_prior("tau", given)


def test_inverse_gamma_is_that_of_the_variance():
    prior = InverseGammaVariance(2.0, 3.0)
    tau = np.array([0.4, 1.0, 3.0])
    expected = stats.invgamma(2.0, scale=3.0).pdf(tau**2) * 2 * tau
    np.testing.assert_allclose(np.exp(prior.logpdf(tau)), expected)
    assert prior.logpdf(0.0) == prior.logpdf(-1.0) == -INF
    with pytest.raises(ValueError, match="shape must be a number above 0, got 0"):
        InverseGammaVariance(0, 1)


def test_new_hospital_in_closed_form():
    # tau fixed: 1.96 tau. tau ~ half-Cauchy etc.: by simulation. Inverse-gamma: a t law.
    assert half_width(np.array([4.0]), np.array([1.0])) == pytest.approx(4 * 1.959964)
    assert TauPrior("inverse-gamma", 1.5).new_hospital() == pytest.approx(stats.t(3).ppf(0.975))
    assert TauPrior("flat", 1.0).new_hospital() == INF
    rng = np.random.default_rng(1)
    for family in ("half-normal", "half-t", "half-Cauchy", "exponential", "uniform"):
        got = TauPrior(family, 5.0).new_hospital()
        z = np.abs(rng.normal(size=400_000))
        given = stats.t(3, scale=5.0) if family == "half-t" else make(family, 5.0)
        draws = np.abs(given.rvs(400_000, random_state=2)) * z
        assert np.mean(draws < got) == pytest.approx(0.95, abs=0.0015)


# ---------------------------------------------------------------- against utils.exact

DESIGNS = {
    "balanced": ([20] * 10, {}, "half-normal", 5.0, INF, 20.0),
    "four hospitals": ([30] * 4, {}, "half-Cauchy", 25.0, 10.0, 20.0),
    "uniform that cuts": ([30] * 5, {}, "uniform", 4.0, INF, 20.0),
    "exponential": ([4, 40, 9, 9, 12, 3], {}, "exponential", 3.0, 5.0, INF),
    "inverse-gamma": ([5, 1, 1, 14, 8], {}, "inverse-gamma", 0.1, INF, 20.0),
    "flat": ([12] * 8, {}, "flat", 1.0, INF, INF),
    "one patient each": ([1] * 14, {"sigma": 5}, "half-t", 5.0, INF, 8.0),
    "treated as a whole": ([15] * 9, {"by": "hospital"}, "half-normal", 8.0, 20.0, 20.0),
    "far below the data": ([20] * 12, {"tau": 9}, "half-normal", 0.05, INF, 20.0),
    "no differences": ([20] * 12, {"tau": 0}, "half-Cauchy", 5.0, INF, 20.0),
    "many": ([6] * 150, {}, "half-t", 5.0, INF, 20.0),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_numbers_agree_with_exact(name):
    sizes, how, family, scale, effect_sd, sigma_scale = DESIGNS[name]
    source = ps.prepare(trial(sizes, **how))
    choice = {"family": family, "scale": scale, "effect_sd": effect_sd}
    result = ps.compute(source, **choice, sigma_scale=sigma_scale, threshold=-5)
    answer = result.answer
    state = {**choice, "sigma_scale": sigma_scale, "n_hospitals": len(sizes), "kept": "first"}
    fit = exact_of(source.data, state)
    effect, tau = fit.quantile("treated", Q), fit.quantile("tau", Q)
    sd = (effect[2] - effect[0]) / 4
    np.testing.assert_allclose(answer.effect, effect, atol=2e-3 * sd)
    np.testing.assert_allclose(answer.tau, tau, atol=2e-3 * (tau[2] - tau[0]))
    assert answer.effect_mean == pytest.approx(fit.parameters.loc["treated", "mean"], abs=1e-3 * sd)
    assert answer.effect_sd == pytest.approx(fit.parameters.loc["treated", "sd"], rel=3e-3)
    assert answer.negative == pytest.approx(fit.cdf("treated", 0.0), abs=1e-3)
    assert answer.beyond == pytest.approx(fit.cdf("treated", -5.0), abs=1e-3)
    at = source.view.tau_at[2:]
    height = fit.density("tau", at)["density"]
    assert np.abs(answer.tau_posterior[2:] - height).max() <= 5e-3 * height.max()
    at = source.view.effect_at
    height = fit.density("treated", at)["density"]
    assert np.abs(answer.effect_density - height).max() < 5e-3 * height.max()
    seen = answer.hospitals
    ends = fit.hospital_quantiles([0.025, 0.975])
    ends.index = table = source.data.labels
    effects = fit.hospitals.set_axis(table)
    for column, other in (
        ("low", ends[0.025]),
        ("high", ends[0.975]),
        ("estimate", effects["mean"]),
    ):
        gap = (seen[column] - other.reindex(seen.index)) / effects["sd"].reindex(seen.index)
        assert gap.abs().max() < 0.01
    assert (seen["weight"] - effects["weight"].reindex(seen.index)).abs().max() < 1e-3
    assert (seen["n"] == effects["n"].reindex(seen.index)).all()
    assert answer.error < 1e-3


RATES = [
    (12, "half-normal", 0.5, INF), (12, "half-Cauchy", 1.0, 1.5), (12, "uniform", 0.6, 2.0),
    (12, "half-normal", 0.05, INF), (12, "inverse-gamma", 0.1, 1.5), (3, "half-normal", 0.5, INF),
    (3, "uniform", 3.0, 2.0), (5, "half-normal", 2.0, 1.5), (5, "exponential", 1.0, 0.5),
    (5, "inverse-gamma", 0.1, 1.5),
]  # fmt: skip


@pytest.mark.parametrize(("n", "family", "scale", "sd"), RATES)
def test_rates_agree_with_exact(n, family, scale, sd):
    answer, fit = surgical_answer(n, family, scale, sd)
    rate, tau = fit.quantile("typical", Q), fit.quantile("tau", Q)
    np.testing.assert_allclose(answer.effect, rate, atol=2e-3 * (rate[2] - rate[0]))
    np.testing.assert_allclose(answer.tau, tau, atol=2e-3 * (tau[2] - tau[0]))
    seen = answer.hospitals
    ends = fit.hospital_quantiles([0.025, 0.975]).reindex(seen.index)
    sds = fit.hospitals["sd"].reindex(seen.index)
    for column, other in (("low", ends[0.025]), ("high", ends[0.975]),
                          ("estimate", fit.hospitals["mean"].reindex(seen.index))):  # fmt: skip
        assert ((seen[column] - other) / sds).abs().max() < 0.015
    own = fit.hospitals["events"] / fit.hospitals["patients"]
    np.testing.assert_allclose(seen["own"], own.reindex(seen.index))
    assert math.isnan(answer.negative)
    beyond = 1 - np.interp(0.07, fit.quantile("typical", np.linspace(0.001, 0.999, 999)),
                           np.linspace(0.001, 0.999, 999))  # fmt: skip
    assert answer.beyond == pytest.approx(beyond, abs=2e-3)


def test_table_of_counts_is_an_integral():
    table = CountTable([0, 9, 3], [40, 60, 3])
    for k in (20, 33, 37, 38, 44, 50):
        tau = math.exp(LOG_TAU[k])
        for m in (100, len(table.mu) // 2, -60):
            law = stats.norm(table.mu[m], tau)
            for j, (y, n) in enumerate(zip(table.events, table.patients, strict=True)):
                theta = np.linspace(table.mu[m] - 9 * tau, table.mu[m] + 9 * tau, 20_001)
                height = stats.binom.pmf(y, n, expit(theta)) * law.pdf(theta)
                expected = math.log(np.trapezoid(height, theta))
                if expected < table.log_likelihood[j].max() - 40:
                    assert table.log_likelihood[j, k, m] < expected + 1  # nobody sees it
                    continue
                assert table.log_likelihood[j, k, m] == pytest.approx(expected, abs=2e-3)


def surgical_answer(n, family, scale, sd):
    source = ps.prepare(datasets.load("surgical"), events="deaths", patients="operations")
    choice = {"family": family, "scale": scale, "effect_sd": sd}
    answer = ps.compute(source, **choice, threshold=0.07, n_hospitals=n).answer
    fit = exact_of(source.data, {**choice, "n_hospitals": n, "kept": "first"})
    return answer, fit


def test_limits_in_closed_form():
    """A tau that is all but 0 pools completely; a known sigma makes the effect normal."""
    data = trial([25] * 8, rng=3)
    source = ps.prepare(data)
    near_0 = ps.compute(source, **{**BASE, "scale": 1e-4, "sigma_scale": INF}, threshold=0).answer
    groups = [data.loc[data["treated"] == arm, "sbp"] for arm in (0, 1)]
    difference = groups[1].mean() - groups[0].mean()
    pooled = math.sqrt(sum(((g - g.mean()) ** 2).sum() for g in groups) / (len(data) - 2))
    se = pooled * math.sqrt(1 / len(groups[0]) + 1 / len(groups[1]))
    # A flat prior of sigma itself, not of its log, has one degree of freedom less.
    df = len(data) - 3
    law = stats.t(df, difference, se * math.sqrt((len(data) - 2) / df))
    np.testing.assert_allclose(near_0.effect, law.ppf(Q), rtol=1e-3)
    assert near_0.hospitals["weight"].max() < 1e-4
    # A tight prior of the effect around 0 wins over any data.
    tight = ps.compute(source, **{**BASE, "effect_sd": 1e-3}, threshold=0).answer
    np.testing.assert_allclose(tight.effect, stats.norm(0, 1e-3).ppf(Q), atol=2e-5)


def test_a_log_outcome_and_a_covariate():
    source = ps.prepare(
        datasets.load("azpro"), formula="np.log(los) ~ cabg + age75", effect="cabg",
        unit="log days",
    )  # fmt: skip
    answer = ps.compute(source, family="half-t", scale=0.3, effect_sd=1, threshold=1).answer
    state = {"family": "half-t", "scale": 0.3, "effect_sd": 1, "sigma_scale": INF}
    fit = exact_of(source.data, {**state, "n_hospitals": 17, "kept": "first"})
    np.testing.assert_allclose(answer.effect, fit.quantile("cabg", Q), rtol=1e-4)
    explorer = prior_sensitivity_explorer(
        datasets.load("azpro"), formula="np.log(los) ~ cabg", effect="cabg", unit="log days"
    )
    assert "a factor of 2.8" in explorer.description


def test_a_prior_of_your_own():
    class Triangle:
        def logpdf(self, x):
            return stats.triang(c=0.5, loc=0, scale=10).logpdf(x)

    data = trial([12] * 7)
    explorer = prior_sensitivity_explorer(data, own=Triangle())
    explorer.set_state(family="yours")
    fit = exact_of(explorer.source.data, explorer.state)
    answer = explorer.result.answer
    np.testing.assert_allclose(answer.tau, fit.quantile("tau", Q), rtol=2e-3)
    np.testing.assert_allclose(answer.effect, fit.quantile("treated", Q), atol=2e-3)
    assert explorer.result.strip is None and "no scale to vary" in explorer.description
    with pytest.raises(ValueError, match="no PyMC distribution"):
        explorer.pymc()
    with pytest.raises(ValueError, match="method logpdf"):
        prior_sensitivity_explorer(data, own="half-normal")
    same = prior_sensitivity_explorer(data, own=stats.halfnorm(scale=4))
    same.set_state(family="yours")
    theirs = same.result.answer.tau
    same.set_state(family="half-normal", scale=4)
    np.testing.assert_allclose(theirs, same.result.answer.tau, rtol=1e-6)


# ---------------------------------------------------------------- hospitals kept


def test_hospitals_kept_are_the_first_or_a_seeded_choice():
    data = trial([8] * 10)
    source = ps.prepare(data, seed=3)
    first = ps.compute(source, **BASE, threshold=0, n_hospitals=4).answer.hospitals
    assert sorted(first.index) == ["H01", "H02", "H03", "H04"]
    alone = ps.prepare(data[data["hospital"].isin(first.index)])
    again = ps.compute(alone, **BASE, threshold=0).answer
    pd.testing.assert_frame_equal(first, again.hospitals)
    drawn = [set(source.data.hospitals(n, "random")) for n in (4, 5, 10)]
    assert drawn[0] < drawn[1] < drawn[2] == set(range(10))
    assert drawn[0] == set(ps.prepare(data, seed=3).data.hospitals(4, "random"))
    explorer = prior_sensitivity_explorer(data, seed=3, state={"n_hospitals": 4})
    assert explorer.description.startswith("The first 4 of 10 hospitals")
    explorer.set_state(kept="random")
    assert explorer.description.startswith("4 of 10 hospitals, drawn with seed 3")


def test_missing_values_and_odd_indexes_do_no_harm():
    data = trial([9] * 6)
    holes = pd.concat([data, data.head(3).assign(sbp=np.nan), data.head(2).assign(hospital=None)])
    a = ps.compute(ps.prepare(data), **BASE, threshold=0).answer
    b = ps.compute(ps.prepare(holes), **BASE, threshold=0).answer
    np.testing.assert_allclose(a.effect, b.effect)


# ---------------------------------------------------------------- strip and verdict


@pytest.mark.parametrize("family", PROPER)
def test_strip_is_the_answer_at_each_scale(family):
    source = ps.prepare(trial([10] * 6))
    strip = ps.compute(source, **{**BASE, "family": family}, threshold=-5).strip
    assert np.all(np.diff(np.log(strip.scales)) > 0.17)
    for k in range(0, len(strip.scales), 5):
        choice = {**BASE, "family": family, "scale": float(strip.scales[k])}
        answer = ps.compute(source, **choice, threshold=-5).answer
        sd = (answer.effect[2] - answer.effect[0]) / 4
        np.testing.assert_allclose(strip.effect[k], answer.effect, atol=4e-3 * sd)
        np.testing.assert_allclose(strip.tau[k], answer.tau, rtol=0.08, atol=1e-4)
        assert strip.beyond[k] == pytest.approx(answer.beyond, abs=2e-3)
        assert strip.negative[k] == pytest.approx(answer.negative, abs=2e-3)
    assert strip.trusted.all()


def test_strip_is_computed_once_for_all_scales():
    source = ps.prepare(trial([10] * 6))
    rows = source.data.model(6, "first", INF, 20.0).rows
    first = ps.compute(source, **BASE, threshold=-5)
    kept = rows.__dict__["courses"]["half-normal"]
    ps.compute(source, **{**BASE, "scale": 2.0}, threshold=-3)
    assert rows.__dict__["courses"]["half-normal"] is kept
    assert list(rows.__dict__["courses"]) == ["half-normal"]
    assert first.strip.beyond.shape == kept.scales.shape


def made_up(effect, beyond, trusted=None):
    scales = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    effect = np.asarray(effect, float)[:, None] + np.array([-2.0, 0.0, 2.0])
    trusted = np.ones(5, bool) if trusted is None else np.array(trusted)
    return Strip(scales, effect, effect, np.zeros(5), np.asarray(beyond, float), trusted)


def test_verdict_follows_its_criterion():
    seen = made_up([-4.0, -3.9, -4.0, -4.1, -4.0], [0.5] * 5)
    found = verdict(seen, seen.effect[2], 0.5, 4.0, rate=False)
    assert (found.low, found.high, found.whole) == (1, 16, True)
    assert (found.below, found.above) == ("", "")
    # The estimate moves by .3 posterior SD (the SD is 1) at the first scale.
    seen = made_up([-4.3, -3.9, -4.0, -4.1, -4.0], [0.5, 0.5, 0.5, 0.5, 0.7])
    found = verdict(seen, seen.effect[2], 0.5, 4.0, rate=False)
    assert (found.low, found.high, found.whole) == (2, 8, False)
    assert found.below == "the estimate moves"
    assert found.above == "the probability beyond the threshold moves"
    loose = Criterion(shift=0.4, probability=0.3)
    assert verdict(seen, seen.effect[2], 0.5, 4.0, rate=False, criterion=loose).whole
    # An interval that reaches 0 says something else, and the range ends there for good.
    seen = made_up([-2.1, -2.1, -2.1, -1.9, -2.1], [0.5] * 5)
    found = verdict(seen, seen.effect[2], 0.5, 4.0, rate=False)
    assert (found.low, found.high) == (1, 4)
    assert "about 0" in found.above
    assert verdict(seen, seen.effect[2], 0.5, 4.0, rate=True).whole
    # So does an interval that is a third wider.
    seen = made_up([-4.0] * 5, [0.5] * 5)
    seen.effect[3] = [-6.7, -4.0, -1.3]
    found = verdict(seen, seen.effect[2], 0.5, 4.0, rate=False)
    assert (found.high, found.above) == (4, "the interval's width changes")
    seen = made_up([-4.0] * 5, [0.5] * 5, [False, True, True, True, True])
    assert verdict(seen, seen.effect[2], 0.5, 5.0, rate=False).low == 2


def test_decades_are_round_and_even():
    grid = decades(0.01, 100)
    assert len(grid) == 41 and grid[0] == 0.01 and grid[-1] == 100 and 40 in grid
    assert np.diff(np.log10(grid)).max() < 0.13


def test_a_conclusion_that_hangs_on_the_prior():
    """Four hospitals treated as wholes: a tight prior of tau makes the effect look sure."""
    data = trial([40] * 4, tau=5, sigma=10, by="hospital", rng=10)
    explorer = prior_sensitivity_explorer(data, state={"scale": 0.1}, threshold=-5)
    tight = explorer.result.answer
    explorer.set_state(scale=30)
    wide = explorer.result.answer
    assert np.ptp(wide.effect) > 3 * np.ptp(tight.effect)
    assert not explorer.result.verdict.whole
    assert "Below" in explorer.description or "hangs on" in explorer.description


def test_curve_quantiles_invert_a_normal_law():
    at = np.linspace(-6, 6, 121)
    got = curve_quantiles(at, stats.norm.cdf(at)[None], stats.norm.pdf(at)[None], np.array(Q))
    np.testing.assert_allclose(got[0], stats.norm.ppf(Q), atol=1e-5)


# ---------------------------------------------------------------- the widget


@pytest.fixture(scope="module")
def made():
    return prior_sensitivity_explorer(trial([10] * 8), threshold=-5)


@pytest.fixture
def explorer(made):
    made.reset()
    made.box.value = ""
    return made


def button(explorer, text):
    for row in explorer.widget.children:
        for inside in getattr(row, "children", ()):
            if isinstance(inside, ipywidgets.Button) and inside.description == text:
                return inside
    raise AssertionError(text)


def test_improper_choices_get_a_sentence_and_keep_the_last_picture(explorer):
    good = explorer.result
    explorer.set_state(n_hospitals=2, family="flat")
    assert explorer.state["family"] == "flat" and explorer.result is good
    assert "2 hospitals are too few for a flat prior of τ" in explorer.message
    assert explorer.message in explorer.description
    assert "opacity:0.35" in explorer._image.value
    assert 'alt="Not up to date: ' in explorer._image.value
    assert "too few for a flat prior" in explorer._text.value
    explorer.set_state(n_hospitals=4)
    assert explorer.message == "" and "opacity" not in explorer._image.value
    assert explorer.result is not good and "Not up to date" not in explorer._image.value
    with pytest.raises(ValueError, match="No posterior"):
        explorer.set_state(n_hospitals=2) or ps.compute(explorer.source, **explorer.state)


def test_the_figure_refuses_what_has_no_posterior():
    with pytest.raises(ValueError, match="too few for a flat prior"):
        prior_sensitivity_figure(trial([10] * 8), state={"n_hospitals": 2, "family": "flat"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "cauchy"}, "family must be one of half-normal, .*, got 'cauchy'"),
        ({"family": "yours"}, "family must be one of"),
        ({"scale": 0}, "scale must lie between 0.01 and 100, got 0"),
        ({"scale": math.nan}, "scale must be a number, got nan"),
        ({"effect_sd": 0}, r"effect_sd must be 0.1 or more \(math.inf is allowed\), got 0"),
        ({"sigma_scale": -1}, "sigma_scale must be"),
        ({"threshold": 1e9}, "threshold must lie between"),
        ({"n_hospitals": 1}, "n_hospitals must lie between 2 and 8, got 1"),
        ({"kept": "last"}, "kept must be one of first, random, got 'last'"),
        ({"pin": 3}, "pin must be None or a dict"),
        ({"pin": {"family": "flat", "colour": 1}}, "pin must be None or a dict"),
        ({"pin": {"family": "half-normal", "scale": -2}}, "scale must lie between"),
        ({"nonsense": 1}, "the state has family, scale"),
    ],
)
def test_bad_state_is_refused_and_changes_nothing(explorer, change, message):
    before = explorer.state
    with pytest.raises(ValueError, match=message):
        explorer.set_state(**change)
    assert explorer.state == before


def test_pin_compares_and_can_be_removed(explorer):
    assert explorer.result.pinned is None
    first = explorer.result.answer
    button(explorer, "Pin this prior").click()
    explorer.set_state(family="uniform", scale=2)
    np.testing.assert_array_equal(explorer.result.pinned.effect, first.effect)
    assert explorer.state["pin"]["family"] == "half-normal"
    assert "Pinned: half-normal prior" in explorer.description
    explorer.set_state(n_hospitals=4)  # what is pinned is the prior, not the data
    assert explorer.result.pinned.hospitals.shape[0] == 4
    explorer.set_state(pin={"family": "flat"}, n_hospitals=2)
    assert explorer.result.pinned is None and explorer.message == ""
    assert "The pinned prior has no posterior here" in explorer.description
    button(explorer, "Remove the pin").click()
    assert explorer.state["pin"] is None and "inned" not in explorer.description


def test_state_survives_json(explorer):
    changes = {
        "family": "exponential", "scale": 2.5, "effect_sd": 10.0, "threshold": -4.0,
        "n_hospitals": 5, "kept": "random",
        "pin": {"family": "uniform", "scale": 20.0, "effect_sd": INF, "sigma_scale": INF},
    }  # fmt: skip
    explorer.set_state(**changes)
    state, picture, words = explorer.state, explorer._image.value, explorer.description
    button(explorer, "Save the state").click()
    saved = explorer.box.value
    parsed = json.loads(saved)
    assert parsed["state"]["sigma_scale"] == "infinite"
    assert "no patient's data" in parsed["holds"]
    assert not any(str(v) in saved for v in explorer.source.data.y[:5].round(4))
    explorer.reset()
    button(explorer, "Load the state").click()
    assert (explorer.state, explorer._image.value, explorer.description) == (state, picture, words)
    again = prior_sensitivity_explorer(trial([10] * 8), threshold=-5, state=saved)
    assert again._image.value == picture
    assert {k: v for k, v in again.state.items() if k in changes} == changes


def test_a_state_from_other_data_says_so(explorer):
    other = prior_sensitivity_explorer(trial([10] * 8, rng=9), state={"scale": 2.0})
    explorer.load(other.to_json())
    assert explorer.state["scale"] == 2.0
    assert "saved with other data" in explorer.message
    assert explorer._text.value.count("<p") == 1
    for bad in ("", "{}", "[1]", '{"explorer": "pooling", "version": 1, "state": {}}'):
        explorer.box.value = bad
        button(explorer, "Load the state").click()
        assert "state" in explorer.message and explorer.state["scale"] == 2.0
    with pytest.raises(ValueError, match="not a saved state"):
        explorer.load("no")


def test_controls_on_the_screen_move_the_state(explorer):
    menu = explorer.widget.children[0].children[0]
    assert isinstance(menu, ipywidgets.Dropdown)
    menu.value = "half-Cauchy"
    assert explorer.state["family"] == "half-Cauchy"
    box, slider = explorer.widget.children[1].children
    box.value = "3.3"
    assert explorer.state["scale"] == 3.3
    for typed, value in (("0", 0.01), ("1e9", 100.0), ("2,5", 2.5), ("none", 2.5)):
        box.value = typed
        assert explorer.state["scale"] == value
    slider.value = 0
    assert explorer.state["scale"] == 0.01 and box.value == "0.01"
    box, slider = explorer.widget.children[2].children
    box.value = "0"
    assert explorer.state["effect_sd"] == 0.1
    slider.value = slider.max
    assert explorer.state["effect_sd"] == INF and box.value == "infinite"


def test_figure_for_readers_without_a_kernel_is_the_same(explorer):
    explorer.set_state(family="half-t", scale=2.0, n_hospitals=5)
    fig, alt = explorer.figure()
    other, other_alt = prior_sensitivity_figure(trial([10] * 8), threshold=-5, state=explorer.state)
    assert alt == other_alt and explorer.description in alt
    images = []
    for figure in (fig, other):
        figure.canvas.draw()
        images.append(np.asarray(figure.canvas.buffer_rgba()))
    np.testing.assert_array_equal(*images)
    assert images[0].std() > 10  # something is drawn
    assert not any(artist.get_animated() for artist in fig.findobj())


def test_pymc_code_reads_the_learners_data():
    ward = trial([10] * 8)
    explorer = prior_sensitivity_explorer(ward, threshold=-5)
    explorer.set_state(n_hospitals=3, effect_sd=10, sigma_scale=20, family="inverse-gamma", scale=1)
    code = explorer.pymc()
    compile(code, "<cell>", "exec")
    assert "kept = ward.dropna" in code and "['H01', 'H02', 'H03']" in code
    assert 'pm.InverseGamma("tau_squared", alpha=1.0, beta=1.0)' in code
    assert "pm.Normal('treated', mu=0.0, sigma=10.0)" in code
    assert 'pm.HalfNormal("sigma", sigma=20.0)' in code and "pm.Flat('Intercept')" in code
    study = med_trial(n_hospitals=4, rng=1)
    assert "study.data.dropna" in prior_sensitivity_explorer(study).pymc()
    assert "example_data()" in prior_sensitivity_explorer().pymc()
    nameless = prior_sensitivity_explorer(med_trial(n_hospitals=4, rng=1)).pymc()
    assert "# your_data: give this name to the table" in nameless
    assert "kept = your_data.dropna" in nameless
    events = datasets.load("surgical")
    code = prior_sensitivity_explorer(events, events="deaths", patients="operations").pymc()
    compile(code, "<cell>", "exec")
    assert "pm.Binomial" in code and "events.dropna" in code


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hospital": "ward"}, "must have the column 'ward'"),
        ({"effect": "dose"}, r"effect must be one of \['Intercept', 'treated'\], got 'dose'"),
        ({"formula": "sbp ~ dose"}, "does not fit the data"),
        ({"events": "sbp"}, "events and patients"),
        ({"events": "sbp", "patients": "age"}, "must be whole numbers"),
        ({"threshold": math.nan}, "threshold must be a number"),
        ({"state": {"family": "x"}}, "family must be one of"),
    ],
)
def test_data_that_cannot_be_read_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        prior_sensitivity_explorer(trial([5] * 3), **options)


def test_one_hospital_or_no_table_is_refused():
    with pytest.raises(ValueError, match="2 hospitals or more, got 1"):
        prior_sensitivity_explorer(trial([20]))
    with pytest.raises(ValueError, match="must be a Study or a DataFrame, got list"):
        prior_sensitivity_explorer([1, 2])


def test_hospitals_that_cannot_tell_the_effect_get_a_sentence():
    data = trial([10] * 6, by="hospital", rng=2).sort_values("treated", kind="stable")
    data["hospital"] = "W" + data["treated"].astype(str) + data["hospital"].astype(str)
    explorer = prior_sensitivity_explorer(data, state={"n_hospitals": 2})
    assert "cannot tell the effect" in explorer.message


def test_reset_brings_back_the_state_that_the_explorer_was_opened_with():
    opened = prior_sensitivity_explorer(trial([10] * 8), state={"scale": 3.0, "n_hospitals": 5})
    first = opened.state, opened._image.value, opened.description
    opened.set_state(family="uniform", scale=20.0, n_hospitals=8)
    button(opened, "Reset").click()
    assert (opened.state, opened._image.value, opened.description) == first
    again = prior_sensitivity_explorer(trial([10] * 8), state=opened.to_json())
    again.set_state(scale=9.0)
    again.reset()
    assert again.state["scale"] == 3.0
    # A first state without a posterior is no place to return to.
    none = prior_sensitivity_explorer(trial([10] * 8), state={"family": "flat", "n_hospitals": 2})
    assert "No posterior" in none.message
    none.reset()
    assert none.message == "" and none.state["n_hospitals"] == 8


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("by_hospital", [True, False])
def test_a_hospital_in_a_few_rows_says_what_its_patients_say(shift, by_hospital):
    rng = np.random.default_rng(4)
    code = rng.permutation(np.repeat(np.arange(9), [1, 1, 2, 3, 4, 5, 9, 20, 40]))
    given = code % 2 if by_hospital else rng.integers(0, 2, len(code))
    x = np.column_stack([np.ones(len(code)), given, rng.normal(60, 10, len(code))])
    y = shift + 140 - 5 * given + rng.normal(0, 4, 9)[code] + rng.normal(0, 12, len(code))
    patients, prior = Totals(code, 9), BetaPrior(np.zeros(3), np.array([0.0, 0.01, 0.0]))
    means, about = blocks(y, x, patients)
    rows = np.vstack([means, about.reshape(-1, 4)])
    assert len(rows) == 9 * 5
    flat = prior.precision == 0
    few = patient_sums(rows[:, -1], rows[:, :-1], Blocks(patients.sizes), flat)
    every = patient_sums(y, x, patients, flat)
    assert (few.n_total, few.within_df, few.endless) == (
        every.n_total, every.within_df, every.endless,
    )  # fmt: skip
    assert few.residual_sd == pytest.approx(every.residual_sd, rel=1e-9)
    assert few.within_sd == pytest.approx(every.within_sd, rel=1e-9)
    tau, sigma = np.log([0.01, 1.0, 5.0, 300.0]), np.log([9.0, 12.0, 12.0, 20.0])
    height, law = zip(
        *((fit.log_likelihood(tau, sigma), fit.conditional(tau, sigma)) for fit in
          (Likelihood(few, prior), Likelihood(every, prior))), strict=True,
    )  # fmt: skip
    assert height[0] == pytest.approx(height[1], rel=1e-9)
    beta = [
        sums.centre + mean @ sums.rotation.T
        for sums, (mean, _) in zip((few, every), law, strict=True)
    ]
    assert beta[0] == pytest.approx(beta[1], rel=1e-7)


def test_a_drag_adds_up_no_patients_again(monkeypatch):
    added = []
    real = _sensitivity_patients.patient_sums
    monkeypatch.setattr(
        _sensitivity_patients, "patient_sums", lambda *a: added.append(1) or real(*a)
    )
    explorer = prior_sensitivity_explorer()
    explorer.set_state(effect_sd=20, sigma_scale=30)
    before = len(added)
    for scale, effect_sd, sigma_scale in [(1, 20, 30), (9, 15, 30), (9, 10, 25)]:
        explorer.set_state(scale=scale, effect_sd=effect_sd, sigma_scale=sigma_scale)
    assert len(added) == before
    explorer.set_state(n_hospitals=6)
    assert len(added) == before + 1


def test_a_drag_asks_for_the_likelihood_as_rarely_as_it_can(monkeypatch):
    """Points of (tau, sigma) at which the likelihood is computed, drag by drag."""
    points = []
    real = Likelihood._factor
    monkeypatch.setattr(
        Likelihood, "_factor", lambda self, t, s: points.append(len(t)) or real(self, t, s)
    )
    source = ps.prepare(trial([20] * 30))
    start = {**BASE, "effect_sd": 9.0, "threshold": -5}
    ps.compute(source, **start)

    def asked(**change):
        points.clear()
        ps.compute(source, **{**start, **change})
        return sum(points), len(points)

    rows = len(source.data.model(30, "first", 9.0, 20.0).rows.log_tau)
    assert asked(threshold=-2) == asked(scale=2.0) == asked(family="half-Cauchy") == (0, 0)
    for change in ({"effect_sd": 7.0}, {"sigma_scale": 31.0}):
        asked_for, calls = asked(**change)
        assert asked_for <= 20 * rows and calls <= 3
    asked_for, calls = asked(n_hospitals=20)
    assert asked_for <= 30 * rows and calls <= 6


COUNTS = {"events": "deaths", "patients": "operations"}


@pytest.mark.parametrize("kind", ["patients", "events"])
def test_a_drag_leaves_the_engine_little_to_do(kind):
    """Processor time, with a bound that a busy machine keeps: 3 to 7 ms on a quiet one."""
    data = trial([20] * 30) if kind == "patients" else datasets.load("surgical")
    source = ps.prepare(data, **(COUNTS if kind == "events" else {}))
    start = {"family": "half-normal", "scale": 0.5, "effect_sd": 2.0}
    threshold = 0.1 if kind == "events" else -5
    ways = {
        "scale": np.geomspace(0.2, 2, 15), "effect_sd": np.linspace(1, 3, 15),
        "n_hospitals": range(source.of - 8, source.of),
    }  # fmt: skip
    for control, values in ways.items():
        ps.compute(source, **start, threshold=threshold)
        spent = []
        for value in values:
            change = {control: int(value) if control == "n_hospitals" else float(value)}
            with threadpool_limits(1):  # threads that wait for each other burn processor time
                began = time.process_time()
                ps.compute(source, **{**start, **change}, threshold=threshold)
                spent.append(time.process_time() - began)
        assert statistics.median(spent) < 0.025, control


class OneByOne:
    """As a learner may write it: one number at a time, and undefined below 0."""

    def logpdf(self, x):
        return -0.5 * math.log(x) - x if x <= 30 else -INF


class TimesPower:
    def __init__(self, power):
        self.power = power

    def logpdf(self, x):
        return np.where(x > 0, self.power * np.log(np.abs(x)), -INF)


def test_a_prior_of_your_own_may_take_one_number_at_a_time():
    class OnArrays:
        def logpdf(self, x):
            x = np.asarray(x, float)
            inside = (x > 0) & (x <= 30)
            return np.where(inside, -0.5 * np.log(np.where(inside, x, 1.0)) - x, -INF)

    answers = []
    for own in (OneByOne(), OnArrays()):
        explorer = prior_sensitivity_explorer(trial([12] * 7), own=own)
        explorer.set_state(family="yours")
        answers.append(explorer.result.answer)
    np.testing.assert_allclose(answers[0].effect, answers[1].effect, atol=1e-9)
    np.testing.assert_allclose(answers[0].tau, answers[1].tau, atol=1e-9)


def test_absurd_priors_of_your_own_get_a_sentence():
    data = trial([12] * 7)
    for power in (-1, -2):  # no end towards 0
        explorer = prior_sensitivity_explorer(data, own=TimesPower(power))
        explorer.set_state(family="yours")
        assert "climbs so steeply towards 0" in explorer.message

    class Broken:
        def logpdf(self, x):
            return 1 / 0

    with pytest.raises(ValueError, match=r"cannot be computed at .*: division by zero"):
        prior_sensitivity_explorer(data, own=Broken())
    with pytest.raises(ValueError, match="mass below 0, where its logpdf must be -inf"):
        prior_sensitivity_explorer(data, own=stats.norm(0, 5))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("own", [stats.uniform(1000, 1), stats.uniform(5, 1e-9)])
def test_a_posterior_beyond_the_picture_draws_without_a_warning(own):
    explorer = prior_sensitivity_explorer(trial([12] * 7), own=own)
    explorer.set_state(family="yours", pin={"family": "uniform", "scale": 0.01})
    assert explorer.message == "" and np.isfinite(explorer.result.answer.effect).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["patients", "events"])
def test_every_end_of_every_control_has_an_answer_or_a_sentence(kind):
    data = trial([10] * 8) if kind == "patients" else datasets.load("surgical")
    explorer = prior_sensitivity_explorer(data, **(COUNTS if kind == "events" else {}))
    scales, effects = explorer._controls["scale"].grid, explorer._controls["effect_sd"]
    for family in FAMILIES:
        for n in (2, 3, explorer.source.of):
            for scale in (scales[0], scales[-1]):
                for effect_sd in (effects.low, INF):
                    explorer.set_state(
                        family=family, n_hospitals=n, scale=scale, effect_sd=effect_sd
                    )
                    if explorer.message:
                        assert explorer.message.startswith("No posterior: ")
                    else:
                        answer = explorer.result.answer
                        assert np.isfinite([*answer.effect, *answer.tau]).all()
                        assert "nan" not in explorer.description
