# ---
# jupyter:
#   course:
#     question: The sampler warns of divergences. Is the answer wrong, and what do you do?
#     reading_minutes: 65
#     exercise_minutes: 35
#     needs: [11]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 12 When the sampler struggles
#
# > The sampler warns of divergences. Is the answer wrong, and what do you do?
#
# Reading: 65 minutes. Exercises: 35 minutes. First do
# [lesson 11](11_the_same_data_a_posterior.ipynb).
#
# ## What you will be able to do
#
# - Say what a divergence is, where it happens, and why.
# - Write one model in two forms, centred and non-centred, with the prior held fixed.
# - Choose the form by how much each hospital's own patients say.
# - Compute R-hat and the effective sample size of chains yourself, and say what each can miss.
# - Tell a cure from a way to hide the trouble.
# - Judge a sampler by an exact answer: what did it miss, and by how much?

# %%
import arviz as az
import matplotlib.pyplot as plt
import nutpie
import numpy as np
import pandas as pd
import pymc as pm
from pymc.stats.convergence import run_convergence_checks
from scipy import stats

from utils import bayes, datasets, exact, plots
from utils.exercises import check, own_hospitals, predict, reveal, tally
from utils.funnel import funnel
from utils.sampling import (
    chain_lines,
    energy_lines,
    ess_lines,
    funnel_cloud,
    funnel_shades,
    run_dots,
    scoreboard,
)
from utils.simulate import med_trial
from utils.widgets import funnel_explorer

plots.set_style()
bayes.set_up()

# %% [markdown]
# ## A pilot, and a silent sampler
#
# A pilot of our drug trial has taken in 4 patients in each of 20 hospitals, 2 of them on the drug.
# We made them up: the effect is −6 mmHg, `hospital_sd` is 4 and `patient_sd` 12 mmHg. How much do
# the hospitals differ? With so few patients nobody can tell well. `hospital_sd` may be large, or
# nearly 0, and a good posterior says so.
#
# The model is that of lesson 11, with the same four priors. Its exact posterior is known without a
# sampler. It will be our judge.


# %%
def data_of(trial):
    at = trial["hospital"].cat.codes.to_numpy(int)  # 0 to 19, which hospital
    return dict(sbp=trial["sbp"].to_numpy(), treated=trial["treated"].to_numpy(float), at=at)


def exact_posterior(trial):
    X = pd.DataFrame({"intercept": 1.0, "treatment_effect": trial["treated"]})
    sds = dict(tau=stats.halfnorm(scale=5), sigma=stats.halfnorm(scale=20))
    return exact.posterior(trial["sbp"], X, trial["hospital"], **sds, beta=([140, 0], [20, 10]))


truth = dict(n_hospitals=20, treatment_effect=-6, hospital_sd=4, patient_sd=12, rng=0)
pilot = med_trial(patients_per_hospital=4, **truth).data
judge = exact_posterior(pilot)
judge.summary().rename({"tau": "hospital_sd", "sigma": "patient_sd"}).round(1)

# %% [markdown]
# Read the third row: by what we know after the pilot, `hospital_sd` may be almost 0, or 6 mmHg.
#
# Now PyMC. Each hospital's mean is drawn around the intercept, with SD `hospital_sd`. This is the
# <dfn>centred form</dfn>: what is drawn, `hospital_mean`, takes its centre and its spread from other
# parameters. (Lesson 11 drew `u` around 0 instead: the same model, and a close relative of this
# form.) `pm.Data` marks what can be exchanged later. `nutpie.compile_pymc_model` turns the model into
# a fast program, once. `pm.sample` would do that at each call, and it is what takes the time.

# %%
with pm.Model(coords={"hospital": pilot["hospital"].cat.categories.to_list()}) as centred_model:
    data = {name: pm.Data(name, values) for name, values in data_of(pilot).items()}
    intercept = pm.Normal("intercept", 140, 20)
    treatment_effect = pm.Normal("treatment_effect", 0, 10)
    hospital_sd = pm.HalfNormal("hospital_sd", 5)
    patient_sd = pm.HalfNormal("patient_sd", 20)
    hospital_mean = pm.Normal("hospital_mean", intercept, hospital_sd, dims="hospital")
    pm.Deterministic("u", hospital_mean - intercept, dims="hospital")
    mean = hospital_mean[data["at"]] + treatment_effect * data["treated"]
    pm.Normal("y", mean, patient_sd, observed=data["sbp"])

centred = nutpie.compile_pymc_model(centred_model)

# %% [markdown]
# The next cell draws, in nutpie's spelling of lesson 11's words:
#
# - `draws=1000, chains=4, cores=2`: four chains of 1,000 draws, two at a time.
# - `tune=1000`: the <dfn>warm-up</dfn>. In these first steps each chain finds its way, and learns how
#   long its steps should be. They are thrown away (`save_warmup=False`).
# - `target_accept=0.9`: how careful the steps should be, from 0 to 1. nutpie's default is 0.8;
#   nearer to 1 means shorter steps.
# - `seed=1`: the same draws each time.

# %%
predict(
    "P12.1",
    "Draws of a chain resemble their neighbours. How many independent draws will these 4,000 be "
    "worth, for the parameter that is known worst?",
    choices=["about 4,000", "about 1,500", "fewer than 400"],
)

