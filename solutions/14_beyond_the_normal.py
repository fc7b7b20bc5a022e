# ---
# jupyter:
#   course:
#     question: Nothing on your ward is normal. Which part of the model do you change, and how do you know?
#     reading_minutes: 50
#     exercise_minutes: 40
#     needs: [13]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 14 Beyond the normal
#
# > Nothing on your ward is normal. Which part of the model do you change, and how do you know?
#
# Reading: 50 minutes. Exercises: 40 minutes. First do
# [lesson 13](13_priors_under_pressure.ipynb).
#
# ## What you will be able to do
#
# - Let a fitted model invent data, and hold them against the real ones.
# - Choose checks that can fail.
# - Give patients another distribution: heavy tails, and an SD for each group.
# - Say what a wrong shape of the hospitals costs, and who pays.
# - Model deaths and infections: log odds, rates, offsets.
# - Tell the odds ratio in a hospital from the odds ratio of the averages.

# %%
import arviz as az
import matplotlib.pyplot as plt
import nutpie
import numpy as np
import pandas as pd
import pymc as pm
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import optimize, stats
from scipy.special import expit

from utils import bayes, datasets, exact, plots
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.marginal import average_risk, odds
from utils.predictive_figures import draw_check, draw_coverage, draw_intervals, tail_share
from utils.simulate import med_trial
from utils.widgets import marginal_explorer

plots.set_style()
bayes.set_up()

# %% [markdown]
# ## A model that invents patients
#
# Lesson 10 left a patient behind. In `azpro`, 3,589 heart patients of 17 hospitals, angioplasty
# patients' days in hospital scatter more than bypass patients', also after taking logs. One
# `patient_sd` for both is wrong. There you saw it in residuals. Here is a way that works for any
# model, whatever its shape.
#
# You know the prior predictive: patients imagined *before* the data. Do the same *after* the data.
# Draw parameters from the posterior, then a new outcome for each patient from the parameters. If the
# model is right, the invented data look like the real ones. Choose a number, compute it from many
# invented data sets and from the real one, and compare: a <dfn>posterior predictive check</dfn>.
#
# The normal model needs no sampler: `exact.posterior` gives independent draws.

# %%
azpro = datasets.load("azpro")
y, cabg = np.log(azpro["los"].to_numpy(float)), azpro["cabg"].to_numpy(int)
X = azpro[["cabg", "male", "urgent", "age75"]].astype(float).assign(intercept=1.0)
names, at = np.unique(azpro["hospital"].astype(str), return_inverse=True)
sds = dict(tau=stats.halfnorm(scale=0.5), sigma=stats.halfnorm(scale=1))
normal = exact.posterior(y, X, azpro["hospital"].astype(str), **sds).draws(400, rng=14)
rng = np.random.default_rng(141)
mean = normal["beta"] @ X.to_numpy().T + normal["effect"][:, at]
invented = {"normal": rng.normal(mean, normal["sigma"][:, None])}  # 400 data sets of 3,589


# %%
predict(
    "P14.1",
    "Three numbers are computed from each invented data set: the mean of all patients, the SD of all "
    "patients, and the SD of the angioplasty patients divided by that of the bypass patients. Which of "
    "them will give the wrong shape away?",
    choices=["mean", "SD of all", "ratio of the SDs", "all three"],
)


# %%
def numbers_of(values):  # values: one row a data set
    ratio = values[:, cabg == 0].std(axis=1) / values[:, cabg == 1].std(axis=1)
    return {"mean": values.mean(axis=1), "SD of all": values.std(axis=1), "ratio of the SDs": ratio}


seen = {name: value[0] for name, value in numbers_of(y[None]).items()}
replicas = numbers_of(invented["normal"])
tails = pd.Series({name: tail_share(replicas[name], seen[name]) for name in seen})
failed = list(tails.index[tails < 0.025])
reveal("P14.1", failed[0] if len(failed) == 1 else "all three")

# %%
fig, axes = plt.subplots(1, 3, figsize=(10, 3.3))
for ax, name in zip(axes, seen, strict=True):
    draw_check(ax, replicas[name], seen[name])
    ax.set(title=name, xlabel="log days" if "ratio" not in name else "angioplasty / bypass")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
plots.show(
    fig,
    alt="Three histograms of 400 invented data sets with the observed number as a black line. The mean and the SD of all patients: the line is in the middle. The ratio of the SDs: the replicates lie around 1.0, the observed ratio is above 1.7, far to the right.",
)

# %% [markdown]
# Left and middle: the model's data have the right mean and the right SD. They must: it has a
# parameter for each, and fitted it. Right: with one SD for everybody the ratio comes out near 1, and
# the real one is above 1.7. Not one of 400 invented data sets comes near.
#
# The share of replicates beyond the observed line, on its smaller side, is the *tail share*. At most
# it is .5: the line is in the middle. Below .025 it is out of the middle 95 %. Here it is 0. Do not
# make a test of it: nothing hangs on .024 against .026. Look at the picture.
#
# So a check is as good as its question. Ask for something that the model did *not* fit, and that
# matters for your decision.
#
# ### Exercise E14.1 · Who falls out of the common interval?
#
# A model gives all patients an SD of 0.50 log days, so its 95 % interval is the mean ± 1.96 × 0.50.
# In truth a calm group of patients has an SD of 0.40. Which share of them falls *outside*? (Normal
# errors; three decimals.)

