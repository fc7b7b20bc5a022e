# ---
# jupyter:
#   course:
#     question: Only six hospitals took part. What can you still say, and what should you have planned?
#     reading_minutes: 60
#     exercise_minutes: 45
#     needs: [6]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 7 Few hospitals, honest inference
#
# > Only six hospitals took part. What can you still say, and what should you have planned?
#
# Reading: 60 minutes. Exercises: 45 minutes. First do [lesson 6](06_slopes_that_vary.ipynb).
#
# ## What you will be able to do
#
# - Say what `hospital_sd` = 0 means, how often it happens, and what not to do about it.
# - Test whether hospitals differ with the right reference, and say why the test must not choose
#   your model.
# - Tell which intervals for a treatment effect stay honest with few hospitals.
# - Say what more patients can mend, and what only more hospitals can.
# - Plan a trial: power, width of the interval and cost, and the best design for a budget.

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats

from utils import likelihood, mixedlm, plots
from utils.design import designs_within
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.few_hospitals import compare_intervals, draw_coverage, draw_fits
from utils.simulate import med_trial
from utils.widgets import design_studio_explorer

plots.set_style()

# %% [markdown]
# ## Six hospitals
#
# Twenty hospitals were asked to try a nursing protocol against high blood pressure. Six said yes.
# Three were drawn to train their nurses, three went on as before. Each measured 20 patients.
#
# We made them up. The protocol lowers pressure by 4 mmHg in every hospital. The hospitals truly
# differ: `hospital_sd` is 3 mmHg. `patient_sd` is 12 mmHg, so the intraclass correlation is .06.

# %%
six = dict(n_hospitals=6, patients_per_hospital=20, hospital_sd=3, patient_sd=12)
trial = med_trial(**six, treatment_effect=-4, assignment="hospital", rng=374).data
MODEL, MEANS = plots.PALETTE["random intercept"], plots.PALETTE["hospital means"]
NAIVE, TRUTH = plots.PALETTE["naive"], plots.PALETTE["truth"]
fig, ax = plt.subplots(figsize=(8, 3.6))
plots.patients_by_hospital(trial, ax)
plots.show(
    fig,
    alt="Blood pressure of 120 patients in six hospitals sorted by their mean. The means of the three treated hospitals lie close together at the left, those of the three control hospitals at the right.",
)

# %% [markdown]
# The three treated hospitals have the three lowest means. Within each arm the means lie close
# together. Fit the model that you know, with a random intercept.

# %%
model = mixedlm.fit("sbp ~ treated", trial, groups="hospital")
sd, effect = model.variances.loc["hospital_sd"], model.fixed.loc["treated"]
print(
    f"hospital_sd {sd['estimate']:.2f} mmHg, 95 % interval {sd['lower']:.1f} to {sd['upper']:.1f}"
)
print(
    f"effect {effect['estimate']:.1f} mmHg, standard error {effect['se']:.1f}, p = {effect['p']:.3f}"
)
print(model.notes[0])

# %% [markdown]
# `hospital_sd` is estimated as 0. Not small: zero. People say three things when they see it.
#
# - "An error. The fit has failed."
# - "So hospitals do not differ."
# - "Then drop the term, and run an ordinary regression."
#
# You know that the second is false here: the truth is 3. This lesson is about why the other two are
# mistakes as well.
#
# First the words. A variance cannot be negative, so 0 is the edge of what is possible: a
# <dfn>boundary</dfn>. A fit that ends there is called a <dfn>singular fit</dfn>. (With random
# slopes there are more edges: an SD of 0, or a correlation of −1 or 1.) `MixedLM` has the words of
# lesson 5 for it. Here is what it says about our trial, by three optimisers.

# %%
for how in [{}, {"method": "powell"}, {"method": "lbfgs"}]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        raw = smf.mixedlm("sbp ~ treated", trial, groups="hospital").fit(**how)
    name = how.get("method", "as it comes")
    print(f"{name}: converged {raw.converged}, effect {raw.params['treated']:.1f} mmHg")
    for words in dict.fromkeys(str(item.message).strip() for item in caught):
        print("   ", words)
    try:
        raw.random_effects
    except ValueError as error:
        print("    asked for random effects:", error)

# %% [markdown]
# A museum of warnings, and one cause for all of them: the search has run into `hospital_sd` = 0.
# Other data bring "failed to converge" as well. An optimiser looks for a top with lower ground on
# all sides, and at an edge one side is missing. One of these fits even "converged" to an effect
# that no protocol has.
#
# The cure is not to try optimisers until the words stop. Use a fit that survives at the edge
# (powell, or `utils.mixedlm`, which checks its optimum). Reject one whose numbers are absurd,
# whatever it says about converging. And keep the zero: it is a result.
#
# ## Why the best estimate can be zero
#
# Forget the library. Each hospital has $n$ patients. Two variances hold all that the trial knows
# about `hospital_sd`.
#
# - *within*: the variance of the patients around their own hospital's mean. It estimates
#   `patient_sd`².
# - *between*: the variance of the hospitals' means around the mean of their arm, times $n$. It
#   estimates `patient_sd`² + $n$ × `hospital_sd`².
#
# So (between − within)/$n$ estimates `hospital_sd`².

# %% tags=["nbval-check-output"]
means = trial.groupby("hospital", observed=True)[["treated", "sbp"]].mean()
arms = means.groupby("treated")["sbp"]
between = 20 * arms.var().mean()
within = trial.groupby("hospital", observed=True)["sbp"].var().mean()
print(
    f"between {between:.0f} mmHg², expected {12**2 + 20 * 3**2}; within {within:.0f}, expected {12**2}"
)
print(f"hospital_sd² by hand {(between - within) / 20:.1f} mmHg²; by REML {sd['variance']:.1f}")

