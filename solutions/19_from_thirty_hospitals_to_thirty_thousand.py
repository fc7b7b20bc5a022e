# ---
# jupyter:
#   course:
#     question: The registry holds a million patients. What still runs before lunch?
#     reading_minutes: 35
#     exercise_minutes: 30
#     needs: [18]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 19 From thirty hospitals to thirty thousand
#
# > The registry holds a million patients. What still runs before lunch?
#
# Reading: 35 minutes. Exercises: 30 minutes. First do
# [lesson 18](18_capstone_a_league_table_you_can_defend.ipynb).
#
# ## What you will be able to do
#
# - Analyse patients whom you cannot hold in memory, from a few sums.
# - Say what an engine's time grows with, and measure it on your machine.
# - Send a simulation study to many cores, or to a cluster, without changing a row.
# - Say what a short cut gets wrong, and when.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from distributed import Client, LocalCluster

from utils import datasets, likelihood, plots, stored
from utils.crossed import fit_crossed
from utils.exercises import check, own_hospitals, predict, reveal, tally
from utils.scale import (
    chunks_of,
    fit_summaries,
    profile_deviance,
    read_chunks,
    run_here,
    summaries,
    write_parquet,
)
from utils.scale_figures import draw_curves, draw_runs, draw_shortcuts
from utils.simulate import med_trial
from utils.studies import replicate
from utils.widgets import cost_explorer

plots.set_style()

# %% [markdown]
# ## What does the likelihood see of a patient?
#
# A registry has 100 patients of a hospital, treated or not, each with a pressure. You fit `sbp ~ treated` with a random intercept.

# %%
predict(
    "P19.1",
    "How many numbers of these 100 patients does REML need?",
    choices=["200: each treatment and pressure", "100: the pressures", "5"],
)

# %% [markdown]
# Write out lesson 4's likelihood, and a patient's pressure $y$ is seen in squares and products only: $\sum y$, $\sum y^2$, $\sum ty$ over the hospital, with how many there are and how many are treated. Five sums, whatever
# the number of patients. Sums from which the likelihood follows exactly are called <dfn>sufficient statistics</dfn>. (A further predictor, such as age, adds sums: its own, its square's, its products with the others.) Try it on 1,000 patients in 20 hospitals: the curve of the restricted likelihood, once from all rows by `utils.likelihood`, once from the sums.

# %%
rows = pd.concat(chunks_of(1000, 20, rng=19))
table = summaries([rows])
X = np.column_stack([np.ones(1000), rows["treated"]])
sums = likelihood.sums(rows["sbp"], X, rows["hospital"])
ratios = np.exp(np.linspace(-3, 1, 41))
from_rows = -2 * likelihood.ratio_loglik(sums, ratios)
from_sums = np.array([profile_deviance(np.log(ratio), table) for ratio in ratios])
table.round(0).head(3)

# %%
reveal(
    "P19.1",
    "5" if np.allclose(np.diff(from_rows - from_sums), 0, atol=1e-6) else "100: the pressures",
)

# %%
fig, ax = plt.subplots(figsize=(8, 3))
draw_curves(ax, ratios, from_rows, from_sums)
plots.show(
    fig,
    alt="Deviance against the ratio of the two SDs. The curve from 1,000 rows, broad and blue, and the dashed one from 100 sums lie on each other, with the least near 0.4.",
)

# %% [markdown]
# Broad: the curve from 1,000 rows. Dashed: the one from 100 sums. One lies on the other, with the same lowest point: the same estimate.

# %% tags=["nbval-check-output"]
gap = np.ptp(from_rows - from_sums)
print("the two curves differ by a constant, to less than a millionth:", bool(gap < 1e-6))
fit = likelihood.fit_intercept(sums)
print(
    "the same treatment effect:",
    bool(np.isclose(fit.beta[1], fit_summaries(table)["treatment_effect"], atol=1e-5)),
)

# %% [markdown]
# Nothing was approximated: a hospital that sends five sums has sent all that this model can use, and no patient's pressure has left the house.
#
# ### Exercise E19.1 · A hospital in three numbers
#
# A hospital sends: 40 patients; the sum of (pressure − 140) is 120; the sum of its squares 6,000. What is the SD of its pressures (n − 1)? (mmHg, one decimal.)

