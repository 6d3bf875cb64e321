"""Predictions from a file: labels, scores and groups, checked value by value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.matching import places, zeros_are_all
from fairlab.data.tables import Column, Table, plain
from fairlab.studies.audit.categories import (
    MOST_GROUPS,
    Categories,
    Names,
    binary_label,
    class_label,
    groups,
    hard_labels,
)
from fairlab.studies.audit.scores import Chances, Scores


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
    logits : bool
        Whether scores are logits and no probabilities.
    """

    label: str | None
    score: str | None = None
    prefix: str | None = None
    predicted: str | None = None
    positive: str | None = None
    protected: tuple[str, ...] = ()
    id: str | None = None
    logits: bool = False

    def of(self, table: Table) -> Columns:
        """Return those that another model's table must have: label and groups are known from the first."""
        label = self.label if self.label in table.names or self.id is None else None
        return replace(self, label=label, protected=tuple(p for p in self.protected if p in table.names))


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


def read_predictions(path: Path, columns: Columns, first: Predictions | None = None) -> Predictions:
    """Read and check the predictions in a table.

    Parameters
    ----------
    path : Path
    columns : Columns
    first : Predictions, optional
        Another model's predictions of the same rows. With ids, label and groups are then not needed again;
        groups may be missing in some rows.

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
    if first is not None:
        _check_other(table, columns)
        columns = columns.of(table)
    kept = _Kept(columns, _classes(table, columns), first)
    for batch in table.batches(list(kept.needed)):
        kept.add(batch)
    return kept.finish(table.path)


def _check_other(table: Table, columns: Columns) -> None:
    """Raise a UserError if another model's table lacks a column, which may have another name there."""
    if columns.id is None and columns.label not in table.names:
        raise UserError(
            f"{table.path} has no column '{columns.label}', so nothing shows that its rows are in the same "
            "order; name a column that both files share with --id."
        )
    given = {"score": columns.score, "predicted": columns.predicted, "id": columns.id}
    for option, name in given.items():
        if name is not None and name not in table.names:
            raise UserError(
                f"{table.path} has no column '{name}'; say with --compare-{option} what it is called there: "
                f"{nearest_names(name, table.names)}"
            )


class _Kept:
    """What is kept of each batch: codes and scores, so that ten million rows need little memory."""

    def __init__(self, columns: Columns, classes: dict[str, str], first: Predictions | None) -> None:
        self.columns, self.classes, self.first = columns, classes, first
        self.label, self.protected = Names(), {name: Names() for name in columns.protected}
        self.named = Names()  # of the column of predicted values
        self.scores = Scores(columns.logits)
        self.chances = Chances(str(columns.prefix), columns.logits)
        self.ids: list[pa.Array] = []

    @property
    def needed(self) -> Iterator[str]:
        own = (self.columns.label, self.columns.score, self.columns.predicted, self.columns.id)
        yield from (name for name in (*own, *self.columns.protected, *self.classes.values()) if name)

    def add(self, batch: dict[str, Column]) -> None:
        if self.columns.label is not None:
            self.label.add(batch[self.columns.label])
        for name, collected in self.protected.items():
            collected.add(batch[name])
        if self.columns.predicted is not None:
            self.named.add(batch[self.columns.predicted])
        elif self.columns.score is not None:
            self.scores.add(batch[self.columns.score])
        else:
            self.chances.add([batch[name] for name in self.classes.values()])
        if self.columns.id is not None:
            self.ids.append(_checked_ids(batch[self.columns.id]))

    def finish(self, path: Path) -> Predictions:
        columns = self.columns
        ids = pa.chunked_array(self.ids) if columns.id is not None else None
        if ids is not None:
            _check_unique(path, str(columns.id), ids)
        if columns.label is None:
            self._take_labels(path, ids)
        protected = {
            name: groups(path, name, found) if self.first is None else found.finish(sorted(found.known))
            for name, found in self.protected.items()
        }
        label, scores, predicted, binary, notes = self._predicted(path)
        return Predictions(path, label, scores, predicted, protected, ids, binary, " ".join(notes))

    def _take_labels(self, path: Path, ids: pa.ChunkedArray) -> None:
        """Take the labels of the first model's file, by the ids."""
        assert self.first is not None
        rows = place_ids(path, ids, self.first, str(self.columns.id))
        self.label = Names.of(self.first.label, rows)

    def _predicted(
        self, path: Path
    ) -> tuple[Categories, np.ndarray | None, np.ndarray | None, bool, list[str]]:
        """Return label, scores, what is predicted, whether the label is binary, and notes."""
        columns = self.columns
        name = str(columns.label or "label")
        if columns.predicted is not None:
            label, predicted, binary = hard_labels(
                path, (name, self.label), (columns.predicted, self.named), columns.positive
            )
            return label, None, predicted, binary, []
        if columns.score is None:
            likeliest, chances, notes = self.chances.finish()
            label = class_label(path, name, str(columns.prefix), self.label, list(self.classes))
            return label, chances, likeliest, False, notes
        scores, notes = self.scores.finish()
        label = binary_label(path, name, self.label, columns.positive)
        if not np.isin(scores, (0.0, 1.0)).all():
            return label, scores, None, True, notes
        return label, None, scores.astype(np.uint8), True, notes


def place_ids(path: Path, ids: pa.ChunkedArray, other: Predictions, name: str) -> np.ndarray:
    """Return where each id of the file `path` stands in another, (n,).

    Raises
    ------
    UserError
        If some are not there.
    """
    found, _ = places(ids, other.ids)
    absent = found < 0
    if absent.any():
        row = int(absent.argmax())
        hint = ""
        if zeros_are_all(ids, other.ids):
            hint = ", and write the zeros at the beginning of ids alike in both files"
        raise UserError(
            f"{int(absent.sum()):,} of {len(ids):,} ids in the column '{name}' of {path} are not in "
            f"{other.path} (first: '{ids[row]}' in row {row + 1:,}); compare predictions for the "
            f"same rows{hint}."
        )
    return found


def _classes(table: Table, columns: Columns) -> dict[str, str]:
    """Return the column of each class; none if the label is binary."""
    prefix = columns.prefix
    if sum(name is not None for name in (columns.score, prefix, columns.predicted)) != 1:
        raise UserError(
            "Name either the column of scores (--score), the column of predicted values (--predicted) or the "
            "prefix of class probabilities (--prob-prefix), one of the three."
        )
    if columns.logits and columns.predicted is not None:
        raise UserError("--logits belongs to --score or --prob-prefix; a column of decisions has none.")
    if prefix is None:
        return {}
    found = [name for name in table.names if name.startswith(prefix) and name != prefix]
    classes = {plain(name.removeprefix(prefix)): name for name in found}
    if len(classes) < len(set(found)):
        twice = next(name for name in found if name not in classes.values())
        raise UserError(f"{table.path} has '{twice}' and another column of that class; rename one of them.")
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
