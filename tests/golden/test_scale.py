"""Analyses from summaries against those from rows; costs and short cuts against closed forms."""

import doctest
import io
import sys
from contextlib import redirect_stdout

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from utils import approximate, cost_curves, likelihood, scale, stored
from utils.cost_curves import costs, fit_costs
from utils.scale import (
    ENGINES,
    chunks_of,
    fit_summaries,
    measure,
    profile_deviance,
    read_chunks,
    run_here,
    summaries,
    write_parquet,
)
from utils.scale_figures import draw_curves, draw_runs, draw_shortcuts
from utils.scale_models import by_rows, by_summaries
from utils.simulate import med_trial
from utils.widgets import cost_explorer


def rows(patients=3000, hospitals=40, seed=5):
    return pd.concat(list(chunks_of(patients, hospitals, rng=seed)), ignore_index=True)


def by_all_rows(data):
    x = np.column_stack([np.ones(len(data)), data["treated"]])
    return likelihood.sums(data["sbp"], x, data["hospital"])


def test_reml_from_sums_is_reml_from_rows():
    data = med_trial(n_hospitals=30, patients_per_hospital=(3, 40), rng=3).data
    fit, found = likelihood.fit_intercept(by_all_rows(data)), fit_summaries(summaries([data]))
    wanted = [*fit.beta, fit.se[1], fit.hospital_sd, fit.patient_sd]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_the_deviance_from_sums_is_the_restricted_likelihood_up_to_a_constant():
    data, at = rows(), np.linspace(-3, 1, 7)
    wanted = -2 * likelihood.ratio_loglik(by_all_rows(data), np.exp(at))
    found = [profile_deviance(value, summaries([data])) for value in at]
    assert np.ptp(wanted - found) < 1e-7


def test_where_hospitals_do_not_differ_the_sd_goes_to_0():
    data = med_trial(n_hospitals=20, patients_per_hospital=30, hospital_sd=0, rng=8).data
    exact_sd = likelihood.fit_intercept(by_all_rows(data)).hospital_sd
    assert exact_sd == 0
    assert fit_summaries(summaries([data]))["hospital_sd"] < 0.01


def test_sums_do_not_care_how_patients_were_cut_into_chunks():
    data = rows()
    cut = [data.iloc[:7], data.iloc[7:1500], data.iloc[1500:]]
    pd.testing.assert_frame_equal(summaries(cut), summaries([data]))
    in_pieces = pd.concat(list(chunks_of(120_000, 50, rng=2)), ignore_index=True)
    assert len(in_pieces) == 120_000 and in_pieces["hospital"].nunique() == 50


def test_a_parquet_file_gives_back_what_was_written(tmp_path):
    path = tmp_path / "trial.parquet"
    write_parquet(path, chunks_of(120_000, 100, rng=4))
    pieces = list(read_chunks(path))
    assert max(map(len, pieces)) <= 50_000
    back = pd.concat(pieces, ignore_index=True)
    pd.testing.assert_frame_equal(back, rows(120_000, 100, seed=4))


def test_the_marginalised_model_has_the_density_of_the_rows():
    """Two parameter values: the potential's difference is that of multivariate normal densities."""
    data = rows(60, 4)
    model = by_summaries(summaries([data]))

    def at(intercept, effect, tau, sigma):
        point = {
            "intercept": np.array(intercept), "treatment_effect": np.array(effect),
            "hospital_sd_log__": np.log(tau), "patient_sd_log__": np.log(sigma),
        }  # fmt: skip
        found = model.point_logps(point, round_vals=12)["sbp"]
        wanted = 0.0
        for _, one in data.groupby("hospital"):
            mean = intercept + effect * one["treated"]
            covariance = sigma**2 * np.eye(len(one)) + tau**2
            wanted += stats.multivariate_normal.logpdf(one["sbp"], mean, covariance)
        return found, wanted

    for values in ((141.0, -5.0, 4.0, 11.0), (138.0, 2.0, 0.5, 15.0)):
        found, wanted = at(*values)
        assert found == pytest.approx(wanted)
    point = {"treatment_effect": np.array(-6.0), "hospital_sd_log__": 1.5, "patient_sd_log__": 2.5}
    midway = by_summaries(summaries([data]), centre=0.5)
    assert midway.point_logps({**point, "intercept": np.array(137.0)}, round_vals=9)["sbp"] == (
        pytest.approx(
            model.point_logps({**point, "intercept": np.array(140.0)}, round_vals=9)["sbp"]
        )
    )
    assert [v.name for v in by_rows(data).observed_RVs] == ["sbp"]


def test_engines_agree():
    quick = [name for name in ENGINES if "NUTS" not in name]
    effects = [run_here(name, 2000, 40)["effect"] for name in quick]
    assert np.ptp(effects) < 0.01
    one = run_here("NUTS from summaries", 2000, 40)
    assert one["effect"] == pytest.approx(effects[0], abs=0.1)
    assert one["seconds"] > 0 and one["peak MB"] > 50 and one["trusted"]
    again = run_here("NUTS from summaries", 4000, 60)  # compiled once, given new data
    assert again["compile"] == one["compile"] > 0
    assert again["effect"] == pytest.approx(run_here("MixedLM", 4000, 60)["effect"], abs=0.1)


