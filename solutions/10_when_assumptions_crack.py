# ---
# jupyter:
#   course:
#     question: The errors are not normal and one hospital is odd. Which of your numbers still hold?
#     reading_minutes: 60
#     exercise_minutes: 40
#     needs: [9]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 When assumptions crack
#
# > The errors are not normal and one hospital is odd. Which of your numbers still hold?
#
# Reading: 60 minutes. Exercises: 40 minutes. First do
# [lesson 9](09_more_than_two_levels.ipynb).
#
# ## What you will be able to do
#
# - Standardise residuals of patients and predicted effects of hospitals, each by its own spread.
# - Read a QQ plot, and say when it cannot see what you are looking for.
# - Tell which intervals of a mixed model survive heavy tails, odd hospitals and unequal variances.
# - Measure what a single hospital does to your estimate.
# - Find unequal variances in real data, and say what taking logs does and does not cure.
# - Count how many predictors of hospitals your hospitals can carry.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats

from utils import datasets, mixedlm, plots
from utils.diagnostics import hospital_effects, leave_one_hospital_out, patient_residuals, qq_plot
from utils.exercises import check, own_hospitals, predict, reveal, tally, verdict
from utils.simulate import med_trial
from utils.studies import crack_dashboard, replicate
from utils.widgets import cracks_explorer

plots.set_style()

# %% [markdown]
# ## What the model takes for granted
#
# The random-intercept model says more than "hospitals differ". It says that
#
# - the patients of a hospital follow a normal distribution around their mean,
# - with the same standard deviation in every hospital, for every patient;
# - the hospitals' own effects follow a normal distribution too.
#
# You have believed all of it for six lessons. No real ward obeys. So break one assumption at a
# time. In `med_trial` each is a keyword. The trials of the next sections have 30 hospitals of 20
# patients, half of each hospital's patients treated unless we say otherwise, and a drug that lowers
# pressure by 8 mmHg.

# %%
BASE = {"n_hospitals": 30, "patients_per_hospital": 20, "hospital_sd": 6, "patient_sd": 12}
WILD = {"error_law": "outliers", "outlier_scale": 8, "patient_sd": 12 * np.sqrt(0.95 + 0.05 * 8**2)}
CRACKS = {
    "none": BASE,
    "heavy tails": BASE | {"error_law": "student_t", "error_df": 3},
    "outliers": BASE | WILD,
    "SD differs by hospital": BASE | {"error_law": "differs by hospital"},
    "SD grows with the mean": BASE | {"error_law": "grows with mean"},
    "the same, 3 of 4 treated": BASE | {"error_law": "grows with mean", "treated_share": 0.75},
    "skewed hospitals": BASE | {"hospital_law": "skewed"},
    "bimodal hospitals": BASE | {"hospital_law": "bimodal"},
}

# %% [markdown]
# In words:
#
# - **heavy tails**: a t distribution with 3 degrees of freedom. Most patients lie closer to their
#   mean than under a normal distribution, a few lie very far out. A distribution that now and then
#   sends a value very far from the middle has <dfn>heavy tails</dfn>.
# - **outliers**: 5 % of the patients scatter 8 times as much as the others. An <dfn>outlier</dfn> is a
#   value far from where the rest would lead you to expect it. Here, think of a monitor that now and then records nonsense.
#   (`patient_sd` is set so that the other 95 % keep an SD of 12 mmHg.)
# - **SD differs by hospital**: some hospitals are orderly, some chaotic.
# - **SD grows with the mean**: the patients' SD is multiplied by 1.65 for each 10 mmHg of their mean.
#   Treated patients have lower means, so they scatter less.
# - **skewed hospitals**: most lie a little below the average, a few far above it.
# - **bimodal hospitals**: two kinds of hospital, a good and a bad one, half of each.
#
# Unequal variances have a name that you will meet: <dfn>heteroscedasticity</dfn>.

# %% [markdown]
# ## Residuals at both levels
#
# A model with two kinds of scatter has two kinds of residual.
#
# - *Patients*: outcome minus fixed part minus the predicted effect of the hospital.
# - *Hospitals*: the predicted effects themselves, the BLUPs.
#
# Before you can call one large, divide it by how much such a residual scatters when all is well.
# That is not `patient_sd` and not `hospital_sd`. Take $n$ patients in each hospital and the
# shrinkage weight $w$ of lesson 3.
#
# - The model has already used each patient once, to place the hospital. So a patient's residual is a
#   little small: its SD is `patient_sd` × √(1 − $w$/$n$).
# - A predicted effect is $w$ times a hospital mean's deviation. That deviation has variance
#   `hospital_sd`² + `patient_sd`²/$n$ = `hospital_sd`²/$w$. So the prediction's SD is
#   $w$ × `hospital_sd`/√$w$ = `hospital_sd` × √$w$.
#
# By hand on a sound trial, then by the library, which also counts the error of the fixed effects:

# %% tags=["nbval-check-output"]
MODEL, PATIENTS, TRUTH = (plots.PALETTE[k] for k in ["random intercept", "patients", "truth"])
trial = med_trial(**CRACKS["none"], rng=105).data
model = mixedlm.fit("sbp ~ treated", trial, groups="hospital")
w = model.hospital_sd**2 / (model.hospital_sd**2 + model.patient_sd**2 / 20)
patients, hospitals = patient_residuals(model), hospital_effects(model)
by_hand = [model.patient_sd * np.sqrt(1 - w / 20), model.hospital_sd * np.sqrt(w)]
by_library = [patients["sd"].mean(), hospitals["sd"].mean()]
of = ["a patient's residual", "a prediction"]
print(pd.DataFrame({"SD by hand": by_hand, "by library": by_library}, index=of).round(1))
print(f"hospital_sd {model.hospital_sd:.1f}, patient_sd {model.patient_sd:.1f}, weight {w:.2f}")
print(f"still unknown of a hospital: {model.hospital_sd * np.sqrt(1 - w):.1f} mmHg")

