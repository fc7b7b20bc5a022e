# ---
# jupyter:
#   course:
#     question: What does age do to blood pressure on this ward, and how sure are we?
#     reading_minutes: 55
#     exercise_minutes: 30
#     needs: [0]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 A line through the ward
#
# > What does age do to blood pressure on this ward, and how sure are we?
#
# Reading: 55 minutes. Exercises: 30 minutes. First do [lesson 0](00_start_here.ipynb).
#
# ## What you will be able to do
#
# - Draw the best line through a cloud of patients, by hand and with a library.
# - Read each number of a regression table aloud, with its unit.
# - Say what a standard error, a confidence interval and a p-value promise, and what they do not.
# - Foresee what adjusting for baseline does to the standard error of a trial.
# - See in the residuals what a model has left out.
# - Read a model in which the effect of a drug depends on age.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import statsmodels.formula.api as smf
from scipy import stats

from utils import plots
from utils.exercises import check, own_hospitals, predict, reveal, tally
from utils.simulate import med_trial
from utils.widgets import least_squares_explorer

plots.set_style()
LINE, GREY, TRUTH = (plots.PALETTE[name] for name in ["complete pooling", "patients", "truth"])

# %% [markdown]
# ## Eighty patients
#
# One ward, 80 patients. Half of them, chosen by lot (*randomised*), get a
# blood-pressure drug. The two halves are the *arms* of the trial: treated and control. After 12 weeks a
# nurse measures the systolic blood pressure (`sbp`) in mmHg. We made the patients up, so we know
# what nobody knows in real life: the truth. Most of it stands in the cell below. An untreated patient aged
# 60 who came in with 150 mmHg is expected to end at 140 mmHg. Each year of `age` adds 0.5 mmHg. The
# drug takes away 8 mmHg. A patient whose pressure before the trial (`baseline`) was 1 mmHg higher
# ends 0.7 mmHg higher. What is left scatters with a standard deviation of 8 mmHg.
#
# One row of the data is one patient. Look at all of them before you compute anything. The line in
# the figure is a guess, drawn by eye: 140 mmHg at age 60, and 1 mmHg more for each year of age.

# %%
design = dict(
    n_hospitals=1,
    patients_per_hospital=80,
    hospital_sd=0,  # one hospital: nothing to vary between hospitals until lesson 2
    age_effect=0.5,
    treatment_effect=-8,
    baseline_effect=0.7,
    patient_sd=8,
)
ward = med_trial(**design, rng=101).data
ward[["patient", "treated", "age", "baseline", "sbp"]].head()

# %%
guess = 140 + 1.0 * (ward["age"] - 60)
error = ((ward["sbp"] - guess) ** 2).sum()
fig, ax = plt.subplots(figsize=(8, 4.2))
ax.vlines(ward["age"], guess, ward["sbp"], color=LINE, linewidth=0.8)
ax.scatter(ward["age"], ward["sbp"], s=22, color=GREY)
ax.axline((60, 140), slope=1, color=LINE, linewidth=3)
ax.set_title(f"a guessed line: sum of squared errors {error:,.0f} mmHg²")
ax.set(xlabel=plots.LABELS["age"], ylabel=plots.LABELS["sbp"])
plots.show(
    fig,
    alt="Blood pressure against age for 80 patients, a wide cloud that rises with age. A steep guessed line runs through it; a thin stick joins each patient to the line.",
)

# %% [markdown]
# ## A line by hand
#
# Each stick is a <dfn>residual</dfn>: the pressure that was measured minus the pressure that the
# line expects, in mmHg. It is positive for a patient above the line. A good line leaves short
# sticks. To get one number for all 80, square each residual, so that signs do not cancel, and add
# up: the <dfn>sum of squared errors</dfn>. Long sticks count most.
#
# ### Try it: the best line by hand
#
# Run the cell, then use the sliders to answer. The intercept slider sets the height of the line at
# the mean age. The squares in the figure are the squared residuals.
#
# 1. Leave the slope at 0. Which height gives the smallest squared error? What is that number
#    called?
# 2. Now find the best slope too. By how much does the error fall below that of the flat line?
# 3. Find two slopes with the same error. Where between them does the best slope lie?
# 4. Start from the best line (the button *Snap to least squares* goes there) and change the slope by 0.1, then by 0.2. How
#    many times larger is the second loss?
#
# <details><summary>Answers</summary>1: the mean pressure of the ward. 2: the sentence under the figure
# gives both sums. 3: halfway. 4: four times, since the loss grows with the square.</details>

# %%
least_squares_explorer(ward)

