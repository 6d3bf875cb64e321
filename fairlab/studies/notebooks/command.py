"""Command ``notebooks``: the notebooks of one run without a browser, as pages to read."""

import argparse
from pathlib import Path

from fairlab.studies.arguments import ONE_RUN, Arguments, add, run_settings

HELP = "run the notebooks without a browser; pages to read go into the run folder"
EXAMPLES = {"fairlab notebooks --preset smoke": "the eight notebooks without a browser, as pages to read"}

OWN: Arguments = {
    "--only": {
        "nargs": "+",
        "action": "extend",
        "default": [],
        "metavar": "NOTEBOOK",
        "help": "numbers or beginnings of names, such as 03 or 03_hyperplanes (default: all)",
    }
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the choice of notebooks, and the arguments that name a run."""
    add(parser, OWN, ONE_RUN)


def run(arguments: argparse.Namespace) -> None:
    """Execute the notebooks of one run."""
    from fairlab.experiments.presets import home_folder
    from fairlab.experiments.run import Run

    # The notebooks' kernels work in another folder than the user.
    home, settings = home_folder(arguments.home).absolute(), run_settings(arguments)
    for name in {"data_root", "labels_csv", "generator"} & set(settings):
        settings[name] = str(Path(settings[name]).absolute())
    run = Run.of_preset(arguments.preset, home, **settings)
    run.work.require_groups()
    from fairlab.studies.notebooks.execute import run_notebooks

    parameters = {"preset": arguments.preset, "settings": settings, "home": str(home)}
    index = run_notebooks(run.folder / "notebooks", parameters, only=arguments.only)
    print(f"Read the executed notebooks in {index}")
