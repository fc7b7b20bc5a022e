# ---
# jupyter:
#   course:
#     question: What does a mixed model say about two patients of one hospital?
#     reading_minutes: 55
#     exercise_minutes: 40
#     needs: [3]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 Reading and writing a mixed model
#
# > What does a mixed model say about two patients of one hospital?
#
# Reading: 55 minutes. Exercises: 40 minutes. First do [lesson 3](03_three_ways_to_pool.ipynb).

# %% [markdown]
# ## What you will be able to do
#
# - Write one mixed model in three forms, and show that they say the same.
# - Build by hand the table that says how alike any two patients are, and read it.
# - Translate between a formula, an equation and a sentence.
# - Say which part of a coefficient is fixed and which is random.
# - Decide between fixed and random for good reasons, and say what each alternative cannot do.

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import patsy
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats

from utils import mixedlm, plots
from utils.comparisons import method_rows
from utils.covariance import heat_map, implied_covariance, patient_rows
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.simulate import med_trial
from utils.studies import analyse_many, draw_trials
from utils.widgets import covariance_explorer

plots.set_style()

# %% [markdown]
# ## Nine patients in three hospitals
#
# A paper gives its model in one line, and you want to know what it claims. Learn it on a trial so
# small that you see all of it: three hospitals, nine patients, about half of them on a drug. We
# made these patients, so we know what each pressure is made of. The drug lowers it by 8 mmHg.
# `hospital_sd` is 6 mmHg and `patient_sd` is 8 mmHg.

# %%
study = med_trial(
    n_hospitals=3, patients_per_hospital=[2, 3, 4], hospital_sd=6, patient_sd=8, rng=381
)
trial = study.data.sort_values(["hospital", "treated"], ignore_index=True)

X = np.column_stack([np.ones(9), trial["treated"]])
Z = pd.get_dummies(trial["hospital"]).to_numpy(dtype=float)
beta, u = np.array([140, -8]), study.truth.hospitals["intercept_effect"].to_numpy()
parts = trial[["hospital", "treated"]].assign(fixed_part=X @ beta, hospital_part=Z @ u)
parts["own_part"] = trial["sbp"] - X @ beta - Z @ u
parts.assign(sbp=trial["sbp"]).round(1)

# %% [markdown]
# Read a row from left to right: each pressure is a sum of three parts. For patient $i$ of
# hospital $j$
#
# $$\text{sbp}_{ij} = 140 - 8\,\text{treated}_{ij} + u_j + e_{ij}$$
#
# - The *fixed part* is the same for all patients with the same treatment.
# - $u_j$ is the same for all patients of hospital $j$. It lifts or lowers the hospital's level,
#   so it is called the hospital's <dfn>random intercept</dfn>.
# - $e_{ij}$ is the patient's own.
#
# The code does all nine at once. `X` has a row for each patient and a column for each
# coefficient: ones for the 140, `treated` for the −8. Such a table is a <dfn>design matrix</dfn>.
# `Z` is another: a column for each hospital, with a 1 for its own patients. `X @ beta` multiplies
# each row with the coefficients and adds up.
#
# ### First form: given the hospital
#
# The <dfn>conditional form</dfn> says what to expect once you know the hospital:
#
# $$\text{sbp}_{ij} \mid u_j \sim N(140 - 8\,\text{treated}_{ij} + u_j,\; 8^2), \qquad u_j \sim N(0, 6^2)$$
#
# Read the bar as "given". Patients scatter around *their* hospital's mean with a standard
# deviation of 8, independently of each other. The two variances, 36 and 64, are the <dfn>variance
# components</dfn>.
#
# ### Second form: over all hospitals
#
# What if you do not know the hospital? Take two patients and repeat the whole trial many times,
# each time with new hospitals and new patients in the same roles. The *covariance* of the two is
# the average product of their deviations from their means. It is positive if, when one of them is
# high, the other tends to be high too. Divide it by both standard deviations, and you have their
# correlation.

# %%
predict(
    "P04.1",
    "Two untreated patients of the same hospital. Over many repetitions, each with new hospitals "
    "and new patients, what is the covariance of their pressures?",
    choices=["0, patients are drawn independently", "36 mmHg²", "64 mmHg²", "100 mmHg²"],
)

# %% [markdown]
# Three lines of NumPy say it for all pairs at once. `G` holds the variances of the three $u_j$ on
# its diagonal and zeros elsewhere, since hospitals are independent. `R` does the same for the
# nine $e_{ij}$. (`np.eye(3)` has ones on the diagonal and zeros elsewhere.)
#
# $$V = Z G Z' + R$$
#
# $Z'$ is `Z` with rows and columns exchanged, in NumPy `Z.T`. Read it as a sentence: `G` says how
# much the levels vary, the two `Z` pass that on to every pair of patients who share a level, and
# `R` adds what is each patient's own.

# %%
G = 6**2 * np.eye(3)
R = 8**2 * np.eye(9)
V = Z @ G @ Z.T + R

outcomes = {
    0: "0, patients are drawn independently",
    36: "36 mmHg²",
    64: "64 mmHg²",
    100: "100 mmHg²",
}
same_hospital = int(V[2, 3])  # rows 2 and 3: two untreated patients of H02
reveal("P04.1", outcomes[same_hospital])

# %%
fig, axes = plt.subplots(1, 3, figsize=(10, 4.5), width_ratios=[1.15, 0.42, 1.1])
patient_rows(trial, X @ beta + Z @ u, axes[0])
axes[1].imshow(Z, cmap="Greys", vmax=1.6, aspect="auto")
axes[1].set(title="Z", xticks=[0, 1, 2], yticks=[], xlabel="hospital")
heat_map(V, axes[2], edges=[2, 5])
axes[2].set(title="V (mmHg²)", xticks=[0.5, 3, 6.5], yticks=[], xlabel="the same nine patients")
for ax in axes[1:]:
    ax.set_xticklabels(["H01", "H02", "H03"], fontsize=10)
