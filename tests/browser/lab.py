"""A throw-away JupyterLab on a copy of the course, and a page that drives it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page

from tests.tracked import tracked_files
from utils import ROOT

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

KERNEL_IS_IDLE = """() => {
  const widget = window.jupyterapp && window.jupyterapp.shell.currentWidget;
  const session = widget && widget.sessionContext && widget.sessionContext.session;
  return session && session.kernel && session.kernel.status === 'idle';
}"""

ALL_CELLS_DONE = """() => {
  const panel = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
  const prompts = [...panel.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
  return prompts.length > 0 && !prompts.some(prompt => prompt.textContent.includes('*'));
}"""

# The accessible name of what has the focus.
FOCUSED_NAME = """() => {
  const e = document.activeElement;
  return e.getAttribute('aria-label') ||
    (e.labels && e.labels[0] ? e.labels[0].textContent : e.textContent);
}"""

# Resolves with the milliseconds until the picture in the element is another one, and is painted.
NEXT_PICTURE = """(root) => new Promise((resolve, reject) => {
  const source = () => { const image = root.querySelector('img'); return image && image.src; };
  const before = source(), start = performance.now();
  let blank = 0;
  const look = () => {
    const image = root.querySelector('img');
    if (!image || !image.complete || image.naturalWidth === 0) { blank += 1; }
    else if (image.src !== before) {
      return requestAnimationFrame(() => resolve({ms: performance.now() - start, blank}));
    }
    if (performance.now() - start > 10000) { return reject(new Error('same picture')); }
    requestAnimationFrame(look);
  };
  look();
})"""


class Lab:
    """JupyterLab on a copy of the course: own folders, own token, loopback only."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="course-lab-"))
        self.course = self.home / "course"
        self._copy_course()
        self.token = secrets.token_hex(16)
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._start()

    def _copy_course(self) -> None:
        """Copy what git would hand to a newcomer, with today's changes."""
        for source in tracked_files():
            target = self.course / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)

    def _start(self) -> None:
        settings = self.home / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
        # Every cell in the page at once, so that a test sees outputs below the fold.
        notebook = self.home / "settings" / "@jupyterlab" / "notebook-extension"
        notebook.mkdir()
        (notebook / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))
        _leave_out_nbgrader(self.home / "config")
        folders = {
            "HOME": self.home,
            "IPYTHONDIR": self.home / "ipython",
            "MPLCONFIGDIR": self.home / "matplotlib",
            "JUPYTER_CONFIG_DIR": self.home / "config",
            "JUPYTER_DATA_DIR": self.home / "data",
            "JUPYTER_RUNTIME_DIR": self.home / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": self.home / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": self.home / "workspaces",
            "COURSE_DATA_DIR": self.home / "learner",
            "PYTHONPATH": self.course,
        }
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
        command += [
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.course}",
            f"--IdentityProvider.token={self.token}",
            "--LabApp.expose_app_in_browser=True",
        ]
        self._log = (self.home / "server.log").open("w")
        self._process = subprocess.Popen(
            command,
            cwd=self.course,
            env=os.environ | {name: str(folder) for name, folder in folders.items()},
            stdout=self._log,
            stderr=self._log,
        )
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.address}/api/status?token={self.token}", timeout=5)
                return
            time.sleep(0.2)
        log = (self.home / "server.log").read_text()[-3000:]
        self.stop()
        raise RuntimeError(f"JupyterLab did not start:\n{log}")

    def stop(self) -> None:
        """Stop the server and its kernels, and remove the copy."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def open(self, browser: Browser, notebook: str, *, height: int = 1000) -> Lesson:
        """Open a notebook and wait until its kernel answers."""
        page = browser.new_page(viewport={"width": 1280, "height": height})
        lesson = Lesson(page=page, address=self.address)
        page.on("pageerror", lambda error: lesson.errors.append(str(error)))
        page.on(
            "console",
            lambda message: (
                lesson.errors.append(f"{message.text} {message.location['url']}")
                if message.type == "error"
                else None
            ),
        )
        page.on("request", lambda request: lesson.requests.append(request.url))
        page.goto(f"{self.address}/lab/tree/{notebook}?token={self.token}&reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
        page.wait_for_function(KERNEL_IS_IDLE, timeout=90_000)
        return lesson


@dataclass
class Lesson:
    """A notebook that is open in the browser."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def command(self, name: str) -> None:
        """Run a command of JupyterLab and wait until every cell is done."""
        self.page.evaluate(
            "async (name) => { await window.jupyterapp.commands.execute(name); }", name
        )
        self.page.wait_for_function(ALL_CELLS_DONE, timeout=180_000)

    def run_all(self) -> None:
        """Run every cell, and scroll through the notebook so that each is drawn."""
        self.command("notebook:run-all-cells")

    def outputs(self, kind: str) -> list[str]:
        """Return the texts of the outputs of a mime type, such as an error."""
        found = self.page.locator(f".jp-OutputArea-output[data-mime-type='{kind}']")
        return found.all_inner_texts()

    def left_the_machine(self) -> list[str]:
        """Return the addresses that were asked for outside this machine."""
        here = (self.address, self.address.replace("http", "ws"), "data:", "blob:", "about:")
        return [url for url in self.requests if not url.startswith(here)]

    def cell(self, code: str) -> Locator:
        """Return the code cell whose source holds a text."""
        cell = self.page.locator(
            ".jp-CodeCell", has=self.page.locator(".cm-content", has_text=code)
        )
        return cell.first

    def execute(self, cell: Locator, source: str | None = None) -> None:
        """Run one cell, after typing a new source into it where one is given."""
        editor = cell.locator(".cm-content")
        editor.scroll_into_view_if_needed()
        editor.click()
        if source is not None:
            self.page.keyboard.press("Control+a")
            self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_timeout(150)
        self.page.wait_for_function(ALL_CELLS_DONE, timeout=60_000)


def _leave_out_nbgrader(config: Path) -> None:
    """Show JupyterLab as learners have it: the tests' environment has the instructor's tools."""
    parts = ("formgrader", "validate_assignment", "assignment_list", "course_list")
    off = {f"nbgrader.server_extensions.{part}": False for part in parts}
    (config / "labconfig").mkdir(parents=True)
    server = {"ServerApp": {"jpserver_extensions": off}}
    (config / "jupyter_server_config.json").write_text(json.dumps(server))
    lab = {"disabledExtensions": {"@jupyter/nbgrader": True}}
    (config / "labconfig" / "page_config.json").write_text(json.dumps(lab))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
