"""Just train twice: what a short training gets wrong is shown more often in the next."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fairlab.classifiers import TrainingSet
from fairlab.core.errors import UserError
from fairlab.methods.base import load_classifier, train
from fairlab.methods.erm import ERM
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class JTT(ERM):
    """Train for `first_epochs`, then anew, with what that got wrong shown 1 + `copies` times as often.

    Both trainings are plain; errors are counted at a score of one half. The protected label is never needed
    in training.
    """

    name: ClassVar[str] = "jtt"
    paper: ClassVar[str] = "Liu et al., ICML 2021, Algorithm 1"
    selection: ClassVar[str] = "group_balanced_average_precision"

    first_epochs: int = 1
    copies: float = 50.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_0("copies")
        if self.first_epochs < 1:
            raise UserError(f"The method's first_epochs is {self.first_epochs}; at least one is needed.")

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images, with errors of the first training drawn more often."""
        real = super().training_set(work, seed)
        short = dataclasses.replace(work.recipe, epochs=self.first_epochs)
        first = train(ERM(), work, seed, recipe=short)
        scores = load_classifier(first.folder, work.device).score(real.images)  # (n, k)
        wrong = ((scores > 0.5) != real.labels).any(axis=1)
        return dataclasses.replace(
            real,
            draws=np.where(wrong, 1.0 + self.copies, 1.0),
            inputs={**real.inputs, "first": first.fingerprint},
            images_before=self.first_epochs * len(real),
        )
