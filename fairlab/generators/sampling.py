"""From random numbers to latents, from latents to pictures."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from fairlab.core.errors import UserError

Images = npt.NDArray[np.uint8]


class Generator(Protocol):
    """What every generator offers: the size of its latents and images, and the map between them."""

    latent_dim: int
    resolution: int

    def __call__(self, z: Tensor) -> Tensor:
        """(n, latent_dim) float32 -> (n, 3, resolution, resolution) float32, nominally in [-1, 1]."""
        ...


class ModuleGenerator(nn.Module):
    """Any torch module that maps latents to images, as a generator of this package.

    Parameters
    ----------
    module : nn.Module
        Maps (n, latent_dim) latents to (n, 3, resolution, resolution) images in [-1, 1].
    latent_dim : int
        Length of a latent.
    resolution : int
        Pixels of the images.

    Examples
    --------
    A module with other conventions is wrapped in a few lines, here one that takes (n, d, 1, 1):

    >>> class Flat(nn.Module):
    ...     def __init__(self, dcgan):
    ...         super().__init__()
    ...         self.dcgan = dcgan
    ...     def forward(self, z):
    ...         return self.dcgan(z[:, :, None, None])
    >>> dcgan = nn.Sequential(nn.ConvTranspose2d(8, 3, 16), nn.Tanh())
    >>> generator = ModuleGenerator(Flat(dcgan), latent_dim=8, resolution=16)
    >>> generate(generator, sample_latents(2, 8, seed=0), progress=False).shape
    (2, 16, 16, 3)
    """

    def __init__(self, module: nn.Module, latent_dim: int, resolution: int) -> None:
        super().__init__()
        self.module = module
        self.latent_dim = latent_dim
        self.resolution = resolution

    def forward(self, z: Tensor) -> Tensor:
        """Images of latents: (n, latent_dim) -> (n, 3, resolution, resolution)."""
        images: Tensor = self.module(z)
        expected = (len(z), 3, self.resolution, self.resolution)
        if tuple(images.shape) != expected:
            raise UserError(
                f"The module returned images of shape {tuple(images.shape)} where ModuleGenerator was told "
                f"{expected}; give it the right resolution or wrap the module so that it returns that shape."
            )
        return images


def sample_latents(n: int, latent_dim: int, seed: int) -> npt.NDArray[np.float32]:
    """Draw latents from N(0, I): (n, latent_dim) float32.

    The same seed gives the same rows on every machine, and the first rows do not depend on n.

    >>> few, many = sample_latents(2, 512, seed=0), sample_latents(9, 512, seed=0)
    >>> bool((many[:2] == few).all())
    True
    """
    return np.random.default_rng(seed).standard_normal((n, latent_dim), dtype=np.float32)


def interpolate(first: npt.ArrayLike, second: npt.ArrayLike, steps: int) -> npt.NDArray[np.float64]:
    """Return `steps` latents on the great circle from each first to each second latent, both ends included.

    Parameters
    ----------
    first, second : arrays, (n, d)
        Pairs of latents, not opposite each other. Lengths go from one to the other in a line.
    steps : int
        At least 2.

    Returns
    -------
    ndarray, (n, steps, d)

    Notes
    -----
    Latents of N(0, I) lie near a sphere; the straight line between two of them leaves it (White, "Sampling
    Generative Networks", 2016).

    Examples
    --------
    >>> interpolate([[1.0, 0.0]], [[0.0, 2.0]], steps=3).round(3)
    array([[[1.   , 0.   ],
            [1.061, 1.061],
            [0.   , 2.   ]]])
    """
    a, b = (np.asarray(x, np.float64) for x in (first, second))
    lengths = [np.linalg.norm(x, axis=1, keepdims=True)[:, None] for x in (a, b)]  # (n, 1, 1)
    a, b = a[:, None] / lengths[0], b[:, None] / lengths[1]  # (n, 1, d)
    angle = np.arccos(np.clip((a * b).sum(axis=2, keepdims=True), -1, 1))  # (n, 1, 1)
    t = np.linspace(0, 1, steps)[None, :, None]  # (1, steps, 1)
    # sinc keeps the weights defined where both latents are the same.
    first_weight, second_weight = ((1 - t) * np.sinc((1 - t) * angle / np.pi), t * np.sinc(t * angle / np.pi))
    direction = (first_weight * a + second_weight * b) / np.sinc(angle / np.pi)  # (n, steps, d)
    return direction * ((1 - t) * lengths[0] + t * lengths[1])


def generate(
    generator: Generator,
    z: npt.ArrayLike | Tensor,
    *,
    batch_size: int = 32,
    size: int | None = None,
    out: Images | None = None,
    progress: bool = True,
) -> Images:
    """Draw the pictures of latents, batch by batch, on the generator's device.

    Parameters
    ----------
    generator : Generator
        A generator of this package or a `ModuleGenerator`.
    z : array_like or Tensor, (n, latent_dim)
        Latents, of any length.
    batch_size : int
        Latents per forward pass; the pictures do not depend on it (beyond rounding).
    size : int, optional
        Pixels of the pictures; the generator's resolution when None.
    out : ndarray, (n, size, size, 3) uint8, optional
        Where to write, for example a memory-mapped array.
    progress : bool
        Show a progress bar.

    Returns
    -------
    ndarray, (n, size, size, 3) uint8
        `out`, if given.

    Raises
    ------
    UserError
        If the latents have the wrong shape.
    """
    latents = torch.as_tensor(z, dtype=torch.float32)
    if latents.ndim != 2 or latents.shape[1] != generator.latent_dim:
        raise UserError(
            f"The latents have shape {tuple(latents.shape)}; the generator takes (n, {generator.latent_dim})."
        )
    size = size or generator.resolution
    out = np.empty((len(latents), size, size, 3), np.uint8) if out is None else out
    device = generator_device(generator)
    with torch.inference_mode(), tqdm(total=len(latents), desc="generate", disable=not progress) as bar:
        for start in range(0, len(latents), batch_size):
            batch = latents[start : start + batch_size].to(device)
            pictures = to_uint8(resize(generator(batch), size))  # (b, size, size, 3)
            out[start : start + len(batch)] = pictures.cpu().numpy()
            bar.update(len(batch))
    return out


def to_uint8(images: Tensor) -> Tensor:
    """Turn (n, 3, h, w) images in [-1, 1] into (n, h, w, 3) uint8, clipping what lies outside.

    >>> to_uint8(torch.tensor([-1.0, 0.0, 1.5]).reshape(1, 3, 1, 1)).flatten().tolist()
    [0, 128, 255]
    """
    levels = images.float().mul(127.5).add(127.5).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous()  # (n, h, w, 3)


def resize(images: Tensor, size: int) -> Tensor:
    """Resize square (n, 3, r, r) images with anti-aliased bilinear filtering; a no-op at size r."""
    if images.shape[-1] == size:
        return images
    return F.interpolate(images.float(), size=(size, size), mode="bilinear", antialias=True)


def generator_device(generator: Generator) -> torch.device:
    """Return the device of the generator's parameters; the CPU where it has none."""
    parameters = generator.parameters() if isinstance(generator, nn.Module) else iter(())
    return next((p.device for p in parameters), torch.device("cpu"))
