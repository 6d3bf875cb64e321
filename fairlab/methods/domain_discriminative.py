"""Domain-discriminative training: tell all cells apart, then take the skew of the groups out."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from fairlab.classifiers import Batch, Recipe, TrainingSet
from fairlab.classifiers.networks import AttributeNetwork, build_network
from fairlab.methods.base import Method
from fairlab.methods.cells import N_CELLS, batch_cells, cells_of, counts_of, weighted_mean
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class DomainDiscriminative(Method):
    """Learn a softmax over the cells (y, a), and sum over a after shifting the prior to balanced groups.

    At test P'(y, a | x) ∝ P(y, a | x) · n_y / (2 n_ya) in training images; without `prior_shift` cells are
    just summed, as the published code does for CelebA. The protected label is needed in training.
    """

    name: ClassVar[str] = "domain_discriminative"
    paper: ClassVar[str] = "Wang et al., CVPR 2020, Section 4.3; prior shift: Saerens et al., 2002"

    prior_shift: bool = True

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images; every cell has some."""
        real = work.real("train")
        cells_of(real)
        return real

    def network(
        self, recipe: Recipe, outputs: tuple[str, ...], work: Workspace | None, seed: int
    ) -> AttributeNetwork:
        """Return a network with an output for each cell, which answers for the label."""
        shift = torch.zeros(2, 2)
        if work is not None and self.prior_shift:
            shift = log_shift(counts_of(cells_of(work.real("train"))))
        kind = partial(CellNetwork, shift=shift)
        return build_network(recipe, N_CELLS, seed=seed, imagenet=work is not None, kind=kind)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the cross-entropy of the cells."""
        assert isinstance(network, CellNetwork)
        losses = nn.functional.cross_entropy(
            network.cells(batch.images), batch_cells(batch), reduction="none"
        )
        return weighted_mean(losses, batch)


class CellNetwork(AttributeNetwork):
    """Images to the log-odds of the label (n, 1), by way of four cells."""

    def __init__(
        self, backbone: nn.Module, n_features: int, n_attributes: int, recipe: Recipe, *, shift: Tensor
    ) -> None:
        super().__init__(backbone, n_features, n_attributes, recipe)
        self.shift: Tensor
        self.register_buffer("shift", shift)  # (2, 2): by label and group, added to log P(y, a | x)

    def cells(self, images: Tensor) -> Tensor:
        """Return log P(y, a | x) up to a constant, (n, 4)."""
        logits: Tensor = self.head(self.features(images).float())
        return logits

    def forward(self, images: Tensor, groups: Tensor | None = None) -> Tensor:
        """Return log P'(1 | x) - log P'(0 | x), (n, 1)."""
        of_label = (self.cells(images).view(-1, 2, 2) + self.shift).logsumexp(dim=2)  # (n, 2)
        return of_label[:, 1:] - of_label[:, :1]


def log_shift(counts: np.ndarray) -> Tensor:
    """Return log(n_y / (2 n_ya)) of the numbers of images of each cell, (4,) to (2, 2) float32."""
    by_label = counts.reshape(2, 2)
    return torch.from_numpy(np.log(by_label.sum(axis=1, keepdims=True) / (2 * by_label))).float()
