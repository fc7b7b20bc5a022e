# ---
# jupyter:
#   course:
#     question: Sicker hospitals prescribe more of the drug. Does a mixed model adjust for that?
#     reading_minutes: 65
#     exercise_minutes: 35
#     needs: [7]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 8 Cause and cluster
#
# > Sicker hospitals prescribe more of the drug. Does a mixed model adjust for that?
#
# Reading: 65 minutes. Exercises: 35 minutes. First do
# [lesson 7](07_few_hospitals_honest_inference.ipynb).
#
# ## What you will be able to do
#
# - Draw what causes what, and find what an analysis must take into account.
# - Split one estimate into a comparison inside hospitals and a comparison between them.
# - Foresee when a random intercept is biased, in which direction, and what makes it less so.
# - Say what hospital dummies and the within-between model cure, and what they cannot.
# - Name the estimand and the degrees of freedom of a trial by patient, a trial by hospital, and no
#   trial.
# - Report what real patients, treated by choice, can and cannot tell.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from utils import datasets, mixedlm, plots
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.graphs import causal_graph, estimates_against_truth
from utils.simulate import med_trial
from utils.studies import analyse_many, chosen_by_hausman, draw_trials, scoreboard
from utils.widgets import confounding_explorer

plots.set_style()

# %% [markdown]
# ## A drug that seems to do nothing
#
# This time nobody was randomised. Forty hospitals report 15 patients each to a registry. Their
# doctors chose who got the drug. Where patients are sicker, doctors prescribe more.
#
# We made the patients up, so we know the truth: **the drug lowers pressure by 4 mmHg**, in every
# hospital. Hospitals differ (`hospital_sd` is 5 mmHg, `patient_sd` is 12). In a hospital whose
# pressures lie one `hospital_sd` above the average, the log-odds of getting the drug, that is
# log(chance / (1 − chance)), are higher by 1. We call that number `confounding`. The first line that
# is printed says what it does to the chance.
#
# *How many* of a hospital's patients are treated follows from its illness, and from hardly anything
# else (second line). *Which* of them is left to chance.

# %%
FOUR = ["naive", "random intercept, t", "hospital dummies", "within-between"]  # naive: OLS
COLOUR = {method: plots.PALETTE[method.removesuffix(", t")] for method in FOUR}
design = dict(n_hospitals=40, patients_per_hospital=15, hospital_sd=5, patient_sd=12)
sicker_hospitals = design | dict(assignment="sicker hospitals more", confounding=1)
study = med_trial(**sicker_hospitals, treatment_effect=-4, rng=78)
registry, illness = study.data, study.truth.hospitals["intercept_effect"]
by_hospital = registry.groupby("hospital", observed=True)["treated"]
registry["share"] = by_hospital.transform("mean")
ols = smf.ols("sbp ~ treated", registry).fit()
print(f"chance of the drug, one SD sicker than average: {1 / (1 + np.exp(-1)):.0%}, not 50 %")
print(f"correlation of illness and share treated: {illness.corr(by_hospital.mean()):.2f}")
print(f"treated − untreated {ols.params['treated']:z.1f} mmHg, p = {ols.pvalues['treated']:.2f}")

# %%
arms = registry.groupby(["share", "treated"])["sbp"].mean().unstack()
patients = registry.groupby(["share", "treated"]).size().unstack()
fig, ax = plt.subplots(figsize=(9, 4.2))
ax.vlines(100 * arms.index, arms[0], arms[1], color=plots.PALETTE["patients"])
for arm, name in enumerate(["control", "treated"]):
    look = dict(color=plots.PALETTE[name])
    ax.scatter(100 * arms.index, arms[arm], s=15 + patients[arm], label=name, zorder=3, **look)
    overall = registry.query("treated == @arm")["sbp"].mean()
    ax.axhline(overall, linestyle=(5 * arm, (5, 5)), zorder=0, **look)
ax.set(xlabel="patients of the hospital on the drug (%)", ylabel="mean sbp (mmHg)")
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
plots.show(
    fig,
    alt="Mean pressure of treated and of control patients against the share treated. Both rise with the share; at most shares the treated lie below the controls. The overall means of the two arms, dashed, are almost the same.",
)

# %% [markdown]
# Each vertical line joins the treated and the control patients of hospitals with the same share on
# the drug (larger dots: more patients). Read it twice.
#
# *Up and down*: at most shares the treated lie below the controls of the same hospitals. That is the
# drug: inside a hospital, chance decided who got it.
#
# *From left to right*: both arms rise. Hospitals that prescribe more have higher pressures, treated
# or not. So most treated patients sit at the right, where pressures are high, and most controls at
# the left. Averaged over everybody (dashed lines) the two arms look the same. OLS compares those
# averages, and a drug that works seems to do nothing.

# %%
predict(
    "P08.1",
    "A colleague says: 'Hospitals differ, so add a random intercept for hospital.' The truth is "
    "−4 mmHg, OLS said about 0. Where will the random intercept's estimate lie?",
    choices=["near 0, as OLS", "between 0 and −4, clearly off both", "near −4, the truth"],
)

# %%
mixed = mixedlm.fit("sbp ~ treated", registry, groups="hospital")
estimate = mixed.fixed.loc["treated", "estimate"]
dummies = smf.ols("sbp ~ treated + C(hospital)", registry).fit()
print(f"OLS              {ols.params['treated']:z4.1f} mmHg")
print(f"random intercept {estimate:z4.1f}")
print(f"hospital dummies {dummies.params['treated']:z4.1f}")
outcomes = ["near −4, the truth", "between 0 and −4, clearly off both", "near 0, as OLS"]
reveal("P08.1", outcomes[int(estimate > -3.5) + int(estimate > -0.5)])