# %% [markdown]
# Three standard deviations belong to a hospital, and they are often mixed up. `hospital_sd` is how
# much true effects scatter. `hospital_sd` × √$w$ is how much *predictions* scatter: this one
# standardises. `hospital_sd` × √(1 − $w$) is what we still do not know about one hospital; it belongs in an
# interval. The squares of the last two add up to the square of the first: known plus unknown is all.

# %%
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 3.8))
left.plot(patients["fitted"], patients["standardised"], "o", markersize=3, color=PATIENTS)
left.axhline(0, color=TRUTH, linestyle="--", linewidth=1.2)
left.set(xlabel="fitted sbp (mmHg)", ylabel="standardised residual", title="patients")
qq_plot(patients["standardised"], middle, scale=False)
middle.set(xlabel="expected (SD)", title="patients: QQ")
qq_plot(hospitals["standardised"], right, scale=False, thing="random intercept")
right.set(xlabel="expected (SD)", title="hospitals: QQ", ylim=middle.get_ylim())
plots.show(
    fig,
    alt="A sound trial. Left: standardised residuals of 600 patients against fitted values, an even cloud around 0. Middle and right: QQ plots of the patients and of the 30 hospitals; the points follow the diagonal inside a grey band.",
)

# %% [markdown]
# Left: a cloud of the same width everywhere. That is what equal variances look like. The other two
# are QQ plots. A <dfn>QQ plot</dfn> puts the values in order and compares each with the value that a
# normal sample would be expected to have at that place. A normal sample follows the dashed diagonal.
# The grey band holds each point by itself in 95 % of normal samples, so now and then one lies
# outside. The band is wide for 30 hospitals. Remember that.
#
# ### Exercise E10.1 · Standardise a hospital
#
# A fitted model reports `hospital_sd` 5 and `patient_sd` 12 mmHg. Hospital Elm has 16 patients and a
# predicted effect (BLUP) of 9 mmHg. Compute its standardised effect by the formula above. Give two
# decimals.

# %%
# BEGIN SOLUTION
elm_weight = 5**2 / (5**2 + 12**2 / 16)
elm_standardised = 9 / (5 * np.sqrt(elm_weight))
# END SOLUTION

# %%
check("E10.1", elm_standardised)

# %% [markdown]
# ## What a QQ plot sees
#
# Three cracks, seen through the residuals of their 600 patients.

# %%
fig, axes = plt.subplots(1, 3, figsize=(10, 3.9), sharey=True)
for ax, crack in zip(axes, ["heavy tails", "outliers", "SD differs by hospital"], strict=True):
    cracked = med_trial(**CRACKS[crack], rng=102).data
    broken = mixedlm.fit("sbp ~ treated", cracked, groups="hospital")
    qq_plot(patient_residuals(broken)["standardised"], ax, scale=False)
    ax.set(title=crack, xlabel="expected (SD)")
axes[0].set_ylabel("standardised residual")
plots.show(
    fig,
    alt="QQ plots of patients' residuals. In all three the points are flatter than the diagonal in the middle and leave it steeply at both ends, most of all under outliers.",
)

# %% [markdown]
# All three bend the same way: the middle runs flatter than the diagonal, and the ends shoot off.
# The extreme patients lie many standard deviations out, where a normal distribution has nobody. The
# outliers bend most. And the third? Its patients *are* normal in every hospital: it is the mixture of orderly and
# chaotic hospitals that looks heavy-tailed. A QQ plot shows that something is wrong, not what.
#
# With 600 patients you see such things. With 30 hospitals? Here is a line-up, as the police would
# do it. Each panel shows the 30 predicted effects of one trial with **5 patients per hospital**. In
# seven panels the true hospital effects are normal. In one they come from two kinds of hospital, good
# and bad. Look for the real one. Do not look for the code.


# %%
def hospital_points(law, patients_per_hospital, rng):
    settings = BASE | {"hospital_law": law, "patients_per_hospital": patients_per_hospital}
    fit = mixedlm.fit("sbp ~ treated", med_trial(**settings, rng=rng).data, groups="hospital")
    return hospital_effects(fit)["standardised"]


rng = np.random.default_rng(10)
place = rng.integers(8)
line_up = [hospital_points("bimodal" if k == place else "normal", 5, rng) for k in range(8)]

# %%
fig, axes = plt.subplots(2, 4, figsize=(10, 5.4), sharex=True, sharey=True)
for ax, points, letter in zip(axes.flat, line_up, "ABCDEFGH", strict=True):
    qq_plot(points, ax, scale=False, thing="random intercept")
    ax.set_title(letter)
fig.supxlabel("expected if normal (SD)", fontsize=12)
fig.supylabel("standardised effect", fontsize=12)
plots.show(
    fig,
    alt="A line-up of eight QQ plots of 30 predicted hospital effects, A to H. All wander a little about the diagonal, mostly inside the band; none stands out.",
)

# %%
predict(
    "P10.1",
    "Which panel holds the trial with two kinds of hospital?",
    choices=["A", "B", "C", "D", "E", "F", "G", "H"],
)

# %%
reveal("P10.1", "ABCDEFGH"[place])

# %% [markdown]
# If you found it, was it more than one chance in eight? Let a test try where eyes may be biased. The
# *Shapiro-Wilk test* asks of a sample whether it may be normal. Run it on the hospitals of 300
# trials, for several numbers of patients. (Hospitals are of equal size, so a hospital's mean does as well as its
# prediction: a QQ plot does not notice if all values are multiplied by the same number.)


