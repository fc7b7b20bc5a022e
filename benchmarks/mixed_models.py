"""What fitting mixed models costs, side by side: the course's engines, MixedLM, and lme4 if here.

Run from the root of the repository: ``python benchmarks/mixed_models.py [refits of MixedLM]``.
1,000 data sets of 36 hospitals x 35 patients are simulated, fitted and given an interval for the
treatment effect. MixedLM and lme4 refit the first few in a loop, and are scaled up. A fit counts
as wrong if its restricted log-likelihood is more than .01 below the best known. Targets: the
refits at least 100 times faster than MixedLM and 10 times than lme4; `mixedlm.fit` no slower than
MixedLM's default fit. At most two minutes; figures from a busy machine are orders only.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from utils import mixedlm
from utils.likelihood import fit_intercept, fit_slope, stack, sums
from utils.simulate import med_trial

SETS, HOSPITALS, PATIENTS = 1000, 36, 35
LME4 = """
suppressMessages(library(lme4))
d <- read.csv(commandArgs(TRUE)[1]); formula <- as.formula(commandArgs(TRUE)[2])
start <- proc.time()[["elapsed"]]
for (k in grep("^y", names(d), value = TRUE)) {
  d$sbp <- d[[k]]
  m <- suppressWarnings(suppressMessages(lmer(formula, d))); s <- summary(m)$coefficients
}
cat((proc.time()[["elapsed"]] - start) / length(grep("^y", names(d))))
"""


def simulate(slope_sd, rng):
    codes = np.repeat(np.arange(HOSPITALS), PATIENTS)
    treated = np.tile(np.arange(PATIENTS) % 2, HOSPITALS).astype(float)
    y = 12 * rng.standard_normal((SETS, len(codes)))
    y += 140 - 8 * treated + 6 * rng.standard_normal((SETS, HOSPITALS))[:, codes]
    y += slope_sd * rng.standard_normal((SETS, HOSPITALS))[:, codes] * treated
    return y, treated, codes


def own(slope):
    """Simulate, fit and interval for all data sets; return the time, the fits and the data."""
    start = time.perf_counter()
    y, treated, codes = simulate(3.0 if slope else 0.0, np.random.default_rng(1))
    x = np.column_stack([np.ones(len(treated)), treated])
    if slope:
        found = fit_slope(sums(y, x, codes, slope=treated))
    else:
        found = fit_intercept(sums(y, x, codes))
    found.interval()
    return time.perf_counter() - start, found, (y, treated, codes)


def timed(function):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = function()
        except (np.linalg.LinAlgError, ValueError):
            value = None
    return time.perf_counter() - start, value


def looped(slope, repeats, data, best):
    """Return seconds a fit and wrong fits of MixedLM's default and of mixedlm.fit."""
    y, treated, codes = data
    times, wrong = {"default": [], "safe": []}, {"default": 0, "safe": 0}
    re = "1 + treated" if slope else "1"
    for k in range(repeats):
        frame = pd.DataFrame({"sbp": y[k], "treated": treated, "hospital": codes})
        ways = {
            "default": lambda f=frame: smf.mixedlm(
                "sbp ~ treated", f, groups="hospital", re_formula=re
            ).fit(),
            "safe": lambda f=frame: mixedlm.fit(
                "sbp ~ treated", f, groups="hospital", re_formula=re
            ),
        }
        for name, way in ways.items():
            seconds, result = timed(way)
            times[name].append(seconds)
            loglik = -np.inf if result is None else getattr(result, "llf", None)
            loglik = result.result.llf if loglik is None else loglik
            wrong[name] += not abs(loglik - best[k]) < 0.01
    return {name: statistics.mean(values) for name, values in times.items()}, wrong


