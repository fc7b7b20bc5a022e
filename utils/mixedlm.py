"""MixedLM made safe: the fit of statsmodels, checked, with tables that say what they are.

`fit` runs statsmodels' MixedLM in two stages and holds the outcome to the optimum of the
course's own likelihood. What MixedLM prints and should not be read (z where a t is due, the
standard errors of variances, "converged" at the wrong place) is replaced.

Examples
--------
>>> from utils import mixedlm
>>> from utils.simulate import med_trial
>>> data = med_trial(n_hospitals=30, patients_per_hospital=20, rng=1).data
>>> model = mixedlm.fit("sbp ~ treated", data, groups="hospital")
>>> model.fixed.loc["treated", ["estimate", "lower", "upper"]].round(0).tolist()
[-6.0, -8.0, -4.0]
>>> list(model.variances.index)
['hospital_sd', 'patient_sd', 'icc']
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import patsy

from utils import _likelihood_blocks as engine
from utils import _likelihood_solve as solve
from utils import _mixedlm_predict as predictions
from utils import _mixedlm_tables as tables
from utils._mixedlm_design import Design, prepare
from utils._mixedlm_predict import Bootstrap
from utils._mixedlm_repr import as_html, as_text
from utils._mixedlm_solve import FitError, solve_model

__all__ = ["Bootstrap", "FitError", "LMMFit", "fit"]


def fit(
    formula: str,
    data: pd.DataFrame,
    *,
    groups: str,
    re_formula: str | None = None,
    vc_formula: Mapping[str, str] | None = None,
    reml: bool = True,
    missing: str = "raise",
    start: str = "likelihood",
) -> LMMFit:
    """Fit a linear mixed model with statsmodels' MixedLM, and check it.

    Parameters
    ----------
    formula : str
        Outcome and fixed effects, such as ``"sbp ~ treated + age"``.
    data : DataFrame
        One row a patient. It is not changed.
    groups : str
        The column whose values are the hospitals.
    re_formula : str, optional
        What differs between hospitals, with all correlations: "1" (an intercept; the default
        where there are several groups), ``"1 + treated"`` (intercept and slope), "0" (nothing,
        where `vc_formula` says it all).
    vc_formula : dict of str to str, optional
        Further variance components within a group: ``{"ward": "0 + C(ward)"}`` for wards in
        hospitals, ``{"treated": "0 + treated"}`` for a slope that is not correlated with the
        intercept. Crossed factors: a column of ones as `groups`, one component for each factor.
    reml : bool
        Restricted maximum likelihood, or plain.
    missing : {"raise", "drop"}
        What to do with rows that have a missing value in a column the model uses.
    start : {"likelihood", "powell"}
        Where MixedLM begins: at the optimum that `utils.likelihood` finds (quick), or where it
        begins by itself, by powell and then by bfgs from there (independent). The tables are
        the same.

    Raises
    ------
    ValueError
        If the data or the formulas cannot be right; the message says what is wrong.
    FitError
        If MixedLM did not reach the optimum, so that its numbers would be wrong.

    Notes
    -----
    MixedLM's default optimiser misses the optimum on about a quarter of ordinary hospital data
    sets, and often says that it converged. Two stages cure it: powell, then bfgs from powell's
    `params_object`. They cost more than the default. The optimum of a random intercept, or of an
    intercept with a correlated slope, is known at once from the sums of `utils.likelihood`, so
    MixedLM begins there, and finds by its own gradient that nothing is better; the two stages
    are for all other models, and for where that fails. In every case two codes must agree on the
    log-likelihood to 1e-4; else MixedLM is started once more, which `notes` reports, and its fit
    is refused if that does not help. The tables give the optimum to its last digits; `result`
    gives statsmodels' object.

    Unlike MixedLM, groups get a random intercept with `vc_formula` too, unless
    ``re_formula="0"``.
    """
    if start not in ("likelihood", "powell"):
        raise ValueError(f'start must be "likelihood" or "powell", got {start!r}')
    design = prepare(
        formula,
        data,
        groups=groups,
        re_formula=re_formula,
        vc_formula=vc_formula,
        missing=missing,
        environment=patsy.EvalEnvironment.capture(1),
    )
    solution = solve_model(design, reml=reml, start=start)
    known = engine.curvature(solve.as_many(design.blocks), solution.optimum, reml=reml)
    numbers = tables.Numbers(design, reml, solution.optimum, known)
    notes = list(solution.notes)
    if numbers.singular:
        notes.append(
            "The optimum lies on the boundary (an SD of 0 or a correlation of -1 or 1): the data "
            "do not show that it is anything else, nor that it is exactly that."
        )
    if design.n_dropped:
        counts = ", ".join(f"{name} ({count})" for name, count in design.dropped.items())
        notes.append(f"{design.n_dropped} rows with missing values were left out: {counts}.")
    return LMMFit(
        formula=formula,
        groups=groups,
        reml=reml,
        result=solution.result,
        notes=tuple(notes),
        warnings=solution.warnings,
        dropped=design.dropped,
        _numbers=numbers,
    )


@dataclass(frozen=True, repr=False, eq=False)
class LMMFit:
    """A fitted linear mixed model.

    Attributes
    ----------
    formula, groups, reml
        What was fitted.
    result : MixedLMResults
        The object of statsmodels.
    notes : tuple of str
        What a reader of the tables must know.
    warnings : tuple of str
        What MixedLM's last stage said. Many of its warnings are false: it takes any variance
        below 0.01, in whatever unit, for a boundary.
    dropped : Series
        Missing values by column, where rows were dropped for them.
    """

    formula: str
    groups: str
    reml: bool
    result: Any = field(repr=False)
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    dropped: pd.Series
    _numbers: tables.Numbers = field(repr=False)

    @property
    def _design(self) -> Design:
        return self._numbers.design

    @property
    def n(self) -> int:
        """Patients in the fit."""
        return len(self._design.frame)

    @property
    def n_groups(self) -> int:
        """Hospitals in the fit."""
        return len(self._design.labels)

    @property
    def n_parameters(self) -> int:
        """Fixed effects, covariance parameters and the residual variance together."""
        return self._numbers.blocks.p + len(self._numbers.blocks.basis) + 1

    @property
    def loglik(self) -> float:
        """The log-likelihood, restricted under REML, with lme4's and statsmodels' constants."""
        return float(-self._numbers.optimum.state.deviance[0] / 2)

    @property
    def aic(self) -> float:
        """Akaike's information criterion, of a fit by ML only.

        Raises
        ------
        ValueError
            Under REML, where fits with different fixed effects cannot be compared.
        """
        if self.reml:
            raise ValueError(
                "aic must be of a fit by maximum likelihood, got REML: fit with reml=False "
                "(restricted likelihoods of different fixed effects are of different data)"
            )
        return 2 * self.n_parameters - 2 * self.loglik

    @property
    def hospital_sd(self) -> float:
        """Standard deviation of the groups' intercepts."""
        if self._design.re_names[:1] != (self.groups,):
            raise ValueError("the model has no random intercept of its groups: see variances")
        return float(np.sqrt(self._numbers.relative[0, 0]) * self._numbers.sigma)

    @property
    def patient_sd(self) -> float:
        """Standard deviation of patients within all that the model holds apart."""
        return self._numbers.sigma

    @property
    def icc(self) -> float:
        """Intraclass correlation, of a model with a random intercept alone."""
        if self._design.kind != "intercept":
            raise ValueError("icc is one number only in a model with a random intercept alone")
        return self.hospital_sd**2 / (self.hospital_sd**2 + self.patient_sd**2)

    @property
    def singular(self) -> bool:
        """Whether the optimum lies on the boundary."""
        return self._numbers.singular

    @cached_property
    def covariance(self) -> pd.DataFrame:
        """Covariance of the fixed effects, (X'V⁻¹X)⁻¹."""
        names = self._design.model.exog_names
        return pd.DataFrame(self._numbers.covariance(), index=names, columns=names)

    @cached_property
    def fixed(self) -> pd.DataFrame:
        """Fixed effects: estimate, se, t, df (Satterthwaite), 95 % interval and p."""
        return self.fixed_table()

    def fixed_table(self, *, confidence: float = 0.95, df: str = "satterthwaite") -> pd.DataFrame:
        """Return the fixed effects with other intervals or other degrees of freedom.

        Parameters
        ----------
        confidence : float
            Of the intervals, between 0 and 1.
        df : {"satterthwaite", "between-within", "normal"}
            Satterthwaite's approximation, as lmerTest has it; the plain count of hospitals (for
            columns that are constant within hospitals) or of patients (for the others) less
            what was estimated; or none, as MixedLM prints it.

        Raises
        ------
        ValueError
            If an argument breaks its rule.

        Notes
        -----
        Standard errors are (X'V⁻¹X)⁻¹ to the half, as in lme4. "between-within" takes no notice
        of random slopes: the effect of a treatment given to patients, which differs between
        hospitals, has about as many degrees of freedom as hospitals, and is given as many as
        patients (Schluchter MD, Elashoff JT, Journal of Statistical Computation and Simulation
        1990; 37: 69-87).
        """
        return tables.fixed_table(self._numbers, confidence=confidence, df=df)

    @cached_property
    def variances(self) -> pd.DataFrame:
        """SDs, correlations and the ICC: estimate, variance, ends of the 95 % profile interval."""
        return self.variances_table()

    def variances_table(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """Return the variance parameters with other profile intervals.

        Parameters
        ----------
        confidence : float
            Of the intervals, between 0 and 1.

        Raises
        ------
        ValueError
            If `confidence` is not between 0 and 1.

        Notes
        -----
        An interval holds the values that a likelihood ratio test at the given level would not
        reject, by the likelihood the model was fitted with. It is not symmetric, and it may
        begin at 0. MixedLM's printed standard errors of variances are of ratios to the residual
        variance, and are not used.
        """
        return tables.variance_table(self._numbers, confidence=confidence, intervals=True)

    @cached_property
    def _plain_variances(self) -> pd.DataFrame:
        return tables.variance_table(self._numbers, confidence=0.95, intervals=False)

    @cached_property
    def hospitals(self) -> pd.DataFrame:
        """Each group's n, predicted effect (BLUP), conditional SD, and shrinkage weight.

        The SD takes the variances and the fixed effects as known. The weight is
        1 - (SD / prior SD)²: for a random intercept that of the hospital's own mean. With
        several effects a group the index has a second level, the term.
        """
        return tables.hospital_table(self._numbers)

    def predict(
        self,
        newdata: pd.DataFrame | None = None,
        *,
        level: str = "hospital",
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Predict, with intervals.

        Parameters
        ----------
        newdata : DataFrame, optional
            The columns of the formulas. By default the rows of the fit.
        level : {"hospital", "population", "new hospital"}
            For the named hospital, with its predicted effect; for an average hospital, effect 0;
            or for a hospital drawn at random, which has the same prediction and a wider interval.
        confidence : float
            Of the intervals, between 0 and 1.

        Returns
        -------
        DataFrame
            `prediction`; `se`, `lower`, `upper` of the mean of patients like this in that
            hospital; and, but for "population", `patient_lower` and `patient_upper`, between
            which one new patient of that hospital will be.

        Raises
        ------
        ValueError
            If columns or values are missing, or a hospital is named that the fit has not seen.

        Notes
        -----
        The errors counted: of the fixed effects (all levels); of the predicted effect, together
        with its correlation with the former ("hospital"; Henderson's mean squared error); the
        whole variance between hospitals ("new hospital"); and the patient's own, for one
        patient. Quantiles are of t, with Satterthwaite's degrees of freedom for the variance as
        a whole. Effects of a ward that the fit has not seen count as drawn at random.
        """
        return predictions.predict(self._numbers, newdata, level, confidence)

    @cached_property
    def fitted(self) -> pd.Series:
        """What the model says of the rows it was fitted to, hospital effects included."""
        values = predictions.predict(self._numbers, None, "hospital", 0.95)["prediction"]
        return values.rename("fitted")

    @cached_property
    def residuals(self) -> pd.Series:
        """Outcome less `fitted`, by row of the fit."""
        return (pd.Series(self._design.model.endog) - self.fitted).rename("residual")

    def bootstrap(
        self,
        n: int = 1000,
        rng: int | np.random.Generator = 1,
        *,
        confidence: float = 0.95,
        progress: bool = True,
    ) -> Bootstrap:
        """Simulate data sets from the fitted model, and fit each again.

        Parameters
        ----------
        n : int
            Data sets, at least 2.
        rng : int or numpy.random.Generator
            Seed or generator.
        confidence : float
            Of the percentile intervals, between 0 and 1.
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        Bootstrap
            `draws`, `intervals`, and how many data sets ended on the `boundary`.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        """
        return predictions.bootstrap(self._numbers, n, rng, confidence, progress)

    def __repr__(self) -> str:
        """Return the tables as text."""
        return as_text(self)

    def _repr_html_(self) -> str:
        """Return the tables as HTML."""
        return as_html(self)
