"""The lessons of the course, parsed once and never run."""

import pytest

from utils import ROOT
from utils.authoring.builder import Registers, read_sources, registers
from utils.authoring.lesson import Lesson, read_lesson


@pytest.fixture(scope="session")
def known() -> Registers:
    return registers()


@pytest.fixture(scope="session")
def lessons(known) -> dict[str, Lesson]:
    """Name -> lesson; a lesson without its copies is left to the test of the build."""
    exercises = tuple(known.exercises.values())
    return {
        source.name: read_lesson(ROOT, source, exercises)
        for source in read_sources(ROOT)
        if (ROOT / "notebooks" / f"{source.name}.ipynb").is_file()
        and (ROOT / "solutions" / f"{source.name}.ipynb").is_file()
    }
