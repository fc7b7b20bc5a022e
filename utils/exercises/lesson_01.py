"""The checks of lesson 1, a line through the ward."""

from __future__ import annotations

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from utils.exercises.declare import Choice, Exercise, Flaw, Misconception, Number
from utils.simulate import Study, med_trial

AGE_OF_THE_PATIENT = 70  # E01.2 asks for patients of this age, E01.6 for the effect at it


def ward() -> Study:
    """Return the ward that lesson 1 analyses."""
    return med_trial(
        n_hospitals=1,
        patients_per_hospital=80,
        hospital_sd=0,
        age_effect=0.5,
        treatment_effect=-8,
        baseline_effect=0.7,
        patient_sd=8,
        rng=101,
    )


def own_hospitals(rng: np.random.Generator) -> Study:
    """Draw a learner's own ward: one hospital, and a drug that does more for the old."""
    return med_trial(
        n_hospitals=1,
        patients_per_hospital=2 * int(rng.integers(40, 81)),
        hospital_sd=0,
        age_effect=round(float(rng.uniform(0.3, 0.8)), 2),
        treatment_effect=-round(float(rng.uniform(6, 12)), 1),
        age_treatment_effect=-round(float(rng.uniform(0.25, 0.6)), 2),
        baseline_effect=round(float(rng.uniform(0.5, 0.9)), 2),
        patient_sd=round(float(rng.uniform(7, 10)), 1),
        rng=rng,
    )


def _slope(x: pd.Series, y: pd.Series) -> float:
    """Return the least squares slope of y on x."""
    from_mean = x - x.mean()
    return float((from_mean * (y - y.mean())).sum() / (from_mean**2).sum())


def _of_baseline(function):
    """Return a function of no argument: `function` of the ward's baseline and pressure."""

    def value() -> float:
        data = ward().data
        return float(function(data["baseline"], data["sbp"]))

    return value


def _age_fit():
    return smf.ols("sbp ~ age", ward().data).fit()


def _at_age() -> pd.Series:
    """Return the model's two intervals at the age asked for."""
    patient = pd.DataFrame({"age": [AGE_OF_THE_PATIENT]})
    return _age_fit().get_prediction(patient).summary_frame().iloc[0]


def _half_width() -> float:
    at = _at_age()
    return float(at["obs_ci_upper"] - at["obs_ci_lower"]) / 2


FULL = ("treated", "age", "treated:age", "baseline")


def _coefficients(study: Study, terms: tuple[str, ...]) -> dict[str, float]:
    """Fit sbp by least squares; without formulas, which would make the proof slow."""
    data = study.data
    columns = {name: data[name] for name in ("treated", "age", "baseline")}
    columns["treated:age"] = data["treated"] * data["age"]
    design = np.column_stack([np.ones(len(data)), *(columns[term] for term in terms)])
    found = np.linalg.lstsq(design, data["sbp"].to_numpy(), rcond=None)[0]
    return {term: float(value) for term, value in zip(terms, found[1:], strict=True)}


def _effect_at(study: Study, age: float, terms: tuple[str, ...] = FULL) -> float:
    """Return the drug's effect at an age, from a model with the product of both."""
    found = _coefficients(study, terms)
    return found["treated"] + age * found["treated:age"]