# %% [markdown]
# You need not search. A line through the point of means (mean age, mean pressure) is always at
# least as good as a parallel one. And along the slopes the error is a parabola, with one lowest
# point. <dfn>Least squares</dfn> is the rule that takes that point. (A bar is a mean, and Σ adds up
# over all patients.)
#
# $$\text{slope} = \frac{\sum (\text{age} - \overline{\text{age}})\,(\text{sbp} - \overline{\text{sbp}})}
# {\sum (\text{age} - \overline{\text{age}})^2}
# \qquad
# \text{intercept} = \overline{\text{sbp}} - \text{slope} \times \overline{\text{age}}$$
#
# The library statsmodels calls it `ols`, ordinary least squares. Read `sbp ~ age` as "sbp depends
# on age". What stands left of the ~ is the <dfn>outcome</dfn>, what stands right of it are
# <dfn>predictors</dfn>.

# %% tags=["nbval-check-output"]
age, sbp = ward["age"], ward["sbp"]
from_mean = age - age.mean()
slope = (from_mean * (sbp - sbp.mean())).sum() / (from_mean**2).sum()
intercept = sbp.mean() - slope * age.mean()
fit = smf.ols("sbp ~ age", ward).fit()
print(f"by hand     slope {slope:.3f} mmHg per year, intercept {intercept:.1f} mmHg")
print(
    f"by library  slope {fit.params['age']:.3f} mmHg per year, "
    f"intercept {fit.params['Intercept']:.1f} mmHg"
)

# %%
slopes = np.append(np.linspace(-0.8, 2, 200), [0, 1, slope])
errors = [((sbp - sbp.mean() - b * from_mean) ** 2).sum() / 1000 for b in slopes]
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
ward.plot.scatter("age", "sbp", ax=left, color=GREY, xlabel="age (years)", ylabel="sbp (mmHg)")
for b, style in [(0, ":"), (1, "--"), (slope, "-")]:
    left.axline((age.mean(), sbp.mean()), slope=b, color=LINE, linestyle=style)
right.plot(slopes[:200], errors[:200], "-", slopes[200:], errors[200:], "o", color=LINE)
right.set(xlabel="slope (mmHg per year)", ylabel="squared error (1,000 mmHg²)")
plots.show(
    fig,
    alt="Left: three lines through the point of means of the patients, flat, steep and in between. Right: the sum of squared errors against the slope is a parabola with a dot for each line; the line in between sits at the lowest point.",
)

# %% [markdown]
# By hand and by library agree. Each dot on the parabola is one of the lines. The flat line (dotted)
# and the steep one (dashed) lie higher up. The lowest dot is the solid line. Near that point the
# parabola is flat: slopes close to the best one fit almost as well. So the scatter of
# 80 patients decides exactly where the lowest point falls, and 80 others would put it elsewhere.
# That is why we cannot be sure.

# %% [markdown]
# ### Exercise E01.1 · A slope by hand
#
# Compute the least squares slope of `sbp` on `baseline` from the columns of `ward`, without
# `smf.ols`. Unit: mmHg per mmHg. Give three decimals.

# %%
# BEGIN SOLUTION
before = ward["baseline"] - ward["baseline"].mean()
baseline_slope = (before * (ward["sbp"] - ward["sbp"].mean())).sum() / (before**2).sum()
# END SOLUTION

# %%
check("E01.1", baseline_slope)

# %% [markdown]
# ## The table, read aloud
#
# The next cell prints what every program prints, in some order. Read it line by line, with units.
#
# - **coef** of `age`: take two groups of patients one year apart in age. The older group has this
#   much higher *mean* pressure, in mmHg. It compares groups. It does not say that a patient gains
#   this by waiting a year.
# - **coef** of `Intercept`: the line's height at age 0, in mmHg.
# - **std err**: how far such a coefficient typically lies from the truth, in the unit of the
#   coefficient. The next section shows what that means.
# - **t**: coef divided by std err. It has no unit.
# - **P>|t|**: the <dfn>p-value</dfn>. It prints `0.000` when it is below .0005: it is
#   never 0. If the true coefficient were 0, how often would a ward show a
#   t this far from 0, or further? For the intercept that is an idle question: nobody expected a
#   pressure of 0.
# - **[0.025 0.975]**: the ends of the 95 % confidence interval.
#
# The std err of the slope has a formula: $s / \sqrt{\sum (\text{age} - \overline{\text{age}})^2}$.
# Here $s$ is the standard deviation of the residuals. It is larger than the 8 mmHg above: this line
# knows neither the drug nor the baseline, so their part is left over too. A slope is known better with quieter
# patients, with more patients, and with ages further apart.

# %% tags=["nbval-check-output"]
print(fit.summary().tables[1])
s = np.sqrt((fit.resid**2).sum() / (len(ward) - 2))  # two coefficients were spent
by_hand = s / np.sqrt((from_mean**2).sum())
print(f"standard error of the slope: by hand {by_hand:.3f}, by library {fit.bse['age']:.3f}")
ten, low, high = 10 * fit.params["age"], *(10 * fit.conf_int().loc["age"])
print(f"ten years of age go with {ten:.1f} mmHg, 95 % interval {low:.1f} to {high:.1f} mmHg")

