"""The checks of lesson 4, reading and writing a mixed model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from utils.covariance import implied_covariance
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number
from utils.simulate import Study, med_trial

# The patients of E04.1 and E04.2, as the lesson states them.
PAIR = {"hospital_sd": 5, "patient_sd": 10}
MIXED_PAIR = {"hospital_sd": 6, "effect_sd": 8, "patient_sd": 10}

# Wrong ways must miss the right estimate of own hospitals by this much, mmHg.
_APART = 0.06


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own small trial: unequal hospitals, and shares of treated that differ."""
    while True:
        sizes = rng.integers(2, 10, size=rng.integers(5, 9))
        study = med_trial(
            n_hospitals=sizes.size,
            patients_per_hospital=sizes,
            treatment_effect=-round(float(rng.uniform(6, 12)), 1),
            treated_share=0.3,
            hospital_sd=round(float(rng.uniform(4, 6)), 1),
            patient_sd=round(float(rng.uniform(11, 14)), 1),
            rng=rng,
        )
        if study.data.groupby("hospital", observed=True)["treated"].nunique().max() < 2:
            continue  # no hospital with both arms
        right = _effect(study)
        wrong = [value(study) for _, value in _EFFECT_MISTAKES]
        if abs(right) > 1 and all(abs(value - right) > _APART for value in wrong):
            return study


def _columns(study: Study) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcome, design matrix of the fixed effects, and hospital codes."""
    data: pd.DataFrame = study.data
    X = np.column_stack([np.ones(len(data)), data["treated"]])
    return data["sbp"].to_numpy(), X, data["hospital"].cat.codes.to_numpy()


def _weighted(study: Study, weight: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return (X'WX)⁻¹X'Wy, W a function of the hospital codes."""
    y, X, codes = _columns(study)
    W = weight(codes)
    return np.linalg.solve(X.T @ W @ X, X.T @ W @ y)


def _implied(study: Study, codes: np.ndarray) -> np.ndarray:
    truth = study.truth
    return implied_covariance(codes, hospital_sd=truth.hospital_sd, patient_sd=truth.patient_sd)


def _with(study: Study, hospital_sd: float, patient_sd: float) -> float:
    """Return the treatment effect under other standard deviations."""

    def weight(codes: np.ndarray) -> np.ndarray:
        V = implied_covariance(codes, hospital_sd=hospital_sd, patient_sd=patient_sd)
        return np.linalg.inv(V)

    return float(_weighted(study, weight)[1])


def _effect(study: Study) -> float:
    return _with(study, study.truth.hospital_sd, study.truth.patient_sd)


def _within(study: Study) -> float:
    """Return the treatment effect with hospital dummies."""
    y, X, codes = _columns(study)
    n = np.bincount(codes)
    x = X[:, 1] - (np.bincount(codes, X[:, 1]) / n)[codes]
    return float(x @ y / (x @ x))


def _mean_difference(study: Study) -> float:
    """Return the plain mean of the hospitals' own differences, where both arms are there."""
    means = study.data.groupby(["hospital", "treated"], observed=True)["sbp"].mean().unstack()
    return float((means[1] - means[0]).mean())


def _error_by_hand(study: Study) -> float:
    _, X, codes = _columns(study)
    inverse = np.linalg.inv(_implied(study, codes))
    return float(np.linalg.inv(X.T @ inverse @ X)[1, 1] ** 0.5)


_EFFECT_MISTAKES: tuple[tuple[str, Callable[[Study], float]], ...] = (
    (
        "That is plain least squares, the difference of the two arms' means: it takes all patients "
        "for independent. Weight by the inverse of V, with the hospitals in it.",
        lambda study: _with(study, 0, study.truth.patient_sd),
    ),
    (
        "That is the estimate with hospital dummies, which uses comparisons within hospitals "
        "only. The random intercept uses V.",
        _within,
    ),
    (
        "You put standard deviations into V. G and R hold variances: square both.",
        lambda study: _with(study, study.truth.hospital_sd**0.5, study.truth.patient_sd**0.5),
    ),
    (
        "You exchanged the two variances. What patients of one hospital share is hospital_sd²; "
        "patient_sd² stands on the diagonal only.",
        lambda study: _with(study, study.truth.patient_sd, study.truth.hospital_sd),
    ),
    (
        "You weighted by V. Patients that tell the same count less, not more: take the inverse "
        "of V.",
        lambda study: float(_weighted(study, lambda codes: _implied(study, codes))[1]),
    ),
    (
        "That is the intercept, the mean of the untreated. The effect of the treatment is the "
        "second coefficient.",
        lambda study: float(
            _weighted(study, lambda codes: np.linalg.inv(_implied(study, codes)))[0]
        ),
    ),
    (
        "That is the plain mean of the hospitals' own differences: hospitals of two patients count "
        "as much as those of nine, and those with one arm not at all. Weight by the inverse of V.",
        _mean_difference,
    ),
    (
        "That is the true effect, from which the patients were made. The question asks what the "
        "model estimates from the patients.",
        lambda study: float(study.truth.treatment_effect),
    ),
    (
        "That is the standard error of the effect. The question asks for the estimate.",
        _error_by_hand,
    ),
)


