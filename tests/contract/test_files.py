"""No file of the repository says what only one machine or one session knows."""

import pytest

from tests.tracked import tracked_files
from utils import ROOT
from utils.authoring.rules_content import broken_links, forbidden


def texts():
    for path in tracked_files():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_no_machine_path_and_no_unfinished_note():
    found = [
        f"{path.relative_to(ROOT)}, {fault}" for path, text in texts() for fault in forbidden(text)
    ]
    assert not found, "\n".join(["", *found])


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_links_of_the_documents_resolve():
    found = [
        f"{path.relative_to(ROOT)}: {fault}"
        for path, text in texts()
        if path.suffix == ".md"
        for fault in broken_links(text, path, ROOT)
    ]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(
    "text",
    [
        "/" + "home/ann/course",
        "/" + "work/main",
        "C:" + "\\Users\\ann",
        "# TO" + "DO: more",
        "../shar" + "ed/NOTES.md",
    ],
)
def test_the_search_finds_what_it_looks_for(text):
    assert len(forbidden(f"fine\n{text}\nfine")) == 1
