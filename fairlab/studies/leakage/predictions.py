"""A model's predictions of a table of labels: from a file, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fairlab.core.errors import UserError
from fairlab.data.binary_columns import binary_pair
from fairlab.data.label_columns import NOT_LABELS, LabelTable
from fairlab.data.matching import places, zeros_are_all, zeros_sentence
from fairlab.data.percentages import DIVIDE, ROUNDING, are_percentages
from fairlab.data.tables import Column, Table, is_index

Measure = Literal["F1", "mAP"]


class Scores(NamedTuple):
    """A model's scores of the images of a table."""

    numbers: np.ndarray  #: (n, k) float32
    notes: tuple[str, ...] = ()  #: how they were read


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


def read_predictions(path: Path, table: LabelTable, *, id_column: str | None = None) -> Scores:
    """Return a model's scores of the images of a table, in their order.

    Parameters
    ----------
    path : Path
        ``.npy`` of shape (rows, k), or a table with a column for each label or class, under its name or in
        the same order. Rows are those of the table, or of the whole file that it was chosen from.
        Percentages are divided by 100.
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
        values, note = _one_scale(path, _numbers(path, _read_array(path)), table)
        return Scores(_chosen_rows(path, values, table), note)
    values, ids = _read_columns(Table(path), table, id_column)
    values, note = _one_scale(path, values, table)
    if ids is None:
        return Scores(_chosen_rows(path, values, table), note)
    order, zeros = _places(path, ids, table)
    return Scores(values[order], (*note, *zeros))


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


def _read_columns(
    file: Table, table: LabelTable, id_column: str | None
) -> tuple[np.ndarray, pa.ChunkedArray | None]:
    """Return the scores of all rows, (rows, k), and their ids."""
    own = [id_column] if id_column else []
    file.check(own)
    names = _columns_of_labels(file, table, own)
    parts, ids = [], []
    for batch in file.batches([*names, *own]):
        parts.append(np.stack([_scores(batch[name]) for name in names], axis=1))
        ids += [batch[name].texts() for name in own]
    return np.concatenate(parts), pa.chunked_array(ids) if own else None


def _columns_of_labels(file: Table, table: LabelTable, own: Sequence[str]) -> list[str]:
    """Return the columns of the labels: by their names, or all in order if there are as many."""
    others = [name for name in file.names if name not in own and not is_index(name)]
    named = [name for name in table.names if name in others]
    if len(named) == len(table.names):
        return named
    images = [name for name in others if name.lower() in ("id", *NOT_LABELS)]
    if named or images or len(others) != len(table.names):
        absent = next(name for name in table.names if name not in others)
        say = f" ('{images[0]}' is no prediction; name it with --id)" if images else ""
        raise UserError(
            f"{file.path} has {len(others)} columns for {len(table.names)} labels and none "
            f"named '{absent}'{say}; give one for each label, under its name or all in order."
        )
    return others


def _scores(column: Column) -> np.ndarray:
    """Return a column of scores, or of decisions in words, as float32."""
    try:
        scores = column.numbers()
    except UserError:
        texts = pc.utf8_lower(column.texts())
        pair = binary_pair(pc.unique(texts).to_pylist())
        if pair is None:
            raise
        scores = pc.equal(texts, pair[1]).to_numpy(zero_copy_only=False)
    strange = ~np.isfinite(scores)
    if strange.any():
        row = int(strange.argmax())
        what = "is empty" if np.isnan(scores[row]) else f"holds {scores[row]:g}"
        raise column.fault(what, row, "give a finite score of every image")
    return np.asarray(scores, dtype=np.float32)


def _one_scale(path: Path, scores: np.ndarray, table: LabelTable) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return scores that are probabilities or logits, and a note if they were percentages."""
    if not scores.size or scores.min() < -ROUNDING or scores.max() <= 1 + ROUNDING:
        return scores, ()
    shares = table.labels.ndim == 1 and np.allclose(scores.sum(axis=1), 100, atol=0.5 * scores.shape[1])
    if not shares and not are_percentages(scores):
        raise UserError(
            f"The predictions of {path} lie between {scores.min():g} and {scores.max():g}, which are neither "
            f"probabilities (0 to 1) nor logits (of either sign); {DIVIDE}."
        )
    told = f"The predictions of {path} lie between 0 and 100, so they are percentages, divided by 100."
    return scores / 100, (told,)


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


def _places(path: Path, ids: pa.ChunkedArray, table: LabelTable) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return where each image of the table stands in the predictions, and a note on how they were matched."""
    assert table.ids is not None
    named = pa.array(table.ids.astype(object), pa.string())
    for whose, given in (("The labels have", named), (f"{path} has", ids)):
        counted = pc.value_counts(given)
        twice = counted.filter(pc.greater(counted.field("counts"), 1))
        if len(twice):
            raise UserError(
                f"{whose} the id '{twice.field('values')[0]}' twice; keep one row for each image."
            )
    order, zeros = places(named, ids)
    absent = order < 0
    if absent.any():
        hint = " (some are there without zeros at the beginning)" if zeros_are_all(named, ids) else ""
        raise UserError(
            f"{path} has no predictions of {int(absent.sum()):,} of {len(order):,} images (first: "
            f"'{table.ids[absent.argmax()]}'){hint}; give them all."
        )
    return order, (zeros_sentence("the labels", path),) if zeros else ()


def check_measure(measure: str, known: Sequence[str] = ("F1", "mAP")) -> None:
    """Raise a UserError unless the measure is known."""
    if measure not in known:
        raise UserError(f"There is no performance metric '{measure}'; choose F1 or mAP.")
