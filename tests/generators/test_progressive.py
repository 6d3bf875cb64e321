"""Growth: a stage that starts to fade in changes nothing, one that has faded in no longer needs the old."""

import pytest
import torch

from fairlab.generators import ProgressiveCritic, ProgressiveGenerator
from fairlab.generators.layers import downsample, upsample

CHANNELS = (8, 8, 6, 4)


@pytest.fixture
def generator():
    torch.manual_seed(1)
    return ProgressiveGenerator(latent_dim=16, channels=CHANNELS)


@pytest.fixture
def critic():
    torch.manual_seed(2)
    return ProgressiveCritic(CHANNELS)


@pytest.mark.parametrize("resolution", [8, 16, 32])
def test_generator_at_alpha_zero_is_the_old_stage_upsampled(generator, resolution):
    z = torch.randn(3, 16)
    generator.grow(resolution // 2)
    old = generator(z)
    generator.grow(resolution, alpha=0.0)
    torch.testing.assert_close(generator(z), upsample(old))


@pytest.mark.parametrize("resolution", [8, 16, 32])
def test_critic_at_alpha_zero_is_the_old_stage_of_the_downsampled_image(critic, resolution):
    images = torch.randn(4, 3, resolution, resolution)
    critic.grow(resolution // 2)
    old = critic(downsample(images))
    critic.grow(resolution, alpha=0.0)
    torch.testing.assert_close(critic(images), old)


@pytest.mark.parametrize("resolution", [8, 16, 32])
def test_at_alpha_one_the_old_image_layers_no_longer_matter(generator, critic, resolution):
    z, images, stage = (
        torch.randn(3, 16),
        torch.randn(4, 3, resolution, resolution),
        resolution.bit_length() - 3,
    )
    for network, layers, x in ((generator, "to_rgb", z), (critic, "from_rgb", images)):
        network.grow(resolution)
        before = network(x)
        torch.nn.init.normal_(getattr(network, layers)[stage - 1].weight)
        torch.testing.assert_close(network(x), before)


@pytest.mark.parametrize("alpha", [0.25, 0.75])
def test_fading_generator_is_the_blend_of_its_two_stages(generator, alpha):
    z = torch.randn(3, 16)
    images = {}
    for weight in (0.0, alpha, 1.0):
        generator.grow(16, weight)
        images[weight] = generator(z)
    torch.testing.assert_close(images[alpha], (1 - alpha) * images[0.0] + alpha * images[1.0])


def test_latents_of_any_length_on_a_ray_give_one_image(generator):
    z = torch.randn(3, 16)
    torch.testing.assert_close(generator(5 * z), generator(z), atol=1e-4, rtol=1e-4)
    assert torch.isfinite(generator(torch.zeros(1, 16))).all()


def test_images_of_a_batch_do_not_depend_on_each_other(generator):
    z = torch.randn(5, 16)
    one_by_one = torch.cat([generator(row[None]) for row in z])
    torch.testing.assert_close(generator(z), one_by_one, atol=1e-4, rtol=1e-4)


def test_shapes_and_resolution_follow_growth(generator, critic):
    for resolution in (4, 8, 16, 32):
        generator.grow(resolution)
        critic.grow(resolution)
        images = generator(torch.randn(4, 16))
        assert images.shape == (4, 3, resolution, resolution)
        assert generator.resolution == resolution
        assert critic(images).shape == (4,)


def test_growing_beyond_the_channels_is_refused(generator):
    with pytest.raises(ValueError, match="64"):
        generator.grow(64)


def test_features_keep_their_scale_through_a_fresh_network(generator):
    """Equalised layers and pixel norm: a new generator's images have about unit variance at every depth."""
    torch.manual_seed(0)
    wide = ProgressiveGenerator(64, (32, 32, 32, 32))
    for resolution in (4, 8, 16, 32):
        wide.grow(resolution)
        assert 0.3 < float(wide(torch.randn(64, 64)).detach().std()) < 3
