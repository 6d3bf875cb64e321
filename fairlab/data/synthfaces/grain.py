"""Pixel noise that is the same everywhere: windows of one fixed tile."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from fairlab.data.synthfaces.look import Look

_TILE = 512


@cache
def _tile() -> Tensor:
    """Fixed, nearly normal noise (3, 512, 512) of variance 1 from a counter-based generator."""
    uniform = np.random.Generator(np.random.Philox(key=2021)).random((3, 3, _TILE, _TILE), dtype=np.float32)
    return torch.from_numpy(uniform.sum(0) * 2 - 3)


def grain(look: Look, size: int) -> Tensor:
    """Noise (n, 3, size, size), nearly normal: the window of the tile that a face's noise seed chooses."""
    room = _TILE - size
    seed = (look.free("noise_seed")[:, 0, 0] * 2**24).long()
    row, column = (seed % 4093) % room, (seed // 4093) % room
    windows = _tile().unfold(1, size, 1).unfold(2, size, 1)  # (3, rows, columns, size, size)
    return windows[:, row, column].transpose(0, 1)
