"""The presets that fill in an `Experiment`, what its run is called, and where everything lives."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from fairlab.classifiers.recipe import Recipe
from fairlab.core.errors import UserError, nearest_names
from fairlab.experiments.experiment import DEFAULT_GAN, Experiment
from fairlab.generators.recipe import GANRecipe

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
    fade_images=(0, 3_000, 4_000, 8_000, 8_000),
    stable_images=(1_500, 4_000, 15_000, 30_000, 20_000),
)
SMOKE_GAN = GANRecipe(
    channels=(16, 16, 8, 8),
    fade_images=(0, 200, 200, 200),
    stable_images=(200, 200, 200, 400),
    batch_sizes=(16,) * 4,
    ema_images=200,
)

#: A folder that holds this file is the project's.
_MARK_OF_PROJECT = Path("notebooks", "00_biased_faces.ipynb")

#: What each preset sets; a preset's entry for a source overrides its general one.
PRESETS: dict[str, dict[str, Any]] = {
    "smoke": {
        "variant": "just_across",
        "synthfaces_counts": (3_000, 1_000, 1_500),
        "classifier": SMOKE_CLASSIFIER,
        "generated_epochs": 1,
        "gan": SMOKE_GAN,
        "n_fit": 600,
        "n_held_out": 300,
        "n_pairs": 600,
        "n_resamples": 200,
    },
    "quick": {
        "variant": "just_across",
        "synthfaces_counts": (16_000, 3_000, 20_000),
        "classifier": QUICK_CLASSIFIER,
        "generated_epochs": 3,
        "gan": QUICK_GAN,
        "n_fit": 10_000,
        "n_held_out": 2_000,
        "n_pairs": 6_000,
        "seeds": 3,
    },
    "full": {
        "variant": "just_across",
        "synthfaces_counts": (60_000, 10_000, 20_000),
        "classifier": FULL_CLASSIFIER,
        "generated_epochs": 10,
        "gan": DEFAULT_GAN,
        "n_fit": 10_000,
        "n_held_out": 5_000,
        "n_pairs": 30_000,
        "seeds": 3,
    },
    "paper": {"gan": GANRecipe.paper(), "image_size": 128},
}

#: Photographs are harder than drawings: the quick preset gives them more epochs, and one seed.
REAL_IMAGES: dict[str, dict[str, Any]] = {
    "quick": {"classifier": PHOTO_CLASSIFIER, "generated_epochs": 8, "n_pairs": 8_000, "seeds": 1},
}


def preset(name: str, **changes: Any) -> Experiment:
    """Return the experiment of a named preset, with some fields changed.

    Parameters
    ----------
    name : {"smoke", "quick", "full", "paper"}
        smoke: does it run (under a minute); quick: a result in minutes on two cores; full: a careful
        result on a workstation; paper: the published constants (wants a GPU).
    **changes
        Fields of `Experiment` to replace; None keeps the preset's value.

    Raises
    ------
    UserError
        If there is no such preset, or a field's value makes no sense.
    """
    if name not in PRESETS:
        raise UserError(f"There is no preset '{name}'; {nearest_names(name, PRESETS)}")
    given = {key: value for key, value in changes.items() if value is not None}
    real = REAL_IMAGES.get(name, {}) if given.get("data", "synthfaces") != "synthfaces" else {}
    return Experiment(**{**PRESETS[name], **real, **given})


def default_name(experiment: Experiment, preset_name: str) -> str:
    """Return the run folder's name: source, preset, attributes, and what was changed from the preset."""
    e = experiment
    plain = preset(preset_name, data=e.data, data_root=e.data_root)
    variant = [e.variant] if e.variant != plain.variant else []
    return "-".join([e.data, preset_name, *e.attributes, *variant, *changed_settings(e, preset_name)])


def changed_settings(experiment: Experiment, preset_name: str) -> list[str]:
    """Return short words for what differs from the preset, apart from attributes and variant."""
    e = experiment
    plain = preset(preset_name, data=e.data, data_root=e.data_root)
    words = {
        f"{e.image_size}px": e.image_size != plain.image_size,
        e.labeller.replace("_", "-"): e.labeller != plain.labeller,
        "planes-by-group": e.target_planes != plain.target_planes,
        f"{100 * (e.positive_share or 0):g}pc-positive": e.positive_share is not None,
        f"{e.n_inverted}-inverted": e.n_inverted > 0,
        "own-gan": e.train_gan != plain.train_gan,
        Path(e.generator or "").stem: e.generator is not None,
    }
    return [word for word, differs in words.items() if differs]


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