EXERCISES = (
    Exercise(
        id="E01.1",
        title="A slope by hand",
        objective="compute a least squares slope from two columns",
        kind="code",
        minutes=5,
        difficulty=1,
        answer=Number(
            quantity="the slope",
            unit="mmHg per mmHg",
            reference=_of_baseline(_slope),
            absolute=0.006,
            tolerance_reason="closed form; two decimals are enough",
            misconceptions=(
                Misconception(
                    "You turned the two round: that is the slope of baseline on sbp. What you want "
                    "to predict, sbp, is the y; divide by the squares of the other one, x.",
                    _of_baseline(lambda x, y: _slope(y, x)),
                ),
                Misconception(
                    "That is the correlation, which has no unit, or a covariance over n − 1 "
                    "divided by a variance over n. For the slope, use the same divisor above and "
                    "below.",
                    _of_baseline(lambda x, y: x.corr(y)),
                ),
                Misconception(
                    "You forgot to subtract the means. That is the slope of a line forced through "
                    "0 mmHg before and 0 mmHg after.",
                    _of_baseline(lambda x, y: (x * y).sum() / (x**2).sum()),
                ),
                Misconception(
                    "You divided mean by mean. A slope compares deviations from the means.",
                    _of_baseline(lambda x, y: y.mean() / x.mean()),
                ),
                Misconception(
                    "That is the covariance, in mmHg². Divide by the variance of baseline.",
                    _of_baseline(lambda x, y: x.cov(y)),
                ),
                Misconception(
                    "That is the intercept. The slope is what multiplies baseline.",
                    _of_baseline(lambda x, y: y.mean() - _slope(x, y) * x.mean()),
                ),
                Misconception(
                    "That is the slope of age. The question asks for baseline.",
                    lambda: float(_age_fit().params["age"]),
                ),
            ),
        ),
        insight="A patient who came in 10 mmHg higher is expected to end less than 10 mmHg higher.",
    ),
    Exercise(
        id="E01.2",
        title="Where are the patients?",
        objective="tell the range of patients from the confidence interval of their mean",
        kind="code",
        minutes=5,
        difficulty=2,
        answer=Number(
            quantity="the half width",
            unit="mmHg",
            reference=_half_width,
            relative=0.035,
            tolerance_reason="1.96 or 2 residual standard deviations, with or without the line's "
            "own error or one degree of freedom, differ from the exact t interval by less "
            "than 3.5 %",
            low=0,
            misconceptions=(
                Misconception(
                    "That is the 95 % confidence interval of the line, the mean of all patients "
                    "of that age. It leaves out how far patients lie from their mean.",
                    lambda: float(_at_age()["mean_ci_upper"] - _at_age()["mean_ci_lower"]) / 2,
                ),
                Misconception(
                    "That is the whole width of the range. Give half of it.",
                    lambda: 2 * _half_width(),
                ),
                Misconception(
                    "That is one standard deviation of the residuals: about 68 % of patients lie "
                    "that close. For 95 % go about twice as far.",
                    lambda: float(_age_fit().mse_resid ** 0.5),
                ),
                Misconception(
                    "That is the standard error of the line at this age. A range of patients "
                    "needs the patients' own standard deviation.",
                    lambda: float(_at_age()["mean_se"]),
                ),
                Misconception(
                    "You divided the squares by the number of patients. Two coefficients were "
                    "spent: divide by two fewer, as `fit.mse_resid` does.",
                    lambda: float(1.96 * (_age_fit().resid ** 2).mean() ** 0.5),
                ),
                Misconception(
                    "That is the variance of the residuals, in mmHg². Take its square root first.",
                    lambda: float(_age_fit().mse_resid),
                ),
                Misconception(
                    "You divided by the square root of the number of patients. That is for a "
                    "mean; a single patient does not get closer to the line when others join.",
                    lambda: float(1.96 * (_age_fit().mse_resid / len(ward().data)) ** 0.5),
                ),
                Misconception(
                    "You took the standard deviation of all patients' pressure, whatever their "
                    "age. At a known age, use the residuals.",
                    lambda: float(1.96 * ward().data["sbp"].std()),
                ),
            ),
        ),
        insight="One mean is known to a few mmHg; one patient is not.",
    ),
    Exercise(
        id="E01.3",
        title="One sentence is right",
        objective="say what a p-value and a confidence interval promise",
        kind="interpret",
        minutes=4,
        difficulty=2,
        answer=Choice(
            correct="c",
            why="a p-value starts from 'no effect' and says how often data this far out, or "
            "further, would turn up.",
            reasons={
                "a": "The interval is about the difference of two means. Patients scatter far more "
                "widely than that; no share of them is promised.",
                "b": "That turns the p-value round. It starts from 'the drug does nothing', so it "
                "cannot say how probable that is. In the experiment "
                "above about one in five trials with p near .04 was of a useless drug.",
                "d": "The p-value says nothing about size. The interval does: 1 mmHg, which is "
                "hardly worth a pill, is still inside.",
            },
        ),
    ),
    Exercise(
        id="E01.4",
        title="Two humps",
        objective="say which quantity a regression takes to be normal",
        kind="interpret",
        minutes=3,
        difficulty=1,
        answer=Choice(
            correct="b",
            why="what is left after the model should look normal, and with this many patients "
            "even that is the least of the assumptions.",
            reasons={
                "a": "Regression asks nothing of the outcome's own histogram. A drug whose "
                "effect is large against the patients' scatter makes two humps. Look at the "
                "residuals.",
                "c": "The humps are the effect that you want to measure. A transformation would "
                "bend it, not explain it.",
                "d": "The test answers a question that hardly matters, but pictures of the "
                "residuals show what the model has left out. Look at those.",
            },
        ),
    ),
    Exercise(
        id="E01.5",
        title="Spot the flaw",
        objective="read a main effect rightly when the model holds a product",
        kind="spot the flaw",
        minutes=5,
        difficulty=2,
        answer=Flaw(
            sentence=4,
            reason="b",
            why="Nobody on the ward is 0 years old. The effect is 8 − 0.3 × age: below 0 from "
            "age 27 on, and −10 mmHg at 60.",
            sentences={
                1: "That is a sound design: the lot decides.",
                2: "A sound model. It has to be remembered when its coefficients are read.",
                3: "That is the right reading of a product: how the effect changes with age.",
                5: "That is what a residual plot should look like.",
            },
            reasons={
                "a": "A test would not help: significant or not, the coefficient would be read at "
                "the wrong age.",
                "c": "It may, and should: baseline takes away noise and leaves the estimate "
                "unbiased.",
                "d": "R² would not tell either: the ward with the highest R² had the wrong line.",
            },
        ),
    ),
    Exercise(
        id="E01.6",
        title="Your own ward",
        objective="give an effect at a chosen age from a model with a product, on own data",
        kind="code",
        minutes=8,
        difficulty=3,
        own=True,
        answer=Number(
            quantity="the effect at age 70",
            unit="mmHg",
            reference=lambda study: _effect_at(study, AGE_OF_THE_PATIENT),
            absolute=0.01,
            tolerance_reason="closed form; two decimals are asked for",
            misconceptions=(
                Misconception(
                    "That is the coefficient of `treated` with age in years: the effect at age 0, "
                    "where you have no patient. Put 0 at age 70, or add 70 times the product's "
                    "coefficient.",
                    lambda study: _effect_at(study, 0),
                ),
                Misconception(
                    "That is the effect at age 60. The question asks for age 70.",
                    lambda study: _effect_at(study, 60),
                ),
                Misconception(
                    "That is the effect at the mean age of your patients: an average. The question "
                    "asks for age 70.",
                    lambda study: _effect_at(study, study.data["age"].mean()),
                ),
                Misconception(
                    "Your model has no product of treatment and age, so it gives one effect for "
                    "all ages. On this ward the effect depends on age.",
                    lambda study: _coefficients(study, FULL[:2] + FULL[3:])["treated"],
                ),
                Misconception(
                    "You left out baseline. The estimate is not biased by that, but it is noisier: "
                    "adjust.",
                    lambda study: _effect_at(study, AGE_OF_THE_PATIENT, FULL[:3]),
                ),
                Misconception(
                    "That is the plain difference of the two arms' means: no baseline, and no age.",
                    lambda study: _coefficients(study, ("treated",))["treated"],
                ),
                Misconception(
                    "That is the product's coefficient: how the effect changes with each year. Add "
                    "70 of it to the effect at age 0.",
                    lambda study: _coefficients(study, FULL)["treated:age"],
                ),
                Misconception(
                    "That is only what 70 years add to the effect. Add the coefficient of "
                    "`treated` too.",
                    lambda study: 70 * _coefficients(study, FULL)["treated:age"],
                ),
                Misconception(
                    "You also added what age does to untreated patients. That is in both arms, so "
                    "it is no part of the drug's effect.",
                    lambda study: float(
                        _effect_at(study, AGE_OF_THE_PATIENT)
                        + AGE_OF_THE_PATIENT * _coefficients(study, FULL)["age"]
                    ),
                ),
                Misconception(
                    "That is the truth that the ward was made from. Your patients give an "
                    "estimate of it: compute that.",
                    lambda study: (
                        study.truth.treatment_effect
                        + (AGE_OF_THE_PATIENT - 60) * study.truth.age_treatment_effect
                    ),
                ),
            ),
        ),
        insight="Another learner id gives other patients, and another answer.",
    ),
)
