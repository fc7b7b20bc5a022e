import doctest
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.mixed_linear_model import MixedLM

from tests.golden import MODELS, reference
from utils import mixedlm
from utils._patients import codes_of
from utils.likelihood import fit_intercept, sums
from utils.mixedlm import FitError, LMMFit
from utils.simulate import med_trial


def trial(**changes):
    settings_ = {"n_hospitals": 12, "patients_per_hospital": 10, "rng": 1} | changes
    return med_trial(**settings_).data


@pytest.fixture(scope="module")
def model():
    return mixedlm.fit("sbp ~ treated", trial(), groups="hospital")


@pytest.fixture(scope="module")
def slope():
    data = trial(n_hospitals=20, patients_per_hospital=30, treatment_effect_sd=6)
    return mixedlm.fit("sbp ~ treated", data, groups="hospital", re_formula="1 + treated")


@pytest.fixture(scope="module")
def wards():
    data = trial(n_hospitals=15, patients_per_hospital=12, n_wards=3, ward_sd=6)
    return mixedlm.fit("sbp ~ 1", data, groups="hospital", vc_formula={"ward": "0 + C(ward)"})


def test_doctests_pass():
    results = doctest.testmod(mixedlm)
    assert results.attempted >= 5
    assert results.failed == 0


# --- lme4's numbers -----------------------------------------------------------------------


def parameter(group, first, second, groups):
    """Return the name in `variances` of a row of lme4's table."""
    name = {"(Intercept)": group if group != "batch.1" else groups}
    first, second = name.get(first, first), name.get(second, second)
    if group == "Residual":
        return "patient_sd"
    return f"correlation({first}, {second})" if second else f"{first}_sd"


def effect(groups, group, level, term):
    """Return the row in `hospitals` of an effect of lme4's."""
    if groups == "one":
        return ("1", f"{group}[{level}]")
    if (groups, group) == ("batch", "sample"):
        batch, _, cask = level.partition(":")
        return (batch, f"sample[{cask}]")
    return (level, groups if term == "(Intercept)" else term)


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("golden", MODELS, ids=lambda golden: golden.key)
def test_fit_agrees_with_lme4(golden, method):
    expected = reference()["fits"][f"{golden.key}/{method}"]
    found = mixedlm.fit(golden.formula, golden.data(), reml=method == "REML", **golden.arguments())
    assert found.n == expected["n"]
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-5)
    assert found.result.llf == pytest.approx(expected["loglik"], abs=1e-4)
    se = np.array(list(expected["se"].values()))
    fixed = found.fixed["estimate"].to_numpy()
    assert np.all(np.abs(fixed - list(expected["fixed"].values())) < 1e-4 * se)
    np.testing.assert_allclose(found.fixed["se"], se, rtol=1e-3)
    np.testing.assert_allclose(found.result.fe_params, fixed, atol=1e-3 * se.max())
    if method == "REML":
        freedom = [expected["satterthwaite"][name] for name in expected["fixed"]]
        np.testing.assert_allclose(found.fixed["df"], freedom, rtol=1e-3)
    parts = expected["components"]
    estimates = found._plain_variances["estimate"]
    for group, first, second, value in zip(
        parts["grp"], parts["var1"], parts["var2"], parts["sdcor"], strict=True
    ):
        name = parameter(group, first, second, golden.groups)
        assert estimates[name] == pytest.approx(value, rel=1e-3, abs=1e-12), name
    hospitals = found.hospitals
    hospitals.index = pd.Index(
        [
            tuple(map(str, key)) if isinstance(key, tuple) else (str(key), golden.groups)
            for key in hospitals.index
        ]
    )
    random = pd.DataFrame(expected["random"])
    assert len(random) == len(hospitals)
    keys = [effect(golden.groups, *row) for row in random[["group", "level", "term"]].to_numpy(str)]
    rows = hospitals.reindex(pd.MultiIndex.from_tuples(keys))
    # A BLUP is known to a part of the spread of its own kind.
    own_sd = rows["sd"] / np.sqrt(1 - rows["weight"])
    own_sd = own_sd.fillna(0).to_numpy()
    assert np.all(np.abs(rows["prediction"] - random["effect"].to_numpy()) <= 1e-3 * own_sd)
    assert np.all(np.abs(rows["sd"] - random["sd"].to_numpy()) <= 1e-3 * own_sd)


