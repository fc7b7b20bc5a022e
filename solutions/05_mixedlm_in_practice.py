# ---
# jupyter:
#   course:
#     question: "The summary says Converged: Yes. Which of its numbers can you trust?"
#     reading_minutes: 65
#     exercise_minutes: 40
#     needs: [4]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5 MixedLM in practice
#
# > The summary says Converged: Yes. Which of its numbers can you trust?
#
# Reading: 65 minutes. Exercises: 40 minutes. First do [lesson
# 4](04_reading_and_writing_a_mixed_model.ipynb).
#
# ## What you will be able to do
#
# - Say what a program does when it fits a mixed model, and do it by hand for ten hospitals.
# - Choose between REML and ML, and say what ML gets wrong.
# - Give an interval for `hospital_sd`, and know why "estimate ± 2 standard errors" is not one.
# - Read the summary of `MixedLM` line by line, and name the lines that mislead.
# - Notice a fit that says "converged" and is wrong, and get the right one.
# - Predict for a known, an average and a new hospital, each with its own interval.

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats

from utils import datasets, likelihood, mixedlm, plots
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.simulate import med_trial
from utils.studies import RANDOM_INTERCEPT, replicate, two_arm_trials
from utils.widgets import likelihood_explorer

plots.set_style()

# %% [markdown]
# ## A trial, and what MixedLM prints
#
# Ten hospitals, of 6 to 50 patients. In five of them the nurses are trained in a new blood-pressure
# protocol. This time it works: it lowers the mean by 5 mmHg. The other truths are those of lesson
# 2: `hospital_sd` is 4 mmHg, `patient_sd` is 12. `MixedLM` fits a random intercept.
# (`method="powell"` says how it searches. We come to that.)

# %%
sizes = [6, 8, 10, 13, 16, 20, 25, 32, 40, 50]
truth = dict(treatment_effect=-5, hospital_sd=4, patient_sd=12)
design = dict(n_hospitals=10, patients_per_hospital=sizes, assignment="hospital", **truth)
study = med_trial(**design, rng=23)
trial = study.data
printed = smf.mixedlm("sbp ~ treated", trial, groups="hospital").fit(method="powell")
print(printed.summary())

# %% [markdown]
# It looks like a result. The p-value of `treated` is below .05. The hospital variance has a small
# standard error. The fit has converged. How far can you rely on each of these three statements? To
# see that, you must know what the program did.
#
# ## What does fitting mean?
#
# In lesson 3 we were told `hospital_sd` and `patient_sd`. Here nobody tells us. The program tries
# values, and asks of each pair: *if these were true, how probable would the data be that we have?*
# That number is the <dfn>likelihood</dfn> of the values. (For a pressure with decimals it is the
# height of the normal curve, not a probability. Only comparisons count.) The values with the
# highest likelihood are the <dfn>maximum likelihood</dfn> (ML) estimates.
#
# Likelihoods of 220 patients are tiny, so we take logarithms. A log-likelihood that is higher by 1
# means that the data would be 2.7 times as probable.
#
# A hospital tells two things. Its mean scatters around the model's line (here: one value for each
# arm) with variance `hospital_sd`² + `patient_sd`²/$n$; you know that sum from lesson 3. And its
# patients scatter around its mean, which tells about `patient_sd` alone. So three numbers per
# hospital are all we need: its size, its mean, and its sum of squares around that mean.
#
# Now try one value of the *ratio* `hospital_sd`/`patient_sd`. Then everything else has a best value
# that we can compute:
#
# - the line: weight each hospital's mean by 1/variance, as the middle in lesson 3;
# - `patient_sd`: from the squares that are left.
#
# What remains is a curve in one dimension. With everything else at its best, it is called the
# <dfn>profile likelihood</dfn>.

# %%
BLUE, TRUTH, NAIVE = (plots.PALETTE[name] for name in ["random intercept", "truth", "naive"])
by_hospital = trial.groupby("hospital", observed=True)["sbp"]
n, means = by_hospital.size().to_numpy(), by_hospital.mean().to_numpy()
within = ((n - 1) * by_hospital.var()).sum()
rows = trial.drop_duplicates("hospital")  # one patient of each hospital, for its treatment
arm = rows["treated"].to_numpy()
x = np.column_stack([np.ones(10), arm])  # a row for each hospital: lesson 4's design matrix
X = np.column_stack([np.ones(len(trial)), trial["treated"]])  # and one for each patient


# %%
def at(ratio, reml=True):
    variance = ratio**2 + 1 / n  # of a hospital's mean, in units of patient_sd²
    information = (x.T / variance) @ x
    line = np.linalg.solve(information, (x.T / variance) @ means)
    squares = within + ((means - x @ line) ** 2 / variance).sum()
    count = n.sum() - 2 if reml else n.sum()
    patient_variance = squares / count
    logs = np.log(n * variance).sum() + reml * np.linalg.slogdet(information)[1]
    loglik = -(logs + count * np.log(2 * np.pi * patient_variance) + count) / 2
    errors = np.sqrt(np.diag(np.linalg.inv(information)) * patient_variance)
    return loglik, patient_variance**0.5, errors[1]


# %% [markdown]
# Compare `at` with the two steps above: `line` is the first, `patient_variance` the second. The
# rest puts the height of the normal curves together. (You need not follow each term.) It returns
# the log-likelihood, `patient_sd` and the standard error of the protocol's effect. It has a switch,
# `reml`, which changes two lines. Why?
#
# ML has a blind spot. It measures how far the hospitals lie from the *fitted* line, as if that were
# the true line. But the line was fitted to lie as close as possible to these very hospitals, so the
# distances come out too short. You know this from a plain standard deviation: divide by $n$ and it
# is too small, divide by $n − 1$ and it is not.
#
# <dfn>REML</dfn>, restricted maximum likelihood, allows for that. It counts off the two numbers
# that the line has used up (`count`), and it allows for how well the line is known at each ratio
# (the last part of `logs`). In other words, it looks only at what the data say about the standard
# deviations, whatever the line. REML is what `MixedLM` does unless you ask for ML.

