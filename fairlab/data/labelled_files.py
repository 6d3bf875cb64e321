"""What CelebA and a folder of your own have in common: image files, a label table and a split."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from fairlab.data.binary_columns import left_out_sentence
from fairlab.data.facedata import SPLITS, FaceData
from fairlab.data.files import ImageFiles
from fairlab.data.plan import Plan, fingerprint_of, fingerprint_of_table
from fairlab.data.prepare import prepare
from fairlab.data.repeats import shared_people


class LabelledFiles(ABC):
    """A source that decodes one image file per row of a label table.

    Parameters
    ----------
    root : Path
        The user's folder.
    files : ImageFiles
        Where the images are; has every id of `labels`.
    labels : DataFrame, n rows
        Index: file name. One uint8 column of 0/1 per attribute.
    split : ndarray, shape (n,)
        "train", "valid" or "test".
    identity : ndarray of str, shape (n,), optional
        Whose picture each image is; intervals then draw people and not images.
    """

    name: str
    geometry: ClassVar[dict[str, Any]]  # how an image becomes a square; part of the fingerprint
    without_image = 0  # rows of the table that were left out
    table: Path  # where the labels are
    left_out: Mapping[str, str] = MappingProxyType({})  # columns that are no attributes, and why
    remarks: tuple[str, ...] = ()  # what else must be known of the table

    def __init__(
        self,
        root: Path,
        files: ImageFiles,
        labels: pd.DataFrame,
        split: np.ndarray,
        identity: np.ndarray | None = None,
    ) -> None:
        self.root, self.files, self.labels, self.split, self.identity = root, files, labels, split, identity

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the labelled attributes."""
        return tuple(self.labels.columns)

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be known of how the labels were read, and of persons in two splits."""
        people = "" if self.identity is None else shared_people(self.identity, self.split)
        left_out = left_out_sentence(self.table, self.left_out) if self.left_out else ""
        return tuple(filter(None, [left_out, *self.remarks, people]))

    @property
    def counts(self) -> dict[str, int]:
        """Number of labelled images in each split."""
        return {split: int((self.split == split).sum()) for split in SPLITS}

    def fingerprint(self, size: int) -> str:
        """Hash labels, split, people, image names, their sizes in bytes, and the geometry.

        No image is read, so one exchanged for another of equally many bytes goes unnoticed. Where the
        files lie, and whether in a zip, does not matter.
        """
        sizes = np.array([self.files.sizes[name] for name in self.labels.index], dtype=np.int64)
        settings = self.geometry | {"name": self.name, "size": size}
        people = [] if self.identity is None else ["\n".join(self.identity).encode()]
        table = fingerprint_of_table(self.labels, self.split)
        return fingerprint_of(settings, table, sizes.tobytes(), *people)

    def prepare(self, folder: Path, size: int) -> FaceData:
        """Decode every image to `size` pixels into `folder`, or go on where an earlier call stopped.

        Raises
        ------
        UserError
            See `fairlab.data.prepare.prepare`.
        """
        settings = self.geometry | {"root": str(self.root), "rows_without_image": self.without_image}
        plan = Plan(self.name, self.fingerprint(size), size, self.labels, self.split, settings, self.identity)
        return prepare(folder, plan, lambda rows: self.decode(rows, size))

    def read(self, row: int) -> BytesIO:
        """Read the image file of one row."""
        return BytesIO(self.files.read(self.labels.index[row]))

    @abstractmethod
    def decode(self, rows: range, size: int) -> tuple[np.ndarray, dict[int, str]]:
        """Return the images of some rows, (k, size, size, 3) uint8, and why any of them is broken."""
