"""Validation images in two halves: one for what is fitted on them, one to choose by."""

import numpy as np


def halves_of_cells(y: np.ndarray, a: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split images at random so that both halves have the same cells (label, group), up to one image each.

    Parameters
    ----------
    y, a : arrays of shape (n,)
        Target and protected labels, class numbers.
    seed : int
        Of the split, which depends on nothing else; at least 0.

    Returns
    -------
    fit, selection : integer arrays
        Ascending rows; together every row once, and their numbers differ by at most one.

    Examples
    --------
    >>> fit, selection = halves_of_cells(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0, 0]), seed=0)
    >>> len(fit), len(selection)
    (3, 3)
    """
    order = np.random.default_rng([seed, len(y)]).permutation(len(y))
    by_cell = order[np.lexsort((a[order], y[order]))]  # a stable sort: within a cell in random order
    return np.sort(by_cell[::2]), np.sort(by_cell[1::2])
