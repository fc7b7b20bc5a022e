"""Many data sets analysed together, by several methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from utils import likelihood
from utils._patients import codes_of, numbers
from utils._simulate_truth import Study
from utils._studies_draw import Trials
from utils._studies_gee import gee
from utils._studies_within import WithinFit, add_means, hospital_dummies

ANALYSES = (
    "naive",
    "cluster-robust",
    "GEE",
    "random intercept, t",
    "random intercept, z",
    "random slope, t",
    "random slope, z",
    "hospital dummies",
    "within-between",
)

Floats = NDArray[np.float64]
Part = tuple[Floats, Floats, NDArray[np.intp]]


def analyse_many(
    studies: Trials | Sequence[Study | pd.DataFrame],
    *,
    outcome: str = "sbp",
    predictors: Sequence[str] = ("treated",),
    hospital: str = "hospital",
    effect: str | None = None,
    methods: Sequence[str] = ("naive", "cluster-robust", "random intercept, t"),
    level: float = 0.95,
) -> pd.DataFrame:
    """Analyse many data sets by several methods, all data sets together.

    Parameters
    ----------
    studies : Trials, or sequence of Study or DataFrame
        The data sets. They may differ in their hospitals and sizes.
    outcome, hospital : str
        Columns of the outcome and of the hospital.
    predictors : sequence of str
        Numeric columns. An intercept is added.
    effect : str, optional
        The predictor whose coefficient is wanted: the first, if not given.
    methods : sequence of str
        Some of "naive" (least squares), "cluster-robust" (its sandwich by hospital), "GEE"
        (exchangeable working correlation, robust standard errors, normal law), "random
        intercept, t" and "random intercept, z" (REML; Satterthwaite's degrees of freedom, or a
        normal law in place of t), "random slope, t" and "random slope, z" (the same, with an
        effect that differs between hospitals, correlated with their intercepts), "hospital
        dummies" (least squares with a coefficient for each hospital) and "within-between"
        (random intercept by REML, with the hospital mean of the effect's predictor as a further
        predictor; Satterthwaite's degrees of freedom).
    level : float
        Level of the confidence intervals, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row a data set and method: ``trial`` (0, 1, ...), ``method``, ``estimate``,
        ``standard_error``, ``degrees_of_freedom``, ``p_value``, ``lower``, ``upper``,
        ``hospital_sd`` and ``patient_sd`` (for least squares: missing, and the residual SD).

    Raises
    ------
    ValueError
        If an argument breaks its rule, or a data set cannot be analysed; the message says which.

    Notes
    -----
    With X of p columns, J hospitals, N patients and least squares residuals e:

    * *naive*: s² (X'X)⁻¹, s² = e'e / (N - p), N - p degrees of freedom;
    * *cluster-robust*: (X'X)⁻¹ (sum over j of X_j'e_j e_j'X_j) (X'X)⁻¹ times
      J/(J-1) · (N-1)/(N-p), J - 1 degrees of freedom (Liang and Zeger, Biometrika 1986; 73:
      13-22), as statsmodels has it with ``use_t=True``;
    * *GEE*: generalised estimating equations, as statsmodels has them by default;
    * *random intercept*: `utils.likelihood.fit_intercept`;
    * *random slope*: `utils.likelihood.fit_slope`, the slope being that of ``effect``. Where the
      effect varies between hospitals, this alone of the models asks about its mean over all
      hospitals like these (Barr DJ and others, Journal of Memory and Language 2013; 68:
      255-278). With equal hospitals, half of each treated, it is the t test of the hospitals'
      own differences on J - 1 degrees of freedom, unless an SD is estimated as 0;
    * *hospital dummies*: least squares of the deviations from the hospitals' means (Frisch and
      Waugh, Econometrica 1933; 1: 387-401), s² = e'e / (N - J - q) with q predictors. Those that
      are constant within every hospital are left out, since the dummies hold them already;
    * *within-between*: the coefficient of the predictor beside its hospital mean is the effect
      within hospitals (Mundlak, Econometrica 1978; 46: 69-85). Where the mean is the same in
      all hospitals it adds nothing and is left out. Other predictors get no hospital mean.

    Random slopes and the last two need an effect's predictor that varies within hospitals.

    Examples
    --------
    >>> from utils.studies import draw_trials
    >>> trials = draw_trials(40, n_hospitals=20, treatment_effect=0, assignment="hospital", rng=1)
    >>> table = analyse_many(trials)
    >>> rejected = table["p_value"].lt(0.05).groupby(table["method"], observed=True).mean()
    >>> bool(rejected["naive"] > rejected["random intercept, t"])
    True
    """
    predictors, methods = _names("predictors", predictors), _names("methods", methods)
    effect = predictors[0] if effect is None else effect
    if effect not in predictors:
        raise ValueError(f"effect is one of the predictors {predictors}; got {effect!r}")
    wrong = [name for name in methods if name not in ANALYSES]
    if wrong:
        raise ValueError(f"methods are among {ANALYSES}; got {wrong[0]!r}")
    if not 0 < level < 1:
        raise ValueError(f"level lies between 0 and 1; got {level!r}")
    parts = _parts(studies, outcome, predictors, hospital)
    place = 1 + predictors.index(effect)
    found = _reduce(parts, place)
    fits: dict[str, WithinFit] = {}
    everyone = np.arange(len(parts))
    if any(name.startswith("random intercept") for name in methods):
        fits["random intercept"] = _mixed(likelihood.fit_intercept(found.sums), everyone, place)
    if any(name.startswith("random slope") for name in methods):
        fit = likelihood.fit_slope(_slope_sums(parts, place))
        fits["random slope"] = _mixed(fit, everyone, place)
    if "GEE" in methods:
        fits["GEE"] = gee(parts, place)
    if "hospital dummies" in methods:
        fits["hospital dummies"] = hospital_dummies(parts, place)
    if "within-between" in methods:
        fits["within-between"] = _within_between(parts, place)
    return _assemble(found, fits, methods, level)


def _mixed(
    fit: likelihood.InterceptFit | likelihood.SlopeFit, which: NDArray[np.intp], place: int
) -> WithinFit:
    """Return one coefficient of mixed models; `which` are the data sets' numbers."""
    if not np.all(fit.converged):
        raise ValueError(f"REML did not converge in data sets {which[~fit.converged][:5].tolist()}")
    none = np.full(len(which), np.nan)
    return WithinFit(
        estimate=fit.beta[:, place],
        standard_error=fit.se[:, place],
        degrees_of_freedom=fit.df[:, place],
        hospital_sd=fit.hospital_sd,
        patient_sd=fit.patient_sd,
        slope_sd=getattr(fit, "slope_sd", none),
        correlation=getattr(fit, "correlation", none),
    )


def _within_between(parts: list[Part], place: int) -> WithinFit:
    """Fit random intercepts beside the hospital means of one predictor."""
    extended, has_mean = add_means(parts, place)
    out = WithinFit(*np.empty((len(WithinFit._fields), len(parts))))
    for which in (np.flatnonzero(has_mean), np.flatnonzero(~has_mean)):
        if which.size:
            found = _reduce([extended[k] for k in which], place)
            fit = _mixed(likelihood.fit_intercept(found.sums), which, place)
            for whole, some in zip(out, fit, strict=True):
                whole[which] = some
    return out


def _assemble(
    found: _Reduced, fits: dict[str, WithinFit], methods: list[str], level: float
) -> pd.DataFrame:
    """Lay the results out, one row a data set and method."""
    n = len(found.estimate)
    tables = []
    for method in methods:
        model, _, law = method.partition(", ")
        fit = fits.get(model)
        if fit is not None:
            columns = fit._asdict()
            if law == "z":
                columns["degrees_of_freedom"] = np.inf
        else:
            naive = method == "naive"
            columns = {
                "estimate": found.estimate,
                "standard_error": found.naive if naive else found.robust,
                "degrees_of_freedom": found.residual_df if naive else found.hospitals - 1.0,
                "hospital_sd": np.nan,
                "patient_sd": found.residual_sd,
                "slope_sd": np.nan,
                "correlation": np.nan,
            }
        tables.append(pd.DataFrame({"trial": np.arange(n), "method": method, **columns}))
    table = pd.concat(tables, ignore_index=True)
    table["method"] = pd.Categorical(table["method"], categories=methods)
    df = table["degrees_of_freedom"]
    half = table["standard_error"] * stats.t.ppf((1 + level) / 2, df)
    table["p_value"] = 2 * stats.t.sf((table["estimate"] / table["standard_error"]).abs(), df)
    table["lower"] = table["estimate"] - half
    table["upper"] = table["estimate"] + half
    order = ["trial", "method", "estimate", "standard_error", "degrees_of_freedom", "p_value"]
    return table[[*order, "lower", "upper", "hospital_sd", "patient_sd", "slope_sd", "correlation"]]


@dataclass(frozen=True)
class _Reduced:
    """Least squares of every data set, and the sums for the random intercept."""

    sums: likelihood.Sums
    estimate: Floats
    naive: Floats
    robust: Floats
    residual_df: Floats
    residual_sd: Floats
    hospitals: NDArray[np.int64]


def _reduce(parts: list[Part], place: int) -> _Reduced:
    """Reduce data sets to sums, and one coefficient's least squares to its standard errors."""
    together = _all_at_once(parts)
    if together is not None:
        sums, arrays = together
        spread = _spread(*arrays, sums, place)
    else:
        singles, spreads = [], []
        for k, part in enumerate(parts):
            try:
                singles.append(likelihood.sums(*part))
            except ValueError as error:
                raise ValueError(f"data set {k} cannot be analysed: {error}") from error
            spreads.append(_spread(*part, singles[-1], place))
        sums, spread = likelihood.stack(singles), np.array(spreads)
    blocks = sums.blocks
    df = blocks.n_rows - blocks.p
    hospitals = (sums.n > 0).sum(-1)
    correction = hospitals / (hospitals - 1) * (blocks.n_rows - 1) / df
    return _Reduced(
        sums=sums,
        estimate=blocks.ols[:, place],
        naive=np.sqrt(blocks.yy / df * (blocks.to_beta[:, place, :] ** 2).sum(-1)),
        robust=np.sqrt(correction * spread),
        residual_df=df,
        residual_sd=np.sqrt(blocks.yy / df),
        hospitals=hospitals,
    )


def _slope_sums(parts: list[Part], place: int) -> likelihood.Sums:
    """Return the sums for a slope, of the column in question, that differs between hospitals."""
    for k, (_, X, codes) in enumerate(parts):
        column = X[:, place]
        within = column - (np.bincount(codes, column) / np.bincount(codes))[codes]
        if np.abs(within).max() <= 1e-9 * np.abs(column).max():
            raise ValueError(
                f"data set {k} has no random slope: the effect's predictor must vary within "
                "hospitals, got one value in each"
            )
    y, X, codes = parts[0]
    if len({(len(part[0]), part[2].tobytes()) for part in parts}) == 1:
        y, X = np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts])
        try:
            return likelihood.sums(y, X, codes, slope=X[..., place])
        except ValueError:  # one by one, it will be known which
            pass
    singles = []
    for k, (y, X, codes) in enumerate(parts):
        try:
            singles.append(likelihood.sums(y, X, codes, slope=X[:, place]))
        except ValueError as error:
            raise ValueError(f"data set {k} has no random slope: {error}") from error
    return likelihood.stack(singles)


