# ---
# jupyter:
#   course:
#     question: The hospital with the best result is the smallest one. Should you send your mother there?
#     reading_minutes: 65
#     exercise_minutes: 35
#     needs: [2]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 Three ways to pool
#
# > The hospital with the best result is the smallest one. Should you send your mother there?
#
# Reading: 65 minutes. Exercises: 35 minutes. First do
# [lesson 2](02_patients_share_a_hospital.ipynb).

# %% [markdown]
# ## What you will be able to do
#
# - Explain why small hospitals crowd both ends of a league table.
# - Compute by hand how far to trust a hospital's own mean, and get the same from a mixed model.
# - See in a simulation which of three estimates lies closest to the truth, and where each loses.
# - Tell the weight of an estimate from the distance that it moves.
# - Put a chance on "this hospital is the worst", and check that the chance is honest.
# - Say what partial pooling takes for granted, and whom it treats unfairly.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import optimize, stats

from utils import datasets, plots
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.pooling import shrinkage_weight, three_poolings
from utils.simulate import med_trial
from utils.widgets import pooling_explorer

plots.set_style()
OWN, PARTIAL, TRUTH = (plots.PALETTE[name] for name in ["no pooling", "partial pooling", "truth"])

# %% [markdown]
# ## A league table
#
# A health board ranks 20 hospitals by the mean systolic blood pressure of their patients 12 weeks
# after the first visit. Lower is better. Nobody is on a new drug in this lesson: we compare
# hospitals, and nothing else.
#
# The hospitals are very unequal. The smallest reported 4 patients, the largest 110. We number
# them by size, so H01 is the smallest. We made them up, so we know the truth: the hospitals' true
# means have a standard deviation of 4 mmHg (`hospital_sd`), and the patients of one hospital have
# one of 12 mmHg (`patient_sd`).
#
# The table shows the three best results and the four worst. The figure shows all 20, each with a
# 95 % interval: mean ± 1.96 × 12/√n.

# %%
sizes = np.array([4, 5, 6, 7, 8, 10, 12, 15, 18, 21, 25, 30, 35, 40, 48, 56, 65, 75, 90, 110])
study = med_trial(
    n_hospitals=20,
    patients_per_hospital=sizes,
    treated_share=0,
    hospital_sd=4,
    patient_sd=12,
    rng=723,
)
league = study.data.groupby("hospital", observed=True)["sbp"].agg(n="size", own_mean="mean")
ranked = league.sort_values("own_mean")
ranked.iloc[[0, 1, 2, -4, -3, -2, -1]].round(1)

# %%
margin = 1.96 * 12 / np.sqrt(ranked["n"])
low, high = ranked["own_mean"] - margin, ranked["own_mean"] + margin
fig, ax = plt.subplots(figsize=(9, 4))
plots.caterpillar(ranked["own_mean"], low, high, ax, thing="no pooling", patients=ranked["n"])
ax.set(xlabel="hospital and its patients, best result first", ylabel="mean sbp (mmHg)")
plots.show(
    fig,
    alt="Means of 20 hospitals sorted from lowest to highest, with 95 % intervals. The three lowest and the highest are tiny hospitals with intervals nearly as wide as the ranking.",
)

# %% [markdown]
# The best result belongs to H01, the smallest hospital. Is small beautiful? The three hospitals at the
# left have tiny dots and very long intervals. So has the one at the far right, the *worst* result. We picked this table because it makes the question sharp. How unusual is it?
#
# The mean of $n$ patients scatters around its hospital's true mean with a standard deviation of
# 12/√n. So we need no patients to make a league table: draw 20 true means, then add that scatter.

# %%
predict(
    "P03.1",
    "We draw 2,000 league tables with hospitals of these sizes. Size has nothing to do with "
    "quality. In what share of them does one of the five smallest hospitals have the best result?",
    choices=["about 25 %, their fair share", "about 45 %", "about 75 %"],
)

# %%
rng = np.random.default_rng(31)
true = 140 + rng.normal(0, 4, size=(2000, 20))
own = true + rng.normal(0, 12 / np.sqrt(sizes), size=(2000, 20))
small_best, truly_small = (own.argmin(axis=1) < 5).mean(), (true.argmin(axis=1) < 5).mean()

shares = {"about 25 %, their fair share": 0.25, "about 45 %": 0.45, "about 75 %": 0.75}
reveal("P03.1", min(shares, key=lambda choice: abs(shares[choice] - small_best)))

# %%
n = np.geomspace(3.5, 125, 200)
fig, ax = plt.subplots(figsize=(9, 4.2))
ax.scatter(np.tile(sizes, 60), own[:60], s=6, color=plots.PALETTE["patients"], alpha=0.5)
ax.plot(n, 140 + 1.96 * np.outer(np.sqrt(4**2 + 12**2 / n), [-1, 1]), color=OWN)
ax.hlines([140 - 1.96 * 4, 140 + 1.96 * 4], 3.5, 125, color=TRUTH, linestyle="--")
ax.scatter(league["n"], league["own_mean"], s=45, color=OWN, zorder=3)
ax.text(4.2, league.loc["H01", "own_mean"], "H01", va="center")
ax.text(125, 126.3, "95 % of the true means lie between the dashed lines", ha="right")
ax.set_title(f"Five smallest: best in {100 * small_best:.0f} % (truly {100 * truly_small:.0f} %)")
ax.set_ylabel("mean sbp (mmHg)")
plots.log_axis(ax, [4, 10, 30, 100], "patients of the hospital")
plots.show(
    fig,
    alt="Hospital means from 60 simulated tables against size. Those of small hospitals scatter over 30 mmHg, those of large ones hardly more than the true means.",
)

