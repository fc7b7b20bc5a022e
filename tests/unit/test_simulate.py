"""MedTrial: each switch does what it says and nothing else."""

import dataclasses
import doctest
import inspect

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit

from utils import _simulate_build, _simulate_streams, simulate
from utils._simulate_truth import Parameters
from utils.simulate import med_trial

BASE = dict(n_hospitals=12, patients_per_hospital=(4, 15), rng=7)
BIG = dict(n_hospitals=2000, patients_per_hospital=40)
RISK = dict(outcome="binary", intercept=-1.4, treatment_effect=-0.5, hospital_sd=0.5)
COUNT = RISK | dict(outcome="count")
COLUMNS = "patient hospital treated age baseline beds teaching region sbp".split()
EVERYTHING = dict(
    treatment_effect_sd=3,
    intercept_effect_correlation=-0.4,
    age_effect=0.3,
    baseline_effect=0.6,
    age_treatment_effect=-0.2,
    beds_effect=0.7,
    teaching_effect=-4,
    region_sd=2,
    n_wards=3,
    ward_sd=2.5,
    n_surgeons=6,
    surgeon_sd=1.5,
    n_noise_predictors=2,
    n_noise_hospital_predictors=2,
)


def expected_sbp(study):
    """Return the documented equation, written again with look-ups by name instead of codes."""
    d, t, h = study.data, study.truth, study.truth.hospitals
    look = d["hospital"].astype(str).map
    effect = look(h["treatment_effect"]) + t.age_treatment_effect * (d["age"] - 60)
    mean = t.intercept + look(h["intercept_effect"]) + effect * d["treated"]
    mean += t.age_effect * (d["age"] - 60) + t.baseline_effect * (d["baseline"] - 150)
    mean += t.beds_effect * (d["beds"] - 500) / 100 + t.teaching_effect * d["teaching"]
    mean += look(h["region_effect"])
    if t.wards is not None:
        mean += d["ward"].astype(str).map(t.wards["ward_effect"])
    if t.surgeons is not None:
        mean += d["surgeon"].astype(str).map(t.surgeons["surgeon_effect"])
    return mean


def close_mean(values, expected, sd=None, z=4.5):
    """Compare a mean with its expectation, within z Monte Carlo standard errors."""
    sd = np.std(values) if sd is None else sd
    return abs(np.mean(values) - expected) < z * sd / np.sqrt(len(values))


def close_sd(values, expected, kurtosis=3.0, z=4.5):
    """Compare an SD with its expectation; its standard error is sd * sqrt((k - 1) / 4n)."""
    error = expected * np.sqrt((kurtosis - 1) / (4 * len(values)))
    return abs(np.std(values) - expected) < z * error


def ols(y, *predictors):
    """Least squares with an intercept: coefficients and standard errors, without the first."""
    x = np.column_stack([np.ones(len(y)), *predictors])
    beta, rss, *_ = np.linalg.lstsq(x, y)
    cov = rss[0] / (len(y) - x.shape[1]) * np.linalg.inv(x.T @ x)
    return beta[1:], np.sqrt(np.diag(cov))[1:]


# --- what comes back -------------------------------------------------------------------------


def test_doctests():
    for module in (simulate, _simulate_build, _simulate_streams):
        assert doctest.testmod(module).failed == 0
    assert doctest.testmod(simulate).attempted >= 6


def test_keywords_parameters_and_docstring_agree():
    keywords = dict(inspect.signature(med_trial).parameters)
    assert all(k.kind is inspect.Parameter.KEYWORD_ONLY for k in keywords.values())
    keywords.pop("rng")
    assert {k: v.default for k, v in keywords.items()} == {
        f.name: f.default for f in dataclasses.fields(Parameters)
    }
    documented = inspect.getdoc(med_trial).split("Returns")[0]
    lines = [line for line in documented.splitlines() if " : " in line and line[0] != " "]
    named = [name for line in lines for name in line.split(" : ")[0].split(", ")]
    assert sorted(named) == sorted([*keywords, "rng"])


def test_defaults_are_the_course_defaults():
    study = med_trial(rng=1)
    t = study.truth
    assert list(study.data.columns) == COLUMNS
    assert (t.intercept, t.treatment_effect, t.hospital_sd, t.patient_sd) == (140, -8, 6, 12)
    assert (t.treatment_effect_sd, t.age_effect, t.baseline_effect) == (0, 0, 0)
    assert t.icc == pytest.approx(36 / (36 + 144))
    assert t.complete_data is None and t.wards is None and t.surgeons is None
    assert len(t.hospitals) == 30 and t.hospitals["n"].between(10, 40).all()
    assert list(t.hospitals.columns) == [
        "n",
        "intercept_effect",
        "treatment_effect",
        "mean",
        "region",
        "region_effect",
        "beds",
        "teaching",
        "patient_sd",
        "treated_share",
    ]


