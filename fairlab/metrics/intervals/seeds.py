"""Several trainings of one classifier, measured on the same images: the interval of their mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy

Z = 1.959963984540054  # of a 95% interval: the normal distribution's quantile of 0.975


class BySeed(NamedTuple):
    """What was measured of each training seed, on the images and on common bootstrap resamples of them.

    Differences, means and the like are taken seed by seed, before `draws` puts the seeds together.
    """

    whole: np.ndarray  #: (seeds, ...)
    resampled: np.ndarray  #: (seeds, resamples, ...)

    def __sub__(self, other: BySeed) -> BySeed:
        """Return the difference, paired by seed and resample."""
        return BySeed(self.whole - other.whole, self.resampled - other.resampled)

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> BySeed:
        """Return a function of what was measured, of arrays with any leading axes."""
        return BySeed(function(self.whole), function(self.resampled))

    @property
    def value(self) -> np.ndarray:
        """Mean over the seeds, (...)."""
        return np.asarray(self.whole.mean(axis=0))

    def draws(self) -> np.ndarray:
        """Return draws of the mean over seeds, (resamples, ...), whose percentiles are its 95% interval.

        Notes
        -----
        What varies are the seeds, the images, and how each seed takes to each image. The variance between
        seeds, over their number S, holds the first and the third; the variance of the mean over image
        resamples holds the second and again the third, which is therefore taken out: ``common = variance of
        the mean - interaction / S``. The interval is ``± t sqrt(between / S + common)``, each side with the
        common part's own percentile. t has ``(S - 1) (1 + k common / (between / S))²`` degrees of freedom:
        with k = 1 those of Satterthwaite (1946), which are too many where few seeds agree by chance; with
        ``k = min(1, 0.1 (S - 1)^1.5)`` 93 to 97% of intervals held the truth in the simulation of
        `tests/metrics/coverage/seeds.py`. With one seed draws are the resamples themselves; they say nothing
        of how trainings vary.
        """
        mean = self.resampled.mean(axis=0)  # (resamples, ...)
        seeds, n_resamples = self.resampled.shape[:2]
        if seeds == 1:
            return np.asarray(mean)
        value = self.value
        between = self.whole.var(axis=0, ddof=1) / seeds
        kept = _common_share(mean, self.resampled)
        shrunk = value + np.sqrt(kept) * (mean - value)
        with np.errstate(invalid="ignore"):
            low, high = np.nanquantile(_filled(shrunk), (0.025, 0.975), axis=0)
        student = np.random.default_rng(seeds).standard_t(seeds - 1, n_resamples)
        noise = student.reshape(-1, *[1] * between.ndim) * np.sqrt(between)
        deviations = shrunk + noise - value
        below = _half_width(between, np.maximum(value - low, 0) / Z, seeds)
        above = _half_width(between, np.maximum(high - value, 0) / Z, seeds)
        return np.asarray(value + _rescaled(deviations, below, above))


def _common_share(mean: np.ndarray, resampled: np.ndarray) -> np.ndarray:
    """Return the share of the variance of the mean (resamples, ...) that is common to all seeds, (...)."""
    seeds = len(resampled)
    spread = variance(mean)
    interaction = variance(resampled - mean, axis=1).sum(axis=0) / (seeds - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 1 - interaction / seeds / spread
    return np.clip(np.where(spread > 0, share, 0.0), 0.0, 1.0)


def _half_width(between: np.ndarray, common: np.ndarray, seeds: int) -> np.ndarray:
    """Return t times the standard error; `common` is a standard deviation."""
    caution = min(1.0, 0.1 * (seeds - 1) ** 1.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(between > 0, common**2 / between, np.inf)
    degrees = np.minimum((seeds - 1) * (1 + caution * ratio) ** 2, 1e6)
    return np.asarray(scipy.stats.t.ppf(0.975, degrees) * np.sqrt(between + common**2))


def _rescaled(deviations: np.ndarray, below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Stretch deviations (resamples, ...) so that their 2.5 and 97.5 percentiles are -below and above."""
    low, high = np.nanquantile(_filled(deviations), (0.025, 0.975), axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        down, up = (np.where(end > 0, wanted / end, 1.0) for end, wanted in ((-low, below), (high, above)))
    return np.where(deviations < 0, down * deviations, up * deviations)


def variance(draws: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return the variance of draws along an axis, undefined ones (NaN) left out; 0 where all are."""
    return np.asarray(np.nanvar(_filled(draws, axis), axis=axis))


def _filled(draws: np.ndarray, axis: int = 0) -> np.ndarray:
    """Put 0 where a quantity is undefined on every resample, so that nothing is said of an empty slice."""
    return np.where(np.isnan(draws).all(axis=axis, keepdims=True), 0.0, draws)
