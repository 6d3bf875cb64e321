"""Command ``prepare``: the images of a source, decoded once for all runs."""

from __future__ import annotations

import argparse

from fairlab.studies.arguments import SOURCE, add, source_settings

HELP = "decode the images once into data/prepared"
EXAMPLES = {
    "fairlab prepare --data celeba --data-root DIR": "only decode the images, once for all later runs",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a source."""
    add(parser, SOURCE)


def run(arguments: argparse.Namespace) -> None:
    """Decode the images of a source."""
    from fairlab.experiments.presets import home_folder, preset
    from fairlab.workspace.shared import preparation_summary, prepare_data, prepared_folder, source_of

    experiment = preset(arguments.preset, **source_settings(arguments))
    source, home = source_of(experiment), home_folder(arguments.home)
    prepare_data(source, home, experiment.image_size)
    print(preparation_summary(prepared_folder(source, home, experiment.image_size)))