# %% [markdown]
# By their true means, the five smallest hospitals are best in their fair share of the tables. By
# their own means they are best far more often. This <dfn>funnel plot</dfn>, results against size,
# shows why. Grey: the own means in 60 of the tables. Coloured dots: our table. The dashed band holds
# 95 % of the true means, and it has the same width for all sizes. The solid curves hold 95 % of the
# own means: they open towards the small hospitals, whose own means add much noise. So small hospitals supply the extreme results, at *both* ends. A ranking of own means is in
# part a ranking of sizes.
#
# ## Three estimates of one hospital
#
# What do you believe about H01? There are three ways to use the other 19 hospitals.
#
# - <dfn>Complete pooling</dfn>: take the mean of all patients for every hospital. It forgets that
#   hospitals differ.
# - <dfn>No pooling</dfn>: take the hospital's own mean (often called *raw*). It forgets that other hospitals exist.
# - <dfn>Partial pooling</dfn>: start from the middle of all hospitals, and go part of the way to
#   the hospital's own mean.
#
# $$\text{partial} = \text{middle} + \text{weight} \times (\text{own mean} - \text{middle})$$
#
# How far? Own means differ for two reasons. True means differ, by a variance of `hospital_sd`².
# And each own mean is noisy, by a variance of `patient_sd`²/$n$. The
# <dfn>shrinkage weight</dfn> is the share of the first in the sum:
#
# $$\text{weight} = \frac{\text{hospital\_sd}^2}{\text{hospital\_sd}^2 + \text{patient\_sd}^2/n}$$
#
# An own mean that is pulled in like this is *shrunken*, and the pull is <dfn>shrinkage</dfn>.
#
# Each part has its reason. More patients, less noise: the weight goes to 1. Hospitals that hardly
# differ: the weight goes to 0, and you should believe the middle. With one patient it is the
# intraclass correlation of lesson 2.
#
# Divide above and below by `hospital_sd`²/$n$ and the weight reads $n/(n + k)$, with
# $k$ = `patient_sd`²/`hospital_sd`². Here $k$ = 12²/4² = 9. All you know from the other hospitals
# counts as much as 9 patients of the hospital's own.
#
# Is that share the right one? Ask the 2,000 tables. Fit a line through a hospital's true means
# against its own means (lesson 1). Its slope says how much of a deviation is real.

# %% tags=["nbval-check-output"]
for j in [0, 4, 9, 19]:
    by_hand = 4**2 / (4**2 + 12**2 / sizes[j])
    slope = np.polyfit(own[:, j], true[:, j], 1)[0]
    print(
        f"H{j + 1:02d}, {sizes[j]:3} patients: weight {by_hand:.2f}, "
        f"slope of truth on own mean {slope:.2f}"
    )

# %%
fig, ax = plt.subplots(figsize=(8.5, 4.4))
n = np.arange(0, 111)
for hospital_sd, shade in [(1, 0.4), (2, 0.6), (4, 1), (8, 0.6)]:
    weight = shrinkage_weight(n, hospital_sd, 12)
    ax.plot(n, weight, color=PARTIAL, alpha=shade)
    ax.text(112, weight[-1], f"{hospital_sd}", va="center")
ax.plot([9, 9, 0], [0, 0.5, 0.5], color=TRUTH, linestyle=":")
ax.text(56, 0.03, "dotted: k = 9 patients, weight one half")
ax.text(108, 1.07, "hospital_sd\n(mmHg)", va="center")
ax.set(xlabel="patients of the hospital", ylabel="weight of its own mean")
ax.set(xlim=(0, 124), ylim=(0, 1.02))
plots.show(
    fig,
    alt="Weight of a hospital's own mean against its number of patients, one curve for each hospital_sd. All rise from 0 towards 1; the larger hospital_sd, the faster. For 4 mmHg the weight is one half at 9 patients.",
)

# %% [markdown]
# ### Exercise E03.1 · How far should you believe the clinic?
#
# A new clinic reports a mean of 152 mmHg from 4 patients. In the registry the middle of all
# hospitals is 140 mmHg, `hospital_sd` is 3 and `patient_sd` is 9. Compute the clinic's partially
# pooled mean. Give one decimal.

# %%
# BEGIN SOLUTION
clinic_weight = 3**2 / (3**2 + 9**2 / 4)
clinic_mean = 140 + clinic_weight * (152 - 140)
# END SOLUTION

# %%
check("E03.1", clinic_mean)

# %% [markdown]
# ### The middle
#
# Which middle? The mean of all patients listens mostly to the largest hospitals. The plain
# average of the 20 own means listens too much to the tiny ones. The best of such averages gives
# each own mean a say in proportion to 1/variance, that is to
# 1/(`hospital_sd`² + `patient_sd`²/$n$). Multiply that by `hospital_sd`², the same for all hospitals, and you
# have the weight itself. That makes partial pooling three lines of NumPy. (`axis=-1` sums over the hospitals, in one table
# or in many at once.)


# %% tags=["nbval-check-output"]
def shrink(own_means, n, hospital_sd, patient_sd):
    weight = hospital_sd**2 / (hospital_sd**2 + patient_sd**2 / n)
    middle = (weight * own_means).sum(axis=-1, keepdims=True) / weight.sum(axis=-1, keepdims=True)
    return middle + weight * (own_means - middle)


