"""The likelihood of the hospital SD as a hill: walk along it and see what else it decides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from utils.likelihood import Sums, fit_intercept, joint_loglik, sums
from utils.pooling import shrinkage_weight
from utils.simulate import Study, med_trial
from utils.widgets._base import Explorer
from utils.widgets._controls import Choice, Number
from utils.widgets._likelihood_figure import LikelihoodFigure

__all__ = ["LikelihoodResult", "Trial", "compute", "likelihood_explorer", "prepare"]

HIGHEST = 15.0  # mmHg, the end of the slider
DROP = 1.920729  # half the 95 % quantile of chi-square with one degree of freedom
GRID = np.linspace(0, HIGHEST, 151)

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trial:
    """A trial of treatment by hospital, and what does not change as the slider moves.

    Attributes
    ----------
    sums : Sums
        For `utils.likelihood`.
    n, treated, means : array, shape (hospitals,)
        Patients, treatment (0 or 1) and mean outcome (mmHg) of each hospital.
    reml_sd, ml_sd : float
        Where the two likelihoods are highest, mmHg.
    reml_top, ml_top : float
        Their log-likelihoods there.
    lower, upper : float
        Ends of the 95 % profile interval of the hospital SD by REML, mmHg.
    reml_curve, ml_curve, se_curve : array, shape (151,)
        Over `GRID`: how far each log-likelihood lies below its top, and the standard error of
        the effect, mmHg.
    """

    sums: Sums
    n: Floats
    treated: Floats
    means: Floats
    reml_sd: float
    ml_sd: float
    reml_top: float
    ml_top: float
    lower: float
    upper: float
    reml_curve: Floats
    ml_curve: Floats
    se_curve: Floats


@dataclass(frozen=True, eq=False)
class LikelihoodResult:
    """What follows if hospitals differ by `hospital_sd`.

    Attributes
    ----------
    trial : Trial
        The data.
    hospital_sd, patient_sd : float
        The supposed SD between hospitals, and the SD within them that then fits best (REML).
    reml_drop, ml_drop : float
        How far the two log-likelihoods lie below their tops, 0 or more.
    inside : bool
        Whether `hospital_sd` lies in the 95 % profile interval.
    effect, se : float
        Generalised least squares estimate of the treatment effect and its standard error, mmHg.
    weights : array, shape (hospitals,)
        Weight of each hospital's own mean in its prediction.
    """

    trial: Trial
    hospital_sd: float
    patient_sd: float
    reml_drop: float
    ml_drop: float
    inside: bool
    effect: float
    se: float
    weights: Floats


def prepare(study: Study | pd.DataFrame) -> Trial:
    """Return a trial of treatment by hospital, with both likelihoods laid out.

    Parameters
    ----------
    study : Study or DataFrame
        Columns `sbp`, `treated` (0 or 1, the same for all patients of a hospital) and
        `hospital`.

    Raises
    ------
    ValueError
        If a column is missing, if both arms share a hospital, or as `utils.likelihood.sums`.
    """
    data = study.data if isinstance(study, Study) else study
    if not isinstance(data, pd.DataFrame):
        raise ValueError(f"study must be a Study or a DataFrame, got {type(data).__name__}")
    for column in ("sbp", "treated", "hospital"):
        if column not in data:
            raise ValueError(f"the data must have the column {column!r}, got {list(data.columns)}")
    groups = data.groupby("hospital", observed=True)
    if (groups["treated"].nunique() > 1).any():
        raise ValueError("treatment must be given by hospital, got hospitals with both arms")
    together = sums(
        data["sbp"], np.column_stack([np.ones(len(data)), data["treated"]]), data["hospital"]
    )
    reml, ml = fit_intercept(together), fit_intercept(together, reml=False)

    def above(sd: float) -> float:
        return _best(together, sd)[1].item() - reml.loglik + DROP

    def end(inner: float, outer: float) -> float:
        return outer if above(outer) > 0 else float(brentq(above, inner, outer, xtol=1e-4))

    top, far = float(reml.hospital_sd), 40 * float(reml.patient_sd)
    n, means = groups["sbp"].agg(["size", "mean"]).to_numpy(dtype=float).T
    treated = groups["treated"].first().to_numpy(dtype=float)
    patient_sd, height = _best(together, GRID)
    return Trial(
        sums=together,
        n=n,
        treated=treated,
        means=means,
        reml_sd=top,
        ml_sd=float(ml.hospital_sd),
        reml_top=float(reml.loglik),
        ml_top=float(ml.loglik),
        lower=end(top, 0.0) if top > 0 else 0.0,
        upper=end(top, far),
        reml_curve=reml.loglik - height,
        ml_curve=ml.loglik - _best(together, GRID, reml=False)[1],
        se_curve=_line(n, means, treated, GRID, patient_sd)[1],
    )


def compute(trial: Trial, *, hospital_sd: float) -> LikelihoodResult:
    """Return what follows if hospitals differ by `hospital_sd`.

    Parameters
    ----------
    trial : Trial
        See `prepare`.
    hospital_sd : float
        Supposed standard deviation between hospitals, mmHg, 0 or more.

    Returns
    -------
    LikelihoodResult
        All else at the values that are best given it.

    Raises
    ------
    ValueError
        If `hospital_sd` is negative.

    Examples
    --------
    >>> trial = prepare(med_trial(n_hospitals=8, assignment="hospital", rng=1))
    >>> at_the_top = compute(trial, hospital_sd=trial.reml_sd)
    >>> abs(round(at_the_top.reml_drop, 6)), at_the_top.inside
    (0.0, True)
    """
    best, reml_height = _best(trial.sums, hospital_sd)
    _, ml_height = _best(trial.sums, hospital_sd, reml=False)
    patient_sd = best.item()
    effect, se = _line(trial.n, trial.means, trial.treated, hospital_sd, best)
    return LikelihoodResult(
        trial=trial,
        hospital_sd=float(hospital_sd),
        patient_sd=patient_sd,
        reml_drop=max(trial.reml_top - reml_height.item(), 0.0),
        ml_drop=max(trial.ml_top - ml_height.item(), 0.0),
        inside=bool(trial.lower <= hospital_sd <= trial.upper),
        effect=effect.item(),
        se=se.item(),
        weights=np.asarray(shrinkage_weight(trial.n, hospital_sd, patient_sd)),
    )


def _best(
    together: Sums, hospital_sd: float | Floats, *, reml: bool = True
) -> tuple[Floats, Floats]:
    """Return the patient SD that is best at each hospital SD, and the log-likelihood there.

    A grid of 25 that closes in on its best point, four times: the log-likelihood is then right
    to about 1e-5, and as quick for a curve as for a point.
    """
    between = np.atleast_1d(hospital_sd)[:, None]
    rows = np.arange(len(between))
    middle = 0.5 * math.log(float(together.blocks.yy / together.blocks.n_rows))
    centre, half = np.full_like(between, middle - 1.75, dtype=float), 2.25
    for _ in range(4):
        points = centre + half * np.linspace(-1, 1, 25)
        heights = joint_loglik(together, between, np.exp(points), reml=reml)
        at = heights.argmax(1)
        centre, half = points[rows, at][:, None], half / 12
    return np.exp(centre[:, 0]), heights[rows, at]


def _line(
    n: Floats, means: Floats, treated: Floats, hospital_sd: float | Floats, patient_sd: Floats
) -> tuple[Floats, Floats]:
    """Return effects and standard errors: hospital means, weighted by their precision."""
    between, within = (np.atleast_1d(sd)[:, None] for sd in (hospital_sd, patient_sd))
    weight = 1 / (between**2 + within**2 / n)
    totals = [weight[:, treated == arm].sum(1) for arm in (1, 0)]
    middles = [(weight * means)[:, treated == arm].sum(1) for arm in (1, 0)]
    effect = middles[0] / totals[0] - middles[1] / totals[1]
    return effect, np.sqrt(1 / totals[0] + 1 / totals[1])


def default_trials() -> dict[str, Study]:
    """Return three trials of one truth: hospital SD 4, patient SD 12, effect -5 mmHg."""
    same = {"treatment_effect": -5, "hospital_sd": 4, "patient_sd": 12, "assignment": "hospital"}
    ten = [6, 8, 10, 13, 16, 20, 25, 32, 40, 50]
    return {
        "6 hospitals": med_trial(
            n_hospitals=6, patients_per_hospital=[6, 10, 16, 25, 40, 50], rng=12, **same
        ),
        "10 hospitals": med_trial(n_hospitals=10, patients_per_hospital=ten, rng=23, **same),
        "40 hospitals": med_trial(n_hospitals=40, patients_per_hospital=4 * ten, rng=2, **same),
    }


def _describe(result: LikelihoodResult) -> str:
    trial, sd = result.trial, result.hospital_sd
    small, large = int(trial.n.argmin()), int(trial.n.argmax())
    if sd == 0:
        start = "Hospital SD 0: hospitals do not differ, the analysis that ignores them."
    else:
        start = f"Hospital SD {sd:.2f} mmHg."
    side = "inside" if result.inside else "outside"
    return (
        f"{len(trial.n)} hospitals, {trial.n.sum():.0f} patients. {start} Best patient SD "
        f"{result.patient_sd:.1f} mmHg. The REML curve lies {result.reml_drop:.2f} below its top "
        f"(at {trial.reml_sd:.2f} mmHg), the ML curve {result.ml_drop:.2f} below its own (at "
        f"{trial.ml_sd:.2f}). That is {side} the 95 % profile interval, {trial.lower:.1f} to "
        f"{trial.upper:.1f} mmHg. Effect of treatment {result.effect:.1f} mmHg, standard error "
        f"{result.se:.2f}. Weight of the own mean: {result.weights[small]:.2f} in the smallest "
        f"hospital ({trial.n[small]:.0f} patients), {result.weights[large]:.2f} in the largest "
        f"({trial.n[large]:.0f})."
    ).replace(" -", " −")


def likelihood_explorer(studies: Mapping[str, Study | pd.DataFrame] | None = None) -> Explorer:
    """Return a slider along the likelihood of the hospital SD.

    Parameters
    ----------
    studies : mapping of str to Study or DataFrame, optional
        What a button says -> a trial of treatment by hospital. By default three trials of one
        truth, of 6, 10 and 40 hospitals.

    Returns
    -------
    Explorer
        Its state is `data` (the name of a trial) and `hospital_sd`, 0 to 15 mmHg.

    Raises
    ------
    ValueError
        See `prepare`; or if there is no study.

    Examples
    --------
    >>> explorer = likelihood_explorer()
    >>> explorer.set_state(data="40 hospitals", hospital_sd=0)
    >>> explorer.result.inside
    False
    """
    given = default_trials() if studies is None else dict(studies)
    if not given:
        raise ValueError("studies must name one trial or more, got none")
    trials = {name: prepare(study) for name, study in given.items()}
    names = list(trials)
    start = names[min(1, len(names) - 1)]
    drawing = LikelihoodFigure(trials, GRID, DROP)
    return Explorer(
        [
            Choice("data", start, {name: name for name in names}),
            Number("hospital_sd", "Hospital SD (mmHg)", 2.0, 0.0, HIGHEST, 0.1, digits=2),
        ],
        compute=lambda data, hospital_sd: compute(trials[data], hospital_sd=hospital_sd),
        draw=drawing.draw,
        picture=drawing.picture,
        describe=_describe,
        actions={
            "To the top of REML": lambda now: {"hospital_sd": min(now.trial.reml_sd, HIGHEST)},
            "To the top of ML": lambda now: {"hospital_sd": min(now.trial.ml_sd, HIGHEST)},
        },
    )