# %%
# BEGIN SOLUTION
calm_outside = 2 * stats.norm.sf(1.96 * 0.50 / 0.40)
# END SOLUTION

# %%
check("E14.1", calm_outside)

# %% [markdown]
# ### Exercise E14.2 · A check that passed
#
# "We simulated 1,000 data sets from the fitted model. The mean outcome of the data lay right in the
# middle of theirs (tail share .49). The model fits." What do you answer?
#
# - **a** Right: .49 is as good as it gets.
# - **b** .49 is suspicious: it should be below .05.
# - **c** The mean was fitted, so this check could not fail. Check something that the model left alone.
# - **d** 1,000 are too few. With 100,000 the check would be sharp.

# %%
# BEGIN SOLUTION
check_answer = "c"
# END SOLUTION

# %%
check("E14.2", check_answer)

# %% [markdown]
# ## Change one line
#
# In PyMC the likelihood is a line, and you can write another one. Two changes:
#
# - `patient_sd` has `dims="procedure"`: an SD for each of the two.
# - `StudentT` in place of `Normal`. A <dfn>t distribution</dfn> is a normal curve with heavy tails.
#   Its *degrees of freedom* (`tail_df`) say how heavy: 3 is wild, 30 is nearly normal. We do not
#   know, so it gets a prior.
#
# Many patients per hospital: the centred form (lesson 12).

# %%
with pm.Model(coords={"hospital": names, "procedure": ["angioplasty", "bypass"]}) as model:
    slopes = [pm.Normal(name, 0, 1) for name in ["cabg", "male", "urgent", "age75"]]
    intercept = pm.Normal("intercept", 1, 1)
    hospital_sd = pm.HalfNormal("hospital_sd", 0.5)
    patient_sd = pm.HalfNormal("patient_sd", 1, dims="procedure")
    tail_df = pm.Gamma("tail_df", 2, 0.1)
    hospital_mean = pm.Normal("hospital_mean", intercept, hospital_sd, dims="hospital")
    centre = hospital_mean[at] + sum(b * X[b.name].to_numpy() for b in slopes)
    pm.StudentT("log_days", tail_df, centre, sigma=patient_sd[cabg], observed=y)

# %% tags=["nbval-check-output"]
SAMPLE = dict(draws=1000, tune=1000, chains=4, cores=2, nuts_sampler="nutpie", random_seed=1)
with model:
    idata = pm.sample(**SAMPLE, progressbar=False, quiet=True)
print("these draws can be used:", bayes.diagnose(idata).ok)
shown = bayes.summary(idata).loc[["patient_sd[angioplasty]", "patient_sd[bypass]", "tail_df"]]
angioplasty, bypass = shown["mean"].iloc[:2]
print("angioplasty patients scatter more than bypass patients:", angioplasty > 1.5 * bypass)
below_30 = float((idata.posterior["tail_df"] < 30).mean())
print("tails heavier than normal, tail_df below 30 in 99 % of draws:", below_30 > 0.99)

# %% [markdown]
# `SAMPLE` is lesson 11's: 4 chains of 1,000 draws, after 1,000 of warm-up. The draws are usable.
# In numbers:

# %%
shown[["mean", "sd"]].round(2)

# %% [markdown]
# An angioplasty patient's days are much harder to foretell, and the tails are heavier than normal:
# `tail_df` is about 12. (The SD of a t distribution is larger than its `sigma`: times √(df/(df − 2)), here about 1.1.)
#
# Let this model invent patients, too, and ask the same question. Ask another one: what share of each
# group lies inside *its* 95 % prediction interval? The normal model's held about 90 % of the
# angioplasty patients. That is one in ten outside, where one in twenty was promised.

# %%
predict(
    "P14.2",
    "The normal model's 95 % prediction intervals held about 90 % of the angioplasty patients. What "
    "share will the intervals of the new model hold?",
    choices=["about 90 %", "about 95 %", "nearly 100 %"],
)

# %%
posterior = az.extract(idata).isel(sample=slice(0, 4000, 10))  # every tenth draw
drawn = {name: posterior[name].to_numpy() for name in posterior.data_vars}
centre = drawn["hospital_mean"][at].T + sum(np.outer(drawn[b], X[b]) for b in X.columns[:4])
sd, df = drawn["patient_sd"][cabg].T, drawn["tail_df"][:, None]
invented["t, two SDs"] = centre + sd * rng.standard_t(df, size=centre.shape)
inside = {}
for name, values in invented.items():
    low, high = np.quantile(values, [0.025, 0.975], axis=0)
    held = 100 * pd.Series((y >= low) & (y <= high)).groupby(cabg).mean()
    inside[name] = held.set_axis(["angioplasty", "bypass"])
