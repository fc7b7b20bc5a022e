# ---
# jupyter:
#   course:
#     question: A colleague would have chosen another prior. Would the decision have been another?
#     reading_minutes: 55
#     exercise_minutes: 35
#     needs: [12]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 13 Priors under pressure
#
# > A colleague would have chosen another prior. Would the decision have been another?
#
# Reading: 55 minutes. Exercises: 35 minutes. First do
# [lesson 12](12_when_the_sampler_struggles.ipynb).
#
# ## What you will be able to do
#
# - Say what a prior claims about hospitals, by simulation, before any data.
# - Find out whether a decision hangs on a prior. Tell the questions that do from those that cannot.
# - Judge "you need 20 hospitals" and "our prior was flat, so it is neutral".
# - See when prior and data disagree, and what the posterior makes of it.
# - Power-scale the right priors, reweight draws to another prior, and know when to fit anew.
# - Report a sensitivity analysis in two sentences and a small table.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pymc as pm
from scipy import stats

from utils import bayes, datasets, exact, plots
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.prior_figures import (
    draw_gaps,
    draw_log_densities,
    draw_posteriors,
    draw_scores,
    looks,
)
from utils.prior_report import sensitivity_report
from utils.prior_study import posterior_study, score_priors
from utils.simulate import med_trial
from utils.widgets import from_posterior, prior_sensitivity_explorer, prior_sensitivity_figure

plots.set_style()
bayes.set_up()

# %% [markdown]
# ## Five colleagues, two trials
#
# A network of 24 hospitals runs two trials. In the first, half of the hospitals change to a new
# triage protocol as a whole. In the second, half of the patients *of each hospital* get a drug. Six
# hospitals have reported, 20 patients each. A board must decide now. Its rule: adopt a treatment if
# the posterior probability that it lowers the blood pressure is .95 or more. (We made both trials, with
# true effects of −5 mmHg, and picked a close case.)
#
# Five colleagues look at the same data with the same model. They differ in one line, the prior of
# `hospital_sd`, the SD of the hospitals' true means. The number in brackets is its scale, in mmHg.
#
# - **half-normal(2)**: a <dfn>half-normal</dfn> prior is the right-hand half of a normal
#   distribution around 0. "Hospitals differ by a few mmHg. An SD above 4 would astonish me."
# - **half-normal(5)**: "I would be astonished by an SD above 10."
# - **half-Cauchy(25)**: a <dfn>half-Cauchy</dfn> prior has a far heavier tail: half of it lies
#   beyond its scale. "I want to stay out of the way." (In between are the <dfn>half-t</dfn> priors:
#   the fewer their degrees of freedom, the heavier the tail. With 1 it is the half-Cauchy.)
# - **uniform(0, 100)**: "All values up to 100 are alike to me. What could be more neutral?"
# - **inverse-gamma(.001)**: a prior of the *variance*, with both of its parameters .001. "It has
#   been in the textbook examples for years. It is known to be vague."

# %%
PRIORS = {
    "half-normal(2)": stats.halfnorm(scale=2),
    "half-normal(5)": stats.halfnorm(scale=5),
    "half-Cauchy(25)": stats.halfcauchy(scale=25),
    "uniform(0, 100)": stats.uniform(0, 100),
    "inverse-gamma(.001)": exact.InverseGammaVariance(0.001, 0.001),
}
TRIAL = dict(n_hospitals=24, patients_per_hospital=20, hospital_sd=3, patient_sd=12)
by_hospital = med_trial(assignment="hospital", treatment_effect=-5, **TRIAL, rng=77).data
by_patient = med_trial(assignment="patient", treatment_effect=-5, **TRIAL, rng=77).data
POSTERIOR = plots.PALETTE["posterior"]
first_six = ["H01", "H02", "H03", "H04", "H05", "H06"]  # three of them have the protocol


# %%
def model_of(data, prior):
    X = pd.DataFrame({"intercept": 1.0, "treatment_effect": data["treated"].astype(float)})
    rest = dict(sigma=stats.halfnorm(scale=20), beta=([140, 0], [50, 20]))
    return dict(y=data["sbp"], X=X, group=data["hospital"].astype(str), tau=prior, **rest)


def posterior_of(data, prior):
    return exact.posterior(**model_of(data, prior))


# %% [markdown]
# `exact.posterior` needs no sampler: it adds up over a fine grid, as lesson 11 did by hand. It takes
# milliseconds, so you can try priors by the dozen. It calls `hospital_sd` `tau` and `patient_sd`
# `sigma`. The other priors are the same for all five: the mean of the untreated is N(140, 50²) and the
# effect N(0, 20²) (`beta` holds their means and SDs); `patient_sd` is half-normal(20).
#
# Write `scale=` whenever you use `scipy.stats`. Its first number is not the scale:
# `stats.halfnorm(2)` moves the whole prior up, so that it *starts* at 2.

# %%
predict(
    "P13.1",
    "Each colleague applies the board's rule to each trial. Where will the five not all decide alike?",
    choices=[
        "in the trial by hospital",
        "in the trial by patient",
        "in the trial by hospital and in the trial by patient",
        "in neither trial",
    ],
)

# %%
fits, chance = {}, pd.DataFrame(index=list(PRIORS))
for trial, data in [("by hospital", by_hospital), ("by patient", by_patient)]:
    six = data[data["hospital"].isin(first_six)]
    fits[trial] = {name: posterior_of(six, prior) for name, prior in PRIORS.items()}
    chance[trial] = [fit.cdf("treatment_effect", 0) for fit in fits[trial].values()]
split = (chance >= 0.95).nunique() > 1
where = " and ".join(f"in the trial {trial}" for trial in chance if split[trial])
reveal("P13.1", where or "in neither trial")

