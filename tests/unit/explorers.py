"""Every explorer with some of its states, and how a test finds what is on its page."""

import base64
import io
import re

import ipywidgets
import numpy as np
import pandas as pd
from PIL import Image

from utils.widgets import (
    calibration_explorer,
    confounding_explorer,
    cost_explorer,
    covariance_explorer,
    cracks_explorer,
    design_effect_explorer,
    design_studio_explorer,
    funnel_explorer,
    league_explorer,
    least_squares_explorer,
    levels_explorer,
    likelihood_explorer,
    marginal_explorer,
    missing_explorer,
    pooling_explorer,
    prior_predictive_explorer,
    prior_sensitivity_explorer,
    shrinkage_explorer,
    slopes_explorer,
)

# Runs of two engines, as a learner would time them (invented seconds).
RUNS = pd.DataFrame(
    {
        "engine": ["sums", "sums", "rows", "rows"],
        "patients": [1e3, 1e5, 1e3, 1e5],
        "hospitals": [30, 1000, 30, 1000],
        "seconds": [0.01, 0.05, 5.0, 60.0],
    }
)

# name -> what makes it, and states that differ in figure and text
EXPLORERS = {
    "least_squares": (
        least_squares_explorer,
        [{"slope": 0.8}, {"slope": -3.0, "intercept": 175}, {"slope": 3.0}],
    ),
    "design_effect": (
        design_effect_explorer,
        [
            {"icc": 0.3, "patients_per_hospital": 200, "n_hospitals": 60},
            {"icc": 0.0, "patients_per_hospital": 2, "n_hospitals": 4},
            {"treatment_by": "patient", "icc": 0.2, "patients_per_hospital": 30},
        ],
    ),
    "likelihood": (
        likelihood_explorer,
        [
            {"hospital_sd": 9.0},
            {"data": "6 hospitals", "hospital_sd": 0.0},
            {"data": "40 hospitals", "hospital_sd": 4.2},
        ],
    ),
    "covariance": (
        covariance_explorer,
        [
            {"effect_sd": 5.0},
            {"hospital_sd": 4.0, "effect_sd": 10.0, "correlation": -0.9, "patient_sd": 14.0},
            {"hospital_sd": 12.0, "effect_sd": 10.0, "correlation": 1.0},
        ],
    ),
    "design_studio": (
        design_studio_explorer,
        [
            {"n_hospitals": 6, "patients_per_hospital": 200, "icc": 0.2},
            {"effect_sd": 3.0, "n_hospitals": 60, "budget": 200_000},
            {"treatment_by": "patient", "effect_sd": 4.0, "cost_per_hospital": 9000},
        ],
    ),
    "levels": (
        levels_explorer,
        [
            {"ward_sd": 0, "surgeon_sd": 6},
            {
                "region_sd": 10,
                "hospital_sd": 10,
                "ward_sd": 10,
                "surgeon_sd": 10,
                "patient_sd": 4,
                "patients_per_ward": 100,
                "wards_per_hospital": 20,
            },
            {
                "region_sd": 0,
                "hospital_sd": 0,
                "ward_sd": 0,
                "patients_per_ward": 2,
                "wards_per_hospital": 2,
            },
        ],
    ),
    "confounding": (
        confounding_explorer,
        [
            {"confounding": 1.5, "hospital_sd": 8.0, "patients_per_hospital": 4},
            {"confounding": 0.0, "treatment_effect": 4.0},
            {"hospital_sd": 0.0, "patients_per_hospital": 100, "treatment_effect": -8.0},
        ],
    ),
    "funnel": (
        funnel_explorer,
        [
            {"patients_per_hospital": 100},
            {"patients_per_hospital": 200, "hospital_sd": 12.0, "n_hospitals": 60},
            {"patients_per_hospital": 1, "hospital_sd": 0.0, "n_hospitals": 5},
        ],
    ),
    "pooling": (pooling_explorer, [{"hospital_sd": 0}, {"hospital_sd": 4}, {"hospital_sd": 30}]),
    "cracks": (
        cracks_explorer,
        [
            {"crack": "outliers", "strength": "extreme"},
            {"crack": "sd_arms", "strength": "extreme", "n_hospitals": 60},
            {"crack": "skewed", "strength": "mild", "n_hospitals": 60},
        ],
    ),
    "prior_predictive": (
        prior_predictive_explorer,
        [
            {
                "centre": "140",
                "intercept_sd": 20,
                "effect_sd": 10,
                "hospital_sd": 5,
                "patient_sd": 20,
            },
            {"centre": "140", "intercept_sd": 1, "effect_sd": 1, "hospital_sd": 1},
            {"effect_sd": 30, "hospital_sd": 100, "patient_sd": 2},
        ],
    ),
    "prior_sensitivity": (
        prior_sensitivity_explorer,
        [
            {
                "scale": 0.5,
                "pin": {
                    "family": "half-Cauchy",
                    "scale": 25.0,
                    "effect_sd": 9.0,
                    "sigma_scale": 9.0,
                },
            },
            {"family": "flat", "n_hospitals": 5, "threshold": -8.0},
            {"family": "inverse-gamma", "scale": 0.01, "effect_sd": 2.0, "sigma_scale": 20.0},
        ],
    ),
    "slopes": (
        slopes_explorer,
        [
            {"correlation": -0.6, "patients_per_hospital": 100},
            {"hospital_sd": 8, "effect_sd": 8, "correlation": 0.95, "zero": "middle"},
            {"hospital_sd": 0, "effect_sd": 0},
        ],
    ),
    "shrinkage": (
        shrinkage_explorer,
        [
            {"family": "ridge", "predictors": 2},
            {"family": "horseshoe", "predictors": 40, "scale": 0.05},
            {"family": "R2D2", "scale": 3.0},
        ],
    ),
    "missing": (
        missing_explorer,
        [
            {"missing": "baseline", "mechanism": "MNAR"},
            {"mechanism": "MCAR", "share": 80},
            {"missing": "baseline", "mechanism": "MAR", "strength": 3.0},
        ],
    ),
    "calibration": (
        calibration_explorer,
        [
            {"width": 1.0},
            {"width": 2.0, "shift": -1.5},
            {"shift": 1.0, "trials": 2000},
        ],
    ),
    "league": (
        league_explorer,
        [
            {"icc": 0.0},
            {"n_hospitals": 2, "patients": 500, "icc": 0.3},
            {"n_hospitals": 40, "patients": 5, "icc": 0.01},
        ],
    ),
    "costs": (
        lambda: cost_explorer(RUNS),
        [
            {"patients": 1000.0, "hospitals": 10.0},
            {"patients": 1e7, "hospitals": 1e6},
            {"hospitals": 20.0},
        ],
    ),
    "marginal": (
        marginal_explorer,
        [
            {"hospital_sd": 0.0},
            {"typical_risk": 80, "odds_ratio": 3.0, "hospital_sd": 3.0},
            {"typical_risk": 1, "odds_ratio": 0.1, "hospital_sd": 3.0},
        ],
    ),
}


def find(explorer, kind, text=None):
    """Return the control of a kind whose row or button carries a text."""
    for row in explorer.widget.children:
        inside = [row, *getattr(row, "children", ())]
        if text is None or any(getattr(w, "description", "").startswith(text) for w in inside):
            for control in inside:
                if isinstance(control, kind) and (
                    kind is not ipywidgets.Button or control.description == text
                ):
                    return control
    raise AssertionError(f"no {kind.__name__} for {text!r}")


def slider(explorer, text):
    kinds = (ipywidgets.FloatSlider, ipywidgets.IntSlider)
    for row in explorer.widget.children:
        inside = getattr(row, "children", ())
        if any(getattr(w, "description", "").startswith(text) for w in inside):
            return next(w for w in inside if isinstance(w, kinds))
    raise AssertionError(f"no slider for {text!r}")


def picture(explorer):
    data = re.search(r'base64,([^"]+)"', explorer._image.value)[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
