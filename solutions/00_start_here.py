# ---
# jupyter:
#   course:
#     question: A drug helps in every hospital. In how many hospitals will it look as if it harms?
#     reading_minutes: 30
#     exercise_minutes: 15
#     needs: []
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 0 Start here
#
# > A drug helps in every hospital. In how many hospitals will it look as if it harms?
#
# Reading: 30 minutes. Exercises: 15 minutes. Nothing comes before this lesson. You should have met
# a standard deviation, a t-test and a little Python. You need no
# experience with notebooks.
#
# Three things are done differently here. **You predict** a result before you run it.
# **The truth is known**: we make the patients ourselves, so every method can be held against what it
# should have found. **Every exercise is checked** at once, and the check says which idea went wrong.

# %% [markdown]
# ## What you will be able to do
#
# - Run a notebook from top to bottom, and say in which order its cells were run.
# - Tell whether your computer is ready for the course.
# - Lock in a prediction, check an answer, and use an explorer.
# - Make hospitals of your own, which nobody else has.
# - Choose the lesson to start with.
#
# ## Run your first cell
#
# A notebook is a page of text with boxes of Python code between. Each box is a *cell*. Click into
# the box below. Then hold down Shift and press Enter. The cell runs, and the next one is selected,
# so you can walk through a notebook with Shift and Enter alone.

# %%
from utils.environment import report

report()

# %% [markdown]
# Below the cell you see what it found. The first line says whether all is as the course expects.
# If something differs, the next line says what to type. A note needs nothing from you.
#
# The number in square brackets at the left says when a cell was run: `[4]` was the fourth. A star,
# `[*]`, means that it is waiting or still at work.
#
# ## A first look
#
# MedTrial is the trial that goes through the whole course. Some patients get a drug for their blood
# pressure, and some do not. We measure the systolic blood pressure (`sbp`, in mmHg) after 12
# weeks. The next cell makes 30 hospitals with 8 to 24 patients each. Run it, and the one after,
# which draws them. You need not read how a figure is drawn, nor the
# lines before a reveal that look up which choice came out.

# %% tags=["nbval-check-output"]
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from utils import plots
from utils.exercises import check, learner, own_hospitals, predict, reveal, set_learner, tally
from utils.exercises.lesson_00 import placement
from utils.simulate import med_trial
from utils.widgets import least_squares_explorer

plots.set_style()
trial = med_trial(patients_per_hospital=(8, 24), treatment_effect=-5, hospital_sd=5, rng=12).data
trial["arm"] = trial["treated"].map({0: "control", 1: "treated"})
print(f"{len(trial)} patients in {trial['hospital'].nunique()} hospitals")

# %%
means = trial.groupby("hospital", observed=True)["sbp"].mean().sort_values()
colours = dict(plots.PALETTE)
look = {"palette": colours, "hue_order": ["control", "treated"], "dodge": True, "jitter": False}
fig, ax = plt.subplots(figsize=(9.5, 4.4))
sns.stripplot(
    trial, x="hospital", y="sbp", hue="arm", order=means.index, alpha=0.7, zorder=1, **look
)
ax.plot(means.to_numpy(), "_", ms=15, mew=3, color=colours["hospital means"], label="hospital mean")
ax.set(xlabel="30 hospitals, sorted by their mean", xticks=[], ylabel=plots.LABELS["sbp"])
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
plots.show(
    fig,
    alt="Blood pressure of the patients of 30 hospitals, sorted by the hospitals' means. Patients of both groups scatter over 30 mmHg and more in most hospitals; the means climb by about 25 mmHg.",
)

# %% [markdown]
# Each dot is a patient, each column a hospital: at its left the untreated patients (control), at
# its right the treated. Three things vary at once. Patients differ. Hospitals differ. And the
# drug does something, which is hard to see among all that. This course is about telling the
# three apart.
#
# ## Who are you?
#
# Give yourself a learner id: any text, such as a nickname. It need not be your name. It is kept
# in a small file on this computer, with your predictions, and nothing is sent anywhere. Your id
# makes your own hospitals: the same id gives the same patients, on any computer. Where several
# people share this computer, each should set an id before working.
#
# Write your id between the quotation marks and run the cell. If you would rather not, leave them
# empty: you are then called "guest", and share your hospitals with every other guest.

# %%
my_id = ""
set_learner(my_id) if my_id else learner()

# %% [markdown]
# ## Predict, then run
#
# In this trial the drug works. It lowers blood pressure by 5 mmHg, in every hospital. We know,
# since we made the patients: see `treatment_effect=-5` above. But suppose that each hospital
# looked at its own patients only.
#
# Type a number, say how sure you are, and press "Lock in". Then run the two cells below it. A wrong
# prediction costs nothing. The course keeps count of how often you are right *when you are sure*,
# which is worth knowing about yourself.

