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
    from fairlab.experiments.run import workspace_of
    from fairlab.workspace.source import preparation_summary, prepared_folder

    experiment = preset(arguments.preset, **source_settings(arguments))
    work = workspace_of(experiment, home_folder(arguments.home))
    work.prepare()
    print(preparation_summary(prepared_folder(work.source, work.home, work.image_size)))