def test_column_types():
    d = med_trial(**BASE, **EVERYTHING).data
    for name in ("hospital", "region", "ward", "surgeon"):
        assert isinstance(d[name].dtype, pd.CategoricalDtype) and not d[name].cat.ordered
    assert all(d[name].dtype == np.int64 for name in ("patient", "treated", "age", "beds"))
    assert d["patient"].tolist() == list(range(1, len(d) + 1))
    assert d.columns[-1] == "sbp" and d["sbp"].dtype == np.float64
    assert not d.isna().any(axis=None)
    assert d["hospital"].cat.categories[0] == "H01" and d["ward"].iloc[0].startswith("H01-W")


def test_many_hospitals_sort_in_numeric_order():
    categories = med_trial(n_hospitals=120, rng=1).data["hospital"].cat.categories
    assert categories[0] == "H001" and list(categories) == sorted(categories)


def test_reprs_are_short_and_say_what_was_asked():
    study = med_trial(n_hospitals=3, patients_per_hospital=[4, 5, 6], hospital_sd=2, rng=5)
    assert repr(study) == "Study: 3 hospitals, 15 patients, seed 5"
    text = repr(study.truth)
    assert "hospital_sd = 2.0" in text and "3 sizes from 4 to 6" in text and "icc" in text
    assert "ward_sd" not in text and len(text.splitlines()) < 14
    assert "ward_sd = 1.0" in repr(med_trial(n_wards=2, ward_sd=1, rng=1).truth)
    one = med_trial(n_hospitals=1, patients_per_hospital=1, rng=np.random.default_rng(1))
    assert repr(one) == "Study: 1 hospital, 1 patient, drawn from a Generator"


def test_truth_is_frozen_and_its_tables_are_copies():
    study = med_trial(**BASE, missing="outcome")
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.truth.hospital_sd = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.seed = 0
    hospitals, complete = study.truth.hospitals, study.truth.complete_data
    hospitals["intercept_effect"] = 0.0
    hospitals.loc["H01", "mean"] = -1.0
    complete["sbp"] = 0.0
    study.data["baseline"] = 0.0
    study.data.loc[0, "age"] = -1
    assert study.truth.hospitals["intercept_effect"].std() > 0
    assert study.truth.hospitals.loc["H01", "mean"] > 0
    assert study.truth.complete_data["sbp"].mean() > 50
    assert study.truth.complete_data["baseline"].mean() > 50
    assert study.truth.complete_data.loc[0, "age"] >= 18
    assert (study.data["baseline"] == 0).all()


def test_sizes_given_by_the_caller_are_kept_and_not_shared():
    sizes = np.array([3, 1, 8])
    study = med_trial(n_hospitals=3, patients_per_hospital=sizes, rng=1)
    sizes[:] = 99
    assert study.truth.hospitals["n"].tolist() == [3, 1, 8]
    assert study.truth.patients_per_hospital.tolist() == [3, 1, 8]
    assert study.data["hospital"].value_counts(sort=False).tolist() == [3, 1, 8]
    with pytest.raises(ValueError):
        study.truth.patients_per_hospital[0] = 5


# --- random numbers --------------------------------------------------------------------------


def test_seed_reproduces_and_is_reported():
    first = med_trial(**BASE, **EVERYTHING)
    pd.testing.assert_frame_equal(first.data, med_trial(**BASE, **EVERYTHING).data)
    assert first.seed == 7 and isinstance(med_trial(rng=np.int64(3)).seed, int)
    assert not med_trial(rng=8).data.equals(med_trial(rng=9).data)


def test_the_numbers_of_a_seed_do_not_change():
    # Stored lesson outputs and learners' own hospitals rest on these: change them on purpose only.
    d = med_trial(rng=1).data
    np.testing.assert_allclose(
        d["sbp"].head(4), [159.493234, 160.176859, 132.434773, 163.809731], atol=1e-6
    )
    assert d["age"].head(5).tolist() == [46, 44, 44, 44, 77]
    assert d["treated"].head(8).tolist() == [0, 0, 1, 1, 0, 0, 1, 1]


def test_without_a_seed_the_entropy_used_gives_the_same_study_again():
    study = med_trial()
    pd.testing.assert_frame_equal(study.data, med_trial(rng=study.seed).data)
    assert med_trial().seed != study.seed


def test_generator_works_moves_on_and_reproduces():
    rng = np.random.default_rng(3)
    one, two = med_trial(rng=rng), med_trial(rng=rng)
    assert one.seed is None and not one.data.equals(two.data)
    pd.testing.assert_frame_equal(one.data, med_trial(rng=np.random.default_rng(3)).data)


def test_global_random_state_is_not_touched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    med_trial(rng=1)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_streams_have_distinct_names_and_numbers():
    names = _simulate_streams.STREAMS
    streams = _simulate_streams.Streams(1)
    assert len(set(names)) == len(names)
    assert len({streams[name].integers(2**63) for name in names}) == len(names)