# %% [markdown]
# Within each arm the means happen to lie closer together than the noise of 20 patients alone would
# put them. By hand, the estimated variance is negative. A standard deviation cannot be, so REML
# does the best it can, and that is 0.
#
# With three hospitals in each arm, *between* rests on 3 − 1 pieces of information in each arm, four
# in all. Those are its <dfn>degrees of freedom</dfn>. From four pieces you get a very noisy number.
#
# How noisy? Look at the restricted likelihood of lesson 5, as a curve of `hospital_sd`. A value is
# still believable if a <dfn>likelihood-ratio test</dfn> does not reject it. That test takes twice
# the drop of the log-likelihood from its top to the value. If the value is the truth, that follows
# the chi-square distribution χ²₁ (with one degree of freedom), near enough. Its 5 % limit is
# 3.84. All values that are not rejected form the profile interval of lesson 5: 3.84 is twice its 1.92.

# %%
X = np.column_stack([np.ones(120), trial["treated"]])
curve = likelihood.sums(trial["sbp"], X, trial["hospital"])
grid = np.linspace(0, 9, 181)
height = likelihood.profile_loglik(curve, grid)

# %%
fig, ax = plt.subplots(figsize=(8, 3.6))
ax.plot(grid, height - height.max(), color=MODEL)
ax.axhline(-3.84 / 2, color=TRUTH, linestyle=":")
ax.axvline(3, color=TRUTH, linestyle="--")
ax.hlines(-4.4, sd["lower"], sd["upper"], color=MODEL, linewidth=5)
ax.text(0.1, -4.2, "95 % profile interval")
ax.text(3.1, -3.4, "the truth")
ax.text(8.95, -1.8, "half of 3.84 below the top", ha="right")
ax.set(xlabel="hospital_sd (mmHg)", ylabel="log-likelihood below its top", ylim=(-4.7, 0.3))
plots.show(
    fig,
    alt="Restricted log-likelihood against hospital_sd. It is highest at 0, falls slowly, is less than one unit lower at the true 3 mmHg, and reaches the dotted limit just above 5 mmHg. The profile interval runs from 0 to there.",
)

# %% [markdown]
# The curve is highest at 0 and falls slowly. At the truth, 3 mmHg, it is still well above the
# dotted line. The interval runs from 0 to a little above 5 mmHg. So the zero is a legitimate
# estimate: it is where the likelihood is largest. It is not a finding that hospitals are alike.
# These data fit hospitals that do not differ, and they fit hospitals that differ with a standard
# deviation of 5 mmHg.
#
# We picked this trial. How often does it happen?

# %%
predict(
    "P07.1",
    "We run this trial 20,000 times: six hospitals of 20 patients, and hospital_sd truly 3 mmHg. In "
    "what share of them is hospital_sd estimated as exactly 0?",
    choices=["about 1 %", "about 7 %", "about 20 %", "about 50 %"],
)

# %% [markdown]
# `draw_fits` draws many balanced trials and fits the random intercept to each by REML. It returns
# one row a trial. (The protocol does nothing in these. For `hospital_sd` that makes no difference.)

# %%
fits = draw_fits(20_000, assignment="hospital", **six, rng=71)
zero = fits["hospital_sd"] == 0
shares = {"about 1 %": 0.01, "about 7 %": 0.07, "about 20 %": 0.2, "about 50 %": 0.5}
reveal("P07.1", min(shares, key=lambda choice: abs(shares[choice] - zero.mean())))

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.6), sharey=True)
for ax, hospitals in zip(axes, [6, 40], strict=True):
    many = draw_fits(20_000, assignment="hospital", **(six | {"n_hospitals": hospitals}), rng=72)
    at_zero = 100 * (many["hospital_sd"] == 0).mean()
    above = many.loc[many["hospital_sd"] > 0, "hospital_sd"]
    ax.hist(above, np.arange(0, 11, 0.5), weights=np.full(len(above), 100 / 20_000), color=MODEL)
    ax.bar(-0.5, at_zero, 0.5, color=NAIVE)
    ax.axvline(3, color=TRUTH, linestyle="--")
    ax.set_title(f"{hospitals} hospitals of 20: {at_zero:.1f} % exactly 0")
    ax.set(xlabel="estimated hospital_sd (mmHg)", xlim=(-1, 10))
axes[0].set_ylabel("trials out of 20,000 (%)")
plots.show(
    fig,
    alt="Histograms of the estimated hospital_sd around the dashed truth of 3 mmHg. Six hospitals: a bar of over 20 % at exactly 0, the rest spread from 0 to 9. Forty hospitals: almost none at 0, nearly all between 1.5 and 4.5.",
)

# %% [markdown]
# With six hospitals more than one trial in five ends at exactly 0 (the bar at the left), although
# the hospitals differ in every one of them. The rest scatters widely, from near 0 to more than
# twice the truth. With 40 hospitals zeros are almost gone.
#
# You can compute the chance beforehand. The ratio *between*/*within*, divided by what it should be,
# follows an F distribution. With treatment by hospital it has $J - 2$ and $N - J$ degrees of
# freedom ($J$ hospitals, $N$ patients). The estimate is 0 when the ratio is below 1. So the chance
# is
#
# $$P\left(F_{J-2,\,N-J} < \frac{1}{1 + n \times \text{hospital\_sd}^2 / \text{patient\_sd}^2}\right)$$
#
# ### Exercise E07.1 · Will it be zero?
#
# A trial plans 12 hospitals of 25 patients, whole hospitals randomised. `hospital_sd` is 2 mmHg and
# `patient_sd` is 12. Compute the chance that REML estimates `hospital_sd` as 0. (A share between 0
# and 1, three decimals. `stats.f.cdf(x, a, b)` is the chance that F with a and b degrees of freedom
# lies below x.)

