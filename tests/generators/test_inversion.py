"""Finding the latent of a picture."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fairlab.classifiers import Classifier, Recipe
from fairlab.classifiers.networks import build_network
from fairlab.core.errors import UserError
from fairlab.generators import (
    ModuleGenerator,
    ProgressiveGenerator,
    classifier_features,
    generate,
    invert,
    sample_latents,
    shipped_generator,
)

N, DIMENSION = 6, 8


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(3)
    return ProgressiveGenerator(DIMENSION, (8, 8)).eval()


@pytest.fixture(scope="module")
def own(generator):
    """Latents on the sphere and their pictures."""
    z = sample_latents(N, DIMENSION, seed=7)
    z *= np.sqrt(DIMENSION) / np.linalg.norm(z, axis=1, keepdims=True)
    return z, generate(generator, z, progress=False)


@pytest.fixture(scope="module")
def foreign():
    """Pictures no generator here has made: one random colour per quadrant."""
    colours = np.random.default_rng(5).integers(0, 256, (N, 2, 2, 3), dtype=np.uint8)
    return colours.repeat(4, axis=1).repeat(4, axis=2)


def quick(generator, images, **settings):
    return invert(generator, images, **{"steps": 40, "progress": False} | settings)


def mean_colours(images):
    return images.mean((2, 3))


def test_own_pictures_give_their_latents_back(generator, own):
    z, pictures = own
    found = quick(generator, pictures, steps=150)
    assert found.pixel_error.max() < 1
    assert np.abs(found.images.astype(int) - pictures).max() <= 3
    cosine = (found.z * z).sum(1) / DIMENSION
    assert cosine.min() > 0.99


@pytest.mark.slow
def test_the_shipped_generator_recognises_its_own_faces():
    generator = shipped_generator()
    pictures = generate(generator, sample_latents(2, generator.latent_dim, seed=99), progress=False)
    found = quick(generator, pictures, starts=2, steps=100)
    assert (found.pixel_error < found.random_error / 2).all()


def test_what_comes_back(generator, foreign):
    found = quick(generator, foreign)
    assert found.z.shape == (N, DIMENSION)
    assert found.z.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found.z, axis=1), np.sqrt(DIMENSION), rtol=1e-5)
    np.testing.assert_array_equal(found.images, generate(generator, found.z, progress=False))
    assert found.feature_error is None
    error = np.sqrt(((found.images.astype(float) - foreign) ** 2).mean((1, 2, 3)))
    np.testing.assert_allclose(found.pixel_error, error, rtol=1e-4)


def test_descent_comes_closer_than_the_best_of_many_random_latents(generator, foreign):
    found = quick(generator, foreign)
    assert (found.pixel_error < found.random_error).all()
    random = generate(generator, sample_latents(256, DIMENSION, seed=0), progress=False).astype(float)
    distance = np.sqrt(((random[None] - foreign[:, None]) ** 2).mean((2, 3, 4)))
    np.testing.assert_allclose(found.random_error, distance.min(1), rtol=1e-4)


def test_more_starts_never_end_worse(generator, foreign):
    one, four = (quick(generator, foreign, starts=starts) for starts in (1, 4))
    assert (four.pixel_error <= one.pixel_error + 0.3).all()
    assert (four.pixel_error < one.pixel_error - 0.3).any()


@settings(max_examples=8)
@given(rows=st.lists(st.integers(0, N - 1), min_size=1, max_size=5), batch_size=st.integers(1, 12))
def test_a_result_depends_on_its_own_image_alone(generator, foreign, rows, batch_size):
    together = quick(generator, foreign, steps=10, starts=2)
    some = quick(generator, foreign[rows], steps=10, starts=2, batch_size=batch_size)
    np.testing.assert_allclose(some.z, together.z[rows], atol=1e-3)
    np.testing.assert_allclose(some.random_error, together.random_error[rows], atol=0.1)


def test_the_seed_decides(generator, foreign):
    first, again, other = (quick(generator, foreign, steps=3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.z, again.z)
    assert not np.allclose(first.z, other.z)


def test_larger_images_are_averaged(generator, foreign):
    enlarged = foreign.repeat(3, axis=1).repeat(3, axis=2)
    enlarged.flags.writeable = False  # as a memory map is
    np.testing.assert_allclose(
        quick(generator, enlarged, steps=5).z, quick(generator, foreign, steps=5).z, atol=1e-3
    )


def test_features_are_matched_too(generator, foreign):
    ignored = quick(generator, foreign, features=mean_colours, feature_weight=0)
    matched = quick(generator, foreign, features=mean_colours, feature_weight=30)
    assert matched.feature_error.shape == (N,)
    assert (matched.feature_error < ignored.feature_error).all()
    assert matched.pixel_error.mean() > ignored.pixel_error.mean()


def test_features_of_a_classifier(generator, foreign):
    recipe = Recipe(backbone="resnet10", width=8, resize=16, crop=16, padding=0, precision="float32")
    classifier = Classifier(("a", "b"), recipe, build_network(recipe, 2, seed=0)).train()
    features = classifier_features(classifier)
    values = features(torch.from_numpy(foreign).permute(0, 3, 1, 2) / 127.5 - 1).detach().numpy()
    stored = classifier.features(foreign, progress=False)
    np.testing.assert_allclose(values, stored / np.linalg.norm(stored, axis=1, keepdims=True), atol=1e-4)
    ignored, matched = (quick(generator, foreign, features=features, feature_weight=w) for w in (0, 10))
    assert matched.feature_error.mean() < ignored.feature_error.mean()
    assert all(p.grad is None for p in classifier.parameters())


def test_a_generator_is_left_as_it_was(foreign):
    layers = nn.Sequential(
        nn.Linear(DIMENSION, 3 * 8 * 8), nn.BatchNorm1d(3 * 8 * 8), nn.Unflatten(1, (3, 8, 8)), nn.Tanh()
    )
    layers[0].requires_grad_(False).eval()
    generator = ModuleGenerator(layers, DIMENSION, resolution=8)
    before = copy.deepcopy(generator)
    with torch.no_grad():
        quick(generator, foreign, steps=2)
    for old, new in zip(before.modules(), generator.modules(), strict=True):
        assert old.training == new.training
    for old, new in zip(before.parameters(), generator.parameters(), strict=True):
        assert new.grad is None
        assert old.requires_grad == new.requires_grad
    for name, value in before.state_dict().items():
        torch.testing.assert_close(generator.state_dict()[name], value, rtol=0, atol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu(generator, own):
    found = quick(copy.deepcopy(generator).cuda(), own[1], steps=150)
    assert found.pixel_error.max() < 1


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 8, 8, 3), np.float32),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((2, 3, 8, 8), np.uint8),
        np.zeros((0, 8, 8, 3), np.uint8),
        np.zeros((2, 12, 12, 3), np.uint8),
        np.zeros((2, 8, 16, 3), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        "face.png",
    ],
)
def test_what_is_no_image_is_refused(generator, images):
    with pytest.raises(UserError, match="images to invert"):
        quick(generator, images)


@pytest.mark.parametrize(
    "setting",
    [{"starts": 0}, {"steps": 0}, {"batch_size": 0}, {"learning_rate": 0.0}, {"feature_weight": -1.0}],
)
def test_numbers_out_of_range_are_refused(generator, foreign, setting):
    with pytest.raises(UserError, match=next(iter(setting))):
        quick(generator, foreign, **setting)


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        (lambda images: images, "one row each"),
        (lambda images: np.zeros((len(images), 2)), "ndarray"),
        (lambda images: mean_colours(images.detach()), "gradients"),
    ],
)
def test_features_that_cannot_be_matched_are_refused(generator, foreign, features, sentence):
    with pytest.raises(UserError, match=sentence):
        quick(generator, foreign, features=features)
