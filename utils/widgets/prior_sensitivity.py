"""The prior-sensitivity explorer: what a prior of tau says, and what the conclusion owes to it.

At each move the posterior is computed anew by quadrature, without chains: `utils.exact` is what
its numbers are held to. `prior_sensitivity_explorer` is the widget, `prior_sensitivity_figure`
the same picture for readers without a kernel, `from_posterior` opens the explorer on draws.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from utils.simulate import Study
from utils.widgets._sensitivity_code import UNNAMED
from utils.widgets._sensitivity_compute import (
    Answer,
    Choice,
    Sensitivity,
    compute,
)
from utils.widgets._sensitivity_data import HospitalData, example_data, read
from utils.widgets._sensitivity_exact import ExactSource
from utils.widgets._sensitivity_explorer import SensitivityExplorer, still_figure
from utils.widgets._sensitivity_words import Labels, Words

__all__ = [
    "Answer",
    "Choice",
    "ExactSource",
    "Sensitivity",
    "SensitivityExplorer",
    "compute",
    "example_data",
    "prepare",
    "prior_sensitivity_explorer",
    "prior_sensitivity_figure",
]


def __getattr__(name: str) -> object:
    """Import what needs ArviZ only where it is used."""
    if name in ("DrawSource", "from_posterior"):
        from utils.widgets import _sensitivity_draws  # noqa: PLC0415

        return getattr(_sensitivity_draws, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def prepare(
    data: Study | pd.DataFrame | None = None,
    *,
    formula: str = "sbp ~ treated",
    hospital: str = "hospital",
    effect: str = "treated",
    events: str | None = None,
    patients: str | None = None,
    unit: str | None = None,
    own: object = None,
    seed: int = 1,
) -> ExactSource:
    """Return where `compute` takes its answers from.

    Parameters
    ----------
    data, formula, hospital, effect, events, patients, unit, own, seed
        See `prior_sensitivity_explorer`.

    Raises
    ------
    ValueError
        If a column is missing or not what it should be; the message says which.

    Examples
    --------
    >>> source = prepare()
    >>> choice = {"family": "half-normal", "scale": 5, "effect_sd": 20, "threshold": -5}
    >>> answer = compute(source, **choice).answer
    >>> answer.error < 1e-3
    True
    """
    return ExactSource(
        read(
            data, formula=formula, hospital=hospital, effect=effect, events=events,
            patients=patients, unit=unit, seed=seed, own=own,
        )
    )  # fmt: skip


def prior_sensitivity_explorer(
    data: Study | pd.DataFrame | None = None,
    *,
    formula: str = "sbp ~ treated",
    hospital: str = "hospital",
    effect: str = "treated",
    events: str | None = None,
    patients: str | None = None,
    unit: str | None = None,
    threshold: float | None = None,
    own: object = None,
    seed: int = 1,
    state: Mapping | str | None = None,
    data_name: str | None = None,
) -> SensitivityExplorer:
    """Return the prior-sensitivity explorer.

    Parameters
    ----------
    data : Study or DataFrame, one row a patient, optional
        Rows with a missing value in a column in use are left out. By default 16 simulated
        hospitals. With `events`: one row a hospital.
    formula : str
        Outcome and fixed effects: ``"np.log(los) ~ cabg"``.
    hospital : str
        The column whose values are the hospitals.
    effect : str
        The fixed effect that is the conclusion: a column of the design.
    events, patients : str, optional
        Columns of counts, for the model events ~ Binomial(patients, p). The conclusion is then
        the rate of a typical hospital, priors are on the logit scale, and formula and effect
        are not used.
    unit : str, optional
        Of the outcome; by default mmHg for sbp. A unit that starts with "log " adds factors.
    threshold : float, optional
        P(effect beyond it) is shown: below it if it is 0 or less, else (and for rates) above.
    own : object with a method logpdf, optional
        A prior of tau of your own; it joins the families as "yours".
    seed : int
        Of the random choice of hospitals.
    state : mapping or str, optional
        Where to start, and where "Reset" returns to: some of the state's values, or a text that
        `to_json` returned.
    data_name : str, optional
        What the data are called in the notebook, for the PyMC code; by default it is looked up.

    Returns
    -------
    SensitivityExplorer
        Its state has `family` ("half-normal", "half-t", "half-Cauchy", "exponential",
        "uniform", "inverse-gamma", "flat", "yours"), `scale`, `effect_sd` (infinite: flat),
        `sigma_scale` (infinite: flat; not for events), `threshold`, `n_hospitals`, `kept`
        ("first" or "random") and `pin` (None, or the first four of another choice).

    Raises
    ------
    ValueError
        If the data cannot be read, or the state holds an unknown name or impossible value.

    Notes
    -----
    y_ij = x_ij' beta + u_j + e_ij with u_j ~ N(0, tau²), e_ij ~ N(0, sigma²); the effect has a
    normal prior with mean 0 or a flat one, the other coefficients flat ones, sigma a half-normal
    or a flat one. Inverse-gamma is the prior of tau² with both parameters equal to the scale.

    Examples
    --------
    >>> explorer = prior_sensitivity_explorer(threshold=-5)
    >>> explorer.set_state(family="half-Cauchy", scale=25, n_hospitals=4)
    >>> explorer.result.answer.hospitals.shape
    (4, 6)
    >>> "Verdict" in explorer.description
    True
    """
    source = prepare(
        data, formula=formula, hospital=hospital, effect=effect, events=events, patients=patients,
        unit=unit, own=own, seed=seed,
    )  # fmt: skip
    if data_name is None:
        frame = inspect.currentframe().f_back
        data_name = _name_of(data, {**frame.f_globals, **frame.f_locals})
    labels, words = _words(source.data)
    return SensitivityExplorer(source, labels, words, threshold, state, data_name)


def prior_sensitivity_figure(
    data: Study | pd.DataFrame | None = None,
    *,
    state: Mapping | str | None = None,
    threshold: float | None = None,
    **options: object,
) -> tuple[Figure, str]:
    """Return the explorer's picture in one state, and its text alternative.

    For readers without a kernel: ``plots.show(fig, alt=alt)``.

    Parameters
    ----------
    data : Study or DataFrame, optional
    state : mapping or str, optional
        As for `prior_sensitivity_explorer`, to which `threshold` and **options belong too.

    Raises
    ------
    ValueError
        As `prior_sensitivity_explorer`; and if the choice has no posterior.

    Examples
    --------
    >>> fig, alt = prior_sensitivity_figure(state={"family": "uniform", "scale": 50})
    >>> "uniform prior of τ" in alt
    True
    """
    options.pop("data_name", None)
    source = prepare(data, **options)
    labels, words = _words(source.data)
    return still_figure(source, labels, words, threshold, state)


def _words(data: HospitalData) -> tuple[Labels, Words]:
    effect = "rate in a typical hospital" if data.rate else f"effect of {data.effect}"
    labels = Labels(effect, data.unit, data.rate)
    return labels, Words(labels, data.seed, data.unit.startswith("log "))


def _name_of(data: object, names: Mapping[str, object]) -> str:
    """Return what the data are called, or UNNAMED where that cannot be found out."""
    if data is None:
        return ""
    frame = data.data if isinstance(data, Study) else data
    for name, value in names.items():
        if not name.startswith("_"):
            if value is frame:
                return name
            if isinstance(value, Study) and value.data is frame:
                return f"{name}.data"
    return UNNAMED
