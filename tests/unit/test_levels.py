import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from utils import costs, level_figures, level_trials, levels, mixedlm
from utils.datasets import load
from utils.simulate import med_trial

SDS = {"region": 3, "hospital": 6, "ward": 6, "patient": 12}
COUNTS = {"region": 4, "hospital": 4, "ward": 2, "patient": 6}
MODELS = {"none": [], "hospitals": ["hospital"], "wards": ["ward"], "both": ["hospital", "ward"]}
TREE = {"groups": "hospital", "vc_formula": {"ward": "0 + C(ward)"}}


def balanced(rng, counts, sds, given_by):
    """Return patients of hospitals of wards, half of a level's units treated, nothing by it."""
    hospitals, wards, size = counts.values()
    y = (
        rng.normal(0, sds["hospital"], (hospitals, 1, 1))
        + rng.normal(0, sds["ward"], (hospitals, wards, 1))
        + rng.normal(0, sds["patient"], (hospitals, wards, size))
    )
    index = np.indices(y.shape)[list(counts).index(given_by)]
    h, w, _ = np.indices(y.shape)
    return pd.DataFrame(
        {
            "hospital": h.ravel(),
            "ward": (100 * h + w).ravel(),
            "treated": (index % 2).ravel(),
            "sbp": y.ravel(),
        }
    )


def squares_of(data, counts, given_by):
    """Return estimate, mean squares and degrees of freedom, the treatment taken out."""
    hospitals, wards, size = counts.values()
    x = data["treated"] - 0.5
    estimate = 4 * (x * data["sbp"]).mean()
    y = (data["sbp"] - estimate * x).to_numpy().reshape(hospitals, wards, size)
    means = y.mean(axis=2)
    sums = np.array(
        [
            wards * size * ((means.mean(axis=1) - y.mean()) ** 2).sum(),
            size * ((means - means.mean(axis=1, keepdims=True)) ** 2).sum(),
            ((y - means[..., None]) ** 2).sum(),
        ]
    )
    freedom = np.array([hospitals - 1, hospitals * (wards - 1), hospitals * wards * (size - 1)])
    freedom = freedom - (np.array(list(counts)) == given_by)
    return estimate, sums / freedom, freedom


# ---------------------------------------------------------------- closed forms


def test_shares_and_correlations_of_round_numbers():
    assert levels.variance_shares(SDS).to_dict() == pytest.approx(
        {"region": 0.04, "hospital": 0.16, "ward": 0.16, "patient": 0.64}
    )
    assert levels.correlations(SDS).to_dict() == pytest.approx(
        {"region": 0.04, "hospital": 0.2, "ward": 0.36}
    )
    assert levels.correlations({"hospital": 0, "patient": 2})["hospital"] == 0


def test_correlations_of_simulated_pairs():
    data = med_trial(
        n_regions=2500, n_hospitals=5000, n_wards=2, patients_per_hospital=8, treated_share=0,
        region_sd=6, hospital_sd=6, ward_sd=6, patient_sd=6, rng=1,
    ).data  # fmt: skip
    found = levels.pair_correlations(data, ["region", "hospital", "ward"])
    np.testing.assert_allclose(found["correlation"], [0.25, 0.5, 0.75], atol=0.03)
    assert found["pairs"].sum() == 2500 * 16 * 15 / 2
    assert found.loc["region", "pairs"] == 2500 * 8 * 8


def test_mean_squares_of_drawn_units():
    rng = np.random.default_rng(2)
    shape = (*COUNTS.values(),)
    y = np.zeros((4000, *shape))
    for depth, sd in enumerate(SDS.values(), start=1):
        y = y + rng.normal(0, sd, (4000, *shape[:depth], *[1] * (4 - depth)))
    means = [y.mean(axis=(2, 3, 4)), y.mean(axis=(3, 4)), y.mean(axis=4), y]
    observed = [
        mean.var(axis=-1, ddof=1).mean() * np.prod(shape[depth + 1 :])
        for depth, mean in enumerate(means)
    ]
    np.testing.assert_allclose(observed, levels.mean_squares(SDS, COUNTS), rtol=0.05)


