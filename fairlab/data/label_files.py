"""Tables of labels without images: imSitu's and COCO's pickles, CelebA's text, CSV and Parquet of your own.

A pickle can name any code to be run when it is read. These are read by an unpickler that knows lists, dicts,
sets, texts and numbers, and refuses a file that names anything else.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fairlab.core.errors import MOST_CLASSES, UserError
from fairlab.data.binary_columns import OF
from fairlab.data.label_columns import LabelTable, table_of_columns
from fairlab.data.tables import PARQUET, TEXT


def read_labels(
    path: Path,
    *,
    protected: str | None = None,
    labels: Sequence[str] | None = None,
    ids: Path | None = None,
    id_column: str | None = None,
) -> LabelTable:
    """Read a table of labels.

    Parameters
    ----------
    path : Path
        A pickle of imSitu or COCO, CelebA's ``list_attr_celeba.txt``, or a table, as `fairlab.data.tables`
        reads them.
    protected : str, optional
        The column of the protected label, with two values; a pickle has it built in (0 man, 1 woman, as
        annotators saw it).
    labels : sequence of str, optional
        Columns of 0/1, -1/1, false/true or no/yes, or of categories, each of which becomes a column of 0 and
        1; by default all binary columns but the protected one. Rows that lack a value are left out, and a
        note counts them.
    ids : Path, optional
        A pickled list or set of row numbers: only these rows, in rising order.
    id_column : str, optional
        The column that names the images, for predictions to be matched by.

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
    if path.suffix.lower() in (*TEXT, *PARQUET):
        table = table_of_columns(path, protected, labels, id_column)
    elif protected or labels or id_column:
        raise UserError(f"{path} is no CSV, Parquet or CelebA text, so it has no columns to choose from.")
    else:
        table = _from_records(path, read_plain_pickle(path))
    if ids is None:
        return table
    chosen = _read_rows(ids, table.size)
    some = table.rows(np.flatnonzero(np.isin(table.numbers, chosen)))
    return replace(some, listed_otherwise=bool((np.diff(chosen) < 0).any()))


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
    if first.labels.ndim == 2:
        return _same_columns(tables)
    names = tuple(dict.fromkeys(name for table in tables for name in table.names))
    places = [np.array([names.index(name) for name in table.names], dtype=np.intp) for table in tables]
    return [replace(t, labels=at[t.labels], names=names) for t, at in zip(tables, places, strict=True)]


def _same_columns(tables: Sequence[LabelTable]) -> list[LabelTable]:
    """Return tables with the same label columns; a category that one table lacks is 0 in all of its rows."""
    names = tuple(dict.fromkeys(name for table in tables for name in table.names))
    aligned = []
    for table in tables:
        absent = [name for name in names if name not in table.names]
        if any(OF not in name for name in absent):
            raise UserError(
                f"The tables have different label columns: one lacks '{absent[0]}'; name those to use with "
                f"--labels. {' '.join(table.notes)}".rstrip()
            )
        labels = np.zeros((len(table), len(names)), dtype=np.uint8)
        labels[:, [names.index(name) for name in table.names]] = table.labels
        aligned.append(replace(table, labels=labels, names=names))
    return aligned


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
    kind, numbers = "imSitu" if verbs else "COCO", np.arange(len(records))
    return LabelTable(labels, women, names, ("man", "woman"), kind, numbers, size=len(records))


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
    return np.array(ids if isinstance(ids, list | tuple) else sorted(ids), dtype=np.intp)
