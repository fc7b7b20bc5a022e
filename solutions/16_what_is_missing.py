# ---
# jupyter:
#   course:
#     question: Some patients never came back. When can you ignore that, and when must you model it?
#     reading_minutes: 45
#     exercise_minutes: 40
#     needs: [15]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 16 What is missing
#
# > Some patients never came back. When can you ignore that, and when must you model it?
#
# Reading: 45 minutes. Exercises: 40 minutes. First do
# [lesson 15](15_complex_structures_complex_priors.ipynb).
#
# ## What you will be able to do
#
# - Draw why values are missing, and say which analyses that allows.
# - Find out what each tool does with a gap, before it does it.
# - Impute with a model that knows hospitals, and put the results together.
# - Say when imputing adds nothing, when it helps, and when it harms.
# - Report how different the missing would have to be to change your conclusion.

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pymc as pm
import statsmodels.formula.api as smf
from scipy import stats

from utils import bayes, datasets, exact, mixedlm, plots, stored
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.graphs import causal_graph
from utils.missing import analyse, analyse_imputed, impute, pool
from utils.missing_figures import WAYS, draw_bias, draw_delta, draw_imputed, draw_means
from utils.simulate import med_trial
from utils.widgets import missing_explorer

plots.set_style()
bayes.set_up()

# %% [markdown]
# ## A gap is a fact about the patient, or is it?
#
# A drug trial: 20 hospitals, 20 patients each, treated by lot. At the end a third of the pressures are missing. What you may do depends on *why*.
#
# - <dfn>Missing completely at random</dfn> (MCAR): by chance alone. A tray of samples fell down.
# - <dfn>Missing at random</dfn> (MAR): it depends on what you *recorded*. Patients with a high baseline moved to a special clinic.
# - <dfn>Missing not at random</dfn> (MNAR): it depends on the missing value *itself*, even given what you recorded. Patients whose pressure is high today feel ill and stay in bed.

# %%
corners = {"baseline": (0.2, 0.8), "pressure": (0.8, 0.8), "missing": (0.8, 0.2)}
fig, axes = plt.subplots(1, 3, figsize=(10, 2.8))
for ax, (name, causes) in zip(axes, WAYS.items(), strict=True):
    arrows = [("baseline", "pressure"), *((cause, "missing") for cause in causes)]
    causal_graph(corners, arrows, ax, unseen=["pressure"])
    ax.set_title(name)
plots.show(
    fig,
    alt="Three graphs. In each, baseline causes pressure, whose frame is dashed since it has gaps. MCAR: nothing leads to missing. MAR: an arrow from baseline to missing. MNAR: an arrow from pressure to missing.",
)

# %% [markdown]
# A dashed frame: the column that has gaps. Look at the arrows into *missing*. Left: none. Middle: from something you have. Right: from the very thing you do not have. No data can tell the middle from the right: you would need
# the missing pressures. So MAR is an assumption, and you must defend it, as you defend that nobody is confounded (lesson 8).
#
# ### Exercise E16.1 · Which mechanism?
#
# In which story are the pressures missing *not* at random?
#
# - **a** The laboratory lost every tenth form.
# - **b** Old patients travel less, so more of their final visits are missing. Age was recorded.
# - **c** Patients with a headache, which high pressure gives, stayed at home. Nobody asked about headaches.
# - **d** Patients with a high baseline were seen elsewhere. Baselines were recorded.

# %%
# BEGIN SOLUTION
story = "c"
# END SOLUTION

# %%
check("E16.1", story)

# %% [markdown]
# ## What do your tools do?
#
# `lung`: 228 patients with lung cancer in 18 institutions, with real gaps. Weight loss is missing for 14 patients, calories for 47. Ask each tool how it deals with them.

# %%
predict(
    "P16.1",
    '`smf.ols("wt_loss ~ sex", lung).fit()` meets 14 missing weights. What happens?',
    choices=[
        "an error",
        "a warning, then a fit of 214 rows",
        "a fit of 214 rows, no word",
        "the gaps count as 0",
    ],
)

