# ---
# jupyter:
#   course:
#     question: Many effects vary together and many predictors compete. What keeps them in check?
#     reading_minutes: 40
#     exercise_minutes: 36
#     needs: [14]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 15 Complex structures, complex priors
#
# > Many effects vary together and many predictors compete. What keeps them in check?
#
# Reading: 40 minutes. Exercises: 36 minutes. First do
# [lesson 14](14_beyond_the_normal.ipynb).
#
# ## What you will be able to do
#
# - Give correlated slopes a prior, and say what it claims.
# - Write three levels and crossed effects in PyMC, and the same in Bambi in a line.
# - Notice where one formula means two models.
# - Tell the average of *these* hospitals from that of *all* hospitals.
# - Say what a prior for many coefficients expects of R², and what it does to what you find.

# %%
import bambi as bmb
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pymc as pm
from scipy import stats

from utils import bayes, datasets, exact, mixedlm, plots, stored
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.shrinkage import FAMILIES, draw_study, prior_shape
from utils.widgets import shrinkage_explorer

plots.set_style()
bayes.set_up()

# %% [markdown]
# ## Effects that vary together
#
# The sleepers of lesson 6: reaction time of 18 people over ten days. Each person has a level and a slope, and the two may be
# correlated. So far the correlation was estimated. Now it needs a prior.
#
# The usual one is called <dfn>LKJ prior</dfn>. It is a prior for a whole *matrix* of correlations, with one number, η. η = 1: all correlation
# matrices are equally likely. The larger η, the nearer to 0 are all correlations. For K effects each
# single correlation $\rho$ has a law you can draw: $(\rho+1)/2$ is Beta(η − 1 + K/2, η − 1 + K/2).

# %%
predict(
    "P15.1",
    "LKJ(1) finds all correlation matrices equally likely. With 2 effects the correlation is then flat: it is beyond ±0.5 with "
    "probability 50 %. With 6 effects that vary together, how likely is one of the correlations to be beyond ±0.5?",
    choices=["about 80 %", "about 50 %", "about 20 %"],
)


# %%
def marginal_law(eta, effects):
    return stats.beta(eta - 1 + effects / 2, eta - 1 + effects / 2, loc=-1, scale=2)


beyond = 2 * marginal_law(1, 6).cdf(-0.5)
reveal("P15.1", ["about 20 %", "about 50 %", "about 80 %"][np.digitize(beyond, [0.35, 0.65])])

# %%
grid = np.linspace(-1, 1, 301)
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.2), sharey=True)
for ax, effects in zip(axes, [2, 6], strict=True):
    for eta, dash in [(1, "-"), (2, "--"), (8, ":")]:
        density = marginal_law(eta, effects).pdf(grid)
        ax.plot(grid, density, dash, color=plots.PALETTE["prior"], label=f"η = {eta}")
    ax.set(title=f"{effects} effects", xlabel="one of the correlations", yticks=[])
axes[1].legend()
plots.show(
    fig,
    alt="Densities of a correlation under the LKJ prior. With 2 effects: flat for η = 1, a low hill for 2, a narrow peak for 8. With 6 effects: already a hill for η = 1, steeper for 2, a narrow peak for 8.",
)

# %% [markdown]
# Left: with two effects η = 1 is flat. Right: with six it is a hill. Six effects cannot all be strongly correlated in any way they like, so
# "all matrices are equally likely" says something about each correlation. *Flat on the whole is not flat on the parts.* You met
# that in lesson 11.
#
# ### Exercise E15.1 · What LKJ(2) says
#
# Two effects, η = 2. With which probability is the correlation larger than 0.5 in size? (Two decimals.)

# %%
# BEGIN SOLUTION
larger = 2 * stats.beta.cdf(0.25, 2, 2)
# END SOLUTION

# %%
check("E15.1", larger)

# %% [markdown]
# For two effects you can write the correlation by hand, and see what it does: a person's slope is a share ρ of what made the level, and
# a share $\sqrt{1-\rho^2}$ of its own. (`pm.LKJCholeskyCov` does it for any number of effects, and takes a minute to compile.)

