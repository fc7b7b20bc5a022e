"""The design of trials: closed forms against other libraries, simulation and enumeration."""

import doctest

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower, TTestPower

from utils import design, studies
from utils.design import (
    Trial,
    cost,
    designs_within,
    half_width_of_t,
    plan,
    power_of_t,
    z_type_1_error,
)
from utils.simulate import med_trial

SPINE = {"hospital_sd": 3, "patient_sd": 12}
MONEY = {"per_hospital": 2000, "per_patient": 100}


@pytest.mark.parametrize("hospitals", [4, 6, 12, 40])
@pytest.mark.parametrize("effect", [1.0, 5.0, 9.0])
def test_power_is_that_of_a_t_test_on_hospitals(hospitals, effect):
    """Statsmodels counts hospitals as the subjects, and their means' SD as the unit."""
    found = plan(
        assignment="hospital", n_hospitals=hospitals, patients_per_hospital=30, effect=effect,
        **SPINE,
    )  # fmt: skip
    sd = np.sqrt(9 + 144 / 30)
    assert found.power == pytest.approx(TTestIndPower().power(effect / sd, hospitals / 2, 0.05))
    by_patient = plan(
        assignment="patient", n_hospitals=hospitals, patients_per_hospital=30, effect=effect,
        effect_sd=2, **SPINE,
    )  # fmt: skip
    sd = np.sqrt(4 + 4 * 144 / 30)
    assert by_patient.power == pytest.approx(TTestPower().power(effect / sd, hospitals, 0.05))
    assert found.source == by_patient.source == "exact"
    assert (found.degrees_of_freedom, by_patient.degrees_of_freedom) == (
        hospitals - 2,
        hospitals - 1,
    )


def test_power_has_its_limits_and_no_holes():
    ratio, df = np.meshgrid(np.linspace(0, 40, 161), [1, 2, 3, 4, 10, 58, 400, 1e6])
    power = power_of_t(ratio, 1.0, df)
    assert np.all(np.isfinite(power)) and np.all((power >= 0.05 - 1e-12) & (power <= 1))
    # Where the library's sum fails, quadrature takes over, good to 4e-5.
    assert np.all(np.diff(power, axis=1) >= -5e-5)
    assert np.all(np.diff(power, axis=0) >= -5e-5)  # more degrees of freedom, more power
    limit = stats.t.isf(0.025, df)
    other = design._power_by_quadrature(ratio, df, limit)
    np.testing.assert_allclose(power, other, atol=5e-5)
    normal = stats.norm.sf(1.959964 - ratio[-1]) + stats.norm.cdf(-1.959964 - ratio[-1])
    np.testing.assert_allclose(power[-1], normal, atol=1e-4)
    assert power_of_t(-3, 1, 8) == power_of_t(3, 1, 8)
    assert power_of_t(0, 1, 3, alpha=0.01) == 0.01


@pytest.mark.parametrize("df", [1, 4, 30])
def test_mean_half_width_against_drawn_errors(df):
    error = np.sqrt(np.random.default_rng(df).chisquare(df, 200_000) / df)
    expected = stats.t.ppf(0.95, df) * 7 * error.mean()
    assert half_width_of_t(7.0, df, level=0.9) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("assignment", ["hospital", "patient"])
@pytest.mark.parametrize("hospitals", [6, 20])
def test_plans_against_simulated_trials(assignment, hospitals):
    settings = {"n_hospitals": hospitals, "patients_per_hospital": 20, **SPINE}
    found = plan(assignment=assignment, effect=5, **settings)
    n, names = 20_000, {"hospital means": "", "random intercept, z": "z_"}
    for truth, what in ((5, "power"), (0, "type_1_error")):
        trials = studies.two_arm_trials(
            n, assignment=assignment, treatment_effect=truth, methods=tuple(names), rng=5,
            **settings,
        )  # fmt: skip
        trials["half"] = (trials["upper"] - trials["lower"]) / 2
        for method, rows in trials.groupby("method", observed=True):
            p = getattr(found, names[method] + what)
            seen = rows["p_value"].lt(0.05).mean()
            assert seen == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n) + 0.003)
            width = getattr(found, names[method] + "half_width")
            assert rows["half"].mean() == pytest.approx(width, rel=0.02)
            assert rows["estimate"].std() == pytest.approx(found.standard_error, rel=0.03)


@pytest.mark.parametrize("assignment", ["hospital", "patient"])
def test_plans_where_the_effect_varies_against_patients(assignment):
    """MedTrial patients, dealt into 4,000 trials of 6 hospitals of 8, effects with an SD of 6."""
    n, hospitals, size = 4000, 6, 8
    rejected = {}
    for truth in (0, 7):
        data = med_trial(
            n_hospitals=n * hospitals, patients_per_hospital=size, treatment_effect=-truth,
            treatment_effect_sd=6, hospital_sd=2, patient_sd=8, assignment=assignment, rng=41,
        ).data  # fmt: skip
        y = data.sort_values(["treated", "hospital"], kind="stable")["sbp"].to_numpy()
        if assignment == "hospital":
            means = y.reshape(2, n, hospitals // 2, size).mean(-1)
            rejected[truth] = stats.ttest_ind(means[1], means[0], axis=1).pvalue < 0.05
        else:
            means = y.reshape(2, n, hospitals, size // 2).mean(-1)
            rejected[truth] = stats.ttest_1samp(means[1] - means[0], 0, axis=1).pvalue < 0.05
    found = plan(
        assignment=assignment, n_hospitals=hospitals, patients_per_hospital=size, hospital_sd=2,
        patient_sd=8, effect=7, effect_sd=6,
    )  # fmt: skip
    for truth, p in ((0, found.type_1_error), (7, found.power)):
        assert rejected[truth].mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n) + 0.004)
    assert found.source == ("exact" if assignment == "patient" else "simulated, 4,000 trials")


