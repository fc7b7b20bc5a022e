"""The checks of lesson 6, slopes that vary."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number
from utils.simulate import Study, med_trial

# The trials of E06.1 and E06.3, as the lesson states them.
MEAN, STANDARD_ERROR, EFFECT_SD = -6, 2.5, 4
PAIR = {"hospital_sd": 6, "effect_sd": 4, "correlation": -0.5}

# In own hospitals a wrong way must miss the right SD by this much (mmHg).
_APART = 0.12


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own trial: equal hospitals, half of each treated, effects that vary.

    Trials whose estimate lies on or near the edge, or in which a wrong way happens to give the
    right number, are drawn again.
    """
    while True:
        effect_sd = round(float(rng.uniform(5, 8)), 1)
        study = med_trial(
            n_hospitals=int(rng.integers(18, 31)),
            patients_per_hospital=2 * int(rng.integers(8, 17)),
            treatment_effect=-round(float(rng.uniform(4, 10)), 1),
            treatment_effect_sd=effect_sd,
            hospital_sd=round(float(rng.uniform(5, 7)), 1),
            patient_sd=round(float(rng.uniform(9, 12)), 1),
            rng=rng,
        )
        trial = _Trial(study)
        if np.linalg.eigvalsh(trial.covariance)[0] < 4:
            continue
        right = trial.effect_sd
        if all(abs(wrong(trial) - right) > _APART for _, wrong in _SD_MISTAKES):
            return study


class _Trial:
    """What the right way and the wrong ways need of a balanced trial."""

    def __init__(self, study: Study) -> None:
        data = study.data  # hospital by hospital, all with the same number of patients
        shape = (study.truth.n_hospitals, -1)
        y, x = data["sbp"].to_numpy().reshape(shape), data["treated"].to_numpy().reshape(shape)
        self.hospitals, self.n = y.shape
        arms = [(y * arm).sum(axis=1) / arm.sum(axis=1) for arm in (1 - x, x)]
        own = np.stack([arms[0], arms[1] - arms[0]])
        within = ((y - np.where(x == 1, arms[1][:, None], arms[0][:, None])) ** 2).sum()
        self.true_effect_sd = study.truth.treatment_effect_sd
        self.within = float(within / (y.size - 2 * self.hospitals))
        self.one_arm = float(np.var(y[x == 0], ddof=1))  # of all untreated, over all hospitals
        self.noise = self.within * np.array([[2, -2], [-2, 4]]) / self.n
        self.seen = np.cov(own)
        self.covariance = self.seen - self.noise

    @property
    def effect_sd(self) -> float:
        return float(np.sqrt(self.covariance[1, 1]))

    def less(self, variance: float) -> float:
        """Return the SD that is left if another variance is taken for noise."""
        return float(np.sqrt(max(self.seen[1, 1] - variance, 0)))

    @property
    def shrunken_sd(self) -> float:
        weight = self.covariance @ np.linalg.inv(self.seen)
        return float(np.sqrt((weight @ self.seen @ weight.T)[1, 1]))


_SD_MISTAKES: tuple[tuple[str, Callable[[_Trial], float]], ...] = (
    (
        "That is the standard deviation of the hospitals' own effects. They hold the patients' "
        "noise as well: take its variance away first.",
        lambda trial: float(np.sqrt(trial.seen[1, 1])),
    ),
    (
        "That is a variance, in mmHg². Take its square root.",
        lambda trial: float(trial.covariance[1, 1]),
    ),
    (
        "You took away the noise of one arm's mean. An own effect is a difference of two arms: "
        "add the variances of both.",
        lambda trial: trial.less(2 * trial.within / trial.n),
    ),
    (
        "You divided the patients' variance by all patients of a hospital. Each arm has half of "
        "them, and the variances of the two arms' means add up.",
        lambda trial: trial.less(trial.within / trial.n),
    ),
    (
        "You took standard deviations away from each other. Variances add up, standard deviations "
        "do not: subtract the variances, then take the root.",
        lambda trial: float(np.sqrt(trial.seen[1, 1]) - np.sqrt(trial.noise[1, 1])),
    ),
    (
        "That is the standard deviation of the shrunken effects. They spread less than the true "
        "ones: read the SD from the model's variances.",
        lambda trial: trial.shrunken_sd,
    ),
    (
        "That is the estimate by plain maximum likelihood, which divides by the number of "
        "hospitals and is a little too small. Divide by one less, or fit by REML.",
        lambda trial: float(
            np.sqrt(max(trial.seen[1, 1] * (1 - 1 / trial.hospitals) - trial.noise[1, 1], 0))
        ),
    ),
    (
        "That is the noise of an own effect, as a standard deviation. It is what must be taken "
        "away, as a variance, from what you see.",
        lambda trial: float(np.sqrt(trial.noise[1, 1])),
    ),
    (
        "That is the standard error of the mean effect. It says how well the mean is known, not "
        "how much effects differ.",
        lambda trial: float(np.sqrt(trial.seen[1, 1] / trial.hospitals)),
    ),
    (
        "That is the SD of the intercepts: how much hospitals differ in their untreated patients. "
        "Asked for is that of the effects.",
        lambda trial: float(np.sqrt(trial.covariance[0, 0])),
    ),
    (
        "That is the SD of the patients around their hospital's line. Asked for is that of the "
        "hospitals' effects.",
        lambda trial: float(np.sqrt(trial.within)),
    ),
    (
        "You took the SD of all patients of an arm for their noise. Hospitals differ too: use the "
        "patients' SD within hospitals and arms.",
        lambda trial: trial.less(4 * trial.one_arm / trial.n),
    ),
    (
        "That is the standard deviation of the hospitals' own effects, divided by the number of "
        "hospitals instead of one less. And own effects hold the patients' noise as well.",
        lambda trial: float(np.sqrt(trial.seen[1, 1] * (1 - 1 / trial.hospitals))),
    ),
    (
        "That is the SD that the data were made with. Estimate it from the patients: in real life "
        "nobody tells you.",
        lambda trial: float(trial.true_effect_sd),
    ),
)