# %% [markdown]
# The last line is the answer to the question of this lesson, on this ward. The truth, 5 mmHg in ten
# years, lies inside the interval. What the interval is
# worth, you will see soon.
#
# ### The intercept, and age 0
#
# The intercept is the pressure expected at age 0. There is no newborn on this ward. So choose a
# better zero: <dfn>centring</dfn> means subtracting a value that exists on the ward, such as 60
# years.

# %% tags=["nbval-check-output"]
ward["age60"] = ward["age"] - 60
centred = smf.ols("sbp ~ age60", ward).fit()
for name, model, column in [("age", fit, "age"), ("age - 60", centred, "age60")]:
    height, error = model.params["Intercept"], model.bse["Intercept"]
    print(
        f"{name:8}: slope {model.params[column]:.3f}, intercept {height:.0f} (standard error {error:.1f})"
    )

# %%
years = pd.DataFrame({"age": np.arange(0, 91)})
band = fit.get_prediction(years).summary_frame()
fig, ax = plt.subplots(figsize=(8, 3.8))
ward.plot.scatter("age", "sbp", ax=ax, color=GREY, xlabel="age (years)", ylabel="sbp (mmHg)")
ax.plot(band["mean"], color=LINE)
ax.fill_between(band.index, band["mean_ci_lower"], band["mean_ci_upper"], color=LINE, alpha=0.25)
ax.axvline(60, color="0.6", linestyle=":")
height = band["mean"].loc[[0, 60]]
ax.plot(height, "o", color=LINE)
ax.text(2, height[0] - 6, "first intercept")
ax.text(61, 86, "second intercept, at the dotted line")
plots.show(
    fig,
    alt="The fitted line drawn from age 0 to 90 with its 95 % band. The patients are all over 40. The band is narrow around age 60 and very wide at age 0.",
)

# %% [markdown]
# Both fits are the same line. The band shows where the line could be. It is narrow where the
# patients are and widens to the left, and nothing tells us that the line stays straight out there.
# Centring moved only the place where the height is read. The intercept is now the mean pressure
# expected at age 60, and its standard error is small, because the patients are around that age.
#
# ## How sure? Two hundred wards
#
# The table gives the slope a standard error. Where does it come from, and can you trust it? In real
# life you have one ward. Here we can draw 200 wards like it, 80 new patients each, from the same
# truth, and fit the line in each.

# %%
candidates = {
    "about the standard error": fit.bse["age"],
    "about the patients' standard deviation": s,
    "about the standard error divided by the square root of 200": fit.bse["age"] / 200**0.5,
}
predict(
    "P01.1",
    f"The first ward's table gives the slope a standard error of {fit.bse['age']:.2f}, and its patients scatter "
    f"around the line with a standard deviation of {s:.0f}. What will be the standard deviation of the 200 slopes?",
    choices=list(candidates),
)

# %%
rng = np.random.default_rng(8)
rows = []
for _ in range(200):
    new = smf.ols("sbp ~ age", med_trial(**design, rng=rng).data).fit()
    rows.append([*new.params, new.bse["age"], *new.conf_int().loc["age"]])
refits = pd.DataFrame(rows, columns=["intercept", "slope", "standard_error", "lower", "upper"])
scatter = refits["slope"].std()
nearest = min(candidates, key=lambda name: abs(np.log(candidates[name] / scatter)))
reveal("P01.1", nearest)

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
for one in refits.itertuples():
    left.axline((0, one.intercept), slope=one.slope, color=LINE, linewidth=0.4, alpha=0.5)
left.axline((60, 140 - 8 / 2), slope=0.5, color=TRUTH)  # half of them are treated
left.set(xlabel="age (years)", ylabel="sbp (mmHg)", xlim=(35, 85), ylim=(112, 162))
right.hist(refits["slope"], bins=12, color=LINE)
right.errorbar(0.5, 3, xerr=fit.bse["age"], fmt="o", color=TRUTH, linewidth=5)
right.set(xlabel="slope (mmHg per year)", ylabel="wards out of 200")
plots.show(
    fig,
    alt="Left: 200 fitted lines fan out around the black true line. Right: histogram of the 200 slopes, centred on a black dot at the true 0.5; the black bar reaches one standard error of the first ward's table to each side and spans about three quarters of the slopes.",
)