@settings(max_examples=40, deadline=None)
@given(
    n_hospitals=st.integers(2, 12),
    size=st.integers(1, 12) | st.tuples(st.integers(1, 4), st.integers(4, 30)),
    share=st.floats(0, 1),
    hospital_sd=st.floats(0.1, 20),
    law=st.sampled_from(["normal", "skewed", "bimodal"]),
    error=st.sampled_from(["normal", "student_t", "differs by hospital", "outliers"]),
    missing=st.sampled_from([None, "outcome", "covariate"]),
    mechanism=st.sampled_from(["MCAR", "MAR", "MNAR"]),
    extras=st.booleans(),
    seed=st.integers(0, 2**64),
)
def test_any_study_is_whole_and_follows_its_equation(
    n_hospitals, size, share, hospital_sd, law, error, missing, mechanism, extras, seed
):
    asked = dict(
        n_hospitals=n_hospitals,
        patients_per_hospital=size,
        treated_share=share,
        hospital_sd=hospital_sd,
        hospital_law=law,
        error_law=error,
        missing=missing,
        missing_mechanism=mechanism,
        rng=seed,
        **(EVERYTHING if extras else {}),
    )
    study = med_trial(**asked)
    d, h = study.data, study.truth.hospitals
    assert len(d) == h["n"].sum() and len(h) == n_hospitals and study.seed == seed
    low, high = size if isinstance(size, tuple) else (size, size)
    assert h["n"].between(low, high).all()
    codes = d["hospital"].cat.codes
    assert (np.bincount(codes, minlength=n_hospitals) == h["n"]).all()
    assert set(d["treated"]) <= {0, 1} and d["age"].between(18, 102).all()
    treated = d.groupby("hospital", observed=False)["treated"].sum()
    assert ((treated - share * h["n"]).abs() < 1).all()
    np.testing.assert_allclose(h["treated_share"], treated / h["n"])
    assert (d.groupby("hospital", observed=True)[["beds", "teaching"]].nunique() == 1).all(
        axis=None
    )
    if missing is None:
        no_error = med_trial(**asked | dict(patient_sd=0))
        np.testing.assert_allclose(no_error.data["sbp"], expected_sbp(no_error), atol=1e-9)


# --- each switch, and nothing else -----------------------------------------------------------

ISOLATED = {  # switches, and the columns that may change
    "intercept": (dict(intercept=100), {"sbp"}),
    "treatment_effect": (dict(treatment_effect=5), {"sbp"}),
    "treatment_effect_sd": (dict(treatment_effect_sd=5), {"sbp"}),
    "hospital_sd": (dict(hospital_sd=1), {"sbp"}),
    "patient_sd": (dict(patient_sd=1), {"sbp"}),
    "age_effect": (dict(age_effect=1), {"sbp"}),
    "baseline_effect": (dict(baseline_effect=1), {"sbp"}),
    "age_treatment_effect": (dict(age_treatment_effect=1), {"sbp"}),
    "beds_effect": (dict(beds_effect=1), {"sbp"}),
    "teaching_effect": (dict(teaching_effect=1), {"sbp"}),
    "region_sd": (dict(region_sd=3), {"sbp"}),
    "n_regions": (dict(n_regions=2), {"region"}),
    "wards": (dict(n_wards=2, ward_sd=3), {"ward", "sbp"}),
    "wards without effect": (dict(n_wards=2), {"ward"}),
    "surgeons": (dict(n_surgeons=3, surgeon_sd=3), {"surgeon", "sbp"}),
    "treated by hospital": (dict(assignment="hospital"), {"treated", "sbp"}),
    "sicker hospitals": (dict(assignment="sicker hospitals more"), {"treated", "sbp"}),
    "treated_share": (dict(treated_share=0.2), {"treated", "sbp"}),
    "hospital_law": (dict(hospital_law="skewed"), {"sbp"}),
    "error_law": (dict(error_law="student_t"), {"sbp"}),
    "outliers": (dict(error_law="outliers"), {"sbp"}),
    "missing outcome": (dict(missing="outcome"), {"sbp"}),
    "missing covariate": (dict(missing="covariate"), {"baseline"}),
    "noise": (dict(n_noise_predictors=2), {"noise_1", "noise_2"}),
    "hospital noise": (dict(n_noise_hospital_predictors=1), {"hospital_noise_1"}),
    "idle confounding": (dict(confounding=3), set()),
    "binary": (RISK, {"sbp", "event"}),
    "count": (COUNT, {"sbp", "admissions"}),
}


@pytest.mark.parametrize("switch", ISOLATED)
def test_switch_changes_only_its_own_columns(switch):
    keywords, may_change = ISOLATED[switch]
    plain, other = med_trial(**BASE).data, med_trial(**BASE | keywords).data
    names = set(plain.columns) | set(other.columns)
    differ = {n for n in names if n not in plain or n not in other or not plain[n].equals(other[n])}
    assert differ == may_change


def test_everything_at_once_leaves_the_errors_as_they_were():
    plain, full = med_trial(**BASE), med_trial(**BASE, **EVERYTHING)
    np.testing.assert_allclose(
        plain.data["sbp"] - expected_sbp(plain), full.data["sbp"] - expected_sbp(full), atol=1e-9
    )


