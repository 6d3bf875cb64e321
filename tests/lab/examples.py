"""Made-up results of a run, for the tests of figures and report."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from fairlab.figures.tables import BASELINE, DEBIASED, DIFFERENCE

#: metric: (baseline, de-biased, difference), each value, low, high
CLEAR: dict[str, tuple[tuple[float, float, float], ...]] = {
    "AP": ((0.912, 0.899, 0.924), (0.905, 0.892, 0.918), (-0.007, -0.013, -0.001)),
    "AP_balanced": ((0.871, 0.851, 0.889), (0.878, 0.859, 0.896), (0.007, -0.004, 0.018)),
    "DEO": ((0.213, 0.171, 0.255), (0.112, 0.071, 0.154), (-0.101, -0.139, -0.062)),
    "BA": ((0.021, 0.012, 0.030), (0.006, -0.003, 0.015), (-0.015, -0.022, -0.008)),
    "KL": ((1.32, 1.02, 1.71), (0.81, 0.62, 1.07), (-0.51, -0.79, -0.28)),
}


def tidy(
    estimates: dict[str, tuple[tuple[float, float, float], ...]] = CLEAR,
    attribute: str = "Smiling",
    note: str = "",
) -> pd.DataFrame:
    """Return a tidy table of metrics as the metrics room writes it."""
    rows = [
        {
            "model": model,
            "attribute": attribute,
            "group": "all",
            "metric": metric,
            "value": value,
            "low": low,
            "high": high,
            "n": 2000,
            "n_positive": 968,
            "seeds": 1,
            "note": note if math.isnan(value) else "",
        }
        for metric, three in estimates.items()
        for model, (value, low, high) in zip((BASELINE, DEBIASED, DIFFERENCE), three, strict=True)
    ]
    return pd.DataFrame(rows)


def faces(n: int, size: int = 64, seed: int = 0) -> np.ndarray:
    """Return n discs on gradients, (n, size, size, 3) uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]  # type: ignore[misc]
    colour = rng.uniform(80, 230, (n, 1, 1, 3))
    disc = (x**2 / 0.35 + y**2 / 0.6 < 1)[None, :, :, None]
    ground = rng.uniform(30, 200, (n, 1, 1, 3)) * (0.7 + 0.3 * y[None, :, :, None])
    return np.where(disc, colour, ground).astype(np.uint8)


def labels(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return associated target and protected labels, each (n,) of 0 and 1."""
    rng = np.random.default_rng(seed)
    protected = rng.integers(0, 2, n)
    return (rng.random(n) < np.where(protected == 1, 0.3, 0.6)).astype(np.uint8), protected.astype(np.uint8)


def scores(target: np.ndarray, protected: np.ndarray, shortcut: float, seed: int = 0) -> np.ndarray:
    """Return scores in [0, 1] that follow the target, and the protected label by `shortcut`."""
    noise = np.random.default_rng(seed).normal(size=len(target))
    logit = 3.0 * (target - 0.5) - shortcut * (protected - 0.5) + noise
    return (1 / (1 + np.exp(-1.5 * logit))).astype(np.float32)