# %% tags=["nbval-check-output"]
ratio = scatter / refits["standard_error"].mean()
print(f"the slopes scatter {ratio:.1f} times their mean standard error")
for n_patients in [80, 320, 1280]:
    data = med_trial(**design | {"patients_per_hospital": n_patients}, rng=9).data
    new = smf.ols("sbp ~ age", data).fit()
    print(f"{n_patients:5} patients: standard deviation {new.mse_resid**0.5:.0f} mmHg, ", end="")
    print(f"standard error {new.bse['age']:.2f} mmHg per year")

# %% [markdown]
# That is what a <dfn>standard error</dfn> is: the standard deviation of the estimate over all the
# wards that you might have had. It is computed from the one ward that you do have, and it is about
# right. The black bar in the figure reaches one standard error of the first ward to each side of the
# truth. (The third choice is
# smaller: it is the error of the mean of all 200 slopes.)
#
# A standard deviation describes *patients*. A standard error describes an *estimate*. The three
# wards printed last show it: with four times as many patients the standard deviation stays, and the
# standard error halves.
#
# ### Does the interval keep its promise?
#
# A 95 % <dfn>confidence interval</dfn> reaches about two standard errors to each side of the
# estimate. Its promise is about the method: over many wards, 95 of 100 such intervals hold the
# truth. The share that really does is called <dfn>coverage</dfn>. We know the truth, so we can
# count.

# %%
refits["covers"] = (refits["lower"] < 0.5) & (0.5 < refits["upper"])
fig, ax = plt.subplots(figsize=(9, 3.4))
for holds, width in [(True, 1.5), (False, 5)]:
    some = refits[refits["covers"] == holds]
    ax.vlines(some.index, some["lower"], some["upper"], color=LINE, linewidth=width)
ax.axhline(0.5, color=TRUTH)
ax.set(xlabel="ward", ylabel="slope (mmHg per year)")
ax.set_title(
    f"{100 * refits['covers'].mean():.0f} % hold the truth (thin), the others miss it (thick)"
)
plots.show(
    fig,
    alt="Confidence intervals of the slope from 200 wards as vertical bars around a line at the true 0.5. Nearly all cross it; the few that miss it are drawn thick.",
)

# %%
predict(
    "P01.2",
    "Back to the first ward. Its line has a 95 % confidence band. What share of the ward's 80 patients "
    "lies inside that band?",
    unit="%",
)

# %%
at_patients = fit.get_prediction(ward).summary_frame()
inside = (
    100 * ward["sbp"].between(at_patients["mean_ci_lower"], at_patients["mean_ci_upper"]).mean()
)
reveal("P01.2", round(inside), within=10)

# %%
near = band.loc[38:88]
fig, ax = plt.subplots(figsize=(8, 4))
ward.plot.scatter("age", "sbp", ax=ax, color=GREY, xlabel="age (years)", ylabel="sbp (mmHg)")
ax.plot(near["mean"], color=LINE)
for kind, alpha, name in [("obs", 0.15, "prediction band"), ("mean", 0.4, "confidence band")]:
    low, high = near[f"{kind}_ci_lower"], near[f"{kind}_ci_upper"]
    ax.fill_between(near.index, low, high, color=LINE, alpha=alpha, linewidth=0, label=name)
ax.legend(loc="lower right")
plots.show(
    fig,
    alt="The first ward with its line and two bands. The narrow 95 % confidence band of the line holds few patients; the wide 95 % prediction band holds nearly all of them.",
)

# %% [markdown]
# The narrow band is about the *line*: the mean pressure at each age. The wide one, the prediction
# band, is about *patients*. It adds their own scatter, and more data will not make it narrow. A
# 95 % interval for a mean or a slope never says where 95 % of the patients are.

# %% [markdown]
# ### Exercise E01.2 · Where are the patients?
#
# A colleague admits a patient aged 70. In this ward's model `sbp ~ age`, how far to each side of
# the line must she go, so that a new patient of that age falls inside with a chance of 95 %? Give the half width
# in mmHg.

# %%
# BEGIN SOLUTION
of_age_70 = fit.get_prediction(pd.DataFrame({"age": [70]})).summary_frame()
half_width = (of_age_70["obs_ci_upper"] - of_age_70["obs_ci_lower"]).item() / 2
# END SOLUTION

# %%
check("E01.2", half_width)

# %% [markdown]
# ## What a p-value does not say
#
# Imagine 100,000 trials of drugs. Half of the drugs do nothing. The other half work, and the trials
# are just large enough to give p < .05 for half of those. You read about a trial with p = .04.

# %%
predict(
    "P01.3",
    "Look at all trials with a p-value from .03 to .05. In what share of them does the drug do "
    "nothing?",
    unit="%",
)

# %%
rng = np.random.default_rng(14)
works = rng.random(100_000) < 0.5
t = rng.normal(np.where(works, -1.96, 0), 1)  # estimate divided by its standard error
p_values = 2 * stats.norm.sf(np.abs(t))
near = (p_values > 0.03) & (p_values < 0.05)
useless = 100 * (~works[near]).mean()
reveal("P01.3", round(useless), within=5)

