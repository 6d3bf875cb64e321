"""How often the interval of a leakage holds the truth, with a test file and when one file is split."""

import itertools

import numpy as np
import pandas as pd

from fairlab.metrics import dataset_leakage
from tests.metrics.examples import labels_that_leak

#: Test images (of a split, a third of the whole), true leakage beyond chance, whether one file is split.
GRID = tuple(itertools.product((400, 1500), (0.0, 0.3), (False, True)))


def coverage(n: int, leak: float, split: bool, repetitions: int) -> dict:
    """Return how often the interval of three rounds holds ``(1 + leak) / 2``, and p-values are below 5%."""
    held, found = [], []
    for seed in range(0, 2 * repetitions, 2):
        test = None if split else labels_that_leak(n, leak, seed=seed + 1)
        one = dataset_leakage(
            *labels_that_leak(3 * n if split else n, leak, seed=seed), rounds=3, evaluation=test
        )
        held.append(one.interval[0] <= (1 + leak) / 2 <= one.interval[1])
        found.append(one.p_value < 0.05)
    return {
        "n": n, "truth": (1 + leak) / 2, "split": split,
        "coverage": np.mean(held), "p_below_5": np.mean(found), "repetitions": repetitions,
    }  # fmt: skip


def table(repetitions: int) -> pd.DataFrame:
    """Return a row for each cell of the grid."""
    return pd.DataFrame([coverage(*cell, repetitions) for cell in GRID])
