"""Predictions from a file: labels, scores and groups, checked value by value."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fairlab.core.errors import UserError
from fairlab.studies.audit.categories import MOST_GROUPS, Categories, Names, binary_label, class_label, groups
from fairlab.studies.audit.columns import Column, Table

#: Probabilities may have been rounded before they were saved.
SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Columns:
    """Which columns of a file to read, by name.

    Attributes
    ----------
    label : str
        What is true.
    score : str, optional
        The score of a binary label, in [0, 1].
    prefix : str, optional
        Instead of `score`: how the names of the class probabilities begin; the rest is the class.
    protected : tuple of str
        The columns that form groups.
    id : str, optional
        What names a row, to match two files by.
    """

    label: str
    score: str | None = None
    prefix: str | None = None
    protected: tuple[str, ...] = ()
    id: str | None = None


@dataclass(frozen=True)
class Predictions:
    """The predictions of one model, n rows.

    Attributes
    ----------
    path : Path
    label : Categories
        The true label; for a binary one the codes are 0 and 1.
    scores : (n,) float array
        The score of a binary label; with classes, the probability of the likeliest one.
    predicted : (n,) array of codes, or None
        The likeliest class, a code of `label`; None for a binary label, which needs a threshold.
    protected : dict of str to Categories
    ids : pyarrow array of str, or None
    """

    path: Path
    label: Categories
    scores: np.ndarray
    predicted: np.ndarray | None
    protected: dict[str, Categories]
    ids: pa.ChunkedArray | None = None

    def __len__(self) -> int:
        return len(self.scores)


def read_predictions(path: Path, columns: Columns) -> Predictions:
    """Read and check the predictions in a CSV, TSV or Parquet file.

    Parameters
    ----------
    path : Path
    columns : Columns

    Returns
    -------
    Predictions

    Raises
    ------
    UserError
        If the file or a column is missing or unreadable, or a value is missing, out of range or no label;
        the sentence names the file, the column and the first row (counted from 1 below the header).
    """
    table = Table(Path(path))
    classes = _classes(table, columns)
    kept = _Kept(columns, classes)
    for batch in table.batches(list(kept.needed)):
        kept.add(batch)
    return kept.finish(table.path)


class _Kept:
    """What is kept of each batch: codes and scores, so that ten million rows need little memory."""

    def __init__(self, columns: Columns, classes: dict[str, str]) -> None:
        self.columns, self.classes = columns, classes
        self.label, self.protected = Names(), {name: Names() for name in columns.protected}
        self.scores: list[np.ndarray] = []
        self.predicted: list[np.ndarray] = []
        self.ids: list[pa.Array] = []

    @property
    def needed(self) -> Iterator[str]:
        own = (self.columns.label, self.columns.score, self.columns.id)
        yield from (name for name in (*own, *self.columns.protected, *self.classes.values()) if name)

    def add(self, batch: dict[str, Column]) -> None:
        self.label.add(batch[self.columns.label])
        for name, collected in self.protected.items():
            collected.add(batch[name])
        if self.columns.score is not None:
            self.scores.append(_shares(batch[self.columns.score], "scores"))
        else:
            chances = [_shares(batch[name], "probabilities") for name in self.classes.values()]
            likeliest = _likeliest(np.stack(chances, axis=1), batch[self.columns.label], self.columns)
            self.predicted.append(likeliest[0])
            self.scores.append(likeliest[1])
        if self.columns.id is not None:
            self.ids.append(_checked_ids(batch[self.columns.id]))

    def finish(self, path: Path) -> Predictions:
        columns = self.columns
        binary = columns.score is not None
        label = (
            binary_label(path, columns.label, self.label)
            if binary
            else class_label(path, columns.label, str(columns.prefix), self.label, list(self.classes))
        )
        ids = pa.chunked_array(self.ids) if columns.id is not None else None
        if ids is not None:
            _check_unique(path, str(columns.id), ids)
        return Predictions(
            path=path,
            label=label,
            scores=np.concatenate(self.scores),
            predicted=None if binary else np.concatenate(self.predicted),
            protected={name: groups(path, name, found) for name, found in self.protected.items()},
            ids=ids,
        )


def _classes(table: Table, columns: Columns) -> dict[str, str]:
    """Return the column of each class; none if the label is binary."""
    prefix = columns.prefix
    if (columns.score is None) == (prefix is None):
        raise UserError("Name either the column of scores (--score) or the prefix of class probabilities "
                        "(--prob-prefix), one of the two.")  # fmt: skip
    if prefix is None:
        return {}
    classes = {name.removeprefix(prefix): name for name in table.names if name.startswith(prefix)}
    classes.pop("", None)
    if len(classes) < 2:
        raise UserError(
            f"{table.path} has {len(classes)} columns that begin with '{prefix}', and classes need at least "
            f"two; its columns are {', '.join(table.names[:40])}."
        )
    if len(classes) > MOST_GROUPS:
        raise UserError(
            f"{table.path} has {len(classes)} classes '{prefix}…'; at most {MOST_GROUPS} are told apart."
        )
    return classes


def _shares(column: Column, what: str) -> np.ndarray:
    numbers = column.numbers()
    wrong = ~((numbers >= 0) & (numbers <= 1))  # NaN is neither
    if wrong.any():
        row = int(wrong.argmax())
        if np.isnan(numbers[row]):
            raise column.fault("is empty", row, f"all rows need {what}; fill in the value or remove the row")
        raise column.fault(f"holds {numbers[row]:g}", row, f"{what} lie between 0 and 1, so pass no logits")
    return numbers


def _likeliest(chances: np.ndarray, column: Column, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Return the code of each row's likeliest class and its probability; they must sum to 1."""
    sums = chances.sum(axis=1)
    wrong = np.abs(sums - 1) > SUM_TOLERANCE + 1e-9
    if wrong.any():
        row = int(wrong.argmax())
        raise UserError(
            f"The columns '{columns.prefix}…' of {column.path} sum to {sums[row]:.4g} in row "
            f"{column.start + row + 1:,}; class probabilities sum to 1, so check that the prefix catches all "
            "of them."
        )
    best = chances.argmax(axis=1)
    return best.astype(np.uint8), chances[np.arange(len(best)), best].astype(np.float32)


def _checked_ids(column: Column) -> pa.Array:
    ids = column.texts()
    empty = pc.equal(ids, "")
    if pc.any(empty).as_py():
        raise column.fault("is empty", pc.index(empty, True).as_py(), "every row needs an id")
    return ids


def _check_unique(path: Path, name: str, ids: pa.ChunkedArray) -> None:
    if pc.count_distinct(ids).as_py() < len(ids):
        repeated = ids.to_pandas().duplicated()
        row = int(repeated.to_numpy().argmax())
        raise UserError(
            f"The column '{name}' of {path} has the id '{ids[row]}' again in row {row + 1:,} "
            f"({int(repeated.sum()):,} repetitions in all); keep one row for each id."
        )