# %%
lung = datasets.load("lung").rename(columns=lambda name: name.replace(".", "_"))
with warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    rows_used = int(smf.ols("wt_loss ~ sex", lung).fit().nobs)
silent = rows_used == 214 and not heard
reveal("P16.1", "a fit of 214 rows, no word" if silent else "a warning, then a fit of 214 rows")

# %% tags=["nbval-check-output"]
print("np.mean:", np.mean(lung["wt_loss"].to_numpy()))
print("pandas: a mean of", lung["wt_loss"].count(), "values")
for name, fit_it in {"smf.mixedlm": smf.mixedlm, "utils.mixedlm": mixedlm.fit}.items():
    try:
        fit_it("wt_loss ~ sex", lung, groups="inst")
    except Exception as error:  # noqa: BLE001
        print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0][:72]}")

# %% tags=["nbval-check-output"]
# PyMC: a gap in the outcome, then one in a predictor.
with warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    with pm.Model() as gap_in_outcome:
        pm.Normal("y", pm.Normal("mu", 0, 1), 1, observed=np.array([1.0, 2.0, np.nan]))
print("PyMC, outcome:", heard[0].category.__name__)
print("parameters:", [variable.name for variable in gap_in_outcome.free_RVs])
with pm.Model() as gap_in_predictor:
    pm.Normal("y", pm.Normal("b", 0, 1) * np.array([1.0, np.nan]), 1, observed=[1.0, 2.0])
density = gap_in_predictor.point_logps()["y"]
print("PyMC, predictor: log density", density)

# %% [markdown]
# Six tools, five habits. OLS drops rows and says nothing. NumPy spreads the gap, pandas skips it. `MixedLM` refuses in four words, ours with a count of the rows and the columns; with `missing="drop"` both leave the rows out. PyMC makes each missing *outcome* a
# parameter and warns; a missing *predictor* makes the density `nan`, and a sampler fails with "All initialization points failed". **Count the rows that a fit used. Always.**
#
# ## A missing outcome
#
# Our trial. The treatment lowers pressure by 6 mmHg, untreated patients with a baseline of 150 have 140 on average. A third of the outcomes is missing at random, more often where the baseline was high.

# %%
DESIGN = dict(n_hospitals=20, patients_per_hospital=20, treatment_effect=-6, baseline_effect=0.5,
              hospital_sd=5, patient_sd=10, missing_share=0.35)  # fmt: skip
trial = med_trial(**DESIGN, missing="outcome", missing_mechanism="MAR", rng=163).data
seen = trial.dropna()
print(f"{len(seen)} of {len(trial)} outcomes; mean baseline of those with one "
      f"{seen['baseline'].mean():.0f}, of all {trial['baseline'].mean():.0f} mmHg")  # fmt: skip

# %% [markdown]
# You fit the mixed model with baseline to the complete rows. A colleague says: "Bayesian models handle missing data by imputing it." He gives all 400 rows to PyMC, which draws the missing outcomes along with everything else.

# %%
predict(
    "P16.2",
    "What will the colleague's posterior of the treatment effect look like, compared with the posterior from the complete rows?",
    choices=[
        "narrower: 400 patients, not 260",
        "shifted: the gaps were not by chance",
        "the same",
        "wider: imputing adds noise",
    ],
)

# %%
at, names = pd.factorize(trial["hospital"])
treated, baseline = trial["treated"].to_numpy(float), trial["baseline"].to_numpy(float) - 150
with warnings.catch_warnings(), pm.Model(coords={"hospital": names}) as imputing:
    warnings.simplefilter("ignore", UserWarning)  # the ImputationWarning that you met above
    mean, effect = pm.Normal("mean", 140, 30), pm.Normal("treatment_effect", 0, 20)
    slope, hospital_sd = pm.Normal("baseline_effect", 0, 2), pm.HalfNormal("hospital_sd", 10)
    level = pm.Normal("level", mean, hospital_sd, dims="hospital")
    centre = level[at] + effect * treated + slope * baseline
    pm.Normal("sbp", centre, pm.HalfNormal("patient_sd", 20), observed=trial["sbp"].to_numpy())

