"""Look for faults in the built pages: broken links, foreign addresses, pictures without words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import html5lib

#: Attributes that make a browser fetch something by itself.
_FETCHED = {"src", "srcset", "poster", "data", "background"}
_CSS_ADDRESS = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


@dataclass
class Page(HTMLParser):
    """What a page names, links to and loads."""

    path: Path
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    without_alt: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag's id, links and pictures."""
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and values.get("rel") not in ("canonical",):
            kind = self.links if values.get("rel") in _ONLY_NAMED else self.loads
            kind.append(values.get("href", ""))
        self.loads += [values[name] for name in _FETCHED & set(values)]
        self.loads += _addresses(values.get("style", ""))
        self.without_alt += tag == "img" and not values.get("alt", "").strip()


_ONLY_NAMED = {"next", "prev", "index", "search", "author", "license"}


def faults(site: Path) -> list[str]:
    """Return what is wrong with a built site, a line each.

    Parameters
    ----------
    site : Path
        The folder of the pages.
    """
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    found: list[str] = []
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        found += [f"{name}: {fault}" for fault in _page_faults(page, pages)]
    for path in sorted(site.rglob("*.css")):
        for address in _addresses(path.read_text(encoding="utf-8")):
            if _foreign(address):
                found.append(f"{path.relative_to(site).as_posix()} loads {address}")
    return found


def _page_faults(page: Page, pages: dict[Path, Page]) -> Iterator[str]:
    for address in page.loads:
        if _foreign(address):
            yield f"loads {address} from elsewhere"
        elif not address.startswith("data:"):
            yield from _broken(page, address, pages)
    for address in page.links:
        if not urlsplit(address).scheme:
            yield from _broken(page, address, pages)
        elif not address.startswith(("https://", "mailto:", "doi:")):
            yield f"has a link of another kind: {address}"
    if page.without_alt:
        yield f"{page.without_alt} pictures without alternative text"
    for name, times in Counter(page.ids).items():
        if times > 1:
            yield f"the id {name!r} stands {times} times"
    parser = html5lib.HTMLParser()
    parser.parse(page.path.read_text(encoding="utf-8"))
    for (line, _), code, detail in parser.errors:
        yield f"is not valid HTML in line {line}: {code} {detail.get('name', '')}"


def _broken(page: Page, address: str, pages: dict[Path, Page]) -> Iterator[str]:
    parts = urlsplit(address)
    target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
    if not target.is_file():
        yield f"leads to {address}, which is not there"
    elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        yield f"leads to {address}: that page has no such place"


def _foreign(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def _addresses(css: str) -> list[str]:
    return [first or second for first, second in _CSS_ADDRESS.findall(css)]
