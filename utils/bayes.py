"""Posterior draws: may they be trusted, what do they say, and what other methods say of it.

`diagnose` reads the convergence diagnostics of ArviZ and says in words what they mean; `summary`
is a small table of numbers; `lenses` puts five ways to fit the random-intercept model side by
side; `reweight` and `power_scaling` ask what other priors would do. All but `reweight` take what
PyMC returns: an xarray.DataTree with a group ``posterior``.

Examples
--------
>>> import arviz as az
>>> import numpy as np
>>> rng = np.random.default_rng(1)
>>> draws = az.from_dict({"posterior": {"mu": rng.normal(140, 2, (4, 1000))}})
>>> diagnose(draws).table.loc["R-hat", "ok"]
True
"""

from __future__ import annotations

import html
import importlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from utils._bayes_lenses import Lenses, lenses
from utils._bayes_powerscale import Powered, PowerScaling, exact_sensitivity, power_scaling
from utils._bayes_reweight import Reweighted, reweight

__all__ = [
    "Lenses",
    "PowerScaling",
    "Powered",
    "Reweighted",
    "Verdict",
    "diagnose",
    "exact_sensitivity",
    "lenses",
    "power_scaling",
    "reweight",
    "set_up",
    "summary",
]

R_HAT = 1.01
ESS = 400
BFMI = 0.3
MEANING = {
    "R-hat": "do the chains tell the same story? 1 if they do",
    "bulk ESS": "independent draws that would know the middle as well",
    "tail ESS": "independent draws that would know the ends of intervals as well",
    "divergences": "steps where the sampler lost its way",
    "BFMI": "does the sampler move freely between depths of the posterior?",
}
CURES = {
    "R-hat": "draw longer, or find out why the chains differ",
    "bulk ESS": "draw longer, or write the model so that chains move faster",
    "tail ESS": "draw longer: the ends of intervals are not known well yet",
    "divergences": "parts of the posterior may be missing: write the model in another way "
    "(centred or non-centred), then raise target_accept",
    "BFMI": "write the model in another way, heavy tails above all",
}


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the diagnostics say.

    Attributes
    ----------
    ok : bool
        Whether every check that could be made is passed.
    sentence : str
        The verdict, in one line.
    table : DataFrame
        One row a check: ``worst`` (the worst value), ``where`` (its parameter or chain),
        ``wanted``, ``ok`` (None where nothing was recorded), ``meaning`` (and what to try).
    parameters : DataFrame
        ``r_hat``, ``ess_bulk``, ``ess_tail`` of each parameter, the worst first.
    constant : tuple of str
        Parameters that never change, such as the diagonal of a correlation matrix; not checked.
    """

    ok: bool
    sentence: str
    table: pd.DataFrame
    parameters: pd.DataFrame
    constant: tuple[str, ...]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        shown = _shown(self.table)
        colour = "#009E73" if self.ok else "#D55E00"
        box = (
            f'<div role="status" style="border-left:4px solid {colour};padding:.3em .8em">'
            f"<p>{html.escape(self.sentence)}</p>{shown.to_html(border=0)}</div>"
        )
        return {"text/html": box, "text/plain": f"{self.sentence}\n{shown.to_string()}"}

    def __repr__(self) -> str:
        return f"Verdict: {self.sentence}"


def set_up() -> None:
    """Make PyMC and ArviZ give the same numbers, and say no more than needed, on every machine.

    Call it once, before a model is compiled. Compiled code then keeps the order of its sums, so
    that the first run of a model (which compiles it) and the next (which finds it compiled) draw
    the same chains; PyTensor looks for no library of linear algebra, and warns of none; PyMC's
    progress messages are left out, its errors are not; ArviZ shows 95 % intervals and four
    digits.

    Examples
    --------
    >>> set_up()
    >>> az.rcParams["stats.ci_prob"]
    0.95
    """
    pytensor = importlib.import_module("pytensor")  # slow, so only where there is a model to fit
    pytensor.config.numba__fastmath = False
    pytensor.config.blas__ldflags = ""
    logging.getLogger("pymc").setLevel(logging.ERROR)
    az.rcParams["stats.ci_prob"] = 0.95
    az.rcParams["stats.round_to"] = "4g"


def diagnose(idata: xr.DataTree, *, var_names: str | Sequence[str] | None = None) -> Verdict:
    """Say whether posterior draws may be used.

    Parameters
    ----------
    idata : xarray.DataTree
        With a group ``posterior`` and, for divergences and energy, ``sample_stats``, as nutpie
        and PyMC return it.
    var_names : str or sequence of str, optional
        The variables to check. All, if not given.

    Returns
    -------
    Verdict
        Wanted: R-hat below 1.01, bulk and tail effective sample size (ESS) above 400, no
        divergence, BFMI of each chain at least 0.3.

    Raises
    ------
    ValueError
        If there is no posterior, a variable is not in it, or there are fewer than 4 draws.

    Notes
    -----
    Rank-normalised split R-hat, bulk and tail ESS: Vehtari A and others, Bayesian Analysis
    2021; 16: 667-718. BFMI, the share of the energy's variance that one step renews: Betancourt
    M, arXiv:1604.00695. Good diagnostics do not show that the model is right.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> stuck = rng.normal(size=(4, 500)) + np.array([[0], [0], [0], [3]])
    >>> diagnose(az.from_dict({"posterior": {"tau": stuck}})).sentence[:55]
    'Do not use these draws yet: R-hat is 1.486 at tau (want'
    """
    labels, draws = _entries(idata, var_names)
    n_chains, n_draws, _ = draws.shape
    if n_draws < 4:
        raise ValueError(f"idata must have at least 4 draws a chain; got {n_draws}")
    finite = np.isfinite(draws).all((0, 1))
    with np.errstate(invalid="ignore"):
        # The diagonal of a correlation matrix is 1 up to rounding.
        still = finite & (np.ptp(draws, axis=(0, 1)) <= 1e-10 * np.abs(draws).max((0, 1)))
    constant = tuple(label for label, flag in zip(labels, still, strict=True) if flag)
    parameters = _diagnostics(labels, draws)[~still]
    divergences, bfmi = _sampler(idata)
    rows = {
        "R-hat": _worst(parameters["r_hat"], "max", lambda v: v < R_HAT, f"below {R_HAT}"),
        "bulk ESS": _worst(parameters["ess_bulk"], "min", lambda v: v > ESS, f"above {ESS}"),
        "tail ESS": _worst(parameters["ess_tail"], "min", lambda v: v > ESS, f"above {ESS}"),
        "divergences": (divergences, "", "0", None if divergences is None else divergences == 0),
        "BFMI": _worst(bfmi, "min", lambda v: v >= BFMI, f"at least {BFMI}")
        if bfmi is not None
        else (None, "", f"at least {BFMI}", None),
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["worst", "where", "wanted", "ok"])
    table["worst"] = table["worst"].astype(float)
    passed = [row[-1] for row in rows.values()]
    table["ok"] = pd.Series(passed, index=table.index, dtype=object)  # None stays None
    table["meaning"] = [
        f"{MEANING[name]}. Try: {CURES[name]}" if good is False else MEANING[name]
        for name, good in table["ok"].items()
    ]
    table.index.name = "check"
    broken = [label for label, good in zip(labels, finite, strict=True) if not good]
    ok = not broken and n_chains > 1 and len(parameters) > 0 and False not in passed
    sentence = _sentence(table, ok, n_chains, n_chains * n_draws, broken, len(parameters))
    worst_first = parameters.sort_values("r_hat", ascending=False, kind="stable")
    return Verdict(bool(ok), sentence, table, worst_first, constant)


def summary(
    idata: xr.DataTree,
    *,
    var_names: str | Sequence[str] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return one row a parameter, in full precision.

    Parameters
    ----------
    idata : xarray.DataTree
        With a group ``posterior``.
    var_names : str or sequence of str, optional
        The variables wanted. All, if not given.
    level : float
        Probability of the intervals, between 0 and 1. They have equal tails.

    Returns
    -------
    DataFrame
        Indexed by parameter (``tau``, ``u[H01]``): ``mean``, ``sd``, ``lower``, ``upper``,
        ``mcse`` (Monte Carlo standard error of the mean), ``ess_bulk``, ``ess_tail``, ``r_hat``.
        Diagnostics of a parameter that never changes are missing.

    Raises
    ------
    ValueError
        If there is no posterior, a variable is not in it, or level is impossible.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> draws = az.from_dict({"posterior": {"mu": rng.normal(140, 2, (4, 1000))}})
    >>> summary(draws).round(1).loc["mu", ["mean", "sd"]].tolist()
    [140.0, 2.0]
    """
    if not 0 < level < 1:
        raise ValueError(f"level lies between 0 and 1; got {level!r}")
    labels, draws = _entries(idata, var_names)
    lower, upper = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=(0, 1))
    pooled = draws.reshape(-1, draws.shape[-1])
    table = pd.DataFrame(
        {
            "mean": pooled.mean(0),
            "sd": pooled.std(0, ddof=1) if len(pooled) > 1 else np.nan,
            "lower": lower,
            "upper": upper,
        },
        index=pd.Index(labels, name="parameter"),
    )
    found = _diagnostics(labels, draws)
    return table.join(found[["mcse", "ess_bulk", "ess_tail", "r_hat"]])


