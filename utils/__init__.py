"""The shared package of the course: simulate nested data, fit, explore, check.

Examples
--------
>>> from utils.simulate import med_trial
>>> study = med_trial(n_hospitals=4, patients_per_hospital=10, rng=1)
>>> len(study.data)
40
"""

from pathlib import Path

__version__ = "0.1.0"

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
