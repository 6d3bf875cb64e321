"""The same code in one process or in many under ``torchrun``: rank 0 writes, gradients are averaged."""

import os
from collections.abc import Iterable
from typing import Any

import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from fairlab.core.devices import choose_device


def connect(device: str | torch.device | None = None) -> torch.device:
    """Join the other processes if ``torchrun`` started this one; return the device to work on.

    Parameters
    ----------
    device : str or torch.device, optional
        By default CUDA where there is one (one card per process), else the CPU.
    """
    device = choose_device(device)
    if "LOCAL_RANK" in os.environ and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    if device.type == "cuda" and device.index is None and "LOCAL_RANK" in os.environ:
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    return device


def rank() -> int:
    """Return this process's number, 0 when alone."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """Return the number of processes, 1 when alone."""
    return dist.get_world_size() if dist.is_initialized() else 1


def synchronised(network: nn.Module) -> nn.Module:
    """Return the network with gradients averaged over all processes; itself when alone."""
    return DistributedDataParallel(network) if world_size() > 1 else network


def share(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return this process's part of what was drawn for all: consecutive rows, as many for each process."""
    size = len(values) // world_size()
    return values[rank() * size : (rank() + 1) * size]


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over all processes.

    For losses that are differentiated twice, which the hooks of `synchronised` networks do not survive.
    """
    if world_size() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])  # one message instead of many
    dist.all_reduce(flat)
    parts = (flat / world_size()).split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def total(value: Tensor) -> float:
    """Return the sum of a scalar over all processes."""
    if world_size() > 1:
        dist.all_reduce(value)
    return float(value)


def barrier() -> None:
    """Wait until every process is here."""
    if world_size() > 1:
        dist.barrier()
