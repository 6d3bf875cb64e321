"""Two heads: a threshold for each group, for images of which the group is only guessed."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from fairlab.classifiers import Batch, Classifier, Recipe, TrainingSet, cross_entropy_of
from fairlab.classifiers.networks import AttributeNetwork, build_network
from fairlab.core.errors import UserError
from fairlab.methods.base import Method
from fairlab.methods.cells import cells_of, require_cells
from fairlab.methods.group_heads import HeadForGroup
from fairlab.methods.rules.two_thresholds import AIMS, two_thresholds
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class TwoHeads(Method):
    """Learn f for the target and g ≈ E[a | x]; decide by f - τ_0 - (τ_1 - τ_0) · g > 0.

    τ comes from half of the validation images. The network has the usual shape and that sum as its logit, so
    that it decides at a score of one half. `aim`: `equal_tpr`; `least_tpr`, the smallest true positive rate
    at least `at_least`; `accuracy`, true positive rates at most `bound` apart. The protected label is needed
    in training, not at test.
    """

    name: ClassVar[str] = "two_heads"
    paper: ClassVar[str] = "Lohaus et al., NeurIPS 2022; Delaney et al. (OxonFair), NeurIPS 2024"

    aim: str = "equal_tpr"
    at_least: float = 0.8
    bound: float = 0.02
    weight: float = 1.0  # of g's squared loss

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_one_of("aim", AIMS)
        self.require_above_0("weight")
        for name in ("at_least", "bound"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"The method's {name} is {getattr(self, name)}; give a share in [0, 1].")

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images; all cells occur, also where thresholds are fitted."""
        fit, real = work.validation_half("fit"), work.real("train")
        require_cells(cells_of(fit), 1, "validation (the half to fit on)")
        cells_of(real)
        return replace(real, inputs={**real.inputs, **fit.inputs})

    def network(
        self, recipe: Recipe, outputs: tuple[str, ...], work: Workspace | None, seed: int
    ) -> AttributeNetwork:
        """Return the network with both heads, and thresholds of 0."""
        return build_network(recipe, len(outputs), seed=seed, imagenet=work is not None, kind=HeadForGroup)

    def loss(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cross-entropy of f and the squared error of g, and each."""
        assert isinstance(network, HeadForGroup)
        assert batch.groups is not None
        f, g = network.both(network.features(batch.images))
        task, group = cross_entropy_of(f, batch), (g[:, 0] - batch.groups).square().mean()
        return task + self.weight * group, {"task": task, "group": group}

    def refit(self, classifier: Classifier, work: Workspace, seed: int) -> Classifier:
        """Return the classifier with thresholds fitted to half of the validation images."""
        data, network = work.validation_half("fit"), classifier.network
        assert isinstance(network, HeadForGroup)
        features = torch.from_numpy(classifier.features(data.images)).to(classifier.device)
        with torch.inference_mode():
            f, g = (values[:, 0].double().cpu().numpy() for values in network.both(features))
        found = two_thresholds(
            f, g, data.labels[:, 0], data.known_groups(), self.aim, at_least=self.at_least, bound=self.bound
        )
        network.thresholds.copy_(torch.tensor(found))
        return classifier
