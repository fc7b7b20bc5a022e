"""One Chromium for all tests of the site."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import require_chromium
from tests.browser.lab import CHROMIUM_ARGUMENTS


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=require_chromium(), headless=True, args=CHROMIUM_ARGUMENTS
        )
        yield chromium
        chromium.close()
