"""Generator and critic that grow from 4x4 by doubling, new layers fading in (Karras et al., ICLR 2018)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from fairlab.generators.layers import (
    EqualConv2d,
    EqualLinear,
    activate,
    downsample,
    minibatch_stddev,
    pixel_norm,
    upsample,
)


class _Progressive(nn.Module):
    """What generator and critic share: channels per resolution, and the current stage of growth."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.grow(4 * 2 ** (len(channels) - 1))

    def grow(self, resolution: int, alpha: float = 1.0) -> None:
        """Work at `resolution` (4, 8, ... pixels), its layers blended in with weight `alpha` in [0, 1].

        With alpha = 0 the network equals the one of half the resolution; with alpha = 1 that one's
        image layer is no longer used.
        """
        stages = [4 * 2**i for i in range(len(self.channels))]
        if resolution not in stages:
            raise ValueError(f"resolution {resolution} is not among {stages}")
        self.stage = stages.index(resolution)
        self.resolution = resolution
        self.alpha = alpha


class ProgressiveGenerator(_Progressive):
    """Maps latents to images; every layer pair doubles the resolution.

    Parameters
    ----------
    latent_dim : int
        Length d of a latent.
    channels : tuple of int
        Feature maps at 4, 8, 16, ... pixels; the length sets the final resolution.

    Attributes
    ----------
    resolution : int
        Pixels of the images it makes at its present stage of growth.
    """

    def __init__(self, latent_dim: int = 512, channels: tuple[int, ...] = (128, 128, 64, 32, 16)) -> None:
        super().__init__(channels)
        self.latent_dim = latent_dim
        # The first layer's gain is that of the paper's code (sqrt(2) / 4): its 4x4 outputs per latent
        # value act as a convolution whose fan-in is 16 times larger.
        self.dense = EqualLinear(latent_dim, channels[0] * 16, gain=2**0.5 / 4)
        self.first = EqualConv2d(channels[0], channels[0])
        self.blocks = nn.ModuleList(GeneratorBlock(n_in, n_out) for n_in, n_out in pairwise(channels))
        self.to_rgb = nn.ModuleList(EqualConv2d(c, 3, kernel=1, gain=1.0) for c in channels)

    def forward(self, z: Tensor) -> Tensor:
        """Images of latents.

        Parameters
        ----------
        z : Tensor, (n, latent_dim)
            Latents of any length: the first operation normalises them.

        Returns
        -------
        Tensor, (n, 3, resolution, resolution)
            Trained towards [-1, 1] and not clipped, so that gradients reach every pixel.
        """
        x = self.dense(pixel_norm(z)).unflatten(1, (-1, 4, 4))  # (n, c, 4, 4)
        x = x.contiguous(memory_format=torch.channels_last)
        x = pixel_norm(activate(x))
        x = pixel_norm(activate(self.first(x)))
        previous = x
        for block in self.blocks[: self.stage]:
            previous, x = x, block(x)  # (n, c, 2h, 2w)
        image: Tensor = self.to_rgb[self.stage](x)  # (n, 3, r, r)
        if self.stage == 0 or self.alpha == 1:
            return image
        old = upsample(self.to_rgb[self.stage - 1](previous))
        return torch.lerp(old, image, self.alpha)


class GeneratorBlock(nn.Module):
    """Double the resolution, then two 3x3 convolutions: (n, n_in, h, w) -> (n, n_out, 2h, 2w)."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.up = EqualConv2d(n_in, n_out, resample="up")
        self.conv = EqualConv2d(n_out, n_out)

    def forward(self, x: Tensor) -> Tensor:
        x = pixel_norm(activate(self.up(x)))  # (n, n_out, 2h, 2w)
        return pixel_norm(activate(self.conv(x)))


class ProgressiveCritic(_Progressive):
    """Scores images, high for real ones; the generator's mirror image.

    Parameters
    ----------
    channels : tuple of int
        Feature maps at 4, 8, 16, ... pixels.
    """

    def __init__(self, channels: tuple[int, ...] = (128, 128, 64, 32, 16)) -> None:
        super().__init__(channels)
        self.from_rgb = nn.ModuleList(EqualConv2d(3, c, kernel=1) for c in channels)
        self.blocks = nn.ModuleList(CriticBlock(n_in, n_out) for n_out, n_in in pairwise(channels))
        self.last = EqualConv2d(channels[0] + 1, channels[0])
        self.dense = EqualLinear(channels[0] * 16, channels[0])
        self.score = EqualLinear(channels[0], 1, gain=1.0)

    def forward(self, images: Tensor) -> Tensor:
        """Score images of the present resolution: (n, 3, r, r) -> (n,) float32."""
        images = images.contiguous(memory_format=torch.channels_last)
        x = activate(self.from_rgb[self.stage](images))  # (n, c, r, r)
        if self.stage > 0:
            x = self.blocks[self.stage - 1](x)  # (n, c', r/2, r/2)
            if self.alpha < 1:
                old = activate(self.from_rgb[self.stage - 1](downsample(images)))
                x = torch.lerp(old, x, self.alpha)
        for block in reversed(self.blocks[: max(self.stage - 1, 0)]):
            x = block(x)  # (n, c', h/2, w/2)
        # Scores and batch statistics need more digits than bfloat16 has, and cost nothing at 4x4.
        x = minibatch_stddev(x.float())  # (n, c + 1, 4, 4)
        x = activate(self.last(x))
        x = activate(self.dense(x.flatten(1)))  # (n, c)
        score: Tensor = self.score(x).squeeze(1)  # (n,)
        return score


class CriticBlock(nn.Module):
    """Two 3x3 convolutions, the second with halved resolution: (n, n_in, h, w) -> (n, n_out, h/2, w/2)."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv = EqualConv2d(n_in, n_in)
        self.down = EqualConv2d(n_in, n_out, resample="down")

    def forward(self, x: Tensor) -> Tensor:
        return activate(self.down(activate(self.conv(x))))
