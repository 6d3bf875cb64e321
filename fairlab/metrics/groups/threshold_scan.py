"""Rates of every group, and what sets the groups apart, at every threshold of a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError, nearest_names
from fairlab.metrics.formulas import ClassCounts
from fairlab.metrics.groups.named_groups import Groups, Protected
from fairlab.metrics.spec import DISPARITIES, RATES
from fairlab.metrics.validation import as_numbers, check_labels, check_scores, check_weights


def group_threshold_curves(
    y_true: ArrayLike,
    y_score: ArrayLike,
    protected: Protected,
    grid: ArrayLike,
    *,
    metrics: Sequence[str] = ("FNR", "FPR", "equalized_odds_difference"),
    sample_weight: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return rates of groups and disparities at every threshold: `threshold_curves` of any number of groups.

    Parameters
    ----------
    y_true, y_score : arrays of shape (n,)
        Labels, 0 or 1, and scores in [0, 1].
    protected : array of shape (n,), Series, DataFrame, mapping of name to array, or Groups
        As `Groups.of`.
    grid : array of shape (m,)
        Thresholds; a score above one is predicted positive.
    metrics : sequence of str
        Rates and disparities of 0/1 labels as in `group_metrics`, but for the ECE.
    sample_weight : array of shape (n,), optional
        Weight of each image.

    Returns
    -------
    DataFrame
        Columns threshold, group, metric and value: for every threshold the rates of ``"all"`` images and of
        each group, and the disparities of each family. Fractions; what is undefined is NaN.

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1, scores, weights or thresholds are out of range, or a metric is
        unknown.

    Examples
    --------
    >>> y, scores, a = [1, 1, 1, 1, 0, 0], [0.9, 0.3, 0.8, 0.7, 0.1, 0.2], ["f", "f", "m", "m", "f", "m"]
    >>> group_threshold_curves(y, scores, a, [0.25, 0.5], metrics=["FNR"])
       threshold group metric  value
    0       0.25   all    FNR   0.00
    1       0.50   all    FNR   0.25
    2       0.25     f    FNR   0.00
    3       0.50     f    FNR   0.50
    4       0.25     m    FNR   0.00
    5       0.50     m    FNR   0.00
    """
    y, groups = check_labels(y_true, "y_true"), Groups.of(protected)
    if len(groups.codes) != len(y):
        raise UserError(f"y_true has {len(y)} labels, but there are {len(groups.codes)} protected values.")
    s, at = check_scores(y_score, "y_score", len(y)), _grid(grid)
    counts = _counts(y, s, groups, at, check_weights(sample_weight, len(y)))
    known = {name: spec for name, spec in RATES.items() if spec.of != "scores"}
    found = []
    for name in metrics:
        if name in known:
            curves = dict(zip(("all", *groups.names), _rate(name, counts).T, strict=True))
        elif name in DISPARITIES:
            rates = [_rate(rate, counts)[:, 1:] for rate in DISPARITIES[name].compares]
            curves = {
                family: DISPARITIES[name].function(*(rate[:, place] for rate in rates))
                for family, place in groups.families.items()
            }
        else:
            raise UserError(f"There is no metric '{name}'; {nearest_names(name, (*known, *DISPARITIES))}")
        found += [
            pd.DataFrame({"threshold": at, "group": group, "metric": name, "value": values})
            for group, values in curves.items()
        ]
    return pd.concat(found, ignore_index=True)


def _rate(name: str, counts: ClassCounts) -> np.ndarray:
    """Return a rate of all images and each group at each threshold, (m, 1 + groups)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return RATES[name].function(counts)


def _counts(
    y: np.ndarray, s: np.ndarray, groups: Groups, at: np.ndarray, weights: np.ndarray | None
) -> ClassCounts:
    """Count all images and each group at each threshold: (m, 1 + groups, 2)."""
    order = np.argsort(at, kind="stable")
    exceeded = np.searchsorted(at[order], s, side="left")  # how many thresholds lie below the score
    combinations, m = len(groups.members), len(at)
    cell = (groups.codes.astype(np.int64) * 2 + y) * (m + 1) + exceeded
    shape = (combinations, 2, m + 1)
    table = np.bincount(cell, weights=weights, minlength=combinations * 2 * (m + 1)).reshape(shape)
    above = table[..., ::-1].cumsum(axis=-1)[..., ::-1][..., 1:]  # (combinations, 2, m) of rising thresholds
    members = np.hstack([np.ones((combinations, 1)), groups.members])  # all images, and each group
    mass = members.T @ table.sum(axis=-1)  # (1 + groups, 2)
    flagged = np.einsum("cg,cym->mgy", members, above)[np.argsort(order)]
    right = np.stack([mass[:, 0] - flagged[..., 0], flagged[..., 1]], axis=-1)
    return ClassCounts(np.broadcast_to(mass, right.shape), right, binary=True)


def _grid(grid: ArrayLike) -> np.ndarray:
    at = as_numbers(grid, "grid")
    if at.ndim != 1 or not len(at) or not np.isfinite(at).all():
        raise UserError(f"grid must hold finite thresholds in shape (m,), but has shape {at.shape}.")
    return at
