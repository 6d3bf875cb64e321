"""One JupyterLab for all browser tests, on a finished smoke run, and a fresh page for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .laboratory import OpenNotebook, browser_page, browser_path, copy_notebooks, jupyterlab

expect.set_options(timeout=20_000)  # milliseconds: machines that run tests may be slow


@pytest.fixture(scope="session")
def browser() -> str | None:
    return browser_path()


@pytest.fixture(scope="session")
def lab(browser: str | None, smoke_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a JupyterLab that serves copies of the notebooks, with the smoke preset."""
    folder = tmp_path_factory.mktemp("notebooks")
    copy_notebooks(folder, "smoke")
    with jupyterlab(folder, smoke_home) as address:
        yield address


@pytest.fixture
def page(browser: str | None) -> Iterator[Page]:
    with browser_page(browser) as page:
        yield page


@pytest.fixture
def open_notebook(lab: str, page: Page) -> Callable[[str], OpenNotebook]:
    """Return a function that opens a notebook by name and runs all of it."""

    def opened(name: str) -> OpenNotebook:
        notebook = OpenNotebook(page, lab, name)
        notebook.run_all()
        return notebook

    return opened
