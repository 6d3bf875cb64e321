"""Absolute gaps between two groups: a gap is never below 0, and chance alone puts it above.

The signed difference has an ordinary interval, so everything here is taken from it.
"""

from __future__ import annotations

import numpy as np
import scipy

from fairlab.metrics.intervals.seeds import BySeed, variance


def in_observed_direction(signed: BySeed) -> BySeed:
    """Return signed differences counted positive in the direction in which each seed's own lies.

    The values are the absolute gaps; the resamples may fall below 0, so they are not piled up there.
    """
    sign = np.where(signed.whole < 0, -1.0, 1.0)
    return BySeed(sign * signed.whole, sign[:, None] * signed.resampled)


def added_by_chance(signed: BySeed) -> np.ndarray:
    """Return how much chance alone may add to the mean absolute gap, (...).

    A difference δ that is estimated with standard error s shows ``E|δ + s Z| - |δ| = s (2 φ(t) - 2 t Φ(-t))``
    too much, t = |δ| / s; that is 0.8 s without a true gap and nothing beyond 3 s. For |δ| stands the gap
    seen less one standard error, which errs to the safe side: `tests/metrics/coverage/gaps.py`.
    """
    spread = np.sqrt(variance(signed.resampled, axis=1))  # (seeds, ...)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(spread > 0, np.maximum(np.abs(signed.whole) / spread - 1, 0), 0)
    return np.asarray((spread * (2 * scipy.stats.norm.pdf(t) - 2 * t * scipy.stats.norm.sf(t))).mean(axis=0))


def without_chance(signed: BySeed) -> np.ndarray:
    """Return the mean gap corrected for chance, (...): ``sqrt(δ² - s²)`` of each seed, 0 if that is less."""
    square = signed.whole**2 - variance(signed.resampled, axis=1)
    return np.asarray(np.sqrt(np.maximum(square, 0)).mean(axis=0))


def mirrored(too_large: BySeed) -> BySeed:
    """Return what chance makes too large less what it adds, by the bootstrap: a resample adds as much again.

    The values are ``2 v - mean of the resamples``, and resamples are mirrored at v. Their percentiles are the
    "basic" interval (Efron and Tibshirani, 1993, Section 13).
    """
    flipped = 2 * too_large.whole[:, None] - too_large.resampled
    defined = ~np.isnan(flipped)
    counts = np.where(defined.any(axis=1), defined.sum(axis=1), np.nan)
    return BySeed(np.where(defined, flipped, 0).sum(axis=1) / counts, flipped)


def stretched(value: float, draws: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return draws (resamples,) about a value, stretched so that their 95% interval has the given ends.

    Where a group shows no miss, or no hit, a resample shows none either; draws without any spread become
    normal ones.
    """
    deviations = draws - value
    if variance(draws) == 0:  # also if none is defined
        rank = np.random.default_rng(len(draws)).permutation(len(draws))
        deviations = scipy.stats.norm.ppf((rank + 0.5) / len(draws))
    ends = np.nanquantile(deviations, (0.025, 0.975))
    scale = [
        wanted / end if abs(end) > 0 else 1.0
        for wanted, end in zip((low - value, high - value), ends, strict=True)
    ]
    return np.asarray(value + np.where(deviations < 0, scale[0], scale[1]) * deviations)
