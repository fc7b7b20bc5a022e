"""Choose a broken assumption: QQ plots at both levels, and what becomes of every interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from utils import likelihood
from utils.diagnostics import qq_points, scatter
from utils.plots import PALETTE
from utils.simulate import med_trial
from utils.widgets import _cracks_study as study
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Choice, Number

__all__ = ["CracksResult", "compute", "cracks_explorer"]

_HEIGHT = 500
_SEED = 4  # of the trial whose QQ plots are shown
_EDGE = 5.0  # points beyond are drawn at the edge
_CRACKS = {
    "none": "None",
    "tails": "Heavy tails",
    "outliers": "Outliers",
    "sd_hospital": "SD differs by hospital",
    "sd_mean": "SD grows with the mean",
    "sd_arms": "The same, 3 of 4 treated",
    "skewed": "Skewed hospitals",
    "bimodal": "Bimodal hospitals",
    "predictors": "Needless hospital predictors",
}
_SHARES = {
    "covered": "effect of the drug",
    "hospitals": "a hospital's true mean",
    "highest": "... the highest hospital's",
    "patients": "a new patient",
    "noisy": "... where SD is largest",
    "calm": "... where SD is smallest",
    "new_hospitals": "a new hospital's mean",
}
_WIDTHS = {
    "width": "effect of the drug",
    "patient_width": "a new patient",
    "new_hospital_width": "a new hospital's mean",
}


@dataclass(frozen=True, eq=False)
class CracksResult:
    """One trial under a crack, and what happens in many.

    Attributes
    ----------
    crack : str
        One of the explorer's cracks.
    strength : str
        "mild", "strong" or "extreme".
    n_hospitals : int
        15, 20, ... 60, of 20 patients each.
    patients, hospitals : array
        Standardised residuals of the patients and standardised predicted effects of the
        hospitals in one trial.
    shares, sound_shares : dict of str to float
        Intervals that hold what they are for, per cent, with the crack and without.
    widths, sound_widths : dict of str to float
        Mean widths of intervals, mmHg, with the crack and without.
    """

    crack: str
    strength: str
    n_hospitals: int
    patients: NDArray[np.float64]
    hospitals: NDArray[np.float64]
    shares: dict[str, float]
    sound_shares: dict[str, float]
    widths: dict[str, float]
    sound_widths: dict[str, float]


def compute(*, crack: str, strength: str, n_hospitals: int) -> CracksResult:
    """Return one trial's residuals, and the stored shares and widths of many trials.

    Parameters
    ----------
    crack : str
        "none", "tails", "outliers", "sd_hospital", "sd_mean", "sd_arms", "skewed", "bimodal" or
        "predictors".
    strength : str
        "mild", "strong" or "extreme"; of no use for "none".
    n_hospitals : int
        15, 20, ... 60.

    Returns
    -------
    CracksResult
        The trial is drawn and fitted; shares and widths come from a study that was run before.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    Residuals are divided by their standard deviations as in `utils.diagnostics`. A hospital's
    effect is its mean residual times its weight, so either gives the same standardised value.

    Examples
    --------
    >>> result = compute(crack="sd_hospital", strength="extreme", n_hospitals=30)
    >>> result.shares["noisy"] < 80 < 90 < result.shares["covered"]
    True
    """
    for name, value, allowed in (
        ("crack", crack, tuple(_CRACKS)),
        ("strength", strength, study.STRENGTHS),
        ("n_hospitals", n_hospitals, study.HOSPITALS),
    ):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}, got {value!r}")
    given = study.settings(crack, strength, n_hospitals)
    patients, hospitals = _residuals(study.key(given))
    row = study.stored().loc[study.key(given)]
    sound = study.stored().loc[study.key(study.sound(crack, strength, n_hospitals))]
    return CracksResult(
        crack=crack,
        strength=strength,
        n_hospitals=int(n_hospitals),
        patients=patients,
        hospitals=hospitals,
        shares={name: float(row[name]) for name in study.SHARES},
        sound_shares={name: float(sound[name]) for name in study.SHARES},
        widths={name: float(row[name]) for name in _WIDTHS},
        sound_widths={name: float(sound[name]) for name in _WIDTHS},
    )


@lru_cache(maxsize=256)
def _residuals(which: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw and fit one trial; a setting met again costs nothing."""
    given = study.cells()[which]
    data = med_trial(**given, rng=_SEED).data
    extra = [name for name in data if name.startswith("hospital_noise_")]
    x = np.column_stack([np.ones(len(data)), data[["treated", *extra]]])
    y, codes = data["sbp"].to_numpy(), data["hospital"].cat.codes.to_numpy()
    fit = likelihood.fit_intercept(likelihood.sums(y, x, codes))
    left = y - x @ fit.beta
    sd, sd_of_means = scatter(x, codes, fit.covariance, fit.hospital_sd, fit.patient_sd)
    patients = (left - fit.effects[codes]) / sd
    hospitals = np.bincount(codes, left) / np.bincount(codes) / sd_of_means
    for values in (patients, hospitals):
        values.setflags(write=False)
    return patients, hospitals