plots.show(
    fig,
    alt="Nine patients, one in each row. Left: each pressure joined to what is expected of this patient in this hospital. Middle: Z marks the hospital of each patient. Right: V has 100 on the diagonal, 36 in the blocks of the three hospitals and 0 elsewhere.",
)

# %% [markdown]
# One row is one patient in all three panels. At the left, the black mark is what the conditional
# form expects, and the grey line is $e_{ij}$. The marks of one hospital move together. `V`, at
# the right, is the <dfn>covariance matrix</dfn> of the nine. Look along the row of any patient.
#
# - The diagonal pairs the patient with itself. That is the variance, 36 + 64 = 100: over all
#   hospitals the standard deviation is 10, not 8.
# - In the block of the hospital stands 36: two patients share $u_j$ and nothing else, so their
#   covariance is its variance.
# - Everywhere else stands 0: patients of different hospitals share nothing.
#
# The correlation within a block is 36/100 = .36. That is the intraclass correlation of lesson 2.
#
# With `V` you can write the model without any $u$. All pressures come from *one* normal
# distribution:
#
# $$\text{sbp} \sim N(X\beta,\; V)$$
#
# This is the <dfn>marginal form</dfn>: the hospitals' levels have been averaged out. What they
# leave behind is `V`, which says who is alike.

# %% [markdown]
# ### Exercise E04.1 · The difference of two patients
#
# Two untreated patients lie in the *same* hospital. `hospital_sd` is 5 mmHg and `patient_sd` is
# 10 mmHg. What is the standard deviation of the difference between their pressures? The variance
# of a difference is the sum of both variances less twice the covariance. Give one decimal.

# %%
# BEGIN SOLUTION
sd_of_difference = np.sqrt(2 * (5**2 + 10**2) - 2 * 5**2)
# END SOLUTION

# %%
check("E04.1", sd_of_difference)

# %% [markdown]
# ### Third form: a recipe
#
# The <dfn>generative form</dfn> tells how to make such patients. Draw $u_j$ for each hospital.
# Take 140, less 8 if treated. Add $u_j$. Draw $e_{ij}$ and add it. It is what `med_trial` does.
# Follow the recipe 400,000 times for our nine patients, and let the numbers say how alike they
# are. (The printed corner is that of H01 and H02.)

# %% tags=["nbval-check-output"]
rng = np.random.default_rng(41)
new_u = rng.normal(0, 6, size=(400_000, 3))
hospital_means = X @ beta + new_u @ Z.T  # of each patient's hospital and treatment
made = hospital_means + rng.normal(0, 8, size=(400_000, 9))
simulated = np.cov(made, rowvar=False)
corner = pd.DataFrame(simulated[:5, :5]).round().astype(int)
print(corner.to_string(index=False, header=False))
print(f"largest gap to V, of 81 entries: {np.abs(simulated - V).max():.1f} mmHg²")

# %% [markdown]
# Nobody told the recipe about `V`, and there it is. The gap is the chance that 400,000
# repetitions leave.
#
# Now a puzzle. The conditional form says "independent". The marginal form says "covariance 36".
# Which is true? Keep the same three hospitals and draw only new patients, and compare.

# %%
same_three = X @ beta + Z @ u + rng.normal(0, 8, size=(400_000, 9))
panels = {"same hospital, held fixed": (same_three, 3), "same hospital, new each time": (made, 3)}
panels["two hospitals, new each time"] = (made, 5)
fig, axes = plt.subplots(1, 3, figsize=(10, 3.9), sharex=True, sharey=True)
for ax, (title, (draws, other)) in zip(axes, panels.items(), strict=True):
    ax.scatter(draws[:700, 2], draws[:700, other], s=7, color=plots.PALETTE["patients"])
    r = np.corrcoef(draws[:, 2], draws[:, other])[0, 1]
    ax.set(title=f"{title}\ncorrelation {r:z.2f}", xlabel="one patient (mmHg)")
axes[0].set(xlim=(102, 178), ylim=(102, 178), ylabel="another patient (mmHg)")
plots.show(
    fig,
    alt="Three clouds of points, two patients against each other. Same hospital held fixed: round and smaller, correlation 0. Same hospital drawn anew: larger and tilted, correlation .36. Two hospitals: round, correlation 0.",
)

# %% [markdown]
# Each dot is one repetition. Left: the hospital stays the same, and two of its patients tell you
# nothing about each other. Middle: the same two roles with a new hospital each time. Now both are
# high in a high hospital and both are low in a low one. Right: two hospitals, nothing shared.
#
# So both forms are true. **Whether patients of one hospital are correlated depends on what you
# hold fixed.** Given their hospital they are not. If you do not know the hospital, they are.
#
# ### Three forms, side by side
#
# | | conditional | marginal | generative |
# |---|---|---|---|
# | in symbols | $\text{sbp}_{ij} \mid u_j \sim N(140 - 8\,\text{treated}_{ij} + u_j,\, 8^2)$, with $u_j \sim N(0, 6^2)$ | $\text{sbp} \sim N(X\beta, V)$, with $V = ZGZ' + R$ | draw $u_j \sim N(0, 6^2)$, draw $e_{ij} \sim N(0, 8^2)$, add: $140 - 8\,\text{treated}_{ij} + u_j + e_{ij}$ |
# | in words | patients scatter around their hospital's mean | patients of one hospital are correlated | first hospitals are made, then their patients |
# | 140 and −8 | level and effect in the average hospital | mean of the untreated, and difference of means | where the recipe starts |
# | 6² | how far hospitals lie apart | covariance of two patients of one hospital | spread of the first draw |
# | 8² | variance within a hospital | what one patient's variance has on top of that | spread of the second draw |
# | made for | speaking about single hospitals | fitting the model | simulating, planning a study |
#
# Here all parts simply add up, so −8 is the same number in all three forms. For yes-or-no
# outcomes that will no longer be so (lesson 14).
#
# ### The first claim on trial
#
# The claim: *mixed models have fixed and random effects, and they fit nested data.* You know from
# lesson 3 that it holds. What do its terms *mean*? If the three forms are one model, each must
# give the same means and the same covariances: a normal distribution has nothing else to differ
# in. From the conditional form: the covariance of the hospitals' means, plus `R`.

