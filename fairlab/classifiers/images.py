"""Arrays of images seen through an index: several as one, or some rows of one, without copying."""

from typing import Protocol

import numpy as np

from fairlab.core.errors import UserError


class ImageArray(Protocol):
    """What training and scoring read from: an array, a memory map, or one of the classes below."""

    def __len__(self) -> int:
        """Return the number of images."""
        ...

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return the images of an integer index array of shape (b,), as (b, h, w, 3) uint8."""
        ...


class Concatenated:
    """Several image arrays as one: real ones followed by generated ones, say.

    Parameters
    ----------
    parts : sequence of image arrays
        Each of shape (n_i, h, w, 3), uint8, with the same h and w.
    """

    def __init__(self, parts: list[ImageArray] | tuple[ImageArray, ...]) -> None:
        self.parts = tuple(parts)
        if not self.parts:
            raise UserError("There is nothing to concatenate: give at least one array of images.")
        sizes = {part[np.zeros(1, dtype=np.int64)].shape[1:] for part in self.parts}
        if len(sizes) > 1:
            raise UserError(f"Images of different sizes cannot be concatenated: {sorted(sizes)}.")
        self.ends = np.cumsum([len(part) for part in self.parts])

    def __len__(self) -> int:
        """Return the number of images in all parts together."""
        return int(self.ends[-1])

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return the images of `rows`, shape (b, h, w, 3), as ``np.concatenate(parts)[rows]`` would."""
        rows = _checked(rows, len(self))
        owner = np.searchsorted(self.ends, rows, side="right")
        result: np.ndarray | None = None
        for number, part in enumerate(self.parts):
            mine = owner == number
            if result is not None and not mine.any():
                continue
            images = part[rows[mine] - (self.ends[number] - len(part))]
            if result is None:
                result = np.empty((len(rows), *images.shape[1:]), images.dtype)
            result[mine] = images
        assert result is not None
        return result


class Selected:
    """Some rows of an image array, in the given order: a split, say.

    Parameters
    ----------
    images : image array
        Shape (n, h, w, 3), uint8.
    rows : (m,) integer array
        Which of them.
    """

    def __init__(self, images: ImageArray, rows: np.ndarray) -> None:
        self.images = images
        self.rows = _checked(rows, len(images))

    def __len__(self) -> int:
        """Return the number of rows chosen."""
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return the images of `rows`, shape (b, h, w, 3), as ``images[self.rows][rows]`` would."""
        return self.images[self.rows[_checked(rows, len(self))]]


def _checked(rows: np.ndarray, length: int) -> np.ndarray:
    """Resolve negative indices; refuse those outside."""
    rows = np.asarray(rows, dtype=np.int64)
    if rows.size and not (-length <= rows.min() and rows.max() < length):
        raise IndexError(f"image {rows.max() if rows.max() >= length else rows.min()} of {length}")
    return np.where(rows < 0, rows + length, rows)
