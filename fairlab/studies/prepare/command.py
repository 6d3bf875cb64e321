"""Command ``prepare``: the images of a source, decoded once for all runs."""

import argparse

from fairlab.studies.arguments import SOURCE, add, source_settings

HELP = "decode the images once into data/prepared"
EXAMPLES = {
    "fairlab prepare --data celeba --data-root DIR": "only decode the images, once for all later runs"
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a source."""
    add(parser, SOURCE)


def run(arguments: argparse.Namespace) -> None:
    """Decode the images of a source."""
    from fairlab.experiments.presets import home_folder, preset
    from fairlab.workspace.source import preparation_summary, prepare_data, prepared_folder

    experiment, home = preset(arguments.preset, **source_settings(arguments)), home_folder(arguments.home)
    source = experiment.source.open(experiment.target, experiment.protected, experiment.seed)
    size = experiment.source.image_size
    prepare_data(source, home, size)  # all attributes that there are: none is asked for here
    print(preparation_summary(source, prepared_folder(source, home, size)))
