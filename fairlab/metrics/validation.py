"""Validation of arrays, and warnings of undefined metrics."""

import warnings

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.spec import METRICS, MetricSpec

#: How messages name the images with protected label 0 and 1.
GROUPS: tuple[str, str] = ("group 0", "group 1")

_ANY = slice(None)
#: Parts of the 2×2 table of images, indexed [y, a]; ``{0}`` and ``{1}`` stand for the groups' names.
_PARTS: dict[str, tuple[int | slice, int | slice]] = {
    "positives": (1, _ANY),
    "negatives": (0, _ANY),
    "images in {0}": (_ANY, 0),
    "images in {1}": (_ANY, 1),
    "positives in {0}": (1, 0),
    "positives in {1}": (1, 1),
    "negatives in {0}": (0, 0),
    "negatives in {1}": (0, 1),
}


class UndefinedMetricWarning(UserWarning):
    """A metric is NaN because a group or class it needs has no images."""


def shortage(spec: MetricSpec, mass: np.ndarray, groups: tuple[str, str] = GROUPS) -> str:
    """Say which parts of the (2, 2) table `mass`, indexed [y, a], are empty though a metric needs them.

    Returns
    -------
    str
        For example ``"0 positives in Male"``; empty if the metric is defined.
    """
    empty = [part for part in spec.needs if mass[_PARTS[part]].sum() == 0]
    return " and ".join(f"0 {part.format(*groups)}" for part in empty)


def warn_if_undefined(metric: str, mass: np.ndarray, groups: tuple[str, str]) -> bool:
    """Warn that `metric` is NaN if a part it needs is empty; return whether it is."""
    reason = shortage(METRICS[metric], mass, groups)
    if reason:
        warn_undefined(metric, reason)
    return bool(reason)


def warn_undefined(metric: str, reason: str) -> None:
    """Warn that `metric` is NaN."""
    warnings.warn(f"{metric} is undefined: {reason}.", UndefinedMetricWarning, stacklevel=4)


def cell_masses(y: np.ndarray, a: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the number (or weight) of images in each cell, (2, 2), indexed [y, a]."""
    return np.bincount(2 * y + a, weights=weights, minlength=4).reshape(2, 2)


def check_labels(values: ArrayLike, name: str, n: int | None = None) -> np.ndarray:
    """Return 0/1 labels as an (n,) integer array, or raise UserError saying what is wrong with them."""
    labels = check_shape(np.asarray(values), name, n)
    if labels.dtype.kind not in "biuf":
        raise UserError(
            f"{name} must hold the numbers 0 and 1, but holds {labels[0]!r} (type {labels.dtype})."
        )
    wrong = (labels != 0) & (labels != 1)
    if wrong.any():
        raise UserError(
            f"{name} must hold only 0 and 1, but {wrong.sum()} of {len(labels)} values do not "
            f"(first: {labels[wrong][0]} in row {wrong.argmax()})."
        )
    return labels.astype(np.intp)


def check_scores(values: ArrayLike, name: str, n: int | None = None) -> np.ndarray:
    """Return scores in [0, 1] as an (n,) float64 array, or raise UserError saying what is wrong."""
    scores = check_shape(as_numbers(values, name), name, n)
    wrong = ~((scores >= 0) & (scores <= 1))  # NaN is neither
    if wrong.any():
        raise UserError(
            f"{name} must lie between 0 and 1, but {wrong.sum()} of {len(scores)} values do not "
            f"(first: {scores[wrong][0]} in row {wrong.argmax()}); pass probabilities, not logits."
        )
    return scores


def scores_by_seed(values: ArrayLike, name: str, n: int) -> np.ndarray:
    """Return scores in [0, 1] as (seeds, n), one row for each training seed; (n,) is one seed."""
    scores = as_numbers(values, name)
    if scores.ndim not in (1, 2) or 0 in scores.shape:
        raise UserError(f"{name} must have shape ({n},) or (seeds, {n}), not {scores.shape}.")
    return np.stack([check_scores(row, name, n) for row in np.atleast_2d(scores)])


def check_weights(values: ArrayLike | None, n: int) -> np.ndarray | None:
    """Return sample weights as an (n,) float64 array (None stays None), or raise UserError."""
    if values is None:
        return None
    weights = check_shape(as_numbers(values, "sample_weight"), "sample_weight", n)
    wrong = ~((weights >= 0) & np.isfinite(weights))
    if wrong.any():
        raise UserError(
            f"sample_weight must be finite and not negative, but {wrong.sum()} of {n} values are not "
            f"(first: {weights[wrong][0]} in row {wrong.argmax()})."
        )
    return weights


def check_resamples(n_resamples: int, least: int = 1) -> None:
    """Raise UserError if there are too few resamples."""
    if n_resamples < least:
        raise UserError(f"n_resamples must be at least {least}, not {n_resamples}.")


def as_numbers(values: ArrayLike, name: str) -> np.ndarray:
    """Return `values` as a float64 array of any shape, or raise UserError."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(f"{name} must be numbers ({error}).") from error


def check_shape(values: np.ndarray, name: str, n: int | None) -> np.ndarray:
    if values.ndim != 1 or (n is not None and len(values) != n):
        wanted = "(n,)" if n is None else f"({n},)"
        raise UserError(f"{name} must have shape {wanted}, one value per image, but has {values.shape}.")
    if len(values) == 0:
        raise UserError(f"{name} is empty; there are no images to measure.")
    return values
