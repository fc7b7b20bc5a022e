"""What analyses of incomplete data tend to, as the way in which values go missing changes.

Nothing is drawn by chance: sums over a grid stand for hospitals and patients without end. Only the
patients that are shown are a sample, with fixed random numbers.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import brentq
from scipy.special import expit

__all__ = ["ANALYSES", "MECHANISMS", "Lab", "lab"]

ANALYSES = ("without baseline", "complete rows", "imputed")
MECHANISMS = ("MCAR", "MAR", "MNAR")
TRUTH = {"effect": -6.0, "mean": 140.0, "slope": 0.5}
_SD = {"x": 15.0, "hospital": 5.0, "patient": 10.0}
_NODES, _HOSPITALS, _SHOWN = 24, 12, 250


def _outcome(treated: np.ndarray, x: np.ndarray, z: np.ndarray, u: np.ndarray) -> np.ndarray:
    effects = TRUTH["effect"] * treated + TRUTH["slope"] * x
    return TRUTH["mean"] + effects + _SD["hospital"] * u + _SD["patient"] * z


@functools.cache
def _population() -> dict[str, np.ndarray]:
    """Return a grid that stands for all patients: one row a hospital, one column a patient."""
    node, weight = hermegauss(_NODES)
    u, hospital = hermegauss(_HOSPITALS)
    hospital /= hospital.sum()
    treated, x, z = (a.ravel() for a in np.meshgrid([0.0, 1.0], _SD["x"] * node, node))
    chance = np.multiply.outer(np.outer(weight, [0.5, 0.5]), weight).ravel()
    return {
        "treated": treated, "x": x, "y": _outcome(treated, x, z, u[:, None]),
        "weight": np.outer(hospital, chance / chance.sum()), "hospital": hospital,
    }  # fmt: skip


@functools.cache
def _patients() -> dict[str, np.ndarray]:
    """Return the patients that are shown, and the number that decides whether each has a gap."""
    rng = np.random.default_rng(16)
    treated, x = np.tile([0.0, 1.0], _SHOWN // 2), _SD["x"] * rng.standard_normal(_SHOWN)
    y = _outcome(treated, x, *rng.standard_normal((2, _SHOWN)))
    return {"x": x, "y": y, "uniform": rng.random(_SHOWN)}


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
    """Return what analyses tend to when values go missing.

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
    All models have a coefficient for each hospital, and each hospital has patients without end.
    Sums run over Gauss-Hermite nodes, a patient weighed by the chance to be seen or missed. An
    imputed value is its mean, with the scatter of the draws added to the sums of squares.
    """
    if missing not in ("outcome", "baseline"):
        raise ValueError(f"missing must be outcome or baseline, got {missing!r}")
    if mechanism not in MECHANISMS:
        raise ValueError(f"mechanism must be {', '.join(MECHANISMS)}; got {mechanism!r}")
    if not 0 <= share <= 80:
        raise ValueError(f"share must lie between 0 and 80 %, got {share!r}")
    if not 0 <= strength <= 3:
        raise ValueError(f"strength must lie between 0 and 3, got {strength!r}")
    everybody, shown = _population(), _patients()
    chance, of_shown = _chances(missing, mechanism, share / 100, strength)
    effects, means = np.array([_estimates(everybody, missing, chance, how) for how in ANALYSES]).T
    return Lab(
        missing, mechanism, float(share), float(strength), shown["uniform"] < of_shown,
        150 + shown["x"], shown["y"], effects, means,
    )  # fmt: skip


def _chances(
    missing: str, mechanism: str, share: float, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the chance to be missed, for everybody and for the patients that are shown."""
    everybody, shown = _population(), _patients()
    own, other = ("y", "x") if missing == "outcome" else ("x", "y")
    reason = own if mechanism == "MNAR" else other
    weight = everybody["weight"]
    score = np.broadcast_to(everybody[reason], weight.shape)
    centre = (weight * score).sum()
    sd = np.sqrt((weight * (score - centre) ** 2).sum())
    slope = 0.0 if mechanism == "MCAR" else strength / sd
    rise, of_shown = slope * (score - centre), slope * (shown[reason] - centre)
    if share == 0:
        return np.zeros_like(weight), np.zeros_like(of_shown)
    start = brentq(lambda at: (weight * expit(at + rise)).sum() - share, -40, 40)
    return expit(start + rise), expit(start + of_shown)


def _estimates(
    everybody: dict[str, np.ndarray], missing: str, chance: np.ndarray, how: str
) -> np.ndarray:
    """Return treatment effect and untreated mean by one analysis."""
    y, weight, hospital = (everybody[name] for name in ("y", "weight", "hospital"))
    treated, x = (np.broadcast_to(everybody[name], y.shape) for name in ("treated", "x"))
    seen = weight * (1 - chance)
    if how == "without baseline":
        return _fit(y, [treated], seen if missing == "outcome" else weight, hospital)[:2]
    if how == "complete rows":
        return _fit(y, [treated, x], seen, hospital)[:2]
    target, other = (y, x) if missing == "outcome" else (x, y)
    effect, _, slope, variance, own = _fit(target, [treated, other], seen, hospital)
    drawn = own[:, None] + effect * treated + slope * other
    both = np.hstack([seen, weight * chance])
    if missing == "outcome":  # scatter about the line does not move the line
        columns = [np.hstack([treated, treated]), np.hstack([x, x])]
        return _fit(np.hstack([y, drawn]), columns, both, hospital)[:2]
    columns = [np.hstack([treated, treated]), np.hstack([x, drawn])]
    scatter = variance * (weight * chance).sum()
    return _fit(np.hstack([y, y]), columns, both, hospital, scatter=scatter)[:2]


def _fit(
    y: np.ndarray,
    columns: list[np.ndarray],
    weight: np.ndarray,
    hospital: np.ndarray,
    *,
    scatter: float = 0.0,
) -> tuple:
    """Return first slope, mean intercept, last slope, residual variance, hospitals' intercepts."""
    x, total = np.stack(columns), weight.sum(axis=1)
    y_mean, x_mean = (weight * y).sum(axis=1) / total, (weight * x).sum(axis=2) / total
    y_in, x_in = y - y_mean[:, None], x - x_mean[:, :, None]
    squares = np.einsum("ahp,hp,bhp->ab", x_in, weight, x_in, optimize=True)
    squares[-1, -1] += scatter
    beta = np.linalg.solve(squares, np.einsum("ahp,hp,hp->a", x_in, weight, y_in, optimize=True))
    own = y_mean - beta @ x_mean
    left = y_in - np.tensordot(beta, x_in, axes=1)
    return beta[0], hospital @ own, beta[-1], (weight * left**2).sum() / weight.sum(), own
