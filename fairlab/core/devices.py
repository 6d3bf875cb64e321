"""Which device computes, with how many cores, and in which arithmetic."""

from __future__ import annotations

import os

import torch

from fairlab.core.errors import UserError


def choose_device(device: str | torch.device | None = None) -> torch.device:
    """Return the named device, or CUDA where there is one, else the CPU.

    Raises
    ------
    UserError
        If there is no such device, or this machine cannot use it.
    """
    try:
        chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(1, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"The device '{device}' cannot be used here; leave it out, or name 'cpu'.") from error
    return chosen


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compute_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the dtype in which a network computes on `device`; its weights stay float32.

    "auto" takes bfloat16 only with native instructions (AVX512-BF16 or AMX on a CPU): without them it
    is emulated, and slower than float32.
    """
    if precision == "auto":
        precision = "bfloat16" if _native_bfloat16(device) else "float32"
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def _native_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return False