@pytest.mark.parametrize("given_by", SDS)
def test_a_treatments_standard_error_is_its_scatter(given_by):
    rng = np.random.default_rng(3)
    shape = (*COUNTS.values(),)
    y = np.zeros((4000, *shape))
    for depth, sd in enumerate(SDS.values(), start=1):
        y = y + rng.normal(0, sd, (4000, *shape[:depth], *[1] * (4 - depth)))
    treated = np.indices(shape)[list(SDS).index(given_by)] % 2 == 1
    estimate = y[:, treated].mean(axis=1) - y[:, ~treated].mean(axis=1)
    assert estimate.std() == pytest.approx(levels.treatment_se(SDS, COUNTS, given_by), rel=0.05)


def test_two_levels_are_lesson_twos():
    sds, counts = {"hospital": 4, "patient": 12}, {"hospital": 20, "patient": 30}
    by_hospital, by_patient = (levels.treatment_se(sds, counts, level) for level in sds)
    assert by_hospital == pytest.approx(np.sqrt((16 + 144 / 30) * 2 / 10))
    assert by_patient == pytest.approx(np.sqrt(144 * 2 / 300))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: levels.variance_shares({"patient": 1}), "two levels or more"),
        (lambda: levels.variance_shares({"ward": -1, "patient": 1}), "SD of ward must be 0 or"),
        (lambda: levels.variance_shares({"ward": True, "patient": 1}), "SD of ward"),
        (lambda: levels.variance_shares({"ward": 0, "patient": 0}), "at least must be above 0"),
        (lambda: levels.mean_squares(SDS, dict(reversed(COUNTS.items()))), "in their order"),
        (lambda: levels.mean_squares(SDS, COUNTS | {"ward": 1}), "count of ward .* got 1"),
        (lambda: levels.treatment_se(SDS, COUNTS, "floor"), "given_by must be one of"),
        (lambda: levels.treatment_se(SDS, COUNTS | {"ward": 3}, "ward"), "must be even; got 3"),
        (lambda: levels.pair_correlations(pd.DataFrame({"ward": [1]}), ["ward"]), "sbp"),
    ],
)
def test_closed_forms_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_crossed_squares_of_drawn_patients():
    sds = {"hospital": 3, "surgeon": 5, "patient": 4}
    counts = {"hospital": 4, "surgeon": 6, "patient": 2}
    rng = np.random.default_rng(11)
    y = (
        rng.normal(0, 3, (6000, 4, 1, 1))
        + rng.normal(0, 5, (6000, 1, 6, 1))
        + rng.normal(0, 4, (6000, 4, 6, 2))
    )
    squares = levels.mean_squares(sds, counts, crossed=True)
    drawn = [
        12 * y.mean(axis=(2, 3)).var(axis=1, ddof=1).mean(),
        8 * y.mean(axis=(1, 3)).var(axis=1, ddof=1).mean(),
        y.var(axis=3, ddof=1).mean(),
    ]
    np.testing.assert_allclose(drawn, squares, rtol=0.05)
    for k, level in enumerate(sds):
        treated = np.indices((4, 6, 2))[k] % 2 == 1
        estimate = y[:, treated].mean(axis=1) - y[:, ~treated].mean(axis=1)
        formula = levels.treatment_se(sds, counts, level, crossed=True)
        assert estimate.std() == pytest.approx(formula, rel=0.04), level


def zed(labels):
    return (labels[:, None] == np.unique(labels)).astype(float)


