"""What one choice of priors leads to: the numbers behind the sensitivity explorer, no widgets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from utils.widgets._sensitivity_priors import FAMILIES
from utils.widgets._sensitivity_rows import Improper
from utils.widgets._sensitivity_strip import Criterion, Strip, Verdict, verdict

Floats = NDArray[np.float64]

__all__ = [
    "Answer",
    "Choice",
    "Sensitivity",
    "Source",
    "Trust",
    "View",
    "compute",
    "is_above",
    "nice",
]


@dataclass(frozen=True)
class Choice:
    """One choice of priors.

    Attributes
    ----------
    family : str
        Of the prior of tau: a key of FAMILIES, or "yours".
    scale : float
        Its scale.
    effect_sd : float
        SD of the effect's normal prior, mean 0; infinite for a flat one.
    sigma_scale : float
        Scale of sigma's half-normal prior; infinite for a flat one.
    """

    family: str
    scale: float
    effect_sd: float
    sigma_scale: float

    def as_dict(self) -> dict:
        """Return it as a dict that the state can hold."""
        return asdict(self)


@dataclass(frozen=True)
class Trust:
    """How far reweighted draws can be trusted.

    Attributes
    ----------
    ok : bool
    sentence : str
    k_hat : float
        Shape of the weights' upper tail.
    ess : float
        Independent draws that the weighted ones are worth.
    """

    ok: bool
    sentence: str
    k_hat: float
    ess: float


@dataclass(frozen=True)
class View:
    """Ranges of axes and controls, the same whatever the state.

    Attributes
    ----------
    tau_max : float
        End of the axis of tau.
    effect : tuple of float
        Ends of the axis of the effect.
    hospitals : tuple of float
        Ends of the axis of the hospitals.
    scales : ndarray
        Scales of the strip.
    """

    tau_max: float
    effect: tuple[float, float]
    hospitals: tuple[float, float]
    scales: Floats

    @property
    def tau_at(self) -> Floats:
        """Values of tau at which densities are drawn."""
        return np.linspace(1e-3, 1, 161) * self.tau_max

    @property
    def effect_at(self) -> Floats:
        """Values of the effect at which its density is drawn."""
        return np.linspace(*self.effect, 201)


@dataclass(frozen=True, eq=False)
class Answer:
    """What one choice of priors leads to.

    Attributes
    ----------
    choice : Choice
    tau, effect : ndarray, shape (3,)
        Posterior 2.5 %, 50 % and 97.5 % quantiles.
    effect_mean, effect_sd : float
        Posterior moments of the effect.
    negative, beyond : float
        P(effect < 0), NaN for a rate, and P(effect beyond the threshold).
    new_prior, new_posterior : float
        Half-width of the range that holds a new hospital's deviation from the average with
        probability .95, before and after the data. Infinite for a flat prior.
    tau_prior, tau_posterior, effect_density : ndarray
        Densities at the view's `tau_at` and `effect_at`.
    error : float
        Estimate of the quadrature's error in posterior SDs; NaN for draws.
    trust : Trust or None
        For draws.
    """

    choice: Choice
    tau: Floats
    effect: Floats
    effect_mean: float
    effect_sd: float
    negative: float
    beyond: float
    new_prior: float
    new_posterior: float
    tau_prior: Floats
    tau_posterior: Floats
    effect_density: Floats
    error: float
    trust: Trust | None = None
    _hospitals: Mapping[str, NDArray] = field(default_factory=dict, repr=False)

    @property
    def hospitals(self) -> pd.DataFrame:
        """One row a hospital shown, by its own mean.

        `n`, `own` (its own mean less the average, or its own rate), `estimate`, `low`, `high`
        (posterior mean and 95 % interval) and `weight` of its own data. NaN where not known.
        """
        table = pd.DataFrame(dict(self._hospitals))
        return table.set_index("hospital")


class Source(Protocol):
    """Where answers come from: exact posteriors, or draws.

    Attributes
    ----------
    view : View
    rate : bool
        Whether the effect is a rate.
    of : int
        Hospitals.
    spread, typical : float
        Rough SD of the outcome, and where the threshold stands unless it is given.
    has_own, has_sigma, can_keep : bool
        Whether there is a prior of the learner's own, a sigma, and a choice of hospitals.
    start : mapping
        First values of the state, where they are not the usual ones.
    identity : mapping
        What tells the data from others.
    """

    view: View
    rate: bool
    of: int
    spread: float
    typical: float
    seed: int
    has_own: bool
    has_sigma: bool
    can_keep: bool
    start: Mapping
    identity: Mapping

    def answer(self, choice: Choice, threshold: float, n: int, kept: str) -> Answer: ...
    def strip(self, choice: Choice, threshold: float, n: int, kept: str) -> Strip: ...


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """A choice of priors, the one it is compared with, and how the conclusion moves.

    Attributes
    ----------
    answer : Answer
    pinned : Answer or None
    pin_refused : str
        Why the pinned prior has no posterior here; empty if it has.
    strip : Strip or None
        None for priors without a scale.
    verdict : Verdict or None
    threshold : float
    above : bool
        Whether beyond means above the threshold.
    n_hospitals, of : int
        Hospitals kept, and how many there are.
    kept : str
        "first" or "random".
    """

    answer: Answer
    pinned: Answer | None
    pin_refused: str
    strip: Strip | None
    verdict: Verdict | None
    threshold: float
    above: bool
    n_hospitals: int
    of: int
    kept: str


def is_above(threshold: float, rate: bool) -> bool:
    """Return whether beyond the threshold means above it: for rates, and above 0."""
    return rate or threshold > 0


def compute(
    source: Source,
    *,
    family: str,
    scale: float,
    effect_sd: float,
    sigma_scale: float = math.inf,
    threshold: float,
    n_hospitals: int | None = None,
    kept: str = "first",
    pin: Mapping | None = None,
    criterion: Criterion | None = None,
) -> Sensitivity:
    """Return what a choice of priors leads to, beside a pinned one, and how robust that is.

    Parameters
    ----------
    source : ExactSource or DrawSource
    family, scale, effect_sd, sigma_scale
        See `Choice`.
    threshold : float
        On the scale of the effect. Beyond means below it if it is 0 or less, else above.
    n_hospitals : int, optional
        Hospitals kept; by default all.
    kept : {"first", "random"}
        Which: the first of the data, or a random choice by the source's seed.
    pin : mapping, optional
        The fields of another Choice.
    criterion : Criterion, optional
        When two conclusions are the same.

    Raises
    ------
    Improper
        If there is no posterior. The text is a sentence for the learner.
    """
    choice = Choice(family, scale, effect_sd, sigma_scale)
    n = source.of if n_hospitals is None else n_hospitals
    try:
        answer = source.answer(choice, threshold, n, kept)
    except Improper as problem:
        raise Improper(_why(problem, choice, n)) from problem
    pinned, refused = None, ""
    if pin is not None:
        try:
            pinned = source.answer(Choice(**pin), threshold, n, kept)
        except Improper as problem:
            refused = str(problem)
    seen = found = None
    if family in FAMILIES and family != "flat":
        seen = source.strip(choice, threshold, n, kept)
        found = verdict(
            seen, answer.effect, answer.beyond, scale, rate=source.rate, criterion=criterion
        )
    return Sensitivity(
        answer, pinned, refused, seen, found, threshold, is_above(threshold, source.rate), n,
        source.of, kept,
    )  # fmt: skip


def _why(problem: Improper, choice: Choice, n: int) -> str:
    text = str(problem)
    if "upper tail" in text:
        heavy = "flat" if choice.family == "flat" else "heavy-tailed"
        return (
            f"No posterior: {n} hospitals are too few for a {heavy} prior of τ, whose upper tail "
            "the data cannot end. Keep more hospitals, or choose a prior that falls faster, such "
            "as a half-normal."
        )
    if "lower tail" in text:
        return (
            "No posterior: this prior of τ climbs so steeply towards 0 that no data can end it "
            "there. Choose one whose density is finite at 0."
        )
    return f"No posterior: {text}. Keep more hospitals, or give that parameter a proper prior."


def nice(value: float) -> float:
    """Return the next round number at or above a value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        step * power for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value
    )
