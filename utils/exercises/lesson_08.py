"""The checks of lesson 8, cause and cluster."""

from __future__ import annotations

import numpy as np

from utils import likelihood
from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number
from utils.simulate import Study, med_trial

# The registries of E08.2 and E08.5, as the lesson states them.
WITHIN, BETWEEN, S_W, S_B = -5.0, 7.0, 150.0, 50.0
SIZE, PATIENT_SD, HOSPITAL_SD = 20, 12.0, 6.0
CRUDE, SLOPE, GAP = -1.2, 0.6, 5.0

# Wrong ways must differ from the right one by this much (mmHg) in own hospitals.
_APART = 0.2


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own registry: sicker hospitals prescribe more.

    Registries in which a wrong way happens to give the right number are drawn again.
    """
    while True:
        study = med_trial(
            n_hospitals=int(rng.integers(18, 31)),
            patients_per_hospital=(8, 22),
            treatment_effect=-round(float(rng.uniform(3, 9)), 1),
            hospital_sd=round(float(rng.uniform(4, 7)), 1),
            patient_sd=round(float(rng.uniform(9, 13)), 1),
            assignment="sicker hospitals more",
            confounding=round(float(rng.uniform(0.9, 1.4)), 1),
            rng=rng,
        )
        quick = [value(study) for _, value in _OWN_MISTAKES if value is not _random_intercept]
        if _apart([_within(study), *quick, _random_intercept_about(study)]):
            return study


def _apart(values: list[float]) -> bool:
    gaps = np.abs(np.subtract.outer(values, values))[np.triu_indices(len(values), 1)]
    return bool(np.isfinite(gaps).all() and gaps.min() > _APART)


def _columns(study: Study) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data = study.data
    return (
        data["treated"].to_numpy(dtype=float),
        data["sbp"].to_numpy(),
        data["hospital"].cat.codes.to_numpy(),
    )


def _means(study: Study) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return patients, share of the treated and mean outcome of each hospital."""
    x, y, codes = _columns(study)
    n = np.bincount(codes)
    return n, np.bincount(codes, x) / n, np.bincount(codes, y) / n


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    x = x - x.mean()
    return float((x * y).sum() / (x**2).sum())


def _within(study: Study) -> float:
    x, y, codes = _columns(study)
    _, share, mean = _means(study)
    return _slope(x - share[codes], y - mean[codes])


def _crude(study: Study) -> float:
    x, y, _ = _columns(study)
    return _slope(x, y)


def _between(study: Study) -> float:
    _, share, mean = _means(study)
    return _slope(share, mean)


def _random_intercept(study: Study) -> float:
    x, y, codes = _columns(study)
    columns = np.column_stack([np.ones_like(x), x])
    return float(likelihood.fit_intercept(likelihood.sums(y, columns, codes)).beta[1])


def _random_intercept_about(study: Study) -> float:
    """Return the random intercept's estimate by the lesson's formula: no fit, so it is quick."""
    n, share, _ = _means(study)
    within, truth = (n * share * (1 - share)).sum(), study.truth
    trust = truth.patient_sd**2 / (truth.patient_sd**2 + n.mean() * truth.hospital_sd**2)
    between = trust * n.mean() * ((share - share.mean()) ** 2).sum()
    weight = between / (within + between)
    return (1 - weight) * _within(study) + weight * _between(study)


def _plain_average(study: Study) -> float:
    """Return the average of the hospitals' own differences, each counted once."""
    x, y, codes = _columns(study)
    n, share, mean = _means(study)
    treated = np.bincount(codes, x * y)
    both = (share > 0) & (share < 1)  # the others have no difference of their own
    n, share, total, treated = n[both], share[both], (n * mean)[both], treated[both]
    differences = treated / (n * share) - (total - treated) / (n * (1 - share))
    return float(differences.mean())


def _half_centred(study: Study) -> float:
    """Return the slope of the outcome's deviations on treatment that was not centred."""
    x, y, codes = _columns(study)
    return _slope(x, y - _means(study)[2][codes])


