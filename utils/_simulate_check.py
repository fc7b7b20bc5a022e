"""Refuse impossible requests to `med_trial`, with the rule and the value received."""

from numbers import Integral, Real

import numpy as np

CHOICES = {
    "assignment": ("patient", "hospital", "sicker hospitals more", "sicker patients more"),
    "hospital_law": ("normal", "skewed", "bimodal"),
    "error_law": ("normal", "student_t", "differs by hospital", "grows with mean", "outliers"),
    "outcome": ("continuous", "binary", "count"),
    "missing": (None, "outcome", "covariate"),
    "missing_mechanism": ("MCAR", "MAR", "MNAR", "by outcome"),
}
COUNTS = {  # smallest value allowed
    "n_hospitals": 1,
    "n_regions": 1,
    "n_wards": 0,
    "n_surgeons": 0,
    "n_noise_predictors": 0,
    "n_noise_hospital_predictors": 0,
}
RANGES = {  # lowest and highest value allowed
    "intercept": (-np.inf, np.inf),
    "treatment_effect": (-np.inf, np.inf),
    "age_effect": (-np.inf, np.inf),
    "baseline_effect": (-np.inf, np.inf),
    "age_treatment_effect": (-np.inf, np.inf),
    "beds_effect": (-np.inf, np.inf),
    "teaching_effect": (-np.inf, np.inf),
    "treatment_effect_sd": (0, np.inf),
    "hospital_sd": (0, np.inf),
    "patient_sd": (0, np.inf),
    "region_sd": (0, np.inf),
    "ward_sd": (0, np.inf),
    "surgeon_sd": (0, np.inf),
    "overdispersion": (0, np.inf),
    "confounding": (0, np.inf),
    "error_df": (0, np.inf),
    "error_spread": (0, np.inf),
    "outlier_scale": (1, np.inf),
    "missing_strength": (0, np.inf),
    "intercept_effect_correlation": (-1, 1),
    "treated_share": (0, 1),
    "outlier_share": (0, 1),
    "missing_share": (0, 1),
}
# On the logit or log scale larger values mean that the mmHg of the default call were left in.
LINK_LIMITS = {
    "intercept": 10,
    "treatment_effect": 5,
    "hospital_sd": 3,
    "treatment_effect_sd": 3,
    "region_sd": 3,
    "ward_sd": 3,
    "surgeon_sd": 3,
    "overdispersion": 3,
}


def _require(rule: str, holds: bool, received: object) -> None:
    if not holds:
        raise ValueError(f"{rule}; received {received!r}")


def _whole(name: str, value: object, least: int) -> int:
    fits = isinstance(value, Integral) and not isinstance(value, bool) and value >= least
    _require(f"{name} must be a whole number >= {least}", fits, value)
    return int(value)


def _number(name: str, value: object, low: float, high: float) -> float:
    fits = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(value)
    rule = f"{name} must be a finite number"
    if np.isfinite(low):
        rule += f" >= {low}" if high == np.inf else f" from {low} to {high}"
    _require(rule, fits and low <= value <= high, value)
    return float(value)


def check_sizes(value: object, n_hospitals: int) -> int | tuple[int, int] | np.ndarray:
    """Check patients_per_hospital: a number, a (low, high) pair, or one size a hospital."""
    name = "patients_per_hospital"
    if isinstance(value, Integral):
        return _whole(name, value, 1)
    if isinstance(value, tuple) and len(value) == 2:
        low, high = (_whole(f"each end of {name}", end, 1) for end in value)
        _require(f"{name}=(low, high) needs low <= high", low <= high, value)
        return low, high
    rule = (
        f"{name} must be a whole number >= 1, a tuple (low, high), "
        f"or one whole number >= 1 for each of the {n_hospitals} hospitals"
    )
    try:
        sizes = np.array(value)  # a copy: the caller may go on changing theirs
    except ValueError as error:  # lists of unlike length
        raise ValueError(f"{rule}; received {value!r}") from error
    _require(rule, sizes.dtype.kind in "iu" and sizes.shape == (n_hospitals,), value)
    _require(rule, sizes.min() >= 1, value)
    sizes = sizes.astype(np.int64)
    sizes.setflags(write=False)
    return sizes