# %% tags=["nbval-check-output"]
shown = chance.round(2)
shown["adopt the protocol"] = np.where(chance["by hospital"] >= 0.95, "yes", "no")
shown["hospital_sd, 95 %"] = [
    "{:.1f} to {:.1f}".format(*fit.interval("tau")) for fit in fits["by patient"].values()
]
print("P(effect below 0), and hospital_sd in the trial by patient")
print(shown.to_string())

# %%
fig, axes = plt.subplots(1, 3, figsize=(10, 3.6), width_ratios=[1, 1, 0.9])
effects, spreads = np.linspace(-20, 9, 300), np.linspace(0.02, 14, 300)
for ax, trial in zip(axes, fits, strict=False):
    draw_posteriors(fits[trial], "treatment_effect", effects, ax)
    ax.axvline(0, color="#777777", linewidth=1)
    ax.set(title=f"effect, {trial}", xlabel="mmHg", xticks=[-15, -10, -5, 0, 5])
draw_posteriors(fits["by patient"], "tau", spreads, axes[2])
axes[2].set(title="hospital_sd, by patient", xlabel="mmHg", ylim=(0, 0.5))
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=5)
plots.show(
    fig,
    alt="Posterior densities under five priors. The effect by hospital: same middle, widths that differ. The effect by patient: five curves on top of each other. hospital_sd in that same trial: five very different curves, one of them piled up at 0.",
)

# %% [markdown]
# Left: the five agree on the middle and disagree on the width. That is enough to split the board.
# Middle: five curves that you cannot tell apart, with as many hospitals and the same priors.
#
# Why? When whole hospitals are treated, the variance of the effect holds
# `hospital_sd`² + `patient_sd`²/n (lesson 7). Six hospitals hardly tell `hospital_sd`, so the prior
# fills in. When patients are treated, each hospital compares its own patients, and `hospital_sd`
# cancels.
#
# Right: `hospital_sd` itself, in the trial by *patient*. It leans on the prior as much as ever: its
# interval ends at 4 mmHg under one prior and near 10 under another. So "are six too few?" has no
# answer until you say for which question.
#
# ## What a prior says before any data
#
# Is a prior sensible? Do not argue about densities: draw hospitals from it, the *prior predictive*
# simulation of lesson 11. Draw `hospital_sd` from the prior, then the true means of two hospitals,
# and look at the gap between them. You know something about such gaps. Below 1 mmHg the two are the
# same for all practical purposes. A gap of 40 mmHg is that between 120 and 160: for the means of two
# general hospitals it is absurd.

# %%
predict(
    "P13.2",
    "The owner of the half-Cauchy(25) wants to stay out of the way. Under this prior, how many "
    "pairs of hospitals in 100 have true means more than 40 mmHg apart?",
    unit="pairs in 100",
)

# %%
z1, z2 = np.random.default_rng(131).normal(size=(2, 20_000))
beliefs = {}
for name, prior in PRIORS.items():
    hospital_sd = prior.rvs(20_000, random_state=132)
    gap = np.abs(hospital_sd * (z1 - z2))  # between two hospitals, mmHg
    beliefs[name] = np.diff([(gap < edge).mean() for edge in [0, 1, 40, np.inf]])
edges = ["below 1 mmHg", "1 to 40 mmHg", "above 40 mmHg"]
beliefs = 100 * pd.DataFrame(beliefs, index=edges).T
beliefs["above 40 mmHg"] = 100 - beliefs[edges[:2]].sum(axis=1)  # infinite gaps, too
reveal("P13.2", round(beliefs.loc["half-Cauchy(25)", "above 40 mmHg"]), within=7)

# %%
fig, ax = plt.subplots(figsize=(8.5, 3.4))
draw_gaps(beliefs, ax)
ax.set_xlabel("pairs of hospitals in 100, by the gap between their true means")
plots.show(
    fig,
    alt="For each prior, how many pairs of hospitals in 100 lie below 1, from 1 to 40 and above 40 mmHg apart. Half-normal(5): hardly any above 40. Half-Cauchy(25) about a third, uniform(0, 100) nearly half, inverse-gamma(.001) nearly all.",
)

# %% [markdown]
# The two half-normal priors put next to nothing on the absurd. The "neutral" ones put much of their
# weight there. The uniform prior says that an SD between 50 and 100 mmHg is as likely as one below 50.
# And under the inverse-gamma nearly all pairs are absurd. No prior is silent.
#
# A prior that rules out the absurd, and leaves to the data what is possible, is called
# <dfn>weakly informative</dfn>. No family is, and no number: a half-Cauchy(25) was used for points of
# a school test (Gelman 2006). In mmHg it is absurd, in log days it would be worse. The scale belongs
# to the unit and to the subject.
#
# ### Exercise E13.1 · What does this prior say?
#
# A registry plans to use a half-normal prior with scale 8 mmHg for `hospital_sd`. Under that
# prior, in what share of pairs of hospitals do the true means differ by more than 10 mmHg? (A share
# or a percentage, at least 20,000 draws.)

# %%
# BEGIN SOLUTION
registry_rng = np.random.default_rng(5)
registry_sd = stats.halfnorm(scale=8).rvs(200_000, random_state=registry_rng)
two_means = registry_sd * registry_rng.normal(size=(2, 200_000))
share_apart = (np.abs(two_means[0] - two_means[1]) > 10).mean()
# END SOLUTION

# %%
check("E13.1", share_apart)

# %% [markdown]
# ### The prior that was called uninformative
#
# Look back at the table. The inverse-gamma believes in absurd hospitals, and yet its owner ended up
# near the *tightest* prior. How? The data rule the absurd out. What counts is the shape that is left
# in the believable range, and there its density is like 1/`hospital_sd`: it climbs without end
# towards 0, until its parameter ε stops it. So let ε go to 0, "to make it ever vaguer".

