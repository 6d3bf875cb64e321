"""Plain training (empirical risk minimisation): the baseline of every comparison."""

from dataclasses import dataclass
from typing import ClassVar

from fairlab.classifiers import TrainingSet
from fairlab.methods.base import Method
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class ERM(Method):
    """Learn from the real images as they are; the protected label is never looked at."""

    name: ClassVar[str] = "erm"
    protected_at: ClassVar[str] = "-"
    selection: ClassVar[str] = "average_precision"

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images, X; runs with other protected attributes share the result."""
        return work.real("train").without_groups()
