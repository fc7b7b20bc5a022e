"""A small lesson that keeps the contract, for the tests of the builder and of the rules."""

from pathlib import Path
from types import MappingProxyType

from utils.authoring.builder import Registers
from utils.authoring.source import Source, parse_source
from utils.exercises.declare import Choice, Exercise, Flaw, Number

NAME = "07_a_small_lesson"

SAMPLE = """# ---
# jupyter:
#   course:
#     question: By how much does a mean move?
#     reading_minutes: 12
#     exercise_minutes: 9
#     needs: [2]
# ---

# %% [markdown]
# # 7 The mean of a ward
#
# > By how much does a mean move?
#
# Reading: 12 minutes. Exercises: 9 minutes. First do [the start](07_a_small_lesson.ipynb).

# %% [markdown]
# ## What you will be able to do
#
# - Say what a <dfn>mean</dfn> is.

# %%
plots = type("plots", (), {"show": staticmethod(lambda fig, alt: None)})
predict = reveal = lambda *args, **keywords: None
small_explorer = lambda: None
verdict = lambda *words: print(*words, sep=" · ")
fig = None


class Right:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"{self.name} · right · yes"


def check(name, answer):
    return Right(name) if answer == 2.5 or isinstance(answer, str | tuple) else answer

# %% [markdown]
# ## A mean by hand

# %%
predict("P07.1", "Which way?", ["up", "down"])

# %%
ward = [1, 2, 3, 4]
reveal("P07.1", "up")

# %%
plots.show(fig, alt="Four patients as dots, their mean as a line between the second and the third.")

# %% [markdown]
# By how much? See [the title](#A-mean-by-hand).

# %%
predict("P07.2", "How much?", unit="mmHg")

# %%
reveal("P07.2", 2)

# %% tags=["nbval-check-output"]
print(f"the mean is {sum(ward) / 4:.1f}")

# %% tags=["nbval-check-output"]
ward[-1] - ward[0]

# %% [markdown]
# 1. Which way does it move?
# 2. How far does it move?

# %%
small_explorer()

# %% tags=["nbval-check-output"]
ruling = "half true" if len(ward) < 6 else "look again"
verdict("C7", ruling, "four patients are few.")

# %% [markdown]
# ### Exercise E07.1 · A mean
#
# Compute the mean of `ward`.

# %%
# BEGIN SOLUTION
secret_route = sum(ward)
mean = secret_route / 4
# END SOLUTION

# %%
check("E07.1", mean)

# %% tags=["solution"]
remark = "only for teachers"

# %% [markdown]
# ### Exercise E07.2 · A reading
#
# - **a** It moves.
# - **b** It stays.

# %%
# BEGIN SOLUTION
letter = "b"
# END SOLUTION

# %%
check("E07.2", letter)

# %% [markdown]
# ### Exercise E07.3 · A flaw
#
# 1. We took four patients.
# 2. Their mean is exact.
#
# - **a** Four are too few.
# - **b** A mean has an error.

# %%
# BEGIN SOLUTION
flaw = (2, "b")
# END SOLUTION

# %%
check("E07.3", flaw)

# %% [markdown]
# ### Exercise E07.4 · Your own

# %%
# BEGIN SOLUTION
own = 2.5
# END SOLUTION

# %%
check("E07.4", own)

# %%
predict("P07.3", "And now?", ["up", "down"])

# %%
reveal("P07.3", "up")

# %% [markdown]
# ## Key points
#
# - A mean moves.
#
# ## Limits
#
# One ward.
#
# ## Further reading
#
# - None.
"""

#: What its checked cells say, in order.
SAID = ["the mean is 2.5", "3", "C7 · half true · four patients are few."]

_COMMON = {"objective": "compute a mean", "minutes": 2, "difficulty": 1}
_NUMBER = Number(
    quantity="the mean", reference=lambda: 2.5, absolute=0.1, tolerance_reason="closed form"
)
EXERCISES = (
    Exercise(id="E07.1", title="A mean", kind="code", answer=_NUMBER, **_COMMON),
    Exercise(
        id="E07.2",
        title="A reading",
        kind="interpret",
        answer=Choice(correct="b", why="it stays", reasons={"a": "no"}),
        **_COMMON,
    ),
    Exercise(
        id="E07.3",
        title="A flaw",
        kind="spot the flaw",
        answer=Flaw(
            sentence=2, reason="b", why="no", sentences={1: "fine"}, reasons={"a": "they are not"}
        ),
        **_COMMON,
    ),
    Exercise(id="E07.4", title="Your own", kind="code", answer=_NUMBER, own=True, **_COMMON),
)
KNOWN = Registers(
    MappingProxyType({exercise.id: exercise for exercise in EXERCISES}),
    MappingProxyType({"C7": "It is hard."}),
    MappingProxyType({"mean": "All values added up, divided by their number."}),
    MappingProxyType({7: {"ask": "Is four enough?", "hear": "Yes.", "land": "It is not."}}),
)


def sample(text: str = SAMPLE) -> Source:
    """Return the sample lesson, parsed."""
    return parse_source(text, Path(f"{NAME}.py"))


def make_root(root: Path, text: str = SAMPLE) -> Path:
    """Make a repository that holds one lesson's source and an empty table."""
    (root / "solutions").mkdir()
    (root / "solutions" / f"{NAME}.py").write_text(text, encoding="utf-8", newline="\n")
    readme = "# A course\n\n<!-- lessons:begin -->\n<!-- lessons:end -->\n\nThe end.\n"
    (root / "README.md").write_text(readme, encoding="utf-8", newline="\n")
    return root
