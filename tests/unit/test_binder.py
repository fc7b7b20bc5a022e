"""What Binder would build, read off the recipe that repo2docker renders without Docker."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from utils import ROOT

# What decides the image. Content does not, and Binder copies all of it.
FILES = (
    ".python-version",
    "LICENSE",
    "LICENSE-TEXT",
    "README.md",
    "environment.yml",
    "pyproject.toml",
    "requirements.in",
    "requirements-dev.in",
    "requirements-instructor.in",
    "requirements.txt",
)
OPTIONAL = ("apt.txt", "binder", ".binder", "postBuild", "runtime.txt", "setup.py", "start")


# Binder's default user; without Docker, nothing here may need a running engine.
COMMAND = [sys.executable, "-m", "repo2docker", "--no-build", "--debug"]
USER = ["--user-name", "learner", "--user-id", "1000"]


def render(folder):
    """Return the Dockerfile that repo2docker renders, with its log."""
    nowhere = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    run = subprocess.run(
        [*COMMAND, *USER, "."],
        cwd=folder,
        env=nowhere,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    return said


def copy_of_the_course(folder):
    """Copy what repo2docker looks at into a new folder with another name."""
    folder.mkdir()
    for name in (*FILES, *OPTIONAL):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif name in FILES or source.exists():
            shutil.copy2(source, folder / name)
    (folder / "utils").mkdir()
    shutil.copy2(ROOT / "utils" / "__init__.py", folder / "utils")
    return folder


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    return render(copy_of_the_course(tmp_path_factory.mktemp("binder") / "another name"))


def test_python_is_the_one_of_the_course(rendered):
    chosen = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    assert chosen == "3.13"
    assert "Building conda environment for python=3.13" in rendered
    # File names in the recipe are escaped: "-2e" is a dot and "-2d" a hyphen.
    (base,) = re.findall(r"^COPY .*environment-2epy.* /tmp/env/environment\.lock$", rendered, re.M)
    assert "environment-2epy-2d3-2e13-2d" in base


def test_environment_yml_is_what_is_installed(rendered):
    (update,) = re.findall(r"\$\{MAMBA_EXE\} env update .*", rendered)
    assert update.startswith(
        '${MAMBA_EXE} env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"'
    )
    # Nothing else installs: no requirements file taken by itself, no second environment.
    assert "pip install" not in rendered
    assert rendered.count("env update") == 1


def test_editable_install_finds_the_course(rendered):
    # pip reads `-r requirements.txt` and `-e .` of environment.yml in the folder of the course,
    # so the course must have been copied there before, and the user must be allowed to write.
    copied = rendered.index("COPY --chown=1000:1000 src/ ${REPO_DIR}/")
    installed = rendered.index("env update")
    assert rendered.index("WORKDIR ${REPO_DIR}") < copied < installed
    assert "WORKDIR" not in rendered[copied:]
    assert "USER ${NB_USER}" in rendered[copied:installed]
    environment = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert re.search(r"^ +- -r requirements\.txt\n +- -e \.$", environment, re.M)


def test_a_binder_folder_would_be_noticed(tmp_path):
    # The trap that these tests are for: such a folder silently hides environment.yml.
    folder = copy_of_the_course(tmp_path / "trap")
    (folder / "binder").mkdir(exist_ok=True)
    (folder / "binder" / "environment.yml").unlink(missing_ok=True)
    said = render(folder)
    assert 'env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"' not in said
    assert "Building conda environment for python=3.13" not in said