# %%
SAMPLE = dict(draws=1000, tune=1000, chains=4, cores=2, target_accept=0.9, save_warmup=False)
SAMPLE["progress_bar"] = False
first = nutpie.sample(centred, **SAMPLE, seed=1)  # this prints nothing
said = bayes.diagnose(first)
print(said.table[["worst", "where", "wanted", "ok"]].round(2).to_string())
worth = said.table.loc["bulk ESS", "worst"]
reveal("P12.1", ["fewer than 400", "about 1,500", "about 4,000"][np.digitize(worth, [400, 2500])])

# %% [markdown]
# *nutpie itself says nothing.* The table is from `bayes.diagnose`. Call it after each fit. (PyMC's own
# sampler does speak. Its words hang in the museum below.) Five rows:
#
# - <dfn>R-hat</dfn> compares the chains with each other. It is 1 if they tell the same story.
# - The effective sample size, <dfn>ESS</dfn>, is the number of independent draws that would know a
#   parameter as well. *Bulk* ESS is about the middle, *tail* ESS about the ends of intervals.
#   (It is about draws. Lesson 2's effective sample size was about patients.)
# - A <dfn>divergence</dfn> is a step at which the sampler lost its way. We come to it.
# - BFMI asks whether chains move freely between high and low posterior density.
#
# This fit is refused.
#
# ## Is the answer wrong?
#
# Take a question that matters to whoever plans the main trial: may the hospitals differ by *less
# than 1 mmHg*? The exact posterior gives that a probability. Ask the sampler five times, each time
# with another seed. Nothing else differs.

# %%
predict(
    "P12.2",
    "If each run had 4,000 independent draws, the largest and the smallest of the five answers would "
    "differ by about 0.015, and hardly ever by 0.03. By how much will they differ?",
    choices=["by less than 0.03", "by 0.03 to 0.05", "by more than 0.05"],
)


# %%
def below_1(idata):
    return float((idata.posterior["hospital_sd"] < 1).mean())


runs = {"centred": [first] + [nutpie.sample(centred, **SAMPLE, seed=k) for k in range(2, 6)]}
answers = pd.DataFrame({"centred": [below_1(run) for run in runs["centred"]]})
print("exact:", round(judge.cdf("tau", 1), 2), " runs:", answers["centred"].round(2).tolist())
choices = ["by less than 0.03", "by 0.03 to 0.05", "by more than 0.05"]
reveal("P12.2", choices[np.digitize(np.ptp(answers["centred"]), [0.03, 0.05])])

# %% [markdown]
# One data set, one model, one sampler, and five answers. Which one you get depends on the seed. One
# may even be right, by luck, and you would not know.
#
# So the honest answer is: *you cannot tell*, and that is the trouble. Runs of this kind miss a
# region, or get stuck in it. Which region?
#
# ## The funnel
#
# Draw the posterior in two dimensions: one hospital's effect `u` across, `hospital_sd` up, on a
# logarithmic axis. On the left will be 4,000 independent draws from the exact posterior, on the
# right the run whose answer was smallest.

# %%
predict(
    "P12.3",
    "Where did the chains lose their way? Most divergences are at draws whose hospital_sd is ...",
    choices=["large", "small", "like that of all draws"],
)

# %%
lost_sd, lost_u = [], []
for run in runs["centred"]:
    diverged = run.sample_stats["diverging"].to_numpy()
    lost_sd.extend(run.posterior["hospital_sd"].to_numpy()[diverged])
    lost_u.extend(run.posterior["u"].sel(hospital="H01").to_numpy()[diverged])
thirds = judge.quantile("tau", [1 / 3, 2 / 3])  # of the posterior
reveal(
    "P12.3", ["small", "like that of all draws", "large"][np.digitize(np.median(lost_sd), thirds)]
)

# %%
fair = judge.draws(4000, rng=1)
least = runs["centred"][answers["centred"].idxmin()].posterior
u = least["u"].sel(hospital="H01")
fig, axes = plt.subplots(1, 2, figsize=(9.5, 4), sharex=True, sharey=True)
funnel_cloud(axes[0], fair["effect"][:, 0], fair["tau"], thing="posterior")
funnel_cloud(axes[1], u, least["hospital_sd"], thing="centred", lost=(lost_u, lost_sd))
axes[0].set(title="exact posterior", xlabel="u of hospital H01 (mmHg)", ylim=(0.03, 15))
axes[1].set(
    title="the centred run that saw least of the neck", xlabel="u of hospital H01 (mmHg)", ylabel=""
)
axes[1].legend(loc="lower right", title="in all five runs")
plots.show(
    fig,
    alt="Two clouds, wide at the top and narrowing to a thin neck below. Left: exact draws fill the neck down to 0.03 mmHg. Right: draws of one centred run fill the wide part and stop near 1 mmHg; crosses of divergences crowd there, between 0.1 and 1.3 mmHg.",
)

# %% [markdown]
# Left: the posterior is a <dfn>funnel</dfn>. If hospitals differ much, `u` may be anything from −5
# to 10 mmHg. If they hardly differ, `u` must be nearly 0: a narrow neck. The model makes it so, since
# `u` has SD `hospital_sd`. And with 4 patients, the data cannot say that `hospital_sd` is not small.
#
# Right: draws of the centred form fill the wide part and not the neck. The crosses mark the
# divergences of all five runs. They crowd where the neck begins. *They show where the sampler
# cannot go.* A chain that does not get in misses the neck. One that has got in may not
# get out again.
#
# ## Why a step flies off
#
# NUTS follows a ball that rolls in a bowl, as in lesson 11. The computer cannot roll smoothly. It
# takes small straight steps. Here they are, for the bowl of a normal curve. A ball that
# rolls keeps its energy, height plus motion. A stepped one does not quite, and the error tells how
# well the steps fit the bowl.


