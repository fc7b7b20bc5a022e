"""The confounding explorer, held to registries that are drawn and fitted patient by patient."""

import math

import numpy as np
import pytest

from utils import likelihood
from utils.simulate import med_trial
from utils.studies import analyse_many, draw_trials
from utils.widgets import confounding as co
from utils.widgets._confounding_numbers import Sums, limits

SICKER = "sicker hospitals more"
SETTINGS = [
    {"confounding": 1.0, "patients_per_hospital": 15, "hospital_sd": 5.0, "treatment_effect": -4.0},
    {"confounding": 1.5, "patients_per_hospital": 6, "hospital_sd": 8.0, "treatment_effect": 2.0},
    {"confounding": 0.0, "patients_per_hospital": 20, "hospital_sd": 3.0, "treatment_effect": 0.0},
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_confounded_registries_are_those_of_med_trial(setting):
    """The sums of the widget against 400 registries drawn and fitted patient by patient."""
    result = co.compute(**setting)
    drawn = draw_trials(
        400,
        n_hospitals=co.N_HOSPITALS,
        patient_sd=co.PATIENT_SD,
        assignment=SICKER,
        rng=11,
        **setting,
    )
    methods = ["naive", "random intercept, t", "hospital dummies", "within-between"]
    found = analyse_many(drawn, methods=methods).groupby("method", observed=True)["estimate"]
    for method, estimates in found:
        spread = result.estimates[method.removesuffix(", t")]
        error = estimates.std() / 20
        assert spread.mean == pytest.approx(estimates.mean(), abs=4 * 2**0.5 * error), method
        low, high = estimates.quantile([0.025, 0.975])
        assert spread.low == pytest.approx(low, abs=12 * error), method
        assert spread.high == pytest.approx(high, abs=12 * error), method


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_curves_are_the_limit_of_many_hospitals(setting):
    data = med_trial(
        n_hospitals=20_000, patient_sd=co.PATIENT_SD, assignment=SICKER, rng=3,
        **setting,
    ).data  # fmt: skip
    table = analyse_many([data], methods=["naive", "random intercept, t", "hospital dummies"])
    table = table.set_index(table["method"].astype(str).str.removesuffix(", t"))
    numbers = limits(
        confounding=setting["confounding"], patients=np.array([setting["patients_per_hospital"]]),
        hospital_sd=setting["hospital_sd"], patient_sd=co.PATIENT_SD,
        treatment_effect=setting["treatment_effect"],
    )  # fmt: skip
    mixed = numbers.random_intercept(setting["patients_per_hospital"], 1, reml=False)
    values = {
        "naive": numbers.pooled().effect,
        "random intercept": mixed.effect,
        "hospital dummies": numbers.slope,
    }
    for name, value in values.items():
        error = table.loc[name, "standard_error"]
        assert value[0] == pytest.approx(table.loc[name, "estimate"], abs=5 * error), name


def test_reml_from_sums_is_the_optimum_of_the_likelihood():
    rng = np.random.default_rng(4)
    for hospital_sd, assignment in ((0.0, "patient"), (2.0, SICKER), (8.0, SICKER)):
        data = med_trial(
            n_hospitals=10, patients_per_hospital=7, hospital_sd=hospital_sd,
            assignment=assignment, rng=rng,
        ).data  # fmt: skip
        x, y, group = data["treated"].to_numpy(float), data["sbp"], data["hospital"]
        share, mean = (
            v.groupby(group, observed=True).transform("mean") for v in (data["treated"], y)
        )
        dx, dy = x - share, y - mean
        slope = (dx * dy).sum() / (dx**2).sum()
        bx, by = share - share.mean(), mean - mean.mean()
        sums = Sums(
            *(
                np.array([value])
                for value in (
                    (dx**2).sum(), slope, ((dy - slope * dx) ** 2).sum(),
                    (bx**2).sum(), (bx * by).sum(), (by**2).sum(),
                )
            )
        )  # fmt: skip
        design = np.column_stack([np.ones_like(x), x])
        fit = likelihood.fit_intercept(likelihood.sums(y, design, group))
        found = sums.random_intercept(7, 10)
        assert found.effect[0] == pytest.approx(fit.beta[1], abs=2e-3)
        assert sums.pooled().effect[0] == pytest.approx(np.polyfit(x, y, 1)[0])
        # The lesson's formula for the weight.
        trust = fit.patient_sd**2 / (fit.patient_sd**2 + 7 * fit.hospital_sd**2)
        weight = trust * (bx**2).sum() / ((dx**2).sum() + trust * (bx**2).sum())
        assert found.between[0] == pytest.approx(weight, abs=2e-3)
        between = (bx * by).sum() / (bx**2).sum()
        assert (1 - weight) * slope + weight * between == pytest.approx(fit.beta[1], rel=1e-6)


def test_bias_does_not_depend_on_the_effect_and_falls_with_size():
    base = {"confounding": 1.0, "hospital_sd": 5.0}
    at = {
        n: co.compute(**base, patients_per_hospital=n, treatment_effect=0.0).estimates
        for n in (5, 20, 80)
    }
    moved = co.compute(**base, patients_per_hospital=20, treatment_effect=-6.0).estimates
    for name in co.METHODS:
        assert moved[name].mean + 6 == pytest.approx(at[20][name].mean, abs=1e-3)
    mixed = [at[n]["random intercept"].mean for n in (5, 20, 80)]
    assert mixed[0] > 1.5 * mixed[1] > 3 * mixed[2] > 0
    assert at[20]["hospital dummies"] == at[20]["within-between"]
    assert at[20]["hospital dummies"].mean == pytest.approx(0, abs=1e-2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"confounding": -1}, "confounding must be 0 or more, got -1"),
        ({"patients_per_hospital": 1}, "2 or more, got 1"),
        ({"patients_per_hospital": 2.5}, "whole, got 2.5"),
        ({"hospital_sd": math.nan}, "hospital_sd must be 0 or more, got nan"),
        ({"treatment_effect": math.inf}, "finite, got inf"),
    ],
)
def test_impossible_confounding_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        co.compute(**(SETTINGS[0] | change))
