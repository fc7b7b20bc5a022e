# ---
# jupyter:
#   course:
#     question: Patients lie in wards, wards in hospitals, and surgeons work in several. Who varies?
#     reading_minutes: 55
#     exercise_minutes: 35
#     needs: [8]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 9 More than two levels
#
# > Patients lie in wards, wards in hospitals, and surgeons work in several. Who varies?
#
# Reading: 55 minutes. Exercises: 35 minutes. First do
# [lesson 8](08_cause_and_cluster.ipynb).
#
# ## What you will be able to do
#
# - Compute how alike two patients are who share a ward, only a hospital, or only a region.
# - Split the variance of an outcome over the levels, by hand and with a mixed model.
# - Foresee what happens to a standard error and to a prediction when a level is left out.
# - Tell nested from crossed, and find labels that look crossed and are not.
# - Write both for `MixedLM`, avoid two silent mistakes, and know where it gets slow.
# - Give a reason for keeping a level that is not a p-value.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats

from utils import datasets, level_figures, mixedlm, plots
from utils.costs import nesting_costs
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.level_trials import level_scoreboard, level_trials
from utils.levels import correlations, pair_correlations, prediction_errors, treatment_se
from utils.simulate import med_trial
from utils.widgets import levels_explorer

plots.set_style()

# %% [markdown]
# ## Four addresses
#
# A patient has a bed in a ward. The ward belongs to a hospital, the hospital to a region. Each of
# them may push the blood pressure up or down: the region by its food, the hospital by
# its rules, the ward by its nurses.
#
# We made up 48 hospitals in 16 regions, with 3 wards each and 15 patients per hospital. The true standard deviations
# (SDs) stand in `sds`, from the top down. The figure shows four of the 16 regions. (Here and below the seed, `rng`, is
# the number of the lesson. No draw was picked for its result.)

# %%
sds = {"region": 3, "hospital": 6, "ward": 6, "patient": 12}  # mmHg
truth = {f"{level}_sd": sd for level, sd in sds.items()}
design = dict(n_regions=16, n_hospitals=48, n_wards=3, patients_per_hospital=15)
trial = med_trial(**design, **truth, treated_share=0, rng=9).data
four = trial[trial["region"].isin(["R01", "R02", "R03", "R04"])]
fig, ax = plt.subplots(figsize=(9.5, 4.6))
level_figures.nested_means(four, ax, levels=["region", "hospital", "ward"])
plots.show(
    fig,
    alt="Patients of four regions, each with three hospitals of three wards. Means of wards scatter around the mean of their hospital, means of hospitals around that of their region.",
)

# %% [markdown]
# A column of dots is a ward. The short bars are ward means. They scatter around the bar of their hospital, and
# the hospitals' bars around that of their region. Part of that scatter is true, part is the noise of few patients.
#
# Region, hospital, ward and patient are four <dfn>level</dfn>s. Units of one level are <dfn>nested</dfn>
# in the next when each belongs to one unit there: a ward to one hospital, a hospital to one region.
# The model is that of lesson 4 with more terms, all of them independent:
#
# $$\text{sbp} = \text{mean} + \underbrace{r}_{\text{region}} + \underbrace{h}_{\text{hospital}} +
# \underbrace{w}_{\text{ward}} + \underbrace{e}_{\text{patient}}$$
#
# Each term is drawn from a normal distribution around 0 with its own SD. Variances of independent
# terms add up. Here the total variance is 3² + 6² + 6² + 12² = 225.
#
# ## How alike are two patients?

# %%
predict(
    "P09.1",
    "The variances are 9 (region), 36 (hospital), 36 (ward) and 144 (patient): 225 in all. Two "
    "patients lie in the same hospital, in different wards. How correlated are their pressures?",
    choices=["0.04", "0.16", "0.20", "0.36"],
)

# %% tags=["nbval-check-output"]
variance = pd.Series(sds) ** 2
share = variance / variance.sum()
by_hand = share.cumsum().iloc[:-1]  # add the shares from the top down
many_regions = dict(n_regions=3000, n_hospitals=6000, n_wards=2, patients_per_hospital=8)
many = med_trial(**many_regions, **truth, treated_share=0, rng=9).data
pairs = pair_correlations(many, ["region", "hospital", "ward"])
columns = {"by hand": by_hand, "by library": correlations(sds), "simulated": pairs["correlation"]}
print(pd.DataFrame(columns).rename_axis("lowest shared").round(2).to_string())

# %%
reveal("P09.1", f"{by_hand['hospital']:.2f}")

# %%
labels = [(r, r + h, r + h + w) for r in "AB" for h in "12" for w in "xy" for _ in range(3)]
unit = np.array(labels)  # 24 patients: region, hospital and ward of each, as full addresses
matrix = share["patient"] * np.eye(24)
for k, level in enumerate(["region", "hospital", "ward"]):
    matrix = matrix + share[level] * (unit[:, None, k] == unit[None, :, k])
