"""Tensors on disk: weights and checkpoints as safetensors, each with its own checksum."""

import json
import zlib
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from fairlab.core import distributed
from fairlab.core.errors import DamagedError, UserError
from fairlab.core.files import atomic_path


def save_tensors(
    path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None
) -> None:
    """Write named tensors as safetensors, whole or not at all, with their checksum in the header.

    Raises
    ------
    UserError
        If the disk is full or refuses.
    """
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = metadata or {}
    try:
        with atomic_path(path) as partial:
            save_file(kept, partial, header | {"checksum": _checksum(kept, header)})
            _sort_header(partial)
    except SafetensorError as error:
        raise UserError(
            f"{path} cannot be written ({error}); free some disk space and run again: "
            "finished steps are kept."
        ) from error


def _sort_header(path: Path) -> None:
    """Put the texts of a header in order: safetensors writes them in another one each time."""
    with open(path, "r+b") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        ordered = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        stream.seek(8)
        stream.write(ordered.ljust(length))


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read a safetensors file: its tensors, and the texts of its header.

    Raises
    ------
    DamagedError
        If the file is missing, no safetensors file, or other than `save_tensors` wrote it.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = dict(file.metadata() or {})
    except (OSError, SafetensorError, ValueError) as error:
        raise DamagedError(f"{path} is missing or damaged ({error}); delete it and run again.") from error
    expected = metadata.pop("checksum", None)
    if expected is not None and expected != _checksum(tensors, metadata):
        raise DamagedError(f"{path} is damaged (its checksum is wrong); delete it and run again.")
    return tensors, metadata


def _checksum(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> str:
    """Return the CRC-32 of tensors with their names, types and shapes, and of a header's texts."""
    value = zlib.crc32(json.dumps(metadata, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        value = zlib.crc32(f"{name} {tensor.dtype} {list(tensor.shape)}".encode(), value)
        value = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data, value)
    return f"{value:08x}"


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
    DamagedError
        If the file is missing or damaged.
    UserError
        If it is a safetensors file of another kind.
    """
    tensors, metadata = load_tensors(path)
    if "skeleton" not in metadata:
        raise UserError(f"The checkpoint {path} is not one of ours; move it away and run again.")
    skeleton = json.loads(metadata["skeleton"])
    state: dict[str, Any] = _attach_tensors(skeleton, tensors)
    return state


def last_state(path: Path) -> dict[str, Any] | None:
    """Load a training's checkpoint; None where there is none, or a damaged one, of which one line is printed.

    Raises
    ------
    UserError
        If it is a file of another kind.
    """
    if not path.exists():
        return None
    try:
        return load_state(path)
    except DamagedError:
        if distributed.rank() == 0:
            print(f"{path} is damaged: this training begins again.", flush=True)
        return None


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
