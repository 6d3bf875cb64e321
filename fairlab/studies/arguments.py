"""Arguments that several commands share, and what they mean to an experiment."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlab.core.errors import printable

if TYPE_CHECKING:
    from fairlab.experiments.run import Run

Arguments = Mapping[str, Mapping[str, Any]]


class Former(argparse.Action):
    """The former name of an argument: it still works, is not in the help, and one line names the new one."""

    def __init__(self, option_strings: list[str], dest: str, now: str = "", **options: Any) -> None:
        super().__init__(option_strings, dest, default=argparse.SUPPRESS, help=argparse.SUPPRESS, **options)
        self.now = now

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, flag: Any = None) -> None:
        """Set the value under the new name."""
        notice(f"{flag} is now {self.now}; the old name will go.")
        setattr(namespace, self.dest, values)


class FormerVariant(Former):
    """The former ``--variant`` and ``--variants``: methods now."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, flag: Any = None) -> None:
        """Set the method, or the methods."""
        from fairlab.methods.settings import FORMER_VARIANTS

        names: list[str] = values if isinstance(values, list) else [values]
        methods = [FORMER_VARIANTS.get(name, name) for name in names]
        if FORMER_VARIANTS.keys() & names:  # others are refused by name
            now = f"--{self.dest} {' '.join(methods)}"
            notice(f"{flag} {' '.join(names)} is now {now}; the old name will go.")
        setattr(namespace, self.dest, methods if isinstance(values, list) else methods[0])


class FormerSetting(Former):
    """A former argument that is a setting of the method now; `now` is the setting's name."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, value: Any, flag: Any = None) -> None:
        """Add the setting."""
        words = {"multi_label": "true", "per_attribute": "false"}
        setting = f"{self.now}={words.get(value, value)}"
        notice(f"{flag} {value} is now --set {setting}; the old name will go.")
        namespace.settings = [*namespace.settings, setting]


def notice(sentence: str) -> None:
    """Print one line that is no result."""
    print(f"fairlab: {printable(sentence)}", file=sys.stderr)


SOURCE: Arguments = {
    "--data": {
        "default": "synthfaces",
        "metavar": "SOURCE",
        "help": "synthfaces (default), celeba, or folder (your own images and one CSV)",
    },
    "--data-root": {"metavar": "DIR", "help": "folder with the source's files"},
    "--labels-csv": {
        "metavar": "CSV",
        "help": "for --data folder: the CSV of labels, when the folder has several",
    },
    "--split": {
        "metavar": "A/B/C",
        "help": "for --data folder: draw these per cents of train, valid and test, such as 80/10/10, "
        "although the CSV may have a split",
    },
    "--split-by": {
        "metavar": "COLUMN",
        "help": "for --data folder: images with one value of this column (a person, session or camera) stay "
        "in one split",
    },
    "--table": {"action": Former, "dest": "labels_csv", "now": "--labels-csv"},
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
        "help": "use this generator: a .safetensors of FairLab, a checkpoint of pytorch_GAN_zoo's "
        "progressive GAN, or a .py file of your own that makes one (it is run)",
    },
    "--train-gan": {
        "action": "store_true",
        "default": None,
        "help": "train a generator although one is shipped",
    },
}

DEVICE: Arguments = {
    "--device": {"metavar": "DEVICE", "help": "torch device (default: cuda where there is one, else cpu)"}
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
    "--method": {
        "metavar": "NAME",
        "help": "what stands beside the baseline, as `fairlab methods` lists it (default: latent_pairs)",
    },
    "--variant": {"action": FormerVariant, "dest": "method"},
    "--run": {
        "metavar": "NAME",
        "help": "name of the run folder (default: source, preset and attribute names)",
    },
}

SETTINGS: Arguments = {
    "--set": {
        "nargs": "+",
        "action": "extend",
        "default": [],
        "dest": "settings",
        "metavar": "FIELD=VALUE",
        "help": "settings of the method, as `fairlab methods` lists them, such as partner=mirrored use=z",
    },
    "--labeller": {"action": FormerSetting, "dest": "settings", "now": "multi_label"},
    "--target-planes": {"action": FormerSetting, "dest": "settings", "now": "target_planes"},
    "--positive-share": {"action": FormerSetting, "dest": "settings", "now": "positive_share"},
    "--inverted": {"action": FormerSetting, "dest": "settings", "now": "n_inverted"},
}

#: Arguments that name one run.
ONE_RUN: Arguments = {**SOURCE, **RUN, **SETTINGS, **GENERATOR, **DEVICE}


def add(parser: argparse.ArgumentParser, *groups: Arguments) -> None:
    """Add groups of arguments to a parser."""
    for flag, options in (item for group in groups for item in group.items()):
        parser.add_argument(flag, **options)


def source_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that `SOURCE` makes."""
    return _chosen(arguments, "data", "data_root", "labels_csv", "split", "split_by", "image_size")


def generator_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that `GENERATOR` makes."""
    return _chosen(arguments, "generator", "train_gan")


def experiment_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that all commands with runs have in common."""
    first, *others = arguments.protected or [None]
    protected = {"protected": first, "also_protected": others or None}
    return (
        protected | _chosen(arguments, "seeds") | source_settings(arguments) | generator_settings(arguments)
    )


def method_settings(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the settings of the method that ``--set`` gives, as text."""
    from fairlab.methods.settings import read_settings

    return read_settings(arguments.settings)


def method_text(arguments: argparse.Namespace) -> str:
    """Return method and settings in the form of `fairlab.methods.settings.read_method`."""
    name = arguments.method or "latent_pairs"
    settings = ",".join(arguments.settings)
    return name + ((("," if ":" in name else ":") + settings) if settings else "")


def run_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what `ONE_RUN` says beside preset and home, as `Run.of_preset` takes it."""
    own = {"name": arguments.run, "device": arguments.device, "target": arguments.target}
    if arguments.method or arguments.settings:
        own["method"] = method_text(arguments)
    given = own | experiment_settings(arguments)
    return {name: value for name, value in given.items() if value is not None}


def named_run(arguments: argparse.Namespace) -> Run:
    """Return the run that `ONE_RUN` names."""
    from fairlab.experiments.run import Run

    return Run.of_preset(arguments.preset, arguments.home, **run_settings(arguments))


def _chosen(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in names}