# %%
def energy_error(sd, step=1.0, n_steps=20):
    u, speed = sd, 0.0  # start one SD from the middle, at rest
    energy = [u**2 / sd**2 / 2 + speed**2 / 2]
    for _ in range(n_steps):
        speed -= step / 2 * u / sd**2  # half a push towards the middle,
        u += step * speed  # a straight step,
        speed -= step / 2 * u / sd**2  # and the other half of the push
        energy.append(u**2 / sd**2 / 2 + speed**2 / 2)
    return np.abs(np.array(energy) - energy[0])


# %%
predict(
    "P12.4",
    "All steps are 1 mmHg long. In which bowls does the ball fly off (an error above 1,000)?",
    choices=["those with an SD below 2", "below 1", "below 0.5", "below 0.1"],
)

# %% tags=["nbval-check-output"]
widths = np.array([4, 2, 1, 0.9, 0.8, 0.7, 0.6, 0.55, 0.45, 0.4, 0.3, 0.2])
flies = np.array([energy_error(sd).max() > 1000 for sd in widths])
print("SDs in which a step of 1 flies off:", ", ".join(f"{sd:g}" for sd in widths[flies]))
print("SDs in which it does not:", ", ".join(f"{sd:g}" for sd in widths[~flies]))
bounds = {"those with an SD below 2": 2, "below 1": 1, "below 0.5": 0.5, "below 0.1": 0.1}
reveal("P12.4", next(word for word, b in bounds.items() if np.array_equal(flies, widths < b)))

# %%
fig, ax = plt.subplots(figsize=(8.5, 3.6))
energy_lines(ax, {f"SD {sd:g} mmHg": energy_error(sd) for sd in [0.2, 0.45, 0.55, 1, 4]})
ax.text(20, 1.5e3, "the sampler gives up", ha="right")
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
notes = [
    text for run in runs["centred"] for text in run.sample_stats["divergence_message"].values.flat
]
print("nutpie kept a note:", next(text for text in notes if isinstance(text, str)))
plots.show(
    fig,
    alt="Error of the energy over 20 steps of 1 mmHg, logarithmic. For SD 4, 1 and 0.55 it stays below 1. For SD 0.45 it climbs past the dashed limit of 1,000 within a few steps, for SD 0.2 at once.",
)

# %% [markdown]
# It is a sharp edge: *a step must be shorter than 2 SDs.* A little longer, and each step throws the
# ball further out. When the energy is off by more than 1,000, the sampler gives up and marks the
# draw as diverging. nutpie even notes the error, silently (above the figure).
#
# A sampler has one length of step for the whole funnel, learned in the warm-up. (It learns a scale
# for each parameter as well, again one for the whole funnel.) What is right for the wide top is too
# long for the neck. With `target_accept` nearer to 1, steps are shorter: the walk gets further down,
# and takes longer over the rest. But a funnel has no end. Some neck is always too narrow.
#
# How wide is the funnel at a given `hospital_sd`? What is known of `u` comes from two sides, from
# `hospital_sd` and from its own patients, and precisions (1/variance) add up:
# $1/\text{width}^2 = 1/\text{hospital\_sd}^2 + n/\text{patient\_sd}^2$.

# %% [markdown]
# ### Exercise E12.1 · The longest step
#
# A hospital has 4 patients, `patient_sd` is 12 mmHg, and the chain is at a `hospital_sd` of 3 mmHg.
# How long may a step of `u` be, at most, before the walk flies off? (In mmHg, to one decimal.)

# %%
# BEGIN SOLUTION
width = 1 / np.sqrt(1 / 3**2 + 4 / 12**2)
longest = 2 * width
# END SOLUTION

# %%
check("E12.1", longest)

# %% [markdown]
# ## The same model in other coordinates
#
# Do not walk in `u`. Walk in $z = u/\text{hospital\_sd}$: a hospital's effect, counted in SDs. Before
# any data, $z$ is a standard normal number *whatever* `hospital_sd` is: no neck. Few patients hardly
# change that. This is the <dfn>non-centred form</dfn>. Compare it with the centred one: the data and
# the four priors are the same lines.
#
# *The prior is held fixed.* A normal number with SD `hospital_sd` is `hospital_sd` times a standard
# normal number, so hospitals are drawn from the same distribution. If you change a prior in the same
# go, you no longer know what cured the sampler, nor whose answer you got. The second cell draws 400,000
# hospitals from each prior. The columns agree, but for chance.

# %%
with pm.Model(coords={"hospital": pilot["hospital"].cat.categories.to_list()}) as noncentred_model:
    data = {name: pm.Data(name, values) for name, values in data_of(pilot).items()}
    intercept = pm.Normal("intercept", 140, 20)
    treatment_effect = pm.Normal("treatment_effect", 0, 10)
    hospital_sd = pm.HalfNormal("hospital_sd", 5)
    patient_sd = pm.HalfNormal("patient_sd", 20)
    z = pm.Normal("z", 0, 1, dims="hospital")
    u = pm.Deterministic("u", hospital_sd * z, dims="hospital")
    mean = intercept + u[data["at"]] + treatment_effect * data["treated"]
    pm.Normal("y", mean, patient_sd, observed=data["sbp"])