pooled_by_hand = shrink(league["own_mean"].to_numpy(), sizes, hospital_sd=4, patient_sd=12)
table = three_poolings(study.data["sbp"], study.data["hospital"], hospital_sd=4, patient_sd=12)
largest_gap = np.abs(pooled_by_hand - table["partial_pooling"]).max()
print(f"by hand and by library agree to six decimals: {largest_gap < 1e-6}")
print(table.loc[["H01", "H02", "H04", "H20"]].drop(columns="complete_pooling").round(2))

# %%
table["truth"] = study.truth.hospitals["mean"]
fig, ax = plt.subplots(figsize=(9, 4.5))
plots.pooling_moves(table, ax)
ax.set_ylabel("mean sbp (mmHg)")
plots.show(
    fig,
    alt="For each of 20 hospitals, smallest at the left: own mean, partially pooled mean and true mean. Small hospitals are pulled several mmHg towards the middle, large ones hardly move.",
)

# %% [markdown]
# Crosses are the truth. The pull is towards the dotted middle, not towards complete pooling. H01, H03 and H04 are pulled a long way, and towards their cross. H01, the
# best result of all, turns out to be close to the middle. Large hospitals hardly move. Not everyone
# is helped: H02 really was that good, and pooling moved it the wrong way. We come back to H02.
#
# ## The same thing has a name: a mixed model
#
# Write one equation for patient $i$ in hospital $j$:
#
# $$\text{sbp}_{ij} = \underbrace{\text{mean}}_{\text{fixed}} + \underbrace{u_j}_{\text{random}} + e_{ij},
# \qquad u_j \sim N(0, \text{hospital\_sd}^2), \quad e_{ij} \sim N(0, \text{patient\_sd}^2)$$
#
# Read $u_j \sim N(0, v)$ as: $u_j$ is drawn from a normal distribution around 0 with variance $v$. What
# is left, $e_{ij}$, is how far patient $i$ lies from the true mean of hospital $j$.
#
# - A <dfn>fixed effect</dfn> is one unknown number, and the model supposes nothing about where it
#   lies. Here: the overall mean.
# - A <dfn>random effect</dfn> is one of many draws from a distribution, and it is the distribution
#   that we estimate. Here: $u_j$, how far hospital $j$ lies from the mean. We estimate
#   `hospital_sd`; then each $u_j$ is *predicted*, and under this model the best prediction is the
#   shrunken one.
# - A model with both is a <dfn>mixed model</dfn>. The data are *nested*: every patient belongs to
#   one hospital.
#
# `MixedLM` of `statsmodels` fits it. So far we were given both standard deviations. `MixedLM`
# estimates them from the 680 patients. (`method="powell"` chooses how it searches; lesson 5 says
# why we do not trust the default.) Then give *its* standard deviations to our three lines, and
# compare with the model's own predictions: the overall mean plus `random_effects`.

# %% tags=["nbval-check-output"]
fit = smf.mixedlm("sbp ~ 1", study.data, groups="hospital").fit(method="powell")
# The roots of the variances between and within hospitals.
hospital_sd, patient_sd = fit.cov_re.iloc[0, 0] ** 0.5, fit.scale**0.5
u = pd.Series({name: effect.iloc[0] for name, effect in fit.random_effects.items()})
by_model = fit.fe_params["Intercept"] + u
by_hand = shrink(league["own_mean"].to_numpy(), sizes, hospital_sd, patient_sd)
agreement = np.abs(by_model - by_hand).max()
print(f"hospital_sd {hospital_sd:.1f} (truth 4), patient_sd {patient_sd:.1f} (truth 12)")
print(f"by hand and by MixedLM agree to four decimals: {agreement < 1e-4}")

# %% [markdown]
# The mixed model *is* partial pooling. Its predictions are often called <dfn>BLUPs</dfn>, best
# linear unbiased predictions. ("Unbiased" means on average over all hospitals, not for each one: see
# the last section.) They are not separate fits for each hospital.
#
# ## Which one is closest to the truth?
#
# One league table proves nothing. We have 2,000, each with its truth. Score each estimate by its
# <dfn>root mean squared error</dfn>: square the distance to the true mean, average over all
# hospitals and tables, take the root. It is a typical distance, in mmHg.
#
# The scoreboard has two more columns. `coverage_percent` is that of the interval estimate ± 1.96 × the
# standard error that each would claim. For partial pooling the standard error is `hospital_sd` ×
# √(1 − weight): what is still unknown about a hospital's true mean, once its own data have been used.
# `spread` is the standard deviation of the 20 estimates, to be compared with 4 mmHg.

# %%
predict(
    "P03.2",
    "No pooling is unbiased for every single hospital. Partial pooling pulls every hospital off "
    "its own data. Which has the smallest error?",
    choices=[
        "complete pooling",
        "no pooling",
        "partial pooling",
        "no and partial pooling are equal",
    ],
)

# %%
weight = shrinkage_weight(sizes, 4, 12)
pooled = shrink(own, sizes, 4, 12)
mean_of_patients = np.outer(own @ sizes / sizes.sum(), np.ones(20))  # the same for all hospitals
estimates = {  # with the standard error that each would claim
    "complete pooling": (mean_of_patients, 12 / np.sqrt(sizes.sum())),
    "no pooling": (own, 12 / np.sqrt(sizes)),
    "partial pooling": (pooled, 4 * np.sqrt(1 - weight)),
}
error = {
    name: np.sqrt(((value - true) ** 2).mean()) for name, (value, claimed) in estimates.items()
}
reveal("P03.2", min(error, key=error.get))