place = np.digitize(inside["t, two SDs"]["angioplasty"], [92.5, 97.5])
reveal("P14.2", ["about 90 %", "about 95 %", "nearly 100 %"][place])

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.5))
draw_check(left, numbers_of(invented["t, two SDs"])["ratio of the SDs"], seen["ratio of the SDs"])
left.set(title="ratio of the SDs, new model", xlabel="angioplasty / bypass")
left.legend(loc="upper left")
inside = pd.DataFrame(inside)
draw_coverage(right, inside, [plots.PALETTE["random intercept"], plots.PALETTE["posterior"]])
right.set(xlabel="patients inside their 95 % interval (%)", title="prediction intervals")
plots.show(
    fig,
    alt="Left: invented data of the new model have ratios of the SDs around 1.65, and the observed one, above 1.7, lies in their upper part. Right: with the normal model about 90 % of angioplasty and 98 % of bypass patients lie in their 95 % intervals; with the new model both are near 95 %.",
)

# %% [markdown]
# Right: both groups' intervals hold what they promise, give or take a point. The normal model held too few
# angioplasty patients, and nearly all bypass patients: for them its intervals were too long. The bed
# manager of lesson 10 can plan.
#
# Left: the observed ratio is now among the invented ones, though in their upper part. Passed, not
# perfect. This model gives both groups the same `tail_df`, and each of them a symmetric curve. If
# that mattered for your decision, you would change the next line, and check again.
#
# ## And without Bayes?
#
# The claim: *Bayesian models do not require the normality assumption.* The first model of this lesson
# was Bayesian, it was normal, and it failed. So is it Bayes that freed us, or the other likelihood? Put it to
# the test: *maximum likelihood* (lesson 5) for an SD by procedure, with normal errors. `MixedLM` cannot
# do it: it has one residual SD. A likelihood is a function, though, and you can write it.
#
# For each hospital, patients count with weight 1/SD². Its effect $u$ is averaged out, as in lesson 4's
# marginal form: with $a_j=\sum 1/\text{SD}_i^2$ and $b_j=\sum r_i/\text{SD}_i^2$ of the residuals $r$,
# the hospital adds $-\frac12\log(1+\tau^2 a_j)+\frac12\tau^2 b_j^2/(1+\tau^2 a_j)$ to that of
# independent patients.


# %%
def minus_loglik(values):
    beta, (log_tau, *log_sd) = values[:5], values[5:]
    sd, tau2 = np.exp(np.array(log_sd))[cabg], np.exp(2 * log_tau)
    residual = y - X.to_numpy() @ beta
    a, b = np.bincount(at, 1 / sd**2), np.bincount(at, residual / sd**2)
    hospitals = np.log1p(tau2 * a) - tau2 * b**2 / (1 + tau2 * a)
    return np.sum(np.log(sd) + residual**2 / sd**2 / 2) + hospitals.sum() / 2


start = [*np.linalg.lstsq(X.to_numpy(), y, rcond=None)[0], np.log(0.1), np.log(0.5), np.log(0.5)]
found = optimize.minimize(minus_loglik, start, method="BFGS", options={"gtol": 1e-3})
by_likelihood = np.exp(found.x[6:])

# %% tags=["nbval-check-output"]
df = drawn["tail_df"]
by_posterior = drawn["patient_sd"] * np.sqrt(df / (df - 2))  # as SDs
table = pd.DataFrame({"maximum likelihood": by_likelihood}, index=["angioplasty", "bypass"])
print(table.round(2).to_string())
apart = np.abs(by_posterior.mean(axis=1) / by_likelihood - 1).max()
print("the posterior means of the SDs are within 5 % of them:", apart < 0.05)
off = (inside - 95).abs().max()
freed = off["normal"] > 3 and off["t, two SDs"] < 1.5 and apart < 0.05
verdict(
    "C9",
    "half true" if freed else "look again",
    "the Bayesian model with normal errors was off by up to "
    f"{off['normal']:.0f} points in the coverage of a group's patients; with another likelihood it was "
    f"off by {off['t, two SDs']:.1f} at most. But maximum likelihood with an SD for each group gave the same SDs. "
    "What frees you is the likelihood. Bayes needs one, too, and its default is as normal as any.",
)

# %% [markdown]
# ## Skewed hospitals
#
# The hospitals' own distribution is a line of the model as well. Lesson 10 drew hospitals from a
# skewed law, most a little below the average, a few far above, and fitted a normal one. The interval of the
# truly highest hospital then failed far too often. What if the model had known the shape?
#
# A league of 30 hospitals, 20 patients each, 500 times. Each hospital's mean is its true deviation plus
# noise of SD 12/√20. Prior times likelihood (lesson 11), once with a normal prior and once with the true, skewed one, an
# exponential; both have an SD of 6 mmHg. With the normal prior the posterior is lesson 3's: shrunk
# towards 0. With the skewed one it is a normal curve as well, moved down by noise²/6 and cut off at
# −6, below which no hospital can be.


# %%
predict(
    "P14.3",
    "With the skewed prior, in what share of leagues will the 95 % interval hold the truth of the "
    "*highest* hospital?",
    choices=["about 75 %, as with the normal prior", "about 85 %", "about 95 %"],
)

# %%
league = med_trial(n_hospitals=15_000, patients_per_hospital=20, hospital_sd=6, patient_sd=12,
                   hospital_law="skewed", treated_share=0, rng=143)  # fmt: skip
