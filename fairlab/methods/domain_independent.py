"""Domain-independent training: a head for each group on shared features."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import Tensor, nn

from fairlab.classifiers import Batch, Recipe, TrainingSet, cross_entropy_of
from fairlab.classifiers.networks import AttributeNetwork, build_network
from fairlab.methods.base import Method
from fairlab.methods.cells import cells_of
from fairlab.methods.group_heads import KNOWN, RULES, GroupHeads, own_head
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class DomainIndependent(Method):
    """Give each group a last layer of its own on shared features; only the own one learns from an image.

    Rules at test: `sum_out`, the mean of both logits; `known_a`, that of the image's group, which must then
    be known at test; `sum_probabilities` and `max`, the label whose chances have the largest sum or are the
    largest. The protected label is needed in training.
    """

    name: ClassVar[str] = "domain_independent"
    paper: ClassVar[str] = "Wang et al., CVPR 2020, Section 4.4"

    rule: str = "sum_out"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_one_of("rule", (*RULES, KNOWN))
        if self.rule == KNOWN:
            object.__setattr__(self, "protected_at", "test")

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images; every cell has some."""
        real = work.real("train")
        cells_of(real)
        return real

    def network(
        self, recipe: Recipe, outputs: tuple[str, ...], work: Workspace | None, seed: int
    ) -> AttributeNetwork:
        """Return a network with two logits an output."""
        kind = partial(GroupHeads, rule=self.rule)
        return build_network(recipe, 2 * len(outputs), seed=seed, imagenet=work is not None, kind=kind)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the cross-entropy of each image's own head."""
        assert isinstance(network, GroupHeads)
        assert batch.groups is not None
        return cross_entropy_of(own_head(network.by_group(batch.images), batch.groups), batch)
