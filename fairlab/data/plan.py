"""What a prepared folder shall hold, and the fingerprint by which it is recognised."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

CHUNK = 128  # rows: large enough to batch, small enough that a kill loses little
HEADER = 128  # bytes before the pixels in images.npy


@dataclass(frozen=True)
class Plan:
    """What a prepared folder shall hold.

    Parameters
    ----------
    name : str
        The source's name.
    fingerprint : str
        See `fingerprint_of`.
    size : int
        Height and width of the images, in pixels.
    labels : DataFrame, n rows
        Index: image id (str). One uint8 column of 0/1 per attribute.
    split : ndarray, shape (n,)
        "train", "valid" or "test".
    settings : dict
        Written into ``prepared.json`` for the reader; JSON values.
    identity : ndarray of str, shape (n,), optional
        Whose picture each image is.
    """

    name: str
    fingerprint: str
    size: int
    labels: pd.DataFrame
    split: np.ndarray
    settings: dict[str, Any]
    identity: np.ndarray | None = None

    @property
    def image_bytes(self) -> int:
        return self.size * self.size * 3

    def offset(self, row: int) -> int:
        """Where a row's pixels begin in ``images.npy``."""
        return HEADER + row * self.image_bytes

    def chunks(self) -> list[range]:
        rows = len(self.labels)
        return [range(start, min(start + CHUNK, rows)) for start in range(0, rows, CHUNK)]


def fingerprint_of(settings: dict[str, Any], *contents: bytes) -> str:
    """Hash settings and contents into 16 hexadecimal digits that identify a prepared folder."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:16]


def fingerprint_of_table(labels: pd.DataFrame, split: np.ndarray) -> bytes:
    """Return bytes that two label tables share only if ids, names, labels and split are equal."""
    names = json.dumps([list(labels.columns), list(labels.index), split.tolist()])
    return names.encode() + labels.to_numpy(dtype=np.uint8).tobytes()