class _Drawing:
    """The artists: a QQ plot of patients, one of hospitals, shares, and widths."""

    def __init__(self) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            self.qq = [figure.add_axes((left, 0.125, 0.215, 0.7)) for left in (0.06, 0.325)]
            self.right = figure.add_axes((0.745, 0.43, 0.245, 0.395))
            self.low = figure.add_axes((0.745, 0.125, 0.245, 0.155))
            self.points, self.bands = [], []
            sides = ("Patients: residuals", "Hospitals: effects")
            for ax, title, thing in zip(
                self.qq, sides, ("patients", "random intercept"), strict=True
            ):
                ax.set(
                    xlim=(-3.6, 3.6),
                    ylim=(-_EDGE - 0.4, _EDGE + 0.4),
                    xlabel="expected if normal (SD)",
                )
                ax.set_title(title, y=1.02)
                ax.plot([-3.6, 3.6], [-3.6, 3.6], color="#222222", lw=1.2, ls="--")
                self.bands.append(
                    [ax.plot([], [], color="#222222", lw=0.8, ls=":")[0] for _ in "ab"]
                )
                self.points.append(ax.plot([], [], "o", ms=4, color=PALETTE[thing])[0])
            self.qq[0].set_ylabel("observed (SD)")
            here = {"ms": 9, "color": PALETTE["random intercept"], "ls": ""}
            there = {"ms": 9, "mfc": "white", "mec": "#777777", "mew": 1.6, "ls": ""}
            panels = ((self.right, _SHARES), (self.low, _WIDTHS))
            self.before, self.after = [], []
            for ax, rows in panels:
                ax.set(ylim=(len(rows) - 0.5, -0.5))
                ax.set_yticks(range(len(rows)), list(rows.values()))
                ax.tick_params(axis="y", length=0)
                for row in range(len(rows)):
                    ax.axhline(row, color="#E4E4E4", lw=0.8, zorder=0)
                self.before.append(ax.plot([], [], "o", **there)[0])
                self.after.append(ax.plot([], [], "o", **here)[0])
            self.right.axvline(95, color="#222222", lw=1.2, ls="--")
            self.right.set(xlim=(31, 102), xticks=[40, 60, 80, 95], xlabel="hold (% of intervals)")
            self.right.set_title("95 % intervals for ...", x=-0.87, y=1.02)
            self.low.set(xscale="log", xlim=(0.62, 3.4), xlabel="width (1 = without the crack)")
            self.low.set_xticks([0.7, 1, 2, 3], ["0.7", "1", "2", "3"])
            self.low.minorticks_off()
            self.low.axvline(1, color="#222222", lw=1.2, ls="--")
            self.right.legend(
                [self.after[0], self.before[0]], ["with the crack", "without"],
                loc="lower right", bbox_to_anchor=(1.03, 1.09), ncol=2, frameon=False,
                fontsize=11, handletextpad=0.2, columnspacing=0.8, borderpad=0, handlelength=1.2,
            )  # fmt: skip
            moving = [line for pair in self.bands for line in pair]
            self.picture = Picture(
                figure,
                [*moving, *self.points, *self.before, *self.after],
                alt=(
                    "Four panels. Left: QQ plots of the patients' standardised residuals and "
                    "of the hospitals' standardised predicted effects in one trial, with the "
                    "diagonal and the band of a normal sample; points beyond 5 SD are drawn at 5. "
                    "Right, above: the share of 95 % "
                    "intervals that hold what they are for, with the crack and without it, for the "
                    "drug's effect, hospitals, new patients and a new hospital. Right, below: how "
                    "many times as wide these intervals are. The text below gives the numbers."
                ),
            )

    def draw(self, result: CracksResult) -> None:
        for points, band, values in zip(
            self.points, self.bands, (result.patients, result.hospitals), strict=True
        ):
            expected, ordered, low, high = qq_points(values)
            points.set_data(expected, np.clip(ordered, -_EDGE, _EDGE))
            for line, edge in zip(band, (low, high), strict=True):
                line.set_data(expected, edge)
        for artist, values in (
            (self.after[0], result.shares),
            (self.before[0], result.sound_shares),
        ):
            artist.set_data([values[name] for name in _SHARES], range(len(_SHARES)))
        ratios = [result.widths[name] / result.sound_widths[name] for name in _WIDTHS]
        self.after[1].set_data(ratios, range(len(ratios)))


