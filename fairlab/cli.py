"""The command line: assembles arguments, holds no method."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fairlab import __version__
from fairlab.errors import UserError

DESCRIPTION = """\
See an image classifier become unfair, walk a GAN's latent space, and repair the classifier.

The method (Ramaswamy, Kim, Russakovsky, CVPR 2021): train a classifier for a TARGET attribute on images in
which it is correlated with a PROTECTED attribute; sample faces from a GAN; for each face z make a partner z'
that keeps the target label and flips the protected one; train again on the real images and all pairs.
"""

EXAMPLES = """\
examples:
  fairlab run                                    the default experiment, on drawn faces (SynthFaces)
  fairlab run --preset smoke                     the same in under a minute, to see that everything works
  fairlab run --target Smiling --seeds 3         another target, three training seeds
  fairlab run --data celeba --data-root DIR --target Smiling --protected Male
  fairlab run --data folder --data-root DIR --target wears_badge --protected night_shift
  fairlab run --generator my_gan.pth             with the GAN you have
  fairlab prepare --data celeba --data-root DIR  only decode the images, once for all later runs
  fairlab gan train                              train the shipped generator again
  fairlab gan report                             what a generator draws, and what it leaves out
  fairlab notebooks --preset smoke               the six notebooks without a browser, as pages to read

Interrupt a run whenever you like: the same command goes on where it stopped. Results are in
data/runs/RUN: report.html to read, metrics.csv to compute with, manifest.json to cite.

"Male" and the other attribute names are annotators' labels of how a face appears in one picture, not
identities. Do not use FairLab, or a classifier trained with it, to decide about people.
"""


SOURCE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--data": {
        "default": "synthfaces",
        "metavar": "SOURCE",
        "help": "synthfaces (default), celeba, or folder (your own images and one CSV)",
    },
    "--data-root": {"metavar": "DIR", "help": "folder with the source's files"},
    "--table": {"metavar": "CSV", "help": "for --data folder: the CSV, when the folder has several"},
    "--preset": {
        "default": "quick",
        "metavar": "NAME",
        "help": "smoke (does it run), quick (minutes on two cores, default), full (workstation), "
        "paper (the published constants; wants a GPU)",
    },
    "--image-size": {"type": int, "metavar": "PX", "help": "side of the stored images (default: 64)"},
    "--home": {
        "type": Path,
        "metavar": "DIR",
        "help": "where prepared data, generators and runs live (default: $FAIRLAB_HOME or ./data)",
    },
}

GENERATOR_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--generator": {
        "metavar": "FILE",
        "help": "use this generator: a .safetensors of FairLab, or a checkpoint of pytorch_GAN_zoo's "
        "progressive GAN",
    },
    "--train-gan": {
        "action": "store_true",
        "default": None,
        "help": "train a generator although one is shipped",
    },
}

DEVICE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--device": {"metavar": "DEVICE", "help": "torch device (default: cuda where there is one, else cpu)"},
}

RUN_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--target": {"metavar": "NAME", "help": "attribute to classify (default: Eyeglasses)"},
    "--protected": {"metavar": "NAME", "help": "attribute whose influence to remove (default: Male)"},
    "--seeds": {"type": int, "metavar": "N", "help": "train both classifiers N times"},
    "--variant": {
        "metavar": "NAME",
        "help": "which partner z': just_across (default), paired (the paper's), on_hyperplane, "
        "perpendicular, perpendicular_on_hyperplane",
    },
    "--run": {
        "metavar": "NAME",
        "help": "name of the run folder (default: source, preset and attribute names)",
    },
}

NOTEBOOKS_ARGUMENTS: dict[str, dict[str, Any]] = {
    "--only": {
        "nargs": "+",
        "action": "extend",
        "default": [],
        "metavar": "NOTEBOOK",
        "help": "numbers or beginnings of names, such as 03 or 03_hyperplanes (default: all)",
    },
    "-p": {
        "nargs": 2,
        "action": "append",
        "default": [],
        "metavar": ("NAME", "VALUE"),
        "help": "a further parameter of a notebook; True, False, None and numbers are read as such",
    },
}

#: Settings of a run that every notebook has as a parameter, beside "preset", "home" and "run_name".
NOTEBOOK_SETTINGS = ("data", "data_root", "table", "target", "protected", "variant", "seeds", "generator")


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
    _add_prepare(commands)
    _add_gan(commands)
    _add_notebooks(commands)
    return parser


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run", help="the whole method: baseline, latents, pairs, de-biased classifier, table"
    )
    _add_arguments(run, SOURCE_ARGUMENTS, RUN_ARGUMENTS, GENERATOR_ARGUMENTS, DEVICE_ARGUMENTS)
    run.set_defaults(command=_run)


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
    return {flag: options for flag, options in groups.items() if flag in flags}


def _add_arguments(parser: argparse.ArgumentParser, *groups: dict[str, dict[str, Any]]) -> None:
    for flag, options in (item for group in groups for item in group.items()):
        parser.add_argument(flag, **options)


def _run(arguments: argparse.Namespace) -> None:
    # Imported late: torch takes seconds, and --help should not.
    from fairlab.execute import execute
    from fairlab.pipeline import Run

    run = Run.of_preset(
        arguments.preset,
        arguments.home,
        name=arguments.run,
        device=arguments.device,
        **_source_changes(arguments),
        target=arguments.target,
        protected=arguments.protected,
        seeds=arguments.seeds,
        variant=arguments.variant,
        **_generator_changes(arguments),
    )
    execute(run)


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


def _generator_changes(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"generator": arguments.generator, "train_gan": arguments.train_gan}


def _source_changes(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "data": arguments.data,
        "data_root": arguments.data_root,
        "table": arguments.table,
        "image_size": arguments.image_size,
    }
