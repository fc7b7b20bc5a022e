"""The site to read, and the cheat sheet: `python -m utils.site` makes build/site/."""
