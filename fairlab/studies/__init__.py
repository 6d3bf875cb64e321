"""Studies: a folder for each question that the command line answers.

Deleting a folder and its line in `fairlab.cli` removes a command and nothing else.
"""

import argparse
from collections.abc import Mapping
from typing import Protocol


class Study(Protocol):
    """The ``command.py`` of a study; `run` imports what is slow, so that every command starts at once."""

    HELP: str
    EXAMPLES: Mapping[str, str]  #: a command line, and what it does

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments."""

    def run(self, arguments: argparse.Namespace) -> None:
        """Do the work and print what came out."""