noncentred = nutpie.compile_pymc_model(noncentred_model)

# %% tags=["nbval-check-output"]
rng = np.random.default_rng(121)
sd = np.abs(rng.normal(0, 5, 400_000))  # half-normal, scale 5
u_of = {"centred": rng.normal(0, sd), "non-centred": sd * rng.normal(0, 1, 400_000)}
facts = {
    "2.5 % point of u": [np.quantile(u, 0.025) for u in u_of.values()],
    "25 % point of u": [np.quantile(u, 0.25) for u in u_of.values()],
    "SD of u where hospital_sd < 1": [u[sd < 1].std() for u in u_of.values()],
    "SD of u where hospital_sd > 10": [u[sd > 10].std() for u in u_of.values()],
}
print(pd.DataFrame(facts, index=list(u_of)).T.round(1).to_string())

# %% [markdown]
# ### Exercise E12.2 · Which rewriting keeps the prior?
#
# A centred model has `hospital_sd ~ HalfNormal(5)` and
# `hospital_mean ~ Normal(intercept, hospital_sd)`. All four below have
# `hospital_mean = intercept + hospital_sd * z`. Which is the same model?
#
# - **a** `hospital_sd ~ HalfNormal(5)`, `z ~ Normal(0, hospital_sd)`
# - **b** `hospital_sd ~ HalfNormal(5)`, `z ~ Normal(0, 1)`
# - **c** `hospital_sd ~ HalfNormal(1)`, `z ~ Normal(0, 1)`
# - **d** `hospital_sd ~ HalfNormal(5)`, `z ~ StudentT(4, 0, 1)`

# %%
# BEGIN SOLUTION
same_model = "b"
# END SOLUTION

# %%
check("E12.2", same_model)

# %% [markdown]
# Now sample the non-centred form five times, and look where its first run walked.

# %%
runs["non-centred"] = [nutpie.sample(noncentred, **SAMPLE, seed=k) for k in range(1, 6)]
answers["non-centred"] = [below_1(run) for run in runs["non-centred"]]
good = runs["non-centred"][0].posterior
fig, axes = plt.subplots(1, 2, figsize=(9.5, 4), sharey=True)
for ax, name in zip(axes, ["z", "u"], strict=True):
    funnel_cloud(ax, good[name].sel(hospital="H01"), good["hospital_sd"], thing="non-centred")
axes[0].set(title="where it walks: z", xlabel="z of hospital H01", ylim=(0.03, 15))
axes[1].set(title="the same draws as u", xlabel="u of hospital H01 (mmHg)", ylabel="")
plots.show(
    fig,
    alt="Left: the cloud of z against hospital_sd is about equally wide at all heights. Right: the same draws as u fill the funnel of the exact posterior, down to the thin neck.",
)

# %% tags=["nbval-check-output"]
scores = scoreboard(runs, judge, effects="u")
for form, passed in scores["runs that pass"].items():
    print(f"{form:11} runs that can be used: {passed} of 5")
good_scores = scores.loc["non-centred"]
print("non-centred, 24 means in each run, most off by less than:")
print("    5 Monte Carlo errors:", good_scores["most off (MCSE)"] < 5)
print("    0.15 posterior SDs:  ", good_scores["most off (SD)"] < 0.15)

# %% [markdown]
# Left: in `z` the cloud is about as wide below as above, and the sampler walks through it easily.
# Right: the same draws, shown as `u`. *The funnel is still there.* It is the posterior, and nobody
# took it away. Only the coordinates of the walk have changed. All five runs pass, and the judge
# agrees.

# %% [markdown]
# ## The easy way out
#
# The first advice that you will read is another one: raise `target_accept`. It is easy, there is no
# model to rewrite. Do it with the centred form, to 0.99.

# %%
predict(
    "P12.5",
    "Centred form, five runs, target_accept raised from 0.9 to 0.99. What happens?",
    choices=[
        "as many divergences, low ESS",
        "far fewer divergences, and all pass",
        "far fewer divergences, ESS stays below 400",
    ],
)

# %%
SHORT = SAMPLE | {"target_accept": 0.99}
runs["centred, 0.99"] = [nutpie.sample(centred, **SHORT, seed=k) for k in range(1, 6)]
answers["centred, 0.99"] = [below_1(run) for run in runs["centred, 0.99"]]
new = scoreboard({"centred, 0.99": runs["centred, 0.99"]}, judge, effects="u")
scores = pd.concat([scores, new]).loc[["centred", "centred, 0.99", "non-centred"]]
lost, passed = scores["divergences"], scores["runs that pass"]
fine = "and all pass" if passed["centred, 0.99"] == 5 else "ESS stays below 400"
fewer = lost["centred, 0.99"] < lost["centred"] / 2
reveal("P12.5", f"far fewer divergences, {fine}" if fewer else "as many divergences, low ESS")

# %%
scores["P(below 1) off"] = ((answers - judge.cdf("tau", 1)) ** 2).mean() ** 0.5
print(scores.drop(columns=["most off (MCSE)"]).round({"bulk ESS": 0}).round(2).T.to_string())
fig, ax = plt.subplots(figsize=(8.5, 2.7))
run_dots(ax, answers[list(scores.index)], judge.cdf("tau", 1))
ax.set(xlabel="probability that hospital_sd is below 1 mmHg", xlim=(0, 0.6))
plots.show(
    fig,
    alt="Probability that hospital_sd is below 1 mmHg in five runs of each kind. Centred runs scatter from 0.1 to 0.55, those with target_accept 0.99 from 0.1 to 0.3, non-centred runs lie close together on the exact value of about 0.21.",
)

