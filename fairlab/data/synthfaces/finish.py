"""What the camera adds: light, contrast, blur and sensor noise."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from fairlab.data.synthfaces.canvas import Canvas, smoothstep
from fairlab.data.synthfaces.grain import grain
from fairlab.data.synthfaces.look import Look

#: Standard deviations after which a blur is cut.
_REACH = 2.6


def expose(canvas: Canvas, look: Look) -> None:
    """Brightness, contrast and colour temperature of the whole picture."""
    warmth = look.free("light_warmth", -1, 1)[:, 0] * torch.tensor([0.055, 0.005, -0.070])  # (n, 3)
    gain = look.free("exposure", 0.86, 1.12)[:, 0] * (1 + warmth)
    contrast = look.free("contrast", 0.86, 1.14)[:, 0]
    slope, lift = gain * contrast, 0.47 * (1 - contrast)
    canvas.rgb.mul_(slope[:, :, None, None]).add_(lift[:, :, None, None])


def blur(canvas: Canvas, look: Look) -> None:
    """Gaussian blur: slight for any face, strong for Blurry ones; faces that would not change are skipped."""
    sigma = look.free("blur", 0.0, 0.016) + 0.046 * smoothstep(look.present("Blurry"), 0.0, 1.0)
    sigma = sigma[:, 0, 0] * (canvas.size / 2)  # pixels
    for low, high in ((0.25, 1.0), (1.0, 2.0), (2.0, 99.0)):
        rows = torch.nonzero((sigma >= low) & (sigma < high))[:, 0]
        if len(rows):
            canvas.rgb[rows] = _gaussian(canvas.rgb[rows], sigma[rows])


def _gaussian(rgb: Tensor, sigma: Tensor) -> Tensor:
    """Blur each picture (n, 3, h, w) by its own sigma in pixels, edges repeated."""
    height, width = rgb.shape[-2:]
    # Taps beyond a face's own reach weigh 0, so that its blur does not depend on who shares the batch.
    radius = math.ceil(_REACH * float(sigma.max()))
    taps = torch.arange(-radius, radius + 1, dtype=torch.float32)
    weights = torch.exp(-0.5 * (taps / sigma[:, None]) ** 2) * (
        taps.abs() <= torch.ceil(_REACH * sigma)[:, None]
    )
    weights = weights / weights.sum(1, keepdim=True)  # (n, taps)
    shares = weights[:, :, None, None, None].unbind(1)
    tall = functional.pad(rgb, (0, 0, radius, radius), mode="replicate")  # (n, 3, h + 2 radius, w)
    rgb = _weighted_sum(shares, [tall[:, :, i : i + height] for i in range(len(taps))])
    wide = functional.pad(rgb, (radius, radius, 0, 0), mode="replicate")  # (n, 3, h, w + 2 radius)
    return _weighted_sum(shares, [wide[..., i : i + width] for i in range(len(taps))])


def _weighted_sum(shares: Sequence[Tensor], pictures: Sequence[Tensor]) -> Tensor:
    total = torch.zeros_like(pictures[0])
    for share, picture in zip(shares, pictures, strict=True):
        total.addcmul_(picture, share)
    return total


def noise(canvas: Canvas, look: Look) -> None:
    """Sensor noise: a window of the fixed tile, at a place that the face's noise seed chooses."""
    level = look.free("noise_level", 0.004, 0.022)
    canvas.rgb.addcmul_(grain(look, canvas.size), level[:, None])
