"""The CSV that goes with a folder of your own images."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.binary_columns import BINARY, binary_columns, file_column, left_out_sentence
from fairlab.data.facedata import SPLITS
from fairlab.data.tables import read_texts

__all__ = ["BINARY", "FolderTable", "draw_split", "read_table"]

SHARES = {"train": 0.8, "valid": 0.1, "test": 0.1}
SEED = 0
RESERVED = ("file", "split", "identity")


class FolderTable(NamedTuple):
    """What the table of a folder says.

    Attributes
    ----------
    labels : DataFrame
        Index: the column ``file``. One uint8 column of 0/1 per attribute.
    split : ndarray of str, shape (n,)
        As given, or drawn by `draw_split`.
    identity : ndarray of str, shape (n,), or None
        Whose picture each image is, if there is such a column; the file name where it is empty.
    left_out : dict of str to str
        Columns that are no attributes, and why; see `fairlab.data.binary_columns`.
    """

    labels: pd.DataFrame
    split: np.ndarray
    identity: np.ndarray | None
    left_out: dict[str, str]


def read_table(path: Path) -> FolderTable:
    """Read labels, split and people.

    Raises
    ------
    UserError
        If the table is unreadable or empty, lacks ``file`` or any binary column, names a file twice, or has
        a split that does not exist.
    """
    table = _read_rows(path)
    labels, left_out = binary_columns(table.drop(columns=list(RESERVED), errors="ignore"))
    if labels.columns.empty:
        raise UserError(
            f"{path} has no attribute; add one 0/1 column for each thing a classifier shall learn. "
            f"{left_out_sentence(path, left_out)}".rstrip()
        )
    repeated = table["file"][table["file"].duplicated()]
    if len(repeated):
        raise UserError(f"{path} names '{repeated.iloc[0]}' in two rows; keep one.")
    labels.index = pd.Index(table["file"], dtype=object, name=None)
    identity = table["file"]
    if "identity" in table:
        identity = table["identity"].where(table["identity"] != "", identity)
    people = identity.to_numpy(dtype=str) if "identity" in table else None
    split = _given_split(path, table["split"]) if "split" in table else draw_split(identity)
    return FolderTable(labels, split, people, left_out)


def draw_split(identity: pd.Series) -> np.ndarray:
    """Draw train, valid and test (80/10/10 percent of the rows) so that no identity is in two of them.

    Identities are shuffled with a fixed seed and dealt out in that order; the order of rows does not matter.

    Parameters
    ----------
    identity : Series, shape (n,)
        Who is in each image; the file name where that is unknown.

    Returns
    -------
    ndarray of str, shape (n,)
    """
    counts = identity.value_counts().sort_index()
    counts = counts.iloc[np.random.default_rng(SEED).permutation(len(counts))]
    before = (counts.cumsum() - counts) / counts.sum()  # share of rows dealt out before each identity
    edges = np.cumsum(list(SHARES.values()))[:-1] - 1e-9
    split = pd.Series(np.array(SPLITS)[np.searchsorted(edges, before, side="right")], index=counts.index)
    return identity.map(split).to_numpy(dtype=str)


def _read_rows(path: Path) -> pd.DataFrame:
    """Return the table as text, its column of image files under the name "file"."""
    table = read_texts(path)
    file = file_column(table, "file")
    if file is None:
        raise UserError(
            f"{path} has no column 'file' (it has {', '.join(table.columns)}); name so the column "
            "of the images' paths."
        )
    table = table.rename(columns={file: "file"})
    for name in RESERVED:
        if list(table.columns).count(name) > 1:
            raise UserError(f"{path} has several columns '{name}'; rename all but one.")
    nameless = (table["file"] == "").to_numpy()
    if nameless.any():
        raise UserError(
            f"The column '{file}' of {path} names no image in row {int(nameless.argmax()) + 1:,}; add it, "
            "or remove the row."
        )
    return table


def _given_split(path: Path, column: pd.Series) -> np.ndarray:
    split = column.str.lower().replace("val", "valid")
    unknown = column[~split.isin(SPLITS)]
    if len(unknown):
        raise UserError(f"{path} has the split '{unknown.iloc[0]}'; {nearest_names(unknown.iloc[0], SPLITS)}")
    return split.to_numpy(dtype=str)
