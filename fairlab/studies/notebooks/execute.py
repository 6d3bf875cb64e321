"""Execution of the notebooks without a browser, with the errors that papermill does not see.

Each notebook gets a kernel of its own. Its executed copy appears whole or not at all, with a page for readers
without Jupyter beside it.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from tqdm.auto import tqdm
from traitlets.config import Config

from fairlab.core.errors import UserError, nearest_names
from fairlab.core.files import write_text
from fairlab.lab.executed import VIEW, results, widget_states
from fairlab.lab.panel import ERROR_CLASS
from fairlab.studies.notebooks.page import FAILED, INDEX, plain_text, write_index, write_page

__all__ = ["hidden_errors", "notebooks_folder", "results", "run_notebooks", "select"]

STARTUP_SECONDS = 300  # a kernel on a busy machine
SENTENCE_LETTERS = 400
SOCKET_LETTERS = 70  # systems allow about a hundred for a socket's whole path


def notebooks_folder() -> Path:
    """Return the folder of the notebooks, in an installed package or in a source checkout."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "notebooks"
    return installed if installed.is_dir() else package.parent / "notebooks"


def run_notebooks(
    folder: Path, parameters: Mapping[str, Any], *, only: Sequence[str] = (), source: Path | None = None
) -> Path:
    """Execute notebooks in their order; write the executed copies, their pages and an index.

    Parameters
    ----------
    folder : Path
        Where the results go; also the kernels' working folder, so paths among the parameters are best
        absolute.
    parameters : mapping
        Values for the cells tagged "parameters"; a notebook gets those that it has.
    only : sequence of str
        Beginnings of names ("03", "03_hyperplanes"); all notebooks when empty.
    source : Path, optional
        Folder of the notebooks; by default FairLab's own.

    Returns
    -------
    Path
        The index, ``index.html``.

    Raises
    ------
    UserError
        If `only` or a parameter names nothing, or if a notebook fails: in a cell, or inside a widget.
    """
    folder = Path(folder).resolve()
    notebooks = select(notebooks_folder() if source is None else source, only)
    accepted = _accepted(notebooks, parameters)
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in tqdm(notebooks, desc="Notebooks", unit="notebook"):
        try:
            executed = _execute(notebook, folder, accepted[notebook.stem])
            write_page(folder / f"{notebook.stem}.html", executed)
        finally:
            write_index(folder)  # after each one: those that are done can be read, whatever comes
    return folder / INDEX


def select(source: Path, only: Sequence[str] = ()) -> list[Path]:
    """Return the notebooks whose names begin with one of `only`, or all, in the order of their numbers.

    Raises
    ------
    UserError
        If there are no notebooks, or if one of `only` fits none.
    """
    notebooks = sorted(Path(source).glob("[0-9]*.ipynb"))
    if not notebooks:
        raise UserError(
            f"There are no notebooks in {source}; install FairLab again, or clone its repository."
        )
    for beginning in only:
        if not any(_begins(notebook, beginning) for notebook in notebooks):
            names = ", ".join(notebook.stem for notebook in notebooks)
            raise UserError(f"No notebook's name begins with '{beginning}'; choose from {names}.")
    return [n for n in notebooks if not only or any(_begins(n, beginning) for beginning in only)]


def _begins(notebook: Path, beginning: str) -> bool:
    return bool(beginning) and notebook.stem.startswith(beginning.removesuffix(".ipynb"))