# %%
SAMPLE = dict(draws=2000, tune=1000, chains=4, cores=2, nuts_sampler="nutpie", random_seed=1)
imputed_fit = pm.sample(model=imputing, **SAMPLE, progressbar=False, quiet=True)

# %% [markdown]
# And yours, exactly, from the complete rows with the same priors:

# %%
terms = ["mean", "treatment_effect", "baseline_effect"]
X = pd.DataFrame({"mean": 1.0, "treatment_effect": seen["treated"].astype(float)})
X["baseline_effect"] = seen["baseline"] - 150
sds = dict(tau=stats.halfnorm(scale=10), sigma=stats.halfnorm(scale=20))
priors = ([140, 0, 0], [30, 20, 2])
dropped = exact.posterior(seen["sbp"], X, seen["hospital"].astype(str), **sds, beta=priors)

# %%
imputes = bayes.summary(imputed_fit, var_names=terms)
drops = dropped.parameters.loc[terms]
error = drops["sd"] / np.sqrt(imputes["ess_bulk"])
same_mean = bool(((imputes["mean"] - drops["mean"]).abs() < 5 * error).all())
same_sd = bool((imputes["sd"] / drops["sd"] - 1).abs().max() < 0.1)
reveal("P16.2", "the same" if same_mean and same_sd else "narrower: 400 patients, not 260")

# %% tags=["nbval-check-output"]
print("usable:", bayes.diagnose(imputed_fit).ok)
print(f"posterior means within 5 MCSE: {same_mean}; SDs within 10 %: {same_sd}")
verdict(
    "C11",
    "half true" if same_mean and same_sd and np.isnan(density) else "look again",
    f"PyMC drew {len(trial) - len(seen)} missing outcomes with the parameters, and every coefficient had the posterior of the {len(seen)} complete rows. A drawn outcome is made from the model and tells it nothing. A missing predictor is not handled until you write a model for it.",
)

# %% [markdown]
# The same. Think of it as gossip: you tell the model what it told you. Under MAR, with the baseline *in the model*, the complete rows are all that the likelihood needs. That goes for REML, too.
#
# (And if your model leaves the baseline out? Then what decides who is missing is not in it, and the mean of those you see is too low. You find that column in the study below.)
#
# ## A missing covariate
#
# Now the outcomes are all there, but a third of the *baselines* is missing, more often where the final pressure was high: the file was pulled and got lost. Given what you have, the outcome, it is MAR.

# %%
fig, axes = plt.subplots(1, 2, figsize=(7, 2.8))
for ax, cause in zip(axes, ["pressure", "baseline"], strict=True):
    arrows = [("baseline", "pressure"), (cause, "missing")]
    causal_graph(corners, arrows, ax, unseen=["baseline"])
axes[0].set_title("by outcome: MAR")
axes[1].set_title("by itself: MNAR")
plots.show(
    fig,
    alt="Two graphs with gaps in the baseline, whose frame is dashed; it causes pressure. Left: an arrow from pressure to missing. Right: an arrow from baseline to missing.",
)

# %% [markdown]
# Now the dashed frame is the baseline's. Left: our trial; pressures you have all. Right: high baselines hide themselves; that one comes later. Left, what may you do?
#
# 1. *Complete rows*, as before.
# 2. *Without baseline*: treatment was drawn by lot, so the model may do without. All 400 rows. (Its intercept is the mean of *all* untreated patients. It may be compared with the others, since the average baseline of such patients is 150.)
# 3. <dfn>Multiple imputation</dfn>: fill each gap with a draw from a model of the baseline given the *outcome*, the arm and the hospital; do that 20 times; fit the 20 filled data sets; put the results together.
# 4. *Joint model*: give the baseline a distribution in the Bayesian model. Then a missing one is a parameter.