# %%
def share_found(law, n, trials=300):
    study = med_trial(**BASE | {"hospital_law": law, "patients_per_hospital": n,
                                "n_hospitals": 30 * trials, "treated_share": 0}, rng=7)  # fmt: skip
    seen = study.data["sbp"].to_numpy().reshape(trials, 30, n).mean(axis=2)
    true = study.truth.hospitals["intercept_effect"].to_numpy().reshape(trials, 30)
    return [np.mean([stats.shapiro(row).pvalue < 0.05 for row in rows]) for rows in (seen, true)]


sizes = [5, 10, 20, 40, 80]
found = {law: np.array([share_found(law, n) for n in sizes]) for law in ["skewed", "bimodal"]}

# %%
fig, ax = plt.subplots(figsize=(8, 3.8))
for law, marker in [("skewed", "o-"), ("bimodal", "s--")]:
    seen, true = 100 * found[law].T
    ax.plot(sizes, seen, marker, color=MODEL)
    ax.plot(sizes, len(sizes) * [true.mean()], marker[1:], color=TRUTH, linewidth=1.2)
    ax.text(85, seen[-1], f"{law}, predicted", va="center")
    ax.text(85, true.mean(), f"{law}, true effects", va="center")
ax.axhline(5, color=PATIENTS, linewidth=1.2, linestyle=":")
ax.set(ylabel="not normal, says the test (%)", ylim=(0, 103))
plots.log_axis(ax, sizes, "patients per hospital").set_xlim(4.5, 165)
plots.show(
    fig,
    alt="How often a normality test finds 30 skewed or bimodal hospitals, against patients per hospital. From predicted effects the curves start low, for bimodal hospitals close to the dotted 5 %, and rise towards the horizontal lines of the true effects, which they do not reach at 80 patients.",
)

# %% [markdown]
# If the test could see the true effects, it would find skewed hospitals nearly always and bimodal
# ones in most trials (the horizontal lines). From predicted effects with 5 patients per hospital it
# finds bimodal hospitals hardly more often than it cries wolf at normal ones: the dotted 5 %. The crack
# is as deep as ever. You cannot see it.
#
# Why? You will read "because of shrinkage". Not quite: shrinkage multiplies all values by the same
# weight (when sizes are equal), and that changes no shape. What hides the shape is the patients'
# noise, which is still in every prediction, and which is close to normal since it is an average. The shrinkage weight
# says how much of a prediction's variance is truth. So it also says how much shape is left:
#
# $$\text{skewness of the predictions} = \text{weight}^{1.5} \times \text{skewness of the true effects}$$
#
# (Skewness is the average cubed deviation, divided by the SD cubed. Normal noise adds nothing to the
# first. It makes the SD larger by 1/√weight; cube that.) Our skewed hospitals have a skewness of 2:

# %% tags=["nbval-check-output"]
for n in [5, 20, 80]:
    weight = 6**2 / (6**2 + 12**2 / n)
    many = med_trial(**BASE | {"n_hospitals": 20_000, "patients_per_hospital": n,
                               "hospital_law": "skewed", "treated_share": 0}, rng=11)  # fmt: skip
    means = many.data["sbp"].to_numpy().reshape(-1, n).mean(axis=1)
    print(
        f"{n:2} patients: weight {weight:.2f}, skewness by formula {2 * weight**1.5:.1f}, "
        f"in 20,000 hospitals {stats.skew(means):.1f}"
    )

# %% [markdown]
# Rule: before you read a QQ plot of hospitals, look at the weights. Near 1, it shows the hospitals.
# Far below 1, it shows mostly averages of patients, and those look normal whatever the hospitals are.
# And where sizes differ much, predictions with unlike spreads are mixed: plot the standardised ones.
#
# ### Exercise E10.2 · How much shape is left?
#
# In a registry the true hospital effects have a skewness of 2. `hospital_sd` is 4 and `patient_sd` is
# 12 mmHg; each hospital has 6 patients. What skewness will their predicted effects have? Give two
# decimals.

# %%
# BEGIN SOLUTION
registry_weight = 4**2 / (4**2 + 12**2 / 6)
skewness_left = 2 * registry_weight**1.5
# END SOLUTION

# %%
check("E10.2", skewness_left)

# %% [markdown]
# ### Exercise E10.3 · A straight QQ plot
#
# A report on 40 hospitals with 4 patients each: the shrinkage weights are about .4, the QQ plot of the
# predicted effects is straight, and Shapiro-Wilk gives p = .6. "So the hospitals are normal, and hardly any lies more
# than 2 hospital_sd from the average." What do you say?
#
# - **a** Right: both the plot and the test say so.
# - **b** The plot and the test saw mostly averaged patients. They cannot tell whether the hospitals are normal.
# - **c** With 40 hospitals the test is too strict; a p-value of .6 shows that they are far from normal.
# - **d** The predictions should have been divided by what is still unknown of each hospital.

# %%
# BEGIN SOLUTION
qq_answer = "b"
# END SOLUTION

# %%
check("E10.3", qq_answer)

# %% [markdown]
# ## What breaks, and what does not
#
# So you will often not know whether an assumption holds. Then ask what happens if it does not. For
# each crack: 1,000 trials, each fitted as if nothing were wrong. Two questions first.

# %%
predict(
    "P10.2",
    "Seven cracks. Under how many of them does the 95 % interval for the drug's mean effect hold "
    "the truth in less than 92 % of the trials?",
    choices=["none", "one", "three or four", "all seven"],
)

# %%
predict(
    "P10.3",
    "5 in 100 patients scatter 8 times as much as the others. How many times as wide does the "
    "interval for the drug's effect become, on average?",
    choices=["about 1.1 times", "about 1.4 times", "about 2 times", "about 8 times"],
)

