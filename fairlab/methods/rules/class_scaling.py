"""Class-wise scaling: multiply the classes' probabilities so that the worst class does best."""

import numpy as np
from numpy.typing import ArrayLike

from fairlab.methods.rules.base import Decision, Rule
from fairlab.metrics.validation import check_labels, check_scores

#: Factors that are tried for each class: 0.1 to 10, evenly in their logarithm, 1 among them.
FACTORS = np.geomspace(0.1, 10, 201)


class ClassScaling(Rule):
    """Choose the class with the largest s_c · p_c, s for the best worst class; of two, a threshold."""

    name = "class_scaling"
    paper = "Seo, Han, WACV 2025 (class-specific scaling)"

    def fit(self, labels: ArrayLike, scores: ArrayLike, groups: ArrayLike) -> Decision:
        """Return the threshold s_0 / (s_0 + s_1), above which s_1 p is larger than s_0 (1 - p)."""
        y = check_labels(labels, "labels")
        p = check_scores(scores, "scores", len(y))
        s = scale_classes(np.column_stack([1 - p, p]), y)
        return Decision((float(s[0] / s.sum()),))


def scale_classes(probabilities: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return factors, (c,), by which the worst class is found most often: by coordinate search.

    One class after the other gets the best of `FACTORS` while the others stay, until none gains.

    Parameters
    ----------
    probabilities : (n, c) array, not negative
    y : (n,) array
        Class numbers; every class occurs.

    Returns
    -------
    (c,) float64 array in [0.1, 10]

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    >>> (p * scale_classes(p, np.array([0, 0, 1, 1]))).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """
    y, n_classes = np.asarray(y, np.int64), probabilities.shape[1]
    s, best = np.ones(n_classes), worst_class(probabilities, y)
    improved = True
    while improved:
        improved = False
        for c in range(n_classes):
            tried = np.tile(s, (len(FACTORS), 1))
            tried[:, c] = FACTORS
            found = [worst_class(probabilities * row, y) for row in tried]
            if max(found) > best:
                s, best, improved = tried[int(np.argmax(found))], max(found), True
    return s


def worst_class(scaled: np.ndarray, y: np.ndarray) -> float:
    """Return the smallest share of a class's images (n, c) whose largest value is its own."""
    right = scaled.argmax(axis=1) == y
    return float((np.bincount(y, right) / np.bincount(y)).min())