# %%
study = med_trial(**DESIGN, missing="covariate", missing_mechanism="by outcome", rng=164)
lost = study.data
lost[["sbp", "baseline"]].describe().loc[["count", "mean"]].round(0)

# %%
predict(
    "P16.3",
    "The truth for untreated patients with a baseline of 150 is 140 mmHg. Rows are complete where the pressure was low. Where will "
    "the complete-row estimate lie?",
    choices=["too low by several mmHg", "near 140: the model has the baseline", "too high"],
)

# %% [markdown]
# Put together by <dfn>Rubin's rules</dfn>: the estimate is the mean of the 20. Its variance is the mean of the 20 squared errors, *plus* the variance *between* the 20 estimates, times 1 + 1/20. The second part is the price
# of not knowing what was there.

# %%
complete, without = analyse(lost), analyse(lost, baseline=False)
filled = impute(lost, rng=16, imputations=20)  # 20 × 400 baselines; a mixed model draws the gaps
fits = analyse_imputed(lost, filled)  # 20 fits in one call
estimate = fits.beta.mean(axis=0)
within, between = (fits.se**2).mean(axis=0), fits.beta.var(axis=0, ddof=1)
error = np.sqrt(within + (1 + 1 / 20) * between)
pooled = pool(fits.beta, fits.se)  # the same, with degrees of freedom
assert np.allclose([estimate, error], [pooled.estimate, pooled.se])
low = complete.beta[0] < 138
reveal("P16.3", "too low by several mmHg" if low else "near 140: the model has the baseline")

# %% [markdown]
# What did the imputer fill in? One of the 20 data sets:

# %%
fig, ax = plt.subplots(figsize=(8, 3.4))
draw_imputed(ax, lost, filled[0])
plots.show(
    fig,
    alt="Pressure against baseline. Observed baselines, grey, belong mostly to patients with lower pressures. Imputed ones, hollow, lie in the upper half, along the same slope, with the same scatter.",
)

# %% [markdown]
# The hollow points continue the cloud: high pressures, so rather high baselines, scattered like the others. A single value for all gaps would be a vertical line.
#
# The joint model. One line is new: the baseline has a distribution, and the column with its gaps is `observed`. PyMC makes the gaps parameters, and the outcome's line uses observed and drawn baselines alike.

# %%
at, names = pd.factorize(lost["hospital"])
given, pressure = lost["treated"].to_numpy(float), lost["sbp"].to_numpy(float)
gaps = np.ma.masked_invalid(lost["baseline"].to_numpy(float) - 150)

# %%
with warnings.catch_warnings(), pm.Model(coords={"hospital": names}) as joint:
    warnings.simplefilter("ignore", UserWarning)
    x = pm.Normal("x", pm.Normal("x_mean", 0, 20), pm.HalfNormal("x_sd", 30), observed=gaps)
    mean, effect = pm.Normal("mean", 140, 30), pm.Normal("treatment_effect", 0, 20)
    slope, hospital_sd = pm.Normal("baseline_effect", 0, 2), pm.HalfNormal("hospital_sd", 10)
    level = pm.Normal("level", mean, hospital_sd, dims="hospital")
    centre = level[at] + effect * given + slope * x
    pm.Normal("sbp", centre, pm.HalfNormal("patient_sd", 20), observed=pressure)

# %% [markdown]
# All four answers for the mean of untreated patients:

# %%
joint_fit = pm.sample(model=joint, **SAMPLE, progressbar=False, quiet=True)
drawn = bayes.summary(joint_fit, var_names=terms)
table = {
    "complete rows": (complete.beta[0], *(end[0] for end in complete.interval())),
    "without baseline": (without.beta[0], *(end[0] for end in without.interval())),
    "multiple imputation": (pooled.estimate[0], *(end[0] for end in pooled.interval())),
    "joint Bayes": tuple(drawn.loc["mean", ["mean", "lower", "upper"]]),
}

