# ---
# jupyter:
#   course:
#     question: Two models fit the data. Which one should predict the next patient, or the next hospital?
#     reading_minutes: 40
#     exercise_minutes: 35
#     needs: [16]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 17 Which model?
#
# > Two models fit the data. Which one should predict the next patient, or the next hospital?
#
# Reading: 40 minutes. Exercises: 35 minutes. First do
# [lesson 16](16_what_is_missing.ipynb).
#
# ## What you will be able to do
#
# - Say why a good fit to the data in hand proves nothing.
# - Check a model at the level of patients and at that of hospitals.
# - Leave out a patient, or a hospital, and know which of the two your question asks for.
# - Notice when a shortcut for leaving out cannot be trusted, and what to do then.
# - Say "they do not differ".
# - Test a program that calls itself a posterior.

# %%
import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

from utils import bayes, datasets, exact, plots
from utils.calibration import band, draw_ranks, trial_ranks
from utils.crossval import (
    draw_comparison,
    hospital_log_density,
    leave_hospitals_out,
    log_mean_exp,
    patient_log_densities,
)
from utils.exercises import check, own_hospitals, predict, reveal, tally
from utils.predictive_figures import draw_check, tail_share
from utils.widgets import calibration_explorer

plots.set_style()
bayes.set_up()

# %% [markdown]
# ## Three models
#
# `azpro` once more: log days in hospital of 3,589 patients in 17 hospitals, with procedure, sex, urgency and age. Three models differ in one line only, the prior of
# `hospital_sd`, as in lesson 3:
#
# - *no hospitals*: `hospital_sd` is 0. Everybody is a patient of the region.
# - *partial pooling*: `hospital_sd` is learned.
# - *no pooling*: `hospital_sd` is huge. Each hospital has a coefficient of its own.

# %%
azpro = datasets.load("azpro")
y = np.log(azpro["los"].to_numpy(float))
hospital = azpro["hospital"].astype(str).to_numpy()
names, at = np.unique(hospital, return_inverse=True)
X = azpro[["cabg", "male", "urgent", "age75"]].astype(float).assign(intercept=1.0)
MODELS = {
    "no hospitals": stats.halfnorm(scale=0.001),
    "partial pooling": stats.halfnorm(scale=0.5),
    "no pooling": stats.uniform(10, 0.1),
}
REST = dict(sigma=stats.halfnorm(scale=1), beta=(0, 5))

# %% [markdown]
# The exact posterior gives 1,000 independent draws of each, in a moment. How well does each fit? For each patient take the density that the model gives to his stay, averaged over the
# draws, and its log. The more probable the model found what happened, the higher. The sum over patients is the fit *in sample*.

# %%
draws = {name: exact.posterior(y, X, hospital, tau=tau, **REST).draws(1000, rng=1)
         for name, tau in MODELS.items()}  # fmt: skip
densities = {name: patient_log_densities(one, y, X, at) for name, one in draws.items()}
in_sample = pd.Series({name: log_mean_exp(one).sum() for name, one in densities.items()})

# %%
predict(
    "P17.1",
    "Which of the three has the best fit in sample?",
    choices=["no hospitals: the simplest", "partial pooling", "no pooling: the most freedom"],
)

# %%
words = dict(
    zip(
        MODELS,
        ["no hospitals: the simplest", "partial pooling", "no pooling: the most freedom"],
        strict=True,
    )
)
print(in_sample.round(1).to_string())
reveal("P17.1", words[in_sample.idxmax()])

# %% [markdown]
# The one with the most freedom wins, as it must. It was allowed to look at the answers, and it could follow them furthest. Is it the best? Give a model still more to follow: hospital predictors made of *noise*.

# %%
learned = dict(tau=MODELS["partial pooling"], **REST)
groups = [at == j for j in range(17)]


def two_fits(wider):
    one = exact.posterior(y, wider, hospital, **learned).draws(400, rng=1)
    logs = [log_mean_exp(hospital_log_density(one, y[group], wider[group])) for group in groups]
    return sum(logs), leave_hospitals_out(y, wider, hospital, **learned).sum()


# %% [markdown]
# Now all patients of a hospital count as one, with the hospital's effect summed out: a hospital is predicted, not a patient of a known one. Each set of noise predictors, in sample and left out:

