"""The chosen model as PyMC code that runs in the notebook where the data are."""

from __future__ import annotations

import math
import pprint
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from utils import exact
from utils.widgets._sensitivity_data import HospitalData
from utils.widgets._sensitivity_priors import make

__all__ = ["UNNAMED", "exact_of", "pymc_code"]

UNNAMED = "your_data"  # in the code, where the data have no name in the notebook

_SAMPLE = """
with model:
    idata = pm.sample(
        draws=1000, tune=1000, chains=4, cores=2, random_seed=1, target_accept=0.95,
        progressbar=False, quiet=True,
    )
"""


def exact_of(data: HospitalData, state: Mapping) -> exact.Posterior | exact.BinomialPosterior:
    """Return the posterior of a state as `utils.exact` computes it.

    Parameters
    ----------
    data : HospitalData
    state : mapping
        Of an explorer on these data.

    Raises
    ------
    ValueError
        If there is no posterior.
    """
    own = None if data.own is None else data.own.given
    tau = make(state["family"], state["scale"], own)
    sd, flat = state["effect_sd"], math.isinf(state["effect_sd"])
    if data.rate:
        which = data.hospitals(state["n_hospitals"], state["kept"])
        return exact.binomial(
            data.y[which], data.x[which, 0], tau=tau, mu=None if flat else (0, sd),
            labels=data.labels[which],
        )  # fmt: skip
    y, x, code = data.part(state["n_hospitals"], state["kept"])
    sds = np.full(x.shape[1], np.inf)
    sds[data.names.index(data.effect)] = sd
    sigma = state["sigma_scale"]
    return exact.posterior(
        y, pd.DataFrame(x, columns=list(data.names)), code, tau=tau,
        sigma="flat" if math.isinf(sigma) else stats.halfnorm(scale=sigma),
        beta=(np.zeros(len(sds)), sds),
    )  # fmt: skip


def pymc_code(data: HospitalData, state: Mapping, name: str) -> str:
    """Return PyMC code for a state: it reads the data, makes `model`, and samples `idata`.

    Parameters
    ----------
    data : HospitalData
    state : mapping
    name : str
        What the DataFrame is called; empty for the explorer's own data.

    Raises
    ------
    ValueError
        If PyMC has no distribution like the learner's own prior, or there is no posterior.
    """
    model = exact_of(data, state).to_pymc()
    recipe, column = data.recipe, repr(data.recipe["hospital"])
    lines = ["import numpy as np"]
    if not name:
        lines.append("from utils.widgets.prior_sensitivity import example_data")
        name = "example_data()"
    if not data.rate:
        lines.append("import patsy")
    if name == UNNAMED:
        lines += ["", f"# {UNNAMED}: give this name to the table that the explorer was opened with"]
    lines += ["", f"kept = {name}.dropna(subset=[{column}]).reset_index(drop=True)"]
    if state["n_hospitals"] < len(data.labels):
        labels = data.labels[data.hospitals(state["n_hospitals"], state["kept"])].tolist()
        shown = pprint.pformat(labels, width=80, compact=True).replace("\n", "\n   ")
        lines.append(f"hospitals = {shown}")
        lines.append(f"kept = kept[kept[{column}].isin(hospitals)].reset_index(drop=True)")
    if data.rate:
        columns = f"[[{recipe['events']!r}, {recipe['patients']!r}]]"
        lines += [
            f"kept = kept.groupby({column}, observed=True, sort=False){columns}.sum()",
            f"events, patients = kept[{recipe['events']!r}], kept[{recipe['patients']!r}]",
        ]
    else:
        lines += [
            f'y, X = patsy.dmatrices({recipe["formula"]!r}, kept, return_type="dataframe")',
            f"y, group = y.iloc[:, 0], kept.loc[y.index, {column}]",
        ]
    return "\n".join(lines) + "\n\n" + model.replace("import numpy as np\n", "") + _SAMPLE