# %%
predict(
    "P00.1",
    "The drug lowers pressure by 5 mmHg in each of the 30 hospitals. In how many hospitals will "
    "the treated patients have a higher mean than the untreated, so that it looks harmful?",
    unit="hospitals",
)

# %%
arms = trial.groupby(["hospital", "treated"], observed=True)["sbp"].mean().unstack()
differences = (arms[1] - arms[0]).sort_values()
wrong_side = differences > 0
print(f"smallest difference {differences.min():.0f} mmHg, largest {differences.max():+.0f} mmHg")
reveal("P00.1", int(wrong_side.sum()), within=2)

# %%
colour, truth = plots.PALETTE["no pooling"], plots.PALETTE["truth"]
fig, ax = plt.subplots(figsize=(8, 4))
ax.bar(range(30), differences, color=colour, alpha=0.35, label="looks helpful")
ax.bar(range(30), differences.where(wrong_side), color=colour, label="looks harmful")
ax.axhline(-5, color=truth, linestyle="--", label="the truth, in every hospital")
ax.set(xlabel="30 hospitals, sorted", xticks=[], ylabel="treated minus untreated (mmHg)")
ax.legend(loc="upper left")
plots.show(
    fig,
    alt="Bars of the difference between treated and untreated in 30 hospitals, sorted. Several bars at the right rise above 0, though the true difference, a dashed line, is -5 mmHg in every hospital.",
)

# %% [markdown]
# Nothing went wrong in those hospitals. Patients of one
# hospital have a standard deviation of 12 mmHg. So with eight patients in each group, chance alone
# moves a difference of means by 6 mmHg or so (12 × √(1/8 + 1/8)). A hospital that trusts its own few patients will now and
# then reject a drug that works. How hospitals can borrow from each other without being
# lumped together is what mixed models are for.
#
# The next prediction is about two regions of 30 hospitals each. No drug this time. In one region
# all hospitals are truly the same. In the other they truly differ. A coin decides which is drawn
# on the left, so the code does not give it away.

# %%
coin = np.random.default_rng(2)
true_spread = coin.permutation([0, 2])
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.4), sharey=True)
for ax, side, spread in zip(axes, ["left", "right"], true_spread, strict=True):
    region = med_trial(patients_per_hospital=12, treatment_effect=0, hospital_sd=spread, rng=coin)
    region_means = region.data.groupby("hospital", observed=True)["sbp"].mean()
    ax.plot(np.sort(region_means), "o", color=plots.PALETTE["hospital means"])
    ax.set(title=f"{side} region", xlabel="hospitals, sorted", xticks=[], ylabel="mean sbp (mmHg)")
plots.show(
    fig,
    alt="Two panels with the means of 30 hospitals each, sorted. Both climb steadily from left to right, by more than 10 mmHg.",
)

# %%
predict("P00.2", "In which region are all hospitals truly the same?", choices=["left", "right"])

# %%
many = np.random.default_rng(1)
equal = many.normal(0, 12 / np.sqrt(12), size=(10_000, 30)).std(axis=1)
unequal = many.normal(0, np.sqrt(2**2 + 12**2 / 12), size=(10_000, 30)).std(axis=1)
print(f"spread of the true means: left {true_spread[0]} mmHg, right {true_spread[1]} mmHg")
print(f"in {np.mean(equal > unequal):.0%} of such pairs the equal hospitals look more different")
reveal("P00.2", "left" if true_spread[0] == 0 else "right")

# %% [markdown]
# Hit or miss, look at the region of equal hospitals again. It makes a fine league table, with a
# top and a bottom. Chance alone spreads the means of 12 patients nearly as widely as chance and
# true differences together. The narrower table is the better guess, and the last line above says
# how often it would mislead you. Lesson 2 measures how much of a spread is real.
#
# One more, in a third region. The true means of its 30 hospitals have a standard deviation of
# 5 mmHg, as in the trial above, and the patients of a hospital one of 12. The hospital at the top of
# its table gets a visit from the ministry. Next year the same hospitals, none of them better or
# worse than before, again measure 16 patients each.

# %%
predict(
    "P00.3",
    "How likely is it that the same hospital is at the top of the table again?",
    unit="%",
)

# %%
rng = np.random.default_rng(3)
true_means = rng.normal(140, 5, size=(10_000, 30))
chance = 12 / np.sqrt(16)
this_year = true_means + rng.normal(0, chance, true_means.shape)
next_year = true_means + rng.normal(0, chance, true_means.shape)
again = np.mean(this_year.argmax(axis=1) == next_year.argmax(axis=1))
reveal("P00.3", round(100 * again), within=10)