# %% [markdown]
# `crack_dashboard` holds every interval against what it was made for: the true effect, the true mean of
# each hospital, a *new patient* in each hospital whom the fit did not see, and new hospitals. (It
# runs `replicate` on an experiment that draws and fits 100 trials at once. Intervals for hospitals and patients are
# those of `predict` in lesson 5.)

# %%
board = crack_dashboard(CRACKS, n_trials=1000, rng=13)
value, error = (board[column].unstack().loc[list(CRACKS)] for column in board)
shown = ["hospitals", "highest", "patients", "noisy", "calm", "new_hospitals", "new_above"]
table = (
    value[["bias", "width"]].round(1).join((100 * value[["covered", *shown]]).round().astype(int))
)
table

# %%
too_low = int((value["covered"].drop("none") < 0.92).sum())
counts = {"none": 0, "one": 1, "three or four": 3.5, "all seven": 7}
reveal("P10.2", min(counts, key=lambda choice: abs(counts[choice] - too_low)))

# %%
wider = value.loc["outliers", "width"] / value.loc["none", "width"]
times = {f"about {k:g} times": k for k in [1.1, 1.4, 2, 8]}
reveal("P10.3", min(times, key=lambda choice: abs(times[choice] - wider)))

# %% [markdown]
# The columns of the table: `bias` and `width` of the interval for the drug's effect, in mmHg; then
# percentages of intervals that hold. `covered`: the drug's effect. `hospitals` and `highest`: a
# hospital's true mean, and that of the truly highest hospital. `patients`: a new patient; `noisy` and
# `calm`: those fifths of the new patients whose true SD is largest and smallest. `new_hospitals`: the
# true mean of a new hospital; `new_above`: how many of these lie *above* their interval. The figure shows
# the columns that matter most; its bars are twice the Monte Carlo error.

# %%
rows = -np.arange(len(CRACKS))
LOOKS = {
    "noisy": ("new patient, largest SD", PATIENTS, "s"),
    "calm": ("new patient, smallest SD", PATIENTS, "D"),
    "highest": ("highest hospital", MODEL, "^"),
    "covered": ("effect of the drug", MODEL, "o"),
}

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), sharey=True, width_ratios=[2.2, 1])
for name, (label, colour, marker) in LOOKS.items():
    look = {"fmt": marker, "color": colour, "markersize": 8, "label": label}
    left.errorbar(100 * value[name], rows, xerr=200 * error[name], **look)
right.errorbar(value["width"], rows, xerr=2 * error["width"], fmt="o", color=MODEL, markersize=8)
left.axvline(95, color=TRUTH, linestyle="--", linewidth=1.2)
left.set(yticks=rows, yticklabels=list(CRACKS), xlabel="95 % intervals that hold (%)")
right.set(xlabel="width for the effect (mmHg)", xlim=(0, 9))
fig.legend(loc="outside upper center", ncols=4)
for ax in (left, right):
    ax.grid(axis="y", color="0.9")
plots.show(
    fig,
    alt="For eight settings, shares of 95 % intervals that hold, with Monte Carlo error, and the width of the effect's interval. The effect stays near 95 % but for unequal SDs with 3 of 4 treated, near 90 %. The highest hospital and new patients where the SD is largest fall to between 70 and 90 %. Outliers double the width.",
)

# %% [markdown]
# Read the left panel row by row.
#
# **What holds.** Six of the seven cracks leave the circles, the interval for the drug's mean effect, at
# 95 % within the Monte Carlo error (and `bias` in the table near 0). The estimate is a difference of
# two averages over hundreds of patients, and such averages are close to normal even where the
# patients are not. Skewed or bimodal hospitals do
# not even enter: each hospital holds both arms, so its effect cancels.
#
# **What does not.** The squares are new patients where the true SD is largest (a fifth of
# all patients), the diamonds those where it is smallest. Under unequal variances one interval is made for
# everybody: far too narrow for some, too wide for others. The *average*, `patients` in the table,
# hardly moves. It hides both errors. The triangles are the truly highest hospital, the one that gets
# visited. Its interval fails more often than 5 % even without a crack, since a shrunken estimate of an
# extreme hospital is pulled in (lesson 3). With skewed hospitals it fails about twice as often, and all
# misses of a new hospital's mean lie on one side: compare `new_above` with 100 − `new_hospitals`. It
# also suffers where the highest hospital is the noisiest one (SD grows with the mean), and under outliers,
# where all weights are smaller.
#
# **The exception.** When the SD grows with the mean *and* one arm is larger, the interval for the effect itself
# fails. The model averages the two arms' variances over patients. Here the small arm is the noisy one:
# most of the error comes from it, and it counts for a quarter. Balance protected you, not the model.
# The cure is an analysis that does not suppose equal variances: cluster-robust errors (lesson 2), or a
# model with an SD for each arm (lesson 14).
#
# ### The claim on trial
#
# The claim: *mixed models assume normal errors with constant variance.*

# %% tags=["nbval-check-output"]
balanced = value.drop(index="the same, 3 of 4 treated")
effect_holds = balanced["covered"].between(0.93, 0.97).all()
patients_fail = value.loc["SD differs by hospital", "noisy"] < 0.85
highest_fails = value.loc["skewed hospitals", "highest"] < value.loc["none", "highest"] - 0.05
unbalanced_fails = value.loc["the same, 3 of 4 treated", "covered"] < 0.92
costs = value.loc["outliers", "width"] > 1.8 * value.loc["none", "width"]
as_expected = effect_holds and patients_fail and highest_fails and unbalanced_fails and costs
verdict(
    "C6",
    "true of the default, and it matters unevenly" if as_expected else "look again",
    "with both arms equal, no crack took the mean effect's coverage out of 93 to 97 %. What broke: "
    "predictions for patients and for extreme hospitals, the width of the interval under "
    "outliers, and, with unequal arms and unequal SDs, the mean effect too "
    f"({100 * value.loc['the same, 3 of 4 treated', 'covered']:.0f} %).",
)