# %%
sleep = datasets.load("sleepstudy")
who, names = pd.factorize(sleep["Subject"])
days, ms = sleep["Days"].to_numpy(float), sleep["Reaction"].to_numpy()
SAMPLE = dict(draws=1000, tune=1000, chains=4, cores=2, nuts_sampler="nutpie", random_seed=1)
QUIET = dict(progressbar=False, quiet=True)

# %%
with pm.Model(coords={"person": names}) as slopes_model:
    intercept, slope = pm.Normal("intercept", 250, 100), pm.Normal("days", 0, 50)
    sd_level, sd_slope = pm.HalfNormal("sd_intercept", 50), pm.HalfNormal("sd_days", 20)
    rho = 2 * pm.Beta("rho_01", 1, 1) - 1  # LKJ(1)
    z_level, z_slope = pm.Normal("z0", 0, 1, dims="person"), pm.Normal("z1", 0, 1, dims="person")
    level = intercept + sd_level * z_level
    own_slope = slope + sd_slope * (rho * z_level + pm.math.sqrt(1 - rho**2) * z_slope)
    centre, sigma = level[who] + own_slope[who] * days, pm.HalfNormal("sigma", 50)
    pm.Normal("reaction", centre, sigma, observed=ms)
    sleep_fit = pm.sample(**SAMPLE, **QUIET)

# %% [markdown]
# Beside it, REML's answer:

# %% tags=["nbval-check-output"]
print("these draws can be used:", bayes.diagnose(sleep_fit).ok)
drawn = sleep_fit.posterior
correlation = 2 * drawn["rho_01"].to_numpy().ravel() - 1
low, high = np.quantile(correlation, [0.025, 0.975])
reml = mixedlm.fit("Reaction ~ Days", sleep, groups="Subject", re_formula="1 + Days")
slope_row = reml.fixed_table().loc["Days"]
gap = abs(float(drawn["days"].mean()) - slope_row["estimate"])
print(f"REML: slope {slope_row['estimate']:.1f} ms a day; PyMC near:", gap < slope_row["se"] / 5)
print("95 % interval of the correlation is more than 1 wide:", high - low > 1)

# %% [markdown]
# REML gives a correlation of 0.07, as if it knew. The posterior runs from about −0.5 to 0.7: 18 people say nearly nothing about it. Nearly any prior would
# be felt. Report the interval, or do not report it at all.
#
# ## Bambi: a line, and a trap
#
# <dfn>Bambi</dfn> is a library that writes PyMC models from a formula. It chooses priors from the scale of the data.

# %%
predict(
    "P15.2",
    "In lme4 the formula `Reaction ~ Days + (Days | Subject)` is our model: level and slope of a person may be correlated. What "
    "does Bambi build from the same formula?",
    choices=[
        "the same model, with a correlation",
        "a model without a correlation",
        "it refuses the formula",
    ],
)

# %%
by_formula = bmb.Model("Reaction ~ Days + (Days | Subject)", sleep)
by_formula.build()
free = [variable.name for variable in by_formula.backend.model.free_RVs]
has = any("corr" in name or "chol" in name or "rho" in name for name in free)
reveal("P15.2", "the same model, with a correlation" if has else "a model without a correlation")
print(by_formula)

# %% [markdown]
# Look at *Group-level effects*: two lines, each with an SD of its own, and nothing that ties them. In lme4 the same formula has three
# parameters there. Neither is wrong. But "we used the formula ..." does not say which model it was. **Print the model that a formula
# became.** And read its priors: `sigma: 261` for the SD of the persons is wide, and it came from the data.
#
# ## Three levels, and two that cross
#
# Lesson 9 had casks in batches, and plates crossed with samples. In PyMC nested and crossed are the *same program*. Each observation has two
# labels, and each label looks up its effect:


# %%
def two_factors(y, first, second, spread):
    (a, a_names), (b, b_names) = pd.factorize(first), pd.factorize(second)
    with pm.Model(coords={"first": a_names, "second": b_names}) as model:
        intercept = pm.Normal("intercept", y.mean(), 5 * spread)
        sd = [pm.HalfNormal(name, spread) for name in ["first_sd", "second_sd", "rest_sd"]]
        effect = pm.Normal("first_effect", 0, sd[0], dims="first")
        mean = pm.Normal("second_mean", intercept, sd[1], dims="second")
        pm.Normal("outcome", effect[a] + mean[b], sd[2], observed=y.to_numpy(float))
    return model


