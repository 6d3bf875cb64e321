"""Uniform confusion: features on which an adversary cannot but guess."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from fairlab.classifiers import Batch, cross_entropy_of
from fairlab.methods.adversarial import Adversarial
from fairlab.methods.adversaries import AdversarialNetwork


@dataclass(frozen=True)
class UniformConfusion(Adversarial):
    """Add `strength` · H(uniform, adversary): features move to where the adversary cannot but guess.

    The adversary learns by its own loss, on features that it cannot move. The published form alternates
    epochs, two of three the adversary's; here both learn in every step, in one optimiser. The protected label
    is needed in training.
    """

    name: ClassVar[str] = "uniform_confusion"
    paper: ClassVar[str] = "Tzeng et al., ICCV 2015, Equation 3; as in Wang et al., CVPR 2020, Section 4.2"

    layer: str = "features"
    adversary: str = "linear"
    strength: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_0("strength")

    def loss(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return target loss, confusion and adversary's loss together, and each."""
        assert isinstance(network, AdversarialNetwork)
        logits, stage = network.at(batch.images, self.layer)
        task = cross_entropy_of(logits, batch)
        guessed = network.guess(stage, network.fixed_adversary())  # (b, 2)
        confusion = -nn.functional.log_softmax(guessed, dim=1).mean()
        adversary = self.guess_loss(network, stage.detach(), batch)
        total = task + self.strength * confusion + adversary
        return total, {"task": task, "confusion": confusion, "adversary": adversary}
