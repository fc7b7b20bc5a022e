"""Explorers: a parameter to drag, a figure and a sentence that follow."""

from utils.widgets._base import Explorer
from utils.widgets.design_effect import design_effect_explorer
from utils.widgets.least_squares import least_squares_explorer
from utils.widgets.pooling import pooling_explorer
from utils.widgets.prior_sensitivity import prior_sensitivity_explorer, prior_sensitivity_figure

__all__ = [
    "Explorer",
    "design_effect_explorer",
    "from_posterior",
    "least_squares_explorer",
    "pooling_explorer",
    "prior_sensitivity_explorer",
    "prior_sensitivity_figure",
]


def __getattr__(name: str) -> object:
    """Import what needs ArviZ only where it is used."""
    if name == "from_posterior":
        from utils.widgets.prior_sensitivity import from_posterior  # noqa: PLC0415

        return from_posterior
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
