"""Command ``audit``: gaps between groups in anyone's predictions."""

import argparse
from pathlib import Path

from fairlab.studies.arguments import Arguments, add

HELP = "gaps between groups in anyone's predictions, with intervals"
EXAMPLES = {
    "fairlab audit FILE --label y --score s --protected a": "gaps between groups in anyone's predictions"
}

OWN: Arguments = {
    "file": {
        "type": Path,
        "metavar": "FILE",
        "help": "table with a row for each prediction (docs/tables.md)",
    },
    "--label": {"required": True, "metavar": "COLUMN", "help": "what is true: 0/1, yes/no, or a class"},
    "--score": {"metavar": "COLUMN", "help": "how likely the label is, 0..1 or 0..100"},
    "--prob-prefix": {
        "metavar": "PREFIX",
        "help": "instead of --score, for several classes: columns PREFIX + class hold probabilities",
    },
    "--predicted": {
        "metavar": "COLUMN",
        "help": "instead of --score, where there are none: what is predicted, 0/1 or a class",
    },
    "--positive": {"metavar": "VALUE", "help": "which of two texts in --label (and --predicted) is positive"},
    "--logits": {"action": "store_true", "help": "scores are logits: make probabilities of them"},
    "--protected": {"nargs": "+", "required": True, "metavar": "COLUMN", "help": "columns that form groups"},
    "--compare": {
        "nargs": "+",
        "type": Path,
        "default": (),
        "metavar": "OTHER",
        "help": "other models' predictions of the same rows; differences are from FILE",
    },
    "--compare-score": {
        "nargs": "+",
        "default": (),
        "metavar": "COLUMN",
        "help": "what --score is called in OTHER: one name for all, or one for each",
    },
    "--compare-prob-prefix": {
        "nargs": "+",
        "default": (),
        "metavar": "PREFIX",
        "help": "the same of --prob-prefix",
    },
    "--compare-predicted": {
        "nargs": "+",
        "default": (),
        "metavar": "COLUMN",
        "help": "the same of --predicted",
    },
    "--compare-id": {"nargs": "+", "default": (), "metavar": "COLUMN", "help": "the same of --id"},
    "--id": {
        "dest": "id_column",
        "metavar": "COLUMN",
        "help": "names each row; with it, --compare matches rows, and OTHER needs no label",
    },
    "--cluster": {
        "metavar": "COLUMN",
        "help": "rows that belong together, as those of one person: intervals draw them together",
    },
    "--weight": {"metavar": "COLUMN", "help": "what each row weighs"},
    "--bins": {
        "action": "append",
        "default": [],
        "metavar": "COLUMN=EDGES",
        "help": "put a protected column of numbers into bins, as age=0,18,30,inf",
    },
    "--reference": {
        "nargs": "+",
        "default": (),
        "metavar": "GROUP",
        "help": "compare every group with this one, as 'gender = Male', or with the largest",
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
    "--fail-if": {
        "action": "append",
        "default": [],
        "metavar": "CONDITION",
        "help": "exit with 1 if it holds, as 'equalized_odds_difference > 0.1' or 'FNR[gender = F] > 0.2'",
    },
    "--fail-on": {
        "choices": ("value", "interval"),
        "default": "value",
        "help": "judge conditions on the value, or on the whole interval (value)",
    },
    "--out": {"type": Path, "metavar": "DIR", "help": "folder of the results (default: FILE-audit)"},
    "--format": {
        "dest": "form",
        "choices": ("text", "json", "markdown", "latex"),
        "default": "text",
        "help": "form of what is printed (text)",
    },
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file and its columns."""
    add(parser, OWN)


def run(arguments: argparse.Namespace) -> None:
    """Measure gaps in somebody's predictions; exit with 1 if a condition of --fail-if holds."""
    from fairlab.studies.audit.conditions import ConditionsBroken
    from fairlab.studies.audit.execute import audit

    try:
        print(audit(**vars(arguments)))
    except ConditionsBroken as broken:
        print(broken)
        raise SystemExit(1) from None
