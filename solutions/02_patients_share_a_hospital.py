# ---
# jupyter:
#   course:
#     question: You have 600 patients in 20 hospitals. How many patients do you really have?
#     reading_minutes: 50
#     exercise_minutes: 35
#     needs: [1]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 Patients share a hospital
#
# > You have 600 patients in 20 hospitals. How many patients do you really have?
#
# Reading: 50 minutes. Exercises: 35 minutes. First do
# [lesson 1](01_a_line_through_the_ward.ipynb).
#
# ## What you will be able to do
#
# - Compute how alike the patients of one hospital are, from data and from two standard deviations.
# - Say what that likeness costs, in patients.
# - Foresee when a test that ignores hospitals claims too much, and when it claims too little.
# - Choose an analysis that keeps its promise, and check it in a simulation.
# - Find the sentence in a report where hospitals were forgotten.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats

from utils import plots
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.pooling import anova_icc, design_effect, effective_sample_size
from utils.simulate import med_trial
from utils.studies import rejection_grid, two_arm_trials
from utils.widgets import design_effect_explorer

plots.set_style()

# %% [markdown]
# ## A protocol that does nothing
#
# Twenty hospitals take part in a trial. In ten of them the nurses are trained in a new
# blood-pressure protocol. The other ten carry on as before. Each hospital measures the systolic
# blood pressure (`sbp`, in mmHg) of 30 patients after 12 weeks.
#
# We made these patients up, so we know the truth. **The protocol does nothing.**
# `treatment_effect` is 0. Hospitals differ: `hospital_sd` is 4 mmHg. Patients of one hospital
# differ more: `patient_sd` is 12 mmHg.

# %%
study = med_trial(
    n_hospitals=20,
    patients_per_hospital=30,
    treatment_effect=0,
    hospital_sd=4,
    patient_sd=12,
    assignment="hospital",
    rng=277,
)
trial = study.data
trial[["patient", "hospital", "treated", "sbp"]].head()

# %% [markdown]
# One row is one patient. `treated` is 1 in the hospitals whose nurses were trained. Look at all
# 600 patients before you compute anything.

# %%
fig, ax = plt.subplots(figsize=(9, 4))
plots.patients_by_hospital(trial, ax)
plots.show(
    fig,
    alt="Blood pressure of 600 patients in 20 hospitals sorted by their mean. Patients scatter widely in every hospital; the hospital means rise steadily from left to right.",
)

# %% [markdown]
# Each column of dots is a hospital. Within a column, patients differ a lot. The bars are the
# hospitals' means, and they differ too. Some hospitals sit high and some low, in both arms.
#
# So two patients of the same hospital tend to be on the same side of the overall mean. They share
# something: staff, habits, the people who live nearby. Patients who share something form a
# <dfn>cluster</dfn>; here each hospital is one. Does a t-test mind?

# %%
naive = smf.ols("sbp ~ treated", trial).fit()
print(
    f"difference {naive.params['treated']:.1f} mmHg, standard error {naive.bse['treated']:.2f}, "
    f"p = {naive.pvalues['treated']:.4f}"
)

# %% [markdown]
# The regression counts 600 patients as 600 separate pieces of information. By its own account it
# has found an effect. There is none: you saw the code. We picked this trial because it makes the
# point. How often does it happen? Many trials can tell.

# %%
predict(
    "P02.1",
    "The protocol does nothing. We run this trial 2,000 times and test at the 5 % level, ignoring "
    "hospitals. In what share of the trials will the test claim an effect?",
    choices=["about 5 %", "about 10 %", "about 30 %", "about 60 %"],
)

# %% [markdown]
# `two_arm_trials` draws many such trials and analyses each. One of its analyses, called `naive`,
# is the regression that you just ran.

# %%
design = dict(n_hospitals=20, patients_per_hospital=30, hospital_sd=4, patient_sd=12)
null_trials = two_arm_trials(2000, assignment="hospital", **design, rng=2)
ignoring = null_trials[null_trials["method"] == "naive"]
false_alarms = (ignoring["p_value"] < 0.05).mean()

shares = {"about 5 %": 0.05, "about 10 %": 0.10, "about 30 %": 0.30, "about 60 %": 0.60}
nearest = min(shares, key=lambda choice: abs(shares[choice] - false_alarms))
reveal("P02.1", nearest)

