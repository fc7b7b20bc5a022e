"""The checks of lesson 9, more than two levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number
from utils.levels import correlations, treatment_se, variance_shares
from utils.simulate import Study, med_trial

# The registry of E09.1 and the ward trial of E09.2, as the lesson states them.
REGISTRY = {"region": 1, "hospital": 3, "ward": 4, "patient": 8}
HANDOVER_SDS = {"hospital": 5, "ward": 4, "patient": 12}
HANDOVER = {"hospital": 12, "ward": 4, "patient": 16}

# Wrong ways must differ by this much from the right correlation of own hospitals.
_APART = 0.005


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own hospitals: equal wards, whose labels repeat in every hospital.

    Studies in which a variance is estimated as 0, or a wrong way gives the right number, are
    drawn again.
    """
    while True:
        wards, size = int(rng.integers(3, 6)), int(rng.integers(5, 9))
        study = med_trial(
            n_hospitals=int(rng.integers(9, 15)),
            patients_per_hospital=wards * (size + 14),
            treatment_effect=0,
            treated_share=0,
            hospital_sd=round(float(rng.uniform(4, 7)), 1),
            n_wards=wards,
            ward_sd=round(float(rng.uniform(4, 7)), 1),
            patient_sd=round(float(rng.uniform(8, 12)), 1),
            rng=rng,
        )
        code = study.data["ward"].cat.codes.to_numpy()
        order = np.argsort(code, kind="stable")
        start = np.searchsorted(code[order], np.arange(code.max() + 1))
        place = np.arange(code.size) - start[code[order]]
        rows = order[place < size]  # the first patients of each ward, ward by ward
        if rows.size < study.truth.n_hospitals * wards * size:
            continue  # a ward with too few patients
        y = study.data["sbp"].to_numpy()[rows].reshape(-1, wards, size)
        parts = _parts(y)
        if min(parts["hospital"], parts["ward"]) < 0.5:
            continue
        if all(abs(wrong(y) - _same_ward(y)) > _APART for _, wrong in _OWN_MISTAKES):
            kept = study.data.iloc[np.sort(rows)].reset_index(drop=True)
            ward = kept["ward"].astype(str).str.rpartition("-")[2]
            return replace(study, data=kept[["patient", "hospital", "sbp"]].assign(ward=ward))


def _table(study: Study) -> np.ndarray:
    """Return the outcomes by hospital, ward and patient."""
    hospital = study.data["hospital"].cat.codes
    ward, names = pd.factorize(study.data["ward"], sort=True)
    y = study.data["sbp"].to_numpy()[np.lexsort((ward, hospital))]
    return y.reshape(hospital.nunique(), len(names), -1)


def _squares(y: np.ndarray) -> tuple[float, float, float]:
    """Return the mean squares of hospitals, of wards in hospitals, and of patients in wards."""
    means = y.mean(axis=2)
    wards, size = y.shape[1:]
    return (
        float(size * wards * means.mean(axis=1).var(ddof=1)),
        float(size * means.var(axis=1, ddof=1).mean()),
        float(y.var(axis=2, ddof=1).mean()),
    )


def _parts(y: np.ndarray) -> dict[str, float]:
    """Return the three variances, each mean square less what lies below it."""
    wards, size = y.shape[1:]
    hospital, ward, patient = _squares(y)
    return {
        "hospital": (hospital - ward) / (wards * size),
        "ward": (ward - patient) / size,
        "patient": patient,
    }


def _same_ward(y: np.ndarray) -> float:
    parts = _parts(y)
    return (parts["hospital"] + parts["ward"]) / sum(parts.values())


def _crossed(y: np.ndarray) -> float:
    """Return the correlation when W1 is taken for one ward of all hospitals.

    REML in a balanced crossed table: mean squares of hospitals, labels and the rest, where a
    smaller one of the former is pooled with the rest.
    """
    hospitals, wards, size = y.shape
    grand, total = y.mean(), ((y - y.mean()) ** 2).sum()
    by_hospital = wards * size * ((y.mean(axis=(1, 2)) - grand) ** 2).sum()
    by_label = hospitals * size * ((y.mean(axis=(0, 2)) - grand) ** 2).sum()
    rest, freedom = total - by_hospital - by_label, y.size - hospitals - wards + 1
    hospital, label = by_hospital / (hospitals - 1), by_label / (wards - 1)
    if label < rest / freedom:
        rest, freedom, label = rest + by_label, freedom + wards - 1, None
    noise = rest / freedom
    between = max(hospital - noise, 0) / (wards * size)
    between += 0 if label is None else (label - noise) / (hospitals * size)
    return between / (between + noise)


