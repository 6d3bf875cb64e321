"""LISA: mixtures across groups, and across labels, that take away what tells groups apart."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from fairlab.classifiers import Batch, TrainingSet, cross_entropy
from fairlab.core.errors import UserError
from fairlab.methods.base import Method
from fairlab.methods.cells import cells_of, equal_chances
from fairlab.methods.mixing import OTHER_GROUP, OTHER_LABEL, beta, mixed, partners_in
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class LISA(Method):
    """Mix each image with one of its label and the other group, or of its group and the other label.

    A batch does the first with chance `p`, else the second; λ ~ Beta(α, α) is drawn for each image, and cells
    are drawn equally. Images are mixed as in MixUp; the paper cuts CelebA's (CutMix). The protected label is
    needed in training.
    """

    name: ClassVar[str] = "lisa"
    paper: ClassVar[str] = "Yao et al., ICML 2022, Algorithm 1"

    p: float = 0.5
    alpha: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_0("alpha")
        if not 0 <= self.p <= 1:
            raise UserError(f"The method's p is {self.p}; give a chance in [0, 1].")

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images, cells drawn equally."""
        real = work.real("train")
        return dataclasses.replace(real, draws=equal_chances(cells_of(real)))

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the cross-entropy of the mixtures."""
        within_label = torch.rand((), generator=batch.generator) < self.p
        partners = partners_in(batch, OTHER_GROUP if within_label else OTHER_LABEL)
        return cross_entropy(network, mixed(batch, partners, beta(self.alpha, len(partners), batch)))
