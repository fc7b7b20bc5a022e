"""Four priors for ten coefficients, judged at the level of patients and at that of hospitals.

150 simulated data sets for each level. Ten predictors, two of which matter (0.5 and -0.3 residual
SDs per SD), and 400 rows (patients) or 20 rows (hospitals). Columns: means and coverage of 95 %
intervals over data sets, and Monte Carlo standard errors. A fit that fails the checks of
`bayes.diagnose` is sampled again, for longer and then with smaller steps. The rows of the wide
and of the ridge prior are computed afresh without sampling: given the residual SD and the ridge's
SD the posterior is normal, and the two are summed over a grid.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import nutpie
import pandas as pd
import xarray as xr
from scipy import special, stats

from utils import bayes
from utils._usable_draws import usable_draws
from utils.shrinkage import FAMILIES, regression
from utils.stored import Study

ROWS = {"patients": 400, "hospitals": 20}
TRUTH = np.array([0.5, -0.3] + 8 * [0.0])
DATA_SETS = 150


def _data(level: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield outcome and standardised predictors of each simulated data set."""
    for seed in range(DATA_SETS):
        rng = np.random.default_rng([15, ROWS[level], seed])
        x = rng.standard_normal((ROWS[level], TRUTH.size))
        x = (x - x.mean(axis=0)) / x.std(axis=0)
        yield 1.0 + x @ TRUTH + rng.standard_normal(len(x)), x


def _row(level: str, prior: str, mean: np.ndarray, held: np.ndarray, width: np.ndarray) -> dict:
    """Return one row of the table from arrays of shape (data sets, coefficients)."""
    squares = (mean - TRUTH) ** 2
    columns = {
        "first": mean[:, 0],
        "miss_true": squares[:, :2].mean(axis=1),
        "miss_noise": squares[:, 2:].mean(axis=1),
        "held_true": 1.0 * held[:, :2].mean(axis=1),
        "held_noise": 1.0 * held[:, 2:].mean(axis=1),
        "width_true": width[:, :2].mean(axis=1),
    }
    row: dict[str, object] = {"level": level, "prior": prior}
    for name, values in columns.items():
        middle, error = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
        if name.startswith("miss"):  # the root of the mean square, and its error
            middle, error = np.sqrt(middle), error / (2 * np.sqrt(middle))
        row[name], row[f"{name}_mcse"] = round(float(middle), 3), round(float(error), 4)
    return row


def _sampled(level: str, prior: str) -> dict:
    found, program = [], None
    bayes.set_up()
    for seed, (y, x) in enumerate(_data(level)):
        program = program or nutpie.compile_pymc_model(regression(y, x, prior))
        fit = _usable(program.with_data(y=y, x=x), seed, prior)
        beta = fit.posterior["beta"].to_numpy().reshape(-1, TRUTH.size)
        low, high = np.quantile(beta, [0.025, 0.975], axis=0)
        found.append((beta.mean(axis=0), (low < TRUTH) & (TRUTH < high), high - low))
    return _row(level, prior, *(np.array(part) for part in zip(*found, strict=True)))


def _usable(program: object, seed: int, prior: str) -> xr.DataTree:
    """Sample, with more draws and then smaller steps where needed, until the draws may be used."""
    careful = 0.99 if prior == "horseshoe" else 0.9
    tries = (
        (1000, 1000, careful), (4000, 1000, 0.99), (16_000, 1000, 0.99), (8000, 3000, 0.999),
    )  # fmt: skip
    what = f"{prior}, data set {seed}"
    return usable_draws(program, tries, seed=seed, what=what, var_names="beta")


def _summed(level: str, ridge: bool) -> dict:
    """Return the row of the ridge or the wide prior by sums over a grid."""
    sigma = np.exp(np.linspace(np.log(0.35), np.log(3.0), 32))[:, None, None]
    scale = np.exp(np.linspace(np.log(0.005), np.log(3.5), 32))[None, :, None]
    log_prior = stats.halfnorm.logpdf(sigma, scale=2) + np.log(sigma)
    if ridge:
        log_prior = log_prior + stats.halfnorm.logpdf(scale) + np.log(scale)
    else:
        scale = np.full((1, 1, 1), 3.0)
    found = []
    for y, x in _data(level):
        n = len(y)
        left, d, right = np.linalg.svd(x, full_matrices=False)
        along = left.T @ y
        rest = ((y - y.mean()) ** 2).sum() - (along**2).sum()
        spread = sigma**2 + scale**2 * d**2
        mean_spread = sigma**2 + 9.0 * n  # of the outcomes' mean: the intercept has SD 3
        log_weight = log_prior - 0.5 * (
            (np.log(spread) + along**2 / spread).sum(axis=2, keepdims=True)
            + np.log(mean_spread) + n * y.mean() ** 2 / mean_spread
            + (n - 1 - d.size) * np.log(sigma**2) + rest / sigma**2
        )  # fmt: skip
        weight = np.exp(log_weight - log_weight.max()).ravel()
        weight /= weight.sum()
        keep = weight > 1e-6
        shrunk = (scale**2 * d / spread).reshape(-1, d.size)[keep]
        means = (shrunk * along) @ right
        variances = (scale**2 * sigma**2 / spread).reshape(-1, d.size)[keep] @ right**2
        found.append(_mixture(weight[keep] / weight[keep].sum(), means, np.sqrt(variances)))
    prior = "ridge" if ridge else "wide"
    return _row(level, prior, *(np.array(part) for part in zip(*found, strict=True)))


def _mixture(weight: np.ndarray, means: np.ndarray, sds: np.ndarray) -> tuple:
    """Return mean, whether the 95 % interval holds the truth, and its width, by bisection."""
    middle = weight @ means
    ends = []
    for level in (0.025, 0.975):
        low = (means - 6 * sds).min(axis=0)
        high = (means + 6 * sds).max(axis=0)
        for _ in range(17):
            at = (low + high) / 2
            above = weight @ special.ndtr((at - means) / sds) > level
            low, high = np.where(above, low, at), np.where(above, at, high)
        ends.append((low + high) / 2)
    return middle, (ends[0] < TRUTH) & (TRUTH < ends[1]), ends[1] - ends[0]


def make() -> pd.DataFrame:
    """Return the whole table by sampling: 1,200 fits, an hour on two cores."""
    return pd.DataFrame([_sampled(level, prior) for level in ROWS for prior in FAMILIES])


def part() -> pd.DataFrame:
    """Return the rows of the wide and the ridge prior by sums over a grid: another engine."""
    return pd.DataFrame([_summed(level, ridge) for level in ROWS for ridge in (False, True)])


# Monte Carlo error of a data set's mean is .02 at most, of 150 of them .002; a draw more or less
# moves an interval's end across the truth in a data set or two, .007 of the coverage.
STUDY = Study(make=make, part=part, key=("level", "prior"), absolute=0.012)