def _words(result: CracksResult) -> str:
    given = study.settings(result.crack, result.strength, result.n_hospitals)
    spread = given.get("error_spread")
    return {
        "none": "No crack",
        "tails": "Heavy tails: patients follow a t distribution with "
        f"{given.get('error_df')} degrees of freedom",
        "outliers": f"Outliers: 5 % of the patients have {given.get('outlier_scale', 0):g} times "
        "the SD of the others",
        "sd_hospital": f"Every hospital has its own patient SD (the SD of its log is {spread})",
        "sd_mean": f"The patients' SD grows by {_growth(spread)} % per 10 mmHg of their mean",
        "sd_arms": f"The patients' SD grows by {_growth(spread)} % per 10 mmHg of their mean, and "
        "3 of 4 patients are treated",
        "skewed": f"Skewed hospitals, with an SD of {given['hospital_sd']:g} mmHg",
        "bimodal": f"Two kinds of hospital, with an SD of {given['hospital_sd']:g} mmHg in all",
        "predictors": f"{given.get('n_noise_hospital_predictors')} predictors of hospitals that "
        "have nothing to do with the outcome",
    }[result.crack]


def _growth(spread: float | None) -> str:
    return f"{100 * math.expm1(spread or 0):.0f}"


def _describe(result: CracksResult) -> str:
    share, width, sound = result.shares, result.widths, result.sound_widths
    below = max(100 - share["new_hospitals"] - share["new_above"], 0)
    return (
        f"{_words(result)}. {result.n_hospitals} hospitals of 20 patients. The 95 % interval for "
        f"the drug's effect holds it in {share['covered']:.1f} % of the trials and is "
        f"{width['width']:.1f} mmHg wide ({sound['width']:.1f} without the crack). Intervals hold "
        f"a hospital's true mean in {share['hospitals']:.0f} %, that of the truly highest hospital "
        f"in {share['highest']:.0f} %. They hold a new patient in {share['patients']:.0f} %: "
        f"{share['noisy']:.0f} % of those with the largest true SD (a fifth), "
        f"{share['calm']:.0f} % of those with the smallest. A new hospital's mean: "
        f"{share['new_hospitals']:.0f} %, with {share['new_above']:.1f} % above the interval and "
        f"{below:.1f} % below; the interval is {width['new_hospital_width']:.0f} mmHg wide "
        f"({sound['new_hospital_width']:.0f} without the crack). Source: {study.N_TRIALS:,} "
        "simulated trials, run beforehand; their Monte Carlo error is about 0.5 percentage points "
        "for the effect, 1 for the highest hospital, less for the others."
    )


def cracks_explorer() -> Explorer:
    """Return buttons for a broken assumption and its strength, and a slider for hospitals.

    Returns
    -------
    Explorer
        Its state is `crack`, `strength` and `n_hospitals` (see `compute`).

    Examples
    --------
    >>> explorer = cracks_explorer()
    >>> explorer.set_state(crack="outliers", strength="extreme")
    >>> explorer.result.widths["width"] > 1.9 * explorer.result.sound_widths["width"]
    True
    """
    drawing = _Drawing()
    return Explorer(
        [
            Choice("crack", "tails", _CRACKS),
            Choice("strength", "strong", {name: name.capitalize() for name in study.STRENGTHS}),
            Number("n_hospitals", "Number of hospitals", 30, 15, 60, 5, digits=0),
        ],
        compute=compute,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
