"""Confounding by hospital, as sliders: four estimators of one effect, against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import expit

from utils.plots import PALETTE
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._confounding_numbers import Floats, Luck, limits, registries
from utils.widgets._controls import Number

__all__ = ["METHODS", "ConfoundingResult", "Spread", "compute", "confounding_explorer"]

METHODS = ("naive", "random intercept", "hospital dummies", "within-between")
N_HOSPITALS, N_REGISTRIES, PATIENT_SD = 40, 400, 12.0
_LABELS = ("OLS", "random\nintercept", "hospital\ndummies", "within-\nbetween")
_HEIGHT = 430
_ENDS = (-9.5, 13.5)  # of the curves, mmHg
_SIZES = np.unique(np.geomspace(4, 100, 26).round())


@dataclass(frozen=True)
class Spread:
    """What one estimator says in many registries: mean, and the range of 95 % of them, mmHg."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class ConfoundingResult:
    """Four estimators in registries where sicker hospitals prescribe more.

    Attributes
    ----------
    confounding : float
        Rise in the log-odds of treatment per SD of the hospital effects.
    patients_per_hospital : int
        The same in each of the 40 hospitals.
    hospital_sd, treatment_effect : float
        mmHg; `treatment_effect` is the truth.
    estimates : dict of str to Spread
        By method, over 400 simulated registries.
    between_weight : dict of str to float
        For "naive" and "random intercept": mean weight, 0 to 1, of the comparison between
        hospitals in the estimate.
    sizes : array
        Hospital sizes of the curves.
    curves : dict of str to array
        By method, the limit of the estimate for very many hospitals of those sizes, mmHg.
    """

    confounding: float
    patients_per_hospital: int
    hospital_sd: float
    treatment_effect: float
    estimates: dict[str, Spread]
    between_weight: dict[str, float]
    sizes: Floats
    curves: dict[str, Floats]


@cache
def _luck() -> Luck:
    return Luck.draw(N_REGISTRIES, N_HOSPITALS, seed=8)


def compute(
    *, confounding: float, patients_per_hospital: int, hospital_sd: float, treatment_effect: float
) -> ConfoundingResult:
    """Return what four estimators make of 400 registries, and of one with very many hospitals.

    Parameters
    ----------
    confounding : float
        Rise in the log-odds of treatment per SD of the hospital effects, 0 or more.
    patients_per_hospital : int
        2 or more.
    hospital_sd : float
        SD of the hospital effects, mmHg, 0 or more. That of the patients is 12.
    treatment_effect : float
        The truth, mmHg.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    The registries are not drawn anew: the same random numbers, drawn once, are put through each
    setting, and all estimators are computed from sums of squares. The random intercept is fitted
    by REML. With equal hospitals and one predictor, hospital dummies and the within-between model
    give the same estimate (Mundlak Y, Econometrica 1978; 46: 69-85).

    Examples
    --------
    >>> result = compute(
    ...     confounding=1, patients_per_hospital=15, hospital_sd=5, treatment_effect=-4
    ... )
    >>> {name: round(spread.mean) for name, spread in result.estimates.items()}
    {'naive': 0, 'random intercept': -3, 'hospital dummies': -4, 'within-between': -4}
    """
    for name, value, least in (
        ("confounding", confounding, 0),
        ("patients_per_hospital", patients_per_hospital, 2),
        ("hospital_sd", hospital_sd, 0),
    ):
        if not (np.isfinite(value) and value >= least):
            raise ValueError(f"{name} must be {least} or more, got {value!r}")
    if patients_per_hospital != int(patients_per_hospital):
        raise ValueError(f"patients_per_hospital must be whole, got {patients_per_hospital!r}")
    if not np.isfinite(treatment_effect):
        raise ValueError(f"treatment_effect must be finite, got {treatment_effect!r}")
    setting = {
        "confounding": confounding,
        "hospital_sd": hospital_sd,
        "patient_sd": PATIENT_SD,
        "treatment_effect": treatment_effect,
    }
    drawn = registries(_luck(), patients=patients_per_hospital, **setting)
    pooled, mixed = drawn.pooled(), drawn.random_intercept(patients_per_hospital, N_HOSPITALS)
    effects = (pooled.effect, mixed.effect, drawn.slope, drawn.slope)
    limit = limits(patients=_SIZES, **setting)
    many = limit.random_intercept(_SIZES, 1, reml=False)
    curves = (limit.pooled().effect, many.effect, limit.slope, limit.slope)
    return ConfoundingResult(
        confounding=float(confounding),
        patients_per_hospital=int(patients_per_hospital),
        hospital_sd=float(hospital_sd),
        treatment_effect=float(treatment_effect),
        estimates={name: _spread(of) for name, of in zip(METHODS, effects, strict=True)},
        between_weight={
            "naive": float(pooled.between.mean()),
            "random intercept": float(mixed.between.mean()),
        },
        sizes=_SIZES,
        curves=dict(zip(METHODS, curves, strict=True)),
    )


def _spread(effects: Floats) -> Spread:
    low, high = np.quantile(effects, [0.025, 0.975])
    return Spread(float(effects.mean()), float(low), float(high))


