"""Generators on disk: one safetensors file, with a model card beside the shipped one."""

import json
from pathlib import Path
from typing import Any

import torch

from fairlab.core.errors import DamagedError, UserError
from fairlab.core.files import read_json, sha256, weights_folder, write_json
from fairlab.core.tensors import load_tensors, save_tensors
from fairlab.generators.foreign import check_kind, is_safetensors
from fairlab.generators.gan_zoo import load_gan_zoo
from fairlab.generators.own import load_own, own_fingerprint
from fairlab.generators.progressive import ProgressiveGenerator
from fairlab.generators.sampling import Generator

FORMAT = "fairlab progressive generator 1"
SHIPPED = "synthfaces_pgan_64.safetensors"


def save_generator(generator: ProgressiveGenerator, path: Path, card: dict[str, Any]) -> None:
    """Save a generator at its present stage of growth, and its card as JSON beside it.

    Parameters
    ----------
    generator : ProgressiveGenerator
        Layers that it does not use at its present resolution are left out.
    path : Path
        The ``.safetensors`` file; the card goes to the same name with ``.json``.
    card : dict
        JSON-ready facts about data and training; the file's SHA-256 is added to it.
    """
    path = Path(path)
    kept = generator.channels[: generator.stage + 1]
    config = {"latent_dim": generator.latent_dim, "channels": list(kept), "alpha": generator.alpha}
    state = generator.state_dict()
    weights = {name: tensor for name, tensor in state.items() if _is_used(name, generator.stage)}
    metadata = {"format": FORMAT, "config": json.dumps(config), "card": json.dumps(card)}
    save_tensors(path, weights, metadata)
    write_json(path.with_suffix(".json"), {**card, "sha256": sha256(path)})


def load_generator(path: Path, device: torch.device | str | None = None) -> ProgressiveGenerator:
    """Load what `save_generator` wrote, in evaluation mode.

    Raises
    ------
    UserError
        If the file is missing, truncated, or not a generator of this package.
    """
    try:
        weights, metadata = load_tensors(path)
        if metadata.get("format") != FORMAT:
            raise UserError(f"{path} is a safetensors file but not a generator saved by FairLab.")
        generator = _build(json.loads(metadata["config"]), weights)
    except (DamagedError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise UserError(
            f"The generator {path} is missing, truncated or damaged ({error}); restore it or train again."
        ) from error
    return generator.to(device or "cpu")


def open_generator(path: Path, device: torch.device | str | None = None) -> Generator:
    """Load a generator of any kind, whatever the file is called.

    Parameters
    ----------
    path : Path
        A safetensors file of ours; a checkpoint of pytorch_GAN_zoo, of which no code is run; or a ``.py``
        file of the user's own, which is run: see `fairlab.generators.own.load_own`.
    device : torch.device or str, optional
        The CPU when None.

    Raises
    ------
    UserError
        If the file is missing, damaged, or something else: then it is called by its name.
    """
    path = Path(path)
    if path.suffix == ".py":
        return load_own(path, device)
    check_kind(path)
    return load_generator(path, device) if is_safetensors(path) else load_gan_zoo(path, device=device)


def generator_fingerprint(path: Path) -> str:
    """Return what identifies a generator that `open_generator` opens: a change of its pictures changes it."""
    return own_fingerprint(path) if path.suffix == ".py" else sha256(path)


def shipped_generator(device: torch.device | str | None = None) -> ProgressiveGenerator:
    """Load the SynthFaces generator that comes with the package, checked against its card's SHA-256.

    Raises
    ------
    UserError
        If weights or card are missing or do not belong together.
    """
    path = weights_folder() / SHIPPED
    if not path.exists():
        raise UserError(f"The shipped generator {path} is missing; reinstall FairLab or train one yourself.")
    return load_verified(path, device)


def shipped_fingerprint() -> str:
    """Return the SHA-256 of the shipped generator, as its card states it."""
    return str(read_json((weights_folder() / SHIPPED).with_suffix(".json"))["sha256"])


def load_verified(path: Path, device: torch.device | str | None = None) -> ProgressiveGenerator:
    """Load a generator whose card beside it states its SHA-256, refusing any other content."""
    card = read_json(path.with_suffix(".json"))
    expected, found = card.get("sha256"), sha256(path)
    if expected != found:
        raise UserError(
            f"The generator {path} has SHA-256 {found[:12]}... where its card says {str(expected)[:12]}...; "
            "it was changed or damaged: restore both files."
        )
    return load_generator(path, device)


def _is_used(name: str, stage: int) -> bool:
    part, _, rest = name.partition(".")
    if part == "blocks":
        return int(rest.split(".")[0]) < stage
    return part != "to_rgb" or int(rest.split(".")[0]) <= stage


def _build(config: dict[str, Any], weights: dict[str, torch.Tensor]) -> ProgressiveGenerator:
    with torch.device("meta"):  # no memory and no random numbers for weights that are replaced at once
        generator = ProgressiveGenerator(config["latent_dim"], tuple(config["channels"]))
    generator.load_state_dict(weights, assign=True)
    generator.grow(generator.resolution, config["alpha"])
    return generator.eval().requires_grad_(False)