# %%
shown = {"the drug does nothing": p_values[~works], "the drug works": p_values[works]}
fig, ax = plt.subplots(figsize=(8, 3.4))
bins, colours = np.arange(0, 0.205, 0.01), ["0.75", plots.PALETTE["treated"]]
ax.hist(list(shown.values()), bins=bins, stacked=True, color=colours, label=list(shown))
ax.vlines([0.03, 0.05], 0, 7000, color=TRUTH, linestyle="--")
ax.text(0.04, 7200, "you read one\nof these", ha="center")
ax.set(xlabel="p-value", ylabel="trials", xlim=(0, 0.2))
ax.legend()
plots.show(
    fig,
    alt="Stacked histogram of p-values up to 0.2. Trials of useless drugs fill each bar to the same height. Trials of working drugs pile up near 0. Between 0.03 and 0.05 about a fifth of the bar is useless drugs.",
)

# %% [markdown]
# A p-value just below .05 is the work of a useless drug more often than 5 times in 100. The
# p-value starts from "the drug does nothing" and asks how odd the data are. You want the
# reverse: given the data, does the drug do nothing? That also depends on how many useless drugs are
# tried and how large the trials are. With nine useless drugs in ten, the share in grey would be
# larger still.

# %% [markdown]
# ### Exercise E01.3 · One sentence is right
#
# A trial reports: "The drug lowered mean pressure by 6 mmHg (95 % confidence interval 1 to 11,
# p = .02)." What may you conclude?
#
# - **a** In 95 % of the treated patients, pressure fell by 1 to 11 mmHg.
# - **b** The probability that the drug does nothing is 2 %.
# - **c** If the drug did nothing, about 2 in 100 such trials would show a difference this far from
#   0 or further.
# - **d** The drug's effect is large enough to matter to patients.

# %%
# BEGIN SOLUTION
p_value_means = "c"
# END SOLUTION

# %%
check("E01.3", p_value_means)

# %% [markdown]
# ## A group is a predictor, too
#
# Until now we ignored the drug. `treated` is 0 or 1, so it can stand on the horizontal axis like
# age. The line then joins the two group means, and its slope is their difference. You know another
# method for two groups.

# %% tags=["nbval-check-output"]
treated, control = (ward.loc[ward["treated"] == arm, "sbp"] for arm in (1, 0))
two_groups = smf.ols("sbp ~ treated", ward).fit()
t_test = stats.ttest_ind(treated, control)
print(
    f"difference of means {treated.mean() - control.mean():.2f}, slope {two_groups.params['treated']:.2f} mmHg"
)
print(f"t-test p = {t_test.pvalue:.4f}, regression p = {two_groups.pvalues['treated']:.4f}")

# %% [markdown]
# The t-test with equal variances (Student's) *is* a regression on a 0/1 predictor. The intercept is the mean of the group coded 0. So
# all you learn about regression holds for the t-test, and regression can do what the t-test cannot:
# add predictors. The pressure before the trial is a candidate.

# %%
predict(
    "P01.4",
    "Who gets the drug was decided by lot. We add `baseline` to the model. What happens to the standard error "
    "of the drug's effect?",
    choices=[
        "nothing: the lot has made the groups equal",
        "it falls by about a third",
        "it rises: one more coefficient to estimate",
    ],
)

# %%
adjusted = smf.ols("sbp ~ treated + baseline", ward).fit()
ratio = adjusted.bse["treated"] / two_groups.bse["treated"]
outcomes = {
    "nothing: the lot has made the groups equal": 1,
    "it falls by about a third": 2 / 3,
    "it rises: one more coefficient to estimate": 4 / 3,
}
reveal("P01.4", min(outcomes, key=lambda name: abs(outcomes[name] - ratio)))

# %%
noise = adjusted.params["baseline"] * (ward["baseline"] - ward["baseline"].mean())
sides = {"as measured": ward["sbp"], "baseline's part removed": ward["sbp"] - noise}
arms = {0: plots.PALETTE["control"], 1: plots.PALETTE["treated"]}
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.8), sharey=True)
for ax, (title, pressure) in zip(axes, sides.items(), strict=True):
    sns.stripplot(ward, x="treated", y=pressure, hue="treated", palette=arms, legend=False, ax=ax)
    ax.plot([0, 1], pressure.groupby(ward["treated"]).mean(), "-o", color=LINE, zorder=3)
    ax.set(title=title, xlabel=plots.LABELS["treated"], ylabel="sbp (mmHg)")
plots.show(
    fig,
    alt="Blood pressure of control and treated patients, twice. Left as measured; right with the part explained by baseline removed. The groups' scatter is clearly smaller on the right; the line between the two means falls in both.",
)