# %% tags=["nbval-check-output"]
sums = likelihood.sums(trial["sbp"], X, trial["hospital"])
ratios, curves, tops, table = np.linspace(0, 1.2, 1201), {}, {}, {}
for name, reml in {"REML": True, "ML": False}.items():
    curves[name] = np.array([at(ratio, reml)[0] for ratio in ratios])
    gap = np.abs(curves[name] - likelihood.ratio_loglik(sums, ratios, reml=reml)).max()
    tops[name] = ratios[curves[name].argmax()]
    loglik, patient_sd, se = at(tops[name], reml)
    table[f"{name} by hand"] = [tops[name] * patient_sd, patient_sd, loglik, se, gap < 1e-6]
hospital_sd, patient_sd = printed.cov_re.iloc[0, 0] ** 0.5, printed.scale**0.5
table["MixedLM"] = [hospital_sd, patient_sd, printed.llf, printed.bse["treated"], ""]
names = ["hospital_sd", "patient_sd", "log-likelihood", "standard error", "as the library"]
print(pd.DataFrame.from_dict(table, "index", columns=names).round(1).to_string())

# %%
fig, ax = plt.subplots(figsize=(8.5, 4.2))
for name, style in {"REML": "-", "ML": "--"}.items():
    ax.plot(ratios, curves[name] - curves[name].max(), color=BLUE, linestyle=style, label=name)
    ax.plot(tops[name], 0, "o", color=BLUE, markersize=8)
ax.axvline(4 / 12, color=TRUTH, linestyle=":", label="truth")
ax.set(xlabel="hospital_sd / patient_sd", ylabel="log-likelihood, below its top", ylim=(-6, 0.4))
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
plots.show(
    fig,
    alt="Two hills over the ratio of hospital_sd to patient_sd. The REML hill has its top a little right of the truth, the ML hill a little left; both fall steeply towards 0 and slowly to the right.",
)

# %% [markdown]
# Each hill has one top, and the top is the estimate. That is all that "fitting" means: `MixedLM`
# climbs this hill, and ours gave the same numbers. (We count each hill from its own top. Heights of
# ML and REML are not comparable.)
#
# The ML hill lies further left, so its `hospital_sd` is smaller. Both fall slowly to the right:
# large values are hard to rule out with ten hospitals. In this trial the truth lies between the two
# tops. One trial cannot say which hill is better placed.

# %%
predict(
    "P05.1",
    "The true hospital variance is 4² = 16 mmHg². We draw 2,000 trials of this design, and fit "
    "each by ML. What is the average of the 2,000 estimated hospital variances?",
    choices=["about 15 mmHg²", "about 11 mmHg²", "about 5 mmHg²"],
)

# %%
rng = np.random.default_rng(5)
codes = trial["hospital"].cat.codes.to_numpy()
effects = rng.normal(0, 4, (2000, 10))
outcomes = X @ [140, -5] + effects[:, codes] + rng.normal(0, 12, (2000, len(trial)))
many = likelihood.sums(outcomes, X, trial["hospital"])
fits = {name: likelihood.fit_intercept(many, reml=name == "REML") for name in ["REML", "ML"]}
average = (fits["ML"].hospital_sd ** 2).mean()
choices = {f"about {value} mmHg²": value for value in [15, 11, 5]}
reveal("P05.1", min(choices, key=lambda choice: abs(choices[choice] - average)))

# %%
scores = {}
for name, fit in fits.items():
    scores[name] = {
        "mean hospital variance": (fit.hospital_sd**2).mean(),
        "mean hospital_sd": fit.hospital_sd.mean(),
        "typical error, hospital_sd": ((fit.hospital_sd - 4) ** 2).mean() ** 0.5,
        "typical error, hospital variance": ((fit.hospital_sd**2 - 16) ** 2).mean() ** 0.5,
        "scatter of effect": fit.beta[:, 1].std(),
        "claimed scatter": (fit.se[:, 1] ** 2).mean() ** 0.5,
    }
scores["truth"] = dict(zip(scores["ML"], [16, 4, 0, 0, np.nan, np.nan], strict=True))
pd.DataFrame(scores).round(1).astype(object).fillna("")

# %%
fig, ax = plt.subplots(figsize=(8.5, 3.8))
bins = np.arange(0, 12.1, 0.5)
ax.hist(fits["REML"].hospital_sd, bins, color=BLUE, alpha=0.35, label="REML")
for name, style in {"REML": "-", "ML": "--"}.items():
    look = dict(histtype="step", color=BLUE, linestyle=style, linewidth=2)
    ax.hist(fits[name].hospital_sd, bins, label="ML" if name == "ML" else None, **look)
ax.axvline(4, color=TRUTH, linestyle=":", label="truth")
ax.set(xlabel="estimated hospital_sd (mmHg)", ylabel="trials out of 2,000")
ax.legend()
plots.show(
    fig,
    alt="Histograms of hospital_sd estimated in 2,000 trials. REML is spread widely around the true 4 mmHg; ML lies further left. Both have a bar at 0, that of ML more than twice as high.",
)

# %% [markdown]
# Read the scoreboard. By ML the hospital variance comes out much too small on average. By REML it
# is about right. (The *square root* of a right-on-average variance is a little too small on
# average. That is why REML's mean `hospital_sd` is still below 4.) By typical error (lesson 3)
# neither wins: REML is closer to `hospital_sd`, ML to the variance, because it strays less far
# above. The histogram adds that ML says more often that hospitals do not differ at all: the bar at
# 0.
#
# What does it cost? The estimates of the effect scatter alike (the last line but one). But by ML
# the standard errors claim clearly less scatter than that (last line). So its intervals are too
# short. The
# fewer hospitals for each number in the line, the worse; with hundreds of hospitals it vanishes.
# Use REML, unless you must compare models with different fixed effects (below).
#
# And look at the width of the histogram: with ten hospitals either estimate may be 1 or 6. Neither
# method cures that.

# %% [markdown]
# ### Exercise E05.1 · Two answers to one question
#
# A colleague fits the same model to the same 8 hospitals by ML and by REML. `hospital_sd` is 2.9
# mmHg by ML and 3.6 by REML. The log-likelihoods are −841.2 (ML) and −838.7 (REML). Which one
# should she report as her estimate of `hospital_sd`, and why?
#
# - **a** 3.6, because its log-likelihood is higher.
# - **b** 3.6, because ML takes the fitted line for the true one, and so finds too little difference
#   between hospitals.
# - **c** 2.9, because maximum likelihood is the best possible estimate by definition.
# - **d** Neither: two methods that disagree show that the fit has not converged.

