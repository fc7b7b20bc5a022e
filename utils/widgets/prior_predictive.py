"""What a prior says of patients: simulated trials, and the share of what cannot be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from utils.plots import PALETTE
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Choice, Number

__all__ = ["EFFECT_LIMIT", "POSSIBLE", "PriorPredictive", "compute", "prior_predictive_explorer"]

POSSIBLE = (40.0, 300.0)  # mmHg: beyond, nobody is alive to be measured
EFFECT_LIMIT = 80.0  # mmHg: no drug moves a mean by so much, either way
_TRIALS, _HOSPITALS, _PATIENTS = 16, 5, 12
_CENTRES = {"140": "Mean around 140 mmHg", "0": "Mean around 0 mmHg"}
_HEIGHT = 385
_NEAR = np.linspace(-8.0, 8.0, 33)  # finer around both centres, for the narrowest priors
_PRESSURES = np.unique([*np.linspace(-150.0, 430.0, 146), *_NEAR, *(140 + _NEAR)])
_EFFECTS = np.linspace(-160.0, 160.0, 641)

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PriorPredictive:
    """What a prior predicts before any patient is seen.

    Attributes
    ----------
    centre : float
        Prior mean of the average untreated pressure, mmHg.
    intercept_sd, effect_sd : float
        SDs of the normal priors of that average and of the treatment effect, mmHg.
    hospital_sd, patient_sd : float
        Scales of the half-normal priors of the two standard deviations, mmHg.
    impossible : float
        Share of the patients below 40 or above 300 mmHg, half of them treated.
    absurd_effects : float
        Share of the trials whose effect is beyond 80 mmHg, up or down.
    middle : (float, float)
        Where the middle 95 % of the patients lie, mmHg.
    density : array, shape (points,)
        Of a patient's pressure from -150 to 430 mmHg, per mmHg.
    means : array, shape (16, 5)
        True untreated means of the hospitals of sixteen simulated trials, mmHg.
    patients : array, shape (16, 5, 12)
        Pressures of their patients, the second half of each hospital treated, mmHg.
    """

    centre: float
    intercept_sd: float
    effect_sd: float
    hospital_sd: float
    patient_sd: float
    impossible: float
    absurd_effects: float
    middle: tuple[float, float]
    density: Floats
    means: Floats
    patients: Floats


def _half_rule(nodes: int = 44) -> tuple[Floats, Floats]:
    """Return squares of a standard normal variable and weights: Gauss and Hermite's rule."""
    x, weight = np.polynomial.hermite_e.hermegauss(nodes)
    keep = x > 0  # an even rule: each square stands there twice
    return x[keep] ** 2, 2 * weight[keep] / math.sqrt(2 * math.pi)


_SQUARES, _WEIGHTS = _half_rule()
_RNG = np.random.default_rng(11)
_WORLDS = {
    "intercept": _RNG.standard_normal(_TRIALS),
    "effect": _RNG.standard_normal(_TRIALS),
    "hospital_sd": np.abs(_RNG.standard_normal(_TRIALS)),
    "patient_sd": np.abs(_RNG.standard_normal(_TRIALS)),
    "u": _RNG.standard_normal((_TRIALS, _HOSPITALS)),
    "e": _RNG.standard_normal((_TRIALS, _HOSPITALS, _PATIENTS)),
}