u = league.truth.hospitals["intercept_effect"].to_numpy()
noise = 12 / np.sqrt(20)
own = u + np.random.default_rng(144).normal(0, noise, len(u))  # a hospital's mean, less the average
trust = 6**2 / (6**2 + noise**2)  # lesson 3's weight
moved = own - noise**2 / 6
posteriors = {"normal": stats.norm(trust * own, np.sqrt(trust) * noise),
              "skewed": stats.truncnorm((-6 - moved) / noise, np.inf, moved, noise)}  # fmt: skip

# %%
which = np.arange(500) * 30
truth = u.reshape(500, 30)
parts = {"all": slice(None), "highest": which + truth.argmax(1), "lowest": which + truth.argmin(1)}
board = {}
for name, belief in posteriors.items():
    low, high = belief.ppf(0.025), belief.ppf(0.975)
    held = (low <= u) & (u <= high)
    board[name] = {part: 100 * held[rows].mean() for part, rows in parts.items()}
    board[name]["mean width (mmHg)"] = (high - low).mean()
board = pd.DataFrame(board)
place = np.digitize(board.loc["highest", "skewed"], [80, 90])
reveal("P14.3", ["about 75 %, as with the normal prior", "about 85 %", "about 95 %"][place])

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.6))
grid = np.linspace(-20, 30, 501)
left.plot(grid, stats.norm.pdf(grid, 0, 6), "--", color=plots.PALETTE["prior"], label="normal")
left.plot(grid, stats.expon.pdf(grid, -6, 6), color=plots.PALETTE["prior"], label="skewed")
left.hist(u, np.arange(-8, 31, 1), density=True, color=plots.PALETTE["truth"], alpha=0.2)
left.set(xlim=(-20, 30), yticks=[], xlabel="true deviation of a hospital (mmHg)")
left.legend(title="prior")
draw_coverage(right, board.iloc[:3], [plots.PALETTE["posterior"]] * 2)
right.set(xlabel="95 % intervals that hold (%)")
plots.show(
    fig,
    alt="Left: the true deviations are skewed; the skewed prior follows them, the normal one does not. Right: shares of 95 % intervals that hold the truth. All hospitals: both near 95 %. The highest hospital: 75 % with the normal prior, about 95 % with the skewed one. The lowest: about 97 % with the normal prior, 65 % with the skewed one.",
)

# %% [markdown]
# Left: the hospitals (grey) follow the skewed prior, not the normal one. Right: who is held. In numbers:

# %% tags=["nbval-check-output"]
print(board.round().astype(int).to_string())

# %% [markdown]
# (With 500 leagues a share of 75 or 65 % has a standard error of 2 points.) Over all hospitals both priors keep
# their promise, and that is all that most reports show. With the normal
# prior the *highest* hospital, the one that is visited, pays for the wrong shape. The skewed
# prior repairs that, and its intervals are shorter.
#
# But look at the *lowest*. With the true shape, its interval holds in only two of three
# leagues! The true lowest hospital sits at the very edge of the law, and an interval that leaves 2.5 %
# on either side of a posterior leaves the edge out. The promise is about hospitals taken as
# they come, not about the one that is truly lowest. No shape makes it hold for both.
#
# Here we knew the shape. In real data 17 or 30 hospitals hardly show it (lesson 10). So keep the normal
# as a default, try a t or a skewed law, and see whether the decision moves. That is lesson 13 again.
#
# ## Deaths
#
# A patient dies or lives. A normal curve will not do, and a straight line for the risk would leave the range
# from 0 to 1. So model the *odds*, risk/(1 − risk), and take logs: the <dfn>logit</dfn>, or log
# odds. On that scale hospitals may be normal again. A treatment that adds −0.7 to the log odds multiplies
# the odds by $e^{-0.7}=0.5$: its <dfn>odds ratio</dfn>.
#
# The children's hearts of lessons 3 and 13: deaths in 12 hospitals. The program BUGS made this data set
# famous, with vague priors, among them the inverse-gamma that you met in lesson 13. Its handbook
# reports a mean death rate of about .073, from a chain. Can we get the same, without a sampler?

# %% tags=["nbval-check-output"]
surgical = datasets.load("surgical")
counts = surgical["deaths"], surgical["operations"]
vague = exact.InverseGammaVariance(0.001, 0.001)
bugs = exact.binomial(*counts, tau=vague, mu=(0, 1000))
print(f"BUGS's priors: rate of the typical hospital {bugs.parameters.loc['typical', 'mean']:.4f}")
ours = exact.binomial(*counts, tau=stats.halfnorm(scale=1), mu=(-2.5, 1.5))
draws = ours.draws(4000, rng=14)
average = average_risk(draws["mu"], draws["tau"]).mean()
print(f"our priors: typical hospital {ours.parameters.loc['typical', 'mean']:.3f}, "
      f"average of hospitals {average:.3f}")  # fmt: skip

# %% [markdown]
# The published figure is there, from another route. But look at the second line. "The mean death
# rate" can be two things: the rate of the *typical* hospital, whose `u` is 0, and the *average* of
# the rates of all hospitals. They differ, since a bad hospital adds more deaths than an equally good
# one saves.
#
# ### Exercise E14.3 · From an odds ratio to a risk
#
# In a hospital 20 % of the untreated patients die. The treatment has an odds ratio of 0.60. What is
# the risk of a treated patient of this hospital? (Three decimals.)