# %%
noise = np.random.default_rng(17).normal(size=(4, 17, 6))  # four sets of six predictors
found = {p: [two_fits(np.column_stack([X, one[at][:, :p]])) for one in noise] for p in [2, 4, 6]}
curve = pd.DataFrame(
    {0: two_fits(X.to_numpy()), **{p: np.mean(fits, axis=0) for p, fits in found.items()}}
).T
curve.columns = ["in sample", "each hospital from the others"]

# %%
fig, ax = plt.subplots(figsize=(8, 3.4))
for (name, line), dash in zip((curve - curve.loc[0]).items(), ["--", "-"], strict=True):
    ax.plot(line.index, line, "o" + dash, color=plots.PALETTE["posterior"], label=name)
ax.axhline(0, color="0.6", linewidth=1)
ax.set(xlabel="noise predictors of hospitals (mean of four sets)", ylabel="change of log density")
ax.legend()
plots.show(
    fig,
    alt="Change of the log density as noise predictors are added. In sample, dashed, it rises. Each hospital predicted from the others, solid, it falls below 0.",
)

# %% [markdown]
# Dashed, the fit in sample: up. Solid, what was left out: down.

# %% tags=["nbval-check-output"]
ends = curve.loc[6] - curve.loc[0]
print("six noise predictors look better in sample:", ends["in sample"] > 0)
print("left out, they are worse:", ends["each hospital from the others"] < -2)

# %% [markdown]
# Noise *improves* the fit in sample, and it damages the prediction of what was left out. So leave something out. Leaving out parts in turn is <dfn>cross-validation</dfn>. The log density of what was left out, summed, estimates the <dfn>expected log predictive density</dfn> (elpd): what the model would score on new data of the same kind. The question is: leave out *what*?
#
# ### Exercise E17.1 · What will you leave out?
#
# A model of stays shall be used next year in hospitals that have just joined. How do you test it on the data you have?
#
# - **a** Leave out one patient at a time.
# - **b** Leave out one hospital at a time.
# - **c** Leave out a tenth of the patients at a time, drawn by lot.
# - **d** By its fit to all data.

# %%
# BEGIN SOLUTION
leave_out = "b"
# END SOLUTION

# %%
check("E17.1", leave_out)

# %% [markdown]
# ## Check at both levels
#
# Before you compare models, ask whether one could have made such data at all (lesson 14). Let *no hospitals* invent data. At the level of patients, look at a number of patients: the share that stays over ten days.
# At the level of hospitals, one of hospitals: the SD of their mean residuals.

# %%
predict(
    "P17.2",
    "The model without hospitals invents data. Which of the two numbers will give it away?",
    choices=["patients: share over ten days", "hospitals: SD of their means", "both", "neither"],
)

# %%
sizes = np.bincount(at)
rng = np.random.default_rng(17)
NUMBERS = ["patients over ten days (%)", "patients over three weeks (%)", "SD of hospitals' means"]


def three_numbers(stays, beta):  # stays: log days
    means = np.bincount(at, stays - X.to_numpy() @ beta) / sizes
    over = [100 * np.mean(stays > np.log(days + 0.5)) for days in [10, 21]]
    return [*over, means.std()]


# %%
def invent(one, n=300):  # new hospitals, new patients
    rows = []
    for beta, sigma, tau in zip(one["beta"][:n], one["sigma"][:n], one["tau"][:n], strict=True):
        stays = X.to_numpy() @ beta + rng.normal(0, tau, 17)[at] + rng.normal(0, sigma, len(y))
        rows.append(three_numbers(stays, beta))
    return pd.DataFrame(rows, columns=NUMBERS)


# %% [markdown]
# 300 data sets from *no hospitals*, and, to compare, 300 from *partial pooling*:

# %%
invented = {name: invent(draws[name]) for name in ["no hospitals", "partial pooling"]}
observed = dict(
    zip(NUMBERS, three_numbers(y, draws["no hospitals"]["beta"].mean(axis=0)), strict=True)
)
tails = pd.DataFrame(
    {
        name: {n: tail_share(rows[n], observed[n]) for n in NUMBERS}
        for name, rows in invented.items()
    }
)

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.2))
for ax, name in zip(axes, [NUMBERS[0], NUMBERS[2]], strict=True):
    draw_check(ax, invented["no hospitals"][name], observed[name])
    ax.set(title=name if name == NUMBERS[0] else name + " (log days)")
