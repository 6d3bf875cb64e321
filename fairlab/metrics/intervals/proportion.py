"""Shares of what was counted, with Wilson's interval."""

import math

import pandas as pd
from scipy.stats import binomtest

from fairlab.core.estimate import PERCENT, Estimate


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
    interval = binomtest(count, n).proportion_ci(method="wilson")
    return Estimate(count / n, float(interval.low), float(interval.high), n, PERCENT)


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