# %%
scoreboard = pd.DataFrame(
    {
        name: {
            "error": error[name],
            "coverage_percent": 100 * (np.abs(value - true) < 1.96 * claimed).mean(),
            "spread": value.std(axis=1, ddof=1).mean(),
        }
        for name, (value, claimed) in estimates.items()
    }
).T
scoreboard.loc["(the true means)"] = {"spread": true.std(axis=1, ddof=1).mean()}
scoreboard.round(2).astype(object).fillna("")

# %%
fig, ax = plt.subplots(figsize=(8.5, 3.8))
for name in estimates:
    by_size = np.sqrt(((estimates[name][0] - true) ** 2).mean(axis=0))
    ax.plot(sizes, by_size, color=plots.PALETTE[name], marker="o", markersize=4, label=name)
ax.set(ylabel="typical error (mmHg)", ylim=(0, 6.3))
ax.legend()
plots.log_axis(ax, [4, 10, 30, 100], "patients of the hospital")
plots.show(
    fig,
    alt="Error of three estimates against hospital size. Complete pooling stays near 4 mmHg. No pooling falls from 6 to about 1. Partial pooling lies below both at every size.",
)

# %% [markdown]
# For the tiniest hospitals even complete pooling beats a hospital's own mean. For large ones it is
# hopeless, and its narrow interval holds the truth less than one time in five. Partial pooling lies below both at
# every size. It leans on the others where a hospital has little to say, and turns into no pooling
# where it has much. Nobody has to choose a cut-off.
#
# How can a biased estimate beat an unbiased one? It trades a little bias for a lot less noise. Read
# `spread` too. Own means spread more than the truth, because noise comes on top. Shrunken means
# spread *less*: they are cautious predictions, one by one, not a picture of how hospitals differ.
#
# Now the fair objection: we gave partial pooling the true standard deviations. In real life you
# estimate `hospital_sd`, from 20 hospitals. Estimate it anew in each table, by comparing the
# spread of the own means with what noise alone would give. (`patient_sd` we leave at 12: 680 patients
# tell it well. You need not follow the first three lines.)

# %% tags=["nbval-check-output"]
between = (sizes * (own - mean_of_patients) ** 2).sum(axis=1) / 19
n0 = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / 19
estimated_sd = np.sqrt(np.maximum((between - 12**2) / n0, 0.01))[:, None]
pooled_by_estimate = shrink(own, sizes, estimated_sd, 12)
error_by_estimate = np.sqrt(((pooled_by_estimate - true) ** 2).mean())
claimed = estimated_sd * np.sqrt(1 - shrinkage_weight(sizes, estimated_sd, 12))
coverage_by_estimate = (np.abs(pooled_by_estimate - true) < 1.96 * claimed).mean()
print(f"no pooling:                             error {error['no pooling']:.1f} mmHg")
print(f"partial pooling, hospital_sd known:     error {error['partial pooling']:.1f} mmHg")
print(f"partial pooling, hospital_sd estimated: error {error_by_estimate:.1f} mmHg")
print(f"coverage of these 95 % intervals:       {100 * coverage_by_estimate:.0f} %")

# %% [markdown]
# Not knowing `hospital_sd` costs a little accuracy. It costs more honesty: the intervals treat the
# estimate as if it were the truth, and cover less than they claim. With very few hospitals both get
# worse. There is no magic number of hospitals: lesson 7 measures it.
#
# ### The claim on trial
#
# The claim: *mixed models have fixed and random effects, and they fit nested data.* You have seen
# one fixed effect (the overall mean), one set of random effects (the hospitals' $u_j$) and
# patients nested in hospitals. Does the model really do what the words say, and is it any good?

# %% tags=["nbval-check-output"]
nested = study.data.groupby("patient")["hospital"].nunique().max() == 1
has_both = len(fit.fe_params) == 1 and len(fit.random_effects) == 20
helps = error_by_estimate < min(error["complete pooling"], error["no pooling"])
ruling = "holds" if nested and has_both and agreement < 1e-4 and helps else "look again"
verdict(
    "C1",
    ruling,
    "with one fixed mean and 20 random hospital effects, MixedLM gives the partial pooling "
    "that we computed by hand. Such pooling, with hospital_sd estimated from each of 2,000 "
    f"tables, has a typical error of {error_by_estimate:.1f} mmHg; no pooling has {error['no pooling']:.1f}, "
    f"complete pooling {error['complete pooling']:.1f}.",
)

# %% [markdown]
# ### Exercise E03.2 · How much do hospitals differ?
#
# A registry prints a partially pooled mean for each of its 60 hospitals, most of them small. The
# standard deviation of the 60 printed numbers is 2.6 mmHg; that of the own (raw) means is 5.3 mmHg. A
# colleague asks by how much the hospitals' true means differ. What do you say? (The column
# `spread` of the scoreboard helps.)
#
# - **a** About 2.6 mmHg: the pooled means are the best estimates we have.
# - **b** About 5.3 mmHg: the raw means are unbiased.
# - **c** Probably between the two: pooled means spread less than the truth, raw means more.
# - **d** The average of the two, 3.95 mmHg: the biases cancel.

# %%
# BEGIN SOLUTION
spread_answer = "c"
# END SOLUTION

# %%
check("E03.2", spread_answer)

# %% [markdown]
# ## Weight is not distance
#
# "Small hospitals are moved most by shrinkage." You will read it in many places. It is true of
# the weight: the smallest hospital has the smallest weight on its own mean. Is it true of the
# distance, in mmHg?

# %%
predict(
    "P03.3",
    "In what share of the 2,000 league tables is the smallest hospital, H01, the one that partial "
    "pooling moves furthest?",
    unit="%",
)

