"""Divergence between the score distributions of the two protected groups."""

from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.formulas import EDGES, N_BINS, divergences, histogram_divergences
from fairlab.metrics.validation import (
    GROUPS,
    cell_masses,
    check_labels,
    check_scores,
    check_weights,
    warn_if_undefined,
    warn_undefined,
)


class ScoreKL(NamedTuple):
    """Kullback-Leibler divergences in nats between scores of a, protected label 0, and b, label 1."""

    kl_pos_ab: float
    kl_pos_ba: float
    kl_neg_ab: float
    kl_neg_ba: float

    @property
    def symmetric_sum(self) -> float:
        """The one number reported as KL: both directions, for positives and for negatives, added up."""
        return sum(self)


def score_kl(
    y_true: ArrayLike,
    y_score: ArrayLike,
    protected: ArrayLike,
    *,
    published: bool = False,
    sample_weight: ArrayLike | None = None,
    groups: tuple[str, str] = GROUPS,
) -> ScoreKL:
    """Return how far the score distributions of the two protected groups differ, given the target label.

    Parameters
    ----------
    y_true, protected : arrays of shape (n,)
        Target and protected labels, 0 or 1.
    y_score : array of shape (n,)
        Scores in [0, 1].
    published : bool
        Compute what the paper's code computes (see Notes) instead of the divergence.
    sample_weight : array of shape (n,), optional
        Weight of each image; not with `published`.
    groups : pair of str
        Names of the groups with protected label 0 and 1, for warnings.

    Returns
    -------
    ScoreKL
        Four divergences in nats, 0 for equal distributions: both directions for positives and for
        negatives. NaN, with a warning, where a group has none.

    Raises
    ------
    UserError
        If shapes differ, labels are not 0/1, scores are NaN or outside [0, 1], or weights are given
        with `published`.

    Notes
    -----
    Scores are counted in 50 equal bins over [0, 1], smoothed with a Gaussian of σ = 1 bin, normalised,
    and raised by 1e-6; then ``Σ p ln(p/q)``. Histograms of small samples differ by chance, so the value
    is biased upwards in small groups.

    The paper's code differs in two ways: it spreads the 50 bins over each group's own range of scores,
    so that bins of the two groups do not line up and a mere shift goes unseen; and it smooths integer
    counts in integer arithmetic, which cuts every bin down to a whole number. Its error bar pools the
    four numbers of all resamples.

    Source: Chen and Wu, *Towards Threshold Invariant Fair Classification*, 2020, as used by Ramaswamy et
    al., CVPR 2021, Section 4.

    Examples
    --------
    >>> y, a = [1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 1, 1]
    >>> round(score_kl(y, [0.7, 0.8, 0.7, 0.8, 0.1, 0.2, 0.15, 0.2], a).symmetric_sum, 3)
    1.53
    """
    y = check_labels(y_true, "y_true")
    s = check_scores(y_score, "y_score", len(y))
    a = check_labels(protected, "protected", len(y))
    weights = check_weights(sample_weight, len(y))
    if published and weights is not None:
        raise UserError("The published KL has no weighted form; leave out sample_weight or published=True.")
    if published:
        return _published_kl(y, s, a, groups)
    warn_if_undefined("KL", cell_masses(y, a, weights), groups)
    bins = np.clip(np.searchsorted(EDGES, s, side="right") - 1, 0, N_BINS - 1)
    flat = np.bincount((2 * y + a) * N_BINS + bins, weights=weights, minlength=4 * N_BINS)
    return ScoreKL(*histogram_divergences(flat.reshape(2, 2, N_BINS)).tolist())


def _published_kl(y: np.ndarray, s: np.ndarray, a: np.ndarray, groups: tuple[str, str]) -> ScoreKL:
    smoothed = np.zeros((2, 2, N_BINS))
    for label in (0, 1):
        for group in (0, 1):
            scores = s[(y == label) & (a == group)]
            if len(scores):
                counts = np.histogram(scores, bins=N_BINS)[0]
                smoothed[label, group] = scipy.ndimage.gaussian_filter1d(
                    counts, sigma=1.0
                )  # integers in, integers out
    if not warn_if_undefined("KL", cell_masses(y, a), groups) and (smoothed.sum(axis=-1) == 0).any():
        warn_undefined("KL", "a group is so small that the published smoothing leaves none of its scores")
    return ScoreKL(*divergences(smoothed).tolist())