# %%
six = by_hospital[by_hospital["hospital"].isin(first_six)]
vaguer = {f"ε = {e:g}": exact.InverseGammaVariance(e, e) for e in [1, 0.1, 0.01, 0.001, 0.0001]}
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9))
grid = np.geomspace(0.005, 20, 500)
for (name, prior), look in zip(vaguer.items(), looks(vaguer).values(), strict=True):
    fit = posterior_of(six, prior)
    share = grid * np.exp(prior.logpdf(grid))
    left.plot(grid, share / share.sum(), **{**look, "label": name})
    label = f"{name}: {100 * fit.cdf('tau', 0.5):.0f} % below 0.5"
    right.plot(grid, grid * fit.density("tau", grid)["density"], **{**look, "label": label})
draw_log_densities(left, "prior, its part below 20 mmHg", right, "posterior, six hospitals")
plots.show(
    fig,
    alt="Inverse-gamma priors with epsilon from 1 to 0.0001, and their posteriors, on a logarithmic axis of hospital_sd. The smaller epsilon, the flatter and the further down the prior reaches; the posteriors pile up ever lower: from 1 % to 43 % of them lie below 0.5 mmHg.",
)

# %% [markdown]
# Area is probability; the axis is logarithmic. Left, the believable part of each prior: the smaller
# ε, the further down it reaches. Right: the more of the posterior sits where hospitals are alike.
# It never settles: no ε is "small enough". Nobody chose that, and it makes results look surer than
# they are.
#
# ## Five hospitals, or twenty, or fifty?
#
# "You need at least 5 (10, 20, 50) groups for a random effect": the sentence of lesson 7. If there is
# such a number, priors should cease to matter beyond it. `posterior_study` draws many trials *by
# hospital* and gives the five posteriors of each. The true effect is two of its standard errors each
# time, so that the decision is a close call at every size.

# %%
predict(
    "P13.3",
    "With 20 hospitals and an effect of two standard errors: in what share of trials do the five "
    "colleagues not all decide alike?",
    choices=["about 2 %", "about 8 %", "about 30 %"],
)

# %%
curve = {}
for j in [4, 6, 10, 20, 40, 80]:
    se = np.sqrt(4 / j * (3**2 + 12**2 / 20))
    setting = {**TRIAL, "n_hospitals": j, "treatment_effect": -2 * se}
    many = posterior_study(1000, priors=PRIORS, **setting, rng=j)
    many["width"] = many["upper"] - many["lower"]
    by_prior = many.pivot(index="trial", columns="prior", values="below_zero") >= 0.95
    curve[j] = many.groupby("prior")["width"].mean()
    curve[j]["they disagree"] = 100 * (by_prior.nunique(axis=1) > 1).mean()
curve = pd.DataFrame(curve).T
shares = {"about 2 %": 2, "about 8 %": 8, "about 30 %": 30}
reveal("P13.3", min(shares, key=lambda c: abs(shares[c] - curve.loc[20, "they disagree"])))

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
for name, look in looks(PRIORS).items():
    left.plot(curve.index, curve[name] / curve["half-normal(5)"], **look)
split = curve["they disagree"]
bars = 2 * np.sqrt(split * (100 - split) / 1000)
right.errorbar(split.index, split, bars, color=POSTERIOR, marker="o", capsize=3)
left.set_ylabel("width, half-normal(5) = 1")
right.set(ylabel="colleagues disagree (% of trials)", ylim=(0, None))
for ax in [left, right]:
    plots.log_axis(ax, [4, 6, 10, 20, 40, 80], "hospitals")
left.legend()
plots.show(
    fig,
    alt="Left: widths of the effect's interval under five priors relative to half-normal(5): far apart at four hospitals, drawing together smoothly, nearly equal at 80. Right: the share of trials in which the colleagues disagree falls smoothly from above 60 % at four hospitals to a few per cent at 80.",
)

# %% [markdown]
# No step, anywhere. The priors draw together bit by bit, and even with 20 hospitals a close call can
# hang on the prior. (The bars at the right are two Monte Carlo standard errors.) So "how many
# hospitals do I need?" is the wrong question. Ask: *for this question, with these data, how far
# apart are the answers under the priors that I could defend?* You can compute it.
#
# ## Scored against the truth
#
# Which of the five is right? Score them, as in lessons 3 and 7: trials of six hospitals by hospital,
# a true effect of −5 mmHg, and a true `hospital_sd` of 1, 3 or 8 mmHg. The t-test on hospital means
# uses no prior at all: it is the one to beat. (2,000 trials each: coverage is known to
# about one percentage point.)

# %%
boards = {}
for spread in [1, 3, 8]:
    setting = {**TRIAL, "n_hospitals": 6, "hospital_sd": spread, "treatment_effect": -5}
    many = posterior_study(2000, priors=PRIORS, t_test=True, **setting, rng=13)
    boards[spread] = score_priors(many, -5)
columns = ["bias", "error", "coverage_%", "width"]
pd.concat({sd: board[columns] for sd, board in boards.items()}, axis=1).round(1)

# %%
fig, axes = plt.subplots(1, 3, figsize=(10, 3.9), sharey=True)
draw_scores(boards, axes)
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
plots.show(
    fig,
    alt="Coverage against width of 95 % intervals for a true hospital_sd of 1, 3 and 8 mmHg. For 3, half-normal(5) is narrower than the t-test and covers 97 %. For 8, half-normal(2) falls below 80 % and half-normal(5) to 91 %. Half-Cauchy(25) and uniform are the widest of the five and cover 97 % or more.",
)

