"""Simulation-based calibration: whether what a program calls a posterior is the posterior.

Draw parameters from the prior, data from the parameters, and ask the program. Among draws of a
right posterior the true parameter has any rank with the same chance.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from scipy import stats

from utils import exact
from utils.plots import PALETTE

__all__ = ["BINS", "DRAWS", "Calibration", "band", "calibration", "draw_ranks", "trial_ranks"]

DRAWS, BINS = 99, 20  # ranks 0 to 99 in 20 bins of 5
_PRIORS = {"intercept": (140.0, 20.0), "effect": (0.0, 8.0), "tau": 6.0, "sigma": 15.0}
_HOSPITALS, _SIZE = 8, 6
_MOST = 2000


def trial_ranks(n: int, *, shuffled: bool = False, rng: int = 17) -> np.ndarray:
    """Return ranks of a treatment effect among draws of its exact posterior.

    Parameters
    ----------
    n : int
        Simulated trials, each with parameters from the prior: 8 hospitals with 6 patients, half
        of the hospitals treated.
    shuffled : bool
        A mistake on purpose: the rows of the hospital column are mixed up before the fit.
    rng : int
        Seed. Both programs get the same trials.

    Returns
    -------
    ndarray of int, shape (n,)
        0 to 99: how many of 99 draws lie below the truth.
    """
    codes = np.repeat(np.arange(_HOSPITALS), _SIZE)
    treated = (codes % 2).astype(float)
    x = np.column_stack([np.ones(codes.size), treated])
    centre, spread = zip(_PRIORS["intercept"], _PRIORS["effect"], strict=True)
    ranks = []
    for seed in range(n):
        draw = np.random.default_rng([rng, seed])
        beta = draw.normal(centre, spread)
        tau, sigma = (abs(draw.normal(0, _PRIORS[name])) for name in ("tau", "sigma"))
        u = draw.normal(0, tau, _HOSPITALS)
        y = x @ beta + u[codes] + draw.normal(0, sigma, codes.size)
        labels = draw.permutation(codes) if shuffled else codes
        fit = exact.posterior(
            y, x, labels, tau=stats.halfnorm(scale=_PRIORS["tau"]),
            sigma=stats.halfnorm(scale=_PRIORS["sigma"]), beta=(centre, spread),
        )  # fmt: skip
        drawn = fit.draws(DRAWS, rng=draw)["beta"][:, 1]
        ranks.append(int((drawn < beta[1]).sum()))
    return np.array(ranks)


def band(n: int) -> tuple[float, float]:
    """Return the counts between which 95 % of a right program's bins lie.

    Parameters
    ----------
    n : int
        Number of ranks.
    """
    low, high = stats.binom.ppf([0.025, 0.975], n, 1 / BINS)
    return float(low), float(high)


def draw_ranks(ax: Axes, ranks: np.ndarray) -> None:
    """Draw a rank histogram with the band of a right program."""
    low, high = band(len(ranks))
    ax.axhspan(low, high, color="0.9", linewidth=0)
    ax.hist(
        ranks,
        np.arange(BINS + 1) * (DRAWS + 1) / BINS,
        color=PALETTE["posterior"],
        edgecolor="white",
    )
    ax.set(xlim=(0, DRAWS + 1), xlabel="rank of the truth among 99 draws", ylabel="trials")


@dataclass(frozen=True, eq=False)
class Calibration:
    """Ranks from a program whose posterior has a wrong width, a wrong place, or neither.

    Attributes
    ----------
    width, shift, trials : float, float, int
        As asked for.
    counts : ndarray, shape (20,)
        Ranks in each bin.
    low, high : float
        The band of a right program.
    outside : int
        Bins outside the band.
    coverage : float
        Per cent of the program's 95 % intervals that hold the truth, in the long run.
    """

    width: float
    shift: float
    trials: int
    counts: np.ndarray
    low: float
    high: float
    outside: int
    coverage: float


@functools.cache
def _numbers() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(17)
    return rng.standard_normal(_MOST), rng.random(_MOST)


def calibration(*, width: float, shift: float, trials: int) -> Calibration:
    """Return the ranks of a program that is off by a factor and a shift.

    Parameters
    ----------
    width : float
        SD of the program's posterior, in SDs of the right one, above 0.
    shift : float
        Mean of the program's posterior less that of the right one, in SDs of the right one.
    trials : int
        20 to 2,000.

    Raises
    ------
    ValueError
        For a number outside its range.

    Notes
    -----
    With normal posteriors a draw lies below the truth with probability Phi((z - shift)/width), z
    standard normal: the rank is binomial.
    """
    trials = int(trials)
    if not width > 0:
        raise ValueError(f"width must be above 0, got {width!r}")
    if not np.isfinite(shift):
        raise ValueError(f"shift must be a finite number, got {shift!r}")
    if not 20 <= trials <= _MOST:
        raise ValueError(f"trials must lie between 20 and {_MOST:,}, got {trials}")
    z, uniform = (part[:trials] for part in _numbers())
    chance = stats.norm.cdf((z - shift) / width)
    ranks = stats.binom.ppf(uniform, DRAWS, chance)
    counts = np.histogram(ranks, np.arange(BINS + 1) * (DRAWS + 1) / BINS)[0]
    low, high = band(trials)
    ends = shift + width * np.array([-1, 1]) * stats.norm.ppf(0.975)
    return Calibration(
        float(width), float(shift), trials, counts, low, high,
        int(((counts < low) | (counts > high)).sum()),
        100 * float(np.diff(stats.norm.cdf(ends))[0]),
    )  # fmt: skip
