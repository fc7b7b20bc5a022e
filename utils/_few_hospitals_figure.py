"""The recurring figure of `utils.few_hospitals`: coverage of intervals by number of hospitals."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from utils import plots

# Methods of one colour (all are of the random-intercept model) keep their line, too.
_LINES = {
    "z": "-",
    "profile": ":",
    "parametric bootstrap": "-.",
    "Satterthwaite": "--",
    "between-within": "s-",
    "hospital means": "o-",
}


def draw_coverage(scores: Mapping[str, pd.DataFrame], fig: Figure, *, level: float = 0.95) -> None:
    """Draw the coverage of several intervals against the number of hospitals, one panel a design.

    Parameters
    ----------
    scores : mapping of str to DataFrame
        Title of the panel -> table of `utils.few_hospitals.compare_intervals`.
    fig : matplotlib Figure
        An empty figure in constrained layout (the course's style): panels, and one legend above
        them, are added to it.
    level : float
        Nominal coverage, drawn as a line.

    Raises
    ------
    ValueError
        If there is no table, or one lacks the column `coverage`.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from utils.few_hospitals import compare_intervals
    >>> table = compare_intervals([6, 10], assignment="patient", patients_per_hospital=20,
    ...                           hospital_sd=3, patient_sd=12, n_trials=100, rng=1)
    >>> fig = plt.figure()
    >>> draw_coverage({"by patient": table}, fig)
    >>> len(fig.axes[0].get_lines())
    7
    >>> plt.close(fig)
    """
    if not scores or not all("coverage" in table for table in scores.values()):
        raise ValueError(f"scores must be tables with a column coverage, got {list(scores)}")
    panels = fig.subplots(1, len(scores), sharey=True, squeeze=False)[0]
    for ax, (title, table) in zip(panels, scores.items(), strict=True):
        coverage = 100 * table["coverage"].unstack("method")
        for method, line in _LINES.items():
            if method in coverage:
                thing = "hospital means" if method == "hospital means" else "random intercept"
                look = {"color": plots.PALETTE[thing], "markersize": 4, "linewidth": 1.7}
                ax.plot(coverage.index, coverage[method], line, label=method, **look)
        ax.axhline(100 * level, color=plots.PALETTE["truth"], linewidth=0.8)
        ax.set_title(title)
        plots.log_axis(ax, coverage.index, "hospitals")
    panels[0].set_ylabel(f"coverage of {100 * level:g} % intervals (%)")
    fig.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=6)
