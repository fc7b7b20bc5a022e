"""What to report of a sensitivity analysis: two sentences and a small table, from posteriors."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from utils.exact import Posterior

__all__ = ["SensitivityReport", "sensitivity_report"]


@dataclass(frozen=True, eq=False)
class SensitivityReport:
    """A sensitivity analysis, ready to print.

    Attributes
    ----------
    table : DataFrame
        One row a prior, the chosen one first: ``effect`` (posterior median), ``low`` and ``high``
        (95 % interval), ``P(below 0)``, ``hospital_sd`` (posterior median), ``decision``.
    sentences : tuple of str
        What was found with the chosen prior, and how far it hangs on it.
    """

    table: pd.DataFrame
    sentences: tuple[str, str]

    def __repr__(self) -> str:
        shown = self.table.copy()
        for column in ("effect", "low", "high", "hospital_sd"):
            shown[column] = shown[column].map("{:.1f}".format)
        shown["P(below 0)"] = shown["P(below 0)"].map("{:.2f}".format)
        return "\n\n".join(
            [*(textwrap.fill(text, 92) for text in self.sentences), shown.to_string()]
        )


def sensitivity_report(
    fits: Mapping[str, Posterior],
    *,
    what: str = "the treatment",
    outcome: str = "blood pressure",
    unit: str = "mmHg",
    parameter: str = "treatment_effect",
    rule: float = 0.95,
) -> SensitivityReport:
    """Fill the template of a sensitivity analysis.

    Parameters
    ----------
    fits : mapping of str to Posterior
        Name of the prior of hospital_sd -> posterior under it. The first is the chosen prior.
    what, outcome, unit : str
        What is judged, what it changes, and in which unit.
    parameter : str
        The effect, a coefficient of the posteriors.
    rule : float
        "Adopt" where the posterior probability of an effect below 0 is at least this.

    Raises
    ------
    ValueError
        If there are fewer than two priors, the parameter is unknown, or the rule impossible.

    Examples
    --------
    >>> from scipy import stats
    >>> from utils import exact
    >>> y, hospital = [118, 126, 131, 139, 148, 150, 128, 133], list("AABBCCDD")
    >>> X = pd.DataFrame({"intercept": 1.0, "treatment_effect": [0, 1] * 4})
    >>> fits = {
    ...     f"half-normal({s})": exact.posterior(
    ...         y, X, hospital, tau=stats.halfnorm(scale=s), sigma=stats.halfnorm(scale=20)
    ...     ) for s in (10, 5, 20)
    ... }
    >>> sensitivity_report(fits).sentences[1][-46:]
    'ision at 0.95 does not depend on these priors.'
    """
    if len(fits) < 2:
        raise ValueError(f"fits must hold the chosen prior and one other or more, got {len(fits)}")
    if not 0 < rule < 1:
        raise ValueError(f"rule must lie between 0 and 1, got {rule!r}")
    rows = {}
    for name, fit in fits.items():
        effect, low, high = fit.quantile(parameter, [0.5, 0.025, 0.975])
        below = fit.cdf(parameter, 0.0)
        sd = fit.quantile("tau", 0.5)
        rows[name] = [effect, low, high, below, sd, "adopt" if below >= rule else "wait"]
    columns = ["effect", "low", "high", "P(below 0)", "hospital_sd", "decision"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return SensitivityReport(table, _sentences(table, what, outcome, unit, rule))


def _sentences(
    table: pd.DataFrame, what: str, outcome: str, unit: str, rule: float
) -> tuple[str, str]:
    chosen, p = table.iloc[0], table["P(below 0)"]
    others = list(table.index[1:])
    named = " or ".join([", ".join(others[:-1]), others[-1]] if others[1:] else others)
    moved = (table["effect"] - chosen["effect"]).abs().max()
    ends = (table[["low", "high"]] - chosen[["low", "high"]].astype(float)).abs().max(axis=None)
    hangs = "depends" if table["decision"].nunique() > 1 else "does not depend"
    return (
        f"With {table.index[0]} as prior of the SD between hospitals, chosen before the data, "
        f"{what} changes {outcome} by {chosen['effect']:.1f} {unit} (95 % interval "
        f"{chosen['low']:.1f} to {chosen['high']:.1f}), and the probability that it lowers it is "
        f"{chosen['P(below 0)']:.2f}.",
        f"Under {named} the estimate moves by {_at_most(moved)} {unit}, the ends of the interval "
        f"by {_at_most(ends)}, and that probability lies between {p.min():.2f} and "
        f"{p.max():.2f}: a decision at {rule:.2f} {hangs} on these priors.",
    )


def _at_most(value: float) -> str:
    return f"at most {value:.1f}" if value >= 0.05 else "less than 0.1"
