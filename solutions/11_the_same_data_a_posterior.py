# ---
# jupyter:
#   course:
#     question: What do you gain when you say beforehand which effects you find believable?
#     reading_minutes: 55
#     exercise_minutes: 35
#     needs: [10]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11 The same data, a posterior
#
# > What do you gain when you say beforehand which effects you find believable?
#
# Reading: 55 minutes. Exercises: 35 minutes. First do [lesson
# 10](10_when_assumptions_crack.ipynb).
#
# ## What you will be able to do
#
# - Turn lesson 5's likelihood curve and a prior into a posterior, in a few lines.
# - Write a prior as a statement about patients, and judge it before you see any.
# - Fit the same model in PyMC, and check the draws against the exact answer.
# - Lay five analyses of one trial side by side, and translate between their words.
# - Say what a posterior interval promises, what a confidence interval promises, and to whom.
# - Say how many hospitals a prior is worth.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pymc as pm
from scipy import stats

from utils import bayes, datasets, exact, likelihood, plots
from utils.belief_figures import draw_beliefs, draw_chains
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.posterior_trials import Priors, coverage_by_size, draw_posteriors
from utils.simulate import med_trial
from utils.widgets import prior_predictive_explorer

plots.set_style()
bayes.set_up()

# %% [markdown]
# ## The trial of lesson 5, once more
#
# You know these patients. Ten hospitals, of 6 to 50 patients. In some of them the nurses are
# trained in a blood-pressure protocol. The truth: the protocol lowers the mean by 5 mmHg,
# `hospital_sd` is 4 and `patient_sd` is 12.
#
# In lesson 5 you walked along a hill: the restricted likelihood of `hospital_sd`. It says how
# probable the data would be *if* `hospital_sd` had this value or that. It does not say how probable
# the value is. People read it so all the same.
#
# Three colleagues make it simple. One says: "`hospital_sd` is 1 mmHg, hospitals are all alike."
# One says 4, one says 10. Before the trial you believed them with 30, 50 and 20 %. Now the data are
# in. Whom do you believe?

# %% tags=["nbval-check-output"]
sizes = [6, 8, 10, 13, 16, 20, 25, 32, 40, 50]
truth = dict(treatment_effect=-5, hospital_sd=4, patient_sd=12)
design = dict(n_hospitals=10, patients_per_hospital=sizes, assignment="hospital", **truth)
trial = med_trial(**design, rng=23).data
X = pd.DataFrame({"intercept": 1.0, "treatment_effect": trial["treated"]})
sums = likelihood.sums(trial["sbp"], X, trial["hospital"])
three = pd.DataFrame({"before": [0.3, 0.5, 0.2]}, index=["says 1", "says 4", "says 10"])
height = likelihood.profile_loglik(sums, [1, 4, 10]) - likelihood.fit_intercept(sums).loglik
three["likelihood"] = np.exp(height)
three["product"] = three["before"] * three["likelihood"]
three["after"] = three["product"] / three["product"].sum()
print(three.round(3).to_string())

# %% [markdown]
# Read a line from left to right. Belief before, times the likelihood, gives the product. The
# products do not sum to 1, so divide by their sum. That is what you believe after. (The likelihoods
# are given as a share of that at the top of the hill. Only their ratios count.)
#
# The colleague who said 4 had half of your belief and now has nearly all of it. The one who said 10
# had less than the one who said 1, and now has more: the data fit 10 better than 1.
#
# This is **Bayes' rule**, and there is no more to it. What you believe before is the
# <dfn>prior</dfn>. What you believe after is the <dfn>posterior</dfn>:
#
# $$\text{posterior} \propto \text{prior} \times \text{likelihood}$$
#
# ($\propto$ means: up to a factor that makes it sum to 1.)
#
# ## A curve times a curve
#
# `hospital_sd` can be anything above 0, not just 1, 4 or 10. So take a fine grid instead of three
# colleagues. The prior is then a curve as well. Ours is the right half of a normal curve around 0
# with SD 5: `stats.halfnorm(scale=5)`. In words: small differences between hospitals are more
# believable than large ones, and beyond 10 mmHg would be a surprise (5 %).

# %%
predict(
    "P11.1",
    "The likelihood of hospital_sd has its top at 4.1 mmHg, and the prior falls from 0 on. Where will "
    "the posterior have its top?",
    choices=["left of the likelihood's top", "at the same place", "right of it"],
)

# %% [markdown]
# One thing is new. Lesson 5 put `patient_sd` at its best value for each `hospital_sd`. Now
# `patient_sd` is uncertain as well, and gets a prior too. So the grid has two directions, and the
# belief about `hospital_sd` is the sum over all values of `patient_sd`. (`joint_loglik` is lesson
# 5's log-likelihood, with both standard deviations given. It is the restricted one: the line may be
# anything. In the language of this lesson the line has a *flat* prior: all values are equally
# believable.)

# %%
hospital_grid, patient_grid = np.arange(0.01, 25, 0.02), np.arange(8, 18, 0.05)
loglik = likelihood.joint_loglik(sums, hospital_grid[:, None], patient_grid)
prior = stats.halfnorm(scale=5).pdf(hospital_grid)
prior_patient = stats.halfnorm(scale=20).pdf(patient_grid)
product = np.exp(loglik - loglik.max()) * prior[:, None] * prior_patient  # a row a hospital_sd
share = product.sum(axis=1) / product.sum()  # of each hospital_sd; they sum to 1
top = hospital_grid[share.argmax()]
reml = likelihood.fit_intercept(sums).hospital_sd
where = "left of the likelihood's top" if top < reml - 0.1 else "right of it"
reveal("P11.1", where if abs(top - reml) > 0.1 else "at the same place")

# %%
step = 0.02
hill = np.exp(likelihood.profile_loglik(sums, hospital_grid) - loglik.max())
fig, ax = plt.subplots(figsize=(8.5, 4))
look = {"prior": "--", "random intercept": "-", "posterior": "-"}
curves = {"prior": prior, "random intercept": hill / hill.sum() / step, "posterior": share / step}
names = ["prior", "likelihood (REML, lesson 5)", "posterior"]
for (thing, height), name in zip(curves.items(), names, strict=True):
    ax.plot(hospital_grid, height, look[thing], color=plots.PALETTE[thing], label=name)