# %% [markdown]
# The random intercept moved the estimate towards the truth and stopped on the way. Hospital dummies
# came much closer. Lesson 4 ended with such a world. We picked a typical registry; below are a
# thousand. First: why?
#
# ## What causes what
#
# A <dfn>causal graph</dfn> has an arrow from each cause to what it changes. Here are three ways to
# give a drug. The thick arrow is the effect that we ask for. A dashed frame says: not in the data.

# %%
corners = {"drug": (0.2, 0.2), "pressure": (0.8, 0.2)}
illness = ["illness of\nthe hospital", "illness of\nthe patient"]
fig, axes = plt.subplots(1, 3, figsize=(10, 3.3))
by_lot = [("drug", "pressure"), ("coin toss", "drug")]
causal_graph(corners | {"coin toss": (0.2, 0.8)}, by_lot, axes[0], asked=by_lot[0])
for ax, cause in zip(axes[1:], illness, strict=True):
    arrows = [("drug", "pressure"), (cause, "drug"), (cause, "pressure")]
    causal_graph(corners | {cause: (0.5, 0.8)}, arrows, ax, asked=arrows[0], unseen=[cause])
for ax, title in zip(axes, ["trial", "sicker hospitals more", "sicker patients more"], strict=True):
    ax.set_title(title, loc="center")
plots.show(
    fig,
    alt="Three causal graphs. In a trial only a coin toss leads to the drug, and the drug to pressure. In the other two an unseen illness, of the hospital or of the patient, leads both to the drug and to pressure.",
)

# %% [markdown]
# In the middle, drug and pressure go together for two reasons. The drug lowers pressure: that is the
# thick arrow. And illness raises pressure *and* brings the drug: the way round over the top. A
# difference between treated and untreated patients mixes both.
#
# A common cause of treatment and outcome is a <dfn>confounder</dfn>. To *adjust* for it is to compare
# patients who have the same value of it. The illness of a hospital was not recorded. But it is the same
# for all of its patients: whoever compares patients of *one hospital* holds it fixed, without knowing it.
#
# At the right the illness is the patient's own. We come back to it. At the left nothing but a coin
# decides who is treated. Then there is no way round, whatever patients and hospitals are like: that
# is what a trial buys.
#
# Do not adjust for everything. What the drug itself changes (the pressure after four weeks, say)
# lies *on* the thick arrow. Holding it fixed takes away part of the effect that you ask for.

# %% [markdown]
# ### Exercise E08.1 · What must be taken into account?
#
# In a registry doctors chose who got the drug. You want its effect on pressure at 12 weeks. Which of
# these is a confounder?
#
# - **a** The pressure at 4 weeks: the drug lowers it, and it goes with the pressure at 12 weeks.
# - **b** Kidney disease, known before: it raises pressure, and doctors prescribe more because of it.
# - **c** The day of the visit: on Mondays a senior doctor prescribes more. Patients are alike on all days.
# - **d** The cuff used at 12 weeks: some read too high. Cuffs are handed out at random.

# %%
# BEGIN SOLUTION
confounder = "b"
# END SOLUTION

# %%
check("E08.1", confounder)

# %% [markdown]
# ## Two comparisons in one estimate
#
# The registry holds two separate answers to the same question.
#
# - *Within*: compare patients of the same hospital. Take from each patient's treatment and
#   pressure the hospital's mean, then fit a line. Whatever the hospital adds to all of its patients
#   alike is gone, recorded or not.
# - *Between*: compare hospitals. Fit a line through their mean pressures against their shares.
#
# How much each can tell depends on how much treatment varies there: the sums of squares
# $S_w$ (within) and $S_b$ (between).


# %% tags=["nbval-check-output"]
def slope(x, y):
    x = x - x.mean()
    return (x * y).sum() / (x**2).sum(), (x**2).sum()  # the slope, the sum of squares


own_mean = registry.groupby("hospital", observed=True)["sbp"].transform("mean")
within, S_w = slope(registry["treated"] - registry["share"], registry["sbp"] - own_mean)
between, S_b = slope(registry["share"], own_mean)
weight = S_b / (S_w + S_b)
print(f"within {within:.1f} mmHg, between {between:.1f} mmHg; S_w = {S_w:.0f}, S_b = {S_b:.0f}")
print(f"weight of the comparison between hospitals in OLS: {weight:.2f}")
print(f"by hand {(1 - weight) * within + weight * between:.2f}, OLS {ols.params['treated']:.2f}")

# %% [markdown]
# OLS is a weighted average of the two. The weight of *between* is its share of the sum of squares. The
# comparison within says about −4. The one between says that a hospital in which all get the drug
# has a far *higher* pressure than one in which none does. That is illness, not
# the drug. A small weight on a hugely wrong number is enough to hide the effect.
#
# ### What a random intercept does
#
# The random intercept (lesson 4) mixes the same two, with better weights. Two independent
# estimates of one number are best averaged in proportion to 1/variance. Let $n$ be the
# patients of a hospital, the same in all.
#
# - A patient's deviation from the own hospital varies by `patient_sd`². So the variance of *within* is
#   `patient_sd`²/$S_w$.
# - A hospital's mean varies by `hospital_sd`² + `patient_sd`²/$n$ (lesson 2), and $S_b$ counts each
#   hospital $n$ times. So the variance of *between* is
#   (`patient_sd`² + $n$ `hospital_sd`²)/$S_b$.
#
# Multiply both weights by `patient_sd`²:
#
# $$\text{weight of between} = \frac{\text{trust} \times S_b}{S_w + \text{trust} \times S_b},
# \qquad \text{trust} = \frac{\text{patient\_sd}^2}{\text{patient\_sd}^2 + n\,\text{hospital\_sd}^2}$$
#
# You know this trust: it is 1 − the shrinkage weight of lesson 3. With trust 1 you get OLS, with
# trust 0 only *within* is left.

