"""Tensors and training states on disk, as safetensors: whole or not at all, and never pickled."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from fairlab.core.errors import UserError
from fairlab.core.files import atomic_path


def save_tensors(
    path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None
) -> None:
    """Write named tensors as safetensors, whole or not at all.

    Raises
    ------
    UserError
        If the disk is full or refuses.
    """
    try:
        with atomic_path(path) as partial:
            save_file({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, partial, metadata)
    except SafetensorError as error:
        raise UserError(
            f"{path} cannot be written ({error}); free some disk space and run again: "
            "finished steps are kept."
        ) from error


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Save a nested state (dicts, lists, tensors, JSON scalars) as one safetensors file, atomically.

    Tensors become safetensors entries; everything else goes into the header as JSON with
    ``{"__tensor__": name}`` where a tensor stood. Made for model, optimiser and random states.
    """
    tensors: dict[str, torch.Tensor] = {}
    skeleton = _detach_tensors(state, "state", tensors)
    save_tensors(path, tensors, {"skeleton": json.dumps(skeleton)})


def load_state(path: Path) -> dict[str, Any]:
    """Load what `save_state` wrote.

    Raises
    ------
    UserError
        If the file is missing, truncated, or not a safetensors file of this kind.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            skeleton = json.loads((file.metadata() or {})["skeleton"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise UserError(
            f"The checkpoint {path} is damaged or not one of ours ({error}); delete it and run again."
        ) from error
    state: dict[str, Any] = _attach_tensors(skeleton, tensors)
    return state


def _detach_tensors(value: Any, name: str, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"__tensor__": name}
    if isinstance(value, dict):
        # Pairs, not an object: optimiser states have integer keys, which JSON objects would lose.
        return {"__dict__": [[key, _detach_tensors(v, f"{name}.{key}", tensors)] for key, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_detach_tensors(v, f"{name}.{i}", tensors) for i, v in enumerate(value)]
    return value


def _attach_tensors(skeleton: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(skeleton, dict) and "__tensor__" in skeleton:
        return tensors[skeleton["__tensor__"]]
    if isinstance(skeleton, dict):
        return {key: _attach_tensors(v, tensors) for key, v in skeleton["__dict__"]}
    if isinstance(skeleton, list):
        return [_attach_tensors(v, tensors) for v in skeleton]
    return skeleton