# %% [markdown]
# Left, much of the scatter is not about the drug: those patients came in with high pressure, or
# low. The model on the right knows their baseline and takes its part away. Less noise, smaller
# standard error. By luck the treated had come in with a lower baseline, so the difference changes
# too. Here that takes it away from the truth, −8. One ward cannot tell which analysis is better.
# Score both on 300 wards. There the truth is known.

# %%
formulas = {"without baseline": "sbp ~ treated", "with baseline": "sbp ~ treated + baseline"}
rng = np.random.default_rng(10)
rows = []
for _ in range(300):
    data = med_trial(**design, rng=rng).data
    for name, formula in formulas.items():
        new = smf.ols(formula, data).fit()
        rows.append(
            [name, new.params["treated"], new.bse["treated"], *new.conf_int().loc["treated"]]
        )
trials = pd.DataFrame(rows, columns=["model", "estimate", "standard_error", "lower", "upper"])

# %% tags=["nbval-check-output"]
trials["coverage_percent"] = 100 * ((trials["lower"] < -8) & (-8 < trials["upper"]))
trials["bias"], trials["width"] = trials["estimate"] + 8, trials["upper"] - trials["lower"]
by_model = trials.groupby("model", sort=False)
averages = ["bias", "standard_error", "coverage_percent", "width"]
scoreboard = by_model[averages].mean().assign(scatter=by_model["estimate"].std())
print(scoreboard.round(1).T.to_string())
gain = (scoreboard["standard_error"].iloc[0] / scoreboard["standard_error"].iloc[1]) ** 2
print(f"baseline is worth {gain:.1f} times as many patients")

# %% [markdown]
# Each number is an average over the 300 wards. <dfn>Bias</dfn> is how far the estimates lie from
# the truth on average, `width` is that of the 95 % interval, and `scatter` is the standard deviation of the
# estimates, the true standard error. Both analyses are right on average: the lot sees to that. Both
# come close to the promised 95 %, as far as 300 wards can tell. The one with `baseline` does so
# with a narrower interval. The last line says what that is worth: a standard error falls with the
# square root of the number of patients, so its square counts patients. It costs nothing but a
# column that was measured anyway. Decide on it before you see the results.
#
# ## What is left over
#
# A regression assumes something about what it leaves over: that the residuals have no pattern, the
# same spread everywhere, and nothing to do with each other. Plot them. Here are three wards. In
# each, `sbp ~ age` was fitted. <dfn>R²</dfn> is the share of the variance of pressure that the line
# accounts for.

# %%
one_ward = dict(n_hospitals=1, patients_per_hospital=300, hospital_sd=0, treatment_effect=0)
first = med_trial(**one_ward, age_effect=0.5, patient_sd=12, rng=32).data
second = med_trial(**one_ward, age_effect=1.5, patient_sd=4, rng=22).data
second["sbp"] += 0.03 * (second["age"] - 60) ** 2
third = med_trial(**one_ward, age_effect=1, patient_sd=6, error_law="grows with mean", rng=23).data

# %%
looks = {"color": GREY, "lowess": True, "scatter_kws": {"s": 10}, "line_kws": {"color": LINE}}
fig, axes = plt.subplots(1, 3, figsize=(10, 3.6))
for ax, name, data in zip(axes, "ABC", [first, second, third], strict=True):
    r_squared = smf.ols("sbp ~ age", data).fit().rsquared
    sns.residplot(data, x="age", y="sbp", ax=ax, **looks)
    ax.set(title=f"ward {name}: R² = {r_squared:.2f}", xlabel="age (years)", xlim=(30, 90))
    ax.set_ylabel("residual (mmHg)" if name == "A" else "")
plots.show(
    fig,
    alt="Residuals against age in three wards, each with a smooth curve. A: an even cloud, low R squared. B: a clear U shape, the highest R squared. C: a fan that opens with age.",
)

# %% [markdown]
# The curve in each panel follows the middle of the residuals (a local smoother, LOWESS). At its
# ends it rests on few patients.
#
# **A** is as it should be: an even band around 0, although age explains little. **B** has the best
# R² of the three, and is wrong: the residuals bend. There, pressure rises faster the older one is.
# The line is too low for the youngest and the oldest, and too high in between. Cure: add a term,
# such as `I((age - 60)**2)`. **C** opens like a fan. The line is right, but its standard error is not:
# it takes one spread for all. Cure: an error that allows it, `fit(cov_type="HC3")`, or a model of
# the spread (lesson 10).
#
# R² measures how much of the scatter the line takes up on this ward. It proves neither that the
# line is right, nor that age is the cause.
#
# ### Must blood pressure be normal?
#
# On another ward, patients in a hypertensive crisis got an infusion that lowers pressure by 35
# mmHg, or did not get it.

