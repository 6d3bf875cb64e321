"""Arguments that several commands share, and what they mean to an experiment."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairlab.experiments.run import Run

Arguments = Mapping[str, Mapping[str, Any]]


class Renamed(argparse.Action):
    """The former name of an argument: it still works, and one line names the new one.

    ``add_argument("--table", action=Renamed, dest="table", now="--labels-csv")``
    """

    def __init__(self, option_strings: list[str], dest: str, now: str, **options: Any) -> None:
        super().__init__(option_strings, dest, default=argparse.SUPPRESS, help=argparse.SUPPRESS, **options)
        self.now = now

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, flag: Any = None) -> None:
        """Set the value under the new name."""
        notice(f"{flag} is now {self.now}; the old name will go.")
        setattr(namespace, self.dest, values)


def notice(sentence: str) -> None:
    """Print one line that is no result."""
    print(f"fairlab: {sentence}", file=sys.stderr)


SOURCE: Arguments = {
    "--data": {
        "default": "synthfaces",
        "metavar": "SOURCE",
        "help": "synthfaces (default), celeba, or folder (your own images and one CSV)",
    },
    "--data-root": {"metavar": "DIR", "help": "folder with the source's files"},
    "--labels-csv": {
        "dest": "table",
        "metavar": "CSV",
        "help": "for --data folder: the CSV of labels, when the folder has several",
    },
    "--table": {"action": Renamed, "dest": "table", "now": "--labels-csv"},
    "--preset": {
        "default": "quick",
        "metavar": "NAME",
        "help": "smoke (does it run), quick (minutes on two cores), full (workstation), paper (the published "
        "constants; wants a GPU) (default: %(default)s)",
    },
    "--image-size": {
        "type": int,
        "metavar": "PX",
        "help": "side of the stored images (default: 64; paper: 128)",
    },
    "--home": {
        "type": Path,
        "metavar": "DIR",
        "help": "where prepared data, generators and runs live (default: $FAIRLAB_HOME or ./data)",
    },
}

GENERATOR: Arguments = {
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

DEVICE: Arguments = {
    "--device": {"metavar": "DEVICE", "help": "torch device (default: cuda where there is one, else cpu)"},
}

RUN: Arguments = {
    "--target": {"metavar": "NAME", "help": "attribute to classify (default: Eyeglasses)"},
    "--protected": {
        "nargs": "+",
        "metavar": "NAME",
        "help": "attribute whose influence to remove (default: Male); of several, all combinations flip, and "
        "table measures the first",
    },
    "--seeds": {
        "type": int,
        "metavar": "N",
        "help": "train both classifiers N times (default: the preset's)",
    },
    "--variant": {
        "metavar": "NAME",
        "help": "what is added: pairs with a partner z' (just_across, default but of --preset paper; "
        "paired, the paper's; on_hyperplane; perpendicular; perpendicular_on_hyperplane), one half of them "
        "(z_only, z_prime_only), or a control (unpaired, oversampling, unbiased_faces)",
    },
    "--run": {
        "metavar": "NAME",
        "help": "name of the run folder (default: source, preset and attribute names)",
    },
}

EXTENSIONS: Arguments = {
    "--labeller": {
        "metavar": "NAME",
        "help": "who labels generated images: per_attribute (one classifier for each, the paper's) or "
        "multi_label (one for all attributes) (default: per_attribute; of table: multi_label)",
    },
    "--target-planes": {
        "metavar": "NAME",
        "help": "one (default) hyperplane for the target, or by_group: one within each protected group",
    },
    "--positive-share": {
        "type": float,
        "metavar": "SHARE",
        "help": "fit hyperplanes to latents of which this share, 0..1, is positive (default: as they are)",
    },
    "--inverted": {
        "dest": "n_inverted",
        "type": int,
        "metavar": "N",
        "help": "instead of pairs of random latents, add counterparts of N real training images",
    },
}

#: Arguments that name one run.
ONE_RUN: Arguments = {**SOURCE, **RUN, **EXTENSIONS, **GENERATOR, **DEVICE}


def add(parser: argparse.ArgumentParser, *groups: Arguments) -> None:
    """Add groups of arguments to a parser."""
    for flag, options in (item for group in groups for item in group.items()):
        parser.add_argument(flag, **options)


def source_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of `Experiment` that `SOURCE` sets."""
    return _chosen(arguments, "data", "data_root", "table", "image_size")


def generator_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of `Experiment` that `GENERATOR` sets."""
    return _chosen(arguments, "generator", "train_gan")


def experiment_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of `Experiment` that all commands with runs set."""
    first, *others = arguments.protected or [None]
    protected = {"protected": first, "also_protected": tuple(others) or None}
    extensions = _chosen(arguments, "seeds", "labeller", "target_planes", "positive_share", "n_inverted")
    return protected | extensions | source_settings(arguments) | generator_settings(arguments)


def named_run(arguments: argparse.Namespace) -> Run:
    """Return the run that `ONE_RUN` names."""
    from fairlab.experiments.run import Run

    return Run.of_preset(
        arguments.preset,
        arguments.home,
        name=arguments.run,
        device=arguments.device,
        target=arguments.target,
        variant=arguments.variant,
        **experiment_settings(arguments),
    )


def _chosen(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in names}
