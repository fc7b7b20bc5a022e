"""How long the sensitivity explorer's engine and a whole redraw take, control by control.

Run from the root of the repository: ``python benchmarks/prior_sensitivity.py``. Processor time, and
of each drag the least of several, so that other work on the machine counts little; shown is the
median over drags. Beside it one call of `utils.exact.posterior` on the same data, as a measure of
the machine.
"""

import time

import numpy as np

from utils import datasets
from utils.simulate import med_trial
from utils.widgets import prior_sensitivity_explorer
from utils.widgets._sensitivity_code import exact_of

REPEATS = 7


def milliseconds(make, values):
    """`make` returns a fresh piece of work, which then is done for one value after another."""
    times = np.empty((REPEATS, len(values)))
    for row in times:
        work = make()
        for i, value in enumerate(values):
            start = time.process_time()
            work(value)
            row[i] = 1000 * (time.process_time() - start)
    return float(np.median(times.min(axis=0)))


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

        def redraw(control=control):
            fresh = prior_sensitivity_explorer(data, **options)
            return lambda value: fresh.set_state(**{control: value})

        def engine(control=control):
            fresh = prior_sensitivity_explorer(data, **options)
            return lambda value: fresh._compute(**{**start, control: value})

        found = milliseconds(engine, values), milliseconds(redraw, values)
        print(f"{name:<16}{control:<14}{found[0]:>10.1f}{found[1]:>10.1f}", flush=True)
    exactly = milliseconds(lambda: lambda _: exact_of(explorer.source.data, start), range(5))
    print(f"{name:<16}{'utils.exact':<14}{exactly:>10.1f}")


def main() -> None:
    print(f"{'data':<16}{'control':<14}{'engine ms':>10}{'redraw ms':>10}")
    measure("30 hospitals", med_trial(rng=1), {})
    measure("4 hospitals", med_trial(n_hospitals=4, rng=1), {})
    measure("200 hospitals", med_trial(n_hospitals=200, rng=1), {})
    measure("surgical", datasets.load("surgical"), {"events": "deaths", "patients": "operations"})


if __name__ == "__main__":
    main()