def test_effects_shift_the_outcome_by_exactly_what_they_say():
    plain = med_trial(**BASE).data

    def shift(**keywords):
        return med_trial(**BASE, **keywords).data["sbp"] - plain["sbp"]

    close = np.testing.assert_allclose
    close(shift(treatment_effect=-3), 5 * plain["treated"], atol=1e-9)
    close(shift(age_effect=0.5), 0.5 * (plain["age"] - 60), atol=1e-9)
    close(shift(baseline_effect=2), 2 * (plain["baseline"] - 150), atol=1e-9)
    close(shift(age_treatment_effect=0.1), 0.1 * (plain["age"] - 60) * plain["treated"], atol=1e-9)
    close(shift(beds_effect=2), (plain["beds"] - 500) / 50, atol=1e-9)
    close(shift(teaching_effect=3), 3 * plain["teaching"], atol=1e-9)
    effects = med_trial(**BASE).truth.hospitals["intercept_effect"]
    close(shift(hospital_sd=12), plain["hospital"].astype(str).map(effects).to_numpy(), atol=1e-9)


def test_more_hospitals_keep_the_first_ones_and_more_noise_keeps_the_first_column():
    few = med_trial(n_hospitals=10, patients_per_hospital=8, rng=2).data
    many = med_trial(n_hospitals=90, patients_per_hospital=8, rng=2).data.head(len(few))
    for name in [*COLUMNS[2:7], "sbp"]:
        np.testing.assert_array_equal(few[name], many[name])
    one = med_trial(**BASE, n_noise_predictors=1).data
    assert one["noise_1"].equals(med_trial(**BASE, n_noise_predictors=3).data["noise_1"])


def test_binary_and_count_outcomes_move_one_way_with_the_effect():
    for kind, name in ((RISK, "event"), (COUNT, "admissions")):
        low = med_trial(**BASE | kind | dict(treatment_effect=-1)).data
        high = med_trial(**BASE | kind | dict(treatment_effect=1)).data
        change = high[name] - low[name]
        assert (change[high["treated"] == 0] == 0).all() and (change >= 0).all()
        assert change.sum() > 0


# --- moments against closed forms ------------------------------------------------------------


def test_covariates_have_the_documented_moments():
    study = med_trial(**BIG, n_noise_predictors=1, n_noise_hospital_predictors=1, rng=11)
    d, h = study.data, study.truth.hospitals
    assert close_mean(d["age"], 60) and close_sd(d["age"], np.sqrt(100 + 1 / 12))
    assert close_mean(d["baseline"], 150) and close_sd(d["baseline"], np.sqrt(225 + 1 / 12))
    assert (d["baseline"] % 1 == 0).all()
    assert h["beds"].between(100, 900).all() and (h["beds"] % 10 == 0).all()
    assert close_mean(h["beds"], 500) and close_sd(h["beds"], 10 * np.sqrt((81**2 - 1) / 12), 1.8)
    assert close_mean(h["teaching"], 0.3)
    assert h["region"].value_counts().tolist() == [500] * 4
    assert close_mean(d["noise_1"], 0) and close_sd(d["noise_1"], 1)
    # Nothing is related to anything: 4.5 standard errors of a correlation of 0.
    table = d[["treated", "age", "baseline", "noise_1", "sbp"]].drop(columns="treated").corr()
    off = table.to_numpy()[np.triu_indices(len(table), 1)]
    assert np.abs(off).max() < 4.5 / np.sqrt(len(d))
    table = h[["n", "intercept_effect", "beds", "teaching"]].drop(columns="n").corr()
    assert np.abs(table.to_numpy()[np.triu_indices(3, 1)]).max() < 4.5 / np.sqrt(len(h))
    assert (d.groupby("hospital", observed=True)["hospital_noise_1"].nunique() == 1).all()


def test_icc_is_the_correlation_of_two_patients_of_one_hospital():
    study = med_trial(n_hospitals=20_000, patients_per_hospital=2, treated_share=0, rng=4)
    pairs = study.data["sbp"].to_numpy().reshape(-1, 2)
    error = (1 - study.truth.icc**2) / np.sqrt(len(pairs))
    assert abs(np.corrcoef(pairs.T)[0, 1] - study.truth.icc) < 4.5 * error


def test_icc_counts_every_level_and_is_none_where_undefined():
    levels = dict(region_sd=3, n_wards=2, ward_sd=4, n_surgeons=3, surgeon_sd=5)
    icc = med_trial(**BASE, **levels).truth.icc
    assert icc == pytest.approx((36 + 9) / (36 + 9 + 16 + 25 + 144))
    assert med_trial(**BASE | RISK).truth.icc is None
    assert med_trial(**BASE, error_law="grows with mean").truth.icc is None
    assert med_trial(**BASE, hospital_sd=0, patient_sd=0).truth.icc is None


def test_hospital_and_treatment_effects_have_their_moments_and_correlation():
    rho = -0.6
    for law, kurtosis in (("normal", 3), ("skewed", 9), ("bimodal", 1.7)):
        h = med_trial(
            n_hospitals=20_000,
            patients_per_hospital=1,
            hospital_law=law,
            treatment_effect_sd=3,
            intercept_effect_correlation=rho,
            rng=6,
        ).truth.hospitals
        u, effect = h["intercept_effect"], h["treatment_effect"]
        assert close_mean(u, 0) and close_sd(u, 6, kurtosis)
        assert close_mean(effect, -8) and close_sd(effect, 3, kurtosis)
        # For a skewed law the error of a correlation is at most about twice the normal one's.
        error = (1 - rho**2) / np.sqrt(len(h)) * (2 if law == "skewed" else 1)
        assert abs(np.corrcoef(u, effect)[0, 1] - rho) < 4.5 * error
        np.testing.assert_allclose(h["mean"], 140 + u)


