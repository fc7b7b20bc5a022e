# ---
# jupyter:
#   course:
#     question: Many effects vary together and many predictors compete. What keeps them in check?
#     reading_minutes: 50
#     exercise_minutes: 40
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
# Reading: 50 minutes. Exercises: 40 minutes. First do
# [lesson 14](14_beyond_the_normal.ipynb).
#
# ## What you will be able to do
#
# - Give correlated slopes a prior, and say what it claims.
# - Write three levels and crossed effects in PyMC, and the same in Bambi in a line.
# - Notice where one formula means two models.
# - Tell the average of *these* hospitals from that of *all* hospitals.
# - Give hospitals a predictor of their own, and say what they are shrunk to.
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
from utils.shrinkage import FAMILIES, draw_study, effective_number, prior_scales, prior_shape
from utils.structure_figures import draw_averages, draw_correlation, draw_targets
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
    "probability 50 %. With 6 effects there are 15 correlations. Pick one of them, say the first: how likely is it beyond ±0.5?",
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
# "all matrices are equally likely" says something about each correlation: *flat on the whole is not flat on the parts.*
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
# For two effects you can write the correlation by hand, and see what it does: a person's slope is ρ times the number that made the level, plus
# $\sqrt{1-\rho^2}$ times a number of its own. The two weights' squares add up to 1, so ρ does not change the slopes' SD. (`pm.LKJCholeskyCov` does it for any number of effects, and takes a minute to compile.)

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
correlation = 2 * sleep_fit.posterior["rho_01"].to_numpy().ravel() - 1
reml = mixedlm.fit("Reaction ~ Days", sleep, groups="Subject", re_formula="1 + Days")
estimate, low, high = reml.variances.iloc[-1][["estimate", "lower", "upper"]]
slope_row = reml.fixed_table().loc["Days"]
gap = abs(float(sleep_fit.posterior["days"].mean()) - slope_row["estimate"])
print(f"REML: slope {slope_row['estimate']:.1f} ms a day; PyMC near:", gap < slope_row["se"] / 5)
print(f"REML: correlation {estimate:.1f}, 95 % interval {low:.1f} to {high:.1f}")
print("posterior SD of the correlation above 0.25:", correlation.std() > 0.25)
doubt = (1 - correlation**2) ** 7  # LKJ(8) over LKJ(1): weights for the same draws
with_8 = np.sqrt(np.average(correlation**2, weights=doubt))  # its middle is near 0
print("with LKJ(8) smaller by a quarter or more:", with_8 < 0.75 * correlation.std())

# %%
fig, ax = plt.subplots(figsize=(8, 2.9))
draw_correlation(ax, correlation, marginal_law(1, 2).pdf(grid), (low, estimate, high))
ax.set(xlabel="correlation of level and slope")
plots.show(
    fig,
    alt="The flat prior of the correlation and its posterior, a wide hill around 0.1 that reaches from about −0.5 to 0.7. Below it REML's estimate, near 0.1, with an interval of about the same length.",
)

# %% [markdown]
# The blue line is the prior, the hill the posterior: 18 people have ruled out the ends and little else. REML's interval, below, says the same. Here the prior
# is a good part of the answer: with η = 8 the hill gets narrower, without a single new person. (The cell weighs the same draws anew, as in lesson 13.) Report the interval *and* the prior, or do not
# report the correlation at all.
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
print(by_formula)
reveal("P15.2", "the same model, with a correlation" if has else "a model without a correlation")

# %% [markdown]
# Look at *Group-level effects*: two lines, each with an SD of its own, and nothing that ties them. In lme4 the same formula has three
# parameters there: two SDs and a correlation. Neither is wrong. But "we used the formula ..." does not say which model it was. **Print the model that a formula
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
    "nested and crossed effects were fitted by MixedLM and by PyMC, and every SD agreed within a posterior SD. What Bayes adds is not the structure, nor intervals (lesson 7): it is a prior where the data are mute, and one program for both structures.",
)

