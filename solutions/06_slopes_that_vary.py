# ---
# jupyter:
#   course:
#     question: The drug works better in some hospitals than in others. What is "the" effect then?
#     reading_minutes: 60
#     exercise_minutes: 35
#     needs: [5]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 6 Slopes that vary
#
# > The drug works better in some hospitals than in others. What is "the" effect then?
#
# Reading: 60 minutes. Exercises: 35 minutes. First do
# [lesson 5](05_mixedlm_in_practice.ipynb).
#
# ## What you will be able to do
#
# - Tell how much an effect varies between hospitals from how much its estimates vary.
# - Fit a model with a slope that varies, and say what its four variance numbers mean.
# - Answer "what is the effect?" in three ways, and know which question each answers.
# - Explain why neither the hospitals' own lines nor their shrunken lines show the true correlation.
# - Say what moving the zero of a predictor changes, and what it does not.
# - Foresee what happens to a test when a slope that varies is left out.
# - Recognise a flat likelihood, and check an optimiser's answer.

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats

from utils import datasets, likelihood, mixedlm, plots
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.pooling import design_effect
from utils.simulate import med_trial
from utils.slopes import (
    cloud,
    contour,
    effects_curve,
    fan,
    own_lines,
    population,
    rejection_dots,
    sds_and_correlation,
    shrunken_lines,
    spread_of,
)
from utils.studies import analyse_many, draw_trials, varying_effect_grid
from utils.widgets import slopes_explorer

plots.set_style()

# %% [markdown]
# ## Forty hospitals, forty effects
#
# A drug is tried in 40 hospitals, on 12 patients in each. By lot, 6 of the 12 get the drug. We made
# the patients up, and this time the drug does not do the same everywhere. Each hospital's own
# effect is drawn from a normal distribution with mean −6 mmHg (`treatment_effect`) and a standard
# deviation of 5 mmHg (`treatment_effect_sd`). As before, hospitals differ by `hospital_sd` = 6 mmHg
# and the patients within them by `patient_sd` = 12 mmHg.
#
# `own_lines` fits a least-squares line to each hospital alone. With `treated` 0 or 1, its
# *intercept* is the mean of the hospital's untreated patients. Its *slope* is the hospital's own
# effect: treated mean minus untreated mean. `fan` draws the lines.

# %%
study = med_trial(
    n_hospitals=40, patients_per_hospital=12, treatment_effect=-6, treatment_effect_sd=5, rng=604
)
trial, truth = study.data, study.truth.hospitals
own = own_lines(trial["sbp"], trial["treated"], trial["hospital"])
rise, truly_rise = (own["slope"] > 0).sum(), (truth["treatment_effect"] > 0).sum()

fig, ax = plt.subplots(figsize=(7.5, 4))
fan(ax, own)
ax.set_title(f"{rise} of 40 lines rise; the drug truly raises the pressure in {truly_rise}")
ax.set_ylabel(plots.LABELS["sbp"])
plots.show(
    fig,
    alt="Forty thin lines from untreated to treated mean, one a hospital. Most fall, some rise, with very different slopes; the thick mean line falls by about 6 mmHg.",
)

# %% [markdown]
# Each thin line is a hospital. Most fall, some rise. Does the drug harm patients wherever the line
# rises? Not so fast: each end of a line is the mean of only 6 patients. Even if the drug did the
# same in all hospitals, the lines would not be parallel.

# %%
predict(
    "P06.1",
    f"The 40 own effects have a standard deviation of {own['slope'].std():.1f} mmHg. What would it "
    "be if the drug did exactly the same in all 40 hospitals? (6 patients in each arm, with an SD "
    "of 12 mmHg.)",
    choices=["0: the same effect everywhere", "about 2 mmHg", "about 4 mmHg", "about 7 mmHg"],
)

# %%
patient_sd = own.attrs["patient_sd"]  # around the hospitals' own lines
noise_sd = patient_sd * np.sqrt(1 / 6 + 1 / 6)
choices = {"0: the same effect everywhere": 0, "about 2 mmHg": 2, "about 4 mmHg": 4}
choices["about 7 mmHg"] = 7
reveal("P06.1", min(choices, key=lambda choice: abs(choices[choice] - noise_sd)))

# %% [markdown]
# Lesson 4 did this sum. The difference of two means of 6 patients has a variance of
# `patient_sd`² × (1/6 + 1/6). That is noise. Compare the two standard deviations: most
# of what we see is noise.
#
# Own effects differ for two reasons: true effects differ, and each own effect is noisy. The
# variances add up. So take the noise's variance away from the variance of the own effects. The root
# of the rest is our estimate of how much *true* effects differ. The next cell does it.
# (To take standard deviations away from each other would be wrong.)
#
# ## A model in which slopes vary
#
# Write it for patient $i$ of hospital $j$:
#
# $$\text{sbp}_{ij} = (\beta_0 + u_{0j}) + (\beta_1 + u_{1j})\,\text{treated}_{ij} + e_{ij}$$
#
# The coefficient of `treated` has *two parts*. Its fixed part $\beta_1$ is the mean effect over all
# hospitals like these. Its random part $u_{1j}$ is how far hospital $j$'s effect lies from that
# mean. Such a slope is a <dfn>random slope</dfn>. The random intercept $u_{0j}$ you know. (Lesson 4
# wrote $u_j$ and $d_j$ for the two.)
#
# So each hospital brings a pair $(u_{0j}, u_{1j})$. The pairs are drawn from a normal distribution
# in two dimensions, around 0: each number is normal, and the two may go together. Its covariance
# matrix, $G$, has the two variances on its diagonal and their covariance beside it. We read it as
# three numbers:
#
# - the SD of the intercepts: how much hospitals differ in their *untreated* patients;
# - the SD of the slopes: how much the drug's effect differs between hospitals;
# - the <dfn>correlation of effects</dfn>: does a hospital with a high intercept have a high slope?
#
# `patient_sd` is the fourth number to estimate. As in lesson 4, the random part is
# `re_formula="1 + treated"`, where 1 stands for the intercept. We use `mixedlm.fit`, the safe
# version of lesson 5.