# %%
pastes, pens = datasets.load("pastes"), datasets.load("penicillin")
models = {
    "casks in batches": two_factors(pastes["strength"], pastes["batch"], pastes["sample"], 4),
    "plates × samples": two_factors(pens["diameter"], pens["plate"], pens["sample"], 3),
}
SLOW = SAMPLE | dict(draws=4000, target_accept=0.99)  # crossed means are tied to each other
fits = {name: pm.sample(model=model, **SLOW, **QUIET) for name, model in models.items()}

# %% [markdown]
# (`pastes["sample"]` is the cask with its batch, "A:a". With the bare cask letter the program would run, and be wrong: lesson 9's trap.)
# Lesson 9 fitted both with `MixedLM`. Do the engines see the same SDs?

# %%
casks = {"sample": "0 + C(sample)"}
crossed = {"plate": "0 + C(plate)", "sample": "0 + C(sample)"}
pens = pens.assign(one=1)
by_reml = [mixedlm.fit("strength ~ 1", pastes, groups="batch", vc_formula=casks)]
by_reml += [mixedlm.fit("diameter ~ 1", pens, groups="one", re_formula="0", vc_formula=crossed)]
sds = ["first_sd", "second_sd", "rest_sd"]
rows = {name: bayes.summary(fit).loc[sds] for name, fit in fits.items()}
found = [fit.variances["estimate"].to_numpy() for fit in by_reml]

# %% tags=["nbval-check-output"]
usable = all(bayes.diagnose(fit).ok for fit in fits.values())
print("these draws can be used:", usable)
near = []
for (name, row), reml in zip(rows.items(), found, strict=True):
    near.append(bool((abs(row["mean"] - reml) < row["sd"]).all()))
    print(f"{name}: REML's SDs {reml.round(2)}; each within one posterior SD: {near[-1]}")
verdict(
    "C13",
    "true of both" if usable and all(near) else "look again",
    "nested and crossed effects were fitted by MixedLM and by PyMC, and every SD agreed within a posterior SD. What Bayes adds is not the structure: it is an interval for each SD, priors where the data are mute, and one program for both structures.",
)

# %% [markdown]
# And Bambi? The structures are one line each: `(1 | batch) + (1 | batch:cask)` and `(1 | plate) + (1 | sample)`. Is the second one our
# program? Give it our priors, and ask both for the log density at the same point, the height that a sampler sees there. Two models can be compared without a draw.

# %%
prior, half = bmb.Prior, bmb.Prior("HalfNormal", sigma=3)
priors = {"Intercept": prior("Normal", mu=pens["diameter"].mean(), sigma=15), "sigma": half}
priors |= {f"1|{name}": prior("Normal", mu=0, sigma=half) for name in ["plate", "sample"]}
formula = "diameter ~ 1 + (1 | plate) + (1 | sample)"
line = bmb.Model(formula, pens, priors=priors, noncentered=False)
line.build()

# %% tags=["nbval-check-output"]
plates, samples = np.linspace(-1, 1, 24), np.linspace(21, 25, 6)  # any point will do
logs = np.log([0.8, 2.0, 0.6])
point = {"intercept": 23.0, "first_effect": plates, "second_mean": samples}
point |= {f"{name}_log__": value for name, value in zip(sds, logs, strict=True)}
same = {"Intercept": 23.0, "1|plate": plates, "1|sample": samples - 23.0}
same |= {"1|plate_sigma_log__": logs[0], "1|sample_sigma_log__": logs[1], "sigma_log__": logs[2]}
ours = models["plates × samples"].compile_logp(mode="FAST_COMPILE")(point)
theirs = line.backend.model.compile_logp(mode="FAST_COMPILE")(same)
print("Bambi's line has the log density of our ten lines:", bool(np.isclose(ours, theirs)))

# %% [markdown]
# ## The average of whom?
#
# Some programs force hospital effects to sum to 0: a <dfn>zero-sum constraint</dfn> (`pm.ZeroSumNormal`). Samplers like it, and the intercept
# comes out with a much shorter interval. Is that free? You need no new fit: take the draws of the plates × samples model, and compare its `intercept`, the
# mean of all samples that might have been, with the mean of the six `second_mean`.

