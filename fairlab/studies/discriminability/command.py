"""Command ``discriminability``: attributes whose labels always agree, compared."""

import argparse
from pathlib import Path

from fairlab.studies.arguments import DEVICE, SOURCE, Arguments, add

HELP = "which of two attributes, whose labels always agree, a classifier prefers"
EXAMPLES: dict[str, str] = {}

OWN: Arguments = {
    "attributes": {
        "nargs": "+",
        "metavar": "ATTRIBUTE",
        "help": "two or more attributes, to compare pair by pair",
    },
    "--seeds": {"type": int, "metavar": "N", "help": "train each pair N times (default: the preset's)"},
    "--images": {
        "type": int,
        "metavar": "N",
        "help": "training images shown in an epoch, for every pair (default: half of the training split)",
    },
    "--out": {
        "type": Path,
        "metavar": "DIR",
        "help": "folder of the table and the figure (default: below data/discriminability)",
    },
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add attributes, trainings and the source."""
    add(parser, OWN, SOURCE, DEVICE)


def run(arguments: argparse.Namespace) -> None:
    """Train and compare every pair of the attributes."""
    from fairlab.studies.discriminability.measure import discriminability

    print(discriminability(**vars(arguments)))
