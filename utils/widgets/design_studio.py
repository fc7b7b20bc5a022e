"""A studio to plan a trial in: hospitals, patients and money against power, width and error."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from utils.design import SIMULATED, Plan, Trial, cost, designs_within, plan, z_type_1_error
from utils.plots import PALETTE
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Choice, Number

__all__ = ["StudioResult", "compute", "design_studio_explorer"]

_HEIGHT = 370
_PATIENT_SD = 12.0
_MOST_HOSPITALS, _MOST_PATIENTS = 60, 200
_EVERY = range(4, _MOST_HOSPITALS + 1, 2)
_SOME = (4, 6, 8, 10, 12, 16, 20, 26, 32, 40, 50, 60)  # for curves that must be simulated
_FEW = (4, 6, 10, 16, 28, 60)
_BY = {"hospital": "Treatment by hospital", "patient": "Treatment by patient"}


@dataclass(frozen=True, eq=False)
class StudioResult:
    """What a design shows, what it costs, and what else the budget would pay for.

    Attributes
    ----------
    treatment_by, n_hospitals, patients_per_hospital, icc, effect, effect_sd
        The design, the truth that is hoped for (mmHg), and how it varies between hospitals (SD).
    cost_per_hospital, cost_per_patient, budget : int
        In one currency.
    plan : Plan
        Power, type-I error and width, with their source.
    cost : float
        Price of the design.
    affordable : int
        Patients per hospital that the budget pays with this number of hospitals (even, at most
        200); 0 where it does not pay two.
    within_budget : DataFrame
        The designs that spend the budget, see `utils.design.designs_within`; maybe none.
    z_error : array
        Type-I error of the z-test at this hospital size, for numbers of hospitals from 4 to 60.
    """

    treatment_by: str
    n_hospitals: int
    patients_per_hospital: int
    icc: float
    effect: float
    effect_sd: float
    cost_per_hospital: int
    cost_per_patient: int
    budget: int
    plan: Plan
    cost: float
    affordable: int
    within_budget: pd.DataFrame
    z_error: np.ndarray


def compute(
    *,
    treatment_by: str,
    n_hospitals: int,
    patients_per_hospital: int,
    icc: float,
    effect: float,
    effect_sd: float,
    cost_per_hospital: int,
    cost_per_patient: int,
    budget: int,
) -> StudioResult:
    """Return what a design shows and costs, and what else the budget would pay for.

    Parameters
    ----------
    treatment_by : {"hospital", "patient"}
        Who is randomised.
    n_hospitals, patients_per_hospital : int
        4 or more, and 2 or more; both even.
    icc : float
        Intraclass correlation of patients treated alike, from 0 up to, not including, 1. The
        patients of one hospital have an SD of 12 mmHg.
    effect, effect_sd : float
        True mean effect and the SD of the hospitals' own effects, mmHg.
    cost_per_hospital, cost_per_patient, budget : int
        Money.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Examples
    --------
    >>> result = compute(treatment_by="hospital", n_hospitals=12, patients_per_hospital=20,
    ...                  icc=0.06, effect=5, effect_sd=0, cost_per_hospital=2000,
    ...                  cost_per_patient=100, budget=80_000)
    >>> result.cost, result.plan.source, result.affordable
    (48000.0, 'exact', 46)
    """
    if not 0 <= icc < 1:
        raise ValueError(f"icc must be at least 0 and below 1, got {icc!r}")
    spread = {
        "hospital_sd": _PATIENT_SD * math.sqrt(icc / (1 - icc)),
        "patient_sd": _PATIENT_SD,
        "effect_sd": effect_sd,
    }
    prices = {"per_hospital": cost_per_hospital, "per_patient": cost_per_patient}
    found = plan(
        assignment=treatment_by,
        n_hospitals=n_hospitals,
        patients_per_hospital=patients_per_hospital,
        effect=effect,
        **spread,
    )
    left = (budget / n_hospitals - cost_per_hospital) / cost_per_patient + 1e-9
    table = pd.DataFrame(columns=["patients_per_hospital", "power", "half_width"], dtype=float)
    if budget >= cost(4, 2, **prices):
        table = designs_within(
            budget, assignment=treatment_by, effect=effect, max_patients=_MOST_PATIENTS,
            hospitals=_EVERY if found.source == "exact" else _SOME, **prices, **spread,
        )  # fmt: skip
    return StudioResult(
        treatment_by=treatment_by,
        n_hospitals=n_hospitals,
        patients_per_hospital=patients_per_hospital,
        icc=float(icc),
        effect=float(effect),
        effect_sd=float(effect_sd),
        cost_per_hospital=cost_per_hospital,
        cost_per_patient=cost_per_patient,
        budget=budget,
        plan=found,
        cost=cost(n_hospitals, patients_per_hospital, **prices),
        affordable=max(0, min(int(left), _MOST_PATIENTS) // 2 * 2),
        within_budget=table,
        z_error=_z_errors(treatment_by, patients_per_hospital, *spread.values()),
    )


@functools.lru_cache(maxsize=512)
def _z_errors(
    assignment: str, size: int, hospital_sd: float, patient_sd: float, effect_sd: float
) -> np.ndarray:
    """Return the z-test's type-I error along `_FEW`; money does not change it."""
    errors = [
        z_type_1_error(Trial(assignment, hospitals, size, hospital_sd, patient_sd, effect_sd))
        for hospitals in _FEW
    ]
    return np.array(errors)