def _of_own(wrong: Callable[[_Trial], float]) -> Callable[[Study], float]:
    return lambda study: wrong(_Trial(study))


def _harmed(sd: float, sign: int = 1) -> float:
    return float(stats.norm.sf(-sign * MEAN / sd))


def _treated_sd(crossed: float) -> float:
    between, effect, _ = PAIR.values()
    return float(np.sqrt(between**2 + crossed * between * effect + effect**2))


EXERCISES = (
    Exercise(
        id="E06.1",
        title="Where does the drug do harm?",
        objective="turn a mean effect and its spread into the share of hospitals that it harms",
        kind="code",
        minutes=5,
        difficulty=1,
        answer=Number(
            quantity="the share of hospitals in which the drug raises the pressure",
            reference=lambda: _harmed(EFFECT_SD),
            absolute=0.004,
            tolerance_reason="closed form; two decimals are enough",
            low=0,
            high=1,
            misconceptions=(
                Misconception(
                    "You used the standard error. It says how well the mean is known; how "
                    "hospitals differ is the standard deviation of the effects.",
                    lambda: _harmed(STANDARD_ERROR),
                ),
                Misconception(
                    "That is the share of hospitals in which the drug lowers the pressure.",
                    lambda: 1 - _harmed(EFFECT_SD),
                ),
                Misconception(
                    "You used a variance where a standard deviation belongs.",
                    lambda: _harmed(EFFECT_SD**2),
                ),
                Misconception(
                    "You counted both tails, as for a p-value. Only effects above 0 do harm.",
                    lambda: 2 * _harmed(EFFECT_SD),
                ),
                Misconception(
                    "You added the standard error to the spread. That is right for a careful "
                    "prediction; here the mean is to be taken as the truth.",
                    lambda: _harmed(float(np.hypot(EFFECT_SD, STANDARD_ERROR))),
                ),
            ),
        ),
        insight="The mean is below 0, and yet about one hospital in fifteen is harmed.",
    ),
    Exercise(
        id="E06.2",
        title="Which correlation?",
        objective="tell the model's correlation of effects from that of its predictions",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="d",
            why="noise and shrinkage bend the two clouds, and by how much depends on the sizes of "
            "the hospitals. What the data say about the correlation stands in its interval.",
            reasons={
                "a": "Good predictions one by one are not a good picture of how hospitals vary: in "
                "the simulation shrunken lines leaned up although the true correlation was 0.",
                "b": "Each own line is unbiased, but their cloud holds noise, and the noise of "
                "intercept and effect is correlated: the same untreated patients stand in both.",
                "c": "The two lean in opposite directions, but nothing makes them cancel. And 0 is "
                "only one of the values that the interval holds.",
            },
        ),
    ),
    Exercise(
        id="E06.3",
        title="The other end of the line",
        objective="move the zero of a predictor and compute what becomes of the intercepts' SD",
        kind="code",
        minutes=6,
        difficulty=2,
        answer=Number(
            quantity="the SD of the treated means",
            unit="mmHg",
            reference=lambda: _treated_sd(2 * PAIR["correlation"]),
            absolute=0.06,
            tolerance_reason="closed form; one decimal is enough",
            low=0,
            misconceptions=(
                Misconception(
                    "You left the correlation out. The variance of a sum has a third part: twice "
                    "the covariance.",
                    lambda: _treated_sd(0),
                ),
                Misconception(
                    "The sign of the correlation is lost: it is negative, so the third part is "
                    "taken away.",
                    lambda: _treated_sd(-2 * PAIR["correlation"]),
                ),
                Misconception(
                    "You counted the covariance once. In the variance of a sum it stands twice.",
                    lambda: _treated_sd(PAIR["correlation"]),
                ),
                Misconception(
                    "That is the variance, in mmHg². Take its square root.",
                    lambda: _treated_sd(2 * PAIR["correlation"]) ** 2,
                ),
                Misconception(
                    "You added standard deviations. Variances add up, with twice the covariance.",
                    lambda: 6 + 4,
                ),
                Misconception(
                    "You took the correlation for the covariance. Multiply it by both standard "
                    "deviations first.",
                    lambda: float(np.sqrt(6**2 + 4**2 - 2 * 0.5)),
                ),
                Misconception(
                    "That is the SD of the untreated means. The effects come on top.",
                    lambda: 6.0,
                ),
                Misconception(
                    "That is the SD of the effects, the difference of the two arms. Asked for is "
                    "that of the treated means.",
                    lambda: 4.0,
                ),
                Misconception(
                    "You took standard deviations away from each other. Variances add up, with "
                    "twice the covariance.",
                    lambda: 6.0 - 4.0,
                ),
                Misconception(
                    "You subtracted the effects' variance. A variance is added; it is the "
                    "covariance that is negative here.",
                    lambda: float(np.sqrt(6**2 - 4**2)),
                ),
            ),
        ),
        insight="That is less than 6: this drug works better where pressures are high, and makes "
        "hospitals more alike.",
    ),
    Exercise(
        id="E06.4",
        title="Spot the flaw",
        objective="find the place in a report where an effect that varies was treated as constant",
        kind="spot the flaw",
        minutes=6,
        difficulty=2,
        answer=Flaw(
            sentence=4,
            reason="c",
            why="The report itself says that effects differ by an SD of 5 mmHg. The mean of 22 "
            "such effects has a standard error of at least 5/√22, more than 1 mmHg; the interval "
            "claims less. It may do for these 22 hospitals, not for hospitals of this kind.",
            sentences={
                1: "To randomise patients within hospitals is a sound design.",
                2: "That is a finding, rightly separated from chance. What is missing is that the "
                "analysis uses it.",
                3: "A random intercept for hospitals that differ is sound. The mistake is made "
                "where more is concluded than such a model can carry.",
                5: "Saying what limits the result is good reporting.",
            },
            reasons={
                "a": "Patients of one hospital may be randomised one by one; each hospital is then "
                "its own comparison.",
                "b": "A mean effect can be reported, with an interval that counts how effects "
                "differ, and together with their spread.",
                "d": "With patients randomised within hospitals the estimate is not biased. Its "
                "claimed precision is at fault.",
            },
        ),
    ),
    Exercise(
        id="E06.5",
        title='"Singular fit"',
        objective="treat a fit at the edge as a hypothesis about the optimum",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="an optimiser can stop at an edge although the optimum lies elsewhere. Only the "
            "log-likelihood tells; the radon data showed such a case.",
            reasons={
                "a": "A correlation at its edge does not say that effects do not vary. And a slope "
                "that may vary by design is not thrown out because its correlation is hard to "
                "tell.",
                "b": "First make sure that it is the estimate: a fit can stop at the edge while "
                "the optimum lies elsewhere. And even a true estimate of 1 needs its interval.",
                "d": "The message speaks of a fit, not yet of the data. Whether the likelihood is "
                "flat can be seen without a single further patient.",
            },
        ),
    ),
    Exercise(
        id="E06.6",
        title="Your own hospitals",
        objective="estimate how much an effect varies between hospitals that nobody else has",
        kind="code",
        minutes=10,
        difficulty=3,
        own=True,
        answer=Number(
            quantity="the SD of the true effects",
            unit="mmHg",
            reference=lambda study: _Trial(study).effect_sd,
            absolute=0.02,
            tolerance_reason="closed form, and REML to four digits; two decimals are enough",
            low=0,
            misconceptions=tuple(
                Misconception(says, _of_own(wrong)) for says, wrong in _SD_MISTAKES
            ),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)