# %% tags=["nbval-check-output"]
effect_sd = np.sqrt(own["slope"].var() - noise_sd**2)
model = mixedlm.fit("sbp ~ treated", trial, groups="hospital", re_formula="1 + treated")
by_reml = model.variances.loc["treated_sd", "estimate"]
print(f"SD of the effects: by hand {effect_sd:.2f}, by REML {by_reml:.2f} (truth 5)")
print(f"standard error of the mean effect: {model.fixed.loc['treated', 'se']:.3f}")
print(f"SD of the 40 own effects / √40:    {own['slope'].std() / np.sqrt(40):.3f}")
print(model.variances.drop(columns="variance").round(2).to_string())

# %%
mean, low, high = model.fixed.loc["treated", ["estimate", "lower", "upper"]]
fig, ax = plt.subplots(figsize=(8.5, 3.7))
effects_curve(ax, mean=mean, sd=by_reml, interval=(low, high))
ax.set_xlabel("effect of the drug (mmHg)")
plots.show(
    fig,
    alt="A normal curve of hospitals' effects around −6.4 mmHg, with the tail above 0 shaded. Below it a short bar, the interval of the mean effect, and a bar more than three times as long, which holds 95 % of the hospitals' effects.",
)

# %% [markdown]
# First the numbers. By hand and by REML agree, and not by luck: with equal hospitals, half of each
# treated, REML *is* this subtraction (as long as enough is left). With unequal hospitals
# you need the model. The standard error of the mean effect is familiar too: that of a plain mean of
# 40 numbers, the own effects. The model does a t-test on hospitals.
#
# Then the intervals, `lower` and `upper`. The SD of the effects may be as small as 0. The
# correlation may be anything from −1 to 1. A trial that tells the mean effect well may tell little
# about how effects vary.
#
# So what is "the" effect? There are three answers (figure), to three questions.
#
# 1. *What does the drug do on average, over all hospitals like these?* The mean, with its interval:
#    the short bar. More hospitals make it shorter.
# 2. *What will it do in the next hospital?* A draw from the curve: the long bar. More
#    hospitals do not make that one short. (The bar takes both estimates as the truth. A prediction
#    interval, lesson 5, allows for the unknown mean too, and is longer.)
# 3. *What does it do in hospital H07?* That hospital's own, shrunken effect. We come to it.
#
# A short first bar is no promise to any one hospital.

# %% [markdown]
# ### Exercise E06.1 · Where does the drug do harm?
#
# Another trial finds a mean effect of −6 mmHg with a standard error of 2.5 mmHg. The standard
# deviation of the hospitals' true effects is 4 mmHg. Take the mean and this standard deviation as
# the truth, and the effects as normal. In what share of hospitals does the drug *raise* the
# pressure? (Give the share, between 0 and 1, to two decimals. `stats.norm.cdf` helps.)

# %%
# BEGIN SOLUTION
harmed = stats.norm.sf(0, loc=-6, scale=4)
# END SOLUTION

# %%
check("E06.1", harmed)

# %% [markdown]
# ## A colleague's discovery
#
# A line is two numbers. So draw each hospital as *one point*: intercept across, effect up. A
# colleague does that with the 40 own lines, and is excited.

# %%
fig, ax = plt.subplots(figsize=(7.5, 4))
cloud(ax, own=own)
across = np.array([own["intercept"].min(), own["intercept"].max()])
line = np.polyval(np.polyfit(own["intercept"], own["slope"], 1), across)
ax.plot(across, line, color=plots.PALETTE["no pooling"], linestyle="--")
ax.axhline(0, color="0.8", zorder=0)
r_seen = own["intercept"].corr(own["slope"])
ax.text(across[1], 8, f"correlation {r_seen:.2f}".replace("-", "−"), ha="right")
ax.set(xlabel="own intercept: mean of the untreated (mmHg)", ylabel="own effect (mmHg)")
plots.show(
    fig,
    alt="Own effect against own intercept for 40 hospitals: a cloud that leans downwards, with its dashed least-squares line. Hospitals with high untreated pressure seem to have the larger fall.",
)

# %% [markdown]
# "The drug works best where the pressure is high", says the colleague. "Give it there first."
#
# We made the trial up: in truth the two have nothing to do with each other. The true correlation is
# 0 (`intercept_effect_correlation`). Where does the lean come from?
#
# Look at the axes. Across: the untreated mean. Up: the treated mean *minus the untreated mean*. The
# same 6 untreated patients stand in both, once with a plus and once with a minus. If they happen to
# be high, the point moves to the right *and* down. So the noise of an own line has a
# covariance matrix of its own. With $n_0$ untreated and $n_1$ treated patients it is
#
# $$N = \text{patient\_sd}^2 \begin{pmatrix} 1/n_0 & -1/n_0 \\ -1/n_0 & 1/n_0 + 1/n_1 \end{pmatrix}$$
#
# Own points scatter by truth plus noise, $G + N$. Take $N$ away from what you see, and $G$ is left:
# the subtraction of the first section, now for the whole matrix.

# %% tags=["nbval-check-output"]
N = patient_sd**2 * np.array([[1 / 6, -1 / 6], [-1 / 6, 1 / 6 + 1 / 6]])
seen = own[["intercept", "slope"]].cov().to_numpy()
matrices = {"seen": seen, "noise": N, "left": seen - N, "REML": population(model)[1]}
print("      sd_intercept  sd_effect  correlation")
for name, matrix in matrices.items():
    print("{:5} {:12.1f} {:10.1f} {:12.2f}".format(name, *sds_and_correlation(matrix)))

# %% [markdown]
# The noise alone has a correlation of −.71. Take it away, and the lean is gone. The colleague
# discovered that a number is correlated with itself.
#
# Own lines lean too far down. What about the model's *shrunken* lines? Their noise was pulled in.
# The next cells draw 500 such trials, always with a true correlation of 0. The simulation is
# written out so that you see all that goes in. (You need not follow each line.) `fit_slope` fits
# the model of this lesson by REML to all 500 trials at once.

# %%
predict(
    "P06.2",
    "The true correlation of intercepts and effects is 0. What is it, on average over the 500 "
    "trials, among the hospitals' own lines, and among the model's shrunken lines?",
    choices=[
        "both near 0",
        "own negative, shrunken near 0",
        "own negative, shrunken negative but less so",
        "own negative, shrunken positive",
    ],
)

