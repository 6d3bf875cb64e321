"""A model's predictions of a table of labels: from a file, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.label_columns import LabelTable

Measure = Literal["F1", "mAP"]
_TABLES = (".csv", ".tsv", ".parquet")


@dataclass(frozen=True)
class Performance:
    """How well a model predicts labels: each label's F1 or average precision, (k,), in 0..1."""

    measure: Measure
    by_label: np.ndarray  #: 1 for a label that no image has, as there is nothing to get wrong
    known: np.ndarray  #: (k,) bool: whether some image has the label

    @property
    def mean(self) -> float:
        """Mean over the labels that some image has."""
        return float(self.by_label[self.known].mean())

    @property
    def sentence(self) -> str:
        """What a reader must know of it."""
        absent = int((~self.known).sum())
        lacking = f", without {absent} that no image has" if absent else ""
        return (
            f"The model's {self.measure} is {100 * self.mean:.1f}%, the mean over {self.known.sum()} labels"
            f"{lacking}; labels are made wrong at random until each is as accurate as the model's."
        )


def read_predictions(path: Path, table: LabelTable, *, id_column: str | None = None) -> np.ndarray:
    """Return a model's scores of the images of a table, (n, k) float32, in their order.

    Parameters
    ----------
    path : Path
        ``.npy`` of shape (rows, k), CSV, TSV or Parquet with a column for each label or class, under its name
        or in the same order. Rows are those of the table, or of the whole file that it was chosen from.
    table : LabelTable
    id_column : str, optional
        The column that names the images in both files; rows are then matched by it.

    Raises
    ------
    UserError
        If the file is missing or unreadable, or rows, columns or values do not fit.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}; give the path of a model's predictions.")
    if path.suffix.lower() == ".npy":
        return _chosen_rows(path, _numbers(path, _read_array(path)), table)
    columns = _read_table(path, id_column)
    if id_column is None:
        return _chosen_rows(path, _scores(path, columns, table), table)
    if id_column not in columns:
        raise UserError(f"{path} has no column '{id_column}'; {nearest_names(id_column, columns.columns)}")
    ids = columns.pop(id_column).astype(str).str.strip().str.removesuffix(".0")  # as labels are read
    return _scores(path, columns, table)[_places(path, ids, table)]


def performance(labels: np.ndarray, scores: np.ndarray, measure: Measure) -> Performance:
    """Return how well scores predict labels.

    Parameters
    ----------
    labels : array of shape (n, k) of 0 and 1, or (n,) of classes
    scores : array of shape (n, k)
        Probabilities, of which above 0.5 means yes, or, if some lie outside 0..1, logits, above 0; of classes
        the largest is predicted.
    measure : "F1" or "mAP"
    """
    from sklearn.metrics import average_precision_score, f1_score  # takes a second

    truth = labels if labels.ndim == 2 else np.eye(scores.shape[1], dtype=np.uint8)[labels]
    if measure == "mAP":
        found = [
            average_precision_score(y, s) if y.any() else 1.0 for y, s in zip(truth.T, scores.T, strict=True)
        ]
    else:
        decided = _decided(labels, scores)  # column by column: sklearn takes a single one for two classes
        found = [f1_score(y, yes, zero_division=0) for y, yes in zip(truth.T, decided.T, strict=True)]
    known = np.asarray(truth.any(axis=0))
    return Performance(measure, np.where(known, found, 1.0), known)


def _decided(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    if labels.ndim == 1:
        return np.eye(scores.shape[1], dtype=np.uint8)[scores.argmax(axis=1)]
    limit = 0.5 if scores.min() >= 0 and scores.max() <= 1 else 0.0
    return (scores > limit).astype(np.uint8)


def _read_array(path: Path) -> np.ndarray:
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is not readable as a numpy array ({error}); save it with numpy.save."
        ) from error


def _read_table(path: Path, id_column: str | None) -> pd.DataFrame:
    if path.suffix.lower() not in _TABLES:
        raise UserError(f"{path} is no .npy, {', '.join(_TABLES)}; save the predictions as one of these.")
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        separator = "\t" if path.suffix.lower() == ".tsv" else ","
        text = {id_column: str} if id_column else None  # lest 000012 lose its zeros
        return pd.read_csv(path, sep=separator, dtype=text, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not readable as a table ({str(error).strip()}).") from error


def _scores(path: Path, columns: pd.DataFrame, table: LabelTable) -> np.ndarray:
    """Return the columns of the labels: by their names, or all in order if there are as many."""
    columns = columns.rename(columns=lambda name: str(name).strip())
    named = [name for name in table.names if name in columns]
    if len(named) == len(table.names):
        columns = columns[list(table.names)]
    elif named or columns.shape[1] != len(table.names):
        absent = next(name for name in table.names if name not in columns)
        raise UserError(
            f"{path} has {columns.shape[1]} columns of predictions for {len(table.names)} labels and none "
            f"named '{absent}'; give one for each label, under its name or all in order."
        )
    return _numbers(path, columns.to_numpy())


def _numbers(path: Path, values: np.ndarray) -> np.ndarray:
    try:
        scores = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(f"{path} holds predictions that are no numbers ({error}); give scores.") from error
    if scores.ndim != 2 or not np.isfinite(scores).all():
        row = int((~np.isfinite(scores.reshape(len(scores), -1))).any(axis=1).argmax())
        raise UserError(
            f"{path} must hold finite numbers of shape (rows, labels), but has shape {scores.shape} or a "
            f"value that is missing or infinite (first: row {row + 1:,})."
        )
    return scores


def _chosen_rows(path: Path, scores: np.ndarray, table: LabelTable) -> np.ndarray:
    """Return the rows of the table, from predictions of just these or of the whole file."""
    if scores.shape[1] != len(table.names):
        raise UserError(
            f"{path} has {scores.shape[1]} columns for {len(table.names)} labels; give one for each."
        )
    if len(scores) == table.size:
        return scores[table.numbers]
    if len(scores) == len(table) and table.listed_otherwise:
        raise UserError(
            f"{path} has predictions of just the chosen rows, whose list is not in rising order, so it is "
            "unclear which order they are in; give predictions of the whole file, or match them with --id."
        )
    if len(scores) == len(table):
        return scores
    raise UserError(
        f"{path} has {len(scores):,} rows of predictions for {len(table):,} labelled images of a file of "
        f"{table.size:,} rows; give one for each, in the same order, or match them with --id."
    )


def _places(path: Path, ids: pd.Series, table: LabelTable) -> np.ndarray:
    """Return where each image of the table stands in the predictions."""
    assert table.ids is not None
    named = pd.Series(table.ids)
    if named.duplicated().any():
        twice = named[named.duplicated()].iloc[0]
        raise UserError(f"The labels have the id '{twice}' twice; keep one row for each image.")
    if ids.duplicated().any():
        raise UserError(
            f"{path} has the id '{ids[ids.duplicated()].iloc[0]}' twice; keep one row for each image."
        )
    places = pd.Series(np.arange(len(ids)), index=ids).reindex(table.ids)
    absent = places[places.isna()]
    if len(absent):
        raise UserError(
            f"{path} has no predictions of {len(absent):,} of {len(places):,} images (first: "
            f"'{absent.index[0]}'); give them all."
        )
    return places.to_numpy(dtype=np.intp)


def check_measure(measure: str, known: Sequence[str] = ("F1", "mAP")) -> None:
    """Raise a UserError unless the measure is known."""
    if measure not in known:
        raise UserError(f"There is no performance metric '{measure}'; choose F1 or mAP.")
