"""Thresholds that turn scores into labels; an image is positive if its score is above the threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.validation import check_labels, check_scores


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
    """
    y, s = _check(y_true, y_score)
    n_positive = int(y.sum())
    return float(np.partition(s, len(s) - n_positive)[len(s) - n_positive])


def best_f1_threshold(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Return the threshold with the best F1: a grid of 0.1, then one of 0.01 around its best.

    Parameters
    ----------
    y_true, y_score : arrays of shape (n,)
        Labels, 0 or 1, and scores in [0, 1] of validation images.

    Returns
    -------
    float
        The lowest of the best thresholds of the second grid, 0..1.

    Raises
    ------
    UserError
        If there are no positives, shapes differ, or scores are NaN or outside [0, 1].

    Notes
    -----
    Source: Ramaswamy et al., CVPR 2021, Section 4; used to label generated images.
    """
    y, s = _check(y_true, y_score)
    coarse = np.arange(1, 10) / 10
    best = coarse[np.argmax(_f1(y, s, coarse))]
    fine = best + np.arange(-10, 11) / 100
    return float(fine[np.argmax(_f1(y, s, fine))])


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
