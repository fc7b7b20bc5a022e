"""What simulation studies cost, side by side: the fast paths, and loops over statsmodels.

Run from the root of the repository: ``python benchmarks/studies.py [looped data sets]``.
1,000 MedTrial data sets of 20 hospitals x 30 patients are drawn and analysed by least squares,
cluster-robust least squares and the random intercept (REML). Target: under 5 s, in one process.
The loop does the first few in the ordinary way and is scaled up. About half a minute; figures
from a busy machine are orders only.
"""

import sys
import time
import warnings

import numpy as np
import statsmodels.formula.api as smf

from utils.simulate import med_trial
from utils.studies import METHODS, RANDOM_INTERCEPT, analyse_many, draw_trials, replicate
from utils.studies import two_arm_trials as two_arm

TRIALS, TARGET = 1000, 5.0
DESIGN = {"n_hospitals": 20, "patients_per_hospital": 30, "treatment_effect": 0.0}
UNEVEN = DESIGN | {"patients_per_hospital": (10, 50)}


def timed(function):
    """Return the best of two times, and the value."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        value = function()
        times.append(time.perf_counter() - start)
    return min(times), value


def loop(trials, seeds):
    """Draw and analyse with med_trial, smf.ols and smf.mixedlm, as a learner would."""
    p_values = []
    for seed in seeds[:trials]:
        data = med_trial(**DESIGN, assignment="hospital", rng=int(seed)).data
        model = smf.ols("sbp ~ treated", data)
        codes = data["hospital"].cat.codes.to_numpy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mixed = smf.mixedlm("sbp ~ treated", data, groups="hospital").fit()
        robust = model.fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
        p_values.append([fit.pvalues["treated"] for fit in (model.fit(), robust, mixed)])
    return np.array(p_values)


def one(rng):
    """Analyse one data set with the fast path, for `replicate`."""
    row = analyse_many(draw_trials(1, rng=rng, assignment="hospital", **DESIGN))
    return row.drop(columns="trial")


def main():
    looped = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    rows = []
    for label, settings in (("20 x 30", DESIGN), ("20 x 10-50", UNEVEN)):
        for how in ("hospital", "patient"):
            draw, trials = timed(
                lambda s=settings, h=how: draw_trials(TRIALS, assignment=h, rng=1, **s)
            )
            analyse, table = timed(lambda t=trials: analyse_many(t))
            rejected = table["p_value"].lt(0.05).groupby(table["method"], observed=True).mean()
            rows.append((f"patient by patient, {label}, by {how}", draw, analyse, rejected))
    methods = (*METHODS[:2], RANDOM_INTERCEPT[0])
    total, table = timed(lambda: two_arm(TRIALS, assignment="hospital", hospital_sd=6.0,
                                         methods=methods, rng=1))  # fmt: skip
    rejected = table["p_value"].lt(0.05).groupby(table["method"], observed=True).mean()
    rows.append(("sums from their exact laws, 20 x 30, by hospital", 0.0, total, rejected))

    print(f"{TRIALS:,} data sets, three analyses (s)   draw  analyse  total   rejected at .05")
    for label, draw, analyse, rejected in rows:
        shares = " ".join(f"{value:.3f}" for value in rejected)
        print(f"{label:50s} {draw:5.2f} {analyse:6.2f} {draw + analyse:6.2f}   {shares}")
    fast = rows[0][1] + rows[0][2]
    print(f"target {TARGET:g} s: {'met' if fast < TARGET else 'MISSED'}")

    seeds = draw_trials(looped, rng=1, assignment="hospital", **DESIGN).seed
    start = time.perf_counter()
    slow = loop(looped, seeds)
    each = (time.perf_counter() - start) / looped
    quick = analyse_many(draw_trials(looped, rng=1, assignment="hospital", **DESIGN))
    p = quick.pivot(index="trial", columns="method", values="p_value").to_numpy()
    print(f"loop over med_trial, smf.ols and smf.mixedlm: {each * TRIALS:.0f} s per {TRIALS:,} "
          f"(from {looped}), {each * TRIALS / fast:.0f} times as long; largest difference in p, "
          f"least squares {np.abs(slow - p)[:, :2].max():.0e}")  # fmt: skip

    for workers in (1, 2):
        took, _ = timed(lambda w=workers: replicate(one, 200, rng=1, workers=w, progress=False))
        print(f"replicate, 200 single data sets, workers={workers}: {took:.2f} s")


if __name__ == "__main__":
    main()
