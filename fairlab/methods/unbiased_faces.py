"""New drawn faces without the association: what unbiased data would buy."""

from dataclasses import dataclass
from typing import ClassVar

from fairlab.classifiers import TrainingSet
from fairlab.core.errors import UserError
from fairlab.data.sources import open_source
from fairlab.methods.base import Counts, Method
from fairlab.workspace.source import prepare_data
from fairlab.workspace.workspace import Workspace

#: Offset from a run's seed to that of its unbiased faces: its own seed would give its own faces.
UNBIASED_SEED = 500_000


@dataclass(frozen=True)
class UnbiasedFaces(Method):
    """Add drawn faces in which target and protected label are independent, as annotators would label them."""

    name: ClassVar[str] = "unbiased_faces"
    paper: ClassVar[str] = "a control of FairLab's own"

    n_added: int = 12_000

    def check(self, work: Workspace) -> None:
        """Refuse photographs: only drawn faces can be had without the association."""
        if not work.settings.is_drawn:
            raise UserError("Unbiased faces must be drawn, by --data synthfaces; choose another method.")

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Return X and the new faces."""
        source = open_source(
            "synthfaces",
            n_train=self.n_added,
            n_valid=0,
            n_test=0,
            seed=work.seed + UNBIASED_SEED,
            associations={(work.target, work.protected[0]): 0.0},
        )
        data = prepare_data(source, work.home, work.image_size)
        added = TrainingSet(
            data.split_images("train"),
            data.label_columns(work.outputs, "train"),
            data.label(work.protected[0], "train"),
            inputs={"unbiased_faces": data.fingerprint},
        )
        return work.real("train") + added

    def counts(self, work: Workspace) -> Counts:
        """Return the images of both parts."""
        return Counts(trained=work.source.counts["train"] + self.n_added)
