"""Command ``notebooks``: the notebooks of one run without a browser, as pages to read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fairlab.core.errors import UserError
from fairlab.studies.arguments import GENERATOR, RUN, SOURCE, Arguments, add

HELP = "run the notebooks without a browser; pages to read go into the run folder"
EXAMPLES = {
    "fairlab notebooks --preset smoke": "the eight notebooks without a browser, as pages to read",
}

OWN: Arguments = {
    "--only": {
        "nargs": "+",
        "action": "extend",
        "default": [],
        "metavar": "NOTEBOOK",
        "help": "numbers or beginnings of names, such as 03 or 03_hyperplanes (default: all)",
    },
    "-p": {
        "nargs": 2,
        "action": "append",
        "default": [],
        "metavar": ("NAME", "VALUE"),
        "help": "a further parameter of a notebook; True, False, None and numbers are read as such",
    },
}


#: Settings of a run that every notebook has as a parameter, beside "preset", "home" and "run_name".
NOTEBOOK_SETTINGS = (
    "data", "data_root", "labels_csv", "target", "protected", "method", "seeds", "generator"
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the choice of notebooks, and the arguments that set a parameter of theirs."""
    flags = {_flag(name) for name in ("preset", "home", "run", *NOTEBOOK_SETTINGS)}
    groups = {**SOURCE, **RUN, **GENERATOR}
    shared = {flag: options for flag, options in groups.items() if flag in flags}
    one = {"metavar": "NAME", "help": "attribute whose influence to remove (default: Male)"}
    add(parser, OWN, shared | {"--protected": one})


def run(arguments: argparse.Namespace) -> None:
    """Execute the notebooks of one run."""
    from fairlab.experiments.presets import home_folder
    from fairlab.experiments.run import Run
    from fairlab.studies.notebooks.execute import run_notebooks

    further = _further_parameters(arguments.p)
    settings = {name: getattr(arguments, name) for name in NOTEBOOK_SETTINGS}
    # The notebooks' kernels work in another folder than the user.
    home = home_folder(arguments.home).absolute()
    paths = {name: settings[name] for name in ("data_root", "labels_csv", "generator")}
    settings |= {name: str(Path(path).absolute()) for name, path in paths.items() if path}
    run = Run.of_preset(arguments.preset, home, name=arguments.run, **settings)
    own = {"preset": arguments.preset, "home": str(home), "run_name": arguments.run}
    parameters = {name: value for name, value in (own | settings).items() if value is not None}
    index = run_notebooks(run.folder / "notebooks", parameters | further, only=arguments.only)
    print(f"Read the executed notebooks in {index}")


def _further_parameters(given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the parameters of ``-p NAME VALUE``."""
    from fairlab.studies.notebooks.execute import literal

    for name, _ in given:
        if name in (*NOTEBOOK_SETTINGS, "preset", "home", "run_name"):
            raise UserError(f"The parameter '{name}' is set with {_flag(name)}, not with -p.")
    return {name: literal(value) for name, value in given}


def _flag(name: str) -> str:
    """Return the argument that sets a parameter."""
    return "--" + name.removesuffix("_name").replace("_", "-")