# %%
moved = np.abs(pooled - own)
moved_furthest = np.bincount(moved.argmax(axis=1), minlength=20) / 2000
reveal("P03.3", round(100 * moved_furthest[0]), within=7)

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
left.bar(sizes.astype(str), 100 * moved_furthest, color=PARTIAL)
left.set(xlabel="patients of the hospital", ylabel="moved furthest (% of tables)")
left.set_xticks(range(0, 20, 3))
right.hlines(sizes, 0, (1 - weight) * 10, color=PARTIAL, linewidth=3)
right.set_xlabel("distance moved (mmHg), for a deviation of 10")
plots.log_axis(right, [4, 10, 30, 100], "patients of the hospital", axis="y")
plots.show(
    fig,
    alt="Left: how often each hospital is moved furthest; the smallest leads with about 30 %, the next few follow. Right: for the same deviation from the middle, smaller hospitals move further.",
)

# %% [markdown]
# No hospital moves furthest more often than the smallest. Yet in most tables another one does
# (left). Distance = (1 − weight) × deviation from the middle. The right-hand panel gives all hospitals
# the same deviation: then the smallest does move furthest. But deviations differ by luck and by
# truth, and a tiny hospital that happens to sit near the middle has nowhere to go.
#
# The same formula answers "extreme hospitals are pulled harder". Two hospitals of the same size
# have the same weight. The extreme one moves more mmHg, but the same *share* of its way.

# %% [markdown]
# ### Exercise E03.3 · Who moves furthest?
#
# The middle is 140 mmHg, `hospital_sd` is 4 and `patient_sd` is 12. Three hospitals report: Fern,
# 6 patients, mean 142. Oak, 40 patients, mean 154. Elm, 90 patients, mean 149. Which one does
# partial pooling move furthest, in mmHg?
#
# - **a** Fern: it is the smallest.
# - **b** Oak: it keeps most of its deviation, but the deviation is large.
# - **c** Elm: it has the most patients.
# - **d** None: all are pulled by the same distance.

# %%
# BEGIN SOLUTION
distance_answer = "b"
# END SOLUTION

# %%
check("E03.3", distance_answer)

# %% [markdown]
# ### Try it: from complete to no pooling
#
# What if you suppose that hospitals differ less, or more, than they do? Run the cell and move the
# supposed `hospital_sd` between 0 and infinity. The hospitals stand in order of size, H01 at the left.
#
# 1. Set it to infinity. Which of the three ways to pool is this? And at 0?
# 2. Raise it slowly from 0. Which hospitals leave the middle first? Why those?
# 3. Watch the error. Where is it smallest? What does it cost to be wrong by a factor of two?
# 4. The second from the left is H02. Which `hospital_sd` would be best for H02 alone? Why can the
#    board not give each hospital the value that suits it?
#
# If you cannot run it, the figure below it shows the same.
#
# <details><summary>Answers</summary>1: no pooling; complete pooling. 2: the large ones, since n/(n + k)
# rises first where n is large. 3: near the true 4 mmHg; the valley is broad, and a factor of two
# costs a few tenths of a mmHg. 4: infinity, because its own mean happens to be right. The board does not know
# the truth, so it cannot tell H02 from H01.</details>

# %%
pooling_explorer(study)

# %%
grid = np.geomspace(0.3, 60, 120)
paths = np.array([shrink(league["own_mean"].to_numpy(), sizes, sd, 12) for sd in grid])
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9))
for path, share in zip(paths.T, weight, strict=True):
    left.plot(grid, path, color=PARTIAL, linewidth=0.8 + 1.5 * share, alpha=0.7)
right.plot(grid, np.sqrt(((paths - table["truth"].to_numpy()) ** 2).mean(axis=1)), color=PARTIAL)
left.set_ylabel("estimates (mmHg)")
right.set(ylabel="error in this table (mmHg)", ylim=(0, 4.4))
for ax in [left, right]:
    ax.axvline(4, color=TRUTH, linestyle="--", linewidth=1.2)
    plots.log_axis(ax, [1, 4, 10, 50], "supposed hospital_sd (mmHg)")
plots.show(
    fig,
    alt="Left: 20 estimates fan out from one middle as the supposed hospital_sd grows; large hospitals (thick) leave first. Right: the error has a broad valley near the true hospital_sd of 4 mmHg.",
)

# %% [markdown]
# ## The league-table game
#
# The board can send inspectors to one hospital. It wants the one whose *true* mean is highest. The
# four worst results stand in the first table of this lesson, and at the right of the first figure.
#
# There are three rules that you could follow.
#
# - **raw**: the worst own mean.
# - **pooled**: the worst partially pooled mean.
# - **P(worst)**: the hospital that is most likely the worst. Given the data, and if both standard
#   deviations and the middle are right, a hospital's true mean follows a normal distribution around its pooled
#   mean, with the *conditional standard deviation*, `hospital_sd` × √(1 − weight), that you know from the
#   scoreboard. Draw 20 true means, note who is worst, repeat 10,000 times.

# %%
predict(
    "P03.4",
    "Choose a rule and send the inspectors. Which hospital has the highest true mean?",
    choices=["H04 (7 patients)", "H19 (90 patients)", "H14 (40 patients)", "H20 (110 patients)"],
)

# %%
rng = np.random.default_rng(32)
conditional_sd = 4 * np.sqrt(1 - weight)
draws = rng.normal(table["partial_pooling"], conditional_sd, size=(10_000, 20))
p_worst = pd.Series(np.bincount(draws.argmax(axis=1), minlength=20) / 10_000, index=table.index)
truly_worst = table["truth"].idxmax()
reveal("P03.4", f"{truly_worst} ({table.loc[truly_worst, 'n']} patients)")

