"""Draw a study from checked parameters: one vectorised pass, no loop over hospitals."""

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import poisson

from utils._simulate_streams import Streams, hospital_scores, logit_intercept, normal_grid
from utils._simulate_truth import Parameters

AGE_MEAN, AGE_SD, AGE_LOW, AGE_HIGH = 60.0, 10.0, 18.0, 102.0
BASELINE_MEAN, BASELINE_SD = 150.0, 15.0
BEDS_CENTRE = 500  # beds are 100, 110, ..., 900, each as likely
TEACHING_SHARE = 0.3
HIGHEST_TICKET = np.iinfo(np.int64).max
OUTCOME_NAMES = {"continuous": "sbp", "binary": "event", "count": "admissions"}


@dataclass
class Layout:
    """Which patient lies where: sizes and each hospital's own quantities."""

    sizes: np.ndarray
    hospital: np.ndarray  # code of each patient's hospital
    table: pd.DataFrame  # becomes truth.hospitals

    def column(self, name: str) -> np.ndarray:
        """One value a hospital."""
        return self.table[name].to_numpy()

    def spread(self, column: str) -> np.ndarray:
        """Give each patient the hospital's value."""
        return np.repeat(self.column(column), self.sizes)


def names(letter: str, n: int, least: int = 2) -> list[str]:
    """Names of equal length, so that they sort in numeric order: H01, H02, ..."""
    width = max(least, len(str(n)))
    return [f"{letter}{i:0{width}d}" for i in range(1, n + 1)]


def categorical(codes: np.ndarray, categories: pd.Index | list[str]) -> pd.Categorical:
    """Make a categorical column from codes, without a string for each patient."""
    return pd.Categorical.from_codes(
        codes, dtype=pd.CategoricalDtype(categories, ordered=False), validate=False
    )


def small_codes(codes: np.ndarray, n: int) -> np.ndarray:
    """Store codes in the smallest integer type that pandas uses for n categories."""
    return codes.astype(np.min_scalar_type(-max(n, 1)), copy=False)


def draw_sizes(p: Parameters, streams: Streams) -> np.ndarray:
    """Patients of each hospital."""
    sizes = p.patients_per_hospital
    if isinstance(sizes, tuple):
        return streams["sizes"].integers(*sizes, size=p.n_hospitals, endpoint=True)
    return np.broadcast_to(sizes, p.n_hospitals).astype(np.int64)


def draw_hospitals(p: Parameters, streams: Streams) -> Layout:
    """Sizes, covariates and random effects of the hospitals."""
    n = p.n_hospitals
    sizes = draw_sizes(p, streams)
    score = hospital_scores(streams["hospital intercept"].standard_normal(n), p.hospital_law)
    rho = p.intercept_effect_correlation
    own = streams["hospital effect"].standard_normal(n)
    n_regions = min(p.n_regions, n)
    region = np.arange(n) % n_regions
    region_effect = p.region_sd * streams["region"].standard_normal(p.n_regions) + 0.0
    beds = 10 * streams["beds"].integers(10, 90, size=n, endpoint=True)
    teaching = (streams["teaching"].random(n) < TEACHING_SHARE).astype(np.int64)
    spread = p.error_spread if p.error_law == "differs by hospital" else 0.0
    # Log-normal SDs whose squares average to patient_sd ** 2.
    patient_sd = p.patient_sd * np.exp(
        spread * streams["hospital variance"].standard_normal(n) - spread**2
    )
    table = pd.DataFrame(
        {
            "n": sizes,
            "intercept_effect": p.hospital_sd * score + 0.0,  # + 0.0 makes -0.0 a plain 0
            "treatment_effect": p.treatment_effect
            + p.treatment_effect_sd * (rho * score + np.sqrt(1 - rho**2) * own),
            "region": categorical(small_codes(region, n_regions), names("R", n_regions, 1)),
            "region_effect": region_effect[region],
            "beds": beds,
            "teaching": teaching,
            "patient_sd": patient_sd,
        },
        index=pd.Index(names("H", n), name="hospital"),
    )
    predictor = (
        p.intercept
        + table["intercept_effect"]
        + table["region_effect"]
        + p.beds_effect * (beds - BEDS_CENTRE) / 100
        + p.teaching_effect * teaching
    )
    table.insert(3, "mean", _inverse_link(predictor, p.outcome))
    if p.outcome != "continuous":
        table["patient_sd"] = np.nan
    table["predictor"] = predictor
    table["score"] = score
    codes = np.repeat(small_codes(np.arange(n), n), sizes)
    return Layout(sizes, codes, table)


def _inverse_link(predictor, outcome: str):
    return {"continuous": lambda x: x, "binary": expit, "count": np.exp}[outcome](predictor)


def draw_age(n: int, streams: Streams) -> np.ndarray:
    """Ages in whole years; rounding and clipping are symmetric, so the mean stays 60."""
    age = streams["age"].standard_normal(n)
    age *= AGE_SD
    age += AGE_MEAN
    np.rint(age, out=age)
    return np.clip(age, AGE_LOW, AGE_HIGH, out=age)