# %% tags=["nbval-check-output"]
forms = {
    "conditional": (hospital_means.mean(axis=0), np.cov(hospital_means, rowvar=False) + R),
    "marginal": (X @ beta, V),
    "generative": (made.mean(axis=0), simulated),
}
mean_gap = max(np.abs(mean - X @ beta).max() for mean, _ in forms.values())
covariance_gap = max(np.abs(covariance - V).max() for _, covariance in forms.values())
agree = mean_gap < 0.1 and covariance_gap < 1.5  # each over six Monte Carlo errors
verdict(
    "C1",
    "holds" if agree else "look again",
    f"in three forms the model gives nine patients the same means (within {mean_gap:.2f} mmHg) "
    f"and the same covariances (within {covariance_gap:.1f} mmHg²). Fixed effects say "
    "what the means are, random effects say who varies together with whom.",
)

# %% [markdown]
# ## MixedLM works with V
#
# So far we were given the two standard deviations. Nine patients say next to nothing about them.
# Here is a larger trial: 30 hospitals of 4 to 30 patients, made by the same recipe. One thing is new: teaching hospitals lie
# 5 mmHg higher. `teaching` is 1 for all patients of a teaching hospital.
#
# `mixedlm.fit` is `MixedLM` of `statsmodels` with a guard around it (lesson 5 says against what;
# it also explains `reml=False`). It estimates the two standard deviations (from 30 hospitals,
# `hospital_sd` only roughly). What does it do with them? Build `V` by hand, and weigh the
# patients by its inverse:
#
# $$\hat\beta = (X'V^{-1}X)^{-1}\, X'V^{-1}\,\text{sbp}$$
#
# If `V` had the same number all along its diagonal and 0 elsewhere, this would be the least
# squares of lesson 1. Our `V` knows that two patients of one hospital tell less about the mean
# than two of different hospitals, and that a treated and an untreated patient of the *same*
# hospital tell more about the drug: what they share cancels (E04.1). Standard errors are the
# roots of the diagonal of $(X'V^{-1}X)^{-1}$.
#
# `np.linalg.inv` computes the inverse $V^{-1}$. You need not follow the algebra. Watch what goes
# in: the pressures, `X`, `V`, and nothing else.

# %%
larger = med_trial(
    n_hospitals=30,
    patients_per_hospital=(4, 30),
    hospital_sd=6,
    patient_sd=8,
    teaching_effect=5,
    rng=5,
).data
fit = mixedlm.fit("sbp ~ treated + teaching", larger, groups="hospital", reml=False)
print(f"{fit.n} patients; hospital_sd {fit.hospital_sd:.1f}, patient_sd {fit.patient_sd:.1f} mmHg")

# %% tags=["nbval-check-output"]
y = larger["sbp"].to_numpy()
X_all = np.column_stack([np.ones(fit.n), larger[["treated", "teaching"]]])
Z_all = pd.get_dummies(larger["hospital"]).to_numpy(dtype=float)
V_all = fit.hospital_sd**2 * Z_all @ Z_all.T + fit.patient_sd**2 * np.eye(fit.n)
weights = np.linalg.inv(V_all)
covariance = np.linalg.inv(X_all.T @ weights @ X_all)
table = pd.DataFrame({"by hand": covariance @ X_all.T @ weights @ y}, index=fit.fixed.index)
table["MixedLM"] = fit.result.fe_params
table["error by hand"], table["its error"] = np.diag(covariance) ** 0.5, fit.result.bse_fe
density = stats.multivariate_normal(X_all @ table["by hand"], V_all).logpdf(y)
print(table.round(2).to_string())
print(f"log of the density of all {fit.n}: {density:.2f} by hand, {fit.result.llf:.2f} by MixedLM")

# %% [markdown]
# The same to all digits shown: estimates, standard errors, and how probable the model finds the
# data as a whole (its log density, by which it was fitted). The last line is the strictest check:
# it would move if our `V` were not the one that MixedLM had in mind.

# %% [markdown]
# ## One coefficient, two parts
#
# The second claim of this lesson: *fixed effects are constant across groups; random effects vary
# across groups.* It makes "fixed" and "random" sound like two kinds of things. So which kind is
# the effect of the drug, if it does not do the same everywhere? Let each hospital deviate from
# the mean effect by $d_j$, with a standard deviation of 5 mmHg:
#
# $$\text{sbp}_{ij} = 140 + u_j + (\underbrace{-8}_{\text{fixed part}} + \underbrace{d_j}_{\text{random part}})\,\text{treated}_{ij} + e_{ij}, \qquad d_j \sim N(0, 5^2)$$
#
# The coefficient of `treated` is −8 + $d_j$. It is not fixed *or* random. It has a fixed part,
# the mean over hospitals, and a random part, the hospital's own deviation.
#
# What does that do to `V`? Take two hospitals with two untreated and two treated patients each.
# `Z` gets a second column for each hospital, which only its treated patients have.

# %%
predict(
    "P04.2",
    "The drug's effect now differs between hospitals, independently of the hospitals' levels. "
    "Compare the correlation of two TREATED patients of one hospital with that of two UNTREATED "
    "patients of one hospital.",
    choices=["treated are more alike", "treated are less alike", "both pairs are equally alike"],
)

# %%
treated = np.tile([0, 0, 1, 1], 2)
hospital = np.repeat(["H01", "H02"], 4)
Z_level = pd.get_dummies(hospital).to_numpy(dtype=float)
Z_both = np.hstack([Z_level, Z_level * treated[:, None]])
V_both = Z_both @ np.diag([6**2, 6**2, 5**2, 5**2]) @ Z_both.T + 8**2 * np.eye(8)
sd = np.sqrt(np.diag(V_both))
correlation = V_both / np.outer(sd, sd)
untreated_pair, treated_pair, mixed_pair = correlation[0, 1], correlation[2, 3], correlation[0, 2]
signs = ["treated are less alike", "both pairs are equally alike", "treated are more alike"]
reveal("P04.2", signs[1 + int(np.sign(round(treated_pair - untreated_pair, 6)))])