# %%
top = table.assign(sd=conditional_sd, p_worst=p_worst).sort_values("no_pooling").tail(8)
low, high = (top["partial_pooling"] + sign * 1.96 * top["sd"] for sign in [-1, 1])
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9), width_ratios=[1.5, 1])
plots.caterpillar(top["partial_pooling"], low, high, left, patients=top["n"])
left.plot(top.index, top["no_pooling"], "o", color=OWN, label="no pooling")
left.plot(top.index, top["truth"], "x", color=TRUTH, label="truth")
left.set(xlabel="hospital and its patients", ylabel="mean sbp (mmHg), 95 % interval")
left.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
right.bar(top.index, 100 * top["p_worst"], color=plots.PALETTE["posterior"])
right.set_ylabel("P(worst), %")
plots.show(
    fig,
    alt="The eight worst results. H04 with 7 patients has the highest own mean but is pulled back; H19 with 90 patients has the highest pooled mean, the highest P(worst), and the highest true mean.",
)

# %% [markdown]
# The raw rule sends the inspectors to H04, whose 7 patients were bad luck. The other two rules send
# them to H19, which truly is the worst.
#
# Two of the eight crosses lie outside their intervals. We picked this table, and 95 % is a promise
# about many that nobody picked; the scoreboard showed that it is kept.
#
# One game is an anecdote, and we chose this table because the rules disagree in it. Play all 2,000
# tables. The last line is the chance that the third rule itself gives to its pick, on average.

# %% tags=["nbval-check-output"]
table_draws = rng.normal(pooled[:, None, :], conditional_sd, size=(2000, 400, 20)).argmax(axis=2)
chance = np.array([np.bincount(row, minlength=20) / 400 for row in table_draws])
place = stats.rankdata(-true, axis=1)  # 1 is truly the worst
asked = ["truly the worst", "among the truly worst five", "one of the five smallest"]
game = pd.DataFrame(index=asked)
for rule, score in {"raw": own, "pooled": pooled, "P(worst)": chance}.items():
    pick = score.argmax(axis=1)
    place_of_pick = place[np.arange(2000), pick]
    game[rule] = [(place_of_pick == 1).mean(), (place_of_pick <= 5).mean(), (pick < 5).mean()]
game.loc["its own chance that it is right"] = {"P(worst)": chance.max(axis=1).mean()}
print(game.round(2).to_string(na_rep=""))

# %%
fig, ax = plt.subplots(figsize=(8.5, 3.6))
colours = [OWN, PARTIAL, plots.PALETTE["posterior"]]
(100 * game.iloc[:3]).plot.bar(ax=ax, color=colours, rot=0, width=0.75)
ax.axhline(25, xmin=0.68, color=TRUTH, linestyle="--")
ax.text(2.45, 27, "fair share: 25 %", ha="right")
ax.set(ylabel="% of 2,000 tables", ylim=(0, 100))
ax.legend(title="inspect by", loc="upper right")
plots.show(
    fig,
    alt="How often each rule's pick is truly the worst, is among the truly worst five, and is one of the five smallest. Pooled and P(worst) find the worst more often than raw, and raw picks small hospitals far above their fair share of 25 %.",
)

# %% [markdown]
# The raw rule finds the right hospital least often, by either score. And it sends inspectors to
# small hospitals for being small. Each wrong visit is a visit that another hospital does not get.
#
# The pooled rule errs the other way: it picks small hospitals less often than is fair. A small
# hospital that truly is bad has too few patients to show it. P(worst) lies between. Which is better
# depends on the question: P(worst) is made for "who is *the* worst?", the pooled mean does as well or
# better at "who is among the bad ones?".
#
# P(worst) can do one more thing: it says how sure it is, and it keeps its word. Compare the first and
# the last line of the table. Even this rule, given the true standard deviations, misses the truly
# worst hospital about every other time. A league table should say so.

# %% [markdown]
# ### Exercise E03.4 · How sure is the ranking?
#
# After partial pooling, South has a mean of 146 mmHg with a conditional standard deviation (what is left to know,
# given the data) of 5,
# and North has 143 mmHg with 2. Treat the two as independent and normal. What is the chance that
# South's true mean is higher than North's? (A share or a percentage; simulate at least 10,000 pairs, or use
# `stats.norm.cdf`.)

# %%
# BEGIN SOLUTION
south_is_higher = stats.norm.cdf((146 - 143) / np.sqrt(5**2 + 2**2))
# END SOLUTION

# %%
check("E03.4", south_is_higher)

# %% [markdown]
# ## Real patients: no death in 47 operations
#
# Twelve hospitals operate on children's hearts. `surgical` holds the operations and deaths of
# each. The data are real (the "Surgical" example of the BUGS manuals). There is no truth column.
#
# Hospital A had no death in 47 operations. Its raw rate is 0 %: first place. Nobody believes that
# its patients cannot die. How should we pool *proportions*?
#
# Suppose that the true death rates of hospitals follow a *beta distribution* (a hump like the
# normal one, for numbers between 0 and 1) with mean $m$, as if
# each hospital came with $k$ earlier patients of whom $k \times m$ died. Add the patients seen:
#
# $$\text{pooled rate} = \frac{k\,m + \text{deaths}}{k + n} = m + \text{weight} \times (\text{raw} - m),
# \qquad \text{weight} = \frac{n}{n + k}$$
#
# It is the weight of the first half, $n/(n + k)$. Again $k$ is the number of patients that the other
# hospitals are worth; here it says how closely their true rates lie together. Given the data, a
# hospital's true rate follows a beta distribution again, with $k\,m$ + deaths and $k(1 - m)$ +
# survivors. This <dfn>beta-binomial</dfn> model is one of several; lesson 14 meets another. We choose the $m$ and $k$ that make the observed deaths most probable.