names = ["different regions", "same region", "same hospital", "same ward", "the same patient"]
fig, ax = plt.subplots(figsize=(8, 4.2))
level_figures.staircase(matrix, ax, words=dict(zip([0, *by_hand.round(2), 1], names, strict=True)))
plots.show(
    fig,
    alt="Correlation matrix of 24 patients: blocks of three for wards, in blocks of six for hospitals, in blocks of twelve for regions. The smaller the block, the darker; between regions it is blank.",
)

# %% [markdown]
# Two patients are alike by what they *share*. The correlation is
#
# $$\text{correlation} = \frac{\text{sum of the variances of the shared levels}}{\text{sum of all variances}}$$
#
# Two patients of one hospital share hospital *and* region: 9 + 36 out of 225. If you said 0.16, you
# forgot that a shared hospital brings its region along. The last column of the table, from all pairs of patients within
# 3,000 simulated regions, agrees up to chance.
#
# The figure has 24 patients: 2 regions, 2 hospitals in each, 2 wards of 3 patients. Small dark blocks are wards. They
# lie in the paler blocks of hospitals, and those in the palest, the regions.

# %% [markdown]
# ### Exercise E09.1 · Two patients of one ward
#
# A registry gives these SDs, in mmHg: region 1, hospital 3, ward 4, patient 8. Compute the correlation
# of two patients of the same ward. Give at least three decimals.

# %%
# BEGIN SOLUTION
ward_correlation = (1**2 + 3**2 + 4**2) / (1**2 + 3**2 + 4**2 + 8**2)
# END SOLUTION

# %%
check("E09.1", ward_correlation)

# %% [markdown]
# ## Split the variance
#
# Now forget the true SDs and estimate them. `mixedlm.fit` takes the top level as `groups`. Each level below
# is a *variance component*: a name, and a formula that says which units it has. `0 + C(ward)` means one
# effect for each ward. `variances` holds the estimated SDs with their 95 % profile intervals (lesson 7).

# %%
levels = {"hospital": "0 + C(hospital)", "ward": "0 + C(ward)"}
model = mixedlm.fit("sbp ~ 1", trial, groups="region", vc_formula=levels)
estimated = model.variances.assign(truth=truth)
fig, ax = plt.subplots(figsize=(8, 3))
level_figures.sd_intervals(estimated, ax)
plots.show(
    fig,
    alt="Estimated standard deviations with profile intervals and the truth as crosses. The interval for patients is short, those for wards and hospitals longer, that for regions the longest: its estimate is 0 and it begins there. All hold the truth.",
)

# %% [markdown]
# Look at the lengths. The SD between patients is known well: there are 720 patients. The SD between regions is
# hardly known: there are 16 regions. Here it is estimated as 0, and its interval goes up to nearly twice the truth. As
# in lesson 7, that does not say that regions are alike. **A level's SD is learnt from its number of units**, not from
# the number of patients. A level at the top has the fewest.
#
# (All four intervals hold the truth. One draw proves nothing; the end of the lesson counts over many.)
#
# ## When a level is left out: treatments
#
# Often the ward was not recorded. Does it matter? Take 20 hospitals of 4 wards of 10 patients, with the same SDs
# (and no regions). A treatment lowers blood pressure by 5 mmHg. Give it in three ways, always to half, by lot:
#
# - by **hospital**: 10 of the 20 hospitals;
# - by **ward**: 2 of the 4 wards in each hospital;
# - by **patient**: 5 of the 10 patients in each ward.

# %%
predict(
    "P09.2",
    "Two of the four wards in each hospital are treated. The model has a random intercept for "
    "hospitals and none for wards. How often do its 95 % intervals hold the truth?",
    choices=["about 50 %", "about 75 %", "about 95 %", "about 99 %"],
)

# %% [markdown]
# `level_scoreboard` draws 20,000 such trials for each way and fits four models by REML: *naive* (no level
# but the patient), *hospitals only*, *wards only* (as if wards belonged to no hospital), and *both*. (With equal
# units REML needs only a mean square for each level, as in lesson 7. It draws those, not patients.)

# %%
three = {"hospital": 6, "ward": 6, "patient": 12}
counts = {"hospital": 20, "ward": 4, "patient": 10}
kept = [[], ["hospital"], ["ward"], ["hospital", "ward"]]
models = dict(zip(["naive", "hospitals only", "wards only", "both"], kept, strict=True))
drawn = dict(sds=three, counts=counts, models=models, treatment_effect=-5)
scoreboard = level_scoreboard(20_000, **drawn, rng=9)
held = scoreboard.loc[("ward", "hospitals only"), "coverage"]
choices = {"about 50 %": 50, "about 75 %": 75, "about 95 %": 95, "about 99 %": 99}
reveal("P09.2", min(choices, key=lambda choice: abs(choices[choice] - held)))

