"""Tables of contents and links to the neighbours, generated into the notebooks.

Two cells tagged "navigation" belong to this module: one after the first cell, which holds the heading, and
the last one. After a notebook was added or renamed, or a heading changed::

    python -m fairlab.studies.notebooks.navigation
"""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from fairlab.core.errors import UserError
from fairlab.core.files import write_text
from fairlab.lab.executed import title
from fairlab.studies.notebooks.execute import notebooks_folder, select

TAG = "navigation"


def navigated(notebooks: Mapping[str, NotebookNode]) -> dict[str, NotebookNode]:
    """Return copies of the notebooks with up-to-date navigation; doing so again changes nothing.

    Parameters
    ----------
    notebooks : mapping of str to NotebookNode
        All notebooks by their names without ending, in order. The first one gets the full contents, with
        the first sentence of each.

    Raises
    ------
    UserError
        If a notebook does not begin with a heading.
    """
    plain = {name: _without_navigation(notebook) for name, notebook in notebooks.items()}
    for name, notebook in plain.items():
        if not (notebook.cells and notebook.cells[0].source.startswith("# ")):
            raise UserError(f"The notebook {name} does not begin with a heading; give it a cell '# Title'.")
    names = list(plain)
    # All texts before the first cell is put in: contents are read from notebooks without navigation.
    tops = [_contents(plain)] + [_bar(names, name) for name in names[1:]]
    bottoms = [_neighbours(plain, place) for place in range(len(names))]
    for notebook, top, bottom in zip(plain.values(), tops, bottoms, strict=True):
        notebook.cells.insert(1, _cell("nav-top", top))
        notebook.cells.append(_cell("nav-bottom", bottom))
    return plain


def read_notebooks(folder: Path) -> dict[str, NotebookNode]:
    """Read the notebooks of a folder, in their order."""
    return {path.stem: nbformat.read(path, as_version=4) for path in select(folder)}


def as_text(notebook: NotebookNode) -> str:
    """Return a notebook as it is written to its file."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def _without_navigation(notebook: NotebookNode) -> NotebookNode:
    bare = copy.deepcopy(notebook)
    bare.cells = [cell for cell in bare.cells if TAG not in cell.metadata.get("tags", ())]
    return bare


def _cell(name: str, source: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source, id=name, metadata={"tags": [TAG]})


def _contents(notebooks: Mapping[str, NotebookNode]) -> str:
    """Return a list of all notebooks, each with its first sentence; the first one is where the reader is."""
    lines = [
        f"- {_link(name, title(notebook), here=number == 0)}: {_first_sentence(notebook)}"
        for number, (name, notebook) in enumerate(notebooks.items())
    ]
    return "\n".join(lines)


def _bar(names: Sequence[str], here: str) -> str:
    """Return links to all notebooks in a line, by their short names."""
    return " | ".join(_link(name, _short(name), here=name == here) for name in names)


def _neighbours(notebooks: Mapping[str, NotebookNode], place: int) -> str:
    names = list(notebooks)
    parts = []
    if place > 0:
        parts.append(f"← Previous: {_link(names[place - 1], title(notebooks[names[place - 1]]))}")
    if place + 1 < len(names):
        parts.append(f"Next: {_link(names[place + 1], title(notebooks[names[place + 1]]))} →")
    return " | ".join(parts)


def _link(name: str, text: str, *, here: bool = False) -> str:
    return f"**{text}**" if here else f"[{text}]({name}.ipynb)"


def _short(name: str) -> str:
    """``"03_hyperplanes"`` is "3 Hyperplanes"."""
    number, _, words = name.partition("_")
    return f"{int(number)} {words.replace('_', ' ').capitalize()}"


def _first_sentence(notebook: NotebookNode) -> str:
    """Return the first sentence below the heading, on one line."""
    prose = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n|^#.*$", prose, flags=re.MULTILINE)]
    first = next((paragraph for paragraph in paragraphs if paragraph), "")
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", first)[0]


def main(folder: Path) -> None:
    """Bring the navigation of all notebooks of a folder up to date, in place."""
    for name, notebook in navigated(read_notebooks(folder)).items():
        path, text = folder / f"{name}.ipynb", as_text(notebook)
        if path.read_text(encoding="utf-8") != text:
            write_text(path, text)
            print(f"{path} has new navigation")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else notebooks_folder())
    except UserError as error:
        sys.exit(str(error))
