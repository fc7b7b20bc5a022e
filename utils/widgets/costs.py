"""What a fit would cost on this machine, from runs that were timed on it."""

from __future__ import annotations

import functools

import pandas as pd
from matplotlib.artist import Artist

from utils.cost_curves import PATIENTS, Costs, costs, fit_costs
from utils.plots import PALETTE
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Scale

__all__ = ["cost_explorer"]

_HEIGHT = 400
_COLOURS = ("random intercept", "posterior", "GEE", "no pooling", "naive", "truth")
_TIMES = {0.01: "10 ms", 1: "1 s", 60: "1 min", 3600: "1 h", 86_400: "1 day"}
_STEPS = tuple(float(f"{s}e{k}") for k in range(1, 8) for s in (1, 2, 5))


class _Drawing:
    """The artists: a curve for each engine, and the size asked for."""

    def __init__(self, first: Costs) -> None:
        with look():
            figure = new_figure(_HEIGHT)
            axes = figure.add_axes((0.11, 0.13, 0.55, 0.8))
            self.lines = [
                axes.plot(
                    PATIENTS, PATIENTS, color=PALETTE[_COLOURS[k % 6]],
                    linestyle="-" if k < 6 else "--", label=name,
                )[0]
                for k, name in enumerate(first.seconds.index)
            ]  # fmt: skip
            (self.here,) = axes.plot([], [], ":", color="black", linewidth=1.5)
            axes.set(xscale="log", yscale="log", xlim=(1e3, 1e7), ylim=(0.003, 3e5))
            axes.set_yticks(list(_TIMES), list(_TIMES.values()))
            axes.minorticks_off()
            axes.set(xlabel="patients", ylabel="time of one fit")
            figure.legend(
                handles=self.lines, loc="center left", bbox_to_anchor=(0.67, 0.55), frameon=False
            )
            self.size = axes.text(0.03, 0.95, "", transform=axes.transAxes, va="top")
            moving: list[Artist] = [*self.lines, self.here, self.size]
            alt = (
                "Time of one fit against patients, both on logarithmic scales, a curve for each "
                "engine, and a dotted line at the number of patients asked for. The text below "
                "gives the times."
            )
            self.draw(first)
            self.picture = Picture(figure, moving, alt)

    def draw(self, result: Costs) -> None:
        for line, (_, curve) in zip(self.lines, result.curves.items(), strict=True):
            line.set_ydata(curve.to_numpy())
        self.here.set_data([result.patients] * 2, [0.003, 3e5])
        self.size.set_text(f"{result.hospitals:,.0f} hospitals")


def _in_words(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{1000 * seconds:.0f} ms"


def _describe(result: Costs) -> str:
    parts = [f"{name} {_in_words(value)}" for name, value in result.seconds.items()]
    return (
        f"{result.patients:,.0f} patients in {result.hospitals:,.0f} hospitals, by straight lines "
        f"through the runs that were timed: {'; '.join(parts)}."
    )


def cost_explorer(measured: pd.DataFrame) -> Explorer:
    """Return sliders for patients and hospitals, and each engine's time.

    Parameters
    ----------
    measured : DataFrame
        Columns engine, patients, hospitals and seconds: runs that were timed on this machine, at
        least two of each engine.

    Returns
    -------
    Explorer
        Its state is `patients` and `hospitals`; its `result` a `utils.cost_curves.Costs`.

    Examples
    --------
    >>> runs = pd.DataFrame({"engine": "A", "patients": [1e3, 1e4], "hospitals": [10, 10],
    ...                      "seconds": [1.0, 10.0]})
    >>> explorer = cost_explorer(runs)
    >>> explorer.set_state(patients=1e6)
    >>> round(explorer.result.seconds["A"])
    1000
    """
    fitted = fit_costs(measured)
    controls = [
        Scale("patients", "Patients", 100_000.0, _STEPS[6:]),
        Scale("hospitals", "Hospitals", 1_000.0, _STEPS[:16]),
    ]
    start = {control.name: control.start for control in controls}
    drawing = _Drawing(costs(fitted, **start))
    return Explorer(
        controls,
        compute=functools.partial(costs, fitted),
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
    )