# %% [markdown]
# Up and to the left is good: the truth in the interval, and a narrow interval. Middle panel:
# half-normal(5) keeps its promise and is narrower than the t-test. That gain is bought with what its
# owner knew. Half-normal(2) expects less than the truth and pays for it. At the right, where
# hospitals differ by 8 mmHg, it fails about one time in four, and half-normal(5) falls short as well.
# At the left, where it suits the truth, it is one of the best.
#
# Half-Cauchy and uniform are not neutral: left and middle their intervals are wider than those of the
# method that knows nothing. The inverse-gamma's pull towards 0 is a bet that hospitals are alike.
# Where they differ by 3 or 8 mmHg its intervals cover two or three points too little. A bet need not be bad.
# But nobody made this one: it sits in the .001, and in another unit the same .001 is another bet.
# (What bias there is comes from the effect's own prior around 0. The prior of `hospital_sd` decides
# the width.)
#
# ### The claim on trial
#
# The claim: *Bayesian models can use prior knowledge.* What is it worth, and what does it cost if it
# is no knowledge?

# %% tags=["nbval-check-output"]
usual, extreme = boards[3], boards[8]
narrower = 100 * (1 - usual.loc["half-normal(5)", "width"] / usual.loc["t-test", "width"])
kept, lost = usual.loc["half-normal(5)", "coverage_%"], extreme.loc["half-normal(2)", "coverage_%"]
few, enough = curve.loc[[6, 80], "they disagree"]
good, bad = narrower > 5 and kept > 93, lost < 88
ruling = "holds, and cuts both ways" if good and bad and enough < few / 3 else "look again"
verdict(
    "C10",
    ruling,
    "with six hospitals treated as a whole, a prior of hospital_sd that suited the truth made the interval "
    f"{narrower:.0f} % narrower than the t-test's, at a coverage of {kept:.0f} %. One that expected too little "
    f"let coverage fall to {lost:.0f} %. With 80 hospitals five very different priors led to different decisions in "
    f"{enough:.0f} % of trials, with six in {few:.0f} %.",
)

# %% [markdown]
# ### Exercise E13.2 · The reviewer's rule
#
# A drug trial randomised patients *within* each of 8 hospitals. The authors report the drug's effect
# and `hospital_sd`. A reviewer writes: "Eight hospitals are too few for this model. The prior drives the
# results. At least 20 are needed." What do you answer?
#
# - **a** The reviewer is right: below 20 hospitals the posterior repeats the prior.
# - **b** For the effect the prior of `hospital_sd` hardly matters here. For `hospital_sd` it does, and
#   we show by how much. There is no such number.
# - **c** We take a flat prior for `hospital_sd`, and the objection is met.
# - **d** For `hospital_sd` eight hospitals are enough. It is the effect that hangs on the prior.

# %%
# BEGIN SOLUTION
reviewer_answer = "b"
# END SOLUTION

# %%
check("E13.2", reviewer_answer)

# %% [markdown]
# ## Put the trial under pressure
#
# Now you. The explorer computes the exact posterior at each move. Here is one of its states as a
# still picture: the first six hospitals of the trial by hospital, half-normal(5), and half-Cauchy(25)
# pinned in dashes. It writes τ for `hospital_sd` and σ for `patient_sd`.

# %%
START = dict(family="half-normal", scale=5, effect_sd=20, sigma_scale=20, n_hospitals=6)
PIN = dict(family="half-Cauchy", scale=25, effect_sd=20, sigma_scale=20)
fig, _ = prior_sensitivity_figure(by_hospital, threshold=-3, state={**START, "pin": PIN})
plots.show(
    fig,
    alt="Explorer with six hospitals. Top: prior and posterior of tau, and the effect. Half-normal(5) gives an effect of about -6 mmHg with P(below 0) near .96; the pinned half-Cauchy(25) has the same middle and a wider interval. Middle: hospitals' intervals, longer under the pinned prior. Bottom: over the scales P(below 0) falls from near 1 to about .93.",
)

# %% [markdown]
# From the top: prior and posterior of τ; the effect, shaded where it lowers the pressure by more than
# 3 mmHg, another question that the board could ask. Then each hospital with the weight of its own
# data (lesson 3), and a hospital that is not in the data yet. At the bottom: the conclusion over *all*
# scales of this family. Grey are the scales with the same conclusion; the text under the explorer says
# what "same" means. Run the next cell, and try:
#
# 1. Move the scale from 0.5 to 50. Where does P(below 0) cross .95? And what does the estimate of the
#    effect do?
# 2. Try half-t, exponential and half-Cauchy, all with scale 5, then half-Cauchy with 25. Does the
#    family matter, or the scale?
# 3. Choose inverse-gamma with ε = 0.01. What does the prior say of a new hospital? And what happened
#    to the bars, the weights of the hospitals' own data?
# 4. Choose flat: no end at all. Keep 6 hospitals, then 4, 3 and 2. What becomes of τ?
# 5. Back to half-normal(5). Keep all 24 hospitals. Over which scales is the conclusion now the same?
#    Why not for small ones?
#
# "Write PyMC code" gives the chosen model as code that runs in a cell. "Save the state" gives a text
# that brings a colleague to where you are. A prior of your own goes in as `own=`, any object with a
# `.logpdf`.
#
# <details><summary>Answers</summary>1: near 7 mmHg; the estimate stays near −6. 2: the three with
# scale 5 give nearly the same; it is the scale that matters. 3: it may lie as far away as 10⁶⁴ mmHg. The bars
# shrink: hospitals are pulled together. A prior that believes in absurd hospitals ends up with
# hospitals that are alike. 4: its interval reaches up to 13, 49 and 223 mmHg; with 2 there is no
# posterior, for the data cannot end a prior that has no end. 5: from 3 mmHg upwards. A prior that
# insists on a smaller τ fights the data.</details>

# %%
prior_sensitivity_explorer(by_hospital, threshold=-3, state=START)

