"""Training sets and the batches that are drawn from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from fairlab.classifiers.augmentation import training_batch
from fairlab.classifiers.images import Concatenated, ImageArray
from fairlab.classifiers.recipe import Recipe
from fairlab.core import distributed
from fairlab.core.errors import UserError


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What a classifier learns from: images, labels, groups, and how much each image counts.

    Two sets are joined with ``+``. Weights and chances are relative within their set, so both sets count as
    their numbers of images; what only one of them has is filled with what says nothing (the mean, no
    partner), or dropped where nothing is known (groups).
    """

    images: ImageArray  # (n, h, w, 3) uint8, on disk if large
    labels: np.ndarray  # (n, k) in [0, 1]: one column an attribute; between 0 and 1 they are soft
    groups: np.ndarray | None = None  # (n,) class numbers of the protected label; None: not known
    weights: np.ndarray | None = None  # (n,) of each image's loss, not negative; scaled to a mean of 1
    draws: np.ndarray | None = None  # (n,) chance of being drawn, anew each epoch; None: each image once
    partners: np.ndarray | None = None  # (n,) row of each image's partner, -1 for none
    inputs: Mapping[str, str] = field(default_factory=dict)  # fingerprints of all that this was made from
    images_before: int = 0  # through the backbone, in trainings of which this is the result

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __add__(self, other: TrainingSet) -> TrainingSet:
        """Return the images of both, `self` first."""
        return TrainingSet(
            Concatenated([self.images, other.images]),
            np.concatenate([self.labels, other.labels]),
            None if self.groups is None or other.groups is None else np.append(self.groups, other.groups),
            _joined_relative(self, other, "weights"),
            _joined_relative(self, other, "draws"),
            _joined_partners(self, other),
            _joined_inputs(self.inputs, other.inputs),
            self.images_before + other.images_before,
        )

    def without_groups(self) -> TrainingSet:
        """Return the same images for a method that never looks at the protected label."""
        inputs = {name: mark for name, mark in self.inputs.items() if name != "groups"}
        return replace(self, groups=None, inputs=inputs)

    def known_groups(self) -> np.ndarray:
        """Return the groups, (n,).

        Raises
        ------
        UserError
            If the protected label of some images is not known.
        """
        if self.groups is None:
            raise UserError("This method needs the protected label of every training image; choose another.")
        return self.groups

    def check(self, attributes: tuple[str, ...]) -> None:
        """Refuse what cannot be learnt from.

        Raises
        ------
        UserError
            Saying which shapes do not fit, or which values are out of range.
        """
        if self.labels.shape != (len(self), len(attributes)):
            raise UserError(
                f"Labels of shape {self.labels.shape} do not fit {len(self)} images and {len(attributes)} "
                "attributes; give one row per image and one column per attribute."
            )
        if len(self) < 2 or not ((self.labels >= 0) & (self.labels <= 1)).all():
            raise UserError("Training needs at least two images, and labels that are 0 or 1, or between.")
        for name, column in zip(attributes, self.labels.T, strict=True):
            if column.min() == column.max():
                raise UserError(
                    f"All {len(column)} training images have {name} = {column[0]}; use more images or "
                    "another attribute."
                )
        for what, values in (("Sample weights", self.weights), ("Chances of being drawn", self.draws)):
            if values is not None and not _are_weights(values, len(self)):
                raise UserError(f"{what} must be {len(self)} numbers, not negative and not all 0.")
        if self.groups is not None and self.groups.shape != (len(self),):
            raise UserError(
                f"Groups of shape {self.groups.shape} do not fit {len(self)} images; give one each."
            )
        if self.partners is not None and not (
            self.partners.shape == (len(self),) and (self.partners < len(self)).all()
        ):
            raise UserError(f"Partners must be {len(self)} rows of these images, or -1 for none.")


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


def _are_weights(values: np.ndarray, n: int) -> bool:
    values = np.asarray(values, np.float64)
    return values.shape == (n,) and bool((values >= 0).all() and np.isfinite(values).all() and values.any())


def _joined_relative(first: TrainingSet, second: TrainingSet, name: str) -> np.ndarray | None:
    """Join weights or chances, each set's with a mean of 1, so that neither counts more for its scale."""
    columns = [getattr(data, name) for data in (first, second)]
    if columns[0] is None and columns[1] is None:
        return None
    sets = zip(columns, (first, second), strict=True)
    return np.concatenate([np.ones(len(data)) if c is None else c / np.mean(c) for c, data in sets])


def _joined_partners(first: TrainingSet, second: TrainingSet) -> np.ndarray | None:
    """Join rows of partners; those of the second set lie behind the first."""
    if first.partners is None and second.partners is None:
        return None
    rows = [np.full(len(d), -1) if d.partners is None else d.partners for d in (first, second)]
    return np.append(rows[0], np.where(rows[1] < 0, -1, rows[1] + len(first)))


def _joined_inputs(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Join fingerprints; two that have one name must both count."""
    both = {name: f"{first[name]}+{mark}" for name, mark in second.items() if first.get(name, mark) != mark}
    return {**first, **second, **both}
