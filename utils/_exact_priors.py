"""Priors for standard deviations: what the exact posterior needs to know of one.

Any object with a method ``logpdf`` serves. Its support, where its mass is and how heavy its tail
is are found by asking it, so that an improper posterior can be refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import gammaln

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HalfStudentT:
    """Half-Student-t prior for a standard deviation; df=1 is the half-Cauchy.

    Parameters
    ----------
    df : float
        Degrees of freedom, above 0.
    scale : float
        Scale, in the unit of the outcome, above 0.

    Notes
    -----
    Density 2 t_df(x / scale) / scale for x >= 0 (Gelman A, Bayesian Analysis 2006; 1: 515-534).

    Examples
    --------
    >>> float(HalfStudentT(df=1, scale=1).logpdf(0.0).round(3))  # log(2 / pi)
    -0.452
    """

    df: float
    scale: float

    def __post_init__(self) -> None:
        for name, value in (("df", self.df), ("scale", self.scale)):
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be a number above 0, got {value!r}")

    def logpdf(self, x: ArrayLike) -> Floats:
        """Return the log density at x; -inf below 0."""
        x = np.asarray(x, float)
        nu = self.df
        constant = np.log(2) + gammaln((nu + 1) / 2) - gammaln(nu / 2)
        constant -= 0.5 * np.log(nu * np.pi) + np.log(self.scale)
        body = constant - (nu + 1) / 2 * np.log1p((x / self.scale) ** 2 / nu)
        return np.where(x >= 0, body, -np.inf)

    def rvs(self, size: int, random_state: int | np.random.Generator | None = None) -> Floats:
        """Return independent draws, as the distributions of scipy.stats do."""
        rng = np.random.default_rng(random_state)
        return self.scale * np.abs(rng.standard_t(self.df, size))

    def support(self) -> tuple[float, float]:
        """Return the lowest and highest value that can occur."""
        return 0.0, np.inf


@dataclass(frozen=True)
class InverseGammaVariance:
    """Inverse-gamma prior of a variance, as a density of its square root, the SD.

    Parameters
    ----------
    shape : float
        Above 0.
    rate : float
        In the squared unit of the SD, above 0. (0.001, 0.001) was once called uninformative.

    Notes
    -----
    Density 2 rate**shape / Gamma(shape) x**(-2 shape - 1) exp(-rate / x²) for x > 0. It keeps
    the SD away from 0, and its tail falls as x**(-2 shape - 1) only (Gelman A, Bayesian Analysis
    2006; 1: 515-534).

    Examples
    --------
    >>> float(InverseGammaVariance(1, 1).logpdf(1.0).round(3))  # log(2 / e)
    -0.307
    """

    shape: float
    rate: float

    def __post_init__(self) -> None:
        for name, value in (("shape", self.shape), ("rate", self.rate)):
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be a number above 0, got {value!r}")

    def logpdf(self, x: ArrayLike) -> Floats:
        """Return the log density at x; -inf at 0 and below."""
        x = np.asarray(x, float)
        inside = x > 0
        log_x = np.log(np.where(inside, x, 1.0))
        constant = np.log(2) + self.shape * np.log(self.rate) - gammaln(self.shape)
        with np.errstate(over="ignore"):
            body = constant - (2 * self.shape + 1) * log_x - self.rate * np.exp(-2 * log_x)
        return np.where(inside, body, -np.inf)

    def rvs(self, size: int, random_state: int | np.random.Generator | None = None) -> Floats:
        """Return independent draws of the SD; infinite where it exceeds what a computer can hold.

        With a shape of 0.001 that is nearly every second draw.
        """
        rng = np.random.default_rng(random_state)
        with np.errstate(divide="ignore", over="ignore"):
            return np.sqrt(self.rate / rng.gamma(self.shape, 1.0, size))

    def support(self) -> tuple[float, float]:
        """Return the lowest and highest value that can occur."""
        return 0.0, np.inf


class ScalePrior:
    """A prior for a standard deviation, looked through.

    Attributes
    ----------
    flat : bool
        Whether the density is constant, and so improper.
    low, high : float
        Support, on the scale of the standard deviation.
    landmarks : ndarray
        Logs of values that mark where the prior mass is.
    tail : float
        The density falls as value ** -tail, far out. Infinite where faster than any power.
    """

    def __init__(self, name: str, given: object, scale: float) -> None:
        self.name, self.given = name, given
        self.flat = isinstance(given, str) and given == "flat"
        self.low, self.high, self.tail = 0.0, np.inf, 0.0
        self.landmarks = np.empty(0)
        self._quick = None
        if self.flat:
            return
        if not callable(getattr(given, "logpdf", None)):
            raise ValueError(
                f"{name} must be a prior with a method logpdf (scipy.stats.halfnorm(scale=5)) "
                f"or 'flat', got {given!r}"
            )
        self._logpdf = _on_arrays(name, given.logpdf)
        self._probe(scale)

    def log_density(self, log_value: Floats) -> Floats:
        """Return the log density of the log of the standard deviation."""
        if self.flat:
            return log_value.copy()
        value = np.exp(log_value)
        if self.high < np.inf or self.low > 0:  # the log of an edge, rounded, may lie beyond it
            near = (value >= self.low * (1 - 1e-12)) & (value <= self.high * (1 + 1e-12))
            value = np.where(near, np.clip(value, self.low, self.high), value)
        with np.errstate(all="ignore"):
            if self._quick is None:
                return self._logpdf(value) + log_value
            log_pdf, shapes, loc, scale = self._quick
            density = log_pdf((value - loc) / scale, *shapes) - np.log(scale)
        if self.low == 0 and self.high == np.inf:  # a standard deviation is always inside
            return density + log_value
        inside = (value >= self.low) & (value <= self.high)
        return np.where(inside, density, -np.inf) + log_value

    def _probe(self, scale: float) -> None:
        below = -scale * np.geomspace(1e-6, 1e3, 28)
        support = _declared_support(self.given)
        if support is None:
            with np.errstate(all="ignore"):
                negative = bool(np.any(self._logpdf(below) > -np.inf))
        else:
            negative = support[0] < 0
        if negative:
            raise ValueError(
                f"the prior for {self.name} must lie above 0, as a standard deviation does; "
                f"{_label(self.given)} has mass below 0, where its logpdf must be -inf"
            )
        self.low, self.high = 0.0, np.inf
        centre = np.log(scale)
        grid = np.linspace(centre - 25, centre + 25, 201)
        if support is not None:
            self.low, self.high = max(support[0], 0.0), support[1]
            self._quick = _scipy_parts(self.given)
            if np.isfinite(self.high):
                ends = np.linspace(max(self.low, 1e-12 * self.high), self.high, 33)
                grid = np.union1d(grid, np.log(ends))
        density = self._checked(grid)
        if not np.isfinite(density).any():
            raise ValueError(
                f"the prior for {self.name} is zero everywhere near the data's scale of "
                f"{scale:.3g}; if it is narrow, give it a method support(). "
                f"Got {_label(self.given)}"
            )
        if support is None:
            self._find_support(grid, np.isfinite(density))
        self._find_landmarks(grid, density)
        far = np.log(np.array([1e7, 1e9]) * scale)
        near_end, end = self.log_density(far) - far
        self.tail = np.inf if end == -np.inf else float((near_end - end) / np.log(100))

    def _checked(self, grid: Floats) -> Floats:
        density = self.log_density(grid)
        if density.shape != grid.shape:
            raise ValueError(
                f"logpdf of the prior for {self.name} must return one value per value, "
                f"got shape {density.shape} for {grid.shape}"
            )
        if np.isnan(density).any() or np.any(density == np.inf):
            raise ValueError(f"logpdf of the prior for {self.name} returned NaN or +inf")
        return density

    def _find_support(self, grid: Floats, inside: NDArray[np.bool_]) -> None:
        """Bisect for the edges of a prior that does not declare its support."""
        first, last = inside.argmax(), len(grid) - 1 - inside[::-1].argmax()
        for is_low, out, within in ((True, first - 1, first), (False, last + 1, last)):
            if not 0 <= out < len(grid):
                continue
            a, b = grid[out], grid[within]
            for _ in range(60):
                middle = (a + b) / 2
                a, b = (
                    (a, middle)
                    if np.isfinite(self._checked(np.array([middle]))[0])
                    else (middle, b)
                )
            # A density that underflows is no edge: an edge is a jump.
            if self._checked(np.array([b]))[0] > -600:
                self.low, self.high = (np.exp(b), self.high) if is_low else (self.low, np.exp(b))

    def _find_landmarks(self, grid: Floats, density: Floats) -> None:
        marks = []
        for _ in range(6):
            drop = density - density.max()
            best = int(drop.argmax())
            marks.append(grid[best])
            near = np.flatnonzero(drop > -30)
            marks += [grid[near[0]], grid[near[-1]]]
            if len(near) > 12:
                break
            a, b = grid[max(near[0] - 1, 0)], grid[min(near[-1] + 1, len(grid) - 1)]
            grid = np.linspace(a, b, 41)
            density = self._checked(grid)
        for depth in (-2.0, -8.0):
            near = np.flatnonzero(drop > depth)
            marks += [grid[near[0]], grid[near[-1]]]
        self.landmarks = np.unique(marks)


def _on_arrays(name: str, logpdf: Callable) -> Callable[[Floats], Floats]:
    """Return a log density that takes arrays, also where a learner's own takes one number."""

    def single(value: float) -> float:
        try:
            return float(logpdf(value))
        except (ArithmeticError, TypeError, ValueError) as problem:
            if value <= 0:  # log(-1): outside the prior
                return -np.inf
            raise ValueError(
                f"logpdf of the prior for {name} cannot be computed at {value:.3g}: {problem}"
            ) from problem

    def each(values: Floats) -> Floats:
        return np.array([single(float(value)) for value in np.ravel(values)]).reshape(values.shape)

    trial = np.array([0.5, 2.0])
    try:
        with np.errstate(all="ignore"):
            whole = np.shape(logpdf(trial)) == trial.shape
    except (ArithmeticError, TypeError, ValueError):
        whole = False
    return (lambda values: np.asarray(logpdf(values), float)) if whole else each