# %% [markdown]
# And Bambi? The structures are one line each. Are they our programs? Give them our priors, and ask both programs for the log density at the same
# point, the height that a sampler sees there. If the heights agree at a point picked blindly, the models do. No draw is needed.


# %%
def in_bambi(formula, data, terms, spread):
    half, outcome = bmb.Prior("HalfNormal", sigma=spread), data[formula.split()[0]]
    priors = {"sigma": half, "Intercept": bmb.Prior("Normal", mu=outcome.mean(), sigma=5 * spread)}
    priors |= {term: bmb.Prior("Normal", mu=0, sigma=half) for term in terms}
    line = bmb.Model(formula, data, priors=priors, noncentered=False)
    line.build()
    return line.backend.model, terms


nested = ["strength ~ 1 + (1 | batch) + (1 | batch:cask)", pastes, ["1|batch", "1|batch:cask"], 4]
crossing = ["diameter ~ 1 + (1 | plate) + (1 | sample)", pens, ["1|plate", "1|sample"], 3]
lines = dict(zip(models, [in_bambi(*nested), in_bambi(*crossing)], strict=True))

# %% tags=["nbval-check-output"]
logs = np.log([0.8, 2.0, 0.6])  # of the three SDs; any point will do
for name, (line, (first, second)) in lines.items():
    ours = models[name]
    a, b = (np.linspace(-1, 1, len(ours.coords[dim])) for dim in ["first", "second"])
    here = {"intercept": 50.0, "first_effect": a, "second_mean": 50.0 + b}
    here |= {f"{sd}_log__": value for sd, value in zip(sds, logs, strict=True)}
    there = {"Intercept": 50.0, first: a, second: b, "sigma_log__": logs[2]}
    there |= {f"{first}_sigma_log__": logs[0], f"{second}_sigma_log__": logs[1]}
    pair = (ours, here), (line, there)
    heights = [model.compile_logp(mode="FAST_COMPILE")(point) for model, point in pair]
    print(f"{name}: Bambi's line is our program: {np.isclose(*heights)}")

# %% [markdown]
# ## The average of whom?
#
# Some programs force hospital effects to sum to 0: a <dfn>zero-sum constraint</dfn> (`pm.ZeroSumNormal`). Then the intercept *is* the average of the
# hospitals in the data. Without the constraint it is the mean that hospitals are drawn from, those that were never measured included. In the plates × samples model, samples stand for hospitals.

# %%
predict(
    "P15.3",
    "Same data, same priors, but the six samples' effects must sum to 0. How does the posterior SD of the intercept compare with that "
    "of the model above?",
    choices=["larger: a constraint costs something", "about the same: same data", "smaller by far"],
)

# %%
(plate, plates), (sample, samples) = (pd.factorize(pens[name]) for name in ["plate", "sample"])
with pm.Model(coords={"first": plates, "second": samples}) as constrained:
    intercept = pm.Normal("intercept", pens["diameter"].mean(), 15)
    plate_sd, sample_sd, rest_sd = (pm.HalfNormal(name, 3) for name in sds)
    plate_effect = pm.Normal("plate_effect", 0, plate_sd, dims="first")
    sample_effect = pm.ZeroSumNormal("sample_effect", sample_sd, dims="second")
    centre = intercept + plate_effect[plate] + sample_effect[sample]
    pm.Normal("outcome", centre, rest_sd, observed=pens["diameter"].to_numpy(float))
    zero_sum = pm.sample(**SLOW, **QUIET)

# %%
draws = fits["plates × samples"].posterior
averages = {
    "these six samples": draws["second_mean"].mean("second").to_numpy(),
    "these six, by constraint": zero_sum.posterior["intercept"].to_numpy(),
    "all samples": draws["intercept"].to_numpy(),
}
spread = {name: values.std() for name, values in averages.items()}
ratio = spread["these six, by constraint"] / spread["all samples"]
words = ["smaller by far", "about the same: same data", "larger: a constraint costs something"]
reveal("P15.3", words[np.digitize(ratio, [0.7, 1.3])])