ax.axvline(4, color=plots.PALETTE["truth"], linestyle=":", label="truth")
ax.set(xlabel="hospital_sd (mmHg)", ylabel="density per mmHg", xlim=(0, 15), ylim=(0, 0.32))
ax.legend()
plots.show(
    fig,
    alt="Three curves over hospital_sd. The prior falls from 0. The REML likelihood is a hill with its top at 4.1 mmHg and a long right tail. The posterior is a slightly narrower hill, its top a little further left, its right tail thinner.",
)

# %% [markdown]
# Blue is the hill of lesson 5, no longer on the log scale and scaled so that its area is 1. Multiply
# it by the dashed prior, and you get the posterior. The right tail becomes thinner: values beyond 8
# mmHg had some support from the data, but little from you. What is lost there is gained on the
# left, for the area is 1 again. So the top moves a little to the left.
#
# A posterior is a whole curve, so all questions about `hospital_sd` are sums over it. Check them
# against `utils.exact`, which computes the posterior by another route, to many digits. (It calls
# our two standard deviations `tau` and `sigma`.)

# %% tags=["nbval-check-output"]
cumulated = share.cumsum() - share / 2  # up to the middle of each step
by_hand = {
    "mean": (hospital_grid * share).sum(),
    "2.5 % lie below": np.interp(0.025, cumulated, hospital_grid),
    "97.5 % lie below": np.interp(0.975, cumulated, hospital_grid),
    "P(hospital_sd > 6)": 1 - np.interp(6, hospital_grid, cumulated),
}
sds = dict(tau=stats.halfnorm(scale=5), sigma=stats.halfnorm(scale=20))
judge = exact.posterior(trial["sbp"], X, trial["hospital"], **sds)
low, high = judge.interval("tau")
answers = [judge.parameters.loc["tau", "mean"], low, high, 1 - judge.cdf("tau", 6)]
print(pd.DataFrame({"by hand": pd.Series(by_hand)}).assign(exact=answers).round(2).to_string())

# %% [markdown]
# A few lines of NumPy, and the same numbers. The interval that holds the middle 95 % of the
# posterior is a <dfn>posterior interval</dfn>. (It is also called a *credible* interval.) It reads
# as everybody wants to read intervals: *given these data and this prior, `hospital_sd` lies in it
# with probability 95 %*. And the last line answers a question that no profile interval can: how
# probable is it that `hospital_sd` is above 6 mmHg?
#
# You have used a prior before. "The hospitals' effects are normal around 0 with SD `hospital_sd`":
# since lesson 3 that sentence has pulled every hospital to the middle. A random effect *is* a prior,
# one whose width is learned from the data. New is only that the other parameters get one too.

# %% [markdown]
# ### Exercise E11.1 · Lungs in 51 centres, with a prior
#
# In lesson 5 you read a profile interval off the curve of `rhdnase`: lung function of 647 patients
# in 51 centres. `centre_curve` is its restricted log-likelihood on `centre_grid`. Take half of a
# normal curve with scale 5 as the prior of the centres' standard deviation. Give the **posterior
# mean**, to two decimals. (Use the curve as it is, with the patients' SD at its best.)

# %%
lungs = datasets.load("rhdnase")
columns = np.column_stack([np.ones(len(lungs)), lungs["trt"]])
centre_grid = np.linspace(0, 25, 2501)
centre_sums = likelihood.sums(lungs["fev"], columns, lungs["inst"])
centre_curve = likelihood.profile_loglik(centre_sums, centre_grid)

# %%
# BEGIN SOLUTION
centre_prior = stats.halfnorm(scale=5).pdf(centre_grid)
centre_product = np.exp(centre_curve - centre_curve.max()) * centre_prior
centre_share = centre_product / centre_product.sum()
centre_mean = (centre_grid * centre_share).sum()
# END SOLUTION

# %%
check("E11.1", centre_mean)

# %% [markdown]
# ## A prior is a statement about patients
#
# "I know nothing, so I leave everything open." Many people start like this. They give each
# parameter a wide prior: a normal curve around 0 with SD 100, and half of one for the standard
# deviations. It looks modest. Ask what it says about *patients*.
#
# That is easy to find out. Draw the parameters from the prior, then a patient from the parameters.
# No data are needed. What comes out is called the <dfn>prior predictive</dfn> distribution. Judge it
# by what you know of wards. A systolic pressure below 40 or above 300 mmHg is not seen in a patient
# who can take part in a trial. And no drug, no protocol, moves the mean pressure by 80 mmHg.

# %%
predict(
    "P11.2",
    "The priors of the mean and the effect are normal around 0 with SD 100; those of both standard "
    "deviations have scale 100. What share of the patients that they imagine has a pressure below "
    "40 or above 300 mmHg?",
    choices=["about 1 %", "about 20 %", "about 65 %"],
)


# %%
def imagine(mean, intercept_sd, effect_sd, hospital_scale, patient_scale, n=20_000):
    """Draw n trials from the prior, and one patient from each."""
    rng = np.random.default_rng(11)
    intercept, effect = rng.normal(mean, intercept_sd, n), rng.normal(0, effect_sd, n)
    hospital_sd = np.abs(rng.normal(0, hospital_scale, n))
    patient_sd = np.abs(rng.normal(0, patient_scale, n))
    treated = rng.integers(0, 2, n)
    hospital_mean = rng.normal(intercept + effect * treated, hospital_sd)
    return pd.DataFrame({"sbp": rng.normal(hospital_mean, patient_sd), "effect": effect})


vague, considered = imagine(0, 100, 100, 100, 100), imagine(140, 20, 10, 5, 20)

# %%
shares = {}
for name, patients in {"vague": vague, "considered": considered}.items():
    shares[name] = {
        "impossible patients": 1 - patients["sbp"].between(40, 300).mean(),
        "pressures below 0": (patients["sbp"] < 0).mean(),
        "effects beyond 80": (patients["effect"].abs() > 80).mean(),
    }
