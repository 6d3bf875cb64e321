"""Made-up predictions for the tests of metrics."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st


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