# %%
# BEGIN SOLUTION
hospital_mean = 120 / 40
hospital_spread = np.sqrt((6000 - 40 * hospital_mean**2) / 39)
# END SOLUTION

# %%
check("E19.1", hospital_spread)

# %% [markdown]
# ### Exercise E19.2 · What may be thrown away?
#
# For which model are sums by hospital (or by smaller groups) *not* enough?
#
# - **a** Wards in hospitals, normal errors.
# - **b** A treatment effect that varies by hospital, normal errors.
# - **c** Student-t errors.
# - **d** Normal errors with a known SD for each hospital.

# %%
# BEGIN SOLUTION
not_enough = "c"
# END SOLUTION

# %%
check("E19.2", not_enough)

# %% [markdown]
# ## Patients who do not fit
#
# Sums add up. So read a piece, sum, forget it, read the next. The pieces, <dfn>chunks</dfn>, here come from a <dfn>Parquet</dfn> file, a format that keeps columns together and can be read in parts. A quarter of a million patients in 3,000 hospitals, never more than 50,000 of them in memory:

# %%
path = Path(tempfile.mkdtemp(), "registry.parquet")
write_parquet(path, chunks_of(250_000, 3_000, rng=20))
sizes = [len(chunk) for chunk in read_chunks(path)]
whole = summaries(read_chunks(path))
fit_summaries(whole).round(2)

# %% tags=["nbval-check-output"]
found = fit_summaries(whole)
print(f"{sum(sizes):,} patients in {len(sizes)} chunks, the largest of {max(sizes):,}")
print(f"{len(whole):,} hospitals, {whole.size:,} sums")
print(
    "effect within three standard errors of the true −6:",
    abs(found["treatment_effect"] + 6) < 3 * found["se"],
)
print("hospital_sd within 0.3 of the true 5:", abs(found["hospital_sd"] - 5) < 0.3)

# %% [markdown]
# `make scale` does the same with a million patients in 10,000 hospitals.
#
# ## Measure
#
# What costs what, on *your* machine? Time four engines, each at three sizes: ten times as many patients in the same 30 hospitals, then ten times as many hospitals for the same patients. (Timings differ from run to run and from machine to machine. Read only large gaps.)

# %%
predict(
    "P19.2",
    "From 1,000 patients in 30 hospitals to 10,000 in 300: which engine's time grows by the most seconds?",
    choices=["REML from summaries", "exact posterior", "MixedLM"],
)

# %%
sizes = [(1_000, 30), (10_000, 30), (10_000, 300)]
engines = ["REML from summaries, in chunks", "REML, rows in memory", "exact posterior", "MixedLM"]
runs = [
    {"engine": engine, "patients": n, "hospitals": j, **run_here(engine, n, j)}
    for engine in engines for n, j in sizes
]  # fmt: skip
runs = pd.DataFrame(runs)
largest = runs.query("hospitals == 300").set_index("engine")["seconds"]
growth = largest - runs.query("patients == 1_000").set_index("engine")["seconds"]
names = {engines[0]: "REML from summaries", engines[2]: "exact posterior", engines[3]: "MixedLM"}
reveal("P19.2", names[growth[list(names)].idxmax()])

# %% [markdown]
# And a sampler? A PyMC model with a term for each patient has to visit every patient at every step. Written from the sums, with hospitals' effects summed out by hand (the <dfn>marginalised model</dfn>), four parameters are left, and a step visits hospitals, not patients. (The model with all hospitals' effects is the centred one of lesson 12.) Both are compiled before they start: those seconds are listed apart. (Once for each set of parameters; new data then need no compiling, so that one time stands in several rows.)