shares = 100 * pd.DataFrame(shares)
print(shares.map(lambda value: f"{value:.0f} %" if value >= 1 else "under 1 %").to_string())
choices = {"about 1 %": 1, "about 20 %": 20, "about 65 %": 65}
impossible = shares.loc["impossible patients", "vague"]
reveal("P11.2", min(choices, key=lambda choice: abs(choices[choice] - impossible)))

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.6), sharex=True)
for ax, (name, patients) in zip(
    axes, {"vague": vague, "considered": considered}.items(), strict=True
):
    ax.hist(patients["sbp"], np.arange(-450, 601, 15), color=plots.PALETTE["prior"], density=True)
    ax.axvspan(-450, 40, color="0.91", zorder=0)
    ax.axvspan(300, 600, color="0.91", zorder=0)
    ax.set(title=f"{name} prior", xlabel="imagined pressure (mmHg)", yticks=[], xlim=(-450, 600))
    ax.set_xticks([-300, -100, 40, 140, 300, 500])
    ax.text(450, ax.get_ylim()[1] * 0.9, "impossible", ha="center", color="0.25")
plots.show(
    fig,
    alt="Histograms of imagined patients over bands of impossible pressures below 40 and above 300 mmHg. Under the vague prior most patients lie in the bands. Under the considered prior nearly all lie between 80 and 200 mmHg.",
)

# %% [markdown]
# The "modest" prior (left) is sure of strange things. Half of its patients have a pressure below 0;
# in about four trials of ten the protocol moves the mean by more than 80 mmHg. It does not know
# nothing: it knows wrong things.
#
# The considered prior (right) was written down as sentences first:
#
# | what you would say on the ward | as a prior |
# | --- | --- |
# | Untreated patients of this kind average between 100 and 180 mmHg. | `intercept`: normal, 140, SD 20 |
# | No protocol moves the mean by 80. Even 20 mmHg, up or down, would be a surprise. | `treatment_effect`: normal, 0, SD 10 |
# | Hospitals differ, but an SD above 10 mmHg would be a surprise. | `hospital_sd`: half of a normal curve, scale 5 |
# | Patients differ more. An SD above 40 mmHg would be a surprise. | `patient_sd`: half of a normal curve, scale 20 |
#
# A "surprise" is 5 % here. A normal curve leaves 5 % beyond ± 1.96 SD, both ends together; half of
# one leaves 5 % above 1.96 times its scale. Such a prior is not the truth. It is a sentence that
# others can read and contest, and it must be written before the outcomes are seen.
#
# ### Try it: what your prior imagines
#
# The explorer starts at the vague prior. Each column is one imagined trial of five hospitals: grey
# dots are patients, red dashes the hospitals' true means without the protocol.
#
# 1. Choose "Mean around 140 mmHg". Now make one of the four numbers small, and then put it back to
#    100. Which one rids you of most impossible patients? Is one enough?
# 2. Set the four to 20, 10, 5 and 20, the considered prior. What is odd about the last trial at the
#    right? Then double the four one at a time. Which brings back most impossible patients?
# 3. Set all four to 1. Nothing is impossible now. What is wrong with this prior?
#
# If you cannot run it, the figure above shows two of its settings.
#
# <details><summary>Answers</summary>1: the SD of the mean, but none is enough: at least a third of
# the patients stay impossible, because variances add up. 2: its patients are all alike, since half of
# a normal curve finds a patient_sd near 0 believable (real patients will soon correct that).
# patient_sd (2.5 %), then the mean (1.5 %). 3: it rules out what is seen every day: 95 % of its
# patients lie between 136 and 144 mmHg. A prior can be too sure as well as too vague.</details>

# %%
prior_predictive_explorer()

# %% [markdown]
# ### Exercise E11.2 · From a sentence to a prior
#
# A dietician says: *"I would be surprised (5 %, both directions together) if less salt moved the
# mean pressure by more than 8 mmHg."* Write that as a normal prior around 0. Which SD does it
# have? (mmHg, one decimal.)

# %%
# BEGIN SOLUTION
salt_prior_sd = 8 / stats.norm.ppf(0.975)
# END SOLUTION

# %%
check("E11.2", salt_prior_sd)

# %% [markdown]
# ## The same model in PyMC
#
# A grid works for two standard deviations. With twenty parameters, and 100 values of each, it would
# have 10⁴⁰ points. So programs do something else: they *draw* from the posterior. Instead of a curve
# you get thousands of values, more of them where the posterior is high. A mean over the draws is
# then (nearly) the posterior mean.
#
# In PyMC you write the model as a story of how the data came about: lesson 4's generative form, with
# a line for each prior. `coords` names the hospitals and patients, and `dims` says which of them a
# variable has one value for. So results carry names, not numbers.

# %%
names = trial["hospital"].cat.categories.to_numpy()
code = trial["hospital"].cat.codes.to_numpy()
treated = trial["treated"].to_numpy()
with pm.Model(coords={"hospital": names, "patient": trial["patient"].to_numpy()}) as model:
    intercept = pm.Normal("intercept", 140, 20)
    treatment_effect = pm.Normal("treatment_effect", 0, 10)
    hospital_sd = pm.HalfNormal("hospital_sd", 5)
    patient_sd = pm.HalfNormal("patient_sd", 20)
    u = pm.Normal("u", 0, hospital_sd, dims="hospital")
    mean = intercept + treatment_effect * treated + u[code]
    pm.Normal("sbp", mean, patient_sd, observed=trial["sbp"].to_numpy(), dims="patient")

# %% [markdown]
# Six of these lines are distributions. Four are the sentences of the table. `u` is the random effect
# of lessons 3 to 10. The last, with `observed`, is the likelihood. (`u[code]` gives each patient the
# effect of his hospital.)
#
# Now sample. A <dfn>Markov chain</dfn> wanders through the parameters: each draw starts from the one
# before, by steps chosen so that it spends its time in proportion to the posterior. <dfn>NUTS</dfn>
# chooses the steps by rolling downhill like a ball in a bowl that is deep where the posterior is
# high, and stops before it rolls back.
#
# - `draws=1000, chains=4, cores=2`: four chains of 1,000 draws, to be compared, two at a time.
# - `tune=1000`: steps before that, in which each chain finds its way. They are thrown away.
# - `nuts_sampler="nutpie"`: a fast program for NUTS. Say it, or PyMC picks one for you.
# - `random_seed=1`: the same draws each time. `progressbar=False, quiet=True`: no running report.