def _entries(
    idata: xr.DataTree, var_names: str | Sequence[str] | None
) -> tuple[list[str], np.ndarray]:
    """Return the label of each parameter and its draws, shape (chain, draw, parameters)."""
    if not isinstance(idata, xr.DataTree) or "posterior" not in idata.children:
        what = (
            f"groups {list(idata.children)}"
            if isinstance(idata, xr.DataTree)
            else type(idata).__name__
        )
        raise ValueError(f"idata must be a DataTree with a group 'posterior'; got {what}")
    posterior = idata["posterior"].to_dataset()
    names = [var_names] if isinstance(var_names, str) else var_names
    names = list(posterior.data_vars) if names is None else list(names)
    for name in names:
        if name not in posterior.data_vars:
            raise ValueError(
                f"var_names must be variables of the posterior, {list(posterior.data_vars)}; "
                f"got {name!r}"
            )
    if not names:
        raise ValueError("var_names must name at least one variable; got none")
    labels, columns = [], []
    for name in names:
        values = posterior[name].transpose("chain", "draw", ...)
        labels += list(_labels(name, values))
        columns.append(values.to_numpy().astype(float).reshape(*values.shape[:2], -1))
    return labels, np.concatenate(columns, axis=-1)


def _labels(name: str, values: xr.DataArray) -> Iterator[str]:
    dims = values.dims[2:]
    if not dims:
        yield name
        return
    levels = [
        values[dim].to_numpy() if dim in values.coords else np.arange(values.sizes[dim])
        for dim in dims
    ]
    for place in product(*levels):
        yield f"{name}[{', '.join(map(str, place))}]"