def test_hospital_laws_are_the_documented_ones():
    z = _simulate_streams.normal_grid(200_001)
    skewed = _simulate_streams.hospital_scores(z, "skewed")
    assert stats.kstest(skewed, stats.expon(loc=-1).cdf).statistic < 1e-4
    assert stats.skew(skewed) == pytest.approx(2, abs=0.02)
    bimodal = _simulate_streams.hospital_scores(z, "bimodal")
    inner = np.sqrt(1 - 0.9**2)

    def cdf(x):
        return (stats.norm.cdf(x, -0.9, inner) + stats.norm.cdf(x, 0.9, inner)) / 2

    assert stats.kstest(bimodal, cdf).statistic < 1e-4
    edge = _simulate_streams.hospital_scores(np.array([-30.0, -0.0, 0.0, 30.0]), "bimodal")
    assert np.isfinite(edge).all()
    for scores in (skewed, bimodal):
        assert scores.mean() == pytest.approx(0, abs=1e-4)
        assert scores.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("law", "kurtosis"),
    [
        (dict(error_law="normal"), 3),
        (dict(error_law="student_t", error_df=12), 3 + 6 / 8),
        (dict(error_law="differs by hospital", error_spread=0.3), 3 * np.exp(4 * 0.3**2)),
        (
            dict(error_law="outliers"),
            3 * (0.95 + 0.05 * 5**4) / (0.95 + 0.05 * 5**2) ** 2,
        ),
    ],
)
def test_error_laws_keep_the_patient_sd(law, kurtosis):
    study = med_trial(**BIG, **law, rng=21)
    error = study.data["sbp"] - expected_sbp(study)
    assert close_mean(error, 0)
    # Patients of one hospital share its SD, so the hospitals count there, not the patients.
    shared = law["error_law"] == "differs by hospital"
    if shared:
        sds = study.truth.hospitals["patient_sd"]
        squares = error.groupby(study.data["hospital"], observed=True).var()
        assert close_mean(sds**2, 144) and close_mean(squares, 144)
        assert close_sd(np.log(sds), 0.3)
        z = error / np.repeat(sds.to_numpy(), 40)
        assert close_sd(z, 1)
    else:
        assert close_sd(error, 12, kurtosis)
        assert stats.kurtosis(error, fisher=False) == pytest.approx(kurtosis, rel=0.15)


def test_student_t_errors_are_student_t():
    study = med_trial(**BIG, error_law="student_t", error_df=4, rng=22)
    error = (study.data["sbp"] - expected_sbp(study)) / 12 * np.sqrt(2)
    assert stats.kstest(error, stats.t(4).cdf).pvalue > 1e-4


def test_outliers_are_as_many_and_as_large_as_asked():
    asked = dict(error_law="outliers", outlier_share=0.1, outlier_scale=8)
    study = med_trial(**BIG, **asked, rng=23)
    same = med_trial(**BIG, rng=23)
    ratio = (study.data["sbp"] - expected_sbp(study)) / (same.data["sbp"] - expected_sbp(same))
    low, high = ratio.min(), ratio.max()
    assert high / low == pytest.approx(8, rel=1e-6)
    assert close_mean(ratio > (low + high) / 2, 0.1)


def test_error_sd_grows_with_the_mean():
    study = med_trial(**BIG, error_law="grows with mean", error_spread=0.5, rng=24)
    mean = expected_sbp(study)
    z = (study.data["sbp"] - mean) / (12 * np.exp(0.05 * (mean - 140)))
    assert close_mean(z, 0) and close_sd(z, 1)
    assert abs(np.corrcoef(np.abs(z), mean)[0, 1]) < 4.5 / np.sqrt(len(z))


def test_wards_regions_and_surgeons_have_their_spread():
    study = med_trial(
        n_hospitals=1500,
        patients_per_hospital=12,
        n_wards=3,
        ward_sd=4,
        n_surgeons=900,
        surgeon_sd=2,
        n_regions=1000,
        region_sd=5,
        rng=31,
    )
    t, d = study.truth, study.data
    assert len(t.wards) == 4500 and close_sd(t.wards["ward_effect"], 4)
    assert len(t.surgeons) == 900 and close_sd(t.surgeons["surgeon_effect"], 2)
    assert close_sd(t.hospitals["region_effect"].iloc[:1000], 5)
    assert (t.hospitals.groupby("region", observed=True)["region_effect"].nunique() == 1).all()
    home = d["ward"].astype(str).str.split("-").str[0]
    assert (home == d["hospital"].astype(str)).all()
    assert (t.wards["hospital"].astype(str) == t.wards.index.str.split("-").str[0]).all()
    counts = d["surgeon"].value_counts(sort=False)
    assert stats.chisquare(counts).pvalue > 1e-4 and counts.min() > 0
    in_wards = d["ward"].astype(str).str[-1]
    assert stats.chisquare(in_wards.value_counts()).pvalue > 1e-4