@pytest.mark.parametrize(
    "key", [key for key, fit in reference()["fits"].items() if "profile" in fit]
)
def test_profile_intervals_agree_with_lme4(key):
    golden = next(golden for golden in MODELS if golden.key == key.removesuffix("/ML"))
    found = mixedlm.fit(golden.formula, golden.data(), reml=False, **golden.arguments())
    variances = found.variances
    profile = reference()["fits"][key]["profile"]
    for name, low, high in zip(
        profile["parameter"], profile["lower"], profile["upper"], strict=True
    ):
        kind, _, rest = name.partition("_")
        term, _, group = rest.partition("|")
        if name == "sigma":
            mine = "patient_sd"
        elif kind == "cor":
            mine = f"correlation({golden.groups}, {term.partition('.')[0]})"
        else:
            mine = f"{group if term == '(Intercept)' else term}_sd"
        ends = variances.loc[mine, ["lower", "upper"]].to_list()
        assert ends == pytest.approx([low, high], rel=2e-3, abs=2e-3), name


def test_the_default_fit_of_statsmodels_is_wrong_where_this_one_is_right():
    golden = next(golden for golden in MODELS if golden.key == "azpro/ri")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        naive = smf.mixedlm(golden.formula, golden.data(), groups="hospital").fit(reml=False)
    expected = reference()["fits"]["azpro/ri/ML"]["fixed"]["(Intercept)"]
    safe = mixedlm.fit(golden.formula, golden.data(), groups="hospital", reml=False)
    assert safe.fixed.loc["Intercept", "estimate"] == pytest.approx(expected, abs=1e-5)
    assert not naive.llf == pytest.approx(safe.loglik, abs=0.1)


# --- against the own likelihood -----------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=4, max_size=12).filter(lambda s: sum(s) > len(s) + 5),
    st.sampled_from([0.0, 0.5, 6.0, 40.0]),
    st.booleans(),
    st.integers(0, 9999),
)
def test_fit_and_likelihood_agree_whatever_the_hospitals(sizes, hospital_sd, reml, seed):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    data = pd.DataFrame({"hospital": [f"H{c:02d}" for c in codes]})
    data["treated"] = rng.permutation(np.arange(len(codes)) % 2)
    data["sbp"] = 140 - 8 * data["treated"] + hospital_sd * rng.standard_normal(len(sizes))[codes]
    data["sbp"] += 12 * rng.standard_normal(len(codes))
    found = mixedlm.fit("sbp ~ treated", data, groups="hospital", reml=reml)
    x = np.column_stack([np.ones(len(data)), data["treated"]])
    own = fit_intercept(sums(data["sbp"], x, data["hospital"]), reml=reml)
    assert found.result.llf == pytest.approx(own.loglik, abs=2e-4)
    assert found.hospital_sd == pytest.approx(own.hospital_sd, abs=1e-4)
    assert found.singular == (own.hospital_sd == 0)
    np.testing.assert_allclose(found.fixed["se"], own.se, rtol=1e-6)
    np.testing.assert_allclose(found.fixed["df"], own.df, rtol=1e-4)
    low, high = found.variances.loc["hospital_sd", ["lower", "upper"]]
    assert low <= found.hospital_sd <= high


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("key", ["azpro/ri", "azpro/rs_l2", "radon/uranium", "lung/wtloss"])
def test_mixedlm_finds_the_same_optimum_from_its_own_start(key, reml):
    golden = next(golden for golden in MODELS if golden.key == key)
    one, other = (
        mixedlm.fit(golden.formula, golden.data(), reml=reml, start=start, **golden.arguments())
        for start in ("likelihood", "powell")
    )
    assert other.result.llf == pytest.approx(one.loglik, abs=1e-5)
    assert not any("started again" in note for note in other.notes)
    off = np.abs(other.result.fe_params.to_numpy() - one.fixed["estimate"])
    assert np.all(off < 1e-3 * one.fixed["se"])
    pd.testing.assert_frame_equal(one.fixed, other.fixed)
    with pytest.raises(ValueError, match="start must be"):
        mixedlm.fit(golden.formula, golden.data(), start="bfgs", groups=golden.groups)


