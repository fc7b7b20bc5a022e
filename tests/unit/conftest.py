"""Fixtures that several tests of explorers share."""

from functools import cache

import pytest
from explorers import EXPLORERS


@cache
def build(name):
    make, _ = EXPLORERS[name]
    return make()


@pytest.fixture
def explorer(name):
    """Explorer `name` as it opens; built once for all tests of a process."""
    explorer = build(name)
    explorer.reset()
    return explorer