def _declared_support(given: object) -> tuple[float, float] | None:
    support = getattr(given, "support", None)
    if support is None:
        return None
    low, high = support() if callable(support) else support
    return float(low), float(high)


def _scipy_parts(given: object) -> tuple | None:
    """Return (log density, shapes, loc, scale) of a frozen scipy distribution.

    Its own logpdf checks its arguments at each call, which takes longer than the density.
    """
    if not isinstance(given, stats.distributions.rv_frozen):
        return None
    shapes, loc, scale = given.dist._parse_args(*given.args, **given.kwds)
    return given.dist._logpdf, [np.asarray(s, float) for s in shapes], float(loc), float(scale)


def _label(given: object) -> str:
    frozen = getattr(given, "dist", None)
    return getattr(frozen, "name", None) or repr(given)


def pymc_prior(name: str, given: object) -> str:
    """Return PyMC code that declares this prior, as text.

    Raises
    ------
    ValueError
        If PyMC has no distribution that is known to be the same.
    """
    if isinstance(given, str):
        return f'pm.HalfFlat("{name}")'
    if isinstance(given, HalfStudentT):
        return f'pm.HalfStudentT("{name}", nu={given.df!r}, sigma={given.scale!r})'
    if isinstance(given, InverseGammaVariance):
        variance = f'pm.InverseGamma("{name}_squared", alpha={given.shape!r}, beta={given.rate!r})'
        return f'pm.Deterministic("{name}", pm.math.sqrt({variance}))'
    parts = _scipy_parts(given)
    if parts is not None:
        frozen = given.dist
        shapes, loc, scale = [float(s) for s in parts[1]], parts[2], parts[3]
        if frozen.name == "uniform":
            return f'pm.Uniform("{name}", lower={loc!r}, upper={loc + scale!r})'
        written = {
            "halfnorm": lambda: f"HalfNormal~sigma={scale!r}",
            "halfcauchy": lambda: f"HalfCauchy~beta={scale!r}",
            "expon": lambda: f"Exponential~scale={scale!r}",
            "gamma": lambda: f"Gamma~alpha={shapes[0]!r}, beta={1 / scale!r}",
            "invgamma": lambda: f"InverseGamma~alpha={shapes[0]!r}, beta={scale!r}",
            "lognorm": lambda: f"LogNormal~mu={float(np.log(scale))!r}, sigma={shapes[0]!r}",
            "weibull_min": lambda: f"Weibull~alpha={shapes[0]!r}, beta={scale!r}",
        }.get(frozen.name)
        if written is not None and loc == 0:
            family, arguments = written().split("~")
            return f'pm.{family}("{name}", {arguments})'
    parameters = getattr(given, "params_dict", None)
    if isinstance(parameters, dict):  # PreliZ: its names and parameters are PyMC's
        arguments = ", ".join(f"{key}={float(value)!r}" for key, value in parameters.items())
        return f'pm.{type(given).__name__}("{name}", {arguments})'
    raise ValueError(f"no PyMC distribution is known to be the same as {_label(given)} for {name}")
