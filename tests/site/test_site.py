"""The site: whole, closed to the outside, valid, and readable by everybody."""

import html
import http.server
import re
import subprocess
import sys
import threading
from functools import partial

import pytest
from axe_playwright_python.sync_playwright import Axe

from utils import ROOT
from utils.authoring import glossary
from utils.authoring.builder import read_sources
from utils.site.cheat_sheet import number_of_pages
from utils.site.check import faults

SOURCES = read_sources(ROOT)
# Lessons whose outputs are kept from an earlier `make site` are not run again.
RUN = [source.number for source in SOURCES[:3]]
NAMES = ["index", "search", "glossary", "cheat_sheet", *(source.name for source in SOURCES)]
# The colours are all that another scheme changes.
RULES = {"light": {}, "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}}}
VISITS = [("light", name) for name in NAMES]
# Every colour of the dark scheme is on the first pages.
VISITS += [("dark", name) for name in NAMES[: 4 + len(RUN)]]

# Of code, one word of each colour is as good as five thousand, and much faster.
ONE_OF_EACH = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll('.highlight pre span[class]')) {
    if (seen.has(word.className)) { word.replaceWith(...word.childNodes); }
    seen.add(word.className);
  }
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def site():
    """Build where `make site` does, and as it does, so that the next one takes seconds."""
    command = [sys.executable, "-m", "utils.site", "--run", *map(str, RUN)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return ROOT / "build" / "site"


@pytest.fixture(scope="session")
def address(site):
    handler = partial(Quiet, directory=site)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def visitor(request, browser):
    """A page in one colour scheme, and the requests it has made."""
    page = browser.new_page(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    page.scheme, page.requested = request.param, []
    page.on("request", lambda asked: page.requested.append(asked.url))
    yield page
    page.close()


def test_no_link_is_broken_nothing_comes_from_elsewhere_and_the_html_is_valid(site):
    assert faults(site) == []


@pytest.mark.parametrize(("visitor", "name"), VISITS, indirect=["visitor"])
def test_axe_finds_no_serious_fault_and_no_request_leaves_the_site(visitor, address, name):
    visitor.requested.clear()
    visitor.goto(f"{address}{name}.html")
    visitor.evaluate(ONE_OF_EACH)
    options = {"resultTypes": ["violations"], **RULES[visitor.scheme]}
    found = Axe().run(visitor, options=options).response["violations"]
    serious = [
        (fault["id"], fault["nodes"][0]["html"], fault["nodes"][0].get("failureSummary"))
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
    assert serious == []
    elsewhere = [url for url in visitor.requested if not url.startswith((address, "data:"))]
    assert elsewhere == []
    assert visitor.requested


def test_the_dark_scheme_is_dark(browser, address):
    def darkness(scheme):
        page = browser.new_page(color_scheme=scheme)
        page.goto(f"{address}index.html")
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.close()
        return sum(int(part) for part in colour.strip("rgba()").split(",")[:3])

    assert darkness("dark") < 150
    assert darkness("light") > 600


def test_search_finds_a_word_of_a_lesson(browser, address):
    page = browser.new_page()
    page.goto(f"{address}search.html?q=shrinkage")
    page.locator("#search-results li a").first.wait_for(timeout=20_000)
    assert "shrinkage" in page.locator("#search-results").inner_text().lower()
    page.close()


def test_a_page_shows_results_and_no_answer_and_leads_to_binder(site):
    source = SOURCES[2]
    text = (site / f"{source.name}.html").read_text(encoding="utf-8")
    assert f"?urlpath=lab/tree/notebooks/{source.name}.ipynb" in text
    assert text.count("<img ") >= 3
    assert "A still picture. In the notebook, the controls move it." in text
    assert "was not run" not in text
    for secret in ("widget-view", "data:image/png", "BEGIN SOLUTION", "not attempted"):
        assert secret not in text
    plain = html.unescape(re.sub(r"<[^>]+>", "", text))
    answers = [region.strip() for cell in source.cells for region in cell.regions]
    assert answers
    assert [answer for answer in answers if len(answer) > 20 and answer in plain] == []
    assert (site / "00_start_here.html").is_file()


def test_the_glossary_has_every_term_and_lessons_lead_there(site):
    text = html.unescape((site / "glossary.html").read_text(encoding="utf-8"))
    text = text.replace("’", "'")
    terms = [entry.term for entry in glossary.entries(SOURCES, glossary.meanings())]
    assert terms
    for term in terms:
        assert f">{term}<" in text, term
    lesson = (site / f"{SOURCES[1].name}.html").read_text(encoding="utf-8")
    assert 'href="glossary.html#' in lesson


@pytest.mark.parametrize("name", NAMES)
def test_at_200_percent_no_page_scrolls_sideways(browser, address, name):
    page = browser.new_page(viewport={"width": 640, "height": 450})  # 1280 x 900, twice as large
    page.goto(f"{address}{name}.html")
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    page.close()
    assert wide <= 0


def test_no_figure_lies_about_that_no_page_shows(site):
    shown = {
        found
        for path in site.glob("*.html")
        for found in re.findall(r"_static/figures/([^\"]+)", path.read_text(encoding="utf-8"))
    }
    assert shown
    assert {path.name for path in (site / "_static" / "figures").iterdir()} == shown


def test_pages_are_light(site):
    for path in site.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        pictures = set(re.findall(r'src="(_static/figures/[^"]+)"', text))
        weight = [(site / picture).stat().st_size for picture in pictures]
        assert len(text) < 400_000, path.name
        assert max(weight, default=0) < 300_000, path.name
        assert sum(weight) < 1_500_000, path.name


def test_the_sheet_to_print_lies_beside_its_page(site):
    assert number_of_pages((site / "cheat_sheet.pdf").read_bytes()) == 2
    assert 'href="cheat_sheet.pdf"' in (site / "cheat_sheet.html").read_text(encoding="utf-8")


def test_a_printed_page_has_the_text_alone(browser, address):
    page = browser.new_page()
    page.emulate_media(media="print")
    page.goto(f"{address}{SOURCES[1].name}.html")
    assert page.locator(".sidebar-drawer").is_hidden()
    assert page.locator("article h1").is_visible()
    page.close()