# %%
# BEGIN SOLUTION
expected_ratio = 1 + 25 * 2**2 / 12**2
chance_zero = stats.f.cdf(1 / expected_ratio, 12 - 2, 12 * 25 - 12)
# END SOLUTION

# %%
check("E07.1", chance_zero)

# %% [markdown]
# ## Do hospitals differ? A test at the edge
#
# "Test whether `hospital_sd` is 0, and keep the random effect only if the test says so." You will
# meet this advice. There are two mistakes in it. The first is in the test.
#
# Take trials in which hospitals do *not* differ. The test takes twice the drop of the
# log-likelihood from its top to `hospital_sd` = 0, and rejects above 3.84, the 5 % limit of χ²₁.

# %%
predict(
    "P07.2",
    "Hospitals truly do not differ: hospital_sd is 0. How often does this 5 % test claim that they do?",
    choices=["in well below 5 % of the trials", "in about 5 %", "in well above 5 %"],
)

# %%
no_difference = {}
for hospitals in [6, 20, 100]:
    size = six | {"n_hospitals": hospitals, "hospital_sd": 0}
    no_difference[hospitals] = draw_fits(20_000, assignment="hospital", **size, rng=73)["lr_zero"]
rejected = [(ratio > 3.84).mean() for ratio in no_difference.values()]
outcomes = ["in well below 5 % of the trials", "in about 5 %", "in well above 5 %"]
reveal("P07.2", outcomes[int(min(rejected) > 0.04) + int(max(rejected) > 0.06)])

# %%
x = np.linspace(0, 6, 200)
fig, ax = plt.subplots(figsize=(8.5, 3.8))
for (hospitals, ratio), dash in zip(no_difference.items(), ["-", "--", ":"], strict=True):
    share = [(ratio > value).mean() for value in x]
    ax.plot(x, share, dash, color=MODEL, label=f"{hospitals} hospitals")
ax.plot(x, stats.chi2.sf(x, 1), color=NAIVE, label="χ²₁")
ax.plot(x, stats.chi2.sf(x, 1) / 2, color=TRUTH, linewidth=1.2, label="half of χ²₁")
ax.axhline(0.05, color="0.6", linewidth=0.8)
plots.log_axis(ax, [0.01, 0.05, 0.1, 0.5, 1], "share of trials above", axis="y")
ax.set(xlabel="twice the drop of the log-likelihood", xlim=(0, 6), ylim=(0.006, 1.1))
ax.legend()
plots.show(
    fig,
    alt="Share of trials whose statistic exceeds a value, on a log scale, for 6, 20 and 100 hospitals. All three curves lie near half of chi-square with one degree of freedom, far below chi-square itself; the fewer hospitals, the lower.",
)

# %% [markdown]
# Read the curves at 3.84: χ²₁ is at .05 there, as a 5 % test should be. The trials lie far lower,
# at *half* of χ²₁ or, with few hospitals, below that. The reason is the edge. In about half of
# the trials the best value would lie below 0, so the estimate is 0 and the drop is exactly 0. χ²₁
# knows nothing of that half. The right reference with many hospitals is a mixture: half of it 0,
# half χ²₁. In practice: halve the p-value that χ²₁ gives, or compare with 2.71 and not with 3.84.

# %% tags=["nbval-check-output"]
table = pd.DataFrame(
    {
        "drop is 0": {j: (ratio == 0).mean() for j, ratio in no_difference.items()},
        "above 3.84": {j: (ratio > 3.84).mean() for j, ratio in no_difference.items()},
        "above 2.71": {j: (ratio > 2.71).mean() for j, ratio in no_difference.items()},
    }
)
print((100 * table).round(1).rename_axis("hospitals").to_string())

# %% [markdown]
# The numbers are percentages of trials. χ²₁ rejects less than half as often as it promises. The
# mixture is better, and comes close to 5 % as hospitals grow in number. With few of them it is
# too shy as well: more than half of the trials end at 0. (With few hospitals, simulate the trial
# without differences, as we did. Where all hospitals have one size, the F distribution above
# gives an exact test.)
#
# The second mistake is what the test is used for. Back to hospitals that differ with an SD of 3
# mmHg, and a protocol that does nothing. One team always uses the t-test on hospital means
# (lesson 2). The other tests `hospital_sd` first, by the mixture, and counts patients when the
# test is not significant.

# %% tags=["nbval-check-output"]
seen = fits["lr_zero"] > 2.71  # in these trials the protocol does nothing
p_of_teams = {
    "always count hospitals": fits["p_hospital_means"],
    "test hospital_sd first": np.where(seen, fits["p_hospital_means"], fits["p_naive"]),
}
print(f"the test misses the difference between hospitals in {100 * (~seen).mean():.0f} % of trials")
for team, p in p_of_teams.items():
    print(f"{team}: claims an effect of the protocol in {100 * (p < 0.05).mean():.0f} % of trials")

