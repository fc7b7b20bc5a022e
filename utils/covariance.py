"""The covariance of patients that a mixed model implies, and its picture.

Examples
--------
>>> V = implied_covariance(["H01", "H01", "H02"], hospital_sd=6, patient_sd=8)
>>> V.tolist()
[[100.0, 36.0, 0.0], [36.0, 100.0, 0.0], [0.0, 0.0, 100.0]]
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.image import AxesImage
from matplotlib.text import Text
from numpy.typing import ArrayLike, NDArray

from utils.plots import PALETTE

__all__ = ["COLOURS", "entry", "heat_map", "implied_covariance", "ink", "patient_rows"]

Floats = NDArray[np.float64]

#: Negative covariances are red-brown, positive ones slate; 0 is white.
COLOURS = LinearSegmentedColormap.from_list(
    "covariance", ["#7F3B08", "#E9A36B", "#FFFFFF", "#8FA3B0", "#263640"]
)


def implied_covariance(
    hospital: ArrayLike,
    *,
    hospital_sd: float,
    patient_sd: float,
    treated: ArrayLike | None = None,
    effect_sd: float = 0.0,
    correlation: float = 0.0,
) -> Floats:
    """Return V, the covariance of the patients' outcomes over repetitions with new hospitals.

    Parameters
    ----------
    hospital : array-like, shape (n_patients,)
        The hospital of each patient.
    hospital_sd : float
        Standard deviation of the hospitals' intercepts, 0 or more, in the unit of the outcome.
    patient_sd : float
        Standard deviation of the patients of one hospital, 0 or more.
    treated : array-like of 0 and 1, shape (n_patients,), optional
        Needed where the effect of the treatment differs between hospitals.
    effect_sd : float
        Standard deviation of the hospitals' treatment effects, 0 or more.
    correlation : float
        Of a hospital's intercept and treatment effect, -1 to 1.

    Returns
    -------
    ndarray, shape (n_patients, n_patients)
        Symmetric, in the squared unit of the outcome.

    Raises
    ------
    ValueError
        If a standard deviation is negative, the correlation is outside its range, lengths
        differ, or `treated` is missing where `effect_sd` is above 0.

    Notes
    -----
    V = ZGZ' + R (Laird NM, Ware JH, Biometrics 1982; 38: 963-974), written entry by entry. For
    two patients a and b of one hospital, with t = 1 for a treated one,

        hospital_sd² + (t_a + t_b) correlation hospital_sd effect_sd + t_a t_b effect_sd²,

    and 0 for patients of different hospitals; patient_sd² is added on the diagonal.

    Examples
    --------
    >>> V = implied_covariance(
    ...     ["H01", "H01"], hospital_sd=6, patient_sd=8, treated=[0, 1], effect_sd=5
    ... )
    >>> V.tolist()
    [[100.0, 36.0], [36.0, 125.0]]
    """
    sds = {"hospital_sd": hospital_sd, "patient_sd": patient_sd, "effect_sd": effect_sd}
    for name, value in sds.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} must be 0 or more, got {value!r}")
    if not -1 <= correlation <= 1:
        raise ValueError(f"correlation must be from -1 to 1, got {correlation!r}")
    names = np.asarray(hospital)
    if names.ndim != 1:
        raise ValueError(f"hospital must be a list of names, got shape {names.shape}")
    if treated is None and effect_sd > 0:
        raise ValueError(f"treated must be given where effect_sd is above 0, got {effect_sd!r}")
    t = np.zeros(len(names)) if treated is None else np.asarray(treated, dtype=float)
    if t.shape != names.shape:
        raise ValueError(
            f"hospital and treated must have one entry per patient, got {len(names)} and {t.shape}"
        )
    together = (
        hospital_sd**2
        + correlation * hospital_sd * effect_sd * (t[:, None] + t)
        + effect_sd**2 * t[:, None] * t
    )
    same = names[:, None] == names
    return np.where(same, together, 0.0) + patient_sd**2 * np.eye(len(names))


def entry(value: float) -> str:
    """Return a covariance as it stands in its cell: a whole number, with a true minus.

    Examples
    --------
    >>> entry(36.2), entry(-0.3)
    ('36', '0')
    """
    return f"{round(float(value))}".replace("-", "−")


def _grounds() -> Floats:
    """Return the relative luminance of the colours, from the most negative to the most positive.

    As the Web Content Accessibility Guidelines define it.
    """
    rgb = COLOURS(np.linspace(0, 1, _SHADES))[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


_SHADES = 257
_DARK = _grounds() < math.sqrt(1.05 * 0.05) - 0.05  # white is the better ink there, else black


def ink(value: float, largest: float) -> str:
    """Return the colour of a number that can be read on its cell of the heat map.

    Examples
    --------
    >>> ink(100, 100), ink(5, 100)
    ('white', 'black')
    """
    shade = round((1 + min(max(value / largest, -1), 1)) / 2 * (_SHADES - 1))
    return "white" if _DARK[shade] else "black"


def heat_map(
    matrix: ArrayLike, ax: Axes, *, edges: ArrayLike = (), largest: float | None = None
) -> tuple[AxesImage, list[Text]]:
    """Draw a covariance matrix: slate above 0, white at 0, red-brown below.

    Parameters
    ----------
    matrix : array-like, shape (n, n)
        What to draw, each entry with its number, rounded.
    ax : matplotlib Axes
        Where to draw.
    edges : array-like of int
        Rows before which a hospital begins: a line is drawn there.
    largest : float, optional
        The absolute value that has the full colour: give it where two matrices are compared.
        By default the largest of the matrix.

    Returns
    -------
    image : AxesImage
        The coloured cells.
    texts : list of Text
        The numbers, row by row.

    Raises
    ------
    ValueError
        If the matrix is not square and finite, or `largest` is not above 0.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> image, texts = heat_map([[100, 36], [36, 100]], ax, edges=[1])
    >>> [text.get_text() for text in texts]
    ['100', '36', '36', '100']
    >>> plt.close(fig)
    """
    values = np.asarray(matrix, dtype=float)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or not np.isfinite(values).all():
        raise ValueError(f"matrix must be square and finite, got shape {values.shape}")
    if largest is not None and not largest > 0:
        raise ValueError(f"largest must be above 0, got {largest!r}")
    largest = max(float(np.abs(values).max()), 1e-12) if largest is None else float(largest)
    image = ax.imshow(values, cmap=COLOURS, norm=TwoSlopeNorm(0, -largest, largest))
    for edge in np.atleast_1d(np.asarray(edges, dtype=float)):
        ax.axhline(edge - 0.5, color="#444444", linewidth=1.5)
        ax.axvline(edge - 0.5, color="#444444", linewidth=1.5)
    texts = []
    for (row, column), value in np.ndenumerate(values):
        look = {"ha": "center", "va": "center", "color": ink(value, largest), "fontsize": 11}
        texts.append(ax.text(column, row, entry(value), **look))
    return image, texts


def patient_rows(data: pd.DataFrame, expected: ArrayLike, ax: Axes) -> Axes:
    """Draw a few patients, one below another, beside what is expected of each.

    Parameters
    ----------
    data : DataFrame, one row a patient
        Columns `hospital`, `treated` and `sbp`; drawn from top to bottom.
    expected : array-like, shape (n_patients,)
        Mean of patients like this one in this one's hospital, mmHg: a black mark, joined to the
        patient's own pressure.
    ax : matplotlib Axes
        Where to draw.

    Returns
    -------
    matplotlib Axes
        The same axes. Rows have the places 0, 1, ... as in `heat_map`.

    Raises
    ------
    ValueError
        If a column is missing, or lengths differ.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> data = pd.DataFrame({"hospital": ["H01", "H02"], "treated": [0, 1], "sbp": [150, 131]})
    >>> [label.get_text() for label in patient_rows(data, [144, 130], ax).get_yticklabels()]
    ['H01', 'H02']
    >>> plt.close(fig)
    """
    absent = sorted({"hospital", "treated", "sbp"} - set(data.columns))
    if absent:
        raise ValueError(f"data must have the columns hospital, treated and sbp; missing: {absent}")
    means = np.asarray(expected, dtype=float)
    if means.shape != (len(data),):
        raise ValueError(
            f"expected must have one entry per patient, got shape {means.shape} for {len(data)}"
        )
    rows = np.arange(len(data))
    ax.hlines(rows, means, data["sbp"], color=PALETTE["patients"], linewidth=1.5, zorder=1)
    look = {"marker": "|", "s": 220, "linewidth": 3, "color": PALETTE["truth"], "zorder": 2}
    ax.scatter(means, rows, label="expected", **look)
    for arm, name in enumerate(("control", "treated")):
        of_arm = (data["treated"] == arm).to_numpy()
        look = {"color": PALETTE[name], "s": 50, "zorder": 3}
        ax.scatter(data["sbp"][of_arm], rows[of_arm], label=name, **look)
    ax.set_yticks(rows, data["hospital"].astype(str))
    ax.set(ylim=(len(data) - 0.5, -0.5), xlabel="systolic blood pressure (mmHg)")
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.45, 1), ncols=3, columnspacing=0.8, handletextpad=0.1
    )
    return ax
