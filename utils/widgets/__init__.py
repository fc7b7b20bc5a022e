"""Explorers: a parameter to drag, a figure and a sentence that follow."""

from utils.widgets._base import Explorer
from utils.widgets.calibration import calibration_explorer
from utils.widgets.confounding import confounding_explorer
from utils.widgets.costs import cost_explorer
from utils.widgets.covariance import covariance_explorer
from utils.widgets.cracks import cracks_explorer
from utils.widgets.design_effect import design_effect_explorer
from utils.widgets.design_studio import design_studio_explorer
from utils.widgets.funnel import funnel_explorer
from utils.widgets.league import league_explorer
from utils.widgets.least_squares import least_squares_explorer
from utils.widgets.levels import levels_explorer
from utils.widgets.likelihood import likelihood_explorer
from utils.widgets.marginal import marginal_explorer
from utils.widgets.missing import missing_explorer
from utils.widgets.pooling import pooling_explorer
from utils.widgets.prior_predictive import prior_predictive_explorer
from utils.widgets.prior_sensitivity import prior_sensitivity_explorer, prior_sensitivity_figure
from utils.widgets.shrinkage import shrinkage_explorer
from utils.widgets.slopes import slopes_explorer

__all__ = [
    "Explorer",
    "calibration_explorer",
    "confounding_explorer",
    "cost_explorer",
    "covariance_explorer",
    "cracks_explorer",
    "design_effect_explorer",
    "design_studio_explorer",
    "from_posterior",
    "funnel_explorer",
    "league_explorer",
    "least_squares_explorer",
    "levels_explorer",
    "likelihood_explorer",
    "marginal_explorer",
    "missing_explorer",
    "pooling_explorer",
    "prior_predictive_explorer",
    "prior_sensitivity_explorer",
    "prior_sensitivity_figure",
    "shrinkage_explorer",
    "slopes_explorer",
]


def __getattr__(name: str) -> object:
    """Import what needs ArviZ only where it is used."""
    if name == "from_posterior":
        from utils.widgets.prior_sensitivity import from_posterior  # noqa: PLC0415

        return from_posterior
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