def _wards_left_out(y: np.ndarray) -> float:
    hospitals, wards, size = y.shape
    hospital, ward, patient = _squares(y)
    df_ward, df_patient = hospitals * (wards - 1), hospitals * wards * (size - 1)
    within = (df_ward * ward + df_patient * patient) / (df_ward + df_patient)
    between = (hospital - within) / (wards * size)
    return between / (between + within)


def _hospitals_left_out(y: np.ndarray) -> float:
    hospitals, wards, size = y.shape
    hospital, ward, patient = _squares(y)
    df_hospital, df_ward = hospitals - 1, hospitals * (wards - 1)
    ward = (df_hospital * hospital + df_ward * ward) / (df_hospital + df_ward)
    between = (ward - patient) / size
    return between / (between + patient)


def _noise_not_taken_away(y: np.ndarray) -> float:
    means = y.mean(axis=2)
    between = means.mean(axis=1).var(ddof=1) + means.var(axis=1, ddof=1).mean()
    return float(between / (between + _parts(y)["patient"]))


def _of_sds(y: np.ndarray) -> float:
    sds = {name: np.sqrt(value) for name, value in _parts(y).items()}
    return float((sds["hospital"] + sds["ward"]) / sum(sds.values()))


def _share(name: str) -> Callable[[np.ndarray], float]:
    def value(y: np.ndarray) -> float:
        parts = _parts(y)
        return parts[name] / sum(parts.values())

    return value


_NO_WARDS = (
    "Your model has no wards: that is the likeness within a hospital. Perhaps they were left out, "
    "or W1 was taken for one and the same ward in every hospital. A ward is hospital and label "
    "together."
)
_OWN_MISTAKES = (
    (_NO_WARDS, _crossed),
    (_NO_WARDS, _wards_left_out),
    (
        "That is the ward's share alone. Two patients of one ward share the hospital as well: add "
        "both variances.",
        _share("ward"),
    ),
    (
        "That is the correlation of two patients of one hospital in different wards. Patients of "
        "one ward share the ward's part too.",
        _share("hospital"),
    ),
    ("That is the patients' share. The correlation is what is left of 1.", _share("patient")),
    (
        "Your model leaves the hospitals out: wards stand on their own in it. Close, but the "
        "design has both levels: fit both.",
        _hospitals_left_out,
    ),
    (
        "You took the variances of the observed means as they are. They hold the noise of what "
        "lies below: take it away, level by level.",
        _noise_not_taken_away,
    ),
    (
        "You added standard deviations. A correlation is a share of variance: square them first.",
        _of_sds,
    ),
)


def _share_of(*levels: str) -> float:
    shares = variance_shares(REGISTRY)
    return float(sum(shares[level] for level in levels))


def _handover(variance: float) -> float:
    """Return the standard error of a difference of two means of 24 wards."""
    return float(np.sqrt(variance * (1 / 24 + 1 / 24)))