# %% [markdown]
# Six hospitals are too few for the test to see a difference that is there, so it mostly says "not
# significant". The second team takes that for "no difference" and counts 120 patients. It claims
# far too many effects.
#
# Whole hospitals were treated. So hospitals are in the design, and they stay in the analysis,
# whatever a test says. A term that the design puts there is not chosen by its p-value.
#
# ### Exercise E07.2 · A singular fit
#
# A colleague writes: "Eight hospitals of 20 patients, whole hospitals randomised. The mixed model
# was singular: the variance between hospitals was estimated as 0. Hospitals did not differ, so we
# report the ordinary regression of 160 patients." What do you advise?
#
# - **a** The regression is right: a variance of 0 means that patients of one hospital are not
#   alike.
# - **b** A singular fit is an error: try optimisers until the variance is above 0.
# - **c** Add a dummy for each hospital in place of the random effect.
# - **d** Zero is only the best guess of a wide range: give its interval, and use a test that counts
#   eight hospitals.

# %%
# BEGIN SOLUTION
singular_answer = "d"
# END SOLUTION

# %%
check("E07.2", singular_answer)

# %% [markdown]
# ### Exercise E07.3 · A p-value at the edge
#
# A registry of 80 hospitals. The restricted log-likelihood is −1204.6 at its top, and −1206.0 with
# `hospital_sd` held at 0. Compute the p-value of "hospitals do not differ", with the reference that
# suits the edge. Give three decimals. (`stats.chi2.sf(x, 1)` is the chance that χ²₁ exceeds x.)

# %%
# BEGIN SOLUTION
drop = 2 * (1206.0 - 1204.6)
p_edge = stats.chi2.sf(drop, 1) / 2
# END SOLUTION

# %%
check("E07.3", p_edge)

# %% [markdown]
# ## How wide must the interval be?
#
# Now the question that the six hospitals were recruited for: the effect of the protocol. The
# estimate is not in doubt, its uncertainty is. A standard error is itself an estimate, with its
# own degrees of freedom. If they are very many, a 95 % interval takes 1.96 standard errors to
# either side (z). If they are few, take a t distribution. With 4 degrees of freedom that makes
# 2.78.
#
# Four tests of the same difference:
#
# - **z**, as MixedLM prints it: the standard error counts as known.
# - **Satterthwaite**: t, with degrees of freedom computed from how well the fit knows its own
#   standard error: 2 se⁴ divided by the variance of the estimated se². `model.fixed` gives these.
# - **between-within**: t, with degrees of freedom by counting. A treatment given to hospitals gets
#   $J - 2$.
# - **hospital means**: the t-test of lesson 2, three means against three. Also $J - 2$.

# %% tags=["nbval-check-output"]
ways = {"z": "normal", "Satterthwaite": "satterthwaite", "between-within": "between-within"}
tests = {name: model.fixed_table(df=df).loc["treated"] for name, df in ways.items()}
t_test = stats.ttest_ind(arms.get_group(1), arms.get_group(0))
ends = t_test.confidence_interval()
se = np.sqrt(arms.var().mean() * (1 / 3 + 1 / 3))
columns = ["se", "df", "lower", "upper", "p"]
row = [se, t_test.df, ends.low, ends.high, t_test.pvalue]
tests["hospital means"] = dict(zip(columns, row, strict=True))
print(pd.DataFrame(tests).T[columns].astype(float).round(3).to_string())

# %% [markdown]
# From p = .04 to more than .10, on the same 120 patients. Look at `df`. Satterthwaite gives 118.
# The fit believes that hospitals do not differ, so it counts patients: 120 minus 2. At
# `hospital_sd` = 0 **the mixed model is the ordinary regression**. "Dropping the term" would
# change nothing. The term has already dropped itself.
#
# The other two know the design, and count hospitals: 6 − 2 = 4.
#
# ### Let the computer draw the reference
#
# There is a fifth way, which needs no formula for degrees of freedom. Fit the model *without* the
# treatment. Draw new data from that fit. Analyse each as you did the real ones. Then see how large
# a t-ratio comes up when nothing is going on. That is a <dfn>parametric bootstrap</dfn>: data are
# drawn from a fitted model, not from the patients at hand.

# %%
null = likelihood.fit_intercept(likelihood.sums(trial["sbp"], X[:, :1], trial["hospital"]))
rng = np.random.default_rng(74)
u = rng.normal(0, null.hospital_sd, size=(4000, 6))[:, trial["hospital"].cat.codes]
sbp = null.beta[0] + u + rng.normal(0, null.patient_sd, size=(4000, 120))
again = likelihood.fit_intercept(likelihood.sums(sbp, X, trial["hospital"]))
t_null = np.abs(again.beta[:, 1] / again.se[:, 1])
print(
    f"drawn with hospital_sd {null.hospital_sd:.1f}: p = {(t_null >= abs(effect['t'])).mean():.3f}"
)
percentile = model.bootstrap(2000, rng=74, progress=False).intervals.loc["treated"]
print(f"percentile interval: {percentile['lower']:.1f} to {percentile['upper']:.1f} mmHg")

# %%
x = np.linspace(0, 5, 200)
fig, ax = plt.subplots(figsize=(8.5, 3.8))
ax.plot(x, 2 * stats.t.sf(x, 4), "--", color=MEANS, label="t with 4 degrees of freedom")
ax.plot(x, [(t_null >= value).mean() for value in x], "-.", color=MODEL, label="bootstrap")
ax.plot(x, 2 * stats.norm.sf(x), color=MODEL, label="z")
ax.axvline(abs(effect["t"]), color=TRUTH, linestyle=":", label="our trial")
ax.axhline(0.05, color="0.6", linewidth=0.8)
plots.log_axis(ax, [0.01, 0.05, 0.1, 0.5, 1], "share at least so far from 0", axis="y")
ax.set(xlabel="estimate / standard error (without sign)", xlim=(0, 5), ylim=(0.004, 1.1))
ax.legend()
plots.show(
    fig,
    alt="Share of trials whose t-ratio lies at least so far from 0, when the protocol does nothing. Beyond 2 the bootstrap's curve lies above that of z and below that of t with 4 degrees of freedom. Our trial stands at 2.1, where z is below 5 %, the bootstrap near it, t above.",
)

