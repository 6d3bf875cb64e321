"""A command is one folder plus one line: nothing else knows it, and starting one imports nothing slow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fairlab
from fairlab import cli

PACKAGE = Path(fairlab.__file__).parent
FOLDERS = sorted(path.parent.name for path in PACKAGE.glob("studies/*/command.py"))
SLOW = {"torch", "numpy", "pandas", "matplotlib", "scipy", "sklearn", "pyarrow", "papermill"}


def imported(path):
    """Yield the modules that a file imports anywhere, and the names it takes from them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_each_folder_is_a_command_and_each_command_a_folder():
    assert sorted(cli.STUDIES.values()) == FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_outside_a_study_knows_it(folder):
    own = f"fairlab.studies.{folder}"
    strangers = {
        str(path)
        for path in PACKAGE.rglob("*.py")
        if PACKAGE / "studies" / folder not in path.parents
        and any(f"{name}.".startswith(f"{own}.") for name in imported(path))
    }
    assert strangers == set()


@pytest.mark.parametrize("command", cli.STUDIES)
def test_without_its_folder_and_line_a_command_is_gone_and_the_others_are_not(command, monkeypatch, capsys):
    folder = cli.STUDIES[command]
    for name in [name for name in sys.modules if f"{name}.".startswith(f"fairlab.studies.{folder}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, f"fairlab.studies.{folder}", None)  # importing it fails
    monkeypatch.delitem(cli.STUDIES, command)
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert stop.value.code == 0
    assert not any(line.split()[:2] == ["fairlab", command] for line in lines)
    assert all(any(line.split()[:1] == [other] for line in lines) for other in cli.STUDIES)


def test_help_imports_nothing_slow():
    code = "import sys; from fairlab.cli import main\ntry: main(['--help'])\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    modules = done.stdout.splitlines()[-1].split()
    assert "fairlab.studies.run.command" in modules
    assert not SLOW.intersection(modules)