# %%
fig, ax = plt.subplots(figsize=(8, 2.8))
draw_averages(ax, averages, outlined="these six, by constraint")
ax.set(xlabel="mean diameter (mm)", xlim=(20, 26))
plots.show(
    fig,
    alt="Three posteriors of a mean diameter with the same middle near 23 mm. That of the six measured samples is a narrow spike, and the dashed outline of the constrained intercept lies on it. That of all samples is several times as wide.",
)

# %% [markdown]
# The dashed outline is the constrained intercept. It lies on the first histogram, which needed no constraint: it is the mean of the six `second_mean`, taken in each
# draw of the *free* model.

# %% tags=["nbval-check-output"]
print("the constrained draws can be used:", bayes.diagnose(zero_sum).ok)
six, by_constraint, whole = spread.values()
print("constraint or mean of the six: SDs within 10 %:", abs(by_constraint / six - 1) < 0.1)
print("all samples: SD more than 3 times as large:", whole > 3 * six)
sample_sd = [float(each["second_sd"].mean()) for each in [zero_sum.posterior, draws]]
print("the samples' SD, with and without: within 10 %:", abs(np.diff(np.log(sample_sd)))[0] < 0.1)

# %% [markdown]
# One data set, two questions. The average of *these six* is known well: they were measured. The average of *all* samples is not: six are few. The
# constraint changes what the word "intercept" means, and leaves the samples' SD alone. A short interval is no better knowledge of the population, and a seventh
# sample is not bound to bring the sum of seven to 0. From the free model you can have both averages.
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
# ## A predictor that hospitals have
#
# Beds, staff, teaching: all patients of a hospital share them. Radon (lesson 6) has a case with many groups. 85 counties stand for hospitals, houses for patients.
# `floor` belongs to a house, `log_uranium` to a county's soil. In a formula the two look alike: `log_radon ~ floor + log_uranium + (1 | county)`, for `MixedLM` (without the
# bracket) and for Bambi. In PyMC you see where the second belongs:
#
# ```python
# county_mean = pm.Normal("county_mean", intercept + slope * uranium, county_sd, dims="county")
# ```
#
# A county's mean is no longer drawn around one common mean, but around a line. `exact.posterior` fits both, without sampling.

# %%
predict(
    "P15.4",
    "Without uranium the posterior mean of `county_sd` is 0.33 and that of the houses' SD 0.76. Now uranium comes in. What falls?",
    choices=["neither", "county_sd alone", "the houses' SD alone", "both"],
)

# %%
radon, half = datasets.load("radon"), stats.halfnorm(scale=1)
house = pd.DataFrame({"intercept": 1.0, "floor": radon["floor"].astype(float)})
designs = {"one mean for all": house, "a line": house.assign(uranium=radon["log_uranium"])}
data = dict(y=radon["log_radon"], group=radon["county"], tau=half, sigma=half)
soil = {name: exact.posterior(X=X, **data) for name, X in designs.items()}
before, after = (fit.parameters["mean"] for fit in soil.values())
fell = int(after["tau"] < 0.8 * before["tau"]) + 2 * int(after["sigma"] < 0.8 * before["sigma"])
reveal("P15.4", ["neither", "county_sd alone", "the houses' SD alone", "both"][fell])

# %% tags=["nbval-check-output"]
for name, fit in soil.items():
    county_sd, house_sd = fit.parameters.loc[["tau", "sigma"], "mean"]
    low, high = fit.interval("tau")
    print(f"{name:16} county_sd {county_sd:.2f} ({low:.2f} to {high:.2f}), house_sd {house_sd:.2f}")
slope, slope_sd = soil["a line"].parameters.loc["uranium"]
print(f"slope of uranium: {slope:.2f}, posterior SD {slope_sd:.2f}")

