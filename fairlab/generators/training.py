"""Training of a progressive GAN: one step, one loop, checkpoints from which it goes on exactly."""

from __future__ import annotations

import copy
import json
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

from fairlab.artefacts import (
    append_json_line,
    atomic_path,
    load_state,
    read_json_lines,
    save_state,
    write_text,
)
from fairlab.errors import UserError
from fairlab.generators.files import save_generator
from fairlab.generators.layers import downsample, upsample
from fairlab.generators.losses import critic_loss, generator_loss, gradient_penalty, r1_penalty
from fairlab.generators.progressive import ProgressiveCritic, ProgressiveGenerator
from fairlab.generators.recipe import GANRecipe, Stage
from fairlab.generators.sampling import generate, sample_latents

CHECKPOINT = "checkpoint.safetensors"
SHEET_LATENTS_SEED = 0  # the sample sheet shows the same 64 latents in every training


class Trainer:
    """Both networks, the moving-average generator, their optimisers, and how far they have come.

    All random draws of a step come from a generator seeded with (seed, step), so a training that is resumed
    sees exactly what an uninterrupted one sees.

    Attributes
    ----------
    images_seen, steps : int
        Real images shown and steps made so far.
    average : ProgressiveGenerator
        Moving average of the generator's weights: the one to use.
    """

    def __init__(
        self, images: npt.NDArray[np.uint8], recipe: GANRecipe, seed: int, device: torch.device | str
    ) -> None:
        check_images(images, recipe.resolution)
        self.images, self.recipe, self.seed = images, recipe, seed
        self.device = torch.device(device)
        self.dtype = torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.generator = ProgressiveGenerator(recipe.latent_dim, recipe.channels).to(self.device)
            self.critic = ProgressiveCritic(recipe.channels).to(self.device)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.optimisers = {
            "generator": self._adam(self.generator),
            "critic": self._adam(self.critic),
        }
        self.images_seen = self.steps = 0

    def _adam(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            network.parameters(), lr=self.recipe.learning_rate, betas=self.recipe.betas, fused=True
        )

    def grow(self) -> Stage:
        """Bring all three networks to the stage that `images_seen` asks for, and return it."""
        stage = self.recipe.stage(self.images_seen)
        for network in (self.generator, self.critic, self.average):
            network.grow(stage.resolution, stage.alpha)
        return stage

    def step(self) -> dict[str, Tensor]:
        """Update the critic, then the generator, then the average; return the two losses."""
        stage = self.grow()
        random = np.random.default_rng((self.seed, self.steps))
        real = self._real_batch(stage, random)  # (n, 3, r, r)
        z = random.standard_normal((len(real), self.recipe.latent_dim), dtype=np.float32)
        fake = self.generator(torch.from_numpy(z).to(self.device, self.dtype))
        losses = {"critic": self._update_critic(real, fake.detach(), random)}
        losses["generator"] = self._update_generator(fake)
        self._update_average(len(real))
        self.images_seen += len(real)
        self.steps += 1
        return losses

    def _update_critic(self, real: Tensor, fake: Tensor, random: np.random.Generator) -> Tensor:
        recipe = self.recipe
        # One pass over both: groups of the minibatch standard deviation never mix real with fake, since
        # batch sizes are multiples of the group.
        on_real, on_fake = self.critic(torch.cat([real, fake])).chunk(2)  # (n,) each
        loss = critic_loss(on_real, on_fake, recipe.loss)
        total = loss
        if self.steps % recipe.penalty_interval == 0:
            if recipe.loss == "wgan-gp":
                mix = torch.from_numpy(random.random(len(real), dtype=np.float32)).to(self.device)
                penalty = gradient_penalty(self.critic, real.float(), fake.float(), mix)
            else:
                penalty = r1_penalty(self.critic, real.float())
            total = loss + recipe.penalty_weight * recipe.penalty_interval * penalty
        self._descend("critic", total)
        return loss.detach()

    def _update_generator(self, fake: Tensor) -> Tensor:
        self.critic.requires_grad_(False)  # only the gradient with respect to the images is needed
        loss = generator_loss(self.critic(fake), self.recipe.loss)
        self._descend("generator", loss)
        self.critic.requires_grad_(True)
        return loss.detach()

    def _descend(self, name: str, loss: Tensor) -> None:
        self.optimisers[name].zero_grad(set_to_none=True)
        loss.backward()
        self.optimisers[name].step()

    @torch.no_grad()
    def _update_average(self, n: int) -> None:
        keep = 0.5 ** (n / self.recipe.ema_images)
        for average, current in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            average.lerp_(current, 1 - keep)

    def _real_batch(self, stage: Stage, random: np.random.Generator) -> Tensor:
        rows = random.integers(len(self.images), size=stage.batch_size)
        batch = torch.from_numpy(np.ascontiguousarray(self.images[rows])).to(self.device)  # (n, h, w, 3)
        real = shrink(batch.permute(0, 3, 1, 2), stage)  # (n, 3, r, r)
        if self.recipe.flip:
            mirrored = torch.from_numpy(random.random(len(real)) < 0.5).to(self.device)
            real = torch.where(mirrored[:, None, None, None], real.flip(3), real)
        return real.to(self.dtype)

    def state(self) -> dict[str, Any]:
        """Return everything that the rest of the training depends on."""
        return {
            "recipe": self.recipe.to_dict(),
            "seed": self.seed,
            "images": list(self.images.shape),
            "images_seen": self.images_seen,
            "steps": self.steps,
            "generator": self.generator.state_dict(),
            "critic": self.critic.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`; a UserError if it belongs to another recipe, seed or data set."""
        mine = {"seed": self.seed, "images": list(self.images.shape), **self.recipe.to_dict()}
        theirs = {"seed": state["seed"], "images": state["images"], **state["recipe"]}
        for name in mine | theirs:
            if mine.get(name) != theirs.get(name):
                raise UserError(
                    f"The folder holds a GAN training with {name} = {theirs.get(name)}, not "
                    f"{mine.get(name)}; choose another folder or delete its {CHECKPOINT}."
                )
        for name in ("generator", "critic", "average"):
            getattr(self, name).load_state_dict(state[name])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        self.images_seen, self.steps = state["images_seen"], state["steps"]
        self.grow()


def train_gan(
    folder: Path,
    *,
    images: npt.NDArray[np.uint8],
    recipe: GANRecipe,
    seed: int,
    device: torch.device | str | None = None,
    interval: int = 5_000,
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
        CUDA where available when None.
    interval : int
        Images between checkpoints, each with a curve record and a new sheet.
    on_record : callable, optional
        Receives every record of the curve, after the checkpoint is written.

    Returns
    -------
    ProgressiveGenerator
        The moving-average generator, in evaluation mode.

    Raises
    ------
    UserError
        If the images do not fit the recipe, the folder holds another training, or the losses diverge.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(images, recipe, seed, device or ("cuda" if torch.cuda.is_available() else "cpu"))
    curve, seconds = _resume(folder, trainer)
    total = recipe.total_images
    clock, losses = time.perf_counter() - seconds, []
    with tqdm(total=total, initial=trainer.images_seen, desc="train GAN", unit="img") as bar:
        while trainer.images_seen < total:
            before = trainer.images_seen
            losses.append(trainer.step())
            bar.update(min(trainer.images_seen, total) - before)
            if trainer.images_seen // interval == before // interval and trainer.images_seen < total:
                continue
            record = _record(trainer, losses, time.perf_counter() - clock)
            save_state(folder / CHECKPOINT, trainer.state())
            append_json_line(curve, record)
            draw_sheet(folder / "sheet.png", trainer.average, recipe.resolution)
            losses = []
            bar.set_postfix(pixels=record["resolution"], alpha=f"{record['alpha']:.2f}")
            if on_record is not None:
                on_record(record)
    card = {"recipe": recipe.to_dict(), "seed": seed, "images_seen": trainer.images_seen}
    save_generator(trainer.average, folder / "generator.safetensors", card)
    return trainer.average


def _resume(folder: Path, trainer: Trainer) -> tuple[Path, float]:
    """Restore the last checkpoint, cut the curve back to it, and return the curve and its seconds."""
    curve = folder / "curve.jsonl"
    if (folder / CHECKPOINT).exists():
        trainer.restore(load_state(folder / CHECKPOINT))
    records = [r for r in read_json_lines(curve) if r["images_seen"] <= trainer.images_seen]
    write_text(curve, "".join(json.dumps(record) + "\n" for record in records))
    return curve, records[-1]["seconds"] if records else 0.0


def _record(trainer: Trainer, losses: list[dict[str, Tensor]], seconds: float) -> dict[str, float]:
    means = {name: float(torch.stack([loss[name] for loss in losses]).mean()) for name in losses[0]}
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


def shrink(images: Tensor, stage: Stage) -> Tensor:
    """Bring uint8 images to a stage of growth: area average, blended with half the resolution in a fade.

    Parameters
    ----------
    images : Tensor, (n, 3, h, h) uint8
    stage : Stage
        Its resolution r divides h.

    Returns
    -------
    Tensor, (n, 3, r, r) float32 in [-1, 1]
    """
    factor = images.shape[-1] // stage.resolution
    small = torch.nn.functional.avg_pool2d(images.float(), factor) / 127.5 - 1  # (n, 3, r, r)
    if stage.alpha == 1:
        return small
    return torch.lerp(upsample(downsample(small)), small, stage.alpha)


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


def check_images(images: npt.NDArray[np.uint8], resolution: int) -> None:
    """Raise a UserError unless images are (n, h, h, 3) uint8 with h a multiple of `resolution`."""
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[3] != 3 or len(images) == 0:
        raise UserError(
            f"A GAN trains on (n, h, h, 3) uint8 images; these are {images.shape} {images.dtype}."
        )
    if images.shape[1] != images.shape[2] or images.shape[1] % resolution:
        raise UserError(
            f"The images are {images.shape[1]}x{images.shape[2]} pixels; a GAN of {resolution} pixels needs "
            f"square images of a multiple of that: prepare the data at {resolution} pixels."
        )