def _diagnostics(labels: list[str], draws: np.ndarray) -> pd.DataFrame:
    """Return R-hat, both ESS and the Monte Carlo error; missing for what never changes."""
    data = xr.Dataset({"x": (("chain", "draw", "entry"), draws)})
    with warnings.catch_warnings():
        # Constant entries divide by a variance of 0; they come out as missing, as they should.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = {
            "r_hat": az.rhat(data),
            "ess_bulk": az.ess(data, method="bulk"),
            "ess_tail": az.ess(data, method="tail"),
            "mcse": az.mcse(data, method="mean"),
        }
    table = pd.DataFrame(
        {name: value["x"].to_numpy() for name, value in found.items()},
        index=pd.Index(labels, name="parameter"),
    )
    with np.errstate(invalid="ignore"):
        still = np.ptp(draws, axis=(0, 1)) <= 1e-10 * np.abs(draws).max((0, 1))
    table[still] = np.nan
    return table


def _sampler(idata: xr.DataTree) -> tuple[float | None, pd.Series | None]:
    """Return the number of divergences and each chain's BFMI, where they were recorded."""
    stats = idata["sample_stats"].to_dataset() if "sample_stats" in idata.children else {}
    divergences = int(stats["diverging"].sum()) if "diverging" in stats else None
    if "energy" not in stats:
        return divergences, None
    energy = stats["energy"].transpose("chain", "draw").to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        bfmi = (np.diff(energy, axis=1) ** 2).mean(1) / energy.var(1, ddof=1)
    return divergences, pd.Series(bfmi, index=[f"chain {c}" for c in stats["chain"].to_numpy()])


