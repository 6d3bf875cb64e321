"""Rows with a prescribed share of positives: how skewed may the labels be that a hyperplane is fitted to?"""

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.latent.hyperplane import OneSidedLabels


def skewed_rows(labels: ArrayLike, positive_share: float, *, seed: int = 0) -> np.ndarray:
    """Return the largest random subset of rows in which a wanted share is positive.

    Parameters
    ----------
    labels : array of shape (n,)
        0 or 1.
    positive_share : float
        Wanted share of positives, 0..1 exclusive.
    seed : int
        Which rows are drawn.

    Returns
    -------
    int array of shape (m,)
        Row numbers, rising, none twice: all rows of the label that is short, and as many of the
        other as the share wants, to the nearest row.

    Raises
    ------
    UserError
        If labels are not 0 and 1, the share is out of range, or (`OneSidedLabels`) too few rows leave one
        label out.

    Notes
    -----
    For the paper's study of under-represented fits: hyperplanes fitted where few images have the label, or
    few lack it. m falls as the skew grows; to tell skew from size, fit on as many rows for every share. The
    published study does (12,000 rows), and takes each label evenly from both protected groups.
    Source: Ramaswamy et al., CVPR 2021, and its published code.

    Examples
    --------
    >>> rows = skewed_rows([0, 0, 0, 1, 1, 1], 0.25)  # all three negatives, one positive
    >>> len(rows), rows[:3]
    (4, array([0, 1, 2]))
    """
    positive = check_labels(labels)
    if not 0.0 < positive_share < 1.0:
        raise UserError(f"The share of positives must lie between 0 and 1, not {positive_share}.")
    rows = [np.flatnonzero(~positive), np.flatnonzero(positive)]
    n_negative, n_positive = map(len, rows)
    sizes = _largest_sizes(n_negative, n_positive, positive_share)
    if 0 in sizes:
        raise OneSidedLabels(
            f"A share of {positive_share} positives, with both labels present, cannot be drawn from "
            f"{n_positive} positives and {n_negative} negatives; sample more latents or choose another share."
        )
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(those, size, replace=False) for those, size in zip(rows, sizes, strict=True)]
    return np.sort(np.concatenate(drawn))  # (m,)


def is_drawable(labels: ArrayLike, positive_share: float) -> bool:
    """Whether `skewed_rows` can draw a share from labels (n,) so that both are among its rows.

    >>> is_drawable([0, 1, 1, 1], 0.5), is_drawable([0, 1, 1, 1], 0.01)
    (True, False)
    """
    n_positive = int(check_labels(labels).sum())
    return 0 not in _largest_sizes(np.size(labels) - n_positive, n_positive, positive_share)


def _largest_sizes(n_negative: int, n_positive: int, share: float) -> tuple[int, int]:
    """Return how many negatives and positives to draw: all of the label that is short."""
    if n_positive <= share * (n_negative + n_positive):
        return round(n_positive * (1 - share) / share), n_positive
    return n_negative, round(n_negative * share / (1 - share))


def check_labels(labels: ArrayLike, n: int | None = None) -> np.ndarray:
    """Return labels as a bool array of shape (n,), or raise UserError if they are not n times 0 or 1."""
    values = np.asarray(labels)
    if values.ndim != 1 or (n is not None and len(values) != n):
        wanted = "(n,)" if n is None else f"({n},), one for each latent"
        raise UserError(f"Labels must be of shape {wanted}; these have shape {values.shape}.")
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        raise UserError(
            f"Labels must be 0 or 1, but {wrong.sum()} of {len(values)} are not (first: {values[wrong][0]})."
        )
    return values.astype(bool)