# %%
SAMPLE = dict(draws=1000, tune=1000, chains=4, cores=2, nuts_sampler="nutpie", random_seed=1)
with model:
    idata = pm.sample(**SAMPLE, progressbar=False, quiet=True)
draws_verdict = bayes.diagnose(idata)
print(draws_verdict.sentence)

# %% [markdown]
# `diagnose` asks whether the four chains tell the same story (an R-hat near 1 says yes), and how many
# *independent* draws they are worth: a chain that wanders slowly repeats itself. These passed. Lesson
# 12 is about chains that fail, and explains each of these words.
#
# Other draws would give other averages. That error is the computer's, not the trial's: the <dfn>Monte
# Carlo error</dfn>. For a mean it is the posterior SD divided by the square root of the number of
# independent draws. `bayes.summary` gives it as `mcse`. So here is a fair test of PyMC: its means
# should lie within a few Monte Carlo errors of the exact ones. The exact posterior has the same four
# priors (`beta` holds means and SDs of the line's two).

# %%
judge = exact.posterior(trial["sbp"], X, trial["hospital"], **sds, beta=([140, 0], [20, 10]))
by_exact = judge.parameters.rename({"tau": "hospital_sd", "sigma": "patient_sd"})
u_exact = judge.hospitals[["mean", "sd"]].rename(lambda name: f"u[{name}]")
by_exact = pd.concat([by_exact, u_exact])
by_pymc = bayes.summary(idata).loc[by_exact.index]
side = by_pymc[["mean", "mcse", "sd"]].join(by_exact.add_suffix(", exact"))
gap = (side["mean"] - side["mean, exact"]).abs() / side["mcse"]
print(f"all {len(gap)} means agree with the exact posterior within 5 MCSE:", (gap < 5).all())
print("each MCSE is below a tenth of its posterior SD:", (side["mcse"] < side["sd"] / 10).all())
side.round(2)

# %% [markdown]
# Fourteen numbers by two routes, and the differences are no larger than chance between draws makes
# them. Look at the draws themselves, and at the effect with its prior.

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.7))
draw_chains(left, idata.posterior["hospital_sd"])
left.set(ylabel="hospital_sd (mmHg)", title="two of the chains")
look = dict(density=True, color=plots.PALETTE["posterior"], alpha=0.35)
right.hist(idata.posterior["treatment_effect"].to_numpy().ravel(), 50, label="4,000 draws", **look)
at, label = np.linspace(-22, 12, 300), "exact posterior"
draw_beliefs(right, judge, "treatment_effect", stats.norm(0, 10), at, label=label)
right.set(xlabel="treatment effect (mmHg)", title="the effect")
right.text(5, stats.norm.pdf(5, 0, 10) + 0.006, "prior")
right.legend(loc="upper right")
plots.show(
    fig,
    alt="Left: two chains wander over the same range of hospital_sd, mostly between 2 and 8 mmHg. Right: the histogram of 4,000 draws of the treatment effect follows the exact posterior, a hill around -6 mmHg, far narrower than the prior.",
)

# %% [markdown]
# Left: two chains wander over the same ground. Right: the draws pile up under the exact curve. The
# two routes have nothing in common but the model. When they agree, trust the arithmetic of both.
# (Whether the *model* is right is another question.)
#
# Why learn PyMC, if `exact` is exact? Because `exact` knows three models and PyMC knows any. In the
# coming lessons you change a line of the story, and no curve will be at hand.

# %% [markdown]
# ### Exercise E11.3 · Two errors
#
# PyMC reports for a treatment effect: mean −6.4, sd 3.2, mcse 0.06 mmHg. A colleague writes "the
# effect is −6.4 ± 0.12 mmHg". What do you tell her?
#
# - **a** Right: 0.06 is the standard error, and twice that makes a 95 % interval.
# - **b** Draw more: with 40,000 draws the sd of 3.2 would be about 1.0.
# - **c** 0.06 is about the draws, 3.2 is about the effect. Report the posterior interval.
# - **d** 0.06 and 3.2 disagree, so the chains have not found the posterior.

# %%
# BEGIN SOLUTION
two_errors = "c"
# END SOLUTION

# %%
check("E11.3", two_errors)

# %% [markdown]
# ## Five lenses on one trial
#
# Five ways to look at the same 220 patients: least squares, the same with cluster-robust errors
# (lesson 2), `MixedLM`, our own REML, and PyMC. `bayes.lenses` fits the first four and adds the
# draws.

# %%
predict(
    "P11.3",
    "MixedLM's 95 % interval for the protocol's effect is 14.8 mmHg long. It takes hospital_sd for "
    "known and leaves the rest to t. PyMC does not take it for known, but has priors. Its interval is",
    choices=["more than 5 % longer", "as long, within 5 %", "more than 5 % shorter"],
)

# %% tags=["nbval-check-output"]
seen = bayes.lenses("sbp ~ treated", trial, groups="hospital", effect="treated", idata=idata)
print(seen.table.drop("PyMC").astype(float).round(1).to_string(na_rep=""))
width = seen.table["upper"] - seen.table["lower"]
ratio = width["PyMC"] / width["MixedLM"]
print("PyMC's interval is longer than that of OLS:", width["PyMC"] > width["OLS"])
answers = ["more than 5 % longer", "as long, within 5 %", "more than 5 % shorter"]
reveal("P11.3", answers[int(ratio < 1.05) + int(ratio < 0.95)])

# %%
things = ["naive", "cluster-robust", "random intercept", "random intercept", "posterior"]
fig, ax = plt.subplots(figsize=(8.5, 3.4))
for row, (name, thing) in enumerate(zip(seen.table.index, things, strict=True)):
    estimate, low, high = seen.table.loc[name, ["estimate", "lower", "upper"]]
    ax.plot([low, high], [row, row], color=plots.PALETTE[thing], linewidth=5)
    ax.plot(estimate, row, "o", color="white", markeredgecolor=plots.PALETTE[thing], markersize=9)
