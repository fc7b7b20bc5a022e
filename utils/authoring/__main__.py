"""`python -m utils.authoring`: build the lessons, or check that they are built."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from utils import ROOT
from utils.authoring.builder import build, read_sources, stale
from utils.authoring.execution import measure
from utils.authoring.source import AuthoringError


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m utils.authoring",
        description="Build both copies of each lesson from solutions/NN_name.py, and the tables.",
    )
    parser.add_argument("lessons", nargs="*", type=int, help="lesson numbers (default: all)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="change nothing; fail if stale")
    what.add_argument("--force", action="store_true", help="run lessons that did not change, too")
    what.add_argument("--facts", action="store_true", help="print a table of what lessons hold")
    what.add_argument("--measure", action="store_true", help="run each lesson cold; time, memory")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            return _check(root, options.lessons)
        if options.facts or options.measure:
            return _print_facts(root, options.lessons, with_cost=options.measure)
        written = build(root, options.lessons, force=options.force, say=_say)
        _say("nothing changed" if not written else f"{len(written)} files written")
        return 0
    except AuthoringError as error:
        print(error, file=sys.stderr)
        return 1


def _check(root: Path, numbers: Sequence[int]) -> int:
    prefixes = tuple(f"{number:02d}_" for number in numbers)
    found = [s for s in stale(root) if not numbers or s.path.name.startswith(prefixes)]
    for item in found:
        print(f"stale: {item.path.relative_to(root).as_posix()}: {item.why}. Run: {item.command}")
    if not found:
        print("every copy is what its source gives")
    return 1 if found else 0


def _print_facts(root: Path, numbers: Sequence[int], *, with_cost: bool) -> int:
    from utils.authoring.facts import facts, table  # noqa: PLC0415 - the build does without

    rows = []
    for source in read_sources(root):
        if numbers and source.number not in numbers:
            continue
        row = {"lesson": f"{source.number} {source.title}", **facts(source)}
        if with_cost:
            cost = measure(source, root / "solutions")
            row |= {"cold s": f"{cost.seconds:.1f}", "peak MB": f"{cost.peak_megabytes:.0f}"}
        rows.append(row)
    print(table(rows))
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
