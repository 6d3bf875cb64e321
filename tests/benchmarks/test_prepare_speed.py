"""How fast CelebA is prepared: against the decoder's limit and against one image after the other.

All three ways are timed in one run on the same images, as wall-clock time and as processor time, because the
machine may be busy with other things. The figures depend on it; only their order is asserted.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional

from fairlab.data.celeba import LEFT, TOP, WINDOW, CelebASource

CELEBA = Path(__file__).parents[3] / "shared" / "data" / "celeba"
COUNT = 4000
SIZE = 64
ROUNDS = 3


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with the first `COUNT` of the images, by links."""
    if not CELEBA.is_dir():
        pytest.skip(f"needs CelebA in {CELEBA}")
    lines = (CELEBA / "list_attr_celeba.txt").read_text().splitlines()[: COUNT + 2]
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(lines))
    for name in ("list_eval_partition.txt", "img_align_celeba"):
        (tmp_path / name).symlink_to(CELEBA / name)
    return tmp_path


def decode(path: Path) -> None:
    Image.open(io.BytesIO(path.read_bytes())).load()


def decode_only(paths: list[Path]) -> None:
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        list(
            pool.map(
                lambda start: [decode(path) for path in paths[start : start + 100]], range(0, COUNT, 100)
            )
        )


def one_by_one(paths: list[Path]) -> None:
    for path in paths:
        window = functional.crop(Image.open(path).convert("RGB"), TOP, LEFT, WINDOW, WINDOW)
        np.asarray(functional.resize(window, [SIZE, SIZE]))


def measure(work: Callable[[], object]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return COUNT / (time.perf_counter() - wall), COUNT / (time.process_time() - processor)


@pytest.mark.benchmark
def test_prepare_speed(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = CelebASource(root)
    paths = [root / "img_align_celeba" / name for name in source.labels.index]
    decode_only(paths)  # brings the files into memory
    rates: dict[str, list[tuple[float, float]]] = {"decode only": [], "prepare": [], "one by one": []}
    for number in range(ROUNDS):
        rates["decode only"].append(measure(lambda: decode_only(paths)))
        rates["prepare"].append(measure(lambda to=tmp_path / str(number): source.prepare(to, SIZE)))
        rates["one by one"].append(measure(lambda: one_by_one(paths)))
    best = {name: np.max(values, axis=0) for name, values in rates.items()}
    with capsys.disabled():
        print(f"\nCelebA to {SIZE} px, {torch.get_num_threads()} threads, best of {ROUNDS}:")
        for name, (wall, core) in best.items():
            print(f"  {name}: {wall:,.0f} images/s, {core:,.0f} per second of one core")
        limit, gain = best["prepare"] / best["decode only"], best["prepare"] / best["one by one"]
        print(f"  prepare reaches {limit[0]:.0%} of the decoder's speed and is {gain[0]:.1f} x one by one")
    assert best["prepare"][0] > best["one by one"][0]
