"""How many SynthFaces are drawn in a second; prints, asserts no absolute figure."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.draw import SIZES, draw
from fairlab.data.synthfaces.factors import NUISANCE, Factors


@pytest.mark.benchmark
@pytest.mark.parametrize("size", SIZES)
def test_drawing_speed(size: int, capsys: pytest.CaptureFixture[str]) -> None:
    generator = np.random.default_rng(0)
    n = 512 * 64 // size
    traits = generator.normal(-0.8, 1.0, (n, len(ATTRIBUTES))).astype(np.float32)
    factors = Factors(traits, generator.random((n, len(NUISANCE)), dtype=np.float32))
    draw(factors[:64], size)
    start, processor = time.perf_counter(), time.process_time()
    pictures = draw(factors, size)
    wall, processor = time.perf_counter() - start, time.process_time() - processor
    assert len(pictures) == n
    with capsys.disabled():
        print(
            f"\nSynthFaces at {size} px: {n / wall:,.0f} faces/s on {torch.get_num_threads()} threads"
            f" ({n / processor:,.0f} per second of one core)"
        )
