import os

import pytest

from tests.browser import chromium
from tests.browser.chromium import find_chromium, how_to_install, main, require_chromium


def program(folder, name):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def nowhere(monkeypatch):
    """Make this a machine without a browser and without a way to get one."""
    monkeypatch.setattr(chromium, "find_chromium", lambda: None)
    monkeypatch.setattr(chromium, "_root_prefix", lambda: None)


def test_chromium_variable_comes_first(tmp_path):
    chosen, other = program(tmp_path / "a", "my-browser"), program(tmp_path / "b", "chromium")
    environ = {"CHROMIUM": chosen, "PATH": str(tmp_path / "b")}
    assert find_chromium(environ) == chosen
    assert find_chromium({"PATH": str(tmp_path / "b")}) == other
    assert find_chromium({**environ, "CHROMIUM": ""}) == other


def test_a_wrong_chromium_variable_is_refused(tmp_path):
    program(tmp_path, "chromium")
    with pytest.raises(ValueError, match=r"CHROMIUM must name a browser .* got '/no/such'"):
        find_chromium({"CHROMIUM": "/no/such", "PATH": str(tmp_path)})


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_names_on_the_path(tmp_path, name):
    assert find_chromium({"PATH": str(tmp_path)}, platform="none") is None
    expected = program(tmp_path, name)
    assert find_chromium({"PATH": str(tmp_path)}, platform="none") == expected


def test_usual_places_of_macos_and_windows(tmp_path):
    empty = {"PATH": str(tmp_path / "empty"), "HOME": str(tmp_path / "me")}
    mac = program(
        tmp_path / "me" / "Applications",
        "Google Chrome.app/Contents/MacOS/Google Chrome",
    )
    windows = program(tmp_path / "Program Files", "Google/Chrome/Application/chrome.exe")
    assert find_chromium(empty, platform="darwin") in {
        mac,
        *(f"/Applications/{app}" for app in chromium.MAC_APPS),
    }
    assert (
        find_chromium({**empty, "PROGRAMFILES": str(tmp_path / "Program Files")}, platform="win32")
        == windows
    )
    assert find_chromium(empty, platform="win32") is None


@pytest.mark.parametrize(
    ("platform", "apt", "command"),
    [
        ("darwin", False, "brew install --cask google-chrome"),
        ("win32", False, "winget install Google.Chrome"),
        ("linux", True, "sudo apt-get install -y chromium"),
        ("linux", False, "CHROMIUM=/path/to/chrome make browser"),
    ],
)
def test_one_command_to_type(platform, apt, command):
    assert how_to_install(platform, apt) == command


def test_without_a_browser_the_command_fails_and_says_what_to_type(nowhere, capsys):
    assert main() == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip().endswith(f"Type: {how_to_install()}")
    with pytest.raises(RuntimeError, match="none was found"):
        require_chromium()


def test_a_browser_that_is_there_is_printed(monkeypatch, tmp_path, capsys):
    path = program(tmp_path, "chromium")
    monkeypatch.setattr(chromium, "find_chromium", lambda: path)
    monkeypatch.setattr(chromium, "install_chromium", lambda: pytest.fail("no need to install"))
    assert main() == 0
    assert capsys.readouterr().out.strip() == path


def test_apt_is_called_as_root_only_where_no_password_is_asked(monkeypatch):
    called = []

    class Done:
        returncode = 0

    def run(command, **_):
        called.append(command)
        return Done()

    monkeypatch.setattr(chromium.subprocess, "run", run)
    monkeypatch.setattr(chromium.shutil, "which", lambda name, path=None: f"/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    assert chromium.install_chromium()
    assert called[0] == ["/bin/sudo", "-n", "true"]
    assert called[-1][:3] == ["/bin/sudo", "-n", "apt-get"]
    assert "chromium" in called[-1]
    Done.returncode = 1
    called.clear()
    assert not chromium.install_chromium()
    assert called == [["/bin/sudo", "-n", "true"]]