# %%
fig, ax = plt.subplots(figsize=(8, 2.6))
draw_means(ax, table, truth=140)
plots.show(
    fig,
    alt="Mean pressure of untreated patients with a baseline of 150 by four analyses, with 95 % intervals and the truth at 140. Complete rows lie several mmHg below, and the interval misses the truth. The other three lie near 140.",
)

# %% [markdown]
# The black line is the truth. One interval misses it.

# %% tags=["nbval-check-output"]
print("joint model usable:", bayes.diagnose(joint_fit).ok)
gap = abs(drawn.loc["mean", "mean"] - pooled.estimate[0])
print("joint model and imputation agree within half a standard error:", gap < pooled.se[0] / 2)
for name, (_, low_end, high_end) in table.items():
    print(f"{name}: holds 140: {low_end < 140 < high_end}")

# %% [markdown]
# The complete rows are too low *with the baseline in the model*: rows were picked by the outcome. The intervals of the other three hold the truth. (One trial; the grid below has many.) The simplest is the second: a randomised trial can do without a covariate.
#
# Note what made imputing work. The imputer had the *outcome* and the arm. Without the outcome it would have filled in baselines that have nothing to do with the patient's pressure, and flattened the slope. And it had the hospital twice: as a random intercept, and by its *mean pressure*. High
# for his hospital and high because his hospital is high are two things (lesson 8), and only the first tells of the patient's baseline. Mix the two, and the filled hospitals come out too alike.
#
# ### Exercise E16.2 · Rubin's rules by hand
#
# Five imputed data sets gave effects of −5.0, −6.4, −5.6, −4.6 and −6.9 mmHg, each with a standard error of 1.2. What is the standard error of their mean, by Rubin's rules? (Two decimals.)

# %%
# BEGIN SOLUTION
five = np.array([-5.0, -6.4, -5.6, -4.6, -6.9])
rubin_error = np.sqrt(1.2**2 + (1 + 1 / 5) * five.var(ddof=1))
# END SOLUTION

# %%
check("E16.2", rubin_error)

# %% [markdown]
# ## The grid
#
# One trial is an anecdote. A stored study: six ways to lose values, 240 trials each, analysed in four ways, and once more with nothing missing. The joint Bayesian model has 80 trials, as its fits are slow; each fit passed the checks of lesson 12, or was sampled again until it did. A part of the table is computed afresh as you load it; `make refit` makes it all anew.

# %%
predict(
    "P16.4",
    "One of the six: a baseline is missing more often where the *baseline itself* is high (MNAR). Which analysis of the untreated mean is biased?",
    choices=["complete rows", "multiple imputation", "both", "neither"],
)

# %%
grid = stored.load("missing").set_index(["missing", "mechanism", "analysis"]).sort_index()
means = grid.query("term == 'intercept'")
case = means.loc["covariate", "MNAR"]
off = case["bias"].abs() > 0.5
which = {(True, False): "complete rows", (False, True): "multiple imputation",
         (True, True): "both", (False, False): "neither"}  # fmt: skip
reveal("P16.4", which[bool(off["complete rows"]), bool(off["multiple imputation"])])

# %%
fig, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True)
effects = grid.query("term == 'treatment_effect'")
draw_bias(axes[0], means, "mean of untreated patients")
draw_bias(axes[1], effects, "treatment effect")
plots.show(
    fig,
    alt="Bias of the untreated mean and of the treatment effect by five analyses for six ways of losing values. Outcome MCAR: none. Outcome MAR: only the model without baseline, in the mean. Outcome MNAR: all, in both numbers. Covariate MCAR: none. Covariate by outcome: complete rows, in both. Covariate MNAR: imputation and the joint model, in the mean.",
)

# %% [markdown]
# Each mark is a bias, its bar two Monte Carlo errors to either side. The scales of the two panels differ. Now the other two scores: how often the interval holds the truth, and how wide it is. Here the *mean's* coverage and the *effect's* width:

