"""Power-scaling: what happens to a posterior if its priors were a little weaker or stronger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from utils import exact
from utils._bayes_reweight import k_in_words, reweight

Floats = NDArray[np.float64]

__all__ = ["PowerScaling", "Powered", "exact_sensitivity", "power_scaling"]

LIMIT = 0.05
#: Names in the course's PyMC models -> names in `utils.exact`.
IN_EXACT = {"hospital_sd": "tau", "patient_sd": "sigma"}
STEP = 0.01
STRONG = (0.5, 2.0)


@dataclass(frozen=True)
class Powered:
    """A prior raised to a power, as the exact posterior takes it.

    Parameters
    ----------
    prior : object with a method logpdf
    power : float
        Below 1 the prior counts for less, above 1 for more.

    Examples
    --------
    >>> from scipy import stats
    >>> float(Powered(stats.halfnorm(scale=1), 4).logpdf(1) / stats.halfnorm(scale=1).logpdf(1))
    4.0
    """

    prior: object
    power: float

    def logpdf(self, x: ArrayLike) -> Floats:
        """Return the log density, without its constant."""
        return self.power * np.asarray(self.prior.logpdf(x), float)

    def support(self) -> tuple[float, float]:
        """Return the lowest and highest value that can occur."""
        return tuple(self.prior.support())


@dataclass(frozen=True, eq=False)
class PowerScaling:
    """How much a posterior depends on its top-level priors.

    Attributes
    ----------
    table : DataFrame
        One row a parameter: `prior` (sensitivity to the priors, by reweighting draws), `exact`
        (the same by quadrature; NaN where it does not exist), `likelihood` (sensitivity to the
        data), `meaning`.
    weights : DataFrame
        By the power of the priors: `k_hat`, `ess`, `ok`, `meaning`: whether draws could be
        reweighted that far.
    sentence : str
    """

    table: pd.DataFrame
    weights: pd.DataFrame
    sentence: str

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self.table.round(3).to_string()}"


def power_scaling(
    idata: xr.DataTree,
    priors: Sequence[str],
    *,
    var_names: Sequence[str] | None = None,
    model: Mapping[str, object] | None = None,
) -> PowerScaling:
    """Raise the top-level priors to powers near 1 and say how the posterior answers.

    Parameters
    ----------
    idata : xarray.DataTree
        With groups posterior and log_prior, and log_likelihood for the sensitivity to the data
        (``pm.stats.compute_log_prior`` and ``pm.compute_log_likelihood`` add them).
    priors : sequence of str
        The variables with priors of their own: tau, sigma, coefficients. Not the hospitals'
        effects: their law is the model's, and scaling it would blame tau's prior for it.
    var_names : sequence of str, optional
        The parameters wanted; by default `priors`.
    model : mapping, optional
        Arguments of `utils.exact.posterior` (y, X, group, tau, sigma, beta), to compare with the
        exact answer for the parameters that have the same name there: X as a DataFrame names its
        columns; ``hospital_sd`` is tau and ``patient_sd`` sigma.

    Raises
    ------
    ValueError
        If a group or a variable is missing.

    Notes
    -----
    The sensitivity is the distance (cumulative Jensen-Shannon) that the posterior moves per
    doubling of the power, at 1; above 0.05 it is worth a look (Kallioinen N, Paananen T, Bürkner
    P-C, Vehtari A, Statistics and Computing 2024; 34: 57).

    Examples
    --------
    >>> from scipy import stats
    >>> y, hospital = [118, 126, 131, 139, 148, 150, 128, 133], list("AABBCCDD")
    >>> tau, sigma = stats.halfnorm(scale=5), stats.halfnorm(scale=20)
    >>> model = {"y": y, "X": None, "group": hospital, "tau": tau, "sigma": sigma}
    >>> drawn = exact.posterior(**model).draws(4000, 1)
    >>> draws = {name: drawn[name].reshape(4, 1000) for name in ("tau", "sigma")}
    >>> log_prior = {"tau": tau.logpdf(draws["tau"]), "sigma": sigma.logpdf(draws["sigma"])}
    >>> idata = az.from_dict({"posterior": draws, "log_prior": log_prior})
    >>> seen = power_scaling(idata, ["tau", "sigma"], model=model)
    >>> bool((seen.table["prior"] - seen.table["exact"]).abs().max() < 0.02)
    True
    """
    names = list(priors if var_names is None else var_names)
    _check(idata, list(priors), names)
    found = az.psense(idata, var_names=names, group="prior", group_var_names=list(priors))
    table = pd.DataFrame({"prior": [float(found[name]) for name in names]}, index=names)
    table["exact"] = np.nan
    if model is not None:
        answer = exact_sensitivity(model)
        for name in names:
            table.loc[name, "exact"] = answer.get(IN_EXACT.get(name, name), np.nan)
    table["likelihood"] = np.nan
    if "log_likelihood" in idata.children:
        found = az.psense(idata, var_names=names, group="likelihood")
        table["likelihood"] = [float(found[name]) for name in names]
    table["meaning"] = [_meaning(*row) for row in table[["prior", "likelihood"]].to_numpy()]
    chains, draws = (idata["posterior"].sizes[name] for name in ("chain", "draw"))
    log_prior = sum(
        idata["log_prior"][name].transpose("chain", "draw", ...).to_numpy()
        .reshape(chains, draws, -1).sum(2)
        for name in priors
    )  # fmt: skip
    relative = min(1.0, float(az.ess(log_prior, method="bulk")) / log_prior.size)
    rows = {}
    for power in (STRONG[0], 1 - STEP, 1 + STEP, STRONG[1]):
        seen = reweight((power - 1) * log_prior.ravel(), relative_ess=relative)
        rows[power] = {
            "k_hat": seen.k_hat, "ess": seen.ess, "ok": seen.ok,
            "meaning": k_in_words(seen.k_hat),
        }  # fmt: skip
    weights = pd.DataFrame.from_dict(rows, orient="index").rename_axis("power")
    return PowerScaling(table, weights, _sentence(table, weights))


def exact_sensitivity(model: Mapping[str, object]) -> dict[str, float]:
    """Return the sensitivity of each parameter to the top-level priors, by quadrature.

    Parameters
    ----------
    model : mapping
        Arguments of `utils.exact.posterior`.

    Returns
    -------
    dict of str to float
        Of each coefficient, tau and sigma, on the scale of `power_scaling`; flat priors have no
        power and are left as they are.

    Examples
    --------
    >>> from scipy import stats
    >>> y, hospital = [118, 126, 131, 139, 148, 150, 128, 133], list("AABBCCDD")
    >>> wide, tight = ({"y": y, "X": None, "group": hospital, "sigma": stats.halfnorm(scale=20),
    ...                 "tau": stats.halfnorm(scale=scale)} for scale in (50, 1))
    >>> exact_sensitivity(wide)["tau"] < 0.05 < exact_sensitivity(tight)["tau"]
    True
    """
    fits = [_powered_fit(model, power) for power in (1.0, 1 - STEP, 1 + STEP)]
    out = {}
    for name in fits[0].names:
        low, high = fits[0].quantile(name, [1e-5, 1 - 1e-5])
        wide = 0.05 * (high - low)
        at = np.linspace(max(low - wide, 0) if name in ("tau", "sigma") else low - wide,
                         high + wide, 1501)  # fmt: skip
        base, weaker, stronger = (np.clip(fit.cdf(name, at), 0, 1) for fit in fits)
        step = at[1] - at[0]
        slopes = [
            max(_distance(base, other, step), _distance(1 - base, 1 - other, step))
            / abs(np.log2(power))
            for other, power in ((weaker, 1 - STEP), (stronger, 1 + STEP))
        ]
        out[name] = float(np.mean(slopes))
    return out


def _powered_fit(model: Mapping[str, object], power: float) -> exact.Posterior:
    changed = dict(model)
    for name in ("tau", "sigma"):
        prior = model[name]
        changed[name] = prior if isinstance(prior, str) else Powered(prior, power)
    if model.get("beta") is not None:
        mean, sd = model["beta"]
        changed["beta"] = (mean, np.asarray(sd, float) / np.sqrt(power))
    return exact.posterior(**changed)


def _distance(p: Floats, q: Floats, step: float) -> float:
    """Return the cumulative Jensen-Shannon distance of two distribution functions on a grid."""
    middle = (p + q) / 2

    def part(f: Floats) -> Floats:
        inside = (f > 0) & (middle > 0)
        ratio = np.where(inside, f, 1.0) / np.where(inside, middle, 1.0)
        return np.where(inside, f * np.log2(ratio), 0.0)

    # The terms with the integrals of p and q cancel in the sum of both directions.
    total = float(np.sum(part(p) + part(q)) * step)
    bound = float(np.sum(p + q) * step)
    return float(np.sqrt(max(total, 0.0) / bound))


def _check(idata: xr.DataTree, priors: list[str], names: list[str]) -> None:
    for group in ("posterior", "log_prior"):
        if group not in getattr(idata, "children", {}):
            hint = "; pm.stats.compute_log_prior adds it" if group == "log_prior" else ""
            raise ValueError(f"idata must have a group {group!r}{hint}")
    for group, wanted in (("log_prior", priors), ("posterior", names)):
        for name in wanted:
            if name not in idata[group].data_vars:
                raise ValueError(
                    f"no variable {name!r} in {group}; there are {list(idata[group].data_vars)}"
                )
    if not priors:
        raise ValueError("priors must name at least one variable")


def _meaning(prior: float, likelihood: float) -> str:
    if prior < LIMIT:
        return "hardly depends on the priors"
    if np.isnan(likelihood):
        return "depends on the priors"
    if likelihood < LIMIT:
        return "depends on the priors more than on the data: strong priors, or few data"
    return "priors and data pull in different directions"


def _sentence(table: pd.DataFrame, weights: pd.DataFrame) -> str:
    moved = table.index[table["prior"] >= LIMIT].tolist()
    if moved:
        text = f"Worth a look (sensitivity {LIMIT} or more): {', '.join(moved)}."
    else:
        text = f"No parameter depends on the priors much (sensitivity below {LIMIT})."
    far = weights.loc[list(STRONG)]
    if far["ok"].all():
        return f"{text} Draws can be reweighted even to the priors' power 0.5 and 2."
    worst = far["k_hat"].idxmax() if not (far["k_hat"] <= 0.7).all() else far["ess"].idxmin()
    k_hat, ess = far.loc[worst, ["k_hat", "ess"]]
    return (
        f"{text} Far from power 1 the draws cannot say: at power {worst:g}, "
        f"{k_in_words(float(k_hat))} ({ess:.0f} effective draws)."
    )