ax.axvline(-5, color=plots.PALETTE["truth"], linestyle=":")
ax.axvline(0, color="0.6", linewidth=1)
ax.text(-4.8, -0.75, "truth")
ax.set_yticks(range(5), seen.table.index)
ax.set(xlabel="treatment effect (mmHg), 95 % interval", ylim=(4.6, -1.1))
plots.show(
    fig,
    alt="Five intervals for the treatment effect. OLS is much the shortest. Cluster-robust OLS and PyMC are about equally long, MixedLM and our own REML the longest and identical. PyMC's middle is the nearest to 0. All hold the truth of -5.",
)

# %% [markdown]
# OLS is far too sure; you know why. The two REML fits are one fit by two programs. PyMC's middle
# lies a little nearer to 0, where the prior is. And its interval is shorter. Which of the priors did
# that? Take them away, one at a time. (`exact` takes an SD of `np.inf` for a flat prior. A scale of
# 1,000 mmHg is nearly flat.)

# %% tags=["nbval-check-output"]
flat_sd = sds | dict(tau=stats.halfnorm(scale=1000))
kinds = {
    "both priors, as in PyMC": (sds, 10),
    "effect flat": (sds, np.inf),
    "hospital_sd flat": (flat_sd, 10),
    "both flat": (flat_sd, np.inf),
}
for name, (scales, effect_sd) in kinds.items():
    beta = ([140, 0], [20, effect_sd])
    without = exact.posterior(trial["sbp"], X, trial["hospital"], **scales, beta=beta)
    low, high = without.interval("treatment_effect")
    print(f"{name:24} {low:5.1f} to {high:4.1f}, length {high - low:.1f} mmHg")

# %% [markdown]
# With both flat the interval is *longer* than `MixedLM`'s 14.8. `MixedLM` puts `hospital_sd` at the
# top of the hill and takes it for known; t repairs that afterwards (lesson 5). Here the effect is
# averaged over all values of `hospital_sd`, each with its share, and large ones have a share too.
# Each prior then rules out something, and takes one to two mmHg off. So a posterior interval is not
# shorter because it is Bayesian. It is shorter by what the priors know, if they know it rightly.
#
# The same things have other names:
#
# | lessons 1 to 10 | here |
# | --- | --- |
# | estimate | posterior mean (or median) |
# | standard error | posterior SD |
# | confidence interval, profile interval | posterior interval |
# | random effects: "normal, with SD hospital_sd" | the prior of `u` |
# | BLUP and its error | posterior mean and SD of `u` |
# | restricted likelihood | likelihood, the line with a flat prior |
# | converged? | do the chains agree? |
# | p-value | no counterpart. P(effect > 0) is something else |
#
# (`seen.names` says it in code.)
#
# ### The claim on trial: Bayesian estimation
#
# The claim: *Bayesian models use Bayesian statistics to estimate the parameters.* It sounds as if a
# different statistics took over. Put it to the test with what you built. Divide the exact posterior
# of `hospital_sd` (with the flat prior for the line) by its prior. If Bayes only multiplies, lesson
# 5's restricted likelihood must come back.

# %% tags=["nbval-check-output"]
flat_line = exact.posterior(trial["sbp"], X, trial["hospital"], **sds)
inner = hospital_grid[(hospital_grid > 0.5) & (hospital_grid < 14)]
left_over = np.log(flat_line.density("tau", inner)["density"] / stats.halfnorm.pdf(inner, scale=5))
curve = likelihood.profile_loglik(sums, inner)
apart = np.ptp(left_over.to_numpy() - curve)  # 0 if they differ by a constant only
same_curve, same_draws = apart < 0.1, draws_verdict.ok and (gap < 5).all()
ruling = "true, but says little" if same_curve and same_draws else "look again"
verdict(
    "C8",
    ruling,
    "posterior divided by prior gives back the restricted likelihood of lesson 5: over a range in which "
    f"its logarithm falls by {np.ptp(curve):.0f}, the two curves differ by less than 0.1. The data speak through the same "
    "likelihood in both. Bayesian is what is added, a prior for every parameter, and what comes out, "
    "a distribution and not a top with an error.",
)

# %% [markdown]
# (Less than 0.1, but not 0: lesson 5 put `patient_sd` at its best value, and here it is averaged
# over.)
#
# ## Two promises
#
# PyMC's interval is a 95 % interval, and so is `MixedLM`'s. What does each promise?
#
# - *Confidence*: whatever the true effect is, in 95 % of repeated trials the interval will hold it.
# - *Posterior*: if effects come as my prior says, then of all trials that look like this one, 95 %
#   have their effect in the interval.
#
# Test both, on 16,000 small trials: six hospitals of 20 patients, three of them trained. To see the
# difference we take a firm prior for the effect, SD 5. Each trial gets its true effect,
# `hospital_sd` and `patient_sd` *from the priors*. `draw_posteriors` gives each the t interval of
# lesson 2 on the hospitals' means, and the exact posterior interval.

# %%
predict(
    "P11.4",
    "Pick out the trials whose estimate is beyond 12.5 mmHg, up or down. In what share of them does "
    "the 95 % confidence interval hold the true effect?",
    choices=["about 95 %", "about 85 %", "about 60 %"],
)

# %% tags=["nbval-check-output"]
small = dict(n_hospitals=6, patients_per_hospital=20)
firm = Priors(effect_sd=5, hospital_sd=5, patient_sd=20)
many = draw_posteriors(16_000, **small, priors=firm, rng=114)
for name, column in {"confidence": "t_holds", "posterior": "posterior_holds"}.items():
    print(f"{name:10} interval holds the truth in {100 * many[column].mean():.0f} % of all trials")
edges = [0, 2.5, 5, 7.5, 10, 12.5]
kept = {thing: coverage_by_size(many, thing, edges) for thing in ["estimate", "treatment_effect"]}
far = 100 * kept["estimate"].loc["beyond", "confidence"]
choices = {"about 95 %": 95, "about 85 %": 85, "about 60 %": 60}
reveal("P11.4", min(choices, key=lambda choice: abs(choices[choice] - far)))