# %% tags=["nbval-check-output"]
trust = mixed.patient_sd**2 / (mixed.patient_sd**2 + 15 * mixed.hospital_sd**2)
weight = trust * S_b / (S_w + trust * S_b)
print(f"trust {trust:.2f}: weight of the comparison between hospitals {weight:.2f}")
print(f"by hand {(1 - weight) * within + weight * between:.3f}, by MixedLM {estimate:.3f}")

# %% [markdown]
# The same number, to all digits shown. So this is all that a random intercept does here. It does not
# know that the comparison between hospitals is confounded. It believes it *less*, because hospital means are
# noisy. It would be right to believe it at all only if hospital effects had nothing to do with
# treatment. That is an assumption of the model, and this registry breaks it. So the estimate is pulled
# from *within* towards *between*: here upwards, by the weight times their difference.

# %% [markdown]
# ### Exercise E08.2 · Mix the two by hand
#
# Another registry has hospitals of 20 patients each. The comparison within hospitals gives −5
# mmHg, the one between hospitals +7 mmHg. $S_w$ = 150 and $S_b$ = 50; `patient_sd` is 12 and
# `hospital_sd` is 6. Compute the random intercept's estimate. Give two decimals.

# %%
# BEGIN SOLUTION
trust_here = 12**2 / (12**2 + 20 * 6**2)
weight_here = trust_here * 50 / (150 + trust_here * 50)
mixed_here = (1 - weight_here) * -5 + weight_here * 7
# END SOLUTION

# %%
check("E08.2", mixed_here)

# %% [markdown]
# ### Larger hospitals, more hospitals
#
# Trust falls with $n$. In large hospitals the random intercept leans on the comparison within,
# and its bias fades. The number of *hospitals* is not in the formula for trust.

# %%
predict(
    "P08.2",
    "Now the drug does nothing. With 40 hospitals of 15 patients, the random intercept's 5 % test "
    "claims an effect too often. The registry grows to 160 hospitals of 15 patients. How often "
    "then?",
    choices=["less often", "about as often", "more often"],
)


# %%
def many(n, effect, methods, rng=82, **changes):  # n registries of a changed kind, analysed
    settings = sicker_hospitals | dict(treatment_effect=effect) | changes
    return analyse_many(draw_trials(n, **settings, rng=rng), methods=methods)


numbers, sizes, n = [20, 40, 80, 160], [5, 10, 20, 40, 80], np.arange(4, 91)
null = {J: scoreboard(many(300, 0, FOUR[1:3], rng=J, n_hospitals=J), 0) for J in numbers}
null = pd.concat(null).unstack()
larger = {size: many(250, -4, FOUR[:2], patients_per_hospital=size) for size in sizes}
bias = pd.concat({size: scoreboard(some, -4) for size, some in larger.items()}).unstack()["bias"]
growth = null["rejects_%"][FOUR[1]].loc[160] / null["rejects_%"][FOUR[1]].loc[40]
outcomes = ["less often", "about as often", "more often"]
print("bias in registries of 20 to 160 hospitals:", null["bias"][FOUR[1]].round(1).tolist(), "mmHg")
reveal("P08.2", outcomes[np.searchsorted([0.8, 1.25], growth)])

# %%
by_hand = (between - within) * S_b / (S_w * (1 + n * 5**2 / 12**2) + S_b)  # 1 / trust in brackets
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9))
left.plot(n, by_hand, "--", color=COLOUR[FOUR[1]], linewidth=1.5)
bias.plot(ax=left, style="o", color=COLOUR, legend=False)
null["rejects_%"].plot(ax=right, style="o-", color=COLOUR, legend=False)
left.set(xlabel="patients per hospital", ylabel="bias (mmHg)", ylim=(0, 5))
right.set(xlabel="hospitals of 15 patients", ylabel="type-I error (%)", ylim=(0, 100))
left.text(60, 4.4, "OLS")
left.text(30, 1.05, "random intercept")
right.text(100, 45, "random intercept")
right.text(100, 9, "hospital dummies")
plots.show(
    fig,
    alt="Left: with more patients per hospital the random intercept's bias falls from about 2.5 mmHg towards 0, along the curve computed by hand; that of OLS stays near 4. Right: with more hospitals the random intercept's type-I error climbs towards 80 %; that of dummies stays near 5 %.",
)

# %% [markdown]
# Left: the dots are averages over 250 registries, the dashed curve is the formula, with the numbers of
# our one registry and the true standard deviations, so it does not run exactly through the dots. OLS stays where it is. The random intercept's
# bias falls as hospitals grow larger.
#
# Right: with *more* hospitals of the same size the bias stays (printed above) and the standard error shrinks. The
# interval closes around a wrong number, so the test claims an effect *more* often. A large registry
# is no protection. With dummies the type-I error stays near 5 %.

# %% [markdown]
# ### Exercise E08.3 · Which registry would you trust least?
#
# Three registries are equally confounded by hospital, with the same standard deviations. All were
# analysed with a random intercept. In which one is the *bias* largest?
#
# - **a** 400 hospitals of 8 patients.
# - **b** 40 hospitals of 80 patients.
# - **c** 10 hospitals of 320 patients.
# - **d** None: all have 3,200 patients, so it is the same.

# %%
# BEGIN SOLUTION
least_trusted = "a"
# END SOLUTION

# %%
check("E08.3", least_trusted)