# %%
fig, ax = plt.subplots(figsize=(8, 3.2))
ax.hist(ignoring["p_value"], bins=np.arange(0, 1.01, 0.05), color=plots.PALETTE["naive"])
ax.axhline(100, color=plots.PALETTE["truth"], linestyle="--")
ax.text(0.98, 118, "what 5 % should look like", ha="right")
ax.set(xlabel="p-value of the test that ignores hospitals", ylabel="trials out of 2,000")
plots.show(
    fig,
    alt="Histogram of 2,000 p-values under no effect. The bar below 0.05 is several times higher than the dashed line at 100 trials; the next two lie above it as well, the others near or below it.",
)

# %% [markdown]
# When nothing is going on, p-values should be spread evenly: 100 trials in each bar, at the
# dashed line. Instead the first bar towers over the rest. Those are the trials that would be
# published.
#
# The share of false alarms has a name. The <dfn>type-I error</dfn> of a test is how often it claims an
# effect when there is none. You ask for 5 %. Here you did not get it.

# %% [markdown]
# ## How alike are patients of one hospital?
#
# Split the variance of blood pressure into two parts.
#
# - *Between hospitals*: how far the hospitals' true means lie from each other, `hospital_sd`².
# - *Within hospitals*: how far patients lie from their own hospital's mean, `patient_sd`².
#
# The <dfn>intraclass correlation</dfn> (ICC) is the share of the variance that lies between
# hospitals:
#
# $$\text{icc} = \frac{\text{hospital\_sd}^2}{\text{hospital\_sd}^2 + \text{patient\_sd}^2}$$
#
# It is 0 when a hospital tells you nothing about its patients. It is 1 when all patients of a
# hospital are the same. It is also a correlation: that of two patients drawn from one hospital.
#
# You cannot see a hospital's true mean. You see the mean of 30 patients, whose variance is `patient_sd`²/30 even if all hospitals are the same. Take that away:

# %% tags=["nbval-check-output"]
means = trial.groupby("hospital", observed=True)[["treated", "sbp"]].mean()
within = trial.groupby("hospital", observed=True)["sbp"].var().mean()
between = means["sbp"].var() - within / 30
icc_by_hand = between / (between + within)
icc_by_library = anova_icc(trial["sbp"], trial["hospital"]).icc
print(f"by hand {icc_by_hand:.3f}, by library {icc_by_library:.3f}, truth {study.truth.icc:.3f}")

# %% [markdown]
# By hand and by library agree. The truth is close by, but not the same. Twenty hospitals say
# little about how much hospitals differ. We come back to that in lesson 7.
#
# (We took all 20 hospitals together, since the protocol does nothing. Where a treatment works, take
# the variance of the means within each arm, or its effect counts as likeness.)

# %% [markdown]
# ### Exercise E02.1 · From two standard deviations to an ICC
#
# A registry reports that hospital means of blood pressure have a standard deviation of 3 mmHg
# around the national mean (the true means, not the noisy ones). Patients of one hospital have a standard deviation of
# 9 mmHg. Compute the ICC.

# %%
# BEGIN SOLUTION
icc_registry = 3**2 / (3**2 + 9**2)
# END SOLUTION

# %%
check("E02.1", icc_registry)

# %% [markdown]
# ## What likeness costs
#
# Take the mean of one hospital with $n$ patients. If patients were independent, its variance
# would be (`hospital_sd`² + `patient_sd`²)/$n$. But they share the hospital's part. That part
# does not average out, so the true variance is `hospital_sd`² + `patient_sd`²/$n$.
#
# The ratio of the two is the <dfn>design effect</dfn>: how many times larger the variance is
# than you would think.
#
# $$\text{design effect} = 1 + (n - 1) \times \text{icc}$$
#
# The same ratio holds for the difference between the arms when whole hospitals are treated.

# %% tags=["nbval-check-output"]
believed = (4**2 + 12**2) / 30
true = 4**2 + 12**2 / 30
print(f"by hand:    {true / believed:.2f}")
print(f"by formula: {design_effect(0.1, 30):.2f}")
print(f"600 patients are worth {effective_sample_size(600, design_effect(0.1, 30)):.0f}")

# %% [markdown]
# Here the ICC is .1 and the design effect is close to 4. Divide the number of patients by it and you
# get the <dfn>effective sample size</dfn>: how many independent patients would tell you as much. That answers
# the question of this lesson, *for a treatment given to whole hospitals*.
#
# The standard error grows by the square root of the design effect. Check it on the 2,000 trials:
# compare how much the estimates really scatter with what the naive analysis claims.