def compute(
    *,
    centre: str = "140",
    intercept_sd: float,
    effect_sd: float,
    hospital_sd: float,
    patient_sd: float,
) -> PriorPredictive:
    """Return what a prior of the random-intercept model says of patients.

    Parameters
    ----------
    centre : {"140", "0"}
        Prior mean of the average untreated pressure, mmHg.
    intercept_sd, effect_sd : float
        SDs of the normal priors of that average and of the effect (around 0), mmHg, above 0.
    hospital_sd, patient_sd : float
        Scales of the half-normal priors of the SDs between hospitals and between the patients of
        a hospital, mmHg, above 0.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    Given both standard deviations a patient's pressure is normal around `centre`, with variance
    intercept_sd² + hospital_sd² + patient_sd² and, for the treated half, effect_sd². What is
    left is an average over two half-normal standard deviations: a smooth function of the squares
    of two standard normal variables, summed by Gauss and Hermite's rule; shares are right to
    0.001. The simulated trials are one set of standard normal draws, rescaled.

    Examples
    --------
    >>> found = compute(intercept_sd=20, effect_sd=10, hospital_sd=5, patient_sd=20)
    >>> found.impossible < 0.01
    True
    """
    if centre not in _CENTRES:
        raise ValueError(f"centre must be '140' or '0', got {centre!r}")
    given = {"intercept_sd": intercept_sd, "effect_sd": effect_sd}
    given |= {"hospital_sd": hospital_sd, "patient_sd": patient_sd}
    for name, value in given.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a number above 0, got {value!r}")
    middle = float(centre)
    variance = intercept_sd**2 + (np.add.outer(hospital_sd**2 * _SQUARES, patient_sd**2 * _SQUARES))
    spread = np.sqrt(np.concatenate([variance.ravel(), variance.ravel() + effect_sd**2]))
    weight = np.tile(np.outer(_WEIGHTS, _WEIGHTS).ravel(), 2) / 2

    def below(pressure: float) -> float:
        return float(weight @ ndtr((pressure - middle) / spread))

    low, high = POSSIBLE
    away = (_PRESSURES[:, None] - middle) / spread
    w = _WORLDS
    tau, sigma = hospital_sd * w["hospital_sd"], patient_sd * w["patient_sd"]
    means = (middle + intercept_sd * w["intercept"])[:, None] + tau[:, None] * w["u"]
    treated = np.arange(_PATIENTS) >= _PATIENTS // 2
    patients = (
        means[:, :, None]
        + (effect_sd * w["effect"])[:, None, None] * treated
        + sigma[:, None, None] * w["e"]
    )
    half = _upper(below, middle, float(spread.max()))
    return PriorPredictive(
        centre=middle,
        **{name: float(value) for name, value in given.items()},
        impossible=below(low) + float(weight @ ndtr(-(high - middle) / spread)),
        absurd_effects=float(2 * ndtr(-EFFECT_LIMIT / effect_sd)),
        middle=(2 * middle - half, half),
        density=(np.exp(-(away**2) / 2) @ (weight / spread)) / math.sqrt(2 * math.pi),
        means=means,
        patients=patients,
    )


def _upper(below: Callable[[float], float], middle: float, widest: float) -> float:
    """Return the pressure that 97.5 % lie below, by bisection; the law is symmetric."""
    low, high = middle, middle + 5 * widest
    for _ in range(40):
        half = (low + high) / 2
        low, high = (half, high) if below(half) < 0.975 else (low, half)
    return (low + high) / 2


