"""State and single step of a progressive GAN's training."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from fairlab.core import distributed
from fairlab.core.devices import compute_dtype
from fairlab.core.errors import UserError
from fairlab.generators.layers import downsample, upsample
from fairlab.generators.losses import critic_loss, generator_loss, gradient_penalty, r1_penalty
from fairlab.generators.progressive import ProgressiveCritic, ProgressiveGenerator
from fairlab.generators.recipe import STDDEV_GROUP, GANRecipe, Stage

AVERAGE_RAMP = 0.2  # upper bound of the average's half-life, in units of images since the last growth


class Trainer:
    """Both networks, the moving-average generator, their optimisers, and how far they have come.

    All random draws of a step come from a generator seeded with (seed, step), so a training that is resumed
    sees exactly what an uninterrupted one sees. Under ``torchrun`` every process draws for the whole batch
    and works on its part of it, so that together they do what one process does alone, within rounding.

    Parameters
    ----------
    images : ndarray, (n, h, h, 3) uint8
        Training images; h is a multiple of the recipe's resolution.
    recipe : GANRecipe
        Networks, losses and schedule.
    seed : int
        Determines weights, batches and latents.
    device : torch.device or str
        Where to compute.
    compile : bool
        Compile both networks' forward passes, but for fades and gradient penalties.

    Attributes
    ----------
    images_seen, steps : int
        Real images shown and steps made so far.
    average : ProgressiveGenerator
        Moving average of the generator's weights: the one to use.
    """

    def __init__(
        self,
        images: npt.NDArray[np.uint8],
        recipe: GANRecipe,
        seed: int,
        device: torch.device | str,
        *,
        compile: bool = False,
    ) -> None:
        check_images(images, recipe.resolution)
        check_shares(recipe.batch_sizes)
        self.images, self.recipe, self.seed = images, recipe, seed
        self.device = torch.device(device)
        self.dtype = compute_dtype(recipe.precision, self.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.generator = ProgressiveGenerator(recipe.latent_dim, recipe.channels).to(self.device)
            self.critic = ProgressiveCritic(recipe.channels).to(self.device)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.optimisers = {"generator": self._adam(self.generator), "critic": self._adam(self.critic)}
        self.images_seen = self.steps = 0
        self.compiled = compile
        if compile:
            for network in (self.generator, self.critic):
                network.compile(dynamic=False)

    def _adam(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            network.parameters(), lr=self.recipe.learning_rate, betas=self.recipe.betas, fused=True
        )

    def grow(self) -> Stage:
        """Bring all three networks to the stage that `images_seen` asks for, and return it."""
        stage = self.recipe.stage(self.images_seen)
        if self.compiled and stage.resolution != self.generator.resolution:
            torch.compiler.reset()  # torch gives up at the eighth version of a function
        for network in (self.generator, self.critic, self.average):
            network.grow(stage.resolution, stage.alpha)
        return stage

    def step(self) -> dict[str, Tensor]:
        """Update the critic, then the generator, then the average; return the two losses."""
        stage = self.grow()
        random = np.random.default_rng((self.seed, self.steps))
        real = self._real_batch(stage, random)  # (n, 3, r, r)
        z = random.standard_normal((stage.batch_size, self.recipe.latent_dim), dtype=np.float32)
        fake = _forward(self.generator)(self._share(z).to(self.dtype))  # (n, 3, r, r)
        losses = {"critic": self._update_critic(real, fake.detach(), random)}
        losses["generator"] = self._update_generator(fake)
        self._update_average(stage.batch_size, stage)
        self.images_seen += stage.batch_size
        self.steps += 1
        return losses

    def _update_critic(self, real: Tensor, fake: Tensor, random: np.random.Generator) -> Tensor:
        recipe = self.recipe
        # One pass over both: groups of the minibatch standard deviation never mix real with fake, since
        # batch sizes are multiples of the group.
        on_real, on_fake = _forward(self.critic)(torch.cat([real, fake])).chunk(2)  # (n,) each
        loss = critic_loss(on_real, on_fake, recipe.loss)
        total = loss
        if self.steps % recipe.penalty_interval == 0:
            critic = self.critic.forward  # what `compile` makes cannot be differentiated twice
            if recipe.loss == "wgan-gp":
                mix = random.random(len(real) * distributed.world_size(), dtype=np.float32)
                penalty = gradient_penalty(critic, real.float(), fake.float(), self._share(mix))
            else:
                penalty = r1_penalty(critic, real.float())
            total = loss + recipe.penalty_weight * recipe.penalty_interval * penalty
        self._descend("critic", total)
        return loss.detach()

    def _update_generator(self, fake: Tensor) -> Tensor:
        self.critic.requires_grad_(False)  # only the gradient with respect to the images is needed
        loss = generator_loss(_forward(self.critic)(fake), self.recipe.loss)
        self._descend("generator", loss)
        self.critic.requires_grad_(True)
        return loss.detach()

    def _descend(self, name: str, loss: Tensor) -> None:
        optimiser = self.optimisers[name]
        for group in optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate_at(self.images_seen)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        distributed.average_gradients(optimiser.param_groups[0]["params"])
        optimiser.step()

    @torch.no_grad()
    def _update_average(self, n: int, stage: Stage) -> None:
        # New layers start at random: the average must forget them soon after each growth.
        half_life = min(self.recipe.ema_images, AVERAGE_RAMP * (stage.images + n))
        keep = 0.5 ** (n / half_life)
        for average, current in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            average.lerp_(current, 1 - keep)

    def _real_batch(self, stage: Stage, random: np.random.Generator) -> Tensor:
        rows = distributed.share(random.integers(len(self.images), size=stage.batch_size))
        batch = torch.from_numpy(np.ascontiguousarray(self.images[rows])).to(self.device)  # (n, h, w, 3)
        real = shrink(batch.permute(0, 3, 1, 2), stage)  # (n, 3, r, r)
        if self.recipe.flip:
            mirrored = self._share(random.random(stage.batch_size) < 0.5)  # (n,)
            real = torch.where(mirrored[:, None, None, None], real.flip(3), real)
        return real.to(self.dtype)

    def _share(self, drawn: npt.NDArray[Any]) -> Tensor:
        """Return this process's part of what was drawn for the whole batch, on the device."""
        return torch.from_numpy(distributed.share(drawn)).to(self.device)

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
                    f"{mine.get(name)}; choose another folder or delete its checkpoint."
                )
        for name in ("generator", "critic", "average"):
            getattr(self, name).load_state_dict(state[name])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        self.images_seen, self.steps = state["images_seen"], state["steps"]
        self.grow()


def _forward(network: ProgressiveGenerator | ProgressiveCritic) -> Callable[[Tensor], Tensor]:
    """Return the compiled forward pass where there is one, but in a fade the plain one.

    There alpha changes with every step, and each of its values would be compiled anew.
    """
    return network if network.alpha == 1 else network.forward


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
    small = F.avg_pool2d(images.float(), factor) / 127.5 - 1  # (n, 3, r, r)
    if stage.alpha == 1:
        return small
    return torch.lerp(upsample(downsample(small)), small, stage.alpha)


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


def check_shares(batch_sizes: tuple[int, ...]) -> None:
    """Raise a UserError unless every batch falls into whole groups of 4 images for each process."""
    n = distributed.world_size()
    if any(size % (STDDEV_GROUP * n) for size in batch_sizes):
        raise UserError(
            f"GANRecipe.batch_sizes is {batch_sizes}, but {n} processes need multiples of {STDDEV_GROUP * n} "
            f"({STDDEV_GROUP} images or a multiple for each): change the batch sizes or --nproc-per-node."
        )