def test_an_sd_of_zero_is_a_fit_like_any_other():
    data = trial(hospital_sd=0)
    data["sbp"] -= data.groupby("hospital", observed=True)["sbp"].transform("mean") - 140
    found = mixedlm.fit("sbp ~ treated", data, groups="hospital")
    ols = smf.ols("sbp ~ treated", data).fit()
    assert found.hospital_sd == 0
    assert found.icc == 0
    assert found.singular
    assert "boundary" in found.notes[0]
    np.testing.assert_allclose(found.fixed["se"], ols.bse, rtol=1e-8)
    np.testing.assert_allclose(found.fixed["df"], ols.df_resid, rtol=1e-4)
    assert np.all(found.hospitals[["prediction", "sd", "weight"]] == 0)
    assert np.all(np.isfinite(found.result.fe_params))
    assert found.variances.loc["hospital_sd", "lower"] == 0
    assert found.predict(level="new hospital")["upper"].notna().all()
    drawn = found.bootstrap(200, rng=1, progress=False)
    assert 0.3 < drawn.boundary["singular"] / 200 < 0.95


def test_a_broken_optimiser_is_refused(monkeypatch, model):
    class Elsewhere:
        fe_params, cov_re, vcomp = np.array([1.0, 1.0]), np.eye(1), np.zeros(0)
        scale, llf, params_object = 1.0, -9e9, None

    monkeypatch.setattr(MixedLM, "fit", lambda *a, **k: Elsewhere())
    with pytest.raises(FitError, match="did not reach the optimum"):
        mixedlm.fit("sbp ~ treated", trial(), groups="hospital")


def test_zeros_for_fixed_effects_are_not_taken(monkeypatch):
    # As MixedLM does when a variance goes below 1e-10: zeros, and an infinite likelihood.
    real = MixedLM.fit
    calls = []

    def zero(self, *args, **kwargs):
        result = real(self, *args, **kwargs)
        calls.append(kwargs["method"])
        if kwargs["method"] == "bfgs" and len(calls) == 2:
            broken = SimpleNamespace(
                **{n: getattr(result, n) for n in ("cov_re", "vcomp", "scale")}
            )
            broken.fe_params, broken.llf = np.zeros(2), np.inf
            return broken
        return result

    monkeypatch.setattr(MixedLM, "fit", zero)
    found = mixedlm.fit("sbp ~ treated", trial(), groups="hospital", start="powell")
    assert calls[:2] == ["powell", "bfgs"]
    assert np.all(found.result.fe_params != 0)
    assert found.result.llf == pytest.approx(found.loglik, abs=1e-4)


def test_no_warning_is_printed_in_passing(recwarn):
    data = trial(hospital_sd=0.5)
    data["sbp"] /= 100  # variances below 0.01: MixedLM says "boundary" whatever they are
    found = mixedlm.fit("sbp ~ treated", data, groups="hospital")
    assert len(recwarn) == 0
    assert isinstance(found.warnings, tuple)


# --- tables -------------------------------------------------------------------------------


