"""What scores betray of the protected label: an attacker learns from validation images, and guesses."""

import numpy as np
from sklearn.metrics import roc_curve


def guesses(valid: np.ndarray, a: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return an attacker's guesses of the protected label from a model's scores.

    All that can be made of a single score is a threshold and a direction; the attacker takes those that guess
    best on validation images, both groups counting the same.

    Parameters
    ----------
    valid, a : arrays of shape (m,)
        Scores and protected labels of validation images.
    test : array of shape (n,)
        Scores of other images.

    Returns
    -------
    (n,) float64 array of 0 and 1

    Examples
    --------
    >>> guesses(np.array([0.1, 0.2, 0.7, 0.9]), np.array([1, 1, 0, 0]), np.array([0.15, 0.8]))
    array([1., 0.])
    """
    false, true, cuts = roc_curve(a, valid, drop_intermediate=False)
    best = int(np.abs(true - false).argmax())
    above = test >= cuts[best]
    return np.where(above if true[best] > false[best] else ~above, 1.0, 0.0)
