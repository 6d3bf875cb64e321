"""Results, outputs and widgets of an executed notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a type alone: the library takes a second to import, and every run would wait for it
    from nbformat import NotebookNode

RESULT = "application/vnd.fairlab.result+json"
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


def results(notebook: NotebookNode) -> dict[str, dict[str, Any]]:
    """Return the results that an executed notebook recorded.

    Parameters
    ----------
    notebook : NotebookNode

    Returns
    -------
    dict of str to dict
        By name: "value", and "low", "high" and "n", which are None where they do not apply. A name recorded
        twice has its last value.
    """
    found = [output["data"][RESULT] for output in outputs(notebook) if RESULT in output.get("data", {})]
    return {r["name"]: {key: r.get(key) for key in ("value", "low", "high", "n")} for r in found}


def outputs(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the outputs of all cells."""
    for cell in notebook.cells:
        yield from cell.get("outputs", ())


def widget_states(notebook: NotebookNode) -> dict[str, Mapping[str, Any]]:
    """Return the state of each widget, by the name of its model."""
    models = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    return {name: model["state"] for name, model in models.items()}


def title(notebook: NotebookNode) -> str:
    """Return the first heading, without its signs; empty if there is none."""
    for cell in notebook.cells:
        heading = re.search(r"^#+ +(.+)$", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and heading:
            return heading[1].strip()
    return ""
