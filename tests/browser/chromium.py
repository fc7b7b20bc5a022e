"""Find a Chromium for the browser tests, or install one where that takes no question.

`python -m tests.browser.chromium` prints the path of the browser. Where there is none it
installs Debian's or Ubuntu's own package, as root or with a sudo that asks for no password.
Otherwise it ends with exit code 1 and the one command to type.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
MAC_APPS = (
    "Chromium.app/Contents/MacOS/Chromium",
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
WINDOWS_APPS = (
    "Chromium/Application/chrome.exe",
    "Google/Chrome/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
)
# A page without fonts is a page of boxes, so fonts come with it.
PACKAGES = ("chromium", "fonts-liberation")
INSTALL_SECONDS = 900


def find_chromium(
    environ: Mapping[str, str] = os.environ, platform: str = sys.platform
) -> str | None:
    """Return the path of a Chromium or Chrome, or None.

    The environment variable CHROMIUM comes first. It must name a program that exists: a wrong
    one is a ValueError, since quietly taking another browser would hide the mistake.
    """
    chosen = environ.get("CHROMIUM", "")
    if chosen:
        found = shutil.which(chosen, path=environ.get("PATH"))
        if found is None:
            raise ValueError(f"CHROMIUM must name a browser that can be run, got {chosen!r}")
        return found
    for name in NAMES:
        found = shutil.which(name, path=environ.get("PATH"))
        if found is not None:
            return found
    for place in _usual_places(environ, platform):
        if place.is_file():
            return str(place)
    return None


def _usual_places(environ: Mapping[str, str], platform: str) -> list[Path]:
    if platform == "darwin":
        folders = [Path("/Applications"), Path(environ.get("HOME", "~")) / "Applications"]
        return [folder / app for app in MAC_APPS for folder in folders]
    if platform == "win32":
        folders = [Path(environ[name]) for name in WINDOWS_FOLDERS if environ.get(name)]
        return [folder / app for app in WINDOWS_APPS for folder in folders]
    return [Path("/snap/bin/chromium")] if platform == "linux" else []


def how_to_install(platform: str = sys.platform, apt: bool | None = None) -> str:
    """Return the one command that a person would type on this kind of machine."""
    if platform == "darwin":
        return "brew install --cask google-chrome"
    if platform == "win32":
        return "winget install Google.Chrome"
    if apt if apt is not None else shutil.which("apt-get"):
        return "sudo apt-get install -y chromium"
    return "CHROMIUM=/path/to/chrome make browser"


def require_chromium() -> str:
    """Return the path of a Chromium or Chrome; a RuntimeError says what to type."""
    found = find_chromium()
    if found is None:
        raise RuntimeError(
            "The browser tests need Chromium or Chrome, and none was found. "
            f"Type: {how_to_install()}"
        )
    return found


def install_chromium() -> bool:
    """Install Chromium by apt where that needs no password; say whether it worked."""
    prefix = _root_prefix()
    if prefix is None or shutil.which("apt-get") is None:
        return False
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        command = [*prefix, "apt-get", "-q", *arguments]
        print("+", " ".join(command), file=sys.stderr, flush=True)
        run = subprocess.run(
            command, env=environ, check=False, stdout=sys.stderr, timeout=INSTALL_SECONDS
        )
        # A stale list often still installs: only the last step decides.
    return run.returncode == 0


def _root_prefix() -> list[str] | None:
    """Return what turns a command into root's: nothing, sudo, or None where neither works."""
    if not hasattr(os, "geteuid"):
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    quiet = subprocess.run([sudo, "-n", "true"], check=False, capture_output=True)
    return [sudo, "-n"] if quiet.returncode == 0 else None


def main() -> int:
    """Find or install, print the path, and return the exit code."""
    try:
        if find_chromium() is None:
            install_chromium()
        print(require_chromium())
    except (RuntimeError, ValueError, subprocess.TimeoutExpired) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
