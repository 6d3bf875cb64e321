"""Made-up images in the published formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NAMES = ("Smiling", "Male", "Young")


def made_up_image(seed: int, width: int, height: int) -> Image.Image:
    """A smooth picture, so that JPEG keeps it nearly as it is."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def made_up_labels(count: int) -> np.ndarray:
    """All eight combinations of three labels in turn, (count, 3)."""
    return np.array([[row >> bit & 1 for bit in range(3)] for row in range(count)])


@pytest.fixture
def celeba_root(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a look-alike of CelebA's published folder with `count` images."""

    def write(count: int = 24, end: str = "\r\n") -> Path:
        root = tmp_path / "celeba"
        images = root / "img_align_celeba"
        images.mkdir(parents=True)
        files = [f"{number:06d}.jpg" for number in range(1, count + 1)]
        for seed, file in enumerate(files):
            made_up_image(seed, 178, 218).save(images / file, quality=95)
        rows = [
            file + " " + " ".join(f"{2 * value - 1:2d}" for value in row) + " "
            for file, row in zip(files, made_up_labels(count), strict=True)
        ]
        table = end.join([str(count), " ".join(NAMES) + " ", *rows, ""])
        (root / "list_attr_celeba.txt").write_bytes(table.encode())
        splits = [f"{file} {number // 8 % 3}" for number, file in enumerate(files)]
        (root / "list_eval_partition.txt").write_bytes(end.join([*splits, ""]).encode())
        return root

    return write


@pytest.fixture
def image_folder(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes ten images of different shapes and the given CSV."""

    def write(table: str | None = None) -> Path:
        root = tmp_path / "mine"
        root.mkdir()
        for seed in range(10):
            made_up_image(seed, 40 + 5 * seed, 60).save(root / f"{seed}.png")
        if table is not None:
            (root / "labels.csv").write_text(table)
        return root

    return write
