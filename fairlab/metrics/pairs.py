"""What the labels of pairs do: whether a partner's claims hold, and paired differences of such shares."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

from fairlab.errors import UserError
from fairlab.metrics.means import bootstrap_means

#: Column of `as_claimed` for a partner that did everything it claims.
EVERYTHING = "all of it"


class Difference(NamedTuple):
    """A paired difference of two shares, -1..1, with its 95% interval and the number of pairs."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        value, low, high = (f"{100 * x:+.1f}" for x in self[:3])
        return f"{value} points [{low}, {high}] (n = {self.n:,})"


def as_claimed(before: pd.DataFrame, after: pd.DataFrame, flipped: Collection[str]) -> pd.DataFrame:
    """Return whether each partner flipped the attributes that it should, and kept the others.

    Parameters
    ----------
    before, after : DataFrames of 0 and 1, n rows
        Labels of z and of its partner, with the same attributes as columns.
    flipped : collection of str
        The attributes that should change.

    Returns
    -------
    DataFrame of bool, n rows
        A column for each attribute, and `EVERYTHING`.
    """
    _check_lengths(before, after)
    held = {
        name: (before[name].to_numpy() != after[name].to_numpy()) == (name in flipped)
        for name in before.columns
    }
    return pd.DataFrame(held | {EVERYTHING: np.all(list(held.values()), axis=0)})


def paired_difference(first: np.ndarray, second: np.ndarray) -> Difference:
    """Return by how much more often the first holds than the second, on the same bootstrap resamples.

    Parameters
    ----------
    first, second : (n,) bool arrays, n >= 1
        Whether each held, of the same n latents.
    """
    _check_lengths(first, second)
    both = np.stack([first, second], axis=1).astype(float)  # (n, 2)
    gap = both[:, 0] - both[:, 1]
    row = bootstrap_means(gap[None, :, None]).table(["difference"]).iloc[0]
    return Difference(row["value"], row["low"], row["high"], len(gap))


def _check_lengths(first: np.ndarray | pd.DataFrame, second: np.ndarray | pd.DataFrame) -> None:
    if len(first) != len(second) or not len(first):
        raise UserError(
            f"Pairs need two arrays of one length, at least 1; these have {len(first)} and {len(second)}."
        )