# %%
# BEGIN SOLUTION
two_answers = "b"
# END SOLUTION

# %%
check("E05.1", two_answers)

# %% [markdown]
# ## How sure is hospital_sd?
#
# A hill shows more than its top: how far around it is there ground that is nearly as high? Keep
# every `hospital_sd` whose log-likelihood lies less than 1.92 below the top. That is a 95 %
# <dfn>profile interval</dfn>. Why 1.92? For a mean with a known standard error, the log-likelihood falls by
# 1.96²/2 = 1.92 just where the familiar interval, estimate ± 1.96 standard errors, ends. So it is
# the same rule, for hills that are not symmetric. The library's `profile_loglik` has `hospital_sd`
# itself on the axis.

# %%
grid = np.linspace(0, 12, 1201)
profile = likelihood.profile_loglik(sums, grid)
inside = grid[profile > profile.max() - 1.92]
path = np.array([(ratio * at(ratio)[1], at(ratio)[2]) for ratio in ratios])
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9))
left.plot(grid, profile - profile.max(), color=BLUE)
left.hlines(-1.92, inside.min(), inside.max(), color="0.2", linewidth=5)
left.text(5, -2.5, f"{inside.min():.1f} to {inside.max():.1f}", ha="center")
left.set(xlabel="hospital_sd (mmHg)", ylabel="REML, below its top", ylim=(-6, 0.4))
right.plot(*path.T, color=BLUE)
right.set(xlabel="hospital_sd (mmHg)", ylabel="standard error (mmHg)", xlim=(0, 12), ylim=(0, 9))
plots.show(
    fig,
    alt="Left: the REML hill over hospital_sd with a bar 1.92 below its top, the 95 % profile interval, much longer to the right than to the left. Right: the standard error of the protocol's effect rises from below 2 mmHg at 0 to about 8 at 12 mmHg.",
)

# %% [markdown]
# Left: the bar is the profile interval. It is long, and reaches further up than down. Right: what
# hangs on it. The standard error of the protocol's effect is a function of `hospital_sd`. At 0 it
# is that of the naive analysis. The summary prints one value, the one at the top of the hill, as if
# the top were the truth.
#
# ### Try it: walk along the hill
#
# Run the cell and drag the slider, hospital SD. The purple dot shows where you are. The three buttons above
# change the number of hospitals; the truth is the same in all three.
#
# 1. Go to 0. How far below the top is it with 6, with 10 and with 40 hospitals? Which of them can
#    rule out that hospitals do not differ at all?
# 2. Use the buttons to jump between the tops of REML and ML. When does the choice matter?
# 3. With 10 hospitals, compare the standard error at the two ends of the 95 % interval. How many
#    times as large is the one at the upper end?
# 4. Watch the weights while you drag. Which hospitals' weights depend most on a value that we
#    hardly know?
#
# If you cannot run it, the figure above shows the setting with 10 hospitals.
#
# <details><summary>Answers</summary>1: about 1.6, 5 and 23. With 6 hospitals, 0 lies inside the
# interval; the other two rule it out. (0 is the end of the range. There the rule errs on the
# careful side: lesson 7.) 2: with 6 hospitals the tops lie far apart, with 40 they nearly touch. 3:
# about 2.7 times. 4: the small and the middling ones; the largest keeps more than half of the
# weight over the whole interval.</details>

# %%
likelihood_explorer()

# %% [markdown]
# ### Exercise E05.2 · Lungs in 51 centres
#
# `rhdnase` is a real trial in cystic fibrosis. `fev` is the lung function of 647 patients in 51
# centres *before* any treatment, in % of what is predicted for a healthy person. So the line is a
# single mean. `centre_sums` holds what `profile_loglik` needs. Give the **upper** end of the 95 %
# profile interval of the centres' standard deviation by REML, to at least one decimal. (Use a grid
# with steps of .01.)

# %%
lungs = datasets.load("rhdnase")
one_mean = np.ones((len(lungs), 1))  # the design matrix: a single column
centre_sums = likelihood.sums(lungs["fev"], one_mean, lungs["inst"])

# %%
# BEGIN SOLUTION
centre_grid = np.linspace(0, 25, 2501)
centre_profile = likelihood.profile_loglik(centre_sums, centre_grid)
upper_end = centre_grid[centre_profile > centre_profile.max() - 1.92].max()
# END SOLUTION

# %%
check("E05.2", upper_end)

# %% [markdown]
# ## The summary, line by line
#
# Back to what `MixedLM` printed. Here is each line, and whether to trust it. The rest of this
# section shows why.
#
# | printed | what it is | trust it? |
# | --- | --- | --- |
# | `Scale` | `patient_sd`², a *variance* | yes: take the root |
# | `hospital Var` (elsewhere `Group Var`) | `hospital_sd`², a *variance* | yes: take the root |
# | `Log-Likelihood` | the height of the hill's top | yes; but see below what it may be compared with |
# | `Coef.` | the line, each hospital weighted as in `at` | yes |
# | `Std.Err.` of `treated` | close to the one of `at`, not always equal | mostly |
# | `z`, its p-value, `[0.025 0.975]` | true if hospitals were endless | not with few hospitals |
# | `Std.Err.` of `hospital Var` | meant as the error of that variance | we put it to a test |
# | `Converged: Yes` | the search stopped by its own rule | not by itself |
#
# ### The standard error of a variance
#
# Take the standard error of the hospital variance. Read it as usual: estimate ± 1.96 standard
# errors. Then compare with the profile interval, squared. The next cell prints both.
#
# Then a test that works for any standard error: change the unit. A variance in kilopascal² (kPa²)
# is the one in mmHg² times 0.1333², and so is its standard error. The *ratio* of the two cannot
# change.

# %%
safe = mixedlm.fit("sbp ~ treated", trial, groups="hospital")
share = printed.summary().tables[1].loc["hospital Var", ["Coef.", "Std.Err."]].astype(float)
both_ways = 1.96 * np.array([-1, 1])
intervals = {
    "printed ± 1.96 Std.Err.": share["Coef."] + both_ways * share["Std.Err."],
    "with the unit put right": share["Coef."] + both_ways * printed.scale * printed.bse.iloc[-1],
    "profile interval": safe.variances.loc["hospital_sd", ["lower", "upper"]].to_numpy(float) ** 2,
}
for name in ["printed ± 1.96 Std.Err.", "profile interval"]:
    print(f"{name:24} {intervals[name][0]:5.1f} to {intervals[name][1]:5.1f} mmHg²")