# %% [markdown]
# ## When prior and data disagree
#
# A sceptic believes that no drug of this class moves pressure by more than 2 mmHg. Her prior of the
# effect is N(0, 1²). Then all 24 hospitals of the drug trial report. On a grid, as in lesson 11:

# %%
wide = posterior_of(by_patient, stats.halfnorm(scale=5))
estimate, se = wide.parameters.loc["treatment_effect"]  # its own prior, N(0, 20²), is nearly flat
grid = np.linspace(-12, 6, 1801)
likelihood = stats.norm(estimate, se).pdf(grid)
sceptics = {"normal": stats.norm(0, 1), "t (3 df)": stats.t(3, 0, 1)}
for name, prior in sceptics.items():
    weights = prior.pdf(grid) * likelihood
    print(f"{name:8} prior around 0, scale 1: posterior mean {weights @ grid / weights.sum():.1f}")
z = (estimate - 0) / np.sqrt(1**2 + se**2)  # the sceptic expects N(0, 1² + se²)
print(f"data alone: {estimate:.1f} (se {se:.1f}), that is {abs(z):.1f} SDs from what she expected")
print(f"P(so far or further | her prior) = {2 * stats.norm.sf(abs(z)):.4f}")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.7))
for ax, (name, prior) in zip([left, right], sceptics.items(), strict=True):
    weights = prior.pdf(grid) * likelihood
    ax.plot(grid, prior.pdf(grid), color=plots.PALETTE["prior"], label="prior")
    ax.plot(grid, likelihood, color=plots.PALETTE["patients"], linestyle="--", label="data alone")
    ax.plot(grid, weights / weights.sum() / 0.01, color=POSTERIOR, label="posterior")
    ax.set(title=f"{name} prior", xlabel="treatment effect (mmHg)", yticks=[], xlim=(-9, 4))
left.legend()
plots.show(
    fig,
    alt="A sceptic's prior around 0, the data around -5 mmHg, and the posterior. With a normal prior the posterior lies between the two, where neither has much. With a t prior of 3 degrees of freedom it lies closer to the data.",
)

# %% [markdown]
# This is a <dfn>prior-data conflict</dfn>: the data lie where the prior expected none. Left: with a
# normal prior the posterior goes to the middle, where neither put much. It is a weighted mean, the
# shrinkage of lesson 3, and it has no idea that anything is wrong: it is even narrower than the data
# alone. Right: a t prior gives way. Its tail says "I may be mistaken". Neither is *the* right answer.
# Something is odd, the drug or the belief, and a reader must be told.
#
# So check, as the last two lines of the printout do. Before the data, the prior expects an estimate of
# N(prior mean, prior SD² + se²). How far out is the one you got?
#
# ### Exercise E13.3 · Would the prior have expected this?
#
# After a meta-analysis you take N(−10, 4²) as prior of a drug's effect. The new trial estimates −1
# mmHg with a standard error of 3. If the prior is right, how likely is an estimate at least so far
# from the prior's mean, in either direction? (A share, three decimals.)

# %%
# BEGIN SOLUTION
conflict_z = (-1 - -10) / np.sqrt(4**2 + 3**2)
conflict_p = 2 * stats.norm.sf(abs(conflict_z))
# END SOLUTION

# %%
check("E13.3", conflict_p)

# %% [markdown]
# ## Power-scaling: a little weaker, a little stronger
#
# In a large model you cannot try all priors of everything. A cheap first look is
# <dfn>power-scaling</dfn>: raise the prior densities to a power α, and see whether the posterior moves.
# With α = 2 the priors count double, with α = ½ half. One number, the *sensitivity*, says how far a
# posterior moves per doubling of α, near α = 1. Above .05 is worth a look.
#
# By hand for the prior of `hospital_sd`, in three models of the trial by hospital: half-normal(s) to
# the power α is half-normal(s/√α). (The sensitivities in the titles are for all four priors together.)

# %%
fig, axes = plt.subplots(1, 3, figsize=(10, 3.8))
for ax, (data, s) in zip(axes, [(six, 5), (by_hospital, 5), (by_hospital, 0.5)], strict=True):
    powers = {f"α = {a}": stats.halfnorm(scale=s / np.sqrt(a)) for a in [0.5, 1, 2]}
    scaled = {label: posterior_of(data, prior) for label, prior in powers.items()}
    draw_posteriors(scaled, "tau", np.linspace(0.02, 9, 300), ax)
    seen = bayes.exact_sensitivity(model_of(data, powers["α = 1"]))
    found = "sensitivity {tau:.2f}, effect {treatment_effect:.2f}".format(**seen)
    low, high = scaled["α = 1"].interval("treatment_effect")
    ax.set_title(f"{data['hospital'].nunique()} hospitals, half-normal({s})\n{found}", fontsize=12)
    ax.set_xlabel(f"hospital_sd (mmHg)\neffect, 95 %: {low:.1f} to {high:.1f} mmHg")
axes[0].legend()
plots.show(
    fig,
    alt="Posterior of hospital_sd when its prior is raised to the power 0.5, 1 and 2. Six hospitals: it moves, sensitivity .10. 24 hospitals with half-normal(5): it hardly moves, .02. 24 hospitals with half-normal(0.5): it moves a lot, .43. The effect's sensitivity is .02 or less in all; its 95 % intervals are -13.1 to 1.0, -7.0 to 0.1 and -5.8 to -1.1 mmHg.",
)

