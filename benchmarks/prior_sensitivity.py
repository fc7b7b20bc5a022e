"""How long the sensitivity explorer's engine and a whole redraw take, control by control.

Run from the root of the repository: ``python benchmarks/prior_sensitivity.py``. Processor time,
so that other work on the machine counts little; beside it one call of `utils.exact.posterior` on
the same data, as a measure of the machine.
"""

import time

import numpy as np

from utils import datasets
from utils.simulate import med_trial
from utils.widgets import prior_sensitivity_explorer
from utils.widgets._sensitivity_code import exact_of


def milliseconds(work, values):
    times = []
    for value in values:
        start = time.process_time()
        work(value)
        times.append(1000 * (time.process_time() - start))
    return float(np.median(times))


def measure(name, data, options):
    explorer = prior_sensitivity_explorer(data, **options)
    start, unit, of = explorer.state, explorer.source.spread, explorer.source.of
    ways = {
        "scale": (unit * np.linspace(0.1, 2, 25)).tolist(),
        "family": ["half-t", "half-Cauchy", "exponential", "uniform", "inverse-gamma"],
        "effect_sd": (unit * np.linspace(0.5, 2, 25)).tolist(),
        "sigma_scale": (unit * np.linspace(0.5, 2, 25)).tolist(),
        "n_hospitals": list(range(max(3, of // 2), of)),
    }
    if options:
        del ways["sigma_scale"]
    for control, values in ways.items():
        explorer.reset()
        redraw = milliseconds(lambda v, c=control: explorer.set_state(**{c: v}), values)
        fresh = prior_sensitivity_explorer(data, **options)
        engine = milliseconds(lambda v, c=control, e=fresh: e._compute(**{**start, c: v}), values)
        print(f"{name:<16}{control:<14}{engine:>10.1f}{redraw:>10.1f}")
    exactly = milliseconds(lambda _: exact_of(explorer.source.data, start), range(5))
    print(f"{name:<16}{'utils.exact':<14}{exactly:>10.1f}")


def main() -> None:
    print(f"{'data':<16}{'control':<14}{'engine ms':>10}{'redraw ms':>10}")
    measure("30 hospitals", med_trial(rng=1), {})
    measure("4 hospitals", med_trial(n_hospitals=4, rng=1), {})
    measure("200 hospitals", med_trial(n_hospitals=200, rng=1), {})
    measure("surgical", datasets.load("surgical"), {"events": "deaths", "patients": "operations"})


if __name__ == "__main__":
    main()