# %%
# BEGIN SOLUTION
treated_odds = 0.60 * 0.20 / (1 - 0.20)
treated_risk = treated_odds / (1 + treated_odds)
# END SOLUTION

# %%
check("E14.3", treated_risk)

# %% [markdown]
# ### Exercise E14.4 · The average of the hospitals
#
# The log odds of death are normal over hospitals, with mean −3 and SD 1.2. What is the death rate,
# averaged over hospitals? (By simulation or by a sum; three decimals.)

# %%
# BEGIN SOLUTION
hospitals_drawn = np.random.default_rng(4).normal(-3, 1.2, 200_000)
average_rate = expit(hospitals_drawn).mean()
# END SOLUTION

# %%
check("E14.4", average_rate)

# %% [markdown]
# ## Two odds ratios, one treatment
#
# The same gap opens between effects. A treatment halves the odds in *every* hospital. Hospitals
# differ: `hospital_sd` is 1.5 on the log odds scale. Someone who cannot see hospitals compares all treated
# with all untreated patients.

# %%
predict(
    "P14.4",
    "The odds ratio is 0.5 in each hospital, and treatment was drawn by lot. What odds ratio does a "
    "huge trial find that compares the average risks of the two arms?",
    choices=["0.4", "0.5", "0.6", "it depends on chance"],
)

# %%
log_odds = np.log(0.2 / 0.8) + np.array([0, np.log(0.5)])  # untreated and treated, typical hospital
risks = average_risk(log_odds, 1.5)
marginal_ratio = odds(risks[1]) / odds(risks[0])
reveal("P14.4", f"{marginal_ratio:.1f}")

# %%
spreads = np.linspace(0, 3, 31)
fig, ax = plt.subplots(figsize=(8, 3.5))
for ratio, dash in [(0.25, ":"), (0.5, "-"), (0.75, "--")]:
    both = average_risk(np.log(0.25) + np.log([[1], [ratio]]), spreads)
    label = ["in each hospital", "of the averages"] if dash == "-" else [None, None]
    blue, green = plots.PALETTE["random intercept"], plots.PALETTE["GEE"]
    ax.plot(spreads, np.full(31, ratio), dash, color=blue, linewidth=1.2, label=label[0])
    ax.plot(spreads, odds(both[1]) / odds(both[0]), dash, color=green, label=label[1])
ax.axhline(1, color="0.6", linewidth=1)
ax.set(xlabel="hospital_sd (log odds)", ylabel="odds ratio", ylim=(0, 1.05), xlim=(0, 3))
ax.legend(loc="lower right", ncols=2)
plots.show(
    fig,
    alt="Odds ratio of the averages against hospital_sd, for odds ratios of 0.25, 0.5 and 0.75 in each hospital. At 0 they agree; as hospital_sd grows the marginal odds ratio climbs towards 1, while the thin lines of the conditional ones stay flat.",
)

# %% [markdown]
# Blue, flat: the <dfn>conditional effect</dfn>, for a patient of a given hospital. Green: the <dfn>marginal
# effect</dfn>, of the averages. The more hospitals differ, the nearer it lies to 1. Nobody is confounded and
# nobody is biased: they answer two questions. A doctor with a patient asks the first, a health service
# that treats everybody the second. A mixed model reports the first, GEE (lesson 4) the second. With a
# normal outcome and a straight line the two are the same number, so you never had to ask.
#
# ### Try it: the risk of the average, the average of the risks
#
# Run the cell and move the sliders. If you cannot run it, the figure above shows three of its settings.
#
# 1. `hospital_sd` from 0 to 3. What becomes of the lines on the left, and of those on the right?
# 2. Set the typical risk to 1 %. Does the marginal odds ratio still move? Which hospitals make the average?
# 3. Set the odds ratio to 2 and the typical risk to 80 %. In which direction does the marginal one move?
#
# <details><summary>Answers</summary>1: on the left they stay parallel, the odds ratio is the same in
# each; on the right they bend: near 0 and 100 % the treatment has little to save. 2: yes, if
# hospital_sd is large: the few hospitals with high risks make the average. 3: towards 1
# again.</details>

# %%
marginal_explorer()

# %% [markdown]
# ## A real trial
#
# Patients with cystic fibrosis were followed for about half a year in a trial of rhDNase, in 51
# centres. Did a patient need a course of intravenous antibiotics, yes or no? (This is not the
# published analysis: an arm is missing from the file, and events are defined otherwise.)
#
# In PyMC the likelihood is again a line: `Bernoulli`, a yes or no, with `logit_p`. Few patients per
# centre: the non-centred form.

# %%
trial = datasets.load("rhdnase").assign(lungs=lambda table: (table["fev"] - 60) / 10)
centre_of, centres = pd.factorize(trial["inst"])
with pm.Model(coords={"centre": centres}) as any_model:
    intercept, lung_effect = pm.Normal("intercept", 0, 2.5), pm.Normal("lung_effect", 0, 2.5)
    treatment_effect = pm.Normal("treatment_effect", 0, 2.5)
    centre_sd, z = pm.HalfNormal("centre_sd", 1), pm.Normal("z", 0, 1, dims="centre")
    slopes = treatment_effect * trial["trt"].to_numpy() + lung_effect * trial["lungs"].to_numpy()
    log_odds = intercept + slopes + (centre_sd * z)[centre_of]
    pm.Bernoulli("any_course", logit_p=log_odds, observed=trial["any_exac"].to_numpy())
    any_fit = pm.sample(**SAMPLE, progressbar=False, quiet=True)

