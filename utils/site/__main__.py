"""`python -m utils.site`: write the cheat sheet to build/site/, as a page and as a PDF."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.chromium import require_chromium
from utils import ROOT
from utils.authoring.course import LESSONS
from utils.site.cheat_sheet import TEXT, linked, to_print, write_pdf


def main(root: Path = ROOT) -> None:
    """Write build/site/cheat_sheet.html and build/site/cheat_sheet.pdf."""
    out = root / "build" / "site"
    out.mkdir(parents=True, exist_ok=True)
    text = TEXT.read_text(encoding="utf-8")
    notebooks = {lesson.number: f"../../notebooks/{lesson.name}.ipynb" for lesson in LESSONS}
    page = out / "cheat_sheet.html"
    page.write_text(to_print(linked(text, notebooks)), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=require_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        write_pdf(browser, text, out / "cheat_sheet.pdf")
        browser.close()
    for path in sorted(out.iterdir()):
        print(f"{path.relative_to(root)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