# %% [markdown]
# ## Keeping the comparison within
#
# Two models keep only the comparison within, each in its own way.
#
# **Hospital dummies**: one coefficient for each hospital takes up all that hospitals add. Hospitals that treat
# all of their patients, or none, then say nothing about the drug.
#
# **The <dfn>within-between model</dfn>** (or *Mundlak* model): keep the random intercept, and add
# the hospital's mean of the treatment, its `share`, as a predictor. Whatever goes with the share has
# now a coefficient of its own.
#
# $$\text{sbp}_{ij} = \text{intercept} + \text{within} \times \text{treated}_{ij}
# + \text{contextual} \times \text{share}_j + u_j + e_{ij}$$
#
# The coefficient of the share is the <dfn>contextual effect</dfn>: what goes with the hospital's share
# over and above the patient's own treatment. Take two patients with the same treatment in two hospitals. If the
# second hospital's share is higher by 0.1, the model expects a pressure that differs by 0.1 × contextual. Add
# the two coefficients and you are back at *between*.

# %% tags=["nbval-check-output"]
mundlak = mixedlm.fit("sbp ~ treated + share", registry, groups="hospital").fixed["estimate"]
print(f"within      {mundlak['treated']:5.1f}   (dummies {dummies.params['treated']:.1f})")
print(f"contextual  {mundlak['share']:5.1f}")
print(f"between     {mundlak['treated'] + mundlak['share']:5.1f}   (by hand {between:.1f})")

# %% [markdown]
# *Effect* is the usual word, and a dangerous one. The contextual 25 mmHg are not what would happen if
# a hospital prescribed more. Here we know what they are: illness of the hospitals, of which the share is
# nearly a mirror. In real life they could be that, or doctors' habits, or what treating one patient does
# to others. The data cannot tell. A contextual effect far from 0 is a warning that hospitals with different shares
# differ in other ways too.
#
# The within-between model gives the same effect as dummies: exactly with one predictor, and with more if
# each one that varies inside hospitals gets its hospital mean as well (else nearly). It can do two things more: it predicts
# and pools hospitals (lesson 3), and it can hold predictors that are the same for a whole hospital, such as beds.

# %% [markdown]
# ### Exercise E08.4 · Read a within-between model
#
# From a registry of 80 hospitals, outcome `sbp` in mmHg: `treated` −3.9 (standard error 0.9), `share`
# +14.2 (standard error 2.6), random intercept for hospital. What is right?
#
# - **a** The drug raises pressure by 14.2 − 3.9 = 10.3 mmHg.
# - **b** If a hospital treated all of its patients, their mean pressure would rise by 14.2 mmHg.
# - **c** Among patients with the same treatment, those in hospitals that treat more have higher pressures; the model does not say why.
# - **d** The share is significant, so the estimate for `treated` is biased by hospital differences.

# %%
# BEGIN SOLUTION
reading = "c"
# END SOLUTION

# %%
check("E08.4", reading)

# %% [markdown]
# ### The scoreboard
#
# A thousand registries in which the drug lowers pressure by 4 mmHg, and a thousand in which it does
# nothing. `scatter` is the true standard error, `claimed` what the method reports on average.


# %% tags=["nbval-check-output"]
def tidy(board):  # one decimal for mmHg, none for percentages and degrees of freedom
    whole = {name: 0 for name in board if "%" in name or name == "df"}
    return (board.round(whole).round(1) + 0.0).to_string(float_format="{:g}".format)


works, useless = many(1000, -4, FOUR), many(1000, 0, FOUR, rng=81)
board = scoreboard(works, -4).drop(columns=["rejects_%", "df"])
board["type_1_error_%"] = scoreboard(useless, 0)["rejects_%"]
print(tidy(board))

# %% [markdown]
# `naive` is OLS.
#
# - **OLS**: the bias is as large as the effect. Nearly all of its intervals miss the truth.
# - **Random intercept**: about a third of that bias is left, and more than one interval in four misses.
# - **Dummies and within-between**: no bias to speak of, and the promise of 95 % is kept.
#
# OLS also claims too small a standard error. The random intercept does not: `claimed` is close to
# `scatter`. It says honestly how far chance can move it, and nothing about bias. The two columns of
# percentages add up to about 100: whether the drug works or not, the bias is the same.
#
# Now let confounding slide. At 0, doctors take no notice of the hospital's illness.

# %%
strengths = [0, 0.3, 0.6, 0.9, 1.2, 1.5]
slide = {c: scoreboard(many(300, -4, FOUR, confounding=c), -4) for c in strengths}
slide = pd.concat(slide).unstack()
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9))
styles = dict(color=COLOUR, style=["o-", "o-", "o-", "--"])
(slide["bias"][FOUR] - 4).plot(ax=left, **styles)
slide["coverage_%"][FOUR].plot(ax=right, legend=False, ylim=(0, 103), **styles)
for ax, truth, label in [(left, -4, "mean estimate (mmHg)"), (right, 95, "coverage (%)")]:
    ax.axhline(truth, color=plots.PALETTE["truth"], linestyle=":")
    ax.set(xlabel="confounding (log-odds per SD)", ylabel=label)
plots.show(
    fig,
    alt="Left: mean estimates as confounding slides from 0 to 1.5. OLS rises from −4 to above +1 mmHg, the random intercept less than half as far, dummies and within-between stay on the truth. Right: coverage falls to near 0 for OLS and to about 50 % for the random intercept, and stays near 95 % for the others.",
)

# %% [markdown]
# As confounding grows, OLS leaves the truth fastest and the random intercept more slowly. Dummies and
# the within-between model lie on one line, on the truth (dotted).
#
# Without confounding (far left) all four agree. Do not read too much into that: our hospitals have no
# other reason to differ in their shares, so there all treat about half. Nothing is left to
# compare *between* hospitals, and the four become the same. Where shares differ for harmless reasons, all four are
# unbiased, OLS claims too small a standard error, and dummies throw away a comparison that was sound.
#
# ### Try it: strength, size, spread
#
# Run the cell and move the sliders. If you cannot run it, the figure above and that of the two
# panels on size show some of its settings.
#
# 1. Raise the hospital SD from 0 to 8 mmHg. What happens to the bias of OLS? And to that of the random
#    intercept: does it keep pace?
# 2. Take 4, then 100 patients per hospital. Where does the random intercept go? Why does OLS stay?
# 3. Set the true effect to 0. Which of the four biases change?
# 4. Set confounding to 0. Which method would you now regret, and by how much?
#
# <details><summary>Answers</summary>1: that of OLS grows in proportion. That of the random intercept grows
# until about 3 or 4 mmHg and then falls: the more hospitals differ, the less it trusts the comparison between them. 2:
# towards OLS with 4, close to the truth with 100. The weights of OLS do not depend on the size. 3: none. 4: hardly
# any; the four ranges are almost the same here. (Where shares differ for harmless reasons, dummies cost some
# precision.)</details>

