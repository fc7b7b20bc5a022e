"""Least squares by hand: drag a line through one ward and watch the squared errors."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection, PolyCollection
from numpy.typing import ArrayLike

from utils.plots import LABELS, PALETTE
from utils.simulate import Study, med_trial
from utils.widgets._base import Explorer, Picture, look, new_figure
from utils.widgets._controls import Number

__all__ = ["LeastSquaresResult", "compute", "least_squares_explorer"]

_HEIGHT = 430


@dataclass(frozen=True, eq=False)
class LeastSquaresResult:
    """A line drawn by hand, beside the best one.

    Attributes
    ----------
    intercept, slope : float
        The line: its height at the mean of x, and its rise per unit of x.
    sse, best_sse : float
        Sum of squared errors of the line and of the least-squares line.
    best_intercept, best_slope : float
        The least-squares line. With x centred, its intercept is the mean of y.
    mean_x : float
        Where the intercept is read.
    residuals : ndarray, shape (n,)
        y minus the line.
    """

    intercept: float
    slope: float
    sse: float
    best_sse: float
    best_intercept: float
    best_slope: float
    mean_x: float
    residuals: np.ndarray

    @property
    def excess(self) -> float:
        """How much larger the sum of squared errors is than the least: 0.5 is half as much again.

        Infinite where the best line fits perfectly and this one does not.
        """
        if self.best_sse == 0:
            return 0.0 if self.sse == 0 else math.inf
        return self.sse / self.best_sse - 1


def compute(x: ArrayLike, y: ArrayLike, *, intercept: float, slope: float) -> LeastSquaresResult:
    """Return the squared errors of a line through the points.

    Parameters
    ----------
    x, y : array-like, shape (n,)
        At least 3 finite points; x must vary.
    intercept : float
        Height of the line at the mean of x, in the unit of y.
    slope : float
        Rise of the line per unit of x.

    Returns
    -------
    LeastSquaresResult
        The line's errors and the best line.

    Raises
    ------
    ValueError
        If the points are too few, of different number, not finite, or have only one x.

    Notes
    -----
    With x centred at its mean, the sum of squared errors falls apart into three:
    SSE = best SSE + n (intercept - mean y)² + Sxx (slope - best slope)². Intercept and slope
    can so be found one after the other, in either order.

    Examples
    --------
    >>> result = compute([1, 2, 3], [1, 2, 6], intercept=3, slope=1)
    >>> result.sse, result.best_slope
    (6.0, 2.5)
    """
    x, y = _points(x, y)
    mean_x = float(x.mean())
    centred = x - mean_x
    best_intercept = float(y.mean())
    best_slope = float(centred @ (y - best_intercept) / (centred @ centred))
    best = y - best_intercept - best_slope * centred
    residuals = y - intercept - slope * centred
    residuals.flags.writeable = False
    return LeastSquaresResult(
        intercept=float(intercept),
        slope=float(slope),
        sse=float(residuals @ residuals),
        best_sse=float(best @ best),
        best_intercept=best_intercept,
        best_slope=best_slope,
        mean_x=mean_x,
        residuals=residuals,
    )


def _points(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    try:
        x, y = np.array(x, dtype=float), np.array(y, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("x and y must be numeric") from None
    if x.ndim != 1 or x.shape != y.shape or len(x) < 3:
        raise ValueError(
            f"x and y must be two lists of the same length, 3 or more; got {x.shape} and {y.shape}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("x and y must be finite, got missing or infinite values")
    if np.ptp(x) == 0:
        raise ValueError(f"x must vary, got {len(x)} values equal to {x[0]:g}")
    return x, y


def _nice(value: float) -> float:
    """Return the nearest of 1, 2 and 5 times a power of ten, for a slider's step."""
    power = 10.0 ** math.floor(math.log10(value))
    return min((power * k for k in (1, 2, 5, 10)), key=lambda step: abs(math.log(step / value)))


def _digits(step: float) -> int:
    return max(1, -math.floor(math.log10(step) + 1e-9))


