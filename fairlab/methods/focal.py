"""Focal loss: what is already well classified counts little."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from fairlab.classifiers import Batch
from fairlab.core.errors import UserError
from fairlab.methods.cells import weighted_mean
from fairlab.methods.erm import ERM


@dataclass(frozen=True)
class Focal(ERM):
    """Multiply each image's cross-entropy L by (1 - e^-L)^γ, so that hard images count most.

    1 - e^-L is the chance that the network gives to the wrong label. γ 0 is plain training; the paper's is 2.
    The protected label is never needed.
    """

    name: ClassVar[str] = "focal"
    paper: ClassVar[str] = "Lin et al., ICCV 2017, Equation 4"
    selection: ClassVar[str] = "group_balanced_average_precision"

    gamma: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.gamma) and self.gamma >= 0):
            raise UserError(f"The method's gamma is {self.gamma}; give a finite number of at least 0.")

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean focal loss."""
        losses = nn.functional.binary_cross_entropy_with_logits(
            network(batch.images), batch.labels, reduction="none"
        )  # (b, k)
        wrong = (-torch.expm1(-losses)).clamp_min(1e-6)  # (b, k); roots have no slope at 0
        return weighted_mean((wrong**self.gamma * losses).mean(dim=1), batch)