# %%
rng = np.random.default_rng(61)
true = rng.multivariate_normal([140, -6], np.diag([6.0**2, 5.0**2]), size=(500, 40))
hospital, treated = np.repeat(np.arange(40), 12), np.tile(np.repeat([0, 1], 6), 40)
sbp = rng.normal(true[:, hospital, 0] + true[:, hospital, 1] * treated, 12)
arms = sbp.reshape(500, 40, 2, 6).mean(axis=3)  # untreated and treated mean of each hospital
own_points = np.stack([arms[..., 0], arms[..., 1] - arms[..., 0]], axis=-1)

X = np.column_stack([np.ones(480), treated])
fits = likelihood.fit_slope(likelihood.sums(sbp, X, hospital, slope=treated))
shrunken_points = fits.beta[:, None] + np.swapaxes(fits.effects, 1, 2)

# %%
points = {"own lines": own_points, "shrunken lines": shrunken_points, "(the true lines)": true}
spread = {name: spread_of(lines) for name, lines in points.items()}
spread["model's estimate"] = np.stack([fits.hospital_sd, fits.slope_sd, fits.correlation], -1)
scoreboard = pd.DataFrame({name: np.nanmean(each, axis=0) for name, each in spread.items()}).T
scoreboard.columns = ["sd_intercept", "sd_effect", "correlation"]
error = {name: ((lines - true)[..., 1] ** 2).mean() ** 0.5 for name, lines in points.items()}
scoreboard["error_of_effect"] = pd.Series(error)
print((scoreboard.round(1) + 0.0).to_string(na_rep=""))
own_r, shrunken_r = scoreboard["correlation"].iloc[:2]
ending = ["negative but less so", "near 0", "positive"][np.digitize(shrunken_r, [-0.1, 0.1])]
reveal("P06.2", f"own negative, shrunken {ending}" if own_r < -0.1 else "both near 0")

# %%
fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.2), sharex=True, sharey=True)
things = {"own lines": "no pooling", "shrunken lines": "partial pooling"}
for ax, name in zip(axes, [*things, "model's estimate"], strict=True):
    colour = plots.PALETTE[things.get(name, "random slope")]
    ax.hist(spread[name][:, 2], bins=np.linspace(-1, 1, 31), color=colour)
    ax.axvline(0, color=plots.PALETTE["truth"], linestyle="--")
    ax.set(title=name, xlabel="correlation", xticks=[-1, -0.5, 0, 0.5, 1])
axes[0].set_ylabel("trials out of 500")
plots.show(
    fig,
    alt="Correlation of intercepts and effects in 500 trials whose truth is 0. Own lines: a hump near −0.35. Shrunken lines: very wide, mostly above 0, with a peak at 1. Model's estimate: very wide, around 0, with a peak at 1.",
)

# %% [markdown]
# Own lines lean down, and *shrunken lines lean up*. Neither cloud shows the true correlation. Nor
# does it show the true standard deviations: own lines spread too much, shrunken ones too little.
#
# Why the opposite sign? The model knows how noise leans: to the lower right and the upper left.
# Points that lie out there are probably noise, and are pulled in hard. Points at the upper right
# cannot be explained like that, and are pulled in less. What stays outside leans up.
#
# The row `model's estimate` is the model's own $G$. On average its standard deviations are about
# right. The right-hand panel is honest about any one trial: with 12 patients in a hospital the
# estimated correlation may be almost anything. It piles up at 1, the edge, and that pulls its
# average a little above 0.
#
# What are shrunken lines good for, then? Read `error_of_effect`. For *one hospital's* effect they
# are much closer to the truth than own lines. (To give every hospital the mean effect would err by
# about 5 mmHg, the SD of the true effects.) They are good predictions one by one, and a bad
# picture of how hospitals vary. For the picture, read $G$, with its intervals.

# %% [markdown]
# ### Exercise E06.2 · Which correlation?
#
# A registry fits a model with a slope that varies to 50 small hospitals. It prints a correlation of
# −.1 (95 % interval −.7 to .6). A reader plots the 50 shrunken lines and finds a correlation of
# +.5. The own lines give −.4. What can be said about the true correlation?
#
# - **a** It is about +.5: shrunken lines are the best predictions, so their correlation is best.
# - **b** It is about −.4: own lines are unbiased, so their correlation is too.
# - **c** It is 0: the two biases cancel.
# - **d** All values from −.7 to .6 fit the data: the two plots add nothing to that.

# %%
# BEGIN SOLUTION
correlation_answer = "d"
# END SOLUTION

# %%
check("E06.2", correlation_answer)

# %% [markdown]
# ## Shrinkage in two dimensions
#
# A second trial, closer to life: 24 hospitals with 6 to 80 patients. Here the *truth* leans:
# hospitals with high pressure gain more, with a correlation of −.6. And one thing went wrong.
# Hospital H12 treated nobody.
#
# `population` returns the mean of the population and $G$ from a fitted model, `shrunken_lines` the
# model's line of each hospital: fixed effects plus predicted effects.

# %%
sizes = [6, 6, 8, 8, 10, 10, 12, 12, 14, 16, 18, 20, 20, 24, 24, 28, 30, 36, 40, 44, 50, 60, 70, 80]
lean = dict(treatment_effect=-6, treatment_effect_sd=5, intercept_effect_correlation=-0.6)
second = med_trial(n_hospitals=24, patients_per_hospital=np.array(sizes), **lean, rng=403)
patients = second.data.query("not (hospital == 'H12' and treated == 1)")
model = mixedlm.fit("sbp ~ treated", patients, groups="hospital", re_formula="1 + treated")
mean, G = population(model)
shrunken = shrunken_lines(model)
own = own_lines(patients["sbp"], patients["treated"], patients["hospital"])
model.variances.drop(columns="variance").round(2)

# %% [markdown]
# In lesson 3 the shrinkage weight was one number: the variance between hospitals over that
# variance plus noise. It is the same fraction now, made of matrices. (The −1 makes the inverse of
# a matrix: multiplying by it is what dividing is for numbers.)
#
# $$\text{shrunken} = \text{mean} + W\,(\text{own} - \text{mean}), \qquad W = G\,(G + N)^{-1}$$
#
# By hand for one hospital, H11, with 9 untreated and 9 treated patients (`@` multiplies matrices):