@pytest.mark.parametrize("kept", [[], ["hospital"], ["ward"], ["hospital", "ward"]])
def test_prediction_errors_are_those_of_the_whole_covariance_matrix(kept):
    """Best linear prediction by V = ZGZ' + R, its error under the true V."""
    counts, shape = {"hospital": 3, "ward": 2, "patient": 4}, (3, 2, 4)
    h, w, _ = (index.ravel() for index in np.indices(shape))
    z = {"hospital": zed(h), "ward": zed(2 * h + w)}
    true = {"hospital": 25.0, "ward": 16.0, "patient": 100.0}
    ms = np.array([100 + 4 * 16 + 8 * 25, 100 + 4 * 16, 100.0])
    part = {  # variances that a model finds on average
        (): {"patient": (2 * ms[0] + 3 * ms[1] + 18 * ms[2]) / 23},
        ("hospital",): {"patient": (3 * ms[1] + 18 * ms[2]) / 21},
        ("ward",): {"patient": 100.0, "ward": ((2 * ms[0] + 3 * ms[1]) / 5 - 100) / 4},
        ("hospital", "ward"): true,
    }[tuple(kept)]
    if kept == ["hospital"]:
        part["hospital"] = (ms[0] - part["patient"]) / 8

    def covariance(of):
        blocks = [
            of[level] * z[level] @ z[level].T for level in ("hospital", "ward") if level in of
        ]
        return of["patient"] * np.eye(24) + sum(blocks)

    inverse, ones = np.linalg.inv(covariance(part)), np.ones((24, 1))
    middle = (ones.T @ inverse) / (ones.T @ inverse @ ones)
    found = {}
    for target in ("seen", "new"):
        known = [level for level in kept if target == "seen" or level == "hospital"]
        pull = sum((part[k] * z[k][:1] @ z[k].T for k in known), np.zeros((1, 24)))
        line = middle + pull @ inverse @ (np.eye(24) - ones @ middle)  # predicts the first ward
        shared = [level for level in z if target == "seen" or level == "hospital"]
        with_y = sum(true[k] * z[k][:1] @ z[k].T for k in shared)
        square = true["hospital"] + true["ward"] - 2 * line @ with_y.T
        found[target] = np.sqrt((square + line @ covariance(true) @ line.T).item())
    sds = {name: value**0.5 for name, value in true.items()}
    expected = levels.prediction_errors(sds, counts, {"m": kept}).loc["m"].to_dict()
    assert expected == pytest.approx(found)


def test_prediction_errors_refuse():
    with pytest.raises(ValueError, match="two levels above the patient"):
        levels.prediction_errors({"ward": 1, "patient": 1}, {"ward": 2, "patient": 2}, {"m": []})
    with pytest.raises(ValueError, match="a model is a list of levels"):
        levels.prediction_errors(SDS, COUNTS, {"m": ["floor"]})


# ---------------------------------------------------------------- trials


@pytest.mark.parametrize("given_by", ["hospital", "ward", "patient"])
@pytest.mark.parametrize("sds", [(6, 6, 12), (0, 2, 12), (3, 0, 12)])
def test_models_are_those_of_mixedlm_at_the_boundary_too(given_by, sds):
    counts = {"hospital": 6, "ward": 4, "patient": 4}
    rng = np.random.default_rng(4)
    calls = {
        "hospitals": {"groups": "hospital"},
        "wards": {"groups": "ward"},
        "both": TREE,
    }
    for _ in range(3):
        data = balanced(rng, counts, dict(zip(counts, sds, strict=True)), given_by)
        estimate, squares, freedom = squares_of(data, counts, given_by)
        deviance = {}
        for model, call in calls.items():
            fit = mixedlm.fit("sbp ~ treated", data, **call)
            found, df, deviance[model] = level_trials._fit(
                squares[None], freedom, list(counts), MODELS[model], given_by
            )
            row = fit.fixed.loc["treated"]
            assert row["estimate"] == pytest.approx(estimate, abs=1e-6)
            assert np.sqrt(4 / len(data) * found[0]) == pytest.approx(row["se"], rel=1e-4)
            if not fit.singular:
                assert df[0] == pytest.approx(row["df"], rel=1e-3)
            deviance[model] = deviance[model][0] + 2 * fit.loglik
        assert np.ptp(list(deviance.values())) < 1e-3  # one constant for all models


def test_no_level_is_least_squares():
    counts = {"hospital": 6, "ward": 4, "patient": 4}
    data = balanced(np.random.default_rng(5), counts, dict(zip(counts, (6, 6, 12), strict=True)),
                    "ward")  # fmt: skip
    _, squares, freedom = squares_of(data, counts, "ward")
    found, df, _ = level_trials._fit(squares[None], freedom, list(counts), [], "ward")
    arms = [part["sbp"] for _, part in data.groupby("treated")]
    t_test = stats.ttest_ind(*arms)
    assert df[0] == len(data) - 2 == t_test.df
    se = np.diff([arm.mean() for arm in arms])[0] / -t_test.statistic
    assert np.sqrt(4 / len(data) * found[0]) == pytest.approx(se)