# %% [markdown]
# Each curve says how often a trial in which the protocol does nothing lands at least so far from 0.
# Beyond 2 the bootstrap's curve lies above z: with six hospitals, large ratios are more frequent
# than z says. And it lies below t. It is only as good as the fit that it draws from, and that fit
# had six hospitals to guess `hospital_sd` from. It guessed 1.9 mmHg; the truth is 3.
#
# Not every bootstrap helps. `model.bootstrap` draws from the fit *with* the treatment, where
# `hospital_sd` is 0. The hospitals of those trials do not differ at all. Its percentile interval is
# hardly wider than that of z.
#
# Which should you believe? One trial cannot tell. There is a sixth way: the profile interval of
# the *effect*, by maximum likelihood and χ²₁. `compare_intervals` scores all six on the same 20,000
# trials. (The bootstrap's interval holds the effects that its test does not reject.)

# %%
predict(
    "P07.3",
    "Six hospitals, three of them treated. How often does the 95 % interval of the z-test, as MixedLM "
    "prints it, hold the true effect?",
    choices=["about 95 %", "about 91 %", "about 75 %"],
)

# %%
spread = {key: six[key] for key in ["patients_per_hospital", "hospital_sd", "patient_sd"]}
numbers = [4, 6, 10, 20, 40]
by_hospital = compare_intervals(
    numbers, assignment="hospital", treatment_effect=-4, **spread, rng=75
)
covered = by_hospital.loc[(6, "z"), "coverage"]
shares = {"about 95 %": 0.95, "about 91 %": 0.91, "about 75 %": 0.75}
reveal("P07.3", min(shares, key=lambda choice: abs(shares[choice] - covered)))

# %% tags=["nbval-check-output"]
scoreboard = by_hospital.loc[6, ["bias", "scatter", "coverage", "half_width"]].round(3)
scoreboard["coverage"] *= 100
columns = ["p_z", "p_satterthwaite", "p_between_within", "p_hospital_means"]
claims = 100 * (fits[columns] < 0.05).groupby(zero).mean().T
claims.index = ["z", "Satterthwaite", "between-within", "hospital means"]
claims.columns = ["claims, sd > 0", "claims, sd = 0"]
print((scoreboard.join(claims).round(1) + 0).to_string(na_rep=""))

# %% [markdown]
# Read the scoreboard from the left (coverage and claims are percentages, the rest is in mmHg). No
# method is biased. `scatter` is the true standard error. z and the profile interval hold the truth
# in only about 91 % of the trials: they read four pieces of information as if they were very many.
# The bootstrap is close to its promise. The t-test on hospital means keeps it. Between-within errs
# on the safe side.
#
# Satterthwaite also seems right. Now the last two columns. They take the trials where the protocol
# does nothing, and split them: `hospital_sd` estimated above 0, and as 0. Where it is 0,
# Satterthwaite claims an effect in almost one trial in five. In the others it hardly ever does. Its
# 5 % is an average of too many and too few.
#
# So is that of the t-test. Its "5 %" is a promise about all trials, not about those where the
# hospitals' means lie close together by luck. In those, between-within alone stays near 5 %. With
# few hospitals ask for `df="between-within"`, or use the t-test. Choose before you see the data.
#
# ## Few hospitals, or few patients?
#
# Now a drug, given by patient: to half of the patients of each hospital, by lot. The hospitals are
# as few as before.

# %%
predict(
    "P07.4",
    "Six hospitals of 20, treatment by patient, with the same effect in each hospital. How often does "
    "the 95 % interval of the z-test hold the truth?",
    choices=["about 91 %, as before", "about 95 %", "about 98 %"],
)

# %%
by_patient = compare_intervals(numbers, assignment="patient", **spread, rng=76)
varying = compare_intervals(numbers, assignment="patient", effect_sd=4, **spread, rng=77)
covered = by_patient.loc[(6, "z"), "coverage"]
shares = {"about 91 %, as before": 0.91, "about 95 %": 0.95, "about 98 %": 0.98}
reveal("P07.4", min(shares, key=lambda choice: abs(shares[choice] - covered)))

# %%
fig = plt.figure(figsize=(10, 3.9))
panels = {
    "by hospital": by_hospital,
    "by patient": by_patient,
    "by patient, effect varies": varying,
}
draw_coverage(panels, fig)
plots.show(
    fig,
    alt="Coverage of six 95 % intervals against the number of hospitals. By hospital: z and profile start near 89 % at four hospitals and rise slowly; between-within starts near 100 %; the t-test on hospital means stays at 95 %. By patient: all lie at 95 %. By patient with an effect that varies: only the t-test on hospitals stays at 95 %, all others lie near 89 % at any number.",
)

# %% [markdown]
# Left, treatment by hospital: z needs dozens of hospitals before it can be believed. Middle,
# treatment by patient: all six lie at 95 %, or within a point of it, even with four hospitals. Each
# hospital holds both arms, so its level cancels, and the standard error is made from the patients.
# *Few hospitals* is a problem where the effect is read off the hospitals.
#
# Right, the warning of lesson 6: by patient again, but the drug's effect differs between hospitals
# (SD 4 mmHg), and the model does not know. Then the effect *is* read off the hospitals, and all
# that count patients fail, with four hospitals and with forty. The t-test on the hospitals' own
# differences holds.
#
# ### Can more patients mend it?
#
# Back to treatment by hospital, the protocol without effect. Ten times as many patients: in the
# same six hospitals, or in ten times as many hospitals? And what if 60 hospitals send only two
# patients each?


