"""What the metrics of groups ask of labels and scores: 0/1, or classes as integers or strings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.groups.cells import encode
from fairlab.metrics.groups.rates import N_BINS
from fairlab.metrics.validation import check_scores, check_shape


@dataclass(frozen=True)
class Labels:
    """True labels of n images, and what each model gets right."""

    y: np.ndarray  #: (n,) true class: the label itself if labels are 0/1, else its rank
    classes: list[Any]  #: of K classes
    binary: bool  #: whether labels are 0 and 1
    models: tuple[str, ...]
    right: tuple[np.ndarray, ...]  #: (n,) bool of each model

    @property
    def k(self) -> int:
        """Number of classes."""
        return len(self.classes)


def check_group_labels(y_true: ArrayLike, predictions: Mapping[str, ArrayLike]) -> Labels:
    """Return checked labels, or raise UserError saying what is wrong with them."""
    if not predictions:
        raise UserError("There are no predictions to measure; give those of at least one model.")
    truth = _labels(y_true, "y_true")
    y, classes = encode(truth, "y_true")
    right, binary = [], _zero_one(classes)
    for name, values in predictions.items():
        said = f"predictions of '{name}'"
        predicted = _labels(values, said, len(truth))
        _, found = encode(predicted, said)
        if isinstance(found[0], str) != isinstance(classes[0], str):
            raise UserError(
                f"y_true holds {classes[0]!r} but {said} {found[0]!r}; use the same labels in both."
            )
        binary = binary and _zero_one(found)
        right.append(predicted == truth)
    if binary:
        return Labels(truth.astype(np.uint8), [0, 1], True, tuple(predictions), tuple(right))
    return Labels(y, classes, False, tuple(predictions), tuple(right))


def scored_bins(
    labels: Labels, scores: Mapping[str, ArrayLike] | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (bin, outcome - score) of each model's scores, both (n,); nothing without scores.

    The outcome is the label if labels are 0/1, else whether the prediction is right.
    """
    if scores is None:
        return []
    missing = [name for name in labels.models if name not in scores]
    if missing:
        raise UserError(f"There are no scores of '{missing[0]}'; give those of every model or of none.")
    return [
        bins_and_gaps(labels.y if labels.binary else right, scores[name], N_BINS, f"scores of '{name}'")
        for name, right in zip(labels.models, labels.right, strict=True)
    ]


def bins_and_gaps(
    outcome: np.ndarray, scores: ArrayLike, n_bins: int, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the equal bin of each score, the last with 1, and outcome - score, both (n,)."""
    s = check_scores(scores, name, len(outcome))
    bins = np.minimum((s * n_bins).astype(np.int16), n_bins - 1)
    return bins, outcome - s


def _labels(values: ArrayLike, name: str, n: int | None = None) -> np.ndarray:
    labels = check_shape(np.asarray(values), name, n)
    if labels.dtype.kind == "f":
        wrong = ~(np.isfinite(labels) & (labels == np.floor(labels)))
        if wrong.any():
            raise UserError(
                f"{name} must hold labels, but holds {labels[wrong][0]} in row {wrong.argmax()}; compare "
                "scores with a threshold first."
            )
    return labels


def _zero_one(values: list[Any]) -> bool:
    return all(not isinstance(value, str) and value in (0, 1) for value in values)