predict(
    "P05.2",
    f"In mmHg the printed Std.Err. is {100 * share['Std.Err.'] / share['Coef.']:.0f} % of the printed "
    "hospital variance. We write the same pressures in kPa and fit again. What is it then?",
    choices=["6 %, as before", "clearly another percentage"],
)

# %%
trial["sbp_kpa"] = 0.1333 * trial["sbp"]
in_kpa = smf.mixedlm("sbp_kpa ~ treated", trial, groups="hospital").fit(method="powell")
kpa = in_kpa.summary().tables[1].loc["hospital Var", ["Coef.", "Std.Err."]].astype(float)
percent = 100 * kpa["Std.Err."] / kpa["Coef."]
print(f"hospital Var {kpa['Coef.']:.3f} kPa², Std.Err. {kpa['Std.Err.']:.3f}: {percent:.0f} %")
same = abs(percent - 100 * share["Std.Err."] / share["Coef."]) < 1
reveal("P05.2", "6 %, as before" if same else "clearly another percentage")

# %%
fig, ax = plt.subplots(figsize=(9, 4))
ax.hist(fits["REML"].hospital_sd ** 2, np.arange(0, 86, 2.5), color=plots.PALETTE["patients"])
for k, (name, ends) in enumerate(intervals.items()):
    ax.plot(ends, [-35 - 45 * k] * 2, color=BLUE, linewidth=4)
    ax.text(max(ends[1], 45) + 1, -35 - 45 * k, name, va="center")
ax.axvline(16, color=TRUTH, linestyle=":")
ax.set(xlabel="hospital variance (mmHg²)", ylabel="trials out of 2,000", ylim=(-160, None))
ax.set_yticks([0, 100, 200])
plots.show(
    fig,
    alt="Histogram of the hospital variance estimated in 2,000 trials: from 0 to about 60, with a long right tail, truth 16. Below it three intervals from our one trial: the printed one is tiny, the corrected one reaches below 0, the profile interval is long and lies above 0.",
)

# %% [markdown]
# The two intervals did not describe the same hill, and the unit changed the ratio. So the printed
# number cannot be a standard error of the printed variance. What is it? Inside, the program works
# with `hospital_sd`²/`patient_sd`². It multiplies the variance by `Scale` before printing, but the
# standard error only by the root of `Scale` (statsmodels 0.15.0). So the printed error is too small
# by the factor `patient_sd`, and that is 12 in mmHg and 1.6 in kPa. (Where it is 1, nobody would
# notice.)
#
# Grey: the variance that 2,000 trials like ours really gave. The printed interval (top) is far too
# narrow. Put the unit right, and the width fits the grey scatter, but the shape does not: it
# reaches below 0, where no variance can be. An interval "estimate ± 1.96 standard errors", and the
# test that goes with it, are called *Wald* interval and <dfn>Wald test</dfn>. They take the hill
# for symmetric. The profile interval does not.
#
# ### z, where t is due
#
# The line `treated` is a Wald test as well: z = estimate/standard error, compared with the normal
# curve. That would be right if we knew the standard error. But it comes from a `hospital_sd` that
# ten hospitals hardly tell. For a mean of ten numbers you would use t, not z. The same holds here;
# lesson 7 explains how the degrees of freedom are found (Satterthwaite's). Do the intervals hold
# the true −5 mmHg in 95 % of our 2,000 trials?

# %% tags=["nbval-check-output"]
coverage = pd.DataFrame(index=["ML", "REML"], columns=["z", "t"], dtype=float)
for name, fit in fits.items():
    miss = np.abs(fit.beta[:, 1] + 5) / fit.se[:, 1]
    coverage.loc[name, "z"] = (miss < 1.96).mean()
    coverage.loc[name, "t"] = (miss < stats.t.ppf(0.975, fit.df[:, 1])).mean()
print((100 * coverage).round().astype(int).add_suffix(", coverage %").to_string())
p = {"printed, z": printed.pvalues["treated"], "with t": safe.fixed.loc["treated", "p"]}
print({name: f"p below .05: {value < 0.05}" for name, value in p.items()})

# %% [markdown]
# Only REML with t keeps its promise. Each of the two shortcuts costs, and together they cost most.
# In our trial the choice decides about "significance": the p-value that `MixedLM` printed lies
# below .05, the honest one above it. (The protocol does work. A small trial, analysed honestly,
# often cannot tell.)
#
# ### A likelihood that depends on how you write x
#
# AIC is a score to compare models with: −2 × log-likelihood + 2 × the numbers estimated, and the
# lower the better. Under REML `MixedLM` refuses it: `printed.aic` is `nan`, not a number. Why? Write
# `treated` in per cent, 0 or 100, and the model is the same. Is its log-likelihood?

# %%
predict(
    "P05.3",
    "We write `treated` as 0 and 100 (per cent) in place of 0 and 1, and fit again. Which "
    "log-likelihoods change?",
    choices=["neither", "REML's only", "ML's only", "both"],
)

# %%
trial["treated_percent"] = 100 * trial["treated"]
changed = []
for name, reml in {"REML": True, "ML": False}.items():
    in_share, in_percent = (
        mixedlm.fit(f"sbp ~ {column}", trial, groups="hospital", reml=reml).loglik
        for column in ["treated", "treated_percent"]
    )
    print(f"{name:4} {in_share:.2f}, then {in_percent:.2f}")
    changed += [name] if abs(in_share - in_percent) > 0.01 else []
print("AIC that MixedLM gives under REML:", printed.aic)
reveal("P05.3", {0: "neither", 2: "both"}.get(len(changed), f"{changed[0]}'s only"))

# %% [markdown]
# By REML the height changed though the model did not: REML's height depends on how the fixed
# effects are written. So compare heights of REML hills only where the fixed effects are the same,
# to the letter. To compare models with different fixed effects, by AIC or otherwise, fit both by
# ML.
#
# ### The same fit, printed honestly
#
# The course's `utils.mixedlm` runs `MixedLM`, checks that it found the top of the hill, and prints
# what you may read: t with its degrees of freedom, standard deviations in place of variances,
# profile intervals.

# %%
safe