# %%
uranium = radon.groupby("county", observed=True)["log_uranium"].first()
basement = radon["log_radon"] - after["floor"] * radon["floor"]
own = basement.groupby(radon["county"], observed=True).mean()
targets = {"one mean for all": before["intercept"] + 0 * uranium}
targets["a line"] = after["intercept"] + after["uranium"] * uranium
levels = {name: targets[name] + soil[name].hospitals["mean"] for name in soil}
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
draw_targets(axes, uranium, own, levels, targets)
axes[0].set(xlabel="log uranium of the county", ylabel="log radon, basement")
axes[1].set(xlabel="log uranium of the county")
axes[1].legend(loc="upper left")
plots.show(
    fig,
    alt="Levels of 85 counties against uranium, two panels. Left: shrunken levels are pulled towards a horizontal line and still rise with uranium. Right: they are pulled towards a rising line and lie close to it.",
)

# %% [markdown]
# Grey lines run from a county's own houses (cross) to its shrunken level (diamond). Left, small counties are pulled to the mean of all, also those on top of much uranium.
# Right, they are pulled to what their soil suggests. **A predictor of hospitals changes what hospitals are shrunk to.** What is left for `county_sd` is how far counties lie from the line: half
# as much as before.
#
# Nothing within a county can be explained by a number that all its houses share: the houses' SD stays. And the slope is learned from 85 counties. That there are 919 houses only makes
# the counties' levels sharper. With 20 hospitals it would be learned from 20.
#
# For a county where nobody measured, the line is the best guess. `county_sd` is its error, and it halved: that is what the predictor bought.
#
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
# From the bottom: H01's own patients give the smallest SD; the shrunken value moves far towards the others and has a long interval. For large hospitals
# cross and dot nearly coincide. Hospitals' SDs do differ. (All but one of H01's 17 patients had a bypass: some of the difference is procedure.)
#
# ## Ten predictors
#
# Your colleague puts ten predictors into the model, "with vague priors, so that the data speak". Predictors and outcome are standardised, and each
# coefficient is Normal(0, 1): a predictor that is one SD higher moves the outcome by so many residual SDs. Before you fit, ask the prior what it expects.

# %%
predict(
    "P15.5",
    "Ten independent predictors, each coefficient Normal(0, 1), residual SD 1. Which R² does this prior expect (median)?",
    choices=["near 0: the coefficients average out", "about 0.5", "about 0.9"],
)

# %%
vague = prior_shape(family="wide", predictors=10, scale=1.0)
places = ["near 0: the coefficients average out", "about 0.5", "about 0.9"]
reveal("P15.5", places[np.digitize(vague.r2_middle, [0.25, 0.75])])

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
    alt="Prior R² for ten predictors under four priors. Wide: nearly all above 0.7. Ridge: anything from 0 to 1, mostly large. Horseshoe: spread around 0.45. R2D2: highest near 0, falling, mean about 0.3.",
)

# %% [markdown]
# Left: the vague prior is nearly sure that the predictors explain more than 70 % of everything. Ten variances of 1 add up to 10, against a residual variance
# of 1: R² = 10/11. *Vague on each, sure on the whole.* The others are <dfn>shrinkage priors</dfn>: they hold the coefficients together.
#
# - *Ridge*: all coefficients share one SD, which is learned. A random effect for predictors. At scale 1 it still bets on a large R², but it allows a small one.
# - *Horseshoe*: a small SD for all, times a heavy-tailed factor for each. Most coefficients are near 0, a few are not.
# - *R2D2*: you say how much the predictors explain *together*; it is dealt out among them.
#
# ### Try it: what a prior expects
#
# Run the cell and move the sliders. If you cannot, the figure above shows four of the settings.
#
# 1. Keep "wide" and 10 predictors. Which scale expects an R² of about a third? Now take 40 predictors: what does the same scale expect?
# 2. Choose "R2D2" at scale 0.7 and go from 5 to 40 predictors. What happens to R², and what to the largest coefficient?
# 3. Compare "ridge" at scale 0.45 with "horseshoe" at 0.25. Their median R² is about the same. In which has the largest coefficient the larger part?
#
# <details><summary>Answers</summary>1: between 0.2 and 0.25; with 40 predictors that expects about two thirds. 2: R² hardly moves; the largest coefficient
# gets smaller, since the same share is dealt to more. 3: the horseshoe's: well over half of what is explained, against less than 40 %.</details>

# %%
shrinkage_explorer()

