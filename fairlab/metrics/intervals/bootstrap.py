"""Bootstrap resamples as counts, and percentile intervals of what was measured on them."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from fairlab.core.estimate import PLAIN, Estimate, Unit

#: Resamples are drawn and measured a few at a time, so that their counts stay in the processor's cache.
_CHUNK_VALUES = 2**16


def resample_counts(
    strata: Sequence[np.ndarray],
    n_resamples: int,
    rng: np.random.Generator,
    *,
    clusters: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Yield chunks of bootstrap resamples of n images as counts, (rows, n) int32.

    The resamples do not depend on how they are cut into chunks.

    Parameters
    ----------
    strata : sequence of integer arrays
        Indices of images that are drawn among themselves; together all n, each once.
    n_resamples : int
    rng : Generator
    clusters : (n,) array of integers from 0, optional
        Draw as many clusters instead, such as people, each with all of its images. Strata then do not count.
    """
    if clusters is not None:
        own = [np.arange(int(clusters.max()) + 1)]
        yield from (np.take(drawn, clusters, axis=1) for drawn in resample_counts(own, n_resamples, rng))
        return
    n = sum(map(len, strata))
    rows = max(1, _CHUNK_VALUES // n)
    for start in range(0, n_resamples, rows):
        drawn = min(rows, n_resamples - start)
        counts = np.empty((drawn, n), dtype=np.int32)
        for row in counts:
            for images in strata:
                size = len(images)
                row[images] = np.bincount(rng.integers(0, size, size=size), minlength=size)
        yield counts


def percentile_interval(
    draws: np.ndarray, least: float = -math.inf, most: float = math.inf
) -> tuple[float, float]:
    """Return the ends of the 95% interval of resamples (n,), undefined ones (NaN) left out; NaN if all are.

    Few training seeds can widen it beyond what a quantity can be, so it ends at `least` and `most`.
    """
    defined = draws[~np.isnan(draws)]
    if not len(defined):
        return math.nan, math.nan
    low, high = np.clip(np.quantile(defined, (0.025, 0.975)), least, most)
    return float(low), float(high)


def estimate_of(
    value: float,
    draws: np.ndarray,
    limits: tuple[float, float] = (-math.inf, math.inf),
    *,
    n: int | None = None,
    unit: Unit = PLAIN,
) -> Estimate:
    """Return a value with the 95% interval of its resamples (n,), and a note on those that are undefined.

    An undefined value has neither.
    """
    if np.isnan(value):
        return Estimate(math.nan, n=n, unit=unit)
    return Estimate(float(value), *percentile_interval(draws, *limits), n, unit, undefined_note(draws))


def undefined_note(draws: np.ndarray) -> str:
    """Say how many of the resamples (n,) are undefined (NaN); "" if none is."""
    lost = int(np.isnan(draws).sum())
    return f"{lost} of {len(draws)} resamples undefined" if lost else ""
