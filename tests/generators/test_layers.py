"""Layers against plain definitions: convolution then resizing, unit mean square, hand-computed statistics."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlab.generators.layers import (
    EqualConv2d,
    EqualLinear,
    downsample,
    minibatch_stddev,
    pixel_norm,
    upsample,
)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def _with_bias(layer):
    torch.nn.init.normal_(layer.bias)
    return layer


@pytest.mark.parametrize("size", [2, 4, 10])
def test_up_convolution_equals_upsampling_then_convolution(size):
    layer, x = _with_bias(EqualConv2d(5, 7, resample="up")), torch.randn(3, 5, size, size)
    expected = F.conv2d(upsample(x), layer.weight * layer.scale, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [2, 4, 10])
def test_down_convolution_equals_convolution_then_averaging(size):
    layer, x = _with_bias(EqualConv2d(5, 7, resample="down")), torch.randn(3, 5, size, size)
    expected = downsample(F.conv2d(x, layer.weight * layer.scale, layer.bias, padding=1))
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layer", [EqualLinear(300, 4), EqualConv2d(30, 4), EqualConv2d(300, 4, kernel=1)])
def test_equalised_weights_are_standard_normal_and_scaled_by_he_constant(layer):
    fan_in = layer.weight[0].numel()
    assert layer.scale == pytest.approx(math.sqrt(2 / fan_in))
    assert float(layer.weight.detach().std()) == pytest.approx(1, abs=0.1)


def test_equalised_linear_doubles_the_variance_that_a_rectifier_halves():
    layer, x = EqualLinear(512, 512), torch.randn(2000, 512)
    assert float(layer(x).detach().var()) == pytest.approx(2, rel=0.05)


def test_layers_compute_in_the_dtype_of_their_input():
    for layer in (EqualConv2d(4, 4), EqualConv2d(4, 4, resample="up"), EqualConv2d(4, 4, resample="down")):
        assert layer(torch.randn(1, 4, 4, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16


@settings(deadline=None)
@given(scale=st.floats(0.01, 1000), shape=st.sampled_from([(3, 16), (2, 8, 4, 4)]))
def test_pixel_norm_gives_unit_mean_square_whatever_the_length(scale, shape):
    x = torch.randn(shape) * scale
    square = pixel_norm(x).square().mean(dim=1)
    torch.testing.assert_close(square, torch.ones_like(square), atol=1e-2, rtol=0)


def test_minibatch_stddev_is_the_mean_deviation_within_groups():
    x = torch.randn(8, 3, 4, 4)
    statistic = minibatch_stddev(x, group=4)[:, 3]  # (8, 4, 4)
    for first in (0, 1):
        members = np.arange(4 * first, 4 * first + 4)
        expected = x[members].numpy().std(axis=0).mean()
        np.testing.assert_allclose(statistic[members], np.full((4, 4, 4), expected), rtol=1e-5)
    torch.testing.assert_close(minibatch_stddev(x)[:, :3], x)


def test_minibatch_stddev_of_two_joined_batches_is_that_of_each():
    a, b = torch.randn(8, 3, 4, 4), torch.randn(8, 3, 4, 4)
    joined = minibatch_stddev(torch.cat([a, b]))
    torch.testing.assert_close(joined, torch.cat([minibatch_stddev(a), minibatch_stddev(b)]))


def test_minibatch_stddev_of_equal_images_is_zero_and_any_batch_size_works():
    same = torch.randn(1, 3, 4, 4).expand(6, 3, 4, 4)
    assert float(minibatch_stddev(same)[:, 3].max()) < 1e-3
    assert minibatch_stddev(torch.randn(5, 3, 4, 4)).shape == (5, 4, 4, 4)


def test_upsample_then_downsample_is_the_identity():
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(downsample(upsample(x)), x)
