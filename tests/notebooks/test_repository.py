"""What the notebooks in the repository have to look like, and how to mend what does not."""

import ast
import json
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
COMMON = {
    "preset": "quick",
    "data": "synthfaces",
    **dict.fromkeys(("data_root", "table", "target", "protected", "variant", "labeller", "seeds")),
    **dict.fromkeys(("generator", "home", "run_name")),
}

CLEAR = "run: jupyter nbconvert --clear-output --inplace notebooks/*.ipynb"
LONGEST_CELL, LONGEST_FUNCTION = 15, 10

each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


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
def test_parameters_are_literals_and_the_common_ones_are_there(path):
    values = {}
    for statement in parameters(path):
        assert isinstance(statement, ast.Assign), (
            f"{path.name}: line {statement.lineno} is no plain assignment"
        )
        try:
            values[statement.targets[0].id] = ast.literal_eval(statement.value)
        except ValueError:
            pytest.fail(
                f"{path.name}: the parameter in line {statement.lineno} is no literal; derive it below"
            )
    assert COMMON.items() <= values.items(), f"{path.name}: the common parameters are {COMMON}"
    seen = set(papermill.inspect_notebook(path))
    assert set(values) == seen, f"{path.name}: papermill does not see {set(values) ^ seen}; one line for each"


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
