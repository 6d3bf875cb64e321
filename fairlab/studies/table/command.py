"""Command ``table``: many targets and variants at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from fairlab.studies.arguments import (
    DEVICE,
    EXTENSIONS,
    GENERATOR,
    RUN,
    SOURCE,
    Arguments,
    add,
    experiment_settings,
)

HELP = "many targets and variants: the paper's table, its ablations, controls"
EXAMPLES = {
    "fairlab table": "the paper's table: 26 targets against Male",
    "fairlab table --targets Eyeglasses --variants ablations": "",
}

OWN: Arguments = {
    "--targets": {
        "nargs": "+",
        "default": ["all"],
        "metavar": "NAME",
        "help": "attributes to classify: names, all (the paper's 26, default), or evidence (eight of them)",
    },
    "--variants": {
        "nargs": "+",
        "metavar": "NAME",
        "help": "what is added, as --variant of run; or ablations (the paper's method and its five), or "
        "controls (the method beside unpaired, oversampling and unbiased_faces) (default: the preset's)",
    },
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
    add(parser, OWN, shared, SOURCE, EXTENSIONS, GENERATOR, DEVICE)
    parser.set_defaults(labeller="multi_label")


def run(arguments: argparse.Namespace) -> None:
    """Make a grid of targets and variants, and its tables."""
    from fairlab.studies.table.execute import table

    names = ("preset", "targets", "variants", "home", "device", "jobs", "out")
    given = {name: getattr(arguments, name) for name in names}
    print(table(**given, **experiment_settings(arguments)))
