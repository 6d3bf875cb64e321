"""Group thresholds: the same true positive rate in every group, by a threshold for each."""

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.methods.rules.base import Decision, Rule
from fairlab.metrics import calibrated_threshold
from fairlab.metrics.validation import check_labels, check_scores


class GroupThresholds(Rule):
    """Give every group the true positive rate that the calibrated threshold has over all.

    Of a group's positives, the threshold is the quantile that leaves this share above it: half way between
    two scores, at the nearest rate that there is (of two, the larger). The group must be known at test.
    """

    name = "group_thresholds"
    paper = "Hardt, Price, Srebro, NeurIPS 2016, Section 3.2 (equal opportunity)"
    protected_at = "test"

    def fit(self, labels: ArrayLike, scores: ArrayLike, groups: ArrayLike) -> Decision:
        """Return the threshold of each group."""
        y = check_labels(labels, "labels")
        s, a = check_scores(scores, "scores", len(y)), np.asarray(groups, np.int64)  # (n,)
        rate = float(np.mean(s[y == 1] > calibrated_threshold(y, s)))
        positives = [s[(y == 1) & (a == group)] for group in range(int(a.max()) + 1)]
        for group, of_group in enumerate(positives):
            if len(of_group) == 0:
                raise UserError(f"No validation image of group {group} is positive; add such images.")
        return Decision(tuple(threshold_of_rate(of_group, rate) for of_group in positives))


def threshold_of_rate(scores: np.ndarray, rate: float) -> float:
    """Return the threshold above which the share of scores (n,) is nearest to `rate`, in [0, 1].

    Examples
    --------
    >>> threshold_of_rate(np.array([0.1, 0.2, 0.3, 0.5]), 0.25)
    0.4
    """
    distinct, counts = np.unique(np.asarray(scores, np.float64), return_counts=True)
    shares = 1 - np.append(0, np.cumsum(counts)) / len(scores)  # above nothing, above the smallest, ...
    place = int(np.argmin(np.abs(shares - rate)))  # of equals the first: the larger share
    bounds = np.concatenate([[distinct[0] - 1], distinct, [distinct[-1] + 1]])
    return float(bounds[place] + bounds[place + 1]) / 2