# %% tags=["nbval-check-output"]
n0, n1 = 9, 9
N = model.patient_sd**2 * np.array([[1 / n0, -1 / n0], [-1 / n0, 1 / n0 + 1 / n1]])
W = G @ np.linalg.inv(G + N)
own_line = own.loc["H11", ["intercept", "slope"]].to_numpy(dtype=float)
by_hand = mean + W @ (own_line - mean)
print("W:", W.round(2).tolist())
print("own line:  ", own_line.round(1))
print("by hand:   ", by_hand.round(1))
print("by library:", shrunken.loc["H11"].to_numpy().round(1))
print(f"agree: {np.allclose(by_hand, shrunken.loc['H11'], atol=1e-3)}")

# %%
truth = second.truth.hospitals.rename(columns={"mean": "intercept", "treatment_effect": "slope"})
fig, ax = plt.subplots(figsize=(8.5, 5))
points = dict(own=own, shrunken=shrunken.drop("H12"), truth=truth)  # H12: see below
cloud(ax, **points, ellipse=contour(mean, G), mean=mean)
ax.annotate("H11", shrunken.loc["H11"], (-34, -6), textcoords="offset points")
ax.set(xlabel="intercept: untreated patients (mmHg)", ylabel="effect of the drug (mmHg)")
plots.show(
    fig,
    alt="Twenty-four hospitals as points. Own lines scatter widely; arrows lead to shrunken lines nearer the middle of an ellipse that leans downwards. Small hospitals move far, and mostly not straight to the centre. Crosses mark the truth.",
)

# %% [markdown]
# The first row of $W$ makes the intercept, the second the effect. Each row has two weights, for the
# hospital's two deviations. The second row says: take about half of the hospital's own difference,
# and where its untreated mean is high, expect a slightly larger fall. Partial pooling borrows from
# the other hospitals, and here also from the hospital's *other number*.
#
# The ellipse is the <dfn>population contour</dfn>: by the model's estimates, 95 % of all hospitals'
# true points lie inside. Its lean is the correlation. Its half width and half height are 2.45
# standard deviations. (In two dimensions 1.96 is not enough.) One of our 24 crosses lies outside.
#
# Small circles are small hospitals. They move far. But the arrows do not point straight at the
# centre (+): most hospitals move further up or down than sideways. (Mind the two scales.) An own
# effect is the difference of two means, so it is noisier than an own intercept, and less of it is
# believed. In $W$ that is the .47 against the .8.
#
# H12 has a cross, but no circle: it treated nobody, so it has no own effect. We left its diamond
# out as well.

# %%
untreated_mean = patients.query("hospital == 'H12'")["sbp"].mean()
predict(
    "P06.3",
    f"H12's untreated patients have a mean of {untreated_mean:.0f} mmHg; the population's mean is "
    f"{mean[0]:.0f}. Nobody was treated. What drug effect does the model predict there?",
    choices=[
        "none: there are no data for it",
        "the population's mean effect",
        "a larger fall than the mean effect",
        "a smaller fall than the mean effect",
    ],
)

# %%
h12 = shrunken.loc["H12"]
by_correlation = mean[1] + G[0, 1] / G[0, 0] * (h12["intercept"] - mean[0])
assert np.isclose(by_correlation, h12["slope"], atol=1e-3)
still_open, of_all = model.hospitals.loc[("H12", "treated"), "sd"], np.sqrt(G[1, 1])
reveal(
    "P06.3",
    f"a {'larger' if h12['slope'] < mean[1] else 'smaller'} fall than the mean effect",
    because=f"It predicts {h12['slope']:.1f} mmHg (mean {mean[1]:.1f}), with a standard deviation "
    f"of {still_open:.1f}; the effects of all hospitals have one of {of_all:.1f}.",
)

# %% [markdown]
# Its untreated patients are high, and in this population high hospitals gain more. So the model
# expects more there: mean effect + (covariance / variance of the intercepts) × the intercept's
# deviation. Mind how little that is worth. The prediction is not much surer than for a hospital of
# which nothing is known, and it rests on a correlation that is itself poorly known.
#
# ### Try it: the cloud of hospitals
#
# The explorer draws 24 *typical* hospitals: their true lines, and the noise, spread exactly as set,
# with no luck in it. `patient_sd` is 12. The figure above shows our second trial in the same way.
#
# 1. At the start the correlation is 0. Which way does the cloud of own lines lean, and which way
#    the shrunken one? How are the two correlations related?
# 2. Raise the patients to 100. Where do standard deviations and correlations go?
# 3. Back to 12 patients. Set the SD of effects to 0. What do the own lines still seem to show? What
#    does the model say?
# 4. Set the SD of effects to 5 and the correlation to −.6. Now press *middle of both arms*. Which
#    numbers change? Has any hospital changed?
#
# <details><summary>Answers</summary>1: own lines lean down, shrunken ones up, by the same amount.
# (That is exact if the model knows G and the correlation is 0.) 2: towards the truth, but even at
# 100 they are not quite there. 3: effects with an SD of 6.9 mmHg that go with the intercepts, all
# of it noise; the model gives every hospital the mean effect. 4: the SD of the intercepts and the
# correlations, those of the truth included. The effects, their SDs and their errors stay. No
# hospital has changed: see the next section. (What is seen at the middle is less distorted: with
# equal arms, the noise there does not lean.)</details>

# %%
slopes_explorer()

# %% [markdown]
# ## Where is zero?
#
# An intercept is where a line is at *zero*. For `treated`, zero is the untreated arm. For time or
# age, zero is wherever you put it. (To put it at the mean is centring, lesson 1.) What does that
# do to a model whose slopes vary?
#
# Real people: `sleepstudy`. Eighteen people did a reaction-time test every day. Days 0 and 1 were
# training, day 2 is the baseline. After it they were allowed three hours in bed each night. (It is
# often told as nine days without any sleep. It was not.) We leave the training days out and
# count `days` from the baseline. A "hospital" is now a person, a "patient" one day's test.

# %%
predict(
    "P06.4",
    "We fit intercepts and slopes that vary, with zero at the baseline. Then we move zero to the "
    "last day, seven days on, and fit again. Which numbers change?",
    choices=[
        "the mean intercept only",
        "the intercept's mean and SD, and the correlation",
        "these, and the SD of the slopes",
        "all of them, the likelihood too",
    ],
)

