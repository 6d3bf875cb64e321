"""Labels of images in the columns of a table: CSV, Parquet, or CelebA's text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.binary_columns import BINARY
from fairlab.data.celeba_tables import read_attributes
from fairlab.data.tables import MISSING

#: Columns that say which image a row is, not what it shows.
NOT_LABELS = ("file", "file_name", "image_id", "identity", "split", "service_test")
OF = "="  #: between a column of categories and one of them


@dataclass(frozen=True)
class LabelTable:
    """Labels of n images, and an annotator's impression of each person's group.

    Attributes
    ----------
    labels : array of shape (n, k) or (n,)
        k labels 0/1 (uint8), or one class (integer) of each image.
    protected : array of shape (n,)
        0 or 1.
    names : tuple of str
        Of the k labels, or of the classes.
    groups : tuple of two str
        What 0 and 1 of `protected` stand for.
    kind : str
        "imSitu", "COCO" or "table".
    numbers : array of shape (n,)
        Which rows of the file these are, from 0.
    ids : array of shape (n,), optional
        Names of the images, from the column that was asked for.
    size : int
        How many rows the file has.
    listed_otherwise : bool
        Whether the rows were chosen by a list in another order than theirs.
    notes : tuple of str
        Which columns and rows of the file are left out, and why.
    """

    labels: np.ndarray
    protected: np.ndarray
    names: tuple[str, ...]
    groups: tuple[str, str]
    kind: str = "table"
    numbers: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    ids: np.ndarray | None = None
    size: int = 0
    listed_otherwise: bool = False
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.protected)

    def rows(self, rows: np.ndarray) -> LabelTable:
        """Return some of the images, by their places."""
        ids = None if self.ids is None else self.ids[rows]
        parts = {
            "labels": self.labels[rows],
            "protected": self.protected[rows],
            "numbers": self.numbers[rows],
        }
        return replace(self, **parts, ids=ids)


def table_of_columns(
    path: Path, protected: str | None, labels: Sequence[str] | None, id_column: str | None
) -> LabelTable:
    columns = _read_columns(path)
    if protected is None:
        raise UserError(f"Name the column of {path} that holds the protected label with --protected NAME.")
    own = [name for name in (protected, id_column) if name is not None]
    _check_columns(path, columns, [*own, *(labels or ())])
    if twice := set(own) & set(labels or ()):
        raise UserError(f"'{min(twice)}' cannot be a label too; leave it out of the labels.")
    groups, group = _two_groups(path, columns[protected])
    used, notes = _usable(path, columns, own, labels)
    whole = (columns[used] != "").all(axis=1).to_numpy()
    numbers = np.flatnonzero(whole)
    kept = columns.iloc[numbers]
    notes += [_incomplete(columns[used], whole)] if not whole.all() else []
    ids = None if id_column is None else kept[id_column].to_numpy(dtype=str)
    if len(used) == 1 and _binary(kept[used[0]]) is None:
        values, names = _classes(path, kept[used[0]])
    else:
        values, names = _indicators(path, kept[used])
    return LabelTable(
        values, group[numbers], names, groups, "table", numbers, ids, len(columns), notes=tuple(notes)
    )


def _usable(
    path: Path, columns: pd.DataFrame, own: Sequence[str], labels: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Return the label columns, and notes on those that are left out; what was asked for must be usable."""
    if labels:
        return list(dict.fromkeys(labels)), []
    others = [name for name in columns.columns.astype(str) if name not in (*own, *NOT_LABELS)]
    used = [name for name in others if _binary(columns[name]) is not None]
    notes = []
    for name in (name for name in others if name not in used):
        strange = _first_strange(columns[name])
        row = int((columns[name] == strange).to_numpy().argmax())
        what = f"holds '{strange}' in row {row + 1:,}" if strange else "is empty"
        notes.append(f"The column '{name}' is left out: it {what}, which is not 0/1 or the like.")
    if not used:
        raise UserError(
            f"{path} has no binary label column beside '{own[0]}'"
            f"{': ' + notes[0] if notes else ''} Name columns of categories with --labels."
        )
    return used, notes


