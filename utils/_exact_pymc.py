"""The exact posterior's models written as PyMC code."""

from __future__ import annotations

from utils._exact_gaussian import BetaPrior
from utils._exact_priors import pymc_prior

_CENTRED = 'u = pm.Normal("u", 0, tau, dims="hospital")'
_NON_CENTRED = """z = pm.Normal("z", dims="hospital")  # samples better where u is uncertain
    u = pm.Deterministic("u", tau * z, dims="hospital")"""


def gaussian_code(
    tau: object, sigma: object, beta: BetaPrior, names: list[str], design: bool, centred: bool
) -> str:
    """Return PyMC code of the random-intercept model, as text."""
    fixed, total = _coefficients(beta, names, design)
    read = "\nX = np.asarray(X, dtype=float).reshape(len(y), -1)" if design else ""
    return f"""import numpy as np
import pymc as pm

y = np.asarray(y, dtype=float){read}
hospital, index = np.unique(np.asarray(group), return_inverse=True)

with pm.Model(coords={{"hospital": hospital}}) as model:
    tau = {pymc_prior("tau", tau)}
    sigma = {pymc_prior("sigma", sigma)}
{fixed}
    {_CENTRED if centred else _NON_CENTRED}
    pm.Normal("y", {total} + u[index], sigma, observed=y)
"""


def means_code(tau: object, beta: BetaPrior, names: list[str], design: bool) -> str:
    """Return PyMC code of normal means with known standard errors, as text."""
    fixed, total = _coefficients(beta, names, design)
    read = "\nX = np.asarray(X, dtype=float).reshape(len(y), -1)" if design else ""
    return f"""import numpy as np
import pymc as pm

y, se = np.asarray(y, dtype=float), np.asarray(se, dtype=float){read}

with pm.Model(coords={{"hospital": np.arange(len(y))}}) as model:
    tau = {pymc_prior("tau", tau)}
{fixed}
    {_NON_CENTRED}
    theta = pm.Deterministic("theta", {total} + u, dims="hospital")
    pm.Normal("y", theta, se, observed=y)
"""


def binomial_code(tau: object, mu: BetaPrior) -> str:
    """Return PyMC code of binomial counts with a normal hospital effect, as text."""
    return f"""import numpy as np
import pymc as pm

events, patients = np.asarray(events), np.asarray(patients)

with pm.Model(coords={{"hospital": np.arange(len(events))}}) as model:
    tau = {pymc_prior("tau", tau)}
    mu = {_normal("mu", mu.mean[0], mu.precision[0])}
    {_NON_CENTRED}
    p = pm.Deterministic("p", pm.math.invlogit(mu + u), dims="hospital")
    pm.Binomial("events", patients, p, observed=events)
"""


def _coefficients(beta: BetaPrior, names: list[str], design: bool) -> tuple[str, str]:
    lines, terms = [], []
    for k, name in enumerate(names):
        prior = _normal(name, beta.mean[k], beta.precision[k])
        lines.append(f"    beta_{k} = {prior}")
        terms.append(f"beta_{k} * X[:, {k}]" if design else f"beta_{k}")
    return "\n".join(lines), " + ".join(terms)


def _normal(name: str, mean: float, precision: float) -> str:
    if precision == 0:
        return f"pm.Flat({name!r})"
    return f"pm.Normal({name!r}, mu={float(mean)!r}, sigma={float(precision**-0.5)!r})"