# %% tags=["nbval-check-output"]
print("0.99 leaves less than half the divergences:", bool(fewer))
print("centred runs that pass with 0.99:", passed["centred, 0.99"], "of 5")
error = scores["P(below 1) off"]
twice = error.drop("non-centred").min() > 2 * error["non-centred"]
print("both ways to sample it centred are off at least twice as far as the non-centred:", twice)
effect = scores["treatment_effect off"].max()
print("the treatment effect is off by less than half a posterior SD in all three:", effect < 0.5)

# %% [markdown]
# The scoreboard has the exact posterior as its truth. Divergences, R-hat and ESS are those of the
# middle run of five. `off` is the typical error of the five (root mean square): of a posterior mean, in
# posterior SDs; in the last line, of the probability itself. `most off` is the largest error of any
# mean, the 20 hospitals' included.
#
# - *Shorter steps hide the trouble.* Few divergences are left, and the chains are still slow. R-hat
#   and ESS refuse them all.
# - *The neck is what is missed.* The probability is off by far more than with the non-centred form.
# - *Not every number suffers alike.* The neck is a small part of the posterior, and a mean averages
#   over all of it: a mean is off by a fraction of its SD. A chain that froze spoils them all, though.
#
# Would a report of the treatment effect have been wrong? A little, and by luck no more. You know that
# only because we have a judge. Raise `target_accept` for the last one or two divergences of a good
# form. For more, rewrite.
#
# ## R-hat and ESS by hand
#
# R-hat asks what lesson 2 asked of hospitals: do chains differ by more than their own scatter
# explains? It compares the variance *between* the chains' means with the variance *within* chains.
# First cut each chain in two: a chain that drifts differs from itself.
#
# For the ESS, ask how long a chain remembers. `rho[t]` is the correlation of draws that are `t`
# steps apart. If it dies out at once, each draw is new. If it lingers, a draw is worth only
# $1/(1 + 2\sum\rho_t)$ of an independent one. Chains that differ raise `rho` at every `t`. In the
# code, `pairs` adds neighbours up, and leaves out what is only noise.


# %% tags=["nbval-check-output"]
def r_hat(draws, split=True):  # draws: one row a chain
    parts = draws.reshape(2 * len(draws), -1) if split else draws
    n = parts.shape[1]
    within = parts.var(axis=1, ddof=1).mean()
    between = parts.mean(axis=1).var(ddof=1)
    return np.sqrt((n - 1) / n + between / within)


drifting = np.array([[1.2, 1.9, 2.4, 4.1, 4.6, 5.2], [1.4, 1.7, 2.6, 3.9, 4.9, 5.0]])
print(f"drifting chains: {r_hat(drifting, split=False):.2f}, cut in two {r_hat(drifting):.2f}")
sets = [run.posterior["hospital_sd"].to_numpy() for run in runs["centred"] + runs["non-centred"]]
same = [np.isclose(r_hat(draws), az.rhat(draws, method="split")) for draws in sets]
print("as ArviZ's method 'split', in all ten runs:", all(same))


# %% tags=["nbval-check-output"]
def ess(draws):
    parts = draws.reshape(2 * len(draws), -1)
    n = parts.shape[1]
    away = parts - parts.mean(axis=1, keepdims=True)
    covariance = [(away[:, : n - t] * away[:, t:]).sum(axis=1).mean() / n for t in range(n)]
    total = covariance[0] + parts.mean(axis=1).var(ddof=1)  # within and between chains
    rho = 1 - (covariance[0] * n / (n - 1) - np.array(covariance)) / total
    pairs = np.minimum.accumulate(rho[0::2] + rho[1::2])  # where it rises again, it is noise
    return draws.size / (2 * pairs[pairs > 0].sum() - 1)


ratio = [ess(draws) / float(az.ess(draws, method="mean")) for draws in sets]
print("within 2 % of ArviZ's method 'mean', in all ten runs:", np.allclose(ratio, 1, atol=0.02))

# %% [markdown]
# ### Exercise E12.3 · Draw longer?
#
# "Just draw longer", says a colleague. His 4,000 draws of `hospital_sd` have an ESS of 60, and its
# posterior SD is 1.8 mmHg. He wants a Monte Carlo error of 0.05 mmHg for the mean. How many draws
# does he need in all, if his chains go on like this?

# %%
# BEGIN SOLUTION
ess_needed = (1.8 / 0.05) ** 2
draws_needed = 4000 * ess_needed / 60
# END SOLUTION

# %%
check("E12.3", draws_needed)

# %%
shown = int(np.argmax([r_hat(draws) for draws in sets[:5]]))
fig, axes = plt.subplots(2, 1, figsize=(9.5, 4.4), sharex=True, sharey=True)
for ax, form, draws in zip(axes, ["centred", "non-centred"], [sets[shown], sets[5]], strict=True):
    chain_lines(ax, draws, thing=form)
    ax.set_title(f"{form}: R-hat {r_hat(draws):.2f}, ESS {ess(draws):,.0f}")
plots.show(
    fig,
    alt="Chains of hospital_sd side by side, on a logarithmic axis. Above, four centred chains: two creep and turn back near 0.7 mmHg, two stand still at small values, as flat lines. Below, four non-centred chains: all move up and down over the whole range all the time.",
)