def _first_strange(column: pd.Series) -> str:
    """Return the first value that no pair of binary values has; of mixed pairs the first; "" of none."""
    known = {value for pair in BINARY for value in pair}
    filled = column[column != ""]
    strange = filled[~filled.str.lower().isin(known)]
    return str(strange.iloc[0]) if len(strange) else (str(filled.iloc[0]) if len(filled) else "")


def _incomplete(labels: pd.DataFrame, whole: np.ndarray) -> str:
    """Say how many rows lack a label, and which columns are to blame."""
    empty = (labels == "").sum()
    blamed = ", ".join(f"'{name}' in {count:,}" for name, count in empty[empty > 0].items())
    return (
        f"{int((~whole).sum()):,} of {len(whole):,} rows are left out, the first of them row "
        f"{int((~whole).argmax()) + 1:,}: they have no value of {blamed}."
    )


def _indicators(path: Path, columns: pd.DataFrame) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return binary columns as they are and categories as a column of 0 and 1 each, with their names."""
    parts: dict[str, np.ndarray] = {}
    for name in columns:
        values = _binary(columns[name])
        if values is not None:
            parts[str(name)] = values
            continue
        classes, categories = _classes(path, columns[name])
        parts |= {f"{name}{OF}{each}": classes == i for i, each in enumerate(categories)}
    return np.stack(list(parts.values()), axis=1).astype(np.uint8), tuple(parts)


def _read_columns(path: Path) -> pd.DataFrame:
    """Return all columns as text, stripped; a whole number without its ``.0``."""
    if path.suffix.lower() == ".txt":
        return read_attributes(path).astype(str)
    try:
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path)
            table = table.astype(str).mask(table.isna(), "")
        else:
            table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # both parsers' errors derive from these
        raise UserError(f"{path} is not readable as a table ({str(error).strip()}).") from error
    if table.empty:
        raise UserError(f"{path} has no rows; add one for each image.")
    table.columns = table.columns.astype(str).str.strip()
    clean = {name: table[name].fillna("").str.strip().str.removesuffix(".0") for name in table.columns}
    return pd.DataFrame(
        {name: column.mask(column.str.lower().isin(MISSING), "") for name, column in clean.items()}
    )


def _check_columns(path: Path, columns: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in columns:
            raise UserError(f"{path} has no column '{name}'; {nearest_names(name, columns.columns)}")


def _binary(column: pd.Series) -> np.ndarray | None:
    """Return (n,) uint8, 0 where a value is missing, or None if the column is not binary."""
    values = column.str.lower()
    for pair in BINARY:
        if values.isin((*pair, "")).all() and (values != "").any():
            return (values == pair[1]).to_numpy(dtype=np.uint8)
    return None


def _two_groups(path: Path, column: pd.Series) -> tuple[tuple[str, str], np.ndarray]:
    """Return the groups' names and who is in which, (n,)."""
    missing = (column == "").to_numpy()
    if missing.any():
        raise UserError(
            f"The protected label '{column.name}' of {path} is missing in {missing.sum():,} of "
            f"{len(column):,} rows (first: row {missing.argmax() + 1:,}); fill it in, or remove those rows."
        )
    values = _binary(column)
    if values is not None:
        return (f"not {column.name}", str(column.name)), values.astype(np.intp)
    known = sorted(column.unique())
    if len(known) != 2 or "" in known:
        raise UserError(
            f"The protected label '{column.name}' of {path} must have two values and none missing, but has "
            f"{len(known)}: {', '.join(repr(value) for value in known[:8])}; merge or leave out some."
        )
    return (known[0], known[1]), (column == known[1]).to_numpy(dtype=np.intp)


def _classes(path: Path, column: pd.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return each image's class, (n,), and the classes' names."""
    classes, names = pd.factorize(column, sort=True)
    if len(names) > max(2, len(column) // 2):
        raise UserError(
            f"The label '{column.name}' of {path} has {len(names)} values in {len(column)} rows (the first: "
            f"'{column.iloc[0]}'); name a column of categories."
        )
    return classes.astype(np.intp), tuple(map(str, names))
