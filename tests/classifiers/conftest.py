"""Small separable faces: two attributes, each a bright patch of its own, under noise.

Imported by tests through fixtures, and by scripts in this folder that are killed on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from fairlab.classifiers import Recipe

ATTRIBUTES = ("Smiling", "Bangs")

#: A run of a second on one core.
RECIPE = Recipe(
    backbone="resnet10", width=8, epochs=3, batch_size=32, learning_rate=5e-3, resize=32, crop=32, padding=2,
    precision="float32",
)  # fmt: skip


def make_faces(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, 32, 32, 3) uint8 and labels (n, 2)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (n, 2)).astype(np.uint8)
    labels[:4] = [[0, 0], [0, 1], [1, 0], [1, 1]]
    images = rng.integers(0, 120, (n, 32, 32, 3)).astype(np.uint8)
    images[:, 4:12, 8:24] += (100 * labels[:, 0])[:, None, None, None].astype(np.uint8)
    images[:, 20:28, 8:24, 0] += (100 * labels[:, 1])[:, None, None].astype(np.uint8)
    return images, labels


def make_task(n: int = 128, n_valid: int = 64, **changes: Any) -> dict[str, Any]:
    """Return the keyword arguments of `train_classifier` for a run of a second."""
    images, labels = make_faces(n, seed=1)
    valid_images, valid_labels = make_faces(n_valid, seed=2)
    arguments = {
        "images": images, "labels": labels, "valid_images": valid_images, "valid_labels": valid_labels,
        "attributes": ATTRIBUTES, "recipe": RECIPE, "seed": 0, "device": "cpu",
    }  # fmt: skip
    return arguments | changes


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks this small are slower with several threads, which wait for each other."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture
def faces() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    return make_faces


@pytest.fixture
def task() -> Callable[..., dict[str, Any]]:
    return make_task


@pytest.fixture
def recipe() -> Recipe:
    return RECIPE
