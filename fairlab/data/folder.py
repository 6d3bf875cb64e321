"""A folder of your own images with one CSV of labels."""

import re
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from PIL import ExifTags, Image, ImageOps

from fairlab.core.errors import UserError
from fairlab.data.binary_columns import IMAGES
from fairlab.data.facedata import FaceData
from fairlab.data.files import FolderFiles, ImageFiles, find_files, nearest_file
from fairlab.data.folder_table import read_table
from fairlab.data.labelled_files import LabelledFiles
from fairlab.data.pixels import as_rgb, deep_pixels, full_scale, is_deep, open_image, scaled
from fairlab.data.plan import fingerprint_of
from fairlab.data.prepare import decode_each
from fairlab.data.repeats import equal_files, joined
from fairlab.data.splits import SHARES, Shares, deviation, draw_split, read_shares

ORIENTATION = ExifTags.Base.Orientation.value
#: Formats that need not compress: files of one format and shape are of one size, whatever they show.
_UNCOMPRESSED = (".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pnm", ".pfm")
_SAMPLE = 4096  # bytes
#: Where a table is looked for first, and where there is none.
_TABLES = ((".csv",), (".tsv", ".tab", ".parquet", ".pq"))
#: Age, gender and race as numbers, and when the picture was taken.
_UTKFACE = re.compile(r"\d{1,3}_[01]_[0-4]_\d+\.")


class FolderSource(LabelledFiles):
    """Images of any size with the labels of a CSV.

    Parameters
    ----------
    root : Path
        The folder of the images.
    table : Path, optional
        A CSV or Parquet file; by default the only CSV in `root`. Columns: ``file`` (path below `root`), one
        per binary attribute (0/1, -1/1, false/true or no/yes), and optionally ``split`` (words of
        `fairlab.data.splits`) and ``identity``. Without ``split``, 80/10/10 percent are drawn with a fixed
        seed, all images of one identity, and equal files, into the same split. Other columns are left alone
        (`left_out`).
    split : str, optional
        Per cents of train, valid and test, such as "70/15/15", to draw although the table may have a split.
    split_by : str, optional
        The column whose values a drawn split keeps together, in place of ``identity``.

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

    def __init__(
        self, root: Path, table: Path | None = None, *, split: str | None = None, split_by: str | None = None
    ) -> None:
        root, shares = Path(root), SHARES if split is None else read_shares(split)
        if not root.is_dir():
            what = "is a file, not a folder" if root.exists() else "does not exist"
            raise UserError(f"The image folder {root} {what}; name the folder that holds your images.")
        root, path = _find_table(root) if table is None else (root, Path(table))
        found = read_table(path, draw=split is not None, split_by=split_by)
        labels = found.labels
        labels.index = pd.Index(_files(root, path, list(labels.index)), dtype=object)
        files = FolderFiles(root, {name: (root / name).stat().st_size for name in labels.index})
        self.table, self.left_out, self.remarks = path, found.left_out, found.notes
        self.deep = [name for name in files.sizes if is_deep(root / name)]
        if self.deep:
            self.remarks += (
                f"{len(self.deep):,} of {len(labels):,} pictures have more than 8 bits a channel; all "
                "are scaled by one range, the least of 0..1, 8, 10, 12, 14 and 16 bits that holds them.",
            )
        self.is_drawn = found.split is None
        split_of = self._draw(files, found.groups, shares) if found.split is None else found.split
        super().__init__(root, files, labels, split_of, found.identity)

    def _draw(self, files: ImageFiles, groups: pd.Series, shares: Shares) -> np.ndarray:
        """Draw the split, equal files in one part, and remark what must be known of it."""
        equal = equal_files(files, list(files.sizes))
        copies = len(equal) - len(np.unique(equal))
        split = draw_split(joined(groups, equal), shares)
        if copies:
            remark = f"{copies:,} of {len(equal):,} files equal another one; equal files are in one split."
            self.remarks += (remark,)
        self.remarks += deviation(split, shares)
        return split

    def check_splits(self) -> None:
        """Check that train, valid and test have images, and test those of two persons.

        Raises
        ------
        UserError
            If one has none; or if all test images are of one person, from whom no interval follows.
        """
        empty = " and ".join(name for name, count in self.counts.items() if count == 0)
        if not empty:
            self._check_people()
        elif not self.is_drawn:
            there = ", ".join(f"{count:,} for {name}" for name, count in self.counts.items() if count)
            raise UserError(
                f"The split in {self.table} has no rows for {empty} (it has {there}); add some, or draw all "
                "three anew with --split 80/10/10."
            )
        else:
            raise UserError(
                f"The {len(self.labels):,} images of {self.table} cannot be split into train, valid and "
                "test: what must stay together (a person, equal files, a value of --split-by) makes fewer "
                "than three parts; add images, or name another column with --split-by."
            )

    def _check_people(self) -> None:
        people = set() if self.identity is None else set(self.identity[self.split == "test"])
        if len(people) == 1:
            raise UserError(
                f"All test images of {self.table} are of one person ('{people.pop()}'), so nothing would "
                "be known of others; add persons, or draw a larger share for test, such as --split 25/25/50."
            )

    def decode(self, rows: range, size: int) -> tuple[np.ndarray, dict[int, str]]:
        """Turn each image upright, crop its centred square and resize it."""
        white = self._white if self.deep else 255.0  # before the first picture, for all of them
        return decode_each(rows, lambda row: _square(self.read(row), size, white), size)

    def prepare(self, folder: Path, size: int) -> FaceData:
        """As `LabelledFiles.prepare`; what becomes white is known before the first picture is decoded."""
        _ = self._white if self.deep else None
        return super().prepare(folder, size)

    def fingerprint(self, size: int) -> str:
        """As `LabelledFiles.fingerprint`, with the rule for deep pixels and samples of files, if needed.

        Sizes say nothing of files that are not compressed, so some bytes in the middle of these are read.
        """
        found = super().fingerprint(size)
        if self.deep:
            found = fingerprint_of({"deep": "scaled by the range of the set, colours too"}, found.encode())
        samples = [
            _middle(self.root / name, number)
            for name, number in self.files.sizes.items()
            if name.lower().endswith(_UNCOMPRESSED)
        ]
        return fingerprint_of({"sampled": len(samples)}, found.encode(), *samples) if samples else found

    @cached_property
    def _white(self) -> float:
        """What becomes white in pictures of more than 8 bits; all of them are looked at."""
        return full_scale((name, self.files.read(name)) for name in self.deep)


def _find_table(root: Path) -> tuple[Path, Path]:
    """Return the folder with the only table, which is the root or its only sub-folder, and this table."""
    below = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for place in (root, *(below if len(below) == 1 else [])):
        tables = _tables(place)
        if len(tables) > 1:
            kind = "CSV files" if tables[0].suffix.lower() == ".csv" else "tables"
            names = ", ".join(path.name for path in tables)
            raise UserError(
                f"{place} has {len(tables)} {kind} ({names}); say which one holds the labels with "
                "--labels-csv."
            )
        if tables:
            return place, tables[0]
    books = sorted(path.name for path in root.iterdir() if path.suffix.lower() in (".xlsx", ".xls", ".ods"))
    if books:
        raise UserError(f"{root} has no CSV, but {books[0]}; save the table in it as 'CSV UTF-8'.")
    raise UserError(
        f"{root} has no CSV{_pictures_in(root)}; write one with a column 'file' and one 0/1 column for "
        "each attribute."
    )


def _tables(folder: Path) -> list[Path]:
    """Return the tables in a folder; names with a dot in front are no user's, but a system's."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    found = ([path for path in files if path.suffix.lower() in kinds] for kinds in _TABLES)
    return next(filter(None, found), [])


