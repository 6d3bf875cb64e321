"""The CSV that goes with a folder of your own images."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.binary_columns import BINARY, binary_columns, file_column, left_out_sentence
from fairlab.data.splits import NUMBERS, draw_split, is_split, read_split
from fairlab.data.tables import read_texts

__all__ = ["BINARY", "FolderTable", "draw_split", "read_table"]

RESERVED = ("file", "split", "identity")


class FolderTable(NamedTuple):
    """What the table of a folder says.

    Attributes
    ----------
    labels : DataFrame
        Index: the column ``file``. One uint8 column of 0/1 per attribute.
    split : ndarray of str, shape (n,), or None
        As given; None where it is to be drawn.
    groups : Series of str, shape (n,)
        Images that a drawn split keeps together: those of one value of `split_by`, or of one identity; the
        file name where that is unknown.
    identity : ndarray of str, shape (n,), or None
        Whose picture each image is, if there is such a column; the file name where it is empty.
    left_out : dict of str to str
        Columns that are no attributes, and why; see `fairlab.data.binary_columns`.
    notes : tuple of str
        What else must be known, a sentence each.
    """

    labels: pd.DataFrame
    split: np.ndarray | None
    groups: pd.Series
    identity: np.ndarray | None
    left_out: dict[str, str]
    notes: tuple[str, ...]


def read_table(path: Path, *, draw: bool = False, split_by: str | None = None) -> FolderTable:
    """Read labels, split and people.

    Parameters
    ----------
    path : Path
    draw : bool
        Whether the split is to be drawn, although the table may have one.
    split_by : str, optional
        The column whose values a drawn split keeps together, in place of ``identity``.

    Raises
    ------
    UserError
        If the table is unreadable or empty, lacks ``file``, `split_by` or any binary column, names a file
        twice, or has a split that does not exist, or one that `split_by` contradicts.
    """
    table, notes = _read_rows(path)
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
        notes += _unknown(path, table["identity"], "counts as a person of its own")
    people = identity.to_numpy(dtype=str) if "identity" in table else None
    groups = identity if split_by is None else _groups(path, table, split_by, notes)
    split = _given_split(path, table, draw, split_by, notes) if "split" in table else None
    left_out = {name: why for name, why in left_out.items() if name != groups.name}
    return FolderTable(labels, split, groups, people, left_out, tuple(notes))


def _read_rows(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the table as text, its columns of image files and splits under their names, and notes."""
    table = read_texts(path)
    file = file_column(path, table, "file")
    table = table.rename(columns={file: "file"})
    table = table.rename(columns={found: name for name in RESERVED[1:] if (found := _alike(table, name))})
    table, notes = _with_split(path, table)
    for name in RESERVED:
        if list(table.columns).count(name) > 1:
            raise UserError(f"{path} has several columns '{name}'; rename all but one.")
    nameless = (table["file"] == "").to_numpy()
    if nameless.any():
        raise UserError(
            f"The column '{file}' of {path} names no image in row {int(nameless.argmax()) + 1:,}; add it, "
            "or remove the row."
        )
    return table, notes


def _alike(table: pd.DataFrame, name: str) -> str | None:
    """Return the column of that name, or else the only one of that name in other capitals."""
    if name in table:
        return name
    found = [column for column in map(str, table) if column.lower() == name.lower()]
    return found[0] if len(found) == 1 else None


def _with_split(path: Path, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Find the split under another name: the only column that holds nothing but words for splits."""
    others = [i for i, name in enumerate(table) if name not in RESERVED]
    found = [] if "split" in table else [table.columns[i] for i in others if is_split(table.iloc[:, i])]
    if len(found) > 1:
        raise UserError(
            f"{path} has several columns that look like a split ({', '.join(found)}); name the right one "
            "'split', and remove the others."
        )
    if not found:
        return table, []
    return table.rename(columns={found[0]: "split"}), [f"The column '{found[0]}' of {path} is the split."]


def _groups(path: Path, table: pd.DataFrame, split_by: str, notes: list[str]) -> pd.Series:
    """Return the values of a column, and the file name where it has none."""
    name = _alike(table, split_by)
    if name is None or name == "split":
        others = [column for column in map(str, table) if column != "split"]
        raise UserError(f"{path} has no column '{split_by}' to split by; {nearest_names(split_by, others)}")
    if list(table.columns).count(name) > 1:
        raise UserError(f"{path} has several columns '{name}'; rename all but one.")
    groups = table[name].where(table[name] != "", table["file"])
    if (table[name] == "").all():
        raise UserError(f"The column '{name}' of {path} has no value to split by; name another one.")
    notes += _unknown(path, table[name], "is split on its own") if name != "identity" else []
    return groups


def _unknown(path: Path, column: pd.Series, what: str) -> list[str]:
    missing = (column == "").to_numpy()
    if not missing.any():
        return []
    rows = f"{int(missing.sum()):,} of {len(column):,} rows, first in row {int(missing.argmax()) + 1:,}"
    return [f"The column '{column.name}' of {path} has no value in {rows}: each of these images {what}."]


def _given_split(
    path: Path, table: pd.DataFrame, draw: bool, split_by: str | None, notes: list[str]
) -> np.ndarray | None:
    if draw:
        notes += [f"The split given in {path} is not used: --split draws another."]
        return None
    if split_by is not None:
        raise UserError(
            f"{path} has a split, so none is drawn by '{split_by}'; add --split 80/10/10 to draw it anew, or "
            "leave out --split-by."
        )
    where = f"The column 'split' of {path}"
    split = read_split(where, table["split"])
    if table["split"].isin(list(NUMBERS)).any():
        notes += [f"{where} is read as 0 train, 1 valid, 2 test."]
    return split
