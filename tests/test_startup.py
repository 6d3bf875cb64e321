"""A mistake is told before torch and matplotlib are imported, and packages import what is asked of them."""

import importlib
import json
import pickle
import pkgutil
import subprocess
import sys

import pandas as pd
import pytest

#: Libraries that take half a second or more each.
HEAVY = ("torch", "torchvision", "matplotlib", "seaborn", "sklearn", "scipy.stats", "IPython", "ipywidgets")

PROGRAM = """
import json, sys
from fairlab.cli import main
try:
    code = main(json.loads(sys.argv[1]))
except SystemExit as stop:
    code = stop.code
print(json.dumps([code, [name for name in json.loads(sys.argv[2]) if name in sys.modules]]))
"""


def imported(folder, *arguments, watched=HEAVY, before=""):
    """Run a command in a fresh process; return its exit code and which of `watched` it imported."""
    command = [sys.executable, "-c", before + PROGRAM, json.dumps(arguments), json.dumps(watched)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.stdout, done.stderr
    code, found = json.loads(done.stdout.splitlines()[-1])
    return code, found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with predictions, labels, and an own source of images."""
    folder = tmp_path_factory.mktemp("startup")
    table = pd.DataFrame({"y": [0, 1] * 20, "s": [0.2, 0.7] * 20, "sex": [0, 0, 1, 1] * 10})
    table.to_csv(folder / "table.csv", index=False)
    (folder / "gan.pkl").write_bytes(pickle.dumps({"G_ema": 0}))
    (folder / "mine").mkdir()
    files = pd.Series([f"{row}.png" for row in range(40)], name="file")
    table.drop(columns="s").set_index(files).to_csv(folder / "mine" / "labels.csv")
    for file in files:
        (folder / "mine" / file).touch()
    return folder


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("audit table.csv --label y --score s --protected sexx", 2),
        ("audit table.csv --label y --score s --protected sex --threshold 3", 2),
        ("audit table.csv --label y --score s --protected sex --fail-if nonsense>1", 2),
        ("leakage table.csv --protected sexx", 2),
        ("run --target Smilling", 2),
        ("run --method nonsense", 2),
        ("run --data celeba --data-root nowhere", 2),
        ("run --data folder --data-root mine --target z --protected sex", 2),
        ("run --generator gan.pkl", 2),
        ("truth --target Smilling", 2),
        ("gan report --preset quik", 2),
        ("table --methods nonsense", 2),
    ],
)
def test_what_is_wrong_is_told_before_anything_heavy_is_imported(folder, arguments, code):
    assert imported(folder, *arguments.split()) == (code, [])


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_help_needs_no_library(folder, arguments):
    assert imported(folder, *arguments, watched=("numpy", "pandas", "pyarrow", *HEAVY)) == (0, [])


def test_images_that_are_prepared_are_found_without_what_draws_them(tmp_path):
    few = "import fairlab.experiments.presets as p; p.PRESETS['smoke']['synthfaces_counts'] = (9, 9, 9)"
    command = ("prepare", "--preset", "smoke", "--home", str(tmp_path))
    assert "torch" in imported(tmp_path, *command, before=few)[1]
    assert imported(tmp_path, *command, before=few) == (0, [])


@pytest.mark.parametrize("name", ["classifiers", "experiments", "generators", "metrics"])
def test_a_package_offers_its_names_and_imports_them_when_asked(name):
    package = importlib.import_module(f"fairlab.{name}")
    assert dir(package) == sorted(package.__all__)
    assert all(getattr(package, each) is not None for each in package.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        package.nonsense  # noqa: B018
    # Python sets a module that is imported as an attribute of its package, over a name of the package's own.
    assert not {module.name for module in pkgutil.iter_modules(package.__path__)} & set(package.__all__)
