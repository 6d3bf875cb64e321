"""Tables of labels without images: imSitu's and COCO's pickles, CelebA's text, CSV and Parquet of your own.

A pickle can name any code to be run when it is read. These are read by an unpickler that knows lists, dicts,
sets, texts and numbers, and refuses a file that names anything else.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fairlab.core.errors import MOST_CLASSES, UserError, nearest_names
from fairlab.data.celeba_tables import read_attributes
from fairlab.data.folder_table import BINARY

#: Columns that say which image a row is, not what it shows.
NOT_LABELS = ("file", "file_name", "image_id", "identity", "split", "service_test")
_TABLES = (".csv", ".parquet", ".txt")


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
    """

    labels: np.ndarray
    protected: np.ndarray
    names: tuple[str, ...]
    groups: tuple[str, str]
    kind: str = "table"

    def __len__(self) -> int:
        return len(self.protected)

    def rows(self, rows: np.ndarray) -> LabelTable:
        """Return some of the images, by their numbers."""
        return replace(self, labels=self.labels[rows], protected=self.protected[rows])


def read_labels(
    path: Path, *, protected: str | None = None, labels: Sequence[str] | None = None, ids: Path | None = None
) -> LabelTable:
    """Read a table of labels.

    Parameters
    ----------
    path : Path
        A pickle of imSitu or COCO, CelebA's ``list_attr_celeba.txt``, a CSV or a Parquet file.
    protected : str, optional
        The column of the protected label, with two values; a pickle has it built in (0 man, 1 woman, as
        annotators saw it).
    labels : sequence of str, optional
        Several columns of 0/1, -1/1, false/true or no/yes, or one column of categories; by default all
        such binary columns but the protected one.
    ids : Path, optional
        A pickled list or set of row numbers: only these rows, in rising order.

    Returns
    -------
    LabelTable

    Raises
    ------
    UserError
        If a file is missing, damaged, refused, or has no such columns, values or rows.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}; give the path of a table of labels.")
    if path.suffix.lower() in _TABLES:
        table = _from_columns(path, protected, labels)
    elif protected or labels:
        raise UserError(f"{path} is no CSV, Parquet or CelebA text, so it has no columns to choose from.")
    else:
        table = _from_records(path, read_plain_pickle(path))
    return table if ids is None else table.rows(_read_rows(ids, len(table)))


def align(tables: Sequence[LabelTable]) -> list[LabelTable]:
    """Return tables whose classes have the same numbers in all, so that one attacker reads them.

    Raises
    ------
    UserError
        If they have other groups or other labels.
    """
    first = tables[0]
    for table in tables:
        if table.groups != first.groups or table.labels.ndim != first.labels.ndim:
            raise UserError(
                f"The tables do not go together: one has the groups {first.groups} and labels of shape "
                f"{first.labels.shape}, another {table.groups} and {table.labels.shape}."
            )
        if table.labels.ndim == 2 and table.names != first.names:
            raise UserError(
                "The tables have different label columns, or in another order; name those to use."
            )
    if first.labels.ndim == 2:
        return list(tables)
    names = tuple(dict.fromkeys(name for table in tables for name in table.names))
    places = [np.array([names.index(name) for name in table.names], dtype=np.intp) for table in tables]
    return [replace(t, labels=at[t.labels], names=names) for t, at in zip(tables, places, strict=True)]


class _PlainUnpickler(pickle.Unpickler):
    """Builds containers, texts and numbers; sets are the only ones for which a pickle names a class."""

    def find_class(self, module: str, name: str) -> Any:
        """Return set or frozenset, or refuse."""
        if module in ("builtins", "__builtin__") and name in ("set", "frozenset"):
            return {"set": set, "frozenset": frozenset}[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def read_plain_pickle(path: Path) -> Any:
    """Read a pickle of plain containers, of Python 2 or 3, without running any code it names.

    Raises
    ------
    UserError
        If the file is missing, damaged, or names a class or function other than a set.
    """
    try:
        with open(path, "rb") as file:
            return _PlainUnpickler(file, encoding="latin1").load()
    except pickle.UnpicklingError as error:
        raise UserError(
            f"The file {path} is refused or no pickle ({error}); only lists, dicts, sets, texts and numbers "
            "are read, since anything else could run a stranger's code."
        ) from error
    except Exception as error:  # a damaged pickle can fail in any way
        raise UserError(
            f"The file {path} is not a readable pickle ({type(error).__name__}); fetch it again, or give a "
            "CSV whose name ends in .csv."
        ) from error


def _from_records(path: Path, records: Any) -> LabelTable:
    """Make a table of imSitu's or COCO's list of dicts."""
    try:
        verbs = "verb" in records[0]
        women = np.array([_is_woman(record["gender"]) for record in records], dtype=np.intp)
        values = np.array([record["verb" if verbs else "objects"] for record in records])
        fits = values.dtype.kind in "iub" and values.ndim == (1 if verbs else 2) and values.min() >= 0
        if not fits or values.max() >= (MOST_CLASSES if verbs else 2):
            raise ValueError("verbs are numbers from 0, objects 0 or 1")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"The pickle {path} is neither imSitu's nor COCO's list of labels ({type(error).__name__}: "
            f"{error}); write your own as CSV."
        ) from error
    width = int(values.max()) + 1 if verbs else values.shape[1]
    names = tuple(f"{'verb' if verbs else 'object'} {number}" for number in range(width))
    labels = values.astype(np.intp if verbs else np.uint8)
    return LabelTable(labels, women, names, ("man", "woman"), "imSitu" if verbs else "COCO")


def _is_woman(gender: Any) -> int:
    """imSitu writes 0 for a man and 1 for a woman, COCO [1, 0] and [0, 1]."""
    codes: dict[Any, int] = {0: 0, 1: 1, (1, 0): 0, (0, 1): 1}
    return codes[tuple(gender) if isinstance(gender, list) else gender]


def _read_rows(path: Path, n: int) -> np.ndarray:
    ids = read_plain_pickle(path)
    plain = isinstance(ids, list | set | frozenset | tuple) and all(type(number) is int for number in ids)
    if not plain or not ids or not 0 <= min(ids) <= max(ids) < n:
        raise UserError(
            f"The file {path} must hold a list or set of row numbers from 0 to {n - 1}; choose the one that "
            "was made for this table."
        )
    return np.array(sorted(set(ids)), dtype=np.intp)


def _from_columns(path: Path, protected: str | None, labels: Sequence[str] | None) -> LabelTable:
    columns = _read_columns(path)
    if protected is None:
        raise UserError(f"Name the column of {path} that holds the protected label with --protected NAME.")
    _check_columns(path, columns, [protected, *(labels or ())])
    if protected in (labels or ()):
        raise UserError(f"'{protected}' cannot be a label and the protected label at once; leave it out.")
    groups, group = _two_groups(path, columns[protected])
    if labels is not None and len(labels) == 1 and _binary(columns[labels[0]]) is None:
        return LabelTable(*_classes(path, columns[labels[0]], group), groups)
    asked = list(labels or ()) or [
        name for name in columns.columns.astype(str) if name != protected and name not in NOT_LABELS
    ]
    found = {name: _binary(columns[name]) for name in asked}
    binary = {name: values for name, values in found.items() if values is not None}
    if not binary or (labels and len(binary) < len(asked)):
        kept = ", ".join(name for name in asked if name not in binary)
        raise UserError(
            f"Labels of {path} must be 0/1, -1/1, false/true or no/yes throughout, or one single column of "
            f"categories, but these are not binary: {kept or 'there is no other column'}; name one label."
        )
    return LabelTable(np.stack(list(binary.values()), axis=1), group, tuple(binary), groups)


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
    return pd.DataFrame(clean)


def _check_columns(path: Path, columns: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in columns:
            raise UserError(f"{path} has no column '{name}'; {nearest_names(name, columns.columns)}")


def _binary(column: pd.Series) -> np.ndarray | None:
    """Return (n,) uint8, or None if the column is not binary."""
    values = column.str.lower()
    for pair in BINARY:
        if values.isin(pair).all():
            return (values == pair[1]).to_numpy(dtype=np.uint8)
    return None


def _two_groups(path: Path, column: pd.Series) -> tuple[tuple[str, str], np.ndarray]:
    """Return the groups' names and who is in which, (n,)."""
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


def _classes(
    path: Path, column: pd.Series, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return each image's class, (n,), its group, and the classes' names."""
    classes, names = pd.factorize(column, sort=True)
    if len(names) > max(2, len(column) // 2) or "" in names:
        what = "is empty in some rows" if "" in names else f"has {len(names)} values in {len(column)} rows"
        raise UserError(f"The label '{column.name}' of {path} {what}; name a column of categories.")
    return classes.astype(np.intp), group, tuple(map(str, names))