def lme4(slope, data, repeats):
    """Return seconds a fit of lme4, or None if R or lme4 is not here."""
    if shutil.which("Rscript") is None:
        return None
    y, treated, codes = data
    frame = pd.DataFrame({"treated": treated, "hospital": codes})
    frame[[f"y{k}" for k in range(repeats)]] = y[:repeats].T
    formula = f"sbp ~ treated + ({'treated' if slope else 1} | hospital)"
    with tempfile.TemporaryDirectory() as folder:
        script, table = Path(folder) / "fit.R", Path(folder) / "data.csv"
        script.write_text(LME4, encoding="utf-8")
        frame.to_csv(table, index=False)
        done = subprocess.run(
            ["Rscript", str(script), str(table), formula],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    return float(done.stdout) if done.returncode == 0 else None


def large():
    """Print one fit of large tables."""
    print(f"\n{'one fit, seconds':<34}{'own sums':>10}{'MixedLM':>10}{'mixedlm.fit':>13}")
    for hospitals, patients in ((100, 100), (100, 1000), (1000, 1000)):
        rng = np.random.default_rng(1)
        codes = np.repeat(np.arange(hospitals), patients)
        treated = rng.integers(0, 2, len(codes)).astype(float)
        y = 140 - 8 * treated + 6 * rng.standard_normal(hospitals)[codes]
        y += 12 * rng.standard_normal(len(codes))
        x = np.column_stack([np.ones(len(codes)), treated])
        frame = pd.DataFrame({"sbp": y, "treated": treated, "hospital": codes})
        a, _ = timed(lambda x=x, y=y, c=codes: fit_intercept(sums(y, x, c)))
        b, _ = timed(lambda f=frame: smf.mixedlm("sbp ~ treated", f, groups="hospital").fit())
        c, _ = timed(lambda f=frame: mixedlm.fit("sbp ~ treated", f, groups="hospital"))
        print(f"{hospitals:>6} hospitals x {patients:<5} patients  {a:>10.3f}{b:>10.2f}{c:>13.2f}")


def type_one_errors():
    """Draw 1,000 trials with med_trial and analyse each in three ways: lesson 2's figure."""
    start = time.perf_counter()
    drawn, estimates, errors = [], [], []
    for seed in range(SETS):
        data = med_trial(
            n_hospitals=20, patients_per_hospital=30, treatment_effect=0, assignment="hospital",
            rng=seed,
        ).data  # fmt: skip
        drawn.append((data["sbp"].to_numpy(), data["treated"].to_numpy(float), data["hospital"]))
    simulated = time.perf_counter() - start
    stacked = []
    for y, treated, hospital in drawn:
        x = np.column_stack([np.ones(len(y)), treated])
        inverse = np.linalg.inv(x.T @ x)
        beta = inverse @ (x.T @ y)
        residual = y - x @ beta
        codes = hospital.cat.codes.to_numpy()
        scores = np.stack([np.bincount(codes, residual * column) for column in x.T], -1)
        groups, n = len(scores), len(y)
        factor = groups / (groups - 1) * (n - 1) / (n - 2)
        robust = np.sqrt(np.diag(factor * inverse @ scores.T @ scores @ inverse))
        naive = np.sqrt(residual @ residual / (n - 2) * np.diag(inverse))
        estimates.append(beta[1])
        errors.append((naive[1], robust[1]))
        stacked.append(sums(y, x, hospital))
    mixed = fit_intercept(stack(stacked))
    low, high = mixed.interval()
    seconds = time.perf_counter() - start
    naive, robust = (np.abs(estimates) / np.transpose(errors)) > np.array([[1.964], [2.093]])
    outside = (low[:, 1] > 0) | (high[:, 1] < 0)
    print(
        f"\n{SETS} trials by hospital, drawn by med_trial, analysed in three ways: {seconds:.1f} s"
        f" (of which drawing {simulated:.1f}); rejected: OLS {naive.mean():.3f}, cluster-robust "
        f"{robust.mean():.3f}, mixed model with Satterthwaite {outside.mean():.3f}"
    )


def main():
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    head = (
        f"{'1,000 refits, seconds':<22}{'own':>8}{'MixedLM':>10}{'ratio':>7}{'lme4':>8}{'ratio':>7}"
    )
    print(
        head + f"{'fit: MixedLM':>15}{'mixedlm':>9}{'wrong: MixedLM':>16}{'mixedlm':>9}{'own':>5}"
    )
    for slope in (False, True):
        own(slope)
        seconds, found, data = own(slope)
        one, wrong = looped(slope, repeats, data, found.loglik)
        other = lme4(slope, data, repeats)
        r = ("", "") if other is None else (f"{1000 * other:.0f}", f"{1000 * other / seconds:.0f}")
        print(
            f"{'random slope' if slope else 'random intercept':<22}{seconds:>8.2f}"
            f"{1000 * one['default']:>10.0f}{1000 * one['default'] / seconds:>7.0f}"
            f"{r[0]:>8}{r[1]:>7}{one['default']:>15.3f}{one['safe']:>9.3f}"
            f"{wrong['default']:>10} of {repeats}{wrong['safe']:>9}"
            f"{int((~found.converged).sum()):>5}"
        )
    large()
    type_one_errors()


if __name__ == "__main__":
    main()
