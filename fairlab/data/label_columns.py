"""Labels of images in the columns of a table: CSV, Parquet, or CelebA's text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.binary_columns import (
    OF,
    binary_pair,
    gaps,
    label_fault,
    left_out_sentence,
    missing,
    undecided,
)
from fairlab.data.celeba_tables import read_attributes
from fairlab.data.tables import Table, read_texts

#: Columns that say which image a row is, not what it shows.
NOT_LABELS = ("file", "file_name", "image_id", "identity", "split", "service_test")


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
    if protected is None:
        raise UserError(f"Name the column of {path} that holds the protected label with --protected NAME.")
    own = [name for name in (protected, id_column) if name is not None]
    if twice := set(own) & set(labels or ()):
        raise UserError(f"'{min(twice)}' cannot be a label too; leave it out of the labels.")
    columns, left_out = _read_columns(path, [*own, *(labels or ())])
    groups, group = _two_groups(path, columns[protected])
    used, notes = _usable(path, columns, own, labels, left_out)
    decided = pd.DataFrame({name: columns[name].mask(undecided(columns[name]), "") for name in used})
    whole = (decided != "").all(axis=1).to_numpy()
    if not whole.any():
        lacking = _incomplete(columns[used], decided, whole)
        raise UserError(f"{path} has no row with a value of every label; name fewer with --labels. {lacking}")
    numbers = np.flatnonzero(whole)
    kept = decided.iloc[numbers]
    notes += [_incomplete(columns[used], decided, whole)] if not whole.all() else []
    ids = None if id_column is None else _ids(path, columns[id_column])[numbers]
    if len(used) == 1 and _binary(kept[used[0]]) is None:
        values, names = _classes(path, kept[used[0]])
    else:
        values, names = _indicators(path, kept)
    return LabelTable(
        values, group[numbers], names, groups, "table", numbers, ids, len(columns), notes=tuple(notes)
    )


def _read_columns(path: Path, asked: Sequence[str]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return all columns as text, and why some are left out; each that was asked for must be there once."""
    table = Table(path)
    if path.suffix.lower() == ".txt" and len(table.names) == 1:
        texts = read_attributes(path).reset_index(drop=True)  # CelebA's, separated by blanks
    else:
        table.check(asked)
        texts = read_texts(path)
    twice = texts.columns[texts.columns.duplicated()]
    texts = texts.loc[:, ~texts.columns.isin(twice)]
    if absent := [name for name in asked if name not in texts]:
        raise UserError(f"{path} has no column '{absent[0]}'; {nearest_names(absent[0], texts.columns)}")
    return texts, dict.fromkeys(map(str, twice), "stands twice in the header")


def _usable(
    path: Path,
    columns: pd.DataFrame,
    own: Sequence[str],
    labels: Sequence[str] | None,
    left_out: dict[str, str],
) -> tuple[list[str], list[str]]:
    """Return the label columns, and notes on those that are left out; what was asked for must be usable."""
    if labels:
        return list(dict.fromkeys(labels)), []
    others = [name for name in columns.columns.astype(str) if name not in (*own, *NOT_LABELS)]
    faults = left_out | {name: fault for name in others if (fault := label_fault(columns[name])) is not None}
    used = [name for name in others if name not in faults]
    told = left_out_sentence(path, faults)
    if not used:
        raise UserError(
            f"{path} has no binary label column beside '{own[0]}'; name columns of categories with --labels. "
            f"{told}".rstrip()
        )
    return used, [told] if told else []


def _incomplete(labels: pd.DataFrame, decided: pd.DataFrame, whole: np.ndarray) -> str:
    """Say how many rows lack a label, and which columns are to blame."""
    blamed = [f"'{name}' in {n:,}" for name, n in (labels == "").sum().items() if n]
    doubts = (decided == "").sum() - (labels == "").sum()
    unsure = [f"'{name}' in {n:,}" for name, n in doubts.items() if n]
    why = [f"they have no value of {', '.join(blamed)}"] if blamed else []
    why += [f"0 beside -1 and 1 means undecided, of {', '.join(unsure)}"] if unsure else []
    return (
        f"{int((~whole).sum()):,} of {len(whole):,} rows are left out, the first of them row "
        f"{int((~whole).argmax()) + 1:,}: {'; '.join(why)}."
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


def _ids(path: Path, column: pd.Series) -> np.ndarray:
    """Return the names of the images, (n,), of which none may be missing."""
    if (fault := missing(column)) is not None:
        raise UserError(f"The column '{column.name}' of {path} {fault}; every image needs an id.")
    return column.to_numpy(dtype=str)


def _binary(column: pd.Series) -> np.ndarray | None:
    """Return (n,) uint8, or None if the column is not binary."""
    pair = binary_pair(column.unique())
    return None if pair is None else (column.str.lower() == pair[1]).to_numpy(dtype=np.uint8)


def _two_groups(path: Path, column: pd.Series) -> tuple[tuple[str, str], np.ndarray]:
    """Return the groups' names and who is in which, (n,)."""
    if (fault := gaps(column)) is not None:
        raise UserError(
            f"The protected label '{column.name}' of {path} {fault}; fill it in, or remove those rows."
        )
    known = sorted(column.unique())
    values = _binary(column)
    if values is not None and len({value.lower() for value in known}) == 2:
        return (f"not {column.name}", str(column.name)), values.astype(np.intp)
    if len(known) != 2:
        raise UserError(
            f"The protected label '{column.name}' of {path} must have two values, but has "
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