# %% [markdown]
# ### Exercise E05.3 · From the printed lines to a weight
#
# A summary prints `Scale: 100.0` and `hospital Var 8.0`. One of the hospitals has 25 patients.
# Compute the shrinkage weight of its own mean (lesson 3). Give at least two decimals.

# %%
# BEGIN SOLUTION
printed_weight = 8.0 / (8.0 + 100.0 / 25)
# END SOLUTION

# %%
check("E05.3", printed_weight)

# %% [markdown]
# ## Real patients: seventeen hospitals in Arizona
#
# `azpro` is real: 3,589 patients of 17 hospitals in Arizona had a heart procedure, either bypass
# surgery (`cabg`) or a balloon (angioplasty). The outcome is the logarithm of the days they stayed.
# Nobody was randomised, so we describe and do not speak of effects (lesson 8).
#
# The search for the top of the hill is done by an <dfn>optimiser</dfn>. It starts somewhere, takes
# steps uphill, and says that it *converged* when it sees no way up. It never sees the whole hill.
# We let `MixedLM` choose its own optimiser, as most people do, and fit by ML. `by_ml` is the
# course's fit of the same model.

# %%
stays = datasets.load("azpro")
stays["log_los"] = np.log(stays["los"])
formula = "log_los ~ cabg + male + urgent + age75"
by_ml = mixedlm.fit(formula, stays, groups="hospital", reml=False)
places = {0: "at the top", -1: "below the top", 1: "above the top"}
predict(
    "P05.4",
    f"3,589 patients, one random intercept, ML. The top of the hill is at {by_ml.loglik:.1f}. Where "
    "is the log-likelihood that MixedLM reports, left to its own settings?",
    choices=[*places.values(), "not a number (nan)"],
)

# %%
height = np.nan
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        default = smf.mixedlm(formula, stays, groups="hospital").fit(reml=False)
        height, intercept = default.llf, default.fe_params["Intercept"]
        print(f"converged: {default.converged}; log-likelihood: {height:.1f}")
        print(f"intercept {intercept:.2f}, standard error {default.bse_fe['Intercept']:.2f}")
    except (np.linalg.LinAlgError, ValueError) as stop:  # another computer may end here
        print("no fit:", stop)
print(*dict.fromkeys(f"- {warning.message}" for warning in caught), sep="\n")
reveal("P05.4", places.get(np.sign(round(height - by_ml.loglik, 3)), "not a number (nan)"))

# %% [markdown]
# On the computer where this lesson was made, the log-likelihood was plus infinity (`inf`), which no
# hill can reach. The intercept and its standard error were absurd. And the fit said that it had
# converged. Yours may print the same, or an error, or even the right answer: we come to the reason.
#
# `MixedLM` did warn. Here is what the sentences that we saw mean.
#
# | words | cause | what to do |
# | --- | --- | --- |
# | *optimization failed to converge* | the first optimiser gave up | read no number |
# | *Retrying … with lbfgs* | a second one took over; only the last one reports | choose `method` yourself |
# | *Random effects covariance is singular* | a step made `hospital_sd` 0; there the program's formulas break | start elsewhere |
# | *The MLE may be on the boundary* | some variance is below 0.01, in whatever unit | look at the hill |
# | *The Hessian … is not positive definite* | the place where it stopped is not curved like a top | refit; use no standard error |
#
# Why here? The search starts at `hospital_sd`/`patient_sd` = 1. That is far off: in most hospital
# data the ratio is much smaller. The first optimiser gives up, and the second begins at 1 again.
# Its first step has length 1, whatever the data: from 1 down to 0, where the formulas break. A
# rounding in the last digit decides whether it lands on 0 or a hair beside it. That is why your
# computer may say something else.
#
# `powell` feels its way without such leaps: it is the safer first choice. `bfgs`, started from
# powell's end, then polishes.
#
# Trust a fit when a second, different route ends at the same height. Another program is the best
# second route: R's `lme4` gives the four numbers below (version 1.1-31, R 4.2.2; `nlme`, a third
# program, has the same log-likelihood).

# %% tags=["nbval-check-output"]
lme4 = {"llf": -2942.599619, "Intercept": 1.191933, "hospital": 0.00899784, "scale": 0.29917195}
model = smf.mixedlm(formula, stays, groups="hospital")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    first = model.fit(reml=False, method="powell")
    polished = model.fit(reml=False, method="bfgs", start_params=first.params_object)
    at_zero = model.loglike([0.0])  # what the program's formulas give for hospital_sd = 0
routes = {"powell, then bfgs": polished, "mixedlm.fit": by_ml.result}
for name, fit in routes.items():
    found = [fit.llf, fit.fe_params["Intercept"], fit.cov_re.iloc[0, 0], fit.scale]
    close = np.allclose(found, list(lme4.values()), rtol=1e-3)
    print(f"{name:18} agrees with lme4: {close}")

# %%
stays_sums = likelihood.sums(stays["log_los"], model.exog, stays["hospital"])
hill = likelihood.profile_loglik(stays_sums, grid / 40, reml=False)
bottom = hill[0] - hill.max()
fig, ax = plt.subplots(figsize=(8.5, 3.9))
ax.plot(grid / 40, hill - hill.max(), color=BLUE, linestyle="--")
ax.plot(by_ml.hospital_sd, 0, "o", color=BLUE, markersize=9)
ax.plot(0, bottom, "X", color=NAIVE, markersize=12)
ax.text(by_ml.hospital_sd, 1.5, "top: lme4, powell then bfgs", ha="center")
ax.text(0.006, bottom - 0.5, f"hospital_sd = 0: MixedLM's formulas give {at_zero}")
ax.set(xlabel="hospital_sd (log days)", ylabel="ML, below its top", ylim=(-32, 4.5))
plots.show(
    fig,
    alt="The ML hill of the azpro data over hospital_sd: a clear top near 0.1 on the log scale. A cross at 0, about 28 below the top, marks where the program's own formulas break.",
)

# %% [markdown]
# The hill is harmless: one clear top, and 0 lies far below it (orange cross: hospitals that do not
# differ). The curve has an ordinary height there. `MixedLM`'s formulas take the logarithm of
# `hospital_sd`² on the way, which 0 does not have. What they give there is no height.
#
# One of the sentences speaks of the boundary, as if `hospital_sd` were 0. Does it come with the
# right fit, too? And take the logarithm to base 2 (doublings) in place of the natural one: that is
# another unit for the same thing.

