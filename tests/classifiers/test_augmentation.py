"""Crops, flips and resizing against torchvision, and where a random crop can come from."""

import dataclasses

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from fairlab.classifiers import PAPER, Recipe
from fairlab.classifiers.augmentation import IMAGENET_MEAN, IMAGENET_STD, evaluation_batch, training_batch
from fairlab.core.errors import UserError

PLAIN = Recipe(resize=None, padding=0, crop=8, flip=False)


def noise(n: int = 4, height: int = 12, width: int = 12) -> torch.Tensor:
    return torch.randint(0, 256, (n, height, width, 3), generator=torch.Generator().manual_seed(0)).to(
        torch.uint8
    )


def pixels(batch: torch.Tensor) -> np.ndarray:
    """Undo the normalisation: (n, 3, s, s) to (n, s, s, 3) in 0…255."""
    std, mean = (torch.tensor(values)[:, None, None] for values in (IMAGENET_STD, IMAGENET_MEAN))
    return ((batch * std + mean) * 255).permute(0, 2, 3, 1).numpy()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [(12, 12), (13, 12), (11, 15)])
def test_centre_crop_and_normalisation_equal_torchvisions(size):
    images = noise(3, *size)
    theirs = v2.Compose(
        [v2.CenterCrop(8), v2.ToDtype(torch.float32, scale=True), v2.Normalize(IMAGENET_MEAN, IMAGENET_STD)]
    )
    ours = evaluation_batch(images, PLAIN)
    torch.testing.assert_close(ours, theirs(images.permute(0, 3, 1, 2)))
    assert ours.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("size", [(178, 150), (64, 64), (64, 80)])
def test_the_papers_resizing_equals_torchvisions(size):
    images = noise(2, *size)
    theirs = v2.Compose(
        [
            v2.ToDtype(torch.float32),
            v2.Resize(64, antialias=True),
            v2.Resize(256, antialias=True),
            v2.CenterCrop(224),
        ]
    )
    expected = theirs(images.permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(pixels(evaluation_batch(images, PAPER)), expected, atol=1e-3)


def test_detail_never_enlarges():
    recipe = dataclasses.replace(PAPER, detail=64, resize=32, crop=32)
    without = dataclasses.replace(recipe, detail=None)
    images = noise(2, 40, 40)
    torch.testing.assert_close(evaluation_batch(images, recipe), evaluation_batch(images, without))


def test_every_window_is_a_window_of_its_image_and_all_occur():
    images = noise(400)
    seen = set()
    for image, crop in zip(images.numpy(), pixels(training_batch(images, PLAIN, generator())), strict=True):
        windows = {
            (top, left)
            for top in range(5)
            for left in range(5)
            if np.allclose(image[top : top + 8, left : left + 8], crop, atol=1e-3)
        }
        assert len(windows) == 1
        seen |= windows
    assert seen == {(top, left) for top in range(5) for left in range(5)}


def test_padding_reflects_the_border():
    recipe = dataclasses.replace(PLAIN, padding=3, crop=12)
    images = noise(200)
    padded = np.pad(images.numpy(), ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect")
    crops = pixels(training_batch(images, recipe, generator()))
    seen = set()
    for image, crop in zip(padded, crops, strict=True):
        windows = {
            (top, left)
            for top in range(7)
            for left in range(7)
            if np.allclose(image[top : top + 12, left : left + 12], crop, atol=1e-3)
        }
        assert windows
        seen |= windows
    assert seen == {(top, left) for top in range(7) for left in range(7)}


def test_half_are_mirrored_and_mirroring_twice_is_the_identity():
    recipe = dataclasses.replace(PLAIN, crop=12, flip=True)
    images = noise(1000)
    once = training_batch(images, recipe, generator())
    plain = evaluation_batch(images, recipe)
    mirrored = (once == plain.flip(3)).flatten(1).all(1)
    assert ((once == plain).flatten(1).all(1) | mirrored).all()
    assert 430 < mirrored.sum() < 570
    twice = training_batch(torch.from_numpy(pixels(once)).round().to(torch.uint8), recipe, generator())
    torch.testing.assert_close(twice, plain, atol=1e-5, rtol=0)


def test_random_crops_depend_on_the_generator_alone():
    images = noise(16)
    torch.testing.assert_close(
        training_batch(images, PLAIN, generator(3)),
        training_batch(images, PLAIN, generator(3)),
        rtol=0,
        atol=0,
    )
    assert (training_batch(images, PLAIN, generator(3)) != training_batch(images, PLAIN, generator(4))).any()


def test_a_crop_that_does_not_fit_is_one_sentence():
    with pytest.raises(UserError, match="does not fit"):
        evaluation_batch(noise(1, 6, 12), PLAIN)
    with pytest.raises(UserError, match="padding"):
        training_batch(noise(1), dataclasses.replace(PLAIN, padding=12), generator())
