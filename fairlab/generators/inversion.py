"""From a picture back to a latent: search for the latent whose picture comes closest to a given one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from fairlab.classifiers.augmentation import evaluation_batch
from fairlab.classifiers.scoring import Classifier
from fairlab.core.errors import UserError
from fairlab.generators.sampling import Generator, Images, generator_device, sample_latents, to_uint8

#: Random latents among which the starts are chosen: their pictures are drawn once, for all images.
CANDIDATES = 256
#: Adam's decay rates. Gradients shrink fast on the way: with 0.999 for the second, steps lag behind them, and
#: errors are up to a third larger after as many steps.
BETAS = (0.9, 0.9)
#: Share of the steps over which the learning rate rises: full steps at once would leave a good start.
WARM_UP = 0.05

#: (b, 3, r, r) images in [-1, 1] -> (b, k) features, differentiable.
Features = Callable[[Tensor], Tensor]

Errors = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Inversion:
    """The latents found for n images, and how far their pictures are from those.

    Attributes
    ----------
    z : ndarray, (n, d) float32
        The best start's latent of each image, of length sqrt(d).
    images : ndarray, (n, r, r, 3) uint8
        The pictures of `z`.
    pixel_error : ndarray, (n,) float32
        Root mean squared difference from the given images, in grey levels, 0..255.
    feature_error : ndarray, (n,) float32, or None
        Euclidean distance of the features, where some were given.
    random_error : ndarray, (n,) float32
        The pixel error of the first start, the closest of 256 random latents: what picking one achieves.
        A reconstruction says something about an image as far as its error lies below this.
    """

    z: npt.NDArray[np.float32]
    images: Images
    pixel_error: Errors
    feature_error: Errors | None
    random_error: Errors


def invert(
    generator: Generator,
    images: Images,
    *,
    features: Features | None = None,
    feature_weight: float = 0.03,
    starts: int = 4,
    steps: int = 200,
    learning_rate: float = 0.1,
    batch_size: int = 32,
    seed: int = 0,
    progress: bool = True,
) -> Inversion:
    """Find the latents whose pictures come closest to the given images, by gradient descent.

    Parameters
    ----------
    generator : Generator
        On the device that is to compute. Its weights, gradients and mode stay as they are.
    images : ndarray, (n, h, h, 3) uint8
        With h a multiple of the generator's resolution r; areas are averaged down to r pixels.
    features : callable, optional
        Maps (b, 3, r, r) images in [-1, 1] to (b, k) features, differentiably: those of
        `classifier_features`, say, to match what a classifier sees and not only pixels.
    feature_weight : float
        Weight of the squared Euclidean distance of the features against the mean squared difference of the
        pixels, which lie in [-1, 1].
    starts : int
        Latents from which each image is sought; the best end counts. More escape more local minima.
    steps : int
        Of Adam, per start.
    learning_rate : float
        Adam's largest step per latent value: reached after a short rise, then falling to 0 as a cosine.
    batch_size : int
        Latents per forward pass. An image's result does not depend on it, nor on the other images
        (beyond rounding).
    seed : int
        Of the random latents from which the starts are chosen; nothing else is random.
    progress : bool
        Show a progress bar.

    Raises
    ------
    UserError
        If images, features or a number are not as described.

    Notes
    -----
    Descending on the latent from several starts: Creswell and Bharath, "Inverting the Generator of a
    Generative Adversarial Network", 2016 (IEEE TNNLS 2018); pixels and features together: Abdal et al.,
    "Image2StyleGAN", ICCV 2019.

    Latents are kept on the sphere of radius sqrt(d), where almost all of N(0, I) lies in many dimensions
    (Menon et al., "PULSE", CVPR 2020). Progressive GANs normalise their latents, so length carries nothing
    there, and hyperplanes fitted to N(0, I) keep their signed distances. To a generator that does not
    normalise, the sphere is a mild prior: it cannot reach what only longer or shorter latents draw.

    A latent is not unique: along most of their directions pictures hardly change. The shipped generator's own
    pictures come back to 3 grey levels, but from latents almost at right angles to the true ones. What
    carries over is the side of a hyperplane, for attributes that a plane parts well; distances come out
    up to half as large again. Images that a generator cannot draw end at its nearest: look at the pictures.
    """
    images = _checked_images(images, generator.resolution)
    _check_numbers(starts, steps, batch_size, learning_rate, feature_weight)
    at_once = max(1, batch_size // starts)
    batches = [images[first : first + at_once] for first in range(0, len(images), at_once)]
    bar = tqdm(total=len(batches) * steps, desc="invert", unit="step", disable=not progress)
    search = _Search(generator, features, feature_weight)
    with _evaluating(generator), torch.enable_grad(), bar:
        z, embedded = search.candidates(max(CANDIDATES, starts), seed, batch_size)
        parts = []
        for batch in batches:
            target = _target(batch, generator)  # (b, 3, r, r)
            closest = torch.cdist(search.embed(target), embedded).topk(starts, largest=False).indices
            first = z[closest]  # (b, starts, d)
            ends = search.descend(target, first, steps, learning_rate, bar)  # (b, starts, d)
            parts.append(search.measure(target, first, ends))
    return _joined(parts)


def classifier_features(classifier: Classifier) -> Features:
    """Make the features of a trained classifier comparable between images, for `invert`.

    Parameters
    ----------
    classifier : Classifier
        Put into evaluation mode at every use, as scoring does.

    Returns
    -------
    callable
        Maps (b, 3, r, r) images in [-1, 1] to (b, k) features of unit length: the classifier's own
        evaluation transform, then what its head sees. Their distances lie in 0..2.

    Notes
    -----
    Distances between a classifier's features follow perception better than those between pixels:
    Johnson et al., "Perceptual Losses for Real-Time Style Transfer", ECCV 2016; unit length as in
    Zhang et al., "The Unreasonable Effectiveness of Deep Features", CVPR 2018 (there per pixel).
    """

    def features(images: Tensor) -> Tensor:
        classifier.eval()
        levels = images.to(classifier.device).mul(127.5).add(127.5).permute(0, 2, 3, 1)  # (b, r, r, 3)
        pooled = classifier.network.features(evaluation_batch(levels, classifier.recipe))  # (b, k)
        return F.normalize(pooled, dim=1)

    return features


@dataclass(frozen=True)
class _Search:
    """What is minimised: arguments as for `invert`."""

    generator: Generator
    features: Features | None
    feature_weight: float

    def embed(self, images: Tensor) -> Tensor:
        """Map images to vectors whose squared distance is the loss: (b, 3, r, r) -> (b, p)."""
        images = _clipped(images)
        pixels = images.flatten(1) / math.sqrt(images[0].numel())  # (b, 3 * r * r)
        if self.features is None:
            return pixels
        weighted = math.sqrt(self.feature_weight) * _apply(self.features, images)  # (b, k)
        return torch.cat([pixels, weighted], dim=1)  # (b, 3 * r * r + k)

    @torch.no_grad()
    def candidates(self, n: int, seed: int, batch_size: int) -> tuple[Tensor, Tensor]:
        """Draw n random latents, (n, d), the same for all images, and embed their pictures, (n, p)."""
        z = _on_sphere(torch.from_numpy(sample_latents(n, self.generator.latent_dim, seed)))
        z = z.to(generator_device(self.generator))
        return z, torch.cat([self.embed(self.generator(part)) for part in z.split(batch_size)])

    def descend(
        self, target: Tensor, first: Tensor, steps: int, learning_rate: float, bar: tqdm[Any]
    ) -> Tensor:
        """Move (b, starts, d) latents, each on its own, towards (b, 3, r, r) targets."""
        goal = self.embed(target).repeat_interleave(first.shape[1], dim=0)  # (b * starts, p)
        z = first.flatten(0, 1).clone().requires_grad_()  # (b * starts, d)
        optimiser = torch.optim.Adam([z], learning_rate, betas=BETAS)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _pace(step, steps))
        for _ in range(steps):
            # A sum, not a mean: a latent's gradient then does not depend on how many others there are.
            loss = (self.embed(self.generator(z)) - goal).square().sum()
            (z.grad,) = torch.autograd.grad(loss, [z])  # unlike backward, leaves the weights' gradients alone
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                z.copy_(_on_sphere(z))
            bar.update()
        return z.detach().unflatten(0, first.shape[:2])  # (b, starts, d)

    @torch.no_grad()
    def measure(self, target: Tensor, first: Tensor, ends: Tensor) -> Inversion:
        """Choose each image's best end, and compare its picture, and that of the first start, with it."""
        goal = self.embed(target)[:, None]  # (b, 1, p)
        reached = self.embed(self.generator(ends.flatten(0, 1)))  # (b * starts, p)
        reached = reached.unflatten(0, ends.shape[:2])  # (b, starts, p)
        best = (reached - goal).square().sum(2).argmin(1)  # (b,)
        z = ends[torch.arange(len(ends)), best]  # (b, d)
        pictures = self.generator(z)  # (b, 3, r, r)
        feature_error = None
        if self.features is not None:
            gap = _apply(self.features, _clipped(pictures)) - _apply(self.features, target)  # (b, k)
            feature_error = gap.norm(dim=1).cpu().numpy()  # (b,)
        random_error = _pixel_error(self.generator(first[:, 0]), target)
        found = to_uint8(pictures).cpu().numpy()  # (b, r, r, 3)
        return Inversion(z.cpu().numpy(), found, _pixel_error(pictures, target), feature_error, random_error)


