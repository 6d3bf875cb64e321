"""The generator that a run draws with: the user's own, the shipped one, or one trained on the images."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fairlab import generators
from fairlab.core.errors import UserError
from fairlab.core.store import Step, Store
from fairlab.data import FaceData
from fairlab.generators import GANRecipe
from fairlab.generators.foreign import check_kind
from fairlab.workspace.source import SourceSettings

if TYPE_CHECKING:
    import torch

#: The shipped generator's recipe: some hours on two cores.
DEFAULT_GAN = GANRecipe(decay_images=250_000, ema_images=10_000)


@dataclass(frozen=True)
class GeneratorSettings:
    """Which generator; without a file, the shipped one where it fits, else one that is trained."""

    file: str | None = None  # FairLab's .safetensors, pytorch_GAN_zoo's PGAN, or a .py file of one's own
    train: bool = False  # train one even where the shipped one fits
    recipe: GANRecipe = DEFAULT_GAN  # of a generator trained here

    def __post_init__(self) -> None:
        if self.file is not None and self.train:
            raise UserError("Both --generator and --train-gan were given; choose one of them.")

    def check_size(self, image_size: int) -> None:
        """Raise UserError unless images are a multiple of the recipe's resolution."""
        if image_size < 16 or image_size % self.recipe.resolution:
            raise UserError(
                f"Images of {image_size} pixels do not fit a generator of {self.recipe.resolution}; "
                f"choose an --image-size that is a multiple of {self.recipe.resolution}."
            )

    def check_file(self) -> None:
        """Raise UserError unless the user's file is there, and nothing that is known to be something else."""
        if self.file is not None:
            check_kind(Path(self.file))

    def is_shipped(self, source: SourceSettings) -> bool:
        """Whether the generator is the one that comes with the package: for CelebA's own associations."""
        fits = source.is_drawn and source.association is None
        return fits and not self.train and self.file is None

    def given(self, source: SourceSettings, device: torch.device) -> generators.Generator | None:
        """Return the generator that is there before any training; None means: train one."""
        if self.file is not None:
            return generators.open_generator(Path(self.file), device)
        return generators.shipped_generator(device) if self.is_shipped(source) else None

    def given_fingerprint(self, source: SourceSettings) -> str | None:
        """Return what identifies the `given` generator.

        Raises
        ------
        UserError
            If the user's file cannot be read.
        """
        if self.file is None:
            return generators.shipped_fingerprint() if self.is_shipped(source) else None
        try:
            return generators.generator_fingerprint(Path(self.file))
        except OSError as error:
            raise UserError(
                f"The generator {self.file} cannot be read ({error.strerror}); check --generator."
            ) from error


def trained_generator(
    data: FaceData, recipe: GANRecipe, seed: int, store: Store, device: torch.device
) -> Step:
    """Train a generator on the training images, once for all runs that share the store.

    Returns
    -------
    Step
        With ``generator.safetensors``, its card, ``curve.jsonl`` and ``sheet.png``.
    """
    config = {"gan": dataclasses.asdict(recipe), "seed": seed}
    card = {"data": data.name, "data_fingerprint": data.fingerprint, **config}

    def make(folder: Path) -> None:
        images = data.split_images("train")
        generator = generators.train_gan(folder, images=images, recipe=recipe, seed=seed, device=device)
        generators.save_generator(generator, folder / "generator.safetensors", card)
        (folder / generators.CHECKPOINT).unlink(missing_ok=True)

    name = f"{data.name}-{recipe.resolution}"
    return store.shared_step(name, make, config=config, inputs={"data": data.fingerprint})
