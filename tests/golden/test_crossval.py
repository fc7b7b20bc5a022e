"""Left-out densities against matrix algebra, brute force and closed forms."""

import doctest

import arviz as az
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from utils import crossval as module
from utils import exact
from utils.crossval import (
    draw_comparison,
    hospital_log_density,
    leave_hospitals_out,
    log_mean_exp,
    patient_log_densities,
)

PRIORS = dict(tau=stats.halfnorm(scale=3), sigma=stats.halfnorm(scale=5), beta=(0, 10))


def data(seed=1, hospitals=6, size=5):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(hospitals), size)
    x = np.column_stack([np.ones(codes.size), rng.normal(size=codes.size)])
    y = x @ [2.0, 1.0] + rng.normal(0, 2, hospitals)[codes] + rng.normal(0, 1.5, codes.size)
    return y, x, codes


def test_a_hospital_s_density_is_the_multivariate_normal_one():
    y, x, _ = data()
    draws = {
        "tau": np.array([0.0, 1.3]),
        "sigma": np.array([1.0, 2.0]),
        "beta": np.array([[2.0, 1.0], [1.5, 0.2]]),
    }
    found = hospital_log_density(draws, y[:7], x[:7])
    for k in range(2):
        covariance = draws["sigma"][k] ** 2 * np.eye(7) + draws["tau"][k] ** 2
        wanted = stats.multivariate_normal.logpdf(y[:7], x[:7] @ draws["beta"][k], covariance)
        assert found[k] == pytest.approx(wanted)


def test_a_patient_s_density_is_the_normal_one_given_the_hospital():
    y, x, codes = data()
    draws = exact.posterior(y, x, codes, **PRIORS).draws(3, rng=1)
    found = patient_log_densities(draws, y, x, codes)
    mean = x[4] @ draws["beta"][2] + draws["effect"][2, codes[4]]
    assert found.shape == (3, 30)
    assert found[2, 4] == pytest.approx(stats.norm.logpdf(y[4], mean, draws["sigma"][2]))


def test_leaving_a_hospital_out_is_the_ratio_of_two_marginal_likelihoods():
    """p(y_j | others) = p(all) / p(others), each by importance-free quadrature over a fine grid."""
    y, x, codes = data(hospitals=4, size=4)

    def evidence(use):
        tau = np.linspace(0.02, 12, 80)
        sigma = np.linspace(0.4, 8, 80)
        total = []
        for t in tau:
            for s in sigma:
                v = s**2 * np.eye(use.sum()) + t**2 * (codes[use][:, None] == codes[use])
                v = v + 100 * x[use] @ x[use].T
                log = stats.multivariate_normal.logpdf(y[use], np.zeros(use.sum()), v)
                total.append(log + PRIORS["tau"].logpdf(t) + PRIORS["sigma"].logpdf(s))
        return np.logaddexp.reduce(total)

    found = leave_hospitals_out(y, x, codes, draws=4000, **PRIORS)
    wanted = evidence(np.ones(16, dtype=bool)) - evidence(codes != 2)
    assert found[2] == pytest.approx(wanted, abs=0.05)


def test_arviz_s_loo_is_what_refits_say():
    y, x, codes = data(seed=3, size=12)
    draws = exact.posterior(y, x, codes, **PRIORS).draws(4000, rng=1)
    logs = patient_log_densities(draws, y, x, codes)
    idata = az.from_dict(
        {
            "posterior": {"sigma": draws["sigma"].reshape(4, 1000)},
            "log_likelihood": {"y": logs.reshape(4, 1000, -1)},
        }
    )
    brute = []
    for k in range(len(y)):
        rest = np.arange(len(y)) != k
        fit = exact.posterior(y[rest], x[rest], codes[rest], **PRIORS).draws(2000, rng=1)
        one = patient_log_densities(fit, y[[k]], x[[k]], [codes[k]])
        brute.append(log_mean_exp(one)[0])
    assert float(az.loo(idata, pointwise=True).elpd) == pytest.approx(sum(brute), abs=0.3)


def test_the_mean_of_densities_neither_overflows_nor_vanishes():
    assert log_mean_exp(
        np.array([[0.0, -2000.0], [np.log(3.0), -2000.0]])
    ).tolist() == pytest.approx([np.log(2.0), -2000.0])


def test_the_comparison_shows_two_standard_errors():
    axes = Figure().subplots()
    table = pd.DataFrame({"difference": [1.0, -5.0], "se": [2.0, 1.0]}, index=["one", "other"])
    draw_comparison(axes, table)
    segments = axes.containers[0].lines[2][0].get_segments()
    assert [segment[:, 0].tolist() for segment in segments] == [[-3.0, 5.0], [-7.0, -3.0]]


def test_the_examples_run():
    assert doctest.testmod(module).failed == 0