# %%
fig, ax = plt.subplots(figsize=(6.5, 4.6))
some = many.head(4000)
ax.axvspan(9.5, 10.5, color=plots.PALETTE["hospital means"], alpha=0.3, linewidth=0)
ax.axhspan(12.5, 13.5, color=plots.PALETTE["posterior"], alpha=0.4, linewidth=0)
ax.plot(some["treatment_effect"], some["estimate"], ".", color="0.4", markersize=2.5)
ax.axline((0, 0), slope=1, color=plots.PALETTE["truth"], linestyle=":")
ax.text(10, -19, "one truth", ha="center")
ax.text(-17.5, 14.3, "one estimate")
ax.text(16.8, 19, "equal", ha="right")
ax.set(xlim=(-18, 18), ylim=(-21, 21), xlabel="true effect (mmHg)", ylabel="estimate (mmHg)")
plots.show(
    fig,
    alt="A tilted cloud of 4,000 trials, the estimate against the true effect. In the upright band, at a truth of 10 mmHg, estimates lie around 10. In the level band, at estimates near 13 mmHg, nearly all truths are smaller than the estimate, mostly between 0 and 12.",
)

# %% [markdown]
# Each dot is a trial. Confidence looks along the upright band: one truth, all estimates that it can
# give. They lie around the dotted line, where both are equal. Posterior looks along the level band:
# one estimate, all truths that can have given it. Nearly all lie left of the line, nearer to 0,
# because large effects are rare and lucky trials are not. How often do the intervals hold the truth
# in each direction?

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.8), sharey=True)
nouns = {"estimate": "estimate", "treatment_effect": "true effect"}
for ax, (thing, noun) in zip(axes, nouns.items(), strict=True):
    colours = [plots.PALETTE["hospital means"], plots.PALETTE["posterior"]]
    shares = 100 * kept[thing][["confidence", "posterior"]]
    shares.plot(ax=ax, style=["-o", "-s"], color=colours, legend=ax is axes[0])
    ax.axhline(95, color=plots.PALETTE["truth"], linestyle=":", linewidth=1.2)
    ax.set(title=f"sorted by the {noun}", xlabel=f"size of the {noun} (mmHg)", ylim=(35, 101))
axes[0].set_ylabel("interval holds the truth (%)")
plots.show(
    fig,
    alt="Coverage of two intervals. Sorted by the size of the estimate, the posterior interval stays at 95 % and the confidence interval falls to below 90 % for the largest estimates. Sorted by the size of the true effect, the confidence interval stays at 95 % and the posterior interval falls below 60 % for the largest.",
)

# %% [markdown]
# Over all trials both hold the truth in 95 %. Sort the trials, and each keeps its own promise only.
#
# Left, sorted by the estimate. The posterior interval keeps its 95 % whatever was seen. The
# confidence interval does not: behind a huge estimate there is much luck, and it follows the luck.
#
# Right, sorted by the true effect. Now the confidence interval keeps its 95 % for every truth. The
# posterior interval does not: where the truth is one that the prior found hard to believe, it is
# missed often. (The points furthest right rest on some 200 trials.)
#
# Neither is wrong. If you sit with one trial and believe the prior, you are in the left panel. A
# regulator who must judge drugs whatever their makers believe is in the right one.
#
# The left panel has a condition: truths came from the prior. A real drug has one true effect, and it
# does not ask you. Fix it, and score both again, now with `hospital_sd` 4 and `patient_sd` 12.

# %% tags=["nbval-check-output"]
board = {}
for effect in [0, -5, -10, -15]:
    fixed = dict(treatment_effect=effect, hospital_sd=4, patient_sd=12)
    trials = draw_posteriors(4000, **small, priors=firm, truth=fixed, rng=115)
    for name, middle in {"t": "estimate", "posterior": "posterior_mean"}.items():
        error = trials[middle] - effect
        wide = (trials[f"{name}_upper"] - trials[f"{name}_lower"]).mean()
        held = round(100 * trials[f"{name}_holds"].mean())
        board[f"truth {effect}, {name}"] = [error.mean(), (error**2).mean() ** 0.5, wide, held]
columns = ["bias (mmHg)", "typical error (mmHg)", "width (mmHg)", "coverage (%)"]
print(pd.DataFrame.from_dict(board, "index", columns=columns).round(1).to_string())

# %% [markdown]
# The prior is a bargain. For effects that it finds believable (0 and −5) the posterior errs less,
# its interval is far shorter, and it still holds the truth. At two prior SDs (−10) the bargain has
# turned: it errs more than the plain difference. At three (−15) it is pulled towards 0 by about 7
# mmHg, and misses about half of the time. The t interval promises the same to all truths, and pays
# with width.
#
# So report your prior as you report your design. And if a conclusion would change with another
# prior that a reasonable colleague might hold, say so. Lesson 13 is about that.

# %% [markdown]
# ### Exercise E11.4 · Which sentence is allowed?
#
# A trial with eight hospitals. t interval for the effect: −11.9 to 0.7 mmHg. Posterior interval,
# with a normal prior around 0 with SD 10: −10.6 to 0.5. Which sentence may stand in the report?
#
# - **a** Whatever the true effect is, 95 % of posterior intervals with this prior would hold it.
# - **b** Given these data, and for those who share the prior, the effect lies between −10.6 and 0.5
#   with probability 95 %.
# - **c** The effect lies between −11.9 and 0.7 with probability 95 %, and this needs no prior.
# - **d** As the two intervals are so alike, they mean the same.

# %%
# BEGIN SOLUTION
allowed = "b"
# END SOLUTION

# %%
check("E11.4", allowed)

# %% [markdown]
# ## What prior knowledge is worth
#
# Two experts plan a trial of the protocol. The *optimist* has read earlier trials and expects −5
# mmHg. The *pessimist* thinks that protocols distract nurses, and expects +5. Both are sure to an SD
# of 5 mmHg. What do they believe after a trial with 5 hospitals, and after one with 40? (20 patients
# each. The truth is −5, so the optimist happens to be right.)

