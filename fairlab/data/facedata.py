"""FaceData: uint8 images, a table of binary labels and a split, whatever the source.

A prepared folder holds ``images.npy`` (memory-mapped when opened), ``labels.parquet`` (one row per image:
the image id as index, one uint8 column per attribute, ``split``, and ``identity`` if it is known) and
``prepared.json`` (name, fingerprint, settings, counts, broken images).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fairlab.core.errors import DamagedError, UserError, nearest_names
from fairlab.core.files import read_record
from fairlab.core.intact import damaged_file
from fairlab.data.attributes import check_attribute
from fairlab.data.groups import require_groups

SPLITS: tuple[str, ...] = ("train", "valid", "test")

IMAGES, LABELS, MANIFEST = "images.npy", "labels.parquet", "prepared.json"


@dataclass(frozen=True, eq=False)
class FaceData:
    """Images with binary labels, split into train, valid and test.

    Parameters
    ----------
    images : ndarray, shape (n, h, w, 3), uint8
        RGB pixels; a read-only memory map when opened from a folder.
    labels : DataFrame, n rows
        Index: image id (str). One uint8 column of 0/1 per attribute.
    split : ndarray, shape (n,)
        "train", "valid" or "test" for each image.
    name : str
        The source: "synthfaces", "celeba" or "folder".
    fingerprint : str
        Identifies content and settings; equal fingerprints mean equal pixels and labels.
    identity : ndarray, shape (n,), optional
        Whose picture each image is, as the source names people.
    """

    images: np.ndarray
    labels: pd.DataFrame
    split: np.ndarray
    name: str
    fingerprint: str
    identity: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not len(self.images) == len(self.labels) == len(self.split):
            raise ValueError(
                f"{len(self.images)} images, {len(self.labels)} labels, {len(self.split)} splits"
            )

    @classmethod
    def open(cls, folder: Path) -> FaceData:
        """Open a prepared folder; its pixels are read once by each process, for their checksum.

        Raises
        ------
        UserError
            If the folder is absent.
        DamagedError
            If a file of it is missing, not as it was written, or does not fit the others.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        if damaged := damaged_file(folder, manifest.get("checksums", {})):  # earlier versions kept none
            raise _damaged(folder, f"{damaged} is not as it was written")
        images, table = _open_images(folder), _read_labels(folder)
        count = manifest["counts"]["images"]
        if not len(images) == len(table) == count:
            raise _damaged(folder, f"{count} images announced, {len(images)} stored, {len(table)} labelled")
        split = table.pop("split").to_numpy(dtype=str)
        identity = table.pop("identity").to_numpy(dtype=str) if "identity" in table else None
        return cls(images, table, split, manifest["name"], manifest["fingerprint"], identity)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Height and width of every image, in pixels."""
        return int(self.images.shape[1])

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the labelled attributes."""
        return tuple(self.labels.columns)

    def rows(self, split: str) -> np.ndarray:
        """Return the ascending row numbers of one split, shape (n_split,)."""
        if split not in SPLITS:
            raise UserError(f"There is no split '{split}'; {nearest_names(split, SPLITS)}")
        return np.flatnonzero(self.split == split)

    def split_images(self, split: str) -> np.ndarray:
        """Return one split's images, (n_split, h, w, 3): a view if its rows lie together, else a copy."""
        rows = self.rows(split)
        if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
            return self.images[rows[0] : rows[-1] + 1]
        return self.images[rows]

    def label(self, name: str, split: str | None = None) -> np.ndarray:
        """Return one attribute's 0/1 labels, of all images or of one split.

        Returns
        -------
        ndarray, shape (n,), uint8

        Raises
        ------
        UserError
            If these data have no such attribute; the sentence suggests the nearest names.
        """
        values = self.labels[check_attribute(name, self.attributes)].to_numpy(dtype=np.uint8)
        return values if split is None else values[self.rows(split)]

    def people(self, split: str) -> np.ndarray | None:
        """Return whose picture each image of a split is, (n_split,) str; None if that is not known."""
        return None if self.identity is None else self.identity[self.rows(split)]

    def group_counts(self, target: str, protected: str, split: str) -> pd.DataFrame:
        """Count the images of a split by protected group and target label.

        Returns
        -------
        DataFrame
            Index: the protected label, 0 and 1. Columns: "negatives" and "positives" of the target.

        Examples
        --------
        >>> labels = pd.DataFrame({"Smiling": [0, 1, 1, 0], "Male": [0, 0, 0, 1]})
        >>> images = np.zeros((4, 64, 64, 3), np.uint8)
        >>> data = FaceData(images, labels, np.repeat("train", 4), "folder", fingerprint="made up")
        >>> data.group_counts("Smiling", "Male", "train")
              negatives  positives
        Male
        0             1          2
        1             1          0
        """
        cell = 2 * self.label(protected, split) + self.label(target, split)
        counts = np.bincount(cell, minlength=4).reshape(2, 2)  # (protected, target)
        index = pd.Index([0, 1], name=protected)
        return pd.DataFrame(counts, index=index, columns=["negatives", "positives"])

    def label_columns(self, names: Sequence[str], split: str | None = None) -> np.ndarray:
        """Return several attributes' labels, (n, k) uint8; arguments otherwise as `label`."""
        return np.stack([self.label(name, split) for name in names], axis=1)

    @property
    def varied_attributes(self) -> tuple[str, ...]:
        """The attributes that some images of every split have and some have not."""
        columns = {name: [self.label(name, split) for split in SPLITS] for name in self.attributes}
        return tuple(name for name, parts in columns.items() if all(0 < y.sum() < len(y) for y in parts))

    def require_groups(self, target: str, protected: str, splits: Iterable[str] = SPLITS) -> None:
        """Check that target and protected differ and that every group can be measured.

        Raises
        ------
        UserError
            If one is unknown, or `fairlab.data.groups.require_groups` refuses them: of a group without
            positives or negatives no rate could be estimated.
        """
        for name in (target, protected):
            check_attribute(name, self.attributes)
        require_groups(self.labels, self.split, target, protected, splits)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read ``prepared.json`` of a prepared folder."""
    if not (folder / MANIFEST).is_file():
        raise UserError(f"{folder} is not a prepared data folder (it has no {MANIFEST}); prepare it first.")
    try:
        manifest = read_record(folder / MANIFEST)
        manifest["name"], manifest["fingerprint"], manifest["counts"]["images"]
    except DamagedError as error:
        raise _damaged(folder, f"{MANIFEST} is not as it was written") from error
    except (TypeError, KeyError) as error:
        raise _damaged(folder, f"{MANIFEST} lacks {error}") from error
    return manifest


def _open_images(folder: Path) -> np.ndarray:
    try:
        images: np.ndarray = np.load(folder / IMAGES, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise _damaged(folder, f"{IMAGES}: {error}") from error
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise _damaged(folder, f"{IMAGES} holds {images.dtype} of shape {images.shape}")
    return images


def _read_labels(folder: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(folder / LABELS)
    except (OSError, ValueError) as error:  # pyarrow's errors derive from these
        raise _damaged(folder, f"{LABELS}: {error}") from error
    if "split" not in table or not set(table["split"]) <= set(SPLITS):
        raise _damaged(folder, f"{LABELS} has no valid split column")
    return table


def _damaged(folder: Path, reason: str) -> DamagedError:
    return DamagedError(
        f"The prepared data in {folder} are damaged ({reason}); delete the folder and prepare again."
    )