# %%
nuts = [
    {"engine": engine, "patients": n, "hospitals": j, **run_here(engine, n, j)}
    for engine in ["NUTS, row by row", "NUTS from summaries"] for n, j in sizes
]  # fmt: skip
runs = pd.concat([runs, pd.DataFrame(nuts)], ignore_index=True)
pd.DataFrame(nuts)[["engine", "patients", "hospitals", "compile", "seconds"]].round(1)

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
draw_runs(axes, runs)
plots.show(
    fig,
    alt="Seconds on a logarithmic axis for six engines, at two sizes in each of two panels. Left, 30 hospitals, 1,000 to 10,000 patients: NUTS row by row rises. Right, 10,000 patients, 30 to 300 hospitals: MixedLM rises steeply, NUTS row by row rises. REML by either route and the exact posterior stay near the bottom in both.",
)

# %% [markdown]
# Left, more patients in the same hospitals: the sampler that goes row by row climbs. Right, more hospitals for the same patients: `MixedLM` climbs, since it works hospital by hospital. Both REMLs and the exact posterior work from sums and stay at the bottom, in fractions of a second. Do not read an order into those three. `NUTS from summaries` lies between. Compiling is not drawn. It is often the largest
# part of a sampler's bill on small data.

# %% tags=["nbval-check-output"]
effects = runs.pivot(index="engine", columns=["patients", "hospitals"], values="effect")
print(
    "all six engines within 0.1 mmHg of each other:",
    bool((effects.max() - effects.min() < 0.1).all()),
)
print("no divergences, R-hat < 1.01, ESS > 400 in every run:", bool(runs["trusted"].all()))

# %% [markdown]
# Six engines, one answer (to the Monte Carlo error). What differs is the bill.
#
# ### Try it: the bill of a larger registry
#
# The explorer takes a start, so much per patient and so much per hospital from your runs, and carries them on. (Compiling left out.)
#
# 1. A million patients in 10,000 hospitals. Which engines are done within a minute?
# 2. Keep a million patients, and go from 10,000 hospitals to 20. Whose time changes?
# 3. With 1,000 hospitals, go from 1,000 patients to 10 million. Which engine is slowest at the end? Which sampler's time hardly moves?
#
# <details><summary>Answers</summary>They depend on your machine. 1: read them off the text; those that work from sums should be among them. 2: above all MixedLM's. 3: the sampler that goes row by row; the one that works from sums.</details>

# %%
cost_explorer(runs)

# %% [markdown]
# A line through small runs is a guess about large ones: a sampler may need more steps, and memory can run out before time does.
#
# The course samples with nutpie, which compiles the model and runs on processor cores. PyMC can also hand a model to samplers written in JAX, on a GPU where there is one. Neither is in this environment: we did not try them and give no times.
#
# ### Exercise E19.3 · Before lunch?
#
# An engine took 3 s for 10,000 patients and 12 s for 100,000, and its time grows in a straight line. How many seconds for 10 million?

# %%
# BEGIN SOLUTION
per_patient = (12 - 3) / (100_000 - 10_000)
seconds_asked = 3 + per_patient * (10_000_000 - 10_000)
# END SOLUTION

# %%
check("E19.3", seconds_asked)

# %% [markdown]
# ## When sums do not help: crossed effects
#
# `insteval`: 73,421 ratings of 1,128 lecturers by 2,972 students. Students and lecturers cross (lesson 9), so no grouping cuts the data into independent pieces: each student ties lecturers together. `MixedLM` would need one block of all 73,421 rows.

# %% tags=["nbval-check-output"]
ratings = datasets.load("insteval")
print(
    f"{len(ratings):,} ratings, {ratings['s'].nunique():,} students, {ratings['d'].nunique():,} lecturers"
)
print(f"one covariance matrix of all ratings: {8 * len(ratings) ** 2 / 1e9:.0f} GB")
print(
    f"one of all effects: {8 * (ratings['s'].nunique() + ratings['d'].nunique()) ** 2 / 1e6:.0f} MB"
)

# %% [markdown]
# 43 GB against 134 MB: solve for the *effects*, not through the ratings. And those equations are nearly empty. Two students never share a rating, so the students' part is diagonal, and you can get rid of it as you do with one of two equations at school. What is left has the size of the lecturers: 10 MB.

# %% tags=["nbval-check-output"]
everybody = pd.DataFrame({"mean": np.ones(len(ratings))})
crossing = {"student": ratings["s"], "lecturer": ratings["d"]}
crossed = fit_crossed(ratings["y"], everybody, crossing)
print("mean rating:", round(crossed.beta["mean"], 2))
print(crossed.sds.round(2).to_string())