# %% tags=["nbval-check-output"]
print("coverage of the mean (should be 0.95)")
print(means["coverage"].unstack("analysis").round(2).to_string())
slip = means["coverage_mcse"].groupby("analysis").max().round(2)
print(
    f"Monte Carlo error: up to {slip['joint Bayes']} (joint Bayes), {slip.drop('joint Bayes').max()} (others)"
)
print("\nwidth of the effect's interval (mmHg)")
print(effects["width"].unstack("analysis").round(1).to_string())

# %% [markdown]
# Go through the figure from the top, with the tables beside it.
#
# - *Outcome, by chance*: nobody is biased. The model without baseline has the widest interval.
# - *Outcome, at random*: only the model without baseline is wrong, and only in the mean. Both arms lose the same patients, so the effect is spared.
# - *Outcome, not at random*: everybody is wrong, in both numbers. Intervals for the mean miss it most of the time. No analysis here repairs that.
# - *Covariate, by chance*: nobody is biased, and imputing pays. A patient without a baseline still has a pressure: the two that use it *and* the baselines have the narrowest intervals for the effect.
# - *Covariate, by outcome*: complete rows are wrong, in both numbers.
# - *Covariate, not at random*: complete rows are **right**, and imputing is wrong in the mean, by joint model or in twenty copies. Who is in the complete rows depends on the baseline, and the model has the baseline. The imputer learns from the low baselines that it sees, and fills in low ones.
#
# An interval does not warn you: where complete rows are wrong, theirs is no wider.

# %% tags=["nbval-check-output"]
bias, pair = means["bias"].abs(), ["complete rows", "multiple imputation"]
y_rows, y_filled = bias.loc["covariate", "by outcome"][pair]
x_rows, x_filled = bias.loc["covariate", "MNAR"][pair]
rows_wide, filled_wide = effects["width"].loc["covariate", "MCAR"][pair]
out_rows, out_filled = bias.loc["outcome", "MNAR"][pair]
as_told = y_rows > 2 and y_filled < 0.5 and x_filled > 1 and x_rows < 0.5
as_told = as_told and abs(out_rows - out_filled) < 0.2
verdict(
    "C12",
    "it depends on why" if as_told else "look again",
    f"imputing a covariate cut the bias of a mean from {y_rows:.1f} to {y_filled:.1f} mmHg where gaps followed the outcome, and raised it from {x_rows:.1f} to {x_filled:.1f} where they followed the covariate itself. Where they came by chance it narrowed the effect's interval from {rows_wide:.1f} to {filled_wide:.1f}. For a missing outcome it changed nothing.",
)

# %% [markdown]
# ### Exercise E16.3 · When the covariate hides itself
#
# Smokers do not like to say how much they smoke: the more they smoke, the more often the answer is missing. The outcome is complete and had no part in it. You want the line of lung function on smoking, its height and its slope. Which analysis?
#
# - **a** Complete rows.
# - **b** Multiple imputation from lung function.
# - **c** A joint Bayesian model with a normal law for smoking.
# - **d** The mean of smoking for all gaps.

# %%
# BEGIN SOLUTION
for_smokers = "a"
# END SOLUTION

# %%
check("E16.3", for_smokers)

# %% [markdown]
# ### Try it: the lab
#
# Chance is left out: the numbers are those of hospitals and patients without end. (The points are 250 of these patients.) You say what is missing, and why. If you cannot run it, the last figure shows much of it.
#
# 1. Outcome, by the other column (MAR). Raise the strength. Which analysis leaves the truth, and in which of the two numbers?
# 2. Baseline, by the other column: which one now? Lower the share to 10 %. Is the bias gone?
# 3. Outcome, by its own value. Is there an analysis that is right? Does imputing come nearer than complete rows?
# 4. Find a setting in which imputing is *worse* than complete rows.
#
# <details><summary>Answers</summary>1: without baseline, in the mean; the effect is spared. 2: complete rows, in both; at 10 % it is smaller, not gone. 3: none, and imputing agrees with complete rows. 4: baseline, by its own value: look at the mean.</details>

