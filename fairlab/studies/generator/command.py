"""Command ``gan``: a generator trained, or measured."""

import argparse

from fairlab.studies.arguments import DEVICE, GENERATOR, SOURCE, add, generator_settings, source_settings

HELP = "train a generator, or measure one"
EXAMPLES = {
    "fairlab gan train": "train the shipped generator again",
    "fairlab gan report": "what a generator draws, and what it leaves out",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two actions; their default is what is shipped, since the quick preset's is a first look."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    train = actions.add_parser(
        "train", help="train a progressive GAN on a source's training images, or go on with it"
    )
    add(train, SOURCE, DEVICE)
    train.set_defaults(action=_train, preset="full")
    report = actions.add_parser(
        "report", help="measure a generator: distance, coverage, attributes, latent space, copies"
    )
    add(report, SOURCE, GENERATOR, DEVICE)
    report.add_argument(
        "--inception", action="store_true", help="also measure in Inception's features (needs torch-fidelity)"
    )
    report.set_defaults(action=_report, preset="full")


def run(arguments: argparse.Namespace) -> None:
    """Train a generator, or measure one."""
    arguments.action(arguments)


def _train(arguments: argparse.Namespace) -> None:
    from fairlab.experiments.presets import home_folder, preset

    experiment = preset(arguments.preset, **source_settings(arguments), train_gan=True)
    from fairlab.studies.generator.execute import train

    print(train(experiment, home_folder(arguments.home), arguments.device))


def _report(arguments: argparse.Namespace) -> None:
    from fairlab.experiments.presets import home_folder, preset

    experiment = preset(arguments.preset, **source_settings(arguments), **generator_settings(arguments))
    from fairlab.studies.generator.execute import report

    home, inception = home_folder(arguments.home), arguments.inception
    print(report(experiment, home, arguments.device, inception=inception))