def _clipped(images: Tensor) -> Tensor:
    """Clip to [-1, 1] as pictures are, but let gradients pass, which bring back pixels that overshoot."""
    return images + (images.clamp(-1, 1) - images).detach()


def _pace(step: int, steps: int) -> float:
    """Return the share of the learning rate at a step: up in a line, then down to 0 as a cosine."""
    return min((step + 1) / (WARM_UP * steps), 1.0) * (1 + math.cos(math.pi * step / steps)) / 2


def _apply(features: Features, images: Tensor) -> Tensor:
    """Return the features of images, checked: (b, 3, r, r) -> (b, k)."""
    values = features(images)
    if not isinstance(values, Tensor) or values.ndim != 2 or len(values) != len(images):
        found = f"shape {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
        raise UserError(
            f"The features of {len(images)} images are of {found}; return a tensor with one row each."
        )
    if images.requires_grad and not values.requires_grad:
        raise UserError("The features pass no gradients on; compute them without no_grad, detach or numpy.")
    return values.to(images.device, torch.float32)


def _pixel_error(pictures: Tensor, target: Tensor) -> Errors:
    """Root mean squared difference in grey levels after rounding the pictures: (b, 3, r, r) twice -> (b,)."""
    levels = to_uint8(pictures).permute(0, 3, 1, 2)  # (b, 3, r, r)
    error: Errors = (levels - (target + 1) * 127.5).flatten(1).square().mean(1).sqrt().cpu().numpy()  # (b,)
    return error