# %%
missing_explorer()

# %% [markdown]
# ## Not at random: how bad would it have to be?
#
# If the missing are worse than the recorded ones look, by how much? You do not know. So try it: a <dfn>delta adjustment</dfn> imputes as if MAR, adds δ to every imputed outcome of the *treated*, and analyses again. Move δ until the conclusion changes. Then ask a doctor whether such a δ is possible.

# %%
trial = med_trial(**DESIGN, missing="outcome", missing_mechanism="MNAR", rng=165).data
filled = impute(trial, rng=165, imputations=20)
deltas = np.arange(0, 31, 2.5)
rows = []
for delta in deltas:
    fits = analyse_imputed(trial, filled, added=delta * trial["treated"].to_numpy())
    pooled = pool(fits.beta, fits.se)
    low, high = pooled.interval()
    rows.append([pooled.estimate[1], low[1], high[1]])
path = pd.DataFrame(rows, index=deltas, columns=["effect", "low", "high"])

# %%
fig, ax = plt.subplots(figsize=(8, 3.2))
draw_delta(ax, path)
plots.show(
    fig,
    alt="Treatment effect with its 95 % interval against delta, added to the imputed outcomes of treated patients. The effect rises in a straight line from about minus 5 at 0; the upper end of the interval crosses 0 at a delta between 10 and 15 mmHg.",
)

# %% [markdown]
# The line is the effect, the band its interval. How steep is the line, and where does the band reach 0?

# %% tags=["nbval-check-output"]
share = trial.query("treated == 1")["sbp"].isna().mean()
steepness = (path["effect"].iloc[-1] - path["effect"].iloc[0]) / deltas[-1]
print(f"treated without an outcome: {100 * share:.0f} %; effect per mmHg of delta: {steepness:.2f}")
tips = path.index[path["high"] > 0]
print("first delta at which the interval holds 0:", tips[0] if len(tips) else "none")

# %% [markdown]
# At δ = 0 it is the MAR analysis. Each mmHg of δ moves the effect by about the *share of treated patients who are missing*: only they are moved. The conclusion tips where the interval reaches 0. "The missing treated patients would have to be
# that much worse than their records say": this is a sentence that a cardiologist can judge. No computer can.
#
# Mind what δ is: a stress test, not a repair. Here high pressures were lost in *both* arms, and the truth is −6. A δ for the treated alone leads away from it. You choose that δ because it is the one that hurts your conclusion most.
#
# ### Exercise E16.4 · The tipping point
#
# In another trial 30 % of the treated have no outcome. The effect would lose its meaning if it moved by 2.4 mmHg. Which δ, added to the imputed outcomes of the treated alone, does that? (One decimal.)

# %%
# BEGIN SOLUTION
tipping_delta = 2.4 / 0.30
# END SOLUTION

# %%
check("E16.4", tipping_delta)

# %% [markdown]
# ## And in real data?
#
# `lung` again: weight loss (pounds) by sex, given calories a day, missing for a fifth of the patients. Complete rows against imputed ones. Our tools want their own column names, and a baseline near 150: so the columns are renamed, and calories counted in tens. (14 patients without a weight loss and one without an institution are left out by both.)

# %%
real = lung.dropna(subset=["wt_loss", "inst"])
real = pd.DataFrame({"sbp": real["wt_loss"], "treated": (real["sex"] == 2).astype(float),
                     "baseline": real["meal_cal"] / 10, "hospital": real["inst"]})  # fmt: skip
by_rows, imputed = analyse(real), analyse_imputed(real, impute(real, rng=1))
by_imputing = pool(imputed.beta, imputed.se)

