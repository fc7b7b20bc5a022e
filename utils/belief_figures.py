"""Figures of beliefs: a prior with its posterior, and chains on their way."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from utils.exact import Posterior
from utils.plots import PALETTE

__all__ = ["draw_beliefs", "draw_chains"]


class Density(Protocol):
    """Anything with a density, as the frozen distributions of scipy.stats have."""

    def pdf(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the density at x."""


def draw_beliefs(
    ax: Axes,
    posterior: Posterior,
    name: str,
    prior: Density,
    at: ArrayLike,
    *,
    label: str = "",
    dash: str = "-",
) -> Axes:
    """Draw the prior and the exact posterior of a parameter over the same values.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw, after a histogram if there is one. Its y axis gets no ticks: areas are 1,
        heights mean nothing else.
    posterior : utils.exact.Posterior
        Its `density(name, at)` is drawn.
    name : str
        The parameter.
    prior : object with a method pdf
        Such as ``scipy.stats.norm(0, 10)``.
    at : array-like, shape (n,)
        Values of the parameter, ascending.
    label : str
        Of the posterior in a legend.
    dash : str
        Line style of both, to tell one pair from another.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the posterior has no such parameter, or the values do not ascend.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from scipy import stats
    >>> from utils import exact
    >>> wide = stats.halfnorm(scale=20)
    >>> y, hospital = [118, 126, 131, 148], ["A", "A", "B", "B"]
    >>> found = exact.posterior(y, None, hospital, tau=wide, sigma=wide)
    >>> ax = draw_beliefs(Figure().subplots(), found, "tau", wide, [1, 2, 3])
    >>> len(ax.lines)
    2
    """
    values = np.asarray(at, float)
    if values.ndim != 1 or len(values) < 2 or not np.all(np.diff(values) > 0):
        raise ValueError("at must be two values or more, ascending")
    after = posterior.density(name, values)["density"]
    ax.plot(values, prior.pdf(values), dash, color=PALETTE["prior"])
    ax.plot(values, after, dash, color=PALETTE["posterior"], label=label or None)
    ax.set(yticks=[], xlim=(values[0], values[-1]))
    ax.set_ylim(0, 1.05 * ax.dataLim.y1)  # of all that has been drawn so far
    return ax


def draw_chains(ax: Axes, draws: ArrayLike, *, first: int = 120) -> Axes:
    """Draw the first values of two chains, one after the other, as they wander.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    draws : array-like, shape (chains, draws)
        Of one parameter; two chains or more.
    first : int
        How many draws of each, 2 or more.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there are not two chains, or fewer draws than `first`.
    """
    chains = np.asarray(draws, float)
    if chains.ndim != 2 or len(chains) < 2:
        raise ValueError(f"draws must be of two chains or more, got shape {chains.shape}")
    if not 2 <= first <= chains.shape[1]:
        raise ValueError(f"first must be 2 to {chains.shape[1]}, got {first!r}")
    for chain, dash, number in zip(chains[:2], ["-", ":"], [1, 2], strict=True):
        ax.plot(
            np.arange(1, first + 1),
            chain[:first],
            dash,
            color=PALETTE["posterior"],
            linewidth=1.4,
            label=f"chain {number}",
        )
    ax.set(xlabel="draw", xlim=(0, first))
    return ax