_OWN_MISTAKES = (
    (
        "That is the crude difference of the two arms: OLS without hospitals. Compare patients of "
        "the same hospital.",
        _crude,
    ),
    (
        "That is the random intercept's estimate: part of the comparison between hospitals is "
        "still in it. Give each hospital a coefficient of its own, or take hospital means off.",
        _random_intercept,
    ),
    (
        "That is the comparison between hospitals: means against shares. It holds the illness of "
        "the hospitals. Compare inside them.",
        _between,
    ),
    (
        "You averaged the hospitals' own differences, each counted once. Dummies listen more to "
        "hospitals with many patients in both arms.",
        _plain_average,
    ),
    (
        "You took the hospital mean off the pressures only. Take it off treatment as well.",
        _half_centred,
    ),
    (
        "The size is right, the direction is not: treated minus untreated.",
        lambda study: -_within(study),
    ),
)


def _mix(trust: float) -> float:
    """Return the weighted average of E08.2 under some trust in the comparison between."""
    weight = trust * S_B / (S_W + trust * S_B)
    return (1 - weight) * WITHIN + weight * BETWEEN


def _trust() -> float:
    return PATIENT_SD**2 / (PATIENT_SD**2 + SIZE * HOSPITAL_SD**2)


EXERCISES = (
    Exercise(
        id="E08.1",
        title="What must be taken into account?",
        objective="find the confounder among the causes of treatment and outcome",
        kind="interpret",
        minutes=4,
        difficulty=1,
        answer=Choice(
            correct="b",
            why="it comes before the drug and has an arrow to both: to the drug, through the "
            "doctors, and to pressure. To leave it out mixes its effect with that of the drug.",
            reasons={
                "a": "The drug changes it: it lies on the way from the drug to the outcome. "
                "Holding it fixed takes away part of the effect.",
                "c": "It changes who is treated, but has no arrow to pressure of its own. It acts "
                "like a coin toss.",
                "d": "It changes the reading, but nothing leads from it to the drug: noise, not "
                "confounding.",
            },
        ),
    ),
    Exercise(
        id="E08.2",
        title="Mix the two by hand",
        objective="compute a random intercept's estimate from the two comparisons in it",
        kind="code",
        minutes=6,
        difficulty=2,
        answer=Number(
            quantity="the random intercept's estimate",
            unit="mmHg",
            reference=lambda: _mix(_trust()),
            absolute=0.03,
            tolerance_reason="closed form; two decimals, or a weight rounded to three",
            misconceptions=(
                Misconception(
                    "That is the estimate of OLS: you gave the comparison between hospitals full "
                    "trust. Its variance holds n × hospital_sd² as well.",
                    lambda: _mix(1),
                ),
                Misconception(
                    "You left n out of the trust. A hospital's mean counts n patients: it is n "
                    "times hospital_sd² that stands beside patient_sd².",
                    lambda: _mix(144 / (144 + 36)),
                ),
                Misconception(
                    "You used standard deviations. Variances add up: square both first.",
                    lambda: _mix(12 / (12 + 20 * 6)),
                ),
                Misconception(
                    "You used the shrinkage weight itself. Trust in the comparison between is one "
                    "minus that weight.",
                    lambda: _mix(1 - _trust()),
                ),
                Misconception(
                    "You kept the 15 patients of the lesson's registry. Here hospitals have 20.",
                    lambda: _mix(144 / (144 + 15 * 36)),
                ),
                Misconception(
                    "You used trust itself as the weight. The weight also depends on S_w and S_b.",
                    lambda: WITHIN + _trust() * (BETWEEN - WITHIN),
                ),
                Misconception(
                    "You put trust into the top of the weight only. It stands beside S_b below as "
                    "well, so that both weights add up to 1.",
                    lambda: WITHIN + _trust() * S_B / (S_W + S_B) * (BETWEEN - WITHIN),
                ),
                Misconception(
                    "The weight is on the wrong side: you gave it to the comparison within.",
                    lambda: WITHIN + BETWEEN - _mix(_trust()),
                ),
                Misconception(
                    "That is the plain average of the two. Weigh them by what each can tell.",
                    lambda: (WITHIN + BETWEEN) / 2,
                ),
                Misconception(
                    "That is the weight of the comparison between hospitals. Use it to mix the two "
                    "estimates.",
                    lambda: _trust() * S_B / (S_W + _trust() * S_B),
                ),
            ),
        ),
        insight="A weight of five percent on a comparison so far away moves it by 0.6 mmHg.",
    ),
    Exercise(
        id="E08.3",
        title="Which registry would you trust least?",
        objective="say what the bias of a random intercept depends on",
        kind="interpret",
        minutes=3,
        difficulty=2,
        answer=Choice(
            correct="a",
            why="trust in the comparison between hospitals falls with patients per hospital, and "
            "with it the bias. Here hospitals are smallest. That there are 400 of them makes the "
            "wrong estimate look very certain.",
            reasons={
                "b": "Larger hospitals than in one of the others: the random intercept leans more "
                "on the comparison within. Which formula holds the number of hospitals?",
                "c": "Few hospitals make an estimate uncertain, not biased. With so many patients "
                "in each, hardly any trust goes to the comparison between.",
                "d": "The bias depends on how the patients are spread over hospitals, not on how "
                "many there are in all.",
            },
        ),
    ),
    Exercise(
        id="E08.4",
        title="Read a within-between model",
        objective="read the coefficients of a within-between model without causal words",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="the coefficient of the share is the contextual effect: what goes with the "
            "hospital's share beyond the patient's own treatment. Illness, habits or effects on "
            "neighbours would look the same.",
            reasons={
                "a": "The sum of both is the comparison between hospitals. It holds whatever "
                "differs between them, so it is not the effect of the drug.",
                "b": "That reads a difference between hospitals as what a change would do. "
                "Hospitals that treat more may simply be those with sicker patients.",
                "d": "The other way round: since the share has its own coefficient, the one of "
                "`treated` is free of stable differences between hospitals.",
            },
        ),
    ),
    Exercise(
        id="E08.5",
        title="What could it have been?",
        objective="correct a crude difference for a confounder that was not recorded",
        kind="code",
        minutes=4,
        difficulty=1,
        answer=Number(
            quantity="the adjusted difference",
            unit="mmHg",
            reference=lambda: CRUDE - SLOPE * GAP,
            absolute=0.06,
            tolerance_reason="closed form; one decimal is enough",
            misconceptions=(
                Misconception(
                    "You added the bias. The crude difference holds it already: take it away.",
                    lambda: CRUDE + SLOPE * GAP,
                ),
                Misconception(
                    "You took the whole gap away. A mmHg at the start is worth less at the end: "
                    "multiply by the slope.",
                    lambda: CRUDE - GAP,
                ),
                Misconception(
                    "You took the slope away. Multiply it by the gap: each mmHg of the gap counts.",
                    lambda: CRUDE - SLOPE,
                ),
                Misconception(
                    "That is the bias. Take it from the crude difference.",
                    lambda: SLOPE * GAP,
                ),
                Misconception(
                    "You divided the gap by the slope. The slope says what one mmHg of the gap is "
                    "worth: multiply.",
                    lambda: CRUDE - GAP / SLOPE,
                ),
                Misconception(
                    "That is the crude difference. The treated started higher: take off what "
                    "that is worth.",
                    lambda: CRUDE,
                ),
            ),
        ),
        insight="The treated began with a handicap; whether it was the only one, nobody knows.",
    ),
    Exercise(
        id="E08.6",
        title="Spot the flaw",
        objective="find the place in a report where a random effect was taken for adjustment",
        kind="spot the flaw",
        minutes=5,
        difficulty=2,
        answer=Flaw(
            sentence=3,
            reason="b",
            why="Both halves of the sentence fail. The random intercept mixes in the comparison "
            "between hospitals, and nothing about the patients is held fixed.",
            sentences={
                1: "That is a description. It says that chance did not decide, which is what "
                "matters later.",
                2: "The model can be fitted. The question is what its estimate means.",
                4: "That is a sound interval for chance. It cannot know of bias.",
                5: "A useful thing to report. Other traits may differ still.",
            },
            reasons={
                "a": "Sixty hospitals are plenty for a random intercept. More of them would not "
                "lessen its bias.",
                "c": "Degrees of freedom belong to any estimate of a variance, in a trial or not.",
                "d": "Comparisons can be made, and with confounders recorded they can be good.",
            },
        ),
    ),
    Exercise(
        id="E08.7",
        title="Your own hospitals",
        objective="estimate an effect within hospitals, on a registry that nobody else has",
        kind="code",
        minutes=9,
        difficulty=3,
        own=True,
        answer=Number(
            quantity="the effect within hospitals",
            unit="mmHg",
            reference=_within,
            absolute=0.03,
            tolerance_reason="closed form; two decimals are enough",
            misconceptions=tuple(Misconception(says, value) for says, value in _OWN_MISTAKES),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)