# %% tags=["nbval-check-output"]
def score(hospitals, patients):
    size = six | {"n_hospitals": hospitals, "patients_per_hospital": patients}
    drawn = draw_fits(20_000, assignment="hospital", **size, rng=78)
    found = (drawn[["p_z", "p_hospital_means"]] < 0.05).mean().set_axis(["z claims", "t claims"])
    found["hospital_sd is 0"] = (drawn["hospital_sd"] == 0).mean()
    found["its error"] = np.sqrt(((drawn["hospital_sd"] / 3 - 1) ** 2).mean())
    found["its interval holds"] = (drawn["lr_truth"] < 3.84).mean()
    return 100 * found


sizes = [(6, 20), (6, 200), (60, 20), (60, 2)]
more = pd.DataFrame({f"{j} hospitals of {n}": score(j, n) for j, n in sizes}).T
print(more.round().astype(int).to_string())

# %% [markdown]
# All numbers are percentages. The first two columns should say 5. `its error` is a typical error of
# the estimated `hospital_sd`, as a share of the truth; the last column is the coverage of its
# profile interval.
#
# More patients in six hospitals make z *worse*: now nearly all of the error comes from the
# hospitals, and there are still six. In 60 hospitals z is within a point of its 5 %, even with two
# patients each.
#
# `hospital_sd` itself asks for more. From six hospitals it is hopeless with 20 patients and poor
# with 200. From 60 hospitals of two it is hopeless too. It takes many hospitals, *and* patients
# enough to see each of them. But its profile interval all but keeps its promise: it holds the truth
# in 94 % of the trials, or more.
#
# ### "You need at least 20 hospitals"
#
# Or 5, or 30, or 50. You will read all of these. If there were such a number, something should
# happen at it.

# %%
steps = pd.DataFrame({j: score(j, 20) for j in [4, 6, 8, 10, 14, 20, 30, 50, 100]}).T
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.7))
left.plot(steps["z claims"], "o-", color=MODEL, label="z-test")
left.plot(steps["t claims"], "o-", color=MEANS, label="t-test on hospital means")
left.axhline(5, color=TRUTH, linewidth=0.8)
right.plot(steps["its error"], "o-", color=MODEL, label="typical error, % of the truth")
right.plot(steps["hospital_sd is 0"], "s--", color=NAIVE, label="estimated as 0, % of trials")
for ax, label in [(left, "type-I error (%)"), (right, "estimated hospital_sd (%)")]:
    ax.set(ylabel=label, ylim=(0, 12 if ax is left else 95))
    plots.log_axis(ax, [4, 10, 20, 50, 100], "hospitals")
    ax.legend()
plots.show(
    fig,
    alt="Left: type-I error of the z-test falls smoothly from over 10 % at four hospitals towards 5 %; the t-test stays at 5 % throughout. Right: the typical error of hospital_sd and the share of zeros fall smoothly. There is no step anywhere.",
)

# %% [markdown]
# Nothing happens at 5, 20 or 50. The t-test on hospital means is honest from four hospitals on. z
# gets better step by step, and so does `hospital_sd`. There is no magic number. There are two
# questions. Is my *test* honest with this many hospitals? Choose the test for that. Is my *answer*
# precise enough to be of use? The interval says it.
#
# ### The claim on trial
#
# The claim: *mixed models are hard to estimate when samples are small or predictors are many.*
# Small in what? Take it apart. (Many predictors are for lesson 10.)

# %% tags=["nbval-check-output"]
z_claims, t_claims, off = (more[name] for name in ["z claims", "t claims", "its error"])
few_hospitals_hurt = z_claims[["6 hospitals of 20", "6 hospitals of 200"]].min() > 7
few_patients_hurt = z_claims["60 hospitals of 2"] > 6
honest = (
    t_claims.between(4.3, 5.7).all() and abs(by_patient.loc[(6, "z"), "coverage"] - 0.95) < 0.01
)
ruling = "half true" if few_hospitals_hurt and not few_patients_hurt and honest else "look again"
verdict(
    "C7",
    ruling,
    "for an honest test of a treatment given by hospital, few hospitals are hard and few patients are not. "
    f"With 6 hospitals the z-test claimed an effect that is not there in {z_claims.iloc[0]:.0f} % of trials with "
    f"20 patients in each, {z_claims.iloc[1]:.0f} % with 200; with 60 hospitals of 2 in {z_claims.iloc[3]:.0f} %. "
    "The t-test on hospitals kept its 5 %. hospital_sd needs both: it was off by "
    f"{off.iloc[0]:.0f} % of its size with 6 hospitals of 20, {off.iloc[3]:.0f} % with 60 of 2, "
    f"{off.iloc[2]:.0f} % with 60 of 20.",
)

# %% [markdown]
# ## What you should have planned
#
# The two honest intervals of our trial, with 4 degrees of freedom, run from about −10 to 1 mmHg.
# They leave everything open. That could be known beforehand. The <dfn>power</dfn> of a test is
# how often it finds an effect of a given size that is there.
#
# Whole hospitals are treated, half of $J$. The true standard error of the effect follows from
# lesson 2:
#
# $$\text{se} = \sqrt{\frac{4}{J}\left(\text{hospital\_sd}^2 + \frac{\text{patient\_sd}^2}{n}\right)}$$
#
# If the effect is real, the t-ratio of the hospitals' means follows a *noncentral* t
# distribution: t with $J - 2$ degrees of freedom, moved away from 0 by effect/se. The power is
# its share outside of the usual limits. For hospitals of one size that is exact. Check it against
# trials.

