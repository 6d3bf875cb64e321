"""Labels made wrong at random until they are as accurate as a model."""

import warnings

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.leakage.attackers import Features
from fairlab.metrics.validation import as_numbers


class ChanceWarning(UserWarning):
    """A model is less accurate than random guesses, and labels cannot be made as inaccurate."""


def corrupt(
    features: Features, performance: float | ArrayLike, metric: str, rng: np.random.Generator
) -> Features:
    """Return labels of which a random part is wrong, as many as before of every label.

    Parameters
    ----------
    features : Features
        Labels (n, k) 0/1 or classes (n,).
    performance : float or array of shape (k,)
        Wanted F1 or average precision of every label (or class, against the rest), in [0, 1].
    metric : "F1" or "mAP"
    rng : Generator

    Raises
    ------
    UserError
        If there is no such metric, or `performance` is not in [0, 1] or of another length.

    Notes
    -----
    Of a label's positives the share 1 - q is moved to images that lacked it (an image's class is exchanged
    with that of an image of another class). Precision and recall are then both q, so F1 = q; and average
    precision, with the label itself as the score, is ``q² + (1 - q) π`` at prevalence π, which is solved for
    q. The move looks at nothing else, so it is random in the protected label. What is less accurate than
    chance, F < π, cannot be reached by either metric; q then is π, which is chance, and a warning is given.
    """
    n = len(features)
    if features.are_classes:
        counts = np.bincount(features.values, minlength=features.width)
        moved = moved_positives(counts, n, performance, metric)
        return Features(_exchange(features.values, moved, rng), features.width)
    values = features.values.copy()
    moved = moved_positives(values.sum(axis=0, dtype=np.int64), n, performance, metric)
    for column, count in zip(values.T, moved, strict=True):
        gone, come = (rng.choice(np.flatnonzero(column == y), count, replace=False) for y in (1, 0))
        column[gone], column[come] = 0, 1
    return Features(values, features.width)


def moved_positives(counts: np.ndarray, n: int, performance: float | ArrayLike, metric: str) -> np.ndarray:
    """Return how many of each label's positives must move, (k,), to reach `performance`; see `corrupt`."""
    if metric not in ("F1", "mAP"):
        raise UserError(f"There is no metric '{metric}' to corrupt labels to; choose F1 or mAP.")
    wanted = as_numbers(performance, "performance")
    if wanted.shape not in ((), counts.shape) or not ((wanted >= 0) & (wanted <= 1)).all():
        raise UserError(
            f"performance must be one number in [0, 1] or one for each of {len(counts)} labels, but "
            f"{(~((wanted >= 0) & (wanted <= 1))).sum()} of {wanted.size} are not; divide percentages by 100."
        )
    prevalence = counts / n
    _warn_of_chance(int((wanted < prevalence).sum()))
    kept = wanted = np.maximum(wanted, prevalence)
    if metric == "mAP":
        kept = (prevalence + np.sqrt(np.maximum(prevalence**2 - 4 * (prevalence - wanted), 0))) / 2
    return np.minimum(np.rint((1 - kept) * counts), n - counts).astype(np.int64)


def _warn_of_chance(unreachable: int) -> None:
    if unreachable:
        warnings.warn(
            f"{unreachable} labels cannot be made as inaccurate as the model: random guesses at their "
            "frequency are more accurate; they are corrupted to chance.",
            ChanceWarning,
            stacklevel=4,
        )


def _exchange(classes: np.ndarray, moved: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Let `moved` images of each class exchange classes at random, none with its own, as far as possible."""
    rows = [np.flatnonzero(classes == c) for c in range(len(moved))]
    chosen = np.concatenate([rng.choice(r, m, replace=False) for r, m in zip(rows, moved, strict=True)])
    old, new = classes[chosen], rng.permutation(classes[chosen])
    for _ in range(100):
        for place in np.flatnonzero(old == new):
            other = rng.integers(len(new))
            if new[other] != old[place] and new[place] != old[other]:
                new[place], new[other] = new[other], new[place]
        if (old != new).all():
            break
    result = classes.copy()
    result[chosen] = new
    return result