def test_degrees_of_freedom(model):
    data = trial(assignment="hospital")
    given_to_hospitals = mixedlm.fit("sbp ~ treated + age", data, groups="hospital")
    plain = given_to_hospitals.fixed_table(df="between-within")["df"]
    assert plain.to_dict() == {"Intercept": 10, "treated": 10, "age": 120 - 12 - 1}
    assert given_to_hospitals.fixed["df"]["treated"] == pytest.approx(10, abs=0.5)
    z = model.fixed_table(df="normal", confidence=0.9)
    row = z.loc["treated"]
    assert row["upper"] - row["estimate"] == pytest.approx(1.6449 * row["se"], rel=1e-4)
    for wrong in ("kenward-roger", None):
        with pytest.raises(ValueError, match="df must be"):
            model.fixed_table(df=wrong)
    for wrong in (0, 1, 95):
        with pytest.raises(ValueError, match="confidence must be"):
            model.fixed_table(confidence=wrong)


def test_errors_are_generalised_least_squares_not_statsmodels(model):
    np.testing.assert_allclose(
        np.sqrt(np.diag(model.covariance)), model.fixed["se"].to_numpy(), rtol=1e-12
    )
    assert list(model.covariance.columns) == ["Intercept", "treated"]


def test_hospitals_are_shrunk_residual_means(model):
    data = trial()
    beta = model.fixed["estimate"]
    residual = data["sbp"] - beta["Intercept"] - beta["treated"] * data["treated"]
    means = residual.groupby(data["hospital"], observed=True).mean()
    table = model.hospitals
    assert table.index.name == "hospital"
    np.testing.assert_allclose(table["prediction"], table["weight"] * means, rtol=1e-8)
    lam = model.hospital_sd**2 / model.patient_sd**2
    np.testing.assert_allclose(table["weight"], 10 * lam / (1 + 10 * lam), rtol=1e-8)
    np.testing.assert_allclose(
        table["sd"], model.hospital_sd * np.sqrt(1 - table["weight"]), rtol=1e-8
    )
    assert table["n"].eq(10).all()


def test_variances(model, slope, wards):
    assert list(model.variances.index) == ["hospital_sd", "patient_sd", "icc"]
    table = slope.variances
    assert list(table.index) == [
        "hospital_sd", "treated_sd", "patient_sd", "correlation(hospital, treated)",
    ]  # fmt: skip
    inside = (table["lower"] <= table["estimate"]) & (table["estimate"] <= table["upper"])
    assert inside.all()
    narrow = slope.variances_table(confidence=0.5)
    assert np.all(narrow["lower"] >= table["lower"] - 1e-9)
    assert np.all(narrow["upper"] <= table["upper"] + 1e-9)
    assert list(wards.variances.index) == ["hospital_sd", "ward_sd", "patient_sd"]
    with pytest.raises(ValueError, match="icc is one number"):
        _ = slope.icc


def test_aic_is_refused_under_reml(model):
    with pytest.raises(ValueError, match="REML"):
        _ = model.aic
    ml = mixedlm.fit("sbp ~ treated", trial(), groups="hospital", reml=False)
    assert ml.n_parameters == 4
    assert ml.aic == pytest.approx(8 - 2 * ml.loglik)
    assert ml.aic == pytest.approx(ml.result.aic, abs=1e-4)


def test_it_shows_itself(model, slope, wards):
    for found in (model, slope, wards):
        text, html = repr(found), found._repr_html_()
        for word in ("REML", "hospital_sd", "patient_sd", "Satterthwaite"):
            assert word in text
            assert word in html
        assert "<caption" in html
        assert "nan" not in text.lower().replace("nana", "")
    assert max(map(len, repr(model).splitlines())) < 100


# --- predictions --------------------------------------------------------------------------