# %% tags=["nbval-check-output"]
scatter = ignoring["estimate"].std()
claimed = ignoring["standard_error"].mean()
print(f"the estimates scatter {scatter / claimed:.1f} times as much as the naive analysis claims")
print(f"square root of the design effect: {design_effect(0.1, 30) ** 0.5:.1f}")

# %%
predict(
    "P02.2",
    "The same 20 hospitals now send 300 patients each, not 30. What happens to the true standard "
    "error of the protocol's effect?",
    choices=["it falls to a third", "it falls to a half", "it falls by about a tenth"],
)

# %%
n = np.arange(2, 301)
more_patients = np.sqrt((1 / 10 + 1 / 10) * (4**2 + 12**2 / n))
more_hospitals = np.sqrt((2 / (10 * n / 30)) * (4**2 + 12**2 / 30))
ratio = more_patients[n == 300].item() / more_patients[n == 30].item()
outcomes = {
    "it falls to a third": 1 / 3,
    "it falls to a half": 1 / 2,
    "it falls by about a tenth": 0.9,
}
reveal("P02.2", min(outcomes, key=lambda choice: abs(outcomes[choice] - ratio)))

# %%
fig, ax = plt.subplots(figsize=(8, 3.6))
ax.plot(20 * n, more_patients, color=plots.PALETTE["patients"], linewidth=3)
ax.plot(20 * n, more_hospitals, color=plots.PALETTE["hospital means"], linewidth=3)
ax.axhline(np.sqrt((1 / 10 + 1 / 10) * 4**2), color=plots.PALETTE["truth"], linestyle="--")
ax.text(6000, 1.98, "20 hospitals, more patients in each", ha="right")
ax.text(6000, 1.52, "the floor for 20 hospitals", ha="right")
ax.text(6000, 0.85, "more hospitals of 30 patients", ha="right")
ax.set(
    xlabel="patients in the trial", ylabel="standard error (mmHg)", ylim=(0, 3.5), xlim=(400, 6100)
)
plots.show(
    fig,
    alt="Standard error against the number of patients. With 20 hospitals it levels off at the dashed floor; with more hospitals of 30 patients it keeps falling.",
)

# %% [markdown]
# The upper curve adds patients to the same 20 hospitals. It flattens: no number of patients
# gets it below the dashed floor, because 20 hospitals remain 20 hospitals. The lower curve
# spends the same patients on new hospitals, and keeps falling.
#
# ### Try it: what does a cluster cost?
#
# Run the cell, then use the sliders to answer. If you cannot run it, the figure above shows one of
# its settings.
#
# 1. Treatment by hospital, ICC .05. From how many patients per hospital on is half of your sample
#    wasted?
# 2. Set the ICC to .01 and go to 200 patients per hospital. Would you call that negligible?
# 3. Now give the treatment by patient. Which way does the type-I error move as the ICC grows?
# 4. Find two different settings with about the same effective sample size. Which trial would be
#    cheaper to run?
#
# <details><summary>Answers</summary>1: 21, since 1 + 20 × .05 = 2. 2: no, the design effect is 3, so
# two thirds of the sample are wasted. 3: down, below 5 %. 4: at ICC .1, for example, 20 hospitals
# of 30 patients (worth 154) and 40 of 6 (worth 160). The price of a hospital and of a patient
# decides.</details>

# %%
design_effect_explorer()

# %% [markdown]
# ### Exercise E02.2 · What is the trial worth?
#
# A trial of a discharge plan randomises 12 hospitals, 50 patients in each. The ICC is .06.
# Compute the effective sample size.

# %%
# BEGIN SOLUTION
patients_worth = 12 * 50 / (1 + (50 - 1) * 0.06)
# END SOLUTION

# %%
check("E02.2", patients_worth)

# %% [markdown]
# ## "The ICC is below .05, so we need no mixed model"
#
# You will read this rule in many methods sections. (A mixed model, lesson 3, is one analysis that
# counts hospitals.) Put it on trial: an ICC of only .01, but 200
# patients in each of 20 hospitals.

# %%
predict(
    "P02.3",
    "ICC .01, 20 hospitals of 200 patients, treatment given by hospital, no effect. What type-I "
    "error will the naive 5 % test have?",
    unit="%",
)