# %% tags=["nbval-check-output"]
scoreboard["ratio"] = scoreboard["claimed"] / scoreboard["formula"]
shown = scoreboard[["bias", "scatter", "formula", "claimed", "ratio"]].round(1) + 0.0
print(shown.assign(coverage=scoreboard["coverage"].round().astype(int)).to_string())

# %%
things = ["naive", "hospital", "ward", "random intercept"]
fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.6), sharey=True)
for ax, level in zip(axes, three, strict=True):
    over = scoreboard.loc[level, "ratio"] - 1
    ax.axhline(1, color=plots.PALETTE["truth"], linestyle="--")
    ax.bar(range(4), over, bottom=1, color=[plots.PALETTE[thing] for thing in things])
    ax.set_xticks(range(4), over.index.str.replace(" ", "\n"))
    ax.set_title(f"treatment by {level}")
axes[0].set(ylabel="standard error, claimed / true", ylim=(0.2, 1.45))
plots.show(
    fig,
    alt="Claimed over true standard error, for treatment by hospital, ward and patient. Naive and wards only fall far below 1 by hospital; naive and hospitals only below 1 by ward, where wards only rises above 1; naive and hospitals only rise a little above 1 by patient. The model with both is at 1 throughout.",
)

# %% [markdown]
# The dashed line is honesty: `claimed`, the standard error that a model reports, equals the true one. Bars below it
# promise too much, bars above it too little.
#
# - No model is biased. As in lesson 2, a missing level misstates how sure you are. *Both* is right everywhere.
# - By **hospital** (left): *wards only* fails badly. *Hospitals only* is fine: the mean of a hospital holds its wards'
#   parts already.
# - By **ward** (middle): *hospitals only* fails. *Wards only* is too shy: both arms share each hospital, so its part
#   cancels, and that model still counts it as noise.
# - By **patient** (right): leaving out wards makes the model a little too shy. Leaving out hospitals does nothing.
#
# What a missing level did is not lost. The model puts it into the next level *below* that it has. If treatment is given
# at that one, its noise looks too large, and you claim too little. If not, your standard error does not change. But if
# the missing level is the treated one, the units below count as independent, and you claim too much. So **the level at
# which treatment is given must be in the model.**
#
# The `formula`, for the treatment by ward: each arm is the mean of 40 wards. A ward's mean scatters around its
# hospital with the variance 6² + 12²/10, its own part and the noise of 10 patients. The hospital's part cancels. So
# the variance of the difference is (6² + 12²/10) × (1/40 + 1/40). The standard error is its root.

# %% [markdown]
# ### Exercise E09.2 · The standard error of a handover
#
# A new handover is tried in 12 hospitals with 4 wards each and 16 patients in each ward. Two wards of each
# hospital, by lot, use it. The SDs are 5 mmHg between hospitals, 4 between wards of a
# hospital, 12 between patients of a ward. Compute the standard error of the handover's effect, in mmHg.

# %%
# BEGIN SOLUTION
handover_se = np.sqrt((4**2 + 12**2 / 16) * (1 / 24 + 1 / 24))
# END SOLUTION

# %%
check("E09.2", handover_se)

# %% [markdown]
# ### Exercise E09.3 · The wards were not recorded
#
# A trial gave a new monitor to 12 of 24 hospitals, by lot. All hospitals are about equal in size, and
# so are their wards. Nobody wrote down the ward. The analysis is a mixed model with a random
# intercept for hospitals. A reviewer writes: "Patients of one ward are alike. Without the ward
# your standard error is too small." What do you answer?
#
# - **a** The reviewer is right: every level that exists must be in the model.
# - **b** The treated level is in the model, and the hospital means already hold what wards add. The standard error is sound.
# - **c** The wards' differences end up nowhere in this model.
# - **d** Then treat patients as independent: a model that lacks one level is no better than none.

# %%
# BEGIN SOLUTION
wards_answer = "b"
# END SOLUTION

# %%
check("E09.3", wards_answer)

# %% [markdown]
# ## What more patients buy
#
# More patients in each ward do not make more wards, hospitals or regions. The curves take the SDs of the first section,
# for 8 regions of 4 hospitals of 4 wards.

# %%
sizes = [2, 4, 6, 10, 20, 40, 70, 100]
fig, ax = plt.subplots(figsize=(8.5, 3.8))
for level in sds:
    errors = []
    for n in sizes:
        units = {"region": 8, "hospital": 4, "ward": 4, "patient": n}
        errors.append(treatment_se(sds, units, level))
    ax.plot(sizes, errors, "o-", color=plots.PALETTE[level.replace("patient", "patients")])
    ax.text(106, errors[-1], f"by {level}", va="center")
ax.set(ylabel="standard error of the effect (mmHg)", ylim=(0, 4), xlim=(1.8, 165))
plots.log_axis(ax, [2, 5, 10, 20, 50, 100], "patients in each ward")
plots.show(
    fig,
    alt="Standard error against patients per ward, for treatment by region, hospital, ward and patient. By patient it falls steadily towards 0. By ward it levels off near 1 mmHg, by hospital near 2.4, by region near 3.2.",
)

