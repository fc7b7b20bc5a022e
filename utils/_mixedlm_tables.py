"""The tables of utils.mixedlm: fixed effects, variances with profile intervals, hospitals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, stats

from utils import _likelihood_blocks as engine
from utils._likelihood_blocks import Blocks, Floats
from utils._mixedlm_design import Design


@dataclass(frozen=True)
class Numbers:
    """The optimum in the user's coordinates.

    `relative` is the covariance of one group's effects over s², `sigma` is s.
    """

    design: Design
    reml: bool
    optimum: engine.Optimum
    known: engine.Curvature

    @property
    def blocks(self) -> Blocks:
        """The sums, of one data set."""
        return self.design.blocks

    @property
    def sigma(self) -> float:
        """The residual standard deviation."""
        df = float(self.blocks.degrees(self.reml))
        return float(np.sqrt(self.optimum.state.rss[0] / df))

    @property
    def relative(self) -> Floats:
        """The covariance of the effects over s²."""
        factor = self.blocks.to_effect @ self.blocks.factor(self.optimum.theta[0])
        return factor @ factor.T

    @property
    def singular(self) -> bool:
        """Whether a standard deviation is 0 or a correlation -1 or 1."""
        diagonal = np.array([np.any(np.diagonal(basis)) for basis in self.blocks.basis])
        return bool(np.any(self.optimum.theta[0][diagonal] == 0))

    @property
    def component_slots(self) -> list[int]:
        """The first slot of each further variance component."""
        count = len(self.design.vc_formula)
        units = self.blocks.basis[len(self.blocks.basis) - count :]
        return [int(np.flatnonzero(np.diag(unit))[0]) for unit in units]

    def beta(self) -> Floats:
        """Return the fixed effects."""
        return self.blocks.ols + self.blocks.to_beta @ self.optimum.state.gamma[0]

    def covariance(self) -> Floats:
        """Return (X'V⁻¹X)⁻¹."""
        back = self.blocks.to_beta
        return back @ self.optimum.state.inverse[0] @ back.T * self.sigma**2

    def satterthwaite(self, inside: Floats) -> Floats:
        """Return the degrees of freedom of linear combinations, rows of the inner columns."""
        share = np.einsum("ra,ab,rb->r", inside, self.optimum.state.inverse[0], inside)
        follows = np.einsum("ra,kab,rb->kr", inside, self.known.inverse_slope[0], inside)
        return engine.satterthwaite(self.known.joint[0], share, follows)


def fixed_table(numbers: Numbers, *, confidence: float, df: str) -> pd.DataFrame:
    """Return estimates, standard errors, t, degrees of freedom, intervals and p values."""
    _check_confidence(confidence)
    blocks = numbers.blocks
    if df == "satterthwaite":
        freedom = numbers.satterthwaite(blocks.to_beta)
    elif df == "between-within":
        freedom = between_within(numbers.design)
    elif df == "normal":
        freedom = np.full(blocks.p, np.inf)
    else:
        raise ValueError(f'df must be "satterthwaite", "between-within" or "normal", got {df!r}')
    beta = numbers.beta()
    se = np.sqrt(np.diag(numbers.covariance()))
    half = stats.t.ppf(0.5 + confidence / 2, freedom) * se
    table = pd.DataFrame(
        {
            "estimate": beta,
            "se": se,
            "t": beta / se,
            "df": freedom,
            "lower": beta - half,
            "upper": beta + half,
            "p": 2 * stats.t.sf(np.abs(beta / se), freedom),
        },
        index=pd.Index(numbers.design.model.exog_names, name="term"),
    )
    table.attrs["confidence"] = confidence
    table.attrs["df"] = df
    return table


def between_within(design: Design) -> Floats:
    """Return J less the columns that are constant within groups, or the patients left."""
    x, codes = design.x, design.codes
    hospitals = len(design.labels)
    if hospitals == 1:
        raise ValueError(
            'df="between-within" needs one grouping with at least 2 groups, got crossed effects '
            'in one group: use "satterthwaite"'
        )
    sizes = np.bincount(codes)
    means = np.stack([np.bincount(codes, column) / sizes for column in x.T], -1)
    spread = np.abs(x - means[codes]).max(0)
    between = spread <= 1e-9 * np.maximum(np.abs(x).max(0), 1e-300)
    outer, inner = hospitals - between.sum(), len(x) - hospitals - (~between).sum()
    if (between.any() and outer < 1) or ((~between).any() and inner < 1):
        raise ValueError(
            f'df="between-within" leaves {outer} degrees of freedom between and {inner} within '
            'groups: use "satterthwaite"'
        )
    return np.where(between, outer, inner).astype(float)


def names_of(design: Design) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Return the names of the SDs and, for each correlation, its places and name."""
    sds = [f"{name}_sd" for name in (*design.re_names, *design.vc_formula)] + ["patient_sd"]
    pairs = [
        (b, a, f"correlation({design.re_names[b]}, {design.re_names[a]})")
        for a in range(design.k_re)
        for b in range(a)
    ]
    return sds, pairs


def variance_table(numbers: Numbers, *, confidence: float, intervals: bool) -> pd.DataFrame:
    """Return SDs, variances, correlations and the ICC, with profile intervals if wanted."""
    _check_confidence(confidence)
    design, relative, sigma = numbers.design, numbers.relative, numbers.sigma
    sds, pairs = names_of(design)
    places = [*range(design.k_re), *numbers.component_slots]
    values = [*(np.sqrt(relative[a, a]) * sigma for a in places), sigma]
    rows = {name: [value, value**2] for name, value in zip(sds, values, strict=True)}
    for a, b, name in pairs:
        product = np.sqrt(relative[a, a] * relative[b, b])
        value = np.clip(relative[a, b] / product, -1, 1) if product > 0 else np.nan
        rows[name] = [value, np.nan]
    if design.kind == "intercept":
        rows["icc"] = [relative[0, 0] / (1 + relative[0, 0]), np.nan]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "variance"])
    table.index.name = "parameter"
    if intervals:
        ends = dict(profile_intervals(numbers, table["estimate"], confidence))
        table["lower"] = [ends[name][0] for name in table.index]
        table["upper"] = [ends[name][1] for name in table.index]
        table.attrs["confidence"] = confidence
    return table


def profile_intervals(
    numbers: Numbers, estimates: pd.Series, confidence: float
) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the values that a likelihood ratio test would not reject, for each parameter."""
    design = numbers.design
    sds, pairs = names_of(design)
    limit = float(numbers.optimum.state.deviance[0]) + stats.chi2.ppf(confidence, 1)
    for place, name in enumerate(sds):
        profile = _Profile(numbers, "sd" if name != "patient_sd" else "residual", place)
        yield name, _ends(profile, estimates[name], limit, 0.0, np.inf, numbers.sigma)
    for a, b, name in pairs:
        if np.isnan(estimates[name]):
            yield name, (np.nan, np.nan)
        else:
            profile = _Profile(numbers, "correlation", (a, b))
            yield name, _ends(profile, estimates[name], limit, -1.0, 1.0, 0.2)
    if "icc" in estimates:

        def height(icc: float) -> float:
            theta = np.array([np.sqrt(icc / (1 - icc))])
            return float(
                engine.evaluate(numbers.blocks, theta, reml=numbers.reml, slope=False).deviance
            )

        yield "icc", _ends(height, estimates["icc"], limit, 0.0, 1 - 1e-9, 0.1)


class _Profile:
    """The deviance at a fixed value of one parameter, the others at their best.

    The covariance over s² of the correlated effects is C C' with the parameter in question
    first, so that fixing it fixes one number: C[0, 0] = sd / s, or the direction of C[1].
    """

    def __init__(self, numbers: Numbers, what: str, place: int | tuple[int, int]):
        self.numbers, self.what = numbers, what
        k = numbers.design.k_re
        self.k = k
        first = list(place) if what == "correlation" else [place] if place in range(k) else []
        self.order = [*first, *(a for a in range(k) if a not in first)]
        self.fixed_component = None
        if what == "sd" and place not in range(k):
            self.fixed_component = place - k
        self.lower = [(a, b) for a in range(k) for b in range(a + 1)]
        relative = numbers.relative
        turned = relative[:k, :k][np.ix_(self.order, self.order)]
        roots, axes = np.linalg.eigh(turned) if k else (np.zeros(0), np.zeros((0, 0)))
        half = axes * np.sqrt(np.maximum(roots, 1e-10))
        chol = np.linalg.qr(half.T, mode="r").T if k else np.zeros((0, 0))
        chol = chol * np.where(np.diag(chol) < 0, -1, 1)
        slots = numbers.component_slots
        self.chol = chol
        self.start = np.concatenate(
            [
                [chol[a, b] for a, b in self.lower],
                np.sqrt(np.maximum(np.diag(relative)[slots], 1e-10)),
                [np.log(numbers.sigma)],
            ]
        )
        self.inside = np.linalg.inv(numbers.blocks.to_effect)
        if what == "correlation":
            ends = [self.start[0], np.hypot(self.start[1], self.start[2])]
            self.start[[0, 2]] = np.log(np.maximum(ends, 1e-3))
        # Which of the parameters in `start` are free; the fixed one is filled in by `place`.
        m = len(self.lower)
        out = {
            "residual": [len(self.start) - 1],
            "correlation": [1],
            "sd": [0] if self.fixed_component is None else [m + self.fixed_component],
        }[what]
        self.free = [i for i in range(len(self.start)) if i not in out]
        self.units = numbers.blocks.basis[len(numbers.blocks.basis) - len(slots) :]
        self.first = self.last = self.start[self.free]
        self.seen: dict[float, float] = {}

    def _deviance(self, value: float, points: Floats) -> Floats:
        whole = np.empty((len(points), len(self.start)))
        whole[:, self.free] = points
        log_sigma = np.log(value) if self.what == "residual" else whole[:, -1]
        sigma = np.exp(np.broadcast_to(log_sigma, len(points)))
        m = len(self.lower)
        if self.what == "sd":
            at = 0 if self.fixed_component is None else m + self.fixed_component
            whole[:, at] = value / sigma
        if self.what == "correlation":
            # In logs, C[0, 0] and the length of row 1 of C: a sign would turn the correlation.
            whole[:, 0] = np.exp(whole[:, 0])
            length = np.exp(whole[:, 2])
            whole[:, 1] = value * length
            whole[:, 2] = np.sqrt(1 - value**2) * length
        c = np.zeros((len(points), self.k, self.k))
        for i, (a, b) in enumerate(self.lower):
            c[:, self.order[a], b] = whole[:, i]
        q = self.inside.shape[0]
        factor = np.zeros((len(points), q, q))
        factor[:, : self.k, : self.k] = self.inside[: self.k, : self.k] @ c
        for i, unit in enumerate(self.units):
            factor += whole[:, m + i, None, None] * (self.inside * unit)
        reml, blocks = self.numbers.reml, self.numbers.blocks
        state = engine.evaluate(blocks, None, reml=reml, slope=False, factor=factor)
        df = blocks.degrees(reml)
        return state.logs + df * np.log(2 * np.pi * sigma**2) + state.rss / sigma**2

    def __call__(self, value: float) -> float:
        """Return the deviance; asked twice for a value, the same."""
        if value not in self.seen:
            self.seen[value] = self._height(value)
        return self.seen[value]

    def _height(self, value: float) -> float:
        if not self.free:
            return float(self._deviance(value, np.zeros((1, 0)))[0])
        h = 1e-5
        steps = h * np.concatenate([np.eye(len(self.free)), -np.eye(len(self.free))])

        def both(point: Floats) -> tuple[float, Floats]:
            many = self._deviance(value, np.concatenate([point[None], point + steps]))
            d = len(point)
            return float(many[0]), (many[1 : d + 1] - many[d + 1 :]) / (2 * h)

        # Near the edge of a correlation an SD that all but vanishes may be a second valley.
        starts = [self.last, self.first]
        if self.what == "correlation":
            starts += [self.first + np.log(0.1) * unit for unit in np.eye(len(self.free))[:2]]
        heights = self._deviance(value, np.stack(starts))
        tried = [starts[i] for i in np.argsort(heights, kind="stable")]
        tried = tried[: 3 if self.what == "correlation" else 1]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            founds = [
                optimize.minimize(both, start, jac=True, method="BFGS", options={"gtol": 1e-3})
                for start in tried
            ]
        found = min(founds, key=lambda one: one.fun)
        self.last = found.x
        return float(found.fun)


def _ends(
    height: Callable[[float], float],
    estimate: float,
    limit: float,
    lowest: float,
    highest: float,
    step: float,
) -> tuple[float, float]:
    """Return where a profile crosses the limit, or the end of the parameter's range."""

    def above(value: float) -> float:
        return height(value) - limit

    def search(direction: int, end: float) -> float:
        # Walk in steps that grow, so that each fit starts near the one before it.
        inner, width = estimate, max(0.15 * abs(estimate), 0.02 * step)
        while True:
            outer = inner + direction * width
            outer = max(outer, end) if direction < 0 else min(outer, end)
            if above(outer) > 0:
                return float(optimize.brentq(above, *sorted((inner, outer)), xtol=1e-6 * step))
            if outer == end:
                return end
            inner, width = outer, 1.6 * width
            if not np.isfinite(inner) or width > 1e8 * step:
                return np.inf

    return search(-1, lowest), search(1, highest)


def hospital_table(numbers: Numbers) -> pd.DataFrame:
    """Return the predicted effects of each group, with what they were shrunk by."""
    design, blocks, k = numbers.design, numbers.blocks, numbers.design.k_re
    state = _one(numbers.optimum.state)
    effects = engine.effects(blocks, state)
    spread = np.diagonal(engine.spread(blocks, state), axis1=-2, axis2=-1).T
    prior = np.diag(numbers.relative)
    sizes = np.bincount(design.codes)
    rows = []
    for j, label in enumerate(design.labels):
        slots = [(name, a, sizes[j]) for a, name in enumerate(design.re_names)]
        for c, name in enumerate(design.vc_formula):
            columns = dict(
                zip(
                    design.model.exog_vc.colnames[c][j],
                    design.model.exog_vc.mats[c][j].T,
                    strict=True,
                )
            )
            slots += [
                (_shorter(name, column), slot, int(np.count_nonzero(columns[column])))
                for column, slot in design.slots(c, j).items()
            ]
        for name, slot, n in slots:
            share = spread[slot, j] / prior[slot] if prior[slot] > 0 else 1.0
            sd = np.sqrt(max(spread[slot, j], 0)) * numbers.sigma
            rows.append((label, name, n, effects[slot, j], sd, 1 - share))
    table = pd.DataFrame(rows, columns=[design.groups, "term", "n", "prediction", "sd", "weight"])
    if k == 1 and not design.vc_formula:
        return table.drop(columns="term").set_index(design.groups)
    return table.set_index([design.groups, "term"])


def _shorter(name: str, column: str) -> str:
    """Return "sample[a]" for the column C(cask)[a] of the component "sample"."""
    level = column.partition("[")[2].removesuffix("]").removeprefix("T.")
    return f"{name}[{level}]" if level else name


def _one(state: engine.State) -> engine.State:
    """Return the state of the only data set, without its axis."""
    return engine.State(*(None if part is None else part[0] for part in vars(state).values()))


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}")
