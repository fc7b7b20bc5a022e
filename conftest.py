"""What every test run needs: a learner's state of its own, and nbval that compares text only."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Kinds of output that nbval 0.11 would compare, and that the built copies do not store.
NOT_COMPARED = (
    "stderr",
    "text/html",
    "text/latex",
    "text/markdown",
    "image/svg+xml",
    "application/javascript",
    "application/vnd.jupyter.widget-view+json",
    "application/vnd.jupyter.widget-state+json",
)
_STATE = "COURSE_DATA_DIR"


def pytest_configure(config: pytest.Config) -> None:
    """Give the session a learner's state of its own: no test reads or writes a person's."""
    folder = tempfile.TemporaryDirectory(prefix="course-tests-", ignore_cleanup_errors=True)
    before = os.environ.get(_STATE)
    os.environ[_STATE] = folder.name
    config.stash[_FOLDER] = Path(folder.name)

    def restore() -> None:
        folder.cleanup()
        os.environ.pop(_STATE, None) if before is None else os.environ.update({_STATE: before})

    config.add_cleanup(restore)


_FOLDER = pytest.StashKey[Path]()


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Tell nbval which kinds of output not to compare."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += NOT_COMPARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep our rule that warnings are errors out of nbval's own code, which it does not bind.

    What a lesson's cell warns of goes to the kernel's stderr. The builder refuses it there.
    """
    for item in items:
        if hasattr(item.parent, "skip_compare"):
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Start each notebook's kernel as a new learner: no lesson sees another one's predictions."""
    notebook = item.parent
    if not hasattr(notebook, "skip_compare"):
        return (yield)
    folder = item.config.stash[_FOLDER] / "-".join(notebook.path.parts[-2:])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(_STATE, str(folder))
        return (yield)
