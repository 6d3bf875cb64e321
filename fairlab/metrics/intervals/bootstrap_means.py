"""Means of what was measured of each image, with intervals over images and over training seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError
from fairlab.core.estimate import PERCENT, PLAIN, Estimate
from fairlab.metrics.intervals.bootstrap import estimate_of, resample_counts
from fairlab.metrics.intervals.proportion import proportion
from fairlab.metrics.intervals.seeds import BySeed


class Means(NamedTuple):
    """Means of k quantities within g groups of images, for each training seed."""

    by_seed: BySeed  #: (seeds, k, g), and of bootstrap resamples; NaN for a group without images
    counts: np.ndarray  #: (g,) number of images in each group

    def __sub__(self, other: Means) -> Means:
        """Return the paired difference from other means on the same resamples."""
        return self._replace(by_seed=self.by_seed - other.by_seed)

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> Means:
        """Return a function of each seed's means, of arrays (..., k, g)."""
        return self._replace(by_seed=self.by_seed.map(function))

    @property
    def value(self) -> np.ndarray:
        """Mean over the seeds, (k, g)."""
        return self.by_seed.value

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
        draws, seeds = self.by_seed.draws(), len(self.by_seed.whole)
        rows = [
            {"group": group, "metric": metric, "seeds": seeds}
            | self._estimate(draws[:, i, j], i, j, is_share=metric in shares)._asdict()
            for j, group in enumerate(groups)
            for i, metric in enumerate(metrics)
        ]
        return pd.DataFrame(rows)[["group", "metric", "value", "low", "high", "n", "seeds", "note"]]

    def estimate(self, metric: int = 0, group: int = 0, *, is_share: bool = False) -> Estimate:
        """Return one of the means with its 95% interval; of shares see `table`."""
        one = self.by_seed.map(lambda means: means[..., metric, group])
        return self._estimate(one.draws(), metric, group, is_share=is_share)

    def _estimate(self, draws: np.ndarray, metric: int, group: int, *, is_share: bool) -> Estimate:
        value, n = float(self.value[metric, group]), int(self.counts[group])
        if n == 0:
            return Estimate(math.nan, n=0, note="no images")
        if is_share and value in (0.0, 1.0):
            return proportion(round(value * n), n)._replace(note="all images agree: Wilson's interval")
        limits, unit = ((0.0, 1.0), PERCENT) if is_share else ((-math.inf, math.inf), PLAIN)
        return estimate_of(value, draws, limits, n=n, unit=unit)


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
    Resamples of the images are those of `fairlab.metrics.compare`; how seeds widen the interval is told at
    `seeds.BySeed.draws`.
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
    every = [np.ones((1, n), dtype=np.int32), *chunks]
    means = np.concatenate([_group_means(counts, flat, groups) for counts in every])
    by_seed = means.reshape(1 + n_resamples, seeds, k, len(groups)).swapaxes(0, 1)
    return Means(BySeed(by_seed[:, 0], by_seed[:, 1:]), groups.sum(axis=1))


def _group_means(counts: np.ndarray, values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the means of each group in each resample: (rows, n), (n, m), (g, n) -> (rows, m, g)."""
    means = []
    for group in groups:
        drawn = counts[:, group].astype(np.float64)  # (rows, images of the group)
        mass = drawn.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            means.append(drawn @ values[group] / mass)
    return np.stack(means, axis=2)
