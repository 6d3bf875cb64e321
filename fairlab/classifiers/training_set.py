"""Training sets: images with labels, groups, weights and partners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from fairlab.classifiers.images import Concatenated, ImageArray
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
