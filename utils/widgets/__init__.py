"""Explorers: a parameter to drag, a figure and a sentence that follow."""

from utils.widgets._base import Explorer
from utils.widgets.cracks import cracks_explorer
from utils.widgets.design_effect import design_effect_explorer
from utils.widgets.least_squares import least_squares_explorer
from utils.widgets.pooling import pooling_explorer

__all__ = [
    "Explorer",
    "cracks_explorer",
    "design_effect_explorer",
    "least_squares_explorer",
    "pooling_explorer",
]