def draw_baseline(n: int, streams: Streams) -> np.ndarray:
    """Pressures before treatment in whole mmHg, the same law in every hospital."""
    baseline = streams["baseline"].standard_normal(n)
    baseline *= BASELINE_SD
    baseline += BASELINE_MEAN
    return np.rint(baseline, out=baseline)


def draw_treated(
    p: Parameters, layout: Layout, baseline: np.ndarray, streams: Streams
) -> np.ndarray:
    """Who is treated (0 or 1), by the assignment asked for."""
    if p.assignment == "hospital":
        rank = streams["treatment"].permutation(p.n_hospitals)
        n_treated = _round_randomly(np.array(p.treated_share * p.n_hospitals), streams)
        return np.repeat((rank < n_treated).astype(np.int64), layout.sizes)
    if p.assignment == "sicker patients more":
        start = _treatment_start(p.treated_share, p.confounding, "normal")
        chance = expit(start + p.confounding * (baseline - BASELINE_MEAN) / BASELINE_SD)
        return (streams["treatment"].random(baseline.size) < chance).astype(np.int64)
    share = p.treated_share
    if p.assignment == "sicker hospitals more":
        start = _treatment_start(share, p.confounding, p.hospital_law)
        share = expit(start + p.confounding * layout.column("score"))
    return _treat_within(layout.sizes, _round_randomly(share * layout.sizes, streams), streams)


@functools.lru_cache(maxsize=64)
def _treatment_start(share: float, confounding: float, law: str) -> float:
    """Return the log-odds of treatment at score 0; kept, since many trials ask for the same."""
    return logit_intercept(share, confounding, hospital_scores(normal_grid(), law))


def _round_randomly(expected: np.ndarray, streams: Streams) -> np.ndarray:
    """Round up or down at random, right on average."""
    # 2.9999999999999996 patients are 3: without this step, rounding error would be drawn upon.
    expected = np.round(expected, 9)
    below = np.floor(expected)
    up = streams["treatment rounding"].random(expected.shape) < expected - below
    return (below + up).astype(np.int64)


def _treat_within(sizes: np.ndarray, n_treated: np.ndarray, streams: Streams) -> np.ndarray:
    """Treat a given number of patients in each hospital, every choice of them as likely."""
    # Each patient draws a ticket; the k smallest tickets of a hospital are treated. Tickets have
    # 63 bits, so that two equal ones are not to be expected in any study that fits in memory.
    ticket = streams["treatment"].integers(0, HIGHEST_TICKET, size=int(sizes.sum()))
    start = np.cumsum(sizes) - sizes
    limit = np.full(sizes.size, -1)
    # Sorting short rows is far faster than one long sort. Hospitals of like size (up to twofold)
    # share a table, padded at the right, so there are few tables and little padding.
    like_size = np.frexp(sizes)[1]
    for group in np.unique(like_size):
        rows = np.flatnonzero(like_size == group)
        place = np.arange(sizes[rows].max())
        index = start[rows, None] + place
        table = ticket.take(index, mode="clip")
        table[place >= sizes[rows, None]] = HIGHEST_TICKET
        table.sort(axis=1)
        last = n_treated[rows]
        limit[rows] = np.where(last > 0, table[np.arange(rows.size), last - 1], -1)
    return (ticket <= np.repeat(limit, sizes)).astype(np.int64)


def draw_members(
    p: Parameters, layout: Layout, streams: Streams
) -> tuple[dict[str, pd.Categorical], dict[str, pd.DataFrame], np.ndarray | float]:
    """Wards and surgeons: columns for the patients, tables for the truth, and their effect."""
    columns, tables, effect = {}, {}, 0.0
    n, hospitals = layout.hospital.size, layout.table.index
    if p.n_wards:
        wards = names("W", p.n_wards, 1)
        labels = pd.Index([f"{h}-{w}" for h in hospitals.tolist() for w in wards])
        codes = layout.hospital.astype(np.int64) * p.n_wards
        codes += streams["ward"].integers(0, p.n_wards, size=n)
        ward_effect = p.ward_sd * streams["ward effect"].standard_normal(labels.size)
        home = categorical(np.repeat(np.arange(hospitals.size), p.n_wards), hospitals)
        tables["wards"] = pd.DataFrame(
            {"hospital": home, "ward_effect": ward_effect}, index=labels.rename("ward")
        )
        columns["ward"] = categorical(small_codes(codes, labels.size), labels)
        effect = effect + ward_effect[codes]
    if p.n_surgeons:
        labels = pd.Index(names("S", p.n_surgeons))
        codes = streams["surgeon"].integers(0, p.n_surgeons, size=n)
        surgeon_effect = p.surgeon_sd * streams["surgeon effect"].standard_normal(labels.size)
        tables["surgeons"] = pd.DataFrame(
            {"surgeon_effect": surgeon_effect}, index=labels.rename("surgeon")
        )
        columns["surgeon"] = categorical(small_codes(codes, labels.size), labels)
        effect = effect + surgeon_effect[codes]
    return columns, tables, effect


