"""Fixtures that several tests of explorers share."""

import pytest
from explorers import EXPLORERS


@pytest.fixture(scope="module")
def built():
    return {name: make() for name, (make, _) in EXPLORERS.items()}


@pytest.fixture
def explorer(built, name):
    built[name].reset()
    return built[name]
