"""A real JupyterLab, and a page of it in a headless browser."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, Page, sync_playwright

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Chromium asks its makers for updates at every start; a test needs nothing from outside.
FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
#: All cells stay in the page, so that tests find what is below the window.
SETTINGS: dict[str, dict[str, object]] = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
PATIENCE = 180_000  # milliseconds


def browser_path() -> str | None:
    """Return an installed browser, or None for playwright's own; skip the tests where neither is there."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path).exists()
    if not (found or own):
        reason = "no Chromium here: install it (apt-get install chromium, or playwright install chromium)"
        if os.environ.get("FAIRLAB_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def copy_notebooks(folder: Path, preset: str) -> None:
    """Copy the notebooks with another preset, so that a page that saves does not touch the originals."""
    for path in NOTEBOOKS.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if "parameters" in cell.metadata.get("tags", []):
                assert 'preset = "quick"' in cell.source
                cell.source = cell.source.replace('preset = "quick"', f'preset = "{preset}"')
        nbformat.write(notebook, folder / path.name)


@contextmanager
def jupyterlab(folder: Path, home: Path) -> Iterator[str]:
    """Serve `folder` in a JupyterLab of its own, with runs in `home`; yields its address."""
    scratch = folder / ".jupyter"
    for name, settings in SETTINGS.items():
        path = scratch / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "FAIRLAB_HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(scratch / "config"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(scratch / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(scratch / "workspaces"),
    }
    options = ["--no-browser", "--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    with open(folder / "jupyter.log", "w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, server, folder / "jupyter.log")
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/api/status", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(log.read_text())


def picture_bytes(image: Locator) -> bytes:
    """Return the encoded picture that an <img> shows."""
    script = """async (image) => {
        const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
        return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    }"""
    return bytes.fromhex(image.evaluate(script))


def wait_for_picture(image: Locator, is_the_one: Callable[[bytes], bool]) -> bytes:
    """Return what an <img> shows once it is the picture waited for: words may arrive before it."""
    for _ in range(200):
        if is_the_one(shown := picture_bytes(image)):
            return shown
        image.page.wait_for_timeout(50)
    raise AssertionError("The picture that was waited for has not come within ten seconds.")


class OpenNotebook:
    """One notebook in a fresh workspace of JupyterLab.

    Attributes
    ----------
    page : Page
    complaints : list of str
        Errors on the page's console so far.
    """

    def __init__(self, page: Page, address: str, name: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE / 6)
        page.on("console", lambda message: self._hear(message))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        workspace = f"test-{name[:2]}-{time.monotonic_ns()}"
        page.goto(f"{address}/lab/workspaces/{workspace}/tree/{name}?reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        # The notebook's own indicator says "idle" before there is a kernel; the status bar does not.
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=PATIENCE)

    def run_all(self) -> None:
        """Run all cells, as the menu does, and wait for the last one."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        done = """() => {
            const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
            // The prompts of cells with hidden source are empty.
            const done = (prompt) => /^(\\[\\d+\\]:)?$/.test(prompt.textContent);
            return prompts.length > 0 && prompts.every(done);
        }"""
        self.page.wait_for_function(done, timeout=PATIENCE)
        self.wait_until_idle()
        assert (
            self.page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count()
            == 0
        )

    def widget(self, containing: str) -> Locator:
        """Return the outermost widget on the page that has a given text in it."""
        found = self.page.locator(".jp-OutputArea-output .widget-vbox").filter(has_text=containing).first
        found.scroll_into_view_if_needed()
        return found

    def slider(self, widget: Locator, description: str) -> Locator:
        """Return the handle of the slider with a given description."""
        return widget.locator(".widget-slider").filter(has_text=description).get_by_role("slider").first

    def execute(self, code: str) -> None:
        """Run code in a new cell below the first code cell."""
        self.page.locator(".jp-CodeCell .jp-InputPrompt").first.click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Shift+Enter")
        self.page.wait_for_timeout(200)
        self.wait_until_idle()
        assert self.page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")


@contextmanager
def browser_page(executable: str | None) -> Iterator[Page]:
    """Yield a page of a headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser.new_page(viewport={"width": 1280, "height": 1000})
        finally:
            browser.close()
