"""Which device computes, and in which arithmetic."""

import os

import torch

from fairlab.core.errors import UserError

#: Says what the precision "auto" means, where results shall not depend on the processor's instructions.
PRECISION_VARIABLE = "FAIRLAB_PRECISION"


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


def compute_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the dtype in which a network computes on `device`; its weights stay float32.

    "auto" takes what the environment variable ``FAIRLAB_PRECISION`` says; without it bfloat16, but only with
    native instructions (AVX512-BF16 or AMX on a CPU): otherwise it is emulated, and slower than float32.

    Raises
    ------
    UserError
        If the variable holds something else than "float32" or "bfloat16".
    """
    if precision == "auto":
        native = "bfloat16" if _native_bfloat16(device) else "float32"
        precision = os.environ.get(PRECISION_VARIABLE) or native
    if precision not in ("float32", "bfloat16"):
        raise UserError(
            f"{PRECISION_VARIABLE} is '{precision}'; set it to float32 or bfloat16, or not at all."
        )
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def _native_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return False
