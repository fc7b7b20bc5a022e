"""The cracks that the explorer shows, and the study behind its shares.

The study takes about ten minutes, so its results are kept in `_cracks_table.py`. To run it again:

    python -c "from utils.widgets._cracks_study import main; main()"
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import pandas as pd

from utils.studies import crack_dashboard
from utils.widgets._cracks_table import TABLE

N_TRIALS = 2000
SEED = 1010
HOSPITALS = tuple(range(15, 61, 5))
STRENGTHS = ("mild", "strong", "extreme")
CLEAN_SD = 12.0  # of the patients without outliers, mmHg
BASE = {"patients_per_hospital": 20, "hospital_sd": 6.0, "patient_sd": CLEAN_SD}
MEASURES = (
    "covered",
    "hospitals",
    "highest",
    "patients",
    "noisy",
    "calm",
    "new_hospitals",
    "new_above",
    "width",
    "patient_width",
    "new_hospital_width",
)
SHARES = MEASURES[:8]  # in per cent; the rest are widths in mmHg


def settings(crack: str, strength: str, n_hospitals: int) -> dict[str, object]:
    """Return the keywords of `crack_experiment` for a crack.

    Examples
    --------
    >>> settings("tails", "extreme", 30)["error_df"]
    3
    """
    k = STRENGTHS.index(strength)
    spread, sd = (0.25, 0.5, 0.75)[k], (3.0, 6.0, 12.0)[k]
    scale = (3.0, 5.0, 8.0)[k]
    own = {
        "none": {},
        "tails": {"error_law": "student_t", "error_df": (10, 5, 3)[k]},
        "outliers": {
            "error_law": "outliers",
            "outlier_share": 0.05,
            "outlier_scale": scale,
            "patient_sd": CLEAN_SD * (1 + 0.05 * (scale**2 - 1)) ** 0.5,
        },
        "sd_hospital": {"error_law": "differs by hospital", "error_spread": spread},
        "sd_mean": {"error_law": "grows with mean", "error_spread": spread},
        "sd_arms": {"error_law": "grows with mean", "error_spread": spread, "treated_share": 0.75},
        "skewed": {"hospital_law": "skewed", "hospital_sd": sd},
        "bimodal": {"hospital_law": "bimodal", "hospital_sd": sd},
        "predictors": {"n_noise_hospital_predictors": (3, 6, 10)[k]},
    }[crack]
    return {**BASE, **own, "n_hospitals": n_hospitals}


def sound(crack: str, strength: str, n_hospitals: int) -> dict[str, object]:
    """Return the same trial without the crack: normal, one SD, no needless predictors."""
    whole = settings(crack, strength, n_hospitals)
    kept = ("n_hospitals", "patients_per_hospital", "hospital_sd", "treated_share")
    return {name: whole[name] for name in kept if name in whole} | {"patient_sd": CLEAN_SD}


def key(given: dict[str, object]) -> str:
    """Return as one line of text what the settings have that `BASE` has not.

    Examples
    --------
    >>> key(settings("tails", "extreme", 30))
    'error_df=3 error_law=student_t n_hospitals=30'
    """
    own = sorted(name for name in given if given[name] != BASE.get(name))
    return " ".join(f"{name}={given[name]:.4g}" if isinstance(given[name], float)
                    else f"{name}={given[name]}" for name in own)  # fmt: skip


def cells() -> dict[str, dict[str, object]]:
    """Return every setting that the explorer can show or compare with, by its key."""
    cracks = ("none", "tails", "outliers", "sd_hospital", "sd_mean", "sd_arms")
    cracks += ("skewed", "bimodal", "predictors")
    found = {}
    for crack in cracks:
        for strength in STRENGTHS:
            for n_hospitals in HOSPITALS:
                for make in (settings, sound):
                    given = make(crack, strength, n_hospitals)
                    found[key(given)] = given
    return found


def run(which: dict[str, dict[str, object]], n_trials: int = N_TRIALS) -> pd.DataFrame:
    """Run the study; shares in per cent, widths in mmHg."""
    board = crack_dashboard(which, n_trials=n_trials, rng=SEED)
    table = board["value"].unstack()[list(MEASURES)].reindex(which)
    table[list(SHARES)] *= 100
    return table.rename_axis(index="settings", columns=None)


@cache
def stored() -> pd.DataFrame:
    """Return the results as they are kept."""
    return pd.read_csv(io.StringIO(TABLE), index_col="settings")


def main() -> None:
    """Run the study and write its results down."""
    table = run(cells())
    text = table.round(dict.fromkeys(SHARES, 1)).round(2).to_csv(lineterminator="\n")
    about = f"{N_TRIALS:,} trials a line, seed {SEED}; written by utils.widgets._cracks_study"
    path = Path(__file__).with_name("_cracks_table.py")
    path.write_text(
        f'"""Results of a simulation study: {about}."""\n\n# ruff: noqa: E501\n'
        f'TABLE = """\\\n{text}"""\n',
        encoding="utf-8",
    )