# %%
stays["log2_los"] = np.log2(stays["los"])
predict(
    "P05.5",
    f"With log_los the hospital variance is {by_ml.hospital_sd**2:.4f}. We fit log_los and "
    "log2_los, both by powell. For which outcome will MixedLM warn of the boundary?",
    choices=["log_los and log2_los", "log_los only", "log2_los only", "neither"],
)

# %%
warned = []
for outcome in ["log_los", "log2_los"]:
    same_model = smf.mixedlm(formula.replace("log_los", outcome), stays, groups="hospital")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = same_model.fit(reml=False, method="powell")
    warned += [outcome] if any("boundary" in str(w.message) for w in caught) else []
    print(
        f"{outcome:8} hospital_sd / patient_sd = {(fit.cov_re.iloc[0, 0] / fit.scale) ** 0.5:.2f}"
    )
answer = " and ".join(warned) + (" only" if len(warned) == 1 else "")
reveal(
    "P05.5",
    answer or "neither",
    because="The ratio, and so the hill, is the same. The warning asks whether a variance is below "
    "0.01, and forgets to ask 0.01 what. Ask the hill whether 0 is plausible.",
)

# %% [markdown]
# ### Exercise E05.4 · Spot the flaw
#
# From a report:
#
# 1. Blood pressure in 24 clinics was analysed by a mixed model with a random intercept for clinic,
#    by REML.
# 2. Two optimisers, started at different places, reached the same log-likelihood.
# 3. MixedLM printed a clinic variance of 16.2 mmHg² with Std.Err. 0.6, so the clinic variance is
#    known to about ± 1.2 mmHg².
# 4. The drug's effect was −4.1 mmHg, with an interval from the t distribution and Satterthwaite's
#    degrees of freedom.
# 5. AIC was used only between models that were fitted by ML.
#
# Which sentence holds the mistake, and why?
#
# - **a** With 24 clinics a variance between clinics cannot be estimated.
# - **b** REML estimates the fixed effects; variances need ML.
# - **c** That Std.Err. changes with the unit of the outcome: it is not the standard error of the
#   variance.
# - **d** A variance must be tested with z before it may be reported.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (3, "c")
# END SOLUTION

# %%
check("E05.4", flaw)

# %% [markdown]
# ## What a hospital's feature can tell
#
# Hospitals in `azpro` differ in the share of bypass operations they do (`hosp_cabg_share`, from
# about a quarter to nearly all). Do patients stay longer in bypass-heavy hospitals, beyond what
# their own procedure explains? We also hold the size of the hospital constant (`log_n`).

# %%
stays["log_n"] = np.log(stays["hosp_n"])
with_share = formula + " + hosp_cabg_share + log_n"
ols = smf.ols(with_share, stays).fit()
predict(
    "P05.6",
    "Ordinary regression of 3,589 stays gives hosp_cabg_share a p-value of "
    f"{ols.pvalues['hosp_cabg_share']:.5f}. With a random intercept for hospital, what do you expect?",
    choices=["below .001, as before", "between .001 and .05", "above .05"],
)

# %%
print(f"OLS: {ols.params['hosp_cabg_share']:.3f} (standard error {ols.bse['hosp_cabg_share']:.3f})")
p_values = []
for name, also in {"random intercept": None, "and random slope": "1 + cabg"}.items():
    fit = mixedlm.fit(with_share, stays, groups="hospital", re_formula=also)
    row, theirs = fit.fixed.loc["hosp_cabg_share"], fit.result.bse["hosp_cabg_share"]
    errors = f"standard error {row['se']:.3f}, MixedLM prints {theirs:.3f}"
    print(f"{name}: {row['estimate']:.3f} ({errors}), df {row['df']:.1f}, p = {row['p']:.2f}")
    p_values.append(row["p"])
print(f"the last one by lme4: 0.2395; the same as ours: {abs(row['se'] - 0.239507) < 1e-4}")
outcomes = ["below .001, as before", "between .001 and .05", "above .05"]
reveal("P05.6", outcomes[int(p_values[0] > 0.001) + int(p_values[0] > 0.05)])

# %%
residual = (stays["log_los"] - smf.ols(formula, stays).fit().fittedvalues).rename("residual")
dots = pd.concat([stays, residual], axis=1).groupby("hospital", observed=True)
dots = dots[["hosp_cabg_share", "hosp_n", "residual"]].mean()
fig, ax = plt.subplots(figsize=(8.5, 3.9))
sizes_drawn = dots["hosp_n"] / 2
ax.scatter(dots["hosp_cabg_share"], dots["residual"], sizes_drawn, color=BLUE, alpha=0.7)
ax.axhline(0, color="0.6", linewidth=1)
ax.set(xlabel="share of bypass operations in the hospital", ylabel="mean residual (log days)")
plots.show(
    fig,
    alt="Seventeen dots, one a hospital, of mean residual log stay against the share of bypass operations. The large hospitals rise from left to right; several small ones at the right lie far below them.",
)

# %% [markdown]
# Here is the evidence, before the size of the hospital is held constant: 17 dots (larger for more
# patients). Many of them rise from left to right; a few do not. A share of bypass operations is a property of a hospital, so there are 17
# values of it and not 3,589. Ordinary regression takes each patient for a new one. With hospitals
# in the model the standard error is more than twice as large, with about ten degrees of freedom.
# What looked decisive becomes "we cannot tell". This is lesson 2's treatment by hospital, in real
# data.
#
# The last model also lets the difference between procedures vary from hospital to hospital (lesson
# 6). Compare its two standard errors. Ours is the textbook's, generalised least squares, and `lme4`
# prints it as well. `MixedLM` prints one that it takes from the curvature of the whole hill,
# variances and all. Often the two hardly differ; here they do.
#
# ## One hospital, an average one, a new one
#
# Back to our trial. A model can be asked three different questions:
#
# - *this hospital*: what is the true mean of H05, whose patients we have seen?
# - *an average hospital*: what is the mean over all hospitals that there could be?
# - *a new hospital*: what will be the true mean of an eleventh hospital, drawn from the same
#   population?
#
# For the first, add the hospital's predicted effect, its BLUP (lesson 3), to the line. For the
# other two, the best guess is the line itself. Here is the first trap: **`MixedLM`'s `predict`
# never adds the BLUP**, even if you name the hospital. `fittedvalues` does.

