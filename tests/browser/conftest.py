"""One JupyterLab and one Chromium for all browser tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import require_chromium
from tests.browser.lab import CHROMIUM_ARGUMENTS, Lab


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    running = Lab()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=require_chromium(), headless=True, args=CHROMIUM_ARGUMENTS
        )
        yield chromium
        chromium.close()
