"""The command line: one study for each command, one sentence for each error."""

import argparse
import importlib
import io
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import NoReturn

from fairlab import __version__
from fairlab.core.errors import UserError, printable, say_warning, storage_sentence
from fairlab.studies import Study

#: The folder of each command below `fairlab.studies`; its ``command.py`` is a `Study`.
STUDIES = {
    "run": "run",
    "table": "table",
    "truth": "ground_truth",
    "discriminability": "discriminability",
    "methods": "methods",
    "prepare": "prepare",
    "gan": "generator",
    "audit": "audit",
    "leakage": "leakage",
    "notebooks": "notebooks",
}
WIDTH = 46  # of an example in the help

PIPE_CLOSED = 141  # as of a command that SIGPIPE ends
STOPPED = "Stopped. What is finished is kept; the same command goes on from here."
MEMORY_FULL = "The memory is full; choose a smaller --preset or --image-size, or --device cpu."

DESCRIPTION = """\
See an image classifier become unfair, walk a GAN's latent space, and repair the classifier.

The method (Ramaswamy, Kim, Russakovsky, CVPR 2021): train a classifier for a TARGET attribute on images in
which it is correlated with a PROTECTED attribute; sample faces from a GAN; for each face z make a partner z'
that keeps the target label and flips the protected one; train again on the real images and all pairs.
"""

EPILOG = """
Interrupt a run whenever you like: the same command goes on where it stopped. Results are in
data/runs/RUN: report.html to read, metrics.csv to compute with, manifest.json to cite.

"Male" and the other attribute names are annotators' labels of how a face appears in one picture, not
identities. Do not use FairLab, or a classifier trained with it, to decide about people.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (0 done, 2 the user's mistake, 130 interrupted)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # whatever letters the terminal has
    try:
        code = _run(argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read the output, such as head, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to complain of
        return PIPE_CLOSED


def _run(argv: Sequence[str] | None) -> int:
    parser = _parser()
    for argument in sys.argv[1:] if argv is None else argv:
        if "\0" in argument:
            parser.error("an argument has a null byte in it, which no name can have")
        if argument.startswith("--") and argument.endswith("=--"):  # argparse would take it for no value
            parser.error(f"argument {argument.removesuffix('=--')}: '--' is no value")
    arguments = parser.parse_args(argv)
    study: Study = vars(arguments).pop("study")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = say_warning
            study.run(arguments)
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        print(f"\n{STOPPED}", file=sys.stderr)
        return 130
    except (UserError, MemoryError, OSError, RuntimeError) as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        print(f"fairlab: {sentence}", file=sys.stderr)
        return 2
    return 0


def _sentence(error: Exception) -> str | None:
    """Return what a user can do about an error; None if it is the program's mistake."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        return storage_sentence(error)
    if isinstance(error, MemoryError) or "out of memory" in str(error):
        return MEMORY_FULL
    return None


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one printable line, whatever it was given."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong; exit with code 2."""
        super().error(printable(message))


def _parser() -> argparse.ArgumentParser:
    studies: dict[str, Study] = {
        name: importlib.import_module(f"fairlab.studies.{folder}.command") for name, folder in STUDIES.items()
    }
    examples = {line: text for study in studies.values() for line, text in study.EXAMPLES.items()}
    parser = _Parser(
        prog="fairlab",
        description=DESCRIPTION,
        epilog=_listed(examples) + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fairlab {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, study in studies.items():
        command = commands.add_parser(name, help=study.HELP)
        study.add_arguments(command)
        command.set_defaults(study=study)
    return parser


def _listed(examples: Mapping[str, str]) -> str:
    """Return the examples, one a line; what a long one does stands below it."""
    lines = [
        f"  {line:<{WIDTH}} {text}" if len(line) <= WIDTH else f"  {line}\n  {'':<{WIDTH}} {text}"
        for line, text in examples.items()
    ]
    return "\n".join(["examples:", *(line.rstrip() for line in lines), ""])