# --- treatment -------------------------------------------------------------------------------


def test_every_patient_has_the_same_chance_of_treatment():
    sizes = np.tile([1, 2, 3, 7, 33], 400)
    study = med_trial(n_hospitals=2000, patients_per_hospital=sizes, treated_share=0.3, rng=41)
    d, h = study.data, study.truth.hospitals
    rank = d.groupby("hospital", observed=True).cumcount()
    for size in (1, 2, 3, 7, 33):
        inside = d["hospital"].cat.codes.to_numpy() % 5 == [1, 2, 3, 7, 33].index(size)
        chances = d["treated"][inside].groupby(rank[inside]).mean()
        assert np.abs(chances - 0.3).max() < 4.5 * np.sqrt(0.3 * 0.7 / 400)
    treated = h["treated_share"] * h["n"]
    assert ((treated - 0.3 * h["n"]).abs() < 1).all()
    assert close_mean(treated - 0.3 * h["n"], 0)


def test_within_a_hospital_every_pair_is_as_likely():
    d = med_trial(n_hospitals=6000, patients_per_hospital=4, hospital_sd=0, rng=42).data
    patterns = d["treated"].to_numpy().reshape(-1, 4) @ [8, 4, 2, 1]
    values, counts = np.unique(patterns, return_counts=True)
    assert values.tolist() == [3, 5, 6, 9, 10, 12]
    assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize(("share", "shares"), [(0, {0}), (1, {1}), (0.5, {0.5})])
def test_whole_shares_come_out_exactly(share, shares):
    study = med_trial(n_hospitals=9, patients_per_hospital=10, treated_share=share, rng=1)
    assert set(study.truth.hospitals["treated_share"]) == shares
    ten = med_trial(n_hospitals=9, patients_per_hospital=10, treated_share=0.3, rng=1)
    assert (ten.truth.hospitals["treated_share"] == 0.3).all()