def _worst(
    values: pd.Series, which: str, passes: object, wanted: str
) -> tuple[float | None, str, str, bool | None]:
    """Return the worst value, where it is, and whether it passes; what is missing is worst."""
    if values.empty:
        return None, "", wanted, None
    if values.isna().any():
        return None, str(values.index[values.isna()][0]), wanted, False
    value = float(values.max() if which == "max" else values.min())
    where = str(values.idxmax() if which == "max" else values.idxmin())
    return value, where, wanted, bool(passes(value))


def _sentence(
    table: pd.DataFrame, ok: bool, n_chains: int, n_draws: int, broken: list[str], checked: int
) -> str:
    unknown = [name for name, good in table["ok"].items() if good is None]
    missing = [name for name in unknown if name in ("divergences", "BFMI")]
    tail = f" Not recorded, so not checked: {', '.join(missing)}." if missing else ""
    if ok:
        ess = int(min(table.loc["bulk ESS", "worst"], table.loc["tail ESS", "worst"]))
        diverged = "" if "divergences" in missing else ", and no step diverged"
        return (
            f"These draws can be used: {n_chains} chains agree (largest R-hat "
            f"{table.loc['R-hat', 'worst']:.3f}), {n_draws:,} draws are worth at least {ess:,} "
            f"independent ones{diverged}.{tail}"
        )
    problems = []
    if broken:
        problems.append(
            f"{broken[0]} is not a number in some draws"
            + (f" ({len(broken)} parameters in all)" if len(broken) > 1 else "")
        )
    if n_chains == 1:
        problems.append("there is one chain only, so nothing shows that another would agree")
    if checked == 0:
        problems.append("no parameter changes from draw to draw")
    for name, good in table["ok"].items():
        row = table.loc[name]
        if good is False and not (np.isnan(row["worst"]) and (broken or n_chains == 1)):
            problems.append(_problem(name, row))
    return f"Do not use these draws yet: {'; '.join(problems)}.{tail}"


def _problem(name: str, row: pd.Series) -> str:
    if np.isnan(row["worst"]):
        return f"{name} cannot be computed at {row['where']}"
    if name == "divergences":
        n = int(row["worst"])
        said = f"{n} step{'s' * (n != 1)} diverged (wanted: 0)"
    else:
        digits = ".3f" if name in ("R-hat", "BFMI") else ",.0f"
        said = f"{name} is {row['worst']:{digits}} at {row['where']} (wanted: {row['wanted']})"
    return said


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with numbers as text, for display."""
    shown = table.copy()
    digits = {"R-hat": ".3f", "BFMI": ".2f"}
    shown["worst"] = [
        "" if np.isnan(value) else format(value, digits.get(name, ",.0f"))
        for name, value in table["worst"].items()
    ]
    shown["ok"] = table["ok"].map({True: "yes", False: "no"}).fillna("not recorded")
    return shown.rename_axis(None)
