"""Generated faces without partners: do the pairs help, or just more images?"""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from fairlab.classifiers import TrainingSet
from fairlab.methods.base import Counts
from fairlab.methods.latent_pairs.generated import GeneratedFaces, labelled_faces, sample_faces
from fairlab.workspace.workspace import Workspace


@dataclass(frozen=True)
class UnpairedFaces(GeneratedFaces):
    """Add twice as many random generated faces as there are pairs, labelled like any z."""

    name: ClassVar[str] = "unpaired_faces"
    paper: ClassVar[str] = "a control of FairLab's own"

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return X, the z of the pairs, and as many further faces."""
        first, more = self.faces(work), sample_faces(work, self.n_pairs, work.seed + 1)
        parts = [work.real("train")]
        for name, faces, rows in (("z", first, self.pair_rows), ("further", more, slice(None))):
            given = self.pseudo_labels(work, faces, "target", seed)
            inputs = {name: faces.fingerprint, f"{name}_labels": given.fingerprint}
            parts.append(labelled_faces(faces, rows, given.labels[rows], None, inputs))
        return parts[0] + parts[1] + parts[2]

    def counts(self, work: Workspace) -> Counts:
        """Return the images of `GeneratedFaces.counts`, and the further faces, which one annotator labels."""
        plain = super().counts(work)
        return dataclasses.replace(
            plain, generated=plain.generated + self.n_pairs, scored=plain.scored + self.n_pairs
        )
