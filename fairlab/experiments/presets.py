"""Presets of experiments, names of runs, and the home folder."""

import dataclasses
import os
import re
from pathlib import Path
from typing import Any
from zlib import crc32

from fairlab.classifiers.recipe import Recipe
from fairlab.core.errors import UserError, nearest_names
from fairlab.experiments.experiment import Experiment
from fairlab.generators.recipe import GANRecipe
from fairlab.methods import LatentPairs, Method
from fairlab.methods.latent_pairs.generated import GeneratedFaces
from fairlab.methods.settings import label_of, read_method, settings_of
from fairlab.workspace.generator import DEFAULT_GAN, GeneratorSettings
from fairlab.workspace.source import SourceSettings

#: Classifiers trained from scratch at 64 pixels: in seconds, in minutes on two cores, with more care.
SMOKE_CLASSIFIER = Recipe(
    backbone="resnet10",
    width=16,
    epochs=2,
    batch_size=64,
    resize=32,
    crop=32,
    padding=2,
    schedule="one_cycle",
)
QUICK_CLASSIFIER = Recipe(backbone="resnet10", width=32, epochs=5, learning_rate=3e-3, schedule="one_cycle")
PHOTO_CLASSIFIER = dataclasses.replace(QUICK_CLASSIFIER, epochs=20)
FULL_CLASSIFIER = Recipe(backbone="resnet18", epochs=15, schedule="one_cycle")

#: Generators: a first look in a quarter of an hour, and one that only shows that training runs.
QUICK_GAN = GANRecipe(
    fade_images=(0, 3_000, 4_000, 8_000, 8_000), stable_images=(1_500, 4_000, 15_000, 30_000, 20_000)
)
SMOKE_GAN = GANRecipe(
    channels=(16, 16, 8, 8),
    fade_images=(0, 200, 200, 200),
    stable_images=(200, 200, 200, 400),
    batch_sizes=(16,) * 4,
    ema_images=200,
)

#: Bytes of a folder's name; file systems take 255, of which names in it that are made of it leave some.
LONGEST_NAME = 150

#: A folder that holds this file is the project's.
_MARK_OF_PROJECT = Path("notebooks", "00_biased_faces.ipynb")


def _sizes(n_fit: int, n_held_out: int, n_pairs: int, epochs: int) -> dict[str, Any]:
    """Return what methods that add images take from a preset, by field; a pair is two images."""
    latents = {"n_fit": n_fit, "n_held_out": n_held_out, "n_pairs": n_pairs}
    return {"partner": "margin", **latents, "n_added": 2 * n_pairs, "epochs": epochs}


#: Settings by preset; "sizes" are fields of methods that add images. A source's entry overrides the general
#: one.
PRESETS: dict[str, dict[str, Any]] = {
    "smoke": {
        "synthfaces_counts": (3_000, 1_000, 1_500),
        "recipe": SMOKE_CLASSIFIER,
        "gan": SMOKE_GAN,
        "sizes": _sizes(600, 300, 600, epochs=1),
        "n_resamples": 200,
        "trial": True,
    },
    "quick": {
        "synthfaces_counts": (16_000, 3_000, 20_000),
        "recipe": QUICK_CLASSIFIER,
        "gan": QUICK_GAN,
        "sizes": _sizes(10_000, 2_000, 6_000, epochs=3),
        "seeds": 3,
    },
    "full": {
        "synthfaces_counts": (60_000, 10_000, 20_000),
        "recipe": FULL_CLASSIFIER,
        "gan": DEFAULT_GAN,
        "sizes": _sizes(10_000, 5_000, 30_000, epochs=10),
        "seeds": 3,
    },
    "paper": {
        "gan": GANRecipe.paper(),
        "image_size": 128,
        "sizes": {"partner": "mirrored", "n_added": 320_000, "epochs": 20},
    },
}

#: Photographs are harder than drawings: the quick preset gives them more epochs, and one seed.
REAL_IMAGES: dict[str, dict[str, Any]] = {
    "quick": {
        "recipe": PHOTO_CLASSIFIER,
        "sizes": PRESETS["quick"]["sizes"] | {"n_pairs": 8_000, "n_added": 16_000, "epochs": 8},
        "seeds": 1,
    }
}

#: Settings by the names of the command line: fields of `SourceSettings` and of `GeneratorSettings`.
OF_SOURCE = {
    "data": "name", "data_root": "root", "labels_csv": "labels_csv", "image_size": "image_size",
    "split": "split", "split_by": "split_by",
    "synthfaces_counts": "counts", "synthfaces_association": "association",
}  # fmt: skip
OF_GENERATOR = {"generator": "file", "train_gan": "train", "gan": "recipe"}
OF_EXPERIMENT = ("target", "protected", "also_protected", "recipe", "seed", "seeds", "n_resamples")


