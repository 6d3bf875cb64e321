"""The metrics as formulas on counts, for any number of resamples at once.

Tables are indexed [..., y, a] with target label y and protected label a; leading axes are resamples.
A quotient of nothing by nothing is NaN here: who calls says why.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

N_BINS = 50
EDGES = np.linspace(0.0, 1.0, N_BINS + 1)
#: Smoothing is linear, so it is a matrix: Gaussian with σ = 1 bin, reflected at 0 and 1.
_SMOOTHING = gaussian_filter1d(np.eye(N_BINS), sigma=1.0, axis=0)
#: Added to each bin's share so that an empty bin does not make the divergence infinite.
_FLOOR = 1e-6


def average_precision_along(negatives: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """Return the step-wise area Σ (R_j - R_{j-1}) P_j under the precision-recall curve, (...).

    Parameters
    ----------
    negatives, positives : arrays of shape (..., m)
        Number or weight of images of each class that score at least the j-th of m falling thresholds: one
        above all scores, every score of a positive, and one that counts all images.
    """
    # Where nothing has been counted yet, nothing was found either: any precision but 0/0 will do.
    counted = np.maximum(negatives + positives, np.finfo(np.float64).tiny)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = positives / counted
        area = np.einsum("...m,...m->...", np.diff(positives), precision[..., 1:]) / positives[..., -1]
    return np.where((negatives[..., -1] > 0) & (positives[..., -1] > 0), area, np.nan)


def equal_opportunity_gap(mass: np.ndarray, flagged: np.ndarray) -> np.ndarray:
    """Return |FNR(a=0) - FNR(a=1)| from tables (..., 2, 2) of images and of those predicted positive."""
    with np.errstate(invalid="ignore"):
        true_positive_rate = flagged[..., 1, :] / mass[..., 1, :]
    return np.abs(true_positive_rate[..., 0] - true_positive_rate[..., 1])


def amplification(mass: np.ndarray, flagged: np.ndarray) -> np.ndarray:
    """Return directional bias amplification a → t from tables (..., 2, 2), as in `bias_amplification`.

    The cells with t = 0 repeat those with t = 1 with both signs turned, so the mean over the two groups
    is the mean over the four cells.
    """
    n = mass.sum(axis=(-2, -1))[..., None]
    n_group, n_positive = mass.sum(axis=-2), mass[..., 1, :]
    with np.errstate(invalid="ignore"):
        change = (flagged.sum(axis=-2) - n_positive) / n_group
    association = n_positive * n - n_positive.sum(axis=-1, keepdims=True) * n_group
    # Weights make independence inexact; a billionth of the largest possible association is none.
    sign = np.where(np.abs(association) <= 1e-9 * n**2, 0.0, np.sign(association))
    both_classes = (mass.sum(axis=-1) > 0).all(axis=-1)  # without, there is no association to amplify
    return np.where(both_classes, (sign * change).mean(axis=-1), np.nan)


def histogram_divergences(histograms: np.ndarray) -> np.ndarray:
    """Return kl_pos_ab, kl_pos_ba, kl_neg_ab, kl_neg_ba, (..., 4), from histograms (..., 2, 2, bins)."""
    return divergences(histograms @ _SMOOTHING.T)


def divergences(smoothed: np.ndarray) -> np.ndarray:
    """Return the four divergences in nats, (..., 4), from smoothed histograms (..., 2, 2, bins)."""
    with np.errstate(invalid="ignore"):
        share = smoothed / smoothed.sum(axis=-1, keepdims=True) + _FLOOR
    log_ratio = np.log(share[..., 0, :] / share[..., 1, :])  # (..., 2, bins)
    forth = (share[..., 0, :] * log_ratio).sum(axis=-1)  # (..., 2)
    back = -(share[..., 1, :] * log_ratio).sum(axis=-1)
    return np.stack([forth[..., 1], back[..., 1], forth[..., 0], back[..., 0]], axis=-1)
