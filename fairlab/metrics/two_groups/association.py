"""Phi coefficient of binary labels, with its interval."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.metrics.intervals.bootstrap import percentile_interval
from fairlab.metrics.validation import check_labels


def phi_coefficients(
    labels: pd.DataFrame, protected: ArrayLike, *, n_resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Return the phi coefficient of every label column with one protected label, -1..1; 0 is independent.

    Parameters
    ----------
    labels : DataFrame, n rows
        Columns of 0 and 1.
    protected : array of shape (n,)
        0 or 1.
    n_resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Index: the columns of `labels`. Columns value, low, high (95% percentile interval), n, n_positive.
        NaN where a label or the protected label is the same everywhere.

    Raises
    ------
    UserError
        If lengths differ or values are not 0 and 1.

    Notes
    -----
    Phi is Pearson's correlation of two binary variables. It depends on the four counts only, so resampling
    images means drawing counts from a multinomial distribution.

    Examples
    --------
    >>> phi_coefficients(pd.DataFrame({"Bald": [1, 0, 0, 0, 1, 0]}), [1, 1, 0, 0, 1, 0])["value"]
    Bald    0.707107
    Name: value, dtype: float64
    """
    a = check_labels(protected, "protected", len(labels))
    rng = np.random.default_rng(seed)
    rows = []
    for name in labels.columns:
        y = check_labels(labels[name], name)
        cells = np.bincount(2 * y + a, minlength=4)  # [y, a] = 00, 01, 10, 11
        draws = phi(rng.multinomial(len(y), cells / len(y), size=n_resamples))
        low, high = percentile_interval(draws)
        rows.append((float(phi(cells)), low, high, len(y), int(y.sum())))
    return pd.DataFrame(rows, index=labels.columns, columns=["value", "low", "high", "n", "n_positive"])


def phi(cells: np.ndarray) -> np.ndarray:
    """Return phi from counts (..., 4) of the cells (y, a) = 00, 01, 10, 11: (...)."""
    n00, n01, n10, n11 = np.moveaxis(np.asarray(cells, dtype=np.float64), -1, 0)
    margins = (n00 + n01) * (n10 + n11) * (n00 + n10) * (n01 + n11)
    with np.errstate(invalid="ignore"):
        return np.asarray((n11 * n00 - n10 * n01) / np.sqrt(margins))
