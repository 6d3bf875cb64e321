"""Toy data and a toy workspace, in which every method trains in a second."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch

from fairlab.classifiers import Batch, Recipe
from fairlab.data import FaceData
from fairlab.data.sources import open_source
from fairlab.generators import ProgressiveGenerator, save_generator
from fairlab.methods import Method
from fairlab.methods.settings import read_method
from fairlab.workspace.generator import GeneratorSettings
from fairlab.workspace.source import SourceSettings
from fairlab.workspace.workspace import Workspace

#: One epoch is four steps of a network of some thousand weights.
RECIPE = Recipe(
    backbone="resnet10", width=4, epochs=2, batch_size=32, learning_rate=3e-3,
    resize=None, padding=2, crop=16, precision="float32",
)  # fmt: skip
COUNTS = {"train": 128, "valid": 64, "test": 64}
#: Sizes of methods that add images; two epochs, so that one can be interrupted after the first.
SIZES = {"n_fit": 64, "n_held_out": 24, "n_pairs": 32, "n_added": 64, "epochs": 2}


@dataclass(frozen=True)
class Shapes:
    """A source of bright squares (the target) on red or green ground (the protected label)."""

    name: str = "folder"
    attributes: tuple[str, ...] = ("Square", "Red", "Loud")
    left_out: ClassVar[dict[str, str]] = {}
    notes: ClassVar[tuple[str, ...]] = ()

    @property
    def counts(self):
        return COUNTS

    def fingerprint(self, size):
        return f"shapes of {size} pixels"

    def prepare(self, folder, size):
        random, n = np.random.default_rng(0), sum(COUNTS.values())
        red = random.integers(0, 2, n)
        square = np.where(random.random(n) < 0.75, red, 1 - red)  # correlated, no group is empty
        loud = random.integers(0, 2, n)
        images = random.integers(0, 60, (n, size, size, 3), np.uint8)
        images[np.arange(n), :, :, 1 - red] += 90
        images[square == 1, 4:12, 4:12] += 100
        labels = pd.DataFrame({"Square": square, "Red": red, "Loud": loud}, dtype=np.uint8)
        split = np.repeat(list(COUNTS), list(COUNTS.values()))
        return FaceData(images, labels, split, self.name, self.fingerprint(size))


def shapes(home, **changes):
    """Return a workspace of 16 px shapes, with an untrained generator of the user's own."""
    file = home / "generator.safetensors"
    if not file.exists():
        torch.manual_seed(0)
        save_generator(ProgressiveGenerator(8, (8, 8, 8)), file, {})
    settings = SourceSettings("folder", root="somewhere", image_size=16)
    options = {"target": "Square", "protected": ("Red",), "recipe": RECIPE, "trial": True} | changes
    generator = GeneratorSettings(file=str(file))
    return Workspace(Shapes(), home=home, settings=settings, generator=generator, device="cpu", **options)


def faces(home, **changes):
    """Return a workspace of 32 px SynthFaces, with the shipped generator."""
    settings = SourceSettings(image_size=32, counts=tuple(COUNTS.values()))
    source = open_source("synthfaces", n_train=128, n_valid=64, n_test=64, seed=0)
    options = {"target": "Smiling", "protected": ("Male",), "recipe": RECIPE, "trial": True} | changes
    return Workspace(source, home=home, settings=settings, device="cpu", **options)


WORKSPACES = {"shapes": shapes, "faces": faces}

#: A network of a hundred weights, for losses on made-up batches.
TINY = Recipe(
    backbone="resnet10", width=2, hidden_head=False, resize=None, padding=0, crop=16, precision="float32"
)


def made_batch(n=24, seed=0, *, weights=None, progress=0.5):
    """Return a batch of noise in which all cells occur, in turns."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(n, 3, 16, 16, generator=generator)
    labels, groups = torch.arange(n)[:, None] // 2 % 2, torch.arange(n) % 2
    return Batch(images, labels.float(), groups, weights, None, None, progress, generator)


def logits_batch(logits, labels, groups=None, seed=0):
    """Return a batch whose images are logits (n, k), for losses of which the network is the identity."""
    generator = torch.Generator().manual_seed(seed)
    return Batch(logits, labels, groups, None, None, None, 0.5, generator)


def network_of(method, work=None, seed=0):
    """Return the tiny network of a method, in training mode, with some noise in all that starts as 0."""
    return method.network(TINY, ("Square",), work, seed).train()


def small(name: str, **settings) -> Method:
    """Return a method at toy size."""
    return read_method(name, {} if name in ("erm", "oversampling") else SIZES, settings)