# %%
confounding_explorer()

# %% [markdown]
# ## When sicker patients get the drug
#
# Dummies hold the *hospital* fixed. What if doctors everywhere give the drug to sicker *patients*? In the
# next registry the chance of treatment rises with the patient's own `baseline`, the pressure before
# treatment, and pressure afterwards rises with it by 0.5 mmHg per mmHg (`baseline_effect`). The illness
# of the hospital plays no part in who is treated.

# %%
predict(
    "P08.3",
    "Sicker patients get the drug more often, in every hospital. Baseline is not recorded. Which "
    "estimate comes clearly nearest to the truth of −4 mmHg?",
    choices=["OLS", "random intercept", "dummies and within-between", "none: all are as far off"],
)

# %%
sicker_patients = design | dict(
    assignment="sicker patients more", confounding=1, baseline_effect=0.5, treatment_effect=-4
)
drawn = draw_trials(1500, **sicker_patients, rng=83)
unknown = analyse_many(drawn, methods=FOUR)
known = analyse_many(drawn, predictors=["treated", "baseline"], methods=FOUR)
off = scoreboard(unknown, -4)["bias"].abs()
nearest = ["OLS", "random intercept", *["dummies and within-between"] * 2][int(off.argmin())]
alike = off.max() - off.min() < 0.5
reveal("P08.3", "none: all are as far off" if alike else nearest)

# %%
fig, axes = plt.subplots(1, 3, figsize=(10, 3.4), sharex=True, sharey=True)
panels = {
    "sicker hospitals": works,
    "sicker patients": unknown,
    "… with baseline in the model": known,
}
for ax, (title, trials) in zip(axes, panels.items(), strict=True):
    estimates_against_truth(trials, ax, truth=-4)
    ax.set(title=title, xlabel="estimate (mmHg)")
plots.show(
    fig,
    alt="Ranges of four estimators, truth −4. Sicker hospitals: OLS near 0, random intercept between, the other two on the truth. Sicker patients: all four near +2. With baseline in the model: all four on the truth.",
)

# %% [markdown]
# Each line holds 95 % of the estimates, the dot is their mean. In the middle panel all four say the
# drug *raises* pressure, and agree with each other. **Agreement is no proof.** Patients of one hospital are compared, as
# dummies ask, but the sicker with the healthier.
#
# At the right `baseline` is in the model, and all four are back at the truth. That is adjusting for a
# confounder. It worked because baseline was recorded, before treatment, without error, acts in a straight line, and nothing else was
# at work. The last of these no data can show.
#
# How large is such a bias? For OLS there is an exact rule. Let the *gap* be the mean baseline of the
# treated minus that of the untreated.
#
# $$\text{crude difference} = \text{adjusted effect} + \text{slope of the confounder} \times \text{gap}$$

# %% tags=["nbval-check-output"]
one = med_trial(**sicker_patients, rng=84).data
crude = smf.ols("sbp ~ treated", one).fit().params
adjusted = smf.ols("sbp ~ treated + baseline", one).fit().params
gap = one.groupby("treated")["baseline"].mean().diff().loc[1]
print(f"adjusted {adjusted['treated']:.2f} + slope {adjusted['baseline']:.2f} x gap {gap:.1f}")
print(f"= {adjusted['treated'] + adjusted['baseline'] * gap:.2f}, crude {crude['treated']:.2f}")

# %% [markdown]
# ### Exercise E08.5 · What could it have been?
#
# The rule is useful where the confounder was *not* recorded: guess its slope and its gap, and you
# have the bias, if the guess is right.
#
# In a registry, treated patients end 1.2 mmHg *lower* than untreated ones (crude difference −1.2).
# From other studies you expect that the treated started 5 mmHg higher on average, and that among patients
# with the same treatment each mmHg at the start is worth 0.6 mmHg at the end. What difference is left after
# adjusting? Give one decimal.

# %%
# BEGIN SOLUTION
adjusted_effect = -1.2 - 0.6 * 5
# END SOLUTION

# %%
check("E08.5", adjusted_effect)

# %% [markdown]
# ## Three designs, one drug
#
# What exactly do you want to know? The quantity to be estimated, and for whom, is the
# <dfn>estimand</dfn>. Say it before you choose a model.
#
# | design | what is compared | estimand | degrees of freedom count |
# |---|---|---|---|
# | trial by patient | patients of one hospital, by lot | what the drug does to a patient who gets it, the others being treated as they were in the trial | patients |
# | trial by hospital | hospitals, by lot | what changes if all patients of a hospital get it rather than none, with all that they and the staff pass on to each other | hospitals |
# | no trial, within | patients of one hospital, by choice | as trial by patient, *if* nothing that matters to pressure differs between those who were chosen and those who were not | patients |
# | no trial, random intercept | both at once, by choice | none that is clear: a mixture of two comparisons, an effect only if neither is confounded | mostly patients |
#
# For whom? In a trial, for patients such as those who took part. In the third row only for hospitals that
# treat some and not all, and most for those that treat about half. (And if the drug's effect varies between hospitals, counting
# patients is not enough: lesson 6.)