axes[1].legend(loc="upper right", bbox_to_anchor=(0.9, 1))
plots.show(
    fig,
    alt="Left: the observed share of patients over ten days lies among those of 300 invented data sets of the model without hospitals. Right: the observed SD of the hospitals' means lies to the right of all invented ones but a rare one.",
)

# %% [markdown]
# In which tail does the observed number lie? Below 2.5 %, it is one that the model hardly ever invents:

# %% tags=["nbval-check-output"]
print((tails < 0.025).replace({True: "fails", False: "passes"}).to_string())
fails = tuple(tails["no hospitals"][[NUMBERS[0], NUMBERS[2]]] < 0.025)
found = {(False, True): "hospitals: SD of their means", (True, False): "patients: share over ten days",
         (True, True): "both", (False, False): "neither"}[fails]  # fmt: skip
reveal("P17.2", found)

# %% [markdown]
# In the figure, left: passed. Right: seventeen hospitals without any difference would mostly have means that scatter about half as much or less. The model is hardly possible, and a number *of hospitals* shows it. Partial pooling passes there. The share over three weeks fails in both
# models: that is the shape of lesson 14, not the hospitals. A check looks where you point it. Point it at both levels.
#
# ## Leave out a patient
#
# Leaving out each of 3,589 patients means 3,589 fits. There is a trick. Draws that have seen a patient favour him. Give each draw the weight 1/density of that patient, and it is as if he had never been there. His left-out density is then
# $1/\text{mean}(1/\text{density})$. This is <dfn>LOO</dfn>; ArviZ also smooths the largest weights. If a few draws get all the weight, it cannot be trusted: Pareto k (lesson 13) tells. For all patients at once:

# %%
loo, dic, waic = {}, {}, {}
for name, one in densities.items():
    sigma = {"posterior": {"sigma": draws[name]["sigma"].reshape(4, 250)}}
    logs = {"log_likelihood": {"y": one.reshape(4, 250, -1)}}
    loo[name] = az.loo(az.from_dict(sigma | logs), pointwise=True)
    at_mean = {key: values.mean(axis=0, keepdims=True) for key, values in draws[name].items()}
    best = patient_log_densities(at_mean, y, X, at).sum()  # for two shortcuts, of which later
    dic[name] = best - 2 * (best - one.sum(axis=1).mean())
    waic[name] = in_sample[name] - one.var(axis=0, ddof=1).sum()
patients = pd.Series({name: float(found.elpd) for name, found in loo.items()})
largest_k = max(float(found.pareto_k.max()) for found in loo.values())

# %%
predict(
    "P17.3",
    "Leaving out one patient at a time: how do partial pooling and no pooling compare?",
    choices=[
        "partial pooling better by more than 5",
        "they hardly differ",
        "no pooling better by more than 5",
    ],
)

# %%
gap = patients["partial pooling"] - patients["no pooling"]
gaps = ["no pooling better by more than 5", "they hardly differ"]
reveal("P17.3", [*gaps, "partial pooling better by more than 5"][np.digitize(gap, [-5, 5])])

# %% [markdown]
# ## Leave out a hospital
#
# And for a new hospital? Fit 16, predict all patients of the 17th *together*, 17 times. The exact posterior makes that a matter of half a second for each model.

# %%
predict(
    "P17.4",
    "Leaving out one hospital at a time: which model comes last?",
    choices=["no hospitals", "partial pooling", "no pooling"],
)

# %%
by_hospital = {name: leave_hospitals_out(y, X, hospital, tau=tau, **REST) for name, tau in MODELS.items()}  # fmt: skip
by_hospital = pd.DataFrame(by_hospital)
elpd = pd.DataFrame({"in sample": in_sample, "DIC / −2": dic, "WAIC": waic, "leave out a patient": patients})  # fmt: skip
elpd["leave out a hospital"] = by_hospital.sum()

# %% tags=["nbval-check-output"]
print((elpd - elpd.loc["partial pooling"]).round(0).astype(int).to_string())
print("all Pareto k of leaving out a patient below 0.7:", largest_k < 0.7)
reveal("P17.4", elpd["leave out a hospital"].idxmin())