# %% [markdown]
# `hospital_sd` is flagged in the first model, for want of data, and in the third, for a conflict:
# half-normal(0.5) holds it far below what 24 hospitals say, and makes the interval of the effect a
# third narrower. So 24 hospitals are no protection against a prior that fights.
#
# But look at the *effect* in the first model. It is not flagged, and yet five colleagues could not
# agree on it! Power-scaling asks the near neighbours of *your* prior. Your colleagues are not near
# neighbours. It is a smoke detector: an alarm deserves a look, silence does not mean that every prior
# gives the same answer.
#
# ### With a sampler, and a false alarm
#
# ArviZ power-scales the draws of any model: `az.psense`. It needs the log prior of each draw. Here is
# the second model in PyMC, with `u` drawn around 0 as in lesson 11. With 20 patients in each hospital
# that form is safe (lesson 12): `bayes.diagnose` looks for divergences, R-hat and ESS.

# %%
code, hospitals = pd.factorize(by_hospital["hospital"].astype(str))
with pm.Model(coords={"hospital": hospitals}) as model:
    intercept = pm.Normal("intercept", 140, 50)
    treatment_effect = pm.Normal("treatment_effect", 0, 20)
    hospital_sd = pm.HalfNormal("hospital_sd", 5)
    patient_sd = pm.HalfNormal("patient_sd", 20)
    u = pm.Normal("u", 0, hospital_sd, dims="hospital")
    mean = intercept + treatment_effect * by_hospital["treated"].to_numpy() + u[code]
    pm.Normal("sbp", mean, patient_sd, observed=by_hospital["sbp"].to_numpy())

# %% tags=["nbval-check-output"]
SAMPLE = dict(draws=2000, tune=1000, chains=4, cores=2, nuts_sampler="nutpie", random_seed=1)
with model:
    idata = pm.sample(**SAMPLE, progressbar=False, quiet=True)
    pm.stats.compute_log_prior(idata, progressbar=False)
print("these draws can be used:", bayes.diagnose(idata).ok)

# %% [markdown]
# `bayes.power_scaling` calls `az.psense` for the priors that we name, and adds the exact answer.

# %%
predict(
    "P13.4",
    "The exact sensitivity of `hospital_sd` is .02. `az.psense` scales *all* priors of the model by default, that of "
    "`u` included. What will it say of `hospital_sd`?",
    choices=["about .02 as well: no alarm", "well above .05: an alarm", "0: the priors cancel"],
)

# %%
top = ["intercept", "treatment_effect", "hospital_sd", "patient_sd"]
exact_model = model_of(by_hospital, stats.halfnorm(scale=5))
right_way = bayes.power_scaling(idata, top, model=exact_model)
all_priors = bayes.power_scaling(idata, [*top, "u"], var_names=top)
answer = all_priors.table.loc["hospital_sd", "prior"]
outcomes = {"about .02 as well: no alarm": answer < 0.05, "well above .05: an alarm": answer > 0.1}
reveal("P13.4", next(choice for choice, true in outcomes.items() if true))

# %% tags=["nbval-check-output"]
compared = right_way.table[["exact", "prior"]].rename(columns={"prior": "top-level priors"})
compared["all priors"] = all_priors.table["prior"]
alarm = (compared > 0.05).map({True: "ALARM", False: "-"}.get)
close = (compared["exact"] - compared["top-level priors"]).abs().max() < 0.02
print(alarm.to_string())
print(f"draws and exact answer agree for the top-level priors: {close}")

# %% [markdown]
# A false alarm, and for more than one parameter. The line `u ~ Normal(0, hospital_sd)` is not one of
# your four priors. It is the model: hospitals are drawn from one distribution. Raise it to a power,
# and you change what `hospital_sd` means. Then it moves, of course, and the rest follows. So name the
# top-level priors, those that no other parameter sits above: `prior_var_names=top` in ArviZ's
# `psense_summary`.
#
# ## Another prior without another fit
#
# The draws belong to half-normal(5). You would like to know the answer for another prior, and a fit
# takes an hour. Give each draw a weight: how much more probable its `hospital_sd` is under the new
# prior than under the old one.
#
# $$w_s \propto \frac{\text{new prior}(\text{hospital\_sd}_s)}{\text{old prior}(\text{hospital\_sd}_s)}$$
#
# That works as long as no few draws carry everything. <dfn>Pareto k</dfn> judges it by the largest
# weights: up to .5 good, up to .7 usable; above .7 a handful of draws decides, and more draws would
# hardly help. `bayes.reweight` smooths the largest weights and says in words what k means. It also
# counts the independent draws that are left, an ESS (lesson 12): below 400, do not trust it either.

# %% tags=["nbval-check-output"]
tau_draws = idata["posterior"]["hospital_sd"].to_numpy().ravel()
fresh = bayes.summary(idata).loc["hospital_sd", "ess_bulk"] / tau_draws.size
for name, new in {**PRIORS, "half-normal(0.5)": stats.halfnorm(scale=0.5)}.items():
    log_ratio = new.logpdf(tau_draws) - stats.halfnorm(scale=5).logpdf(tau_draws)
    seen = bayes.reweight(log_ratio, relative_ess=fresh)
    mean, sd = exact.posterior(**{**exact_model, "tau": new}).parameters.loc["tau"]
    error = abs(seen.weight @ tau_draws - mean)
    right = error < 5 * sd / np.sqrt(seen.ess) and error < sd / 2
    print(f"{name:20} to be trusted: {seen.ok!s:5}  right, by the exact posterior: {right}")
print("k of the last one is above .7:", seen.k_hat > 0.7)

# %% [markdown]
# One fit has answered for five priors. It refuses the sixth, and rightly: half-normal(0.5) wants small
# values of `hospital_sd`, and there were hardly any draws there. Weights choose among the draws that
# you have. They cannot make new ones. So fit with a *wide* prior and reweight to tighter ones, not the
# reverse; and if k says no, fit anew.
#
# The explorer opens on the draws of any model in the same way. Its first sentence says whether the
# numbers can be trusted, and its strip ends where they cannot. Lower the scale: where does it refuse?

