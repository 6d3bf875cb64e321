"""Shares of what was counted, with Wilson's interval, and differences of two with Newcombe's."""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.estimate import PERCENT, Estimate

#: A number, or an array of them, and the ends of its interval.
Ends = tuple[Any, Any, Any]

#: Standard normal quantile of a two-sided 95% interval.
Z = 1.959963984540054  # of a 95% interval: the normal distribution's quantile of 0.975


def proportion(count: int, n: int) -> Estimate:
    """Return a share with the 95% interval of Wilson (1927).

    Parameters
    ----------
    count, n : int
        How many out of how many, 0 <= count <= n. Of nothing the share is NaN, and may lie anywhere in 0..1.

    Examples
    --------
    >>> print(proportion(566, 600))
    94.3% [92.2, 95.9] (n = 600)
    """
    if n == 0:
        return Estimate(math.nan, 0.0, 1.0, 0, PERCENT, "nothing to count")
    low, high = wilson(count / n, n)
    return Estimate(count / n, float(low), float(high), n, PERCENT)


def wilson(share: ArrayLike, n: ArrayLike, z: float | np.ndarray = Z) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of Wilson's interval of shares (...) of n (...), which need not be whole numbers.

    `z` is the normal quantile, 1.96 for 95%. A share of nothing, or NaN, may lie anywhere in 0..1. Source:
    Wilson, *Probable Inference*, 1927; n is an effective number in Korn and Graubard, 1998.
    """
    p, n = np.asarray(share, dtype=np.float64), np.asarray(n, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    known = np.isfinite(centre + half)
    # At 0 and 1 the ends are exact, and rounding must not move the share out of its interval.
    low = np.where(known, np.minimum(np.clip(centre - half, 0, 1), p), 0.0)
    high = np.where(known, np.maximum(np.clip(centre + half, 0, 1), p), 1.0)
    return low, high


def newcombe(
    first: ArrayLike, n_first: ArrayLike, second: ArrayLike, n_second: ArrayLike, z: float | np.ndarray = Z
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the interval of second minus first, independent shares (...) of n (...).

    Source: Newcombe, *Interval Estimation for the Difference between Independent Proportions*, 1998, method
    10: `difference` of Wilson's intervals.
    """
    p, q = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return difference((q, *wilson(q, n_second, z)), (p, *wilson(p, n_first, z)))


def difference(one: Ends, two: Ends) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the interval of one minus two, independent numbers with intervals of their own.

    Source: Zou and Donner, Statistics in Medicine, 2008: the distances from the numbers to the ends of their
    intervals, squared and added.

    Parameters
    ----------
    one, two : (value, low, high)
        Arrays (...) or numbers; low <= value <= high.
    """
    (a, low_a, high_a), (b, low_b, high_b) = one, two
    return a - b - np.hypot(a - low_a, high_b - b), a - b + np.hypot(high_a - a, b - low_b)


def shares(flags: pd.DataFrame) -> pd.DataFrame:
    """Return how often each column is 1 (or True), with its 95% interval.

    Parameters
    ----------
    flags : DataFrame, n rows
        Columns of 0 and 1.

    Returns
    -------
    DataFrame
        Index: the columns of `flags`. Columns value, low, high (0..1) and n. Of no rows, value is NaN.
    """
    rows = [proportion(int(flags[name].sum()), len(flags))[:4] for name in flags.columns]
    return pd.DataFrame(rows, index=flags.columns, columns=["value", "low", "high", "n"])