# %% [markdown]
# Only the lowest curve keeps falling. The others level off, the higher the level the earlier. To learn about
# wards you need wards, to learn about regions you need regions.
#
# ### Try it: split the variance
#
# Run the cell and move the sliders. Surgeons, at the start without any effect, operate in all wards
# alike; more of them below. If you cannot run it, the figure above shows one of its settings.
#
# 1. Set the ward SD to 0. Which correlations change, and which standard errors?
# 2. Put the ward SD back to 6. How many patients per ward bring the standard error by ward below 1 mmHg? And how many wards per
#    hospital, at 10 patients?
# 3. Raise the surgeon SD to 6. Which of the treatments' standard errors change? Which correlation is
#    new?
#
# <details><summary>Answers</summary>1: only pairs that share the ward get less alike; the others get a little more
# alike, since the total is smaller. The standard errors by ward, hospital and region fall, those by patient and by surgeon stay. 2: none, not even 100:
# the wards' part does not average out; with 8 wards per hospital it is below 1. 3: only that by surgeon: surgeons
# are spread evenly, so they cancel elsewhere. Two patients of one surgeon are now alike wherever they
# lie.</details>

# %%
levels_explorer()

# %% [markdown]
# ## When a level is left out: predictions
#
# A patient is about to be admitted to a ward. What pressure do you expect? You want the ward's true mean. Lesson 3
# pulled a hospital's mean towards the mean of all. With two levels there are two pulls: the ward towards its
# hospital, and the hospital towards the mean of all. A model that lacks a level lacks that pull.
#
# `prediction_errors` has the typical errors (root mean squared, lesson 3) in closed form: `seen` for a ward of the data,
# `new` for another ward of the same hospitals. Variances are taken as known; a model that lacks a level uses those that
# it would find on average. Beside the models stands a ward's own mean, of 6 patients.

# %%
predict(
    "P09.3",
    "20 hospitals, 4 wards in each, 6 patients per ward, the same SDs. You predict the true mean "
    "of each ward. Which has the larger typical error?",
    choices=["the ward's own mean, no model", "the model with hospitals only", "no difference"],
)

# %%
of_six = counts | {"patient": 6}
errors = prediction_errors(three, of_six, models).drop("naive")
errors.loc["own mean", "seen"] = 12 / np.sqrt(6)
worse = errors.loc["hospitals only", "seen"] > errors.loc["own mean", "seen"]
reveal("P09.3", "the model with hospitals only" if worse else "the ward's own mean, no model")

# %%
colours = [plots.PALETTE[thing] for thing in [*things[1:], "patients"]]
fig, axes = plt.subplots(1, 2, figsize=(8.5, 3.4), sharey=True, width_ratios=[4, 3])
for ax, ward in zip(axes, ["seen", "new"], strict=True):
    error = errors[ward].dropna()
    bars = ax.bar(error.index.str.replace(" ", "\n"), error, color=colours[: len(error)])
    ax.bar_label(bars, fmt="%.1f")
axes[0].set(title="a ward with data", ylabel="typical error (mmHg)", ylim=(0, 10))
axes[1].set_title("a new ward of a known hospital")
plots.show(
    fig,
    alt="Typical error of predicted ward means. Wards with data: hospitals only is worst, then own mean, wards only, and both is best. New ward of a known hospital: wards only is worst, hospitals only and both are about equal.",
)

# %% [markdown]
# For a ward with data, the model without wards is worse than no model at all: it gives all wards of a hospital the
# same number. *Wards only* comes close to *both*. For a **new** ward it is the other way round:
# *wards only* can offer nothing but the mean of all, while *hospitals only* is nearly as good as *both*. To predict for
# a unit, its level must be in the model. For a new unit, the levels above it do the work.
#
# ## Real data: paste in casks in batches
#
# A chemical paste was delivered in 10 batches. Three casks of each batch were sampled, and each sample was
# tested twice. `pastes` holds the 60 measured strengths (Davies and Goldsmith 1972; the source gives no unit). It
# is our story in other clothes: casks are wards, batches are hospitals.

