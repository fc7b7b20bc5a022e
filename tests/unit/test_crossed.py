"""Crossed random intercepts, held to the covariance matrix of all rows."""

import numpy as np
import pandas as pd
import pytest

from utils import likelihood
from utils.crossed import fit_crossed


def sample(rng=0, n=120):
    rng = np.random.default_rng(rng)
    ward, nurse = rng.integers(0, 9, n), rng.integers(0, 14, n)
    x = rng.standard_normal(n)
    y = 3 + 2 * x + rng.normal(0, 1.5, 9)[ward] + rng.normal(0, 1, 14)[nurse]
    return y + rng.standard_normal(n), pd.DataFrame({"one": 1.0, "x": x}), ward, nurse


def restricted_loglik(y, x, sds, factors):
    """By the matrix V of all rows, which the fit never makes."""
    v = sds["residual"] ** 2 * np.eye(len(y))
    for name, codes in factors.items():
        v += sds[name] ** 2 * (codes[:, None] == codes[None])
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    beta = np.linalg.solve(information, x.T @ inverse @ y)
    rest = y - x @ beta
    value = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1] + rest @ inverse @ rest
    value += (len(y) - x.shape[1]) * np.log(2 * np.pi)
    return -value / 2, beta, np.sqrt(np.diag(np.linalg.inv(information)))


def test_the_fit_is_that_of_the_whole_covariance_matrix():
    y, X, ward, nurse = sample()
    factors = {"ward": ward, "nurse": nurse}
    fit = fit_crossed(y, X, factors)
    value, beta, se = restricted_loglik(y, X.to_numpy(), fit.sds, factors)
    assert fit.loglik == pytest.approx(value, abs=1e-9)
    np.testing.assert_allclose(fit.beta, beta, rtol=1e-9)
    np.testing.assert_allclose(fit.se, se, rtol=1e-9)
    for name in fit.sds.index:
        for factor in (0.98, 1.02):
            other = {**fit.sds, name: fit.sds[name] * factor}
            assert restricted_loglik(y, X.to_numpy(), other, factors)[0] < value


def test_effects_are_the_blups():
    y, X, ward, nurse = sample(1)
    fit = fit_crossed(y, X, {"ward": ward, "nurse": nurse})
    v = fit.sds["residual"] ** 2 * np.eye(len(y))
    for name, codes in (("ward", ward), ("nurse", nurse)):
        v += fit.sds[name] ** 2 * (codes[:, None] == codes[None])
    rest = np.linalg.solve(v, y - X.to_numpy() @ fit.beta.to_numpy())
    expected = fit.sds["nurse"] ** 2 * np.bincount(nurse, rest)
    np.testing.assert_allclose(fit.effects["nurse"], expected, atol=1e-9)
    assert list(fit.effects["ward"].index) == list(range(9))


def test_one_factor_is_the_random_intercept():
    y, X, ward, _ = sample(2)
    one = fit_crossed(y, X, {"ward": ward})
    other = likelihood.fit_intercept(likelihood.sums(y, X.to_numpy(), ward))
    np.testing.assert_allclose(one.beta, other.beta, atol=1e-5)
    assert one.sds["ward"] == pytest.approx(other.hospital_sd, abs=1e-4)


def test_a_factor_without_differences_ends_near_zero():
    y, X, _, _ = sample(3)
    flat = np.random.default_rng(1).permutation(np.tile(np.arange(10), 12))
    fit = fit_crossed(y - pd.Series(y).groupby(flat).transform("mean"), X, {"flat": flat})
    assert fit.sds["flat"] < 0.002 * fit.sds["residual"]
    assert np.isfinite(fit.loglik)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda y, X, f: (y[:-1], X, f), "must have a row each"),
        (lambda y, X, f: (y, X, {}), "must have a row each"),
        (lambda y, X, f: (y, X.assign(two=2 * X["one"]), f), "must not depend"),
        (lambda y, X, f: (y, X, {"ward": f["ward"][:-1]}), "must have a level"),
        (lambda y, X, f: (y, X, {"ward": [None, *f["ward"][1:]]}), "must not be missing"),
        (lambda y, X, f: (np.where(y == y[0], np.nan, y), X, f), "must be finite"),
    ],
)
def test_bad_input_is_named(change, rule):
    y, X, ward, nurse = sample()
    with pytest.raises(ValueError, match=rule):
        fit_crossed(*change(y, X, {"ward": ward, "nurse": nurse}))
