"""The verdict on posterior draws, the summary, and the five lenses."""

import doctest

import arviz as az
import numpy as np
import patsy
import pytensor
import pytest
import statsmodels.formula.api as smf
import xarray as xr

from utils import _bayes_lenses, bayes, likelihood, mixedlm
from utils.simulate import med_trial

CHAINS, DRAWS = 4, 600


def tree(*, stats=True, diverging=0, energy=None, chains=CHAINS, **posterior):
    rng = np.random.default_rng(5)
    posterior = posterior or {
        "mu": rng.normal(140, 2, (chains, DRAWS)),
        "u": rng.normal(size=(chains, DRAWS, 3)),
    }
    groups = {"posterior": posterior}
    if stats:
        lost = np.zeros((chains, DRAWS), bool)
        lost.flat[:diverging] = True
        energy = rng.normal(size=(chains, DRAWS)) if energy is None else energy
        groups["sample_stats"] = {"diverging": lost, "energy": energy}
    return az.from_dict(
        groups, coords={"hospital": ["H01", "H02", "H03"]}, dims={"u": ["hospital"]}
    )


def test_good_draws_pass_and_the_numbers_are_those_of_arviz():
    draws = tree()
    verdict = bayes.diagnose(draws)
    assert verdict.ok
    assert verdict.sentence.startswith("These draws can be used: 4 chains agree")
    assert set(verdict.table["ok"]) == {True}
    assert sorted(verdict.parameters.index) == ["mu", "u[H01]", "u[H02]", "u[H03]"]
    assert verdict.parameters.loc["mu", "r_hat"] == pytest.approx(float(az.rhat(draws)["mu"]))
    tail = az.ess(draws, method="tail")["u"].sel(hospital="H02")
    assert verdict.parameters.loc["u[H02]", "ess_tail"] == pytest.approx(float(tail))
    worst = verdict.parameters["ess_bulk"]
    assert verdict.table.loc["bulk ESS", "worst"] == worst.min()
    assert verdict.table.loc["bulk ESS", "where"] == worst.idxmin()
    assert verdict.table.loc["BFMI", "worst"] == pytest.approx(
        float(az.bfmi(draws)["energy"].min())
    )


def test_chains_that_differ_are_found_and_named():
    rng = np.random.default_rng(1)
    tau = rng.normal(size=(CHAINS, DRAWS)) + np.array([[0], [0], [0], [3]])
    verdict = bayes.diagnose(tree(tau=tau, mu=rng.normal(size=(CHAINS, DRAWS))))
    assert not verdict.ok
    assert "R-hat is 1." in verdict.sentence and "at tau" in verdict.sentence
    assert verdict.table.loc["R-hat", "ok"] is False
    assert verdict.parameters.index[0] == "tau"
    assert bayes.diagnose(tree(tau=tau, mu=tau * 0 + rng.normal(size=tau.shape)),
                          var_names="mu").ok  # fmt: skip