# %%
crisis = med_trial(**one_ward, patient_sd=8, rng=31).data
crisis["sbp"] += 45 - 35 * crisis["treated"]  # high in all, 35 mmHg less with the infusion
sides = {"pressure": crisis["sbp"], "residuals": smf.ols("sbp ~ treated", crisis).fit().resid}
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4))
for ax, what in zip(axes, sides, strict=True):
    p = stats.shapiro(sides[what]).pvalue
    ax.hist(sides[what], bins=30, color=GREY)
    ax.set(title=f"{what}, normality test p {'<' if p < 0.001 else '='} {max(p, 0.001):.3f}")
    ax.set(xlabel="mmHg", ylabel="patients")
plots.show(
    fig,
    alt="Left: histogram of blood pressure with two separate humps. Right: histogram of the residuals of the same patients after the treatment is in the model, one hump.",
)

# %% [markdown]
# ### Exercise E01.4 · Two humps
#
# A colleague sees the left histogram and its p-value. "Not normal," he says. "We need a rank test."
# What do you answer?
#
# - **a** He is right: regression needs a normally distributed outcome.
# - **b** The model speaks about the residuals; the two humps are the two arms, and the residuals
#   look fine.
# - **c** Take logarithms until the outcome has one hump.
# - **d** Normality tests are useless, so no need to look at anything.

# %%
# BEGIN SOLUTION
after_the_humps = "b"
# END SOLUTION

# %%
check("E01.4", after_the_humps)

# %% [markdown]
# ## Does the drug do more for the old?
#
# A larger ward, 400 patients. Here the drug lowers pressure by 10 mmHg at age 60, and by 0.3 mmHg
# more for each year above that. So at 50 it takes away 7 mmHg, at 70 it takes away 13. In the model
# such a thing is an <dfn>interaction</dfn>: the effect of one predictor depends on another. It
# enters as the product of both. `treated * age` in a formula stands for `treated + age +
# treated:age`.

# %%
predict(
    "P01.5",
    "We fit sbp ~ treated * age + baseline, age in years. What will the coefficient of `treated` "
    "be?",
    choices=[
        "about -10: the average effect",
        "about 0",
        "well above 0: as if the drug raised pressure",
    ],
)

# %%
larger = {"patients_per_hospital": 400, "treatment_effect": -10, "age_treatment_effect": -0.3}
older = med_trial(**design | larger, rng=113).data  # the first design with these changes
true_effect = -10 - 0.3 * (older["age"] - 60)
print(f"each patient's true effect, from {true_effect.min():.1f} to {true_effect.max():.1f} mmHg")
raw = smf.ols("sbp ~ treated * age + baseline", older).fit()
older["adjusted"] = older["sbp"] - raw.params["baseline"] * (older["baseline"] - 150)
main = raw.params["treated"]
names = ["about -10: the average effect", "about 0", "well above 0: as if the drug raised pressure"]
reveal("P01.5", names[int(main > -5) + int(main > 2)])

# %%
fig, ax = plt.subplots(figsize=(9, 4))
ax.scatter(older["age"], older["adjusted"], s=8, alpha=0.4, color=older["treated"].map(arms))
for arm, name in [(0, "control"), (1, "treated")]:
    line = raw.predict(years.assign(treated=arm, baseline=150))
    ax.plot(line.index[:29], line[:29], ":", line.index[28:], line[28:], "-", color=arms[arm])
    ax.text(91, line.iloc[-1], name, va="center")
ax.annotate("the gap\nat age 0", (0.5, 112), (9, 104), arrowprops={"arrowstyle": "->"})
ax.set(xlabel="age (years)", ylabel="sbp, adjusted to baseline 150", xlim=(0, 100))
plots.show(
    fig,
    alt="Predicted lines of the two arms against age. Above 30, where the patients are, the treated line lies below and falls further behind with age. Drawn back to age 0, the two lines cross and the treated line lies above.",
)

# %% [markdown]
# The coefficient of `treated` is the gap between the two lines **at age 0**, where the dotted ends
# are. No patient is that young, and in every patient of this ward the drug lowers pressure. With a
# product in the model, the coefficient of `treated` alone, often called its *main effect*, is no longer an
# average: it is the effect where the other predictor is 0. By the truth it is −10 + 0.3 × 60 = +8 mmHg at age 0. So put 0 where you want to read it.

