"""Command ``leakage``: how well labels alone give away a protected attribute."""

import argparse
from pathlib import Path

from fairlab.studies.arguments import Arguments, add

HELP = "how well labels alone give away a protected attribute"
EXAMPLES = {"fairlab leakage FILE --protected a": "how well labels alone give away a protected attribute"}

OWN: Arguments = {
    "train": {
        "type": Path,
        "metavar": "TRAIN",
        "help": "labels: imSitu's or COCO's file, FairFace's, CelebA's, or your own CSV or Parquet",
    },
    "--valid": {"type": Path, "metavar": "FILE", "help": "labels that the attacker is chosen on"},
    "--test": {"type": Path, "metavar": "FILE", "help": "labels that it is measured on (default: a tenth)"},
    "--ids": {"type": Path, "metavar": "FILE", "help": "published row numbers of a subset of TRAIN"},
    "--protected": {"metavar": "COLUMN", "help": "what is predicted from the labels (own tables)"},
    "--labels": {"nargs": "+", "metavar": "COLUMN", "help": "label columns (default: all others)"},
    "--attacker": {"default": "logistic", "metavar": "NAME", "help": "logistic (quick) or mlp (the paper's)"},
    "--rounds": {"type": int, "default": 5, "metavar": "N", "help": "balanced samples to repeat on (5)"},
    "--seed": {"type": int, "default": 0, "metavar": "N", "help": "seed of everything random (0)"},
    "--out": {"type": Path, "metavar": "CSV", "help": "where to write the table"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files of labels and the attacker."""
    add(parser, OWN)


def run(arguments: argparse.Namespace) -> None:
    """Measure what labels give away."""
    from fairlab.studies.leakage.measure import leakage

    print(leakage(**vars(arguments)))
