"""What each command of the command line does with its arguments; what is slow to import comes late."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlab.arguments import NOTEBOOK_SETTINGS
from fairlab.core.errors import UserError

if TYPE_CHECKING:
    from fairlab.experiments.run import Run


def run(arguments: argparse.Namespace) -> None:
    """Walk one run through all steps and write its report."""
    from fairlab.studies.run.execute import execute

    execute(_run_of(arguments))


def truth(arguments: argparse.Namespace) -> None:
    """Measure one run against drawn counterfactuals."""
    from fairlab.studies.ground_truth.run import truth

    counts = {"n": arguments.faces, "n_inverted": arguments.searched, "n_moved": arguments.moved}
    print(truth(_run_of(arguments), **counts))


def _run_of(arguments: argparse.Namespace) -> Run:
    """Return the run that the arguments name."""
    from fairlab.experiments.run import Run

    return Run.of_preset(
        arguments.preset,
        arguments.home,
        name=arguments.run,
        device=arguments.device,
        target=arguments.target,
        variant=arguments.variant,
        **_experiment_changes(arguments),
    )


def table(arguments: argparse.Namespace) -> None:
    """Make a grid of targets and variants, and its tables."""
    from fairlab.studies.table.run import table

    names = ("preset", "targets", "variants", "home", "device", "jobs", "out")
    given = {name: getattr(arguments, name) for name in names}
    print(table(**given, **_experiment_changes(arguments)))


def prepare(arguments: argparse.Namespace) -> None:
    """Decode the images of a source."""
    from fairlab.experiments.presets import home_folder, preset
    from fairlab.workspace.shared import preparation_summary, prepare_data, prepared_folder, source_of

    experiment = preset(arguments.preset, **_source_changes(arguments))
    source, home = source_of(experiment), home_folder(arguments.home)
    prepare_data(source, home, experiment.image_size)
    print(preparation_summary(prepared_folder(source, home, experiment.image_size)))


def train_gan(arguments: argparse.Namespace) -> None:
    """Train a generator, or go on with it."""
    from fairlab.experiments.presets import home_folder, preset
    from fairlab.studies.generator.steps import train

    experiment = preset(arguments.preset, **_source_changes(arguments), train_gan=True)
    print(train(experiment, home_folder(arguments.home), arguments.device))


def report_gan(arguments: argparse.Namespace) -> None:
    """Measure a generator."""
    from fairlab.experiments.presets import home_folder, preset
    from fairlab.studies.generator.steps import report

    changes = _source_changes(arguments) | _generator_changes(arguments)
    experiment = preset(arguments.preset, **changes)
    home, inception = home_folder(arguments.home), arguments.inception
    print(report(experiment, home, arguments.device, inception=inception))


def notebooks(arguments: argparse.Namespace) -> None:
    """Execute the notebooks of one run."""
    from fairlab.experiments.presets import home_folder
    from fairlab.experiments.run import Run
    from fairlab.studies.notebooks.run import run_notebooks

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
    from fairlab.studies.notebooks.run import literal

    for name, _ in given:
        if name in (*NOTEBOOK_SETTINGS, "preset", "home", "run_name"):
            flag = name.removesuffix("_name").replace("_", "-")
            raise UserError(f"The parameter '{name}' is set with --{flag}, not with -p.")
    return {name: literal(value) for name, value in given}


def audit(arguments: argparse.Namespace) -> None:
    """Measure gaps in somebody's predictions."""
    from fairlab.studies.audit import audit

    print(audit(**_all_of(arguments)))


def leakage(arguments: argparse.Namespace) -> None:
    """Measure what labels give away."""
    from fairlab.studies.leakage.measure import leakage

    print(leakage(**_all_of(arguments)))


def _all_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of a command whose function takes them under the same names."""
    return {name: value for name, value in vars(arguments).items() if name != "command"}


def discriminability(arguments: argparse.Namespace) -> None:
    """Compare attributes that always go together."""
    from fairlab.studies.discriminability.measure import discriminability

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
