"""The figures of utils.sampling: runs, the funnel, energy, chains, and what draws are worth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from numpy.typing import ArrayLike

from utils.funnel import ACROSS, UP, Coordinates, shades
from utils.plots import PALETTE, log_axis

_MARKERS = {"centred": "o", "non-centred": "D"}


def run_dots(ax: Axes, runs: pd.DataFrame, exact: float) -> Axes:
    """Draw one dot a run, a row for each way to sample, and a line at the exact value.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    runs : DataFrame, one row a run, one column a way
        The names of the columns begin with "centred" or "non-centred", which gives the colour.
    exact : float
        What each run should find.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> ax = run_dots(ax, pd.DataFrame({"centred": [0.1, 0.4], "non-centred": [0.2, 0.2]}), 0.2)
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['centred', 'non-centred']
    >>> plt.close(fig)
    """
    ax.axvline(exact, color=PALETTE["posterior"], linewidth=2.5, zorder=1)
    for row, (name, values) in enumerate(runs.items()):
        form = _form(name)
        look = {"color": PALETTE[form], "marker": _MARKERS[form], "s": 60, "zorder": 2}
        ax.scatter(values, np.full(len(values), row), alpha=0.75, **look)
    ax.set_yticks(range(runs.shape[1]), list(runs.columns))
    ax.set_ylim(runs.shape[1] - 0.4, -0.8)
    ax.tick_params(axis="y", length=0)
    ax.text(exact, -0.5, " exact", color=PALETTE["posterior"], va="center")
    return ax


def funnel_cloud(
    ax: Axes, across: ArrayLike, sd: ArrayLike, *, thing: str, lost: tuple = ()
) -> Axes:
    """Draw posterior draws of a hospital's effect (or z) against hospital_sd on a log axis.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    across, sd : array-like of equal size
        The effect in mmHg, or z; and hospital_sd, mmHg.
    thing : str
        A name in PALETTE: whose draws they are.
    lost : tuple of two array-likes, optional
        The same two at the steps that diverged: drawn as crosses.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> ax = funnel_cloud(ax, [0.1, -3], [0.5, 4], thing="posterior", lost=([0.0], [0.4]))
    >>> len(ax.collections)
    2
    >>> plt.close(fig)
    """
    ax.scatter(np.ravel(across), np.ravel(sd), s=5, color=PALETTE[thing], alpha=0.4, linewidth=0)
    if lost:
        look = {"marker": "x", "s": 45, "linewidth": 1.6, "zorder": 3}
        ax.scatter(*map(np.ravel, lost), color=PALETTE["truth"], label="diverged", **look)
    return log_axis(ax, [0.1, 0.3, 1, 3, 10], "hospital_sd (mmHg)", axis="y")


def energy_lines(ax: Axes, errors: Mapping[str, ArrayLike], *, limit: float = 1000) -> Axes:
    """Draw the energy error of simulated walks, step by step, and where a sampler gives up.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    errors : mapping of str to array-like
        Label -> absolute energy error after 0, 1, 2 ... steps. The first is drawn darkest.
    limit : float
        The error at which the sampler says that the walk diverged.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> len(energy_lines(ax, {"SD 1": [0, 0.1, 0.1], "SD 0.3": [0, 40, 4e4]}).lines)
    3
    >>> plt.close(fig)
    """
    tints = np.linspace(1, 0.3, len(errors))
    dark, light = 0.7 * np.array(to_rgb(PALETTE["centred"])), np.array([1, 0.87, 0.7])
    for tint, (label, error) in zip(tints, errors.items(), strict=True):
        values = np.asarray(error, dtype=float)
        # Beyond the limit nobody walks on: the step that crosses it is the last one drawn.
        over = np.flatnonzero(values > limit)
        values = values[: over[0] + 1] if len(over) else values
        colour = tint * dark + (1 - tint) * light
        ax.plot(np.arange(len(values)), values + 1e-3, "o-", ms=4, color=colour, label=label)
    ax.axhline(limit, color=PALETTE["truth"], linestyle="--", linewidth=1.3)
    ax.set(xlabel="steps", ylim=(1e-3, 3e5), xticks=range(0, 21, 5))
    log_axis(ax, [0.001, 0.1, 10, 1000, 100_000], "error of the energy", axis="y")
    return ax


def ess_lines(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw what 4,000 draws are worth against patients per hospital, a line for each form.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    table : DataFrame
        Indexed by patients per hospital, columns "centred" and "non-centred".

    Returns
    -------
    matplotlib Axes
        The same axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> table = pd.DataFrame({"centred": [60, 2000], "non-centred": [900, 400]}, index=[4, 100])
    >>> len(ess_lines(ax, table).lines)
    3
    >>> plt.close(fig)
    """
    for name, values in table.items():
        form = _form(name)
        ax.plot(values.index, values, marker=_MARKERS[form], ms=8, color=PALETTE[form], label=name)
    ax.axhline(400, color="#777777", linestyle="--", linewidth=1.3)
    log_axis(ax, list(table.index), "patients per hospital")
    log_axis(ax, [10, 30, 100, 400, 1000, 3000], "lowest bulk ESS", axis="y")
    ax.legend(loc="lower right")
    return ax


