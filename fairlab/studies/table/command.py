"""Command ``table``: many targets and methods at once."""

import argparse
from pathlib import Path

from fairlab.studies.arguments import (
    DEVICE,
    GENERATOR,
    RUN,
    SETTINGS,
    SOURCE,
    Arguments,
    FormerVariant,
    add,
    experiment_settings,
    method_settings,
)

HELP = "many targets and methods: the paper's table, its ablations, controls"
EXAMPLES = {
    "fairlab table": "the paper's table: 26 targets against Male",
    "fairlab table --targets Eyeglasses --methods ablations": "",
}

OWN: Arguments = {
    "--targets": {
        "nargs": "+",
        "default": ["all"],
        "metavar": "NAME",
        "help": "attributes to classify: names, all (the paper's 26, default), or evidence (eight of them)",
    },
    "--methods": {
        "nargs": "+",
        "metavar": "NAME",
        "help": "as --method of run; or all, ablations (the paper's method and its five), or controls (the "
        "pairs beside unpaired_faces, added_oversampling and unbiased_faces) (default: latent_pairs)",
    },
    "--variants": {"action": FormerVariant, "dest": "methods", "nargs": "+"},
    "--jobs": {
        "type": int,
        "metavar": "N",
        "help": "processes at once (default: one for each core, at most 8; on a GPU one)",
    },
    "--out": {"type": Path, "metavar": "DIR", "help": "folder of the results (default: data/tables/...)"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a grid; one network labels for all targets unless told otherwise."""
    shared = {flag: RUN[flag] for flag in ("--protected", "--seeds")}
    add(parser, OWN, shared, SOURCE, SETTINGS, GENERATOR, DEVICE)


def run(arguments: argparse.Namespace) -> None:
    """Make a grid of targets and methods, and its tables."""
    from fairlab.studies.table.execute import table
    from fairlab.studies.table.grid import USUAL

    names = ("preset", "targets", "methods", "home", "device", "jobs", "out")
    given = {name: getattr(arguments, name) for name in names}
    settings = USUAL | method_settings(arguments) | experiment_settings(arguments)
    print(table(**given, **settings))