# %% tags=["nbval-check-output"]
sleep = datasets.load("sleepstudy").query("Days >= 2").assign(days=lambda d: d["Days"] - 2)
slow = mixedlm.fit("Reaction ~ days", sleep, groups="Subject", re_formula="1 + days")
rows, (mean, G) = {}, population(slow)
for zero in [0, 3.5, 7]:
    T = np.array([[1, zero], [0, 1]])
    rows[zero, "by hand"] = [(T @ mean)[0], *sds_and_correlation(T @ G @ T.T), slow.loglik]
    moved = sleep.assign(days=sleep["days"] - zero)
    again = mixedlm.fit("Reaction ~ days", moved, groups="Subject", re_formula="1 + days")
    refit = population(again)
    rows[zero, "refitted"] = [refit[0][0], *sds_and_correlation(refit[1]), again.loglik]
columns = ["mean_intercept", "sd_intercept", "sd_slope", "correlation", "log_likelihood"]
print(pd.DataFrame.from_dict(rows, orient="index", columns=columns).round(2).to_string())

# %%
slope_sd, moved_slope_sd = rows[0, "refitted"][2], rows[7, "refitted"][2]
happened = "the intercept's mean and SD, and the correlation"
if not np.isclose(slope_sd, moved_slope_sd, atol=0.01):
    happened = "these, and the SD of the slopes"
if not np.isclose(again.loglik, slow.loglik, atol=1e-4):
    happened = "all of them, the likelihood too"
low, high = slow.variances.loc["correlation(Subject, days)", ["lower", "upper"]]
reveal(
    "P06.4",
    happened,
    because=f"At the baseline, the correlation's 95 % interval is {low:.1f} to {high:.1f}.",
)

# %%
zeros, people = np.linspace(-6, 10, 200), shrunken_lines(slow)
moved_to = np.array([[1, zero, 0, 1] for zero in zeros]).reshape(-1, 2, 2)
sd, _, correlation = sds_and_correlation(moved_to @ G @ np.swapaxes(moved_to, 1, 2)).T
fig, axes = plt.subplots(1, 3, figsize=(10, 3.4))
curves = [people["intercept"].to_numpy() + np.outer(zeros, people["slope"]), sd, correlation]
for ax, curve, name in zip(axes, curves, ["partial pooling"] + 2 * ["random slope"], strict=True):
    ax.plot(zeros, curve, color=plots.PALETTE[name], linewidth=1.4)
    ax.axvspan(0, 7, color="0.93", zorder=0)
axes[0].set(title="reaction time (ms)", xlabel="days from baseline")
axes[1].set(title="SD of intercepts (ms)", xlabel="zero put at (days)")
axes[2].set(title="correlation", xlabel="zero put at (days)", ylim=(-1, 1))
plots.show(
    fig,
    alt="Left: 18 shrunken lines of reaction time, closest together about a day before the baseline, fanning out later. Middle: SD of the intercepts against where zero is put, a valley with its lowest point there. Right: the correlation rises from about −0.75 through 0 at that place to above 0.9.",
)

# %% [markdown]
# To move zero by $c$ days turns each person's intercept into intercept + $c$ × slope, and leaves
# the slope alone. As a matrix that is $T$ in the code, and the new covariance matrix is $T G T'$.
# By hand and refitted agree.
#
# The days with data are grey. The lines fan out (left). So people differ more on later days: put
# zero there, and the SD of the intercepts is larger (middle). The correlation can be made almost
# anything (right). It is 0 where the lines lie closest together.
#
# And it is one and the same fit: same lines, same predictions, same likelihood. (In lesson 5 a new
# *unit* changed REML's height. A new zero leaves even that alone.) "Slow starters get worse faster"
# is a statement about where "start" is. Put zero where your question is, say where it is, and do
# not compare the correlations of two papers with different zeros. Here the interval says that 18
# people tell little about it, even at the baseline.

# %% [markdown]
# ### Exercise E06.3 · The other end of the line
#
# In a trial the SD of the intercepts is 6 mmHg. It belongs to the *untreated* patients, since
# `treated` is 0 there. The SD of the effects is 4 mmHg, and their correlation is −.5. What is the
# standard deviation, between hospitals, of the true mean pressure of *treated* patients? Give one
# decimal or more.

# %%
# BEGIN SOLUTION
treated_sd = np.sqrt(6**2 + 2 * (-0.5) * 6 * 4 + 4**2)
# END SOLUTION

# %%
check("E06.3", treated_sd)

# %% [markdown]
# ## What if the slope is left out?
#
# The claim on trial: *fixed effects are constant across groups, random effects vary across groups.*
# You have seen a coefficient that has both parts. So to give `treated` a fixed part only is not
# neutral. It *supposes* that the drug does the same everywhere. What does that cost, if it does
# not?
#
# Twenty hospitals of 30 patients, half of each treated by lot. The drug's effects vary with an SD
# of 5 mmHg around a mean of **zero**. A 5 % test of the mean effect should reject in 5 % of trials.

# %%
predict(
    "P06.5",
    "The model has a random intercept but no random slope. Its 5 % test asks whether the drug's "
    "mean effect is 0, which is true. In what share of 2,000 trials does it reject?",
    choices=["about 2 %", "about 5 %", "about 20 %", "about 50 %"],
)

# %%
design = dict(n_hospitals=20, patients_per_hospital=30, hospital_sd=6, patient_sd=12)
trials = draw_trials(2000, treatment_effect=0, treatment_effect_sd=5, **design, rng=62)
methods = ["naive", "random intercept, t", "random slope, t"]
results = analyse_many(trials, methods=methods)
rejected = results["p_value"].lt(0.05).groupby(results["method"], observed=True).mean()
without, with_slope = rejected["random intercept, t"], rejected["random slope, t"]

shares = {"about 2 %": 0.02, "about 5 %": 0.05, "about 20 %": 0.2, "about 50 %": 0.5}
reveal("P06.5", min(shares, key=lambda choice: abs(shares[choice] - without)))

