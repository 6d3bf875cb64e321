"""Classifier re-training: the last layer of plain training, trained anew on balanced training images."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from fairlab.classifiers import Classifier, TrainingSet
from fairlab.methods.base import Method
from fairlab.methods.cells import cells_of, equal_chances
from fairlab.methods.last_layer import seen_by_last
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class CRT(Method):
    """Train plainly, then train a new last layer on training images whose cells are drawn equally.

    All else stays to the bit; images are then seen as in evaluation, once. `passes` over as many draws as
    there are images, by Adam at the recipe's learning rate. The protected label is needed in training.
    """

    name: ClassVar[str] = "crt"
    paper: ClassVar[str] = "Kang et al., ICLR 2020, Section 4; with cells as in SubpopBench, ICML 2023"
    selection: ClassVar[str] = "average_precision"

    passes: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_0("passes")

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images as for plain training; every cell has some."""
        real = work.real("train")
        cells_of(real)  # they matter only to the refit, so that this is plain training until then
        return replace(real, groups=None)

    def refit(self, classifier: Classifier, work: Workspace, seed: int) -> Classifier:
        """Return the classifier with a new last layer."""
        data, recipe = work.real("train"), classifier.recipe
        features = torch.from_numpy(seen_by_last(classifier, data.images))  # (n, d)
        labels, chances = torch.from_numpy(data.labels).float(), equal_chances(cells_of(data))
        random, n = np.random.default_rng([work.seed + seed, self.passes]), len(data)
        last = _new(classifier.network.last, seed=work.seed + seed)
        optimiser = torch.optim.Adam(last.parameters(), lr=recipe.learning_rate)
        for _ in range(self.passes):
            drawn = random.choice(n, size=n, p=chances)
            for rows in np.array_split(drawn, max(1, n // recipe.batch_size)):
                loss = nn.functional.binary_cross_entropy_with_logits(last(features[rows]), labels[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        classifier.network.last.load_state_dict(last.state_dict())
        return classifier


def _new(layer: nn.Linear, *, seed: int) -> nn.Linear:
    """Return a layer of the same size on the CPU, with random weights from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(layer.in_features, layer.out_features)