# %%
predict(
    "P15.3",
    "How does the posterior SD of the mean of the six measured samples compare with that of `intercept`?",
    choices=["larger: six is few", "about the same", "smaller by far"],
)

# %%
draws = fits["plates × samples"].posterior
population = draws["intercept"].to_numpy()
these = draws["second_mean"].mean("second").to_numpy()
ratio = these.std() / population.std()
words = ["smaller by far", "about the same", "larger: six is few"]
reveal("P15.3", words[np.digitize(ratio, [0.7, 1.3])])

# %%
fig, ax = plt.subplots(figsize=(8, 2.8))
bins = np.linspace(20, 26, 61)
for sample, name, look in [(these, "these six samples", 0.8), (population, "all samples", 0.35)]:
    ax.hist(
        sample.ravel(), bins, density=True, alpha=look, color=plots.PALETTE["posterior"], label=name
    )
ax.set(xlabel="mean diameter (mm)", yticks=[])
ax.legend(title="average of")
plots.show(
    fig,
    alt="Two posteriors of a mean diameter with the same middle near 23 mm: that of the six measured samples is a narrow spike, that of all samples is several times as wide.",
)

# %% [markdown]
# The same draws, two questions. The average of *these six* is known well: they were measured. The average of *all* samples is not: six are few. The
# constraint answers the first question. It is no better estimate of the second. Nor does it have anything to say about a seventh sample.
#
# ### Exercise E15.2 · Which average?
#
# An insurer has contracts with nine hospitals and pays their patients' mean costs next year. Which interval does it need?
#
# - **a** That of the population's average: it is the honest one.
# - **b** That of these nine hospitals' average.
# - **c** Neither, before the prior of `hospital_sd` is known.
# - **d** The shorter one, whichever it is.

# %%
# BEGIN SOLUTION
which_average = "b"
# END SOLUTION

# %%
check("E15.2", which_average)

# %% [markdown]
# ### Exercise E15.3 · How far apart are they?
#
# Nine hospitals with 16 patients each, `hospital_sd` 6 and `patient_sd` 12 mmHg, both known. How many *times* as large is the standard error of the
# population's average as that of these nine hospitals' average? (Two decimals.)

# %%
# BEGIN SOLUTION
se_population = np.sqrt(6**2 / 9 + 12**2 / (9 * 16))
se_these = 12 / np.sqrt(9 * 16)
how_many_times = se_population / se_these
# END SOLUTION

# %%
check("E15.3", how_many_times)

# %% [markdown]
# ## A prior for an SD that has a prior
#
# In lesson 14 each procedure had an SD of its own. Why not each hospital? H01 has 17 patients: its own SD would be a guess. You know the cure since lesson 3: let
# the hospitals' log SDs come from a common normal curve, whose mean and SD are learned, too. Priors of a prior's parameters are
# <dfn>hyperpriors</dfn>; the random intercept had one all along. The log of an SD from n patients has a standard error of
# $1/\sqrt{2(n-1)}$, so the exact engine for known errors (lesson 13's eight schools) can do it.

# %%
azpro = datasets.load("azpro").assign(log_days=lambda table: np.log(table["los"].astype(float)))
X = azpro[["cabg", "male", "urgent", "age75"]].astype(float)
by = azpro["hospital"].astype(str)
centred = pd.concat([X, azpro["log_days"]], axis=1)
centred = centred - centred.groupby(by).transform("mean")
beta = np.linalg.lstsq(centred[X.columns], centred["log_days"], rcond=None)[0]
residual = centred["log_days"] - centred[X.columns] @ beta
raw = residual.groupby(by).agg(["std", "size"])
error = 1 / np.sqrt(2 * (raw["size"] - 1))
log_sds = exact.normal_means(
    np.log(raw["std"]), error, tau=stats.halfnorm(scale=0.5), labels=raw.index
)

# %% [markdown]
# `normal_means` gives each hospital's log SD a posterior. Back from the log, from the smallest hospital up:

# %%
order = raw["size"].sort_values().index
shrunk = np.exp(log_sds.hospital_quantiles([0.025, 0.5, 0.975])).loc[order]
low, middle, high = (shrunk.iloc[:, k] for k in range(3))
places = np.arange(len(order))

# %%
fig, ax = plt.subplots(figsize=(8, 4.2))
own, pooled = plots.PALETTE["no pooling"], plots.PALETTE["partial pooling"]
ax.hlines(places, low, high, color=pooled, linewidth=3)
ax.plot(middle, places, "o", color=pooled, label="shrunken, 95 % interval")
ax.plot(raw.loc[order, "std"], places, "x", color=own, label="its own patients alone")
ax.set_yticks(places, [f"{name} ({raw.loc[name, 'size']})" for name in order], fontsize=8)
ax.set(xlabel="residual SD of a hospital (log days)", ylabel="hospital (patients)")
ax.legend()
plots.show(
    fig,
    alt="Residual SD of each hospital, smallest hospital at the bottom. Crosses, from its own patients alone, and shrunken values with intervals. For H01, with 17 patients, the cross lies far to the left and the shrunken value nearer to the others; for the large hospitals both coincide.",
)

# %% [markdown]
# From the bottom: H01's own patients give by far the smallest SD; the shrunken value moves towards the other hospitals and has a long interval. For large hospitals
# cross and dot coincide. Hospitals' SDs do differ. (H01 operates, with few angioplasties: some of the difference is procedure. One thing at a time.)
#
# ## Ten predictors
#
# Your colleague puts ten predictors into the model, "with vague priors, so that the data speak". Predictors and outcome are standardised, and each
# coefficient is Normal(0, 1): a predictor that is one SD higher moves the outcome by so many residual SDs. Before you fit, ask the prior what it expects.

# %%
predict(
    "P15.4",
    "Ten independent predictors, each coefficient Normal(0, 1), residual SD 1. Which R² does this prior expect (median)?",
    choices=["near 0: the coefficients average out", "about 0.5", "about 0.9"],
)

# %%
vague = prior_shape(family="wide", predictors=10, scale=1.0)
places = ["near 0: the coefficients average out", "about 0.5", "about 0.9"]
reveal("P15.4", places[np.digitize(vague.r2_middle, [0.25, 0.75])])

# %%
SCALES = {"wide": 1.0, "ridge": 1.0, "horseshoe": 0.25, "R2D2": 0.7}
fig, axes = plt.subplots(1, 4, figsize=(11, 2.9), sharey=True)
look = dict(color=plots.PALETTE["prior"], edgecolor="white", weights=np.full(2000, 0.05))
for ax, (name, scale) in zip(axes, SCALES.items(), strict=True):
    shape = prior_shape(family=name, predictors=10, scale=scale)
    ax.hist(shape.r2, np.linspace(0, 1, 21), **look)  # 2,000 draws, in per cent
    ax.set(title=name, xlabel="R², before any data", xlim=(0, 1))
axes[0].set(ylabel="prior draws (%)")
plots.show(
    fig,
    alt="Prior R² for ten predictors under four priors. Wide: nearly all above 0.7. Ridge: spread out, with a heap near 0 and many large. Horseshoe: mostly below 0.5. R2D2: highest near 0, falling, mean about one third.",
)

# %% [markdown]
# Left: the vague prior is nearly sure that the predictors explain more than 70 % of everything. Ten variances of 1 add up to 10, against a residual variance
# of 1: R² = 10/11. *Vague on each, sure on the whole.* The others are <dfn>shrinkage priors</dfn>: they hold the coefficients together.
#
# - *Ridge*: all coefficients share one SD, which is learned. A random effect for predictors.
# - *Horseshoe*: most coefficients are near 0, a few are not. You say how many you expect.
# - *R2D2*: you say how much the predictors explain *together*; it is dealt out among them.
#
# 1. Keep "wide" and 10 predictors. Which scale expects an R² of about a third? Now take 40 predictors: what does the same scale expect?
# 2. Choose "R2D2" at scale 0.7 and go from 5 to 40 predictors. What happens to R², and what to the largest coefficient?
# 3. Compare "ridge" and "horseshoe" at scales with the same median R². In which has the largest coefficient the larger part?