# %% [markdown]
# Could you have foreseen it? Half of each hospital is treated. If a hospital's effect is $d$ above
# the mean, its treated patients lie $d/2$ higher than a model without the slope expects, and its
# untreated ones $d/2$ lower. The model takes that for noise of its *patients*, with a variance of
# (SD/2)². But all patients of an arm share it. Patients who share something have an intraclass
# correlation and a design effect. It is lesson 2 again, now for the slope.
#
# The second cell is the scoreboard. It scores each 95 % interval against *two* truths: the mean
# effect in all hospitals like these, which is 0, and the mean effect in just the 20 hospitals of
# that trial, which differs from trial to trial.

# %% tags=["nbval-check-output"]
icc_of_effect = (5 / 2) ** 2 / ((5 / 2) ** 2 + 12**2)
too_large = design_effect(icc_of_effect, 30)
foreseen = 2 * stats.norm.sf(1.96 / np.sqrt(too_large))
print(f"intraclass correlation of the effect {icc_of_effect:.2f}, design effect {too_large:.1f}")
print(f"type-I error without the slope: foreseen {foreseen:.2f}, simulated {without:.2f}")
print(f"type-I error with the slope: {with_slope:.2f}")

# %%
results["these_20"] = results["trial"].map(pd.Series([effect.mean() for effect in trials.effect]))
results["covers_all"] = 100.0 * results.eval("lower < 0 < upper")
results["covers_these_20"] = 100.0 * results.eval("lower < these_20 < upper")
by_method = results.groupby("method", observed=True)
scoreboard = by_method[["estimate", "standard_error", "covers_all", "covers_these_20"]].mean()
scoreboard.insert(1, "scatter", by_method["estimate"].std())
scoreboard.rename(columns={"estimate": "bias", "standard_error": "mean_standard_error"}).round(2)

# %% [markdown]
# An intraclass correlation of .04 is enough: small, but counted 30 times.
#
# Read the scoreboard. (`naive` leaves the hospitals out altogether.) No method is biased. `scatter` is the true standard error for all hospitals,
# and only the model with the slope claims about as much. Yet the other two intervals keep their
# promise for the 20 hospitals that took part. They answer *another question*, and mostly not the
# one that is asked: a drug is approved for hospitals that were not in the trial.
#
# Does a bigger trial help? It depends on what gets bigger.

# %%
sds, sizes = [0, 2.5, 5, 7.5], [10, 30, 90]
by_sd = varying_effect_grid(effect_sd=sds, patients_per_hospital=[30], n_trials=500, rng=63)
by_size = varying_effect_grid(effect_sd=[5], patients_per_hospital=sizes, n_trials=500, rng=64)
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.8), sharey=True)
rejection_dots(axes[0], by_sd, "effect_sd")
rejection_dots(axes[1], by_size, "patients_per_hospital")
axes[0].set(xlabel="SD of the effects (mmHg)", ylabel="type-I error", ylim=(0, 0.4))
axes[1].set_xlabel("patients per hospital (SD of the effects 5)")
axes[0].legend(loc="upper left")
plots.show(
    fig,
    alt="Type-I error of three analyses. Left, against the SD of the effects: naive and random intercept climb from 5 % or below to well above 20 %, the latter along the foreseen line; random slope stays near 5 %. Right, against patients per hospital: the same two climb with more patients, random slope stays near 5 %.",
)

# %% [markdown]
# Left: the more the effects vary, the more the two analyses without a slope claim. The thin line is
# foreseen by the design effect. Right, with an SD of 5: *more patients per hospital make it worse*.
# Those intervals close in on the effect in these 20 hospitals. The model with the slope stays near
# the dashed 5 %, and a little below it where effects do not vary (far left). Dots are 500 trials
# each, good to two percentage points near 5 %, and to four near 30 %.
#
# The model with the slope does nothing mysterious here. It compares the mean of 20 own effects with
# their scatter, on about 19 degrees of freedom: a t-test on hospitals. The model does it where
# hospitals are unequal, too.
#
# Now the verdict.

# %% tags=["nbval-check-output"]
both_parts = abs(fits.beta[:, 1].mean() + 6) < 0.5 and abs(np.median(fits.slope_sd) - 5) < 1
ruling = (
    "half true" if both_parts and without > 0.12 and 0.035 < with_slope < 0.065 else "look again"
)
verdict(
    "C2",
    ruling,
    "a coefficient can have a fixed part, its mean, and a random part, how it varies; the model of "
    "this lesson found both. 'Fixed only' supposes that it does not vary. With effects that vary by "
    f"5 mmHg around 0, a random-intercept model rejected in {100 * without:.0f} % of trials at a nominal 5 %; "
    f"with the slope in the model it was {100 * with_slope:.0f} %.",
)

# %% [markdown]
# ### Exercise E06.4 · Spot the flaw
#
# From a report:
#
# 1. Twenty-two hospitals took part; within each, patients were randomised to drug or placebo.
# 2. The drug's effect differed between hospitals by more than chance alone explains (SD 5 mmHg).
# 3. The mean outcome differed between hospitals too, so the model had a random intercept for
#    hospital.
# 4. By this model the drug lowers pressure by 2.8 mmHg (95 % interval 1.2 to 4.4) on average in
#    hospitals of this kind.
# 5. The hospitals had volunteered, and may differ from others in ways that we did not measure.
#
# Which sentence holds the mistake, and why?
#
# - **a** Patients of one hospital are alike, so they must not be randomised one by one.
# - **b** If an effect differs between hospitals, no mean effect may be reported.
# - **c** The interval leaves out that effects differ: it is too narrow for hospitals in general.
# - **d** A random intercept biases the treatment effect when hospitals differ.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (4, "c")
# END SOLUTION

# %%
check("E06.4", flaw)

# %% [markdown]
# ## Real patients: two procedures in 17 hospitals
#
# `azpro` holds 3,589 heart patients in 17 hospitals of Arizona. Some had bypass surgery (`cabg` =
# 1), the others an angioplasty. How much longer do bypass patients stay? Nobody was randomised, and
# little is known of how ill they were. So read "difference", not "effect". We take the logarithm
# of the stay in days: a difference of logs is a ratio of stays.