# %% [markdown]
# Above is the centred run with the largest R-hat, below a non-centred one. You see what the numbers
# say. A centred chain creeps, and turns back where the neck begins. One that slipped into the neck
# during the warm-up may stand still: each step flies off, so it stays where it is. Non-centred
# chains go up and down all the time.
#
# Cutting matters: uncut, the two drifting chains of the small example look perfect. ArviZ's default
# goes a step further. It puts ranks in place of the draws, so that a few wild values cannot spoil the
# variances. *Bulk* ESS is our computation on ranks. *Tail* ESS is the same for two yes-or-no questions: is the
# draw below the 5 % point? Below the 95 % point? The worse of the two counts.
#
# What can R-hat and ESS miss? A place where no chain has ever been. If all chains stay out of the
# neck together, they agree. Then only the divergences tell. So look at all five rows.

# %% [markdown]
# ## Always non-centred?
#
# "Always write hierarchical models non-centred": you will read that, too. Put it to the test. The
# main trial of the *same 20 hospitals* takes in more patients, 20 or 100 in each. Both programs are
# ready. `with_data` gives them new data, without compiling anew.

# %%
predict(
    "P12.6",
    "With 100 patients in each hospital, whose 4,000 draws are worth more (lowest bulk ESS)?",
    choices=[
        "those of the non-centred form, by far",
        "about equal",
        "those of the centred form, by far",
    ],
)

# %%
programs, main = {"centred": centred, "non-centred": noncentred}, {}
worth = {4: scores.loc[list(programs), "bulk ESS"]}
for n in [20, 100]:
    trial = med_trial(patients_per_hospital=n, **truth).data
    with_trial = {form: program.with_data(**data_of(trial)) for form, program in programs.items()}
    fits = {form: [nutpie.sample(ready, **SAMPLE, seed=1)] for form, ready in with_trial.items()}
    main[n] = scoreboard(fits, exact_posterior(trial), effects="u")
    worth[n] = main[n]["bulk ESS"]
worth = pd.DataFrame(worth).T
ends = ["those of the non-centred form, by far", "about equal", "those of the centred form, by far"]
ratio = worth.loc[100, "centred"] / worth.loc[100, "non-centred"]
reveal("P12.6", ends[np.digitize(ratio, [0.5, 2])])

# %%
fig, ax = plt.subplots(figsize=(8, 3.6))
ess_lines(ax, worth)
plots.show(
    fig,
    alt="Lowest bulk ESS of 4,000 draws against patients per hospital, both axes logarithmic. The centred form climbs from below 100 at 4 patients to about 2,000 at 100; the non-centred form falls from above 1,000 to about 400. The lines cross.",
)

# %% tags=["nbval-check-output"]
few, many = worth.loc[4], worth.loc[100]
print("4 patients: non-centred worth 3 times as much:", few["non-centred"] > 3 * few["centred"])
print("100 patients: centred worth 3 times as much:", many["centred"] > 3 * many["non-centred"])
print("100 patients: divergences in both forms:", int(main[100]["divergences"].sum()))
off = main[100].loc["centred", "most off (MCSE)"]
print("100 patients, centred: all means within 5 MCSE of the exact ones:", off < 5)

# %% [markdown]
# The lines cross. (At 4 patients each is the middle run of five.) With 100 patients the centred form
# is the better one by far, and the non-centred one is down to about 400, our dashed limit. "Always" is
# wrong. Note that nothing diverges: the non-centred chains are not lost, they are slow.
#
# Why? With many patients a hospital's mean is known from its own patients, whatever `hospital_sd`.
# So `u` hardly cares. But $z = u/\text{hospital\_sd}$ must change whenever `hospital_sd` does: each
# $z$ is tied to it, and to the intercept.
#
# The number that decides is lesson 3's shrinkage weight,
# $w = \text{hospital\_sd}^2/(\text{hospital\_sd}^2 + \text{patient\_sd}^2/n)$. At a given
# `hospital_sd`, `u` is $\sqrt{w}$ times $\text{patient\_sd}/\sqrt{n}$ wide, and $z$ is $\sqrt{1-w}$ wide.
# Where $w$ can be near 0, `u` has a neck. Where it is near 1, $z$ is squeezed.
#
# The next pictures come from these formulas, without a sampler. (The overall mean and `patient_sd`
# are taken as known, and the data are typical.) Each axis is in SDs, as a sampler sees it after
# the warm-up. *Roundness* is the narrowest width, between the 5 % and the 95 % point of
# `hospital_sd`, divided by the coordinate's SD overall. A circle has 1.

# %%
fig, axes = plt.subplots(2, 2, figsize=(8, 6.6), sharex=True, sharey=True)
for row, n in zip(axes, [4, 100], strict=True):
    found = funnel(patients_per_hospital=n, hospital_sd=4)
    funnel_shades(row[0], found.centred)
    funnel_shades(row[1], found.noncentred)
    row[0].set_ylabel(f"{n} patients each\nlog hospital_sd (SDs)")
axes[1, 0].set_xlabel("u (SDs)")
axes[1, 1].set_xlabel("z (SDs)")
plots.show(
    fig,
    alt="Four shaded shapes. With 4 patients per hospital: centred, a funnel with a long thin neck, roundness 0.1; non-centred, a broad drop, 0.7. With 100 patients: centred, nearly a circle, roundness 1.0; non-centred, a slanted ellipse, 0.6.",
)