def test_falling_squares_against_every_way_of_pooling():
    rng = np.random.default_rng(6)
    freedom = np.array([3.0, 7.0, 12.0, 40.0])
    squares = rng.chisquare(3, (200, 4))
    fitted, used, deviance = level_trials._falling(squares, freedom)
    best = np.full(200, np.inf)
    for cuts in itertools.product([False, True], repeat=3):
        blocks = np.cumsum([0, *cuts])
        pooled = np.empty_like(squares)
        for block in range(blocks[-1] + 1):
            at = blocks == block
            pooled[:, at] = (squares[:, at] @ freedom[at] / freedom[at].sum())[:, None]
        value = (freedom * (np.log(pooled) + squares / pooled)).sum(axis=1)
        best = np.minimum(best, np.where((np.diff(pooled) <= 1e-12).all(axis=1), value, np.inf))
    np.testing.assert_allclose(deviance, best)
    assert (np.diff(fitted) <= 1e-12).all()
    assert (used >= freedom).all() and used.max() == freedom.sum()


def test_trials_keep_what_the_formula_promises():
    sds = {"hospital": 6, "ward": 6, "patient": 12}
    counts = {"hospital": 20, "ward": 4, "patient": 10}
    table = level_trials.level_scoreboard(
        8000, sds=sds, counts=counts, models=MODELS, treatment_effect=-5, rng=7
    )
    np.testing.assert_allclose(table["bias"], 0, atol=0.15)
    np.testing.assert_allclose(table["scatter"], table["formula"], rtol=0.04)
    both = table.xs("both", level="model")
    np.testing.assert_allclose(both["coverage"], 95, atol=1)
    # A level left out, in closed form: its squares go down, never up.
    pooled = (59 * 504 + 720 * 144) / 779
    claimed = table.loc[("ward", "hospitals"), "claimed"]
    assert claimed == pytest.approx(np.sqrt(4 / 800 * pooled), rel=0.01)
    assert table.loc[("hospital", "hospitals"), "claimed"] == pytest.approx(
        both.loc["hospital", "claimed"], rel=0.01
    )


CROSSED = {"groups": "everyone"}
BY_HOSPITAL, BY_SURGEON = {"hospital": "0 + C(hospital)"}, {"surgeon": "0 + C(surgeon)"}


@pytest.mark.parametrize("given_by", ["hospital", "surgeon", "patient"])
@pytest.mark.parametrize("sds", [(6, 6, 12), (0, 2, 12)])
def test_crossed_models_are_those_of_mixedlm_at_the_boundary_too(given_by, sds):
    counts = {"hospital": 6, "surgeon": 4, "patient": 2}
    rng = np.random.default_rng(12)
    y = (
        rng.normal(0, sds[0], (6, 1, 1))
        + rng.normal(0, sds[1], (1, 4, 1))
        + rng.normal(0, sds[2], (6, 4, 2))
    )
    at = np.indices(y.shape)
    x = at[list(counts).index(given_by)] % 2 - 0.5
    columns = {"hospital": at[0], "surgeon": at[1], "treated": x, "sbp": y}
    data = pd.DataFrame({name: part.ravel() for name, part in columns.items()}).assign(everyone=1)
    estimate = 4 * (x * y).mean()
    rest = y - estimate * x
    sums = np.array(
        [8 * rest.mean(axis=(1, 2)).var() * 6, 12 * rest.mean(axis=(0, 2)).var() * 4, 0]
    )
    sums[-1] = rest.var() * 48 - sums.sum()
    freedom = np.array([5, 3, 39]) - (np.array(list(counts)) == given_by)
    models = {
        "both": ({"vc_formula": BY_HOSPITAL | BY_SURGEON, **CROSSED}, ["hospital", "surgeon"]),
        "hospitals": ({"groups": "hospital"}, ["hospital"]),
        "surgeons": ({"groups": "surgeon"}, ["surgeon"]),
    }
    shift = []
    for call, kept in models.values():
        fit = mixedlm.fit("sbp ~ treated", data, **call)
        found, df, deviance = level_trials._fit(
            (sums / freedom)[None], freedom, list(counts), kept, given_by, crossed=True
        )
        row = fit.fixed.loc["treated"]
        assert row["estimate"] == pytest.approx(estimate, abs=1e-6)
        assert np.sqrt(4 / 48 * found[0]) == pytest.approx(row["se"], rel=1e-4)
        if not fit.singular:
            assert df[0] == pytest.approx(row["df"], rel=1e-3)
        shift.append(deviance[0] + 2 * fit.loglik)
    assert np.ptp(shift) < 1e-3