# %%
small_icc = rejection_grid(icc=[0.01], patients_per_hospital=[200], assignment=("hospital",), rng=3)
small_icc = small_icc.set_index("method")
type_one_error = 100 * small_icc.loc["naive", "rejected"]
reveal("P02.3", round(type_one_error), within=5)

# %% tags=["nbval-check-output"]
print(f"design effect {design_effect(0.01, 200):.2f}")
print(f"the naive 5 % test claims an effect {type_one_error / 5:.0f} times as often as promised")

# %% [markdown]
# The rule looks at the ICC alone. The damage is done by the ICC *times the size of the hospitals*.
# A tiny likeness, counted 200 times, is not tiny.

# %% [markdown]
# ## Same hospitals, treatment by patient
#
# So far whole hospitals were treated. A drug can be given by patient: in each hospital half of
# the patients get it, by lot. The hospitals are just as different as before, and the drug does
# nothing again.

# %%
predict(
    "P02.4",
    "Treatment by patient, ICC .2, 30 patients per hospital. How will the naive 5 % test do?",
    choices=["too eager: above 5 %", "about right: near 5 %", "too shy: below 5 %"],
)

# %%
grid = rejection_grid(
    icc=[0, 0.01, 0.05, 0.1, 0.2], patients_per_hospital=[10, 30, 100, 200], n_trials=8000, rng=4
)
here = grid.query("assignment == 'patient' and icc == 0.2 and patients_per_hospital == 30")
share = here.set_index("method").loc["naive", "rejected"]
outcomes = ["too shy: below 5 %", "about right: near 5 %", "too eager: above 5 %"]
reveal("P02.4", outcomes[int(share > 0.04) + int(share > 0.06)])

# %%
shades = {0: "0.8", 0.01: "0.62", 0.05: "0.45", 0.1: "0.25", 0.2: "0"}
fig, axes = plt.subplots(1, 2, figsize=(9.5, 4))
for ax, how, top in zip(axes, ["hospital", "patient"], [0.85, 0.1], strict=True):
    rows = grid.query("assignment == @how and method == 'naive'")
    for icc, line in rows.groupby("icc"):
        x, y = line["patients_per_hospital"], line["rejected"]
        ax.plot(x, y, "o-", color=shades[icc], label=f"{icc:g}")
    ax.axhline(0.05, color=plots.PALETTE["truth"], linestyle="--")
    ax.set(title=f"treatment by {how}", xlabel="patients per hospital", ylim=(0, top))
axes[0].set_ylabel("type-I error")
axes[1].legend(title="ICC", ncols=5, loc="upper center", columnspacing=0.8, handlelength=1)
plots.show(
    fig,
    alt="Type-I error of the naive test against patients per hospital, one line per ICC. Treatment by hospital: the lines climb far above 5 %. Treatment by patient, on a finer scale: the lines lie near 5 % or below it, the lowest for the highest ICC.",
)

# %% [markdown]
# Left: treatment by hospital. Every line but ICC = 0 leaves the dashed 5 % and climbs with
# the size of the hospitals. Right: treatment by patient, on a finer scale. Up to the noise of 8,000
# trials (about half a percentage point), the lines stay at 5 % or *below*, and the higher the ICC, the lower.
#
# Why below? Each hospital now has treated and untreated patients. Whatever the hospital adds, it
# adds to both, and in the difference it cancels. The naive analysis does not know that. It
# still counts the differences between hospitals as noise. Its standard error is too **large**,
# and real effects are missed.

# %% [markdown]
# ### Exercise E02.3 · A p-value of .07
#
# A drug trial randomised patients within each of 25 hospitals, half to the drug. The ICC is .2. Suppose that the drug does the same in every hospital.
# The authors ignored the hospitals and report p = .07: "no evidence of an effect". What do you
# say?
#
# - **a** With patients sharing hospitals, the true p-value must be larger than .07.
# - **b** The analysis counted hospital differences as noise; one that removes them will probably give a smaller p-value.
# - **c** The ICC makes the estimated effect biased towards zero.
# - **d** Nothing changes: hospitals do not matter in a randomised trial.

# %%
# BEGIN SOLUTION
answer = "b"
# END SOLUTION

# %%
check("E02.3", answer)

# %% [markdown]
# ### The claim on trial
#
# The claim: *mixed models account for the correlation within a cluster; ignore it, and standard
# errors are too small.* You have the evidence on its second half. Lesson 5 tries the first.