# %%
names = dict(tau="hospital_sd", sigma="patient_sd", effect="treatment_effect", hospitals="u")
fitted_with = dict(
    tau_prior=stats.halfnorm(scale=5), sigma_prior=stats.halfnorm(scale=20), effect_prior=(0, 20)
)
shown_as = dict(effect_name="the protocol", unit="mmHg", sizes=np.full(24, 20), threshold=-3)
from_posterior(idata, **names, **fitted_with, **shown_as)

# %% [markdown]
# ### Exercise E13.4 · What do you do with this k?
#
# You fitted with half-normal(10) and reweight the 4,000 draws to half-normal(1). P(effect below 0) moves
# from .91 to .97. Pareto k is .92, and 35 independent draws are left. What now?
#
# - **a** Report .97: 4,000 draws are plenty.
# - **b** Draw 40,000 and reweight again: the estimate will settle.
# - **c** Fit the model anew with half-normal(1).
# - **d** Report .91: if the weights fail, the prior does not matter.

# %%
# BEGIN SOLUTION
weights_answer = "c"
# END SOLUTION

# %%
check("E13.4", weights_answer)

# %% [markdown]
# ## Real patients: seventeen hospitals
#
# `azpro`: 3,589 patients of 17 hospitals in Arizona had bypass surgery (`cabg` = 1) or an angioplasty.
# The outcome is the logarithm of their days in hospital. Two questions. How much longer do patients
# stay after bypass surgery? And do patients stay longer where a larger *share* of them has bypass
# surgery (`hosp_cabg_share`)? The first compares patients within hospitals, the second compares 17
# hospitals. (Nobody was randomised: these are descriptions, not effects of surgery.)
#
# Priors again, on the log scale. There an SD of 0.1 between hospitals means that lengths of stay
# differ by some 10 %, an SD of 1 by a factor of nearly three.

# %% tags=["nbval-check-output"]
azpro = datasets.load("azpro")
X = azpro[["cabg", "hosp_cabg_share"]].assign(intercept=1.0)
log_scale = {f"half-normal({s:g})": stats.halfnorm(scale=s) for s in [0.03, 0.1, 0.3, 1]}
log_scale["half-Cauchy(25)"] = stats.halfcauchy(scale=25)
for name, prior in log_scale.items():
    fit = exact.posterior(
        np.log(azpro["los"]), X, azpro["hospital"], tau=prior, sigma=stats.halfnorm(scale=2)
    )
    low, high = np.exp(fit.interval("cabg"))
    p_share = 1 - fit.cdf("hosp_cabg_share", 0)
    print(f"{name:17} cabg: {low:.2f} to {high:.2f} times as long;  P(share above 0) {p_share:.2f}")

# %% [markdown]
# The first answer cannot be moved: nearly three times as long, whatever you believe of hospitals.
# Thousands of patients, compared within their hospitals, leave no room. Try to break it:
# `prior_sensitivity_explorer(azpro, formula="np.log(los) ~ cabg", effect="cabg", unit="log days")`.
#
# The second answer moves. Half-normal(0.03), which holds that hospitals hardly differ, makes it nearly
# certain. With a prior that leaves them room it is .94 or .95: two decisions by a rule at .95, and the
# same evidence. Report the probability with its range.
#
# ## Is hospital A the best?
#
# Back to the children's hearts of lesson 3. Hospital A lost none of 47 children. There we tried three
# values of how much hospitals differ. Now we give it a prior. The logarithm of a hospital's odds of
# death (the *logit* of its rate) is mean + `u`, with a half-normal prior for the SD of `u`. An SD of
# 0.2 says that the odds differ by some 20 % between hospitals, an SD of 1 by a factor of nearly three.
# `exact.binomial` does for counts what `exact.posterior` does for pressures.

# %%
predict(
    "P13.5",
    "Half-normal priors with scales from 0.1 to 5. Which hospital is most probably the one with the "
    "lowest true death rate?",
    choices=["A, for every scale", "E, for every scale", "A or E: it depends on the scale"],
)

# %%
surgical, base = datasets.load("surgical"), stats.halfcauchy(scale=0.5)
draws = exact.binomial(surgical["deaths"], surgical["operations"], tau=base).draws(4000, rng=1)
best, worst = draws["p"].argmin(axis=1), draws["p"].argmax(axis=1)  # 0 is A, 11 is L
events = pd.DataFrame({"A is best": best == 0, "E is best": best == 4, "H is worst": worst == 7})
moved = pd.DataFrame(columns=events.columns, dtype=float)
for scale in np.geomspace(0.05, 5, 25):
    prior = stats.halfnorm(scale=scale)
    seen = bayes.reweight(prior.logpdf(draws["tau"]) - base.logpdf(draws["tau"]))
    moved.loc[scale] = seen.weight @ events if seen.ok else np.nan
leads = (moved["A is best"] > moved["E is best"])[moved["A is best"].notna()]
one = f"{'A' if leads.all() else 'E'}, for every scale"
reveal("P13.5", "A or E: it depends on the scale" if leads.nunique() > 1 else one)

# %%
fig, ax = plt.subplots(figsize=(8.5, 3.9))
moved.plot(ax=ax, color=POSTERIOR, style=["-", "--", ":"])
ax.axhline(0.95, color="#777777", linewidth=1)
ax.text(0.1, 0.94, "the usual .95", va="top")
ax.set(ylabel="probability", ylim=(0, 1))
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
plots.log_axis(ax, [0.1, 0.2, 0.5, 1, 2, 5], "scale of the half-normal prior of the SD (logit)")
plots.show(
    fig,
    alt="Probability that A is best, E is best and H is worst against the scale of the prior. E leads below about 0.3, A above; neither passes about .4. H is worst with a probability of about .6 from 0.15 upwards. None reaches .95.",
)

