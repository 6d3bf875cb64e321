"""The command line: assembles arguments, holds no method."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from typing import Any

from fairlab import __version__, commands
from fairlab.arguments import (
    AUDIT_ARGUMENTS,
    DESCRIPTION,
    DEVICE_ARGUMENTS,
    DISCRIMINABILITY_ARGUMENTS,
    EXAMPLES,
    EXTENSION_ARGUMENTS,
    GENERATOR_ARGUMENTS,
    LEAKAGE_ARGUMENTS,
    NOTEBOOK_SETTINGS,
    NOTEBOOKS_ARGUMENTS,
    RUN_ARGUMENTS,
    SOURCE_ARGUMENTS,
    TABLE_ARGUMENTS,
    TRUTH_ARGUMENTS,
)
from fairlab.core.errors import UserError

#: Arguments that name one run.
ONE_RUN = (SOURCE_ARGUMENTS, RUN_ARGUMENTS, EXTENSION_ARGUMENTS, GENERATOR_ARGUMENTS, DEVICE_ARGUMENTS)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (0 done, 2 the user's mistake, 130 interrupted)."""
    arguments = _parser().parse_args(argv)
    try:
        command: Callable[[argparse.Namespace], None] = arguments.command
        command(arguments)
    except UserError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        print("\nStopped. What is finished is kept; the same command goes on from here.", file=sys.stderr)
        return 130
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "out of memory" not in str(error):
            raise
        return _refuse("The memory is full; choose a smaller --preset or --image-size, or --device cpu.")
    except OSError as error:
        sentence = _storage_sentence(error)
        if sentence is None:
            raise
        return _refuse(sentence)
    return 0


def _refuse(sentence: str) -> int:
    print(f"fairlab: {sentence}", file=sys.stderr)
    return 2


def _storage_sentence(error: OSError) -> str | None:
    """Say in one sentence what the disk refused; None for an error that is no user's mistake."""
    where = error.filename or "A file"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full while writing {where}; free some space and run again: finished steps are kept."
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{where} cannot be used ({error.strerror}); check its permissions, or choose another --home."
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fairlab",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fairlab {__version__}")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(subparsers)
    _add_table(subparsers)
    _add_truth(subparsers)
    _add_discriminability(subparsers)
    _add_prepare(subparsers)
    _add_gan(subparsers)
    _add_audit(subparsers)
    _add_leakage(subparsers)
    _add_notebooks(subparsers)
    return parser


def _add_run(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = subparsers.add_parser(
        "run", help="the whole method: baseline, latents, pairs, de-biased classifier, table"
    )
    _add_arguments(run, *ONE_RUN)
    run.set_defaults(command=commands.run)


def _add_table(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    table = subparsers.add_parser(
        "table", help="many targets and variants: the paper's table, its ablations, controls"
    )
    shared = {flag: RUN_ARGUMENTS[flag] for flag in ("--protected", "--seeds")}
    _add_arguments(
        table,
        TABLE_ARGUMENTS,
        shared,
        SOURCE_ARGUMENTS,
        EXTENSION_ARGUMENTS,
        GENERATOR_ARGUMENTS,
        DEVICE_ARGUMENTS,
    )
    # One network labels for all targets, unless the paper's one for each is asked for.
    table.set_defaults(command=commands.table, labeller="multi_label")


def _add_truth(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    truth = subparsers.add_parser(
        "truth", help="what only drawn faces can tell: do pairs, planes and classifiers do what they claim"
    )
    _add_arguments(truth, TRUTH_ARGUMENTS, *ONE_RUN)
    truth.set_defaults(command=commands.truth)


def _add_discriminability(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    discriminability = subparsers.add_parser(
        "discriminability", help="which of two attributes that always go together a classifier leans on"
    )
    _add_arguments(discriminability, DISCRIMINABILITY_ARGUMENTS, SOURCE_ARGUMENTS, DEVICE_ARGUMENTS)
    discriminability.set_defaults(command=commands.discriminability)


def _add_prepare(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    prepare = subparsers.add_parser("prepare", help="decode the images once into data/prepared")
    _add_arguments(prepare, SOURCE_ARGUMENTS)
    prepare.set_defaults(command=commands.prepare)


def _add_gan(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    gan = subparsers.add_parser("gan", help="train a generator, or measure one")
    actions = gan.add_subparsers(title="actions", required=True, metavar="ACTION")
    train = actions.add_parser(
        "train", help="train a progressive GAN on a source's training images, or go on with it"
    )
    _add_arguments(train, SOURCE_ARGUMENTS, DEVICE_ARGUMENTS)
    # The default trains what is shipped; the quick preset's generator is a first look.
    train.set_defaults(command=commands.train_gan, preset="full")
    report = actions.add_parser(
        "report", help="measure a generator: distance, coverage, attributes, latent space, copies"
    )
    _add_arguments(report, SOURCE_ARGUMENTS, GENERATOR_ARGUMENTS, DEVICE_ARGUMENTS)
    report.add_argument(
        "--inception", action="store_true", help="also measure in Inception's features (needs torch-fidelity)"
    )
    report.set_defaults(command=commands.report_gan, preset="full")


def _add_notebooks(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    notebooks = subparsers.add_parser(
        "notebooks", help="run the notebooks without a browser; pages to read go into the run folder"
    )
    _add_arguments(notebooks, NOTEBOOKS_ARGUMENTS, _shared_with_notebooks())
    notebooks.set_defaults(command=commands.notebooks)


def _shared_with_notebooks() -> dict[str, dict[str, Any]]:
    """Return the arguments that set a parameter of the notebooks."""
    flags = {"--" + name.replace("_", "-") for name in ("preset", "home", "run", *NOTEBOOK_SETTINGS)}
    groups = SOURCE_ARGUMENTS | RUN_ARGUMENTS | EXTENSION_ARGUMENTS | GENERATOR_ARGUMENTS
    chosen = {flag: dict(options) for flag, options in groups.items() if flag in flags}
    del chosen["--protected"]["nargs"]
    chosen["--protected"]["help"] = "attribute whose influence to remove (default: Male)"
    return chosen


def _add_audit(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    audit = subparsers.add_parser("audit", help="gaps between groups in anyone's predictions, with intervals")
    _add_arguments(audit, AUDIT_ARGUMENTS)
    audit.set_defaults(command=commands.audit)


def _add_leakage(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    leakage = subparsers.add_parser("leakage", help="how well labels alone give away a protected attribute")
    _add_arguments(leakage, LEAKAGE_ARGUMENTS)
    leakage.set_defaults(command=commands.leakage)


def _add_arguments(parser: argparse.ArgumentParser, *groups: dict[str, dict[str, Any]]) -> None:
    for flag, options in (item for group in groups for item in group.items()):
        parser.add_argument(flag, **options)
