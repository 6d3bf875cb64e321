"""The metrics as formulas on counts, for any number of resamples at once.

A quotient of nothing by nothing is NaN here: who calls says why. To add a metric, write its formula here and
describe it in `fairlab.metrics.spec`.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import scipy

N_BINS = 50
EDGES = np.linspace(0.0, 1.0, N_BINS + 1)
#: Added to each bin's share so that an empty bin does not make the divergence infinite.
_FLOOR = 1e-6
_NONE = np.empty(0)


class Counted(NamedTuple):
    """Images counted by target label y and protected label a, [..., y, a]; leading axes are resamples."""

    mass: np.ndarray  #: (..., 2, 2) number or weight of the images
    flagged: np.ndarray  #: (..., 2, 2) of those predicted positive
    histograms: np.ndarray = _NONE  #: (..., 2, 2, N_BINS) scores in equal bins over [0, 1]
    #: (rows, 2, 2, m) images that score at least the j-th of m falling thresholds: one above all scores,
    #: every score of a positive, and one that counts all images.
    curve: np.ndarray = _NONE


class ClassCounts(NamedTuple):
    """Images counted by group and true class, (..., groups, K); labels 0/1 are two classes."""

    mass: np.ndarray  #: (..., groups, K) number or weight of the images
    right: np.ndarray  #: (..., groups, K) of those whose class is predicted
    binary: bool = False  #: whether the classes are labels 0 and 1
    gaps: np.ndarray | None = None  #: (..., groups, bins) sums of outcome - score in equal bins of the score


#: Numbers or weights of images, (..., groups); but for the first two, of labels 0 and 1 alone.
COUNTS: dict[str, Callable[[ClassCounts], np.ndarray]] = {
    "images": lambda c: c.mass.sum(axis=-1),
    "images right": lambda c: c.right.sum(axis=-1),
    "positives": lambda c: c.mass[..., 1],
    "positives found": lambda c: c.right[..., 1],
    "positives missed": lambda c: c.mass[..., 1] - c.right[..., 1],
    "negatives": lambda c: c.mass[..., 0],
    "negatives right": lambda c: c.right[..., 0],
    "false alarms": lambda c: c.mass[..., 0] - c.right[..., 0],
    "images predicted positive": lambda c: c.right[..., 1] + c.mass[..., 0] - c.right[..., 0],
    "images predicted negative": lambda c: c.right[..., 0] + c.mass[..., 1] - c.right[..., 1],
}


def average_precision(counted: Counted) -> np.ndarray:
    """Return average precision, (rows,)."""
    curve = counted.curve
    return average_precision_along(curve[:, 0, 0] + curve[:, 0, 1], curve[:, 1, 0] + curve[:, 1, 1])


def group_balanced_average_precision(counted: Counted) -> np.ndarray:
    """Return average precision as if both groups were equally frequent in each class, (rows,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        balance = counted.mass.sum(axis=2, keepdims=True) / (2 * counted.mass)  # (rows, 2, 2)
    return weighted_average_precision(counted.curve, balance)


def weighted_average_precision(curve: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return average precision, (rows,), with a weight for each cell, (rows, 2, 2)."""
    with np.errstate(invalid="ignore"):
        return average_precision_along(*np.einsum("ryam,rya->yrm", curve, weight))


def average_precision_along(negatives: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """Return the step-wise area Σ (R_j - R_{j-1}) P_j under the precision-recall curve, (...).

    Parameters
    ----------
    negatives, positives : arrays of shape (..., m)
        Images of each class that score at least the j-th of m falling thresholds, as `Counted.curve`.
    """
    # Where nothing has been counted yet, nothing was found either: any precision but 0/0 will do.
    counted = np.maximum(negatives + positives, np.finfo(np.float64).tiny)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = positives / counted
        area = np.einsum("...m,...m->...", np.diff(positives), precision[..., 1:]) / positives[..., -1]
    return np.where((negatives[..., -1] > 0) & (positives[..., -1] > 0), area, np.nan)


def missed(counted: Counted) -> tuple[np.ndarray, np.ndarray]:
    """Return each group's false negative rate, and the number of positives it is a share of, (..., 2)."""
    positives = counted.mass[..., 1, :]
    with np.errstate(invalid="ignore"):
        return np.asarray(1 - counted.flagged[..., 1, :] / positives), positives


def signed_opportunity_gap(counted: Counted) -> np.ndarray:
    """Return FNR(a=1) - FNR(a=0), (...)."""
    rates, _ = missed(counted)
    return np.asarray(rates[..., 1] - rates[..., 0])


def equal_opportunity_gap(counted: Counted) -> np.ndarray:
    """Return |FNR(a=0) - FNR(a=1)|, (...)."""
    return np.abs(signed_opportunity_gap(counted))


def found_with_number(counted: Counted, group: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a group's true positive rate, and the number of positives it is a share of, (..., 1)."""
    positives = counted.mass[..., 1, group, None]
    with np.errstate(invalid="ignore"):
        return np.asarray(counted.flagged[..., 1, group, None] / positives), positives


def found_in(counted: Counted, group: int) -> np.ndarray:
    """Return a group's true positive rate, (...)."""
    return found_with_number(counted, group)[0][..., 0]


def worst_cell_accuracy(counted: Counted) -> np.ndarray:
    """Return the accuracy of the (y, a) cell that has the lowest, (...)."""
    right = np.stack([counted.mass[..., 0, :] - counted.flagged[..., 0, :], counted.flagged[..., 1, :]], -2)
    with np.errstate(invalid="ignore"):
        return np.asarray((right / counted.mass).min(axis=(-2, -1)))


def right_of_both(counted: Counted) -> np.ndarray:
    """Return the share that is predicted right, both labels counting the same, (...)."""
    mass, flagged = counted.mass.sum(axis=-1), counted.flagged.sum(axis=-1)  # (..., 2)
    with np.errstate(invalid="ignore"):
        share = flagged / mass
    return np.asarray((1 - share[..., 0] + share[..., 1]) / 2)


def amplification(counted: Counted) -> np.ndarray:
    """Return directional bias amplification a → t, (...), as in `fairlab.metrics.bias_amplification`.

    The cells with t = 0 repeat those with t = 1 with both signs turned, so the mean over the two groups
    is the mean over the four cells.
    """
    mass, flagged = counted.mass, counted.flagged
    n = mass.sum(axis=(-2, -1))[..., None]
    n_group, n_positive = mass.sum(axis=-2), mass[..., 1, :]
    with np.errstate(invalid="ignore"):
        change = (flagged.sum(axis=-2) - n_positive) / n_group
    association = n_positive * n - n_positive.sum(axis=-1, keepdims=True) * n_group
    # Weights make independence inexact; a billionth of the largest possible association is none.
    sign = np.where(np.abs(association) <= 1e-9 * n**2, 0.0, np.sign(association))
    both_classes = (mass.sum(axis=-1) > 0).all(axis=-1)  # without, there is no association to amplify
    return np.where(both_classes, (sign * change).mean(axis=-1), np.nan)


def symmetric_divergence(counted: Counted) -> np.ndarray:
    """Return the sum of the four `histogram_divergences`, (...)."""
    return np.asarray(histogram_divergences(counted.histograms).sum(axis=-1))


def histogram_divergences(histograms: np.ndarray) -> np.ndarray:
    """Return kl_pos_ab, kl_pos_ba, kl_neg_ab, kl_neg_ba, (..., 4), from histograms (..., 2, 2, bins)."""
    return divergences(histograms @ _smoothing().T)


def divergences(smoothed: np.ndarray) -> np.ndarray:
    """Return the four divergences in nats, (..., 4), from smoothed histograms (..., 2, 2, bins)."""
    with np.errstate(invalid="ignore"):
        share = smoothed / smoothed.sum(axis=-1, keepdims=True) + _FLOOR
    log_ratio = np.log(share[..., 0, :] / share[..., 1, :])  # (..., 2, bins)
    forth = (share[..., 0, :] * log_ratio).sum(axis=-1)  # (..., 2)
    back = -(share[..., 1, :] * log_ratio).sum(axis=-1)
    return np.stack([forth[..., 1], back[..., 1], forth[..., 0], back[..., 0]], axis=-1)


def balanced_accuracy(counts: ClassCounts) -> np.ndarray:
    """Return the mean of the shares right of each class, (..., groups), or of the classes a group has."""
    recall = counts.right / counts.mass
    if counts.binary:
        return np.asarray(recall.mean(axis=-1))
    return np.asarray(np.nansum(recall, axis=-1) / (counts.mass > 0).sum(axis=-1))


def calibration_error(counts: ClassCounts) -> np.ndarray:
    """Return the expected calibration error, (..., groups)."""
    assert counts.gaps is not None
    return np.asarray(np.abs(counts.gaps).sum(axis=-1) / counts.mass.sum(axis=-1))


def lowest(rates: np.ndarray) -> np.ndarray:
    """Return the smallest number along the last axis, NaN where there is none."""
    return np.fmin.reduce(rates, axis=-1)


def spread(rates: np.ndarray) -> np.ndarray:
    """Return largest - smallest along the last axis; NaN are skipped, and fewer than two numbers give NaN."""
    enough = (~np.isnan(rates)).sum(axis=-1) >= 2
    return np.where(enough, np.fmax.reduce(rates, axis=-1) - lowest(rates), np.nan)


def ratio(rates: np.ndarray) -> np.ndarray:
    """Return smallest / largest along the last axis; NaN as in `spread`."""
    return np.where(np.isnan(spread(rates)), np.nan, lowest(rates) / np.fmax.reduce(rates, axis=-1))


@cache
def _smoothing() -> np.ndarray:
    """Return the matrix (bins, bins) that smooths: Gaussian with σ = 1 bin, reflected at 0 and 1."""
    return np.asarray(scipy.ndimage.gaussian_filter1d(np.eye(N_BINS), sigma=1.0, axis=0))
