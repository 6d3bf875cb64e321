"""Pages of executed notebooks for readers without Jupyter, and their index.

Nothing is fetched from elsewhere and no script runs; widgets show the picture that they left behind.
"""

from __future__ import annotations

import copy
import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import nbformat
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from fairlab.core.files import write_text
from fairlab.lab.executed import VIEW, results, title
from fairlab.studies.notebooks.formulas import typeset

LARGE_MEGABYTES = 2  # slow to open, and too much to pass on by mail

INDEX = "index.html"
FAILED = ".failed"  # ends the name of what a failed notebook left behind

#: What a page shows of an output, best first: neither widgets nor scripts.
SHOWN = ("text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/latex", "text/plain")


@dataclass(frozen=True)
class Entry:
    """What the index says of one executed notebook.

    Attributes
    ----------
    name : str
        File name without ending.
    title : str
    seconds, megabytes : float
    parameters : dict
        As passed to the notebook.
    results : dict
        See `fairlab.lab.executed.results`.
    """

    name: str
    title: str
    seconds: float
    megabytes: float
    parameters: Mapping[str, Any]
    results: Mapping[str, Mapping[str, Any]]

    @property
    def is_large(self) -> bool:
        """Whether the file is so large that readers should know."""
        return self.megabytes > LARGE_MEGABYTES

    def own(self, common: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters that are not among the common ones."""
        return {name: value for name, value in self.parameters.items() if name not in common}

    @classmethod
    def of(cls, path: Path) -> Entry:
        """Read what the index says out of an executed notebook."""
        notebook = nbformat.read(path, as_version=4)
        ran = notebook.metadata.get("papermill", {})
        return cls(
            path.stem,
            title(notebook) or path.stem,
            ran.get("duration") or 0.0,
            path.stat().st_size / 1e6,
            ran.get("parameters", {}),
            results(notebook),
        )


def write_page(path: Path, notebook: NotebookNode) -> None:
    """Write an executed notebook as one HTML file that needs nothing else."""
    write_text(path, to_html(notebook, path.stem))


def to_html(notebook: NotebookNode, name: str) -> str:
    """Return an executed notebook as one HTML page.

    Parameters
    ----------
    notebook : NotebookNode
        It is not changed.
    name : str
        Title of a notebook without heading.
    """
    exporter = HTMLExporter(
        config=Config(NbConvertBase={"display_data_priority": list(SHOWN)}),
        raw_template=_text("page.html.j2"),
    )
    resources = {"metadata": {"name": title(notebook) or name}, "style": _style()}
    page, _ = exporter.from_notebook_node(_for_paper(notebook), resources)
    return str(page)


def _for_paper(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without what needs a kernel: widgets' state, and widgets that left no picture."""
    paper = copy.deepcopy(notebook)
    paper.metadata.pop("widgets", None)
    for cell in paper.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _is_shown(output)]
        else:
            cell.source = typeset(_page_links(cell.source))
    return paper


def _is_shown(output: NotebookNode) -> bool:
    data = output.get("data")
    if data is None:
        return True
    # A widget's text/plain is its class and settings, and a progress bar's is what it was at its start.
    return "text/html" in data if VIEW in data else any(kind in data for kind in SHOWN)


def _page_links(markdown: str) -> str:
    """Let links between notebooks lead to their pages."""
    return re.sub(r"""(?<=[("'])(?:\./)?(\d\d_\w+)\.ipynb(?=[#)"'])""", r"\1.html", markdown)


def write_index(folder: Path) -> None:
    """Write ``index.html``, which lists the executed notebooks of a folder and what they recorded."""
    notebooks = sorted(folder.glob("[0-9]*.ipynb"))
    entries = [Entry.of(path) for path in notebooks if not path.stem.endswith(FAILED)]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fairlab", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["number"] = _number
    page = environment.get_template("studies/notebooks/index.html.j2").render(
        run=folder.parent.name,
        entries=entries,
        failed=[path for path in notebooks if path.stem.endswith(FAILED)],
        common=_common([entry.parameters for entry in entries]),
        large=LARGE_MEGABYTES,
        style=Markup(_style()),
    )
    write_text(folder / INDEX, page)


def _common(parameters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the parameters on which all that have them agree."""
    union = {name: value for given in parameters for name, value in given.items()}
    return {n: v for n, v in union.items() if all(given.get(n, v) == v for given in parameters)}


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return "n/a"
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 10 else f"{value:.3f}"


def plain_text(markup: str) -> str:
    """Return the text of an HTML fragment."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).strip()


def _style() -> str:
    return _text("page.css") + HtmlFormatter(style="tango").get_style_defs(".highlight")


def _text(name: str) -> str:
    return files("fairlab.studies.notebooks").joinpath(name).read_text(encoding="utf-8")