# %%
blups = pd.DataFrame(
    {
        "patients": n,
        "own mean": means,
        "predict()": printed.predict(rows).to_numpy(),
        "fittedvalues": printed.fittedvalues[rows.index].to_numpy(),
        "line + BLUP": safe.predict(rows, level="hospital")["prediction"].to_numpy(),
        "truth": 140 - 5 * arm + study.truth.hospitals["intercept_effect"].to_numpy(),
    },
    index=rows["hospital"].astype(str) + np.where(arm == 1, ", protocol", ""),
)
blups.round(1)

# %% [markdown]
# `predict()` gives one number for each arm. `fittedvalues` lies between that number and the
# hospital's own mean, nearer to the own mean in large hospitals: partial pooling.
#
# The second trap: each question has its own uncertainty.
#
# - *average*: the error of the line.
# - *new*: that, and how far a hospital lies from the line. Variances add up: error of the line² +
#   `hospital_sd`².
# - *this*: the hospital's own data carry the weight $w$ (lesson 3), so the line's error counts
#   $1 − w$ times. Added to it, variance to variance, is what we still do not know about the
#   hospital: `hospital_sd` × √(1 − $w$).
#
# An interval for something not yet seen, a new hospital or a new patient, is a <dfn>prediction
# interval</dfn>. For one *patient*, add `patient_sd`² to the variance. The `predict` of
# `utils.mixedlm` has a `level` for each question: "hospital" for *this* one, "population" for the
# *average*, and "new hospital".

# %% tags=["nbval-check-output"]
levels = ["hospital", "population", "new hospital"]
control = pd.DataFrame({"treated": [0]})
answers = {level: safe.predict(rows, level=level) for level in levels}
line_error, own = answers["population"]["se"].to_numpy(), safe.hospitals
by_hand = {
    "hospital": np.hypot((1 - own["weight"]) * line_error, own["sd"]),
    "new hospital": np.hypot(line_error, safe.hospital_sd),
}
for level, errors in by_hand.items():
    gap = np.abs(np.asarray(errors) - answers[level]["se"].to_numpy()).max()
    print(f"{level:12} by hand and by library agree: {gap < 1e-6}")

# %%
ends = pd.concat(safe.predict(control, level=level) for level in levels[1:])
low = [*ends["lower"], ends["patient_lower"].iloc[1]]
high = [*ends["upper"], ends["patient_upper"].iloc[1]]
names = (rows["hospital"].astype(str) + [f"\n{size}" for size in n]).to_list()
shown = answers["hospital"].set_axis(names)
fig, ax = plt.subplots(figsize=(9.5, 4.2))
plots.caterpillar(shown["prediction"], shown["lower"], shown["upper"], ax)
ax.plot(names, blups["truth"], "x", color=TRUTH, markersize=8, label="truth")
ax.vlines(["average\nhospital", "new\nhospital", "its next\npatient"], low, high, BLUE, linewidth=4)
ax.set(xlabel="hospital and its patients", ylabel="sbp (mmHg), 95 % interval")
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
plots.show(
    fig,
    alt="Predictions for ten known hospitals with 95 % intervals, shorter for larger hospitals, and their true means, most inside. At the right, without the protocol: a short interval for the average hospital, a much longer one for a new hospital, the longest for a patient of a new hospital.",
)

# %% [markdown]
# Left: ten known hospitals, each as it was treated. The larger the hospital, the shorter its
# interval. Right: hospitals without the protocol. From the average hospital to a new one no data
# changed. The question did.

# %%
predict(
    "P05.7",
    "A planner takes the 95 % interval of the average hospital for one that is about to open. In "
    "what share of such cases will it hold the new hospital's true mean?",
    unit="%",
)


# %%
def one_trial(rng):
    study = med_trial(**design, rng=rng)
    model = mixedlm.fit("sbp ~ treated", study.data, groups="hospital")
    rows = study.data.drop_duplicates("hospital")
    average = 140 - 5 * rows["treated"].to_numpy()
    this = average + study.truth.hospitals["intercept_effect"].to_numpy()
    truths = {"this": this, "average": average, "new": average + rng.normal(0, 4, 10)}
    held = {}
    for level in levels:
        low, high = model.predict(rows, level=level)[["lower", "upper"]].to_numpy().T
        held |= {(level, k): ((low < v) & (v < high)).mean() for k, v in truths.items()}
    return {f"{level}|{mean}": share for (level, mean), share in held.items()}


# %%
held = 100 * replicate(one_trial, 100, rng=56, workers=1, progress=False).iloc[:, 2:].mean()
held.index = held.index.str.split("|", expand=True)
scoreboard = held.unstack().loc[levels, ["this", "average", "new"]]
print(scoreboard.round().astype(int).to_string())
reveal("P05.7", round(scoreboard.loc["population", "new"]), within=8)

# %% [markdown]
# The scoreboard has the three intervals as lines and three true means as columns: how often, in per
# cent, does the interval hold the mean of *this* hospital, of the *average* one, of a *new* one?
# (100 trials of our design, so give each number two or three points either way.) On the diagonal
# each interval answers its own question, and comes close to 95 %. Off the diagonal it answers
# another one. The interval of the average hospital misses a new hospital far too often. That of the
# new hospital holds nearly everything: it is too wide for the other two questions.

# %% [markdown]
# ### Exercise E05.5 · Three intervals
#
# For patients without the protocol, the model of this lesson gives: average hospital 138 to 149
# mmHg; new hospital 131 to 156; one new patient of a new hospital 118 to 169. The health board
# asks: *"We open an eleventh hospital, without the protocol. Between which values will the mean of
# its patients lie, if it treats thousands?"* Which interval answers this?
#
# - **a** 138 to 149 mmHg: the question is about a mean, and with thousands of patients it will be
#   the average.
# - **b** 131 to 156 mmHg: one hospital's own mean, however many patients it treats.
# - **c** 118 to 169 mmHg: nothing is known about this hospital's patients.
# - **d** None: a model cannot say anything about a hospital that is not in the data.

# %%
# BEGIN SOLUTION
interval_answer = "b"
# END SOLUTION

# %%
check("E05.5", interval_answer)

