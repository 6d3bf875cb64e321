"""Training of a progressive GAN: the loop, its curve and sample sheet, checkpoints from which it goes on.

The same code runs in many processes under ``torchrun``; the first of them writes, all go on from its files.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from fairlab.core import distributed
from fairlab.core.errors import UserError
from fairlab.core.files import atomic_path, read_json_lines, write_json_lines
from fairlab.core.tensors import last_state, load_state, save_state
from fairlab.generators.files import save_generator
from fairlab.generators.progressive import ProgressiveGenerator
from fairlab.generators.recipe import GANRecipe
from fairlab.generators.sampling import generate, sample_latents
from fairlab.generators.trainer import Trainer

CHECKPOINT, CURVE = "checkpoint.safetensors", "curve.jsonl"
SHEET_LATENTS_SEED = 0  # the sample sheet shows the same 64 latents in every training


def train_gan(
    folder: Path,
    *,
    images: npt.NDArray[np.uint8],
    recipe: GANRecipe,
    seed: int,
    device: torch.device | str | None = None,
    interval: int | None = None,
    compile: bool = False,
    on_record: Callable[[dict[str, float]], None] | None = None,
) -> ProgressiveGenerator:
    """Train a progressive GAN, or go on where an earlier call in the same folder stopped.

    Parameters
    ----------
    folder : Path
        Receives ``checkpoint.safetensors``, ``curve.jsonl`` (images seen, seconds, resolution, alpha, mean
        losses), ``sheet.png`` (64 fixed latents) and, at the end, ``generator.safetensors``.
    images : ndarray, (n, h, h, 3) uint8
        Training images, in memory or memory-mapped; h is a multiple of the recipe's resolution.
    recipe : GANRecipe
        Networks, losses and schedule.
    seed : int
        Determines weights, batches and latents.
    device : torch.device or str, optional
        CUDA where available when None, one card per process under ``torchrun``.
    interval : int, optional
        Images between checkpoints, each with a curve record and a new sheet; an eighth of the schedule, at
        most 5,000, when None.
    compile : bool
        Compile the networks with `torch.compile`, which needs a C++ compiler. Not faster on the CPUs it was
        measured on; weights then agree with those of a plain training within rounding only.
    on_record : callable, optional
        Receives every record of the curve, after the checkpoint is written.

    Returns
    -------
    ProgressiveGenerator
        The moving-average generator, in evaluation mode.

    Raises
    ------
    UserError
        If the images do not fit the recipe, the batch sizes do not fit the number of processes, the folder
        holds another training, or the losses diverge.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(images, recipe, seed, distributed.connect(device), compile=compile)
    curve = _resume(folder, trainer)
    seconds = curve[-1]["seconds"] if curve else 0.0
    total = recipe.total_images
    interval = interval or max(1, min(5_000, total // 8))
    clock, losses = time.perf_counter() - seconds, []
    first = distributed.rank() == 0
    bar = tqdm(total=total, initial=trainer.images_seen, desc="train GAN", unit="img", disable=not first)
    with bar:
        while trainer.images_seen < total:
            before = trainer.images_seen
            losses.append(trainer.step())
            bar.update(min(trainer.images_seen, total) - before)
            if trainer.images_seen // interval == before // interval and trainer.images_seen < total:
                continue
            record = _record(trainer, losses, time.perf_counter() - clock)
            curve.append(record)
            if first:
                save_state(folder / CHECKPOINT, trainer.state() | {"curve": curve})
                write_json_lines(folder / CURVE, curve)
                draw_sheet(folder / "sheet.png", trainer.average, recipe.resolution)
            losses = []
            bar.set_postfix(pixels=record["resolution"], alpha=f"{record['alpha']:.2f}")
            if on_record is not None:
                on_record(record)
    if first:
        card = {"recipe": recipe.to_dict(), "seed": seed, "images_seen": trainer.images_seen}
        save_generator(trainer.average, folder / "generator.safetensors", card)
    distributed.barrier()  # so that no process looks for the generator before it is there
    return trainer.average


def _resume(folder: Path, trainer: Trainer) -> list[dict[str, float]]:
    """Restore the last checkpoint; return its curve, and bring the one on disk back to it."""
    state = last_state(folder / CHECKPOINT)
    curve: list[dict[str, float]] = []
    if state is not None:
        trainer.restore(state)
        # Checkpoints of earlier versions had no curve.
        curve = state["curve"] if "curve" in state else read_json_lines(folder / CURVE)
    curve = [record for record in curve if record["images_seen"] <= trainer.images_seen]
    if distributed.rank() == 0:
        write_json_lines(folder / CURVE, curve)
    return curve


def _record(trainer: Trainer, losses: list[dict[str, Tensor]], seconds: float) -> dict[str, float]:
    n = distributed.world_size()
    means = {
        name: distributed.total(torch.stack([loss[name] for loss in losses]).mean()) / n for name in losses[0]
    }
    stage = trainer.recipe.stage(trainer.images_seen)
    if not all(map(math.isfinite, means.values())):
        raise UserError(
            f"The GAN diverged after {trainer.images_seen} images at {stage.resolution} pixels (its losses "
            f"are not finite); run again with a lower learning_rate than {trainer.recipe.learning_rate}, "
            f"a larger penalty_weight than {trainer.recipe.penalty_weight}, or another loss."
        )
    return {
        "images_seen": trainer.images_seen,
        "seconds": round(seconds, 1),
        "resolution": stage.resolution,
        "alpha": stage.alpha,
        **{f"{name}_loss": value for name, value in means.items()},
    }


def draw_sheet(path: Path, generator: ProgressiveGenerator, size: int, side: int = 8) -> None:
    """Draw side x side pictures of fixed latents, `size` pixels each, into one PNG."""
    z = sample_latents(side * side, generator.latent_dim, SHEET_LATENTS_SEED)
    pictures = generate(generator, z, progress=False)  # (side * side, r, r, 3)
    pictures = pictures.repeat(size // generator.resolution, 1).repeat(size // generator.resolution, 2)
    rows = pictures.reshape(side, side, size, size, 3).swapaxes(1, 2)  # (side, size, side, size, 3)
    with atomic_path(path) as partial:
        Image.fromarray(rows.reshape(side * size, side * size, 3)).save(partial, format="PNG")


def export_snapshot(folder: Path, path: Path, card: dict[str, Any]) -> ProgressiveGenerator:
    """Save the moving-average generator of a training's last checkpoint, while it may still be running.

    Parameters
    ----------
    folder : Path
        The training's folder.
    path : Path
        Where `save_generator` writes.
    card : dict
        Facts to state in the card beside recipe, seed and images seen, which are added.
    """
    state = load_state(Path(folder) / CHECKPOINT)
    recipe = GANRecipe.from_dict(state["recipe"])
    stage = recipe.stage(state["images_seen"])
    generator = ProgressiveGenerator(recipe.latent_dim, recipe.channels).eval().requires_grad_(False)
    generator.load_state_dict(state["average"])
    generator.grow(stage.resolution, stage.alpha)
    known = {name: state[name] for name in ("recipe", "seed", "images_seen")}
    save_generator(generator, path, {**card, **known})
    return generator