# %% tags=["nbval-check-output"]
azpro = datasets.load("azpro").assign(log_los=lambda d: np.log(d["los"]))
formula = "log_los ~ cabg + male + urgent + age75"
narrow = mixedlm.fit(formula, azpro, groups="hospital")
wide = mixedlm.fit(formula, azpro, groups="hospital", re_formula="1 + cabg")
fits_of = {"random intercept": narrow, "random slope": wide}
table = pd.DataFrame({name: fit.fixed.loc["cabg"] for name, fit in fits_of.items()}).T
print(table[["estimate", "se", "df"]].round(3).to_string())
mean, G = population(wide)
low, high = np.exp(wide.fixed.loc["cabg", ["lower", "upper"]])
print(f"ratio of stays {np.exp(mean[1]):.1f}; on average over hospitals {low:.1f} to {high:.1f};")
low, high = np.exp(mean[1] + np.array([-1.96, 1.96]) * np.sqrt(G[1, 1]))
print(f"{low:.1f} to {high:.1f} for 95 % of hospitals")

# %%
others = ["male", "urgent", "age75"]
adjusted = azpro["log_los"] - azpro[others] @ wide.fixed.loc[others, "estimate"]
own = own_lines(adjusted, azpro["cabg"], azpro["hospital"])
r, low, high = wide.variances.loc["correlation(hospital, cabg)"].drop("variance")
fig, ax = plt.subplots(figsize=(8.5, 4.4))
cloud(ax, own=own, shrunken=shrunken_lines(wide), ellipse=contour(mean, G), mean=mean)
words = f"correlation {r:.1f} (95 % interval {low:.1f} to {high:.1f})"
ax.text(0.89, 0.72, words.replace("-", "−"))
ax.set(xlabel="intercept: log days after angioplasty", ylabel="slope: log ratio of stays")
plots.show(
    fig,
    alt="Seventeen hospitals: intercept (log stay after angioplasty) across, log ratio of stays up. The ellipse leans downwards. Large hospitals hardly move; one small hospital moves from far below to near the centre.",
)

# %% [markdown]
# First the table. The difference hardly moves. Its standard error grows by more than half, and the
# degrees of freedom fall from thousands of patients to about as many as hospitals. And the ratio
# for 95 % of hospitals is a far wider range than that of the mean.
#
# Then the figure. (What `male`, `urgent` and `age75` add was first taken off each stay.) Large
# hospitals hardly move. The small one at the lower right moves far. The ellipse leans down, and the
# interval of the correlation stays below 0: where stays after angioplasty are long, the ratio is
# smaller. Before you look for a reason, remember where zero is: at angioplasty.

# %%
predict(
    "P06.6",
    f"SD of intercepts {np.sqrt(G[0, 0]):.3f}, of slopes {np.sqrt(G[1, 1]):.3f}, correlation "
    f"{r:.2f}. Now put zero at bypass and fit again, as the days before. (T G T', with c = 1, tells "
    "the new estimate.) Where does the 95 % interval of the correlation lie?",
    choices=["below 0, as before", "on both sides of 0", "above 0"],
)

# %%
moved = azpro.assign(cabg=azpro["cabg"] - 1)  # bypass 0, angioplasty -1
turned = mixedlm.fit(formula, moved, groups="hospital", re_formula="1 + cabg").variances
r, low, high = turned.loc["correlation(hospital, cabg)"].drop("variance")
reveal(
    "P06.6",
    "below 0, as before" if high < 0 else "above 0" if low > 0 else "on both sides of 0",
    because=f"The correlation is {r:.1f}, with an interval from {low:.1f} to {high:.1f}; the SD of "
    f"the intercepts is {turned.loc['hospital_sd', 'estimate']:.3f}.",
)

# %% [markdown]
# The same fit, and hardly anything is left of the lean. By these estimates hospitals differ more after
# angioplasty than after bypass. So it is mostly the stays after angioplasty that decide about a
# hospital's ratio. The −.7 says no more than that. (Also, patients' stays vary less after bypass,
# which this model does not know: lesson 10.)
#
# ## When the optimiser gives up
#
# Radon is a gas that enters houses from the ground. `radon` holds 919 houses in 85 counties of
# Minnesota. It was measured in the basement (`floor` = 0) or on the first floor (1); `log_uranium`
# tells of the county's soil. Does the difference between floors vary between counties? Half of the
# counties have 5 houses or fewer.
#
# First `MixedLM` as it comes, with its warnings. This is the warning museum's room for slopes.

# %%
radon = datasets.load("radon")
formula = "log_radon ~ floor * log_uranium"
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    default = smf.mixedlm(formula, radon, groups="county", re_formula="1 + floor").fit()
for text in dict.fromkeys(str(warning.message).strip() for warning in caught):
    print("warning:", text)
safe = mixedlm.fit(formula, radon, groups="county", re_formula="1 + floor")
print(f"log-likelihood: default {default.llf:.2f}, mixedlm.fit {safe.loglik:.2f}")
safe.variances.drop(columns="variance").round(2)

# %%
predict(
    "P06.7",
    "mixedlm.fit finds a correlation of about .4. Force it to be exactly 1, and choose all else as "
    "well as possible. How far does the log-likelihood fall? (A 95 % interval ends where it has "
    "fallen by 1.9.)",
    choices=["by less than 0.5", "by about 2", "by more than 5"],
)

# %%
columns = [np.ones(len(radon)), radon["floor"], radon["log_uranium"]]
X = np.column_stack([*columns, radon["floor"] * radon["log_uranium"]])
radon_sums = likelihood.sums(radon["log_radon"], X, radon["county"], slope=radon["floor"])
rhos, ratios = np.linspace(-1, 1, 33), np.linspace(0, 0.9, 25)  # slope's SD over patient_sd
surface = likelihood.slope_loglik(
    radon_sums, np.linspace(0.02, 0.4, 15), ratios[:, None], rhos[:, None, None]
).max(axis=2)  # over the intercepts' SD
edges = {"correlation": surface[-1].max(), "slope": surface[:, 0].max()}
edges["intercept"] = likelihood.slope_loglik(radon_sums, 0, ratios, 0).max()
fall = safe.loglik - pd.Series(edges)
bounds = {"by less than 0.5": 0.5, "by about 2": 5, "by more than 5": np.inf}
reveal(
    "P06.7",
    next(choice for choice, bound in bounds.items() if fall["correlation"] < bound),
    because=f"It falls by {fall['correlation']:.1f}. Two other edges: with an SD of 0 for the slope "
    f"it falls by {fall['slope']:.1f}, with an SD of 0 for the intercept by {fall['intercept']:.1f}.",
)