def _accepted(notebooks: Sequence[Path], parameters: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters that each notebook has; papermill would only warn of one that none has."""
    known = {notebook.stem: papermill.inspect_notebook(notebook) for notebook in notebooks}
    names = list(dict.fromkeys(name for own in known.values() for name in own))
    for name in parameters:
        if name not in names:
            what = "The notebook has" if len(notebooks) == 1 else "The notebooks have"
            raise UserError(f"{what} no parameter '{name}'; {nearest_names(name, names)}")
    return {stem: {n: v for n, v in parameters.items() if n in own} for stem, own in known.items()}


def _execute(notebook: Path, folder: Path, parameters: Mapping[str, Any]) -> NotebookNode:
    """Execute one notebook into `folder`; what it had done when it failed is kept under another name."""
    partial = folder / f".{notebook.stem}.partial.ipynb"
    failed = folder / f"{notebook.stem}{FAILED}.ipynb"
    try:
        complaint = _attempt(notebook, partial, parameters)
        executed = _without_paths(nbformat.read(partial, as_version=4), notebook.name)
    finally:
        partial.unlink(missing_ok=True)
    write_text(failed if complaint else folder / notebook.name, nbformat.writes(executed) + "\n")
    if complaint:
        raise UserError(
            f"The notebook {notebook.stem} failed {complaint}; what it had done by then is in {failed}"
        )
    failed.unlink(missing_ok=True)
    return executed


def _attempt(notebook: Path, output: Path, parameters: Mapping[str, Any]) -> str:
    """Execute a notebook into `output`; return where and how it failed, or nothing."""
    try:
        with _private_channel() as channel:
            executed = papermill.execute_notebook(
                notebook,
                output,
                dict(parameters),
                cwd=output.parent,
                start_timeout=STARTUP_SECONDS,
                progress_bar={"desc": notebook.stem, "leave": False},
                config=channel,
            )
    except PapermillExecutionError as error:
        return f"in cell [{error.exec_count}]: {_exception_sentence(error.ename, error.evalue)}"
    except DeadKernelError:
        return "because its kernel died, most often for want of memory (a smaller preset needs less)"
    return "; ".join(hidden_errors(executed))


@contextmanager
def _private_channel() -> Iterator[Config]:
    """Let the kernel be spoken to over sockets of this user, not over TCP, which others could listen to."""
    if os.name != "posix" or len(tempfile.gettempdir()) > SOCKET_LETTERS:
        yield Config()
        return
    with tempfile.TemporaryDirectory(prefix="fairlab-") as folder:
        yield Config(KernelManager={"transport": "ipc", "ip": str(Path(folder) / "kernel")})


def _without_paths(notebook: NotebookNode, name: str) -> NotebookNode:
    """Take out where the notebook was on this machine: executed copies are passed on."""
    notebook.metadata.papermill.update(input_path=name, output_path=name)
    return notebook


def hidden_errors(notebook: NotebookNode) -> list[str]:
    """Return what went wrong inside widgets, where an exception does not stop a notebook.

    Parameters
    ----------
    notebook : NotebookNode
        An executed notebook with its widgets' state.

    Returns
    -------
    list of str
        One clause for each error, with the cell that shows the widget when that is known.
    """
    states = widget_states(notebook)
    cells = _cells_of_widgets(notebook, states)
    return [
        f"in a widget of cell [{cells[name]}]: {error}" if name in cells else f"in a widget: {error}"
        for name, state in states.items()
        for error in _errors_in(state)
    ]


def _errors_in(state: Mapping[str, Any]) -> Iterator[str]:
    for output in state.get("outputs", ()):
        if output["output_type"] == "error":
            yield _exception_sentence(output["ename"], output["evalue"])
    if ERROR_CLASS in state.get("_dom_classes", ()) and state.get("value"):
        yield _shortened(plain_text(state["value"]))


def _cells_of_widgets(notebook: NotebookNode, states: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the execution count of the cell that shows each widget, alone or inside others."""
    cells: dict[str, Any] = {}
    for cell in notebook.cells:
        shown = [output.get("data", {}).get(VIEW, {}).get("model_id") for output in cell.get("outputs", ())]
        while shown:
            name = shown.pop()
            if name in states and name not in cells:
                cells[name] = cell.execution_count
                children = states[name].get("children", ())
                shown += [child.removeprefix("IPY_MODEL_") for child in children]
    return cells


def _exception_sentence(name: str, message: str) -> str:
    kinds = {UserError.__name__, *(kind.__name__ for kind in UserError.__subclasses__())}
    return _shortened(message if name in kinds else f"{name}: {message}")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SENTENCE_LETTERS else f"{line[:SENTENCE_LETTERS]}…"