# %% [markdown]
# ## Coverage is not everything: what outliers cost
#
# Under outliers the interval kept its promise and became twice as wide. That is no accident. The 5 % have a
# variance 8² = 64 times that of the others, so all patients together have 0.95 + 0.05 × 64 = 4.15 times the variance, and
# √4.15 is 2.04. The model is honest about a mess. To halve a standard error by recruiting, you would
# need four times the patients. (Under heavy tails the width stayed only because we kept the patients'
# total SD at 12 mmHg.)
#
# Or listen less to the wild ones. A method is <dfn>robust</dfn> if a few wild values cannot move it
# far. *Huber's regression* gives each patient a weight: 1 near the line, less the further out. `smf.rlm` has
# no random effects, so give it a dummy for each hospital (lesson 4). Ordinary least squares with the
# same dummies estimates here what the mixed model does. Score both on 80 trials:


# %%
def wild_trial(rng):
    data = med_trial(**CRACKS["outliers"], rng=rng).data
    fits = {"least squares": smf.ols("sbp ~ treated + hospital", data).fit(),
            "Huber": smf.rlm("sbp ~ treated + hospital", data).fit()}  # fmt: skip
    return pd.DataFrame([{"method": name, "estimate": fit.params["treated"], "se": fit.bse["treated"]}
                         for name, fit in fits.items()])  # fmt: skip


wild = replicate(wild_trial, 80, rng=15, workers=1, progress=False)
wild["error"], wild["held"] = wild["estimate"] + 8, (wild["estimate"] + 8).abs() < 1.96 * wild["se"]

# %% tags=["nbval-check-output"]
by_method = wild.groupby("method", sort=False)
score = by_method.agg(bias=("error", "mean"), scatter=("error", "std"), claimed_se=("se", "mean"))
held = by_method["held"].mean()
saved = score.loc["Huber", "scatter"] / score.loc["least squares", "scatter"]
print(score.round(1).to_string())
print(f"95 % intervals that hold: {(100 * held).round().astype(int).to_dict()} of 100")
print(f"Huber's estimate scatters {saved:.1f} times as much")

# %% [markdown]
# Neither bias is more than luck: over 80 trials its standard error is a ninth of the scatter. Huber's
# estimate scatters little more than half as much, so its interval is little more than half as
# wide. (The shares that hold are uncertain by about 2 points.)
# Robustness does not rescue coverage here, since coverage was not lost. It buys *precision*.
#
# Two warnings. Robust regression asks for the middle of the errors. If a drug changes their shape, middle and mean
# move by different amounts, and the question has changed. And dummies give no partial pooling. Lesson 14 puts the heavy tail
# where it belongs, into the likelihood of a mixed model: a robust likelihood keeps the random effects.
#
# ### Try it: crack the trial yourself
#
# Run the cell, then use the buttons and the slider to answer. The figure with the dashboard above shows some
# of its settings.
#
# 1. "SD differs by hospital": does the QQ plot of the patients, at "mild", warn you of what
#    happens to new patients where the SD is largest?
# 2. "The same, 3 of 4 treated", "extreme": do more hospitals bring the coverage of the drug's effect back
#    to 95 %?
# 3. "Skewed hospitals": at which strength is the highest hospital's interval worst, and why?
# 4. "Needless hospital predictors", "extreme": go from 60 hospitals down to 15. What grows?
#
# <details><summary>Answers</summary>1: hardly, the points stay near the diagonal, and yet these intervals hold only about 86 %.
# 2: no, it stays near 85 %: more hospitals do not
# make a wrong standard error right. 3: at "mild": hospitals differ little, so the weights are
# small and the extreme one is pulled in most. 4: the interval for a new hospital's mean, up to 2.6 times as wide;
# the last section says why.</details>

# %%
cracks_explorer()

# %% [markdown]
# ## One odd hospital
#
# Twelve hospitals, 24 patients each. In H05, a treated hospital, the monitor reads 24 mmHg too high for everybody.
# Nothing else is wrong; the drug lowers pressure by 8 mmHg. We make two such trials: in one whole
# hospitals are treated, in the other half of the patients of each hospital.

# %%
predict(
    "P10.4",
    "Six of the twelve hospitals are treated as a whole, H05 among them. By how much does its monitor "
    "(24 mmHg too high) move the estimated effect of the drug?",
    choices=["by 24 mmHg", "by 4 mmHg", "by 2 mmHg", "not at all: its random effect absorbs it"],
)


# %%
def odd_trial(assignment):
    settings = BASE | {"n_hospitals": 12, "patients_per_hospital": 24, "hospital_sd": 4}
    data = med_trial(**settings, assignment=assignment, rng=122).data
    sound = mixedlm.fit("sbp ~ treated", data, groups="hospital")
    data.loc[data["hospital"] == "H05", "sbp"] += 24
    return data, sound, mixedlm.fit("sbp ~ treated", data, groups="hospital")


odd, sound, model_by_hospital = odd_trial("hospital")
_, _, model_by_patient = odd_trial("patient")
moved = (model_by_hospital.fixed - sound.fixed).loc["treated", "estimate"]
answers = {24: "by 24 mmHg", 4: "by 4 mmHg", 2: "by 2 mmHg",
           0: "not at all: its random effect absorbs it"}  # fmt: skip
reveal("P10.4", answers[min(answers, key=lambda size: abs(size - moved))])

