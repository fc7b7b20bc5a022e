"""REML for crossed random intercepts, by solving for the effects instead of inverting V.

Patients of crossed factors fall into no independent groups, so V is one block. But the equations
for the *effects* are nearly empty: a student meets few lecturers. Students never share a row with
each other, so their part is diagonal and is eliminated first; what is left has the size of the
other factors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, optimize, sparse

from utils._patients import codes_of, numbers

__all__ = ["CrossedFit", "fit_crossed"]

_FLATTEST, _STEEPEST = -14.0, 8.0  # of the log of a variance's ratio to the residual one
_MOST = 20_000  # levels that are not eliminated: 3 GB as one matrix


@dataclass(frozen=True)
class CrossedFit:
    """A REML fit of crossed random intercepts.

    Parameters
    ----------
    beta, se : Series
        Fixed effects and their standard errors.
    sds : Series
        SD of each factor's effects, and "residual".
    effects : dict of str to Series
        Predicted effects (BLUPs) by factor and level.
    loglik : float
        Restricted log-likelihood, as lme4 gives it.
    evaluations : int
        How often it was computed on the way.
    """

    beta: pd.Series
    se: pd.Series
    sds: pd.Series
    effects: Mapping[str, pd.Series] = field(repr=False)
    loglik: float
    evaluations: int


def fit_crossed(y: ArrayLike, X: pd.DataFrame, factors: Mapping[str, ArrayLike]) -> CrossedFit:
    """Fit ``y = X b + one random intercept per factor + error`` by REML.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcomes.
    X : DataFrame, shape (n, p)
        Design matrix with its intercept.
    factors : mapping of str to array-like, shape (n,)
        The level of each row in each factor, crossed or nested (with labels that do not repeat).

    Returns
    -------
    CrossedFit

    Raises
    ------
    ValueError
        If shapes do not fit, columns of X depend on each other, a level is missing, or the factors
        but for the largest have more than 20,000 levels.

    Notes
    -----
    A factor whose levels do not differ ends at an SD of a thousandth of the residual one.
    Henderson's mixed-model equations, with the restricted likelihood of Bates, Mächler, Bolker and
    Walker (2015), Journal of Statistical Software 67(1):1-48, section 3.4.

    Examples
    --------
    >>> plate, sample = np.divmod(np.arange(12), 3)
    >>> noise = np.array([1, -1, 2, 0, 1, -2, 0, -1, 1, -1, 2, -2])
    >>> X = pd.DataFrame({"intercept": np.ones(12)})
    >>> y = 20 + 3 * plate + 5 * sample + noise
    >>> fit = fit_crossed(y, X, {"plate": plate, "sample": sample})
    >>> fit.sds.round(1).to_dict()
    {'plate': 3.4, 'sample': 4.8, 'residual': 1.8}
    """
    equations = _Equations(numbers("y", y), X, factors)
    start = np.full(len(factors), -2.0)
    found = optimize.minimize(
        lambda log_ratio: equations.solve(log_ratio)[0], start, method="L-BFGS-B", jac="3-point",
        bounds=[(_FLATTEST, _STEEPEST)] * len(start), options={"ftol": 1e-13, "gtol": 1e-6},
    )  # fmt: skip
    deviance, variance, solution, covariance = equations.solve(found.x)
    p = X.shape[1]
    sds = np.sqrt(np.exp(found.x) * variance)
    parts = np.split(solution[p:], np.cumsum([len(names) for names in equations.levels])[:-1])
    return CrossedFit(
        beta=pd.Series(solution[:p], X.columns),
        se=pd.Series(np.sqrt(variance * np.diag(covariance)), X.columns),
        sds=pd.Series([*sds, np.sqrt(variance)], [*equations.names, "residual"])[
            [*factors, "residual"]
        ],
        effects={
            name: pd.Series(part, levels)
            for name, part, levels in zip(equations.names, parts, equations.levels, strict=True)
        },
        loglik=-deviance / 2,
        evaluations=int(found.nfev),
    )


class _Equations:
    """Sums of products that no variance changes; the largest factor stands last."""

    def __init__(self, y: NDArray, X: pd.DataFrame, factors: Mapping[str, ArrayLike]) -> None:
        x = numbers("X", X.to_numpy())
        if y.ndim != 1 or not factors or len(x) != len(y):
            raise ValueError(
                f"y, X and at least one factor must have a row each; got shapes {y.shape}, "
                f"{x.shape} and {len(factors)} factors"
            )
        if np.linalg.matrix_rank(x) < x.shape[1] or len(y) <= x.shape[1]:
            raise ValueError(f"the {x.shape[1]} columns of X must not depend on each other")
        coded = {name: codes_of(values, name) for name, values in factors.items()}
        for name, (codes, _) in coded.items():
            if len(codes) != len(y):
                raise ValueError(f"{name} must have a level for each of {len(y)} rows")
        order = sorted(coded, key=lambda name: len(coded[name][1]))
        self.names, self.levels = order, [coded[name][1] for name in order]
        self.sizes = np.array([len(levels) for levels in self.levels])
        if self.sizes[:-1].sum() > _MOST:
            raise ValueError(
                f"the factors but for the largest must have {_MOST:,} levels at most; got "
                f"{self.sizes[:-1].sum():,}"
            )
        rows = np.arange(len(y))
        dummies = [
            sparse.csr_array((np.ones(len(y)), (rows, coded[name][0])), (len(y), size))
            for name, size in zip(order, self.sizes, strict=True)
        ]
        kept = sparse.hstack([sparse.csr_array(x), *dummies[:-1]], format="csr")
        out = dummies[-1]
        self.n, self.p = x.shape
        self.counts = out.sum(axis=0)
        self.cross = (out.T @ kept).tocsr()  # eliminated by kept
        self.gram = (kept.T @ kept).toarray()
        self.y_kept, self.y_out, self.yy = kept.T @ y, out.T @ y, float(y @ y)

    def solve(self, log_ratio: NDArray) -> tuple[float, float, NDArray, NDArray]:
        """Return -2 restricted log-likelihood, residual variance, solution, covariance of beta.

        The ratios are in the caller's order of `names`.
        """
        precision = np.exp(-np.asarray(log_ratio))
        diagonal = self.counts + precision[-1]
        left = self.gram - (self.cross.T @ (self.cross / diagonal[:, None])).toarray()
        inner = np.repeat(precision[:-1], self.sizes[:-1])
        place = np.arange(self.p, len(left))
        left[place, place] += inner
        right = self.y_kept - self.cross.T @ (self.y_out / diagonal)
        factor = linalg.cho_factor(left, lower=True)
        kept = linalg.cho_solve(factor, right)
        out = (self.y_out - self.cross @ kept) / diagonal
        df = self.n - self.p
        variance = (self.yy - kept @ self.y_kept - out @ self.y_out) / df
        log_det = np.log(diagonal).sum() + 2 * np.log(np.diag(factor[0])).sum()
        log_det += self.sizes @ np.asarray(log_ratio)
        deviance = df * (np.log(2 * np.pi * variance) + 1) + log_det
        units = np.eye(len(left), self.p)
        return deviance, variance, np.r_[kept, out], linalg.cho_solve(factor, units)[: self.p]
