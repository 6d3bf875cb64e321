"""The command line: assembles arguments, holds no method."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlab import __version__
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
from fairlab.errors import UserError

if TYPE_CHECKING:
    from fairlab.pipeline import Run

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
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_table(commands)
    _add_truth(commands)
    _add_discriminability(commands)
    _add_prepare(commands)
    _add_gan(commands)
    _add_audit(commands)
    _add_leakage(commands)
    _add_notebooks(commands)
    return parser


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run", help="the whole method: baseline, latents, pairs, de-biased classifier, table"
    )
    _add_arguments(run, *ONE_RUN)
    run.set_defaults(command=_run)


def _add_table(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    table = commands.add_parser(
        "table", help="many targets and variants: the paper's table, its ablations, controls"
    )
    shared = {flag: RUN_ARGUMENTS[flag] for flag in ("--protected", "--seeds")}
    _add_arguments(
        table,
        TABLE_ARGUMENTS,
        TRUTH_ARGUMENTS,
        shared,
        SOURCE_ARGUMENTS,
        EXTENSION_ARGUMENTS,
        GENERATOR_ARGUMENTS,
        DEVICE_ARGUMENTS,
    )
    # One network labels for all targets, unless the paper's one for each is asked for.
    table.set_defaults(command=_table, labeller="multi_label")


def _add_truth(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    truth = commands.add_parser(
        "truth", help="what only drawn faces can tell: do pairs, planes and classifiers do what they claim"
    )
    _add_arguments(truth, TRUTH_ARGUMENTS, *ONE_RUN)
    truth.set_defaults(command=_truth)


def _add_discriminability(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    discriminability = commands.add_parser(
        "discriminability", help="which of two attributes that always go together a classifier leans on"
    )
    _add_arguments(discriminability, DISCRIMINABILITY_ARGUMENTS, SOURCE_ARGUMENTS, DEVICE_ARGUMENTS)
    discriminability.set_defaults(command=_discriminability)


def _add_prepare(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    prepare = commands.add_parser("prepare", help="decode the images once into data/prepared")
    _add_arguments(prepare, SOURCE_ARGUMENTS)
    prepare.set_defaults(command=_prepare)


def _add_gan(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    gan = commands.add_parser("gan", help="train a generator, or measure one")
    actions = gan.add_subparsers(title="actions", required=True, metavar="ACTION")
    train = actions.add_parser(
        "train", help="train a progressive GAN on a source's training images, or go on with it"
    )
    _add_arguments(train, SOURCE_ARGUMENTS, DEVICE_ARGUMENTS)
    # The default trains what is shipped; the quick preset's generator is a first look.
    train.set_defaults(command=_train_gan, preset="full")
    report = actions.add_parser(
        "report", help="measure a generator: distance, coverage, attributes, latent space, copies"
    )
    _add_arguments(report, SOURCE_ARGUMENTS, GENERATOR_ARGUMENTS, DEVICE_ARGUMENTS)
    report.add_argument(
        "--inception", action="store_true", help="also measure in Inception's features (needs torch-fidelity)"
    )
    report.set_defaults(command=_report_gan, preset="full")


def _add_notebooks(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    notebooks = commands.add_parser(
        "notebooks", help="run the notebooks without a browser; pages to read go into the run folder"
    )
    _add_arguments(notebooks, NOTEBOOKS_ARGUMENTS, _shared_with_notebooks())
    notebooks.set_defaults(command=_notebooks)


def _shared_with_notebooks() -> dict[str, dict[str, Any]]:
    """Return the arguments that set a parameter of the notebooks."""
    flags = {"--" + name.replace("_", "-") for name in ("preset", "home", "run", *NOTEBOOK_SETTINGS)}
    groups = SOURCE_ARGUMENTS | RUN_ARGUMENTS | GENERATOR_ARGUMENTS
    chosen = {flag: dict(options) for flag, options in groups.items() if flag in flags}
    del chosen["--protected"]["nargs"]  # a notebook has one
    return chosen


def _add_audit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    audit = commands.add_parser("audit", help="gaps between groups in anyone's predictions, with intervals")
    _add_arguments(audit, AUDIT_ARGUMENTS)
    audit.set_defaults(command=_audit)


def _add_leakage(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    leakage = commands.add_parser("leakage", help="how well labels alone give away a protected attribute")
    _add_arguments(leakage, LEAKAGE_ARGUMENTS)
    leakage.set_defaults(command=_leakage)


def _add_arguments(parser: argparse.ArgumentParser, *groups: dict[str, dict[str, Any]]) -> None:
    for flag, options in (item for group in groups for item in group.items()):
        parser.add_argument(flag, **options)


def _run(arguments: argparse.Namespace) -> None:
    # Imported late: torch takes seconds, and --help should not.
    from fairlab.execute import execute

    execute(_run_of(arguments))


def _truth(arguments: argparse.Namespace) -> None:
    from fairlab.ground_truth.run import truth

    counts = {"n": arguments.faces, "n_inverted": arguments.searched, "n_moved": arguments.moved}
    print(truth(_run_of(arguments), **counts))


def _run_of(arguments: argparse.Namespace) -> Run:
    """Return the run that the arguments name."""
    from fairlab.pipeline import Run

    return Run.of_preset(
        arguments.preset,
        arguments.home,
        name=arguments.run,
        device=arguments.device,
        target=arguments.target,
        variant=arguments.variant,
        **_experiment_changes(arguments),
    )


def _table(arguments: argparse.Namespace) -> None:
    from fairlab.table.run import table

    names = ("preset", "targets", "variants", "home", "device", "jobs", "out")
    given = {name: getattr(arguments, name) for name in names}
    print(table(**given, **_experiment_changes(arguments)))


def _prepare(arguments: argparse.Namespace) -> None:
    from fairlab.config import home_folder, preset
    from fairlab.shared import preparation_summary, prepare_data, prepared_folder, source_of

    experiment = preset(arguments.preset, **_source_changes(arguments))
    source, home = source_of(experiment), home_folder(arguments.home)
    prepare_data(source, home, experiment.image_size)
    print(preparation_summary(prepared_folder(source, home, experiment.image_size)))


def _train_gan(arguments: argparse.Namespace) -> None:
    from fairlab.config import home_folder, preset
    from fairlab.generator_steps import train

    experiment = preset(arguments.preset, **_source_changes(arguments), train_gan=True)
    print(train(experiment, home_folder(arguments.home), arguments.device))


def _report_gan(arguments: argparse.Namespace) -> None:
    from fairlab.config import home_folder, preset
    from fairlab.generator_steps import report

    changes = _source_changes(arguments) | _generator_changes(arguments)
    experiment = preset(arguments.preset, **changes)
    home, inception = home_folder(arguments.home), arguments.inception
    print(report(experiment, home, arguments.device, inception=inception))


def _notebooks(arguments: argparse.Namespace) -> None:
    from fairlab.config import home_folder
    from fairlab.lab.batch import run_notebooks
    from fairlab.pipeline import Run

    further = _further_parameters(arguments.p)
    settings = {name: getattr(arguments, name) for name in NOTEBOOK_SETTINGS}
    # The notebooks' kernels work in another folder than the user.
    home = home_folder(arguments.home).absolute()
    paths = {name: settings[name] for name in ("data_root", "table", "generator")}
    settings |= {name: str(Path(path).absolute()) for name, path in paths.items() if path}
    run = Run.of_preset(arguments.preset, home, name=arguments.run, **settings)
    own = {"preset": arguments.preset, "home": str(home), "run_name": arguments.run}
    parameters = {name: value for name, value in (own | settings).items() if value is not None}
    index = run_notebooks(run.folder / "notebooks", parameters | further, only=arguments.only)
    print(f"Read the executed notebooks in {index}")


def _further_parameters(given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the parameters of ``-p NAME VALUE``."""
    from fairlab.lab.batch import literal

    for name, _ in given:
        if name in (*NOTEBOOK_SETTINGS, "preset", "home", "run_name"):
            flag = name.removesuffix("_name").replace("_", "-")
            raise UserError(f"The parameter '{name}' is set with --{flag}, not with -p.")
    return {name: literal(value) for name, value in given}


def _audit(arguments: argparse.Namespace) -> None:
    from fairlab.audit import audit

    print(audit(**_all_of(arguments)))


def _leakage(arguments: argparse.Namespace) -> None:
    from fairlab.leakage_steps import leakage

    print(leakage(**_all_of(arguments)))


def _all_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of a command whose function takes them under the same names."""
    return {name: value for name, value in vars(arguments).items() if name != "command"}


def _discriminability(arguments: argparse.Namespace) -> None:
    from fairlab.discriminability import discriminability

    print(discriminability(**_all_of(arguments)))


def _experiment_changes(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of `Experiment` that ``run`` and ``table`` have in common."""
    first, *others = arguments.protected or [None]
    names = ("seeds", "labeller", "target_planes", "positive_share", "n_inverted")
    return (
        {"protected": first, "also_protected": tuple(others) or None}
        | {name: getattr(arguments, name) for name in names}
        | _source_changes(arguments)
        | _generator_changes(arguments)
    )


def _generator_changes(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"generator": arguments.generator, "train_gan": arguments.train_gan}


def _source_changes(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "data": arguments.data,
        "data_root": arguments.data_root,
        "table": arguments.table,
        "image_size": arguments.image_size,
    }