class _Drawing:
    """The artists: points and line on the left, the bowl of squared errors on the right."""

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        names: tuple[str, str],
        intercepts: Number,
        slopes: Number,
    ):
        self.x, self.y = x, y
        x_name, y_name = (LABELS.get(name, name) for name in names)
        with look():
            figure = new_figure(_HEIGHT)
            self.main, self.bowl = figure.subplots(1, 2, width_ratios=(1.75, 1))
            figure.subplots_adjust(left=0.075, right=0.985, bottom=0.13, top=0.85, wspace=0.24)
            main, bowl = self.main, self.bowl
            pad_x, pad_y = 0.06 * np.ptp(x), max(0.25 * np.ptp(y), 1e-9)
            main.set_xlim(x.min() - pad_x, x.max() + pad_x)
            main.set_ylim(y.min() - pad_y, y.max() + pad_y)
            main.set(xlabel=x_name, ylabel=y_name)
            main.set_title("Your line and its squared errors", y=1.075)
            main.axvline(x.mean(), color="#BBBBBB", lw=1, ls=":", zorder=0)
            main.text(
                x.mean(), 0.012, f" mean {x.mean():.3g}", color="#555555",
                transform=main.get_xaxis_transform(), fontsize=11,
            )  # fmt: skip
            colour = PALETTE["yours"]
            self.squares = main.add_collection(
                PolyCollection([], facecolor=colour, edgecolor=colour, alpha=0.09, lw=1)
            )
            self.sticks = main.add_collection(LineCollection([], colors=colour, lw=1.4))
            self.points = main.scatter(x, y, s=26, color="#444444", zorder=3)
            (self.line,) = main.plot([], [], color=PALETTE["yours"], lw=2.6)
            self.label = main.text(
                0, 1.02, "", transform=main.transAxes, fontsize=11.5, color="#222222"
            )

            self.grid = np.linspace(slopes.low, slopes.high, 121)
            centred = x - x.mean()
            self.sxx = centred @ centred
            corners = itertools.product((intercepts.low, intercepts.high), self.grid[[0, -1]])
            worst = [compute(x, y, intercept=a, slope=b) for a, b in corners]
            self.scale = worst[0].best_sse or 1.0
            bowl.set_xlim(slopes.low, slopes.high)
            bowl.set_ylim(0, 1.04 * max(result.sse for result in worst) / self.scale)
            bowl.set(
                xlabel="slope", ylabel="squared errors, best line = 1",
                title="Squared errors by slope,\nat your intercept",
            )  # fmt: skip
            bowl.axhline(1, color="#BBBBBB", lw=1, ls=":", zorder=0)
            (self.curve,) = bowl.plot([], [], color="#555555", lw=2)
            (self.dot,) = bowl.plot([], [], "o", ms=10, color=PALETTE["yours"])
            width, height = main.get_window_extent().size
            # A square must look square: its side in mmHg is turned into years on the page.
            self.aspect = (np.ptp(main.get_xlim()) / width) / (np.ptp(main.get_ylim()) / height)
            self.picture = Picture(
                figure,
                [self.squares, self.sticks, self.points, self.line, self.label,
                 self.curve, self.dot],
                alt=(
                    f"Left: {len(x)} patients, {y_name} against {x_name}, with your line and a "
                    "square on each patient's distance from it. Right: the sum of squared errors "
                    "as a curve over the slope, with a dot at your line. The text below says "
                    "where you are."
                ),
            )  # fmt: skip

    def draw(self, result: LeastSquaresResult) -> None:
        fitted = self.y - result.residuals
        side = -result.residuals * self.aspect  # to the right above a point, to the left below
        near, far = self.x, self.x + side
        low, high = fitted, self.y
        corners = [(near, low), (far, low), (far, high), (near, high)]
        self.squares.set_verts(np.stack([np.column_stack(c) for c in corners], axis=1))
        self.sticks.set_segments(
            np.stack([np.column_stack(c) for c in (corners[0], corners[3])], axis=1)
        )
        ends = np.array(self.main.get_xlim())
        self.line.set_data(ends, result.intercept + result.slope * (ends - result.mean_x))
        self.label.set_text(
            f"sum of squared errors {result.sse:,.0f}   (least possible {result.best_sse:,.0f})"
        )
        off = len(self.x) * (result.intercept - result.best_intercept) ** 2
        sse = result.best_sse + off + self.sxx * (self.grid - result.best_slope) ** 2
        self.curve.set_data(self.grid, sse / self.scale)
        self.dot.set_data([result.slope], [result.sse / self.scale])