def preset(name: str, *, method: str | None = None, **changes: Any) -> Experiment:
    """Return the experiment of a named preset, with some settings changed.

    Parameters
    ----------
    name : {"smoke", "quick", "full", "paper"}
        smoke: does it run (under a minute); quick: a result in minutes on two cores; full: a careful
        result on a workstation; paper: the published constants (wants a GPU).
    method : str, optional
        What stands beside the baseline, as `fairlab.methods.settings.read_method` reads it; by default
        "latent_pairs".
    **changes
        Settings named in `OF_EXPERIMENT`, `OF_SOURCE` and `OF_GENERATOR`, and fields of the method; None
        keeps the preset's value.

    Raises
    ------
    UserError
        If there is no such preset or setting, or a value makes no sense.
    """
    given = {key: value for key, value in changes.items() if value is not None}
    values = preset_values(name, given.get("data", "synthfaces"))
    sizes = values.pop("sizes")
    ours = (*OF_EXPERIMENT, *OF_SOURCE, *OF_GENERATOR)
    of_method = {key: value for key, value in given.items() if key not in ours}
    fields = settings_of(read_method(method or LatentPairs.name, {}))
    for key in of_method:
        if key not in fields:
            raise UserError(f"There is no setting '{key}'; {nearest_names(key, (*ours, *fields))}")
    adds_images = bool({"n_pairs", "n_added"} & set(fields))  # else a method keeps the recipe's epochs
    chosen = read_method(method or LatentPairs.name, sizes if adds_images else {}, of_method)
    values |= {key: value for key, value in given.items() if key in ours}
    values["also_protected"] = tuple(values.get("also_protected", ()))  # notebooks give lists
    return Experiment(
        source=SourceSettings(**_taken(values, OF_SOURCE)),
        generator=GeneratorSettings(**_taken(values, OF_GENERATOR)),
        method=chosen,
        pairs=_pairs_beside(chosen, sizes),
        **values,
    )


def preset_values(name: str, data: str) -> dict[str, Any]:
    """Return the settings of a preset for a data source."""
    if name not in PRESETS:
        raise UserError(f"There is no preset '{name}'; {nearest_names(name, PRESETS)}")
    real = REAL_IMAGES.get(name, {}) if data != "synthfaces" else {}
    return {**PRESETS[name], **real}


def _pairs_beside(method: Method, sizes: dict[str, Any]) -> LatentPairs:
    """Return the pairs that are shown beside a method: its latents and annotators, the paper's partner."""
    own = settings_of(method) if isinstance(method, GeneratedFaces) else sizes
    values = {name: value for name, value in own.items() if name in settings_of(LatentPairs())}
    return LatentPairs(**values | {"partner": "mirrored"})


def _taken(values: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Take the settings of one group out of `values`, under the names of its fields."""
    return {field: values.pop(name) for name, field in names.items() if name in values}


def default_name(experiment: Experiment, preset_name: str) -> str:
    """Return the run folder's name: source, preset, attributes, and what was changed from the preset."""
    source, usual = experiment.source, _usual(experiment, preset_name)
    method = label_of(experiment.method, usual.method)
    words = [] if method == LatentPairs.name else [as_folder(method)]
    changed = changed_settings(experiment, preset_name)
    attributes = map(attribute_as_folder, experiment.attributes)
    return shortened("-".join([source.name, preset_name, *attributes, *words, *changed]))


def shortened(name: str) -> str:
    """Return a folder's name, its end replaced by a checksum where file systems would not take it."""
    if len(name.encode()) <= LONGEST_NAME:
        return name
    start = name.encode()[: LONGEST_NAME - 9].decode(errors="ignore")
    return f"{start}-{crc32(name.encode()):08x}"


def changed_settings(experiment: Experiment, preset_name: str) -> list[str]:
    """Return short words for what differs from the preset, apart from attributes and method."""
    source, generator, usual = experiment.source, experiment.generator, _usual(experiment, preset_name)
    words = {
        f"{source.image_size}px": source.image_size != usual.source.image_size,
        f"split-{(source.split or '').replace('/', '-')}": source.split is not None,
        f"by-{attribute_as_folder(source.split_by or '')}": source.split_by is not None,
        "own-gan": generator.train != usual.generator.train,
        Path(generator.file or "").stem: generator.file is not None,
    }
    return [word for word, differs in words.items() if differs]


def _usual(experiment: Experiment, preset_name: str) -> Experiment:
    source = experiment.source
    return preset(preset_name, method=experiment.method.name, data=source.name, data_root=source.root)


def as_folder(label: str) -> str:
    """Return a method's label as a part of a folder's name: ``latent_pairs-partner-mirrored``."""
    return re.sub(r"[^\w.]+", "-", label)


def attribute_as_folder(attribute: str) -> str:
    """Return an attribute's name without what no folder may be called: ``wears_a_badge``."""
    plain = re.sub(r"[^\w.-]+", "_", attribute)
    return attribute if plain == attribute else plain.strip("_.") or "attribute"


def home_folder(given: str | os.PathLike[str] | None = None) -> Path:
    """Return where prepared data, generators and runs live: `given`, $FAIRLAB_HOME, or ``data``.

    ``data`` lies in the working folder, or in the project that the working folder is part of: a notebook,
    which runs in ``notebooks``, finds what the command line made one folder above.
    """
    chosen = given or os.environ.get("FAIRLAB_HOME")
    if chosen:
        return Path(chosen)
    projects = (folder for folder in Path.cwd().parents if (folder / _MARK_OF_PROJECT).is_file())
    return next((folder / "data" for folder in projects), Path("data"))
