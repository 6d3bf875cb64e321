"""What methods with an adversary share: the network, its warm start, and the settings of both."""

import dataclasses
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from fairlab.classifiers import Batch, Recipe, TrainingSet
from fairlab.classifiers.networks import AttributeNetwork, build_network, check_layer
from fairlab.core.errors import UserError
from fairlab.methods.adversaries import ADVERSARIES, AdversarialNetwork
from fairlab.methods.base import Method, load_classifier, train
from fairlab.methods.cells import cells_of
from fairlab.methods.erm import ERM
from fairlab.methods.oversampling import balanced_chances
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class Adversarial(Method):
    """Learn the target while an adversary guesses the group from a layer.

    Attributes
    ----------
    layer : str
        What the adversary sees: one of `fairlab.classifiers.networks.LAYERS`.
    adversary : str
        Its kind: one of `fairlab.methods.adversaries.ADVERSARIES`.
    warm : float
        Share of the recipe's epochs in which the network is trained plainly beforehand, in [0, 1]; with 0
        all starts from random weights.
    warm_rate : float
        Share of the learning rate at which a warm network goes on; its adversary learns at the whole rate.
    oversampling : bool
        Draw images so that groups are equally frequent within each label.
    """

    layer: str = "layer4"
    adversary: str = "map"
    warm: float = 0.5
    warm_rate: float = 0.3
    oversampling: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_layer(self.layer)
        self.require_one_of("adversary", ADVERSARIES)
        self.require_above_0("warm_rate")
        if not 0 <= self.warm <= 1:
            raise UserError(f"The method's warm is {self.warm}; give a share of the epochs in [0, 1].")
        if self.adversary == "copied" and not self.layer.startswith("layer"):
            raise UserError(f"No convolutions follow '{self.layer}' that could be copied; take a linear one.")

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images, drawn as wanted."""
        real = work.real("train")
        cells = cells_of(real)
        if self.oversampling:
            real = dataclasses.replace(real, draws=balanced_chances(cells // 2, cells % 2))
        if not self.warm:
            return real
        n_epochs = self.warm_recipe(work).epochs
        inputs = {**real.inputs, "warm": f"{n_epochs} epochs"}
        return dataclasses.replace(real, inputs=inputs, images_before=n_epochs * len(real))

    def warm_recipe(self, work: Workspace) -> Recipe:
        """Return the recipe of the plain training beforehand."""
        return dataclasses.replace(work.recipe, epochs=max(1, round(self.warm * work.recipe.epochs)))

    def network(
        self, recipe: Recipe, outputs: tuple[str, ...], work: Workspace | None, seed: int
    ) -> AttributeNetwork:
        """Return the network with its adversary, perhaps from plain training."""
        weights = torch.ones(2)
        if work is not None and not self.oversampling:  # which balances the groups itself
            counts = np.bincount(work.groups("train"), minlength=2)
            weights = torch.from_numpy(counts.sum() / (2 * counts)).float()
        kind = partial(AdversarialNetwork, layer=self.layer, adversary=self.adversary, weights=weights)
        network = build_network(recipe, len(outputs), seed=seed, imagenet=work is not None, kind=kind)
        if self.warm:
            network.rate = self.warm_rate  # type: ignore[assignment]
        if self.warm and work is not None:
            step = train(ERM(), work, seed - work.seed, recipe=self.warm_recipe(work))
            network.load_state_dict(load_classifier(step.folder, "cpu").network.state_dict(), strict=False)
        return network

    def guess_loss(self, network: AdversarialNetwork, stage: Tensor, batch: Batch) -> Tensor:
        """Return the adversary's mean cross-entropy; both groups weigh the same."""
        assert batch.groups is not None
        return nn.functional.cross_entropy(network.guess(stage), batch.groups, network.group_weights)
