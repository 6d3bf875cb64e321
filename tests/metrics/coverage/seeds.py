"""How often the interval over training seeds holds the truth, and how wide it is."""

import itertools

import numpy as np
import pandas as pd
from scipy import stats

from fairlab.metrics.intervals.seeds import BySeed

#: Correlation of the errors of two trainings, standard deviation between trainings, number of trainings.
GRID = tuple(itertools.product((0.0, 0.5, 0.8), (0.0, 0.1, 0.3), (2, 3, 5, 10)))
N_IMAGES, RIGHT = 500, 0.8


def coverage(
    correlation: float, spread: float, seeds: int, *, repetitions: int, n_resamples: int = 400
) -> dict:
    """Simulate accuracies of several trainings on the same images.

    An image is right if a normal variable, of which the share `correlation` is common to all trainings, stays
    below a limit that moves by `spread` from training to training.

    Returns
    -------
    dict
        Coverage, mean width, and the width over that of an ideal interval: the one that knows the true
        variances of both parts and needs Student's t only, with Satterthwaite's degrees of freedom.
    """
    rng = np.random.default_rng([int(100 * correlation), int(100 * spread), seeds])
    counts = rng.multinomial(N_IMAGES, np.full(N_IMAGES, 1 / N_IMAGES), size=n_resamples).astype(np.float32)
    limit = stats.norm.ppf(RIGHT)
    common, own = (
        rng.standard_normal((N_IMAGES, size, repetitions), dtype=np.float32) for size in (1, seeds)
    )
    moved = limit + spread * rng.standard_normal((seeds, repetitions))
    right = (np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own < moved).astype(np.float32)
    resampled = (counts @ right.reshape(N_IMAGES, -1)).reshape(n_resamples, seeds, repetitions) / N_IMAGES
    values = right.mean(axis=0)  # (seeds, repetitions)
    low, high = np.quantile(BySeed(values, resampled.swapaxes(0, 1)).draws(), (0.025, 0.975), axis=0)
    truth = stats.norm.cdf(limit / np.sqrt(1 + spread**2))
    width = float((high - low).mean())
    return {
        "correlation": correlation, "seed_sd": spread, "seeds": seeds,
        "coverage": float(((low <= truth) & (truth <= high)).mean()),
        "width": width, "width_to_ideal": width / _ideal_width(values), "repetitions": repetitions,
    }  # fmt: skip


def _ideal_width(values: np.ndarray) -> float:
    """Return the width of the ideal interval, from the variances in the simulation itself."""
    seeds = len(values)
    covariance = np.cov(values)
    common = max(0.0, float(covariance[~np.eye(seeds, dtype=bool)].mean()))
    between = max(float(values.mean(axis=0).var()) - common, 1e-12)
    degrees = min((seeds - 1) * ((between + common) / between) ** 2, 1e6)
    return float(2 * stats.t.ppf(0.975, degrees) * np.sqrt(between + common))


def table(repetitions: int) -> pd.DataFrame:
    """Return a row for each cell of the grid."""
    return pd.DataFrame([coverage(*cell, repetitions=repetitions) for cell in GRID])