# %%
surgical = datasets.load("surgical").set_index("hospital")
surgical["raw"] = surgical["deaths"] / surgical["operations"]
surgical.round(3)

# %%
predict(
    "P03.5",
    "All 12 hospitals together lost "
    f"{100 * surgical['deaths'].sum() / surgical['operations'].sum():.1f} % of their patients. "
    "After partial pooling, what is hospital A's estimated death rate?",
    choices=["0 %", "about 2 %", "about 5 %", "about 7 %"],
)

# %%
deaths, operations = surgical["deaths"].to_numpy(), surgical["operations"].to_numpy()


def minus_log_likelihood(parameters):  # of any two numbers: m stays between 0 and 1, k above 0
    m, k = 1 / (1 + np.exp(-parameters[0])), np.exp(parameters[1])
    return -stats.betabinom.logpmf(deaths, operations, k * m, k * (1 - m)).sum()


best = optimize.minimize(minus_log_likelihood, [-2.5, 4], method="Nelder-Mead").x
m, k = 1 / (1 + np.exp(-best[0])), np.exp(best[1])
surgical["pooled"] = (k * m + deaths) / (k + operations)
choices = {"0 %": 0, "about 2 %": 0.02, "about 5 %": 0.05, "about 7 %": 0.07}
reveal("P03.5", min(choices, key=lambda choice: abs(choices[choice] - surgical.loc["A", "pooled"])))

# %%
a, b = k * m + deaths, k * (1 - m) + operations - deaths
low, high = 100 * stats.beta.ppf([[0.025], [0.975]], a, b)
fig, ax = plt.subplots(figsize=(9, 4))
plots.caterpillar(100 * surgical["pooled"], low, high, ax, patients=operations)
ax.plot(surgical.index, 100 * surgical["raw"], "o", color=OWN, label="no pooling")
ax.axhline(100 * m, color=plots.PALETTE["complete pooling"], label="mean of the hospitals")
ax.set(xlabel="hospital and its operations", ylabel="deaths (%), 95 % interval")
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
plots.show(
    fig,
    alt="Raw and partially pooled death rates of 12 hospitals. A moves from 0 to about 5 %; its 95 % interval overlaps all others. H stays highest.",
)

# %% [markdown]
# A's interval overlaps all others. How likely is it that A truly has the lowest rate? The answer
# depends on $k$, and 12 hospitals do not tell $k$ well. So try a much smaller and a much larger one
# too. "Supported" means a chance above .95. Their `likelihood` says how probable the observed deaths are under that $k$, compared with the
# best $k$.

# %% tags=["nbval-check-output"]
p_a_lowest = {}
for try_k in [40, k, 300]:
    fit_of_k = np.exp(minus_log_likelihood(best) - minus_log_likelihood([best[0], np.log(try_k)]))
    a, b = try_k * m + deaths, try_k * (1 - m) + operations - deaths
    rates = np.random.default_rng(33).beta(a, b, size=(40_000, 12))
    p_a_lowest[try_k] = (rates.argmin(axis=1) == 0).mean()
    print(
        f"k = {try_k:3.0f} (likelihood {fit_of_k:.1f} times the best): "
        f"P(A has the lowest rate) = {p_a_lowest[try_k]:.1f}"
    )
print(f"supported for one of these k: {max(p_a_lowest.values()) > 0.95}")
print((100 * surgical.loc[["A", "E", "H"], ["raw", "pooled"]]).round(1))

# %% [markdown]
# With the most likely $k$, A is not even first: hospital E, with more operations, has a slightly
# lower estimate. The other two values of $k$ are not ruled out, and the chance that A is truly the
# lowest changes with them. For none of the three does it come near certainty. (A far smaller $k$ would
# bring it there, but makes the observed deaths very improbable.) "No death in 47 operations, so the best
# hospital" is not supported. Nor is it refuted: 47 operations cannot tell. Lesson 11 shows how to
# take all values of $k$ into account at once.
#
# And nothing is known of the children. Hospitals may differ because their patients do.

# %% [markdown]
# ### Exercise E03.5 · Spot the flaw
#
# From a report:
#
# 1. The region's heart units operated on 1,900 patients, of whom 6 % died.
# 2. Death was counted within 30 days of the operation.
# 3. With no death in its 30 operations, Hill Clinic gives the safest care in the region.
# 4. We recommend that the other units study Hill Clinic's procedures.
# 5. Rates were not adjusted for how ill the patients were.
#
# Which sentence holds the mistake, and why?
#
# - **a** A rate of zero cannot be compared with other rates.
# - **b** Raw rates of hospitals must never be compared.
# - **c** No death in 30 operations is easily luck: it does not show that the true rate is lowest.
# - **d** Partial pooling would have left out small units.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (3, "c")
# END SOLUTION

# %%
check("E03.5", flaw)

# %% [markdown]
# ## Whom partial pooling treats unfairly
#
# Back to H02: few patients, truly excellent, and pulled towards the crowd. Partial pooling is
# best *on average over hospitals*. Look at the five smallest hospitals alone, sorted by how far
# their **true** mean lies from 140 mmHg.

