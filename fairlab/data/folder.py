"""A folder of your own images with one CSV of labels."""

from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from fairlab.core.errors import UserError
from fairlab.data.files import FolderFiles, find_files
from fairlab.data.folder_table import read_table
from fairlab.data.labelled_files import LabelledFiles
from fairlab.data.prepare import decode_each


class FolderSource(LabelledFiles):
    """Images of any size with the labels of a CSV.

    Parameters
    ----------
    root : Path
        The folder of the images.
    table : Path, optional
        A CSV or Parquet file; by default the only CSV in `root`. Columns: ``file`` (path below `root`), one
        per binary attribute (0/1, -1/1, false/true or no/yes), and optionally ``split`` (train, valid or
        val, test) and ``identity``. Without ``split``, 80/10/10 percent are drawn with a fixed seed, all
        images of one identity into the same split. Other columns are left alone (`left_out`).

    Raises
    ------
    UserError
        If the CSV is missing or not as described, or files that it names are missing.
    """

    name = "folder"
    geometry: ClassVar[dict[str, Any]] = {
        "window": "largest centred square",
        "resize": "bilinear, antialiased",
    }

    def __init__(self, root: Path, table: Path | None = None) -> None:
        root = Path(root)
        if not root.is_dir():
            what = "is a file, not a folder" if root.exists() else "does not exist"
            raise UserError(f"The image folder {root} {what}; name the folder that holds your images.")
        path = _find_table(root) if table is None else Path(table)
        found = read_table(path)
        labels = found.labels
        labels.index = pd.Index(_files(root, path, list(labels.index)), dtype=object)
        sizes = {name: (root / name).stat().st_size for name in labels.index}
        super().__init__(root, FolderFiles(root, sizes), labels, found.split, found.identity)
        self.table, self.left_out = path, found.left_out

    def decode(self, rows: range, size: int) -> tuple[np.ndarray, dict[int, str]]:
        """Turn each image upright, crop its centred square and resize it."""
        return decode_each(rows, lambda row: _square(self.read(row), size), size)


def _find_table(root: Path) -> Path:
    tables = sorted(path for path in root.iterdir() if path.suffix.lower() == ".csv")
    if not tables:
        raise UserError(
            f"{root} has no CSV; write one with a column 'file' and one 0/1 column for each attribute."
        )
    if len(tables) > 1:
        names = ", ".join(path.name for path in tables)
        raise UserError(f"{root} has {len(tables)} CSV files ({names}); say which one holds the labels.")
    return tables[0]


def _files(root: Path, table: Path, names: list[str]) -> list[str]:
    """Return where each image is, as a path below the root."""
    places = find_files(root, names)
    missing = [name for name, place in zip(names, places, strict=True) if place is None]
    if missing:
        raise UserError(
            f"{len(missing)} of the {len(names)} files in {table} are not below {root}, the first is "
            f"'{missing[0]}'; correct the column 'file', delete those rows, or name another --data-root."
        )
    found = [place for place in places if place is not None]
    twice = pd.Series(found).duplicated().to_numpy()
    if twice.any():
        row = int(twice.argmax())
        raise UserError(f"{table} names the image '{found[row]}' again in row {row + 1:,}; keep one row.")
    return found


def _square(file: BytesIO, size: int) -> np.ndarray:
    image = Image.open(file)
    # A JPEG can be decoded at 1/2, 1/4 or 1/8 scale; keep twice the detail that the resize needs.
    image.draft("RGB", (2 * size, 2 * size))
    ImageOps.exif_transpose(image, in_place=True)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    return np.asarray(_as_rgb(square).resize((size, size), Image.Resampling.BILINEAR))  # (size, size, 3)


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip it to white
        return Image.fromarray((np.asarray(image) // 256).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")
    return image.convert("RGB")