# %% tags=["nbval-check-output"]
older["age60"], older["age75"] = older["age"] - 60, older["age"] - 75
older["baseline150"] = older["baseline"] - 150
at_60 = smf.ols("sbp ~ treated * age60 + baseline150", older).fit()
at_75 = smf.ols("sbp ~ treated * age75 + baseline150", older).fit()
for year, model in [(0, raw), (60, at_60), (75, at_75)]:
    effect, error = model.params["treated"], model.bse["treated"]
    by_sum = raw.params["treated"] + year * raw.params["treated:age"]
    print(
        f"effect at age {year:2}: {effect:.1f} (standard error {error:.1f}); by adding up {by_sum:.1f}"
    )
print(at_60.params.round(2).to_string())

# %% [markdown]
# All three fits are the same model. By adding up, the effect at an age is the coefficient of
# `treated` plus that age times the coefficient of the product. Read the table of the fit at 60
# aloud.
#
# - `Intercept`: mean pressure of *untreated* patients aged 60 with a baseline of 150 mmHg.
# - `treated`: the drug's effect **at age 60**, in mmHg.
# - `age60`: what a year of age adds in *untreated* patients.
# - `treated:age60`: how much the drug's effect changes with each year of age. Negative: it lowers
#   more in the old.
# - `baseline150`: what 1 mmHg more before the trial adds after it, in both arms.

# %% [markdown]
# ### Exercise E01.5 · Spot the flaw
#
# From a report:
#
# 1. On one ward, 240 patients were allotted at random to the drug or to usual care.
# 2. The model held treatment, age in years, their product, and baseline pressure.
# 3. The product's coefficient was −0.3 mmHg per year (95 % interval −0.5 to −0.1): the drug lowers
#    pressure more in older patients.
# 4. The coefficient of treatment was +8 mmHg, so on average the drug raised pressure.
# 5. A plot of residuals against age showed an even band.
#
# Which sentence holds the mistake, and why?
#
# - **a** A coefficient that belongs to a product must be tested before it is read.
# - **b** With the product in the model, that coefficient is the effect at age 0.
# - **c** In a randomised trial the model must not hold baseline pressure.
# - **d** Without R² nobody knows whether the model is right.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (4, "b")
# END SOLUTION

# %%
check("E01.5", flaw)

# %% [markdown]
# ### Exercise E01.6 · Your own ward
#
# `own_hospitals(1)` is a ward that nobody else has. Half of its patients were treated, and the
# drug's effect depends on age. Adjust for baseline and give the effect of the drug **at age 70**,
# in mmHg, to two decimals. Round only at the end.

# %%
mine = own_hospitals(1).data
mine[["treated", "age", "baseline", "sbp"]].describe().round(1)

# %%
# BEGIN SOLUTION
mine["age70"] = mine["age"] - 70
my_fit = smf.ols("sbp ~ treated * age70 + baseline", mine).fit()
effect_at_70 = my_fit.params["treated"]
# END SOLUTION

# %%
check("E01.6", effect_at_70)

# %%
tally()

# %% [markdown]
# ## Key points
#
# - Least squares picks the line with the smallest sum of squared residuals. It has a formula; a
#   t-test is the special case of a 0/1 predictor.
# - A standard error is the scatter of the estimate over the wards you might have had. A standard
#   deviation is the scatter of patients. More patients shrink the first only.
# - A 95 % interval is a promise about a method: 95 of 100 such intervals hold the truth. It does
#   not say where patients are, and a p-value is not the probability that nothing is going on.
# - In a randomised trial, adjusting for baseline narrows the interval and leaves the estimate
#   unbiased.
# - Look at residuals, not at R² and not at the outcome's histogram.
# - With a product in the model, a main effect holds where the other predictor is 0. Put 0 where it
#   means something.
#
# ## Limits
#
# The range of E01.2 needs residuals that are roughly normal; slopes and their intervals hardly do.
#
# Everything here took for granted that patients are independent: what one patient's pressure does
# tells nothing about the next. On one ward we made it so. With twenty hospitals it will not be so,
# and standard errors like these can then be badly wrong. That is lesson 2. Age was never allotted
# by lot: its slope describes groups, and does not prove a cause (lesson 8).
#
# ## Further reading
#
# - Gelman A, Hill J, Vehtari A (2020). *Regression and Other Stories*. Cambridge University Press.
#   Chapters 6 to 12 cover this lesson at book length, with the same habit of simulating first.
# - Greenland S, Senn SJ, Rothman KJ, Carlin JB, Poole C, Goodman SN, Altman DG (2016). Statistical
#   tests, P values, confidence intervals, and power: a guide to misinterpretations. *European
#   Journal of Epidemiology* 31(4):337-350. Twenty-five wrong readings, each put right.
# - Vickers AJ, Altman DG (2001). Analysing controlled trials with baseline and follow up
#   measurements. *BMJ* 323(7321):1123-1124. Two pages on why to adjust for baseline.
# - Anscombe FJ (1973). Graphs in statistical analysis. *The American Statistician* 27(1):17-21.
#   Four data sets with one regression table between them.