# %% [markdown]
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
# An experiment too long for a lesson: 150 data sets, ten independent predictors, two of which matter (0.5 and −0.3), eight do not; residual SD 1. So the true R² is 0.34/1.34, a quarter.
# Once the rows are 400 *patients*. Once they are 20 *hospitals*: a hospital is then one number, a mean of patients so many that their noise is gone. More patients could not add anything.
#
# The four priors: *wide*, Normal(0, 3); *ridge*, half-normal(1) for the common SD; *horseshoe*, told to expect that 2 of 10 matter; *R2D2*, R² as in the figure. What do
# they say, in this design? R² you know. Here is a second number. A coefficient's own estimate has a standard error of $1/\sqrt{n}$, its prior an SD of $s$. Lesson 3's weight,
# $s^2/(s^2+1/n)$, is the share of the estimate that the prior leaves. Add the ten weights: the <dfn>effective number of predictors</dfn>.

# %%
says = pd.DataFrame(index=FAMILIES)
for n in [400, 20]:
    rng = np.random.default_rng(15)
    for name in FAMILIES:
        scales = prior_scales(name, n, 10, rng)
        explained = ((scales * rng.standard_normal(scales.shape)) ** 2).sum(axis=1)
        says.loc[name, f"R², {n} rows"] = np.median(explained / (explained + 1))
        says.loc[name, f"effective, {n} rows"] = effective_number(scales, n).mean()
print(says.round(1).to_string())

# %% [markdown]
# With 20 rows *wide* leaves all ten to the data, the horseshoe fewer than two. It took us at our word: few matter. And with 20 rows it also expects them to be small: an R² near 0.
# (Its scale shrinks with $1/\sqrt{n}$, as its authors propose.) R2D2 expects the true R². No prior here is foolish.
#
# The results of 1,200 fits are stored. All 600 with hospitals passed lesson 12's checks. When you load the table, half of it (wide and ridge) is computed afresh by sums over a grid, without sampling. (`make refit` makes all of it anew.)

# %%
predict(
    "P15.6",
    "20 hospitals, 10 predictors of hospitals. The true first coefficient is 0.5. What is its posterior mean under the shrinkage priors, on average?",
    choices=["about 0.5: only noise is shrunk", "about 0.4", "less than 0.3"],
)

# %%
study = stored.load("shrinkage").set_index(["level", "prior"])
first = study.loc["hospitals", "first"].drop("wide").max()
sizes = ["less than 0.3", "about 0.4", "about 0.5: only noise is shrunk"]
reveal("P15.6", sizes[np.digitize(first, [0.3, 0.45])])

# %%
fig, axes = plt.subplots(1, 3, figsize=(11, 3.4), sharey=True)
draw_study(axes, study, list(FAMILIES))
plots.show(
    fig,
    alt="Left: with 400 patients all priors estimate the true 0.5 as about 0.5; with 20 hospitals the wide prior does, the shrinkage priors say 0.3 or less. Middle: typical error of needless coefficients: about 0.05 for patients under all priors; for hospitals 0.32 with the wide prior and a fraction of it with the others. Right: coverage for the true coefficients: near 95 % for patients; for hospitals near 95 % with the wide prior and clearly lower with the others.",
)

# %% tags=["nbval-check-output"]
columns = ["first", "miss_true", "miss_noise", "held_true"]
shown = study[columns].assign(held_all=0.2 * study["held_true"] + 0.8 * study["held_noise"])
print(shown.round(2).to_string())
learned = (0.5**2 + 0.3**2) / 10  # the mean square of the ten coefficients
for n in [400, 20]:
    print(f"ridge by hand, {n} rows: {0.5 * learned / (learned + 1 / n):.2f}")

