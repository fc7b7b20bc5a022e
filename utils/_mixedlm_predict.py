"""Predictions of utils.mixedlm with their intervals, and the parametric bootstrap."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import patsy
from scipy import stats
from tqdm.auto import tqdm

from utils import _likelihood_blocks as engine
from utils import _likelihood_solve as solve
from utils._likelihood_blocks import Blocks, Floats
from utils._mixedlm_design import Design
from utils._mixedlm_tables import Numbers, _check_confidence, names_of

LEVELS = ("hospital", "population", "new hospital")


def predict(
    numbers: Numbers, newdata: pd.DataFrame | None, level: str, confidence: float
) -> pd.DataFrame:
    """Return predictions, standard errors and intervals: see LMMFit.predict."""
    _check_confidence(confidence)
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(map(repr, LEVELS))}; got {level!r}")
    design, blocks = numbers.design, numbers.blocks
    data = design.frame if newdata is None else newdata
    if not isinstance(data, pd.DataFrame):
        raise ValueError(f"newdata must be a DataFrame, got {type(data).__name__}")
    rows = data.reset_index(drop=True)
    x = _matrix(design.model.data.model_spec, rows, "the fixed effects")
    inside = x @ blocks.to_beta
    group, z, extra = _random_part(design, rows, level)
    z_inside = z @ blocks.to_effect
    slots = numbers.component_slots

    def share(state: engine.State, theta: Floats) -> Floats:
        """Return the variance of the error over s², for each row."""
        a, out = inside, np.zeros(len(rows))
        factor = blocks.factor(theta)
        if level == "hospital":
            w = state.weights[..., group]
            shrunk = np.einsum("abr,rb->ra", w, z_inside)
            # The error of b reaches the predicted effect too: u shrinks what x'b leaves.
            a = inside - np.einsum("ra,apr->rp", shrunk, blocks.zxy[:, :-1, group])
            out = np.einsum("ra,ra->r", shrunk, z_inside)
        elif level == "new hospital":
            out = ((z_inside @ factor) ** 2).sum(-1)
        relative = blocks.to_effect @ factor
        own = np.diag(relative @ relative.T)[slots]
        return np.einsum("ra,ab,rb->r", a, state.inverse, a) + out + extra @ own

    theta = numbers.optimum.theta[0]
    state = engine.evaluate(blocks, theta, reml=numbers.reml, slope=False)
    here = share(state, theta)
    slopes = np.empty((len(theta), len(rows)))
    for k in range(len(theta)):
        step = np.zeros_like(theta)
        step[k] = 1e-4 * (0.1 + abs(theta[k]))
        ends = [
            share(engine.evaluate(blocks, theta + s, reml=numbers.reml, slope=False), theta + s)
            for s in (step, -step)
        ]
        slopes[k] = (ends[0] - ends[1]) / (2 * step[k])
    center = x @ numbers.beta()
    if level == "hospital":
        center = center + (z * engine.effects(blocks, state)[:, group].T).sum(-1)
    joint = numbers.known.joint[0]
    df = np.maximum(engine.satterthwaite(joint, here, slopes), 1.0)
    se = numbers.sigma * np.sqrt(here)
    half = stats.t.ppf(0.5 + confidence / 2, df) * se
    table = pd.DataFrame(
        {"prediction": center, "se": se, "lower": center - half, "upper": center + half},
        index=data.index,
    )
    if level != "population":
        wide = numbers.sigma * np.sqrt(here + 1)
        df = np.maximum(engine.satterthwaite(joint, here + 1, slopes), 1.0)
        half = stats.t.ppf(0.5 + confidence / 2, df) * wide
        table["patient_lower"], table["patient_upper"] = center - half, center + half
    table.attrs["confidence"], table.attrs["level"] = confidence, level
    return table


def _matrix(info: object, rows: pd.DataFrame, what: str) -> Floats:
    needed = {factor.name() for factor in info.factor_infos}
    try:
        matrix = patsy.build_design_matrices([info], rows, NA_action="raise")[0]
    except patsy.PatsyError as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"newdata must have what {what} need ({', '.join(sorted(needed))}): {reason}"
        ) from error
    values = np.asarray(matrix, dtype=float)
    if not len(info.factor_infos):
        values = np.ones((len(rows), values.shape[1]))
    if not np.all(np.isfinite(values)):
        raise ValueError("newdata must be finite, got infinite values")
    return values


def _random_part(
    design: Design, rows: pd.DataFrame, level: str
) -> tuple[np.ndarray, Floats, Floats]:
    """Return each row's group, its columns of Z, and the squares of those of unknown effects."""
    q = design.blocks.zz.shape[0]
    z = np.zeros((len(rows), q))
    group = np.zeros(len(rows), dtype=np.intp)
    extra = np.zeros((len(rows), len(design.vc_formula)))
    if level == "population":
        return group, z, extra
    if design.k_re:
        z[:, : design.k_re] = (
            1.0 if design.re_info is None else _matrix(design.re_info, rows, "the random effects")
        )
    known = level == "hospital"
    if known:
        if design.groups not in rows.columns:
            raise ValueError(f"newdata must name the {design.groups} of each row at this level")
        place = {label: j for j, label in enumerate(design.labels)}
        named = list(np.asarray(rows[design.groups]))
        strange = sorted({str(label) for label in named if label not in place})
        if strange:
            raise ValueError(
                f"newdata has a {design.groups} that the fit has not seen: "
                f'{", ".join(strange[:5])}; level="new hospital" predicts for those'
            )
        group = np.array([place[label] for label in named], dtype=np.intp)
    for c, text in enumerate(design.vc_formula.values()):
        parts = rows.groupby(group).indices if known else {0: np.arange(len(rows))}
        for j, which in parts.items():
            try:
                matrix = patsy.dmatrix(
                    text, rows.iloc[which], design.environment, return_type="dataframe"
                )
            except patsy.PatsyError as error:
                reason = str(error).strip().splitlines()[0]
                raise ValueError(f"newdata must have what {text!r} needs: {reason}") from error
            slots = design.slots(c, j) if known else {}
            for column, values in matrix.items():
                if column in slots:
                    z[which, slots[column]] = values.to_numpy()
                else:
                    extra[which, c] += values.to_numpy() ** 2
    return group, z, extra