# %%
fig, ax = plt.subplots(figsize=(8, 4.2))
drop, colour = (safe.loglik - surface).T, plots.PALETTE["random slope"]
lines = ax.contour(rhos, ratios * safe.patient_sd, drop, [0.1, 0.5, 1, 2, 3], colors=colour)
ax.clabel(lines, fmt=lambda value: f"−{value:g}", fontsize=11)
ends = {"optimum (mixedlm.fit)": population(safe)[1], "MixedLM's default": default.cov_re}
for (label, matrix), marker in zip(ends.items(), ["*", "X"], strict=True):
    _, sd, correlation = sds_and_correlation(matrix)
    ax.plot(correlation, sd, marker, markersize=13, color=colour, label=label, zorder=3)
ax.set(xlabel="correlation", ylabel="SD of the slope of floor (log pCi/L)")
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
plots.show(
    fig,
    alt="Contour lines of the log-likelihood over correlation and SD of the slope. The top is a long flat ridge that reaches a correlation of 1: there the log-likelihood is less than half a unit lower. A star marks the optimum near 0.4, a cross where the default stopped, some way off.",
)

# %% [markdown]
# `MixedLM`'s default tries three optimisers one after the other, and gives up: its log-likelihood
# is lower. (`mixedlm.fit` accepts an optimum only where two different codes agree on it.) The
# figure shows what makes it hard. Each line is a height, in log-likelihood below the star. The top
# is a long ridge, almost level from a correlation of 0 to the edge at 1. On such a ridge it is easy
# to stop too early.
#
# The best-known program stopped at a lower edge. When we made the reference values of this course
# (`tests/golden`; in R, not in this notebook), `lmer` of the R package lme4, version 1.1-31 with its
# default settings, called its fit of this model *singular*, that is, at the edge. Its log-likelihood
# was 2.8 below the optimum. That is the edge where the SD of the intercept is 0 (see the box above
# the figure). Even the model without the slope (its SD 0) is higher: 2.2 below. A model that
# can do all that a smaller one can, and fits worse, has not found its optimum. You can always check
# that. (By REML, keep the same fixed effects.)
#
# So "singular" is a hypothesis. Try another optimiser or another start, and compare
# log-likelihoods. The highest wins.
#
# And do not overrate the star. The interval of the correlation runs up to 1, as the ridge does. That
# of the slope's SD begins near 0: the difference between floors may vary a lot, or hardly. No
# optimiser can get out what is not in the data. (What to do at a true edge is in lesson 7.)

# %% [markdown]
# ### Exercise E06.5 · "Singular fit"
#
# A colleague fits a random slope. Her program stops with an estimated correlation of exactly 1 and
# the message "singular fit". What should she do first?
#
# - **a** Take the random slope out: the message says that effects do not vary.
# - **b** Report the correlation of 1: it is the estimate.
# - **c** Fit again with another optimiser or start, and see if the log-likelihood gets higher.
# - **d** Collect more patients: the program has shown that the data are too few.

# %%
# BEGIN SOLUTION
singular_answer = "c"
# END SOLUTION

# %%
check("E06.5", singular_answer)

# %% [markdown]
# ### Exercise E06.6 · Your own hospitals
#
# `own_hospitals(6)` is a drug trial that nobody else has. All hospitals have the same number of
# patients, half of each treated. Estimate the **standard deviation of the hospitals' true
# effects**, in mmHg: by hand, as for the 40 hospitals, or with a model. (With equal hospitals both
# give the same.) Give two decimals or more.

# %%
mine = own_hospitals(6).data
mine.groupby("hospital", observed=True)["treated"].agg(["size", "sum"]).agg(["min", "max", "count"])

# %%
# BEGIN SOLUTION
my_lines = own_lines(mine["sbp"], mine["treated"], mine["hospital"])
my_noise = my_lines.attrs["patient_sd"] ** 2 * 4 / my_lines["n"].iloc[0]  # 1/(n/2) + 1/(n/2)
my_effect_sd = np.sqrt(my_lines["slope"].var() - my_noise)
# END SOLUTION

# %%
check("E06.6", my_effect_sd)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - A coefficient can have a fixed part, its mean, and a random part, how it varies. To leave the
#   random part out supposes that it does not vary.
# - "The" effect is three things: the mean over hospitals, the range of hospitals' effects, the
#   effect in one hospital.
# - Own effects vary by truth plus noise. Take the noise away before you say how much effects vary.
# - Neither own nor shrunken lines show the true spread or correlation. Read the model's covariance
#   matrix, with its intervals.
# - Shrinkage in two dimensions uses a hospital's intercept to predict its effect.
# - Where you put zero changes the intercepts (mean and SD) and the correlation, and nothing else.
#   Say where it is.
# - If effects vary and the slope is left out, intervals hold for the hospitals in the trial, not
#   for hospitals in general. More patients per hospital make that worse.
# - The correlation is often the least known number of all. Optimisers can stop in wrong places, on a
#   flat ridge or at an edge: compare log-likelihoods.
#
# ## Limits
#
# Effects were normal, and had nothing to do with a hospital's size. If they have, models with and
# without the slope weigh hospitals differently, and estimate different means. Treatment was given
# within hospitals: where whole hospitals are treated, a hospital's effect cannot be told from
# its intercept. Few hospitals and estimates at the edge are for lesson 7, unequal variances
# for lesson 10.
#
# ## Further reading
#
# - Barr DJ, Levy R, Scheepers C, Tily HJ (2013). Random effects structure for confirmatory
#   hypothesis testing: keep it maximal. *Journal of Memory and Language* 68(3):255-278. What
#   leaving out slopes does to tests, in many simulations.
# - Matuschek H, Kliegl R, Vasishth S, Baayen H, Bates D (2017). Balancing Type I error and power in
#   linear mixed models. *Journal of Memory and Language* 94:305-315. The other side: what slopes
#   cost where effects hardly vary.
# - Laird NM, Ware JH (1982). Random-effects models for longitudinal data. *Biometrics*
#   38(4):963-974. Intercepts and slopes that vary, and how to predict them.
# - Belenky G, Wesensten NJ, Thorne DR, and others (2003). Patterns of performance degradation and
#   restoration during sleep restriction and subsequent recovery: a sleep dose-response study.
#   *Journal of Sleep Research* 12(1):1-12. The study behind `sleepstudy`.
