"""Assignments for a class: hand out, collect, grade, see who is stuck.

`python -m utils.grading` is the way in; INSTRUCTORS.md is the manual. Nothing here is needed by a
learner. What an assignment's notebook calls is in `utils.handout`.

The modules, from the notebook to the report:

- `folder`: where things lie; the course's secret; the roster; nothing overwritten without a copy.
- `choose`: exercises and the cells that they need. `assignment`: the source notebook.
- `keys`: the data of each student. `give`: the handouts. `collect`: what comes back.
- `runner` runs a submission inside `isolate`; `values` carries its answers over as plain data.
- `marks` turns answers into points; `grade` does it for a class; `bridge` tells nbgrader.
- `report`, `alike`: what the instructor reads.
"""