def henderson(found, x, z):
    """Return the SD of the error of x'b + z'u by Henderson's whole system of equations."""
    numbers = found._numbers
    design, k = numbers.design, numbers.design.k_re
    big = np.zeros((len(design.x), k * len(design.labels)))
    for row, code in enumerate(design.codes):
        big[row, code * k : code * k + k] = design.z[row]
    whole = np.hstack([design.x, big])
    system = whole.T @ whole / found.patient_sd**2
    inverse = np.linalg.inv(numbers.relative * found.patient_sd**2)
    p = design.x.shape[1]
    system[p:, p:] += np.kron(np.eye(len(design.labels)), inverse)
    both = np.concatenate([x, z])
    return np.sqrt(both @ np.linalg.solve(system, both))


@pytest.mark.parametrize("name", ["model", "slope"])
def test_predictions_for_a_hospital_have_hendersons_error(name, request):
    found = request.getfixturevalue(name)
    assert not found.singular
    k, groups = len(found._design.re_names), found.n_groups
    new = pd.DataFrame({"hospital": ["H03", "H05"], "treated": [1, 0]}, index=[7, 7])
    table = found.predict(new)
    for row, (place, treated) in enumerate([(2, 1), (4, 0)]):
        z = np.zeros(k * groups)
        z[place * k : place * k + k] = [1, treated][:k]
        error = henderson(found, np.array([1, treated]), z)
        assert table["se"].iloc[row] == pytest.approx(error, rel=1e-6)
    assert list(table.index) == [7, 7]
    beta, u = found.fixed["estimate"], found.hospitals["prediction"]
    expected = beta.sum() + np.sum(u.loc["H03"])
    assert table["prediction"].iloc[0] == pytest.approx(expected)


def test_levels_of_prediction(slope):
    new = pd.DataFrame({"hospital": ["H03"], "treated": [1]})
    known = slope.predict(new).iloc[0]
    population = slope.predict(new, level="population").iloc[0]
    unknown = slope.predict(new.drop(columns="hospital"), level="new hospital").iloc[0]
    assert list(population.index) == ["prediction", "se", "lower", "upper"]
    assert unknown["prediction"] == population["prediction"] != known["prediction"]
    error = np.sqrt(np.sum(slope.covariance.to_numpy()))
    assert population["se"] == pytest.approx(error)
    table = slope.variances["estimate"]
    a, b = table["hospital_sd"], table["treated_sd"]
    between = a**2 + b**2 + 2 * a * b * table["correlation(hospital, treated)"]
    assert unknown["se"] == pytest.approx(np.sqrt(between + error**2))
    for row in (known, unknown):
        assert row["patient_lower"] < row["lower"] < row["upper"] < row["patient_upper"]
    half = slope.predict(new, level="population", confidence=0.5).iloc[0]
    assert population["lower"] < half["lower"] < half["upper"] < population["upper"]


def test_intervals_for_new_hospitals_and_patients_cover():
    covered = []
    for seed in range(40):
        drawn = trial(n_hospitals=20, patients_per_hospital=8, rng=seed)
        seen = drawn["hospital"].isin([f"H{k:02d}" for k in range(1, 16)])
        left_out = np.random.default_rng(seed).random(len(drawn)) < 0.2
        found = mixedlm.fit("sbp ~ treated", drawn[seen & ~left_out], groups="hospital")
        for rows, level in ((seen & left_out, "hospital"), (~seen, "new hospital")):
            table = found.predict(drawn[rows], level=level)
            inside = drawn.loc[rows, "sbp"].between(table["patient_lower"], table["patient_upper"])
            covered.append((level, inside.mean()))
    share = pd.DataFrame(covered, columns=["level", "share"]).groupby("level")["share"].mean()
    assert share.between(0.93, 0.97).all(), share


