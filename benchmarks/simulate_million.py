"""What a million simulated patients cost, beside the raw random numbers alone.

Run from the root of the repository: ``python benchmarks/simulate_million.py [repeats]``.
Each design draws 1,000,000 patients in 10,000 hospitals. "raw" draws the same random numbers as
that design (same generators, same laws, same amounts) and does nothing with them; both are timed
in turn in one process, and the table gives medians. The aim is a ratio of at most 4 for the
default model at this size. Designs marked * do more arithmetic per number by their nature.
"""

import statistics
import sys
import time

import numpy as np

from utils.simulate import med_trial

PATIENTS, HOSPITALS = 1_000_000, 10_000
SIZE = dict(n_hospitals=HOSPITALS, patients_per_hospital=PATIENTS // HOSPITALS)


def draw(normals=3, uniforms=0, integers=1, chisquares=0):
    """Return a function that draws so many arrays of one number a patient, and no more."""

    def raw(rng: np.random.Generator) -> None:
        for _ in range(3):
            rng.standard_normal(HOSPITALS)
        for _ in range(2):
            rng.random(HOSPITALS)
        for _ in range(normals):
            rng.standard_normal(PATIENTS)
        for _ in range(uniforms):
            rng.random(PATIENTS)
        for _ in range(integers):
            rng.integers(0, 1 << 28, size=PATIENTS)
        for _ in range(chisquares):
            rng.chisquare(4, size=PATIENTS)

    return raw


DESIGNS = {
    "default": ({}, draw()),
    "treatment effects vary": (dict(treatment_effect_sd=3), draw()),
    "unbalanced, (50, 150)": (dict(patients_per_hospital=(50, 150)), draw()),
    "treated by hospital": (dict(assignment="hospital"), draw(integers=0)),
    "Student-t errors": (dict(error_law="student_t"), draw(chisquares=1)),
    "wards and surgeons": (
        dict(n_wards=4, ward_sd=2, n_surgeons=500, surgeon_sd=2),
        draw(integers=3),
    ),
    "outcome missing (MCAR)": (dict(missing="outcome"), draw(uniforms=1)),
    "age, baseline, interaction": (
        dict(age_effect=0.3, baseline_effect=0.5, age_treatment_effect=-0.1),
        draw(),
    ),
    "sicker patients more *": (
        dict(assignment="sicker patients more", baseline_effect=0.5),
        draw(uniforms=1, integers=0),
    ),
    "binary outcome *": (
        dict(outcome="binary", intercept=-1.4, treatment_effect=-0.5, hospital_sd=0.5),
        draw(normals=2, uniforms=1),
    ),
    "count outcome *": (
        dict(outcome="count", intercept=-1.4, treatment_effect=-0.5, hospital_sd=0.5),
        draw(normals=2, uniforms=1),
    ),
}


def seconds(function, *arguments, **keywords) -> float:
    start = time.perf_counter()
    function(*arguments, **keywords)
    return time.perf_counter() - start


def main(repeats: int) -> None:
    print(f"{PATIENTS:,} patients in {HOSPITALS:,} hospitals, medians of {repeats} runs")
    print(f"{'design':<28}{'raw ms':>8}{'study ms':>10}{'ratio':>7}")
    for name, (keywords, raw) in DESIGNS.items():
        raw_times, study_times = [], []
        for seed in range(repeats + 1):  # the first pair warms up and is dropped
            raw_times.append(seconds(raw, np.random.default_rng(seed)))
            study_times.append(seconds(med_trial, **(SIZE | keywords), rng=seed))
        raw_ms = 1000 * statistics.median(raw_times[1:])
        study_ms = 1000 * statistics.median(study_times[1:])
        print(f"{name:<28}{raw_ms:>8.0f}{study_ms:>10.0f}{study_ms / raw_ms:>7.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
