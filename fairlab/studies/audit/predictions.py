"""Predictions from a file: labels, scores and groups, checked value by value."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fairlab.core.errors import UserError
from fairlab.data.tables import Column, Table
from fairlab.studies.audit.categories import (
    MOST_GROUPS,
    Categories,
    Names,
    binary_label,
    class_label,
    groups,
    hard_labels,
)

#: Probabilities may have been rounded before they were saved: so much, or what their decimals tell.
SUM_TOLERANCE = 1e-3
ROUNDING = 1e-5  # what single precision may put beyond 0 and 1


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
    predicted : str, optional
        Instead of both: what is predicted, 0/1 or a class.
    positive : str, optional
        Which of two values of the label, and of `predicted`, is the positive one.
    protected : tuple of str
        The columns that form groups.
    id : str, optional
        What names a row, to match two files by.
    """

    label: str
    score: str | None = None
    prefix: str | None = None
    predicted: str | None = None
    positive: str | None = None
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
    scores : (n,) float array, or None
        The score of a binary label; with classes, the probability of the likeliest one. None if it is only
        known what is predicted.
    predicted : (n,) array of codes, or None
        What is predicted, or the likeliest class, a code of `label`; None if that takes a threshold.
    binary : bool
        Whether the label is 0 and 1, and no class.
    note : str
        What must be known of how the file was read.
    protected : dict of str to Categories
    ids : pyarrow array of str, or None
    """

    path: Path
    label: Categories
    scores: np.ndarray | None
    predicted: np.ndarray | None
    protected: dict[str, Categories]
    ids: pa.ChunkedArray | None = None
    binary: bool = True
    note: str = ""

    def __len__(self) -> int:
        return len(self.label.codes)


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
        self.named = Names()  # of the column of predicted values
        self.scores: list[np.ndarray] = []
        self.likeliest: list[np.ndarray] = []
        self.ids: list[pa.Array] = []

    @property
    def needed(self) -> Iterator[str]:
        own = (self.columns.label, self.columns.score, self.columns.predicted, self.columns.id)
        yield from (name for name in (*own, *self.columns.protected, *self.classes.values()) if name)

    def add(self, batch: dict[str, Column]) -> None:
        self.label.add(batch[self.columns.label])
        for name, collected in self.protected.items():
            collected.add(batch[name])
        if self.columns.predicted is not None:
            self.named.add(batch[self.columns.predicted])
        elif self.columns.score is not None:
            self.scores.append(shares(batch[self.columns.score], "scores"))
        else:
            chances = [shares(batch[name], "probabilities") for name in self.classes.values()]
            likeliest = _likeliest(np.stack(chances, axis=1), batch[self.columns.label], self.columns)
            self.likeliest.append(likeliest[0])
            self.scores.append(likeliest[1])
        if self.columns.id is not None:
            self.ids.append(_checked_ids(batch[self.columns.id]))

    def finish(self, path: Path) -> Predictions:
        columns = self.columns
        ids = pa.chunked_array(self.ids) if columns.id is not None else None
        if ids is not None:
            _check_unique(path, str(columns.id), ids)
        protected = {name: groups(path, name, found) for name, found in self.protected.items()}
        label, scores, predicted, binary, note = self._predicted(path)
        return Predictions(path, label, scores, predicted, protected, ids, binary, note)

    def _predicted(self, path: Path) -> tuple[Categories, np.ndarray | None, np.ndarray | None, bool, str]:
        """Return label, scores, what is predicted, whether the label is binary, and a note."""
        columns = self.columns
        if columns.predicted is not None:
            label, predicted, binary = hard_labels(
                path, (columns.label, self.label), (columns.predicted, self.named), columns.positive
            )
            return label, None, predicted, binary, ""
        scores = np.concatenate(self.scores)
        if columns.score is None:
            label = class_label(path, columns.label, str(columns.prefix), self.label, list(self.classes))
            return label, scores, np.concatenate(self.likeliest), False, ""
        label = binary_label(path, columns.label, self.label, columns.positive)
        if not np.isin(scores, (0.0, 1.0)).all():
            return label, scores, None, True, ""
        return label, None, scores.astype(np.uint8), True, _DECISIONS.format(columns.score, path)


_DECISIONS = (
    "The column '{}' of {} holds only 0 and 1, so these are taken as decisions: a threshold, AP, AUC, KL and "
    "calibration need scores and are left out."
)


def _classes(table: Table, columns: Columns) -> dict[str, str]:
    """Return the column of each class; none if the label is binary."""
    prefix = columns.prefix
    if sum(name is not None for name in (columns.score, prefix, columns.predicted)) != 1:
        raise UserError(
            "Name either the column of scores (--score), the column of predicted values (--predicted) or the "
            "prefix of class probabilities (--prob-prefix), one of the three."
        )
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


def shares(column: Column, what: str) -> np.ndarray:
    """Return numbers in 0..1, (rows,); what single precision puts beyond is cut off."""
    numbers = column.numbers()
    wrong = ~((numbers >= -ROUNDING) & (numbers <= 1 + ROUNDING))  # NaN is neither
    if wrong.any():
        row = int(wrong.argmax())
        if np.isnan(numbers[row]):
            raise column.fault("is empty", row, f"all rows need {what}; fill in the value or remove the row")
        percent = np.nanmin(numbers) >= 0 and 1 < np.nanmax(numbers) <= 100
        way_out = "these look like percentages, so divide by 100" if percent else "so pass no logits"
        raise column.fault(f"holds {float(numbers[row])!r}", row, f"{what} lie between 0 and 1, {way_out}")
    return np.clip(numbers, 0, 1)


def _likeliest(chances: np.ndarray, column: Column, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Return the code of each row's likeliest class and its probability; they must sum to 1."""
    sums = chances.sum(axis=1)
    wrong = np.abs(sums - 1) > SUM_TOLERANCE + 1e-9
    if wrong.any():  # numbers with d decimals are each off by half a unit of the last
        rounded = chances.shape[1] * 0.5 * 10.0 ** -_decimals(chances)
        wrong = np.abs(sums - 1) > max(SUM_TOLERANCE, rounded) + 1e-9
    if wrong.any():
        row = int(wrong.argmax())
        raise UserError(
            f"The columns '{columns.prefix}…' of {column.path} sum to {sums[row]:.4g} in row "
            f"{column.start + row + 1:,}; class probabilities sum to 1, so check that the prefix catches all "
            "of them."
        )
    best = chances.argmax(axis=1)
    return best.astype(np.uint8), chances[np.arange(len(best)), best].astype(np.float32)


def _decimals(numbers: np.ndarray) -> int:
    """Return how many decimals numbers have at the most, up to 6."""
    few = (d for d in range(1, 6) if np.abs(numbers * 10**d - np.rint(numbers * 10**d)).max() < 1e-6)
    return next(few, 6)


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