def _all_at_once(parts: list[Part]) -> tuple[likelihood.Sums, Part] | None:
    """Return the sums where all data sets have the same patients in the same hospitals."""
    codes = parts[0][2]
    if not all(np.array_equal(codes, part[2]) for part in parts[1:]):
        return None
    y, X = np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts])
    try:
        return likelihood.sums(y, X, codes), (y, X, codes)
    except ValueError:  # one by one, it will be known which
        return None


def _spread(
    y: Floats, X: Floats, codes: NDArray[np.intp], sums: likelihood.Sums, place: int
) -> Floats:
    """Return one diagonal entry of the sandwich, without its correction."""
    blocks = sums.blocks
    row = (blocks.to_beta[..., place, None, :] @ np.swapaxes(blocks.to_beta, -1, -2))[..., 0, :]
    both = X @ np.stack([row, blocks.ols], -1)  # patients' weights in the estimate, and fits
    score = both[..., 0] * (y - both[..., 1])
    flat = score.reshape(-1, score.shape[-1])
    hospitals = int(codes.max()) + 1
    at = codes + hospitals * np.arange(len(flat))[:, None]
    totals = np.bincount(at.ravel(), flat.ravel(), hospitals * len(flat))
    return (totals.reshape(*score.shape[:-1], hospitals) ** 2).sum(-1)