# %% [markdown]
# Two odds ratios from the same draws. The first is there: $e$ to the power of `treatment_effect`, for
# a patient of a given centre. For the second, take each draw's risk, averaged over new centres, with and
# without the treatment (`lungs` = 0, a lung function of 60 %). And GEE, for comparison.

# %%
draws = az.extract(any_fit)
effect = draws["treatment_effect"].to_numpy()
log_odds = draws["intercept"].to_numpy() + np.array([[0], [1]]) * effect
averages = odds(average_risk(log_odds, draws["centre_sd"].to_numpy()))
gee = smf.gee("any_exac ~ trt + lungs", "inst", trial, family=sm.families.Binomial(),
              cov_struct=sm.cov_struct.Exchangeable()).fit()  # fmt: skip
three = gee.params["trt"] + gee.bse["trt"] * np.array([-1.96, 0, 1.96])
rows = {
    "in a centre": np.exp(np.quantile(effect, [0.025, 0.5, 0.975])),
    "averaged over centres": np.quantile(averages[1] / averages[0], [0.025, 0.5, 0.975]),
    "GEE": np.exp(three),
}

# %%
fig, ax = plt.subplots(figsize=(8, 2.4))
draw_intervals(ax, rows, colours={"GEE": plots.PALETTE["GEE"]})
ax.set(xlabel="odds ratio, 95 % interval", xlim=(0.35, 1.05))
plots.show(
    fig,
    alt="Odds ratios of the treatment with 95 % intervals: about 0.60 in a centre, about 0.62 averaged over centres, about 0.61 by GEE. All intervals are long and end below 1.",
)

# %% [markdown]
# The treatment helps, by all three. How do they compare?

# %% tags=["nbval-check-output"]
print("these draws can be used:", bayes.diagnose(any_fit).ok)
gap = np.log(rows["averaged over centres"][1] / rows["in a centre"][1])
away = np.log(rows["averaged over centres"][1] / rows["GEE"][1])
print("averaged over centres it is nearer to 1:", gap > 0)
print("by less than a third of a standard error:", gap < gee.bse["trt"] / 3)
print("GEE is within a tenth of one of the averaged:", abs(away) < gee.bse["trt"] / 10)

# %% [markdown]
# The order is as it must be: the average over centres lies nearer to 1, and GEE finds it, too. But the
# gap is tiny, a fraction of a standard error. `centre_sd` is about 0.5 here, and the green curves
# hardly rise up to there. The two questions differ in every trial. The two answers differ where
# hospitals do.
#
# (GEE's interval is shorter, since its robust standard error, lesson 4, is smaller in this trial.
# All three are for a patient of given lung function. Average over lungs as well, and the odds
# ratio moves once more. Say whom you averaged over.)
#
# ## Infections
#
# How *many* courses did a patient need: 0, 1, 2, up to 5?
#
# Counts have a rate, per day. It must be positive, so model its log: a <dfn>log link</dfn>. A treatment that
# adds −0.3 to the log rate multiplies the rate by $e^{-0.3}=0.74$, its <dfn>rate ratio</dfn>. Patients
# were not all followed equally long. Twice the days, twice the count to expect: add the log of the days, with a coefficient of
# exactly 1. That is an <dfn>offset</dfn>.
#
# Which days? The file has two kinds. `fu_days`: followed. `risk_days`: *at risk*, days on which a new
# course could begin, not on antibiotics nor within six days after. Two patients were on antibiotics
# throughout. They have no day at risk, and drop out. We try both kinds.
#
# The simplest law is the *Poisson*: the variance of a count equals its mean. More variance than that is
# <dfn>over-dispersion</dfn>: patients differ by more than the model knows. The negative binomial law has
# a variance of mean × (1 + `excess` × mean). With `excess` near 0 it *is* the Poisson. So one
# program holds all: the scale of the prior of `excess` is data, and so is the offset (lesson 12's
# trick). (A normal term for each patient on the log scale would do the same job as `excess`.)

# %%
trial = trial.query("risk_days > 0")
centre_of, centres = pd.factorize(trial["inst"])
given, lungs, courses = (trial[name].to_numpy() for name in ["trt", "lungs", "n_exac"])
columns = {"followed": "fu_days", "at risk": "risk_days"}
log_days = {name: np.log(trial[column].to_numpy() / 168) for name, column in columns.items()}