def chain_lines(ax: Axes, draws: ArrayLike, *, thing: str) -> Axes:
    """Draw chains side by side on a log axis, so that a chain that stays away shows.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    draws : array-like, shape (chains, draws)
        All above 0.
    thing : str
        A name in PALETTE.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> len(chain_lines(ax, np.ones((4, 10)), thing="centred").lines)
    4
    >>> plt.close(fig)
    """
    chains = np.asarray(draws, dtype=float)
    for k, chain in enumerate(chains):
        start = k * 1.04 * chains.shape[1]
        ax.plot(start + np.arange(len(chain)), chain, color=PALETTE[thing], linewidth=0.8)
    middles = (np.arange(len(chains)) * 1.04 + 0.5) * chains.shape[1]
    ax.set_xticks(middles, [f"chain {k + 1}" for k in range(len(chains))])
    ax.tick_params(axis="x", length=0)
    ax.margins(x=0.01)
    return log_axis(ax, [0.01, 0.1, 1, 10], "hospital_sd (mmHg)", axis="y")


def funnel_shades(ax: Axes, coordinates: Coordinates) -> Axes:
    """Draw where the posterior lies in one set of coordinates, in SDs: 50, 80 and 95 % of it.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    coordinates : Coordinates
        From `utils.funnel.funnel`.

    Returns
    -------
    matplotlib Axes
        The same axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from utils.funnel import funnel
    >>> fig, ax = plt.subplots()
    >>> found = funnel(patients_per_hospital=4, hospital_sd=4)
    >>> funnel_shades(ax, found.centred).get_title()
    'centred, roundness 0.1'
    >>> plt.close(fig)
    """
    look = {"cmap": tints(coordinates.name), "vmin": -0.5, "vmax": 3.5, "shading": "nearest"}
    ax.pcolormesh(ACROSS, UP, shades(coordinates.density), **look)
    ax.set(xlim=(-4, 4), ylim=(-4.5, 3), xticks=[-3, 0, 3], yticks=range(-4, 3, 2))
    ax.set_title(f"{coordinates.name}, roundness {coordinates.roundness:.1f}")
    return ax


def tints(thing: str) -> ListedColormap:
    """Return white and three tints of a thing's colour, for `utils.funnel.shades`."""
    rgb = np.array(to_rgb(PALETTE[thing]))
    return ListedColormap([1 - share * (1 - rgb) for share in (0, 0.25, 0.5, 0.95)])


def _form(name: object) -> str:
    """Return which of the two forms a label begins with."""
    for form in _MARKERS:
        if str(name).startswith(form):
            return form
    raise ValueError(f"a column must begin with 'centred' or 'non-centred', got {name!r}")