# %% tags=["nbval-check-output"]
rates = grid[grid["method"] == "naive"].query("icc == 0.2 and patients_per_hospital == 30")
rates = rates.set_index("assignment")["rejected"]
too_small, too_large = rates["hospital"] > 0.07, rates["patient"] < 0.043
ruling = "half true" if too_small and too_large else "look again"
verdict(
    "C4",
    ruling,
    "ignoring clusters makes standard errors too small for a treatment given by hospital, and "
    "too large for one given by patient within hospitals, if it does the same in each of them.",
)

# %% [markdown]
# ## Three ways to count
#
# Back to our trial by hospital. Three analyses of the same 600 patients:
#
# - **naive**: 600 independent patients.
# - **cluster-robust**: the same line, but the standard error is computed from how the residuals of each
#   hospital add up. It allows any likeness within a hospital.
# - **hospital means**: one number per hospital, then a t-test of 10 against 10.

# %% tags=["nbval-check-output"]
robust = smf.ols("sbp ~ treated", trial).fit(
    cov_type="cluster", cov_kwds={"groups": trial["hospital"]}, use_t=True
)
by_arm = means.groupby("treated")["sbp"]
t_test = stats.ttest_ind(by_arm.get_group(1), by_arm.get_group(0))
print(f"naive           p = {naive.pvalues['treated']:.3f}")
print(f"cluster-robust  p = {robust.pvalues['treated']:.3f}")
print(f"hospital means  p = {t_test.pvalue:.3f}")

# %% [markdown]
# The estimate is the same in all three. Only the honesty about its error differs. With the
# hospitals counted, there is no sign of an effect.

# %% [markdown]
# ### Exercise E02.4 · The standard error by hand
#
# `means` holds one row per hospital: `treated` and the mean `sbp`. Compute the standard error of
# the protocol's effect from these 20 numbers, in mmHg. Use the pooled variance of the means in
# the two arms, as in a t-test with 10 hospitals in each arm.
# (`means.groupby("treated")["sbp"].var()` gives the two variances.) Give at least three decimals.

# %%
# BEGIN SOLUTION
pooled_variance = means.groupby("treated")["sbp"].var().mean()
standard_error = np.sqrt(pooled_variance * (1 / 10 + 1 / 10))
# END SOLUTION

# %%
check("E02.4", standard_error)

# %% [markdown]
# ### Do they keep their promise?
#
# A 95 % confidence interval should hold the truth in 95 % of trials: that is its coverage
# (lesson 1). This time the protocol works: it lowers pressure by 5 mmHg. The
# scoreboard compares each method with that truth, for 20 hospitals and for 6.

# %%
predict(
    "P02.5",
    "With only 6 hospitals, which 95 % intervals still hold the truth in 95 % of trials, "
    "give or take 1.5 percentage points?",
    choices=["cluster-robust only", "hospital means only", "both", "neither"],
)

# %%
scores = {}
summaries = {"error": "mean", "estimate": "std", "standard_error": "mean", "covered": "mean"}
for n_hospitals in [20, 6]:
    settings = design | {"n_hospitals": n_hospitals, "treatment_effect": -5}
    trials = two_arm_trials(4000, assignment="hospital", **settings, rng=5)
    trials["error"] = trials["estimate"] + 5
    trials["covered"] = trials.eval("lower < -5 < upper")
    scores[n_hospitals] = trials.groupby("method", observed=True).agg(summaries)
scoreboard = pd.concat(scores, names=["hospitals", "method"])
scoreboard.columns = ["bias", "scatter", "mean_standard_error", "coverage_percent"]
scoreboard["coverage_percent"] *= 100
scoreboard.round(2)

# %%
few = scoreboard.loc[6, "coverage_percent"].sub(95).abs() < 1.5
named = {(True, True): "both", (False, False): "neither", (True, False): "cluster-robust only"}
reveal("P02.5", named.get((few["cluster-robust"], few["hospital means"]), "hospital means only"))

# %% [markdown]
# Read the scoreboard line by line. No method is biased: forgetting hospitals does not move the
# estimate, it misstates how sure you are. `scatter` is the true standard error; the naive line
# claims far less and its coverage collapses. With 20 hospitals the other two keep close to their promise.
# With 6, the cluster-robust interval falls short: it needs many hospitals. The t-test on
# hospital means holds, at the price of a wide interval.
#
# ## Why call a hospital effect "random"?
#
# The claim: *the hospital is a random effect because its patients are alike; the medication is
# a fixed effect.* Lesson 3 explains both words. For now: a fixed effect is one number to be
# found, random effects are many numbers drawn from one distribution. If likeness were the reason, any analysis that handles likeness would need
# random effects. Here is how often each analysis claimed an effect in the 2,000 trials without
# one. None of the three has a random effect in it.