def _target(images: Images, generator: Generator) -> Tensor:
    """Bring images to the generator's size and device: (b, h, h, 3) uint8 -> (b, 3, r, r) in [-1, 1]."""
    batch = torch.tensor(images).to(generator_device(generator)).permute(0, 3, 1, 2).float()  # (b, 3, h, h)
    return F.avg_pool2d(batch, batch.shape[-1] // generator.resolution) / 127.5 - 1  # (b, 3, r, r)


def _on_sphere(z: Tensor) -> Tensor:
    """Scale latents to length sqrt(d)."""
    return F.normalize(z, dim=1) * math.sqrt(z.shape[1])


@contextmanager
def _evaluating(generator: Generator) -> Iterator[None]:
    """Put a generator into evaluation mode, where batch norms do not mix images, and afterwards back."""
    modules = list(generator.modules()) if isinstance(generator, nn.Module) else []
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode


def _joined(parts: list[Inversion]) -> Inversion:
    """Concatenate the results of all batches."""
    columns: dict[str, Any] = {}
    for field in fields(Inversion):
        values = [getattr(part, field.name) for part in parts]
        columns[field.name] = None if values[0] is None else np.concatenate(values)
    return Inversion(**columns)


def _checked_images(images: Images, resolution: int) -> Images:
    """Return the images as an array; a UserError unless they are (n, h, h, 3) uint8 with h a multiple."""
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or len(images) == 0:
        raise UserError(
            f"The images to invert are {images.shape} {images.dtype}; give an (n, h, h, 3) array of uint8."
        )
    height, width = images.shape[1:3]
    if height != width or height == 0 or height % resolution:
        raise UserError(
            f"The images to invert are {height}x{width} pixels; the generator draws {resolution}: "
            f"crop or resize them to squares of a multiple of {resolution}."
        )
    return images


def _check_numbers(
    starts: int, steps: int, batch_size: int, learning_rate: float, feature_weight: float
) -> None:
    for name, count in (("starts", starts), ("steps", steps), ("batch_size", batch_size)):
        if count < 1:
            raise UserError(f"To invert an image, {name} must be at least 1, not {count}.")
    if not 0 < learning_rate < math.inf:
        raise UserError(f"To invert an image, learning_rate must be above 0, not {learning_rate}.")
    if not 0 <= feature_weight < math.inf:
        raise UserError(f"To invert an image, feature_weight must be at least 0, not {feature_weight}.")
