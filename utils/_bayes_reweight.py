"""Draws of one posterior turned into another's by weights, and whether that can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

__all__ = ["Reweighted", "k_in_words", "reweight"]

K_LIMIT = 0.7
ESS_LIMIT = 400


@dataclass(frozen=True, eq=False)
class Reweighted:
    """Weights of draws, and whether they can be trusted.

    Attributes
    ----------
    weight : ndarray, shape (n,)
        Adds up to 1.
    k_hat : float
        Shape of the Pareto law that was fitted to the largest weights; -inf if all are equal.
    ess : float
        Independent draws that the weighted ones are worth.
    ok : bool
        Whether k_hat is at most 0.7 and ess at least 400.
    sentence : str
        The verdict in words.
    """

    weight: Floats
    k_hat: float
    ess: float
    ok: bool
    sentence: str


def reweight(log_ratio: ArrayLike, *, relative_ess: float = 1.0) -> Reweighted:
    """Return Pareto-smoothed importance weights, and say whether to trust them.

    Parameters
    ----------
    log_ratio : array-like, shape (n,)
        log of the new density less log of the one that was drawn from, up to a constant. A draw
        that the new one excludes has -inf.
    relative_ess : float
        Effective draws per draw of the chains; 1 if they are independent.

    Raises
    ------
    ValueError
        If a ratio is NaN or +inf, all draws are excluded, or there are fewer than 25.

    Notes
    -----
    Vehtari A, Simpson D, Gelman A, Yao Y, Gabry J, Pareto smoothed importance sampling, Journal of
    Machine Learning Research 2024; 25(72). k_hat looks at the largest weights only. A new density
    where there are hardly any draws can give bounded weights, and so a small k_hat, and still rest
    on few draws: so the effective number of draws, n relative_ess / (n sum of squared weights),
    is judged too.

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(size=4000)
    >>> reweight(0.2 * draws).ok  # from N(0, 1) to N(0.2, 1)
    True
    >>> reweight(4 * draws).sentence[:26]
    'Do not trust these numbers'
    """
    ratio = np.asarray(log_ratio, float)
    if ratio.ndim != 1 or len(ratio) < 25:
        raise ValueError(f"log_ratio must be a list of 25 numbers or more, got {ratio.shape}")
    if np.isnan(ratio).any() or np.any(ratio == np.inf):
        raise ValueError("log_ratio must not hold NaN or +inf")
    if not np.isfinite(ratio).any():
        raise ValueError("the new density excludes every draw")
    if not 0 < relative_ess:
        raise ValueError(f"relative_ess must be above 0, got {relative_ess!r}")
    weight, k_hat = smooth(ratio[None], relative_ess)
    ess = float(effective(weight, relative_ess)[0])
    ok = bool(k_hat[0] <= K_LIMIT and ess >= ESS_LIMIT)
    return Reweighted(
        weight[0], float(k_hat[0]), ess, ok, _sentence(float(k_hat[0]), ess, len(ratio), ok)
    )


def smooth(ratio: Floats, relative_ess: float) -> tuple[Floats, Floats]:
    """Return weights (rows, n) that add up to 1, and k_hat (rows,), for rows of log ratios."""
    ratio = ratio - ratio.max(1, keepdims=True)
    weight, k_hat = np.exp(ratio), np.full(len(ratio), -np.inf)
    for row, values in enumerate(ratio):
        inside = values > -500
        if np.ptp(values[inside]) < 1e-9 or inside.sum() < 25:
            k_hat[row] = -np.inf if inside.sum() >= 25 else np.inf
            continue
        try:
            with np.errstate(all="ignore"):
                log_weight, k = array_stats.psislw(-values[inside], r_eff=min(relative_ess, 1.0))
        except ValueError:  # the few draws left are one draw, repeated: a chain stood still there
            k_hat[row] = np.inf
            continue
        if np.isfinite(k) and np.isfinite(log_weight).all():
            weight[row] = 0.0
            weight[row, inside] = np.exp(log_weight - log_weight.max())
            k_hat[row] = float(k)
    return weight / weight.sum(1, keepdims=True), k_hat


def effective(weight: Floats, relative_ess: float) -> Floats:
    """Return how many independent draws rows of weights are worth."""
    return min(relative_ess, 1.0) / (weight**2).sum(1)


def k_in_words(k_hat: float) -> str:
    """Return what a Pareto k says, in words.

    Examples
    --------
    >>> k_in_words(0.9)
    'Pareto k is 0.90: a few draws carry most of the weight, and more draws would not settle it'
    """
    if k_hat == -np.inf:
        return "all weights are equal"
    if k_hat == np.inf:
        return "next to no draws are left"
    if k_hat <= 0.5:
        text = "no draw weighs too much"
    elif k_hat <= K_LIMIT:
        text = "some draws weigh much, but the result still settles"
    elif k_hat <= 1:
        text = "a few draws carry most of the weight, and more draws would not settle it"
    else:
        text = "the weights have no mean: the result is that of a handful of draws"
    return f"Pareto k is {k_hat:.2f}: {text}"


def _sentence(k_hat: float, ess: float, n: int, ok: bool) -> str:
    # The ends of a 95 % interval of a normal law: sqrt(.025 * .975 / ess) / density at 1.96.
    ends = 2.67 / np.sqrt(ess)
    worth = f"{n:,} weighted draws are worth {ess:,.0f} independent ones"
    sure = f"ends of 95 % intervals are uncertain by about {ends:.2f} SD"
    if ok:
        return f"These numbers can be used: {k_in_words(k_hat)}; {worth}, so {sure}."
    reason = f" (wanted: {ESS_LIMIT}), though no weight is extreme" if k_hat <= K_LIMIT else ""
    return (
        f"Do not trust these numbers: {k_in_words(k_hat)}; {worth}{reason}. Fit the model anew "
        "with this prior."
    )