# %% tags=["nbval-check-output"]
print(f"SD of an untreated patient {sd[0]:.1f}, of a treated patient {sd[2]:.1f} mmHg")
print(f"correlation within a hospital: two untreated {untreated_pair:.2f}, ", end="")
print(f"two treated {treated_pair:.2f}, one of each {mixed_pair:.2f}")

# %%
V_level = implied_covariance(hospital, hospital_sd=6, patient_sd=8)
fig, axes = plt.subplots(1, 2, figsize=(9.5, 4.6))
titles = ["the drug does the same everywhere", "its effect has an SD of 5 mmHg"]
for ax, matrix, title in zip(axes, [V_level, V_both], titles, strict=True):
    heat_map(matrix, ax, edges=[4], largest=V_both.max())
    ax.set_title(title)
    ax.set_xticks(range(8), np.where(treated, "T", "C"))
    ax.set_yticks(range(8), np.where(treated, "T", "C"))
    ax.set_xlabel("C: untreated (control), T: treated")
axes[0].set_ylabel("hospital 2" + 18 * " " + "hospital 1")
plots.show(
    fig,
    alt="Covariance matrices of two hospitals with two untreated and two treated patients each. Left: 100 on the diagonal and 36 for all pairs of a hospital. Right: treated patients have 125 on the diagonal, two treated patients 61; all else as at the left.",
)

# %% [markdown]
# Left, a model with a random intercept only. All pairs of a hospital are equally alike. Right,
# the effect varies. Two treated patients share $u_j$ *and* $d_j$: their covariance is
# 36 + 25, or 61. A treated and an untreated patient still share $u_j$ alone. And treated patients
# vary more: their variance is 36 + 25 + 64, or 125.
#
# In the marginal form a random part leaves its traces in `V` and nowhere else: the mean is as
# before. A model without $d_j$ has no room for the right-hand picture: it takes the left-hand one
# for granted.
#
# ### Try it: what the standard deviations say
#
# Run the cell, then use the sliders to answer. The bars at the right of the first panel hold 95 %
# of the patients: of all hospitals, and of one average hospital. If you cannot run it, the figure
# above shows two of its settings.
#
# 1. With equal effects everywhere (SD of treatment effects 0), raise the hospital SD from 0.
#    Which numbers of `V` change, which do not? Which bars grow?
# 2. Set the SD of treatment effects to 6 and the hospital SD to 6. Which correlation between
#    level and effect makes treated patients vary exactly as much as untreated ones?
# 3. Can a treated and an untreated patient of one hospital have a *negative* covariance? What
#    would that mean on the ward?
# 4. The patient SD is on the diagonal only. Why does it change the correlations, though?
#
# <details><summary>Answers</summary>1: all numbers in the blocks, the diagonal included, rise by
# hospital_sd²; those between hospitals stay 0. The bars for all hospitals grow, those for one do
# not. 2: −.5, since 36 + 36 − 2 × .5 × 36 = 36. 3: yes, for example with a hospital SD of 4, an
# effect SD of 10 and a correlation of −.9: hospitals that are high without the drug are low with
# it. 4: a
# correlation is a covariance divided by two standard deviations, and those hold the patient's own part.</details>

# %%
covariance_explorer()

# %% [markdown]
# ### Exercise E04.2 · One treated, one not
#
# `hospital_sd` is 6 mmHg, the treatment effects of hospitals have a standard deviation of 8 mmHg
# and are independent of their levels, and `patient_sd` is 10 mmHg. Compute the correlation
# between an untreated and a treated patient of the same hospital. Give three decimals.

# %%
# BEGIN SOLUTION
variance_untreated = 6**2 + 10**2
variance_treated = 6**2 + 8**2 + 10**2
correlation_of_pair = 6**2 / np.sqrt(variance_untreated * variance_treated)
# END SOLUTION

# %%
check("E04.2", correlation_of_pair)

# %% [markdown]
# ### Both parts in one fit
#
# Can data show both parts? Thirty hospitals, 20 patients in each, effects with mean −8 and
# standard deviation 5. `re_formula="1 + treated"` says what may differ between hospitals: the
# level (1) and the effect.

# %% tags=["nbval-check-output"]
thirty = dict(n_hospitals=30, patients_per_hospital=20)
varying = med_trial(**thirty, treatment_effect_sd=5, hospital_sd=6, patient_sd=8, rng=7)
both = mixedlm.fit("sbp ~ treated", varying.data, groups="hospital", re_formula="1 + treated")
interval = ["estimate", "lower", "upper"]
standard_deviations = both.variances.loc[["hospital_sd", "treated_sd", "patient_sd"], interval]
print(both.fixed[interval].round(1).to_string(), "\n")
print(standard_deviations.round(1).to_string())

# %% [markdown]
# `treated` stands in both tables. Its fixed part is estimated in the first (truth −8), the
# standard deviation of its random part in the second, as `treated_sd` (truth 5).
#
# Now look at the hospitals one by one. A hospital's own difference, treated minus untreated, is
# noisy: with 10 patients in each arm, chance alone gives it a standard deviation of 8 × √(1/10 +
# 1/10) = 3.6 mmHg. If the drug did the same everywhere, 95 % of the differences would lie in the
# grey band of the figure.

# %%
arms = varying.data.groupby(["hospital", "treated"], observed=True)["sbp"].mean().unstack()
hospitals = varying.truth.hospitals.assign(own=arms[1] - arms[0]).sort_values("treatment_effect")
by_chance = 8 * np.sqrt(1 / 10 + 1 / 10)
spread = hospitals["own"].std()
print(f"SD of the own differences {spread:.1f} mmHg; by chance alone {by_chance:.1f}")

