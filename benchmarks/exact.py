"""What an exact posterior costs, beside a NUTS fit of the same model in the same run.

Run from the root of the repository: ``python benchmarks/exact.py [--no-nuts]``. The exact rows
give the median and the fastest of many calls, the NUTS row one fit: 4 chains of 1,000 draws by
``pm.sample``, from the code that ``to_pymc()`` gives, in a fresh process with an empty compile
cache (cold) and again with that cache filled (warm), imports left out. The aim is 4 ms for 40
hospitals of 25 patients and 25 ms for 1,000 hospitals of 10 to 40.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy import stats

from utils.exact import binomial, normal_means, posterior

TAU, SIGMA = stats.halfnorm(scale=10), stats.halfnorm(scale=30)


def data(sizes):
    rng = np.random.default_rng(20261122)
    group = np.repeat(np.arange(len(sizes)), sizes)
    x = np.column_stack([np.ones(len(group)), rng.integers(0, 2, len(group))])
    y = x @ [140, -8] + rng.normal(0, 6, len(sizes))[group] + rng.normal(0, 12, len(group))
    return y, x, group


SIZES = {
    "40 hospitals x 25": [25] * 40,
    "1,000 hospitals x 10-40": np.random.default_rng(1).integers(10, 41, 1000),
    "1,000 hospitals x 1": [1] * 1000,
    "3 hospitals x 10": [10] * 3,
}


def fit(sizes):
    y, x, group = data(sizes)
    return lambda: posterior(y, x, group, tau=TAU, sigma=SIGMA, beta=(0, 200))


def timed(function, repeats):
    times = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[2:]), min(times[2:])


def show(name, function, repeats=30):
    median, fastest = timed(function, repeats)
    print(f"{name:<48}{median:>10.1f}{fastest:>10.1f}")
    return median


def everything(function):
    """Fit, and ask for every interval and the tables."""

    def run():
        result = function()
        result.summary()
        result.hospital_quantiles([0.025, 0.5, 0.975])
        return result.hospitals

    return run


NUTS = """
import time, numpy as np
from benchmarks.exact import SIZES, data, fit
import nutpie, pymc as pm
y, X, group = data(SIZES["40 hospitals x 25"])
code = fit(SIZES["40 hospitals x 25"])().to_pymc()
start = time.perf_counter()
names = {"y": y, "X": X, "group": group}
exec(code, names)
with names["model"]:
    pm.sample(1000, tune=1000, chains=4, random_seed=1, progressbar=False)
print("seconds", time.perf_counter() - start)
"""


def nuts(cache):
    places = {"NUMBA_CACHE_DIR": f"{cache}/numba", "PYTENSOR_FLAGS": f"base_compiledir={cache}/pt"}
    done = subprocess.run(
        [sys.executable, "-c", NUTS], env=os.environ | places | {"PYTHONPATH": "."},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return 1000 * float(done.stdout.split("seconds")[-1])


def main(with_nuts: bool) -> None:
    print(f"{'':<48}{'median':>10}{'fastest':>10}   ms")
    base = {}
    for name, sizes in SIZES.items():
        base[name] = show(name, fit(sizes))
        show(f"{name}, with every interval", everything(fit(sizes)), 8)
    effect, se = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]
    show("eight schools", lambda: normal_means(effect, se, tau=TAU, beta=(0, 5)))
    deaths = [0, 18, 8, 46, 8, 13, 9, 31, 14, 8, 29, 24]
    operations = [47, 148, 119, 810, 211, 196, 148, 215, 207, 97, 256, 360]
    prior = stats.halfnorm(scale=1)
    show("surgical, 12 hospitals", lambda: binomial(deaths, operations, tau=prior), 8)
    if not with_nuts:
        return
    first = next(iter(SIZES))
    with tempfile.TemporaryDirectory() as cache:
        for state in ("cold", "warm"):
            milliseconds = nuts(cache)
            ratio = milliseconds / base[first]
            print(f"NUTS, {first}, {state}: {milliseconds / 1000:.1f} s, {ratio:,.0f} times exact")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-nuts", action="store_true")
    main(not parser.parse_args().no_nuts)
