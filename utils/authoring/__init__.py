"""The author's workshop: build both copies of each lesson from its one source, and check them.

`solutions/NN_name.py` is the only text that a person edits. `python -m utils.authoring` makes
`solutions/NN_name.ipynb` (executed) and `notebooks/NN_name.ipynb` (the learner's) from it, and
the generated tables; `--check` says which of them are stale.
"""