# %% [markdown]
# H05 is one of six treated hospitals of the same size, so its error counts for a sixth: 24/6 = 4 mmHg. A random
# effect does not absorb it: the treatment effect is the difference between two sets of hospitals, and
# H05 sits in one of them.
#
# In real data you do not know how it would have been. But you can ask: what if this hospital had not
# taken part? The <dfn>influence</dfn> of a hospital is how far the estimate moves when it is left out. With
# equal hospitals treated as a whole this has a closed form. The mean of $k$ treated hospitals moves by
# (mean − hospital)/($k$ − 1); for an untreated hospital the sign turns. By hand, then by twelve refits:

# %% tags=["nbval-check-output"]
means = odd.groupby("hospital", observed=True)[["treated", "sbp"]].mean()
arm_mean = means.groupby("treated")["sbp"].transform("mean")
change = (arm_mean - means["sbp"]) / (6 - 1) * np.where(means["treated"] == 1, 1, -1)
models = {"hospital": model_by_hospital, "patient": model_by_patient}
without = {how: leave_one_hospital_out(fit, "treated") for how, fit in models.items()}
print(f"by hand and by refits agree: {np.allclose(change, without['hospital']['change'])}")
for how, table in without.items():
    moves, in_se = table.loc["H05", ["change", "change_in_se"]].abs()
    print(f"treatment by {how}: moves by {moves:.1f} mmHg, {in_se:.1f} standard errors")
sd_without = without["hospital"].loc["H05", "hospital_sd"]
print(f"hospital_sd {model_by_hospital.hospital_sd:.1f}, without H05 {sd_without:.1f} (truth 4)")

# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
for ax, (how, table) in zip(axes, without.items(), strict=True):
    half = stats.t.ppf(0.975, table["df"]) * table["se"]
    ax.errorbar(table.index, table["estimate"], yerr=half, fmt="o", color=MODEL, markersize=7)
    ax.axhline(
        models[how].fixed.loc["treated", "estimate"], color=MODEL, linewidth=1.2, linestyle=":"
    )
    ax.axhline(-8, color=TRUTH, linewidth=1.2, linestyle="--")
    ax.set(title=f"treatment by {how}", xlabel="hospital left out")
    ax.tick_params(axis="x", rotation=60)
axes[0].set_ylabel("effect of the drug (mmHg)")
plots.show(
    fig,
    alt="Estimated effect with its interval when each of 12 hospitals is left out. Treatment by hospital: without H05 the estimate drops towards the true minus 8 and its interval is the narrowest. Treatment by patient: all twelve are alike.",
)

# %% [markdown]
# Dotted: the estimate with all hospitals. Dashed: the truth. On the left, H05 is the one whose absence
# moves the estimate most. (By a little more than 4 mmHg: with a sound monitor it would have lain above the
# other treated hospitals, too.) Its absence also makes the interval much narrower: an odd hospital inflates
# `hospital_sd`, and all intervals pay. That inflation hides it too, since its own standardised effect is divided
# by the larger SD. On the right, where each hospital holds both arms, H05 does nothing:
# its error cancels.
#
# Influence is a question, not a verdict. Find out why H05 is odd. A broken monitor is a reason to leave it
# out; "it does not fit" is none. If you do not know, report the effect with and without.
#
# ### Exercise E10.4 · Without one hospital
#
# Eighteen hospitals of equal size, nine treated as a whole. The treated hospitals' means average 131
# mmHg, the others' 138. One of the nine treated hospitals has a mean of 151. Compute the estimated effect of
# the treatment without that hospital.

# %%
# BEGIN SOLUTION
treated_without = (9 * 131 - 151) / 8
effect_without = treated_without - 138
# END SOLUTION

# %%
check("E10.4", effect_without)

# %% [markdown]
# ## Real patients: days in hospital
#
# `azpro` holds the length of stay, in days, of 3,589 heart patients in 17 hospitals of Arizona. About half had
# bypass surgery (`cabg` = 1), the others angioplasty, a thin tube through a vessel (`cabg` = 0). Nobody was
# randomised, so we compare, and claim no cause. Stays cannot be negative and
# a few are very long. The usual cure is to take logs. (Both models adjust for sex, urgency and age above 75.)

# %%
predict(
    "P10.5",
    "On the raw scale, bypass patients' residuals scatter more than angioplasty patients'. After taking "
    "logs, whose residuals scatter more?",
    choices=["bypass patients'", "angioplasty patients'", "about equal, within 10 %"],
)

# %%
azpro = datasets.load("azpro")
azpro["log_los"] = np.log(azpro["los"])
terms = "cabg + male + urgent + age75"
days = mixedlm.fit(f"los ~ {terms}", azpro, groups="hospital")
logs = mixedlm.fit(f"log_los ~ {terms}", azpro, groups="hospital")
spread = logs.residuals.groupby(azpro["cabg"]).std()
ratio = spread[1] / spread[0]
outcomes = ["angioplasty patients'", "about equal, within 10 %", "bypass patients'"]
reveal("P10.5", outcomes[int(ratio > 0.9) + int(ratio > 1.1)])

# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 4.2))
names = {0: ("angioplasty", plots.PALETTE["control"]), 1: ("bypass", plots.PALETTE["treated"])}
for ax, fit, unit in zip(axes, [days, logs], ["days", "log days"], strict=True):
    for cabg, (label, colour) in names.items():
        rows = azpro["cabg"] == cabg
        ax.plot(fit.fitted[rows], fit.residuals[rows], "o", markersize=3, color=colour, alpha=0.5)
        ax.plot([], [], "o", color=colour, label=label)
    ax.axhline(0, color=TRUTH, linestyle="--", linewidth=1.2)
    ax.set(xlabel=f"fitted ({unit})", ylabel=f"residual ({unit})")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
