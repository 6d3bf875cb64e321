"""A generator that the user's own Python file makes: the door for every network that is not read here."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from fairlab.core.devices import choose_device
from fairlab.core.errors import UserError
from fairlab.generators.sampling import Generator, generate, sample_latents

NAME = "generator"  # what the file must define
_HINT = "docs/generators.md has a file to copy ('A generator of your own')"


def load_own(path: Path, device: torch.device | str | None = None) -> Generator:
    """Run a Python file and return the module that it calls ``generator``, in evaluation mode.

    Parameters
    ----------
    path : Path
        The user's own file: unlike checkpoints, it is run. It may import what lies beside it.
    device : torch.device or str, optional
        The CPU when None.

    Raises
    ------
    UserError
        If the file fails, or `generator` is missing or not what a `Generator` is.
    """
    module = _made(path, path.read_bytes())
    module.to(choose_device(device or "cpu"))
    return module  # type: ignore[return-value]


def own_fingerprint(path: Path) -> str:
    """Return what identifies the generator of a file: the file's text and the weights, in hexadecimal."""
    text = path.read_bytes()
    mark = hashlib.sha256(text)
    for name, value in _made(path, text).state_dict().items():
        mark.update(name.encode())
        mark.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return mark.hexdigest()


@functools.lru_cache(maxsize=4)
def _made(path: Path, text: bytes) -> nn.Module:
    """Run the file, once for each content, and check what it made."""
    generator = getattr(_run(path), NAME, None)
    if not isinstance(generator, nn.Module):
        raise UserError(
            f"{path} defines no torch module called '{NAME}' ({type(generator).__name__}); {_HINT}."
        )
    for name in ("latent_dim", "resolution"):
        if not isinstance(getattr(generator, name, None), int):
            raise UserError(f"The generator in {path} has no whole number '{name}'; {_HINT}.")
    generator.eval().requires_grad_(False)
    _try(path, generator)
    return generator


def _run(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fairlab_own_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if (folder := str(path.resolve().parent)) not in sys.path:
        sys.path.insert(0, folder)  # as for a file that Python is told to run
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(
            f"{path} fails{_line(path, error)}: {_said(error)}; mend it and run again."
        ) from error
    return module


def _try(path: Path, generator: nn.Module) -> None:
    """Draw two pictures: a generator that cannot is refused before hours of training."""
    latent_dim, side = int(generator.latent_dim), int(generator.resolution)  # type: ignore[arg-type]
    z = sample_latents(2, latent_dim, seed=0)
    try:
        with torch.inference_mode():
            images = generator(torch.from_numpy(z))
        generate(generator, z, progress=False)  # type: ignore[arg-type]
    except UserError:
        raise
    except Exception as error:
        where = _line(path, error)
        raise UserError(f"The generator in {path} cannot draw{where}: {_said(error)}; {_HINT}.") from error
    if tuple(images.shape) != (2, 3, side, side) or not images.isfinite().all():
        raise UserError(
            f"The generator in {path} draws arrays of shape {tuple(images.shape)} from two latents, where "
            f"finite ones of {(2, 3, side, side)} are due; {_HINT}."
        )
    if images.min() >= 0 or images.abs().max() > 20:
        low, high = float(images.min()), float(images.max())
        raise UserError(
            f"The generator in {path} draws values from {low:.3g} to {high:.3g}, but images lie in [-1, 1]; "
            "rescale them in its forward."
        )


def _line(path: Path, error: Exception) -> str:
    """Say in which line of the user's file an error arose."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f" in line {lines[-1]}" if lines else ""


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