def test_an_engine_in_a_process_of_its_own_gives_the_same_and_is_stopped_in_time():
    found = measure("exact posterior", 1000, 30)
    assert found["effect"] == pytest.approx(run_here("exact posterior", 1000, 30)["effect"])
    assert np.isnan(measure("exact posterior", 1000, 30, limit=0.05)["seconds"])


def test_the_command_prints_one_run(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["scale", "--one", "REML, rows in memory", "1000", "30"])
    out = io.StringIO()
    with redirect_stdout(out):
        scale.main()
    assert '"effect": -4.14' in out.getvalue()


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="got 3 patients in 2 hospitals"):
        next(chunks_of(3, 2, rng=1))
    with pytest.raises(ValueError, match="at least one chunk"):
        summaries([])
    with pytest.raises(ValueError, match="engine must be one of"):
        run_here("lme4", 1000, 30)


# ---------------------------------------------------------------- costs


def runs(start, patient, hospital):
    sizes = [(1e3, 30), (1e4, 30), (1e4, 3000), (1e5, 1000)]
    return pd.DataFrame(
        [
            {
                "engine": "A",
                "patients": p,
                "hospitals": h,
                "seconds": start + patient * p + hospital * h,
            }
            for p, h in sizes
        ]
    )


def test_a_cost_that_is_a_plane_is_found():
    found = fit_costs(runs(2.0, 1e-4, 3e-3)).loc["A"]
    np.testing.assert_allclose(found, [2.0, 1e-4, 3e-3], rtol=1e-6)
    one = costs(fit_costs(runs(2.0, 1e-4, 3e-3)), patients=1e6, hospitals=1e4)
    assert one.seconds["A"] == pytest.approx(2 + 100 + 30)
    assert one.curves["A"].iloc[-1] == pytest.approx(2 + 1000 + 30)


def test_no_cost_is_below_0():
    table = runs(1.0, 0.0, 0.0).assign(seconds=[1.0, 0.5, 1.2, 0.9])
    assert (fit_costs(table).to_numpy() >= 0).all()


def test_costs_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="missing: \\['seconds'\\]"):
        fit_costs(runs(1, 1, 1).drop(columns="seconds"))
    with pytest.raises(ValueError, match="'A' has 1"):
        fit_costs(runs(1, 1, 1).head(1))
    with pytest.raises(ValueError, match="above 0, got 0"):
        costs(fit_costs(runs(1, 1, 1)), patients=0, hospitals=3)


def test_the_explorer_says_the_times_in_words():
    explorer = cost_explorer(runs(2.0, 1e-4, 3e-3))
    explorer.set_state(patients=1e6, hospitals=1e4)
    assert "1,000,000 patients in 10,000 hospitals" in explorer.description
    assert "A 2.2 min" in explorer.description


# ---------------------------------------------------------------- short cuts


def test_laplace_is_the_exact_interval_where_hospitals_are_many():
    data = med_trial(n_hospitals=80, patients_per_hospital=20, rng=4).data
    wide, short = np.array(approximate.exact_interval(data)), np.array(approximate.laplace(data))
    np.testing.assert_allclose(short, wide, atol=0.02)


def test_advi_that_has_not_settled_is_refused(monkeypatch):
    data = med_trial(n_hospitals=6, patients_per_hospital=12, rng=4).data
    monkeypatch.setattr(approximate, "_STILL", 1e-9)
    with pytest.raises(RuntimeError, match="has not settled"):
        approximate.advi(data, seed=1, rewritten=True)


def test_figures_show_their_numbers():
    axes = Figure().subplots(1, 2)
    draw_curves(axes[0], [0.1, 0.5, 1.0], [5.0, 3.0, 4.0], [7.0, 5.0, 6.0])
    assert [line.get_ydata().tolist() for line in axes[0].lines] == [[2.0, 0.0, 1.0]] * 2
    both, measured = Figure().subplots(1, 2), runs(2.0, 1e-4, 1e-2)
    draw_runs(both, measured[measured["patients"] < 1e5])
    assert both[0].lines[0].get_ydata().tolist() == pytest.approx([2.4, 3.3])  # 30 hospitals
    assert both[1].lines[0].get_ydata().tolist() == pytest.approx([3.3, 33.0])  # 10,000 patients
    table = stored.load("approximations").set_index(["hospitals", "method"])
    draw_shortcuts(axes[1], table)
    shown = [container.lines[0].get_xdata().tolist() for container in axes[1].containers]
    assert shown == [table.loc[size, "width"].tolist() for size in (6, 60)]


def test_the_examples_run():
    for module in (scale, cost_curves):
        assert doctest.testmod(module).failed == 0