# %% [markdown]
# The cell made 10,000 pairs of such tables. Without luck it would be 100 %, and without any true
# difference 1 in 30, about 3 %. It lies between, and where depends on how much hospitals differ: a
# league table is part truth, part luck. In
# lesson 3 you will meet a table that says how much of it is luck.
#
# ## How checks work
#
# The next cell computes the mean of both groups over all 30 hospitals (0 is untreated, 1 is
# treated). The cell after it hands in a wrong answer on purpose. Read what the check makes of it.

# %% tags=["nbval-check-output"]
by_group = trial.groupby("treated")["sbp"].mean()
by_group.round(2)

# %% tags=["nbval-check-output"]
check("E00.1", by_group[0] - by_group[1])

# %% [markdown]
# A check knows the usual ways to go wrong and names the one that it sees. It has three answers:
# *not attempted*, *not yet* and *right*. Try as often as you like. Nobody is counting.
#
# ### Exercise E00.1 · What does the drug do?
#
# Compute the effect of the drug in this trial: by how many mmHg is the mean of the treated
# patients higher than that of the untreated? `by_group[1]` is the mean of the treated. Put your
# computation in place of the three dots. Do not round; one decimal is the least.

# %%
# BEGIN SOLUTION
difference = by_group[1] - by_group[0]
# END SOLUTION

# %%
check("E00.1", difference)

# %% [markdown]
# Three dots run without an error. So you can run any notebook of this course from top to bottom
# with exercises still open: choose *Run*, then *Run All Cells*.
#
# ### Exercise E00.2 · In which order?
#
# Python remembers what was run, in the order in which it was run. It does not know the order on
# the page. A colleague has these three cells on the screen, from top to bottom:
#
# ```
# [1]:  beds = 20
# [4]:  beds = beds + 5
# [3]:  print(beds)
#       25
# ```
#
# What is `beds` now?
#
# - **a** 20, as the first cell says.
# - **b** 25, as printed at the bottom.
# - **c** 30.
# - **d** One cannot tell.
#
# Answer with a letter in quotation marks, such as `"a"`.

# %%
# BEGIN SOLUTION
beds_now = "c"
# END SOLUTION

# %%
check("E00.2", beds_now)

# %% [markdown]
# When a notebook puzzles you, choose *Kernel*, then *Restart Kernel and Run All Cells*. The
# *kernel* is the Python behind the page. A restart empties its memory, not your page.
#
# ### Exercise E00.3 · Spot the flaw
#
# Each lesson has a short report with a mistake in it. From this one:
#
# 1. In one large hospital, 400 patients were given the drug or a placebo by lot, 200 each.
# 2. After 12 weeks the mean was 132 mmHg with the drug and 140 mmHg with the placebo.
# 3. The standard deviation of the patients was 12 mmHg in both groups, and the pressures were bell-shaped.
# 4. So nearly every patient on the drug ended below the placebo group's mean.
# 5. The estimated effect of the drug was −8 mmHg, with a standard error of 1.2 mmHg.
#
# Which sentence holds the mistake, and why?
#
# - **a** An effect of 8 mmHg is too small to matter to a patient.
# - **b** The means differ by less than one standard deviation of the patients, so many lie on the other side.
# - **c** Groups that were formed by lot cannot be compared by their means.
# - **d** The standard deviation should have been divided by the square root of 200.
#
# Answer with the number of the sentence and the letter of the reason, such as `(1, "a")`.

# %%
# BEGIN SOLUTION
flaw = (4, "b")
# END SOLUTION

# %%
check("E00.3", flaw)

# %% [markdown]
# ## Explorers
#
# An explorer has sliders, a figure and a sentence that says what the figure shows. You will need
# this one in lesson 1. Run the cell, then learn the handles on it:
#
# 1. Drag the slider for the slope. What happens to the sentence below the figure?
# 2. Click on the slider's handle and press the arrow keys. How large is one step?
# 3. Type a number into the box beside the slider and press Enter.
# 4. Press *Reset*.

# %%
least_squares_explorer()

# %% [markdown]
# ### Exercise E00.4 · Your own hospitals
#
# The last exercise of each lesson is on your own hospitals. `own_hospitals(0)` makes them from
# your learner id. A neighbour's answer is wrong for you.
#
# How far apart are the highest and the lowest of your hospitals' means, in mmHg? (`.max()`
# and `.min()` give the highest and the lowest value of `my_means`.)

# %%
mine = own_hospitals(0).data
my_means = mine.groupby("hospital", observed=True)["sbp"].mean()
my_means.round(1)

# %%
# BEGIN SOLUTION
gap = my_means.max() - my_means.min()
# END SOLUTION

# %%
check("E00.4", gap)