# %%
shrinkage_explorer()

# %% [markdown]
# Answers. 1: about 0.2; with 40 predictors it expects about two thirds. 2: R² stays; the largest coefficient gets smaller, since the same share is dealt to more. 3: the horseshoe's.
#
# ### Exercise E15.4 · A sentence about R²
#
# 12 independent, standardised predictors, residual SD 1. Each coefficient is Normal(0, s). Choose s such that the prior mean of the *explained variance*
# corresponds to an R² of 0.25. (Two decimals.)

# %%
# BEGIN SOLUTION
explained = 0.25 / (1 - 0.25)  # R² = explained / (explained + 1)
s = np.sqrt(explained / 12)
# END SOLUTION

# %%
check("E15.4", s)

# %% [markdown]
# ## Do they help?
#
# An experiment too long for a lesson: 150 data sets, ten predictors, two of which matter (0.5 and −0.3), eight do not. Once the predictors are *patients'*, with 400
# patients. Once they are *hospitals'*, with 20 hospitals. Four priors, 1,200 fits. The results are stored; when you load them, a quarter of the table is
# computed afresh by sums over a grid, without sampling. (`make refit` makes all of it anew.)

# %%
predict(
    "P15.5",
    "20 hospitals, 10 predictors of hospitals. The true first coefficient is 0.5. What do the shrinkage priors say of it on average?",
    choices=["about 0.5: only noise is shrunk", "about 0.4", "less than 0.3"],
)

# %%
study = stored.load("shrinkage").set_index(["level", "prior"])
first = study.loc["hospitals", "first"].drop("wide").max()
sizes = ["less than 0.3", "about 0.4", "about 0.5: only noise is shrunk"]
reveal("P15.5", sizes[np.digitize(first, [0.3, 0.45])])

# %%
fig, axes = plt.subplots(1, 3, figsize=(11, 3.4), sharey=True)
draw_study(axes, study, list(FAMILIES))
plots.show(
    fig,
    alt="Left: with 400 patients all priors estimate the true 0.5 as about 0.5; with 20 hospitals the wide prior does, the shrinkage priors say 0.3 or less. Middle: typical error of needless coefficients: about 0.05 for patients under all priors; for hospitals 0.32 with the wide prior and a fraction of it with the others. Right: coverage for the true coefficients: near 95 % for patients; for hospitals near 95 % with the wide prior and clearly lower with the others.",
)

# %% tags=["nbval-check-output"]
columns = ["first", "miss_true", "miss_noise", "held_true"]
print(study[columns].round(2).to_string())

# %% [markdown]
# With 400 patients (full marks) the prior hardly matters. With 20 hospitals (open marks) it decides nearly everything. Middle: the shrinkage priors silence the needless
# predictors. Left: they silence the true ones as well. Right: and their intervals for the true ones then hold too seldom. It is no fault of
# theirs. They said before the data that most coefficients are near 0, twenty hospitals could not disagree, and these two coefficients were larger than
# expected. Averaged over all ten, including the needless ones, their intervals hold about as often as they say: the promise of lesson 11.

# %% tags=["nbval-check-output"]
patients, hospitals = study.loc["patients"], study.loc["hospitals"]
no_matter = np.ptp(patients["first"]) < 0.05
quiet = (hospitals["miss_noise"].drop("wide") < hospitals.loc["wide", "miss_noise"] / 2).all()
deaf = (hospitals["first"].drop("wide") < 0.35).all()
verdict(
    "C14",
    "no: a prior captures what you put in" if no_matter and quiet and deaf else "look again",
    f"with 400 patients four priors differed by {np.ptp(patients['first']):.2f} in a coefficient of 0.5. With 20 hospitals the shrinkage priors cut the "
    "error of needless coefficients to less than half, and cut the true 0.5 to "
    f"{hospitals['first'].drop('wide').min():.2f} to {hospitals['first'].drop('wide').max():.2f}. They express what you expect; relations are captured by hospitals.",
)
verdict(
    "C7",
    "half true" if quiet and deaf else "look again",
    "with many predictors a model is not hard to *estimate*: all 1,200 fits ran. It is hard to *learn* from few hospitals, and no prior makes up for them.",
)

