"""Command ``truth``: one run measured against drawn counterfactuals."""

import argparse

from fairlab.studies.arguments import ONE_RUN, Arguments, Former, add, named_run

HELP = "what only drawn faces can show: do pairs, planes and classifiers do what they claim"
EXAMPLES = {"fairlab truth": "what only drawn faces can show of a run's pairs and planes"}

OWN: Arguments = {
    "--faces": {
        "type": int,
        "default": 2000,
        "metavar": "N",
        "help": "test faces drawn with and without the protected attribute (2000)",
    },
    "--inverted-faces": {
        "type": int,
        "default": 64,
        "metavar": "N",
        "help": "of these, brought into the latent space; a second or more each (64)",
    },
    "--searched": {"action": Former, "dest": "inverted_faces", "type": int, "now": "--inverted-faces"},
    "--moved": {"type": int, "default": 200, "metavar": "N", "help": "latents moved along directions (200)"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a run, and how many faces to look at."""
    add(parser, OWN, ONE_RUN)


def run(arguments: argparse.Namespace) -> None:
    """Measure one run against drawn counterfactuals."""
    run = named_run(arguments)
    from fairlab.studies.ground_truth.execute import truth

    counts = {"n": arguments.faces, "n_inverted": arguments.inverted_faces, "n_moved": arguments.moved}
    print(truth(run, **counts))
