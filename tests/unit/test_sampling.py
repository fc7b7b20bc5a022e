"""Draws held to the exact posterior: what is off, and which way to sample passes."""

import doctest

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from utils import _sampling_figures as figures
from utils import exact, funnel, sampling
from utils.plots import PALETTE
from utils.simulate import med_trial


@pytest.fixture(scope="module")
def judge():
    data = med_trial(n_hospitals=6, patients_per_hospital=8, rng=4).data
    design = pd.DataFrame({"intercept": 1.0, "treatment_effect": data["treated"]})
    prior = {"tau": stats.halfnorm(scale=5), "sigma": stats.halfnorm(scale=20)}
    return exact.posterior(data["sbp"], design, data["hospital"], **prior, beta=([140, 0], 20))


@pytest.fixture
def fair(judge):
    """Independent draws of the exact posterior, as a run of four chains."""
    return run_of(judge, rng=1)


def run_of(judge, rng, **changes):
    drawn = judge.draws(4000, rng=rng)
    names = {
        "intercept": drawn["beta"][:, 0],
        "treatment_effect": drawn["beta"][:, 1],
        "hospital_sd": drawn["tau"],
        "patient_sd": drawn["sigma"],
        "u": drawn["effect"],
    }
    names = {name: changes.get(name, lambda x: x)(values) for name, values in names.items()}
    chains = {name: values.reshape(4, 1000, *values.shape[1:]) for name, values in names.items()}
    lost = np.zeros((4, 1000), bool)
    energy = np.random.default_rng(2).normal(size=(4, 1000))
    return az.from_dict(
        {"posterior": chains, "sample_stats": {"diverging": lost, "energy": energy}}
    )


def test_examples():
    for module in (sampling, figures, funnel):
        assert doctest.testmod(module).failed == 0


def test_fair_draws_are_off_by_few_monte_carlo_errors(judge, fair):
    table = sampling.against_exact(fair, judge, effects="u")
    assert len(table) == 4 + 6
    assert table["off_in_mcse"].abs().max() < 4
    assert table["off_in_sd"].abs().max() < 4 / np.sqrt(3000)
    assert table.loc["hospital_sd", "exact"] == judge.parameters.loc["tau", "mean"]
    assert table.loc["u[3]", "exact"] == judge.hospitals["mean"].iloc[3]
    gap = table["mean"] - table["exact"]
    np.testing.assert_allclose(table["off_in_sd"], gap / table["exact_sd"])
    np.testing.assert_allclose(table["off_in_mcse"], gap / table["mcse"])


def test_a_shift_of_one_sd_is_found(judge):
    sd = judge.parameters.loc["tau", "sd"]
    moved = run_of(judge, 1, hospital_sd=lambda values: values + sd)
    table = sampling.against_exact(moved, judge)
    assert table.loc["hospital_sd", "off_in_sd"] == pytest.approx(1, abs=0.1)
    assert table.loc["hospital_sd", "off_in_mcse"] > 20


def test_names_of_the_draws_can_be_given(judge, fair):
    other = fair.copy()
    other["posterior"] = fair["posterior"].to_dataset().rename(hospital_sd="between")
    assert "between" not in sampling.against_exact(other, judge).index
    table = sampling.against_exact(other, judge, names={"between": "tau"})
    assert table.loc["between", "exact"] == judge.parameters.loc["tau", "mean"]


def test_what_cannot_be_compared_is_refused(judge, fair):
    alone = az.from_dict({"posterior": {"x": np.zeros((2, 10))}})
    with pytest.raises(ValueError, match=r"no parameter in common: the draws have \['x'\]"):
        sampling.against_exact(alone, judge)
    fewer = fair.copy()
    fewer["posterior"] = fair["posterior"].to_dataset().isel(u_dim_0=slice(4))
    with pytest.raises(ValueError, match=r"each of the 6 hospitals .* got 4"):
        sampling.against_exact(fewer, judge, effects="u")


def test_scoreboard_counts_runs_that_pass_and_finds_what_they_miss(judge):
    def out_of_the_neck(values):
        return np.maximum(values, judge.quantile("tau", 0.4))

    def stuck(values):
        return np.repeat(values[::40], 40)  # each draw 40 times

    runs = {
        "fair": [run_of(judge, k) for k in (1, 2, 3)],
        "cut": [run_of(judge, k, hospital_sd=out_of_the_neck) for k in (1, 2, 3)],
        "stuck": [run_of(judge, k, hospital_sd=stuck) for k in (1, 2, 3)],
    }
    table = sampling.scoreboard(runs, judge, effects="u")
    assert table["runs that pass"].tolist() == [3, 3, 0]  # R-hat and ESS cannot see the cut
    assert table.loc["cut", "hospital_sd off"] > 5 * table.loc["fair", "hospital_sd off"]
    assert table.loc["fair", "most off (MCSE)"] < 5 < table.loc["cut", "most off (MCSE)"]
    assert table.loc["stuck", "bulk ESS"] < 200 < table.loc["fair", "bulk ESS"]
    assert not any(column.startswith("u[") for column in table.columns)
    one = sampling.against_exact(runs["fair"][0], judge, effects="u")["off_in_sd"].abs().max()
    assert table.loc["fair", "most off (SD)"] >= one
    gaps = [sampling.against_exact(run, judge)["off_in_sd"] for run in runs["cut"]]
    rms = np.sqrt(np.mean([gap["hospital_sd"] ** 2 for gap in gaps]))
    assert table.loc["cut", "hospital_sd off"] == pytest.approx(rms)


def test_scoreboard_refuses_a_way_without_runs(judge):
    with pytest.raises(ValueError, match="'none' has none"):
        sampling.scoreboard({"none": []}, judge)


def test_figures_show_what_they_are_given():
    fig, ax = plt.subplots()
    runs = pd.DataFrame({"centred, 0.99": [0.1, 0.3], "non-centred": [0.2, 0.21]})
    figures.run_dots(ax, runs, 0.2)
    assert ax.lines[0].get_xdata()[0] == 0.2
    first, second = ax.collections
    np.testing.assert_allclose(first.get_offsets()[:, 0], [0.1, 0.3])
    assert plt.matplotlib.colors.same_color(second.get_facecolor()[0, :3], PALETTE["non-centred"])
    with pytest.raises(ValueError, match="begin with 'centred' or 'non-centred', got 'other'"):
        figures.run_dots(ax, pd.DataFrame({"other": [1.0]}), 0.2)
    plt.close(fig)


def test_a_walk_ends_where_it_crosses_the_limit():
    fig, ax = plt.subplots()
    figures.energy_lines(ax, {"a": [0, 10, 2000, 1e9], "b": [0, 1, 2, 3]})
    assert [len(line.get_xdata()) for line in ax.lines[:2]] == [3, 4]
    plt.close(fig)
