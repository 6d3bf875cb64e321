"""Losses against hand-computed values; penalties against a linear critic, whose gradient is known."""

import math

import pytest
import torch

from fairlab.generators.losses import critic_loss, generator_loss, gradient_penalty, r1_penalty


def _linear_critic(norm):
    torch.manual_seed(0)
    weights = torch.randn(3, 8, 8)
    weights *= norm / weights.norm()
    return lambda images: (images * weights).sum(dim=(1, 2, 3))


@pytest.mark.parametrize("norm", [0.5, 1.0, 3.0])
def test_r1_of_a_linear_critic_is_half_its_squared_norm(norm):
    penalty = r1_penalty(_linear_critic(norm), torch.randn(5, 3, 8, 8))
    assert float(penalty) == pytest.approx(norm**2 / 2, rel=1e-5)


@pytest.mark.parametrize("norm", [0.5, 1.0, 3.0])
def test_gradient_penalty_of_a_linear_critic_is_the_squared_distance_of_its_norm_from_one(norm):
    real, fake = torch.randn(5, 3, 8, 8), torch.randn(5, 3, 8, 8)
    penalty = gradient_penalty(_linear_critic(norm), real, fake, torch.rand(5))
    assert float(penalty) == pytest.approx((norm - 1) ** 2, abs=1e-5)


def test_gradient_penalty_looks_between_real_and_fake():
    """The critic |x|² / 2 has gradient x, so the penalty tells where it was taken."""
    real, fake = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    penalty = gradient_penalty(lambda x: x.square().sum(dim=(1, 2, 3)) / 2, real, fake, torch.tensor([0.25]))
    assert penalty.item() == pytest.approx((0.25 * math.sqrt(192) - 1) ** 2, rel=1e-4)


def test_penalties_teach_the_critic():
    weights = torch.ones(3, 8, 8, requires_grad=True)
    penalty = r1_penalty(lambda x: (x * weights).sum(dim=(1, 2, 3)), torch.randn(2, 3, 8, 8))
    penalty.backward()
    torch.testing.assert_close(weights.grad, weights.detach())  # d(|w|² / 2) / dw = w


def test_wasserstein_loss_has_the_papers_drift():
    real, fake = torch.tensor([2.0, 4.0]), torch.tensor([1.0, -1.0])
    expected = (1 - 2 + 0.001 * 4 + -1 - 4 + 0.001 * 16) / 2
    assert float(critic_loss(real, fake, "wgan-gp")) == pytest.approx(expected)
    assert float(generator_loss(fake, "wgan-gp")) == pytest.approx(0)


def test_logistic_loss_is_binary_cross_entropy():
    real, fake = torch.tensor([2.0, -0.5]), torch.tensor([1.0, -3.0])
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    expected = entropy(real, torch.ones(2)) + entropy(fake, torch.zeros(2))
    torch.testing.assert_close(critic_loss(real, fake, "logistic"), expected)
    torch.testing.assert_close(generator_loss(fake, "logistic"), entropy(fake, torch.ones(2)))
