"""Gradient projection: steps of the target that do not help an adversary."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from fairlab.classifiers import Batch, cross_entropy_of
from fairlab.methods.adversarial import Adversarial
from fairlab.methods.adversaries import AdversarialNetwork


@dataclass(frozen=True)
class GradientProjection(Adversarial):
    """Take out of each tensor's target gradient what would help the adversary, and add what harms it.

    g_t - α g_a - (g_t · g_a / ‖g_a‖²) g_a, with α = `strength`; the published adversary sees the logits. The
    protected label is needed in training.
    """

    name: ClassVar[str] = "gradient_projection"
    paper: ClassVar[str] = "Zhang, Lemoine, Mitchell, AIES 2018, Equation 1"

    layer: str = "scores"
    adversary: str = "linear"
    strength: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_0("strength")

    def loss(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return both losses' sum, of which the network's gradient is the projected one; and each."""
        assert isinstance(network, AdversarialNetwork)
        logits, stage = network.at(batch.images, self.layer)
        task = cross_entropy_of(logits, batch)
        of_adversary = set(network.adversary.parameters())
        learnt = [p for p in network.parameters() if p.requires_grad and p not in of_adversary]
        helped = self.guess_loss(network, stage, batch)
        adversary = self.guess_loss(network, stage.detach(), batch)  # its own: moves nothing else
        g_t = torch.autograd.grad(task, learnt, retain_graph=True, allow_unused=True)
        g_a = torch.autograd.grad(helped, learnt, allow_unused=True)
        steps = projected(g_t, g_a, self.strength)
        # Linear in the parameters, with the projected gradient as its slope.
        slope = sum((p * g).sum() for p, g in zip(learnt, steps, strict=True) if g is not None)
        total = task.detach() + slope - torch.as_tensor(slope).detach() + adversary
        return total, {"task": task, "adversary": adversary}


def projected(
    of_task: Sequence[Tensor | None], of_adversary: Sequence[Tensor | None], strength: float
) -> list[Tensor | None]:
    """Return g_t - α g_a - (g_t · g_a / ‖g_a‖²) g_a for each tensor; None: the loss does not depend on it."""
    found: list[Tensor | None] = []
    for g_t, g_a in zip(of_task, of_adversary, strict=True):
        if g_t is None or g_a is None:
            found.append(g_t if g_a is None else -strength * g_a)
            continue
        share = (g_t * g_a).sum() / g_a.square().sum().clamp_min(torch.finfo(g_a.dtype).tiny)
        found.append(g_t - strength * g_a - share * g_a)
    return found