# %% [markdown]
# ### Exercise E15.5 · Spot the flaw
#
# From a report:
#
# 1. Patients' outcomes were modelled with a random intercept for each of 14 hospitals.
# 2. Ten standardised hospital predictors (staff, beds, ...) had a horseshoe prior that expects two of them to matter.
# 3. Since 12,000 patients were included, the data are rich enough for ten predictors.
# 4. Nurses per bed had a negative coefficient with probability .97.
# 5. With an R2D2 prior this probability was .93.
#
# Which sentence holds the mistake, and why?
#
# - **a** A horseshoe must not be used for predictors of hospitals.
# - **b** Hospital predictors are correlated.
# - **c** For predictors of hospitals it is hospitals that count, not patients.
# - **d** Such a model needs MixedLM.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (3, "c")
# END SOLUTION

# %%
check("E15.5", flaw)

# %% [markdown]
# ### Exercise E15.6 · Your own hospitals
#
# `own_hospitals(15)` is a trial in a dozen hospitals or so. Some are *teaching* hospitals (1). What does teaching do to pressure, all else equal? Fit treatment, teaching, and beds (per
# 100 above 500), with a random intercept. Priors: intercept and treatment flat; teaching Normal(0, 4); beds Normal(0, 1); `hospital_sd` half-normal(8); `patient_sd`
# half-normal(20). Give posterior mean, lower and upper end of the 95 % interval of the teaching effect, in mmHg, one decimal. (A flat prior is one with an SD of `np.inf`.)

# %%
mine = own_hospitals(15).data
mine.groupby("teaching")["hospital"].nunique()

# %%
# BEGIN SOLUTION
my_X = pd.DataFrame({"intercept": 1.0, "treatment_effect": mine["treated"].astype(float)})
my_X = my_X.assign(
    teaching_effect=mine["teaching"].astype(float), beds_effect=(mine["beds"] - 500) / 100
)
my_sds = dict(tau=stats.halfnorm(scale=8), sigma=stats.halfnorm(scale=20))
my_beta = ([0, 0, 0, 0], [np.inf, np.inf, 4, 1])
my_posterior = exact.posterior(mine["sbp"], my_X, mine["hospital"], **my_sds, beta=my_beta)
my_middle = my_posterior.parameters.loc["teaching_effect", "mean"]
my_answer = [my_middle, *my_posterior.interval("teaching_effect")]
# END SOLUTION

# %%
check("E15.6", my_answer)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - A prior that is flat on the whole is not flat on its parts, and the other way round: draw it.
# - Nested and crossed effects are one program. A formula is not: print the model it became.
# - A zero-sum constraint answers for *these* hospitals. A population needs the other average.
# - Any parameter that hospitals have can be shrunk, SDs too.
# - A prior for many coefficients is a prior for R². Choose R² first.
# - Shrinkage priors silence noise and signal alike where hospitals are few. Hospital predictors are learned from hospitals.
#
# ## Limits
#
# The experiment has independent predictors and two true effects; the horseshoe expected two of ten, which was true. With other
# truths the order of the shrinkage priors changes. The SDs by hospital were estimated in two steps. Correlations of more than two effects need
# `LKJCholeskyCov`, which we described and did not fit.
#
# ## Further reading
#
# - Lewandowski D, Kurowicka D, Joe H (2009). Generating random correlation matrices based on vines and extended onion method.
#   *Journal of Multivariate Analysis* 100(9):1989-2001. The law of the LKJ prior.
# - Piironen J, Vehtari A (2017). Sparsity information and regularization in the horseshoe and other shrinkage priors.
#   *Electronic Journal of Statistics* 11(2):5018-5051. The horseshoe as used here, and how to choose its scale.
# - Zhang YD, Naughton BP, Bondell HD, Reich BJ (2022). Bayesian regression using a prior on the model fit: the R2-D2 shrinkage prior.
#   *Journal of the American Statistical Association* 117(538):862-874.
# - Capretto T, Piho C, Kumar R, Westfall J, Yarkoni T, Martin OA (2022). Bambi: a simple interface for fitting Bayesian linear models in Python.
#   *Journal of Statistical Software* 103(15):1-29.
#
# Next: lesson 16, what is missing.