def draw_noise(p: Parameters, layout: Layout, streams: Streams) -> dict[str, np.ndarray]:
    """Draw standard normal predictors that have nothing to do with the outcome."""
    columns = {}
    shape = (p.n_noise_predictors, layout.hospital.size)
    for i, values in enumerate(streams["noise"].standard_normal(shape), start=1):
        columns[f"noise_{i}"] = values
    shape = (p.n_noise_hospital_predictors, p.n_hospitals)
    for i, values in enumerate(streams["hospital noise"].standard_normal(shape), start=1):
        columns[f"hospital_noise_{i}"] = np.repeat(values, layout.sizes)
    return columns


def linear_predictor(
    p: Parameters,
    layout: Layout,
    treated: np.ndarray,
    age: np.ndarray,
    baseline: np.ndarray,
    member_effect: np.ndarray | float,
) -> np.ndarray:
    """Everything in the model equation but the error."""
    slope = layout.spread("treatment_effect") if p.treatment_effect_sd else p.treatment_effect
    if p.age_treatment_effect:
        slope = slope + p.age_treatment_effect * (age - AGE_MEAN)
    mean = layout.spread("predictor")
    mean += slope * treated
    if p.age_effect:
        mean += p.age_effect * (age - AGE_MEAN)
    if p.baseline_effect:
        mean += p.baseline_effect * (baseline - BASELINE_MEAN)
    if p.n_wards or p.n_surgeons:
        mean += member_effect
    return mean


def draw_outcome(p: Parameters, layout: Layout, mean: np.ndarray, streams: Streams) -> np.ndarray:
    """Add the error, or draw events or counts."""
    n = mean.size
    if p.outcome == "binary":
        return (streams["outcome"].random(n) < expit(mean)).astype(np.int64)
    if p.outcome == "count":
        if p.overdispersion:
            mean = mean + p.overdispersion * streams["error"].standard_normal(n)
        # By inverse probability each patient uses one number, whatever the rate is.
        return poisson_quantile(streams["outcome"].random(n), np.exp(mean))
    error = streams["error"].standard_normal(n)
    if p.error_law == "differs by hospital":
        error *= layout.spread("patient_sd")
    else:
        error *= p.patient_sd
    if p.error_law == "student_t":  # t has variance df / (df - 2)
        error *= np.sqrt((p.error_df - 2) / streams["error scale"].chisquare(p.error_df, size=n))
    elif p.error_law == "outliers":
        inner = 1 / np.sqrt(1 + p.outlier_share * (p.outlier_scale**2 - 1))
        outlying = streams["error scale"].random(n) < p.outlier_share
        error *= np.where(outlying, inner * p.outlier_scale, inner)
    elif p.error_law == "grows with mean":
        error *= np.exp(p.error_spread * (mean - p.intercept) / 10)
    error += mean
    return error


def poisson_quantile(probability: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Smallest count whose distribution function reaches the probability.

    The same as ``scipy.stats.poisson.ppf``; for rates up to 20 by adding up the terms, which is
    several times faster for the small counts of a teaching study.
    """
    count = np.zeros(rate.size, dtype=np.int64)
    large = rate > 20
    count[large] = poisson.ppf(probability[large], rate[large])
    left = np.flatnonzero(~large)
    rest, of, k = probability[left], rate[left], 0
    term = np.exp(-of)
    # The rest falls at each step; a term of 0 ends the sum where rounding leaves a tiny rest.
    while (going := (rest > term) & (term > 0)).any():
        rest, of, term, left = (rest - term)[going], of[going], term[going], left[going]
        k += 1
        count[left] = k
        term = term * of / k
    return count


def make_missing(p: Parameters, data: pd.DataFrame, outcome: str, streams: Streams) -> pd.DataFrame:
    """Blank out values of the outcome or of baseline, by the mechanism asked for."""
    target = outcome if p.missing == "outcome" else "baseline"
    reason = {
        "MCAR": None,
        "MAR": "baseline" if p.missing == "outcome" else "age",
        "MNAR": target,
        "by outcome": outcome,
    }[p.missing_mechanism]
    chance = p.missing_share
    if reason is not None and p.missing_share > 0:
        score = data[reason].to_numpy(dtype=float)
        sd = score.std()
        score = (score - score.mean()) / sd if sd > 0 else np.zeros_like(score)
        # Every k-th score is enough to calibrate on, and keeps a million patients cheap.
        start = logit_intercept(chance, p.missing_strength, score[:: 1 + score.size // 20_000])
        chance = expit(start + p.missing_strength * score)
    lost = streams["missing"].random(len(data)) < chance
    observed = data.copy(deep=False)
    observed[target] = observed[target].astype(float).mask(lost)
    return observed