def test_wards_and_crossed_effects_are_predicted(wards):
    data = wards._design.frame
    np.testing.assert_allclose(wards.fitted, wards.result.fittedvalues, atol=1e-2)
    np.testing.assert_allclose(wards.residuals, data["sbp"] - wards.fitted)
    known = wards.predict(data.iloc[[0]])
    strange = data.iloc[[0]].assign(ward="elsewhere")
    other = wards.predict(strange)
    assert other["se"].iloc[0] > known["se"].iloc[0]
    hospital = str(data["hospital"].iloc[0])
    only = wards.hospitals.loc[(hospital, "hospital"), "prediction"]
    beta = wards.fixed.loc["Intercept", "estimate"]
    assert other["prediction"].iloc[0] == pytest.approx(beta + only)
    ones = data.assign(one=1, surgeon=np.arange(len(data)) % 7)
    crossed = mixedlm.fit(
        "sbp ~ 1",
        ones,
        groups="one",
        vc_formula={"hospital": "0 + C(hospital)", "surgeon": "0 + C(surgeon)"},
    )
    np.testing.assert_allclose(crossed.fitted, crossed.result.fittedvalues, atol=1e-2)
    with pytest.raises(ValueError, match="between-within"):
        crossed.fixed_table(df="between-within")


def test_predict_refuses_what_it_cannot_know(model):
    with pytest.raises(ValueError, match="has not seen: H99"):
        model.predict(pd.DataFrame({"hospital": ["H99"], "treated": [1]}))
    with pytest.raises(ValueError, match="must name the hospital"):
        model.predict(pd.DataFrame({"treated": [1]}))
    with pytest.raises(ValueError, match="treated"):
        model.predict(pd.DataFrame({"hospital": ["H01"]}))
    with pytest.raises(ValueError, match="newdata must have"):
        model.predict(pd.DataFrame({"hospital": ["H01"], "treated": [np.nan]}))
    with pytest.raises(ValueError, match="level must be one of"):
        model.predict(level="ward")


# --- bootstrap ----------------------------------------------------------------------------


def test_bootstrap_agrees_with_the_standard_errors(model, slope):
    for found in (model, slope):
        drawn = found.bootstrap(600, rng=1, progress=False)
        assert len(drawn.draws) + drawn.failed == 600
        names = list(found.fixed.index)
        ratio = drawn.intervals.loc[names, "sd"] / found.fixed["se"]
        assert ratio.between(0.88, 1.12).all()
        assert np.all(np.abs(drawn.intervals["bias"][names]) < 0.2 * found.fixed["se"])
        assert "Parametric bootstrap" in repr(drawn)
    again = model.bootstrap(50, rng=1, progress=False)
    pd.testing.assert_frame_equal(again.draws, model.bootstrap(50, rng=1, progress=False).draws)
    assert not again.draws.equals(model.bootstrap(50, rng=2, progress=False).draws)


def test_bootstrap_refits_are_fits(model, wards):
    for found in (model, wards):
        drawn = found.bootstrap(3, rng=5, progress=False).draws.iloc[0]
        design = found._design
        rng = np.random.default_rng(5)
        # The same draws by hand: patients first, then each hospital's effects.
        q = design.blocks.zz.shape[0]
        many = 3
        y = rng.standard_normal((many, found.n)) * found.patient_sd
        y += design.x @ found.fixed["estimate"].to_numpy()
        factor = design.blocks.to_effect @ design.blocks.factor(found._numbers.optimum.theta[0])
        for rows, z in design.z_of_groups:
            y[:, rows] += found.patient_sd * (rng.standard_normal((many, q)) @ factor.T) @ z.T
        frame = design.frame.assign(sbp=y[0])
        again = mixedlm.fit(
            found.formula, frame, groups="hospital", vc_formula=design.vc_formula or None
        )
        for name in again._plain_variances.index.drop("icc", errors="ignore"):
            expected = again._plain_variances.loc[name, "estimate"]
            assert drawn[name] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_bootstrap_shows_its_progress_and_refuses_nonsense(model, capsys):
    model.bootstrap(4, rng=1)
    assert "4/4" in capsys.readouterr().err
    for wrong in (1, 2.5, True, "many"):
        with pytest.raises(ValueError, match="n must be a whole number"):
            model.bootstrap(wrong, rng=1, progress=False)


# --- input --------------------------------------------------------------------------------