# %%
with pm.Model(coords={"centre": centres}) as count_model:
    scale, offset = pm.Data("scale", 1.0), pm.Data("offset", log_days["followed"])
    intercept, lung_effect = pm.Normal("intercept", 0, 1), pm.Normal("lung_effect", 0, 1)
    treatment_effect, centre_sd = pm.Normal("treatment_effect", 0, 1), pm.HalfNormal("centre_sd", 1)
    excess, z = pm.HalfNormal("excess_z", 1) * scale, pm.Normal("z", 0, 1, dims="centre")
    log_rate = intercept + treatment_effect * given + lung_effect * lungs + offset
    expected = pm.math.exp(log_rate + (centre_sd * z)[centre_of])
    pm.NegativeBinomial("courses", expected, alpha=1 / excess, observed=courses)

# %% [markdown]
# Compiled once, it is fitted four times: two laws, two kinds of days. (A scale of 0.0005 is a Poisson for
# all that data can tell.)

# %% tags=["nbval-check-output"]
DRAW = dict(draws=1000, tune=1000, chains=4, cores=2, save_warmup=False, progress_bar=False, seed=1)
SCALES = {"Poisson": 0.0005, "neg. binomial": 1.0}
program, fits = nutpie.compile_pymc_model(count_model), {}
for days, offset in log_days.items():
    for law, scale in SCALES.items():
        with_these = program.with_data(scale=scale, offset=offset)
        fits[law, days] = nutpie.sample(with_these, **DRAW)
        print(f"{law}, days {days}: usable:", bayes.diagnose(fits[law, days]).ok)


# %%
predict(
    "P14.5",
    "Take the days followed. Both laws let centres differ and know treatment and lung function. Which "
    "can invent counts whose variance is as large as that of the data?",
    choices=[
        "both, without effort",
        "the negative binomial; the Poisson only just",
        "neither of them",
    ],
)

# %%
predict(
    "P14.6",
    "Now the negative binomial with the days at risk. How will its invented counts vary?",
    choices=["less than the data", "like the data", "more than the data"],
)


# %% [markdown]
# To invent a negative binomial count, multiply the expected count by a random number with mean 1 and variance
# `excess`, the patient's own frailty, and draw a Poisson count.


# %%
def invented_counts(fit, scale, offset):  # 1,000 trials, one a column
    one = az.extract(fit).isel(sample=slice(0, 4000, 4))
    values = {name: one[name].to_numpy() for name in one.data_vars}
    log_rate = values["intercept"] + np.outer(given, values["treatment_effect"])
    log_rate = log_rate + np.outer(lungs, values["lung_effect"]) + offset[:, None]
    expected = np.exp(log_rate + values["centre_sd"] * values["z"][centre_of])
    excess = values["excess_z"] * scale
    return rng.poisson(expected * rng.gamma(1 / excess, excess, size=expected.shape))


# %%
spread_of, effects = {}, {}
for (law, days), fit in fits.items():
    counts = invented_counts(fit, SCALES[law], log_days[days])
    spread_of[law, days] = counts.var(axis=0) / counts.mean(axis=0)
    effects[law, days] = np.exp(np.quantile(fit.posterior["treatment_effect"], [0.025, 0.5, 0.975]))
observed = courses.var() / courses.mean()
below = {key: (values < observed).mean() for key, values in spread_of.items()}
poisson, negative = below["Poisson", "followed"], below["neg. binomial", "followed"]
reveal("P14.5", ["both, without effort", "the negative binomial; the Poisson only just",
                 "neither of them"][int(poisson > 0.8) + int(negative > 0.975)])  # fmt: skip

# %%
at_risk = np.digitize(below["neg. binomial", "at risk"], [0.025, 0.975])
reveal("P14.6", ["more than the data", "like the data", "less than the data"][at_risk])

# %% [markdown]
# Three of the four, and all four rate ratios:

# %%
fig, axes = plt.subplots(1, 4, figsize=(11, 3.4), width_ratios=[1, 1, 1, 1.3])
for ax, key in zip(axes, [k for k in fits if k != ("Poisson", "at risk")], strict=False):
    draw_check(ax, spread_of[key][spread_of[key] < 3.4], observed)
    ax.set(title=f"{key[0]},\n{key[1]}", xlabel="variance / mean", xlim=(0.9, 3.4))
draw_intervals(axes[3], {",\n".join(key): e for key, e in effects.items()}, numbers=False)
axes[3].set(title="treatment", xlabel="rate ratio, 95 % interval")
plots.show(
    fig,
    alt="Variance over mean of invented counts; the observed ratio is 1.35. Poisson, days followed: it lies in the upper tail of the replicates. Negative binomial, days followed: among them. Negative binomial, days at risk: nearly all replicates lie above it, most around 2. Right: rate ratios of about 0.75 in all four fits, with intervals below 1; the longest is that of the negative binomial with days at risk.",
)

# %% [markdown]
# The black line is the trial. First panel: counts of the Poisson model seldom vary as much, though centres and lungs are
# in it. Second: the negative binomial has room. Third: something is badly wrong. Is all that robust?

# %% tags=["nbval-check-output"]
spread = {key: float(fit.posterior["treatment_effect"].std()) for key, fit in fits.items()}
ratio = spread["neg. binomial", "followed"] / spread["Poisson", "followed"]
middles = np.array([middle for _, middle, _ in effects.values()])
print("followed, Poisson: fewer than 1 in 5 vary as much as the data:", poisson > 0.8)
print("followed, negative binomial: data not in the tails:", 0.1 < negative < 0.9)
print("followed: its log rate ratio has a larger SD, by less than 1/3:", 1 < ratio < 4 / 3)
print("at risk: 95 % vary more than the data:", below["neg. binomial", "at risk"] < 0.05)
print("all rate ratios lie between .70 and .80:", np.all((middles > 0.7) & (middles < 0.8)))

