"""Command ``leakage``: how well labels alone give away a protected attribute."""

import argparse
from pathlib import Path

from fairlab.studies.arguments import Arguments, add

HELP = "how well labels, or a model's predictions, give away a protected attribute"
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
    "--valid-ids": {"type": Path, "metavar": "FILE", "help": "the same of the --valid file"},
    "--test-ids": {"type": Path, "metavar": "FILE", "help": "the same of the --test file"},
    "--predictions": {
        "type": Path,
        "metavar": "FILE",
        "help": "a model's predictions of TRAIN's images (.npy or table): what they leak more",
    },
    "--valid-predictions": {"type": Path, "metavar": "FILE", "help": "the same of the --valid file"},
    "--test-predictions": {"type": Path, "metavar": "FILE", "help": "the same of the --test file"},
    "--performance": {
        "dest": "at_performance",
        "type": float,
        "metavar": "F",
        "help": "without predictions: leakage of labels that are only as accurate as this, 0..1",
    },
    "--performance-metric": {"metavar": "NAME", "help": "what F is: F1 (default) or mAP"},
    "--id": {
        "dest": "id_column",
        "metavar": "COLUMN",
        "help": "names each image in tables and predictions (default: matched by order)",
    },
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
