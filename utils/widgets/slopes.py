"""Hospitals as points, intercept across and effect up: what noise and shrinkage do to the cloud."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from utils.plots import PALETTE
from utils.slopes import contour
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Choice, Number

__all__ = ["CloudResult", "Spread", "compute", "slopes_explorer"]

HOSPITALS = 24
PATIENT_SD = 12.0
MEAN = (140.0, -6.0)
_HEIGHT = 410
_ZERO = {"untreated": "Intercept: untreated patients", "middle": "Intercept: middle of both arms"}
_THINGS = {"own": "no pooling", "truth": "truth", "shrunken": "partial pooling"}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """How a set of points spreads: two SDs (mmHg) and a correlation, NaN where an SD is 0."""

    intercept_sd: float
    effect_sd: float
    correlation: float


@dataclass(frozen=True, eq=False)
class CloudResult:
    """24 hospitals of equal size, half of each treated.

    Attributes
    ----------
    hospital_sd, effect_sd, correlation : float
        What was set: SDs of the hospitals' mean untreated pressure and of their effects, mmHg,
        and their correlation.
    patients_per_hospital : int
        Patients of each hospital.
    zero : str
        What the intercept is the mean of: "untreated" patients, or the "middle" of both arms.
    truth, own, shrunken : array, shape (24, 2)
        Intercepts and effects, mmHg: the true ones, each hospital's own least-squares line, and
        the predictions of the model with its true standard deviations.
    mean : array, shape (2,)
        Of the population.
    covariance, noise : array, shape (2, 2)
        Of the true points, and of own less truth.
    spreads : dict of str to Spread
        Of "truth", "own" and "shrunken".
    errors : dict of str to float
        Root mean square distance of the hospitals' effects from the truth, mmHg, of "own",
        "shrunken" and "mean" (the mean effect for every hospital).
    """

    hospital_sd: float
    effect_sd: float
    correlation: float
    patients_per_hospital: int
    zero: str
    truth: Floats
    own: Floats
    shrunken: Floats
    mean: Floats
    covariance: Floats
    noise: Floats
    spreads: dict[str, Spread]
    errors: dict[str, float]


def _typical_draws(seed: int = 6) -> Floats:
    """Return 24 x 4 normal numbers, turned so that their means are 0 and covariances exactly I."""
    draws = np.random.default_rng(seed).standard_normal((HOSPITALS, 4))
    draws -= draws.mean(axis=0)
    return draws @ np.linalg.inv(np.linalg.cholesky(draws.T @ draws / HOSPITALS)).T


_DRAWS = _typical_draws()


def compute(
    *,
    hospital_sd: float,
    effect_sd: float,
    correlation: float,
    patients_per_hospital: int,
    zero: str = "untreated",
) -> CloudResult:
    """Return true, own and shrunken lines of 24 typical hospitals, in closed form.

    Parameters
    ----------
    hospital_sd, effect_sd : float
        SDs of the hospitals' mean untreated pressure and of their effects, mmHg, 0 or more.
    correlation : float
        Of the two, -1 to 1.
    patients_per_hospital : int
        Even, 2 or more; half are treated.
    zero : {"untreated", "middle"}
        What the intercept is the mean of.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    With n patients, half of them treated, an own line misses the truth by noise of covariance
    N = patient_sd² [[2/n, -2/n], [-2/n, 4/n]]: the untreated mean stands in both of its numbers.
    The prediction is mean + G (G + N)⁻¹ (own - mean), G being the covariance of the true points.
    The hospitals are typical: the SDs and correlations of truth and noise are exactly G and N
    (dividing by 24), so that those shown are what is expected, free of the luck of a draw.

    Examples
    --------
    >>> found = compute(hospital_sd=6, effect_sd=5, correlation=0, patients_per_hospital=12)
    >>> {name: round(spread.correlation, 2) for name, spread in found.spreads.items()}
    {'truth': 0.0, 'own': -0.36, 'shrunken': 0.36}
    """
    n = patients_per_hospital
    for name, value in (("hospital_sd", hospital_sd), ("effect_sd", effect_sd)):
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} must be 0 or more, got {value!r}")
    if not -1 <= correlation <= 1:
        raise ValueError(f"correlation must be between -1 and 1, got {correlation!r}")
    if n != int(n) or n < 2 or n % 2:
        raise ValueError(f"patients_per_hospital must be even and 2 or more, got {n!r}")
    if zero not in _ZERO:
        raise ValueError(f"zero must be 'untreated' or 'middle', got {zero!r}")
    root = np.array(
        [
            [hospital_sd, 0.0],
            [correlation * effect_sd, np.sqrt(1 - correlation**2) * effect_sd],
        ]
    )
    noise_root = PATIENT_SD * np.sqrt(2 / n) * np.array([[1.0, 0.0], [-1.0, 1.0]])
    covariance, noise, mean = root @ root.T, noise_root @ noise_root.T, np.array(MEAN)
    truth = mean + _DRAWS[:, :2] @ root.T
    own = truth + _DRAWS[:, 2:] @ noise_root.T
    weight = covariance @ np.linalg.inv(covariance + noise)
    shrunken = mean + (own - mean) @ weight.T
    if zero == "middle":  # half an effect further on: the same lines, read elsewhere
        turn = np.array([[1.0, 0.5], [0.0, 1.0]])
        truth, own, shrunken, mean = (points @ turn.T for points in (truth, own, shrunken, mean))
        covariance, noise = turn @ covariance @ turn.T, turn @ noise @ turn.T
    points = {"own": own, "truth": truth, "shrunken": shrunken}
    effects = {name: value[:, 1] for name, value in points.items() if name != "truth"}
    effects["mean"] = np.full(HOSPITALS, mean[1])
    return CloudResult(
        hospital_sd=float(hospital_sd),
        effect_sd=float(effect_sd),
        correlation=float(correlation),
        patients_per_hospital=int(n),
        zero=zero,
        **points,
        mean=mean,
        covariance=covariance,
        noise=noise,
        spreads={name: _spread(value) for name, value in points.items()},
        errors={
            name: float(np.sqrt(np.mean((value - truth[:, 1]) ** 2)))
            for name, value in effects.items()
        },
    )


def _spread(points: Floats) -> Spread:
    away = points - points.mean(axis=0)
    matrix = away.T @ away / len(points)
    intercept_sd, effect_sd = np.sqrt(np.diagonal(matrix))
    known = min(intercept_sd, effect_sd) > 1e-9
    correlation = matrix[0, 1] / (intercept_sd * effect_sd) if known else np.nan
    return Spread(float(intercept_sd), float(effect_sd), float(correlation))


class _CloudFigure:
    """The artists: the cloud on the left, its SDs and correlations as bars on the right."""

    def __init__(self, first: CloudResult) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            grid = figure.add_gridspec(
                3, 2, width_ratios=(1.75, 1), left=0.075, right=0.93, bottom=0.13, top=0.88,
                wspace=0.3, hspace=0.75,
            )  # fmt: skip
            moving = self._cloud(figure.add_subplot(grid[:, 0]))
            titles = ["SD of intercepts (mmHg)", "SD of effects (mmHg)", "Correlation"]
            self.bars, self.numbers = [], []
            for k, title in enumerate(titles):
                moving += self._strip(figure.add_subplot(grid[k, 1]), title, -1.0 * (k == 2))
            alt = (
                "24 hospitals as points: intercept across, effect of the drug up. Each has an open "
                "circle at its own line, an arrow to a filled diamond, its shrunken line, and a "
                "cross at its true line. An ellipse holds 95 % of the population. Right: bars for "
                "the SD of intercepts, the SD of effects and their correlation, of own lines, "
                "truth and shrunken lines. The text below gives the numbers."
            )
            self.draw(first)
            self.picture = Picture(figure, moving, alt)

    def _cloud(self, axes: Axes) -> list[Artist]:
        axes.set(
            xlim=(103, 171), ylim=(-36, 24), xlabel="intercept (mmHg)",
            ylabel="effect of the drug (mmHg)",
        )  # fmt: skip
        axes.set_title("Each hospital is one point", y=1.065)
        axes.axhline(MEAN[1], color="0.85", lw=1, zorder=0)
        own, now, true = (PALETTE[thing] for thing in ("no pooling", "partial pooling", "truth"))
        nothing = np.zeros(HOSPITALS)
        self.arrows = axes.quiver(
            nothing, nothing, nothing, nothing, color=PALETTE["patients"], angles="xy",
            scale_units="xy", scale=1, units="dots", width=1.1 * axes.figure.dpi / 72, headwidth=5,
            headlength=6, headaxislength=5, minlength=0,
        )  # fmt: skip
        self.own = axes.scatter(nothing, nothing, s=34, facecolor="none", edgecolor=own, lw=1.4)
        self.shrunken = axes.scatter(nothing, nothing, s=30, marker="D", color=now, lw=0)
        self.truth = axes.scatter(nothing, nothing, s=34, marker="x", color=true, lw=1.4)
        (self.ellipse,) = axes.plot([], [], color=PALETTE["random slope"], lw=2)
        axes.legend(
            [self.own, self.shrunken, self.truth, self.ellipse],
            ["own line", "shrunken", "truth", "95 % of the population"],
            loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncol=4, frameon=False, fontsize=11,
            borderpad=0, handletextpad=0.3, columnspacing=1.1, handlelength=1.4,
        )  # fmt: skip
        return [self.ellipse, self.arrows, self.own, self.shrunken, self.truth]

    def _strip(self, axes: Axes, title: str, low: float) -> list[Artist]:
        high = 1.0 if low else 15.0
        bars = axes.barh(list(_THINGS), [0, 0, 0], height=0.62,
                         color=[PALETTE[thing] for thing in _THINGS.values()])  # fmt: skip
        axes.invert_yaxis()
        axes.set(xlim=(low, high), xticks=[-1, 0, 1] if low else [0, 5, 10])
        axes.set_title(title, y=1.0)
        axes.tick_params(axis="y", length=0)
        if low:
            axes.axvline(0, color="#444444", lw=0.8)
        right = high + 0.03 * (high - low)
        texts = [axes.text(right, row, "", va="center", fontsize=11.5) for row in range(3)]
        self.bars.append(bars.patches)
        self.numbers.append(texts)
        return [*bars.patches, *texts]

    def draw(self, result: CloudResult) -> None:
        way = result.shrunken - result.own
        self.arrows.set_offsets(result.own)
        self.arrows.XY = result.own
        self.arrows.set_UVC(way[:, 0], way[:, 1])
        self.own.set_offsets(result.own)
        self.shrunken.set_offsets(result.shrunken)
        self.truth.set_offsets(result.truth)
        self.ellipse.set_data(*contour(result.mean, result.covariance))
        for row, thing in enumerate(_THINGS):
            spread = result.spreads[thing]
            values = (spread.intercept_sd, spread.effect_sd, spread.correlation)
            for k, value in enumerate(values):
                known = not np.isnan(value)
                self.bars[k][row].set_width(value if known else 0.0)
                self.numbers[k][row].set_text(_number(value, k == 2) if known else "none")


def _number(value: float, share: bool) -> str:
    return _signed(value) if share else f"{value:.1f}"


def _signed(value: float) -> str:
    rounded = round(value, 2) + 0.0
    return f"{rounded:+.2f}".replace("-", "−") if rounded else "0.00"


def _describe(result: CloudResult) -> str:
    own, truth, shrunken = (result.spreads[name] for name in ("own", "truth", "shrunken"))

    def words(spread: Spread) -> str:
        end = "no correlation" if np.isnan(spread.correlation) else _signed(spread.correlation)
        return f"{spread.intercept_sd:.1f} and {spread.effect_sd:.1f}, {end}"

    where = "the untreated patients" if result.zero == "untreated" else "the middle of both arms"
    errors = result.errors
    return (
        f"{result.patients_per_hospital} patients per hospital; intercepts are means of {where}. "
        "SD of intercepts and of effects (mmHg), and correlation. "
        f"True lines: {words(truth)}. Own lines: {words(own)}. Shrunken lines: {words(shrunken)}. "
        f"Typical error of a hospital's effect: {errors['own']:.1f} mmHg by its own line, "
        f"{errors['shrunken']:.1f} by the shrunken one, {errors['mean']:.1f} if every hospital is "
        "given the mean effect."
    )


def slopes_explorer() -> Explorer:
    """Return sliders for a population of hospitals whose drug effects differ.

    Returns
    -------
    Explorer
        Its state is `hospital_sd`, `effect_sd`, `correlation`, `patients_per_hospital` and
        `zero`; its `result` a `CloudResult`.

    Examples
    --------
    >>> explorer = slopes_explorer()
    >>> explorer.set_state(patients_per_hospital=100)
    >>> spreads = explorer.result.spreads
    >>> abs(spreads["shrunken"].correlation) < abs(spreads["own"].correlation) + 1e-9
    True
    """
    controls = [
        Number("hospital_sd", "SD of untreated means (mmHg)", 6.0, 0.0, 9.0, 0.5),
        Number("effect_sd", "SD of effects (mmHg)", 5.0, 0.0, 9.0, 0.5),
        Number("correlation", "Their correlation", 0.0, -0.95, 0.95, 0.05, digits=2),
        Number("patients_per_hospital", "Patients per hospital", 12, 8, 100, 2, digits=0),
        Choice("zero", "untreated", _ZERO),
    ]
    start = {control.name: control.start for control in controls}
    drawing = _CloudFigure(compute(**start))
    return Explorer(
        controls,
        compute=compute,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
