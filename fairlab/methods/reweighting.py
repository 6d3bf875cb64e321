"""Re-weighting: every image's loss counts so that the groups weigh the same within each label."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from fairlab.classifiers import TrainingSet
from fairlab.methods.base import Method
from fairlab.methods.cells import cells_of
from fairlab.methods.oversampling import balanced_chances
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class Reweighting(Method):
    """Weigh each image's loss by n_y / (2 n_ya), so that groups weigh the same within each label.

    The numbers are those by which over-sampling draws, with a mean of 1; labels keep their shares. The
    protected label is needed in training.
    """

    name: ClassVar[str] = "reweighting"
    paper: ClassVar[str] = "Wang et al., CVPR 2020, Section 4.1 (celeba_weighting in their code)"

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images with their weights."""
        real = work.real("train")
        cells = cells_of(real)
        return dataclasses.replace(real, weights=len(real) * balanced_chances(cells // 2, cells % 2))