def _middle(path: Path, size: int) -> bytes:
    with open(path, "rb") as stream:
        stream.seek(max(0, size // 2 - _SAMPLE // 2))
        return stream.read(_SAMPLE)


def _pictures_in(root: Path) -> str:
    """Say which pictures a folder without a table has, and if their names are labels."""
    names = sorted(path.name for path in root.rglob("*") if path.suffix.lower() in IMAGES)
    if not names:
        return ", and no pictures either"
    utkface = sum(bool(_UTKFACE.match(name)) for name in names) > len(names) / 2
    meaning = "; they are named like UTKFace's, whose labels are in the names: age_gender_race_date"
    return f", but {len(names):,} pictures such as '{names[0]}'{meaning if utkface else ''}"


def _files(root: Path, table: Path, names: list[str]) -> list[str]:
    """Return where each image is, as a path below the root."""
    places = find_files(root, names)
    missing = [name for name, place in zip(names, places, strict=True) if place is None]
    if missing:
        raise UserError(
            f"{len(missing)} of the {len(names)} files in {table} are not below {root}, the first is "
            f"'{missing[0]}'{nearest_file(root, missing[0])}; correct the column 'file', delete those rows, "
            "or name another --data-root."
        )
    found = [place for place in places if place is not None]
    twice = pd.Series(found).duplicated().to_numpy()
    if twice.any():
        row = int(twice.argmax())
        raise UserError(f"{table} names the image '{found[row]}' again in row {row + 1:,}; keep one row.")
    return found


def _square(file: BytesIO, size: int, white: float) -> np.ndarray:
    image = open_image(file)
    # A JPEG can be decoded at 1/2, 1/4 or 1/8 scale; keep twice the detail that the resize needs.
    image.draft("RGB", (2 * size, 2 * size))
    deep = deep_pixels(image, file)
    if deep is not None:
        turned = image.getexif().get(ORIENTATION, 1)
        image = scaled(deep, white)
        image.getexif()[ORIENTATION] = turned
    ImageOps.exif_transpose(image, in_place=True)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    return np.asarray(as_rgb(square).resize((size, size), Image.Resampling.BILINEAR))  # (size, size, 3)