# %% [markdown]
# Read each column against partial pooling. *In sample*, no pooling is ahead by a little. For a *patient of a known hospital*, it is level: most of these hospitals have more than a hundred patients, so their own mean is nearly all you need. For a *new hospital* it is the worst of the three, worse than
# having no hospitals: it learned 17 hospitals and nothing about hospitals. Its idea of a new one is "anything". The ranking depends on the question. "Which model is better?" has no answer before you say *for what*.
#
# The <dfn>DIC</dfn>, a shortcut that many programs print, takes the fit at the posterior means and subtracts a penalty. WAIC subtracts another one from the fit in sample. As programs mostly compute them, both work patient by patient, *given* the hospitals' effects. So they say what leaving out a patient says, whatever your question is: no pooling
# is level with partial pooling, and *no hospitals* comes last. Nothing in them warns you of the last column.
#
# ### Exercise E17.2 · Leave one out, without a refit
#
# In four draws of a posterior a patient's density is 0.20, 0.10, 0.40 and 0.02. What is the *log* of her left-out density? (Natural log, two decimals.)

# %%
# BEGIN SOLUTION
four = np.array([0.20, 0.10, 0.40, 0.02])
left_out_log = np.log(1 / np.mean(1 / four))
# END SOLUTION

# %%
check("E17.2", left_out_log)

# %% [markdown]
# ## When the trick fails
#
# Can you leave out a *hospital* by weights, too? Sum its patients' log densities, and weight by 1/density of them all. But the draws' effect of that hospital was learned from just these patients. Without them it could be anything, and no draw shows
# that. A cure: sum the hospital's effect out *before* you weight (`hospital_log_density`), so that only the parameters that other hospitals know as well are left. And the judge: the refits.


# %%
def by_weights(logs):  # logs: draws × hospitals
    found, k = [], []
    for column in logs.T:
        weights = bayes.reweight(-column)
        found.append(np.log(weights.weight @ np.exp(column - column.max())) + column.max())
        k.append(weights.k_hat)
    return np.array(found), np.array(k)


one, given = draws["partial pooling"], densities["partial pooling"]
given_effects = np.stack([given[:, group].sum(axis=1) for group in groups], axis=1)
summed_out = np.stack([hospital_log_density(one, y[group], X[group]) for group in groups], axis=1)
refits = by_hospital["partial pooling"].to_numpy()

# %% [markdown]
# Both, beside the judge:

# %% tags=["nbval-check-output"]
(plain, plain_k), (summed, summed_k) = by_weights(given_effects), by_weights(summed_out)
print(f"effects given: off by {plain.sum() - refits.sum():.0f}")
print("  k warns for a third of the hospitals or more:", (plain_k > 0.7).mean() > 1 / 3)
print("effects summed out: off by less than 2:", abs(summed.sum() - refits.sum()) < 2)
print("  k warns for four of 17 or fewer:", (summed_k > 0.7).sum() <= 4)
patched = np.where(summed_k > 0.7, refits, summed)
print("  those refitted: off by less than 2:", abs(patched.sum() - refits.sum()) < 2)

# %% [markdown]
# With the effects given, the weights flatter the model, and many k's warn. Heed them: that number answers no question. With the effects summed out it agrees with the refits, as far as draws can tell (with 400 to 1,000 of them a sum is good to about half a unit). A k may still warn, mostly for the largest hospitals: without one of those the other parameters move too. Refit just these and put the refits in their place: the last line.
#
# ## "They do not differ"
#
# Is the volume of a hospital worth its place in the model, or its share of bypass operations? Leave hospitals out, with and without. The difference is a sum over 17 hospitals, so it has a <dfn>paired standard error</dfn>: $\sqrt{17}$ times the SD of the 17 differences.

# %%
predict(
    "P17.5",
    "Two hospital predictors are added: log volume and bypass share. By how much does the elpd for a new hospital change?",
    choices=[
        "better by more than two standard errors",
        "within two standard errors of 0",
        "worse by more than two standard errors",
    ],
)

# %%
volume = np.log(azpro["hosp_n"].to_numpy(float))
added = {"volume": volume - volume.mean(), "share": azpro["hosp_cabg_share"].to_numpy(float)}
wider = {
    "with log volume": X.assign(volume=added["volume"]),
    "with bypass share": X.assign(share=added["share"]),
    "with both": X.assign(**added),
}
compared = {name: leave_hospitals_out(y, x, hospital, **learned) for name, x in wider.items()}
compared["without hospital effects"] = by_hospital["no hospitals"]

