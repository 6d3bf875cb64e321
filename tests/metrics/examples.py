"""Made-up predictions for the tests of metrics."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d
from sklearn.metrics import average_precision_score

from fairlab.metrics.spec import METRICS


class Predictions(NamedTuple):
    """Target labels, scores and protected labels, each (n,)."""

    y: np.ndarray
    s: np.ndarray
    a: np.ndarray


def simulate(n: int, rng: np.random.Generator) -> Predictions:
    """Draw a population in which the target is commoner, and scored higher, in group 1."""
    a = (rng.random(n) < 0.4).astype(np.uint8)
    y = (rng.random(n) < 0.2 + 0.3 * a).astype(np.uint8)
    logits = 1.2 * rng.normal(size=n) + 2.0 * y - 1.0 + 0.5 * a
    return Predictions(y, 1 / (1 + np.exp(-logits)), a)


@st.composite
def predictions(draw: Any, max_n: int = 60) -> Predictions:
    """Any predictions with all four (y, a) cells present and, often, tied scores."""
    n = draw(st.integers(4, max_n))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cell = rng.permutation(np.concatenate([np.arange(4), rng.integers(0, 4, n - 4)]))
    s = rng.random(n)
    steps = draw(st.sampled_from([None, 1, 3, 10, 50]))
    return Predictions(cell // 2, s if steps is None else np.round(s * steps) / steps, cell % 2)


def plain_metrics(y: np.ndarray, s: np.ndarray, a: np.ndarray, threshold: float) -> list[float]:
    """Compute AP, group-balanced AP, DEO, BA and KL of one sample from their definitions.

    Straightforward scikit-learn and numpy that shares no code with the package.
    """
    masks = {(label, group): (y == label) & (a == group) for label in (0, 1) for group in (0, 1)}
    weights = np.zeros(len(y))
    for (label, _), mask in masks.items():
        weights[mask] = (y == label).sum() / (2 * mask.sum())
    flagged = s > threshold
    missed = [np.mean(~flagged[masks[1, group]]) for group in (0, 1)]
    amplified = 0.0
    for (label, group), mask in masks.items():
        together, by_chance = mask.mean(), (y == label).mean() * (a == group).mean()
        sign = 0.0 if np.isclose(together, by_chance, rtol=0, atol=1e-12) else np.sign(together - by_chance)
        amplified += sign * (np.mean(flagged[a == group] == label) - np.mean(y[a == group] == label)) / 4
    shares = {}
    for cell, mask in masks.items():
        smoothed = gaussian_filter1d(np.histogram(s[mask], bins=50, range=(0, 1))[0].astype(float), 1.0)
        shares[cell] = smoothed / smoothed.sum() + 1e-6
    kl = sum(
        np.sum(shares[label, one] * np.log(shares[label, one] / shares[label, 1 - one]))
        for label in (0, 1)
        for one in (0, 1)
    )
    return [
        average_precision_score(y, s),
        average_precision_score(y, s, sample_weight=weights),
        abs(missed[0] - missed[1]),
        amplified,
        kl,
    ]


def unsigned(measured: np.ndarray) -> np.ndarray:
    """Return `METRICS` from what is measured of each: gaps without their sign, (..., metrics)."""
    return np.where([spec.signed is not None for spec in METRICS.values()], np.abs(measured), measured)


def labels_that_leak(
    n: int = 2000, leak: float = 0.0, k: int = 6, seed: int = 0, share: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n, k), of which the first agrees with the protected label in (1 + leak) / 2 of both groups."""
    rng = np.random.default_rng(seed)
    protected = (rng.random(n) < share).astype(int)
    labels = (rng.random((n, k)) < 0.4).astype(int)
    labels[:, 0] = np.where(rng.random(n) < (1 + leak) / 2, protected, 1 - protected)
    return labels, protected