# %% [markdown]
# Seconds. Ratings go from 1 to 5: lecturers differ by half a point (SD), students by a third, and more than a point is left between one rating and the next. lme4 in R and MixedModels.jl in Julia do the same for any formula, `MixedLM` does not. (A test holds `fit_crossed` to lme4's numbers.) Say which tool you
# used, and why.
#
# ## A study on many machines
#
# A simulation study is 1,000 small fits. `replicate` runs them on the cores of this machine, or on a compute cluster: machines that share work under a scheduler, here *Dask*. Each replicate has its own seed, so rows are the same wherever they ran.


# %%
def one_trial(rng):
    data = med_trial(n_hospitals=20, patients_per_hospital=20, rng=rng).data
    X = np.column_stack([np.ones(len(data)), data["treated"]])
    fit = likelihood.fit_intercept(likelihood.sums(data["sbp"], X, data["hospital"]))
    return {"effect": fit.beta[1], "se": fit.se[1]}


here = replicate(one_trial, 60, rng=19, workers=1, progress=False)
with LocalCluster(
    n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
) as cluster:
    with Client(cluster) as client:  # Client("tcp://ADDRESS:8786") for a cluster elsewhere
        print("watch it at", client.dashboard_link)
        there = replicate(one_trial, 60, rng=19, workers=client, progress=False)

# %% tags=["nbval-check-output"]
print("60 rows, equal to the last bit:", here.equals(there))

# %% [markdown]
# (Two workers here, as threads, to spare memory. With an address instead, the same call uses as many as there are; each needs the course's package.) A worker that dies loses nothing: its replicates are given to another one, with the same seeds. (A test kills one in the middle.) The link is the cluster's *dashboard*, a page that shows who works on what.
#
# ## Short cuts
#
# There are quicker ways to a posterior than sampling. The *Laplace approximation* puts a normal curve on the top of it. *ADVI*, a kind of <dfn>variational inference</dfn>, looks for the best among simple shapes. In its usual form, used here, these are shapes in which parameters do not hang together. (*Pathfinder* is a third; it needs a package that is not in this environment, so we did not try it.)

# %%
predict(
    "P19.3",
    "A trial by hospital with 6 hospitals, each with an effect in the model. How wide is ADVI's 95 % interval of the treatment effect, compared with the exact posterior's?",
    choices=["about as wide", "two thirds of it", "less than half of it"],
)

# %%
shortcuts = stored.load("approximations").set_index(["hospitals", "method"])
ratio = shortcuts.loc[(6, "ADVI"), "width"]
fig, ax = plt.subplots(figsize=(8, 2.8))
draw_shortcuts(ax, shortcuts)
plots.show(
    fig,
    alt="Width of short cuts' intervals beside the exact one's. Laplace: about three quarters with 6 hospitals, nearly 1 with 60. ADVI: less than a half with both. ADVI on the rewritten model: within a tenth of 1 with both.",
)

# %%
reveal(
    "P19.3",
    ["less than half of it", "two thirds of it", "about as wide"][np.digitize(ratio, [0.5, 0.85])],
)

# %% tags=["nbval-check-output"]
print(shortcuts["width"].unstack("method").round(1).to_string())

# %% [markdown]
# Hollow: 6 hospitals; full: 60. Eight trials each; bars are two standard errors. (Stored. A run of ADVI counted if in its last 10,000 of 30,000 steps no end of the interval moved by a tenth of its width. The Laplace row of 6 hospitals is computed afresh whenever you load the table.)
#
# - **Laplace** is too sure where hospitals are few, since the posterior of `hospital_sd` is not normal there. It gets good as they become many.
# - **ADVI** with an effect for each hospital (non-centred) is far too sure with 6 hospitals *and* with 60. Intercept, treatment effect and hospital effects hang together, and its shapes cannot say so.
# - **ADVI, rewritten**: the marginalised model, with the intercept midway between treated and untreated. Now its parameters hardly hang together, and its intervals come within a tenth of the exact width.
#
# So the fault was not ADVI's alone: it lay between the shapes and the way the model was written. No warning told the two apart. Hold a short cut against the exact answer, on a part of your data, before you trust it.
#
# ### Exercise E19.4 · Which short cut?
#
# Where will a Laplace approximation be worst, for the interval of the treatment effect?
#
# - **a** 5 hospitals, treatment by hospital.
# - **b** 10,000 hospitals, treatment by hospital.
# - **c** 5 hospitals, patients randomised inside each, 500 in each.
# - **d** Anywhere, if only the top of the posterior is reported.