def test_missing_rows_are_refused_or_counted():
    data = trial()
    data.loc[data.index[:3], "sbp"] = np.nan
    data.loc[data.index[2:7], "age"] = np.nan
    with pytest.raises(ValueError, match=r"7 of 120 rows.*age \(5\).*sbp \(3\)"):
        mixedlm.fit("sbp ~ treated + age", data, groups="hospital")
    found = mixedlm.fit("sbp ~ treated + age", data, groups="hospital", missing="drop")
    assert found.n == 113
    assert found.dropped.to_dict() == {"age": 5, "sbp": 3}
    assert "7 rows with missing values were left out" in repr(found)
    complete = mixedlm.fit("sbp ~ treated", data.dropna(subset=["sbp"]), groups="hospital")
    assert complete.n == 117  # age is missing too, but not in this model
    with pytest.raises(ValueError, match='"raise" or "drop"'):
        mixedlm.fit("sbp ~ treated", data, groups="hospital", missing="ignore")


def with_column(data, **columns):
    return data.assign(**columns)


N = 120
REFUSED = {
    "one group": (
        "sbp ~ treated", lambda d: d[d["hospital"] == "H01"], "hospital", "at least 2 values",
    ),
    "constant covariate": (
        "sbp ~ treated + age", lambda d: with_column(d, age=60.0), "hospital", "'age' is constant",
    ),
    "collinear": (
        "sbp ~ age + months",
        lambda d: with_column(d, months=12 * d["age"]),
        "hospital",
        "'months' is a combination",
    ),
    "strings": (
        "sbp ~ treated",
        lambda d: with_column(d, sbp=d["sbp"].round().astype(str)),
        "hospital",
        "'sbp' must be numeric",
    ),
    "infinite": (
        "sbp ~ age",
        lambda d: with_column(d, age=np.r_[np.inf, np.ones(N - 1)]),
        "hospital",
        r"infinite values in age \(1\)",
    ),
    "infinite by the formula": (
        "sbp ~ np.log(treated)", lambda d: d, "hospital", "must be finite in the formula",
    ),
    "no such column": ("sbp ~ dose", lambda d: d, "hospital", "dose"),
    "no such groups": ("sbp ~ treated", lambda d: d, "clinic", "groups must name a column"),
    "one patient a hospital": (
        "sbp ~ treated", lambda d: with_column(d, hospital=np.arange(N)), "hospital", "told apart",
    ),
    "hospital as fixed effect": ("sbp ~ hospital", lambda d: d, "hospital", "every hospital apart"),
    "no formula": ("treated", lambda d: d, "hospital", "must look like"),
    "broken formula": ("sbp ~ treated +", lambda d: d, "hospital", "cannot be read"),
    "no variation": ("sbp ~ treated", lambda d: with_column(d, sbp=1.0), "hospital", "nothing is"),
    "no variation within": (
        "sbp ~ 1", lambda d: with_column(d, sbp=d["beds"] * 1.0), "hospital", "within hospitals",
    ),
    "not a table": ("sbp ~ treated", lambda d: d.to_dict(), "hospital", "must be a DataFrame"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_with_the_reason(case):
    formula, change, groups, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        mixedlm.fit(formula, change(trial()), groups=groups)


def same(one, other, factor=1.0):
    assert other.hospital_sd == pytest.approx(factor * one.hospital_sd, rel=1e-4)
    np.testing.assert_allclose(other.fixed["se"], factor * one.fixed["se"], rtol=1e-4)
    np.testing.assert_allclose(other.fixed["df"], one.fixed["df"], rtol=1e-2)


@settings(max_examples=6, deadline=None)
@given(st.sampled_from([1e12, 1e-12, 1e6, 1e-3]), st.integers(0, 999))
def test_units_do_not_matter(factor, seed):
    data = trial(rng=seed)
    one = mixedlm.fit("sbp ~ treated", data, groups="hospital")
    other = mixedlm.fit("sbp ~ treated", data.assign(sbp=factor * data["sbp"]), groups="hospital")
    same(one, other, factor)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 999))
