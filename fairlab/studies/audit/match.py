"""Matching of two models' predictions by row or id."""

from dataclasses import replace

import numpy as np

from fairlab.core.errors import UserError
from fairlab.data.matching import places, zeros_sentence
from fairlab.studies.audit.predictions import Columns, Predictions, place_ids


def match(first: Predictions, other: Predictions, columns: Columns, others: Columns) -> Predictions:
    """Return `other` in the order of `first`, matched by id, or row by row where there are no ids.

    Parameters
    ----------
    first, other : Predictions
    columns, others : Columns
        What the columns of either file are called.

    Raises
    ------
    UserError
        If rows or ids differ, or one file says that a label or group is another than the other file does.
    """
    order, note = _order(first, other, str(columns.id), str(others.id))
    if first.binary != other.binary:
        raise UserError(
            f"The label of {first.path} is {_kind(first)} and that of {other.path} {_kind(other)}; compare "
            "models of the same label."
        )
    names = first.label.names if first.binary or first.scores is not None else _all_names(first, other)
    first = replace(first, label=replace(first.label, names=names))
    classes = _common_classes(first, other)
    _check_same_labels(first, classes[other.label.codes[order]], other, str(columns.label))
    for name in other.protected:
        _check_same_groups(first, other, order, name)
    predicted = None if other.predicted is None else classes[other.predicted[order]]
    scores = None if other.scores is None else other.scores[order]
    return replace(
        other,
        label=first.label,
        scores=scores,
        predicted=predicted,
        ids=first.ids,
        note=" ".join(filter(None, (other.note, note))),
    )


def _kind(model: Predictions) -> str:
    return "0/1" if model.binary else "a class"


def _all_names(first: Predictions, other: Predictions) -> tuple[str, ...]:
    """Return the classes of both: a model may predict some that nobody else names."""
    return tuple(dict.fromkeys((*first.label.names, *other.label.names)))


def _order(first: Predictions, other: Predictions, ours: str, theirs: str) -> tuple[np.ndarray, str]:
    """Return where each row of `first` stands in `other`, and a note on how they were matched."""
    if first.ids is not None and other.ids is not None:
        order = place_ids(first.path, first.ids, other, ours)
        place_ids(other.path, other.ids, first, theirs)
        zeros = places(first.ids, other.ids)[1]
        return order, zeros_sentence(first.path, other.path) if zeros else ""
    if len(first) != len(other):
        raise UserError(
            f"{first.path} has {len(first):,} rows and {other.path} {len(other):,}, so they cannot be "
            "compared row by row; name a column that both share with --id."
        )
    return np.arange(len(first)), ""


def _common_classes(first: Predictions, other: Predictions) -> np.ndarray:
    """Return the code in `first` of each class of `other`."""
    if first.binary:
        return np.arange(2, dtype=np.uint8)
    ours, theirs = first.label.names, other.label.names
    if other.scores is not None and set(ours) != set(theirs):
        name = min(set(ours) ^ set(theirs))
        has, lacks = (first, other) if name in ours else (other, first)
        raise UserError(
            f"{has.path} has probabilities of the class '{name}' and {lacks.path} has none; compare models "
            "of the same classes."
        )
    return np.array([ours.index(name) for name in theirs], dtype=np.uint8)


def _check_same_labels(first: Predictions, codes: np.ndarray, other: Predictions, name: str) -> None:
    wrong = codes != first.label.codes
    if wrong.any():
        row = int(wrong.argmax())
        ours, theirs = (first.label.names[each[row]] for each in (first.label.codes, codes))
        raise UserError(
            f"The column '{name}' of {first.path} holds '{ours}' in row {row + 1:,}, but {other.path} holds "
            f"'{theirs}' for the same row ({int(wrong.sum()):,} rows differ); check that both are in one "
            "order, or match them with --id."
        )


def _check_same_groups(first: Predictions, other: Predictions, order: np.ndarray, name: str) -> None:
    """Refuse rows that are of one group here and of another there; there it may be missing."""
    ours, theirs = first.protected[name], other.protected[name]
    known = {text.casefold(): code for code, text in enumerate(ours.names)} | {"": -1}
    codes = np.array([known.get(text.casefold(), -2) for text in theirs.names])[theirs.codes[order]]
    wrong = (codes != ours.codes) & (codes != -1)
    if wrong.any():
        row = int(wrong.argmax())
        raise UserError(
            f"The column '{name}' of {first.path} holds '{ours.names[ours.codes[row]]}' in row {row + 1:,}, "
            f"but {other.path} holds '{theirs.names[theirs.codes[order[row]]]}' for the same row "
            f"({int(wrong.sum()):,} rows differ); correct one, or remove the column there."
        )
