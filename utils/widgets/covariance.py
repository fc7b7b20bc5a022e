"""What standard deviations say about two patients: the covariance matrix beside the patients."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utils.covariance import entry, heat_map, implied_covariance, ink
from utils.plots import PALETTE
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Number

__all__ = ["CovarianceResult", "compute", "covariance_explorer"]

_HEIGHT = 450
_HOSPITALS, _PATIENTS = 8, 6  # drawn patients of each arm of each hospital
_INTERCEPT, _EFFECT = 140.0, -8.0  # mmHg, the course's trial
_ROWS = ["control", "control", "treated", "treated"]
_HOSPITAL_OF_ROW = np.repeat([0, 1], len(_ROWS))
_TREATED_OF_ROW = np.tile([0, 0, 1, 1], 2)
_SAME_HOSPITAL = _HOSPITAL_OF_ROW[:, None] == _HOSPITAL_OF_ROW

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CovarianceResult:
    """What a model with hospital effects on the intercept and on the treatment effect says.

    Attributes
    ----------
    hospital_sd, effect_sd, patient_sd : float
        Standard deviations of the hospitals' intercepts, of their treatment effects, and of the
        patients of one hospital, mmHg.
    correlation : float
        Of a hospital's intercept and its treatment effect.
    V : ndarray, shape (8, 8)
        Covariance, mmHg², of two hospitals' patients: two untreated and two treated in each.
    sd_control, sd_treated : float
        Standard deviation of an untreated and of a treated patient over all hospitals, mmHg.
        Over one hospital both are `patient_sd`.
    same_control, same_treated, same_mixed : float
        Correlation of two patients of one hospital: both untreated, both treated, one of each.
        Patients of different hospitals are not correlated.
    patients : ndarray, shape (2, 8, 6)
        Drawn patients by arm (control, treated), hospital and patient, mmHg.
    means : ndarray, shape (2, 8)
        True means of the hospitals' arms, mmHg.
    """

    hospital_sd: float
    effect_sd: float
    patient_sd: float
    correlation: float
    V: Floats
    sd_control: float
    sd_treated: float
    same_control: float
    same_treated: float
    same_mixed: float
    patients: Floats
    means: Floats


def _scores() -> tuple[Floats, Floats, Floats]:
    """Return hospital scores for intercept and effect, and patient scores.

    The hospitals' two scores are made to have mean 0, SD 1 and correlation 0 exactly, so that
    eight hospitals show what the sliders say.
    """
    rng = np.random.default_rng(4)
    raw = rng.standard_normal((_HOSPITALS, 2))
    raw -= raw.mean(0)
    ortho, triangle = np.linalg.qr(raw)
    hospitals = ortho * np.sign(np.diag(triangle)) * math.sqrt(_HOSPITALS)
    hospitals = hospitals[np.argsort(hospitals[:, 0])]
    return hospitals[:, 0], hospitals[:, 1], rng.standard_normal((2, _HOSPITALS, _PATIENTS))


_INTERCEPTS, _EFFECTS, _NOISE = _scores()


def compute(
    *, hospital_sd: float, effect_sd: float, patient_sd: float, correlation: float
) -> CovarianceResult:
    """Return the implied covariance of patients, and the same patients drawn under it.

    Parameters
    ----------
    hospital_sd, effect_sd : float
        0 or more, mmHg.
    patient_sd : float
        Above 0, mmHg.
    correlation : float
        -1 to 1.

    Returns
    -------
    CovarianceResult
        The covariance in closed form. The drawn patients keep their scores: they move with the
        standard deviations and are never drawn anew.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Examples
    --------
    >>> result = compute(hospital_sd=6, effect_sd=0, patient_sd=8, correlation=0)
    >>> result.same_control, result.sd_control
    (0.36, 10.0)
    """
    if not (math.isfinite(patient_sd) and patient_sd > 0):
        raise ValueError(f"patient_sd must be above 0, got {patient_sd!r}")
    V = implied_covariance(
        _HOSPITAL_OF_ROW, treated=_TREATED_OF_ROW, hospital_sd=hospital_sd,
        patient_sd=patient_sd, effect_sd=effect_sd, correlation=correlation,
    )  # fmt: skip
    sd = np.sqrt(np.diag(V))
    effect = correlation * _INTERCEPTS + math.sqrt(1 - correlation**2) * _EFFECTS
    control = _INTERCEPT + hospital_sd * _INTERCEPTS
    means = np.stack([control, control + _EFFECT + effect_sd * effect])
    return CovarianceResult(
        hospital_sd=float(hospital_sd),
        effect_sd=float(effect_sd),
        patient_sd=float(patient_sd),
        correlation=float(correlation),
        V=V,
        sd_control=float(sd[0]),
        sd_treated=float(sd[2]),
        same_control=float(V[0, 1] / sd[0] ** 2),
        same_treated=float(V[2, 3] / sd[2] ** 2),
        same_mixed=float(V[0, 2] / (sd[0] * sd[2])),
        patients=means[..., None] + patient_sd * _NOISE,
        means=means,
    )


class _Drawing:
    """The artists: patients on the left, the covariance matrix on the right."""

    def __init__(self) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
            figure.subplots_adjust(left=0.07, right=0.985, bottom=0.13, top=0.83, wspace=0.2)
            left.set(xlim=(-0.7, 12.1), ylim=(78, 200), ylabel="systolic blood pressure (mmHg)")
            left.set_xticks(
                [3.5, 9.1, 11.3], ["eight hospitals", "all\nhospitals", "one\nhospital"]
            )
            left.tick_params(axis="x", length=0)
            left.set_title("Patients; bars: where 95 % of them lie", y=1.1)
            left.axvline(8.2, color="#BBBBBB", lw=1)
            moving = []
            self.dots, self.means, self.bars = [], [], []
            self.x = np.arange(_HOSPITALS)
            for arm, side in (("control", -0.17), ("treated", 0.17)):
                colour = PALETTE[arm]
                x = np.repeat(self.x + side, _PATIENTS)
                self.dots.append(left.plot(x, x, "o", ms=4, color=colour, alpha=0.55)[0])
                self.means.append(
                    left.plot(self.x + side, self.x, "_", ms=10, mew=3.4, color=colour,
                              label=f"{arm}: hospital mean")[0]
                )  # fmt: skip
                self.bars.append(
                    [
                        left.plot([at + side] * 2, [0, 1], color=colour, lw=6)[0]
                        for at in (9.1, 11.3)
                    ]
                )
                moving += [self.dots[-1], self.means[-1], *self.bars[-1]]
            left.legend(
                loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncol=2, frameon=False, fontsize=11,
                borderpad=0, handletextpad=0.3, columnspacing=1.2,
            )  # fmt: skip
            start = compute(hospital_sd=6, effect_sd=0, patient_sd=8, correlation=0)
            self.image, texts = heat_map(start.V, right, edges=[4])
            self.image.set_interpolation("nearest")
            # Patients of different hospitals have covariance 0 whatever the sliders say: those
            # cells are drawn once, and left out of what is drawn again.
            size = len(_HOSPITAL_OF_ROW)
            self.cells = [
                (row, column, texts[row * size + column])
                for row, column in zip(*np.nonzero(_SAME_HOSPITAL), strict=True)
            ]
            right.set_title("Covariance matrix V (mmHg²)", y=1.1)
            names = ["C", "C", "T", "T"] * 2
            right.set_xticks(range(size), names)
            right.set_yticks(range(size), names)
            right.tick_params(length=0)
            right.set_xlabel("hospital 1                    hospital 2")
            right.set_ylabel("hospital 2             hospital 1")
            moving += [self.image, *(text for *_, text in self.cells), *right.get_lines()]
            self.picture = Picture(
                figure,
                moving,
                alt=(
                    "Two panels. Left: patients of eight hospitals, untreated and treated, with "
                    "the true mean of each; at the right, bars that hold 95 % of the patients of "
                    "all hospitals and of one average hospital. Right: the covariance matrix of "
                    "two hospitals, two untreated (C) and two treated patients (T) in each, as a "
                    "heat map with numbers: blocks along the diagonal, 0 elsewhere. The text "
                    "below gives the standard deviations and correlations."
                ),
            )

    def draw(self, result: CovarianceResult) -> None:
        for arm, sd in enumerate((result.sd_control, result.sd_treated)):
            self.dots[arm].set_ydata(result.patients[arm].ravel())
            self.means[arm].set_ydata(result.means[arm])
            middle = _INTERCEPT + arm * _EFFECT
            for bar, spread in zip(self.bars[arm], (sd, result.patient_sd), strict=True):
                bar.set_ydata([middle - 1.96 * spread, middle + 1.96 * spread])
        largest = float(np.abs(result.V).max())
        self.image.set_data(np.ma.masked_where(~_SAME_HOSPITAL, result.V))
        self.image.norm.vmin, self.image.norm.vmax = -largest, largest
        for row, column, text in self.cells:
            text.set_text(entry(result.V[row, column]))
            text.set_color(ink(result.V[row, column], largest))


def _share(value: float) -> str:
    text = f"{abs(value):.2f}"
    text = text if text.startswith("1") else text[1:]
    return f"−{text}" if value <= -0.005 else text


def _describe(result: CovarianceResult) -> str:
    return (
        f"Hospital SD {result.hospital_sd:.1f}, SD of the treatment effects "
        f"{result.effect_sd:.1f}, patient SD {result.patient_sd:.1f} mmHg, correlation of "
        f"intercept and effect {_share(result.correlation)}. Over all hospitals an untreated "
        f"patient has an SD of {result.sd_control:.1f} mmHg, a treated one of "
        f"{result.sd_treated:.1f}; within one hospital both have {result.patient_sd:.1f}. "
        f"Correlation of two patients of the same hospital: both untreated "
        f"{_share(result.same_control)}, both treated {_share(result.same_treated)}, one of each "
        f"{_share(result.same_mixed)}. Of different hospitals: 0."
    )


def covariance_explorer() -> Explorer:
    """Return sliders for the standard deviations of a mixed model.

    Returns
    -------
    Explorer
        Its state is `hospital_sd`, `effect_sd` and `patient_sd` (mmHg) and `correlation` (of a
        hospital's intercept and treatment effect).

    Examples
    --------
    >>> explorer = covariance_explorer()
    >>> explorer.set_state(effect_sd=6)
    >>> float(explorer.result.V[2, 3])
    72.0
    """
    drawing = _Drawing()
    return Explorer(
        [
            Number("hospital_sd", "Hospital SD (mmHg)", 6.0, 0.0, 12.0, 0.5),
            Number("effect_sd", "SD of treatment effects (mmHg)", 0.0, 0.0, 10.0, 0.5),
            Number("patient_sd", "Patient SD (mmHg)", 8.0, 2.0, 14.0, 0.5),
            Number("correlation", "Correlation of the two", 0.0, -1.0, 1.0, 0.1, digits=2),
        ],
        compute=compute,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