class _Drawing:
    """The artists: power and width of what the budget pays, and the error of two tests."""

    def __init__(self) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            self.power, self.width, self.error = panels = figure.subplots(1, 3)
            figure.subplots_adjust(left=0.055, right=0.985, bottom=0.155, top=0.8, wspace=0.28)
            for axes in panels:
                axes.set(xlim=(1, 62), xlabel="hospitals")
                axes.set_xticks([4, 10, 20, 30, 40, 50, 60])
            self.power.set(ylim=(0, 1.02))
            self.power.set_yticks(np.arange(0, 1.01, 0.2), ["0", "20", "40", "60", "80", "100"])
            self.width.set(yscale="log", ylim=(0.38, 60))  # of all that the sliders reach
            ticks = [0.5, 1, 2, 5, 10, 20, 50]
            self.width.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
            self.error.set(yscale="log", ylim=(0.03, 1))
            self.error.set_yticks([0.05, 0.1, 0.2, 0.5, 1], ["5", "10", "20", "50", "100"])
            for axes in (self.width, self.error):
                axes.minorticks_off()
            self.power.set_title("Power (%)", y=1.105)
            self.width.set_title("95 % interval, ± mmHg", y=1.105)
            self.error.set_title("Type-I error (%)", y=1.105)
            t = {"color": PALETTE["hospital means"], "lw": 2.4}
            self.paid, self.paid_width = (
                axes.plot([], [], **t)[0] for axes in (self.power, self.width)
            )
            dot = {"ms": 11, "color": PALETTE["yours"]}
            self.dots = [axes.plot([], [], "o", **dot)[0] for axes in panels]
            (self.aim,) = self.width.plot([], [], color=PALETTE["truth"], lw=1.4, ls=":")
            (self.z,) = self.error.plot([], [], color=PALETTE["random intercept"], lw=2.4)
            (self.t,) = self.error.plot([], [], **t, ls=(0, (5, 2)))
            place = {"loc": "lower left", "bbox_to_anchor": (-0.04, 1.0), "ncol": 2,
                     "frameon": False, "fontsize": 11, "handlelength": 1.6, "borderpad": 0,
                     "columnspacing": 1.0, "labelspacing": 0.3, "handletextpad": 0.5}  # fmt: skip
            self.power.legend([self.paid, self.dots[0]], ["budget spent", "your design"], **place)
            self.width.legend([self.paid_width, self.aim], ["budget spent", "the effect"], **place)
            self.error.legend([self.t, self.z], ["t-test", "z-test"], **place)
            self.picture = Picture(
                figure,
                [self.paid, self.paid_width, self.aim, self.z, self.t, *self.dots],
                alt=(
                    "Three panels over the number of hospitals, from 4 to 60. Left and middle: "
                    "power, and half width of the 95 % interval, of the trials that spend the "
                    "whole budget; a dotted line marks the effect. Right: type-I error of the "
                    "t-test on hospitals and of the z-test of a random-intercept model, at your "
                    "number of patients per hospital. Dots mark your design; the text below gives "
                    "its numbers."
                ),
            )

    def draw(self, result: StudioResult) -> None:
        table, found = result.within_budget, result.plan
        self.paid.set_data(table.index, table["power"])
        self.paid_width.set_data(table.index, table["half_width"])
        aim = result.effect if result.effect > 0 else math.nan
        self.aim.set_data([2, 61], [aim, aim])
        self.z.set_data(_FEW, result.z_error)
        self.t.set_data([4, 60], [found.type_1_error] * 2)
        for dot, height in zip(
            self.dots, (found.power, found.half_width, found.z_type_1_error), strict=True
        ):
            dot.set_data([result.n_hospitals], [height])


