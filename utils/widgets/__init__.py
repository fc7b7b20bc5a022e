"""Explorers: a parameter to drag, a figure and a sentence that follow."""

from utils.widgets._base import Explorer
from utils.widgets.design_effect import design_effect_explorer
from utils.widgets.least_squares import least_squares_explorer
from utils.widgets.pooling import pooling_explorer
from utils.widgets.slopes import slopes_explorer

__all__ = [
    "Explorer",
    "design_effect_explorer",
    "least_squares_explorer",
    "pooling_explorer",
    "slopes_explorer",
]