# %% [markdown]
# ## Where should you start?
#
# Six questions, with no mark. Answer with a letter. Leave the dots where you do not know.
#
# 1. 100 patients have a mean of 140 mmHg, with a *standard error* of 1.2 mmHg. The 1.2 says
#    **a** how far a typical patient lies from 140, **b** how far the mean of such a sample
#    typically lies from the true mean, **c** that 95 % of the patients lie between 137.6 and 142.4.
# 2. In the regression `sbp ~ treated * age` the coefficient of `treated:age`, the *interaction*, is
#    −0.2. It says that **a** older patients have lower pressure, **b** treated patients are younger,
#    **c** the effect of the treatment changes by −0.2 mmHg with each year of age.
# 3. The *intraclass correlation* of pressure in hospitals is .1. So **a** a tenth of the variance lies
#    between hospitals, **b** a tenth of the hospitals differ, **c** hospitals differ with p = .1.
# 4. Twenty whole hospitals, where patients are alike, get a treatment or not by lot, with 50 patients
#    in each. An analysis that takes them for 1,000 independent patients has a standard error that
#    is **a** right, thanks to the lot, **b** too large, **c** too small.
# 5. Of 30 hospitals, the one with the highest mean has 5 patients. *Shrinkage* **a** leaves its mean
#    alone, which is unbiased, **b** pulls it towards the overall mean, **c** drops it.
# 6. A good reason to give hospitals *random* rather than *fixed* effects: **a** patients of one
#    hospital are alike, **b** hospital is a category, **c** you want to learn about each hospital
#    from the others too.

# %%
answers = {1: ..., 2: ..., 3: ..., 4: ..., 5: ..., 6: ...}
placement(answers)

# %% tags=["solution", "nbval-check-output"]
placement({1: "b", 2: "c", 3: "a", 4: "c", 5: "b", 6: "c"})

# %% [markdown]
# The rule: questions 1 and 2 belong to lesson 1, questions 3 and 4 to lesson 2, questions 5 and 6 to
# lesson 3. You start with the first lesson of which you missed a question or left one open. If you
# missed none, your start is [lesson 4](04_reading_and_writing_a_mixed_model.ipynb). It is advice:
# every lesson opens without the ones before.

# %% [markdown]
# ## Fourteen claims on trial
#
# Courses on mixed models repeat certain sentences. Some are true, some are half true, and some
# give a wrong reason for a right thing. Here are fourteen of them. Each is put on trial in a lesson, by an
# experiment that you run. What it found is folded away here: decide for yourself
# first. You need not understand them yet.
#
# <!-- ledger -->

# %% [markdown]
# ## The map of the course
#
# <!-- map -->
#
# ## Keep your work, and get help
#
# - **Saving.** The notebook saves itself every two minutes, and when you press Ctrl and S (on a
#   Mac Command and S). Figures and answers stay on the page. Python's memory does not: after a
#   break, choose *Run*, then *Run All Cells*.
# - **A cell hangs, or the kernel dies.** Choose *Kernel*, then *Restart Kernel and Run All Cells*.
#   Your text and code are safe. If it dies at the same cell again, shut down other notebooks
#   first (*Kernel*, *Shut Down All Kernels*): memory was probably short.
# - **`NameError`.** A cell was run before the one that it needs. Run all cells.
# - **No buttons where you should predict.** Run the cell. If you then see text only, reload the
#   page in the browser.
# - **A new version of the course.** If you fetch it with `git pull`, first copy every notebook that
#   you worked in (right-click it in the list at the left, *Duplicate*). Then type
#   `git restore notebooks`, which takes your changes out of the originals and leaves the copies
#   alone, and pull. Your predictions are kept elsewhere, and stay.
# - **Solutions.** Each notebook has a twin of the same name in the folder `solutions`. Look after you
#   have tried.
# - **Still stuck?** Run the first cell again, copy what it shows, and ask the person who gave you
#   the course, or open an issue where you found it. Say which cell, and what you expected.

# %%
tally()

# %% [markdown]
# ## Key points
#
# - Predict first. A surprise is worth more than a nod.
# - Chance alone makes a drug that works look harmful in some small hospitals.
# - Hospitals that are truly alike still make a league table.
# - A notebook remembers the order in which it was run, not the order on the page.
# - A difference of means says little about a single patient.
#
# ## Limits
#
# All hospitals here were made by a computer, and the drug worked equally well in each. From lesson 3 on,
# simulated hospitals are followed by real ones, and the assumptions fall one by one.
#
# ## Further reading
#
# - Goldstein H, Spiegelhalter DJ (1996). League tables and their limitations: statistical issues
#   in comparisons of institutional performance. *Journal of the Royal Statistical Society A*
#   159(3):385-443. Why tables of hospitals and schools mislead, with a discussion by other statisticians.
# - Spiegelhalter D (2019). *The Art of Statistics: Learning from Data*. Pelican. The ideas behind
#   this course for a reader without mathematics.
# - VanderPlas J (2016). *Python Data Science Handbook*. O'Reilly. Its first
#   three chapters explain IPython, NumPy and pandas; free to read on the author's pages.