def _money(amount: float) -> str:
    return f"{amount:,.0f} €"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.995 else "over 99 %"


def _describe(result: StudioResult) -> str:
    found = result.plan
    spare = result.budget - result.cost
    if spare >= 0:
        money = f"{_money(spare)} of the budget are left"
    else:
        money = f"{_money(-spare)} more than the budget"
    varies = f", varying with an SD of {result.effect_sd:.1f} mmHg" if result.effect_sd else ""
    none = "" if len(result.within_budget) else " The budget does not pay for 4 hospitals."
    return (
        f"Treatment by {result.treatment_by}: {result.n_hospitals} hospitals of "
        f"{result.patients_per_hospital}, {found.trial.n_patients:,} patients, cost "
        f"{_money(result.cost)}; {money}.{none} True effect {result.effect:.1f} mmHg{varies}; ICC "
        f"{result.icc:.2f}. t-test on hospitals, {found.degrees_of_freedom} degrees of freedom: "
        f"power {_percent(found.power)}, type-I error {_percent(found.type_1_error)}, 95 % "
        f"interval ± {found.half_width:.1f} mmHg on average ({found.source}). z-test of a "
        f"random-intercept model: type-I error {_percent(found.z_type_1_error)}, interval "
        f"± {found.z_half_width:.1f} mmHg ({SIMULATED})."
    )


def design_studio_explorer() -> Explorer:
    """Return a studio to plan a two-arm trial in, under a budget.

    Returns
    -------
    Explorer
        Its state is `treatment_by` ("hospital" or "patient"), `n_hospitals` and
        `patients_per_hospital` (even), `icc`, `effect`, `effect_sd` (mmHg), `cost_per_hospital`,
        `cost_per_patient` and `budget`. The patients of one hospital have an SD of 12 mmHg.

    Examples
    --------
    >>> explorer = design_studio_explorer()
    >>> explorer.set_state(treatment_by="patient", n_hospitals=20)
    >>> explorer.result.plan.degrees_of_freedom
    19
    """
    drawing = _Drawing()
    return Explorer(
        [
            Choice("treatment_by", "hospital", _BY),
            Number("n_hospitals", "Hospitals", 12, 4, _MOST_HOSPITALS, 2, digits=0),
            Number(
                "patients_per_hospital", "Patients per hospital", 20, 2, _MOST_PATIENTS, 2, digits=0
            ),
            Number("icc", "Intraclass correlation", 0.06, 0.0, 0.3, 0.01, digits=2),
            Number("effect", "True effect (mmHg)", 5.0, 0.0, 12.0, 0.5),
            Number("effect_sd", "SD of the effect (mmHg)", 0.0, 0.0, 6.0, 0.5),
            Number("cost_per_hospital", "Cost per hospital (€)", 2000, 0, 10_000, 250, digits=0),
            Number("cost_per_patient", "Cost per patient (€)", 100, 10, 500, 10, digits=0),
            Number("budget", "Budget (€)", 80_000, 10_000, 200_000, 1000, digits=0),
        ],
        compute=compute,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
        actions={
            "Spend the budget on patients": lambda result: {
                "patients_per_hospital": result.affordable or result.patients_per_hospital
            }
        },
    )
