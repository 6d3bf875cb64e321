"""What the notebooks in the repository have to look like, and how to mend what does not."""

import ast
import json
import re
from collections import Counter

import papermill
import pytest

from fairlab.studies.notebooks.execute import notebooks_folder

FOLDER = notebooks_folder()
PATHS = sorted(FOLDER.glob("*.ipynb"))
NAMES = [
    "00_biased_faces",
    "01_classifier_training",
    "02_latent_sampling",
    "03_hyperplanes",
    "04_pairs",
    "05_metric_tables",
    "06_extensions",
    "07_ground_truth",
]
PARAMETERS = {"preset": "quick", "settings": {}, "home": None}

CLEAR = "run: jupyter nbconvert --clear-output --inplace notebooks/*.ipynb"
LONGEST_CELL, LONGEST_FUNCTION = 15, 10
LONGEST_LINE = 88  # letters: no executed page scrolls sideways

each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def heading(path):
    return source(read(path)["cells"][0]).splitlines()[0].removeprefix("# ")


def code_cells(path):
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def tree(cell):
    """Parse a cell; lines for IPython are no Python."""
    lines = source(cell).splitlines()
    return ast.parse("\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines))


def functions(path):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for cell in code_cells(path) for node in ast.walk(tree(cell)) if isinstance(node, kinds)]


def holds_parameters(cell):
    return "parameters" in cell["metadata"].get("tags", ())


def parameters(path):
    cells = [cell for cell in code_cells(path) if holds_parameters(cell)]
    assert len(cells) == 1, f"{path.name}: tag exactly one code cell 'parameters'"
    return tree(cells[0]).body


def test_the_eight_notebooks_exist():
    assert [path.stem for path in PATHS] == NAMES


@each_notebook
def test_no_outputs(path):
    kept = [cell["id"] for cell in code_cells(path) if cell["outputs"] or cell["execution_count"] is not None]
    assert not kept, f"{path.name}: cells {kept} have outputs; {CLEAR}"


@each_notebook
def test_metadata_is_free_of_traces_of_runs(path):
    metadata = read(path)["metadata"]
    assert not {"widgets", "papermill"} & set(metadata), (
        f"{path.name}: delete metadata.widgets and .papermill"
    )
    assert metadata["kernelspec"]["name"] == "python3", f"{path.name}: choose the kernel 'python3' and save"


@each_notebook
def test_every_cell_has_a_name_of_its_own(path):
    names = Counter(cell.get("id") for cell in read(path)["cells"])
    twice = [name for name, count in names.items() if name is None or count > 1]
    assert not twice, (
        f"{path.name}: cell ids {twice} are missing or used twice; open and save it in JupyterLab"
    )


@each_notebook
def test_there_are_three_parameters_and_papermill_sees_them(path):
    values = {line.targets[0].id: ast.literal_eval(line.value) for line in parameters(path)}
    assert values == PARAMETERS, f"{path.name}: settings of a run go into `settings`, other numbers below"
    assert set(papermill.inspect_notebook(path)) == set(PARAMETERS)


@each_notebook
def test_one_line_opens_the_run(path):
    opened = [line for cell in code_cells(path) for line in source(cell).splitlines() if "of_preset" in line]
    assert opened == ["run = Run.of_preset(preset, home, **settings)"]


@each_notebook
def test_code_lines_are_short(path):
    lines = [line for cell in code_cells(path) for line in source(cell).splitlines()]
    long = [line for line in lines if len(line) > LONGEST_LINE]
    assert not long, f"{path.name}: run `ruff format notebooks`, and break these lines: {long}"


@each_notebook
def test_the_last_cell_leads_to_the_neighbours(path):
    place, last = PATHS.index(path), source(read(path)["cells"][-1])
    found = re.findall(r"(Previous|Next): \[([^]]+)\]\(([^)]+)\)", last)
    expected = [("Previous", PATHS[place - 1])] if place else []
    expected += [("Next", PATHS[place + 1])] if place + 1 < len(PATHS) else []
    assert found == [(word, heading(other), other.name) for word, other in expected]


def test_the_first_notebook_leads_to_all_others_in_order():
    links = re.findall(r"\]\((\d\d_\w+\.ipynb)\)", source(read(PATHS[0])["cells"][0]))
    assert links == [path.name for path in PATHS[1:]]


@each_notebook
def test_code_cells_are_short(path):
    # Parameters are a list, a line each, and no code to follow.
    cells = [cell for cell in code_cells(path) if not holds_parameters(cell)]
    lengths = {cell["id"]: len(source(cell).splitlines()) for cell in cells}
    long = {name: n for name, n in lengths.items() if n > LONGEST_CELL}
    assert not long, (
        f"{path.name}: split cells of over {LONGEST_CELL} lines, or move code to fairlab.lab: {long}"
    )


@each_notebook
def test_functions_are_short(path):
    lengths = {node.name: node.end_lineno - node.lineno + 1 for node in functions(path)}
    long = {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION}
    assert not long, f"{path.name}: move functions of over {LONGEST_FUNCTION} lines to fairlab.lab: {long}"


def test_no_function_is_defined_in_two_notebooks():
    owners = {}
    for path in PATHS:
        for node in functions(path):
            owners.setdefault(node.name, set()).add(path.name)
    repeated = {name: sorted(where) for name, where in owners.items() if len(where) > 1}
    assert not repeated, f"move functions that several notebooks define to fairlab.lab: {repeated}"
