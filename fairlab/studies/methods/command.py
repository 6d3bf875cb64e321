"""Command ``methods``: every way to train a classifier, with its settings."""

import argparse

HELP = "list the methods: what each does, its paper, its settings"
EXAMPLES = {"fairlab methods": "what can stand beside the baseline, and with which settings"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the name of one method."""
    parser.add_argument("name", nargs="?", metavar="METHOD", help="only this one")


def run(arguments: argparse.Namespace) -> None:
    """Print the methods."""
    from fairlab.methods.settings import describe_methods

    print(describe_methods(arguments.name))