# %%
middle = both.fixed.loc["treated", "estimate"]
own, true = hospitals["own"].to_numpy(), hospitals["treatment_effect"].to_numpy()
fig, ax = plt.subplots(figsize=(9.5, 4.2))
ax.axhspan(middle - 1.96 * by_chance, middle + 1.96 * by_chance, color="0.9")
ax.axhline(middle, color=plots.PALETTE["random slope"], label="fixed part")
ax.plot(own, "o", color=plots.PALETTE["no pooling"], label="own difference")
ax.plot(true, "x", color=plots.PALETTE["truth"], label="true effect")
ax.set(xlabel="30 hospitals, sorted by their true effect", xticks=[])
ax.set_ylabel("effect of the drug (mmHg)")
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
plots.show(
    fig,
    alt="Effects of the drug in 30 hospitals. The true effects climb from about -17 to about 1 around a horizontal line, the fixed part. The hospitals' own differences scatter about them, from -24 to 7; some leave the grey band that equal effects would allow.",
)

# %% [markdown]
# The line is the fixed part: one number, the mean over hospitals. The crosses are what the drug
# truly does in each hospital, and hardly any of them lies on the line. The dots scatter around
# the crosses, not around the line, and so they spread more than chance allows.
#
# A model with `treated` as "fixed only" prints one number for it, too. It has not *found* the
# effect to be the same everywhere. It has no parameter that could say anything else.

# %% tags=["nbval-check-output"]
fixed_part, random_part = both.fixed.loc["treated"], both.variances.loc["treated_sd"]
has_both = fixed_part["upper"] < 0 and random_part["lower"] > 1
too_wide = 29 * (spread / by_chance) ** 2 > stats.chi2.isf(0.01, 29)  # by chance 1 time in 100
verdict(
    "C2",
    "half true" if has_both and too_wide else "look again",
    "a fixed part is one number and a random part varies, but one coefficient can have both: in "
    f"one fit, that of treated has a fixed part ({fixed_part['estimate']:.1f} mmHg) "
    f"and a random part (SD {random_part['estimate']:.1f}, interval {random_part['lower']:.1f} to "
    f"{random_part['upper']:.1f}). 'Fixed only' assumes an SD of 0. Then the hospitals' own "
    f"differences should spread by {by_chance:.1f} mmHg; they spread by {spread:.1f}.",
)

# %% [markdown]
# What such an assumption costs when it is wrong, lesson 6 measures in false alarms. And the next
# section holds a fixed effect that is anything but constant across hospitals.
#
# ## Formula, equation, sentence
#
# You will meet a model in three languages. Below, all models are for the same data; the last is
# no mixed model.
#
# | formula | equation | sentence |
# |---|---|---|
# | `sbp ~ treated`, `groups="hospital"` | $\beta_0 + \beta_1\,\text{treated}_{ij} + u_j + e_{ij}$ | Each hospital has its own level, drawn from one distribution. The drug does the same in each. |
# | the same, with `re_formula="1 + treated"` | $\beta_0 + u_j + (\beta_1 + d_j)\,\text{treated}_{ij} + e_{ij}$ | Each hospital has its own level and its own effect of the drug, around a mean. The two may go together. |
# | `sbp ~ treated + teaching`, `groups="hospital"` | $\beta_0 + \beta_1\,\text{treated}_{ij} + \beta_2\,\text{teaching}_j + u_j + e_{ij}$ | Teaching hospitals lie $\beta_2$ higher on average. What else hospitals differ by is $u_j$. |
# | `sbp ~ treated + C(hospital)`, by `smf.ols` | $a_j + \beta_1\,\text{treated}_{ij} + e_{ij}$ | Each hospital has its own level, and nothing is supposed about the levels. |
#
# How to read a formula:
#
# - `sbp`, left of `~`, is the outcome.
# - What stands right of `~` are the columns of `X`. The intercept (`1`) is among them even if you
#   do not write it; `0 +` leaves it out.
# - `groups` says whose effects are random.
# - `re_formula` gives the columns of `Z` for each hospital: `1` if you do not write it.
# - The patient's own $e_{ij}$ is always there.
#
# In the last row `C(hospital)` makes a column of `X` for each hospital but the first: the
# <dfn>hospital dummies</dfn>. The intercept is the level of the first. So the $a_j$ are fixed effects, and they differ from hospital to
# hospital. "Constant across groups" is not what fixed means. Fixed means: nothing is supposed
# about the numbers.

# %%
predict(
    "P04.3",
    "The larger trial has 30 hospitals. How many unknown numbers (coefficients and variances) does "
    "the first model estimate: sbp ~ treated, with a random intercept?",
    choices=["3", "4", "32", "34"],
)

# %%
model = {"data": larger, "groups": "hospital"}
models = {
    "random intercept": smf.mixedlm("sbp ~ treated", **model),
    "and effects that vary": smf.mixedlm("sbp ~ treated", re_formula="1 + treated", **model),
    "hospital dummies": smf.ols("sbp ~ treated + C(hospital)", larger),
}
counts = pd.DataFrame({name: {"columns of X": len(m.exog_names)} for name, m in models.items()}).T
k = np.array([getattr(m, "k_re", 0) for m in models.values()])
counts["columns of Z per hospital"] = k
counts["numbers estimated"] = counts["columns of X"] + k * (k + 1) // 2 + 1
reveal("P04.3", str(counts.loc["random intercept", "numbers estimated"]))

# %% tags=["nbval-check-output"]
print(counts.to_string())

# %% [markdown]
# Four: $\beta_0$, $\beta_1$ and two variances. The 30 $u_j$ are not among them. They are
# predicted afterwards, from the distribution and the data (lesson 3). With `re_formula="1 +
# treated"` two more come in: the variance of the $d_j$ and their covariance with the $u_j$. The
# dummies need a number for each hospital, and every further hospital brings one more.

# %% [markdown]
# ### Exercise E04.3 · From equation to formula
#
# A paper states, for patient $i$ of hospital $j$,
#
# $$\text{sbp}_{ij} = \beta_0 + u_j + (\beta_1 + d_j)\,\text{treated}_{ij} + \beta_2\,\text{age}_{ij} + e_{ij}$$
#
# Which call of `mixedlm.fit` (with the data and `groups="hospital"`) fits it?
#
# - **a** `"sbp ~ treated + age"`
# - **b** `"sbp ~ age"`, `re_formula="1 + treated"`
# - **c** `"sbp ~ treated + age"`, `re_formula="1 + treated"`
# - **d** `"sbp ~ treated + age"`, `re_formula="0 + treated"`
# - **e** `"sbp ~ treated + age"`, `re_formula="1 + treated + age"`