# %%
pastes = datasets.load("pastes")
renamed = pastes.rename(columns={"batch": "hospital", "cask": "ward"})
fig, ax = plt.subplots(figsize=(9.5, 3.8))
level_figures.nested_means(renamed, ax, levels=["hospital", "ward"], outcome="strength")
ax.set(xlabel="batch, with its casks a, b and c", ylabel="strength")
names = ["one test", "mean of a cask", "mean of a batch"]
ax.legend(names, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
plots.show(
    fig,
    alt="Sixty strengths in 30 casks of 10 batches. The two tests of a cask lie close together; casks of one batch differ widely; batch means differ somewhat.",
)

# %% [markdown]
# The two tests of a cask nearly agree. Casks of one batch differ a lot. Batches differ somewhat, but casks
# alone would make their means differ too. So subtract, level by level, as for the ICC in lesson 2:
#
# - *tests*: the variance within casks;
# - *casks*: the variance of the three cask means of a batch, less half of the first (a cask's mean is over 2 tests);
# - *batches*: the variance of the batch means, less a third of the variance of the cask means.

# %% tags=["nbval-check-output"]
cask_means = pastes.groupby(["batch", "cask"], observed=True)["strength"].mean().unstack()
test_variance = pastes.groupby("sample", observed=True)["strength"].var().mean()
between_casks = cask_means.var(axis=1).mean()
cask_variance = between_casks - test_variance / 2
batch_variance = cask_means.mean(axis=1).var() - between_casks / 3
right = mixedlm.fit("strength ~ 1", pastes, groups="batch", vc_formula={"cask": "0 + C(cask)"})
compared = right.variances[["estimate"]].assign(by_hand=0.0)
compared["by_hand"] = np.sqrt([batch_variance, cask_variance, test_variance])
print(compared.round(3).to_string())

# %% [markdown]
# By hand and REML agree, as they do when all units have the same size and no variance comes out
# negative. (`patient_sd` is the name of the lowest level in `mixedlm`; here it is one test.)
#
# ### The labels lie
#
# The casks of a batch are called a, b, c, and a, b, c again in the next batch. Cask a of batch A
# has nothing to do with cask a of batch B. This is <dfn>implicit nesting</dfn>: the labels repeat, and only
# the design says that the units are different. A colleague does not know. She puts batch and cask side by
# side, for the whole table: one group for everybody (a column of ones), two components.

# %%
predict(
    "P09.4",
    "The colleague's model takes cask a for one and the same cask in all batches. The right model's SD "
    "of a single test is about 0.8. What does the colleague's model estimate for it?",
    choices=["about 0.3", "about 0.8", "about 2.7"],
)

# %% tags=["nbval-check-output"]
everyone = pastes.assign(everyone=1)
side_by_side = {"batch": "0 + C(batch)", "cask": "0 + C(cask)"}
wrong = mixedlm.fit("strength ~ 1", everyone, groups="everyone", vc_formula=side_by_side)
cured = side_by_side | {"cask": "0 + C(sample)"}
unique = mixedlm.fit("strength ~ 1", everyone, groups="everyone", vc_formula=cured)
fits = {"nested": right, "labels a, b, c": wrong, "unique labels": unique}
print(
    pd.DataFrame({name: f.variances["estimate"] for name, f in fits.items()}).round(2).to_string()
)
print(f"effects of casks: {len(wrong.hospitals) - 10} and {len(unique.hospitals) - 10}")

# %%
found = wrong.variances.loc["patient_sd", "estimate"]
options = {"about 0.3": 0.3, "about 0.8": 0.8, "about 2.7": 2.7}
reveal("P09.4", min(options, key=lambda choice: abs(options[choice] - found)))

# %%
penicillin = datasets.load("penicillin")
fig, axes = plt.subplots(1, 3, figsize=(9.5, 4), width_ratios=[1, 2, 1.3])
level_figures.count_table(pastes["batch"], pastes["cask"], axes[0])
level_figures.count_table(pastes["batch"], pastes["sample"], axes[1])
level_figures.count_table(penicillin["plate"], penicillin["sample"], axes[2], thing="surgeon")
axes[0].set_title("looks crossed")
axes[1].set(title="nested", xlabel="cask with its batch, 30 of them")
axes[2].set(title="crossed", ylabel="plate, 24 of them", xlabel="penicillin sample")
plots.show(
    fig,
    alt="Three tables of which labels occur together. Batches by cask labels a, b, c: full. Batches by unique casks: a staircase, each cask in one batch. Penicillin plates by samples: full.",
)

# %% [markdown]
# The wrong model has three casks where there are 30. Ten casks called a have next to nothing in common, so the
# differences between casks land in the noise. A test looks three times as imprecise as it is. Nothing warned.
#
# Two cures give the same right answer: components *within* `groups="batch"`, where `MixedLM` gives each batch effects of its
# own; or labels that are unique. `sample`, batch and cask together, is such a label. **Make labels unique when you
# collect the data.** Then this mistake cannot happen.
#
# The figure shows which labels occur together. Draw it before you write a model. A **staircase** (middle) is nested: each
# cask stands in one batch. A **full** table is crossed (right), or has labels that repeat (left). The picture cannot tell
# those two apart. Someone who knows the design can: ask.
#
# ## Crossed: surgeons who travel
#
# Two groupings are <dfn>crossed</dfn> when units of each meet several units of the other. Twelve surgeons operate
# in all of 20 hospitals. A patient has a hospital *and* a surgeon, and neither lies inside the other.
# The model adds both terms; two patients are again alike by what they share.
#
# In `MixedLM` a component has new effects in each group. A surgeon who travels must keep one
# effect everywhere. So use **one group for everybody**, a column of ones, and all groupings as components.

# %%
travel = dict(n_hospitals=20, n_surgeons=12, patients_per_hospital=25, treated_share=0)
operated = med_trial(**travel, hospital_sd=6, surgeon_sd=6, patient_sd=12, rng=9)
patients = operated.data.assign(everyone=1)
both = {"hospital": "0 + C(hospital)", "surgeon": "0 + C(surgeon)"}
crossed = mixedlm.fit("sbp ~ 1", patients, groups="everyone", vc_formula=both)
true_sds = {"hospital_sd": 6, "surgeon_sd": 6, "patient_sd": 12}
crossed.variances[["estimate", "lower", "upper"]].assign(truth=true_sds).round(1)

# %% [markdown]
# The model tells surgeons from hospitals, because each surgeon was seen in many hospitals and each
# hospital saw many surgeons. Where every hospital has one surgeon, and every surgeon one hospital, no model can.
#
# ### Penicillin
#
# `penicillin` is a real crossed design: six samples of penicillin, each tried on the same 24 plates. Measured is the
# diameter of the zone (mm) where bacteria do not grow. With only six samples, their SD will be known worst.

# %% tags=["nbval-check-output"]
penicillin["everyone"] = 1
factors = {"plate": "0 + C(plate)", "sample": "0 + C(sample)"}
zones = mixedlm.fit("diameter ~ 1", penicillin, groups="everyone", vc_formula=factors)
print(zones.variances[["estimate", "lower", "upper"]].round(2).to_string())
part = zones.variances["variance"] / zones.variances["variance"].sum()
print(f"two zones on one plate, of different samples: correlation {part['plate_sd']:.2f}")
print(f"two zones of one sample, on different plates: correlation {part['sample_sd']:.2f}")

# %% [markdown]
# ### Exercise E09.4 · Which call is right?
#
# Physiotherapists P1 to P9 treat patients in 30 hospitals; most of them work in several. Rooms are numbered from 1
# up in each hospital. The columns are `hospital`, `room`, `therapist`; `place` is hospital and room together (H07-3);
# `everyone` is a column of ones. Which call of `mixedlm.fit("score ~ treated", data, ...)` fits this design?
#
# - **a** `groups="everyone"`, components `C(hospital)`, `C(room)`, `C(therapist)`
# - **b** `groups="hospital"`, components `C(room)`, `C(therapist)`
# - **c** `groups="everyone"`, components `C(hospital)`, `C(place)`, `C(therapist)`
# - **d** `groups="hospital"`, component `C(place)`

# %%
# BEGIN SOLUTION
call = "c"
# END SOLUTION

# %%
check("E09.4", call)

# %% [markdown]
# ## Two traps of MixedLM, and its price
#
# Two mistakes run without a warning. Here they are, on the data of this lesson.

# %%
as_text = trial.assign(ward=trial["ward"].astype(str))
wards = {"ward": "0 + C(ward)"}
bare = smf.mixedlm("sbp ~ 1", as_text, groups="hospital", vc_formula=wards).fit(method="powell")
safe = mixedlm.fit("sbp ~ 1", trial, groups="hospital", vc_formula=wards).variances["estimate"]
print(f"1 bare: {bare.k_re} intercepts for hospitals, ward_sd {bare.vcomp[0] ** 0.5:.1f}")
print(f"  guarded: hospital_sd {safe['hospital_sd']:.1f}, ward_sd {safe['ward_sd']:.1f}")
apart = mixedlm.fit("sbp ~ 1", patients, groups="hospital", vc_formula={"surgeon": both["surgeon"]})
print(f"2 surgeons: 12, effects of surgeons in the model: {len(apart.hospitals) - 20}")

# %% [markdown]
# 1. **`vc_formula` without `re_formula`.** Called bare, `MixedLM` fits *no* intercept for the groups, and does not say so.
#    What hospitals do is pushed into the wards. Write `re_formula="1"` beside `vc_formula`. (`mixedlm.fit` does.)
# 2. **Crossed factors under a real group.** With `groups="hospital"` each surgeon gets a new effect in each hospital, as
#    if strangers had the same name. It is a legal model, only not yours, so nothing can guard you.
#
# Now the price. `nesting_costs` writes one and the same model, wards in hospitals, in three ways. It times the building of each
# and 20 looks at its likelihood (a fit takes dozens).
#
# - *Text labels*: wards as a component within hospitals.
# - *Category labels*: the same, but the ward is a pandas category, which knows all wards of the trial. `C(ward)` makes a
#   column for **every** ward in **every** hospital, nearly all zeros.
# - *One group for everybody*: two components side by side, as crossed factors need them.

# %%
cost = nesting_costs([12, 24, 48], rng=9)
print(f"same likelihood: {cost.groupby('patients')['loglik'].agg(np.ptp).max() < 1e-6}")
fig, ax = plt.subplots(figsize=(8, 3.5))
for (way, line), marker in zip(cost.groupby("labels"), "oDs", strict=True):
    ax.plot(line["patients"], line["seconds"], marker + "-", color="0.25")
    ax.text(1175, line["seconds"].iloc[-1], way, va="center")
ax.set(xlabel="patients, 24 in each hospital", ylabel="seconds on your machine")
ax.set(xlim=(250, 1520), ylim=(0, None))
plots.show(
    fig,
    alt="Seconds for a model and 20 looks at its likelihood against the number of patients, for three ways to write one model. With category labels the line climbs most, with one group for everybody less, with text labels within hospitals the least.",
)

# %%
ratings = datasets.load("insteval")
units = ratings["s"].nunique() + ratings["d"].nunique()
print(f"{len(ratings):,} ratings, {units:,} students and lecturers")
print(f"one column for each: {len(ratings) * units * 8 / 1e9:.1f} GB")
print(f"numbers in it that are not 0: {100 * 2 / units:.2f} %")

# %% [markdown]
# The likelihood is the same in all three. The price is not: with text labels it grows slowest. (`mixedlm.fit` turns such
# categories into plain labels for you.)
#
# Crossed factors need the one group, and so a table with a column for every unit. The last
# cell says how large that is for `insteval`, where students of a university rate their
# lecturers. Nearly all of it is zeros, and `MixedLM` writes them all down. Other software stores only the rest, or
# works differently; lesson 19 shows how, and fits `insteval` in seconds. Programs made for it:
#
# - R, `lme4`: `(1 | hospital/ward)` is nested, `(1 | hospital) + (1 | surgeon)` crossed. It gave the reference fits
#   that this course's engines are tested against. Julia has `MixedModels.jl`, with formulas of the same kind.
# - Python, `gpboost`: nested and crossed random effects. `bambi` and `pymc`: Bayesian, Part III.
#
# ## When is a level worth its place?
#
# "The variance between batches was not significant, so we dropped the batch." Such sentences
# are common. Try the test on `pastes`: twice the difference of the (restricted) log-likelihoods with and without
# batches, and half of the usual p-value, since an SD of 0 lies at the boundary (lesson 7).

# %% tags=["nbval-check-output"]
without = mixedlm.fit("strength ~ 1", pastes, groups="sample")
statistic = 2 * (right.loglik - without.loglik)
print(f"likelihood-ratio statistic {statistic:.2f}, p = {stats.chi2.sf(statistic, 1) / 2:.2f}")
print(right.variances.loc[["batch_sd", "cask_sd"], ["estimate", "lower", "upper"]].round(1))

# %% [markdown]
# Not significant. But read the profile intervals. The data fit a batch SD of 0, and one larger than the
# estimate for casks. Ten batches tell little. That is not to say that batches are alike.
#
# How good is the test? Take the estimates for the truth: batches *do* differ. Draw many studies like this one. In each,
# five of the ten batches get a new additive that does nothing.

# %%
predict(
    "P09.5",
    "Batches truly differ, with the SD that was estimated. In what share of such studies does the 5 % test "
    "find the batches?",
    choices=["about 20 %", "about 50 %", "about 80 %"],
)

# %%
as_found = dict(zip(["batch", "cask", "test"], right.variances["estimate"], strict=True))
drawn = dict(sds=as_found, counts={"batch": 10, "cask": 3, "test": 2}, given_by="batch")
kept = {"always": ["batch", "cask"], "never": ["cask"]}
again = level_trials(20_000, **drawn, models=kept, rng=9)
again = again.pivot(index="trial", columns="model", values=["deviance", "p_value"])
gain = again["deviance", "never"] - again["deviance", "always"]
significant = stats.chi2.sf(gain, 1) / 2 < 0.05
guesses = {"about 20 %": 0.2, "about 50 %": 0.5, "about 80 %": 0.8}
reveal("P09.5", min(guesses, key=lambda choice: abs(guesses[choice] - significant.mean())))

# %% tags=["nbval-check-output"]
alarm = again["p_value"] < 0.05
alarm["if significant"] = alarm["always"].where(significant, alarm["never"])
print(f"the test finds the batches in {100 * significant.mean():.0f} % of the studies")
print("batch in the model   false alarms on the additive, %")
print((100 * alarm.mean()).round(1).to_string())

# %% [markdown]
# In most studies the test misses a batch SD that is there. If it decides, the 5 % test of the additive
# claims an effect too often. The model that follows the design keeps its promise, whether batches "are significant" or
# not. So ask other questions of a level:
#
# 1. **Was something given by it?** Then it stays, whatever a test says.
# 2. **Do you want to speak or predict about its units**, or about new ones? Then it is needed.
# 3. **Does it have enough units** to learn an SD from? With two or three, use a coefficient for each unit instead.
# 4. If it is not needed, leave it out, and say so. With patients randomised within wards, the floor of the building can go.

# %% [markdown]
# ### Exercise E09.5 · Spot the flaw
#
# From a report:
#
# 1. Twelve hospitals took part; six of them, drawn by lot, started early mobilisation in all wards.
# 2. From each hospital we took three wards, and ten patients from each ward.
# 3. The variance between hospitals was not significant (likelihood-ratio test, p = .18), so the final model had random intercepts for wards only.
# 4. Early mobilisation lowered systolic pressure by 4.1 mmHg (95 % interval 0.3 to 7.9).
# 5. Nurses knew which hospitals had changed, so an influence on the measurements cannot be ruled out.
#
# Which sentence holds the mistake, and why?
#
# - **a** A likelihood-ratio test cannot be used on a variance.
# - **b** The hospitals were randomised, so their level stays in the model, whatever the test says.
# - **c** Three wards per hospital are too few for a random intercept.
# - **d** Wards are nested in hospitals, so their effects must be fixed.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (3, "b")
# END SOLUTION

# %%
check("E09.5", flaw)

# %% [markdown]
# ### The claim on trial
#
# The claim: *Bayesian models incorporate complex hierarchical structures.* Do you need Bayes for that? You fitted nested
# and crossed levels without any prior. One fit cannot rule, so here are 20,000 trials for each of three treatments in 20
# hospitals with 12 travelling surgeons, 2 patients for each pair, beside *both* of the nested scoreboard. The ruling asks
# that the 95 % intervals hold the truth in 94 to 96 % of the trials in all six designs.

# %%
travelling = {"hospital": 20, "surgeon": 12, "patient": 2}
effects = {"hospital": 6, "surgeon": 6, "patient": 12}
drawn = dict(sds=effects, counts=travelling, crossed=True, treatment_effect=-5)
who_meets = level_scoreboard(20_000, **drawn, models={"both": ["hospital", "surgeon"]}, rng=9)
boards = {"nested": scoreboard.query("model == 'both'"), "crossed": who_meets}
honest = pd.concat(boards, names=["structure"])[
    ["bias", "scatter", "formula", "claimed", "coverage"]
]
honest.droplevel("model").round(1) + 0.0

# %% tags=["nbval-check-output"]
works = honest["coverage"].between(94, 96).all()
verdict(
    "C13",
    "true, but not of Bayesian models alone" if works else "look again",
    "mixed models without any prior held nested wards and crossed surgeons: their 95 % intervals "
    "for a treatment held the truth in "
    f"{honest['coverage'].min():.1f} to {honest['coverage'].max():.1f} % of the trials, at "
    "whichever level it was given. The structure belongs to the model, not to Bayes. What Bayes "
    "adds to it is the business of lesson 15.",
)

# %% [markdown]
# ### Exercise E09.6 · Your own hospitals
#
# `own_hospitals(9)` has hospitals, wards and patients, in equal numbers. The wards are called W1, W2, ... in each
# hospital. Estimate the three variances by REML or by hand, and compute the correlation of two patients of the same ward.
# Give at least three decimals.

# %%
mine = own_hospitals(9).data
mine.groupby(["hospital", "ward"], observed=True)["sbp"].agg(["size", "mean"]).head(6).round(1)

# %%
# BEGIN SOLUTION
my_fit = mixedlm.fit("sbp ~ 1", mine, groups="hospital", vc_formula={"ward": "0 + C(ward)"})
my_variances = my_fit.variances["variance"]
my_correlation = 1 - my_variances["patient_sd"] / my_variances.sum()
# END SOLUTION

# %%
check("E09.6", my_correlation)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - Two patients are alike by what they share: add the variances of the shared levels, divide by the total.
# - A level's SD is learnt from its number of units. More patients in the same units help little.
# - The level at which treatment is given must be in the model. With equal units, leaving out another level makes you
#   too shy, or does no harm.
# - To predict for a unit, its level must be in the model. For a new unit, the levels above it count.
# - Labels that repeat look crossed and may be nested: make them unique. In `MixedLM`, components within `groups` are
#   nested; for crossed factors use one group for everybody.
# - The design justifies a level, not a test.
#
# ## Limits
#
# Effects were normal, and the treatment did the same everywhere. The scoreboards had units of equal size; with unequal
# units expect the rules to hold roughly. There were 10 hospitals or more in all of them; lesson 7 is about fewer. Patients who
# change wards belong to several at once: `MixedLM` has no formula for that.
#
# ## Further reading
#
# - Bates D, Mächler M, Bolker B, Walker S (2015). Fitting linear mixed-effects models using lme4. *Journal of
#   Statistical Software* 67(1):1-48. Formulas for nested and crossed terms, and how sparse matrices make them fast.
# - Moerbeek M (2004). The consequence of ignoring a level of nesting in multilevel analysis. *Multivariate Behavioral
#   Research* 39(1):129-149. Where the variance of a missing level goes, in algebra.
# - Schielzeth H, Nakagawa S (2013). Nested by design: model fitting and interpretation in a mixed model era. *Methods in
#   Ecology and Evolution* 4(1):14-24. Nested by nature, nested by design, and labels that hide it.
# - Davies OL, Goldsmith PL, editors (1972). *Statistical Methods in Research and Production*, 4th edition. Oliver and Boyd. The source of
#   the paste (section 6.5) and the penicillin (section 6.6).
