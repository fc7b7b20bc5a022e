"""Broken assumptions: intervals against utils.mixedlm, shares against what is known of them."""

import doctest
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from utils import _studies_cracks, mixedlm, studies
from utils._studies_cracks import _deal, _Fit
from utils.likelihood import sums

BASE = {name: _studies_cracks.med_trial.__kwdefaults__[name] for name in _studies_cracks.SETTINGS}


def dealt(n_trials, **settings):
    return _deal(n_trials, {**BASE, **settings}, np.random.default_rng(5))


@pytest.mark.parametrize("assignment", ["patient", "hospital"])
@pytest.mark.parametrize("noise", [0, 2])
def test_every_interval_is_that_of_mixedlm(assignment, noise):
    seen, new = dealt(
        3, n_hospitals=9, patients_per_hospital=7, assignment=assignment,
        n_noise_predictors=noise, n_noise_hospital_predictors=noise,
    )  # fmt: skip
    names = ["treated", *(f"a{k}" for k in range(noise)), *(f"b{k}" for k in range(noise))]
    p = 1 + len(names)
    y, x = seen.y[..., 1:-1].reshape(3, -1), seen.x[:, :, 1:-1].reshape(3, -1, p)
    codes = np.repeat(np.arange(9), 7)
    fit = _Fit(sums(y, x, codes), 0.9)
    data = pd.DataFrame(x[2][:, 1:], columns=names).assign(sbp=y[2], hospital=codes)
    model = mixedlm.fit("sbp ~ " + " + ".join(names), data, groups="hospital")

    effect = model.fixed_table(confidence=0.9).loc["treated"]
    assert fit.effect[0][2] == pytest.approx(effect["lower"], abs=1e-4)
    assert fit.effect[1][2] == pytest.approx(effect["upper"], abs=1e-4)
    assert fit.df[2] == pytest.approx(effect["df"], rel=1e-3)

    rows = seen.x[:, :, 0]
    frame = pd.DataFrame(rows[2][:, 1:], columns=names).assign(hospital=range(9))
    table = model.predict(frame, confidence=0.9)
    for of, prefix in (("mean", ""), ("patient", "patient_")):
        low, high = fit.predict(rows, np.arange(9), of=of)
        np.testing.assert_allclose(low[2], table[f"{prefix}lower"], atol=2e-4)
        np.testing.assert_allclose(high[2], table[f"{prefix}upper"], atol=2e-4)
    rows = new.x[:, :, -1]
    frame = pd.DataFrame(rows[2][:, 1:], columns=names)
    table = model.predict(frame, level="new hospital", confidence=0.9)
    for of, prefix in (("mean", ""), ("patient", "patient_")):
        low, high = fit.predict(rows, None, of=of)
        np.testing.assert_allclose(low[2], table[f"{prefix}lower"], atol=2e-4)
        np.testing.assert_allclose(high[2], table[f"{prefix}upper"], atol=2e-4)


def test_what_is_dealt_is_what_was_drawn():
    settings = BASE | {
        "n_hospitals": 4, "patients_per_hospital": 500, "patient_sd": 2.0, "treated_share": 0.5,
        "error_law": "differs by hospital",
    }  # fmt: skip
    seen, new = _deal(6, settings, np.random.default_rng(1))
    for part in (seen, new):
        assert part.y.shape == (6, 4, 502) and part.x.shape == (6, 4, 502, 2)
        assert (np.diff(part.x[..., 1], axis=-1) >= 0).all()
        assert (part.x[..., 1].mean(-1) == 0.5).all()
        residual = part.y - part.mean[..., None] + 8 * part.x[..., 1]
        np.testing.assert_allclose(residual.mean(-1) / part.sd[..., 0], 0, atol=5 / 500**0.5)
        np.testing.assert_allclose(residual.std(-1) / part.sd[..., 0], 1, atol=5 / 1000**0.5)
    assert len(np.unique(np.concatenate([seen.mean, new.mean]))) == 48  # nobody is dealt twice


def test_the_sd_of_a_patient_grows_with_the_mean():
    seen, _ = dealt(1, n_hospitals=5, patients_per_hospital=400, error_law="grows with mean",
                    error_spread=0.7, hospital_sd=9.0)  # fmt: skip
    above = seen.mean[..., None] - 8 * seen.x[..., 1] - 140
    np.testing.assert_allclose(seen.sd, 12 * np.exp(0.07 * above))
    residual = (seen.y - 140 - above) / seen.sd
    assert residual.std() == pytest.approx(1, abs=0.1)