# %%
# BEGIN SOLUTION
formula_answer = "c"
# END SOLUTION

# %%
check("E04.3", formula_answer)

# %% [markdown]
# ### Exercise E04.4 · From sentence to equation
#
# Three sentences:
#
# 1. The hospitals' levels are draws from one distribution; the drug does the same in each
#    hospital.
# 2. The hospitals' levels are draws from one distribution, and so are the drug's effects.
# 3. Each hospital has a level of its own, about which nothing is supposed; the drug does the same
#    in each.
#
# Three equations, for $\text{sbp}_{ij}$:
#
# | A | B | C |
# |---|---|---|
# | $a_j + \beta_1\,\text{treated}_{ij} + e_{ij}$ | $\beta_0 + u_j + \beta_1\,\text{treated}_{ij} + e_{ij}$ | $\beta_0 + u_j + (\beta_1 + d_j)\,\text{treated}_{ij} + e_{ij}$ |
#
# Which belong together?
#
# - **a** 1 A, 2 C, 3 B
# - **b** 1 B, 2 C, 3 A
# - **c** 1 C, 2 B, 3 A
# - **d** 1 B, 2 A, 3 C

# %%
# BEGIN SOLUTION
matching = "b"
# END SOLUTION

# %%
check("E04.4", matching)

# %% [markdown]
# ## Fixed or random is a decision
#
# The third claim: *hospital is a random effect, since its patients are alike; the medication is
# fixed.* You have seen a medication with a random part. And lesson 2 showed that likeness is
# handled without any random effect. What, then, are good reasons? Ask these questions.
#
# | question | speaks for random $u_j$ | speaks for dummies $a_j$ |
# |---|---|---|
# | Could you swap the hospitals' names before seeing results (exchangeable, lesson 3)? | yes, perhaps after `teaching` and the like | no: each is a case of its own |
# | Whom do you want to speak about? | hospitals like these, also those not in the data | these very hospitals |
# | Do you want to know *how much* hospitals differ? | yes: `hospital_sd` | no |
# | Do you want to learn about each hospital, and some are small? | yes: partial pooling | all are large |
# | Is something of interest the same for a whole hospital? | yes | no |
# | May the hospitals' levels go together with who is treated? | no: $u_j$ is taken to be independent of the columns of `X` | yes |
#
# The last row is the price of a random effect. Where treatment is given by lot, the lot pays it.
# Where doctors choose, perhaps nobody does.
#
# ### One data set, four analyses
#
# Now the alternatives, on the same 30 hospitals as before, for `treated` (patients drew lots
# within hospitals) and `teaching`.
#
# - *cluster-robust*: the least squares line, with honest errors (lesson 2).
# - <dfn>GEE</dfn> (generalised estimating equations): a marginal model. You state the means and a
#   guess of the correlations; here (`Exchangeable`) one number for all pairs of a hospital. With
#   many hospitals, its standard errors forgive a wrong guess. It has no $u_j$.
# - *hospital dummies*: least squares with $a_j$.
# - *random intercept*: the mixed model.

# %%
predict(
    "P04.4",
    "teaching is the same for all patients of a hospital; teaching hospitals truly lie 5 mmHg "
    "higher. What does least squares say about teaching if hospital dummies are in the model too?",
    choices=[
        "about 5, with a wide interval",
        "about 0, since the dummies explain it",
        "a number that depends on which hospital is listed first",
    ],
)

# %%
found = pd.DataFrame(columns=["H01", "H05"], index=["treated", "teaching"], dtype=float)
for first in found:
    coding = f"treated + teaching + C(hospital, Treatment('{first}'))"
    columns = patsy.dmatrix(coding, larger, return_type="dataframe")
    found[first] = pd.Series(np.linalg.lstsq(columns, y)[0], columns.columns)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    smf.ols(f"sbp ~ {coding}", larger).fit()
print(found.rename_axis(columns="listed first").round(1).to_string())
print("statsmodels warns:", caught[0].message)

# %%
first, second = found.loc["teaching"]
alone = ["about 0, since the dummies explain it", "about 5, with a wide interval"]
depends = "a number that depends on which hospital is listed first"
reveal("P04.4", depends if abs(first - second) > 1 else alone[int(first > 2.5)])

# %% [markdown]
# The effect of `treated` does not care which hospital comes first. That of `teaching` does: it is
# not an estimate of anything. The dummies already explain *every* difference between hospitals,
# so nothing is left for `teaching` to explain. Then infinitely many splits fit equally well, and
# the computer picks one. The last line is its warning: *rank-deficient* means that some
# column of `X` can be made from the others. Older versions of `statsmodels` keep silent.

# %%
formula, by = "sbp ~ treated + teaching", larger["hospital"]
gee = smf.gee(formula, by, larger, cov_struct=sm.cov_struct.Exchangeable())
clustered = dict(cov_type="cluster", cov_kwds={"groups": by}, use_t=True)
fits = {
    "cluster-robust": smf.ols(formula, larger).fit(**clustered),
    "GEE": gee.fit(),
    "hospital dummies": smf.ols("sbp ~ treated + C(hospital)", larger).fit(),
}
four = {name: fit.conf_int().assign(estimate=fit.params) for name, fit in fits.items()}
four = {name: table.rename(columns={0: "lower", 1: "upper"}) for name, table in four.items()}
four["random intercept"] = mixedlm.fit(formula, larger, groups="hospital").fixed[interval]

# %%
methods = list(four)
every = pd.concat(four, names=["method", "term"])
fig, axes = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True)
for ax, term, truth in zip(axes, ["treated", "teaching"], [-8, 5], strict=True):
    method_rows(every.xs(term, level="term"), ax, truth=truth, order=methods)
    ax.set(title=term, xlabel="effect (mmHg), 95 % interval")
plots.show(
    fig,
    alt="Four analyses of one data set, estimates with intervals; dashed lines are the truth. For treated all four agree closely near -8 mmHg. For teaching three agree near 5 mmHg with wide intervals; hospital dummies cannot say.",
)