def test_a_slow_chain_fails_on_ess_alone_if_its_chains_agree():
    rng = np.random.default_rng(2)
    slow = np.repeat(rng.normal(size=(CHAINS, DRAWS // 10)), 10, axis=1)
    verdict = bayes.diagnose(tree(slow=slow))
    assert verdict.table.loc["bulk ESS", "ok"] is False
    assert verdict.table.loc["divergences", "ok"] is True
    assert "Try: draw longer" in verdict.table.loc["bulk ESS", "meaning"]


@pytest.mark.parametrize(("n", "words"), [(1, "1 step diverged"), (18, "18 steps diverged")])
def test_divergences_alone_are_enough_to_refuse(n, words):
    verdict = bayes.diagnose(tree(diverging=n))
    assert not verdict.ok
    assert words in verdict.sentence
    assert verdict.table.loc["divergences", "worst"] == n
    assert set(verdict.table["ok"].drop("divergences")) == {True}


def test_an_energy_that_hardly_moves_is_refused():
    walk = np.cumsum(np.random.default_rng(3).normal(size=(CHAINS, DRAWS)), axis=1)
    verdict = bayes.diagnose(tree(energy=walk))
    assert not verdict.ok
    assert "BFMI is 0.0" in verdict.sentence
    assert verdict.table.loc["BFMI", "where"].startswith("chain ")


def test_what_was_not_recorded_is_said_and_not_counted_as_passed():
    verdict = bayes.diagnose(tree(stats=False))
    assert verdict.ok
    assert verdict.sentence.endswith("Not recorded, so not checked: divergences, BFMI.")
    assert "diverged" not in verdict.sentence
    assert verdict.table.loc["divergences", "ok"] is None


def test_constant_entries_are_left_out_and_listed():
    rng = np.random.default_rng(4)
    rho = rng.uniform(-1, 1, (CHAINS, DRAWS))
    corr = np.ones((CHAINS, DRAWS, 2, 2))
    corr[..., 0, 1] = corr[..., 1, 0] = rho
    corr[..., 1, 1] += rng.choice([0, 2.2e-16], rho.shape)
    verdict = bayes.diagnose(tree(chol_corr=corr))
    assert verdict.ok
    assert verdict.constant == ("chol_corr[0, 0]", "chol_corr[1, 1]")
    table = bayes.summary(tree(chol_corr=corr))
    assert np.isnan(table.loc["chol_corr[1, 1]", "r_hat"])
    assert table.loc["chol_corr[0, 0]", "mean"] == 1
    only = bayes.diagnose(tree(one=np.ones((CHAINS, DRAWS))))
    assert not only.ok and "no parameter changes" in only.sentence


def test_missing_draws_and_a_single_chain_are_refused():
    rng = np.random.default_rng(4)
    draws = rng.normal(size=(CHAINS, DRAWS))
    draws[2, 5] = np.nan
    verdict = bayes.diagnose(tree(mu=draws))
    assert not verdict.ok and "mu is not a number" in verdict.sentence
    single = bayes.diagnose(tree(chains=1, mu=rng.normal(size=(1, DRAWS))))
    assert not single.ok and "one chain only" in single.sentence


def test_the_verdict_can_be_shown():
    bundle = bayes.diagnose(tree(diverging=3))._repr_mimebundle_()
    assert 'role="status"' in bundle["text/html"] and "3 steps diverged" in bundle["text/html"]
    assert "not recorded" not in bundle["text/plain"]
    assert bundle["text/plain"].splitlines()[0].startswith("Do not use these draws yet")


def test_summary_has_floats_and_quantiles():
    draws = tree()
    table = bayes.summary(draws, var_names=["mu"], level=0.8)
    pooled = draws.posterior["mu"].to_numpy().ravel()
    assert set(map(str, table.dtypes)) == {"float64"}
    assert table.loc["mu", "lower"] == pytest.approx(np.quantile(pooled, 0.1))
    assert table.loc["mu", "sd"] == pytest.approx(pooled.std(ddof=1))
    reference = az.summary(draws, var_names=["mu"], round_to="none")
    assert table.loc["mu", "ess_bulk"] == pytest.approx(reference["ess_bulk"].iloc[0])
    assert table.loc["mu", "mcse"] == pytest.approx(reference["mcse_mean"].iloc[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bayes.diagnose({"mu": [1]}), "group 'posterior'; got dict"),
        (lambda: bayes.diagnose(xr.DataTree()), "group 'posterior'; got groups"),
        (lambda: bayes.diagnose(tree(), var_names=["nu"]), "got 'nu'"),
        (lambda: bayes.diagnose(tree(), var_names=[]), "at least one variable"),
        (lambda: bayes.diagnose(tree(stats=False, mu=np.ones((2, 3)))), "at least 4 draws"),
        (lambda: bayes.summary(tree(), level=95), "between 0 and 1; got 95"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture(scope="module")
def data():
    return med_trial(n_hospitals=12, patients_per_hospital=(8, 16), rng=3).data


def posterior(data):
    """Draws around the REML fit, as a PyMC model of it would give."""
    X = patsy.dmatrix("treated + age", data)
    fit = likelihood.fit_intercept(likelihood.sums(data["sbp"], np.asarray(X), data["hospital"]))
    rng = np.random.default_rng(8)
    shape = (CHAINS, DRAWS)
    beta = np.stack([rng.normal(m, s, shape) for m, s in zip(fit.beta, fit.se, strict=True)], -1)
    return az.from_dict(
        {
            "posterior": {
                "beta": beta,
                "tau": rng.normal(fit.hospital_sd, 0.3, shape),
                "sigma": rng.normal(fit.patient_sd, 0.3, shape),
            }
        },
        coords={"term": ["one", "treated", "age"]},
        dims={"beta": ["term"]},
    )


def test_five_lenses_and_every_translation_gives_the_number_in_the_table(data):
    formula = "sbp ~ treated + age"
    idata = posterior(data)
    names = {"effect": "beta[treated]", "hospital_sd": "tau", "patient_sd": "sigma"}
    seen = bayes.lenses(
        formula, data, groups="hospital", effect="treated", idata=idata, names=names
    )
    assert tuple(seen.table.index) == _bayes_lenses.ROWS == tuple(seen.names.columns)
    ols, model = smf.ols(formula, data), mixedlm.fit(formula, data, groups="hospital")
    groups = {"groups": data["hospital"].cat.codes.to_numpy()}
    X = np.asarray(patsy.dmatrix("treated + age", data))
    fitted = {
        "OLS": {"result": ols.fit()},
        "cluster-robust OLS": {"result": ols.fit(cov_type="cluster", cov_kwds=groups, use_t=True)},
        "MixedLM": {"model": model, "result": model.result},
        "own REML": {
            "fit": likelihood.fit_intercept(likelihood.sums(data["sbp"], X, data["hospital"]))
        },
        "PyMC": {"idata": idata},
    }
    for lens, known in fitted.items():
        for quantity, code in seen.names[lens].items():
            if code:
                found = float(eval(code, {}, known))
                assert found == pytest.approx(seen.table.loc[lens, quantity], rel=1e-5), code
            else:
                assert np.isnan(seen.table.loc[lens, quantity])
    mixed, own = seen.table.loc["MixedLM"], seen.table.loc["own REML"]
    assert np.allclose(mixed, own, rtol=1e-6)
    assert seen.table.loc["OLS", "lower"] == pytest.approx(ols.fit().conf_int().loc["treated", 0])
    assert "<code>" in seen._repr_mimebundle_()["text/html"]


def test_four_lenses_without_a_posterior_and_the_level_moves_all_intervals(data):
    wide, narrow = (
        bayes.lenses("sbp ~ treated", data, groups="hospital", effect="treated", level=level)
        for level in (0.95, 0.5)
    )
    assert len(wide.table) == 4
    assert "PyMC" not in wide.names
    assert (narrow.table["lower"] > wide.table["lower"]).all()
    assert (narrow.table["estimate"] == wide.table["estimate"]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"effect": "age"}, "got 'age'"),
        ({"level": 2}, "between 0 and 1; got 2"),
        ({"idata": 3}, "got int"),
        ({"names": {"effect": "beta"}}, "must be one number a draw"),
        ({"names": {"effect": "beta[sex]"}}, r"got 'beta\[sex\]'"),
        ({"names": {"slope": "beta"}}, "got 'slope'"),
        ({"names": {}}, "got 'treatment_effect'"),
    ],
)
def test_lenses_refuse_what_cannot_be(data, change, message):
    arguments = {"groups": "hospital", "effect": "treated", "idata": posterior(data)} | change
    with pytest.raises(ValueError, match=message):
        bayes.lenses("sbp ~ treated", data, **arguments)


def test_docstrings_run():
    for module in (bayes, _bayes_lenses):
        assert doctest.testmod(module).failed == 0


def test_set_up_is_kept_by_the_libraries():
    bayes.set_up()
    assert pytensor.config.numba__fastmath is False
    assert az.rcParams["stats.ci_prob"] == 0.95
    assert az.rcParams["stats.round_to"] == "4g"