class _Figure:
    """The artists: sixteen trials, the density of a patient's pressure, the prior of the effect."""

    def __init__(self, first: PriorPredictive) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            grid = figure.add_gridspec(
                1, 3, width_ratios=(3.3, 0.9, 1.7), left=0.085, right=0.985, bottom=0.13,
                top=0.85, wspace=0.16,
            )  # fmt: skip
            trials, side, effect = (figure.add_subplot(grid[0, k]) for k in range(3))
            moving = [*self._trials(trials), *self._side(side), *self._effect(effect)]
            alt = (
                "Left: sixteen trials simulated from the prior, one a column, patients as grey "
                "dots and untreated hospital means as dashes; bands mark pressures below 40 and "
                "above 300 mmHg, which cannot be. Middle: the density of a patient's pressure. "
                "Right: the prior of the treatment effect, bands beyond 80 mmHg. The text below "
                "gives the shares."
            )
            self.draw(first)
            self.picture = Picture(figure, moving, alt)

    def _trials(self, axes: Axes) -> list:
        low, high = POSSIBLE
        bounds = (_PRESSURES[0], _PRESSURES[-1])
        axes.set(xlim=(-0.7, _TRIALS - 0.3), ylim=bounds, xlabel="sixteen simulated trials")
        axes.set(ylabel="pressure (mmHg)", xticks=[], yticks=[-100, 0, 40, 140, 300, 400])
        axes.axhspan(bounds[0], low, color="0.91", zorder=0)
        axes.axhspan(high, bounds[1], color="0.91", zorder=0)
        axes.set_title("What the prior takes for possible", y=1.03)
        axes.text(0.01, 0.02, "impossible", transform=axes.transAxes, color="0.25")
        axes.text(0.01, 0.93, "impossible", transform=axes.transAxes, color="0.25")
        across = np.arange(_TRIALS)[:, None] + np.linspace(-0.29, 0.29, _HOSPITALS)
        self.across = np.repeat(across.ravel(), _PATIENTS)
        (self.dots,) = axes.plot([], [], ".", color=PALETTE["patients"], ms=2.6, mew=0)
        self.dashes: PathCollection = axes.scatter(
            across.ravel(), np.zeros(across.size), s=34, marker="_", color=PALETTE["hospital"],
            linewidths=2,
        )  # fmt: skip
        self.hospital_at = across.ravel()
        return [self.dots, self.dashes]

    def _side(self, axes: Axes) -> list:
        low, high = POSSIBLE
        axes.set(ylim=(_PRESSURES[0], _PRESSURES[-1]), xlim=(0, 1.08), xticks=[])
        axes.set(yticks=[-100, 0, 40, 140, 300, 400], xlabel="density")
        axes.tick_params(labelleft=False)
        axes.axhspan(_PRESSURES[0], low, color="0.91", zorder=0)
        axes.axhspan(high, _PRESSURES[-1], color="0.91", zorder=0)
        self.share = axes.text(
            0.0, 1.03, "", transform=axes.transAxes, fontsize=12, linespacing=1.25
        )
        (self.law,) = axes.plot([], [], color=PALETTE["prior"], lw=2.5)
        return [self.law, self.share]

    def _effect(self, axes: Axes) -> list:
        axes.set(xlim=(_EFFECTS[0], _EFFECTS[-1]), ylim=(0, 1.08), yticks=[])
        axes.set(xlabel="treatment effect (mmHg)", xticks=[-80, 0, 80])
        axes.axvspan(_EFFECTS[0], -EFFECT_LIMIT, color="0.91", zorder=0)
        axes.axvspan(EFFECT_LIMIT, _EFFECTS[-1], color="0.91", zorder=0)
        axes.spines["left"].set_visible(False)
        self.beyond = axes.text(
            0.0, 1.03, "", transform=axes.transAxes, fontsize=12, linespacing=1.25
        )
        (self.belief,) = axes.plot([], [], color=PALETTE["prior"], lw=2.5)
        return [self.belief, self.beyond]

    def draw(self, result: PriorPredictive) -> None:
        self.dots.set_data(self.across, result.patients.ravel())
        self.dashes.set_offsets(np.column_stack([self.hospital_at, result.means.ravel()]))
        self.law.set_data(result.density / result.density.max(), _PRESSURES)
        self.share.set_text(f"impossible:\n{_percent(result.impossible)}")
        self.belief.set_data(_EFFECTS, np.exp(-((_EFFECTS / result.effect_sd) ** 2) / 2))
        self.beyond.set_text(f"beyond 80 mmHg:\n{_percent(result.absurd_effects)}")


def _percent(share: float) -> str:
    value = 100 * share
    if value < 0.01:
        return "under 0.01 %"
    digits = 2 if value < 0.995 else 1 if value < 9.95 else 0
    return f"{value:.{digits}f} %"


def _describe(result: PriorPredictive) -> str:
    low, high = result.middle
    reach = float(-ndtri(0.025)) * result.effect_sd
    lowest, highest = (f"{value:.0f}".replace("-", "−") for value in (low, high))
    return (
        f"Before any data, this prior gives {_percent(result.impossible)} of the patients a "
        "pressure below 40 or above 300 mmHg, and "
        f"{_percent(result.absurd_effects)} of the trials an effect beyond 80 mmHg. "
        f"The middle 95 % of its patients lie between {lowest} and {highest} mmHg, and the middle "
        f"95 % of its effects between −{reach:.0f} and {reach:.0f} mmHg."
    )


def prior_predictive_explorer() -> Explorer:
    """Return sliders for a prior, and what it says of patients before any is seen.

    Returns
    -------
    Explorer
        Its state is `centre`, `intercept_sd`, `effect_sd`, `hospital_sd` and `patient_sd`; its
        `result` a `PriorPredictive`. It starts at the vague prior of the lesson.

    Examples
    --------
    >>> explorer = prior_predictive_explorer()
    >>> explorer.result.impossible > 0.5
    True
    >>> explorer.set_state(centre="140", intercept_sd=20, effect_sd=10, hospital_sd=5,
    ...                    patient_sd=20)
    >>> explorer.result.impossible < 0.01
    True
    """
    controls = [
        Choice("centre", "0", _CENTRES),
        Number("intercept_sd", "SD of the mean (mmHg)", 100, 1, 100, 1, digits=0),
        Number("effect_sd", "SD of the effect (mmHg)", 100, 1, 100, 1, digits=0),
        Number("hospital_sd", "Scale of hospital_sd (mmHg)", 100, 1, 100, 1, digits=0),
        Number("patient_sd", "Scale of patient_sd (mmHg)", 100, 1, 100, 1, digits=0),
    ]
    start = {control.name: control.start for control in controls}
    drawing = _Figure(compute(**start))
    return Explorer(
        controls,
        compute=compute,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
