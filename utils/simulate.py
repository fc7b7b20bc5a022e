"""MedTrial: a simulated trial of a blood-pressure drug in many hospitals, with its truth.

Every assumption is a keyword of `med_trial`. A switch changes what it says and nothing else:
each quantity has its own stream of random numbers, so with the same `rng` the patients of two
calls differ only by what was switched.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from utils._simulate_build import (
    OUTCOME_NAMES,
    categorical,
    draw_age,
    draw_baseline,
    draw_hospitals,
    draw_members,
    draw_noise,
    draw_outcome,
    draw_treated,
    linear_predictor,
    make_missing,
)
from utils._simulate_check import check
from utils._simulate_streams import Streams
from utils._simulate_truth import Parameters, Study, Truth

__all__ = ["Study", "Truth", "med_trial"]


def med_trial(
    *,
    n_hospitals: int = 30,
    patients_per_hospital: int | tuple[int, int] | Sequence[int] | np.ndarray = (10, 40),
    intercept: float = 140.0,
    treatment_effect: float = -8.0,
    treatment_effect_sd: float = 0.0,
    intercept_effect_correlation: float = 0.0,
    hospital_sd: float = 6.0,
    patient_sd: float = 12.0,
    age_effect: float = 0.0,
    baseline_effect: float = 0.0,
    age_treatment_effect: float = 0.0,
    beds_effect: float = 0.0,
    teaching_effect: float = 0.0,
    n_regions: int = 4,
    region_sd: float = 0.0,
    n_wards: int = 0,
    ward_sd: float = 0.0,
    n_surgeons: int = 0,
    surgeon_sd: float = 0.0,
    assignment: str = "patient",
    treated_share: float = 0.5,
    confounding: float = 1.0,
    hospital_law: str = "normal",
    error_law: str = "normal",
    error_df: float = 4.0,
    error_spread: float = 0.5,
    outlier_share: float = 0.05,
    outlier_scale: float = 5.0,
    outcome: str = "continuous",
    overdispersion: float = 0.0,
    missing: str | None = None,
    missing_mechanism: str = "MCAR",
    missing_share: float = 0.2,
    missing_strength: float = 1.5,
    n_noise_predictors: int = 0,
    n_noise_hospital_predictors: int = 0,
    rng: int | np.random.Generator | None = None,
) -> Study:
    """Simulate a trial of a blood-pressure drug in many hospitals.

    All arguments are by keyword. With none, thirty hospitals of 10 to 40 patients each, half of
    each hospital's patients treated, and a drug that lowers the pressure by 8 mmHg everywhere.

    Parameters
    ----------
    n_hospitals : int
        Hospitals, >= 1.
    patients_per_hospital : int, tuple (low, high), or int array of shape (n_hospitals,)
        Patients of each hospital: the same number, whole numbers drawn evenly from low to high
        (both included), or one given size each. A tuple of two is always a range.
    intercept : float
        Mean outcome of an untreated patient aged 60 with a baseline of 150 mmHg in an average
        hospital without teaching and with 500 beds. mmHg; see `outcome` for other scales.
    treatment_effect : float
        Mean change by treatment, mmHg, over the population of hospitals.
    treatment_effect_sd : float
        SD of the hospitals' own treatment effects, mmHg.
    intercept_effect_correlation : float
        Correlation of a hospital's intercept effect and its treatment effect, -1 to 1. Other
        than 0 it needs both SDs above 0.
    hospital_sd : float
        SD of the hospitals' intercept effects, mmHg.
    patient_sd : float
        SD of the patients within a hospital, mmHg. Of no use where `outcome` is not continuous.
    age_effect, baseline_effect : float
        mmHg per year of age above 60; mmHg per mmHg of baseline above 150.
    age_treatment_effect : float
        Interaction: mmHg by which the treatment effect changes per year above 60.
    beds_effect, teaching_effect : float
        mmHg per 100 beds above 500; mmHg by which teaching hospitals differ.
    n_regions, region_sd : int, float
        Regions (hospitals are dealt to them in turn) and the SD of their effects, mmHg. Fewer
        hospitals than regions leave the last regions out.
    n_wards, ward_sd : int, float
        Wards in each hospital (0: no `ward` column) and the SD of their effects, mmHg. Each
        patient lies in any ward of the hospital with the same chance.
    n_surgeons, surgeon_sd : int, float
        Surgeons (0: no `surgeon` column) and the SD of their effects, mmHg. They are crossed with
        hospitals: each patient gets any surgeon with the same chance.
    assignment : {"patient", "hospital", "sicker hospitals more", "sicker patients more"}
        How treatment is given. "patient": at random, to `treated_share` of each hospital's
        patients. "hospital": to all patients of `treated_share` of the hospitals. "sicker
        hospitals more": within each hospital at random, to a share that rises with the hospital's
        intercept effect. "sicker patients more": by a chance that rises with the patient's
        baseline; needs ``baseline_effect != 0``, and adjusting for baseline removes the bias.
        Numbers that do not come out whole are rounded up or down at random, right on average.
    treated_share : float
        Share of the treated, 0 to 1; where the sicker get more, the share over the population.
    confounding : float
        For the two "sicker" assignments: rise in the log-odds of treatment per SD of the
        hospital's intercept effect, or per SD (15 mmHg) of baseline. 0: no confounding.
    hospital_law : {"normal", "skewed", "bimodal"}
        Law of the intercept effects, each with mean 0 and SD `hospital_sd`. "skewed": a shifted
        exponential, skewness 2. "bimodal": two normal laws of equal weight, centred at -0.9 and
        0.9 `hospital_sd`.
    error_law : {"normal", "student_t", "differs by hospital", "grows with mean", "outliers"}
        Law of the patients about their mean. "student_t": `error_df` degrees of freedom (> 2).
        "differs by hospital": each hospital has its own SD, log-normal with `error_spread` the SD
        of its logarithm. "outliers": `outlier_share` of the patients have `outlier_scale` times
        the SD of the others. All these have variance ``patient_sd ** 2`` over all patients.
        "grows with mean" does not: its SD is `patient_sd` for a patient whose mean is
        `intercept`, and is multiplied by ``exp(error_spread)`` per 10 mmHg of the mean above it.
    error_df, error_spread, outlier_share, outlier_scale : float
        See `error_law`.
    outcome : {"continuous", "binary", "count"}
        "continuous": `sbp`, mmHg. "binary": `event`, 1 for a stroke or heart attack within a
        year; intercept, effects and SDs are on the logit scale. "count": `admissions` within a
        year, Poisson; on the log scale. The defaults in mmHg are refused for these two: give
        `intercept`, `treatment_effect` and `hospital_sd`.
    overdispersion : float
        For counts: SD of a normal effect of each patient on the log scale.
    missing : {None, "outcome", "covariate"}
        What goes missing: the outcome, or `baseline`. The data before are `truth.complete_data`.
    missing_mechanism : {"MCAR", "MAR", "MNAR", "by outcome"}
        "MCAR": by chance. "MAR": more often at a higher baseline (for the outcome) or at a higher
        age (for baseline). "MNAR": more often where the missing value itself is higher. "by
        outcome": baseline more often missing where the outcome is higher.
    missing_share, missing_strength : float
        Expected share that goes missing; rise in the log-odds of it per SD of its reason.
    n_noise_predictors, n_noise_hospital_predictors : int
        Columns `noise_1`, ... (one value a patient) and `hospital_noise_1`, ... (one a hospital):
        standard normal, without effect.
    rng : int, numpy.random.Generator or None
        Seed, or source of it. A Generator is drawn from, so each call gives another study.

    Returns
    -------
    Study
        ``data``, ``truth`` and ``seed`` (None where a Generator was passed).

        ``data`` has one row a patient: patient (1, 2, ...), hospital (categorical "H01", ...),
        treated (0/1), age (whole years), baseline (whole mmHg), beds, teaching (0/1), region
        (categorical "R1", ...), then ward, surgeon and noise predictors where asked for, and the
        outcome last. Age is normal with mean 60 and SD 10, kept within 18 and 102; baseline is
        normal with mean 150 and SD 15 and the same in every hospital. (Rounding to whole numbers
        makes the SDs 10.004 and 15.003.) Beds are 100, 110, ..., 900, each as likely; a hospital
        teaches with probability 0.3.

        ``truth`` has every keyword as an attribute, ``icc``, and tables. ``truth.hospitals``:
        n, intercept_effect (u_j), treatment_effect (the hospital's own, at age 60), mean (of
        its untreated patients aged 60 with baseline 150, wards and surgeons at 0; for a binary or
        count outcome their risk or rate), region, region_effect, beds, teaching, patient_sd,
        treated_share (as it came out). ``truth.wards``, ``truth.surgeons`` and
        ``truth.complete_data`` are None where not asked for.

    Raises
    ------
    ValueError
        For a value outside its range, an unknown word, and a request that cannot be met; the
        message says the rule and the value received.

    Notes
    -----
    For patient i of hospital j::

        sbp_ij = intercept + u_j
                 + (effect_j + age_treatment_effect * (age_ij - 60)) * treated_ij
                 + age_effect * (age_ij - 60) + baseline_effect * (baseline_ij - 150)
                 + beds_effect * (beds_j - 500) / 100 + teaching_effect * teaching_j
                 + region + ward + surgeon + e_ij

    ``u_j`` has SD hospital_sd, ``effect_j`` mean treatment_effect and SD treatment_effect_sd,
    ``e_ij`` SD patient_sd: the linear mixed model of Laird and Ware (1982), Biometrics 38,
    963-974. Effects of hospitals are ``effect_j = treatment_effect + treatment_effect_sd *
    (rho * u_j / hospital_sd + sqrt(1 - rho ** 2) * z_j)`` with z_j standard normal.

    Examples
    --------
    >>> study = med_trial(rng=1)
    >>> study
    Study: 30 hospitals, 685 patients, seed 1
    >>> study.truth.treatment_effect, round(study.truth.icc, 2)
    (-8.0, 0.2)

    The same seed gives the same patients, whatever is switched on.

    >>> wider = med_trial(hospital_sd=12, rng=1)
    >>> bool((wider.data["age"] == study.data["age"]).all())
    True

    A study in which 20 hospitals treat all of their patients or none:

    >>> study = med_trial(n_hospitals=20, assignment="hospital", rng=2)
    >>> study.truth.hospitals["treated_share"].value_counts().sort_index().tolist()
    [10, 10]
    """
    given = {name: value for name, value in locals().items() if name != "rng"}
    p = Parameters(**check(given))
    streams = Streams(rng)
    layout = draw_hospitals(p, streams)
    hospitals = layout.table
    n = layout.hospital.size
    age = draw_age(n, streams)
    baseline = draw_baseline(n, streams)
    treated = draw_treated(p, layout, baseline, streams)
    members, tables, member_effect = draw_members(p, layout, streams)
    mean = linear_predictor(p, layout, treated, age, baseline, member_effect)
    columns = {
        "patient": np.arange(1, n + 1),
        "hospital": categorical(layout.hospital, hospitals.index.rename(None)),
        "treated": treated,
        "age": age.astype(np.int64),
        "baseline": baseline,
        "beds": layout.spread("beds"),
        "teaching": layout.spread("teaching"),
        "region": categorical(
            np.repeat(hospitals["region"].array.codes, layout.sizes),
            hospitals["region"].cat.categories,
        ),
        **members,
        **draw_noise(p, layout, streams),
        OUTCOME_NAMES[p.outcome]: draw_outcome(p, layout, mean, streams),
    }
    # copy=False: each column keeps the array that it was drawn into.
    data = pd.DataFrame(columns, copy=False)
    hospitals["treated_share"] = np.bincount(layout.hospital, treated, n_hospitals) / layout.sizes
    tables = {"hospitals": hospitals.drop(columns=["predictor", "score"]), **tables}
    if p.missing is not None:
        tables["complete_data"] = data
        data = make_missing(p, data, OUTCOME_NAMES[p.outcome], streams)
    return Study(data, Truth(**vars(p), _tables=tables), streams.seed)
