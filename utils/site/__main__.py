"""`python -m utils.site`: build build/site/ and say what it weighs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.chromium import require_chromium
from utils import ROOT
from utils.site.build import SiteError, build


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m utils.site",
        description="Build the site to read, with the cheat sheet, from the learners' notebooks.",
    )
    parser.add_argument("--run", nargs="*", type=int, metavar="N", help="run these lessons only")
    options = parser.parse_args(arguments)
    started, out = time.perf_counter(), root / "build" / "site"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=require_chromium(), args=["--no-sandbox", "--disable-gpu"]
            )
            start = build(root, out, browser, run=options.run, say=_say)
            browser.close()
    except (SiteError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    files = [path for path in out.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    _say(f"{start}: {len(files)} files, {size:.1f} MB, {time.perf_counter() - started:.0f} s")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
