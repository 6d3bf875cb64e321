"""Thresholds that turn scores into labels; an image is positive if its score is above the threshold."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.validation import as_numbers, check_labels, check_scores


class Calibration(NamedTuple):
    """A threshold, and how near it comes to predicting as many images positive as are positive."""

    threshold: float  #: between two scores that differ; the image is positive if its score is above it
    flagged: int  #: number of images predicted positive
    positives: int  #: number of images that are

    @property
    def far_off(self) -> bool:
        """Whether the numbers differ by more than one image in a hundred positives."""
        return abs(self.flagged - self.positives) > max(1, self.positives / 100)

    @property
    def shortfall(self) -> str:
        """Say that tied scores allow no nearer number; empty if the numbers meet."""
        if self.flagged == self.positives:
            return ""
        return (
            f"{self.flagged:,} are predicted positive where {self.positives:,} are positive: tied scores "
            "allow no nearer number"
        )


def calibrate(y_true: ArrayLike, y_score: ArrayLike) -> Calibration:
    """Return the threshold at which as many images are predicted positive as are positive, as near as can be.

    Parameters
    ----------
    y_true, y_score : arrays of shape (n,)
        Labels, 0 or 1, and scores in [0, 1] of validation images.

    Returns
    -------
    Calibration
        The threshold lies half way between two distinct scores. Of hard predictions, or other scores that are
        tied, it is the one whose number of images predicted positive is nearest (of two equally near, the
        smaller number); it predicts nobody, or everybody, positive only if all scores are the same.

    Raises
    ------
    UserError
        If there are no positives, shapes differ, or scores are NaN or outside [0, 1].

    Notes
    -----
    Source: Ramaswamy et al., CVPR 2021, Section 4, used for DEO and BA; see `calibrated_threshold` for what
    their code does.

    Examples
    --------
    >>> calibrate([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9])
    Calibration(threshold=0.5, flagged=2, positives=2)
    """
    y, s = _check(y_true, y_score)
    return _calibration(int(y.sum()), s)


def threshold_of_share(y_score: ArrayLike, share: float) -> float:
    """Return the threshold above which a share of scores lies, as near as can be with some on either side.

    Parameters
    ----------
    y_score : array of shape (n,)
        Scores in [0, 1], of images whose labels need not be known.
    share : float
        Wanted share of positives, 0..1.

    Returns
    -------
    float
        As `calibrate` finds it for so many positives; only if all scores are the same, all are on one side.

    Examples
    --------
    >>> threshold_of_share([0.5, 0.25, 0.75, 1.0], 0.25)
    0.875
    """
    s = check_scores(y_score, "y_score", np.size(y_score))
    return _calibration(round(share * len(s)), s).threshold


def _calibration(n_positive: int, s: np.ndarray) -> Calibration:
    distinct, counts = np.unique(s, return_counts=True)
    above = len(s) - np.cumsum(counts)[:-1]  # number above each distinct score but the largest
    if len(above) == 0:  # all the same: everybody, or nobody
        everybody = 2 * n_positive > len(s)
        return Calibration(float(distinct[0] - everybody), len(s) * everybody, n_positive)
    place = len(above) - 1 - int(np.argmin(np.abs(above - n_positive)[::-1]))
    return Calibration(_between(distinct[place], distinct[place + 1]), int(above[place]), n_positive)


def _between(low: float, high: float) -> float:
    """Return a number that separates two scores, also where it is compared with them in single precision."""
    middle = low + (high - low) / 2
    return float(middle if low <= np.float32(middle) < np.float32(high) else low)


def calibrated_threshold(y_true: ArrayLike, y_score: ArrayLike, *, published: bool = False) -> float:
    """Return the threshold at which as many images are predicted positive as are positive.

    Parameters
    ----------
    y_true, y_score
        As `calibrate`, errors too.
    published : bool
        Whether to return that of the paper's code, the n_pos-th largest score itself. As "positive" means
        above the threshold, the image with exactly this score is then counted negative, and with it all that
        are tied with it: of hard predictions perhaps everybody.

    Returns
    -------
    float
        The threshold of `calibrate`, which also says how near the numbers come to each other.

    Examples
    --------
    >>> calibrated_threshold([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9])
    0.5
    >>> calibrated_threshold([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9], published=True)
    0.6
    """
    if not published:
        return calibrate(y_true, y_score).threshold
    y, s = _check(y_true, y_score)
    place = len(s) - int(y.sum())
    return float(np.partition(s, place)[place])


def best_f1_threshold(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Return the threshold with the best F1: a grid of 0.1, then one of 0.01 around its best.

    Parameters and errors as `calibrated_threshold`. Of equally good thresholds the lowest is returned, 0..1.
    Of scores that tell little, and where most images are positive, the best F1 is that of calling every image
    positive: see `parts`.

    Notes
    -----
    Source: Ramaswamy et al., CVPR 2021, Section 4; used to label generated images.

    Examples
    --------
    >>> best_f1_threshold([0, 1, 0, 1], [0.1, 0.4, 0.3, 0.9])
    0.3
    """
    y, s = _check(y_true, y_score)
    coarse = np.arange(1, 10) / 10
    best = coarse[np.argmax(_f1(y, s, coarse))]
    fine = best + np.arange(-10, 11) / 100
    return float(fine[np.argmax(_f1(y, s, fine))])


def parts(y_score: ArrayLike, threshold: float) -> bool:
    """Whether some scores lie above a threshold and some do not: else it is a threshold in name only."""
    above = np.asarray(y_score) > threshold
    return bool(above.any() and not above.all())


def thresholds_of(
    name: str, scores: np.ndarray, y: np.ndarray, thresholds: Mapping[str, float | ArrayLike] | None
) -> np.ndarray:
    """Return the threshold of each training seed of a model, (seeds,), from those of all models.

    None calibrates them on these very scores, (seeds, n).
    """
    if thresholds is None:
        # Without positives DEO and BA are undefined at any threshold.
        return np.array([calibrated_threshold(y, s) if y.any() else 1.0 for s in scores])
    if name not in thresholds:
        known = ", ".join(thresholds) or "no model"
        raise UserError(f"There is no threshold for '{name}'; thresholds are given for {known}.")
    values = as_numbers(thresholds[name], f"the threshold of '{name}'")
    if values.shape not in ((), (len(scores),)) or not np.isfinite(values).all():
        raise UserError(
            f"The threshold of '{name}' must be one finite number, or one for each of {len(scores)} training "
            f"seeds; got {values.tolist()}."
        )
    return np.broadcast_to(values, len(scores))


def threshold_note(
    y: np.ndarray, scores: np.ndarray, thresholds: Mapping[str, float | ArrayLike] | None
) -> str:
    """Say that thresholds were calibrated on these very scores, (seeds, n), and where ties kept them off."""
    if thresholds is not None:
        return ""
    off = [found.shortfall for s in scores if y.any() and (found := calibrate(y, s)).far_off]
    return f"threshold calibrated on these images{': ' + off[0] if off else ''}"


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
