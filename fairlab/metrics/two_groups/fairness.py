"""Average precision, equality of opportunity and bias amplification."""

import numpy as np
from numpy.typing import ArrayLike

from fairlab.metrics.formulas import Counted, amplification, equal_opportunity_gap
from fairlab.metrics.validation import (
    GROUPS,
    cell_masses,
    check_labels,
    check_scores,
    check_weights,
    warn_if_undefined,
)


def average_precision(
    y_true: ArrayLike,
    y_score: ArrayLike,
    protected: ArrayLike | None = None,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the average precision of the scores for the target label: 0..1, higher is better.

    Parameters
    ----------
    y_true : array of shape (n,)
        Target labels, 0 or 1.
    y_score : array of shape (n,)
        Scores in [0, 1].
    protected : array of shape (n,), optional
        Has no influence; accepted so that every metric is called alike.
    sample_weight : array of shape (n,), optional
        Weight of each image.

    Returns
    -------
    float
        NaN, with a warning, without positives or without negatives.

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1, or scores are NaN or outside [0, 1].

    Notes
    -----
    ``Σ_j (R_j - R_{j-1}) P_j`` over distinct scores in falling order, without interpolation, as in
    scikit-learn.

    Examples
    --------
    >>> average_precision([1, 0, 1, 0], [0.9, 0.8, 0.6, 0.1])
    0.8333333333333333
    """
    y = check_labels(y_true, "y_true")
    s, weights = check_scores(y_score, "y_score", len(y)), check_weights(sample_weight, len(y))
    if warn_if_undefined("AP", cell_masses(y, np.zeros_like(y), weights), GROUPS):
        return float("nan")
    return _average_precision(y, s, weights)


def group_balanced_average_precision(
    y_true: ArrayLike,
    y_score: ArrayLike,
    protected: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    groups: tuple[str, str] = GROUPS,
) -> float:
    """Return average precision as if both protected groups were equally frequent in each class.

    Parameters and errors as `average_precision`, but `protected`, 0 or 1, counts; NaN if a (y, a) cell is
    empty. `groups` names the images with protected label 0 and 1, for warnings.

    Notes
    -----
    An image of cell (y, a) weighs ``n_y / (2 n_{y,a})``. Source: Ramaswamy et al., CVPR 2021, Section 4.

    Examples
    --------
    >>> group_balanced_average_precision([1, 0, 1, 0, 0], [0.9, 0.8, 0.6, 0.1, 0.5], [0, 0, 1, 1, 0])
    0.8636363636363636
    """
    y = check_labels(y_true, "y_true")
    s, a = check_scores(y_score, "y_score", len(y)), check_labels(protected, "protected", len(y))
    weights = check_weights(sample_weight, len(y))
    mass = cell_masses(y, a, weights)
    if warn_if_undefined("AP_balanced", mass, groups):
        return float("nan")
    balance = (mass.sum(axis=1, keepdims=True) / (2 * mass))[y, a]
    balance = balance if weights is None else balance * weights
    return _average_precision(y, s, balance)


def equal_opportunity_difference(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    protected: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    groups: tuple[str, str] = GROUPS,
) -> float:
    """Return |FNR(a=0) - FNR(a=1)|, the difference in equality of opportunity: 0..1, 0 is fair.

    Parameters
    ----------
    y_true, y_pred, protected : arrays of shape (n,)
        Target labels, predicted labels and protected labels, 0 or 1.
    sample_weight : array of shape (n,), optional
        Weight of each image.
    groups : pair of str
        Names of the groups with protected label 0 and 1, for warnings.

    Returns
    -------
    float
        NaN, with a warning, if a group has no positives.

    Raises
    ------
    UserError
        If shapes differ or labels are not 0/1.

    Notes
    -----
    FNR(a) is the share of the positives of group a that are predicted negative. Source: Hardt et al.,
    *Equality of Opportunity in Supervised Learning*, NeurIPS 2016.

    Examples
    --------
    >>> equal_opportunity_difference([1, 1, 1, 1, 0], [1, 0, 1, 1, 0], [0, 0, 1, 1, 1])
    0.5
    """
    counted = _counted(y_true, y_pred, protected, sample_weight)
    warn_if_undefined("DEO", counted.mass, groups)
    return float(equal_opportunity_gap(counted))


def bias_amplification(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    protected: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    groups: tuple[str, str] = GROUPS,
) -> float:
    """Return how much predictions strengthen the association of target and protected label: -1..1.

    0 is neither; positive amplifies, negative weakens. Parameters and errors as
    `equal_opportunity_difference`; NaN if a class or a group is empty.

    Notes
    -----
    Mean over the four cells (t, a) of ``±(P̂(t|a) - P(t|a))`` with + where t and a occur together more
    often than by chance, - where less often, and 0 where they are independent. Source: Wang and
    Russakovsky, *Directional Bias Amplification*, ICML 2021 (attribute → task).

    Examples
    --------
    >>> bias_amplification([0, 0, 1, 0, 1, 1], [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1])
    0.3333333333333333
    """
    counted = _counted(y_true, y_pred, protected, sample_weight)
    warn_if_undefined("BA", counted.mass, groups)
    return float(amplification(counted))


def _counted(
    y_true: ArrayLike, y_pred: ArrayLike, protected: ArrayLike, sample_weight: ArrayLike | None
) -> Counted:
    y = check_labels(y_true, "y_true")
    predicted, a = check_labels(y_pred, "y_pred", len(y)), check_labels(protected, "protected", len(y))
    weights = check_weights(sample_weight, len(y))
    flagged = predicted if weights is None else predicted * weights
    return Counted(cell_masses(y, a, weights), cell_masses(y, a, flagged))


def _average_precision(y: np.ndarray, s: np.ndarray, weights: np.ndarray | None) -> float:
    from sklearn.metrics import average_precision_score  # takes a second

    return float(average_precision_score(y, s, sample_weight=weights))