def least_squares_explorer(
    data: pd.DataFrame | Study | None = None,
    *,
    x: str = "age",
    y: str = "sbp",
    slope_unit: str | None = None,
) -> Explorer:
    """Return sliders for a line through the patients of one hospital.

    Parameters
    ----------
    data : DataFrame or Study, optional
        One row a patient. Without it, 30 simulated patients whose pressure rises with age.
    x, y : str
        Two numeric columns.
    slope_unit : str, optional
        Unit of the slope. By default that of sbp over age, "mmHg per year", where these are
        the columns, and else "y per x".

    Returns
    -------
    Explorer
        Its state is `intercept` (the line's height at the mean of x, in the unit of y: so
        moving the slope leaves it in place) and `slope`.

    Raises
    ------
    ValueError
        If a column is missing or cannot be used: see `compute`.

    Examples
    --------
    >>> explorer = least_squares_explorer()
    >>> explorer.set_state(slope=0.5)
    >>> explorer.result.slope
    0.5
    """
    if data is None:
        data = med_trial(
            n_hospitals=1, patients_per_hospital=30, treatment_effect=0, age_effect=0.8, rng=11
        )
    frame = data.data if isinstance(data, Study) else data
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(f"data must be a DataFrame or a Study, got {type(data).__name__}")
    for column in (x, y):
        if column not in frame:
            raise ValueError(f"data must have the column {column!r}, got {list(frame.columns)}")
    points = _points(frame[x], frame[y])
    if np.ptp(points[1]) == 0:
        raise ValueError(f"{y} must vary, got {len(points[1])} values equal to {points[1][0]:g}")
    unit = slope_unit or ("mmHg per year" if (x, y) == ("age", "sbp") else f"{y} per {x}")
    intercepts, slopes = _numbers(*points, y, unit)
    drawing = _Drawing(*points, (x, y), intercepts, slopes)

    def describe(result: LeastSquaresResult) -> str:
        return _describe(result, (x, y), unit, (intercepts.digits, slopes.digits))

    return Explorer(
        [intercepts, slopes],
        compute=lambda **line: compute(*points, **line),
        draw=drawing.draw,
        picture=drawing.picture,
        describe=describe,
        actions={
            "Snap to least squares": lambda result: {
                "intercept": result.best_intercept,
                "slope": result.best_slope,
            }
        },
    )


def _numbers(x: np.ndarray, y: np.ndarray, y_name: str, unit: str) -> tuple[Number, Number]:
    spread = float(y.std())
    step = _nice(spread / 50)
    mean = round(float(y.mean()) / step) * step
    reach = math.ceil(2 * spread / step) * step
    intercept = Number(
        "intercept",
        f"Intercept ({'mmHg' if y_name == 'sbp' else y_name})",
        start=round(mean - math.ceil(0.7 * spread / step) * step, 9),
        low=round(mean - reach, 9),
        high=round(mean + reach, 9),
        step=step,
        digits=_digits(step),
    )
    slope_step = _nice(spread / float(x.std()) / 25)
    reach = math.ceil(2 * spread / float(x.std()) / slope_step) * slope_step
    slope = Number(
        "slope",
        f"Slope ({unit})",
        start=0.0,
        low=round(-reach, 9),
        high=round(reach, 9),
        step=slope_step,
        digits=_digits(slope_step),
    )
    return intercept, slope


def _describe(
    result: LeastSquaresResult, names: tuple[str, str], unit: str, digits: tuple[int, int]
) -> str:
    height, rise = digits
    if result.excess < 5e-5:
        against = "the least that any line can have"
    elif math.isinf(result.excess):
        against = "where the best line has none"
    else:
        against = f"{100 * result.excess:.2g} % more than the best line's {result.best_sse:,.0f}"
        if result.excess >= 1:
            against = f"{1 + result.excess:.1f} times the best line's {result.best_sse:,.0f}"
    return (
        f"Your line: {names[1]} = {result.intercept:.{height}f} at the mean {names[0]} of "
        f"{result.mean_x:.1f}, slope {result.slope:+.{rise}f} {unit}. "
        f"Sum of squared errors {result.sse:,.0f}: {against}."
    ).replace("-", "−")