def test_none_below_the_last_against_every_way_of_pooling():
    rng = np.random.default_rng(13)
    freedom = np.array([3.0, 7.0, 12.0])
    squares = rng.chisquare(3, (200, 3))
    fitted, used, deviance = level_trials._above_the_last(squares, freedom)
    best = np.full(200, np.inf)
    for joined in itertools.product([False, True], repeat=2):
        at = np.array([*joined, True])
        pooled = np.where(at, (squares[:, at] @ freedom[at] / freedom[at].sum())[:, None], squares)
        value = (freedom * (np.log(pooled) + squares / pooled)).sum(axis=1)
        allowed = (pooled >= pooled[:, -1:] - 1e-12).all(axis=1)
        best = np.minimum(best, np.where(allowed, value, np.inf))
    np.testing.assert_allclose(deviance, best)
    assert (fitted >= fitted[:, -1:] - 1e-12).all()
    assert (used >= freedom).all() and used.max() == freedom.sum()


def test_crossed_trials_keep_what_the_formula_promises():
    sds = {"hospital": 6, "surgeon": 6, "patient": 12}
    counts = {"hospital": 20, "surgeon": 12, "patient": 2}
    models = {"hospitals": ["hospital"], "both": ["hospital", "surgeon"]}
    table = level_trials.level_scoreboard(
        8000, sds=sds, counts=counts, models=models, crossed=True, treatment_effect=-5, rng=14
    )
    np.testing.assert_allclose(table["bias"], 0, atol=0.2)
    np.testing.assert_allclose(table["scatter"], table["formula"], rtol=0.04)
    np.testing.assert_allclose(table.xs("both", level="model")["coverage"], 95, atol=1)
    # Surgeons left out go to the patients.
    pooled = (10 * (144 + 40 * 36) + 449 * 144) / 459
    claimed = table.loc[("surgeon", "hospitals"), "claimed"]
    assert claimed == pytest.approx(np.sqrt(4 / 480 * pooled), rel=0.01)


