"""Over-sampling: real images drawn so that the groups are equally frequent within each label."""

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from fairlab.classifiers import TrainingSet
from fairlab.classifiers.images import Selected
from fairlab.core.errors import UserError
from fairlab.methods.base import Counts, Method
from fairlab.methods.cells import cells_of, equal_chances
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class Oversampling(Method):
    """Draw every image with a chance that balances the groups within each label, anew in each epoch.

    Labels stay as frequent as they are; with `cells`, all four combinations of label and group are equally
    frequent (as in SubpopBench). The protected label is needed in training.
    """

    name: ClassVar[str] = "oversampling"
    paper: ClassVar[str] = "Wang et al., CVPR 2020, Section 4.1"

    cells: bool = field(default=False, metadata={"later": True})

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images with their chances of being drawn."""
        real = work.real("train")
        if self.cells:
            return dataclasses.replace(real, draws=equal_chances(cells_of(real)))
        chances = balanced_chances(real.labels[:, 0], real.known_groups())
        return dataclasses.replace(real, draws=chances)


@dataclass(frozen=True)
class AddedOversampling(Method):
    """Add balanced draws to the real images: the pairs' control, which has as many images as they."""

    name: ClassVar[str] = "added_oversampling"
    paper: ClassVar[str] = "a control of FairLab's own"

    n_added: int = 12_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_added < 1:
            raise UserError(f"n_added is {self.n_added}; add at least one image.")

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return X and `n_added` of its images again."""
        real = work.real("train")
        y, a = real.labels[:, 0], real.known_groups()
        rows = balanced_rows(y, a, self.n_added, seed=work.seed + seed)
        added = TrainingSet(
            Selected(work.images("train"), rows), real.labels[rows], a[rows], inputs={"n": str(len(rows))}
        )
        return real + added

    def counts(self, work: Workspace) -> Counts:
        """Return the images of both parts."""
        return Counts(trained=work.source.counts["train"] + self.n_added)


def balanced_chances(y: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Return each image's chance of being drawn: labels as frequent as they are, groups equally in each.

    Parameters
    ----------
    y, a : arrays of shape (n,)
        Target and protected labels, 0 or 1; every combination occurs.

    Returns
    -------
    (n,) float64 array, sums to 1
    """
    cells = 2 * y.astype(int) + a  # (n,) 0..3
    counts = np.bincount(cells, minlength=4).reshape(2, 2)  # (label, group)
    weights = counts.sum(axis=1, keepdims=True) / (2 * counts)
    chances: np.ndarray = weights.ravel()[cells] / len(y)
    return chances


def balanced_rows(y: np.ndarray, a: np.ndarray, n: int, *, seed: int) -> np.ndarray:
    """Draw `n` rows with replacement by `balanced_chances`: an (n,) integer array."""
    return np.random.default_rng([seed, n]).choice(len(y), size=n, p=balanced_chances(y, a))