class _Drawing:
    """The artists: four estimators on the left, the same against hospital size on the right."""

    def __init__(self) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            left, right = figure.subplots(1, 2, width_ratios=[1, 1])
            figure.subplots_adjust(left=0.1, right=0.985, bottom=0.13, top=0.8, wspace=0.24)
            left.set(xlim=(-13, 18), ylim=(3.6, -0.6), xlabel="estimate (mmHg)")
            left.set_yticks(range(4), _LABELS)
            left.tick_params(axis="y", length=0)
            left.set_title(f"In {N_REGISTRIES} registries of {N_HOSPITALS} hospitals", y=1.15)
            right.set(xscale="log", xlim=(3.8, 106), ylim=_ENDS)
            right.set(xlabel="patients per hospital (dotted: yours)", ylabel="estimate (mmHg)")
            right.set_xticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
            right.minorticks_off()
            right.set_title("With very many hospitals", y=1.15)
            (self.truth_left,) = left.plot([], [], color=PALETTE["truth"], lw=1.6, ls="--")
            self.bars, self.dots, self.curves = {}, {}, {}
            for row, name in enumerate(METHODS):
                colour = PALETTE[name]
                (self.bars[name],) = left.plot(
                    [], [], color=colour, lw=9, alpha=0.35, solid_capstyle="butt"
                )
                (self.dots[name],) = left.plot([], [], "o", ms=9, color=colour)
                self.dots[name].row = row
            for name in METHODS[:3]:  # the fourth curve is the third
                (self.curves[name],) = right.plot([], [], color=PALETTE[name], lw=3.2)
            (self.truth_right,) = right.plot([], [], color=PALETTE["truth"], lw=1.6, ls="--")
            (self.here,) = right.plot([], [], color="#777777", lw=1.3, ls=":")
            place = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0), "frameon": False,
                     "fontsize": 11, "handlelength": 1.8, "borderpad": 0,
                     "columnspacing": 1.0}  # fmt: skip
            left.legend(
                [self.dots["naive"], self.bars["naive"], self.truth_left],
                ["mean", "95 % of registries", "truth"], ncol=3, **place
            )  # fmt: skip
            right.legend(
                self.curves.values(), ["OLS", "random intercept", "dummies"], ncol=3, **place
            )  # fmt: skip
            self.picture = Picture(
                figure,
                [self.truth_left, self.here, *self.curves.values(), self.truth_right,
                 *self.bars.values(), *self.dots.values()],
                alt=(
                    "Two panels. Left: for OLS, random intercept, hospital dummies and "
                    "within-between, the mean of the estimated effect over many registries and "
                    "the range of 95 % of them, with a dashed line at the truth. Right: the "
                    "estimates with very many hospitals against patients per hospital. OLS stays "
                    "off the truth at every size, the random intercept comes closer as hospitals "
                    "grow, dummies lie on it. The text below gives the numbers."
                ),
            )  # fmt: skip

    def draw(self, result: ConfoundingResult) -> None:
        truth = result.treatment_effect
        self.truth_left.set_data([truth, truth], [-0.6, 3.6])
        self.truth_right.set_data([result.sizes[0], result.sizes[-1]], [truth, truth])
        self.here.set_data([result.patients_per_hospital] * 2, list(_ENDS))
        for name, spread in result.estimates.items():
            row = self.dots[name].row
            self.bars[name].set_data([spread.low, spread.high], [row, row])
            self.dots[name].set_data([spread.mean], [row])
        for name, curve in self.curves.items():
            curve.set_data(result.sizes, result.curves[name])


def _describe(result: ConfoundingResult) -> str:
    low, high = 100 * expit(np.array([-1, 1]) * result.confounding)
    said = {
        name: f"{_signed(spread.mean)} ({_signed(spread.low)} to {_signed(spread.high)})"
        for name, spread in result.estimates.items()
    }
    weight = {name: f"{100 * share:.0f} %" for name, share in result.between_weight.items()}
    return (
        f"Confounding {result.confounding:.1f}: the chance of the drug rises from {low:.0f} % in a "
        f"hospital one SD healthier than the average to {high:.0f} % in one that is one SD sicker. "
        f"{N_HOSPITALS} hospitals of {result.patients_per_hospital} patients, hospital SD "
        f"{result.hospital_sd:.1f}, patient SD {PATIENT_SD:.0f} mmHg. True effect "
        f"{_signed(result.treatment_effect)} mmHg. Mean estimate (and 95 % of {N_REGISTRIES} "
        f"registries): OLS {said['naive']}, random intercept {said['random intercept']}, hospital "
        f"dummies and within-between, which agree here, {said['within-between']}. Weight of the "
        f"comparison between hospitals: {weight['naive']} in OLS, {weight['random intercept']} in "
        "the random intercept, none in the other two. The registries meet the same luck at every "
        "setting; the curves are large-sample formulas."
    )


def _signed(value: float) -> str:
    return f"{value + 0.0:.1f}".replace("-0.0", "0.0").replace("-", "−")


def confounding_explorer() -> Explorer:
    """Return sliders for confounding by hospital and the hospitals it happens in.

    Returns
    -------
    Explorer
        Its state is `confounding`, `patients_per_hospital`, `hospital_sd` and
        `treatment_effect`.

    Examples
    --------
    >>> explorer = confounding_explorer()
    >>> explorer.set_state(confounding=0)
    >>> abs(explorer.result.estimates["naive"].mean + 4) < 0.2
    True
    """
    drawing = _Drawing()
    return Explorer(
        [
            Number("confounding", "Confounding (log-odds per SD)", 1.0, 0.0, 1.5, 0.1),
            Number("patients_per_hospital", "Patients per hospital", 15, 4, 100, 1, digits=0),
            Number("hospital_sd", "Hospital SD (mmHg)", 5.0, 0.0, 8.0, 0.5),
            Number("treatment_effect", "True effect (mmHg)", -4.0, -8.0, 4.0, 0.5),
        ],
        compute=compute,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
