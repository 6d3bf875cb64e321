"""Counts as shares with Wilson's interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
from scipy.stats import binomtest


@dataclass(frozen=True)
class Proportion:
    """`count` out of `n`, with the 95% interval of Wilson (1927)."""

    count: int
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        """Low and high end, in 0..1; the whole range when nothing was counted."""
        if self.n == 0:
            return 0.0, 1.0
        interval = binomtest(self.count, self.n).proportion_ci(method="wilson")
        return float(interval.low), float(interval.high)

    def __str__(self) -> str:
        if self.n == 0:
            return "n/a (0 pairs)"
        low, high = (f"{100 * end:.1f}" for end in self.interval)
        return f"{100 * self.count / self.n:.1f}% [{low}, {high}] ({self.count:,} of {self.n:,})"


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
    counted = [Proportion(int(flags[name].sum()), len(flags)) for name in flags.columns]
    rows = [(share.count / share.n if share.n else math.nan, *share.interval, share.n) for share in counted]
    return pd.DataFrame(rows, index=flags.columns, columns=["value", "low", "high", "n"])
