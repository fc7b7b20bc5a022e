"""Answers of the sensitivity explorer from posterior draws, by importance weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import arviz as az
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from utils._bayes_reweight import ESS_LIMIT, K_LIMIT, effective, reweight, smooth
from utils._exact_priors import HalfStudentT, ScalePrior
from utils.bayes import _entries
from utils.widgets._sensitivity_compute import Answer, Choice, Trust, View, is_above, nice
from utils.widgets._sensitivity_explorer import SensitivityExplorer
from utils.widgets._sensitivity_priors import FAMILIES, TauPrior, half_width
from utils.widgets._sensitivity_rows import Improper
from utils.widgets._sensitivity_strip import Strip, decades
from utils.widgets._sensitivity_words import Labels, Words

Floats = NDArray[np.float64]
Q = np.array([0.025, 0.5, 0.975])
SHOWN = 40

__all__ = ["DrawSource", "from_posterior"]


class DrawSource:
    """Posterior draws, and the priors that they were drawn with.

    Parameters
    ----------
    draws : mapping of str to ndarray
        "tau", "effect", perhaps "sigma": shape (chain, draw). "hospitals": (chain, draw, J).
    labels : sequence of str
        Names of the hospitals.
    tau_prior, sigma_prior : object with a method logpdf, or "flat"
    effect_prior : (mean, sd) or None
    sizes : ndarray or None
        Patients of each hospital.
    own : object or None
    """

    rate, can_keep, seed = False, False, 1

    def __init__(
        self,
        draws: Mapping[str, Floats],
        labels: Sequence[str],
        tau_prior: object,
        effect_prior: tuple[float, float] | None,
        sigma_prior: object,
        sizes: NDArray | None,
        own: object,
    ) -> None:
        flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in draws.items()}
        self.tau, self.effect = flat["tau"], flat["effect"]
        if not (np.isfinite(self.effect).all() and np.all(self.tau > 0)):
            raise ValueError("draws of the effect must be finite and those of tau above 0")
        self.sigma, self.u = flat.get("sigma"), flat.get("hospitals")
        ess = min(float(np.min(az.ess(draws[name], method="bulk"))) for name in ("tau", "effect"))
        self.relative_ess = min(1.0, ess / len(self.tau))
        middle = float(np.median(self.tau))
        self._base_tau = ScalePrior("tau", tau_prior, middle)
        self._base_effect = effect_prior
        self._base_sigma = None
        if self.sigma is not None:
            self._base_sigma = ScalePrior("sigma", sigma_prior, float(np.median(self.sigma)))
        self.own = None if own is None else ScalePrior("tau", own, middle)
        self.labels, self.sizes = np.asarray(labels, object), sizes
        self.of = len(self.labels)
        self.has_own, self.has_sigma = own is not None, self.sigma is not None
        self.spread = 2 * middle
        self.typical = float(np.median(self.effect)) / 2
        self.view = self._view()
        self.start = self._start(tau_prior, effect_prior, sigma_prior)
        self.identity = {"draws": len(self.tau), "median_tau": round(middle, 6)}
        self._by_effect, self._by_tau = np.argsort(self.effect), np.argsort(self.tau)
        self.strip_of = lru_cache(20)(self._strip)

    def _view(self) -> View:
        low, high = np.quantile(self.effect, [0.002, 0.998])
        width = high - low
        low, high = min(low - 0.35 * width, -0.1 * width), max(high + 0.35 * width, 0.1 * width)
        reach = 3 * float(np.quantile(self.tau, 0.9))
        if self.u is not None:
            reach = 1.3 * float(np.abs(np.quantile(self.u, [0.01, 0.99], axis=0)).max())
        tau_max = nice(1.6 * float(np.quantile(self.tau, 0.975)))
        unit = 10.0 ** round(math.log10(float(np.median(self.tau)) / 6))
        scales = decades(unit / 100, unit * 100)
        return View(tau_max, (float(low), float(high)), (-reach, reach), scales)

    def _start(self, tau: object, effect: tuple | None, sigma: object) -> dict:
        """Return the state nearest to the priors of the draws."""
        start: dict = {"effect_sd": math.inf if effect is None else float(effect[1])}
        frozen = getattr(getattr(tau, "dist", None), "name", None)
        known = {"halfnorm": "half-normal", "halfcauchy": "half-Cauchy", "expon": "exponential"}
        if isinstance(tau, str):
            start["family"] = "flat"
        elif isinstance(tau, HalfStudentT) and tau.df in (1, 3):
            start.update(family="half-t" if tau.df == 3 else "half-Cauchy", scale=tau.scale)
        elif frozen in known and tau.kwds.get("loc", 0) == 0 and "scale" in tau.kwds:
            start.update(family=known[frozen], scale=float(tau.kwds["scale"]))
        if getattr(getattr(sigma, "dist", None), "name", None) == "halfnorm":
            start["sigma_scale"] = float(sigma.kwds.get("scale", 1.0))
        if "scale" in start:
            scales = self.view.scales
            start["scale"] = float(np.clip(start["scale"], scales[0], scales[-1]))
        return start

    # ------------------------------------------------------------------ weights
    def _rest(self, choice: Choice) -> Floats:
        """Return the log ratio of the priors other than tau's, less that of tau's old one."""
        ratio = -self._base_tau.log_density(np.log(self.tau))
        if self._base_effect is not None:
            mean, sd = self._base_effect
            ratio = ratio + 0.5 * ((self.effect - mean) / sd) ** 2
        if math.isfinite(choice.effect_sd):
            ratio = ratio - 0.5 * (self.effect / choice.effect_sd) ** 2
        if self.sigma is not None:
            log_sigma = np.log(self.sigma)
            ratio = ratio - self._base_sigma.log_density(log_sigma) + log_sigma
            if math.isfinite(choice.sigma_scale):
                ratio = ratio - 0.5 * (self.sigma / choice.sigma_scale) ** 2
        return ratio

    def answer(self, choice: Choice, threshold: float, n: int, kept: str) -> Answer:
        """Return what a choice of priors leads to."""
        prior = TauPrior(choice.family, choice.scale, self.own)
        ratio = self._rest(choice) + prior.log_density(np.log(self.tau))
        try:
            seen = reweight(ratio, relative_ess=self.relative_ess)
        except ValueError as problem:
            raise Improper(f"{problem}: the draws cannot say what this prior leads to") from None
        w, view = seen.weight, self.view
        effect = self.effect
        mean = float(w @ effect)
        beyond = w @ (effect > threshold if is_above(threshold, False) else effect < threshold)
        return Answer(
            choice=choice,
            tau=_quantiles(self.tau[self._by_tau], w[None, self._by_tau])[0],
            effect=_quantiles(effect[self._by_effect], w[None, self._by_effect])[0],
            effect_mean=mean,
            effect_sd=math.sqrt(float(w @ (effect - mean) ** 2)),
            negative=float(w @ (effect < 0)),
            beyond=float(beyond),
            new_prior=prior.new_hospital(),
            new_posterior=half_width(self.tau[self._by_tau], w[self._by_tau]),
            tau_prior=prior.density(view.tau_at),
            tau_posterior=_smoothed(self.tau, w, view.tau_at, seen.ess, edge=True),
            effect_density=_smoothed(effect, w, view.effect_at, seen.ess),
            error=math.nan,
            trust=Trust(seen.ok, seen.sentence, seen.k_hat, seen.ess),
            _hospitals=self._hospitals(w),
        )

    def _hospitals(self, w: Floats) -> dict[str, NDArray]:
        which = self._shown
        nothing = np.full(len(which), np.nan)
        table = {"hospital": self.labels[which], "n": nothing, "own": nothing}
        if self.u is None:
            return {**table, "estimate": nothing, "low": nothing, "high": nothing,
                    "weight": nothing}  # fmt: skip
        values, order = self._sorted
        ends = np.stack([_quantiles(v, w[None, o])[0] for v, o in zip(values, order, strict=True)])
        weight = nothing
        if self.sizes is not None:
            table["n"] = self.sizes[which]
            if self.sigma is not None:
                lam = (self.tau / self.sigma) ** 2
                weight = np.array([w @ (m * lam / (1 + m * lam)) for m in self.sizes[which]])
        mean = w @ self.u[:, which]
        return {**table, "estimate": mean, "low": ends[:, 0], "high": ends[:, 2], "weight": weight}

    @property
    def _shown(self) -> NDArray[np.intp]:
        if self.u is None:
            return np.arange(0)
        order = np.argsort(self.u.mean(0), kind="stable")
        if len(order) <= SHOWN:
            return order
        return order[np.linspace(0, len(order) - 1, SHOWN).round().astype(int)]

    @property
    def _sorted(self) -> tuple[Floats, NDArray]:
        if not hasattr(self, "_sorted_once"):
            u = self.u[:, self._shown].T
            order = np.argsort(u, axis=1)
            self._sorted_once = np.take_along_axis(u, order, axis=1), order
        return self._sorted_once

    # ------------------------------------------------------------------ strip
    def strip(self, choice: Choice, threshold: float, n: int, kept: str) -> Strip:
        """Return how the conclusion moves over the scales of the chosen family."""
        return self.strip_of(choice.family, choice.effect_sd, choice.sigma_scale, threshold)

    def _strip(self, family: str, effect_sd: float, sigma_scale: float, threshold: float) -> Strip:
        scales, t = self.view.scales, np.log(self.tau)
        rest = self._rest(Choice(family, 1.0, effect_sd, sigma_scale))
        ratio = rest + FAMILIES[family].log_density(t, np.log(scales)[:, None]) + t
        possible = np.isfinite(ratio).any(1)
        ratio[~possible] = 0.0
        weight, k_hat = smooth(ratio, self.relative_ess)
        trusted = possible & (k_hat <= K_LIMIT)
        trusted &= effective(weight, self.relative_ess) >= ESS_LIMIT
        effect = self.effect[self._by_effect]
        sorted_weight = weight[:, self._by_effect]
        above = is_above(threshold, False)
        beyond = effect > threshold if above else effect < threshold
        return Strip(
            scales, _quantiles(effect, sorted_weight),
            _quantiles(self.tau[self._by_tau], weight[:, self._by_tau]),
            sorted_weight @ (effect < 0), sorted_weight @ beyond, trusted,
        )  # fmt: skip


def from_posterior(
    idata: xr.DataTree,
    *,
    tau_prior: object,
    tau: str = "tau",
    effect: str = "treated",
    effect_prior: tuple[float, float] | None = None,
    sigma: str | None = None,
    sigma_prior: object = "flat",
    hospitals: str | None = None,
    sizes: NDArray | None = None,
    unit: str = "",
    effect_name: str | None = None,
    threshold: float | None = None,
    own: object = None,
    state: Mapping | str | None = None,
) -> SensitivityExplorer:
    """Return the prior-sensitivity explorer on the draws of any model, by importance weights.

    The draws are not drawn anew: each gets a weight, the ratio of the new priors to the old ones.
    The first sentence under the figure says whether that can be trusted; the strip stops where
    it cannot.

    Parameters
    ----------
    idata : xarray.DataTree
        With a group ``posterior``, as PyMC and ArviZ have it.
    tau_prior : object with a method logpdf, or "flat"
        The prior of tau that the model was fitted with.
    tau, effect, sigma : str
        Parameters in the posterior: ``"tau"``, ``"beta[1]"``. Without `sigma` its prior stays.
    effect_prior : (mean, sd) or None
        The effect's normal prior that the model was fitted with; None is flat.
    sigma_prior : object with a method logpdf, or "flat"
        As `tau_prior`.
    hospitals : str, optional
        The variable that holds the hospitals' effects: ``"u"``.
    sizes : array-like, shape (J,), optional
        Patients of each hospital, for the weights of their own data.
    unit, threshold, own, state
        See `prior_sensitivity_explorer`.
    effect_name : str, optional
        What the effect is called; by default its name in the posterior.

    Raises
    ------
    ValueError
        If a parameter is not in the posterior, or the explorer cannot be built.

    Notes
    -----
    Only the priors named are exchanged; whatever else the model assumes stays. See
    `utils.bayes.reweight` for the weights and what they need.

    Examples
    --------
    >>> from scipy import stats
    >>> from utils import exact
    >>> y, hospital = [118, 126, 131, 139, 148, 150, 128, 133], list("AABBCCDD")
    >>> prior = stats.halfnorm(scale=10)
    >>> drawn = exact.posterior(y, None, hospital, tau=prior, sigma=prior).draws(4000, 1)
    >>> draws = {"tau": drawn["tau"][None], "mean": drawn["beta"][None, :, 0]}
    >>> explorer = from_posterior(
    ...     az.from_dict({"posterior": draws}), tau_prior=prior, effect="mean", threshold=140
    ... )
    >>> explorer.result.answer.trust.ok
    True
    >>> explorer.set_state(scale=0.01)
    >>> explorer.result.answer.trust.ok
    False
    """
    names, draws = _entries(idata, None)
    place = {name: k for k, name in enumerate(names)}

    def one(name: str) -> Floats:
        if name not in place:
            raise ValueError(f"no parameter {name!r} in the posterior; the first are {names[:8]}")
        return draws[..., place[name]]

    parts = {"tau": one(tau), "effect": one(effect)}
    if sigma is not None:
        parts["sigma"] = one(sigma)
    labels: list[str] = []
    if hospitals is not None:
        inside = [name for name in names if name.startswith(f"{hospitals}[")]
        if not inside:
            raise ValueError(f"no variable {hospitals!r} with a value for each hospital")
        parts["hospitals"] = np.stack([one(name) for name in inside], axis=-1)
        labels = [name[len(hospitals) + 1 : -1] for name in inside]
    if sizes is not None:
        sizes = np.asarray(sizes)
        if sizes.shape != (len(labels),):
            raise ValueError(f"sizes must be {len(labels)} numbers, one a hospital")
    source = DrawSource(parts, labels, tau_prior, effect_prior, sigma_prior, sizes, own)
    words = Labels(
        f"effect of {effect_name or effect}", unit, False, own_known=False,
        sigma_known=sigma is not None,
    )  # fmt: skip
    return SensitivityExplorer(
        source, words, Words(words, 1, unit.startswith("log ")), threshold, state, ""
    )


def _quantiles(values: Floats, weight: Floats) -> Floats:
    """Return quantiles of sorted values under rows of weights, shape (rows, 3)."""
    below = np.cumsum(weight, axis=1) - weight / 2
    return np.stack([np.interp(Q, row, values) for row in below])


def _smoothed(
    values: Floats, weight: Floats, at: Floats, ess: float, *, edge: bool = False
) -> Floats:
    """Return a kernel density of weighted draws at even places; with an edge, folded back at 0."""
    mean = weight @ values
    sd = math.sqrt(max(float(weight @ (values - mean) ** 2), 1e-300))
    step = at[1] - at[0]
    width = max(1.06 * sd * max(ess, 2) ** -0.2, 0.75 * step)
    count = 2 * len(at)
    low = at[0] - len(at) // 2 * step
    height = np.histogram(values, count, (low - step / 2, low + (count - 0.5) * step),
                          weights=weight)[0] / step  # fmt: skip
    reach = min(int(4 * width / step) + 1, len(at) // 2)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    smooth_height = np.convolve(height, kernel / kernel.sum(), mode="same")
    places = low + step * np.arange(count)
    out = np.interp(at, places, smooth_height)
    if edge:
        out = out + np.interp(-at, places, smooth_height)
    return out
