"""Two thresholds where a group is only guessed: chosen on images of which it is known."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from fairlab.metrics import calibrated_threshold

#: Differences of the thresholds that are tried; an odd number, so that none is among them.
N_SLOPES = 401

#: What is aimed at, from true positive rates (2, m), accuracy (m,), the rate of the plain threshold,
#: the least rate and the bound to (m,): larger is better, and of equals the more accurate one is taken.
AIMS: dict[str, Callable[[np.ndarray, float, float, float], np.ndarray]] = {
    "equal_tpr": lambda rates, plain, least, bound: -np.abs(rates - plain).max(axis=0),
    "least_tpr": lambda rates, plain, least, bound: np.minimum(rates.min(axis=0), least),
    "accuracy": lambda rates, plain, least, bound: -np.maximum(np.ptp(rates, axis=0) - bound, 0),
}


def two_thresholds(
    f: np.ndarray, g: np.ndarray, y: np.ndarray, a: np.ndarray, aim: str, *, at_least: float, bound: float
) -> tuple[float, float]:
    """Return τ_0 and τ_1 for the decision f - τ_0 - (τ_1 - τ_0) · g > 0.

    Every cut is tried of each of `N_SLOPES` differences τ_1 - τ_0, up to the range of f over that of g.

    Parameters
    ----------
    f, g : arrays of shape (n,)
        Target logits, and guesses of the group, about 0 to 1.
    y, a : arrays of shape (n,)
        Target and protected labels, 0 or 1; every combination occurs.
    aim : {"equal_tpr", "least_tpr", "accuracy"}
        Both groups' true positive rates nearest to that of the calibrated threshold of f; the smaller one at
        least `at_least`; or both at most `bound` apart. Of equally good ones the most accurate is taken, and
        of these the one with the smallest difference.
    at_least, bound : float in [0, 1]
    """
    s = expit(f)
    plain = float(np.mean(s[y == 1] > calibrated_threshold(y, s)))
    widest = np.ptp(f) / max(float(np.ptp(g)), np.finfo(float).tiny ** 0.5)
    slopes = widest * np.linspace(-1, 1, N_SLOPES)
    best: tuple[tuple[float, float], float, float] | None = None
    for slope in slopes[np.argsort(np.abs(slopes), kind="stable")]:
        cuts, rates, accuracy = all_cuts(f - slope * g, y, a)
        aimed = AIMS[aim](rates, plain, at_least, bound).round(9)  # else equals differ by rounding
        place = int(np.lexsort((accuracy, aimed))[-1])
        reached = (float(aimed[place]), float(accuracy[place]))
        if best is None or reached > best[0]:
            best = reached, float(cuts[place]), float(slope)
    assert best is not None
    return best[1], best[1] + best[2]


def all_cuts(margins: np.ndarray, y: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all cuts (m,) of margins (n,), and true positive rates (2, m) and accuracy (m,) above each."""
    order = np.argsort(margins)
    values, positive = margins[order], y[order] == 1
    ends = np.flatnonzero(np.append(True, np.diff(values) > 0))  # first of each distinct value
    bounds = np.concatenate([[values[0] - 1], values[ends], [values[-1] + 1]])
    cuts = (bounds[:-1] + bounds[1:]) / 2  # below all, between, above all
    below = np.append(ends, len(values))  # number of images below each cut

    def counted(mask: np.ndarray) -> np.ndarray:
        return np.append(0, np.cumsum(mask))[below]

    of_group = [positive & (a[order] == group) for group in (0, 1)]
    rates = np.stack([1 - counted(mask) / mask.sum() for mask in of_group])
    right = counted(~positive) + positive.sum() - counted(positive)
    return cuts, rates, right / len(values)