# %% tags=["nbval-check-output"]
smaller = design | dict(n_hospitals=24, patients_per_hospital=20, treatment_effect=-4)
rows = {
    "trial by patient": ("patient", FOUR[1]),
    "trial by hospital": ("hospital", FOUR[1]),
    "no trial, within": ("sicker hospitals more", FOUR[3]),
    "no trial, random intercept": ("sicker hospitals more", FOUR[1]),
}
drawn = {how: draw_trials(600, **smaller, assignment=how, rng=85) for how, _ in rows.values()}
trials = {name: analyse_many(drawn[how], methods=[method]) for name, (how, method) in rows.items()}
designs = pd.DataFrame({name: scoreboard(one, -4).iloc[0] for name, one in trials.items()}).T
print(tidy(designs[["bias", "claimed", "coverage_%", "df"]]))

# %% [markdown]
# Six hundred studies in each row, of 480 patients each. The truth is −4 mmHg.
#
# - Trial by patient: unbiased and precise. The hospital cancels in each comparison.
# - Trial by hospital: unbiased, with a standard error about twice as large. Its 22 degrees of
#   freedom are 24 hospitals minus two arms. Randomising hospitals breaks the arrow from the hospital's
#   illness to the drug, but the illness stays in the noise.
# - No trial, within: nearly as good as the trial by patient, *because we built it so*: inside a hospital, chance
#   decided. In a real registry a doctor did.
# - No trial, random intercept: hardly a gain in precision, and a bias. Many degrees of freedom do not help.

# %%
predict(
    "P08.4",
    "Now treated patients help others, say because nurses who give the drug watch everybody's salt. "
    "Where all of a hospital are treated, all pressures fall by 3 mmHg more; where half are, by "
    "1.5. What do the trial by patient (half of each hospital) and the trial by hospital estimate?",
    choices=[
        "−4 both",
        "−7 both",
        "−4 by patient, −7 by hospital",
        "−5.5 by patient, −7 by hospital",
    ],
)


# %%
def pass_on(data):
    share = data.groupby("hospital")["treated"].transform("mean")
    return data.assign(sbp=data["sbp"] - 3 * share)


found = {}
for how in ["patient", "hospital"]:
    helped = analyse_many([pass_on(one) for one in drawn[how]], methods=[FOUR[1]])
    found[how] = helped["estimate"].mean()
    print(f"trial by {how}: {found[how]:.1f} mmHg on average")
pairs = {"−4 both": (-4, -4), "−7 both": (-7, -7), "−4 by patient, −7 by hospital": (-4, -7)}
pairs["−5.5 by patient, −7 by hospital"] = (-5.5, -7)
reveal(
    "P08.4", min(pairs, key=lambda text: np.abs(np.subtract(pairs[text], [*found.values()])).sum())
)

# %% [markdown]
# Both trials are right. They answer different questions. In a trial by patient half of each hospital is
# treated, so 1.5 mmHg reach treated and untreated alike, and cancel. What is left is what the drug does to
# the one who takes it. The trial by hospital compares all with none, and holds the 3 mmHg as well: what
# happens if the drug becomes the rule. Which one do you need? In a registry the 3 mmHg
# would end up in the contextual effect, where nobody can tell them from illness.
#
# So the first two estimands are the same number only where nobody influences a neighbour, as
# in the rest of this lesson. Think of vaccines, or of training a team.
#
# One trap remains. In a trial by hospital there is no comparison within, so hospital dummies cannot
# be used: `statsmodels` prints a number and a warning (lesson 4), and `analyse_many` refuses.
#
# ### The claim on trial
#
# The claim: *mixed models serve experiments and observational studies, controlling for other factors.*

# %% tags=["nbval-check-output"]
trial_coverage = designs.loc[["trial by patient", "trial by hospital"], "coverage_%"]
errors = board["type_1_error_%"]
unrecorded, recorded = (scoreboard(some, -4)["bias"].abs() for some in (unknown, known))
experiments = trial_coverage.between(92.5, 97.5).all()
observations = errors[FOUR[1]] < 7.5
ruling = {(True, False): "half true", (True, True): "holds"}.get(
    (experiments, observations), "false"
)
verdict(
    "C5",
    ruling,
    f"in trials by patient and by hospital the random intercept's 95 % intervals held the truth in "
    f"{trial_coverage.iloc[0]:.0f} and {trial_coverage.iloc[1]:.0f} %. In registries where sicker hospitals prescribed a useless drug more, its 5 % test "
    f"claimed an effect in {errors[FOUR[1]]:.0f} %; a mixed model that holds the hospitals' shares did in "
    f"{errors[FOUR[3]]:.0f} %. Where sicker patients got the drug, all four methods were off by {unrecorded.min():.1f} mmHg or more, "
    f"and by {recorded.max():.1f} or less with baseline in the model. A mixed model controls for what is put into it; a random intercept does not adjust.",
)

# %% [markdown]
# ## Should a test choose?
#
# "Fit both. If they do not differ significantly, take the random intercept: it is more precise." This
# is the *Hausman test*. It divides the squared difference of the two estimates by the difference of
# their squared standard errors, and compares with $\chi^2_1$. We choose by that test in small
# registries (12 hospitals of 10 patients), with a drug that does nothing.


# %%
few = dict(n_hospitals=12, patients_per_hospital=10, hospital_sd=3)
small = {c: many(2000, 0, FOUR[1:3], confounding=c, **few) for c in [0, 0.5, 1, 1.5]}
rejects = pd.DataFrame({c: scoreboard(trials, 0)["rejects_%"] for c, trials in small.items()}).T
print(rejects.round().astype(int).rename_axis("confounding").to_string())

# %%
predict(
    "P08.5",
    f"At confounding 1.5, the random intercept's 5 % test claims an effect in "
    f"{rejects.loc[1.5, FOUR[1]]:.0f} % of these registries, that of dummies in {rejects.loc[1.5, FOUR[2]]:.0f} %. "
    "How often does the analyst who lets the Hausman test choose?",
    choices=[
        "about as often as dummies",
        "clearly between the two",
        "about as often as the random intercept",
    ],
)