# %% [markdown]
# For a treatment given by lot within hospitals, all four say nearly the same. The choice between
# them hardly matters, and likeness has not decided it. For `teaching` three answer, and the
# dummies cannot.
#
# ### Three worlds, one scoreboard
#
# One data set is an anecdote. Simulate 2,000 in each of three worlds. In all of them the true
# effect of the drug is −8 mmHg in every hospital, and patients of one hospital are alike.
#
# - *by lot within hospitals*: in each hospital the lot picks half of the patients.
# - *by lot between hospitals*: the lot picks half of the hospitals, with all their patients.
# - *no lot*: hospitals with a higher level treat more of their patients.

# %%
predict(
    "P04.5",
    "In the world without a lot, where hospitals with a higher level treat more: which of the "
    "four 95 % intervals still holds the truth in about 95 % of the data sets?",
    choices=["hospital dummies", "random intercept", "GEE", "all but the cluster-robust"],
)

# %%
worlds = {"by lot within hospitals": "patient", "by lot between hospitals": "hospital"}
worlds["no lot"] = "sicker hospitals more"
sizes = np.linspace(4, 30, 30).astype(int)
design = dict(n_hospitals=30, patients_per_hospital=sizes, hospital_sd=6, patient_sd=8)
four_ways, drawn = ["cluster-robust", "random intercept, t", "GEE", "hospital dummies"], {}
for world, assignment in worlds.items():
    trials = draw_trials(2000, assignment=assignment, **design, rng=4)
    can_say = four_ways[:3] if assignment == "hospital" else four_ways
    drawn[world] = analyse_many(trials, methods=can_say)
results = pd.concat(drawn, names=["world"]).reset_index("world")

# %%
results["method"] = results["method"].replace("random intercept, t", "random intercept")
results["covered"] = results.eval("lower < -8 < upper")
results["error"] = results["estimate"] + 8
by_method = results.groupby(["world", "method"], sort=False)
scoreboard = pd.DataFrame({"bias": by_method["error"].mean()})
scoreboard["typical_error"] = by_method["error"].agg(lambda error: np.sqrt(np.mean(error**2)))
scoreboard["claimed_error"] = by_method["standard_error"].mean()
scoreboard["coverage"] = 100 * by_method["covered"].mean()
kept = scoreboard.loc["no lot", "coverage"].sub(95).abs() < 2
only = kept[kept].index.tolist()
reveal("P04.5", only[0] if len(only) == 1 else "all but the cluster-robust")

# %%
scoreboard.reindex(methods, level="method").round(2) + 0.0  # + 0.0: no "-0.00"

# %% [markdown]
# `typical_error` is the root mean squared error, `claimed_error` the average standard error,
# `coverage` is in percent. In the middle world chance moves a bias by up to .11 mmHg and a typical
# error by up to .08; everywhere it moves a coverage near 95 % by up to 1 percentage point. The
# figure shows the same.

# %%
middle = by_method["error"].quantile([0.025, 0.5, 0.975]).unstack()
middle.columns = ["lower", "estimate", "upper"]
fig, axes = plt.subplots(1, 3, figsize=(10.5, 3.6), sharex=True, sharey=True)
for ax, world in zip(axes, worlds, strict=True):
    notes = scoreboard.loc[world, "coverage"].map("{:.0f} %".format)
    method_rows(middle.loc[world], ax, truth=0, order=methods, notes=notes)
    ax.set(title=world, xlabel="error (mmHg)", xlim=(-6.5, 10.5))
plots.show(
    fig,
    alt="Errors of four analyses in three worlds, middle and central 95 % of 2,000 data sets, with the coverage of their intervals. By lot within hospitals all centre on 0. By lot between hospitals three centre on 0 and dummies cannot say. Without a lot only hospital dummies centre on 0; cluster-robust is off by about 5 mmHg.",
)

# %% [markdown]
# The dot is the middle error of 2,000 data sets, the line holds 95 % of them, and the number is
# how often the interval held the truth. Read one panel at a time.
#
# *By lot within hospitals*: no bias, nearly the same errors, and intervals that come close to their
# 95 %. Every hospital has about as many treated as untreated patients, so its level cancels in all
# four. Choose by what else you want to know.
#
# *By lot between hospitals*: the dummies cannot say. The other three are unbiased. The
# cluster-robust line makes the largest error, since it does not weight by `V`. It and the GEE
# claim less error than they make, by a little more than chance explains (compare the two columns):
# both lean on many hospitals, and 30 are not many.
#
# *No lot*: the levels $u_j$ go together with the treatment. The dummies take the levels out,
# whatever they are, and stay right. The random intercept is biased. But so are the other two, and
# the cluster-robust line by far the most: it compares patients across hospitals freely and puts
# the difference of levels down to the drug. So random effects are not the only ones to need
# levels that are independent of `X`. Lesson 8 shows a mixed model without this bias. (And the
# dummies take out hospital levels only: if within a hospital the sicker *patients* are treated,
# all four fail.)
#
# | you want to know | cluster-robust | GEE | hospital dummies | random intercept |
# |---|---|---|---|---|
# | the effect of a treatment given by lot within hospitals | yes | yes | yes | yes |
# | the effect of something given by lot to whole hospitals | yes | yes | no | yes |
# | a treatment effect where hospital levels go with treatment | no | no | yes | no (but see lesson 8) |
# | how much hospitals differ | no | as a correlation | no: their spread holds noise (lesson 3) | yes, `hospital_sd` |
# | the level of each hospital | no | no | its own mean | partially pooled |
# | where a hospital outside the data may lie | no | no | no | yes |
#
# ### The third claim, again
#
# Likeness was the same in all three worlds. If it decided, so would one analysis. And the
# medication?