@pytest.mark.parametrize("n", [2, 10, 30])
def test_treatment_by_hospital_takes_exactly_half(n):
    for seed in range(5):
        shares = med_trial(n_hospitals=n, assignment="hospital", rng=seed).truth.hospitals
        assert sorted(shares["treated_share"]) == [0.0] * (n // 2) + [1.0] * (n // 2)


def test_treatment_by_hospital_gives_each_hospital_the_same_chance():
    asked = dict(n_hospitals=5, patients_per_hospital=1, assignment="hospital")
    treated = np.array([med_trial(**asked, rng=s).data["treated"] for s in range(120)])
    assert set(treated.sum(axis=1)) == {2, 3}
    assert np.abs(treated.mean(axis=0) - 0.5).max() < 4.5 * 0.5 / np.sqrt(120)


@pytest.mark.parametrize("law", ["normal", "skewed", "bimodal"])
def test_sicker_hospitals_treat_more_and_the_share_is_kept(law):
    study = med_trial(
        **BIG,
        assignment="sicker hospitals more",
        confounding=1.5,
        treated_share=0.4,
        hospital_law=law,
        rng=51,
    )
    h = study.truth.hospitals
    assert close_mean(h["treated_share"], 0.4)
    # log-odds of the expected share are a line with slope 1.5 in the standardised effect
    chance = expit(1.5 * h["intercept_effect"] / 6)
    odds = logit((h["treated_share"] * 40 + 0.5) / 41)
    inside = h["treated_share"].between(0.2, 0.8)
    slope = np.polyfit(logit(chance)[inside], odds[inside], 1)[0]
    assert slope == pytest.approx(1, abs=0.08)
    naive, error = ols(study.data["sbp"], study.data["treated"])
    assert naive[0] - -8 > 10 * error[0]
    means = study.data.groupby("hospital", observed=True)[["sbp", "treated"]].transform("mean")
    within = study.data[["sbp", "treated"]] - means
    estimate, error = ols(within["sbp"], within["treated"])
    assert abs(estimate[0] + 8) < 4.5 * error[0]


def test_sicker_patients_bias_ols_and_baseline_cures_it():
    study = med_trial(
        **BIG,
        assignment="sicker patients more",
        confounding=1.2,
        treated_share=0.3,
        baseline_effect=0.5,
        rng=52,
    )
    d = study.data
    assert close_mean(d["treated"], 0.3)
    naive, error = ols(d["sbp"], d["treated"])
    assert naive[0] + 8 > 10 * error[0]
    hospital = d["sbp"] - d["hospital"].astype(str).map(study.truth.hospitals["intercept_effect"])
    adjusted, error = ols(hospital, d["treated"], d["baseline"])
    assert abs(adjusted[0] + 8) < 4.5 * error[0] and abs(adjusted[1] - 0.5) < 4.5 * error[1]
    # The chance of treatment is a logistic line in baseline, slope 1.2 per 15 mmHg.
    shares = d.groupby("baseline")["treated"].agg(["mean", "size"]).query("size > 400")
    slope = np.polyfit((shares.index - 150) / 15, logit(shares["mean"]), 1, w=shares["size"] ** 0.5)
    assert slope[0] == pytest.approx(1.2, abs=0.06)


def test_confounding_of_zero_does_not_confound():
    for assignment in ("sicker hospitals more", "sicker patients more"):
        study = med_trial(**BIG, assignment=assignment, confounding=0, rng=53)
        d = study.data
        assert close_mean(d["treated"], 0.5)
        estimate, error = ols(d["sbp"], d["treated"])
        assert abs(estimate[0] + 8) < 4.5 * error[0]


# --- other outcomes, missing values ----------------------------------------------------------


def test_binary_risk_is_on_the_logit_scale():
    study = med_trial(**BIG | RISK, rng=61)
    d, h = study.data, study.truth.hospitals
    assert set(d["event"]) == {0, 1} and d.columns[-1] == "event" and "sbp" not in d
    u = d["hospital"].astype(str).map(h["intercept_effect"])
    risk = expit(-1.4 + u - 0.5 * d["treated"])
    residual = d["event"] - risk
    for part in (residual, residual * d["treated"], residual * u):
        assert close_mean(part, 0)
    np.testing.assert_allclose(h["mean"], expit(-1.4 + h["intercept_effect"]))
    assert h["patient_sd"].isna().all()


def test_count_rate_is_on_the_log_scale_and_overdispersion_adds_variance():
    for extra in (0.0, 0.7):
        study = med_trial(**BIG | COUNT, overdispersion=extra, rng=62)
        d = study.data
        u = d["hospital"].astype(str).map(study.truth.hospitals["intercept_effect"])
        rate = np.exp(-1.4 + u - 0.5 * d["treated"] + extra**2 / 2)  # log-normal mean
        residual = d["admissions"] - rate
        for part in (residual, residual * d["treated"], residual * u):
            assert close_mean(part, 0)
        variance = rate + rate**2 * (np.exp(extra**2) - 1)
        assert close_mean(residual**2 - variance, 0)


@settings(max_examples=30, deadline=None)
@given(
    probability=st.lists(st.floats(0, 0.999999), min_size=1, max_size=30),
    rate=st.floats(0.001, 60),
)
def test_poisson_quantile_is_scipys(probability, rate):
    u = np.array(probability)
    rates = np.linspace(rate / 5, rate, u.size)
    ours, theirs = _simulate_build.poisson_quantile(u, rates), stats.poisson.ppf(u, rates)
    theirs = np.maximum(theirs, 0)  # scipy gives -1 for probability 0
    # A probability within rounding of a step may fall on either side of it.
    step = np.abs(stats.poisson.cdf(np.minimum(ours, theirs), rates) - u) < 1e-12
    assert ((ours == theirs) | (step & (np.abs(ours - theirs) == 1))).all()


def test_missing_values_keep_the_complete_data():
    for missing, target in (("outcome", "sbp"), ("covariate", "baseline")):
        study = med_trial(**BASE, missing=missing, missing_share=0.4)
        complete, seen = study.truth.complete_data, study.data[target].notna()
        pd.testing.assert_frame_equal(complete, med_trial(**BASE).data)
        assert 0 < seen.sum() < len(seen)
        assert study.data.loc[seen, target].equals(complete.loc[seen, target])
        assert list(study.data.columns) == list(complete.columns)
        assert study.data.drop(columns=target).notna().all(axis=None)


REASONS = {
    ("outcome", "MCAR"): None,
    ("outcome", "MAR"): "baseline",
    ("outcome", "MNAR"): "sbp",
    ("covariate", "MCAR"): None,
    ("covariate", "MAR"): "age",
    ("covariate", "MNAR"): "baseline",
    ("covariate", "by outcome"): "sbp",
}


@pytest.mark.parametrize("case", REASONS, ids=" ".join)
def test_missingness_has_its_share_and_its_one_reason(case):
    missing, mechanism = case
    study = med_trial(
        **BIG, missing=missing, missing_mechanism=mechanism, missing_share=0.3, rng=71
    )
    complete = study.truth.complete_data
    lost = study.data[{"outcome": "sbp", "covariate": "baseline"}[missing]].isna()
    assert close_mean(lost, 0.3)
    for name in ("age", "baseline", "sbp"):
        z = (complete[name] - complete[name].mean()) / complete[name].std()
        difference = z[lost].mean() - z[~lost].mean()
        error = np.sqrt(1 / lost.sum() + 1 / (~lost).sum())
        if name == REASONS[case]:
            bins = pd.qcut(z, 20)
            odds = logit(lost.groupby(bins, observed=True).mean())
            slope = np.polyfit(z.groupby(bins, observed=True).mean()[1:-1], odds[1:-1], 1)[0]
            assert slope == pytest.approx(1.5, abs=0.1)
        else:
            assert abs(difference) < 4.5 * error


def test_missing_count_becomes_float_with_nan():
    column = med_trial(**BASE | COUNT, missing="outcome").data["admissions"]
    assert column.dtype == np.float64 and column.isna().any()
    assert med_trial(**BASE, missing="outcome", missing_share=0).data["sbp"].notna().all()
    one = dict(n_hospitals=1, patients_per_hospital=1, rng=1)
    assert len(med_trial(**one, missing="outcome", missing_mechanism="MNAR").data) == 1


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0.01, 0.99), slope=st.floats(0, 8), seed=st.integers(0, 10))
def test_logit_intercept_meets_the_share(share, slope, seed):
    scores = np.random.default_rng(seed).standard_normal(200)
    start = _simulate_streams.logit_intercept(share, slope, scores)
    assert expit(start + slope * scores).mean() == pytest.approx(share, abs=1e-9)


