"""The report of a sensitivity analysis, and the figures of many priors."""

import doctest

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib import colors
from scipy import stats

from utils import exact, prior_figures, prior_report
from utils.prior_report import sensitivity_report
from utils.simulate import med_trial


@pytest.fixture(scope="module")
def fits():
    data = med_trial(
        n_hospitals=6, patients_per_hospital=20, assignment="hospital", hospital_sd=3, rng=2,
        treatment_effect=-5,
    ).data  # fmt: skip
    x = pd.DataFrame({"intercept": 1.0, "treatment_effect": data["treated"].astype(float)})
    return {
        f"half-normal({scale})": exact.posterior(
            data["sbp"], x, data["hospital"].astype(str), tau=stats.halfnorm(scale=scale),
            sigma=stats.halfnorm(scale=20),
        )
        for scale in (5, 1, 40)
    }  # fmt: skip


def test_the_numbers_are_those_of_the_posteriors(fits):
    report = sensitivity_report(fits, what="the protocol")
    assert list(report.table.index) == list(fits)
    for name, fit in fits.items():
        row = report.table.loc[name]
        assert row["P(below 0)"] == pytest.approx(fit.cdf("treatment_effect", 0))
        ends = fit.interval("treatment_effect")
        assert row[["low", "high"]].tolist() == pytest.approx(list(ends))
        assert row["decision"] == ("adopt" if row["P(below 0)"] >= 0.95 else "wait")
    low, high = fits["half-normal(5)"].interval("treatment_effect")
    assert f"{low:.1f} to {high:.1f}" in report.sentences[0]
    assert "the protocol changes blood pressure" in report.sentences[0]
    ends = [fit.interval("treatment_effect") for fit in fits.values()]
    most = np.abs(np.array(ends) - ends[0]).max()
    assert f"the ends of the interval by at most {most:.1f}" in report.sentences[1]


def test_it_says_whether_the_decision_hangs_on_the_prior(fits):
    chance = sensitivity_report(fits).table["P(below 0)"]
    between = float(np.sort(chance)[:2].mean())
    split = sensitivity_report(fits, rule=between).sentences[1]
    assert split.endswith(f"a decision at {between:.2f} depends on these priors.")
    assert "does not depend" in sensitivity_report(fits, rule=0.5).sentences[1]


def test_it_prints_within_a_page_and_refuses_what_cannot_be(fits):
    assert max(map(len, repr(sensitivity_report(fits)).splitlines())) <= 92
    with pytest.raises(ValueError, match="one other or more, got 1"):
        sensitivity_report({"half-normal(5)": fits["half-normal(5)"]})
    with pytest.raises(ValueError, match="rule must lie between 0 and 1, got 95"):
        sensitivity_report(fits, rule=95)
    with pytest.raises(ValueError, match="no parameter 'effect'"):
        sensitivity_report(fits, parameter="effect")


def test_the_lines_of_priors_get_darker_and_differ_in_dashes():
    styles = list(prior_figures.looks("abcde").values())
    shades = [sum(colors.to_rgb(style["color"])) for style in styles]
    assert all(np.diff(shades) < -0.1)
    assert len({str(style["linestyle"]) for style in styles}) == 5
    with pytest.raises(ValueError, match="at most 5 priors"):
        prior_figures.looks("abcdef")


def test_posteriors_are_drawn_where_they_are(fits):
    fig, ax = plt.subplots()
    at = np.linspace(-15, 5, 50)
    prior_figures.draw_posteriors(fits, "treatment_effect", at, ax)
    for line, (name, fit) in zip(ax.lines, fits.items(), strict=True):
        assert line.get_label() == name
        np.testing.assert_allclose(line.get_ydata(), fit.density("treatment_effect", at)["density"])
    plt.close(fig)


def test_scores_are_drawn_with_the_test_that_has_no_prior():
    board = pd.DataFrame(
        {"width": [10.0, 14.0], "coverage_%": [90.0, 95.0]}, index=["half-normal(2)", "t-test"]
    )
    fig, axes = plt.subplots(1, 2)
    prior_figures.draw_scores({1: board, 8: board}, axes)
    names = [line.get_label() for line in axes[1].lines][1:]
    assert names == ["half-normal(2)", "t-test, no prior"]
    assert axes[1].lines[1].get_xydata().tolist() == [[10.0, 90.0]]
    plt.close(fig)


def test_shares_that_do_not_add_up_are_refused():
    fig, ax = plt.subplots()
    with pytest.raises(ValueError, match="add up to 100"):
        prior_figures.draw_gaps(pd.DataFrame({"a": [40.0], "b": [50.0]}), ax)
    plt.close(fig)


@pytest.mark.parametrize("module", [prior_report, prior_figures])
def test_docstrings_run(module):
    assert doctest.testmod(module).failed == 0
