"""From stored pixels to the network's input, for a whole batch at once, on the device.

The paper's recipe is: shorter side to 64 pixels, then to 256 (so no finer detail is ever used), a random
224 crop and a horizontal flip in training, the centre crop in evaluation, ImageNet mean and deviation.
"""

import torch
from torch import Tensor, nn

from fairlab.classifiers.recipe import Recipe
from fairlab.core.errors import UserError

#: Channel means and deviations of ImageNet, for pixels in [0, 1].
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def training_batch(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Resize, crop at random, flip half, normalise.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 tensor
        On the device that will train.
    recipe : Recipe
        Its `detail`, `resize`, `padding`, `crop` and `flip`.
    generator : torch.Generator
        On the CPU, so that every device draws the same crops.

    Returns
    -------
    (n, 3, crop, crop) float32 tensor
        Normalised, in channels_last memory format.
    """
    resized = _resize(images, recipe)  # (n, h', w', 3)
    n, height, width, _ = resized.shape
    low, span = -recipe.padding, 2 * recipe.padding + 1 - recipe.crop
    top = torch.randint(low, low + height + span, (n,), generator=generator)
    left = torch.randint(low, low + width + span, (n,), generator=generator)
    mirror = torch.rand(n, generator=generator) < (0.5 if recipe.flip else 0.0)
    return _normalise(_crop(resized, top, left, mirror, recipe.crop))


def evaluation_batch(images: Tensor, recipe: Recipe) -> Tensor:
    """Resize, take the centre crop, normalise; arguments and result as for `training_batch`."""
    resized = _resize(images, recipe)  # (n, h', w', 3)
    top, left = (round((side - recipe.crop) / 2) for side in resized.shape[1:3])
    return _normalise(resized[:, top : top + recipe.crop, left : left + recipe.crop])


def _resize(images: Tensor, recipe: Recipe) -> Tensor:
    """Apply `detail` and `resize`; float32 unless the size already fits."""
    if recipe.detail is not None and min(images.shape[1:3]) > recipe.detail:
        images = _shorter_side_to(images, recipe.detail)
    if recipe.resize is not None:
        images = _shorter_side_to(images, recipe.resize)
    shorter = min(images.shape[1:3])
    if recipe.crop > shorter or recipe.padding >= shorter:
        raise UserError(
            f"A crop of {recipe.crop} pixels with {recipe.padding} of padding does not fit into images of "
            f"{shorter}; set the recipe's resize or lower its crop."
        )
    return images


def _shorter_side_to(images: Tensor, side: int) -> Tensor:
    height, width = images.shape[1:3]
    if min(height, width) == side:
        return images
    scale = side / min(height, width)
    size = (side, int(width * scale)) if height < width else (int(height * scale), side)
    channels_first = images.permute(0, 3, 1, 2).float()  # (n, 3, h, w), channels_last in memory
    resized = nn.functional.interpolate(channels_first, size, mode="bilinear", antialias=True)
    return resized.permute(0, 2, 3, 1)  # (n, h', w', 3)


def _crop(images: Tensor, top: Tensor, left: Tensor, mirror: Tensor, side: int) -> Tensor:
    """Cut one window out of each image; beyond the border the image is reflected. All in one gather."""
    n, height, width, _ = images.shape
    steps = torch.arange(side)
    rows = _reflect(top[:, None] + steps, height)  # (n, side)
    columns = _reflect(left[:, None] + steps, width)  # (n, side)
    columns = torch.where(mirror[:, None], columns.flip(1), columns)
    index = torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]
    return images[tuple(part.to(images.device) for part in index)]  # (n, side, side, 3)


def _reflect(position: Tensor, length: int) -> Tensor:
    """Mirror positions outside 0…length-1 back into it, without repeating the border pixel."""
    return (length - 1) - ((length - 1) - position.abs()).abs()


def _normalise(images: Tensor) -> Tensor:
    std = 255 * torch.tensor(IMAGENET_STD, device=images.device)
    mean = torch.tensor(IMAGENET_MEAN, device=images.device) * 255
    return ((images - mean) / std).permute(0, 3, 1, 2)  # (n, 3, h, w), channels_last in memory
