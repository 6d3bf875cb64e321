"""Disparities of any number of groups, as plain functions ``f(y_true, y_pred, protected)`` of one number.

Names and values are those of fairlearn. `protected` is anything that `Groups.of` takes; of several columns
the intersections are compared. Labels are 0 and 1; accuracy also takes classes as integers or strings.
Groups whose rate is undefined are skipped, and where fewer than two are left the result is NaN; both with
an `UndefinedMetricWarning`.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.groups.cells import N_BINS
from fairlab.metrics.groups.named_groups import Protected
from fairlab.metrics.groups.rates import GroupedModels, bins_and_gaps
from fairlab.metrics.validation import UndefinedMetricWarning, check_labels


def demographic_parity_difference(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the largest minus the smallest share predicted positive of a group: 0..1, 0 is fair.

    Parameters
    ----------
    y_true, y_pred : arrays of shape (n,)
        True and predicted labels, 0 or 1; the true ones have no influence.
    protected : array of shape (n,), Series, DataFrame, mapping of name to array, or Groups
        As `Groups.of`.
    sample_weight : array of shape (n,), optional
        Weight of each image.

    Returns
    -------
    float
        NaN, with a warning, if there are fewer than two groups.

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1 or values are missing.

    Examples
    --------
    >>> demographic_parity_difference([1, 1, 0, 0], [1, 1, 1, 0], ["f", "f", "m", "m"])
    0.5
    """
    return _value("demographic_parity_difference", y_true, y_pred, protected, sample_weight)


def demographic_parity_ratio(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the smallest over the largest share predicted positive of a group: 0..1, 1 is fair.

    Parameters, result and errors as `demographic_parity_difference`; NaN also if none is predicted positive.

    Examples
    --------
    >>> demographic_parity_ratio([1, 1, 0, 0, 0], [1, 0, 1, 1, 0], ["f", "f", "f", "m", "m"])
    0.75
    """
    return _value("demographic_parity_ratio", y_true, y_pred, protected, sample_weight)


def equalized_odds_difference(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the larger of the differences in TPR and in FPR between groups: 0..1, 0 is fair.

    Parameters, result and errors as `demographic_parity_difference`. Source: Hardt et al., *Equality of
    Opportunity in Supervised Learning*, NeurIPS 2016.

    Examples
    --------
    >>> equalized_odds_difference([1, 1, 0, 1, 1, 0], [1, 0, 1, 1, 1, 1], ["f", "f", "f", "m", "m", "m"])
    0.5
    """
    return _value("equalized_odds_difference", y_true, y_pred, protected, sample_weight)


def true_positive_rate_difference(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the largest minus the smallest TPR of a group: 0..1, 0 is fair.

    `equal_opportunity_difference` of any number of groups. Parameters, result and errors as
    `demographic_parity_difference`.
    """
    return _value("equal_opportunity_difference", y_true, y_pred, protected, sample_weight)


def worst_group_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the accuracy of the group that has the lowest: 0..1, higher is better.

    Parameters, result and errors as `demographic_parity_difference`, but labels may be classes. Source:
    Sagawa et al., *Distributionally Robust Neural Networks for Group Shifts*, ICLR 2020.

    Examples
    --------
    >>> worst_group_accuracy(["cat", "dog", "cat"], ["cat", "dog", "dog"], ["wild", "wild", "tame"])
    0.0
    """
    return _value("worst_group_accuracy", y_true, y_pred, protected, sample_weight)


def accuracy_difference(
    y_true: ArrayLike, y_pred: ArrayLike, protected: Protected, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the largest minus the smallest accuracy of a group: 0..1, 0 is fair.

    Parameters, result and errors as `demographic_parity_difference`, but labels may be classes.
    """
    return _value("accuracy_difference", y_true, y_pred, protected, sample_weight)


def balanced_accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    protected: Protected | None = None,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean of the shares right of each class: 0..1, higher is better.

    Parameters and errors as `worst_group_accuracy`; `protected` has no influence. Classes that only occur
    among the predictions do not count. NaN, with a warning, if 0/1 labels hold only one class.

    Examples
    --------
    >>> balanced_accuracy([1, 0, 0, 0], [0, 0, 0, 0])
    0.5
    """
    one_group = np.zeros(len(np.asarray(y_true)), dtype=np.uint8)
    return _value("balanced_accuracy", y_true, y_pred, one_group, sample_weight, "all")


def expected_calibration_error(y_true: ArrayLike, y_score: ArrayLike, n_bins: int = N_BINS) -> float:
    """Return how far scores are from the share of positives: 0..1, 0 is calibrated.

    Parameters
    ----------
    y_true, y_score : arrays of shape (n,)
        Labels, 0 or 1, and scores of label 1 in [0, 1].
    n_bins : int
        Number of equal bins over [0, 1].

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1, scores are outside [0, 1] or there is no bin.

    Notes
    -----
    ``Σ_b |Σ_{i in b} (y_i - s_i)| / n``. Source: Guo et al., *On Calibration of Modern Neural Networks*,
    ICML 2017, there for the score of the predicted class.

    Examples
    --------
    >>> expected_calibration_error([1, 1, 0, 0], [0.75, 0.75, 0.25, 0.25])
    0.25
    """
    if n_bins < 1:
        raise UserError(f"n_bins must be at least 1, not {n_bins}.")
    y = check_labels(y_true, "y_true")
    bins, gaps = bins_and_gaps(y, y_score, n_bins, "y_score")
    return float(np.abs(np.bincount(bins, weights=gaps)).sum() / len(y))


def _value(
    metric: str,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    protected: Protected,
    sample_weight: ArrayLike | None,
    group: str | None = None,
) -> float:
    """Return a rate of a group, or a disparity of the finest family; warn if it skips groups or is NaN."""
    models = GroupedModels.of(y_true, {"y_pred": y_pred}, protected, sample_weight=sample_weight)
    found = models.measure(models.cells.counts[None])["y_pred"]
    key = metric, group or models.groups.finest
    if key not in found:
        raise UserError(f"{metric} needs labels 0 and 1; of several classes only accuracy can be compared.")
    values = {key: float(drawn[0]) for key, drawn in found.items()}
    note = models.notes(values)[key]
    if note:
        warnings.warn(f"{metric}: {note}.", UndefinedMetricWarning, stacklevel=3)
    return values[key]