# %%
chosen = {c: chosen_by_hausman(trials) for c, trials in small.items()}
rejects["chosen by test"] = [100 * (one["p_value"] < 0.05).mean() for one in chosen.values()]
prefers = [100 * (one["prefers"] == "hospital dummies").mean() for one in chosen.values()]
print("the test prefers dummies (%):", np.round(prefers).astype(int).tolist())
mixed_rate, dummy_rate, chosen_rate = rejects.loc[1.5]
way = (chosen_rate - dummy_rate) / (mixed_rate - dummy_rate)  # 0: as dummies, 1: as the other
outcomes = [
    "about as often as dummies",
    "clearly between the two",
    "about as often as the random intercept",
]
reveal("P08.5", outcomes[int(way > 0.25) + int(way > 0.75)])

# %%
fig, ax = plt.subplots(figsize=(8, 3.8))
grey = {"chosen by test": "0.35"}  # it is no method of its own
rejects.plot(ax=ax, style=["o-", "o-", "o--"], color=COLOUR | grey, legend=False)
for name in rejects:
    ax.text(1.53, rejects.loc[1.5, name], name.removesuffix(", t"), va="bottom")
ax.axhline(5, color=plots.PALETTE["truth"], linestyle=":")
ax.set(xlabel="confounding (log-odds per SD)", ylabel="type-I error (%)")
ax.set(xlim=(-0.05, 1.95), ylim=(0, 21), xticks=rejects.index, yticks=[0, 5, 10, 15, 20])
plots.show(
    fig,
    alt="Type-I error against confounding. Dummies stay near 5 %. The random intercept climbs to about 18 %. Chosen by test climbs too, more than half as far, well above dummies.",
)

# %% [markdown]
# Letting the test choose gives up much of what dummies give. At all three strengths of confounding the test
# prefers dummies in no more than about half of the registries. In the others the bias is at work as
# well, only not *significant*: with 12 hospitals the test is too weak to see it. (At 0 it never prefers
# them: shares hardly vary there, and the two estimates are the same.)
#
# So do not choose by test. Choose by the graph. Can you defend that hospital effects have nothing to
# do with who is treated (chance decided)? Then the random intercept is fine. Else keep the comparison
# within, and say what is left. The *size* of the difference is worth reporting: it shows how much
# hangs on the choice.
#
# ## Real patients who were not randomised
#
# `azpro` (lesson 5) holds 3,589 patients of 17 hospitals in Arizona. Some had their narrowed coronary arteries
# bypassed by surgery (`cabg` = 1), the others widened by a balloon (angioplasty, 0). The outcome is the length
# of stay in days, `los`. Sex, urgency and age above 75 are recorded. The severity of the disease is not.

# %% tags=["nbval-check-output"]
azpro = datasets.load("azpro")
azpro["share"] = azpro.groupby("hospital", observed=True)["cabg"].transform("mean")
recorded, table = ["male", "urgent", "age75"], {}
for name, predictors in {"alone": ["cabg"], "adjusted": ["cabg", *recorded]}.items():
    stays = analyse_many([azpro], outcome="los", predictors=predictors, methods=FOUR)
    table[name] = stays.set_index("method")["estimate"]
print(pd.DataFrame(table).round(1).to_string())

# %%
stays_by_arm = azpro.groupby(["share", "cabg"])["los"].mean().unstack()
percent = 100 * stays_by_arm.index
fig, ax = plt.subplots(figsize=(9, 3.9))
ax.vlines(percent, stays_by_arm[0], stays_by_arm[1], color=plots.PALETTE["patients"])
for arm, name, label in [(0, "control", "angioplasty"), (1, "treated", "bypass")]:
    ax.scatter(percent, stays_by_arm[arm], color=plots.PALETTE[name], label=label, zorder=3)
ax.set(xlabel="bypass patients of the hospital (%)", ylabel="mean stay (days)", ylim=(0, 17))
ax.legend(loc="lower right")
plots.show(
    fig,
    alt="Mean stay after bypass and after angioplasty in 17 hospitals, against the share of bypass patients. In each hospital bypass lies 5 to 10 days higher; neither rises nor falls clearly with the share.",
)

# %% [markdown]
# All four methods say about 8 days, and in each of the 17 hospitals (one vertical line each) bypass patients stay longer.
# But you know from the middle panel of the three what agreement is worth. Take two more looks.
#
# 1. The difference is not equally large in every hospital. Let it vary (lesson 6), and keep the share in the model.
# 2. Do the two groups of one hospital differ in what *was* recorded before the operation? Compare with a real trial: in `rhdnase`
#    647 patients with cystic fibrosis in 51 centres got a drug or placebo by lot. There we take the lung
#    function *before* treatment (`fev`, in its own units) as the outcome.

# %%
formula = "los ~ cabg + share + male + urgent + age75"
for effect, re_formula in [("the same everywhere", "1"), ("may vary", "1 + cabg")]:
    fit = mixedlm.fit(formula, azpro, groups="hospital", re_formula=re_formula).fixed
    for term, name in [("cabg", "within"), ("share", "contextual")]:
        size, low, high = fit.loc[term, ["estimate", "lower", "upper"]]
        print(f"{effect:19}  {name:10} {size:4.1f} days (95 % interval {low:.1f} to {high:.1f})")

# %%
compared = [(azpro, "hospital", "cabg", name, 100) for name in recorded]
for data, hospital, drug, y, unit in [
    *compared,
    (datasets.load("rhdnase"), "inst", "trt", "fev", 1),
]:
    one = analyse_many([data], outcome=y, predictors=[drug], hospital=hospital, methods=FOUR[2:3])
    size, low, high = unit * one.loc[0, ["estimate", "lower", "upper"]]
    print(f"{drug:4} on {y:6} {size:+5.1f} (95 % interval {low:+5.1f} to {high:+5.1f})")

