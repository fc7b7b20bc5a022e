"""Who varies? The variance split over levels, and what it does to patients and to treatments."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from utils.levels import mean_squares, variance_shares
from utils.plots import PALETTE
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Number

__all__ = ["LevelsResult", "compute", "levels_explorer"]

REGIONS, HOSPITALS, SURGEONS = 8, 4, 12  # hospitals in each region; surgeons in all
_HEIGHT = 440
_NESTED = ("region", "hospital", "ward", "patient")
_COLOURS = {name: PALETTE["patients" if name == "patient" else name]
            for name in ("region", "hospital", "ward", "surgeon", "patient")}  # fmt: skip
_PAIRS = {
    "same region": ("region",),
    "same hospital": ("region", "hospital"),
    "same ward": ("region", "hospital", "ward"),
    "same ward and surgeon": ("region", "hospital", "ward", "surgeon"),
    "same surgeon only": ("surgeon",),
}


@dataclass(frozen=True, eq=False)
class LevelsResult:
    """What five standard deviations say of patients and of treatments.

    Attributes
    ----------
    region_sd, hospital_sd, ward_sd, surgeon_sd, patient_sd : float
        SDs of the levels' effects, mmHg.
    patients_per_ward, wards_per_hospital, n_patients : int
        Size of the study; 8 regions of 4 hospitals, 12 surgeons.
    shares : Series
        Share of the variance by level.
    correlations : Series
        Of two patients, by what they share.
    hospital_mean_se : float
        Standard error of a hospital's observed mean about its true mean, mmHg.
    treatment_se : Series
        Standard error of the effect of a treatment, by the level at which it is given, mmHg.
    """

    region_sd: float
    hospital_sd: float
    ward_sd: float
    surgeon_sd: float
    patient_sd: float
    patients_per_ward: int
    wards_per_hospital: int
    n_patients: int
    shares: pd.Series
    correlations: pd.Series
    hospital_mean_se: float
    treatment_se: pd.Series


def compute(
    *,
    region_sd: float,
    hospital_sd: float,
    ward_sd: float,
    surgeon_sd: float,
    patient_sd: float,
    patients_per_ward: int,
    wards_per_hospital: int,
) -> LevelsResult:
    """Return what the levels' standard deviations mean.

    Parameters
    ----------
    region_sd, hospital_sd, ward_sd, surgeon_sd, patient_sd : float
        Standard deviations of the levels' effects, mmHg; 0 or more, the patient's above 0.
    patients_per_ward, wards_per_hospital : int
        Even, 2 or more. There are 8 regions of 4 hospitals.

    Returns
    -------
    LevelsResult
        All in closed form; nothing is simulated.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    Regions, hospitals, wards and patients are nested, with expected mean squares as in
    `utils.levels.mean_squares`. The 12 surgeons are crossed with all of them: each operates on
    the same share of every ward's patients, so that their effects cancel in every comparison but
    that between surgeons, whose expected mean square is patient_sd² + N/12 surgeon_sd². A
    treatment given at a level goes to half of its units in each unit above; its effect has
    variance 4/N times the level's mean square.

    Examples
    --------
    >>> result = compute(region_sd=3, hospital_sd=6, ward_sd=6, surgeon_sd=0, patient_sd=12,
    ...                  patients_per_ward=10, wards_per_hospital=4)
    >>> result.correlations.round(2).tolist()
    [0.04, 0.2, 0.36, 0.36, 0.0]
    """
    sds = {"region": region_sd, "hospital": hospital_sd, "ward": ward_sd,
           "surgeon": surgeon_sd, "patient": patient_sd}  # fmt: skip
    if not patient_sd > 0:
        raise ValueError(f"patient_sd must be above 0, got {patient_sd!r}")
    shares = variance_shares(sds)
    counts = {"region": REGIONS, "hospital": HOSPITALS, "ward": wards_per_hospital,
              "patient": patients_per_ward}  # fmt: skip
    for name, value in (("patients_per_ward", patients_per_ward),
                        ("wards_per_hospital", wards_per_hospital)):  # fmt: skip
        if value != int(value) or value < 2 or value % 2:
            raise ValueError(f"{name} must be an even number of 2 or more, got {value!r}")
    squares = mean_squares({name: sds[name] for name in _NESTED}, counts)
    n_patients = math.prod(counts.values())
    squares["surgeon"] = patient_sd**2 + n_patients / SURGEONS * surgeon_sd**2
    return LevelsResult(
        **{f"{name}_sd": float(sd) for name, sd in sds.items()},
        patients_per_ward=int(patients_per_ward),
        wards_per_hospital=int(wards_per_hospital),
        n_patients=n_patients,
        shares=shares,
        correlations=pd.Series({pair: shares[list(of)].sum() for pair, of in _PAIRS.items()}),
        hospital_mean_se=math.sqrt(
            (ward_sd**2 + patient_sd**2 / patients_per_ward) / wards_per_hospital
        ),
        treatment_se=np.sqrt(4 / n_patients * squares[list(sds)]),
    )


class _Drawing:
    """The artists: shares above, correlations below at the left, standard errors at the right."""

    def __init__(self) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            top = figure.add_axes((0.02, 0.76, 0.965, 0.12))
            left = figure.add_axes((0.19, 0.08, 0.325, 0.52))
            right = figure.add_axes((0.70, 0.08, 0.285, 0.52))
            top.set(xlim=(0, 1), ylim=(-0.5, 0.5), xticks=[], yticks=[])
            top.axis("off")
            figure.text(0.02, 0.945, "Share of the variance", fontsize=12.5)
            self.bars = [top.barh(0, 0.2, left=0.2 * i, color=_COLOURS[name], height=1)[0]
                         for i, name in enumerate(_COLOURS)]  # fmt: skip
            self.words = [
                top.text(0, 0, "", ha="center", va="center", fontsize=11.5,
                         color="white" if name in ("region", "hospital") else "black")
                for name in _COLOURS
            ]  # fmt: skip
            top.legend(self.bars, list(_COLOURS), loc="lower right", bbox_to_anchor=(1.0, 1.02),
                       ncol=5, frameon=False, fontsize=11.5, borderpad=0)  # fmt: skip
            left.set_title("Correlation of two patients of the same", x=-0.53)
            left.set(xlim=(0, 1.0), ylim=(4.6, -0.6))
            left.set_yticks(range(5), [pair.replace("same ", "") for pair in _PAIRS])
            left.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".50", ".75", "1"])
            colours = [_COLOURS[name] for name in ("region", "hospital", "ward", "ward", "surgeon")]
            self.pairs = left.barh(range(5), [0] * 5, color=colours, height=0.62)
            self.pair_words = [left.text(0, i, "", va="center", fontsize=11) for i in range(5)]
            right.set_title("Standard error (mmHg) of", x=-0.52)
            names = [f"treatment by {name}" for name in _COLOURS] + ["a hospital's mean"]
            right.set(xscale="log", xlim=(0.02, 40), ylim=(5.6, -0.6))
            right.set_yticks(range(6), names)
            right.set_xticks([0.03, 0.1, 0.3, 1, 3, 10], ["0.03", "0.1", "0.3", "1", "3", "10"])
            right.minorticks_off()
            right.grid(axis="x", color="#DDDDDD", lw=0.8)
            right.set_axisbelow(True)
            self.dots = right.scatter([1] * 6, range(6), s=80, zorder=3,
                                      color=[*_COLOURS.values(), PALETTE["hospital"]])  # fmt: skip
            self.dot_words = [right.text(1, i, "", va="center", fontsize=11) for i in range(6)]
            for axes in (left, right):
                axes.tick_params(axis="y", length=0)
            self.picture = Picture(
                figure,
                [*self.bars, *self.words, *self.pairs, *self.pair_words, self.dots,
                 *self.dot_words],
                alt=(
                    "Three panels. Above: a bar cut into the shares of the variance that lie "
                    "between regions, hospitals, wards, surgeons and patients. Below left: the "
                    "correlation of two patients by what they share. Below right: the standard "
                    "error of a treatment by the level at which it is given, and of a hospital's "
                    "mean. The text below gives the numbers."
                ),
            )  # fmt: skip

    def draw(self, result: LevelsResult) -> None:
        at = 0.0
        for bar, word, share in zip(self.bars, self.words, result.shares, strict=True):
            bar.set_x(at)
            bar.set_width(share)
            word.set_x(at + share / 2)
            word.set_text(f"{100 * share:.0f} %" if share > 0.055 else "")
            at += share
        for bar, word, value in zip(self.pairs, self.pair_words, result.correlations, strict=True):
            bar.set_width(value)
            word.set_x(value + 0.02 if value < 0.85 else value - 0.13)
            word.set_text(f"{value:.2f}")
        errors = [*result.treatment_se, result.hospital_mean_se]
        self.dots.set_offsets(np.column_stack([errors, range(6)]))
        for word, value in zip(self.dot_words, errors, strict=True):
            word.set_x(value * 1.38)
            word.set_text(f"{value:.2f}")


def _describe(result: LevelsResult) -> str:
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in result.shares.items())
    pairs = ", ".join(f"{pair} {value:.2f}" for pair, value in result.correlations.items())
    errors = ", ".join(f"by {name} {value:.2f}" for name, value in result.treatment_se.items())
    return (
        f"{REGIONS} regions of {HOSPITALS} hospitals of {result.wards_per_hospital} wards of "
        f"{result.patients_per_ward} patients: {result.n_patients:,} in all, {SURGEONS} surgeons. "
        f"Shares of the variance: {shares}. Correlation of two patients: {pairs}. "
        f"Standard error of a treatment's effect, mmHg: {errors}. Standard error of a hospital's "
        f"mean: {result.hospital_mean_se:.2f} mmHg."
    )


def levels_explorer() -> Explorer:
    """Return sliders for the standard deviation of each level, and for the size of a study.

    Returns
    -------
    Explorer
        Its state is `region_sd`, `hospital_sd`, `ward_sd`, `surgeon_sd`, `patient_sd` (mmHg),
        `patients_per_ward` and `wards_per_hospital` (even).

    Examples
    --------
    >>> explorer = levels_explorer()
    >>> explorer.set_state(ward_sd=0)
    >>> float(explorer.result.correlations["same ward"].round(3))
    0.238
    """
    drawing = _Drawing()
    return Explorer(
        [
            Number("region_sd", "Region SD (mmHg)", 3, 0, 10, 0.5),
            Number("hospital_sd", "Hospital SD (mmHg)", 6, 0, 10, 0.5),
            Number("ward_sd", "Ward SD (mmHg)", 6, 0, 10, 0.5),
            Number("surgeon_sd", "Surgeon SD (mmHg)", 0, 0, 10, 0.5),
            Number("patient_sd", "Patient SD (mmHg)", 12, 4, 20, 0.5),
            Number("patients_per_ward", "Patients per ward", 10, 2, 100, 2, digits=0),
            Number("wards_per_hospital", "Wards per hospital", 4, 2, 20, 2, digits=0),
        ],
        compute=compute,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
