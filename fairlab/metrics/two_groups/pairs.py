"""Claims about pairs of faces: how often they hold, and paired differences."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError
from fairlab.core.estimate import POINTS, Estimate
from fairlab.metrics.intervals.bootstrap_means import bootstrap_means

#: Column of `as_claimed` for a partner that did everything it claims.
EVERYTHING = "all of it"


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


def mean_shares(
    held: Sequence[pd.DataFrame], *, n_resamples: int = 1000, seed: int = 0
) -> dict[str, Estimate]:
    """Return how often each statement holds, averaged over training seeds.

    Every seed is asked about the same pairs, so they are no further observations: intervals come from
    resampling pairs and seeds together, and n counts each pair once.

    Parameters
    ----------
    held : sequence of DataFrames of bool, n rows
        One for each training seed; row i of all belongs to the same z. A column for each statement.
    n_resamples, seed : int
        Number and seed of the resamples.
    """
    statements = [str(name) for name in held[0]]
    values = np.stack([flags.to_numpy() for flags in held])  # (seeds, n, statements)
    means = bootstrap_means(values, n_resamples=n_resamples, seed=seed)
    return {name: means.estimate(i, is_share=True) for i, name in enumerate(statements)}


def paired_difference(first: np.ndarray, second: np.ndarray) -> Estimate:
    """Return by how much more often the first holds than the second, on the same bootstrap resamples.

    Parameters
    ----------
    first, second : (n,) bool arrays, n >= 1
        Whether each held, of the same n latents.
    """
    _check_lengths(first, second)
    both = np.stack([first, second], axis=1).astype(float)  # (n, 2)
    gap = both[:, 0] - both[:, 1]
    return bootstrap_means(gap[None, :, None]).estimate()._replace(unit=POINTS)


def _check_lengths(first: np.ndarray | pd.DataFrame, second: np.ndarray | pd.DataFrame) -> None:
    if len(first) != len(second) or not len(first):
        raise UserError(
            f"Pairs need two arrays of one length, at least 1; these have {len(first)} and {len(second)}."
        )
