"""One posterior in centred and non-centred coordinates, and how round it is in each."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from utils._sampling_figures import tints
from utils.funnel import ACROSS, PATIENT_SD, PRIOR_SD, UP, Coordinates, Funnel, funnel, shades
from utils.plots import PALETTE
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Number

__all__ = ["funnel_explorer"]

_HEIGHT = 400
_FORMS = ("centred", "non-centred")
_TITLES = {
    "centred": "Centred: u, the hospital's effect",
    "non-centred": "Non-centred: z = u / hospital_sd",
}


class _Drawing:
    """The artists: the posterior in both coordinates, and two bars."""

    def __init__(self, first: Funnel) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            grid = figure.add_gridspec(
                1, 3, width_ratios=(1, 1, 0.42), left=0.075, right=0.985, bottom=0.14, top=0.9,
                wspace=0.3,
            )  # fmt: skip
            self.images, self.points = {}, {}
            for column, form in enumerate(_FORMS):
                self._panel(figure.add_subplot(grid[column]), form)
            moving: list[Artist] = [*self.images.values()]
            moving += [line for lines in self.points.values() for line in lines]
            moving += self._bars(figure.add_subplot(grid[2]))
            alt = (
                "Two panels show where the posterior lies, darker where it is denser: log "
                "hospital_sd upwards, across it the hospital's effect u on the left and z on the "
                "right, all in SDs from their means. Dotted lines mark the 5 % and 95 % points of "
                "hospital_sd. At the far right a bar for each, its roundness: the narrowest width "
                "as a share of the SD overall. The text below gives the numbers."
            )
            self.draw(first)
            self.picture = Picture(figure, moving, alt)

    def _panel(self, axes: Axes, form: str) -> None:
        self.images[form] = axes.imshow(
            np.zeros((len(UP), len(ACROSS))), extent=(*_edges(ACROSS), *_edges(UP)),
            aspect="auto", origin="lower", cmap=tints(form), vmin=-0.5, vmax=3.5,
            interpolation="nearest",
        )  # fmt: skip
        coordinate = "u" if form == "centred" else "z"
        axes.set(xlabel=f"{coordinate}, in its SDs from its mean", xlim=(-4, 4), ylim=(-4.5, 3))
        axes.set(xticks=range(-4, 5, 2), yticks=range(-4, 3, 2))
        if form == "centred":
            axes.set_ylabel("log hospital_sd, in SDs from its mean")
        axes.set_title(_TITLES[form])
        self.points[form] = [
            axes.axhline(0, color="#555555", linestyle=":", linewidth=1.3) for _ in range(2)
        ]
        for place in ("top", "bottom"):  # words below the lower line, and above the upper one
            self.points[form].append(axes.text(4, 0, "", ha="right", va=place, fontsize=11))

    def _bars(self, axes: Axes) -> list[Artist]:
        self.bars = axes.bar(_FORMS, [0, 0], width=0.62, color=[PALETTE[f] for f in _FORMS])
        axes.set(ylim=(0, 1.08), yticks=[0, 0.5, 1])
        axes.tick_params(axis="x", length=0)
        axes.set_xticks(range(2), ["centred", "non-c."])
        axes.set_title("Roundness")
        self.numbers = [axes.text(place, 0, "", ha="center", va="bottom") for place in range(2)]
        return [*self.bars.patches, *self.numbers]

    def draw(self, result: Funnel) -> None:
        for bar, number, form in zip(self.bars.patches, self.numbers, _FORMS, strict=True):
            coordinates = _of(result, form)
            self.images[form].set_data(shades(coordinates.density))
            low, high, below, above = self.points[form]
            for line, word, k, gap in ((low, below, 0, -0.06), (high, above, 2, 0.06)):
                line.set_ydata([result.places[k]] * 2)
                word.set_y(result.places[k] + gap)
                word.set_text(f"{result.sd_points[k]:.2g} mmHg")
            height = coordinates.roundness
            bar.set_height(height)
            number.set_y(height + 0.015)
            number.set_text(f"{height:.2f}")


def _edges(grid: np.ndarray) -> tuple[float, float]:
    half = (grid[1] - grid[0]) / 2
    return float(grid[0] - half), float(grid[-1] + half)


def _of(result: Funnel, form: str) -> Coordinates:
    return result.centred if form == "centred" else result.noncentred


def _describe(result: Funnel) -> str:
    low, middle, high = (f"{sd:.2g}" for sd in result.sd_points)
    weights = [f"{weight:.2f}" for weight in result.weights]
    said = []
    for form, unit in (("centred", " mmHg"), ("non-centred", "")):
        one = _of(result, form)
        said.append(
            f"{form.capitalize()}: {one.widths[0]:.2g}{unit} wide at the 5 % point, "
            f"{one.widths[2]:.2g}{unit} at the 95 % point; overall SD {one.overall:.2g}{unit}; "
            f"roundness, narrowest ÷ overall, {one.roundness:.2f}; correlation with log "
            f"hospital_sd {_signed(one.correlation)}."
        )
    verdict = {
        "centred": "The centred coordinates are rounder.",
        "non-centred": "The non-centred coordinates are rounder.",
        "neither": "Neither is clearly rounder.",
    }[result.rounder]
    n = result.patients_per_hospital
    return (
        f"{result.n_hospitals} hospitals with {n} patient{'s' * (n > 1)} each. Posterior of "
        f"hospital_sd: {low} mmHg (5 % point), {middle} (middle), {high} (95 % point); shrinkage "
        f"weight there: {weights[0]}, {weights[1]}, {weights[2]}. {' '.join(said)} {verdict} "
        f"(Shown: a hospital whose own mean lies {result.own_mean:.1f} mmHg above the overall "
        f"mean, which is known, as is the patient SD of {PATIENT_SD:.0f} mmHg; prior half-normal, "
        f"scale {PRIOR_SD:.0f} mmHg.)"
    )


def _signed(value: float) -> str:
    rounded = round(value, 2) + 0.0
    return f"{rounded:+.2f}".replace("-", "−") if rounded else "0.00"


def funnel_explorer() -> Explorer:
    """Return sliders for the funnel: patients per hospital, hospital_sd, and hospitals.

    Returns
    -------
    Explorer
        Its state is `patients_per_hospital`, `hospital_sd` and `n_hospitals`; its `result` a
        `utils.funnel.Funnel`.

    Examples
    --------
    >>> explorer = funnel_explorer()
    >>> explorer.set_state(patients_per_hospital=100)
    >>> explorer.result.rounder
    'centred'
    """
    controls = [
        Number("patients_per_hospital", "Patients per hospital", 4, 1, 200, 1, digits=0),
        Number("hospital_sd", "True hospital SD (mmHg)", 4.0, 0.0, 12.0, 0.5),
        Number("n_hospitals", "Hospitals", 20, 5, 60, 5, digits=0),
    ]
    drawing = _Drawing(funnel(**{control.name: control.start for control in controls}))
    return Explorer(
        controls,
        compute=funnel,
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