# %% tags=["nbval-check-output"]
rejected = null_trials["p_value"].lt(0.05).groupby(null_trials["method"], observed=True).mean()
print((100 * rejected).round().astype(int).rename("claims an effect, %").to_string(header=True))
handled = rejected[["cluster-robust", "hospital means"]].between(0.03, 0.075).all()
ruling = "wrong reason" if handled else "look again"
verdict(
    "C3",
    ruling,
    "likeness is the symptom; two analyses without any random effect handle it "
    "too. A random effect is a choice about what the hospitals stand for.",
)

# %% [markdown]
# Good reasons to call hospitals random come in the next lessons. You want to learn about each
# hospital by borrowing from the others (lesson 3). You want to speak about hospitals that are
# not in your data. You want to know how much hospitals differ. And "fixed" and "random" are not
# labels for things: a drug's effect can vary between hospitals too (lesson 6).

# %% [markdown]
# ### Exercise E02.5 · Spot the flaw
#
# From a report:
#
# 1. Sixteen hospitals were randomised, eight to a new discharge protocol and eight to usual care.
# 2. Each hospital contributed 50 patients, 800 in total.
# 3. The intraclass correlation was .03, well below .05, so patients were analysed as independent.
# 4. The protocol lowered mean systolic pressure by 3.1 mmHg (p = .004).
# 5. The effect should be confirmed in other regions.
#
# Which sentence holds the mistake, and why?
#
# - **a** An ICC must be tested for significance before it can be ignored.
# - **b** With 50 patients per hospital, an ICC of .03 multiplies the variance by about two and a half.
# - **c** Sixteen hospitals are too few for any randomised trial.
# - **d** An ICC cannot be computed in a randomised trial.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (3, "b")
# END SOLUTION

# %%
check("E02.5", flaw)

# %% [markdown]
# ### Exercise E02.6 · Your own hospitals
#
# `own_hospitals(2)` is a trial that nobody else has. Whole hospitals were treated, all of the
# same size. Compute the standard error of the treatment effect from the hospital means, as in
# E02.4. The next cell shows how many hospitals you have in each arm. Give at least three decimals.

# %%
mine = own_hospitals(2).data
mine.groupby(["treated", "hospital"], observed=True).size().groupby("treated").agg(
    ["count", "min", "max"]
)

# %%
# BEGIN SOLUTION
my_means = mine.groupby("hospital", observed=True)[["treated", "sbp"]].mean()
my_arms = my_means.groupby("treated")["sbp"]
my_standard_error = np.sqrt(my_arms.var().mean() * (1 / my_arms.size()).sum())
# END SOLUTION

# %%
check("E02.6", my_standard_error)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - Patients of one hospital are alike. The ICC says how much: it is a share of variance.
# - For a treatment given by hospital, the variance is 1 + (n − 1) × ICC times what you would think.
# - A small ICC with large hospitals can do as much harm as a large ICC with small ones.
# - For a treatment given by patient within hospitals, with the same effect in each, ignoring
#   hospitals makes you miss effects.
# - Ignoring hospitals does not bias the estimate in a randomised trial. It misstates how sure you are.
# - Count what was randomised. If that is hospitals, analyse hospitals, or use a method that knows.
#
# ## Limits
#
# All hospitals here had the same size, the likeness and the treatment's effect were the same in
# each, and treatment was given by lot. Where the effect varies between hospitals (lesson 6),
# ignoring them can make errors too small even for a treatment given by patient. Lesson 7 takes up
# few hospitals and lesson 8 treatments that are not given by lot.
#
# ## Further reading
#
# - Moulton BR (1990). An illustration of a pitfall in estimating the effects of aggregate
#   variables on micro units. *Review of Economics and Statistics* 72(2):334-338. Five pages that
#   made economists look at clusters.
# - Campbell MK, Piaggio G, Elbourne DR, Altman DG (2012). Consort 2010 statement: extension to
#   cluster randomised trials. *BMJ* 345:e5661. What a report of such a trial must say.
# - Cameron AC, Miller DL (2015). A practitioner's guide to cluster-robust inference. *Journal of
#   Human Resources* 50(2):317-372. When the robust errors can be trusted, and what to do if not.
