"""Reliability of scores: how often they come true, bin by bin, in each group."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.groups.named_groups import GroupNames, Groups, Protected
from fairlab.metrics.groups.rates import bins_and_gaps
from fairlab.metrics.intervals.proportion import proportion
from fairlab.metrics.validation import check_labels

_NONE = (np.nan, np.nan)


def reliability(
    y_true: ArrayLike,
    y_score: ArrayLike,
    protected: Protected,
    *,
    groups: GroupNames | None = None,
    n_bins: int = 10,
) -> pd.DataFrame:
    """Return the share of positives in each bin of scores, for each group of the finest family.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, 0 or 1.
    y_score : array of shape (n,)
        Scores in [0, 1].
    protected, groups
        As `Groups.of`; of several columns the intersections are shown.
    n_bins : int
        Number of equal bins over [0, 1].

    Returns
    -------
    DataFrame
        A row for each group and bin: group, left (edge of the bin), score (mean), value (share of positives),
        low, high (95% Wilson interval), n. NaN in bins without images.

    Raises
    ------
    UserError
        If shapes differ, labels or scores are out of range, values are missing or there is no bin.
    """
    if n_bins < 1:
        raise UserError(f"n_bins must be at least 1, not {n_bins}.")
    y, named = check_labels(y_true, "y_true"), Groups.of(protected, names=groups)
    if len(named.codes) != len(y):
        raise UserError(f"y_true has {len(y)} labels, but there are {len(named.codes)} protected values.")
    bins, gaps = bins_and_gaps(y, y_score, n_bins, "y_score")
    place, size = named.codes.astype(np.int64) * n_bins + bins, len(named.members) * n_bins
    counted = [np.bincount(place, weights=part, minlength=size) for part in (None, y, y - gaps)]
    family = named.families[named.finest]
    n, positive, scored = (
        (named.members[:, family].T.astype(float) @ part.reshape(-1, n_bins)).ravel() for part in counted
    )
    ends = np.array(
        [proportion(int(p), int(m))[1:3] if m else _NONE for p, m in zip(positive, n, strict=True)]
    )
    with np.errstate(invalid="ignore"):
        measured = {"score": scored / n, "value": positive / n, "low": ends[:, 0], "high": ends[:, 1]}
    names = named.names[family]
    table = {"group": np.repeat(names, n_bins), "left": np.tile(np.arange(n_bins) / n_bins, len(names))}
    return pd.DataFrame(table | measured | {"n": n.astype(int)})