# %% tags=["nbval-check-output"]
women = pd.DataFrame(
    {
        "estimate": [by_rows.beta[1], by_imputing.estimate[1]],
        "se": [by_rows.se[1], by_imputing.se[1]],
    }
)
women.index = [f"complete rows ({real['baseline'].count()})", f"imputed ({len(real)})"]
print(women.round(1).to_string())
print(
    "they differ by less than a standard error:",
    bool(abs(women["estimate"].diff().iloc[1]) < women["se"].iloc[0]),
)

# %% [markdown]
# Women lose less weight, by either analysis, and the two differ by less than a standard error. (That describes; it is no test, as the two share most of their patients.) Which is right depends on why the calories are missing, and nobody recorded that. Do not oversell imputing. Say *before* you look which analysis is the main one, and report both.
#
# ### Exercise E16.5 · Spot the flaw
#
# From a report on 400 randomised patients:
#
# 1. 40 of 200 treated and 48 of 200 control patients had no final pressure.
# 2. We modelled pressure by arm and baseline with a random intercept for hospital.
# 3. Missing pressures were imputed by PyMC as parameters, so that the effect has the precision of 400 patients.
# 4. We added δ to the imputed pressures of treated patients.
# 5. The interval held 0 from δ = 11 mmHg on.
#
# Which sentence holds the mistake, and why?
#
# - **a** PyMC cannot impute outcomes.
# - **b** Imputed outcomes add no information: the precision is that of 312 patients.
# - **c** Rubin's rules were not used.
# - **d** The 88 patients should not have been mentioned.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (3, "b")
# END SOLUTION

# %%
check("E16.5", flaw)

# %% [markdown]
# ### Exercise E16.6 · Your own hospitals
#
# `own_hospitals(16)`: some baselines are missing, more often where the outcome was high. Give the mean pressure of untreated patients with a baseline of 150 mmHg (the intercept) by three analyses, in this order: complete rows; without baseline; multiple imputation with 20 imputations. One decimal. Which would you sign?

# %%
mine = own_hospitals(16).data
mine[["sbp", "baseline"]].count()

# %%
# BEGIN SOLUTION
my_fits = analyse_imputed(mine, impute(mine, rng=1, imputations=20))
my_means = [
    analyse(mine).beta[0],
    analyse(mine, baseline=False).beta[0],
    pool(my_fits.beta, my_fits.se).estimate[0],
]
# END SOLUTION

# %%
check("E16.6", my_means)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - Draw what leads to *missing*. The data cannot tell MAR from MNAR.
# - Count the rows that a fit used.
# - A missing outcome under MAR: keep what predicts it in the model, fit the rows you have. Imputing adds nothing.
# - A missing covariate: complete rows are right if, given what is in the model, its gaps do not depend on the outcome. If they do, and on nothing unseen, impute with the outcome in the imputer, or model the covariate, or do without it.
# - Rubin: within plus between. Hospitals belong into the imputer, and so do their mean outcomes.
# - Against MNAR there is no cure, only a δ and a doctor.
#
# ## Limits
#
# One outcome per patient; one column with gaps at a time; 35 % missing; normal laws; 20 hospitals of equal size. The imputer holds the SD between hospitals at its estimate. The joint model takes baselines to be alike in all hospitals, as they are in this simulation; where they differ, give them a level for each hospital. With repeated visits complete *patients* and all available *rows* are different analyses, and the mixed model's likelihood
# uses the second. An imputer that knows more than the analysis (a second reading by the nurse, say) can help with an outcome, too.
#
# ## Further reading
#
# - Rubin DB (1976). Inference and missing data. *Biometrika* 63(3):581-592. The three mechanisms.
# - White IR, Carlin JB (2010). Bias and efficiency of multiple imputation compared with complete-case analysis for missing covariate values. *Statistics in Medicine* 29(28):2920-2931. When complete rows win.
# - Carpenter JR, Kenward MG (2013). *Multiple Imputation and its Application*. Wiley. Hierarchical imputers and delta adjustment.
# - van Buuren S (2018). *Flexible Imputation of Missing Data*, 2nd edition. CRC Press. Chapter 7 on data in clusters.