# %% [markdown]
# Above, few patients: a funnel in `u`, a broad drop in $z$. Below, many: nearly a circle in `u`, a
# slanted ellipse in $z$. (Shades hold 50, 80 and 95 %.)
#
# ### Try it: the funnel and its cure
#
# Run the cell and move the sliders. If you cannot run it, the figure above shows two of its settings.
#
# 1. Keep the SD at 4 and raise the patients. From how many on are the centred coordinates rounder?
# 2. Set the SD to 2 and do it again. How many now? What is the middle shrinkage weight at the
#    change, here and in question 1?
# 3. With SD 4 and 10 patients, go from 5 hospitals to 60. What becomes of the neck, and why, though
#    no hospital has more patients than before?
# 4. With SD 4, 5 hospitals and 20 patients: which form would you write?
#
# <details><summary>Answers</summary>1: from about 20 patients on. 2: from about 70; the weight is
# between .6 and .7 in both cases. 3: it goes: the other hospitals tell about hospital_sd, and keep it
# away from 0. 4: neither is round. Take either, with short steps, and let the diagnostics
# decide.</details>

# %%
funnel_explorer()

# %% [markdown]
# ### Exercise E12.4 · A registry
#
# A registry has 60 hospitals with about 400 patients each; `patient_sd` is 12 and `hospital_sd` about
# 3 mmHg. The model is non-centred. After the fit: no divergence, R-hat 1.02, bulk ESS 180 for
# `hospital_sd`. What do you try first?
#
# - **a** Raise `target_accept` to 0.99.
# - **b** Draw the hospital means around the intercept: the centred form, with the same priors.
# - **c** Give `hospital_sd` a narrower prior.
# - **d** Draw ten times as many.

# %%
# BEGIN SOLUTION
registry = "b"
# END SOLUTION

# %%
check("E12.4", registry)

# %% [markdown]
# ## Eight schools
#
# Many meet the advice "always non-centred" with one small data set. Eight schools coached pupils for
# a test. Each has an estimated effect, in points, and its standard error. It is like our pilot:
# rough estimates, and schools that may or may not differ.
#
# One program can hold both forms. (`HalfCauchy` is a prior with a long upper tail: lesson 13.) With `centre` = 1, `v` is the school's true effect; with 0 it is
# $z$. Either way `theta` is normal, with mean `mean_effect` and SD `school_sd`: the prior cannot change.

# %%
schools = datasets.load("eight_schools")
points, error = schools["effect"].to_numpy(float), schools["se"].to_numpy(float)
with pm.Model(coords={"school": schools["school"].astype(str).to_list()}) as school_model:
    y, se, centre = pm.Data("y", points), pm.Data("se", error), pm.Data("centre", 1.0)
    mean_effect = pm.Normal("mean_effect", 0, 5)
    school_sd = pm.HalfCauchy("school_sd", 5)
    spread = centre * school_sd + (1 - centre)
    v = pm.Normal("v", centre * mean_effect, spread, dims="school")
    shifted = centre * v + (1 - centre) * (mean_effect + school_sd * v)
    theta = pm.Deterministic("theta", shifted, dims="school")
    pm.Normal("effect", theta, se, observed=y)
school_program = nutpie.compile_pymc_model(school_model)

# %% tags=["nbval-check-output"]
CAREFUL = SAMPLE | {"target_accept": 0.95}  # because of that long tail
names, prior = {"mean_effect": "intercept", "school_sd": "tau"}, stats.halfcauchy(scale=5)
switch = {"centred": 1.0, "non-centred": 0.0}
for words, se in {"as published": error, "standard errors a tenth": error / 10}.items():
    ready = {form: school_program.with_data(se=se, centre=c) for form, c in switch.items()}
    fits = {form: [nutpie.sample(r, **CAREFUL, seed=1)] for form, r in ready.items()}
    judge_8 = exact.normal_means(points, se, tau=prior, beta=(0, 5))
    both = scoreboard(fits, judge_8, names=names, effects="theta").sort_values("bulk ESS")
    other, best = both.to_dict("records")
    factor = best["bulk ESS"] / other["bulk ESS"]
    fine = best["runs that pass"] == 1 and best["most off (MCSE)"] < 5  # and as the exact
    print(f"{words}: {both.index[1]} worth 3 times as much: {factor > 3}; can be used: {fine}")

# %% [markdown]
# As published, the non-centred form is the better one. With standard errors a tenth as large,
# as if each school had a hundred times the pupils, it is the centred one: the same eight effects, the
# same code. Advice that is right for eight small schools is wrong for eight large ones.
#
# ## The warning museum
#
# PyMC's own sampler speaks where nutpie is silent. Its checks can be run on any draws. Here are its
# words, each made to appear on purpose.

# %%
few_draws = nutpie.sample(noncentred, **SAMPLE | {"draws": 50}, seed=1)
one_chain = nutpie.sample(noncentred, **SAMPLE | {"chains": 1}, seed=1)
rooms = {"the first fit": first, "50 draws": few_draws, "one chain": one_chain}
for room, idata in rooms.items():
    for warning in run_convergence_checks(idata, noncentred_model):
        print(f"{room}: {warning.message}")
broken = data_of(pilot.assign(sbp=pilot["sbp"].mask(pilot.index == 3)))  # one missing outcome
try:
    nutpie.sample(noncentred.with_data(**broken), **SAMPLE, seed=1)
