"""What runs share: data sources, prepared images, and generators trained on them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from fairlab.core.errors import UserError
from fairlab.core.files import sha256
from fairlab.core.store import Step, Store
from fairlab.data import FaceData
from fairlab.data.facedata import read_manifest
from fairlab.data.sources import Source, open_source
from fairlab.experiments.experiment import Experiment
from fairlab.generators import (
    GANRecipe,
    Generator,
    open_generator,
    save_generator,
    shipped_generator,
    train_gan,
)
from fairlab.generators.files import shipped_fingerprint
from fairlab.generators.training import CHECKPOINT


def source_of(experiment: Experiment) -> Source:
    """Open the source that an experiment names; checks its root and reads its labels, but no image."""
    e = experiment
    if e.data == "celeba":
        return open_source("celeba", e.data_root)
    if e.data == "folder":
        return open_source("folder", e.data_root, table=e.table)
    counts: dict[str, Any] = dict(zip(("n_train", "n_valid", "n_test"), e.synthfaces_counts, strict=True))
    dial = e.synthfaces_association
    pairs = {} if dial is None else {(e.target, e.protected): dial}
    return open_source("synthfaces", **counts, seed=e.seed, associations=pairs)


def prepare_data(source: Source, home: Path, size: int) -> FaceData:
    """Return a source's images at `size` pixels, decoded once for all runs into ``home/prepared``."""
    return source.prepare(prepared_folder(source, home, size), size)


def prepared_folder(source: Source, home: Path, size: int) -> Path:
    """Return where a source's images at `size` pixels are, or will be."""
    mark = source.fingerprint(size)
    return Store(home / "prepared").root / f"{source.name}-{size}-{mark[:8]}"


def preparation_summary(folder: Path) -> str:
    """Say how many images a prepared folder has, and how many could not be used."""
    manifest = read_manifest(folder)
    counts = manifest["counts"]
    parts = [f"{counts['images']:,} images of {manifest['size']} pixels are prepared in {folder}"]
    if counts["broken"]:
        parts.append(f"{counts['broken']:,} could not be read and are listed in its prepared.json")
    if without := manifest["settings"].get("rows_without_image"):
        parts.append(f"{without:,} labelled rows have no image")
    return "; ".join(parts) + "."


def given_generator(experiment: Experiment, device: torch.device) -> Generator | None:
    """Return the generator that is there before any training: the user's own, or the shipped one if it fits.

    The shipped one fits SynthFaces with CelebA's own associations. None means: train one.
    """
    if experiment.generator is not None:
        return open_generator(Path(experiment.generator), device)
    return shipped_generator(device) if uses_shipped_generator(experiment) else None


def given_fingerprint(experiment: Experiment) -> str | None:
    """Return what identifies the `given_generator`.

    Raises
    ------
    UserError
        If the user's file cannot be read.
    """
    if experiment.generator is not None:
        try:
            return sha256(Path(experiment.generator))
        except OSError as error:
            raise UserError(
                f"The generator {experiment.generator} cannot be read ({error.strerror}); check --generator."
            ) from error
    return shipped_fingerprint() if uses_shipped_generator(experiment) else None


def uses_shipped_generator(e: Experiment) -> bool:
    """Whether the experiment's generator is the one that comes with the package."""
    fits = e.data == "synthfaces" and e.synthfaces_association is None
    return fits and not e.train_gan and e.generator is None


def trained_generator(data: FaceData, recipe: GANRecipe, seed: int, home: Path, device: torch.device) -> Step:
    """Train a generator on the training images, once for all runs, into ``home/generators``.

    Returns
    -------
    Step
        With ``generator.safetensors``, its card, ``curve.jsonl`` and ``sheet.png``.
    """
    config = {"gan": dataclasses.asdict(recipe), "seed": seed}
    card = {"data": data.name, "data_fingerprint": data.fingerprint, **config}

    def make(folder: Path) -> None:
        images = data.split_images("train")
        generator = train_gan(folder, images=images, recipe=recipe, seed=seed, device=device)
        save_generator(generator, folder / "generator.safetensors", card)
        (folder / CHECKPOINT).unlink(missing_ok=True)

    store = Store(home / "generators", shared=True)
    name = f"{data.name}-{recipe.resolution}"
    return store.shared_step(name, make, config=config, inputs={"data": data.fingerprint})
