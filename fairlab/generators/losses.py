"""What critic and generator minimise.

``"logistic"`` is the non-saturating loss with the R1 gradient penalty (Goodfellow et al., 2014; Mescheder et
al., ICML 2018); ``"wgan-gp"`` the Wasserstein loss with gradient penalty and drift term of the progressive
GAN paper (Karras et al., ICLR 2018, appendix A.1; Gulrajani et al., NeurIPS 2017).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from fairlab.generators.recipe import Loss

DRIFT_WEIGHT = 0.001  # keeps the Wasserstein critic's scores near zero (paper, appendix A.1)


def critic_loss(real: Tensor, fake: Tensor, loss: Loss) -> Tensor:
    """Loss of the critic from its scores, (n,) each, without the gradient penalty."""
    if loss == "wgan-gp":
        return (fake - real + DRIFT_WEIGHT * real.square()).mean()
    return (F.softplus(-real) + F.softplus(fake)).mean()


def generator_loss(fake: Tensor, loss: Loss) -> Tensor:
    """Loss of the generator from the critic's scores of its images, (n,)."""
    return -fake.mean() if loss == "wgan-gp" else F.softplus(-fake).mean()


def r1_penalty(critic: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """Half the mean squared norm of the critic's gradient at real images, (n, 3, r, r)."""
    return _squared_gradient_norm(critic, real).mean() / 2


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Mean squared distance from 1 of the critic's gradient norm between real and fake images.

    Parameters
    ----------
    critic : callable
        Maps (n, 3, r, r) images to (n,) scores.
    real, fake : Tensor, (n, 3, r, r)
        The images between which the gradient is taken.
    mix : Tensor, (n,)
        Position on the line from real (0) to fake (1), uniform in [0, 1].
    """
    between = torch.lerp(real, fake, mix.reshape(-1, 1, 1, 1))
    norm = (_squared_gradient_norm(critic, between) + 1e-12).sqrt()
    return (norm - 1).square().mean()


def _squared_gradient_norm(critic: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    images = images.detach().requires_grad_()
    # float32 throughout: second derivatives in bfloat16 are slow on CPUs and coarse everywhere.
    (gradient,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1)  # (n,)