def test_a_plan_gives_the_same_numbers_each_time_and_z_has_one_source():
    settings = {
        "assignment": "hospital", "n_hospitals": 6, "patients_per_hospital": 40, "effect": 5,
        "effect_sd": 2, **SPINE,
    }  # fmt: skip
    first, second = plan(**settings), plan(**settings)
    assert first == second
    assert z_type_1_error(first.trial) == first.z_type_1_error
    assert first.z_type_1_error > 0.08 > first.type_1_error


def test_more_hospitals_beat_more_patients():
    start = {"n_hospitals": 10, "patients_per_hospital": 20}
    base = {"assignment": "hospital", "effect": 5, **SPINE}
    power = plan(**base, **start).power
    patients = plan(**base, **(start | {"patients_per_hospital": 40})).power
    hospitals = plan(**base, **(start | {"n_hospitals": 20})).power
    assert power < patients < hospitals
    endless = plan(**base, **(start | {"patients_per_hospital": 10_000_000}))
    assert endless.standard_error == pytest.approx(np.sqrt(4 / 10 * 9), rel=1e-4)


@pytest.mark.parametrize(("assignment", "effect_sd"), [("hospital", 0), ("patient", 3)])
def test_the_best_within_a_budget_is_the_best_of_all_affordable_designs(assignment, effect_sd):
    table = designs_within(
        40_000, assignment=assignment, effect=6, effect_sd=effect_sd, **MONEY, **SPINE
    )
    assert (table["cost"] <= 40_000).all()
    step = 2 if assignment == "patient" else 1
    more = cost(table.index, table["patients_per_hospital"] + step, **MONEY)
    assert (more > 40_000).all()
    best, where = 0, None
    for hospitals in range(4, 41):
        for size in range(2, 200):
            odd = (hospitals if assignment == "hospital" else size) % 2
            if odd or cost(hospitals, size, **MONEY) > 40_000:
                continue
            found = plan(
                assignment=assignment, n_hospitals=hospitals, patients_per_hospital=size, effect=6,
                effect_sd=effect_sd, **SPINE,
            )  # fmt: skip
            if found.power > best:
                best, where = found.power, (hospitals, size)
    assert table["power"].max() == pytest.approx(best)
    top = table["power"].idxmax()
    assert (top, table.loc[top, "patients_per_hospital"]) == where


def test_rows_of_the_table_are_plans():
    for effect_sd in (0, 2):
        table = designs_within(
            60_000, assignment="hospital", effect=6, effect_sd=effect_sd, hospitals=[4, 12, 400],
            max_patients=25, **MONEY, **SPINE,
        )  # fmt: skip
        assert table.index.tolist() == [4, 12]
        assert table["patients_per_hospital"].tolist() == [25, 25]
        for hospitals, row in table.iterrows():
            found = plan(
                assignment="hospital", n_hospitals=hospitals, patients_per_hospital=25, effect=6,
                effect_sd=effect_sd, **SPINE,
            )  # fmt: skip
            assert row["power"] == pytest.approx(found.power)
            assert row["half_width"] == pytest.approx(found.half_width)
            assert row["standard_error"] == pytest.approx(found.standard_error)
            assert row["cost"] == hospitals * (2000 + 25 * 100)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power_of_t(1, 0, 4), "standard_error must be above 0, got 0"),
        (lambda: power_of_t(1, 1, -1), "df must be above 0, got -1"),
        (lambda: power_of_t(1, 1, 4, alpha=1), "must lie between 0 and 1, got 1"),
        (lambda: half_width_of_t(1, 4, level=2), "must lie between 0 and 1, got -1"),
        (
            lambda: designs_within(5000, assignment="hospital", effect=5, **MONEY, **SPINE),
            "budget must pay for 4 hospitals of 2 patients, got 5000",
        ),
        (
            lambda: designs_within(-1, assignment="hospital", effect=5, **MONEY, **SPINE),
            "budget must be above 0, got -1",
        ),
        (
            lambda: designs_within(
                9000, assignment="hospital", effect=5, per_hospital=-1, per_patient=1, **SPINE
            ),
            "per_hospital must be 0 or more, got -1",
        ),
        (
            lambda: plan(
                assignment="ward", n_hospitals=6, patients_per_hospital=9, effect=1, **SPINE
            ),
            "assignment must be 'hospital' or 'patient', got 'ward'",
        ),
        (lambda: Trial("hospital", 6, 9, 3, 12, -2), "effect_sd must be 0 or more, got -2"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_examples():
    assert doctest.testmod(design).failed == 0