# %% [markdown]
# `first` is the mean estimate of 0.5; `miss`, the typical (root mean square) error of the two true and of the eight needless coefficients; `held`, the share of 95 % intervals that hold the truth. Bars in the figure are ± 2 Monte Carlo errors.
#
# With 400 patients (full marks) no prior moves the true coefficient by much, and the horseshoe nearly halves the error of the needless ones: a gift. With 20 hospitals (open marks) the
# prior decides. Middle: the shrinkage priors silence the needless predictors. Left: they silence the true ones as well. Right: and their intervals for the true ones hold too seldom.
#
# Why the ridge, which allowed any R²? By hand: it learns its SD from ten coefficients. Their mean square is 0.34/10, since eight are 0. Lesson 3's weight does the rest, and the
# last two lines find what the study found. Twenty hospitals cannot tell two large coefficients from ten small ones, so each gets the treatment that is best for a typical one of the ten. `miss_true` shows that
# this is no bad deal: the typical error of the *true* coefficients is no larger, or hardly, than with the wide prior, whose estimates are right on average and all over the place.
#
# Look at `held_all`, too. Over all ten coefficients the intervals hold about as often as they say. A prior's intervals are right on average over what it expects, and wrong for what it finds unlikely: here, the two that matter.

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
    f"{hospitals['first'].drop('wide').min():.2f} to {hospitals['first'].drop('wide').max():.2f}. A prior says what you expect. Whether a relation is there is for the hospitals to say, and 20 could not.",
)

# %% tags=["nbval-check-output"]
verdict(
    "C7",
    "half true" if quiet and deaf else "look again",
    "ten predictors were not hard to *estimate*, even with 20 hospitals: all 600 fits passed their checks. They were hard to *learn* from 20 hospitals, and no prior made up for hospitals. With 400 patients they were not.",
)

# %% [markdown]
# ### Exercise E15.5 · How many hospitals would do?
#
# The same ten coefficients, residual SD 1, and the ridge prior, its SD learned as above. Now there are 80 hospitals. What does the true 0.5 become on average, by the
# calculation by hand? (Two decimals.)

# %%
# BEGIN SOLUTION
mean_square = (0.5**2 + 0.3**2) / 10
with_80 = 0.5 * mean_square / (mean_square + 1 / 80)
# END SOLUTION

# %%
check("E15.5", with_80)

# %% [markdown]
# ### Exercise E15.6 · Spot the flaw
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
check("E15.6", flaw)

# %% [markdown]
# ### Exercise E15.7 · Your own hospitals
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
check("E15.7", my_answer)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - A prior that is flat on the whole is not flat on its parts, and the other way round: draw it.
# - Nested and crossed effects are one program. A formula is not: print the model it became.
# - A zero-sum constraint answers for *these* hospitals. A population needs the other average.
# - A predictor that hospitals have moves what they are shrunk to. Any parameter that hospitals have can be shrunk, SDs too.
# - A prior for many coefficients is a prior for R². Choose R² first.
# - Shrinkage priors silence noise and signal alike where hospitals are few. Hospital predictors are learned from hospitals.
#
# ## Limits
#
# The experiment has independent predictors, one truth, and hospitals without patients' noise; two effects of ten was what the horseshoe was told. With other
# truths the order of the shrinkage priors changes. The SDs by hospital were estimated in two steps. Correlations of more than two effects need
# `LKJCholeskyCov`, which we described and did not fit. Uranium was not randomised.
#
# ## Further reading
#
# - Lewandowski D, Kurowicka D, Joe H (2009). Generating random correlation matrices based on vines and extended onion method.
#   *Journal of Multivariate Analysis* 100(9):1989-2001. The law of the LKJ prior.
# - Piironen J, Vehtari A (2017). Sparsity information and regularization in the horseshoe and other shrinkage priors.
#   *Electronic Journal of Statistics* 11(2):5018-5051. The horseshoe as used here, and how to choose its scale.
# - Zhang YD, Naughton BP, Bondell HD, Reich BJ (2022). Bayesian regression using a prior on the model fit: the R2-D2 shrinkage prior.
#   *Journal of the American Statistical Association* 117(538):862-874. The R2D2 prior.
# - Capretto T, Piho C, Kumar R, Westfall J, Yarkoni T, Martin OA (2022). Bambi: a simple interface for fitting Bayesian linear models in Python.
#   *Journal of Statistical Software* 103(15):1-29. What Bambi does, and its priors.