def _parts(
    studies: Trials | Sequence[Study | pd.DataFrame],
    outcome: str,
    predictors: list[str],
    hospital: str,
) -> list[Part]:
    """Return the outcome, the design matrix and the hospital codes of each data set."""
    if isinstance(studies, Trials) and (outcome, hospital) == ("sbp", "hospital"):
        known = {"treated": studies.treated, "baseline": studies.baseline}
        columns = [known.get(name) for name in predictors]
        if all(column is not None for column in columns):
            return [
                (sbp, np.column_stack([np.ones(len(sbp)), *(c[k] for c in columns)]), codes)
                for k, (sbp, codes) in enumerate(zip(studies.sbp, studies.hospital, strict=True))
            ]
    if isinstance(studies, Study | pd.DataFrame | str) or not hasattr(studies, "__iter__"):
        raise ValueError(
            "studies must be Trials or a sequence of Study or DataFrame; "
            f"got {type(studies).__name__}"
        )
    parts = []
    for k, study in enumerate(studies):
        data = study.data if isinstance(study, Study) else study
        if not isinstance(data, pd.DataFrame):
            raise ValueError(f"data set {k} must be a Study or a DataFrame; got {data!r}")
        absent = [name for name in (outcome, *predictors, hospital) if name not in data]
        if absent:
            raise ValueError(
                f"data set {k} has no column {absent[0]!r}; its columns are {list(data.columns)}"
            )
        try:
            y = numbers(outcome, data[outcome])
            columns = [numbers(name, data[name]) for name in predictors]
            codes, _ = codes_of(data[hospital])
        except ValueError as error:
            raise ValueError(f"data set {k} cannot be analysed: {error}") from error
        parts.append((y, np.column_stack([np.ones(len(y)), *columns]), codes))
    if not parts:
        raise ValueError("studies must be at least one data set; got none")
    return parts


def _names(what: str, given: Sequence[str]) -> list[str]:
    names = [given] if isinstance(given, str) else list(given)
    if not names or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
        raise ValueError(f"{what} must be names, each of them once; got {given!r}")
    return names