plots.show(
    fig,
    alt="Residuals against fitted values, left in days, right in log days, in two colours. Days: a long tail upwards, longer for bypass. Log days: no long tail, but the angioplasty cloud is clearly taller than the bypass cloud.",
)

# %% tags=["nbval-check-output"]
report = {}
for unit, fit, y in [("days", days, azpro["los"]), ("log days", logs, azpro["log_los"])]:
    left_over, limits = fit.residuals.groupby(azpro["cabg"]), fit.predict()
    inside = y.between(limits["patient_lower"], limits["patient_upper"]).groupby(azpro["cabg"])
    report[unit] = {"skewness": stats.skew(fit.residuals), "kurtosis": stats.kurtosis(fit.residuals),
                    "SD ratio": left_over.std()[1] / left_over.std()[0],
                    "angioplasty inside, %": 100 * inside.mean()[0],
                    "bypass inside, %": 100 * inside.mean()[1]}  # fmt: skip
print(pd.DataFrame(report).round(1).to_string())
print(f"SD of log residuals: angioplasty {spread[0]:.2f}, bypass {spread[1]:.2f}")

# %% [markdown]
# `skewness` and `kurtosis` are 0 for a normal distribution. (This kurtosis counts from the normal one; it measures
# heavy tails.) Over all patients, the log cured both, or nearly. (The stripes in
# the figure are whole days.) It did not cure the unequal variances. It
# turned them round: on the raw scale bypass patients scatter 1.7 times as much, on the log
# scale 0.6 times. A log makes SDs equal where they are proportional to the means, and here they are not.
#
# Who pays? The last two lines: patients inside their own 95 % prediction interval. On the log scale,
# about 90 % of the angioplasty patients and 98 % of the bypass patients are. Averaged over all, the
# model looks fine. A bed manager who plans for angioplasty patients will be surprised twice as often as
# promised. The model needs an SD for each procedure. `MixedLM` has none; lesson 14 fits one.
#
# ## Many predictors: at which level?
#
# "Estimation is hard when predictors are many." How many is many? Take a trial of 15 hospitals with
# 20 patients each, whole hospitals treated. Someone adds columns of pure noise: predictors that
# have nothing to do with pressure. They can be noise about *patients* (300 values each) or about
# *hospitals* (15 values each).

# %%
predict(
    "P10.6",
    "10 predictors of pure noise, one value for each of 15 hospitals. What share of the variance of "
    "the 15 hospital means (R²) will they explain, on average?",
    unit="%",
)

# %%
null = med_trial(**BASE | {"n_hospitals": 15 * 1000, "treated_share": 0},
                 n_noise_hospital_predictors=10, rng=17).data  # fmt: skip
noise = [f"hospital_noise_{k}" for k in range(1, 11)]
by_hospital = null.groupby("hospital", observed=True)[["sbp", *noise]].mean().to_numpy()
by_hospital = by_hospital.reshape(1000, 15, 11)
by_hospital -= by_hospital.mean(axis=1, keepdims=True)
y, x = by_hospital[:, :, :1], by_hospital[:, :, 1:]
# x @ pinv(x) @ y: the fitted values of least squares, for 1,000 sets of 15 hospitals at once.
explained = ((x @ np.linalg.pinv(x) @ y) ** 2).sum(axis=(1, 2)) / (y**2).sum(axis=(1, 2))
reveal("P10.6", round(100 * explained.mean()), within=10)

# %% [markdown]
# Noise explains most of the differences between hospitals. There is a formula: $k$ noise predictors
# explain on average $k/(J - 1)$ of the variance of $J$ means, here 10/14. With as many predictors as
# degrees of freedom you can explain everything. The same ten columns, measured on 300 patients, would
# explain 10/299 of the patients' variance.
#
# What does it do to the drug's effect? `crack_dashboard` can add noise columns too.

# %%
counts = [0, 4, 7, 10]
small = BASE | {"n_hospitals": 15, "assignment": "hospital"}
settings = {("patients", k): small | {"n_noise_predictors": k} for k in counts}
settings |= {("hospitals", k): small | {"n_noise_hospital_predictors": k} for k in counts}
noisy_board = crack_dashboard(settings, n_trials=400, rng=23)["value"].unstack()
widths = noisy_board["width"].unstack(0)  # rows: how many; columns: about whom

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
for level, colour, marker in [("patients", PATIENTS, "s-"), ("hospitals", MODEL, "o-")]:
    left.plot(counts, widths[level], marker, color=colour)
    left.text(10.3, widths.loc[10, level], f"about {level}", va="center")
left.set(xlabel="needless predictors", ylabel="width for the effect (mmHg)")
left.set(xlim=(-0.3, 14.5), ylim=(0, 50), xticks=counts)
right.hist(100 * explained, bins=np.arange(0, 101, 5), color=MODEL)
right.axvline(100 * 10 / 14, color=TRUTH, linestyle="--")
right.set(xlabel="R² of 10 noise predictors (%)", ylabel="sets of 15 hospitals, of 1,000")
plots.show(
    fig,
    alt="Left: width of the effect's interval against the number of needless predictors, in 15 hospitals. Predictors of patients leave it flat; predictors of hospitals raise it ever more steeply, to about three times. Right: histogram of R² of ten noise predictors, centred near the dashed 71 %.",
)

# %% [markdown]
# Needless predictors of patients cost next to nothing. Needless predictors of hospitals cost a lot, for two
# reasons. They are, by chance, correlated with who was treated. And each takes a degree of freedom from
# the treatment's test: $J$ − 2 − $k$ are left. With 15 hospitals and 10 predictors that is 3, and the
# $t$ quantile alone rises from 2.2 to 3.2.
#
# A mixed model is no cure: it spends hospitals, not patients, on what is constant within hospitals. (Here the treatment was
# given by hospital. Given by patient, its effect would not notice; a prediction for a new hospital would, as the explorer showed.)
#
# ### The other half of a claim
#
# The claim: *mixed models are hard to estimate when samples are small or predictors are many.* Lesson 7
# tried small samples. Here is the verdict on many predictors.