def check(given: dict) -> dict:
    """Return the keywords of `med_trial` as clean Python values, or raise ValueError."""
    clean = dict(given)
    for name, allowed in CHOICES.items():
        value = given[name]
        fits = (value is None or isinstance(value, str)) and value in allowed
        _require(f"{name} must be one of {', '.join(map(repr, allowed))}", fits, value)
    for name, least in COUNTS.items():
        clean[name] = _whole(name, given[name], least)
    for name, (low, high) in RANGES.items():
        clean[name] = _number(name, given[name], low, high)
    clean["patients_per_hospital"] = check_sizes(
        given["patients_per_hospital"], clean["n_hospitals"]
    )
    _check_pairs(clean)
    _check_treatment(clean)
    _check_outcome(clean)
    return clean


def _check_pairs(p: dict) -> None:
    for unit in ("ward", "surgeon"):
        _require(
            f"{unit}_sd > 0 needs n_{unit}s > 0, or there is no {unit} to vary",
            p[f"{unit}_sd"] == 0 or p[f"n_{unit}s"] > 0,
            p[f"n_{unit}s"],
        )
    _require(
        "a correlation of intercept and effect needs hospital_sd > 0 and treatment_effect_sd > 0",
        p["intercept_effect_correlation"] == 0 or p["hospital_sd"] * p["treatment_effect_sd"] > 0,
        (p["hospital_sd"], p["treatment_effect_sd"]),
    )
    _require(
        "error_law='student_t' needs error_df > 2, or its variance is infinite",
        p["error_law"] != "student_t" or p["error_df"] > 2,
        p["error_df"],
    )


def _check_treatment(p: dict) -> None:
    share, assignment = p["treated_share"], p["assignment"]
    if assignment == "hospital":
        _require(
            "assignment='hospital' must leave a hospital in each arm: "
            "treated_share * n_hospitals from 1 to n_hospitals - 1",
            1 <= share * p["n_hospitals"] <= p["n_hospitals"] - 1,
            (share, p["n_hospitals"]),
        )
    if assignment.startswith("sicker"):
        _require(f"assignment={assignment!r} needs 0 < treated_share < 1", 0 < share < 1, share)
    if assignment == "sicker hospitals more" and p["confounding"] > 0:
        _require(
            "assignment='sicker hospitals more' needs hospital_sd > 0, or no hospital is sicker",
            p["hospital_sd"] > 0,
            p["hospital_sd"],
        )
    if assignment == "sicker patients more" and p["confounding"] > 0:
        _require(
            "assignment='sicker patients more' treats by baseline pressure, which confounds only "
            "where baseline also moves the outcome: baseline_effect must not be 0",
            p["baseline_effect"] != 0,
            p["baseline_effect"],
        )


def _check_outcome(p: dict) -> None:
    outcome = p["outcome"]
    if outcome != "continuous":
        scale = {"binary": "logit", "count": "log"}[outcome]
        for name, limit in LINK_LIMITS.items():
            _require(
                f"with outcome={outcome!r} {name} is on the {scale} scale, at most {limit} in "
                "size; try intercept=-1.4, treatment_effect=-0.5, hospital_sd=0.5",
                abs(p[name]) <= limit,
                p[name],
            )
        _require(
            f"outcome={outcome!r} has no error of its own: error_law must be 'normal'",
            p["error_law"] == "normal",
            p["error_law"],
        )
    _require(
        "overdispersion is for outcome='count' only",
        outcome == "count" or p["overdispersion"] == 0,
        p["overdispersion"],
    )
    if p["missing"] is not None:
        _require("missing_share must be below 1", p["missing_share"] < 1, p["missing_share"])
    _require(
        "an outcome that goes missing by its own value is missing_mechanism='MNAR'",
        p["missing"] != "outcome" or p["missing_mechanism"] != "by outcome",
        p["missing_mechanism"],
    )
