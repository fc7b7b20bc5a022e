"""`make site` writes what it promises."""

import re
import subprocess
import sys

from utils import ROOT
from utils.site.cheat_sheet import number_of_pages

MAKE = """
import sys
from pathlib import Path
from utils.site.__main__ import main
main(Path(sys.argv[1]))
"""


def test_the_sheet_is_written_as_a_page_and_as_a_pdf(tmp_path):
    done = subprocess.run(  # a process of its own: the browser of the other tests is open
        [sys.executable, "-c", MAKE, str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "build" / "site"
    page = (folder / "cheat_sheet.html").read_text("utf-8")
    links = re.findall(r'href="([^"]+)"', page)
    assert links and all((ROOT / "build" / "site" / link).resolve().exists() for link in links)
    assert number_of_pages((folder / "cheat_sheet.pdf").read_bytes()) == 2
    assert "cheat_sheet.pdf" in done.stdout