# %%
predict(
    "P11.5",
    "Before the trial the two experts are 10 mmHg apart. After 5 hospitals their posterior means are "
    "still 4 to 6 mmHg apart. And after 40 hospitals?",
    choices=["about 3 mmHg", "about 1 mmHg", "about 0.1 mmHg"],
)


# %%
def after(n_hospitals, mean):
    plan = dict(n_hospitals=n_hospitals, patients_per_hospital=20, assignment="hospital")
    data = med_trial(**plan, **truth, rng=2).data
    X = pd.DataFrame({"intercept": 1.0, "treatment_effect": data["treated"]})
    return exact.posterior(data["sbp"], X, data["hospital"], **sds, beta=([140, mean], [20, 5]))


believed = {-5: "optimist", 5: "pessimist"}
experts = {(j, mean): after(j, mean) for j in [5, 40] for mean in believed}
means = {key: found.parameters.loc["treatment_effect", "mean"] for key, found in experts.items()}

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.6))
for j, ax in zip([5, 40], axes, strict=True):
    for mean, dash in {-5: "-", 5: "--"}.items():
        belief, look = stats.norm(mean, 5), dict(label=believed[mean], dash=dash)
        draw_beliefs(
            ax, experts[j, mean], "treatment_effect", belief, np.linspace(-18, 12, 301), **look
        )
    ax.set(title=f"{j} hospitals", xlabel="treatment effect (mmHg)")
axes[1].legend()
plots.show(
    fig,
    alt="Posteriors of the effect in pink and priors in light blue, solid for the optimist and dashed for the pessimist. After five hospitals the two posteriors lie several mmHg apart; after forty they nearly coincide around -6 mmHg.",
)

# %% [markdown]
# Light blue are the priors, pink the posteriors. Left, five hospitals: each posterior is a compromise
# between prior and data, and the experts still disagree. Right, forty hospitals: the two nearly
# coincide, whatever was believed.
#
# You can compute this by hand. With known standard deviations a trial of $J$ hospitals, half of them
# treated, estimates the effect with variance
# $\frac{4}{J}\left(\text{hospital\_sd}^2 + \frac{\text{patient\_sd}^2}{n}\right)$ (lesson 7). A
# normal prior with SD $s$ is one more estimate, with variance $s^2$. So it is worth as much as the
# number of hospitals that would give the same variance:
#
# $$J_\text{prior} = \frac{4}{s^2}\left(\text{hospital\_sd}^2 +
# \frac{\text{patient\_sd}^2}{n}\right)$$
#
# The posterior mean is the average of prior mean and estimate, with weights $J_\text{prior}$ and
# $J$. It is the shrinkage weight of lesson 3 again.

# %%
worth = 4 / 5**2 * (4**2 + 12**2 / 20)
print(f"a prior with SD 5 mmHg is worth {worth:.1f} hospitals of 20 patients")
for j in [5, 40]:
    print(f"{j} hospitals: by hand 10 x {worth:.1f} / ({worth:.1f} + {j}) =", end=" ")
    print(f"{10 * worth / (worth + j):.1f} mmHg apart; exact {means[j, 5] - means[j, -5]:.1f}")
apart = means[40, 5] - means[40, -5]
choices = {"about 3 mmHg": 3, "about 1 mmHg": 1, "about 0.1 mmHg": 0.1}
reveal("P11.5", min(choices, key=lambda choice: abs(choices[choice] - apart)))

# %% [markdown]
# The hand calculation takes the standard deviations as known and the arms as equal. So it is near,
# not exact; in a single trial with few hospitals the estimated noise can be far from the true one.
#
# One trial is an anecdote. Score the experts in 2,000 trials of each size, and a colleague without
# a prior (the difference of the arms' means) beside them.

# %%
numbers, errors, difference = [5, 10, 20, 40, 80], {}, {}
for j in numbers:
    error = {}
    for mean, name in believed.items():
        priors = Priors(effect_mean=mean, effect_sd=5, hospital_sd=5, patient_sd=20)
        plan = dict(n_hospitals=j, patients_per_hospital=20, truth=truth, rng=116)
        trials = draw_posteriors(2000, **plan, priors=priors)
        error[name] = trials["posterior_mean"] + 5
    error["no prior"] = trials["estimate"] + 5
    errors[j] = {name: (off**2).mean() ** 0.5 for name, off in error.items()}
    difference[j] = (error["pessimist"] - error["optimist"]).mean()
errors = pd.DataFrame(errors).T

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.7))
POSTERIOR, MEANS = plots.PALETTE["posterior"], plots.PALETTE["hospital means"]
errors.plot(ax=left, style=["-o", "--s", ":^"], color=[POSTERIOR, POSTERIOR, MEANS])
right.plot(pd.Series(difference), "-o", color=POSTERIOR)
right.axhline(10, color=plots.PALETTE["prior"], linestyle="--")
right.text(80, 9.2, "before the trial", ha="right", color="0.25")
left.set(ylabel="typical error of the effect (mmHg)", ylim=(0, 6))
right.set(ylabel="experts' difference (mmHg)", ylim=(0, 10.8))
plots.log_axis(left, numbers, "hospitals")
plots.log_axis(right, numbers, "hospitals")
plots.show(
    fig,
    alt="Left: typical error against the number of hospitals. With five hospitals the optimist errs much less than the colleague without a prior, the pessimist more; with 40 and 80 the three lines meet. Right: the experts' difference falls from over 4 mmHg with five hospitals to less than 1 with 40.",
)

# %% [markdown]
# Left: with five hospitals the optimist, who is right, errs far less than the colleague without a
# prior. The pessimist, who is wrong by two of his SDs, errs more. With 40 hospitals it hardly
# matters who you were. Right: how far apart the two end up.

