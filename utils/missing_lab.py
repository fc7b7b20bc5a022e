"""What analyses of incomplete data tend to, as the way in which values go missing changes.

One large trial with fixed random numbers serves every setting: 400 hospitals with 100 patients.
A drag changes which values are missing, and nothing else.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from utils._simulate_build import logit_intercept

__all__ = ["ANALYSES", "MECHANISMS", "Lab", "lab"]

ANALYSES = ("without baseline", "complete rows", "imputed")
MECHANISMS = ("MCAR", "MAR", "MNAR")
TRUTH = {"effect": -6.0, "mean": 140.0, "slope": 0.5}
_HOSPITALS, _SIZE, _SHOWN = 400, 100, 250


@functools.cache
def _trial() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(16)
    n = _HOSPITALS * _SIZE
    codes = np.repeat(np.arange(_HOSPITALS), _SIZE)
    treated = np.tile([0.0, 1.0], n // 2)
    x = rng.normal(0, 15, n)
    u = rng.normal(0, 5, _HOSPITALS)
    y = 140 + TRUTH["effect"] * treated + TRUTH["slope"] * x + u[codes] + rng.normal(0, 10, n)
    return {
        "codes": codes, "treated": treated, "x": x, "y": y,
        "uniform": rng.random(n), "noise": rng.standard_normal(n),
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Lab:
    """One way for values to go missing, and what three analyses make of it.

    Attributes
    ----------
    missing, mechanism : str
        What is missing, and why.
    share, strength : float
        Per cent missing as asked for; rise in the log odds of it per SD of its reason.
    lost : ndarray of bool, shape (250,)
        Whether each of the patients that are shown has a gap.
    baseline, outcome : ndarray, shape (250,)
        Of the same patients, before anything went missing, mmHg.
    effects, means : ndarray, shape (3,)
        For each of `ANALYSES`: treatment effect, and mean of untreated patients with a baseline
        of 150 mmHg. mmHg.
    """

    missing: str
    mechanism: str
    share: float
    strength: float
    lost: np.ndarray
    baseline: np.ndarray
    outcome: np.ndarray
    effects: np.ndarray
    means: np.ndarray


def lab(*, missing: str, mechanism: str, share: float, strength: float) -> Lab:
    """Return what analyses of a large trial find when values go missing.

    Parameters
    ----------
    missing : {"outcome", "baseline"}
    mechanism : {"MCAR", "MAR", "MNAR"}
        "MCAR": by chance. "MAR": more often where the *other* of the two is higher. "MNAR": more
        often where the value itself is higher.
    share : float
        Per cent missing, 0 to 80.
    strength : float
        Rise in the log odds of being missing per SD of its reason, 0 to 3.

    Raises
    ------
    ValueError
        For an unknown word, or a number outside its range.

    Notes
    -----
    All models have a coefficient for each hospital. Results are shifted by what the same analysis
    of the complete data misses by chance, so that what remains is the missing values' doing.
    """
    if missing not in ("outcome", "baseline"):
        raise ValueError(f"missing must be outcome or baseline, got {missing!r}")
    if mechanism not in MECHANISMS:
        raise ValueError(f"mechanism must be {', '.join(MECHANISMS)}; got {mechanism!r}")
    if not 0 <= share <= 80:
        raise ValueError(f"share must lie between 0 and 80 %, got {share!r}")
    if not 0 <= strength <= 3:
        raise ValueError(f"strength must lie between 0 and 3, got {strength!r}")
    trial = _trial()
    lost = _lost(trial, missing, mechanism, share / 100, strength)
    found = np.array([_estimates(trial, missing, lost, how) for how in ANALYSES])
    chance = np.array([_complete(how == "without baseline") for how in ANALYSES])
    truth = np.array([TRUTH["effect"], TRUTH["mean"]])
    effects, means = (found - chance + truth).T
    shown = slice(0, 159 * _SHOWN, 159)  # an odd step: both arms
    return Lab(
        missing, mechanism, float(share), float(strength), lost[shown],
        150 + trial["x"][shown], trial["y"][shown], effects, means,
    )  # fmt: skip


def _lost(trial: dict, missing: str, mechanism: str, share: float, strength: float) -> np.ndarray:
    if share == 0:
        return np.zeros(trial["y"].size, dtype=bool)
    own, other = ("y", "x") if missing == "outcome" else ("x", "y")
    score = trial[own if mechanism == "MNAR" else other]
    score = (score - score.mean()) / score.std()
    slope = 0.0 if mechanism == "MCAR" else strength
    start = logit_intercept(share, slope, score[::7])  # 7: both arms, all hospitals
    return trial["uniform"] < expit(start + slope * score)


@functools.cache
def _complete(without: bool) -> np.ndarray:
    trial = _trial()
    everybody = np.ones(trial["y"].size, dtype=bool)
    columns = [trial["treated"]] if without else [trial["treated"], trial["x"]]
    return _fit(trial["y"], columns, trial["codes"], everybody)[:2]


def _estimates(trial: dict, missing: str, lost: np.ndarray, how: str) -> np.ndarray:
    """Return treatment effect and untreated mean by one analysis."""
    y, x, treated, codes = (trial[name] for name in ("y", "x", "treated", "codes"))
    seen = ~lost
    if how == "without baseline":
        use = seen if missing == "outcome" else np.ones_like(seen)
        return _fit(y, [treated], codes, use)[:2]
    if how == "complete rows" or not lost.any():
        return _fit(y, [treated, x], codes, seen)[:2]
    target, other = (y, x) if missing == "outcome" else (x, y)
    effect, _, slope, sd, own = _fit(target, [treated, other], codes, seen)
    drawn = own[codes] + effect * treated + slope * other + sd * trial["noise"]
    filled = np.where(lost, drawn, target)
    y, x = (filled, x) if missing == "outcome" else (y, filled)
    return _fit(y, [treated, x], codes, np.ones_like(seen))[:2]


def _fit(y: np.ndarray, columns: list[np.ndarray], codes: np.ndarray, use: np.ndarray) -> tuple:
    """Return first slope, mean intercept, last slope, residual SD and hospitals' intercepts."""
    codes, y = codes[use], y[use]
    x = np.stack([column[use] for column in columns])
    n = np.maximum(np.bincount(codes, minlength=_HOSPITALS), 1)
    y_mean = np.bincount(codes, y, _HOSPITALS) / n
    x_mean = np.stack([np.bincount(codes, row, _HOSPITALS) / n for row in x])
    y_in, x_in = y - y_mean[codes], x - x_mean[:, codes]
    beta = np.linalg.solve(x_in @ x_in.T, x_in @ y_in)
    own = y_mean - beta @ x_mean
    sd = np.sqrt(((y_in - beta @ x_in) ** 2).sum() / (y.size - _HOSPITALS))
    return beta[0], own.mean(), beta[-1], sd, own
