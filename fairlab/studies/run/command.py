"""Command ``run``: the whole method, from images to a report."""

import argparse

from fairlab.studies.arguments import ONE_RUN, add, named_run

HELP = "the whole method: baseline, latents, pairs, de-biased classifier, table"
EXAMPLES = {
    "fairlab run": "the default experiment, on drawn faces (SynthFaces)",
    "fairlab run --preset smoke": "the same in under a minute, to see that everything works",
    "fairlab run --target Smiling --seeds 5": "another target, five training seeds",
    "fairlab run --data celeba --data-root DIR --target Smiling --protected Male": "",
    "fairlab run --data folder --data-root DIR --target wears_badge --protected night_shift": "",
    "fairlab run --generator my_gan.pth": "with the GAN you have",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a run."""
    add(parser, ONE_RUN)


def run(arguments: argparse.Namespace) -> None:
    """Walk one run through all steps and write its report."""
    run = named_run(arguments)  # refuses what is wrong before torch and matplotlib are imported
    from fairlab.studies.run.execute import execute

    execute(run)
