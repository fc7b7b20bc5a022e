"""Five ways to fit the random-intercept model, side by side, and what each calls its parts."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import patsy
import statsmodels.formula.api as smf
import xarray as xr
from scipy import stats

from utils import likelihood, mixedlm

QUANTITIES = ("effect", "hospital_sd", "patient_sd")
ROWS = ("OLS", "cluster-robust OLS", "MixedLM", "own REML", "PyMC")


@dataclass(frozen=True, eq=False, repr=False)
class Lenses:
    """The same data through several lenses.

    Attributes
    ----------
    table : DataFrame
        One row a lens: ``estimate``, ``standard_error`` (PyMC: the posterior's mean and SD),
        ``lower``, ``upper`` of the fixed effect, ``hospital_sd``, ``patient_sd``. Least squares
        has no hospital_sd, and its patient_sd is the residual SD.
    names : DataFrame
        What each lens calls the same thing, as code: one row a quantity, one column a lens.
        `result` is the object of statsmodels, `model` what `utils.mixedlm.fit` returns, `fit` of
        `utils.likelihood.fit_intercept`. The standard error of MixedLM is not its `bse_fe`, which
        differs a little from (X'V⁻¹X)⁻¹.
    effect : str
        The fixed effect.
    level : float
        Of the intervals.
    """

    table: pd.DataFrame
    names: pd.DataFrame
    effect: str
    level: float

    def _title(self) -> str:
        return f"{self.effect}: estimates and {self.level:.0%} intervals"

    def __repr__(self) -> str:
        return f"{self._title()}\n{_rounded(self.table).to_string()}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        names = self.names.map(lambda code: f"<code>{html.escape(code)}</code>" if code else "")
        page = (
            f"<p>{html.escape(self._title())}</p>{_rounded(self.table).to_html(border=0)}"
            "<details><summary>What each calls the same thing</summary>"
            f"{names.to_html(border=0, escape=False)}</details>"
        )
        return {"text/html": page, "text/plain": repr(self)}


def lenses(
    formula: str,
    data: pd.DataFrame,
    *,
    groups: str,
    effect: str,
    idata: xr.DataTree | None = None,
    names: Mapping[str, str] | None = None,
    level: float = 0.95,
) -> Lenses:
    """Fit the random-intercept model in five ways and lay the results side by side.

    Parameters
    ----------
    formula : str
        Outcome and fixed effects, such as ``"sbp ~ treated + age"``.
    data : DataFrame
        One row a patient, without missing values.
    groups : str
        The column whose values are the hospitals.
    effect : str
        The fixed effect that is compared: a column of the design, such as ``"treated"``.
    idata : xarray.DataTree, optional
        A posterior of the same model. Without it there are four lenses.
    names : mapping, optional
        The posterior's names of "effect", "hospital_sd" and "patient_sd", each a single number a
        draw, or one entry of an array: ``{"effect": "beta[1]", "hospital_sd": "tau"}``. Those
        not given are "treatment_effect" (or, if the posterior has it, the name of `effect`),
        "hospital_sd" and "patient_sd".
    level : float
        Of the intervals, between 0 and 1. PyMC's has equal tails.

    Raises
    ------
    ValueError
        If the data or the formula cannot be right, or a name is not in the posterior.

    Notes
    -----
    Rows: least squares; the same with standard errors that allow for hospitals (sandwich, with
    t on J - 1 degrees of freedom); MixedLM and `utils.likelihood`, both REML with Satterthwaite's
    degrees of freedom, by two codes; and the posterior's means.

    Examples
    --------
    >>> from utils.simulate import med_trial
    >>> data = med_trial(n_hospitals=20, rng=1).data
    >>> seen = lenses("sbp ~ treated", data, groups="hospital", effect="treated")
    >>> list(seen.table.index)
    ['OLS', 'cluster-robust OLS', 'MixedLM', 'own REML']
    >>> seen.names.loc["hospital_sd", "MixedLM"]
    'result.cov_re.iloc[0, 0] ** 0.5'
    """
    if not 0 < level < 1:
        raise ValueError(f"level lies between 0 and 1; got {level!r}")
    model = mixedlm.fit(formula, data, groups=groups)
    if effect not in model.fixed.index:
        raise ValueError(
            f"effect must be a fixed effect of the formula, {list(model.fixed.index)}; "
            f"got {effect!r}"
        )
    table = pd.DataFrame(
        index=pd.Index(ROWS, name="lens"),
        columns=["estimate", "standard_error", "lower", "upper", "hospital_sd", "patient_sd"],
        dtype=float,
    )
    codes, _ = pd.factorize(data[groups])
    ols = smf.ols(formula, data)
    plain = ols.fit()
    robust = ols.fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    for name, fit in (("OLS", plain), ("cluster-robust OLS", robust)):
        lower, upper = fit.conf_int(alpha=1 - level).loc[effect]
        sd = np.sqrt(plain.scale)
        table.loc[name] = [fit.params[effect], fit.bse[effect], lower, upper, np.nan, sd]

    fixed = model.fixed_table(confidence=level).loc[effect]
    sds = [model.hospital_sd, model.patient_sd]
    table.loc["MixedLM"] = [*fixed[["estimate", "se", "lower", "upper"]], *sds]

    y, X = patsy.dmatrices(formula, data, return_type="dataframe")
    place = list(X.columns).index(effect)
    own = likelihood.fit_intercept(likelihood.sums(y.to_numpy()[:, 0], X.to_numpy(), codes))
    half = stats.t.ppf((1 + level) / 2, own.df[place]) * own.se[place]
    middle = own.beta[place]
    table.loc["own REML"] = [
        middle, own.se[place], middle - half, middle + half, own.hospital_sd, own.patient_sd,
    ]  # fmt: skip
    words = _words(effect, place)
    if idata is None:
        return Lenses(table.drop(index="PyMC"), words, effect, float(level))

    called = _called(idata, names, effect)
    draws = {what: _draws(idata, name) for what, name in called.items()}
    ends = np.quantile(draws["effect"], [(1 - level) / 2, (1 + level) / 2])
    table.loc["PyMC"] = [
        draws["effect"].mean(), draws["effect"].std(ddof=1), *ends,
        draws["hospital_sd"].mean(), draws["patient_sd"].mean(),
    ]  # fmt: skip
    codes_of = {what: _code(name) for what, name in called.items()}
    words["PyMC"] = [
        f"{codes_of['effect']}.mean()",
        f"{codes_of['effect']}.std(ddof=1)",
        f"{codes_of['hospital_sd']}.mean()",
        f"{codes_of['patient_sd']}.mean()",
    ]
    return Lenses(table, words, effect, float(level))


def _words(effect: str, place: int) -> pd.DataFrame:
    least = [f"result.params[{effect!r}]", f"result.bse[{effect!r}]", "", "result.scale ** 0.5"]
    return pd.DataFrame(
        {
            "OLS": least,
            "cluster-robust OLS": least,
            "MixedLM": [
                f"result.fe_params[{effect!r}]",
                f"model.fixed.loc[{effect!r}, 'se']",
                "result.cov_re.iloc[0, 0] ** 0.5",
                "result.scale ** 0.5",
            ],
            "own REML": [f"fit.beta[{place}]", f"fit.se[{place}]", "fit.hospital_sd",
                         "fit.patient_sd"],
        },
        index=pd.Index(
            ["estimate", "standard_error", "hospital_sd", "patient_sd"], name="quantity"
        ),
    )  # fmt: skip


def _called(idata: xr.DataTree, names: Mapping[str, str] | None, effect: str) -> dict[str, str]:
    if not isinstance(idata, xr.DataTree) or "posterior" not in idata.children:
        raise ValueError(
            f"idata must be a DataTree with a group 'posterior'; got {type(idata).__name__}"
        )
    given = dict(names or {})
    unknown = sorted(given.keys() - set(QUANTITIES))
    if unknown:
        raise ValueError(f"names has the keys {QUANTITIES}; got {unknown[0]!r}")
    default = effect if effect in idata["posterior"].data_vars else "treatment_effect"
    return {"effect": default, "hospital_sd": "hospital_sd", "patient_sd": "patient_sd"} | given


def _draws(idata: xr.DataTree, name: str) -> np.ndarray:
    """Return all draws of one number, ``tau`` or ``beta[1]`` or ``beta[treated]``."""
    posterior = idata["posterior"]
    base, bracket, rest = name.partition("[")
    if base not in posterior.data_vars:
        raise ValueError(
            f"names must be of the posterior, {list(posterior.data_vars)}; got {name!r}"
        )
    values = posterior[base]
    if bracket:
        key = rest.removesuffix("]").strip("'\"")
        dim = values.dims[-1]
        labels = [str(label) for label in values[dim].to_numpy()]
        if values.ndim != 3 or key not in labels:
            raise ValueError(f"{base} has the entries {labels} along {dim!r}; got {name!r}")
        values = values.isel({dim: labels.index(key)})
    if values.ndim != 2:
        raise ValueError(
            f"{name!r} must be one number a draw; it has dimensions {values.dims[2:]}: name one "
            f"entry, such as '{base}[...]'"
        )
    return values.to_numpy().ravel()


def _code(name: str) -> str:
    base, bracket, rest = name.partition("[")
    if not bracket:
        return f"idata.posterior[{base!r}]"
    key = rest.removesuffix("]").strip("'\"")
    key = key if key.lstrip("-").isdigit() else repr(key)
    return f"idata.posterior[{base!r}].loc[..., {key}]"


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    return table.map(lambda value: "" if np.isnan(value) else f"{value:.2f}")
