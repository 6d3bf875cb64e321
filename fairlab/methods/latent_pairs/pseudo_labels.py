"""What a classifier says of generated images: its scores, and the threshold that turns them into labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fairlab.classifiers import Classifier
from fairlab.core.files import load_array, read_json, save_array, write_json
from fairlab.core.store import Step
from fairlab.metrics import best_f1_threshold

if TYPE_CHECKING:
    from fairlab.experiments.run import Run

SCORES_FILE, THRESHOLDS_FILE = "scores.npy", "thresholds.json"


@dataclass(frozen=True)
class Labelling:
    """The labels that one classifier gives to generated images for one attribute.

    Attributes
    ----------
    classifier : Step
        The trained network, of this attribute alone or of several.
    generated : Step
        ``scores.npy`` and ``thresholds.json`` of `label_generated`.
    attribute : str
        One of the network's.
    """

    classifier: Step
    generated: Step
    attribute: str

    @cached_property
    def scores(self) -> np.ndarray:
        """Scores of all generated images, (n,) float32 in [0, 1]."""
        scores = load_array(self.generated.folder / SCORES_FILE)  # (n, k)
        return scores[:, list(self._thresholds).index(self.attribute)]

    @property
    def threshold(self) -> float:
        """The best-F1 threshold on real validation images."""
        return float(self._thresholds[self.attribute])

    @property
    def labels(self) -> np.ndarray:
        """Labels of all generated images, (n,) uint8, 0 or 1."""
        return (self.scores > self.threshold).astype(np.uint8)

    @cached_property
    def _thresholds(self) -> dict[str, float]:
        thresholds: dict[str, float] = read_json(self.generated.folder / THRESHOLDS_FILE)
        return thresholds


def label_generated(run: Run, role: str, seed: int, latents: Step) -> Labelling:
    """Return what the classifier of a role says of generated images, scored once for all runs.

    Parameters
    ----------
    run : Run
    role : str
        One of ``run.roles``.
    seed : int
        Training seed of the target's classifier.
    latents : Step
        With ``images.npy``.

    Notes
    -----
    Labels are scores above the threshold with the best F1 on real validation images: Ramaswamy et al.,
    CVPR 2021, Section 4.
    """
    classifier = run.labeller(role, seed)

    def make(folder: Path) -> None:
        network = Classifier.load(classifier.folder, run.device)
        truth = run.data.label_columns(network.attributes, "valid")  # (m, k)
        columns = zip(network.attributes, truth.T, network.score(run.images("valid")).T, strict=True)
        thresholds = {name: best_f1_threshold(y, scores) for name, y, scores in columns}
        images = load_array(latents.folder / "images.npy", mapped=True)
        save_array(folder / SCORES_FILE, network.score(images))  # (n, k)
        write_json(folder / THRESHOLDS_FILE, thresholds)

    inputs = {"classifier": classifier.fingerprint, "latents": latents.fingerprint}
    name = f"{classifier.name}_generated"
    step = classifier.store.shared_step(name, make, config={}, inputs=inputs)
    return Labelling(classifier, step, run.roles[role])
