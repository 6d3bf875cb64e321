"""Training sets and the batches that are drawn from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from fairlab.classifiers.images import Concatenated, ImageArray
from fairlab.classifiers.recipe import Recipe
from fairlab.core.errors import UserError


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What a classifier learns from: images, labels, groups, and how much each image counts.

    Two sets are joined with ``+``: what only one of them has is filled with what says nothing (weight 1, no
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
            None if self.groups is None or other.groups is None else _joined(self.groups, other.groups),
            _filled(self, other, "weights", 1.0),
            _filled(self, other, "draws", 1.0),
            _joined_partners(self, other),
            {**self.inputs, **other.inputs},
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


def columns_of(data: TrainingSet) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return labels (n, k) and weights (n,) with a mean of 1 as float32, groups (n,) as int64 tensors."""
    weights = None if data.weights is None else np.asarray(data.weights, np.float64)
    return (
        torch.from_numpy(np.asarray(data.labels, np.float32)),
        None if data.groups is None else torch.from_numpy(np.asarray(data.groups, np.int64)),
        None if weights is None else torch.from_numpy(weights / weights.mean()).float(),
    )


def epoch_batches(data: TrainingSet, recipe: Recipe, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """Yield the rows of each batch of one epoch: every image once in a new order, or as `draws` say.

    No batch is smaller than the recipe's, which batch normalisation would feel.
    """
    random, n = np.random.default_rng((seed, epoch)), len(data)
    if data.draws is None:
        order = random.permutation(n)
    else:
        order = random.choice(n, size=n, p=data.draws / data.draws.sum())
    yield from np.array_split(order, max(1, n // recipe.batch_size))


def _are_weights(values: np.ndarray, n: int) -> bool:
    values = np.asarray(values, np.float64)
    return values.shape == (n,) and bool((values >= 0).all() and np.isfinite(values).all() and values.any())


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.concatenate([first, second])


def _filled(first: TrainingSet, second: TrainingSet, name: str, neutral: float) -> np.ndarray | None:
    """Join a column that one of two sets may lack."""
    columns = [getattr(data, name) for data in (first, second)]
    if columns[0] is None and columns[1] is None:
        return None
    sets = zip(columns, (first, second), strict=True)
    return _joined(*(np.full(len(data), neutral) if c is None else c for c, data in sets))


def _joined_partners(first: TrainingSet, second: TrainingSet) -> np.ndarray | None:
    """Join rows of partners; those of the second set lie behind the first."""
    if second.partners is None:
        return _filled(first, second, "partners", -1)
    moved = np.where(second.partners < 0, -1, second.partners + len(first))
    return _filled(first, replace(second, partners=moved), "partners", -1)