# %% tags=["nbval-check-output"]
helps = errors.loc[5, "optimist"] < 0.8 * errors.loc[5, "no prior"]
harms = errors.loc[5, "pessimist"] > 1.05 * errors.loc[5, "no prior"]
fades = (
    difference[5] > 3 and difference[40] < 1 and errors.loc[40].max() < 1.25 * errors.loc[40].min()
)
ruling = "holds, where hospitals are few" if helps and harms and fades else "look again"
verdict(
    "C10",
    ruling,
    "with 5 hospitals of 20, two experts 10 mmHg apart before the trial stayed "
    f"{difference[5]:.1f} mmHg apart; with 40, {difference[40]:.1f}. Knowledge that was right cut the typical error "
    f"from {errors.loc[5, 'no prior']:.1f} to {errors.loc[5, 'optimist']:.1f} mmHg with 5 hospitals; knowledge that was wrong "
    f"raised it to {errors.loc[5, 'pessimist']:.1f}. A prior is worth a number of hospitals: compare it with yours.",
)

# %% [markdown]
# ### Exercise E11.5 · What is a prior worth?
#
# In a planned trial `hospital_sd` is 4 mmHg and `patient_sd` 12. Each hospital has 24 patients, and
# half of the hospitals are treated. How many hospitals is a normal prior with SD 4 mmHg for the
# effect worth? (One decimal.)

# %%
# BEGIN SOLUTION
prior_worth = 4 / 4**2 * (4**2 + 12**2 / 24)
# END SOLUTION

# %%
check("E11.5", prior_worth)

# %% [markdown]
# ### Exercise E11.6 · Spot the flaw
#
# From a report:
#
# 1. Six hospitals with 140 patients took part; three were randomised to the protocol.
# 2. To use what is known, the prior of the effect was normal with mean −6.3 and SD 3.1 mmHg, the
#    estimate and standard error that a mixed model of these patients had given.
# 3. `hospital_sd` had half of a normal curve with scale 5 mmHg as its prior.
# 4. Four chains of 1,000 draws agreed, and the Monte Carlo error of the effect was 0.05 mmHg.
# 5. Given data and priors, the effect lies between −10.6 and −1.9 mmHg with probability 95 %.
#
# Which sentence holds the mistake, and why?
#
# - **a** A prior with an SD of 3.1 mmHg is too narrow for an effect.
# - **b** With so few hospitals the priors must be flat.
# - **c** A normal prior cannot be used for an effect, which may be positive or negative.
# - **d** The prior was made from the data that it then meets, so the patients count twice.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (2, "d")
# END SOLUTION

# %%
check("E11.6", flaw)

# %% [markdown]
# ### Exercise E11.7 · Your own hospitals
#
# `own_hospitals(11)` is a trial by hospital that nobody else has. Does the treatment lower the mean
# pressure at all? By more than 3 mmHg, which would be worth its cost? By more than 6? One posterior
# answers all three. Give the **three posterior probabilities** as a list in this order, each to two
# decimals. Priors: the effect normal around 0 with SD 5; `hospital_sd` and `patient_sd` half of a
# normal curve with scales 5 and 20; the intercept flat.
#
# `.cdf(name, value)` of an exact posterior gives the probability at or below a value. (PyMC would do
# as well. But with so few hospitals its chains often get stuck where `hospital_sd` is near 0, and
# `diagnose` then says so. Lesson 12 shows why, and what helps.)

# %%
mine = own_hospitals(11).data
mine.groupby(["treated", "hospital"], observed=True)["sbp"].agg(["size", "mean"]).round(1)

# %%
# BEGIN SOLUTION
my_X = pd.DataFrame({"intercept": 1.0, "treatment_effect": mine["treated"]})
my_beta = ([140, 0], [np.inf, 5])
my_sds = dict(tau=stats.halfnorm(scale=5), sigma=stats.halfnorm(scale=20))
my_posterior = exact.posterior(mine["sbp"], my_X, mine["hospital"], **my_sds, beta=my_beta)
my_probabilities = [my_posterior.cdf("treatment_effect", limit) for limit in [0, -3, -6]]
# END SOLUTION

# %%
check("E11.7", my_probabilities)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - Posterior ∝ prior × likelihood. The likelihood is the one that REML climbs.
# - A random effect is a prior, one whose width is learned from the data.
# - Priors are sentences about patients. Simulate patients from them before you see any: a vague
#   prior can be sure of impossible things.
# - PyMC draws from the posterior. Its Monte Carlo error is about the draws, the posterior SD about
#   the effect. Where an exact answer exists, compare.
# - A posterior interval speaks about this trial, to those who share its prior. A confidence interval
#   speaks about repeated trials, for every truth. Each breaks the other's promise.
# - A prior is worth $\frac{4}{s^2}(\text{hospital\_sd}^2 + \text{patient\_sd}^2/n)$ hospitals. It
#   matters when yours are few.
# - Make priors before you see the outcomes, never from them, and report them.
#
# ## Limits
#
# One model with a random intercept; whole hospitals treated; normal priors and half-normal ones.
# Other shapes of prior, above all for `hospital_sd`, are lesson 13's. In the two experiments
# analysis and simulation used the same model; with a wrong model neither promise is kept (lesson
# 10). A frequentist can use outside knowledge too, for example by pooling earlier trials with this
# one; the prior is one way to do it.
#
# ## Further reading
#
# - Gelman A, Carlin JB, Stern HS, Dunson DB, Vehtari A, Rubin DB (2013). *Bayesian Data Analysis*,
#   3rd edition. CRC Press. Chapters 1, 2 and 5: Bayes' rule, one parameter, hierarchical models.
# - Spiegelhalter DJ, Abrams KR, Myles JP (2004). *Bayesian Approaches to Clinical Trials and
#   Health-Care Evaluation*. Wiley. Sceptical and enthusiastic priors, and priors worth a number of
#   patients, with many real trials.
# - Gabry J, Simpson D, Vehtari A, Betancourt M, Gelman A (2019). Visualization in Bayesian workflow.
#   *Journal of the Royal Statistical Society, Series A* 182(2):389-402. Prior predictive checks on
#   real measurements of air pollution.
# - Harville DA (1974). Bayesian inference for variance components using only error contrasts.
#   *Biometrika* 61(2):383-385. Shows that REML is the likelihood with a flat prior on the line.
# - Rubin DB (1984). Bayesianly justifiable and relevant frequency calculations for the applied
#   statistician. *Annals of Statistics* 12(4):1151-1172. The two promises of this lesson, and why to
#   care for both.
