"""MixUp: learn from mixtures of two images and of their labels."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from fairlab.classifiers import Batch, TrainingSet, cross_entropy
from fairlab.methods.base import Method
from fairlab.methods.cells import cells_of
from fairlab.methods.mixing import OTHER_GROUP, beta, mixed, partners_in
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class MixUp(Method):
    """Mix each image and its label with those of another, λ ~ Beta(α, α) once a batch.

    The partner is any image of the batch; with `by_group`, one of the same label and the other group, and
    the protected label is needed in training.
    """

    name: ClassVar[str] = "mixup"
    paper: ClassVar[str] = "Zhang et al., ICLR 2018, Equation 1; by group: Yao et al., ICML 2022, with p 1"
    protected_at: ClassVar[str] = "-"

    alpha: float = 0.2
    by_group: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_0("alpha")
        if self.by_group:
            object.__setattr__(self, "protected_at", "training")

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images, with groups only where partners are chosen by them."""
        real = work.real("train")
        if not self.by_group:
            return real.without_groups()
        cells_of(real)
        return real

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the cross-entropy of the mixtures."""
        share = beta(self.alpha, 1, batch)
        if self.by_group:
            partners = partners_in(batch, OTHER_GROUP)
        else:
            partners = torch.randperm(len(batch.labels), generator=batch.generator)
        return cross_entropy(network, mixed(batch, partners.to(batch.labels.device), share))