# %%
bins = pd.cut((true - 140)[:, :5].ravel(), np.arange(-10, 11, 2), labels=np.arange(-9, 10, 2))
fig, axes = plt.subplots(1, 3, figsize=(10, 3.8))
for name, claimed in [("no pooling", 12 / np.sqrt(sizes)), ("partial pooling", conditional_sd)]:
    miss = (estimates[name][0] - true)[:, :5]
    covered = 100 * (np.abs(miss) < 1.96 * claimed[:5])
    for ax, score, root in zip(axes, [miss, covered, miss**2], [1, 1, 0.5], strict=True):
        line = pd.Series(score.ravel()).groupby(bins, observed=False).mean() ** root
        ax.plot(line.index, line, marker="o", color=plots.PALETTE[name], label=name)
for ax, title in zip(axes, ["average error (mmHg)", "coverage (%)", "typical error"], strict=True):
    ax.set(title=title, xlabel="true mean − 140 (mmHg)", xticks=range(-8, 9, 4))
axes[1].legend()
plots.show(
    fig,
    alt="Five smallest hospitals. No pooling: no bias, coverage near 95 % everywhere. Partial pooling: the further the truth from the middle, the more bias towards the middle and the less coverage; its typical error is smaller except for the most extreme.",
)

# %% [markdown]
# No pooling has no bias and covers about 95 % everywhere. Partial pooling is biased towards the middle,
# the more the further a hospital's truth lies out, and its intervals fail just those hospitals.
# In exchange its typical error is smaller for all but the most
# extreme hospitals (right). You cannot see which case a hospital is:
# for that you would need its truth.
#
# So it is a bargain, and it rests on an assumption. Hospitals are <dfn>exchangeable</dfn> if,
# before you see their results, you have no reason to expect one to be higher than another: you
# could swap their names. If you *do* have a reason (H02 is a specialised unit with younger
# patients, say), pull it towards hospitals like it, not towards all. Later lessons do that with
# what is known of each hospital.
#
# And your mother? Ask the 10,000 draws of the game. H01 is probably better than the middle of all
# hospitals. But first place in the raw table is no reason to travel far, and our best guess for her is
# another hospital.

# %% tags=["nbval-check-output"]
best_of_all = (draws.argmin(axis=1) == 0).mean()
better = (draws[:, 0] < table.attrs["gls_mean"]).mean()  # the middle
guess, truly_best = table["partial_pooling"].idxmin(), table["truth"].idxmin()
print(
    f"H01 is better than the middle: {100 * better:.0f} %; best of all: {100 * best_of_all:.0f} %"
)
print(f"our best guess for her: {guess}, with {table.loc[guess, 'n']} patients")
print(f"truly the best, as nobody could have known: {truly_best}")

# %% [markdown]
# ### Exercise E03.6 · Your own hospitals
#
# `own_hospitals(3)` is a league table that nobody else has. Its two standard deviations are known.
# Compute the partially pooled mean of **every** hospital, in the order of `my_league` (a Series
# by hospital, or an array). Keep at least two decimals. Try it with your own lines
# or with `shrink`, then see whose first place survives.

# %%
mine = own_hospitals(3)
my_league = mine.data.groupby("hospital", observed=True)["sbp"].agg(n="size", own_mean="mean")
print(f"hospital_sd {mine.truth.hospital_sd} mmHg, patient_sd {mine.truth.patient_sd} mmHg")
my_league.round(1)

# %%
# BEGIN SOLUTION
my_weight = 1 / (1 + mine.truth.patient_sd**2 / mine.truth.hospital_sd**2 / my_league["n"])
my_middle = (my_weight * my_league["own_mean"]).sum() / my_weight.sum()
my_pooled = my_middle + my_weight * (my_league["own_mean"] - my_middle)
# END SOLUTION

# %%
check("E03.6", my_pooled)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - Small hospitals crowd both ends of a raw league table, because their means are noisy.
# - Partial pooling gives each hospital's own mean the weight
#   hospital_sd² / (hospital_sd² + patient_sd²/n), and the rest to the middle.
# - A mixed model does this. Its fixed effect is the middle, its predicted random effects are the
#   shrunken deviations.
# - On average over hospitals it is closer to the truth than no pooling and complete pooling.
# - Weight depends on size. Distance is (1 − weight) × deviation: small is not always moved most.
# - Shrunken means spread less than the truth. Do not read hospital_sd off them.
# - A rank without its uncertainty is not a result. P(worst) is a chance that keeps its word, if
#   the standard deviations are right.
# - A hospital that truly is extreme is pulled in too. The average gain has losers.
#
# ## Limits
#
# True means were normal, hospitals were exchangeable and size had nothing to do with quality; the
# standard deviations were known in most cells. Lesson 7 takes up few hospitals, lesson 10 true
# means that are not normal, lesson 14 proportions.
#
# ## Further reading
#
# - Efron B, Morris C (1977). Stein's paradox in statistics. *Scientific American* 236(5):119-127.
#   Eighteen baseball players show why shrinking beats their own averages. No formulas needed.
# - Goldstein H, Spiegelhalter DJ (1996). League tables and their limitations: statistical issues
#   in comparisons of institutional performance. *Journal of the Royal Statistical Society A*
#   159(3):385-443. What rankings of schools and hospitals can and cannot say, with discussion.
# - Spiegelhalter DJ (2005). Funnel plots for comparing institutional performance. *Statistics in
#   Medicine* 24(8):1185-1202. How to draw the funnel, and why it beats a ranking.
# - Gelman A, Hill J (2007). *Data Analysis Using Regression and Multilevel/Hierarchical Models*.
#   Cambridge University Press, chapter 12. The three ways to pool, on radon in houses.
