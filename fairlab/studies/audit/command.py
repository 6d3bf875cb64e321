"""Command ``audit``: gaps between groups in anyone's predictions."""

import argparse
from pathlib import Path

from fairlab.studies.arguments import Arguments, add

HELP = "gaps between groups in anyone's predictions, with intervals"
EXAMPLES = {
    "fairlab audit FILE --label y --score s --protected a": "gaps between groups in anyone's predictions"
}

OWN: Arguments = {
    "file": {"type": Path, "metavar": "FILE", "help": "CSV or Parquet with a row for each prediction"},
    "--label": {"required": True, "metavar": "COLUMN", "help": "what is true: 0/1, yes/no, or a class"},
    "--score": {"metavar": "COLUMN", "help": "how likely the label is, 0..1"},
    "--prob-prefix": {
        "metavar": "PREFIX",
        "help": "instead of --score, for several classes: columns PREFIX + class hold probabilities",
    },
    "--protected": {"nargs": "+", "required": True, "metavar": "COLUMN", "help": "columns that form groups"},
    "--compare": {"type": Path, "metavar": "OTHER", "help": "another model's predictions of the same rows"},
    "--id": {
        "dest": "id_column",
        "metavar": "COLUMN",
        "help": "names each row; with it, --compare matches rows",
    },
    "--threshold": {"type": float, "metavar": "T", "help": "scores above it mean yes (default: calibrated)"},
    "--resamples": {
        "dest": "n_resamples",
        "type": int,
        "default": 1000,
        "metavar": "N",
        "help": "resamples (1000)",
    },
    "--seed": {"type": int, "default": 0, "metavar": "N", "help": "seed of the resampling (0)"},
    "--out": {"type": Path, "metavar": "DIR", "help": "folder of the results (default: FILE-audit)"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file and its columns."""
    add(parser, OWN)


def run(arguments: argparse.Namespace) -> None:
    """Measure gaps in somebody's predictions."""
    from fairlab.studies.audit.execute import audit

    print(audit(**vars(arguments)))
