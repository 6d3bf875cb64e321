"""Latents and pictures."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fairlab.core.errors import UserError
from fairlab.generators import ModuleGenerator, ProgressiveGenerator, generate, sample_latents, to_uint8
from fairlab.generators.sampling import interpolate


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(3)
    return ProgressiveGenerator(16, (8, 8, 4)).eval()


@given(n=st.integers(0, 40), seed=st.integers(0, 2**32))
def test_first_latents_do_not_depend_on_how_many(n, seed):
    np.testing.assert_array_equal(sample_latents(n, 7, seed), sample_latents(40, 7, seed)[:n])


def test_latents_are_standard_normal():
    z = sample_latents(2000, 50, seed=0)
    assert z.dtype == np.float32
    assert abs(z.mean()) < 0.01
    assert abs(z.std() - 1) < 0.01


@settings(deadline=None, max_examples=15)
@given(batch_size=st.integers(1, 20))
def test_pictures_do_not_depend_on_the_batch_size(generator, batch_size):
    z = sample_latents(13, 16, seed=1)
    pictures = generate(generator, z, batch_size=batch_size, progress=False).astype(int)
    reference = generate(generator, z, progress=False).astype(int)
    assert pictures.shape == (13, 16, 16, 3)
    assert np.abs(pictures - reference).max() <= 1


def test_output_may_be_a_memory_map_and_latents_a_tensor(generator, tmp_path):
    out = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (5, 16, 16, 3))
    z = sample_latents(5, 16, seed=1)
    assert generate(generator, torch.from_numpy(z), out=out, progress=False) is out
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), generate(generator, z, progress=False))


@pytest.mark.parametrize("size", [8, 32])
def test_pictures_of_another_size(generator, size):
    assert generate(generator, sample_latents(2, 16, 0), size=size, progress=False).shape == (
        2,
        size,
        size,
        3,
    )


@pytest.mark.parametrize("shape", [(3, 15), (16,)])
def test_latents_of_the_wrong_shape_are_refused(generator, shape):
    with pytest.raises(UserError, match="16"):
        generate(generator, np.zeros(shape, np.float32), progress=False)


def test_pixels_are_rounded_and_clipped():
    levels = torch.tensor([-5.0, -1.0, 0.0, 0.5, 1.0, 5.0]).reshape(1, 1, 1, 6).expand(1, 3, 1, 6)
    assert to_uint8(levels)[0, 0, :, 0].tolist() == [0, 0, 128, 191, 255, 255]


def test_any_module_can_be_a_generator():
    module = nn.Sequential(nn.Linear(4, 3 * 8 * 8), nn.Unflatten(1, (3, 8, 8)), nn.Tanh())
    adapted = ModuleGenerator(module, latent_dim=4, resolution=8)
    assert generate(adapted, sample_latents(3, 4, 0), progress=False).shape == (3, 8, 8, 3)
    with pytest.raises(UserError, match="resolution"):
        generate(
            ModuleGenerator(module, latent_dim=4, resolution=16), sample_latents(3, 4, 0), progress=False
        )


@given(seed=st.integers(0, 1000), steps=st.integers(2, 9))
def test_interpolation_keeps_ends_and_goes_round_the_sphere_in_equal_steps(seed, steps):
    first, second = (sample_latents(3, 6, seed + k).astype(float) for k in (0, 2000))
    path = interpolate(first, second, steps)  # (3, steps, 6)
    np.testing.assert_allclose(path[:, 0], first, atol=1e-6)
    np.testing.assert_allclose(path[:, -1], second, atol=1e-6)
    lengths = np.linalg.norm(path, axis=2)
    ends = np.linalg.norm(first, axis=1)[:, None], np.linalg.norm(second, axis=1)[:, None]
    t = np.linspace(0, 1, steps)
    np.testing.assert_allclose(lengths, (1 - t) * ends[0] + t * ends[1], atol=1e-6)
    unit = path / lengths[..., None]
    cosines = (unit[:, 1:] * unit[:, :-1]).sum(axis=2)
    np.testing.assert_allclose(cosines, cosines[:, :1].repeat(steps - 1, axis=1), atol=1e-6)


def test_interpolation_between_equal_latents_stays_there():
    z = sample_latents(2, 6, 0)
    np.testing.assert_allclose(interpolate(z, z, 3), z[:, None].repeat(3, axis=1), atol=1e-6)
