"""CelebA (Liu et al., ICCV 2015) in every layout people have it in.

Images: ``img_align_celeba/`` or ``img_align_celeba/img_align_celeba/`` (Kaggle) or ``img_align_celeba.zip``.
Annotations: ``list_attr_celeba.txt`` and ``list_eval_partition.txt`` as published, or Kaggle's ``.csv``;
``identity_CelebA.txt``, which CelebA's authors give on request, says whose picture each is.
All may lie in the root, one folder below it (torchvision's ``root/celeba``), or in the published sub-folders
``Img``, ``Anno`` and ``Eval``; rows without an image are left out.
"""

from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.data.celeba_tables import read_attribute_table, read_identity, read_partition
from fairlab.data.files import FolderFiles, ImageFiles, ZipFiles
from fairlab.data.labelled_files import LabelledFiles
from fairlab.data.prepare import decode_each

FETCH = (
    "fetch img_align_celeba.zip, list_attr_celeba.txt and list_eval_partition.txt from the page of CelebA's "
    "authors (mmlab.ie.cuhk.edu.hk/projects/CelebA.html) and put all three into one folder"
)

ATTRIBUTE_FILES = ("list_attr_celeba.txt", "list_attr_celeba.csv")

# The published method's window: 128 x 128, centred at row 121, column 89 of the 218 x 178 aligned image.
HEIGHT, WIDTH = 218, 178
WINDOW = 128
TOP, LEFT = 121 - WINDOW // 2, 89 - WINDOW // 2


class CelebASource(LabelledFiles):
    """CelebA's aligned images with their forty attributes and the published split.

    Parameters
    ----------
    root : Path
        The folder with images and annotations. Rows without an image are left out and counted
        (``without_image``).

    Raises
    ------
    UserError
        If the root is not a CelebA folder or one of its annotation files is damaged.
    """

    name = "celeba"
    geometry: ClassVar[dict[str, Any]] = {
        "window": [TOP, LEFT, WINDOW, WINDOW],
        "resize": "bilinear, antialiased",
    }

    def __init__(self, root: Path) -> None:
        root = _find_root(Path(root))
        self.table = _find_annotation(root, "list_attr_celeba")
        labels, self.left_out = read_attribute_table(self.table)
        partition = _find_annotation(root, "list_eval_partition")
        files = _find_images(root)
        present = labels.index.isin(files.sizes.keys())
        if not present.any():
            raise UserError(
                f"{files.place} holds none of the {len(labels)} images named in the attribute file, such as "
                f"{labels.index[0]}; {FETCH}."
            )
        labels = labels[present]
        split = read_partition(partition, labels.index)
        super().__init__(root, files, labels, split, _find_identity(root, labels.index))
        self.without_image = int((~present).sum())

    def decode(self, rows: range, size: int) -> tuple[np.ndarray, dict[int, str]]:
        """Crop the published window of each image and resize all windows at once."""
        windows, broken = decode_each(rows, lambda row: _window(self.read(row)), WINDOW)
        return _resize(windows, size), broken


def _window(file: BytesIO) -> np.ndarray:
    image = Image.open(file)
    if image.size != (WIDTH, HEIGHT):
        raise ValueError(f"{image.width}x{image.height} pixels instead of {WIDTH}x{HEIGHT}")
    window = image.crop((LEFT, TOP, LEFT + WINDOW, TOP + WINDOW))
    return np.asarray(window if window.mode == "RGB" else window.convert("RGB"))  # (128, 128, 3)


def _resize(windows: np.ndarray, size: int) -> np.ndarray:
    """Resize all windows in one call: a third of the time of Pillow's resize, and equal to it within 1."""
    if size == WINDOW:
        return windows
    import torch  # takes seconds, which a wrong path or name need not wait for
    from torch.nn.functional import interpolate

    batch = torch.from_numpy(windows).permute(0, 3, 1, 2)  # (k, 3, 128, 128), channels last in memory
    batch = interpolate(batch, size=(size, size), mode="bilinear", antialias=True)  # (k, 3, size, size)
    return batch.permute(0, 2, 3, 1).numpy()


def _find_root(root: Path) -> Path:
    """Return the folder with the annotations: the root, or the only one in it that has them."""
    _check_root(root)
    if any(_candidates(root, name) for name in ATTRIBUTE_FILES):
        return root
    below = [path for path in sorted(root.iterdir()) if path.is_dir()]
    found = [path for path in below if any(_candidates(path, name) for name in ATTRIBUTE_FILES)]
    if len(found) > 1:
        raise UserError(
            f"{root} holds several CelebA folders ({', '.join(path.name for path in found)}); point to one."
        )
    return found[0] if found else root


def _check_root(root: Path) -> None:
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise UserError(f"The CelebA folder {root} {what}; {FETCH}.")
    if root.name == "img_align_celeba":
        for up in root.parents[:2]:
            if any(_candidates(up, name) for name in ATTRIBUTE_FILES):
                raise UserError(
                    f"{root} holds only the images; point to the folder with the annotations, {up}."
                )


def _candidates(root: Path, name: str) -> list[Path]:
    return [path for sub in (".", "Anno", "Eval", "Img") if (path := root / sub / name).exists()]


def _find_annotation(root: Path, stem: str) -> Path:
    found = _candidates(root, f"{stem}.txt") + _candidates(root, f"{stem}.csv")
    if not found:
        held = sorted(path.name for path in root.iterdir())
        shown = ", ".join(held[:4]) + (f" and {len(held) - 4} more" if len(held) > 4 else "")
        raise UserError(f"{root} has no {stem}.txt or {stem}.csv (it holds {shown or 'nothing'}); {FETCH}.")
    return found[0]


def _find_identity(root: Path, files: pd.Index) -> np.ndarray | None:
    """Return whose picture each file is, or None without ``identity_CelebA.txt``, which one must ask for."""
    found = _candidates(root, "identity_CelebA.txt")
    return read_identity(found[0], files) if found else None


def _find_images(root: Path) -> ImageFiles:
    for folder in _candidates(root, "img_align_celeba"):
        for place in (folder / "img_align_celeba", folder):
            if place.is_dir() and (files := FolderFiles(place)).sizes:
                return files
    for path in _candidates(root, "img_align_celeba.zip"):
        return ZipFiles(path)
    raise UserError(f"{root} has no images in img_align_celeba and no img_align_celeba.zip; {FETCH}.")
