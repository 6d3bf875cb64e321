"""Tiny notebooks that tests write."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode

PARAMETERS = 'preset = "quick"\nseeds = None\nhome = None'


def markdown(source: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source)


def code(source: str, *tags: str) -> NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def notebook(*cells: NotebookNode, heading: str = "# A heading\n\nA sentence.") -> NotebookNode:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    first = [markdown(heading), code(PARAMETERS, "parameters")]
    return nbformat.v4.new_notebook(cells=[*first, *cells], metadata={"kernelspec": kernel})


def write(path: Path, *cells: NotebookNode, heading: str = "# A heading\n\nA sentence.") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook(*cells, heading=heading), path)
    return path