def test_hospitals_are_treated_half_and_half():
    seen, new = dealt(5, n_hospitals=7, patients_per_hospital=3, assignment="hospital")
    arms = seen.x[:, :, :, 1].mean(-1)
    assert set(np.unique(arms)) == {0, 1}
    assert (arms.sum(1) == 3).all() and new.x.shape[1] == 7


def test_a_sound_model_keeps_every_promise():
    board = studies.crack_dashboard({"none": {"n_hospitals": 12}}, n_trials=1000, rng=3)
    rows = board.loc["none"]
    for name in ("covered", "patients", "noisy", "calm", "new_hospitals", "new_patients"):
        value, error = rows.loc[name]
        assert abs(value - 0.95) < 4 * error + 0.006, name
    assert rows.loc["bias", "value"] == pytest.approx(0, abs=4 * rows.loc["bias"].iloc[1])
    # Balanced, by patient: variance 4 patient_sd² / N.
    assert rows.loc["scatter", "value"] == pytest.approx((4 * 144 / 240) ** 0.5, rel=0.1)
    assert rows.loc["width", "value"] == pytest.approx(2 * 1.971 * 2.4**0.5, rel=0.02)


def test_a_hospitals_own_sd_makes_its_patients_coverage():
    """The fifth of hospitals with the largest log-normal SDs, by quadrature."""
    spread, tau, n = 0.5, 0.001, 400
    board = studies.crack_dashboard(
        {"x": {"error_law": "differs by hospital", "hospital_sd": tau, "n_hospitals": 20,
               "patients_per_hospital": n}}, n_trials=100, rng=2,
    ).loc["x", "value"]  # fmt: skip
    z = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    sd = np.exp(spread * z - spread**2)
    inside = 1 - 2 * stats.norm.sf(1.96 / sd)
    assert board["noisy"] == pytest.approx(inside[z > stats.norm.ppf(0.8)].mean(), abs=0.03)
    assert board["calm"] == pytest.approx(inside[z < stats.norm.ppf(0.2)].mean(), abs=0.01)


def test_skewed_hospitals_are_missed_on_one_side():
    board = studies.crack_dashboard(
        {"skewed": {"hospital_law": "skewed", "n_hospitals": 60, "hospital_sd": 9},
         "bimodal": {"hospital_law": "bimodal", "n_hospitals": 60, "hospital_sd": 9}},
        n_trials=200, rng=4,
    )["value"].unstack()  # fmt: skip
    # A shifted exponential law never lies 1.96 SD below its mean, and .052 of it lies above.
    missed = 1 - board.loc["skewed", "new_hospitals"]
    assert board.loc["skewed", "new_above"] == pytest.approx(missed, abs=0.002)
    assert missed == pytest.approx(np.exp(-2.96), abs=0.015)
    assert board.loc["bimodal", "new_hospitals"] > 0.97


def test_the_same_seed_gives_the_same_trials_and_the_law_of_hospitals_leaves_the_effect_alone():
    rows = {
        law: studies.crack_experiment(n_trials=20, hospital_law=law)(np.random.default_rng(9))
        for law in ("normal", "skewed")
    }
    np.testing.assert_allclose(rows["normal"]["estimate"], rows["skewed"]["estimate"], atol=1e-8)
    assert not np.allclose(rows["normal"]["hospital_sd"], rows["skewed"]["hospital_sd"])


def test_an_experiment_can_be_sent_to_other_processes():
    experiment = studies.crack_experiment(n_trials=5, error_law="outliers")
    again = pickle.loads(pickle.dumps(experiment))
    pd.testing.assert_frame_equal(
        experiment(np.random.default_rng(1)), again(np.random.default_rng(1))
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_trials": 0}, "n_trials must be a whole number >= 1; got 0"),
        ({"level": 1}, "level lies between 0 and 1; got 1"),
        ({"region_sd": 2}, "settings are among .*; got region_sd"),
        ({"n_hospitals": 2}, "n_hospitals must be one whole number >= 3 here; got 2"),
        ({"patients_per_hospital": (5, 9)}, "patients_per_hospital must be one whole number"),
        ({"assignment": "sicker patients more"}, "assignment is 'patient' or 'hospital' here"),
    ],
)
def test_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        studies.crack_experiment(**change)


def test_refuses_what_only_a_draw_shows():
    experiment = studies.crack_experiment(n_trials=5, treated_share=0.02)
    with pytest.raises(ValueError, match="patients of both arms"):
        experiment(np.random.default_rng(1))
    with pytest.raises(ValueError, match=r"n_trials must be 100, 200, 300 \.\.\.; got 150"):
        studies.crack_dashboard({"none": {}}, n_trials=150, rng=1)


def test_the_examples_run():
    assert doctest.testmod(_studies_cracks).failed == 0
