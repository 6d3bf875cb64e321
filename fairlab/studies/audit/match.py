"""Matching of two models' predictions by row or id."""

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc

from fairlab.core.errors import UserError
from fairlab.studies.audit.predictions import Columns, Predictions


def match(first: Predictions, other: Predictions, columns: Columns) -> Predictions:
    """Return `other` in the order of `first`, matched by id, or row by row where there are no ids.

    Raises
    ------
    UserError
        If rows or ids differ, or one file says that a label is another than the other file does.
    """
    if first.ids is not None and other.ids is not None:
        order = _order(first, other, str(columns.id))
    elif len(first) != len(other):
        raise UserError(
            f"{first.path} has {len(first):,} rows and {other.path} {len(other):,}, so they cannot be "
            "compared row by row; name a column that both share with --id."
        )
    else:
        order = np.arange(len(first))
    if first.binary != other.binary:
        raise UserError(
            f"The label of {first.path} is {_kind(first)} and that of {other.path} {_kind(other)}; compare "
            "models of the same label."
        )
    names = first.label.names if first.binary or first.scores is not None else _all_names(first, other)
    first = replace(first, label=replace(first.label, names=names))
    classes = _common_classes(first, other)
    _check_same_labels(first, classes[other.label.codes[order]], other, columns.label)
    predicted = None if other.predicted is None else classes[other.predicted[order]]
    scores = None if other.scores is None else other.scores[order]
    return replace(other, label=first.label, scores=scores, predicted=predicted, ids=first.ids)


def _kind(model: Predictions) -> str:
    return "0/1" if model.binary else "a class"


def _all_names(first: Predictions, other: Predictions) -> tuple[str, ...]:
    """Return the classes of both: a model may predict some that nobody else names."""
    return tuple(dict.fromkeys((*first.label.names, *other.label.names)))


def _order(first: Predictions, other: Predictions, name: str) -> np.ndarray:
    """Return where each id of `first` stands in `other`."""
    for one, two in ((first, other), (other, first)):
        place, ids = pc.index_in(one.ids, value_set=two.ids), pc.drop_null(one.ids)  # ids are never null
        if place.null_count:
            row = int(pc.is_null(place).to_numpy().argmax())
            raise UserError(
                f"{place.null_count:,} of {len(one):,} ids in the column '{name}' of {one.path} are not in "
                f"{two.path} (first: '{ids[row]}' in row {row + 1:,}); compare predictions for the same rows."
            )
        if one is first:
            order: np.ndarray = place.to_numpy()
    return order


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
