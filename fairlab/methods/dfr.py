"""Deep feature reweighting: the last layer of plain training, fitted anew to balanced validation images."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from sklearn.preprocessing import StandardScaler

from fairlab.classifiers import Classifier, TrainingSet
from fairlab.methods.cells import cells_of, require_cells
from fairlab.methods.erm import ERM
from fairlab.methods.last_layer import balanced_fit, seen_by_last, set_last
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class DFR(ERM):
    """Train plainly, then fit the last layer anew to validation images with equal cells (L1 logistic).

    The penalty is the one with the best worst cell: fitted on one half of these images, judged on the other.
    The result is the mean of `fits` fits on fresh balanced subsets of all. Only the half of the validation
    images that nothing is chosen on is used. Their protected labels are needed, those of training images not.
    """

    name: ClassVar[str] = "dfr"
    paper: ClassVar[str] = "Kirichenko, Izmailov, Wilson, ICLR 2023 (DFR on validation data)"
    protected_at: ClassVar[str] = "validation"
    selection: ClassVar[str] = "average_precision"

    fits: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_above_0("fits")

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return the real images; both halves of the later fit have all cells."""
        fit, real = work.validation_half("fit"), super().training_set(work, seed)
        require_cells(cells_of(fit), 2, "validation (the half to fit on)")
        return replace(real, inputs={**real.inputs, **fit.inputs})

    def refit(self, classifier: Classifier, work: Workspace, seed: int) -> Classifier:
        """Return the classifier with a new last layer."""
        data, random = work.validation_half("fit"), np.random.default_rng([work.seed + seed, self.fits])
        scaler = StandardScaler()
        features = scaler.fit_transform(seen_by_last(classifier, data.images).astype(np.float64))
        weight, bias = balanced_fit(features, cells_of(data), self.fits, random)
        weight = weight / scaler.scale_
        set_last(classifier, weight[None], np.array([bias - weight @ scaler.mean_]))
        return classifier