def _pair(covariance: float, variance: float = 125.0) -> float:
    """Return the SD of a difference of two patients with the same variance."""
    return float(np.sqrt(2 * variance - 2 * covariance))


def _mixed_pair() -> float:
    V = implied_covariance(["H01", "H01"], treated=[0, 1], **MIXED_PAIR)
    return float(V[0, 1] / np.sqrt(V[0, 0] * V[1, 1]))


EXERCISES = (
    Exercise(
        id="E04.1",
        title="The difference of two patients",
        objective="read the spread of a difference off a covariance matrix",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="the standard deviation of the difference",
            unit="mmHg",
            reference=lambda: _pair(PAIR["hospital_sd"] ** 2),
            absolute=0.06,
            tolerance_reason="closed form; one decimal is enough",
            low=0,
            misconceptions=(
                Misconception(
                    "That is for two patients of *different* hospitals. These two share their "
                    "hospital's part: take their covariance away, twice.",
                    lambda: _pair(0),
                ),
                Misconception(
                    "That is a variance, in mmHg². Take its square root.",
                    lambda: _pair(25) ** 2,
                ),
                Misconception(
                    "You took the variance of one patient. A difference adds up those of both, "
                    "before twice the covariance is taken away.",
                    lambda: float(np.sqrt(125 - 2 * 25)),
                ),
                Misconception(
                    "You took the covariance away once. It stands in V twice, above and below the "
                    "diagonal.",
                    lambda: _pair(25 / 2),
                ),
                Misconception(
                    "You added the covariance. In a difference it is taken away: what both share "
                    "cancels.",
                    lambda: _pair(-25),
                ),
                Misconception(
                    "That is the spread of one patient within the hospital. A difference holds the "
                    "own parts of two.",
                    lambda: 10.0,
                ),
                Misconception(
                    "That is the spread of one patient over all hospitals. A difference holds two "
                    "patients.",
                    lambda: float(np.sqrt(125)),
                ),
                Misconception(
                    "You added two standard deviations. Variances add up, standard deviations do "
                    "not.",
                    lambda: 20.0,
                ),
                Misconception(
                    "You kept the part that the two share and left out their own parts. It is the "
                    "other way round: what they share cancels.",
                    lambda: float(np.sqrt(50)),
                ),
            ),
        ),
        insight="hospital_sd has dropped out: whatever the hospital adds, it adds to both.",
    ),
    Exercise(
        id="E04.2",
        title="One treated, one not",
        objective="compute the correlation of two patients where the treatment effect varies",
        kind="code",
        minutes=6,
        difficulty=2,
        answer=Number(
            quantity="the correlation",
            reference=_mixed_pair,
            absolute=0.0025,
            tolerance_reason="closed form; two decimals and a half are enough",
            low=-1,
            high=1,
            misconceptions=(
                Misconception(
                    "You divided by the untreated patient's variance. The treated patient varies "
                    "more: divide by both standard deviations.",
                    lambda: 36 / 136,
                ),
                Misconception(
                    "You divided by the treated patient's variance. The untreated patient varies "
                    "less: divide by both standard deviations.",
                    lambda: 36 / 200,
                ),
                Misconception(
                    "That is the correlation of two *treated* patients. The untreated one has no "
                    "treatment effect to share.",
                    lambda: 100 / 200,
                ),
                Misconception(
                    "The deviation of the treatment effect is not shared: the untreated patient "
                    "does not have it. Only the hospital's intercept is in the covariance.",
                    lambda: 100 / np.sqrt(136 * 200),
                ),
                Misconception(
                    "You divided by the mean of the two variances. A correlation divides by the "
                    "product of the two standard deviations.",
                    lambda: 36 / 168,
                ),
                Misconception(
                    "That is the covariance. Divide it by both standard deviations.",
                    lambda: 36.0,
                ),
                Misconception(
                    "You divided by patient_sd² alone. Each patient's variance holds the "
                    "hospital's part, too.",
                    lambda: 36 / 100,
                ),
                Misconception(
                    "You left out patient_sd². Each patient's variance holds the patient's own "
                    "part, too.",
                    lambda: 36 / np.sqrt(36 * 100),
                ),
                Misconception(
                    "You used standard deviations where variances belong: square them first.",
                    lambda: 6 / np.sqrt(16 * 24),
                ),
                Misconception(
                    "You divided by the product of the two variances. Take its square root.",
                    lambda: 36 / (136 * 200),
                ),
            ),
        ),
        insight="They share the hospital's level, but only one of them has its treatment effect.",
    ),
    Exercise(
        id="E04.3",
        title="From equation to formula",
        objective="write the formula that belongs to an equation",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="the formula holds what has a mean over all hospitals (treated and age), and "
            "re_formula what differs between hospitals (level and effect of the treatment).",
            reasons={
                "a": "This model has no d_j: it supposes that the drug does the same in every "
                "hospital. What differs between hospitals stands in re_formula.",
                "b": "This model has the deviations d_j but not their mean β₁: it "
                "supposes that the drug does nothing on average. `treated` belongs in both places.",
                "d": "This model has no u_j: it supposes that untreated patients have the same "
                "mean in every hospital. The 1 in re_formula is the intercept.",
                "e": "`age` in re_formula would let the effect of age differ between hospitals. "
                "In the equation it is β₂ everywhere.",
            },
        ),
    ),
    Exercise(
        id="E04.4",
        title="From sentence to equation",
        objective="match sentences about hospitals with equations",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="b",
            why="a distribution for the hospitals' levels is u_j, an effect that differs is "
            "d_j, and nothing supposed about the levels is one coefficient a_j for each.",
            reasons={
                "a": "Sentence 1 speaks of draws from one distribution. Equation A has a "
                "coefficient for each hospital and no distribution: that is sentence 3.",
                "c": "Sentence 1 says that the drug does the same everywhere; equation C has a "
                "d_j, by which its effect differs. Sentences 1 and 2 are exchanged.",
                "d": "In equation A the drug's effect is β₁ in every hospital: sentence 2 "
                "says that it differs. Look for the equation with d_j.",
            },
        ),
    ),
    Exercise(
        id="E04.5",
        title="Which analysis, and why?",
        objective="choose between fixed and random hospital effects, for a good reason",
        kind="interpret",
        minutes=5,
        difficulty=3,
        answer=Choice(
            correct="c",
            why="the lot makes the hospitals' levels independent of the alert, so nothing speaks "
            "against a distribution for them; and it is the distribution that answers the second "
            "question, which is about hospitals that are not in the data.",
            reasons={
                "a": "The alert is the same for all patients of a hospital. Hospital dummies "
                "explain every difference between hospitals, so nothing is left for the alert.",
                "b": "GEE would answer the first question well. It has no distribution of "
                "hospitals, so it cannot say how far hospitals lie from each other.",
                "d": "The model is a good one, the reason is not: GEE and cluster-robust errors "
                "count alike patients too. Look at what the ministry wants to know.",
            },
        ),
    ),
    Exercise(
        id="E04.6",
        title="Spot the flaw",
        objective="tell what a model found from what it took for granted",
        kind="spot the flaw",
        minutes=6,
        difficulty=2,
        answer=Flaw(
            sentence=4,
            reason="b",
            why="Without a random part for the drug the model has no parameter that could differ "
            "from 0: it would print one effect whatever the hospitals did. To learn whether the "
            "effect varies, it must be allowed to.",
            sentences={
                1: "That is a description of a sound design: patients drew lots within hospitals.",
                2: "The hospitals are meant to stand for others, and the lot makes treatment "
                "independent of their levels: a good reason and a safe one.",
                3: "An estimate with its interval is good reporting. Whether the interval is wide "
                "enough depends on what sentence 4 takes for granted.",
                5: "Whether an effect changes with age is another question, and a sound one.",
            },
            reasons={
                "a": "Fifty hospitals are plenty for one standard deviation between hospitals.",
                "c": "A drug's effect can have a random part as well: its deviations from "
                "hospital to hospital. Nothing is fixed by its nature.",
                "d": "A random intercept is no obstacle: `treated` is estimated from comparisons "
                "within hospitals, and the estimate of its mean is sound.",
            },
        ),
    ),
    Exercise(
        id="E04.7",
        title="Your own hospitals",
        objective="estimate a treatment effect through V, on hospitals that nobody else has",
        kind="code",
        minutes=10,
        difficulty=3,
        own=True,
        answer=Number(
            quantity="the estimated treatment effect",
            unit="mmHg",
            reference=_effect,
            absolute=0.02,
            tolerance_reason="closed form; two decimals are enough",
            misconceptions=tuple(Misconception(says, value) for says, value in _EFFECT_MISTAKES),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)
