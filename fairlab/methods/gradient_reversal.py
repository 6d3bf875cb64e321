"""Gradient reversal: features from which an adversary cannot guess the group."""

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from fairlab.classifiers import Batch, cross_entropy_of
from fairlab.methods.adversarial import Adversarial
from fairlab.methods.adversaries import AdversarialNetwork, reverse


@dataclass(frozen=True)
class GradientReversal(Adversarial):
    """Turn the gradient of an adversary's loss round where it enters a layer, multiplied by `strength`.

    One optimiser minimises target loss + adversary's loss; the reversed gradient alone is multiplied by λ,
    which grows as λ (2 / (1 + e^(-10 p)) - 1) over the share p of the training unless `ramp` is off. The
    protected label is needed in training.
    """

    name: ClassVar[str] = "gradient_reversal"
    paper: ClassVar[str] = "Wang et al., ICCV 2019, Section 5; ramp: Ganin et al., JMLR 2016, Section 5.2.2"

    strength: float = 3.0
    ramp: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_0("strength")

    def strength_at(self, progress: float) -> float:
        """Return λ when a share `progress`, in [0, 1], of the training is over."""
        return self.strength * ((2 / (1 + math.exp(-10 * progress)) - 1) if self.ramp else 1.0)

    def loss(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return both losses' sum, and each."""
        assert isinstance(network, AdversarialNetwork)
        logits, stage = network.at(batch.images, self.layer)
        task = cross_entropy_of(logits, batch)
        turned = reverse(stage, self.strength_at(batch.progress))
        adversary = self.guess_loss(network, turned, batch)
        return task + adversary, {"task": task, "adversary": adversary}