# %% tags=["nbval-check-output"]
true_se = np.sqrt(4 / 6 * (3**2 + 12**2 / 20))
limit = stats.t.ppf(0.975, df=4)
moved = stats.nct(df=4, nc=4 / true_se)
by_formula = moved.sf(limit) + moved.cdf(-limit)
works = draw_fits(20_000, assignment="hospital", **six, treatment_effect=-4, rng=80)
by_trials = (works["p_hospital_means"] < 0.05).mean()
print(f"true standard error {true_se:.1f} mmHg")
print(f"power by formula {100 * by_formula:.0f} %, in 20,000 trials {100 * by_trials:.0f} %")

# %% [markdown]
# The protocol works, and this trial had about one chance in six to show it. No analysis mends that.
# It needed another plan.
#
# ### Exercise E07.4 · Plan before you recruit
#
# A trial plans 10 hospitals of 30 patients, five of them treated as a whole. `hospital_sd` is 3,
# `patient_sd` is 12, and an effect of 7 mmHg would change practice. Compute the power of the t-test
# on hospital means at the 5 % level. (A share or a percentage, three digits.)

# %%
# BEGIN SOLUTION
planned_se = np.sqrt(4 / 10 * (3**2 + 12**2 / 30))
planned_limit = stats.t.ppf(0.975, df=8)
planned_t = stats.nct(df=8, nc=7 / planned_se)
planned_power = planned_t.sf(planned_limit) + planned_t.cdf(-planned_limit)
# END SOLUTION

# %%
check("E07.4", planned_power)

# %% [markdown]
# ### Hospitals or patients, for the same money
#
# A hospital costs money before its first patient: training, approval, a nurse who collects the
# data. Say 2,000 € for each hospital and 100 € for each patient, and 60,000 € in all. You hope for
# an effect of 6 mmHg.

# %%
predict(
    "P07.5",
    "Treatment by hospital, 60,000 €. Which trial has the most power?",
    choices=[
        "4 hospitals of 130 (520 patients)",
        "10 hospitals of 40 (400 patients)",
        "16 hospitals of 17 (272 patients)",
        "26 hospitals of 3 (78 patients)",
    ],
)

# %% [markdown]
# `designs_within` lists, for each number of hospitals, how many patients the rest of the money
# pays, and what that trial can show, by the formula above. By patient it uses the t-test on the
# hospitals' own differences, with $J - 1$ degrees of freedom. That test stays honest if the effect
# varies between hospitals.

# %%
money = dict(per_hospital=2000, per_patient=100, hospital_sd=3, patient_sd=12, effect=6)
designs = designs_within(60_000, assignment="hospital", **money)
best = designs.loc[[4, 10, 16, 26], "power"].idxmax()
size, patients = designs.loc[best, ["patients_per_hospital", "n_patients"]].astype(int)
reveal("P07.5", f"{best} hospitals of {size} ({patients} patients)")

# %%
spend = dict(money, budget=60_000, hospitals=range(4, 28, 2))
lines = {"by hospital": designs, "by patient": designs_within(assignment="patient", **spend)}
lines["by patient, effect varies"] = designs_within(assignment="patient", effect_sd=4, **spend)
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9))
for (name, design), look in zip(lines.items(), ["-", "--", ":"], strict=True):
    colour = MEANS if name == "by hospital" else plots.PALETTE["patients"]
    left.plot(100 * design["power"], look, color=colour, label=name)
    right.plot(design["half_width"], look, color=colour)
left.set(ylabel="power for 6 mmHg (%)", xlabel="hospitals", ylim=(0, 102))
right.set(ylabel="95 % interval, ± mmHg", xlabel="hospitals", ylim=(0, 13))
fig.legend(loc="outside upper center", ncols=3)
plots.show(
    fig,
    alt="Power and half width of the interval against the number of hospitals, for 60,000 €. By hospital, power climbs to a broad top near 16 and falls again. By patient it is far higher, until hospitals are so many that two or four patients are left for each; where the effect varies it rises more slowly.",
)

# %% [markdown]
# By hospital, few large hospitals waste money on patients who repeat each other. Too many hospitals
# eat it before the first patient comes. The top is broad: anything from 14 to 20 hospitals is about
# as good. By patient, the same money shows far more as long as each hospital has patients to
# compare, because hospitals cancel. Randomise patients where you can. (A drug can be given to half
# of a hospital's patients. A protocol that nurses have learned cannot.) If the effect varies (here
# with an SD of 4 mmHg), hospitals count again: four large ones are no longer enough.
#
# ### Try it: the design studio
#
# The studio does the same with sliders. (The patients of one hospital have an SD of 12 mmHg.) It
# says of its numbers where they come from: *exact* (the formula above), or *simulated*. Your
# design is the dot; the curves of power and width spend the whole budget. If you cannot run it,
# the figure above shows one of its settings, and the left panel of the figure before that the two
# tests.
#
# 1. Set the intraclass correlation to .20, and raise the patients per hospital from 20 to 200. What
#    happens to the power of your design, and to the type-I error of the z-test?
# 2. Give the treatment by patient. Which of the two tests can you now trust? Then set the SD of the
#    effect to 3. And now?
# 3. By hospital, SD of the effect 0, ICC .06: at how many hospitals is the top of the curve? Make
#    hospitals cheap (250 €). Where does it go?
# 4. Find a design by hospital with a power of 80 % for 5 mmHg within the 80,000 €. If there is
#    none, how much is missing?
#
# <details><summary>Answers</summary>1: the power grows from 22 % to 25 % and no further; the
# z-test claims an effect that is not there in about 8 % of trials, with 20 patients and with 200:
# there are still 12 hospitals. 2: both; then only the t-test. The z-test is worse the more
# patients each hospital has. 3: near 22; to the far right: if hospitals cost little, take many
# with few patients. 4: there is none, the top is at about 74 %; some 11,000 € are
# missing.</details>

