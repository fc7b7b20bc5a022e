"""Random streams by name and the laws drawn from them."""

import numpy as np
from scipy.special import expit, log_ndtr, ndtr, ndtri

# One stream for each quantity: a switch that draws more numbers leaves all others untouched.
# The place in this list is the stream's key, so new names go at the end.
STREAMS = (
    "sizes",
    "hospital intercept",
    "hospital effect",
    "hospital variance",
    "beds",
    "teaching",
    "region",
    "ward",
    "ward effect",
    "surgeon",
    "surgeon effect",
    "age",
    "baseline",
    "treatment rounding",
    "treatment",
    "error",
    "error scale",
    "outcome",
    "missing",
    "noise",
    "hospital noise",
)

BIMODAL_CENTRE = 0.9  # the two hills of the standardised bimodal law are at -0.9 and 0.9


class Streams:
    """Independent generators, one a name, all from one seed.

    Parameters
    ----------
    rng : int, numpy.random.Generator or None
        A Generator is drawn from once, so a second call gives another study.
    """

    def __init__(self, rng: int | np.random.Generator | None):
        self.seed = None
        if isinstance(rng, np.random.Generator):
            self.entropy = [int(word) for word in rng.integers(0, 2**32, size=4)]
        elif rng is None:
            self.seed = self.entropy = np.random.SeedSequence().entropy
        elif isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
            self.seed = self.entropy = int(rng)
        else:
            raise ValueError(f"rng must be a whole number >= 0, a Generator or None, not {rng!r}")

    def __getitem__(self, name: str) -> np.random.Generator:
        key = (STREAMS.index(name),)
        return np.random.default_rng(np.random.SeedSequence(self.entropy, spawn_key=key))


def hospital_scores(latent: np.ndarray, law: str) -> np.ndarray:
    """Turn standard normal numbers into scores of the law, mean 0 and SD 1."""
    if law == "skewed":  # exponential with mean 1, shifted: skewness 2
        return -log_ndtr(-latent) - 1.0
    if law == "bimodal":  # two normal hills of equal weight
        within = np.sqrt(1 - BIMODAL_CENTRE**2)
        # The size of a normal number is independent of its sign: the sign picks the hill, the
        # size becomes a new normal number. A size of exactly 0 would be infinitely far below.
        tail = np.minimum(2 * ndtr(-np.abs(latent)), 1 - 2.0**-53)
        return np.where(latent < 0, -1, 1) * (BIMODAL_CENTRE - within * ndtri(tail))
    return latent


def normal_grid(n: int = 2000) -> np.ndarray:
    """Quantiles of the standard normal law at n evenly spread probabilities."""
    return ndtri((np.arange(n) + 0.5) / n)


def logit_intercept(share: float, slope: float, scores: np.ndarray) -> float:
    """Find c so that the mean of expit(c + slope * scores) is the share, by bisection."""
    reach = 40.0 + abs(slope) * np.abs(scores).max(initial=0)
    low, high = -reach, reach
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if expit(middle + slope * scores).mean() < share else (low, middle)
        )
    return (low + high) / 2