# %%
differences = pd.DataFrame(compared).sub(by_hospital["partial pooling"], axis=0)
table = pd.DataFrame({"difference": differences.sum(), "se": np.sqrt(17) * differences.std()})
z = table.loc["with both", "difference"] / table.loc["with both", "se"]
errors = "two standard errors"
ends = [f"worse by more than {errors}", f"within {errors} of 0", f"better by more than {errors}"]
reveal("P17.5", ends[np.digitize(z, [-2, 2])])

# %% [markdown]
# Dots are differences from partial pooling without hospital predictors, bars two standard errors:

# %%
fig, ax = plt.subplots(figsize=(8, 2.8))
draw_comparison(ax, table)
plots.show(
    fig,
    alt="Differences of the elpd for a new hospital from partial pooling, with two standard errors. With log volume, bypass share, or both: small differences whose intervals hold 0. Without hospital effects: clearly below 0.",
)

# %% tags=["nbval-check-output"]
clear = (table["difference"].abs() > 2 * table["se"]).rename(
    "differs by more than 2 standard errors"
)
print(clear.to_string())

# %% [markdown]
# The three models with hospital predictors *do not differ* from the one without, as far as 17 hospitals can tell. That is a result. It does not say that volume has no effect; it says that these data do not show it to help prediction. Which one to report? The one in your plan. (A standard error from
# 17 differences is rough itself. Between models that are nearly the same, do not make a contest.)
#
# ### Exercise E17.3 · A difference and its error
#
# For eight hospitals two models differ in log density by 3.0, −1.0, 4.0, 0.5, 2.5, −2.0, 6.0 and 1.0. The sum is 14. What is its paired standard error? (One decimal.)

# %%
# BEGIN SOLUTION
eight = np.array([3.0, -1.0, 4.0, 0.5, 2.5, -2.0, 6.0, 1.0])
paired_error = np.sqrt(8) * eight.std(ddof=1)
# END SOLUTION

# %%
check("E17.3", paired_error)

# %% [markdown]
# ## Is it a posterior at all?
#
# All of this trusts the program. Programs have mistakes. There is a test that needs no other program: <dfn>simulation-based calibration</dfn>. Draw parameters from the *prior*, data from the parameters, and ask the program for 99 draws. How many of them lie below the true value? If
# the program is right, each rank from 0 to 99 is equally likely, whatever the model.
#
# 400 trials of 8 hospitals, half of them treated. Two programs: ours, and one with a mistake that really happens: the hospital column was sorted apart from the others, so that it is mixed up.

# %%
predict(
    "P17.6",
    "With mixed-up hospitals, what will the ranks of the true treatment effect look like?",
    choices=[
        "flat: treatment is still right",
        "a hill: too wide",
        "a valley with full ends: too sure",
        "a slope: shifted",
    ],
)

# %%
ranks = {"hospitals right": trial_ranks(400), "hospitals mixed up": trial_ranks(400, shuffled=True)}
low, high = (100 * count / 400 for count in band(400))
mixed = ranks["hospitals mixed up"]
fewer, more = sorted([100 * np.mean(mixed < 5), 100 * np.mean(mixed >= 95)])  # the end bins, %
shapes = {
    "a valley with full ends: too sure": fewer > high,
    "a slope: shifted": more > high and fewer <= high,
    "a hill: too wide": more < low,
    "flat: treatment is still right": low <= more <= high,
}
reveal("P17.6", next(shape for shape, holds in shapes.items() if holds))

# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True)
for ax, (name, values) in zip(axes, ranks.items(), strict=True):
    draw_ranks(ax, values)
    ax.set(title=name)
axes[1].set(ylabel="")
plots.show(
    fig,
    alt="Rank histograms with the band of a right program. Left: flat, within the band but for an odd bin. Right: the bins at both ends stick out above the band, the middle is low.",
)

# %% tags=["nbval-check-output"]
for name, values in ranks.items():
    outer = np.mean((values < 5) | (values >= 95))
    print(f"{name}: {100 * outer:.0f} % of the truths in the two end bins; 10 % expected")

# %% [markdown]
# A <dfn>rank histogram</dfn>. Left: flat; the grey band holds 95 % of the bins of a right program, so one of the twenty may well stick out. Right: too many truths lie outside nearly all draws. The program believes that hospitals hardly differ, and is too sure of an effect that was given by hospital: lesson 2's mistake, found without
# knowing it. The program runs, and warns of nothing.
#
# ### Try it: a program that is wrong by so much
#
# Make the posterior too wide or too narrow, or shift it, and read the ranks. If you cannot run the cell, the figure above shows two of its shapes.
#
# 1. Width 0.6: how often do its 95 % intervals hold the truth? Where are the ranks?
# 2. Width 1.5. What is the shape now? Is being too careful visible?
# 3. Width 1, shift 0.5. And now? How many trials do you need to be sure that it is not chance? (Try 40, then 1,000.)
#
# <details><summary>Answers</summary>1: in about three of four; heaped at both ends. 2: a hill; yes. 3: a slope: the truth has low ranks. With 40 trials hardly any bin leaves the band; with 1,000 many do.</details>

