"""The batches that are drawn from a training set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fairlab.classifiers.augmentation import training_batch
from fairlab.classifiers.recipe import Recipe
from fairlab.classifiers.training_set import TrainingSet
from fairlab.core import distributed


@dataclass(frozen=True, eq=False)
class Batch:
    """One step's images, with all that a loss may need of them; tensors are on the training device."""

    images: Tensor  # (b, 3, crop, crop) float32, augmented
    labels: Tensor  # (b, k) float32 in [0, 1]
    groups: Tensor | None  # (b,) int64
    weights: Tensor | None  # (b,) float32, with a mean of 1 over the training set
    partners: Tensor | None  # (b, 3, crop, crop), cropped as the images are; without one, the image itself
    has_partner: Tensor | None  # (b,) bool
    progress: float  # share of the whole training that is over, in [0, 1]
    generator: torch.Generator  # on the CPU; random numbers from (seed, epoch, process) alone


def epoch_rows(data: TrainingSet, recipe: Recipe, seed: int, epoch: int) -> list[np.ndarray]:
    """Return the rows of each batch of one epoch: every image once in a new order, or as `draws` say.

    No batch is smaller than the recipe's, which batch normalisation would feel.
    """
    random, n = np.random.default_rng((seed, epoch)), len(data)
    if data.draws is None:
        order = random.permutation(n)
    else:
        order = random.choice(n, size=n, p=data.draws / data.draws.sum())
    return np.array_split(order, max(1, n // recipe.batch_size))


def epoch_batches(
    data: TrainingSet, recipe: Recipe, seed: int, epoch: int, device: torch.device
) -> Iterator[tuple[Batch, int]]:
    """Yield this process's part of each batch of one epoch, and how many images the whole batch has."""
    columns, batches = _columns(data), epoch_rows(data, recipe, seed, epoch)
    crops, losses = (generator_of(seed, epoch, *key) for key in ((), (1,)))

    def augmented(rows: np.ndarray, generator: torch.Generator) -> Tensor:
        images = torch.from_numpy(data.images[rows]).to(device)  # (b, h, w, 3) uint8
        return training_batch(images, recipe, generator)  # (b, 3, crop, crop)

    for step, drawn in enumerate(batches):
        rows = np.sort(drawn[distributed.rank() :: distributed.world_size()])  # files like order
        partners = has_partner = None
        if data.partners is not None:
            given = data.partners[rows]
            again = torch.Generator()
            again.set_state(crops.get_state())  # cropped and mirrored as the images will be
            partners = augmented(np.where(given < 0, rows, given), again)
            has_partner = torch.from_numpy(given >= 0).to(device)
        images = augmented(rows, crops)
        labels, groups, weights = (None if c is None else c[rows].to(device) for c in columns)
        assert labels is not None
        progress = (epoch - 1 + (step + 0.5) / len(batches)) / recipe.epochs
        yield Batch(images, labels, groups, weights, partners, has_partner, progress, losses), len(drawn)


def generator_of(*key: int) -> torch.Generator:
    """Return random numbers of this process that depend on some small numbers alone: seed and epoch, say."""
    seed = np.random.SeedSequence((*key[:2], distributed.rank(), *key[2:])).generate_state(1)[0]
    return torch.Generator().manual_seed(int(seed))


def _columns(data: TrainingSet) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return labels (n, k) and weights (n,) with a mean of 1 as float32, groups (n,) as int64 tensors."""
    weights = None if data.weights is None else np.asarray(data.weights, np.float64)
    return (
        torch.from_numpy(np.asarray(data.labels, np.float32)),
        None if data.groups is None else torch.from_numpy(np.asarray(data.groups, np.int64)),
        None if weights is None else torch.from_numpy(weights / weights.mean()).float(),
    )