EXERCISES = (
    Exercise(
        id="E09.1",
        title="Two patients of one ward",
        objective="compute the correlation of two patients from the standard deviations of levels",
        kind="code",
        minutes=4,
        difficulty=1,
        answer=Number(
            quantity="the correlation",
            reference=lambda: float(correlations(REGISTRY)["ward"]),
            absolute=0.003,
            tolerance_reason="closed form; two decimals and a half are enough",
            percent=True,
            low=-1,
            high=1,
            misconceptions=(
                Misconception(
                    "That is the ward's share alone. Two patients of one ward also share the "
                    "hospital and the region: add those variances.",
                    lambda: _share_of("ward"),
                ),
                Misconception(
                    "That is the correlation of two patients of one hospital in different wards. "
                    "These two share the ward as well.",
                    lambda: _share_of("region", "hospital"),
                ),
                Misconception(
                    "You forgot the region. Who shares a ward shares its region too.",
                    lambda: _share_of("hospital", "ward"),
                ),
                Misconception(
                    "You added standard deviations. Variances add up: square first.",
                    lambda: 8 / 16,
                ),
                Misconception(
                    "You divided by the patients' variance. A correlation is a share of the "
                    "total: divide by the sum of all four.",
                    lambda: 26 / 64,
                ),
                Misconception(
                    "That is the share of the patients, which two patients do not have in common. "
                    "Take the other shares.",
                    lambda: _share_of("patient"),
                ),
            ),
        ),
        insight="The three upper levels together hold less than a third of the variance.",
    ),
    Exercise(
        id="E09.2",
        title="The standard error of a handover",
        objective="compute the standard error of a treatment given by ward",
        kind="code",
        minutes=6,
        difficulty=2,
        answer=Number(
            quantity="the standard error",
            unit="mmHg",
            reference=lambda: treatment_se(HANDOVER_SDS, HANDOVER, "ward"),
            relative=0.004,
            tolerance_reason="closed form; two decimals are enough",
            low=0,
            misconceptions=(
                Misconception(
                    "That is the standard error for a treatment given by patient. Each arm has "
                    "24 wards here, and their differences do not average out over patients.",
                    lambda: treatment_se(HANDOVER_SDS, HANDOVER, "patient"),
                ),
                Misconception(
                    "You counted the hospitals' variance. Both arms share each hospital, so its "
                    "part cancels.",
                    lambda: _handover(25 + 16 + 9),
                ),
                Misconception(
                    "That is the standard error for a treatment given by hospital. Here half of "
                    "the wards of each hospital are treated.",
                    lambda: treatment_se(HANDOVER_SDS, HANDOVER, "hospital"),
                ),
                Misconception(
                    "That is the variance of the effect, in mmHg². Take its square root.",
                    lambda: _handover(25) ** 2,
                ),
                Misconception(
                    "That is the standard error of one arm's mean. The effect is a difference of "
                    "two arms: add the variances of both.",
                    lambda: (25 / 24) ** 0.5,
                ),
                Misconception(
                    "You divided by all 48 wards, once. Each arm has half of them, and the effect "
                    "is a difference of two arms.",
                    lambda: (25 / 48) ** 0.5,
                ),
                Misconception(
                    "You left the patients' noise out of the ward means: a mean of 16 patients "
                    "still holds some.",
                    lambda: _handover(16),
                ),
                Misconception(
                    "You did not divide the patients' variance by 16: it is the mean of a ward "
                    "that is compared.",
                    lambda: _handover(16 + 144),
                ),
            ),
        ),
        insight="Two thirds larger than the standard error that counts patients only.",
    ),
    Exercise(
        id="E09.3",
        title="The wards were not recorded",
        objective="say which left-out level harms the standard error of a treatment",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="hospitals were treated, and the hospital is in the model. A hospital's mean holds "
            "the parts of its wards already, so its spread counts them. With equal wards that is "
            "exact, with nearly equal ones nearly so.",
            reasons={
                "a": "Look at the scoreboard, treatment by hospital: without wards the intervals "
                "kept their promise. What may not be left out is the treated level.",
                "c": "They are in the spread of the hospital means, which is what the standard "
                "error is computed from here.",
                "d": "Treating patients as independent leaves out the treated level itself, the "
                "worst case in the scoreboard.",
            },
        ),
    ),
    Exercise(
        id="E09.4",
        title="Which call is right?",
        objective="tell nested from crossed and write the model accordingly",
        kind="interpret",
        minutes=5,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="a therapist is the same person in every hospital, so therapists are crossed with "
            "hospitals: one group for everybody. A room is hospital and number together, and "
            "the column of places names it so.",
            reasons={
                "a": "Room 3 of one hospital is not room 3 of another. With one group for "
                "everybody a repeated label counts as one unit.",
                "b": 'Components within `groups="hospital"` are drawn anew in each hospital. P1 '
                "would be another person in each.",
                "d": "Now rooms are right but therapists are gone: what P1's patients share is "
                "left in the patients' noise.",
            },
        ),
    ),
    Exercise(
        id="E09.5",
        title="Spot the flaw",
        objective="find the place in a report where a level of the design was dropped by a test",
        kind="spot the flaw",
        minutes=5,
        difficulty=2,
        answer=Flaw(
            sentence=3,
            reason="b",
            why="Hospitals were randomised, so their level carries the error of the effect. Twelve "
            "hospitals give the test little power: that it finds nothing says little.",
            sentences={
                1: "Randomising hospitals is sound. It has to be remembered in the analysis.",
                2: "That is a description of the sample.",
                4: "It inherits the mistake, which is made earlier.",
                5: "Saying what cannot be ruled out is good reporting.",
            },
            reasons={
                "a": "Such a test can be used on a variance, if the boundary is minded. "
                "It answers another question.",
                "c": "Three wards tell the variance between wards well enough, over twelve "
                "hospitals.",
                "d": "Wards may be random: there are 36 of them. Nothing forces them to be fixed.",
            },
        ),
    ),
    Exercise(
        id="E09.6",
        title="Your own hospitals",
        objective="split the variance of three levels, on data that nobody else has",
        kind="code",
        minutes=10,
        difficulty=3,
        own=True,
        answer=Number(
            quantity="the correlation",
            reference=lambda study: _same_ward(_table(study)),
            absolute=0.002,
            tolerance_reason="REML and the formula agree to more digits than three",
            percent=True,
            low=-1,
            high=1,
            misconceptions=tuple(
                Misconception(says, lambda study, value=value: value(_table(study)))
                for says, value in _OWN_MISTAKES
            ),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)