# %%
design_studio_explorer()

# %% [markdown]
# ### Exercise E07.5 · The best trial for the money
#
# A hospital costs 4,000 € and a patient 150 €. The budget is 80,000 €. Whole hospitals are
# randomised, half of them treated, so their number is even. `hospital_sd` is 3, `patient_sd` 12,
# the effect hoped for 8 mmHg. Which number of hospitals, all of one size, gives the t-test on
# hospital means the most power?

# %%
# BEGIN SOLUTION
affordable = designs_within(
    80_000,
    per_hospital=4000,
    per_patient=150,
    assignment="hospital",
    hospital_sd=3,
    patient_sd=12,
    effect=8,
)
best_number = affordable["power"].idxmax()
# END SOLUTION

# %%
check("E07.5", best_number)

# %% [markdown]
# ### Exercise E07.6 · Spot the flaw
#
# From a report:
#
# 1. Eight hospitals were randomised, four to a new triage protocol and four to usual care.
# 2. Each contributed 20 patients, and all were followed up.
# 3. As a likelihood-ratio test of the variance between hospitals was not significant (p = .21), we
#    removed the random effect.
# 4. The protocol lowered mean systolic pressure by 5.2 mmHg (95 % interval 1.4 to 9.0).
# 5. The trial was planned for 20 hospitals, of which 12 declined.
#
# Which sentence holds the mistake, and why?
#
# - **a** The p-value must be halved at the boundary, and then it would have been significant.
# - **b** Hospitals were randomised: the term belongs to the design, and a test with eight hospitals
#   often misses a variance that does harm.
# - **c** With fewer than 20 hospitals no test is valid.
# - **d** A variance must be tested by maximum likelihood, not by REML.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (3, "b")
# END SOLUTION

# %%
check("E07.6", flaw)

# %% [markdown]
# ### Exercise E07.7 · Your own hospitals
#
# `own_hospitals(7)` is a trial by hospital that nobody else has. Its hospitals are few, and of
# equal size. Compute the half width of the honest 95 % interval for the effect: that of the t-test
# on hospital means. Give two decimals. The next cell shows what you have. (`stats.t.ppf(0.975, df)`
# takes the place of 1.96, if you give it the right degrees of freedom.)

# %%
mine = own_hospitals(7).data
mine.groupby(["treated", "hospital"], observed=True)["sbp"].agg(["size", "mean"]).round(1)

# %%
# BEGIN SOLUTION
my_means = mine.groupby("hospital", observed=True)[["treated", "sbp"]].mean()
my_arms = my_means.groupby("treated")["sbp"]
my_se = np.sqrt(my_arms.var().mean() * (1 / my_arms.size()).sum())
my_half_width = stats.t.ppf(0.975, df=len(my_means) - 2) * my_se
# END SOLUTION

# %%
check("E07.7", my_half_width)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - `hospital_sd` = 0 is a legitimate estimate at the edge of what is possible. With few hospitals
#   it is common even where they differ. Report its profile interval, not "no difference".
# - At 0 the mixed model is the ordinary regression. Its Satterthwaite degrees of freedom jump to
#   those of the patients, and it claims too much.
# - Testing `hospital_sd` = 0 needs half of χ²₁. Do not choose the model by it: terms of the design
#   stay.
# - With treatment by hospital and few hospitals, the intervals of z and of the profile likelihood
#   for the effect are too narrow. Use $J - 2$ degrees of freedom.
# - With treatment by patient and one effect for all, few hospitals do no harm to the test. If the
#   effect varies, use a test that counts hospitals there too.
# - More patients in the same hospitals mend neither. There is no magic number of hospitals.
# - Power, width and cost can be known beforehand. The best design is found by listing what the
#   budget pays.
#
# ## Limits
#
# All hospitals had the same size, and all effects were normal. The planning sections took the
# standard deviations as known; in practice they are guesses, so plan for a worse case too. The
# comparison of the six intervals is for one pair of standard deviations. With others the numbers
# change, and with a larger ICC z does worse.
# With unequal hospitals the t-test on means and the counts of between-within are approximations.
# The Kenward–Roger correction, in wide use elsewhere, is not in `statsmodels`. What beliefs held
# beforehand can do for few hospitals is the subject of lesson 11.
#
# ## Further reading
#
# - Self SG, Liang KY (1987). Asymptotic properties of maximum likelihood estimators and likelihood
#   ratio tests under nonstandard conditions. *Journal of the American Statistical Association*
#   82(398):605-610. Where the half and half comes from.
# - Kenward MG, Roger JH (1997). Small sample inference for fixed effects from restricted maximum
#   likelihood. *Biometrics* 53(3):983-997. The correction that other software offers for few
#   clusters.
# - Barr DJ, Levy R, Scheepers C, Tily HJ (2013). Random effects structure for confirmatory
#   hypothesis testing: keep it maximal. *Journal of Memory and Language* 68(3):255-278. What
#   happens to tests when terms of the design are dropped.
# - Hayes RJ, Moulton LH (2017). *Cluster Randomised Trials*, 2nd edition. CRC Press. Planning and
#   analysing trials of whole hospitals or villages, with few of them in mind.