# %% [markdown]
# **First look.** Letting the difference vary more than doubles the width of its interval, and that is the one to
# report. The contextual effect asks whether hospitals with more bypass patients keep *all* of their patients longer. Its
# interval holds 0 in one model and not in the other. Seventeen hospitals cannot settle it: do not build on it.
#
# **Second look.** In the trial the groups began alike, as far as the interval can tell: chance did its
# work. In `azpro` two of the three recorded traits differ between the groups of one hospital (in percentage
# points). It would be odd if the unrecorded ones did not.
#
# **What is supported.** Inside these hospitals, among patients alike in sex, urgency and age group,
# those with a bypass stayed about 8 days longer on average. What a hospital adds to the stay of *all* its
# patients does not explain it. That is a description, not an effect.
#
# **What is not supported: "bypass surgery causes 8 more days in hospital".** Who gets which operation
# depends on how ill the heart is, and that was not recorded. How much could it matter? Use the rule of the crude
# difference. Suppose a mark of severe disease that is more common among bypass patients by a gap of 30
# percentage points. If it adds 10 days to a stay, all else alike, it explains 0.3 × 10 = 3 of the 8 days. To explain all 8 it
# would have to add 8/0.3, about 27. The gap may also run the other way: patients too frail for surgery get the
# balloon, and the 8 days are too few. Whatever you find believable comes from outside of the
# data, and nothing inside can replace it.

# %% [markdown]
# ### Exercise E08.6 · Spot the flaw
#
# From a report:
#
# 1. In 60 hospitals 2,400 patients were followed for a year; their doctors chose who got the drug.
# 2. A linear mixed model with a random intercept for hospital was fitted by REML.
# 3. As the model controls for differences between hospitals and patients, the 3.1 mmHg are the effect of the drug.
# 4. The 95 % interval uses t with Satterthwaite's degrees of freedom.
# 5. Age and sex were not related to treatment.
#
# Which sentence holds the mistake, and why?
#
# - **a** A random intercept needs more hospitals than 60.
# - **b** A random intercept removes only part of the confounding by hospital, and none of that by patients.
# - **c** Degrees of freedom exist in trials only.
# - **d** With doctors' choice no comparison of patients can be made at all.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (3, "b")
# END SOLUTION

# %%
check("E08.6", flaw)

# %% [markdown]
# ### Exercise E08.7 · Your own hospitals
#
# `own_hospitals(8)` is a registry that nobody else has. Sicker hospitals prescribed more; inside a
# hospital, chance decided. Compute the estimate of the drug's effect *within* hospitals, as hospital
# dummies give it, in mmHg. Write it with lines of your own, or with a library. Give two decimals.

# %%
mine = own_hospitals(8).data
mine.groupby("treated")["sbp"].agg(["size", "mean"]).round(1)

# %%
# BEGIN SOLUTION
my_fit = smf.ols("sbp ~ treated + C(hospital)", mine).fit()
my_effect = my_fit.params["treated"]
# END SOLUTION

# %%
check("E08.7", my_effect)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - A confounder causes treatment and outcome. Randomisation cuts its arrow to treatment. Without a lot, the analysis must hold the confounder fixed.
# - OLS and the random intercept average a comparison within and one between hospitals. The random
#   intercept trusts the second less, as hospital means are noisy. That is not adjustment.
# - Its bias falls with patients per hospital, not with the number of hospitals. More hospitals make it more
#   certain of the wrong number.
# - Hospital dummies and the within-between model keep the comparison within. That cures
#   confounding by what a hospital adds to all of its patients alike, and nothing else.
# - Against confounding by patients there is randomisation. Else every confounder must be recorded and in the model, and no data
#   show that none is missing.
# - A contextual effect says that hospitals with other shares differ. It does not say why.
# - Say the estimand first: what is done to whom, and what happens to the others. The level at which chance decided sets the degrees of freedom.
# - Choose by the graph, not by a test. Agreement of methods is no proof.
#
# ## Limits
#
# The drug did the same in every hospital, hospitals were of equal size in most cells, the confounder acted in a straight line,
# and shares differed for hardly any other reason than illness. Where they differ for harmless reasons too, the comparison between hospitals is
# less wrong but weighs more, so the random intercept's bias can be smaller or larger than here, and dummies cost more precision. If effects differ between hospitals (lesson 6),
# dummies give an average with more weight for hospitals that treat about half of many patients. In `azpro`
# a death in hospital would end a stay early, and deaths were not recorded. Graphs with more arrows, and data
# missing by a cause (lesson 16), need more than this lesson.
#
# ## Further reading
#
# - Hernán MA, Robins JM (2020). *Causal Inference: What If*. Chapman & Hall/CRC. Graphs, confounders and
#   estimands from the beginning, with little algebra. Part I suffices for this lesson.
# - Mundlak Y (1978). On the pooling of time series and cross section data. *Econometrica*
#   46(1):69-85. Where the hospital mean in the model comes from.
# - Bell A, Jones K (2015). Explaining fixed effects: random effects modeling of time-series
#   cross-sectional and panel data. *Political Science Research and Methods* 3(1):133-153. The case for the
#   within-between model, with simulations.
# - Localio AR, Berlin JA, Ten Have TR, Kimmel SE (2001). Adjustments for center in multicenter studies: an
#   overview. *Annals of Internal Medicine* 135(2):112-123. Confounding by hospital, for clinicians.
# - Guggenberger P (2010). The impact of a Hausman pretest on the size of a hypothesis test: the
#   panel data case. *Journal of Econometrics* 156(2):337-343. Why not to choose by test.