# %% tags=["nbval-check-output"]
cover = scoreboard["coverage"]
all_fine = cover["by lot within hospitals"].between(92, 98).all()
dummies_mute = ("by lot between hospitals", "hospital dummies") not in scoreboard.index
others = cover["no lot"].drop("hospital dummies")
only_dummies = abs(cover["no lot", "hospital dummies"] - 95) < 2 and others.max() < 92
wrong_reason = all_fine and dummies_mute and only_dummies and has_both
verdict(
    "C3",
    "wrong reason" if wrong_reason else "look again",
    "with patients equally alike, all four analyses come close to 95 % coverage in one world; "
    "hospital dummies cannot answer in the second; and they alone keep 95 % in the third "
    f"({cover['no lot', 'hospital dummies']:.0f} % against {others.max():.0f} % at best). The target "
    "and the assignment decide, not likeness. And a medication can have a random part (C2).",
)

# %% [markdown]
# ### Exercise E04.5 · Which analysis, and why?
#
# Ninety hospitals with 8 to 40 patients each. Half of the hospitals, drawn by lot, got an
# electronic alert for high blood pressure. The ministry asks two things. What does the alert do
# to the patients' pressure? And: where may the level of a hospital lie that has not taken part
# yet? What do you use?
#
# - **a** Hospital dummies: hospitals differ, and the dummies take every difference out.
# - **b** GEE: it handles patients that are alike, which is all that is needed.
# - **c** A random intercept: the lot makes levels independent of the alert, and the distribution
#   of levels answers the second question.
# - **d** A random intercept: patients of one hospital are alike, so there is no other way.

# %%
# BEGIN SOLUTION
analysis_answer = "c"
# END SOLUTION

# %%
check("E04.5", analysis_answer)

# %% [markdown]
# ### Exercise E04.6 · Spot the flaw
#
# From a report:
#
# 1. In each of 50 hospitals, 40 patients drew lots for a new drug or the usual one.
# 2. Hospitals got a random intercept, since they were drawn from all hospitals of the country.
# 3. The drug lowered systolic pressure by 6.2 mmHg (95 % interval 5.1 to 7.3).
# 4. `treated` was a fixed effect, so the drug works equally well in all hospitals.
# 5. Whether older patients benefit as much should be studied next.
#
# Which sentence holds the mistake, and why?
#
# - **a** Fifty hospitals are too few for a random intercept.
# - **b** A fixed effect without a random part assumes equal effects; it does not show them.
# - **c** A drug's effect is fixed by nature and must not vary between hospitals.
# - **d** With a random intercept in the model, the effect of `treated` cannot be estimated.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (4, "b")
# END SOLUTION

# %%
check("E04.6", flaw)

# %% [markdown]
# ### Exercise E04.7 · Your own hospitals
#
# `own_hospitals(4)` is a small trial that nobody else has, and its two standard deviations are
# known. Build its `X`, `Z` and `V`, and compute what a random-intercept model with these standard
# deviations says about the effect of the treatment: the second entry of
#
# $$(X'V^{-1}X)^{-1}\, X'V^{-1}\,\text{sbp}$$
#
# Give at least two decimals, in mmHg. The section "MixedLM works with V" has all the lines that
# you need. (`mixedlm.fit` would estimate standard deviations of its own.)

# %%
mine = own_hospitals(4)
print(f"hospital_sd {mine.truth.hospital_sd} mmHg, patient_sd {mine.truth.patient_sd} mmHg")
mine.data.groupby("hospital", observed=True)["treated"].agg(patients="size", treated="sum").T

# %%
# BEGIN SOLUTION
my_X = np.column_stack([np.ones(len(mine.data)), mine.data["treated"]])
my_Z = pd.get_dummies(mine.data["hospital"]).to_numpy(dtype=float)
my_V = mine.truth.hospital_sd**2 * my_Z @ my_Z.T + mine.truth.patient_sd**2 * np.eye(len(my_X))
my_weights = np.linalg.inv(my_V)
my_beta = np.linalg.solve(my_X.T @ my_weights @ my_X, my_X.T @ my_weights @ mine.data["sbp"])
my_effect = my_beta[1]
# END SOLUTION

# %%
check("E04.7", my_effect)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - One model has three forms. The conditional form says what to expect given the hospital, the
#   marginal form says who is alike, the generative form makes patients.
# - Two patients of one hospital have the covariance hospital_sd². Given their hospital, they are
#   independent.
# - V = ZGZ' + R holds all of it. MixedLM gets its estimates and standard errors from X and V.
# - A coefficient can have a fixed part (its mean) and a random part (its spread between
#   hospitals).
# - "Fixed only" assumes that there is no spread. It cannot find out.
# - Hospital dummies are fixed effects, and they differ between hospitals: fixed means that
#   nothing is supposed about the numbers.
# - Likeness says that hospitals must be counted. How to count them depends on what you want to
#   know, on whether hospitals are exchangeable, and on whether their levels go together with the
#   predictors.
#
# ## Limits
#
# All laws were normal, the drug's effect was the same everywhere in the scoreboard, and there
# were 30 hospitals of 4 to 30 patients. Where effects differ between hospitals, the four analyses
# weight hospitals differently, and need not aim at the same average. Lesson 6 takes up effects that vary, lesson 7 few hospitals, lesson 8
# treatment without a lot, lesson 14 outcomes for which −8 would not be the same in all forms.
#
# ## Further reading
#
# - Laird NM, Ware JH (1982). Random-effects models for longitudinal data. *Biometrics*
#   38(4):963-974. The model as it is written today, with its X, Z and covariance matrix.
# - Liang KY, Zeger SL (1986). Longitudinal data analysis using generalized linear models.
#   *Biometrika* 73(1):13-22. Where GEE and its robust errors come from.
# - Gelman A (2005). Analysis of variance: why it is more important than ever. *Annals of
#   Statistics* 33(1):1-53. Collects five definitions of "fixed" and "random" that do not agree,
#   and proposes to drop the words.
# - McNeish D, Stapleton LM, Silverman RD (2017). On the unnecessary ubiquity of hierarchical
#   linear modeling. *Psychological Methods* 22(1):114-140. When cluster-robust errors or GEE are
#   all that you need.
# - Bates D, Mächler M, Bolker B, Walker S (2015). Fitting linear mixed-effects models using lme4.
#   *Journal of Statistical Software* 67(1):1-48. The formula language of R, of which `re_formula`
#   is a cousin.