# --- refusals --------------------------------------------------------------------------------

REFUSED = [
    (dict(n_hospitals=0), "n_hospitals must be a whole number >= 1; received 0"),
    (dict(n_hospitals=2.5), "received 2.5"),
    (dict(n_hospitals=True), "received True"),
    (dict(n_wards=-1), "n_wards must be a whole number >= 0; received -1"),
    (dict(patients_per_hospital=0), "patients_per_hospital .* received 0"),
    (dict(patients_per_hospital=(9, 3)), r"needs low <= high; received \(9, 3\)"),
    (dict(patients_per_hospital=(0, 3)), "received 0"),
    (dict(patients_per_hospital=[5, 6]), r"each of the 30 hospitals; received \[5, 6\]"),
    (dict(patients_per_hospital=[[1], [2, 3]]), r"received \[\[1\], \[2, 3\]\]"),
    (dict(patients_per_hospital=[2.0] * 30), "one whole number >= 1 for each"),
    (dict(patients_per_hospital=[0] * 30), "one whole number >= 1 for each"),
    (dict(patients_per_hospital="many"), "received 'many'"),
    (dict(patients_per_hospital=None), "received None"),
    (dict(hospital_sd=-1), "hospital_sd must be a finite number >= 0; received -1"),
    (dict(patient_sd=np.inf), "patient_sd must be a finite number >= 0; received inf"),
    (dict(treatment_effect=np.nan), "treatment_effect must be a finite number; received nan"),
    (dict(treatment_effect="8"), "treatment_effect must be a finite number; received '8'"),
    (dict(treated_share=1.2), "treated_share must be a finite number from 0 to 1; received 1.2"),
    (dict(outlier_scale=0.5), "outlier_scale .* received 0.5"),
    (dict(intercept_effect_correlation=2), "from -1 to 1; received 2"),
    (dict(intercept_effect_correlation=0.5), "needs hospital_sd > 0 and treatment_effect_sd > 0"),
    (dict(assignment="coin"), "assignment must be one of 'patient', .* received 'coin'"),
    (dict(assignment=np.array(["patient"])), "assignment must be one of"),
    (dict(error_law=None), "error_law must be one of .* received None"),
    (dict(missing="age"), "missing must be one of None, .* received 'age'"),
    (dict(ward_sd=2), "ward_sd > 0 needs n_wards > 0"),
    (dict(surgeon_sd=2), "surgeon_sd > 0 needs n_surgeons > 0"),
    (dict(error_law="student_t", error_df=2), "needs error_df > 2, .* received 2.0"),
    (dict(assignment="hospital", n_hospitals=1), "a hospital in each arm"),
    (dict(assignment="hospital", treated_share=0), "a hospital in each arm"),
    (dict(assignment="hospital", n_hospitals=5, treated_share=0.9), "a hospital in each arm"),
    (dict(assignment="sicker hospitals more", treated_share=1), "needs 0 < treated_share < 1"),
    (dict(assignment="sicker hospitals more", hospital_sd=0), "needs hospital_sd > 0"),
    (dict(assignment="sicker patients more"), "baseline_effect must not be 0; received 0.0"),
    (dict(confounding=-1), "confounding must be a finite number >= 0"),
    (dict(outcome="binary"), "intercept is on the logit scale, .* received 140.0"),
    (dict(outcome="count", intercept=0), "treatment_effect is on the log scale, .* -8.0"),
    (dict(RISK, error_law="outliers"), "error_law must be 'normal'; received 'outliers'"),
    (dict(overdispersion=1), "overdispersion is for outcome='count' only; received 1.0"),
    (dict(RISK, overdispersion=1), "overdispersion is for outcome='count' only"),
    (dict(missing="outcome", missing_share=1), "missing_share must be below 1; received 1.0"),
    (dict(missing="outcome", missing_mechanism="by outcome"), "is missing_mechanism='MNAR'"),
    (dict(rng=-1), "rng must be .* not -1"),
    (dict(rng=1.5), "rng must be .* not 1.5"),
    (dict(rng=True), "rng must be .* not True"),
    (dict(rng="seed"), "rng must be .* not 'seed'"),
]


@pytest.mark.parametrize(("keywords", "message"), REFUSED)
def test_impossible_requests_are_refused_with_rule_and_value(keywords, message):
    with pytest.raises(ValueError, match=message):
        med_trial(**keywords)


def test_every_numeric_keyword_refuses_nan():
    for item in dataclasses.fields(Parameters):
        with pytest.raises(ValueError, match=item.name):
            med_trial(**{item.name: float("nan")})


def test_positional_arguments_are_refused():
    with pytest.raises(TypeError):
        med_trial(30)