def test_rows_names_and_unused_categories_do_not_matter(seed):
    data = trial(rng=seed)
    one = mixedlm.fit("sbp ~ treated + region", data, groups="hospital")
    rng = np.random.default_rng(seed)
    other = data.iloc[rng.permutation(len(data))].set_axis(np.zeros(len(data), dtype=int))
    other["hospital"] = other["hospital"].cat.add_categories(["H98", "H99"])
    other["region"] = other["region"].astype("category").cat.add_categories(["nowhere"])
    before = other.copy(deep=True)
    found = mixedlm.fit("sbp ~ treated + region", other, groups="hospital")
    same(one, found)
    pd.testing.assert_frame_equal(other, before)
    assert found.n_groups == 12


def test_a_repeated_index_does_not_mix_up_wards():
    data = trial(n_wards=3, ward_sd=6)
    wards = {"ward": "0 + C(ward)"}
    one = mixedlm.fit("sbp ~ 1", data, groups="hospital", vc_formula=wards)
    twice = data.set_axis(np.arange(len(data)) // 2)
    other = mixedlm.fit("sbp ~ 1", twice, groups="hospital", vc_formula=wards)
    assert other.loglik == pytest.approx(one.loglik, abs=1e-9)
    data.loc[data.index[::9], "sbp"] = np.nan
    dropped = mixedlm.fit("sbp ~ 1", data, groups="hospital", vc_formula=wards, missing="drop")
    whole = mixedlm.fit("sbp ~ 1", data.dropna(), groups="hospital", vc_formula=wards)
    assert dropped.loglik == pytest.approx(whole.loglik, abs=1e-9)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 999))
def test_groups_of_one_patient_are_fine(seed):
    data = trial(rng=seed)
    codes, _ = codes_of(data["hospital"])
    single = data[(codes > 3) | ~data["hospital"].duplicated()]
    found = mixedlm.fit("sbp ~ treated", single, groups="hospital")
    assert sorted(found.hospitals["n"])[:4] == [1, 1, 1, 1]
    table = found.hospitals
    if found.hospital_sd > 0:
        assert table["weight"].iloc[0] < table["weight"].iloc[-1]


def test_names_of_the_caller_and_quoted_names_work():
    data = trial().rename(columns={"sbp": "blood pressure"})
    centre = 60  # noqa: F841 - the formula reads it

    def half(x):
        return x / 2

    found = mixedlm.fit(
        'Q("blood pressure") ~ half(treated) + I(age - centre)', data, groups="hospital"
    )
    assert list(found.fixed.index) == ["Intercept", "half(treated)", "I(age - centre)"]
    assert len(found.predict(data.head(2))) == 2


def test_variance_components_keep_the_intercept_of_their_groups():
    data = trial(n_wards=3, ward_sd=3)
    with_it = mixedlm.fit("sbp ~ 1", data, groups="hospital", vc_formula={"ward": "0 + C(ward)"})
    without = mixedlm.fit(
        "sbp ~ 1", data, groups="hospital", re_formula="0", vc_formula={"ward": "0 + C(ward)"}
    )
    assert "hospital_sd" in with_it._plain_variances.index
    assert list(without._plain_variances.index) == ["ward_sd", "patient_sd"]
    with pytest.raises(ValueError, match="no random effect"):
        mixedlm.fit("sbp ~ 1", data, groups="hospital", re_formula="0")
    with pytest.raises(ValueError, match="no random intercept"):
        _ = without.hospital_sd


def test_the_result_is_statsmodels_own(model):
    assert isinstance(model, LMMFit)
    assert model.result.model.data.ynames == "sbp"
    assert model.result.scale == pytest.approx(model.patient_sd**2, rel=1e-3)
    assert model.result.cov_re.iloc[0, 0] == pytest.approx(model.hospital_sd**2, rel=1e-2)
