"""Everything that determines a GAN training, in one frozen dataclass."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from fairlab.core.errors import UserError

Precision = Literal["auto", "float32", "bfloat16"]
Loss = Literal["logistic", "wgan-gp"]
LOSSES: tuple[Loss, ...] = ("logistic", "wgan-gp")

STDDEV_GROUP = 4  # images per group of the minibatch standard deviation


@dataclass(frozen=True)
class Stage:
    """Where in its growth a training stands."""

    resolution: int  # pixels
    images: int  # real images shown since the last growth
    alpha: float  # weight of the newest layers, 1 once they have faded in
    batch_size: int  # images


@dataclass(frozen=True)
class GANRecipe:
    """How a progressive GAN is built and trained; tuples hold one value per resolution 4, 8, 16, ... pixels.

    The defaults are for small networks and few images: 64-pixel faces after some hours on two CPU cores.
    `GANRecipe.paper` holds the published values.
    """

    channels: tuple[int, ...] = (128, 128, 64, 32, 16)  # feature maps of both networks
    latent_dim: int = 512  # length of a latent
    fade_images: tuple[int, ...] = (0, 3_000, 4_000, 8_000, 12_000)  # real images shown while fading in
    stable_images: tuple[int, ...] = (1_500, 4_000, 30_000, 160_000, 377_500)  # ... and after that
    batch_sizes: tuple[int, ...] = (16, 16, 16, 16, 16)  # images per step, multiples of 4
    learning_rate: float = 0.005  # Adam's, for both networks
    decay_images: int = 0  # last images, over which the learning rate falls to 0 in a line
    betas: tuple[float, float] = (0.0, 0.99)  # Adam's decay rates
    loss: Loss = "logistic"  # "logistic" (non-saturating) or "wgan-gp"
    penalty_weight: float = 0.5  # of R1 ("logistic") or of the gradient penalty ("wgan-gp")
    penalty_interval: int = 16  # steps between penalties, each then weighted by the interval
    ema_images: float = 5_000  # half-life of the moving-average generator, in images; less after a growth
    flip: bool = True  # mirror training images at random
    precision: Precision = "auto"  # bfloat16 where the device computes it natively, else float32

    def __post_init__(self) -> None:
        for name in ("fade_images", "stable_images", "batch_sizes"):
            if len(getattr(self, name)) != len(self.channels):
                raise UserError(
                    f"GANRecipe.{name} has {len(getattr(self, name))} values but channels has "
                    f"{len(self.channels)}; give one per resolution from 4 to {self.resolution} pixels."
                )
        if not self.channels or min(self.channels) < 1:
            raise UserError(f"GANRecipe.channels is {self.channels}; give positive numbers.")
        if min(self.batch_sizes) < 1 or any(size % STDDEV_GROUP for size in self.batch_sizes):
            raise UserError(
                f"GANRecipe.batch_sizes is {self.batch_sizes}; give positive multiples of {STDDEV_GROUP}: "
                "the critic's minibatch standard deviation works in groups of that size."
            )
        if self.loss not in LOSSES:
            raise UserError(f"GANRecipe.loss is '{self.loss}'; choose one of {', '.join(LOSSES)}.")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise UserError(f"GANRecipe.precision is '{self.precision}'; choose auto, float32 or bfloat16.")

    @classmethod
    def paper(cls) -> GANRecipe:
        """128-pixel faces as published (Karras et al., ICLR 2018, appendix A.1); days on one GPU."""
        return cls(
            channels=(512, 512, 512, 512, 256, 128),
            fade_images=(0, *[600_000] * 5),
            stable_images=(*[600_000] * 5, 6_000_000),
            batch_sizes=(16,) * 6,
            learning_rate=0.001,
            loss="wgan-gp",
            penalty_weight=10.0,
            penalty_interval=1,
            ema_images=11_000,  # a decay of 0.999 per step of 16 images
        )

    @property
    def resolution(self) -> int:
        """Pixels of the finished generator's images."""
        return int(4 * 2 ** (len(self.channels) - 1))

    @property
    def total_images(self) -> int:
        """Real images shown in the whole training."""
        return sum(self.fade_images) + sum(self.stable_images)

    def stage(self, images_seen: int) -> Stage:
        """Return resolution, fade and batch size after `images_seen` real images."""
        start = 0
        for i, (fade, stable) in enumerate(zip(self.fade_images, self.stable_images, strict=True)):
            if images_seen < start + fade + stable or i == len(self.channels) - 1:
                break
            start += fade + stable
        alpha = min((images_seen - start) / fade, 1.0) if fade else 1.0
        return Stage(4 * 2**i, images_seen - start, alpha, self.batch_sizes[i])

    def learning_rate_at(self, images_seen: int) -> float:
        """Return Adam's learning rate after `images_seen` real images."""
        left = max(self.total_images - images_seen, 0)
        return self.learning_rate * (min(left / self.decay_images, 1.0) if self.decay_images else 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON-ready values."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> GANRecipe:
        """Invert `to_dict`."""
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            unknown = sorted(set(values) ^ known)
            raise UserError(f"A GAN recipe has other fields than this version of FairLab knows: {unknown}.")
        fixed: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        return cls(**fixed)