# %% [markdown]
# One set of exact draws, reweighted to 25 priors; the lines end where the weights could not be
# trusted. *Who* is most probably the best hangs on the prior: E for those who think that hospitals
# are alike, A for those who let them differ. *Whether* A is shown to be the best does not: its chance
# is about .4 at most, for every scale. H is the worst with a chance of .5 to .65: not shown either.
#
# So a decision can stand firm although the numbers move, and fall although they hardly do. Put the
# *decision* under pressure, not the digits.
#
# ## What to report
#
# Choose the prior before the data, and say in the units of the ward what it believes. Then vary it:
# half as wide, twice as wide, and with a heavier tail. Leave out priors that nobody would defend: a
# decision is not fragile because an absurd prior upsets it. Two sentences and a small table will do.
# `sensitivity_report` fills them in.

# %% tags=["nbval-check-output"]
report = sensitivity_report(
    {
        "half-normal(5)": posterior_of(six, stats.halfnorm(scale=5)),
        "half-normal(2.5)": posterior_of(six, stats.halfnorm(scale=2.5)),
        "half-normal(10)": posterior_of(six, stats.halfnorm(scale=10)),
        "half-t(5) with 3 df": posterior_of(six, exact.HalfStudentT(3, scale=5)),
    },
    what="the protocol",
)
print(report)

# %% [markdown]
# A reader can work with that, and so can the board: wait for more hospitals.
#
# ### Exercise E13.5 · Spot the flaw
#
# From a report:
#
# 1. Seven hospitals took part; a checklist was introduced in four of them, drawn by lot.
# 2. The prior of its effect was N(0, 20²) mmHg, that of the SD between patients half-normal(20).
# 3. For the variance between hospitals we took an inverse-gamma(0.001, 0.001) prior, which is
#    uninformative, so that no sensitivity analysis was needed.
# 4. The probability that the checklist lowers blood pressure was .97.
# 5. Four chains agreed (R-hat below 1.01, ESS above 2,000), without divergences.
#
# Which sentence holds the mistake, and why?
#
# - **a** Inverse-gamma(0.001, 0.001) is improper, so there is no posterior.
# - **b** With seven hospitals treated as a whole this prior speaks loudly: it piles up near 0, how low
#   is set by the .001, and the .97 hangs on it.
# - **c** A uniform prior should have been taken: that one is uninformative.
# - **d** Good diagnostics show that the prior was harmless, so the sentence is superfluous.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (3, "b")
# END SOLUTION

# %%
check("E13.5", flaw)

# %% [markdown]
# ### Exercise E13.6 · Your own hospitals
#
# `own_hospitals(13)` is a trial by hospital that nobody else has. Take the priors of this lesson: mean
# N(140, 50²), effect N(0, 20²), `patient_sd` half-normal(20). For `hospital_sd` try half-normal(2),
# half-normal(5) and half-Cauchy(25). What is the worst case: the largest upper end of the 95 %
# interval of the effect? Give one decimal in mmHg. (`posterior_of` and its `.interval` are at hand.
# From a sampler, take 20,000 draws.)

# %%
mine = own_hospitals(13).data
mine.groupby(["treated", "hospital"], observed=True)["sbp"].agg(["size", "mean"]).round(1)

# %%
# BEGIN SOLUTION
my_upper_ends = []
for my_name in ["half-normal(2)", "half-normal(5)", "half-Cauchy(25)"]:
    my_fit = posterior_of(mine, PRIORS[my_name])
    my_upper_ends.append(my_fit.interval("treatment_effect")[1])
my_worst_case = max(my_upper_ends)
# END SOLUTION

# %%
check("E13.6", my_worst_case)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - No prior is silent. Draw hospitals from it and look whether you believe them.
# - Very wide priors put much on absurd hospitals, and with few hospitals they widen the interval.
#   Inverse-gamma(ε, ε) piles up near 0, and ε decides how much.
# - No number of hospitals ends the influence of a prior. A treatment given within hospitals hardly
#   feels the prior of `hospital_sd`; one given by hospital does; `hospital_sd` itself does most.
# - A prior that suits the truth buys narrower intervals. One that is wrong and sure buys false ones.
# - Check for prior-data conflict. A normal prior hides it, a heavier tail gives way.
# - Power-scale the top-level priors only. No alarm does not mean that every prior agrees.
# - Reweighting answers for other priors without a fit. Pareto k and the draws left say when not.
# - Report the prior in the units of the ward, and the decision under the priors you could defend.
#
# ## Limits
#
# The trials had normal hospitals and patients. We varied the prior of one SD, mostly; in larger models
# priors can act together. How sensitive a result is to the *likelihood*, often the larger question, is
# for lessons 14 and 17.
#
# ## Further reading
#
# - Gelman A (2006). Prior distributions for variance parameters in hierarchical models. *Bayesian
#   Analysis* 1(3):515-534. Why the inverse-gamma is not vague, and what to take instead.
# - Gelman A, Simpson D, Betancourt M (2017). The prior can often only be understood in the context
#   of the likelihood. *Entropy* 19(10):555. Why a prior cannot be judged on its own.
# - Kallioinen N, Paananen T, Bürkner PC, Vehtari A (2024). Detecting and diagnosing prior and
#   likelihood sensitivity with power-scaling. *Statistics and Computing* 34:57. The method behind
#   `psense`.
# - Vehtari A, Simpson D, Gelman A, Yao Y, Gabry J (2024). Pareto smoothed importance sampling.
#   *Journal of Machine Learning Research* 25(72):1-58. Where k comes from, and what it promises.
# - Box GEP (1980). Sampling and Bayes' inference in scientific modelling and robustness. *Journal of
#   the Royal Statistical Society A* 143(4):383-430. The check of a prior against the data.