# %% [markdown]
# ## The claim on trial: likeness within a cluster
#
# The claim: *mixed models account for the correlation within a cluster; ignore it, and standard
# errors are too small.* Lesson 2 ruled on the second half. Now the first. In 4,000 trials each the
# protocol does nothing. How often does a test at 5 % claim an effect, with treatment by hospital
# and by patient, and with 6 to 40 hospitals of 30 patients? (`hospital_sd` and `patient_sd` are
# those of our trial.)

# %%
rates, honest = {}, {}
for how in ["hospital", "patient"]:
    for n_hospitals in [6, 10, 20, 40]:
        settings = dict(assignment=how, n_hospitals=n_hospitals, rng=57)
        trials = two_arm_trials(4000, methods=("naive", *RANDOM_INTERCEPT), **settings)
        trials["claims"] = trials["p_value"] < 0.05
        by_method = trials.groupby("method", observed=True)
        rates[how, n_hospitals] = by_method["claims"].mean()
        claimed, scatter = by_method["standard_error"].mean(), by_method["estimate"].std()
        honest[how, n_hospitals] = (claimed / scatter)["random intercept, t"]
rates, honest = pd.DataFrame(rates).T, pd.Series(honest)

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.9), sharey=True)
styles = {"naive": "-s", "random intercept, z": ":^", "random intercept, t": "-o"}
for ax, how in zip(axes, ["hospital", "patient"], strict=True):
    for name, style in styles.items():
        colour = NAIVE if name == "naive" else BLUE
        ax.plot(rates.loc[how, name], style, color=colour, label=name)
    ax.axhline(0.05, color=TRUTH, linestyle="--", linewidth=1.2)
    ax.set(title=f"treatment by {how}", ylim=(0, 0.4))
    plots.log_axis(ax, [6, 10, 20, 40], "hospitals")
axes[0].set_ylabel("type-I error")
axes[1].legend(loc="upper right")
plots.show(
    fig,
    alt="Type-I error against the number of hospitals. By hospital: naive above .3 throughout, random intercept with t at the dashed .05, with z about .1 for 6 hospitals and falling to nearly .05 for 40. By patient: both random intercept lines at .05, naive a little below.",
)

# %% [markdown]
# Left: the naive test claims an effect in about a third of the trials. The random intercept with t
# keeps its 5 % from 6 hospitals on. With z, what `MixedLM` prints, it needs dozens. Right: by
# patient, z and t hardly differ, because the effect is judged inside hospitals; the naive test is a
# little too shy. The same model is right in both designs. Nobody had to tell it who was randomised:
# it reads that off the columns.
#
# All this is for hospitals that differ in their *level* only. Where the effect of a treatment
# varies as well, a random intercept is not enough: lesson 6.

# %% tags=["nbval-check-output"]
by_t, by_z = rates["random intercept, t"], rates["random intercept, z"]
too_eager = by_z["hospital", 10] > 0.07
keeps = by_t.between(0.035, 0.065).all() and honest.between(0.92, 1.05).all()
ruling = "holds, with t" if keeps and too_eager else "holds" if keeps else "look again"
unequal = coverage.loc["REML", "t"]
verdict(
    "C4",
    ruling,
    "on its first half: with a random intercept, fitted by REML and tested with t, the type-I error "
    f"stays at .05 (give or take .015) for treatment by hospital and by patient, with 6 to 40 hospitals; its "
    f"intervals held the truth in {100 * unequal:.0f} % of 2,000 trials with ten unequal hospitals. With z, as printed, "
    "it claims too much when few hospitals are treated as a whole.",
)

# %% [markdown]
# ### Exercise E05.6 · Your own hospitals
#
# `own_hospitals(5)` is a trial by hospital that nobody else has. Fit `sbp ~ treated` with a random
# intercept by REML. What mean does the model predict for **each** of your hospitals, treated as it
# was? (The question about *this* hospital.) Give one number a hospital, a Series by hospital or an
# array in their order, to at least two decimals.

# %%
mine = own_hospitals(5).data
mine.groupby("hospital", observed=True).agg(
    n=("sbp", "size"), treated=("treated", "first"), own_mean=("sbp", "mean")
).round(1)

# %%
# BEGIN SOLUTION
my_rows = mine.drop_duplicates("hospital")
my_fit = mixedlm.fit("sbp ~ treated", mine, groups="hospital")
my_predictions = my_fit.predict(my_rows, level="hospital")["prediction"].to_numpy()
# END SOLUTION

# %%
check("E05.6", my_predictions)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - Fitting is climbing a hill. For a random intercept the hill has one dimension,
#   hospital_sd/patient_sd, and you can draw it.
# - ML takes the fitted line for the true one. On average its hospital_sd is too small, and so are
#   the standard errors. Use REML; use ML to compare different fixed effects.
# - hospital_sd is seldom known well. Report a profile interval.
# - In MixedLM's summary: Scale and Var are variances; the Std.Err. of a Var is not a standard
#   error; z should be t when hospitals are few; under REML there is no AIC.
# - "Converged" means that the search stopped. Two routes to the same height are worth more.
# - A hospital's feature has as many values as there are hospitals.
# - `predict` leaves out the BLUP. A known, an average and a new hospital have three different
#   intervals.
# - A random intercept with t accounts for likeness within hospitals, for either way to give the
#   treatment.
#
# ## Limits
#
# Hospitals and patients were normal, effects the same in every hospital, and treatment given by
# lot, except in azpro, which only describes. Profile intervals are approximate with few hospitals
# (lesson 7). What is said of MixedLM was seen in statsmodels 0.15.0; later versions may differ.
#
# ## Further reading
#
# - Bates D, Mächler M, Bolker B, Walker S (2015). Fitting linear mixed-effects models using lme4.
#   *Journal of Statistical Software* 67(1):1-48. The profiled likelihood of this lesson, in full
#   and for any model.
# - Patterson HD, Thompson R (1971). Recovery of inter-block information when block sizes are
#   unequal. *Biometrika* 58(3):545-554. Where REML comes from: field plots.
# - Laird NM, Ware JH (1982). Random-effects models for longitudinal data. *Biometrics*
#   38(4):963-974. An early and clear account of mixed models, ML and REML for medical data.
# - Kackar RN, Harville DA (1984). Approximations for standard errors of estimators of fixed and
#   random effects in mixed linear models. *Journal of the American Statistical Association*
#   79(388):853-862. Why errors that take the variances as known are too small.