# %% tags=["nbval-check-output"]
cost = widths.loc[10] / widths.loc[0]
coverage = noisy_board["covered"]
honest = coverage.between(0.92, 0.98).all()
as_expected = cost["patients"] < 1.05 and cost["hospitals"] > 2 and honest
verdict(
    "C7",
    "it depends on the level" if as_expected else "look again",
    "ten needless predictors of 300 patients made the effect's interval "
    f"{cost['patients']:.1f} times as wide, ten of 15 hospitals {cost['hospitals']:.0f} times. "
    "The intervals stayed honest: what is lost is precision, and an R² that means nothing.",
)

# %% [markdown]
# What to do: choose the few predictors of hospitals that you need before you see the outcome. Or recruit hospitals.
# Or say beforehand that most effects are small, which is a prior: lesson 15.
#
# ### Exercise E10.5 · Degrees of freedom
#
# Twenty hospitals, ten treated as a whole, 50 patients in each. The authors adjust for 15
# characteristics of the hospitals. By how many times does the $t$ quantile of the 95 % interval for
# the treatment grow, compared with no adjustment? Use $J$ − 2 − $k$ degrees of freedom and
# `stats.t.ppf(0.975, df)`. Give two decimals.

# %%
# BEGIN SOLUTION
growth = stats.t.ppf(0.975, 20 - 2 - 15) / stats.t.ppf(0.975, 20 - 2)
# END SOLUTION

# %%
check("E10.5", growth)

# %% [markdown]
# ### Exercise E10.6 · Spot the flaw
#
# From a report:
#
# 1. Fourteen hospitals took part, seven of them treated as a whole, with 40 patients each.
# 2. The residuals of the patients had heavier tails than a normal distribution; we kept the interval for the mean effect, since both arms are of the same size.
# 3. As 560 patients allow for many predictors, we looked at ten characteristics of the hospitals: they explain 79 % of the variance between hospital means.
# 4. Leaving out one hospital at a time moved the estimated effect by at most half a standard error.
# 5. The drug's effect, without adjustment, was −6 mmHg (95 % interval −11 to −1).
#
# Which sentence holds the mistake, and why?
#
# - **a** Heavy tails make the interval for the mean effect useless.
# - **b** An R² of 79 % is what ten columns of noise would explain in fourteen hospitals.
# - **c** A hospital that moves the estimate at all must be left out.
# - **d** Fourteen hospitals cannot be analysed by a mixed model.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (3, "b")
# END SOLUTION

# %%
check("E10.6", flaw)

# %% [markdown]
# ### Exercise E10.7 · Your own hospitals
#
# `own_hospitals(10)` is a trial that nobody else has. Whole hospitals were treated, half of them, all of
# the same size, and something is odd in one hospital. Find the hospital whose absence moves the estimated effect of treatment
# most. Compute the estimated effect **without it**, in mmHg, with two decimals. By hand or by
# `leave_one_hospital_out`.

# %%
mine = own_hospitals(10).data
mine.groupby(["treated", "hospital"], observed=True)["sbp"].agg(["size", "mean"]).round(1)

# %%
# BEGIN SOLUTION
my_model = mixedlm.fit("sbp ~ treated", mine, groups="hospital")
my_influence = leave_one_hospital_out(my_model, "treated")
my_odd_one = my_influence["change"].abs().idxmax()
my_effect = my_influence.loc[my_odd_one, "estimate"]
# END SOLUTION

# %%
check("E10.7", my_effect)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - Standardise a patient's residual by patient_sd × √(1 − w/n), a predicted hospital effect by
#   hospital_sd × √w.
# - QQ plots of predicted effects look normal when the weights are low, whatever the hospitals are.
#   It is the patients' noise that hides the shape.
# - The interval for a mean effect survives heavy tails, outliers and odd-shaped hospitals. With
#   unequal arms *and* unequal variances it does not.
# - Predictions do not survive: intervals for patients where variances differ, for extreme or new
#   hospitals where hospitals are skewed.
# - Outliers cost precision, not honesty. A robust method buys most of the precision back.
# - Leave out one hospital at a time. Influence asks a question about a hospital; it gives no answer.
# - A log can cure skewness and leave, or turn round, unequal variances.
# - Predictors of patients are paid for in patients, predictors of hospitals in hospitals.
#
# ## Limits
#
# One crack at a time, treatment mostly by patient, at least 15 hospitals in the dashboards; the drug's effect was the
# same in every hospital (lesson 6) and nothing was confounded (lesson 8). We did not try unequal
# numbers of treated and control hospitals, where skewed hospitals no longer balance.
#
# ## Further reading
#
# - Schielzeth H and others (2020). Robustness of linear mixed-effects models to violations of
#   distributional assumptions. *Methods in Ecology and Evolution* 11(9):1141-1152. The dashboard of
#   this lesson on a larger scale, with much the same verdict.
# - McCulloch CE, Neuhaus JM (2011). Misspecifying the shape of a random effects distribution: why
#   getting it wrong may not matter. *Statistical Science* 26(3):388-402. What the hospitals' shape
#   does, and does not do, to each kind of estimate.
# - Buja A and others (2009). Statistical inference for exploratory data analysis and model
#   diagnostics. *Philosophical Transactions of the Royal Society A* 367:4361-4383. Where the line-up
#   comes from.
# - Huber PJ (1964). Robust estimation of a location parameter. *Annals of Mathematical Statistics*
#   35(1):73-101. Where Huber's weights come from.
