"""GroupDRO: train for the cell of label and group that does worst."""

import dataclasses
import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from fairlab.classifiers import Batch, Recipe, TrainingSet
from fairlab.classifiers.networks import AttributeNetwork, build_network
from fairlab.core.errors import UserError
from fairlab.methods.base import Method
from fairlab.methods.cells import N_CELLS, batch_cells, cells_of, counts_of, equal_chances
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class GroupDRO(Method):
    """Minimise Σ q_g L_g over the cells; each step q_g grows by exp(`step` · L_g), and all sum to 1.

    Cells are drawn equally. `adjustment` C adds C / √n_g to L_g, so that small cells are fitted further. The
    protected label is needed in training.
    """

    name: ClassVar[str] = "group_dro"
    paper: ClassVar[str] = "Sagawa et al., ICLR 2020, Algorithm 1 and Section 3.3"

    step: float = 0.01
    adjustment: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_0("step")
        if not (math.isfinite(self.adjustment) and self.adjustment >= 0):
            raise UserError(f"The method's adjustment is {self.adjustment}; give a number of at least 0.")

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images, cells drawn equally."""
        real = work.real("train")
        return dataclasses.replace(real, draws=equal_chances(cells_of(real)))

    def network(
        self, recipe: Recipe, outputs: tuple[str, ...], work: Workspace | None, seed: int
    ) -> AttributeNetwork:
        """Return the plain network, which also keeps q."""
        roots = torch.ones(N_CELLS)
        if work is not None:
            roots = torch.from_numpy(counts_of(cells_of(work.real("train")))).float().sqrt()
        kind = partial(CellWeights, added=self.adjustment / roots)
        return build_network(recipe, len(outputs), seed=seed, imagenet=work is not None, kind=kind)

    def loss(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return Σ q_g L_g after q has moved, and the largest L_g for the curve."""
        assert isinstance(network, CellWeights)
        losses = nn.functional.binary_cross_entropy_with_logits(
            network(batch.images), batch.labels, reduction="none"
        ).mean(dim=1)  # (b,)
        members = nn.functional.one_hot(batch_cells(batch), N_CELLS).T.float()  # (4, b)
        by_cell = members @ losses / members.sum(dim=1).clamp_min(1) + network.added  # (4,); absent cells: 0
        grown = network.q * torch.exp(self.step * by_cell.detach())
        network.q.copy_(grown / grown.sum())
        return network.q.clone() @ by_cell, {"worst_cell": by_cell.max()}


class CellWeights(AttributeNetwork):
    """A plain network that keeps the weight of each cell."""

    def __init__(
        self, backbone: nn.Module, n_features: int, n_attributes: int, recipe: Recipe, *, added: Tensor
    ) -> None:
        super().__init__(backbone, n_features, n_attributes, recipe)
        self.q: Tensor
        self.added: Tensor
        self.register_buffer("q", torch.full((N_CELLS,), 1 / N_CELLS))
        self.register_buffer("added", added)  # (4,) C / √n_g