# %% [markdown]
# With the days followed, the rate ratio hardly depends on the law. Under the negative binomial it is known a little
# less well. A Poisson model that is too narrow for the data is too sure of the effect.
#
# With the days at risk the invented counts vary far too much. Why? A patient with many courses has
# few days at risk *because of* them. The outcome sits in the offset. Three courses in 60 days look like
# a frantic rate, so the model believes in frantic rates, and then hands them to patients with 169 days.
# No estimate warns you: the rate ratios agree. The check does.
#
# So are days at risk wrong? Not as a question. "Courses per day on which one could begin" is a sensible rate, and the
# Poisson likelihood estimates it. But counts *given* such days are no Poisson counts.
# Do not read over-dispersion from them, and invent no trials with them.
#
# ### Exercise E14.5 · How many courses to expect
#
# Untreated patients of a centre need 0.004 courses a day. The rate ratio of the treatment is 0.75. How many courses do you
# expect of a treated patient in 90 days?

# %%
# BEGIN SOLUTION
courses_expected = 0.004 * 0.75 * 90
# END SOLUTION

# %%
check("E14.5", courses_expected)

# %% [markdown]
# ### Exercise E14.6 · Spot the flaw
#
# From a report:
#
# 1. In each of 25 hospitals patients were randomised to a checklist or to usual care.
# 2. Deaths were modelled by log odds with a hospital effect; `hospital_sd` had a half-normal prior of
#    scale 1 and a posterior mean of 1.6.
# 3. Within a hospital the checklist had an odds ratio of 0.60 (95 % interval 0.48 to 0.75).
# 4. So if the health service introduces it everywhere, the odds of death among all its patients will fall by 40 %.
# 5. Invented data had as many hospitals without a death as the real ones.
#
# Which sentence holds the mistake, and why?
#
# - **a** Log odds cannot be used where a hospital has no death.
# - **b** The odds ratio within a hospital is not that of the averages over all hospitals.
# - **c** A half-normal prior of scale 1 is too narrow for log odds.
# - **d** Data invented by the model cannot be compared with the data that it was fitted to.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (4, "b")
# END SOLUTION

# %%
check("E14.6", flaw)

# %% [markdown]
# ### Exercise E14.7 · Your own hospitals
#
# `own_hospitals(14)` is a trial that nobody else has. Treated patients scatter less than untreated ones. How many *times* as large is their SD (treated over
# untreated)? Take each patient's distance from the mean of the *same arm in the same hospital*. Square, add
# up by arm, divide by the number of patients less the number of such means, take the root. Two decimals.
# (A model with an SD for each arm will do as well.)

# %%
mine = own_hospitals(14).data
mine.groupby(["treated"], observed=True)["sbp"].agg(["size", "mean"]).round(1)

# %%
# BEGIN SOLUTION
my_cells = mine.groupby(["hospital", "treated"], observed=True)["sbp"]
my_squares = (mine["sbp"] - my_cells.transform("mean")) ** 2
my_sums = my_squares.groupby(mine["treated"]).sum()
my_counts = mine.groupby("treated").size() - mine["hospital"].nunique()
my_sds = np.sqrt(my_sums / my_counts)
my_ratio = my_sds.iloc[1] / my_sds.iloc[0]
# END SOLUTION

# %%
check("E14.7", my_ratio)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - Let the fitted model invent data. Check a number that it did not fit, and that your decision needs.
# - The likelihood is a line. Heavy tails and an SD for each group are small changes, with Bayes or
#   without.
# - A wrong shape of the hospitals spares the average interval. The extreme hospitals pay, and even
#   with the right shape one that was picked for its rank may.
# - Log odds for deaths, log rates with an offset for counts. Ask of a count whether it varies more than its mean,
#   and of an offset whether the outcome is in it.
# - An odds ratio within hospitals and that of the averages are two numbers, and both are right.
#
# ## Limits
#
# A check that passes shows that the model can do one thing. We used the data twice, to fit and to check, so tail
# shares are too kind. The skewed prior was the true one. `azpro` patients were not randomised.
#
# ## Further reading
#
# - Gelman A, Meng X-L, Stern H (1996). Posterior predictive assessment of model fitness via realized
#   discrepancies. *Statistica Sinica* 6:733-807. Where the checks of this lesson come from.
# - Zeger SL, Liang K-Y, Albert PS (1988). Models for longitudinal data: a generalized estimating
#   equation approach. *Biometrics* 44(4):1049-1060. Conditional and marginal effects, and how one follows from the other.
# - Lange KL, Little RJA, Taylor JMG (1989). Robust statistical modeling using the t distribution.
#   *Journal of the American Statistical Association* 84:881-896. The t in place of the normal, by maximum likelihood.
# - Spiegelhalter DJ, Thomas A, Best NG, Gilks WR (1996). *BUGS 0.5 Examples Volume 1*. MRC
#   Biostatistics Unit, Cambridge. The surgical data.
