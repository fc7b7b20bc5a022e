"""Studies too long for a lesson, one module each: `STUDY` says how its table was made.

`utils.stored` loads the tables from data/fits and rebuilds them.
"""