except RuntimeError as message:
    print("a missing outcome:", str(message).splitlines()[0])

# %% [markdown]
# | What you read | What it means | What to do |
# | --- | --- | --- |
# | nothing, from nutpie | nobody looked | `bayes.diagnose(idata)`, after each fit |
# | *divergences after tuning* | a place is too narrow for the steps | draw `u` against log `hospital_sd`; change the form. PyMC names `target_accept` first; you saw what that does |
# | *rhat statistic is larger than 1.01* | chains tell different stories | look at the chains; change the form; then draw longer |
# | *effective sample size per chain is smaller than 100* | draws resemble each other | change the form; draw longer if that is cheap |
# | BFMI below 0.3, in `diagnose` | chains move slowly between high and low density, as in a funnel | change the form |
# | *only one chain*, *number of samples is too small* | nothing can be compared | 4 chains of 1,000 draws |
# | *All initialization points failed* | no density where the chains start, often a missing value | `isna().sum()`; lesson 16 is about missing values |
#
# And one rule for all: *never change the model or a prior to please the sampler.* If you have a good
# reason to change them, say so, and report both.

# %% [markdown]
# ### Exercise E12.5 · Spot the flaw
#
# From a report:
#
# 1. Eighteen hospitals with 3 patients each had a random intercept. Their SD had a half-normal prior
#    of scale 10 mmHg, chosen beforehand: hospitals of this kind may well differ by 20 mmHg.
# 2. The centred fit had 41 divergences and an R-hat of 1.06. Its draws were not used.
# 3. We wrote the model in its non-centred form.
# 4. To help the sampler, the SD now had a half-normal prior of scale 1 mmHg. Its posterior mean was
#    0.8 mmHg: the hospitals hardly differ.
# 5. No step diverged, all R-hats were below 1.01 and every ESS was above 1,500.
#
# Which sentence holds the mistake, and why?
#
# - **a** A non-centred model is another model, so its results cannot stand for the centred one's.
# - **b** The prior changed together with the form: the small answer may be the prior's.
# - **c** An ESS of 1,500 is too small for a report.
# - **d** Divergences are warnings only: the first draws should have been used.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (4, "b")
# END SOLUTION

# %%
check("E12.5", flaw)

# %% [markdown]
# ### Exercise E12.6 · Your own hospitals
#
# `own_hospitals(12)` is a pilot in 20 hospitals that nobody else has. With the priors of this
# lesson, what is the posterior probability that `hospital_sd` is **below 2 mmHg**? And that the
# treatment lowers the mean pressure by **more than 6 mmHg**? Choose a form, sample with
# `SAMPLE | {"draws": 4000}`, diagnose, then give both as a list in this order, to two decimals.
# (`centred` and `noncentred` take your data by `with_data` and `data_of`.)

# %%
mine = own_hospitals(12).data
mine.groupby("hospital", observed=True)["treated"].agg(["size", "sum"]).agg(["min", "max", "count"])

# %%
# BEGIN SOLUTION
my_program = noncentred.with_data(**data_of(mine))
my_run = nutpie.sample(my_program, **SAMPLE | {"draws": 4000}, seed=1)
print(bayes.diagnose(my_run).sentence)
draws = my_run.posterior
my_probabilities = [
    float((draws["hospital_sd"] < 2).mean()),
    float((draws["treatment_effect"] < -6).mean()),
]
# END SOLUTION

# %%
check("E12.6", my_probabilities)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - nutpie does not warn. Diagnose after each fit.
# - Few patients per hospital make a funnel: where `hospital_sd` is small, `u` must be small. A step
#   must be shorter than 2 SDs of the narrowest place; where it is not, the walk diverges.
# - Divergences show where the sampler cannot go. What it misses there, and what it spares, you do
#   not know without a judge.
# - Centred and non-centred are one model in two sets of coordinates. Hold the prior fixed.
# - Few patients per hospital: non-centred. Many: centred. The shrinkage weight tells.
# - A higher `target_accept` hides divergences. Rewriting cures their cause.
# - R-hat and ESS compare draws with draws. They cannot see where no chain has been.
#
# ## Limits
#
# One model, with hospitals of equal size. Where sizes are very unequal, small hospitals want one form
# and large ones the other, and the form can be chosen for each. All numbers are from one pilot: seeds
# and computers change them, not the verdicts. Good diagnostics do not show that the model is
# right.
#
# ## Further reading
#
# - Betancourt M, Girolami M (2013). Hamiltonian Monte Carlo for hierarchical models.
#   arXiv:1312.0906. The funnel, both forms, and why the data decide between them.
# - Papaspiliopoulos O, Roberts GO, Sköld M (2007). A general framework for the parametrization of
#   hierarchical models. *Statistical Science* 22(1):59-73. The theory of centred and non-centred
#   forms, for an older sampler.
# - Vehtari A, Gelman A, Simpson D, Carpenter B, Bürkner P-C (2021). Rank-normalization, folding, and
#   localization: an improved R-hat for assessing convergence of MCMC. *Bayesian Analysis*
#   16(2):667-718. Today's R-hat, bulk and tail ESS.
# - Neal RM (2003). Slice sampling. *Annals of Statistics* 31(3):705-767. Has the funnel, as a hard
#   test for samplers.
# - Rubin DB (1981). Estimation in parallel randomized experiments. *Journal of Educational
#   Statistics* 6(4):377-401. The eight schools.
