"""Means of what was measured of each image, with intervals over images and over training seeds."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError
from fairlab.core.estimate import PERCENT, PLAIN, Estimate
from fairlab.metrics.intervals.bootstrap import average_over_seeds, estimate_of, resample_counts
from fairlab.metrics.intervals.proportion import proportion


class Means(NamedTuple):
    """Means of k quantities within g groups of images, averaged over training seeds."""

    value: np.ndarray  #: (k, g); NaN for a group without images
    draws: np.ndarray  #: (resamples, k, g) the same of each bootstrap resample
    counts: np.ndarray  #: (g,) number of images in each group
    seeds: int  #: number of training seeds

    def __sub__(self, other: Means) -> Means:
        """Return the paired difference from other means on the same resamples."""
        return self._replace(value=self.value - other.value, draws=self.draws - other.draws)

    def table(
        self, metrics: Sequence[str], groups: Sequence[str] = ("all",), *, shares: Collection[str] = ()
    ) -> pd.DataFrame:
        """Return a tidy table with a row for each group and metric.

        Parameters
        ----------
        metrics, groups : sequences of k and g str
        shares : collection of str
            The metrics that are shares of images. Where all images agree, a bootstrap sees no spread; a share
            of 0 or 1 then has Wilson's interval, and the note says so.

        Returns
        -------
        DataFrame
            Columns group, metric, value, low, high (95%), n, seeds and note.
        """
        rows = [
            {"group": group, "metric": metric, "seeds": self.seeds}
            | self.estimate(i, j, is_share=metric in shares)._asdict()
            for j, group in enumerate(groups)
            for i, metric in enumerate(metrics)
        ]
        return pd.DataFrame(rows)[["group", "metric", "value", "low", "high", "n", "seeds", "note"]]

    def estimate(self, metric: int = 0, group: int = 0, *, is_share: bool = False) -> Estimate:
        """Return one of the means with its 95% interval; of shares see `table`."""
        value, n = float(self.value[metric, group]), int(self.counts[group])
        if n == 0:
            return Estimate(math.nan, n=0, note="no images")
        if is_share and value in (0.0, 1.0):
            return proportion(round(value * n), n)._replace(note="all images agree: Wilson's interval")
        limits, unit = ((0.0, 1.0), PERCENT) if is_share else ((-math.inf, math.inf), PLAIN)
        return estimate_of(value, self.draws[:, metric, group], limits, n=n, unit=unit)


def bootstrap_means(
    values: np.ndarray, members: np.ndarray | None = None, *, n_resamples: int = 1000, seed: int = 0
) -> Means:
    """Return means of quantities measured of each image, with bootstrap resamples.

    Parameters
    ----------
    values : ndarray, (seeds, n, k)
        k quantities of n images, once for each training seed.
    members : ndarray, (g, n) bool, optional
        Which images belong to each group; one group of all by default.
    n_resamples, seed : int
        Number and seed of the resamples.

    Raises
    ------
    UserError
        If there are no images, seeds or resamples, or a shape does not fit.

    Notes
    -----
    Resamples are those of `fairlab.metrics.compare`: images with replacement, and for each resample as many
    training seeds with replacement, so that the interval covers both; few seeds widen it.
    """
    if values.ndim != 3 or 0 in values.shape or n_resamples < 1:
        raise UserError(
            f"Means need values of shape (seeds, n, k), none of them 0, and resamples; got {values.shape} "
            f"and {n_resamples} resamples."
        )
    seeds, n, k = values.shape
    groups = np.ones((1, n), dtype=bool) if members is None else members
    if groups.ndim != 2 or groups.shape[1] != n:
        raise UserError(f"Members must have shape (groups, {n}), not {groups.shape}.")
    flat = values.transpose(1, 0, 2).reshape(n, seeds * k).astype(np.float64)
    chunks = resample_counts([np.arange(n)], n_resamples, np.random.default_rng(seed))
    draws = np.concatenate([_group_means(counts, flat, groups) for counts in chunks])
    draws = draws.reshape(n_resamples, seeds, k, len(groups))
    averaged = average_over_seeds(draws.swapaxes(0, 1)[None], seed)[0]  # (resamples, k, g)
    whole = _group_means(np.ones((1, n), dtype=np.int32), flat, groups)
    value = whole.reshape(seeds, k, len(groups)).mean(axis=0)  # (k, g)
    return Means(value, averaged, groups.sum(axis=1), seeds)


def _group_means(counts: np.ndarray, values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the means of each group in each resample: (rows, n), (n, m), (g, n) -> (rows, m, g)."""
    means = []
    for group in groups:
        drawn = counts[:, group].astype(np.float64)  # (rows, images of the group)
        mass = drawn.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            means.append(drawn @ values[group] / mass)
    return np.stack(means, axis=2)
