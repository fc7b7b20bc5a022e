"""`python -m tests.record`: put the last whole run into README: when, on what, how long.

`python -m tests.run_all` leaves its result in build/last_run.json. The versions are those of the
lock that it ran on.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.latest import pins
from tests.run_all import ROOT
from utils.authoring.indexes import table

BEGIN, END = "<!-- run:begin -->", "<!-- run:end -->"
SHOWN = (
    *("pymc", "arviz", "nutpie", "bambi", "statsmodels", "pandas", "numpy", "scipy"),
    *("matplotlib", "seaborn", "ipywidgets", "jupyterlab"),
)


def section(outcomes: Sequence[Mapping], versions: Mapping[str, str], when: str, where: str) -> str:
    """Return the text between README's markers.

    Raises
    ------
    ValueError
        If a test of the run failed or was skipped: such a run is not put on show.
    """
    bad = [outcome["name"] for outcome in outcomes if outcome["failed"] or outcome["skipped"]]
    if bad or not outcomes:
        raise ValueError(f"only a run without failed or skipped tests is recorded; got {bad}")
    rows = [[o["name"], f"{o['passed']}", f"{o['seconds']:.0f}"] for o in outcomes]
    total = [sum(o[key] for o in outcomes) for key in ("passed", "seconds")]
    rows.append(["**in all**", f"**{total[0]:,}**", f"**{total[1]:.0f}**"])
    libraries = ", ".join(f"{name} {versions[name]}" for name in SHOWN)
    return (
        f"Last whole run: {when}, {where}.\n\n{table(['Stage', 'Tests', 'Seconds'], rows)}\n\n"
        f"It ran on {libraries}."
    )


def filled(readme: str, text: str) -> str:
    """Return README with the section in its place."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise ValueError(f"README.md must hold {BEGIN} and {END}, once each")
    head, rest = readme.split(BEGIN)
    return f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}"


def main(root: Path = ROOT) -> int:
    """Write README."""
    path = root / "build" / "last_run.json"
    if not path.is_file():
        print("there is no whole run yet: make test", file=sys.stderr)
        return 1
    outcomes = json.loads(path.read_text(encoding="utf-8"))
    when = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d")
    where = f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    versions = pins((root / "requirements.txt").read_text(encoding="utf-8"))
    readme = root / "README.md"
    text = section(outcomes, versions, when, where)
    readme.write_text(filled(readme.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
