"""Answers of the sensitivity explorer by quadrature, for the hospitals of a data set."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from utils.widgets._sensitivity_compute import Answer, Choice, View, is_above, nice
from utils.widgets._sensitivity_data import HospitalData, Model
from utils.widgets._sensitivity_priors import TauPrior, half_width
from utils.widgets._sensitivity_rows import (
    Improper,
    Weighed,
    curve_at,
    curve_quantiles,
    weigh,
)
from utils.widgets._sensitivity_strip import Strip, course, curve_value, decades

Floats = NDArray[np.float64]
Q = np.array([0.025, 0.5, 0.975])

__all__ = ["ExactSource"]


class ExactSource:
    """Answers by quadrature, for the hospitals of a data set."""

    can_keep = True
    start: Mapping = {}

    def __init__(self, data: HospitalData) -> None:
        self.data, self.rate, self.of = data, data.rate, len(data.labels)
        self.view, self.spread, self.seed = _view(data), data.spread, data.seed
        self.has_own, self.has_sigma = data.own is not None, not data.rate
        # Where the threshold stands unless it is given.
        self.typical = float(data.y.sum() / data.x.sum()) if data.rate else -0.4 * data.spread
        self.identity = {
            **data.recipe, "hospitals": self.of, "rows": len(data.y), "seed": data.seed,
            "fingerprint": data.fingerprint,
        }  # fmt: skip

    def prior(self, choice: Choice) -> TauPrior:
        """Return the prior of tau."""
        return TauPrior(choice.family, choice.scale, self.data.own)

    def answer(self, choice: Choice, threshold: float, n: int, kept: str) -> Answer:
        """Return what a choice of priors leads to."""
        model = self.data.model(n, kept, choice.effect_sd, choice.sigma_scale)
        rows, prior, view = model.rows, self.prior(choice), self.view
        weighed = weigh(rows, prior)
        below, density = weighed.below[None], weighed.density[None]
        mean, (low, high) = _hospitals(model, weighed)
        moments = weighed.moments() if min(rows.exponents) + prior.tail > 2.001 else (np.nan,) * 2
        beyond = curve_value(rows.at, below, density, threshold)[0]
        which = model.shown
        return Answer(
            choice=choice,
            tau=weighed.tau_quantiles(Q),
            effect=curve_quantiles(rows.at, below, density, Q)[0],
            effect_mean=moments[0],
            effect_sd=moments[1],
            negative=np.nan if self.rate else float(curve_value(rows.at, below, density, 0.0)[0]),
            beyond=float(1 - beyond if is_above(threshold, self.rate) else beyond),
            new_prior=prior.new_hospital(),
            new_posterior=half_width(np.exp(weighed.nodes), weighed.node_weight),
            tau_prior=prior.density(view.tau_at),
            tau_posterior=weighed.tau_density(view.tau_at),
            effect_density=np.maximum(curve_at(rows.at, density[0], view.effect_at), 0),
            error=weighed.error,
            _hospitals={
                "hospital": self.data.labels[self.data.hospitals(n, kept)][which],
                "n": model.sizes[which],
                "own": model.own(weighed.weight)[which],
                "estimate": mean,
                "low": low,
                "high": high,
                "weight": np.clip(weighed.weight @ rows.weight[:, which], 0, 1),
            },
        )

    def strip(self, choice: Choice, threshold: float, n: int, kept: str) -> Strip:
        """Return how the conclusion moves over the scales of the chosen family."""
        model = self.data.model(n, kept, choice.effect_sd, choice.sigma_scale)
        store = model.rows.__dict__.setdefault("courses", {})
        if choice.family not in store:
            store[choice.family] = course(model.rows, choice.family, self.view.scales)
        return store[choice.family].strip(threshold, is_above(threshold, self.rate), self.rate)


def _hospitals(model: Model, weighed: Weighed) -> tuple[Floats, Floats]:
    mean, ends = model.hospitals(weighed, Q[[0, 2]])
    return mean, ends.T


def _view(data: HospitalData) -> View:
    """Return axes that suit all hospitals, and a few of them."""
    unit = 10.0 ** round(math.log10(data.spread / (3 if data.rate else 12)))
    scales = decades(unit / 100, unit * 100)
    prior = TauPrior("half-Cauchy", data.spread)
    found = []
    for n in (len(data.labels), min(5, len(data.labels))):
        try:
            model = data.model(n, "first", math.inf, math.inf if data.rate else 10 * data.spread)
            weighed = weigh(model.rows, prior)
        except Improper:
            continue
        ends = curve_quantiles(
            model.rows.at, weighed.below[None], weighed.density[None], np.array([0.002, 0.998])
        )
        shown = np.abs(np.concatenate([model.own(weighed.weight), *_hospitals(model, weighed)[1]]))
        found.append((weighed.tau_quantiles(Q)[2], ends[0], float(shown.max())))
    if not found:
        raise ValueError(
            "these data have no posterior with flat priors of the coefficients and a half-Cauchy "
            "prior of τ: the explorer needs more hospitals, or fewer columns"
        )
    (tau, whole, reach), few = found[0], found[-1]
    tau_max = nice(1.1 * min(max(tau, few[0]), 2 * tau))
    width = np.ptp(whole)
    low, high = max(few[1][0], whole[0] - width / 2), min(few[1][1], whole[1] + width / 2)
    low, high = min(low, whole[0]), max(high, whole[1])
    if data.rate:
        return View(
            tau_max, (0.0, float(min(high * 1.15, 1.0))),
            (-0.04 * reach, min(1.0, 1.1 * reach)),
            scales,
        )  # fmt: skip
    low, high = min(low, -0.1 * (high - low)), max(high, 0.1 * (high - low))
    reach *= 1.08
    return View(tau_max, (float(low), float(high)), (-reach, reach), scales)