# %%
# BEGIN SOLUTION
worst_case = "a"
# END SOLUTION

# %%
check("E19.4", worst_case)

# %% [markdown]
# ### Exercise E19.5 · Spot the flaw
#
# From a report on a national programme, given to 4 of 8 large hospitals:
#
# 1. Each hospital sent five sums; no patient's data left it.
# 2. REML with a random intercept was computed from the sums.
# 3. On 1 % of the patients we checked that a fit of all rows gives the same numbers.
# 4. With 1,200,000 patients the effect of the programme is known with a standard error near 0.
# 5. The analysis took four seconds.
#
# Which sentence holds the mistake, and why?
#
# - **a** Sums lose information.
# - **b** The programme was given by hospital, and there are eight.
# - **c** REML needs a prior for so many patients.
# - **d** Chunks must not be added up.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (4, "b")
# END SOLUTION

# %%
check("E19.5", flaw)

# %% [markdown]
# ### Exercise E19.6 · Your own hospitals, in sums
#
# `own_hospitals(19)` is a register; sicker hospitals treat more. *From the sums by hospital alone*: (1) the treatment effect *within* hospitals, as with a coefficient for each (lesson 8): the sum over hospitals of $\sum ty-\sum t\sum y/n$, divided by that of $\sum t-(\sum t)^2/n$; (2) `patient_sd`: from the sum of
# $\sum y^2-(\sum y)^2/n$ take the effect times the first sum, divide by patients − hospitals − 1, take the root. Both in mmHg, one decimal.

# %%
mine = summaries([own_hospitals(19).data])
mine.round(0).head(3)

# %%
# BEGIN SOLUTION
ty_within = (mine["ty"] - mine["t"] * mine["y"] / mine["n"]).sum()
tt_within = (mine["t"] - mine["t"] ** 2 / mine["n"]).sum()
yy_within = (mine["yy"] - mine["y"] ** 2 / mine["n"]).sum()
my_effect = ty_within / tt_within
my_df = mine["n"].sum() - len(mine) - 1
my_answer = [my_effect, np.sqrt((yy_within - my_effect * ty_within) / my_df)]
# END SOLUTION

# %%
check("E19.6", my_answer)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - A normal mixed model sees patients through sums. Send sums, add chunks.
# - Change patients and hospitals one at a time, measure, then extrapolate with care. Compiling is a cost of its own.
# - From summaries even a sampler does not feel the number of patients, only that of hospitals.
# - Crossed effects do not fall into pieces. Use a tool made for them.
# - Seeds for each replicate: the same rows on one core or a hundred.
# - A short cut is not a posterior until it was held against one. More patients do not make more hospitals.
#
# ## Limits
#
# Five sums are enough for this model, with normal errors. Student-t errors need every patient. A rating from 1 to 5 has no normal errors. Timings are of one machine and one run. ADVI was tried in its mean-field form alone, and on one design, treatment by hospital. Sums of small groups can still betray a patient: privacy needs more than this lesson.
#
# ## Further reading
#
# - Bates D, Mächler M, Bolker B, Walker S (2015). Fitting linear mixed-effects models using lme4. *Journal of Statistical Software* 67(1):1-48. How crossed effects are made cheap.
# - Blei DM, Kucukelbir A, McAuliffe JD (2017). Variational inference: a review for statisticians. *Journal of the American Statistical Association* 112(518):859-877.
# - Kucukelbir A, Tran D, Ranganath R, Gelman A, Blei DM (2017). Automatic differentiation variational inference. *Journal of Machine Learning Research* 18(14):1-45. ADVI.
#
# This was the last lesson. The glossary has all terms; your predictions and checks are in your tally.
