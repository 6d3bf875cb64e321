"""Building blocks of progressive GANs (Karras et al., "Progressive Growing of GANs", ICLR 2018).

Every layer computes in the dtype of its input; weights are kept in float32 and cast on use.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fairlab.generators.recipe import STDDEV_GROUP

LEAK = 0.2  # negative slope of every leaky ReLU (paper, appendix A)
HE_GAIN = math.sqrt(2)  # keeps the variance through a rectifier (He et al., ICCV 2015)


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU with the paper's slope."""
    return F.leaky_relu(x, LEAK)


def pixel_norm(x: Tensor) -> Tensor:
    """Scale the feature vector of every pixel (dimension 1) to unit mean square (paper, section 4.2).

    Applied to latents it puts them on the sphere of radius sqrt(d), so latents of any length work.
    """
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


def minibatch_stddev(x: Tensor, group: int = STDDEV_GROUP) -> Tensor:
    """Append one feature map: how much the features vary within groups of the batch (paper, section 3).

    Parameters
    ----------
    x : Tensor, (n, c, h, w)
        Critic features.
    group : int
        Consecutive images per group; lowered to the largest divisor of n that is not above it.

    Returns
    -------
    Tensor, (n, c + 1, h, w)
        The appended map is constant over pixels: the standard deviation over the group, averaged over
        features and pixels.
    """
    n, _, h, w = x.shape
    group = next(size for size in range(min(group, n), 0, -1) if n % size == 0)
    grouped = x.reshape(n // group, group, -1)  # (n / group, group, c * h * w)
    # Not Tensor.var, which is several times slower here on CPUs.
    variance = (grouped - grouped.mean(dim=1, keepdim=True)).square().mean(dim=1)  # (n / group, c * h * w)
    deviation = (variance + 1e-8).sqrt().mean(dim=1)  # (n / group,)
    statistic = deviation.repeat_interleave(group).reshape(n, 1, 1, 1).expand(n, 1, h, w)
    return torch.cat([x, statistic], dim=1)


def upsample(x: Tensor) -> Tensor:
    """Double height and width by repeating pixels: (n, c, h, w) -> (n, c, 2h, 2w)."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def downsample(x: Tensor) -> Tensor:
    """Halve height and width by averaging 2x2 pixels: (n, c, h, w) -> (n, c, h/2, w/2)."""
    return F.avg_pool2d(x, 2)


class EqualLinear(nn.Module):
    """Linear layer with equalised learning rate: weights N(0, 1), scaled at run time (paper, section 4.1)."""

    def __init__(self, n_in: int, n_out: int, gain: float = HE_GAIN) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.scale = gain / math.sqrt(n_in)

    def forward(self, x: Tensor) -> Tensor:
        # Scaling the input is the same and touches fewer numbers than scaling the weights.
        return F.linear(x * self.scale, self.weight.to(x.dtype), self.bias.to(x.dtype))  # (n, n_out)


class EqualConv2d(nn.Module):
    """Convolution with equalised learning rate and, on request, a change of resolution in the same pass.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    kernel : int
        Odd kernel size; the output keeps the size of the input ("same" padding).
    gain : float
        Standard deviation of the effective weights times sqrt(fan-in).
    resample : None, "up" or "down"
        "up" equals `upsample` followed by the convolution; "down" equals the convolution followed by
        `downsample`; both for 3x3 kernels.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel: int = 3,
        gain: float = HE_GAIN,
        resample: Literal["up", "down"] | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.scale = gain / math.sqrt(n_in * kernel**2)
        self.resample = resample

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        bias = self.bias.to(x.dtype)
        if self.resample is None:
            return F.conv2d(x, weight.to(x.dtype), bias, padding=weight.shape[-1] // 2)  # (n, n_out, h, w)
        # A 2x2 box and a 3x3 kernel make one 4x4 kernel with stride 2: 4/9 of the multiplications.
        box = _sum_of_shifts(weight)
        if self.resample == "down":
            return F.conv2d(x, (box / 4).to(x.dtype), bias, stride=2, padding=1)  # (n, n_out, h/2, w/2)
        kernel = box.flip(2, 3).transpose(0, 1).to(x.dtype)
        return F.conv_transpose2d(x, kernel, bias, stride=2, padding=1)  # (n, n_out, 2h, 2w)


def _sum_of_shifts(weight: Tensor) -> Tensor:
    """Convolve 3x3 kernels with a 2x2 box of ones: (o, i, 3, 3) -> (o, i, 4, 4)."""
    padded = F.pad(weight, (1, 1, 1, 1))  # (o, i, 5, 5)
    rows = padded[:, :, 1:] + padded[:, :, :-1]  # (o, i, 4, 5)
    return rows[..., 1:] + rows[..., :-1]