@dataclass(frozen=True, repr=False)
class Bootstrap:
    """A parametric bootstrap.

    Attributes
    ----------
    draws : DataFrame
        One row a simulated data set: the fixed effects, then SDs and correlations, refitted.
    intervals : DataFrame
        For each of them the estimate, the bootstrap's standard deviation and bias, and the
        percentile interval.
    boundary : Series
        How many of the data sets had each SD at 0 (or, "singular", any SD at 0 or correlation
        at -1 or 1).
    failed : int
        Data sets whose refit did not converge, which are left out.
    confidence : float
        Of the intervals.
    """

    draws: pd.DataFrame
    intervals: pd.DataFrame
    boundary: pd.Series
    failed: int
    confidence: float

    def __repr__(self) -> str:
        """Return the intervals and the count at the boundary."""
        n = len(self.draws)
        on_edge = int(self.boundary["singular"])
        return (
            f"Parametric bootstrap: {n} data sets, {self.failed} left out, {on_edge} on the "
            f"boundary\n{self.intervals.round(3).to_string()}"
        )


def bootstrap(
    numbers: Numbers, n: int, rng: int | np.random.Generator, confidence: float, progress: bool
) -> Bootstrap:
    """Simulate from the fitted model and fit again: see LMMFit.bootstrap."""
    _check_confidence(confidence)
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 2:
        raise ValueError(f"n must be a whole number of at least 2, got {n!r}")
    generator = np.random.default_rng(rng)
    design, q = numbers.design, numbers.blocks.zz.shape[0]
    basis, _ = np.linalg.qr(design.x)
    mean = design.x @ numbers.beta()
    factor = numbers.blocks.to_effect @ numbers.blocks.factor(numbers.optimum.theta[0])
    size = int(np.clip(2_000_000 // max(len(mean), q * q * len(design.labels)), 1, 100))
    found, total = [], 0
    with tqdm(total=n, disable=not progress, desc="bootstrap", unit="refit") as bar:
        while total < n:
            many = min(size, n - total)
            y = mean + numbers.sigma * generator.standard_normal((many, len(mean)))
            for rows, z in design.z_of_groups:
                u = generator.standard_normal((many, q)) @ factor.T
                y[:, rows] += numbers.sigma * u @ z.T
            found.append(_refit(numbers, y, basis))
            total += many
            bar.update(many)
    draws = pd.concat(found, ignore_index=True)
    failed = int((~draws["converged"]).sum())
    draws = draws[draws["converged"]].reset_index(drop=True)
    if len(draws) < 2:
        raise ValueError(f"the bootstrap needs at least 2 refits that converged, got {len(draws)}")
    singular = draws.pop("singular")
    draws = draws.drop(columns="converged")
    tail = (1 - confidence) / 2
    estimate = _row(numbers, numbers.optimum, numbers.blocks)
    estimate = estimate.iloc[0][list(draws.columns)].astype(float)
    intervals = pd.DataFrame(
        {
            "estimate": estimate,
            "sd": draws.std(),
            "bias": draws.mean() - estimate,
            "lower": draws.quantile(tail),
            "upper": draws.quantile(1 - tail),
        }
    )
    sds = [name for name in names_of(design)[0] if name != "patient_sd"]
    boundary = (draws[sds] == 0).sum()
    boundary["singular"] = int(singular.sum())
    return Bootstrap(draws, intervals, boundary, failed, confidence)


def _refit(numbers: Numbers, y: Floats, basis: Floats) -> pd.DataFrame:
    """Fit the model to many outcomes of the same patients."""
    base, design = numbers.blocks, numbers.design
    fitted = y @ basis
    residual = y - fitted @ basis.T
    many = len(y)

    def repeat(array: Floats) -> Floats:
        return np.broadcast_to(array, (many, *np.shape(array))).copy()

    zxy = repeat(base.zxy)
    for j, (rows, z) in enumerate(design.z_of_groups):
        zxy[:, :, -1, j] = residual[:, rows] @ (z @ base.to_effect)
    blocks = replace(
        base,
        n_rows=repeat(base.n_rows),
        zz=repeat(base.zz),
        zxy=zxy,
        yy=(residual**2).sum(-1),
        ols=fitted @ np.linalg.lstsq(basis.T @ design.x, np.eye(base.p), rcond=None)[0].T,
        to_beta=repeat(base.to_beta),
        log_det_xx=repeat(base.log_det_xx),
        to_effect=repeat(base.to_effect),
    )
    find = {"intercept": solve.find_intercept, "slope": solve.find_slope}.get(design.kind)
    if find is None:
        start = np.broadcast_to(numbers.optimum.theta, (many, numbers.optimum.theta.shape[-1]))
        # An SD of exactly 0 is a place that no step leaves unless it must: start beside it.
        diagonal = np.array([np.any(np.diagonal(unit)) for unit in base.basis])
        start = np.where(diagonal & (start == 0), 0.1, start)
        optimum = engine.minimise(blocks, start, reml=numbers.reml)
    else:
        optimum = find(blocks, numbers.reml)
    return _row(numbers, optimum, blocks)


def _row(numbers: Numbers, optimum: engine.Optimum, blocks: Blocks) -> pd.DataFrame:
    """Return one row of estimates for each data set."""
    design = numbers.design
    blocks = solve.as_many(blocks)
    df = blocks.degrees(numbers.reml)
    sigma = np.sqrt(optimum.state.rss / df)
    beta = blocks.ols + (blocks.to_beta @ optimum.state.gamma[..., None])[..., 0]
    factor = blocks.to_effect @ blocks.factor(optimum.theta)
    relative = factor @ np.swapaxes(factor, -1, -2)
    table = pd.DataFrame(beta, columns=list(design.model.exog_names))
    sds, pairs = names_of(design)
    places = [*range(design.k_re), *numbers.component_slots]
    for name, place in zip(sds, places, strict=False):
        table[name] = np.sqrt(relative[:, place, place]) * sigma
    table["patient_sd"] = sigma
    for a, b, name in pairs:
        product = np.sqrt(relative[:, a, a] * relative[:, b, b])
        ratio = np.full(len(sigma), np.nan)
        np.divide(relative[:, a, b], product, out=ratio, where=product > 0)
        table[name] = np.clip(ratio, -1, 1)
    diagonal = np.array([np.any(np.diagonal(unit)) for unit in blocks.basis])
    table["singular"] = (optimum.theta[:, diagonal] == 0).any(-1)
    table["converged"] = optimum.converged
    return table
