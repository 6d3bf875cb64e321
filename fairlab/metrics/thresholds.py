"""Thresholds that turn scores into labels; an image is positive if its score is above the threshold."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.validation import as_numbers, check_labels, check_scores


def calibrated_threshold(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Return the score at which as many images are predicted positive as are positive.

    Parameters
    ----------
    y_true, y_score : arrays of shape (n,)
        Labels, 0 or 1, and scores in [0, 1] of validation images.

    Returns
    -------
    float
        The n_pos-th largest score. As "positive" means above the threshold, the image that has exactly
        this score is counted negative, as in the paper's code.

    Raises
    ------
    UserError
        If there are no positives, shapes differ, or scores are NaN or outside [0, 1].

    Notes
    -----
    Source: Ramaswamy et al., CVPR 2021, Section 4; used for DEO and BA.

    Examples
    --------
    >>> calibrated_threshold([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9])
    0.6
    """
    y, s = _check(y_true, y_score)
    n_positive = int(y.sum())
    return float(np.partition(s, len(s) - n_positive)[len(s) - n_positive])


def best_f1_threshold(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Return the threshold with the best F1: a grid of 0.1, then one of 0.01 around its best.

    Parameters and errors as `calibrated_threshold`. Of equally good thresholds the lowest is returned, 0..1.

    Notes
    -----
    Source: Ramaswamy et al., CVPR 2021, Section 4; used to label generated images.

    Examples
    --------
    >>> best_f1_threshold([0, 1, 0, 1], [0.1, 0.4, 0.3, 0.9])
    0.3
    """
    y, s = _check(y_true, y_score)
    coarse = np.arange(1, 10) / 10
    best = coarse[np.argmax(_f1(y, s, coarse))]
    fine = best + np.arange(-10, 11) / 100
    return float(fine[np.argmax(_f1(y, s, fine))])


def thresholds_of(
    name: str, scores: np.ndarray, y: np.ndarray, thresholds: Mapping[str, float | ArrayLike] | None
) -> np.ndarray:
    """Return the threshold of each training seed of a model, (seeds,), from those of all models.

    None calibrates them on these very scores, (seeds, n).
    """
    if thresholds is None:
        # Without positives DEO and BA are undefined at any threshold.
        return np.array([calibrated_threshold(y, s) if y.any() else 1.0 for s in scores])
    if name not in thresholds:
        known = ", ".join(thresholds) or "no model"
        raise UserError(f"There is no threshold for '{name}'; thresholds are given for {known}.")
    values = as_numbers(thresholds[name], f"the threshold of '{name}'")
    if values.shape not in ((), (len(scores),)) or not np.isfinite(values).all():
        raise UserError(
            f"The threshold of '{name}' must be one finite number, or one for each of {len(scores)} training "
            f"seeds; got {values.tolist()}."
        )
    return np.broadcast_to(values, len(scores))


def _check(y_true: ArrayLike, y_score: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    y = check_labels(y_true, "y_true")
    if not y.any():
        raise UserError(
            f"None of {len(y)} labels is positive, so no threshold can be chosen; use more images."
        )
    return y, check_scores(y_score, "y_score", len(y))


def _f1(y: np.ndarray, s: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return F1 at each threshold; 2 TP / (predicted positive + positive) is never 0/0 here."""
    flagged = s > thresholds[:, None]  # (thresholds, n)
    return 2 * (flagged & (y == 1)).sum(axis=1) / (flagged.sum(axis=1) + y.sum())