def test_trials_are_seeded_and_refuse():
    good = {"sds": SDS, "counts": COUNTS, "given_by": "ward", "models": {"m": ["ward"]}}
    one, two = (level_trials.level_trials(5, **good, rng=8) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert ((one["lower"] < one["estimate"]) & (one["estimate"] < one["upper"])).all()
    for change, message in [
        ({"models": {}}, "models must name one"),
        ({"models": {"m": "ward"}}, "a model is a list of levels"),
        ({"models": {"m": ["floor"]}}, "a model is a list of levels"),
        ({"level": 1}, "level must be between 0 and 1; got 1"),
        ({"given_by": "floor"}, "given_by must be one of"),
        ({"counts": COUNTS | {"region": 2}, "given_by": "region"}, "needs a degree of freedom"),
    ]:
        with pytest.raises(ValueError, match=message):
            level_trials.level_trials(5, **(good | change), rng=8)
    with pytest.raises(ValueError, match="n_trials"):
        level_trials.level_trials(0, **good, rng=8)


# ---------------------------------------------------------------- mixedlm and categories


def test_categories_cost_nothing_and_change_nothing():
    data = med_trial(n_hospitals=10, n_wards=3, patients_per_hospital=12, ward_sd=6, rng=9).data
    found = mixedlm.fit("sbp ~ treated", data, **TREE)
    plain = data.assign(ward=data["ward"].astype(str))
    bare = mixedlm.fit("sbp ~ treated", plain, **TREE, start="powell")
    assert max(z.shape[1] for _, z in found._design.z_of_groups) == 4  # its hospital and wards
    pd.testing.assert_frame_equal(found.fixed, bare.fixed, rtol=1e-4)
    np.testing.assert_allclose(found.variances["estimate"], bare.variances["estimate"], rtol=1e-3)
    np.testing.assert_allclose(found.predict(data.head(9))["prediction"], found.fitted.head(9))
    assert isinstance(data["ward"].dtype, pd.CategoricalDtype)  # the table is not changed
    # Where the category is a fixed effect too, or is coded against a first level, it stays.
    kept = mixedlm.fit("sbp ~ C(teaching)", data, groups="hospital", vc_formula={"w": "0 + ward"})
    assert max(z.shape[1] for _, z in kept._design.z_of_groups) == 4


def test_pastes_by_hand():
    pastes = load("pastes")
    means = pastes.groupby(["batch", "cask"], observed=True)["strength"].mean().unstack()
    test = pastes.groupby("sample", observed=True)["strength"].var().mean()
    casks = means.var(axis=1).mean()
    by_hand = [means.mean(axis=1).var() - casks / 3, casks - test / 2, test]
    fit = mixedlm.fit("strength ~ 1", pastes, groups="batch", vc_formula={"cask": "0 + C(cask)"})
    np.testing.assert_allclose(fit.variances["variance"], by_hand, rtol=1e-4)


# ---------------------------------------------------------------- figures and costs


def test_means_stand_above_their_units():
    data = pd.DataFrame(
        {"hospital": list("AAAABB"), "ward": list("112211"), "sbp": [1.0, 3, 5, 7, 10, 20]}
    )
    fig, ax = plt.subplots()
    level_figures.nested_means(data, ax, levels=["hospital", "ward"])
    lines = [c for c in ax.collections if hasattr(c, "get_segments")]
    heights = sorted(round(float(s[0, 1]), 6) for c in lines for s in c.get_segments())
    assert heights == [2, 4, 6, 15, 15]
    places = sorted({tuple(s[:, 0].round(3)) for c in lines for s in c.get_segments()})
    assert len(places) == 4  # wards 1 of A and of B are not one ward
    plt.close(fig)
    with pytest.raises(ValueError, match="missing"):
        level_figures.nested_means(data, ax, levels=["region"])
    with pytest.raises(ValueError, match="colour in PALETTE"):
        level_figures.nested_means(data.assign(floor=1), ax, levels=["floor"])


def test_staircase_and_count_table():
    fig, ax = plt.subplots()
    level_figures.staircase(np.eye(3), ax, words={0: "no", 1: "yes"})
    assert ax.images[0].get_array().tolist() == np.eye(3).tolist()
    with pytest.raises(ValueError, match="must have words"):
        level_figures.staircase(0.5 * np.eye(3), ax, words={0: "no", 1: "yes"})
    plt.close(fig)
    pastes = load("pastes")
    fig, ax = plt.subplots()
    level_figures.count_table(pastes["batch"], pastes["sample"], ax)
    shown = np.asarray(ax.images[0].get_array())
    assert shown.shape == (10, 30) and (shown.sum(0) == 1).all() and (shown.sum(1) == 3).all()
    plt.close(fig)


def test_costs_are_of_one_model():
    table = costs.nesting_costs([6, 8], rng=5)
    assert table["patients"].tolist() == [144] * 3 + [192] * 3
    assert (table["seconds"] > 0).all()
    assert table.groupby("patients")["loglik"].agg(np.ptp).max() < 1e-8
    # The likelihood is that of the true SDs, by V as a whole.
    data = med_trial(
        n_hospitals=6, hospital_sd=6, n_wards=4, ward_sd=6, patients_per_hospital=24,
        patient_sd=12, rng=5,
    ).data  # fmt: skip
    z = [zed(data[level].astype(str).to_numpy()) for level in ("hospital", "ward")]
    v = np.eye(144) + 0.25 * sum(part @ part.T for part in z)
    inverse, y = np.linalg.inv(v), data["sbp"].to_numpy()
    weight = inverse.sum()
    rest = y - (inverse @ y).sum() / weight
    quadratic = rest @ inverse @ rest
    loglik = -0.5 * (np.linalg.slogdet(v)[1] + np.log(weight) + 143 * np.log(quadratic / 143)
                     + 143 * (1 + np.log(2 * np.pi)))  # fmt: skip
    assert table["loglik"].iloc[0] == pytest.approx(loglik)