# %%
calibration_explorer()

# %% [markdown]
# ### Exercise E17.4 · Read the ranks
#
# A rank histogram has twice as many ranks as expected in both end bins, and few in the middle. The program's posterior is ...
#
# - **a** shifted upwards.
# - **b** too wide.
# - **c** right.
# - **d** too narrow.

# %%
# BEGIN SOLUTION
shape = "d"
# END SOLUTION

# %%
check("E17.4", shape)

# %% [markdown]
# ### Exercise E17.5 · Spot the flaw
#
# From a report:
#
# 1. We compared two models of stay in 40 hospitals: a coefficient for each hospital, and a random intercept.
# 2. LOO had no Pareto k above 0.5.
# 3. The model with coefficients had a higher elpd, by 12 (paired standard error 4).
# 4. So we recommend its predictions for hospitals that join the network next year.
# 5. The SD of hospitals' means in invented data agreed with the observed one.
#
# Which sentence holds the mistake, and why?
#
# - **a** Patients were left out, but the question is about new hospitals.
# - **b** LOO may not be used with hospitals.
# - **c** A difference of 12 with an error of 4 is no difference.
# - **d** Coefficients and random intercepts cannot be compared.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (4, "a")
# END SOLUTION

# %%
check("E17.5", flaw)

# %% [markdown]
# ### Exercise E17.6 · Your own hospitals
#
# `own_hospitals(17)` is a register of pressures, nobody treated. Check the model *without hospitals* at the level of hospitals. Give two SDs in mmHg, one decimal: the SD of the hospitals' means (n − 1), and the SD that the model expects of them: the SD of all patients times the root of the mean of 1/n over hospitals.

# %%
mine = own_hospitals(17).data
mine.groupby("hospital", observed=True)["sbp"].agg(["size", "mean"]).describe().loc[
    ["count", "min", "max"]
].round(1)

# %%
# BEGIN SOLUTION
my_hospitals = mine.groupby("hospital", observed=True)["sbp"].agg(["size", "mean"])
my_seen = my_hospitals["mean"].std()
my_expected = mine["sbp"].std() * np.sqrt((1 / my_hospitals["size"]).mean())
my_two = [my_seen, my_expected]
# END SOLUTION

# %%
check("E17.6", my_two)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - Fit in sample rewards freedom, and noise.
# - Check patients *and* hospitals.
# - Leave out what you want to predict: a patient of a known hospital, or a hospital.
# - LOO by weights: look at Pareto k. For hospitals sum the effects out, or refit.
# - A difference comes with its paired error. "They do not differ" is a result.
# - Test the program on data from its own prior: ranks must be flat.
#
# ## Limits
#
# elpd is one score; another, such as days of error, may rank differently. With 17 hospitals all comparisons between them are rough. Calibration tests the program, not the model: a right program with a wrong model passes. It also tests only the parameter that you rank, here the effect, and a program that ignores the data and returns the prior passes too.
# The model "no pooling" was given a new hospital's effect by its wide prior, and with a wider one it would lose by more; a program with plain coefficients gives none at all.
#
# ## Further reading
#
# - Vehtari A, Gelman A, Gabry J (2017). Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC. *Statistics and Computing* 27(5):1413-1432. LOO by Pareto-smoothed weights.
# - Merkle EC, Furr D, Rabe-Hesketh S (2019). Bayesian comparison of latent variable models: conditional versus marginal likelihoods. *Psychometrika* 84(3):802-829. Patients or hospitals: which likelihood for which question.
# - Talts S, Betancourt M, Simpson D, Vehtari A, Gelman A (2018). Validating Bayesian inference algorithms with simulation-based calibration. arXiv:1804.06788.
# - Sivula T, Magnusson M, Matamoros AA, Vehtari A (2020). Uncertainty in Bayesian leave-one-out cross-validation based model comparison. arXiv:2008.10296. When the standard error of a difference misleads.
